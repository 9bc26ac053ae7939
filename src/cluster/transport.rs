//! The sockets under a connection, and the headers of every request.
//!
//! hyper is put together here, because kube-client 5.0.0 leaves Nagle's algorithm on (kube-rs/kube#2056): the
//! request then waits for the server's delayed acknowledgement of the last packet of the TLS handshake, 40 ms
//! on Linux, four times as long as everything else takes. Its layers also panic at an address without a
//! scheme and at a token with a line end, and can't change a certificate.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;
use rustls::sign::CertifiedKey;
use tower::util::BoxCloneService;
use tower::{BoxError, Service, ServiceExt};
use tower_http::decompression::{Decompression, DecompressionBody};
use zeroize::Zeroizing;

use super::config::{Compression, Settings};
use super::login::{Credential, Login};
use super::proxy::{Account, Kind, Proxy};
use super::{address, tls};
use crate::error::Result;

type Http = BoxCloneService<Request<Full<Bytes>>, Response<DecompressionBody<Incoming>>, BoxError>;

/// The way to a server, for one user.
pub(super) struct Wire {
    settings: Settings,
    pub(super) login: Login,
    /// The connections of the certificate that was shown last.
    client: RefCell<Option<Shown>>,
}

struct Shown {
    identity: Option<Arc<CertifiedKey>>,
    client: Http,
}

impl Wire {
    /// Prepares credentials and connections; sends nothing yet.
    ///
    /// # Errors
    /// A credential is missing, or the machine's own authorities can't be used.
    pub(super) async fn ready(settings: Settings, login: Login) -> Result<Self> {
        let wire = Self { settings, login, client: RefCell::default() };
        let credential = wire.login.credential().await?;
        wire.client_for(&credential)?;
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
        let client = self.client_for(credential).map_err(|error| BoxError::from(error.to_string()))?;
        let (mut head, body) = request.into_parts();
        head.uri = address::join(&self.settings.server, &head.uri.to_string())?;
        head.headers.extend(self.settings.headers.clone());
        if let Some(header) = &credential.header {
            head.headers.insert(header::AUTHORIZATION, header.clone());
        }
        client.oneshot(Request::from_parts(head, body)).await
    }

    /// Returns the client for a credential. Another certificate needs connections of its own.
    fn client_for(&self, credential: &Credential) -> Result<Http> {
        let same = |shown: &&Shown| match (&shown.identity, &credential.identity) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        };
        if let Some(shown) = self.client.borrow().as_ref().filter(same) {
            return Ok(shown.client.clone());
        }
        let identity = credential.identity.clone();
        let client = client(&self.settings, identity.clone())?;
        *self.client.borrow_mut() = Some(Shown { identity, client: client.clone() });
        Ok(client)
    }
}

/// Builds a client that shows this certificate, through the settings' proxy, if any.
fn client(settings: &Settings, identity: Option<Arc<CertifiedKey>>) -> Result<Http> {
    let tls = tls::client_config(&settings.trust, identity)?;
    let tcp = tcp(settings.connect_limit);
    Ok(match &settings.proxy {
        None => over(settings, tls, tcp),
        Some(Proxy { kind: Kind::Socks5, address, user }) => {
            let socks = SocksV5::new(address.clone(), tcp);
            over(
                settings,
                tls,
                match user {
                    Some(Account { name, password }) => {
                        socks.with_auth(name.to_string(), password.to_string())
                    }
                    None => socks,
                },
            )
        }
        Some(Proxy { kind: Kind::Https, address, user }) => {
            let proxy = encrypted(settings, tls.clone(), tcp);
            over(settings, tls, authorized(Tunnel::new(address.clone(), proxy), user.as_ref()))
        }
        Some(Proxy { kind: Kind::Http, address, user }) => {
            over(settings, tls, authorized(Tunnel::new(address.clone(), tcp), user.as_ref()))
        }
    })
}

fn tcp(limit: Duration) -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(limit));
    tcp
}

/// Adds the header with user and password to the requests for the proxy.
fn authorized<C>(tunnel: Tunnel<C>, user: Option<&Account>) -> Tunnel<C> {
    let Some(Account { name, password }) = user else { return tunnel };
    let pair = Zeroizing::new(format!("{}:{}", name.as_str(), password.as_str()));
    let basic = Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(pair.as_bytes())));
    let mut header = HeaderValue::from_str(&basic).expect("base64 is ASCII");
    header.set_sensitive(true);
    tunnel.with_auth(header)
}

fn encrypted<C>(settings: &Settings, tls: ClientConfig, connector: C) -> HttpsConnector<C> {
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
    let builder = match &settings.server_name {
        Some(name) => builder.with_server_name_resolver(FixedServerNameResolver::new(name.clone())),
        None => builder,
    };
    builder.enable_http1().wrap_connector(connector)
}

fn over<C>(settings: &Settings, tls: ClientConfig, connector: C) -> Http
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + Read + Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    let http: Client<_, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).build(encrypted(settings, tls, connector));
    let service = Decompression::new(http).gzip(settings.compression == Compression::Gzip);
    BoxCloneService::new(service.map_err(BoxError::from))
}
