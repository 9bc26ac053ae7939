//! `delete --unused`: what nothing uses goes, what may be used stays.

use std::time::Duration;

use serde_json::{Value, json};
use support::{Fault, Hold, Sandbox, World, scenario};

use crate::set::{create_workload, with_variable};
use crate::status::create_named;

const LIMIT: Duration = Duration::from_mins(1);

fn names(world: &World, namespace: &str) -> Vec<String> {
    let name = |secret: &Value| secret["metadata"]["name"].as_str().unwrap().to_owned();
    let mut names: Vec<String> = world.list(&secrets(namespace)).iter().map(name).collect();
    names.sort();
    names
}

fn secrets(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/secrets")
}

/// Secrets that stay: one that a deployment names, one that an object of another kind names, and others.
fn create_what_stays(world: &World, namespace: &str) -> Vec<String> {
    world.create_secret(namespace, "s", &[("a", "v4lue")]);
    create_workload(world, namespace, "deployments", "web", with_variable("a"));
    world.create_secret(namespace, "probable", &[("a", "v4lue")]);
    world.custom_resource("frobs.example.com", "v1", "frobnicators", "Frobnicator");
    let frob = json!({"apiVersion": "frobs.example.com/v1", "kind": "Frobnicator", "metadata": {"name": "f"},
        "spec": {"foo": {"secretKeyRef": {"name": "probable", "key": "a"}}}});
    world.create(&format!("/apis/frobs.example.com/v1/namespaces/{namespace}/frobnicators"), &frob);
    let maps = format!("/api/v1/namespaces/{namespace}/configmaps");
    let uid = world.create(&maps, &json!({"metadata": {"name": "x"}}))["metadata"]["uid"].clone();
    let owner = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": uid}]);
    world.create(&secrets(namespace), &json!({"metadata": {"name": "owned", "ownerReferences": owner}}));
    for (name, of_type) in [("bootstrap", "bootstrap.kubernetes.io/token"), ("release", "helm.sh/release.v1")]
    {
        world.create(&secrets(namespace), &json!({"metadata": {"name": name}, "type": of_type}));
    }
    for (name, label, value) in [
        ("credential", "run.ai/resource", "password"),
        ("ours", "kubectl-runai-secret/copy", "true"),
        ("runais", "run.ai/cluster-wide", "true"),
    ] {
        create_named(world, namespace, name, &json!({ label: value }), &json!({}), "v4lue");
    }
    names(world, namespace)
}

#[scenario]
fn what_nothing_uses_goes_after_a_review_and_what_may_be_used_stays(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    let stays = create_what_stays(world, &project.namespace);
    for name in ["idle", "old"] {
        world.create_secret(&project.namespace, name, &[("k", "v4lue")]);
    }
    let line = ["delete", "--unused", "-p", &project.name];
    let asked = sandbox.run(line).fails_with(2);
    for said in [
        "secret idle: Opaque, made ",
        "secret old: Opaque, made ",
        "Delete 2 unused secrets?",
        "5 secrets that nothing was seen to use stay: 1 with an owner; 1 of a type that the server itself uses; \
         2 shared, or a copy; 1 credential of Run:ai\n",
    ] {
        assert!(asked.stderr.contains(said), "{said} is missing in {asked}");
    }
    for flag in ["--dry-run=client", "--dry-run=server"] {
        let tried = sandbox.run(line.iter().chain(&[flag])).success();
        assert!(
            tried.stdout.contains("secret/idle deleted (") && tried.stdout.contains("dry run"),
            "{tried}"
        );
    }
    assert_eq!(names(world, &project.namespace).len(), stays.len() + 2);
    world.clear_log();
    let deleted = sandbox.run(line.iter().chain(&["--yes"])).success();
    assert_eq!(deleted.stdout, "secret/idle deleted\nsecret/old deleted\n");
    assert_eq!(names(world, &project.namespace), stays);
    for write in world.writes() {
        let conditions = write.json()["preconditions"].clone();
        assert!(conditions["uid"].is_string() && conditions["resourceVersion"].is_string(), "{conditions}");
    }
    let nothing = sandbox.run(line).success();
    assert!(nothing.stderr.contains("no secret to delete that nothing uses in"), "{nothing}");
    let usage = sandbox.run(["usage", "--unused", "-o", "name", "-p", &project.name]).success();
    assert!(usage.stdout.contains("secret/owned\n"), "{usage}");
}

#[scenario]
fn in_several_projects_each_secret_is_a_line_with_its_project(world: &World, sandbox: &Sandbox) {
    let (a, b, c) = (world.project("a"), world.project("b"), world.project("c"));
    let make = || {
        for project in [&a, &c] {
            world.create_secret(&project.namespace, "idle", &[("k", "v4lue")]);
        }
    };
    make();
    let all = format!("{},{},{}", a.name, b.name, c.name);
    let deleted = sandbox.run(["delete", "--unused", "-p", &all, "--yes"]).success();
    let lines = format!("secret/idle deleted in {}\nsecret/idle deleted in {}\n", a.name, c.name);
    assert_eq!(deleted.stdout, lines, "{deleted}");
    make();
    let list = sandbox.run(["delete", "--unused", "-p", &all, "--yes", "-o", "json"]).success().json();
    assert_eq!((&list["kind"], list["items"].as_array().map(Vec::len)), (&json!("List"), Some(2)), "{list}");
}

#[scenario]
fn what_is_used_or_changed_meanwhile_stays(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    let namespace = &project.namespace;
    for name in ["changed", "idle", "late", "s"] {
        world.create_secret(namespace, name, &[("a", "v4lue")]);
    }
    let second = ["secrets", "deployments"].map(|kind| {
        let list = Fault::on("GET", &format!("/namespaces/{namespace}/{kind}?"));
        world.hold(list.nth(2), Hold::BeforeForwarding)
    });
    let late = format!("{}/late", secrets(namespace));
    let deletion = world.hold(Fault::on("DELETE", &late), Hold::BeforeForwarding);
    let running = sandbox.spawn(["delete", "--unused", "--yes", "-p", &project.name]);
    assert!(second.iter().all(|gate| gate.wait_reached(LIMIT)), "{:?}", world.lines());
    create_workload(world, namespace, "deployments", "web", with_variable("a"));
    world.patch(&format!("{}/changed", secrets(namespace)), &json!({"stringData": {"a": "new"}}));
    second.iter().for_each(support::Gate::release);
    assert!(deletion.wait_reached(LIMIT), "{:?}", world.lines());
    world.patch(&late, &json!({"stringData": {"a": "new"}}));
    deletion.release();
    let partly = running.wait().fails_with(3);
    assert_eq!(partly.stdout, "secret/idle deleted\n", "{partly}");
    for said in [
        "secret s: something refers to it now; it was not deleted",
        "secret changed: somebody changed or deleted it meanwhile; nothing was done",
        "secret late: ",
        "failed for 3 of 4 secrets",
    ] {
        assert!(partly.stderr.contains(said), "{said} is missing in {partly}");
    }
    assert_eq!(names(world, namespace), ["changed", "late", "s"]);
}

#[scenario]
fn where_a_kind_can_not_be_searched_nothing_goes_unforced(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "idle", &[("k", "v4lue")]);
    let user = world.user("limited");
    let rights = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list", "delete"]}]);
    world.grant(&user, Some(&namespace), &rights);
    let line = ["delete", "--unused", "--yes", "-n", &namespace, "--token", &user.token];
    for line in [line.to_vec(), [&line[..], &["--dry-run"]].concat()] {
        let refused = sandbox.run(line).fails_with(1);
        assert!(refused.stderr.contains("what seems unused may be used there"), "{refused}");
        assert!(refused.stderr.contains("nothing was deleted\nhint: --force"), "{refused}");
    }
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    sandbox.run(line.iter().chain(&["--force"])).success();
    assert_eq!(names(world, &namespace), [""; 0]);
}

#[scenario]
fn who_is_asked_may_pick(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    for name in ["one", "two", "three"] {
        world.create_secret(&project.namespace, name, &[("k", "v4lue")]);
    }
    let line = ["delete", "--unused", "-p", &project.name];
    let mut session = sandbox.in_terminal(line);
    session.expect("Delete 3 unused secrets?");
    session.send("\r");
    let (code, shown) = session.wait();
    assert_eq!((code, names(world, &project.namespace).len()), (1, 3), "Enter deletes nothing: {shown}");
    let mut session = sandbox.in_terminal(line);
    session.expect("Delete 3 unused secrets?");
    session.send("pick\r");
    session.expect("Which ones?");
    session.send("one three \r");
    let (code, shown) = session.wait();
    assert_eq!((code, names(world, &project.namespace)), (0, vec!["two".to_owned()]), "{shown}");
    let mut session = sandbox.in_terminal(line);
    session.expect("Delete 1 unused secret?");
    session.send("delete it\r");
    let (code, shown) = session.wait();
    assert_eq!((code, names(world, &project.namespace).len()), (0, 0), "{shown}");
}

#[scenario]
fn names_and_run_ais_namespace_are_refused(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    world.create_secret(&runai, "idle", &[("k", "v4lue")]);
    for words in [
        &["delete", "idle", "--unused"][..],
        &["delete", "--unused", "--cluster-wide"],
        &["delete", "--unused"],
        &["delete"],
    ] {
        let place = ["-n", &runai, "--runai-namespace", &runai, "--yes"];
        sandbox.run(words.iter().chain(&place)).fails_with(2);
    }
    assert_eq!(names(world, &runai), ["idle"]);
}

/// In a cluster of its own: it looks at all projects there are.
#[test]
fn in_all_projects_what_nothing_uses_goes_and_a_project_that_cannot_be_searched_is_named() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let [a, b] = ["a", "b"].map(|name| world.project(name));
    let (other, runai) = (world.namespace("other"), world.runai_namespace());
    for namespace in [&a.namespace, &b.namespace, &other, &runai] {
        world.create_secret(namespace, "s", &[("a", "v4lue")]);
        world.create_secret(namespace, "idle", &[("a", "v4lue")]);
        create_workload(&world, namespace, "deployments", "web", with_variable("a"));
    }
    let line = ["delete", "--unused", "-A", "--yes", "--runai-namespace", &runai];
    let dry = sandbox.run(line.iter().chain(&["--dry-run"])).success();
    assert_eq!(dry.stdout.lines().count(), 2, "{dry}");
    for project in [&a, &b] {
        assert!(dry.stderr.contains(&format!("secret idle in {}: Opaque", project.name)), "{dry}");
    }
    assert!(world.writes().is_empty(), "{:?}", world.lines());

    // Who may look at one project alone leaves the other as it is.
    let user = world.user("limited");
    let every = json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]);
    let namespaces = json!([{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list"]}]);
    world.grant(&user, Some(&a.namespace), &every);
    world.grant(&user, None, &namespaces);
    let partly = sandbox.run(line.iter().chain(&["--token", &user.token])).fails_with(3);
    assert!(
        partly.stderr.contains(&b.namespace) && partly.stderr.contains("1 project could not be searched"),
        "{partly}"
    );
    assert_eq!(names(&world, &a.namespace), ["s"], "{partly}");
    assert_eq!(names(&world, &b.namespace), ["idle", "s"], "{partly}");

    world.clear_log();
    let done = sandbox.run(line).success();
    assert!(done.stdout.contains("secret/idle deleted"), "{done}");
    let lists = |group: &str| world.lines().iter().filter(|line| line.contains(group)).count();
    assert_eq!(
        lists("/apis/apps/v1/deployments"),
        2,
        "one list of all namespaces, and one before it deletes"
    );
    assert_eq!(names(&world, &b.namespace), ["s"], "{done}");
    for namespace in [&other, &runai] {
        assert_eq!(names(&world, namespace), ["idle", "s"], "it is no project's");
    }
    let wrong = sandbox.run(["delete", "s", "-A"]).fails_with(2);
    assert!(wrong.stderr.contains("--unused"), "{wrong}");
}
