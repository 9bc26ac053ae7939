//! Handles what sharing means for commands that change a secret: checks and questions before it is shared, a
//! note that its copies follow, and a refusal to change a copy.

pub(crate) mod report;
pub(crate) mod survey;
pub(crate) mod wait;

use std::cell::RefCell;

use crate::cluster::{Cluster, Failure};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::WriteArgs;
use crate::metadata::{Metadata, Owner};
use crate::project::Project;
use crate::propagation::{self, Evidence, Existing, Origin, Scope};
use crate::secret;
use crate::session::Session;
use crate::wording::plural;

/// Turns a list that the user may not have into none.
pub(crate) fn unless_forbidden<T>(found: Result<T, Failure>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(failure) if failure.is_forbidden() => Ok(None),
        Err(failure) => Err(failure.into()),
    }
}

/// Notes what could not be listed before a secret is shared.
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

/// Asks for confirmation to share a secret if its name is taken in a project; otherwise does not ask, since
/// the command is for sharing. `before` is the scope until now.
///
/// # Errors
/// The answer is no, or nobody can be asked.
pub(crate) async fn agree(
    name: &str,
    namespace: &str,
    before: &Scope,
    projects: &[Project],
    namesakes: &[Metadata],
    session: &Session<'_>,
) -> Result<()> {
    ask(name, &taken(name, namespace, before, projects, namesakes), session).await
}

/// Returns a line for each project in which the name is taken.
fn taken(
    name: &str,
    namespace: &str,
    before: &Scope,
    projects: &[Project],
    namesakes: &[Metadata],
) -> Vec<String> {
    let found = Existing::of(projects, namesakes, &propagation::identity(namespace, name));
    let mut taken = found.taken;
    // A secret that was not shared has no copies yet, whatever label another secret of its name has.
    if *before == Scope::Nobody {
        taken.extend(found.runais);
    }
    let line = |project: &&Project| {
        format!(
            "project {} has a secret {name} of its own (namespace {}): whether Run:ai overwrites it is not documented",
            project.name, project.namespace
        )
    };
    taken.iter().map(line).collect()
}

async fn ask(name: &str, taken: &[String], session: &Session<'_>) -> Result<()> {
    if taken.is_empty() {
        return Ok(());
    }
    for line in taken {
        session.ui.effect(line);
    }
    let question = format!("Share {name} although the name is taken in {}?", plural(taken.len(), "project"));
    session.ui.confirm(&question).await
}

/// Looks at all projects, and asks as [`agree`] does, before a secret of this name is shared from `namespace`.
///
/// # Errors
/// The answer is no, or nobody can be asked; a list failed for another reason than a missing right.
pub(crate) async fn look_and_agree(
    name: &str,
    namespace: &str,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<()> {
    ask(name, &look(name, namespace, cluster, session).await?, session).await
}

/// Looks at all projects, and returns a line for each in which the name is taken.
///
/// # Errors
/// A list failed for another reason than a missing right.
pub(crate) async fn look(
    name: &str,
    namespace: &str,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<Vec<String>> {
    let (named, projects) = tokio::join!(cluster.secrets_named(name), cluster.projects());
    let (named, projects) = (unless_forbidden(named)?, unless_forbidden(projects)?);
    note_unseen(projects.as_deref(), named.as_deref(), session);
    let (Some(mut named), Some(mut projects)) = (named, projects) else { return Ok(Vec::new()) };
    let before = named.iter().find(|secret| secret.namespace == namespace);
    let before = before.map_or(Scope::Nobody, |secret| Scope::of(&secret.labels));
    named.retain(|secret| secret.namespace != namespace);
    projects.retain(|project| !project.terminating);
    Ok(taken(name, namespace, &before, &projects, &named))
}

/// Returns with whom a secret is shared; nobody if it is not in Run:ai's namespace.
pub(crate) fn scope(metadata: &Metadata, session: &Session<'_>) -> Scope {
    if metadata.namespace == session.globals.place.runai_namespace {
        Scope::of(&metadata.labels)
    } else {
        Scope::Nobody
    }
}

/// Returns the sentence that says how the copies follow their source.
pub(crate) fn how_copies_follow(name: &str) -> String {
    how_it_follows(&CommandLine::plugin("sync").arg(name))
}

fn how_it_follows(sync: &CommandLine) -> String {
    format!("Run:ai copies it within about a minute; on a cluster without its controller: {sync}")
}

/// Notes that the copies of a changed secret follow, if it has any.
pub(crate) fn tell_of_copies(name: &str, scope: &Scope, session: &Session<'_>) {
    let (with, sync) = match scope {
        Scope::Nobody => return,
        Scope::EveryProject => ("every project".to_owned(), how_copies_follow(name)),
        Scope::Department(id) => {
            let sync = CommandLine::plugin("sync").arg(name).then("--to-project PROJECT");
            (format!("department {id}"), how_it_follows(&sync))
        }
    };
    session.ui.note(&format!("{name} is shared with {with}, and its copies follow: {sync}"));
    let usage = CommandLine::plugin("usage").arg(name).then("-A");
    session.ui.note(&format!("to see the workloads that use it there, and may need a restart: {usage}"));
}

/// The relation of a project's secret to the shared ones.
pub(crate) enum Standing {
    /// It has no sign of being a copy.
    Own,
    /// `sync` made it, and makes it equal to its source again.
    Copy(Origin),
    /// A label or an owner of Run:ai says that it is a copy, and the secret that it would be a copy of
    /// exists.
    PerhapsACopy(Origin),
    /// It has signs of being a copy, but the secret that it would be a copy of does not exist.
    Left(Origin),
    /// A label shares it, it is the copy of nothing, and its namespace is not known to be a project's: Run:ai may be
    /// installed there.
    PerhapsASource,
}

/// Finds out whether somebody would make a secret equal to its source again, or others equal to it. Takes one read, and
/// only if something says that it is a copy; another one if it is the copy of nothing.
///
/// # Errors
/// The source or the namespace can't be read for another reason than a missing right.
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
                // Run:ai copies only what is shared. `sync` updates what it made as soon as the source is
                // shared again.
                Ok(source) => is_marked || Scope::of(&source.labels) != Scope::Nobody,
                Err(failure) if failure.is_not_found() => false,
                Err(failure) if failure.is_forbidden() => true,
                Err(failure) => return Err(failure.into()),
            }
        }
        _ => false,
    };
    if !is_there && matches!(origin.evidence, Evidence::Label(_)) {
        let of_a_project = unless_forbidden(cluster.is_of_a_project(&metadata.namespace).await)?;
        if of_a_project != Some(true) {
            return Ok(Standing::PerhapsASource);
        }
    }
    Ok(match (is_there, is_marked) {
        (false, _) => Standing::Left(origin),
        (true, true) => Standing::Copy(origin),
        (true, false) => Standing::PerhapsACopy(origin),
    })
}

fn is_name(namespace: &str, name: &str) -> bool {
    secret::check_namespace(namespace).is_ok() && secret::check_secret_name(name).is_ok()
}

/// Builds the refusal to delete a shared secret without its copies, wherever it is shared from.
pub(crate) fn goes_with_its_copies(source: &Metadata) -> Error {
    let Metadata { name, namespace, .. } = source;
    let delete = CommandLine::plugin("delete").arg(name).then("--cluster-wide").runai_namespace(namespace);
    Error::failed(format!("secret {name:?} in namespace {namespace:?} is shared with projects"))
        .hint(format!("to delete it and its copies: {delete}"))
}

/// Builds the refusal to change or delete alone what may be the source of copies in all projects. `same` does what was
/// asked for as soon as it knows Run:ai's namespace.
pub(crate) fn perhaps_a_source(metadata: &Metadata, same: CommandLine) -> Error {
    let Metadata { name, namespace, labels, .. } = metadata;
    let marks = labels.keys().filter(|label| propagation::is_mark(label)).map(|label| format!("{label}-"));
    let unlabel = CommandLine::kubectl("label secret").arg(name).args(marks).namespace(namespace);
    Error::failed(format!(
        "secret {name} in {namespace} has a label that shares it, and {namespace} is not known as a project's namespace: \
         projects may have copies of it"
    ))
    .hint(format!("if Run:ai is installed in {namespace}: {}", same.runai_namespace(namespace)))
    .hint(format!("if it is not, the label does nothing, and goes by: {unlabel}"))
}

/// Notes why a secret is treated as the project's own.
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

/// Returns the sentence that a change of what may be a copy may be undone.
pub(crate) fn perhaps_undone(origin: &Origin, metadata: &Metadata) -> String {
    let Metadata { name, namespace, .. } = metadata;
    let Origin { identity, evidence } = origin;
    format!(
        "secret {name} in {namespace} may be Run:ai's copy of {identity} ({evidence}): if it is, Run:ai undoes the change"
    )
}

/// Asks, once for each secret, whether to change what may be a copy, and warns of an owner.
#[derive(Default)]
pub(crate) struct CopyCheck {
    /// The UID of the secret that was confirmed.
    agreed: RefCell<String>,
}

impl CopyCheck {
    /// # Errors
    /// The secret is a copy that `sync` keeps, or may be shared from here; or it may be a copy of Run:ai's and the
    /// answer is no.
    /// `command` is the one that changes the source, for the hint.
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
            Standing::PerhapsASource => {
                let same = CommandLine::plugin(command).arg(name).then("…").namespace(namespace);
                return Err(perhaps_a_source(metadata, same));
            }
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
        warn_of_owner(metadata, "undo the change", session);
        Ok(())
    }
}

/// Warns that a secret has an owner, such as an operator, which may undo what is done to it.
pub(crate) fn warn_of_owner(metadata: &Metadata, what: &str, session: &Session<'_>) {
    let owners = &metadata.owner_references;
    let Some(owner) = Owner::controlling(owners).or(owners.first()) else { return };
    let Owner { api_version, kind, name: owner, .. } = owner;
    session.ui.warning(&format!(
        "secret {} is owned by {kind} {owner} ({api_version}), which may {what}",
        metadata.name
    ));
}
