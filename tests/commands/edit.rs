//! `edit`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use serde_json::json;
use support::{Fault, Sandbox, World, scenario};

use crate::view;

const OLD: &str = "old-v4lue-of-a-secret";
const NEW: &str = "new-v4lue-of-a-secret";

fn value(world: &World, namespace: &str, key: &str) -> Option<String> {
    world.secret_value(namespace, "s", key).map(|bytes| String::from_utf8(bytes).unwrap())
}

/// An editor that is a script; the file is `$1`, and what it sees of it goes to `seen`.
fn editor(sandbox: &Sandbox, script: &str) -> String {
    let seen = sandbox.path().join("seen");
    let look =
        format!("stat -c %a \"$1\" \"$(dirname \"$1\")\" > '{}'; echo \"$1\" >> '{0}'", seen.display());
    sandbox.program("editor", &format!("#!/bin/sh\n{look}\n{script}\n")).display().to_string()
}

/// Where the files of editors go in these tests.
fn runtime(sandbox: &Sandbox) -> std::path::PathBuf {
    let folder = sandbox.home().join("run");
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn leftovers(sandbox: &Sandbox) -> usize {
    fs::read_dir(runtime(sandbox)).unwrap().count()
}

scenario! {
    fn one_key_is_edited_and_nothing_is_left_behind(world: &World, sandbox: &Sandbox) {
        let namespace = world.namespace("ns");
        view::create(world, &namespace, "s", &[("a", OLD.as_bytes()), ("bin", b"\xff\0")]);
        let editor = editor(sandbox, "cp \"$1\" \"$1~\"; printf 'new-v4lue-of-a-secret\\n' > \"$1\"");
        let run = || sandbox.env("XDG_RUNTIME_DIR", runtime(sandbox)).env("EDITOR", &editor);
        let dry = run().run(["edit", "s", "--dry-run=server", "-n", &namespace]).success();
        assert_eq!((dry.stdout.as_str(), value(world, &namespace, "a").as_deref()), ("secret/s edited (server dry run)\n", Some(OLD)));
        let edited = run().run(["edit", "s", "a", "-n", &namespace]).success();
        edited.never_shows(NEW.as_bytes());
        assert_eq!(edited.stdout, "secret/s edited\n");
        assert!(edited.stderr.contains("the newline at the end was taken off"), "{edited}");
        assert_eq!(value(world, &namespace, "a").as_deref(), Some(NEW));
        assert_eq!(world.secret_value(&namespace, "s", "bin").as_deref(), Some(&b"\xff\0"[..]));
        let seen = fs::read_to_string(sandbox.path().join("seen")).unwrap();
        assert!(seen.starts_with("600\n700\n") && seen.contains("/home/run/kubectl-runai-secret-"), "{seen}");
        assert_eq!(leftovers(sandbox), 0);
    }

    fn nothing_is_written_when_nothing_changed_or_the_editor_fails(world: &World, sandbox: &Sandbox) {
        let namespace = world.namespace("ns");
        world.create_secret(&namespace, "s", &[("a", OLD), ("b", OLD)]);
        let run = |editor: String| sandbox.env("XDG_RUNTIME_DIR", runtime(sandbox)).env("KUBE_EDITOR", editor).env("EDITOR", "false");
        let same = run(editor(sandbox, "echo >> \"$1\"")).run(["edit", "s", "a", "-n", &namespace]).success();
        assert!(same.stdout.is_empty() && same.stderr.contains("Edit cancelled, no changes made."), "{same}");
        run(editor(sandbox, "echo x > \"$1\"; exit 1")).run(["edit", "s", "a", "-n", &namespace]).fails_with(1);
        run("no-such-editor".to_owned()).run(["edit", "s", "a", "-n", &namespace]).fails_with(1);
        let several = run(editor(sandbox, "")).run(["edit", "s", "-n", &namespace]).fails_with(2);
        assert!(several.stderr.contains("name one of a and b"), "{several}");
        assert!(world.writes().is_empty());
        assert_eq!(leftovers(sandbox), 0);
    }

    fn who_changes_another_key_meanwhile_loses_nothing_and_the_same_one_is_not_overwritten(world: &World, sandbox: &Sandbox) {
        let namespace = world.namespace("ns");
        world.create_secret(&namespace, "s", &[("a", OLD), ("b", OLD)]);
        let path = format!("/api/v1/namespaces/{namespace}/secrets/s");
        let editor = editor(sandbox, "printf new-v4lue-of-a-secret > \"$1\"");
        let edit = || {
            let gate = world.hold(Fault::on("PATCH", "/secrets/s"), support::Hold::BeforeForwarding);
            let run = sandbox.env("XDG_RUNTIME_DIR", runtime(sandbox)).env("EDITOR", &editor);
            let running = run.spawn(["edit", "s", "a", "-q", "-n", &namespace]);
            assert!(gate.wait_reached(Duration::from_secs(20)));
            (gate, running)
        };
        let (gate, running) = edit();
        world.patch(&path, &json!({"stringData": {"b": "theirs"}}));
        gate.release();
        running.wait().success();
        assert_eq!((value(world, &namespace, "a").as_deref(), value(world, &namespace, "b").as_deref()), (Some(NEW), Some("theirs")));
        assert_eq!(leftovers(sandbox), 0);
        world.patch(&path, &json!({"stringData": {"a": OLD}}));
        let (gate, running) = edit();
        world.patch(&path, &json!({"stringData": {"a": "theirs"}}));
        gate.release();
        let refused = running.wait().fails_with(1);
        refused.never_shows(NEW.as_bytes());
        assert_eq!(value(world, &namespace, "a").as_deref(), Some("theirs"));
        let (_, kept) = refused.stderr.split_once("your text is kept, delete it when you are done: ").unwrap();
        assert_eq!(fs::read_to_string(kept.trim()).unwrap(), NEW);
        assert_eq!(fs::metadata(kept.trim()).unwrap().permissions().mode() & 0o777, 0o600);
    }

    fn a_signal_ends_the_editor_and_wipes_the_file(world: &World, sandbox: &Sandbox) {
        let namespace = world.namespace("ns");
        world.create_secret(&namespace, "s", &[("a", OLD)]);
        let editor = editor(sandbox, "exec sleep 60");
        for signal in ["-INT", "-TERM", "-HUP"] {
            let run = sandbox.env("XDG_RUNTIME_DIR", runtime(sandbox)).env("EDITOR", &editor);
            let running = run.spawn(["edit", "s", "a", "-n", &namespace]);
            let start = Instant::now();
            while leftovers(sandbox) == 0 {
                assert!(start.elapsed() < Duration::from_secs(20), "the editor starts");
                std::thread::sleep(Duration::from_millis(10));
            }
            let id = running.id().unwrap().to_string();
            assert!(std::process::Command::new("kill").args([signal, &id]).status().unwrap().success());
            running.wait().fails_with(130);
            assert_eq!(leftovers(sandbox), 0, "{signal}");
        }
        assert_eq!(value(world, &namespace, "a").as_deref(), Some(OLD));
    }

    fn which_of_several_keys_is_asked_on_a_terminal(world: &World, sandbox: &Sandbox) {
        let namespace = world.namespace("ns");
        world.create_secret(&namespace, "s", &[("a", OLD), ("b", OLD)]);
        let editor = editor(sandbox, "printf new-v4lue-of-a-secret > \"$1\"");
        let run = sandbox.env("XDG_RUNTIME_DIR", runtime(sandbox)).env("EDITOR", &editor);
        let mut session = run.in_terminal(["edit", "s", "-n", &namespace]);
        session.expect("Which key?");
        session.send("\u{1b}[B\r");
        let (code, shown) = session.wait();
        assert!(code == 0 && shown.contains("secret/s edited"), "{shown}");
        assert_eq!((value(world, &namespace, "a").as_deref(), value(world, &namespace, "b").as_deref()), (Some(OLD), Some(NEW)));
        assert_eq!(leftovers(sandbox), 0);
    }

    fn what_cannot_be_edited_is_refused_before_the_editor_starts(world: &World, sandbox: &Sandbox) {
        let namespace = world.namespace("ns");
        view::create(world, &namespace, "s", &[("bin", b"\xff")]);
        let run = || sandbox.env("XDG_RUNTIME_DIR", runtime(sandbox)).env("EDITOR", editor(sandbox, ""));
        for words in [&["edit", "s", "bin"][..], &["edit", "s"], &["edit", "s", "none"], &["edit", "nothing"]] {
            run().run(words.iter().chain(&["-n", namespace.as_str()])).fails_with(1);
        }
        world.patch(&format!("/api/v1/namespaces/{namespace}/secrets/s"), &json!({"immutable": true, "stringData": {"a": OLD}}));
        let fixed = run().run(["edit", "s", "a", "-n", &namespace]).fails_with(1);
        assert!(fixed.stderr.contains("is immutable"), "{fixed}");
        assert!(!sandbox.path().join("seen").exists());
    }
}
