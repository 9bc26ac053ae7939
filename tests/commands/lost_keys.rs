//! Keys that go, copies that go, and workloads that go on with an old value: named before it happens, and asked about
//! where something would not start any more.

use serde_json::{Value, json};
use support::{Fault, Hold, Sandbox, World, scenario};

use crate::set::{create_workload, with_files, with_variable};
use crate::status::{Shared, create, our_copy, runais_copy, value};
use crate::workloads::pod_template;

const VALUE: &str = "shared-value-of-the-source";

fn path(namespace: &str, name: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/secrets/{name}")
}

fn with_hf(key: &'static str) -> impl Fn(&mut Value) {
    move |spec| {
        let source = json!({"secretKeyRef": {"name": "hf", "key": key}});
        spec["containers"][0]["env"] = json!([{"name": "V", "valueFrom": source}]);
    }
}

#[scenario]
fn replacing_names_the_keys_that_go_and_asks_where_they_are_needed(world: &World, sandbox: &Sandbox) {
    let (from, to) = (world.project("from"), world.project("to"));
    let namespace = to.namespace.as_str();
    world.create_secret(&from.namespace, "s", &[("k", "v4lue-of-k")]);
    world.create_secret(namespace, "s", &[("token", "v4lue"), ("b", "v4lue")]);
    create_workload(world, namespace, "deployments", "api", with_variable("token"));
    create_workload(world, namespace, "deployments", "files", with_files(""));
    let before = world.secret(namespace, "s").unwrap();
    let create = ["create", "s", "--replace", "--from-literal=k=new-v4lue", "-n", namespace];
    let copy = ["copy", "s", "--replace", "-p", &from.name, "--to-project", &to.name];
    for line in [&create[..], &copy] {
        let refused = sandbox.run(line).fails_with(2);
        for said in [
            &format!("note: keys b and token of secret s in {namespace} go: "),
            "note: loses b and token at its next start: deployment.apps/files (files in /etc/s)\n",
            "* deployment.apps/api would not start any more: env V\n",
            "hint: add --yes to confirm; nothing was changed",
        ] {
            assert!(refused.stderr.contains(said), "{said}: {refused}");
        }
        for dry in ["--dry-run=client", "--dry-run=server"] {
            let told = sandbox.run(line.iter().chain(&[dry])).success();
            assert!(
                told.stderr.contains("* deployment.apps/api would not start any more: env V\n"),
                "{told}"
            );
        }
        assert_eq!(world.secret(namespace, "s").unwrap()["data"], before["data"]);
        let done = sandbox.run(line.iter().chain(&["--yes"])).success();
        done.never_shows(b"v4lue");
        assert!(world.secret_value(namespace, "s", "token").is_none());
        world.patch(&path(namespace, "s"), &json!({"data": before["data"]}));
        world.patch(&path(namespace, "s"), &json!({"data": {"k": null}}));
    }
}

#[scenario]
fn a_login_without_its_key_is_no_login(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let config =
        r#"{"auths":{"r.example.com":{"username":"u","password":"p4ssword","auth":"dTpwNHNzd29yZA=="}}}"#;
    let login = json!({"metadata": {"name": "s"}, "type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": config}});
    world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &login);
    create_workload(world, &namespace, "deployments", "api", |spec: &mut Value| {
        spec["imagePullSecrets"] = json!([{"name": "s"}]);
    });
    let refused =
        sandbox.run(["create", "s", "--replace", "--from-literal=k=v", "-n", &namespace]).fails_with(2);
    assert!(
        refused.stderr.contains("* deployment.apps/api would not start any more: image pull\n"),
        "{refused}"
    );
    assert!(world.writes().is_empty());
}

#[scenario]
fn of_a_shared_secret_those_of_the_copies_are_asked_about(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let project = world.project("a");
    runais_copy(world, &project, VALUE);
    create_workload(world, &project.namespace, "deployments", "api", with_hf("token"));
    let line = ["create", "hf", "--replace", "--from-literal=k=v", "-n", &shared.runai];
    let refused = sandbox.run(shared.run(&line)).fails_with(2);
    let needed = format!("* deployment.apps/api in {} would not start any more: env V\n", project.namespace);
    assert!(refused.stderr.contains(&needed), "{refused}");
    assert!(world.writes().is_empty());
}

#[scenario]
fn what_is_there_already_is_answered_with_set_first(world: &World, sandbox: &Sandbox) {
    let (a, b) = (world.project("a"), world.project("b"));
    world.create_secret(&a.namespace, "hf", &[("k", "v")]);
    world.create_secret(&b.namespace, "hf", &[("k", "v")]);
    let namespace = a.namespace.as_str();
    let first_hint = |stderr: &str| stderr.lines().find(|line| line.contains("hint: ")).unwrap().to_owned();
    let lines: [(&[&str], &str); 4] = [
        (&["create", "hf", "--from-literal=HF_TOKEN=v", "-n", namespace], "HF_TOKEN"),
        (&["create", "hf", "--from-literal=A=v", "--from-literal=B=v", "-n", namespace], "KEY"),
        (&["create", "hf", "--from-literal=A=v", "-p", &a.name, "-p", &b.name], "A"),
        (&["copy", "hf", "-p", &b.name, "--to-project", &a.name], "k"),
    ];
    for (line, key) in lines {
        let outcome = sandbox.run(line);
        assert_eq!(outcome.code, Some(1), "{outcome}");
        let expected =
            format!("hint: to add or change a key: kubectl runai-secret set hf {key} -n {namespace}");
        assert_eq!(first_hint(&outcome.stderr).trim_start(), expected, "{outcome}");
        assert!(outcome.stderr.contains("removes its other keys"), "{outcome}");
    }
}

#[scenario]
fn taking_the_mark_off_is_refused_where_a_copy_is_needed(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let (a, ours, theirs) = (world.project("a"), world.project("ours"), world.project("theirs"));
    runais_copy(world, &a, VALUE);
    our_copy(world, &shared, &ours.namespace, VALUE);
    create(world, &theirs.namespace, &json!({}), &json!({}), VALUE);
    for project in [&a, &ours, &theirs] {
        create_workload(world, &project.namespace, "deployments", "web", with_hf("token"));
    }
    world.clear_log();
    let needed = format!("deployment.apps/web in {}", a.namespace);
    for more in [&["--yes"][..], &[], &["--dry-run=client", "--yes"], &["--dry-run=server"], &["-y", "-q"]] {
        let refused = sandbox.run(shared.run(&["label", "hf", "--remove"]).iter().chain(more)).fails_with(1);
        assert!(
            refused
                .stderr
                .contains(&format!("error: secret \"hf\" is needed by {needed}; it was not unlabeled\n")),
            "{refused}"
        );
        assert!(refused.stderr.contains("hint: --force does it anyway"), "{refused}");
        assert!(
            !refused.stderr.contains(&ours.namespace) && !refused.stderr.contains(&theirs.namespace),
            "those keep theirs: {refused}"
        );
    }
    assert!(world.writes().is_empty());
    let words = shared.run(&["label", "hf", "--remove", "--force"]);
    sandbox.run(&words).fails_with(2);
    let one_of_two = shared.run(&["label", "hf", "--remove", "--key=legacy", "--yes", "--dry-run=server"]);
    sandbox.run(one_of_two).success();
    let forced = sandbox.run(words.iter().chain(&["--yes"])).success();
    assert_eq!(forced.stdout, "secret/hf unlabeled\n");
    assert!(forced.stderr.contains(&format!("* {needed} (starting) needs it: env V\n")), "{forced}");
}

#[scenario]
fn restarting_names_what_goes_on_with_the_old_value(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("k", "v")]);
    create_workload(world, &namespace, "deployments", "web", with_variable("k"));
    let bare = ["one", "two", "three", "four", "five", "notebook"];
    for name in bare {
        let mut pod = pod_template("Always");
        with_variable("k")(&mut pod["spec"]);
        pod["metadata"] = json!({ "name": name });
        world.create(&format!("/api/v1/namespaces/{namespace}/pods"), &pod);
        world.run_pod(&namespace, name, "Running", &json!({"running": {}}));
    }
    let mut expected = bare.map(|name| format!("pod/{name}")).to_vec();
    // On the real control plane a controller writes the status of jobs.
    if !world.is_real() {
        let mut template = pod_template("Never");
        with_variable("k")(&mut template["spec"]);
        let job = json!({"metadata": {"name": "train"}, "spec": {"template": template}});
        let jobs = format!("/apis/batch/v1/namespaces/{namespace}/jobs");
        world.create(&jobs, &job);
        world.patch(&format!("{jobs}/train/status"), &json!({"status": {"active": 1, "ready": 1}}));
        expected.push("job.batch/train".to_owned());
    }
    let restarted = sandbox.stdin("new").run(["set", "s", "k", "--restart", "-n", &namespace]).success();
    assert!(restarted.stdout.contains("deployment.apps/web restarted\n"), "{restarted}");
    let told: Vec<&str> = restarted.stderr.lines().filter(|line| line.contains("submit it again")).collect();
    for name in &expected {
        let line = format!("{name}: submit it again after kubectl delete {name} -n {namespace}");
        assert!(told.iter().any(|told| told.ends_with(&line)), "{name}: {restarted}");
    }
    assert!(!told.iter().any(|line| line.contains("web")), "{restarted}");
}

#[scenario]
fn who_changes_a_shared_secret_is_told_what_has_to_start_again_in_the_projects(
    world: &World,
    sandbox: &Sandbox,
) {
    let shared = Shared::new(world);
    let (a, theirs) = (world.project("a"), world.project("theirs"));
    runais_copy(world, &a, VALUE);
    create(world, &theirs.namespace, &json!({}), &json!({}), VALUE);
    for project in [&a, &theirs] {
        create_workload(world, &project.namespace, "deployments", "web", with_hf("token"));
    }
    let set = sandbox.stdin("new").run(shared.run(&["set", "hf", "token", "-n", &shared.runai])).success();
    let start = "restart it when its copy has arrived: ";
    let line = set.stderr.lines().find(|line| line.contains(start)).unwrap_or_else(|| panic!("{set}"));
    assert!(line.contains(&format!("deployment.apps/web in {}", a.namespace)), "{line}");
    assert!(!set.stderr.contains(&theirs.namespace), "{set}");
}

#[scenario]
fn copies_get_the_labels_that_are_asked_for_and_keep_them(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let (a, b) = (world.project("a"), world.project("b"));
    sandbox.run(shared.run(&["sync", "hf", "--to-project", &a.name])).success();
    let labelled = sandbox.run(shared.run(&["sync", "hf", "--label", "team=ml", "--label=tier=2"])).success();
    assert_eq!(
        labelled.stdout,
        format!("secret/hf updated in {}\nsecret/hf created in {}\n", a.name, b.name)
    );
    let labels = |namespace: &str| world.secret(namespace, "hf").unwrap()["metadata"]["labels"].clone();
    let expected = json!({"kubectl-runai-secret/copy": "true", "team": "ml", "tier": "2"});
    assert_eq!((labels(&a.namespace), labels(&b.namespace)), (expected.clone(), expected.clone()));
    world.clear_log();
    for more in [&[][..], &["--label=team=ml"]] {
        assert_eq!(sandbox.run(shared.run(&["sync", "hf"]).iter().chain(more)).success().stdout, "");
    }
    assert!(world.writes().is_empty(), "a second run writes nothing");
    world.patch(&path(&a.namespace, "hf"), &json!({"stringData": {"token": "edited"}}));
    sandbox.run(shared.run(&["sync", "hf"])).success();
    assert_eq!((labels(&a.namespace), value(world, &a).as_deref()), (expected, Some(VALUE)));
    for wrong in ["runai/cluster-wide=true", "kubectl-runai-secret/copy=false", "no-value", "a b=c", "a=b c"]
    {
        sandbox.run(shared.run(&["sync", "hf", "--label", wrong])).fails_with(2);
        sandbox.run(["copy", "hf", "-p", &a.name, "--to-project", &b.name, "--label", wrong]).fails_with(2);
    }
    world.create_secret(&a.namespace, "own", &[("k", "v")]);
    let line =
        ["copy", "own", "-p", &a.name, "--to-project", &b.name, "--label=team=ml", "--annotation=note=x y"];
    let printed = sandbox.run(line.iter().chain(&["-o", "json", "--dry-run=server"])).success().json();
    assert_eq!(printed["metadata"]["labels"], json!({"team": "ml"}));
    sandbox.run(line).success();
    let copy = world.secret(&b.namespace, "own").unwrap();
    assert_eq!(
        (&copy["metadata"]["labels"]["team"], &copy["metadata"]["annotations"]["note"]),
        (&json!("ml"), &json!("x y"))
    );
}

#[scenario]
fn a_source_that_changes_while_it_is_copied_is_told(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let a = world.project("a");
    let gate = world.hold(Fault::on("POST", &format!("{}/secrets", a.namespace)), Hold::BeforeForwarding);
    let syncing = sandbox.spawn(shared.run(&["sync", "hf"]));
    assert!(gate.wait_reached(std::time::Duration::from_mins(1)));
    world.patch(&path(&shared.runai, "hf"), &json!({"stringData": {"token": "rotated"}}));
    gate.release();
    let partly = syncing.wait().fails_with(3);
    assert!(partly.stderr.contains("error: somebody changed hf while its copies were written"), "{partly}");
    sandbox.run(shared.run(&["sync", "hf"])).success();
    assert_eq!(value(world, &a).as_deref(), Some("rotated"));
}

#[scenario]
fn what_is_on_its_way_out_gets_no_new_values(world: &World, sandbox: &Sandbox) {
    let (a, b) = (world.project("a"), world.project("b"));
    world.create_secret(&a.namespace, "s", &[("k", "v")]);
    world.create_secret(&b.namespace, "s", &[("k", "v")]);
    world.patch(&path(&b.namespace, "s"), &json!({"metadata": {"finalizers": ["example.com/hold"]}}));
    world.delete(&path(&b.namespace, "s"));
    for line in [
        &["create", "s", "--replace", "--from-literal=k=v", "-n", &b.namespace][..],
        &["copy", "s", "--replace", "-p", &a.name, "--to-project", &b.name],
    ] {
        let refused = sandbox.run(line).fails_with(1);
        assert!(
            refused.stderr.contains(&format!("secret s in {} is being deleted", b.namespace)),
            "{refused}"
        );
    }
    world.patch(&path(&b.namespace, "s"), &json!({"metadata": {"finalizers": null}}));
}

#[scenario]
fn a_secret_without_its_last_key_is_said_to_be_empty(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", "v"), ("b", "v")]);
    let one = sandbox.run(["unset", "s", "a", "-n", &namespace]).success();
    assert!(!one.stderr.contains("no keys"), "{one}");
    let last = sandbox.run(["unset", "s", "b", "-n", &namespace]).success();
    assert!(last.stderr.contains("note: s then has no keys left; the empty secret stays"), "{last}");
}

#[scenario]
fn who_takes_whatever_keys_there_are_is_named_with_what_it_loses(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", "v"), ("b", "v")]);
    create_workload(world, &namespace, "deployments", "web", |spec: &mut Value| {
        spec["containers"][0]["envFrom"] = json!([{"secretRef": {"name": "s"}}]);
    });
    let unset = sandbox.run(["unset", "s", "a", "-n", &namespace]).success();
    assert!(
        unset.stderr.contains("note: loses a at its next start: deployment.apps/web (env *)\n"),
        "{unset}"
    );
}
