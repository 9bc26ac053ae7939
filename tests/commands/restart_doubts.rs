//! `restart` and `usage --stale` where something can't be seen, or can't be told for certain: nothing is restarted too
//! early, nothing is called current unseen, and no advice loses data.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use support::{Sandbox, World, scenario};

use crate::restart::{NEXT_SECOND, deployment, deployments, reads, restarted, while_pods_come};
use crate::set::{create_workload, with_variable};
use crate::stale::running_pod;
use crate::status::{Shared, create_named, runais_copy_named};

/// May see workloads and restart them.
fn workloads() -> Value {
    json!([
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list", "get", "update"]},
        {"apiGroups": ["apps"], "resources": ["replicasets"], "verbs": ["list"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
    ])
}

fn secrets() -> Value {
    json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "patch"]}])
}

fn namespaces() -> Value {
    json!([{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list", "get"]}])
}

/// What the secret's users of this namespace hold, by `usage -o json`.
fn values(usage: &Value, namespace: &str) -> Vec<String> {
    let of = usage["secrets"].as_array().unwrap().iter().filter(|one| one["namespace"] == namespace);
    let consumers = of.flat_map(|one| one["consumers"].as_array().unwrap());
    let uses = consumers.flat_map(|one| one["uses"].as_array().unwrap());
    uses.map(|one| one["value"].as_str().unwrap_or("none").to_owned()).collect()
}

#[scenario]
fn who_may_not_see_the_secret_is_not_told_that_nothing_is_old(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", "old")]);
    deployment(world, &namespace, "web", with_variable("a"));
    sleep(NEXT_SECOND);
    sandbox.stdin("new-v4lue").run(["set", "s", "a", "-n", &namespace]).success();
    let user = world.user("without-secrets");
    world.grant(&user, Some(&namespace), &workloads());
    let line = ["usage", "s", "--stale", "-n", &namespace, "--token", &user.token];
    let usage = sandbox.run(line.iter().chain(&["-o", "json"])).success();
    let unseen = usage.json()["unseen"].as_array().unwrap().clone();
    assert!(unseen.iter().any(|one| one["resource"] == "secrets"), "{usage}");
    assert!(usage.stderr.contains("secrets"), "{usage}");
    assert!(usage.stderr.contains("what holds an old value there is not known"), "{usage}");
    assert!(!usage.stderr.contains("note: nothing holds an old value"), "{usage}");

    // What it can't tell it takes to be old, and says so before it asks.
    let restart = ["restart", "s", "-n", &namespace, "--token", &user.token];
    let asked = sandbox.run(restart).fails_with(2);
    let warned = format!("you may not list secrets in {namespace}: what reads it there is taken to be old");
    assert!(asked.stderr.contains(&warned), "{asked}");
    assert!(asked.stderr.contains("restarts deployment.apps/web"), "{asked}");
}

#[scenario]
fn who_may_see_the_secrets_of_some_projects_alone_is_told_the_same_of_them_with_all_namespaces(
    world: &World,
    sandbox: &Sandbox,
) {
    let (mine, theirs) = (world.project("mine"), world.project("theirs"));
    for project in [&mine, &theirs] {
        world.create_secret(&project.namespace, "s", &[("a", "old")]);
    }
    sleep(NEXT_SECOND);
    deployment(world, &mine.namespace, "web", with_variable("a"));
    deployment(world, &theirs.namespace, "web", with_variable("a"));
    let user = world.user("of-one-project");
    world.grant(&user, None, &namespaces());
    for rules in [workloads(), secrets()] {
        world.grant(&user, Some(&mine.namespace), &rules);
    }
    let run = |words: &[&str]| sandbox.run(words.iter().chain(&["-A", "--token", &user.token]));
    let usage = run(&["usage", "s", "-o", "json"]).success().json();
    assert_eq!(values(&usage, &mine.namespace), ["current"]);
    let current = run(&["restart", "s", "-y"]).success();
    assert_eq!(current.stdout, "", "{current}");
    assert!(current.stderr.contains("there is nothing that could be seen to restart"), "{current}");
    assert_eq!(restarted(world, &mine.namespace, "web"), None);

    sleep(NEXT_SECOND);
    sandbox.stdin("new-v4lue").run(["set", "s", "a", "-n", &mine.namespace]).success();
    let stale = run(&["usage", "s", "--stale", "-o", "json"]).success();
    assert_eq!(values(&stale.json(), &mine.namespace), ["old"], "{stale}");
    assert!(stale.stderr.contains("secrets"), "what is not seen elsewhere is said: {stale}");
    let dry = run(&["restart", "s", "--dry-run"]).success();
    assert_eq!(dry.stdout, format!("deployment.apps/web in {} restarted (dry run)\n", mine.namespace));
}

#[scenario]
fn a_mark_that_is_older_than_the_change_restarts_nothing_however_late_its_program_wrote_again(
    world: &World,
    sandbox: &Sandbox,
) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", "old")]);
    deployment(world, &namespace, "web", with_variable("a"));
    sleep(NEXT_SECOND);
    sandbox.stdin("new-v4lue").run(["set", "s", "a", "-n", &namespace]).success();
    sleep(NEXT_SECOND);
    // As after `kubectl rollout restart`, the change, and `kubectl rollout resume` by the same program.
    let mark = json!({"kubectl.kubernetes.io/restartedAt": "2020-01-01T00:00:00Z"});
    let template = json!({"spec": {"template": {"metadata": {"annotations": mark}}}});
    world.patch(&format!("{}/web", deployments(&namespace)), &template);
    let done = sandbox.run(["restart", "s", "-y", "--no-wait", "-n", &namespace]).success();
    assert_eq!(done.stdout, "deployment.apps/web restarted\n", "{done}");
}

/// Gives an object an owner that controls it.
fn owned(world: &World, path: &str, owner: &Value, kind: (&str, &str)) {
    let metadata = &owner["metadata"];
    let owner = json!({"apiVersion": kind.0, "kind": kind.1, "name": metadata["name"], "uid": metadata["uid"],
        "controller": true});
    world.patch(path, &json!({"metadata": {"ownerReferences": [owner]}}));
}

#[scenario]
fn no_advice_deletes_what_may_be_more_than_its_pods(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", "old")]);
    world.custom_resource("example.com", "v1", "postgresclusters", "PostgresCluster");
    let auth = json!({"auth": {"secretKeyRef": {"name": "s", "key": "a"}}});
    let cluster = json!({"apiVersion": "example.com/v1", "kind": "PostgresCluster",
        "metadata": {"name": "db"}, "spec": auth});
    let clusters = format!("/apis/example.com/v1/namespaces/{namespace}/postgresclusters");
    let cluster = world.create(&clusters, &cluster);
    create_workload(world, &namespace, "statefulsets", "db", with_variable("a"));
    let set = format!("/apis/apps/v1/namespaces/{namespace}/statefulsets/db");
    owned(world, &set, &cluster, ("example.com/v1", "PostgresCluster"));
    let database = running_pod(world, &namespace, "db", "StatefulSet");

    let mut template = crate::workloads::pod_template("Never");
    with_variable("a")(&mut template["spec"]);
    let schedule = json!({"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": template}}});
    let cron_jobs = format!("/apis/batch/v1/namespaces/{namespace}/cronjobs");
    let nightly = json!({"metadata": {"name": "nightly"}, "spec": schedule});
    let nightly = world.create(&cron_jobs, &nightly);
    let job = json!({"metadata": {"name": "nightly-1"}, "spec": {"template": template}});
    world.create(&format!("/apis/batch/v1/namespaces/{namespace}/jobs"), &job);
    let job = format!("/apis/batch/v1/namespaces/{namespace}/jobs/nightly-1");
    owned(world, &job, &nightly, ("batch/v1", "CronJob"));
    running_pod(world, &namespace, "nightly-1", "Job");
    sleep(NEXT_SECOND);

    let set = sandbox.stdin("new-v4lue").run(["set", "s", "a", "-n", &namespace]).success();
    let restart = sandbox.run(["restart", "s", "-y", "-n", &namespace]).success();
    for outcome in [&set, &restart] {
        for object in ["delete postgrescluster", "delete cronjob", "submit it again", "delete each one"] {
            assert!(!outcome.stderr.contains(object), "{object}: {outcome}");
        }
    }
    let controller = "until its controller makes its pods anew: postgrescluster.example.com/db";
    assert!(set.stderr.contains(controller), "{set}");
    let database = format!(
        "postgrescluster.example.com/db: its controller has to restart it, or makes its pods anew one by one after \
         kubectl delete pod/{database} -n {namespace}\n"
    );
    assert!(restart.stderr.contains(&database), "{restart}");
    let nightly = format!(
        "cronjob.batch/nightly: its next run reads the new value; to end the one at work: kubectl delete \
         job.batch/nightly-1 -n {namespace}\n"
    );
    assert!(restart.stderr.contains(&nightly), "{restart}");
    let check = sandbox.run(["check", "-n", &namespace, "-o", "json"]).success().json();
    for finding in check["findings"].as_array().unwrap().iter().filter(|one| one["code"] == "stale-value") {
        assert!(!finding.to_string().contains("create it again"), "{finding}");
    }
    let by_name = sandbox.run(["restart", "cronjob/nightly", "-n", &namespace]).fails_with(2);
    assert!(by_name.stderr.contains("its next run reads the new value"), "{by_name}");
}

#[scenario]
fn nothing_is_restarted_where_it_can_not_be_seen_whether_the_copy_arrived(world: &World, sandbox: &Sandbox) {
    let shared = Shared::named(world, "unproven");
    let project = world.project("a");
    let outside = world.namespace("outside");
    runais_copy_named(world, &project, "unproven", "shared-value-of-the-source");
    create_named(world, &outside, "unproven", &json!({}), &json!({}), "of its own");
    for namespace in [&project.namespace, &outside] {
        deployment(world, namespace, "web", reads("unproven"));
    }
    sleep(NEXT_SECOND);
    let user = world.user("of-the-source-alone");
    world.grant(&user, Some(&shared.runai), &secrets());
    for rules in [workloads(), namespaces()] {
        world.grant(&user, None, &rules);
    }
    let line = shared.run(&["set", "unproven", "token", "-n", &shared.runai, "--restart", "-y"]);
    let line = [&line[..], &["--timeout=1s", "--token", &user.token]].concat();
    let partly = sandbox.stdin("rotated-v4lue").run(line).fails_with(3);
    partly.never_shows(b"rotated-v4lue");
    assert!(partly.stdout.contains("secret/unproven updated\n"), "{partly}");
    assert!(partly.stderr.contains("whether unproven arrived could not be seen in "), "{partly}");
    let restart = shared.run(&["restart", "unproven", "-n", &shared.runai, "--all", "-y", "--no-wait"]);
    let restart = sandbox.run(restart.iter().chain(&["--token", &user.token])).fails_with(3);
    assert!(restart.stderr.contains(": nothing was restarted there\n"), "{restart}");
    for namespace in [&project.namespace, &outside] {
        assert_eq!(restarted(world, namespace, "web"), None, "{namespace}");
    }
}

#[scenario]
fn the_copies_of_a_department_are_waited_for(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    let department = json!({"run.ai/department": "7"});
    create_named(world, &runai, "of-department", &department, &json!({}), "first-value");
    let project = world.project("a");
    create_named(world, &project.namespace, "of-department", &department, &json!({}), "first-value");
    deployment(world, &project.namespace, "web", reads("of-department"));
    sleep(NEXT_SECOND);
    let line =
        ["set", "of-department", "token", "-n", &runai, "--runai-namespace", &runai, "--restart", "-y"];
    let running = sandbox.stdin("rotated-v4lue").spawn(line);
    while world.secret_value(&runai, "of-department", "token").unwrap() != b"rotated-v4lue" {
        sleep(Duration::from_millis(20));
    }
    sleep(NEXT_SECOND);
    let copy = format!("/api/v1/namespaces/{}/secrets/of-department", project.namespace);
    world.patch(&copy, &json!({"data": world.secret(&runai, "of-department").unwrap()["data"]}));
    let done = while_pods_come(world, &[&project.namespace], running);
    assert!(done.stdout.contains("deployment.apps/web"), "{done}");
    assert_eq!(done.code, Some(0), "{done}");
    assert!(restarted(world, &project.namespace, "web").is_some());
}
