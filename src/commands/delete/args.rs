//! Defines the command line of `delete`.

use std::time::Duration;

use crate::flags::{self, Holds, WriteArgs, parse_duration};

/// Delete a secret, or a shared one with every copy of it
///
/// A shared secret, or a copy that sync made, is refused, and the command to type instead is named.
/// --cluster-wide stops sharing the secret, waits until Run:ai has removed its copies, removes those that
/// sync made, and then deletes the secret itself. A secret that has a label of Run:ai but not the content of
/// the shared one is left alone and named. If it was stopped at any point, the same command does the rest.
///
/// First it lists the workloads that use the secret, and how. Nothing is deleted, unless --force is given, if
/// one of them could not start without the secret and runs, waits in a queue, is suspended or is a cron job
/// between two runs. It is also refused if a service account pulls images with it, or an ingress uses it.
/// Workloads that have ended, are scaled to 0 or call it optional are only mentioned. Kinds that you may not
/// list are named, and do not stop it.
///
/// --unused looks for secrets that nothing refers to, lists them and asks. What has an owner, is shared or a copy, is a
/// credential of Run:ai or of the server's own types stays. If a kind can't be listed, nothing is deleted without
/// --force. Each is judged again before it goes. -A looks at all projects, and leaves alone and names those that it can't
/// search.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret delete old-token -p team-a\n  \
    kubectl runai-secret delete old-token -p team-a,team-b --dry-run=server\n  \
    kubectl runai-secret delete --unused -A --dry-run\n  \
    kubectl runai-secret delete hf --cluster-wide")]
pub(crate) struct DeleteArgs {
    /// The secrets
    #[arg(value_name = "NAME", required_unless_present = "unused", value_parser = flags::parse_secret, add = Holds::Secret)]
    pub(super) names: Vec<String>,

    /// Delete the secrets that nothing uses, after a review
    #[arg(long, conflicts_with_all = ["names", "cluster_wide"])]
    pub(super) unused: bool,

    /// With --unused: in all projects
    #[arg(short = 'A', long, alias = "all-namespaces")]
    pub(super) all_projects: bool,

    /// Delete a shared secret of the Run:ai namespace, and all its copies
    #[arg(long)]
    pub(super) cluster_wide: bool,

    /// Delete it even if workloads need it; you are still asked to confirm
    #[arg(long)]
    pub(super) force: bool,

    /// How long --cluster-wide waits until Run:ai has removed its copies
    #[arg(long, value_name = "DURATION", default_value = "60s", requires = "cluster_wide", value_parser = parse_duration, hide_short_help = true,
          add = Holds::Text)]
    pub(super) timeout: Duration,

    #[command(flatten)]
    pub(super) write: WriteArgs,
}
