//! `copy`.

use serde_json::{Value, json};
use support::{Fault, Sandbox, World, scenario};

use crate::view;

const VALUE: &str = "v4lue-of-a-secret";
const OTHER: &str = "other-v4lue";

fn secret(world: &World, namespace: &str) -> Option<Value> {
    world.get(&format!("/api/v1/namespaces/{namespace}/secrets/s"))
}

#[scenario]
fn type_and_values_are_copied_and_nothing_that_shares_or_owns(world: &World, sandbox: &Sandbox) {
    let (a, b, c) = (world.project("a"), world.project("b"), world.project("c"));
    let all: Vec<u8> = (0..=255).collect();
    view::create(world, &a.namespace, "s", &[("bytes", &all), ("none", b"")]);
    let maps = format!("/api/v1/namespaces/{}/configmaps", a.namespace);
    let uid = world.create(&maps, &json!({"metadata": {"name": "x"}}))["metadata"]["uid"].clone();
    let owner = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": uid}]);
    let labels = json!({"run.ai/resource": "password", "run.ai/cluster-wide": "true", "team": "a"});
    let path = format!("/api/v1/namespaces/{}/secrets/s", a.namespace);
    world.patch(
        &path,
        &json!({"metadata": {"labels": labels, "ownerReferences": owner, "annotations": {"note": "x"}}}),
    );
    let line = ["copy", "s", "--from-project", &a.name, "--to-project", &b.name, "--to-project", &c.name];
    let copied = sandbox.run(line).success();
    assert_eq!(copied.stdout, format!("secret/s created in {}\nsecret/s created in {}\n", b.name, c.name));
    let source = secret(world, &a.namespace).unwrap();
    for project in [&b, &c] {
        let copy = secret(world, &project.namespace).unwrap();
        assert_eq!((&copy["data"], &copy["type"]), (&source["data"], &source["type"]));
        assert_eq!(copy["metadata"]["labels"], json!({"run.ai/resource": "password"}));
        assert_eq!(
            copy["metadata"]["annotations"],
            json!({"kubectl-runai-secret/copied-from": format!("{}/s", a.namespace)})
        );
        assert_eq!(copy["metadata"]["ownerReferences"], Value::Null);
    }
}

#[scenario]
fn what_is_there_stays_unless_it_is_to_be_replaced(world: &World, sandbox: &Sandbox) {
    let (a, b, c) = (world.project("a"), world.project("b"), world.project("c"));
    world.create_secret(&a.namespace, "s", &[("k", VALUE)]);
    world.create_secret(&b.namespace, "s", &[("k", OTHER), ("more", OTHER)]);
    world.patch(
        &format!("/api/v1/namespaces/{}/secrets/s", b.namespace),
        &json!({"metadata": {"labels": {"team": "b"}}}),
    );
    let line = ["copy", "s", "-p", &a.name, "--to-project", &b.name];
    let refused = sandbox.run(line).fails_with(1);
    assert!(refused.stderr.contains("(AlreadyExists)") && refused.stderr.contains("--replace"), "{refused}");
    let partly = sandbox.run(line.iter().chain(&["--to-project", c.name.as_str()])).fails_with(3);
    assert!(
        partly.stderr.contains(&format!("project {}", b.name)) && secret(world, &c.namespace).is_some(),
        "{partly}"
    );
    let dry = sandbox.run(line.iter().chain(&["--replace", "--dry-run=client"])).success();
    assert_eq!(dry.stdout, format!("secret/s replaced in {} (dry run)\n", b.name));
    let keys = format!("note: changed k; gone more, in {}\n", b.name);
    assert!(dry.stderr.contains(&keys), "{dry}");
    sandbox.run(line.iter().chain(&["--replace", "--dry-run=server"])).success();
    assert_eq!(world.secret_value(&b.namespace, "s", "k").as_deref(), Some(OTHER.as_bytes()));
    let json = sandbox.run(line.iter().chain(&["--replace", "-o", "json"])).success();
    json.never_shows(VALUE.as_bytes());
    assert_eq!(json.json()["metadata"]["namespace"], b.namespace.as_str());
    let copy = secret(world, &b.namespace).unwrap();
    assert_eq!(copy["data"], secret(world, &a.namespace).unwrap()["data"]);
    assert_eq!(copy["metadata"]["labels"], json!({"team": "b"}));
    world.clear_log();
    let again = sandbox.run(line.iter().chain(&["--replace"])).success();
    assert_eq!(again.stdout, format!("secret/s unchanged in {}\n", b.name));
    assert!(again.stderr.contains(&format!("note: same k, in {}\n", b.name)), "{again}");
    assert!(world.writes().is_empty(), "{:?}", world.lines());
}

#[scenario]
fn a_change_in_between_is_seen(world: &World, sandbox: &Sandbox) {
    let (a, b) = (world.project("a"), world.project("b"));
    world.create_secret(&a.namespace, "s", &[("k", VALUE)]);
    world.create_secret(&b.namespace, "s", &[("k", OTHER)]);
    let gate = world.hold(Fault::on("PUT", "/secrets/s"), support::Hold::BeforeForwarding);
    let running = sandbox.spawn(["copy", "s", "-p", &a.name, "--to-project", &b.name, "--replace"]);
    assert!(gate.wait_reached(std::time::Duration::from_mins(1)));
    let path = format!("/api/v1/namespaces/{}/secrets/s", b.namespace);
    world.patch(&path, &json!({"metadata": {"labels": {"late": "kept"}}}));
    gate.release();
    running.wait().success();
    assert_eq!(secret(world, &b.namespace).unwrap()["metadata"]["labels"], json!({"late": "kept"}));
    assert_eq!(world.secret_value(&b.namespace, "s", "k").as_deref(), Some(VALUE.as_bytes()));
}

#[scenario]
fn what_makes_no_sense_is_refused(world: &World, sandbox: &Sandbox) {
    let (a, b, runai) = (world.project("a"), world.project("b"), world.runai_namespace());
    world.create_secret(&a.namespace, "s", &[("k", VALUE)]);
    sandbox.run(["copy", "s", "-p", &a.name, "--to-project", &a.name]).fails_with(2);
    let same_cluster =
        ["copy", "s", "-p", &a.name, "--to-project", &a.name, "--to-context=test", "--replace"];
    assert!(sandbox.run(same_cluster).fails_with(2).stderr.contains("can't be copied to itself"));
    sandbox.run(["copy", "s", "-p", &a.name]).fails_with(2);
    sandbox
        .run(["copy", "s", "-p", &a.name, "--from-project", &a.name, "--to-project", &b.name])
        .fails_with(2);
    let nothing = sandbox.run(["copy", "nothing", "-p", &a.name, "--to-project", &b.name]).fails_with(1);
    assert!(nothing.stderr.contains(&format!("kubectl runai-secret list -n {}", a.namespace)), "{nothing}");
    world.create_secret(&b.namespace, "s", &[("k", OTHER)]);
    let path = format!("/api/v1/namespaces/{}/secrets/s", b.namespace);
    let line =
        ["copy", "s", "-p", &a.name, "--to-project", &b.name, "--replace", "--runai-namespace", &runai];
    world.patch(&path, &json!({"metadata": {"labels": {"run.ai/cluster-wide": "true"}}}));
    world.create_secret(&runai, "s", &[("k", OTHER)]);
    world.patch(
        &format!("/api/v1/namespaces/{runai}/secrets/s"),
        &json!({"metadata": {"labels": {"run.ai/cluster-wide": "true"}}}),
    );
    let copy = sandbox.run(line).fails_with(2);
    assert!(
        copy.stderr.contains(&format!("may be Run:ai's copy of {runai}/s (label run.ai/cluster-wide)")),
        "{copy}"
    );
    let marked = json!({"labels": {"kubectl-runai-secret/copy": "true"}, "annotations": {"kubectl-runai-secret/copy-of": format!("{runai}/s")}});
    world.patch(&path, &json!({"metadata": marked}));
    let copy = sandbox.run(line.iter().chain(&["--yes"])).fails_with(1);
    assert!(copy.stderr.contains(&format!("is a copy of {runai}/s")), "{copy}");
    world.patch(&path, &json!({"immutable": true, "metadata": {"labels": null}}));
    let fixed = sandbox.run(line).fails_with(1);
    assert!(fixed.stderr.contains("is immutable or of another type"), "{fixed}");
    assert_eq!(world.secret_value(&b.namespace, "s", "k").as_deref(), Some(OTHER.as_bytes()));
}

/// Returns a KUBECONFIG of both clusters, in which the second one's context is `there`.
pub(crate) fn two_contexts(sandbox: &Sandbox, here: &World, there: &World) -> std::ffi::OsString {
    let first = sandbox.file("first", here.kubeconfig().to_string());
    let mut second: Value = serde_saphyr::from_str(&there.kubeconfig().to_string()).unwrap();
    for (list, part) in [("clusters", "cluster"), ("users", "user"), ("contexts", "context")] {
        second[list][0]["name"] = "there".into();
        assert!(second[list][0][part].is_object());
    }
    second["contexts"][0]["context"]["cluster"] = "there".into();
    second["contexts"][0]["context"]["user"] = "there".into();
    let second = sandbox.file("second", second.to_string());
    std::env::join_paths([first, second]).unwrap()
}

#[test]
fn another_context_is_another_cluster() {
    let (here, there) = (World::with_plain_names(), World::with_plain_names());
    let (from, to) = (here.project("a"), there.project("b"));
    here.create_secret(&from.namespace, "s", &[("k", VALUE)]);
    let sandbox = Sandbox::new().with(&here);
    let both = two_contexts(&sandbox, &here, &there);
    let line = ["copy", "s", "-p", &from.name, "--to-project", &to.name, "--to-context=there"];
    sandbox.env("KUBECONFIG", both).run(line).success();
    assert_eq!(there.secret_value(&to.namespace, "s", "k").as_deref(), Some(VALUE.as_bytes()));
    assert!(secret(&here, "runai-b").is_none());
}
