//! Prints and asks what `label` must before it writes.

use std::collections::BTreeSet;

use super::args::LabelArgs;
use super::view::View;
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::DryRun;
use crate::metadata::Metadata;
use crate::project::Project;
use crate::propagation::{self, Existing, Scope};
use crate::secret::CREDENTIAL_LABEL;
use crate::session::Session;
use crate::sharing;
use crate::uses::who_needs::Consumers;
use crate::wording::list;

/// Refuses `--wait` before anything is written if the user may not list namespaces: there would be nothing to
/// wait for.
pub(super) fn check_wait(args: &LabelArgs, view: &View) -> Result<()> {
    if args.wait.is_none() || view.surroundings.projects.is_some() {
        return Ok(());
    }
    Err(Error::failed("--wait looks at every project, but you may not list namespaces")
        .hint("leave it out; nothing was changed"))
}

/// Notes and warns of effects that may surprise.
pub(super) fn warn(view: &View, args: &LabelArgs, session: &Session<'_>) {
    let View { source, surroundings } = view;
    sharing::warn_of_owner(source, "undo the change", session);
    if args.remove {
        return;
    }
    if source.name.contains('.') {
        session.ui.warning(&format!(
            "{}: a name with a dot works in Kubernetes, but Run:ai's UI and API do not accept it",
            source.name
        ));
    }
    if args.credential.is_none() && !source.labels.contains_key(CREDENTIAL_LABEL) {
        session.ui.note(&format!(
            "{} has no label {CREDENTIAL_LABEL}: Run:ai's UI does not offer it as a credential; --credential=KIND adds it",
            source.name
        ));
    }
    for project in &surroundings.going {
        session.ui.note(&format!("project {} gets no copy: its namespace is being deleted", project.name));
    }
}

pub(super) async fn agree(args: &LabelArgs, session: &Session<'_>, view: &View) -> Result<()> {
    let around = &view.surroundings;
    sharing::note_unseen(around.projects.as_deref(), around.namesakes.as_deref(), session);
    // Only Run:ai knows the projects of a department.
    if args.write.dry_run != DryRun::None || args.department.is_some() {
        return Ok(());
    }
    let Ok((projects, namesakes)) = around.seen() else { return Ok(()) };
    let Metadata { name, namespace, labels, .. } = &view.source;
    sharing::agree(name, namespace, &Scope::of(labels), projects, namesakes, session).await
}

/// Tells what happens to the copies and which workloads need them, and asks for confirmation.
///
/// # Errors
/// A workload needs its copy and `--force` is missing; or the answer is no.
pub(super) async fn agree_to_remove(
    args: &LabelArgs,
    consumers: &mut Consumers<'_>,
    session: &Session<'_>,
    view: &View,
) -> Result<()> {
    let name = &view.source.name;
    let mut left = view.source.labels.clone();
    left.retain(|label, _| {
        !propagation::unmarking(&view.source.labels, args.key).contains_key(label.as_str())
    });
    if Scope::of(&left) != Scope::Nobody {
        let stays = "another label still shares it: if Run:ai knows that label, it keeps the copies";
        let question = format!("Remove this label from {name}?");
        return session.confirm_effects(&args.write, &[stays.to_owned()], &question).await;
    }
    let effects = removal(view);
    consumers.tell(name, &effects, losing(view)).await?;
    session.confirm_effects(&args.write, &[], &format!("Stop sharing {name}?")).await
}

/// Returns a test for namespaces that lose their copy, as far as that can be seen. The source stays, and so
/// do the copies that `sync` made.
fn losing(view: &View) -> impl Fn(&str) -> bool {
    let Metadata { name, namespace, .. } = &view.source;
    let copies: Option<BTreeSet<String>> = view.surroundings.seen().ok().map(|(projects, namesakes)| {
        let found = Existing::of(projects, namesakes, &propagation::identity(namespace, name));
        found.runais.iter().map(|project| project.namespace.clone()).collect()
    });
    let runai = namespace.clone();
    move |namespace| copies.as_ref().map_or(namespace != runai, |copies| copies.contains(namespace))
}

/// Lists what happens to the copies when the secret is no longer shared.
fn removal(view: &View) -> Vec<String> {
    let name = &view.source.name;
    let mut effects = Vec::new();
    let consequence = format!("jobs there that use {name} won't start again");
    match view.surroundings.seen() {
        Err(unseen) => effects.push(format!(
            "you may not list {unseen}: the projects that lose their copy can't be named; {consequence}"
        )),
        Ok((projects, namesakes)) => {
            let identity = propagation::identity(&view.source.namespace, name);
            let found = Existing::of(projects, namesakes, &identity);
            let names = |projects: &[&Project]| list(projects.iter().map(|project| &project.name));
            if !found.runais.is_empty() {
                let runais = names(&found.runais);
                effects.push(format!("Run:ai removes its copies from {runais}; {consequence}"));
            }
            if !found.ours.is_empty() {
                let ours = names(&found.ours);
                effects.push(format!(
                    "the copies that sync made stay in {ours}; to remove them: {}",
                    CommandLine::plugin("sync").arg(name).then("--prune")
                ));
            }
            if found.runais.is_empty() && found.ours.is_empty() {
                effects.push("no project has a copy".to_owned());
            }
        }
    }
    effects.push(format!("the secret in {} stays", view.source.namespace));
    effects
}
