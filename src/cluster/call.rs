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

/// Asks for `metadata` alone: no value of a secret crosses the wire.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// Asks for names and columns, as kubectl prints them.
const TABLE: &str = "application/json;as=Table;g=meta.k8s.io;v=v1";

/// Everything that is served, in one answer. Servers before Kubernetes 1.30 know the second form, or only the
/// last.
const AGGREGATED_DISCOVERY: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
    application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// The deletion policy for the objects that a deleted one owns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dependents {
    /// It owns none.
    None,
    /// The object stays until its dependents are gone.
    GoFirst,
}

/// The form in which the answer is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Whole,
    Metadata,
    Table,
}

/// What comes beside the cells of each row of a table.
#[derive(Clone, Copy)]
pub(crate) enum Beside {
    Nothing,
    Metadata,
}

/// The effect of a request whose answer never came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// None: the request only reads, or never arrived.
    None,
    /// None, since it was a dry run.
    Tried,
    Unknown,
}

/// A request to the API server, and the object that its answer has to be about.
#[derive(Clone)]
pub(crate) struct Call {
    pub(super) method: Method,
    pub(super) place: Place,
    query: Vec<(&'static str, String)>,
    accept: &'static str,
    pub(super) shape: Shape,
    content_type: &'static str,
    pub(super) body: Bytes,
    /// The name of a new object, if the place has none.
    pub(super) name: Option<String>,
    /// The UID of the object to change or delete, if known.
    pub(super) uid: Option<String>,
    /// The version of the object that the change is made to, where it names one.
    pub(super) version: Option<String>,
    /// The request is a dry run: the server keeps nothing of it.
    dry: bool,
    /// The secret that a webhook may quote, if the request is about another object.
    quotable: Option<Box<Place>>,
}

/// The parts of the request that the answer must repeat. Values are skipped.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Sent {
    metadata: SentMetadata,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct SentMetadata {
    name: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
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

    /// Builds a JSON merge patch (RFC 7386).
    pub(super) fn merge_patch(place: Place, body: Bytes, write: Write<'_>) -> Self {
        let mut call = Self::new(Method::PATCH, place, body).written_as(write);
        call.content_type = "application/merge-patch+json";
        call
    }

    /// Builds the deletion of the object with this UID if it still has this version.
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
            // A server ignores the query of a deletion with a body.
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
            version: sent.metadata.resource_version,
            dry: false,
            quotable: None,
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

    pub(super) fn table(mut self, beside: Beside) -> Self {
        (self.accept, self.shape) = (TABLE, Shape::Table);
        let objects = match beside {
            Beside::Nothing => "None",
            Beside::Metadata => "Metadata",
        };
        self.query("includeObject", objects)
    }

    pub(super) fn aggregated_discovery(self) -> Self {
        Self { accept: AGGREGATED_DISCOVERY, ..self }
    }

    fn written_as(self, write: Write<'_>) -> Self {
        let call = self.query("fieldManager", write.field_manager).query("fieldValidation", write.validation);
        match write.keep {
            Keep::Yes => call,
            Keep::No => Self { dry: true, ..call.query("dryRun", "All") },
        }
    }

    /// Returns what the request may change, for when its outcome is unknown.
    pub(super) fn effect(&self) -> Effect {
        match (&self.method, self.dry) {
            (&Method::GET, _) => Effect::None,
            (_, true) => Effect::Tried,
            (_, false) => Effect::Unknown,
        }
    }

    /// Returns path and query, as the server's audit log has them. Holds names, never values.
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

    /// Builds the HTTP request to this target.
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

    /// Returns true if the request or its answer may hold values of secrets.
    pub(super) fn is_about_secrets(&self) -> bool {
        self.place.object().is_some_and(|objects| objects.kind == "Secret")
    }

    /// Returns true if it reads secrets, with or without their values.
    pub(super) fn reads_secrets(&self) -> bool {
        self.method == Method::GET && self.is_about_secrets()
    }

    /// Returns true if its answer is a list.
    pub(super) fn is_list(&self) -> bool {
        self.method == Method::GET && self.place.object().is_some_and(|objects| objects.name.is_none())
    }

    /// Names the secret that texts about this request may quote.
    pub(super) fn beside_secret(self, secret: Place) -> Self {
        Self { quotable: Some(Box::new(secret)), ..self }
    }

    /// Returns a request that reads this request's secret whole; none if it is not about a single existing
    /// secret.
    pub(super) fn reading_its_secret(&self) -> Option<Self> {
        if let Some(secret) = &self.quotable {
            return Some(Self::get(Place::clone(secret)));
        }
        let is_one = self.place.object().is_some_and(|objects| objects.name.is_some());
        (self.is_about_secrets() && is_one).then(|| Self::get(self.place.clone()))
    }

    /// Returns all names in the request, none of which holds a value: path, query, and the object's own.
    pub(super) fn names(&self) -> String {
        let kind = self.place.object().map_or("", |objects| objects.kind);
        format!("{} {kind} {}", self.target().unwrap_or_default(), self.object_name().unwrap_or_default())
    }

    /// Describes the object or the list that the answer has to be about.
    pub(super) fn wanted(&self) -> String {
        match self.place.object() {
            Some(objects) => objects.in_words(self.object_name()),
            None => "what the API server says of itself".to_owned(),
        }
    }

    /// Returns the command that shows the state of the object.
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
