//! Discovery, in the classic form and as one aggregated answer: enough for kubectl to find every type.

use std::collections::BTreeSet;

use hyper::HeaderMap;
use serde_json::{Value, json};

use super::call::text_of;
use super::resources::Resource;
use super::store::State;

const VERBS: [&str; 7] = ["create", "delete", "deletecollection", "get", "list", "patch", "update"];

impl State {
    /// The answer to a discovery path, if it is one.
    pub(crate) fn discover(&self, path: &str, headers: &HeaderMap) -> Option<Value> {
        let aggregated = text_of(headers, "accept").contains("g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match parts.as_slice() {
            ["version"] => Some(json!({"major": "1", "minor": "37", "gitVersion": "v1.37.2", "platform": "linux/amd64"})),
            ["api"] if aggregated => Some(self.aggregated(&BTreeSet::from([""]))),
            ["apis"] if aggregated => Some(self.aggregated(&self.groups())),
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

    fn groups(&self) -> BTreeSet<&str> {
        self.resources.iter().map(|resource| resource.group.as_str()).filter(|group| !group.is_empty()).collect()
    }

    fn versions(&self, group: &str) -> BTreeSet<&str> {
        self.in_group(group).map(|resource| resource.version.as_str()).collect()
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
                    "name": resource.plural, "singularName": resource.kind.to_lowercase(), "kind": resource.kind,
                    "namespaced": resource.namespaced, "verbs": VERBS, "shortNames": resource.short,
                })
            })
            .collect();
        let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        (!resources.is_empty()).then(|| {
            json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources})
        })
    }

    fn aggregated(&self, groups: &BTreeSet<&str>) -> Value {
        let items: Vec<Value> = groups
            .iter()
            .map(|group| {
                let versions: Vec<Value> = self
                    .versions(group)
                    .into_iter()
                    .map(|version| json!({"version": version, "resources": self.aggregated_resources(group, version)}))
                    .collect();
                json!({"metadata": {"name": group}, "versions": versions})
            })
            .collect();
        json!({
            "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items,
        })
    }

    fn aggregated_resources(&self, group: &str, version: &str) -> Vec<Value> {
        let in_version = self.in_group(group).filter(|resource| resource.version == version);
        in_version
            .map(|resource| {
                json!({
                    "resource": resource.plural,
                    "responseKind": {"group": group, "version": version, "kind": resource.kind},
                    "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
                    "singularResource": resource.kind.to_lowercase(), "verbs": VERBS, "shortNames": resource.short,
                })
            })
            .collect()
    }
}
