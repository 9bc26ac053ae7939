//! A connection to an API server. Each request has a time limit, is shown with `-v`, and is repeated only if
//! the server said that it did nothing.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::response::Parts;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Body;
use serde::de::DeserializeOwned;
use tower::BoxError;

use super::address;
use super::call::Effect;
use super::call::{Call, Shape};
use super::failure::{Failure, Missing, shortened};
use super::login::Credential;
use super::proof::{self, Head, Kept, Proof, Wrong};
use super::size::{self, Limit};
use super::slots::Slots;
use super::transport::Wire;
use super::transport_error::TransportError;
use super::versions::Versions;
use super::{Attendance, config};
use crate::error::Result;
use crate::flags::Connection;
use crate::project::Project;
use crate::ui::{Ui, Values};
use crate::workload::Kind;

/// The limit for all pauses between the tries of one request together.
const PATIENCE: Duration = Duration::from_secs(30);
const TRIES: u32 = 5;

/// The longest silence while a request has no time limit of its own. API servers give up after 60 s.
const SILENCE: Duration = Duration::from_secs(90);

/// The API server, as one user sees it.
pub(crate) struct Cluster {
    pub(super) wire: Box<Wire>,
    slots: Slots,
    pub(super) ui: Ui,
    /// The time limit of one request.
    limit: Duration,
    /// The time limit between two signs of the server.
    silence: Duration,
    /// The bytes of all answers under way.
    held: Cell<usize>,
    /// The reads of secrets whose answers are still to come.
    pub(super) unread: Cell<usize>,
    /// The paths that were read whole, secrets with their values among them.
    pub(super) read: RefCell<BTreeSet<String>>,
    /// The UIDs that this run has deleted, or tried to delete: no new object can have one of them.
    deleted: RefCell<BTreeSet<String>>,
    /// Host and port, for error messages.
    server: String,
    /// Host, port and path: many clusters may share a host and differ in the path.
    address: String,
    /// The context's namespace, or its default.
    default_namespace: String,
    pub(super) versions: Versions,
    /// The projects that this run has asked for by name.
    pub(super) named_projects: RefCell<BTreeMap<String, Vec<Project>>>,
    /// The namespaces that were taken for those of projects, by project.
    pub(super) guessed_projects: RefCell<BTreeMap<String, String>>,
}

impl Cluster {
    /// Reads the kubeconfig and prepares the credentials. Sends nothing to the API server yet.
    ///
    /// # Errors
    /// The kubeconfig or the credentials can't be used.
    pub(crate) async fn connect(flags: &Connection, ui: &Ui) -> Result<Self> {
        Self::connect_as(flags, Attendance::Attended, ui).await
    }

    /// Connects where nobody can be asked or told anything.
    ///
    /// # Errors
    /// The kubeconfig or the credentials can't be used, or the credential plugin needs a terminal.
    pub(crate) async fn connect_unattended(flags: &Connection) -> Result<Self> {
        Self::connect_as(flags, Attendance::Unattended, &Ui::silent()).await
    }

    async fn connect_as(flags: &Connection, attendance: Attendance, ui: &Ui) -> Result<Self> {
        let (settings, login) = config::load(flags, attendance, ui)?;
        let (server, limit) = (address::host_and_port(&settings.server), settings.limit);
        let address = format!("{server}{}", settings.server.path());
        let default_namespace = settings.namespace.clone();
        if let Some(account) = settings.proxy.as_ref().and_then(|proxy| proxy.user.as_ref()) {
            ui.never_quote(account.password.as_bytes());
        }
        let wire = Box::new(Wire::ready(settings, login).await?);
        let is_unlimited = flags.request_timeout.is_some_and(|limit| limit.is_zero());
        Ok(Self {
            wire,
            slots: Slots::new(),
            ui: ui.clone(),
            limit,
            silence: if is_unlimited { SILENCE } else { limit },
            held: Cell::new(0),
            unread: Cell::new(0),
            read: RefCell::default(),
            deleted: RefCell::default(),
            server,
            address,
            default_namespace,
            versions: Versions::default(),
            named_projects: RefCell::default(),
            guessed_projects: RefCell::default(),
        })
    }

    pub(crate) fn default_namespace(&self) -> &str {
        &self.default_namespace
    }

    /// Returns host, port and path, which identify the API server.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn not_served(&self, kind: &Kind, missing: Missing) -> Failure {
        Failure::not_served(&self.server, kind, missing)
    }

    /// Sends a request, and reads the answer once it is proven to be about the requested object.
    ///
    /// # Errors
    /// The request failed, or something other than the API server answered.
    pub(super) async fn object<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Failure> {
        let body = self.proven(call).await?;
        size::check_tree(&body, Limit::of(call)).map_err(|limit| self.too_large(call, limit))?;
        // serde's own message quotes the text it could not read, which may be a value.
        serde_json::from_slice(&body).map_err(|error| self.wrong(call, proof::instead(&error, &body)))
    }

    /// Sends a request, and drops the answer once it is proven to be about the requested object.
    pub(super) async fn done(&self, call: &Call) -> Result<(), Failure> {
        self.proven(call).await.map(drop)
    }

    async fn proven(&self, call: &Call) -> Result<Bytes, Failure> {
        if call.method == Method::DELETE && call.effect() == Effect::Unknown {
            self.deleted.borrow_mut().extend(call.uid.clone());
        }
        let body = self.send(call).await?;
        let Proof { uid, kept } = proof::of_answer(call, &body).map_err(|wrong| self.wrong(call, wrong))?;
        if call.method == Method::POST && uid.is_some_and(|uid| self.deleted.borrow().contains(&uid)) {
            return Err(self.wrong(call, Wrong::Instead("the object that was deleted")));
        }
        if kept == Kept::Unclear {
            let there = self.send(&Call::get(call.place.clone())).await?;
            proof::of_content(call, &there).map_err(|wrong| self.wrong(call, wrong))?;
        }
        self.note_read(call);
        Ok(body)
    }

    /// Sends a request for a page of a list, and reads the page once it is proven to be one.
    pub(super) async fn page<R>(
        &self,
        call: &Call,
        read: impl FnOnce(&[u8]) -> serde_json::Result<(R, Head)>,
    ) -> Result<R, Failure> {
        let body = self.send(call).await?;
        let (page, head) =
            read(&body).map_err(|error| self.wrong(call, proof::of_unreadable_page(call, &error, &body)))?;
        proof::of_page(call, &head).map_err(|wrong| self.wrong(call, wrong))?;
        Ok(page)
    }

    /// Builds the failure for an answer that has a success code but is not the answer to this request.
    pub(super) fn wrong(&self, call: &Call, wrong: Wrong) -> Failure {
        let topic = self.topic(call);
        Failure::wrong(&self.server, call, wrong).in_words_of(|text| self.ui.quotable(text, &topic))
    }

    /// Builds the failure for a list that never ends.
    pub(super) fn endless(&self, call: &Call) -> Failure {
        Failure::wrong(&self.server, call, Wrong::Instead("a list without an end"))
    }

    /// Sends a request, again if the server refused it for the moment, and returns the body of a success.
    /// Callers must prove the body before they use it.
    async fn send(&self, call: &Call) -> Result<Bytes, Failure> {
        let target = call.target().map_err(|name| Failure::impossible(&self.server, name))?;
        self.learn(call, &call.body);
        let mut waited = Duration::ZERO;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let read = call.reads_secrets().then(|| Unread::new(&self.unread));
            let failure = match self.send_once(call, &target, read).await {
                Ok(body) => return Ok(body),
                Err(failure) => failure,
            };
            let Some(pause) = failure.pause_before_repeat(call.effect(), attempt) else {
                return Err(failure);
            };
            let in_all = waited.saturating_add(pause);
            if attempt == TRIES || in_all > PATIENCE {
                return Err(failure);
            }
            self.ui.trace(&format!("again in {} ms", pause.as_millis()));
            // A fuzz target gets thousands of these.
            if cfg!(not(test)) {
                tokio::time::sleep(pause).await;
            }
            waited = in_all;
        }
    }

    /// Sends a request; after a 401, which did nothing, sends it once more if there is another credential.
    /// A `read` of secrets is over once its answer was learned.
    async fn send_once(&self, call: &Call, target: &str, read: Option<Unread<'_>>) -> Result<Bytes, Failure> {
        let _slot = self.slots.slot(call).await;
        let login = &self.wire.login;
        let no_credential = |error| Failure::without_credential(&self.server, error);
        let credential = login.credential().await.map_err(no_credential)?;
        let (mut head, mut body) = Box::pin(self.send_as(call, target, &credential)).await?;
        if head.status != StatusCode::UNAUTHORIZED {
            credential.is_accepted();
        } else if let Some(renewed) = login.after_refusal(&credential).await.map_err(no_credential)? {
            self.ui.trace("again with a new credential");
            (head, body) = Box::pin(self.send_as(call, target, &renewed)).await?;
            if head.status != StatusCode::UNAUTHORIZED {
                renewed.is_accepted();
            }
        }
        if head.status.is_success() {
            self.learn(call, &body);
        }
        drop(read);
        Box::pin(self.show_warnings(call, &head)).await;
        if head.status.is_success() {
            Ok(body)
        } else {
            Err(Box::pin(self.refused(call, head.status, &head.headers, &body)).await)
        }
    }

    pub(super) async fn send_as(
        &self,
        call: &Call,
        target: &str,
        credential: &Rc<Credential>,
    ) -> Result<(Parts, Bytes), Failure> {
        let request = call.to_request(target).map_err(|_| Failure::too_long(&self.server))?;
        let started = Instant::now();
        let exchange = Box::pin(self.exchange(call, request, credential));
        let outcome = tokio::time::timeout(self.limit, exchange).await;
        let outcome =
            outcome.unwrap_or_else(|_| Err(self.without_answer(call, TransportError::TooSlow(self.limit))));
        let took = started.elapsed().as_millis();
        let line = format!("{} {target}", call.method);
        let (head, body) =
            outcome.inspect_err(|_| self.ui.trace(&format!("{line} no answer in {took} ms")))?;
        let (sent, received, status) = (call.body.len(), body.len(), head.status.as_u16());
        self.ui.trace(&format!("{line} {status} in {took} ms, {sent} bytes sent, {received} received"));
        Ok((head, body))
    }

    async fn exchange(
        &self,
        call: &Call,
        request: Request<Full<Bytes>>,
        credential: &Rc<Credential>,
    ) -> Result<(Parts, Bytes), Failure> {
        let answer = self.in_motion(call, self.wire.send(request, credential)).await?;
        let (head, body) = answer.map_err(|error| self.lost(call, &*error))?.into_parts();
        self.slots.answered_in(head.version);
        let is_success = head.status.is_success();
        let limit = if is_success { Limit::of(call) } else { Limit::Refusal };
        match self.read(call, body, limit).await {
            // The text of a refusal is not needed: its code says enough.
            Err(failure) if failure.is_too_large() && !is_success => Ok((head, Bytes::new())),
            body => body.map(|body| (head, body)),
        }
    }

    /// Reads a body, unpacked, up to the longest answer of an API server.
    async fn read(
        &self,
        call: &Call,
        body: impl Body<Data = Bytes, Error = BoxError>,
        limit: Limit,
    ) -> Result<Bytes, Failure> {
        let mut body = pin!(body);
        let mut read = BytesMut::new();
        let mut held = Held { all: &self.held, own: 0 };
        while let Some(frame) = self.in_motion(call, body.frame()).await? {
            let frame = frame.map_err(|error| self.lost(call, &*error))?;
            let Ok(data) = frame.into_data() else { continue };
            if read.len() + data.len() > limit.most() {
                return Err(self.too_large(call, limit));
            }
            if held.add(data.len()) > Limit::Together.most() {
                return Err(self.too_large(call, Limit::Together));
            }
            read.extend_from_slice(&data);
        }
        Ok(read.freeze())
    }

    /// Waits for the next sign of the server.
    async fn in_motion<T>(&self, call: &Call, next: impl Future<Output = T>) -> Result<T, Failure> {
        let next = tokio::time::timeout(self.silence, next).await;
        next.map_err(|_| self.without_answer(call, TransportError::TooSlow(self.silence)))
    }

    fn too_large(&self, call: &Call, limit: Limit) -> Failure {
        self.without_answer(call, TransportError::TooLarge(limit))
    }

    fn without_answer(&self, call: &Call, trouble: TransportError) -> Failure {
        Failure::without_answer(&self.server, call, trouble)
    }

    fn lost(&self, call: &Call, error: &(dyn std::error::Error + 'static)) -> Failure {
        Failure::lost(&self.server, error, call)
    }

    async fn refused(&self, call: &Call, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
        let retry_after = headers
            .get(header::RETRY_AFTER)
            .and_then(|seconds| seconds.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let failure = Failure::refused(&self.server, status, body, retry_after, call);
        let login = &self.wire.login;
        let failure = match status {
            StatusCode::UNAUTHORIZED => failure.because(login.why_refused()),
            _ if failure.is_of_nobody() => failure.because(login.why_unseen()),
            _ => failure,
        };
        let topic = self.topic_of(call, &failure.texts()).await;
        failure.in_words_of(|text| self.ui.quotable(text, &topic))
    }

    /// Shows the server's warnings. kube-client 5.0.0 drops them; kubectl shows them. The form is `299 -
    /// "text"` (RFC 7234, section 5.5).
    async fn show_warnings(&self, call: &Call, head: &Parts) {
        for warning in head.headers.get_all(header::WARNING) {
            if let Some((_, quoted)) = warning.to_str().ok().and_then(|text| text.split_once('"')) {
                let text = quoted.rsplit_once('"').map_or(quoted, |(text, _)| text).replace("\\\"", "\"");
                let mut topic = self.topic_of(call, &[&text]).await;
                if call.reads_secrets() && !(head.status.is_success() && call.shape == Shape::Whole) {
                    topic.values = Values::Unknown;
                }
                self.ui.warning(&shortened(&self.ui.quotable(&text, &topic)));
            }
        }
    }
}

/// One read of secrets whose answer is still to come.
struct Unread<'a>(&'a Cell<usize>);

impl<'a> Unread<'a> {
    fn new(all: &'a Cell<usize>) -> Self {
        all.set(all.get() + 1);
        Self(all)
    }
}

impl Drop for Unread<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// The bytes of one answer among those of all that are under way.
struct Held<'a> {
    all: &'a Cell<usize>,
    own: usize,
}

impl Held<'_> {
    /// Adds some bytes, and returns the total of all answers.
    fn add(&mut self, bytes: usize) -> usize {
        self.own += bytes;
        self.all.set(self.all.get() + bytes);
        self.all.get()
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.all.set(self.all.get().saturating_sub(self.own));
    }
}
