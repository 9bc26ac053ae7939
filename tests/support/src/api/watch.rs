//! Watches: the list is read again and again, and changes become events.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Bytes, Frame};
use hyper::{Request, Response};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::ApiServer;
use super::store::text;
use crate::backend::Payload;

/// The delay of an event.
const PERIOD: Duration = Duration::from_millis(30);

impl ApiServer {
    /// Returns true for a watch.
    pub(crate) fn is_watch(request: &Request<Bytes>) -> bool {
        let query = request.uri().query().unwrap_or_default();
        query.split('&').any(|option| matches!(option, "watch=true" | "watch=1"))
    }

    /// Answers a watch with events until the client goes away.
    pub(crate) fn watch(
        self: &Arc<Self>,
        request: Request<Bytes>,
        user: Option<String>,
    ) -> Response<Payload> {
        let mut response = self.answer(&request, user.as_deref());
        if response.status() != 200 {
            return response;
        }
        let since = request.uri().query().unwrap_or_default().split('&').find_map(|option| {
            let revision = option.strip_prefix("resourceVersion=")?;
            revision.parse::<u64>().ok()
        });
        let (sender, events) = mpsc::channel(16);
        tokio::spawn(tell(Arc::clone(self), request, user, since.unwrap_or(0), sender));
        *response.body_mut() = Payload::Stream(BoxBody::new(Events(events)));
        response
    }

    fn items(&self, request: &Request<Bytes>, user: Option<&str>) -> Vec<Value> {
        let Payload::Whole(body) = self.answer(request, user).into_body() else { return Vec::new() };
        let mut list: Value = serde_json::from_slice(&body).unwrap_or_default();
        let kind = text(&list, "/kind").trim_end_matches("List").to_owned();
        let version = list["apiVersion"].clone();
        let items =
            list.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
        items
            .into_iter()
            .map(|mut item| {
                item["kind"] = kind.as_str().into();
                item["apiVersion"] = version.clone();
                item
            })
            .collect()
    }
}

async fn tell(
    server: Arc<ApiServer>,
    request: Request<Bytes>,
    user: Option<String>,
    since: u64,
    sender: mpsc::Sender<Value>,
) {
    let revision = |item: &Value| text(item, "/metadata/resourceVersion").parse::<u64>().unwrap_or(0);
    let mut known: BTreeMap<String, Value> = BTreeMap::new();
    let mut first = true;
    while !sender.is_closed() {
        let mut events = Vec::new();
        let mut gone = std::mem::take(&mut known);
        for item in server.items(&request, user.as_deref()) {
            let before = gone.remove(text(&item, "/metadata/uid"));
            let seen_by_the_list = first && revision(&item) <= since;
            match before {
                Some(before) if revision(&before) == revision(&item) => {}
                Some(_) => events.push(json!({"type": "MODIFIED", "object": item})),
                None if seen_by_the_list => {}
                None => events.push(json!({"type": "ADDED", "object": item})),
            }
            known.insert(text(&item, "/metadata/uid").to_owned(), item);
        }
        events.extend(gone.into_values().map(|item| json!({"type": "DELETED", "object": item})));
        for event in events {
            if sender.send(event).await.is_err() {
                return;
            }
        }
        first = false;
        tokio::time::sleep(PERIOD).await;
    }
}

/// Events, one a line.
struct Events(mpsc::Receiver<Value>);

impl Body for Events {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let event = self.0.poll_recv(context);
        event.map(|event| event.map(|event| Ok(Frame::data(Bytes::from(format!("{event}\n"))))))
    }
}
