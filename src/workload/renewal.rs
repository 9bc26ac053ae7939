//! What makes a workload read its secrets again.
//!
//! Whoever deletes an object loses what it stands for. A job and a pod of one's own are submitted again; an object of
//! a kind that is not known may be a database.

use super::kind::Kind;
use super::rollout::is_restartable;

/// What makes the pods of a workload anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// A change of its pod template.
    Restart,
    /// Nothing: it is deleted and submitted again.
    SubmitAgain,
    /// Its next run.
    NextRun,
    /// Its controller, where somebody deletes them.
    DeletedPods,
    /// Its controller, by rules of its own.
    Controller,
}

impl Renewal {
    /// Returns that of a kind, as far as the kind tells.
    pub(crate) fn of(kind: &Kind) -> Self {
        match (kind.group, kind.name) {
            _ if is_restartable(kind) => Self::Restart,
            ("", "Pod")
            | ("batch", "Job")
            | ("jobset.x-k8s.io", "JobSet")
            | ("kubeflow.org", "MPIJob" | "PyTorchJob" | "TFJob" | "XGBoostJob" | "JAXJob")
            | ("ray.io", "RayJob")
            | ("run.ai", "RunaiJob" | "TrainingWorkload" | "InteractiveWorkload" | "DistributedWorkload") => {
                Self::SubmitAgain
            }
            ("batch", "CronJob") => Self::NextRun,
            ("apps", "ReplicaSet") | ("ray.io", "RayCluster") => Self::DeletedPods,
            _ => Self::Controller,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::kind::{KINDS, ServedKind};

    #[test]
    fn only_jobs_pods_and_trainings_of_known_kinds_are_ever_submitted_again() {
        let again = KINDS.iter().filter(|kind| Renewal::of(kind) == Renewal::SubmitAgain);
        let names: Vec<&str> = again.map(|kind| kind.name).collect();
        assert_eq!(
            names,
            [
                "Job",
                "Pod",
                "RunaiJob",
                "TrainingWorkload",
                "InteractiveWorkload",
                "DistributedWorkload",
                "MPIJob",
                "PyTorchJob",
                "TFJob",
                "XGBoostJob",
                "JAXJob",
                "RayJob",
                "JobSet",
            ]
        );
        let served = |group: &str, name: &str| {
            let (group, name, singular) = (group.to_owned(), name.to_owned(), name.to_lowercase());
            let versions = vec!["v1".to_owned()];
            Kind::served(&ServedKind { group, versions, name, singular, ..ServedKind::default() }, &[])
        };
        for (group, name) in
            [("example.com", "PostgresCluster"), ("example.com", "Job"), ("argoproj.io", "Rollout")]
        {
            assert_eq!(Renewal::of(served(group, name)), Renewal::Controller, "{name}");
        }
    }
}
