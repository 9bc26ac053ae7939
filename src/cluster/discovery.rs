//! Asks what the server serves: one request for all groups (KEP-3352, in every server since Kubernetes 1.30).

use std::collections::{BTreeMap, BTreeSet};

use futures::lock::MutexGuard;
use serde::Deserialize;

use super::call::Call;
use super::pages::PAGE;
use super::place::Place;
use super::{Cluster, Failure};
use crate::secret::{is_label, is_subdomain};
use crate::workload::{KARTA, Karta, Kind, ServedKind};

/// The number of kinds that are looked at: a cluster with everything that Run:ai lists has some 200.
const MOST_KINDS: usize = 2_000;

/// The groups and kinds that a server has.
#[derive(Default)]
pub(super) struct Served {
    groups: BTreeSet<String>,
    /// The kinds that are not built in, by group and plural.
    kinds: BTreeMap<(String, String), Found>,
    /// The kinds that were not found: groups whose own server does not answer, and those beyond the bound.
    missed: Vec<String>,
}

/// A kind that is not built in.
struct Found {
    names: ServedKind,
    /// Namespaced, to be listed, and not known.
    is_other: bool,
}

/// The kinds that a cluster adds to those that are known.
pub(crate) struct Others {
    pub(crate) kinds: Vec<&'static Kind>,
    /// The kinds that may be missing, as `frobs.example.com`; `*` if the server does not say which there are.
    pub(super) missed: Vec<String>,
    pub(crate) kartas: Kartas,
}

/// The kinds that a cluster adds, by their names alone.
pub(super) struct ServedOthers {
    pub(super) names: Vec<ServedKind>,
    pub(super) missed: Vec<String>,
    /// The cluster has Kartas, which may describe some of them.
    pub(super) has_kartas: bool,
}

/// The descriptions of kinds in the cluster.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kartas {
    Read,
    /// The user may not list them, or the server refuses.
    Unread,
    /// The cluster has no such kind.
    NotServed,
}

#[derive(Deserialize)]
struct Groups {
    items: Option<Vec<Group>>,
}

#[derive(Deserialize)]
struct Group {
    metadata: Named,
    #[serde(default)]
    versions: Vec<GroupVersion>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupVersion {
    version: String,
    #[serde(default)]
    resources: Vec<Resource>,
    #[serde(default)]
    freshness: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    #[serde(rename = "resource")]
    plural: String,
    #[serde(default)]
    response_kind: Option<ResponseKind>,
    #[serde(default)]
    scope: String,
    #[serde(default, rename = "singularResource")]
    singular: String,
    #[serde(default)]
    short_names: Vec<String>,
    #[serde(default)]
    verbs: Vec<String>,
}

#[derive(Deserialize)]
struct ResponseKind {
    kind: String,
}

impl Cluster {
    /// Finds out which kinds the cluster adds, and how its Kartas describe them. `discovered` is what is known so
    /// far; it is filled, and then given free: known kinds that are not built in wait for it.
    pub(super) async fn others(&self, discovered: MutexGuard<'_, Option<Served>>) -> Result<Others, Failure> {
        let ServedOthers { names, missed, has_kartas } = self.served_others(discovered).await?;
        let (kartas, described) =
            if has_kartas { self.kartas().await? } else { (Kartas::NotServed, Vec::new()) };
        let kinds = names.iter().map(|names| Kind::served(names, &described)).collect();
        Ok(Others { kinds, missed, kartas })
    }

    /// Returns the kinds that the cluster adds if Kartas describe any. Somebody waits at the keyboard: what the cluster
    /// serves is asked at the same time, and where there are no Kartas nobody waits for that.
    pub(crate) async fn others_if_described(&self) -> Vec<&'static Kind> {
        let discovered = self.versions.discovered.lock().await;
        let served = async { self.served_others(discovered).await.map_err(drop) };
        let described = async {
            // In the version whose form is known: which ones are served is being asked.
            let version = KARTA.known_versions()[0];
            let call = Call::get(Place::workloads(&KARTA, version, None));
            let found = self.list_trees(call, PAGE, Karta::of).await.map_err(drop)?;
            let found: Vec<Karta> = found.into_iter().flatten().collect();
            if found.is_empty() { Err(()) } else { Ok(found) }
        };
        let Ok((served, described)) = tokio::try_join!(served, described) else { return Vec::new() };
        served.names.iter().map(|names| Kind::served(names, &described)).collect()
    }

    /// Finds out the same without what Kartas say.
    pub(super) async fn served_others(
        &self,
        mut discovered: MutexGuard<'_, Option<Served>>,
    ) -> Result<ServedOthers, Failure> {
        if discovered.is_none() {
            *discovered = self.discover().await?;
        }
        let unknown = || ServedOthers { names: Vec::new(), missed: vec!["*".to_owned()], has_kartas: false };
        Ok(discovered.as_ref().map_or_else(unknown, Served::others))
    }

    /// Returns these kinds as Kartas describe them.
    pub(super) async fn as_described(&self, names: &[ServedKind]) -> Result<Vec<&'static Kind>, Failure> {
        let (_, described) = self.kartas().await?;
        Ok(names.iter().map(|names| Kind::served(names, &described)).collect())
    }

    async fn kartas(&self) -> Result<(Kartas, Vec<Karta>), Failure> {
        match self.objects_of(&KARTA, None, Karta::of).await {
            Ok(found) => Ok((Kartas::Read, found.into_iter().flatten().collect())),
            Err(failure) if failure.is_refusal() || failure.is_unknown_type() => {
                Ok((Kartas::Unread, Vec::new()))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Returns none if the server does not say it in this form, or not to this user.
    pub(super) async fn discover(&self) -> Result<Option<Served>, Failure> {
        match self.object::<Groups>(&Call::get(Place::groups()).aggregated_discovery()).await {
            Ok(Groups { items: Some(groups) }) => Ok(Some(Served::of(groups))),
            // The classic list has the groups, and not what is in them.
            Ok(Groups { items: None }) => Ok(None),
            Err(failure) if failure.is_forbidden() || failure.is_unknown_type() => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

impl Served {
    fn of(groups: Vec<Group>) -> Self {
        let mut served = Self::default();
        for Group { metadata: Named { name: group }, versions } in groups {
            if Kind::is_group_of_kubernetes(&group) || !is_subdomain(&group) {
                continue;
            }
            for version in versions.iter().filter(|version| is_label(&version.version)) {
                served.add(&group, version);
            }
            served.groups.insert(group);
        }
        served
    }

    fn add(&mut self, group: &str, GroupVersion { version, resources, freshness }: &GroupVersion) {
        if freshness == "Stale" && resources.is_empty() {
            self.missed.push(format!("*.{group}"));
        }
        for resource in resources.iter().filter(|resource| is_label(&resource.plural)) {
            let key = (group.to_owned(), resource.plural.clone());
            if let Some(found) = self.kinds.get_mut(&key) {
                found.names.versions.push(version.clone());
                continue;
            }
            let is_known = is_known(group, &resource.plural);
            // What the table has is always kept: nobody may take it for a kind that is not served.
            if self.kinds.len() >= MOST_KINDS && !is_known {
                self.missed.push(format!("{}.{group}", resource.plural));
            } else {
                let is_other = resource.can_be_listed() && !is_known;
                self.kinds.insert(key, Found { names: resource.names(group, version), is_other });
            }
        }
    }

    fn others(&self) -> ServedOthers {
        let others = self.kinds.values().filter(|found| found.is_other);
        let names: Vec<ServedKind> = others.map(|found| found.names.clone()).collect();
        let has_kartas = !names.is_empty() && !self.versions_of(&KARTA).is_empty();
        ServedOthers { names, missed: self.missed.clone(), has_kartas }
    }

    /// Returns true if there is any kind of this group.
    pub(super) fn has_group(&self, group: &str) -> bool {
        self.groups.contains(group)
    }

    /// Returns the versions in which a kind is served, the preferred one first.
    pub(super) fn versions_of(&self, kind: &Kind) -> Vec<String> {
        let found = self.kinds.get(&(kind.group.to_owned(), kind.plural.to_owned()));
        found.map(|found| found.names.versions.clone()).unwrap_or_default()
    }
}

impl Resource {
    fn names(&self, group: &str, version: &str) -> ServedKind {
        let is_name = |name: &String| is_label(name);
        let singular = Some(self.singular.to_lowercase()).filter(is_name);
        let name = self.response_kind.as_ref().map_or(&self.plural, |kind| &kind.kind);
        ServedKind {
            group: group.to_owned(),
            versions: vec![version.to_owned()],
            name: name.clone(),
            plural: self.plural.clone(),
            singular: singular.unwrap_or_else(|| self.plural.clone()),
            short_names: self.short_names.iter().filter(|name| is_name(name)).cloned().collect(),
        }
    }

    fn can_be_listed(&self) -> bool {
        self.scope == "Namespaced" && self.verbs.iter().any(|verb| verb == "list")
    }
}

fn is_known(group: &str, plural: &str) -> bool {
    Kind::referring().any(|kind| kind.group == group && kind.plural == plural)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn resource(plural: &str, scope: &str, verbs: &[&str]) -> Value {
        json!({"resource": plural, "responseKind": {"group": "", "version": "", "kind": "Frob"}, "scope": scope,
            "singularResource": "frob", "verbs": verbs})
    }

    fn group(name: &str, versions: &[(&str, Value)]) -> Group {
        let versions: Vec<Value> = versions
            .iter()
            .map(|(version, resources)| json!({"version": version, "resources": resources, "freshness": "Current"}))
            .collect();
        serde_json::from_value(json!({"metadata": {"name": name}, "versions": versions})).unwrap()
    }

    #[test]
    fn what_is_neither_built_in_nor_known_is_found_once_in_the_preferred_version() {
        let frobs = json!([resource("frobs", "Namespaced", &["list"])]);
        let more = json!([
            resource("frobs", "Namespaced", &["list"]),
            resource("globs", "Cluster", &["list"]),
            resource("reviews", "Namespaced", &["create"]),
            resource("pods/x", "Namespaced", &["list"]),
        ]);
        let served = Served::of(vec![
            group("apps", &[("v1", frobs.clone())]),
            group("example.com", &[("v1", frobs.clone()), ("v1beta1", more)]),
            group("../x", &[("v1", frobs.clone())]),
            group("ray.io", &[("v1", json!([resource("rayjobs", "Namespaced", &["list"])]))]),
        ]);
        let others = served.kinds.values().filter(|found| found.is_other);
        let others: Vec<_> =
            others.map(|found| (found.names.plural.as_str(), &found.names.versions)).collect();
        assert_eq!(others, [("frobs", &vec!["v1".to_owned(), "v1beta1".to_owned()])]);
        assert!(served.has_group("ray.io") && !served.has_group("run.ai") && served.missed.is_empty());
        assert_eq!(served.versions_of(Kind::named("rayjob").unwrap()), ["v1"]);
    }

    #[test]
    fn what_is_missed_is_named() {
        let stale = json!({"metadata": {"name": "down.example.com"}, "versions": [{"version": "v1", "freshness": "Stale"}]});
        assert_eq!(Served::of(vec![serde_json::from_value(stale).unwrap()]).missed, ["*.down.example.com"]);
        let many: Vec<Value> =
            (0..=MOST_KINDS).map(|number| resource(&format!("k{number}"), "Namespaced", &["list"])).collect();
        let served = Served::of(vec![group("example.com", &[("v1", many.into())])]);
        assert_eq!((served.kinds.len(), served.missed.len()), (MOST_KINDS, 1));
    }
}
