//! Signals: each that can be caught leaves the terminal as it was, and ends or stops the program as it would end any other.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::sandbox::plugin;
use support::{Fault, Hold, Sandbox, Session, World, send_signal};

use crate::edit::wait_for;

/// Those that a user or a system sends, by their names and numbers.
const SIGNALS: [(&str, i32); 17] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ABRT", 6),
    ("USR1", 10),
    ("USR2", 12),
    ("ALRM", 14),
    ("TERM", 15),
    ("STKFLT", 16),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("IO", 29),
    ("PWR", 30),
    ("SYS", 31),
    ("RTMAX", 64),
];

fn world() -> (World, Sandbox) {
    let world = World::with_plain_names();
    let project = world.project("vision");
    world.create_secret(&project.namespace, "hf", &[("token", "t0ken-value")]);
    world.clear_log();
    let sandbox = Sandbox::new().with(&world);
    (world, sandbox)
}

/// The number of the plugin's process, which it wrote into a file as it was started.
fn process(sandbox: &Sandbox) -> u32 {
    let file = sandbox.path().join("process");
    wait_for(&file);
    fs::read_to_string(file).unwrap().trim().parse().unwrap()
}

/// A shell with job control, in which `plugin` is the plugin and leaves its process's number in a file.
fn shell(sandbox: &Sandbox) -> Session {
    let run = sandbox.env("PLUGIN", plugin()).env("PS1", "PROMPT ");
    let mut session = run.program_in_terminal(Path::new("/bin/bash"), ["--norc", "-i"]);
    session.send_line(
        "plugin() { (echo $BASHPID > process.new; mv process.new process; exec $PLUGIN \"$@\"); }",
    );
    session
}

#[test]
fn each_signal_at_a_question_leaves_the_terminal_as_it_was_and_is_the_exit_code() {
    let questions = [
        ("view", "Project"),
        ("create generic -p vision", "Name of the new secret"),
        ("create s --prompt K -p vision", "Value of K"),
        ("delete hf -p vision", "Delete hf?"),
    ];
    for (at, (signal, number)) in SIGNALS.into_iter().enumerate() {
        if cfg!(not(target_os = "linux")) && ["STKFLT", "PWR", "RTMAX", "IO"].contains(&signal) {
            continue;
        }
        let (world, sandbox) = world();
        let (command, question) = questions[at % questions.len()];
        let line = format!(
            "stty -a > before; sh -c 'echo $$ > process.new; mv process.new process; exec $PLUGIN {command}'; echo ended $?; \
             stty -a > after; cmp before after && echo the same"
        );
        let run = sandbox.env("PLUGIN", plugin());
        let mut session = run.program_in_terminal(Path::new("/bin/bash"), ["-c", line.as_str()]);
        session.expect(question);
        send_signal(signal, process(&sandbox));
        session.expect(&format!("ended {}", 128 + number));
        session.expect("the same");
        let (_, shown) = session.wait();
        assert!(
            shown.rfind("\u{1b}[?25h") >= shown.rfind("\u{1b}[?25l"),
            "{signal}: the cursor is shown again: {shown:?}"
        );
        assert!(world.writes().is_empty(), "{signal}");
    }
}

#[test]
fn a_question_that_is_stopped_gives_the_terminal_back_and_is_asked_again() {
    let (_world, sandbox) = world();
    let mut session = shell(&sandbox);
    session.send_line("stty -a > before; plugin create s --prompt T --dry-run=client");
    session.expect("Value of T");
    let process = process(&sandbox);
    for signal in ["TSTP", "STOP", "TSTP"] {
        send_signal(signal, process);
        session.expect("Stopped");
        session.expect("PROMPT ");
        session.send_line("stty -a > during; cmp before during && echo the\" same\"");
        session.expect("the same");
        session.send_line("fg");
        session.expect("Value of T");
    }
    session.send_line("hunter2-typed");
    session.expect("Once more");
    session.send_line("hunter2-typed");
    session.expect("secret/s created (dry run)");
    assert!(!session.seen().contains("hunter2"), "{}", session.seen());
    session.send_line("exit");
    let _ = session.wait();
}

#[test]
fn a_list_and_a_line_that_are_stopped_are_drawn_again() {
    let (_world, sandbox) = world();
    let mut session = shell(&sandbox);
    session.send_line("plugin create generic -p vision");
    session.expect("Name of the new secret");
    let process = process(&sandbox);
    session.send("a-na");
    session.expect("a-na");
    for (question, go_on) in
        [("a-na", "me\r"), ("What goes into it?", "nothing\r"), ("Create secret/a-name", "y")]
    {
        session.expect(if question == "a-na" { "" } else { question });
        send_signal("TSTP", process);
        session.expect("Stopped");
        session.send_line("fg");
        session.expect(question);
        session.send(go_on);
    }
    session.expect("secret/a-name created");
    session.send_line("exit");
    let _ = session.wait();
}

/// Where nobody reads what it prints it can't be asked to end.
#[test]
fn what_waits_for_a_reader_ends_by_a_signal_too() {
    let (world, sandbox) = world();
    let large = "x".repeat(500_000);
    world.create_secret("runai-vision", "large", &[("k", &large)]);
    let kubeconfig = sandbox.path().parent().unwrap().join("kubeconfig");
    let mut process = Command::new(plugin())
        .args(["view", "large", "k", "-p", "vision", "--reveal"])
        .env("KUBECONFIG", kubeconfig)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // It prints once it has read the secret.
    let start = Instant::now();
    while !world.calls().iter().any(|call| call.ends_with("/secrets/large")) {
        assert!(start.elapsed() < Duration::from_mins(1), "{:?}", world.calls());
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(500));
    send_signal("TERM", process.id());
    let start = Instant::now();
    let ended = loop {
        if let Some(ended) = process.try_wait().unwrap() {
            break ended;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "it still waits for its reader");
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(ended.code(), Some(143));
}

#[test]
fn what_was_started_by_nohup_goes_on_after_a_hangup() {
    let (world, sandbox) = world();
    let runai = world.runai_namespace();
    world.create_secret(&runai, "shared", &[("k", "v")]);
    let gate = world.hold(Fault::on("PATCH", "/secrets/shared"), Hold::BeforeForwarding);
    let line = format!("trap '' HUP; exec {} label shared --runai-namespace {runai}", plugin().display());
    let mut running = sandbox.with_run().spawn_program(Path::new("/bin/sh"), ["-c", line.as_str()]);
    assert!(gate.wait_reached(Duration::from_mins(1)));
    running.signal("HUP");
    std::thread::sleep(Duration::from_millis(300));
    assert!(running.is_running());
    gate.release();
    let _ = running.wait().success();
}
