//! Workloads that run: what `usage` says of them, and `attach --recreate` while their pods are there.

use serde_json::{Value, json};
use support::{Sandbox, World, scenario};

use crate::pods::{create_secret, name, pods, running_pod, started, wait_for};

/// The state of a consumer of the secret `hf`, as `usage` reports it.
pub(crate) fn state(sandbox: &Sandbox, namespace: &str, consumer: &str) -> String {
    let usage = sandbox.run(["usage", "hf", "-n", namespace, "-o", "json"]).success().json();
    let consumers = usage["secrets"][0]["consumers"].as_array().cloned().unwrap_or_default();
    let found = consumers.iter().find(|it| it["name"] == consumer);
    found.unwrap_or_else(|| panic!("{consumer} is not in {usage}"))["state"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[scenario(node)]
fn usage_says_what_runs_and_what_waits_and_what_has_ended(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    create_secret(sandbox, &namespace, "hf", "token", "s3cr3t-value");
    let uses = ["-e", "TOKEN=SECRET:hf,token", "-i", "ubuntu", "-n", &namespace];
    for (name, words) in [
        ("runs", &[][..]),
        ("done", &["--command", "--", "true"]),
        ("failed", &["--backoff-limit=0", "--command", "--", "false"]),
        ("too-big", &["--gpu=99"]),
    ] {
        sandbox.run(["submit", name].iter().chain(&uses).chain(words)).success();
    }
    let reference = json!({"secretKeyRef": {"name": "hf", "key": "tokne"}});
    let container =
        json!({"name": "main", "image": "ubuntu", "env": [{"name": "TOKEN", "valueFrom": reference}]});
    let template = json!({"spec": {"restartPolicy": "Never", "containers": [container]}});
    let stuck = json!({"metadata": {"name": "stuck"}, "spec": {"template": template}});
    world.create(&format!("/apis/batch/v1/namespaces/{namespace}/jobs"), &stuck);
    for (name, expected) in [("runs", "running"), ("done", "finished"), ("failed", "finished")] {
        wait_for(name, || (state(sandbox, &namespace, name) == expected).then_some(()));
    }
    // A Job's own status doesn't tell whether its pod waits for a node or for a key.
    let is_stuck = |pod: &Value| {
        pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "CreateContainerConfigError"
    };
    wait_for("a container that can't be made", || pods(world, &namespace).into_iter().find(is_stuck));
    for name in ["too-big", "stuck"] {
        assert_eq!(state(sandbox, &namespace, name), "queued", "{name}");
    }
}

#[scenario(node)]
fn a_running_job_is_recreated_and_its_new_pod_has_the_variable(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    create_secret(sandbox, &namespace, "hf", "token", "s3cr3t-value");
    sandbox.run(["submit", "train", "-i", "ubuntu", "--wait=2m", "-n", &namespace]).success();
    let before = running_pod(world, &namespace);
    let attach = ["attach", "hf", "job/train", "--env", "TOKEN=token", "-n", &namespace];
    let refused = sandbox.run(attach).fails_with(2);
    assert!(refused.stderr.contains("--recreate"), "{refused}");
    sandbox.run(attach.iter().chain(&["--recreate", "--yes"])).success();
    // The old pod is gone before the new job is there: they would hold the same GPU otherwise.
    assert!(pods(world, &namespace).iter().all(|pod| name(pod) != before));
    let after = running_pod(world, &namespace);
    assert_eq!(started(world, &namespace, &after).variable("TOKEN"), Some("s3cr3t-value"));
    wait_for("running", || (state(sandbox, &namespace, "train") == "running").then_some(()));
}
