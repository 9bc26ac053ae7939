//! Restarts workloads, some at once, and waits until their new pods are ready.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};

use crate::change::retry::Tries;
use crate::cluster::{Cluster, Failure, Namespaces};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{DryRun, Output, WriteArgs};
use crate::moment::Moment;
use crate::session::Session;
use crate::wording::{few, plural};
use crate::workload::{Kind, Rollout, Target, is_marked_at, mark_restarted, restarted, rollout};

/// How many workloads are restarted at a time: their new pods come at once.
const AT_ONCE: usize = 16;

/// The smallest difference of two times of the server, and of two marks.
pub(crate) const ONE_SECOND: Duration = Duration::from_secs(1);

/// The first pause between two looks at rollouts, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A workload of some namespace, sorted by both names.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) namespace: String,
    /// `deployment.apps/web`
    name: String,
    target: Target,
    /// A restart after this time is enough.
    changed: Option<Moment>,
}

/// What became of workloads that were to be restarted.
#[derive(Default)]
pub(crate) struct Restarts {
    pub(crate) restarted: Vec<Place>,
    /// Those that somebody else restarted meanwhile.
    pub(crate) already: Vec<Place>,
}

/// What became of one.
enum Outcome {
    Restarted,
    Already,
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Place {}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.namespace, &self.name).cmp(&(&other.namespace, &other.name))
    }
}

impl Place {
    pub(crate) fn new(namespace: &str, target: Target) -> Self {
        Self { namespace: namespace.to_owned(), name: target.to_string(), target, changed: None }
    }

    /// Leaves it alone if somebody restarted it after this time.
    pub(crate) fn unless_restarted_since(self, changed: Option<Moment>) -> Self {
        Self { changed, ..self }
    }

    /// Returns `deployment.apps/web`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn kind(&self) -> &'static Kind {
        self.target.kind
    }
}

/// The way in which the results are told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// All are in one namespace, which the user knows.
    Alone,
    WithNamespace,
}

impl Naming {
    pub(crate) fn of(self, place: &Place) -> String {
        match self {
            Self::Alone => place.name.clone(),
            Self::WithNamespace => format!("{} in {}", place.name, place.namespace),
        }
    }
}

/// Has each workload replace its pods, as `kubectl rollout restart` does. If one fails, the others are still
/// restarted. All of them use the secret.
///
/// # Errors
/// Nothing can be printed any more.
pub(crate) async fn restart(
    secret: &str,
    places: &[Place],
    naming: Naming,
    write: &WriteArgs,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<Restarts> {
    let mut progress = session.ui.progress("workloads that were restarted", places.len());
    let restarts = places.iter().map(async |place| (place, restart_one(secret, place, write, cluster).await));
    let mut restarts = stream::iter(restarts).buffered(AT_ONCE);
    let (mut all, mut done) = (Restarts::default(), 0);
    while let Some((place, outcome)) = restarts.next().await {
        done += 1;
        progress.at(done);
        let name = naming.of(place);
        let line = format!("{name} restarted{}", write.dry_run.suffix());
        match outcome {
            Ok(Outcome::Restarted) => {
                progress.beside(|| tell(&line, write, session))?;
                all.restarted.push(place.clone());
            }
            Ok(Outcome::Already) => all.already.push(place.clone()),
            Err(error) => progress.beside(|| session.ui.error(&error.at(&name))),
        }
    }
    Ok(all)
}

fn tell(line: &str, write: &WriteArgs, session: &Session<'_>) -> Result<()> {
    if write.output == Output::Human {
        return session.ui.done(line).map_err(|error| error.although(line));
    }
    session.ui.note(line);
    Ok(())
}

async fn restart_one(secret: &str, place: &Place, write: &WriteArgs, cluster: &Cluster) -> Result<Outcome> {
    let (target, namespace) = (&place.target, &place.namespace);
    let mut tries = Tries::default();
    loop {
        let mut object = cluster.workload(namespace, target).await?;
        let is_enough = |changed| restarted(target.kind, &object).is_some_and(|at| at > changed);
        if place.changed.is_some_and(is_enough) {
            return Ok(Outcome::Already);
        }
        let at = Moment::now();
        if is_marked_at(target.kind, &object, at) {
            // The same mark once more would change nothing.
            tokio::time::sleep(ONE_SECOND).await;
            continue;
        }
        mark_restarted(target.kind, &mut object, at).map_err(Error::failed)?;
        if write.dry_run == DryRun::Client {
            return Ok(Outcome::Restarted);
        }
        match cluster.replace_user_of(secret, namespace, target, &object, write.write()).await {
            Ok(_) => return Ok(Outcome::Restarted),
            Err(failure) => tries.again(failure, Failure::is_conflict).await?,
        }
    }
}

/// Waits until all of these have replaced their pods, or the time is over.
///
/// # Errors
/// One of them has not, or could not be read.
pub(crate) async fn wait(
    places: &[Place],
    naming: Naming,
    limit: Duration,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<()> {
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut progress = session.ui.progress("workloads whose new pods are ready", places.len());
    let mut left: BTreeSet<&Place> = places.iter().collect();
    let mut failed: Vec<(&Place, String)> = Vec::new();
    loop {
        let rest = limit.saturating_sub(started.elapsed());
        match look(&left, cluster).await {
            Ok(states) => {
                for (place, state) in states {
                    match state {
                        Rollout::Underway => continue,
                        Rollout::Done => {}
                        Rollout::Failed(why) => failed.push((place, why)),
                    }
                    left.remove(place);
                }
            }
            Err(failure) if failure.may_pass() && !rest.is_zero() => {
                session.ui.note(&Error::from(failure).to_string());
            }
            Err(failure) => return Err(failure.into()),
        }
        progress.at(places.len() - left.len());
        if left.is_empty() || rest.is_zero() {
            break;
        }
        tokio::time::sleep(pause.min(rest)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    drop(progress);
    verdict(places, &left, &failed, naming, session)
}

/// Reads how far each of them is: one by one if they are few, else by lists.
async fn look<'p>(
    places: &BTreeSet<&'p Place>,
    cluster: &Cluster,
) -> Result<Vec<(&'p Place, Rollout)>, Failure> {
    const FEW: usize = 8;
    if places.len() <= FEW {
        let reads = places.iter().map(async |place| {
            let state = match cluster.workload(&place.namespace, &place.target).await {
                Ok(object) => rollout(place.kind(), &object),
                Err(failure) if failure.is_not_found() => Rollout::Failed("it is gone".to_owned()),
                Err(failure) => return Err(failure),
            };
            Ok((*place, state))
        });
        return futures::future::join_all(reads).await.into_iter().collect();
    }
    let mut kinds: Vec<&'static Kind> = places.iter().map(|place| place.kind()).collect();
    kinds.sort_by_key(|kind| (kind.group, kind.name));
    kinds.dedup();
    let namespaces: BTreeSet<&String> = places.iter().map(|place| &place.namespace).collect();
    let scope = match namespaces.first() {
        Some(only) if namespaces.len() == 1 => Namespaces::One((*only).clone()),
        _ => Namespaces::All,
    };
    let read = |kind: &'static Kind, object: &serde_json::Value| {
        let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
        let place = Place::new(&text("namespace"), Target { kind, name: text("name") });
        places.get(&place).map(|place| (*place, rollout(kind, object)))
    };
    let seen = cluster.objects(kinds, &scope, read).await?;
    Ok(seen.found.into_iter().flatten().collect())
}

/// Names those that are not ready.
fn verdict(
    places: &[Place],
    left: &BTreeSet<&Place>,
    failed: &[(&Place, String)],
    naming: Naming,
    session: &Session<'_>,
) -> Result<()> {
    for (place, why) in failed {
        session.ui.error(&Error::failed(format!("{}: {why}", naming.of(place))));
    }
    let bad: Vec<&Place> = failed.iter().map(|(place, _)| *place).chain(left.iter().copied()).collect();
    if bad.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = bad.iter().map(|place| naming.of(place)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (not_ready, all) = (bad.len(), plural(places.len(), "workload"));
    let error = Error::partly(format!("new pods of {not_ready} of {all} are not ready yet: {}", few(&names)));
    // What has failed says why, and may be gone.
    let Some(first) = left.first() else { return Err(error) };
    // kubectl knows no other kinds here.
    let status = if first.kind().group == "apps" { "rollout status" } else { "get" };
    let status = CommandLine::kubectl(status).arg(&first.name).namespace(&first.namespace);
    Err(error.hint(format!("they were restarted, and their controllers go on: {status}")))
}
