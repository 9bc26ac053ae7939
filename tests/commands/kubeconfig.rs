//! Which cluster is meant: the kubeconfig as kubectl reads it.

use std::fs;

use support::{Sandbox, World};

use crate::workloads::create_deployment;

/// A command that needs a cluster and changes nothing.
const LOOK: [&str; 5] = ["create", "s", "--from-literal=k=v", "--dry-run=server", "-nd"];

fn world_with_namespace() -> World {
    let world = World::in_process();
    world.create("/api/v1/namespaces", &serde_json::json!({ "metadata": { "name": "d" } }));
    world
}

#[test]
fn a_missing_file_of_a_list_is_passed_over() {
    let world = world_with_namespace();
    let sandbox = Sandbox::new();
    sandbox.file("good", world.kubeconfig().to_string());
    for list in ["missing:good", "good:missing", ":missing::good:"] {
        sandbox.env("KUBECONFIG", list).run(LOOK).success();
    }
}

#[test]
fn of_several_files_the_first_to_say_something_wins() {
    let world = world_with_namespace();
    let sandbox = Sandbox::new();
    sandbox.file("first", "apiVersion: v1\nkind: Config\ncurrent-context: test\n");
    sandbox.file("second", world.kubeconfig().current("elsewhere").to_string());
    sandbox.env("KUBECONFIG", "first:second").run(LOOK).success();
}

#[test]
fn an_empty_current_context_does_not_hide_the_next_files() {
    let world = world_with_namespace();
    let sandbox = Sandbox::new();
    sandbox.file("first", "apiVersion: v1\nkind: Config\ncurrent-context: \"\"\n");
    sandbox.file("second", world.kubeconfig().to_string());
    sandbox.env("KUBECONFIG", "first:second").run(LOOK).success();
}

#[test]
fn the_file_in_the_home_folder_is_the_default() {
    let world = world_with_namespace();
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.home().join(".kube")).unwrap();
    fs::write(sandbox.home().join(".kube/config"), world.kubeconfig().to_string()).unwrap();
    sandbox.run(LOOK).success();
}

#[test]
fn without_any_file_it_is_said_where_one_is_looked_for() {
    let refused = Sandbox::new().run(LOOK).fails_with(1);
    assert!(refused.stderr.starts_with("error: there is no kubeconfig\nhint: the default is "), "{refused}");
    assert!(refused.stderr.contains("/.kube/config, which is not there\n"), "{refused}");
    assert!(refused.stderr.contains("runai login, then runai kubeconfig set\n"), "{refused}");
    let sandbox = Sandbox::new();
    sandbox.file("empty", "apiVersion: v1\nkind: Config\n");
    let refused = sandbox.env("KUBECONFIG", "nowhere:empty").run(LOOK).fails_with(1);
    let named = "hint: KUBECONFIG is nowhere, which is not there\nhint: KUBECONFIG is empty, which names no cluster\n";
    assert!(refused.stderr.starts_with(&format!("error: there is no kubeconfig\n{named}")), "{refused}");
    let refused = sandbox.run(LOOK.iter().chain(&["--kubeconfig=empty"])).fails_with(1);
    assert!(refused.stderr.contains("hint: --kubeconfig is empty, which names no cluster\n"), "{refused}");
}

#[test]
fn inside_a_pod_the_service_account_is_tried() {
    let pod = Sandbox::new()
        .with_env("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        .with_env("KUBERNETES_SERVICE_PORT", "1");
    let refused = pod.run(LOOK).fails_with(1);
    assert!(refused.stderr.contains("its service account can't be used"), "{refused}");
}

#[test]
fn a_kubeconfig_that_knows_no_cluster_counts_as_none() {
    let pod = Sandbox::new()
        .with_env("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        .with_env("KUBERNETES_SERVICE_PORT", "1");
    pod.file("empty", "apiVersion: v1\nkind: Config\n");
    for list in ["/dev/null", "empty"] {
        let refused = pod.env("KUBECONFIG", list).run(LOOK).fails_with(1);
        assert!(refused.stderr.contains("its service account can't be used"), "{refused}");
    }
    let refused = pod.run(LOOK.iter().chain(&["--context=staging"])).fails_with(2);
    assert!(refused.stderr.starts_with("error: context \"staging\" does not exist"), "{refused}");
}

#[test]
fn a_context_whose_user_does_not_exist_is_not_nobody() {
    let world = world_with_namespace();
    let sandbox = Sandbox::new();
    let renamed = world.kubeconfig().to_string().replace("\"user\": \"test\"", "\"user\": \"gone\"");
    sandbox.file("renamed", renamed);
    let refused = sandbox.env("KUBECONFIG", "renamed").run(LOOK).fails_with(2);
    assert!(
        refused.stderr.starts_with("error: auth info \"gone\" does not exist\nhint: there are: test"),
        "{refused}"
    );
    assert!(world.requests().is_empty());
    let token = ["--token", world.admin_token()];
    sandbox.env("KUBECONFIG", "renamed").run(LOOK.iter().chain(&token)).success();
}

#[test]
fn a_file_named_by_a_flag_must_exist() {
    let refused = Sandbox::new().run(LOOK.iter().chain(&["--kubeconfig=nowhere"])).fails_with(2);
    assert!(refused.stderr.starts_with("error: stat nowhere: no such file or directory"), "{refused}");
}

#[test]
fn a_broken_file_is_named_without_a_line_of_it() {
    let sandbox = Sandbox::new();
    let broken =
        "users:\n- name: u\n  user:\n    token: s3cret-t0ken-1\n    exec: [not, a, map\ncontexts: {}\n";
    sandbox.file("broken", broken);
    let refused = sandbox.env("KUBECONFIG", "broken").run(LOOK).fails_with(1);
    assert!(
        refused.stderr.starts_with("error: error loading config file \"broken\": yaml: line "),
        "{refused}"
    );
    refused.never_shows(b"s3cret-t0ken-1");
    sandbox.file("wrong", "users:\n- name: u\n  user: {token: s3cret-t0ken-1}\nclusters: s3cret-t0ken-1\n");
    sandbox.env("KUBECONFIG", "wrong").run(LOOK).fails_with(1).never_shows(b"s3cret-t0ken-1");
}

#[test]
fn what_a_flag_names_must_exist_and_the_others_are_listed() {
    let world = world_with_namespace();
    let sandbox = Sandbox::new().kubeconfig(&world.kubeconfig().context("staging", "d"));
    let cases = [
        ("--context=stagin", "error: context \"stagin\" does not exist\nhint: there are: "),
        ("--cluster=zzz", "error: cluster \"zzz\" does not exist\n"),
        ("--user=zzz", "error: auth info \"zzz\" does not exist\n"),
    ];
    for (flag, message) in cases {
        let refused = sandbox.run(LOOK.iter().chain(&[flag])).fails_with(2);
        assert!(refused.stderr.starts_with(message), "{refused}");
    }
    sandbox.run(LOOK.iter().chain(&["--context=staging"])).success();
    assert!(!world.requests().is_empty());
}

#[test]
fn without_a_current_context_the_way_to_choose_one_is_said() {
    let world = world_with_namespace();
    let refused = Sandbox::new().kubeconfig(&world.kubeconfig().current("")).run(LOOK).fails_with(1);
    assert!(refused.stderr.contains("hint: choose one: kubectl config use-context"), "{refused}");
}

#[test]
fn the_namespace_of_the_context_is_the_default() {
    let world = world_with_namespace();
    let sandbox = Sandbox::new().kubeconfig(&world.kubeconfig().namespace("d"));
    sandbox.run(["create", "s", "--from-literal=k=v"]).success();
    assert!(world.secret("d", "s").is_some());
}

#[test]
fn an_empty_namespace_is_none() {
    let world = world_with_namespace();
    create_deployment(&world, "d", "web");
    world.create_secret("d", "s", &[("k", "v")]);
    let sandbox = Sandbox::new().kubeconfig(&world.kubeconfig().namespace("d"));
    sandbox.run(["attach", "s", "deploy/web", "--env", "k", "-n", ""]).success();
    world.clear_log();
    let sandbox = Sandbox::new().kubeconfig(&world.kubeconfig().namespace(""));
    let _ = sandbox.run(["create", "s", "--from-literal=k=v"]);
    assert!(world.lines()[0].contains("/api/v1/namespaces/default/secrets?"), "{:?}", world.lines());
}

#[test]
fn a_namespace_of_the_context_that_can_not_be_one_is_refused_before_anything_is_sent() {
    let world = World::in_process();
    for namespace in ["a b", "review?x=y#", "a/b", "..", "Ä"] {
        let sandbox = Sandbox::new().kubeconfig(&world.kubeconfig().namespace(namespace));
        let refused = sandbox.run(["create", "s", "--from-literal=k=v", "--dry-run=server"]).fails_with(2);
        assert!(refused.stderr.contains("metadata.namespace: Invalid value"), "{refused}");
    }
    assert!(world.requests().is_empty());
}
