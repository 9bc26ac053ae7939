//! One request to the API, parsed: verb, target, options.

use std::collections::HashMap;

use hyper::body::Bytes;
use hyper::{HeaderMap, Method, Request, header};
use serde_json::Value;

use super::failure::{Cause, Failure};

/// The user of a request.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
}

/// The target that a path names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Target {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) plural: String,
    /// For RBAC: a Namespace is in itself.
    pub(crate) namespace: String,
    /// The object's namespace.
    pub(crate) in_namespace: String,
    pub(crate) name: String,
    pub(crate) subresource: String,
}

/// A request for a resource.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) query: HashMap<String, String>,
    pub(crate) accept: String,
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
    pub(crate) user: User,
    /// The name recorded as the owner of changed fields.
    pub(crate) manager: String,
}

impl Call {
    /// Parses a request. `None` if the path names no resource.
    pub(crate) fn parse(request: &Request<Bytes>, user: User) -> Option<Self> {
        let target = Target::parse(request.uri().path())?;
        let query = parse_query(request.uri().query().unwrap_or_default());
        let text = |name: header::HeaderName| text_of(request.headers(), name.as_str());
        let agent = text(header::USER_AGENT);
        let manager = match query.get("fieldManager") {
            Some(manager) => manager.clone(),
            None => {
                agent.split(['/', ' ']).next().filter(|name| !name.is_empty()).unwrap_or("unknown").to_owned()
            }
        };
        Some(Self {
            method: request.method().clone(),
            target,
            accept: text(header::ACCEPT),
            content_type: text(header::CONTENT_TYPE),
            body: request.body().clone(),
            query,
            user,
            manager,
        })
    }

    /// Returns the value of a query parameter; empty if there is none.
    pub(crate) fn option(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    /// Returns RBAC's verb.
    pub(crate) fn verb(&self) -> &'static str {
        verb(self.method.as_str(), &self.target, matches!(self.option("watch"), "true" | "1"))
    }

    /// Returns true if nothing may be stored.
    pub(crate) fn dry_run(&self) -> Result<bool, Failure> {
        match self.option("dryRun") {
            "" => Ok(false),
            "All" => Ok(true),
            other => {
                let options = match self.method {
                    Method::POST => "CreateOptions",
                    Method::PUT => "UpdateOptions",
                    Method::PATCH => "PatchOptions",
                    _ => "DeleteOptions",
                };
                let message = format!("Unsupported value: [\"{other}\"]: supported values: \"All\"");
                let cause = Cause::new("FieldValueNotSupported", "dryRun", message);
                Err(Failure::invalid(&format!("{options}.meta.k8s.io"), "", &[cause]))
            }
        }
    }

    /// Returns the body as JSON.
    pub(crate) fn json(&self, kind: &str) -> Result<Value, Failure> {
        if self.content_type.contains("protobuf") {
            return Err(Failure::unsupported_media_type(
                "the body of the request was in an unknown format - accepted media types include: application/json",
            ));
        }
        serde_json::from_slice(&self.body).map_err(|_| {
            let first = char::from(self.body.first().copied().unwrap_or(b' '));
            let hex = self.body.iter().take(64).fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
            Failure::bad_request(format!(
                "the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; \
                 json parse error: invalid character '{first}' looking for beginning of value ({hex})"
            ))
        })
    }
}

impl Target {
    /// Parses `/api/v1/…` and `/apis/<group>/<version>/…`.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let parts: Vec<String> = path.trim_matches('/').split('/').map(percent_decode).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let (group, version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return None,
        };
        let (in_namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..] if !matches!(rest, [] | ["status" | "finalize"]) => {
                (*namespace, rest)
            }
            _ => ("", rest),
        };
        let (plural, name, subresource) = match rest {
            [plural] => (*plural, "", ""),
            [plural, name] => (*plural, *name, ""),
            [plural, name, subresource] => (*plural, *name, *subresource),
            _ => return None,
        };
        let namespace = if group.is_empty() && plural == "namespaces" { name } else { in_namespace };
        let owned = |text: &str| text.to_owned();
        Some(Self {
            group: owned(group),
            version: owned(version),
            plural: owned(plural),
            namespace: owned(namespace),
            in_namespace: owned(in_namespace),
            name: owned(name),
            subresource: owned(subresource),
        })
    }

    /// Returns `pods/status`, as RBAC and its refusals write it.
    pub(crate) fn plural_and_subresource(&self) -> String {
        if self.subresource.is_empty() {
            self.plural.clone()
        } else {
            format!("{}/{}", self.plural, self.subresource)
        }
    }
}

/// Returns RBAC's verb for a method.
pub(crate) fn verb(method: &str, target: &Target, watch: bool) -> &'static str {
    match (method, target.name.is_empty()) {
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", true) => "deletecollection",
        ("DELETE", false) => "delete",
        (_, false) => "get",
        (_, true) if watch => "watch",
        (_, true) => "list",
    }
}

/// Returns a header's text; empty if there is none.
pub(crate) fn text_of(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn parse_query(query: &str) -> HashMap<String, String> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decode(name), percent_decode(&value.replace('+', " ")))
        })
        .collect()
}

/// Undoes URL encoding; invalid UTF-8 is replaced.
pub(crate) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 3;
            }
            (byte, _) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
