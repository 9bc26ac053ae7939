//! One request, described before it is sent.

use bytes::Bytes;
use form_urlencoded::Serializer;
use http::{Method, Request, header};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::json;

use super::place::{Impossible, Place};
use super::{Keep, Write};
use crate::command_line::CommandLine;

/// Only `metadata` comes back: no value of a secret crosses the wire.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// Names and columns for people, as kubectl prints them.
const TABLE: &str = "application/json;as=Table;g=meta.k8s.io;v=v1";

/// What becomes of the objects that a deleted one owns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dependents {
    /// There are none.
    None,
    /// The object stays until they are gone.
    GoFirst,
}

/// The form in which the answer is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Whole,
    Metadata,
    Table,
}

/// What a request may have changed that has no answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing: it only reads, or never arrived.
    None,
    /// Nothing, since it was a dry run.
    Tried,
    Unknown,
}

/// A request to the API server, and what its answer has to be about.
#[derive(Clone)]
pub(crate) struct Call {
    pub(super) method: Method,
    pub(super) place: Place,
    query: Vec<(&'static str, String)>,
    accept: &'static str,
    pub(super) shape: Shape,
    content_type: &'static str,
    pub(super) body: Bytes,
    /// The name of a new object, where the place has none.
    pub(super) name: Option<String>,
    /// The UID of the object that is changed or deleted, where it is known.
    pub(super) uid: Option<String>,
    /// The server is to keep nothing of it.
    dry: bool,
}

/// What is sent, as far as the answer has to have it too. Values are skipped.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Sent {
    metadata: SentMetadata,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SentMetadata {
    name: Option<String>,
    uid: Option<String>,
}

impl Call {
    pub(super) fn get(place: Place) -> Self {
        Self::new(Method::GET, place, Bytes::new())
    }

    pub(super) fn create(place: Place, body: Bytes, write: Write<'_>) -> Self {
        Self::new(Method::POST, place, body).written_as(write)
    }

    pub(super) fn replace(place: Place, body: Bytes, write: Write<'_>) -> Self {
        Self::new(Method::PUT, place, body).written_as(write)
    }

    /// A JSON merge patch (RFC 7386).
    pub(super) fn merge_patch(place: Place, body: Bytes, write: Write<'_>) -> Self {
        let mut call = Self::new(Method::PATCH, place, body).written_as(write);
        call.content_type = "application/merge-patch+json";
        call
    }

    /// Deletes the object with this UID if it still has this version.
    pub(super) fn delete(place: Place, uid: &str, version: &str, left: Dependents, keep: Keep) -> Self {
        let mut options = json!({
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "preconditions": { "uid": uid, "resourceVersion": version },
        });
        if left == Dependents::GoFirst {
            options["propagationPolicy"] = "Foreground".into();
        }
        if keep == Keep::No {
            // Where there is a body, the server does not read the query.
            options["dryRun"] = json!(["All"]);
        }
        let call = Self::new(Method::DELETE, place, Bytes::from(options.to_string()));
        Self { dry: keep == Keep::No, ..call }.of_uid(uid)
    }

    fn new(method: Method, place: Place, body: Bytes) -> Self {
        let json = "application/json";
        let sent: Sent = serde_json::from_slice(&body).unwrap_or_default();
        Self {
            method,
            place,
            query: Vec::new(),
            accept: json,
            shape: Shape::Whole,
            content_type: json,
            body,
            name: sent.metadata.name,
            uid: sent.metadata.uid,
            dry: false,
        }
    }

    /// Expects the answer to be about the object with this UID.
    pub(super) fn of_uid(self, uid: &str) -> Self {
        Self { uid: Some(uid.to_owned()), ..self }
    }

    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(super) fn metadata_only(mut self) -> Self {
        (self.accept, self.shape) = (METADATA, Shape::Metadata);
        self
    }

    pub(super) fn metadata_list(mut self) -> Self {
        (self.accept, self.shape) = (METADATA_LIST, Shape::Metadata);
        self
    }

    pub(super) fn table(mut self) -> Self {
        (self.accept, self.shape) = (TABLE, Shape::Table);
        self
    }

    fn written_as(self, write: Write<'_>) -> Self {
        let call = self.query("fieldManager", write.field_manager).query("fieldValidation", write.validation);
        match write.keep {
            Keep::Yes => call,
            Keep::No => Self { dry: true, ..call.query("dryRun", "All") },
        }
    }

    /// What it may change, for when it is not known what became of it.
    pub(super) fn effect(&self) -> Effect {
        match (&self.method, self.dry) {
            (&Method::GET, _) => Effect::None,
            (_, true) => Effect::Tried,
            (_, false) => Effect::Unknown,
        }
    }

    /// Whether the answer is a list, and so may be long.
    pub(super) fn is_of_a_list(&self) -> bool {
        self.method == Method::GET && self.place.object().is_some_and(|objects| objects.name.is_none())
    }

    /// Path and query, as the server's audit log has them. Holds names, never values.
    ///
    /// # Errors
    /// No object can have the name that would be in it.
    pub(super) fn target(&self) -> Result<String, Impossible> {
        let path = self.place.path.clone()?;
        if self.query.is_empty() {
            return Ok(path);
        }
        let query = Serializer::new(String::new()).extend_pairs(&self.query).finish();
        Ok(format!("{path}?{query}"))
    }

    /// The request to this target.
    ///
    /// # Errors
    /// The target is too long.
    pub(super) fn to_request(&self, target: &str) -> http::Result<Request<Full<Bytes>>> {
        Request::builder()
            .method(&self.method)
            .uri(target)
            .header(header::ACCEPT, self.accept)
            .header(header::CONTENT_TYPE, self.content_type)
            .body(Full::new(self.body.clone()))
    }

    /// Whether values of secrets are in it, or in its answer.
    pub(super) fn is_about_secrets(&self) -> bool {
        self.place.object().is_some_and(|objects| objects.kind == "Secret")
    }

    /// Whether it reads secrets, with their values or without.
    pub(super) fn reads_secrets(&self) -> bool {
        self.method == Method::GET && self.is_about_secrets()
    }

    /// Whether its answer is a list.
    pub(super) fn is_list(&self) -> bool {
        self.method == Method::GET && self.place.object().is_some_and(|objects| objects.name.is_none())
    }

    /// The same request's secret, read whole; nothing where it is about no single one that is there.
    pub(super) fn reading_its_secret(&self) -> Option<Self> {
        let is_one = self.place.object().is_some_and(|objects| objects.name.is_some());
        (self.is_about_secrets() && is_one).then(|| Self::get(self.place.clone()))
    }

    /// All names that the request has, none of which tells a value: path, query, and the object's own.
    pub(super) fn names(&self) -> String {
        let kind = self.place.object().map_or("", |objects| objects.kind);
        format!("{} {kind} {}", self.target().unwrap_or_default(), self.object_name().unwrap_or_default())
    }

    /// The object that the answer has to be about, or the list.
    pub(super) fn wanted(&self) -> String {
        match self.place.object() {
            Some(objects) => objects.in_words(self.object_name()),
            None => "what the API server says of itself".to_owned(),
        }
    }

    /// The command with which somebody sees what became of the object.
    pub(super) fn look(&self) -> Option<String> {
        let objects = self.place.object()?;
        let command = CommandLine::kubectl("get").arg(objects.in_kubectl());
        let command = match self.object_name() {
            Some(name) => command.arg(name),
            None => command,
        };
        Some(
            match &objects.namespace {
                Some(namespace) => command.namespace(namespace),
                None => command,
            }
            .to_string(),
        )
    }

    fn object_name(&self) -> Option<&str> {
        self.place.object()?.name.as_deref().or(self.name.as_deref())
    }
}
