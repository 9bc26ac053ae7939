//! Something answers that is not the API server, or not to this request: a login page, a cache, another service. What
//! it says is never taken for done, nor for "there is nothing".

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Fault, Flood, Outcome, Sandbox, World};

use crate::completion::ask;
use crate::workloads::{create_deployment, create_job};

/// A body, and what it is called in a test that fails.
type Wrong = (&'static str, &'static str, String);

const PAGE: &str = "<!DOCTYPE html><html><head><title>Log in</title></head><body>Log in</body></html>";

/// What may come with a 200 instead of the answer. `kind` and `api_version` are those of the object that is meant.
fn wrong_answers(kind: &str, api_version: &str, name: &str, namespace: &str) -> Vec<Wrong> {
    let object = |name: &str, namespace: &str, uid: &str| {
        json!({
            "kind": kind, "apiVersion": api_version,
            "metadata": {"name": name, "namespace": namespace, "uid": uid, "resourceVersion": "1"},
        })
    };
    let (right, other) = ("4e3a1b0c-0000-4000-8000-000000000001", "another");
    let mut elsewhere = object(name, namespace, right);
    elsewhere["kind"] = "ConfigMap".into();
    let mut listed = object(name, namespace, right);
    listed["metadata"] = json!([name, namespace, right]);
    let status = |status: &str| json!({"kind": "Status", "apiVersion": "v1", "status": status, "message": "no", "code": 200});
    let of_another =
        json!({"kind": "Status", "apiVersion": "v1", "status": "Success", "details": {"name": other}});
    let half = object(name, namespace, right).to_string();
    let json = |what, value: &Value| (what, "application/json", value.to_string());
    let text = |what, text: &str| (what, "application/json", text.to_owned());
    vec![
        ("a login page", "text/html", PAGE.to_owned()),
        text("nothing", ""),
        text("an empty map", "{}"),
        text("an empty list", "[]"),
        text("null", "null"),
        text("a plain word", "ok"),
        text("another program's error", r#"{"error":"login required"}"#),
        text("empty metadata", r#"{"metadata":{}}"#),
        text("half of the object", &half[..half.len() / 2]),
        json("another kind", &elsewhere),
        json("another name", &object(other, namespace, right)),
        json("another namespace", &object(name, other, right)),
        json("no UID", &object(name, namespace, "")),
        json("a list as metadata", &listed),
        json("a failure", &status("Failure")),
        json("a success of another object", &of_another),
        json(
            "a list",
            &json!({"kind": format!("{kind}List"), "apiVersion": api_version, "metadata": {}, "items": []}),
        ),
    ]
}

/// Every command that writes, and the object that it writes first: kind, version and name.
fn writes(namespace: &str, runai: &str, project: &str) -> Vec<(String, [&'static str; 3])> {
    let secret = |name| ["Secret", "v1", name];
    vec![
        (format!("create new --from-literal=k=v4lue -n {namespace}"), secret("new")),
        (format!("create new --from-literal=k=v4lue -o json -n {namespace}"), secret("new")),
        (format!("apply -f secrets.yaml -n {namespace}"), secret("new")),
        (format!("create s --from-literal=k=v4lue --replace -y -n {namespace}"), secret("s")),
        (format!("create s --from-literal=k=v4lue --replace --immutable -y -n {namespace}"), secret("s")),
        (
            format!("create new --from-literal=k=v4lue --cluster-wide --runai-namespace {runai}"),
            secret("new"),
        ),
        (format!("set s --from-literal=token=new-v4lue -n {namespace}"), secret("s")),
        (format!("set s --from-literal=token=new-v4lue --restart -y -n {namespace}"), secret("s")),
        (format!("set new --from-literal=k=v4lue -n {namespace}"), secret("new")),
        (format!("unset s other -y -n {namespace}"), secret("s")),
        (format!("edit s token -n {namespace}"), secret("s")),
        (format!("edit s -n {namespace}"), secret("s")),
        (format!("copy s --to-project {project} -n {namespace}"), secret("s")),
        (format!("copy s --to-project {project} --replace -y -n {namespace}"), secret("s")),
        (format!("rename s new -y --no-wait -n {namespace}"), secret("new")),
        (format!("label plain --runai-namespace {runai}"), secret("plain")),
        (format!("label shared --remove -y --runai-namespace {runai}"), secret("shared")),
        (format!("sync shared --runai-namespace {runai}"), secret("shared")),
        (format!("sync shared --adopt --prune -y --runai-namespace {runai}"), secret("shared")),
        (format!("label only --from-project {project} -y --runai-namespace {runai}"), secret("only")),
        (format!("create new --from-literal=k=v4lue --attach deploy/web -n {namespace}"), secret("new")),
        (format!("delete s -y --force -n {namespace}"), secret("s")),
        (format!("delete shared --cluster-wide -y --timeout 1s --runai-namespace {runai}"), secret("shared")),
        (format!("attach s deploy/web --env token -n {namespace}"), ["Deployment", "apps/v1", "web"]),
        (
            format!("attach s job/train --env token --copy-as train-2 -n {namespace}"),
            ["Job", "batch/v1", "train-2"],
        ),
        (
            format!("attach s job/train --env token --recreate -y -n {namespace}"),
            ["Job", "batch/v1", "train"],
        ),
        (format!("detach s deploy/user -n {namespace}"), ["Deployment", "apps/v1", "user"]),
        (format!("restart s --all --no-wait -y -n {namespace}"), ["Deployment", "apps/v1", "user"]),
        (format!("submit new -i ubuntu -e T=SECRET:s,token -n {namespace}"), ["Job", "batch/v1", "new"]),
    ]
}

struct Places {
    namespace: String,
    runai: String,
    project: String,
}

fn prepared(world: &World, sandbox: &Sandbox) -> Places {
    let (namespace, runai) = (world.namespace("a"), world.runai_namespace());
    let world_project = world.project("b");
    let project = world_project.name;
    world.create_secret(&world_project.namespace, "only", &[("k", "v4lue")]);
    world.create_secret(&namespace, "s", &[("token", "v4lue"), ("other", "v4lue")]);
    world.create_secret(&runai, "plain", &[("k", "v4lue")]);
    world.create_secret(&runai, "shared", &[("k", "v4lue")]);
    create_deployment(world, &namespace, "web");
    create_deployment(world, &namespace, "user");
    create_job(world, &namespace, "train");
    sandbox.run(["attach", "s", "deploy/user", "--env", "token", "-n", &namespace]).success();
    sandbox.run(["label", "shared", "--wait=1ms", "--runai-namespace", &runai]);
    sandbox.file("secrets.yaml", "{name: f, secrets: [{name: new, from: [{generate: k}]}]}");
    world.clear_log();
    Places { namespace, runai, project }
}

fn run(sandbox: &Sandbox, line: &str) -> Outcome {
    let run = sandbox.env("EDITOR", "sed -i s/v4lue/v5lue/").env("XDG_RUNTIME_DIR", sandbox.home());
    run.run(line.split(' '))
}

/// The words by which a command says that it did something.
const DONE: [&str; 17] = [
    "created",
    "recreated",
    "replaced",
    "updated",
    "edited",
    "changed",
    "deleted",
    "labeled",
    "unlabeled",
    "labelled",
    "attached",
    "detached",
    "copied",
    "adopted",
    "restarted",
    "submitted",
    "pruned",
];

#[track_caller]
fn is_not_done(outcome: &Outcome, what: &str, line: &str) {
    let said = format!("{line}\nwas answered with {what}:\n{outcome}");
    assert!(matches!(outcome.code, Some(1 | 3)), "{said}");
    for done in DONE {
        let words: Vec<&str> = outcome.stdout.split(|c: char| !c.is_alphanumeric()).collect();
        assert!(!words.contains(&done), "{done:?} is not proven: {said}");
    }
    assert!(outcome.stderr.contains("hint: "), "a hint is missing: {said}");
    assert!(!outcome.stderr.contains("panicked") && !outcome.stderr.contains("a bug in"), "{said}");
    outcome.never_shows(b"v4lue");
}

fn everything(world: &World, places: &Places) -> Vec<Value> {
    let Places { namespace, runai, .. } = places;
    let paths = [
        format!("/api/v1/namespaces/{namespace}/secrets"),
        format!("/api/v1/namespaces/{runai}/secrets"),
        format!("/apis/apps/v1/namespaces/{namespace}/deployments"),
        format!("/apis/batch/v1/namespaces/{namespace}/jobs"),
    ];
    paths.iter().flat_map(|path| world.list(path)).collect()
}

/// Lets every write be answered so, and the reads by the cluster.
fn answer_writes(world: &World, (_, content_type, body): &Wrong) {
    world.clear_faults();
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        world.fail(Fault::on(method, "/").kept().for_ever().serve(200, content_type, body));
    }
}

#[test]
fn no_command_says_that_it_is_done_unless_the_object_itself_is_the_answer() {
    only_the_object_proves(|line| !line.starts_with("sync"));
}

/// It looks again after each answer, with pauses that grow.
#[test]
fn sync_says_of_no_copy_that_it_is_done_unless_the_object_itself_is_the_answer() {
    only_the_object_proves(|line| line.starts_with("sync shared --runai"));
}

#[test]
fn sync_that_adopts_and_prunes_says_so_only_where_the_object_itself_is_the_answer() {
    only_the_object_proves(|line| line.starts_with("sync shared --adopt"));
}

fn only_the_object_proves(is_tried: impl Fn(&str) -> bool) {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let places = prepared(&world, &sandbox);
    let before = everything(&world, &places);
    let Places { namespace, runai, project } = &places;
    let writes = writes(namespace, runai, project).into_iter();
    for (line, [kind, api_version, name]) in writes.filter(|(line, _)| is_tried(line)) {
        let place = if line.contains("--runai-namespace") { runai } else { namespace };
        for wrong in wrong_answers(kind, api_version, name, place) {
            answer_writes(&world, &wrong);
            let outcome = run(&sandbox, &line);
            is_not_done(&outcome, wrong.0, &line);
        }
        assert_eq!(everything(&world, &places), before, "{line}");
    }
}

#[test]
fn an_answer_without_the_change_is_no_success() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let places = prepared(&world, &sandbox);
    let before = everything(&world, &places);
    let Places { namespace, runai, project } = &places;
    for (line, [kind, api_version, name]) in writes(namespace, runai, project) {
        let place = if line.contains("--runai-namespace") { runai } else { namespace };
        let path = match kind {
            "Secret" => format!("/api/v1/namespaces/{place}/secrets/{name}"),
            "Deployment" => format!("/apis/apps/v1/namespaces/{place}/deployments/{name}"),
            _ => format!("/apis/batch/v1/namespaces/{place}/jobs/{name}"),
        };
        world.clear_faults();
        let (methods, answer): (&[&str], Value) = match world.get(&path) {
            // As it was before the change.
            Some(stored) if !line.starts_with("delete s ") && !line.contains("--recreate") => {
                (&["PUT", "PATCH"], stored)
            }
            Some(_) => continue,
            // As a dry run answers: nothing is stored under a version.
            None => {
                let metadata = json!({"name": name, "namespace": place, "uid": "4e3a1b0c"});
                (&["POST"], json!({"kind": kind, "apiVersion": api_version, "metadata": metadata}))
            }
        };
        for method in methods {
            let fault = Fault::on(method, "/").kept().for_ever();
            world.fail(fault.serve(200, "application/json", &answer.to_string()));
        }
        // What goes to projects creates other objects there, which no fault is in the way of.
        if line.starts_with("copy") || line.starts_with("sync") {
            continue;
        }
        is_not_done(&run(&sandbox, &line), "an answer without the change", &line);
        assert_eq!(everything(&world, &places), before, "{line}");
    }
}

#[test]
fn a_dry_run_is_no_success_either_and_changes_nothing() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let places = prepared(&world, &sandbox);
    let line = format!("create new --from-literal=k=v4lue --dry-run=server -n {}", places.namespace);
    for (what, content_type, body) in wrong_answers("Secret", "v1", "new", &places.namespace) {
        world.clear_faults();
        world.fail(Fault::on("POST", "/secrets").for_ever().serve(200, content_type, &body));
        let outcome = run(&sandbox, &line);
        is_not_done(&outcome, what, &line);
        assert!(outcome.stderr.contains("dry run, which changes nothing"), "{what}: {outcome}");
        assert!(!outcome.stderr.contains("not known"), "{what}: {outcome}");
    }
}

#[test]
fn what_may_have_happened_is_said_with_the_command_that_shows_it() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let Places { namespace, .. } = prepared(&world, &sandbox);
    world.fail(Fault::on("POST", "/secrets").serve(200, "text/html", PAGE));
    let outcome = run(&sandbox, &format!("create new --from-literal=k=v4lue -n {namespace}")).fails_with(1);
    for said in [
        "does not answer as a Kubernetes API server: it gave a web page instead of secret \"new\"".to_owned(),
        "kubectl config view --minify".to_owned(),
        format!(
            "it is not known whether the server did it: look before you repeat the command: kubectl get secrets new -n {namespace}\n"
        ),
    ] {
        assert!(outcome.stderr.contains(&said), "{said}\n{outcome}");
    }
}

#[test]
fn no_command_takes_a_wrong_answer_for_nothing() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let Places { namespace, runai, .. } = prepared(&world, &sandbox);
    let lines = [
        format!("list -n {namespace}"),
        format!("list -o wide -n {namespace}"),
        "list -A".to_owned(),
        format!("view s -n {namespace}"),
        format!("view s token --reveal -n {namespace}"),
        format!("status --runai-namespace {runai}"),
        format!("status shared --runai-namespace {runai}"),
        format!("usage -n {namespace}"),
        format!("usage s -n {namespace}"),
        format!("usage deploy/user -n {namespace}"),
        format!("check -n {namespace}"),
        format!("check deploy/user -n {namespace}"),
    ];
    for line in lines {
        for (what, content_type, body) in wrong_answers("Secret", "v1", "s", &namespace) {
            for code in [200, 404] {
                world.clear_faults();
                world.fail(Fault::on("GET", "/").for_ever().serve(code, content_type, &body));
                let outcome = run(&sandbox, &line);
                is_not_done(&outcome, what, &line);
                assert!(outcome.stdout.is_empty(), "{line}: {what}: {outcome}");
                for nothing in ["o secrets", "othing found", "NotFound", "o workload", "does not exist"] {
                    assert!(!outcome.stderr.contains(nothing), "{code} {what}: {outcome}");
                }
            }
        }
    }
}

#[test]
fn completion_offers_nothing_of_a_wrong_answer() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let Places { namespace, .. } = prepared(&world, &sandbox);
    for (what, content_type, body) in wrong_answers("Secret", "v1", "s", &namespace) {
        world.clear_faults();
        world.fail(Fault::on("GET", "/").for_ever().serve(200, content_type, &body));
        let offered = ask(&sandbox, &format!("delete -n {namespace} "));
        assert!(offered.names().is_empty(), "{what}: {:?}", offered.names());
    }
}

/// The commands that read lists.
fn lists(namespace: &str, runai: &str) -> [String; 7] {
    [
        format!("list -n {namespace}"),
        format!("usage -n {namespace}"),
        format!("check -n {namespace}"),
        format!("status --runai-namespace {runai}"),
        format!("label plain --runai-namespace {runai}"),
        format!("sync shared --runai-namespace {runai}"),
        format!("delete shared --cluster-wide -y --runai-namespace {runai}"),
    ]
}

#[test]
fn a_list_that_begins_again_and_again_is_given_up() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let Places { namespace, runai, .. } = prepared(&world, &sandbox);
    for line in lists(&namespace, &runai) {
        world.clear_faults();
        world.clear_log();
        for (path, kind, api_version) in [
            ("/secrets?", "SecretList", "v1"),
            ("/namespaces?", "PartialObjectMetadataList", "meta.k8s.io/v1"),
        ] {
            let kind = if line.starts_with("list -n") && kind == "SecretList" { "Table" } else { kind };
            let api_version = if kind == "Table" { "meta.k8s.io/v1" } else { api_version };
            let page = json!({
                "kind": kind, "apiVersion": api_version, "metadata": {"continue": "again"}, "items": [], "rows": [],
            });
            let page = page
                .to_string()
                .replace(if kind == "Table" { r#""items":[],"# } else { r#","rows":[]"# }, "");
            world.fail(Fault::on("GET", path).for_ever().serve(200, "application/json", &page));
        }
        let outcome = run(&sandbox, &line);
        is_not_done(&outcome, "a list in a circle", &line);
        assert!(outcome.stderr.contains("a list without an end"), "{line}: {outcome}");
        assert!(world.requests().len() < 50, "{line}: {} requests", world.requests().len());
    }
}

#[test]
fn an_answer_without_an_end_is_given_up_before_the_memory_is() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let Places { namespace, .. } = prepared(&world, &sandbox);
    for flood in [Flood::Plain, Flood::Gzip, Flood::Refusal] {
        world.clear_faults();
        world.fail(Fault::on("GET", "/").for_ever().flood(flood));
        let outcome = run(&sandbox, &format!("view s --request-timeout=5m -n {namespace}")).fails_with(1);
        let said = if flood == Flood::Refusal {
            "403 (Forbidden) without saying why"
        } else {
            "an answer that is too long"
        };
        assert!(outcome.stderr.contains(said), "{flood:?}: {outcome}");
        is_not_done(&outcome, "a flood", "view");
    }
}

/// As a gateway to many clusters answers that does not know this one.
#[test]
fn a_word_on_another_object_says_nothing_of_this_one() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let Places { namespace, .. } = prepared(&world, &sandbox);
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404, "reason": "NotFound",
        "message": "clusters \"c-1\" not found", "details": { "name": "c-1", "kind": "clusters" },
    });
    world.fail(Fault::on("GET", "/secrets/s").for_ever().serve(404, "application/json", &status.to_string()));
    let replace = "create s --from-literal=k=v4lue --replace -y";
    for line in [replace, "set s --from-literal=token=new-v4lue", "delete s -y --force"] {
        let outcome = run(&sandbox, &format!("{line} -n {namespace}"));
        is_not_done(&outcome, "a word on a cluster", line);
        assert!(outcome.stderr.contains("clusters \"c-1\" not found"), "{outcome}");
    }
    let writes = world.requests().into_iter().any(|request| request.method != "GET");
    assert!(!writes, "what is not known to be free is not taken");
}

/// 447 KiB of gzip took 4.8 GiB of memory once.
#[test]
fn one_object_that_is_longer_than_any_is_given_up_before_it_becomes_a_tree() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let Places { namespace, .. } = prepared(&world, &sandbox);
    let long = format!(
        r#"{{"kind":"Secret","apiVersion":"v1","metadata":{{"name":"s","namespace":"{namespace}","uid":"1"}},"x":[{}0]}}"#,
        "0,".repeat(10 << 20),
    );
    world.fail(Fault::on("GET", "/secrets/s").for_ever().serve(200, "application/json", &long));
    let outcome = run(&sandbox, &format!("view s --request-timeout=5m -n {namespace}")).fails_with(1);
    assert!(
        outcome
            .stderr
            .contains("an answer that is too long: over 3 MiB, the most that is read of one object\n"),
        "{outcome}"
    );
}

#[test]
fn a_pause_that_no_clock_can_count_is_no_reason_to_wait_or_to_break() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let Places { namespace, .. } = prepared(&world, &sandbox);
    world.fail(Fault::on("POST", "/secrets").answer_after(429, 1));
    world.fail(Fault::on("POST", "/secrets").nth(2).for_ever().answer_after(429, u64::MAX));
    let started = Instant::now();
    let outcome = run(&sandbox, &format!("create new --from-literal=k=v4lue -n {namespace}")).fails_with(1);
    assert!(outcome.stderr.contains("TooManyRequests"), "{outcome}");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn an_object_of_a_wrong_form_is_an_error_and_no_crash() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let Places { namespace, .. } = prepared(&world, &sandbox);
    let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/user");
    let right = world.get(&path).expect("it was made");
    for (pointer, value) in [
        ("/spec", json!([])),
        ("/spec/template", json!([])),
        ("/spec/template", Value::Null),
        ("/spec/template/metadata", json!("x")),
        ("/spec/template/metadata", json!({"annotations": []})),
        ("/spec/template/spec", json!([])),
        ("/spec/template/spec/containers", json!({})),
    ] {
        let mut wrong = right.clone();
        *wrong.pointer_mut(pointer).expect("it has that") = value;
        let list =
            json!({"kind": "DeploymentList", "apiVersion": "apps/v1", "metadata": {}, "items": [right]});
        for (command, lists) in [
            (format!("set s --from-literal=token=v4lue-2 --restart -y -n {namespace}"), true),
            (format!("restart s --all --no-wait -y -n {namespace}"), true),
            (format!("attach s deploy/user --mount /x -n {namespace}"), false),
            (format!("detach s deploy/user -n {namespace}"), false),
            (format!("check deploy/user -n {namespace}"), false),
            (format!("usage s -n {namespace}"), false),
        ] {
            world.clear_faults();
            world.fail(Fault::on("GET", "/deployments/user").for_ever().serve(
                200,
                "application/json",
                &wrong.to_string(),
            ));
            let listed = if lists {
                list.clone()
            } else {
                json!({"kind": "DeploymentList", "apiVersion": "apps/v1", "metadata": {}, "items": [wrong]})
            };
            world.fail(Fault::on("GET", "/deployments?").for_ever().serve(
                200,
                "application/json",
                &listed.to_string(),
            ));
            let outcome = run(&sandbox, &command);
            assert!(outcome.code.is_some_and(|code| code <= 3), "{command} {pointer}: {outcome}");
        }
    }
}
