//! What tells one object from another, without its content: the API's `metadata`, of any kind of object.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// The annotation that kubectl apply leaves behind: a copy of the whole object, of a secret's values too.
pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

#[derive(Clone, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: Annotations,
    pub(crate) uid: String,
    pub(crate) resource_version: String,
    pub(crate) owner_references: Vec<Owner>,
    /// Such as `2026-01-31T12:00:00Z`.
    #[serde(rename = "creationTimestamp")]
    pub(crate) created: String,
    #[serde(rename = "deletionTimestamp")]
    pub(crate) terminating: Option<IgnoredAny>,
}

/// The annotations that are asked for. Others can be of any length, values of secrets among them.
#[derive(Clone, Deserialize, Default)]
#[serde(default)]
pub(crate) struct Annotations {
    #[serde(rename = "kubectl-runai-secret/copy-of")]
    pub(crate) copy_of: Option<String>,
    #[serde(rename = "kubectl-runai-secret/deleting")]
    pub(crate) deleting: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Owner {
    pub(crate) api_version: String,
    pub(crate) kind: String,
}
