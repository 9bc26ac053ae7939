//! The defaults that the API server adds to an object.

use serde_json::{Value, json};

use super::resources::Resource;
use super::store::text;

/// Fills in missing fields.
pub(crate) fn fill(resource: &Resource, object: &mut Value) {
    if let Some(pod) = resource.pod_spec() {
        fill_above(object, pod);
        if let Some(template) = pod.strip_suffix("/template/spec") {
            fill_above(object, &format!("{template}/template/metadata"));
        }
        if let Some(spec) = object.pointer_mut(pod) {
            fill_pod_spec(spec, &resource.kind);
        }
    }
    let defaults = match resource.kind.as_str() {
        _ if resource.custom => return,
        "Secret" => json!({"type": "Opaque"}),
        "Job" => job_defaults(object),
        "CronJob" => json!({"spec": {
            "concurrencyPolicy": "Allow", "suspend": false, "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1,
        }}),
        "Deployment" => json!({"spec": {
            "replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}},
        }}),
        "StatefulSet" => json!({"spec": {
            "replicas": 1, "revisionHistoryLimit": 10, "podManagementPolicy": "OrderedReady", "serviceName": "",
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0, "maxUnavailable": 1}},
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        }}),
        "DaemonSet" => json!({"spec": {
            "revisionHistoryLimit": 10,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
        }}),
        "ReplicaSet" => json!({"spec": {"replicas": 1}}),
        "Pod" => json!({
            "spec": {"enableServiceLinks": true, "priority": 0, "preemptionPolicy": "PreemptLowerPriority"},
            "status": {"phase": "Pending", "qosClass": "BestEffort"},
        }),
        "Namespace" => json!({"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}),
        _ => return,
    };
    fill_missing(object, &defaults);
}

/// Adds the missing objects above a pod's spec: the server sees them as empty.
fn fill_above(object: &mut Value, pod: &str) {
    let mut at = object;
    for step in pod.trim_start_matches('/').split('/') {
        at = &mut at[step];
        if at.is_null() {
            *at = json!({});
        }
        if !at.is_object() {
            return;
        }
    }
}

fn fill_missing(object: &mut Value, defaults: &Value) {
    let (Some(fields), Some(defaults)) = (object.as_object_mut(), defaults.as_object()) else { return };
    for (key, default) in defaults {
        match fields.get_mut(key) {
            None | Some(Value::Null) => drop(fields.insert(key.clone(), default.clone())),
            Some(there) => fill_missing(there, default),
        }
    }
}

fn job_defaults(job: &Value) -> Value {
    let spec = &job["spec"];
    // Without either number a Job runs once; with parallelism alone it is a work queue of unknown length.
    let once = spec["parallelism"].is_null() && spec["completions"].is_null();
    let mut defaults = json!({
        "parallelism": 1, "backoffLimit": 6, "manualSelector": false, "completionMode": "NonIndexed", "suspend": false,
        "podReplacementPolicy": if spec["podFailurePolicy"].is_null() { "TerminatingOrFailed" } else { "Failed" },
    });
    if once {
        defaults["completions"] = 1.into();
    }
    json!({"spec": defaults})
}

fn fill_pod_spec(spec: &mut Value, kind: &str) {
    let mut defaults = json!({
        "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst", "securityContext": {},
        "schedulerName": "default-scheduler",
    });
    // A Job's pods must set it themselves.
    if !matches!(kind, "Job" | "CronJob") {
        defaults["restartPolicy"] = "Always".into();
    }
    fill_missing(spec, &defaults);
    for list in ["containers", "initContainers"] {
        for container in spec[list].as_array_mut().into_iter().flatten() {
            fill_container(container);
        }
    }
    if let Some(fields) = spec.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    for volume in spec.get_mut("volumes").and_then(Value::as_array_mut).into_iter().flatten() {
        for source in ["secret", "configMap", "projected"] {
            if volume[source].is_object() {
                fill_missing(&mut volume[source], &json!({"defaultMode": 420}));
            }
        }
        if let Some(fields) = volume.as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
    }
}

fn fill_container(container: &mut Value) {
    let image = text(container, "/image").rsplit('/').next().unwrap_or_default();
    let latest = !image.contains('@') && (!image.contains(':') || image.ends_with(":latest"));
    let defaults = json!({
        "resources": {}, "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        "imagePullPolicy": if latest { "Always" } else { "IfNotPresent" },
    });
    fill_missing(container, &defaults);
    if let Some(fields) = container.as_object_mut() {
        fields.retain(|key, value| !(value.as_array().is_some_and(Vec::is_empty) && key != "resources"));
    }
    for port in container.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        fill_missing(port, &json!({"protocol": "TCP"}));
    }
    for variable in container.get_mut("env").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(reference) = variable.pointer_mut("/valueFrom/fieldRef") {
            fill_missing(reference, &json!({"apiVersion": "v1"}));
        }
        // An empty value is not written.
        if let Some(fields) = variable.as_object_mut() {
            fields.retain(|key, value| !(key == "value" && value == ""));
        }
    }
}

/// Gives a new Job its selector and the labels that tie its pods to it, unless it brings its own selector.
pub(crate) fn tie_job_to_its_pods(job: &mut Value) {
    if job["spec"]["manualSelector"] == true {
        return;
    }
    let (uid, name) = (text(job, "/metadata/uid").to_owned(), text(job, "/metadata/name").to_owned());
    fill_above(job, "/spec/template/metadata/labels");
    fill_above(job, "/spec/selector/matchLabels");
    let ties = [
        ("batch.kubernetes.io/controller-uid", &uid),
        ("batch.kubernetes.io/job-name", &name),
        ("controller-uid", &uid),
        ("job-name", &name),
    ];
    for (key, value) in ties {
        let labels = &mut job["spec"]["template"]["metadata"]["labels"];
        if labels[key].is_null() {
            labels[key] = value.as_str().into();
        }
    }
    job["spec"]["selector"]["matchLabels"]["batch.kubernetes.io/controller-uid"] = uid.into();
}

/// Returns the status of a workload that no controller has seen.
pub(crate) fn first_status(kind: &str) -> Value {
    match kind {
        "StatefulSet" => json!({"replicas": 0, "availableReplicas": 0}),
        "ReplicaSet" => json!({"replicas": 0}),
        "DaemonSet" => {
            json!({"currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0})
        }
        _ => json!({}),
    }
}

/// Copies the labels of the pods to a workload without labels.
pub(crate) fn take_labels_of_template(object: &mut Value) {
    let labels = object["spec"]["template"]["metadata"]["labels"].clone();
    if object["metadata"]["labels"].as_object().is_none_or(serde_json::Map::is_empty) && labels.is_object() {
        object["metadata"]["labels"] = labels;
    }
}
