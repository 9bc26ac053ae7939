//! What the other tests stand on: the log, faults, gates, users, certificates, the proxy, the sandbox, the stand-in.
//!
//! kubectl is the client here, so nothing depends on the plugin.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;
use support::proxy::Proxy;
use support::{Fault, Hold, Running, Sandbox, Validity, World, control_plane, sandbox, scenario};

fn kubectl(sandbox: &Sandbox, arguments: &[&str]) -> support::Outcome {
    sandbox.with_run().program(sandbox::kubectl().expect("kubectl"), arguments)
}

/// From a manifest: `kubectl create secret` speaks protobuf, which the in-process server does not.
fn create(world: &World, sandbox: &Sandbox, name: &str) -> Running {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"k": "c4nary"}});
    let arguments = ["create", "-f", "-", "--validate=false", "-n", &world.namespace("a")];
    sandbox.stdin(secret.to_string()).spawn_program(sandbox::kubectl().expect("kubectl"), arguments)
}

#[scenario]
fn kubectl_works_against_it(world: &World, sandbox: &Sandbox) {
    let ns = world.namespace("a");
    assert_eq!(create(world, sandbox, "s").wait().success().stdout, "secret/s created\n");
    assert_eq!(world.secret_value(&ns, "s", "k").unwrap(), b"c4nary");
    let table = kubectl(sandbox, &["get", "secrets", "-n", &ns]).success();
    assert!(table.stdout.starts_with("NAME   TYPE     DATA   AGE\ns      Opaque   1"), "{table}");
    let _ = kubectl(sandbox, &["label", "secret", "s", "a=b", "-n", &ns]).success();
    let _ = kubectl(sandbox, &["get", "deploy,jobs,pods", "-n", &ns]).success();
    assert_eq!(world.writes()[0].call(), format!("POST /api/v1/namespaces/{ns}/secrets"));
    assert!(world.requests().iter().all(|request| request.header("authorization") == Some("<redacted>")));
    let _ = kubectl(sandbox, &["delete", "secret", "s", "-n", &ns, "--wait"]).success();
    let missing = kubectl(sandbox, &["get", "secret", "none", "-n", &ns]).fails_with(1);
    assert_eq!(missing.stderr, "Error from server (NotFound): secrets \"none\" not found\n");
}

#[scenario]
fn faults_happen_as_ordered(world: &World, sandbox: &Sandbox) {
    let ns = world.namespace("a");
    let get = ["get", "secret", "none", "-n", &ns];
    world.fail(Fault::on("GET", "/secrets/none").answer(403));
    assert!(
        kubectl(sandbox, &get).fails_with(1).stderr.contains("(Forbidden): secrets \"none\" is forbidden")
    );
    world.fail(Fault::on("GET", "/secrets/none").answer_after(429, 1));
    world.clear_log();
    assert!(kubectl(sandbox, &get).fails_with(1).stderr.contains("(NotFound)"));
    let of_secrets = world.requests().into_iter().filter(|request| request.path.ends_with("/none"));
    assert_eq!(of_secrets.map(|request| request.status).collect::<Vec<_>>(), [Some(429), Some(404)]);
    // kubectl asks again where a GET breaks off, and never where a POST does.
    world.fail(Fault::on("POST", "/secrets").drop_before_forwarding());
    assert!(create(world, sandbox, "dropped").wait().fails_with(1).stderr.contains("stream error"));
    assert!(world.secret(&ns, "dropped").is_none());
    world.fail(Fault::on("*", "/secrets").nth(2).cut_the_answer());
    let _ = create(world, sandbox, "whole").wait().success();
    let cut = create(world, sandbox, "cut").wait().fails_with(1);
    assert!(cut.stderr.contains("stream error"), "{cut}");
    assert!(world.secret(&ns, "cut").is_some());
    world.fail(Fault::on("GET", "/secrets/none").warn("old and tired"));
    assert!(kubectl(sandbox, &get).fails_with(1).stderr.contains("Warning: old and tired"));
    world.fail(Fault::on("POST", "/secrets").drop_after_forwarding());
    let _ = create(world, sandbox, "s").wait().fails_with(1);
    assert!(world.secret(&ns, "s").is_some());
    world.fail(Fault::on("GET", "/secrets/none").html(502));
    let _ = kubectl(sandbox, &get).fails_with(1);
    world.fail(Fault::on("GET", "/secrets/none").hang());
    let limited = kubectl(sandbox, &["get", "secret", "none", "-n", &ns, "--request-timeout=300ms"]);
    let _ = limited.fails_with(1);
}

#[scenario]
fn a_gate_parks_a_request_where_it_is_told(world: &World, sandbox: &Sandbox) {
    let ns = world.namespace("a");
    let gate = world.hold(Fault::on("POST", "/secrets"), Hold::AfterForwarding);
    let child = create(world, sandbox, "after");
    assert!(gate.wait_reached(Duration::from_mins(1)));
    assert_eq!(child.kill().signal, Some(9));
    gate.release();
    assert!(world.secret(&ns, "after").is_some());

    let gate = world.hold(Fault::on("POST", "/secrets"), Hold::BeforeForwarding);
    let child = create(world, sandbox, "before");
    assert!(gate.wait_reached(Duration::from_mins(1)));
    assert!(world.secret(&ns, "before").is_none());
    gate.release();
    let _ = child.wait().success();
    assert!(world.secret(&ns, "before").is_some());

    let gate = world.hold(Fault::on("POST", "/secrets"), Hold::BeforeForwarding);
    let child = create(world, sandbox, "never");
    assert!(gate.wait_reached(Duration::from_mins(1)));
    assert_eq!(child.kill().signal, Some(9));
    assert!(gate.wait_left(Duration::from_mins(1)));
    gate.release();
    assert!(world.secret(&ns, "never").is_none());
}

#[scenario]
fn users_have_the_rights_they_were_given(world: &World, _sandbox: &Sandbox) {
    let ns = world.namespace("a");
    let user = world.user("ann");
    let sandbox = Sandbox::new().kubeconfig(&world.kubeconfig().token(&user.token).namespace(&ns));
    let refused = kubectl(&sandbox, &["get", "secrets"]).fails_with(1).stderr;
    assert!(
        refused.contains(&format!("User \"{}\" cannot list resource \"secrets\"", user.name)),
        "{refused}"
    );
    world.grant(&user, Some(&ns), &json!([{"verbs": ["list"], "apiGroups": [""], "resources": ["secrets"]}]));
    let _ = kubectl(&sandbox, &["get", "secrets"]).success();
}

#[scenario]
fn certificates_say_who_asks(world: &World, _sandbox: &Sandbox) {
    let with =
        |pair: &(String, String)| Sandbox::new().kubeconfig(&world.kubeconfig().client_certificate(pair));
    let valid = with(&world.client_certificate("carol", Validity::Valid));
    let refused = kubectl(&valid, &["get", "secrets", "-n", "default"]).fails_with(1).stderr;
    assert!(refused.contains("User \"carol\" cannot list"), "{refused}");
    let expired = with(&world.client_certificate("carol", Validity::Expired));
    let refused = kubectl(&expired, &["get", "secrets", "-n", "default"]).fails_with(1).stderr;
    assert!(refused.contains("tls: expired certificate"), "{refused}");
    let stranger = Sandbox::new().kubeconfig(&world.kubeconfig().wrong_ca());
    assert!(kubectl(&stranger, &["get", "secrets"]).fails_with(1).stderr.contains("x509"));
}

#[scenario]
fn a_proxy_counts_what_goes_through_it(world: &World, _sandbox: &Sandbox) {
    let proxy = Proxy::new();
    let sandbox = Sandbox::new().kubeconfig(&world.kubeconfig().proxy_url(&proxy.url()));
    let _ = kubectl(&sandbox, &["get", "namespaces"]).success();
    assert!(proxy.connections() > 0);
    assert_eq!(proxy.asked_for()[0], world.address().to_string());
}

#[scenario]
fn cluster_wide_secrets_arrive_in_every_project(world: &World, _sandbox: &Sandbox) {
    let (one, two, runai) = (world.project("one"), world.project("two"), world.runai_namespace());
    world.create_secret(&two.namespace, "foreign", &[("k", "theirs")]);
    for name in ["hf", "foreign"] {
        world.create_secret(&runai, name, &[("k", "v")]);
    }
    let source = |name: &str| format!("/api/v1/namespaces/{runai}/secrets/{name}");
    let _controller = world.start_propagation();
    for name in ["hf", "foreign"] {
        world.patch(&source(name), &json!({"metadata": {"labels": {"run.ai/cluster-wide": "true"}}}));
    }
    let value = |namespace: &str, name: &str| world.secret_value(namespace, name, "k").unwrap_or_default();
    until(|| value(&one.namespace, "hf") == b"v" && value(&two.namespace, "hf") == b"v");
    until(|| value(&one.namespace, "foreign") == b"v");
    assert_eq!(value(&two.namespace, "foreign"), b"theirs");
    world.patch(&source("hf"), &json!({"metadata": {"labels": {"run.ai/cluster-wide": null}}}));
    until(|| world.secret(&one.namespace, "hf").is_none() && world.secret(&two.namespace, "hf").is_none());
    assert_eq!(world.projects().len(), 2);
}

#[scenario]
fn a_controller_that_is_killed_leaves_its_work_and_the_next_one_goes_on_with_it(
    world: &World,
    _sandbox: &Sandbox,
) {
    let (one, runai) = (world.project("one"), world.runai_namespace());
    let labels = json!({"labels": {"run.ai/cluster-wide": "true"}});
    let secret = json!({"metadata": {"name": "hf", "labels": labels["labels"]}, "stringData": {"k": "v"}});
    world.create(&format!("/api/v1/namespaces/{runai}/secrets"), &secret);
    let controller = world.start_propagation();
    until(|| world.secret(&one.namespace, "hf").is_some());
    let process = controller.id().map(|id| std::path::PathBuf::from(format!("/proc/{id}")));
    assert_eq!(process.is_some(), world.is_real());
    assert!(process.iter().all(|process| process.exists()));
    drop(controller);
    assert!(process.iter().all(|process| !process.exists()));

    let copy = format!("/api/v1/namespaces/{}/secrets/hf", one.namespace);
    world.patch(&copy, &json!({"data": {"k": "ZWRpdGVk"}}));
    let controller = world.start_propagation();
    until(|| world.secret_value(&one.namespace, "hf", "k").unwrap() == b"v");
    drop(controller);
    world.patch(&format!("/api/v1/namespaces/{runai}/secrets/hf"), &json!({"metadata": {"labels": null}}));
    let _controller = world.start_propagation();
    until(|| world.secret(&one.namespace, "hf").is_none());
}

#[scenario]
fn custom_resources_are_served(world: &World, _sandbox: &Sandbox) {
    world.custom_resource("run.ai", "v2alpha1", "trainingworkloads", "TrainingWorkload");
    let path = format!("/apis/run.ai/v2alpha1/namespaces/{}/trainingworkloads", world.namespace("a"));
    world.create(&path, &json!({
        "apiVersion": "run.ai/v2alpha1", "kind": "TrainingWorkload", "metadata": {"name": "t"}, "spec": {"image": {"value": "i"}}}));
    assert_eq!(world.list(&path)[0]["kind"], "TrainingWorkload");
}

#[scenario]
fn a_pod_can_be_said_to_run(world: &World, _sandbox: &Sandbox) {
    let ns = world.namespace("a");
    let pods = format!("/api/v1/namespaces/{ns}/pods");
    world.create(
        &pods,
        &json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "m", "image": "i"}]}}),
    );
    world.run_pod(&ns, "p", "Running", &json!({"running": {}}));
    let pod = world.get(&format!("{pods}/p")).unwrap();
    assert_eq!(pod["spec"]["nodeName"], "test-node");
    assert!(pod["status"]["containerStatuses"][0]["state"]["running"].is_object(), "{pod}");
}

#[scenario]
fn a_sandbox_shows_nothing_of_the_machine(_world: &World, sandbox: &Sandbox) {
    let env = sandbox
        .stdin("typed")
        .program("/bin/sh".as_ref(), ["-c", "env; cat; pwd; echo c4nary-c4nary >$TMPDIR/f"]);
    let env = env.success();
    assert!(env.stdout.contains("typed") && !env.stdout.contains("CARGO"), "{env}");
    assert_eq!(sandbox.files_containing(b"c4nary-c4nary").len(), 1);
}

fn until(holds: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_mins(1), "not after a minute");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_plugin_is_found_directly_and_by_kubectl() {
    let sandbox = Sandbox::new();
    let direct = sandbox.run(["--help"]).success();
    assert_eq!(sandbox.kubectl(["runai-secret", "--help"]).success().stdout, direct.stdout);
}

#[test]
fn a_terminal_shows_what_a_person_sees() {
    let sandbox = Sandbox::new();
    let script = "printf 'name? '; read name; stty -echo; read hidden; stty echo; echo \"hello $name\"; tput cols; exit 3";
    let mut terminal = sandbox.with_run().program_in_terminal("/bin/sh".as_ref(), ["-c", script]);
    terminal.expect("name? ");
    terminal.send_line("ann");
    terminal.send_line("hidden");
    terminal.expect("hello ann");
    let (code, seen) = terminal.wait();
    assert_eq!((code, seen.contains("120")), (3, true), "{seen}");
}

/// Killed with SIGKILL, a test process can clear nothing up; the supervisor of its control plane does.
#[test]
#[ignore = "needs a real control plane: see CONTRIBUTING.md"]
fn the_control_plane_goes_with_its_process() {
    const CHILD: &str = "SUPPORT_TEST_CHILD";
    if std::env::var_os(CHILD).is_some() {
        println!("server {}", control_plane::ControlPlane::shared().server());
        std::thread::sleep(Duration::from_mins(1));
        return;
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_control_plane_goes_with_its_process", "--nocapture", "--include-ignored"])
        .env(CHILD, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let server =
        lines.find_map(|line| line.split_once("server https://").map(|(_, at)| at.to_owned())).unwrap();
    assert!(TcpStream::connect(&server).is_ok());
    child.kill().unwrap();
    child.wait().unwrap();
    until(|| TcpStream::connect(&server).is_err());
}

#[test]
fn without_a_control_plane_a_test_of_it_is_ignored_and_fails_where_it_is_asked_for() {
    let run = |more: &[&str]| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "custom_resources_are_served::on_the_real_control_plane"])
            .args(more)
            .env_remove(control_plane::ASSETS)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let ignored = run(&[]);
    assert!(ignored.contains("0 passed; 0 failed; 1 ignored"), "{ignored}");
    let failed = run(&["--include-ignored"]);
    assert!(failed.contains("0 passed; 1 failed"), "{failed}");
    assert!(failed.contains(r#"export KUBEBUILDER_ASSETS="$(tests/control-plane/build)""#), "{failed}");
}
