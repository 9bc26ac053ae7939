//! `create`.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::json;
use support::{Fault, Sandbox, World, scenario};

/// `team-a` in mind and `-p` forgotten: the context's namespace is nobody's choice.
#[test]
fn what_lands_in_the_default_namespace_unasked_is_said() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let created = sandbox.run(["create", "s", "--from-literal=k=v"]).success();
    assert!(
        created.stderr.contains("note: no project was named, so it is in namespace default"),
        "{created}"
    );
    let chosen = sandbox.run(["create", "s2", "--from-literal=k=v", "-n", "default"]).success();
    assert!(!chosen.stderr.contains("no project"), "{chosen}");
}

#[scenario]
fn create_sends_one_request_and_gets_no_value_back(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let created =
        sandbox.run(["create", "s", "--from-literal=k=a-long-enough-value", "--namespace", &namespace]);
    created.success().never_shows(b"a-long-enough-value");
    let requests = world.requests();
    assert_eq!(world.calls(), [format!("POST /api/v1/namespaces/{namespace}/secrets")]);
    assert!(requests[0].header("accept").unwrap().contains("as=PartialObjectMetadata"));
    assert!(requests[0].header("user-agent").unwrap().starts_with("kubectl-runai-secret/"));
    let secret = world.secret(&namespace, "s").unwrap();
    assert_eq!(secret["metadata"]["managedFields"][0]["manager"], "kubectl-runai-secret");
    assert_eq!(secret["metadata"]["annotations"], json!(null));
}

#[scenario]
fn any_bytes_survive_from_file_to_server(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let files = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 100);
    let files = files.new_tree(&mut TestRunner::default()).unwrap().current();
    for (number, bytes) in files.iter().enumerate() {
        sandbox.file(format!("folder/f{number}"), bytes);
    }
    let all: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    sandbox.file("folder/all", &all);
    sandbox.run(["create", "s", "--from-file=folder", "--allow-empty-values", "-n", &namespace]).success();
    assert_eq!(world.secret_value(&namespace, "s", "all").unwrap(), all);
    for (number, bytes) in files.iter().enumerate() {
        assert_eq!(
            &world.secret_value(&namespace, "s", &format!("f{number}")).unwrap(),
            bytes,
            "file {number}"
        );
    }
}

#[scenario]
fn a_dash_is_standard_input(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    sandbox.stdin("from a pipe").run(["create", "s", "--from-file=k=-", "-n", &namespace]).success();
    assert_eq!(world.secret_value(&namespace, "s", "k").unwrap(), b"from a pipe");
}

#[scenario]
fn a_server_dry_run_creates_nothing(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let dry = sandbox.run(["create", "s", "--from-literal=k=v", "-n", &namespace, "--dry-run=server"]);
    assert_eq!(dry.success().stdout, "secret/s created (server dry run)\n");
    assert!(world.secret(&namespace, "s").is_none());
    let dry =
        sandbox.run(["create", "s", "--from-literal=k=v", "-n", &namespace, "--dry-run=server", "-ojson"]);
    assert_eq!(dry.success().json()["data"], json!({ "k": "dg==" }));
}

#[scenario]
fn an_existing_secret_is_not_touched(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "s", &[("k", "before")]);
    let refused = sandbox.run(["create", "s", "--from-literal=k=after", "-n", &namespace]).fails_with(1);
    assert!(
        refused.stderr.starts_with("Error from server (AlreadyExists): secrets \"s\" already exists\nhint: ")
    );
    assert_eq!(refused.stdout, "");
    assert_eq!(world.secret_value(&namespace, "s", "k").unwrap(), b"before");
}

#[scenario]
fn a_missing_namespace_is_named(_world: &World, sandbox: &Sandbox) {
    let refused = sandbox.run(["create", "s", "--from-literal=k=v", "-n", "no-such-namespace"]).fails_with(1);
    assert!(refused.stderr.contains("namespaces \"no-such-namespace\" not found"), "{refused}");
    assert!(refused.stderr.contains("hint: check the name, and the namespace: --project"), "{refused}");
}

#[scenario]
fn the_servers_warnings_are_shown_once(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.fail(Fault::on("POST", "/secrets").warn("this is deprecated"));
    let created = sandbox.run(["create", "s", "--from-literal=k=v", "-n", &namespace]).success();
    assert!(created.stderr.contains("Warning: this is deprecated\n"), "{created}");
}

#[test]
fn a_client_dry_run_needs_no_cluster_and_reads_no_kubeconfig() {
    let sandbox = Sandbox::new().with_env("KUBECONFIG", "/nowhere/at/all");
    sandbox.file("broken", "this: is: no: kubeconfig");
    let dry = ["create", "s", "--from-literal=k=v", "--dry-run=client"];
    assert_eq!(sandbox.run(dry).success().stdout, "secret/s created (dry run)\n");
    assert_eq!(sandbox.env("KUBECONFIG", "broken").run(dry).success().stdout, "secret/s created (dry run)\n");
    let named = sandbox.run(dry.iter().chain(&["--kubeconfig=missing"])).fails_with(2);
    assert!(named.stderr.starts_with("error: stat missing: no such file or directory"), "{named}");
}

#[test]
fn yaml_is_what_kubectl_reads_back_exactly() {
    let sandbox = Sandbox::new();
    let words = ["yes", "on", "null", "0777", "1e3", "12:30", "2026-01-01", "~", "=", "- a", "a: b", "#x"];
    for word in words {
        let label = format!("--from-literal=k={word}");
        let type_flag = format!("--type={word}");
        let dry =
            sandbox.run(["create", "s", &label, &type_flag, "--dry-run=client", "-o", "yaml"]).success();
        let line = dry.stdout.lines().find(|line| line.starts_with("type: ")).unwrap().to_owned();
        let quoted = line.contains('"') || line.contains('\'');
        assert!(quoted, "{word:?} must be quoted, for YAML 1.1 readers: {line}");
    }
}

#[test]
fn a_literal_without_an_equals_sign_is_not_echoed() {
    let refused = Sandbox::new().run(["create", "s", "--from-literal=hunter2-hunter2"]).fails_with(2);
    refused.never_shows(b"hunter2-hunter2");
    assert_eq!(refused.stdout, "");
}

#[test]
fn a_word_too_many_is_counted_and_not_echoed() {
    let refused =
        Sandbox::new().run(["create", "s", "--from-literal", "password=", "hunter2-hunter2"]).fails_with(2);
    assert!(refused.stderr.starts_with("error: exactly one NAME is required, got 2\n"), "{refused}");
    refused.never_shows(b"hunter2-hunter2");
}

#[test]
fn an_empty_secret_needs_a_word() {
    let sandbox = Sandbox::new();
    let refused = sandbox.run(["create", "s", "--dry-run=client"]).fails_with(2);
    assert!(refused.stderr.contains("--allow-empty"), "{refused}");
    sandbox.run(["create", "s", "--dry-run=client", "--allow-empty"]).success();
}

#[test]
fn what_people_bring_from_other_programs_is_answered_with_the_command_to_type() {
    let sandbox = Sandbox::new();
    for (words, hint) in [
        (
            &["secret", "generic", "hf"][..],
            "leave out the word secret: kubectl runai-secret create generic hf",
        ),
        (&["secret", "hf"], "leave out the word secret: kubectl runai-secret create hf"),
        (&["secret", "of", "mine"], "leave out the word secret: kubectl runai-secret create [TYPE] NAME"),
        (&["docker", "pull"], "a login of it: kubectl runai-secret create pull --from-login=docker"),
        (&["hf", ".env"], "the keys of such a file: kubectl runai-secret create hf --from-dotenv=.env"),
        (
            &["hf", "HF_TOKEN=hf_CANARY"],
            "to be asked for the value: kubectl runai-secret create hf --prompt=HF_TOKEN",
        ),
        (
            &["hf", "Q0FOQVJZQ0FOQVJZ="],
            "to be asked for the value: kubectl runai-secret create hf --prompt=KEY",
        ),
        (&["docker", "ghcr.io"], "a login of it: kubectl runai-secret create NAME --from-login=docker"),
        (&["a", "b"], "kubectl runai-secret create NAME --from-file=KEY=PATH"),
    ] {
        let refused = sandbox.run(["create"].iter().chain(words)).fails_with(2);
        assert!(refused.stderr.contains(&format!("hint: {hint}\n")), "{refused}");
        refused.never_shows(b"CANARY");
        refused.never_shows(b"Q0FOQVJZ");
    }
}
