//! `detach` from workloads that can be changed in place.

use serde_json::json;
use support::{Sandbox, World, scenario};

use crate::workloads::{DEPLOYMENTS, create_deployment, env_of};

/// A namespace with the deployment `web`, to which the key `token` of the secret `s` is attached as `TOKEN`.
fn prepared(world: &World, sandbox: &Sandbox) -> String {
    let namespace = world.namespace("a");
    create_deployment(world, &namespace, "web");
    world.create_secret(&namespace, "s", &[("token", "t0ken-value")]);
    sandbox.run(["attach", "s", "deploy/web", "--env", "TOKEN=token", "-n", &namespace]).success();
    world.clear_log();
    namespace
}

#[scenario]
fn detach_undoes_attach(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world, sandbox);
    let detached = sandbox.run(["detach", "s", "deploy/web", "--env", "TOKEN", "-n", &namespace]).success();
    assert_eq!(detached.stdout, "deployment.apps/web updated\n");
    assert!(detached.stderr.contains("removes env TOKEN in container main"), "{detached}");
    let deployment = world.get(&format!("/{DEPLOYMENTS}/namespaces/{namespace}/deployments/web")).unwrap();
    assert_eq!(env_of(&deployment["spec"]), &json!(null));
}

#[scenario]
fn what_is_named_and_not_used_is_refused_before_anything_is_written(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world, sandbox);
    for (named, part) in [
        (&["--env", "TYPO"][..], "as env TYPO"),
        (&["--env", "TOKEN", "--env", "TYPO"], "as env TYPO"),
        (&["--mount", "/etc/s", "--env", "TYPO"], "as env TYPO and as files in /etc/s"),
    ] {
        let words = ["detach", "s", "deploy/web", "-n", &namespace].into_iter().chain(named.iter().copied());
        let refused = sandbox.run(words).fails_with(1);
        let error = format!("error: deployment.apps/web does not use secret s {part}\n");
        assert!(refused.stderr.contains(&error), "{refused}");
        assert!(refused.stderr.contains("hint: what uses it: env TOKEN in container main"), "{refused}");
    }
    let words = ["detach", "other", "deploy/web", "-c", "main", "-n", &namespace];
    let refused = sandbox.run(words).fails_with(1);
    assert!(refused.stderr.contains("does not use secret other in container main"), "{refused}");
    assert!(world.writes().is_empty(), "{:?}", world.lines());
}

#[scenario]
fn uses_without_a_name_are_taken_off_one_by_one(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world, sandbox);
    let spec = || {
        world.get(&format!("/{DEPLOYMENTS}/namespaces/{namespace}/deployments/web")).unwrap()["spec"]["template"]["spec"].clone()
    };
    let login = [".dockerconfigjson", r#"{"auths":{}}"#];
    let secret = json!({
        "metadata": {"name": "login"}, "type": "kubernetes.io/dockerconfigjson", "stringData": {login[0]: login[1]},
    });
    world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &secret);
    let run = |words: &[&str]| sandbox.run(words.iter().chain(&["-n", &namespace]));
    run(&["attach", "s", "deploy/web", "--env-all=S_"]).success();
    run(&["attach", "login", "deploy/web", "--image-pull", "--mount", "/etc/login"]).success();
    let detached = run(&["detach", "s", "deploy/web", "--env-all"]).success();
    assert!(detached.stderr.contains("removes env S_* in container main"), "{detached}");
    assert_eq!(spec()["containers"][0]["envFrom"], json!(null));
    assert_eq!(spec()["containers"][0]["env"][0]["name"], "TOKEN", "what has a name stays");
    run(&["detach", "login", "deploy/web", "--image-pull"]).success();
    assert_eq!(spec()["imagePullSecrets"], json!(null));
    assert_eq!(spec()["containers"][0]["volumeMounts"][0]["mountPath"], "/etc/login");
    for (flag, part) in [("--env-all", "as env of all its keys"), ("--image-pull", "for pulling images")] {
        let refused = run(&["detach", "login", "deploy/web", flag]).fails_with(1);
        assert!(refused.stderr.contains(&format!("does not use secret login {part}\n")), "{refused}");
    }
    run(&["detach", "login", "deploy/web", "--image-pull", "-c", "main"]).fails_with(2);
}

#[scenario]
fn a_secret_that_is_not_used_leaves_the_workload_unchanged(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world, sandbox);
    let detached = sandbox.run(["detach", "other", "deploy/web", "-n", &namespace]).success();
    assert_eq!(detached.stdout, "deployment.apps/web unchanged\n");
    assert!(world.writes().is_empty(), "{:?}", world.lines());
}
