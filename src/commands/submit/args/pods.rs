//! The flags for where the pods run, as whom, and what becomes of them.

use clap::builder::PossibleValuesParser;
use clap::value_parser;

use crate::error::Result;
use crate::flags::Holds;
use crate::secret;
use crate::workload::{self, NewJob, Preemption, Scheduler, Toleration, User};

/// The largest number that the API accepts.
pub(super) const MOST: i64 = i32::MAX as i64;

#[derive(clap::Args)]
pub(super) struct PodArgs {
    /// May be stopped for other jobs, and so get more than the project's quota
    #[arg(long, conflicts_with = "preemptibility")]
    preemptible: bool,

    /// Whether the job may be stopped for other jobs
    #[arg(long, value_name = "WHETHER", hide_short_help = true,
          value_parser = PossibleValuesParser::new(["preemptible", "non-preemptible"]))]
    preemptibility: Option<String>,

    /// The node pool to run in
    #[arg(long = "node-pools", alias = "node-pool", value_name = "POOL", hide_short_help = true, add = Holds::Text)]
    node_pools: Vec<String>,

    /// Run on nodes of this type only: those with the label run.ai/type
    #[arg(long, value_name = "TYPE", hide_short_help = true, add = Holds::Text)]
    node_type: Option<String>,

    /// Run on nodes with this taint too
    #[arg(long = "toleration", value_name = "operator=OPERATOR,key=KEY,…", hide_short_help = true, add = Holds::Text)]
    tolerations: Vec<String>,

    /// Use KAI's scheduler and this queue, on a cluster without Run:ai
    #[arg(long, value_name = "QUEUE", hide_short_help = true, add = Holds::Text)]
    kai_queue: Option<String>,

    /// The user that the containers run as
    #[arg(long = "run-as-uid", value_name = "NUMBER", value_parser = value_parser!(u32).range(0..=MOST),
          hide_short_help = true, add = Holds::Text)]
    uid: Option<u32>,

    /// The group that the containers run as
    #[arg(long = "run-as-gid", value_name = "NUMBER", value_parser = value_parser!(u32).range(0..=MOST),
          hide_short_help = true, add = Holds::Text)]
    gid: Option<u32>,

    /// More groups of that user
    #[arg(long = "supplemental-groups", value_name = "NUMBER,…", value_delimiter = ',',
          value_parser = value_parser!(u32).range(0..=MOST), hide_short_help = true, add = Holds::Text)]
    groups: Vec<u32>,

    /// The service account that the pods run as
    #[arg(long, value_name = "NAME", hide_short_help = true, add = Holds::Text)]
    service_account: Option<String>,

    /// Whether a container that failed is started again in its pod [default: Never]
    #[arg(long, value_name = "Never|OnFailure", value_parser = parse_restart_policy, hide_short_help = true,
          add = Holds::Listed)]
    restart_policy: Option<String>,
}

fn parse_restart_policy(word: &str) -> Result<String, &'static str> {
    match word {
        "Never" | "OnFailure" => Ok(word.to_owned()),
        "Always" => Err(
            "a job ends, so nothing starts its containers again after a success: OnFailure is the nearest",
        ),
        _ => Err("it is Never or OnFailure"),
    }
}

impl PodArgs {
    pub(super) fn add_to(&self, job: NewJob) -> Result<NewJob> {
        if let Some(name) = &self.service_account {
            workload::check_object_name("service account", name)?;
        }
        let node_pools: Vec<String> = self
            .node_pools
            .iter()
            .flat_map(|pools| pools.split([' ', ',']))
            .filter(|pool| !pool.is_empty())
            .map(str::to_owned)
            .collect();
        for label in self.node_type.iter().chain(&self.kai_queue).chain(&node_pools) {
            secret::check_label_value(label).map_err(|error| {
                error.hint("--node-type, --node-pools and --kai-queue take the value of a label")
            })?;
        }
        let scheduler = match &self.kai_queue {
            Some(queue) => Scheduler::Kai { queue: queue.clone() },
            None => Scheduler::Runai,
        };
        let tolerations =
            self.tolerations.iter().map(|text| Toleration::parse(text)).collect::<Result<_>>()?;
        Ok(NewJob {
            preemption: self.preemption(),
            node_pools,
            node_type: self.node_type.clone(),
            tolerations,
            scheduler,
            user: User { uid: self.uid, gid: self.gid, groups: self.groups.clone() },
            service_account: self.service_account.clone(),
            restart_policy: self.restart_policy.clone(),
            ..job
        })
    }

    fn preemption(&self) -> Option<Preemption> {
        let is_preemptible = Preemption::Preemptible.word();
        match self.preemptibility.as_deref() {
            Some(word) if word == is_preemptible => Some(Preemption::Preemptible),
            Some(_) => Some(Preemption::NonPreemptible),
            None => self.preemptible.then_some(Preemption::Preemptible),
        }
    }
}
