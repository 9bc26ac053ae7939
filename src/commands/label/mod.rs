//! `label`: marks a secret cluster-wide, so that Run:ai copies it to every project, or takes the mark off.

mod agree;
mod args;
mod origin;
mod view;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::agree::{agree, agree_to_remove, check_wait, warn};
pub(crate) use self::args::LabelArgs;
use self::origin::Copying;
use self::view::{Found, Surroundings, View, not_in_runai, projects_with, read};
use crate::change::retry::Tries;
use crate::cluster::{Cluster, Failure, Namespaces};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{DryRun, Head, Output, Report};
use crate::metadata::Metadata;
use crate::propagation::{self, DEPARTMENT_LABEL, Scope};
use crate::secret::{self, CREDENTIAL_LABEL};
use crate::session::Session;
use crate::session::batch::{Objects, Several, each_once};
use crate::sharing::report;
use crate::sharing::wait::{Among, Until};
use crate::ui::Proposal;
use crate::uses::who_needs::{Consumers, Deed, Force, Plan};
use crate::wording::plural;
use crate::{session, sharing, ui};

/// The result for one secret.
struct Labelled {
    verb: &'static str,
    object: Value,
    /// How many projects get a copy, if that is known.
    projects: Option<usize>,
}

pub(super) async fn run(args: &LabelArgs, session: &Session<'_>) -> Result<()> {
    let namespace = session.runai_namespace("label")?;
    args.check_names()?;
    if let Some(id) = &args.department {
        secret::check_label_value(id)?;
        if args.wait.is_some() {
            return Err(Error::usage("--wait and --department exclude each other: the cluster does not say which projects a department has")
                .hint(format!(
                    "leave it out, and look later: {}",
                    CommandLine::plugin("status NAME")
                )));
        }
    }
    let cluster = session.connect().await?;
    let names = each_once(&args.names);
    let mut several = Several::secrets(names.len(), session);
    let mut objects = Objects::asked(names.len(), &args.write, session);
    let mut done = Vec::new();
    let (force, dry_run) = (Force::given(args.force), args.write.dry_run);
    let plan = Plan { deed: Deed::Unshare, force, names: &names, dry_run };
    let mut consumers = Consumers::new(Namespaces::AllAtOnce, plan, &cluster, session);
    for name in &names {
        let outcome = one(name, namespace, args, &mut consumers, &cluster, session).await;
        if let Some(labelled) = several.one(name, outcome)? {
            objects.tell(&format!("secret/{name}"), labelled.verb, as_secret(&labelled.object))?;
            labelled.note_projects(args, session);
            done.push(name.as_str());
        }
    }
    objects.print()?;
    if let [name, ..] = done.as_slice() {
        let next = CommandLine::plugin("status").arg(name);
        session.propose(&args.write, &next);
    }
    let arrived = wait_for(&done, namespace, args, &cluster, session).await;
    several.verdict().and(arrived)
}

async fn one(
    name: &str,
    namespace: &str,
    args: &LabelArgs,
    consumers: &mut Consumers<'_>,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<Labelled> {
    let mut tries = Tries::default();
    loop {
        let view = match read(name, namespace, cluster).await? {
            Found::Source(_) if args.from_project.is_some() => {
                return Err(already_there(name, namespace));
            }
            Found::Source(view) => view,
            Found::Elsewhere(surroundings) => {
                session::not_found::refuse_no_runai_namespace(namespace, cluster).await?;
                let project =
                    project_to_copy_from(name, namespace, args, &surroundings, cluster, session).await?;
                return copied(name, namespace, &project, surroundings, args, cluster, session).await;
            }
        };
        let changes = args.changes(&view.source.labels)?;
        if changes.is_empty() {
            return Ok(nothing_to_do(args, session, &view));
        }
        if tries.is_first() {
            check_wait(args, &view)?;
            warn(&view, args, session);
            if args.remove {
                agree_to_remove(args, consumers, session, &view).await?;
            } else {
                agree(args, session, &view).await?;
            }
            let labels = changes.iter().map(|(key, value)| effect(key, *value));
            let effects: Vec<String> = labels.chain(args.reach(&view)).collect();
            session
                .confirm_if_guided(
                    &args.write,
                    &format!("Label {name} in {namespace}?"),
                    &effects,
                    Proposal::No,
                )
                .await?;
        }
        match write(args, cluster, &view, &changes).await {
            Ok(object) => return Ok(labelled(args, &view, object)),
            Err(failure) => tries.again(failure, Failure::is_conflict).await?,
        }
    }
}

fn effect(label: &str, value: Option<&str>) -> String {
    value.map_or_else(|| format!("without the label {label}"), |value| format!("the label {label}={value}"))
}

fn already_there(name: &str, namespace: &str) -> Error {
    Error::in_kubectls_words(format!(
        "Error from server (AlreadyExists): secrets \"{name}\" already exists in namespace \"{namespace}\""
    ))
    .hint(format!("to share that one: {}", CommandLine::plugin("label").arg(name)))
}

impl LabelArgs {
    /// Returns the labels to set.
    fn wanted(&self) -> BTreeMap<&str, &str> {
        let mut wanted = match &self.department {
            Some(id) => BTreeMap::from([(DEPARTMENT_LABEL, id.as_str())]),
            None => self.key.labels(),
        };
        wanted.extend(self.credential.map(|kind| (CREDENTIAL_LABEL, kind.label_value())));
        wanted
    }

    /// Returns the sentence about the projects that get a copy.
    fn reach(&self, view: &View) -> Option<String> {
        let projects =
            view.surroundings.projects.as_ref().filter(|_| !self.remove && self.department.is_none())?;
        Some(format!(
            "Run:ai copies it to all {}, whose members can read it",
            plural(projects.len(), "project")
        ))
    }

    fn changes(&self, labels: &BTreeMap<String, String>) -> Result<BTreeMap<&str, Option<&str>>> {
        if self.remove {
            return Ok(propagation::unmarking(labels, self.key));
        }
        if self.department.is_some() && propagation::Scope::of(labels) == Scope::EveryProject {
            return Err(Error::failed(
                "it is shared with every project, and --department would not narrow that",
            )
            .hint("stop that first with --remove: the projects then lose their copies"));
        }
        Ok(propagation::marking(labels, &self.wanted()))
    }
}

/// Returns the project that `--from-project` names, or the one that the user chooses.
async fn project_to_copy_from(
    name: &str,
    namespace: &str,
    args: &LabelArgs,
    surroundings: &Surroundings,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<String> {
    if let Some(project) = &args.from_project {
        return Ok(project.clone());
    }
    let error = not_in_runai(name, namespace, surroundings);
    let with = projects_with(surroundings);
    if with.is_empty() {
        return Err(session::not_found::with_nearest_secret(error, name, namespace, cluster).await);
    }
    if args.remove {
        return Err(error);
    }
    let mut ways: Vec<String> =
        with.iter().map(|project| format!("copy it from project {} to {namespace}", project.name)).collect();
    ways.push("stop here".to_owned());
    let ways: Vec<(&str, &str)> = ways.iter().map(|way| (way.as_str(), "")).collect();
    let question = format!("There is no secret {name} in {namespace}, where shared secrets live. What now?");
    match session.ui.choose(&question, &ways).await? {
        Some(chosen) if chosen < with.len() => Ok(with[chosen].name.clone()),
        _ => Err(error),
    }
}

/// Copies the secret from a project, with its labels.
async fn copied(
    name: &str,
    namespace: &str,
    project: &str,
    surroundings: Surroundings,
    args: &LabelArgs,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<Labelled> {
    let view = origin::view(name, namespace, surroundings);
    check_wait(args, &view)?;
    warn(&view, args, session);
    agree(args, session, &view).await?;
    let labels = args.wanted();
    let effects: Vec<String> = labels.iter().map(|(key, value)| effect(key, Some(value))).collect();
    let question = format!("Copy {name} of project {project} to {namespace}, and share it?");
    session.confirm_if_guided(&args.write, &question, &effects, Proposal::No).await?;
    let copying = Copying { name, project, to: namespace, labels: &labels, write: &args.write };
    let object = copying.run(cluster, session).await?;
    Ok(Labelled { verb: "created and labeled", ..labelled(args, &view, object) })
}

async fn write(
    args: &LabelArgs,
    cluster: &Cluster,
    view: &View,
    changes: &BTreeMap<&str, Option<&str>>,
) -> Result<Value, Failure> {
    if args.write.dry_run == DryRun::Client {
        return Ok(as_it_would_be(&view.source, changes));
    }
    cluster.patch_metadata(&view.source, json!({ "labels": changes }), args.write.write()).await
}

fn as_it_would_be(source: &Metadata, changes: &BTreeMap<&str, Option<&str>>) -> Value {
    let mut labels: BTreeMap<&str, &str> =
        source.labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    for (label, value) in changes {
        match value {
            Some(value) => labels.insert(label, value),
            None => labels.remove(label),
        };
    }
    metadata_object(source, &json!(labels))
}

fn metadata_object(source: &Metadata, labels: &Value) -> Value {
    json!({ "metadata": { "name": source.name, "namespace": source.namespace, "labels": labels } })
}

/// Returns the metadata as a Secret: the server answers with a kind that scripts don't know.
fn as_secret(metadata: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata["metadata"] })
}

fn nothing_to_do(args: &LabelArgs, session: &Session<'_>, view: &View) -> Labelled {
    let state = match (args.remove, &args.department) {
        (true, _) if Scope::of(&view.source.labels) != Scope::Nobody => {
            "shared by another label than this one"
        }
        (true, _) => "not shared",
        (false, None) => "shared with every project already",
        (false, Some(_)) => "shared with that department already",
    };
    session.ui.note(&format!("{} is {state}: nothing was written", view.source.name));
    let object = metadata_object(&view.source, &json!(view.source.labels));
    Labelled { verb: "unchanged", object, projects: None }
}

fn labelled(args: &LabelArgs, view: &View, object: Value) -> Labelled {
    let verb = if args.remove { "unlabeled" } else { "labeled" };
    if args.remove || args.write.dry_run != DryRun::None {
        return Labelled { verb, object, projects: None };
    }
    let all = view.surroundings.projects.as_ref().map(Vec::len).filter(|_| args.department.is_none());
    Labelled { verb, object, projects: all.filter(|count| *count > 0) }
}

impl Labelled {
    fn note_projects(&self, args: &LabelArgs, session: &Session<'_>) {
        if let Some(projects) = self.projects.filter(|_| args.wait.is_none()) {
            let projects = plural(projects, "project");
            session.ui.note(&format!("Run:ai copies it to {projects}, usually within a minute"));
        }
    }
}

/// Waits for the copies and reports how far they got.
///
/// # Errors
/// A copy is not as it should be when the time is over. The error names the first such secret.
async fn wait_for(
    done: &[&str],
    namespace: &str,
    args: &LabelArgs,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<()> {
    session.note_no_wait(&args.write, args.wait);
    let Some(limit) = args.wait.filter(|_| args.write.dry_run == DryRun::None) else { return Ok(()) };
    let until = if args.remove { Until::Gone } else { Until::Arrived };
    let mut outcome = Ok(());
    for name in done {
        let status = CommandLine::plugin("status").arg(name);
        let hints = vec![format!(
            "secret/{name} is changed, and Run:ai goes on with its copies; to see how far it got: {status}"
        )];
        let wait = sharing::wait::wait(until, name, namespace, Among::EveryProject, limit, cluster, session);
        let survey = ui::interrupt::watching(hints, wait).await?;
        if args.write.output == Output::Human && !session.ui.is_quiet() {
            report::show(&survey, &Report::Table, Head::Shown, session)?;
        }
        outcome = outcome.and(sharing::wait::proof(until, &survey));
    }
    outcome
}
