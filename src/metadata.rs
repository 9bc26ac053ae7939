//! The API's `metadata` of any kind of object: it identifies an object without its content.

mod ends;
mod record;
mod writes;

use std::collections::BTreeMap;
use std::fmt;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

pub(crate) use self::ends::{EXPIRES, Ends};
pub(crate) use self::record::{CHANGED, LONGEST as LONGEST_RECORD, Record};
pub(crate) use self::writes::{LastWrite, Write, Writes};

/// The annotation of kubectl apply: a copy of the whole object, with a secret's values.
pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

#[derive(Clone, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    /// Every object has one.
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) namespace: String,
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) annotations: Annotations,
    #[serde(default)]
    pub(crate) uid: String,
    #[serde(default)]
    pub(crate) resource_version: String,
    #[serde(default)]
    pub(crate) owner_references: Vec<Owner>,
    /// For example `2026-01-31T12:00:00Z`.
    #[serde(default, rename = "creationTimestamp")]
    pub(crate) created: String,
    #[serde(rename = "deletionTimestamp")]
    pub(crate) terminating: Option<IgnoredAny>,
    #[serde(default, rename = "managedFields")]
    pub(crate) writes: Writes,
}

/// The annotations in use. Others can be of any length, and hold values of secrets.
#[derive(Clone, Deserialize, Default)]
#[serde(default)]
pub(crate) struct Annotations {
    #[serde(rename = "kubectl-runai-secret/file-of")]
    pub(crate) file_of: Option<String>,
    #[serde(rename = "kubectl-runai-secret/file-adopted")]
    pub(crate) file_adopted: Option<String>,
    #[serde(rename = "kubectl-runai-secret/copy-of")]
    pub(crate) copy_of: Option<String>,
    #[serde(rename = "kubectl-runai-secret/deleting")]
    pub(crate) deleting: Option<String>,
    #[serde(rename = "kubectl-runai-secret/expires")]
    pub(crate) ends: Ends,
    #[serde(rename = "kubectl.kubernetes.io/last-applied-configuration")]
    pub(crate) last_applied: Option<LastApplied>,
    #[serde(rename = "kubectl-runai-secret/changed", deserialize_with = "record")]
    pub(crate) changed: Option<Record>,
}

/// Reads our record of changes; anything else under its name is none.
fn record<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Record>, D::Error> {
    Ok(Record::parse(&Zeroizing::new(String::deserialize(deserializer)?)))
}

/// What `kubectl apply` has left: a copy of the whole object, of which nothing is kept here.
#[derive(Clone, Copy)]
pub(crate) struct LastApplied {
    /// It has values of a secret.
    pub(crate) holds_values: bool,
}

impl<'de> Deserialize<'de> for LastApplied {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let manifest = Zeroizing::new(String::deserialize(deserializer)?);
        Ok(Self { holds_values: holds_values(&manifest) })
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

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Owner {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) name: String,
    /// It keeps the object as it wants it.
    #[serde(default, rename = "controller")]
    pub(crate) controls: bool,
}

impl Owner {
    /// Returns the owner that keeps an object as it wants it.
    pub(crate) fn controlling(owners: &[Self]) -> Option<&Self> {
        owners.iter().find(|owner| owner.controls)
    }
}

/// Prints `MPIJob/train`.
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// The fields that the server writes, and that no new object can have.
const THE_SERVERS: [&str; 8] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "managedFields",
    "selfLink",
];

/// Returns the metadata for a new object that replaces one with this metadata, without the annotation of
/// `kubectl apply` and our record of changes.
pub(crate) fn of_a_new_object(old: &Value) -> Value {
    let mut metadata = old.clone();
    let Some(fields) = metadata.as_object_mut() else { return metadata };
    for field in THE_SERVERS {
        fields.remove(field);
    }
    if let Some(annotations) = fields.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove(LAST_APPLIED);
        // Its times hold for the object that it was written to.
        annotations.remove(CHANGED);
    }
    metadata
}

/// Returns the metadata with these labels and annotations added; all others stay.
pub(crate) fn with(
    mut metadata: Value,
    labels: &BTreeMap<String, String>,
    annotations: &BTreeMap<String, String>,
) -> Value {
    let Some(fields) = metadata.as_object_mut() else { return metadata };
    for (field, own) in [("labels", labels), ("annotations", annotations)] {
        let entries = fields.entry(field).or_insert_with(|| Value::Object(Map::new()));
        if !entries.is_object() {
            *entries = Value::Object(Map::new());
        }
        let Some(entries) = entries.as_object_mut() else { continue };
        entries.extend(own.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))));
    }
    metadata
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
