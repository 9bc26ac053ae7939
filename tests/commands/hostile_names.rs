//! Names that anybody may write into a pod spec, and that no object can have: they are findings, never another request,
//! another command, or a crash.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use support::{Fault, Sandbox, World, scenario};

use crate::completion::ask;
use crate::workloads::pod_template;

fn names() -> Vec<String> {
    let short = [
        "hf?",
        "hf#x",
        "hf?watch=true",
        "hf%2fx",
        "../../../../version",
        ".",
        "..",
        "a b",
        "hf\n",
        "hf ",
        "HF",
        "<your-secret>",
        "{{ .Values.secret }}",
        "x;id>/x/pwned;echo${IFS}",
        "a\u{1b}]52;c;eA==\u{7}",
        "a\u{202e}b",
    ];
    short.into_iter().map(str::to_owned).chain(["a".repeat(70_000)]).collect()
}

/// A pod with the secret as files, as one variable, and for its images.
fn template(secret: &str) -> Value {
    let mut template = pod_template("Always");
    template["spec"]["volumes"] = json!([{"name": "v", "secret": {"secretName": secret}}]);
    template["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "v", "mountPath": "/v"}]);
    template["spec"]["imagePullSecrets"] = json!([{"name": secret}]);
    template
}

fn deployment(name: &str, template: &Value) -> Value {
    let selector = json!({"matchLabels": {"app": "test"}});
    let spec = json!({"replicas": 0, "selector": selector, "template": template});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec})
}

fn create(world: &World, namespace: &str, name: &str, template: &Value) {
    world.create(&format!("/apis/apps/v1/namespaces/{namespace}/deployments"), &deployment(name, template));
}

#[track_caller]
fn findings(outcome: &support::Outcome) -> Vec<Value> {
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap_or_else(|_| panic!("{outcome}"));
    report["findings"].as_array().unwrap_or_else(|| panic!("{outcome}")).clone()
}

fn about_missing(found: &[Value]) -> Vec<&Value> {
    found.iter().filter(|one| one["code"] == "missing-secret").collect()
}

#[scenario]
fn a_name_that_no_secret_can_have_is_a_finding_without_a_request(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "hf", &[("k", "v4lue")]);
    let names = names();
    for (index, name) in names.iter().enumerate() {
        create(world, &namespace, &format!("d{index}"), &template(name));
    }
    let account = json!({"metadata": {"name": "robot"}, "imagePullSecrets": [{"name": "a b"}, {"name": "a".repeat(70_000)}]});
    world.create(&format!("/api/v1/namespaces/{namespace}/serviceaccounts"), &account);

    world.clear_log();
    let checked = sandbox.run(["check", "-n", &namespace, "-o", "json"]).fails_with(3);
    let found = findings(&checked);
    for (index, name) in names.iter().enumerate() {
        let object = format!("deployment.apps/d{index}");
        assert!(about_missing(&found).iter().any(|one| one["object"] == object), "{object}: {name:?}");
    }
    for one in about_missing(&found) {
        let remedy = one["remedy"].as_str().expect("a remedy");
        assert!(!remedy.contains("kubectl"), "no command makes such a secret: {one}");
    }
    for (index, name) in names.iter().enumerate() {
        world.clear_log();
        let target = format!("deploy/d{index}");
        let checked = sandbox.run(["check", &target, "-n", &namespace, "-o", "json"]).fails_with(3);
        let found = findings(&checked);
        assert_eq!(about_missing(&found).len(), 1, "{name:?}: {checked}");
        sandbox.run(["usage", &target, "-n", &namespace]).success();
        let asked = world.lines();
        assert!(asked.iter().all(|line| !line.contains("/secrets/")), "{name:?}: {asked:?}");
    }
    for line in ["check", "check -o wide", "usage", "usage -o wide", "usage hf", "list -o wide"] {
        let words = line.split(' ').chain(["-n", &namespace]);
        let outcome = sandbox.run(words);
        assert!(outcome.code.is_some_and(|code| code <= 3), "{line}: {:?}", outcome.signal);
        let shown = format!("{}{}", outcome.stdout, outcome.stderr);
        let harmless = |c: char| c == '\n' || !(c.is_control() || c == '\u{202e}');
        assert!(shown.chars().all(harmless), "{line}");
    }
}

#[test]
fn a_placeholder_in_a_manifest_is_a_finding() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "hf", &[("k", "v4lue")]);
    for name in names() {
        world.clear_log();
        let variable = json!({"name": "A", "valueFrom": {"secretKeyRef": {"name": name, "key": "k"}}});
        let mut pod = pod_template("Never");
        pod["spec"]["containers"][0]["env"] = json!([variable]);
        let manifest =
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": pod["spec"]});
        let run = sandbox.stdin(manifest.to_string().as_bytes());
        let checked = run.run(["check", "-f", "-", "-n", &namespace, "-o", "json"]).fails_with(3);
        assert_eq!(about_missing(&findings(&checked)).len(), 1, "{name:?}: {checked}");
        assert!(
            world.lines().iter().all(|line| !line.contains("/secrets/")),
            "{name:?}: {:?}",
            world.lines()
        );
    }
}

#[test]
fn what_a_pod_spec_says_is_quoted_in_every_command_that_is_shown() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let namespace = world.namespace("a");
    let mut template = pod_template("Always");
    let items = json!([{"key": "k;id>/x/pwned", "path": "p"}]);
    template["spec"]["volumes"] = json!([{"name": "v", "secret": {"secretName": "gone", "items": items}}]);
    template["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "v", "mountPath": "/v"}]);
    create(&world, &namespace, "web", &template);
    let command = format!("kubectl runai-secret create gone '--from-file=k;id>/x/pwned=PATH' -n {namespace}");
    for form in [&[][..], &["-o", "wide"], &["-o", "json"]] {
        let shown = sandbox.run(["check", "-n", &namespace].iter().chain(form)).fails_with(3);
        let shown = format!("{}{}", shown.stdout, shown.stderr);
        assert!(shown.contains(&command), "{form:?}: {shown}");
    }
}

#[test]
fn names_of_the_servers_that_nothing_can_have_are_not_asked_for() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let runai = world.runai_namespace();
    world.project("b");
    world.create_secret(&runai, "hf", &[("k", "v4lue")]);
    let metadata =
        |name: &str| json!({"metadata": {"name": name, "uid": "1", "labels": {"runai/queue": "b"}}});
    for name in ["b c", "..", "b/../../..", "b?x", "b\u{202e}"] {
        let list = json!({
            "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "items": [metadata(name)],
        });
        world.clear_faults();
        world.clear_log();
        world.fail(Fault::on("GET", "/namespaces?").for_ever().serve(
            200,
            "application/json",
            &list.to_string(),
        ));
        for line in [
            "list -p b",
            "copy hf --to-project b",
            "sync hf",
            "delete hf --cluster-wide -y",
            "status hf",
            "usage -p b",
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            let runai_flag = if line.contains("-p") || line.contains("copy") {
                &[][..]
            } else {
                &["--runai-namespace", &runai]
            };
            let outcome = sandbox.run(words.iter().chain(runai_flag));
            assert!(outcome.code.is_some_and(|code| code <= 3), "{line}: {outcome}");
        }
        let odd = |line: &String| line.contains("b%20c") || line.contains("..") || line.contains("b?x");
        assert!(!world.lines().iter().any(odd), "{:?}", world.lines());
    }
}

#[test]
fn a_name_that_looks_like_another_is_no_candidate_and_is_escaped_in_json() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let namespace = world.namespace("a");
    let odd = "a\u{202e}b\u{9b}\u{200b}";
    let columns: Vec<Value> =
        ["Name", "Type", "Data", "Age"].iter().map(|name| json!({"name": name})).collect();
    let metadata = json!({"name": odd, "namespace": namespace, "uid": "1"});
    let rows = json!([{"cells": [odd, odd, 1, "1d"], "object": {"metadata": metadata}}]);
    let table = json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "columnDefinitions": columns, "rows": rows,
    });
    world.fail(Fault::on("GET", "/secrets?").for_ever().serve(200, "application/json", &table.to_string()));
    assert!(ask(&sandbox, &format!("delete -n {namespace} ")).names().is_empty());
    for form in ["json", "yaml"] {
        let listed = sandbox.run(["list", "-n", &namespace, "-o", form]).success();
        assert!(listed.stdout.contains("a\\u202eb\\u009b\\u200b"), "{listed}");
        assert!(listed.stdout.chars().all(|c| !odd[1..].contains(c) || c == 'b'), "{listed}");
    }
}

/// A name in a text of the program's own is not quoted; only `CommandLine` quotes it.
#[test]
fn no_command_that_is_shown_is_made_without_quotation_marks() {
    fn look(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).expect("the source") {
            let path = entry.expect("a file of the source").path();
            if path.is_dir() {
                look(&path, found);
            } else if !path.ends_with("src/command_line.rs") && !path.ends_with("tests.rs") {
                let text = fs::read_to_string(&path).expect("text");
                let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
                let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
                let named = |line: &&str| {
                    line.split_once("kubectl ").is_some_and(|(_, rest)| {
                        rest.split('"').next().is_some_and(|command| command.contains('{'))
                    })
                };
                found.extend(lines.filter(named).map(|line| format!("{}: {line}", path.display())));
            }
        }
    }
    let mut found = Vec::new();
    look(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.is_empty(), "make these with CommandLine:\n{}", found.join("\n"));
}

#[scenario]
fn what_may_be_a_value_in_the_place_of_a_name_is_not_shown(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "s", &[("HF_TOKEN", "v4lue")]);
    let token = "hf_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3z";
    world.clear_log();
    for typed in [format!("HF_TOKEN={token}"), token.to_owned()] {
        let typed = typed.as_str();
        let copy = ["copy", typed, "--to-project", "b"];
        for line in [
            &["create", typed, "--generate=k"][..],
            &["view", typed],
            &["set", typed],
            &["unset", typed, "k"],
            &["unset", "s", typed],
            &["set", typed, "-p", "a,b"],
            &["unset", typed, "k", "-p", "a,b"],
            &["edit", typed, "-p", "a,b"],
            &["edit", typed],
            &["copy", "s", typed],
            &["copy", "s", "--to-name", typed],
            &["copy", "s", "--to-namespace", typed],
            &["copy", typed, "--cluster-wide"],
            &["delete", typed, "-y"],
            &["restart", typed, "-y"],
            &["rename", typed, "x", "-y"],
            &["rename", "s", typed, "-y"],
            &["usage", typed],
            &["label", typed],
            &["status", typed],
            &["sync", typed],
            &["attach", typed, "job/x", "--env-all"],
            &["attach", "s", typed, "--env-all"],
            &["attach", "s", &format!("job/{typed}"), "--env-all"],
            &["attach", "s", &format!("{typed}/x"), "--env-all"],
            &["detach", typed, "job/x"],
            &["submit", typed, "--image=x"],
            &["submit", "x", "--image=x", "--secret", typed],
            &["check", typed],
            &["list", "-n", typed],
        ] {
            let place =
                if line.contains(&"-n") || line.contains(&"-p") { &[][..] } else { &["-n", &namespace] };
            let refused = sandbox.stdin("new").run(line.iter().chain(place));
            assert!(refused.code.is_some_and(|code| code != 0), "{refused}");
            refused.never_shows(token.as_bytes());
        }
        let refused = sandbox.run(copy.iter().chain(&["--from-namespace", &namespace]));
        assert!(refused.code.is_some_and(|code| code != 0), "{refused}");
        refused.never_shows(token.as_bytes());
    }
    assert!(world.writes().is_empty(), "{:?}", world.lines());
}

#[scenario]
fn a_value_after_the_equals_sign_of_a_name_is_asked_for_instead(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let refused = sandbox.stdin("new").run(["set", "HF_TOKEN=hunter2", "-n", &namespace]).fails_with(2);
    refused.never_shows(b"hunter2");
    let hint = "to be asked for it: kubectl runai-secret set NAME HF_TOKEN";
    assert!(refused.stderr.contains(hint), "{refused}");
}
