//! A connection to an API server: each request is limited in time, shown with `-v`, and repeated only where the
//! server said that it did nothing.

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
use tokio::sync::Semaphore;
use tower::BoxError;

use super::address;
use super::call::Effect;
use super::call::{Call, Shape};
use super::failure::{Failure, Missing, shortened};
use super::login::Credential;
use super::proof::{self, Head, Wrong};
use super::transport::Wire;
use super::transport_error::TransportError;
use super::versions::Versions;
use super::{Attendance, config};
use crate::error::Result;
use crate::flags::Connection;
use crate::project::Project;
use crate::ui::{Ui, Values};
use crate::workload::Kind;

/// How long all waiting between the tries of one request may take together.
const PATIENCE: Duration = Duration::from_secs(30);
const TRIES: u32 = 5;

/// How many requests are under way at once, whatever the command.
const IN_FLIGHT: usize = 16;

/// How long nothing may come where a request may take as long as it likes. API servers give up after 60 s.
const SILENCE: Duration = Duration::from_secs(90);

/// The longest answer, unpacked. A page has at most 500 objects, and the server's store takes none over 1.5 MiB.
const MOST: usize = 256 << 20;
/// Of one object: as a tree of JSON it may take fifty times as much memory.
pub(super) const MOST_OF_AN_OBJECT: usize = 16 << 20;
const MOST_OF_A_REFUSAL: usize = 8 << 20;
/// The longest of all answers that are under way.
const MOST_AT_ONCE: usize = 512 << 20;

/// The API server, as one user sees it.
pub(crate) struct Cluster {
    pub(super) wire: Box<Wire>,
    slots: Semaphore,
    pub(super) ui: Ui,
    /// Time limit of one request.
    limit: Duration,
    /// Time limit between two signs of the server.
    silence: Duration,
    /// How many bytes of answers are under way.
    held: Cell<usize>,
    /// The paths of what was read whole, secrets with their values among them.
    pub(super) read: RefCell<BTreeSet<String>>,
    /// The UIDs of what this run has deleted, or tried to: no new object can have one of them.
    deleted: RefCell<BTreeSet<String>>,
    /// Host and port, for error messages.
    server: String,
    /// The same with the path, which many clusters may share a host by.
    address: String,
    /// The context's namespace, or what stands for it.
    default_namespace: String,
    pub(super) versions: Versions,
    /// The projects that this run has asked for by name.
    pub(super) named_projects: RefCell<BTreeMap<String, Vec<Project>>>,
}

impl Cluster {
    /// Reads the kubeconfig and gets the credentials ready. Nothing is sent to the API server yet.
    pub(crate) async fn connect(flags: &Connection, ui: &Ui) -> Result<Self> {
        Self::connect_as(flags, Attendance::Attended, ui).await
    }

    /// The same where nobody is there to be asked or told anything.
    ///
    /// # Errors
    /// Also where the credential plugin needs somebody.
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
        let slots = Semaphore::new(IN_FLIGHT);
        let is_unlimited = flags.request_timeout.is_some_and(|limit| limit.is_zero());
        Ok(Self {
            wire,
            slots,
            ui: ui.clone(),
            limit,
            silence: if is_unlimited { SILENCE } else { limit },
            held: Cell::new(0),
            read: RefCell::default(),
            deleted: RefCell::default(),
            server,
            address,
            default_namespace,
            versions: Versions::default(),
            named_projects: RefCell::default(),
        })
    }

    pub(crate) fn default_namespace(&self) -> &str {
        &self.default_namespace
    }

    /// What tells the API server from others: host, port and path.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn not_served(&self, kind: &Kind, missing: Missing) -> Failure {
        Failure::not_served(&self.server, kind, missing)
    }

    /// Sends a request, and reads the answer that is proven to be about the object that was meant.
    ///
    /// # Errors
    /// Also where anything else answered.
    pub(super) async fn object<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Failure> {
        let body = self.proven(call).await?;
        // serde's own message quotes what it could not read, which may be a value.
        serde_json::from_slice(&body).map_err(|error| self.wrong(call, proof::instead(&error, &body)))
    }

    /// The same where nothing more of the answer is wanted than that it is done.
    pub(super) async fn done(&self, call: &Call) -> Result<(), Failure> {
        self.proven(call).await.map(drop)
    }

    async fn proven(&self, call: &Call) -> Result<Bytes, Failure> {
        if call.method == Method::DELETE && call.effect() == Effect::Unknown {
            self.deleted.borrow_mut().extend(call.uid.clone());
        }
        let body = self.send(call).await?;
        let uid = proof::of_answer(call, &body).map_err(|wrong| self.wrong(call, wrong))?;
        if call.method == Method::POST && uid.is_some_and(|uid| self.deleted.borrow().contains(&uid)) {
            return Err(self.wrong(call, Wrong::Instead("the object that was deleted")));
        }
        self.note_read(call);
        Ok(body)
    }

    /// Sends a request for a page of a list, and reads what is proven to be one.
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

    /// An answer with a code of success that is not the answer.
    pub(super) fn wrong(&self, call: &Call, wrong: Wrong) -> Failure {
        let topic = self.topic(call);
        Failure::wrong(&self.server, call, wrong).in_words_of(|text| self.ui.quotable(text, &topic))
    }

    /// A list that has no end.
    pub(super) fn endless(&self, call: &Call) -> Failure {
        Failure::wrong(&self.server, call, Wrong::Instead("a list that begins again and again"))
    }

    /// Sends a request, again where the server refused it for the moment, and returns the body of what is called a
    /// success. Nobody else may have it before it is proven.
    async fn send(&self, call: &Call) -> Result<Bytes, Failure> {
        let target = call.target().map_err(|name| Failure::impossible(&self.server, name))?;
        self.learn(call, &call.body);
        let mut waited = Duration::ZERO;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let failure = match self.send_once(call, &target).await {
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
            // A fuzz target sees thousands of these.
            if cfg!(not(test)) {
                tokio::time::sleep(pause).await;
            }
            waited = in_all;
        }
    }

    /// Sends a request, and once more with another credential where there is one after a 401, which did nothing.
    async fn send_once(&self, call: &Call, target: &str) -> Result<Bytes, Failure> {
        let _slot = self.slots.acquire().await.expect("nobody closes the semaphore");
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
        let is_success = head.status.is_success();
        let most = if call.is_of_a_list() { MOST } else { MOST_OF_AN_OBJECT };
        let most = if is_success { most } else { MOST_OF_A_REFUSAL };
        match self.read(call, body, most).await {
            // What a refusal has to say is short; that it is one, is known already.
            Err(failure) if failure.is_too_large() && !is_success => Ok((head, Bytes::new())),
            body => body.map(|body| (head, body)),
        }
    }

    /// Reads a body, unpacked, as long as it is no longer than anything that an API server sends.
    async fn read(
        &self,
        call: &Call,
        body: impl Body<Data = Bytes, Error = BoxError>,
        most: usize,
    ) -> Result<Bytes, Failure> {
        let mut body = pin!(body);
        let mut read = BytesMut::new();
        let mut held = Held { all: &self.held, own: 0 };
        while let Some(frame) = self.in_motion(call, body.frame()).await? {
            let frame = frame.map_err(|error| self.lost(call, &*error))?;
            let Ok(data) = frame.into_data() else { continue };
            if read.len() + data.len() > most || held.add(data.len()) > MOST_AT_ONCE {
                return Err(self.without_answer(call, TransportError::TooLarge(read.len())));
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

    /// kube drops these; kubectl shows them. The form is `299 - "text"` (RFC 7234, section 5.5).
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

/// The bytes of one answer among those of all that are under way.
struct Held<'a> {
    all: &'a Cell<usize>,
    own: usize,
}

impl Held<'_> {
    /// Adds some, and returns how many there are in all.
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
