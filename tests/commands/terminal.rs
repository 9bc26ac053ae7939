//! On a terminal: questions, Esc, Ctrl-C, and a terminal that is left as it was.

use std::path::Path;

use support::sandbox::plugin;
use support::{Sandbox, Session, World, scenario};

use crate::workloads::{create_job, env_of, job};

#[scenario]
fn a_job_that_cannot_be_changed_is_asked_about(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "s", &[("token", "t0ken-value")]);
    create_job(world, &namespace, "train");
    let mut session =
        sandbox.in_terminal(["attach", "s", "job/train", "--env", "TOKEN=token", "-n", &namespace]);
    // What it costs is said before the choice, which is then the only question.
    session.expect("  * env TOKEN ");
    session.expect("if it is deleted and created again: ");
    session.expect("; it gets a new place in the queue");
    session.expect("What now?");
    session.send("\u{1b}[B\r");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert_eq!(env_of(&job(world, &namespace, "train").unwrap()["spec"])[0]["name"], "TOKEN");
    assert!(shown.contains("next time add --recreate"), "{shown}");
}

#[scenario]
fn the_name_of_a_copy_is_proposed(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "s", &[("token", "t0ken-value")]);
    for taken in ["train", "train-2"] {
        create_job(world, &namespace, taken);
    }
    let mut session = sandbox.in_terminal(["attach", "s", "job/train", "--env", "token", "-n", &namespace]);
    session.expect("What now?");
    session.send("\r");
    session.expect("Name of the copy (Enter for train-3)");
    session.send("\r");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("next time add --copy-as train-3"), "{shown}");
    assert!(job(world, &namespace, "train-3").is_some());
}

/// A world in which `label --remove` asks.
fn asking() -> (World, Sandbox) {
    let world = World::in_process();
    let runai = world.runai_namespace();
    world.create_secret(&runai, "shared", &[("k", "v")]);
    let labels = serde_json::json!({ "metadata": { "labels": { "runai/cluster-wide": "true" } } });
    world.patch(&format!("/api/v1/namespaces/{runai}/secrets/shared"), &labels);
    let sandbox = Sandbox::new().with(&world);
    (world, sandbox)
}

/// A shell in a terminal, in which `$PLUGIN` is the plugin.
fn in_shell(sandbox: &Sandbox, line: &str) -> Session {
    sandbox.env("PLUGIN", plugin()).program_in_terminal(Path::new("/bin/sh"), ["-c", line])
}

#[test]
fn no_is_no() {
    for (keys, code) in [("n", 1), ("\u{1b}", 130), ("\u{3}", 130)] {
        let (world, sandbox) = asking();
        let runai = world.runai_namespace();
        let mut session = sandbox.in_terminal(["label", "shared", "--remove", "--runai-namespace", &runai]);
        session.expect("Stop sharing shared?");
        session.send(keys);
        let (ended, shown) = session.wait();
        assert_eq!(ended, code, "{keys:?}: {shown}");
        assert!(
            shown.rfind("\u{1b}[?25h") >= shown.rfind("\u{1b}[?25l"),
            "the cursor is shown again: {shown:?}"
        );
        assert!(world.writes().is_empty());
    }
}

#[test]
fn where_stderr_is_a_file_nothing_is_asked() {
    let (world, sandbox) = asking();
    let runai = world.runai_namespace();
    let line = format!("$PLUGIN label shared --remove --runai-namespace {runai} 2> errors; echo ended $?");
    let mut session = in_shell(&sandbox, &line);
    session.expect("ended 2");
    assert!(world.writes().is_empty());
    let errors = std::fs::read_to_string(sandbox.path().join("errors")).unwrap();
    assert!(errors.contains("but standard error, where prompts appear, is not a terminal: "), "{errors}");
}

#[test]
fn no_input_never_asks() {
    let (world, sandbox) = asking();
    let runai = world.runai_namespace();
    let words = ["label", "shared", "--remove", "--no-input", "--runai-namespace", &runai];
    let (code, shown) = sandbox.in_terminal(words).wait();
    assert_eq!(code, 2, "{shown}");
    assert!(shown.contains("add --yes"), "{shown}");
}

#[test]
fn after_ctrl_c_the_terminal_echoes_again() {
    let (world, sandbox) = asking();
    let runai = world.runai_namespace();
    let line = format!(
        "stty -a > before; $PLUGIN label shared --remove --runai-namespace {runai}; echo ended $?; \
         stty -a > after; cmp before after && echo the same"
    );
    let mut session = in_shell(&sandbox, &line);
    session.expect("Stop sharing shared?");
    session.send("\u{3}");
    session.expect("ended 130");
    session.expect("the same");
}

/// A shell would bring the program back with the echo on.
#[test]
fn a_hidden_value_stays_hidden_after_ctrl_z() {
    let sandbox = Sandbox::new();
    let shell = sandbox.env("PLUGIN", plugin());
    let mut session = shell.program_in_terminal(Path::new("/bin/bash"), ["--norc", "-i"]);
    session.send_line("$PLUGIN create s --prompt T --dry-run=client; echo ended $?");
    session.expect("Value of T");
    session.send("\u{1a}");
    session.send_line("fg");
    session.expect("Once more");
    session.send_line("hunter2-typed");
    session.expect("These two differ");
    for question in ["Value of T", "Once more"] {
        session.expect(question);
        session.send_line("hunter2-typed");
    }
    session.expect("ended 0");
    assert!(!session.seen().contains("hunter2-typed"), "{}", session.seen());
    session.send_line("exit");
    let _ = session.wait();
}

#[scenario]
fn what_a_server_said_begins_with_words_and_not_with_an_empty_label(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let (_, shown) = sandbox.in_terminal(["view", "none-of-this-name", "-n", &namespace]).wait();
    assert!(shown.contains("Error from server (NotFound):\u{1b}[0m secrets "), "{shown:?}");
    assert!(!shown.contains("\u{1b}[1m\u{1b}[0m"), "{shown:?}");
}

#[scenario]
fn who_types_a_literal_value_is_told_of_the_history_of_the_shell(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let line = ["create", "lit", "--from-literal=K=v4lue-of-lit", "-n", &namespace, "--dry-run=client"];
    let (code, shown) = sandbox.in_terminal(line).wait();
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("--from-literal leaves the value in the history of the shell"), "{shown}");
    assert_eq!(sandbox.run(line).success().stderr, "");
}
