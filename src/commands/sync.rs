//! `sync`: make the copies of a shared secret ourselves, on clusters where no controller of Run:ai does.
//!
//! Each project is one small change that is right by itself, so being stopped anywhere leaves nothing half done: the
//! next run looks again and does the rest.

mod carry_out;
mod outcome;

use self::carry_out::Copying;
use self::outcome::{Outcome, report};
use super::Session;
use super::survey::{self, Area, Reach, Survey};
use crate::cli::{DryRun, WriteArgs};
use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::propagation::{self, Allowed, Permissions, Reason, Row, Scope, Source, State, Step};
use crate::wording::plural;
use crate::{project, secret};

/// Make the copies of a shared secret yourself, where no controller of Run:ai does
///
/// Creates what is missing and mends what differs, in every project; a second run writes nothing. The copies carry a
/// mark, and only secrets with that mark or a label of Run:ai are ever changed. A namespace that is being deleted is
/// passed over.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret sync hf\n  \
    kubectl runai-secret sync hf --to-project team-a --dry-run=client\n  \
    kubectl runai-secret sync hf --prune")]
pub(crate) struct SyncArgs {
    /// The secrets, in the Run:ai namespace and shared
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,

    /// Only this project; may be repeated. The same as --project
    #[arg(long = "to-project", value_name = "PROJECT")]
    to_projects: Vec<String>,

    /// Not this project; may be repeated
    #[arg(long = "exclude-project", value_name = "PROJECT")]
    exclude_projects: Vec<String>,

    /// Remove the copies that sync made where the secret is not shared any more
    #[arg(long)]
    prune: bool,

    /// Take over secrets of that name which somebody else made: they get this content
    #[arg(long)]
    adopt: bool,

    #[command(flatten)]
    write: WriteArgs,
}

impl SyncArgs {
    fn permissions(&self) -> Permissions {
        let allowed = |flag: bool| if flag { Allowed::Yes } else { Allowed::No };
        Permissions { adopt: allowed(self.adopt), prune: allowed(self.prune) }
    }
}

/// A project and what is to be done there.
struct Task {
    row: Row,
    step: Step,
}

pub(super) async fn run(args: &SyncArgs, session: &Session<'_>) -> Result<()> {
    let namespace = session.source_namespace("sync")?;
    args.names.iter().try_for_each(|name| secret::check_secret_name(name))?;
    args.exclude_projects.iter().try_for_each(|name| project::check_name(name))?;
    let cluster = session.connect().await?;
    let named = [session.globals.place.projects.as_slice(), args.to_projects.as_slice()].concat();
    let mut area = Area::find(&named, &cluster, session).await?;
    area.leave_out(&args.exclude_projects)?;
    let mut outcomes = Vec::new();
    for name in &args.names {
        outcomes.push(one(name, namespace, &area, args, &cluster, session).await?);
    }
    report(&outcomes, &args.write, session)
}

/// Copies one secret. What goes wrong in a project is part of the outcome.
async fn one(
    name: &str,
    namespace: &str,
    area: &Area,
    args: &SyncArgs,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<Outcome> {
    let survey = Survey::take(name, namespace, area, cluster).await?;
    let scope = syncable(&survey, area, args)?;
    let permissions = args.permissions();
    let Survey { source, rows, .. } = survey;
    let task = |row: Row| Task { step: propagation::step(&row, &scope, permissions), row };
    let tasks: Vec<Task> = rows.into_iter().map(task).collect();
    if args.write.dry_run == DryRun::None {
        agree(name, &tasks, session).await?;
    }
    let copying = Copying { name, namespace, source: &source, scope: &scope, permissions, cluster, args };
    Ok(Outcome {
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        results: copying.run(tasks, session).await,
    })
}

/// With whom the secret is shared.
///
/// # Errors
/// There is nothing to copy: it does not exist, may not be read, or is not shared.
fn syncable(survey: &Survey, area: &Area, args: &SyncArgs) -> Result<Scope> {
    let (name, namespace) = (&survey.name, &survey.namespace);
    match &survey.source {
        Source::Unseen => Err(Error::failed(format!(
            "secret {name:?} in namespace {namespace:?} can't be copied: you may not read it"
        ))
        .hint(format!("ask whoever runs the cluster for the right to get it: kubectl auth can-i get secret/{name} -n {namespace}"))),
        Source::There(Scope::Department(id), _) if area.reach == Reach::EveryProject => {
            Err(Error::usage(format!(
                "secret {name:?} is shared with department {id:?}, and which projects it has is known to Run:ai alone"
            ))
            .hint("name its projects with --to-project"))
        }
        Source::There(Scope::Nobody, _) | Source::Missing if !args.prune => Err(not_shared(survey)),
        Source::Missing => Ok(Scope::Nobody),
        Source::There(scope, _) => Ok(scope.clone()),
    }
}

fn not_shared(survey: &Survey) -> Error {
    let (name, namespace) = (&survey.name, &survey.namespace);
    let error = if matches!(survey.source, Source::Missing) {
        Error::in_kubectls_words(format!(
            "Error from server (NotFound): secrets \"{name}\" not found in namespace \"{namespace}\""
        ))
    } else {
        Error::failed(format!(
            "secret {name:?} in namespace {namespace:?} is not shared: nothing is to be copied"
        ))
        .hint(format!("share it first: kubectl runai-secret label {name}"))
    };
    match survey.in_state(State::Orphan).count() {
        0 => error,
        orphans => error.hint(format!(
            "{} of it left; --prune removes those that sync made",
            plural(orphans, "copy").replace("copys", "copies")
        )),
    }
}

/// Says what is deleted, replaced or taken over, and asks. Making and mending copies is what the command is for.
async fn agree(name: &str, tasks: &[Task], session: &Session<'_>) -> Result<()> {
    let risky: Vec<_> = tasks.iter().filter_map(|task| Some((task, risk(task.step)?))).collect();
    if risky.is_empty() {
        return Ok(());
    }
    for (task, risk) in &risky {
        let (title, namespace) = (survey::title(&task.row), &task.row.namespace);
        session.ui.effect(&format!("{title}: secret {name} in namespace {namespace} {risk}"));
    }
    session.ui.confirm(&format!("Go on with {}?", plural(risky.len(), "change"))).await
}

fn risk(step: Step) -> Option<&'static str> {
    match step {
        Step::MakeAnew => Some(
            "can't be changed in place: it is deleted and created anew; a pod that starts in between waits",
        ),
        Step::Adopt => Some("was made by somebody else: it becomes a copy, and what it holds is lost"),
        Step::AdoptAnew => Some(
            "was made by somebody else and can't be changed in place: it is deleted, and what it holds is lost",
        ),
        Step::Remove => Some("is deleted; jobs there that use it won't start again"),
        Step::Create | Step::Mend | Step::Nothing | Step::Leave(_) => None,
    }
}

/// Is it a reason to end with an error, rather than how things are?
fn is_refusal(reason: Reason) -> bool {
    match reason {
        Reason::NotACopy | Reason::Forbidden | Reason::SourceUnseen => true,
        Reason::Terminating | Reason::Orphan | Reason::OrphanOfRunai => false,
    }
}
