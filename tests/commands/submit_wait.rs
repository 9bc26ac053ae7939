//! `submit --wait`: every state of the pod has a clear end.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Fault, Hold, Outcome, Sandbox, World, scenario};

use crate::workloads::job_path;

fn pods_path(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/pods")
}

/// Tries until there is something.
#[track_caller]
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_mins(1), "{what}: not after a minute");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The pod of the Job `train`: the Job controller's, or where there is none, one like it.
#[track_caller]
pub(crate) fn pod(world: &World, namespace: &str) -> String {
    wait_for("the job", || world.get(&job_path(namespace, "train")));
    if !world.is_real() {
        let template = world.get(&job_path(namespace, "train")).unwrap()["spec"]["template"].clone();
        let metadata = json!({"name": "train-x", "labels": {"job-name": "train"}});
        world.create(&pods_path(namespace), &json!({"metadata": metadata, "spec": template["spec"]}));
    }
    let path = format!("{}?labelSelector=job-name%3Dtrain", pods_path(namespace));
    wait_for("its pod", || {
        world.list(&path)[..].first().map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned())
    })
}

/// What `submit --wait` says when a pod comes into this state.
#[track_caller]
fn outcome_of(world: &World, sandbox: &Sandbox, phase: &str, state: &Value) -> (String, Outcome) {
    let namespace = world.namespace("a");
    let words = ["submit", "train", "-i", "ubuntu", "--backoff-limit=0", "--wait=2m", "-n", &namespace];
    let waiting = sandbox.spawn(words);
    let pod = pod(world, &namespace);
    world.run_pod(&namespace, &pod, phase, state);
    (namespace, waiting.wait())
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({"waiting": {"reason": reason, "message": message}})
}

#[scenario]
fn it_ends_when_the_container_runs(world: &World, sandbox: &Sandbox) {
    let (_, outcome) = outcome_of(world, sandbox, "Running", &json!({"running": {}}));
    let outcome = outcome.success();
    assert_eq!(outcome.stdout, "job.batch/train created\n");
    assert!(outcome.stderr.contains("note: job.batch/train runs, in pod/train-"), "{outcome}");
}

#[scenario]
fn it_ends_when_the_work_is_done_already(world: &World, sandbox: &Sandbox) {
    let state = json!({"terminated": {"exitCode": 0, "reason": "Completed"}});
    let (_, outcome) = outcome_of(world, sandbox, "Succeeded", &state);
    assert!(outcome.clone().success().stderr.contains("has done its work"), "{outcome}");
}

#[scenario]
fn a_container_that_failed_is_an_error_with_the_way_to_its_logs(world: &World, sandbox: &Sandbox) {
    let state = json!({"terminated": {"exitCode": 3, "reason": "Error"}});
    let (namespace, outcome) = outcome_of(world, sandbox, "Failed", &state);
    let outcome = outcome.fails_with(1);
    assert!(outcome.stderr.contains("error: job.batch/train failed: "), "{outcome}");
    assert!(outcome.stderr.contains(&format!("kubectl logs job/train -n {namespace}")), "{outcome}");
}

#[scenario]
fn a_missing_secret_is_named_with_the_way_to_make_it(world: &World, sandbox: &Sandbox) {
    let state = waiting("CreateContainerConfigError", "secret \"hf\" not found");
    let (namespace, outcome) = outcome_of(world, sandbox, "Pending", &state);
    let outcome = outcome.fails_with(3);
    let error = format!(
        "error: job.batch/train can't start: secret \"hf\" does not exist in namespace {namespace}\n"
    );
    assert!(outcome.stderr.contains(&error), "{outcome}");
    assert!(outcome.stderr.contains(&format!("kubectl runai-secret create hf -n {namespace}")), "{outcome}");
    assert!(outcome.stderr.contains(&format!("kubectl delete job train -n {namespace}")), "{outcome}");
}

#[scenario]
fn a_missing_key_is_named(world: &World, sandbox: &Sandbox) {
    let state = waiting("CreateContainerConfigError", "couldn't find key HF_TOKNE in Secret ns/hf");
    let (_, outcome) = outcome_of(world, sandbox, "Pending", &state);
    assert!(
        outcome.clone().fails_with(3).stderr.contains("secret \"hf\" has no key \"HF_TOKNE\""),
        "{outcome}"
    );
}

#[scenario]
fn an_image_that_cannot_be_pulled_is_named(world: &World, sandbox: &Sandbox) {
    let state = waiting("ImagePullBackOff", "Back-off pulling image \"ubuntu\"");
    let (_, outcome) = outcome_of(world, sandbox, "Pending", &state);
    let outcome = outcome.fails_with(3);
    assert!(outcome.stderr.contains("image \"ubuntu\" can't be pulled: Back-off"), "{outcome}");
    assert!(outcome.stderr.contains("--image-pull-secret"), "{outcome}");
}

#[scenario]
fn a_volume_without_its_secret_is_known_from_the_events(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let waiting = sandbox.spawn(["submit", "train", "-i", "ubuntu", "--wait=2m", "-n", &namespace]);
    let pod = pod(world, &namespace);
    world.run_pod(&namespace, &pod, "Pending", &json!({"waiting": {"reason": "ContainerCreating"}}));
    let message = "MountVolume.SetUp failed for volume \"v\" : secret \"ssh\" not found";
    let event = json!({
        "metadata": {"name": "e"}, "reason": "FailedMount", "type": "Warning", "message": message,
        "involvedObject": {"kind": "Pod", "name": pod, "namespace": namespace},
    });
    world.create(&format!("/api/v1/namespaces/{namespace}/events"), &event);
    let outcome = waiting.wait().fails_with(3);
    assert!(outcome.stderr.contains("secret \"ssh\" does not exist"), "{outcome}");
}

fn warn(world: &World, namespace: &str, pod: &str, reason: &str, message: &str) {
    let event = json!({
        "metadata": {"name": reason.to_lowercase()}, "reason": reason, "type": "Warning", "message": message,
        "involvedObject": {"kind": "Pod", "name": pod, "namespace": namespace},
        "lastTimestamp": "2099-01-31T12:00:00Z",
    });
    world.create(&format!("/api/v1/namespaces/{namespace}/events"), &event);
}

#[scenario]
fn the_newest_warning_of_the_pod_is_said_in_one_line(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let waiting = sandbox.spawn(["submit", "train", "-i", "ubuntu", "--wait=2m", "-n", &namespace]);
    let pod = pod(world, &namespace);
    world.run_pod(&namespace, &pod, "Pending", &json!({"waiting": {"reason": "ContainerCreating"}}));
    warn(
        world,
        &namespace,
        &pod,
        "BindingError",
        "Failed to bind pod:\nplugin gpusharing failed in PreBind\nend\n",
    );
    waiting.wait_for_stderr(
        "note: job.batch/train has not started: its container is being created; \
         BindingError: Failed to bind pod: plugin gpusharing failed in PreBind; end\n",
    );
    waiting.interrupt();
    waiting.wait().fails_with(130);
}

#[scenario]
fn a_condition_of_several_lines_is_one_line_and_a_quota_is_answered_with_the_way_over_it(
    world: &World,
    sandbox: &Sandbox,
) {
    let namespace = world.namespace("a");
    let waiting = sandbox.spawn(["submit", "train", "-i", "ubuntu", "--wait=10s", "-n", &namespace]);
    let pod = pod(world, &namespace);
    let message = "NonPreemptibleOverQuota: queue team-a\nquota is 0 GPUs\n";
    let condition =
        json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message});
    world.patch(
        &format!("{}/{pod}/status", pods_path(&namespace)),
        &json!({"status": {"phase": "Pending", "conditions": [condition]}}),
    );
    warn(world, &namespace, &pod, "FailedScheduling", message);
    let outcome = waiting.wait().fails_with(3);
    let line = format!(
        "error: job.batch/train has not started after 10 s: no node takes it yet: NonPreemptibleOverQuota: queue team-a; \
         quota is 0 GPUs\nhint: a job that may be stopped for others gets more than the quota: submit --preemptible\n\
         hint: the job was left as it is; to remove it: kubectl delete job train -n {namespace}\n"
    );
    assert!(outcome.stderr.ends_with(&line), "{outcome}");
}

#[scenario]
fn a_quota_that_is_used_up_is_said(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    if world.is_real() {
        let quota = json!({"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}});
        world.create(&format!("/api/v1/namespaces/{namespace}/resourcequotas"), &quota);
        let path = format!("/api/v1/namespaces/{namespace}/resourcequotas/none");
        wait_for("the quota", || world.get(&path).filter(|quota| !quota["status"]["hard"].is_null()));
    }
    let waiting = sandbox.spawn(["submit", "train", "-i", "ubuntu", "--wait=2m", "-n", &namespace]);
    if !world.is_real() {
        wait_for("the job", || world.get(&job_path(&namespace, "train")));
        let event = json!({
            "metadata": {"name": "e"}, "reason": "FailedCreate", "type": "Warning",
            "message": "Error creating: pods \"train-x\" is forbidden: exceeded quota: none",
            "involvedObject": {"kind": "Job", "name": "train", "namespace": namespace},
        });
        world.create(&format!("/api/v1/namespaces/{namespace}/events"), &event);
    }
    let outcome = waiting.wait().fails_with(3);
    assert!(outcome.stderr.contains("exceeded quota: none"), "{outcome}");
    assert!(outcome.stderr.contains("hint: a quota is used up"), "{outcome}");
}

#[scenario]
fn the_time_is_over_with_the_reason(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.fail(Fault::on("GET", "/pods").times(1).answer(503));
    let words = ["submit", "train", "-i", "ubuntu", "--wait=1s", "-n", &namespace];
    let outcome = sandbox.run(words).fails_with(3);
    assert!(outcome.stderr.contains("error: job.batch/train has not started after 1 s: it "), "{outcome}");
    assert!(outcome.stderr.contains("the job was left as it is"), "{outcome}");
    assert!(world.get(&job_path(&namespace, "train")).is_some());
}

#[scenario]
fn ctrl_c_says_that_the_job_goes_on(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let gate = world.hold(Fault::on("GET", "/pods"), Hold::BeforeForwarding);
    let waiting = sandbox.spawn(["submit", "train", "-i", "ubuntu", "--wait=2m", "-n", &namespace]);
    assert!(gate.wait_reached(Duration::from_mins(1)));
    waiting.interrupt();
    let outcome = waiting.wait().fails_with(130);
    gate.release();
    let hints = format!(
        "error: interrupted\n\
         hint: job.batch/train was created, and goes on; to see it: kubectl get job train -n {namespace}\n\
         hint: to remove it: kubectl delete job train -n {namespace}\n"
    );
    assert_eq!(outcome.stderr, hints);
    assert!(world.get(&job_path(&namespace, "train")).is_some());
}

#[scenario]
fn a_job_that_somebody_deletes_is_not_waited_for(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let waiting = sandbox.spawn(["submit", "train", "-i", "ubuntu", "--wait=2m", "-n", &namespace]);
    wait_for("the job", || world.get(&job_path(&namespace, "train")));
    world.delete(&format!("{}?propagationPolicy=Background", job_path(&namespace, "train")));
    let outcome = waiting.wait().fails_with(1);
    assert!(outcome.stderr.contains("error: job.batch/train was deleted"), "{outcome}");
}
