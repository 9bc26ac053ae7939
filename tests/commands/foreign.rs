//! Secrets of a project that look like copies: somebody labelled their own with Run:ai's label, or Run:ai owns it. Only the
//! mark of `sync` is proof; all else is never taken over, deleted or locked unseen.

use serde_json::{Value, json};
use support::{Project, Sandbox, World, scenario};

use crate::status::{Shared, create, our_copy, runais_copy, state, value};

const THEIRS: &str = "value-of-the-project-itself";

/// A secret `hf` of the project's own, in each way in which it may look like a copy.
fn lookalikes(world: &World) -> Vec<(&'static str, Project)> {
    let signs = [
        ("legacy", json!({"labels": {"runai/cluster-wide": "true"}})),
        ("current", json!({"labels": {"run.ai/cluster-wide": "true"}})),
        ("department", json!({"labels": {"run.ai/department": "7"}})),
        (
            "owner",
            json!({"ownerReferences": [{"apiVersion": "run.ai/v2", "kind": "Project", "name": "x", "uid": "u"}]}),
        ),
        ("mark", json!({"labels": {"kubectl-runai-secret/copy": "true"}})),
        (
            "other",
            json!({"labels": {"kubectl-runai-secret/copy": "true"}, "annotations": {"kubectl-runai-secret/copy-of": "runai/other"}}),
        ),
        (
            "off",
            json!({"labels": {"kubectl-runai-secret/copy": "false"}, "annotations": {"kubectl-runai-secret/copy-of": "runai/hf"}}),
        ),
    ];
    let make = |(name, metadata): (&'static str, Value)| {
        let project = world.project(name);
        let mut secret = json!({"metadata": metadata, "stringData": {"token": THEIRS}});
        secret["metadata"]["name"] = "hf".into();
        world.create(&format!("/api/v1/namespaces/{}/secrets", project.namespace), &secret);
        (name, project)
    };
    // On a real control plane the garbage collector takes what has an owner that is not there.
    signs.into_iter().filter(|(sign, _)| *sign != "owner" || !world.is_real()).map(make).collect()
}

#[scenario]
fn sync_overwrites_none_of_them_unless_told_to(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let projects = lookalikes(world);
    for more in [&[][..], &["--yes"], &["--prune", "--yes"], &["--dry-run=server"]] {
        let synced = sandbox.run(shared.run(&["sync", "hf"]).iter().chain(more)).fails_with(3);
        for (sign, project) in &projects {
            assert_eq!(value(world, project).as_deref(), Some(THEIRS), "{sign}: {synced}");
            assert!(
                synced.stderr.contains(&format!("note: {}: hf is left alone: ", project.name)),
                "{sign}: {synced}"
            );
        }
        assert_eq!(synced.stdout, "");
    }
    let refused = sandbox.run(shared.run(&["sync", "hf", "--adopt"])).fails_with(2);
    let label = format!(
        "{}: secret hf in namespace {} has other content, and only Run:ai's label or owner says that it is a copy",
        projects[0].1.name, projects[0].1.namespace
    );
    assert!(refused.stderr.contains(&label), "{refused}");
    sandbox.run(shared.run(&["sync", "hf", "--adopt", "--yes"])).success();
    assert!(projects.iter().all(|(_, project)| value(world, project).as_deref() != Some(THEIRS)));
}

#[scenario]
fn deleting_the_shared_one_leaves_them_alone_and_says_so(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let projects = lookalikes(world);
    let words = shared.run(&["delete", "hf", "--cluster-wide", "--yes", "--force", "--timeout", "0"]);
    let deleted = sandbox.run(&words).fails_with(3);
    assert_eq!(deleted.stdout, "secret/hf deleted\n");
    assert!(deleted.stderr.contains("error: secret hf was left alone in "), "{deleted}");
    for (sign, project) in &projects {
        assert!(deleted.stderr.contains(&project.name), "{sign}: {deleted}");
        assert_eq!(value(world, project).as_deref(), Some(THEIRS), "{sign}: {deleted}");
    }
    let again = sandbox.run(&words).fails_with(3);
    assert!(projects.iter().all(|(_, project)| value(world, project).as_deref() == Some(THEIRS)), "{again}");
}

#[scenario]
fn whoever_labels_their_own_secret_is_not_locked_out(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    let (from, project) = (world.project("from"), world.project("a"));
    world.create_secret(&from.namespace, "hf", &[("token", "x"), ("more", "x")]);
    let namespace = project.namespace.as_str();
    let path = format!("/api/v1/namespaces/{namespace}/secrets/hf");
    let own = |labels: Value, annotations: Value| {
        let _ = world.admin("DELETE", &path, None);
        create(world, namespace, &labels, &annotations, THEIRS);
    };
    let commands: [&[&str]; 6] = [
        &["set", "hf", "--from-literal=more=x"],
        &["unset", "hf", "token"],
        &["create", "hf", "--replace", "--from-literal=token=x"],
        &["create", "hf", "--replace", "--from-literal=token=x", "--dry-run=client"],
        &["copy", "hf", "--from-project", &from.name, "--replace", "--to-project", &project.name],
        &["delete", "hf", "--yes"],
    ];
    let origin = json!({"kubectl-runai-secret/copy-of": format!("{runai}/hf")});
    let looks = [
        (json!({"runai/cluster-wide": "true"}), json!({})),
        (json!({"run.ai/department": "7"}), json!({})),
        (json!({"kubectl-runai-secret/copy": "true"}), origin),
        (json!({"kubectl-runai-secret/copy": "true"}), json!({"kubectl-runai-secret/copy-of": "../x/y?z"})),
    ];
    for (labels, annotations) in looks {
        for command in commands {
            own(labels.clone(), annotations.clone());
            let place = if command[0] == "copy" { vec![] } else { vec!["-n", namespace] };
            let line = command.iter().copied().chain(place).chain(["--runai-namespace", &runai]);
            let done = sandbox.run(line).success();
            assert!(!done.stderr.contains("change the source"), "there is none: {done}");
            assert!(done.stderr.contains("project's own"), "{done}");
        }
    }
}

#[scenario]
fn what_may_be_shared_from_where_run_ai_is_not_said_to_be_is_neither_changed_nor_deleted_alone(
    world: &World,
    sandbox: &Sandbox,
) {
    let shared = Shared::new(world);
    let runai = shared.runai.as_str();
    sandbox.file("s.yaml", "{name: f, secrets: [{name: hf, from: [{generate: more}]}]}");
    let commands: [&[&str]; 7] = [
        &["set", "hf", "--from-literal=more=x"],
        &["unset", "hf", "token"],
        &["edit", "hf"],
        &["create", "hf", "--replace", "--from-literal=token=x"],
        &["create", "hf", "--replace", "--from-literal=token=x", "--dry-run=client"],
        &["apply", "-f", "s.yaml", "--adopt"],
        &["delete", "hf", "--force"],
    ];
    let user = world.user("member");
    let rules = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["*"]}]);
    world.grant(&user, None, &rules);
    world.clear_log();
    for command in commands {
        let line = command.iter().copied().chain(["--yes", "-n", runai]);
        let refused = sandbox.run(line.clone()).fails_with(1);
        let said = format!("secret hf in {runai} has a label that shares it");
        let flag = format!("--runai-namespace={runai}\n");
        assert!(refused.stderr.contains(&said) && refused.stderr.contains(&flag), "{refused}");
        sandbox.run(line.chain(["--token", &user.token])).fails_with(1);
    }
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    let deleted = ["delete", "hf", "--cluster-wide", "--yes", "--force", "--timeout", "0"];
    sandbox.run(shared.run(&deleted)).success();
}

#[scenario]
fn what_may_be_a_copy_of_a_shared_one_is_asked_about(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let project = world.project("a");
    runais_copy(world, &project, THEIRS);
    let commands: [&[&str]; 3] = [
        &["set", "hf", "--from-literal=token=x"],
        &["unset", "hf", "token"],
        &["create", "hf", "--replace", "--from-literal=token=x"],
    ];
    for command in commands {
        let line = shared
            .run(&[command, &["-n", &project.namespace]].concat())
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>();
        let asked = sandbox.run(&line).fails_with(2);
        assert!(
            asked.stderr.contains(&format!(
                "may be Run:ai's copy of {}/hf (label run.ai/cluster-wide)",
                shared.runai
            )),
            "{asked}"
        );
        assert!(
            asked.stderr.contains(&format!(
                "hint: change the source: kubectl runai-secret {}",
                if command[0] == "unset" { "unset" } else { "set" }
            )),
            "{asked}"
        );
        assert_eq!(value(world, &project).as_deref(), Some(THEIRS), "{asked}");
        sandbox.run(line.iter().map(String::as_str).chain(["--dry-run=client"])).success();
        sandbox.run(line.iter().map(String::as_str).chain(["--yes"])).success();
        let path = format!("/api/v1/namespaces/{}/secrets/hf", project.namespace);
        world.patch(&path, &json!({"stringData": {"token": THEIRS}}));
    }
    shared.unshare(world);
    let line = shared.run(&["set", "hf", "--from-literal=token=x", "-n", &project.namespace]);
    let own = sandbox.run(line).success();
    assert!(own.stderr.contains("is missing or not shared: it is treated as the project's own"), "{own}");
}

#[scenario]
fn who_may_not_read_the_source_is_asked_and_not_locked_out(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let project = world.project("a");
    runais_copy(world, &project, THEIRS);
    let user = world.user("member");
    let rules = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "patch"]}]);
    world.grant(&user, Some(&project.namespace), &rules);
    let line = shared.run(&[
        "set",
        "hf",
        "--from-literal=token=x",
        "-n",
        &project.namespace,
        "--token",
        &user.token,
    ]);
    sandbox.run(&line).fails_with(2);
    sandbox.run(line.iter().chain(&["--yes"])).success();
    assert_eq!(value(world, &project).as_deref(), Some("x"));
}

#[scenario]
fn a_real_copy_that_is_out_of_date_is_still_seen_as_one(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let (perhaps, ours) = (world.project("perhaps"), world.project("ours"));
    runais_copy(world, &perhaps, "before");
    our_copy(world, &shared, &ours.namespace, "before");
    let report = sandbox.run(shared.run(&["status", "hf", "-o", "json"])).fails_with(3).json();
    assert_eq!((state(&report, &perhaps), state(&report, &ours)), ("stale".to_owned(), "stale".to_owned()));
    let table = sandbox.run(shared.run(&["status", "hf"])).fails_with(3);
    let note = format!("note: in {} only Run:ai's label or owner says that it is a copy", perhaps.name);
    assert!(table.stderr.contains(&note), "{table}");
    let _controller = world.start_propagation();
    let waited = sandbox.run(shared.run(&["label", "hf", "--wait"]));
    assert!(waited.stderr.contains("shared with every project already"), "{waited}");
}

#[scenario]
fn before_a_secret_is_shared_a_label_in_a_project_makes_no_copy_of_one_that_is_in_the_way(
    world: &World,
    sandbox: &Sandbox,
) {
    let (runai, project) = (world.runai_namespace(), world.project("a"));
    world.create_secret(&runai, "hf", &[("token", "x")]);
    create(world, &project.namespace, &json!({"run.ai/cluster-wide": "true"}), &json!({}), THEIRS);
    let refused = sandbox.run(["label", "hf", "--runai-namespace", &runai]).fails_with(2);
    assert!(
        refused.stderr.contains(&format!("project {} has a secret hf of its own", project.name)),
        "{refused}"
    );
    world.delete(&format!("/api/v1/namespaces/{runai}/secrets/hf"));
    let line = ["create", "hf", "--from-literal=token=x", "--cluster-wide", "--runai-namespace", &runai];
    let refused = sandbox.run(line).fails_with(2);
    assert!(
        refused.stderr.contains(&format!("project {} has a secret hf of its own", project.name)),
        "{refused}"
    );
    assert!(world.writes().is_empty());
}

#[scenario]
fn the_owner_of_a_secret_is_named_by_every_command_that_changes_it(world: &World, sandbox: &Sandbox) {
    let (runai, from) = (world.runai_namespace(), world.project("b"));
    let project = world.project("a");
    let namespace = project.namespace.as_str();
    world.create_secret(&from.namespace, "s", &[("k", "v4lue")]);
    let in_projects = |verb: &str| format!("{verb} -y -n {namespace}");
    let in_runai = |verb: &str| format!("{verb} -y --runai-namespace {runai}");
    let (undo, again) = ("undo the change", "make it again");
    for (line, place, what) in [
        (in_projects("set s --from-literal=k=v5lue"), namespace, undo),
        (in_projects("unset s k"), namespace, undo),
        (in_projects("create s --from-literal=k=v5lue --replace"), namespace, undo),
        (in_projects("create s --from-literal=k=v5lue --replace --dry-run=client"), namespace, undo),
        (format!("copy s -y --replace -n {} --to-project {}", from.namespace, project.name), namespace, undo),
        (in_projects("delete s --force"), namespace, again),
        (in_runai("label s"), &runai, undo),
        (in_runai("delete s --cluster-wide --force --timeout 1s"), &runai, again),
    ] {
        let owner = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "keeper"}});
        let owner = world.create(&format!("/api/v1/namespaces/{place}/configmaps"), &owner);
        let uid = &owner["metadata"]["uid"];
        let kept = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "keeper", "uid": uid, "controller": true});
        let labels =
            if line.contains("--cluster-wide") { json!({"run.ai/cluster-wide": "true"}) } else { json!({}) };
        let metadata = json!({"name": "s", "ownerReferences": [kept], "labels": labels});
        let secret = json!({"metadata": metadata, "stringData": {"k": "v4lue"}});
        world.create(&format!("/api/v1/namespaces/{place}/secrets"), &secret);
        let outcome = sandbox.run(line.split(' ')).success();
        let said = format!("Warning: secret s is owned by ConfigMap keeper (v1), which may {what}\n");
        assert_eq!(outcome.stderr.matches(&said).count(), 1, "{line}: {outcome}");
        // The garbage collector takes a secret whose owner is gone.
        for path in ["secrets/s", "configmaps/keeper"] {
            let path = format!("/api/v1/namespaces/{place}/{path}");
            if world.get(&path).is_some() {
                world.delete(&path);
            }
        }
    }
}
