//! What sharing a secret means to those who change one: what is looked at and asked before it is shared, that its copies
//! follow it, and that a copy is not changed itself.

use super::Session;
use crate::cluster::Failure;
use crate::error::{Error, Result};
use crate::metadata::Metadata;
use crate::project::Project;
use crate::propagation::{self, Neighbours, Scope};
use crate::wording::plural;

/// None for what the user may not see.
pub(super) fn unless_forbidden<T>(found: Result<T, Failure>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(failure) if failure.is_forbidden() => Ok(None),
        Err(failure) => Err(failure.into()),
    }
}

/// Says what sharing goes on without.
pub(super) fn note_unseen(
    projects: Option<&[Project]>,
    namesakes: Option<&[Metadata]>,
    session: &Session<'_>,
) {
    if projects.is_none() {
        session.ui.note("you may not list namespaces: which projects there are is not known");
    }
    if namesakes.is_none() {
        session.ui.note("you may not list all secrets: whether the name is taken in a project is not known");
    }
}

/// Sharing is what the command is for, so it asks only where something is in the way.
pub(super) async fn agree(
    name: &str,
    namespace: &str,
    projects: &[Project],
    namesakes: &[Metadata],
    session: &Session<'_>,
) -> Result<()> {
    let taken = Neighbours::of(projects, namesakes, &propagation::identity(namespace, name)).taken;
    if taken.is_empty() {
        return Ok(());
    }
    for project in &taken {
        session.ui.effect(&format!(
            "project {} has a secret {name} of its own (namespace {}): whether Run:ai overwrites it is not documented",
            project.name, project.namespace
        ));
    }
    let question = format!("Share {name} although the name is taken in {}?", plural(taken.len(), "project"));
    session.ui.confirm(&question).await
}

/// With whom a secret is shared; nobody where it is not in Run:ai's namespace.
pub(super) fn scope(metadata: &Metadata, session: &Session<'_>) -> Scope {
    if metadata.namespace == session.globals.place.runai_namespace {
        Scope::of(&metadata.labels)
    } else {
        Scope::Nobody
    }
}

/// How the copies of a secret follow it.
pub(super) fn how_copies_follow(name: &str, session: &Session<'_>) -> String {
    let sync = session.command(&format!("sync {name}"));
    format!("Run:ai copies within about a minute; where no controller of it does: {sync}")
}

/// Says of a secret that was changed that its copies follow, where it has any.
pub(super) fn tell_of_copies(name: &str, scope: &Scope, session: &Session<'_>) {
    let (with, sync) = match scope {
        Scope::Nobody => return,
        Scope::EveryProject => ("every project".to_owned(), how_copies_follow(name, session)),
        Scope::Department(id) => {
            (format!("department {id}"), how_copies_follow(&format!("{name} --to-project PROJECT"), session))
        }
    };
    session.ui.note(&format!("{name} is shared with {with}, and its copies follow: {sync}"));
    session.ui.note(&format!(
        "who uses it there, and may have to start again: kubectl runai-secret usage {name} -A"
    ));
}

/// # Errors
/// It is a copy, which whoever keeps it makes equal to its source again. `command` is what changes the source.
pub(super) fn refuse_copy(metadata: &Metadata, command: &str, session: &Session<'_>) -> Result<()> {
    let Some(source) = propagation::origin(metadata, &session.globals.place.runai_namespace) else {
        return Ok(());
    };
    let Metadata { name, namespace, .. } = metadata;
    let (place, source_name) = source.split_once('/').unwrap_or((&source, name));
    Err(Error::failed(format!(
        "secret {name} in {namespace} is a copy of {source}, and would become equal to it again"
    ))
    .hint(format!("change the source: kubectl runai-secret {command} {source_name} … -n {place}")))
}
