//! What `label` and `create --cluster-wide` look at and ask before they share a secret with every project.

use super::Session;
use crate::cluster::Failure;
use crate::error::Result;
use crate::metadata::Metadata;
use crate::project::Project;
use crate::propagation::{self, Neighbours};
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
