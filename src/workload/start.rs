//! The progress of a new Job towards a running container, read from the cluster's objects.
//!
//! The kubelet reports a fault and retries for ever, so faults that need a person are told from those that
//! may pass.

use serde_json::Value;

use super::clean_copy::{JobState, job_state};
use super::tree::{list, text};

/// The progress of a Job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    /// It may start yet. `why` is the end of a sentence; the events of the object `of` may say more.
    Waiting {
        why: String,
        of: Object,
        /// The newest warning of that object, if the events were read.
        warning: Option<String>,
    },
    Running {
        pod: String,
    },
    Completed,
    /// The container ran, and failed.
    Failed {
        why: String,
    },
    Stuck(Stuck),
}

/// An object of the Job's namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
}

/// The reason why a Job can't start before somebody acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stuck {
    MissingSecret {
        secret: String,
    },
    MissingKey {
        secret: String,
        key: String,
    },
    /// The image can't be pulled.
    Image {
        image: String,
        why: String,
    },
    /// No pod can be made: a quota, a policy, a missing service account.
    NoPod {
        why: String,
    },
    /// Another reason, in the kubelet's words.
    Other {
        why: String,
    },
}

/// The reasons of a waiting container that do not pass by themselves.
const DEAD_ENDS: [&str; 5] = [
    "CreateContainerError",
    "RunContainerError",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
];

/// Returns the progress of a Job, from its own status and its pods.
pub(crate) fn start(job: &Value, pods: &[Value]) -> Start {
    let name = text(&job["metadata"], "name");
    let ways = pods.iter().map(pod_start);
    // One running pod is enough; a stuck pod says more than a waiting one.
    if let Some(best) = ways.min_by_key(rank)
        && !matches!(best, Start::Failed { .. } if job_state(job) == JobState::Completed)
    {
        return best;
    }
    match job_state(job) {
        JobState::Completed => Start::Completed,
        JobState::Failed => Start::Failed { why: condition(job, "Failed").unwrap_or_default() },
        JobState::Suspended => waiting("it is suspended: the scheduler has yet to admit it", "Job", name),
        JobState::Running { .. } => waiting("it has no pod yet", "Job", name),
    }
}

fn rank(start: &Start) -> u8 {
    match start {
        Start::Running { .. } => 0,
        Start::Completed => 1,
        Start::Stuck(_) => 2,
        Start::Waiting { .. } => 3,
        Start::Failed { .. } => 4,
    }
}

fn waiting(why: &str, kind: &'static str, name: &str) -> Start {
    let of = Object { kind, name: name.to_owned() };
    Start::Waiting { why: why.to_owned(), of, warning: None }
}

fn pod_start(pod: &Value) -> Start {
    let (name, status) = (text(&pod["metadata"], "name"), &pod["status"]);
    let init = list(status, "initContainerStatuses").iter();
    if let Some(stuck) = init.chain(list(status, "containerStatuses")).find_map(stuck) {
        return Start::Stuck(stuck);
    }
    let containers = || list(status, "containerStatuses").iter().map(|container| &container["state"]);
    match text(status, "phase") {
        "Succeeded" => return Start::Completed,
        "Failed" => return Start::Failed { why: failure(status) },
        _ => {}
    }
    if containers().any(|state| state["running"].is_object()) {
        return Start::Running { pod: name.to_owned() };
    }
    if containers().any(|state| state["terminated"]["exitCode"].as_i64().is_some_and(|code| code != 0)) {
        return Start::Failed { why: failure(status) };
    }
    match condition(pod, "PodScheduled").filter(|why| !why.is_empty()) {
        Some(why) => waiting(&format!("no node takes it yet: {why}"), "Pod", name),
        None if text(&pod["spec"], "nodeName").is_empty() => waiting("it waits for a node", "Pod", name),
        None => waiting("its container is being created", "Pod", name),
    }
}

/// Returns the message of a condition that reports a fault: `Failed` if it is true, `PodScheduled` if it is
/// false.
fn condition(object: &Value, kind: &str) -> Option<String> {
    let trouble = if kind == "PodScheduled" { "False" } else { "True" };
    let conditions = list(&object["status"], "conditions").iter();
    let mut found = conditions
        .filter(|condition| text(condition, "type") == kind && text(condition, "status") == trouble);
    found.next().map(|condition| text(condition, "message").to_owned())
}

fn failure(status: &Value) -> String {
    let ended = list(status, "containerStatuses").iter().map(|container| &container["state"]["terminated"]);
    match ended.filter_map(|ended| ended["exitCode"].as_i64()).find(|code| *code != 0) {
        Some(code) => format!("its container ended with exit code {code}"),
        None if text(status, "message").is_empty() => "its pod failed".to_owned(),
        None => format!("its pod failed: {}", text(status, "message")),
    }
}

fn stuck(container: &Value) -> Option<Stuck> {
    let waiting = &container["state"]["waiting"];
    let why = text(waiting, "message");
    match text(waiting, "reason") {
        "CreateContainerConfigError" => {
            Some(missing(why).unwrap_or_else(|| other(why, "its container can't be created")))
        }
        // The first failure has another reason, and may pass.
        "ImagePullBackOff" => {
            Some(Stuck::Image { image: text(container, "image").to_owned(), why: why.to_owned() })
        }
        reason if DEAD_ENDS.contains(&reason) => Some(other(why, reason)),
        _ => None,
    }
}

fn other(why: &str, instead: &str) -> Stuck {
    Stuck::Other { why: if why.is_empty() { instead } else { why }.to_owned() }
}

/// Reads the kubelet's two sentences: `secret "s" not found`, `couldn't find key k in Secret ns/s`.
fn missing(message: &str) -> Option<Stuck> {
    if let Some((key, secret)) =
        message.split_once("couldn't find key ").and_then(|(_, rest)| rest.split_once(" in Secret "))
    {
        let secret = secret.rsplit_once('/').map_or(secret, |(_, name)| name);
        let end = secret.find(|c: char| c.is_whitespace() || c == ':').unwrap_or(secret.len());
        return Some(Stuck::MissingKey { secret: secret[..end].to_owned(), key: key.to_owned() });
    }
    let (_, rest) = message.split_once("secret \"")?;
    let (secret, rest) = rest.split_once('"')?;
    rest.starts_with(" not found").then(|| Stuck::MissingSecret { secret: secret.to_owned() })
}

/// Reads faults that only events report: no pod can be made, or a volume lacks its secret.
pub(crate) fn stuck_by_events(events: &[Value]) -> Option<Stuck> {
    events.iter().rev().find_map(|event| {
        let message = text(event, "message");
        match text(event, "reason") {
            "FailedCreate" => Some(Stuck::NoPod {
                why: message.strip_prefix("Error creating: ").unwrap_or(message).to_owned(),
            }),
            "FailedMount" if message.contains("references non-existent secret key") => {
                Some(other(message, ""))
            }
            "FailedMount" => missing(message),
            _ => None,
        }
    })
}

/// Returns the newest warning among the events, as `BindingError: Failed to bind pod`. A warning that no node
/// was found is over once one was.
pub(crate) fn newest_warning(events: &[Value]) -> Option<String> {
    let bound = events.iter().filter(|event| text(event, "reason") == "Scheduled").map(seen).max();
    let is_over = |event: &Value| {
        text(event, "reason") == "FailedScheduling" && bound.is_some_and(|bound| seen(event) <= bound)
    };
    let warnings = events.iter().filter(|event| text(event, "type") == "Warning" && !is_over(event));
    let newest = warnings.max_by_key(|event| seen(event))?;
    Some(format!("{}: {}", text(newest, "reason"), text(newest, "message")))
}

/// Returns the time at which an event was last seen. Each version of the API has another field for it.
fn seen(event: &Value) -> &str {
    let series = text(&event["series"], "lastObservedTime");
    let made = text(&event["metadata"], "creationTimestamp");
    [series, text(event, "lastTimestamp"), text(event, "eventTime"), made]
        .into_iter()
        .max()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(phase: &str, state: &Value) -> Value {
        json!({
            "metadata": {"name": "p"}, "spec": {"nodeName": "n"},
            "status": {"phase": phase, "containerStatuses": [{"image": "i", "state": state}]},
        })
    }

    fn waiting_for(reason: &str, message: &str) -> Value {
        pod("Pending", &json!({"waiting": {"reason": reason, "message": message}}))
    }

    #[test]
    fn the_kubelets_words_say_which_secret_or_key_is_missing() {
        for (message, expected) in [
            ("secret \"hf\" not found", Stuck::MissingSecret { secret: "hf".to_owned() }),
            (
                "couldn't find key HF_TOKEN in Secret ns/hf",
                Stuck::MissingKey { secret: "hf".to_owned(), key: "HF_TOKEN".to_owned() },
            ),
            ("configmap \"c\" not found", Stuck::Other { why: "configmap \"c\" not found".to_owned() }),
            ("", Stuck::Other { why: "its container can't be created".to_owned() }),
        ] {
            let pods = [waiting_for("CreateContainerConfigError", message)];
            assert_eq!(start(&json!({}), &pods), Start::Stuck(expected));
        }
    }

    #[test]
    fn an_image_gets_a_second_try() {
        let first = start(&json!({}), &[waiting_for("ErrImagePull", "not found")]);
        assert!(matches!(first, Start::Waiting { .. }), "{first:?}");
        let second = start(&json!({}), &[waiting_for("ImagePullBackOff", "not found")]);
        assert_eq!(second, Start::Stuck(Stuck::Image { image: "i".to_owned(), why: "not found".to_owned() }));
    }

    #[test]
    fn of_several_pods_the_one_that_runs_counts_and_then_the_one_that_is_stuck() {
        let running = pod("Running", &json!({"running": {}}));
        let creating = waiting_for("ContainerCreating", "");
        let stuck = waiting_for("CreateContainerConfigError", "secret \"s\" not found");
        let pods = [creating.clone(), stuck.clone(), running];
        assert_eq!(start(&json!({}), &pods), Start::Running { pod: "p".to_owned() });
        assert!(matches!(start(&json!({}), &[creating, stuck]), Start::Stuck(_)));
    }

    #[test]
    fn what_ended_has_a_clear_end() {
        let ended = pod("Succeeded", &json!({"terminated": {"exitCode": 0}}));
        assert_eq!(start(&json!({}), &[ended]), Start::Completed);
        let failed = pod("Failed", &json!({"terminated": {"exitCode": 3}}));
        let why = "its container ended with exit code 3".to_owned();
        assert_eq!(start(&json!({}), std::slice::from_ref(&failed)), Start::Failed { why });
        let done = json!({"status": {"conditions": [{"type": "Complete", "status": "True"}]}});
        assert_eq!(start(&done, &[failed]), Start::Completed);
        assert_eq!(start(&done, &[]), Start::Completed);
        let evicted = json!({"metadata": {"name": "p"}, "status": {"phase": "Failed", "message": "evicted"}});
        assert_eq!(
            start(&json!({}), &[evicted]),
            Start::Failed { why: "its pod failed: evicted".to_owned() }
        );
    }

    #[test]
    fn what_waits_says_for_what() {
        let unschedulable = json!({"metadata": {"name": "p"}, "status": {"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}]}});
        let Start::Waiting { why, of, .. } = start(&json!({}), &[unschedulable]) else {
            panic!("it may start yet")
        };
        assert_eq!((why.as_str(), of.kind), ("no node takes it yet: 0/3 nodes are available", "Pod"));
        let suspended = json!({"metadata": {"name": "j"}, "spec": {"suspend": true}});
        let Start::Waiting { why, of, .. } = start(&suspended, &[]) else { panic!("it may start yet") };
        assert_eq!((why.starts_with("it is suspended"), of.kind, of.name.as_str()), (true, "Job", "j"));
    }

    #[test]
    fn the_newest_warning_counts_and_one_of_scheduling_only_until_there_is_a_node() {
        let event = |kind: &str, reason: &str, field: &str, at: &str| json!({"type": kind, "reason": reason, "message": "why", field: format!("2026-01-31T12:00:{at}Z")});
        let failed = event("Warning", "FailedScheduling", "lastTimestamp", "01");
        let scheduled = event("Normal", "Scheduled", "eventTime", "02.000000");
        let binding = event("Warning", "BindingError", "lastTimestamp", "03");
        let again = event("Warning", "FailedScheduling", "lastTimestamp", "04");
        let newest = |events: &[&Value]| {
            newest_warning(&events.iter().map(|event| (*event).clone()).collect::<Vec<_>>())
        };
        assert_eq!(newest(&[&failed]).as_deref(), Some("FailedScheduling: why"));
        assert_eq!(newest(&[&scheduled, &failed]), None);
        assert_eq!(newest(&[&binding, &failed, &scheduled]).as_deref(), Some("BindingError: why"));
        assert_eq!(newest(&[&again, &binding, &scheduled]).as_deref(), Some("FailedScheduling: why"));
        assert_eq!(newest(&[]), None);
    }

    #[test]
    fn events_tell_of_quotas_and_of_volumes_without_their_secret() {
        let event = |reason: &str, message: &str| [json!({"reason": reason, "message": message})];
        let quota = event("FailedCreate", "Error creating: pods \"x\" is forbidden: exceeded quota: q");
        let why = "pods \"x\" is forbidden: exceeded quota: q".to_owned();
        assert_eq!(stuck_by_events(&quota), Some(Stuck::NoPod { why }));
        let mount =
            event("FailedMount", "MountVolume.SetUp failed for volume \"v\" : secret \"ssh\" not found");
        assert_eq!(stuck_by_events(&mount), Some(Stuck::MissingSecret { secret: "ssh".to_owned() }));
        assert_eq!(stuck_by_events(&event("FailedMount", "timed out waiting for the condition")), None);
        assert_eq!(stuck_by_events(&event("SuccessfulCreate", "Created pod: x")), None);
    }
}
