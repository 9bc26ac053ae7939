//! Explains a command line that is not understood, in the form of every error: what is wrong, then what to
//! type.
//!
//! clap's own text repeats what it found. Here an unexpected word is not shown: it may be a password that
//! lost its flag (`--from-literal password= hunter2`), and error output ends in logs.

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::elsewhere;
use crate::command_line::CommandLine;
use crate::error::Error;
use crate::wording::{is_near, list};
use crate::{commands, logins};

/// Flags that people expect of commands, each with what it would do and how that is typed. A word that takes the place of
/// the flag begins with dashes.
const FLAGS_ELSEWHERE: [(&[&str], &[&str], &str, &str); 7] = [
    (
        &["set", "unset", "edit", "view", "usage", "restart"],
        &["--cluster-wide"],
        "a shared secret is in Run:ai's namespace",
        "-n runai",
    ),
    (&["create", "status", "sync"], &["--wait"], "to wait until the copies are there", "label NAME --wait"),
    (
        &["view"],
        &["--decode", "--show", "--values", "--show-values", "--raw", "--plain"],
        "to see the values",
        "--reveal",
    ),
    (&["check"], &["--expires-within", "--expires", "--expiring"], "for what ends soon", "--within 30d"),
    (&["copy"], &["--to"], "for the projects that get it", "--to-project PROJECT"),
    (&["copy", "label", "diff"], &["--from"], "for the project that has it", "--from-project PROJECT"),
    (&["create", "set"], &["--from-stdin", "--stdin"], "for a value on standard input", "--from-file=KEY=-"),
];

/// Returns the hint for a flag that another command, or another program, has.
fn flag_elsewhere(verb: &str, flag: &str) -> Option<String> {
    let is_it =
        |(verbs, flags, ..): &&(&[&str], &[&str], &str, &str)| verbs.contains(&verb) && flags.contains(&flag);
    let (.., what, way) = FLAGS_ELSEWHERE.iter().find(is_it)?;
    Some(if way.starts_with('-') {
        format!("{what}: {way}")
    } else {
        format!("{what}: {}", CommandLine::plugin(way))
    })
}

/// Commands that take one secret, and one more name.
const ONE_SECRET: [&str; 2] = ["copy", "rename"];

const NOT_SHOWN: &str = "not shown: it may be a secret value";

/// Turns clap's error into one that says what is wrong and what to type.
pub(super) fn explained(error: &clap::Error, program: &Command) -> Error {
    let usage = usage(error);
    let command = command(&usage);
    let mistake = match error.kind() {
        ErrorKind::InvalidSubcommand => unknown_command(error),
        ErrorKind::UnknownArgument => unknown_word(error, program, &usage, &command),
        ErrorKind::TooManyValues => {
            Error::usage(format!("{} takes no value, and was given one ({NOT_SHOWN})", flag(error)))
        }
        ErrorKind::MissingRequiredArgument => missing(error, &usage),
        _ => with_nearest(Error::usage(in_one_line(error)), error, ContextKind::SuggestedValue),
    };
    match command.as_str() {
        "" => mistake.hint("COMMAND --help says what each flag takes"),
        command => mistake.hint(format!("see {command} --help")),
    }
}

/// Returns the command in the project that was typed. Sharing knows none.
fn in_typed_place(line: &'static str) -> CommandLine {
    let command = CommandLine::plugin(line);
    if line.starts_with("label ") { command } else { command.in_typed_place() }
}

fn unknown_command(error: &clap::Error) -> Error {
    let word = text(error, ContextKind::InvalidSubcommand);
    match elsewhere::lines_for(&word) {
        Some(here) => {
            here.iter().fold(Error::usage(format!("unknown command {word:?}")), |error, (what, line)| {
                error.hint(format!("{what}: {}", in_typed_place(line)))
            })
        }
        None if let Some(service) = logins::named(&word) => {
            let create = CommandLine::plugin("create").arg(service.name).in_typed_place();
            Error::usage(format!("unknown command {word:?}")).hint(format!("for {}: {create}", service.title))
        }
        None => with_nearest(
            Error::usage(format!("unknown command ({NOT_SHOWN})")),
            error,
            ContextKind::SuggestedSubcommand,
        ),
    }
}

/// Explains an unknown flag, or a word where none is expected.
fn unknown_word(error: &clap::Error, program: &Command, usage: &[String], command: &str) -> Error {
    let word = text(error, ContextKind::InvalidArg);
    if !word.starts_with('-') {
        let unexpected = Error::usage(format!("unexpected argument ({NOT_SHOWN})"));
        if let Some(one) = ONE_SECRET.iter().find(|one| command.ends_with(**one)) {
            let line = CommandLine::plugin(one).then("NAME").in_typed_place();
            return with_usage(unexpected, usage)
                .hint(format!("{one} takes one secret; run it once for each: {line} …"));
        }
        return with_usage(unexpected, usage)
            .hint("some flags take a value only after '=', such as --dry-run=server; put a value with blanks in quotes");
    }
    let verb = command.rsplit(' ').next().unwrap_or_default();
    if let Some(answer) = commands::answer_to(verb, &word) {
        return answer;
    }
    if let Some(hint) = flag_elsewhere(verb, &word) {
        return Error::usage(format!("unknown flag {word}")).hint(hint);
    }
    let others = those_with_flag(&word, program);
    if !others.is_empty() {
        let unknown = Error::usage(format!("unknown flag {word}"));
        return unknown.hint(format!("it is a flag of {}", list(&others)));
    }
    // A value may begin with dashes too. A single letter hides nothing.
    let is_letter = word.chars().count() == 2;
    let unknown =
        if is_letter { format!("unknown flag {word}") } else { format!("unknown flag ({NOT_SHOWN})") };
    let unknown = Error::usage(unknown);
    if word == "-t" {
        return unknown.hint("a job has no terminal: leave out -t, or -it");
    }
    with_near_flag(unknown, &word, &text(error, ContextKind::SuggestedArg))
}

/// Returns the commands that have a flag: then the word is no value.
fn those_with_flag<'p>(word: &str, program: &'p Command) -> Vec<&'p str> {
    let Some(long) = word.strip_prefix("--").filter(|long| !long.is_empty()) else { return Vec::new() };
    let has = |command: &&Command| {
        command.get_arguments().any(|flag| flag.get_long() == Some(long) && !flag.is_hide_set())
    };
    program.get_subcommands().filter(has).map(Command::get_name).collect()
}

/// Adds the flag that was begun, or typed with a slip. What clap finds alike may mean something else:
/// `--as-uid` for `--run-as-uid`.
fn with_near_flag(mistake: Error, word: &str, alike: &str) -> Error {
    if alike.is_empty() || !(alike.starts_with(word) || is_near(word, alike)) {
        return mistake;
    }
    mistake.hint(format!("did you mean {alike}?"))
}

fn missing(error: &clap::Error, usage: &[String]) -> Error {
    let names = texts(error, ContextKind::InvalidArg);
    let names: Vec<String> = names.iter().map(|name| without_brackets(name)).collect();
    let are = if names.len() == 1 { "is" } else { "are" };
    with_usage(Error::usage(format!("{} {are} required", list(&names))), usage)
}

/// `<NAME>...` → `NAME`, `--image <IMAGE>` → `--image IMAGE`.
fn without_brackets(name: &str) -> String {
    name.trim_end_matches("...").replace(['<', '>'], "")
}

fn with_nearest(mistake: Error, error: &clap::Error, of: ContextKind) -> Error {
    // The likeliest comes last.
    match texts(error, of).last() {
        Some(near) => mistake.hint(format!("did you mean {near}?")),
        None => mistake,
    }
}

fn with_usage(mistake: Error, usage: &[String]) -> Error {
    usage.iter().enumerate().fold(mistake, |mistake, (at, line)| {
        mistake.hint(format!("{} {line}", if at == 0 { "usage:" } else { "or:" }))
    })
}

/// Returns clap's own words in one line: for a flag's value, which may be shown.
fn in_one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let first = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
    first.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the usage lines of the command.
fn usage(error: &clap::Error) -> Vec<String> {
    let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) else { return Vec::new() };
    let usage = usage.to_string();
    let forms = usage.trim_start_matches("Usage: ").lines();
    forms.map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// Returns the command's name from the usage, such as `kubectl runai-secret create`: all words before the
/// first placeholder. Empty if clap gave no usage, as for a flag's value.
fn command(usage: &[String]) -> String {
    let is_name =
        |word: &&str| !word.starts_with('-') && word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    let words = usage.first().map_or("", String::as_str).split(' ');
    words.take_while(is_name).collect::<Vec<_>>().join(" ")
}

/// Returns the flag without the placeholder of its value: `--yes`.
fn flag(error: &clap::Error) -> String {
    let flag = text(error, ContextKind::InvalidArg);
    flag.split([' ', '[', '=']).next().unwrap_or_default().to_owned()
}

fn text(error: &clap::Error, kind: ContextKind) -> String {
    texts(error, kind).pop().unwrap_or_default()
}

fn texts(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}
