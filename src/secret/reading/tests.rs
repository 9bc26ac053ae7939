use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use proptest::prelude::*;

use super::super::{Audience, SshFiles, contents_of_file, ssh_contents, tls_contents};
use super::*;
use crate::secret::handling::{Nothing, Trimming};

const CANARY: &str = "CANARY";

const KEEPING: Handling = Handling { trimming: Trimming::Keep, nothing: Nothing::Take };

struct Given(&'static [u8]);

impl Input for Given {
    fn standard_input(&mut self) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(self.0))
    }

    fn variable(&self, _: &str) -> Option<OsString> {
        None
    }
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn keeping(sources: Vec<Source>, stdin: &'static [u8]) -> Result<Contents> {
    read(sources, KEEPING, &mut Given(stdin))
}

fn literals<const N: usize>(arguments: [&str; N]) -> Result<Contents> {
    keeping(Source::literals(arguments.map(OsString::from))?, b"")
}

fn files<const N: usize>(arguments: [String; N]) -> Result<Contents> {
    keeping(Source::files(arguments.map(OsString::from))?, b"from stdin")
}

fn env_files<const N: usize>(arguments: [String; N]) -> Result<Contents> {
    keeping(Source::env_files(arguments.map(OsString::from))?, b"A=1\n")
}

#[track_caller]
fn assert_holds(contents: Result<Contents>, expected: &[(&str, &str)]) -> Vec<String> {
    let contents = contents.unwrap_or_else(|error| panic!("{error}"));
    let found: Vec<_> = contents.data.iter().map(|(key, value)| (key.as_str(), value.expose())).collect();
    let expected: Vec<_> = expected.iter().map(|(key, value)| (*key, value.as_bytes())).collect();
    assert_eq!(found, expected);
    contents.notes
}

#[track_caller]
fn refusal(contents: Result<Contents>) -> String {
    contents.err().expect("is refused").to_string()
}

#[test]
fn a_literal_is_split_at_its_first_equals_sign() {
    assert_holds(
        literals(["a=b=c,d", "e=", "-k= \"$x\" "]),
        &[("-k", " \"$x\" "), ("a", "b=c,d"), ("e", "")],
    );
}

#[test]
fn a_literal_without_a_key_is_named_by_its_position_and_never_echoed() {
    for bad in ["CANARY", "=CANARY", "", "="] {
        let text = refusal(literals(["a=b", bad]));
        assert!(
            text.contains("expected key=value: the 2nd --from-literal") && !text.contains(CANARY),
            "{text}"
        );
    }
    for bad in ["CANARY!=x", "p@CANARY=x", "..CANARY=x", "CANARY CANARY=x"] {
        let text = refusal(literals(["a=b", "c=d", bad]));
        assert!(
            text.contains("the 3rd --from-literal: its key is not valid") && !text.contains(CANARY),
            "{text}"
        );
    }
}

#[test]
fn a_key_given_twice_is_refused() {
    assert!(
        refusal(literals(["k=1", "k=1"]))
            .contains("cannot add key k, another key by that name already exists")
    );
}

#[test]
fn a_file_is_its_own_name_or_the_key_before_the_equals_sign() {
    let folder = folder(&[("a.txt", "A"), (".env", "B"), ("my file", "C")]);
    let path = folder.path().display();
    let sources = [format!("{path}/a.txt,{path}/.env"), format!("k={path}/my file"), String::new()];
    assert_holds(files(sources), &[(".env", "B"), ("a.txt", "A"), ("k", "C")]);
}

#[test]
fn a_file_argument_is_refused_in_kubectls_words() {
    for (argument, words) in [
        ("=a", "key name for file path a missing"),
        ("k=", "file path for key name k missing"),
        ("k=a=b", "key names or file paths cannot contain '='"),
        ("nope", "error reading nope: no such file or directory"),
        ("k=nope", "error reading nope: no such file or directory"),
        ("my key=a", "\"my key\" is not valid key name for a Secret a valid config key must consist of"),
        ("k=.", "cannot give a key name for a directory path"),
        ("k=\"a\"", "bare \" in non-quoted field"),
        ("Cargo.toml,", "an entry of the list is empty"),
        ("Cargo.toml/b", "error reading Cargo.toml/b: not a directory"),
    ] {
        let text = refusal(files([argument.to_owned()]));
        assert!(text.contains(words), "{argument}: {text}");
    }
}

#[test]
fn a_dash_is_standard_input() {
    assert_holds(files(["-".to_owned()]), &[("stdin", "from stdin")]);
    assert_holds(files(["k=-".to_owned()]), &[("k", "from stdin")]);
    assert_holds(files(["k=/dev/stdin".to_owned()]), &[("k", "from stdin")]);
    assert_holds(env_files(["-".to_owned()]), &[("A", "1")]);
}

#[test]
fn standard_input_is_read_once() {
    let text = refusal(files(["a=-".to_owned(), "b=/dev/stdin".to_owned()]));
    assert!(text.starts_with("error: standard input can be read only once"), "{text}");
}

#[test]
fn literals_files_and_env_files_mix() {
    let folder = folder(&[("a", "1"), ("e.env", "E=2\n")]);
    let path = folder.path().display().to_string();
    let mut sources = Source::env_files([format!("{path}/e.env").into()]).unwrap_or_default();
    sources.extend(Source::files([format!("{path}/a").into()]).unwrap_or_default());
    sources.extend(Source::literals(["k=v".into()]).unwrap_or_default());
    assert_holds(keeping(sources, b""), &[("E", "2"), ("a", "1"), ("k", "v")]);
}

#[test]
fn a_directory_gives_its_files_and_tells_what_it_left_out() {
    let folder = folder(&[("b", "2"), (".a", "1"), ("sub/c", "3"), ("..x", "4")]);
    let path = folder.path().display().to_string();
    let _socket = UnixListener::bind(folder.path().join("socket")).unwrap();
    symlink("nowhere", folder.path().join("dangling")).unwrap();
    let notes = assert_holds(files([path.clone()]), &[(".a", "1"), ("b", "2")]);
    assert_eq!(
        notes,
        [
            format!("skipped {path}/..x: no key may start with '..'"),
            format!("skipped {path}/dangling: a broken link"),
            format!("skipped {path}/socket: not a regular file"),
            format!("skipped {path}/sub: a directory"),
        ]
    );
}

#[test]
fn a_mounted_secret_volume_is_read_through_its_links() {
    let folder = folder(&[("..2024_01/a", "1")]);
    symlink("..2024_01", folder.path().join("..data")).unwrap();
    symlink("..data/a", folder.path().join("a")).unwrap();
    let notes = assert_holds(files([folder.path().display().to_string()]), &[("a", "1")]);
    assert!(notes.is_empty(), "{notes:?}");
}

#[test]
fn a_file_in_a_directory_whose_name_is_no_key_is_an_error() {
    let folder = folder(&[("a", "1"), ("bad name", "CANARY")]);
    let text = refusal(files([folder.path().display().to_string()]));
    assert!(text.contains("\"bad name\" is not valid key name") && !text.contains(CANARY), "{text}");
}

#[test]
fn a_file_of_one_line_that_ends_in_a_newline_is_worth_a_note() {
    let folder =
        folder(&[("token", "x\n"), ("dos", "x\r\n"), ("pem", "x\ny\n"), ("bare", "x"), ("empty", "")]);
    let path = folder.path().display().to_string();
    let names = ["token", "dos", "pem", "bare", "empty"];
    let notes = files(names.map(|name| format!("{path}/{name}"))).ok().unwrap().notes;
    let note = |name| {
        format!(
            "{path}/{name} ends in a newline, which becomes part of the value of {name} (--trim removes it)"
        )
    };
    assert_eq!(notes, [note("token"), note("dos")]);
}

#[test]
fn a_trimmed_file_of_one_line_loses_its_line_end_and_others_keep_theirs() {
    let folder =
        folder(&[("token", "x\n"), ("dos", "x\r\n"), ("pem", "x\ny\n"), ("bare", "x"), ("blank", "\n")]);
    let path = folder.path().display().to_string();
    let sources = Source::files([path.into()]).ok().unwrap();
    let contents = read(sources, Handling { trimming: Trimming::Trim, ..KEEPING }, &mut Given(b""));
    let expected = [("bare", "x"), ("blank", ""), ("dos", "x"), ("pem", "x\ny\n"), ("token", "x")];
    assert!(assert_holds(contents, &expected).is_empty());
}

#[test]
fn nothing_where_a_value_was_expected_is_refused_with_its_place() {
    let folder = folder(&[("empty", ""), ("line", "\n"), ("e.env", "A=1\nB=\nC= \n"), ("unset.env", "A\n")]);
    let path = folder.path().display().to_string();
    let strict = |sources: Result<Vec<Source>>, nothing, stdin: &'static [u8]| {
        read(sources.unwrap_or_default(), Handling { nothing, ..KEEPING }, &mut Given(stdin))
    };
    let file = |entry: &str| Source::files([entry.into()]);
    let env_file = |name: &str| Source::env_files([format!("{path}/{name}").into()]);
    for (sources, words) in [
        (file("K=-"), "standard input is empty: no value for K".to_owned()),
        (file(&format!("K={path}/empty")), format!("{path}/empty is empty: no value for K")),
        (file(&format!("K={path}/line")), format!("{path}/line has only invisible characters in it")),
        (file(&path), format!("{path}/empty is empty: no value for empty")),
        (Source::literals(["K=".into()]), "the 1st --from-literal is empty: no value for K".to_owned()),
        (env_file("e.env"), format!("{path}/e.env, line 2: no value for its key")),
        (env_file("unset.env"), format!("{path}/unset.env, line 1: no such environment variable")),
    ] {
        let text = refusal(strict(sources, Nothing::Refuse, b""));
        assert!(text.contains(&words) && text.contains("--allow-empty-values"), "{text}");
    }
    let notes = strict(env_file("e.env"), Nothing::NoteLines, b"").ok().unwrap().notes;
    assert_eq!(notes, [format!("{path}/e.env, lines 2 and 3: the values are empty")]);
    assert!(
        refusal(strict(env_file("unset.env"), Nothing::NoteLines, b""))
            .contains("no such environment variable")
    );
    let contents = strict(Source::env_files(["-".into()]), Nothing::Refuse, b" \n").ok().unwrap();
    assert!(
        contents.check_not_empty().unwrap_err().to_string().starts_with("error: standard input is empty")
    );
}

#[test]
fn invisible_characters_inside_a_value_of_a_line_are_worth_a_note() {
    let folder = folder(&[("e.env", "A=x\0y\nB=\"l1\nl2\"\nC='z'\nD='a\u{200b}b'\n")]);
    let path = folder.path().join("e.env").display().to_string();
    let contents = keeping(Source::dotenv_files([path.clone().into()]), b"").ok().unwrap();
    let note = |line| format!("{path}, line {line} has invisible characters in it, and so has the value");
    assert_eq!(contents.notes, [note(1), note(5)]);
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read_to_the_end() {
    let folder = folder(&[]);
    let path = folder.path().join("big");
    File::create(&path).unwrap().set_len(1 << 40).unwrap();
    let text = refusal(files([path.display().to_string()]));
    assert!(text.contains("big (1099511627776 bytes)"), "{text}");
    assert!(refusal(files(["k=/dev/zero".to_owned()])).contains("/dev/zero: Too long"));
    assert!(refusal(env_files(["/dev/zero".to_owned()])).contains("/dev/zero: Too long"));
}

#[test]
fn an_env_file_is_a_file_that_exists() {
    let folder = folder(&[("a", "A=1")]);
    let path = folder.path().display().to_string();
    assert!(refusal(env_files([path.clone()])).contains("env secret file cannot be a directory"));
    assert!(refusal(env_files([format!("{path}/no")])).contains("no: no such file or directory"));
    assert!(refusal(env_files([format!("k={path}/a")])).contains("no such file or directory"));
}

proptest! {
    #[test]
    fn any_bytes_survive_as_a_literal(value in any::<Vec<u8>>()) {
        let argument = OsString::from_vec([b"k=", value.as_slice()].concat());
        let contents = keeping(Source::literals([argument]).ok().unwrap(), b"").ok().unwrap();
        prop_assert_eq!(contents.data["k"].expose(), value.as_slice());
    }

    #[test]
    fn any_bytes_survive_as_a_file(value in any::<Vec<u8>>()) {
        let folder = folder(&[]);
        let path = folder.path().join("k");
        fs::write(&path, &value).unwrap();
        let contents = files([path.display().to_string()]).ok().unwrap();
        prop_assert_eq!(contents.data["k"].expose(), value.as_slice());
    }

    #[test]
    fn any_argument_is_parsed_without_a_panic(bytes in any::<Vec<u8>>()) {
        let argument = || [OsString::from_vec(bytes.clone())];
        let _ = (Source::literals(argument()), Source::files(argument()), Source::env_files(argument()));
    }

    #[test]
    fn nothing_said_about_a_file_holds_a_piece_of_it(content in "(A=|B|export |[\"'`#{}:,=\\\\ \n\r$é]|CANARY){0,20}") {
        let folder = folder(&[("f", &content)]);
        let from = Origin::Path(folder.path().join("f"));
        let of_keys = [
            Source::EnvFile { from: from.clone() },
            Source::Dotenv { from: from.clone() },
            Source::Map { from: from.clone() },
            Source::File { key: None, from: from.clone() },
        ];
        let files = SshFiles {
            private_key: from.clone(),
            public_key: Some(from.clone()),
            known_hosts: None,
            audience: Audience::Kubernetes,
        };
        let input = &mut Given(b"");
        let of_one_form = [
            contents_of_file(vec![folder.path().join("f").into()], input),
            tls_contents(&from, &from, input),
            ssh_contents(&files, input),
        ];
        for read in of_keys.map(|source| keeping(vec![source], b"")).into_iter().chain(of_one_form) {
            let said = match read {
                Ok(contents) => [contents.notes, contents.warnings].concat().join("\n"),
                Err(error) => error.to_string(),
            };
            prop_assert!(!said.contains(CANARY), "{}", said);
        }
    }

    #[test]
    fn no_error_about_a_literal_holds_any_of_it(text in "[ -~]{6,40}") {
        if let Err(error) = literals([&text]) {
            prop_assert!(!error.to_string().contains(&text));
        }
    }
}
