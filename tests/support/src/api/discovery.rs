//! Discovery, in its classic form, which kubectl falls back to, and aggregated: enough to find every type.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::resources::Resource;
use super::store::State;

const VERBS: [&str; 7] = ["create", "delete", "deletecollection", "get", "list", "patch", "update"];

/// As the real server has them for custom resources.
const AGGREGATED_VERBS: [&str; 8] =
    ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];

impl State {
    /// Returns the answer to a discovery path, if it is one.
    pub(crate) fn discover(&self, path: &str) -> Option<Value> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match parts.as_slice() {
            ["version"] => {
                Some(json!({"major": "1", "minor": "37", "gitVersion": "v1.37.2", "platform": "linux/amd64"}))
            }
            ["api"] => Some(json!({"kind": "APIVersions", "versions": ["v1"]})),
            ["apis"] => Some(json!({
                "kind": "APIGroupList", "apiVersion": "v1",
                "groups": self.groups().into_iter().map(|group| self.group(group)).collect::<Value>(),
            })),
            ["api", version] => self.resource_list("", version),
            ["apis", group] if self.groups().contains(group) => Some(self.group(group)),
            ["apis", group, version] => self.resource_list(group, version),
            _ => None,
        }
    }

    /// Returns all groups with what is in them, to whoever asks in that form (KEP-3352).
    pub(crate) fn discover_all(&self, path: &str, accept: &str) -> Option<Value> {
        let is_wanted = path == "/apis" && accept.starts_with("application/json;g=apidiscovery.k8s.io;v=v2;");
        let group = |group: &str| {
            let version = |version: &str| {
                let all = self.in_group(group).filter(|resource| resource.version == version);
                let resources: Vec<Value> = all.map(aggregated).collect();
                json!({"version": version, "resources": resources, "freshness": "Current"})
            };
            let versions: Vec<Value> = self.versions(group).into_iter().map(version).collect();
            json!({"metadata": {"name": group, "creationTimestamp": null}, "versions": versions})
        };
        is_wanted.then(|| {
            json!({
                "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {},
                "items": self.groups().into_iter().map(group).collect::<Value>(),
            })
        })
    }

    fn groups(&self) -> BTreeSet<&str> {
        self.resources
            .iter()
            .map(|resource| resource.group.as_str())
            .filter(|group| !group.is_empty())
            .collect()
    }

    /// Returns the versions of a group, the preferred one first: stable ones before betas before alphas,
    /// newer before older.
    fn versions(&self, group: &str) -> Vec<&str> {
        let found: BTreeSet<&str> = self.in_group(group).map(|resource| resource.version.as_str()).collect();
        let mut found: Vec<&str> = found.into_iter().collect();
        found.sort_by_key(|version| std::cmp::Reverse(rank(version)));
        found
    }

    fn in_group(&self, group: &str) -> impl Iterator<Item = &Resource> {
        self.resources.iter().filter(move |resource| resource.group == group)
    }

    fn group(&self, group: &str) -> Value {
        let versions: Vec<Value> = self
            .versions(group)
            .into_iter()
            .map(|version| json!({"groupVersion": format!("{group}/{version}"), "version": version}))
            .collect();
        json!({
            "kind": "APIGroup", "apiVersion": "v1", "name": group,
            "preferredVersion": versions.first(), "versions": versions,
        })
    }

    fn resource_list(&self, group: &str, version: &str) -> Option<Value> {
        let resources: Vec<Value> = self
            .in_group(group)
            .filter(|resource| resource.version == version)
            .map(|resource| {
                json!({
                    "name": resource.plural, "singularName": resource.singular, "kind": resource.kind,
                    "namespaced": resource.namespaced, "verbs": VERBS, "shortNames": resource.short,
                })
            })
            .collect();
        let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        (!resources.is_empty()).then(|| {
            json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources})
        })
    }
}

/// Returns a resource as aggregated discovery has it.
fn aggregated(resource: &Resource) -> Value {
    let Resource { group, version, plural, kind, namespaced, singular, short, .. } = resource;
    let scope = if *namespaced { "Namespaced" } else { "Cluster" };
    let mut found = json!({
        "resource": plural, "responseKind": {"group": group, "version": version, "kind": kind}, "scope": scope,
        "singularResource": singular, "verbs": AGGREGATED_VERBS,
    });
    if !short.is_empty() {
        found["shortNames"] = json!(short);
    }
    found
}

/// Returns `v2beta1` as 2, beta, 1; stability comes first in the order of preference.
fn rank(version: &str) -> (u8, u32, u32) {
    let number = |digits: &str| digits.parse().unwrap_or(0);
    let version = version.trim_start_matches('v');
    match (version.split_once("alpha"), version.split_once("beta")) {
        (Some((major, minor)), _) => (0, number(major), number(minor)),
        (_, Some((major, minor))) => (1, number(major), number(minor)),
        _ => (2, number(version), 0),
    }
}
