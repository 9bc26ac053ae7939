//! `submit`.

use serde_json::json;
use support::{Sandbox, World, scenario};

use crate::definitions::define;
use crate::workloads::{env_from, job};

#[scenario]
fn a_misspelt_key_is_found_before_the_job_exists(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "hf", &[("HF_TOKEN", "hf-value-1234")]);
    let words = ["submit", "train", "-i", "ubuntu", "-e", "HF_TOKEN=SECRET:hf,HF_TOKNE", "-n", &namespace];
    let refused = sandbox.run(words).fails_with(1);
    assert!(refused.stderr.contains("did you mean \"HF_TOKEN\"?"), "{refused}");
    assert!(world.writes().is_empty());
}

#[scenario]
fn who_puts_a_secret_where_everybody_reads_it_is_warned(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let submit = |words: &[&str]| {
        let submitted =
            sandbox.run(["submit", "-i", "ubuntu", "-n", &namespace].iter().chain(words)).success();
        submitted.never_shows(b"hf_abcdefghijklmnopqrst");
        submitted
            .stderr
            .contains("seems to hold a secret, and everybody who may see the workload can read it")
    };
    for words in [
        &["--", "run", "--token=hf_abcdefghijklmnopqrst"][..],
        &["--command", "--", "sh", "-c", "HF_TOKEN=hf_abcdefghijklmnopqrst run"],
        &["-e", "HF_TOKEN=hf_abcdefghijklmnopqrst"],
    ] {
        assert!(submit(words), "{words:?}");
    }
    assert!(!submit(&["-e", "EPOCHS=10", "--", "run", "--max-tokens=100", "--token=$HF_TOKEN"]));
}

#[scenario]
fn a_name_is_made_when_none_is_given(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let submitted = sandbox.run(["submit", "-i", "ubuntu", "-n", &namespace, "-o", "name"]).success();
    let name = submitted.stdout.trim().strip_prefix("job.batch/job-").unwrap().to_owned();
    assert_eq!(name.len(), 5);
    assert!(job(world, &namespace, &format!("job-{name}")).is_some());
}

#[scenario]
fn a_part_of_a_gpu_is_an_annotation_for_the_scheduler(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    sandbox.run(["submit", "half", "-i", "ubuntu", "-g", "0.5", "-n", &namespace]).success();
    let template = job(world, &namespace, "half").unwrap()["spec"]["template"].clone();
    assert_eq!(template["metadata"]["annotations"]["gpu-fraction"], "0.5");
    assert_eq!(template["spec"]["containers"][0]["resources"], json!({}));
}

#[scenario]
fn what_follows_the_dashes_is_arguments_or_the_command(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    sandbox.run(["submit", "a", "-i", "ubuntu", "-n", &namespace, "--", "x", "-y", "--z"]).success();
    sandbox.run(["submit", "b", "-i", "ubuntu", "-n", &namespace, "--command", "--", "sleep", "1"]).success();
    let container = |name: &str| {
        job(world, &namespace, name).unwrap()["spec"]["template"]["spec"]["containers"][0].clone()
    };
    assert_eq!(
        (&container("a")["args"], &container("a")["command"]),
        (&json!(["x", "-y", "--z"]), &json!(null))
    );
    assert_eq!((&container("b")["args"], &container("b")["command"]), (&json!(null), &json!(["sleep", "1"])));
}

#[scenario]
fn a_whole_secret_becomes_files_or_variables(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "ssh", &[("id_ed25519", "not-a-real-key")]);
    let words = [
        "submit",
        "a",
        "-i",
        "ubuntu",
        "-n",
        &namespace,
        "--secret-volume",
        "path=/etc/ssh-key,name=ssh",
        "--env-secret",
        "KEY=ssh,key=id_ed25519",
        "--env-all",
        "ssh",
        "--env-all=ssh=SSH_",
    ];
    sandbox.run(words).success();
    let pod = job(world, &namespace, "a").unwrap()["spec"]["template"]["spec"].clone();
    assert_eq!(pod["volumes"][0]["secret"]["secretName"], "ssh");
    assert_eq!(pod["containers"][0]["env"][0]["valueFrom"]["secretKeyRef"]["key"], "id_ed25519");
    let all = &pod["containers"][0]["envFrom"];
    assert_eq!((&all[0]["prefix"], &all[1]["prefix"]), (&json!(null), &json!("SSH_")), "{all}");
}

#[scenario]
fn a_taken_name_is_refused_in_kubectls_words(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let words = ["submit", "a", "-i", "ubuntu", "-n", &namespace];
    sandbox.run(words).success();
    let refused = sandbox.run(words).fails_with(1);
    let expected =
        "Error from server (AlreadyExists): jobs.batch \"a\" already exists\nhint: choose another name";
    assert!(refused.stderr.starts_with(expected), "{refused}");
}

#[scenario]
fn run_ais_own_kinds_get_their_own_fields(world: &World, sandbox: &Sandbox) {
    define(world, &["run.ai"]);
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "s", &[("token", "t0ken-value"), ("user", "jane")]);
    let words = [
        "submit",
        "train",
        "--kind=trainingworkload",
        "-i",
        "ubuntu",
        "-g",
        "0.5",
        "-e",
        "EPOCHS=10",
        "-e",
        "TOKEN=SECRET:s,token",
        "--env-all=s",
        "-n",
        &namespace,
        "--",
        "python",
        "a b.py",
    ];
    let submitted = sandbox.run(words).success();
    assert_eq!(submitted.stdout, "trainingworkload.run.ai/train created\n");
    let path = format!("/apis/run.ai/v2alpha1/namespaces/{namespace}/trainingworkloads/train");
    let variable = |value: &str| json!({"value": value});
    let expected = json!({
        "name": {"value": "train"}, "image": {"value": "ubuntu"}, "gpu": {"value": "0.5"},
        "arguments": {"value": "python 'a b.py'"},
        "environment": {"items": {
            "EPOCHS": variable("10"), "TOKEN": variable("SECRET:s,token"), "token": variable("SECRET:s,token"),
            "user": variable("SECRET:s,user"),
        }},
    });
    assert_eq!(world.get(&path).unwrap()["spec"], expected);
    for (kind, made) in
        [("runaijob", "runaijob.run.ai/x"), ("interactiveworkload", "interactiveworkload.run.ai/x")]
    {
        let words =
            ["submit", "x", "--kind", kind, "-i", "ubuntu", "-e", "TOKEN=SECRET:s,token", "-n", &namespace];
        assert_eq!(sandbox.run(words).success().stdout, format!("{made} created\n"));
    }
    let job = world.get(&format!("/apis/run.ai/v1/namespaces/{namespace}/runaijobs/x")).unwrap();
    assert_eq!(job["spec"]["template"]["spec"]["containers"][0]["env"], env_from("TOKEN", "s", "token"));
}

#[test]
fn what_run_ais_own_kinds_cannot_have_is_refused_before_anything_is_sent() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    for (flags, part) in [
        (&["--secret-volume=path=/s,name=s"][..], "as files"),
        (&["--image-pull-secret=s"], "for pulling images"),
        (&["--interactive"], "--kind interactiveworkload"),
        (&["--ttl-after-finish=1h"], "--ttl-after-finish has no documented field"),
        (&["--kai-queue=q"], "without Run:ai"),
        (&["--wait"], "--wait works only for a Job"),
    ] {
        let words = ["submit", "--kind=trainingworkload", "-i", "ubuntu"].iter().chain(flags);
        let refused = sandbox.run(words).fails_with(2);
        assert!(refused.stderr.contains(part), "{part:?} is missing in {refused}");
    }
    assert!(world.requests().is_empty());
}

#[test]
fn the_mistakes_that_runai_swallows_are_said_before_anything_is_sent() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let cases = [
        ("A=SECRET:s", "the key is missing"),
        ("A=SECRET:s,k,x", "more than one comma"),
        ("A=SECRET:s:t,k", "second colon"),
        ("A=secret:s,k", "looks like a reference"),
        ("A", "VAR=value or VAR=SECRET:"),
    ];
    for (entry, part) in cases {
        let refused = sandbox.run(["submit", "-i", "ubuntu", "-e", entry]).fails_with(2);
        assert!(refused.stderr.contains(part), "{part:?} is missing in {refused}");
    }
    for words in
        [&["-g", "1.5"][..], &["-g", "x"], &["--command"], &["Not-A-Name"], &["--mode=zzz"], &["--mode=0400"]]
    {
        let words = ["submit", "-i", "ubuntu"].iter().chain(words);
        sandbox.run(words).fails_with(2);
    }
    assert!(world.requests().is_empty());
}

#[test]
fn a_label_or_an_annotation_with_two_values_is_refused() {
    for flag in ["--label", "--annotation"] {
        let line = ["submit", "t", "-i", "ubuntu", flag, "a=1", flag, "a=2", "--dry-run=client"];
        let outcome = Sandbox::new().run(line).fails_with(2);
        assert!(outcome.stderr.contains(&format!("{flag} gives two values for a")), "{outcome}");
    }
}
