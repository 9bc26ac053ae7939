//! `delete`: what is gone, in which order, and what is never touched.

use std::time::Duration;

use serde_json::json;
use support::{Fault, Hold, Sandbox, World, scenario};

use crate::status::{Shared, create, eventually, our_copy, runais_copy};

const VALUE: &str = "shared-value-of-the-source";

#[scenario]
fn a_secret_of_a_project_is_deleted_after_a_question(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    world.create_secret(&project.namespace, "old", &[("k", "v")]);
    let refused = sandbox.run(["delete", "old", "-p", &project.name]).fails_with(2);
    assert!(refused.stderr.contains("jobs that use it won't start again"), "{refused}");
    assert!(world.writes().is_empty());
    for flag in ["--dry-run=client", "--dry-run=server"] {
        sandbox.run(["delete", "old", "-p", &project.name, flag]).success();
        assert!(world.secret(&project.namespace, "old").is_some(), "{flag}");
    }
    world.clear_log();
    let deleted = sandbox.run(["delete", "old", "-p", &project.name, "--yes"]).success();
    assert_eq!(deleted.stdout, "secret/old deleted\n");
    assert!(world.secret(&project.namespace, "old").is_none());
    let preconditions = world.writes()[0].json()["preconditions"].clone();
    assert!(
        preconditions["uid"].is_string() && preconditions["resourceVersion"].is_string(),
        "{preconditions}"
    );
}

#[scenario]
fn what_a_report_prints_as_a_name_is_one(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    world.create_secret(&project.namespace, "old", &[("k", "v")]);
    let unused = sandbox.run(["usage", "--unused", "-p", &project.name, "-o", "name"]).success();
    assert_eq!(unused.stdout, "secret/old\n");
    sandbox.run(["delete", unused.stdout.trim(), "-p", &project.name, "--yes"]).success();
    assert!(world.secret(&project.namespace, "old").is_none());
}

#[scenario]
fn of_several_those_that_are_there_are_deleted(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    world.create_secret(&project.namespace, "old", &[("k", "v")]);
    let slip = sandbox.run(["delete", "olt", "-p", &project.name, "--yes"]).fails_with(1);
    assert!(slip.stderr.contains("did you mean \"old\"?"), "{slip}");
    let partly = sandbox.run(["delete", "none", "old", "-p", &project.name, "--yes"]).fails_with(3);
    assert!(partly.stderr.contains("error: secret none: Error from server (NotFound)"), "{partly}");
    assert_eq!(partly.stdout, "secret/old deleted\n");
}

#[scenario]
fn a_shared_secret_and_its_copies_are_not_deleted_one_by_one(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let (a, b) = (world.project("a"), world.project("b"));
    runais_copy(world, &a, VALUE);
    our_copy(world, &shared, &b.namespace, VALUE);
    for namespace in [&shared.runai, &b.namespace] {
        let words = ["delete", "hf", "-n", namespace, "--yes", "--runai-namespace", &shared.runai];
        let refused = sandbox.run(words).fails_with(1);
        assert!(refused.stderr.contains("kubectl runai-secret delete hf --cluster-wide"), "{refused}");
    }
    let words = ["delete", "hf", "-n", &a.namespace, "--runai-namespace", &shared.runai];
    let asked = sandbox.run(words).fails_with(2);
    let perhaps = format!(
        "it may be Run:ai's copy of {}/hf (label run.ai/cluster-wide): if it is, Run:ai makes it again",
        shared.runai
    );
    assert!(asked.stderr.contains(&perhaps), "{asked}");
    assert!(world.writes().is_empty());
}

#[scenario]
fn with_a_controller_at_work_the_copies_go_and_then_the_source(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let (a, b) = (world.project("a"), world.project("b"));
    let _controller = world.start_propagation();
    eventually("the copies arrive", || {
        [&a, &b].iter().all(|project| world.secret(&project.namespace, "hf").is_some())
    });
    let refused = sandbox.run(shared.run(&["delete", "hf", "--cluster-wide"])).fails_with(2);
    for effect in
        ["is not shared any more", "Run:ai removes its copies from", "is deleted", "won't start again"]
    {
        assert!(refused.stderr.contains(effect), "{refused}");
    }
    assert!(world.writes().is_empty());
    sandbox.run(shared.run(&["delete", "hf", "--cluster-wide", "--dry-run=server"])).success();
    assert!(world.secret(&shared.runai, "hf").is_some());
    world.clear_log();
    let deleted = sandbox.run(shared.run(&["delete", "hf", "--cluster-wide", "--yes"])).success();
    assert_eq!(deleted.stdout, "secret/hf deleted\n");
    let writes: Vec<String> = world.writes().iter().map(support::Recorded::call).collect();
    let source = format!("/api/v1/namespaces/{}/secrets/hf", shared.runai);
    assert_eq!(
        writes,
        [format!("PATCH {source}"), format!("DELETE {source}")],
        "the controller did the rest"
    );
    for namespace in [&shared.runai, &a.namespace, &b.namespace] {
        assert!(world.secret(namespace, "hf").is_none(), "{namespace}");
    }
}

#[scenario]
fn without_a_controller_its_copies_and_ours_are_deleted_and_nothing_of_anybody_else(
    world: &World,
    sandbox: &Sandbox,
) {
    let shared = Shared::new(world);
    let (ours, runais, theirs) = (world.project("ours"), world.project("runais"), world.project("theirs"));
    let former = world.namespace("former");
    our_copy(world, &shared, &ours.namespace, VALUE);
    our_copy(world, &shared, &former, VALUE);
    runais_copy(world, &runais, VALUE);
    create(world, &theirs.namespace, &json!({}), &json!({}), VALUE);
    let words = shared.run(&["delete", "hf", "--cluster-wide", "--yes", "--timeout", "0"]);
    let deleted = sandbox.run(words).success();
    assert!(deleted.stderr.contains("Run:ai has not removed its copy"), "{deleted}");
    let places = [&runais.name, &ours.name, &former].map(|place| format!("secret/hf deleted in {place}\n"));
    assert_eq!(deleted.stdout, format!("{}secret/hf deleted\n", places.concat()));
    assert!(deleted.stderr.contains(&format!("somebody else made stay: {}", theirs.name)), "{deleted}");
    for namespace in [&shared.runai, &ours.namespace, &runais.namespace, &former] {
        assert!(world.secret(namespace, "hf").is_none(), "{namespace}");
    }
    assert!(world.secret(&theirs.namespace, "hf").is_some());
    sandbox.run(shared.run(&["delete", "hf", "--cluster-wide", "--yes"])).fails_with(1);
}

#[scenario]
fn what_somebody_shares_again_meanwhile_is_not_deleted(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let a = world.project("a");
    runais_copy(world, &a, VALUE);
    let words = shared.run(&["delete", "hf", "--cluster-wide", "--yes", "--timeout", "20s"]);
    let gate = world.hold(Fault::on("PATCH", "/secrets/hf"), Hold::AfterForwarding);
    let deleting = sandbox.spawn(words);
    assert!(gate.wait_reached(Duration::from_mins(1)));
    let path = format!("/api/v1/namespaces/{}/secrets", shared.runai);
    world.delete(&format!("{path}/hf"));
    create(world, &shared.runai, &json!({"run.ai/cluster-wide": "true"}), &json!({}), "another one");
    gate.release();
    let outcome = deleting.wait().fails_with(3);
    assert!(outcome.stderr.contains("somebody shared hf again meanwhile"), "{outcome}");
    assert!(world.secret(&shared.runai, "hf").is_some() && world.secret(&a.namespace, "hf").is_some());
}

#[scenario]
fn another_secret_of_the_name_is_not_taken_for_the_one_that_was_to_go(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let gate = world.hold(Fault::on("PATCH", "/secrets/hf"), Hold::AfterForwarding);
    let deleting = sandbox.spawn(shared.run(&["delete", "hf", "--cluster-wide", "--yes"]));
    assert!(gate.wait_reached(Duration::from_mins(1)));
    world.delete(&format!("/api/v1/namespaces/{}/secrets/hf", shared.runai));
    create(world, &shared.runai, &json!({}), &json!({}), "another one");
    gate.release();
    let outcome = deleting.wait().fails_with(3);
    assert!(outcome.stderr.contains("somebody made another secret hf"), "{outcome}");
    assert!(world.secret(&shared.runai, "hf").is_some());
}

#[scenario]
fn a_secret_that_was_never_shared_is_not_deleted_cluster_wide(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    world.create_secret(&runai, "own", &[("k", "v")]);
    let words = ["delete", "own", "--cluster-wide", "--yes", "--runai-namespace", &runai];
    let refused = sandbox.run(words).fails_with(1);
    assert!(refused.stderr.contains("is not shared, and has no copies"), "{refused}");
    assert!(world.writes().is_empty());
}

#[scenario]
fn several_are_one_list_for_programs(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    for name in ["one", "two", "three", "four"] {
        world.create_secret(&project.namespace, name, &[("k", "v")]);
    }
    let delete =
        |names: &[&str]| sandbox.run(["delete", "-p", &project.name, "-y", "-o", "json"].iter().chain(names));
    let list = delete(&["one", "two"]).success().json();
    assert_eq!((&list["kind"], list["items"].as_array().unwrap().len()), (&json!("List"), 2));
    let rest = delete(&["one", "three"]).fails_with(3).json();
    assert_eq!((&rest["kind"], rest["items"].as_array().unwrap().len()), (&json!("List"), 1));
    let only = delete(&["four"]).success().json();
    assert_eq!((&only["kind"], &only["metadata"]["name"]), (&json!("Secret"), &json!("four")));
}

#[scenario]
fn where_nobody_may_look_nothing_is_called_gone(world: &World, sandbox: &Sandbox) {
    let (runai, project) = (world.runai_namespace(), world.project("a"));
    let user = world.user("limited");
    world.grant(
        &user,
        Some(&runai),
        &json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]),
    );
    world.grant(&user, None, &json!([{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list"]}]));
    let words =
        ["delete", "hf", "--cluster-wide", "--yes", "--runai-namespace", &runai, "--token", &user.token];
    let partly = sandbox.run(words).fails_with(3);
    let unseen = format!("copies may be left in {}: you may not look there", project.name);
    assert!(partly.stderr.contains(&unseen), "{partly}");
}

#[scenario]
fn where_a_copy_could_not_be_read_the_source_is_kept_and_the_next_run_does_the_rest(
    world: &World,
    sandbox: &Sandbox,
) {
    let shared = Shared::new(world);
    let (a, b) = (world.project("a"), world.project("b"));
    our_copy(world, &shared, &a.namespace, VALUE);
    our_copy(world, &shared, &b.namespace, VALUE);
    // One by one, which is how who may not list all secrets looks.
    world.fail(Fault::on("GET", "/api/v1/secrets").for_ever().answer(403));
    world.fail(Fault::on("GET", &a.namespace).for_ever().answer(500));
    let words = shared.run(&["delete", "hf", "--cluster-wide", "--yes", "--timeout", "0"]);
    let partly = sandbox.run(&words).fails_with(3);
    let unread = format!(
        "error: could not read whether {} has a copy of hf\nhint: the secret itself was kept",
        a.name
    );
    assert!(partly.stderr.contains(&unread), "{partly}");
    assert!(world.secret(&shared.runai, "hf").is_some());
    world.clear_faults();
    sandbox.run(words).success();
    assert!(world.secret(&shared.runai, "hf").is_none() && world.secret(&a.namespace, "hf").is_none());
}

#[scenario]
fn where_a_copy_can_not_be_deleted_the_source_is_kept_and_the_next_run_does_the_rest(
    world: &World,
    sandbox: &Sandbox,
) {
    let shared = Shared::new(world);
    let (a, b) = (world.project("a"), world.project("b"));
    our_copy(world, &shared, &a.namespace, VALUE);
    our_copy(world, &shared, &b.namespace, VALUE);
    world.fail(Fault::on("DELETE", &a.namespace).answer(403));
    let words = shared.run(&["delete", "hf", "--cluster-wide", "--yes", "--timeout", "0"]);
    let partly = sandbox.run(words.iter().chain(&["-o", "json"])).fails_with(3);
    assert!(partly.stderr.contains(&format!("copies of hf are left in {}", a.name)), "{partly}");
    assert_eq!(
        partly.json()["metadata"]["namespace"],
        b.namespace.as_str(),
        "what was deleted is printed all the same"
    );
    assert!(world.secret(&shared.runai, "hf").is_some());
    assert!(world.secret(&b.namespace, "hf").is_none());
    sandbox.run(words).success();
    assert!(world.secret(&shared.runai, "hf").is_none() && world.secret(&a.namespace, "hf").is_none());
}

#[scenario]
fn killed_at_any_write_the_next_run_does_the_rest(world: &World, sandbox: &Sandbox) {
    let words = ["delete", "hf", "--cluster-wide", "--yes", "--timeout", "0"];
    let project = world.project("a");
    for (method, nth) in [("PATCH", 1), ("DELETE", 1), ("DELETE", 2)] {
        for point in [Hold::BeforeForwarding, Hold::AfterForwarding] {
            let shared = Shared::new(world);
            our_copy(world, &shared, &project.namespace, VALUE);
            let gate = world.hold(Fault::on(method, "/secrets/hf").nth(nth), point);
            let deleting = sandbox.spawn(shared.run(&words));
            assert!(gate.wait_reached(Duration::from_mins(1)), "{method} {nth}");
            let _ = deleting.kill();
            assert!(gate.wait_left(Duration::from_mins(1)));
            gate.release();
            eventually("the rest is done", || {
                let _ = sandbox.run(shared.run(&words));
                [&shared.runai, &project.namespace]
                    .iter()
                    .all(|namespace| world.secret(namespace, "hf").is_none())
            });
        }
    }
}

#[scenario]
fn a_secret_that_a_finalizer_keeps_is_not_called_deleted(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let path = format!("/api/v1/namespaces/{namespace}/secrets");
    world.create(&path, &json!({"metadata": {"name": "kept", "finalizers": ["example.com/backup"]}}));
    let outcome = sandbox.run(["delete", "kept", "-y", "-n", &namespace]).fails_with(3);
    assert!(!outcome.stdout.contains("deleted"), "{outcome}");
    assert!(
        outcome.stderr.contains("stays until example.com/backup is removed from its finalizers"),
        "{outcome}"
    );
    world.patch(&format!("{path}/kept"), &json!({"metadata": {"finalizers": null}}));
}

#[scenario]
fn in_several_projects_each_is_named_and_what_fails_does_not_stop_the_rest(world: &World, sandbox: &Sandbox) {
    let (a, b, c) = (world.project("a"), world.project("b"), world.project("c"));
    for project in [&a, &c] {
        world.create_secret(&project.namespace, "old", &[("k", "v4lue")]);
    }
    let all = format!("{},{}", a.name, b.name);
    let partly = sandbox.run(["delete", "old", "-p", &all, "-p", &c.name, "--yes"]).fails_with(3);
    let lines = format!("secret/old deleted in {}\nsecret/old deleted in {}\n", a.name, c.name);
    assert_eq!(partly.stdout, lines, "{partly}");
    assert!(partly.stderr.contains(&format!("secret old in {}: ", b.name)), "{partly}");
    assert!(world.secret(&a.namespace, "old").is_none() && world.secret(&c.namespace, "old").is_none());
    let refused = sandbox.run(["delete", "old", "-p", &all, "-n", &c.namespace, "--yes"]).fails_with(2);
    assert!(refused.stderr.contains("--project names several"), "{refused}");
}
