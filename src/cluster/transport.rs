//! The sockets under a connection, and the headers of every request.
//!
//! hyper is put together here, because kube-client 5.0.0 leaves Nagle's algorithm on (kube-rs/kube#2056): the
//! request then waits for the server's delayed acknowledgement of the last packet of the TLS handshake, 40 ms
//! on Linux, four times as long as everything else takes. Its layers also panic at an address without a
//! scheme and at a token with a line end, and can't change a certificate.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::ext::on_informational;
use hyper::rt::{Read, Write};
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector, capture_connection};
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;
use rustls::sign::CertifiedKey;
use tokio::sync::{Mutex, Notify};
use tower::util::BoxCloneService;
use tower::{BoxError, Service, ServiceExt};
use tower_http::decompression::{Decompression, DecompressionBody};

use super::address::Account;
use super::config::{Compression, HttpVersions, Settings};
use super::login::{Credential, Login};
use super::proxy::{Kind, Proxy};
use super::stream::{Form, Stream, Watch};
use super::transport_error::Broken;
use super::{address, tls};
use crate::error::Result;

/// The most interim answers (1xx) to one request. API servers send none; a proxy may send a few.
const INTERIM: usize = 100;

type Http = BoxCloneService<Request<Full<Bytes>>, Response<DecompressionBody<Incoming>>, BoxError>;

/// The way to a server, for one user.
pub(super) struct Wire {
    settings: Settings,
    pub(super) login: Login,
    /// The connections of the certificate that was shown last.
    shown: RefCell<Option<Rc<Shown>>>,
}

struct Shown {
    identity: Option<Arc<CertifiedKey>>,
    client: Http,
    /// A request got the connection that was made last.
    is_met: Cell<bool>,
    /// Held by the request that makes a connection where there is none.
    first: Mutex<()>,
    watch: Watch,
}

/// The longest headers of an answer over HTTP/2, in bytes. A server may send 4 KiB of warnings, a proxy more.
const MOST_HEADERS: u32 = 256 << 10;

impl Wire {
    /// Prepares credentials and connections; sends nothing yet.
    ///
    /// # Errors
    /// A credential is missing, or the machine's own authorities can't be used.
    pub(super) async fn ready(settings: Settings, login: Login) -> Result<Self> {
        let wire = Self { settings, login, shown: RefCell::default() };
        let credential = wire.login.credential().await?;
        wire.shown_for(&credential)?;
        Ok(wire)
    }

    /// Sends one request and returns the answer, whose body is still to come.
    ///
    /// # Errors
    /// There is no connection, or no answer. The error is that of rustls, hyper or the system, for
    /// `transport_error`.
    pub(super) async fn send(
        &self,
        request: Request<Full<Bytes>>,
        credential: &Rc<Credential>,
    ) -> Result<Response<DecompressionBody<Incoming>>, BoxError> {
        let shown = self.shown_for(credential).map_err(|error| BoxError::from(error.to_string()))?;
        let (mut head, body) = request.into_parts();
        head.uri = address::join(&self.settings.server, &head.uri.to_string())?;
        head.headers.extend(self.settings.headers.clone());
        if let Some(header) = &credential.header {
            head.headers.insert(header::AUTHORIZATION, header.clone());
        }
        let mut request = Request::from_parts(head, body);
        let flood = stop_at_a_flood(&mut request);
        let answer = tokio::select! {
            answer = shown.send(request) => answer,
            () = flood.notified() => Err(Broken::Interim.into()),
        };
        answer.map_err(|error| shown.watch.instead_of(error))
    }

    /// Returns the connections for a credential. Another certificate needs its own.
    fn shown_for(&self, credential: &Credential) -> Result<Rc<Shown>> {
        let same = |shown: &&Rc<Shown>| match (&shown.identity, &credential.identity) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        };
        if let Some(shown) = self.shown.borrow().as_ref().filter(same) {
            return Ok(Rc::clone(shown));
        }
        let identity = credential.identity.clone();
        let watch = Watch::default();
        let client = client(&self.settings, identity.clone(), &watch)?;
        let (is_met, first) = (Cell::new(false), Mutex::default());
        let shown = Rc::new(Shown { identity, client, is_met, first, watch });
        *self.shown.borrow_mut() = Some(Rc::clone(&shown));
        Ok(shown)
    }
}

impl Shown {
    /// Sends a request. If there is no connection, the first request makes one; those that come meanwhile wait
    /// for it, since they can share it if it speaks HTTP/2.
    async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<DecompressionBody<Incoming>>, BoxError> {
        let client = self.client.clone();
        if self.is_connected() {
            return client.oneshot(request).await;
        }
        let turn = self.first.lock().await;
        if self.is_connected() {
            drop(turn);
            return client.oneshot(request).await;
        }
        self.is_met.set(false);
        let mut connection = capture_connection(&mut request);
        let mut answer = pin!(client.oneshot(request));
        tokio::select! {
            biased;
            answer = &mut answer => return answer,
            _ = connection.wait_for_connection_metadata() => self.is_met.set(true),
        }
        drop(turn);
        answer.await
    }

    fn is_connected(&self) -> bool {
        self.is_met.get() && self.watch.connections() > 0
    }
}

/// Returns the signal that too many interim answers have come.
fn stop_at_a_flood(request: &mut Request<Full<Bytes>>) -> Arc<Notify> {
    let flood = Arc::new(Notify::new());
    let (signal, come) = (Arc::clone(&flood), AtomicUsize::new(0));
    on_informational(request, move |_| {
        if come.fetch_add(1, Ordering::Relaxed) == INTERIM {
            signal.notify_one();
        }
    });
    flood
}

/// Builds a client that shows this certificate, through the settings' proxy, if any.
fn client(settings: &Settings, identity: Option<Arc<CertifiedKey>>, watch: &Watch) -> Result<Http> {
    let tls = tls::client_config(&settings.trust, identity)?;
    let tcp = tcp(settings.connect_limit);
    Ok(match &settings.proxy {
        None => over(settings, tls, watch, tcp, Form::Path),
        Some(Proxy { kind: Kind::Socks5, address, user }) => {
            let socks = SocksV5::new(address.clone(), tcp);
            let socks = match user {
                Some(Account { name, password }) => socks.with_auth(name.to_string(), password.to_string()),
                None => socks,
            };
            // hyper-util 0.1 takes 443 for the port of every scheme.
            over(settings, tls, watch, socks.map_request(address::with_port), Form::Path)
        }
        Some(proxy @ Proxy { kind: Kind::Https, .. }) => {
            // What is asked of a proxy itself is asked in HTTP/1.1.
            let to_proxy = encrypted(settings, tls.clone(), HttpVersions::First, tcp);
            by_proxy(settings, tls, watch, to_proxy, proxy)
        }
        Some(proxy @ Proxy { kind: Kind::Http, .. }) => by_proxy(settings, tls, watch, tcp, proxy),
    })
}

/// Builds a client for which an HTTP proxy, to which `connector` leads, makes a tunnel to the server. As with
/// Go, requests to a server without TLS are passed on one by one: few proxies make a tunnel to its port.
fn by_proxy<C>(settings: &Settings, tls: ClientConfig, watch: &Watch, connector: C, proxy: &Proxy) -> Http
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + Read + Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    let (address, account) = (proxy.address.clone(), proxy.user.as_ref().map(Account::basic));
    if settings.server.scheme_str() == Some("https") {
        let tunnel = Tunnel::new(address, connector);
        let tunnel = account.into_iter().fold(tunnel, Tunnel::with_auth);
        return over(settings, tls, watch, tunnel, Form::Path);
    }
    let to_proxy = connector
        .map_request(move |_: Uri| address.clone())
        .map_err(|error: C::Error| BoxError::from(Broken::Proxy(error.into())));
    let http = over(settings, tls, watch, to_proxy, Form::Url);
    BoxCloneService::new(http.map_request(move |mut request: Request<Full<Bytes>>| {
        let header = account.iter().map(|account| (header::PROXY_AUTHORIZATION, account.clone()));
        request.headers_mut().extend(header);
        request
    }))
}

fn tcp(limit: Duration) -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(limit));
    tcp
}

fn encrypted<C>(
    settings: &Settings,
    tls: ClientConfig,
    versions: HttpVersions,
    connector: C,
) -> HttpsConnector<C> {
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
    let builder = match &settings.server_name {
        Some(name) => builder.with_server_name_resolver(FixedServerNameResolver::new(name.clone())),
        None => builder,
    };
    match versions {
        HttpVersions::First => builder.enable_http1().wrap_connector(connector),
        HttpVersions::Both => builder.enable_http1().enable_http2().wrap_connector(connector),
    }
}

fn over<C>(settings: &Settings, tls: ClientConfig, watch: &Watch, connector: C, form: Form) -> Http
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + Read + Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    let watch = watch.clone();
    let connector = encrypted(settings, tls, settings.versions, connector)
        .map_response(move |inner| Stream::new(inner, form, watch.clone()));
    let http: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new())
        .http2_max_header_list_size(MOST_HEADERS)
        // What was not sent is sent again by `Cluster::send`, and so waits for the connection that another makes.
        .retry_canceled_requests(false)
        .build(connector);
    let service = Decompression::new(http).gzip(settings.compression == Compression::Gzip);
    BoxCloneService::new(service.map_err(BoxError::from))
}
