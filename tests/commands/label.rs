//! `label`.

use std::time::Duration;

use serde_json::json;
use support::{Fault, Hold, Sandbox, World, scenario};

fn label<'a>(runai: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    ["label", "shared", "--runai-namespace", runai].into_iter().chain(more.iter().copied()).collect()
}

#[scenario]
fn several_secrets_are_shared_each_on_its_own_line(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    world.create_secret(&runai, "one", &[("k", "v")]);
    world.create_secret(&runai, "two", &[("k", "v")]);
    let both = sandbox.run(["label", "one", "two", "--runai-namespace", &runai]).success();
    assert_eq!(both.stdout, "secret/one labeled\nsecret/two labeled\n");
    let words = ["label", "one", "none", "two", "--remove", "--yes", "--runai-namespace", &runai];
    let partly = sandbox.run(words).fails_with(3);
    assert_eq!(partly.stdout, "secret/one unlabeled\nsecret/two unlabeled\n");
    assert!(partly.stderr.contains("error: secret none: Error from server (NotFound)"), "{partly}");
    assert!(partly.stderr.contains("error: failed for 1 of 3 secrets"), "{partly}");
    let list =
        sandbox.run(["label", "one", "two", "-o", "json", "--runai-namespace", &runai]).success().json();
    assert_eq!((&list["kind"], list["items"].as_array().unwrap().len()), (&json!("List"), 2));
}

#[scenario]
fn a_department_gets_it_alone_and_a_credential_gets_its_kind(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    world.create_secret(&runai, "shared", &[("k", "v")]);
    let labels = || world.secret(&runai, "shared").unwrap()["metadata"]["labels"].clone();
    sandbox.run(label(&runai, &["--department", "7", "--credential", "generic"])).success();
    assert_eq!(labels(), json!({ "run.ai/department": "7", "run.ai/resource": "generic" }));
    sandbox.run(label(&runai, &["--remove", "--yes"])).success();
    assert_eq!(labels(), json!({ "run.ai/resource": "generic" }), "the kind stays: it shares nothing");
    sandbox.run(label(&runai, &[])).success();
    let refused = sandbox.run(label(&runai, &["--department", "7"])).fails_with(1);
    assert!(refused.stderr.contains("stop that first with --remove"), "{refused}");
    let wrong = sandbox.run(label(&runai, &["--department", "a b"])).fails_with(2);
    assert!(wrong.stdout.is_empty());
}

#[scenario]
fn a_duration_that_lost_its_sign_is_not_taken_for_a_secret(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    for name in ["shared", "60s"] {
        world.create_secret(&runai, name, &[("k", "v")]);
    }
    for more in [&["--wait", "60s"][..], &["--wait", "2"], &["--remove", "--wait", "1m30s", "--yes"]] {
        let refused = sandbox.run(label(&runai, more)).fails_with(2);
        let typed = more.iter().find(|word| !word.starts_with('-')).unwrap();
        assert!(
            refused
                .stderr
                .starts_with(&format!("error: \"{typed}\" is a duration, not the name of a secret")),
            "{refused}"
        );
        assert!(
            refused.stderr.contains(&format!("\nhint: write it with '=': --wait={typed}\n")),
            "{refused}"
        );
    }
    assert!(world.requests().is_empty());
    sandbox.run(label(&runai, &["60s", "--wait", "--dry-run=client"])).success();
    sandbox.run(label(&runai, &["--wait", "--dry-run=client", "60s"])).success();
}

#[scenario]
fn what_may_surprise_is_said_before_the_write(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    world.create_secret(&runai, "dotted.name", &[("k", "v")]);
    let outcome = sandbox.run(["label", "dotted.name", "--runai-namespace", &runai]).success();
    assert!(outcome.stderr.contains("Warning: dotted.name: a name with a dot"), "{outcome}");
    assert!(outcome.stderr.contains("has no label run.ai/resource"), "{outcome}");
}

#[scenario]
fn a_secret_of_a_project_is_copied_and_shared_at_once(world: &World, sandbox: &Sandbox) {
    let (runai, project) = (world.runai_namespace(), world.project("team-a"));
    let name = format!("from-{}", project.name);
    world.create_secret(&project.namespace, &name, &[("token", "t0ken-value")]);
    let refused = sandbox.run(["label", &name, "--runai-namespace", &runai]).fails_with(1);
    assert!(refused.stderr.contains(&format!("label {name} --from-project {}", project.name)), "{refused}");
    let words = ["label", &name, "--from-project", &project.name, "--yes", "--runai-namespace", &runai];
    let words = |more: &[&'static str]| {
        [&words[..], more].concat().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    sandbox.run(words(&["--dry-run=client"])).success();
    sandbox.run(words(&["--dry-run=server"])).success();
    assert!(world.secret(&runai, &name).is_none());
    let shared = sandbox.run(words(&[])).success();
    shared.never_shows(b"t0ken-value");
    assert_eq!(shared.stdout, format!("secret/{name} created and labeled\n"));
    assert_eq!(world.secret_value(&runai, &name, "token").unwrap(), b"t0ken-value");
    let labels = &world.secret(&runai, &name).unwrap()["metadata"]["labels"];
    assert_eq!(*labels, json!({ "runai/cluster-wide": "true", "run.ai/cluster-wide": "true" }));
    let again = sandbox.run(words(&[])).fails_with(1);
    assert!(again.stderr.contains("Error from server (AlreadyExists)"), "{again}");
}

#[scenario]
fn waiting_proves_that_every_project_has_it_and_then_that_none_has(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    let projects = ["a", "b", "c"].map(|name| world.project(name));
    world.create_secret(&runai, "shared", &[("k", "v")]);
    let _controller = world.start_propagation();
    let outcome = sandbox.run(label(&runai, &["--wait"])).success();
    assert_eq!(outcome.stdout.matches(" copied\n").count(), 3, "{outcome}");
    for project in &projects {
        assert!(world.secret(&project.namespace, "shared").is_some());
    }
    let outcome = sandbox.run(label(&runai, &["--remove", "--yes", "--wait=20s"])).success();
    assert_eq!(outcome.stdout.matches(" absent\n").count(), 3, "{outcome}");
}

#[scenario]
fn ctrl_c_says_that_the_copies_go_on(world: &World, sandbox: &Sandbox) {
    let (runai, _project) = (world.runai_namespace(), world.project("a"));
    world.create_secret(&runai, "shared", &[("k", "v")]);
    let waiting = sandbox.spawn(label(&runai, &["--wait=50s"]));
    let start = std::time::Instant::now();
    // A look after the write is the wait's.
    while world.calls().iter().skip_while(|call| !call.starts_with("PATCH")).count() < 2 {
        assert!(start.elapsed().as_secs() < 60, "{:?}", world.lines());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    waiting.interrupt();
    let outcome = waiting.wait().fails_with(130);
    let status = format!("kubectl runai-secret status shared --runai-namespace={runai}");
    let hint = format!(
        "hint: secret/shared is changed, and Run:ai goes on with its copies; to see how far it got: {status}\n"
    );
    assert!(outcome.stderr.contains(&hint), "{outcome}");
}

#[scenario]
fn what_nobody_may_see_is_not_proven(world: &World, sandbox: &Sandbox) {
    let (runai, project) = (world.runai_namespace(), world.project("a"));
    world.create_secret(&runai, "shared", &[("k", "v")]);
    let user = world.user("limited");
    let rules = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "patch"]}]);
    world.grant(&user, Some(&runai), &rules);
    let refused = sandbox.run(label(&runai, &["--wait=1s", "--token", &user.token])).fails_with(1);
    assert!(refused.stderr.contains("you may not list namespaces"), "{refused}");
    assert!(world.writes().is_empty(), "nothing was changed, as it says");
    world.grant(&user, None, &json!([{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list"]}]));
    let outcome = sandbox.run(label(&runai, &["--wait=1s", "--token", &user.token])).fails_with(3);
    let unseen = format!("you may not see whether shared arrived in {}", project.name);
    assert!(outcome.stderr.contains(&unseen), "{outcome}");
    let department = sandbox.run(label(&runai, &["--department", "7", "--wait"])).fails_with(2);
    assert!(department.stderr.contains("--wait and --department exclude each other"), "{department}");
}

#[scenario]
fn a_dry_run_of_taking_the_mark_off_lists_what_the_question_would(world: &World, sandbox: &Sandbox) {
    let (runai, project) = (world.runai_namespace(), world.project("a"));
    world.create_secret(&runai, "shared", &[("k", "v")]);
    sandbox.run(label(&runai, &[])).success();
    let _controller = world.start_propagation();
    sandbox.run(label(&runai, &["--wait"])).success();
    let effects = |stderr: &str| -> Vec<String> {
        stderr.lines().filter(|line| line.starts_with("  * ")).map(ToOwned::to_owned).collect()
    };
    let refused = sandbox.run(label(&runai, &["--remove"])).fails_with(2);
    let asked = effects(&refused.stderr);
    assert!(asked[0].contains(&format!("Run:ai removes its copies from {}", project.name)), "{refused}");
    for dry in ["--dry-run=client", "--dry-run=server"] {
        let told = sandbox.run(label(&runai, &["--remove", dry])).success();
        assert_eq!(effects(&told.stderr), asked);
        let quiet = sandbox.run(label(&runai, &["--remove", dry, "-q"])).success();
        assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    }
    let quiet = sandbox.run(label(&runai, &["--remove", "--yes", "-q"])).success();
    assert_eq!(quiet.stderr, "");
}

#[scenario]
fn taking_one_of_two_labels_off_says_that_the_other_stays(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    world.create_secret(&runai, "shared", &[("k", "v")]);
    sandbox.run(label(&runai, &[])).success();
    let refused = sandbox.run(label(&runai, &["--remove", "--key", "legacy"])).fails_with(2);
    assert!(refused.stderr.contains("another label still shares it"), "{refused}");
    sandbox.run(label(&runai, &["--remove", "--key", "legacy", "--yes"])).success();
    let again = sandbox.run(label(&runai, &["--remove", "--key", "legacy", "--yes"])).success();
    assert!(again.stderr.contains("shared is shared by another label than this one"), "{again}");
}

#[scenario]
fn copies_that_sync_made_are_neither_in_the_way_nor_forgotten(world: &World, sandbox: &Sandbox) {
    let (runai, project) = (world.runai_namespace(), world.project("a"));
    world.create_secret(&runai, "shared", &[("k", "v")]);
    sandbox.run(label(&runai, &[])).success();
    sandbox.run(["sync", "shared", "--runai-namespace", &runai]).success();
    let refused = sandbox.run(label(&runai, &["--remove"])).fails_with(2);
    let stay = format!("the copies that sync made stay in {}", project.name);
    assert!(refused.stderr.contains(&stay) && refused.stderr.contains("sync shared --prune"), "{refused}");
    sandbox.run(label(&runai, &["--remove", "--yes"])).success();
    sandbox.run(label(&runai, &[])).success();
}

#[scenario]
fn where_nobody_copies_the_wait_ends_and_says_so(world: &World, sandbox: &Sandbox) {
    let (runai, project) = (world.runai_namespace(), world.project("a"));
    world.create_secret(&runai, "shared", &[("k", "v")]);
    let outcome = sandbox.run(label(&runai, &["--wait=300ms"])).fails_with(3);
    let row = format!("{} {} pending", project.name, project.namespace);
    assert!(outcome.stdout.split_whitespace().collect::<Vec<_>>().join(" ").ends_with(&row), "{outcome}");
    assert!(
        outcome.stderr.contains("on a cluster without its controller: kubectl runai-secret sync shared"),
        "{outcome}"
    );
    assert!(outcome.stderr.contains("error: secret shared: 1 pending, of 1 project"), "{outcome}");
    // It is said while one waits, once, and no table to who wants none.
    let again = ["label", "shared", "--runai-namespace", &runai, "--wait=3s"];
    let outcome = sandbox.run(again).fails_with(3);
    let said = "note: no copy arrived in the last 1 second: Run:ai's controller may not be at work here; \
                kubectl runai-secret sync shared";
    assert_eq!(outcome.stderr.matches(said).count(), 1, "{outcome}");
    let quiet = sandbox.run(label(&runai, &["--wait=300ms", "-q"])).fails_with(3);
    assert_eq!(quiet.stdout, "");
}

#[scenario]
fn label_takes_three_requests_and_one_patch_of_labels_alone(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    world.create_secret(&runai, "shared", &[("k", "v")]);
    sandbox.run(label(&runai, &[])).success();
    let requests = world.requests();
    assert_eq!(requests.len(), 3, "{:?}", world.lines());
    let patch = world.writes().pop().unwrap();
    assert_eq!(patch.call(), format!("PATCH /api/v1/namespaces/{runai}/secrets/shared"));
    let body = patch.json();
    assert_eq!(
        body["metadata"]["labels"],
        json!({ "runai/cluster-wide": "true", "run.ai/cluster-wide": "true" })
    );
    assert!(body["metadata"]["resourceVersion"].is_string(), "the patch holds for what was read only");
    assert_eq!(body.as_object().unwrap().len(), 1, "nothing but metadata: {body}");
    assert_eq!(body["metadata"].as_object().unwrap().len(), 2, "{body}");
}

#[scenario]
fn a_secret_that_is_shared_already_is_not_written(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    world.create_secret(&runai, "shared", &[("k", "v")]);
    sandbox.run(label(&runai, &[])).success();
    world.clear_log();
    let again = sandbox.run(label(&runai, &[])).success();
    assert_eq!(again.stdout, "secret/shared unchanged\n");
    assert!(world.writes().is_empty());
}

#[scenario]
fn one_of_the_two_keys_can_be_chosen(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    world.create_secret(&runai, "shared", &[("k", "v")]);
    sandbox.run(label(&runai, &["--key", "legacy"])).success();
    let labels = world.secret(&runai, "shared").unwrap()["metadata"]["labels"].clone();
    assert_eq!(labels, json!({ "runai/cluster-wide": "true" }));
}

#[scenario]
fn a_taken_name_is_said_before_anything_is_written(world: &World, sandbox: &Sandbox) {
    let (runai, project) = (world.runai_namespace(), world.project("team-a"));
    world.create_secret(&runai, "shared", &[("k", "v")]);
    world.create_secret(&project.namespace, "shared", &[("k", "of the project itself")]);
    let refused = sandbox.run(label(&runai, &[])).fails_with(2);
    assert!(refused.stderr.contains(&format!("project {} has a secret shared of its own", project.name)));
    assert!(refused.stderr.contains("hint: add --yes"), "{refused}");
    assert!(world.writes().is_empty());
    sandbox.run(label(&runai, &["--yes"])).success();
}

#[scenario]
fn removing_asks_and_says_what_goes(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    world.create_secret(&runai, "shared", &[("k", "v")]);
    sandbox.run(label(&runai, &[])).success();
    world.clear_log();
    let refused = sandbox.run(label(&runai, &["--remove"])).fails_with(2);
    assert!(refused.stderr.contains("no project has a copy"), "{refused}");
    assert!(world.writes().is_empty());
    sandbox.run(label(&runai, &["--remove", "--yes"])).success();
}

#[scenario]
fn dry_runs_change_nothing(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    world.create_secret(&runai, "shared", &[("k", "v")]);
    let client = sandbox.run(label(&runai, &["--dry-run=client", "-o", "json"])).success();
    assert_eq!(client.json()["metadata"]["labels"]["run.ai/cluster-wide"], "true");
    assert!(world.writes().is_empty());
    let server = sandbox.run(label(&runai, &["--dry-run=server"])).success();
    assert_eq!(server.stdout, "secret/shared labeled (server dry run)\n");
    assert_eq!(world.secret(&runai, "shared").unwrap()["metadata"]["labels"], json!(null));
}

#[scenario]
fn the_printed_object_is_the_secret_without_its_data(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    world.create_secret(&runai, "shared", &[("k", "v")]);
    for more in [&["--dry-run=client"][..], &["--dry-run=server"], &[], &[]] {
        let words = label(&runai, more).into_iter().chain(["-o", "json"]);
        let printed = sandbox.run(words).success().json();
        assert_eq!((&printed["apiVersion"], &printed["kind"]), (&json!("v1"), &json!("Secret")));
        assert_eq!(printed["metadata"]["name"], "shared");
        assert_eq!(printed["metadata"]["labels"]["run.ai/cluster-wide"], "true");
        assert_eq!((&printed["metadata"]["managedFields"], &printed["data"]), (&json!(null), &json!(null)));
    }
}

#[scenario]
fn a_secret_that_is_elsewhere_is_found_and_named(world: &World, sandbox: &Sandbox) {
    let (runai, project) = (world.runai_namespace(), world.project("team-a"));
    let name = format!("only-{}", project.name);
    world.create_secret(&project.namespace, &name, &[("k", "v")]);
    let refused = sandbox.run(["label", &name, "--runai-namespace", &runai]).fails_with(1);
    assert!(refused.stderr.starts_with("Error from server (NotFound): "), "{refused}");
    assert!(refused.stderr.contains(&format!("there is one in {}", project.namespace)), "{refused}");
}

#[scenario]
fn another_writer_at_the_same_moment_loses_nothing(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    world.create_secret(&runai, "shared", &[("k", "v")]);
    let gate = world.hold(Fault::on("PATCH", "/secrets/shared"), Hold::BeforeForwarding);
    let labelling = sandbox.spawn(label(&runai, &[]));
    assert!(gate.wait_reached(Duration::from_mins(1)));
    let theirs = json!({ "metadata": { "labels": { "theirs": "too" } } });
    world.patch(&format!("/api/v1/namespaces/{runai}/secrets/shared"), &theirs);
    gate.release();
    labelling.wait().success();
    let labels = world.secret(&runai, "shared").unwrap()["metadata"]["labels"].clone();
    let all = json!({ "theirs": "too", "runai/cluster-wide": "true", "run.ai/cluster-wide": "true" });
    assert_eq!(labels, all);
}

#[scenario]
fn a_user_who_may_only_touch_this_secret_can_share_it(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    world.create_secret(&runai, "shared", &[("k", "v")]);
    let token = restricted_user(world, &runai);
    let labelled = sandbox.run(label(&runai, &["--token", &token])).success();
    assert_eq!(labelled.stdout, "secret/shared labeled\n");
    assert!(labelled.stderr.contains("you may not list namespaces"), "{labelled}");
    assert!(labelled.stderr.contains("you may not list all secrets"), "{labelled}");
}

#[scenario]
fn who_can_not_see_the_copies_is_not_told_that_there_are_none(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    world.create_secret(&runai, "shared", &[("k", "v")]);
    sandbox.run(label(&runai, &[])).success();
    let token = restricted_user(world, &runai);
    world.clear_log();
    let unseen = "you may not list namespaces and secrets: the projects that lose their copy can't be named";
    for more in [&["--remove"][..], &["--remove", "-q"]] {
        let refused = sandbox.run(label(&runai, more).into_iter().chain(["--token", &token])).fails_with(2);
        assert!(refused.stderr.contains(unseen), "{refused}");
        assert!(!refused.stderr.contains("no project has a copy"), "{refused}");
    }
    assert!(world.writes().is_empty());
    sandbox.run(label(&runai, &["--remove", "--yes", "--token", &token])).success();
}

/// The token of a user who may read and change the secret `shared`, and list nothing.
fn restricted_user(world: &World, runai: &str) -> String {
    let user = world.user("sharer");
    let rules = json!([
        { "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["shared"], "verbs": ["get", "patch"] },
    ]);
    world.grant(&user, Some(runai), &rules);
    user.token
}

#[test]
fn a_projects_namespace_is_the_wrong_place_for_label() {
    let refused = Sandbox::new().run(["label", "shared", "-n", "runai-team-a"]).fails_with(2);
    assert!(refused.stderr.contains("label works in the Run:ai namespace"), "{refused}");
}
