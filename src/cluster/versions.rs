//! The versions in which the server serves kinds that are not built in.
//!
//! A group's preferred version need not serve every kind of the group: `kubeflow.org` prefers v1, and an
//! `MPIJob` may exist in v2beta1 alone. So the group is asked for its versions, once in a run, and the best
//! of them that the kind is known in is used. Only if that fails, each version is asked for its kinds. None
//! of this is asked where everything was discovered at once.

use std::collections::BTreeMap;

use futures::lock::Mutex;
use serde::Deserialize;

use super::call::Call;
use super::discovery::Served;
use super::failure::Missing;
use super::place::Place;
use super::{Cluster, Failure};
use crate::workload::{Kind, Version};

/// The answers of this run.
#[derive(Default)]
pub(super) struct Versions {
    /// Everything that is served, once that was asked for.
    pub(super) discovered: Mutex<Option<Served>>,
    /// The versions of each group, the preferred one first; none if the server has no such group.
    of_groups: Mutex<BTreeMap<&'static str, Vec<String>>>,
    /// The version of a kind, by the kind's display name.
    of_kinds: Mutex<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiGroup {
    preferred_version: GroupVersion,
    versions: Vec<GroupVersion>,
}

#[derive(Deserialize)]
struct GroupVersion {
    version: String,
}

#[derive(Deserialize)]
struct ResourceList {
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
}

impl Cluster {
    /// Returns the version to use for a kind. Sends no request for a built-in kind, and one for the first
    /// kind of a group.
    ///
    /// # Errors
    /// The server does not have the kind's group.
    pub(crate) async fn version_of(&self, kind: &Kind) -> Result<String, Failure> {
        if let Version::BuiltIn(version) | Version::Served(version) = kind.version {
            return Ok(version.to_owned());
        }
        if let Some(version) = self.versions.of_kinds.lock().await.get(&kind.display_name("")) {
            return Ok(version.clone());
        }
        let served = match self.versions.discovered.lock().await.as_ref() {
            Some(served) if !served.has_group(kind.group) => Vec::new(),
            Some(served) => {
                let versions = served.versions_of(kind);
                if versions.is_empty() {
                    return Err(self.not_served(kind, Missing::Kind));
                }
                versions
            }
            None => self.group_versions(kind).await?,
        };
        let known = kind.known_versions().iter().find(|known| served.iter().any(|version| version == *known));
        let best = known.map(|version| (*version).to_owned()).or_else(|| served.into_iter().next());
        best.ok_or_else(|| self.not_served(kind, Missing::Group))
    }

    /// Returns the version in which the server has the kind, after the first guess turned out wrong.
    ///
    /// # Errors
    /// There is none.
    pub(super) async fn look_up_version_of(&self, kind: &Kind) -> Result<String, Failure> {
        let mut versions = self.group_versions(kind).await?;
        let known = kind.known_versions();
        versions
            .sort_by_key(|version| known.iter().position(|known| known == version).unwrap_or(known.len()));
        for version in versions {
            let list: ResourceList = self.object(&Call::get(Place::resources(kind.group, &version))).await?;
            if list.resources.iter().any(|resource| resource.name == kind.plural) {
                self.versions.of_kinds.lock().await.insert(kind.display_name(""), version.clone());
                return Ok(version);
            }
        }
        Err(self.not_served(kind, Missing::Kind))
    }

    async fn group_versions(&self, kind: &Kind) -> Result<Vec<String>, Failure> {
        // Locked while the server is asked: two kinds of a group at once cause one request.
        let mut groups = self.versions.of_groups.lock().await;
        if let Some(versions) = groups.get(kind.group) {
            return Ok(versions.clone());
        }
        let versions = match self.object::<ApiGroup>(&Call::get(Place::group(kind.group))).await {
            Ok(group) => {
                let preferred = group.preferred_version.version;
                let others = group.versions.into_iter().map(|other| other.version);
                let others: Vec<_> = others.filter(|version| *version != preferred).collect();
                [vec![preferred], others].concat()
            }
            Err(failure) if failure.is_unknown_type() => Vec::new(),
            Err(failure) => return Err(failure),
        };
        groups.insert(kind.group, versions.clone());
        Ok(versions)
    }
}
