//! The common part of every write: decode, complete, check, count, store.

use serde_json::{Value, json};

use super::call::Call;
use super::failure::Failure;
use super::resources::Resource;
use super::store::{Key, State, text};
use super::{defaults, fields, validation};

/// The way in which the owner of changed fields is recorded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tracking {
    /// By comparing old and new.
    Update,
    /// Server-side apply has done it.
    Applied,
}

/// Reads an object as the server does: its kind must fit, `stringData` becomes `data`, empty fields are
/// removed.
pub(crate) fn decode(resource: &Resource, mut object: Value) -> Result<Value, Failure> {
    let kind = text(&object, "/kind");
    let wrong_kind = !kind.is_empty() && kind != resource.kind;
    if wrong_kind || !object.is_object() {
        return Err(Failure::bad_request(format!(
            "{kind} in version \"{version}\" cannot be handled as a {wanted}: converting ({version}.{kind}) to \
             (core.{wanted}): unknown conversion",
            version = resource.version,
            wanted = resource.kind
        )));
    }
    object["kind"] = resource.kind.clone().into();
    object["apiVersion"] = resource.api_version().into();
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    drop_empty(
        &mut object["metadata"],
        &["labels", "annotations", "finalizers", "ownerReferences", "managedFields"],
    );
    if resource.is("Secret") {
        decode_secret(resource, &mut object)?;
    }
    Ok(object)
}

fn decode_secret(resource: &Resource, secret: &mut Value) -> Result<(), Failure> {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    let fields = secret.as_object_mut().expect("decode has seen an object");
    let texts = fields.remove("stringData").unwrap_or_default();
    for (key, value) in texts.as_object().into_iter().flatten() {
        let encoded = BASE64_STANDARD.encode(value.as_str().unwrap_or_default());
        if !fields.get("data").is_some_and(Value::is_object) {
            fields.insert("data".into(), json!({}));
        }
        fields["data"][key.as_str()] = encoded.into();
    }
    drop_empty(secret, &["data"]);
    for value in
        secret.get_mut("data").and_then(Value::as_object_mut).into_iter().flat_map(|data| data.values_mut())
    {
        let text = value.as_str().unwrap_or_default().replace(['\r', '\n'], "");
        if BASE64_STANDARD.decode(&text).is_err() {
            let at = first_illegal_byte(&text);
            return Err(Failure::bad_request(format!(
                "Secret in version \"{}\" cannot be handled as a Secret: illegal base64 data at input byte {at}",
                resource.version
            )));
        }
        *value = text.into();
    }
    Ok(())
}

/// Returns the place where Go's decoder stops in text that is not base64.
fn first_illegal_byte(text: &str) -> usize {
    let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || b"+/".contains(&byte);
    match text.bytes().position(|byte| !alphabet(byte)) {
        // One `=` in place of two.
        Some(at) if at % 4 == 2 && text.ends_with('=') && at + 1 == text.len() => text.len(),
        Some(at) => at,
        None => text.len() - text.len() % 4,
    }
}

fn drop_empty(object: &mut Value, fields: &[&str]) {
    let Some(object) = object.as_object_mut() else { return };
    object.retain(|key, value| {
        let empty = match value {
            Value::Null => true,
            Value::Object(map) => map.is_empty(),
            Value::Array(list) => list.is_empty(),
            _ => false,
        };
        !(empty && (value.is_null() || fields.contains(&key.as_str())))
    });
}

/// Completes and checks an object that is about to replace `old`, or to be created.
pub(crate) fn prepare(
    resource: &Resource,
    call: &Call,
    old: Option<&Value>,
    mut new: Value,
    tracking: Tracking,
) -> Result<Value, Failure> {
    check_maps(resource, &new)?;
    defaults::fill(resource, &mut new);
    match old {
        Some(old) => keep_what_is_the_servers(resource, call, old, &mut new),
        None => complete_new(resource, &mut new),
    }
    validation::validate(resource, old, &new)?;
    if old.is_none() && resource.is("Job") {
        defaults::take_labels_of_template(&mut new);
    }
    if resource.has_generation() {
        let generation = match old {
            None => 1,
            Some(old) => {
                let before = old["metadata"]["generation"].as_u64().unwrap_or(1);
                before + u64::from(desired(old) != desired(&new))
            }
        };
        new["metadata"]["generation"] = generation.into();
    }
    if tracking == Tracking::Update {
        fields::track_update(old, &mut new, &call.manager);
    }
    Ok(new)
}

impl State {
    /// Stores a change. An unchanged object keeps its revision, and removing the last finalizer ends a
    /// deleted object.
    pub(crate) fn store(
        &mut self,
        key: Key,
        call: &Call,
        old: Option<&Value>,
        new: Value,
    ) -> Result<Value, Failure> {
        if old.is_some_and(|old| same(old, &new)) {
            return Ok(old.cloned().unwrap_or(new));
        }
        if call.dry_run()? {
            return Ok(new);
        }
        let leaving = new.pointer("/metadata/deletionTimestamp").is_some();
        if leaving && new.pointer("/metadata/finalizers").is_none() && old.is_some() {
            self.remove(&key);
            return Ok(new);
        }
        Ok(self.put(key, new))
    }
}

fn same(old: &Value, new: &Value) -> bool {
    let bare = |object: &Value| {
        let mut object = object.clone();
        for entry in object["metadata"]["managedFields"].as_array_mut().into_iter().flatten() {
            entry["time"] = Value::Null;
        }
        object["metadata"]["managedFields"].take().to_string() + &object.to_string()
    };
    bare(old) == bare(new)
}

/// The fields that are maps, each with the Go type that has it and its own; `KIND` stands for the object's kind.
const MAPS: [[&str; 3]; 3] = [
    ["metadata", "KIND", "v1.ObjectMeta"],
    ["metadata.labels", "ObjectMeta", "map[string]string"],
    ["metadata.annotations", "ObjectMeta", "map[string]string"],
];
const MAPS_OF_WORKLOADS: [[&str; 3]; 7] = [
    ["spec", "KIND", "v1.KINDSpec"],
    ["spec.selector", "KINDSpec", "v1.LabelSelector"],
    ["spec.selector.matchLabels", "LabelSelector", "map[string]string"],
    ["spec.template", "KINDSpec", "v1.PodTemplateSpec"],
    ["spec.template.metadata", "PodTemplateSpec", "v1.ObjectMeta"],
    ["spec.template.metadata.labels", "ObjectMeta", "map[string]string"],
    ["spec.template.metadata.annotations", "ObjectMeta", "map[string]string"],
];

/// Refuses what Go can't decode: something else where a map belongs.
fn check_maps(resource: &Resource, new: &Value) -> Result<(), Failure> {
    let has_pods = resource.pod_spec().is_some() && !resource.custom;
    let of_workloads = if has_pods { &MAPS_OF_WORKLOADS[..] } else { &[] };
    for [path, owner, own] in MAPS.iter().chain(of_workloads) {
        let what = match new.pointer(&format!("/{}", path.replace('.', "/"))) {
            None | Some(Value::Null | Value::Object(_)) => continue,
            Some(Value::String(_)) => "string",
            Some(Value::Array(_)) => "array",
            Some(Value::Number(_)) => "number",
            Some(Value::Bool(_)) => "bool",
        };
        let kind = &resource.kind;
        let [owner, own] = [owner, own].map(|name| name.replace("KIND", kind));
        return Err(Failure::bad_request(format!(
            "{kind} in version \"{}\" cannot be handled as a {kind}: json: cannot unmarshal {what} into Go struct field \
             {owner}.{path} of type {own}",
            text(new, "/apiVersion").rsplit('/').next().unwrap_or_default(),
        )));
    }
    Ok(())
}

/// Returns the part whose changes a generation counts: all but metadata and status.
fn desired(object: &Value) -> Value {
    let mut object = object.clone();
    for field in ["metadata", "status", "kind", "apiVersion"] {
        object[field] = Value::Null;
    }
    object
}

fn complete_new(resource: &Resource, new: &mut Value) {
    match resource.kind.as_str() {
        "Job" if !resource.custom => {
            defaults::tie_job_to_its_pods(new);
            new["status"] = json!({});
        }
        "CronJob" | "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" if !resource.custom => {
            new["status"] = defaults::first_status(&resource.kind);
            if resource.is("DaemonSet") {
                new["metadata"]["annotations"]["deprecated.daemonset.template.generation"] = "1".into();
            }
        }
        "Namespace" => {
            let name = new["metadata"]["name"].clone();
            if !new["metadata"]["labels"].is_object() {
                new["metadata"]["labels"] = json!({});
            }
            new["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
        }
        _ => {}
    }
}

fn keep_what_is_the_servers(resource: &Resource, call: &Call, old: &Value, new: &mut Value) {
    const THE_SERVERS: [&str; 7] = [
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "resourceVersion",
        "managedFields",
    ];
    for field in THE_SERVERS {
        // An apply has already written its managedFields.
        if field == "managedFields" && call.content_type.starts_with("application/apply-patch") {
            continue;
        }
        let kept = old["metadata"].get(field).cloned();
        let metadata = new["metadata"].as_object_mut().expect("decode has seen an object");
        match kept {
            Some(value) => drop(metadata.insert(field.into(), value)),
            None => drop(metadata.remove(field)),
        }
    }
    let has_status = resource.has_generation() || resource.is("Namespace");
    if call.target.subresource == "status" {
        let status = new["status"].take();
        let metadata = new["metadata"].take();
        *new = old.clone();
        new["status"] = status;
        new["metadata"]["labels"] = metadata["labels"].clone();
        drop_empty(&mut new["metadata"], &["labels"]);
    } else if has_status && !resource.custom {
        new["status"] = old["status"].clone();
        drop_empty(new, &[]);
    }
}
