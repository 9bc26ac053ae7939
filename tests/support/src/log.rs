//! The requests to the cluster, for a test to inspect afterwards.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::Request;
use hyper::body::Bytes;
use serde_json::Value;

/// One request as it came through the front door.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub method: String,
    pub path: String,
    /// As sent, still encoded; empty if there is none.
    pub query: String,
    /// Names are in lower case; the value of `authorization` is `<redacted>`.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The status of the answer; `None` before it, and for ever if the connection was dropped.
    pub status: Option<u16>,
    /// Bytes of the answer's body.
    pub answer_size: usize,
    /// From the request's arrival to its answer.
    pub took: Duration,
    /// Requests under way when this one came, itself included.
    pub in_flight: usize,
    arrived: Instant,
}

impl Recorded {
    /// Returns `GET /api/v1/secrets?limit=500`.
    pub fn line(&self) -> String {
        let mark = if self.query.is_empty() { "" } else { "?" };
        format!("{} {}{mark}{}", self.method, self.path, self.query)
    }

    /// Returns `GET /api/v1/secrets`: the line without its query.
    pub fn call(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Returns the body as JSON; `null` if it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Returns a header's value; the name is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// Returns true for a dry run.
    pub fn is_dry_run(&self) -> bool {
        self.query.split('&').any(|option| option == "dryRun=All")
    }

    /// Returns true if it changes the cluster, or would but for a dry run.
    pub fn is_write(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD")
            && !self.path.starts_with("/apis/authorization.k8s.io/")
    }
}

/// The log of a world.
#[derive(Default)]
pub(crate) struct Log {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    requests: Vec<Recorded>,
    in_flight: usize,
    /// The number of times the log was cleared: a late answer must not touch a newer entry.
    age: usize,
}

/// A request under way; dropping it lowers their count.
pub(crate) struct Ticket<'a> {
    log: &'a Log,
    place: usize,
    age: usize,
}

impl Log {
    pub(crate) fn begin(&self, request: &Request<Bytes>) -> Ticket<'_> {
        let headers = request.headers().iter().map(|(name, value)| {
            let value = if name == "authorization" {
                "<redacted>".into()
            } else {
                String::from_utf8_lossy(value.as_bytes())
            };
            (name.to_string(), value.into_owned())
        });
        let mut state = self.state();
        state.in_flight += 1;
        let recorded = Recorded {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            headers: headers.collect(),
            body: request.body().to_vec(),
            status: None,
            answer_size: 0,
            took: Duration::ZERO,
            in_flight: state.in_flight,
            arrived: Instant::now(),
        };
        state.requests.push(recorded);
        Ticket { log: self, place: state.requests.len() - 1, age: state.age }
    }

    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.state().requests.clone()
    }

    pub(crate) fn clear(&self) {
        let mut state = self.state();
        state.requests.clear();
        state.age += 1;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket<'_> {
    pub(crate) fn answered(&self, status: u16, size: usize) {
        let mut state = self.log.state();
        if state.age == self.age
            && let Some(recorded) = state.requests.get_mut(self.place)
        {
            recorded.status = Some(status);
            recorded.answer_size = size;
            recorded.took = recorded.arrived.elapsed();
        }
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.log.state().in_flight -= 1;
    }
}
