//! `rename`: a secret under another name, and everything that refers to it with it.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Fault, Hold, Outcome, Sandbox, World, scenario};

use crate::guide::answer;
use crate::other_kinds::describe_gizmos;
use crate::restart::bring_up;
use crate::set::{create_workload, with_variable};
use crate::stale::running_pod;
use crate::status::{Shared, runais_copy_named};
use crate::workloads::{create_job, pod_template};

const REACHED: Duration = Duration::from_mins(1);
const VALUE: &str = "t0ken-of-the-renamed";

/// A pod template that refers to `s` by a variable, by all keys, by files, projected ones, and for its images.
fn template(restart_policy: &str) -> Value {
    let mut template = pod_template(restart_policy);
    let spec = &mut template["spec"];
    spec["containers"][0]["env"] = json!([{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "a"}}}, {"name": "s", "value": "s"}]);
    spec["containers"][0]["envFrom"] = json!([{"secretRef": {"name": "s"}}]);
    spec["containers"][0]["volumeMounts"] =
        json!([{"name": "files", "mountPath": "/s"}, {"name": "both", "mountPath": "/both"}]);
    let sources = json!([{"secret": {"name": "s"}}, {"secret": {"name": "other", "optional": true}}]);
    spec["volumes"] = json!([{"name": "files", "secret": {"secretName": "s"}}, {"name": "both", "projected": {"sources": sources}}]);
    spec["imagePullSecrets"] = json!([{"name": "s"}]);
    template
}

/// A place in which everything that can be changed refers to `s`, and nothing runs.
fn prepared(world: &World, name: &str) -> String {
    let namespace = world.namespace(name);
    let metadata = json!({"name": "s", "labels": {"team": "a"}, "annotations": {"note": "kept",
        "kubectl-runai-secret/expires": "{\"a\":\"2099-01-01T00:00:00Z\"}"}});
    let secret =
        json!({"metadata": metadata, "type": "example.com/own", "stringData": {"a": VALUE, "b": "x"}});
    world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &secret);
    let selector = json!({"matchLabels": {"app": "test"}});
    let spec = json!({"replicas": 0, "selector": selector, "template": template("Always")});
    let deployment = json!({"metadata": {"name": "web"}, "spec": spec});
    world.create(&format!("/apis/apps/v1/namespaces/{namespace}/deployments"), &deployment);
    let job = json!({"spec": {"template": template("Never")}});
    let cron =
        json!({"metadata": {"name": "nightly"}, "spec": {"schedule": "0 0 1 1 *", "jobTemplate": job}});
    world.create(&format!("/apis/batch/v1/namespaces/{namespace}/cronjobs"), &cron);
    let account = json!({"metadata": {"name": "robot"}, "secrets": [{"name": "s"}], "imagePullSecrets": [{"name": "s"}]});
    world.create(&format!("/api/v1/namespaces/{namespace}/serviceaccounts"), &account);
    let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
    let ingress = json!({"metadata": {"name": "front"}, "spec": {"tls": [{"secretName": "s"}], "defaultBackend": backend}});
    world.create(&format!("/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses"), &ingress);
    namespace
}

/// The paths of all that refers to `s`.
fn paths(namespace: &str) -> [String; 4] {
    [
        format!("/apis/apps/v1/namespaces/{namespace}/deployments/web"),
        format!("/apis/batch/v1/namespaces/{namespace}/cronjobs/nightly"),
        format!("/api/v1/namespaces/{namespace}/serviceaccounts/robot"),
        format!("/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses/front"),
    ]
}

/// How often an object names a secret, written as the server keeps it.
fn mentions(object: &Value, secret: &str) -> usize {
    let text =
        json!({"spec": object["spec"], "secrets": object["secrets"], "pulls": object["imagePullSecrets"]});
    let text = text.to_string();
    let named = [format!("\"name\":\"{secret}\""), format!("\"secretName\":\"{secret}\"")];
    named.iter().map(|part| text.matches(part).count()).sum()
}

/// Asserts that everything refers to `new`, which holds what `s` did, and that nothing but a plain variable is called `s`.
#[track_caller]
fn is_renamed(world: &World, namespace: &str, what: &str) {
    assert!(world.secret(namespace, "s").is_none(), "{what}: the old one is there");
    assert_eq!(world.secret_value(namespace, "new", "a").unwrap(), VALUE.as_bytes(), "{what}");
    for (path, count) in paths(namespace).iter().zip([5, 5, 2, 1]) {
        let object = world.get(path).unwrap();
        let variables = object.to_string().matches("{\"name\":\"s\",\"value\":\"s\"}").count();
        assert_eq!(mentions(&object, "new"), count, "{what}: {path}");
        assert_eq!(mentions(&object, "s") - variables, 0, "{what}: {path}");
    }
}

fn rename(sandbox: &Sandbox, namespace: &str, more: &[&str]) -> Outcome {
    sandbox.run(["rename", "s", "new", "-n", namespace].iter().chain(more))
}

/// Plays the kubelet that has ended a pod's containers.
fn end_pod(world: &World, namespace: &str, pod: &str) {
    let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}?gracePeriodSeconds=0");
    let (status, answer) = world.admin("DELETE", &path, None);
    assert!(matches!(status, 200 | 202 | 404), "{answer}");
}

#[scenario]
fn everything_that_refers_to_a_secret_goes_over_and_the_old_one_goes(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world, "ns");
    world.clear_log();
    let refused = rename(sandbox, &namespace, &[]).fails_with(2);
    for line in [
        format!(
            "* secret new is created in namespace {namespace} with what s has: type example.com/own, 2 keys, labels, noted ends\n"
        ),
        "* deployment.apps/web: env A of new in container main\n".to_owned(),
        "* deployment.apps/web replaces its pods now\n".to_owned(),
        "* cronjob.batch/nightly gets the change with its next run\n".to_owned(),
        "* serviceaccount/robot: image pull of new\n".to_owned(),
        "* ingress.networking.k8s.io/front: tls of new\n  * ".to_owned(),
        "* secret s is deleted when nothing refers to it any more\n".to_owned(),
        "* manifests in files that name s are not changed\n".to_owned(),
    ] {
        assert!(refused.stderr.contains(&line), "{line}{refused}");
    }
    assert!(!refused.stderr.contains("front replaces"), "it has no pods: {refused}");
    for how in ["client", "server"] {
        let trial = rename(sandbox, &namespace, &[&format!("--dry-run={how}")]).success();
        assert!(
            trial.stdout.contains("secret/new created (") && trial.stdout.contains("secret/s deleted ("),
            "{trial}"
        );
        assert!(trial.stdout.contains("deployment.apps/web updated ("), "{trial}");
    }
    // What is to happen to a deletion stands in its body.
    let changes = |write: &&support::Recorded| write.method != "DELETE" && !write.is_dry_run();
    assert_eq!(world.writes().iter().filter(changes).count(), 0, "{:?}", world.lines());
    assert!(world.secret(&namespace, "new").is_none() && world.secret(&namespace, "s").is_some());

    let done = rename(sandbox, &namespace, &["-y"]).success();
    done.never_shows(VALUE.as_bytes());
    for line in [
        "secret/new created\n",
        "deployment.apps/web updated\n",
        "cronjob.batch/nightly updated\n",
        "serviceaccount/robot updated\n",
        "ingress.networking.k8s.io/front updated\n",
        "secret/s deleted\n",
    ] {
        assert!(done.stdout.contains(line), "{line}{done}");
    }
    assert!(
        done.stdout.starts_with("secret/new created\n") && done.stdout.ends_with("secret/s deleted\n"),
        "{done}"
    );
    is_renamed(world, &namespace, "once");
    let new = world.secret(&namespace, "new").unwrap();
    assert_eq!(
        (&new["type"], &new["metadata"]["labels"]),
        (&json!("example.com/own"), &json!({"team": "a"}))
    );
    let annotations = &new["metadata"]["annotations"];
    assert_eq!(annotations["note"], "kept");
    assert_eq!(annotations["kubectl-runai-secret/expires"], "{\"a\":\"2099-01-01T00:00:00Z\"}");
    assert!(
        annotations["kubectl-runai-secret/renamed-from"].as_str().unwrap().starts_with("s/"),
        "{annotations}"
    );

    world.clear_log();
    let again = rename(sandbox, &namespace, &["-y"]).success();
    assert_eq!(again.stdout, "secret/new unchanged\n");
    assert!(world.writes().is_empty(), "{:?}", world.lines());
}

#[scenario]
fn what_it_wrote_is_printed_without_values(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world, "ns");
    let done = rename(sandbox, &namespace, &["-y", "-o", "json"]).success();
    done.never_shows(VALUE.as_bytes());
    let items = done.json()["items"].clone();
    let kinds: Vec<&str> =
        items.as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!((kinds.len(), kinds[0], kinds[5]), (6, "Secret", "Secret"), "{kinds:?}");
    assert!(items[0]["data"].is_null() && items[0]["metadata"]["name"] == "new", "{items}");
}

#[scenario]
fn an_immutable_secret_and_one_that_nobody_uses_are_renamed_too(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let secret = json!({"metadata": {"name": "s"}, "immutable": true, "stringData": {"a": VALUE}});
    world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &secret);
    rename(sandbox, &namespace, &["-y"]).success();
    assert_eq!(world.secret(&namespace, "new").unwrap()["immutable"], true);
    assert!(world.secret(&namespace, "s").is_none());
}

#[scenario]
fn the_old_secret_stays_until_the_old_pods_are_replaced(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", VALUE)]);
    create_workload(world, &namespace, "deployments", "web", with_variable("a"));
    running_pod(world, &namespace, "web", "Deployment");
    let early = rename(sandbox, &namespace, &["-y", "--no-wait"]).fails_with(3);
    assert!(
        early.stderr.contains("secret s stays beside new: deployment.apps/web still refers to it\n"),
        "{early}"
    );
    assert!(early.stderr.contains("has old pods, which refer to s until they are replaced"), "{early}");
    let rest = format!("this does the rest: kubectl runai-secret rename s new -n {namespace}\n");
    assert!(early.stderr.contains(&rest), "{early}");
    assert!(world.secret(&namespace, "s").is_some() && world.secret(&namespace, "new").is_some());

    world.clear_log();
    let mut running = sandbox.spawn(["rename", "s", "new", "-y", "-n", &namespace]);
    let begin = Instant::now();
    let looks = || world.lines().iter().filter(|line| line.contains("/pods?")).count();
    while looks() < 3 {
        assert!(begin.elapsed() < REACHED, "it does not look again: {}", running.kill());
        sleep(Duration::from_millis(20));
    }
    assert!(world.secret(&namespace, "s").is_some(), "the old pod is still there");
    // It is no pod of a replica set, so that no controller replaces it.
    end_pod(world, &namespace, "web-1");
    while running.is_running() {
        assert!(begin.elapsed() < REACHED, "it has not ended: {}", running.kill());
        bring_up(world, &[&namespace]);
        for pod in world.list(&format!("/api/v1/namespaces/{namespace}/pods")) {
            if pod["metadata"]["deletionTimestamp"].is_string() {
                end_pod(world, &namespace, pod["metadata"]["name"].as_str().unwrap());
            }
        }
        sleep(Duration::from_millis(50));
    }
    let done = running.wait().success();
    assert!(done.stderr.contains("waiting until the old pods are replaced"), "{done}");
    assert_eq!(done.stdout, "secret/s deleted\n");
    assert!(world.secret(&namespace, "s").is_none());
}

#[scenario]
fn what_cannot_be_changed_keeps_the_old_secret_and_recreate_does_the_rest(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world, "ns");
    let mut job = create_job(world, &namespace, "other");
    job["metadata"] = json!({"name": "train"});
    job["spec"] = json!({"suspend": true, "template": template("Never")});
    world.create(&format!("/apis/batch/v1/namespaces/{namespace}/jobs"), &job);
    let partly = rename(sandbox, &namespace, &["-y"]).fails_with(3);
    let way = format!(
        "job.batch/train (suspended) stays as it is: its pod template is immutable; when its work allows: \
         kubectl runai-secret rename s new -n {namespace} --recreate\n"
    );
    assert!(partly.stderr.contains(&format!("* {way}")), "{partly}");
    assert!(partly.stderr.contains("* secret s stays until nothing refers to it any more\n"), "{partly}");
    assert!(
        partly.stderr.contains("secret s stays beside new: job.batch/train still refers to it\n"),
        "{partly}"
    );
    assert!(partly.stdout.contains("deployment.apps/web updated\n"), "{partly}");
    assert!(world.secret(&namespace, "s").is_some());
    let done = rename(sandbox, &namespace, &["-y", "--recreate"]).success();
    assert_eq!(done.stdout, "job.batch/train recreated\nsecret/s deleted\n");
    is_renamed(world, &namespace, "recreated");
    let train = world.get(&format!("/apis/batch/v1/namespaces/{namespace}/jobs/train")).unwrap();
    assert_eq!(mentions(&train, "new"), 5, "{train}");
}

#[scenario]
fn a_kind_of_the_cluster_is_changed_where_a_karta_says_and_named_where_nothing_does(
    world: &World,
    sandbox: &Sandbox,
) {
    describe_gizmos(world);
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", VALUE)]);
    let env = json!([{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "a"}}}]);
    let pod =
        json!({"template": {"spec": {"containers": [{"name": "main", "image": "busybox", "env": env}]}}});
    let object = |name: &str, more: Value| {
        let mut spec = json!({"runners": {"fast": pod}});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"apiVersion": "gizmos.example.com/v1", "kind": "Gizmo", "metadata": {"name": name}, "spec": spec})
    };
    let gizmos = format!("/apis/gizmos.example.com/v1/namespaces/{namespace}/gizmos");
    world.create(&gizmos, &object("g", json!({})));
    world.create(&gizmos, &object("h", json!({"auth": {"secretRef": {"name": "s"}}})));
    let partly = rename(sandbox, &namespace, &["-y"]).fails_with(3);
    let way = format!(
        "gizmo.gizmos.example.com/h stays as it is: spec.auth.secretRef (probable) may name s; to change it: kubectl edit \
         gizmo.gizmos.example.com/h -n {namespace}\n"
    );
    assert!(partly.stderr.contains(&way), "{partly}");
    for name in ["g", "h"] {
        let gizmo = world.get(&format!("{gizmos}/{name}")).unwrap();
        assert_eq!(mentions(&gizmo["spec"]["runners"]["fast"]["template"], "new"), 1, "{gizmo}");
    }
    world.patch(&format!("{gizmos}/h"), &json!({"spec": {"auth": {"secretRef": {"name": "new"}}}}));
    let done = rename(sandbox, &namespace, &["-y"]).success();
    assert_eq!(done.stdout, "secret/s deleted\n");
}

#[scenario]
fn killed_at_any_write_the_next_run_does_the_rest(world: &World, sandbox: &Sandbox) {
    let writes = [
        ("POST", "/secrets"),
        ("PUT", "/deployments/web"),
        ("PUT", "/cronjobs/nightly"),
        ("PUT", "/serviceaccounts/robot"),
        ("PUT", "/ingresses/front"),
        ("DELETE", "/secrets/s"),
    ];
    for (number, (method, path)) in writes.into_iter().enumerate() {
        for hold in [Hold::BeforeForwarding, Hold::AfterForwarding] {
            let what = format!("{method} {path} {hold:?}");
            let namespace = prepared(world, &format!("k{number}-{hold:?}").to_lowercase());
            let gate = world.hold(Fault::on(method, &format!("{namespace}{path}")), hold);
            let running = sandbox.spawn(["rename", "s", "new", "-y", "-n", &namespace]);
            assert!(gate.wait_reached(REACHED), "{what}");
            assert_eq!(running.kill().code, None, "it was killed");
            assert!(gate.wait_left(REACHED), "{what}");
            drop(gate);
            let value = |name: &str| world.secret_value(&namespace, name, "a");
            assert!(
                [value("s"), value("new")].into_iter().flatten().all(|one| one == VALUE.as_bytes()),
                "{what}"
            );
            assert!(value("s").is_some() || value("new").is_some(), "{what}");
            rename(sandbox, &namespace, &["-y"]).success();
            is_renamed(world, &namespace, &what);
        }
    }
}

#[test]
fn cut_short_after_any_request_the_next_run_does_the_rest() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let namespace = prepared(&world, "whole");
    world.clear_log();
    rename(&sandbox, &namespace, &["-y"]).success();
    let all = u32::try_from(world.requests().len()).unwrap();
    assert!(all > 30, "{all}");
    let first_write = world.requests().iter().position(support::Recorded::is_write).unwrap();
    let first_write = u32::try_from(first_write).unwrap();
    // Before the first write nothing is there to be lost.
    for after in first_write..=all {
        for lost_answer in [false, true] {
            let (world, sandbox) = (World::in_process(), Sandbox::new());
            let sandbox = sandbox.with(&world);
            let namespace = prepared(&world, "ns");
            let fault = Fault::on("*", "/api").nth(after as usize).for_ever();
            world.fail(if lost_answer {
                fault.drop_after_forwarding()
            } else {
                fault.drop_before_forwarding()
            });
            let cut = rename(&sandbox, &namespace, &["-y", "--request-timeout", "2s", "--timeout", "1s"]);
            cut.never_shows(VALUE.as_bytes());
            world.clear_faults();
            rename(&sandbox, &namespace, &["-y"]).success();
            is_renamed(&world, &namespace, &format!("{after} {lost_answer}"));
        }
    }
}

#[scenario]
fn an_earlier_half_with_other_values_is_not_taken_for_the_same(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world, "ns");
    let gate = world.hold(Fault::on("PUT", &format!("{namespace}/deployments/web")), Hold::BeforeForwarding);
    let running = sandbox.spawn(["rename", "s", "new", "-y", "-n", &namespace]);
    assert!(gate.wait_reached(REACHED));
    assert_eq!(running.kill().code, None, "it was killed");
    drop(gate);
    sandbox.stdin("another-v4lue").run(["set", "s", "a", "-n", &namespace]).success();
    world.clear_log();
    let refused = rename(sandbox, &namespace, &["-y"]).fails_with(1);
    assert!(
        refused
            .stderr
            .contains("secret new was made by an earlier rename of s, and they do not hold the same"),
        "{refused}"
    );
    assert!(
        refused.stderr.contains(&format!("kubectl runai-secret diff s new -n {namespace}\n")),
        "{refused}"
    );
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    let differs = sandbox.run(["diff", "s", "new", "-n", &namespace]);
    assert_eq!(differs.code, Some(1), "{differs}");
    sandbox.run(["delete", "new", "-y", "--force", "-n", &namespace]).success();
    rename(sandbox, &namespace, &["-y"]).success();
    assert_eq!(world.secret_value(&namespace, "new", "a").unwrap(), b"another-v4lue");
}

#[scenario]
fn what_must_not_get_another_name_is_refused_before_anything_is_written(world: &World, sandbox: &Sandbox) {
    let shared = Shared::named(world, "s");
    let project = world.project("p");
    runais_copy_named(world, &project, "s", "shared-value-of-the-source");
    let namespace = world.namespace("ns");
    let secrets = format!("/api/v1/namespaces/{namespace}/secrets");
    world.create_secret(&namespace, "s", &[("a", VALUE)]);
    world.create_secret(&namespace, "taken", &[("a", VALUE)]);
    let account = json!({"metadata": {"name": "robot"}});
    world.create(&format!("/api/v1/namespaces/{namespace}/serviceaccounts"), &account);
    let token = json!({"metadata": {"name": "token", "annotations": {"kubernetes.io/service-account.name": "robot"}},
        "type": "kubernetes.io/service-account-token"});
    world.create(&secrets, &token);
    let helms = json!({"metadata": {"name": "helms", "labels": {"app.kubernetes.io/managed-by": "Helm", "team": "a"}}, "stringData": {"a": VALUE}});
    world.create(&secrets, &helms);
    let owner = json!([{"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "name": "vault", "uid": "4e3a1b0c-0000-4000-8000-000000000001"}]);
    world.create(&secrets, &json!({"metadata": {"name": "owned", "ownerReferences": owner}}));
    sandbox.file("secrets.yaml", "{name: f, secrets: [{name: made, from: [{generate: k}]}]}");
    sandbox.run(["apply", "-f", "secrets.yaml", "-n", &namespace]).success();
    world.clear_log();
    let here = ["-n", namespace.as_str(), "-y"];
    let there = ["-n", project.namespace.as_str(), "-y"];
    let runai = ["-n", shared.runai.as_str(), "-y"];
    for (words, place, code, said) in [
        (["s", "taken"], here, 1, "secrets \"taken\" already exists in"),
        (["s", "s"], here, 2, "secret s has this name already"),
        (["s", "No Name"], here, 1, "Invalid value"),
        (["gone", "new"], here, 1, "secrets \"gone\" not found"),
        (["token", "new"], here, 1, "is the token of a service account"),
        (
            ["helms", "new"],
            here,
            1,
            "is managed by what set app.kubernetes.io/managed-by, which may make it again",
        ),
        (["owned", "new"], here, 1, "is managed by ExternalSecret/vault, which may make it again"),
        (["made", "new"], here, 1, "is managed by the file \"f\" of apply, which may make it again"),
        (["s", "new"], there, 1, "is a copy of "),
        (["s", "new"], runai, 1, "secret s is shared with projects"),
    ] {
        let line = [&["rename"][..], &words, &place, &["--runai-namespace", &shared.runai]].concat();
        let refused = sandbox.run(&line).fails_with(code);
        assert!(refused.stderr.contains(said), "{said}: {refused}");
        assert!(refused.stderr.contains("hint: ") || code == 2, "{refused}");
    }
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    let forced = sandbox.run(["rename", "helms", "mine", "-y", "--force", "-n", &namespace]).success();
    assert!(forced.stderr.contains("mine does not get app.kubernetes.io/managed-by: "), "{forced}");
    assert_eq!(world.secret(&namespace, "mine").unwrap()["metadata"]["labels"], json!({"team": "a"}));
    sandbox.run(["rename", "owned", "free", "-y", "--force", "-n", &namespace]).success();
    assert!(world.secret(&namespace, "free").unwrap()["metadata"]["ownerReferences"].is_null());
}

#[scenario]
fn where_not_all_may_be_seen_the_old_secret_stays(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world, "ns");
    let user = world.user("narrow");
    let rule = |group: &str, resource: &str, verbs: &[&str]| json!({"apiGroups": [group], "resources": [resource], "verbs": verbs});
    let all = ["get", "list", "create", "update", "delete"];
    let rules = json!([rule("", "*", &all), rule("apps", "*", &all), rule("batch", "*", &all)]);
    world.grant(&user, Some(&namespace), &rules);
    let partly = rename(sandbox, &namespace, &["-y", "--token", &user.token]).fails_with(3);
    assert!(partly.stderr.contains("you may not list ") && partly.stderr.contains("ingresses"), "{partly}");
    assert!(
        partly.stderr.contains("secret s stays beside new: you may not see all that may refer to it\n"),
        "{partly}"
    );
    assert!(
        partly.stderr.contains(&format!("to delete it: kubectl runai-secret delete s -n {namespace}\n")),
        "{partly}"
    );
    assert!(world.secret(&namespace, "s").is_some());
    rename(sandbox, &namespace, &["-y"]).success();
    is_renamed(world, &namespace, "by somebody who may see all");
}

#[scenario]
fn who_leaves_out_the_names_is_asked_for_them(world: &World, sandbox: &Sandbox) {
    let project = world.project("vision");
    world.create_secret(&project.namespace, "s", &[("a", VALUE)]);
    let mut session = sandbox.in_terminal(["rename"]);
    answer(&mut session, "Project", &project.name);
    answer(&mut session, "Secret", "s");
    answer(&mut session, "Its new name", "new");
    answer(&mut session, "Rename s to new?", "y");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(
        world.secret(&project.namespace, "s").is_none() && world.secret(&project.namespace, "new").is_some()
    );
}
