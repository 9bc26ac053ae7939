//! `$(NAME)` in a variable's value: it is seen by those after it alone, so the order of `env` means something.

use serde_json::{Value, json};
use support::{Sandbox, World, scenario};

use crate::definitions::define;
use crate::workloads::{DEPLOYMENTS, create_deployment, env_of, job};

/// A namespace with the secret `db`, whose keys are `PW` and `HOST`, and the Deployment `web` with this `env`.
fn prepared(world: &World, env: &Value) -> String {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "db", &[("PW", "pw-value-1234"), ("HOST", "h")]);
    let deployment = create_deployment(world, &namespace, "web");
    let mut container = deployment["spec"]["template"]["spec"]["containers"][0].clone();
    container["env"] = env.clone();
    let spec = json!({"spec": {"template": {"spec": {"containers": [container]}}}});
    world.patch(&path(&namespace), &spec);
    namespace
}

fn path(namespace: &str) -> String {
    format!("/{DEPLOYMENTS}/namespaces/{namespace}/deployments/web")
}

fn names(env: &Value) -> Vec<String> {
    env.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
}

fn names_in(world: &World, namespace: &str) -> Vec<String> {
    names(env_of(&world.get(&path(namespace)).unwrap()["spec"]))
}

#[scenario]
fn submit_keeps_the_order_in_which_variables_were_typed(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "db", &[("PW", "pw-value-1234"), ("HOST", "h")]);
    let words = [
        "submit",
        "j",
        "-i",
        "x",
        "-n",
        &namespace,
        "-e",
        "B=1",
        "-e",
        "PW=SECRET:db,PW",
        "-e",
        "A=$(B)",
        "--env-secret=HOST=db,key=HOST",
        "--environment",
        "URL=postgres://u:$(PW)@$(HOST)",
        "--env-secret",
        "Z=db,key=PW",
    ];
    let submitted = sandbox.run(words).success();
    assert_eq!(
        names(env_of(&job(world, &namespace, "j").unwrap()["spec"])),
        ["B", "PW", "A", "HOST", "URL", "Z"]
    );
    assert!(!submitted.stderr.contains("Warning"), "{submitted}");
}

#[scenario]
fn submit_warns_of_a_variable_that_comes_too_late(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "db", &[("PW", "pw-value-1234")]);
    let words = ["submit", "j", "-i", "x", "-n", &namespace, "-e", "URL=u:$(PW)@h", "-e", "PW=SECRET:db,PW"];
    let submitted = sandbox.run(words).success();
    assert_eq!(names(env_of(&job(world, &namespace, "j").unwrap()["spec"])), ["URL", "PW"]);
    let warning = "Warning: env URL in container j refers to $(PW), which comes after it: it gets the text $(PW) as it stands";
    assert!(submitted.stderr.contains(warning), "{submitted}");
    let words = ["submit", "k", "-i", "x", "-n", &namespace, "-e", "URL=u:$$(PW)@h", "-e", "PW=SECRET:db,PW"];
    assert!(!sandbox.run(words).success().stderr.contains("Warning"));
}

#[scenario]
fn attach_puts_a_variable_before_those_that_refer_to_it(world: &World, sandbox: &Sandbox) {
    let env = json!([{"name": "A", "value": "1"}, {"name": "URL", "value": "u:$(PW)@$(HOST)"},
        {"name": "B", "value": "$(URL)"}]);
    let namespace = prepared(world, &env);
    let words =
        ["attach", "db", "deploy/web", "--env", "PW", "--env", "HOST", "--env", "LAST=PW", "-n", &namespace];
    let attached = sandbox.run(words).success();
    assert_eq!(names_in(world, &namespace), ["A", "PW", "HOST", "URL", "B", "LAST"]);
    assert!(!attached.stderr.contains("Warning"), "{attached}");
}

#[scenario]
fn what_was_attached_too_late_is_said_and_overwritten_where_it_stands(world: &World, sandbox: &Sandbox) {
    let from = json!({"secretKeyRef": {"name": "db", "key": "PW"}});
    let env = json!([{"name": "URL", "value": "u:$(PW)@h"}, {"name": "PW", "valueFrom": from}]);
    let namespace = prepared(world, &env);
    let warning = "Warning: env URL in container main refers to $(PW), which comes after it";
    let words = ["attach", "db", "deploy/web", "--env", "PW", "-n", &namespace];
    let same = sandbox.run(words).success();
    assert!(same.stdout.contains("unchanged") && same.stderr.contains(warning), "{same}");
    let words = ["attach", "db", "deploy/web", "--env", "PW=HOST", "--overwrite", "-n", &namespace];
    assert!(sandbox.run(words).success().stderr.contains(warning));
    assert_eq!(names_in(world, &namespace), ["URL", "PW"]);
}

#[scenario]
fn detach_says_what_still_refers_to_a_variable(world: &World, sandbox: &Sandbox) {
    let from = json!({"secretKeyRef": {"name": "db", "key": "PW"}});
    let env = json!([{"name": "PW", "valueFrom": from}, {"name": "URL", "value": "u:$(PW)@h"}]);
    let namespace = prepared(world, &env);
    let detached = sandbox.run(["detach", "db", "deploy/web", "-n", &namespace]).success();
    let warning = "Warning: env URL in container main still refers to $(PW), which is gone";
    assert!(detached.stderr.contains(warning), "{detached}");
}

#[scenario]
fn check_finds_a_variable_that_comes_too_late(world: &World, sandbox: &Sandbox) {
    let from = json!({"secretKeyRef": {"name": "db", "key": "PW"}});
    let env = json!([{"name": "URL", "value": "u:$(PW)@h"}, {"name": "PW", "valueFrom": from},
        {"name": "NONE", "value": "$(NOWHERE) $$(PW) $(hostname) $(REDIS_SERVICE_HOST)"}]);
    let namespace = prepared(world, &env);
    for words in [&["check"][..], &["check", "deploy/web"]] {
        let report = sandbox.run([words, &["-n", &namespace, "-o", "json"]].concat()).success().json();
        let findings = report["findings"].as_array().unwrap();
        let of = |code: &str| findings.iter().filter(|one| one["code"] == code).collect::<Vec<_>>();
        let (late, unknown) = (of("late-variable"), of("unknown-variable"));
        assert_eq!((late.len(), unknown.len()), (1, 1), "{report}");
        assert_eq!((&late[0]["severity"], &unknown[0]["severity"]), (&json!("warning"), &json!("info")));
        assert!(unknown[0]["message"].as_str().unwrap().contains("$(NOWHERE)"), "{report}");
    }
    let manifest = world.get(&path(&namespace)).unwrap().to_string();
    let checked = sandbox.stdin(manifest).run(["check", "-f", "-", "-n", &namespace]).success();
    assert!(checked.stdout.contains("late-variable"), "{checked}");
}

#[scenario]
fn the_ranks_of_an_mpi_job_are_said_not_to_see_a_variable(world: &World, sandbox: &Sandbox) {
    define(world, &["kubeflow.org"]);
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "hf", &[("HF_TOKEN", "hf-value-1234")]);
    let replica = |command: &Value| {
        json!({"template": {"spec": {"containers": [
        {"name": "main", "image": "x", "command": command}]}}})
    };
    let create = |name: &str, command: &Value| {
        let replicas = json!({"Launcher": replica(command), "Worker": replica(&json!(["sshd"]))});
        let job = json!({"apiVersion": "kubeflow.org/v2beta1", "kind": "MPIJob", "metadata": {"name": name},
            "spec": {"mpiReplicaSpecs": replicas}});
        world.create(&format!("/apis/kubeflow.org/v2beta1/namespaces/{namespace}/mpijobs"), &job);
        let target = format!("mpijob/{name}");
        sandbox.run(["attach", "hf", &target, "--env", "HF_TOKEN", "-c", "*", "-n", &namespace]).success()
    };
    let attached = create("silent", &json!(["mpirun", "python"]));
    let warning =
        "Warning: the processes that mpirun starts do not see HF_TOKEN: pass it on with mpirun -x HF_TOKEN\n";
    assert!(attached.stderr.contains(warning), "{attached}");
    let attached = create("passing", &json!(["mpirun", "-x", "HF_TOKEN", "python"]));
    assert!(!attached.stderr.contains("Warning"), "{attached}");
}

#[test]
fn a_manifest_keeps_the_order_too() {
    let manifest = "\
apiVersion: batch/v1
kind: Job
metadata: {name: j}
spec:
  template:
    spec:
      containers:
      - name: main
        env:
        # the first
        - name: A
          value: \"1\"
        # the address
        - name: URL
          value: u:$(PW)@h # of the database
        - {name: B, value: $(URL)}
";
    let sandbox = Sandbox::new();
    let changed = sandbox.stdin(manifest).run(["attach", "db", "-f", "-", "--env", "PW"]).success();
    let (before, after) = manifest.split_at(manifest.find("        # the address").unwrap());
    let entry = ["- name: PW", "  valueFrom:", "    secretKeyRef:", "      key: PW", "      name: db"];
    let entry = entry.map(|line| format!("        {line}\n")).concat();
    assert_eq!(changed.stdout, format!("{before}{entry}{after}"));
    assert!(!changed.stderr.contains("Warning"), "{changed}");
    let detached = sandbox.stdin(changed.stdout).run(["detach", "db", "-f", "-"]).success();
    assert_eq!(detached.stdout, manifest);
    assert!(detached.stderr.contains("env URL in container main still refers to $(PW)"), "{detached}");
}
