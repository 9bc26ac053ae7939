//! Asks what the server serves: one request for all groups (KEP-3352, in every server since Kubernetes 1.30).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::call::Call;
use super::place::Place;
use super::{Cluster, Failure};
use crate::secret::{is_label, is_subdomain};
use crate::workload::Kind;

/// The number of kinds that are looked at: a cluster with everything that Run:ai lists has some 200.
const MOST_KINDS: usize = 1_000;

/// The groups and kinds that a server has.
#[derive(Default)]
pub(super) struct Served {
    groups: BTreeSet<String>,
    /// The versions of each kind that is not built in, by group and plural; the preferred one first.
    versions: BTreeMap<(String, String), Vec<String>>,
    /// The namespaced kinds that are neither built in nor known.
    pub(super) others: Vec<&'static Kind>,
    /// The kinds that were not found: groups whose own server does not answer, and those beyond the bound.
    pub(super) missed: Vec<String>,
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
    verbs: Vec<String>,
}

#[derive(Deserialize)]
struct ResponseKind {
    kind: String,
}

impl Cluster {
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
            let plural = resource.plural.clone();
            let versions = self.versions.entry((group.to_owned(), plural)).or_default();
            versions.push(version.clone());
            let is_first = versions.len() == 1;
            if is_first && resource.can_be_listed() && !is_known(group, &resource.plural) {
                self.add_other(group, version, resource);
            }
        }
    }

    fn add_other(&mut self, group: &str, version: &str, resource: &Resource) {
        let plural = &resource.plural;
        if self.others.len() == MOST_KINDS {
            return self.missed.push(format!("{plural}.{group}"));
        }
        let kind = resource.response_kind.as_ref().map_or(plural.as_str(), |kind| kind.kind.as_str());
        let singular = Some(resource.singular.to_lowercase()).filter(|singular| is_label(singular));
        let singular = singular.unwrap_or_else(|| plural.clone());
        self.others.push(Kind::served(group, version, kind, plural, &singular));
    }

    /// Returns true if there is any kind of this group.
    pub(super) fn has_group(&self, group: &str) -> bool {
        self.groups.contains(group)
    }

    /// Returns the versions in which a kind is served, the preferred one first.
    pub(super) fn versions_of(&self, kind: &Kind) -> Vec<String> {
        self.versions.get(&(kind.group.to_owned(), kind.plural.to_owned())).cloned().unwrap_or_default()
    }
}

impl Resource {
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
        let others: Vec<String> = served.others.iter().map(|kind| kind.in_kubectl()).collect();
        assert_eq!(others, ["frobs.example.com"]);
        assert_eq!(served.versions_of(served.others[0]), ["v1", "v1beta1"]);
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
        assert_eq!((served.others.len(), served.missed.len()), (MOST_KINDS, 1));
    }
}
