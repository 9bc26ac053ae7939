//! `submit --wait`, with the words of a real scheduler and a real kubelet.

use std::time::Duration;

use support::engines::GPUS;
use support::{Fault, Hold, Outcome, Sandbox, World, scenario};

use crate::pods::{create_secret, running_pod, set, started};

/// `submit train`, with these words.
fn submit<'a>(namespace: &'a str, words: &[&'a str]) -> Vec<&'a str> {
    let start = ["submit", "train", "-i", "ubuntu", "--wait=2m", "-n", namespace];
    start.iter().chain(words).copied().collect()
}

/// The outcome of `submit train` when this is run between its look at the secret and the creation of the job.
fn outcome_if_meanwhile(
    world: &World,
    sandbox: &Sandbox,
    namespace: &str,
    words: &[&str],
    change: &[&str],
) -> Outcome {
    let gate = world.hold(Fault::on("POST", "/jobs"), Hold::BeforeForwarding);
    let submit = sandbox.spawn(submit(namespace, words));
    assert!(gate.wait_reached(Duration::from_mins(1)), "it creates no job");
    sandbox.run(change.iter().chain(&["--yes", "-n", namespace])).success();
    gate.release();
    submit.wait()
}

#[scenario(node)]
fn it_ends_when_the_container_runs_with_what_the_secret_holds(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    create_secret(sandbox, &namespace, "hf", "token", "s3cr3t-value");
    let words = ["-e", "HF_TOKEN=SECRET:hf,token", "--secret-volume", "path=/etc/hf,name=hf"];
    let outcome = sandbox.run(submit(&namespace, &words)).success();
    outcome.never_shows(b"s3cr3t-value");
    let pod = running_pod(world, &namespace);
    assert!(outcome.stderr.contains(&format!("note: job.batch/train runs, in pod/{pod}")), "{outcome}");
    let started = started(world, &namespace, &pod);
    assert_eq!(started.variable("HF_TOKEN"), Some("s3cr3t-value"));
    let file = started.file("/etc/hf/token").expect("a mounted file");
    assert_eq!(std::fs::read(file).unwrap(), b"s3cr3t-value");
}

#[scenario(node)]
fn it_ends_when_the_work_is_done(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let outcome = sandbox.run(submit(&namespace, &["--command", "--", "true"])).success();
    // It may have seen it run before.
    let said = ["has done its work", "runs, in pod/"];
    assert!(said.iter().any(|words| outcome.stderr.contains(words)), "{outcome}");
}

#[scenario(node)]
fn a_program_that_fails_is_an_error_with_its_exit_code(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let words = ["--backoff-limit=0", "--command", "--", "false"];
    let outcome = sandbox.run(submit(&namespace, &words)).fails_with(1);
    let error = "error: job.batch/train failed: its container ended with exit code 1\n";
    assert!(outcome.stderr.contains(error), "{outcome}");
}

#[scenario(node)]
fn a_missing_key_is_named_and_the_job_starts_once_it_is_set(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    create_secret(sandbox, &namespace, "hf", "HF_TOKEN", "s3cr3t-value");
    set(sandbox, &namespace, &["hf", "other"], "s3cr3t-value");
    let words = ["-e", "HF_TOKEN=SECRET:hf,HF_TOKEN"];
    let change = ["unset", "hf", "HF_TOKEN"];
    let outcome = outcome_if_meanwhile(world, sandbox, &namespace, &words, &change).fails_with(3);
    let error = "error: job.batch/train can't start: secret \"hf\" has no key \"HF_TOKEN\"\n";
    assert!(outcome.stderr.contains(error), "{outcome}");
    set(sandbox, &namespace, &["hf", "HF_TOKEN"], "an0ther-value");
    let pod = running_pod(world, &namespace);
    assert_eq!(started(world, &namespace, &pod).variable("HF_TOKEN"), Some("an0ther-value"));
}

#[scenario(node)]
fn a_missing_secret_is_named_and_the_job_starts_once_it_is_created(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    create_secret(sandbox, &namespace, "hf", "HF_TOKEN", "f1rst-value");
    let words = ["-e", "HF_TOKEN=SECRET:hf,HF_TOKEN"];
    let change = ["delete", "hf"];
    let outcome = outcome_if_meanwhile(world, sandbox, &namespace, &words, &change).fails_with(3);
    let error = format!("secret \"hf\" does not exist in namespace {namespace}\n");
    assert!(outcome.stderr.contains(&error), "{outcome}");
    create_secret(sandbox, &namespace, "hf", "HF_TOKEN", "s3cr3t-value");
    let pod = running_pod(world, &namespace);
    assert_eq!(started(world, &namespace, &pod).variable("HF_TOKEN"), Some("s3cr3t-value"));
}

#[scenario(node)]
fn a_volume_whose_secret_is_missing_is_named_and_the_job_starts_once_it_is_created(
    world: &World,
    sandbox: &Sandbox,
) {
    let namespace = world.namespace("a");
    create_secret(sandbox, &namespace, "hf", "HF_TOKEN", "f1rst-value");
    let words = ["--secret-volume", "path=/etc/hf,name=hf"];
    let change = ["delete", "hf"];
    let outcome = outcome_if_meanwhile(world, sandbox, &namespace, &words, &change).fails_with(3);
    let error = format!("secret \"hf\" does not exist in namespace {namespace}\n");
    assert!(outcome.stderr.contains(&error), "{outcome}");
    create_secret(sandbox, &namespace, "hf", "HF_TOKEN", "s3cr3t-value");
    running_pod(world, &namespace);
}

#[scenario(node)]
fn an_image_that_no_registry_has_is_named(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let line = ["submit", "train", "-i", "registry.invalid/train:1", "--wait=2m", "-n", &namespace];
    let outcome = sandbox.run(line).fails_with(3);
    let error = "error: job.batch/train can't start: image \"registry.invalid/train:1\" can't be pulled: ";
    assert!(outcome.stderr.contains(error), "{outcome}");
    assert!(outcome.stderr.contains("registry.invalid: no such host"), "{outcome}");
}

#[scenario(node)]
fn more_gpus_than_any_node_has_are_said_in_the_schedulers_words(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let too_many = (GPUS + 1).to_string();
    let line = ["submit", "train", "-i", "ubuntu", "--gpu", &too_many, "--wait=10s", "-n", &namespace];
    let outcome = sandbox.run(line).fails_with(3);
    let error = "error: job.batch/train has not started after 10 s: no node takes it yet: 0/1 nodes are available: \
                 1 Insufficient nvidia.com/gpu.";
    assert!(outcome.stderr.contains(error), "{outcome}");
}

#[scenario(node)]
fn a_job_that_waits_for_another_ones_gpus_starts_when_they_are_free(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let all = GPUS.to_string();
    let first = ["submit", "first", "-i", "ubuntu", "--gpu", &all, "--wait=2m", "-n", &namespace];
    sandbox.run(first).success();
    let second = sandbox.spawn(submit(&namespace, &["--gpu", &all]));
    second.wait_for_stderr("Insufficient nvidia.com/gpu");
    sandbox.kubectl(["delete", "job", "first", "--wait=false", "-n", &namespace]).success();
    let outcome = second.wait().success();
    assert!(outcome.stderr.contains("note: job.batch/train runs, in pod/train-"), "{outcome}");
}
