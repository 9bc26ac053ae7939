//! The rights to change, make and look at workloads.

use support::{Sandbox, World, scenario};

use super::{InCluster, InProject, Right, are_smallest, commands, is_smallest, rights, run};
use crate::definitions::GROUPS;
use crate::definitions::{custom_kinds, define};

#[scenario]
fn restarting_needs_to_get_and_update_what_is_restarted(world: &World, sandbox: &Sandbox) {
    let lines = commands([
        "set s --from-literal=k=v4lue-2 --restart -n {namespace}",
        "restart s --all --no-wait -y -n {namespace}",
    ]);
    let beside = [("runai-secret-set", InProject), ("runai-secret-usage", InProject)];
    is_smallest(world, sandbox, ("runai-secret-restart", InProject), &beside, &lines);
}

#[scenario]
fn attach_and_detach_need_to_get_and_update_the_workload(world: &World, sandbox: &Sandbox) {
    let kinds = ["deployment", "statefulset", "daemonset", "replicaset", "cronjob"];
    let lines: Vec<String> = kinds
        .iter()
        .flat_map(|kind| {
            [
                format!("attach s {kind}/w --env k -n {{namespace}}"),
                format!("detach s {kind}/w -n {{namespace}}"),
            ]
        })
        .collect();
    is_smallest(world, sandbox, ("runai-secret-attach", InProject), &[], &lines);
}

#[scenario]
fn extracting_needs_to_read_and_write_secrets_and_to_list_revisions(world: &World, sandbox: &Sandbox) {
    let lines = commands([
        "attach deployment/plain --extract A=new -n {namespace}",
        "attach statefulset/plain --extract A=s -n {namespace}",
    ]);
    let beside = [("runai-secret-attach", InProject)];
    is_smallest(world, sandbox, ("runai-secret-extract", InProject), &beside, &lines);
}

#[scenario]
fn service_accounts_need_the_same(world: &World, sandbox: &Sandbox) {
    let lines =
        commands(["attach r serviceaccount/w --image-pull -n {namespace}", "detach r sa/w -n {namespace}"]);
    let check = [("runai-secret-check", InProject)];
    is_smallest(world, sandbox, ("runai-secret-attach-accounts", InProject), &check, &lines);
}

#[scenario]
fn custom_kinds_need_the_same(world: &World, sandbox: &Sandbox) {
    let role = "runai-secret-attach-custom";
    let of_kinds: Vec<Right> = custom_kinds()
        .iter()
        .flat_map(|kind| ["get", "update"].map(|verb| Right::new(kind.group, kind.plural, verb)))
        .collect();
    let all = rights(role);
    assert!(all.len() == of_kinds.len() && of_kinds.iter().all(|right| all.contains(right)), "{all:?}");
    // All need the same requests: two kinds, of which one is in another version than its group prefers, stand for all.
    define(world, &["run.ai", "kubeflow.org"]);
    let tried = |resource: &str| matches!(resource, "trainingworkloads" | "mpijobs");
    let all: Vec<_> = all.into_iter().filter(|right| tried(&right.resource)).collect();
    let lines =
        commands(["attach s tw/w --env k -n {namespace}", "attach s mpijob/w --env k -n {namespace}"]);
    are_smallest(world, sandbox, (role, InProject), &all, &[], &lines);
}

#[scenario]
fn a_missing_secret_is_looked_for_elsewhere_where_one_may(world: &World, sandbox: &Sandbox) {
    let elsewhere = world.project("elsewhere");
    // Other tests have secrets of any plain name.
    let name = &elsewhere.name;
    world.create_secret(&elsewhere.namespace, name, &[("k", "v4lue")]);
    let beside = [("runai-secret-attach", InProject), ("runai-secret-check", InProject)];
    let beside: Vec<_> = beside.iter().map(|(role, bound)| (rights(role), *bound)).collect();
    let line = commands([format!("attach {name} deployment/w --env k -n {{namespace}}").as_str()]);
    let said = |name: &str, more: Vec<Right>| {
        let granted = [beside.clone(), vec![(more, InCluster)]].concat();
        run(world, sandbox, name, &granted, &line).remove(0).fails_with(1).stderr
    };
    let all = rights("runai-secret-attach-overview");
    let place = format!("project {name} has a secret {name}");
    assert!(said("all", all.clone()).contains(&place));
    for (index, right) in all.iter().enumerate() {
        let rest = all.iter().filter(|other| *other != right).cloned().collect();
        let said = said(&format!("without-{index}"), rest);
        assert!(!said.contains(&place), "needs no {right:?}: {said}");
    }
}

#[scenario]
fn recreate_needs_to_get_create_and_delete_the_workload(world: &World, sandbox: &Sandbox) {
    let lines = commands([
        "attach s job/w --env k --recreate --yes -n {namespace}",
        "attach s pod/w --env k --recreate --yes -n {namespace}",
    ]);
    is_smallest(world, sandbox, ("runai-secret-recreate", InProject), &[], &lines);
}

#[scenario]
fn submit_needs_to_create_jobs(world: &World, sandbox: &Sandbox) {
    let lines = commands(["submit new -i busybox -e V=SECRET:s,k -n {namespace}"]);
    is_smallest(world, sandbox, ("runai-secret-submit", InProject), &[], &lines);
}

#[scenario]
fn submitting_run_ais_own_kinds_needs_to_create_them(world: &World, sandbox: &Sandbox) {
    define(world, &["run.ai"]);
    let lines = ["runaijob", "trainingworkload", "interactiveworkload"]
        .map(|kind| format!("submit new --kind={kind} -i busybox -e V=SECRET:s,k -n {{namespace}}"));
    is_smallest(world, sandbox, ("runai-secret-submit-kinds", InProject), &[], &lines);
}

#[scenario]
fn waiting_needs_to_look_at_the_job_its_pods_and_events(world: &World, sandbox: &Sandbox) {
    let lines = commands(["submit new -i busybox --wait=30s -n {namespace}"]);
    let beside = [("runai-secret-submit", InProject)];
    is_smallest(world, sandbox, ("runai-secret-submit-wait", InProject), &beside, &lines);
}

#[scenario]
fn keys_are_checked_where_secrets_may_be_read(world: &World, sandbox: &Sandbox) {
    let lines = commands([
        "attach s deployment/w --env k -n {namespace}",
        "submit new -i busybox -e V=SECRET:s,k -n {namespace}",
        "usage deployment/w -n {namespace}",
    ]);
    let beside = [("runai-secret-attach", InProject), ("runai-secret-submit", InProject)];
    is_smallest(world, sandbox, ("runai-secret-check", InProject), &beside, &lines);
}

#[scenario]
fn usage_and_check_list_what_refers_to_secrets(world: &World, sandbox: &Sandbox) {
    define(world, &GROUPS);
    let lines = commands(["usage -n {namespace}", "check -n {namespace}", "list --consumers -n {namespace}"]);
    is_smallest(world, sandbox, ("runai-secret-usage", InProject), &[], &lines);
}
