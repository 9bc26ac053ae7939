//! Who still holds an old value: `usage --stale`, and `stale-value` of `check`.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Sandbox, World, scenario};

use crate::workloads::{create_deployment, create_job};

/// The server's times have whole seconds.
const NEXT_SECOND: Duration = Duration::from_millis(1_100);

const RECORD: &str = "kubectl-runai-secret/changed";

/// Plays a kubelet, and a controller where there is none: a pod of this owner, a Deployment, a
/// `StatefulSet` or a Job, that runs since it was created. Its spec is that of the owner's template. Returns its name.
pub(crate) fn running_pod(world: &World, namespace: &str, owner: &str, kind: &str) -> String {
    let pods = format!("/api/v1/namespaces/{namespace}/pods");
    let group = if kind == "Job" { "batch/v1" } else { "apps/v1" };
    let plural = format!("{}s", kind.to_lowercase());
    let owner = world.get(&format!("/apis/{group}/namespaces/{namespace}/{plural}/{owner}")).unwrap();
    let (name, uid) = (&owner["metadata"]["name"], &owner["metadata"]["uid"]);
    // These controllers have none beside their own.
    let pod = if world.is_real() && kind != "Deployment" {
        wait_for("its pod", || {
            let mut pods = world.list(&pods).into_iter();
            let pod = pods.find(|pod| pod["metadata"]["ownerReferences"][0]["uid"] == *uid)?;
            Some(pod["metadata"]["name"].as_str().unwrap().to_owned())
        })
    } else {
        let pod = format!("{}-1", name.as_str().unwrap());
        let owners =
            json!([{"apiVersion": group, "kind": kind, "name": name, "uid": uid, "controller": true}]);
        let metadata = json!({"name": pod, "ownerReferences": owners});
        world.create(&pods, &json!({"metadata": metadata, "spec": owner["spec"]["template"]["spec"]}));
        pod
    };
    world.run_pod(namespace, &pod, "Running", &json!({"running": {"startedAt": "2020-01-01T00:00:00Z"}}));
    pod
}

/// Tries until there is something.
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < Duration::from_mins(1), "{what}: not after a minute");
        sleep(Duration::from_millis(20));
    }
}

/// Plays a kubelet that starts the pod's container at this time by the clock of its node.
pub(crate) fn start(world: &World, namespace: &str, pod: &str, at: &str) {
    let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}");
    let container = &world.get(&path).unwrap()["spec"]["containers"][0];
    let status = json!({"name": container["name"], "image": container["image"], "imageID": "", "ready": true,
        "restartCount": 0, "state": {"running": {"startedAt": at}}});
    let status = json!({"status": {"phase": "Running", "containerStatuses": [status]}});
    world.patch(&format!("{path}/status"), &status);
}

/// What each use of the secret holds, by the consumer's name and the variable or path.
fn held(usage: &Value) -> Vec<String> {
    let mut all = Vec::new();
    for consumer in
        usage["secrets"].as_array().unwrap().iter().flat_map(|one| one["consumers"].as_array().unwrap())
    {
        for one in consumer["uses"].as_array().unwrap() {
            let what = one["variable"].as_str().or(one["path"].as_str()).unwrap();
            let value = one["value"].as_str().unwrap_or("none");
            all.push(format!("{} {what} {value}", consumer["name"].as_str().unwrap()));
        }
    }
    all.sort();
    all
}

fn now_or_later(world: &World, namespace: &str) -> Vec<String> {
    let secret = world.secret(namespace, "hf").unwrap();
    let mut times: Vec<String> = vec![secret["metadata"]["creationTimestamp"].as_str().unwrap().to_owned()];
    for entry in secret["metadata"]["managedFields"].as_array().unwrap() {
        times.push(entry["time"].as_str().unwrap().to_owned());
    }
    times
}

#[scenario]
fn who_started_before_a_key_changed_holds_the_old_value_until_it_starts_again(
    world: &World,
    sandbox: &Sandbox,
) {
    let project = world.project("team-a");
    let namespace = &project.namespace;
    let run = |words: &[&str]| sandbox.run(words.iter().chain(&["-n", namespace.as_str()]));
    run(&["create", "hf", "--from-literal=A=first-value", "--from-literal=B=first-value"]).success();
    sleep(NEXT_SECOND);
    create_deployment(world, namespace, "web");
    create_job(world, namespace, "train");
    run(&["attach", "hf", "deploy/web", "--env", "A", "--env", "B", "--mount", "/hf"]).success();
    run(&["attach", "hf", "job/train", "--env-all", "--recreate", "-y"]).success();
    sleep(NEXT_SECOND);
    running_pod(world, namespace, "web", "Deployment");
    running_pod(world, namespace, "train", "Job");
    let usage = || run(&["usage", "hf", "-o", "json"]).success().json();
    assert_eq!(held(&usage()), ["train  current", "web /hf none", "web A current", "web B current"]);
    let none = run(&["usage", "--stale"]).success();
    assert!(none.stderr.contains("note: nothing holds an old value in namespace"), "{none}");
    run(&["check", "--ignore", "unused-secret"]).success().never_shows(b"stale-value");

    sleep(NEXT_SECOND);
    let mut of_the_server: BTreeSet<String> = now_or_later(world, namespace).into_iter().collect();
    sandbox.stdin("second-value").run(["set", "hf", "A", "-n", namespace]).success();
    assert_eq!(held(&usage()), ["train  old", "web /hf none", "web A old", "web B current"]);
    let stale = run(&["usage", "hf", "--stale", "-o", "json"]).success().json();
    assert_eq!(held(&stale), ["train  old", "web A old"]);
    let table = run(&["usage", "hf"]).success();
    table.never_shows(b"second-value");
    assert!(table.stdout.contains("VALUE") && table.stdout.contains("  old\n"), "{table}");
    let all = run(&["usage", "--stale"]).success();
    assert!(all.stdout.contains("OLD VALUE") && all.stdout.lines().count() == 2, "{all}");
    let check = run(&["check", "--ignore", "unused-secret", "-o", "json"]).success().json();
    let found: Vec<_> = check["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            assert_eq!((&one["code"], &one["severity"]), (&json!("stale-value"), &json!("warning")));
            one["object"].as_str().unwrap()
        })
        .collect();
    assert_eq!(found, ["deployment.apps/web", "job.batch/train"], "{check}");

    // What somebody else writes counts for the keys that are theirs; the record holds no clock but the server's.
    of_the_server.extend(now_or_later(world, namespace));
    let path = format!("/api/v1/namespaces/{namespace}/secrets/hf");
    world.patch(&path, &json!({"stringData": {"B": "theirs"}}));
    assert_eq!(held(&usage()), ["train  old", "web /hf none", "web A old", "web B old"]);
    sandbox.stdin("third-value").run(["set", "hf", "C", "-n", namespace]).success();
    let record = world.secret(namespace, "hf").unwrap()["metadata"]["annotations"][RECORD].clone();
    of_the_server.extend(now_or_later(world, namespace));
    let record = record.as_str().unwrap();
    let times =
        record.split(|c: char| !(c.is_ascii_digit() || "-:TZ".contains(c))).filter(|word| word.len() == 20);
    let times: Vec<&str> = times.collect();
    assert!(!times.is_empty() && times.iter().all(|time| of_the_server.contains(*time)), "{record}");
    assert!(!record.contains("value") && !record.contains("theirs"), "{record}");

    start(world, namespace, "web-1", "2099-01-01T00:00:00Z");
    assert_eq!(held(&usage()), ["train  old", "web /hf none", "web A current", "web B current"]);
}

#[scenario]
fn a_copy_may_be_old_until_it_is_known_when_its_source_changed(world: &World, sandbox: &Sandbox) {
    let project = world.project("team-a");
    let (namespace, runai) = (&project.namespace, world.runai_namespace());
    let labels = ["--label=runai/cluster-wide=true", "--label=run.ai/cluster-wide=true"];
    let create = [
        "create",
        "hf",
        "--from-literal=A=1",
        "--from-literal=B=1",
        "-n",
        &runai,
        "--runai-namespace",
        &runai,
    ];
    sandbox.run(create.iter().chain(&labels)).success();
    let copy = json!({"metadata": {"name": "hf", "labels": {"run.ai/cluster-wide": "true"}},
        "stringData": {"A": "1", "B": "1"}});
    world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &copy);
    create_deployment(world, namespace, "web");
    sandbox.run(["attach", "hf", "deploy/web", "--env", "A", "--env", "B", "-n", namespace]).success();
    sleep(NEXT_SECOND);
    running_pod(world, namespace, "web", "Deployment");
    sleep(NEXT_SECOND);
    sandbox.stdin("2").run(["set", "hf", "A", "-n", &runai, "-y", "--runai-namespace", &runai]).success();
    let usage = || {
        let line = ["usage", "hf", "-A", "-o", "json", "--runai-namespace", &runai];
        let mut usage = sandbox.run(line).success().json();
        // On the real server other tests have theirs.
        usage["secrets"].as_array_mut().unwrap().retain(|one| one["namespace"] == namespace.as_str());
        held(&usage)
    };
    assert_eq!(usage(), ["web A current", "web B current"], "the copy has not arrived");
    // Run:ai's controller may copy annotations too: they are not the copy's own.
    let source = world.secret(&runai, "hf").unwrap();
    let annotations = source["metadata"]["annotations"].clone();
    let path = format!("/api/v1/namespaces/{namespace}/secrets/hf");
    world.patch(&path, &json!({"metadata": {"annotations": annotations}, "data": source["data"]}));
    assert_eq!(usage(), ["web A old", "web B perhaps-old"]);
    let only = sandbox.run(["usage", "hf", "-n", namespace, "-o", "json"]).success().json();
    assert_eq!(held(&only), ["web A perhaps-old", "web B perhaps-old"]);
    let check = sandbox.run(["check", "-n", namespace, "-o", "json"]).success().json();
    let stale =
        check["findings"].as_array().unwrap().iter().find(|one| one["code"] == "stale-value").unwrap();
    assert_eq!(stale["severity"], "info", "{check}");
}

#[scenario]
fn no_write_that_changes_no_value_makes_one_look_newer(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    let run = |words: &[&str]| sandbox.run(words.iter().chain(&["-n", runai.as_str()])).success();
    run(&["create", "hf", "--from-literal=A=1", "--from-literal=B=1"]);
    let label = |more: &[&str]| {
        let line = ["label", "hf", "-y", "--runai-namespace", runai.as_str()];
        sandbox.run(line.iter().chain(more)).success();
    };
    let changed = || {
        let view = run(&["view", "hf", "-o", "json"]).json();
        let keys = view["keys"].as_array().unwrap().iter();
        keys.map(|key| key["changed"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let before = changed();
    sleep(NEXT_SECOND);
    label(&[]);
    assert_eq!(changed(), before);
    run(&["set", "hf", "--from-literal=A=2", "--runai-namespace", &runai]);
    sleep(NEXT_SECOND);
    let after = changed();
    assert!(after[0] > before[0] && after[1] == before[1], "{before:?} {after:?}");
    label(&["--remove"]);
    run(&["create", "hf", "--from-literal=A=2", "--from-literal=B=3", "--replace", "-y"]);
    let replaced = changed();
    assert!(replaced[0] == after[0] && replaced[1] > after[0], "{after:?} {replaced:?}");
}
