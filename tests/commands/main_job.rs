//! The main job, end to end, as the documentation has it: create a secret, share it, use it in jobs.

use serde_json::{Value, json};
use support::{Outcome, Project, Sandbox, World, scenario};

use crate::workloads::{
    BATCH, DEPLOYMENTS, create_cronjob, create_deployment, create_job, env_from, env_of, job, own_spec,
};

fn plugin(sandbox: &Sandbox, words: &[&str]) -> Outcome {
    sandbox.with_run().run_as_users_do(words)
}

fn project_with_secret(world: &World, sandbox: &Sandbox) -> Project {
    let project = world.project("team-a");
    sandbox.file("password.txt", "s3cret-passw0rd");
    let created = plugin(
        sandbox,
        &[
            "create",
            "generic",
            "my-secret",
            "--from-literal=username=jane",
            "--from-file=password=password.txt",
            "--namespace",
            &project.namespace,
        ],
    );
    assert_eq!(created.success().stdout, "secret/my-secret created\n");
    project
}

#[scenario]
fn a_secret_is_made_in_the_namespace_of_a_project(world: &World, sandbox: &Sandbox) {
    let project = project_with_secret(world, sandbox);
    let secret = world.secret(&project.namespace, "my-secret").unwrap();
    assert_eq!(secret["type"], "Opaque");
    assert_eq!(secret["data"], json!({ "username": "amFuZQ==", "password": "czNjcmV0LXBhc3N3MHJk" }));
}

#[scenario]
fn a_label_shares_a_secret_with_every_project(world: &World, sandbox: &Sandbox) {
    let (runai, project) = (world.runai_namespace(), world.project("team-a"));
    world.create_secret(&runai, "shared", &[("token", "t0ken-value")]);
    let _controller = world.start_propagation();
    let labelled = plugin(sandbox, &["label", "shared", "--runai-namespace", &runai]);
    assert_eq!(labelled.success().stdout, "secret/shared labeled\n");
    let labels = world.secret(&runai, "shared").unwrap()["metadata"]["labels"].clone();
    assert_eq!(labels, json!({ "runai/cluster-wide": "true", "run.ai/cluster-wide": "true" }));
    eventually("the copy arrives", || world.secret(&project.namespace, "shared").is_some());

    let removed = plugin(sandbox, &["label", "shared", "--remove", "-y", "--runai-namespace", &runai]);
    assert_eq!(removed.success().stdout, "secret/shared unlabeled\n");
    assert_eq!(world.secret(&runai, "shared").unwrap()["metadata"]["labels"], Value::Null);
    eventually("the copy goes", || world.secret(&project.namespace, "shared").is_none());
}

#[scenario]
fn a_submitted_job_has_exactly_the_reference(world: &World, sandbox: &Sandbox) {
    let project = project_with_secret(world, sandbox);
    let submitted = plugin(
        sandbox,
        &[
            "submit",
            "train",
            "-i",
            "ubuntu",
            "-p",
            &project.name,
            "-g",
            "1",
            "-e",
            "MYUSERNAME=SECRET:my-secret,username",
            "--",
            "sleep",
            "600",
        ],
    );
    assert_eq!(submitted.success().stdout, "job.batch/train created\n");
    let job = job(world, &project.namespace, "train").unwrap();
    assert_eq!(env_of(&job["spec"]), &env_from("MYUSERNAME", "my-secret", "username"));
    let pod = &job["spec"]["template"]["spec"];
    assert_eq!(pod["schedulerName"], "runai-scheduler");
    assert_eq!(pod["containers"][0]["image"], "ubuntu");
    assert_eq!(pod["containers"][0]["args"], json!(["sleep", "600"]));
    assert_eq!(pod["containers"][0]["resources"]["limits"], json!({ "nvidia.com/gpu": "1" }));
}

#[scenario]
fn a_deployment_and_a_cronjob_get_the_reference_in_place(world: &World, sandbox: &Sandbox) {
    let project = project_with_secret(world, sandbox);
    let namespace = &project.namespace;
    let before = [create_deployment(world, namespace, "web"), create_cronjob(world, namespace, "nightly")];
    for target in ["deployment/web", "cronjob/nightly"] {
        let reference = "MYUSERNAME=SECRET:my-secret,username";
        plugin(sandbox, &["attach", target, "-e", reference, "-p", &project.name]).success();
    }
    let deployment = world.get(&format!("/{DEPLOYMENTS}/namespaces/{namespace}/deployments/web")).unwrap();
    assert_eq!(env_of(&deployment["spec"]), &env_from("MYUSERNAME", "my-secret", "username"));
    let cronjob = world.get(&format!("/{BATCH}/namespaces/{namespace}/cronjobs/nightly")).unwrap();
    assert_eq!(
        env_of(&cronjob["spec"]["jobTemplate"]["spec"]),
        &env_from("MYUSERNAME", "my-secret", "username")
    );
    for (before, after) in before.iter().zip([&deployment, &cronjob]) {
        assert_eq!(before["metadata"]["uid"], after["metadata"]["uid"], "changed in place");
    }
}

#[scenario]
fn a_job_is_recreated_with_the_reference_and_otherwise_the_same(world: &World, sandbox: &Sandbox) {
    let project = project_with_secret(world, sandbox);
    let before = create_job(world, &project.namespace, "train");
    let recreated = plugin(
        sandbox,
        &[
            "attach",
            "job/train",
            "-e",
            "MYUSERNAME=SECRET:my-secret,username",
            "--recreate",
            "-y",
            "-p",
            &project.name,
        ],
    );
    assert_eq!(recreated.success().stdout, "job.batch/train recreated\n");
    let after = job(world, &project.namespace, "train").unwrap();
    assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"]);
    for field in ["labels", "annotations"] {
        assert_eq!(after["metadata"][field], before["metadata"][field], "{field}");
    }
    let mut expected = own_spec(&before);
    expected["template"]["spec"]["containers"][0]["env"] = env_from("MYUSERNAME", "my-secret", "username");
    assert_eq!(own_spec(&after), expected);
}

/// Asks again and again, for a minute at most.
#[track_caller]
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !holds() {
        assert!(start.elapsed().as_secs() < 60, "{what}: not after a minute");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
