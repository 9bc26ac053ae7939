//! A connection to an API server: each request is limited in time, shown with `-v`, and repeated only where the
//! server said that it did nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri, header};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use super::call::Call;
use super::failure::{Failure, Missing, shortened};
use super::versions::Versions;
use super::{Attendance, config, transport};
use crate::cli::Connection;
use crate::error::Result;
use crate::project::Project;
use crate::ui::Ui;
use crate::workload::Kind;

/// How long all waiting between the tries of one request may take together.
const PATIENCE: Duration = Duration::from_secs(30);
const TRIES: u32 = 5;

/// How many requests are under way at once, whatever the command.
const IN_FLIGHT: usize = 16;

/// The API server, as one user sees it.
pub(crate) struct Cluster {
    client: kube::Client,
    slots: Semaphore,
    ui: Ui,
    /// Time limit of one request.
    limit: Duration,
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
        let (config, limit) = config::load(flags, attendance).await?;
        let server = host_and_port(&config.cluster_url);
        let address = format!("{server}{}", config.cluster_url.path());
        let default_namespace = match config.default_namespace.as_str() {
            "" => "default".to_owned(),
            namespace => namespace.to_owned(),
        };
        let client = transport::client(&config).map_err(|error| config::unusable(&server, &error))?;
        let slots = Semaphore::new(IN_FLIGHT);
        Ok(Self {
            client,
            slots,
            ui: ui.clone(),
            limit,
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

    /// Sends a request and reads its answer as JSON.
    pub(super) async fn json<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Failure> {
        let body = self.send(call).await?;
        serde_json::from_slice(&body).map_err(|_| self.unreadable(call))
    }

    /// An answer is not what it should be. serde's own message quotes what it could not read, which may be a value.
    pub(super) fn unreadable(&self, call: &Call) -> Failure {
        Failure::unreadable(&self.server, call.effect())
    }

    /// Sends a request, again where the server refused it for the moment, and returns the body of the success.
    pub(super) async fn send(&self, call: &Call) -> Result<Bytes, Failure> {
        let mut waited = Duration::ZERO;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let failure = match self.send_once(call).await {
                Ok(body) => return Ok(body),
                Err(failure) => failure,
            };
            let Some(pause) = failure.pause_before_repeat(call.effect(), attempt) else {
                return Err(failure);
            };
            if attempt == TRIES || waited + pause > PATIENCE {
                return Err(failure);
            }
            self.ui.trace(&format!("again in {} ms", pause.as_millis()));
            tokio::time::sleep(pause).await;
            waited += pause;
        }
    }

    async fn send_once(&self, call: &Call) -> Result<Bytes, Failure> {
        let _slot = self.slots.acquire().await.expect("nobody closes the semaphore");
        let started = Instant::now();
        let exchange = async {
            let answer =
                self.client.send(call.to_request()).await.map_err(|error| self.lost(call, &error))?;
            let (head, body) = answer.into_parts();
            let body = body.collect().await.map_err(|error| self.lost(call, &error))?.to_bytes();
            Ok((head, body))
        };
        let outcome = tokio::time::timeout(self.limit, exchange).await;
        let outcome =
            outcome.unwrap_or_else(|_| Err(Failure::too_slow(&self.server, self.limit, call.effect())));
        let took = started.elapsed().as_millis();
        let line = format!("{} {}", call.method, call.target());
        let (head, body) =
            outcome.inspect_err(|_| self.ui.trace(&format!("{line} no answer in {took} ms")))?;
        let (sent, received, status) = (call.body.len(), body.len(), head.status.as_u16());
        self.ui.trace(&format!("{line} {status} in {took} ms, {sent} bytes sent, {received} received"));
        self.show_warnings(&head.headers);
        if head.status.is_success() {
            Ok(body)
        } else {
            Err(self.refused(call, head.status, &head.headers, &body))
        }
    }

    fn lost(&self, call: &Call, error: &(dyn std::error::Error + 'static)) -> Failure {
        Failure::lost(&self.server, error, call.effect())
    }

    fn refused(&self, call: &Call, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
        let retry_after = headers
            .get(header::RETRY_AFTER)
            .and_then(|seconds| seconds.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let failure = Failure::refused(&self.server, status, body, retry_after, call.effect());
        failure.in_words_of(|text| self.ui.quotable(text))
    }

    /// kube drops these; kubectl shows them. The form is `299 - "text"` (RFC 7234, section 5.5).
    fn show_warnings(&self, headers: &HeaderMap) {
        for warning in headers.get_all(header::WARNING) {
            if let Some((_, quoted)) = warning.to_str().ok().and_then(|text| text.split_once('"')) {
                let text = quoted.rsplit_once('"').map_or(quoted, |(text, _)| text);
                self.ui.warning(&shortened(&self.ui.quotable(&text.replace("\\\"", "\""))));
            }
        }
    }
}

/// The address without the user and the password that a URL may hold.
pub(super) fn host_and_port(server: &Uri) -> String {
    let authority = server.authority().map_or("", |authority| authority.as_str());
    authority.rsplit_once('@').map_or(authority, |(_, address)| address).to_owned()
}
