//! `--recreate`: an object that can't be changed is replaced by one of the same name.
//!
//! The promise: at every moment the cluster has the old object or the new one, or there is a file, and a printed
//! command, that bring the old one back. So the server checks the new one first, under another name; the old manifest
//! is on the disk before the old object goes; it goes only if it is still what was read; and if the new one can't be
//! made, the old one is put back. An interrupt lets these steps finish; each has a time limit.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::saved_manifest::SavedManifest;
use super::{Session, random};
use crate::cli::{DryRun, WriteArgs};
use crate::cluster::{Cluster, Failure, Keep, Write};
use crate::error::{Error, Result};
use crate::workload::{JobState, Target, clean_copy, generated_suffix, job_state};
use crate::{ui, wording};

/// How long creating may be tried again where the server is not well.
const CREATE_LIMIT: Duration = Duration::from_secs(20);
const CREATE_TRIES: u32 = 5;
const DELETE_TRIES: u32 = 5;
/// A name that may grow by a few characters and still make legal names of pods.
const SHORT_NAME: usize = 30;
/// What a limit of zero stands for, as with --request-timeout.
const LONGEST_LIMIT: Duration = Duration::from_mins(10);
/// How long a look is repeated where the server is away.
const LOOK_LIMIT: Duration = Duration::from_secs(10);
/// The longest pause between two looks at an object that is going.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Recreation<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) cluster: &'a Cluster,
    pub(super) namespace: &'a str,
    pub(super) target: &'a Target,
    pub(super) write: &'a WriteArgs,
    /// How long the old object may take to go; zero for the longest there is.
    pub(super) limit: Duration,
    /// What is different about the new object, a line each.
    pub(super) differences: &'a [String],
}

/// What became of a deletion that was tried until it was clear.
enum Deleted {
    /// It is gone, or on its way.
    Going,
    /// It is there as it was.
    Untouched(Error),
    /// The server can't be reached any more.
    Unclear(Error),
}

impl Recreation<'_> {
    /// Replaces `old`, as it was read, by a clean copy of `changed`, and returns the new object.
    pub(super) async fn run(&self, old: &Value, changed: &Value) -> Result<Value> {
        let kind = self.target.kind;
        let new = clean_copy(changed, kind, None);
        if self.write.dry_run == DryRun::Client {
            return self.agree(old).await.map(|()| new);
        }
        let checked = self.check_with_server(&new).await?;
        self.agree(old).await?;
        if self.write.dry_run == DryRun::Server {
            return Ok(checked);
        }
        let old_copy = clean_copy(old, kind, None);
        let saved = SavedManifest::save(&old_copy, &self.file_name()?)?;
        let restore = saved.restore_command(&self.session.globals.connection);
        self.session.ui.promise(&format!("if this is cut short, this brings the old one back: {restore}"));
        ui::interrupt::finishing(self.replace(old, &old_copy, &new, &saved, &restore)).await
    }

    /// Has the server check the new object, under a name that is free.
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

    /// A name that is free, and no longer than the target's where that is long: names of pods are made of it.
    fn trial_name(&self) -> Result<String> {
        let suffix = generated_suffix(random()?);
        let name = &self.target.name;
        let length = if name.len() > SHORT_NAME { name.len() - suffix.len() - 1 } else { name.len() };
        Ok(format!("{}-{suffix}", name[..length].trim_end_matches(['.', '-'])))
    }

    async fn agree(&self, old: &Value) -> Result<()> {
        let mut effects = vec![
            format!("{} in namespace {} is deleted; {}", self.target, self.namespace, self.loss(old)),
            "it is created anew under its name, with a new place in the queue".to_owned(),
        ];
        effects.extend_from_slice(self.differences);
        self.session.agree(self.write, &effects, &format!("Recreate {}?", self.target)).await
    }

    /// What stops with the old object.
    fn loss(&self, old: &Value) -> String {
        if self.target.kind.name != "Job" {
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

    /// Its own for every attempt: two that run at once must not remove each other's.
    fn file_name(&self) -> Result<String> {
        let own = generated_suffix(random()?);
        let Target { kind, name } = self.target;
        Ok(format!("{}-{}-{name}-{own}.json", kind.singular, self.namespace))
    }

    /// From here on the promise is kept by the order of the steps alone.
    async fn replace(
        &self,
        old: &Value,
        old_copy: &Value,
        new: &Value,
        saved: &SavedManifest,
        restore: &str,
    ) -> Result<Value> {
        let bring_back = || format!("to bring the old one back, if it is gone: {restore}");
        match self.delete(old, old_copy).await {
            Deleted::Going => {}
            Deleted::Untouched(error) => {
                saved.remove();
                return Err(error.hint(format!("{} is there as before; nothing was changed", self.target)));
            }
            Deleted::Unclear(error) => return Err(error.hint(bring_back())),
        }
        let uid = uid(old);
        self.wait_until_gone(uid).await.map_err(|error| error.hint(bring_back()))?;
        let refusal = match self.create(new, uid).await {
            Ok(object) => {
                saved.remove();
                return Ok(object);
            }
            Err(failure) => Error::from(failure),
        };
        if self.create(old_copy, uid).await.is_err() {
            return Err(refusal
                .hint(format!("the new {} could not be created", self.target))
                .hint(bring_back()));
        }
        saved.remove();
        Err(refusal.hint(format!("the old {} was put back as it was", self.target)))
    }

    /// Deletes the old object if it is still what was read.
    async fn delete(&self, old: &Value, old_copy: &Value) -> Deleted {
        let mut version = version(old).to_owned();
        // A request that got lost may still be on its way, whatever a look shows now.
        let mut may_come = false;
        let mut last = Error::failed(format!("{} could not be deleted", self.target));
        for _ in 0..DELETE_TRIES {
            let deleted = self.cluster.delete_workload(self.namespace, self.target, uid(old), &version).await;
            let failure = match deleted {
                Ok(()) => return Deleted::Going,
                Err(failure) if failure.is_not_found() => return Deleted::Going,
                Err(failure) => failure,
            };
            may_come |= failure.has_unknown_effect();
            let again = failure.is_conflict() || failure.may_pass();
            last = failure.into();
            if !again {
                break;
            }
            let now = match self.look_patiently().await {
                Ok(Some(now)) => now,
                Ok(None) => return Deleted::Going,
                Err(_) => break,
            };
            if uid(&now) == uid(old) && is_going(&now) {
                return Deleted::Going;
            }
            if uid(&now) != uid(old) || clean_copy(&now, self.target.kind, None) != *old_copy {
                let changed = format!("{} was changed by somebody else meanwhile", self.target);
                last = Error::failed(changed).hint("run the command again");
                break;
            }
            // Only its status moved on, which it does all the time.
            self::version(&now).clone_into(&mut version);
        }
        if may_come { Deleted::Unclear(last) } else { Deleted::Untouched(last) }
    }

    async fn wait_until_gone(&self, uid_before: &str) -> Result<()> {
        let limit = if self.limit.is_zero() { LONGEST_LIMIT } else { self.limit };
        let started = Instant::now();
        let mut pause = Duration::from_millis(20);
        let mut holding = String::new();
        loop {
            match self.look().await {
                Ok(None) => return Ok(()),
                Ok(Some(now)) if uid(&now) != uid_before => {
                    return Err(Error::failed(format!(
                        "somebody else created another {} meanwhile",
                        self.target
                    )));
                }
                Ok(Some(now)) => holding = what_holds(&now),
                // The server may be away for a moment; the time limit below holds all the same.
                Err(_) => {}
            }
            if started.elapsed() > limit {
                let seconds = limit.as_secs();
                return Err(Error::failed(format!(
                    "{} is still not gone after {seconds} s{holding}",
                    self.target
                )));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Creates an object under the target's name, again while it is not clear whether it worked.
    ///
    /// A second try can't make a second object: the name is taken then, which says that an earlier one worked.
    async fn create(&self, object: &Value, uid_before: &str) -> Result<Value, Failure> {
        let (kind, write) = (self.target.kind, self.write.write());
        let started = Instant::now();
        let mut may_exist = false;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let failure = match self.cluster.create_workload(self.namespace, kind, object, write).await {
                Ok(object) => return Ok(object),
                Err(failure) => failure,
            };
            may_exist |= failure.has_unknown_effect();
            // A conflict is a quota's, which many write at once: it did nothing.
            let passes =
                failure.may_pass() || failure.is_conflict() || (failure.is_already_exists() && may_exist);
            let last = !passes || attempt == CREATE_TRIES || started.elapsed() > CREATE_LIMIT;
            if may_exist && (last || failure.is_already_exists()) {
                match self.look_patiently().await {
                    Ok(Some(now)) if uid(&now) != uid_before => return Ok(now),
                    _ => {}
                }
            }
            if last {
                return Err(failure);
            }
            tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
        }
    }

    async fn look(&self) -> Result<Option<Value>, Failure> {
        match self.cluster.workload(self.namespace, self.target).await {
            Ok(object) => Ok(Some(object)),
            Err(failure) if failure.is_not_found() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Looks again while the server is away, for a while.
    async fn look_patiently(&self) -> Result<Option<Value>, Failure> {
        let started = Instant::now();
        loop {
            match self.look().await {
                Err(failure) if failure.may_pass() && started.elapsed() < LOOK_LIMIT => {
                    tokio::time::sleep(LONGEST_PAUSE / 2).await;
                }
                outcome => return outcome,
            }
        }
    }
}

fn uid(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}

fn version(object: &Value) -> &str {
    object["metadata"]["resourceVersion"].as_str().unwrap_or_default()
}

fn is_going(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

fn what_holds(object: &Value) -> String {
    let finalizers = object["metadata"]["finalizers"].as_array();
    let finalizers: Vec<&str> = finalizers.into_iter().flatten().filter_map(Value::as_str).collect();
    if finalizers.is_empty() {
        String::new()
    } else {
        format!(": it waits for {}", wording::list(finalizers))
    }
}
