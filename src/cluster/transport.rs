//! The sockets under a connection.
//!
//! kube's own builder leaves Nagle's algorithm on: the request then waits for the server's delayed acknowledgement of the
//! last packet of the TLS handshake, 40 ms on Linux, four times what all else takes. So the same stack is put together
//! here from kube's parts, with `TCP_NODELAY`.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderValue, Uri};
use hyper::rt::{Read, Write};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::rt::TokioExecutor;
use kube::Config;
use kube::client::{Body, ConfigExt};
use percent_encoding::percent_decode_str;
use tower::{BoxError, Service, ServiceBuilder};
use tower_http::decompression::DecompressionLayer;

/// A client for the cluster, through the proxy that the settings name, if any.
///
/// # Errors
/// The credentials or certificates of the settings can't be used.
pub(super) fn client(config: &Config) -> kube::Result<kube::Client> {
    let tcp = tcp(config.connect_timeout);
    let Some(proxy) = config.proxy_url.clone() else { return over(config, tcp) };
    match proxy.scheme_str() {
        Some("socks5") => over(config, SocksV5::new(proxy, tcp)),
        Some("https") => {
            let tls = config.rustls_https_connector_with_connector(tcp)?;
            over(config, authorized(Tunnel::new(proxy.clone(), tls), &proxy))
        }
        _ => over(config, authorized(Tunnel::new(proxy.clone(), tcp), &proxy)),
    }
}

fn tcp(limit: Option<Duration>) -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(limit);
    tcp
}

/// The user name and password in a proxy's address, as the header that the proxy wants.
fn authorized<C>(tunnel: Tunnel<C>, proxy: &Uri) -> Tunnel<C> {
    let user =
        proxy.authority().and_then(|authority| authority.as_str().rsplit_once('@')).map(|(user, _)| user);
    let header = user.map(|user| BASE64_STANDARD.encode(percent_decode_str(user).collect::<Vec<u8>>()));
    match header.and_then(|basic| HeaderValue::from_str(&format!("Basic {basic}")).ok()) {
        Some(mut header) => {
            header.set_sensitive(true);
            tunnel.with_auth(header)
        }
        None => tunnel,
    }
}

fn over<C>(config: &Config, connector: C) -> kube::Result<kube::Client>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + Read + Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    let connector = config.rustls_https_connector_with_connector(connector)?;
    let http: Client<_, Body> = Client::builder(TokioExecutor::new()).build(connector);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .layer(DecompressionLayer::new().gzip(!config.disable_compression))
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(http);
    Ok(kube::Client::new(service, config.default_namespace.as_str()))
}
