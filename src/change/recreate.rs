//! Deletes an object that can't be changed, and creates it anew under its name. Each step is tried until its
//! result is clear or its time is over.

pub(crate) mod saved_manifest;
pub(crate) mod secret;
pub(crate) mod workload;

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cluster::Failure;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::wording;

/// How long creating is tried if the server is unavailable: until it works, the cluster has neither object.
pub(crate) const PATIENCE: Duration = if cfg!(test) { NO_TIME_TO_LOSE } else { Duration::from_mins(2) };

/// How long putting the old object back is tried: the server has had its time already.
pub(crate) const PATIENCE_TO_PUT_BACK: Duration =
    if cfg!(test) { NO_TIME_TO_LOSE } else { Duration::from_secs(20) };

/// Fuzz targets try a thousand unavailable servers.
const NO_TIME_TO_LOSE: Duration = Duration::from_millis(1);

const DELETE_TRIES: u32 = 5;
/// The longest pause between two looks at an object that is being deleted, and between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The result of a deletion that was tried until it was clear.
pub(crate) enum Deleted {
    /// It is gone, or is being deleted.
    Going,
    /// It is unchanged.
    Untouched(Error),
    /// The result is unknown: the server can't be reached.
    Unclear(Error),
}

/// An object that is deleted and created anew.
pub(crate) trait DeleteAndCreate {
    /// The body that creates an object.
    type Body;

    /// Returns the name for messages: `job.batch/train`, `secret hf`.
    fn subject(&self) -> String;

    fn session(&self) -> &Session<'_>;

    /// Returns how long a read is repeated while the server is unavailable.
    fn read_limit(&self) -> Duration;

    /// Reports whether an object is still what was read, although it was written to since.
    fn is_still(&self, now: &Value) -> bool;

    async fn read(&self) -> Result<Option<Value>, Failure>;

    async fn delete_once(&self, uid: &str, version: &str) -> Result<(), Failure>;

    async fn create_once(&self, body: &Self::Body) -> Result<Value, Failure>;

    /// Returns the object that an earlier try created whose answer was lost; none if there is none, or it is
    /// somebody else's.
    async fn made(&self, body: &Self::Body, uid_before: &str) -> Result<Option<Value>, Failure>;

    /// Deletes the old object if it is still what was read.
    async fn delete(&self, old: &Value) -> Deleted {
        let mut version = version(old).to_owned();
        // A lost request may still arrive, whatever a read shows now.
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
            // Only the status has changed, which happens all the time.
            self::version(&now).clone_into(&mut version);
        }
        if may_come { Deleted::Unclear(last) } else { Deleted::Untouched(last) }
    }

    /// Waits until the old object is gone. While the server is unavailable it waits at least as long as a
    /// read is repeated.
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

    /// Creates an object under the name, and repeats that while the result is unclear.
    ///
    /// A second try can't create a second object: the name is then taken, which shows that an earlier try
    /// worked.
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
            // A conflict comes from a quota that many write to at once: nothing was created.
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

    /// Reads, and repeats that for a while if the server is unavailable.
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
