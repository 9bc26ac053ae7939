//! `create --replace` of a secret that can't be changed in place: it is deleted and created again.
//!
//! The promise: at every moment the cluster has the old secret or the new one, or a file has all that the old one was
//! beside its values, and the next run gives that to the new one. The tests stop the plugin at each request.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use support::{Fault, Hold, Outcome, Sandbox, World, scenario};

const REACHED: Duration = Duration::from_mins(1);
const OLD: &str = "old-v4lue-of-a-secret";
const NEW: &str = "new-v4lue-of-a-secret";

/// Puts the old secret in the place of whatever is there: immutable, shared, owned, and applied by kubectl.
fn renew(world: &World, namespace: &str) -> Value {
    let secrets = format!("/api/v1/namespaces/{namespace}/secrets");
    let _ = world.admin("DELETE", &format!("{secrets}/s"), None);
    let maps = format!("/api/v1/namespaces/{namespace}/configmaps");
    let map = world.get(&format!("{maps}/owner"));
    let map = map.unwrap_or_else(|| world.create(&maps, &json!({"metadata": {"name": "owner"}})));
    let applied = json!({"stringData": {"k": OLD}}).to_string();
    let metadata = json!({
        "name": "s", "labels": {"runai/cluster-wide": "true", "team": "ml"},
        "annotations": {
            "note": "kept", "quotes": format!("it is {OLD}"),
            "kubectl.kubernetes.io/last-applied-configuration": applied,
        },
        "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": map["metadata"]["uid"]}],
    });
    let secret = json!({"metadata": metadata, "immutable": true, "stringData": {"k": OLD, "other": OLD}});
    world.create(&secrets, &secret);
    world.secret(namespace, "s").unwrap()
}

fn replace(namespace: &str) -> [&str; 7] {
    ["create", "s", "--replace", "--from-literal=k=new-v4lue-of-a-secret", "--yes", "-n", namespace]
}

/// What was kept and is still there.
fn kept(sandbox: &Sandbox) -> Vec<PathBuf> {
    let folder = sandbox.home().join(".local/state/kubectl-runai-secret");
    fs::read_dir(folder).map(|files| files.map(|file| file.unwrap().path()).collect()).unwrap_or_default()
}

/// All that the old one was beside its values, and what merely quoted them.
#[track_caller]
fn has_all(secret: &Value, old: &Value) {
    assert_eq!(secret["metadata"]["labels"], old["metadata"]["labels"]);
    assert_eq!(secret["metadata"]["annotations"]["note"], "kept");
    assert_eq!(secret["metadata"]["ownerReferences"], old["metadata"]["ownerReferences"]);
}

/// Checks the promise after the plugin is gone, whatever it had done until then, and that the same command goes on.
#[track_caller]
fn promise_holds(world: &World, sandbox: &Sandbox, namespace: &str, old: &Value, outcome: &Outcome) {
    let now = world.secret(namespace, "s");
    if let Some(now) = &now {
        has_all(now, old);
    } else {
        let files = kept(sandbox);
        assert_eq!(files.len(), 1, "{outcome}");
        assert_eq!(fs::metadata(&files[0]).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(outcome.stderr.contains(&files[0].display().to_string()), "{outcome}");
    }
    for value in [OLD, NEW] {
        assert!(sandbox.files_containing(value.as_bytes()).is_empty(), "no value comes to the disk");
        outcome.never_shows(value.as_bytes());
    }
    let again = sandbox.run(replace(namespace)).success();
    if now.is_none() {
        let said = "the new one has what was kept of the old one: labels runai/cluster-wide and team, annotation note, owners";
        assert!(again.stderr.contains(said), "{again}");
    }
    let new = world.secret(namespace, "s").unwrap();
    has_all(&new, old);
    assert_eq!(world.secret_value(namespace, "s", "k").unwrap(), NEW.as_bytes());
    assert!(kept(sandbox).is_empty(), "what is not needed any more is removed: {:?}", kept(sandbox));
}

#[scenario]
fn killed_at_any_point_nothing_is_lost_but_values_that_were_to_go(world: &World, sandbox: &Sandbox) {
    let namespace = world.project("a").namespace;
    // However many requests it takes: until one run is no longer stopped.
    for (nth, point) in (1..30).flat_map(|nth| [(nth, Hold::BeforeForwarding), (nth, Hold::AfterForwarding)])
    {
        let old = renew(world, &namespace);
        let gate = world.hold(Fault::on("*", "/secrets").nth(nth), point);
        let mut running = sandbox.spawn(replace(&namespace));
        while !gate.wait_reached(Duration::from_millis(50)) && running.is_running() {}
        if !running.is_running() {
            running.wait().success();
            assert!(
                nth > 6,
                "it takes look, write, read, dry run, delete, look and create: {:?}",
                world.lines()
            );
            return;
        }
        let outcome = running.kill();
        assert!(gate.wait_left(REACHED));
        gate.release();
        promise_holds(world, sandbox, &namespace, &old, &outcome);
    }
    panic!("it never came to its end");
}

#[scenario]
fn a_server_that_is_away_for_a_while_is_waited_for(world: &World, sandbox: &Sandbox) {
    let namespace = world.project("a").namespace;
    let old = renew(world, &namespace);
    world.fail(Fault::on("POST", "/secrets").kept().times(9).drop_before_forwarding());
    let replaced = sandbox.run(replace(&namespace)).success();
    assert!(
        replaced.stderr.contains("note: the server does not accept secret s yet; trying again"),
        "{replaced}"
    );
    has_all(&world.secret(&namespace, "s").unwrap(), &old);
    assert!(kept(sandbox).is_empty());
}

#[scenario]
fn a_server_that_is_away_from_the_delete_on_is_waited_for(world: &World, sandbox: &Sandbox) {
    let namespace = world.project("a").namespace;
    let old = renew(world, &namespace);
    world.fail(Fault::on("DELETE", "/secrets/s").drop_after_forwarding());
    // The look whether it worked is repeated, and so is each of the creations.
    world.fail(Fault::on("GET", &format!("{namespace}/secrets/s")).nth(3).times(12).drop_before_forwarding());
    sandbox.run(replace(&namespace)).success();
    has_all(&world.secret(&namespace, "s").unwrap(), &old);
    assert_eq!(world.secret_value(&namespace, "s", "k").unwrap(), NEW.as_bytes());
}

#[scenario]
fn a_server_that_is_away_after_the_delete_is_waited_for_longer_than_a_finalizer(
    world: &World,
    sandbox: &Sandbox,
) {
    let namespace = world.project("a").namespace;
    let old = renew(world, &namespace);
    // Each look is three requests; together they take longer than what holds a secret back may take.
    world.fail(Fault::on("GET", &format!("{namespace}/secrets/s")).nth(3).times(36).drop_before_forwarding());
    sandbox.run(replace(&namespace)).success();
    has_all(&world.secret(&namespace, "s").unwrap(), &old);
    assert_eq!(world.secret_value(&namespace, "s", "k").unwrap(), NEW.as_bytes());
}

#[scenario]
fn a_creation_whose_answer_is_lost_is_not_taken_for_somebody_elses(world: &World, sandbox: &Sandbox) {
    let namespace = world.project("a").namespace;
    let old = renew(world, &namespace);
    world.fail(Fault::on("POST", "/secrets").kept().for_ever().drop_after_forwarding());
    sandbox.run(replace(&namespace)).success();
    has_all(&world.secret(&namespace, "s").unwrap(), &old);
}

#[scenario]
fn what_somebody_else_makes_in_between_is_not_touched(world: &World, sandbox: &Sandbox) {
    let namespace = world.project("a").namespace;
    renew(world, &namespace);
    let gate = world.hold(Fault::on("POST", "/secrets").kept(), Hold::BeforeForwarding);
    let running = sandbox.spawn(replace(&namespace));
    assert!(gate.wait_reached(REACHED));
    world.create_secret(&namespace, "s", &[("theirs", "their-v4lue")]);
    gate.release();
    let refused = running.wait().fails_with(1);
    assert!(
        refused.stderr.contains("somebody else made another one meanwhile, which was not touched"),
        "{refused}"
    );
    assert_eq!(world.secret_value(&namespace, "s", "theirs").unwrap(), b"their-v4lue");
    let files = kept(sandbox);
    assert_eq!(files.len(), 1, "{refused}");
    let over = sandbox.run(replace(&namespace)).success();
    assert!(
        over.stderr
            .contains("somebody made another one since; the old one had labels runai/cluster-wide and team"),
        "{over}"
    );
    assert!(over.stderr.contains(&files[0].display().to_string()), "{over}");
    assert_eq!(
        world.secret(&namespace, "s").unwrap()["metadata"]["labels"],
        Value::Null,
        "nobody asked for that"
    );
}

#[scenario]
fn signals_in_the_middle_let_it_finish(world: &World, sandbox: &Sandbox) {
    let namespace = world.project("a").namespace;
    for signal in ["TERM", "INT", "HUP"] {
        let old = renew(world, &namespace);
        let gate = world.hold(Fault::on("DELETE", "/secrets/s"), Hold::AfterForwarding);
        let running = sandbox.spawn(replace(&namespace));
        assert!(gate.wait_reached(REACHED));
        running.signal(signal);
        running.wait_for_stderr("finishing first");
        gate.release();
        running.wait().success();
        has_all(&world.secret(&namespace, "s").unwrap(), &old);
        assert!(kept(sandbox).is_empty());
    }
}

#[scenario]
fn where_nothing_can_be_created_it_is_said_what_is_lost_and_how_to_go_on(world: &World, sandbox: &Sandbox) {
    let namespace = world.project("a").namespace;
    let old = renew(world, &namespace);
    world.fail(Fault::on("POST", "/secrets").kept().for_ever().answer(403));
    let lost = sandbox.run(replace(&namespace)).fails_with(1);
    world.clear_faults();
    for line in [
        "hint: the old secret is gone, and the new one is not there\n",
        "hint: run the same command again: it gives the new secret what is kept of the old one in ",
        &format!("or: kubectl runai-secret create s --replace --prompt k -n {namespace}\n"),
        "hint: the old values of other are lost: the new secret does not have these keys\n",
    ] {
        assert!(lost.stderr.contains(line), "{line}: {lost}");
    }
    let plain =
        sandbox.run(["create", "s", "--from-literal=k=v", "-n", &namespace, "--dry-run=server"]).success();
    assert!(
        plain.stderr.contains("Warning: an earlier create --replace of secret s was cut short"),
        "{plain}"
    );
    promise_holds(world, sandbox, &namespace, &old, &lost);
}

#[scenario]
fn what_is_deleted_for_good_is_not_brought_back(world: &World, sandbox: &Sandbox) {
    let namespace = world.project("a").namespace;
    renew(world, &namespace);
    world.fail(Fault::on("POST", "/secrets").kept().for_ever().answer(403));
    sandbox.run(replace(&namespace)).fails_with(1);
    world.clear_faults();
    let gone = sandbox.run(["delete", "s", "-n", &namespace, "--yes"]).fails_with(1);
    assert!(
        gone.stderr.contains(
            "what was kept of it, labels runai/cluster-wide and team, annotation note, owners, is given up"
        ),
        "{gone}"
    );
    assert!(kept(sandbox).is_empty());
    sandbox.run(replace(&namespace)).success();
    assert_eq!(world.secret(&namespace, "s").unwrap()["metadata"]["labels"], Value::Null);

    renew(world, &namespace);
    let gate = world.hold(Fault::on("DELETE", "/secrets/s"), Hold::BeforeForwarding);
    let running = sandbox.spawn(replace(&namespace));
    assert!(gate.wait_reached(REACHED));
    let _ = running.kill();
    assert!(gate.wait_left(REACHED));
    gate.release();
    assert_eq!(kept(sandbox).len(), 1);
    sandbox.run(["delete", "s", "-n", &namespace, "--yes"]).success();
    assert!(kept(sandbox).is_empty());
}

#[scenario]
fn what_is_kept_of_one_cluster_and_namespace_is_not_given_to_another(world: &World, sandbox: &Sandbox) {
    let (here, there) = (world.project("a").namespace, world.project("b").namespace);
    renew(world, &here);
    world.fail(Fault::on("POST", "/secrets").kept().for_ever().answer(403));
    sandbox.run(replace(&here)).fails_with(1);
    world.clear_faults();
    sandbox.run(replace(&there)).success();
    assert_eq!(world.secret(&there, "s").unwrap()["metadata"]["labels"], Value::Null);
    let other = World::in_process();
    let elsewhere = other.namespace("a");
    let line =
        ["create", "s", "--replace", "--from-literal=k=v", "-n", &elsewhere, "--server", &other.server()];
    let line = line.iter().copied().chain(["--insecure-skip-tls-verify", "--token", other.admin_token()]);
    sandbox.run(line).success();
    assert_eq!(other.secret(&elsewhere, "s").unwrap()["metadata"]["labels"], Value::Null);
    assert_eq!(kept(sandbox).len(), 1);
}

#[scenario]
fn without_a_place_to_keep_it_the_secret_is_not_deleted(world: &World, sandbox: &Sandbox) {
    let namespace = world.project("a").namespace;
    let old = renew(world, &namespace);
    let file = sandbox.file("no-folder", "");
    let refused = sandbox.env("XDG_STATE_HOME", file).run(replace(&namespace)).fails_with(1);
    assert!(refused.stderr.contains("can't save the old manifest"), "{refused}");
    assert_eq!(world.secret(&namespace, "s").unwrap()["metadata"]["uid"], old["metadata"]["uid"]);
}
