//! What is behind the front door: the in-process API server or the real one, asked in the same way.

use std::sync::Arc;

use http_body_util::combinators::BoxBody;
use hyper::body::Bytes;
use hyper::{Request, Response};

use crate::api::ApiServer;
use crate::forward::Forwarder;

/// The body of an answer.
pub(crate) enum Payload {
    Whole(Bytes),
    /// A watch, which has no end.
    Stream(BoxBody<Bytes, std::io::Error>),
}

impl Payload {
    /// Bytes of the body; a stream counts as none.
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
    pub(crate) async fn answer(&self, request: Request<Bytes>, certificate: Option<&str>) -> Response<Payload> {
        match self {
            Backend::InProcess(server) => server.answer(&request, certificate),
            Backend::Real(forwarder) => forwarder.answer(request, certificate).await,
        }
    }
}
