//! `check` of references that no server accepts, of documents that are no objects, and of variables that
//! `envFrom` may give.

use serde_json::{Value, json};
use support::{Outcome, Sandbox, World, scenario};

fn pod(spec: &Value) -> String {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}).to_string()
}

fn container(fields: &Value) -> Value {
    let mut container = json!({"name": "main", "image": "x"});
    container.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({ "containers": [container] })
}

/// `error missing-secret pod/p`
fn shown(outcome: &Outcome) -> Vec<String> {
    let report = outcome.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let items = report["findings"].as_array().unwrap().iter();
    items.map(|one| ["severity", "code", "object"].map(|field| text(&one[field])).join(" ")).collect()
}

#[scenario]
fn a_reference_without_the_name_of_a_secret_is_missing_even_if_it_is_optional(
    world: &World,
    sandbox: &Sandbox,
) {
    let namespace = world.namespace("ns");
    let variable = |selector: Value| {
        container(&json!({"env": [{"name": "A", "valueFrom": {"secretKeyRef": selector}}]}))
    };
    let volume = |volume: Value| {
        let mut spec = container(&json!({"volumeMounts": [{"name": "v", "mountPath": "/v"}]}));
        spec["volumes"] = json!([volume]);
        spec["volumes"][0]["name"] = json!("v");
        spec
    };
    for spec in [
        variable(json!({"name": "", "key": "k"})),
        variable(json!({"key": "k"})),
        variable(json!({"name": null, "key": "k"})),
        variable(json!({"key": "k", "optional": true})),
        container(&json!({"envFrom": [{"secretRef": {}}]})),
        volume(json!({"secret": {"secretName": ""}})),
        volume(json!({"secret": {"name": "hf"}})),
        volume(json!({"projected": {"sources": [{"secret": {}}]}})),
    ] {
        for more in [&["-n", &namespace][..], &["--offline"]] {
            let line = [&["check", "-f", "-", "-o", "json"], more].concat();
            let checked = sandbox.stdin(pod(&spec)).run(line).fails_with(3);
            assert_eq!(shown(&checked), ["error missing-secret pod/p"], "{spec}: {checked}");
        }
        if world.is_real() {
            let (path, pod) = (format!("/api/v1/namespaces/{namespace}/pods?dryRun=All"), pod(&spec));
            let refused = world.admin("POST", &path, Some(&serde_json::from_str(&pod).unwrap()));
            assert_eq!(refused.0, 422, "{spec}: {refused:?}");
        }
    }
}

#[scenario]
fn a_reference_without_a_key_is_found_whatever_is_known_of_its_secret(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "hf", &[("HF_TOKEN", "v4lue")]);
    let selector = json!({"name": "hf", "key": ""});
    let spec = container(&json!({"env": [{"name": "A", "valueFrom": {"secretKeyRef": selector}}]}));
    for more in [&["-n", &namespace][..], &["--offline"]] {
        let line = [&["check", "-f", "-", "-o", "json"], more].concat();
        let checked = sandbox.stdin(pod(&spec)).run(line).fails_with(3);
        assert_eq!(shown(&checked), ["error missing-key pod/p"], "{checked}");
        let message = checked.json()["findings"][0]["message"].clone();
        assert_eq!(message, "names no key of secret hf: env A in container main");
    }
}

#[scenario]
fn all_keys_of_a_secret_hide_no_variable_that_comes_too_late(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "hf", &[("HF_TOKEN", "v4lue")]);
    world.create_secret(&namespace, "db", &[("PW", "v4lue-pw")]);
    let check = |source: &Value| {
        let late = json!({"name": "PW", "valueFrom": {"secretKeyRef": {"name": "db", "key": "PW"}}});
        let env = json!([{"name": "URL", "value": "u:$(PW)"}, late]);
        let spec = container(&json!({"envFrom": [source], "env": env}));
        let line = ["check", "-f", "-", "-n", &namespace, "-o", "json", "--ignore=env-collision"];
        let checked = sandbox.stdin(pod(&spec)).run(line);
        (shown(&checked), checked)
    };
    let secret = |name: &str| json!({"secretRef": {"name": name}});
    assert_eq!(check(&secret("hf")).0, ["warning late-variable pod/p"]);
    assert!(check(&secret("db")).0.is_empty());
    let (found, checked) = check(&json!({"configMapRef": {"name": "c"}}));
    assert_eq!(found, ["info late-variable pod/p"]);
    assert!(checked.stdout.contains(", unless envFrom has a PW"), "{checked}");
    let line = ["submit", "j", "-i", "x", "--env-all", "hf", "-e", "URL=u:$(PW)", "-e", "PW=SECRET:db,PW"];
    let submitted = sandbox.run(line.iter().chain(&["-n", &namespace])).success();
    let warning =
        "Warning: env URL in container j refers to $(PW), which comes after it: it gets the text $(PW)";
    assert!(submitted.stderr.contains(warning), "{submitted}");
    let line = ["submit", "k", "-i", "x", "--env-all", "db", "-e", "URL=u:$(PW)", "-n", &namespace];
    assert!(!sandbox.run(line).success().stderr.contains("Warning"));
}

#[test]
fn a_document_that_no_server_takes_for_an_object_is_named() {
    let sandbox = Sandbox::new();
    for (document, part) in [
        ("kind: Job\nmetadata: {name: j}\n", "has no apiVersion"),
        ("apiVersion: batch/v1\nmetadata: {name: j}\n", "has no kind"),
        ("a: b\n", "has no apiVersion and kind"),
        ("[]\n", "is no object"),
        ("text\n", "is no object"),
        ("apiVersion: batch/v1\nkind: Jobb\nmetadata: {name: j}\n", "did you mean Job of batch/v1?"),
        ("apiVersion: v1\nkind: Deployment\nmetadata: {name: j}\n", "did you mean Deployment of apps/v1?"),
        ("apiVersion: v1\nkind: List\nitems: {}\n", "its items are not a list"),
    ] {
        let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: own}\n---\n";
        sandbox.file("x.yaml", format!("{secret}{document}"));
        let checked = sandbox.run(["check", "-f", "x.yaml", "--offline", "-o", "json"]).fails_with(3);
        assert_eq!(shown(&checked), ["error malformed x.yaml, document 2"], "{document}: {checked}");
        assert!(checked.stdout.contains(part), "{document}: {checked}");
    }
    let templates = sandbox.stdin("{{ template }}\n").run(["check", "-f", "-", "--offline"]).fails_with(2);
    assert!(templates.stderr.contains("standard input, document 1, line 1: "), "{templates}");
}

#[test]
fn what_kubernetes_has_and_what_holds_nothing_is_no_fault() {
    let sandbox = Sandbox::new();
    for documents in [
        "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\n# a comment\n---\nnull\n",
        "apiVersion: v1\nkind: List\nitems: null\n",
        "apiVersion: v1\nkind: PodList\nitems: []\n",
        "apiVersion: apps/v1\nkind: ControllerRevision\nmetadata: {name: c}\n",
    ] {
        sandbox.file("x.yaml", documents);
        let checked = sandbox.run(["check", "-f", "x.yaml", "--offline", "-o", "json"]).success();
        assert_eq!(shown(&checked), [""; 0], "{documents}");
    }
}

#[test]
fn a_workload_without_a_container_is_found_as_attach_refuses_it() {
    let sandbox = Sandbox::new();
    for spec in
        [json!({}), json!({"containers": []}), json!({"containers": null, "initContainers": [{"name": "i"}]})]
    {
        sandbox.file("x.yaml", pod(&spec));
        let checked = sandbox.run(["check", "-f", "x.yaml", "--offline", "-o", "json"]).fails_with(3);
        assert_eq!(shown(&checked), ["error malformed pod/p"], "{checked}");
        let attach = sandbox.run(["attach", "hf", "-f", "x.yaml", "--env", "K"]).fails_with(1);
        assert!(attach.stderr.contains("has no container"), "{attach}");
    }
}

#[test]
fn a_kustomization_may_leave_out_what_it_is() {
    let sandbox = Sandbox::new();
    let job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {template: {spec: {containers: [{name: main, \
               image: x, envFrom: [{secretRef: {name: NAME}}]}]}}}\n";
    for (fields, name) in
        [("", "es"), ("namePrefix: dev-\n", "es"), ("namePrefix: dev-\nnameSuffix: -v2\n", "dev-es-v2")]
    {
        sandbox.file("ks/job.yaml", job.replace("NAME", name));
        sandbox.file(
            "ks/kustomization.yaml",
            format!("{fields}secretGenerator: [{{name: es, literals: [a=b]}}]\n"),
        );
        let checked = sandbox.run(["check", "-f", "ks", "--offline", "-o", "json"]).success();
        assert_eq!(shown(&checked), ["info made-by-operator job.batch/j"], "{fields}");
    }
}
