//! Copies of shared secrets that did not arrive, or are not what they should be.

use super::{Code, Finding, Severity};
use crate::command_line::CommandLine;
use crate::propagation::{Row, State};

/// What is to be said of one namespace's copy of the secret `name` that is shared from the namespace `source`.
pub(crate) fn of_copy(name: &str, source: &str, row: &Row) -> Option<Finding> {
    let sync = CommandLine::plugin("sync").arg(name);
    let (code, message, remedy) = match row.state {
        State::Pending => (
            Code::CopyMissing,
            format!("is shared from {source}, and has no copy here"),
            format!("Run:ai copies within about a minute; else: {sync}"),
        ),
        State::Stale if row.is_perhaps_a_copy() => (
            Code::CopyStale,
            format!("is a copy by Run:ai's label or owner alone, and not equal to the one in {source}"),
            format!(
                "Run:ai renews its copies within about a minute; else it may be the project's own, and this overwrites \
                 it: {}",
                sync.then("--adopt")
            ),
        ),
        State::Stale => (
            Code::CopyStale,
            format!("is a copy, and not equal to the one in {source}"),
            format!("Run:ai copies within about a minute; else: {sync}"),
        ),
        State::Conflict => (
            Code::CopyForeign,
            format!("was made by somebody else, and is in the way of the one shared from {source}"),
            format!("give one of the two another name, or take it over: {}", sync.then("--adopt")),
        ),
        State::Orphan => (
            Code::CopyOrphan,
            format!("is a copy of what {source} does not share any more"),
            format!("Run:ai removes its own; those made by sync: {}", sync.then("--prune")),
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
