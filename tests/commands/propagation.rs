//! A shared secret from the label to the proof and back, with a controller at work, one that dies, and a server that fails.

use std::time::Duration;

use serde_json::{Value, json};
use support::{Fault, Hold, Project, Sandbox, World, scenario};

use crate::status::{Shared, create, eventually, hold_back_deletion, let_go, our_copy, state, value};

const VALUE: &str = "shared-value-of-the-source";

const REACHED: Duration = Duration::from_mins(1);

fn path(project: &Project) -> String {
    format!("/api/v1/namespaces/{}/secrets/hf", project.namespace)
}

/// The state of each project, in this order; `status` ends with this code.
fn states(sandbox: &Sandbox, shared: &Shared, projects: &[Project], code: i32) -> Vec<String> {
    let report = sandbox.run(shared.run(&["status", "hf", "-o", "json"])).fails_with(code).json();
    projects.iter().map(|project| state(&report, project)).collect()
}

/// The projects by what `sync -o json` says was done there.
fn projects_with<'a>(report: &'a Value, result: &str) -> Vec<&'a str> {
    let rows = report["secrets"][0]["projects"].as_array().unwrap();
    rows.iter().filter(|row| row["result"] == result).map(|row| row["project"].as_str().unwrap()).collect()
}

fn all_have(world: &World, projects: &[Project]) -> bool {
    projects.iter().all(|project| value(world, project).as_deref() == Some(VALUE))
}

#[scenario]
fn from_the_label_to_the_proof_and_back_to_order(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    shared.unshare(world);
    let projects = ["copied", "stale", "pending", "conflict", "going"].map(|name| world.project(name));
    let [copied, stale, pending, conflict, going] = &projects;
    let run = |words: &[&str]| sandbox.run(shared.run(words));
    let states = |code: i32| states(sandbox, &shared, &projects, code);
    let controller = world.start_propagation();
    run(&["label", "hf", "--wait"]).success();
    assert!(all_have(world, &projects));
    drop(controller);

    world.patch(&path(stale), &json!({"data": {"token": "ZWRpdGVk"}}));
    world.delete(&path(pending));
    world.delete(&path(conflict));
    create(world, &conflict.namespace, &json!({}), &json!({}), "of the project itself");
    hold_back_deletion(world, &going.namespace);
    world.delete(&format!("/api/v1/namespaces/{}", going.namespace));
    assert_eq!(states(3), ["copied", "stale", "pending", "conflict", "terminating"]);

    let (kept, theirs) = (world.secret(&copied.namespace, "hf"), world.secret(&conflict.namespace, "hf"));
    world.clear_log();
    let careful = run(&["sync", "hf", "--to-project", &stale.name]).fails_with(3);
    assert!(careful.stderr.contains("only Run:ai's label or owner says that it is a copy"), "{careful}");
    assert_eq!(value(world, stale).as_deref(), Some("edited"), "nobody knows whose it is");
    let words = ["sync", "hf", "--to-project", &stale.name, "--adopt", "--yes"];
    assert_eq!(run(&words).success().stdout, format!("secret/hf adopted in {}\n", stale.name));
    world.clear_log();
    let synced = run(&["sync", "hf"]).fails_with(3);
    let expected = [("created", pending)];
    let expected = expected.map(|(verb, project)| format!("secret/hf {verb} in {}\n", project.name));
    assert_eq!(synced.stdout, expected.concat());
    for (project, reason) in [(conflict, "made by somebody else"), (going, "it is being deleted")] {
        let line =
            synced.stderr.lines().find(|line| line.contains(&format!("{}: hf is left alone", project.name)));
        assert!(line.is_some_and(|line| line.contains(reason)), "{synced}");
    }
    assert_eq!(world.writes().len(), 1, "{:?}", world.lines());
    assert_eq!(states(3), ["copied", "copied", "copied", "conflict", "terminating"]);
    world.clear_log();
    assert_eq!(run(&["sync", "hf"]).fails_with(3).stdout, "");
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    assert_eq!(
        (world.secret(&copied.namespace, "hf"), world.secret(&conflict.namespace, "hf")),
        (kept, theirs)
    );

    run(&["label", "hf", "--remove", "--yes"]).success();
    assert_eq!(states(3), ["orphan", "orphan", "orphan", "foreign", "terminating"]);
    let pruned = run(&["sync", "hf", "--prune", "--yes"]).success();
    let deleted = [pending, stale].map(|project| format!("secret/hf deleted in {}\n", project.name));
    assert_eq!(pruned.stdout, deleted.concat(), "Run:ai's are Run:ai's to remove");
    assert_eq!(states(3), ["orphan", "absent", "absent", "foreign", "terminating"]);
    let _controller = world.start_propagation();
    eventually("the controller removes its own", || {
        states_now(sandbox, &shared, &projects) == ["absent", "absent", "absent", "foreign", "terminating"]
    });
    assert_eq!(value(world, conflict).as_deref(), Some("of the project itself"));
    let_go(world, &going.namespace);
}

#[scenario]
fn a_controller_that_dies_in_the_middle_is_missed_and_when_it_is_back_the_wait_ends(
    world: &World,
    sandbox: &Sandbox,
) {
    let shared = Shared::new(world);
    shared.unshare(world);
    let mut projects: Vec<Project> = (0..30).map(|number| world.project(&format!("p{number:02}"))).collect();
    let controller = world.start_propagation();
    sandbox.run(shared.run(&["label", "hf"])).success();
    eventually("the first copy arrives", || projects.iter().any(|project| value(world, project).is_some()));
    drop(controller);
    projects.push(world.project("late"));
    let halfway = states(sandbox, &shared, &projects, 3);
    assert!(halfway.contains(&"copied".to_owned()) && halfway.last().unwrap() == "pending", "{halfway:?}");
    assert!(halfway.iter().all(|state| state == "copied" || state == "pending"), "{halfway:?}");
    let tired = sandbox.run(shared.run(&["label", "hf", "--wait=1ms"])).fails_with(3);
    assert!(tired.stderr.contains("pending"), "{tired}");

    world.clear_log();
    let mut waiting = sandbox.spawn(shared.run(&["label", "hf", "--wait=50s"]));
    let looks = || world.calls().iter().filter(|call| *call == "GET /api/v1/secrets").count();
    eventually("it looks again", || looks() > 1);
    assert!(waiting.is_running());
    let _controller = world.start_propagation();
    let arrived = waiting.wait().success();
    assert_eq!(arrived.stdout.matches(" copied\n").count(), 31, "{arrived}");
    assert!(all_have(world, &projects));
    assert!(states(sandbox, &shared, &projects, 0).iter().all(|state| state == "copied"));
}

#[scenario]
fn a_controller_at_work_and_sync_do_not_get_into_each_others_way(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let projects: Vec<Project> = (0..12).map(|number| world.project(&format!("p{number}"))).collect();
    let _controller = world.start_propagation();
    sandbox.run(shared.run(&["sync", "hf"])).success();
    eventually("all have it", || all_have(world, &projects));
    let first = projects.iter().map(|project| world.secret(&project.namespace, "hf").unwrap());
    let first: Vec<Value> = first.map(|secret| secret["metadata"]["uid"].clone()).collect();
    world.clear_log();
    assert_eq!(sandbox.run(shared.run(&["sync", "hf"])).success().stdout, "");
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    let uid = |project: &Project| world.secret(&project.namespace, "hf").unwrap()["metadata"]["uid"].clone();
    assert_eq!(projects.iter().map(uid).collect::<Vec<_>>(), first, "whoever was first");
}

#[scenario]
fn where_writes_fail_each_project_ends_copied_or_is_reported_and_the_next_run_does_the_rest(
    world: &World,
    sandbox: &Sandbox,
) {
    let shared = Shared::new(world);
    let projects: Vec<Project> = (0..60).map(|number| world.project(&format!("p{number:02}"))).collect();
    for project in projects.iter().step_by(2) {
        our_copy(world, &shared, &project.namespace, "edited-by-hand");
    }
    for method in ["POST", "PATCH"] {
        world.fail(Fault::on(method, "/secrets").every(20).answer_after(429, 1));
        world.fail(Fault::on(method, "/secrets").every(10).answer(500));
    }
    let lost = &projects[7];
    world.fail(Fault::on("POST", &format!("{}/secrets", lost.namespace)).for_ever().answer(500));
    let partly = sandbox.run(shared.run(&["sync", "hf", "-o", "json"])).fails_with(3);
    let failed = partly.json();
    let failed = projects_with(&failed, "failed");
    assert!(failed.contains(&lost.name.as_str()), "{partly}");
    for project in &projects {
        let is_reported = failed.contains(&project.name.as_str());
        assert_eq!(
            value(world, project).as_deref() == Some(VALUE),
            !is_reported,
            "{}: {partly}",
            project.name
        );
        assert_eq!(
            partly.stderr.contains(&format!("error: {}: Error from server", project.name)),
            is_reported,
            "{partly}"
        );
    }
    let refusals = |code: u16| world.writes().iter().filter(|write| write.status == Some(code)).count();
    assert!(refusals(500) >= 6 && refusals(429) >= 2, "{:?}", world.lines());
    let left = failed.len();

    world.clear_faults();
    let rest = sandbox.run(shared.run(&["sync", "hf"])).success();
    assert_eq!(rest.stdout.lines().count(), left, "{rest}");
    assert!(all_have(world, &projects));
    world.clear_log();
    assert_eq!(sandbox.run(shared.run(&["sync", "hf"])).success().stdout, "");
    assert!(world.writes().is_empty(), "{:?}", world.lines());
}

#[scenario]
fn sync_killed_anywhere_leaves_whole_copies_or_none(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let projects: Vec<Project> = (0..24).map(|number| world.project(&format!("p{number}"))).collect();
    for (nth, point) in [
        (1, Hold::BeforeForwarding),
        (9, Hold::AfterForwarding),
        (17, Hold::BeforeForwarding),
        (24, Hold::AfterForwarding),
    ] {
        for project in &projects {
            let _ = world.admin("DELETE", &path(project), None);
        }
        let gate = world.hold(Fault::on("POST", "/secrets").nth(nth), point);
        let syncing = sandbox.spawn(shared.run(&["sync", "hf"]));
        assert!(gate.wait_reached(REACHED), "{nth}");
        let _ = syncing.kill();
        assert!(gate.wait_left(REACHED));
        gate.release();
        for project in &projects {
            let there = world.secret(&project.namespace, "hf");
            let whole =
                |copy: &Value| copy["metadata"]["labels"] == json!({"kubectl-runai-secret/copy": "true"});
            assert!(there.as_ref().is_none_or(whole), "{there:?}");
            assert!(there.is_none() || value(world, project).as_deref() == Some(VALUE));
        }
        // What was under way when it was killed may still get there.
        eventually("a second run finishes", || {
            sandbox.run(shared.run(&["sync", "hf"])).code == Some(0) && all_have(world, &projects)
        });
        world.clear_log();
        sandbox.run(shared.run(&["sync", "hf"])).success();
        assert!(world.writes().is_empty(), "{:?}", world.lines());
    }
}

#[scenario]
fn label_killed_at_any_write_is_done_or_not_and_the_next_run_does_the_rest(world: &World, sandbox: &Sandbox) {
    let (runai, project) = (world.runai_namespace(), world.project("a"));
    let labels = |name: &str| world.secret(&runai, name).unwrap()["metadata"]["labels"].clone();
    let all = json!({"runai/cluster-wide": "true", "run.ai/cluster-wide": "true"});
    world.create_secret(&project.namespace, "three", &[("k", "v")]);
    for (round, (nth, point)) in [
        (1, Hold::BeforeForwarding),
        (1, Hold::AfterForwarding),
        (2, Hold::BeforeForwarding),
        (2, Hold::AfterForwarding),
    ]
    .into_iter()
    .enumerate()
    {
        let names = ["one", "two"].map(|name| format!("{name}-{round}"));
        for name in &names {
            world.create_secret(&runai, name, &[("k", "v")]);
        }
        let words = |more: &[&str]| -> Vec<String> {
            let fixed = ["label", &names[0], &names[1], "--yes", "--runai-namespace", &runai];
            fixed.iter().chain(more).map(ToString::to_string).collect()
        };
        for (more, expected) in [(&[][..], &all), (&["--remove"][..], &Value::Null)] {
            let before = labels(&names[0]);
            let gate = world.hold(Fault::on("PATCH", "/secrets/").nth(nth), point);
            let labelling = sandbox.spawn(words(more));
            assert!(gate.wait_reached(REACHED), "{nth}");
            let _ = labelling.kill();
            assert!(gate.wait_left(REACHED));
            gate.release();
            for name in &names {
                assert!(
                    [&before, expected].contains(&&labels(name)),
                    "one patch for all labels: {}",
                    labels(name)
                );
            }
            eventually("the next run does the rest", || {
                let _ = sandbox.run(words(more));
                names.iter().all(|name| labels(name) == *expected)
            });
        }
    }
}

/// As [`states`], whatever `status` ends with.
fn states_now(sandbox: &Sandbox, shared: &Shared, projects: &[Project]) -> Vec<String> {
    let report = sandbox.run(shared.run(&["status", "hf", "-o", "json"])).json();
    projects.iter().map(|project| state(&report, project)).collect()
}
