//! One request, described before it is sent.

use bytes::Bytes;
use form_urlencoded::Serializer;
use http::{Method, Request, header};
use kube::client::Body;
use serde_json::json;

use super::failure::Effect;
use super::{Keep, Write};

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

/// A request to the API server. Paths are made of checked names, so they need no escaping.
#[derive(Clone)]
pub(crate) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    query: Vec<(&'static str, String)>,
    accept: &'static str,
    content_type: &'static str,
    pub(super) body: Bytes,
    /// The server is to keep nothing of it.
    dry: bool,
}

impl Call {
    pub(super) fn get(path: String) -> Self {
        Self::new(Method::GET, path, Bytes::new())
    }

    pub(super) fn create(path: String, body: Bytes, write: Write<'_>) -> Self {
        Self::new(Method::POST, path, body).written_as(write)
    }

    pub(super) fn replace(path: String, body: Bytes, write: Write<'_>) -> Self {
        Self::new(Method::PUT, path, body).written_as(write)
    }

    /// A JSON merge patch (RFC 7386).
    pub(super) fn merge_patch(path: String, body: Bytes, write: Write<'_>) -> Self {
        let mut call = Self::new(Method::PATCH, path, body).written_as(write);
        call.content_type = "application/merge-patch+json";
        call
    }

    /// Deletes the object with this UID if it still has this version.
    pub(super) fn delete(path: String, uid: &str, version: &str, left: Dependents, keep: Keep) -> Self {
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
        let call = Self::new(Method::DELETE, path, Bytes::from(options.to_string()));
        Self { dry: keep == Keep::No, ..call }
    }

    fn new(method: Method, path: String, body: Bytes) -> Self {
        let json = "application/json";
        Self { method, path, query: Vec::new(), accept: json, content_type: json, body, dry: false }
    }

    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(super) fn metadata_only(mut self) -> Self {
        self.accept = METADATA;
        self
    }

    pub(super) fn metadata_list(mut self) -> Self {
        self.accept = METADATA_LIST;
        self
    }

    pub(super) fn table(mut self) -> Self {
        self.accept = TABLE;
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
        if self.method == Method::GET || self.dry { Effect::None } else { Effect::Unknown }
    }

    /// Path and query, as the server's audit log has them. Holds names, never values.
    pub(super) fn target(&self) -> String {
        if self.query.is_empty() {
            return self.path.clone();
        }
        let query = Serializer::new(String::new()).extend_pairs(&self.query).finish();
        format!("{}?{query}", self.path)
    }

    pub(super) fn to_request(&self) -> Request<Body> {
        Request::builder()
            .method(&self.method)
            .uri(self.target())
            .header(header::ACCEPT, self.accept)
            .header(header::CONTENT_TYPE, self.content_type)
            .body(Body::from(self.body.clone()))
            .expect("paths are made of checked names and queries are escaped")
    }
}
