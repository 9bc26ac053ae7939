//! The activity of a workload: one that waits for its turn uses its secrets as much as one that runs.

use std::fmt;

use serde_json::Value;

use super::kind::{Kind, Version};
use super::tree::{is_true, list, text};

/// The activity of an object of the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    Running,
    Starting,
    /// It waits for a node, or a queue holds it back.
    Queued,
    Suspended,
    /// A `CronJob` until its time comes.
    BetweenRuns,
    ScaledToZero,
    /// It ended, well or badly, and does not start again.
    Finished,
    /// A revision that a Deployment replaced, and that an undo would bring back.
    EarlierRevision,
    /// It has no pods, or it is not known whether it has.
    Lasting,
}

impl State {
    /// Returns true if its pods run or are still to come.
    pub(crate) fn is_live(self) -> bool {
        !matches!(self, Self::Finished | Self::EarlierRevision)
    }

    /// Returns its stable name in reports; none for an object without pods, or of an unknown kind.
    pub(crate) fn code(self) -> Option<&'static str> {
        Some(match self {
            Self::Running => "running",
            Self::Starting => "starting",
            Self::Queued => "queued",
            Self::Suspended => "suspended",
            Self::BetweenRuns => "between-runs",
            Self::ScaledToZero => "scaled-to-zero",
            Self::Finished => "finished",
            Self::EarlierRevision => "earlier-revision",
            Self::Lasting => return None,
        })
    }

    pub(crate) fn of(kind: &Kind, object: &Value) -> Self {
        let (spec, status) = (&object["spec"], &object["status"]);
        if let Version::Served(_) = kind.version {
            return of_unknown(status);
        }
        match kind.name {
            "ServiceAccount" | "Ingress" => Self::Lasting,
            "Pod" => of_pod(spec, status),
            "Job" => of_job(spec, status),
            "CronJob" if is_true(spec, "suspend") => Self::Suspended,
            "CronJob" if list(status, "active").is_empty() => Self::BetweenRuns,
            "CronJob" => Self::Running,
            "Deployment" | "StatefulSet" | "ReplicaSet" if spec["replicas"] == 0 => Self::ScaledToZero,
            "Deployment" | "StatefulSet" | "ReplicaSet" => if_any(&status["readyReplicas"], Self::Starting),
            "DaemonSet" => if_any(&status["numberReady"], Self::Starting),
            _ => of_other(spec, status),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BetweenRuns => "between runs",
            Self::ScaledToZero => "scaled to 0",
            Self::EarlierRevision => "earlier revision",
            other => other.code().unwrap_or_default(),
        })
    }
}

fn if_any(count: &Value, otherwise: State) -> State {
    if count.as_u64().is_some_and(|count| count > 0) { State::Running } else { otherwise }
}

/// Reads the status of one of a `JobSet`'s jobs: no condition of the whole says that it runs.
fn is_ready(job: &Value) -> bool {
    if_any(&job["ready"], State::Queued) == State::Running
}

fn has_condition(status: &Value, types: &[&str]) -> bool {
    let mut conditions = list(status, "conditions").iter();
    conditions.any(|one| text(one, "status") == "True" && types.contains(&text(one, "type")))
}

fn of_pod(spec: &Value, status: &Value) -> State {
    match text(status, "phase") {
        "Succeeded" | "Failed" => State::Finished,
        "Running" => State::Running,
        _ if text(spec, "nodeName").is_empty() => State::Queued,
        _ => State::Starting,
    }
}

fn of_job(spec: &Value, status: &Value) -> State {
    if has_condition(status, &["Complete", "Failed"]) {
        State::Finished
    } else if is_true(spec, "suspend") {
        State::Suspended
    } else {
        if_any(&status["ready"], State::Queued)
    }
}

/// Reads the status of an unknown kind: what it calls ready or failed may start again at any time, what
/// succeeded does not.
fn of_unknown(status: &Value) -> State {
    const ENDED: [&str; 3] = ["Succeeded", "Completed", "Complete"];
    let phase = text(status, "phase");
    if has_condition(status, &ENDED) || ENDED.contains(&phase) { State::Finished } else { State::Lasting }
}

/// Reads the words that training operators, Ray, Knative and Run:ai share.
fn of_other(spec: &Value, status: &Value) -> State {
    const ENDED: [&str; 5] = ["Succeeded", "Failed", "Completed", "Complete", "Stopped"];
    let phase = ["phase", "state", "jobStatus", "jobDeploymentStatus"].map(|field| text(status, field));
    let is_one_of =
        |words: &[&str]| phase.iter().any(|at| words.iter().any(|word| word.eq_ignore_ascii_case(at)));
    if has_condition(status, &ENDED) || is_one_of(&ENDED) {
        State::Finished
    } else if is_true(spec, "suspend") || is_true(&spec["runPolicy"], "suspend") || is_one_of(&["suspended"])
    {
        State::Suspended
    } else if has_condition(status, &["Running", "Ready"])
        || is_one_of(&["running", "ready"])
        || list(status, "replicatedJobsStatus").iter().any(is_ready)
    {
        State::Running
    } else {
        State::Queued
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_says_in_its_own_way_what_it_is_doing() {
        let condition = |kind: &str| json!({"status": {"conditions": [{"type": kind, "status": "True"}]}});
        for (kind, object, state) in [
            ("Deployment", json!({"spec": {"replicas": 0}}), State::ScaledToZero),
            ("Deployment", json!({"spec": {"replicas": 2}, "status": {"readyReplicas": 1}}), State::Running),
            ("StatefulSet", json!({"spec": {"replicas": 2}, "status": {}}), State::Starting),
            ("DaemonSet", json!({"status": {"numberReady": 3}}), State::Running),
            ("Job", json!({"spec": {"suspend": true}}), State::Suspended),
            ("Job", json!({"status": {"active": 1}}), State::Queued),
            ("Job", json!({"status": {"active": 1, "ready": 1}}), State::Running),
            ("Job", condition("Failed"), State::Finished),
            ("CronJob", json!({"spec": {}}), State::BetweenRuns),
            ("CronJob", json!({"spec": {"suspend": true}}), State::Suspended),
            ("CronJob", json!({"status": {"active": [{}]}}), State::Running),
            ("Pod", json!({"status": {"phase": "Pending"}}), State::Queued),
            ("Pod", json!({"spec": {"nodeName": "n"}, "status": {"phase": "Pending"}}), State::Starting),
            ("Pod", json!({"status": {"phase": "Failed"}}), State::Finished),
            ("Ingress", json!({}), State::Lasting),
        ] {
            let kind = Kind::referring().find(|one| one.name == kind).unwrap();
            assert_eq!(State::of(kind, &object), state, "{} {object}", kind.name);
        }
    }

    #[test]
    fn custom_kinds_are_read_by_the_words_they_share() {
        let succeeded = json!({"conditions": [{"type": "Succeeded", "status": "True"}]});
        let ready = json!({"conditions": [{"type": "Ready", "status": "True"}]});
        for (spec, status, state) in [
            (json!({}), succeeded, State::Finished),
            (json!({}), json!({"phase": "Completed"}), State::Finished),
            (json!({"runPolicy": {"suspend": true}}), json!({}), State::Suspended),
            (json!({}), json!({"state": "ready"}), State::Running),
            (json!({}), ready, State::Running),
            (json!({}), json!({"replicatedJobsStatus": [{"ready": 0}, {"ready": 1}]}), State::Running),
            (json!({}), json!({"replicatedJobsStatus": [{"active": 1, "ready": 0}]}), State::Queued),
            (json!({"suspend": true}), json!({"replicatedJobsStatus": [{"ready": 1}]}), State::Suspended),
            (json!({}), json!({}), State::Queued),
        ] {
            assert_eq!(of_other(&spec, &status), state, "{spec} {status}");
        }
    }

    #[test]
    fn of_a_kind_that_is_not_known_only_success_is_an_end() {
        let condition = |word: &str| json!({"conditions": [{"type": word, "status": "True"}]});
        for status in [condition("Succeeded"), json!({"phase": "Completed"})] {
            assert_eq!(of_unknown(&status), State::Finished, "{status}");
        }
        for status in [condition("Failed"), condition("Ready"), json!({"phase": "Running"}), json!(null)] {
            assert_eq!(of_unknown(&status), State::Lasting, "{status}");
        }
    }
}
