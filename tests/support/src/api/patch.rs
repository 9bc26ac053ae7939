//! JSON merge patch (RFC 7396) and JSON patch (RFC 6902).

use serde_json::{Map, Value};

/// Merges: an object into an object, `null` removes, anything else replaces.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else { return };
    for (key, change) in changes {
        if change.is_null() {
            fields.remove(key);
        } else {
            merge(fields.entry(key.clone()).or_insert(Value::Null), change);
        }
    }
}

/// Carries out the operations in turn; `None` where one does not fit the object.
pub(crate) fn json_patch(mut target: Value, operations: &Value) -> Option<Value> {
    for operation in operations.as_array()? {
        let path = operation["path"].as_str()?;
        let value = || operation.get("value").cloned();
        match operation["op"].as_str()? {
            "add" => add(&mut target, path, value()?)?,
            "remove" => drop(remove(&mut target, path)?),
            "replace" => *target.pointer_mut(path)? = value()?,
            "test" => (target.pointer(path)? == &value()?).then_some(())?,
            "move" => {
                let moved = remove(&mut target, operation["from"].as_str()?)?;
                add(&mut target, path, moved)?;
            }
            "copy" => {
                let copy = target.pointer(operation["from"].as_str()?)?.clone();
                add(&mut target, path, copy)?;
            }
            _ => return None,
        }
    }
    Some(target)
}

fn parent<'a>(target: &'a mut Value, path: &str) -> Option<(&'a mut Value, String)> {
    let (parent, last) = path.rsplit_once('/')?;
    Some((target.pointer_mut(parent)?, last.replace("~1", "/").replace("~0", "~")))
}

fn add(target: &mut Value, path: &str, value: Value) -> Option<()> {
    if path.is_empty() {
        *target = value;
        return Some(());
    }
    match parent(target, path)? {
        (Value::Object(fields), key) => drop(fields.insert(key, value)),
        (Value::Array(items), key) if key == "-" => items.push(value),
        (Value::Array(items), key) => {
            let index = key.parse().ok().filter(|index| *index <= items.len())?;
            items.insert(index, value);
        }
        _ => return None,
    }
    Some(())
}

fn remove(target: &mut Value, path: &str) -> Option<Value> {
    match parent(target, path)? {
        (Value::Object(fields), key) => fields.remove(&key),
        (Value::Array(items), key) => {
            let index = key.parse().ok().filter(|index| *index < items.len())?;
            Some(items.remove(index))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_merge_patch_removes_with_null_and_replaces_lists() {
        let mut object = json!({"data": {"a": "1", "b": "2"}, "list": [1, 2]});
        merge(&mut object, &json!({"data": {"a": null, "c": "3"}, "list": [3], "new": {"x": null, "y": 1}}));
        assert_eq!(object, json!({"data": {"b": "2", "c": "3"}, "list": [3], "new": {"y": 1}}));
    }

    #[test]
    fn a_json_patch_adds_removes_and_tests() {
        let object = json!({"a": {"b/c": 1}, "list": [1, 3]});
        let patched = json_patch(
            object.clone(),
            &json!([
                {"op": "test", "path": "/a/b~1c", "value": 1},
                {"op": "remove", "path": "/a/b~1c"},
                {"op": "add", "path": "/list/1", "value": 2},
                {"op": "add", "path": "/list/-", "value": 4},
            ]),
        );
        assert_eq!(patched, Some(json!({"a": {}, "list": [1, 2, 3, 4]})));
        assert_eq!(json_patch(object.clone(), &json!([{"op": "remove", "path": "/a/x"}])), None);
        assert_eq!(json_patch(object, &json!([{"op": "test", "path": "/list/0", "value": 2}])), None);
    }
}
