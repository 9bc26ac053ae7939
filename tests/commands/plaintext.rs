//! Credentials in plain text in workloads and manifests: found by `check`.

use serde_json::{Value, json};
use support::{Outcome, Sandbox, World, scenario};

use crate::definitions::{Example, GROUPS, built_in_kinds, custom_kinds, define};
use crate::other_kinds::describe_gizmos;
use crate::workloads::{env_from, job_path, pod_template};

const TOKEN: &str = "hf_cAnArYaBcDeFgHiJkLmNoPqRsTuVwXyZ";

/// Variables, and whether each is a credential: by its form, by its name, or not at all.
const VARIABLES: [(&str, &str, &str); 45] = [
    ("A", "hf_cAnArYabcdefghijklmnopqrst", "form"),
    ("B", "ghp_cAnArYabcdefghijklmnop0123456789ABCD", "form"),
    ("C", "AKIAIOSFCAN7ARYEXAMPLE", "form"),
    ("D", "sk-proj-cAnArYAb3dEf6h-Ij9kLm2o", "form"),
    ("E", "glpat-cAnArY3dEf6hIj9kLm2oPq5r", "form"),
    ("F", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.Y2FuYXJ5Y2FuYXJ5", "form"),
    ("G", "-----BEGIN PRIVATE KEY-----\ncAnArYcAnArY\n-----END PRIVATE KEY-----\n", "form"),
    ("H", "postgres://app:cAnArY-hunter2@db:5432/app", "form"),
    ("I", "--lr=1 --token=hf_cAnArYabcdefghijklmnopqrst", "form"),
    ("J", "{\"auth\": {\"token\": \"nvapi-cAnArY3dEf6hIj9kLm2oPq5r\"}}", "form"),
    ("WANDB_API_KEY", "0123456789abcdef0123456789abcdefcafe1234", "form"),
    ("HF_TOKEN", "cAnArY-n0-form-that-is-known", "name"),
    ("DB_PASSWORD", "cAnArY", "name"),
    ("PGPASSWORD", "cAnArY-hunter2", "name"),
    ("POSTGRES_PASSWORD", "31415926", "name"),
    ("CLIENT_SECRET", "cAnArYZm9vYmFyCg", "name"),
    ("OPENAI_API_KEY", "cAnArYefgh12345678ABCD", "name"),
    ("AWS_SECRET_ACCESS_KEY", "cAnArYUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "name"),
    ("KAGGLE_KEY", "0123456789abcdef0123456789cafe12", "name"),
    ("EMPTY_TOKEN", "", "no"),
    ("HF_TOKEN_PATH", "/run/secrets/hf1/token", "no"),
    ("HF_TOKEN_FILE", "t0ken-of-Somebody", "no"),
    ("OTHER_TOKEN", "$(HF_TOKEN)", "no"),
    ("SHELL_TOKEN", "${HF_TOKEN}", "no"),
    ("VAULT_TOKEN", "vault:secret/data/hf#Token1", "no"),
    ("RUNAI_TOKEN", "SECRET:hf,HF_TOKEN1", "no"),
    ("MY_TOKEN", "<your-token>", "no"),
    ("YOUR_TOKEN", "hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxx", "no"),
    ("NEW_PASSWORD", "CHANGE_ME", "no"),
    ("SECRET_NAME", "hf", "no"),
    ("TLS_SECRET", "web-tls-2", "no"),
    ("MAX_TOKENS", "4096", "no"),
    ("MAX_TOKEN", "12345678", "no"),
    ("EOS_TOKEN", "<|im_end|>", "no"),
    ("USE_AUTH_TOKEN", "true", "no"),
    ("TOKENIZERS_PARALLELISM", "false", "no"),
    ("RESET_PASSWORD", "1", "no"),
    ("VLLM_API_KEY", "EMPTY", "no"),
    ("LITELLM_API_KEY", "sk-no-key-required", "no"),
    ("S3_KEY", "Datasets/Train/Part1", "no"),
    ("CACHE_KEY", "cAnArYefgh12345678ABCD", "no"),
    ("ENDPOINT", "https://user@example.test:8443/a:b", "no"),
    ("DSN", "postgres://app:$(DB_PASSWORD)@db:5432/app", "no"),
    ("CA", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "no"),
    ("GIT_COMMIT", "0123456789abcdef0123456789abcdef01234567", "no"),
];

pub(crate) fn deployments(namespace: &str) -> String {
    format!("/apis/apps/v1/namespaces/{namespace}/deployments")
}

pub(crate) fn deployment(name: &str, env: &Value) -> Value {
    let mut template = pod_template("Always");
    template["spec"]["containers"][0]["env"] = env.clone();
    let spec = json!({"replicas": 0, "selector": {"matchLabels": {"app": "test"}}, "template": template});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec})
}

pub(crate) fn plain(variable: &str, value: &str) -> Value {
    json!([{"name": variable, "value": value}])
}

/// Checks for credentials alone, and returns each finding as `object: message`.
#[track_caller]
fn found(sandbox: &Sandbox, words: &[&str]) -> Vec<String> {
    let outcome = sandbox.run([&["check", "--only=plaintext-credential", "-o", "json"], words].concat());
    let outcome = outcome.success();
    shows_no_value(&outcome);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let report = outcome.json();
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|one| format!("{}: {}", text(&one["object"]), text(&one["message"]))).collect()
}

#[track_caller]
fn shows_no_value(outcome: &Outcome) {
    for (_, value, _) in VARIABLES.iter().filter(|(_, _, why)| *why != "no") {
        outcome.never_shows(value.as_bytes());
    }
    outcome.never_shows(b"cAnArY");
    outcome.never_shows(b"31415926");
}

#[scenario]
fn credentials_are_found_by_their_form_or_their_name_and_nothing_else_is(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let entry = |(name, value, _): &(&str, &str, &str)| json!({"name": name, "value": value});
    let env: Vec<Value> = VARIABLES.iter().map(entry).collect();
    world.create(&deployments(&namespace), &deployment("web", &json!(env)));
    let found = found(sandbox, &["-n", &namespace]);
    for (name, _, why) in VARIABLES {
        let of_variable: Vec<&String> =
            found.iter().filter(|line| line.contains(&format!(": env {name} in container main"))).collect();
        match why {
            "no" => assert!(of_variable.is_empty(), "{name}: {of_variable:?}"),
            "form" => assert!(
                matches!(of_variable[..], [line] if line.contains("holds a credential in plain text") && line.ends_with(')')),
                "{name}: {of_variable:?}"
            ),
            _ => assert!(
                matches!(of_variable[..], [line] if line.contains("holds what looks like a credential in plain text")),
                "{name}: {of_variable:?}"
            ),
        }
    }
    assert!(world.writes().is_empty());
}

#[scenario]
fn it_is_a_warning_with_a_command_that_mends_it(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create(&deployments(&namespace), &deployment("web", &plain("HF_TOKEN", TOKEN)));
    let outcome = sandbox.run(["check", "-n", &namespace]).success();
    shows_no_value(&outcome);
    assert!(
        outcome.stdout.contains(
            "holds a credential in plain text: env HF_TOKEN in container main (Hugging Face token)"
        ),
        "{outcome}"
    );
    assert!(outcome.stderr.contains("note: plaintext-credential, deployment.apps/web: "), "{outcome}");
    sandbox.run(["check", "-n", &namespace, "--fail-on=warning"]).fails_with(3);
    sandbox.run(["check", "-n", &namespace, "--fail-on=warning", "--ignore=plaintext-credential"]).success();
    let one = found(sandbox, &["deployment/web", "-n", &namespace]);
    assert_eq!(one.len(), 1, "{one:?}");
}

#[scenario]
fn init_containers_commands_and_ended_jobs_are_looked_at_too(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let mut template = pod_template("Never");
    let init = json!({"name": "fetch", "image": "busybox", "command": ["fetch", "--token", TOKEN]});
    template["spec"]["initContainers"] = json!([init]);
    template["spec"]["containers"][0]["args"] = json!(["--db-password=cAnArY-hunter2"]);
    let job = json!({"metadata": {"name": "train"}, "spec": {"suspend": true, "template": template}});
    world.create(&job_path(&namespace, ""), &job);
    let mut ended = pod_template("Never");
    ended["metadata"] = json!({"name": "ended"});
    ended["spec"]["containers"][0]["env"] = plain("HF_TOKEN", TOKEN);
    world.create(&format!("/api/v1/namespaces/{namespace}/pods"), &ended);
    world.run_pod(&namespace, "ended", "Succeeded", &json!({"terminated": {"exitCode": 0}}));
    assert_eq!(
        found(sandbox, &["-n", &namespace]),
        [
            "job.batch/train: holds a credential in plain text: --token in command in container fetch (Hugging Face token)",
            "job.batch/train: holds what looks like a credential in plain text: --db-password in args in container main",
            "pod/ended: holds a credential in plain text: env HF_TOKEN in container main (Hugging Face token)",
        ]
    );
    let wide = sandbox.run(["check", "-n", &namespace, "-o", "wide"]);
    shows_no_value(&wide);
    assert!(wide.stdout.contains(&format!("kubectl delete pod/ended -n {namespace}")), "{wide}");
}

/// Sets a plain variable in every part.
fn with_variable(mut content: Value, example: &Example) -> Value {
    for part in example.parts {
        let part = content.pointer_mut(part).unwrap();
        if example.is_runai_spec() {
            part["environment"] = json!({"items": {"HF_TOKEN": {"value": TOKEN}}});
        } else {
            part["containers"][0]["env"] = plain("HF_TOKEN", TOKEN);
        }
    }
    content
}

#[scenario]
fn every_kind_is_looked_at_in_all_its_parts(world: &World, sandbox: &Sandbox) {
    define(world, &GROUPS);
    let namespace = world.namespace("ns");
    for mut example in built_in_kinds().into_iter().chain(custom_kinds()) {
        example.content = with_variable(example.content.clone(), &example);
        let name = example.kind.to_lowercase();
        example.create(world, &namespace, &name);
        let target = format!("{}/{name}", example.word);
        let found = found(sandbox, &[&target, "-n", &namespace]);
        assert_eq!(found.len(), example.parts.len(), "{}: {found:?}", example.kind);
        let is_meant = |line: &String| line.contains(": env HF_TOKEN") && line.contains("Hugging Face token");
        assert!(found.iter().all(is_meant), "{found:?}");
    }
}

#[scenario]
fn a_kind_that_a_karta_describes_is_looked_at(world: &World, sandbox: &Sandbox) {
    describe_gizmos(world);
    let namespace = world.namespace("ns");
    let container = json!({"name": "main", "image": "busybox", "env": plain("HF_TOKEN", TOKEN)});
    let runners = json!({"fast": {"template": {"spec": {"containers": [container]}}}});
    let gizmo = json!({"apiVersion": "gizmos.example.com/v1", "kind": "Gizmo", "metadata": {"name": "g"},
        "spec": {"runners": runners}});
    world.create(&format!("/apis/gizmos.example.com/v1/namespaces/{namespace}/gizmos"), &gizmo);
    let said = "gizmo.gizmos.example.com/g: holds a credential in plain text: env HF_TOKEN in container main (Hugging \
                Face token)";
    assert_eq!(found(sandbox, &["-n", &namespace]), [said]);
    assert_eq!(found(sandbox, &["gizmo/g", "-n", &namespace]), [said]);
}

#[scenario]
fn a_reference_is_none(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create(&deployments(&namespace), &deployment("web", &env_from("HF_TOKEN", "hf", "HF_TOKEN")));
    assert_eq!(found(sandbox, &["-n", &namespace]), [""; 0]);
}

#[scenario]
fn the_copy_that_kubectl_apply_keeps_is_looked_at(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let applied = deployment("web", &plain("HF_TOKEN", TOKEN)).to_string();
    let mut web = deployment("web", &env_from("HF_TOKEN", "hf", "HF_TOKEN"));
    web["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": applied});
    world.create(&deployments(&namespace), &web);
    assert_eq!(
        found(sandbox, &["-n", &namespace]),
        [
            "deployment.apps/web: holds a credential in plain text: env HF_TOKEN in container main, in what kubectl \
          apply has kept (Hugging Face token)"
        ]
    );
}

#[scenario]
fn a_manifest_is_looked_at_before_it_is_applied(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let env = json!([{"name": "HF_TOKEN", "value": TOKEN}, {"name": "EPOCHS", "value": "10"}]);
    sandbox.file("web.json", deployment("web", &env).to_string());
    let runai = "apiVersion: run.ai/v2alpha1\nkind: TrainingWorkload\nmetadata: {name: train}\n\
                 spec: {environment: {items: {DB_PASSWORD: {value: cAnArY}}}, arguments: {value: run --token x}}\n";
    sandbox.file("train.yaml", runai);
    let expected = [
        "deployment.apps/web: holds a credential in plain text: env HF_TOKEN in container main (Hugging Face token)",
        "trainingworkload.run.ai/train: holds what looks like a credential in plain text: env DB_PASSWORD",
    ];
    let files = ["-f", "web.json", "-f", "train.yaml"];
    assert_eq!(found(sandbox, &[&files[..], &["-n", &namespace]].concat()), expected);
    assert_eq!(found(sandbox, &[&files[..], &["--offline"]].concat()), expected);
    let wide = sandbox.run([&["check", "-o", "wide", "--offline"], &files[..]].concat()).success();
    shows_no_value(&wide);
    assert!(wide.stdout.contains("-f web.json deployment.apps/web"), "{wide}");
}

#[test]
fn it_takes_no_request_more() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let namespace = world.namespace("ns");
    world.create(&deployments(&namespace), &deployment("web", &plain("A", "b")));
    let requests = || {
        world.clear_log();
        sandbox.run(["check", "-n", &namespace]).success();
        world.requests().len()
    };
    // The first one learns what the server serves.
    requests();
    let before = requests();
    world.create(&deployments(&namespace), &deployment("api", &plain("HF_TOKEN", TOKEN)));
    // One less: what has something in it exists, so that nobody asks whether it does.
    assert_eq!(requests(), before - 1);
}
