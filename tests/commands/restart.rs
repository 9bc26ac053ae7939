//! `restart`, and `set --restart` of a shared secret.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Fault, Hold, Outcome, Running, Sandbox, World, scenario};

use crate::set::{create_workload, with_variable};
use crate::stale::{running_pod, start};
use crate::status::{Shared, create_named, runais_copy_named};

/// The server's times have whole seconds.
pub(crate) const NEXT_SECOND: Duration = Duration::from_millis(1_100);
const REACHED: Duration = Duration::from_mins(1);

pub(crate) fn deployments(namespace: &str) -> String {
    format!("/apis/apps/v1/namespaces/{namespace}/deployments")
}

/// When a deployment was told to restart.
pub(crate) fn restarted(world: &World, namespace: &str, name: &str) -> Option<String> {
    let deployment = world.get(&format!("{}/{name}", deployments(namespace))).unwrap();
    let annotations = &deployment["spec"]["template"]["metadata"]["annotations"];
    annotations["kubectl.kubernetes.io/restartedAt"].as_str().map(str::to_owned)
}

/// A deployment that reads the key, with a pod that runs.
pub(crate) fn deployment(world: &World, namespace: &str, name: &str, change: impl Fn(&mut Value)) {
    create_workload(world, namespace, "deployments", name, change);
    running_pod(world, namespace, name, "Deployment");
}

/// A container that reads the token of this secret.
pub(crate) fn reads(secret: &str) -> impl Fn(&mut Value) {
    let source = json!({"secretKeyRef": {"name": secret, "key": "token"}});
    move |spec| spec["containers"][0]["env"] = json!([{"name": "V", "valueFrom": source}])
}

/// Plays kubelets, and where no controllers are at work those too, until the deployments of these namespaces are as they
/// were told to be.
pub(crate) fn bring_up(world: &World, namespaces: &[&str]) {
    for namespace in namespaces {
        if !world.is_real() {
            for deployment in world.list(&deployments(namespace)) {
                let name = deployment["metadata"]["name"].as_str().unwrap();
                let status = json!({"observedGeneration": deployment["metadata"]["generation"], "replicas": 1,
                    "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1});
                world.patch(&format!("{}/{name}/status", deployments(namespace)), &json!({"status": status}));
            }
            continue;
        }
        for pod in world.list(&format!("/api/v1/namespaces/{namespace}/pods")) {
            let name = pod["metadata"]["name"].as_str().unwrap();
            if pod["status"]["phase"] == "Pending" {
                let running = json!({"running": {"startedAt": "2099-01-01T00:00:00Z"}});
                world.run_pod_if_there(namespace, name, "Running", &running);
                let ready = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
                world.patch_if_there(&format!("/api/v1/namespaces/{namespace}/pods/{name}/status"), &ready);
            }
        }
    }
}

/// Plays kubelets until the command ends, which it does when the pods are ready.
pub(crate) fn while_pods_come(world: &World, namespaces: &[&str], mut running: Running) -> Outcome {
    let begin = Instant::now();
    while running.is_running() {
        assert!(
            begin.elapsed() < REACHED,
            "it has not ended: {}\n{}\n{}",
            running.kill(),
            states(world, namespaces),
            world.lines().join("\n")
        );
        bring_up(world, namespaces);
        sleep(Duration::from_millis(50));
    }
    running.wait()
}

fn states(world: &World, namespaces: &[&str]) -> String {
    let of = |namespace: &&str| {
        let all = [deployments(namespace), format!("/api/v1/namespaces/{namespace}/pods")];
        let objects = all.into_iter().flat_map(|path| world.list(&path));
        objects
            .map(|one| format!("{} {}", one["metadata"]["name"], one["status"]))
            .collect::<Vec<_>>()
            .join("\n")
    };
    namespaces.iter().map(of).collect::<Vec<_>>().join("\n")
}

#[scenario]
fn what_holds_an_old_value_is_restarted_and_what_cannot_be_is_named_with_its_command(
    world: &World,
    sandbox: &Sandbox,
) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", "old"), ("b", "old")]);
    sleep(NEXT_SECOND);
    for (name, key) in [("old", "a"), ("new", "a"), ("other-key", "b")] {
        deployment(world, &namespace, name, with_variable(key));
    }
    let mut pod = crate::workloads::pod_template("Always");
    with_variable("a")(&mut pod["spec"]);
    pod["metadata"] = json!({"name": "notebook"});
    world.create(&format!("/api/v1/namespaces/{namespace}/pods"), &pod);
    start(world, &namespace, "notebook", "2020-01-01T00:00:00Z");
    let run = |words: &[&str]| sandbox.run(words.iter().chain(&["-n", namespace.as_str()]));
    let nothing = run(&["restart", "s", "-y"]).success();
    assert_eq!(nothing.stdout, "", "{nothing}");
    sleep(NEXT_SECOND);
    sandbox.stdin("new-v4lue").run(["set", "s", "a", "-n", &namespace]).success();
    start(world, &namespace, "new-1", "2099-01-01T00:00:00Z");
    sleep(NEXT_SECOND);

    world.clear_log();
    let refused = run(&["restart", "s"]).fails_with(2);
    assert!(refused.stderr.contains(&format!("{namespace}: restarts deployment.apps/old\n")), "{refused}");
    let dry = run(&["restart", "s", "--dry-run"]).success();
    assert_eq!(dry.stdout, "deployment.apps/old restarted (dry run)\n");
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    let done = run(&["restart", "s", "-y", "--no-wait"]).success();
    assert_eq!(done.stdout, "deployment.apps/old restarted\n");
    let again = format!("pod/notebook: submit it again after kubectl delete pod/notebook -n {namespace}\n");
    assert!(done.stderr.contains(&again), "{done}");
    assert!(restarted(world, &namespace, "old").is_some());
    for name in ["new", "other-key"] {
        assert_eq!(restarted(world, &namespace, name), None, "{name}");
    }

    // Its pod of old is still there: it is waited for, and not restarted a second time.
    world.clear_log();
    let second = run(&["restart", "s", "-y", "--no-wait"]).success();
    assert_eq!(second.stdout, "");
    assert!(second.stderr.contains("restarted already since the change: deployment.apps/old\n"), "{second}");
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    let late = run(&["restart", "s", "-y", "--timeout=0s"]).fails_with(3);
    assert!(
        late.stderr.contains("new pods of 1 of 1 workload are not ready yet: deployment.apps/old\n"),
        "{late}"
    );
    let all = run(&["restart", "s", "--all", "-y", "--no-wait"]).success();
    for name in ["old", "new", "other-key"] {
        assert!(all.stdout.contains(&format!("deployment.apps/{name} restarted\n")), "{all}");
    }
}

#[scenario]
fn a_shared_secret_is_rotated_in_all_projects_by_one_command(world: &World, sandbox: &Sandbox) {
    let shared = Shared::named(world, "rotated");
    let projects = ["a", "b"].map(|name| world.project(name));
    let theirs = world.project("theirs");
    for project in &projects {
        runais_copy_named(world, project, "rotated", "shared-value-of-the-source");
        deployment(world, &project.namespace, "web", reads("rotated"));
    }
    create_named(world, &theirs.namespace, "rotated", &json!({}), &json!({}), "of the project itself");
    deployment(world, &theirs.namespace, "web", reads("rotated"));
    sleep(NEXT_SECOND);
    world.clear_log();
    let line = shared.run(&["set", "rotated", "token", "-n", &shared.runai, "--restart"]);
    let refused = sandbox.stdin("rotated-v4lue").run(&line).fails_with(2);
    assert!(
        refused.stderr.contains(&format!("{}: restarts deployment.apps/web", projects[0].namespace)),
        "{refused}"
    );
    assert!(world.writes().is_empty(), "nothing is written before it is agreed to: {:?}", world.lines());

    let _controller = world.start_propagation();
    let running = sandbox.stdin("rotated-v4lue").spawn(line.iter().chain(&["-y"]));
    let namespaces: Vec<&str> = projects.iter().map(|project| project.namespace.as_str()).collect();
    let done = while_pods_come(world, &namespaces, running);
    done.never_shows(b"rotated-v4lue");
    // The project `theirs` has a secret of that name, which no copy takes the place of.
    for project in &projects {
        let line = format!("deployment.apps/web in {} restarted\n", project.namespace);
        assert!(done.stdout.contains(&line), "{done}");
        let copy = world.secret_value(&project.namespace, "rotated", "token").unwrap();
        assert_eq!(copy, b"rotated-v4lue", "restarted when the copy was there");
    }
    assert_eq!(restarted(world, &theirs.namespace, "web"), None);
    assert_eq!(done.code, Some(0), "{done}");
}

#[scenario]
fn where_the_copy_is_not_current_nothing_is_restarted(world: &World, sandbox: &Sandbox) {
    let shared = Shared::named(world, "late");
    let (late, current) = (world.project("late"), world.project("current"));
    runais_copy_named(world, &late, "late", "an-older-value");
    runais_copy_named(world, &current, "late", "shared-value-of-the-source");
    for project in [&late, &current] {
        deployment(world, &project.namespace, "web", reads("late"));
    }
    let line = shared.run(&["restart", "late", "-n", &shared.runai, "--all", "-y", "--no-wait"]);
    let partly = sandbox.run(&line).fails_with(3);
    let told = format!(
        "one namespace has no current copy of late, and nothing was restarted there: {}",
        late.namespace
    );
    assert!(partly.stderr.contains(&told), "{partly}");
    assert!(
        partly.stderr.contains(&format!("kubectl runai-secret restart late -n {}", shared.runai)),
        "{partly}"
    );
    assert_eq!(restarted(world, &late.namespace, "web"), None);
    assert!(restarted(world, &current.namespace, "web").is_some(), "{partly}");
}

#[scenario]
fn killed_at_any_point_the_next_run_restarts_the_rest_and_nothing_twice(world: &World, sandbox: &Sandbox) {
    let names = ["one", "two", "three"];
    for (killed, hold) in
        names.iter().flat_map(|name| [(*name, Hold::BeforeForwarding), (*name, Hold::AfterForwarding)])
    {
        let namespace = world.namespace(&format!("{killed}-{hold:?}").to_lowercase());
        world.create_secret(&namespace, "s", &[("a", "old")]);
        for name in names {
            deployment(world, &namespace, name, with_variable("a"));
        }
        sleep(NEXT_SECOND);
        sandbox.stdin("new").run(["set", "s", "a", "-n", &namespace]).success();
        sleep(NEXT_SECOND);
        let gate = world.hold(Fault::on("PUT", &format!("{namespace}/deployments/{killed}")), hold);
        let running = sandbox.spawn(["restart", "s", "-y", "--no-wait", "-n", &namespace]);
        assert!(gate.wait_reached(REACHED), "{killed}");
        assert_eq!(running.kill().code, None, "it was killed");
        assert!(gate.wait_left(REACHED), "{killed}");
        drop(gate);
        let before = names.map(|name| restarted(world, &namespace, name));
        sleep(NEXT_SECOND);
        let next = sandbox.run(["restart", "s", "-y", "--no-wait", "-n", &namespace]).success();
        for (name, before) in names.iter().zip(before) {
            let now = restarted(world, &namespace, name);
            assert!(now.is_some(), "{killed} {hold:?} {name}: {next}");
            assert!(before.is_none() || before == now, "{killed} {hold:?} {name} twice: {next}");
        }
    }
}

#[scenario]
fn it_waits_until_the_new_pods_are_ready(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", "old")]);
    for number in 0..10 {
        deployment(world, &namespace, &format!("web-{number}"), with_variable("a"));
    }
    let late = sandbox.run(["restart", "s", "--all", "-y", "--timeout=1ms", "-n", &namespace]).fails_with(3);
    assert!(late.stderr.contains("new pods of 10 of 10 workloads are not ready yet: "), "{late}");
    assert!(late.stderr.contains("kubectl rollout status deployment.apps/web-0 -n "), "{late}");
    let running = sandbox.spawn(["restart", "s", "--all", "-y", "-n", &namespace]);
    let done = while_pods_come(world, &[&namespace], running).success();
    assert_eq!(done.stdout.lines().count(), 10, "{done}");
}

#[scenario]
fn a_workload_in_the_place_of_the_secret_is_answered_with_the_command_for_it(
    world: &World,
    sandbox: &Sandbox,
) {
    let namespace = world.namespace("ns");
    for place in [&["-n", namespace.as_str()][..], &["-A"]] {
        let missing = sandbox.run(["restart", "no-such-secret", "-y"].iter().chain(place)).fails_with(1);
        assert!(missing.stderr.contains("(NotFound): secrets \"no-such-secret\" not found in "), "{missing}");
    }
    world.clear_log();
    let web = sandbox.run(["restart", "deployment/web", "-n", "ns"]).fails_with(2);
    assert!(web.stderr.contains("kubectl rollout restart deployment.apps/web -n ns\n"), "{web}");
    assert!(web.stderr.contains("kubectl runai-secret restart NAME -n ns\n"), "{web}");
    let train = sandbox.run(["restart", "job/train", "-n", "ns"]).fails_with(2);
    assert!(train.stderr.contains("nothing restarts a Job"), "{train}");
    let rollout = sandbox.run(["rollout", "restart", "deployment/web"]).fails_with(2);
    assert!(rollout.stderr.contains("kubectl runai-secret restart NAME\n"), "{rollout}");
    assert!(world.requests().is_empty());
}

/// A job that reads a key, with a pod that runs.
fn job_that_reads(world: &World, namespace: &str, name: &str) -> String {
    let mut template = crate::workloads::pod_template("Never");
    with_variable("a")(&mut template["spec"]);
    let metadata = json!({"name": name, "labels": {"team": "a"}});
    let job = json!({"metadata": metadata, "spec": {"template": template}});
    world.create(&crate::workloads::job_path(namespace, ""), &job);
    running_pod(world, namespace, name, "Job")
}

/// Plays the kubelet that ends pods.
fn end_pods_that_go(world: &World, namespace: &str) {
    let pods = format!("/api/v1/namespaces/{namespace}/pods");
    for pod in world.list(&pods).iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_string()) {
        let path = format!("{pods}/{}", pod["metadata"]["name"].as_str().unwrap());
        world.admin("DELETE", &path, Some(&json!({"gracePeriodSeconds": 0})));
    }
}

#[scenario]
fn with_recreate_jobs_and_pods_that_hold_an_old_value_are_made_again_after_review(
    world: &World,
    sandbox: &Sandbox,
) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", "old")]);
    sleep(NEXT_SECOND);
    job_that_reads(world, &namespace, "train");
    let new = job_that_reads(world, &namespace, "new");
    let mut pod = crate::workloads::pod_template("Always");
    with_variable("a")(&mut pod["spec"]);
    pod["metadata"] = json!({"name": "notebook"});
    let notebook = format!("/api/v1/namespaces/{namespace}/pods/notebook");
    world.create(notebook.rsplit_once('/').unwrap().0, &pod);
    start(world, &namespace, "notebook", "2020-01-01T00:00:00Z");
    sleep(NEXT_SECOND);
    sandbox.stdin("new-v4lue").run(["set", "s", "a", "-n", &namespace]).success();
    start(world, &namespace, &new, "2099-01-01T00:00:00Z");
    sleep(NEXT_SECOND);
    let uid = |path: &str| world.get(path).unwrap()["metadata"]["uid"].clone();
    let paths = [crate::workloads::job_path(&namespace, "train"), notebook];
    let untouched = uid(&crate::workloads::job_path(&namespace, "new"));
    let before = paths.each_ref().map(|path| uid(path));
    let run = |words: &[&str]| sandbox.run(words.iter().chain(&["-n", namespace.as_str()]));

    world.clear_log();
    let named = run(&["restart", "s", "-y"]).success();
    let way = format!(
        "jobs and pods are deleted and created again by kubectl runai-secret restart s --recreate -n {namespace}\n"
    );
    assert!(named.stderr.contains(&way) && named.stdout.is_empty(), "{named}");
    let asked = run(&["restart", "s", "--recreate"]).fails_with(2);
    for name in ["job.batch/train", "pod/notebook"] {
        let effect =
            format!("{namespace}: deletes {name} and creates it again, with a new place in the queue; ");
        assert!(asked.stderr.contains(&effect), "{asked}");
    }
    assert!(asked.stderr.contains("Delete 2 workloads and create again?"), "{asked}");
    assert!(!asked.stderr.contains("job.batch/new"), "{asked}");
    let sorted = |outcome: &Outcome| {
        let mut lines: Vec<String> = outcome.stdout.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let dry = run(&["restart", "s", "--recreate", "--dry-run"]).success();
    assert_eq!(sorted(&dry), ["job.batch/train recreated (dry run)", "pod/notebook recreated (dry run)"]);
    assert!(world.writes().is_empty(), "{:?}", world.lines());

    let mut running = sandbox.spawn(["restart", "s", "--recreate", "-y", "-n", &namespace]);
    let begin = Instant::now();
    while running.is_running() && begin.elapsed() < REACHED {
        end_pods_that_go(world, &namespace);
        sleep(Duration::from_millis(50));
    }
    let done = running.wait().success();
    assert_eq!(sorted(&done), ["job.batch/train recreated", "pod/notebook recreated"]);
    assert!(done.stderr.contains("if this is cut short, this command brings the old one back: "), "{done}");
    for (path, before) in paths.iter().zip(before) {
        assert_ne!(uid(path), before, "{path}");
    }
    assert_eq!(world.get(&paths[0]).unwrap()["metadata"]["labels"]["team"], "a");
    assert_eq!(uid(&crate::workloads::job_path(&namespace, "new")), untouched);

    // What has no pods yet, or pods that did not start, is not made again once more.
    world.clear_log();
    let again = run(&["restart", "s", "--recreate", "-y"]).success();
    assert_eq!(again.stdout, "", "{again}");
    assert!(world.writes().is_empty(), "{:?}", world.lines());
}
