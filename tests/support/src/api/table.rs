//! The other shapes of objects: tables, as kubectl prints them, and metadata alone.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::Call;
use super::resources::Resource;
use super::store::text;

/// The shape that an `Accept` header asks for.
#[derive(PartialEq, Eq, Clone, Copy)]
pub(crate) enum Shape {
    Object,
    Table,
    Metadata,
}

/// Returns the first known shape in the header.
pub(crate) fn shape(call: &Call) -> Shape {
    for kind in call.accept.split(',') {
        if kind.contains("as=Table") {
            return Shape::Table;
        }
        if kind.contains("as=PartialObjectMetadata") {
            return Shape::Metadata;
        }
        if kind.trim().starts_with("application/json") {
            return Shape::Object;
        }
    }
    Shape::Object
}

/// Returns one object in the requested shape.
pub(crate) fn one(resource: &Resource, call: &Call, object: Value) -> Value {
    match shape(call) {
        Shape::Object => object,
        Shape::Metadata => metadata_only(&object),
        Shape::Table => {
            let revision = object["metadata"]["resourceVersion"].clone();
            table(resource, call, &[object], &json!({"resourceVersion": revision}))
        }
    }
}

/// Returns a list in the requested shape.
pub(crate) fn many(resource: &Resource, call: &Call, objects: Vec<Value>, metadata: &Value) -> Value {
    match shape(call) {
        Shape::Table => table(resource, call, &objects, metadata),
        Shape::Metadata => json!({
            "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
            // The real one has null for an empty list of this shape alone.
            "items": (!objects.is_empty()).then(|| objects.iter().map(metadata_only).collect::<Value>()),
        }),
        Shape::Object => json!({
            "kind": format!("{}List", resource.kind), "apiVersion": resource.api_version(), "metadata": metadata,
            "items": objects.into_iter().map(|object| bare(resource, object)).collect::<Value>(),
        }),
    }
}

/// Removes the kind of items in a list of a built-in type.
fn bare(resource: &Resource, mut object: Value) -> Value {
    if let (false, Some(fields)) = (resource.custom, object.as_object_mut()) {
        fields.remove("kind");
        fields.remove("apiVersion");
    }
    object
}

fn metadata_only(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}

fn table(resource: &Resource, call: &Call, objects: &[Value], metadata: &Value) -> Value {
    let columns = columns(resource);
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let cells: Vec<Value> = columns.iter().map(|(name, _)| cell(resource, name, object)).collect();
            let object = match call.option("includeObject") {
                "None" => Value::Null,
                "Object" => object.clone(),
                _ => metadata_only(object),
            };
            json!({"cells": cells, "object": object})
        })
        .collect();
    let definitions: Vec<Value> = columns
        .iter()
        .map(|(name, kind)| {
            let format = if *name == "Name" { "name" } else { "" };
            let priority = u8::from(["Containers", "Images"].contains(name));
            json!({"name": name, "type": kind, "format": format, "description": "", "priority": priority})
        })
        .collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
        "columnDefinitions": definitions, "rows": rows,
    })
}

type Column = (&'static str, &'static str);

fn columns(resource: &Resource) -> Vec<Column> {
    const NAME: Column = ("Name", "string");
    const AGE: Column = ("Age", "string");
    const OF_PODS: [Column; 2] = [("Containers", "string"), ("Images", "string")];
    match resource.kind.as_str() {
        "Secret" => vec![NAME, ("Type", "string"), ("Data", "string"), AGE],
        "ConfigMap" => vec![NAME, ("Data", "string"), AGE],
        "Namespace" => vec![NAME, ("Status", "string"), AGE],
        "Pod" => vec![NAME, ("Ready", "string"), ("Status", "string"), ("Restarts", "string"), AGE],
        "Job" => {
            let own = [NAME, ("Status", "string"), ("Completions", "string"), ("Duration", "string"), AGE];
            [own.as_slice(), &OF_PODS].concat()
        }
        "Deployment" => {
            let own = [NAME, ("Ready", "string"), ("Up-to-date", "string"), ("Available", "string"), AGE];
            [own.as_slice(), &OF_PODS].concat()
        }
        _ => vec![NAME, AGE],
    }
}

fn cell(resource: &Resource, column: &str, object: &Value) -> Value {
    let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    match (resource.kind.as_str(), column) {
        (_, "Name") => object["metadata"]["name"].clone(),
        (_, "Age") => age(text(object, "/metadata/creationTimestamp")).into(),
        (_, "Type") => object["type"].clone(),
        (_, "Data") => object["data"].as_object().map_or(0, serde_json::Map::len).into(),
        (_, "Restarts") => "0".into(),
        ("Pod", "Ready") => {
            format!("0/{}", object["spec"]["containers"].as_array().map_or(0, Vec::len)).into()
        }
        ("Deployment", "Ready") => {
            format!("{}/{}", number("/status/readyReplicas"), number("/spec/replicas")).into()
        }
        ("Deployment", "Up-to-date") => number("/status/updatedReplicas").into(),
        ("Deployment", "Available") => number("/status/availableReplicas").into(),
        ("Job", "Completions") => {
            format!("{}/{}", number("/status/succeeded"), number("/spec/completions")).into()
        }
        ("Job", "Status") => job_status(object).into(),
        (_, "Containers") => of_containers(object, "name").into(),
        (_, "Images") => of_containers(object, "image").into(),
        (_, "Status") => text(object, "/status/phase").into(),
        _ => "".into(),
    }
}

/// Returns a field of each container, with commas between them.
fn of_containers(object: &Value, field: &str) -> String {
    let containers = object.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    let fields = containers.into_iter().flatten().filter_map(|container| container[field].as_str());
    fields.collect::<Vec<_>>().join(",")
}

fn job_status(job: &Value) -> &'static str {
    if job.pointer("/metadata/deletionTimestamp").is_some() {
        "Terminating"
    } else if job["spec"]["suspend"] == true {
        "Suspended"
    } else {
        "Running"
    }
}

/// Returns an age as kubectl writes it: one unit, two while small.
fn age(since: &str) -> String {
    let Ok(since) = since.parse::<Timestamp>() else { return "<unknown>".into() };
    let seconds = (Timestamp::now().as_second() - since.as_second()).max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 if seconds % 60 != 0 => format!("{minutes}m{}s", seconds % 60),
        120..10800 => format!("{minutes}m"),
        10800..28800 if minutes % 60 != 0 => format!("{hours}h{}m", minutes % 60),
        10800..172_800 => format!("{hours}h"),
        _ => format!("{days}d"),
    }
}
