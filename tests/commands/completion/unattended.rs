//! Nobody may be asked, nothing may be said, and nobody waits for long.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::json;
use support::{Fault, Sandbox, World, scenario};

use super::ask;

/// What a Tab may cost.
const LIMIT: Duration = Duration::from_millis(1500);

/// Asks, and sees that the answer comes in time. A machine at other work gets a second try, and a third.
#[track_caller]
fn ask_in_time(sandbox: &Sandbox, line: &str) -> Vec<String> {
    for _ in 0..3 {
        let started = Instant::now();
        let answer = ask(sandbox, line);
        if started.elapsed() <= LIMIT {
            return answer.names().into_iter().map(ToOwned::to_owned).collect();
        }
    }
    panic!("never within {LIMIT:?}: {line}");
}

scenario! {
    fn a_server_that_hangs_costs_no_more_than_its_time(world: &World, sandbox: &Sandbox) {
        world.fail(Fault::on("GET", "/secrets").for_ever().hang());
        assert_eq!(ask_in_time(sandbox, "delete s"), Vec::<String>::new());
    }

    fn what_has_arrived_in_time_is_offered(world: &World, sandbox: &Sandbox) {
        let namespace = world.namespace("a");
        for number in 0..55 {
            world.create_secret(&namespace, &format!("s{number:02}"), &[("k", "v")]);
        }
        world.fail(Fault::on("GET", "continue=").for_ever().hang());
        assert_eq!(ask_in_time(sandbox, &format!("delete -n {namespace} s")).len(), 50);
    }

    fn errors_and_warnings_of_the_server_are_not_shown(world: &World, sandbox: &Sandbox) {
        let namespace = world.namespace("a");
        world.create_secret(&namespace, "s", &[("k", "v")]);
        let line = format!("delete -v -n {namespace} ");
        world.fail(Fault::on("GET", "/secrets").warn("deprecated"));
        assert_eq!(ask_in_time(sandbox, &line), ["s"]);
        for fault in [
            Fault::on("GET", "/secrets").answer(500),
            Fault::on("GET", "/secrets").html(200),
            Fault::on("GET", "/secrets").drop_before_forwarding(),
            Fault::on("GET", "/secrets").cut_the_answer(),
            Fault::on("GET", "/secrets").for_ever().answer_after(429, 60),
        ] {
            world.clear_faults();
            world.fail(fault);
            ask_in_time(sandbox, &line);
        }
        world.clear_faults();
        let user = world.user("nobody");
        assert_eq!(ask_in_time(sandbox, &format!("{line}--token={} ", user.token)), Vec::<String>::new());
    }
}

#[test]
fn a_server_that_does_not_answer_at_all_costs_no_more_than_its_time() {
    let world = World::in_process();
    // It takes the connection and says nothing; the other can't be reached, where it is not refused at once.
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    for server in [format!("https://{}", deaf.local_addr().unwrap()), "https://192.0.2.1:6443".to_owned()] {
        let sandbox = Sandbox::new().kubeconfig(&world.kubeconfig().server(&server));
        for line in ["delete ", "-p ", "delete -p x s", "attach hf deploy/", "attach hf deploy/web -c "] {
            assert_eq!(ask_in_time(&sandbox, line), Vec::<String>::new());
        }
    }
}

#[test]
fn a_kubeconfig_that_is_missing_broken_or_never_ends_is_passed_over() {
    let sandbox = Sandbox::new().with_env("KUBECONFIG", "broken");
    assert_eq!(ask_in_time(&sandbox, "delete "), Vec::<String>::new());
    sandbox.file("broken", "{ token: hunter2");
    for line in ["delete ", "--context ", "--user ", "delete --kubeconfig nowhere "] {
        assert_eq!(ask_in_time(&sandbox, line), Vec::<String>::new(), "{line}");
    }
    let pipe = sandbox.path().join("pipe");
    let made = sandbox.with_run().program("/usr/bin/mkfifo".as_ref(), [&pipe]);
    assert_eq!(made.code, Some(0), "{made}");
    for line in ["delete --kubeconfig pipe ", "--kubeconfig pipe --context "] {
        assert_eq!(ask_in_time(&sandbox, line), Vec::<String>::new(), "{line}");
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
        assert_eq!(ask_in_time(&sandbox, &format!("delete -n {namespace} ")), ["s"], "{mode}");
        let notes = fs::read_to_string(sandbox.path().join("notes")).unwrap();
        assert!(notes.contains("\"interactive\":false") && notes.ends_with("COMPLETE= \n"), "{notes}");
    }
    let sandbox = with_plugin(&world, "Always");
    assert_eq!(ask_in_time(&sandbox, &format!("delete -n {namespace} ")), Vec::<String>::new());
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
    let session =
        sandbox.with_run().program_in_terminal(&sandbox.bin().join("kubectl_complete-runai_secret"), words);
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("s\tOpaque") && !shown.contains("log in"), "{shown}");
}

#[test]
fn a_credential_plugin_that_hangs_is_ended_in_time() {
    let world = World::in_process();
    let sandbox = with_plugin(&world, "IfAvailable");
    sandbox.program("login", "#!/bin/sh\necho $$ > pid\nexec sleep 60\n");
    assert_eq!(ask_in_time(&sandbox, "delete "), Vec::<String>::new());
    let pid = fs::read_to_string(sandbox.path().join("pid")).unwrap();
    // Dead children that nobody waits for are listed too, as Z.
    let state =
        sandbox.with_run().program("/usr/bin/env".as_ref(), ["ps", "-o", "stat=", "-p", pid.trim()]).stdout;
    assert!(state.is_empty() || state.starts_with('Z'), "it still runs: {state}");
}
