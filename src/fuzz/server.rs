//! A server in this process of which one answer is wrong.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use support::{Bare, Listening, listen};

use super::mutation::{Random, mutated};
use super::tree::mutated_tree;

/// The limit of requests, which no command comes near by itself.
const MOST_REQUESTS: usize = 400;

/// The answers to bend, and how.
pub(crate) struct Bend {
    pub(crate) request: Asked,
    /// The answers to the same request are bent from then on.
    pub(crate) lasting: bool,
    /// A write is kept from the server, and yet answered as if it were done.
    pub(crate) withheld: bool,
    pub(crate) random: Random,
}

/// A request. Requests that are under way at once come in any order, so it is identified by its words.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Method, path and query.
    pub(crate) line: String,
    /// The number of equal requests before it.
    pub(crate) before: usize,
}

/// A server's record of the requests.
#[derive(Default)]
struct Seen {
    requests: Vec<Asked>,
    /// There were too many requests: they would have gone on.
    endless: bool,
    /// A write was withheld, and the answer did not name the object.
    unproven: bool,
    /// The last bent answer, for looking into a failure.
    bent: String,
}

/// A server that commands can ask.
pub(crate) struct Server {
    inside: Arc<Inside>,
    listening: Listening,
}

struct Inside {
    bare: Bare,
    bend: Mutex<Option<Bend>>,
    seen: Mutex<Seen>,
}

impl Server {
    pub(crate) fn new(bare: Bare, bend: Option<Bend>) -> Self {
        let inside = Arc::new(Inside { bare, bend: Mutex::new(bend), seen: Mutex::default() });
        let answering = Arc::clone(&inside);
        Self { inside, listening: listen(move |request| answering.answer(request)) }
    }

    /// Returns the server's address.
    pub(crate) fn address(&self) -> String {
        self.listening.server()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.inside.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn requests(&self) -> Vec<Asked> {
        self.seen().requests.clone()
    }

    /// Returns true if the requests had no end.
    pub(crate) fn is_endless(&self) -> bool {
        self.seen().endless
    }

    /// Returns true if reporting success would lack proof.
    pub(crate) fn is_unproven(&self) -> bool {
        self.seen().unproven
    }

    /// Returns the last bent answer.
    pub(crate) fn bent(&self) -> String {
        self.seen().bent.clone()
    }

    /// Returns the content, without parts that differ each time.
    pub(crate) fn content(&self) -> Vec<(String, Value)> {
        let mut objects = self.inside.bare.objects();
        for (_, object) in &mut objects {
            for field in ["uid", "resourceVersion", "creationTimestamp", "managedFields", "generation"] {
                object["metadata"].as_object_mut().map(|metadata| metadata.remove(field));
            }
            forget_uids(object);
        }
        objects
    }
}

/// Drops the UIDs, which a Job also has in its labels and its selector.
fn forget_uids(tree: &mut Value) {
    match tree {
        Value::String(text) if text.len() == 36 && text.matches('-').count() == 4 => text.clear(),
        Value::Array(items) => items.iter_mut().for_each(forget_uids),
        Value::Object(fields) => fields.values_mut().for_each(forget_uids),
        _ => {}
    }
}

impl Inside {
    fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let line = format!("{} {}", request.method(), request.uri());
        let before = seen.requests.iter().filter(|asked| asked.line == line).count();
        let asked = Asked { line, before };
        seen.requests.push(asked.clone());
        if seen.requests.len() > MOST_REQUESTS {
            seen.endless = true;
            return Response::new(Bytes::new());
        }
        let mut bend = self.bend.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(bend) = bend.as_mut().filter(|bend| bend.is_meant(&asked)) else {
            return self.bare.answer(request);
        };
        let is_write = request.method() != Method::GET && !is_idle(&request);
        let withheld = is_write && bend.withheld;
        let right = if withheld { self.bare.fork().answer(request) } else { self.bare.answer(request) };
        let proof = right.body().clone();
        let answer = bent(right, &mut bend.random);
        if is_write {
            // The last try counts.
            seen.unproven = withheld && !(answer.status().is_success() && is_as_good(answer.body(), &proof));
        }
        seen.bent = format!("{} {}", answer.status(), String::from_utf8_lossy(answer.body()));
        answer
    }
}

/// Returns true for reviews and dry runs, which change nothing.
fn is_idle(request: &Request<Bytes>) -> bool {
    let uri = request.uri().to_string();
    uri.contains("reviews")
        || uri.contains("dryRun=")
        || String::from_utf8_lossy(request.body()).contains("dryRun")
}

/// Returns true if an answer says of the same object what the right one says. A `Status` has its identity in its details,
/// or none.
fn is_as_good(answer: &[u8], right: &[u8]) -> bool {
    let [answer, right] = [answer, right].map(|body| serde_json::from_slice::<Value>(body).ok());
    let (Some(answer), Some(right)) = (&answer, &right) else { return answer == right };
    let is_same = |part: &str, field: &str| answer[part][field] == right[part][field];
    let is_left_out = |field: &str| matches!(answer["details"][field].as_str(), None | Some(""));
    answer["kind"] == right["kind"]
        && answer["status"].as_str() == right["status"].as_str()
        && if right["kind"] == "Status" {
            ["name", "uid"].into_iter().all(|field| is_left_out(field) || is_same("details", field))
        } else {
            ["name", "namespace"].into_iter().all(|field| is_same("metadata", field))
        }
}

impl Bend {
    fn is_meant(&self, asked: &Asked) -> bool {
        let Asked { line, before } = &self.request;
        asked.line == *line && (asked.before == *before || self.lasting && asked.before > *before)
    }
}

fn bent(right: Response<Bytes>, random: &mut Random) -> Response<Bytes> {
    let (mut head, body) = right.into_parts();
    let tree: Value = serde_json::from_slice(&body).unwrap_or_default();
    let body = match random.below(10) {
        0..=5 => mutated_tree(&tree, random).to_string().into_bytes(),
        6 => mutated(&[body.to_vec()], &["\"continue\":\"x\"", "\"items\":", "\"metadata\":"], random),
        7 => strange(&tree, random),
        8 => {
            head.status = *random.pick(&STATUSES);
            failure(head.status, random).to_string().into_bytes()
        }
        _ => {
            let warnings = ["299 - \"a \\\"b\\\" \"", "299 - \"\\u001b[31m\"", "x", "299 - \"", "\""];
            let warning = *random.pick(&warnings);
            head.headers.insert("warning", HeaderValue::from_static(warning));
            head.status = if random.one_in(2) { head.status } else { *random.pick(&STATUSES) };
            mutated_tree(&tree, random).to_string().into_bytes()
        }
    };
    if random.one_in(8) {
        let waits = [
            "0",
            "1",
            "-5",
            "18446744073709551616",
            "18446744073709551615",
            "9999999999999",
            "x",
            "1.5",
            "Fri, 01 Jan 2100 00:00:00 GMT",
        ];
        let wait = *random.pick(&waits);
        head.headers.insert("retry-after", HeaderValue::from_static(wait));
    }
    Response::from_parts(head, Bytes::from(body))
}

const STATUSES: [StatusCode; 18] = [
    StatusCode::OK,
    StatusCode::CREATED,
    StatusCode::ACCEPTED,
    StatusCode::NO_CONTENT,
    StatusCode::FOUND,
    StatusCode::BAD_REQUEST,
    StatusCode::UNAUTHORIZED,
    StatusCode::FORBIDDEN,
    StatusCode::NOT_FOUND,
    StatusCode::METHOD_NOT_ALLOWED,
    StatusCode::CONFLICT,
    StatusCode::GONE,
    StatusCode::UNPROCESSABLE_ENTITY,
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::BAD_GATEWAY,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::GATEWAY_TIMEOUT,
];

fn failure(status: StatusCode, random: &mut Random) -> Value {
    let right = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "secrets \"hf\" is \u{1b}[31mwrong",
        "reason": *random.pick(&["AlreadyExists", "Conflict", "Invalid", "Expired", "Forbidden", "NotFound", "Timeout", ""]),
        "details": {"name": "hf", "kind": "secrets", "uid": "u", "retryAfterSeconds": 1, "causes": [
            {"reason": "FieldValueInvalid", "message": "Invalid value: \"x\": must be\nhint: b", "field": "data[a\u{202e}]"},
        ]},
        "code": status.as_u16(),
    });
    if random.one_in(2) { right } else { mutated_tree(&right, random) }
}

/// Returns something that is not an answer of an API server, or not the one to this request.
fn strange(tree: &Value, random: &mut Random) -> Vec<u8> {
    let status = |word: &str| {
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": word, "code": 200}).to_string()
    };
    let other = json!({"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "other", "namespace": "other", "uid": "x", "resourceVersion": "1"}});
    let deep = "[".repeat(5_000) + &"]".repeat(5_000);
    let all = [
        String::new(), "{}".to_owned(), "null".to_owned(), "[]".to_owned(), "1".to_owned(), "\"x\"".to_owned(), deep,
        "<html><body>login</body></html>".to_owned(), status("Failure"), status("Success"), other.to_string(),
        json!({"error": "login required"}).to_string(), json!({"metadata": {}}).to_string(),
        json!({"kind": "SecretList", "apiVersion": "v1", "metadata": {"continue": "x"}, "items": [tree]}).to_string(),
        json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "rows": [{"cells": ["a", "b", 1, "c"]}]}).to_string(),
    ];
    let text = random.pick(&all).clone();
    text.into_bytes()
}
