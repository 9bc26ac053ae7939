//! The owners of fields: `managedFields`, and server-side apply, which uses them.
//!
//! Lists count as one field each, but for `finalizers`; that is exact for Secrets and coarse for workloads.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::store::now;

/// A field: the steps to it as `fieldsV1` writes them, such as `["f:data", "f:key"]`.
type Path = Vec<String>;

/// A set of fields, in `fieldsV1` a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(BTreeSet<Path>);

/// The fields of one owner.
#[derive(Debug, Clone)]
struct Entry {
    manager: String,
    operation: &'static str,
    api_version: String,
    time: String,
    fields: Fields,
}

/// Fields of `metadata` without an owner.
const UNOWNED: [&str; 9] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
];

/// Maps whose existence is a field, beside their entries.
const MAPS: [&str; 4] = ["labels", "annotations", "data", "binaryData"];

impl Fields {
    /// Returns every field of an object. Applied configurations do not own the existence of a map.
    fn of(object: &Value, with_maps: bool) -> Self {
        let mut fields = Self::default();
        for (key, value) in object.as_object().into_iter().flatten() {
            match key.as_str() {
                "apiVersion" | "kind" | "status" => {}
                "metadata" => {
                    let owned = value
                        .as_object()
                        .into_iter()
                        .flatten()
                        .filter(|(key, _)| !UNOWNED.contains(&key.as_str()));
                    owned.for_each(|(key, value)| {
                        fields.walk(&[step("metadata"), step(key)], key, value, with_maps);
                    });
                }
                _ => fields.walk(&[step(key)], key, value, with_maps),
            }
        }
        fields
    }

    fn walk(&mut self, at: &[String], name: &str, value: &Value, with_maps: bool) {
        let with = |last: String| at.iter().cloned().chain([last]).collect::<Path>();
        match value {
            // A selector is replaced as a whole.
            Value::Object(map) if !map.is_empty() && name != "selector" => {
                if with_maps && MAPS.contains(&name) {
                    self.0.insert(with(".".into()));
                }
                map.iter().for_each(|(key, value)| self.walk(&with(step(key)), key, value, with_maps));
            }
            Value::Array(items) if name == "finalizers" => {
                if with_maps {
                    self.0.insert(with(".".into()));
                }
                self.0.extend(items.iter().map(|item| with(format!("v:{item}"))));
            }
            _ => drop(self.0.insert(at.to_vec())),
        }
    }

    fn parse(tree: &Value) -> Self {
        fn collect(tree: &Value, at: &[String], into: &mut BTreeSet<Path>) {
            for (key, below) in tree.as_object().into_iter().flatten() {
                let path: Path = at.iter().cloned().chain([key.clone()]).collect();
                if below.as_object().is_some_and(|below| !below.is_empty()) {
                    collect(below, &path, into);
                } else if MAPS.contains(&key.trim_start_matches("f:")) {
                    into.insert(path.into_iter().chain([".".to_owned()]).collect());
                } else {
                    into.insert(path);
                }
            }
        }
        let mut fields = BTreeSet::new();
        collect(tree, &[], &mut fields);
        Self(fields)
    }

    /// Returns the number of fields at or below these steps.
    fn below(&self, steps: &[String]) -> usize {
        self.0.iter().filter(|path| path.starts_with(steps)).count()
    }

    fn tree(&self) -> Value {
        let mut tree = json!({});
        for path in &self.0 {
            let mut at = &mut tree;
            // A map that is owned without any of its entries is written as an empty one.
            let alone =
                path.last().is_some_and(|last| last == ".") && self.below(&path[..path.len() - 1]) == 1;
            for step in &path[..path.len() - usize::from(alone)] {
                if !at.is_object() {
                    *at = json!({});
                }
                at = &mut at[step.as_str()];
            }
            *at = json!({});
        }
        tree
    }
}

fn step(name: &str) -> String {
    format!("f:{name}")
}

/// Returns the value of a field; `null` if there is none. The existence of a map or an item of a set is
/// `true`.
fn value_at(object: &Value, path: &[String]) -> Value {
    let mut at = object;
    for step in path {
        if step == "." {
            return true.into();
        }
        if let Some(item) = step.strip_prefix("v:") {
            let there = at.as_array().is_some_and(|items| items.iter().any(|other| is_item(other, item)));
            return if there { true.into() } else { Value::Null };
        }
        match at.get(step.trim_start_matches("f:")) {
            Some(below) => at = below,
            None => return Value::Null,
        }
    }
    at.clone()
}

/// Returns true for the item of a set that `v:<json>` names.
fn is_item(item: &Value, json: &str) -> bool {
    serde_json::from_str::<Value>(json).is_ok_and(|named| named == *item)
}

fn remove_at(object: &mut Value, path: &[String]) {
    let Some((last, parents)) = path.split_last() else { return };
    let mut at = object;
    for step in parents {
        match at.get_mut(step.trim_start_matches("f:")) {
            Some(below) => at = below,
            None => return,
        }
    }
    match at {
        Value::Object(fields) => drop(fields.remove(last.trim_start_matches("f:"))),
        Value::Array(items) => items.retain(|item| !is_item(item, last.trim_start_matches("v:"))),
        _ => {}
    }
}

fn entries(object: &Value) -> Vec<Entry> {
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    object["metadata"]["managedFields"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|entry| Entry {
            manager: text(entry, "manager"),
            operation: if entry["operation"] == "Apply" { "Apply" } else { "Update" },
            api_version: text(entry, "apiVersion"),
            time: text(entry, "time"),
            fields: Fields::parse(&entry["fieldsV1"]),
        })
        .collect()
}

fn write_entries(object: &mut Value, mut entries: Vec<Entry>) {
    entries.retain(|entry| !entry.fields.0.is_empty());
    entries.sort_by(|a, b| (a.operation, &a.time, &a.manager).cmp(&(b.operation, &b.time, &b.manager)));
    let Some(metadata) = object["metadata"].as_object_mut() else { return };
    let list: Vec<Value> = entries
        .iter()
        .map(|entry| {
            json!({
                "manager": entry.manager, "operation": entry.operation, "apiVersion": entry.api_version,
                "time": entry.time, "fieldsType": "FieldsV1", "fieldsV1": entry.fields.tree(),
            })
        })
        .collect();
    if list.is_empty() {
        metadata.remove("managedFields");
    } else {
        metadata.insert("managedFields".into(), Value::Array(list));
    }
}

fn entry_of<'a>(
    entries: &'a mut Vec<Entry>,
    manager: &str,
    operation: &'static str,
    api_version: &str,
) -> &'a mut Entry {
    let place = entries.iter().position(|entry| entry.manager == manager && entry.operation == operation);
    let place = place.unwrap_or_else(|| {
        let api_version = api_version.to_owned();
        entries.push(Entry {
            manager: manager.into(),
            operation,
            api_version,
            time: now(),
            fields: Fields::default(),
        });
        entries.len() - 1
    });
    &mut entries[place]
}

/// Records that `manager` changed `old` into `new` by a create, an update or a patch.
pub(crate) fn track_update(old: Option<&Value>, new: &mut Value, manager: &str) {
    let nothing = json!({});
    let old = old.unwrap_or(&nothing);
    let mut entries = entries(old);
    let now_there = Fields::of(new, true);
    let before = Fields::of(old, true);
    let differs = |path: &Path| !before.0.contains(path) || value_at(old, path) != value_at(new, path);
    let changed: BTreeSet<Path> = now_there.0.iter().filter(|path| differs(path)).cloned().collect();
    for entry in &mut entries {
        let ours = entry.manager == manager && entry.operation == "Update";
        entry.fields.0.retain(|path| !value_at(new, path).is_null() && (ours || !changed.contains(path)));
    }
    if !changed.is_empty() {
        let api_version = new["apiVersion"].as_str().unwrap_or_default().to_owned();
        let entry = entry_of(&mut entries, manager, "Update", &api_version);
        entry.fields.0.extend(changed);
        entry.time = now();
    }
    write_entries(new, entries);
}

/// Allows or refuses an apply to take over fields of others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Force {
    Yes,
    No,
}

/// Applies `config` of `manager` to `live` on the server side. Conflicts are `(manager, field)`.
pub(crate) fn apply(
    live: Option<&Value>,
    config: &Value,
    manager: &str,
    force: Force,
) -> Result<Value, Vec<(String, String)>> {
    let mut merged = live.cloned().unwrap_or_else(|| json!({"metadata": {}}));
    let mut entries = entries(&merged);
    let applied = Fields::of(config, false);
    let is_ours = |entry: &Entry| entry.manager == manager && entry.operation == "Apply";

    let mut conflicts = Vec::new();
    for entry in entries.iter_mut().filter(|entry| !is_ours(entry)) {
        let differing: BTreeSet<Path> = entry.fields.0.intersection(&applied.0).cloned().collect();
        for path in differing.into_iter().filter(|path| value_at(&merged, path) != value_at(config, path)) {
            conflicts.push((conflicting_manager(entry), dotted(&path)));
            entry.fields.0.remove(&path);
        }
    }
    if !conflicts.is_empty() && force == Force::No {
        return Err(conflicts);
    }

    let entry = entry_of(&mut entries, manager, "Apply", config["apiVersion"].as_str().unwrap_or_default());
    let dropped: Vec<Path> = entry.fields.0.difference(&applied.0).cloned().collect();
    if entry.fields != applied || !conflicts.is_empty() {
        entry.time = now();
    }
    entry.fields = applied;
    for path in dropped {
        if !entries.iter().any(|entry| entry.fields.0.contains(&path)) {
            remove_at(&mut merged, &path);
        }
    }
    merge_config(&mut merged, config);
    for entry in &mut entries {
        entry.fields.0.retain(|path| !value_at(&merged, path).is_null());
    }
    write_entries(&mut merged, entries);
    Ok(merged)
}

fn merge_config(target: &mut Value, config: &Value) {
    match (target, config) {
        (Value::Object(fields), Value::Object(changes)) => {
            for (key, change) in changes {
                merge_config(fields.entry(key.clone()).or_insert_with(|| empty_like(change)), change);
            }
        }
        (target, config) => *target = config.clone(),
    }
}

fn empty_like(value: &Value) -> Value {
    if value.is_object() { Value::Object(Map::new()) } else { Value::Null }
}

/// Returns `"name"`, with the version if it updated instead of applying.
fn conflicting_manager(entry: &Entry) -> String {
    if entry.operation == "Apply" {
        format!("\"{}\"", entry.manager)
    } else {
        format!("\"{}\" using {}", entry.manager, entry.api_version)
    }
}

fn dotted(path: &[String]) -> String {
    path.iter().fold(String::new(), |text, step| text + "." + step.trim_start_matches("f:"))
}
