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
    let labels = json!({
        "run.ai/resource": "password", "kubectl-runai-secret/login": "aws", "run.ai/cluster-wide": "true", "team": "a",
    });
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
        let kept = json!({"run.ai/resource": "password", "kubectl-runai-secret/login": "aws"});
        assert_eq!(copy["metadata"]["labels"], kept);
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

fn named(world: &World, namespace: &str, name: &str) -> Value {
    world.secret(namespace, name).unwrap_or_else(|| panic!("{name} is not in {namespace}"))
}

#[scenario]
fn a_copy_may_have_another_name_also_in_the_same_project(world: &World, sandbox: &Sandbox) {
    let (a, b, plain) = (world.project("a"), world.project("b"), world.namespace("plain"));
    world.create_secret(&a.namespace, "s", &[("k", VALUE)]);
    let line = ["copy", "s", "s-old", "-p", &a.name];
    let dry = sandbox.run(line.iter().chain(&["--dry-run"])).success();
    assert_eq!(dry.stdout, format!("secret/s-old created in {} (dry run)\n", a.name));
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    let copied = sandbox.run(line).success();
    assert_eq!(copied.stdout, format!("secret/s-old created in {}\n", a.name));
    let copy = named(world, &a.namespace, "s-old");
    assert_eq!(copy["data"], secret(world, &a.namespace).unwrap()["data"]);
    let from = format!("{}/s", a.namespace);
    assert_eq!(copy["metadata"]["annotations"]["kubectl-runai-secret/copied-from"], from.as_str());
    let taken = sandbox.run(line).fails_with(1);
    assert!(taken.stderr.contains("secrets \"s-old\" already exists"), "{taken}");
    let again = sandbox.run(line.iter().chain(&["--replace"])).success();
    assert_eq!(again.stdout, format!("secret/s-old unchanged in {}\n", a.name));
    let both = ["copy", "s", "--to-name", "t", "-n", &a.namespace];
    let places = ["--to-project", &b.name, "--to-namespace", &plain];
    let copied = sandbox.run(both.iter().chain(&places)).success();
    let lines = format!("secret/t created in {}\nsecret/t created in {plain}\n", b.name);
    assert_eq!(copied.stdout, lines, "{copied}");
    for namespace in [&b.namespace, &plain] {
        assert_eq!(
            named(world, namespace, "t")["metadata"]["annotations"]["kubectl-runai-secret/copied-from"],
            from
        );
    }
    world.clear_log();
    for (words, why) in [
        (&["copy", "s", "s"][..], "needs a place for the copy, or another name"),
        (&["copy", "s", "--to-name", "s"], "needs a place for the copy, or another name"),
        (&["copy", "s", "t", "--to-name", "u"], "cannot be used with"),
        (&["copy", "s", "--to-context=there"], "not where in it"),
        (&["copy", "s", "t", "--cluster-wide", "--to-project=b"], "cannot be used with"),
        (&["copy", "s", "--to-as", "t"], "hint: --to-name NAME gives the copy another name"),
        (&["copy", "s", "--new-name=t"], "hint: --to-name NAME gives the copy another name"),
    ] {
        let refused = sandbox.run(words.iter().chain(&["-n", &a.namespace])).fails_with(2);
        assert!(refused.stderr.contains(why), "{words:?}: {refused}");
    }
    let illegal = sandbox.run(["copy", "s", "T", "-n", &a.namespace]).fails_with(1);
    assert!(illegal.stderr.contains("a legal name near it: t"), "{illegal}");
    let illegal = sandbox.run(["copy", "s", "--to-namespace=../x", "-n", &a.namespace]).fails_with(2);
    assert!(illegal.stderr.contains("metadata.namespace: Invalid value"), "{illegal}");
    let itself = ["copy", "s", "-n", &a.namespace, "--to-namespace", &a.namespace];
    let refused = sandbox.run(itself).fails_with(2);
    assert!(refused.stderr.contains("hint: a copy in the same project needs another name"), "{refused}");
    assert!(world.writes().is_empty(), "{:?}", world.lines());
}

#[scenario]
fn a_copy_in_run_ais_namespace_is_shared_if_that_is_asked_for(world: &World, sandbox: &Sandbox) {
    let (a, b, runai) = (world.project("a"), world.project("b"), world.runai_namespace());
    world.create_secret(&a.namespace, "s", &[("k", VALUE)]);
    let run = |words: &[&str]| {
        let place = ["-p", &a.name, "--runai-namespace", &runai];
        sandbox.run(["copy", "s"].iter().chain(words).chain(&place))
    };
    let plain = run(&["plain", "--to-namespace", &runai]).success();
    let note = format!(
        "note: plain in {runai} is not shared; to share it with every project: \
                        kubectl runai-secret label plain"
    );
    assert!(plain.stderr.contains(&note), "{plain}");
    assert_eq!(named(world, &runai, "plain")["metadata"]["labels"], Value::Null);
    // The name is taken in the project that has it.
    let asked = run(&["--cluster-wide"]).fails_with(2);
    assert!(asked.stderr.contains(&format!("project {} has a secret s of its own", a.name)), "{asked}");
    assert!(world.secret(&runai, "s").is_none());
    world.clear_log();
    let shared = run(&["t", "--cluster-wide"]).success();
    assert_eq!(shared.stdout, format!("secret/t created in {runai}\n"));
    let labels = json!({"run.ai/cluster-wide": "true", "runai/cluster-wide": "true"});
    assert_eq!(named(world, &runai, "t")["metadata"]["labels"], labels);
    let note = format!(
        "note: t in {runai} has a label that shares it; to see in which projects it arrived: \
                        kubectl runai-secret status t"
    );
    assert!(shared.stderr.contains(&note), "{shared}");
    // A source that is replaced stays shared, and is said to be.
    world.patch(
        &format!("/api/v1/namespaces/{}/secrets/s", a.namespace),
        &json!({"stringData": {"k": OTHER}}),
    );
    let replaced = run(&["t", "--to-namespace", &runai, "--replace", "--yes"]).success();
    assert!(replaced.stderr.contains(&note), "{replaced}");
    assert_eq!(named(world, &runai, "t")["metadata"]["labels"], labels);
    // From there a copy is no shared secret.
    let back = ["copy", "t", "-n", &runai, "--to-project", &b.name, "--runai-namespace", &runai, "--replace"];
    sandbox.run(back.iter().chain(&["--to-name=back"])).success();
    assert_eq!(named(world, &b.namespace, "back")["metadata"]["labels"], Value::Null);
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

#[test]
fn a_shared_secret_gets_to_another_cluster_with_its_labels_and_says_where_it_came_from() {
    let (here, there) = (World::with_plain_names(), World::with_plain_names());
    let labels = json!({"run.ai/cluster-wide": "true", "runai/cluster-wide": "true"});
    let runai = here.runai_namespace();
    assert_eq!(there.runai_namespace(), runai);
    here.create_secret(&runai, "s", &[("k", VALUE)]);
    here.patch(&format!("/api/v1/namespaces/{runai}/secrets/s"), &json!({"metadata": {"labels": labels}}));
    let sandbox = Sandbox::new().with(&here);
    let both = two_contexts(&sandbox, &here, &there);
    let run = |words: &[&str]| {
        let line = ["copy", "s", "-n", &runai, "--to-context=there", "--runai-namespace", &runai];
        sandbox.env("KUBECONFIG", &both).run(line.iter().chain(words))
    };
    let plain = run(&["--to-namespace", &runai, "--to-name=plain"]).success();
    assert!(plain.stderr.contains("plain in runai is not shared"), "{plain}");
    assert!(plain.stderr.contains("label plain --context=there"), "{plain}");
    assert_eq!(
        named(&there, &runai, "plain")["metadata"]["labels"],
        Value::Null,
        "labels that share do not come along"
    );
    let shared = run(&["--cluster-wide"]).success();
    assert!(shared.stderr.contains("kubectl runai-secret status s --context=there"), "{shared}");
    let copy = named(&there, &runai, "s");
    assert_eq!(copy["metadata"]["labels"], labels);
    let from = format!("{runai}/s in {}", here.address());
    assert_eq!(copy["metadata"]["annotations"]["kubectl-runai-secret/copied-from"], from.as_str());
    assert_eq!(there.secret_value(&runai, "s", "k").as_deref(), Some(VALUE.as_bytes()));
}
