//! Parses the words of the process into a command, or into what is wrong or missing.

use std::borrow::Cow;
use std::convert::Infallible;
use std::ffi::OsString;
use std::sync::{Arc, Mutex, PoisonError};

use clap::error::ErrorKind;
use clap::{Arg, Args as _, CommandFactory as _, FromArgMatches as _, Subcommand as _, ValueEnum as _};

use super::{Cli, mistake, overview, program, repeated};
use crate::command_line::reach;
use crate::commands::Command;
use crate::error::Error;
use crate::flags::{BINARY, Color, Globals, OutputFlags, parse_duration};
use crate::typed_line::Line;
use crate::{complete, secret, ui};

/// The reason why a command line is not a command.
pub(crate) enum NoCommand {
    /// Something is missing and may be asked for.
    Incomplete(Box<clap::Error>),
    Wrong(Error),
}

/// Parses the process's arguments; on `--help` and `--version` prints and exits as clap does.
///
/// # Errors
/// The line is not a command. The error repeats no word that may be a value.
pub(crate) fn parse(words: &[OsString]) -> Result<Cli, NoCommand> {
    let words = &with_flag_for_word(words)[..];
    if let Some(version) = version_asked_for(words) {
        print_and_exit(&version);
    }
    let short_cut = with_commands_named_in(words).map(|program| parse_as(program, words));
    let Parsed { mut cli, checked } = match short_cut {
        Some(Ok(parsed)) => parsed,
        // Errors and help need all commands.
        _ => match parse_as(overview::with_groups(Cli::command()), words) {
            Ok(parsed) => parsed,
            Err(error) if is_help(&error) && !is_incomplete(&error) => print_and_exit(&error),
            Err(error) => {
                let program = program();
                keep_reach(&program, words);
                if is_incomplete(&error) {
                    return Err(NoCommand::Incomplete(Box::new(error)));
                }
                return Err(NoCommand::Wrong(mistake::explained(&error, &program)));
            }
        },
    };
    if let (Command::Label(_), Some(word)) = (&cli.command, duration_after_wait(words)) {
        let wrong = Error::usage(format!("{word:?} is a duration, not the name of a secret"));
        return Err(NoCommand::Wrong(wrong.hint(format!("write it with '=': --wait={word}"))));
    }
    reach::keep(&cli.globals.connection, &cli.globals.place.runai_namespace);
    cli.notes = checked.map_err(NoCommand::Wrong)?;
    Ok(cli)
}

/// Keeps the flags of a line that can't be parsed, for the commands that are shown.
fn keep_reach(program: &clap::Command, words: &[OsString]) {
    let line = typed_line(program, words);
    reach::keep(&complete::connection(&line), &line.value_or_default("runai-namespace"));
    // What stands after -p may be a value that lost its flag.
    let is_name = |name: &&str| secret::check_namespace(name).is_ok() && !secret::looks_like_a_token(name);
    let names = |long| line.values(long).filter(is_name).map(ToOwned::to_owned);
    reach::keep_place(match names("namespace").last() {
        Some(namespace) => vec!["-n".to_owned(), namespace],
        None => names("project").flat_map(|project| ["-p".to_owned(), project]).collect(),
    });
}

fn typed_line<'a>(program: &'a clap::Command, words: &[OsString]) -> Line<'a> {
    let words = words.iter().skip(1).map(|word| word.to_string_lossy().into_owned());
    let words: Vec<String> = words.chain([String::new()]).collect();
    Line::read(program, &words).0
}

/// Turns `help COMMAND` and `version`, which kubectl has, into the flags.
fn with_flag_for_word(words: &[OsString]) -> Cow<'_, [OsString]> {
    match words {
        [program, word, command @ ..] if word == "help" => {
            let flag = OsString::from("--help");
            std::iter::once(program).chain(command).chain([&flag]).cloned().collect::<Vec<_>>().into()
        }
        [program, word] if word == "version" => vec![program.clone(), "--version".into()].into(),
        _ => words.into(),
    }
}

/// A parsed command, with the notes on its line.
struct Parsed {
    cli: Cli,
    checked: Result<Vec<String>, Error>,
}

/// Returns the version if nothing else is asked for: no command needs to be known for it.
fn version_asked_for(words: &[OsString]) -> Option<clap::Error> {
    let [_, _] = words else { return None };
    let program = clap::Command::new(BINARY).disable_help_flag(true);
    let program = program.display_name("kubectl runai-secret").version(env!("CARGO_PKG_VERSION"));
    program.try_get_matches_from(words).err().filter(|error| error.kind() == ErrorKind::DisplayVersion)
}

/// Returns the program with only those commands whose names are among the words, for a correct line. clap
/// copies all global flags into each command that it is told of, which takes a fifth of a short run.
fn with_commands_named_in(words: &[OsString]) -> Option<clap::Command> {
    let is_named = |name: &str| words.iter().skip(1).any(|word| word == name);
    if is_named("--help") || is_named("-h") {
        return None;
    }
    let all = Command::augment_subcommands(clap::Command::new(BINARY));
    let named: Vec<clap::Command> =
        all.get_subcommands().filter(|command| is_named(command.get_name())).cloned().collect();
    let program = Globals::augment_args(clap::Command::new(BINARY));
    (!named.is_empty())
        .then(|| program.args_override_self(true).disable_help_subcommand(true).subcommands(named))
}

fn parse_as(program: clap::Command, words: &[OsString]) -> Result<Parsed, clap::Error> {
    let (projects, groups) = (Gathered::default(), Gathered::default());
    let mut program = program
        .mut_arg("projects", |flag| projects.fill_from(flag))
        .mut_arg("impersonate_groups", |flag| groups.fill_from(flag));
    let parsed = program.try_get_matches_from_mut(words).and_then(|mut matches| {
        Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut program))
    });
    let mut checked = if parsed.is_ok() { repeated::check(&program, words) } else { Ok(Vec::new()) };
    // Taking the tree of commands and flags apart takes as long as parsing did, and the process is short.
    if cfg!(not(test)) {
        std::mem::forget(program);
    }
    let mut cli = parsed?;
    // kubectl too ignores an empty namespace: an unset variable leaves one.
    if cli.globals.place.namespace.take_if(|namespace| namespace.is_empty()).is_some() {
        checked = checked.map(|notes| [notes, vec!["--namespace is empty and ignored".to_owned()]].concat());
    }
    cli.globals.place.projects = projects.take();
    cli.globals.connection.impersonate_groups = groups.take();
    Ok(Parsed { cli, checked })
}

/// Returns the duration that follows `--wait` as a word of its own. `--wait` takes a value only after `=`, so
/// the parser takes that word for one more secret.
fn duration_after_wait(words: &[OsString]) -> Option<&str> {
    let words = words.iter().take_while(|word| *word != "--");
    let after = words.skip_while(|word| *word != "--wait").nth(1)?.to_str()?;
    parse_duration(after).is_ok().then_some(after)
}

fn is_incomplete(error: &clap::Error) -> bool {
    use ErrorKind::{DisplayHelpOnMissingArgumentOrSubcommand, MissingRequiredArgument, MissingSubcommand};
    matches!(
        error.kind(),
        DisplayHelpOnMissingArgumentOrSubcommand | MissingRequiredArgument | MissingSubcommand
    )
}

fn is_help(error: &clap::Error) -> bool {
    use ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion};
    matches!(error.kind(), DisplayHelp | DisplayHelpOnMissingArgumentOrSubcommand | DisplayVersion)
}

impl NoCommand {
    /// Returns the error to show if nothing is asked for. If the program's name stands alone, prints the help
    /// and exits.
    pub(crate) fn refusal(self) -> Error {
        match self {
            Self::Wrong(error) => error,
            Self::Incomplete(error) if is_help(&error) => print_and_exit(&error),
            Self::Incomplete(error) => mistake::explained(&error, &program()),
        }
    }
}

/// Returns the flags that control prompts and output, even if the line can't be parsed.
pub(crate) fn talk(parsed: &Result<Cli, NoCommand>, typed: &[OsString]) -> OutputFlags {
    if let Ok(cli) = parsed {
        return cli.globals.talk.clone();
    }
    let program = program();
    let line = typed_line(&program, typed);
    let color = line.value("color").and_then(|word| Color::from_str(word, true).ok());
    OutputFlags {
        yes: line.has("yes"),
        no_input: line.has("no-input"),
        quiet: line.has("quiet"),
        verbosity: u8::try_from(line.values("verbose").count()).unwrap_or(u8::MAX),
        color: color.unwrap_or(Color::Auto),
        no_color: line.has("no-color"),
    }
}

/// Collects the values of a flag that may be repeated, both before the command's name and after it.
///
/// clap keeps the values of one side only (clap#1570), so they are collected while it parses each. The values
/// of one side are in the order of the command line.
#[derive(Default)]
struct Gathered(Arc<Mutex<Vec<String>>>);

impl Gathered {
    fn fill_from(&self, flag: Arg) -> Arg {
        let words = Arc::clone(&self.0);
        flag.value_parser(move |word: &str| {
            words.lock().unwrap_or_else(PoisonError::into_inner).push(word.to_owned());
            Ok::<_, Infallible>(word.to_owned())
        })
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The last line of every help that leaves these flags out.
pub(super) const SHARED_FLAGS: &str =
    "kubectl runai-secret options lists the flags that every command has, such as --yes, -v and --context.";

/// Returns the text of a help or a version, with the line that leads to the other flags.
fn in_full(error: &clap::Error, is_coloured: bool) -> String {
    let text = error.render();
    let text = if is_coloured { text.ansi().to_string() } else { text.to_string() };
    if error.kind() == ErrorKind::DisplayVersion || text.contains("--kubeconfig") {
        return text;
    }
    format!("{}\n\n{SHARED_FLAGS}\n", text.trim_end())
}

/// Prints the whole text in one write (clap writes line by line) and exits.
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "as clap does after help and a version"))]
fn print_and_exit(error: &clap::Error) -> ! {
    if error.use_stderr() {
        ui::write_error(&in_full(error, console::colors_enabled_stderr()));
        std::process::exit(error.exit_code())
    }
    match ui::write_data(in_full(error, console::colors_enabled()).as_bytes()) {
        Ok(()) => std::process::exit(error.exit_code()),
        Err(failure) => {
            ui::write_error(&format!("{failure}\n"));
            std::process::exit(1)
        }
    }
}
