//! The kinds of workload, one row each. A new kind is a new row.

use serde_json::Value;

use super::pod_spec::text;
use crate::error::{Error, Result};
use crate::wording::nearest;

/// A kind of workload: how the API and people name it, and where in it a secret can be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// The API group, empty for the core group.
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    /// The name in manifests: `Deployment`.
    pub(crate) name: &'static str,
    /// The name in API paths: `deployments`.
    pub(crate) plural: &'static str,
    pub(crate) singular: &'static str,
    pub(crate) short_names: &'static [&'static str],
    pub(crate) shape: Shape,
    /// What a changed template means for pods, unless the object says otherwise; see [`Kind::on_change_of`].
    pub(crate) on_change: OnChange,
}

/// Where in an object attachments go.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// JSON pointers to pod specs; the step `*` stands for every item of a list or every value of a map.
    PodSpecs(&'static [&'static str]),
}

/// What follows when the place where attachments go is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnChange {
    /// The controller replaces the pods at once.
    RollsOut,
    /// The controller replaces the pods when the rollout is resumed.
    RollsOutWhenResumed,
    /// Pods that run keep what they have, pods made later get it.
    NewPods,
    /// The next scheduled run gets it.
    NextRun,
    /// The server refuses the change: only another object can have it.
    Refused,
}

pub(crate) static KINDS: [Kind; 7] = [
    Kind {
        group: "apps",
        version: "v1",
        name: "Deployment",
        plural: "deployments",
        singular: "deployment",
        short_names: &["deploy"],
        shape: Shape::PodSpecs(&["/spec/template/spec"]),
        on_change: OnChange::RollsOut,
    },
    Kind {
        group: "apps",
        version: "v1",
        name: "StatefulSet",
        plural: "statefulsets",
        singular: "statefulset",
        short_names: &["sts"],
        shape: Shape::PodSpecs(&["/spec/template/spec"]),
        on_change: OnChange::RollsOut,
    },
    Kind {
        group: "apps",
        version: "v1",
        name: "DaemonSet",
        plural: "daemonsets",
        singular: "daemonset",
        short_names: &["ds"],
        shape: Shape::PodSpecs(&["/spec/template/spec"]),
        on_change: OnChange::RollsOut,
    },
    Kind {
        group: "apps",
        version: "v1",
        name: "ReplicaSet",
        plural: "replicasets",
        singular: "replicaset",
        short_names: &["rs"],
        shape: Shape::PodSpecs(&["/spec/template/spec"]),
        on_change: OnChange::NewPods,
    },
    Kind {
        group: "batch",
        version: "v1",
        name: "CronJob",
        plural: "cronjobs",
        singular: "cronjob",
        short_names: &["cj"],
        shape: Shape::PodSpecs(&["/spec/jobTemplate/spec/template/spec"]),
        on_change: OnChange::NextRun,
    },
    Kind {
        group: "batch",
        version: "v1",
        name: "Job",
        plural: "jobs",
        singular: "job",
        short_names: &[],
        shape: Shape::PodSpecs(&["/spec/template/spec"]),
        on_change: OnChange::Refused,
    },
    Kind {
        group: "",
        version: "v1",
        name: "Pod",
        plural: "pods",
        singular: "pod",
        short_names: &["po"],
        shape: Shape::PodSpecs(&["/spec"]),
        on_change: OnChange::Refused,
    },
];

impl Kind {
    /// The kind a person means: kind, plural, singular or short name in any case, alone or as kubectl's
    /// `plural.group` and `plural.version.group`. A usage error, with the nearest name and all names,
    /// otherwise.
    pub(crate) fn named(word: &str) -> Result<&'static Self> {
        KINDS.iter().find(|kind| kind.answers_to(word)).ok_or_else(|| {
            let error = Error::usage(format!("{word:?} is not a kind of workload"));
            let error = match nearest(word, KINDS.iter().flat_map(Self::names)) {
                Some(name) => error.hint(format!("did you mean {name:?}?")),
                None => error,
            };
            let all: Vec<_> = KINDS.iter().map(|kind| kind.singular).collect();
            error.hint(format!("the kinds are: {}", all.join(", ")))
        })
    }

    fn api_version(&self) -> String {
        match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        }
    }

    fn version_path(&self) -> String {
        let root = if self.group.is_empty() { "api" } else { "apis" };
        format!("/{root}/{}", self.api_version())
    }

    /// The API path of all objects of the kind in a namespace.
    pub(crate) fn collection_path(&self, namespace: &str) -> String {
        format!("{}/namespaces/{namespace}/{}", self.version_path(), self.plural)
    }

    /// The API path of all objects of the kind, in a namespace or in all.
    pub(crate) fn list_path(&self, namespace: Option<&str>) -> String {
        match namespace {
            Some(namespace) => self.collection_path(namespace),
            None => format!("{}/{}", self.version_path(), self.plural),
        }
    }

    /// The API path of one object.
    pub(crate) fn object_path(&self, namespace: &str, name: &str) -> String {
        format!("{}/{name}", self.collection_path(namespace))
    }

    /// `deployment.apps/web`: the name kubectl prints.
    pub(crate) fn display_name(&self, name: &str) -> String {
        match self.group {
            "" => format!("{}/{name}", self.singular),
            group => format!("{}.{group}/{name}", self.singular),
        }
    }

    /// What a changed template of this very object means for its pods.
    pub(crate) fn on_change_of(&self, object: &Value) -> OnChange {
        let spec = &object["spec"];
        match self.on_change {
            OnChange::RollsOut if text(&spec["updateStrategy"], "type") == "OnDelete" => OnChange::NewPods,
            OnChange::RollsOut if spec["paused"] == Value::Bool(true) => OnChange::RollsOutWhenResumed,
            usual => usual,
        }
    }

    /// JSON pointers to the pod specs of an object.
    pub(crate) fn pod_specs(&self, object: &Value) -> Vec<String> {
        let Shape::PodSpecs(patterns) = self.shape;
        let found = patterns.iter().flat_map(|pattern| expand(object, pattern));
        found.filter(|pointer| object.pointer(pointer).is_some_and(Value::is_object)).collect()
    }

    /// Every name that people use for the kind, without the group.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        [self.singular, self.plural].into_iter().chain(self.short_names.iter().copied())
    }

    fn answers_to(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        let (name, group) =
            word.split_once('.').map_or((word.as_str(), None), |(name, group)| (name, Some(group)));
        let is_of_group = group
            .is_none_or(|group| group == self.group || group == format!("{}.{}", self.version, self.group));
        is_of_group && self.names().any(|own| own == name)
    }
}

impl OnChange {
    /// The end of a sentence that begins with the name of the workload.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::RollsOut => "replaces its pods now",
            Self::RollsOutWhenResumed => "is paused: its pods are replaced when it is resumed",
            Self::NewPods => "keeps its pods as they are: only new pods get the change",
            Self::NextRun => "gets the change with its next run",
            Self::Refused => "cannot be changed: its pods are made from a template that is immutable",
        }
    }
}

/// The pointers that a pattern with `*` steps stands for in an object.
fn expand(object: &Value, pattern: &str) -> Vec<String> {
    let steps = pattern.split('/').skip(1);
    steps.fold(vec![String::new()], |bases, step| {
        bases.iter().flat_map(|base| below(object, base, step)).collect()
    })
}

fn below(object: &Value, base: &str, step: &str) -> Vec<String> {
    match (step, object.pointer(base)) {
        ("*", Some(Value::Array(items))) => (0..items.len()).map(|index| format!("{base}/{index}")).collect(),
        ("*", Some(Value::Object(map))) => {
            map.keys().map(|key| format!("{base}/{}", key.replace('~', "~0").replace('/', "~1"))).collect()
        }
        (_, Some(Value::Object(map))) if map.contains_key(step) => vec![format!("{base}/{step}")],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_name_kubectl_takes_finds_its_kind() {
        let cases = [
            (
                "deploy deployment deployments Deployment DEPLOYMENTS deployments.apps deploy.v1.apps",
                "Deployment",
            ),
            ("sts statefulset statefulsets StatefulSet statefulset.apps", "StatefulSet"),
            ("ds daemonset daemonsets", "DaemonSet"),
            ("rs replicaset replicasets", "ReplicaSet"),
            ("cj cronjob cronjobs CronJob cronjobs.batch", "CronJob"),
            ("job jobs Job jobs.batch job.v1.batch", "Job"),
            ("po pod pods Pod pods.v1.", "Pod"),
        ];
        for (words, kind) in cases {
            for word in words.split(' ') {
                assert_eq!(Kind::named(word).unwrap().name, kind, "{word}");
            }
        }
    }

    #[test]
    fn no_two_kinds_answer_to_the_same_name() {
        for kind in &KINDS {
            for name in kind.names() {
                assert_eq!(KINDS.iter().filter(|other| other.answers_to(name)).count(), 1, "{name}");
            }
        }
    }

    #[test]
    fn an_unknown_kind_is_answered_with_the_nearest_and_with_all() {
        let error = Kind::named("deployement").unwrap_err().to_string();
        assert!(error.contains("did you mean \"deployment\"?"), "{error}");
        assert!(error.contains("statefulset, daemonset"), "{error}");
        for word in ["", "jobs.apps", "job.v2.batch", "secret", "jobs."] {
            assert!(Kind::named(word).is_err(), "{word}");
        }
    }

    #[test]
    fn paths_and_names_are_those_of_the_api_and_of_kubectl() {
        let deployment = Kind::named("deploy").unwrap();
        let pod = Kind::named("po").unwrap();
        assert_eq!(deployment.collection_path("ns"), "/apis/apps/v1/namespaces/ns/deployments");
        assert_eq!(pod.object_path("ns", "x"), "/api/v1/namespaces/ns/pods/x");
        assert_eq!(deployment.display_name("web"), "deployment.apps/web");
        assert_eq!(Kind::named("cj").unwrap().display_name("x"), "cronjob.batch/x");
        assert_eq!(pod.display_name("x"), "pod/x");
    }

    #[test]
    fn an_object_can_postpone_what_its_kind_does_at_once() {
        let on_delete = json!({"spec": {"updateStrategy": {"type": "OnDelete"}}});
        let paused = json!({"spec": {"paused": true}});
        assert_eq!(Kind::named("sts").unwrap().on_change_of(&on_delete), OnChange::NewPods);
        assert_eq!(Kind::named("deploy").unwrap().on_change_of(&paused), OnChange::RollsOutWhenResumed);
        assert_eq!(Kind::named("deploy").unwrap().on_change_of(&json!({})), OnChange::RollsOut);
        assert_eq!(Kind::named("job").unwrap().on_change_of(&paused), OnChange::Refused);
    }

    #[test]
    fn a_star_stands_for_every_item_of_a_list_and_every_value_of_a_map() {
        let map = json!({"Master": {"pod": {}}, "a/b": {"pod": {}}});
        let object = json!({"spec": {"list": [{"pod": {}}, {"pod": {}}], "map": map}});
        assert_eq!(expand(&object, "/spec/list/*/pod"), ["/spec/list/0/pod", "/spec/list/1/pod"]);
        assert_eq!(expand(&object, "/spec/map/*/pod"), ["/spec/map/Master/pod", "/spec/map/a~1b/pod"]);
        assert_eq!(expand(&object, "/spec/none/*/pod"), Vec::<String>::new());
    }
}
