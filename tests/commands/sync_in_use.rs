//! `sync` where workloads need what it would take: they are named, and nothing goes before somebody agreed.

use std::time::Duration;

use serde_json::{Value, json};
use support::{Fault, Hold, Sandbox, World, scenario};

use crate::set::create_workload;
use crate::status::{Shared, create, our_copy, value};

const VALUE: &str = "shared-value-of-the-source";

/// A variable of this key of the secret `hf`.
fn with_key(key: &'static str) -> impl Fn(&mut Value) {
    move |spec| {
        let source = json!({"secretKeyRef": {"name": "hf", "key": key}});
        spec["containers"][0]["env"] = json!([{"name": "V", "valueFrom": source}]);
    }
}

/// All keys of the secret `hf` as variables.
fn with_all_keys(spec: &mut Value) {
    spec["containers"][0]["envFrom"] = json!([{"secretRef": {"name": "hf"}}]);
}

/// A copy of ours with a key that somebody added.
fn copy_with_more(world: &World, shared: &Shared, namespace: &str) {
    our_copy(world, shared, namespace, VALUE);
    add_key(world, namespace, "added");
}

fn add_key(world: &World, namespace: &str, key: &str) {
    let path = format!("/api/v1/namespaces/{namespace}/secrets/hf");
    world.patch(&path, &json!({"data": {key: "eA=="}}));
}

fn has_key(world: &World, namespace: &str, key: &str) -> bool {
    world.secret_value(namespace, "hf", key).is_some()
}

#[scenario]
fn a_key_that_a_workload_needs_is_not_taken_out_of_a_copy_before_somebody_agreed(
    world: &World,
    sandbox: &Sandbox,
) {
    let shared = Shared::new(world);
    let [a, b, c] = ["a", "b", "c"].map(|name| world.project(name));
    copy_with_more(world, &shared, &a.namespace);
    copy_with_more(world, &shared, &b.namespace);
    create_workload(world, &a.namespace, "deployments", "web", with_key("added"));
    create_workload(world, &a.namespace, "deployments", "all", with_all_keys);
    create_workload(world, &b.namespace, "deployments", "other", with_key("token"));
    // Of the same name, and no copy: it loses nothing.
    create_workload(world, &c.namespace, "deployments", "third", with_key("added"));
    for more in [&[][..], &["--dry-run=client"], &["--dry-run=server"]] {
        world.clear_log();
        let words = [&["sync", "hf"], more].concat();
        let outcome = sandbox.run(shared.run(&words));
        let (line, note) = (
            format!("  * deployment.apps/web in {} would not start any more: env V\n", a.namespace),
            format!(
                "note: key added of secret hf in {} and {} goes: the source has none of that name\n",
                a.name, b.name
            ),
        );
        let without =
            format!("note: loses added at its next start: deployment.apps/all in {} (", a.namespace);
        for line in [&line, &note, &without] {
            assert!(outcome.stderr.contains(line), "{line}: {outcome}");
        }
        for name in ["other", "third"] {
            assert!(!outcome.stderr.contains(name), "{name}: {outcome}");
        }
        if more.is_empty() {
            let refused = outcome.fails_with(2);
            assert!(refused.stderr.contains("Go on although 1 workload needs these keys?"), "{refused}");
            assert!(refused.stderr.contains("hint: add --yes"), "{refused}");
            assert!(world.writes().is_empty(), "{:?}", world.lines());
        } else {
            outcome.success();
        }
        assert!(has_key(world, &a.namespace, "added") && has_key(world, &b.namespace, "added"));
    }
    sandbox.run(shared.run(&["sync", "hf", "--yes"])).success();
    assert!(!has_key(world, &a.namespace, "added") && !has_key(world, &b.namespace, "added"));
}

#[scenario]
fn keys_that_go_are_named_and_workloads_are_looked_for_only_then(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let [a, b] = ["a", "b"].map(|name| world.project(name));
    copy_with_more(world, &shared, &a.namespace);
    add_key(world, &a.namespace, "more");
    our_copy(world, &shared, &b.namespace, "edited-by-hand");
    let outcome = sandbox.run(shared.run(&["sync", "hf"])).success();
    let note = format!(
        "note: keys added and more of secret hf in {} go: the source has none of that name\n",
        a.name
    );
    assert!(outcome.stderr.contains(&note), "{outcome}");
    our_copy_again(world, &a.namespace);
    world.clear_log();
    let outcome = sandbox.run(shared.run(&["sync", "hf"])).success();
    assert!(!outcome.stderr.contains("key"), "{outcome}");
    assert!(!world.calls().iter().any(|call| call.contains("deployments")), "{:?}", world.lines());
}

/// Gives the copy another value, and no other key.
fn our_copy_again(world: &World, namespace: &str) {
    let path = format!("/api/v1/namespaces/{namespace}/secrets/hf");
    world.patch(&path, &json!({"data": {"token": "eA=="}}));
}

#[scenario]
fn what_is_taken_over_does_not_lose_a_key_that_a_workload_needs_unseen(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let a = world.project("a");
    create(world, &a.namespace, &json!({}), &json!({}), "of the project itself");
    add_key(world, &a.namespace, "mine");
    create_workload(world, &a.namespace, "deployments", "web", with_key("mine"));
    let refused = sandbox.run(shared.run(&["sync", "hf", "--adopt"])).fails_with(2);
    for line in [
        "it becomes a copy, and what it holds is lost\n",
        "  * deployment.apps/web would not start any more: env V\n",
        &format!("note: key mine of secret hf in {} goes: the source has none of that name\n", a.name),
        "Go on although 1 workload needs these keys?",
    ] {
        assert!(refused.stderr.contains(line), "{line}: {refused}");
    }
    assert!(has_key(world, &a.namespace, "mine"));
    sandbox.run(shared.run(&["sync", "hf", "--adopt", "--yes"])).success();
    assert_eq!(value(world, &a).as_deref(), Some(VALUE));
}

#[scenario]
fn a_copy_that_a_workload_needs_is_not_pruned_unless_it_is_forced(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let [a, b] = ["a", "b"].map(|name| world.project(name));
    our_copy(world, &shared, &a.namespace, VALUE);
    our_copy(world, &shared, &b.namespace, VALUE);
    create_workload(world, &a.namespace, "deployments", "web", with_key("token"));
    shared.unshare(world);
    world.clear_log();
    for more in [&["--yes"][..], &[], &["--dry-run=client"], &["--dry-run=server", "--yes"]] {
        let words = [&["sync", "hf", "--prune"], more].concat();
        let refused = sandbox.run(shared.run(&words)).fails_with(1);
        for line in [
            format!("  * deployment.apps/web in {} (starting) needs it: env V\n", a.namespace),
            format!(
                "error: secret \"hf\" is needed by deployment.apps/web in {}; it was not deleted\n",
                a.namespace
            ),
            format!(
                "hint: to take it off: kubectl runai-secret detach hf deployment.apps/web -n {} --runai-namespace={}\n",
                a.namespace, shared.runai
            ),
            "hint: --force deletes it anyway".to_owned(),
        ] {
            assert!(refused.stderr.contains(&line), "{line}: {refused}");
        }
        assert_eq!(refused.stdout, "");
    }
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    let unanswered = sandbox.run(shared.run(&["sync", "hf", "--prune", "--force"])).fails_with(2);
    assert!(unanswered.stderr.contains("Go on with 2 changes?"), "{unanswered}");
    assert!(value(world, &a).is_some() && value(world, &b).is_some());
    let forced = sandbox.run(shared.run(&["sync", "hf", "--prune", "--force", "--yes"])).success();
    let note = format!(
        "note: --force: secret hf is deleted although it is needed by deployment.apps/web in {}\n",
        a.namespace
    );
    assert!(forced.stderr.contains(&note), "{forced}");
    assert_eq!(forced.stdout, format!("secret/hf deleted in {}\nsecret/hf deleted in {}\n", a.name, b.name));
}

#[scenario]
fn a_key_that_somebody_adds_in_the_same_moment_is_not_taken_out_in_passing(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let a = world.project("a");
    our_copy(world, &shared, &a.namespace, "edited-by-hand");
    let gate = world.hold(Fault::on("PATCH", "/secrets/hf"), Hold::BeforeForwarding);
    let syncing = sandbox.spawn(shared.run(&["sync", "hf"]));
    assert!(gate.wait_reached(Duration::from_mins(1)));
    add_key(world, &a.namespace, "added");
    gate.release();
    let outcome = syncing.wait().fails_with(3);
    assert!(
        outcome.stderr.contains("somebody changed it at the same moment; run the command again"),
        "{outcome}"
    );
    assert!(has_key(world, &a.namespace, "added"));
}

#[scenario]
fn where_the_workloads_can_not_be_listed_no_key_goes(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let a = world.project("a");
    copy_with_more(world, &shared, &a.namespace);
    world.fail(Fault::on("GET", "/daemonsets").for_ever().answer(500));
    sandbox.run(shared.run(&["sync", "hf", "--yes"])).fails_with(1);
    assert!(has_key(world, &a.namespace, "added"));
}
