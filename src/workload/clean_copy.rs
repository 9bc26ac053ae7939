//! An object as if written by hand, to be created again: under its own name after a deletion, or under
//! another.
//!
//! The entries of the server and the controllers belong to the old object's identity and make the server
//! refuse the new one: a Job's selector and labels hold the old uid. A copy has no owner and no finalizers
//! either, since nobody would remove them.

use serde_json::{Value, json};

use super::kind::Kind;
use super::pod_spec::Role;
use super::tree::{is_true, list, remove_if_empty, text};

/// The labels that the Job controller writes: the plain ones, and since Kubernetes 1.27 the prefixed ones.
const JOB_LABELS: [&str; 4] =
    ["controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"];

/// Annotations, or prefixes of them, that controllers write about one object or pod.
const CONTROLLERS_ANNOTATIONS: [&str; 8] = [
    "batch.kubernetes.io/job-tracking",
    "deployment.kubernetes.io/",
    "cni.projectcalico.org/",
    "k8s.v1.cni.cncf.io/network-status",
    "kubernetes.io/limit-ranger",
    // Run:ai's and KAI's scheduler: the group of pods that the old pod was scheduled with.
    "pod-group-name",
    // Knative writes its creator here, and refuses it from anybody else.
    "serving.knative.dev/creator",
    "serving.knative.dev/lastModifier",
];

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The object that controls another, where a change belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
}

/// The activity that deleting a Job would stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobState {
    Completed,
    Failed,
    /// It has no pods until it is resumed.
    Suspended,
    /// The number of its pods that have not ended; 0 just after it was made.
    Running {
        pods: u64,
    },
}

/// Returns the object without traces of its past, under another name if one is given.
///
/// The annotation of `kubectl apply` is kept under the same name, where it is still true, and removed under
/// another.
pub(crate) fn clean_copy(object: &Value, kind: &Kind, name: Option<&str>) -> Value {
    let mut copy = json!({ "metadata": clean_metadata(&object["metadata"], name) });
    for (field, value) in object.as_object().into_iter().flatten() {
        if field != "metadata" && field != "status" {
            copy[field] = value.clone();
        }
    }
    match (kind.group, kind.name) {
        // A RunaiJob has the spec of a Job; whether its controller writes the same fields is not documented.
        ("batch", "Job") | ("run.ai", "RunaiJob") => clean_job(&mut copy),
        ("", "Pod") => copy.get_mut("spec").into_iter().for_each(clean_pod),
        _ => {}
    }
    copy
}

/// Returns the object's controller, which would undo a change to the object itself.
pub(crate) fn owner(object: &Value) -> Option<Owner> {
    let owner =
        list(&object["metadata"], "ownerReferences").iter().find(|owner| is_true(owner, "controller"))?;
    let field = |field| text(owner, field).to_owned();
    Some(Owner { api_version: field("apiVersion"), kind: field("kind"), name: field("name") })
}

/// Returns the state of a Job.
pub(crate) fn job_state(object: &Value) -> JobState {
    let status = &object["status"];
    let holds = |condition: &str| {
        let conditions = list(status, "conditions").iter();
        conditions.filter(|one| text(one, "type") == condition).any(|one| text(one, "status") == "True")
    };
    if holds("Complete") {
        JobState::Completed
    } else if holds("Failed") {
        JobState::Failed
    } else if is_true(&object["spec"], "suspend") {
        JobState::Suspended
    } else {
        JobState::Running { pods: status["active"].as_u64().unwrap_or(0) }
    }
}

fn clean_metadata(metadata: &Value, name: Option<&str>) -> Value {
    let mut clean = json!({});
    for field in ["name", "namespace", "labels", "annotations"] {
        if let Some(value) = metadata.get(field) {
            clean[field] = value.clone();
        }
    }
    let is_renamed = name.is_some_and(|name| metadata["name"] != name);
    match (name, metadata.get("generateName")) {
        (Some(name), _) => clean["name"] = Value::from(name),
        (None, Some(prefix)) if clean["name"].is_null() => clean["generateName"] = prefix.clone(),
        (None, _) => {}
    }
    let is_controllers = |key: &str| CONTROLLERS_ANNOTATIONS.iter().any(|written| key.starts_with(written));
    retain(&mut clean, "annotations", |key| !(is_controllers(key) || (is_renamed && key == LAST_APPLIED)));
    clean
}

/// Cleans the selector and labels of a Job. With `manualSelector` they are the user's own, and must stay.
fn clean_job(job: &mut Value) {
    if is_true(&job["spec"], "manualSelector") {
        return;
    }
    job.get_mut("spec").into_iter().for_each(|spec| remove(spec, "selector"));
    let is_users = |key: &str| !JOB_LABELS.contains(&key);
    retain(&mut job["metadata"], "labels", is_users);
    if let Some(metadata) = job.pointer_mut("/spec/template/metadata") {
        retain(metadata, "labels", is_users);
    }
}

fn clean_pod(spec: &mut Value) {
    // The server computes priority and preemptionPolicy from priorityClassName, and accepts no ephemeral
    // containers in a new pod.
    for field in ["nodeName", "priority", "preemptionPolicy", "ephemeralContainers"] {
        remove(spec, field);
    }
    drop_named(spec, "volumes", is_service_account_token);
    for role in Role::ALL {
        let Some(containers) = spec.get_mut(role.field()).and_then(Value::as_array_mut) else { continue };
        for container in containers {
            drop_named(container, "volumeMounts", is_service_account_token);
        }
    }
}

/// Recognizes the volume that the admission plugin `ServiceAccount` adds, and adds to the copy again.
fn is_service_account_token(volume: &str) -> bool {
    volume.starts_with("kube-api-access-")
}

fn drop_named(parent: &mut Value, field: &str, is_dropped: impl Fn(&str) -> bool) {
    let Some(items) = parent.get_mut(field).and_then(Value::as_array_mut) else { return };
    let before = items.len();
    items.retain(|item| !is_dropped(text(item, "name")));
    if items.len() < before {
        remove_if_empty(parent, field);
    }
}

/// Keeps some entries of a map, and the map itself unless it becomes empty.
pub(super) fn retain(parent: &mut Value, field: &str, is_kept: impl Fn(&str) -> bool) {
    let Some(map) = parent.get_mut(field).and_then(Value::as_object_mut) else { return };
    let before = map.len();
    map.retain(|key, _| is_kept(key));
    if map.len() < before {
        remove_if_empty(parent, field);
    }
}

fn remove(parent: &mut Value, field: &str) {
    if let Some(fields) = parent.as_object_mut() {
        fields.remove(field);
    }
}

#[cfg(test)]
mod tests;
