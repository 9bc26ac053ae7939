//! Two people edit the same secret at once.

use std::time::Duration;

use serde_json::{Value, json};
use support::{Fault, Gate, Hold, Outcome, Running, Sandbox, World, scenario};

use crate::edit::{NEW, OLD, kept_text, leftovers, path, value, with_editor};

const EDIT_A: &str = "sed -i 's/^a: .*/a: new-v4lue-of-a-secret/' \"$1\"";
const REMOVE_A: &str = "sed -i '/^a:/d' \"$1\"; echo 'x: y' >> \"$1\"";

/// Edits the whole secret, and stops right before the write.
fn edit(world: &World, sandbox: &Sandbox, namespace: &str, script: &str, more: &[&str]) -> (Gate, Running) {
    let gate = world.hold(Fault::on("PATCH", "/secrets/s"), Hold::BeforeForwarding);
    let words = ["edit", "s", "-q", "-n", namespace];
    let running = with_editor(sandbox, script).spawn(words.iter().chain(more));
    assert!(gate.wait_reached(Duration::from_mins(1)));
    (gate, running)
}

/// The same while somebody else makes this change.
fn edit_while(world: &World, sandbox: &Sandbox, namespace: &str, script: &str, theirs: &Value) -> Outcome {
    let (gate, running) = edit(world, sandbox, namespace, script, &[]);
    world.patch(&path(namespace), theirs);
    gate.release();
    running.wait()
}

#[scenario]
fn what_only_one_of_two_changed_is_in_the_secret_afterwards(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD), ("b", OLD), ("c", OLD), ("d", OLD)]);
    let script =
        format!("{EDIT_A}; sed -i '/^c:/d' \"$1\"; echo 'mine: x' >> \"$1\"; echo 'both: x' >> \"$1\"");
    let theirs = json!({"stringData": {"b": "theirs", "theirs": "x", "both": "x"}, "data": {"d": null}});
    edit_while(world, sandbox, &namespace, &script, &theirs).success();
    let data = world.secret(&namespace, "s").unwrap()["data"].clone();
    let keys: Vec<&String> = data.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["a", "b", "both", "mine", "theirs"]);
    assert_eq!(
        (value(world, &namespace, "a").as_deref(), value(world, &namespace, "b").as_deref()),
        (Some(NEW), Some("theirs"))
    );
    assert_eq!(leftovers(sandbox), 0);
}

#[scenario]
fn one_key_of_which_somebody_else_changed_another_is_written(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD), ("b", OLD)]);
    let (gate, running) = edit(world, sandbox, &namespace, "printf new-v4lue-of-a-secret > \"$1\"", &["a"]);
    world.patch(&path(&namespace), &json!({"stringData": {"b": "theirs"}}));
    gate.release();
    running.wait().success();
    assert_eq!(
        (value(world, &namespace, "a").as_deref(), value(world, &namespace, "b").as_deref()),
        (Some(NEW), Some("theirs"))
    );
    let (gate, running) = edit(world, sandbox, &namespace, "printf mine > \"$1\"", &["a"]);
    world.patch(&path(&namespace), &json!({"stringData": {"a": "theirs"}}));
    gate.release();
    let refused = running.wait().fails_with(1);
    assert_eq!(kept_text(sandbox, &refused.stderr), "mine");
    assert_eq!(value(world, &namespace, "a").as_deref(), Some("theirs"));
}

#[scenario]
fn what_both_changed_is_not_written_where_nobody_can_be_asked(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD), ("b", OLD)]);
    for (script, theirs) in [
        (EDIT_A, json!({"stringData": {"a": "theirs"}})),
        (EDIT_A, json!({"data": {"a": null}})),
        (REMOVE_A, json!({"stringData": {"a": "theirs"}})),
        ("echo 'new: mine' >> \"$1\"", json!({"stringData": {"new": "theirs"}})),
    ] {
        world.patch(&path(&namespace), &json!({"stringData": {"a": OLD}, "data": {"new": null}}));
        let refused = edit_while(world, sandbox, &namespace, script, &theirs).fails_with(1);
        refused.never_shows(NEW.as_bytes());
        assert!(refused.stderr.contains(" of secret s meanwhile; nothing was written"), "{refused}");
        kept_text(sandbox, &refused.stderr);
        assert_ne!(value(world, &namespace, "a").as_deref(), Some(NEW));
        assert_eq!(value(world, &namespace, "x"), None);
    }
}

#[scenario]
fn what_both_changed_is_asked_about_on_a_terminal(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD), ("b", OLD)]);
    let again = format!(
        "if grep -q '^# >>   a: theirs$' \"$1\"; then sed -i 's/^a: .*/a: {NEW}+theirs/' \"$1\"; else {EDIT_A}; echo 'm: ine' >> \"$1\"; fi"
    );
    let (mine, both) = (NEW.to_owned(), format!("{NEW}+theirs"));
    for (keys, expected) in
        [("\r", &mine), ("\u{1b}[B\r", &"theirs".to_owned()), ("\u{1b}[B\u{1b}[B\r", &both)]
    {
        world.patch(&path(&namespace), &json!({"stringData": {"a": OLD, "b": OLD}, "data": {"m": null}}));
        let gate = world.hold(Fault::on("PATCH", "/secrets/s"), Hold::BeforeForwarding);
        let mut session = with_editor(sandbox, &again).in_terminal(["edit", "s", "-n", &namespace]);
        assert!(gate.wait_reached(Duration::from_mins(1)));
        world.patch(&path(&namespace), &json!({"stringData": {"a": "theirs", "b": "theirs"}}));
        gate.release();
        session.expect("Somebody else changed a meanwhile, and so did you");
        session.send(keys);
        let (code, shown) = session.wait();
        assert!(code == 0 && shown.contains("secret/s edited") && !shown.contains(NEW), "{shown}");
        assert_eq!(value(world, &namespace, "a").as_ref(), Some(expected));
        assert_eq!(
            (value(world, &namespace, "b").as_deref(), value(world, &namespace, "m").as_deref()),
            (Some("theirs"), Some("ine"))
        );
        assert_eq!(leftovers(sandbox), 0);
    }
}

#[scenario]
fn one_key_that_both_changed_is_edited_again_with_theirs_in_sight(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD), ("b", OLD)]);
    let script = "case \"$1\" in */secret.yaml) ;; *) if grep -q '^# >>' \"$1\"; then cp \"$1\" again; sed -i 's/^a: mine/a: ours/' \"$1\"; else printf mine > \"$1\"; fi ;; esac";
    let gate = world.hold(Fault::on("PATCH", "/secrets/s"), Hold::BeforeForwarding);
    let mut session = with_editor(sandbox, script).in_terminal(["edit", "s", "a", "-n", &namespace]);
    assert!(gate.wait_reached(Duration::from_mins(1)));
    world.patch(&path(&namespace), &json!({"stringData": {"a": "theirs"}}));
    gate.release();
    session.expect("Somebody else changed a meanwhile");
    session.send("\u{1b}[B\u{1b}[B\r");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    let text = std::fs::read_to_string(sandbox.path().join("again")).unwrap();
    assert!(
        text.contains("# >>   a: theirs\n") && text.contains("\na: mine\n") && !text.contains("\nb: "),
        "{text}"
    );
    assert_eq!(
        (value(world, &namespace, "a").as_deref(), value(world, &namespace, "b").as_deref()),
        (Some("ours"), Some(OLD))
    );
}

#[scenario]
fn who_leaves_at_a_question_keeps_the_text(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD)]);
    for key in ["\u{1b}", "\u{3}"] {
        let gate = world.hold(Fault::on("PATCH", "/secrets/s"), Hold::BeforeForwarding);
        let mut session = with_editor(sandbox, EDIT_A).in_terminal(["edit", "s", "-n", &namespace]);
        assert!(gate.wait_reached(Duration::from_mins(1)));
        world.patch(&path(&namespace), &json!({"stringData": {"a": format!("theirs {key}")}}));
        gate.release();
        session.expect("Somebody else changed a meanwhile, and so did you");
        session.send(key);
        let (code, shown) = session.wait();
        assert_eq!(code, 130, "{shown}");
        assert!(kept_text(sandbox, &shown.replace("\r\n", "\n")).contains(NEW));
        world.patch(&path(&namespace), &json!({"stringData": {"a": OLD}}));
    }
}

#[scenario]
fn the_text_of_a_secret_that_is_gone_or_another_one_is_kept(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    for is_made_anew in [false, true] {
        world.create_secret(&namespace, "s", &[("a", OLD)]);
        let (gate, running) = edit(world, sandbox, &namespace, EDIT_A, &[]);
        world.delete(&path(&namespace));
        if is_made_anew {
            world.create_secret(&namespace, "s", &[("a", OLD)]);
        }
        gate.release();
        let refused = running.wait().fails_with(1);
        refused.never_shows(NEW.as_bytes());
        assert!(refused.stderr.contains("meanwhile; nothing was written"), "{refused}");
        assert!(kept_text(sandbox, &refused.stderr).contains(NEW));
        assert_eq!(value(world, &namespace, "a").as_deref(), is_made_anew.then_some(OLD));
    }
}

#[scenario]
fn of_two_who_edit_at_once_a_hundred_times_over_neither_loses_anything(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[]);
    let folder = crate::edit::runtime(sandbox);
    let edit = |line: &str| {
        let editor =
            sandbox.program(&line.replace(": ", "-"), &format!("#!/bin/sh\necho '{line}' >> \"$1\"\n"));
        let run = sandbox.env("XDG_RUNTIME_DIR", &folder).env("KUBE_EDITOR", editor);
        run.spawn(["edit", "s", "-q", "-n", &namespace])
    };
    for round in 0..100 {
        let both = ["one", "two"].map(|who| edit(&format!("{who}-{round}: text")));
        for editing in both {
            editing.wait().success();
        }
    }
    let secret = world.secret(&namespace, "s").unwrap();
    assert_eq!(secret["data"].as_object().unwrap().len(), 200);
    let conflicts = world.requests().iter().filter(|request| request.status == Some(409)).count();
    assert!(conflicts > 0, "the two met");
    assert_eq!(leftovers(sandbox), 0);
}
