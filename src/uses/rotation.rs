//! Renews what workloads hold of a secret: finds who holds an old value, restarts what can be restarted, and says
//! what to do about the rest. A run that was cut short is taken up by the next: it restarts what is still old.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::change::restart::{self, Naming, ONE_SECOND, Place, Restarts};
use crate::cluster::{Cluster, Failure, KindOf, Namespaces, Seen, Unseen};
use crate::command_line::CommandLine;
use crate::error::{Error, Kind, Result};
use crate::flags::{DryRun, WriteArgs};
use crate::history::Freshness;
use crate::metadata::Metadata;
use crate::moment::Moment;
use crate::propagation::{Evidence, Scope, State as CopyState};
use crate::session::Session;
use crate::sharing;
use crate::sharing::wait::{Among, Until};
use crate::uses::again::{Again, make_again};
use crate::uses::anew::what_makes_it_anew;
use crate::uses::histories::Histories;
use crate::wording::{few, list, plural};
use crate::workload::{Consumer, ReaderPod, Reference, Sight, State, Target, is_restartable};
use crate::{propagation, session, uses};

/// How many namespaces, and how many workloads that can't be restarted, are named one by one.
const TOLD: usize = 20;

/// Where workloads are looked for.
#[derive(Clone)]
pub(crate) enum Area {
    Namespaces(Namespaces),
    /// Run:ai's namespace and all that have a copy of its secret.
    OfSource,
}

/// Whom to restart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whom {
    /// Who holds an old value, or may.
    Stale,
    /// Who reads the secret at its start.
    Everybody,
}

/// Whether to wait for the new pods.
#[derive(Clone, Copy)]
pub(crate) enum Waiting {
    No,
    AtMost(Duration),
}

/// What is to be renewed.
pub(crate) struct Rotation<'a> {
    pub(crate) secret: &'a str,
    /// The keys that count; none for all.
    pub(crate) keys: Option<&'a [&'a str]>,
    pub(crate) area: Area,
    pub(crate) whom: Whom,
    pub(crate) write: &'a WriteArgs,
    pub(crate) cluster: &'a Cluster,
    pub(crate) session: &'a Session<'a>,
}

/// What is to be done.
pub(crate) struct Plan {
    /// What is restarted, sorted.
    due: Vec<Place>,
    /// What was told to restart after the change, and still has old pods.
    underway: Vec<Place>,
    /// What nothing restarts.
    others: Vec<Other>,
    /// What is made again instead.
    again: Vec<Again>,
    unseen: Vec<Unseen>,
    /// Where the secret could not be seen.
    unseen_secrets: Vec<Unseen>,
    naming: Naming,
    /// A sign that some of the secrets are copies of the shared one.
    sign: Option<Evidence>,
    /// Not all namespaces could be looked into.
    only_projects: bool,
    /// How far the copies of a shared secret got.
    copies: Option<Copies>,
    /// Since when all is known.
    looked: Instant,
    /// False if the secret is nowhere where was looked; true also if the user may not look.
    is_there: bool,
}

/// A workload that nothing restarts.
struct Other {
    consumer: Consumer,
    /// Its pods that hold the old value, as far as they were seen.
    pods: Vec<Arc<ReaderPod>>,
}

/// How far the copies of a shared secret got, by namespace.
pub(crate) struct Copies {
    /// False if somebody stopped sharing it.
    is_shared: bool,
    /// Where the copy is equal to its source.
    current: BTreeSet<String>,
    /// Where it is not, yet.
    late: Vec<String>,
    /// Where it can't be told.
    unproven: Vec<String>,
}

/// What becomes of a workload.
enum Verdict {
    Nothing,
    /// Unless it is restarted after this time.
    Due(Option<Moment>),
    Underway,
    Other(Vec<Arc<ReaderPod>>),
}

impl<'a> Rotation<'a> {
    /// Looks for those who hold the secret, and for when it changed.
    ///
    /// # Errors
    /// A list failed, for another reason than a missing right.
    pub(crate) async fn look(&self) -> Result<Plan, Failure> {
        let wanted = |one: &Reference| {
            one.secret == self.secret
                && one.way.sight() == Sight::AtStart
                && self.keys.is_none_or(|keys| one.way.takes(keys))
        };
        let scope = match &self.area {
            Area::Namespaces(namespaces) => namespaces.clone(),
            Area::OfSource => Namespaces::All,
        };
        let consumers = uses::consumers::find(wanted, &scope, self.cluster);
        let secrets = self.cluster.secrets_named_in(self.secret, &scope);
        let (consumers, secrets) = tokio::join!(consumers, secrets);
        let (consumers, secrets) = (consumers?, secrets?);
        let only_projects = consumers.is_of_projects() || secrets.is_of_projects();
        let Seen { mut found, unseen, .. } = consumers;
        if let Area::OfSource = &self.area {
            let places = self.places(&secrets.found);
            found.retain(|one| places.contains(one.namespace.as_str()));
        }
        let is_seen = secrets.unseen.is_empty() && !secrets.is_of_projects();
        let is_there = !secrets.found.is_empty() || !is_seen;
        let histories = Histories::of(&secrets, &found, self.runai_namespace());
        let naming = match scope {
            Namespaces::One(_) => Naming::Alone,
            Namespaces::All | Namespaces::AllAtOnce => Naming::WithNamespace,
        };
        let mut plan = Plan {
            due: Vec::new(),
            underway: Vec::new(),
            others: Vec::new(),
            again: Vec::new(),
            unseen,
            unseen_secrets: secrets.unseen.clone(),
            naming,
            sign: self.copies(&secrets.found).next().map(|(_, sign)| sign),
            only_projects,
            copies: None,
            looked: Instant::now(),
            is_there,
        };
        let verdicts: Vec<Verdict> = found.iter().map(|one| self.verdict(one, &histories)).collect();
        for (consumer, verdict) in found.into_iter().zip(verdicts) {
            plan.add(consumer, verdict);
        }
        plan.sort();
        Ok(plan)
    }

    fn runai_namespace(&self) -> &'a str {
        &self.session.globals.place.runai_namespace
    }

    /// Returns the secrets that seem to be copies of that in Run:ai's namespace, each with the sign of it.
    fn copies<'s>(
        &'s self,
        secrets: &'s [Metadata],
    ) -> impl Iterator<Item = (&'s str, Evidence)> + use<'s, 'a> {
        let identity = propagation::identity(self.runai_namespace(), self.secret);
        secrets.iter().filter_map(move |one| {
            let origin = propagation::origin(one, self.runai_namespace())?;
            (origin.identity == identity).then_some((one.namespace.as_str(), origin.evidence))
        })
    }

    /// Returns Run:ai's namespace and those that have a copy.
    fn places<'s>(&'s self, secrets: &'s [Metadata]) -> BTreeSet<&'s str> {
        self.copies(secrets).map(|(namespace, _)| namespace).chain([self.runai_namespace()]).collect()
    }

    /// Waits until the copies of the shared secret are current, and looks again. What uses others is left alone. Where
    /// it can't be seen which are, they are taken for what they are now, and that is said.
    ///
    /// # Errors
    /// They can't be read.
    pub(crate) async fn look_after_copies(&self, among: Among<'_>, limit: Duration) -> Result<Plan> {
        let Self { secret, cluster, session, .. } = self;
        let runai = self.runai_namespace();
        let mut copies = wait_for_copies(secret, runai, among, limit, cluster, session).await?;
        let unproven = std::mem::take(&mut copies.unproven);
        let plan = self.look().await?;
        let is_used = |namespace: &&String| plan.due.iter().any(|place| place.namespace == **namespace);
        let unproven: Vec<&str> = unproven.iter().filter(is_used).map(String::as_str).collect();
        if !unproven.is_empty() {
            session.ui.warning(&format!(
                "whether {secret} is the current copy of {runai}/{secret} could not be seen in {}: what uses it is \
                 restarted with what is there now",
                few(&unproven)
            ));
        }
        let late: BTreeSet<String> = copies.late.iter().cloned().collect();
        Ok(plan.only_where(|namespace| !late.contains(namespace), copies))
    }

    fn verdict(&self, one: &Consumer, histories: &Histories<'_>) -> Verdict {
        // What would start again without it does not start.
        if histories.lack(&one.namespace, self.secret) {
            return Verdict::Nothing;
        }
        let runs = matches!(one.state, State::Running | State::Starting);
        let mut pods: Vec<Arc<ReaderPod>> = Vec::new();
        for reader in &one.readers {
            let change = histories.of_reader(one, reader);
            let is_old = |read| change.held_since(read).is_some_and(|held| held != Freshness::Current);
            pods.extend(reader.pods_that(|read| self.whom == Whom::Everybody || is_old(read)).cloned());
        }
        // Without the right to see pods, or before they start, it is not known what they hold. Where all that reads it
        // has started and none of it runs, such as an init container, nothing is held.
        let may_hold = one.readers.is_empty() && !one.has_started();
        let is_due = !pods.is_empty() || runs && (may_hold || self.whom == Whom::Everybody);
        if !is_due {
            return Verdict::Nothing;
        }
        if !is_restartable(one.kind) {
            return Verdict::Other(pods);
        }
        let changed = histories.last_change(one, self.secret);
        let since = one.restarted.zip(changed).is_some_and(|(restarted, changed)| restarted > changed);
        match self.whom {
            Whom::Stale if since => Verdict::Underway,
            Whom::Stale => Verdict::Due(changed),
            Whom::Everybody => Verdict::Due(None),
        }
    }

    /// Has what nothing restarts be made again, where that is possible and it was seen to hold an old value.
    pub(crate) async fn with_recreation(&self, plan: Plan) -> Plan {
        let (again, others) = plan.others.into_iter().partition(Other::may_be_made_again);
        let again: Vec<Other> = again;
        let again = again.into_iter().map(|other| other.consumer).collect();
        Plan { others, again: Again::read(again, self.cluster).await, ..plan }
    }

    /// Says what the plan does, and asks.
    ///
    /// # Errors
    /// The answer is no, or nobody can be asked.
    pub(crate) async fn agree(&self, plan: &Plan) -> Result<()> {
        self.tell_unseen(plan);
        let question = match (plan.due.len(), plan.again.len()) {
            (0, 0) => return Ok(()),
            (due, 0) => format!("Restart {}?", plural(due, "workload")),
            (0, again) => format!("Delete {} and create again?", plural(again, "workload")),
            (due, again) => {
                format!("Restart {}, and delete {again} and create again?", plural(due, "workload"))
            }
        };
        self.session.confirm_effects(self.write, &plan.effects(), &question).await
    }

    /// Restarts what is due, and waits for it and for what is underway.
    ///
    /// # Errors
    /// Something was not restarted, or its new pods are not ready in time.
    pub(crate) async fn carry_out(&self, mut plan: Plan, waiting: Waiting) -> Result<()> {
        let again = std::mem::take(&mut plan.again);
        let plan = &plan;
        let Self { write, cluster, session, .. } = self;
        if plan.due.is_empty() && plan.underway.is_empty() && again.is_empty() {
            let seen = if plan.is_all_seen() { "" } else { " that could be seen" };
            session.ui.note(&format!("there is nothing{seen} to restart"));
        }
        if !(plan.due.is_empty() && again.is_empty()) {
            self.let_a_second_pass(plan.looked).await;
        }
        let Restarts { restarted, mut already } =
            restart::restart(self.secret, &plan.due, plan.naming, write, cluster, session).await?;
        let not_restarted = plan.due.len() - restarted.len() - already.len();
        already.extend(plan.underway.iter().cloned());
        self.tell_others(plan);
        if !already.is_empty() {
            let names: Vec<String> = already.iter().map(|place| plan.naming.of(place)).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            session.ui.note(&format!("restarted already since the change: {}", few(&names)));
        }
        let made = self.make_again(again, plan.naming).await;
        if let Err(error) = &made
            && matches!(error.kind(), Kind::Interrupted | Kind::SteppedBack)
        {
            return made;
        }
        let places = [restarted, already].concat();
        let waited = match waiting {
            Waiting::AtMost(limit) if write.dry_run == DryRun::None && !places.is_empty() => {
                restart::wait(&places, plan.naming, limit, cluster, session).await
            }
            _ => Ok(()),
        };
        let all = plural(plan.due.len(), "workload");
        let restarts = match not_restarted {
            0 => Ok(()),
            1 => Err(Error::partly(format!("1 of {all} was not restarted, and holds what it read before"))),
            failed => Err(Error::partly(format!(
                "{failed} of {all} were not restarted, and hold what they read before"
            ))),
        };
        self.worst([waited, restarts, made, self.proven(plan), self.arrived(plan)])
    }

    /// Lets the second of the change end: what restarts in the same one can't be told from what read before.
    async fn let_a_second_pass(&self, looked: Instant) {
        if self.whom == Whom::Stale && self.write.dry_run == DryRun::None {
            tokio::time::sleep(ONE_SECOND.saturating_sub(looked.elapsed())).await;
        }
    }

    async fn make_again(&self, again: Vec<Again>, naming: Naming) -> Result<()> {
        if again.is_empty() {
            return Ok(());
        }
        let name = |name: &str, namespace: &str| match naming {
            Naming::Alone => name.to_owned(),
            Naming::WithNamespace => format!("{name} in {namespace}"),
        };
        make_again(again, name, self.write, self.cluster, self.session).await
    }

    /// Reports all errors, and returns the last of them.
    fn worst(&self, outcomes: impl IntoIterator<Item = Result<()>>) -> Result<()> {
        let mut last = None;
        for error in outcomes.into_iter().filter_map(Result::err) {
            if let Some(before) = last.replace(error) {
                self.session.ui.error(&before);
            }
        }
        last.map_or(Ok(()), Err)
    }

    /// Returns an error if copies have not arrived: what uses them was left alone.
    fn arrived(&self, plan: &Plan) -> Result<()> {
        let late = plan.copies.iter().flat_map(|copies| &copies.late);
        let names: Vec<&str> = late.map(String::as_str).collect();
        if names.is_empty() {
            return Ok(());
        }
        let restart = CommandLine::plugin("restart").arg(self.secret).namespace(self.runai_namespace());
        Err(Error::partly(format!(
            "{} no current copy of {}, and nothing was restarted there: {}",
            if names.len() == 1 { "one namespace has" } else { "some namespaces have" },
            self.secret,
            few(&names)
        ))
        .hint(format!("to see why: {}", CommandLine::plugin("status").arg(self.secret)))
        .hint(format!("when they are there, this restarts only what is still old: {restart}")))
    }

    /// Returns an error if it could not be seen whether copies have arrived: what uses them was left alone.
    fn proven(&self, plan: &Plan) -> Result<()> {
        let is_over = plan.copies.as_ref().is_some_and(|copies| !copies.is_shared);
        if is_over && matches!(self.area, Area::OfSource) {
            return Err(Error::partly(format!(
                "secret {} is not shared any more: somebody else changed it meanwhile, and nothing was restarted in the \
                 projects",
                self.secret
            )));
        }
        let unproven = plan.copies.iter().flat_map(|copies| &copies.unproven);
        let names: Vec<&str> = unproven.map(String::as_str).collect();
        if names.is_empty() {
            return Ok(());
        }
        let (secret, names) = (self.secret, few(&names));
        Err(Error::partly(format!(
            "whether {secret} arrived could not be seen in {names}: nothing was restarted there"
        ))
        .hint("this needs the right to get the secret there, and in Run:ai's namespace"))
    }

    /// Warns of what could not be seen, before somebody agrees.
    pub(crate) fn tell_unseen(&self, plan: &Plan) {
        let consequence = "what holds the old value there is not known";
        session::scope::warn_unseen(&plan.unseen, consequence, self.session);
        if plan.only_projects && plan.unseen.iter().all(|one| one.kind == KindOf::Cluster) {
            session::scope::warn_only_projects("what holds the old value is not known", self.session);
        }
        let consequence = match self.area {
            Area::Namespaces(_) => "what reads it there is taken to be old",
            Area::OfSource => "nothing is restarted there",
        };
        session::scope::warn_unseen(&plan.unseen_secrets, consequence, self.session);
    }

    /// Returns the command that makes again what nothing restarts.
    fn recreating(&self) -> CommandLine {
        let restart = CommandLine::plugin("restart").arg(self.secret).then("--recreate");
        match &self.area {
            Area::Namespaces(Namespaces::One(namespace)) => restart.namespace(namespace),
            Area::Namespaces(Namespaces::All | Namespaces::AllAtOnce) => restart.then("-A"),
            Area::OfSource => restart.namespace(self.runai_namespace()),
        }
    }

    /// Names what nothing restarts, with what to do.
    fn tell_others(&self, plan: &Plan) {
        let session = self.session;
        if plan.others.is_empty() {
            return;
        }
        session.ui.note("keeps what it read, and nothing restarts it; when its work allows:");
        for Other { consumer: one, pods } in plan.others.iter().take(TOLD) {
            let name = match plan.naming {
                Naming::Alone => one.display_name(),
                Naming::WithNamespace => format!("{} in {}", one.display_name(), one.namespace),
            };
            let pods: Vec<&ReaderPod> = pods.iter().map(AsRef::as_ref).collect();
            session.ui.note(&format!("  {name}: {}", what_makes_it_anew(one, &pods)));
        }
        if plan.others.len() > TOLD {
            let usage = CommandLine::plugin("usage").arg(self.secret).then("-A --stale");
            session.ui.note(&format!("  and {} more: {usage}", plan.others.len() - TOLD));
        }
        if plan.others.iter().any(Other::may_be_made_again) {
            session.ui.note(&format!("jobs and pods are deleted and created again by {}", self.recreating()));
        }
    }
}

impl Other {
    /// Reports whether it can be made again, and was seen to hold what changed: what has no pods yet was perhaps just
    /// made.
    fn may_be_made_again(&self) -> bool {
        Again::is_possible(&self.consumer) && !self.pods.is_empty()
    }
}

impl Copies {
    fn and(mut self, mut other: Self) -> Self {
        self.is_shared &= other.is_shared;
        self.current.append(&mut other.current);
        self.late.append(&mut other.late);
        self.unproven.append(&mut other.unproven);
        self
    }
}

impl Plan {
    fn add(&mut self, consumer: Consumer, verdict: Verdict) {
        let place = || {
            let target = Target { kind: consumer.kind, name: consumer.name.clone() };
            Place::new(&consumer.namespace, target)
        };
        match verdict {
            Verdict::Nothing => {}
            Verdict::Due(changed) => self.due.push(place().unless_restarted_since(changed)),
            Verdict::Underway => self.underway.push(place()),
            Verdict::Other(pods) => self.others.push(Other { consumer, pods }),
        }
    }

    /// A workload may be named twice: what it has and what its pods still have.
    fn sort(&mut self) {
        self.due.sort();
        self.due.dedup();
        self.underway.retain(|place| self.due.binary_search(place).is_err());
        self.underway.sort();
        self.underway.dedup();
        self.others.dedup_by(|one, before| {
            let is_same = one.consumer.namespace == before.consumer.namespace
                && one.consumer.display_name() == before.consumer.display_name();
            if is_same {
                before.pods.append(&mut one.pods);
            }
            is_same
        });
    }

    /// Returns several plans as one. If there are several, each workload is named with its namespace.
    pub(crate) fn together(plans: Vec<Self>) -> Option<Self> {
        plans.into_iter().reduce(|mut all, mut one| {
            all.due.append(&mut one.due);
            all.underway.append(&mut one.underway);
            all.others.append(&mut one.others);
            all.again.append(&mut one.again);
            all.unseen.append(&mut one.unseen);
            all.unseen_secrets.append(&mut one.unseen_secrets);
            all.copies = match (all.copies.take(), one.copies.take()) {
                (Some(copies), Some(more)) => Some(copies.and(more)),
                (copies, more) => copies.or(more),
            };
            all.only_projects |= one.only_projects;
            all.is_there |= one.is_there;
            all.looked = all.looked.max(one.looked);
            Self { naming: Naming::WithNamespace, ..all }
        })
    }

    /// Reports whether the secret is there, or may be.
    pub(crate) fn is_of_a_secret(&self) -> bool {
        self.is_there
    }

    fn is_all_seen(&self) -> bool {
        self.unseen.is_empty() && self.unseen_secrets.is_empty() && !self.only_projects
    }

    /// Returns the sign that some of the secrets are copies of the shared one.
    pub(crate) fn sign_of_copies(&self) -> Option<&Evidence> {
        self.sign.as_ref()
    }

    /// Leaves out what is in namespaces whose copy is not known to be current.
    pub(crate) fn with_copies(mut self, copies: Option<Copies>, runai_namespace: &str) -> Self {
        let Some(copies) = copies else { return self };
        // What could not be seen there is told of the copies.
        self.unseen_secrets.clear();
        let current = copies.current.clone();
        self.only_where(|namespace| namespace == runai_namespace || current.contains(namespace), copies)
    }

    fn only_where(mut self, is_meant: impl Fn(&str) -> bool, copies: Copies) -> Self {
        for places in [&mut self.due, &mut self.underway] {
            places.retain(|place| is_meant(&place.namespace));
        }
        self.others.retain(|other| is_meant(&other.consumer.namespace));
        Self { copies: Some(copies), ..self }
    }

    fn effects(&self) -> Vec<String> {
        let mut by_namespace: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for place in &self.due {
            by_namespace.entry(&place.namespace).or_default().push(place.name());
        }
        let line = |(namespace, names): (&&str, &Vec<&str>)| format!("{namespace}: restarts {}", list(names));
        let mut lines: Vec<String> = by_namespace.iter().take(TOLD).map(line).collect();
        if by_namespace.len() > TOLD {
            let rest: usize = by_namespace.values().skip(TOLD).map(Vec::len).sum();
            let (workloads, more) = (plural(rest, "workload"), by_namespace.len() - TOLD);
            lines.push(format!("and {workloads} in {}", plural(more, "more namespace")));
        }
        lines.extend(self.again.iter().map(Again::effect));
        lines
    }
}

/// Waits until the copies of a shared secret are current.
///
/// # Errors
/// They can't be read.
pub(crate) async fn wait_for_copies(
    secret: &str,
    runai_namespace: &str,
    among: Among<'_>,
    limit: Duration,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<Copies> {
    let until = Until::Renewed;
    let unknown =
        |error: Error| error.hint("nothing was restarted: it is not known whether the copies arrived");
    let wait = sharing::wait::wait(until, secret, runai_namespace, among, limit, cluster, session);
    let survey = wait.await.map_err(unknown)?;
    let all = |is_meant: fn(CopyState) -> bool| {
        survey.rows.iter().filter(move |row| is_meant(row.state)).map(|row| row.namespace.clone())
    };
    Ok(Copies {
        is_shared: survey.scope() != Some(Scope::Nobody),
        current: all(|state| state == CopyState::Copied).collect(),
        late: survey
            .rows
            .iter()
            .filter(|row| until.waits_for(row))
            .map(|row| row.namespace.clone())
            .collect(),
        unproven: all(|state| {
            matches!(state, CopyState::Unverified | CopyState::Forbidden | CopyState::Unknown)
        })
        .collect(),
    })
}
