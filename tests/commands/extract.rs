//! `attach --extract`: the value of a plain variable moves into a secret, of a workload and of a manifest.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Fault, Outcome, Sandbox, World, scenario};

use crate::definitions::define;
use crate::plaintext::{deployment, deployments, plain};
use crate::workloads::{create_job, env_from, env_of, job, job_path, pod_template};

const TOKEN: &str = "hf_cAnArYaBcDeFgHiJkLmNoPqRsTuVwXyZ";
const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A namespace with the deployment `web`, which holds the token and another variable.
fn prepared(world: &World) -> String {
    prepared_in(world, "ns")
}

fn prepared_in(world: &World, name: &str) -> String {
    let namespace = world.namespace(name);
    let env = json!([{"name": "HF_TOKEN", "value": TOKEN}, {"name": "EPOCHS", "value": "10"}]);
    world.create(&deployments(&namespace), &deployment("web", &env));
    namespace
}

fn web(world: &World, namespace: &str) -> Value {
    world.get(&format!("{}/web", deployments(namespace))).unwrap()
}

fn referring(secret: &str, key: &str) -> Value {
    let [reference] = env_from("HF_TOKEN", secret, key).as_array().unwrap().clone().try_into().unwrap();
    json!([reference, {"name": "EPOCHS", "value": "10"}])
}

#[track_caller]
fn shows_nothing(outcome: Outcome) -> Outcome {
    outcome.never_shows(b"cAnArY");
    outcome
}

fn extract(sandbox: &Sandbox, namespace: &str, words: &[&str]) -> Outcome {
    let all = [&["attach", "deployment/web", "-n", namespace], words].concat();
    let outcome = sandbox.run(all);
    outcome.never_shows(b"cAnArY");
    outcome
}

/// The writes that were kept, in their order.
fn kept(world: &World) -> Vec<String> {
    let kept = world.writes().into_iter().filter(|write| !write.is_dry_run());
    kept.map(|write| write.call()).collect()
}

#[scenario]
fn a_value_moves_into_a_secret_named_after_the_service(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    world.clear_log();
    let done = extract(sandbox, &namespace, &["--extract", "HF_TOKEN"]).success();
    assert_eq!(done.stdout, "secret/hf created\ndeployment.apps/web updated\n", "{done}");
    assert!(
        done.stderr.contains("env HF_TOKEN ← SECRET:hf,HF_TOKEN in container main (replaces what was there)")
            && done
                .stderr
                .contains("everybody who may read deployment.apps/web could read HF_TOKEN: change it")
            && done.stderr.contains(&format!("kubectl runai-secret set hf HF_TOKEN -n {namespace}")),
        "{done}"
    );
    assert_eq!(world.secret_value(&namespace, "hf", "HF_TOKEN").unwrap(), TOKEN.as_bytes());
    assert_eq!(*env_of(&web(world, &namespace)["spec"]), referring("hf", "HF_TOKEN"));
    let secrets = format!("POST /api/v1/namespaces/{namespace}/secrets");
    let put = format!("PUT {}/web", deployments(&namespace));
    assert_eq!(kept(world), [secrets, put]);
    world.clear_log();
    let again = extract(sandbox, &namespace, &["--extract", "HF_TOKEN"]).success();
    assert_eq!(again.stdout, "deployment.apps/web unchanged\n", "{again}");
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    let report = sandbox.run(["check", "-n", &namespace, "--only=plaintext-credential", "-o", "json"]);
    assert_eq!(report.success().json()["findings"], json!([]));
}

#[scenario]
fn the_finding_of_check_has_the_command_that_mends_it(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let report =
        sandbox.run(["check", "-n", &namespace, "--only=plaintext-credential", "-o", "json"]).success();
    let remedy = report.json()["findings"][0]["remedy"].as_str().unwrap().to_owned();
    let (_, command) = remedy.split_once(": kubectl runai-secret ").unwrap();
    sandbox.run(command.split(' ')).success();
    assert_eq!(*env_of(&web(world, &namespace)["spec"]), referring("hf", "HF_TOKEN"));
}

#[scenario]
fn secret_and_key_can_be_named_in_each_way(world: &World, sandbox: &Sandbox) {
    let ways = [
        (&["deployment/web", "--extract", "HF_TOKEN=mine"][..], "mine", "HF_TOKEN"),
        (&["deployment/web", "--extract=HF_TOKEN=mine,token"], "mine", "token"),
        (&["deployment/web", "--extract=HF_TOKEN=SECRET:mine,token"], "mine", "token"),
        (&["mine", "deployment/web", "--extract=HF_TOKEN"], "mine", "HF_TOKEN"),
        (&["web", "--extract=HF_TOKEN", "-c", "main"], "hf", "HF_TOKEN"),
    ];
    for (at, (words, secret, key)) in ways.into_iter().enumerate() {
        let namespace = prepared_in(world, &format!("ns-{at}"));
        shows_nothing(sandbox.run([&["attach", "-n", &namespace], words].concat())).success();
        assert_eq!(*env_of(&web(world, &namespace)["spec"]), referring(secret, key), "{words:?}");
        assert_eq!(world.secret_value(&namespace, secret, key).unwrap(), TOKEN.as_bytes());
    }
}

#[scenario]
fn a_key_with_the_value_is_used_and_others_stay(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    world.create_secret(&namespace, "hf", &[("HF_TOKEN", TOKEN), ("other", "x")]);
    world.clear_log();
    let done = extract(sandbox, &namespace, &["--extract", "HF_TOKEN"]).success();
    assert_eq!(done.stdout, "secret/hf unchanged\ndeployment.apps/web updated\n", "{done}");
    assert_eq!(kept(world), [format!("PUT {}/web", deployments(&namespace))]);
    let namespace = prepared_in(world, "other");
    world.create_secret(&namespace, "hf", &[("other", "x")]);
    let done = extract(sandbox, &namespace, &["--extract", "HF_TOKEN"]).success();
    assert_eq!(done.stdout, "secret/hf updated\ndeployment.apps/web updated\n", "{done}");
    assert_eq!(world.secret_value(&namespace, "hf", "HF_TOKEN").unwrap(), TOKEN.as_bytes());
    assert_eq!(world.secret_value(&namespace, "hf", "other").unwrap(), b"x");
}

#[scenario]
fn another_value_under_the_key_is_left_alone(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    world.create_secret(&namespace, "hf", &[("HF_TOKEN", "an0ther-value"), ("HF_TOKEN_2", "x")]);
    world.clear_log();
    let refused = extract(sandbox, &namespace, &["--extract", "HF_TOKEN"]).fails_with(1);
    refused.never_shows(b"an0ther-value");
    assert!(
        refused
            .stderr
            .starts_with(&format!("error: key HF_TOKEN of secret hf in {namespace} has another value\n"))
            && refused.stderr.contains("--extract HF_TOKEN=hf,HF_TOKEN_3")
            && refused.stderr.contains(&format!(
                "kubectl runai-secret attach hf KIND/NAME --env HF_TOKEN=HF_TOKEN --overwrite -n {namespace}\n"
            )),
        "{refused}"
    );
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    assert_eq!(env_of(&web(world, &namespace)["spec"])[0], plain("HF_TOKEN", TOKEN)[0]);
}

#[scenario]
fn what_can_not_be_changed_is_refused_before_anything_is_written(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let mut template = pod_template("Never");
    template["spec"]["containers"][0]["env"] = plain("DB_PASSWORD", "cAnArY-hunter2");
    let train = json!({"metadata": {"name": "train"}, "spec": {"template": template}});
    world.create(&job_path(&namespace, ""), &train);
    world.clear_log();
    let words = ["-vvv", "attach", "job/train", "--extract", "DB_PASSWORD=db,password", "-n", &namespace];
    let refused = shows_nothing(sandbox.run(words)).fails_with(2);
    assert!(refused.stderr.contains("--recreate deletes it"), "{refused}");
    assert!(kept(world).is_empty(), "{:?}", world.lines());
    let again = [&words[..], &["--recreate", "-y"]].concat();
    let done = shows_nothing(sandbox.run(again)).success();
    assert_eq!(done.stdout, "secret/db created\njob.batch/train recreated\n", "{done}");
    assert_eq!(world.secret_value(&namespace, "db", "password").unwrap(), b"cAnArY-hunter2");
    let now = job(world, &namespace, "train").unwrap();
    assert_eq!(*env_of(&now["spec"]), env_from("DB_PASSWORD", "db", "password"));
    assert_eq!(sandbox.files_containing(b"cAnArY"), [""; 0].map(std::path::PathBuf::from));
}

#[test]
fn the_manifest_that_brings_a_job_back_does_not_hold_the_value() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let namespace = world.namespace("ns");
    let mut template = pod_template("Never");
    template["spec"]["containers"][0]["env"] = plain("DB_PASSWORD", "cAnArY-hunter2");
    let train = json!({"metadata": {"name": "train"}, "spec": {"template": template}});
    world.create(&job_path(&namespace, ""), &train);
    world.fail(Fault::on("DELETE", "/jobs/train").drop_after_forwarding());
    world.fail(Fault::on("GET", "/jobs/train").nth(3).for_ever().answer(403));
    let words = [
        "attach",
        "job/train",
        "--extract",
        "DB_PASSWORD",
        "--recreate",
        "-y",
        "--timeout=1s",
        "-n",
        &namespace,
    ];
    let outcome = sandbox.run(words);
    outcome.never_shows(b"cAnArY");
    assert_ne!(outcome.code, Some(0), "{outcome}");
    let folder = sandbox.home().join(".local/state/kubectl-runai-secret");
    let saved = fs::read_dir(folder).unwrap().next().expect("it is saved").unwrap().path();
    let saved = fs::read_to_string(saved).unwrap();
    assert!(saved.contains("secretKeyRef") && !saved.contains("cAnArY"), "{saved}");
    assert!(outcome.stderr.contains("secret/db-password is created"), "{outcome}");
    let told = "if this is cut short, this command makes the new one: kubectl create -f ";
    assert!(outcome.stderr.contains(told) && !outcome.stderr.contains("old one back"), "{outcome}");
}

#[scenario]
fn a_copy_refers_to_the_secret_and_the_original_is_said_to_hold_the_value(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let done = extract(sandbox, &namespace, &["--extract", "HF_TOKEN", "--copy-as", "api"]).success();
    assert_eq!(done.stdout, "secret/hf created\ndeployment.apps/api created\n", "{done}");
    assert!(
        done.stderr.contains("deployment.apps/web itself is as it was: it still holds HF_TOKEN"),
        "{done}"
    );
    let api = world.get(&format!("{}/api", deployments(&namespace))).unwrap();
    assert_eq!(*env_of(&api["spec"]), referring("hf", "HF_TOKEN"));
}

#[scenario]
fn master_and_workers_refer_to_it_where_they_held_it(world: &World, sandbox: &Sandbox) {
    define(world, &["kubeflow.org"]);
    let namespace = world.namespace("ns");
    let path = format!("/apis/kubeflow.org/v1/namespaces/{namespace}/pytorchjobs");
    let replica = |env: Value| {
        let container = json!({"name": "pytorch", "image": "busybox", "env": env});
        json!({"template": {"spec": {"containers": [container]}}})
    };
    let create = |name: &str, master: Value, worker: Value| {
        let replicas = json!({"Master": replica(master), "Worker": replica(worker)});
        let job = json!({"apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob", "metadata": {"name": name},
            "spec": {"pytorchReplicaSpecs": replicas}});
        world.create(&path, &job);
    };
    let env = |name: &str| {
        let job = world.get(&format!("{path}/{name}")).unwrap();
        ["Master", "Worker"].map(|one| {
            job["spec"]["pytorchReplicaSpecs"][one]["template"]["spec"]["containers"][0]["env"].clone()
        })
    };
    create("both", plain("HF_TOKEN", TOKEN), plain("HF_TOKEN", TOKEN));
    create("one", plain("HF_TOKEN", TOKEN), json!([]));
    create("differ", plain("HF_TOKEN", TOKEN), plain("HF_TOKEN", "cAnArY-another"));
    let run = |name: &str| {
        let target = format!("pytorchjob/{name}");
        shows_nothing(sandbox.run(["attach", &target, "--extract", "HF_TOKEN", "-n", &namespace]))
    };
    run("both").success();
    let reference = env_from("HF_TOKEN", "hf", "HF_TOKEN");
    assert_eq!(env("both"), [reference.clone(), reference.clone()]);
    run("one").success();
    assert_eq!(env("one"), [reference, json!([])]);
    let refused = run("differ").fails_with(1);
    assert!(refused.stderr.contains("has different values: in container pytorch of Master"), "{refused}");
}

#[scenario]
fn a_workload_of_run_ai_refers_in_its_own_form(world: &World, sandbox: &Sandbox) {
    define(world, &["run.ai"]);
    let namespace = world.namespace("ns");
    let path = format!("/apis/run.ai/v2alpha1/namespaces/{namespace}/trainingworkloads");
    let spec = json!({"image": {"value": "x"}, "environment": {"items": {"HF_TOKEN": {"value": TOKEN}}}});
    let object = json!({"apiVersion": "run.ai/v2alpha1", "kind": "TrainingWorkload", "metadata": {"name": "t"},
        "spec": spec});
    world.create(&path, &object);
    let words = ["attach", "trainingworkload/t", "--extract", "HF_TOKEN", "-n", &namespace];
    shows_nothing(sandbox.run(words)).success();
    let now = world.get(&format!("{path}/t")).unwrap();
    assert_eq!(now["spec"]["environment"]["items"]["HF_TOKEN"], json!({"value": "SECRET:hf,HF_TOKEN"}));
    assert_eq!(world.secret_value(&namespace, "hf", "HF_TOKEN").unwrap(), TOKEN.as_bytes());
}

#[test]
fn cut_off_after_the_secret_the_same_command_does_the_rest() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let namespace = prepared(&world);
    world.fail(Fault::on("PUT", "/deployments/web").kept().answer_with(403, "not today"));
    let cut = extract(&sandbox, &namespace, &["--extract", "HF_TOKEN"]).fails_with(3);
    assert!(
        cut.stderr.contains("; secret/hf is created")
            && cut.stderr.contains("the same command again does the rest"),
        "{cut}"
    );
    assert_eq!(env_of(&web(&world, &namespace)["spec"])[0], plain("HF_TOKEN", TOKEN)[0]);
    let done = extract(&sandbox, &namespace, &["--extract", "HF_TOKEN"]).success();
    assert_eq!(done.stdout, "secret/hf unchanged\ndeployment.apps/web updated\n", "{done}");
    assert_eq!(*env_of(&web(&world, &namespace)["spec"]), referring("hf", "HF_TOKEN"));
}

#[test]
fn a_change_that_the_server_would_refuse_leaves_no_secret() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let namespace = prepared(&world);
    world.fail(Fault::on("PUT", "dryRun").answer_with(403, "the policy forbids it"));
    extract(&sandbox, &namespace, &["--extract", "HF_TOKEN"]).fails_with(1);
    assert!(world.secret(&namespace, "hf").is_none());
    // A webhook that takes no part in dry runs does not keep the change from being made.
    let message = "admission webhook \"w.example.com\" does not support dry run";
    world.fail(Fault::on("PUT", "dryRun").answer_with(400, message));
    extract(&sandbox, &namespace, &["--extract", "HF_TOKEN"]).success();
}

#[test]
fn a_value_that_somebody_changes_meanwhile_does_not_get_lost() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let namespace = prepared(&world);
    let path = format!("{}/web", deployments(&namespace));
    let gate = world.hold(Fault::on("PUT", "/deployments/web").kept(), support::Hold::BeforeForwarding);
    let words = ["attach", "deployment/web", "--extract", "HF_TOKEN", "-n", &namespace];
    let running = sandbox.spawn(words);
    assert!(gate.wait_reached(Duration::from_secs(20)));
    let env = json!([{"name": "HF_TOKEN", "value": "cAnArY-newer"}]);
    let containers = json!([{"name": "main", "image": "busybox", "env": env}]);
    world.patch(&path, &json!({"spec": {"template": {"spec": {"containers": containers}}}}));
    gate.release();
    let refused = shows_nothing(running.wait()).fails_with(3);
    assert!(refused.stderr.contains("was changed by somebody else meanwhile"), "{refused}");
    let now = web(&world, &namespace);
    assert!(env_of(&now["spec"]).to_string().contains("cAnArY-newer"), "{now}");
}

#[scenario]
fn what_kubectl_apply_keeps_is_mended_too(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let applied = deployment("web", &plain("HF_TOKEN", TOKEN));
    let mut object = applied.clone();
    object["metadata"]["annotations"] =
        json!({APPLIED: format!("{applied}\n"), "runai-cli-command": format!("submit -e HF_TOKEN={TOKEN}")});
    object["metadata"]["labels"] = json!({"app.kubernetes.io/managed-by": "Helm"});
    world.create(&deployments(&namespace), &object);
    let done = extract(sandbox, &namespace, &["--extract", "HF_TOKEN"]).success();
    for said in [
        "what was kept of it when it was applied refers to the secret too: HF_TOKEN",
        "the value of HF_TOKEN is still in deployment.apps/web: metadata.annotations.runai-cli-command",
        "deployment.apps/web was deployed by Helm, which may put the value back",
    ] {
        assert!(done.stderr.contains(said), "{said}: {done}");
    }
    let now = web(world, &namespace);
    let kept: Value =
        serde_json::from_str(now["metadata"]["annotations"][APPLIED].as_str().unwrap()).unwrap();
    assert_eq!(*env_of(&kept["spec"]), env_from("HF_TOKEN", "hf", "HF_TOKEN"));
    // Where only the copy has it any more, the same command mends that.
    let annotations = json!({APPLIED: applied.to_string()});
    world.patch(
        &format!("{}/web", deployments(&namespace)),
        &json!({"metadata": {"annotations": annotations}}),
    );
    let again = extract(sandbox, &namespace, &["--extract", "HF_TOKEN"]).success();
    assert_eq!(again.stdout, "deployment.apps/web updated\n", "{again}");
    let now = web(world, &namespace);
    assert!(!now["metadata"]["annotations"][APPLIED].as_str().unwrap().contains("cAnArY"));
}

#[scenario]
fn earlier_revisions_that_hold_the_value_are_named(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let path = format!("/apis/apps/v1/namespaces/{namespace}/replicasets");
    if !world.is_real() {
        let web = web(world, &namespace);
        let owner = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": web["metadata"]["uid"],
            "controller": true});
        let spec =
            json!({"selector": web["spec"]["selector"], "template": web["spec"]["template"], "replicas": 0});
        world
            .create(&path, &json!({"metadata": {"name": "web-1", "ownerReferences": [owner]}, "spec": spec}));
    }
    let start = Instant::now();
    let revision = loop {
        if let [revision] = world.list(&path).as_slice() {
            break revision["metadata"]["name"].as_str().unwrap().to_owned();
        }
        assert!(start.elapsed() < Duration::from_mins(1), "no replica set");
        std::thread::sleep(Duration::from_millis(20));
    };
    let done = extract(sandbox, &namespace, &["--extract", "HF_TOKEN"]).success();
    let delete = format!("kubectl delete replicasets {revision} -n {namespace}");
    assert!(done.stderr.contains(&format!("earlier revisions still hold it ({revision})")), "{done}");
    assert!(done.stderr.contains(&delete), "{done}");
}

#[scenario]
fn a_dry_run_writes_nothing(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    world.clear_log();
    let client = extract(sandbox, &namespace, &["--extract", "HF_TOKEN", "--dry-run=client"]).success();
    assert_eq!(
        client.stdout, "secret/hf created (dry run)\ndeployment.apps/web updated (dry run)\n",
        "{client}"
    );
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    extract(sandbox, &namespace, &["--extract", "HF_TOKEN", "--dry-run=server"]).success();
    assert!(kept(world).is_empty(), "{:?}", world.lines());
    let yaml = extract(sandbox, &namespace, &["--extract", "HF_TOKEN", "-o", "json"]).success();
    assert_eq!(*env_of(&yaml.json()["spec"]), referring("hf", "HF_TOKEN"));
    assert!(yaml.stderr.contains("note: secret/hf created"), "{yaml}");
}

#[scenario]
fn a_dollar_sign_is_moved_as_the_container_saw_it(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create(&deployments(&namespace), &deployment("web", &plain("DB_PASSWORD", "pa$$cAnArY$x")));
    extract(sandbox, &namespace, &["--extract", "DB_PASSWORD"]).success();
    assert_eq!(world.secret_value(&namespace, "db-password", "DB_PASSWORD").unwrap(), b"pa$cAnArY$x");
}

#[scenario]
fn what_is_no_plain_value_is_refused(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let env = json!([{"name": "HF_TOKEN", "value": TOKEN}, {"name": "DSN", "value": "u:$(HF_TOKEN)@db"}]);
    world.create(&deployments(&namespace), &deployment("web", &env));
    create_job(world, &namespace, "train");
    world.clear_log();
    for (words, code, said) in [
        (&["--extract", "HF_TOKNE"][..], 1, "did you mean HF_TOKEN?"),
        (&["--extract", "DSN"], 1, "refers to other variables"),
        (&["--extract", "HF_TOKEN", "-c", "mian"], 1, "has no container \"mian\""),
        (&["--extract", "HF_TOKEN", "--extract", "HF_TOKEN=x"], 2, "names a variable twice"),
        (&["--extract", "HF_TOKEN", "--env", "K"], 2, "cannot be used with"),
        (&["--extract", "HF_TOKEN", "-o", "runai"], 2, "leave out one of them"),
        (&["job/train", "--extract", "HF_TOKEN"], 2, "one workload"),
        (&["--extract", "HF_TOKEN=Bad_Name"], 2, "not a legal name"),
    ] {
        let refused = extract(sandbox, &namespace, words).fails_with(code);
        assert!(refused.stderr.contains(said), "{said}: {refused}");
    }
    // A value in the place of a name is not repeated.
    for flag in [format!("HF_TOKEN={TOKEN}"), TOKEN.to_owned(), format!("HF_TOKEN=s,{TOKEN}")] {
        let refused = extract(sandbox, &namespace, &["--extract", &flag]).fails_with(2);
        assert!(refused.stderr.contains("the value is read from the workload: --extract VAR"), "{refused}");
    }
    assert!(world.writes().is_empty(), "{:?}", world.lines());
}

const MANIFEST: &str = "\
# All of it belongs to team a.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      # the only one
      - name: main
        image: busybox # small
        env:
        - {name: EPOCHS, value: \"10\"}
        - name: HF_TOKEN # rotate me
          value: hf_cAnArYaBcDeFgHiJkLmNoPqRsTuVwXyZ
---
apiVersion: v1
kind:   ConfigMap
metadata: {name: c}
---
apiVersion: batch/v1
kind: Job
metadata: {name: train}
spec:
  template:
    spec:
      containers:
      - {name: main, image: busybox}
";

/// The manifest with a reference in the place of the value.
fn referring_manifest(secret: &str) -> String {
    let value = format!("          value: {TOKEN}\n");
    let reference = format!(
        "          valueFrom:\n            secretKeyRef:\n              key: HF_TOKEN\n              name: {secret}\n"
    );
    MANIFEST.replace(&value, &reference)
}

#[scenario]
fn a_manifest_keeps_all_but_the_value_and_the_cluster_gets_the_secret(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    sandbox.file("web.yaml", MANIFEST);
    let words = ["-vvv", "attach", "-f", "web.yaml", "--extract", "HF_TOKEN", "-n", &namespace];
    let done = shows_nothing(sandbox.run(words)).success();
    assert_eq!(done.stdout, referring_manifest("hf"));
    assert!(
        done.stderr.contains("note: secret/hf created")
            && done.stderr.contains("change it where it was issued"),
        "{done}"
    );
    assert_eq!(world.secret_value(&namespace, "hf", "HF_TOKEN").unwrap(), TOKEN.as_bytes());
    let words = ["attach", "mine", "-f", "web.yaml", "--extract", "HF_TOKEN", "-n", &namespace, "--in-place"];
    let done = shows_nothing(sandbox.run(words)).success();
    assert_eq!(done.stdout, "web.yaml updated\n", "{done}");
    let now = fs::read_to_string(sandbox.path().join("web.yaml")).unwrap();
    assert_eq!(now, referring_manifest("mine"));
    assert_eq!(world.secret_value(&namespace, "mine", "HF_TOKEN").unwrap(), TOKEN.as_bytes());
}

#[test]
fn a_dry_run_of_a_manifest_asks_no_cluster() {
    let sandbox = Sandbox::new().with_env("KUBECONFIG", "broken");
    sandbox.file("broken", "{");
    let words = ["attach", "-f", "-", "deployment/web", "--extract", "HF_TOKEN", "--dry-run=client"];
    let done = shows_nothing(sandbox.stdin(MANIFEST).run(words)).success();
    assert_eq!(done.stdout, referring_manifest("hf"));
    assert!(done.stderr.contains("secret/hf is not written: this is a dry run"), "{done}");
}

#[scenario]
fn a_secret_of_a_manifest_is_in_the_namespace_of_its_workload(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let mut object = deployment("web", &plain("HF_TOKEN", TOKEN));
    object["metadata"]["namespace"] = namespace.as_str().into();
    sandbox.file("web.json", object.to_string());
    let words = ["attach", "-f", "web.json", "--extract", "HF_TOKEN"];
    let refused = shows_nothing(sandbox.run([&words[..], &["-n", "elsewhere"]].concat())).fails_with(2);
    assert!(refused.stderr.contains(&format!("the manifest says namespace {namespace}")), "{refused}");
    let done = shows_nothing(sandbox.run(words)).success();
    assert_eq!(*env_of(&done.json()["spec"]), env_from("HF_TOKEN", "hf", "HF_TOKEN"));
    assert_eq!(world.secret_value(&namespace, "hf", "HF_TOKEN").unwrap(), TOKEN.as_bytes());
}

#[scenario]
fn workloads_of_a_manifest_share_a_secret_if_they_have_the_same_value(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let runai = |value: &str| {
        format!(
            "apiVersion: run.ai/v2alpha1\nkind: TrainingWorkload\nmetadata: {{name: train}}\n\
             spec:\n  environment:\n    items:\n      HF_TOKEN:\n        value: {value} # rotate me\n"
        )
    };
    let both = |value: &str| format!("{MANIFEST}---\n{}", runai(value));
    let run = |manifest: String, more: &[&str]| {
        let words = [&["attach", "-f", "-", "--extract", "HF_TOKEN", "-n", &namespace], more].concat();
        shows_nothing(sandbox.stdin(manifest).run(words))
    };
    let done = run(both(TOKEN), &[]).success();
    assert_eq!(done.stdout, format!("{}---\n{}", referring_manifest("hf"), runai("SECRET:hf,HF_TOKEN")));
    let refused = run(both("cAnArY-another"), &[]).fails_with(2);
    assert!(refused.stderr.contains("of several workloads choose one"), "{refused}");
    let missing = run(both(TOKEN), &["job/train"]).fails_with(1);
    assert!(missing.stderr.contains("has no env HF_TOKEN"), "{missing}");
    world.create_secret(&namespace, "other", &[("HF_TOKEN", "x")]);
    let words = ["attach", "other", "-f", "-", "--extract", "HF_TOKEN", "-n", &namespace];
    let refused = shows_nothing(sandbox.stdin(MANIFEST).run(words)).fails_with(1);
    assert_eq!(refused.stdout, "");
    assert!(refused.stderr.contains("has another value"), "{refused}");
}
