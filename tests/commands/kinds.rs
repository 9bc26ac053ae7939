//! Every kind of workload: attached in each way that it has, read back exactly, attached again without a write, and
//! detached to what it was.

use serde_json::{Value, json};
use support::{Outcome, Sandbox, World, scenario};

use crate::definitions::{Example, GROUPS, built_in_kinds, custom_kinds, define};

/// The kinds that are created again, because the server takes no change of them.
const IMMUTABLE: [&str; 3] = ["Job", "Pod", "JobSet"];

/// A namespace with the secret `s`, whose keys are `1st`, `token` and `user`, and the registry login `r`.
fn prepared(world: &World) -> String {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "s", &[("token", "t0ken-value"), ("user", "jane"), ("1st", "x")]);
    let login = json!({
        "metadata": {"name": "r"}, "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": "{\"auths\":{}}"},
    });
    world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &login);
    namespace
}

/// Without what the server counts and records by itself, and what is another where an object was created again.
fn own(mut object: Value) -> Value {
    let metadata = object["metadata"].as_object_mut().unwrap();
    for field in ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"] {
        metadata.remove(field);
    }
    object["status"] = Value::Null;
    for counted in ["deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation"] {
        object["metadata"]["annotations"][counted] = Value::Null;
    }
    let uids = ["controller-uid", "batch.kubernetes.io/controller-uid"];
    for place in ["/metadata", "/spec/template/metadata"] {
        if let Some(labels) = object.pointer_mut(&format!("{place}/labels")).and_then(Value::as_object_mut) {
            labels.retain(|label, _| !uids.contains(&label.as_str()));
        }
    }
    if object["kind"] == "Job" {
        object["spec"]["selector"] = Value::Null;
    }
    object
}

/// Runs the command, as `--recreate` for what can't be changed.
fn change(sandbox: &Sandbox, namespace: &str, kind: &str, words: &[&str]) -> Outcome {
    let again: &[&str] = if IMMUTABLE.contains(&kind) { &["--recreate", "--yes"] } else { &[] };
    sandbox.run([words, &["-n", namespace], again].concat()).success()
}

/// Attaches in this way twice, looks at each part with `check` in between, and detaches again.
#[track_caller]
fn there_and_back(
    (world, sandbox, namespace, example): (&World, &Sandbox, &str, &Example),
    secret: &str,
    way: &[&str],
    check: impl Fn(&Value, &str),
) {
    let Example { word, kind, .. } = example;
    let target = format!("{word}/w");
    let before = example.get(world, namespace, "w");
    let attach = [&["attach", secret, &target], way].concat();
    change(sandbox, namespace, kind, &attach).never_shows(b"t0ken-value");
    let attached = example.get(world, namespace, "w");
    for part in example.parts {
        check(attached.pointer(part).unwrap(), &format!("{kind} {part}"));
    }
    world.clear_log();
    let again = change(sandbox, namespace, kind, &attach);
    assert!(
        again.stdout.ends_with(" unchanged\n") && again.stderr.contains("nothing was written"),
        "{again}"
    );
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    assert_eq!(own(example.get(world, namespace, "w")), own(attached));
    change(sandbox, namespace, kind, &["detach", secret, &target]);
    assert_eq!(own(example.get(world, namespace, "w")), own(before), "{kind} after {way:?}");
}

fn every_way(world: &World, sandbox: &Sandbox, namespace: &str, example: &Example) {
    type Check<'a> = &'a dyn Fn(&Value, &str);
    let all = (world, sandbox, namespace, example);
    let variables: Check<'_> = &|pod, at| {
        let variable = |variable, key| json!({"name": variable, "valueFrom": {"secretKeyRef": {"name": "s", "key": key}}});
        let expected = json!([variable("TOKEN", "token"), variable("USER", "user")]);
        assert_eq!(pod["containers"][0]["env"], expected, "{at}");
    };
    let all_keys: Check<'_> = &|pod, at| {
        assert_eq!(
            pod["containers"][0]["envFrom"],
            json!([{"prefix": "S_", "secretRef": {"name": "s"}}]),
            "{at}"
        );
    };
    let files: Check<'_> = &|pod, at| {
        let mount = json!({"name": "secret-s", "mountPath": "/etc/s", "readOnly": true});
        let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
        assert!(mounts.contains(&mount), "{at}: {mounts:?}");
        let volumes = pod["volumes"].as_array().unwrap();
        let secret =
            json!({"secretName": "s", "items": [{"key": "user", "path": "name"}], "defaultMode": 256});
        assert!(volumes.contains(&json!({"name": "secret-s", "secret": secret})), "{at}: {volumes:?}");
    };
    let ways = [
        (&["--env", "TOKEN=token", "--env", "user"][..], variables),
        (&["--env-all=S_"], all_keys),
        (&["--mount", "/etc/s:user=name", "--mode=0400"], files),
    ];
    if example.kind == "Deployment" {
        for (way, check) in ways {
            there_and_back(all, "s", way, check);
        }
    } else {
        // Each by itself is seen once, all together for each kind: that is as few requests as can be.
        let way = ways.iter().flat_map(|(way, _)| way.iter().copied()).collect::<Vec<_>>();
        there_and_back(all, "s", &way, |pod, at| ways.iter().for_each(|(_, check)| check(pod, at)));
    }
    there_and_back(all, "r", &["--image-pull"], |pod, at| {
        assert_eq!(pod["imagePullSecrets"], json!([{"name": "r"}]), "{at}");
    });
}

/// The ways that Run:ai's own workloads have, and the refusal of the others.
fn as_references(world: &World, sandbox: &Sandbox, namespace: &str, example: &Example) {
    let all = (world, sandbox, namespace, example);
    let items = |items: Value| {
        move |spec: &Value, at: &str| assert_eq!(spec["environment"], json!({"items": items}), "{at}")
    };
    let reference = |key: &str| json!({"value": format!("SECRET:s,{key}")});
    let one = json!({"TOKEN": reference("token"), "USER": reference("user")});
    there_and_back(all, "s", &["--env", "TOKEN=token", "--env", "user"], items(one));
    let every =
        json!({"S_1st": reference("1st"), "S_token": reference("token"), "S_user": reference("user")});
    there_and_back(all, "s", &["--env-all=S_"], items(every));
    let legal = json!({"token": reference("token"), "user": reference("user")});
    there_and_back(all, "s", &["--env-all"], items(legal));
    let target = format!("{}/w", example.word);
    world.clear_log();
    for (way, why) in [
        (&["--mount", "/etc/s"][..], "only as env variables"),
        (&["--image-pull"], "run.ai/resource=docker-registry"),
        (&["--env", "token", "--optional"], "leave out --optional"),
        (&["--env", "token", "-c", "main"], "has no containers"),
    ] {
        let words = [&["attach", "s", &target, "-n", namespace], way].concat();
        let refused = sandbox.run(words).fails_with(2);
        assert!(refused.stderr.contains(why), "{refused}");
    }
    assert!(world.requests().is_empty(), "{:?}", world.lines());
}

#[scenario]
fn every_built_in_kind_is_attached_to_and_detached_from(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    for example in built_in_kinds() {
        example.create(world, &namespace, "w");
        every_way(world, sandbox, &namespace, &example);
    }
}

#[scenario]
fn every_custom_kind_is_attached_to_and_detached_from(world: &World, sandbox: &Sandbox) {
    define(world, &GROUPS);
    let namespace = prepared(world);
    for example in custom_kinds() {
        example.create(world, &namespace, "w");
        if example.is_runai_spec() {
            as_references(world, sandbox, &namespace, &example);
        } else {
            every_way(world, sandbox, &namespace, &example);
        }
    }
}

#[scenario]
fn a_custom_kind_takes_one_request_more(world: &World, sandbox: &Sandbox) {
    define(world, &GROUPS);
    let namespace = prepared(world);
    for example in custom_kinds() {
        let Example { word, kind, group, .. } = &example;
        example.create(world, &namespace, "w");
        world.clear_log();
        let target = format!("{word}/w");
        sandbox
            .run(["attach", "s", &target, "--env", "token", "-n", &namespace, "--dry-run=client"])
            .success();
        let mut calls = world.calls();
        calls.sort();
        let secret = format!("GET /api/v1/namespaces/{namespace}/secrets/s");
        let mut expected =
            [secret, format!("GET /apis/{group}"), format!("GET {}/w", example.collection(&namespace))];
        expected.sort();
        assert_eq!(calls, expected, "{kind}");
    }
}

/// Serves a kind of a group of this world's own cluster in one version.
fn serve(world: &World, example: &Example, version: &str) {
    world.custom_resource(example.group, version, example.plural, example.kind);
}

fn example(kind: &str) -> Example {
    custom_kinds().into_iter().find(|example| example.kind == kind).unwrap()
}

#[test]
fn a_kind_is_found_in_a_version_that_is_new_to_this_program() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let namespace = prepared(&world);
    // The guess is v1, which the group has, but not for this kind.
    serve(&world, &example("PyTorchJob"), "v1");
    let tfjob = Example { version: "v3", ..example("TFJob") };
    serve(&world, &tfjob, "v3");
    tfjob.create(&world, &namespace, "w");
    sandbox.run(["attach", "s", "tfjob/w", "--env", "token", "-n", &namespace]).success();
    let paths: Vec<String> = world.calls().into_iter().filter(|call| call.contains("/apis")).collect();
    let object = |method: &str, version: &str| {
        format!("{method} /apis/kubeflow.org/{version}/namespaces/{namespace}/tfjobs/w")
    };
    let discovery = |path: &str| format!("GET /apis/kubeflow.org{path}");
    let expected = [
        discovery(""),
        object("GET", "v1"),
        discovery("/v1"),
        discovery("/v3"),
        object("GET", "v3"),
        object("PUT", "v3"),
    ];
    assert_eq!(paths, expected);
    // With none of the known versions in the group, the preferred one is tried.
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let namespace = prepared(&world);
    serve(&world, &tfjob, "v3");
    tfjob.create(&world, &namespace, "w");
    sandbox.run(["attach", "s", "tfjob/w", "--env", "token", "-n", &namespace]).success();
    assert_eq!(world.requests().len(), 4, "{:?}", world.lines());
}

#[test]
fn a_kind_that_the_cluster_does_not_serve_is_said_to_be_missing() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let namespace = prepared(&world);
    let refused = |why: &str| {
        let refused =
            sandbox.run(["attach", "s", "mpijob/w", "--env", "token", "-n", &namespace]).fails_with(1);
        let error = format!("error: the cluster has no MPIJob: {why}\n");
        assert!(refused.stderr.starts_with(&error), "{refused}");
        assert!(
            refused
                .stderr
                .contains("hint: is this the right cluster? kubectl api-resources --api-group=kubeflow.org"),
            "{refused}"
        );
    };
    refused("it does not serve the API group kubeflow.org");
    // Others of its group are served.
    serve(&world, &example("PyTorchJob"), "v1");
    refused("its API group kubeflow.org does not serve that kind");
    let missing =
        sandbox.run(["attach", "s", "pytorchjob/w", "--env", "token", "-n", &namespace]).fails_with(1);
    assert!(missing.stderr.contains("(NotFound): pytorchjobs.kubeflow.org \"w\" not found"), "{missing}");
    let list = format!("kubectl get pytorchjobs.kubeflow.org -n {namespace}\n");
    assert!(missing.stderr.contains(&list), "{missing}");
}
