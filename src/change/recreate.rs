//! An object that can't be changed is deleted, and created again under its name: the steps of that, each tried until it is
//! clear what became of it or its time is over.

pub(crate) mod saved_manifest;
pub(crate) mod secret;
pub(crate) mod workload;

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cluster::Failure;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::wording;

/// How long creating is tried again where the server is not well: between the two the cluster has neither object.
pub(crate) const PATIENCE: Duration = if cfg!(test) { NO_TIME_TO_LOSE } else { Duration::from_mins(2) };

/// How long it is tried to put the old one back: the server was given its time already.
pub(crate) const PATIENCE_TO_PUT_BACK: Duration =
    if cfg!(test) { NO_TIME_TO_LOSE } else { Duration::from_secs(20) };

/// A fuzz target sees a thousand servers that are not well.
const NO_TIME_TO_LOSE: Duration = Duration::from_millis(1);

const DELETE_TRIES: u32 = 5;
/// The longest pause between two looks at an object that is going, and between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What became of a deletion that was tried until it was clear.
pub(crate) enum Deleted {
    /// It is gone, or on its way.
    Going,
    /// It is there as it was.
    Untouched(Error),
    /// The server can't be reached any more.
    Unclear(Error),
}

/// An object on its way from the old one to the new one.
pub(crate) trait DeleteAndCreate {
    /// What creates one.
    type Body;

    /// What it is called: `job.batch/train`, `secret hf`.
    fn subject(&self) -> String;

    fn session(&self) -> &Session<'_>;

    /// How long a look is repeated where the server is away.
    fn read_limit(&self) -> Duration;

    /// Whether an object that was written to since it was read is all the same what was read.
    fn is_still(&self, now: &Value) -> bool;

    async fn read(&self) -> Result<Option<Value>, Failure>;

    async fn delete_once(&self, uid: &str, version: &str) -> Result<(), Failure>;

    async fn create_once(&self, body: &Self::Body) -> Result<Value, Failure>;

    /// The object that an earlier try made whose answer was lost; none where there is none, or it is somebody else's.
    async fn made(&self, body: &Self::Body, uid_before: &str) -> Result<Option<Value>, Failure>;

    /// Deletes the old object if it is still what was read.
    async fn delete(&self, old: &Value) -> Deleted {
        let mut version = version(old).to_owned();
        // A request that got lost may still be on its way, whatever a look shows now.
        let mut may_come = false;
        let mut last = Error::failed(format!("{} could not be deleted", self.subject()));
        for _ in 0..DELETE_TRIES {
            let failure = match self.delete_once(uid(old), &version).await {
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
            let now = match self.read_patiently().await {
                Ok(Some(now)) => now,
                Ok(None) => return Deleted::Going,
                Err(_) => break,
            };
            if uid(&now) == uid(old) && is_going(&now) {
                return Deleted::Going;
            }
            if uid(&now) != uid(old) || !self.is_still(&now) {
                let changed = format!("{} was changed by somebody else meanwhile", self.subject());
                last = Error::failed(changed).hint("run the command again");
                break;
            }
            // Only its status moved on, which it does all the time.
            self::version(&now).clone_into(&mut version);
        }
        if may_come { Deleted::Unclear(last) } else { Deleted::Untouched(last) }
    }

    /// Waits until the old object is gone. Where the server is away that can't be seen, and is no reason to give up sooner
    /// than a look is.
    async fn wait_until_gone(&self, uid_before: &str, limit: Duration) -> Result<()> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(20);
        let mut holding = String::new();
        loop {
            let mut limit = limit;
            match self.read().await {
                Ok(None) => return Ok(()),
                Ok(Some(now)) if uid(&now) != uid_before => {
                    return Err(Error::failed(format!(
                        "somebody else created another {} meanwhile",
                        self.subject()
                    )));
                }
                Ok(Some(now)) => holding = what_holds(&now),
                Err(_) => limit = limit.max(self.read_limit()),
            }
            if started.elapsed() > limit {
                let seconds = limit.as_secs();
                return Err(Error::failed(format!(
                    "{} is still there after {seconds} s{holding}",
                    self.subject()
                )));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Creates an object under the name, again while it is not clear whether it worked.
    ///
    /// A second try can't make a second object: the name is taken then, which says that an earlier one worked.
    async fn create(&self, body: &Self::Body, uid_before: &str, limit: Duration) -> Result<Value, Failure> {
        let started = Instant::now();
        let mut may_exist = false;
        let mut pause = Duration::from_millis(200);
        let mut is_told = false;
        loop {
            let failure = match self.create_once(body).await {
                Ok(object) => return Ok(object),
                Err(failure) => failure,
            };
            may_exist |= failure.has_unknown_effect();
            if may_exist {
                match self.made(body, uid_before).await {
                    Ok(Some(made)) => return Ok(made),
                    Ok(None) if failure.is_already_exists() => return Err(failure),
                    Ok(None) | Err(_) => {}
                }
            }
            // A conflict is a quota's, which many write at once: it did nothing.
            let passes =
                failure.may_pass() || failure.is_conflict() || (failure.is_already_exists() && may_exist);
            if !passes || started.elapsed() > limit {
                return Err(failure);
            }
            if pause == LONGEST_PAUSE && !std::mem::replace(&mut is_told, true) {
                let (subject, seconds) = (self.subject(), limit.as_secs());
                let note = format!(
                    "the server does not accept {subject} yet; trying again, for {seconds} s at most"
                );
                self.session().ui.note(&note);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Looks again while the server is away, for a while.
    async fn read_patiently(&self) -> Result<Option<Value>, Failure> {
        let started = Instant::now();
        loop {
            match self.read().await {
                Err(failure) if failure.may_pass() && started.elapsed() < self.read_limit() => {
                    tokio::time::sleep(LONGEST_PAUSE / 2).await;
                }
                outcome => return outcome,
            }
        }
    }
}

pub(crate) fn uid(object: &Value) -> &str {
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
