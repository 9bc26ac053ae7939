//! The record of our writes of a secret, as its annotation has it. `history` says what it is for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The annotation with the record of our writes.
pub(crate) const CHANGED: &str = "kubectl-runai-secret/changed";

/// The most bytes of the record. The oldest times are put together where it would be longer.
pub(crate) const LONGEST: usize = 16 << 10;

/// The content of the annotation.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The secret, as `namespace/name`.
    pub(crate) of: String,
    /// The keys of the last write: they changed when the annotation was written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) last: Vec<String>,
    /// Other keys, by their time.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) at: BTreeMap<String, Vec<String>>,
    /// The time of all keys that are not named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rest: Option<String>,
}

impl Record {
    /// Reads the annotation; none if it is anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        (text.len() <= LONGEST).then(|| serde_json::from_str(text).ok()).flatten()
    }
}
