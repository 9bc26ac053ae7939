//! `sync`: copies are made, mended and removed, and nothing of anybody else is touched.

use std::time::Duration;

use serde_json::{Value, json};
use support::{Fault, Hold, Project, Sandbox, World, scenario};

use crate::status::{
    Shared, create, eventually, hold_back_deletion, let_go, our_copy, runais_copy, state, value,
};

const VALUE: &str = "shared-value-of-the-source";

/// The lines of what was done, without the prefix of the world's names.
fn done(stdout: &str, projects: &[Project]) -> Vec<String> {
    let plain = projects.iter().fold(stdout.to_owned(), |text, project| {
        let (_, plain) = project.name.split_once('-').unwrap();
        text.replace(&project.name, plain)
    });
    plain.lines().map(str::to_owned).collect()
}

/// A copy of ours that can't be changed in place, with a label and an annotation of the project's own.
fn our_immutable_copy(world: &World, shared: &Shared, project: &Project, value: &str) {
    let labels = json!({"kubectl-runai-secret/copy": "true", "mine": "kept"});
    let annotations = json!({"kubectl-runai-secret/copy-of": format!("{}/hf", shared.runai), "note": "kept"});
    let metadata = json!({"name": "hf", "labels": labels, "annotations": annotations});
    let secret = json!({"metadata": metadata, "immutable": true, "stringData": {"token": value}});
    world.create(&format!("/api/v1/namespaces/{}/secrets", project.namespace), &secret);
}

#[scenario]
fn what_is_missing_is_made_what_differs_is_mended_and_the_second_run_writes_nothing(
    world: &World,
    sandbox: &Sandbox,
) {
    let shared = Shared::new(world);
    let projects = ["copied", "pending", "stale", "theirs", "same"].map(|name| world.project(name));
    let [copied, pending, stale, theirs, same] = &projects;
    runais_copy(world, copied, VALUE);
    our_copy(world, &shared, &stale.namespace, "edited-by-hand");
    let path = format!("/api/v1/namespaces/{}/secrets/hf", stale.namespace);
    world.patch(&path, &json!({"metadata": {"labels": {"mine": "kept"}}, "data": {"added": "eA=="}}));
    create(world, &theirs.namespace, &json!({}), &json!({}), "of the project itself");
    create(world, &same.namespace, &json!({}), &json!({}), VALUE);

    let outcome = sandbox.run(shared.run(&["sync", "hf"])).fails_with(3);
    outcome.never_shows(VALUE.as_bytes());
    assert_eq!(
        done(&outcome.stdout, &projects),
        ["secret/hf created in pending", "secret/hf updated in stale"]
    );
    assert!(
        outcome.stderr.contains("is left alone: a secret of that name was made by somebody else"),
        "{outcome}"
    );
    let keys = format!("note: hf: changed token; gone added, in {}\n", stale.name);
    assert!(outcome.stderr.contains(&keys), "{outcome}");
    for project in [copied, pending, stale, same] {
        assert_eq!(value(world, project).as_deref(), Some(VALUE), "{}", project.name);
    }
    assert_eq!(value(world, theirs).as_deref(), Some("of the project itself"));
    let mended = world.secret(&stale.namespace, "hf").unwrap();
    assert_eq!(mended["data"].as_object().unwrap().len(), 1, "the key that was added by hand is gone");
    assert_eq!(mended["metadata"]["labels"], json!({"kubectl-runai-secret/copy": "true", "mine": "kept"}));
    let made = &world.secret(&pending.namespace, "hf").unwrap()["metadata"];
    assert_eq!(made["labels"], json!({"kubectl-runai-secret/copy": "true"}));
    assert_eq!(made["annotations"], json!({"kubectl-runai-secret/copy-of": format!("{}/hf", shared.runai)}));

    world.clear_log();
    let again = sandbox.run(shared.run(&["sync", "hf"])).fails_with(3);
    assert_eq!(again.stdout, "");
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    let report = sandbox.run(shared.run(&["status", "hf", "-o", "json"])).fails_with(3).json();
    let states: Vec<String> = projects.iter().map(|project| state(&report, project)).collect();
    assert_eq!(states, ["copied", "copied", "copied", "conflict", "same"]);
}

#[scenario]
fn a_new_project_gets_its_copy_with_the_next_run_and_one_that_goes_gets_none(
    world: &World,
    sandbox: &Sandbox,
) {
    let shared = Shared::new(world);
    let (a, going) = (world.project("a"), world.project("going"));
    hold_back_deletion(world, &going.namespace);
    world.delete(&format!("/api/v1/namespaces/{}", going.namespace));
    let outcome = sandbox.run(shared.run(&["sync", "hf"])).success();
    assert_eq!(outcome.stdout, format!("secret/hf created in {}\n", a.name));
    assert!(
        outcome.stderr.contains(&format!("{}: hf is left alone: it is being deleted", going.name)),
        "{outcome}"
    );
    let new = world.project("new");
    assert_eq!(
        sandbox.run(shared.run(&["sync", "hf"])).success().stdout,
        format!("secret/hf created in {}\n", new.name)
    );
    let_go(world, &going.namespace);
}

#[scenario]
fn pruning_asks_and_removes_our_own_orphans_alone(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let (ours, runais) = (world.project("ours"), world.project("runais"));
    let former = world.namespace("former");
    our_copy(world, &shared, &ours.namespace, VALUE);
    our_copy(world, &shared, &former, VALUE);
    runais_copy(world, &runais, VALUE);
    shared.unshare(world);
    let unshared = sandbox.run(shared.run(&["sync", "hf"])).fails_with(1);
    assert!(unshared.stderr.contains("is not shared: there is nothing to copy"), "{unshared}");
    assert!(unshared.stderr.contains("3 copies of it left; --prune"), "{unshared}");
    let refused = sandbox.run(shared.run(&["sync", "hf", "--prune"])).fails_with(2);
    assert!(refused.stderr.contains("hint: add --yes"), "{refused}");
    assert!(world.writes().is_empty());
    let dry = sandbox.run(shared.run(&["sync", "hf", "--prune", "--dry-run=client"])).success();
    let effect = |line: &&str| line.starts_with("  * ") && line.contains("is deleted; jobs there");
    assert_eq!(dry.stderr.lines().filter(effect).count(), 2, "{dry}");
    assert_eq!(refused.stderr.lines().filter(effect).count(), 2, "{refused}");
    let pruned = sandbox.run(shared.run(&["sync", "hf", "--prune", "--yes"])).success();
    assert_eq!(pruned.stdout, format!("secret/hf deleted in {}\nsecret/hf deleted in {former}\n", ours.name));
    assert!(pruned.stderr.contains("Run:ai made it and should remove it"), "{pruned}");
    assert!(world.secret(&ours.namespace, "hf").is_none());
    assert!(world.secret(&former, "hf").is_none());
    assert!(world.secret(&runais.namespace, "hf").is_some());
    for write in world.writes() {
        assert!(write.json()["preconditions"]["uid"].is_string(), "{write:?}");
    }
}

#[scenario]
fn adopting_asks_and_takes_over_what_somebody_else_made(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let (theirs, other_type) = (world.project("theirs"), world.project("typed"));
    create(world, &theirs.namespace, &json!({"mine": "kept"}), &json!({}), "of the project itself");
    let typed =
        json!({"metadata": {"name": "hf"}, "type": "example.com/other", "stringData": {"token": "x"}});
    world.create(&format!("/api/v1/namespaces/{}/secrets", other_type.namespace), &typed);
    let refused = sandbox.run(shared.run(&["sync", "hf", "--adopt"])).fails_with(2);
    assert!(
        refused.stderr.contains("was made by somebody else: it becomes a copy, and what it holds is lost"),
        "{refused}"
    );
    assert!(world.writes().is_empty());
    let adopted = sandbox.run(shared.run(&["sync", "hf", "--adopt", "--yes"])).success();
    let expected =
        format!("secret/hf adopted in {}\nsecret/hf adopted in {}\n", theirs.name, other_type.name);
    assert_eq!(adopted.stdout, expected);
    let metadata = &world.secret(&theirs.namespace, "hf").unwrap()["metadata"];
    assert_eq!(metadata["labels"], json!({"kubectl-runai-secret/copy": "true", "mine": "kept"}));
    assert_eq!(world.secret(&other_type.namespace, "hf").unwrap()["type"], "Opaque");
    sandbox.run(shared.run(&["status", "hf"])).success();
}

#[scenario]
fn adopting_what_is_the_same_does_not_speak_of_loss(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    create(world, &world.project("same").namespace, &json!({}), &json!({}), VALUE);
    let refused = sandbox.run(shared.run(&["sync", "hf", "--adopt"])).fails_with(2);
    assert!(refused.stderr.contains("it becomes a copy; its content is the same"), "{refused}");
    assert!(!refused.stderr.contains("is lost"), "{refused}");
}

#[scenario]
fn dry_runs_list_the_effect_on_each_project_and_write_nothing(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let projects = ["a", "b", "c"].map(|name| world.project(name));
    our_copy(world, &shared, &projects[1].namespace, "edited-by-hand");
    our_immutable_copy(world, &shared, &projects[2], "other");
    for (flag, suffix) in [("--dry-run=client", "(dry run)"), ("--dry-run=server", "(server dry run)")] {
        let outcome = sandbox.run(shared.run(&["sync", "hf", flag])).success();
        let expected = [("created", "a"), ("updated", "b"), ("replaced", "c")]
            .map(|(verb, project)| format!("secret/hf {verb} in {project} {suffix}"));
        assert_eq!(done(&outcome.stdout, &projects), expected);
        assert_eq!(value(world, &projects[0]), None);
        assert_eq!(value(world, &projects[1]).as_deref(), Some("edited-by-hand"));
        assert_eq!(value(world, &projects[2]).as_deref(), Some("other"));
    }
    let report = sandbox.run(shared.run(&["sync", "hf", "--dry-run", "-o", "json"])).success().json();
    let results: Vec<&Value> =
        report["secrets"][0]["projects"].as_array().unwrap().iter().map(|row| &row["result"]).collect();
    assert_eq!(results, ["created", "updated", "replaced"]);
    sandbox.run(shared.run(&["sync", "hf", "--yes"])).success();
    assert_eq!(value(world, &projects[2]).as_deref(), Some(VALUE));
}

#[scenario]
fn projects_can_be_named_and_left_out(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let projects = ["a", "b", "c"].map(|name| world.project(name));
    let [a, b, c] = &projects;
    let unknown = sandbox.run(shared.run(&["sync", "hf", "--exclude-project", "nobody"])).fails_with(1);
    assert!(unknown.stderr.contains("project \"nobody\" was not found"), "{unknown}");
    let words = ["sync", "hf", "--to-project", &a.name, "-p", &b.name, "--exclude-project", &b.name];
    assert_eq!(
        done(&sandbox.run(shared.run(&words)).success().stdout, &projects),
        ["secret/hf created in a"]
    );
    let words = ["sync", "hf", "--exclude-project", &c.name];
    assert_eq!(
        done(&sandbox.run(shared.run(&words)).success().stdout, &projects),
        ["secret/hf created in b"]
    );
    assert_eq!(value(world, c), None);
    let words =
        ["sync", "hf", "--exclude-project", &a.name, "--exclude-project", &c.name, "--prune", "--yes"];
    sandbox.run(shared.run(&words)).success();
    assert_eq!(value(world, a).as_deref(), Some(VALUE), "a project that is left out is no stray");
}

#[scenario]
fn a_copy_is_not_deleted_for_one_that_the_server_would_refuse(world: &World, sandbox: &Sandbox) {
    let (shared, project) = (Shared::new(world), world.project("a"));
    let secrets = format!("/api/v1/namespaces/{}/secrets", project.namespace);
    our_immutable_copy(world, &shared, &project, "before");
    world.fail(Fault::on("POST", &secrets).for_ever().answer(403));
    let refused = sandbox.run(shared.run(&["sync", "hf", "--yes"])).fails_with(3);
    assert!(refused.stderr.contains("Error from server (Forbidden)"), "{refused}");
    assert_eq!(value(world, &project).as_deref(), Some("before"));
    assert!(world.writes().iter().all(|write| write.call().starts_with("POST ")), "{:?}", world.lines());
    world.clear_faults();
    sandbox.run(shared.run(&["sync", "hf", "--yes"])).success();
    assert_eq!(value(world, &project).as_deref(), Some(VALUE));
}

#[scenario]
fn failures_in_some_projects_do_not_stop_the_rest_and_a_second_run_finishes(
    world: &World,
    sandbox: &Sandbox,
) {
    let shared = Shared::new(world);
    let projects: Vec<Project> = (0..40).map(|number| world.project(&format!("p{number}"))).collect();
    world.fail(Fault::on("POST", &format!("{}/secrets", projects[7].namespace)).for_ever().answer(500));
    world.fail(Fault::on("POST", &format!("{}/secrets", projects[9].namespace)).for_ever().answer(403));
    let outcome = sandbox.run(shared.run(&["sync", "hf"])).fails_with(3);
    assert_eq!(outcome.stdout.lines().count(), 38, "{outcome}");
    for (project, error) in
        [(&projects[7], "Error from server (InternalError)"), (&projects[9], "Error from server (Forbidden)")]
    {
        assert!(outcome.stderr.contains(&format!("error: {}: {error}", project.name)), "{outcome}");
    }
    assert!(
        outcome.stderr.contains("hint: run it again: finished projects are not written twice"),
        "{outcome}"
    );
    world.clear_faults();
    let again = sandbox.run(shared.run(&["sync", "hf"])).success();
    assert_eq!(again.stdout.lines().count(), 2, "{again}");
    assert!(projects.iter().all(|project| value(world, project).as_deref() == Some(VALUE)));
}

#[scenario]
fn a_server_that_fails_every_tenth_write_gets_all_of_them_in_the_end(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let projects: Vec<Project> = (0..40).map(|number| world.project(&format!("p{number}"))).collect();
    for nth in (10..60).step_by(10) {
        world.fail(Fault::on("POST", "/secrets").nth(nth).answer(500));
    }
    for nth in [19, 39] {
        world.fail(Fault::on("POST", "/secrets").nth(nth).answer_after(429, 1));
    }
    // Done, and not known to be: looked for, not done twice.
    world.fail(Fault::on("POST", "/secrets").nth(5).drop_after_forwarding());
    let outcome = sandbox.run(shared.run(&["sync", "hf"])).success();
    assert_eq!(outcome.stdout.lines().count(), 40, "{outcome}");
    assert!(projects.iter().all(|project| value(world, project).as_deref() == Some(VALUE)));
    world.clear_log();
    assert_eq!(sandbox.run(shared.run(&["sync", "hf"])).success().stdout, "");
    assert!(world.writes().is_empty());
}

#[scenario]
fn what_somebody_makes_in_the_same_moment_is_not_overwritten(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let (a, b) = (world.project("a"), world.project("b"));
    our_copy(world, &shared, &b.namespace, "edited-by-hand");
    let made = world.hold(Fault::on("POST", &format!("{}/secrets", a.namespace)), Hold::BeforeForwarding);
    let syncing = sandbox.spawn(shared.run(&["sync", "hf"]));
    assert!(made.wait_reached(Duration::from_mins(1)));
    create(world, &a.namespace, &json!({}), &json!({}), "of the project itself");
    made.release();
    let outcome = syncing.wait().fails_with(3);
    assert!(outcome.stderr.contains("made by somebody else"), "{outcome}");
    assert_eq!(value(world, &a).as_deref(), Some("of the project itself"));
    assert_eq!(value(world, &b).as_deref(), Some(VALUE));
}

#[scenario]
fn what_nobody_was_asked_about_is_not_adopted_in_passing(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let a = world.project("a");
    let made = world.hold(Fault::on("POST", "/secrets"), Hold::BeforeForwarding);
    let syncing = sandbox.spawn(shared.run(&["sync", "hf", "--adopt", "--yes"]));
    assert!(made.wait_reached(Duration::from_mins(1)));
    create(world, &a.namespace, &json!({}), &json!({}), "of the project itself");
    made.release();
    let outcome = syncing.wait().fails_with(3);
    assert!(
        outcome.stderr.contains("somebody changed it at the same moment; run the command again"),
        "{outcome}"
    );
    assert_eq!(value(world, &a).as_deref(), Some("of the project itself"));
}

#[scenario]
fn several_secrets_are_planned_before_one_is_written(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let a = world.project("a");
    let labels = json!({"run.ai/cluster-wide": "true"});
    let metadata = json!({"name": "other", "labels": labels});
    world.create(&format!("/api/v1/namespaces/{}/secrets", shared.runai), &json!({"metadata": metadata}));
    world.create_secret(&a.namespace, "other", &[("k", "of the project itself")]);
    let refused = sandbox.run(shared.run(&["sync", "hf", "other", "--adopt"])).fails_with(2);
    assert!(refused.stderr.contains("nothing was changed"), "{refused}");
    assert!(world.writes().is_empty(), "which is true");
    let partly = sandbox.run(shared.run(&["sync", "hf", "nosuch"])).fails_with(3);
    assert_eq!(partly.stdout, format!("secret/hf created in {}\n", a.name));
    assert!(partly.stderr.contains("error: secret nosuch: Error from server (NotFound)"), "{partly}");
    sandbox.run(shared.run(&["sync", "nosuch", "--prune", "--yes"])).fails_with(1);
}

#[scenario]
fn a_project_that_can_not_be_read_is_not_in_the_way_of_the_others(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let projects = ["a", "b", "c"].map(|name| world.project(name));
    // One by one: few projects are named.
    world.fail(Fault::on("GET", &format!("{}/secrets/hf", projects[1].namespace)).for_ever().answer(500));
    let words = ["sync", "hf", "-p", &projects[0].name, "-p", &projects[1].name, "-p", &projects[2].name];
    let outcome = sandbox.run(shared.run(&words)).fails_with(3);
    assert_eq!(done(&outcome.stdout, &projects), ["secret/hf created in a", "secret/hf created in c"]);
    assert!(outcome.stderr.contains(&format!("error: {}: Error from server", projects[1].name)), "{outcome}");
}

#[scenario]
fn a_copy_that_becomes_somebody_elses_in_the_same_moment_is_not_mended(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let a = world.project("a");
    our_copy(world, &shared, &a.namespace, "edited-by-hand");
    let gate = world.hold(Fault::on("PATCH", "/secrets/hf"), Hold::BeforeForwarding);
    let syncing = sandbox.spawn(shared.run(&["sync", "hf"]));
    assert!(gate.wait_reached(Duration::from_mins(1)));
    let path = format!("/api/v1/namespaces/{}/secrets/hf", a.namespace);
    world.delete(&path);
    create(world, &a.namespace, &json!({}), &json!({}), "of the project itself");
    gate.release();
    syncing.wait().fails_with(3);
    assert_eq!(value(world, &a).as_deref(), Some("of the project itself"));
}

#[scenario]
fn killed_at_any_write_the_next_run_converges(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let projects: Vec<Project> = (0..3).map(|number| world.project(&format!("p{number}"))).collect();
    for (method, point) in [
        ("POST", Hold::BeforeForwarding),
        ("POST", Hold::AfterForwarding),
        ("DELETE", Hold::BeforeForwarding),
        ("DELETE", Hold::AfterForwarding),
        ("PATCH", Hold::BeforeForwarding),
        ("PATCH", Hold::AfterForwarding),
    ] {
        for project in &projects {
            let _ =
                world.admin("DELETE", &format!("/api/v1/namespaces/{}/secrets/hf", project.namespace), None);
        }
        our_immutable_copy(world, &shared, &projects[0], "other");
        our_copy(world, &shared, &projects[1].namespace, "edited-by-hand");
        let gate = world.hold(Fault::on(method, "/secrets"), point);
        let syncing = sandbox.spawn(shared.run(&["sync", "hf", "--yes"]));
        assert!(gate.wait_reached(Duration::from_mins(1)), "{method}");
        let _ = syncing.kill();
        assert!(gate.wait_left(Duration::from_mins(1)));
        gate.release();
        eventually("a second run finishes", || {
            sandbox.run(shared.run(&["sync", "hf", "--yes"])).code == Some(0)
        });
        let all = projects.iter().all(|project| value(world, project).as_deref() == Some(VALUE));
        assert!(all, "{method}");
        let metadata = &world.secret(&projects[0].namespace, "hf").unwrap()["metadata"];
        assert_eq!(
            (&metadata["labels"]["mine"], &metadata["annotations"]["note"]),
            (&json!("kept"), &json!("kept")),
            "{method}"
        );
    }
}

#[scenario]
fn a_secret_of_a_department_is_copied_to_the_projects_that_are_named(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    create(world, &runai, &json!({"run.ai/department": "7"}), &json!({}), VALUE);
    let a = world.project("a");
    let refused = sandbox.run(["sync", "hf", "--runai-namespace", &runai]).fails_with(2);
    assert!(refused.stderr.contains("hint: name its projects with --to-project"), "{refused}");
    let words = ["sync", "hf", "--runai-namespace", &runai, "--to-project", &a.name];
    assert_eq!(sandbox.run(words).success().stdout, format!("secret/hf created in {}\n", a.name));
}

#[scenario]
fn no_more_than_sixteen_requests_are_under_way_at_once(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    for number in 0..40 {
        world.project(&format!("p{number}"));
    }
    world.fail(Fault::on("POST", "/secrets").times(40).delay(Duration::from_millis(50)));
    sandbox.run(shared.run(&["sync", "hf"])).success();
    let most = world.requests().iter().map(|request| request.in_flight).max().unwrap();
    assert!((2..=16).contains(&most), "{most}");
}
