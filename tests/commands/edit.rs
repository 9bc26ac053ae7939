//! `edit` of one key, and what holds for every edit: the file, the editor, signals.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;
use support::sandbox::plugin;
use support::{Outcome, Run, Sandbox, World, scenario};

use crate::view;

pub(crate) const OLD: &str = "old-v4lue-of-a-secret";
pub(crate) const NEW: &str = "new-v4lue-of-a-secret";

pub(crate) fn value(world: &World, namespace: &str, key: &str) -> Option<String> {
    world.secret_value(namespace, "s", key).map(|bytes| String::from_utf8(bytes).unwrap())
}

pub(crate) fn path(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/secrets/s")
}

/// An editor that is a script; the file is `$1`, and what it sees of it goes to `seen`.
pub(crate) fn editor(sandbox: &Sandbox, script: &str) -> String {
    let seen = sandbox.path().join("seen");
    let look =
        format!("stat -c %a \"$1\" \"$(dirname \"$1\")\" > '{}'; echo \"$1\" >> '{0}'", seen.display());
    sandbox.program("editor", &format!("#!/bin/sh\n{look}\n{script}\n")).display().to_string()
}

/// A run with an editor, whose files go to a folder that the test can look into.
pub(crate) fn with_editor<'a>(sandbox: &'a Sandbox, script: &str) -> Run<'a> {
    sandbox.env("XDG_RUNTIME_DIR", runtime(sandbox)).env("KUBE_EDITOR", editor(sandbox, script))
}

pub(crate) fn runtime(sandbox: &Sandbox) -> PathBuf {
    let folder = sandbox.home().join("run");
    fs::create_dir_all(&folder).unwrap();
    folder
}

pub(crate) fn leftovers(sandbox: &Sandbox) -> usize {
    fs::read_dir(runtime(sandbox)).unwrap().count()
}

/// The text that was kept, which nobody else can read; the file is gone afterwards.
#[track_caller]
pub(crate) fn kept_text(sandbox: &Sandbox, shown: &str) -> String {
    let (_, kept) = shown
        .split_once("your text is kept, delete it when you are done: ")
        .unwrap_or_else(|| panic!("{shown}"));
    let kept = PathBuf::from(kept.lines().next().unwrap().trim());
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&kept).unwrap();
    let folder = kept.parent().unwrap();
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "what the editor left beside it is gone");
    fs::remove_dir_all(folder).unwrap();
    assert_eq!(leftovers(sandbox), 0);
    text
}

#[track_caller]
pub(crate) fn wait_for(file: &Path) {
    let start = Instant::now();
    while !file.exists() {
        assert!(start.elapsed() < Duration::from_mins(1), "{} is made", file.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[track_caller]
pub(crate) fn cancelled(edit: Outcome) {
    let edit = edit.success();
    assert!(edit.stdout.is_empty() && edit.stderr.contains("Edit cancelled, no changes made."), "{edit}");
}

#[scenario]
fn one_key_is_edited_and_nothing_is_left_behind(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    view::create(world, &namespace, "s", &[("a", OLD.as_bytes()), ("bin", b"\xff\0")]);
    let run = || with_editor(sandbox, "cp \"$1\" \"$1~\"; printf 'new-v4lue-of-a-secret\\n' > \"$1\"");
    let dry = run().run(["edit", "s", "a", "--dry-run=server", "-n", &namespace]).success();
    assert_eq!(
        (dry.stdout.as_str(), value(world, &namespace, "a").as_deref()),
        ("secret/s edited (server dry run)\n", Some(OLD))
    );
    let edited = run().run(["edit", "s", "a", "-n", &namespace]).success();
    edited.never_shows(NEW.as_bytes());
    assert_eq!(edited.stdout, "secret/s edited\n");
    for told in [&dry, &edited] {
        assert!(told.stderr.contains("note: changed a\n"), "{told}");
    }
    assert!(edited.stderr.contains("the newline at the end was removed"), "{edited}");
    assert_eq!(value(world, &namespace, "a").as_deref(), Some(NEW));
    assert_eq!(world.secret_value(&namespace, "s", "bin").as_deref(), Some(&b"\xff\0"[..]));
    let seen = fs::read_to_string(sandbox.path().join("seen")).unwrap();
    assert!(seen.starts_with("600\n700\n") && seen.contains("/home/run/kubectl-runai-secret-"), "{seen}");
    assert_eq!(leftovers(sandbox), 0);
}

#[scenario]
fn nothing_is_written_when_nothing_changed_or_the_editor_fails(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD), ("b", OLD)]);
    cancelled(with_editor(sandbox, "echo >> \"$1\"").run(["edit", "s", "a", "-n", &namespace]));
    for line in [&["edit", "s", "a"][..], &["edit", "s"]] {
        let line = || line.iter().copied().chain(["-n", namespace.as_str()]);
        cancelled(with_editor(sandbox, "touch \"$1\"").run(line()));
        with_editor(sandbox, "exit 1").run(line()).fails_with(1);
        with_editor(sandbox, "kill -9 $$").run(line()).fails_with(1);
        with_editor(sandbox, ": > \"$1\"; kill -9 $$").run(line()).fails_with(1);
        let missing = sandbox.env("KUBE_EDITOR", "no-such-editor").env("XDG_RUNTIME_DIR", runtime(sandbox));
        missing.run(line()).fails_with(1);
        assert_eq!(leftovers(sandbox), 0);
    }
    assert!(world.writes().is_empty());
}

#[scenario]
fn a_value_is_not_emptied_by_a_file_that_was_saved_empty(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD), ("blank", " ")]);
    for script in [": > \"$1\"", "echo > \"$1\"", "printf '\\357\\273\\277\\r\\n' > \"$1\""] {
        let edit = with_editor(sandbox, script).run(["edit", "s", "a", "-n", &namespace]).success();
        let command =
            format!("kubectl runai-secret set s --from-literal=a= --allow-empty-values -n {namespace}");
        let note =
            format!("note: the saved file has no value in it; to make the value of a empty: {command}\n");
        assert!(
            edit.stderr.contains(&note) && edit.stderr.contains("Edit cancelled, no changes made."),
            "{edit}"
        );
        assert_eq!(edit.stdout, "");
    }
    assert!(world.writes().is_empty());
    with_editor(sandbox, ": > \"$1\"").run(["edit", "s", "blank", "-n", &namespace]).success();
    assert_eq!(value(world, &namespace, "blank").as_deref(), Some(""), "it had nothing to lose");
    let words = ["set", "s", "--from-literal=a=", "--allow-empty-values", "-n", &namespace];
    sandbox.run(words).success();
    assert_eq!(value(world, &namespace, "a").as_deref(), Some(""));
}

#[scenario]
fn a_byte_order_mark_that_the_editor_adds_does_not_become_part_of_the_value(
    world: &World,
    sandbox: &Sandbox,
) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD), ("marked", "\u{feff}x")]);
    let script = format!("printf '\\357\\273\\277{NEW}\\r\\n' > \"$1\"");
    let edit = with_editor(sandbox, &script).run(["edit", "s", "a", "-n", &namespace]).success();
    assert!(edit.stderr.contains("the byte order mark at the start was removed"), "{edit}");
    assert_eq!(value(world, &namespace, "a").as_deref(), Some(NEW));
    let script = format!("printf '\\357\\273\\277{NEW}' > \"$1\"");
    with_editor(sandbox, &script).run(["edit", "s", "marked", "-n", &namespace]).success();
    assert_eq!(value(world, &namespace, "marked"), Some(format!("\u{feff}{NEW}")), "it had one before");
}

#[scenario]
fn what_was_saved_is_kept_however_the_editor_ends(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD)]);
    for (end, code) in [("exit 1", 1), ("kill -9 $$", 1), ("kill -ABRT $$", 1), ("kill -INT $$", 130)] {
        let script = format!("printf {NEW} > \"$1\"; cp \"$1\" \"$1~\"; {end}");
        let ended = with_editor(sandbox, &script).run(["edit", "s", "a", "-n", &namespace]).fails_with(code);
        ended.never_shows(NEW.as_bytes());
        assert_eq!(kept_text(sandbox, &ended.stderr), NEW, "{end}");
    }
    assert!(world.writes().is_empty());
    for (line, text) in [(&["edit", "s", "a"][..], NEW), (&["edit", "s"], &format!("a: {NEW}"))] {
        let script = format!("printf '{text}' > \"$1\"; exit 1");
        let ended =
            with_editor(sandbox, &script).run(line.iter().chain(&["-n", namespace.as_str()])).fails_with(1);
        let (_, command) = ended.stderr.split_once("hint: to write it as it is: ").unwrap();
        let typed = command.trim().replace("kubectl runai-secret", &plugin().display().to_string());
        sandbox.with_run().program(Path::new("/bin/sh"), ["-c", typed.as_str()]).success();
        assert_eq!(value(world, &namespace, "a").as_deref(), Some(NEW), "{typed}");
        kept_text(sandbox, &ended.stderr);
        world.patch(&path(&namespace), &json!({"stringData": {"a": OLD}}));
    }
}

#[scenario]
fn a_signal_ends_the_editor_and_wipes_the_file_or_keeps_what_was_saved(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD)]);
    let started = sandbox.path().join("started");
    let end = format!("cp \"$1\" \"$1.swp\"; touch '{}'; exec sleep 60", started.display());
    let all = [
        ("INT", 130),
        ("TERM", 143),
        ("HUP", 129),
        ("QUIT", 131),
        ("USR1", 138),
        ("USR2", 140),
        ("ALRM", 142),
        ("PROF", 155),
        ("ABRT", 134),
    ];
    for (at, (signal, code)) in all.into_iter().enumerate() {
        let words = ["edit", "s", "-n", &namespace, "a"];
        let line = &words[..4 + at % 2];
        for save in ["", "printf 'a: new-v4lue-of-a-secret' > \"$1\";"] {
            let running = with_editor(sandbox, &format!("{save} {end}")).spawn(line);
            wait_for(&started);
            assert_eq!(
                sandbox.files_containing(if save.is_empty() { OLD } else { NEW }.as_bytes()).len(),
                2,
                "the test sees the value"
            );
            running.signal(signal);
            let ended = running.wait().fails_with(code);
            if save.is_empty() {
                assert_eq!(
                    (leftovers(sandbox), sandbox.files_containing(OLD.as_bytes())),
                    (0, Vec::new()),
                    "{signal}"
                );
            } else {
                assert!(kept_text(sandbox, &ended.stderr).contains(NEW), "{signal}");
            }
            fs::remove_file(&started).unwrap();
        }
    }
    assert_eq!(value(world, &namespace, "a").as_deref(), Some(OLD));
}

#[scenario]
fn what_an_editor_leaves_in_place_of_the_file_is_refused_at_once_and_wiped(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD)]);
    let other = sandbox.file("other", NEW);
    let link = format!("ln -s '{}' \"$1\"", other.display());
    for leave in [
        "mkfifo \"$1\"",
        "ln -s /dev/zero \"$1\"",
        &link,
        "mkdir \"$1\"; echo x > \"$1/x\"",
        "truncate -s 1T \"$1\"",
        "true",
    ] {
        for line in [&["edit", "s", "a"][..], &["edit", "s"]] {
            let run = with_editor(sandbox, &format!("rm \"$1\"; {leave}")).limit(Duration::from_secs(30));
            let refused = run.run(line.iter().chain(&["-n", namespace.as_str()])).fails_with(1);
            assert!(refused.stderr.contains("error: can't read "), "{leave}: {refused}");
            assert_eq!(leftovers(sandbox), 0, "{leave}");
        }
    }
    assert_eq!(fs::read_to_string(other).unwrap(), NEW);
    assert!(world.writes().is_empty());
}

#[scenario]
fn what_an_earlier_run_left_is_named_and_left_alone(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD)]);
    let started = sandbox.path().join("started");
    let killed = with_editor(sandbox, &format!("touch '{}'; exec sleep 20", started.display()))
        .spawn(["edit", "s", "-n", &namespace]);
    wait_for(&started);
    let meanwhile = with_editor(sandbox, "true").run(["edit", "s", "-n", &namespace]);
    assert!(!meanwhile.stderr.contains("an earlier edit"), "one that runs has left nothing: {meanwhile}");
    cancelled(meanwhile);
    let _ = killed.kill();
    let left = fs::read_dir(runtime(sandbox)).unwrap().next().unwrap().unwrap().path();
    fs::create_dir(runtime(sandbox).join("kubectl-runai-secretive")).unwrap();
    let next = with_editor(sandbox, "true").run(["edit", "s", "-n", &namespace]).success();
    let warning = format!("Warning: an earlier edit left text in {}, ", left.display());
    assert!(
        next.stderr.contains(&warning) && next.stderr.contains(&format!("rm -r {}\n", left.display())),
        "{next}"
    );
    assert_eq!(next.stderr.matches("an earlier edit").count(), 1, "{next}");
    assert!(left.join("secret.yaml").exists());
}

#[scenario]
fn the_file_goes_where_nobody_else_can_change_it(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD)]);
    let open = sandbox.file("open/x", "").parent().unwrap().to_owned();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    fs::create_dir(sandbox.path().join("run")).unwrap();
    for folder in [Path::new("run"), &open, Path::new("")] {
        let run = with_editor(sandbox, "true").env("XDG_RUNTIME_DIR", folder);
        cancelled(run.run(["edit", "s", "-n", &namespace]));
        let seen = fs::read_to_string(sandbox.path().join("seen")).unwrap();
        assert!(
            seen.lines().last().unwrap().starts_with("/dev/shm/") || cfg!(not(target_os = "linux")),
            "{seen}"
        );
    }
}

/// To a graphical editor the terminal is nothing; a shell with job control is still in it.
#[scenario]
fn ctrl_backslash_in_the_terminal_leaves_nothing_behind(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD)]);
    let mut session = with_editor(sandbox, "trap '' QUIT; echo ready; sleep 20")
        .in_terminal(["edit", "s", "-n", &namespace]);
    session.expect("ready");
    session.send("\u{1c}");
    let (code, shown) = session.wait();
    assert!(code == 131 && shown.contains("terminated by SIGQUIT"), "{code}: {shown}");
    assert_eq!((leftovers(sandbox), sandbox.files_containing(OLD.as_bytes())), (0, Vec::new()));
}

#[scenario]
fn an_editor_that_a_signal_ends_may_put_the_screen_back_and_the_terminal_is_as_it_was(
    world: &World,
    sandbox: &Sandbox,
) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD)]);
    let asked = sandbox.path().join("asked");
    let asks = format!("trap 'touch {}; exit 1' TERM", asked.display());
    for trap in [asks.as_str(), "trap '' TERM"] {
        let script = format!("{trap}; stty raw -echo; kill -TERM $PPID; while :; do sleep 0.05; done");
        let shell = with_editor(sandbox, &script).env("PLUGIN", plugin());
        let line = format!(
            "stty -a > before; $PLUGIN edit s -n {namespace}; echo ended $?; stty -a > after; cmp before after && echo the same"
        );
        let mut session = shell.program_in_terminal(Path::new("/bin/sh"), ["-c", line.as_str()]);
        session.expect("ended 143");
        session.expect("the same");
        assert_eq!(asked.exists(), trap == asks, "{trap}");
        drop(fs::remove_file(&asked));
        assert_eq!((leftovers(sandbox), sandbox.files_containing(OLD.as_bytes())), (0, Vec::new()), "{trap}");
    }
}

#[scenario]
fn ctrl_c_in_the_terminal_is_the_editors(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD)]);
    let interrupted = sandbox.path().join("interrupted");
    let wait = format!("echo ready; while [ ! -e '{}' ]; do sleep 0.05; done", interrupted.display());
    let write = format!("printf {NEW} > \"$1\"");
    let script = format!("trap \"touch '{}'\" INT; {wait}; {write}", interrupted.display());
    let mut session = with_editor(sandbox, &script).in_terminal(["edit", "s", "a", "-n", &namespace]);
    session.expect("ready");
    session.interrupt();
    let (code, shown) = session.wait();
    assert_eq!((code, value(world, &namespace, "a").as_deref()), (0, Some(NEW)), "{shown}");
    let mut session =
        with_editor(sandbox, "echo ready; sleep 60").in_terminal(["edit", "s", "a", "-n", &namespace]);
    session.expect("ready");
    session.interrupt();
    let (code, shown) = session.wait();
    assert!(code == 130 && shown.contains("interrupted"), "an editor that Ctrl-C ends: {shown}");
    assert_eq!(leftovers(sandbox), 0);
}

#[scenario]
fn vim_keeps_nothing_by_whatever_name_it_is_started(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    for editor in ["vi", "vim"] {
        let version = std::process::Command::new(editor).arg("--version").output();
        if !version.is_ok_and(|output| output.stdout.starts_with(b"VIM")) {
            eprintln!("not tested with {editor}: it is not vim, or not there");
            continue;
        }
        drop(world.admin("DELETE", &path(&namespace), None));
        world.create_secret(&namespace, "s", &[("a", OLD), ("b", OLD)]);
        let run = sandbox.env("XDG_RUNTIME_DIR", runtime(sandbox)).env("EDITOR", editor);
        let mut session = run.in_terminal(["edit", "s", "-n", &namespace]);
        session.expect(OLD);
        session.send("/^a:\rdd/^b:\rAx\u{1b}:wq\r");
        let (code, shown) = session.wait();
        assert_eq!(code, 0, "{shown}");
        assert_eq!(
            (value(world, &namespace, "a"), value(world, &namespace, "b")),
            (None, Some(format!("{OLD}x")))
        );
        assert_eq!(sandbox.files_containing(OLD.as_bytes()), Vec::<PathBuf>::new(), "{editor}");
        assert_eq!(leftovers(sandbox), 0);
    }
}

#[scenario]
fn of_a_shared_secret_it_is_said_that_the_copies_follow(world: &World, sandbox: &Sandbox) {
    let shared = crate::status::Shared::new(world);
    let script = format!("printf {NEW} > \"$1\"");
    let edited = with_editor(sandbox, &script)
        .run(shared.run(&["edit", "hf", "token", "-n", &shared.runai]))
        .success();
    assert!(
        edited.stderr.contains("note: hf is shared with every project, and its copies follow: "),
        "{edited}"
    );
    assert!(
        edited.stderr.contains("on a cluster without its controller: kubectl runai-secret sync hf --runai"),
        "{edited}"
    );
    assert!(edited.stderr.contains("kubectl runai-secret usage hf -A"), "{edited}");
}

#[scenario]
fn what_cannot_be_edited_is_refused_before_the_editor_starts(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    view::create(world, &namespace, "s", &[("bin", b"\xff"), ("token", b"x")]);
    let run = || with_editor(sandbox, "");
    for words in
        [&["edit", "s", "bin"][..], &["edit", "s", "none"], &["edit", "nothing"], &["edit", "nothing", "a"]]
    {
        run().run(words.iter().chain(&["-n", namespace.as_str()])).fails_with(1);
    }
    let slip = run().run(["edit", "s", "tokn", "-n", &namespace]).fails_with(1);
    assert!(slip.stderr.contains("hint: did you mean token?"), "{slip}");
    world.patch(&path(&namespace), &json!({"immutable": true, "stringData": {"a": OLD}}));
    for words in [&["edit", "s", "a"][..], &["edit", "s"]] {
        let fixed = run().run(words.iter().chain(&["-n", namespace.as_str()])).fails_with(1);
        assert!(fixed.stderr.contains("is immutable"), "{fixed}");
    }
    assert!(!sandbox.path().join("seen").exists());
}
