//! Workloads for the tests, as small as the API server accepts them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::World;

pub(crate) const DEPLOYMENTS: &str = "apis/apps/v1";
pub(crate) const BATCH: &str = "apis/batch/v1";

pub(crate) fn pod_template(restart_policy: &str) -> Value {
    json!({
        "metadata": { "labels": { "app": "test" } },
        "spec": {
            "restartPolicy": restart_policy,
            "containers": [{ "name": "main", "image": "busybox", "command": ["sleep", "600"] }],
        },
    })
}

pub(crate) fn create_deployment(world: &World, namespace: &str, name: &str) -> Value {
    let spec = json!({
        "selector": { "matchLabels": { "app": "test" } },
        "template": pod_template("Always"),
    });
    let deployment =
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name }, "spec": spec });
    let path = format!("/{DEPLOYMENTS}/namespaces/{namespace}/deployments");
    let created = world.create(&path, &deployment);
    wait_until_counted(world, &format!("{path}/{name}"));
    created
}

/// Waits until the controller has said of a deployment that its pod is there: it writes until then, and what it
/// writes conflicts with what a test does.
fn wait_until_counted(world: &World, path: &str) {
    let start = Instant::now();
    let is_counted = || {
        let status = world.get(path).map(|deployment| deployment["status"].clone()).unwrap_or_default();
        status["replicas"] == 1 && status["updatedReplicas"] == 1
    };
    while world.is_real() && !is_counted() {
        assert!(start.elapsed() < Duration::from_mins(1), "{path}: not after a minute");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn create_cronjob(world: &World, namespace: &str, name: &str) -> Value {
    let spec = json!({
        "schedule": "0 0 1 1 *",
        "jobTemplate": { "spec": { "template": pod_template("Never") } },
    });
    let cronjob =
        json!({ "apiVersion": "batch/v1", "kind": "CronJob", "metadata": { "name": name }, "spec": spec });
    world.create(&format!("/{BATCH}/namespaces/{namespace}/cronjobs"), &cronjob)
}

pub(crate) fn create_job(world: &World, namespace: &str, name: &str) -> Value {
    let metadata = json!({ "name": name, "labels": { "team": "a" }, "annotations": { "note": "kept" } });
    let spec = json!({ "backoffLimit": 2, "template": pod_template("Never") });
    let job = json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec });
    world.create(&job_path(namespace, ""), &job)
}

pub(crate) fn job_path(namespace: &str, name: &str) -> String {
    let separator = if name.is_empty() { "" } else { "/" };
    format!("/{BATCH}/namespaces/{namespace}/jobs{separator}{name}")
}

pub(crate) fn job(world: &World, namespace: &str, name: &str) -> Option<Value> {
    world.get(&job_path(namespace, name))
}

/// The env of the first container below a pod template.
pub(crate) fn env_of(template_parent: &Value) -> &Value {
    &template_parent["template"]["spec"]["containers"][0]["env"]
}

/// `env` with one variable from a key of a secret, exactly as the API server keeps it.
pub(crate) fn env_from(variable: &str, secret: &str, key: &str) -> Value {
    json!([{ "name": variable, "valueFrom": { "secretKeyRef": { "name": secret, "key": key } } }])
}

/// A Job's spec without what the server adds for each Job anew.
pub(crate) fn own_spec(job: &Value) -> Value {
    let mut spec = job["spec"].clone();
    spec["selector"] = Value::Null;
    if let Some(labels) = spec["template"]["metadata"]["labels"].as_object_mut() {
        labels.retain(|label, _| !label.ends_with("controller-uid") && !label.ends_with("job-name"));
    }
    spec
}
