//! `rename`: gives a secret another name, and points to it what refers to the old one.
//!
//! Kubernetes renames nothing. So the new secret is made first, then whatever refers to the old one is changed, and the old
//! one goes last, when another look finds nothing that refers to it. At every moment both or one of them is there with the
//! same content. A run that was cut short is taken up by the next: an annotation says of which secret the new one was made.

mod secrets;
mod users;

use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use serde_json::Value;

use self::secrets::{New, Reading, Secrets};
use self::users::Users;
use crate::change;
use crate::change::several::{AT_ONCE, Effect, Planning, SeveralChanges};
use crate::change::workload::{ChangeArgs, Changed, Plan, Planned, Recreate};
use crate::cluster::{Answer, Cluster, Failure, Namespaces, Seen};
use crate::command_line::CommandLine;
use crate::error::{Error, Kind as ErrorKind, Result};
use crate::flags::{self, DryRun, Holds, WriteArgs, parse_duration};
use crate::metadata::Metadata;
use crate::session::Session;
use crate::session::batch::Objects;
use crate::uses::who_needs::Force;
use crate::wording::{few, list};
use crate::workload::{self, Consumer, Kind, OnChange, Reference, Target};
use crate::{secret, session, uses};

/// The first pause between two looks for what still refers to the old secret, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Rename a secret, and point what uses it to the new name
///
/// The new secret is made first: type, keys and values, labels and noted ends of the old one. Then the workloads, service
/// accounts and ingresses of the namespace that refer to the old one are changed, which makes most of them replace their
/// pods. The old secret is deleted last, when nothing refers to it any more, nor a pod that is still to be replaced.
///
/// It shows all of this and asks once. What can't be changed, such as a running job, is named with what to do; until then the
/// old secret stays, and the same command does the rest. So it does after a run that was cut short.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret rename hf huggingface -p team-a --dry-run\n  \
    kubectl runai-secret rename hf huggingface -p team-a\n  \
    kubectl runai-secret rename hf huggingface -p team-a --recreate --yes")]
pub(crate) struct RenameArgs {
    /// The secret
    #[arg(value_name = "OLD", value_parser = flags::parse_secret, add = Holds::Secret)]
    old: String,

    /// Its new name
    #[arg(value_name = "NEW", value_parser = flags::parse_secret, add = Holds::Text)]
    new: String,

    /// Delete the jobs and pods that can't be changed, and create them again under their names
    #[arg(long)]
    recreate: bool,

    /// Rename it also if an operator, a deployment tool or a file of apply manages it, and may make it again
    #[arg(long)]
    force: bool,

    /// Do not wait until the old pods are replaced: the old secret stays if there are any
    #[arg(long)]
    no_wait: bool,

    /// How long to wait for that
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = parse_duration, add = Holds::Text)]
    timeout: Duration,

    #[command(flatten)]
    write: WriteArgs,
}

pub(super) async fn run(args: &RenameArgs, session: &Session<'_>) -> Result<()> {
    secret::check_secret_name(&args.old)?;
    secret::check_secret_name(&args.new)?;
    if args.old == args.new {
        return Err(Error::usage(format!("secret {} has this name already", args.old)));
    }
    let cluster = session.connect().await?;
    let namespace = session.namespace(&cluster).await?;
    Box::pin(Renaming { args, namespace: &namespace, cluster: &cluster, session }.run()).await
}

/// A rename that is under way.
struct Renaming<'a> {
    args: &'a RenameArgs,
    namespace: &'a str,
    cluster: &'a Cluster,
    session: &'a Session<'a>,
}

/// What is to be done.
struct Steps {
    /// The old secret; none if it is gone.
    old: Option<Metadata>,
    /// The new secret, if it is to be made.
    new: Option<New>,
    due: Vec<Planning<Repointing>>,
    users: Users,
}

impl Renaming<'_> {
    async fn run(&self) -> Result<()> {
        let Self { args, namespace, cluster, session } = *self;
        let reading = Reading {
            old: &args.old,
            new: &args.new,
            force: Force::given(args.force),
            namespace,
            cluster,
            session,
        };
        let (secrets, users) = tokio::join!(reading.read(), self.find_users());
        let Secrets { old, new } = secrets?;
        let seen = users?;
        session::scope::warn_unseen(
            &seen.unseen,
            "what refers to the old secret there is not known",
            session,
        );
        let recreate = if args.recreate { Recreate::Allowed } else { Recreate::No };
        let users = Users::of(seen, &args.old, recreate);
        let due = stream::iter(users.due.clone()).map(|target| self.planned(target)).buffered(AT_ONCE);
        let due: Vec<Planning<Repointing>> = due.collect().await;
        let steps = Steps { old, new, due, users };
        if steps.old.is_none() && steps.users.is_nothing() {
            session.ui.note(&format!("{} was renamed already: nothing refers to it", args.old));
            let object = secrets::without_values(&args.new, namespace);
            return session.report(&args.write, &self.new_name(), "unchanged", &object);
        }
        let changes = ChangeArgs::beside(&args.write, recreate);
        let several = SeveralChanges { args: &changes, cluster, namespace, session };
        let question = format!("Rename {} to {}?", args.old, args.new);
        session.confirm_effects(&args.write, &self.effects(&steps, &several), &question).await?;
        let mut objects = Objects::asked(steps.due.len() + 2, &args.write, session);
        let outcome = self.carry_out(steps, &several, &mut objects).await;
        objects.print()?;
        outcome
    }

    fn new_name(&self) -> String {
        format!("secret/{}", self.args.new)
    }

    /// Finds what refers to the old secret.
    async fn find_users(&self) -> Result<Seen<Consumer>, Failure> {
        let wanted = |reference: &Reference| reference.secret == self.args.old;
        let scope = Namespaces::One(self.namespace.to_owned());
        let mut seen = uses::consumers::find(wanted, &scope, self.cluster).await?;
        // What can't start for another reason is found too.
        seen.found.retain(|one| one.uses_of(&self.args.old).next().is_some());
        Ok(seen)
    }

    async fn planned(&self, target: Target) -> Planning<Repointing> {
        let object = change::workload::read(self.cluster, self.namespace, &target).await;
        let plan = Repointing { old: self.args.old.clone(), new: self.args.new.clone() };
        Planning { target, object, plan: Ok(plan) }
    }

    /// Says what is going to be done, a line each, and what is not.
    fn effects(&self, steps: &Steps, several: &SeveralChanges<'_>) -> Vec<String> {
        let RenameArgs { old, new, .. } = self.args;
        let mut effects = Vec::new();
        match &steps.new {
            Some(made) => effects.extend(made.effects(old, self.namespace)),
            None => effects.push(format!("secret {new} is there: an earlier run made it")),
        }
        for one in &steps.due {
            match several.effect(one) {
                Effect::Changes(lines) => effects.extend(lines.into_iter().chain(on_change(one))),
                Effect::Stays(why) => effects.push(why),
                Effect::Nothing => {}
            }
        }
        effects.extend(steps.users.staying(&self.again(), self.namespace));
        if steps.old.is_some() {
            let stays = steps.users.stays() || !steps.users.is_seen_whole();
            let end = if stays { "stays until" } else { "is deleted when" };
            effects.push(format!("secret {old} {end} nothing refers to it any more"));
        }
        effects.push(format!("manifests in files that name {old} are not changed"));
        effects
    }

    /// Returns this command, for the rest.
    fn again(&self) -> CommandLine {
        CommandLine::plugin("rename").arg(&self.args.old).arg(&self.args.new).namespace(self.namespace)
    }

    /// Carries out the steps. Their order alone keeps the promise of this file.
    async fn carry_out(
        &self,
        steps: Steps,
        several: &SeveralChanges<'_>,
        objects: &mut Objects<'_>,
    ) -> Result<()> {
        let (write, name) = (&self.args.write, self.new_name());
        if let Some(new) = steps.new {
            if write.dry_run != DryRun::Client {
                let created = self
                    .cluster
                    .create_secret(self.namespace, new.body, Answer::Metadata, write.write())
                    .await;
                created.map_err(|failure| self.not_made(failure))?;
            }
            objects.tell(&name, "created", new.object)?;
        }
        let mut all_went_over = true;
        if !steps.due.is_empty() {
            match several.carry_out(steps.due, objects).await {
                Ok(()) => {}
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::SteppedBack) => {
                    return Err(error.for_good());
                }
                Err(error) => {
                    self.session.ui.error(&error);
                    all_went_over = false;
                }
            }
        }
        let next = CommandLine::plugin("usage").arg(&self.args.new);
        self.session.propose(write, &self.session.in_this_place(next));
        let (left, is_left) = match write.dry_run {
            DryRun::None => {
                let left = Users::of(self.wait_for_old_pods().await?, &self.args.old, Recreate::No);
                let is_left = !left.is_nothing();
                (left, is_left)
            }
            DryRun::Client | DryRun::Server => {
                let is_left = steps.users.stays();
                (steps.users, is_left)
            }
        };
        let is_unknown = steps.old.is_some() && !left.is_seen_whole();
        if !all_went_over || is_left || is_unknown {
            return Err(self.stays(&left, steps.old.is_some()));
        }
        self.tell_ended(&left);
        match &steps.old {
            Some(old) => self.delete(old, objects).await,
            None => Ok(()),
        }
    }

    /// Looks for what still refers to the old secret, and waits for the pods that are to be replaced.
    async fn wait_for_old_pods(&self) -> Result<Seen<Consumer>> {
        let limit = if self.args.no_wait { Duration::ZERO } else { self.args.timeout };
        let (started, mut pause, mut is_told) = (Instant::now(), FIRST_PAUSE, false);
        loop {
            let rest = limit.saturating_sub(started.elapsed());
            match self.find_users().await {
                Ok(seen) if rest.is_zero() || !users::go_by_themselves(&seen.found) => return Ok(seen),
                Ok(seen) if !is_told => {
                    is_told = true;
                    let names = users::names(&seen.found);
                    self.session.ui.note(&format!(
                        "waiting until the old pods are replaced, at most {} s: {}",
                        limit.as_secs(),
                        few(&names.iter().map(String::as_str).collect::<Vec<_>>())
                    ));
                }
                Ok(_) => {}
                Err(failure) if failure.may_pass() && !rest.is_zero() => {
                    self.session.ui.note(&Error::from(failure).to_string());
                }
                Err(failure) => return Err(failure.into()),
            }
            tokio::time::sleep(pause.min(rest)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Names what has ended, or would only come back by an undo.
    fn tell_ended(&self, left: &Users) {
        if !left.ended.is_empty() {
            let (old, names) = (&self.args.old, list(&left.ended));
            self.session.ui.note(&format!("names {old} still, and does not need it: {names}"));
        }
    }

    async fn delete(&self, old: &Metadata, objects: &mut Objects<'_>) -> Result<()> {
        let (write, name) = (&self.args.write, &self.args.old);
        match change::secret::delete(old, write, self.cluster).await {
            Ok(finalizers) => change::secret::refuse_held(old, &finalizers, write)?,
            Err(failure) if failure.is_not_found() => {}
            Err(failure) if failure.is_conflict() => {
                return Err(Error::partly(format!(
                    "secret {name} was changed meanwhile, and was not deleted"
                ))
                .hint(format!("to go on: {}", self.again())));
            }
            Err(failure) => {
                return Err(Error::from(failure).hint(format!("to go on: {}", self.again())));
            }
        }
        objects.tell(&format!("secret/{name}"), "deleted", secrets::without_values(name, self.namespace))
    }

    fn not_made(&self, failure: Failure) -> Error {
        let is_taken = failure.is_already_exists();
        let error = Error::from(failure);
        if is_taken {
            return error.hint("somebody else made it meanwhile; nothing was changed");
        }
        error.hint(format!("{} is there as before; to try again: {}", self.args.old, self.again()))
    }

    /// Explains why the old secret stays, and how to go on.
    fn stays(&self, left: &Users, is_there: bool) -> Error {
        let RenameArgs { old, new, .. } = self.args;
        for line in left.staying(&self.again(), self.namespace) {
            self.session.ui.note(&line);
        }
        let names = left.names();
        let error = match (names.as_slice(), is_there) {
            ([], true) if !left.is_seen_whole() => Error::partly(format!(
                "secret {old} stays beside {new}: you may not see all that may refer to it"
            ))
            .hint(format!(
                "to delete it: {}",
                CommandLine::plugin("delete").arg(old).namespace(self.namespace)
            )),
            ([], true) => {
                Error::partly(format!("secret {old} stays beside {new}: not everything was changed"))
            }
            ([], false) => Error::partly(format!("not everything that refers to {old} was changed")),
            (names, true) => {
                let names = few(&names.iter().map(String::as_str).collect::<Vec<_>>());
                Error::partly(format!("secret {old} stays beside {new}: {names} still refers to it"))
            }
            (names, false) => {
                let names = few(&names.iter().map(String::as_str).collect::<Vec<_>>());
                Error::partly(format!("secret {old} is gone, and {names} still refers to it"))
            }
        };
        error.hint(format!("this does the rest: {}", self.again()))
    }
}

/// Says what a change in place means for pods.
fn on_change(one: &Planning<Repointing>) -> Option<String> {
    let (target, object) = (&one.target, one.object.as_ref().ok()?);
    let change = target.kind.on_change_of(object);
    let has_pods = target.kind.has_place_for_attachments();
    (has_pods && change != OnChange::Refused).then(|| format!("{target} {}", change.in_words()))
}

/// Names another secret wherever a workload refers to one.
#[derive(Clone)]
struct Repointing {
    old: String,
    new: String,
}

impl Plan for Repointing {
    fn change(&self, object: &Value, kind: &Kind, workload: &str) -> Result<Planned> {
        let Self { old, new } = self;
        let workload::Renamed { object, references } = workload::renamed(object, kind, old, new);
        if references.is_empty() {
            let why = format!("{workload} does not refer to {old}");
            return Ok(Planned::Nothing { why, warnings: Vec::new() });
        }
        let difference = |one: &Reference| match one.place.container() {
            Some(container) => format!("{} of {new} in container {container}", one.way),
            None => format!("{} of {new}", one.way),
        };
        let differences = references.iter().map(difference).collect();
        Ok(Planned::Changed(Changed { object, differences, warnings: Vec::new() }))
    }

    fn on_owner(&self, owner: &str) -> String {
        format!("{owner} makes it anew: change that")
    }
}
