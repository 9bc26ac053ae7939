//! Defines the flags that several commands share, as kubectl has them. Their doc comments are the help that
//! users read.
//!
//! This file is on the ground floor: the connection reads it as well as the commands.

mod argument;
#[cfg(test)]
mod fuzz;
mod words;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Arg, ArgAction, ValueEnum};

pub(crate) use self::argument::{Asked, Brings, Holds, Words};
pub(crate) use self::words::{
    DataForm, DryRun, Output, Report, parse_data_form, parse_duration, parse_end, parse_output, parse_secret,
    parse_span,
};
use self::words::{parse_dry_run, parse_report, parse_validation};

/// The program's file name, which `kubectl runai secret` looks for on PATH.
pub(crate) const BINARY: &str = "kubectl-runai-secret";

/// The file name that `kubectl runai-secret` looks for, and that Krew gives the plugin.
pub(crate) const KREWS_NAME: &str = "kubectl-runai_secret";

/// The namespace of Run:ai's default installation.
pub(crate) const DEFAULT_RUNAI_NAMESPACE: &str = "runai";

/// The flags of every command.
#[derive(clap::Args)]
pub(crate) struct Globals {
    #[command(flatten)]
    pub(crate) place: Place,

    #[command(flatten)]
    pub(crate) talk: OutputFlags,

    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Hides a flag that every command has from the help, which leaves it to `options`; the place stays.
pub(crate) fn left_to_options(flag: Arg) -> Arg {
    let is_left = !matches!(flag.get_id().as_str(), "projects" | "namespace");
    flag.hide_short_help(is_left).hide_long_help(is_left)
}

/// The flags that choose a namespace.
#[derive(clap::Args)]
#[command(next_help_heading = "Where")]
pub(crate) struct Place {
    /// The Run:ai project; its namespace is looked up in the cluster. Some commands take several, also
    /// as a,b
    #[arg(short, long = "project", global = true, value_name = "PROJECT", value_delimiter = ',', add = Holds::Project)]
    pub(crate) projects: Vec<String>,

    /// The namespace; overrides --project and the context's namespace
    #[arg(short, long, global = true, value_name = "NAMESPACE", add = Holds::Namespace)]
    pub(crate) namespace: Option<String>,

    /// Run:ai's own namespace, from which it copies cluster-wide secrets
    #[arg(long, global = true, value_name = "NAMESPACE", default_value = DEFAULT_RUNAI_NAMESPACE,
          add = Holds::Namespace)]
    pub(crate) runai_namespace: String,
}

/// The flags that control prompts and output.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(clap::Args, Clone)]
#[command(next_help_heading = "Prompts and output")]
pub(crate) struct OutputFlags {
    /// Answer yes to every question
    #[arg(short, long, global = true)]
    pub(crate) yes: bool,

    /// Never prompt; a missing argument is an error
    #[arg(long, global = true)]
    pub(crate) no_input: bool,

    /// Print only errors, and what -o asks for
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,

    /// Show each request: method, path, status, time and sizes, never a body
    #[arg(short, long = "verbose", global = true, action = ArgAction::Count)]
    pub(crate) verbosity: u8,

    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,

    /// No colour, and prompts that a screen reader can follow; the same as --color=never
    #[arg(long, global = true, conflicts_with = "color")]
    pub(crate) no_color: bool,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// Parses a path that may be empty. clap's own parser refuses an empty one; kubectl treats it as not given.
fn any_path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// kubectl's client flags, with kubectl's meaning. kubectl passes none of them on to a plugin.
#[derive(clap::Args, Default, PartialEq)]
#[command(next_help_heading = "Connection (as kubectl's)")]
pub(crate) struct Connection {
    /// Path of the kubeconfig file
    #[arg(long, global = true, value_name = "FILE", add = Holds::File, value_parser = any_path())]
    pub(crate) kubeconfig: Option<PathBuf>,

    /// The kubeconfig's context to use
    #[arg(long, global = true, value_name = "NAME", add = Holds::Context)]
    pub(crate) context: Option<String>,

    /// The kubeconfig's cluster to use
    #[arg(long, global = true, value_name = "NAME", add = Holds::Cluster)]
    pub(crate) cluster: Option<String>,

    /// The kubeconfig's user to use
    #[arg(long, global = true, value_name = "NAME", add = Holds::User)]
    pub(crate) user: Option<String>,

    /// Address of the API server
    #[arg(short, long, global = true, value_name = "URL", add = Holds::Confidential)]
    pub(crate) server: Option<String>,

    /// Bearer token for the API server
    #[arg(long, global = true, value_name = "TOKEN", add = Holds::Confidential)]
    pub(crate) token: Option<String>,

    /// User to impersonate
    #[arg(long = "as", global = true, value_name = "USER", add = Holds::Text)]
    pub(crate) impersonate: Option<String>,

    /// Group to impersonate; may be repeated
    #[arg(long = "as-group", global = true, value_name = "GROUP", add = Holds::Text)]
    pub(crate) impersonate_groups: Vec<String>,

    /// UID to impersonate
    #[arg(long = "as-uid", global = true, value_name = "UID", add = Holds::Text)]
    pub(crate) impersonate_uid: Option<String>,

    /// Certificate authority of the API server, a PEM file
    #[arg(long, global = true, value_name = "FILE", add = Holds::File, value_parser = any_path())]
    pub(crate) certificate_authority: Option<PathBuf>,

    /// Client certificate, a PEM file
    #[arg(long, global = true, value_name = "FILE", add = Holds::File, value_parser = any_path())]
    pub(crate) client_certificate: Option<PathBuf>,

    /// Key of the client certificate, a PEM file
    #[arg(long, global = true, value_name = "FILE", add = Holds::File, value_parser = any_path())]
    pub(crate) client_key: Option<PathBuf>,

    /// Do not check the API server's certificate: insecure
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          value_name = "true|false")]
    pub(crate) insecure_skip_tls_verify: Option<bool>,

    /// Name to expect in the API server's certificate
    #[arg(long, global = true, value_name = "NAME", add = Holds::Text)]
    pub(crate) tls_server_name: Option<String>,

    /// Time limit of one request, such as 5s or 2m; 0 is the longest, 10m [default: 30s]
    #[arg(long, global = true, value_name = "DURATION", add = Holds::Text, value_parser = parse_duration)]
    pub(crate) request_timeout: Option<Duration>,
}

/// The flags of a command that writes.
#[derive(clap::Args, Clone)]
pub(crate) struct WriteArgs {
    /// Only show what would be done: "client" writes nothing, "server" has the server check it
    #[arg(long, value_name = "none|client|server", default_value = "none", hide_default_value = true,
          num_args = 0..=1, require_equals = true, default_missing_value = "client", value_parser = parse_dry_run,
          add = Holds::Listed)]
    pub(crate) dry_run: DryRun,

    /// Print the object instead of a sentence, or fields of it
    #[arg(short, long, value_name = "json|yaml|name|jsonpath=…|custom-columns=…", value_parser = parse_output,
          default_value = "", hide_default_value = true, add = Holds::Listed)]
    pub(crate) output: Output,

    /// How the server treats fields that it does not know
    #[arg(long, value_name = "strict|warn|ignore", default_value = "strict", hide_short_help = true,
          num_args = 0..=1, require_equals = true, default_missing_value = "strict", value_parser = parse_validation,
          add = Holds::Listed)]
    pub(crate) validate: &'static str,

    /// Name under which the server records who wrote which field
    #[arg(long, value_name = "NAME", default_value = BINARY, hide_short_help = true, add = Holds::Text)]
    pub(crate) field_manager: String,
}

impl Connection {
    /// Returns the connection to another context. The flags for user and cluster apply to the first context
    /// only, so they are left out.
    pub(crate) fn to_other_context(&self, context: &str) -> Self {
        Self {
            context: Some(context.to_owned()),
            kubeconfig: self.kubeconfig.clone(),
            request_timeout: self.request_timeout,
            ..Self::default()
        }
    }
}

impl OutputFlags {
    /// Returns when to use colour, from `--no-color` or `--color`.
    pub(crate) fn color(&self) -> Color {
        if self.no_color { Color::Never } else { self.color }
    }
}

/// The flags of a report.
#[derive(clap::Args)]
pub(crate) struct ReportArgs {
    /// Output format: json and yaml for programs, jsonpath and custom-columns for fields of the JSON, as kubectl's,
    /// name for names only, wide for more columns
    #[arg(short, long, value_name = "json|yaml|name|wide|jsonpath=…|custom-columns=…", value_parser = parse_report,
          default_value = "", hide_default_value = true, add = Holds::Listed)]
    pub(crate) output: Report,

    #[command(flatten)]
    pub(crate) head: HeadArgs,
}

/// The flag of a table.
#[derive(clap::Args)]
pub(crate) struct HeadArgs {
    /// Print a table without the line of column names
    #[arg(long)]
    no_headers: bool,
}

/// The line of column names of a table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    Shown,
    LeftOut,
}

impl HeadArgs {
    pub(crate) fn head(&self) -> Head {
        if self.no_headers { Head::LeftOut } else { Head::Shown }
    }
}
