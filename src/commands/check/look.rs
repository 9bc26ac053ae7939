//! The result of a check: what it found, and what it could not check.

use serde::Serialize;

use crate::cluster::Unseen;
use crate::findings::{Finding, Horizon, View};

/// The objects of a kind that is not known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Unchecked {
    pub(super) group: String,
    pub(super) kind: String,
    pub(super) count: usize,
}

/// The objects that were checked, what is wrong with them, and what could not be checked.
pub(super) struct Look {
    pub(super) view: View,
    pub(super) findings: Vec<Finding>,
    pub(super) unseen: Vec<Unseen>,
    pub(super) unchecked: Vec<Unchecked>,
}

impl Look {
    pub(super) fn of_cluster((view, unseen): (View, Vec<Unseen>), horizon: Horizon) -> Self {
        Self { findings: view.findings(horizon), view, unseen, unchecked: Vec::new() }
    }

    /// Returns true if there was something to check, and none of it could be.
    pub(super) fn is_in_vain(&self) -> bool {
        let View { consumers, secrets, made, .. } = &self.view;
        !self.unchecked.is_empty() && consumers.is_empty() && secrets.is_empty() && made.is_empty()
    }
}
