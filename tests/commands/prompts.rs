//! Every kind of question, and every way out of it: the terminal is left as it was.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use support::sandbox::plugin;
use support::{Sandbox, Session, World};

use crate::workloads::create_deployment;

const ESC: &str = "\u{1b}";
const CTRL_C: &str = "\u{3}";
const CTRL_D: &str = "\u{4}";
const VALUE: &str = "hunter2-of-the-prompt";

/// A cluster with the secret `hf` and the deployment `web` in the project `vision`.
fn world() -> (World, Sandbox) {
    let world = World::with_plain_names();
    let project = world.project("vision");
    world.create_secret(&project.namespace, "hf", &[("token", VALUE)]);
    create_deployment(&world, &project.namespace, "web");
    world.clear_log();
    let sandbox = Sandbox::new().with(&world);
    (world, sandbox)
}

/// A shell in a terminal, in which `$PLUGIN` is the plugin.
fn in_shell(sandbox: &Sandbox, line: &str) -> Session {
    sandbox.env("PLUGIN", plugin()).program_in_terminal(Path::new("/bin/sh"), ["-c", line])
}

/// Waits until a file is there.
fn wait_for(sandbox: &Sandbox, name: &str) {
    let started = Instant::now();
    while !sandbox.path().join(name).exists() {
        assert!(started.elapsed() < Duration::from_mins(1), "there is no file {name} yet");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn every_question_can_be_left_and_leaves_the_terminal_as_it_was() {
    for (command, question, ways_out) in [
        ("", "What do you have, or want to do?", [ESC, CTRL_C].as_slice()),
        ("view", "Project", &[ESC, CTRL_C]),
        ("create generic -p vision", "Name of the new secret", &[ESC, CTRL_C, CTRL_D]),
        ("create s --prompt K -p vision", "Value of K", &[ESC, CTRL_C, CTRL_D]),
        ("delete hf -p vision", "Delete hf?", &[ESC, CTRL_C]),
    ] {
        for way_out in ways_out {
            let (world, sandbox) = world();
            let line = format!(
                "trap : INT; stty -a > before; $PLUGIN {command}; echo ended $?; stty -a > after; cmp before after && echo the same"
            );
            let mut session = in_shell(&sandbox, &line);
            session.expect(question);
            session.send(way_out);
            session.expect("ended 130");
            session.expect("the same");
            let (_, shown) = session.wait();
            assert!(
                shown.rfind("\u{1b}[?25h") >= shown.rfind("\u{1b}[?25l"),
                "{command} {way_out:?}: the cursor is shown again: {shown:?}"
            );
            assert!(world.writes().is_empty(), "{command} {way_out:?}");
        }
    }
}

/// Both sides of a new terminal: that of its window, and that of the programs in it. No child gets the window's.
fn terminal() -> (OwnedFd, std::fs::File) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    let window = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&window).unwrap();
    unlockpt(&window).unwrap();
    let path = ptsname(&window, Vec::new()).unwrap();
    let programs = std::fs::File::options().read(true).write(true).open(path.to_str().unwrap()).unwrap();
    let size = rustix::termios::Winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(&programs, size).unwrap();
    (window, programs)
}

/// A terminal that is not the one of its session: when it is closed there is no SIGHUP.
#[test]
fn a_terminal_that_is_closed_ends_the_program() {
    for (command, question) in [
        ("view", "Project"),
        ("create generic -p vision", "Name of the new secret"),
        ("create s --prompt K -p vision", "Value of K"),
        ("delete hf -p vision", "Delete hf?"),
    ] {
        let (world, sandbox) = world();
        let (screen, keyboard) = terminal();
        let side = || std::process::Stdio::from(keyboard.try_clone().unwrap());
        let mut process = std::process::Command::new(plugin())
            .args(command.split(' '))
            .env("TERM", "xterm-256color")
            .env("KUBECONFIG", sandbox.path().parent().unwrap().join("kubeconfig"))
            .stdin(side())
            .stdout(side())
            .stderr(side())
            .spawn()
            .unwrap();
        drop(keyboard);
        let mut screen = std::fs::File::from(screen);
        let mut shown = Vec::new();
        while !String::from_utf8_lossy(&shown).contains(question) {
            let mut piece = [0; 1024];
            let length = std::io::Read::read(&mut screen, &mut piece).unwrap();
            shown.extend_from_slice(&piece[..length]);
        }
        drop(screen);
        let started = Instant::now();
        let ended = loop {
            if let Some(ended) = process.try_wait().unwrap() {
                break ended;
            }
            assert!(started.elapsed() < Duration::from_mins(1), "{command}: it goes on without a terminal");
            std::thread::sleep(Duration::from_millis(10));
        };
        assert_eq!(ended.code(), Some(130), "{command}");
        assert!(world.writes().is_empty());
    }
}

#[test]
fn a_window_that_gets_narrow_can_be_answered() {
    let (world, sandbox) = world();
    let line = "(sleep 0.5; stty cols 30 rows 8 < /dev/tty; echo narrow > narrow) & $PLUGIN create generic -p vision";
    let mut session = in_shell(&sandbox, line);
    session.expect("Name of the new secret");
    session.send("a-name-that-is-longer-than");
    wait_for(&sandbox, "narrow");
    session.send("-a-narrow-window\r");
    session.expect("What goes into it?");
    session.send("nothing\r");
    session.expect("Create secret/");
    session.send("y");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(world.secret("runai-vision", "a-name-that-is-longer-than-a-narrow-window").is_some());
}

#[test]
fn ten_thousand_pasted_characters_arrive_whole() {
    let (world, sandbox) = world();
    let long = "0123456789".repeat(1000);
    let mut session = sandbox.in_terminal(["create", "s", "--prompt", "K", "-p", "vision"]);
    for question in ["Value of K", "Once more"] {
        session.expect(question);
        session.send(&format!("{long}\r"));
    }
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("0123456789"), "{shown}");
    assert_eq!(world.secret_value("runai-vision", "s", "K").unwrap(), long.as_bytes());
}

#[test]
fn ten_thousand_characters_pasted_where_a_name_is_meant_are_refused_and_can_be_taken_back() {
    let (_world, sandbox) = world();
    let mut session = sandbox.in_terminal(["create", "generic", "-p", "vision"]);
    session.expect("Name of the new secret");
    session.send(&format!("{}\r", "0123456789".repeat(1000)));
    session.expect("must be no more than 253");
    session.send("\u{15}s\r");
    session.expect("What goes into it?");
    session.send(ESC);
    session.expect("Name of the new secret");
    session.send(ESC);
    assert_eq!(session.wait().0, 130);
}

#[test]
fn ten_thousand_characters_pasted_into_a_list_choose_nothing() {
    let (world, sandbox) = world();
    let line =
        "stty -a > before; $PLUGIN view; echo $? > code; stty -a > after; cmp before after && echo > same";
    let mut session = in_shell(&sandbox, line);
    session.expect("Project");
    session.send(&format!("{}\r", "0123456789".repeat(1000)));
    session.send(ESC);
    // Not waited for on the terminal: the search is drawn with each character, 50 MB in all.
    wait_for(&sandbox, "same");
    assert_eq!(std::fs::read_to_string(sandbox.path().join("code")).unwrap().trim(), "130");
    assert!(world.writes().is_empty());
}

/// The second line would be the answer to the next question, and the rest commands of the shell.
#[test]
fn a_pasted_value_of_several_lines_is_refused_and_none_of_it_reaches_the_shell() {
    let (world, sandbox) = world();
    let shell = sandbox.env("PLUGIN", plugin());
    let mut session = shell.program_in_terminal(Path::new("/bin/bash"), ["--norc", "-i"]);
    session.send_line("$PLUGIN create s --prompt K -p vision; echo ended $?");
    session.expect("Value of K");
    session.send(&"touch reached-the-shell\r".repeat(200));
    session.expect("this value has several lines");
    session.expect("--from-file KEY=PATH");
    session.expect("ended 1");
    session.send_line("ls; echo listed; exit");
    session.expect("listed");
    let (_, shown) = session.wait();
    assert!(!shown.contains("reached-"), "{shown}");
    assert!(world.writes().is_empty());
}

#[test]
fn a_terminal_that_can_draw_nothing_gets_one_line_after_the_other() {
    for (variable, flag) in [("dumb", ""), ("xterm", "--color=never"), ("xterm", "--no-color")] {
        let (world, sandbox) = world();
        let words = ["attach", flag];
        let words = words.into_iter().filter(|word| !word.is_empty());
        let mut session = sandbox.env("TERM", variable).in_terminal(words);
        for (question, answer) in [
            ("1. vision: namespace runai-vision", ""),
            ("Project (number or name): ", "1"),
            ("1. hf: Opaque, 1 key", ""),
            ("Secret (number or name): ", "hf"),
            ("How should the workload get it? (number or name): ", "as files"),
            ("Folder in the container (Enter for /etc/hf): ", "/run/hf"),
            ("Anything else? (number or name): ", "that is all"),
            ("1. deployment/web", ""),
            ("Workload (number or name): ", "web"),
            ("Change deployment.apps/web? (yes or no, Enter for yes): ", "yes"),
        ] {
            session.expect(question);
            if !answer.is_empty() {
                session.send_line(answer);
            }
        }
        let (code, shown) = session.wait();
        assert_eq!(code, 0, "{shown}");
        assert!(!shown.contains('\u{1b}'), "{variable} {flag}: {shown:?}");
        assert_eq!(world.writes().len(), 1, "{:?}", world.lines());
    }
}

#[test]
fn end_of_input_and_esc_end_a_question_that_is_asked_in_one_line() {
    for keys in [CTRL_D, "\u{1b}\r", CTRL_C] {
        let (world, sandbox) = world();
        let mut session = sandbox.env("TERM", "dumb").in_terminal(["view"]);
        session.expect("Project (number or name)");
        session.send(keys);
        let (code, shown) = session.wait();
        assert_eq!(code, 130, "{keys:?}: {shown}");
        assert!(world.writes().is_empty());
    }
}

#[test]
fn tab_completes_the_path_of_a_file() {
    let (world, sandbox) = world();
    sandbox.file("token-of-hugging-face.txt", VALUE);
    sandbox.file("token-of-wandb.txt", VALUE);
    let mut session = sandbox.in_terminal(["set", "hf", "-p", "vision"]);
    for (question, keys) in [
        ("Key", "token\r"),
        ("Where does the value of token come from?", "from a file\r"),
        // As far as the two agree; then both are listed.
        ("File", "tok\t"),
        ("token-of-", "\t"),
        ("token-of-wandb.txt", "h\t\r"),
        ("Set token?", "y"),
    ] {
        session.expect(question);
        session.send(keys);
    }
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert_eq!(world.secret_value("runai-vision", "hf", "token").unwrap(), VALUE.as_bytes());
}

#[test]
fn who_may_not_list_types_the_name() {
    let (world, sandbox) = world();
    let jane = world.user("jane");
    let rules = serde_json::json!([{ "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["hf"], "verbs": ["get"] }]);
    world.grant(&jane, Some("runai-vision"), &rules);
    let sandbox = sandbox.kubeconfig(&world.kubeconfig().token(&jane.token));
    let mut session = sandbox.in_terminal(["view", "-n", "runai-vision"]);
    session.expect("Secret: you may not list these, so type the name");
    session.expect("Secret");
    session.send("hf\r");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
}

#[test]
fn who_chose_a_namespace_in_the_kubeconfig_is_not_asked_for_a_project() {
    let (world, sandbox) = world();
    let sandbox = sandbox.kubeconfig(&world.kubeconfig().namespace("runai-vision"));
    let mut session = sandbox.in_terminal(["view"]);
    session.expect("using namespace runai-vision of the kubeconfig's context");
    session.expect("Secret");
    session.send("hf\r");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
}
