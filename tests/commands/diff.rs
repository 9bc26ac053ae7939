//! `diff`: what differs, key by key, and never a value.

use serde_json::{Value, json};
use support::{Sandbox, World, scenario};

const A: &str = "first-v4lue-of-a-secret";
const B: &str = "second-v4lue-of-a-secret";

/// The rows of a table, without the names of its columns, each as its words.
fn rows(table: &str) -> Vec<String> {
    table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[scenario]
fn two_secrets_are_compared_key_by_key(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", A), ("b", A), ("c", A)]);
    world.create_secret(&namespace, "t", &[("a", A), ("b", B), ("d", B)]);
    world.clear_log();
    let differs = sandbox.run(["diff", "s", "t", "-n", &namespace]).fails_with(1);
    for value in [A, B] {
        differs.never_shows(value.as_bytes());
    }
    let expected = ["s ↔ t a same", "s ↔ t b differs", "s ↔ t c only-here", "s ↔ t d only-there"];
    assert_eq!(rows(&differs.stdout), expected);
    assert!(!differs.stderr.contains("error"), "{differs}");
    assert!(world.writes().is_empty() && world.requests().len() == 2, "{:?}", world.lines());
    let names = sandbox.run(["diff", "s", "t", "-o", "name", "-n", &namespace]).fails_with(1);
    assert_eq!(names.stdout, "secret/s\n");
    sandbox.run(["unset", "t", "d", "-q", "-n", &namespace]).success();
    sandbox.run(["set", "t", "--from-literal=c=x", "-q", "-n", &namespace]).success();
    sandbox.run(["set", "s", "--from-literal=c=x", "-q", "-n", &namespace]).success();
    sandbox.stdin(A).run(["set", "t", "b", "-q", "-n", &namespace]).success();
    let same = sandbox.run(["diff", "s", "t", "-o", "name", "-n", &namespace]).success();
    assert_eq!(same.stdout, "");
}

#[scenario]
fn two_projects_are_compared_secret_by_secret(world: &World, sandbox: &Sandbox) {
    let (a, b) = (world.project("team-a"), world.project("team-b"));
    world.create_secret(&a.namespace, "s", &[("k", A)]);
    world.create_secret(&b.namespace, "s", &[("k", B)]);
    world.create_secret(&a.namespace, "same", &[("k", A)]);
    world.create_secret(&b.namespace, "same", &[("k", A)]);
    world.create_secret(&a.namespace, "gone", &[("k", A)]);
    sandbox.run(["create", "typed", "--from-literal=k=v", "-q", "-n", &a.namespace]).success();
    sandbox
        .run(["create", "typed", "--type=other", "--from-literal=k=v", "-q", "-n", &b.namespace])
        .success();
    let line = ["diff", "-p", &a.name, "--to-project", &b.name];
    let differs = sandbox.run(line).fails_with(1);
    differs.never_shows(A.as_bytes());
    let expected = ["gone k only-here", "s k differs", "same k same", "typed (type) differs", "typed k same"];
    assert_eq!(rows(&differs.stdout), expected);
    let report = sandbox.run(line.iter().chain(&["-o", "json"])).fails_with(1).json();
    let states: Vec<&Value> = report["secrets"].as_array().unwrap().iter().map(|one| &one["state"]).collect();
    assert_eq!(json!(states), json!(["only-here", "differs", "same", "differs"]));
    assert_eq!(report["there"]["namespace"], b.namespace.as_str());
    let one = sandbox.run(["diff", "same", "--from-project", &a.name, "--to-project", &b.name]).success();
    assert_eq!(rows(&one.stdout), ["same k same"]);
    let missing = sandbox.run(["diff", "gone", "-p", &b.name, "--to-project", &a.name]).fails_with(1);
    assert_eq!(rows(&missing.stdout), ["gone k only-there"]);
}

#[scenario]
fn a_secret_is_compared_with_the_file_it_comes_from(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("A", A), ("B", A)]);
    sandbox.file(".env", format!("A={A}\nB={B}\nC={B}\n"));
    let line = ["diff", "s", "--from-dotenv=.env", "-n", &namespace];
    let differs = sandbox.run(line).fails_with(1);
    for value in [A, B] {
        differs.never_shows(value.as_bytes());
    }
    assert_eq!(rows(&differs.stdout), ["s A same", "s B differs", "s C only-there"]);
    let report = sandbox.run(line.iter().chain(&["-o", "json"])).fails_with(1).json();
    assert_eq!((&report["there"]["namespace"], &report["secrets"][0]["other"]), (&Value::Null, &Value::Null));
    sandbox.run(["set", "s", "--from-dotenv=.env", "-q", "-n", &namespace]).success();
    sandbox.run(line).success();
}

#[scenario]
fn what_failed_is_no_difference(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("k", A)]);
    let run = |words: &[&str]| sandbox.run(["diff"].iter().chain(words).chain(&["-n", namespace.as_str()]));
    for (words, told) in [
        (&["s"][..], "there is nothing to compare with"),
        (&[], "there is nothing to compare with"),
        (&["s", "s"], "would be compared with itself"),
        (&["nothing", "nowhere"], "secrets \"nothing\" not found"),
        (&["sx", "--from-literal=k=v"], "did you mean \"s\"?"),
        (&["s", "t", "--from-literal=k=v"], "with one thing at a time"),
        (&["--from-literal=k=v"], "is compared with one secret"),
        (&["s", "--generate=k"], "--generate makes a value that no secret has"),
        (&["s", "--to-context=nowhere"], "nowhere"),
    ] {
        let failed = run(words).fails_with(2);
        assert!(failed.stderr.contains(told), "{failed}");
    }
    let user = world.user("nobody");
    run(&["s", "t", "--token", &user.token]).fails_with(2);
}

#[test]
fn two_clusters_are_compared_at_the_same_place() {
    let (here, there) = (World::with_plain_names(), World::with_plain_names());
    let sandbox = Sandbox::new().with(&here);
    let (a, b) = (here.project("team-a"), there.project("team-a"));
    here.create_secret(&a.namespace, "s", &[("k", A)]);
    there.create_secret(&b.namespace, "s", &[("k", B)]);
    let both = crate::copy::two_contexts(&sandbox, &here, &there);
    let line = ["diff", "s", "-p", &a.name, "--to-context=there"];
    let differs = sandbox.env("KUBECONFIG", both).run(line).fails_with(1);
    assert_eq!(rows(&differs.stdout), ["s k differs"]);
    assert!(differs.stderr.contains(&format!("there: {} of context there\n", b.namespace)), "{differs}");
}

#[scenario]
fn a_file_of_secrets_is_compared_alone_and_what_fails_hides_no_difference(world: &World, sandbox: &Sandbox) {
    let a = world.project("a");
    let named = |name: &str| json!({"name": name, "projects": [a.name], "from": [{"generate": "K"}]});
    let mut typed = named("typed");
    typed["type"] = "example.com/other".into();
    let file = json!({"name": a.name, "secrets": [named("theirs"), typed, named("new")]});
    sandbox.file("secrets.yaml", file.to_string());
    world.create_secret(&a.namespace, "theirs", &[("k", A)]);
    world.create_secret(&a.namespace, "typed", &[("k", A)]);
    let line = ["diff", "-f", "secrets.yaml"];
    for source in [&["--from-literal=A=hunter2"][..], &["--from-dotenv=.env"], &["--prompt", "X"]] {
        let refused = sandbox.run(line.iter().chain(source)).fails_with(2);
        assert!(refused.stderr.contains("other sources have no effect"), "{refused}");
        refused.never_shows(b"hunter2");
    }
    let compared = sandbox.run(line);
    assert!(compared.code.is_some_and(|code| code > 1), "{compared}");
    let expected = [format!("theirs {} K added", a.name), format!("new {} K added", a.name)];
    assert_eq!(rows(&compared.stdout), expected, "{compared}");
    assert!(compared.stderr.contains("apply needs --adopt for it"), "{compared}");
    assert!(compared.stderr.contains("a type can't be changed"), "{compared}");
    let short = sandbox.run(line.iter().chain(&["-o", "name"]));
    assert_eq!(short.stdout, "secret/new\nsecret/theirs\n", "{short}");
}
