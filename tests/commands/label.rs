//! `label`.

use std::time::Duration;

use serde_json::json;
use support::{Fault, Hold, Sandbox, World, scenario};

fn label<'a>(runai: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    ["label", "shared", "--runai-namespace", runai].into_iter().chain(more.iter().copied()).collect()
}

scenario! {
    fn label_takes_three_requests_and_one_patch_of_labels_alone(world: &World, sandbox: &Sandbox) {
        let runai = world.runai_namespace();
        world.create_secret(&runai, "shared", &[("k", "v")]);
        sandbox.run(label(&runai, &[])).success();
        let requests = world.requests();
        assert_eq!(requests.len(), 3, "{:?}", world.lines());
        let patch = world.writes().pop().unwrap();
        assert_eq!(patch.call(), format!("PATCH /api/v1/namespaces/{runai}/secrets/shared"));
        let body = patch.json();
        assert_eq!(body["metadata"]["labels"], json!({ "runai/cluster-wide": "true", "run.ai/cluster-wide": "true" }));
        assert!(body["metadata"]["resourceVersion"].is_string(), "the patch holds for what was read only");
        assert_eq!(body.as_object().unwrap().len(), 1, "nothing but metadata: {body}");
        assert_eq!(body["metadata"].as_object().unwrap().len(), 2, "{body}");
    }

    fn a_secret_that_is_shared_already_is_not_written(world: &World, sandbox: &Sandbox) {
        let runai = world.runai_namespace();
        world.create_secret(&runai, "shared", &[("k", "v")]);
        sandbox.run(label(&runai, &[])).success();
        world.clear_log();
        let again = sandbox.run(label(&runai, &[])).success();
        assert_eq!(again.stdout, "secret/shared not labeled\n");
        assert!(world.writes().is_empty());
    }

    fn one_of_the_two_keys_can_be_chosen(world: &World, sandbox: &Sandbox) {
        let runai = world.runai_namespace();
        world.create_secret(&runai, "shared", &[("k", "v")]);
        sandbox.run(label(&runai, &["--key", "legacy"])).success();
        let labels = world.secret(&runai, "shared").unwrap()["metadata"]["labels"].clone();
        assert_eq!(labels, json!({ "runai/cluster-wide": "true" }));
    }

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

    fn a_secret_that_is_elsewhere_is_found_and_named(world: &World, sandbox: &Sandbox) {
        let (runai, project) = (world.runai_namespace(), world.project("team-a"));
        let name = format!("only-{}", project.name);
        world.create_secret(&project.namespace, &name, &[("k", "v")]);
        let refused = sandbox.run(["label", &name, "--runai-namespace", &runai]).fails_with(1);
        assert!(refused.stderr.starts_with("Error from server (NotFound): "), "{refused}");
        assert!(refused.stderr.contains(&format!("there is one in {}", project.namespace)), "{refused}");
    }

    fn another_writer_at_the_same_moment_loses_nothing(world: &World, sandbox: &Sandbox) {
        let runai = world.runai_namespace();
        world.create_secret(&runai, "shared", &[("k", "v")]);
        let gate = world.hold(Fault::on("PATCH", "/secrets/shared"), Hold::BeforeForwarding);
        let labelling = sandbox.spawn(label(&runai, &[]));
        assert!(gate.wait_reached(Duration::from_secs(20)));
        let theirs = json!({ "metadata": { "labels": { "theirs": "too" } } });
        world.patch(&format!("/api/v1/namespaces/{runai}/secrets/shared"), &theirs);
        gate.release();
        labelling.wait().success();
        let labels = world.secret(&runai, "shared").unwrap()["metadata"]["labels"].clone();
        let all = json!({ "theirs": "too", "runai/cluster-wide": "true", "run.ai/cluster-wide": "true" });
        assert_eq!(labels, all);
    }

    fn a_user_who_may_only_touch_this_secret_can_share_it(world: &World, sandbox: &Sandbox) {
        let runai = world.runai_namespace();
        world.create_secret(&runai, "shared", &[("k", "v")]);
        let token = restricted_user(world, &runai);
        let labelled = sandbox.run(label(&runai, &["--token", &token])).success();
        assert_eq!(labelled.stdout, "secret/shared labeled\n");
        assert!(labelled.stderr.contains("you may not list namespaces"), "{labelled}");
        assert!(labelled.stderr.contains("you may not list all secrets"), "{labelled}");
    }

    fn who_can_not_see_the_copies_is_not_told_that_there_are_none(world: &World, sandbox: &Sandbox) {
        let runai = world.runai_namespace();
        world.create_secret(&runai, "shared", &[("k", "v")]);
        sandbox.run(label(&runai, &[])).success();
        let token = restricted_user(world, &runai);
        world.clear_log();
        let unseen = "which projects lose their copy can't be seen: you may not list namespaces and secrets";
        for more in [&["--remove"][..], &["--remove", "-q"]] {
            let refused = sandbox.run(label(&runai, more).into_iter().chain(["--token", &token])).fails_with(2);
            assert!(refused.stderr.contains(unseen), "{refused}");
            assert!(!refused.stderr.contains("no project has a copy"), "{refused}");
        }
        assert!(world.writes().is_empty());
        sandbox.run(label(&runai, &["--remove", "--yes", "--token", &token])).success();
    }
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
