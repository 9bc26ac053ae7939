//! Changes that have another effect than the one that was asked for: registry logins that get lost, files that can't be
//! read, and nothing to change at all.

use serde_json::{Value, json};
use support::{Sandbox, World, scenario};

use crate::workloads::{DEPLOYMENTS, create_cronjob, create_deployment, job};

/// A namespace whose service account `default` has the registry login `project`; `ghcr` is another, and `s` a secret.
fn prepared(world: &World) -> String {
    let namespace = world.namespace("a");
    for name in ["project", "ghcr"] {
        let login = json!({"metadata": {"name": name}, "type": "kubernetes.io/dockerconfigjson",
            "stringData": {".dockerconfigjson": "{\"auths\":{}}"}});
        world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &login);
    }
    world.create_secret(&namespace, "s", &[("token", "t0ken-value")]);
    let account = json!({"metadata": {"name": "builder"}, "imagePullSecrets": [{"name": "project"}]});
    world.create(&format!("/api/v1/namespaces/{namespace}/serviceaccounts"), &account);
    namespace
}

fn path(namespace: &str) -> String {
    format!("/{DEPLOYMENTS}/namespaces/{namespace}/deployments/web")
}

/// The Deployment `web`, with more in its pod's spec.
fn create_web(world: &World, namespace: &str, spec: &Value) {
    create_deployment(world, namespace, "web");
    world.patch(&path(namespace), &json!({"spec": {"template": {"spec": spec}}}));
}

fn logins(pod_spec: &Value) -> Vec<&str> {
    let list = pod_spec["imagePullSecrets"].as_array();
    list.into_iter().flatten().map(|entry| entry["name"].as_str().unwrap()).collect()
}

#[scenario]
fn the_logins_of_the_service_account_are_kept_beside_a_new_one(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    create_web(world, &namespace, &json!({"serviceAccountName": "builder"}));
    let words = ["attach", "ghcr", "deploy/web", "--image-pull", "-n", &namespace];
    let attached = sandbox.run(words).success();
    let web = world.get(&path(&namespace)).unwrap();
    assert_eq!(logins(&web["spec"]["template"]["spec"]), ["project", "ghcr"]);
    assert!(
        attached.stderr.contains("note: image pull ← secret project (of the service account"),
        "{attached}"
    );
    let again = sandbox.run(words).success();
    assert!(again.stdout.contains("unchanged"), "{again}");
    let words = [
        "submit",
        "j",
        "-i",
        "x",
        "--image-pull-secret",
        "ghcr",
        "--service-account",
        "builder",
        "-n",
        &namespace,
    ];
    sandbox.run(words).success();
    assert_eq!(
        logins(&job(world, &namespace, "j").unwrap()["spec"]["template"]["spec"]),
        ["project", "ghcr"]
    );
}

#[scenario]
fn a_pod_with_logins_of_its_own_gets_the_new_one_alone(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let spec = json!({"serviceAccountName": "builder", "imagePullSecrets": [{"name": "own"}]});
    create_web(world, &namespace, &spec);
    world.clear_log();
    sandbox.run(["attach", "ghcr", "deploy/web", "--image-pull", "-n", &namespace]).success();
    assert!(!world.calls().iter().any(|call| call.contains("serviceaccounts")), "{:?}", world.lines());
    let web = world.get(&path(&namespace)).unwrap();
    assert_eq!(logins(&web["spec"]["template"]["spec"]), ["own", "ghcr"]);
    for words in [&["check"][..], &["check", "deploy/web"]] {
        let report = sandbox.run([words, &["-n", &namespace, "-o", "json"]].concat()).json();
        let found = report["findings"].as_array().unwrap().iter().find(|one| one["code"] == "hidden-login");
        let found = found.unwrap_or_else(|| panic!("{report}"));
        assert_eq!((&found["severity"], &found["object"]), (&json!("info"), &json!("deployment.apps/web")));
        assert!(
            found["remedy"].as_str().unwrap().contains("attach project deployment.apps/web --image-pull"),
            "{report}"
        );
    }
    let checked =
        sandbox.stdin(web.to_string()).run(["check", "-f", "-", "-n", &namespace, "-o", "json"]).json();
    assert!(checked["findings"].to_string().contains("hidden-login"), "{checked}");
}

#[scenario]
fn who_may_not_read_the_service_account_is_warned(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    create_web(world, &namespace, &json!({"serviceAccountName": "builder"}));
    let user = world.user("attacher");
    let rules = json!([{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "update"]}]);
    world.grant(&user, Some(&namespace), &rules);
    let words = ["attach", "ghcr", "deploy/web", "--image-pull", "-n", &namespace, "--token", &user.token];
    let attached = sandbox.run(words).success();
    assert!(
        attached.stderr.contains("service account builder, which you may not read, are not used any more"),
        "{attached}"
    );
    let web = world.get(&path(&namespace)).unwrap();
    assert_eq!(logins(&web["spec"]["template"]["spec"]), ["ghcr"]);
}

#[scenario]
fn files_that_the_container_can_not_read_are_warned_of(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let mode = |user: &Value, flags: &[&str]| {
        create_web(world, &namespace, &json!({"securityContext": user}));
        let words = ["attach", "s", "deploy/web", "--mount", "/keys", "-n", &namespace];
        let attached = sandbox.run(words.iter().chain(flags)).success();
        let checked = sandbox.run(["check", "deploy/web", "-n", &namespace, "-o", "json"]).success().json();
        let codes: Vec<_> = checked["findings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["code"] == "file-mode")
            .cloned()
            .collect();
        world.delete(&path(&namespace));
        let severity =
            codes.first().map(|one| one["severity"].as_str().unwrap().to_owned()).unwrap_or_default();
        (attached.stderr.clone(), severity)
    };
    let (said, severity) = mode(&json!({"runAsUser": 1000}), &["--mode", "0400"]);
    assert!(
        said.contains(
            "files in /keys in container main belong to root and have mode 0400: user 1000 can't read them"
        ),
        "{said}"
    );
    assert_eq!(severity, "warning");
    let (said, severity) = mode(&json!({"runAsUser": 1000, "fsGroup": 2000}), &["--mode", "0400"]);
    assert!(said.contains("get mode 0440 instead of 0400, since the pod has fsGroup 2000"), "{said}");
    assert_eq!(severity, "info");
    for (user, flags) in [
        (json!({"runAsUser": 0}), &["--mode", "0400"][..]),
        (json!({}), &["--mode", "0400"]),
        (json!({"runAsUser": 1000}), &["--mode", "0444"]),
        (json!({"runAsUser": 1000}), &[]),
    ] {
        let (said, severity) = mode(&user, flags);
        assert!(!said.contains("Warning") && severity.is_empty(), "{user} {flags:?}: {said}");
    }
}

#[scenario]
fn what_uses_a_secret_in_a_way_that_is_no_attachment_is_not_said_to_be_without_it(
    world: &World,
    sandbox: &Sandbox,
) {
    let namespace = prepared(world);
    let share = json!({"name": "share", "azureFile": {"secretName": "s", "shareName": "x"}});
    create_web(world, &namespace, &json!({"volumes": [share]}));
    let refused = sandbox.run(["detach", "s", "deploy/web", "-n", &namespace]).fails_with(1);
    let line = "error: deployment.apps/web uses secret s in a way that can't be detached: azureFile login of volume share";
    assert!(refused.stderr.starts_with(line), "{refused}");
    create_cronjob(world, &namespace, "other");
    let detached = sandbox.run(["detach", "s", "cronjob/other", "-n", &namespace]).success();
    assert!(detached.stderr.contains("does not use secret s: nothing was written"), "{detached}");
}

#[test]
fn a_manifest_without_a_place_for_the_secret_is_refused() {
    let sandbox = Sandbox::new();
    for spec in [
        json!({"template": {"spec": {"containers": []}}}),
        json!({"template": {"spec": {}}}),
        json!({"template": {"spec": {"containers": null}}}),
        json!({"template": {}}),
        json!({}),
    ] {
        let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": spec})
            .to_string();
        for choice in [&[][..], &["-c", "*"], &["-c", "main"]] {
            let words = [&["attach", "s", "-f", "-", "--env", "token"], choice].concat();
            let refused = sandbox.stdin(job.clone()).run(words).fails_with(1);
            assert!(refused.stderr.contains("job.batch/j has no "), "{spec}: {refused}");
        }
    }
    let init = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"},
        "spec": {"template": {"spec": {"initContainers": [{"name": "i"}]}}}});
    let words = ["attach", "s", "-f", "-", "--env", "token"];
    let refused = sandbox.stdin(init.to_string()).run(words).fails_with(1);
    assert!(refused.stderr.contains("has no container"), "{refused}");
    sandbox.stdin(init.to_string()).run(words.iter().chain(&["-c", "*"])).success();
}

#[test]
fn a_manifest_whose_pods_had_no_login_is_said_to_lose_those_of_the_account() {
    let job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {template: {spec: {containers: [{name: main}]}}}\n";
    let words = ["attach", "ghcr", "-f", "-", "--image-pull"];
    let attached = Sandbox::new().stdin(job).run(words).success();
    assert!(
        attached.stderr.contains(
            "Warning: job.batch/j: the pods now have a login of their own: those of service account default"
        ),
        "{attached}"
    );
}
