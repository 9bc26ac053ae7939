//! `edit` of all keys of a secret: the text, what can be done with it, and its mistakes.

use std::fs;

use serde_json::json;
use support::{Fault, Sandbox, World, scenario};

use crate::edit::{NEW, OLD, cancelled, kept_text, leftovers, path, value, with_editor};
use crate::view;
use crate::workloads::{DEPLOYMENTS, pod_template};

/// An editor that saves its nth script the nth time it is started, and keeps what it was given in `given-<n>`.
fn editor_in_turns(sandbox: &Sandbox, turns: &[&str]) -> String {
    let (count, given) = (sandbox.path().join("count"), sandbox.path().join("given"));
    drop(fs::remove_file(&count));
    let cases: Vec<String> = (1..).zip(turns).map(|(n, turn)| format!("{n}) {turn} ;;")).collect();
    format!(
        "n=$(($(cat '{}' 2>/dev/null || echo 0) + 1)); echo $n > '{0}'; cp \"$1\" '{}'-$n; case $n in {} esac",
        count.display(),
        given.display(),
        cases.join(" ")
    )
}

fn given(sandbox: &Sandbox, turn: usize) -> String {
    fs::read_to_string(sandbox.path().join(format!("given-{turn}"))).unwrap()
}

#[scenario]
fn keys_are_changed_added_renamed_and_removed_in_one_write(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let crlf = b"[a]\r\n b = c \r\n\r\n";
    let texts: [(&str, &[u8]); 6] = [
        ("a", OLD.as_bytes()),
        ("bin", b"\xff\0\r\n"),
        ("crlf.ini", crlf),
        ("gone", b"x"),
        ("multi", b"one\n# two\n\n three\n"),
        ("old-name", b"1234"),
    ];
    view::create(world, &namespace, "s", &texts);
    let applied = json!({"data": {"a": OLD}}).to_string();
    let annotations = json!({"note": "kept", "kubectl.kubernetes.io/last-applied-configuration": applied});
    world.patch(
        &path(&namespace),
        &json!({"metadata": {"annotations": annotations, "labels": {"team": "a"}}}),
    );
    world.clear_log();
    let script = editor_in_turns(
        sandbox,
        &[&format!(
            "sed -i -e 's/^a: .*/a: {NEW}/' -e '/^gone:/d' -e 's/^old-name:/new-name:/' -e 's/^  # two/  # 2/' \"$1\"; printf 'added: |\\n  x: 1\\n  y: 2\\n' >> \"$1\""
        )],
    );
    let edited = with_editor(sandbox, &script).run(["edit", "s", "-q", "-y", "-n", &namespace]).success();
    edited.never_shows(NEW.as_bytes());
    assert_eq!(edited.stdout, "");
    let text = given(sandbox, 1);
    let expected = "a: old-v4lue-of-a-secret\ncrlf.ini: \"\\\n  [a]\\r\\n\\\n  \\ b = c \\r\\n\\\n  \\r\\n\"\ngone: x\n\
                    multi: |\n  one\n  # two\n\n   three\nold-name: \"1234\"\n";
    assert!(text.starts_with(&format!("# Secret s in {namespace}: ")) && text.ends_with(expected), "{text}");
    assert!(text.contains("\n# Not shown here, and kept as they are, 1 key: bin\n"), "{text}");
    let now = |key| world.secret_value(&namespace, "s", key);
    assert_eq!(now("a").as_deref(), Some(NEW.as_bytes()));
    assert_eq!(now("added").as_deref(), Some(&b"x: 1\ny: 2\n"[..]));
    assert_eq!(now("bin").as_deref(), Some(&b"\xff\0\r\n"[..]));
    assert_eq!(now("crlf.ini").as_deref(), Some(&crlf[..]));
    assert_eq!((now("gone"), now("old-name"), now("new-name").as_deref()), (None, None, Some(&b"1234"[..])));
    assert_eq!(now("multi").as_deref(), Some(&b"one\n# 2\n\n three\n"[..]));
    let mut metadata = world.secret(&namespace, "s").unwrap()["metadata"].clone();
    let record = metadata["annotations"].as_object_mut().unwrap().remove("kubectl-runai-secret/changed");
    assert!(record.is_some_and(|record| !record.to_string().contains(NEW)), "names and times alone");
    assert_eq!(
        (&metadata["annotations"], &metadata["labels"]),
        (&json!({"note": "kept"}), &json!({"team": "a"}))
    );
    let writes = world.writes();
    assert_eq!(writes.len(), 1, "{:?}", world.lines());
    assert_eq!(leftovers(sandbox), 0);
}

#[scenario]
fn an_edit_is_a_read_and_a_write(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD)]);
    world.clear_log();
    let run = || with_editor(sandbox, &format!("echo 'b: {NEW}' >> \"$1\""));
    let dry = run().run(["edit", "s", "--dry-run=client", "-n", &namespace]).success();
    assert_eq!(dry.stdout, "secret/s edited (dry run)\n");
    let dry = run().run(["edit", "s", "--dry-run=server", "-n", &namespace]).success();
    assert_eq!(
        (dry.stdout.as_str(), value(world, &namespace, "b")),
        ("secret/s edited (server dry run)\n", None)
    );
    world.clear_log();
    let json = run().run(["edit", "s", "-o", "json", "-n", &namespace]).success();
    json.never_shows(NEW.as_bytes());
    assert_eq!(json.json()["metadata"]["name"], "s");
    assert_eq!(world.calls(), [format!("GET {}", path(&namespace)), format!("PATCH {}", path(&namespace))]);
}

#[scenario]
fn a_secret_without_keys_gets_its_first_and_loses_its_last_one(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[]);
    with_editor(sandbox, "echo 'a: \"1\"' >> \"$1\"").run(["edit", "s", "-n", &namespace]).success();
    assert_eq!(value(world, &namespace, "a").as_deref(), Some("1"));
    cancelled(with_editor(sandbox, "sed -i '/^a:/d' \"$1\"").run(["edit", "s", "-n", &namespace]));
    with_editor(sandbox, "echo '{}' > \"$1\"").run(["edit", "s", "-n", &namespace]).success();
    assert_eq!(world.secret(&namespace, "s").unwrap().get("data").and_then(|data| data.get("a")), None);
}

#[scenario]
fn a_text_that_says_the_same_or_nothing_is_not_written(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", "x"), ("b", "y\n")]);
    for script in [
        "echo '# a comment' >> \"$1\"",
        ": > \"$1\"",
        "sed -i '/^[^#]/d' \"$1\"",
        "printf 'b: \"y\\\\n\"\\na: x\\n' > \"$1\"",
    ] {
        cancelled(with_editor(sandbox, script).run(["edit", "s", "-n", &namespace]));
    }
    assert!(world.writes().is_empty());
    assert_eq!(leftovers(sandbox), 0);
}

#[scenario]
fn a_mistake_ends_it_where_nobody_sees_it_and_the_text_is_kept(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    view::create(world, &namespace, "s", &[("bin", b"\xff"), ("a", b"x")]);
    for (line, what) in [
        (NEW.to_owned(), "not valid YAML"),
        // As in a .env file.
        (format!("NEW_KEY={NEW}"), "'=' stands where ':' is expected: write KEY: VALUE"),
        (format!("k: {NEW} #{NEW}"), "a '#' after a space begins a comment"),
        (format!("k: [{NEW}]"), "a value must be a text"),
        (format!("{NEW}!: x"), "a valid config key must consist of"),
        (format!("bin: {NEW}"), "the secret has a key of this name that is not in this text"),
        (format!("a: {NEW}"), "this key is already in line 7"),
    ] {
        let script = format!("echo '{line}' >> \"$1\"; cp \"$1\" \"$1~\"");
        let refused = with_editor(sandbox, &script).run(["edit", "s", "-n", &namespace]).fails_with(1);
        refused.never_shows(NEW.as_bytes());
        assert!(
            refused.stderr.contains(&format!("error: the text can't be written: line 8: {what}")),
            "{refused}"
        );
        let kept = kept_text(sandbox, &refused.stderr);
        assert!(kept.ends_with(&format!("{line}\n")), "{kept}");
    }
    assert!(world.writes().is_empty());
}

#[scenario]
fn a_mistake_is_shown_in_the_editor_until_it_is_corrected(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD)]);
    let bad = format!("echo 'b!: {NEW}' >> \"$1\"");
    let script = editor_in_turns(
        sandbox,
        &[&bad, "echo 'c: *x' >> \"$1\"", "sed -i -e 's/^b!/b/' -e '/^c:/d' \"$1\""],
    );
    let (code, shown) = with_editor(sandbox, &script).in_terminal(["edit", "s", "-n", &namespace]).wait();
    assert!(code == 0 && shown.contains("secret/s edited") && !shown.contains(NEW), "{shown}");
    assert_eq!(value(world, &namespace, "b").as_deref(), Some(NEW));
    let second = given(sandbox, 2);
    let mark = second.lines().nth(1).unwrap();
    let (line, _) = mark.strip_prefix("# >> line ").unwrap().split_once(':').unwrap();
    assert!(second.lines().nth(line.parse::<usize>().unwrap() - 1).unwrap().starts_with("b!"), "{second}");
    let third = given(sandbox, 3);
    assert_eq!(third.lines().filter(|line| line.starts_with("# >> ")).count(), 3, "{third}");
    assert_eq!(leftovers(sandbox), 0);
}

#[scenario]
fn a_mistake_that_nobody_corrects_ends_it(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD)]);
    let bad = format!("echo 'b!: {NEW}' >> \"$1\"");
    let script = editor_in_turns(sandbox, &[&bad]);
    let (code, shown) = with_editor(sandbox, &script).in_terminal(["edit", "s", "-n", &namespace]).wait();
    assert!(
        code == 1 && shown.contains("Edit cancelled, no valid changes were saved.") && !shown.contains(NEW),
        "{shown}"
    );
    assert!(kept_text(sandbox, &shown).contains(NEW));
    let script = editor_in_turns(sandbox, &[&bad, ": > \"$1\""]);
    let (code, shown) = with_editor(sandbox, &script).in_terminal(["edit", "s", "-n", &namespace]).wait();
    assert!(code == 0 && shown.contains("Edit cancelled, no changes made."), "{shown}");
    assert_eq!(leftovers(sandbox), 0);
    assert!(world.writes().is_empty());
}

#[scenario]
fn what_the_server_refuses_is_kept(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD)]);
    for code in [403, 422, 500] {
        world.fail(Fault::on("PATCH", "/secrets/s").answer_with(code, &format!("webhook denied: b={NEW}")));
        let run = with_editor(sandbox, &format!("echo 'b: {NEW}' >> \"$1\""));
        let refused = run.run(["-vvv", "edit", "s", "-n", &namespace]).fails_with(1);
        refused.never_shows(NEW.as_bytes());
        assert!(kept_text(sandbox, &refused.stderr).contains(NEW), "{refused}");
        world.clear_faults();
    }
}

#[scenario]
fn a_key_that_workloads_need_is_not_taken_out_unasked(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD), ("b", OLD)]);
    let mut template = pod_template("Always");
    template["spec"]["containers"][0]["env"] =
        json!([{"name": "V", "valueFrom": {"secretKeyRef": {"name": "s", "key": "b"}}}]);
    let web = json!({"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": {"app": "test"}}, "template": template}});
    world.create(&format!("/{DEPLOYMENTS}/namespaces/{namespace}/deployments"), &web);
    let run = || with_editor(sandbox, "sed -i 's/^b:/c:/' \"$1\"");
    let refused = run().run(["edit", "s", "-n", &namespace]).fails_with(2);
    assert!(refused.stderr.contains("deployment.apps/web would not start any more"), "{refused}");
    kept_text(sandbox, &refused.stderr);
    assert!(world.writes().is_empty());
    run().run(["edit", "s", "-y", "-n", &namespace]).success();
    assert_eq!((value(world, &namespace, "b"), value(world, &namespace, "c").as_deref()), (None, Some(OLD)));
}
