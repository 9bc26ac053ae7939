//! What containers see of a secret, and when they see a change of it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use serde_json::json;
use support::{Sandbox, World, scenario};

use crate::pods::{create_secret, is_running, name, pods, running_pod, set, started, wait_for};

/// A Deployment of one pod, `web`.
fn create_deployment(world: &World, namespace: &str) {
    let template = json!({
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "main", "image": "ubuntu"}], "terminationGracePeriodSeconds": 0},
    });
    let spec = json!({"selector": {"matchLabels": {"app": "web"}}, "template": template});
    let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
    world.create(&path, &json!({"metadata": {"name": "web"}, "spec": spec}));
}

#[scenario(node)]
fn mounted_files_have_the_mode_that_was_asked_for(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    create_secret(sandbox, &namespace, "hf", "token", "s3cr3t-value\n");
    create_deployment(world, &namespace);
    let attach = ["attach", "hf", "deployment/web", "-n", &namespace];
    let mounts = ["--mount", "/etc/whole", "--mode", "0400"];
    sandbox.run(attach.iter().chain(&mounts)).success();
    sandbox.run(attach.iter().chain(&["--mount", "/etc/one:token=key"])).success();
    let (whole, one) = wait_for("a pod with both", || {
        let found = pods(world, &namespace).into_iter().find(is_running)?;
        let started = started(world, &namespace, &name(&found));
        Some((started.file("/etc/whole/token")?, started.file("/etc/one/key")?))
    });
    let mode = |file| fs::metadata(file).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&whole), mode(&one)), (0o400, 0o644), "octal: {:o} and {:o}", mode(&whole), mode(&one));
    assert_eq!(
        (fs::read(whole).unwrap(), fs::read(one).unwrap()),
        (b"s3cr3t-value\n".to_vec(), b"s3cr3t-value\n".to_vec())
    );
}

#[scenario(node)]
fn a_mounted_file_changes_by_itself_and_a_variable_with_a_restart(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    create_secret(sandbox, &namespace, "hf", "token", "old-value");
    create_deployment(world, &namespace);
    let words = ["--env", "TOKEN=token", "--mount", "/etc/hf"];
    sandbox.run(["attach", "hf", "deployment/web", "-n", &namespace].iter().chain(&words)).success();
    let before = wait_for("a pod with the secret", || {
        let pod = running_pod(world, &namespace);
        started(world, &namespace, &pod).variable("TOKEN").is_some().then_some(pod)
    });
    let file = started(world, &namespace, &before).file("/etc/hf/token").unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"old-value");

    // The server's times have whole seconds.
    std::thread::sleep(Duration::from_millis(1_100));
    let said = set(sandbox, &namespace, &["hf", "token"], "new-value");
    assert!(said.contains("until it is restarted"), "{said}");
    wait_for("the new file", || (fs::read(&file).unwrap() == b"new-value").then_some(()));
    // The kubelet has seen the change, and the same container still runs with what it got.
    assert_eq!(running_pod(world, &namespace), before);
    assert_eq!(started(world, &namespace, &before).variable("TOKEN"), Some("old-value"));

    // The kubelet's own times say who holds the old value, and that nobody does after the restart.
    let held = || {
        let usage = sandbox.run(["usage", "hf", "-n", &namespace, "-o", "json"]).success().json();
        let uses = usage["secrets"][0]["consumers"][0]["uses"].as_array().unwrap().clone();
        uses.iter().find(|one| one["variable"] == "TOKEN").unwrap()["value"].clone()
    };
    assert_eq!(held(), "old");
    sandbox.run(["restart", "hf", "-y", "-n", &namespace]).success();
    let renewed = running_pod(world, &namespace);
    assert_ne!(renewed, before);
    assert_eq!(started(world, &namespace, &renewed).variable("TOKEN"), Some("new-value"));
    wait_for("the status of the new container", || (held() == "current").then_some(()));
    let before = renewed;

    set(sandbox, &namespace, &["hf", "token", "--restart"], "newest-value");
    let after = wait_for("another pod", || Some(running_pod(world, &namespace)).filter(|pod| *pod != before));
    assert_eq!(started(world, &namespace, &after).variable("TOKEN"), Some("newest-value"));
}
