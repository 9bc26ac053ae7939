//! Who read a secret at the start of a container, and when: they hold what they read until they start again.

use std::sync::Arc;

use serde_json::Value;

use super::references::{Place, Reference, Sight};
use super::tree::{is_true, list, text};
use crate::moment::Moment;

/// A container that read keys of a secret when it started, or a whole pod that did.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    secret: String,
    /// None for a whole pod.
    container: Option<String>,
    /// Empty for all keys.
    keys: Box<[String]>,
    /// The pods that it stands for, each with the time at which it read.
    pods: Vec<(Moment, Arc<ReaderPod>)>,
}

/// A pod that read something.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ReaderPod {
    pub(crate) name: String,
    pub(crate) maker: Maker,
}

/// What made a pod.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    /// A controller of Kubernetes that makes another where one is missing.
    MakesOthers,
    /// The Job of this name.
    Job(String),
    /// Nobody, or something of which it is not known.
    Other,
}

impl ReaderPod {
    fn of(pod: &Value) -> Self {
        let metadata = &pod["metadata"];
        let mut owners = list(metadata, "ownerReferences").iter();
        let owner = owners.find(|owner| is_true(owner, "controller"));
        let (group, kind) = owner.map_or(("", ""), |owner| {
            let version = text(owner, "apiVersion");
            (version.split_once('/').map_or("", |(group, _)| group), text(owner, "kind"))
        });
        let maker = match (group, kind) {
            ("apps", "ReplicaSet" | "StatefulSet" | "DaemonSet") | ("", "ReplicationController") => {
                Maker::MakesOthers
            }
            ("batch", "Job") => {
                Maker::Job(owner.map(|owner| text(owner, "name").to_owned()).unwrap_or_default())
            }
            _ => Maker::Other,
        };
        Self { name: text(metadata, "name").to_owned(), maker }
    }

    /// Returns the name of the Job that made it.
    pub(crate) fn job(&self) -> Option<&str> {
        match &self.maker {
            Maker::Job(name) => Some(name),
            Maker::MakesOthers | Maker::Other => None,
        }
    }
}

impl Reader {
    /// Returns those of a pod, each with the reference by which it reads.
    pub(super) fn of_pod(pod: &Value, references: &[Reference]) -> Vec<Self> {
        // What has ended holds nothing.
        if matches!(text(&pod["status"], "phase"), "Succeeded" | "Failed") {
            return Vec::new();
        }
        let at_start = references.iter().filter(|reference| reference.way.sight() == Sight::AtStart);
        let named = Arc::new(ReaderPod::of(pod));
        at_start.filter_map(|reference| Self::of(pod, &named, reference)).collect()
    }

    /// Reports whether all of a pod that reads at its start has started, or has ended; none for a pod that reads
    /// nothing, or is over.
    pub(super) fn have_started(pod: &Value, references: &[Reference]) -> Option<bool> {
        let status = &pod["status"];
        let is_over = matches!(text(status, "phase"), "Succeeded" | "Failed");
        let mut at_start = references.iter().filter(|one| one.way.sight() == Sight::AtStart).peekable();
        if is_over || at_start.peek().is_none() {
            return None;
        }
        let lists = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"];
        let has_started = |name: &str| {
            let mut all = lists.into_iter().flat_map(|field| list(status, field));
            let container = all.find(|one| text(one, "name") == name);
            container.is_some_and(|one| {
                let [running, terminated] = ["running", "terminated"].map(|state| &one["state"][state]);
                !running["startedAt"].is_null() || !terminated.is_null()
            })
        };
        Some(at_start.all(|one| match &one.place {
            Place::Whole => text(status, "phase") == "Running",
            Place::Container { name, .. } => has_started(name),
        }))
    }

    fn of(pod: &Value, named: &Arc<ReaderPod>, reference: &Reference) -> Option<Self> {
        let status = &pod["status"];
        let started = match &reference.place {
            Place::Whole => text(status, "startTime"),
            Place::Container { name, .. } => container_started(status, name)?,
        };
        // The start has the clock of the node; the pod was there before by the server's.
        let created = Moment::parse(text(&pod["metadata"], "creationTimestamp"));
        let started = Moment::parse(started)?.max(created?);
        let container = reference.place.container().map(str::to_owned);
        let keys = reference.way.keys().into_iter().map(str::to_owned).collect();
        let pods = vec![(started, Arc::clone(named))];
        Some(Self { secret: reference.secret.clone(), container, keys, pods })
    }

    /// Returns true if it reads because of this reference, or of that of its owner.
    pub(super) fn reads_by(&self, reference: &Reference) -> bool {
        let container = reference.place.container();
        self.secret == reference.secret
            && reference.way.sight() == Sight::AtStart
            && (container.is_none() || container == self.container.as_deref())
            && reference.way.keys().iter().copied().eq(self.keys.iter().map(String::as_str))
    }

    /// Adds a reader; one that reads the same stands for both.
    pub(super) fn add(self, all: &mut Vec<Self>) {
        let is_same = |one: &&mut Self| {
            one.secret == self.secret && one.container == self.container && one.keys == self.keys
        };
        match all.iter_mut().find(is_same) {
            Some(one) => one.pods.extend(self.pods),
            None => all.push(self),
        }
    }

    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    pub(crate) fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Returns when the first of its pods read.
    pub(crate) fn started(&self) -> Moment {
        let starts = self.pods.iter().map(|(started, _)| *started);
        starts.min().expect("a reader is one of a pod")
    }

    /// Returns its pods that read at such a time.
    pub(crate) fn pods_that(&self, read: impl Fn(Moment) -> bool) -> impl Iterator<Item = &Arc<ReaderPod>> {
        self.pods.iter().filter(move |(started, _)| read(*started)).map(|(_, pod)| pod)
    }
}

/// Returns when a container started; none if it does not run. Where nothing is said of single containers, it is the
/// start of the pod.
fn container_started<'a>(status: &'a Value, name: &str) -> Option<&'a str> {
    let lists = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"];
    if lists.iter().all(|field| list(status, field).is_empty()) {
        return (text(status, "phase") == "Running").then(|| text(status, "startTime"));
    }
    let mut all = lists.into_iter().flat_map(|field| list(status, field));
    let container = all.find(|one| text(one, "name") == name)?;
    let started = text(&container["state"]["running"], "startedAt");
    (!started.is_empty()).then_some(started)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::workload::Kind;

    fn pod(status: &Value) -> Value {
        let of_key =
            |key: &str| json!({"name": key, "valueFrom": {"secretKeyRef": {"name": "s", "key": key}}});
        json!({
            "metadata": {"name": "p", "creationTimestamp": "2026-01-02T00:00:00Z"},
            "spec": {
                "initContainers": [{"name": "init", "env": [of_key("a")]}],
                "containers": [
                    {"name": "main", "env": [of_key("a")], "volumeMounts": [{"name": "v", "mountPath": "/v"}]},
                    {"name": "all", "envFrom": [{"secretRef": {"name": "s"}}]},
                    {"name": "part", "volumeMounts": [{"name": "v", "mountPath": "/f", "subPath": "f"}]},
                ],
                "volumes": [{"name": "v", "secret": {"secretName": "s"}}],
            },
            "status": status,
        })
    }

    fn read(status: &Value) -> Vec<String> {
        let pod = pod(status);
        let references = Kind::named("pod").unwrap().references(&pod);
        let said = |one: Reader| {
            let started = one.started();
            format!("{} {:?} {started}", one.container.unwrap(), one.keys)
        };
        let mut all: Vec<String> = Reader::of_pod(&pod, &references).into_iter().map(said).collect();
        all.sort();
        all
    }

    #[test]
    fn who_reads_at_its_start_has_read_when_its_container_started_and_nobody_else_is_one() {
        let running = |day: u32| json!({"running": {"startedAt": format!("2026-01-{day:02}T00:00:00Z")}});
        let status = json!({
            "phase": "Running",
            "startTime": "2026-01-02T00:00:00Z",
            "initContainerStatuses": [{"name": "init", "state": {"terminated": {}}}],
            "containerStatuses": [
                {"name": "main", "state": running(3)},
                // The node's clock is behind.
                {"name": "all", "state": running(1)},
                {"name": "part", "state": running(5)},
            ],
        });
        assert_eq!(
            read(&status),
            [
                "all [] 2026-01-02T00:00:00Z",
                r#"main ["a"] 2026-01-03T00:00:00Z"#,
                "part [] 2026-01-05T00:00:00Z",
            ]
        );
        let waiting = json!({"containerStatuses": [{"name": "main", "state": {"waiting": {}}}]});
        assert!(read(&waiting).is_empty());
        assert!(read(&json!({"phase": "Pending", "startTime": "2026-01-02T00:00:00Z"})).is_empty());
        assert_eq!(read(&json!({"phase": "Running", "startTime": "2026-01-03T00:00:00Z"})).len(), 4);
        let ended = json!({"phase": "Failed", "startTime": "2026-01-03T00:00:00Z",
            "containerStatuses": [{"name": "main", "state": running(3)}]});
        assert!(read(&ended).is_empty(), "an evicted pod keeps nothing");
    }
}
