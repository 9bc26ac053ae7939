//! `attach` to workloads that can be changed in place; those that can't are in `recreate.rs`.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use support::{Fault, Hold, Sandbox, World, scenario};

use crate::workloads::{DEPLOYMENTS, create_cronjob, create_deployment, env_of};

fn deployment_path(namespace: &str) -> String {
    format!("/{DEPLOYMENTS}/namespaces/{namespace}/deployments/web")
}

/// A namespace with the deployment `web` and the secret `s`, whose keys are `token` and `user`.
fn prepared(world: &World) -> String {
    let namespace = world.namespace("a");
    create_deployment(world, &namespace, "web");
    world.create_secret(&namespace, "s", &[("token", "t0ken-value"), ("user", "jane")]);
    namespace
}

#[scenario]
fn attach_takes_three_requests_the_last_of_which_writes(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let attached = sandbox.run(["attach", "s", "deploy/web", "--env", "TOKEN=token", "-n", &namespace]);
    assert_eq!(attached.success().stdout, "deployment.apps/web updated\n");
    let requests = world.requests();
    assert_eq!(requests.len(), 3, "{:?}", world.lines());
    let writes = world.writes();
    assert!(writes.len() == 1 && !writes[0].is_dry_run(), "{:?}", world.lines());
    assert!(writes[0].json()["metadata"]["resourceVersion"].is_string());
}

#[scenario]
fn the_second_time_nothing_is_written(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let words = [
        "attach",
        "s",
        "deploy/web",
        "--env",
        "token",
        "--env-all=S_",
        "--mount",
        "/etc/s:user=name",
        "--mode",
        "0400",
        "-n",
        &namespace,
    ];
    sandbox.run(words).success();
    world.clear_log();
    let again = sandbox.run(words).success();
    assert_eq!(again.stdout, "deployment.apps/web unchanged\n");
    assert!(world.writes().is_empty(), "{:?}", world.lines());
}

#[scenario]
fn all_keys_become_variables_and_files(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let words =
        ["attach", "s", "deploy/web", "--env-all=S_", "--mount", "/etc/s:user=name", "--mode", "0400"];
    sandbox.run(words.iter().copied().chain(["-n", &namespace])).success();
    let pod = world.get(&deployment_path(&namespace)).unwrap()["spec"]["template"]["spec"].clone();
    let container = &pod["containers"][0];
    assert_eq!(container["envFrom"], json!([{ "prefix": "S_", "secretRef": { "name": "s" } }]));
    assert_eq!(container["volumeMounts"][0]["mountPath"], "/etc/s");
    let items = json!([{ "key": "user", "path": "name" }]);
    let secret = json!({ "secretName": "s", "items": items, "defaultMode": 0o400 });
    assert_eq!(pod["volumes"][0]["secret"], secret);
}

#[scenario]
fn a_mistyped_key_is_refused_with_the_nearest(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let refused = sandbox.run(["attach", "s", "deploy/web", "--env", "tokn", "-n", &namespace]).fails_with(1);
    assert!(refused.stderr.contains("error: secret \"s\" has no key \"tokn\""), "{refused}");
    assert!(refused.stderr.contains("did you mean \"token\"?"), "{refused}");
    assert!(world.writes().is_empty());
}

#[scenario]
fn a_missing_secret_is_refused_with_the_way_to_make_it(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let refused =
        sandbox.run(["attach", "hf", "deploy/web", "--env", "HF_TOKEN", "-n", &namespace]).fails_with(1);
    assert!(
        refused.stderr.starts_with("Error from server (NotFound): secrets \"hf\" not found\n"),
        "{refused}"
    );
    assert!(refused.stderr.contains("kubectl runai-secret create hf"), "{refused}");
    assert!(world.writes().is_empty());
}

#[scenario]
fn an_optional_secret_may_come_later(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let words = ["attach", "hf", "deploy/web", "--env", "HF_TOKEN", "--optional", "-n", &namespace];
    sandbox.run(words).success();
    let deployment = world.get(&deployment_path(&namespace)).unwrap();
    assert_eq!(env_of(&deployment["spec"])[0]["valueFrom"]["secretKeyRef"]["optional"], true);
}

#[scenario]
fn a_missing_workload_is_named_in_kubectls_words(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let refused =
        sandbox.run(["attach", "s", "deploy/wbe", "--env", "token", "-n", &namespace]).fails_with(1);
    assert!(
        refused.stderr.contains("Error from server (NotFound): deployments.apps \"wbe\" not found"),
        "{refused}"
    );
}

#[scenario]
fn what_is_in_the_way_is_replaced_only_with_overwrite(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let words = ["attach", "s", "deploy/web", "-n", &namespace];
    sandbox.run(words.iter().copied().chain(["--env", "TOKEN=token"])).success();
    world.clear_log();
    let other = words.iter().copied().chain(["--env", "TOKEN=user"]);
    let refused = sandbox.run(other.clone()).fails_with(1);
    assert!(refused.stderr.contains("--overwrite"), "{refused}");
    assert!(world.writes().is_empty());
    sandbox.run(other.chain(["--overwrite"])).success();
    let deployment = world.get(&deployment_path(&namespace)).unwrap();
    let env = env_of(&deployment["spec"]);
    assert_eq!(env.as_array().unwrap().len(), 1);
    assert_eq!(env[0]["valueFrom"]["secretKeyRef"]["key"], "user");
}

#[scenario]
fn a_user_who_may_not_read_secrets_is_warned_and_served(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let user = world.user("attacher");
    let rules = json!([{ "apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "update"] }]);
    world.grant(&user, Some(&namespace), &rules);
    let words = ["attach", "s", "deploy/web", "--env", "token", "-n", &namespace, "--token", &user.token];
    let attached = sandbox.run(words).success();
    assert!(attached.stderr.contains("Warning: you may not read secrets"), "{attached}");
}

#[scenario]
fn another_writer_at_the_same_moment_loses_nothing(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let gate = world.hold(Fault::on("PUT", "/deployments/web").kept(), Hold::BeforeForwarding);
    let attaching = sandbox.spawn(["attach", "s", "deploy/web", "--env", "TOKEN=token", "-n", &namespace]);
    assert!(gate.wait_reached(Duration::from_mins(1)));
    let theirs = json!({ "metadata": { "annotations": { "theirs": "too" } }, "spec": { "replicas": 3 } });
    world.patch(&deployment_path(&namespace), &theirs);
    gate.release();
    attaching.wait().success();
    let deployment = world.get(&deployment_path(&namespace)).unwrap();
    assert_eq!(deployment["spec"]["replicas"], 3);
    assert_eq!(deployment["metadata"]["annotations"]["theirs"], "too");
    assert_eq!(env_of(&deployment["spec"])[0]["name"], "TOKEN");
}

#[scenario]
fn of_two_that_attach_at_once_a_hundred_times_over_neither_loses_anything(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let attach = |variable: &str| {
        sandbox.spawn(["attach", "s", "deploy/web", "--env", &format!("{variable}=token"), "-n", &namespace])
    };
    for round in 0..100 {
        let both = ["ONE", "TWO"].map(|who| attach(&format!("{who}_{round}")));
        for attaching in both {
            attaching.wait().success();
        }
    }
    let deployment = world.get(&deployment_path(&namespace)).unwrap();
    let names: BTreeSet<&str> = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
        .as_array()
        .unwrap()
        .iter()
        .map(|variable| variable["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 200);
    let conflicts = world.requests().iter().filter(|request| request.status == Some(409)).count();
    assert!(conflicts > 0, "the two met");
}

#[scenario]
fn a_copy_that_could_not_be_made_is_answered_with_where_to_look(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    create_deployment(world, &namespace, "taken");
    let copy = |name: &str| {
        let words = ["attach", "s", "deploy/web", "--env", "token", "--copy-as", name, "-n", &namespace];
        sandbox.run(words).fails_with(1)
    };
    let refused = copy("taken");
    let look = format!("kubectl get deployment taken -n {namespace}");
    assert!(refused.stderr.contains("(AlreadyExists): deployments.apps \"taken\""), "{refused}");
    assert!(
        refused.stderr.contains(&format!("hint: choose another name with --copy-as; {look}")),
        "{refused}"
    );
    world.fail(Fault::on("POST", "/deployments").drop_after_forwarding());
    let unknown = copy("new");
    let look = format!("hint: kubectl get deployment new -n {namespace}");
    assert!(unknown.stderr.contains(&look), "{unknown}");
}

#[scenario]
fn the_printed_object_says_nothing_of_who_wrote_which_field(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    for (more, changed) in [(&["--dry-run=client"][..], true), (&[], true), (&[], false)] {
        let words = ["attach", "s", "deploy/web", "--env", "token", "-n", &namespace, "-o", "json"];
        let printed = sandbox.run(words.iter().chain(more)).success();
        assert_eq!(printed.stderr.contains("nothing was written"), !changed, "{printed}");
        let printed = printed.json();
        assert_eq!((&printed["kind"], &printed["metadata"]["name"]), (&json!("Deployment"), &json!("web")));
        assert_eq!(printed["metadata"]["managedFields"], json!(null));
    }
    let kept = world.get(&deployment_path(&namespace)).unwrap();
    assert!(kept["metadata"]["managedFields"].is_array(), "there was something to leave out");
}

#[scenario]
fn dry_runs_change_nothing(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    create_cronjob(world, &namespace, "nightly");
    for (target, name) in [("deploy/web", "deployment.apps/web"), ("cj/nightly", "cronjob.batch/nightly")] {
        let words = ["attach", "s", target, "--env", "token", "-n", &namespace];
        let server = sandbox.run(words.iter().copied().chain(["--dry-run=server"])).success();
        assert_eq!(server.stdout, format!("{name} updated (server dry run)\n"));
        let client = sandbox.run(words.iter().copied().chain(["--dry-run=client"])).success();
        assert_eq!(client.stdout, format!("{name} updated (dry run)\n"));
    }
    assert!(world.writes().iter().all(support::Recorded::is_dry_run));
    assert_eq!(env_of(&world.get(&deployment_path(&namespace)).unwrap()["spec"]), &json!(null));
}

#[test]
fn what_is_wrong_with_the_words_is_said_before_anything_is_sent() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let cases: [(&[&str], &str); 11] = [
        (&["attach", "deploy/web", "--env", "K"], "attach SECRET KIND/NAME"),
        (&["attach", "s", "deploy", "--env", "K"], "is a kind without a name"),
        (&["attach", "deploy/web", "-e", "V=SECRET:s"], "the key is missing"),
        (&["attach", "deploy/web", "-e", "V=secret:s,k"], "looks like a reference"),
        (&["attach", "deploy/web", "-e", "V=plain-text-value"], "is not a reference to a secret"),
        (&["attach", "s", "deploy/web", "--mount", "relative"], "absolute"),
        (&["attach", "deploy/web", "-e", "V=SECRET:s,k", "--mode=zzz"], "not an octal file mode"),
        (
            &["attach", "deploy/web", "-e", "V=SECRET:s,k", "--mode=0400"],
            "--mode sets the permissions of files",
        ),
        (&["attach", "s", "deploy/web", "--env", "K", "--mode=0400"], "--mode sets the permissions of files"),
        (&["attach", "s", "deploy/web", "--image-pull", "-c", "x"], "-c has no effect on --image-pull alone"),
        (&["attach", "s", "deploy/web", "--image-pull", "--optional"], "--optional has no effect"),
    ];
    for (words, part) in cases {
        let refused = sandbox.run(words).fails_with(2);
        assert!(refused.stderr.contains(part), "{part:?} is missing in {refused}");
        refused.never_shows(b"plain-text-value");
    }
    assert!(world.requests().is_empty());
}

#[scenario]
fn the_runai_clis_flags_are_printed_and_nothing_is_written(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let words = [
        "attach",
        "s",
        "deploy/web",
        "--env",
        "T=token",
        "--env-all=P_",
        "--mount",
        "/my files",
        "-o",
        "runai",
    ];
    let printed = sandbox.run(words.iter().copied().chain(["-n", &namespace])).success();
    let flags = "--env-secret T=s,key=token --env-secret P_token=s,key=token --env-secret P_user=s,key=user \
                 --secret-volume 'path=/my files,name=s'\n";
    assert_eq!(printed.stdout, flags);
    let words = ["submit", "-i", "ubuntu", "-e", "T=SECRET:s,token", "-o", "runai", "-n", &namespace];
    assert_eq!(sandbox.run(words).success().stdout, "--env-secret T=s,key=token\n");
    let misspelt = ["submit", "-i", "ubuntu", "-e", "T=SECRET:s,tokn", "-o", "runai", "-n", &namespace];
    assert!(sandbox.run(misspelt).fails_with(1).stderr.contains("did you mean"));
    assert!(world.writes().is_empty());
}

#[test]
fn only_commands_that_use_secrets_know_the_form_runai() {
    let sandbox = Sandbox::new();
    for (words, formats) in [
        (
            &["create", "s", "-o", "runai"][..],
            "allowed formats are: custom-columns,json,jsonpath,name,yaml\n",
        ),
        (
            &["attach", "s", "deploy/web", "--env", "K", "-o", "wide"],
            "allowed formats are: custom-columns,json,jsonpath,name,runai,yaml\n",
        ),
    ] {
        let refused = sandbox.run(words).fails_with(2);
        assert!(refused.stderr.contains(formats), "{refused}");
    }
}
