//! Forwards requests to the real API server, byte for byte, with two exceptions.
//!
//! A client known by its certificate is impersonated, since the certificate is the front door's. And a list
//! of namespaces shows only the world's own, because the tests share one control plane.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONNECTION, HOST, HeaderValue, TRANSFER_ENCODING};
use hyper::{Method, Request, Response, Uri, Version};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio_rustls::rustls::ClientConfig;

use crate::api::respond;
use crate::backend::Payload;

/// A client of the real API server, on behalf of a world's clients.
pub(crate) struct Forwarder {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    server: String,
    admin_token: String,
    /// A label selector that finds the world's namespaces.
    own_namespaces: String,
}

impl Forwarder {
    /// Connects to `server`, an `https://host:port`.
    pub(crate) fn new(tls: ClientConfig, server: &str, admin_token: &str, own_namespaces: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_only()
            .enable_http1()
            .wrap_connector(connector);
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            server: server.to_owned(),
            admin_token: admin_token.to_owned(),
            own_namespaces: own_namespaces.to_owned(),
        }
    }

    pub(crate) async fn answer(
        &self,
        request: Request<Bytes>,
        certificate: Option<&str>,
    ) -> Response<Payload> {
        match self.forward(request, certificate).await {
            Ok(response) => response,
            Err(error) => {
                respond(502, "text/plain", format!("the real API server could not be reached: {error}\n"))
            }
        }
    }

    async fn forward(
        &self,
        request: Request<Bytes>,
        certificate: Option<&str>,
    ) -> Result<Response<Payload>, Box<dyn std::error::Error + Send + Sync>> {
        let (mut head, body) = request.into_parts();
        let endless =
            head.uri.query().is_some_and(|query| query.contains("watch=") || query.contains("follow="));
        head.uri = self.address_of(&head.method, &head.uri).parse()?;
        head.version = Version::HTTP_11;
        for header in [HOST, CONNECTION, TRANSFER_ENCODING] {
            head.headers.remove(header);
        }
        if let Some(user) = certificate.filter(|_| !head.headers.contains_key(AUTHORIZATION)) {
            head.headers
                .insert(AUTHORIZATION, HeaderValue::try_from(format!("Bearer {}", self.admin_token))?);
            head.headers.insert("impersonate-user", HeaderValue::try_from(user)?);
        }
        let response = self.client.request(Request::from_parts(head, Full::new(body))).await?;
        let (mut head, body) = response.into_parts();
        for header in [CONNECTION, TRANSFER_ENCODING] {
            head.headers.remove(header);
        }
        let payload = if endless {
            Payload::Stream(body.map_err(std::io::Error::other).boxed())
        } else {
            Payload::Whole(body.collect().await?.to_bytes())
        };
        Ok(Response::from_parts(head, payload))
    }

    fn address_of(&self, method: &Method, uri: &Uri) -> String {
        const SELECTOR: &str = "labelSelector=";
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let address = format!("{}{path}", self.server);
        if method != Method::GET || uri.path() != "/api/v1/namespaces" || self.own_namespaces.is_empty() {
            return address;
        }
        let own = &self.own_namespaces;
        match address.split_once(SELECTOR) {
            Some((before, selector)) if selector.is_empty() || selector.starts_with('&') => {
                format!("{before}{SELECTOR}{own}{selector}")
            }
            Some((before, selector)) => format!("{before}{SELECTOR}{own}%2C{selector}"),
            None => format!("{address}{}{SELECTOR}{own}", if path.contains('?') { '&' } else { '?' }),
        }
    }
}
