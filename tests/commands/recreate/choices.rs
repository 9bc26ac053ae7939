//! Which of the two ways is taken, what is said of it beforehand, and what the new Job has of the old one.

use serde_json::json;
use support::{Sandbox, World, scenario};

use super::{is_new, prepared, recreate, renewed};
use crate::workloads::{job, job_path, own_spec, pod_template};

#[scenario]
fn jobs_of_every_flavour_stay_what_they_are(world: &World, sandbox: &Sandbox) {
    let namespace = renewed(world)["metadata"]["namespace"].as_str().unwrap().to_owned();
    let own = json!({"matchLabels": {"mine": "1"}});
    let flavours = [
        ("suspended", json!({"suspend": true})),
        ("short-lived", json!({"ttlSecondsAfterFinished": 600})),
        ("indexed", json!({"completionMode": "Indexed", "completions": 3, "parallelism": 2})),
        ("selecting", json!({"manualSelector": true, "selector": own})),
    ];
    for (name, more) in flavours {
        let mut template = pod_template("Never");
        template["metadata"] = json!({"labels": {"mine": "1"}});
        let mut spec = json!({ "template": template });
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let old = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec});
        let old = world.create(&job_path(&namespace, ""), &old);
        let target = format!("job/{name}");
        let words = ["attach", "s", &target, "--env", "TOKEN=token", "--recreate", "--yes", "-n", &namespace];
        sandbox.run(words).success();
        let mut new = job(world, &namespace, name).unwrap();
        assert!(is_new(&new), "{name}: {new}");
        new["spec"]["template"]["spec"]["containers"][0].as_object_mut().unwrap().remove("env");
        assert_eq!(own_spec(&new), own_spec(&old), "{name}");
        assert_eq!(new["spec"]["selector"] == own, name == "selecting", "{name}");
    }
}

#[scenario]
fn without_a_choice_nothing_is_done_and_both_ways_are_named(world: &World, sandbox: &Sandbox) {
    let (namespace, old) = prepared(world);
    let refused = sandbox.run(["attach", "s", "job/train", "--env", "token", "-n", &namespace]).fails_with(2);
    assert!(refused.stderr.contains("hint: --recreate "), "{refused}");
    assert!(refused.stderr.contains("hint: --copy-as NAME "), "{refused}");
    let words = ["attach", "s", "job/train", "--env", "token", "--recreate", "-n", &namespace];
    let refused = sandbox.run(words).fails_with(2);
    assert!(refused.stderr.contains("hint: add --yes"), "{refused}");
    assert_eq!(job(world, &namespace, "train").unwrap()["metadata"]["uid"], old["metadata"]["uid"]);
}

#[scenario]
fn a_copy_leaves_the_job_as_it_is(world: &World, sandbox: &Sandbox) {
    let (namespace, old) = prepared(world);
    let words =
        ["attach", "s", "job/train", "--env", "TOKEN=token", "--copy-as", "train-2", "-n", &namespace];
    assert_eq!(sandbox.run(words).success().stdout, "job.batch/train-2 created\n");
    let copy = job(world, &namespace, "train-2").unwrap();
    assert!(is_new(&copy));
    assert_eq!(copy["metadata"]["labels"]["team"], "a");
    assert_eq!(job(world, &namespace, "train").unwrap()["metadata"]["uid"], old["metadata"]["uid"]);
}

#[scenario]
fn a_dry_run_lists_what_the_question_would(world: &World, sandbox: &Sandbox) {
    let (namespace, _) = prepared(world);
    for dry in ["--dry-run=client", "--dry-run=server"] {
        let told = sandbox.run(recreate(&namespace).iter().copied().chain([dry])).success();
        assert!(
            told.stderr.contains(&format!("  * job.batch/train in namespace {namespace} is deleted; ")),
            "{told}"
        );
        assert!(told.stderr.contains("  * env TOKEN ← SECRET:s,token in container main\n"), "{told}");
        assert!(!told.stderr.contains("brings the old one back"), "{told}");
    }
}

#[scenario]
fn quiet_hides_what_nobody_is_asked_about_and_not_the_way_back(world: &World, sandbox: &Sandbox) {
    let (namespace, _) = prepared(world);
    let quiet = sandbox.run(recreate(&namespace).iter().copied().chain(["-q"])).success();
    assert!(
        quiet.stderr.starts_with("  * if this is cut short, this command brings the old one back: "),
        "{quiet}"
    );
    assert_eq!(quiet.stderr.lines().count(), 1, "{quiet}");
}

#[scenario]
fn a_server_dry_run_leaves_the_job_alone(world: &World, sandbox: &Sandbox) {
    let (namespace, old) = prepared(world);
    let dry = sandbox.run(recreate(&namespace).iter().copied().chain(["--dry-run=server"])).success();
    assert_eq!(dry.stdout, "job.batch/train recreated (server dry run)\n");
    assert_eq!(job(world, &namespace, "train").unwrap()["metadata"]["uid"], old["metadata"]["uid"]);
}
