//! Rules for names, labels and annotations of every object.

use serde_json::Value;

use super::failure::Cause;
use super::resources::Resource;
use super::store::text;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const NAME_PART: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const QUALIFIED_NAME: &str = "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";

/// The limit in bytes for all annotations together.
const MOST_ANNOTATION_BYTES: usize = 256 * 1024;

/// Explains why a text is not a DNS label (RFC 1123); `None` if it is one.
pub(crate) fn not_a_label(text: &str) -> Option<String> {
    let fits = is_dns_label(text);
    match text.len() {
        64.. => Some("must be no more than 63 characters".to_owned()),
        _ if !fits => Some(LABEL.to_owned()),
        _ => None,
    }
}

/// Explains why a text is not a DNS subdomain (RFC 1123); `None` if it is one.
pub(crate) fn not_a_subdomain(text: &str) -> Option<String> {
    match text.len() {
        254.. => Some("must be no more than 253 characters".to_owned()),
        _ if !text.split('.').all(is_dns_label) => Some(SUBDOMAIN.to_owned()),
        _ => None,
    }
}

/// Explains why a text is not a label's value.
pub(crate) fn not_a_label_value(text: &str) -> Option<String> {
    match text.len() {
        64.. => Some("must be no more than 63 bytes".to_owned()),
        0 => None,
        _ if !is_name_part(text) => Some(LABEL_VALUE.to_owned()),
        _ => None,
    }
}

fn is_dns_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.bytes().all(|byte| inner(byte) || byte == b'-')
        && text.bytes().next().is_some_and(inner)
        && text.bytes().last().is_some_and(inner)
}

fn is_name_part(text: &str) -> bool {
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        && edge(text.bytes().next())
        && edge(text.bytes().last())
}

/// Returns the faults of a label's or an annotation's key.
fn key_problems(key: &str) -> Vec<String> {
    let (prefix, name) = match key.split('/').collect::<Vec<_>>().as_slice() {
        [name] => (None, *name),
        [prefix, name] => (Some(*prefix), *name),
        _ => return vec![QUALIFIED_NAME.to_owned()],
    };
    let mut problems = Vec::new();
    match prefix {
        Some("") => problems.push("prefix part must be non-empty".to_owned()),
        Some(prefix) => problems.extend(not_a_subdomain(prefix).map(|why| format!("prefix part {why}"))),
        None => {}
    }
    match name.len() {
        0 => problems.push("name part must be non-empty".to_owned()),
        64.. => problems.push("name part must be no more than 63 bytes".to_owned()),
        _ => {}
    }
    if !is_name_part(name) {
        problems.push(NAME_PART.to_owned());
    }
    problems
}

/// Returns the faults of an object's metadata.
pub(crate) fn validate(resource: &Resource, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let name = text(object, "/metadata/name");
    let not_a_name = if resource.is("Namespace") { not_a_label } else { not_a_subdomain };
    if name.is_empty() {
        causes.push(Cause::required("metadata.name", "name or generateName is required"));
    } else if resource.group == "rbac.authorization.k8s.io" {
        // RBAC's names may be any segment of a path.
    } else if let Some(why) = not_a_name(name) {
        causes.push(Cause::invalid("metadata.name", name, &why));
    }
    causes.extend(validate_labels("metadata.labels", &object["metadata"]["labels"]));
    causes.extend(validate_annotations(&object["metadata"]["annotations"]));
    causes
}

/// Returns the faults of a map of labels.
pub(crate) fn validate_labels(field: &str, labels: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (key, value) in labels.as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        causes.extend(key_problems(key).iter().map(|why| Cause::invalid(field, key, why)));
        causes.extend(not_a_label_value(value).map(|why| Cause::invalid(field, value, &why)));
    }
    causes
}

fn validate_annotations(annotations: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut bytes = 0;
    for (key, value) in annotations.as_object().into_iter().flatten() {
        bytes += key.len() + value.as_str().map_or(0, str::len);
        let lower = key.to_lowercase();
        causes
            .extend(key_problems(&lower).iter().map(|why| Cause::invalid("metadata.annotations", key, why)));
    }
    if bytes > MOST_ANNOTATION_BYTES {
        let message = format!("Too long: may not be more than {MOST_ANNOTATION_BYTES} bytes");
        causes.push(Cause::new("FieldValueTooLong", "metadata.annotations", message));
    }
    causes
}
