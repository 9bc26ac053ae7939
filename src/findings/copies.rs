//! Copies of shared secrets that are missing, outdated, or in conflict.

use super::{Code, Finding, Severity};
use crate::command_line::CommandLine;
use crate::propagation::{Row, State};

/// Returns the finding about one namespace's copy of the secret `name` that the namespace `source` shares.
pub(crate) fn of_copy(name: &str, source: &str, row: &Row) -> Option<Finding> {
    let sync = CommandLine::plugin("sync").arg(name);
    let (code, message, remedy) = match row.state {
        State::Pending => (
            Code::CopyMissing,
            format!("is shared from {source}, but has no copy here"),
            format!("Run:ai copies within about a minute; if it does not: {sync}"),
        ),
        State::Stale if row.is_perhaps_a_copy() => (
            Code::CopyStale,
            format!(
                "differs from the one in {source}, and only Run:ai's label or owner says that it is a copy"
            ),
            format!(
                "Run:ai updates its copies within about a minute; if it does not, this may be the project's own secret, and this overwrites \
                 it: {}",
                sync.then("--adopt")
            ),
        ),
        State::Stale => (
            Code::CopyStale,
            format!("is a copy that differs from the one in {source}"),
            format!("Run:ai copies within about a minute; if it does not: {sync}"),
        ),
        State::Conflict => (
            Code::CopyForeign,
            format!("was made by somebody else, and blocks the copy of the one shared from {source}"),
            format!("give one of the two another name, or take it over: {}", sync.then("--adopt")),
        ),
        State::Orphan => (
            Code::CopyOrphan,
            format!("is a copy of a secret that {source} does not share any more"),
            format!("Run:ai removes its own copies; for those made by sync: {}", sync.then("--prune")),
        ),
        State::Copied
        | State::Same
        | State::Foreign
        | State::Terminating
        | State::Unverified
        | State::Forbidden
        | State::Unknown
        | State::Absent => return None,
    };
    let (namespace, object) = (row.namespace.clone(), format!("secret/{name}"));
    Some(Finding { severity: Severity::Warning, code, namespace, object, message, remedy })
}
