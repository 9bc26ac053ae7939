//! `sync`: makes the copies of a shared secret, on clusters where no controller of Run:ai does.
//!
//! Each project takes one small change that is complete by itself. So an interruption leaves nothing half
//! done: the next run looks again and does the rest.

mod args;
mod carry_out;
mod losses;
mod outcome;
mod plan;

pub(crate) use self::args::SyncArgs;
use self::carry_out::Copying;
use self::outcome::{Outcome, report};
use self::plan::{Plan, Task};
use crate::cluster::Cluster;
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::propagation::{self, Content, Row, Scope, Source, State, Step, Wishes};
use crate::session::batch::{Several, each_once};
use crate::session::projects::{ProjectSelection, Reach};
use crate::session::{Session, not_found as missing};
use crate::sharing::survey::{Survey, not_found};
use crate::ui::Proposal;
use crate::wording::{copies, few, plural};
use crate::{project, secret, session, sharing, uses};

pub(super) async fn run(args: &SyncArgs, session: &Session<'_>) -> Result<()> {
    let namespace = session.source_namespace("sync")?;
    args.names.iter().try_for_each(|name| secret::check_secret_name(name))?;
    args.exclude_projects.iter().try_for_each(|name| project::check_name(name))?;
    let labels = session::given_labels::of_copies(&args.labels)?;
    let wishes = args.wishes(&labels);
    let cluster = session.connect().await?;
    let named = [session.globals.place.projects.as_slice(), args.to_projects.as_slice()].concat();
    let mut area = ProjectSelection::find(&named, &cluster, session).await?;
    area.leave_out(&args.exclude_projects)?;
    let once = each_once(&args.names);
    let mut several = Several::secrets(once.len(), session);
    let mut plans = Vec::new();
    for name in &once {
        plans.extend(several.one(name, plan(name, namespace, &area, args, wishes, &cluster, session).await)?);
    }
    // All questions come before the first write: after a "no" nothing has changed.
    agree(&plans, args, &cluster, session).await?;
    review(&plans, args, session).await?;
    let mut outcomes = Vec::new();
    for mut plan in plans {
        let tasks = std::mem::take(&mut plan.tasks);
        let copying = Copying::new(&plan, namespace, wishes, &cluster, args, session);
        let results = copying.run(tasks).await?;
        let source = copying.source_now(&results).await;
        outcomes.push(Outcome { name: plan.name, namespace: namespace.to_owned(), results, source });
    }
    report(&outcomes, &args.write, session)?;
    if let [Outcome { name, .. }, ..] = outcomes.as_slice() {
        session.propose(&args.write, &CommandLine::plugin("status").arg(name));
    }
    several.verdict()?;
    outcome::verdict(&outcomes)
}

async fn plan(
    name: &str,
    namespace: &str,
    area: &ProjectSelection,
    args: &SyncArgs,
    wishes: Wishes<'_>,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<Plan> {
    let survey = Survey::take(name, namespace, area, cluster).await?;
    if matches!(survey.source, Source::Missing) {
        missing::refuse_no_runai_namespace(namespace, cluster).await?;
    }
    if !survey.is_known() {
        let error = not_found(name, namespace)
            .hint(format!("to see what is shared: {}", CommandLine::plugin("status")));
        return Err(missing::with_nearest_secret(error, name, namespace, cluster).await);
    }
    let scope = syncable(&survey, area, args)?;
    sharing::report::tell_troubles(&survey, session);
    for doubt in survey.source.content().into_iter().flat_map(Content::doubts) {
        session.ui.warning(&format!("{}: {doubt}", survey.name));
    }
    let task = |row: Row| Task { step: propagation::step(&row, &scope, wishes), row };
    let tasks = survey.rows.into_iter().map(task).collect();
    Ok(Plan { name: survey.name, source: survey.source, tasks, scope })
}

/// Returns with whom the secret is shared.
///
/// # Errors
/// There is nothing to copy: the secret does not exist, may not be read, or is not shared.
fn syncable(survey: &Survey, area: &ProjectSelection, args: &SyncArgs) -> Result<Scope> {
    let (name, namespace) = (&survey.name, &survey.namespace);
    match &survey.source {
        Source::Unseen => {
            Err(Error::failed(format!("secret {name:?} in namespace {namespace:?} can't be copied: you may not read it"))
                .hint(format!(
                    "to check your rights: {}",
                    CommandLine::kubectl("auth can-i get").arg(format!("secret/{name}")).namespace(namespace)
                )))
        }
        Source::There(Scope::Department(id), ..) if area.reach == Reach::EveryProject => {
            Err(Error::usage(format!(
                "secret {name:?} is shared with department {id:?}, and the cluster does not say which projects that has"
            ))
            .hint("name its projects with --to-project"))
        }
        Source::There(Scope::Nobody, ..) | Source::Missing if !args.prune => Err(not_shared(survey)),
        Source::Missing => Ok(Scope::Nobody),
        Source::There(scope, ..) => Ok(scope.clone()),
    }
}

fn not_shared(survey: &Survey) -> Error {
    let (name, namespace) = (&survey.name, &survey.namespace);
    let error = if matches!(survey.source, Source::Missing) {
        not_found(name, namespace)
    } else {
        Error::failed(format!(
            "secret {name:?} in namespace {namespace:?} is not shared: there is nothing to copy"
        ))
        .hint(format!("share it first: {}", CommandLine::plugin("label").arg(name)))
    };
    match survey.in_state(State::Orphan).count() {
        0 => error,
        orphans => {
            error.hint(format!("{} of it left; --prune removes those that sync made", copies(orphans)))
        }
    }
}

/// Lists what is deleted, replaced, taken over or taken from workloads, and asks for confirmation. Creating
/// and updating copies needs none otherwise: the command is for that.
async fn agree(plans: &[Plan], args: &SyncArgs, cluster: &Cluster, session: &Session<'_>) -> Result<()> {
    losses::of_copies(plans, args, cluster, session).await?;
    let (mut effects, mut risky, mut needing) = (Vec::new(), 0, 0);
    for plan in plans {
        for task in &plan.tasks {
            let Some(risk) = task.risk(&plan.name) else { continue };
            risky += 1;
            // What is pruned is listed beside what uses it.
            effects.extend((task.step != Step::Remove).then_some(risk));
        }
        let needed = losses::of_keys(plan, cluster, session).await?;
        needing += needed.len();
        effects.extend(needed);
    }
    let question = match (risky, needing) {
        (0, 0) => return Ok(()),
        (risky, 0) => format!("Go on with {}?", plural(risky, "change")),
        (_, needing) => format!("Go on although {} these keys?", uses::losing_keys::workloads_need(needing)),
    };
    session.confirm_effects(&args.write, &effects, &question).await
}

async fn review(plans: &[Plan], args: &SyncArgs, session: &Session<'_>) -> Result<()> {
    let mut effects = Vec::new();
    for Plan { name, tasks, .. } in plans {
        for (step, verb) in
            [(Step::Create, "created"), (Step::Update, "overwritten with the source's content")]
        {
            let projects: Vec<_> = tasks
                .iter()
                .filter(|task| task.step == step)
                .map(|task| sharing::survey::title(&task.row))
                .collect();
            if !projects.is_empty() {
                effects.push(format!("secret {name} is {verb} in {}", few(&projects)));
            }
        }
    }
    if effects.is_empty() {
        return Ok(());
    }
    session.confirm_if_guided(&args.write, "Make these copies?", &effects, Proposal::Yes).await
}
