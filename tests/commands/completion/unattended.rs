//! Nobody may be asked, nothing may be said, and nobody waits for long.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::json;
use support::{Fault, Sandbox, World, scenario};

use super::{PATIENCE, ask_once};

/// What a Tab may cost.
const LIMIT: Duration = Duration::from_millis(1500);

/// Asks, and sees that this comes in time. A machine at other work, or whose server is, gets another try.
#[track_caller]
pub(super) fn offers_in_time(sandbox: &Sandbox, line: &str, expected: impl Fn(&[&str]) -> bool) {
    offers_within(LIMIT, sandbox, line, expected);
}

#[track_caller]
fn offers_within(limit: Duration, sandbox: &Sandbox, line: &str, expected: impl Fn(&[&str]) -> bool) {
    let end = Instant::now() + PATIENCE;
    loop {
        let started = Instant::now();
        let answer = ask_once(sandbox, line);
        let took = started.elapsed();
        if took <= limit && expected(&answer.names()) {
            return;
        }
        assert!(Instant::now() < end, "{line}: {took:?}, {:?}", answer.names());
    }
}

#[track_caller]
fn offers_nothing_in_time(sandbox: &Sandbox, line: &str) {
    offers_in_time(sandbox, line, |names| names.is_empty());
}

#[scenario]
fn a_server_that_hangs_costs_no_more_than_its_time(world: &World, sandbox: &Sandbox) {
    world.fail(Fault::on("GET", "/secrets").for_ever().hang());
    offers_nothing_in_time(sandbox, "delete s");
}

/// The known kinds are shown as soon as there is nothing to wait for.
#[scenario]
fn known_kinds_wait_half_a_second_at_most_for_those_of_the_cluster(world: &World, sandbox: &Sandbox) {
    world.fail(Fault::on("GET", "/kartas").for_ever().hang());
    offers_within(Duration::from_millis(900), sandbox, "attach hf dep", |names| names == ["deployment/"]);
}

#[test]
fn where_there_are_no_kartas_nobody_waits_for_the_kinds_of_the_cluster() {
    let world = World::with_plain_names();
    let sandbox = Sandbox::new().with(&world);
    world.fail(Fault::on("GET", "/apis").whole().for_ever().hang());
    for line in ["attach hf dep", "attach hf gizmo", "usage gizmo/"] {
        world.clear_log();
        let known: &[&str] = if line.ends_with("dep") { &["deployment/"] } else { &[] };
        offers_within(Duration::from_millis(400), &sandbox, line, |names| names == known);
        let asked: Vec<String> = world.requests().iter().map(|request| request.path.clone()).collect();
        let is_one_of = |path: &String| path == "/apis" || path == "/apis/run.ai/v1alpha1/kartas";
        assert!(asked.iter().all(is_one_of), "{asked:?}");
    }
}

#[scenario]
fn what_has_arrived_in_time_is_offered(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    for number in 0..55 {
        world.create_secret(&namespace, &format!("s{number:02}"), &[("k", "v")]);
    }
    world.fail(Fault::on("GET", "continue=").for_ever().hang());
    offers_in_time(sandbox, &format!("delete -n {namespace} s"), |names| names.len() == 50);
}

#[scenario]
fn errors_and_warnings_of_the_server_are_not_shown(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "s", &[("k", "v")]);
    let line = format!("delete -v -n {namespace} ");
    world.fail(Fault::on("GET", "/secrets").for_ever().warn("deprecated"));
    offers_in_time(sandbox, &line, |names| names == ["s"]);
    for fault in [
        Fault::on("GET", "/secrets").answer(500),
        Fault::on("GET", "/secrets").html(200),
        Fault::on("GET", "/secrets").drop_before_forwarding(),
        Fault::on("GET", "/secrets").cut_the_answer(),
        Fault::on("GET", "/secrets").for_ever().answer_after(429, 60),
    ] {
        world.clear_faults();
        world.fail(fault);
        offers_in_time(sandbox, &line, |_| true);
    }
    world.clear_faults();
    let user = world.user("nobody");
    offers_nothing_in_time(sandbox, &format!("{line}--token={} ", user.token));
}

#[test]
fn a_server_that_does_not_answer_at_all_costs_no_more_than_its_time() {
    let world = World::in_process();
    // It takes the connection and says nothing; the other can't be reached, where it is not refused at once.
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    for server in [format!("https://{}", deaf.local_addr().unwrap()), "https://192.0.2.1:6443".to_owned()] {
        let sandbox = Sandbox::new().kubeconfig(&world.kubeconfig().server(&server));
        for line in ["delete ", "-p ", "delete -p x s", "attach hf deploy/", "attach hf deploy/web -c "] {
            offers_nothing_in_time(&sandbox, line);
        }
    }
}

#[test]
fn a_kubeconfig_that_is_missing_broken_or_never_ends_is_passed_over() {
    let sandbox = Sandbox::new().with_env("KUBECONFIG", "broken");
    offers_nothing_in_time(&sandbox, "delete ");
    sandbox.file("broken", "{ token: hunter2");
    for line in ["delete ", "--context ", "--user ", "delete --kubeconfig nowhere "] {
        offers_nothing_in_time(&sandbox, line);
    }
    let pipe = sandbox.path().join("pipe");
    let made = sandbox.with_run().program("/usr/bin/mkfifo".as_ref(), [&pipe]);
    assert_eq!(made.code, Some(0), "{made}");
    for line in ["delete --kubeconfig pipe ", "--kubeconfig pipe --context "] {
        offers_nothing_in_time(&sandbox, line);
    }
}

/// A credential plugin that notes how it was started, and says something on stderr.
fn plugin(world: &World, sandbox: &Sandbox) -> std::path::PathBuf {
    let credential = json!({
        "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1",
        "status": {"token": world.admin_token()},
    });
    let notes = sandbox.path().join("notes");
    let script = format!(
        "#!/bin/sh\necho 'Please log in' >&2\necho \"$KUBERNETES_EXEC_INFO COMPLETE=$COMPLETE $(cat)\" > {}\necho '{credential}'\n",
        notes.display()
    );
    sandbox.program("login", &script)
}

fn with_plugin(world: &World, mode: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let user = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": plugin(world, &sandbox), "interactiveMode": mode,
    }});
    let kubeconfig = sandbox.file("kubeconfig", world.kubeconfig().user(user).to_string());
    sandbox.with_env("KUBECONFIG", kubeconfig)
}

#[test]
fn a_credential_plugin_runs_without_a_terminal_or_not_at_all() {
    let world = World::in_process();
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "s", &[("k", "v")]);
    for mode in ["IfAvailable", "Never"] {
        let sandbox = with_plugin(&world, mode);
        offers_in_time(&sandbox, &format!("delete -n {namespace} "), |names| names == ["s"]);
        let notes = fs::read_to_string(sandbox.path().join("notes")).unwrap();
        assert!(notes.contains("\"interactive\":false") && notes.ends_with("COMPLETE= \n"), "{notes}");
    }
    let sandbox = with_plugin(&world, "Always");
    offers_nothing_in_time(&sandbox, &format!("delete -n {namespace} "));
    assert!(!sandbox.path().join("notes").exists(), "it was started");
}

#[test]
fn a_credential_plugin_is_not_given_the_terminal() {
    let world = World::in_process();
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "s", &[("k", "v")]);
    let sandbox = with_plugin(&world, "IfAvailable");
    sandbox.link_plugin();
    let words = ["-n", &namespace, "attach", ""];
    let completer = sandbox.bin().join("kubectl_complete-runai_secret");
    let end = Instant::now() + PATIENCE;
    loop {
        let (code, shown) = sandbox.with_run().program_in_terminal(&completer, words).wait();
        assert!(code == 0 && !shown.contains("log in"), "{shown}");
        if shown.contains("s\tOpaque") {
            return;
        }
        assert!(Instant::now() < end, "{shown}");
    }
}

#[test]
fn a_credential_plugin_that_hangs_is_ended_in_time() {
    let world = World::in_process();
    let sandbox = with_plugin(&world, "IfAvailable");
    sandbox.program("login", "#!/bin/sh\necho $$ > pid\nexec sleep 60\n");
    offers_in_time(&sandbox, "delete ", |names| names.is_empty() && sandbox.path().join("pid").exists());
    // It is killed, which takes a moment; by itself it would end only after a minute.
    let end = Instant::now() + PATIENCE / 2;
    let pid = fs::read_to_string(sandbox.path().join("pid")).unwrap();
    loop {
        // Dead children that nobody waits for are listed too, as Z.
        let ps = ["ps", "-o", "stat=", "-p", pid.trim()];
        let state = sandbox.with_run().program("/usr/bin/env".as_ref(), ps).stdout;
        if state.is_empty() || state.starts_with('Z') {
            return;
        }
        assert!(Instant::now() < end, "it still runs: {state}");
    }
}
