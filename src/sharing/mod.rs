//! What sharing a secret means to those who change one: what is looked at and asked before it is shared, that its copies
//! follow it, and that a copy is not changed itself.

pub(crate) mod report;
pub(crate) mod survey;
pub(crate) mod wait;

use std::cell::RefCell;

use crate::cluster::{Cluster, Failure};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::WriteArgs;
use crate::metadata::Metadata;
use crate::project::Project;
use crate::propagation::{self, Existing, Origin, Scope};
use crate::secret;
use crate::session::Session;
use crate::wording::plural;

/// None for what the user may not see.
pub(crate) fn unless_forbidden<T>(found: Result<T, Failure>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(failure) if failure.is_forbidden() => Ok(None),
        Err(failure) => Err(failure.into()),
    }
}

/// Says what sharing goes on without.
pub(crate) fn note_unseen(
    projects: Option<&[Project]>,
    namesakes: Option<&[Metadata]>,
    session: &Session<'_>,
) {
    if projects.is_none() {
        session.ui.note("you may not list namespaces, so the projects are not known");
    }
    if namesakes.is_none() {
        session.ui.note("you may not list all secrets: the name may be taken in a project");
    }
}

/// Sharing is what the command is for, so it asks only where something is in the way. `before` is with whom it was shared.
pub(crate) async fn agree(
    name: &str,
    namespace: &str,
    before: &Scope,
    projects: &[Project],
    namesakes: &[Metadata],
    session: &Session<'_>,
) -> Result<()> {
    let found = Existing::of(projects, namesakes, &propagation::identity(namespace, name));
    let mut taken = found.taken;
    // Of what was not shared nobody has a copy yet, whatever label a secret of a project has.
    if *before == Scope::Nobody {
        taken.extend(found.runais);
    }
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
pub(crate) fn scope(metadata: &Metadata, session: &Session<'_>) -> Scope {
    if metadata.namespace == session.globals.place.runai_namespace {
        Scope::of(&metadata.labels)
    } else {
        Scope::Nobody
    }
}

/// How the copies of a secret follow it.
pub(crate) fn how_copies_follow(name: &str, session: &Session<'_>) -> String {
    how_it_follows(CommandLine::plugin("sync").arg(name), session)
}

fn how_it_follows(sync: CommandLine, session: &Session<'_>) -> String {
    let sync = session.here(sync);
    format!("Run:ai copies it within about a minute; on a cluster without its controller: {sync}")
}

/// Says of a secret that was changed that its copies follow, where it has any.
pub(crate) fn tell_of_copies(name: &str, scope: &Scope, session: &Session<'_>) {
    let (with, sync) = match scope {
        Scope::Nobody => return,
        Scope::EveryProject => ("every project".to_owned(), how_copies_follow(name, session)),
        Scope::Department(id) => {
            let sync = CommandLine::plugin("sync").arg(name).then("--to-project PROJECT");
            (format!("department {id}"), how_it_follows(sync, session))
        }
    };
    session.ui.note(&format!("{name} is shared with {with}, and its copies follow: {sync}"));
    let usage = CommandLine::plugin("usage").arg(name).then("-A");
    session.ui.note(&format!("to see the workloads that use it there, and may need a restart: {usage}"));
}

/// What a secret of a project is to the shared ones.
pub(crate) enum Standing {
    /// Nothing says that it is a copy.
    Own,
    /// `sync` made it, and makes it equal to its source again.
    Copy(Origin),
    /// A label or an owner of Run:ai says that it is a copy, and there is a secret of which it can be one.
    PerhapsACopy(Origin),
    /// It seems to be a copy, and nothing is there that it would be made equal to.
    Left(Origin),
}

/// Finds out whether somebody makes a secret equal to its source again; one read, and only where something says so.
pub(crate) async fn standing(
    metadata: &Metadata,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<Standing> {
    let runai = &session.globals.place.runai_namespace;
    let Some(origin) = propagation::origin(metadata, runai) else { return Ok(Standing::Own) };
    let is_marked = origin.evidence.is_proof();
    let is_there = match origin.identity.split_once('/') {
        // An annotation can hold anything.
        Some((namespace, name)) if is_name(namespace, name) => {
            match cluster.secret_metadata(namespace, name).await {
                // Run:ai copies what is shared; sync brings up to date what it made as soon as it is shared again.
                Ok(source) => is_marked || Scope::of(&source.labels) != Scope::Nobody,
                Err(failure) if failure.is_not_found() => false,
                Err(failure) if failure.is_forbidden() => true,
                Err(failure) => return Err(failure.into()),
            }
        }
        _ => false,
    };
    Ok(match (is_there, is_marked) {
        (false, _) => Standing::Left(origin),
        (true, true) => Standing::Copy(origin),
        (true, false) => Standing::PerhapsACopy(origin),
    })
}

fn is_name(namespace: &str, name: &str) -> bool {
    secret::check_namespace(namespace).is_ok() && secret::check_secret_name(name).is_ok()
}

/// Says why a secret is taken for the project's own.
pub(crate) fn note_left(origin: &Origin, metadata: &Metadata, session: &Session<'_>) {
    let Metadata { name, namespace, .. } = metadata;
    let Origin { identity, evidence } = origin;
    session.ui.note(&if evidence.is_proof() {
        format!(
            "secret {name} in {namespace} was a copy that sync made, and its source is gone: it is the project's own now, \
             unless somebody runs sync --prune"
        )
    } else {
        format!(
            "secret {name} in {namespace} is marked as Run:ai's copy ({evidence}), but {identity} is missing or not \
             shared: it is treated as the project's own"
        )
    });
}

/// What becomes of a change of what may be a copy.
pub(crate) fn perhaps_undone(origin: &Origin, metadata: &Metadata) -> String {
    let Metadata { name, namespace, .. } = metadata;
    let Origin { identity, evidence } = origin;
    format!(
        "secret {name} in {namespace} may be Run:ai's copy of {identity} ({evidence}): if it is, Run:ai undoes the change"
    )
}

/// Whether what may be a copy may be changed. It is asked once for a secret.
#[derive(Default)]
pub(crate) struct CopyCheck {
    /// The UID of the one that was agreed to.
    agreed: RefCell<String>,
}

impl CopyCheck {
    /// # Errors
    /// It is a copy that `sync` keeps; or it may be one of Run:ai's, and that is not agreed to. `command` is what changes
    /// the source.
    pub(crate) async fn agree(
        &self,
        metadata: &Metadata,
        command: &'static str,
        write: &WriteArgs,
        cluster: &Cluster,
        session: &Session<'_>,
    ) -> Result<()> {
        if *self.agreed.borrow() == metadata.uid {
            return Ok(());
        }
        let Metadata { name, namespace, .. } = metadata;
        let at_the_source = |origin: &Origin| {
            let (place, source) = origin.identity.split_once('/').unwrap_or((&origin.identity, name));
            let change = CommandLine::plugin(command).arg(source).then("…").namespace(place);
            format!("change the source: {change}")
        };
        match standing(metadata, cluster, session).await? {
            Standing::Own => {}
            Standing::Left(origin) => note_left(&origin, metadata, session),
            Standing::Copy(origin) => {
                return Err(Error::failed(format!(
                    "secret {name} in {namespace} is a copy of {}, which would undo the change",
                    origin.identity
                ))
                .hint(at_the_source(&origin)));
            }
            Standing::PerhapsACopy(origin) => {
                let effects = [perhaps_undone(&origin, metadata)];
                let question = format!("Change {name} in {namespace} anyway?");
                let agreed = session.confirm_effects(write, &effects, &question).await;
                agreed.map_err(|error| error.hint(at_the_source(&origin)))?;
            }
        }
        self.agreed.borrow_mut().clone_from(&metadata.uid);
        Ok(())
    }
}
