//! Kinds of which a cluster knows, and the table does not.

use super::{Kind, OnChange, Shape, Version};
use crate::wording::is_near;
use crate::workload::karta::Karta;

/// The groups of a Kubernetes API server itself. Of their kinds, those that refer to secrets are known.
const GROUPS_OF_KUBERNETES: [&str; 22] = [
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
    "storagemigration.k8s.io",
];

/// What is known of a kind of one of Kubernetes' groups.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum OfKubernetes {
    NotItsGroup,
    Kind,
    /// It is misspelt, or in another group; with what was probably meant.
    No {
        meant: String,
    },
    /// A later Kubernetes may have it.
    Unknown,
}

/// The kinds of Kubernetes, by group. The beta versions that are gone count too.
static KINDS_OF_KUBERNETES: [(&str, &[&str]); 23] = [
    (
        "",
        &[
            "Binding",
            "ComponentStatus",
            "ConfigMap",
            "Endpoints",
            "Event",
            "LimitRange",
            "List",
            "Namespace",
            "Node",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "Pod",
            "PodTemplate",
            "ReplicationController",
            "ResourceQuota",
            "Secret",
            "Service",
            "ServiceAccount",
        ],
    ),
    ("apps", &["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"]),
    ("batch", &["CronJob", "Job"]),
    ("networking.k8s.io", &["IPAddress", "Ingress", "IngressClass", "NetworkPolicy", "ServiceCIDR"]),
    ("policy", &["Eviction", "PodDisruptionBudget", "PodSecurityPolicy"]),
    ("rbac.authorization.k8s.io", &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]),
    ("autoscaling", &["HorizontalPodAutoscaler", "Scale"]),
    (
        "admissionregistration.k8s.io",
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["APIService"]),
    ("authentication.k8s.io", &["SelfSubjectReview", "TokenRequest", "TokenReview"]),
    (
        "authorization.k8s.io",
        &[
            "LocalSubjectAccessReview",
            "SelfSubjectAccessReview",
            "SelfSubjectRulesReview",
            "SubjectAccessReview",
        ],
    ),
    ("certificates.k8s.io", &["CertificateSigningRequest", "ClusterTrustBundle", "PodCertificateRequest"]),
    ("coordination.k8s.io", &["Lease", "LeaseCandidate"]),
    ("discovery.k8s.io", &["EndpointSlice"]),
    ("events.k8s.io", &["Event"]),
    ("flowcontrol.apiserver.k8s.io", &["FlowSchema", "PriorityLevelConfiguration"]),
    ("internal.apiserver.k8s.io", &["StorageVersion"]),
    ("node.k8s.io", &["RuntimeClass"]),
    (
        "resource.k8s.io",
        &["DeviceClass", "DeviceTaintRule", "ResourceClaim", "ResourceClaimTemplate", "ResourceSlice"],
    ),
    ("scheduling.k8s.io", &["PodGroup", "PriorityClass", "Workload"]),
    ("storagemigration.k8s.io", &["StorageVersionMigration"]),
    (
        "storage.k8s.io",
        &[
            "CSIDriver",
            "CSINode",
            "CSIStorageCapacity",
            "StorageClass",
            "VolumeAttachment",
            "VolumeAttributesClass",
        ],
    ),
];

/// The names of a kind, as the server has them.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServedKind {
    pub(crate) group: String,
    /// The versions, the preferred one first.
    pub(crate) versions: Vec<String>,
    pub(crate) name: String,
    pub(crate) plural: String,
    pub(crate) singular: String,
    pub(crate) short_names: Vec<String>,
}

impl Kind {
    /// Returns true for a group of the API server itself; the core group's name is empty.
    pub(crate) fn is_group_of_kubernetes(group: &str) -> bool {
        group.is_empty() || GROUPS_OF_KUBERNETES.contains(&group)
    }

    /// Tells whether Kubernetes has this kind.
    pub(crate) fn of_kubernetes(api_version: &str, kind: &str) -> OfKubernetes {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        if !Self::is_group_of_kubernetes(group) {
            return OfKubernetes::NotItsGroup;
        }
        let own = KINDS_OF_KUBERNETES.iter().find(|(of, _)| *of == group);
        let own = own.map_or(&[][..], |(_, kinds)| *kinds);
        // The core group has one version, and of others a later Kubernetes may have more.
        if own.contains(&kind) && (!group.is_empty() || api_version == "v1") {
            return OfKubernetes::Kind;
        }
        let misspelt = |one: &&&str| is_near(&one.to_lowercase(), &kind.to_lowercase());
        let meant = match KINDS_OF_KUBERNETES.iter().find(|(_, kinds)| kinds.contains(&kind)) {
            Some(("", _)) => Some(format!("{kind} of v1")),
            Some((other, _)) => Some(format!("{kind} of {other}/v1")),
            None => own.iter().find(misspelt).map(|near| format!("{near} of {api_version}")),
        };
        meant.map_or(OfKubernetes::Unknown, |meant| OfKubernetes::No { meant })
    }

    /// Makes the row of a kind that the table lacks. Its pod specs are where a Karta says, in the best version
    /// that one describes; without a Karta it has none.
    ///
    /// The row stays in memory for as long as the program runs, which meets each kind once.
    pub(crate) fn served(names: &ServedKind, kartas: &[Karta]) -> &'static Self {
        let ServedKind { group, versions, name, plural, singular, short_names } = names;
        let described = versions.iter().find_map(|version| {
            let karta = kartas.iter().find(|karta| karta.describes(group, version, name))?;
            Some((version, karta.pod_specs()))
        });
        let best = versions.first().map(String::as_str).unwrap_or_default();
        let (version, pod_specs) =
            described.map_or((best, &[][..]), |(version, specs)| (version.as_str(), specs));
        Box::leak(Box::new(Self {
            group: kept(group),
            version: Version::Served(kept(version)),
            name: kept(name),
            plural: kept(plural),
            singular: kept(singular),
            short_names: all_kept(short_names),
            shape: Shape::PodSpecs(all_kept(pod_specs)),
            on_change: OnChange::UpToController,
        }))
    }

    /// Returns true if it is known where in its objects attachments go.
    pub(crate) fn has_place_for_attachments(&self) -> bool {
        !self.shape.patterns().is_empty()
    }
}

fn kept(text: &str) -> &'static str {
    text.to_owned().leak()
}

fn all_kept(texts: &[String]) -> &'static [&'static str] {
    texts.iter().map(|text| kept(text)).collect::<Vec<_>>().leak()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_kubernetes_that_is_misspelt_or_in_another_group_is_told_from_one_to_come() {
        let meant = |api_version: &str, kind: &str| Kind::of_kubernetes(api_version, kind);
        let no = |meant: &str| OfKubernetes::No { meant: meant.to_owned() };
        assert_eq!(meant("batch/v1", "Jobb"), no("Job of batch/v1"));
        assert_eq!(meant("batch/v1", "job"), no("Job of batch/v1"));
        assert_eq!(meant("v1", "Job"), no("Job of batch/v1"));
        assert_eq!(meant("batch", "Job"), no("Job of batch/v1"));
        assert_eq!(meant("v2", "Secret"), no("Secret of v1"));
        assert_eq!(meant("apps/v1", "Pod"), no("Pod of v1"));
        for (api_version, kind) in [("v1", "ConfigMap"), ("v1", "List"), ("autoscaling/v9", "Scale")] {
            assert_eq!(meant(api_version, kind), OfKubernetes::Kind, "{kind}");
        }
        assert_eq!(meant("batch/v9", "Gang"), OfKubernetes::Unknown);
        assert_eq!(meant("ray.io/v1", "RayJob"), OfKubernetes::NotItsGroup);
    }

    #[test]
    fn every_group_of_kubernetes_has_its_kinds() {
        for group in GROUPS_OF_KUBERNETES {
            assert!(
                KINDS_OF_KUBERNETES.iter().any(|(of, kinds)| *of == group && !kinds.is_empty()),
                "{group}"
            );
        }
        for kind in Kind::referring().filter(|kind| matches!(kind.version, Version::BuiltIn(_))) {
            let version = if kind.group.is_empty() { "v1".to_owned() } else { format!("{}/v1", kind.group) };
            assert_eq!(Kind::of_kubernetes(&version, kind.name), OfKubernetes::Kind, "{}", kind.name);
        }
    }
}
