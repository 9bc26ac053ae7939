//! Refusals, in the words and the shape of a real API server's `Status`.

use serde_json::{Value, json};

use super::call::Target;
use super::resources::Resource;

/// A `Status` with `status: Failure`.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u16,
    reason: &'static str,
    message: String,
    details: Option<Value>,
}

/// One finding of a validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cause {
    reason: &'static str,
    field: String,
    message: String,
}

impl Cause {
    pub(crate) fn invalid(field: impl Into<String>, value: &str, why: &str) -> Self {
        Self::new("FieldValueInvalid", field, format!("Invalid value: \"{value}\": {why}"))
    }

    /// Builds a cause as [`Cause::invalid`] does, for a value that is not a text.
    pub(crate) fn invalid_json(field: impl Into<String>, value: &Value, why: &str) -> Self {
        Self::new("FieldValueInvalid", field, format!("Invalid value: {value}: {why}"))
    }

    pub(crate) fn required(field: impl Into<String>, what: &str) -> Self {
        let colon = if what.is_empty() { "" } else { ": " };
        Self::new("FieldValueRequired", field, format!("Required value{colon}{what}"))
    }

    pub(crate) fn duplicate(field: impl Into<String>, value: &str) -> Self {
        Self::new("FieldValueDuplicate", field, format!("Duplicate value: \"{value}\""))
    }

    pub(crate) fn not_found(field: impl Into<String>, value: &str) -> Self {
        Self::new("FieldValueNotFound", field, format!("Not found: \"{value}\""))
    }

    pub(crate) fn forbidden(field: impl Into<String>, why: &str) -> Self {
        Self::new("FieldValueForbidden", field, format!("Forbidden: {why}"))
    }

    pub(crate) fn new(reason: &'static str, field: impl Into<String>, message: String) -> Self {
        Self { reason, field: field.into(), message }
    }
}

impl Failure {
    pub(crate) fn code(&self) -> u16 {
        self.code
    }

    /// Returns the body for the client.
    pub(crate) fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code,
        });
        if let Some(details) = &self.details {
            status["details"] = details.clone();
        }
        status
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self { code: 400, reason: "BadRequest", message: message.into(), details: None }
    }

    pub(crate) fn unauthorized() -> Self {
        Self { code: 401, reason: "Unauthorized", message: "Unauthorized".into(), details: None }
    }

    /// Refuses an action that the user may not do; `verb` is RBAC's.
    pub(crate) fn forbidden(user: &str, verb: &str, target: &Target) -> Self {
        let resource = target.plural_and_subresource();
        let scope = match target.namespace.as_str() {
            "" => "at the cluster scope".to_owned(),
            namespace => format!("in the namespace \"{namespace}\""),
        };
        let name = if target.name.is_empty() { String::new() } else { format!(" \"{}\"", target.name) };
        let message = format!(
            "{}{name} is forbidden: User \"{user}\" cannot {verb} resource \"{resource}\" in API group \"{}\" {scope}",
            qualified(&target.plural, &target.group),
            target.group
        );
        let details = details(&target.name, &target.group, &target.plural);
        Self { code: 403, reason: "Forbidden", message, details: Some(details) }
    }

    pub(crate) fn terminating(resource: &Resource, name: &str, namespace: &str) -> Self {
        let message = format!(
            "{} \"{name}\" is forbidden: unable to create new content in namespace {namespace} because it is being terminated",
            resource.qualified_plural()
        );
        let details = Some(details(name, &resource.group, &resource.plural));
        Self { code: 403, reason: "Forbidden", message, details }
    }

    pub(crate) fn not_found(resource: &Resource, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", resource.qualified_plural());
        let details = Some(details(name, &resource.group, &resource.plural));
        Self { code: 404, reason: "NotFound", message, details }
    }

    pub(crate) fn no_such_resource() -> Self {
        let message = "the server could not find the requested resource".into();
        Self { code: 404, reason: "NotFound", message, details: Some(json!({})) }
    }

    pub(crate) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource".into();
        Self { code: 405, reason: "MethodNotAllowed", message, details: Some(json!({})) }
    }

    pub(crate) fn already_exists(resource: &Resource, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", resource.qualified_plural());
        let details = Some(details(name, &resource.group, &resource.plural));
        Self { code: 409, reason: "AlreadyExists", message, details }
    }

    /// Refuses a write to an object that is being deleted.
    pub(crate) fn being_deleted(resource: &Resource, name: &str) -> Self {
        let mut failure = Self::already_exists(resource, name);
        failure.message = format!("object is being deleted: {}", failure.message);
        failure
    }

    pub(crate) fn modified(resource: &Resource, name: &str) -> Self {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(
            &resource.qualified_plural(),
            details(name, &resource.group, &resource.plural),
            name,
            why,
        )
    }

    /// Refuses a write with another UID than the object's.
    pub(crate) fn other_uid(resource: &Resource, namespace: &str, name: &str, asked: &str, is: &str) -> Self {
        let key = format!("/registry/{}/{namespace}/{name}", resource.plural);
        let why = format!(
            "StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: \
             Precondition failed: UID in precondition: {asked}, UID in object meta: {is}"
        );
        Self::conflict(
            &resource.qualified_plural(),
            details(name, &resource.group, &resource.plural),
            name,
            &why,
        )
    }

    /// Refuses a deletion whose precondition does not hold.
    pub(crate) fn precondition(resource: &Resource, name: &str, why: &str) -> Self {
        Self::conflict(&resource.qualified_kind(), details(name, &resource.group, &resource.kind), name, why)
    }

    fn conflict(what: &str, details: Value, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {what} \"{name}\": {why}");
        Self { code: 409, reason: "Conflict", message, details: Some(details) }
    }

    /// Refuses a server-side apply of fields with other managers: `(manager and version, field)`.
    pub(crate) fn apply_conflict(conflicts: &[(String, String)]) -> Self {
        let causes: Vec<Value> = conflicts
            .iter()
            .map(|(manager, field)| {
                json!({"reason": "FieldManagerConflict", "message": format!("conflict with {manager}"), "field": field})
            })
            .collect();
        let message = match conflicts {
            [(manager, field)] => format!("Apply failed with 1 conflict: conflict with {manager}: {field}"),
            many => {
                let mut lines = vec![format!("Apply failed with {} conflicts:", many.len())];
                let mut last = "";
                for (manager, field) in many {
                    if manager != last {
                        lines.push(format!("conflicts with {manager}:"));
                        last = manager;
                    }
                    lines.push(format!("- {field}"));
                }
                lines.join("\n").replacen('\n', " ", 1)
            }
        };
        Self { code: 409, reason: "Conflict", message, details: Some(json!({"causes": causes})) }
    }

    pub(crate) fn unsupported_media_type(message: &str) -> Self {
        Self { code: 415, reason: "UnsupportedMediaType", message: message.into(), details: Some(json!({})) }
    }

    /// Refuses a JSON patch that does not fit the object.
    pub(crate) fn patch_does_not_fit() -> Self {
        let message = "the server rejected our request due to an error in our request".into();
        Self { code: 422, reason: "Invalid", message, details: Some(json!({})) }
    }

    /// Reports the findings of a validation; `kind` has its group after a dot.
    pub(crate) fn invalid(kind: &str, name: &str, causes: &[Cause]) -> Self {
        let (bare_kind, group) = kind.split_once('.').unwrap_or((kind, ""));
        let mut once: Vec<&Cause> = Vec::new();
        for cause in causes {
            if !once.contains(&cause) {
                once.push(cause);
            }
        }
        let lines: Vec<String> =
            once.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
        let text =
            if let [line] = lines.as_slice() { line.clone() } else { format!("[{}]", lines.join(", ")) };
        let mut details = details(name, group, bare_kind);
        details["causes"] = once
            .iter()
            .map(|cause| json!({"reason": cause.reason, "message": cause.message, "field": cause.field}))
            .collect();
        let message = format!("{kind} \"{name}\" is invalid: {text}");
        Self { code: 422, reason: "Invalid", message, details: Some(details) }
    }

    /// Builds a refusal that a test ordered, worded as the real server words that code for this request.
    pub(crate) fn ordered(code: u16, method: &str, target: Option<&Target>, seconds: Option<u64>) -> Self {
        let none = Target::default();
        let target = target.unwrap_or(&none);
        let subject = format!("{} \"{}\"", qualified(&target.plural, &target.group), target.name);
        let (reason, message) = match code {
            400 => ("BadRequest", "the request is refused by order of the test".to_owned()),
            401 => ("Unauthorized", "Unauthorized".to_owned()),
            403 => {
                let verb = super::call::verb(method, target, false);
                return Self::forbidden("somebody", verb, target);
            }
            404 => ("NotFound", format!("{subject} not found")),
            409 if method == "POST" => ("AlreadyExists", format!("{subject} already exists")),
            409 => ("Conflict", format!("Operation cannot be fulfilled on {subject}: the object has been modified; please apply your changes to the latest version and try again")),
            410 => ("Expired", "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.".to_owned()),
            422 => ("Invalid", format!("{subject} is invalid: metadata: Invalid value: \"\": refused by order of the test")),
            429 => ("TooManyRequests", "the server has received too many requests and has asked us to try again later".to_owned()),
            503 => ("ServiceUnavailable", "the server is currently unable to handle the request".to_owned()),
            504 => ("Timeout", "the server was unable to return a response in the time allotted, but may still be processing the request".to_owned()),
            _ => ("InternalError", "Internal error occurred: by order of the test".to_owned()),
        };
        let mut details = details(&target.name, &target.group, &target.plural);
        if let Some(seconds) = seconds {
            details["retryAfterSeconds"] = seconds.into();
        }
        Self { code, reason, message, details: Some(details) }
    }
}

/// Returns `jobs.batch`, or `secrets` if there is no group.
pub(crate) fn qualified(name: &str, group: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{name}.{group}") }
}

/// Returns `details` of a `Status`, without empty fields.
pub(crate) fn details(name: &str, group: &str, kind: &str) -> Value {
    let mut details = json!({});
    for (key, value) in [("name", name), ("group", group), ("kind", kind)] {
        if !value.is_empty() {
            details[key] = value.into();
        }
    }
    details
}
