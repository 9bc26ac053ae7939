//! Attaching to kinds that the table lacks, as Kartas of the cluster describe them, and to a name without a kind.

use serde_json::{Value, json};
use support::{Sandbox, World, scenario};

use crate::definitions::define;
use crate::guide::answer;
use crate::workloads::{create_cronjob, create_deployment, create_job};

const GROUP: &str = "gizmos.example.com";

fn gizmos(namespace: &str) -> String {
    format!("/apis/{GROUP}/v1/namespaces/{namespace}/gizmos")
}

/// Serves the kind Gizmo, whose pods are in a map of runners, and has a Karta describe it.
pub(crate) fn describe_gizmos(world: &World) {
    define(world, &["kartas.run.ai"]);
    world.custom_resource(GROUP, "v1", "gizmos", "Gizmo");
    let kind = |group, version, kind| json!({"group": group, "version": version, "kind": kind});
    let root = json!({"name": "gizmo", "kind": kind(GROUP, "v1", "Gizmo"), "statusDefinition": {}});
    let runner = json!({"name": "runner", "kind": kind("", "v1", "Pod"), "ownerRef": "gizmo",
        "specDefinition": {"podTemplateSpecPath": ".spec.runners[]?.template"},
        "scaleDefinition": {"replicasPath": ".spec.runners[]? | (.replicas // 1)"}});
    let structure = json!({"rootComponent": root, "childComponents": [runner]});
    let path = "/apis/run.ai/v1alpha1/kartas";
    if world.get(&format!("{path}/gizmo")).is_none() {
        let karta = json!({"apiVersion": "run.ai/v1alpha1", "kind": "Karta", "metadata": {"name": "gizmo"},
            "spec": {"structureDefinition": structure}});
        // Worlds on the real control plane share it.
        let (status, answer) = world.admin("POST", path, Some(&karta));
        assert!(matches!(status, 201 | 409), "{answer}");
    }
}

pub(crate) fn create_gizmo(world: &World, namespace: &str, name: &str) {
    let pod = json!({"template": {"spec": {"containers": [{"name": "main", "image": "busybox"}]}}});
    let object = json!({"apiVersion": format!("{GROUP}/v1"), "kind": "Gizmo", "metadata": {"name": name},
        "spec": {"runners": {"fast": pod, "slow": pod}, "size": 2}});
    world.create(&gizmos(namespace), &object);
}

fn runners_env(world: &World, namespace: &str, name: &str) -> Vec<Value> {
    let gizmo = world.get(&format!("{}/{name}", gizmos(namespace))).unwrap();
    ["fast", "slow"]
        .map(|runner| gizmo["spec"]["runners"][runner]["template"]["spec"]["containers"][0]["env"].clone())
        .to_vec()
}

#[scenario]
fn a_kind_that_a_karta_describes_is_attached_to_and_detached_from(world: &World, sandbox: &Sandbox) {
    describe_gizmos(world);
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("k", "v4lue")]);
    create_gizmo(world, &namespace, "g");
    for word in ["gizmo/g", "gizmos.gizmos.example.com/g", "Gizmo/g"] {
        let attached = sandbox.run(["attach", "s", word, "--env", "TOKEN=k", "-n", &namespace]).success();
        assert!(attached.stdout.starts_with("gizmo.gizmos.example.com/g updated\n"), "{attached}");
        let variable = json!([{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]);
        assert_eq!(runners_env(world, &namespace, "g"), [variable.clone(), variable]);
        let detached = sandbox.run(["detach", "s", word, "-n", &namespace]).success();
        assert!(detached.stdout.starts_with("gizmo.gizmos.example.com/g updated\n"), "{detached}");
        assert!(
            runners_env(world, &namespace, "g").iter().all(|env| env.as_array().is_none_or(Vec::is_empty))
        );
    }
}

#[scenario]
fn what_it_refers_to_is_certain_and_is_checked(world: &World, sandbox: &Sandbox) {
    describe_gizmos(world);
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("k", "v4lue"), ("k2", "v4lue")]);
    create_gizmo(world, &namespace, "g");
    sandbox.run(["attach", "s", "gizmo/g", "--env", "TOKEN=k", "-n", &namespace]).success();
    let usage = sandbox.run(["usage", "s", "-n", &namespace, "-o", "json"]).success().json();
    let consumer = &usage["secrets"][0]["consumers"][0];
    assert_eq!((&consumer["group"], &consumer["kind"]), (&json!(GROUP), &json!("Gizmo")));
    assert_eq!(
        (&consumer["uses"][0]["how"], &consumer["uses"][0]["variable"]),
        (&json!("env"), &json!("TOKEN"))
    );
    let refused = sandbox.run(["delete", "s", "--yes", "-n", &namespace]).fails_with(1);
    let hint = format!("detach s gizmo.gizmos.example.com/g -n {namespace}");
    assert!(refused.stderr.contains(&hint), "{refused}");
    sandbox.run(["check", "gizmo/g", "-n", &namespace]).success();
    world.patch(&format!("/api/v1/namespaces/{namespace}/secrets/s"), &json!({"data": {"k": null}}));
    for line in [&["check", "-n", &namespace][..], &["check", "gizmo/g", "-n", &namespace]] {
        let report = sandbox.run(line.iter().chain(&["-o", "json"])).fails_with(3).json();
        let found = &report["findings"][0];
        let said = (&found["code"], &found["object"]);
        assert_eq!(said, (&json!("missing-key"), &json!("gizmo.gizmos.example.com/g")), "{report}");
    }
}

#[scenario]
fn a_kind_of_which_nothing_says_where_its_pods_are_is_refused(world: &World, sandbox: &Sandbox) {
    describe_gizmos(world);
    world.custom_resource("widgets.example.com", "v1", "widgets", "Widget");
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("k", "v4lue")]);
    let refused = sandbox.run(["attach", "s", "widget/w", "--env", "k", "-n", &namespace]).fails_with(1);
    let line = "error: where widgets.widgets.example.com have their pods is not known\n";
    assert!(refused.stderr.contains(line) && refused.stderr.contains("kartas.run.ai"), "{refused}");
    for line in [
        &["attach", "s", "deplyment/w", "--env", "k"][..],
        &["detach", "s", "deplyment/w"],
        &["check", "deplyment/w"],
    ] {
        let refused = sandbox.run(line.iter().chain(&["-n", namespace.as_str()])).fails_with(2);
        let said = "error: \"deplyment\" is not a kind of workload\nhint: did you mean \"deployment\"?\n";
        assert!(refused.stderr.contains(said), "{refused}");
    }
}

#[scenario]
fn who_may_not_read_kartas_is_told_that_they_would_help(world: &World, sandbox: &Sandbox) {
    describe_gizmos(world);
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("k", "v4lue")]);
    create_gizmo(world, &namespace, "g");
    let user = world.user("no-kartas");
    world.grant(&user, Some(&namespace), &json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]));
    let line = ["attach", "s", "gizmo/g", "--env", "k", "-n", &namespace, "--token", &user.token];
    let refused = sandbox.run(line).fails_with(1);
    assert!(refused.stderr.contains("hint: you may not list kartas.run.ai"), "{refused}");
    world.grant(&user, None, &json!([{"apiGroups": ["run.ai"], "resources": ["kartas"], "verbs": ["list"]}]));
    sandbox.run(line).success();
}

#[scenario]
fn a_name_alone_is_looked_up_over_all_kinds(world: &World, sandbox: &Sandbox) {
    describe_gizmos(world);
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("k", "v4lue")]);
    create_deployment(world, &namespace, "web");
    create_cronjob(world, &namespace, "nightly");
    create_gizmo(world, &namespace, "g");
    let run = |line: &[&str]| sandbox.run(line.iter().chain(&["-n", namespace.as_str()]));
    for (name, target) in [
        ("web", "deployment.apps/web"),
        ("nightly", "cronjob.batch/nightly"),
        ("g", "gizmo.gizmos.example.com/g"),
    ] {
        let attached = run(&["attach", "s", name, "--env", "k"]).success();
        assert!(attached.stderr.contains(&format!("note: {name} is {target}\n")), "{attached}");
        assert!(attached.stdout.starts_with(&format!("{target} updated\n")), "{attached}");
        run(&["check", name]).success();
        run(&["detach", "s", name]).success();
    }
    create_cronjob(world, &namespace, "web");
    let several = run(&["attach", "s", "web", "--env", "k"]).fails_with(2);
    let names = "\"web\" is the name of cronjob.batch/web and deployment.apps/web";
    assert!(several.stderr.contains(names), "{several}");
    assert!(
        several.stderr.contains("hint: put the kind in front, for example cronjob.batch/web\n"),
        "{several}"
    );
    let none = run(&["attach", "s", "wep", "--env", "k"]).fails_with(1);
    assert!(none.stderr.contains("has the name \"wep\"") && none.stderr.contains("KIND/wep"), "{none}");
}

#[scenario]
fn of_a_name_the_owner_is_meant_and_not_what_it_made(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("k", "v4lue")]);
    let job = create_job(world, &namespace, "train");
    let owner = json!({"apiVersion": "batch/v1", "kind": "Job", "name": "train", "uid": job["metadata"]["uid"], "controller": true});
    let pod = json!({"metadata": {"name": "train", "ownerReferences": [owner]},
        "spec": {"containers": [{"name": "main", "image": "busybox"}]}});
    world.create(&format!("/api/v1/namespaces/{namespace}/pods"), &pod);
    let line = ["attach", "s", "train", "--env", "k", "--copy-as", "again", "-n", &namespace];
    let attached = sandbox.run(line).success();
    assert!(attached.stdout.starts_with("job.batch/again created\n"), "{attached}");
}

#[scenario]
fn check_of_a_file_reads_a_kind_that_a_karta_describes(world: &World, sandbox: &Sandbox) {
    describe_gizmos(world);
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("k", "v4lue")]);
    let env = json!([{"name": "T", "valueFrom": {"secretKeyRef": {"name": "s", "key": "none"}}}]);
    let pod =
        json!({"template": {"spec": {"containers": [{"name": "main", "image": "busybox", "env": env}]}}});
    let gizmo = json!({"apiVersion": format!("{GROUP}/v1"), "kind": "Gizmo", "metadata": {"name": "g"},
        "spec": {"runners": {"fast": pod}}});
    sandbox.file("g.json", gizmo.to_string());
    for words in [&["check", "-f", "g.json"][..], &["check", "gizmo/g", "-f", "g.json"]] {
        let report = sandbox.run(words.iter().chain(&["-n", &namespace, "-o", "json"])).fails_with(3).json();
        let found = &report["findings"][0];
        let said = (&found["code"], &found["object"]);
        assert_eq!(said, (&json!("missing-key"), &json!("gizmo.gizmos.example.com/g")), "{report}");
        assert_eq!(report["unchecked"], json!([]), "{report}");
    }
    // In a version that the Karta says nothing of, and without a cluster, it is named as not checked.
    let other = gizmo.to_string().replace(&format!("{GROUP}/v1"), &format!("{GROUP}/v2"));
    sandbox.file("other.json", other);
    for words in [&["check", "-f", "other.json"][..], &["check", "-f", "g.json", "--offline"]] {
        let unread = sandbox.run(words.iter().chain(&["-n", &namespace])).fails_with(3);
        assert!(unread.stderr.contains("not checked, because the kind is not known: Gizmo"), "{unread}");
    }
}

#[scenario]
fn who_is_led_can_pick_an_object_of_a_kind_that_a_karta_describes(world: &World, sandbox: &Sandbox) {
    describe_gizmos(world);
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("k", "v4lue")]);
    create_gizmo(world, &namespace, "g");
    let mut session = sandbox.in_terminal(["attach", "s", "--env", "TOKEN=k", "-n", &namespace]);
    answer(&mut session, "Workload", "gizmo/g");
    answer(&mut session, "Change gizmo.gizmos.example.com/g?", "");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert_eq!(runners_env(world, &namespace, "g")[0][0]["name"], "TOKEN");
    let mut session = sandbox.in_terminal(["detach", "s", "-n", &namespace]);
    answer(&mut session, "Workload", "gizmo/g");
    session.expect("Change gizmo.gizmos.example.com/g?");
    session.send("y");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    sandbox.run(["attach", "s", "gizmo/g", "--env", "TOKEN=k", "-n", &namespace]).success();
    let mut session = sandbox.in_terminal(["detach", "-n", &namespace]);
    answer(&mut session, "Workload", "gizmo/g");
    answer(&mut session, "Secret", "s");
    session.expect("Change gizmo.gizmos.example.com/g?");
    session.send("y");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
}

#[scenario]
fn who_is_led_to_a_service_of_knative_gets_a_name_that_works(world: &World, sandbox: &Sandbox) {
    define(world, &["serving.knative.dev"]);
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("k", "v4lue")]);
    let container = json!({"name": "user-container", "image": "busybox"});
    let service = json!({"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": "hello"},
        "spec": {"template": {"spec": {"containers": [container]}}}});
    world.create(&format!("/apis/serving.knative.dev/v1/namespaces/{namespace}/services"), &service);
    let mut session = sandbox.in_terminal(["attach", "s", "--env", "TOKEN=k", "-n", &namespace]);
    answer(&mut session, "Workload", "hello");
    answer(&mut session, "Change service.serving.knative.dev/hello?", "");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
}
