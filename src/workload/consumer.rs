//! Objects that refer to secrets, small enough to keep those of a whole cluster in memory, and the owners
//! that stand for their dependents.
//!
//! A pod of a Deployment has the Deployment's references. Naming both would list everything twice, and a fix
//! belongs in the Deployment.

use std::collections::HashMap;

use serde_json::Value;

use super::account_logins::{OwnLogins, own_logins};
use super::doubts::{Doubt, doubts};
use super::kind::Kind;
use super::plaintext::{Plaintext, plaintext};
use super::readers::Reader;
use super::references::Reference;
use super::renewal::Renewal;
use super::rollout;
use super::state::State;
use super::tree::{is_true, list, text};
use crate::moment::Moment;

/// The part of an object of the cluster that is kept.
#[derive(Debug, Clone)]
pub(crate) struct Consumer {
    pub(crate) kind: &'static Kind,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) state: State,
    pub(crate) references: Vec<Reference>,
    pub(crate) holder: Holder,
    /// Doubtful entries of its spec; read by [`Consumer::with_doubts`].
    pub(crate) doubts: Vec<Doubt>,
    /// Its own registry logins, one for each of its pod specs; read by [`Consumer::with_doubts`].
    pub(crate) own_logins: Vec<OwnLogins>,
    /// Its credentials in plain text; read by [`Consumer::with_doubts`].
    pub(crate) plaintext: Vec<Plaintext>,
    /// The container of a pod that can't start because of its configuration.
    pub(crate) stuck: Option<String>,
    /// Who of its pods read a secret at its start.
    pub(crate) readers: Vec<Reader>,
    /// When it was told to replace its pods.
    pub(crate) restarted: Option<Moment>,
    /// Whether all of its pods have started what reads a secret; none if no pod was seen that does.
    started: Option<bool>,
    uid: String,
    /// The UID of the object that made this one.
    owner: String,
}

/// The place of a consumer's references.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    Itself,
    /// Its dependents, and not itself: it was changed since, or something else adds them.
    WhatItMade,
}

impl Consumer {
    /// Reads an object of a list, whose items do not state their kind, and keeps the references that are
    /// `wanted`.
    pub(crate) fn of(kind: &'static Kind, object: &Value, wanted: impl Fn(&Reference) -> bool) -> Self {
        let metadata = &object["metadata"];
        let owners = list(metadata, "ownerReferences");
        let owner = owners.iter().find(|owner| is_true(owner, "controller"));
        let mut references = kind.references(object);
        references.extend(kind.probable_references(object));
        references.retain(wanted);
        references.shrink_to_fit();
        let is_pod = kind.name == "Pod" && kind.group.is_empty();
        Self {
            restarted: rollout::restarted(kind, object),
            readers: if is_pod { Reader::of_pod(object, &references) } else { Vec::new() },
            started: if is_pod { Reader::have_started(object, &references) } else { None },
            kind,
            namespace: text(metadata, "namespace").to_owned(),
            name: text(metadata, "name").to_owned(),
            state: State::of(kind, object),
            references,
            holder: Holder::Itself,
            doubts: Vec::new(),
            own_logins: Vec::new(),
            plaintext: Vec::new(),
            stuck: if kind.name == "Pod" { stuck(&object["status"]) } else { None },
            uid: text(metadata, "uid").to_owned(),
            owner: owner.map(|owner| text(owner, "uid").to_owned()).unwrap_or_default(),
        }
    }

    /// Adds the doubts about the object that it was read from.
    pub(crate) fn with_doubts(self, object: &Value) -> Self {
        let (doubts, own_logins) = (doubts(object, self.kind), own_logins(object, self.kind));
        Self { doubts, own_logins, plaintext: plaintext(object, self.kind), ..self }
    }

    /// Returns this consumer, with the additions of its dependents as in [`folded`].
    pub(crate) fn with_what_it_made(self, made: Vec<Self>) -> Vec<Self> {
        let (kind, namespace, name) = (self.kind, self.namespace.clone(), self.name.clone());
        let own = Self { owner: String::new(), ..self };
        let all = folded(made.into_iter().chain([own]).collect());
        all.into_iter()
            .filter(|one| one.kind == kind && one.namespace == namespace && one.name == name)
            .collect()
    }

    /// Returns those of its pods that read by this reference.
    pub(crate) fn readers_by(&self, reference: &Reference) -> impl Iterator<Item = &Reader> {
        self.readers.iter().filter(|reader| reader.reads_by(reference))
    }

    /// Reports whether some of its pods were seen, and all of them have started what reads a secret.
    pub(crate) fn has_started(&self) -> bool {
        self.started == Some(true)
    }

    /// Returns what makes its pods anew. What has an owner that could not be read is that one's to make again.
    pub(crate) fn renewal(&self) -> Renewal {
        match Renewal::of(self.kind) {
            Renewal::SubmitAgain | Renewal::NextRun if !self.owner.is_empty() => Renewal::Controller,
            renewal => renewal,
        }
    }

    pub(crate) fn uid(&self) -> &str {
        &self.uid
    }

    /// Returns `deployment.apps/web`.
    pub(crate) fn display_name(&self) -> String {
        self.kind.display_name(&self.name)
    }
}

/// Returns the first container that waits with `CreateContainerConfigError`: a secret, a config map or a key
/// is missing.
fn stuck(status: &Value) -> Option<String> {
    let lists = ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"];
    let mut containers = lists.into_iter().flat_map(|field| list(status, field));
    let waits = |one: &&Value| text(&one["state"]["waiting"], "reason") == "CreateContainerConfigError";
    containers.find(waits).map(|one| text(one, "name").to_owned())
}

/// Returns the consumers, sorted, with each owner in place of its dependents.
///
/// If a live dependent refers to a secret that its owner does not, or no longer, refers to, the reference is
/// listed as the owner's too, in the dependent's state. Dependents that ended are left out: nothing starts
/// them again.
pub(crate) fn folded(mut all: Vec<Consumer>) -> Vec<Consumer> {
    let by_uid: HashMap<&str, usize> =
        all.iter().enumerate().map(|(index, one)| (one.uid.as_str(), index)).collect();
    // An object can't be its own owner, and a chain is at most as long as the number of kinds that make
    // others.
    let owner_of = |one: &Consumer| by_uid.get(one.owner.as_str()).copied().filter(|_| !one.owner.is_empty());
    let top: Vec<Option<usize>> = all
        .iter()
        .map(|one| {
            let chain = std::iter::successors(owner_of(one), |at| owner_of(&all[*at]));
            chain.take(8).last()
        })
        .collect();
    let mut extra = Vec::new();
    for (index, top) in top.iter().enumerate() {
        let Some(top) = *top else { continue };
        let started = all[index].started;
        let of_top = &mut all[top].started;
        *of_top = of_top.zip(started).map(|(one, other)| one && other).or(*of_top).or(started);
        let (of_owner, own) = readers_by_holder(std::mem::take(&mut all[index].readers), &all[top]);
        for reader in of_owner {
            reader.add(&mut all[top].readers);
        }
        match what_it_adds(&all[index], &all[top]) {
            Some(added) => extra.push(Consumer { readers: own, ..added }),
            None => all[top].readers.extend(own),
        }
    }
    let owners = all.into_iter().zip(top).filter(|(_, top)| top.is_none()).map(|(one, _)| one);
    let mut folded: Vec<Consumer> = owners.chain(extra).filter(Consumer::matters).collect();
    folded.sort_by(|a, b| a.place().cmp(&b.place()));
    folded.dedup_by(|one, before| {
        let is_more = one.place() == before.place() && before.covers(one);
        if is_more {
            for reader in one.readers.drain(..) {
                reader.add(&mut before.readers);
            }
        }
        is_more
    });
    folded
}

/// Returns the readers of a dependent that read by a reference of its owner, and those that do not.
fn readers_by_holder(readers: Vec<Reader>, owner: &Consumer) -> (Vec<Reader>, Vec<Reader>) {
    readers.into_iter().partition(|reader| owner.references.iter().any(|own| reader.reads_by(own)))
}

/// Returns the references of a dependent that its owner lacks, in the owner's name.
fn what_it_adds(one: &Consumer, top: &Consumer) -> Option<Consumer> {
    let state = match one.state {
        State::ScaledToZero if one.kind.name == "ReplicaSet" => State::EarlierRevision,
        State::Finished => return None,
        state => state,
    };
    let (references, stuck) = (one.references.clone(), one.stuck.clone());
    let mut added = Consumer {
        state,
        references,
        holder: Holder::WhatItMade,
        doubts: Vec::new(),
        own_logins: Vec::new(),
        plaintext: Vec::new(),
        stuck,
        readers: Vec::new(),
        ..top.clone()
    };
    added.references.retain(|reference| !top.accounts_for(reference));
    added.matters().then_some(added)
}

impl Consumer {
    fn matters(&self) -> bool {
        !self.references.is_empty()
            || self.stuck.is_some()
            || !self.doubts.is_empty()
            || !self.plaintext.is_empty()
    }

    fn place(&self) -> (&str, &str, &str, State) {
        (&self.namespace, self.kind.name, &self.name, self.state)
    }

    /// Returns true if the other adds nothing to this one.
    fn covers(&self, other: &Self) -> bool {
        (other.stuck.is_none() || self.stuck.is_some())
            && (other.doubts.is_empty() || self.doubts == other.doubts)
            && (other.plaintext.is_empty() || self.plaintext == other.plaintext)
            && other.references.iter().all(|reference| self.accounts_for(reference))
    }

    fn accounts_for(&self, other: &Reference) -> bool {
        self.references.iter().any(|own| own.accounts_for(other))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::workload::kind::ServedKind;

    fn object(kind: &str, name: &str, owner: Option<&str>, secrets: &[&str], more: &Value) -> Consumer {
        let kind = Kind::named(kind).unwrap();
        let owners = owner.map(|uid| json!([{"uid": uid, "controller": true}]));
        let pulls: Vec<_> = secrets.iter().map(|name| json!({"name": name})).collect();
        let spec = json!({"imagePullSecrets": pulls});
        let mut spec = match kind.name {
            "Pod" => spec,
            "CronJob" => json!({"jobTemplate": {"spec": {"template": {"spec": spec}}}}),
            _ => json!({"template": {"spec": spec}}),
        };
        spec.as_object_mut().unwrap().extend(more["spec"].as_object().cloned().unwrap_or_default());
        let metadata = json!({"name": name, "namespace": "ns", "uid": name, "ownerReferences": owners});
        let object = json!({"metadata": metadata, "spec": spec, "status": more["status"]});
        Consumer::of(kind, &object, |_| true)
    }

    fn shown(all: Vec<Consumer>) -> Vec<String> {
        let secrets =
            |one: &Consumer| one.references.iter().map(|r| r.secret.clone()).collect::<Vec<_>>().join("+");
        folded(all)
            .iter()
            .map(|one| format!("{} {} {}", one.display_name(), secrets(one), one.state))
            .collect()
    }

    #[test]
    fn an_owner_stands_for_what_it_made() {
        let running = json!({"status": {"phase": "Running"}});
        let all = vec![
            object("pod", "web-1-a", Some("web-1"), &["s"], &running),
            object("rs", "web-1", Some("web"), &["s"], &json!({})),
            object("deploy", "web", None, &["s"], &json!({"status": {"readyReplicas": 1}})),
            object("pod", "alone", None, &["s"], &running),
            object("pod", "of-a-stranger", Some("unknown"), &["s"], &running),
        ];
        assert_eq!(
            shown(all),
            ["deployment.apps/web s running", "pod/alone s running", "pod/of-a-stranger s running"]
        );
    }

    #[test]
    fn a_pod_of_the_workers_says_nothing_new_although_it_has_variables_of_its_own() {
        let container =
            |env: &Value| json!({"name": "main", "env": env, "envFrom": [{"secretRef": {"name": "s"}}]});
        let replica = |env: &Value| json!({"template": {"spec": {"containers": [container(env)]}}});
        let replicas = json!({"Master": {"template": {"spec": {"containers": [{"name": "main"}]}}},
            "Worker": replica(&json!([]))});
        let job = json!({"metadata": {"name": "j", "uid": "j"}, "spec": {"pytorchReplicaSpecs": replicas}});
        let owner = json!([{"uid": "j", "controller": true}]);
        let env = json!([{"name": "MASTER_ADDR", "value": "j-master-0"}]);
        let pod = json!({"metadata": {"name": "j-worker-0", "uid": "p", "ownerReferences": owner},
            "spec": {"containers": [container(&env)]}, "status": {"phase": "Running"}});
        let consumer =
            |kind: &str, object: &Value| Consumer::of(Kind::named(kind).unwrap(), object, |_| true);
        let all = vec![consumer("pod", &pod), consumer("pytorchjob", &job)];
        assert_eq!(shown(all), ["pytorchjob.kubeflow.org/j s queued"]);
    }

    #[test]
    fn what_an_owner_no_longer_has_is_said_as_long_as_something_lives_that_has_it() {
        let all = vec![
            object("deploy", "web", None, &["new"], &json!({"status": {"readyReplicas": 1}})),
            object("rs", "web-0", Some("web"), &["old"], &json!({"spec": {"replicas": 0}})),
            object("rs", "web-1", Some("web"), &["before"], &json!({"status": {"readyReplicas": 1}})),
            object("pod", "web-1-a", Some("web-1"), &["before"], &json!({"status": {"phase": "Running"}})),
            object("cj", "nightly", None, &[], &json!({})),
            object(
                "job",
                "nightly-1",
                Some("nightly"),
                &["s"],
                &json!({"status": {"conditions": [
                {"type": "Complete", "status": "True"}]}}),
            ),
        ];
        assert_eq!(
            shown(all),
            [
                "deployment.apps/web new running",
                "deployment.apps/web before running",
                "deployment.apps/web old earlier revision"
            ]
        );
    }

    #[test]
    fn an_object_of_an_unknown_kind_is_folded_into_the_known_one_that_made_it_and_stands_for_what_it_makes() {
        let served = |kind: &str| {
            let [group, version, name] = ["example.com", "v1", kind].map(str::to_owned);
            let singular = kind.to_lowercase();
            Kind::served(
                &ServedKind { group, versions: vec![version], name, singular, ..ServedKind::default() },
                &[],
            )
        };
        let custom = |kind: &str, name: &str, owner: Value, spec: &Value| {
            let metadata = json!({"name": name, "namespace": "ns", "uid": name, "ownerReferences": owner});
            Consumer::of(served(kind), &json!({"metadata": metadata, "spec": spec}), |_| true)
        };
        let owner = json!([{"uid": "train", "controller": true}]);
        let copy = json!({"template": {"imagePullSecrets": [{"name": "s"}]}});
        let all = vec![
            object("job", "train", None, &["s"], &json!({})),
            custom("Workload", "job-train", owner, &copy),
            custom("Frob", "f", Value::Null, &json!({"auth": {"secretRef": {"name": "t"}}})),
            object("deploy", "f-1", Some("f"), &["u"], &json!({})),
        ];
        assert_eq!(
            shown(all),
            ["frob.example.com/f u starting", "frob.example.com/f t ", "job.batch/train s queued"]
        );
    }

    #[test]
    fn a_pod_that_is_stuck_makes_its_owner_stuck() {
        let waiting = json!({"status": {"phase": "Pending", "containerStatuses": [
            {"name": "main", "state": {"waiting": {"reason": "CreateContainerConfigError"}}}]}});
        let all = vec![
            object("job", "train", None, &["s"], &json!({})),
            object("pod", "train-a", Some("train"), &["s"], &waiting),
        ];
        let folded = folded(all);
        assert_eq!(folded.iter().filter_map(|one| one.stuck.as_deref()).collect::<Vec<_>>(), ["main"]);
        assert!(folded.iter().all(|one| one.display_name() == "job.batch/train"));
    }

    #[test]
    fn objects_that_own_each_other_in_a_circle_end_the_search() {
        let all = vec![
            object("pod", "a", Some("b"), &["s"], &json!({})),
            object("pod", "b", Some("a"), &["s"], &json!({})),
        ];
        assert!(folded(all).len() <= 2);
    }
}
