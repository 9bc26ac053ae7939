//! A row of `list`.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::propagation::Evidence;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) namespace: String,
    /// Null if there is none, or it is not known.
    pub(super) project: Option<String>,
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) secret_type: String,
    pub(super) keys: usize,
    /// Null without `--keys`.
    pub(super) key_names: Option<Vec<String>>,
    pub(super) created: String,
    /// Null if the server does not say.
    pub(super) changed: Option<String>,
    pub(super) changed_by: Option<String>,
    /// The first end that was noted; null if there is none.
    pub(super) expires: Option<String>,
    pub(super) shared: Option<Sharing>,
    pub(super) credential: Option<String>,
    pub(super) consumers: Count,
    #[serde(skip)]
    pub(super) evidence: Option<Evidence>,
}

/// How a secret takes part in sharing.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Sharing {
    ClusterWide,
    Department,
    Copy,
}

/// The number of a secret's consumers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    NotAsked,
    Exactly(usize),
    /// At least this many: not every kind may be listed there.
    AtLeast(usize),
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAsked => Ok(()),
            Self::Exactly(number) => write!(f, "{number}"),
            Self::AtLeast(0) => f.write_str("?"),
            Self::AtLeast(number) => write!(f, "{number}+"),
        }
    }
}

/// Serializes the number as far as it is known; null if it is unknown whether there are any.
impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::NotAsked | Self::AtLeast(0) => serializer.serialize_none(),
            Self::Exactly(number) | Self::AtLeast(number) => number.serialize(serializer),
        }
    }
}
