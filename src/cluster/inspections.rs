//! Secrets read for `check`. Values cross the wire, as no other form of the object has the keys; each is
//! decoded, inspected and wiped while the answer is read.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};

use super::call::Call;
use super::place::Place;
use super::{Cluster, Failure, Namespaces, Seen};
use crate::secret::{Inspection, SecretValue, ValueFacts};

/// The page size, smaller than for other lists: a secret may have a mebibyte.
const PAGE: u32 = 100;

/// Excludes Helm's secrets, which hold whole releases and which nothing refers to.
const NOT_HELMS: &str = "type!=helm.sh/release.v1";

#[derive(Deserialize)]
struct Inspected {
    metadata: InspectedMetadata,
    #[serde(rename = "type", default)]
    secret_type: String,
    data: Option<BTreeMap<String, InspectedValue>>,
}

#[derive(Deserialize)]
struct InspectedMetadata {
    name: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: Annotations,
}

#[derive(Deserialize, Default)]
struct Annotations {
    #[serde(rename = "kubectl.kubernetes.io/last-applied-configuration")]
    last_applied: Option<String>,
}

struct InspectedValue(ValueFacts);

impl<'de> Deserialize<'de> for InspectedValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Base64 has no character that JSON escapes, so the text needs no unescaping.
        let text = <&str>::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(|_| D::Error::custom("a value is not base64"))?;
        Ok(Self(ValueFacts::of(&SecretValue::from_bytes(bytes))))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::zero_sized_map_values, reason = "the manifest has maps, whose values are to be skipped")]
struct Applied {
    data: Option<BTreeMap<String, IgnoredAny>>,
    string_data: Option<BTreeMap<String, IgnoredAny>>,
}

/// Returns true if a manifest holds values.
fn holds_values(manifest: &str) -> bool {
    let applied = serde_json::from_str::<Applied>(manifest).ok();
    let maps = applied.map(|applied| [applied.data, applied.string_data]);
    maps.into_iter().flatten().flatten().any(|map| !map.is_empty())
}

impl From<Inspected> for Inspection {
    fn from(secret: Inspected) -> Self {
        let Inspected { metadata, secret_type, data } = secret;
        let InspectedMetadata { name, namespace, labels, annotations } = metadata;
        let keys = data.into_iter().flatten().map(|(key, InspectedValue(facts))| (key, facts)).collect();
        let applied_values = annotations.last_applied.is_some_and(|manifest| holds_values(&manifest));
        Self { namespace, name, secret_type, labels, keys, applied_values }
    }
}

impl Cluster {
    /// Lists all secrets but Helm's.
    pub(crate) async fn inspect_secrets(&self, namespaces: &Namespaces) -> Result<Seen<Inspection>, Failure> {
        let list = async |(), namespace: Option<String>| {
            let call = Call::get(Place::secrets(namespace.as_deref())).query("fieldSelector", NOT_HELMS);
            self.list(call, PAGE, |secret: Inspected| Some(Inspection::from(secret))).await
        };
        self.everywhere(vec![()], namespaces, |()| "secrets", list).await
    }

    pub(crate) async fn inspect_secret(&self, namespace: &str, name: &str) -> Result<Inspection, Failure> {
        let call = Call::get(Place::secret(namespace, name));
        self.object::<Inspected>(&call).await.map(Inspection::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_a_manifest_are_known_from_none() {
        assert!(holds_values(r#"{"data":{"k":"dg=="}}"#));
        assert!(holds_values(r#"{"stringData":{"k":"v"}}"#));
        for manifest in [r#"{"data":{}}"#, r#"{"data":null}"#, "{}", "no manifest"] {
            assert!(!holds_values(manifest), "{manifest}");
        }
    }
}
