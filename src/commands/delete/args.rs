//! The command line of `delete`.

use std::time::Duration;

use crate::flags::{self, Holds, WriteArgs, parse_duration};

/// Delete a secret, or a shared one with every copy of it
///
/// A secret that is shared, or a copy of one that sync made, is refused, with what to type instead. --cluster-wide takes
/// the mark off, waits until Run:ai has removed its copies, removes those that sync made, and then the secret itself. A
/// secret with a label of Run:ai whose content is not the shared one's is left alone, and named. Stopped at any point, the
/// same command does the rest.
///
/// First the workloads are listed that use it, and how. Where one that runs, waits in a queue, is suspended or is a cron
/// job between two runs could not start without it, nothing is deleted unless --force says so; for service accounts that
/// pull images with it and for ingresses that is the same. Workloads that ended, are scaled to 0, or call it optional
/// are only mentioned. What you may not list is named, and does not stop it.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret delete old-token -p team-a\n  \
    kubectl runai-secret delete old-token -p team-a --dry-run=server\n  \
    kubectl runai-secret delete hf --cluster-wide")]
pub(crate) struct DeleteArgs {
    /// The secrets
    #[arg(value_name = "NAME", required = true, value_parser = flags::parse_secret, add = Holds::Secret)]
    pub(super) names: Vec<String>,

    /// A shared secret of the Run:ai namespace, and all its copies
    #[arg(long)]
    pub(super) cluster_wide: bool,

    /// Delete it although workloads need it; whether you agree is still asked
    #[arg(long)]
    pub(super) force: bool,

    /// How long --cluster-wide waits until Run:ai has removed its copies
    #[arg(long, value_name = "DURATION", default_value = "60s", requires = "cluster_wide", value_parser = parse_duration, hide_short_help = true,
          add = Holds::Text)]
    pub(super) timeout: Duration,

    #[command(flatten)]
    pub(super) write: WriteArgs,
}
