//! Defines the command line of `sync`.

use std::collections::BTreeMap;

use crate::flags::{self, Holds, WriteArgs};
use crate::propagation::{Allowed, Wishes};

/// Make the copies of a shared secret yourself, where no controller of Run:ai does
///
/// It creates missing copies and updates those that differ, in every project; a second run writes nothing.
/// The copies carry a mark, and only secrets with that mark are ever changed: a secret that merely has a
/// label of Run:ai, and other content, is left alone unless --adopt is given. A namespace that is being
/// deleted is skipped.
///
/// Keys that a copy has and the source lacks are taken out of the copy, and named. If a workload there would
/// not start without them, you are asked first.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret sync hf\n  \
    kubectl runai-secret sync hf --to-project team-a --dry-run=client\n  \
    kubectl runai-secret sync hf --prune")]
pub(crate) struct SyncArgs {
    /// The secrets, in the Run:ai namespace and shared
    #[arg(value_name = "NAME", required = true, value_parser = flags::parse_secret, add = Holds::Secret)]
    pub(super) names: Vec<String>,

    /// Only this project; may be repeated. The same as --project
    #[arg(long = "to-project", value_name = "PROJECT", value_delimiter = ',', add = Holds::Project)]
    pub(super) to_projects: Vec<String>,

    /// Skip this project; may be repeated
    #[arg(long = "exclude-project", value_name = "PROJECT", value_delimiter = ',', add = Holds::Project)]
    pub(super) exclude_projects: Vec<String>,

    /// Remove the copies that sync made where the secret is not shared any more. Refused if workloads need
    /// them, unless --force is given
    #[arg(long)]
    pub(super) prune: bool,

    /// With --prune: remove copies even if workloads need them; you are still asked to confirm
    #[arg(long, requires = "prune")]
    pub(super) force: bool,

    /// Take over secrets of that name that somebody else made, or may have made: their content is replaced
    #[arg(long)]
    pub(super) adopt: bool,

    /// A label for the copies; a later run without it leaves it on them
    #[arg(long = "label", value_name = "KEY=VALUE", add = Holds::Text)]
    pub(super) labels: Vec<String>,

    #[command(flatten)]
    pub(super) write: WriteArgs,
}

impl SyncArgs {
    pub(super) fn wishes<'a>(&self, labels: &'a BTreeMap<String, String>) -> Wishes<'a> {
        let allowed = |flag: bool| if flag { Allowed::Yes } else { Allowed::No };
        let labels = (!labels.is_empty()).then_some(labels);
        Wishes { adopt: allowed(self.adopt), prune: allowed(self.prune), labels }
    }
}
