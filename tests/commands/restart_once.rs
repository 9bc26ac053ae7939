//! `restart` and `set --restart`: each is restarted once, if it holds something old, and nothing is called restarted that
//! keeps its pods.

use std::thread::sleep;

use serde_json::{Value, json};
use support::{Sandbox, World, scenario};

use crate::restart::{NEXT_SECOND, deployment, deployments, reads, restarted};
use crate::set::{create_workload, with_variable};
use crate::stale::running_pod;
use crate::status::{Shared, create_named, runais_copy_named};

/// Gives a workload this field of its spec, and without a controller the status of one that has seen it.
fn with_spec(world: &World, path: &str, spec: &Value) {
    let generation = world.patch(path, &json!({ "spec": spec }))["metadata"]["generation"].clone();
    if !world.is_real() {
        world.patch(&format!("{path}/status"), &json!({"status": {"observedGeneration": generation}}));
    }
}

#[scenario]
fn what_keeps_its_pods_is_never_called_restarted(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", "old")]);
    let strategies = [
        ("partition", json!({"updateStrategy": {"rollingUpdate": {"partition": 2}}})),
        ("marked", json!({"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}})),
    ];
    let path = |name: &str| format!("/apis/apps/v1/namespaces/{namespace}/statefulsets/{name}");
    for (name, strategy) in &strategies {
        create_workload(world, &namespace, "statefulsets", name, with_variable("a"));
        running_pod(world, &namespace, name, "StatefulSet");
        with_spec(world, &path(name), strategy);
    }
    sleep(NEXT_SECOND);
    sandbox.stdin("new-v4lue").run(["set", "s", "a", "-n", &namespace]).success();
    sleep(NEXT_SECOND);
    // As by `kubectl rollout restart` after the change.
    let mark = json!({"kubectl.kubernetes.io/restartedAt": "2099-01-01T00:00:00Z"});
    with_spec(world, &path("marked"), &json!({"template": {"metadata": {"annotations": mark}}}));
    let partly = sandbox.run(["restart", "s", "-y", "-n", &namespace]).fails_with(3);
    assert_eq!(partly.stdout, "", "{partly}");
    assert!(
        partly.stderr.contains("statefulset.apps/partition: its update strategy has a partition"),
        "{partly}"
    );
    assert!(partly.stderr.contains("statefulset.apps/marked: its update strategy is OnDelete"), "{partly}");
}

#[scenario]
fn what_the_change_itself_restarted_is_not_restarted_again(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", "old"), ("b", "old")]);
    deployment(world, &namespace, "web", with_variable("a"));
    sleep(NEXT_SECOND);
    let set = |key: &str, more: &[&str]| {
        let line = ["set", "s", key, "-n", &namespace];
        sandbox.stdin("new-v4lue").run(line.iter().chain(more)).success()
    };
    assert!(set("a", &["--restart"]).stdout.contains("deployment.apps/web restarted\n"));
    let mark = restarted(world, &namespace, "web");
    let again = || {
        let again = sandbox.run(["restart", "s", "-y", "--no-wait", "-n", &namespace]).success();
        assert_eq!(again.stdout, "", "{again}");
        assert!(
            again.stderr.contains("restarted already since the change: deployment.apps/web\n"),
            "{again}"
        );
        assert_eq!(restarted(world, &namespace, "web"), mark);
    };
    again();
    sleep(NEXT_SECOND);
    set("b", &[]);
    again();
}

#[scenario]
fn each_of_two_restarts_of_one_second_makes_other_pods(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", "old")]);
    deployment(world, &namespace, "web", with_variable("a"));
    let marks: Vec<_> = (0..3)
        .map(|_| {
            sandbox.run(["restart", "s", "--all", "-y", "--no-wait", "-n", &namespace]).success();
            restarted(world, &namespace, "web").unwrap()
        })
        .collect();
    assert!(marks[0] < marks[1] && marks[1] < marks[2], "{marks:?}");
}

#[scenario]
fn what_holds_nothing_of_the_secret_is_left_alone(world: &World, sandbox: &Sandbox) {
    let (project, bare) = (world.project("a"), world.project("without"));
    world.create_secret(&project.namespace, "held", &[("a", "old")]);
    let optional = |key: &'static str| {
        move |spec: &mut Value| {
            let source = json!({"secretKeyRef": {"name": "held", "key": key, "optional": true}});
            spec["containers"][0]["env"] = json!([{"name": "V", "valueFrom": source}]);
        }
    };
    deployment(world, &project.namespace, "no-such-key", optional("gone"));
    deployment(world, &bare.namespace, "no-such-secret", optional("a"));
    sleep(NEXT_SECOND);
    sandbox.stdin("new-v4lue").run(["set", "held", "a", "-n", &project.namespace]).success();
    for place in [&["-n", project.namespace.as_str()][..], &["-A"]] {
        let done = sandbox.run(["restart", "held", "-y", "--no-wait"].iter().chain(place)).success();
        assert_eq!(done.stdout, "", "{done}");
    }
}

#[scenario]
fn a_secret_made_again_of_its_own_text_may_be_old_whatever_its_record_says(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", "old"), ("b", "old")]);
    for key in ["a", "b"] {
        sleep(NEXT_SECOND);
        sandbox.stdin("new-v4lue").run(["set", "s", key, "-n", &namespace]).success();
    }
    sleep(NEXT_SECOND);
    deployment(world, &namespace, "web", with_variable("a"));
    let usage = || sandbox.run(["usage", "s", "-n", &namespace, "-o", "json"]).success().json();
    let value = |usage: &Value| usage["secrets"][0]["consumers"][0]["uses"][0]["value"].clone();
    assert_eq!(value(&usage()), "current");
    sleep(NEXT_SECOND);
    // As `kubectl replace --force` does with what `kubectl get -o json` said.
    let mut secret = world.secret(&namespace, "s").unwrap();
    let path = format!("/api/v1/namespaces/{namespace}/secrets/s");
    world.delete(&path);
    let annotations = secret["metadata"]["annotations"].take();
    secret["metadata"] = json!({"name": "s", "annotations": annotations});
    secret["data"]["a"] = "b3RoZXI=".into();
    world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &secret);
    assert_eq!(value(&usage()), "perhaps-old");
}

#[scenario]
fn what_uses_a_copy_that_has_not_arrived_is_left_alone_wherever_one_looks(world: &World, sandbox: &Sandbox) {
    let shared = Shared::named(world, "underway");
    let project = world.project("a");
    runais_copy_named(world, &project, "underway", "an-older-value");
    deployment(world, &project.namespace, "web", reads("underway"));
    for place in [&["-n", project.namespace.as_str()][..], &["-A"]] {
        let line = shared.run(&["restart", "underway", "--all", "-y", "--no-wait"]);
        let partly = sandbox.run(line.iter().chain(place)).fails_with(3);
        assert!(
            partly.stderr.contains("no current copy of underway, and nothing was restarted there"),
            "{partly}"
        );
        assert_eq!(restarted(world, &project.namespace, "web"), None);
    }
    let copy = format!("/api/v1/namespaces/{}/secrets/underway", project.namespace);
    let source = world.secret(&shared.runai, "underway").unwrap();
    world.patch(&copy, &json!({"data": source["data"]}));
    let line = shared.run(&["restart", "underway", "-y", "--no-wait", "-n", &project.namespace]);
    sandbox.run(line).success();
    assert!(restarted(world, &project.namespace, "web").is_some());
}

#[scenario]
fn a_shared_secret_outside_of_what_is_taken_for_runais_namespace_is_said(world: &World, sandbox: &Sandbox) {
    let elsewhere = world.namespace("elsewhere");
    let labels = json!({"run.ai/cluster-wide": "true"});
    create_named(world, &elsewhere, "hf", &labels, &json!({}), "v4lue");
    let path = deployments(&elsewhere);
    deployment(world, &elsewhere, "web", reads("hf"));
    assert!(world.get(&format!("{path}/web")).is_some());
    let done = sandbox.run(["restart", "hf", "-y", "--no-wait", "-n", &elsewhere]).success();
    let command = format!("kubectl runai-secret restart hf -n {elsewhere} --runai-namespace {elsewhere}\n");
    assert!(done.stderr.contains("belongs to no project"), "{done}");
    assert!(done.stderr.contains(&command), "{done}");
}
