//! The resource types of the in-process API server.

use serde_json::Value;

use super::call::Target;
use super::failure::qualified;
use super::store::State;

/// One resource type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) plural: String,
    pub(crate) kind: String,
    pub(crate) singular: String,
    pub(crate) namespaced: bool,
    /// Short names, as kubectl knows them.
    pub(crate) short: Vec<String>,
    /// A custom resource has no schema here, and no strategic merge.
    pub(crate) custom: bool,
    /// The parts of a schema that may not change (`self == oldSelf`), and the words for that.
    pub(crate) immutable: Vec<(String, String)>,
}

/// Group, version, plural, kind, short names; those in [`CLUSTER_SCOPED`] have no namespace.
const BUILT_IN: [(&str, &str, &str, &str, &str); 22] = [
    ("", "v1", "namespaces", "Namespace", "ns"),
    ("", "v1", "secrets", "Secret", ""),
    ("", "v1", "configmaps", "ConfigMap", "cm"),
    ("", "v1", "pods", "Pod", "po"),
    ("", "v1", "serviceaccounts", "ServiceAccount", "sa"),
    ("", "v1", "events", "Event", "ev"),
    ("", "v1", "services", "Service", "svc"),
    ("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", "pvc"),
    ("", "v1", "nodes", "Node", "no"),
    ("apps", "v1", "deployments", "Deployment", "deploy"),
    ("apps", "v1", "statefulsets", "StatefulSet", "sts"),
    ("apps", "v1", "daemonsets", "DaemonSet", "ds"),
    ("apps", "v1", "replicasets", "ReplicaSet", "rs"),
    ("batch", "v1", "jobs", "Job", ""),
    ("batch", "v1", "cronjobs", "CronJob", "cj"),
    ("networking.k8s.io", "v1", "ingresses", "Ingress", "ing"),
    ("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", "pdb"),
    ("rbac.authorization.k8s.io", "v1", "roles", "Role", ""),
    ("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", ""),
    ("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", ""),
    ("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", ""),
    ("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", "crd"),
];

const CLUSTER_SCOPED: [&str; 5] =
    ["namespaces", "nodes", "clusterroles", "clusterrolebindings", "customresourcedefinitions"];

/// Returns the types of a fresh cluster.
pub(crate) fn built_in() -> Vec<Resource> {
    BUILT_IN
        .iter()
        .map(|&(group, version, plural, kind, short)| Resource {
            group: group.into(),
            version: version.into(),
            plural: plural.into(),
            kind: kind.into(),
            singular: kind.to_lowercase(),
            namespaced: !CLUSTER_SCOPED.contains(&plural),
            short: short.split_whitespace().map(str::to_owned).collect(),
            custom: false,
            immutable: Vec::new(),
        })
        .collect()
}

impl Resource {
    /// Returns `batch/v1`, or `v1` in the core group.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Returns `jobs.batch`.
    pub(crate) fn qualified_plural(&self) -> String {
        qualified(&self.plural, &self.group)
    }

    /// Returns `Job.batch`.
    pub(crate) fn qualified_kind(&self) -> String {
        qualified(&self.kind, &self.group)
    }

    /// Returns true for this built-in type.
    pub(crate) fn is(&self, kind: &str) -> bool {
        !self.custom && self.kind == kind
    }

    /// Returns true if it has a `spec` whose changes are counted in `metadata.generation`.
    pub(crate) fn has_generation(&self) -> bool {
        self.custom
            || matches!(self.group.as_str(), "apps" | "batch" | "networking.k8s.io")
            || matches!(self.plural.as_str(), "pods" | "customresourcedefinitions")
    }

    /// Returns the place of the pod's spec; `None` for kinds that run no pods.
    pub(crate) fn pod_spec(&self) -> Option<&'static str> {
        match self.kind.as_str() {
            _ if self.custom => None,
            "Pod" => Some("/spec"),
            "CronJob" => Some("/spec/jobTemplate/spec/template/spec"),
            "Job" | "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => Some("/spec/template/spec"),
            _ => None,
        }
    }
}

/// Collects the properties of a schema that may never change. Of all rules (CEL) only this one is understood.
fn immutable_places(schema: &Value, at: &str, found: &mut Vec<(String, String)>) {
    for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
        assert_eq!(rule["rule"], "self == oldSelf", "the in-process server knows no other rule");
        let own = rule["message"].as_str().map(str::to_owned);
        found.push((at.to_owned(), own.unwrap_or_else(|| "failed rule: self == oldSelf".to_owned())));
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        immutable_places(property, &format!("{at}/{name}"), found);
    }
}

impl State {
    /// Serves the types of a `CustomResourceDefinition`; one that is served already stays as it is.
    pub(crate) fn define(&mut self, definition: &Value) {
        let spec = &definition["spec"];
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let names = &spec["names"];
        for version in spec["versions"].as_array().into_iter().flatten() {
            let mut immutable = Vec::new();
            immutable_places(&version["schema"]["openAPIV3Schema"], "", &mut immutable);
            let resource = Resource {
                group: word(&spec["group"]),
                version: word(&version["name"]),
                plural: word(&names["plural"]),
                kind: word(&names["kind"]),
                singular: names["singular"]
                    .as_str()
                    .map_or_else(|| word(&names["kind"]).to_lowercase(), str::to_owned),
                namespaced: spec["scope"] == "Namespaced",
                short: names["shortNames"].as_array().into_iter().flatten().map(word).collect(),
                custom: true,
                immutable,
            };
            let is_it = |other: &Resource| {
                other.qualified_plural() == resource.qualified_plural() && other.version == resource.version
            };
            if !self.resources.iter().any(is_it) {
                self.resources.push(resource);
            }
        }
    }

    pub(crate) fn resource_of(&self, target: &Target) -> Option<Resource> {
        let found = self.resources.iter().find(|resource| {
            (&resource.group, &resource.version, &resource.plural)
                == (&target.group, &target.version, &target.plural)
        })?;
        let fits_scope = target.name.is_empty() || found.namespaced != target.in_namespace.is_empty();
        fits_scope.then(|| found.clone())
    }

    /// Returns true for a group of Kubernetes itself. In other groups an undefined type is a path like any
    /// other.
    pub(crate) fn serves_group(&self, target: &Target) -> bool {
        let is_its =
            |resource: &&Resource| (&resource.group, &resource.version) == (&target.group, &target.version);
        self.resources.iter().filter(is_its).any(|resource| !resource.custom)
    }
}
