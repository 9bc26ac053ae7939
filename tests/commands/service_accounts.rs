//! Registry logins of service accounts: every pod that is made under the account pulls its images with them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Sandbox, World, scenario};

/// A registry login, and the account `robot`, which has another and a token.
fn prepared(world: &World) -> String {
    let namespace = world.namespace("a");
    let login = json!({
        "metadata": {"name": "reg"}, "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": "{\"auths\":{\"r.example.com\":{\"auth\":\"dTpw\"}}}"},
    });
    world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &login);
    world.create_secret(&namespace, "hf", &[("TOKEN", "v4lue")]);
    let robot = json!({
        "metadata": {"name": "robot", "labels": {"team": "a"}}, "secrets": [{"name": "token"}],
        "imagePullSecrets": [{"name": "other"}], "automountServiceAccountToken": false,
    });
    world.create(&accounts(&namespace), &robot);
    namespace
}

fn accounts(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/serviceaccounts")
}

fn account(world: &World, namespace: &str, name: &str) -> Value {
    let mut account = world.get(&format!("{}/{name}", accounts(namespace))).unwrap();
    for field in ["managedFields", "resourceVersion"] {
        account["metadata"].as_object_mut().unwrap().remove(field);
    }
    account
}

#[scenario]
fn a_login_is_added_once_and_taken_off_to_what_was_there(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let run = |words: &[&str]| sandbox.run(words.iter().chain(&["-n", namespace.as_str()]));
    let before = account(world, &namespace, "robot");
    let trial = run(&["attach", "reg", "sa/robot", "--image-pull", "--dry-run=server"]).success();
    assert_eq!(trial.stdout, "serviceaccount/robot updated (server dry run)\n");
    assert_eq!(account(world, &namespace, "robot"), before);
    let attached = run(&["attach", "reg", "sa/robot", "--image-pull"]).success();
    assert_eq!(attached.stdout, "serviceaccount/robot updated\n");
    for said in [
        "pods made from now on under it get the change, unless they have logins of their own",
        "those that are there keep theirs",
    ] {
        assert!(attached.stderr.contains(said), "{attached}");
    }
    let mut expected = before.clone();
    expected["imagePullSecrets"] = json!([{"name": "other"}, {"name": "reg"}]);
    assert_eq!(account(world, &namespace, "robot"), expected);

    world.clear_log();
    // What the secret itself says is enough: it is a registry login.
    let again = run(&["attach", "reg", "serviceaccount/robot"]).success();
    assert_eq!(again.stdout, "serviceaccount/robot unchanged\n");
    assert!(again.stderr.contains("has all of this already"), "{again}");
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    let used = run(&["usage", "serviceaccount/robot"]).success();
    assert!(used.stdout.contains("image pull") && used.stdout.contains("no such secret"), "{used}");
    assert!(run(&["usage", "reg", "-o", "name"]).success().stdout.contains("serviceaccount/robot\n"));
    assert!(run(&["check", "sa/robot"]).stdout.contains("other"), "its other login is missing");
    let kept = run(&["delete", "reg", "-y"]).fails_with(1);
    let way =
        format!("to take it off: kubectl runai-secret detach reg serviceaccount/robot -n {namespace}\n");
    assert!(kept.stderr.contains(&way), "{kept}");

    run(&["detach", "reg", "sa/robot", "--image-pull"]).success();
    assert_eq!(account(world, &namespace, "robot"), before);
    let none = run(&["detach", "reg", "sa/robot"]).success();
    assert!(none.stderr.contains("serviceaccount/robot does not use secret reg"), "{none}");
}

#[scenario]
fn the_default_account_gets_a_login_and_so_do_several_at_once(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let default = format!("{}/default", accounts(&namespace));
    if !world.is_real() {
        world.create(&accounts(&namespace), &json!({"metadata": {"name": "default"}}));
    }
    let start = Instant::now();
    while world.get(&default).is_none() {
        assert!(start.elapsed() < Duration::from_mins(1), "its controller makes one for each namespace");
        std::thread::sleep(Duration::from_millis(20));
    }
    let line =
        ["attach", "reg", "serviceaccount/default", "sa/robot", "--image-pull", "-y", "-n", &namespace];
    let both = sandbox.run(line).success();
    for name in ["default", "robot"] {
        assert!(both.stdout.contains(&format!("serviceaccount/{name} updated\n")), "{both}");
        let logins = account(world, &namespace, name)["imagePullSecrets"].clone();
        assert!(logins.as_array().unwrap().contains(&json!({"name": "reg"})), "{logins}");
    }
    let again = sandbox.run(line).success();
    assert_eq!(again.stdout.matches(" unchanged\n").count(), 2, "{again}");
}

#[scenario]
fn what_an_account_cannot_have_is_refused_with_a_sentence(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let run = |words: &[&str]| sandbox.run(words.iter().chain(&["-n", namespace.as_str()]));
    let only = "a ServiceAccount can have a secret only for pulling images: it runs no containers\n";
    world.clear_log();
    for way in [
        &["--env", "TOKEN"][..],
        &["--env-all"],
        &["--mount", "/etc/hf"],
        &["--image-pull", "--env", "A=TOKEN"],
    ] {
        let refused = run(&[&["attach", "hf", "sa/robot"], way].concat()).fails_with(2);
        assert!(refused.stderr.contains(only), "{refused}");
    }
    let refused = run(&["attach", "sa/robot", "-e", "T=SECRET:hf,TOKEN"]).fails_with(2);
    assert!(refused.stderr.contains(only), "{refused}");
    let refused = run(&["detach", "reg", "sa/robot", "-c", "main"]).fails_with(2);
    assert!(refused.stderr.contains("a ServiceAccount has no containers to choose from"), "{refused}");
    let refused = run(&["attach", "reg", "sa/robot", "--image-pull", "--copy-as", "two"]).fails_with(2);
    assert!(refused.stderr.contains("a service account is changed, not copied"), "{refused}");
    let refused = run(&["restart", "sa/robot"]).fails_with(2);
    assert!(refused.stderr.contains("a service account has no pods of its own to restart"), "{refused}");
    let refused = run(&["attach", "hf", "sa/robot", "--image-pull"]).fails_with(1);
    assert!(refused.stderr.contains("hf"), "{refused}");
    let missing = run(&["attach", "reg", "sa/robt", "--image-pull"]).fails_with(1);
    assert!(missing.stderr.contains("did you mean \"serviceaccount/robot\"?"), "{missing}");
    assert!(world.writes().is_empty(), "{:?}", world.lines());
}

#[test]
fn in_a_manifest_an_account_is_changed_only_where_it_is_named() {
    let sandbox = Sandbox::new();
    let job = "kind: Job\napiVersion: batch/v1\nmetadata: {name: j}\nspec: {template: {spec: {containers: [{name: a}]}}}\n";
    let account = "kind: ServiceAccount\napiVersion: v1\nmetadata: {name: robot}\n";
    sandbox.file("all.yaml", format!("{job}---\n{account}"));
    let workloads = sandbox.run(["attach", "reg", "-f", "all.yaml", "--image-pull"]).success();
    assert!(workloads.stdout.ends_with(account), "{workloads}");
    assert_eq!(workloads.stdout.matches("imagePullSecrets").count(), 1, "{workloads}");
    let named = sandbox.run(["attach", "reg", "sa/robot", "-f", "all.yaml", "--image-pull"]).success();
    assert!(named.stdout.starts_with(job), "{named}");
    assert_eq!(named.stdout.matches("imagePullSecrets").count(), 1, "{named}");
}
