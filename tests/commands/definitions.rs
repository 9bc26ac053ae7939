//! The kinds that operators bring: their definitions, and the smallest objects of each.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use support::World;

/// The groups of all kinds that operators bring.
pub(crate) const GROUPS: [&str; 8] = [
    "run.ai",
    "kubeflow.org",
    "ray.io",
    "jobset.x-k8s.io",
    "serving.knative.dev",
    "leaderworkerset.x-k8s.io",
    "machinelearning.seldon.io",
    "nvidia.com",
];

/// Serves the kinds of the files `tests/crds/<group>.yaml`.
pub(crate) fn define(world: &World, groups: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crds");
    let definitions = groups.iter().flat_map(|group| -> Vec<Value> {
        let text = fs::read_to_string(folder.join(format!("{group}.yaml"))).unwrap();
        serde_saphyr::from_multiple(&text).unwrap()
    });
    world.define(&definitions.collect::<Vec<_>>());
}

/// A kind as the tests meet it.
pub(crate) struct Example {
    /// As a person names it.
    pub(crate) word: &'static str,
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) kind: &'static str,
    /// JSON pointers to its pod specs, or to Run:ai's own specs.
    pub(crate) parts: &'static [&'static str],
    /// All of the object but its type and its metadata.
    pub(crate) content: Value,
}

impl Example {
    /// `/apis/batch/v1/namespaces/a/jobs`
    pub(crate) fn collection(&self, namespace: &str) -> String {
        let Self { group, version, plural, .. } = self;
        let base =
            if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
        format!("{base}/namespaces/{namespace}/{plural}")
    }

    /// Creates one of this name.
    pub(crate) fn create(&self, world: &World, namespace: &str, name: &str) -> Value {
        let Self { group, version, kind, .. } = self;
        let mut object = self.content.clone();
        object["apiVersion"] =
            if group.is_empty() { (*version).into() } else { format!("{group}/{version}").into() };
        object["kind"] = (*kind).into();
        object["metadata"] = json!({"name": name, "labels": {"team": "a"}});
        world.create(&self.collection(namespace), &object)
    }

    /// One of this name, as the server has it now.
    pub(crate) fn get(&self, world: &World, namespace: &str, name: &str) -> Value {
        let path = format!("{}/{name}", self.collection(namespace));
        world.get(&path).unwrap_or_else(|| panic!("no {path}"))
    }

    pub(crate) fn is_runai_spec(&self) -> bool {
        self.kind.ends_with("Workload")
    }
}

fn template(container: &str) -> Value {
    json!({"spec": {"containers": [{"name": container, "image": "busybox"}]}})
}

/// Each kind that is not built in.
pub(crate) fn custom_kinds() -> Vec<Example> {
    [run_ai(), kubeflow(), ray(), job_set_and_knative(), serving()].into_iter().flatten().collect()
}

fn run_ai() -> Vec<Example> {
    let (group, version) = ("run.ai", "v2alpha1");
    let spec = || json!({"image": {"value": "ubuntu"}, "gpu": {"value": "1"}});
    let own = |kind, word, plural| Example {
        word,
        group,
        version,
        plural,
        kind,
        parts: &["/spec"],
        content: json!({"spec": spec()}),
    };
    vec![
        Example {
            word: "rj",
            group,
            version: "v1",
            plural: "runaijobs",
            kind: "RunaiJob",
            parts: &["/spec/template/spec"],
            content: json!({"spec": {"backoffLimit": 6, "template": template("main")}}),
        },
        own("TrainingWorkload", "tw", "trainingworkloads"),
        own("InteractiveWorkload", "interactiveworkload.run.ai", "interactiveworkloads"),
        own("InferenceWorkload", "inference", "inferenceworkloads"),
        Example {
            word: "DistributedWorkload",
            group,
            version,
            plural: "distributedworkloads",
            kind: "DistributedWorkload",
            parts: &["/spec", "/masterSpec"],
            content: json!({"spec": spec(), "masterSpec": spec()}),
        },
        Example {
            word: "dinfw",
            group,
            version,
            plural: "distributedinferenceworkloads",
            kind: "DistributedInferenceWorkload",
            parts: &["/spec", "/masterSpec"],
            content: json!({"spec": spec(), "masterSpec": spec()}),
        },
    ]
}

fn kubeflow() -> Vec<Example> {
    let job = |specs: &str, [first, second]: [&str; 2]| {
        let replicas = |container| json!({"replicas": 1, "template": template(container)});
        json!({"spec": {specs: {first: replicas("main"), second: replicas("main")}}})
    };
    let group = "kubeflow.org";
    vec![
        Example {
            word: "mpijob",
            group,
            version: "v2beta1",
            plural: "mpijobs",
            kind: "MPIJob",
            parts: &[
                "/spec/mpiReplicaSpecs/Launcher/template/spec",
                "/spec/mpiReplicaSpecs/Worker/template/spec",
            ],
            content: job("mpiReplicaSpecs", ["Launcher", "Worker"]),
        },
        Example {
            word: "pytorchjob",
            group,
            version: "v1",
            plural: "pytorchjobs",
            kind: "PyTorchJob",
            parts: &[
                "/spec/pytorchReplicaSpecs/Master/template/spec",
                "/spec/pytorchReplicaSpecs/Worker/template/spec",
            ],
            content: job("pytorchReplicaSpecs", ["Master", "Worker"]),
        },
        Example {
            word: "tfjobs.kubeflow.org",
            group,
            version: "v1",
            plural: "tfjobs",
            kind: "TFJob",
            parts: &["/spec/tfReplicaSpecs/Chief/template/spec", "/spec/tfReplicaSpecs/PS/template/spec"],
            content: job("tfReplicaSpecs", ["Chief", "PS"]),
        },
        Example {
            word: "XGBoostJob",
            group,
            version: "v1",
            plural: "xgboostjobs",
            kind: "XGBoostJob",
            parts: &[
                "/spec/xgbReplicaSpecs/Master/template/spec",
                "/spec/xgbReplicaSpecs/Worker/template/spec",
            ],
            content: job("xgbReplicaSpecs", ["Master", "Worker"]),
        },
        Example {
            word: "jaxjob",
            group,
            version: "v1",
            plural: "jaxjobs",
            kind: "JAXJob",
            parts: &[
                "/spec/jaxReplicaSpecs/Main/template/spec",
                "/spec/jaxReplicaSpecs/Worker/template/spec",
            ],
            content: job("jaxReplicaSpecs", ["Main", "Worker"]),
        },
        Example {
            word: "notebook",
            group,
            version: "v1",
            plural: "notebooks",
            kind: "Notebook",
            parts: &["/spec/template/spec"],
            content: json!({"spec": {"template": template("main")}}),
        },
    ]
}

fn ray() -> Vec<Example> {
    let cluster = || {
        let worker = json!({"groupName": "gpu", "replicas": 1, "template": template("ray-worker")});
        json!({"headGroupSpec": {"template": template("ray-head")}, "workerGroupSpecs": [worker]})
    };
    let (group, version) = ("ray.io", "v1");
    vec![
        Example {
            word: "rayjob",
            group,
            version,
            plural: "rayjobs",
            kind: "RayJob",
            parts: &[
                "/spec/rayClusterSpec/headGroupSpec/template/spec",
                "/spec/rayClusterSpec/workerGroupSpecs/0/template/spec",
                "/spec/submitterPodTemplate/spec",
            ],
            content: json!({"spec": {
                "entrypoint": "python train.py", "rayClusterSpec": cluster(), "submitterPodTemplate": template("submit"),
            }}),
        },
        Example {
            word: "raycluster",
            group,
            version,
            plural: "rayclusters",
            kind: "RayCluster",
            parts: &["/spec/headGroupSpec/template/spec", "/spec/workerGroupSpecs/0/template/spec"],
            content: json!({"spec": cluster()}),
        },
        Example {
            word: "rayservice",
            group,
            version,
            plural: "rayservices",
            kind: "RayService",
            parts: &[
                "/spec/rayClusterConfig/headGroupSpec/template/spec",
                "/spec/rayClusterConfig/workerGroupSpecs/0/template/spec",
            ],
            content: json!({"spec": {"serveConfigV2": "", "rayClusterConfig": cluster()}}),
        },
    ]
}

fn serving() -> Vec<Example> {
    let component = |name: &str| json!({"name": name, "podTemplate": template("main")});
    vec![
        Example {
            word: "lws",
            group: "leaderworkerset.x-k8s.io",
            version: "v1",
            plural: "leaderworkersets",
            kind: "LeaderWorkerSet",
            parts: &[
                "/spec/leaderWorkerTemplate/leaderTemplate/spec",
                "/spec/leaderWorkerTemplate/workerTemplate/spec",
            ],
            content: json!({"spec": {"leaderWorkerTemplate": {
                "size": 2, "leaderTemplate": template("main"), "workerTemplate": template("main"),
            }}}),
        },
        Example {
            word: "sdep",
            group: "machinelearning.seldon.io",
            version: "v1",
            plural: "seldondeployments",
            kind: "SeldonDeployment",
            parts: &["/spec/predictors/0/componentSpecs/0/spec"],
            content: json!({"spec": {"predictors": [{"name": "default", "componentSpecs": [template("main")]}]}}),
        },
        Example {
            word: "dgd",
            group: "nvidia.com",
            version: "v1beta1",
            plural: "dynamographdeployments",
            kind: "DynamoGraphDeployment",
            parts: &["/spec/components/0/podTemplate/spec", "/spec/components/1/podTemplate/spec"],
            content: json!({"spec": {"components": [component("frontend"), component("decode")]}}),
        },
    ]
}

fn job_set_and_knative() -> Vec<Example> {
    let job = |name: &str| json!({"name": name, "replicas": 1, "template": {"spec": {"template": template("main")}}});
    vec![
        Example {
            word: "jobset",
            group: "jobset.x-k8s.io",
            version: "v1alpha2",
            plural: "jobsets",
            kind: "JobSet",
            parts: &[
                "/spec/replicatedJobs/0/template/spec/template/spec",
                "/spec/replicatedJobs/1/template/spec/template/spec",
            ],
            content: json!({"spec": {"replicatedJobs": [job("driver"), job("workers")]}}),
        },
        Example {
            word: "ksvc",
            group: "serving.knative.dev",
            version: "v1",
            plural: "services",
            kind: "Service",
            parts: &["/spec/template/spec"],
            content: json!({"spec": {"template": template("main")}}),
        },
    ]
}

/// Each kind that Kubernetes has itself.
pub(crate) fn built_in_kinds() -> Vec<Example> {
    let pod = |restart: &str| {
        let spec = json!({"restartPolicy": restart, "containers": [{"name": "main", "image": "busybox"}]});
        json!({"metadata": {"labels": {"app": "test"}}, "spec": spec})
    };
    let served = || json!({"selector": {"matchLabels": {"app": "test"}}, "template": pod("Always")});
    let stateful = || {
        let mut spec = served();
        spec["serviceName"] = "w".into();
        spec
    };
    let apps = |word, plural, kind, spec: Value| Example {
        word,
        group: "apps",
        version: "v1",
        plural,
        kind,
        parts: &["/spec/template/spec"],
        content: json!({ "spec": spec }),
    };
    vec![
        apps("deploy", "deployments", "Deployment", served()),
        apps("sts", "statefulsets", "StatefulSet", stateful()),
        apps("ds", "daemonsets", "DaemonSet", served()),
        apps("rs", "replicasets", "ReplicaSet", served()),
        Example {
            word: "cj",
            group: "batch",
            version: "v1",
            plural: "cronjobs",
            kind: "CronJob",
            parts: &["/spec/jobTemplate/spec/template/spec"],
            content: json!({"spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": pod("Never")}}}}),
        },
        Example {
            word: "job",
            group: "batch",
            version: "v1",
            plural: "jobs",
            kind: "Job",
            parts: &["/spec/template/spec"],
            content: json!({"spec": {"suspend": true, "template": pod("Never")}}),
        },
        Example {
            word: "po",
            group: "",
            version: "v1",
            plural: "pods",
            kind: "Pod",
            parts: &["/spec"],
            content: json!({"spec": pod("Never")["spec"]}),
        },
    ]
}
