//! Fuzz targets: files and words that values and names come from.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;

use serde_json::Value;

use super::input::Input;
use super::*;
use crate::error::Result;
use crate::fuzz::{CANARY, assert_linear, feed, feed_bombs};
use crate::moment::Moment;

const DOTENV_CASES: &str = include_str!("../../tests/conformance/dotenv.json");
const YAML_CASES: &str = include_str!("../../tests/conformance/yaml.json");
const PAIRS: &str = include_str!("../../tests/conformance/tls-pairs.json");
const KUBECTLS_CASES: &str = include_str!("../../tests/conformance/create-secret.json");

const ENV_FILES: [&str; 4] = [
    "A=CA+NARY/\nB=2\n",
    "\u{feff}# comment\r\nA = CA+NARY/\r\nPATH\nlong.key-1='x y'\n",
    "export A=CA+NARY/\n\n  INDENTED=1",
    "A=CA+NARY/\nA=CA+NARY/\n",
];

const DOTENV_FILES: [&str; 4] = [
    "A=CA+NARY/\nexport B='CA+NARY/ x'\nC=\"a\\nb\" # comment\n",
    "A=\"CA+NARY/\nsecond line\"\nB=`x`\nC='\\''\n",
    "\u{feff}A: CA+NARY/\r\nB =1\r\nD=${A}\n",
    "A='CA+NARY/\n",
];

const MAPS: [&str; 6] = [
    "{\"a\": \"CA+NARY/\", \"b\": \"\\ud83d\\ude00\\n\\u0000\"}",
    "a: \"CA+NARY/\"\nb: |\n  x\n  CA+NARY/\nc: plain text\n",
    "---\n# c\nurl: &x postgres://u:CA+NARY/@h/db?x=$y\nb: *x\n",
    "{a: CA+NARY/, ? b\n: c, <<: {d: e}}",
    "a: !!binary Q0FOQVJZ\nb: >-\n  x\n\n  y\n",
    "{}",
];

const DOCKER: [&str; 5] = [
    "{\"auths\":{\"r\":{\"username\":\"u\",\"password\":\"CA+NARY/\",\"auth\":\"dTpw\",\"email\":\"e\"}}}",
    "{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"dTpDQStOQVJZLw==\"}},\"credsStore\":\"desktop\"}",
    "{\"auths\":{\"r.azurecr.io\":{\"auth\":\"MDA6\",\"identitytoken\":\"CA+NARY/\"}},\"credHelpers\":{\"gcr.io\":\"gcloud\"}}",
    "{\"auths\":{\"r\":{}},\"HttpHeaders\":{\"X\":\"CA+NARY/\"}}",
    "{\"r\":{\"username\":\"u\",\"password\":\"CA+NARY/\"}}",
];

const SSH: [&str; 6] = [
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZWQyNTUxOQAAACA=\n-----END OPENSSH PRIVATE KEY-----\n",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABA=\n-----END OPENSSH PRIVATE KEY-----\n",
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMIIB\n-----END RSA PRIVATE KEY-----\n",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPCA+NARY/ user@host\n",
    "github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\n@cert-authority *.x ssh-rsa AAAA\n|1|aGFzaA==|aGFzaA== ssh-rsa AAAA # c\n",
    "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n",
];

const EDITED: [&str; 4] = [
    "# comment\nA: CA+NARY/\nB: |-\n  CA+NARY/\n  second\nC: \"a\\tb\\\n  \\ x\"\n",
    "A: 'it''s'\n\"B\": \"\"\nC: |2\n    x\nD: yes\nE:\n",
    "a.b-c: https://u:p@h/x#y\nB: text # comment\n",
    "A: [CA+NARY/]\nB: {a: 1}\nC: &x y\nD: *x\nE: !!int 1\n",
];

const WORDS: [&str; 26] = [
    "HF_TOKEN=SECRET:hf,HF_TOKEN",
    "SECRET:",
    "secret:hf,k",
    "A=SECRET:hf,k,x",
    "A=SECRET:hf:k",
    "KEY=VALUE",
    "KEY=",
    "=VALUE",
    "a.txt",
    "KEY=a.txt",
    "\"KEY=a,b.txt\",c",
    "KEY=-",
    "a-b.c_d",
    "..",
    "..data",
    "/abs/path",
    "password=48",
    "password=0",
    "hf",
    "my-secret.v1",
    "run.ai/cluster-wide",
    "team=ml",
    "example.test/key=value",
    "-----BEGIN ",
    "AKIAIOSFODNN7EXAMPLE",
    "hf_abcdefghijklmnopqrstuvwxyz012345",
];

/// Standard input with a content, and no variables but one.
struct Piped<'a>(&'a [u8]);

impl Input for Piped<'_> {
    fn standard_input(&mut self) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(self.0))
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        (name == "PATH").then(|| OsString::from("CA+NARY/"))
    }
}

/// Returns a target's own seeds, and those of the cases in which another program was asked.
fn seeds(own: &[&str], cases: &str, field: &str) -> Vec<Vec<u8>> {
    use base64::Engine as _;
    let tree: Value = serde_json::from_str(cases).unwrap();
    let texts = tree["cases"].as_array().unwrap().iter().map(|case| case[field].as_str().unwrap().as_bytes());
    let texts = texts.map(|text| match field {
        "content_base64" => base64::prelude::BASE64_STANDARD.decode(text).unwrap(),
        _ => text.to_vec(),
    });
    own.iter().map(|seed| seed.as_bytes().to_vec()).chain(texts).collect()
}

/// Returns the outcome in words, and checks that no value is in it.
#[track_caller]
fn told(outcome: Result<Contents>) -> String {
    match outcome {
        Ok(contents) => {
            let said = [contents.notes, contents.warnings].concat().join("\n");
            assert!(!said.contains(CANARY), "{said}");
            format!("{} keys {said}", contents.data.len().min(3))
        }
        Err(error) => {
            assert!(!error.to_string().contains(CANARY), "{error}");
            error.to_string()
        }
    }
}

fn stdin() -> [OsString; 1] {
    ["-".into()]
}

fn from(sources: Vec<Source>, bytes: &[u8]) -> String {
    told(read(sources, Handling { trimming: Trimming::Trim, nothing: Nothing::NoteLines }, &mut Piped(bytes)))
}

#[test]
fn env_files() {
    feed(
        "env_files",
        &seeds(&ENV_FILES, DOTENV_CASES, "content_base64"),
        &["PATH", "A=", "export "],
        |bytes| from(Source::env_files(stdin()).unwrap(), bytes),
    );
}

#[test]
fn dotenv_files() {
    feed(
        "dotenv_files",
        &seeds(&DOTENV_FILES, DOTENV_CASES, "content_base64"),
        &["export ", "A=", "\"\"\""],
        |bytes| from(Source::dotenv_files(stdin()), bytes),
    );
}

#[test]
fn maps() {
    feed("maps", &seeds(&MAPS, YAML_CASES, "yaml"), &["a: ", "\"a\": ", "? "], |bytes| {
        from(Source::maps(stdin()), bytes)
    });
}

#[test]
fn docker_configs() {
    let words = ["\"auths\":", "\"auth\":", "\"identitytoken\":", "\"credsStore\":", "dTpw", "\"username\":"];
    feed("docker_configs", &DOCKER, &words, |bytes| {
        told(contents_of_file(stdin().to_vec(), &mut Piped(bytes)))
    });
}

#[test]
fn certificates_and_keys() {
    let folder = tempfile::tempdir().unwrap();
    let pairs: Vec<Value> = serde_json::from_str(PAIRS).unwrap();
    let all =
        |field: &'static str| pairs.iter().filter_map(move |pair| pair[field].as_str().map(str::to_owned));
    let seeds: Vec<String> = all("certificate").chain(all("key")).collect();
    let other = |field: &'static str| {
        let path = folder.path().join(field);
        std::fs::write(&path, all(field).next().unwrap()).unwrap();
        Origin::of(path.as_os_str())
    };
    let (certificate, key) = (other("certificate"), other("key"));
    let words =
        ["-----BEGIN EC PRIVATE KEY-----\n", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "MIIB", "\n\n"];
    feed("certificates_and_keys", &seeds, &words, |bytes| {
        let as_certificate = tls_contents(&Origin::StandardInput, &key, &mut Piped(bytes));
        let as_key = tls_contents(&certificate, &Origin::StandardInput, &mut Piped(bytes));
        let facts = ValueFacts::of(".dockercfg", &SecretValue::from_bytes(bytes.to_vec()));
        format!("{} {} {}", told(as_certificate), told(as_key), facts.line_end)
    });
}

#[test]
fn the_der_inside_of_a_certificate_and_a_key() {
    let pairs: Vec<Value> = serde_json::from_str(PAIRS).unwrap();
    let texts = pairs.iter().flat_map(|pair| [pair["certificate"].as_str(), pair["key"].as_str()]).flatten();
    let seeds: Vec<Vec<u8>> =
        texts.flat_map(|text| pem::blocks(text.as_bytes())).map(|block| block.content.to_vec()).collect();
    let certificates: Vec<_> = seeds.iter().filter_map(|der| key_pair::certificate(der).ok()).collect();
    feed("the_der_inside", &seeds, &["\u{30}\u{3}", "\u{2}\u{1}\u{0}", "\u{30}\u{7f}"], |der| {
        let facts = key_pair::certificate(der);
        let dates = facts.as_ref().map(|facts| [facts.from, facts.until].map(Moment::day)).is_ok();
        let labels = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];
        let texts = labels.map(|label| {
            let text = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", base64_of(der));
            let blocks = pem::blocks(text.as_bytes());
            blocks.first().map(|key| format!("{:?}", key_pair::compare(&certificates[0], key).err()))
        });
        format!("{:?} {dates} {texts:?}", facts.err())
    });
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

#[test]
fn ssh_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, SSH[0]).unwrap();
    let key = Origin::of(path.as_os_str());
    let files = |private_key: &Origin, public_key: Option<Origin>, known_hosts: Option<Origin>| SshFiles {
        private_key: private_key.clone(),
        public_key,
        known_hosts,
        audience: Audience::RunAi,
    };
    let words = ["ssh-rsa ", "ssh-ed25519 AAAA", "b3BlbnNzaC1rZXktdjEA", "DEK-Info: x\n", "@revoked ", "|1|"];
    feed("ssh_files", &SSH, &words, |bytes| {
        let piped = Origin::StandardInput;
        let ways = [
            files(&piped, None, None),
            files(&key, Some(piped.clone()), None),
            files(&key, None, Some(piped.clone())),
        ];
        ways.map(|files| told(ssh_contents(&files, &mut Piped(bytes)))).join("\n")
    });
}

const SIGNED: [&str; 4] = [
    "eyJhbGciOiJub25lIn0.eyJpc3MiOiJpIiwic3ViIjoic3lzdGVtOnNlcnZpY2VhY2NvdW50Om46cyIsImV4cCI6NDEwMjQ0NDgwMH0.CA",
    "{\"type\":\"service_account\",\"client_email\":\"a@b\",\"project_id\":\"p\",\"private_key\":\"CA+NARY/\"}",
    "hf_abcdefghijklmnopqrstuvwxyz012345\n",
    "0123456789abcdef0123456789abcdef01234567",
];

/// Tries any bytes as a value whose public parts are told: no other part is, and what is told is short and harmless.
#[test]
fn what_a_value_is() {
    let pairs: Vec<Value> = serde_json::from_str(PAIRS).unwrap();
    let of_pairs =
        pairs.iter().flat_map(|pair| [pair["certificate"].as_str(), pair["key"].as_str()]).flatten();
    let own = [&SIGNED[..], &DOCKER, &SSH].concat();
    let seeds: Vec<&str> = own.into_iter().chain(of_pairs).collect();
    let words = [
        "\"auths\":",
        "\"username\":\"",
        "eyJ",
        ".",
        "ssh-rsa AAAAB3",
        "\u{1b}[2J",
        "-----BEGIN CERTIFICATE-----\n",
    ];
    feed("what_a_value_is", &seeds, &words, |bytes| {
        let value = || SecretValue::from_bytes(bytes.to_vec());
        let beside = BTreeMap::from([("tls.key".to_owned(), value())]);
        let mut outcomes = Vec::new();
        for key in ["tls.crt", ".dockercfg", "ssh-privatekey", "WANDB"] {
            let identity = Identity::of(key, &value(), &beside);
            for (_, detail) in identity.iter().flat_map(Identity::facts) {
                assert!(!detail.contains(CANARY), "{detail}");
                assert!(
                    crate::printable::is_printable(&detail) && detail.chars().count() < 9_000,
                    "{detail}"
                );
            }
            outcomes.push(identity.map(|identity| {
                let text = serde_json::to_string(&identity).unwrap();
                let kind = text.split(',').next().unwrap_or_default().to_owned();
                (kind, identity.facts().iter().map(|(name, _)| *name).collect::<Vec<_>>())
            }));
        }
        format!("{outcomes:?} {:?}", ValueFacts::of("k", &value()).end.map(|end| end.of))
    });
}

#[test]
fn the_text_that_an_editor_leaves() {
    feed(
        "the_text_that_an_editor_leaves",
        &seeds(&EDITED, YAML_CASES, "yaml"),
        &["A: ", "|-\n", "  x\n"],
        |bytes| match string_data::read(bytes, |key| key == "LEFT_OUT") {
            Ok(entries) => {
                let again = entries.iter().map(|(key, value)| (key.as_str(), value)).collect();
                let text = string_data::text("", &again);
                assert!(
                    string_data::read(text.expose(), |_| false).is_ok_and(|read| same(&read, &entries)),
                    "it is not read back"
                );
                format!("{} keys", entries.len().min(3))
            }
            Err(mistakes) => {
                let said: Vec<String> = mistakes.into_iter().map(|mistake| mistake.what).collect();
                assert!(!said.iter().any(|what| what.contains(CANARY)), "{said:?}");
                said.join("\n")
            }
        },
    );
}

fn same(one: &BTreeMap<String, SecretValue>, other: &BTreeMap<String, SecretValue>) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|((key, value), (name, other))| key == name && value.expose() == other.expose())
}

/// Tries any bytes as the value of a secret: its printed forms are read back to the same bytes.
#[test]
fn values_that_are_shown_and_read_again() {
    let all = [&ENV_FILES[..], &DOTENV_FILES, &MAPS, &DOCKER, &SSH, &EDITED].concat();
    let seeds = seeds(&all, DOTENV_CASES, "content_base64");
    feed("values_that_are_shown_and_read_again", &seeds, &["\\", "'", "${x}", "\\'"], |bytes| {
        let value = || SecretValue::from_bytes(bytes.to_vec());
        let data = BTreeMap::from([
            ("KEY".to_owned(), value()),
            ("SECOND".to_owned(), SecretValue::from_bytes(b"x".to_vec())),
        ]);
        let again = |text: &[u8], sources: Vec<Source>| {
            let contents = read(
                sources,
                Handling { trimming: Trimming::Keep, nothing: Nothing::Take },
                &mut Piped(text),
            )
            .unwrap_or_else(|error| panic!("{error}"));
            assert!(same(&contents.data, &data), "it is read back as something else");
        };
        let mut forms = Vec::new();
        for (notation, name) in
            [(Notation::Json, "json"), (Notation::Dotenv, "dotenv"), (Notation::Shell, "shell")]
        {
            let Ok(text) = revealed(&data, notation) else { continue };
            forms.push(name);
            match notation {
                Notation::Json => again(&text, Source::maps(stdin())),
                Notation::Dotenv => again(&text, Source::dotenv_files(stdin())),
                Notation::Shell => assert!(of_a_shell(&text) == bytes, "a shell takes it for something else"),
            }
        }
        if string_data::is_editable(&data["KEY"]) {
            let entries = data.iter().map(|(key, value)| (key.as_str(), value)).collect();
            let text = string_data::text("", &entries);
            let read =
                string_data::read(text.expose(), |_| false).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
            assert!(same(&read, &data), "an editor's text is read back as something else");
            forms.push("text");
        }
        let manifest = SecretManifest::new("s", data);
        let printed: Value = serde_saphyr::from_slice(&manifest.to_yaml(&[])).unwrap();
        assert_eq!(printed["data"]["KEY"], base64_of(bytes));
        assert_eq!(printed, serde_json::from_slice::<Value>(&manifest.to_json(&[])).unwrap());
        let suspicion = std::str::from_utf8(bytes).map(|text| {
            let words: Vec<String> = text.split('\n').map(str::to_owned).collect();
            (looks_like_a_token(text), without_secrets(&words).len() == words.len())
        });
        format!("{forms:?} {} {suspicion:?} {}", ValueSummary::of(&value()), name_with_hash(&manifest).len())
    });
}

/// Returns the first value of `export KEY='…'`, as a POSIX shell reads it.
fn of_a_shell(text: &[u8]) -> Vec<u8> {
    let mut rest = text.strip_prefix(b"export KEY=").unwrap();
    let mut value = Vec::new();
    loop {
        match rest {
            [b'\'', quoted @ ..] => {
                let end = quoted.iter().position(|byte| *byte == b'\'').unwrap();
                value.extend(&quoted[..end]);
                rest = &quoted[end + 1..];
            }
            [b'\\', byte, after @ ..] => {
                value.push(*byte);
                rest = after;
            }
            [b'\n', ..] => return value,
            other => panic!("a shell sees {} bytes without quotes", other.len()),
        }
    }
}

/// Tries files that say which secrets there are. Names are repeated; what may be a value is tried beside the parser.
#[test]
fn files_of_secrets() {
    let seeds = [
        r#"{"name": "f", "secrets": [{"name": "s", "projects": ["a"], "trim": true, "from": [{"login": "aws=lab"}]}]}"#,
        r#"{"name": "f", "secrets": [{"name": "s", "everyProject": true, "type": "x/y", "from": [{"file": "x", "key": "k"}]}]}"#,
        r#"{"name": "f", "secrets": [{"name": "s", "from": [{"generate": "k", "length": 48}, {"prompt": "p"}]}]}"#,
    ];
    feed("files_of_secrets", &seeds, &["\"data\": ", "[{}]", "null", "\"from\": "], |bytes| {
        let Ok(content) = serde_json::from_slice(bytes) else { return "no tree".to_owned() };
        match Declared::read(&content, std::path::Path::new("/x")) {
            Ok(file) => format!("{} secrets", file.secrets.len()),
            Err(error) => error.hints().len().to_string(),
        }
    });
}

/// Tries arguments that stand for values, names and files. Those that may be a value are never repeated.
#[test]
fn arguments() {
    let words = seeds(&WORDS, KUBECTLS_CASES, "name");
    feed("arguments", &words, &["SECRET:", "KEY=", ",", "\"", "CA+NARY/"], |bytes| {
        let argument = || OsString::from_vec(bytes.to_vec());
        let mut outcomes = vec![
            quiet(Source::literals([argument()])),
            quiet(Source::literals([OsString::from_vec([b"password=".as_slice(), bytes].concat())])),
            Source::files([argument()])
                .map_or_else(|error| error.to_string(), |sources| sources.len().to_string()),
            Source::env_files([argument()])
                .map_or_else(|error| error.to_string(), |sources| sources.len().to_string()),
        ];
        if let Ok(text) = std::str::from_utf8(bytes) {
            // The name of a variable that gets a reference is printed.
            if !text.contains("=SECRET:") {
                outcomes.push(quiet(EnvEntry::parse(text)));
            }
            outcomes.push(quiet(EnvEntry::parse(&format!("A=SECRET:{text}"))));
            outcomes.push(quiet(Source::variables([text.to_owned()], &Piped(b""))));
            outcomes.push(quiet(Source::generated([text.to_owned()])));
            outcomes.push(quiet(Source::check_keys("--prompt", &[text.to_owned()])));
            let checks = [check_secret_name, check_namespace, check_key, check_label_key, check_label_value];
            outcomes.extend(
                checks
                    .iter()
                    .map(|check| check(text).map_or_else(|error| error.to_string(), |()| "ok".into())),
            );
            let cut = with_suffix(text, "-x");
            outcomes.push(format!(
                "{} {} {}",
                cut.is_empty(),
                meant_reference(text).is_some(),
                check_annotation_key(text).is_ok()
            ));
        }
        outcomes.join("\n")
    });
}

/// Returns the outcome for an argument that may be a value.
#[track_caller]
fn quiet<T>(outcome: Result<T>) -> String {
    let Err(error) = outcome else { return "ok".to_owned() };
    assert!(!error.to_string().contains(CANARY), "{error}");
    error.to_string()
}

/// Tries secrets in manifests, as `check -f` reads them.
#[test]
fn secrets_of_manifests() {
    let seeds = [
        "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"s\",\"namespace\":\"n\",\"labels\":{\"a\":\"b\"}},\"type\":\"Opaque\",\"data\":{\"A\":\"Q0ErTkFSWS8=\"},\"stringData\":{\"B\":\"CA+NARY/\"}}",
        "{\"metadata\":{},\"type\":\"kubernetes.io/tls\",\"data\":{\"tls.crt\":\"QQ\\n==\",\"tls.key\":null}}",
    ];
    feed("secrets_of_manifests", &seeds, &["\"data\":", "\"stringData\":", "Q0ErTkFSWS8="], |bytes| {
        let Ok(tree) = serde_json::from_slice::<Value>(bytes) else { return "not JSON".to_owned() };
        match Inspection::of_manifest(&tree, "n") {
            Ok(secret) => {
                format!(
                    "{} {:?} {}",
                    secret.keys.len().min(3),
                    secret.keys.values().find_map(|value| value.end).map(|end| end.of),
                    secret.is_the_servers()
                )
            }
            Err(error) => error.to_string(),
        }
    });
}

#[test]
fn texts_that_are_larger_than_they_look() {
    feed_bombs("texts_that_are_larger_than_they_look", |bytes| {
        let edited = string_data::read(bytes, |_| false).map(|entries| entries.len());
        format!("{} {:?}", from(Source::maps(stdin()), bytes), edited.map_err(|mistakes| mistakes.len()))
    });
}

#[test]
fn the_time_to_read_many_keys_grows_with_their_number_alone() {
    let lines = |line: fn(usize) -> String| move |count: usize| (0..count).map(line).collect::<String>();
    let all = |sources: fn() -> Vec<Source>| move |text: &str| drop(from(sources(), text.as_bytes()));
    let env = || Source::env_files(stdin()).unwrap();
    assert_linear("env file", lines(|at| format!("K{at}=v\n")), all(env));
    assert_linear("dotenv", lines(|at| format!("K{at}=\"v\"\n")), all(|| Source::dotenv_files(stdin())));
    assert_linear("YAML", lines(|at| format!("k{at}: v\n")), all(|| Source::maps(stdin())));
    assert_linear(
        "comments",
        lines(|at| format!("# c\nk{}: v\n", at / 2 * 2 + at % 2)),
        all(|| Source::maps(stdin())),
    );
    assert_linear("edited", lines(|at| format!("k{at}: v # c\n")), |text| {
        drop(string_data::read(text.as_bytes(), |_| false));
    });
    assert_linear(
        "JSON",
        |count| format!("{{{}\"z\":\"\"}}", lines(|at| format!("\"k{at}\":\"v\","))(count)),
        all(|| Source::maps(stdin())),
    );
}
