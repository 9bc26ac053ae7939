//! The API server's validation, kind by kind.

mod pod;
mod secret;
mod workload;

use serde_json::Value;

use super::failure::{Cause, Failure};
use super::metadata;
use super::resources::Resource;
use super::store::text;

/// Refuses an object that breaks a rule; `old` is the object that an update replaces.
pub(crate) fn validate(resource: &Resource, old: Option<&Value>, new: &Value) -> Result<(), Failure> {
    let mut causes = metadata::validate(resource, new);
    match resource.kind.as_str() {
        _ if resource.custom => causes.extend(changed_for_ever(resource, old, new)),
        "Secret" => causes.extend(secret::validate(old, new)),
        "Pod" => match old {
            Some(old) => causes.extend(pod::validate_update(&old["spec"], &new["spec"])),
            None => causes.extend(pod::validate("spec", &new["spec"])),
        },
        "Job" | "CronJob" | "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => {
            causes.extend(workload::validate(resource, old, new));
        }
        _ => {}
    }
    if causes.is_empty() {
        return Ok(());
    }
    Err(Failure::invalid(&resource.qualified_kind(), text(new, "/metadata/name"), &causes))
}

/// Returns the places of a custom resource that changed and may never change.
fn changed_for_ever<'a>(
    resource: &'a Resource,
    old: Option<&'a Value>,
    new: &'a Value,
) -> impl Iterator<Item = Cause> + use<'a> {
    let has_changed = move |place: &str| {
        let (before, after) = (old?.pointer(place)?, new.pointer(place)?);
        (before != after).then_some(())
    };
    resource.immutable.iter().filter_map(move |(place, words)| {
        has_changed(place)?;
        let field = place.trim_start_matches('/').replace('/', ".");
        Some(Cause::new("FieldValueInvalid", field, format!("Invalid value: {words}")))
    })
}

/// Explains why a text is not a key of a Secret.
fn not_a_key(key: &str) -> Option<&'static str> {
    const KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
    let fits =
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    match key {
        _ if key.len() > 253 => Some("must be no more than 253 characters"),
        _ if !fits => Some(KEY),
        "." => Some("must not be '.'"),
        ".." => Some("must not be '..'"),
        _ if key.starts_with("..") => Some("must not start with '..'"),
        _ => None,
    }
}

/// Returns the items of a list with their paths.
fn each<'a>(field: &str, list: &'a Value) -> impl Iterator<Item = (String, &'a Value)> + use<'a> {
    let field = field.to_owned();
    list.as_array()
        .into_iter()
        .flatten()
        .enumerate()
        .map(move |(index, item)| (format!("{field}[{index}]"), item))
}

/// Refuses the second of two items with the same name.
fn duplicates(field: &str, list: &Value, by: &str, causes: &mut Vec<Cause>) {
    let mut seen = Vec::new();
    for (path, item) in each(field, list) {
        let name = text(item, &format!("/{by}"));
        if !name.is_empty() && seen.contains(&name) {
            causes.push(Cause::duplicate(format!("{path}.{by}"), name));
        }
        seen.push(name);
    }
}
