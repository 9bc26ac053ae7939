//! Describes what `sync` has to do.

use crate::propagation::{Row, Scope, Source, Step};

/// A project and its step.
pub(super) struct Task {
    pub(super) row: Row,
    pub(super) step: Step,
}

/// One secret and its tasks.
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) scope: Scope,
    pub(super) tasks: Vec<Task>,
}
