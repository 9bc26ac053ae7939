//! Secrets read for `check`. Values cross the wire, as no other form of the object has the keys; each is
//! decoded, inspected and wiped while the answer is read.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::call::Call;
use super::place::Place;
use super::{Cluster, Failure, Namespaces, Seen};
use crate::history::History;
use crate::metadata::{Metadata, Owner};
use crate::secret::{Inspection, SecretValue, ValueFacts};

/// The page size, smaller than for other lists: a secret may have a mebibyte.
const PAGE: u32 = 100;

/// Excludes Helm's secrets, which hold whole releases and which nothing refers to.
const NOT_HELMS: &str = "type!=helm.sh/release.v1";

#[derive(Deserialize)]
struct Inspected {
    metadata: Metadata,
    #[serde(rename = "type", default)]
    secret_type: String,
    #[serde(rename = "data", default, deserialize_with = "facts")]
    keys: BTreeMap<String, ValueFacts>,
}

/// Reads the facts of each value, by its key.
fn facts<'de, D: Deserializer<'de>>(data: D) -> Result<BTreeMap<String, ValueFacts>, D::Error> {
    struct Data;

    impl<'de> Visitor<'de> for Data {
        type Value = BTreeMap<String, ValueFacts>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the data of a secret")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(BTreeMap::new())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut facts = BTreeMap::new();
            while let Some(key) = map.next_key::<String>()? {
                // Base64 has no character that JSON escapes, so the text needs no unescaping.
                let text = map.next_value::<&str>()?;
                let bytes = STANDARD.decode(text).map_err(|_| A::Error::custom("a value is not base64"))?;
                let of_value = ValueFacts::of(&key, &SecretValue::from_bytes(bytes));
                facts.insert(key, of_value);
            }
            Ok(facts)
        }
    }
    data.deserialize_any(Data)
}

impl From<Inspected> for Inspection {
    fn from(secret: Inspected) -> Self {
        let Inspected { metadata, secret_type, keys } = secret;
        let history = History::of(&metadata);
        let Metadata { name, namespace, labels, annotations, owner_references, .. } = metadata;
        let applied_values = annotations.last_applied.is_some_and(|applied| applied.holds_values);
        let noted = annotations.ends;
        let controller = Owner::controlling(&owner_references).map(ToString::to_string);
        Self { namespace, name, secret_type, labels, keys, applied_values, history, noted, controller }
    }
}

impl Cluster {
    /// Lists all secrets but Helm's.
    pub(crate) async fn inspect_secrets(&self, namespaces: &Namespaces) -> Result<Seen<Inspection>, Failure> {
        let list = async |namespace: Option<&str>| {
            let call = Call::get(Place::secrets(namespace)).query("fieldSelector", NOT_HELMS);
            self.list(call, PAGE, |secret: Inspected| Some(Inspection::from(secret))).await
        };
        self.secrets_of(namespaces, list).await
    }

    pub(crate) async fn inspect_secret(&self, namespace: &str, name: &str) -> Result<Inspection, Failure> {
        let call = Call::get(Place::secret(namespace, name));
        self.object::<Inspected>(&call).await.map(Inspection::from)
    }
}
