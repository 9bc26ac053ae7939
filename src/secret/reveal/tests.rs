use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;
use crate::secret::contents::Contents;
use crate::secret::handling::Lines;
use crate::secret::{dotenv, map};

/// The number of values that one start of a reader gets.
const MANY: usize = 400;

const STUMBLING: [&str; 36] = [
    "",
    " ",
    "#",
    " #x",
    "a b",
    "a #b",
    "'",
    "\"",
    "\\",
    "\\n",
    "C:\\dir\\",
    "C:\\\\srv\\x",
    "$HOME",
    "${",
    "$(id)",
    "`id`",
    "!x",
    "a=b",
    "=",
    "\n",
    "a\nb\n",
    "\t",
    "it's \"so\"",
    "{\"a\": \"it's\"}",
    "\nK0=x\n",
    "a\\\nb",
    "\u{feff}",
    "\u{a0}",
    "é",
    "export K=1",
    "-----BEGIN A-----\nx\n-----END A-----\n",
    "'a'",
    "\"a\"",
    "`a`",
    "a'b\\c",
    "\u{2028}",
];

fn value(bytes: &[u8]) -> SecretValue {
    SecretValue::from_bytes(bytes.to_vec())
}

/// Two keys, because the text after a value must be read too.
fn data(bytes: &[u8]) -> BTreeMap<String, SecretValue> {
    BTreeMap::from([("K".to_owned(), value(bytes)), ("L".to_owned(), value(b"l"))])
}

/// Keys `K0`, `K1`, …
fn numbered(values: &[Vec<u8>]) -> BTreeMap<String, SecretValue> {
    (0..).zip(values).map(|(n, bytes)| (format!("K{n}"), value(bytes))).collect()
}

fn text(data: &BTreeMap<String, SecretValue>, notation: Notation) -> Zeroizing<Vec<u8>> {
    revealed(data, notation).unwrap_or_else(|error| panic!("{error}"))
}

fn assert_read(contents: &Contents, value: &[u8]) {
    assert!(contents.data["K"].expose() == value, "{value:?}");
    assert!(contents.data["L"].expose() == b"l");
}

fn read_dotenv(value: &[u8]) {
    let mut contents = Contents::default();
    dotenv::add_all(&mut Lines::in_a_test(&mut contents, ".env"), &text(&data(value), Notation::Dotenv))
        .unwrap();
    assert_read(&contents, value);
}

/// Texts with all characters special to a reader, far more often than by chance.
fn sharp() -> impl Strategy<Value = String> {
    let special = vec![
        "\n", "\t", "'", "\"", "\\", "\\n", "$", "${", "}", "`", "#", " #", "=", " ", "\nK0=", "export ",
        "a", "b", "é", "\u{feff}", "\u{a0}",
    ];
    prop::collection::vec(prop::sample::select(special), 0..9).prop_map(|pieces| pieces.concat())
}

fn samples<T: std::fmt::Debug>(strategy: &impl Strategy<Value = T>, count: usize) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// Returns true if a reader is installed, and prints a note if not. CI has all of them.
fn has(reader: &str, is_there: bool) -> bool {
    assert!(is_there || std::env::var_os("CI").is_none(), "{reader} is missing: ci/setup installs it");
    if !is_there {
        eprintln!("not tested with {reader}, which is missing: ci/setup installs it");
    }
    is_there
}

/// Returns the output of a program for a text on its standard input.
fn answer(mut program: Command, input: &[u8]) -> Vec<u8> {
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program:?}");
    output.stdout
}

/// Returns the folder where `ci/setup` puts the readers.
fn readers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/dotenv-readers")
}

/// Returns the values that each installed reader of dotenv files reads from a text.
fn read_by_others(file: &[u8]) -> Vec<(&'static str, HashMap<String, String>)> {
    const PYTHON: &str = "import dotenv, io, json, sys\n\
        text = sys.stdin.buffer.read().decode()\n\
        print(json.dumps(dotenv.dotenv_values(stream=io.StringIO(text, newline='')), ensure_ascii=True))";
    const NODE: &str = "const text = require('fs').readFileSync(0, 'utf8'); const parsers = {\
        dotenv: () => require(process.argv[1]).parse(text), builtin: () => require('util').parseEnv(text) };\
        console.log(JSON.stringify(parsers[process.argv[2]]()))";
    let (python, package) = (readers().join("python/bin/python"), readers().join("node_modules/dotenv"));
    let node = |parser: &str| {
        let mut node = Command::new("node");
        node.args(["-e", NODE]).arg(&package).arg(parser);
        node
    };
    let has_parse_env =
        Command::new("node").args(["-e", "process.exit(require('util').parseEnv ? 0 : 1)"]).status();
    let mut found = Vec::new();
    if has("python-dotenv", python.exists()) {
        let mut python = Command::new(python);
        found.push((
            "python-dotenv",
            answer(
                {
                    python.args(["-c", PYTHON]);
                    python
                },
                file,
            ),
        ));
    }
    if has("Node's dotenv", package.exists()) {
        found.push(("Node's dotenv", answer(node("dotenv"), file)));
    }
    if has("Node's own --env-file", has_parse_env.is_ok_and(|status| status.success())) {
        found.push(("Node's own", answer(node("builtin"), file)));
    }
    found.into_iter().map(|(name, json)| (name, serde_json::from_slice(&json).unwrap())).collect()
}

/// Returns the values of `K0`, `K1`, … that a real shell has after it has read a text.
fn read_by_shell(shell: &str, text: &[u8], count: usize) -> Vec<Vec<u8>> {
    let script = format!(
        "eval \"$(cat)\"; n=0; while [ $n -lt {count} ]; do eval \"printf '%s\\\\0' \\\"\\$K$n\\\"\"; n=$((n + 1)); done"
    );
    let mut command = Command::new(shell);
    command.args(["-c", &script]);
    let mut values: Vec<Vec<u8>> =
        answer(command, text).split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    assert_eq!(values.pop(), Some(Vec::new()));
    values
}

#[test]
fn a_dotenv_file_is_read_equally_by_all_who_read_such_files() {
    let mut values: Vec<String> = STUMBLING.map(str::to_owned).into();
    values.extend(samples(&sharp(), MANY));
    values.extend(samples(&"[^\0]*", MANY));
    let tried = values.len();
    values.retain(|text| DotenvForm::of(text).is_ok());
    assert!(values.len() > tried / 2, "most have a form: {} of {tried}", values.len());
    let bytes: Vec<Vec<u8>> = values.iter().map(|text| text.clone().into_bytes()).collect();
    let file = text(&numbered(&bytes), Notation::Dotenv);
    let mut contents = Contents::default();
    dotenv::add_all(&mut Lines::in_a_test(&mut contents, ".env"), &file).unwrap();
    for (n, value) in values.iter().enumerate() {
        assert!(contents.data[&format!("K{n}")].expose() == value.as_bytes(), "{value:?}");
    }
    for (reader, read) in read_by_others(&file) {
        for (n, value) in values.iter().enumerate() {
            assert_eq!(read.get(&format!("K{n}")), Some(value), "{reader}");
        }
        assert_eq!(read.len(), values.len(), "{reader}");
    }
}

#[test]
fn bash_dash_and_zsh_have_the_values_to_the_byte() {
    let any_bytes = prop::collection::vec(1_u8.., 0..40);
    let mut values: Vec<Vec<u8>> = STUMBLING.map(|text| text.as_bytes().to_vec()).into();
    values.extend(["\r", "a\r\n", "${HOME}", "'\"\\$`\r\n"].map(|text| text.as_bytes().to_vec()));
    values.push((1..=255).collect());
    values.extend((1..=255).map(|byte| vec![byte]));
    values.extend(samples(&any_bytes, MANY));
    values.extend(samples(&sharp(), MANY).into_iter().map(String::into_bytes));
    let file = text(&numbered(&values), Notation::Shell);
    for shell in ["sh", "bash", "dash", "zsh"] {
        let starts = Command::new(shell).args(["-c", "true"]).status();
        if has(shell, starts.is_ok_and(|status| status.success())) {
            let read = read_by_shell(shell, &file, values.len());
            for (value, read) in values.iter().zip(&read) {
                assert_eq!(read, value, "{shell}");
            }
            assert_eq!(read.len(), values.len(), "{shell}");
        }
    }
}

#[test]
fn plain_values_have_no_quotes_and_most_others_single_ones() {
    let line =
        |value: &str| String::from_utf8(text(&data(value.as_bytes()), Notation::Dotenv).to_vec()).unwrap();
    assert_eq!(line("hf_x-1"), "K=hf_x-1\nL=l\n");
    assert_eq!(line("a $b"), "K='a $b'\nL=l\n");
    assert_eq!(line("a\nb\n"), "K='a\nb\n'\nL=l\n");
    assert_eq!(line("it's"), "K=\"it's\"\nL=l\n");
    assert_eq!(line("\\\\srv's \"x\""), "K=\\\\srv's \"x\"\nL=l\n");
}

#[test]
fn what_a_notation_cannot_hold_is_refused_with_the_key_and_the_notation_that_can() {
    for (value, notation) in [
        (&b"\xffx"[..], Notation::Json),
        (b"\xffx", Notation::Dotenv),
        (b"a\0b", Notation::Dotenv),
        (b"a\0b", Notation::Shell),
        (b"a\r\n", Notation::Dotenv),
        (b"a${b}", Notation::Dotenv),
        (b"'\"\n", Notation::Dotenv),
        (b"a\nb\\\\c", Notation::Dotenv),
        (b"\n\\", Notation::Dotenv),
    ] {
        let refusal = revealed(&data(value), notation).err().unwrap().to_string();
        assert!(refusal.starts_with("error: K can't be in "), "{refusal}");
        let is_text = std::str::from_utf8(value).is_ok();
        assert_eq!(refusal.contains("hint: -o json can hold any text"), is_text, "{refusal}");
    }
    let dotted = BTreeMap::from([("tls.crt".to_owned(), value(b""))]);
    assert!(revealed(&dotted, Notation::Shell).is_err());
    assert!(revealed(&dotted, Notation::Json).is_ok());
}

proptest! {
    #[test]
    fn any_text_is_read_back_from_a_dotenv_file_or_refused_and_from_json(value in "[^\0]*", sharp in sharp()) {
        for value in [value, sharp] {
            if DotenvForm::of(&value).is_ok() {
                read_dotenv(value.as_bytes());
            }
            let mut contents = Contents::default();
            map::add_all(&mut Lines::in_a_test(&mut contents, "m.json"), &text(&data(value.as_bytes()), Notation::Json)).unwrap();
            assert_read(&contents, value.as_bytes());
        }
    }
}
