//! Kinds of which nothing is known: what they refer to by the forms that operators use.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Fault, Sandbox, World, scenario};

use crate::definitions::{GROUPS, define};

const GROUP: &str = "frobs.example.com";

/// Kinds that operators bring, as group, version, plural and name, each with a spec that refers to the secret.
fn others(secret: &str) -> Vec<([&'static str; 4], Value)> {
    let env = json!([{"name": "A", "valueFrom": {"secretKeyRef": {"name": secret, "key": "k"}}}]);
    let container = json!({"name": "main", "image": "i", "env": env});
    let pod = json!({"containers": [container]});
    let template = json!({"template": {"spec": pod}});
    vec![
        (
            ["leaderworkerset.x-k8s.io", "v1", "leaderworkersets", "LeaderWorkerSet"],
            json!({"replicas": 0, "leaderWorkerTemplate": {"size": 2, "workerTemplate": {"spec": pod}}}),
        ),
        (["apps.nvidia.com", "v1alpha1", "nimservices", "NIMService"], json!({"authSecret": secret})),
        (
            ["nvidia.com", "v1alpha1", "dynamographdeployments", "DynamoGraphDeployment"],
            json!({"services": {"Frontend": {"envFromSecret": secret}}}),
        ),
        (
            ["serving.kserve.io", "v1beta1", "inferenceservices", "InferenceService"],
            json!({"predictor": {"model": container}}),
        ),
        (["kubeflow.org", "v1", "notebooks", "Notebook"], template.clone()),
        (
            ["kubeflow.org", "v1", "jaxjobs", "JAXJob"],
            json!({"jaxReplicaSpecs": {"Worker": {"template": {"spec": {"imagePullSecrets": [{"name": secret}]}}}}}),
        ),
        (
            ["ray.io", "v1", "rayservices", "RayService"],
            json!({"rayClusterConfig": {"headGroupSpec": template, "workerGroupSpecs": []}}),
        ),
        (
            ["argoproj.io", "v1alpha1", "workflows", "Workflow"],
            json!({"templates": [{"inputs": {"artifacts": [{"s3": {"accessKeySecret": {"name": secret, "key": "k"}}}]}}]}),
        ),
        (
            ["machinelearning.seldon.io", "v1", "seldondeployments", "SeldonDeployment"],
            json!({"predictors": [{"graph": {"envSecretRefName": secret}}]}),
        ),
        (
            ["run.ai", "v2alpha1", "distributedinferenceworkloads", "DistributedInferenceWorkload"],
            json!({"leader": {"environment": {"items": {"A": {"value": format!("SECRET:{secret},k")}}}}}),
        ),
        (
            ["external-secrets.io", "v1", "secretstores", "SecretStore"],
            json!({"provider": {"vault": {"auth": {"tokenSecretRef": {"name": secret, "key": "k"}}}}}),
        ),
        (
            ["kafka.strimzi.io", "v1beta2", "kafkaconnects", "KafkaConnect"],
            json!({"tls": {"trustedCertificates": [{"secretName": secret, "certificate": "k"}]}}),
        ),
        (
            ["cert-manager.io", "v1", "issuers", "Issuer"],
            json!({"acme": {"privateKeySecretRef": {"name": secret}}}),
        ),
        (
            ["gateways.example.com", "v1", "gateways", "Gateway"],
            json!({"listeners": [{"tls": {"certificateRefs": [{"kind": "Secret", "group": "", "name": secret}]}}]}),
        ),
        (
            [GROUP, "v1", "frobnicators", "Frobnicator"],
            json!({"foo": {"bar": {"secretKeyRef": {"name": secret, "key": "k"}}}}),
        ),
    ]
}

fn create(world: &World, namespace: &str, kind: [&str; 4], name: &str, spec: &Value) {
    let [group, version, plural, kind] = kind;
    let object = json!({"apiVersion": format!("{group}/{version}"), "kind": kind,
        "metadata": {"name": name}, "spec": spec});
    world.create(&format!("/apis/{group}/{version}/namespaces/{namespace}/{plural}"), &object);
}

const FROB: [&str; 4] = [GROUP, "v1", "frobnicators", "Frobnicator"];

/// Makes a namespace with a secret `s`, and a Frobnicator `f` with this spec.
fn with_frob(world: &World, spec: &Value) -> String {
    let namespace = world.namespace("ns");
    world.custom_resource(GROUP, "v1", "frobnicators", "Frobnicator");
    world.create_secret(&namespace, "s", &[("k", "v4lue"), ("other", "v4lue")]);
    create(world, &namespace, FROB, "f", spec);
    namespace
}

fn auth() -> Value {
    json!({"auth": {"secretRef": {"name": "s", "key": "k"}}})
}

fn is_there(world: &World, namespace: &str, name: &str) -> bool {
    world.secret(namespace, name).is_some()
}

#[scenario]
fn what_any_custom_resource_refers_to_is_in_use_and_is_not_deleted(world: &World, sandbox: &Sandbox) {
    define(world, &GROUPS);
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "spare", &[("k", "v4lue")]);
    let mut secrets = Vec::new();
    for (number, _) in others("").iter().enumerate() {
        let secret = format!("of-{number}");
        let (kind, spec) = others(&secret).swap_remove(number);
        world.custom_resource(kind[0], kind[1], kind[2], kind[3]);
        world.create_secret(&namespace, &secret, &[("k", "v4lue")]);
        create(world, &namespace, kind, "w", &spec);
        secrets.push((secret, format!("{}.{}/w", kind[3].to_lowercase(), kind[0])));
    }
    let unused = sandbox.run(["usage", "--unused", "-n", &namespace, "-o", "name"]).success();
    assert_eq!(unused.stdout, "secret/spare\n", "{unused}");
    let check = sandbox.run(["check", "-n", &namespace, "-o", "json"]).success().json();
    let found = check["findings"].as_array().unwrap();
    assert!(found.iter().all(|one| one["object"] == "secret/spare"), "{check}");
    assert_eq!(found[0]["code"], "unused-secret");
    let wide = sandbox.run(["usage", "-n", &namespace, "-o", "wide"]).success();
    let names = secrets.iter().map(|(secret, _)| secret.as_str());
    let delete = ["delete", "-n", &namespace, "--yes"].into_iter().chain(names);
    let refused = sandbox.run(delete).fails_with(1);
    for (secret, object) in &secrets {
        assert!(
            wide.stdout.lines().any(|line| line.starts_with(secret) && line.contains(object)),
            "{object}: {wide}"
        );
        assert!(
            refused.stderr.contains(&format!("{secret:?} is needed by {object}; it was not deleted")),
            "{refused}"
        );
        assert!(is_there(world, &namespace, secret));
    }
    let forced = sandbox.run(["delete", "of-0", "-n", &namespace, "--yes", "--force"]).success();
    assert!(forced.stderr.contains("although it is needed by leaderworkerset"), "{forced}");
}

#[scenario]
fn a_reference_that_is_known_by_its_form_is_called_probable(world: &World, sandbox: &Sandbox) {
    let namespace = with_frob(world, &auth());
    let usage = sandbox.run(["usage", "s", "-n", &namespace]).success();
    let line = usage.stdout.lines().nth(1).unwrap_or_default();
    for word in ["frobnicator.frobs.example.com/f", "spec.auth.secretRef (probable)", "k"] {
        assert!(line.contains(word), "{word}: {usage}");
    }
    let json = sandbox.run(["usage", "s", "-n", &namespace, "-o", "json"]).success().json();
    let consumer = &json["secrets"][0]["consumers"][0];
    assert_eq!(
        (&consumer["group"], &consumer["kind"], &consumer["state"]),
        (&json!(GROUP), &json!("Frobnicator"), &Value::Null)
    );
    assert_eq!(
        consumer["uses"],
        json!([{"container": null, "how": "probable", "field": "spec.auth.secretRef", "keys": ["k"], "optional": false,
            "path": null, "variable": null, "volume": null, "missing": null, "read": null, "changed": null,
            "value": null}])
    );
    let refused = sandbox.run(["delete", "s", "-n", &namespace, "--yes"]).fails_with(1);
    assert!(refused.stderr.contains("/f needs it: spec.auth.secretRef (probable)\n"), "{refused}");
    assert!(!refused.stderr.contains("detach"), "{refused}");
    let list = sandbox.run(["list", "--consumers", "-n", &namespace, "-o", "json"]).success().json();
    assert_eq!(list["secrets"][0]["consumers"], 1, "{list}");
}

#[scenario]
fn who_changes_a_secret_is_told_of_it(world: &World, sandbox: &Sandbox) {
    let namespace = with_frob(world, &auth());
    let set = sandbox.stdin("new").run(["set", "s", "--from-file=k=-", "-n", &namespace]).success();
    let note = "probably uses it, and when it sees the change is up to its controller: frobnicator.frobs.example.com/f";
    assert!(set.stderr.contains(note), "{set}");
    let refused = sandbox.run(["unset", "s", "k", "-n", &namespace]).fails_with(2);
    assert!(refused.stderr.contains("frobnicator.frobs.example.com/f would not start any more"), "{refused}");
    sandbox.run(["unset", "s", "other", "-n", &namespace]).success();
}

#[scenario]
fn a_kind_that_may_not_be_listed_is_named_and_nothing_is_called_unused(world: &World, sandbox: &Sandbox) {
    let namespace = with_frob(world, &auth());
    let user = world.user("limited");
    let rules = json!([{"apiGroups": ["", "apps", "batch", "networking.k8s.io"], "resources": ["*"], "verbs": ["*"]}]);
    world.grant(&user, Some(&namespace), &rules);
    let line = ["-n", &namespace, "--token", &user.token];
    let unused = sandbox.run(["usage", "--unused", "-o", "json"].iter().chain(&line)).success();
    let warning = "that this cluster adds could not be read (";
    assert!(unused.stderr.contains(warning), "{unused}");
    let entry = json!({"namespace": namespace, "resource": "frobnicators.frobs.example.com"});
    assert!(unused.json()["unseen"].as_array().unwrap().contains(&entry), "{unused}");
    let check = sandbox.run(["check"].iter().chain(&line)).success();
    assert!(check.stderr.contains(warning) && !check.stdout.contains("unused-secret"), "{check}");
    let deleted = sandbox.run(["delete", "s", "--yes"].iter().chain(&line)).success();
    assert!(deleted.stderr.contains("some of them may need the secret"), "{deleted}");
}

#[scenario]
fn a_kind_that_can_not_be_read_keeps_nothing_else_from_being_seen(world: &World, sandbox: &Sandbox) {
    let namespace = with_frob(world, &auth());
    world.custom_resource("globs.example.com", "v1", "globs", "Glob");
    create(world, &namespace, ["globs.example.com", "v1", "globs", "Glob"], "g", &json!({"pullSecret": "s"}));
    world.fail(Fault::on("GET", "/frobnicators").for_ever().answer(501));
    let usage = sandbox.run(["usage", "s", "-n", &namespace, "-o", "name"]).success();
    assert_eq!(usage.stdout, "glob.globs.example.com/g\n");
    assert!(
        usage
            .stderr
            .contains("1 kind that this cluster adds could not be read (frobnicators.frobs.example.com)"),
        "{usage}"
    );
}

#[scenario]
fn what_has_the_form_of_a_name_and_may_be_a_value_is_neither_shown_nor_asked_for(
    world: &World,
    sandbox: &Sandbox,
) {
    let namespace = with_frob(world, &json!({"oauth": {"clientSecret": "hunter2-is-a-value"}}));
    world.clear_log();
    let words = ["-n", namespace.as_str(), "-vvv"];
    for line in [
        &["usage", "-o", "wide"][..],
        &["usage", "-o", "json"],
        &["check", "-o", "json"],
        &["list", "--consumers"],
    ] {
        sandbox.run(line.iter().chain(&words)).success().never_shows(b"hunter2");
    }
    assert!(!world.lines().iter().any(|line| line.contains("hunter2")), "{:?}", world.lines());
}

#[scenario]
fn of_many_objects_the_last_one_is_found_as_well(world: &World, sandbox: &Sandbox) {
    let namespace = with_frob(world, &json!({}));
    for number in 0..60 {
        create(world, &namespace, FROB, &format!("f{number:02}"), &json!({}));
    }
    create(world, &namespace, FROB, "z", &auth());
    let usage = sandbox.run(["usage", "s", "-n", &namespace, "-o", "name"]).success();
    assert_eq!(usage.stdout, "frobnicator.frobs.example.com/z\n");
}

#[scenario(real)]
fn of_many_objects_that_can_not_refer_to_secrets_only_the_first_are_read(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[]);
    let schema = json!({"type": "object", "properties": {"size": {"type": "integer"}, "labels":
        {"type": "object", "additionalProperties": {"type": "string"}}}});
    world.define(&[json!({
        "metadata": {"name": "plains.plain.example.com"},
        "spec": {"group": "plain.example.com", "scope": "Namespaced", "names": {"plural": "plains", "kind": "Plain"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema":
                {"type": "object", "properties": {"spec": schema}}}}]},
    })]);
    for number in 0..60 {
        create(
            world,
            &namespace,
            ["plain.example.com", "v1", "plains", "Plain"],
            &format!("p{number}"),
            &json!({"size": 1}),
        );
    }
    // A definition is in what OpenAPI says a moment after it is served.
    let start = Instant::now();
    let published = || world.admin("GET", "/openapi/v3/apis/plain.example.com/v1", None).1.to_string();
    while !published().contains("\"size\"") {
        assert!(start.elapsed() < Duration::from_mins(1), "the schema is published");
        std::thread::sleep(Duration::from_millis(50));
    }
    world.clear_log();
    sandbox.run(["usage", "s", "-n", &namespace]).success();
    let calls: Vec<String> =
        world.calls().into_iter().filter(|call| call.contains("plain.example.com")).collect();
    assert_eq!(
        calls,
        [
            format!("GET /apis/plain.example.com/v1/namespaces/{namespace}/plains"),
            "GET /openapi/v3/apis/plain.example.com/v1".to_owned()
        ]
    );
}

/// What a large cluster costs: whatever the number of projects, one request for all kinds, and one for each kind that
/// may refer to secrets.
#[test]
fn over_500_projects_each_kind_is_listed_once_and_all_are_found_by_one_request() {
    let world = World::in_process();
    let names: Vec<String> = (0..40).map(|number| format!("kind{number}s")).collect();
    for plural in &names {
        world.custom_resource("more.example.com", "v1", plural, plural.trim_end_matches('s'));
    }
    let mut namespaces = Vec::new();
    for number in 0..500 {
        let namespace = world.project(&format!("p{number}")).namespace;
        if number % 100 == 0 {
            world.create_secret(&namespace, "s", &[("k", "v4lue")]);
            world.create_secret(&namespace, "spare", &[("k", "v4lue")]);
            let plural = names[number % 40].as_str();
            let kind = ["more.example.com", "v1", plural, plural.trim_end_matches('s')];
            create(&world, &namespace, kind, "x", &auth());
        }
        namespaces.push(namespace);
    }
    let sandbox = Sandbox::new().with(&world);
    for (line, others) in [
        // The secrets.
        (&["usage", "-A"][..], 1),
        // These, the version of the server, the projects, and what is shared with them.
        (&["check", "-A", "-o", "json"], 4),
        // The secret, which is read and deleted.
        (&["delete", "spare", "--yes", "-n", &namespaces[0]], 2),
    ] {
        world.clear_log();
        sandbox.run(line).success();
        let calls = world.calls();
        let of_added = calls.iter().filter(|call| call.contains("more.example.com")).count();
        let discovery = calls.iter().filter(|call| call.ends_with("/apis")).count();
        assert_eq!((of_added, discovery), (40, 1), "{line:?}: {calls:#?}");
        let built_in = 9;
        assert_eq!(calls.len(), of_added + discovery + built_in + others, "{line:?}: {calls:#?}");
    }
}

#[scenario]
fn who_does_not_look_for_consumers_discovers_nothing(world: &World, sandbox: &Sandbox) {
    let namespace = with_frob(world, &auth());
    world.clear_log();
    for line in [
        &["create", "t", "--from-literal=k=v4lue"][..],
        &["list"],
        &["view", "s"],
        &["submit", "train", "-i", "ubuntu", "-e", "A=SECRET:s,k"],
        &["attach", "s", "job/train", "--env", "k", "--copy-as", "again"],
        &["check", "job/train"],
    ] {
        sandbox.run(line.iter().chain(&["-n", namespace.as_str()])).success();
    }
    let is_discovery = |call: &&String| call.ends_with("/apis") || call.contains("openapi");
    assert_eq!(world.calls().iter().filter(is_discovery).count(), 0, "{:?}", world.lines());
}
