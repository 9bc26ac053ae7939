//! `status`: shows how far shared secrets got, project by project.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use futures::{StreamExt, TryStreamExt, stream};

use self::table::OverviewReport;
use self::table::overview;
use crate::cluster::{Cluster, Failure};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{Head, Holds, Report, ReportArgs};
use crate::propagation::{self, Scope, Source, State};
use crate::session::projects::ProjectSelection;
use crate::session::{Session, not_found as missing};
use crate::sharing::report::{show, table, verdict};
use crate::sharing::survey::{Begun, Survey, not_found};
use crate::wording::few;
use crate::{flags, secret, sharing, ui};

mod table;

/// The time between two looks of `--watch`.
const PERIOD: Duration = Duration::from_secs(2);

/// How many secrets are surveyed at a time.
const SECRETS_AT_ONCE: usize = 4;

/// Show in which projects a shared secret arrived, and what is in the way
///
/// Without NAME it shows every shared secret, with the number of projects in each state. The content of
/// copies is compared on this machine, and never shown. The exit code is 3 if there is a problem.
///
/// copied: equal to the source. pending: not there yet. stale: a copy with other content. conflict: somebody
/// else's secret has the name. same: somebody else's, with the same content. foreign: somebody else's, and
/// nothing is to be copied there. orphan: a copy whose source is not shared any more. terminating: being
/// deleted. unverified: a copy, and you may not read the source. forbidden: you may not look there. unknown:
/// it could not be read. absent: nothing there, nothing to be there.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret status\n  \
    kubectl runai-secret status hf -o wide\n  \
    kubectl runai-secret status hf --state=stale,conflict")]
pub(crate) struct StatusArgs {
    /// The secret; without it all shared ones
    #[arg(value_name = "NAME", value_parser = flags::parse_secret, add = Holds::Secret)]
    name: Option<String>,

    /// Show only projects in this state, or shared secrets with one; may be repeated, also as a,b. The exit code is that
    /// of all
    #[arg(long = "state", value_name = "STATE", value_delimiter = ',', conflicts_with = "watch", hide_possible_values = true,
          value_parser = PossibleValuesParser::new(State::ALL.map(State::word)))]
    states: Vec<String>,

    /// Keep looking and show what changes, until Ctrl-C
    #[arg(short, long, requires = "name")]
    watch: bool,

    #[command(flatten)]
    report: ReportArgs,
}

pub(super) async fn run(args: &StatusArgs, session: &Session<'_>) -> Result<()> {
    let namespace = session.source_namespace("status")?;
    if let Some(name) = &args.name {
        secret::check_secret_name(name)?;
    }
    let form = &args.report.output;
    if args.watch && !matches!(form, Report::Table | Report::Wide) {
        return Err(Error::usage("--watch shows a table").hint("leave out -o, or --watch"));
    }
    let cluster = session.connect().await?;
    match &args.name {
        Some(name) if args.watch => {
            let watch = watch(name, namespace, &args.report, &cluster, session);
            ui::interrupt::until_ctrl_c(watch).await
        }
        Some(name) => one(name, namespace, args, &cluster, session).await,
        None => all(namespace, args, &cluster, session).await,
    }
}

impl StatusArgs {
    /// Leaves out what is in none of the states that were named.
    fn chosen(&self, survey: Survey) -> Survey {
        let states: Vec<State> = self.states.iter().filter_map(|word| State::named(word)).collect();
        if states.is_empty() { survey } else { survey.only(&states) }
    }
}

async fn one(
    name: &str,
    namespace: &str,
    args: &StatusArgs,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<()> {
    let named = &session.globals.place.projects;
    let area = ProjectSelection::find(named, cluster, session);
    let survey = if named.is_empty() {
        let (area, source, begun) = tokio::join!(
            area,
            sharing::survey::read_source(cluster, namespace, name),
            Begun::everywhere(name, cluster)
        );
        Survey::of(name, namespace, (source?, begun), &area?, cluster).await?
    } else {
        Survey::take(name, namespace, &area.await?, cluster).await?
    };
    if matches!(survey.source, Source::Missing) {
        missing::refuse_no_runai_namespace(namespace, cluster).await?;
    }
    if !survey.is_known() {
        return Err(unknown(name, namespace, cluster).await);
    }
    let verdict = verdict(&survey);
    let survey = args.chosen(survey);
    let is_empty = survey.rows.is_empty() && !args.states.is_empty();
    if is_empty {
        session.ui.note(&format!("no project is {}", args.states.join(" or ")));
    }
    let ReportArgs { output, head } = &args.report;
    if !is_empty || matches!(output, Report::Data(_)) {
        show(&survey, output, head.head(), session)?;
    }
    verdict
}

/// Returns the error that nothing has this name, with the nearest name.
async fn unknown(name: &str, namespace: &str, cluster: &Cluster) -> Error {
    let error = not_found(name, namespace);
    let error = error.hint("kubectl runai-secret status lists the shared ones");
    missing::with_nearest_secret(error, name, namespace, cluster).await
}

async fn watch(
    name: &str,
    namespace: &str,
    report: &ReportArgs,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<()> {
    let named = &session.globals.place.projects;
    let area = ProjectSelection::find(named, cluster, session).await?;
    let mut shown = BTreeMap::new();
    loop {
        // Projects may have been added.
        let look = if named.is_empty() {
            sharing::wait::survey(name, namespace, cluster).await
        } else {
            Survey::take(name, namespace, &area, cluster).await
        };
        match look {
            Ok(survey) if shown.is_empty() && !survey.is_known() => {
                return Err(unknown(name, namespace, cluster).await);
            }
            Ok(survey) => show_changes(&survey, report, &mut shown, session)?,
            Err(failure) if failure.may_pass() => session.ui.note(&Error::from(failure).to_string()),
            Err(failure) => return Err(failure.into()),
        }
        tokio::time::sleep(PERIOD).await;
    }
}

/// Prints the rows that have changed since they were printed.
fn show_changes(
    survey: &Survey,
    report: &ReportArgs,
    shown: &mut BTreeMap<String, State>,
    session: &Session<'_>,
) -> Result<()> {
    let lines = table(survey, &report.output).to_string();
    let mut lines = lines.lines();
    let is_headed = shown.is_empty() && report.head.head() == Head::Shown;
    let header = lines.next().filter(|_| is_headed);
    let rows = survey.rows.iter().zip(lines);
    let changed = rows.filter(|(row, _)| shown.insert(row.namespace.clone(), row.state) != Some(row.state));
    let changed = header.into_iter().chain(changed.map(|(_, line)| line));
    let text: String = changed.flat_map(|line| [line, "\n"]).collect();
    session.ui.data(text.as_bytes())
}

async fn all(namespace: &str, args: &StatusArgs, cluster: &Cluster, session: &Session<'_>) -> Result<()> {
    let form = &args.report.output;
    let chosen = &session.globals.place.projects;
    let (area, shared) =
        tokio::join!(ProjectSelection::find(chosen, cluster, session), shared(namespace, cluster, session));
    let (area, shared) = (&area?, shared?);
    let surveys: Vec<Survey> = stream::iter(&shared)
        .map(|name| Survey::take(name, namespace, area, cluster))
        .buffered(SECRETS_AT_ONCE)
        .try_collect()
        .await?;
    // A label of Run:ai in a namespace that belongs to no project says nothing.
    let surveys: Vec<Survey> = surveys.into_iter().filter(Survey::is_known).collect();
    if surveys.is_empty() {
        let refused = missing::refuse_no_namespace(namespace, cluster, session).await;
        refused.map_err(|error| error.hint("--runai-namespace says where Run:ai is installed"))?;
    }
    if !surveys.is_empty() && surveys.iter().all(|survey| matches!(survey.source, Source::Missing)) {
        missing::refuse_no_runai_namespace(namespace, cluster).await?;
    }
    let wrong: Vec<String> = surveys
        .iter()
        .filter(|survey| survey.rows.iter().any(|row| row.state.is_finding()))
        .map(|survey| survey.name.clone())
        .collect();
    let there_are_some = !surveys.is_empty();
    let mut surveys: Vec<Survey> = surveys.into_iter().map(|survey| args.chosen(survey)).collect();
    surveys.retain(|survey| args.states.is_empty() || !survey.rows.is_empty());
    match form {
        Report::Table | Report::Wide if surveys.is_empty() && there_are_some => {
            let states = args.states.join(" or ");
            session.ui.note(&format!("no shared secret of {namespace} is {states} in any project"));
        }
        Report::Table | Report::Wide if surveys.is_empty() => {
            session.ui.note(&format!("no secret in {namespace} is shared"));
        }
        Report::Table | Report::Wide => {
            let table = overview(&surveys, form).with(args.report.head.head());
            session.ui.data(table.to_string().as_bytes())?;
        }
        Report::Name => {
            surveys
                .iter()
                .try_for_each(|survey| session.ui.data(format!("secret/{}\n", survey.name).as_bytes()))?;
        }
        Report::Data(form) => {
            session.ui.object(&OverviewReport::of(&surveys), form, args.report.head.head())?;
        }
    }
    let Some(first) = wrong.first() else { return Ok(()) };
    let names: Vec<&str> = wrong.iter().map(String::as_str).collect();
    Err(Error::partly(format!("shared secrets with problems: {}", few(&names)))
        .hint(CommandLine::plugin("status").arg(first)))
}

/// Returns the names of all shared secrets, and of those that were shared and left copies behind.
async fn shared(namespace: &str, cluster: &Cluster, session: &Session<'_>) -> Result<BTreeSet<String>> {
    let left_behind = [propagation::MARK, propagation::LEGACY_LABEL, propagation::CURRENT_LABEL];
    let left_behind = left_behind.map(|label| cluster.secrets_labelled(label, "true"));
    let (sources, copies) =
        tokio::join!(cluster.secrets_in(namespace), futures::future::join_all(left_behind));
    let is_shared = |labels: &BTreeMap<String, String>| Scope::of(labels) != Scope::Nobody;
    let mut names: BTreeSet<String> = sources
        .map_err(|failure| list_of_sources(failure, namespace))?
        .into_iter()
        .filter(|secret| is_shared(&secret.labels))
        .map(|secret| secret.name)
        .collect();
    for copies in copies {
        match copies {
            Ok(copies) => names.extend(copies.into_iter().map(|copy| copy.name)),
            Err(failure) if failure.is_forbidden() => {
                session.ui.note("you may not list all secrets: copies without a source can't be found");
                break;
            }
            Err(failure) => return Err(failure.into()),
        }
    }
    Ok(names)
}

fn list_of_sources(failure: Failure, namespace: &str) -> Error {
    let forbidden = failure.is_forbidden();
    let error = Error::from(failure);
    if forbidden {
        error.hint(format!(
            "you may not list secrets in {namespace}: name one, as in kubectl runai-secret status NAME"
        ))
    } else {
        error
    }
}
