//! Pods, as the tests find them and wait for them.

use std::time::{Duration, Instant};

use serde_json::Value;
use support::engines::Started;
use support::{Sandbox, World};

/// Tries until there is something.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_mins(2), "{what}: not after two minutes");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Creates a secret with the plugin.
#[track_caller]
pub(crate) fn create_secret(sandbox: &Sandbox, namespace: &str, name: &str, key: &str, value: &str) {
    let from = format!("--from-file={key}=-");
    sandbox.stdin(value).run(["create", name, &from, "-n", namespace]).success();
}

/// Sets a key of a secret with the plugin. Returns what it said.
#[track_caller]
pub(crate) fn set(sandbox: &Sandbox, namespace: &str, words: &[&str], value: &str) -> String {
    let outcome = sandbox.stdin(value).run(["set", "-n", namespace].iter().chain(words)).success();
    outcome.never_shows(value.as_bytes());
    outcome.stderr
}

/// Returns the pods that are not on their way out.
pub(crate) fn pods(world: &World, namespace: &str) -> Vec<Value> {
    let mut pods = world.list(&format!("/api/v1/namespaces/{namespace}/pods"));
    pods.retain(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    pods
}

pub(crate) fn name(object: &Value) -> String {
    object["metadata"]["name"].as_str().expect("an object has a name").to_owned()
}

pub(crate) fn is_running(pod: &Value) -> bool {
    pod["status"]["containerStatuses"][0]["state"]["running"].is_object()
}

/// Waits for the one pod of the namespace to run, and returns its name.
#[track_caller]
pub(crate) fn running_pod(world: &World, namespace: &str) -> String {
    wait_for("a running pod", || {
        let pods = pods(world, namespace);
        (pods.len() == 1 && is_running(&pods[0])).then(|| name(&pods[0]))
    })
}

/// Returns what the first container of the pod got when it started.
#[track_caller]
pub(crate) fn started(world: &World, namespace: &str, pod: &str) -> Started {
    let pod_now = world.get(&format!("/api/v1/namespaces/{namespace}/pods/{pod}")).expect("the pod");
    let container = pod_now["spec"]["containers"][0]["name"].as_str().expect("a container has a name");
    world.started(namespace, pod, container).expect("a container that started")
}
