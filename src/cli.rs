//! The command line as typed. The doc comments here are the help that users read.
//!
//! Nothing is decided in this file: each command turns its words into a request of its own (`commands/`), and work
//! starts only on that.

#[cfg(test)]
mod fuzz;
mod mistake;
mod overview;
mod parsing;
#[cfg(test)]
mod reference;
mod repeated;
mod words;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{ArgAction, Parser, Subcommand, ValueEnum};

pub(crate) use self::parsing::{NoCommand, parse, talk};
use self::words::{parse_dry_run, parse_report, parse_validation};
pub(crate) use self::words::{parse_duration, parse_output, parse_secret};
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
    // Not to be silent about it: see `repeated`.
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

    /// What is worth knowing about the line itself.
    #[arg(skip)]
    pub(crate) notes: Vec<String>,
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
    #[arg(long, global = true, hide_short_help = true, conflicts_with = "color")]
    pub(crate) no_color: bool,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// A path, which may be empty: clap's own parser refuses that, and to kubectl it is as good as no flag.
fn any_path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// kubectl's client flags, with kubectl's meaning. kubectl passes none of them on to a plugin, so they are all ours.
#[derive(clap::Args, Default, PartialEq)]
#[command(next_help_heading = "Connection (as kubectl's)")]
pub(crate) struct Connection {
    /// Path of the kubeconfig file
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true, value_parser = any_path())]
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
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true, value_parser = any_path())]
    pub(crate) certificate_authority: Option<PathBuf>,

    /// Client certificate, a PEM file
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true, value_parser = any_path())]
    pub(crate) client_certificate: Option<PathBuf>,

    /// Key of the client certificate, a PEM file
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true, value_parser = any_path())]
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

impl Connection {
    /// The connection to another context. What the flags say of user and cluster holds for the first one.
    pub(crate) fn to_other_context(&self, context: &str) -> Self {
        Self {
            context: Some(context.to_owned()),
            kubeconfig: self.kubeconfig.clone(),
            request_timeout: self.request_timeout,
            ..Self::default()
        }
    }
}

impl Talk {
    /// When to use colour, whichever flag said it.
    pub(crate) fn color(&self) -> Color {
        if self.no_color { Color::Never } else { self.color }
    }
}

impl WriteArgs {
    /// Whether each is as it is where nobody names it.
    pub(crate) fn is_unused(&self) -> bool {
        let Self { dry_run, output, validate, field_manager } = self;
        (*dry_run, *output, *validate, field_manager.as_str())
            == (DryRun::None, Output::Human, "Strict", BINARY)
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
