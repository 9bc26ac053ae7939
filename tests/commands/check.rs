//! `check`.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{Sandbox, Validity, World, scenario};

use crate::definitions::GROUPS;
use crate::status::{Shared, create, our_copy, runais_copy};
use crate::workloads::pod_template;

/// A pod template with these fields in its first container.
fn template(restart: &str, container: &Value) -> Value {
    let mut template = pod_template(restart);
    let fields = container.as_object().unwrap().clone();
    template["spec"]["containers"][0].as_object_mut().unwrap().extend(fields);
    template
}

fn env(name: &str, secret: &str, key: &str) -> Value {
    json!({"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}})
}

fn create_deployment(world: &World, namespace: &str, name: &str, container: &Value) {
    let selector = json!({"matchLabels": {"app": "test"}});
    let spec = json!({"replicas": 0, "selector": selector, "template": template("Always", container)});
    let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
    world.create(&path, &json!({"metadata": {"name": name}, "spec": spec}));
}

fn create_secret(world: &World, namespace: &str, secret: &Value) {
    world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), secret);
}

/// Something for each code, and what is well beside it.
pub(crate) fn prepare(world: &World, namespace: &str) {
    clean(world, namespace);
    create_deployment(
        world,
        namespace,
        "dangling",
        &json!({"env": [env("A", "nowhere", "k"), env("B", "hf", "HF_TOKNE")]}),
    );
    let all = json!([{"secretRef": {"name": "hf"}}, {"secretRef": {"name": "numbers"}}]);
    create_deployment(world, namespace, "all", &json!({"envFrom": all}));
    world.create_secret(namespace, "numbers", &[("1st", "v4lue-of-1st"), ("HF_TOKEN", "v4lue-of-token\n")]);
    let applied = json!({"data": {"k": "djRsdWUtb2Ytaw=="}}).to_string();
    let annotations = json!({"kubectl.kubernetes.io/last-applied-configuration": applied});
    create_secret(
        world,
        namespace,
        &json!({"metadata": {"name": "applied", "annotations": annotations}, "data": {}}),
    );
    let (certificate, key) = world.client_certificate("somebody", Validity::Expired);
    create_secret(
        world,
        namespace,
        &json!({"metadata": {"name": "old"}, "type": "kubernetes.io/tls",
        "stringData": {"tls.crt": certificate, "tls.key": key}}),
    );
    let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
    let spec = json!({"tls": [{"secretName": "old"}], "defaultBackend": backend});
    let ingresses = format!("/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses");
    world.create(&ingresses, &json!({"metadata": {"name": "front"}, "spec": spec}));
    let labels = json!({"run.ai/resource": "access-key"});
    create_secret(
        world,
        namespace,
        &json!({"metadata": {"name": "s3", "labels": labels}, "stringData": {"AccessKeyId": "x"}}),
    );
    let mut pod = template("Never", &json!({"env": [env("A", "hf", "gone")]}));
    pod["metadata"] = json!({"name": "stuck"});
    world.create(&format!("/api/v1/namespaces/{namespace}/pods"), &pod);
    world.run_pod(
        namespace,
        "stuck",
        "Pending",
        &json!({"waiting": {"reason": "CreateContainerConfigError"}}),
    );
}

/// Secrets and workloads with which all is well.
fn clean(world: &World, namespace: &str) {
    world.create_secret(namespace, "hf", &[("HF_TOKEN", "v4lue-of-hf"), ("config", "two\nlines\n")]);
    let optional =
        json!({"name": "B", "valueFrom": {"secretKeyRef": {"name": "later", "key": "k", "optional": true}}});
    create_deployment(world, namespace, "web", &json!({"env": [env("A", "hf", "HF_TOKEN"), optional]}));
    let spec = json!({"schedule": "0 2 * * *", "jobTemplate": {"spec": {
        "template": template("Never", &json!({"envFrom": [{"prefix": "HF_", "secretRef": {"name": "hf"}}]}))}}});
    let cronjobs = format!("/apis/batch/v1/namespaces/{namespace}/cronjobs");
    world.create(&cronjobs, &json!({"metadata": {"name": "nightly"}, "spec": spec}));
    let release = json!({"metadata": {"name": "sh.helm.release.v1.x"}, "type": "helm.sh/release.v1",
        "stringData": {"release": "one line\n"}});
    create_secret(world, namespace, &release);
}

/// `error missing-secret deployment.apps/dangling`
fn shown(report: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let items = report["findings"].as_array().unwrap().iter();
    items.map(|one| ["severity", "code", "object"].map(|field| text(&one[field])).join(" ")).collect()
}

#[scenario]
fn each_finding_is_found(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    prepare(world, &namespace);
    let outcome = sandbox.run(["check", "-n", &namespace, "-o", "json"]).fails_with(3);
    outcome.never_shows(b"v4lue-of");
    assert_eq!(
        shown(&outcome.json()),
        [
            "error missing-secret deployment.apps/dangling",
            "error missing-key deployment.apps/dangling",
            "error missing-key pod/stuck",
            "error stuck-pod pod/stuck",
            "error expired-certificate secret/old",
            "warning env-collision deployment.apps/all",
            "warning trailing-newline secret/numbers",
            "warning last-applied secret/applied",
            "warning credential-keys secret/s3",
            "info env-name deployment.apps/all",
            "info unused-secret secret/applied",
        ]
    );
    assert!(outcome.stderr.contains("error: 5 errors of 11 findings"), "{outcome}");
    assert!(world.writes().is_empty());
}

#[scenario]
fn what_a_controller_keeps_for_itself_is_no_finding(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    clean(world, &namespace);
    let maker = world.get(&format!("/apis/apps/v1/namespaces/{namespace}/deployments/web")).unwrap();
    let owner = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": maker["metadata"]["uid"],
        "controller": true});
    let kept = json!({"metadata": {"name": "ssh-keys", "ownerReferences": [owner]}, "type": "kubernetes.io/ssh-auth",
        "stringData": {"ssh-privatekey": "one line\n"}});
    create_secret(world, &namespace, &kept);
    let outcome = sandbox.run(["check", "-n", &namespace, "-o", "json"]).success();
    assert_eq!(shown(&outcome.json()), [""; 0]);
}

#[scenario]
fn nothing_is_found_where_all_is_well(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    clean(world, &namespace);
    let outcome = sandbox.run(["check", "-n", &namespace]).success();
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        ("", &*format!("note: nothing found in namespace {namespace}\n"))
    );
    let report = sandbox.run(["check", "-n", &namespace, "-o", "json"]).success().json();
    assert_eq!(report["findings"], json!([]));
}

#[scenario]
fn a_finding_has_the_fields_that_programs_know(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    prepare(world, &namespace);
    let report = sandbox.run(["check", "-n", &namespace, "-o", "json"]).fails_with(3).json();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&report), ["findings", "unchecked", "unseen"]);
    for finding in report["findings"].as_array().unwrap() {
        assert_eq!(keys(finding), ["code", "message", "namespace", "object", "remedy", "severity"]);
    }
}

#[scenario]
fn a_person_gets_a_table_and_what_to_do(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    prepare(world, &namespace);
    let outcome = sandbox.run(["check", "-n", &namespace]).fails_with(3);
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert!(lines[0].starts_with("SEVERITY   CODE                  OBJECT"), "{outcome}");
    assert!(
        lines[2].contains("needs key HF_TOKNE of secret hf, which has no such key: env B in container main"),
        "{outcome}"
    );
    assert!(
        outcome.stderr.contains("did you mean HF_TOKEN? the keys of hf are: HF_TOKEN and config"),
        "{outcome}"
    );
    let wide = sandbox.run(["check", "-n", &namespace, "-o", "wide"]).fails_with(3);
    assert!(wide.stdout.lines().next().unwrap().ends_with("WHAT TO DO"), "{wide}");
    let names = sandbox.run(["check", "-n", &namespace, "-o", "name"]).fails_with(3);
    assert!(
        names.stdout.starts_with("deployment.apps/all\ndeployment.apps/dangling\npod/stuck\n"),
        "{names}"
    );
}

#[scenario]
fn codes_can_be_left_out_and_errors_alone_fail(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    prepare(world, &namespace);
    let errors = "missing-secret,missing-key,stuck-pod,expired-certificate";
    let outcome =
        sandbox.run(["check", "-n", &namespace, "--ignore", errors, "--ignore=env-name", "-o", "json"]);
    let codes: BTreeSet<String> = shown(&outcome.success().json())
        .iter()
        .map(|line| line.split(' ').nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(
        codes.iter().map(String::as_str).collect::<Vec<_>>(),
        ["credential-keys", "env-collision", "last-applied", "trailing-newline", "unused-secret"]
    );
    let unknown = sandbox.run(["check", "--ignore", "everything"]).fails_with(2);
    assert!(unknown.stderr.contains("missing-secret"), "{unknown}");
}

#[scenario]
fn one_workload_is_checked_by_what_it_uses(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    prepare(world, &namespace);
    let report = |target: &str| sandbox.run(["check", target, "-n", &namespace, "-o", "json"]);
    assert_eq!(
        shown(&report("deploy/dangling").fails_with(3).json()),
        ["error missing-secret deployment.apps/dangling", "error missing-key deployment.apps/dangling",]
    );
    assert_eq!(
        shown(&report("pod/stuck").fails_with(3).json()),
        ["error missing-key pod/stuck", "error stuck-pod pod/stuck"]
    );
    assert_eq!(shown(&report("cronjob/nightly").success().json()), [""; 0]);
    world.clear_log();
    report("deploy/web").success();
    let secrets = |call: &&String| call.contains("/secrets/");
    assert_eq!(world.calls().iter().filter(secrets).count(), 2, "those it uses: {:?}", world.lines());
    let nowhere = report("deploy/nowhere").fails_with(1);
    assert!(nowhere.stderr.contains("\"nowhere\" not found"), "{nowhere}");
    let refused = sandbox.run(["check", "deploy/web", "-A"]).fails_with(2);
    assert!(refused.stderr.contains("hint: name its namespace"), "{refused}");
}

#[scenario]
fn copies_that_are_not_as_they_should_be_are_found(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let [pending, stale, taken, well] = ["pending", "stale", "taken", "well"].map(|name| world.project(name));
    our_copy(world, &shared, &stale.namespace, "another value");
    create(world, &taken.namespace, &json!({"app": "x"}), &json!({}), "of the project itself");
    runais_copy(world, &well, "shared-value-of-the-source");
    let labels = json!({"run.ai/cluster-wide": "true"});
    create_secret(world, &well.namespace, &json!({"metadata": {"name": "gone", "labels": labels}}));
    // Other tests have namespaces on the real server too.
    let ours = [&pending, &stale, &taken, &well].map(|project| json!(project.namespace));
    let found = |words: &[&str]| {
        let more = ["--ignore=unused-secret", "-o", "json"];
        let outcome = sandbox.run(shared.run(words).into_iter().chain(more));
        outcome.never_shows(b"shared-value-of-the-source");
        let findings = outcome.json()["findings"].as_array().unwrap().clone();
        findings.into_iter().filter(|one| ours.contains(&one["namespace"])).collect::<Vec<_>>()
    };
    let text = |finding: &Value, field: &str| finding[field].as_str().unwrap().to_owned();
    let all: Vec<String> = found(&["check", "-A"])
        .iter()
        .map(|one| ["code", "namespace", "object"].map(|field| text(one, field)).join(" "))
        .collect();
    assert_eq!(
        all,
        [
            format!("copy-missing {} secret/hf", pending.namespace),
            format!("copy-stale {} secret/hf", stale.namespace),
            format!("copy-foreign {} secret/hf", taken.namespace),
            format!("copy-orphan {} secret/gone", well.namespace),
        ]
    );
    let one = found(&["check", "-p", &stale.name]);
    assert_eq!(one.len(), 1, "{one:?}");
    assert_eq!(
        text(&one[0], "remedy"),
        format!(
            "Run:ai copies within about a minute; if it does not: kubectl runai-secret sync hf \
             --runai-namespace={}",
            shared.runai
        )
    );
    world.delete(&format!("/api/v1/namespaces/{}/secrets/hf", stale.namespace));
    runais_copy(world, &stale, "perhaps of the project itself");
    let perhaps = found(&["check", "-p", &stale.name]);
    assert_eq!(text(&perhaps[0], "code"), "copy-stale");
    let adopt = format!("kubectl runai-secret sync hf --adopt --runai-namespace={}", shared.runai);
    assert!(text(&perhaps[0], "remedy").ends_with(&adopt), "{perhaps:?}");
}

#[scenario]
fn a_secret_of_another_namespace_is_named_where_it_is_missing(world: &World, sandbox: &Sandbox) {
    let (here, there) = (world.namespace("here"), world.namespace("there"));
    world.create_secret(&there, "wandb", &[("k", "v4lue")]);
    create_deployment(world, &here, "web", &json!({"env": [env("A", "wandb", "k")]}));
    let outcome = sandbox.run(["check", "-n", &here]).fails_with(3);
    assert!(
        outcome.stderr.contains(&format!("the secret is in {there}: create it in {here} too")),
        "{outcome}"
    );
}

#[scenario]
fn what_may_not_be_read_is_said_and_not_judged(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    prepare(world, &namespace);
    let user = world.user("reader");
    let kinds = [
        "deployments",
        "statefulsets",
        "daemonsets",
        "replicasets",
        "jobs",
        "cronjobs",
        "pods",
        "serviceaccounts",
        "ingresses",
    ];
    let rules = json!([
        {"apiGroups": ["", "apps", "batch", "networking.k8s.io"], "verbs": ["get", "list"], "resources": kinds},
        {"apiGroups": GROUPS, "verbs": ["list"], "resources": ["*"]},
    ]);
    world.grant(&user, Some(&namespace), &rules);
    let line = ["check", "-n", &namespace, "--token", &user.token, "-o", "json"];
    let outcome = sandbox.run(line).success();
    assert_eq!(shown(&outcome.json()), ["warning stuck-pod pod/stuck"]);
    let mut unseen = outcome.json()["unseen"].as_array().unwrap().clone();
    // On the real server other tests have defined more kinds.
    unseen.retain(|one| !one["resource"].as_str().unwrap().contains('.'));
    assert_eq!(unseen, [json!({"namespace": namespace, "resource": "secrets"})]);
    let warning =
        format!("Warning: you may not list secrets in {namespace}: what depends on them was not checked");
    assert!(outcome.stderr.contains(&warning), "{outcome}");
    // Allowed to read secrets one by one, the user learns what those have that are referred to.
    let rules = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]);
    world.grant(&user, Some(&namespace), &rules);
    let outcome = sandbox.run(line).fails_with(3);
    let found = shown(&outcome.json());
    assert!(found.contains(&"error missing-secret deployment.apps/dangling".to_owned()), "{outcome}");
    assert!(!found.contains(&"info unused-secret secret/applied".to_owned()), "{outcome}");
}

#[scenario]
fn a_manifest_is_checked_before_it_is_submitted(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "hf", &[("HF_TOKEN", "v4lue-of-hf")]);
    let job = |name: &str, env: &[Value]| {
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
            "spec": {"template": template("Never", &json!({"env": env}))}})
    };
    let own = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "own"},
        "stringData": {"k": "v4lue-of-own\n"}});
    let documents = [
        own,
        job("well", &[env("A", "hf", "HF_TOKEN"), env("B", "own", "k")]),
        job("wrong", &[env("A", "nowhere", "k"), env("B", "own", "other"), env("C", "hf", "HF_TOKNE")]),
        json!({"apiVersion": "example.com/v1", "kind": "Other", "metadata": {"name": "x"}}),
    ];
    let text = documents.map(|document| document.to_string()).join("\n---\n");
    sandbox.file("jobs.yaml", &text);
    let outcome = sandbox.run(["check", "-f", "jobs.yaml", "-n", &namespace, "-o", "json"]).fails_with(3);
    outcome.never_shows(b"v4lue-of");
    assert_eq!(
        shown(&outcome.json()),
        [
            "error missing-secret job.batch/wrong",
            "error missing-key job.batch/wrong",
            "error missing-key job.batch/wrong",
            "warning trailing-newline secret/own",
        ]
    );
    let piped =
        sandbox.stdin(text.as_bytes()).run(["check", "job/well", "-f", "-", "-n", &namespace, "-o", "json"]);
    assert_eq!(shown(&piped.success().json()), ["warning trailing-newline secret/own"]);
    let none = sandbox.run(["check", "job/none", "-f", "jobs.yaml", "-n", &namespace]).fails_with(1);
    assert!(none.stderr.contains("jobs.yaml has no job.batch/none"), "{none}");
    sandbox.file("broken.yaml", "apiVersion: v1\nkind: Secret\ndata:\n  k: v4lue-of-k\n");
    let broken = sandbox.run(["check", "-f", "broken.yaml", "-n", &namespace]).fails_with(2);
    broken.never_shows(b"v4lue-of");
    assert!(broken.stderr.contains("the value of k in data is not base64"), "{broken}");
    assert!(world.writes().is_empty());
}

#[scenario]
fn all_projects_are_checked_at_once(world: &World, sandbox: &Sandbox) {
    let (a, b) = (world.project("a"), world.project("b"));
    create_deployment(world, &a.namespace, "web", &json!({"env": [env("A", "hf", "k")]}));
    clean(world, &b.namespace);
    let user = world.user("reader");
    world.grant(&user, None, &json!([{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list"]}]));
    for project in [&a, &b] {
        let rules = json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["list", "get"]}]);
        world.grant(&user, Some(&project.namespace), &rules);
    }
    let report = sandbox.run(["check", "-A", "--token", &user.token, "-o", "json"]).fails_with(3).json();
    assert_eq!(shown(&report), ["error missing-secret deployment.apps/web"]);
    assert_eq!(report["findings"][0]["namespace"], json!(a.namespace));
    let runai = json!({"namespace": "runai", "resource": "secrets"});
    assert_eq!(report["unseen"], json!([runai]), "whether copies are well");
}

#[scenario]
fn a_secret_that_an_object_of_the_manifest_makes_is_not_missing(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let consumer = |secret: &str| {
        format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: j}}\nspec: {{template: {{spec: {{containers: [{{name: main, image: x, \
         env: [{{name: A, valueFrom: {{secretKeyRef: {{name: {secret}, key: token}}}}}}]}}]}}}}}}\n"
        )
    };
    for (maker, secret) in [
        (
            "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: es}\nspec: {target: {name: hf}}\n",
            "hf",
        ),
        ("apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: es}\n", "es"),
        ("kind: Kustomization\nsecretGenerator: [{name: es, literals: [token=x]}]\n", "es"),
    ] {
        let check =
            |text: String| sandbox.stdin(text).run(["check", "-f", "-", "-n", &namespace, "-o", "json"]);
        let report = check(format!("{maker}---\n{}", consumer(secret))).success().json();
        assert_eq!(shown(&report), ["info made-by-operator job.batch/j"], "{maker}");
        let message = report["findings"][0]["message"].as_str().unwrap();
        assert!(message.contains(&format!("needs secret {secret}, which is made by ")), "{message}");
        assert!(message.ends_with("whether it has token was not checked"), "{message}");
        let report = check(format!("{maker}---\n{}", consumer("other"))).fails_with(3).json();
        assert_eq!(shown(&report), ["error missing-secret job.batch/j"]);
    }
}

const NIM: &str =
    "apiVersion: apps.nvidia.com/v1alpha1\nkind: NIMService\nmetadata: {name: n}\nspec: {authSecret: ngc}\n";

#[scenario]
fn a_manifest_of_which_nothing_can_be_checked_is_no_success(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    sandbox.file("nim.yaml", format!("{NIM}---\n{NIM}"));
    let check = ["check", "-f", "nim.yaml", "-n", &namespace];
    let nothing = sandbox.run(check).fails_with(3);
    assert!(
        nothing.stderr.contains("Warning: not checked, because the kind is not known: NIMService (2)"),
        "{nothing}"
    );
    assert!(nothing.stderr.contains("error: nothing was checked"), "{nothing}");
    assert!(!nothing.stderr.contains("nothing found"), "{nothing}");
    let json = sandbox.run(check.into_iter().chain(["-o", "json"])).fails_with(3).json();
    assert_eq!(json["unchecked"], json!([{"group": "apps.nvidia.com", "kind": "NIMService", "count": 2}]));
    let secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\n";
    sandbox.file("nim.yaml", format!("{NIM}{secret}"));
    let some = sandbox.run(check).success();
    assert!(some.stderr.contains("not checked, because the kind is not known: NIMService\n"), "{some}");
    sandbox.file("nim.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n");
    sandbox.run(check).success();
}

#[scenario]
fn what_attach_refuses_as_malformed_is_a_finding(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    sandbox.file(
        "list.yaml",
        "apiVersion: run.ai/v2alpha1\nkind: TrainingWorkload\nmetadata: {name: t}\n\
         spec: {environment: {items: [{name: A, value: 'SECRET:hf,v4lue'}]}}\n",
    );
    let check = sandbox.run(["check", "-f", "list.yaml", "-n", &namespace, "-o", "json"]).fails_with(3);
    assert_eq!(shown(&check.json()), ["error malformed trainingworkload.run.ai/t"]);
    check.never_shows(b"v4lue");
    let attach = sandbox.run(["attach", "hf", "-f", "list.yaml", "--env", "A"]).fails_with(1);
    assert!(attach.stderr.contains("items is not a map"), "{attach}");
    let ignored = ["check", "-f", "list.yaml", "-n", &namespace, "--ignore=malformed"];
    sandbox.run(ignored).success();
}

#[test]
fn offline_no_cluster_is_needed_and_the_files_are_checked_against_each_other() {
    let sandbox = Sandbox::new();
    let job = |name: &str, secret: &str, key: &str| {
        format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec: {{template: {{spec: {{containers: [{{name: main, \
             image: x, env: [{{name: A, valueFrom: {{secretKeyRef: {{name: {secret}, key: {key}}}}}}}]}}]}}}}}}\n---\n"
        )
    };
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: own}\nstringData: {k: v4lue}\n";
    sandbox.file("all.yaml", job("wrong", "own", "key") + &job("other", "far", "k") + secret);
    let check =
        sandbox.run(["check", "-f", "all.yaml", "--offline", "-p", "team-a", "-o", "json"]).fails_with(3);
    assert_eq!(shown(&check.json()), ["error missing-key job.batch/wrong"]);
    assert!(check.stderr.contains("note: not in the files, and not looked up: far\n"), "{check}");
    check.never_shows(b"v4lue");
    sandbox.file("well.yaml", job("well", "own", "k") + secret);
    let well = sandbox.run(["check", "-f", "well.yaml", "--offline"]).success();
    assert!(well.stderr.contains("note: nothing found in the files\n"), "{well}");
    sandbox.run(["check", "--offline"]).fails_with(2);
}

#[scenario]
fn values_that_can_hardly_be_meant_are_said_when_they_are_written_and_found_later(
    world: &World,
    sandbox: &Sandbox,
) {
    let namespace = world.namespace("a");
    for (name, value, why) in [
        ("quoted", "\"hf_hunter2\"", "is in quotes"),
        ("placeholder", "<your-hunter2>", "is a placeholder"),
        ("encoded", "aHVudGVyMmh1bnRlcjJodW50ZXIy", "is base64 of a text"),
        ("variables", "A=hunter2\nB=hunter2\n", "is a whole file of variables"),
    ] {
        sandbox.file("value", value);
        let written = sandbox.run(["create", name, "--from-file=K=value", "-n", &namespace]).success();
        assert!(written.stderr.contains(&format!("Warning: value: the value of K {why}")), "{written}");
        let set = sandbox.stdin(value).run(["set", name, "K", "-n", &namespace]);
        assert!(set.stderr.contains(&format!("the value of K {why}")), "{set}");
        let found = sandbox.run(["check", "-n", &namespace, "-o", "json"]).json();
        let findings = found["findings"].as_array().unwrap();
        let finding = findings
            .iter()
            .find(|one| one["object"] == format!("secret/{name}") && one["code"] == "doubtful-value");
        let finding = finding.unwrap_or_else(|| panic!("{found}"));
        assert!(finding["message"].as_str().unwrap().contains(why), "{finding}");
        for outcome in [written, set] {
            outcome.never_shows(b"hunter2");
            outcome.never_shows(b"aHVudGVy");
        }
    }
    sandbox.file("dotenv", "HF_TOKEN=<your-hunter2>\n");
    let written = sandbox.run(["create", "d", "--from-dotenv=dotenv", "-n", &namespace]).success();
    assert!(written.stderr.contains("Warning: dotenv, line 1: the value is a placeholder"), "{written}");
    written.never_shows(b"hunter2");
}

#[scenario]
fn unused_secrets_are_one_row_where_they_are_many(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("many");
    for name in ["a", "b", "c", "d"] {
        world.create_secret(&namespace, name, &[("k", "v4lue-of-many")]);
    }
    let run = |more: &[&str]| sandbox.run(["check", "-n", &namespace].iter().chain(more)).success();
    let table = run(&[]);
    let rows: Vec<String> =
        table.stdout.lines().map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(rows[1..], ["info unused-secret 4 secrets no workload uses them"], "{table}");
    let way = format!("to see them: kubectl runai-secret usage --unused -n {namespace}");
    assert!(table.stderr.contains(&way), "{table}");
    // Programs get each of them, and so does who asks for no more.
    assert_eq!(run(&["-o", "json"]).json()["findings"].as_array().unwrap().len(), 4);
    for more in [["--only=unused-secret", "--no-headers"], ["-o", "wide"], ["-o", "name"]] {
        let listed = run(&more);
        assert!(listed.stdout.contains("secret/a") && listed.stdout.contains("secret/d"), "{listed}");
    }
}

#[scenario]
fn a_value_is_written_again_without_its_newline_and_the_secret_stays_of_its_type(
    world: &World,
    sandbox: &Sandbox,
) {
    let namespace = world.namespace("ends");
    let login = json!({"username": "jane", "password": "v4lue-of-it\n"});
    let login =
        json!({"metadata": {"name": "login"}, "type": "kubernetes.io/basic-auth", "stringData": login});
    create_secret(world, &namespace, &login);
    let keys = json!({"ssh-privatekey": "k3y", "ssh-publickey": "ssh-ed25519 AAAA jane@x\n", "known_hosts": "x ssh-ed25519 AAAA\n"});
    let keys = json!({"metadata": {"name": "git"}, "type": "kubernetes.io/ssh-auth", "stringData": keys});
    create_secret(world, &namespace, &keys);
    let check =
        || sandbox.run(["check", "-n", &namespace, "--only=trailing-newline", "-o", "json"]).success().json();
    let found = check();
    assert_eq!(shown(&found), ["info trailing-newline secret/login"], "files of OpenSSH end so");
    let remedy = found["findings"][0]["remedy"].as_str().unwrap();
    let (_, command) = remedy.split_once(": kubectl runai-secret ").unwrap();
    sandbox.file("password", "v4lue-of-it\n");
    sandbox.run(command.replace("PATH", "password").split(' ')).success();
    assert_eq!(shown(&check()), [""; 0]);
    let mended = world.secret(&namespace, "login").unwrap();
    assert_eq!((&mended["type"], &mended["data"]["username"]), (&login["type"], &json!("amFuZQ==")));
}

#[scenario]
fn names_of_what_was_found_in_all_namespaces_say_in_which(world: &World, sandbox: &Sandbox) {
    let namespaces = ["one", "two"].map(|name| world.namespace(name));
    for namespace in &namespaces {
        world.create_secret(namespace, "spare", &[("k", "v4lue-of-spare")]);
    }
    let all = sandbox.run(["check", "-A", "--only=unused-secret", "-o", "name"]).success();
    for namespace in &namespaces {
        assert!(all.stdout.lines().any(|line| line == format!("{namespace}/secret/spare")), "{all}");
    }
    let one = sandbox.run(["check", "-n", &namespaces[0], "--only=unused-secret", "-o", "name"]).success();
    assert_eq!(one.stdout, "secret/spare\n");
}
