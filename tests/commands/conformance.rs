//! kubectl as the oracle of `create`.
//!
//! The cases in `tests/conformance/create-secret.json` were made by running kubectl 1.33, those in
//! `more-create-secret.json` by running kubectl 1.37; where ours is meant to be better, a case says so in `deviation`. Each runs in a fresh folder that is also `HOME`, without a kubeconfig.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

const CASES: [&str; 2] = [
    include_str!("../conformance/create-secret.json"),
    include_str!("../conformance/more-create-secret.json"),
];

/// Where ours is meant to differ from kubectl beyond what the cases say: of a flag for one value it takes the last of
/// several, here two that differ are refused.
const REFUSED: [&str; 3] = [
    "generic/type/given-twice-last-wins",
    "generic/dry-run/given-twice-last-wins",
    "docker/given-twice-last-wins",
];

/// The one in which a line of an env file is `KEY=`.
const LINE_WITHOUT_A_VALUE: &str = "generic/env-file/key-equals-does-not-read-environment";

/// What is shorter than this is too likely to be a part of an honest message.
const SHORTEST_VALUE: usize = 4;
/// So many bytes in common with a value or a line are no accident.
const PIECE: usize = 8;

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    group: String,
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    stdin_base64: String,
    #[serde(default)]
    files: Vec<FileSpec>,
    expected: Expected,
}

#[derive(Deserialize)]
struct FileSpec {
    name: String,
    #[serde(flatten)]
    kind: FileKind,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum FileKind {
    Base64(String),
    Symlink(String),
    Dir(#[expect(dead_code, reason = "always true")] bool),
    Fifo(#[expect(dead_code, reason = "always true")] bool),
    Repeat { prefix_base64: String, unit_base64: String, count: usize, suffix_base64: String },
}

#[derive(Deserialize)]
struct Expected {
    ok: bool,
    data: Option<BTreeMap<String, String>>,
    #[serde(default)]
    data_digest: BTreeMap<String, LongValue>,
    name: Option<String>,
    #[serde(rename = "type")]
    secret_type: Option<String>,
}

#[derive(Deserialize)]
struct LongValue {
    len: usize,
    sha256: String,
}

#[test]
fn create_generic_does_what_kubectl_does() {
    run_group("generic", 310);
}

#[test]
fn create_docker_registry_does_what_kubectl_does() {
    run_group("docker-registry", 41);
}

#[test]
fn create_tls_does_what_kubectl_does() {
    run_group("tls", 44);
}

/// Runs all cases of a group on a few threads, and names all that fail at once.
fn run_group(group: &str, count: usize) {
    let files = CASES.iter().map(|file| serde_json::from_str::<Cases>(file).unwrap());
    let cases: Vec<_> = files.flat_map(|file| file.cases).filter(|case| case.group == group).collect();
    assert_eq!(cases.len(), count, "cases of {group}");
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(BTreeMap::new());
    let workers = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let faults = run(case);
                    if !faults.is_empty() {
                        failures.lock().unwrap().insert(&case.name, faults);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    let report = failures.iter().fold(String::new(), |mut report, (name, faults)| {
        write!(report, "\n{name}\n  {}", faults.join("\n  ")).unwrap();
        report
    });
    assert!(failures.is_empty(), "{} of {count} cases fail:{report}", failures.len());
}

/// What is wrong with the answer to a case; nothing when it is right.
fn run(case: &Case) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for file in &case.files {
        file.make_in(folder.path());
    }
    let mut faults = Vec::new();
    if REFUSED.contains(&case.name.as_str()) || case.has_nothing_for_a_value() {
        let output = answer(case, &[], folder.path());
        if output.status.code() != Some(2) || !output.stdout.is_empty() {
            faults.push("it is not refused".to_owned());
        }
        if REFUSED.contains(&case.name.as_str()) {
            return faults;
        }
    }
    // kubectl writes an empty value wherever it finds none; here that has to be asked for.
    let more = if case.has_nothing_for_a_value() { &["--allow-empty-values"][..] } else { &[] };
    let output = answer(case, more, folder.path());
    let stderr = String::from_utf8_lossy(&output.stderr);
    match (case.expected.ok, output.status.code()) {
        (true, Some(0)) => faults.extend(wrong_result(&case.expected, &output.stdout)),
        (false, Some(1 | 2)) => {
            if !output.stdout.is_empty() {
                faults.push("it fails, and yet prints a result".to_owned());
            }
            if !stderr.contains("error") && !stderr.contains("is invalid") {
                faults.push(format!("it fails without a reason: {stderr}"));
            }
            if !case.places().iter().any(|place| stderr.contains(place)) {
                faults.push(format!("it names no file, line, key or flag: {stderr}"));
            }
        }
        (_, code) => faults.push(format!("exit code {code:?}: {stderr}")),
    }
    // Not which one: this text may end up in a log too.
    let echoed = case.values().iter().filter(|value| contains(&output.stderr, value)).count();
    if echoed + case.pieces_in(&output.stderr) > 0 {
        faults.push(format!("standard error holds {echoed} of the case's values, or a piece of one"));
    }
    faults
}

fn answer(case: &Case, more: &[&str], folder: &Path) -> Output {
    let mut child = Command::new(support::sandbox::plugin())
        .args(case.args.iter().map(String::as_str).take(2).chain(more.iter().copied()))
        .args(case.args.iter().skip(2))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("LANG", "C.UTF-8")
        .envs(&case.env)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The plugin may be gone before it has read any of it.
    let _ = child.stdin.take().unwrap().write_all(&decoded(&case.stdin_base64));
    child.wait_with_output().unwrap()
}

/// Compares what is expected with the printed secret. Cases that print no JSON expect nothing of it.
fn wrong_result(expected: &Expected, stdout: &[u8]) -> Vec<String> {
    if stdout.is_empty() {
        return vec!["nothing on standard output".to_owned()];
    }
    let Some(data) = &expected.data else { return Vec::new() };
    let Ok(secret) = serde_json::from_slice::<Value>(stdout) else {
        return vec!["standard output is no JSON".to_owned()];
    };
    let mut faults = Vec::new();
    let mut found = secret["data"].as_object().cloned().unwrap_or_default();
    for (key, long) in &expected.data_digest {
        let value = decoded(found.remove(key).as_ref().and_then(Value::as_str).unwrap_or_default());
        if value.len() != long.len || sha256(&value) != long.sha256 {
            faults.push(format!("{key} has another value"));
        }
    }
    if serde_json::to_value(data).unwrap() != Value::Object(found) {
        faults.push("other keys or values".to_owned());
    }
    for (field, expected) in [
        (&secret["kind"], Some("Secret")),
        (&secret["apiVersion"], Some("v1")),
        (&secret["metadata"]["name"], expected.name.as_deref()),
        (&secret["type"], expected.secret_type.as_deref()),
    ] {
        if expected.is_some_and(|expected| *field != expected) {
            faults.push(format!("{field} instead of {}", expected.unwrap_or_default()));
        }
    }
    faults
}

impl Case {
    /// Whether kubectl writes a value with nothing in it, where no line of a file says so.
    fn has_nothing_for_a_value(&self) -> bool {
        let mut values = self.expected.data.iter().flatten().map(|(_, value)| decoded(value));
        values.any(|value| value.trim_ascii().is_empty()) && self.name != LINE_WITHOUT_A_VALUE
    }

    /// Everything in the case that must not be echoed: values of flags, lines of files and of standard input.
    fn values(&self) -> Vec<Vec<u8>> {
        let mut texts: Vec<Vec<u8>> = Vec::new();
        for argument in &self.args {
            if let Some(literal) = argument.strip_prefix("--from-literal=") {
                let value = literal.split_once('=').map_or(literal, |(_, value)| value);
                texts.push(value.as_bytes().to_vec());
            } else if let Some(password) = argument.strip_prefix("--docker-password=") {
                texts.push(password.as_bytes().to_vec());
            }
        }
        texts.extend(self.env.values().map(|value| value.as_bytes().to_vec()));
        texts.push(decoded(&self.stdin_base64));
        texts.extend(self.files.iter().filter_map(|file| match &file.kind {
            // A kubeconfig has words of every message in it, and none of the secret's values.
            _ if self.args.contains(&format!("--kubeconfig={}", file.name)) => None,
            FileKind::Base64(content) => Some(decoded(content)),
            _ => None,
        }));
        let lines = texts.iter().flat_map(|text| text.split(|byte| *byte == b'\n')).map(<[u8]>::trim_ascii);
        lines.filter(|line| line.len() >= SHORTEST_VALUE).map(<[u8]>::to_vec).collect()
    }
}

impl Case {
    /// What may be said of the case: names of files, keys and flags, and the secret's own.
    fn public_words(&self) -> Vec<&str> {
        let not_a_value = |argument: &'_ &str| !argument.starts_with("--docker-password=");
        let before_value = |argument| match str::strip_prefix(argument, "--from-literal=") {
            Some(literal) => literal.split_once('=').map_or("", |(key, _)| key),
            None => argument,
        };
        let arguments = self.args.iter().map(String::as_str).filter(not_a_value).map(before_value);
        arguments.chain(self.files.iter().map(|file| file.name.as_str())).collect()
    }

    /// Of which a refusal must name one.
    fn places(&self) -> Vec<&str> {
        let words = self.public_words().into_iter().flat_map(|word| word.split([',', '=']));
        let words = words.filter(|word| !word.is_empty() && !word.starts_with('-') && *word != "create");
        words.chain(["--", ", line ", "NAME", "name must be specified"]).collect()
    }

    /// How many pieces of values and lines are in a text, as they are or in base64, that are in no public word.
    fn pieces_in(&self, text: &[u8]) -> usize {
        let public = self.public_words().join("\n");
        // Every PEM file has the armour, and kubectl's words have parts of it.
        let values = self.values().into_iter().filter(|value| !value.starts_with(b"-----"));
        let forms = values.flat_map(|value| [STANDARD.encode(&value).into_bytes(), value]);
        let told: HashSet<&[u8]> = text.windows(PIECE).collect();
        let is_told = |piece: &[u8]| told.contains(piece) && !contains(public.as_bytes(), piece);
        forms.map(|form| form.windows(PIECE).filter(|piece| is_told(piece)).count()).sum()
    }
}

impl FileSpec {
    fn make_in(&self, folder: &Path) {
        let path = folder.join(&self.name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match &self.kind {
            FileKind::Base64(content) => fs::write(path, decoded(content)).unwrap(),
            FileKind::Symlink(target) => symlink(target, path).unwrap(),
            FileKind::Dir(_) => fs::create_dir_all(path).unwrap(),
            FileKind::Fifo(_) => assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
            FileKind::Repeat { prefix_base64, unit_base64, count, suffix_base64 } => {
                let unit = decoded(unit_base64).repeat(*count);
                fs::write(path, [decoded(prefix_base64), unit, decoded(suffix_base64)].concat()).unwrap();
            }
        }
    }
}

fn decoded(base64: &str) -> Vec<u8> {
    STANDARD.decode(base64).unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
