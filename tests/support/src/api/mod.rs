//! The in-process API server: a small Kubernetes that answers as the real one does wherever the tests look.
//!
//! It is a verified fake: `tests/same_as_the_real_server` sends the same requests to both and compares. It
//! has no controllers (no Job makes a Pod), but garbage collection and the end of a namespace happen, a
//! moment later.

mod call;
mod defaults;
mod discovery;
mod failure;
mod fields;
mod metadata;
mod patch;
mod rbac;
mod resources;
mod review;
mod selectors;
mod store;
mod strategic;
mod table;
mod validation;
mod verbs;
mod watch;
mod write;

use std::sync::{Mutex, PoisonError};

use call::Call;
pub(crate) use call::Target;
pub(crate) use failure::Failure;
use hyper::body::Bytes;
use hyper::{Method, Request, Response};
use serde_json::Value;
use store::State;
pub(crate) use store::random;

use crate::backend::Payload;

/// A cluster in memory.
pub(crate) struct ApiServer {
    state: Mutex<State>,
}

/// The answer to a request.
pub(crate) struct Answer {
    code: u16,
    body: Value,
}

impl Answer {
    fn ok(body: Value) -> Self {
        Self { code: 200, body }
    }

    fn created(body: Value) -> Self {
        Self { code: 201, body }
    }
}

impl ApiServer {
    pub(crate) fn new(admin_token: &str) -> Self {
        Self { state: Mutex::new(State::new(admin_token)) }
    }

    /// Registers a token for a user without rights.
    pub(crate) fn add_user(&self, token: &str, name: &str) {
        self.with(|state| state.add_user(token, name, &[]));
    }

    pub(crate) fn answer(&self, request: &Request<Bytes>, certificate: Option<&str>) -> Response<Payload> {
        let answered = self.with(|state| state.serve(request, certificate));
        match answered {
            Ok(Reply::Json(answer)) => json(answer.code, &answer.body),
            Ok(Reply::AllGroups(all)) => respond(200, ALL_GROUPS, all.to_string()),
            Ok(Reply::Text(code, text)) => plain(code, text),
            Err(failure) => json(failure.code(), &failure.status()),
        }
    }

    /// Returns another server with the same objects.
    pub(crate) fn fork(&self) -> Self {
        Self { state: Mutex::new(self.with(|state| state.clone())) }
    }

    /// Makes delayed deletions happen at the next request.
    pub(crate) fn hurry(&self) {
        self.with(State::hurry);
    }

    /// Returns each object with its resource, namespace and name.
    pub(crate) fn objects(&self) -> Vec<(String, Value)> {
        self.with(|state| {
            let objects = state.objects.iter();
            objects
                .map(|((plural, namespace, name), object)| {
                    (format!("{plural}/{namespace}/{name}"), object.clone())
                })
                .collect()
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

const ALL_GROUPS: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

enum Reply {
    Json(Answer),
    /// All groups in one answer, whose form is known by its content type.
    AllGroups(Value),
    Text(u16, String),
}

impl State {
    fn serve(&mut self, request: &Request<Bytes>, certificate: Option<&str>) -> Result<Reply, Failure> {
        self.sweep();
        let user = self.authenticate(request.headers(), certificate)?;
        let Some(mut call) = Call::parse(request, user) else {
            let accept = call::text_of(request.headers(), "accept");
            return Ok(self.serve_path(request.uri().path(), &accept));
        };
        self.authorise(&mut call, request.headers())?;
        if let Some(answer) = self.review(&call)? {
            return Ok(Reply::Json(answer));
        }
        let Some(resource) = self.resource_of(&call.target) else {
            return if self.serves_group(&call.target) {
                Err(Failure::no_such_resource())
            } else {
                Ok(Reply::Text(404, "404 page not found\n".into()))
            };
        };
        let answer = match (&call.method, call.target.name.is_empty()) {
            (&Method::GET, false) => self.get(&resource, &call),
            (&Method::GET, true) => self.list(&resource, &call),
            (&Method::POST, _) => self.create(&resource, &call),
            (&Method::PUT, false) => self.update(&resource, &call),
            (&Method::PATCH, false) => self.patch(&resource, &call),
            (&Method::DELETE, false) => self.delete(&resource, &call),
            (&Method::DELETE, true) => self.delete_collection(&resource, &call),
            _ => Err(Failure::method_not_allowed()),
        }?;
        Ok(Reply::Json(answer))
    }

    /// Answers a path that names no resource: discovery, the version, health.
    fn serve_path(&self, path: &str, accept: &str) -> Reply {
        if let Some(all) = self.discover_all(path, accept) {
            return Reply::AllGroups(all);
        }
        match (path, self.discover(path)) {
            ("/healthz" | "/readyz" | "/livez", _) => Reply::Text(200, "ok".into()),
            (_, Some(body)) => Reply::Json(Answer::ok(body)),
            (_, None) => Reply::Text(404, "404 page not found\n".into()),
        }
    }
}

fn json(code: u16, body: &Value) -> Response<Payload> {
    respond(code, "application/json", body.to_string())
}

fn plain(code: u16, text: String) -> Response<Payload> {
    respond(code, "text/plain; charset=utf-8", text)
}

/// Builds an answer of the server itself.
pub(crate) fn respond(code: u16, content_type: &str, body: String) -> Response<Payload> {
    Response::builder()
        .status(code)
        .header("content-type", content_type)
        .body(Payload::Whole(Bytes::from(body)))
        .expect("a status and a header make an answer")
}
