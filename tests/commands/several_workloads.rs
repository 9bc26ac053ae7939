//! `attach` and `detach` for several workloads at once: by name, and by labels.

use serde_json::{Value, json};
use support::{Fault, Sandbox, World, scenario};

use crate::workloads::{DEPLOYMENTS, create_cronjob, create_deployment, create_job, job};

/// A namespace with the secret `hf`, two deployments, of which `api` has a label, a cron job and a job.
fn prepared(world: &World) -> String {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "hf", &[("token", "t0ken-value")]);
    for name in ["api", "web"] {
        create_deployment(world, &namespace, name);
        let labels = json!({"metadata": {"labels": {"tier": if name == "api" { "back" } else { "front" }}}});
        world.patch(&deployment_path(&namespace, name), &labels);
    }
    create_cronjob(world, &namespace, "nightly");
    create_job(world, &namespace, "train");
    namespace
}

fn deployment_path(namespace: &str, name: &str) -> String {
    format!("/{DEPLOYMENTS}/namespaces/{namespace}/deployments/{name}")
}

fn uses_hf(object: Option<Value>) -> bool {
    object.unwrap().to_string().contains("\"secretKeyRef\":{\"key\":\"token\",\"name\":\"hf\"}")
}

fn deployments_that_use_it(world: &World, namespace: &str) -> Vec<&'static str> {
    ["api", "web"].into_iter().filter(|name| uses_hf(world.get(&deployment_path(namespace, name)))).collect()
}

#[scenario]
fn several_workloads_get_the_secret_after_one_question(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let words =
        ["attach", "hf", "deploy/api", "deploy/web", "cj/nightly", "--env", "token", "-n", &namespace];
    let refused = sandbox.run(words).fails_with(2);
    for line in [
        "deployment.apps/api: env TOKEN ← SECRET:hf,token in container main",
        "deployment.apps/web: env TOKEN ← SECRET:hf,token in container main",
        "cronjob.batch/nightly: env TOKEN ← SECRET:hf,token in container main",
        "Change 3 workloads?",
    ] {
        assert!(refused.stderr.contains(line), "{line} is missing in {refused}");
    }
    let tried = sandbox.run(words.iter().chain(&["--dry-run=server"])).success();
    assert!(tried.stdout.contains("deployment.apps/api updated (server dry run)\n"), "{tried}");
    assert_eq!(deployments_that_use_it(world, &namespace), [""; 0]);
    let done = sandbox.run(words.iter().chain(&["--yes"])).success();
    assert_eq!(
        done.stdout,
        "deployment.apps/api updated\ndeployment.apps/web updated\ncronjob.batch/nightly updated\n"
    );
    assert_eq!(deployments_that_use_it(world, &namespace), ["api", "web"]);
    world.clear_log();
    // Nothing is left to ask about.
    let again = sandbox.run(words).success();
    assert_eq!(again.stdout.matches(" unchanged\n").count(), 3, "{again}");
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    let off = ["detach", "hf", "deploy/api", "deploy/web", "--yes", "-n", &namespace, "-o", "json"];
    let list = sandbox.run(off).success().json();
    assert_eq!((&list["kind"], list["items"].as_array().map(Vec::len)), (&json!("List"), Some(2)), "{list}");
    assert_eq!(deployments_that_use_it(world, &namespace), [""; 0]);
}

#[scenario]
fn labels_select_the_workloads_of_a_kind(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let place = ["-n", &namespace, "--yes"];
    let run = |line: &str| sandbox.run(line.split(' ').chain(place));
    let one = run("attach hf deployments -l tier=back --env token").success();
    assert_eq!(one.stdout, "deployment.apps/api updated\n");
    assert_eq!(deployments_that_use_it(world, &namespace), ["api"]);
    let both = run("attach deploy --selector tier -e TOKEN=SECRET:hf,token").success();
    assert_eq!(both.stdout, "deployment.apps/api unchanged\ndeployment.apps/web updated\n");
    let none = run("attach hf deploy,cronjobs -l tier=none --env token").fails_with(1);
    assert!(none.stderr.contains("no deploy and cronjobs in namespace"), "{none}");
    assert!(none.stderr.contains("kubectl get deploy,cronjobs --show-labels"), "{none}");
    let off = run("detach hf deploy -l tier=front").success();
    assert_eq!(off.stdout, "deployment.apps/web updated\n");
    assert_eq!(deployments_that_use_it(world, &namespace), ["api"]);
    for (line, said) in [
        ("attach hf deploy/web -l tier=back --env token", "name the kind alone"),
        ("attach hf deploy -l= --env token", "--selector is empty"),
        ("attach hf -l tier=back --env token", "which workload"),
        ("detach hf deploy -l tier=back -f x.yaml", "cannot be used with"),
        ("attach hf deploy -l tier=back --env token --copy-as x", "--copy-as names one copy"),
        ("attach hf deploy -l tier=back --env token -o runai", "for one workload"),
        ("attach hf deploy/web --env-all PREFIX_", "--env-all=PREFIX"),
    ] {
        let refused = run(line).fails_with(2);
        assert!(refused.stderr.contains(said), "{said} is missing in {refused}");
    }
}

#[scenario]
fn what_can_not_be_changed_is_named_and_the_rest_is_done(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let words = [
        "attach",
        "hf",
        "deploy/api",
        "job/train",
        "deploy/gone",
        "deploy/web",
        "--env",
        "token",
        "-n",
        &namespace,
        "--yes",
    ];
    let uid = job(world, &namespace, "train").unwrap()["metadata"]["uid"].clone();
    let partly = sandbox.run(words).fails_with(3);
    assert_eq!(partly.stdout, "deployment.apps/api updated\ndeployment.apps/web updated\n", "{partly}");
    for line in [
        "job.batch/train stays as it is: its pod template is immutable (--recreate makes it anew)",
        "deployment.apps/gone stays as it is: ",
        "error: workload job.batch/train: job.batch/train can't be changed",
        "error: workload deployment.apps/gone: ",
        "failed for 2 of 4 workloads",
    ] {
        assert!(partly.stderr.contains(line), "{line} is missing in {partly}");
    }
    assert!(
        !partly.stderr.contains("job.batch/train: env"),
        "what does not happen is not announced: {partly}"
    );
    let unasked = ["attach", "hf", "job/train", "deploy/gone", "--env", "token", "-n", &namespace];
    let none = sandbox.run(unasked).fails_with(1);
    assert!(none.stderr.contains("failed for all 2 workloads"), "nothing is asked about nothing: {none}");
    assert_eq!(job(world, &namespace, "train").unwrap()["metadata"]["uid"], uid);
    world.delete(&format!("/api/v1/namespaces/{namespace}/secrets/hf"));
    sandbox.run(words).fails_with(1);
    world.create_secret(&namespace, "hf", &[("token", "t0ken-value")]);
    let words = ["attach", "hf", "deploy/api", "job/train", "--env", "token", "-n", &namespace];
    let anew = sandbox.run(words.iter().chain(&["--recreate", "--yes"])).success();
    assert_eq!(anew.stdout, "deployment.apps/api unchanged\njob.batch/train recreated\n", "{anew}");
    assert!(uses_hf(job(world, &namespace, "train")));
    assert_ne!(job(world, &namespace, "train").unwrap()["metadata"]["uid"], uid);
}

#[test]
fn a_server_that_fails_in_between_leaves_the_rest_to_the_second_run() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let namespace = prepared(&world);
    let words = ["attach", "hf", "deploy", "-l", "tier", "--env", "token", "-n", &namespace, "--yes"];
    world.fail(Fault::on("PUT", "/deployments/api").answer(403));
    let partly = sandbox.run(words).fails_with(3);
    assert_eq!(partly.stdout, "deployment.apps/web updated\n", "{partly}");
    assert_eq!(deployments_that_use_it(&world, &namespace), ["web"]);
    let rest = sandbox.run(words).success();
    assert_eq!(rest.stdout, "deployment.apps/api updated\ndeployment.apps/web unchanged\n", "{rest}");
}

#[test]
fn several_workloads_of_manifests_are_chosen_by_their_names() {
    let sandbox = Sandbox::new();
    let job = |name: &str| {
        let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "main"}]}});
        let spec = json!({"template": template});
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}).to_string()
    };
    sandbox.file("all.json", [job("a"), job("b"), job("c")].join("\n"));
    let words = ["attach", "hf", "job/a", "job/c", "-f", "all.json", "--env", "token", "-o", "name"];
    assert_eq!(sandbox.run(words).success().stdout, "job.batch/a\njob.batch/c\n");
    let words = ["detach", "hf", "job/a", "job/x", "-f", "all.json"];
    let refused = sandbox.run(words).fails_with(1);
    assert!(refused.stderr.contains("all.json has no job.batch/x"), "{refused}");
}
