//! Describes what `sync` has to do.

use crate::propagation::{Row, Scope, Source, State, Step};
use crate::sharing;

/// A project and its step.
pub(super) struct Task {
    pub(super) row: Row,
    pub(super) step: Step,
}

impl Task {
    /// Returns the keys that the secret holds and the step takes from it.
    pub(super) fn lost_keys(&self) -> &[String] {
        let replaces =
            matches!(self.step, Step::Update | Step::Recreate | Step::Adopt | Step::AdoptByRecreate);
        self.row.held.as_ref().filter(|_| replaces).map(|held| held.surplus.as_slice()).unwrap_or_default()
    }

    /// Says what the step deletes, replaces or takes over; none if nobody must confirm it.
    pub(super) fn risk(&self, name: &str) -> Option<String> {
        let Self { row, step } = self;
        let risk = match row.state {
            _ if step.risk().is_none() => return None,
            State::Same => "was made by somebody else: it becomes a copy; its content is the same",
            State::Stale if row.is_perhaps_a_copy() => {
                "has other content, and only Run:ai's label or owner says that it is a copy: its content is lost"
            }
            _ => step.risk()?,
        };
        let (title, namespace) = (sharing::survey::title(row), &row.namespace);
        Some(format!("{title}: secret {name} in namespace {namespace} {risk}"))
    }
}

/// One secret and its tasks.
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) scope: Scope,
    pub(super) tasks: Vec<Task>,
}
