//! The rights that `docs/rbac.yaml` names are enough, and none is too many.

mod workloads;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use support::{Outcome, Project, Sandbox, User, World, scenario};

use crate::completion::ask;
use crate::definitions::GROUPS;
use crate::definitions::{custom_kinds, define};
use crate::set::{create_workload, with_variable};
use crate::status::{Shared, create as create_shared, our_copy};
use crate::workloads::{create_cronjob, create_deployment, create_job, pod_template};

/// Where a role is bound.
#[derive(Clone, Copy)]
enum Bound {
    InProject,
    InCluster,
}

use Bound::{InCluster, InProject};

type Role = (&'static str, Bound);

/// One verb on one kind of object.
#[derive(Clone, Debug, PartialEq)]
struct Right {
    group: String,
    resource: String,
    verb: String,
}

impl Right {
    fn new(group: &str, resource: &str, verb: &str) -> Self {
        Self { group: group.to_owned(), resource: resource.to_owned(), verb: verb.to_owned() }
    }
}

/// The rights of a role of `docs/rbac.yaml`, one by one.
fn rights(role: &str) -> Vec<Right> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rbac.yaml")).unwrap();
    let roles: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
    let role =
        roles.iter().find(|found| found["metadata"]["name"] == role).unwrap_or_else(|| panic!("no {role}"));
    let words = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let mut rights = Vec::new();
    for rule in role["rules"].as_array().unwrap() {
        let [group] = &words(&rule["apiGroups"])[..] else { panic!("a rule has one group: {rule}") };
        for resource in words(&rule["resources"]) {
            for verb in words(&rule["verbs"]) {
                rights.push(Right { group: group.clone(), resource: resource.clone(), verb });
            }
        }
    }
    rights
}

/// A project with one of everything that the commands need, in a namespace that no earlier run has touched.
fn project(world: &World, name: &str, commands: &[String]) -> Project {
    let project = world.project(name);
    let namespace = &project.namespace;
    world.create_secret(namespace, "s", &[("k", "v4lue")]);
    let login = json!({"metadata": {"name": "r"}, "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": "{\"auths\":{\"r\":{\"auth\":\"dTpw\"}}}"}});
    world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &login);
    world.create(
        &format!("/api/v1/namespaces/{namespace}/serviceaccounts"),
        &json!({"metadata": {"name": "w"}}),
    );
    create_deployment(world, namespace, "w");
    create_cronjob(world, namespace, "w");
    create_job(world, namespace, "w");
    let spec = || json!({"selector": {"matchLabels": {"app": "test"}}, "template": pod_template("Always")});
    for (plural, more) in
        [("statefulsets", json!({"serviceName": "w"})), ("daemonsets", json!({})), ("replicasets", json!({}))]
    {
        let mut spec = spec();
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let path = format!("/apis/apps/v1/namespaces/{namespace}/{plural}");
        world.create(&path, &json!({"metadata": {"name": "w"}, "spec": spec}));
    }
    let mut pod = pod_template("Never");
    pod["metadata"] = json!({"name": "w"});
    let pods = format!("/api/v1/namespaces/{namespace}/pods");
    world.create(&pods, &pod);
    if commands.iter().any(|command| command.starts_with("rename ")) {
        let backend = json!({"service": {"name": "w", "port": {"number": 80}}});
        let spec = json!({"tls": [{"secretName": "s"}], "defaultBackend": backend});
        let ingresses = format!("/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses");
        world.create(&ingresses, &json!({"metadata": {"name": "w"}, "spec": spec}));
    }
    if commands.iter().any(|command| command.contains(" --restart ")) {
        for plural in ["deployments", "statefulsets", "daemonsets"] {
            create_workload(world, namespace, plural, "uses-s", with_variable("k"));
        }
    }
    if commands.iter().any(|command| command.contains(" --extract ")) {
        let plain = |spec: &mut Value| {
            spec["containers"][0]["env"] = json!([{"name": "A", "value": "v4lue-in-plain-text"}]);
        };
        for plural in ["deployments", "statefulsets"] {
            create_workload(world, namespace, plural, "plain", plain);
        }
    }
    // What a Job of this name will find when it looks for its pods.
    pod["metadata"] = json!({"name": "done", "labels": {"job-name": "new"}});
    world.create(&pods, &pod);
    world.run_pod(namespace, "done", "Succeeded", &json!({"terminated": {"exitCode": 0}}));
    // Those that the test has defined.
    let is_used = |word: &str| commands.iter().any(|command| command.contains(&format!(" {word}/")));
    for kind in custom_kinds().iter().filter(|kind| is_used(kind.word)) {
        kind.create(world, namespace, "w");
    }
    project
}

/// Runs the commands as a user with these rights and no others.
fn run(
    world: &World,
    sandbox: &Sandbox,
    name: &str,
    granted: &[(Vec<Right>, Bound)],
    commands: &[String],
) -> Vec<Outcome> {
    let project = project(world, name, commands);
    let user = world.user(name);
    for (rights, bound) in granted.iter().filter(|(rights, _)| !rights.is_empty()) {
        let rule = |right: &Right| json!({"apiGroups": [right.group], "resources": [right.resource], "verbs": [right.verb]});
        let namespace = matches!(bound, InProject).then_some(project.namespace.as_str());
        world.grant(&user, namespace, &rights.iter().map(rule).collect());
    }
    let run = |command: &String| {
        let command = command.replace("{namespace}", &project.namespace).replace("{project}", &project.name);
        let editor = sandbox.env("EDITOR", "sed -i s/v4lue/new/").env("XDG_RUNTIME_DIR", sandbox.home());
        editor.run(command.split(' ').chain(["--token", &user.token]))
    };
    commands.iter().map(run).collect()
}

/// How many commands failed, and how often one said that something was not allowed.
fn losses(outcomes: &[Outcome]) -> (usize, usize) {
    let failed = outcomes.iter().filter(|outcome| outcome.code != Some(0)).count();
    (failed, outcomes.iter().map(|outcome| outcome.stderr.matches("you may not").count()).sum())
}

/// With `role` and those in `beside` the commands work; without any one of the rights of `role` something is lost.
#[track_caller]
fn is_smallest(world: &World, sandbox: &Sandbox, role: Role, beside: &[Role], commands: &[String]) {
    are_smallest(world, sandbox, role, &rights(role.0), beside, commands);
}

/// The same for some of the rights of a role.
#[track_caller]
fn are_smallest(
    world: &World,
    sandbox: &Sandbox,
    (role, bound): Role,
    all: &[Right],
    beside: &[Role],
    commands: &[String],
) {
    let beside: Vec<_> = beside.iter().map(|(role, bound)| (rights(role), *bound)).collect();
    let granted = |rights: Vec<Right>| [beside.clone(), vec![(rights, bound)]].concat();
    let outcomes = run(world, sandbox, &format!("{role}-all"), &granted(all.to_vec()), commands);
    for outcome in &outcomes {
        assert_eq!(outcome.code, Some(0), "with all of {role}: {outcome}");
    }
    for (index, right) in all.iter().enumerate() {
        let rest = all.iter().filter(|other| *other != right).cloned().collect();
        let name = format!("{role}-{index}");
        let without = run(world, sandbox, &name, &granted(rest), commands);
        assert!(losses(&without) > losses(&outcomes), "{role} needs no {right:?}");
    }
}

/// For how many of these words a user with these rights is offered a completion.
fn offers(
    world: &World,
    sandbox: &Sandbox,
    (project, user): (&Project, &User),
    granted: &[Right],
    words: &[(String, &str)],
) -> usize {
    let rule = |right: &Right| json!({"apiGroups": [right.group], "resources": [right.resource], "verbs": [right.verb]});
    world.grant(user, Some(&project.namespace), &granted.iter().map(rule).collect());
    let is_offered = |(words, expected): &&(String, &str)| {
        let line = format!("-n {} --token={} {words}", project.namespace, user.token);
        ask(sandbox, &line).names().contains(expected)
    };
    words.iter().filter(is_offered).count()
}

/// Runs a command as a user who may see everything that `status` does and has all of these rights but one.
fn run_without(
    world: &World,
    sandbox: &Sandbox,
    left_out: Option<&Right>,
    all: &[Right],
    words: &[&str],
) -> Outcome {
    let user = world.user(&format!("without-{}", left_out.map_or("none", |right| &right.verb)));
    let granted = rights("runai-secret-status")
        .into_iter()
        .chain(all.iter().filter(|right| Some(*right) != left_out).cloned());
    let rule = |right: Right| json!({"apiGroups": [right.group], "resources": [right.resource], "verbs": [right.verb]});
    world.grant(&user, None, &granted.map(rule).collect());
    sandbox.run(words.iter().copied().chain(["--token", &user.token]))
}

fn commands<const N: usize>(lines: [&str; N]) -> Vec<String> {
    lines.map(str::to_owned).to_vec()
}

#[scenario]
fn create_needs_to_create_secrets(world: &World, sandbox: &Sandbox) {
    let lines = commands(["create new --from-literal=key=v4lue -n {namespace}"]);
    is_smallest(world, sandbox, ("runai-secret-create", InProject), &[], &lines);
}

#[scenario]
fn replace_needs_to_get_update_create_and_delete_secrets(world: &World, sandbox: &Sandbox) {
    let lines = commands([
        "create s --replace --from-literal=key=v4lue -n {namespace}",
        "create new --replace --from-literal=key=v4lue -n {namespace}",
        "create s --replace --yes --type=example.com/other --from-literal=key=v4lue -n {namespace}",
    ]);
    is_smallest(world, sandbox, ("runai-secret-replace", InProject), &[], &lines);
}

#[scenario]
fn a_project_is_found_by_listing_namespaces(world: &World, sandbox: &Sandbox) {
    let beside = [("runai-secret-create", InProject)];
    let lines = commands(["create new --from-literal=key=v4lue -p {project}"]);
    is_smallest(world, sandbox, ("runai-secret-project", InCluster), &beside, &lines);
}

#[scenario]
fn label_needs_to_get_and_patch_secrets(world: &World, sandbox: &Sandbox) {
    let lines = commands([
        "label s --runai-namespace {namespace}",
        "label s --remove --yes --runai-namespace {namespace}",
    ]);
    is_smallest(world, sandbox, ("runai-secret-label", InProject), &[], &lines);
}

#[scenario]
fn label_looks_around_where_it_may(world: &World, sandbox: &Sandbox) {
    let lines = commands(["label s --yes --runai-namespace {namespace}"]);
    let beside = [("runai-secret-label", InProject)];
    is_smallest(world, sandbox, ("runai-secret-label-overview", InCluster), &beside, &lines);
}

#[scenario]
fn status_lists_namespaces_and_secrets(world: &World, sandbox: &Sandbox) {
    let lines = commands(["status s --runai-namespace {namespace}"]);
    is_smallest(world, sandbox, ("runai-secret-status", InCluster), &[], &lines);
}

#[scenario]
fn status_and_sync_of_a_named_project_need_to_get_the_secret_there(world: &World, sandbox: &Sandbox) {
    for left_out in [None, Some(0), Some(1)] {
        let (shared, a) = (Shared::new(world), world.project("a"));
        our_copy(world, &shared, &a.namespace, "stale");
        let user = world.user(&format!("named-{}", left_out.map_or(9, |number: usize| number)));
        let rule = |right: &Right| json!({"apiGroups": [right.group], "resources": [right.resource], "verbs": [right.verb]});
        let get: Value = rights("runai-secret-status-project").iter().map(rule).collect();
        let sync: Value = rights("runai-secret-sync").iter().map(rule).collect();
        let namespaces: Value = rights("runai-secret-project").iter().map(rule).collect();
        world.grant(&user, None, &namespaces);
        world.grant(&user, Some(&a.namespace), &sync);
        for (number, namespace) in [&shared.runai, &a.namespace].into_iter().enumerate() {
            if left_out != Some(number) {
                world.grant(&user, Some(namespace), &get);
            }
        }
        let words = shared.run(&["sync", "hf", "--to-project", &a.name, "--token", &user.token]);
        let outcome = sandbox.run(words);
        assert_eq!(outcome.code == Some(0), left_out.is_none(), "without {left_out:?}: {outcome}");
        let words = shared.run(&["status", "hf", "-p", &a.name, "-o", "json", "--token", &user.token]);
        let state = sandbox.run(words).json()["projects"][0]["state"].clone();
        let expected = match left_out {
            None => "copied",
            Some(0) => "unverified",
            Some(_) => "forbidden",
        };
        assert_eq!(state, expected);
        for namespace in [&shared.runai, &a.namespace] {
            let _ = world.admin("DELETE", &format!("/api/v1/namespaces/{namespace}/secrets/hf"), None);
        }
    }
}

#[scenario]
fn copying_from_a_project_needs_to_get_there_and_to_get_and_create_in_runai(
    world: &World,
    sandbox: &Sandbox,
) {
    let right = |verbs: &[&str]| json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": verbs}]);
    let (runai, project) = (world.runai_namespace(), world.project("a"));
    world.create_secret(&project.namespace, "s", &[("k", "v4lue")]);
    let user = world.user("copying");
    world.grant(&user, None, &json!([{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list"]}]));
    let words =
        ["label", "s", "--from-project", &project.name, "--runai-namespace", &runai, "--token", &user.token];
    sandbox.run(words).fails_with(1);
    world.grant(&user, Some(&runai), &right(&["get"]));
    sandbox.run(words).fails_with(1);
    world.grant(&user, Some(&project.namespace), &right(&["get"]));
    sandbox.run(words).fails_with(1);
    world.grant(&user, Some(&runai), &right(&["create"]));
    sandbox.run(words).success();
}

#[scenario]
fn sync_needs_to_create_patch_and_delete_secrets(world: &World, sandbox: &Sandbox) {
    let all = rights("runai-secret-sync");
    for left_out in [None].into_iter().chain(all.iter().map(Some)) {
        let (shared, a, b, c) =
            (Shared::new(world), world.project("a"), world.project("b"), world.project("c"));
        let labels = json!({"kubectl-runai-secret/copy": "true"});
        let annotations = json!({"kubectl-runai-secret/copy-of": format!("{}/hf", shared.runai)});
        create_shared(world, &b.namespace, &labels, &annotations, "stale");
        let metadata = json!({"name": "hf", "labels": labels, "annotations": annotations});
        let unchangeable = json!({"metadata": metadata, "immutable": true});
        world.create(&format!("/api/v1/namespaces/{}/secrets", c.namespace), &unchangeable);
        let outcome = run_without(world, sandbox, left_out, &all, &shared.run(&["sync", "hf", "--yes"]));
        assert_eq!(
            outcome.code,
            Some(if left_out.is_some() { 3 } else { 0 }),
            "without {left_out:?}: {outcome}"
        );
        for namespace in [&shared.runai, &a.namespace, &b.namespace, &c.namespace] {
            let _ = world.admin("DELETE", &format!("/api/v1/namespaces/{namespace}/secrets/hf"), None);
        }
    }
}

#[scenario]
fn delete_needs_to_get_and_delete_secrets(world: &World, sandbox: &Sandbox) {
    let lines = commands(["delete s --yes -n {namespace}"]);
    is_smallest(world, sandbox, ("runai-secret-delete", InProject), &[], &lines);
}

/// In process: the old secret stays where kinds can't be listed, and the shared cluster has those of other tests.
#[test]
fn rename_needs_to_make_and_delete_secrets_and_to_change_what_refers_to_them() {
    let world = World::in_process();
    let (world, sandbox) = (&world, &Sandbox::new().with(&world));
    define(world, &GROUPS);
    let lines = commands(["rename s new --yes -n {namespace}"]);
    let beside = [("runai-secret-usage", InProject), ("runai-secret-attach", InProject)];
    is_smallest(world, sandbox, ("runai-secret-rename", InProject), &beside, &lines);
}

#[scenario]
fn delete_is_told_who_needs_the_secret_by_what_usage_lists(world: &World, sandbox: &Sandbox) {
    define(world, &GROUPS);
    let lines = commands(["delete s --yes -n {namespace}"]);
    let beside = [("runai-secret-delete", InProject)];
    let all: Vec<_> =
        rights("runai-secret-usage").into_iter().filter(|right| right.resource != "secrets").collect();
    are_smallest(world, sandbox, ("runai-secret-usage", InProject), &all, &beside, &lines);
}

#[scenario]
fn deleting_a_shared_secret_needs_to_patch_and_delete_secrets(world: &World, sandbox: &Sandbox) {
    let all = rights("runai-secret-delete-cluster-wide");
    for left_out in [None].into_iter().chain(all.iter().map(Some)) {
        let (shared, a) = (Shared::new(world), world.project("a"));
        create_shared(
            world,
            &a.namespace,
            &json!({"run.ai/cluster-wide": "true"}),
            &json!({}),
            "shared-value-of-the-source",
        );
        let words = shared.run(&["delete", "hf", "--cluster-wide", "--yes", "--timeout", "0"]);
        let outcome = run_without(world, sandbox, left_out, &all, &words);
        assert_eq!(outcome.code == Some(0), left_out.is_none(), "without {left_out:?}: {outcome}");
        for namespace in [&shared.runai, &a.namespace] {
            let _ = world.admin("DELETE", &format!("/api/v1/namespaces/{namespace}/secrets/hf"), None);
        }
    }
}

#[scenario]
fn list_needs_to_list_secrets(world: &World, sandbox: &Sandbox) {
    let lines = commands(["list -n {namespace}"]);
    is_smallest(world, sandbox, ("runai-secret-list", InProject), &[], &lines);
}

#[scenario]
fn view_needs_to_get_the_secret(world: &World, sandbox: &Sandbox) {
    let lines = commands(["view s -n {namespace}"]);
    is_smallest(world, sandbox, ("runai-secret-view", InProject), &[], &lines);
}

#[scenario]
fn diff_needs_to_get_the_secret(world: &World, sandbox: &Sandbox) {
    let lines = commands(["diff s --from-literal=k=v4lue -n {namespace}"]);
    is_smallest(world, sandbox, ("runai-secret-diff", InProject), &[], &lines);
}

#[scenario]
fn copy_needs_to_get_create_and_update_secrets(world: &World, sandbox: &Sandbox) {
    let all = rights("runai-secret-copy");
    for (index, left_out) in [None].into_iter().chain(all.iter().map(Some)).enumerate() {
        let [from, new, old] = ["from", "new", "old"].map(|name| world.project(&format!("{name}-{index}")));
        for project in [&from, &old] {
            world.create_secret(&project.namespace, "s", &[("k", "v4lue")]);
        }
        let user = world.user(&format!("copier-{index}"));
        let granted = rights("runai-secret-project")
            .into_iter()
            .chain(all.iter().filter(|right| Some(*right) != left_out).cloned());
        let rule = |right: Right| json!({"apiGroups": [right.group], "resources": [right.resource], "verbs": [right.verb]});
        world.grant(&user, None, &granted.map(rule).collect());
        let to = [format!("--to-project={}", new.name), format!("--to-project={}", old.name)];
        let words = ["copy", "s", "-n", &from.namespace, &to[0], &to[1], "--replace", "--token", &user.token];
        let outcome = sandbox.run(words);
        assert_eq!(outcome.code == Some(0), left_out.is_none(), "without {left_out:?}: {outcome}");
    }
}

#[scenario]
fn set_needs_to_get_patch_and_create_secrets(world: &World, sandbox: &Sandbox) {
    let lines = commands([
        "set s --from-literal=k=v4lue-2 -n {namespace}",
        "set new --from-literal=k=v4lue -n {namespace}",
    ]);
    is_smallest(world, sandbox, ("runai-secret-set", InProject), &[], &lines);
}

#[scenario]
fn apply_needs_what_set_needs_and_to_list_secrets_to_see_what_is_left(world: &World, sandbox: &Sandbox) {
    sandbox.file("s.yaml", "{name: f, secrets: [{name: s, from: [{generate: more}]}]}");
    sandbox.file("new.yaml", "{name: g, secrets: [{name: new, from: [{generate: k}]}]}");
    let lines = commands(["apply -f s.yaml --adopt -n {namespace}", "apply -f new.yaml -n {namespace}"]);
    let (set, left) = (("runai-secret-set", InProject), ("runai-secret-apply-leftovers", InCluster));
    is_smallest(world, sandbox, set, &[left], &lines);
    is_smallest(world, sandbox, left, &[set], &lines);
}

#[scenario]
fn unset_and_edit_need_to_get_and_patch_secrets(world: &World, sandbox: &Sandbox) {
    let lines = commands(["edit s -n {namespace}", "unset s k -n {namespace}"]);
    is_smallest(world, sandbox, ("runai-secret-unset", InProject), &[], &lines);
}

#[scenario]
fn tab_offers_what_may_be_looked_up(world: &World, sandbox: &Sandbox) {
    let all = rights("runai-secret-completion");
    let names =
        ["deployment/w", "statefulset/w", "daemonset/w", "replicaset/w", "cronjob/w", "job/w", "pod/w"];
    let of_workloads = names
        .iter()
        .flat_map(|name| [(format!("attach s {name}"), *name), (format!("attach s {name} -c "), "main")]);
    let words: Vec<_> = [("delete ".to_owned(), "s"), ("attach s deployment/w --env ".to_owned(), "k")]
        .into_iter()
        .chain(of_workloads)
        .collect();
    let project = project(world, "tab", &[]);
    assert_eq!(offers(world, sandbox, (&project, &world.user("tab")), &all, &words), words.len());
    for (index, left_out) in all.iter().enumerate() {
        let rest: Vec<Right> = all.iter().filter(|right| *right != left_out).cloned().collect();
        let user = world.user(&format!("tab-{index}"));
        assert_eq!(
            offers(world, sandbox, (&project, &user), &rest, &words),
            words.len() - 1,
            "without {left_out:?}"
        );
    }
}
