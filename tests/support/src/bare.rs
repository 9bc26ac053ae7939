//! A cluster without a front door, for tests that ask it many thousands of times.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::api::ApiServer;
use crate::backend::Payload;
use crate::control_plane::ADMIN_TOKEN;
use crate::runtime::{runtime, wait_for};

/// An in-process API server that is asked by calls. Every caller is its administrator. Delayed events happen
/// at the next request.
pub struct Bare(ApiServer);

impl Default for Bare {
    fn default() -> Self {
        Self(ApiServer::new(ADMIN_TOKEN))
    }
}

impl Bare {
    /// Returns another cluster with the same objects.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self(self.0.fork())
    }

    /// Carries out a request.
    pub fn answer(&self, mut request: Request<Bytes>) -> Response<Bytes> {
        let token = HeaderValue::from_str(&format!("Bearer {ADMIN_TOKEN}")).expect("it is ASCII");
        request.headers_mut().insert(AUTHORIZATION, token);
        self.0.hurry();
        self.0.answer(&request, None).map(|payload| match payload {
            Payload::Whole(bytes) => bytes,
            Payload::Stream(_) => Bytes::new(),
        })
    }

    /// Creates an object; the path is the collection's.
    #[track_caller]
    pub fn create(&self, path: &str, object: &Value) {
        let request = Request::post(path)
            .header(CONTENT_TYPE, "application/json")
            .body(Bytes::from(object.to_string()))
            .expect("a path and a body make a request");
        let response = self.answer(request);
        let answer = String::from_utf8_lossy(response.body());
        assert!(response.status().is_success(), "POST {path}: {answer}");
    }

    /// Returns all objects, with the path of each.
    pub fn objects(&self) -> Vec<(String, Value)> {
        self.0.objects()
    }
}

/// A function that answers requests, as plain HTTP on loopback, until it is dropped.
pub struct Listening {
    address: SocketAddr,
    accepting: AbortHandle,
}

/// Listens for requests, and answers them.
pub fn listen(answer: impl Fn(Request<Bytes>) -> Response<Bytes> + Send + Sync + 'static) -> Listening {
    let listener = wait_for(TcpListener::bind("127.0.0.1:0")).expect("a free port on loopback");
    let address = listener.local_addr().expect("an address");
    let answer = Arc::new(answer);
    let accepting = runtime().spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream.set_nodelay(true));
            let answer = Arc::clone(&answer);
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = Arc::clone(&answer);
                async move {
                    let (head, body) = request.into_parts();
                    let body =
                        body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
                    Ok::<_, Infallible>(answer(Request::from_parts(head, body)).map(Full::new))
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    Listening { address, accepting: accepting.abort_handle() }
}

impl Listening {
    /// Returns `http://127.0.0.1:<port>`.
    pub fn server(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
