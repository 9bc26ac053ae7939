//! `--recreate`: replaces a workload that can't be changed with one of the same name.
//!
//! The promise: at every moment the cluster has the old object or the new one, or a file and a printed
//! command bring the old one back. So the server checks the new one first, under another name. The old
//! manifest is on the disk before the old object is deleted. It is deleted only if it is still what was read.
//! If the new one can't be created, the old one is put back. An interrupt lets these steps finish; each has a
//! time limit.

use std::time::Duration;

use serde_json::Value;

use crate::change::recreate::saved_manifest::SavedManifest;
use crate::change::recreate::{DeleteAndCreate, Deleted, PATIENCE, PATIENCE_TO_PUT_BACK, uid};
use crate::cluster::{Cluster, Failure, Keep, Write, if_there};
use crate::error::{Error, Result};
use crate::flags::{DryRun, WriteArgs};
use crate::random::random;
use crate::session::Session;
use crate::ui;
use crate::workload::{JobState, Kind, Target, clean_copy, generated_suffix, job_state};

/// The longest name that may grow by a suffix and still make legal names of pods.
const SHORT_NAME: usize = 30;
/// The limit for which zero stands, as with --request-timeout.
const LONGEST_LIMIT: Duration = Duration::from_mins(10);
/// How long a read is repeated while the server is unavailable.
const LOOK_LIMIT: Duration = Duration::from_secs(10);

/// Tells whether the user has agreed to lose what runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Agreement {
    Needed,
    /// By choosing it from what was shown.
    Given,
}

/// The manifest that is on the disk until the new object is there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saved {
    Old,
    /// The old one holds the value of a secret, which belongs into no file. What the new one needs is there.
    New,
}

impl Saved {
    /// Says what creating it does.
    fn what_it_does(self) -> &'static str {
        match self {
            Self::Old => "brings the old one back",
            Self::New => "makes the new one",
        }
    }
}

pub(crate) struct WorkloadRecreation<'a> {
    pub(crate) session: &'a Session<'a>,
    pub(crate) cluster: &'a Cluster,
    pub(crate) namespace: &'a str,
    pub(crate) target: &'a Target,
    pub(crate) write: &'a WriteArgs,
    /// How long the old object may take to go; zero for the longest limit.
    pub(crate) limit: Duration,
    /// The differences of the new object, a line each.
    pub(crate) differences: &'a [String],
    pub(crate) agreement: Agreement,
    pub(crate) saved: Saved,
}

impl WorkloadRecreation<'_> {
    /// Replaces `old`, as it was read, with a clean copy of `changed`, after `prepare` wrote what that needs. Returns the
    /// new object.
    ///
    /// # Errors
    /// The server refuses the new object, the answer is no, or a step failed. The hints say how to bring the
    /// old object back.
    pub(crate) async fn run(
        &self,
        old: &Value,
        changed: &Value,
        prepare: impl AsyncFnOnce() -> Result<()>,
    ) -> Result<Value> {
        let kind = self.target.kind;
        let new = clean_copy(changed, kind, None);
        if self.write.dry_run == DryRun::Client {
            self.agree(old).await?;
            return prepare().await.map(|()| new);
        }
        let checked = self.check_with_server(&new).await?;
        self.agree(old).await?;
        prepare().await?;
        if self.write.dry_run == DryRun::Server {
            return Ok(checked);
        }
        let old_copy = clean_copy(old, kind, None);
        let kept = match self.saved {
            Saved::Old => &old_copy,
            Saved::New => &new,
        };
        let saved = SavedManifest::save(kept, &self.file_name()?)?;
        let restore = saved.restore_command();
        let does = self.saved.what_it_does();
        self.session.ui.effect_always(&format!("if this is cut short, this command {does}: {restore}"));
        ui::interrupt::finishing(self.replace(old, &old_copy, &new, &saved, &restore)).await
    }

    /// Has the server check the new object under a free name.
    async fn check_with_server(&self, new: &Value) -> Result<Value> {
        let mut trial = new.clone();
        trial["metadata"]["name"] = Value::from(self.trial_name()?);
        let dry = Write { keep: Keep::No, ..self.write.write() };
        let checked = self.cluster.create_workload(self.namespace, self.target.kind, &trial, dry).await;
        let mut checked = checked
            .map_err(|failure| Error::from(failure).hint(format!("{} was not touched", self.target)))?;
        checked["metadata"]["name"] = Value::from(self.target.name.as_str());
        Ok(checked)
    }

    /// Returns a free name that is no longer than the target's if that is long: names of pods are made of it.
    fn trial_name(&self) -> Result<String> {
        let suffix = generated_suffix(random()?);
        let name = &self.target.name;
        let length = if name.len() > SHORT_NAME { name.len() - suffix.len() - 1 } else { name.len() };
        Ok(format!("{}-{suffix}", name[..length].trim_end_matches(['.', '-'])))
    }

    async fn agree(&self, old: &Value) -> Result<()> {
        if self.agreement == Agreement::Given && self.write.dry_run == DryRun::None {
            return Ok(());
        }
        let mut effects = vec![
            format!(
                "{} in namespace {} is deleted; {}",
                self.target,
                self.namespace,
                loss(self.target.kind, old)
            ),
            "it is created again under its name, with a new place in the queue".to_owned(),
        ];
        effects.extend_from_slice(self.differences);
        self.session.confirm_effects(self.write, &effects, &format!("Recreate {}?", self.target)).await
    }

    /// Returns a file name of its own for every attempt: two that run at once must not remove each other's
    /// file.
    fn file_name(&self) -> Result<String> {
        let own = generated_suffix(random()?);
        let Target { kind, name } = self.target;
        Ok(format!("{}-{}-{name}-{own}.json", kind.singular, self.namespace))
    }

    /// Carries out the steps. Their order alone keeps the promise of this module.
    async fn replace(
        &self,
        old: &Value,
        old_copy: &Value,
        new: &Value,
        saved: &SavedManifest,
        restore: &str,
    ) -> Result<Value> {
        let bring_back = || match self.saved {
            Saved::Old => format!("to bring the old one back, if it is gone: {restore}"),
            Saved::New => format!("to make the new one, if the old one is gone: {restore}"),
        };
        let steps = Steps { of: self, old_copy };
        match steps.delete(old).await {
            Deleted::Going => {}
            Deleted::Untouched(error) => {
                saved.remove();
                return Err(error.hint(format!("{} is there as before; nothing was changed", self.target)));
            }
            Deleted::Unclear(error) => return Err(error.hint(bring_back())),
        }
        let uid = uid(old);
        let limit = if self.limit.is_zero() { LONGEST_LIMIT } else { self.limit };
        steps.wait_until_gone(uid, limit).await.map_err(|error| error.hint(bring_back()))?;
        let failure = match steps.create(new, uid, PATIENCE).await {
            Ok(object) => {
                saved.remove();
                return Ok(object);
            }
            Err(failure) => failure,
        };
        let is_taken = failure.is_already_exists();
        let refusal = Error::from(failure);
        if is_taken {
            let theirs = "somebody else made another one meanwhile, which was not touched";
            return Err(refusal.hint(theirs).hint(bring_back()));
        }
        if steps.create(old_copy, uid, PATIENCE_TO_PUT_BACK).await.is_err() {
            return Err(refusal
                .hint(format!("the new {} could not be created", self.target))
                .hint(bring_back()));
        }
        saved.remove();
        Err(refusal.hint(format!("the old {} was put back as it was", self.target)))
    }
}

/// Describes what stops with the old object.
pub(crate) fn loss(kind: &Kind, old: &Value) -> String {
    if kind.name != "Job" {
        return "what runs in it stops and its work so far is lost".to_owned();
    }
    match job_state(old) {
        JobState::Running { pods: 0 } => "it has no pods yet".to_owned(),
        JobState::Running { pods: 1 } => "1 running pod stops and its work so far is lost".to_owned(),
        JobState::Running { pods } => format!("{pods} running pods stop and their work so far is lost"),
        JobState::Suspended => "it is suspended: no pod is stopped".to_owned(),
        JobState::Completed => "it was completed: it runs once more".to_owned(),
        JobState::Failed => "it had failed: it runs once more".to_owned(),
    }
}

/// The steps for a workload.
struct Steps<'a> {
    of: &'a WorkloadRecreation<'a>,
    /// The old object in the form in which it would be created.
    old_copy: &'a Value,
}

impl DeleteAndCreate for Steps<'_> {
    type Body = Value;

    fn subject(&self) -> String {
        self.of.target.to_string()
    }

    fn session(&self) -> &Session<'_> {
        self.of.session
    }

    fn read_limit(&self) -> Duration {
        LOOK_LIMIT
    }

    fn is_still(&self, now: &Value) -> bool {
        clean_copy(now, self.of.target.kind, None) == *self.old_copy
    }

    async fn read(&self) -> Result<Option<Value>, Failure> {
        if_there(self.of.cluster.workload(self.of.namespace, self.of.target).await)
    }

    async fn delete_once(&self, uid: &str, version: &str) -> Result<(), Failure> {
        self.of.cluster.delete_workload(self.of.namespace, self.of.target, uid, version).await
    }

    async fn create_once(&self, body: &Value) -> Result<Value, Failure> {
        self.of
            .cluster
            .create_workload(self.of.namespace, self.of.target.kind, body, self.of.write.write())
            .await
    }

    /// Recognises the new object by its writer, and by its difference from the old one: a controller may have
    /// created another one.
    async fn made(&self, body: &Value, uid_before: &str) -> Result<Option<Value>, Failure> {
        let manager = self.of.write.write().field_manager;
        let is_wanted = |now: &Value| self.is_still(now) == (body == self.old_copy);
        let is_ours = |now: &Value| uid(now) != uid_before && is_written_by(now, manager) && is_wanted(now);
        Ok(self.read().await?.filter(is_ours))
    }
}

/// Reports whether a program has written fields of an object. If the server does not say who wrote them, it
/// may have been any program.
fn is_written_by(object: &Value, manager: &str) -> bool {
    let writers = object["metadata"]["managedFields"].as_array();
    writers.is_none_or(|writers| writers.iter().any(|writer| writer["manager"] == manager))
}
