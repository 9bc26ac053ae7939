//! What `sync` is to do.

use crate::propagation::{Row, Scope, Source, Step};

/// A project and what is to be done there.
pub(super) struct Task {
    pub(super) row: Row,
    pub(super) step: Step,
}

/// One secret, and what is to be done for it.
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) scope: Scope,
    pub(super) tasks: Vec<Task>,
}
