//! A secret whose keys are about to change: the facts needed beforehand, and the change.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::call::Call;
use super::place::Place;
use super::{Cluster, Failure, Write};
use crate::metadata::{self, Metadata, Owner};
use crate::propagation::Encoded;
use crate::secret::SecretValue;

/// A secret without its values. They cross the wire, because no other form of the object has the keys, and
/// are skipped while the answer is read.
#[derive(Deserialize)]
#[serde(from = "Answer<IgnoredAny>")]
pub(crate) struct SecretHead {
    pub(crate) metadata: Metadata,
    pub(crate) immutable: bool,
    /// `kubectl apply` left a copy of the secret in an annotation.
    pub(crate) was_applied: bool,
    keys: BTreeSet<String>,
}

/// A secret with its values, and the version they were read in.
#[derive(Deserialize)]
#[serde(from = "Answer<Encoded>")]
pub(crate) struct SecretWithValues {
    pub(crate) outside: SecretHead,
    pub(crate) values: BTreeMap<String, SecretValue>,
}

#[derive(Deserialize)]
struct Answer<V> {
    metadata: AnswerMetadata,
    #[serde(default)]
    immutable: bool,
    data: Option<BTreeMap<String, V>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnswerMetadata {
    name: String,
    namespace: String,
    uid: String,
    resource_version: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: Annotations,
    #[serde(default)]
    owner_references: Vec<Owner>,
    deletion_timestamp: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
struct Annotations {
    #[serde(rename = "kubectl-runai-secret/copy-of")]
    copy_of: Option<String>,
    #[serde(rename = "kubectl.kubernetes.io/last-applied-configuration")]
    last_applied: Option<IgnoredAny>,
}

impl From<Answer<Encoded>> for SecretWithValues {
    fn from(answer: Answer<Encoded>) -> Self {
        let data = answer.data.iter().flatten();
        let values = data.map(|(key, value)| (key.clone(), value.decode())).collect();
        Self { outside: answer.into(), values }
    }
}

impl<V> From<Answer<V>> for SecretHead {
    fn from(Answer { metadata, immutable, data }: Answer<V>) -> Self {
        let AnswerMetadata { name, namespace, uid, resource_version, .. } = metadata;
        let AnswerMetadata { labels, annotations, owner_references, deletion_timestamp: terminating, .. } =
            metadata;
        let was_applied = annotations.last_applied.is_some();
        let annotations = metadata::Annotations { copy_of: annotations.copy_of, ..Default::default() };
        let created = String::new();
        let metadata = Metadata {
            name,
            namespace,
            labels,
            annotations,
            uid,
            resource_version,
            owner_references,
            created,
            terminating,
        };
        Self {
            metadata,
            immutable,
            was_applied,
            keys: data.into_iter().flatten().map(|(key, _)| key).collect(),
        }
    }
}

impl SecretHead {
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }

    pub(crate) fn has_key(&self, key: &str) -> bool {
        self.keys.contains(key)
    }
}

impl Cluster {
    pub(crate) async fn secret_outside(&self, namespace: &str, name: &str) -> Result<SecretHead, Failure> {
        self.object(&Call::get(Place::secret(namespace, name))).await
    }

    pub(crate) async fn secret_inside(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<SecretWithValues, Failure> {
        self.object(&Call::get(Place::secret(namespace, name))).await
    }

    /// Merges a patch into a secret that still has the version in the patch's metadata. Returns the secret
    /// without its values.
    ///
    /// # Errors
    /// A conflict if it was changed since.
    pub(crate) async fn change_secret(
        &self,
        namespace: &str,
        name: &str,
        change: Bytes,
        write: Write<'_>,
    ) -> Result<Value, Failure> {
        self.object(&Call::merge_patch(Place::secret(namespace, name), change, write).metadata_only()).await
    }
}
