//! Others may quote what is stored, in whatever form: no command shows it, whether or not it has read or sent the value.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use serde_json::{Value, json};
use support::{Fault, Outcome, Sandbox, World, scenario};

use super::CANARY;
use crate::submit_wait;
use crate::workloads::{create_deployment, create_job};

const WEBHOOK: &str = "admission webhook \"policy.example.com\" denied the request: ";

/// A value in the forms in which somebody may quote it.
fn forms(value: &str) -> Vec<String> {
    let bytes = |form: fn(u8) -> String| value.bytes().map(form).collect::<String>();
    let base64 = |text: &str| BASE64_STANDARD.encode(text);
    let letters: Vec<char> = value.chars().collect();
    let split: Vec<String> = letters.chunks(7).map(String::from_iter).collect();
    vec![
        value.to_owned(),
        value[3..14].to_owned(),
        base64(value),
        base64(value)[5..].to_owned(),
        base64(&format!("x{value}")),
        base64(&base64(value)),
        BASE64_URL_SAFE.encode(format!("xy{value}")),
        bytes(|byte| format!("{byte:02x}")),
        bytes(|byte| format!("{byte:02X}:")),
        bytes(|byte| format!("%{byte:02X}")),
        bytes(|byte| format!("\\u{byte:04x}")),
        bytes(|byte| format!("&#{byte};")),
        bytes(|byte| format!("{byte} ")),
        split.join(" | "),
    ]
}

/// A refusal in which the text is the message, or in a cause, or the reason.
fn refusals(text: &str) -> [(u16, Value); 4] {
    let status = |code: u16, reason: &str, message: &str| json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message});
    let mut invalid = status(422, "Invalid", &format!("Secret \"s\" is invalid: data: {text}"));
    let cause = json!({"reason": "FieldValueInvalid", "field": "data", "message": format!("is not {text}")});
    invalid["details"] = json!({"name": "s", "kind": "Secret", "causes": [cause]});
    [
        (403, status(403, "Forbidden", &format!("{WEBHOOK}found {text}"))),
        (422, invalid),
        (400, status(400, "BadRequest", &format!("{WEBHOOK}{text}"))),
        (500, status(500, text, "it failed")),
    ]
}

struct Places {
    namespace: String,
    runai: String,
    project: String,
    second: String,
}

fn places(world: &World) -> Places {
    let (namespace, runai) = (world.namespace("a"), world.runai_namespace());
    let (project, second) = (world.project("a"), world.project("second"));
    world.create_secret(&second.namespace, "s", &[("token", CANARY), ("more", "x")]);
    world.create_secret(&namespace, "s", &[("token", CANARY), ("other", "x")]);
    world.create_secret(&project.namespace, "s", &[("token", CANARY), ("more", "x")]);
    world.create_secret(&runai, "shared", &[("token", CANARY)]);
    world.create_secret(&runai, "plain", &[("token", CANARY)]);
    let path = format!("/api/v1/namespaces/{runai}/secrets/shared");
    world.patch(&path, &json!({"metadata": {"labels": {"run.ai/cluster-wide": "true"}}}));
    create_deployment(world, &namespace, "web");
    create_job(world, &namespace, "train");
    crate::set::create_workload(
        world,
        &project.namespace,
        "deployments",
        "user",
        crate::set::with_variable("token"),
    );
    Places { namespace, runai, project: project.name, second: second.name }
}

/// Every command that writes, and the method and the path of its write.
fn writes(
    Places { namespace, runai, project, second }: &Places,
) -> Vec<(&'static str, &'static str, String)> {
    let here = |line: &str| format!("{line} -n {namespace}");
    let shared = |line: &str| format!("{line} --runai-namespace {runai}");
    vec![
        ("PATCH", "/secrets/s", here("unset s other -y")),
        ("PATCH", "/secrets/s", here("set s --from-literal=other=xy")),
        ("PATCH", "/secrets/s", format!("set s --from-literal=other=xy -p {project},{second}")),
        ("PATCH", "/secrets/s", format!("unset s more -y -p {project},{second}")),
        ("PATCH", "/secrets/s", here("edit s other")),
        ("PUT", "/deployments/web", here("attach s deploy/web --env token")),
        ("PUT", "/deployments/user", format!("restart s --all -y --no-wait -p {project}")),
        ("POST", "/jobs", here("attach s job/train --mount /etc/s --copy-as train-2")),
        ("POST", "/jobs", here("attach s job/train --env token --recreate -y")),
        ("POST", "/jobs", here("submit -i ubuntu -e TOKEN=SECRET:s,token")),
        ("PUT", "/secrets/s", here(&format!("copy s --to-project {project} --replace -y"))),
        ("POST", "/secrets", here("copy s s-2")),
        ("POST", "/secrets", here("rename s t -y --no-wait")),
        ("PUT", "/deployments/user", format!("rename s t -y --no-wait -p {project}")),
        ("PUT", "/secrets/s", here("create s --from-literal=other=xy --replace -y")),
        ("PATCH", "/secrets/plain", shared("label plain -y")),
        ("PUT", "/secrets/plain", shared(&here("copy s plain --cluster-wide --replace -y"))),
        ("POST", "/secrets", shared("sync shared -y")),
        ("PATCH", "/secrets/shared", shared("label shared --remove -y")),
        ("DELETE", "/secrets/s", here("delete s -y --force")),
        ("DELETE", "/secrets/", format!("delete --unused -y -p {second}")),
        ("DELETE", "/secrets/shared", shared("delete shared --cluster-wide -y --timeout 0")),
    ]
}

/// Commands that read secrets and write nothing.
fn reads(Places { namespace, runai, .. }: &Places) -> Vec<String> {
    let shared = |line: &str| format!("{line} --runai-namespace {runai}");
    vec![
        format!("list -n {namespace}"),
        format!("list --keys -n {namespace}"),
        format!("usage s -n {namespace}"),
        format!("view s -n {namespace}"),
        format!("check -n {namespace} --runai-namespace {runai}"),
        shared("status"),
        shared("status shared"),
    ]
}

#[track_caller]
fn run(sandbox: &Sandbox, line: &str, verbosity: usize) -> Outcome {
    let verbosity = ["", "-v", "-vv", "-vvv"][verbosity % 4];
    let words = line.split(' ').chain(Some(verbosity).filter(|word| !word.is_empty()));
    sandbox.env("EDITOR", "sed -i s/x/xx/").env("XDG_RUNTIME_DIR", sandbox.home()).run(words)
}

#[track_caller]
fn shows_nothing(outcome: &Outcome, form: &str) {
    outcome.never_shows(CANARY.as_bytes());
    outcome.never_shows(form.trim().as_bytes());
    assert!(outcome.stderr.contains("[not shown: it "), "of {form}:\n{outcome}");
}

#[scenario]
fn no_refusal_shows_a_stored_value_in_any_form(world: &World, sandbox: &Sandbox) {
    let places = places(world);
    for (method, path, line) in writes(&places) {
        for (at, form) in forms(CANARY).iter().enumerate() {
            let (code, status) = &refusals(form)[at % 4];
            world.fail(Fault::on(method, path).for_ever().serve(
                *code,
                "application/json",
                &status.to_string(),
            ));
            let refused = run(sandbox, &line, at / 4);
            world.clear_faults();
            shows_nothing(&refused, form);
            assert_ne!(refused.code, Some(0), "{refused}");
        }
    }
}

#[scenario]
fn no_warning_shows_a_stored_value_in_any_form(world: &World, sandbox: &Sandbox) {
    let places = places(world);
    // Not those of a kind such as SecretStore, which other tests bring.
    let in_namespace = |namespace: &str| format!("/api/v1/namespaces/{namespace}/secrets");
    let secrets =
        [in_namespace(&places.namespace), in_namespace(&places.runai), "/api/v1/secrets".to_owned()];
    let reads = reads(&places).into_iter().map(|line| ("GET", "", line));
    for (method, path, line) in reads.chain(writes(&places)) {
        // A write is done once.
        let forms = forms(CANARY);
        let forms = if method == "GET" { &forms[..] } else { &forms[7..8] };
        for (at, form) in forms.iter().enumerate() {
            let paths =
                if method == "GET" { secrets.each_ref().map(String::as_str).to_vec() } else { vec![path] };
            for path in paths {
                world.fail(Fault::on(method, path).for_ever().warn(&format!("deprecated: {form}")));
            }
            let warned = run(sandbox, &line, at);
            world.clear_faults();
            shows_nothing(&warned, form);
        }
    }
}

#[scenario]
fn no_state_of_a_pod_shows_a_stored_value(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "s", &[("token", CANARY)]);
    let line = format!("submit train -i ubuntu -e T=SECRET:s,token --wait=2m -n {namespace}");
    let waiting = sandbox.spawn(line.split(' '));
    let pod = submit_wait::pod(world, &namespace);
    let message = format!("failed to start with T={CANARY}");
    world.run_pod(
        &namespace,
        &pod,
        "Pending",
        &json!({"waiting": {"reason": "RunContainerError", "message": message}}),
    );
    shows_nothing(&waiting.wait(), CANARY);
}

/// Refuses writes in the words of a webhook that quote nothing.
fn refuse_writes(world: &World) {
    let (code, status) = &refusals("two owners")[0];
    for method in ["PATCH", "DELETE"] {
        world.fail(Fault::on(method, "/secrets/").for_ever().serve(
            *code,
            "application/json",
            &status.to_string(),
        ));
    }
}

/// What a webhook says of a secret that was not read is shown once it is known to quote nothing of it.
#[test]
fn words_that_quote_nothing_are_shown() {
    let world = World::in_process();
    let Places { namespace, runai, .. } = places(&world);
    let sandbox = Sandbox::new().with(&world);
    refuse_writes(&world);
    for line in [format!("label plain -y --runai-namespace {runai}"), format!("delete s -y -n {namespace}")] {
        let refused = run(&sandbox, &line, 0);
        assert!(refused.stderr.contains(&format!("{WEBHOOK}found two owners")), "{refused}");
    }
}

/// Of a secret that may be changed and not read, no words can be known to quote nothing.
#[test]
fn where_the_secret_cannot_be_read_the_webhook_is_named_and_not_quoted() {
    let world = World::in_process();
    let Places { namespace, .. } = places(&world);
    let sandbox = Sandbox::new().with(&world);
    refuse_writes(&world);
    // The first reads its metadata.
    world.fail(Fault::on("GET", "/secrets/s").nth(2).for_ever().answer(403));
    let refused = run(&sandbox, &format!("delete s -y -n {namespace}"), 0);
    assert!(refused.stderr.contains(&format!("{WEBHOOK}[not shown: it may repeat a value]")), "{refused}");
}

#[test]
fn no_credential_of_the_user_is_shown_in_any_form() {
    let world = World::in_process();
    let namespace = world.namespace("a");
    let token = world.admin_token().to_owned();
    let credential = json!({
        "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": { "token": token },
    });
    let sandbox = Sandbox::new();
    let plugin = sandbox.program("login", &format!("#!/bin/sh\necho '{credential}'\n"));
    for kubeconfig in [world.kubeconfig(), world.kubeconfig().exec(&plugin, &[])] {
        let sandbox = Sandbox::new().kubeconfig(&kubeconfig);
        for (at, form) in forms(&token).iter().enumerate() {
            let (code, status) = &refusals(form)[at % 4];
            world.fail(Fault::on("POST", "/secrets").for_ever().serve(
                *code,
                "application/json",
                &status.to_string(),
            ));
            let refused = run(&sandbox, &format!("create x --from-literal=k=v -n {namespace}"), at);
            world.clear_faults();
            shows_nothing(&refused, form);
            refused.never_shows(token.as_bytes());
        }
    }
}
