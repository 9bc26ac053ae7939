//! Changes an existing workload safely, for every command that does.
//!
//! The workload is read, changed and written with the version that was read. If somebody else wrote meanwhile,
//! it starts again. If the server refuses every change, another object takes
//! its place: `--recreate` or `--copy-as`.

use std::time::Duration;

use serde_json::Value;

use crate::change::owner::Controller;
use crate::change::recreate::workload::{Agreement, Saved, WorkloadRecreation, loss};
use crate::change::retry::Tries;
use crate::cluster::{Cluster, Failure, Keep, Namespaces, Write};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{DryRun, Holds, WriteArgs};
use crate::session::Session;
use crate::ui::Proposal;
use crate::workload::{self, Kind, NamedCopy, OnChange, Selector, Target};
use crate::{flags, session, wording};

/// How long a recreation waits by default until the old workload is gone.
const PATIENCE: Duration = Duration::from_mins(2);

/// How many names (`web-2`, `web-3`, …) are tried for a proposal.
const MOST_COPIES: u32 = 10;

/// The flags of a command that changes a workload.
#[derive(clap::Args)]
pub(crate) struct ChangeArgs {
    /// If the workload can't be changed, delete it and create it again under its name
    #[arg(long, conflicts_with = "copy_as")]
    recreate: bool,

    /// Create a changed copy under another name, and leave the workload as it is
    #[arg(long, value_name = "NAME", add = Holds::Text)]
    copy_as: Option<String>,

    /// How long --recreate waits until the old one is gone
    #[arg(long, value_name = "DURATION", default_value = "2m", requires = "recreate", value_parser = flags::parse_duration, hide_short_help = true,
          add = Holds::Text)]
    timeout: Duration,

    #[command(flatten)]
    pub(crate) write: WriteArgs,
}

/// Tells whether a workload that can't be changed may be deleted and created again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recreate {
    Allowed,
    No,
}

/// The way round a workload that can't be changed.
pub(crate) enum Way {
    Recreate,
    CopyAs(String),
}

impl ChangeArgs {
    /// Returns the flags of a command that changes workloads beside what it writes itself.
    pub(crate) fn beside(write: &WriteArgs, recreate: Recreate) -> Self {
        let recreate = recreate == Recreate::Allowed;
        Self { recreate, copy_as: None, timeout: PATIENCE, write: write.clone() }
    }

    /// Returns the way that the flags choose.
    ///
    /// # Errors
    /// The copy's name is illegal, or is the workload's own.
    pub(crate) fn way(&self, target: &Target) -> Result<Option<Way>> {
        match &self.copy_as {
            Some(_) if target.kind == Kind::service_account() => {
                Err(Error::usage("a service account is changed, not copied")
                    .hint("leave out --copy-as; kubectl create serviceaccount makes another one"))
            }
            Some(name) => checked_copy_name(target, name).map(Way::CopyAs).map(Some),
            None => Ok(self.recreate.then_some(Way::Recreate)),
        }
    }
}

impl ChangeArgs {
    /// Returns the flag that chose a way.
    pub(crate) fn flag_of_way(&self) -> Option<&'static str> {
        if self.recreate { Some("--recreate") } else { self.copy_as.as_ref().map(|_| "--copy-as") }
    }
}

fn checked_copy_name(target: &Target, name: &str) -> Result<String> {
    if name == target.name {
        return Err(Error::usage("a copy needs another name")
            .hint("--recreate replaces the workload under its own name"));
    }
    workload::check_object_name(target.kind.singular, name)?;
    Ok(name.to_owned())
}

/// The change that a command makes to a workload.
pub(crate) trait Plan {
    /// Plans the change of one object. `workload` is its name for messages, such as `deployment.apps/web`.
    fn change(&self, object: &Value, kind: &Kind, workload: &str) -> Result<Planned>;

    /// Returns the hint for a workload that `owner` makes, and would make again unchanged.
    fn on_owner(&self, owner: &str) -> String;

    /// Tells whether anything else is written before the workload.
    fn preparation(&self) -> Preparation {
        Preparation::None
    }

    /// Writes what the changed workload needs. It is called right before the workload is written, perhaps again.
    ///
    /// # Errors
    /// It can't be written.
    async fn prepare(&self) -> Result<()> {
        Ok(())
    }
}

/// Tells whether anything else is written before the workload.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preparation {
    None,
    /// A secret gets what the workload held itself.
    Secrets,
}

/// The result of a plan for one workload.
pub(crate) enum Planned {
    /// There is nothing to do.
    Nothing {
        why: String,
        warnings: Vec<String>,
    },
    Changed(Changed),
}

/// A changed workload.
pub(crate) struct Changed {
    pub(crate) object: Value,
    /// The differences, a line each.
    pub(crate) differences: Vec<String>,
    /// Effects that may surprise.
    pub(crate) warnings: Vec<String>,
}

/// A change in progress, with everything that stays the same for all tries.
pub(crate) struct Change<'a, P> {
    pub(crate) plan: P,
    pub(crate) target: &'a Target,
    pub(crate) way: Option<Way>,
    pub(crate) company: Company,
    pub(crate) args: &'a ChangeArgs,
    pub(crate) session: &'a Session<'a>,
    pub(crate) cluster: &'a Cluster,
    pub(crate) namespace: &'a str,
}

/// Tells whether the change is the only one of its command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Company {
    Alone,
    /// It is one of several, which were shown and agreed to together: nobody is asked again.
    Several,
}

/// A change that was made, to be reported.
pub(crate) struct Done {
    pub(crate) name: String,
    pub(crate) verb: &'static str,
    pub(crate) object: Value,
    /// The differences, a line each.
    differences: Vec<String>,
    /// What follows from it.
    note: Option<String>,
}

/// The result of a write.
enum Written {
    Done(Done),
    /// Somebody else wrote first: it must be read again.
    Conflict(Failure),
}

/// Recognizes a webhook that would have to do something, and so takes no part in a dry run.
fn is_no_trial(failure: &Failure) -> bool {
    failure.status()["message"].as_str().is_some_and(|message| message.contains("does not support dry run"))
}

/// Reads the workload to change.
///
/// # Errors
/// It does not exist or can't be read. The hints name the nearest one.
pub(crate) async fn read(cluster: &Cluster, namespace: &str, target: &Target) -> Result<Value> {
    match cluster.workload(namespace, target).await {
        Ok(object) => Ok(object),
        Err(failure) => {
            Err(Box::pin(session::not_found::workload(failure, target, namespace, cluster)).await)
        }
    }
}

impl Planned {
    pub(crate) fn warnings(&self) -> &[String] {
        match self {
            Self::Nothing { warnings, .. } | Self::Changed(Changed { warnings, .. }) => warnings,
        }
    }
}

impl Done {
    /// Says what was done.
    ///
    /// # Errors
    /// Standard output can't be written to.
    pub(crate) fn report(&self, write: &WriteArgs, session: &Session<'_>) -> Result<()> {
        for difference in &self.differences {
            session.ui.note(difference);
        }
        let check = CommandLine::plugin("check").arg(&self.name);
        session.propose(write, &session.in_this_place(check));
        session.report(write, &self.name, self.verb, &self.object)?;
        if let Some(note) = &self.note {
            session.ui.note(note);
        }
        Ok(())
    }
}

impl<P: Plan> Change<'_, P> {
    /// Changes the workload, which was read as `object`, and reports it.
    ///
    /// # Errors
    /// As for [`Self::carry_out`].
    pub(crate) async fn run(&self, object: Value) -> Result<()> {
        self.carry_out(object).await?.report(&self.args.write, self.session)
    }

    /// Changes the workload, which was read as `object`.
    ///
    /// # Errors
    /// A controller would undo the change, the plan or the server refuses it, the answer is no, or others win
    /// every try.
    pub(crate) async fn carry_out(&self, mut object: Value) -> Result<Done> {
        let mut tries = Tries::default();
        loop {
            if let Some(maker) = Controller::of(&object, self.namespace, self.cluster).await {
                return Err(maker.refusal(self.target, |name| self.plan.on_owner(name)));
            }
            self.check_not_going(&object)?;
            let planned = self.plan.change(&object, self.target.kind, &self.target.to_string())?;
            if tries.is_first() {
                planned.warnings().iter().for_each(|warning| self.session.ui.warning(warning));
            }
            let changed = match planned {
                Planned::Changed(changed) => changed,
                Planned::Nothing { why, .. } => match &self.way {
                    Some(Way::CopyAs(name)) => {
                        self.session.ui.note(&format!("{why}: {name} is an unchanged copy"));
                        Changed { object: object.clone(), differences: Vec::new(), warnings: Vec::new() }
                    }
                    Some(Way::Recreate) | None => {
                        self.session.ui.note(&format!("{why}: nothing was written"));
                        return Ok(Self::done(self.target.to_string(), "unchanged", object));
                    }
                },
            };
            match self.write(&object, &changed).await? {
                Written::Done(done) => return Ok(done),
                Written::Conflict(failure) => tries.again(failure, Failure::is_conflict).await?,
            }
            object = self.cluster.workload(self.namespace, self.target).await?;
        }
    }

    fn check_not_going(&self, object: &Value) -> Result<()> {
        if object["metadata"]["deletionTimestamp"].is_null() {
            return Ok(());
        }
        Err(Error::failed(format!("{} is being deleted", self.target))
            .hint("wait until it is gone; submit makes a new job"))
    }

    async fn write(&self, object: &Value, changed: &Changed) -> Result<Written> {
        let Self { target, args, session, .. } = self;
        if let Some(Way::CopyAs(name)) = &self.way {
            return self.copy(name, changed).await;
        }
        if target.kind.on_change_of(object) == OnChange::Refused {
            return self.another(object, changed).await;
        }
        let effects =
            [changed.differences.clone(), vec![target.kind.on_change_of(object).in_words().to_owned()]];
        if self.company == Company::Alone {
            let question = format!("Change {target}?");
            session.confirm_if_guided(&args.write, &question, &effects.concat(), Proposal::Yes).await?;
        }
        if self.plan.preparation() != Preparation::None
            && args.write.dry_run == DryRun::None
            && let Err(failure) = self.replaced(changed, Write { keep: Keep::No, ..args.write.write() }).await
            && !is_no_trial(&failure)
        {
            return self.refused(failure, object, changed).await;
        }
        self.plan.prepare().await?;
        let answer = match self.replaced(changed, args.write.write()).await {
            Ok(answer) => answer,
            Err(failure) => return self.refused(failure, object, changed).await,
        };
        let is_kept = args.write.dry_run == DryRun::None;
        let note = is_kept.then(|| format!("{target} {}", target.kind.on_change_of(object).in_words()));
        let differences = changed.differences.clone();
        Ok(Written::Done(Done { differences, note, ..Self::done(target.to_string(), "updated", answer) }))
    }

    /// Sends the change. A server that refuses it has changed nothing, so it is not tried before, unless something else
    /// is written first.
    async fn replaced(&self, changed: &Changed, write: Write<'_>) -> Result<Value, Failure> {
        if self.args.write.dry_run == DryRun::Client {
            return Ok(changed.object.clone());
        }
        self.cluster.replace_workload(self.namespace, self.target, &changed.object, write).await
    }

    /// Takes another way where the server refuses the change, if there is one.
    async fn refused(&self, failure: Failure, object: &Value, changed: &Changed) -> Result<Written> {
        if failure.is_conflict() {
            return Ok(Written::Conflict(failure));
        }
        if workload::is_immutable(&failure.status(), self.target.kind) {
            return self.another(object, changed).await;
        }
        Err(failure.into())
    }

    /// Replaces a workload that can't be changed or makes a copy, as a flag or the user chooses.
    async fn another(&self, object: &Value, changed: &Changed) -> Result<Written> {
        let chosen;
        let way = if let Some(way) = &self.way {
            way
        } else {
            chosen = self.choose_way(object, changed).await?;
            &chosen
        };
        let is_to_ask = self.way.is_some() && self.company == Company::Alone;
        let agreement = if is_to_ask { Agreement::Needed } else { Agreement::Given };
        match way {
            Way::CopyAs(name) => self.copy(name, changed).await,
            Way::Recreate => {
                let recreation = self.recreation(&changed.differences, agreement);
                let prepare = async || self.plan.prepare().await;
                let created = recreation.run(object, &changed.object, prepare).await?;
                Ok(Written::Done(Self::done(self.target.to_string(), "recreated", created)))
            }
        }
    }

    fn recreation<'b>(&'b self, differences: &'b [String], agreement: Agreement) -> WorkloadRecreation<'b> {
        WorkloadRecreation {
            session: self.session,
            cluster: self.cluster,
            namespace: self.namespace,
            target: self.target,
            write: &self.args.write,
            limit: self.args.timeout,
            differences,
            agreement,
            saved: match self.plan.preparation() {
                Preparation::None => Saved::Old,
                Preparation::Secrets => Saved::New,
            },
        }
    }

    /// Shows what the change is and what the second way costs, and asks: whoever chooses it has agreed to that.
    async fn choose_way(&self, object: &Value, changed: &Changed) -> Result<Way> {
        let target = self.target;
        let why = format!("{target} can't be changed: its {} is immutable", target.kind.changed_part());
        let ways = [
            ("create a changed copy under another name", ""),
            ("delete it and create it again under its name", ""),
        ];
        let ui = self.session.ui;
        let immutable = |why: String| {
            Error::usage(why).hint("--recreate deletes it and creates it again under the same name")
        };
        if self.company == Company::Several {
            return Err(immutable(why));
        }
        if ui.may_choose() {
            changed.differences.iter().for_each(|difference| ui.effect(difference));
            let loss = loss(target.kind, object);
            ui.effect(&format!(
                "if it is deleted and created again: {loss}; it gets a new place in the queue"
            ));
        }
        match ui.choose(&format!("{why}. What now?"), &ways).await? {
            Some(0) => {
                let proposal = self.free_name().await;
                let name = ui.ask("Name of the copy", &proposal).await?.unwrap_or(proposal);
                ui.note_chosen(format!("--copy-as {name}"));
                checked_copy_name(target, &name).map(Way::CopyAs)
            }
            Some(_) => {
                ui.note_chosen("--recreate".to_owned());
                Ok(Way::Recreate)
            }
            None => Err(immutable(why).hint("--copy-as NAME creates a changed copy and leaves it as it is")),
        }
    }

    /// Returns a name for a copy that nothing has yet, as far as can be seen.
    async fn free_name(&self) -> String {
        let numbered = |number| format!("{}-{number}", self.target.name);
        for number in 2..MOST_COPIES {
            let target = Target { kind: self.target.kind, name: numbered(number) };
            if self.cluster.workload(self.namespace, &target).await.is_err() {
                return target.name;
            }
        }
        numbered(MOST_COPIES)
    }

    async fn copy(&self, name: &str, changed: &Changed) -> Result<Written> {
        let kind = self.target.kind;
        let selectors = self.selectors().await?;
        let NamedCopy { object: copy, notes } = workload::named_copy(&changed.object, kind, name, &selectors);
        let write = &self.args.write;
        let effects = [changed.differences.as_slice(), &notes].concat();
        self.session
            .confirm_if_guided(
                write,
                &format!("Create {}?", kind.display_name(name)),
                &effects,
                Proposal::Yes,
            )
            .await?;
        self.plan.prepare().await?;
        let answer = if write.dry_run == DryRun::Client {
            copy
        } else {
            let created = self.cluster.create_workload(self.namespace, kind, &copy, write.write()).await;
            created.map_err(|failure| self.no_copy(failure, name))?
        };
        Ok(Written::Done(Done {
            differences: effects,
            ..Self::done(kind.display_name(name), "created", answer)
        }))
    }

    /// Returns what selects pods in the namespace, as far as the user may see it.
    async fn selectors(&self) -> Result<Vec<Selector>> {
        let scope = Namespaces::One(self.namespace.to_owned());
        let read = |_, object: &Value| Selector::of(object);
        let seen = self.cluster.objects(&workload::SELECTING, &scope, read).await?;
        if !seen.unseen.is_empty() {
            let unseen = wording::list(seen.unseen.iter().map(|one| &one.resource));
            self.session.ui.warning(&format!(
                "you may not list {unseen} in namespace {}: some of them may take the copy's pods for those of the original",
                self.namespace
            ));
        }
        Ok(seen.found)
    }

    fn no_copy(&self, failure: Failure, name: &str) -> Error {
        let look =
            CommandLine::kubectl("get").arg(self.target.kind.word()).arg(name).namespace(self.namespace);
        let exists = failure.is_already_exists();
        let unknown = failure.has_unknown_effect();
        let error = Error::from(failure);
        if exists {
            error.hint(format!("choose another name with --copy-as; {look}"))
        } else if unknown {
            error.hint(look)
        } else {
            error
        }
    }

    fn done(name: String, verb: &'static str, object: Value) -> Done {
        Done { name, verb, object, differences: Vec::new(), note: None }
    }
}
