//! `view`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use support::{Fault, Sandbox, World, scenario};

const TOKEN: &str = "hf_t0ken-of-somebody";

/// A secret with these bytes under each key.
pub(crate) fn create(world: &World, namespace: &str, name: &str, data: &[(&str, &[u8])]) {
    let data: Value =
        data.iter().map(|(key, value)| ((*key).to_owned(), json!(BASE64_STANDARD.encode(value)))).collect();
    let secret = json!({"metadata": {"name": name}, "type": "Opaque", "data": data});
    world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &secret);
}

#[scenario]
fn keys_and_what_values_look_like_are_told_without_any(world: &World, sandbox: &Sandbox) {
    let project = world.project("team-a");
    let token = format!("{TOKEN}\n");
    create(
        world,
        &project.namespace,
        "hf",
        &[("token", token.as_bytes()), ("bin", b"\xff\0"), ("none", b""), ("tree", b"{}")],
    );
    world.clear_log();
    let view = sandbox.run(["view", "hf", "-p", &project.name]).success();
    view.never_shows(TOKEN.as_bytes());
    let expected = [
        "KEY     BYTES   LOOKS LIKE",
        "bin     2       binary",
        "none    0       empty",
        "token   21      text, 1 line, ends in a newline",
        "tree    2       JSON",
    ];
    assert_eq!(view.stdout.lines().count(), expected.len(), "{view}");
    for (line, expected) in view.stdout.lines().zip(expected) {
        let rest = line.strip_prefix(expected).unwrap_or_else(|| panic!("{expected:?}: {view}"));
        assert_eq!(rest.split_whitespace().count(), 2, "the columns CHANGED and BY: {view}");
    }
    assert!(
        view.stderr.contains(&format!("note: secret hf in {}: type Opaque, 4 keys", project.namespace)),
        "{view}"
    );
    assert_eq!(world.requests().len(), 2, "the project and the secret");
    let one = sandbox.run(["view", "hf", "token", "-p", &project.name, "-o", "json"]).success();
    let mut report = one.json();
    let fields: Vec<&String> = report.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["changed", "changedBy", "created", "immutable", "keys", "name", "namespace", "type"]);
    let yaml = sandbox.run(["view", "hf", "token", "-p", &project.name, "-o", "yaml"]).success();
    assert_eq!(serde_saphyr::from_str::<Value>(&yaml.stdout).unwrap(), report);
    for field in ["changed", "changedBy"] {
        assert!(report["keys"][0].as_object_mut().unwrap().remove(field).unwrap().is_string());
    }
    assert_eq!(
        report["keys"],
        json!([{"key": "token", "bytes": 21, "form": "text", "endsInNewline": true, "doubt": null, "expires": null, "expiresAsNoted": null, "identity": null}])
    );
}

#[scenario]
fn one_value_goes_out_byte_for_byte(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    create(world, &namespace, "hf", &[("a", b" x\n\n"), ("b", TOKEN.as_bytes())]);
    create(world, &namespace, "one", &[("only", b"\r\n$'\"")]);
    assert_eq!(sandbox.run(["view", "hf", "a", "--reveal", "-n", &namespace]).success().stdout, " x\n\n");
    assert_eq!(sandbox.run(["view", "hf", "b", "--reveal", "-n", &namespace]).success().stdout, TOKEN);
    assert_eq!(sandbox.run(["view", "one", "--reveal", "-n", &namespace]).success().stdout, "\r\n$'\"");
    let all: Vec<u8> = (0..=255).collect();
    create(world, &namespace, "all", &[("bytes", &all)]);
    sandbox.run(["view", "all", "--reveal", "--export-file=all.bin", "-n", &namespace]).success();
    assert_eq!(fs::read(sandbox.path().join("all.bin")).unwrap(), all);
}

#[scenario]
fn several_values_need_a_form_and_are_read_back_from_it(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let values: [(&str, &[u8]); 3] =
        [("A", b"it's $A \\ `x`\n"), ("B", "# \"é\"\n\n".as_bytes()), ("C", b"")];
    create(world, &namespace, "s", &values);
    let unclear = sandbox.run(["view", "s", "--reveal", "-n", &namespace]).fails_with(2);
    assert!(unclear.stdout.is_empty() && unclear.stderr.contains("name one (A, B and C)"), "{unclear}");
    for (form, source) in [("dotenv", "--from-dotenv=-"), ("json", "--from-json=-")] {
        let shown = sandbox.run(["view", "s", "--reveal", "-o", form, "-n", &namespace]).success().stdout;
        sandbox.stdin(shown).run(["create", form, source, "-n", &namespace]).success();
        for (key, value) in values {
            assert_eq!(world.secret_value(&namespace, form, key).as_deref(), Some(value), "{form}");
        }
    }
    let shell = sandbox.run(["view", "s", "A", "C", "--reveal", "-o", "shell", "-n", &namespace]).success();
    assert_eq!(shell.stdout, "export A='it'\\''s $A \\ `x`\n'\nexport C=''\n");
}

#[scenario]
fn what_readers_of_dotenv_files_differ_on_is_refused_and_written_as_json(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    for (name, value) in [("crlf", "a\r\n"), ("expanded", "${HOME}"), ("quotes", "'\"\n")] {
        create(world, &namespace, name, &[("A", TOKEN.as_bytes()), ("B", value.as_bytes())]);
        let refused = sandbox.run(["view", name, "--reveal", "-o", "dotenv", "-n", &namespace]).fails_with(1);
        refused.never_shows(TOKEN.as_bytes());
        assert!(refused.stderr.starts_with("error: B can't be in a dotenv file: "), "{refused}");
        assert!(refused.stderr.contains("hint: -o json can hold any text"), "{refused}");
        let json = sandbox.run(["view", name, "--reveal", "-o", "json", "-n", &namespace]).success();
        assert_eq!(json.json()["B"], value);
    }
}

#[scenario]
fn what_a_form_cannot_hold_is_refused_without_its_value(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    create(world, &namespace, "s", &[("A", TOKEN.as_bytes()), ("tls.crt", b"\xffx")]);
    for form in ["json", "dotenv", "shell"] {
        let refused = sandbox.run(["view", "s", "--reveal", "-o", form, "-n", &namespace]).fails_with(1);
        refused.never_shows(TOKEN.as_bytes());
        assert!(refused.stderr.starts_with("error: tls.crt can't be in "), "{refused}");
    }
    sandbox.run(["view", "s", "-o", "dotenv", "-n", &namespace]).fails_with(2);
    sandbox.run(["view", "s", "--reveal", "-o", "yaml", "-n", &namespace]).fails_with(2);
}

#[scenario]
fn a_file_is_private_and_never_overwritten_unasked(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    create(world, &namespace, "s", &[("A", TOKEN.as_bytes())]);
    let line = ["view", "s", "--reveal", "--export-file=out", "-n", &namespace];
    let written = sandbox.run(line).success();
    written.never_shows(TOKEN.as_bytes());
    let path = sandbox.path().join("out");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(&path, "mine").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = sandbox.run(line).fails_with(1);
    assert!(refused.stderr.contains("error: out already exists"), "{refused}");
    assert_eq!(fs::read(&path).unwrap(), b"mine");
    sandbox.run(line.iter().chain(&["--overwrite"])).success();
    assert_eq!(fs::read(&path).unwrap(), TOKEN.as_bytes());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(sandbox.path()).unwrap().count(), 1, "nothing is left behind");
    sandbox.run(["view", "s", "--export-file=other", "-n", &namespace]).fails_with(2);
}

#[scenario]
fn a_terminal_gets_text_alone(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    create(world, &namespace, "s", &[("text", b"plain text"), ("bin", b"\xff\xfe"), ("esc", b"a\x1b[2J")]);
    let (code, shown) = sandbox.in_terminal(["view", "s", "text", "--reveal", "-n", &namespace]).wait();
    assert_eq!((code, shown.as_str()), (0, "plain text\r\n"));
    for key in ["bin", "esc"] {
        let (code, shown) = sandbox.in_terminal(["view", "s", key, "--reveal", "-n", &namespace]).wait();
        assert!(
            code == 1 && shown.contains("would garble the terminal") && !shown.contains("a\x1b[2J"),
            "{shown}"
        );
    }
    let (code, shown) = sandbox.in_terminal(["view", "s", "-n", &namespace]).wait();
    assert!(code == 0 && shown.contains("text, 1 line") && !shown.contains("plain text"), "{shown}");
}

#[scenario]
fn what_is_not_there_is_said_with_what_is(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    create(world, &namespace, "hf", &[("HF_TOKEN", TOKEN.as_bytes())]);
    let no_key = sandbox.run(["view", "hf", "HF_TOKN", "--reveal", "-n", &namespace]).fails_with(1);
    assert!(
        no_key.stderr.contains("error: secret hf has no key HF_TOKN\nhint: did you mean HF_TOKEN?"),
        "{no_key}"
    );
    let nothing = sandbox.run(["view", "nothing", "-n", &namespace]).fails_with(1);
    assert!(nothing.stderr.contains("Error from server (NotFound)"), "{nothing}");
    assert!(nothing.stderr.contains(&format!("kubectl runai-secret list -n {namespace}")), "{nothing}");
    world.fail(Fault::on("GET", "/secrets/hf").answer_with(500, TOKEN));
    sandbox.run(["view", "hf", "-n", &namespace]).fails_with(1);
}

#[scenario]
fn values_that_can_hardly_be_meant_are_told(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("d");
    let values = [
        ("A", "\"x\""),
        ("B", "changeme"),
        ("C", "aGZfYWJjZGVmZ2hpamts"),
        ("D", "X=1\nY=2\n"),
        ("E", "fine"),
    ];
    world.create_secret(&namespace, "s", &values);
    let view = sandbox.run(["view", "s", "-n", &namespace]).success();
    for told in
        ["A is in quotes", "B is a placeholder", "C is base64 of a text", "D is a whole file of variables"]
    {
        assert!(view.stderr.contains(&format!("Warning: the value of {told}")), "{view}");
    }
    assert!(!view.stderr.contains("value of E"), "{view}");
    let keys = sandbox.run(["view", "s", "-o", "json", "-n", &namespace]).success().json();
    let doubts: Vec<bool> =
        keys["keys"].as_array().unwrap().iter().map(|key| key["doubt"].is_string()).collect();
    assert_eq!(doubts, [true, true, true, true, false]);
}

#[scenario]
fn it_says_how_old_the_secret_is_and_which_labels_it_has(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("labels");
    let labels = ["--label", "team=search-of-view", "--label", "copy-of=v4lue-of-labels"];
    let create = ["create", "s", "--from-literal=k=v4lue-of-labels", "-n", &namespace];
    sandbox.run(create.iter().chain(&labels)).success();
    let seen = sandbox.run(["view", "s", "-n", &namespace]).success();
    seen.never_shows(b"v4lue-of-labels");
    assert!(seen.stderr.contains(": type Opaque, 1 key, made ") && seen.stderr.contains("s ago\n"), "{seen}");
    assert!(
        seen.stderr.contains("note: its labels: ") && seen.stderr.contains("team=search-of-view"),
        "{seen}"
    );
}
