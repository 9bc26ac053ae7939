//! The API server behind the front door: the in-process one or the real one, asked in the same way.

use std::sync::Arc;

use http_body_util::combinators::BoxBody;
use hyper::body::Bytes;
use hyper::{Request, Response};
use serde_json::Value;

use crate::api::ApiServer;
use crate::forward::Forwarder;

/// The body of an answer.
pub(crate) enum Payload {
    Whole(Bytes),
    /// A watch, which has no end.
    Stream(BoxBody<Bytes, std::io::Error>),
}

impl Payload {
    /// Returns the bytes of the body; a stream counts as none.
    pub(crate) fn len(&self) -> usize {
        match self {
            Payload::Whole(bytes) => bytes.len(),
            Payload::Stream(_) => 0,
        }
    }
}

/// A cluster's API, without the faults that a test orders.
#[derive(Clone)]
pub(crate) enum Backend {
    InProcess(Arc<ApiServer>),
    Real(Arc<Forwarder>),
}

impl Backend {
    /// Carries out one request. `certificate` is the user whom the client's certificate names.
    pub(crate) async fn answer(
        &self,
        request: Request<Bytes>,
        certificate: Option<&str>,
    ) -> Response<Payload> {
        match self {
            Backend::InProcess(server) if ApiServer::is_watch(&request) => {
                server.watch(request, certificate.map(str::to_owned))
            }
            Backend::InProcess(server) => server.answer(&request, certificate),
            Backend::Real(forwarder) => forwarder.answer(request, certificate).await,
        }
    }
}

/// Asks a backend past the front door. Returns the status, and the body; `null` if that is not JSON.
pub(crate) async fn ask(
    backend: &Backend,
    token: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, Value) {
    let mut request = Request::builder()
        .method(method)
        .uri(path.replace(' ', "%20"))
        .header("authorization", format!("Bearer {token}"))
        .header("user-agent", "support/1");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request =
        request.body(Bytes::from(body.to_owned())).expect("a method, a path and headers make a request");
    let response = backend.answer(request, None).await;
    let body = match response.body() {
        Payload::Whole(bytes) => serde_json::from_slice(bytes).unwrap_or_default(),
        Payload::Stream(_) => Value::Null,
    };
    (response.status().as_u16(), body)
}
