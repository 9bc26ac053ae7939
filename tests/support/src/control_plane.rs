//! The real control plane: etcd, kube-apiserver and kube-controller-manager, one of each for the whole test
//! process.
//!
//! They come from the folder that `KUBEBUILDER_ASSETS` names.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio_rustls::rustls::ClientConfig;

use crate::api::random;
use crate::backend::{Backend, ask};
use crate::certificates::{Authority, signing_key};
use crate::controller;
use crate::forward::Forwarder;
use crate::kubeconfig::Kubeconfig;
use crate::programs::Programs;
use crate::runtime::wait_for;
use crate::world::User;

/// The environment variable that names the folder of the programs, as envtest reads it.
pub const ASSETS: &str = "KUBEBUILDER_ASSETS";

/// The administrator's token.
pub(crate) const ADMIN_TOKEN: &str = "support-admin-token";

/// Users that the token file knows; it is read once, at the start.
const SPARE_USERS: usize = 320;

/// The administrator's kubeconfig, in the programs' folder.
const KUBECONFIG: &str = "kubeconfig";

/// The kubeconfig of Run:ai's controllers, in the same folder.
const CONTROLLERS_KUBECONFIG: &str = "runai-controller.kubeconfig";

const START_LIMIT: Duration = Duration::from_mins(2);

/// How to build a control plane.
const HOW_TO_BUILD: &str = r#"export KUBEBUILDER_ASSETS="$(tests/control-plane/build)""#;

/// Returns the folder with the control plane's programs, if one is named.
fn assets() -> Option<PathBuf> {
    std::env::var_os(ASSETS).filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

/// Returns true if a control plane is named. A broken one panics at its first use.
pub fn available() -> bool {
    assets().is_some()
}

/// A running control plane.
pub struct ControlPlane {
    authority: Authority,
    server: String,
    spare_users: AtomicUsize,
    programs: Programs,
}

impl ControlPlane {
    /// Returns the control plane of this process, started at the first call. Panics with the reason if it
    /// can't be.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<ControlPlane> = OnceLock::new();
        SHARED.get_or_init(|| {
            let assets = assets().unwrap_or_else(|| {
                panic!("there is no real control plane; build it and name it with: {HOW_TO_BUILD}")
            });
            // Again: another program on this machine may have taken a port.
            Self::start(&assets)
                .or_else(|_| Self::start(&assets))
                .unwrap_or_else(|why| panic!("the control plane of {}: {why}", assets.display()))
        })
    }

    /// Returns `https://127.0.0.1:<port>` of the API server itself, without a front door.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Returns a kubeconfig for the API server itself, for benchmarks.
    pub fn kubeconfig(&self) -> Kubeconfig {
        Kubeconfig::new(&self.server, self.authority.pem(), ADMIN_TOKEN)
    }

    /// Returns TLS for a client of the API server.
    pub(crate) fn tls(&self) -> ClientConfig {
        self.authority.client_config()
    }

    /// Returns the authority that the API server trusts in those whom it asks.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Returns a file that exists as long as this process.
    pub(crate) fn controllers_kubeconfig(&self) -> PathBuf {
        self.programs.folder().join(CONTROLLERS_KUBECONFIG)
    }

    /// Returns a user whom nobody has used yet.
    pub(crate) fn spare_user(&self) -> User {
        let number = self.spare_users.fetch_add(1, Ordering::Relaxed);
        assert!(number < SPARE_USERS, "the tests of one process need more than {SPARE_USERS} users");
        User { name: format!("user-{number}"), token: format!("support-token-{number}") }
    }

    /// Returns the programs of this control plane, for those that work beside it.
    pub(crate) fn programs(&self) -> &Programs {
        &self.programs
    }

    /// Returns the administrator's kubeconfig, a file that exists as long as this process.
    pub(crate) fn kubeconfig_file(&self) -> PathBuf {
        self.programs.folder().join(KUBECONFIG)
    }

    fn start(assets: &Path) -> Result<Self, String> {
        let folder =
            tempfile::Builder::new().prefix("control-plane-").tempdir().map_err(|error| error.to_string())?;
        let authority = Authority::new("support-control-plane-ca");
        // etcd's for clients and peers, the API server's.
        let ports = free_ports();
        write_files(folder.path(), &authority, ports).map_err(|error| format!("its files: {error}"))?;
        let programs = Programs::new(folder).map_err(|error| format!("sh: {error}"))?;
        let server = format!("https://127.0.0.1:{}", ports[2]);
        let plane = Self { authority, server, spare_users: AtomicUsize::new(0), programs };
        let [etcd, api_server, controllers] = arguments(plane.programs.folder(), ports);
        let start = |program: &str, arguments: &[String]| {
            plane.programs.start(&assets.join(program), arguments).map_err(|error| error.to_string())
        };
        start("etcd", &etcd)?;
        start("kube-apiserver", &api_server)?;
        plane.wait_until_ready()?;
        // They end if the API server is not ready ten seconds later, and then nothing that others depend on would ever go.
        start("kube-controller-manager", &controllers)?;
        plane.grant_to_controllers()?;
        Ok(plane)
    }

    fn wait_until_ready(&self) -> Result<(), String> {
        let admin = self.admin();
        let start = Instant::now();
        // The default namespace and the system roles come a moment after readiness.
        for path in [
            "/readyz",
            "/api/v1/namespaces/default",
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:basic-user",
        ] {
            loop {
                if wait_for(ask(&admin, ADMIN_TOKEN, "GET", path, &[], "")).0 == 200 {
                    break;
                }
                if start.elapsed() > START_LIMIT {
                    return Err(format!(
                        "not ready after {} s\n{}",
                        START_LIMIT.as_secs(),
                        self.programs.last_words()
                    ));
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        Ok(())
    }

    fn grant_to_controllers(&self) -> Result<(), String> {
        let (name, _) = controller::USER;
        let group = "rbac.authorization.k8s.io";
        let role = json!({"metadata": {"name": name}, "rules": controller::rules()});
        let binding = json!({
            "metadata": {"name": name},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": group, "kind": "User", "name": name}],
        });
        let admin = self.admin();
        for (plural, object) in [("clusterroles", role), ("clusterrolebindings", binding)] {
            let (path, json) = (format!("/apis/{group}/v1/{plural}"), [("content-type", "application/json")]);
            let (status, answer) =
                wait_for(ask(&admin, ADMIN_TOKEN, "POST", &path, &json, &object.to_string()));
            if status != 201 {
                return Err(format!("its {plural}: {answer}"));
            }
        }
        Ok(())
    }

    fn admin(&self) -> Backend {
        Backend::Real(Arc::new(Forwarder::new(self.tls(), &self.server, ADMIN_TOKEN, "")))
    }
}

/// Returns ports that were free a moment ago. None of them is one that the system assigns: other tests listen and connect
/// while the programs start, and one of them would get it.
pub(crate) fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    let mut ports = [0; COUNT];
    for at in 0..ports.len() {
        while ports[at] == 0 {
            let port = 20_000 + u16::try_from(random() % 10_000).expect("a small number");
            if !ports.contains(&port) && TcpListener::bind(("127.0.0.1", port)).is_ok() {
                ports[at] = port;
            }
        }
    }
    ports
}

fn write_files(folder: &Path, authority: &Authority, [_, _, api]: [u16; 3]) -> io::Result<()> {
    let server = authority.server();
    let (signing_key, verifying_key) = signing_key();
    let address = format!("https://127.0.0.1:{api}");
    let kubeconfig = Kubeconfig::new(&address, authority.pem(), ADMIN_TOKEN);
    let (controller, controllers_token) = controller::USER;
    let controllers = Kubeconfig::new(&address, authority.pem(), controllers_token);
    let mut tokens = vec![
        format!("{ADMIN_TOKEN},admin,admin,\"system:masters\"\n"),
        format!("{controllers_token},{controller},{controller}\n"),
    ];
    tokens.extend(
        (0..SPARE_USERS).map(|number| format!("support-token-{number},user-{number},user-{number}\n")),
    );
    let files = [
        ("server.crt", server.certificate_pem),
        ("server.key", server.key_pem),
        ("sa.key", signing_key),
        ("sa.pub", verifying_key),
        ("tokens.csv", tokens.concat()),
        (KUBECONFIG, kubeconfig.to_string()),
        (CONTROLLERS_KUBECONFIG, controllers.to_string()),
    ];
    for (name, content) in files {
        fs::write(folder.join(name), content)?;
    }
    Ok(())
}

/// Returns the arguments of etcd, kube-apiserver and kube-controller-manager.
fn arguments(folder: &Path, [etcd, peers, api]: [u16; 3]) -> [Vec<String>; 3] {
    let path = |name: &str| folder.join(name).display().to_string();
    let etcd_url = format!("http://127.0.0.1:{etcd}");
    [
        vec![
            format!("--data-dir={}", path("etcd")),
            "--unsafe-no-fsync".into(),
            format!("--listen-client-urls={etcd_url}"),
            format!("--advertise-client-urls={etcd_url}"),
            format!("--listen-peer-urls=http://127.0.0.1:{peers}"),
            "--log-level=warn".into(),
        ],
        vec![
            format!("--etcd-servers={etcd_url}"),
            format!("--secure-port={api}"),
            "--bind-address=127.0.0.1".into(),
            format!("--cert-dir={}", path("certs")),
            format!("--tls-cert-file={}", path("server.crt")),
            format!("--tls-private-key-file={}", path("server.key")),
            format!("--token-auth-file={}", path("tokens.csv")),
            "--authorization-mode=RBAC".into(),
            format!("--service-account-key-file={}", path("sa.pub")),
            format!("--service-account-signing-key-file={}", path("sa.key")),
            "--service-account-issuer=https://kubernetes.default.svc".into(),
            "--service-cluster-ip-range=10.0.0.0/24".into(),
            // Nothing in a pod asks the API server, so no pod gets a token.
            "--disable-admission-plugins=ServiceAccount".into(),
        ],
        vec![
            format!("--kubeconfig={}", path(KUBECONFIG)),
            "--leader-elect=false".into(),
            "--secure-port=0".into(),
            format!("--service-account-private-key-file={}", path("sa.key")),
            "--use-service-account-credentials=false".into(),
            // It deletes every pod of a node that is not there, and the node that tests bind pods to is not.
            "--controllers=*,-pod-garbage-collector-controller".into(),
        ],
    ]
}
