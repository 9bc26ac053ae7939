//! Describes what `sync` has to do.

use crate::propagation::{Row, Scope, Source, State, Step};
use crate::secret::{Difference, Fate};
use crate::sharing;

/// A project and its step.
pub(super) struct Task {
    pub(super) row: Row,
    pub(super) step: Step,
}

impl Task {
    /// Returns what the step does to the keys that the secret holds or gets; none if it replaces no content.
    pub(super) fn difference(&self) -> Option<&Difference> {
        let replaces =
            matches!(self.step, Step::Update | Step::Recreate | Step::Adopt | Step::AdoptByRecreate);
        self.row.held.as_ref().filter(|_| replaces).map(|held| &held.difference)
    }

    /// Returns the keys that the secret holds and the step takes from it.
    pub(super) fn lost_keys(&self) -> Vec<String> {
        self.difference().map(|difference| difference.keys(Fate::Gone)).unwrap_or_default()
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
