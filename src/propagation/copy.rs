//! A secret of the shared name in some namespace: its content, and the evidence that it is a copy.
//!
//! The mark that `sync` puts on its copies is proof. The look of Run:ai's copies is not documented: a label
//! or an owner of Run:ai is only a sign, as anybody can label a secret of their own. Every other secret was
//! made by somebody else, and is theirs.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::scope::{CURRENT_LABEL, DEPARTMENT_LABEL, LEGACY_LABEL, Scope};
use crate::metadata::Metadata;
use crate::secret::{self, SecretValue};

/// The label on the copies that this program made, by which all of them can be listed.
pub(crate) const MARK: &str = "kubectl-runai-secret/copy";
/// The annotation beside [`MARK`] that names the source, in the form of [`identity`].
pub(crate) const ORIGIN: &str = "kubectl-runai-secret/copy-of";

/// The annotation on a source that is being deleted with all its copies. A later run recognizes the
/// unfinished deletion by it.
pub(crate) const DELETING: &str = "kubectl-runai-secret/deleting";

/// Returns a copy's name for its source: `runai/hf`.
pub(crate) fn identity(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}

/// A secret as the API has it, reduced to the fields in use.
#[derive(Deserialize)]
pub(crate) struct ExistingSecret {
    pub(crate) metadata: Metadata,
    #[serde(default)]
    pub(crate) immutable: bool,
    #[serde(flatten)]
    pub(crate) content: Content,
}

/// The part of a copy that must equal its source: type and data.
#[derive(Deserialize, PartialEq, Eq)]
pub(crate) struct Content {
    #[serde(rename = "type", default)]
    pub(crate) secret_type: String,
    /// `null` if there are no keys.
    #[serde(default, deserialize_with = "null_as_empty")]
    pub(crate) data: BTreeMap<String, Encoded>,
}

/// A value in base64, as it crosses the wire. Like the value itself it can be neither shown nor cloned.
#[derive(PartialEq, Eq)]
pub(crate) struct Encoded(Zeroizing<String>);

impl<'de> Deserialize<'de> for Encoded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

impl Encoded {
    /// Returns the text for the body of a request.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the value itself.
    pub(crate) fn decode(&self) -> SecretValue {
        SecretValue::from_bytes(BASE64_STANDARD.decode(self.expose()).unwrap_or_default())
    }
}

impl Content {
    /// Returns the approximate bytes that it takes on the wire.
    pub(crate) fn weight(&self) -> usize {
        self.data.iter().map(|(key, value)| key.len() + value.0.len()).sum()
    }

    /// Judges the whole secret by its type.
    pub(crate) fn doubts(&self) -> Vec<String> {
        let judged = secret::judged_keys(&self.secret_type).iter();
        let values: BTreeMap<&str, SecretValue> =
            judged.filter_map(|key| Some((*key, self.data.get(*key)?.decode()))).collect();
        if values.is_empty() { Vec::new() } else { secret::doubts(&self.secret_type, |key| values.get(key)) }
    }

    /// Returns the values, for finding them in a text.
    pub(crate) fn values(&self) -> BTreeMap<String, SecretValue> {
        self.data.iter().map(|(key, text)| (key.clone(), text.decode())).collect()
    }
}

/// The evidence that a secret is a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// This program made it.
    OurMark,
    /// It has a label of Run:ai.
    Label(&'static str),
    /// It is owned by an object of Run:ai, of this kind.
    Owner(String),
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OurMark => write!(f, "made by sync (label {MARK})"),
            Self::Label(label) => write!(f, "label {label}"),
            Self::Owner(kind) => write!(f, "owned by a {kind} of Run:ai"),
        }
    }
}

impl Evidence {
    /// Returns true if nobody else makes such a secret. With weaker evidence it may be somebody's own.
    pub(crate) fn is_proof(&self) -> bool {
        match self {
            Self::OurMark => true,
            Self::Label(_) | Self::Owner(_) => false,
        }
    }

    /// Returns the evidence that an object is a copy of the secret with this [`identity`]; none if somebody
    /// else made it.
    pub(crate) fn of(metadata: &Metadata, identity: &str) -> Option<Self> {
        let Metadata { labels, annotations, owner_references, .. } = metadata;
        let is = |label: &str| labels.get(label).is_some_and(|value| value == "true");
        if is_marked(metadata) {
            // The copy of another source is not ours to touch.
            let ours = annotations.copy_of.as_ref().is_some_and(|origin| origin == identity);
            return ours.then_some(Self::OurMark);
        }
        if let Some(label) = [LEGACY_LABEL, CURRENT_LABEL].into_iter().find(|label| is(label)) {
            return Some(Self::Label(label));
        }
        if labels.contains_key(DEPARTMENT_LABEL) {
            return Some(Self::Label(DEPARTMENT_LABEL));
        }
        let owner = owner_references.iter().find(|owner| is_of_runai(&owner.api_version))?;
        Some(Self::Owner(owner.kind.clone()))
    }
}

/// The probable source of a secret.
pub(crate) struct Origin {
    /// In the form of [`identity`]: `runai/hf`.
    pub(crate) identity: String,
    /// The evidence for it.
    pub(crate) evidence: Evidence,
}

/// Returns the probable source of a secret; none for a source itself, and for a secret that somebody else
/// made.
pub(crate) fn origin(metadata: &Metadata, runai_namespace: &str) -> Option<Origin> {
    if metadata.namespace == runai_namespace {
        return None;
    }
    let usual = identity(runai_namespace, &metadata.name);
    let identity = metadata.annotations.copy_of.clone().filter(|_| is_marked(metadata)).unwrap_or(usual);
    let evidence = Evidence::of(metadata, &identity)?;
    Some(Origin { identity, evidence })
}

fn is_marked(metadata: &Metadata) -> bool {
    has_mark(&metadata.labels)
}

fn has_mark(labels: &BTreeMap<String, String>) -> bool {
    labels.get(MARK).is_some_and(|value| value == "true")
}

/// Returns true if a secret with these labels may be a copy, or a source.
pub(crate) fn may_be_copy(labels: &BTreeMap<String, String>) -> bool {
    has_mark(labels) || Scope::of(labels) != Scope::Nobody
}

impl ExistingSecret {
    /// Builds one whose content is not needed.
    pub(crate) fn without_content(metadata: Metadata) -> Self {
        let content = Content { secret_type: String::new(), data: BTreeMap::new() };
        Self { metadata, immutable: false, content }
    }

    pub(crate) fn evidence(&self, identity: &str) -> Option<Evidence> {
        Evidence::of(&self.metadata, identity)
    }
}

/// Returns true for an API group of Run:ai: `run.ai/v1`, `scheduling.run.ai/v2`.
fn is_of_runai(api_version: &str) -> bool {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    group == "run.ai" || group.ends_with(".run.ai")
}

fn null_as_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Returns true if a secret with these labels is shared, or a copy: one namespace does not tell whether it is used.
pub(crate) fn reaches_projects(labels: &BTreeMap<String, String>) -> bool {
    Scope::of(labels) != Scope::Nobody || labels.contains_key(MARK)
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;

    static_assertions::assert_not_impl_any!(Encoded: fmt::Debug, fmt::Display, Clone, serde::Serialize);
    static_assertions::assert_not_impl_any!(ExistingSecret: fmt::Debug, Clone, serde::Serialize);

    pub(crate) fn namesake(mut object: Value) -> ExistingSecret {
        object["metadata"]["name"] = "hf".into();
        serde_json::from_value(object).unwrap()
    }

    fn evidence(metadata: &Value) -> Option<Evidence> {
        namesake(json!({"metadata": metadata, "type": "Opaque"})).evidence("runai/hf")
    }

    #[test]
    fn a_copy_is_known_by_our_mark_by_a_label_of_run_ai_or_by_its_owner() {
        let ours = json!({"labels": {MARK: "true"}, "annotations": {ORIGIN: "runai/hf"}});
        assert_eq!(evidence(&ours), Some(Evidence::OurMark));
        for label in [LEGACY_LABEL, CURRENT_LABEL] {
            assert_eq!(evidence(&json!({"labels": {label: "true"}})), Some(Evidence::Label(label)));
        }
        let owned = json!({"ownerReferences": [{"apiVersion": "run.ai/v2", "kind": "Project", "name": "a", "uid": "u"}]});
        assert_eq!(evidence(&owned), Some(Evidence::Owner("Project".to_owned())));
    }

    #[test]
    fn a_copy_is_one_of_the_shared_secret_of_its_name_or_of_what_its_mark_says() {
        let of = |namespace: &str, labels: Value, annotations: Value| {
            let metadata =
                json!({"name": "hf", "namespace": namespace, "labels": labels, "annotations": annotations});
            origin(&serde_json::from_value(metadata).unwrap(), "runai").map(|origin| origin.identity)
        };
        let marked = || json!({MARK: "true"});
        assert_eq!(of("a", marked(), json!({ORIGIN: "other/x"})).as_deref(), Some("other/x"));
        assert_eq!(of("a", marked(), json!({})), None, "a mark that does not say of what");
        let off = json!({MARK: "false"});
        assert_eq!(of("a", off, json!({ORIGIN: "other/x"})), None);
        assert_eq!(of("a", json!({CURRENT_LABEL: "true"}), json!({})).as_deref(), Some("runai/hf"));
        assert_eq!(of("runai", json!({CURRENT_LABEL: "true"}), json!({})), None, "the source");
        assert_eq!(of("a", json!({}), json!({})), None);
    }

    #[test]
    fn what_merely_looks_like_a_copy_is_somebody_elses() {
        let other_source = json!({"labels": {MARK: "true"}, "annotations": {ORIGIN: "runai/other"}});
        let alike = json!({"ownerReferences": [{"apiVersion": "notrun.ai/v1", "kind": "Project"}]});
        let of_the_core_group = json!({"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap"}]});
        let off = json!({"labels": {CURRENT_LABEL: "false"}});
        for metadata in [other_source, alike, of_the_core_group, off, json!({})] {
            assert_eq!(evidence(&metadata), None, "{metadata}");
        }
    }

    #[test]
    fn equal_is_who_has_the_same_type_keys_and_values() {
        let content = |object: Value| namesake(object).content;
        let source = json!({"metadata": {}, "type": "Opaque", "data": {"a": "eA==", "b": "eQ=="}});
        let with = |field: &str, value: Value| {
            let mut other = source.clone();
            other[field] = value;
            content(other)
        };
        let source_content = content(source.clone());
        assert!(source_content == with("metadata", json!({"labels": {"x": "y"}})));
        assert!(source_content != with("type", json!("other")));
        assert!(source_content != with("data", json!({"a": "eA=="})));
        assert!(source_content != with("data", json!({"a": "eA==", "b": "eA=="})));
        let empty = content(json!({"metadata": {}, "type": "Opaque"}));
        assert!(empty == with("data", Value::Null));
        assert!(source_content != with("data", json!({"a": "eA==", "b": "eQ==", "c": ""})));
    }
}
