//! Kinds of which a cluster knows, and the table does not.

use super::{Kind, OnChange, Shape, Version};
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
        let (Shape::PodSpecs(patterns) | Shape::Environments(patterns)) = self.shape;
        !patterns.is_empty()
    }
}

fn kept(text: &str) -> &'static str {
    text.to_owned().leak()
}

fn all_kept(texts: &[String]) -> &'static [&'static str] {
    texts.iter().map(|text| kept(text)).collect::<Vec<_>>().leak()
}
