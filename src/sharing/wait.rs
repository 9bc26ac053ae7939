//! Waits for Run:ai's controller: until its copies have arrived, or are gone.

use std::time::{Duration, Instant};

use crate::cluster::{Cluster, Failure};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::project::Project;
use crate::propagation::{Row, Scope, State};
use crate::session::Session;
use crate::session::projects::{ProjectSelection, Reach};
use crate::sharing;
use crate::sharing::report;
use crate::sharing::survey::Survey;
use crate::wording::{few, plural};

/// The first pause between two looks, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long nothing may change before somebody is told that it may be in vain.
const PATIENCE: Duration = Duration::from_secs(15);

/// The state to wait for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Every project that should have a copy has a current one.
    Arrived,
    /// Every copy that is there, or should be, is current.
    Renewed,
    /// No copy that Run:ai made is left.
    Gone,
}

impl Until {
    /// Reports whether this project is still on the way there.
    pub(crate) fn waits_for(self, row: &Row) -> bool {
        match self {
            Self::Arrived | Self::Renewed => matches!(row.state, State::Pending | State::Stale),
            Self::Gone => row.state == State::Orphan && !row.is_ours(),
        }
    }

    /// Reports whether the secret is still meant to get there: somebody else may have changed it.
    fn is_wanted(self, survey: &Survey) -> bool {
        match self {
            Self::Arrived => survey.scope().is_none_or(|scope| scope == Scope::EveryProject),
            Self::Renewed => survey.scope() != Some(Scope::Nobody),
            Self::Gone => survey.scope() == Some(Scope::Nobody),
        }
    }
}

/// Whose copies are waited for.
#[derive(Clone, Copy)]
pub(crate) enum Among<'a> {
    EveryProject,
    /// That of one namespace.
    Namespace(&'a str),
}

impl Among<'_> {
    async fn survey(self, name: &str, namespace: &str, cluster: &Cluster) -> Result<Survey, Failure> {
        let Self::Namespace(place) = self else { return survey(name, namespace, cluster).await };
        let project = Project { name: place.to_owned(), namespace: place.to_owned(), terminating: false };
        let (projects, left_out, reach) = (vec![project], Vec::new(), Reach::Chosen);
        Survey::take(name, namespace, &ProjectSelection { projects, left_out, reach }, cluster).await
    }
}

/// Looks until the state is reached or the time is over. Returns the last survey.
///
/// # Errors
/// The cluster can't be read, and that does not pass in time.
pub(crate) async fn wait(
    until: Until,
    name: &str,
    namespace: &str,
    among: Among<'_>,
    limit: Duration,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<Survey> {
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut progress = None;
    let mut stuck =
        Stuck { since: started, waiting: 0, patience: PATIENCE.min(limit / 4), told: Told::NotYet };
    loop {
        let left = limit.saturating_sub(started.elapsed());
        match among.survey(name, namespace, cluster).await {
            Ok(survey) => {
                let waiting = survey.rows.iter().filter(|row| until.waits_for(row)).count();
                if waiting == 0 || !until.is_wanted(&survey) || left.is_zero() {
                    return Ok(survey);
                }
                let what = match until {
                    Until::Arrived | Until::Renewed => format!("copies of {name} that arrived"),
                    Until::Gone => format!("projects without a copy of {name}"),
                };
                let all = survey.rows.len();
                let progress = progress.get_or_insert_with(|| session.ui.progress(&what, all));
                progress.at(all - waiting);
                if let Some(word) = stuck.word(until, name, waiting) {
                    progress.beside(|| session.ui.note(&word));
                }
            }
            Err(failure) if failure.may_pass() && !left.is_zero() => {
                session.ui.note(&Error::from(failure).to_string());
            }
            Err(failure) => return Err(failure.into()),
        }
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Watches whether anything happens.
struct Stuck {
    /// The last change, and how many were waited for since.
    since: Instant,
    waiting: usize,
    patience: Duration,
    told: Told,
}

#[derive(PartialEq, Eq)]
enum Told {
    NotYet,
    Told,
}

impl Stuck {
    /// Returns what to say once nothing has happened for long.
    fn word(&mut self, until: Until, name: &str, waiting: usize) -> Option<String> {
        if waiting != self.waiting {
            (self.waiting, self.since) = (waiting, Instant::now());
        }
        let passed = self.since.elapsed();
        if passed < self.patience || self.told == Told::Told {
            return None;
        }
        self.told = Told::Told;
        let (what, way) = match until {
            Until::Arrived | Until::Renewed => {
                ("no copy arrived", CommandLine::plugin("sync").arg(name).to_string())
            }
            Until::Gone => (
                "no copy went away",
                CommandLine::plugin("delete").arg(name).then("--cluster-wide").to_string(),
            ),
        };
        Some(format!(
            "{what} in the last {}: Run:ai's controller may not be at work here; {way} does it without",
            seconds(passed)
        ))
    }
}

fn seconds(passed: Duration) -> String {
    plural(usize::try_from(passed.as_secs().max(1)).unwrap_or(usize::MAX), "second")
}

/// Surveys all current projects: some may have been added or deleted.
pub(crate) async fn survey(name: &str, namespace: &str, cluster: &Cluster) -> Result<Survey, Failure> {
    let area = ProjectSelection::every(cluster).await?;
    Survey::take(name, namespace, &area, cluster).await
}

/// Checks the last survey.
///
/// # Errors
/// It does not prove that the state is reached.
pub(crate) fn proof(until: Until, survey: &Survey) -> Result<()> {
    report::verdict(survey)?;
    let name = &survey.name;
    if !until.is_wanted(survey) {
        let what = match until {
            Until::Arrived => "is not shared with every project any more",
            Until::Renewed => "is not shared any more",
            Until::Gone => "is shared again",
        };
        return Err(Error::partly(format!("secret {name} {what}: somebody else changed it meanwhile")));
    }
    let unseen = |row: &&Row| matches!(row.state, State::Forbidden | State::Unverified);
    let unseen: Vec<&str> = survey.rows.iter().filter(unseen).map(sharing::survey::title).collect();
    if unseen.is_empty() {
        return Ok(());
    }
    let what = match until {
        Until::Arrived | Until::Renewed => "arrived",
        Until::Gone => "is gone",
    };
    Err(Error::partly(format!("you may not see whether {name} {what} in {}", few(&unseen)))
        .hint("this needs the right to get the secret there, and in Run:ai's namespace"))
}
