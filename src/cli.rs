//! The command line as typed. The doc comments here are the help that users read.
//!
//! Nothing is decided in this file: each command turns its words into a request of its own (`commands/`), and work
//! starts only on that.

mod mistake;
mod overview;

use std::convert::Infallible;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::commands::attach::AttachArgs;
use crate::commands::check::CheckArgs;
use crate::commands::completion::CompletionArgs;
use crate::commands::copy::CopyArgs;
use crate::commands::create::CreateArgs;
use crate::commands::delete::DeleteArgs;
use crate::commands::detach::DetachArgs;
use crate::commands::edit::EditArgs;
use crate::commands::label::LabelArgs;
use crate::commands::list::ListArgs;
use crate::commands::set::SetArgs;
use crate::commands::status::StatusArgs;
use crate::commands::submit::SubmitArgs;
use crate::commands::sync::SyncArgs;
use crate::commands::unset::UnsetArgs;
use crate::commands::usage::UsageArgs;
use crate::commands::view::ViewArgs;
use crate::complete::Line;
use crate::error::Error;

/// The file that `kubectl runai-secret` needs on PATH is kubectl-runai_secret; `kubectl runai secret` needs this one.
pub(crate) const BINARY: &str = "kubectl-runai-secret";

/// Where Run:ai is installed unless somebody chose otherwise.
pub(crate) const DEFAULT_RUNAI_NAMESPACE: &str = "runai";

/// Secrets for Run:ai: create them, share them with every project, attach them to jobs.
///
/// Values of secrets are never shown, logged or handed to another program, unless you ask to see them: `view --reveal`
/// prints them, and `create -o json` and `-o yaml` a manifest, which holds them.
#[derive(Parser)]
#[command(
    // Without blanks: completion scripts make names of functions of it.
    name = BINARY,
    display_name = "kubectl runai-secret",
    bin_name = "kubectl runai-secret",
    version,
    max_term_width = 110,
    args_override_self = true,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    override_usage = "kubectl runai-secret COMMAND [FLAGS]",
    after_help = "Start here:\n  \
        kubectl runai-secret create hf --from-file=HF_TOKEN=token.txt -p team-a\n  \
        kubectl runai-secret attach hf deploy/web --env HF_TOKEN -p team-a\n  \
        kubectl runai-secret submit train -i python -e HF_TOKEN=SECRET:hf,HF_TOKEN -- python train.py"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    #[command(flatten)]
    pub(crate) globals: Globals,
}

// Deferred: to tell the parser of all commands' flags at every start would take as long as all else does together. The
// lines here are for the list of commands; each command has its own.
#[derive(Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Create a secret from files, variables, hidden prompts and more
    Create(Box<CreateArgs>),
    /// Set keys of a secret, and leave its other keys as they are
    Set(Box<SetArgs>),
    /// Take keys out of a secret, and leave its other keys as they are
    Unset(UnsetArgs),
    /// Edit the values of a secret as text, in your editor
    Edit(EditArgs),
    /// Copy a secret to other projects
    Copy(CopyArgs),
    /// Delete a secret, or a shared one with every copy of it
    Delete(DeleteArgs),
    /// List the secrets of a project, without their values
    List(ListArgs),
    /// Show what is in a secret: keys, sizes, what each value looks like
    View(ViewArgs),
    /// Share a secret with every project: mark it cluster-wide for Run:ai
    Label(LabelArgs),
    /// Show where a shared secret arrived, and what is in the way
    Status(StatusArgs),
    /// Make the copies of a shared secret where Run:ai does not
    Sync(SyncArgs),
    /// Attach a secret to a workload: as env, files, for pulling images
    Attach(Box<AttachArgs>),
    /// Detach a secret from a workload: the reverse of attach
    Detach(Box<DetachArgs>),
    /// Submit a new job with secrets attached
    Submit(Box<SubmitArgs>),
    /// Check for secrets that are missing, misspelt, lost or expired
    Check(CheckArgs),
    /// Show which workloads use a secret, and how
    Usage(UsageArgs),
    /// Set up Tab, in kubectl or in a shell
    Completion(CompletionArgs),
}

/// What every command knows.
#[derive(clap::Args)]
pub(crate) struct Globals {
    #[command(flatten)]
    pub(crate) place: Place,

    #[command(flatten)]
    pub(crate) talk: Talk,

    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Which namespace is meant.
#[derive(clap::Args)]
#[command(next_help_heading = "Where")]
pub(crate) struct Place {
    /// The Run:ai project; its namespace is looked up in the cluster. Some commands take several
    #[arg(short, long = "project", global = true, value_name = "PROJECT")]
    pub(crate) projects: Vec<String>,

    /// The namespace; goes before --project and before the context's
    #[arg(short, long, global = true, value_name = "NAMESPACE")]
    pub(crate) namespace: Option<String>,

    /// Where Run:ai is installed and takes cluster-wide secrets from
    #[arg(long, global = true, value_name = "NAMESPACE", default_value = DEFAULT_RUNAI_NAMESPACE, hide_short_help = true)]
    pub(crate) runai_namespace: String,
}

/// How much is said and asked.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(clap::Args, Clone)]
#[command(next_help_heading = "Asking and telling")]
pub(crate) struct Talk {
    /// Answer yes to every question
    #[arg(short, long, global = true)]
    pub(crate) yes: bool,

    /// Never ask; what is missing is an error
    #[arg(long, global = true)]
    pub(crate) no_input: bool,

    /// Only errors and what was asked for with -o
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,

    /// Show each request: method, path, status, time and sizes, never a body
    #[arg(short, long = "verbose", global = true, action = ArgAction::Count)]
    pub(crate) verbosity: u8,

    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_short_help = true)]
    pub(crate) color: Color,

    /// No colour, and questions one line after the other, as for a screen reader; the same as --color=never
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) no_color: bool,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// kubectl's client flags, with kubectl's meaning. kubectl passes none of them on to a plugin, so they are all ours.
#[derive(clap::Args, Default)]
#[command(next_help_heading = "Connection (as kubectl's)")]
pub(crate) struct Connection {
    /// Path of the kubeconfig file
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) kubeconfig: Option<PathBuf>,

    /// The kubeconfig's context to use
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) context: Option<String>,

    /// The kubeconfig's cluster to use
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub(crate) cluster: Option<String>,

    /// The kubeconfig's user to use
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub(crate) user: Option<String>,

    /// Address of the API server
    #[arg(short, long, global = true, value_name = "URL", hide_short_help = true)]
    pub(crate) server: Option<String>,

    /// Bearer token for the API server
    #[arg(long, global = true, value_name = "TOKEN", hide_short_help = true)]
    pub(crate) token: Option<String>,

    /// User to impersonate
    #[arg(long = "as", global = true, value_name = "USER", hide_short_help = true)]
    pub(crate) impersonate: Option<String>,

    /// Group to impersonate; may be repeated
    #[arg(long = "as-group", global = true, value_name = "GROUP", hide_short_help = true)]
    pub(crate) impersonate_groups: Vec<String>,

    /// UID to impersonate
    #[arg(long = "as-uid", global = true, value_name = "UID", hide_short_help = true)]
    pub(crate) impersonate_uid: Option<String>,

    /// Certificate authority of the API server, a PEM file
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) certificate_authority: Option<PathBuf>,

    /// Client certificate, a PEM file
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) client_certificate: Option<PathBuf>,

    /// Key of the client certificate, a PEM file
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) client_key: Option<PathBuf>,

    /// Do not check the API server's certificate: insecure
    #[arg(long, global = true, hide_short_help = true, num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_name = "true|false")]
    pub(crate) insecure_skip_tls_verify: Option<bool>,

    /// Name to expect in the API server's certificate
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub(crate) tls_server_name: Option<String>,

    /// How long one request may take, such as 5s or 2m; 0 for the longest, 10m [default: 30s]
    #[arg(long, global = true, value_name = "DURATION", hide_short_help = true, value_parser = parse_duration)]
    pub(crate) request_timeout: Option<Duration>,
}

/// How a write is carried out and shown.
#[derive(clap::Args)]
pub(crate) struct WriteArgs {
    /// Only show what would be done: "client" writes nothing, "server" has the server check it
    #[arg(long, value_name = "none|client|server", default_value = "none", hide_default_value = true,
          num_args = 0..=1, require_equals = true, default_missing_value = "client", value_parser = parse_dry_run)]
    pub(crate) dry_run: DryRun,

    /// Print the object instead of a sentence
    #[arg(short, long, value_name = "json|yaml|name", value_parser = parse_output, default_value = "",
          hide_default_value = true)]
    pub(crate) output: Output,

    /// What the server does about fields that it does not know
    #[arg(long, value_name = "strict|warn|ignore", default_value = "strict", hide_short_help = true,
          num_args = 0..=1, require_equals = true, default_missing_value = "strict", value_parser = parse_validation)]
    pub(crate) validate: &'static str,

    /// Name under which the server records who wrote which field
    #[arg(long, value_name = "NAME", default_value = BINARY, hide_short_help = true)]
    pub(crate) field_manager: String,
}

/// How far a write goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum DryRun {
    /// It is written.
    None,
    /// Nothing is written; the cluster may be read.
    Client,
    /// The server does all but keep it.
    Server,
}

impl Talk {
    /// When to use colour, whichever flag said it.
    pub(crate) fn color(&self) -> Color {
        if self.no_color { Color::Never } else { self.color }
    }
}

impl DryRun {
    /// What kubectl adds to its success lines.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            DryRun::None => "",
            DryRun::Client => " (dry run)",
            DryRun::Server => " (server dry run)",
        }
    }
}

/// The form of what goes to standard output.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// A sentence for a person.
    Human,
    Json,
    Yaml,
    Name,
}

/// How a report is shown.
#[derive(clap::Args)]
pub(crate) struct ReportArgs {
    /// Print it for a program (json, yaml), as names alone, or with more columns (wide)
    #[arg(short, long, value_name = "json|yaml|name|wide", value_parser = parse_report, default_value = "",
          hide_default_value = true)]
    pub(crate) output: Report,
}

/// The form of a report on standard output.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    /// A table for a person.
    Table,
    /// The same with more columns.
    Wide,
    Json,
    Yaml,
    /// `kind/name`, a line each.
    Name,
}

fn parse_dry_run(word: &str) -> Result<DryRun, String> {
    match word {
        "none" | "false" => Ok(DryRun::None),
        "client" | "true" => Ok(DryRun::Client),
        "server" => Ok(DryRun::Server),
        _ => Err(format!("Invalid dry-run value ({word}). Must be \"none\", \"server\", or \"client\".")),
    }
}

/// kubectl's words for `fieldValidation`.
fn parse_validation(word: &str) -> Result<&'static str, String> {
    match word {
        "strict" | "true" => Ok("Strict"),
        "warn" => Ok("Warn"),
        "ignore" | "false" => Ok("Ignore"),
        _ => Err(format!(
            "invalid - validate option \"{word}\"; must be one of: strict (or true), warn, ignore (or false)"
        )),
    }
}

pub(crate) fn parse_output(word: &str) -> Result<Output, String> {
    match word.to_lowercase().as_str() {
        "" => Ok(Output::Human),
        "json" => Ok(Output::Json),
        "yaml" => Ok(Output::Yaml),
        "name" => Ok(Output::Name),
        _ => Err(format!(
            "unable to match a printer suitable for the output format \"{word}\", \
             allowed formats are: json,name,yaml"
        )),
    }
}

fn parse_report(word: &str) -> Result<Report, String> {
    match word.to_lowercase().as_str() {
        "" => Ok(Report::Table),
        "wide" => Ok(Report::Wide),
        "json" => Ok(Report::Json),
        "yaml" => Ok(Report::Yaml),
        "name" => Ok(Report::Name),
        _ => Err(format!(
            "unable to match a printer suitable for the output format \"{word}\", \
             allowed formats are: json,name,wide,yaml"
        )),
    }
}

/// Reads the name of a secret; `secret/NAME`, as reports and kubectl print it, is the same.
#[expect(clippy::unnecessary_wraps, reason = "clap's parsers of values are fallible")]
pub(crate) fn parse_secret(word: &str) -> Result<String, std::convert::Infallible> {
    let name = word.strip_prefix("secret/").or_else(|| word.strip_prefix("secrets/")).unwrap_or(word);
    Ok(name.to_owned())
}

/// Reads what kubectl takes for `--request-timeout`: a number of seconds, or Go's `1m30s`. Zero is "no limit".
pub(crate) fn parse_duration(word: &str) -> Result<Duration, String> {
    let wrong = || format!("\"{word}\" is not a duration such as 30s, 2m or 1h30m");
    if let Ok(seconds) = word.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let mut rest = word;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        let (factor, unit) = [("ms", 0.001), ("h", 3600.0), ("m", 60.0), ("s", 1.0)]
            .iter()
            .find_map(|(unit, factor)| rest[digits..].starts_with(unit).then_some((*factor, *unit)))
            .ok_or_else(wrong)?;
        seconds += number * factor;
        rest = &rest[digits + unit.len()..];
    }
    if word.is_empty() { Err(wrong()) } else { Duration::try_from_secs_f64(seconds).map_err(|_| wrong()) }
}

/// Why a command line is no command.
pub(crate) enum NoCommand {
    /// Something is missing, and may be asked for.
    Incomplete(Box<clap::Error>),
    Wrong(Error),
}

/// Parses the process's arguments; on `--help` and `--version` prints and exits as clap does.
///
/// # Errors
/// It is no command. No word of it is repeated that may be a value.
pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Cli, NoCommand> {
    let (projects, groups) = (Gathered::default(), Gathered::default());
    let mut command = overview::with_groups(Cli::command())
        .mut_arg("projects", |flag| projects.fill_from(flag))
        .mut_arg("impersonate_groups", |flag| groups.fill_from(flag));
    let parsed = command.try_get_matches_from_mut(words).and_then(|mut matches| {
        Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
    });
    // Taking the tree of commands and flags apart takes as long as parsing did, and the process is short.
    std::mem::forget(command);
    let mut cli = match parsed {
        Ok(cli) => cli,
        Err(error) if is_incomplete(&error) => return Err(NoCommand::Incomplete(Box::new(error))),
        Err(error) if is_help(&error) => print_and_exit(&error),
        Err(error) => return Err(NoCommand::Wrong(mistake::explained(&error))),
    };
    // As kubectl has it: an empty one says nothing.
    cli.globals.place.namespace.take_if(|namespace| namespace.is_empty());
    cli.globals.place.projects = projects.take();
    cli.globals.connection.impersonate_groups = groups.take();
    Ok(cli)
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
    /// What is wrong, where nothing is asked for. A bare name of the program prints the help and exits.
    pub(crate) fn refusal(self) -> Error {
        match self {
            Self::Wrong(error) => error,
            Self::Incomplete(error) if is_help(&error) => print_and_exit(&error),
            Self::Incomplete(error) => mistake::explained(&error),
        }
    }
}

/// How to talk, also where the line can't be parsed.
pub(crate) fn talk(parsed: &Result<Cli, NoCommand>, typed: &[OsString]) -> Talk {
    if let Ok(cli) = parsed {
        return cli.globals.talk.clone();
    }
    let words: Vec<String> = typed.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let mut program = Cli::command();
    program.build();
    let (line, _) = Line::read(&program, &[words, vec![String::new()]].concat());
    let color = line.value("color").and_then(|word| Color::from_str(word, true).ok());
    Talk {
        yes: line.has("yes"),
        no_input: line.has("no-input"),
        quiet: line.has("quiet"),
        verbosity: u8::try_from(line.values("verbose").count()).unwrap_or(u8::MAX),
        color: color.unwrap_or(Color::Auto),
        no_color: line.has("no-color"),
    }
}

/// The words of a flag that may be repeated, both before the command's name and after it.
///
/// clap keeps those on one side only (clap#1570), so they are gathered while it looks at each. On one side they are in
/// the order of the command line.
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

/// Prints all at once: clap would write line by line.
fn print_and_exit(error: &clap::Error) -> ! {
    let text = error.render();
    let (coloured, mut stream): (bool, Box<dyn Write>) = if error.use_stderr() {
        (console::colors_enabled_stderr(), Box::new(io::stderr()))
    } else {
        (console::colors_enabled(), Box::new(io::stdout()))
    };
    let text = if coloured { text.ansi().to_string() } else { text.to_string() };
    // There is nobody left to tell if that fails.
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    std::process::exit(error.exit_code())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_read_as_gos() {
        for (word, milliseconds) in
            [("0", 0), ("5", 5000), ("1s", 1000), ("1m30s", 90_000), ("1.5h", 5_400_000)]
        {
            assert_eq!(parse_duration(word), Ok(Duration::from_millis(milliseconds)), "{word}");
        }
        for word in ["", "s", "5x", "1s2", "-1s"] {
            assert!(parse_duration(word).is_err(), "{word}");
        }
    }
}
