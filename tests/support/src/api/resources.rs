//! The table of resource types that the in-process API server knows.

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
    pub(crate) namespaced: bool,
    /// Short names, as kubectl knows them.
    pub(crate) short: Vec<String>,
    /// A custom resource has no schema here, and no strategic merge.
    pub(crate) custom: bool,
}

/// Group, version, plural, kind, short names; those in [`CLUSTER_SCOPED`] have no namespace.
const BUILT_IN: [(&str, &str, &str, &str, &str); 21] = [
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
    ("rbac.authorization.k8s.io", "v1", "roles", "Role", ""),
    ("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", ""),
    ("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", ""),
    ("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", ""),
    ("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", "crd"),
];

const CLUSTER_SCOPED: [&str; 5] =
    ["namespaces", "nodes", "clusterroles", "clusterrolebindings", "customresourcedefinitions"];

/// The types of a fresh cluster.
pub(crate) fn built_in() -> Vec<Resource> {
    BUILT_IN
        .iter()
        .map(|&(group, version, plural, kind, short)| Resource {
            group: group.into(),
            version: version.into(),
            plural: plural.into(),
            kind: kind.into(),
            namespaced: !CLUSTER_SCOPED.contains(&plural),
            short: short.split_whitespace().map(str::to_owned).collect(),
            custom: false,
        })
        .collect()
}

impl Resource {
    /// `batch/v1`, or `v1` in the core group.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `jobs.batch`
    pub(crate) fn qualified_plural(&self) -> String {
        qualified(&self.plural, &self.group)
    }

    /// `Job.batch`
    pub(crate) fn qualified_kind(&self) -> String {
        qualified(&self.kind, &self.group)
    }

    /// Is it this built-in type?
    pub(crate) fn is(&self, kind: &str) -> bool {
        !self.custom && self.kind == kind
    }

    /// Does it have a `spec` whose changes are counted in `metadata.generation`?
    pub(crate) fn has_generation(&self) -> bool {
        self.custom
            || matches!(self.group.as_str(), "apps" | "batch" | "networking.k8s.io")
            || matches!(self.plural.as_str(), "pods" | "customresourcedefinitions")
    }

    /// Where the pod's spec is; `None` for what runs no pods.
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

impl State {
    /// Serves a custom resource; served already, it stays as it is.
    pub(crate) fn add_resource(&mut self, group: &str, version: &str, plural: &str, kind: &str) {
        let resource = Resource {
            group: group.into(),
            version: version.into(),
            plural: plural.into(),
            kind: kind.into(),
            namespaced: true,
            short: Vec::new(),
            custom: true,
        };
        if !self.resources.contains(&resource) {
            self.resources.push(resource);
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

    pub(crate) fn serves_group(&self, target: &Target) -> bool {
        self.resources
            .iter()
            .any(|resource| (&resource.group, &resource.version) == (&target.group, &target.version))
    }
}
