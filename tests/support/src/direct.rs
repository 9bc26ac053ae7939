//! A client of the real API server that only sends requests: what a command can at best take.

use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::control_plane::{ADMIN_TOKEN, ControlPlane};
use crate::runtime::wait_for;

type Sender = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Creates objects over a connection of its own, so many at once, and returns how long that took from the first byte of
/// the connection to the last answer. A path is the collection's.
///
/// # Panics
/// The server refuses one.
pub fn post(objects: Vec<(String, Value)>, at_once: usize) -> Duration {
    let server = ControlPlane::shared().server();
    let request = |(path, object): (String, Value)| {
        Request::post(format!("{server}{path}"))
            .header(AUTHORIZATION, format!("Bearer {ADMIN_TOKEN}"))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(object.to_string())))
            .expect("a path and a body make a request")
    };
    let mut requests = objects.into_iter().map(request).collect::<Vec<_>>().into_iter();
    let sender = sender();
    let started = Instant::now();
    wait_for(async {
        // The others use its connection.
        if let Some(first) = requests.next() {
            send(&sender, first).await;
        }
        let mut under_way = JoinSet::new();
        for request in requests {
            if under_way.len() == at_once {
                under_way.join_next().await.expect("one is under way").expect("it does not fail");
            }
            let sender = sender.clone();
            under_way.spawn(async move { send(&sender, request).await });
        }
        under_way.join_all().await;
    });
    started.elapsed()
}

fn sender() -> Sender {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.enforce_http(false);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(ControlPlane::shared().tls())
        .https_only()
        .enable_http1()
        .enable_http2()
        .wrap_connector(connector);
    Client::builder(TokioExecutor::new()).build(connector)
}

async fn send(sender: &Sender, request: Request<Full<Bytes>>) {
    let response = sender.request(request).await.expect("the API server answers");
    let status = response.status();
    let answer = response.into_body().collect().await.expect("an answer has an end").to_bytes();
    assert!(status.is_success(), "{}", String::from_utf8_lossy(&answer));
}
