//! `label`: mark a secret cluster-wide, so that Run:ai copies it to every project, or take the mark off.

use std::collections::BTreeMap;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use serde_json::{Value, json};

use super::{Session, TRIES, sharing};
use crate::cli::{DryRun, WriteArgs};
use crate::cluster::{Cluster, Failure, Metadata};
use crate::error::{Error, Result};
use crate::project::Project;
use crate::propagation::{self, Key};
use crate::secret;
use crate::wording::{list, plural};

/// Share a secret with every project: mark it cluster-wide for Run:ai
///
/// The secret must be in the Run:ai namespace. Run:ai copies it to the namespace of every project, usually within a
/// minute. Nothing else of the secret is changed. Its values are not read: -o prints the secret without data.
/// --dry-run=client reads its labels and those of its copies, and writes nothing.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret label my-secret\n  \
    kubectl runai-secret label my-secret --remove")]
pub(crate) struct LabelArgs {
    /// The secret
    #[arg(value_name = "NAME")]
    name: String,

    /// Take the mark off; Run:ai then removes the copies
    #[arg(long)]
    remove: bool,

    /// Which label: Run:ai's documented one of old, its successor, or both
    #[arg(long, value_name = "WHICH", default_value = "both")]
    key: Key,

    #[command(flatten)]
    write: WriteArgs,
}

impl ValueEnum for Key {
    fn value_variants<'a>() -> &'a [Self] {
        &[Key::Legacy, Key::Current, Key::Both]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Key::Legacy => "legacy",
            Key::Current => "current",
            Key::Both => "both",
        }))
    }
}

/// What the cluster looks like around the secret, as far as the user may look.
struct View {
    source: Metadata,
    /// None where the user may not list namespaces.
    projects: Option<Vec<Project>>,
    /// Projects whose namespace is being deleted: they get no copy.
    going: Vec<Project>,
    /// Other secrets of that name; None where the user may not list secrets.
    namesakes: Option<Vec<Metadata>>,
}

impl View {
    /// The projects and the secret's namesakes.
    ///
    /// # Errors
    /// What the user may not list.
    fn around(&self) -> Result<(&[Project], &[Metadata]), &'static str> {
        match (&self.projects, &self.namesakes) {
            (Some(projects), Some(namesakes)) => Ok((projects, namesakes)),
            (None, Some(_)) => Err("namespaces"),
            (Some(_), None) => Err("secrets"),
            (None, None) => Err("namespaces and secrets"),
        }
    }
}

pub(super) async fn run(args: &LabelArgs, session: &Session<'_>) -> Result<()> {
    let namespace = session.runai_namespace("label")?;
    secret::check_secret_name(&args.name)?;
    let cluster = session.connect().await?;
    let mut attempt = 1;
    loop {
        let view = look(&args.name, namespace, &cluster).await?;
        let changes = if args.remove {
            propagation::unmarking(&view.source.labels, args.key)
        } else {
            propagation::marking(&view.source.labels, args.key)
        };
        if changes.is_empty() {
            return nothing_to_do(args, session, &view);
        }
        if attempt == 1 {
            agree(args, session, &view).await?;
        }
        match write(args, &cluster, &view, &changes).await {
            Ok(object) => return report(args, session, &view, &object),
            Err(failure) if failure.is_conflict() && attempt < TRIES => attempt += 1,
            Err(failure) => return Err(failure.into()),
        }
    }
}

/// Reads the secret, its namesakes and the projects; two requests, at once, where the user may list them.
async fn look(name: &str, namespace: &str, cluster: &Cluster) -> Result<View> {
    let (named, projects) = tokio::join!(cluster.secrets_named(name), cluster.projects());
    let (source, namesakes) = if let Some(mut named) = sharing::unless_forbidden(named)? {
        let Some(at) = named.iter().position(|secret| secret.namespace == namespace) else {
            return Err(elsewhere(name, namespace, &named));
        };
        (named.swap_remove(at), Some(named))
    } else {
        let alone = cluster.secret_metadata(namespace, name).await;
        (alone.map_err(|failure| not_there(failure, name, namespace))?, None)
    };
    let mut projects = sharing::unless_forbidden(projects)?;
    let going = projects.iter_mut().flat_map(|all| all.extract_if(.., |project| project.terminating));
    let going = going.collect();
    Ok(View { source, projects, going, namesakes })
}

fn not_there(failure: Failure, name: &str, namespace: &str) -> Error {
    let missing = failure.is_not_found();
    let error = Error::from(failure);
    if missing { error.hint(how_to_make(name, namespace)) } else { error }
}

fn elsewhere(name: &str, namespace: &str, named: &[Metadata]) -> Error {
    let error = Error::in_kubectls_words(format!(
        "Error from server (NotFound): secrets \"{name}\" not found in namespace \"{namespace}\""
    ));
    let error = match named {
        [] => error,
        others => {
            error.hint(format!("there is one in {}", list(others.iter().map(|secret| &secret.namespace))))
        }
    };
    error.hint(how_to_make(name, namespace))
}

fn how_to_make(name: &str, namespace: &str) -> String {
    format!(
        "only a secret in Run:ai's namespace can be shared: kubectl runai-secret create {name} -n {namespace} …"
    )
}

async fn agree(args: &LabelArgs, session: &Session<'_>, view: &View) -> Result<()> {
    if !args.remove {
        sharing::note_unseen(view.projects.as_deref(), view.namesakes.as_deref(), session);
    }
    match (args.write.dry_run, args.remove) {
        (DryRun::None, true) => agree_to_remove(session, view).await,
        (DryRun::None, false) => match view.around() {
            Ok((projects, namesakes)) => {
                sharing::agree(&view.source.name, projects, namesakes, session).await
            }
            Err(_) => Ok(()),
        },
        (DryRun::Client | DryRun::Server, _) => Ok(()),
    }
}

async fn agree_to_remove(session: &Session<'_>, view: &View) -> Result<()> {
    let name = &view.source.name;
    let consequence = format!("jobs there that use {name} won't start again");
    let effect = match view.around() {
        Err(unseen) => {
            format!("which projects lose their copy can't be seen: you may not list {unseen}; {consequence}")
        }
        Ok((projects, namesakes)) => {
            match propagation::copied(projects, &sharing::labels_by_namespace(namesakes)).as_slice() {
                [] => "no project has a copy".to_owned(),
                copied => {
                    let names = list(copied.iter().map(|project| &project.name));
                    format!("Run:ai removes its copies from {names}; {consequence}")
                }
            }
        }
    };
    session.ui.effect(&effect);
    session.ui.effect(&format!("the secret in {} stays", view.source.namespace));
    session.ui.confirm(&format!("Stop sharing {name}?")).await
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
    cluster.patch_secret_labels(&view.source, changes, args.write.write()).await
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

/// The metadata as that of a secret, which it is: the server answers with a kind that scripts don't know.
fn as_secret(metadata: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata["metadata"] })
}

fn nothing_to_do(args: &LabelArgs, session: &Session<'_>, view: &View) -> Result<()> {
    let state = if args.remove { "not shared" } else { "shared with every project already" };
    session.ui.note(&format!("{} is {state}: nothing was written", view.source.name));
    let name = format!("secret/{}", view.source.name);
    session.report(
        &args.write,
        &name,
        "not labeled",
        &as_secret(&metadata_object(&view.source, &json!(view.source.labels))),
    )
}

fn report(args: &LabelArgs, session: &Session<'_>, view: &View, object: &Value) -> Result<()> {
    let verb = if args.remove { "unlabeled" } else { "labeled" };
    session.report(&args.write, &format!("secret/{}", view.source.name), verb, &as_secret(object))?;
    if args.remove || args.write.dry_run != DryRun::None {
        return Ok(());
    }
    if let Some(projects) = view.projects.as_deref().filter(|projects| !projects.is_empty()) {
        let projects = plural(projects.len(), "project");
        session.ui.note(&format!("Run:ai copies it to {projects}, usually within a minute"));
    }
    for project in &view.going {
        session.ui.note(&format!("project {} gets no copy: its namespace is being deleted", project.name));
    }
    Ok(())
}
