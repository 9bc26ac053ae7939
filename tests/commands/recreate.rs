//! `attach --recreate` and `--copy-as`, for workloads that can't be changed: here Jobs.
//!
//! The promise of `--recreate`: at every moment the cluster has the old Job or the new one, or a printed command brings
//! the old one back. The tests stop the plugin at each request, on both sides of the server.

mod choices;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use support::{Fault, Hold, Outcome, Sandbox, World, scenario};

use crate::workloads::{create_job, env_from, env_of, job, job_path, own_spec};

const REACHED: Duration = Duration::from_mins(1);

/// A namespace with the Job `train` and the secret `s`; the Job as the server has it.
fn prepared(world: &World) -> (String, Value) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "s", &[("token", "t0ken-value")]);
    let job = create_job(world, &namespace, "train");
    (namespace, job)
}

fn recreate(namespace: &str) -> [&str; 9] {
    ["attach", "s", "job/train", "--env", "TOKEN=token", "--recreate", "--yes", "-n", namespace]
}

fn is_new(job: &Value) -> bool {
    env_of(&job["spec"]) == &env_from("TOKEN", "s", "token")
}

/// The manifests that were saved and are still there.
fn saved(sandbox: &Sandbox) -> Vec<PathBuf> {
    let folder = sandbox.home().join(".local/state/kubectl-runai-secret");
    fs::read_dir(folder).map(|files| files.map(|file| file.unwrap().path()).collect()).unwrap_or_default()
}

/// Checks the promise after the plugin is gone, whatever it had done until then.
#[track_caller]
fn promise_holds(world: &World, sandbox: &Sandbox, namespace: &str, old: &Value, outcome: &Outcome) {
    // What was deleted may still be on its way out.
    let start = std::time::Instant::now();
    let now = loop {
        match job(world, namespace, "train") {
            Some(now) if now["metadata"]["deletionTimestamp"].is_string() => {
                assert!(start.elapsed() < REACHED, "the old job does not go");
                std::thread::sleep(Duration::from_millis(20));
            }
            other => break other,
        }
    };
    if let Some(now) = now {
        assert!(is_new(&now) || own_spec(&now) == own_spec(old), "neither the old nor the new job: {now}");
        return;
    }
    let line = outcome
        .stderr
        .lines()
        .find_map(|line| line.split_once("brings the old one back: "))
        .map(|(_, line)| line);
    let command: Vec<&str> =
        line.unwrap_or_else(|| panic!("no command was printed: {outcome}")).split(' ').collect();
    let ["kubectl", "create", "-f", path] = command.as_slice() else { panic!("not a command: {command:?}") };
    let mode = fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the manifest is for its owner alone");
    if world.is_real() {
        sandbox.kubectl(command.iter().skip(1)).success();
    } else {
        let manifest: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        world.create(&job_path(namespace, ""), &manifest);
    }
    let back = job(world, namespace, "train").expect("the command brings it back");
    assert_eq!(own_spec(&back), own_spec(old));
    assert_eq!(back["metadata"]["labels"]["team"], "a");
    assert_eq!(back["metadata"]["annotations"], old["metadata"]["annotations"]);
}

#[scenario]
fn killed_at_any_point_the_old_or_the_new_job_is_there_or_comes_back(world: &World, sandbox: &Sandbox) {
    let (namespace, _) = prepared(world);
    // However many requests it takes: until one run is no longer stopped.
    for (nth, point) in (1..40).flat_map(|nth| [(nth, Hold::BeforeForwarding), (nth, Hold::AfterForwarding)])
    {
        if job(world, &namespace, "train").is_none_or(|job| is_new(&job)) {
            renew(world, &namespace);
        }
        let old = job(world, &namespace, "train").unwrap();
        let gate = world.hold(Fault::on("*", "/jobs").nth(nth), point);
        let mut running = sandbox.spawn(recreate(&namespace));
        while !gate.wait_reached(Duration::from_millis(50)) && running.is_running() {}
        if !running.is_running() {
            running.wait().success();
            assert!(nth > 4, "it takes at least get, dry run, delete, look and create: {:?}", world.lines());
            return;
        }
        let outcome = running.kill();
        assert!(gate.wait_left(REACHED));
        gate.release();
        promise_holds(world, sandbox, &namespace, &old, &outcome);
    }
    panic!("it never came to its end");
}

#[scenario]
fn ctrl_c_in_the_middle_finishes(world: &World, sandbox: &Sandbox) {
    let (namespace, _) = prepared(world);
    let gate = world.hold(Fault::on("DELETE", "/jobs/train"), Hold::AfterForwarding);
    let running = sandbox.spawn(recreate(&namespace));
    assert!(gate.wait_reached(REACHED));
    running.interrupt();
    running.wait_for_stderr("finishing first");
    gate.release();
    running.wait().success();
    assert!(is_new(&job(world, &namespace, "train").unwrap()));
    assert!(saved(sandbox).is_empty(), "a manifest that is not needed any more is removed");
}

#[scenario]
fn ctrl_c_before_the_delete_changes_nothing(world: &World, sandbox: &Sandbox) {
    let (namespace, old) = prepared(world);
    let gate = world.hold(Fault::on("POST", "dryRun=All"), Hold::BeforeForwarding);
    let running = sandbox.spawn(recreate(&namespace));
    assert!(gate.wait_reached(REACHED));
    running.interrupt();
    running.wait().fails_with(130).never_shows(b"t0ken-value");
    gate.release();
    assert_eq!(job(world, &namespace, "train").unwrap()["metadata"]["uid"], old["metadata"]["uid"]);
}

#[scenario]
fn a_create_that_is_refused_puts_the_old_job_back(world: &World, sandbox: &Sandbox) {
    for code in [403, 422] {
        let (namespace, old) = (world.namespace("a"), renewed(world));
        // The first POST is the dry run, the second the creation, the third brings the old one back.
        world.fail(Fault::on("POST", "/jobs").nth(2).answer(code));
        let refused = sandbox.run(recreate(&namespace)).fails_with(1);
        assert!(refused.stderr.contains("the old job.batch/train was put back as it was"), "{refused}");
        assert_eq!(own_spec(&job(world, &namespace, "train").unwrap()), own_spec(&old));
        assert!(saved(sandbox).is_empty());
        world.clear_faults();
    }
}

#[scenario]
fn when_nothing_can_be_created_the_manifest_stays_and_the_command_is_said(world: &World, sandbox: &Sandbox) {
    let (namespace, old) = prepared(world);
    world.fail(Fault::on("POST", "/jobs").nth(2).for_ever().answer(403));
    let refused = sandbox.run(recreate(&namespace)).fails_with(1);
    world.clear_faults();
    assert!(
        refused.stderr.contains("hint: to bring the old one back, if it is gone: kubectl create -f "),
        "{refused}"
    );
    assert_eq!(saved(sandbox).len(), 1);
    promise_holds(world, sandbox, &namespace, &old, &refused);
}

#[scenario]
fn a_delete_that_is_refused_leaves_the_job_alone(world: &World, sandbox: &Sandbox) {
    let (namespace, old) = prepared(world);
    let delete = || Fault::on("DELETE", "/jobs/train").for_ever();
    for fault in [delete().answer(403), delete().answer(409), delete().answer_after(429, 3600)] {
        world.fail(fault);
        let refused = sandbox.run(recreate(&namespace)).fails_with(1);
        world.clear_faults();
        assert!(
            refused.stderr.contains("job.batch/train is there as before; nothing was changed"),
            "{refused}"
        );
        assert_eq!(job(world, &namespace, "train").unwrap()["metadata"]["uid"], old["metadata"]["uid"]);
        assert!(saved(sandbox).is_empty());
    }
}

#[scenario]
fn a_delete_that_may_still_come_leaves_the_command(world: &World, sandbox: &Sandbox) {
    let (namespace, old) = prepared(world);
    let delete = || Fault::on("DELETE", "/jobs/train").for_ever();
    for fault in
        [delete().answer(500), delete().answer(503), delete().html(502), delete().drop_before_forwarding()]
    {
        world.fail(fault);
        let lost = sandbox.run(recreate(&namespace)).fails_with(1);
        world.clear_faults();
        assert!(
            lost.stderr.contains("hint: to bring the old one back, if it is gone: kubectl create"),
            "{lost}"
        );
        assert!(!lost.stderr.contains("nothing was changed"), "nobody knows: {lost}");
        assert_eq!(saved(sandbox).len(), 1);
        promise_holds(world, sandbox, &namespace, &old, &lost);
        std::fs::remove_file(&saved(sandbox)[0]).unwrap();
    }
}

#[scenario]
fn a_creation_that_was_done_and_answered_with_an_error_is_found(world: &World, sandbox: &Sandbox) {
    for code in [500, 504] {
        let (namespace, old) = (world.namespace("a"), renewed(world));
        let gate = world.hold(Fault::on("POST", "/jobs").nth(2), Hold::AfterForwarding);
        world.fail(Fault::on("POST", "/jobs").nth(3).answer(code));
        let running = sandbox.spawn(recreate(&namespace).iter().copied().chain(["--request-timeout=2s"]));
        assert!(gate.wait_reached(REACHED));
        running.wait().success();
        gate.release();
        world.clear_faults();
        let new = job(world, &namespace, "train").unwrap();
        assert!(is_new(&new) && new["metadata"]["uid"] != old["metadata"]["uid"]);
    }
}

#[scenario]
fn a_conflict_of_the_quota_is_tried_again(world: &World, sandbox: &Sandbox) {
    let (namespace, _) = prepared(world);
    let words = "Operation cannot be fulfilled on resourcequotas \"q\": the object has been modified";
    world.fail(Fault::on("POST", "/jobs").nth(2).times(2).answer_with(409, words));
    sandbox.run(recreate(&namespace)).success();
    assert!(is_new(&job(world, &namespace, "train").unwrap()));
}

#[scenario]
fn a_hangup_in_the_middle_finishes_too(world: &World, sandbox: &Sandbox) {
    let (namespace, _) = prepared(world);
    let gate = world.hold(Fault::on("DELETE", "/jobs/train"), Hold::AfterForwarding);
    let running = sandbox.spawn(recreate(&namespace));
    assert!(gate.wait_reached(REACHED));
    running.signal("HUP");
    running.wait_for_stderr("finishing first");
    gate.release();
    running.wait().success();
    assert!(is_new(&job(world, &namespace, "train").unwrap()));
}

#[scenario]
fn two_at_once_keep_a_manifest_each(world: &World, sandbox: &Sandbox) {
    let (namespace, _) = prepared(world);
    let gate = world.hold(Fault::on("DELETE", "/jobs/train"), Hold::BeforeForwarding);
    let first = sandbox.spawn(recreate(&namespace));
    assert!(gate.wait_reached(REACHED));
    let second = sandbox.spawn(recreate(&namespace));
    let start = std::time::Instant::now();
    while saved(sandbox).len() < 2 {
        assert!(start.elapsed() < REACHED, "there is one manifest for both");
        std::thread::sleep(Duration::from_millis(10));
    }
    gate.release();
    let ended = [first.wait(), second.wait()];
    assert!(ended.iter().any(|outcome| outcome.code == Some(0)), "{ended:?}");
    assert!(is_new(&job(world, &namespace, "train").unwrap()));
}

#[scenario]
fn quiet_does_not_hide_the_command(world: &World, sandbox: &Sandbox) {
    let (namespace, _) = prepared(world);
    let quiet = sandbox.run(recreate(&namespace).iter().copied().chain(["--quiet"])).success();
    assert!(quiet.stderr.contains("brings the old one back: kubectl create -f "), "{quiet}");
    assert_eq!(quiet.stdout, "");
}

#[scenario]
fn a_job_with_a_long_name_can_be_recreated(world: &World, sandbox: &Sandbox) {
    let (namespace, name) = (world.namespace("a"), format!("{}.{}", "n".repeat(50), "m".repeat(7)));
    world.create_secret(&namespace, "s", &[("token", "t0ken-value")]);
    create_job(world, &namespace, &name);
    let target = format!("job/{name}");
    let words = ["attach", "s", &target, "--env", "TOKEN=token", "--recreate", "--yes", "-n", &namespace];
    sandbox.run(words).success();
    assert!(is_new(&job(world, &namespace, &name).unwrap()));
}

#[scenario]
fn a_server_that_is_gone_after_the_delete_leaves_the_command(world: &World, sandbox: &Sandbox) {
    let (namespace, old) = prepared(world);
    // From the delete on nothing gets through, not even the look whether it worked.
    world.fail(Fault::on("DELETE", "/jobs/train").drop_after_forwarding());
    world.fail(Fault::on("GET", "/jobs/train").nth(2).for_ever().drop_before_forwarding());
    world.fail(Fault::on("POST", "/jobs").nth(2).for_ever().drop_before_forwarding());
    let words = recreate(&namespace);
    let lost = sandbox.run(words.iter().copied().chain(["--timeout", "2s"])).fails_with(1);
    world.clear_faults();
    assert!(lost.stderr.contains("hint: to bring the old one back, if it is gone: kubectl create"), "{lost}");
    assert_eq!(saved(sandbox).len(), 1);
    promise_holds(world, sandbox, &namespace, &old, &lost);
}

#[scenario]
fn a_creation_whose_answer_is_lost_for_good_is_not_done_twice(world: &World, sandbox: &Sandbox) {
    let (namespace, old) = prepared(world);
    world.fail(Fault::on("POST", "/jobs").nth(2).for_ever().drop_after_forwarding());
    sandbox.run(recreate(&namespace)).success();
    world.clear_faults();
    let new = job(world, &namespace, "train").unwrap();
    assert!(is_new(&new) && new["metadata"]["uid"] != old["metadata"]["uid"]);
    assert!(saved(sandbox).is_empty());
}

#[scenario]
fn a_job_that_somebody_else_made_meanwhile_is_not_taken_for_the_new_one(world: &World, sandbox: &Sandbox) {
    let (namespace, _) = prepared(world);
    let gate = world.hold(Fault::on("POST", "/jobs").nth(2), Hold::BeforeForwarding);
    let running = sandbox.spawn(recreate(&namespace).iter().copied().chain(["--request-timeout=2s"]));
    assert!(gate.wait_reached(REACHED));
    let theirs = create_job(world, &namespace, "train");
    let refused = running.wait().fails_with(1);
    gate.release();
    assert!(refused.stderr.contains("\nError from server (AlreadyExists)"), "{refused}");
    assert!(
        refused.stderr.contains("somebody else made another one meanwhile, which was not touched"),
        "{refused}"
    );
    assert!(
        refused.stderr.contains("to bring the old one back, if it is gone: kubectl create -f"),
        "{refused}"
    );
    assert_eq!(saved(sandbox).len(), 1);
    assert_eq!(job(world, &namespace, "train").unwrap()["metadata"]["uid"], theirs["metadata"]["uid"]);
}

#[scenario]
fn answers_that_get_lost_do_not_stop_it(world: &World, sandbox: &Sandbox) {
    for method in ["DELETE", "POST"] {
        let (namespace, old) = (world.namespace("a"), renewed(world));
        let nth = if method == "POST" { 2 } else { 1 };
        world.fail(Fault::on(method, "/jobs").nth(nth).drop_after_forwarding());
        sandbox.run(recreate(&namespace)).success();
        let new = job(world, &namespace, "train").unwrap();
        assert!(is_new(&new) && new["metadata"]["uid"] != old["metadata"]["uid"], "{method}");
        world.clear_faults();
    }
}

#[scenario]
fn a_server_that_would_refuse_the_new_job_is_asked_before_the_old_one_goes(world: &World, sandbox: &Sandbox) {
    let (namespace, old) = prepared(world);
    world.fail(Fault::on("POST", "dryRun=All").answer(422));
    let refused = sandbox.run(recreate(&namespace)).fails_with(1);
    assert!(refused.stderr.contains("job.batch/train was not touched"), "{refused}");
    assert_eq!(job(world, &namespace, "train").unwrap()["metadata"]["uid"], old["metadata"]["uid"]);
    assert!(saved(sandbox).is_empty());
}

#[scenario]
fn a_job_that_somebody_changed_meanwhile_is_not_deleted(world: &World, sandbox: &Sandbox) {
    let (namespace, old) = prepared(world);
    let gate = world.hold(Fault::on("DELETE", "/jobs/train"), Hold::BeforeForwarding);
    let running = sandbox.spawn(recreate(&namespace));
    assert!(gate.wait_reached(REACHED));
    world.patch(&job_path(&namespace, "train"), &json!({ "metadata": { "labels": { "theirs": "too" } } }));
    gate.release();
    let refused = running.wait().fails_with(1);
    assert!(refused.stderr.contains("was changed by somebody else meanwhile"), "{refused}");
    let now = job(world, &namespace, "train").unwrap();
    assert_eq!(now["metadata"]["uid"], old["metadata"]["uid"]);
    assert_eq!(now["metadata"]["labels"]["theirs"], "too");
}

#[scenario]
fn a_job_that_does_not_go_is_given_up_in_time_with_what_holds_it(world: &World, sandbox: &Sandbox) {
    let (namespace, _) = prepared(world);
    let held = json!({ "metadata": { "finalizers": ["example.com/never"] } });
    world.patch(&job_path(&namespace, "train"), &held);
    let words = recreate(&namespace);
    let given_up = sandbox.run(words.iter().copied().chain(["--timeout", "1s"])).fails_with(1);
    assert!(given_up.stderr.contains("still there after 1 s: it waits for"), "{given_up}");
    assert!(given_up.stderr.contains("example.com/never"), "{given_up}");
    assert!(
        given_up.stderr.contains("hint: to bring the old one back, if it is gone: kubectl create -f "),
        "{given_up}"
    );
    world.patch(&job_path(&namespace, "train"), &json!({ "metadata": { "finalizers": null } }));
}

/// Puts the old Job in the place of whatever is there.
fn renew(world: &World, namespace: &str) {
    if job(world, namespace, "train").is_some() {
        let path = format!("{}?propagationPolicy=Background", job_path(namespace, "train"));
        world.delete(&path);
        let start = std::time::Instant::now();
        while job(world, namespace, "train").is_some() {
            assert!(start.elapsed() < REACHED, "the job does not go");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    create_job(world, namespace, "train");
}

fn renewed(world: &World) -> Value {
    let namespace = world.namespace("a");
    if world.secret(&namespace, "s").is_none() {
        world.create_secret(&namespace, "s", &[("token", "t0ken-value")]);
    }
    renew(world, &namespace);
    job(world, &namespace, "train").unwrap()
}

/// Who can write to the folder can put another manifest in the place of the saved one.
#[test]
fn a_folder_that_is_not_ones_own_keeps_no_manifest_and_nothing_is_deleted() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let (namespace, old) = prepared(&world);
    let state = |name: &str| {
        let state = sandbox.path().join(name);
        std::fs::create_dir_all(&state).unwrap();
        state
    };
    let open = state("open").join("kubectl-runai-secret");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    std::os::unix::fs::symlink(state("elsewhere"), state("linked").join("kubectl-runai-secret")).unwrap();
    for name in ["open", "linked"] {
        let refused = sandbox.env("XDG_STATE_HOME", state(name)).run(recreate(&namespace)).fails_with(1);
        assert!(refused.stderr.contains(" is not yours alone\nhint: nothing was changed"), "{refused}");
    }
    let run = sandbox.env("XDG_STATE_HOME", "relative").env("HOME", "relative");
    let refused = run.run(recreate(&namespace)).fails_with(1);
    assert!(refused.stderr.contains("a path that begins with /"), "{refused}");
    assert_eq!(job(&world, &namespace, "train").unwrap()["metadata"]["uid"], old["metadata"]["uid"]);
    sandbox.env("XDG_STATE_HOME", "relative").run(recreate(&namespace)).success();
    assert!(!sandbox.path().join("relative").exists());
}
