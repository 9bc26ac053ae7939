//! `create`: where values come from. kubectl's own sources are in `conformance.rs`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use support::{Outcome, Sandbox, World, scenario};

const DOTENV_CASES: &str = include_str!("../conformance/dotenv.json");

/// The data of a printed manifest, as text.
fn data(printed: &Outcome) -> BTreeMap<String, String> {
    let data = printed.json()["data"].as_object().cloned().unwrap_or_default();
    let text = |value: &Value| String::from_utf8(STANDARD.decode(value.as_str().unwrap()).unwrap()).unwrap();
    data.iter().map(|(key, value)| (key.clone(), text(value))).collect()
}

fn printed<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    ["create", "s"].iter().chain(arguments).chain(&["--dry-run=client", "-ojson"]).copied().collect()
}

fn pairs(expected: &[(&str, &str)]) -> BTreeMap<String, String> {
    expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[scenario]
fn all_sources_mix_in_one_command(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    sandbox.file("a.txt", "file");
    sandbox.file("kubectl.env", "B=\"env\"\n");
    sandbox.file(".env", "export C=\"dot\nenv\" # c\n");
    sandbox.file("map.yaml", "d: \"0777\"\n");
    let created = sandbox.env("TOKEN", "variable").stdin("from a pipe").run([
        "create",
        "s",
        "--from-literal=lit=eral",
        "--from-file=a.txt",
        "--from-file=in=-",
        "--from-env-file=kubectl.env",
        "--from-dotenv=.env",
        "--from-json=map.yaml",
        "--from-env=TOKEN",
        "--from-env=t=TOKEN",
        "--generate=g=40",
        "-n",
        &namespace,
    ]);
    created.success().never_shows(b"variable");
    for (key, value) in [
        ("lit", "eral"),
        ("a.txt", "file"),
        ("in", "from a pipe"),
        ("B", "\"env\""),
        ("C", "dot\nenv"),
        ("d", "0777"),
        ("TOKEN", "variable"),
        ("t", "variable"),
    ] {
        assert_eq!(world.secret_value(&namespace, "s", key).unwrap(), value.as_bytes(), "{key}");
    }
    let generated = world.secret_value(&namespace, "s", "g").unwrap();
    assert!(
        generated.len() == 40
            && generated.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
    );
}

#[scenario]
fn a_prompt_is_asked_twice_and_shows_nothing(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let mut session = sandbox.in_terminal(["create", "s", "--prompt", "TOKEN", "--yes", "-n", &namespace]);
    session.expect("Value of TOKEN");
    session.send_line("hunter2-hunter2");
    session.expect("Once more");
    session.send_line("another-one-one");
    session.expect("differ");
    session.expect("Value of TOKEN");
    session.send_line("hunter2-hunter2");
    session.expect("Once more");
    session.send_line("hunter2-hunter2");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_eq!(world.secret_value(&namespace, "s", "TOKEN").unwrap(), b"hunter2-hunter2");
}

#[test]
fn a_prompt_without_a_terminal_is_a_usage_error_that_names_the_flag() {
    let refused = Sandbox::new().run(["create", "s", "--prompt", "TOKEN"]).fails_with(2);
    assert!(
        refused
            .stderr
            .starts_with("error: --prompt TOKEN needs somebody to ask, but standard input is not a terminal"),
        "{refused}"
    );
    assert!(refused.stderr.contains("--from-file=TOKEN=-"), "{refused}");
    let (code, shown) = Sandbox::new().in_terminal(["create", "s", "--prompt", "TOKEN", "--no-input"]).wait();
    assert_eq!(code, 2, "{shown}");
    assert!(
        shown.contains("--prompt TOKEN needs somebody to ask, but --no-input forbids prompts"),
        "{shown}"
    );
}

#[test]
fn ctrl_c_at_a_prompt_leaves_a_terminal_that_echoes() {
    let sandbox = Sandbox::new();
    // The terminal sends Ctrl-C to all that runs in it.
    let line = "trap : INT; stty -a > before; $PLUGIN create s --prompt k --dry-run=client; echo ended $?; stty -a > after; cmp before after && echo the same";
    let plugin = support::sandbox::plugin();
    let mut session =
        sandbox.env("PLUGIN", plugin).program_in_terminal(std::path::Path::new("/bin/sh"), ["-c", line]);
    session.expect("Value of k");
    session.send("hunter2\u{3}");
    session.expect("ended 130");
    session.expect("the same");
}

#[test]
fn generated_values_differ_and_have_the_length_that_was_asked_for() {
    let sandbox = Sandbox::new();
    let run = || data(&sandbox.run(printed(&["--generate", "a", "--generate", "b=64"])).success());
    let (first, second) = (run(), run());
    assert_eq!((first["a"].len(), first["b"].len()), (32, 64));
    assert_ne!(first["a"], second["a"]);
    let refused = sandbox.run(printed(&["--generate", "a=3"])).fails_with(2);
    assert!(refused.stderr.contains("a number from 8 to 4096"), "{refused}");
}

#[test]
fn a_variable_that_is_not_set_is_refused_and_never_shown() {
    let refused = Sandbox::new().run(printed(&["--from-env", "hunter2_hunter2"])).fails_with(2);
    assert!(refused.stderr.starts_with("error: the 1st --from-env: "), "{refused}");
    refused.never_shows(b"hunter2_hunter2");
}

#[test]
fn trim_takes_off_the_newline_that_a_note_would_be_about() {
    let sandbox = Sandbox::new();
    sandbox.file("token", "x\n");
    sandbox.file("pem", "x\ny\n");
    let kept = sandbox.run(printed(&["--from-file=token", "--from-file=pem"])).success();
    assert!(kept.stderr.contains("token ends in a newline") && kept.stderr.contains("--trim"), "{kept}");
    assert_eq!(data(&kept), pairs(&[("token", "x\n"), ("pem", "x\ny\n")]));
    let trimmed = sandbox.run(printed(&["--from-file=token", "--from-file=pem", "--trim"])).success();
    assert_eq!(trimmed.stderr, "");
    assert_eq!(data(&trimmed), pairs(&[("token", "x"), ("pem", "x\ny\n")]));
}

fn in_utf16(text: &str) -> Vec<u8> {
    [b"\xff\xfe".to_vec(), text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat()
}

#[test]
fn what_nobody_sees_at_the_ends_of_a_value_is_named_and_can_be_taken_off() {
    let sandbox = Sandbox::new();
    sandbox.file("windows", "\u{feff}x\r\n");
    sandbox.file("web", "x\u{a0}");
    sandbox.file("e.env", "E=x \nQ='x'\n");
    let sources = [
        "--from-file=windows",
        "--from-file=web",
        "--from-env=V",
        "--from-literal=L=x\r",
        "--from-env-file=e.env",
    ];
    let run = |more: &[&str]| {
        let words: Vec<&str> = sources.iter().chain(more).copied().collect();
        sandbox.env("V", "x\u{200b}").run(printed(&words)).success()
    };
    let kept = run(&[]);
    for note in [
        "windows begins with a byte order mark and ends in a newline, which become part of the value of windows (--trim removes them)",
        "web ends in a no-break space, which becomes part of the value of web (--trim removes it)",
        "the variable of the 1st --from-env ends in a character without width, which becomes part",
        "the 1st --from-literal ends in a carriage return, which becomes part of the value of L",
        "e.env, line 1 ends in a space, which becomes part of the value (--trim removes it)",
        "e.env, line 2: the quotes are part of the value (--from-dotenv removes them)",
    ] {
        assert!(kept.stderr.contains(&format!("note: {note}")), "{note} is missing in {kept}");
    }
    assert_eq!(data(&kept)["windows"], "\u{feff}x\r\n");
    let trimmed = run(&["--trim"]);
    assert_eq!(
        data(&trimmed),
        pairs(&[("windows", "x"), ("web", "x"), ("V", "x"), ("L", "x"), ("E", "x"), ("Q", "'x'")])
    );
}

#[test]
fn utf_16_is_named() {
    let sandbox = Sandbox::new();
    sandbox.file("token", in_utf16("hf_x\r\n"));
    sandbox.file("bare", &in_utf16("hf_x")[2..]);
    let created = sandbox.run(printed(&["--from-file=token", "--from-file=bare"])).success();
    assert!(created.stderr.contains("Warning: token is UTF-16, as PowerShell's > writes it"), "{created}");
    assert!(created.stderr.contains("Warning: bare is UTF-16"), "{created}");
    sandbox.file("text", in_utf16("A=1\r\n"));
    for line in [
        &["create", "s", "--from-env-file=text"][..],
        &["create", "s", "--from-dotenv=text"],
        &["create", "s", "--from-json=text"],
        &["create", "docker-registry", "s", "--from-file=text"],
        &["create", "tls", "s", "--cert=text", "--key=text"],
        &["create", "ssh", "s", "--private-key=text"],
        &["create", "password", "s", "--username=u", "--password-file=text"],
    ] {
        let refused = sandbox.run(line).fails_with(2);
        assert!(
            refused.stderr.contains("text")
                && refused.stderr.contains(" is UTF-16, as PowerShell's > writes it"),
            "{refused}"
        );
        assert!(refused.stderr.contains("iconv -f UTF-16 -t UTF-8"), "{refused}");
    }
}

#[test]
fn standard_input_is_used_once_whatever_the_flag() {
    let sandbox = Sandbox::new();
    for pair in [["--from-dotenv=-", "--from-json=-"], ["--from-file=k=-", "--from-dotenv=/dev/stdin"]] {
        let refused = sandbox.stdin("A=1").run(printed(&pair)).fails_with(2);
        assert!(refused.stderr.starts_with("error: standard input can be read only once"), "{refused}");
    }
    for (flag, text) in [("--from-dotenv=-", "A='1'"), ("--from-json=-", "{\"A\": \"1\"}")] {
        assert_eq!(data(&sandbox.stdin(text).run(printed(&[flag])).success()), pairs(&[("A", "1")]));
    }
}

#[test]
fn a_map_of_anything_but_strings_is_refused_with_its_place() {
    let sandbox = Sandbox::new();
    sandbox.file("m.json", "{\"a\": \"hunter2-hunter2\",\n \"b\": 1}");
    let refused = sandbox.run(printed(&["--from-json=m.json"])).fails_with(2);
    assert!(refused.stderr.starts_with("error: m.json, line 2, column "), "{refused}");
    refused.never_shows(b"hunter2-hunter2");
    let refused = sandbox.run(printed(&["--from-json=."])).fails_with(2);
    assert!(refused.stderr.contains("cannot be a directory"), "{refused}");
}

#[derive(Deserialize)]
struct DotenvCases {
    cases: Vec<DotenvCase>,
}

/// How others read a file (`tests/conformance/make-dotenv.py`).
#[derive(Deserialize)]
struct DotenvCase {
    name: String,
    content_base64: String,
    #[serde(rename = "python-dotenv")]
    python: Value,
    #[serde(rename = "dotenv")]
    node: Value,
    /// What ours reads, where it differs from one of them; null where it refuses.
    #[serde(default, deserialize_with = "present")]
    ours: Option<Value>,
}

/// Tells null from nothing.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[test]
fn a_dotenv_file_is_read_as_others_read_it_but_where_the_cases_say_why_not() {
    let cases: DotenvCases = serde_json::from_str(DOTENV_CASES).unwrap();
    assert!(cases.cases.len() > 60);
    for DotenvCase { name, content_base64, python, node, ours } in cases.cases {
        let sandbox = Sandbox::new();
        let content = STANDARD.decode(content_base64).unwrap();
        sandbox.file(".env", &content);
        let outcome = sandbox.run(printed(&["--allow-empty", "--from-dotenv=.env"]));
        let expected = ours.unwrap_or_else(|| {
            assert_eq!(python, node, "{name} must say what ours reads");
            python
        });
        if expected.is_null() {
            let refused = outcome.fails_with(2);
            assert!(refused.stderr.starts_with("error: .env, line "), "{name}: {refused}");
        } else {
            assert_eq!(json!(data(&outcome.success())), expected, "{name}");
        }
    }
}
