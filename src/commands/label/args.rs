//! Defines the command line of `label`.

use std::time::Duration;

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{self, Holds, WriteArgs, parse_duration};
use crate::propagation::Key;
use crate::secret::{self, Credential};

/// Share a secret with every project: mark it cluster-wide for Run:ai
///
/// The secret must be in the Run:ai namespace; --from-project copies it there first. Run:ai copies it to the
/// namespace of every project, usually within a minute, and --wait proves it. Nothing else of the secret is
/// changed. Its values are not read: -o prints the secret without data. --dry-run=client reads its labels and
/// those of its copies, and writes nothing.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret label my-secret --wait\n  \
    kubectl runai-secret label my-secret --from-project team-a\n  \
    kubectl runai-secret label my-secret --remove")]
pub(crate) struct LabelArgs {
    /// The secrets
    #[arg(value_name = "NAME", required = true, value_parser = flags::parse_secret, add = Holds::Secret)]
    pub(super) names: Vec<String>,

    /// Copy it from this project to the Run:ai namespace first
    #[arg(long, value_name = "PROJECT", add = Holds::Project)]
    pub(super) from_project: Option<String>,

    /// Wait until every project has its copy, or with --remove has lost it; 60s at most without a duration
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_missing_value = "60s",
          value_parser = parse_duration, add = Holds::Text)]
    pub(super) wait: Option<Duration>,

    /// Stop sharing it; Run:ai then removes the copies. Refused if workloads need them, unless --force is
    /// given
    #[arg(long, conflicts_with_all = ["department", "credential", "from_project"])]
    pub(super) remove: bool,

    /// With --remove: go on even if workloads need their copies; you are still asked to confirm
    #[arg(long, requires = "remove")]
    pub(super) force: bool,

    /// Label to set: legacy (runai/cluster-wide), current (run.ai/cluster-wide) or both
    #[arg(long, value_name = "WHICH", default_value = "both", conflicts_with = "department")]
    pub(super) key: Key,

    /// Share it only with the projects of this department; its id, not its name
    #[arg(long, value_name = "ID", add = Holds::Text)]
    pub(super) department: Option<String>,

    /// Also make it a Run:ai credential of this kind
    #[arg(long, value_name = "KIND")]
    pub(super) credential: Option<Credential>,

    #[command(flatten)]
    pub(super) write: WriteArgs,
}

impl LabelArgs {
    /// Refuses what is no secret's name, and labels as `kubectl label` takes them.
    pub(super) fn check_names(&self) -> Result<()> {
        let is_label = |word: &String| word.split_once('=').is_some_and(|(key, _)| key.contains("run"));
        if self.names.iter().any(is_label) {
            let others = CommandLine::kubectl("label secret").then("NAME KEY=VALUE");
            return Err(Error::usage(
                "label takes names of secrets, and sets the labels for sharing by itself",
            )
            .hint(format!("leave the label out: {}", CommandLine::plugin("label NAME")))
            .hint(format!("for other labels: {others}")));
        }
        self.names.iter().try_for_each(|name| secret::check_secret_name(name))
    }
}

impl ValueEnum for Key {
    fn value_variants<'a>() -> &'a [Self] {
        &[Key::Legacy, Key::Current, Key::Both]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Key::Legacy => "legacy",
            Key::Current => "current",
            Key::Both => "both",
        }))
    }
}
