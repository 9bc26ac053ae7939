//! Facts about the values of a secret that show none of them. They are gathered while an answer is read, so
//! that no value stays in memory.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_json::Value;

use super::builtin_type::{DOCKER_CONFIG, OLD_DOCKER_CONFIG, judged_keys};
use super::credential::{CREDENTIAL_LABEL, Credential};
use super::doubt::Doubt;
use super::identity::End;
use super::value::SecretValue;
use super::{docker_config, go_base64};
use crate::error::{Error, Result};
use crate::history::History;
use crate::metadata::{EXPIRES, Ends, Owner};

/// The types of secrets that the server makes itself.
const OF_THE_SERVER: [&str; 2] = ["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"];

/// A secret without its values.
pub(crate) struct Inspection {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) secret_type: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) keys: BTreeMap<String, ValueFacts>,
    /// `kubectl apply` left values in an annotation.
    pub(crate) applied_values: bool,
    /// When its keys changed.
    pub(crate) history: History,
    /// The ends that people have noted.
    pub(crate) noted: Ends,
    /// The object that writes it, such as `MPIJob/train`: whatever is changed here, it may change back.
    pub(crate) controller: Option<String>,
}

/// The facts about a value.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct ValueFacts {
    /// The value is one line that ends in a newline.
    pub(crate) line_end: bool,
    pub(crate) doubt: Option<Doubt>,
    pub(crate) end: Option<End>,
    /// The reason why no image can be pulled with it, if its key is that of registry logins.
    pub(crate) unusable: Option<String>,
}

impl ValueFacts {
    pub(crate) fn of(key: &str, value: &SecretValue) -> Self {
        let bytes = value.expose();
        let line = bytes.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let line_end = line.is_some_and(|line| !line.is_empty() && !line.contains(&b'\n'));
        let unusable = docker_config::Form::of_key(key).and_then(|form| docker_config::fault(form, value));
        Self { line_end, doubt: Doubt::of(bytes), end: End::of(bytes), unusable }
    }
}

impl Inspection {
    /// Reads a Secret of a manifest; `namespace` is for one that names none.
    ///
    /// # Errors
    /// A value is not text, or in `data` not base64. It is not shown.
    pub(crate) fn of_manifest(manifest: &Value, namespace: &str) -> Result<Self> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let metadata = &manifest["metadata"];
        let named = text(&metadata["namespace"]);
        let labels = metadata["labels"].as_object().into_iter().flatten();
        let mut keys = BTreeMap::new();
        for (key, value) in manifest["data"].as_object().into_iter().flatten() {
            let bytes = value.as_str().and_then(go_base64::decoded);
            let mut bytes =
                bytes.ok_or_else(|| Error::usage(format!("the value of {key} in data is not base64")))?;
            let value = SecretValue::from_bytes(std::mem::take(&mut *bytes));
            keys.insert(key.clone(), ValueFacts::of(key, &value));
        }
        for (key, value) in manifest["stringData"].as_object().into_iter().flatten() {
            let bytes = value.as_str().map(|text| text.as_bytes().to_vec());
            let bytes =
                bytes.ok_or_else(|| Error::usage(format!("the value of {key} in stringData is not text")))?;
            keys.insert(key.clone(), ValueFacts::of(key, &SecretValue::from_bytes(bytes)));
        }
        let owners = Vec::<Owner>::deserialize(&metadata["ownerReferences"]).unwrap_or_default();
        Ok(Self {
            controller: Owner::controlling(&owners).map(ToString::to_string),
            namespace: if named.is_empty() { namespace.to_owned() } else { named },
            name: text(&metadata["name"]),
            secret_type: text(&manifest["type"]),
            labels: labels.map(|(key, value)| (key.clone(), text(value))).collect(),
            keys,
            applied_values: false,
            history: History::default(),
            noted: metadata["annotations"][EXPIRES].as_str().map(Ends::of).unwrap_or_default(),
        })
    }

    /// Returns the reason why no image can be pulled with it, if it is a registry login.
    pub(crate) fn unusable_login(&self) -> Option<&str> {
        let judged = [DOCKER_CONFIG, OLD_DOCKER_CONFIG].contains(&self.secret_type.as_str());
        let mut keys = judged_keys(&self.secret_type).iter().filter(|_| judged);
        keys.find_map(|key| self.keys.get(*key)?.unusable.as_deref())
    }

    /// Returns the credential that its label makes it, if Run:ai knows that kind.
    pub(crate) fn credential(&self) -> Option<Credential> {
        Credential::of_label(self.labels.get(CREDENTIAL_LABEL)?)
    }

    pub(crate) fn is_the_servers(&self) -> bool {
        is_the_servers(&self.secret_type)
    }
}

/// Returns true for a type of secrets that the server makes or reads itself.
pub(crate) fn is_the_servers(secret_type: &str) -> bool {
    OF_THE_SERVER.contains(&secret_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(text: &str) -> ValueFacts {
        ValueFacts::of("k", &SecretValue::from_bytes(text.as_bytes().to_vec()))
    }

    #[test]
    fn a_single_line_that_has_its_end_is_known_from_a_file_of_lines() {
        for text in ["token\n", "token\r\n"] {
            assert!(facts(text).line_end, "{text:?}");
        }
        for text in ["token", "", "\n", "two\nlines\n", "a\n\n"] {
            assert!(!facts(text).line_end, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_certificate_does_not_expire() {
        let damaged = "-----BEGIN CERTIFICATE-----\nAQ==\n-----END CERTIFICATE-----\n";
        for text in ["token", damaged, "-----BEGIN PRIVATE KEY-----\nAQ==\n-----END PRIVATE KEY-----\n"] {
            assert_eq!(facts(text).end, None);
        }
    }
}
