//! Fields of a JSON tree of unknown shape. Reads treat malformed fields as empty; changes report them.

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// Returns the items of a list; none if it is missing or not a list.
pub(super) fn list<'a>(parent: &'a Value, field: &str) -> &'a [Value] {
    parent[field].as_array().map_or(&[], Vec::as_slice)
}

/// Returns a text; empty if it is missing or not a text.
pub(super) fn text<'a>(parent: &'a Value, field: &str) -> &'a str {
    parent[field].as_str().unwrap_or_default()
}

/// Returns true for a `true`. Anything else, and a missing field, is `false`, the API's default for every
/// flag used here.
pub(super) fn is_true(parent: &Value, field: &str) -> bool {
    parent[field] == Value::Bool(true)
}

/// Returns the list for a change, and makes it if it is missing.
pub(super) fn list_mut<'a>(parent: &'a mut Value, field: &str) -> Result<&'a mut Vec<Value>> {
    let list = object_mut(parent)?.entry(field).or_insert(Value::Null);
    if list.is_null() {
        *list = Value::Array(Vec::new());
    }
    list.as_array_mut()
        .ok_or_else(|| Error::failed(format!("the manifest is malformed: {field} is not a list")))
}

/// Replaces the entry at a position, or appends one.
pub(super) fn put(parent: &mut Value, field: &str, at: Option<usize>, entry: Value) -> Result<()> {
    let list = list_mut(parent, field)?;
    match at.and_then(|at| list.get_mut(at)) {
        Some(old) => *old = entry,
        None => list.push(entry),
    }
    Ok(())
}

/// Removes a field that has become empty, since `env: []` is not what was there before.
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
