//! Where the values of a new secret come from: the flags' grammar (kubectl's), and the reading.
//!
//! A new kind of source is a variant of [`Source`], a function that makes it from its flag, and an arm in [`read`].
//! What was typed may be a value in the wrong place, so a literal is named by its position, never by its text.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::argument::{bytes_of, entries, os_string_of};
use super::contents::{Contents, SIZE_LIMIT, too_large};
use super::env_file;
use super::input::Input;
use super::name::{check_key, key_faults};
use super::value::SecretValue;
use crate::error::{Error, Result};
use crate::printable::printable;

/// The most bytes of an env file, of which much may be comments.
const ENV_FILE_LIMIT: usize = 16 * SIZE_LIMIT;

/// One place that values come from. The order of the variants is the order in which kubectl reads them.
pub(crate) enum Source {
    /// `--from-literal KEY=VALUE`
    Literal { key: String, value: SecretValue },
    /// `--from-file [KEY=]PATH`; a directory without a key stands for the files in it.
    File { key: Option<String>, from: Origin },
    /// `--from-env-file PATH`
    EnvFile { from: Origin },
}

/// What a path on the command line means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    StandardInput,
    Path(PathBuf),
}

impl Source {
    /// From all arguments of `--from-literal`, which are not lists: a comma is part of a value.
    pub(crate) fn literals(arguments: impl IntoIterator<Item = OsString>) -> Result<Vec<Self>> {
        arguments.into_iter().zip(1..).map(|(argument, position)| Self::literal(argument, position)).collect()
    }

    /// From all arguments of `--from-file`, each a list separated by commas.
    pub(crate) fn files(arguments: impl IntoIterator<Item = OsString>) -> Result<Vec<Self>> {
        entries("--from-file", arguments)?.iter().map(|entry| Self::file(entry)).collect()
    }

    /// From all arguments of `--from-env-file`, each a list separated by commas.
    pub(crate) fn env_files(arguments: impl IntoIterator<Item = OsString>) -> Result<Vec<Self>> {
        let entries = entries("--from-env-file", arguments)?;
        Ok(entries.iter().map(|entry| Self::EnvFile { from: Origin::of(entry) }).collect())
    }

    fn literal(argument: OsString, position: usize) -> Result<Self> {
        let which = ordinal(position);
        let argument = Zeroizing::new(bytes_of(argument));
        let parts = argument.iter().position(|byte| *byte == b'=').map(|at| argument.split_at(at));
        let Some((key @ [_, ..], value)) = parts else {
            return Err(Error::usage(format!(
                "invalid literal source, expected key=value: the {which} --from-literal"
            ))
            .hint("it is not shown, since it may be a value; write --from-literal KEY=VALUE"));
        };
        let key = String::from_utf8_lossy(key);
        let faults = key_faults(&key);
        if !faults.is_empty() {
            let line = format!(
                "the {which} --from-literal: its key is not valid for a Secret: {}",
                faults.join(";")
            );
            return Err(Error::usage(line).hint("write --from-literal KEY=VALUE; the first '=' ends the key"));
        }
        Ok(Self::Literal { key: key.into_owned(), value: SecretValue::from_bytes(value[1..].to_vec()) })
    }

    fn file(entry: &OsStr) -> Result<Self> {
        let bytes = entry.as_encoded_bytes();
        let text = entry.to_string_lossy();
        let shown = || printable(text.trim_matches('='));
        match text.matches('=').count() {
            0 => Ok(Self::File { key: None, from: Origin::of(entry) }),
            1 if text.starts_with('=') => {
                Err(Error::usage(format!("key name for file path {} missing", shown())))
            }
            1 if text.ends_with('=') => {
                Err(Error::usage(format!("file path for key name {} missing", shown())))
            }
            1 => {
                let at = bytes.iter().position(|byte| *byte == b'=').expect("counted above");
                let key = String::from_utf8_lossy(&bytes[..at]).into_owned();
                check_key(&key)?;
                Ok(Self::File { key: Some(key), from: Origin::of(&os_string_of(bytes[at + 1..].to_vec())?) })
            }
            _ => Err(Error::usage("key names or file paths cannot contain '='")
                .hint("make a link to the file under another name, and give that: --from-file KEY=LINK")),
        }
    }

    fn reads_standard_input(&self) -> bool {
        matches!(
            self,
            Self::File { from: Origin::StandardInput, .. } | Self::EnvFile { from: Origin::StandardInput }
        )
    }

    fn turn(&self) -> u8 {
        match self {
            Self::Literal { .. } => 0,
            Self::File { .. } => 1,
            Self::EnvFile { .. } => 2,
        }
    }
}

impl Origin {
    /// `-` is standard input, unlike in kubectl; so is `/dev/stdin`, which the system cannot open when it is a socket.
    fn of(path: &OsStr) -> Self {
        if path == "-" || path == "/dev/stdin" { Self::StandardInput } else { Self::Path(path.into()) }
    }
}

/// Reads all sources: literals, then files, then env files. The first mistake ends it.
pub(crate) fn read(mut sources: Vec<Source>, input: &mut dyn Input) -> Result<Contents> {
    if sources.iter().filter(|source| source.reads_standard_input()).count() > 1 {
        return Err(Error::usage("standard input can be read only once")
            .hint("keep one '-' and give a path for each of the others"));
    }
    sources.sort_by_key(Source::turn);
    let mut contents = Contents::default();
    for source in sources {
        match source {
            Source::Literal { key, value } => contents.add(key, value)?,
            Source::File { key, from } => add_file(&mut contents, key, &from, input)?,
            Source::EnvFile { from } => add_env_file(&mut contents, &from, input)?,
        }
    }
    contents.check_size()?;
    Ok(contents)
}

fn add_file(
    contents: &mut Contents,
    key: Option<String>,
    from: &Origin,
    input: &mut dyn Input,
) -> Result<()> {
    let path = match from {
        Origin::StandardInput => {
            let key = key.unwrap_or_else(|| "stdin".to_owned());
            let value = read_standard_input(input, SIZE_LIMIT)?;
            return add_file_value(contents, key, "standard input", value);
        }
        Origin::Path(path) => path,
    };
    let shown = shown(path);
    let metadata = fs::metadata(path).map_err(|error| reading(&shown, &error))?;
    if !metadata.is_dir() {
        let key = key.unwrap_or_else(|| path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        return add_path(contents, key, path, &metadata);
    }
    if key.is_some() {
        return Err(Error::usage("cannot give a key name for a directory path").hint(format!(
            "leave the key out, and each file in {shown} becomes a key: --from-file {shown}"
        )));
    }
    add_directory(contents, path)
}

fn add_path(contents: &mut Contents, key: String, path: &Path, metadata: &fs::Metadata) -> Result<()> {
    check_key(&key)?;
    let shown = shown(path);
    let size = if metadata.is_file() { usize::try_from(metadata.len()).unwrap_or(usize::MAX) } else { 0 };
    if size > SIZE_LIMIT {
        return Err(too_large(size, std::iter::once((key.as_str(), size))));
    }
    let file = File::open(path).map_err(|error| opening(&shown, &error))?;
    let value = read_at_most(SIZE_LIMIT, file, size, &shown)?;
    add_file_value(contents, key, &shown, value)
}

fn add_file_value(contents: &mut Contents, key: String, file: &str, value: SecretValue) -> Result<()> {
    if ends_in_a_stray_newline(value.expose()) {
        let shown = printable(&key);
        contents.note(format!("{file} ends in a newline, which becomes part of the value of {shown}"));
    }
    contents.add(key, value)
}

/// Whether the only line feed is the last byte. Keys and certificates have more than one line, and want their last.
fn ends_in_a_stray_newline(value: &[u8]) -> bool {
    value.iter().position(|byte| *byte == b'\n').is_some_and(|first| first + 1 == value.len())
}

/// Adds the files of a directory in the order of their names, and follows links: to kubectl a mounted secret volume,
/// in which every file is a link, is empty.
fn add_directory(contents: &mut Contents, directory: &Path) -> Result<()> {
    let folder = shown(directory);
    let listing = |error: io::Error| {
        Error::failed(format!("error listing files in {folder}: open {folder}: {}", reason(&error)))
    };
    let entries: io::Result<Vec<_>> = fs::read_dir(directory).map_err(listing)?.collect();
    let mut names: Vec<_> = entries.map_err(listing)?.into_iter().map(|entry| entry.file_name()).collect();
    names.sort();
    for name in names {
        let path = directory.join(&name);
        let key = name.to_string_lossy().into_owned();
        let skipped = match fs::metadata(&path) {
            // `..data` and `..2024_01_31…` of a mounted volume are no news to anybody.
            Ok(metadata) if metadata.is_dir() && key.starts_with("..") => continue,
            Ok(_) if key.starts_with("..") => "no key may start with '..'",
            Ok(metadata) if metadata.is_file() => {
                add_path(contents, key, &path, &metadata)?;
                continue;
            }
            Ok(metadata) if metadata.is_dir() => "a directory",
            Ok(_) => "not a regular file",
            Err(error) if error.kind() == io::ErrorKind::NotFound => "a link to nothing",
            Err(error) => return Err(reading(&shown(&path), &error)),
        };
        contents.note(format!("skipped {}: {skipped}", shown(&path)));
    }
    Ok(())
}

fn add_env_file(contents: &mut Contents, from: &Origin, input: &mut dyn Input) -> Result<()> {
    let (file, bytes) = match from {
        Origin::StandardInput => ("standard input".to_owned(), read_standard_input(input, ENV_FILE_LIMIT)?),
        Origin::Path(path) => {
            let shown = shown(path);
            let metadata = fs::metadata(path).map_err(|error| reading(&shown, &error))?;
            if metadata.is_dir() {
                return Err(Error::usage(format!("env secret file cannot be a directory: {shown}")));
            }
            let file = File::open(path).map_err(|error| opening(&shown, &error))?;
            let size = usize::try_from(metadata.len()).unwrap_or(0).min(ENV_FILE_LIMIT);
            let bytes = read_at_most(ENV_FILE_LIMIT, file, size, &shown)?;
            (shown, bytes)
        }
    };
    env_file::add_all(contents, &file, bytes.expose(), input)
}

fn read_standard_input(input: &mut dyn Input, limit: usize) -> Result<SecretValue> {
    const SHOWN: &str = "standard input";
    let from = input.standard_input().map_err(|error| reading(SHOWN, &error))?;
    read_at_most(limit, from, 0, SHOWN)
}

/// Reads to the end, or refuses: a pipe or a device may never end.
fn read_at_most(limit: usize, from: impl Read, expected: usize, shown: &str) -> Result<SecretValue> {
    let value =
        SecretValue::read(from.take(limit as u64 + 1), expected).map_err(|error| reading(shown, &error))?;
    if value.len() > limit {
        return Err(Error::usage(format!("{shown}: Too long: must have at most {limit} bytes"))
            .hint("keep large files on a volume"));
    }
    Ok(value)
}

fn reading(shown: &str, error: &io::Error) -> Error {
    let refusal = Error::failed(format!("error reading {shown}: {}", reason(error)));
    if shown.starts_with("~/") {
        return refusal
            .hint("a shell expands ~ only at the start of a word: put a blank before it instead of '='");
    }
    refusal
}

fn opening(shown: &str, error: &io::Error) -> Error {
    Error::failed(format!("open {shown}: {}", reason(error)))
}

/// The system's reason in the words kubectl's users know.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::NotADirectory => "not a directory".to_owned(),
        io::ErrorKind::IsADirectory => "is a directory".to_owned(),
        _ => error.to_string(),
    }
}

fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy()).into_owned()
}

fn ordinal(position: usize) -> String {
    let suffix = match (position % 100, position % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{position}{suffix}")
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use proptest::prelude::*;

    use super::*;

    const CANARY: &str = "CANARY";

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

    fn literals<const N: usize>(arguments: [&str; N]) -> Result<Contents> {
        read(Source::literals(arguments.map(OsString::from))?, &mut Given(b""))
    }

    fn files<const N: usize>(arguments: [String; N]) -> Result<Contents> {
        read(Source::files(arguments.map(OsString::from))?, &mut Given(b"from stdin"))
    }

    fn env_files<const N: usize>(arguments: [String; N]) -> Result<Contents> {
        read(Source::env_files(arguments.map(OsString::from))?, &mut Given(b"A=1\n"))
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
    fn positions_are_counted_as_people_do() {
        let counted = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal);
        assert_eq!(counted, ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"]);
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
        assert_holds(read(sources, &mut Given(b"")), &[("E", "2"), ("a", "1"), ("k", "v")]);
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
                format!("skipped {path}/dangling: a link to nothing"),
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
        let note =
            |name| format!("{path}/{name} ends in a newline, which becomes part of the value of {name}");
        assert_eq!(notes, [note("token"), note("dos")]);
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
            let contents = read(Source::literals([argument]).ok().unwrap(), &mut Given(b"")).ok().unwrap();
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
        fn no_error_about_a_literal_holds_any_of_it(text in "[ -~]{6,40}") {
            if let Err(error) = literals([&text]) {
                prop_assert!(!error.to_string().contains(&text));
            }
        }
    }
}
