//! Finds what workloads would miss after `sync`: keys that the source lacks, and copies that are pruned.

use std::collections::{BTreeMap, BTreeSet};

use super::args::SyncArgs;
use super::plan::Plan;
use crate::cluster::{Cluster, Namespaces};
use crate::error::Result;
use crate::propagation::Step;
use crate::session::Session;
use crate::sharing::survey::title;
use crate::uses;
use crate::uses::who_needs::{Consumers, Deed, Force};
use crate::wording::few;

/// Says which keys go, and returns a line for each workload that would not start without them.
///
/// # Errors
/// The workloads can't be listed.
pub(super) async fn of_keys(plan: &Plan, cluster: &Cluster, session: &Session<'_>) -> Result<Vec<String>> {
    let losing = || plan.tasks.iter().filter(|task| !task.lost_keys().is_empty());
    let mut titles: BTreeMap<Vec<String>, Vec<&str>> = BTreeMap::new();
    for task in losing() {
        titles.entry(task.lost_keys()).or_default().push(title(&task.row));
    }
    if titles.is_empty() {
        return Ok(Vec::new());
    }
    for (keys, titles) in titles {
        let words = uses::losing_keys::in_words(&keys, &plan.name, &few(&titles));
        session.ui.note(&format!("{words}: the source has none of that name"));
    }
    let losses = losing().map(|task| (task.row.namespace.clone(), task.lost_keys())).collect();
    uses::losing_keys::of_copies(&plan.name, &losses, cluster, session).await
}

/// Refuses to prune copies that workloads need, unless that is forced. Before that it lists the copies and
/// what uses them.
///
/// # Errors
/// A workload needs such a copy, or the workloads can't be listed; neither with `--force`.
pub(super) async fn of_copies(
    plans: &[Plan],
    args: &SyncArgs,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<()> {
    let pruned = |plan: &Plan| -> BTreeSet<String> {
        plan.tasks
            .iter()
            .filter(|task| task.step == Step::Remove)
            .map(|task| task.row.namespace.clone())
            .collect()
    };
    let all: BTreeSet<String> = plans.iter().flat_map(pruned).collect();
    if all.is_empty() {
        return Ok(());
    }
    let deed = uses::who_needs::Plan {
        deed: Deed::Delete,
        force: Force::given(args.force),
        names: &args.names,
        dry_run: args.write.dry_run,
    };
    let mut consumers = Consumers::new(Namespaces::around(all.iter()), deed, cluster, session);
    for plan in plans {
        let losing = pruned(plan);
        if losing.is_empty() {
            continue;
        }
        let lines: Vec<String> = plan
            .tasks
            .iter()
            .filter(|task| task.step == Step::Remove)
            .filter_map(|task| task.risk(&plan.name))
            .collect();
        consumers.tell(&plan.name, &lines, |namespace| losing.contains(namespace)).await?;
    }
    Ok(())
}
