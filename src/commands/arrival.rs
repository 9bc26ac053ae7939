//! Waiting for Run:ai's controller: until its copies have arrived, or are gone.

use std::time::{Duration, Instant};

use super::Session;
use super::survey::{Area, Survey};
use crate::cluster::Cluster;
use crate::error::Result;
use crate::propagation::{Evidence, Row, Scope, State};

/// The first pause between two looks, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Every project that is to have a copy has it, as new as the source.
    Arrived,
    /// No copy that Run:ai made is left.
    Gone,
}

impl Until {
    /// Is this project still on its way there?
    fn waits_for(self, row: &Row) -> bool {
        match self {
            Self::Arrived => matches!(row.state, State::Pending | State::Stale),
            Self::Gone => row.state == State::Orphan && row.evidence != Some(Evidence::OurMark),
        }
    }
}

/// Looks again and again, until it is so or the time is over, and gives the last look.
pub(super) async fn wait(
    until: Until,
    name: &str,
    namespace: &str,
    limit: Duration,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<Survey> {
    let end = Instant::now() + limit;
    let mut pause = FIRST_PAUSE;
    let mut progress = None;
    loop {
        let area = Area::find(&[], cluster, session).await?;
        let survey = Survey::take(name, namespace, &area, cluster).await?;
        let still_shared = until == Until::Gone && survey.scope() != Some(Scope::Nobody);
        let waiting = survey.rows.iter().filter(|row| until.waits_for(row)).count();
        let left = end.saturating_duration_since(Instant::now());
        if waiting == 0 || still_shared || left.is_zero() {
            return Ok(survey);
        }
        let what = match until {
            Until::Arrived => format!("copies of {name} that arrived"),
            Until::Gone => format!("projects without a copy of {name}"),
        };
        let all = survey.rows.len();
        progress.get_or_insert_with(|| session.ui.progress(&what, all)).at(all - waiting);
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
