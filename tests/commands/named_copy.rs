//! `--copy-as` of what has services, budgets and owners beside it: nothing takes the copy for the original.

use serde_json::{Value, json};
use support::{Sandbox, World, scenario};

use crate::workloads::{DEPLOYMENTS, create_deployment, create_job, job};

fn deployment(world: &World, namespace: &str, name: &str) -> Option<Value> {
    world.get(&format!("/{DEPLOYMENTS}/namespaces/{namespace}/deployments/{name}"))
}

fn selects(selector: &Value, labels: &Value) -> bool {
    selector.as_object().unwrap().iter().all(|(key, value)| labels[key] == *value)
}

fn prepared(world: &World) -> String {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "s", &[("token", "t0ken-value")]);
    namespace
}

fn select(world: &World, path: &str, api_version: &str, kind: &str, spec: &Value) {
    let object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "web"}, "spec": spec});
    world.create(path, &object);
}

#[scenario]
fn a_copy_takes_no_part_in_what_selects_the_original(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let old = create_deployment(world, &namespace, "web");
    let labels = json!({"app": "test", "tier": "front"});
    let changes = json!({"metadata": {"labels": {"app": "test"}},
        "spec": {"replicas": 3, "template": {"metadata": {"labels": labels}}}});
    world.patch(&format!("/{DEPLOYMENTS}/namespaces/{namespace}/deployments/web"), &changes);
    let service = json!({"selector": {"tier": "front"}, "ports": [{"port": 80}]});
    select(world, &format!("/api/v1/namespaces/{namespace}/services"), "v1", "Service", &service);
    let words = ["attach", "s", "deploy/web", "--env", "token", "--copy-as", "web-2", "-n", &namespace];
    let copied = sandbox.run(words).success();
    assert_eq!(copied.stdout, "deployment.apps/web-2 created\n");
    let copy = deployment(world, &namespace, "web-2").unwrap();
    let pods = &copy["spec"]["template"]["metadata"]["labels"];
    assert!(!selects(&old["spec"]["selector"]["matchLabels"], pods), "{copy}");
    assert!(!selects(&json!({"tier": "front"}), pods), "{copy}");
    assert!(selects(&copy["spec"]["selector"]["matchLabels"], pods), "{copy}");
    assert!(copied.stderr.contains("a value of their own for app and tier"), "{copied}");
    assert!(copied.stderr.contains("as many replicas as the original: 3"), "{copied}");
    let now = deployment(world, &namespace, "web").unwrap();
    assert_eq!(now["spec"]["template"]["metadata"]["labels"], labels);
}

#[scenario]
fn a_budget_counts_no_pod_of_the_copy(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    create_job(world, &namespace, "train");
    let budget = json!({"minAvailable": 1, "selector": {"matchLabels": {"app": "test"}}});
    let path = format!("/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets");
    select(world, &path, "policy/v1", "PodDisruptionBudget", &budget);
    let words = ["attach", "s", "job/train", "--env", "token", "--copy-as", "train-2", "-n", &namespace];
    sandbox.run(words).success();
    let copy = job(world, &namespace, "train-2").unwrap();
    assert_eq!(copy["spec"]["template"]["metadata"]["labels"]["app"], "train-2");
}

#[scenario]
fn a_copy_belongs_to_nobody_who_deployed_the_original(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let marks = json!({
        "labels": {"app.kubernetes.io/instance": "shop", "app.kubernetes.io/managed-by": "Helm", "team": "a",
            "helm.toolkit.fluxcd.io/name": "x"},
        "annotations": {"argocd.argoproj.io/tracking-id": "x", "meta.helm.sh/release-name": "x", "helm.sh/hook": "test",
            "note": "kept"},
    });
    let mut train = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": marks,
        "spec": {"template": crate::workloads::pod_template("Never")}});
    train["metadata"]["name"] = json!("train");
    world.create(&crate::workloads::job_path(&namespace, ""), &train);
    let words = ["attach", "s", "job/train", "--env", "token", "-n", &namespace];
    let copied = sandbox.run(words.iter().chain(&["--copy-as", "train-2"])).success();
    let metadata = job(world, &namespace, "train-2").unwrap()["metadata"].clone();
    let keys = |field: &str| -> Vec<String> {
        metadata[field].as_object().unwrap().keys().filter(|key| !key.contains("job-name")).cloned().collect()
    };
    assert!(
        !keys("labels")
            .iter()
            .any(|key| key.contains("instance") || key.contains("flux") || key.contains("managed"))
    );
    assert_eq!((&metadata["labels"]["team"], keys("annotations")), (&json!("a"), vec!["note".to_owned()]));
    assert!(copied.stderr.contains("argocd.argoproj.io/tracking-id"), "{copied}");
    // The same object anew keeps them.
    sandbox.run(words.iter().chain(&["--recreate", "--yes"])).success();
    let anew = job(world, &namespace, "train").unwrap()["metadata"].clone();
    assert_eq!(anew["labels"]["app.kubernetes.io/instance"], "shop");
    assert_eq!(anew["annotations"]["argocd.argoproj.io/tracking-id"], "x");
}

#[scenario]
fn a_copy_is_made_although_there_is_nothing_to_change(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    create_deployment(world, &namespace, "web");
    let words = ["attach", "s", "deploy/web", "--env", "token", "-n", &namespace];
    sandbox.run(words).success();
    let copied = sandbox.run(words.iter().chain(&["--copy-as", "web-2"])).success();
    assert_eq!(copied.stdout, "deployment.apps/web-2 created\n");
    assert!(
        copied
            .stderr
            .contains("note: deployment.apps/web has all of this already: web-2 is an unchanged copy\n"),
        "{copied}"
    );
    assert!(deployment(world, &namespace, "web-2").is_some());
    let words = ["detach", "other", "deploy/web", "--copy-as", "web-3", "-n", &namespace];
    assert_eq!(sandbox.run(words).success().stdout, "deployment.apps/web-3 created\n");
}

#[scenario]
fn who_may_not_list_services_gets_the_copy_and_is_told(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    create_deployment(world, &namespace, "web");
    let user = world.user("copier");
    let rules = json!([{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "create"]}]);
    world.grant(&user, Some(&namespace), &rules);
    let words = [
        "attach",
        "s",
        "deploy/web",
        "--env",
        "token",
        "--copy-as",
        "web-2",
        "-n",
        &namespace,
        "--token",
        &user.token,
    ];
    let copied = sandbox.run(words).success();
    assert!(
        copied.stderr.contains("Warning: you may not list poddisruptionbudgets and services"),
        "{copied}"
    );
}
