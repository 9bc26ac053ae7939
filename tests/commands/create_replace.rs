//! `create`: over an existing secret, in several projects, for all of them.

use std::time::Duration;

use serde_json::{Value, json};
use support::{Fault, Hold, Sandbox, World, scenario};

use crate::status::{Shared, our_copy};

/// A secret with a label, an annotation, a finalizer and a copy of its values by kubectl apply.
fn existing(world: &World, namespace: &str, more: &Value) {
    let mut secret = json!({
        "apiVersion": "v1", "kind": "Secret", "data": { "old": "dg==" },
        "metadata": {
            "name": "s", "labels": { "app": "x", "tier": "1" },
            "annotations": { "note": "kept", "kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{\"old\":\"dg==\"}}" },
        },
    });
    for (field, value) in more.as_object().unwrap() {
        secret[field] = value.clone();
    }
    world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &secret);
}

fn replace<'a>(namespace: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let line = ["create", "s", "--replace", "--from-literal=k=new-value", "-n", namespace];
    line.into_iter().chain(more.iter().copied()).collect()
}

#[scenario]
fn replacing_takes_new_values_and_keeps_all_else(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    existing(world, &namespace, &json!({}));
    let before = world.secret(&namespace, "s").unwrap();
    let replaced = sandbox.run(replace(&namespace, &["--label=tier=2", "--annotation=more=1"])).success();
    assert_eq!(replaced.stdout, "secret/s replaced\n");
    let mut after = world.secret(&namespace, "s").unwrap();
    let annotations = after["metadata"]["annotations"].as_object_mut().unwrap();
    let record = annotations.remove("kubectl-runai-secret/changed").unwrap();
    let uid = before["metadata"]["uid"].as_str().unwrap();
    assert_eq!(record.as_str().unwrap(), format!(r#"{{"of":"{namespace}/s {uid}","last":["k","old"]}}"#));
    assert_eq!(after["data"], json!({ "k": "bmV3LXZhbHVl" }), "the old key is gone");
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(after["metadata"]["labels"], json!({ "app": "x", "tier": "2" }));
    assert_eq!(after["metadata"]["annotations"], json!({ "note": "kept", "more": "1" }));
    assert_eq!(world.writes().len(), 1);
    assert!(
        replaced.stderr.contains(&format!("note: key old of secret s in {namespace} goes: ")),
        "{replaced}"
    );
    assert!(replaced.stderr.contains("note: added k; gone old\n"), "{replaced}");
    world.clear_log();
    let again = sandbox.run(replace(&namespace, &[])).success();
    assert_eq!((again.stdout.as_str(), again.stderr.as_str()), ("secret/s unchanged\n", "note: same k\n"));
    assert_eq!(world.calls().len(), 1, "one look: {:?}", world.lines());
    let dry = sandbox.run(replace(&namespace, &["--dry-run=client"])).success();
    assert_eq!(dry.stdout, "secret/s unchanged (dry run)\n");
    let printed = sandbox.run(replace(&namespace, &["-o", "json"])).success().json();
    assert_eq!(printed["metadata"]["resourceVersion"], after["metadata"]["resourceVersion"]);
    assert!(world.writes().is_empty(), "{:?}", world.lines());
}

#[scenario]
fn the_same_values_with_another_label_or_for_good_are_a_change(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    sandbox.run(["create", "s", "--from-literal=k=new-value", "-n", &namespace]).success();
    for more in ["--label=tier=2", "--annotation=more=1", "--immutable"] {
        let line = replace(&namespace, &[more]);
        let replaced = sandbox.run(&line).success();
        assert_eq!(replaced.stdout, "secret/s replaced\n", "{more}");
        assert!(replaced.stderr.contains("note: same k\n"), "{replaced}");
        assert_eq!(sandbox.run(&line).success().stdout, "secret/s unchanged\n", "{more}");
    }
}

#[scenario]
fn what_is_not_there_is_created(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    assert_eq!(sandbox.run(replace(&namespace, &[])).success().stdout, "secret/s created\n");
    let line = ["create", "s", "--replace", "--from-literal=k=another", "-n", &namespace, "--dry-run=server"];
    assert_eq!(sandbox.run(line).success().stdout, "secret/s replaced (server dry run)\n");
}

#[scenario]
fn a_client_dry_run_looks_whether_there_is_something_to_replace(world: &World, sandbox: &Sandbox) {
    let (a, b) = (world.project("team-a"), world.project("team-b"));
    existing(world, &a.namespace, &json!({}));
    let before = world.secret(&a.namespace, "s").unwrap();
    let said = |place: &[&str]| {
        let line = ["create", "s", "--replace", "--from-literal=k=new-value", "--dry-run=client"];
        sandbox.run(line.iter().chain(place)).success().stdout
    };
    assert_eq!(said(&["-n", &a.namespace]), "secret/s replaced (dry run)\n");
    assert!(world.writes().is_empty(), "{:?}", world.calls());
    assert_eq!(said(&["-n", &b.namespace]), "secret/s created (dry run)\n");
    let both =
        format!("secret/s replaced in {} (dry run)\nsecret/s created in {} (dry run)\n", a.name, b.name);
    assert_eq!(said(&["-p", &a.name, "-p", &b.name]), both);
    world.clear_log();
    assert!(said(&["-n", &a.namespace, "-oyaml"]).starts_with("apiVersion: v1\n"));
    assert!(world.calls().is_empty(), "the manifest is the same either way");
    assert_eq!(world.secret(&a.namespace, "s").unwrap(), before);
}

#[scenario]
fn a_change_in_between_is_not_lost(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    existing(world, &namespace, &json!({}));
    let gate = world.hold(Fault::on("PUT", "/secrets/s"), Hold::BeforeForwarding);
    let running = sandbox.spawn(replace(&namespace, &[]));
    assert!(gate.wait_reached(Duration::from_mins(1)));
    world.patch(
        &format!("/api/v1/namespaces/{namespace}/secrets/s"),
        &json!({ "metadata": { "labels": { "by": "another" } } }),
    );
    gate.release();
    running.wait().success();
    assert_eq!(world.secret(&namespace, "s").unwrap()["metadata"]["labels"]["by"], "another");
    assert_eq!(world.secret_value(&namespace, "s", "k").unwrap(), b"new-value");
}

#[scenario]
fn an_immutable_secret_is_explained_and_recreated_only_when_agreed(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    existing(world, &namespace, &json!({ "immutable": true }));
    let before = world.secret(&namespace, "s").unwrap();
    let refused = sandbox.run(replace(&namespace, &[])).fails_with(2);
    assert!(
        refused.stderr.contains("it is immutable") && refused.stderr.contains("hint: add --yes"),
        "{refused}"
    );
    assert_eq!(world.secret(&namespace, "s").unwrap(), before);
    sandbox.run(replace(&namespace, &["--yes", "--immutable"])).success();
    let after = world.secret(&namespace, "s").unwrap();
    assert_eq!((&after["data"], &after["immutable"]), (&json!({ "k": "bmV3LXZhbHVl" }), &json!(true)));
    assert_eq!(after["metadata"]["labels"], before["metadata"]["labels"]);
    assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"]);
}

#[scenario]
fn another_type_is_explained(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    existing(world, &namespace, &json!({ "type": "example.com/x" }));
    let refused = sandbox.run(replace(&namespace, &[])).fails_with(2);
    assert!(refused.stderr.contains("it has another type"), "{refused}");
    sandbox.run(replace(&namespace, &["--type=example.com/x"])).success();
    let dry = sandbox.run(replace(&namespace, &["--dry-run=server"])).fails_with(1);
    assert!(
        dry.stderr.contains("field is immutable") && dry.stderr.contains("hint: without --dry-run"),
        "{dry}"
    );
    sandbox.run(replace(&namespace, &["--yes"])).success();
    assert_eq!(world.secret(&namespace, "s").unwrap()["type"], "Opaque");
}

#[scenario]
fn where_the_new_one_is_refused_the_old_one_stays_or_comes_back(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    existing(world, &namespace, &json!({ "immutable": true }));
    let before = world.secret(&namespace, "s").unwrap();
    world.fail(Fault::on("POST", "/secrets").answer(403));
    let refused = sandbox.run(replace(&namespace, &["--yes"])).fails_with(1);
    assert!(refused.stderr.contains("hint: the old secret was not touched"), "{refused}");
    assert_eq!(world.secret(&namespace, "s").unwrap(), before);
    world.fail(Fault::on("POST", "/secrets").nth(2).answer(403));
    let refused = sandbox.run(replace(&namespace, &["--yes"])).fails_with(1);
    assert!(refused.stderr.contains("hint: the old secret was put back as it was"), "{refused}");
    assert_eq!(world.secret(&namespace, "s").unwrap()["data"], before["data"]);
}

#[scenario]
fn a_secret_that_does_not_go_is_said_to_be_still_there(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    existing(world, &namespace, &json!({ "immutable": true }));
    let path = format!("/api/v1/namespaces/{namespace}/secrets/s");
    world.patch(&path, &json!({ "metadata": { "finalizers": ["example.com/hold"] } }));
    let refused = sandbox.run(replace(&namespace, &["--yes"])).fails_with(1);
    assert!(
        refused.stderr.contains("error: secret s is still there after 10 s: it waits for example.com/hold"),
        "{refused}"
    );
    assert!(refused.stderr.contains("hint: run the same command again"), "{refused}");
    let going = sandbox.run(replace(&namespace, &["--yes"])).fails_with(1);
    assert!(going.stderr.contains(&format!("error: secret s in {namespace} is being deleted")), "{going}");
    assert!(world.secret(&namespace, "s").is_some());
    world.patch(&path, &json!({ "metadata": { "finalizers": null } }));
}

#[scenario]
fn a_deletion_of_which_the_answer_is_lost_is_carried_on(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    existing(world, &namespace, &json!({ "immutable": true }));
    world.fail(Fault::on("DELETE", "/secrets/s").drop_after_forwarding());
    sandbox.run(replace(&namespace, &["--yes"])).success();
    assert_eq!(world.secret_value(&namespace, "s", "k").unwrap(), b"new-value");
}

#[scenario]
fn several_projects_get_it_in_one_command(world: &World, sandbox: &Sandbox) {
    let (a, b) = (world.project("team-a"), world.project("team-b"));
    let created = sandbox
        .run(["create", "s", "--from-literal=k=v", "-p", &a.name, "-p", &b.name, "-p", &a.name])
        .success();
    assert_eq!(created.stdout, format!("secret/s created in {}\nsecret/s created in {}\n", a.name, b.name));
    assert!(world.secret(&a.namespace, "s").is_some() && world.secret(&b.namespace, "s").is_some());
    let line =
        ["create", "t", "--from-literal=k=v", "-p", &a.name, "-p", &b.name, "--dry-run=client", "-ojson"];
    let list = sandbox.run(line).success().json();
    assert_eq!(list["items"][1]["metadata"], json!({ "name": "t", "namespace": b.namespace }));
}

#[scenario]
fn projects_on_both_sides_of_the_command_all_count(world: &World, sandbox: &Sandbox) {
    let [a, b, c] = ["team-a", "team-b", "team-c"].map(|name| world.project(name));
    let created = sandbox.run([
        "-p",
        &a.name,
        "create",
        "--project",
        &b.name,
        "generic",
        "s",
        "--from-literal=k=v",
        "-p",
        &c.name,
    ]);
    let created = created.success();
    assert_eq!(created.stdout.lines().count(), 3, "{created}");
    for project in [a, b, c] {
        assert!(world.secret(&project.namespace, "s").is_some());
    }
}

#[scenario]
fn where_one_project_refuses_the_others_get_it_and_the_exit_code_is_3(world: &World, sandbox: &Sandbox) {
    let (a, b) = (world.project("team-a"), world.project("team-b"));
    world.create_secret(&a.namespace, "s", &[("k", "before")]);
    let line = ["create", "s", "--from-literal=k=v", "-p", &a.name, "-p", &b.name];
    let partly = sandbox.run(line).fails_with(3);
    assert!(partly.stderr.contains(&format!("error: project {}: ", a.name)), "{partly}");
    assert!(partly.stderr.contains("error: failed in 1 of 2 projects"), "{partly}");
    assert_eq!(world.secret_value(&a.namespace, "s", "k").unwrap(), b"before");
    assert!(world.secret(&b.namespace, "s").is_some());
    sandbox.run(line).fails_with(1).never_shows(b"before");
}

#[scenario]
fn who_leaves_at_a_question_is_not_asked_for_the_next_project(world: &World, sandbox: &Sandbox) {
    let projects = ["team-a", "team-b"].map(|name| world.project(name));
    for project in &projects {
        existing(world, &project.namespace, &json!({"immutable": true}));
    }
    let line =
        ["create", "s", "--replace", "--from-literal=k=v", "-p", &projects[0].name, "-p", &projects[1].name];
    let mut session = sandbox.in_terminal(line);
    session.expect("Delete s and create it again?");
    session.interrupt();
    let (code, shown) = session.wait();
    assert!(code == 130 && shown.matches("can't be replaced").count() == 1, "{shown}");
}

#[scenario]
fn a_copy_is_not_replaced_and_of_a_shared_secret_the_copies_follow(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let project = world.project("a");
    our_copy(world, &shared, &project.namespace, "before");
    let create = |more: &[&str]| {
        let line = shared.run(&["create", "hf", "--replace", "--from-literal=token=new-value"]);
        sandbox.run(line.iter().chain(more))
    };
    for dry in ["--dry-run=none", "--dry-run=client"] {
        let refused = create(&["-p", &project.name, dry]).fails_with(1);
        assert!(refused.stderr.contains(&format!("is a copy of {}/hf", shared.runai)), "{refused}");
    }
    let replaced = create(&["-n", &shared.runai]).success();
    assert!(
        replaced.stderr.contains("and its copies follow: Run:ai copies it within about a minute"),
        "{replaced}"
    );
    assert!(
        replaced.stderr.contains("on a cluster without its controller: kubectl runai-secret sync hf --runai"),
        "{replaced}"
    );
    assert_eq!(world.secret_value(&project.namespace, "hf", "token").unwrap(), b"before");
}

#[scenario]
fn a_cluster_wide_secret_is_made_where_run_ai_looks_with_both_labels(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    let line =
        ["create", "s", "--from-literal=k=v", "--cluster-wide", "--credential", "--runai-namespace", &runai];
    sandbox.run(line).success();
    let labels = world.secret(&runai, "s").unwrap()["metadata"]["labels"].clone();
    assert_eq!(
        labels,
        json!({ "run.ai/cluster-wide": "true", "run.ai/resource": "generic", "runai/cluster-wide": "true" })
    );
    assert_eq!(world.calls().len(), 3);
}

#[scenario]
fn a_name_that_a_project_uses_is_said_before_it_is_shared(world: &World, sandbox: &Sandbox) {
    let (runai, a) = (world.runai_namespace(), world.project("team-a"));
    world.create_secret(&a.namespace, "s", &[("k", "v")]);
    let line = ["create", "s", "--from-literal=k=v", "--cluster-wide", "--runai-namespace", &runai];
    let refused = sandbox.run(line).fails_with(2);
    assert!(refused.stderr.contains(&format!("project {} has a secret s of its own", a.name)), "{refused}");
    assert!(world.writes().is_empty());
    sandbox.run(line.iter().chain(&["--yes"])).success();
}

#[test]
fn cluster_wide_goes_with_no_other_place() {
    let line = ["create", "s", "--from-literal=k=v", "--cluster-wide", "-p", "a", "--dry-run=client"];
    assert!(Sandbox::new().run(line).fails_with(2).stderr.contains("works in the Run:ai namespace"));
}

#[test]
fn other_commands_take_one_project() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    for line in [
        "attach s job/x --env k -p a -p b",
        "submit -i ubuntu -p a -p b",
        "-p a submit -i ubuntu --project=b",
    ] {
        let refused = sandbox.run(line.split(' ')).fails_with(2);
        assert!(
            refused.stderr.contains("works in one project at a time, but --project names 2"),
            "{refused}"
        );
    }
}

#[test]
fn what_is_put_on_it_is_in_the_manifest() {
    let line = [
        "create",
        "s",
        "--from-literal=k=v",
        "--label=a=b",
        "--annotation=c=d e",
        "--immutable",
        "--credential=password",
        "--dry-run=client",
        "-ojson",
    ];
    let printed = Sandbox::new().run(line).success().json();
    assert_eq!(printed["metadata"]["labels"], json!({ "a": "b", "run.ai/resource": "password" }));
    assert_eq!(printed["metadata"]["annotations"], json!({ "c": "d e" }));
    assert_eq!(printed["immutable"], true);
    for wrong in ["--label=hunter2-hunter2", "--annotation=hunter2-hunter2"] {
        Sandbox::new()
            .run(["create", "s", "--from-literal=k=v", wrong, "--dry-run=client"])
            .fails_with(2)
            .never_shows(b"hunter2");
    }
}
