//! The kinds of workload, one row each.
//!
//! A row describes the shape of the kind in the versions that it knows. So a kind that is not built in is
//! used in a version that both the row and the cluster have.

mod served;
mod table;

use serde_json::Value;
pub(crate) use served::{OfKubernetes, ServedKind};
pub(crate) use table::{KINDS, WITHOUT_PODS};

use super::tree::text;
use crate::error::{Error, Result};
use crate::secret::quoted;
use crate::wording::nearest;

/// A kind of workload: its names, and the places in it that can use a secret.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// The API group, empty for the core group.
    pub(crate) group: &'static str,
    pub(crate) version: Version,
    /// The name in manifests: `Deployment`.
    pub(crate) name: &'static str,
    /// The name in API paths: `deployments`.
    pub(crate) plural: &'static str,
    pub(crate) singular: &'static str,
    pub(crate) short_names: &'static [&'static str],
    pub(crate) shape: Shape,
    /// The effect of a changed template on pods, unless the object says otherwise; see
    /// [`Kind::on_change_of`].
    pub(crate) on_change: OnChange,
}

/// The API version in which a kind is read and written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// This version, on every server.
    BuiltIn(&'static str),
    /// Found at run time. These versions have the shape described here, the best first.
    Known(&'static [&'static str]),
    /// Of a kind that the server alone knows: the version that it says to use.
    Served(&'static str),
}

/// The places for attachments in an object: JSON pointers, in which the step `*` stands for every item of a
/// list or every value of a map.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Pod specs.
    PodSpecs(&'static [&'static str]),
    /// Run:ai's own specs, which take secrets only as `environment.items.VAR.value: "SECRET:name,key"`.
    Environments(&'static [&'static str]),
    /// Service accounts, which take secrets only as registry logins of their pods: `imagePullSecrets`.
    Accounts(&'static [&'static str]),
}

/// One of the places for attachments in an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// A JSON pointer to a pod spec, or to one of Run:ai's own specs.
    pub(crate) pointer: String,
    /// The name of this part, such as `Worker`; none for the only part.
    pub(crate) name: Option<String>,
}

/// Names of a core kind, which kubectl prefers to all others.
const TAKEN: [&str; 2] = ["service", "services"];

/// The effect of a change to the place for attachments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnChange {
    /// The controller replaces the pods at once.
    RollsOut,
    /// The controller replaces the pods when the rollout is resumed.
    RollsOutWhenResumed,
    /// Running pods keep their configuration; later pods get the change.
    NewPods,
    /// A service account: what its pods have is copied into each when it is made.
    PodsToCome,
    /// As `NewPods`, but for the launcher: it is a Job, made once from the template of its time.
    NewWorkers,
    /// The pods belong to a cluster made once from the template of its time: a later cluster gets the change.
    NextCluster,
    /// The next scheduled run gets it.
    NextRun,
    /// A new revision has it; the old one runs until the new one is ready.
    NewRevision,
    /// It is not documented.
    UpToController,
    /// The server refuses the change: only another object can have it.
    Refused,
}

impl Kind {
    /// Returns the kind of service accounts.
    pub(crate) fn service_account() -> &'static Self {
        &WITHOUT_PODS[0]
    }

    /// Returns every kind of the table that can get a secret: workloads, and service accounts.
    pub(crate) fn attachable() -> impl Iterator<Item = &'static Self> + Clone {
        KINDS.iter().chain([Self::service_account()])
    }

    /// Finds the kind by its name: kind, plural, singular or short name in any case, alone or as kubectl's
    /// `plural.group` and `plural.version.group`.
    ///
    /// # Errors
    /// No kind has this name. The hint is the nearest name, or all names.
    pub(crate) fn named(word: &str) -> Result<&'static Self> {
        Self::attachable().find(|kind| kind.answers_to(word)).ok_or_else(|| {
            let error = Error::usage(format!("{} is not a kind of workload", quoted(word)));
            let error = match nearest(word, Self::attachable().flat_map(Self::names)) {
                Some(name) => error.hint(format!("did you mean {name:?}?")),
                None => error,
            };
            let all: Vec<_> = Self::attachable().map(Self::word).collect();
            error.hint(format!("the kinds are: {}", all.join(", ")))
        })
    }

    /// Returns the kind that a manifest names, in any version.
    pub(crate) fn of_manifest(api_version: &str, kind: &str) -> Option<&'static Self> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        KINDS.iter().find(|row| row.group == group && row.name == kind)
    }

    /// Returns the versions with this shape, the best first.
    pub(crate) fn known_versions(&self) -> &[&'static str] {
        match &self.version {
            Version::BuiltIn(version) | Version::Served(version) => std::slice::from_ref(version),
            Version::Known(versions) => versions,
        }
    }

    /// Returns `deployment.apps/web`, the name that kubectl prints.
    pub(crate) fn display_name(&self, name: &str) -> String {
        match self.group {
            "" => format!("{}/{name}", self.singular),
            group => format!("{}.{group}/{name}", self.singular),
        }
    }

    /// Returns the effect of a changed template on the pods of this very object.
    pub(crate) fn on_change_of(&self, object: &Value) -> OnChange {
        let spec = &object["spec"];
        match self.on_change {
            OnChange::RollsOut if text(&spec["updateStrategy"], "type") == "OnDelete" => OnChange::NewPods,
            // Before v2beta1 the launcher was a pod.
            OnChange::NewWorkers if text(object, "apiVersion") != "kubeflow.org/v2beta1" => OnChange::NewPods,
            OnChange::RollsOut if spec["paused"] == Value::Bool(true) => OnChange::RollsOutWhenResumed,
            usual => usual,
        }
    }

    /// Returns JSON pointers to the pod specs of an object.
    pub(crate) fn pod_specs(&self, object: &Value) -> Vec<String> {
        match self.shape {
            Shape::PodSpecs(_) => self.parts(object).into_iter().map(|part| part.pointer).collect(),
            Shape::Environments(_) | Shape::Accounts(_) => Vec::new(),
        }
    }

    /// Returns the places for attachments in an object.
    pub(crate) fn parts(&self, object: &Value) -> Vec<Part> {
        let found = self.shape.patterns().iter().flat_map(|pattern| expand(object, pattern));
        let pointers: Vec<String> =
            found.filter(|pointer| object.pointer(pointer).is_some_and(Value::is_object)).collect();
        let several = pointers.len() > 1;
        let part = |pointer: String| Part { name: several.then(|| part_name(object, &pointer)), pointer };
        pointers.into_iter().map(part).collect()
    }

    /// Returns the name of the part that an attachment changes.
    pub(crate) fn changed_part(&self) -> &'static str {
        match self.shape {
            Shape::PodSpecs(_) => "pod template",
            Shape::Environments(_) => "environment",
            Shape::Accounts(_) => "list of registry logins",
        }
    }

    /// Returns the usual name of the kind; kubectl understands it too.
    pub(crate) fn word(&self) -> &'static str {
        self.names().next().expect("a row has a name")
    }

    /// Returns the name by which a command finds the kind among all known and these: with its group if another one has
    /// its usual name.
    pub(crate) fn word_among(&self, others: &[&'static Self]) -> String {
        let is_anothers = |name: &str| {
            Self::attachable().chain(others.iter().copied()).any(|kind| kind != self && kind.answers_to(name))
        };
        let own = self.names().next().filter(|name| !is_anothers(name));
        own.map_or_else(|| self.in_kubectl(), ToOwned::to_owned)
    }

    /// Returns kubectl's unambiguous name for all objects of the kind: `deployments`, `mpijobs.kubeflow.org`.
    pub(crate) fn in_kubectl(&self) -> String {
        match self.version {
            Version::BuiltIn(_) => self.plural.to_owned(),
            Version::Known(_) | Version::Served(_) => format!("{}.{}", self.plural, self.group),
        }
    }

    /// Returns every name of the kind, without the group.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.all_names().filter(|name| !TAKEN.contains(name))
    }

    fn all_names(&self) -> impl Iterator<Item = &'static str> {
        [self.singular, self.plural].into_iter().chain(self.short_names.iter().copied())
    }

    /// Returns true for a name of the kind, with its group, or without it if that is not a core kind's name.
    pub(crate) fn answers_to(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        let Some((name, group)) = word.split_once('.') else {
            return self.names().any(|name| name == word);
        };
        let is_version = |version: &&str| group == format!("{version}.{}", self.group);
        let is_of_group = group == self.group || self.known_versions().iter().any(is_version);
        is_of_group && self.all_names().any(|own| own == name)
    }
}

impl Shape {
    /// Returns the places for attachments.
    pub(crate) fn patterns(&self) -> &'static [&'static str] {
        let (Self::PodSpecs(patterns) | Self::Environments(patterns) | Self::Accounts(patterns)) = self;
        patterns
    }
}

impl OnChange {
    /// Returns the end of a sentence that begins with the name of the workload.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::RollsOut => "replaces its pods now",
            Self::RollsOutWhenResumed => "is paused: its pods are replaced when it is resumed",
            Self::NewPods => "keeps its pods as they are: only new pods get the change",
            Self::PodsToCome => {
                "is changed: pods made from now on under it get the change, unless they have logins of their own; those that are there keep theirs"
            }
            Self::NewWorkers => {
                "keeps its pods as they are: new workers get the change, its launcher does not"
            }
            Self::NextCluster => {
                "keeps its Ray cluster as it is: the next one, of a retry or after suspend and resume, gets the change"
            }
            Self::NextRun => "gets the change with its next run",
            Self::NewRevision => "gets a new revision, which takes over when it is ready",
            Self::UpToController => "is changed; its controller decides whether running pods get it",
            Self::Refused => "cannot be changed: its pods are made from a template that is immutable",
        }
    }
}

/// Returns the name of the part at this pointer: the key or the name of the item that holds it, such as
/// `Worker` in `/spec/pytorchReplicaSpecs/Worker/template/spec`.
fn part_name(object: &Value, pointer: &str) -> String {
    let mut holder = pointer;
    while let Some((above, "spec" | "template" | "podTemplate")) =
        holder.rsplit_once('/').filter(|(above, _)| !above.is_empty())
    {
        holder = above;
    }
    let item = object.pointer(holder).unwrap_or(&Value::Null);
    let own = [text(item, "name"), text(item, "groupName")].into_iter().find(|name| !name.is_empty());
    let step = holder.rsplit_once('/').map_or(holder, |(_, step)| step);
    own.unwrap_or(step).replace("~1", "/").replace("~0", "~")
}

/// Returns the pointers that a pattern with `*` steps stands for in an object.
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
            ("rj runaijob RunaiJobs runaijobs.run.ai runaijob.v1.run.ai", "RunaiJob"),
            ("trainingworkload trainingworkloads.v2alpha1.run.ai TrainingWorkload", "TrainingWorkload"),
            ("tw training tw.run.ai", "TrainingWorkload"),
            ("iw workspace InteractiveWorkload", "InteractiveWorkload"),
            ("infw inference", "InferenceWorkload"),
            ("dw distributed", "DistributedWorkload"),
            ("dinfw DistributedInferenceWorkload", "DistributedInferenceWorkload"),
            ("lws LeaderWorkerSet", "LeaderWorkerSet"),
            ("mpijob mpijobs.kubeflow.org mpijobs.v2beta1.kubeflow.org MPIJob", "MPIJob"),
            ("rayjob rayjobs.ray.io RayJob", "RayJob"),
            ("jobset jobsets.jobset.x-k8s.io", "JobSet"),
            ("ksvc kservice service.serving.knative.dev services.v1.serving.knative.dev", "Service"),
        ];
        for (words, kind) in cases {
            for word in words.split(' ') {
                assert_eq!(Kind::named(word).unwrap().name, kind, "{word}");
            }
        }
    }

    #[test]
    fn no_two_kinds_answer_to_the_same_name() {
        for kind in Kind::attachable() {
            for name in kind.names() {
                assert_eq!(Kind::attachable().filter(|other| other.answers_to(name)).count(), 1, "{name}");
            }
        }
    }

    #[test]
    fn a_kind_is_offered_by_a_name_that_finds_it() {
        let named = |word| Kind::named(word).unwrap().word_among(&[]);
        assert_eq!([named("deploy"), named("ksvc"), named("tw")], ["deployment", "ksvc", "trainingworkload"]);
        let served = |group: &str, singular: &str| {
            let (group, singular, plural) = (group.to_owned(), singular.to_owned(), format!("{singular}s"));
            Kind::served(&ServedKind { group, plural, singular, ..ServedKind::default() }, &[])
        };
        let job = served("batch.example.com", "job");
        let service = served("a.example.com", "service");
        let (gizmo, other) = (served("a.example.com", "gizmo"), served("b.example.com", "gizmo"));
        assert_eq!(job.word_among(&[job]), "jobs.batch.example.com");
        assert_eq!(service.word_among(&[service]), "services.a.example.com");
        assert_eq!(gizmo.word_among(&[gizmo, job]), "gizmo");
        assert_eq!(gizmo.word_among(&[gizmo, other]), "gizmos.a.example.com");
    }

    #[test]
    fn an_unknown_kind_is_answered_with_the_nearest_and_with_all() {
        let error = Kind::named("deployement").unwrap_err().to_string();
        assert!(error.contains("did you mean \"deployment\"?"), "{error}");
        assert!(error.contains("statefulset, daemonset"), "{error}");
        for word in ["", "jobs.apps", "job.v2.batch", "secret", "jobs.", "svc", "services"] {
            assert!(Kind::named(word).is_err(), "{word}");
        }
    }

    #[test]
    fn a_service_is_not_knatives_unless_it_is_said() {
        let error = Kind::named("service").unwrap_err().to_string();
        assert!(error.contains("did you mean \"kservice\"?"), "{error}");
        assert_eq!(Kind::named("ksvc").unwrap().display_name("x"), "service.serving.knative.dev/x");
    }

    #[test]
    fn a_manifest_names_its_kind_in_any_version() {
        assert_eq!(Kind::of_manifest("batch/v1", "Job").unwrap().plural, "jobs");
        assert_eq!(Kind::of_manifest("v1", "Pod").unwrap().plural, "pods");
        assert_eq!(Kind::of_manifest("ray.io/v9", "RayJob").unwrap().plural, "rayjobs");
        assert_eq!(Kind::of_manifest("serving.knative.dev/v1", "Service").unwrap().plural, "services");
        for (api_version, kind) in [("v1", "Service"), ("v1", "Job"), ("", ""), ("apps/v1", "deployment")] {
            assert_eq!(Kind::of_manifest(api_version, kind), None, "{api_version} {kind}");
        }
    }

    #[test]
    fn the_parts_of_an_object_have_the_names_that_people_gave_them() {
        let named = |kind: &str, object: &Value| -> Vec<String> {
            let parts = Kind::named(kind).unwrap().parts(object);
            parts.into_iter().map(|part| part.name.unwrap_or_default()).collect()
        };
        let pod = || json!({"template": {"spec": {"containers": []}}});
        let torch = json!({"spec": {"pytorchReplicaSpecs": {"Master": pod(), "Worker": pod()}}});
        assert_eq!(named("pytorchjob", &torch), ["Master", "Worker"]);
        let mut workers = pod();
        workers["groupName"] = "gpu".into();
        let cluster = json!({"headGroupSpec": pod(), "workerGroupSpecs": [workers]});
        assert_eq!(named("raycluster", &json!({"spec": cluster})), ["headGroupSpec", "gpu"]);
        let ray = json!({"spec": {"rayClusterSpec": cluster, "submitterPodTemplate": {"spec": {}}}});
        assert_eq!(named("rayjob", &ray), ["headGroupSpec", "gpu", "submitterPodTemplate"]);
        let jobs = json!([{"name": "driver", "template": {"spec": pod()}}, {"template": {"spec": pod()}}]);
        assert_eq!(named("jobset", &json!({"spec": {"replicatedJobs": jobs}})), ["driver", "1"]);
        let distributed = json!({"spec": {"image": {}}, "masterSpec": {}});
        assert_eq!(named("distributedworkload", &distributed), ["spec", "masterSpec"]);
        assert_eq!(named("deployment", &json!({"spec": pod()})), [""]);
    }

    #[test]
    fn names_are_those_of_kubectl() {
        let deployment = Kind::named("deploy").unwrap();
        let pod = Kind::named("po").unwrap();
        assert_eq!(deployment.display_name("web"), "deployment.apps/web");
        assert_eq!(Kind::named("cj").unwrap().display_name("x"), "cronjob.batch/x");
        assert_eq!(pod.display_name("x"), "pod/x");
    }

    #[test]
    fn an_object_can_postpone_what_its_kind_does_at_once() {
        let on_delete = json!({"spec": {"updateStrategy": {"type": "OnDelete"}}});
        let paused = json!({"spec": {"paused": true}});
        assert_eq!(Kind::named("sts").unwrap().on_change_of(&on_delete), OnChange::NewPods);
        for (version, effect) in [("v2beta1", OnChange::NewWorkers), ("v1", OnChange::NewPods)] {
            let job = json!({"apiVersion": format!("kubeflow.org/{version}")});
            assert_eq!(Kind::named("mpijob").unwrap().on_change_of(&job), effect, "{version}");
        }
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
