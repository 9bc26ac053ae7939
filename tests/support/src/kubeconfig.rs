//! Kubeconfigs: a working one, and faulty ones.

use std::path::Path;
use std::{fmt, fs, io};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

/// A kubeconfig with one context, `test`. Written as JSON, which is YAML.
#[derive(Debug, Clone)]
pub struct Kubeconfig {
    cluster: Value,
    user: Value,
    context: Value,
    more_contexts: Vec<Value>,
    current: String,
}

impl Kubeconfig {
    /// Builds one for this server, with the CA of its certificate and a token.
    pub(crate) fn new(server: &str, ca_pem: &str, token: &str) -> Self {
        Self {
            cluster: json!({"server": server, "certificate-authority-data": BASE64_STANDARD.encode(ca_pem)}),
            user: json!({"token": token}),
            context: json!({"cluster": "test", "user": "test"}),
            more_contexts: Vec::new(),
            current: "test".into(),
        }
    }

    /// Reads a kubeconfig that was written by this type.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let mut config: Value = serde_json::from_slice(&fs::read(path)?)?;
        Ok(Self {
            cluster: config["clusters"][0]["cluster"].take(),
            user: config["users"][0]["user"].take(),
            context: config["contexts"][0]["context"].take(),
            more_contexts: Vec::new(),
            current: "test".into(),
        })
    }

    /// Returns the server's address, `https://<host>:<port>`.
    pub fn server_address(&self) -> String {
        self.cluster["server"].as_str().expect("an address").to_owned()
    }

    pub(crate) fn ca_pem(&self) -> String {
        let text = self.cluster["certificate-authority-data"].as_str().expect("a certificate");
        let pem = BASE64_STANDARD.decode(text).expect("base64");
        String::from_utf8(pem).expect("a certificate as PEM is text")
    }

    pub(crate) fn bearer(&self) -> String {
        self.user["token"].as_str().expect("a token").to_owned()
    }

    /// Sets the namespace of the context.
    #[must_use]
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.context["namespace"] = namespace.into();
        self
    }

    /// Sets another token than the administrator's.
    #[must_use]
    pub fn token(mut self, token: &str) -> Self {
        self.user = json!({"token": token});
        self
    }

    /// Sets a client certificate and its key (PEM) instead of a token.
    #[must_use]
    pub fn client_certificate(mut self, (certificate, key): &(String, String)) -> Self {
        self.user = json!({
            "client-certificate-data": BASE64_STANDARD.encode(certificate),
            "client-key-data": BASE64_STANDARD.encode(key),
        });
        self
    }

    /// Sets a credential plugin instead of a token; its stdout is an `ExecCredential` of
    /// `client.authentication.k8s.io/v1`.
    #[must_use]
    pub fn exec(mut self, program: &Path, arguments: &[&str]) -> Self {
        self.user = json!({"exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": program, "args": arguments,
            "interactiveMode": "IfAvailable",
        }});
        self
    }

    /// Sets any fields of the user, as in a kubeconfig.
    #[must_use]
    pub fn user(mut self, user: Value) -> Self {
        self.user = user;
        self
    }

    /// Sets any field of the cluster, such as `tls-server-name` or `insecure-skip-tls-verify`; `null` removes
    /// it.
    #[must_use]
    pub fn cluster(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.cluster[field] = value.into();
        if let Some(fields) = self.cluster.as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
        self
    }

    /// Sets another address.
    #[must_use]
    pub fn server(self, server: &str) -> Self {
        self.cluster("server", server)
    }

    /// Sets a proxy for this cluster.
    #[must_use]
    pub fn proxy_url(self, url: &str) -> Self {
        self.cluster("proxy-url", url)
    }

    /// Sets a CA that did not sign the server's certificate.
    #[must_use]
    pub fn wrong_ca(self) -> Self {
        let stranger = crate::certificates::Authority::new("another-ca");
        self.cluster("certificate-authority-data", BASE64_STANDARD.encode(stranger.pem()))
    }

    /// Adds another context of the same cluster and user.
    #[must_use]
    pub fn context(mut self, name: &str, namespace: &str) -> Self {
        let context = json!({"cluster": "test", "user": "test", "namespace": namespace});
        self.more_contexts.push(json!({"name": name, "context": context}));
        self
    }

    /// Sets the current context; empty for none.
    #[must_use]
    pub fn current(mut self, name: &str) -> Self {
        self.current = name.into();
        self
    }
}

impl fmt::Display for Kubeconfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut contexts = vec![json!({"name": "test", "context": self.context})];
        contexts.extend(self.more_contexts.iter().cloned());
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": self.current,
            "clusters": [{"name": "test", "cluster": self.cluster}],
            "users": [{"name": "test", "user": self.user}],
            "contexts": contexts,
        });
        write!(f, "{config:#}")
    }
}
