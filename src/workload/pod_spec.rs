//! The parts of a pod spec in which secrets can be used, read and changed without trust in their shape.
//!
//! A manifest from a file may hold anything anywhere, so reading takes what is malformed for empty, and
//! changing says what is malformed.

use serde_json::{Map, Value};

use super::kind::Kind;
use crate::error::{Error, Result};

/// Which of the three lists of a pod spec a container stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Init,
    Regular,
    /// Added to a running pod; it has env and mounts but cannot be changed.
    Ephemeral,
}

impl Role {
    pub(super) const ALL: [Self; 3] = [Self::Init, Self::Regular, Self::Ephemeral];

    /// The field of the pod spec.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Init => "initContainers",
            Self::Regular => "containers",
            Self::Ephemeral => "ephemeralContainers",
        }
    }
}

/// Every container of a pod spec, in the order in which pods start them.
pub(super) fn containers(pod_spec: &Value) -> impl Iterator<Item = (Role, usize, &Value)> {
    Role::ALL.into_iter().flat_map(move |role| {
        list(pod_spec, role.field())
            .iter()
            .enumerate()
            .map(move |(index, container)| (role, index, container))
    })
}

/// The names of the containers of an object that can be changed, each once.
pub(crate) fn container_names(object: &Value, kind: &Kind) -> Vec<String> {
    let specs = kind.pod_specs(object);
    let specs = specs.iter().filter_map(|pointer| object.pointer(pointer));
    let changeable = specs.flat_map(containers).filter(|(role, ..)| *role != Role::Ephemeral);
    let mut names: Vec<String> = Vec::new();
    for (_, _, container) in changeable {
        let name = text(container, "name");
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// The items of a list; none where it is missing or no list.
pub(super) fn list<'a>(parent: &'a Value, field: &str) -> &'a [Value] {
    parent[field].as_array().map_or(&[], Vec::as_slice)
}

/// A text; empty where it is missing or no text.
pub(super) fn text<'a>(parent: &'a Value, field: &str) -> &'a str {
    parent[field].as_str().unwrap_or_default()
}

/// A `true` that is there; missing and anything else are `false`, which is the API's default for every flag
/// used here.
pub(super) fn is_true(parent: &Value, field: &str) -> bool {
    parent[field] == Value::Bool(true)
}

/// The list to be changed, made if it is missing.
pub(super) fn list_mut<'a>(parent: &'a mut Value, field: &str) -> Result<&'a mut Vec<Value>> {
    let list = object_mut(parent)?.entry(field).or_insert(Value::Null);
    if list.is_null() {
        *list = Value::Array(Vec::new());
    }
    list.as_array_mut()
        .ok_or_else(|| Error::failed(format!("the manifest is malformed: {field} is not a list")))
}

/// Puts an entry where an old one stands, or at the end.
pub(super) fn put(parent: &mut Value, field: &str, at: Option<usize>, entry: Value) -> Result<()> {
    let list = list_mut(parent, field)?;
    match at.and_then(|at| list.get_mut(at)) {
        Some(old) => *old = entry,
        None => list.push(entry),
    }
    Ok(())
}

/// Takes a field away that has become empty, because `env: []` is not what was there before.
pub(super) fn remove_if_empty(parent: &mut Value, field: &str) {
    let is_empty = match &parent[field] {
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    };
    if is_empty && let Some(map) = parent.as_object_mut() {
        map.remove(field);
    }
}

fn object_mut(value: &mut Value) -> Result<&mut Map<String, Value>> {
    value
        .as_object_mut()
        .ok_or_else(|| Error::failed("the manifest is malformed: a container is not an object"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_missing_list_is_made_and_a_malformed_one_is_an_error() {
        let mut container = json!({"env": null, "envFrom": "text"});
        put(&mut container, "env", None, json!(1)).unwrap();
        put(&mut container, "volumeMounts", None, json!(2)).unwrap();
        assert!(put(&mut container, "envFrom", None, json!(3)).is_err());
        assert!(put(&mut json!("text"), "env", None, json!(1)).is_err());
        assert_eq!(container, json!({"env": [1], "volumeMounts": [2], "envFrom": "text"}));
    }

    #[test]
    fn reading_takes_what_is_malformed_for_empty() {
        for malformed in [json!(null), json!("x"), json!([1]), json!({"containers": {}})] {
            assert_eq!(containers(&malformed).count(), 0);
            assert_eq!(text(&malformed, "name"), "");
        }
    }
}
