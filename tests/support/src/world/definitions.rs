//! Kinds that are not built in.

use serde_json::{Value, json};

use super::{World, eventually};

impl World {
    /// Serves a namespaced custom resource of any content.
    pub fn custom_resource(&self, group: &str, version: &str, plural: &str, kind: &str) {
        self.define(&[json!({
            "metadata": {"name": format!("{plural}.{group}")},
            "spec": {
                "group": group, "scope": "Namespaced", "names": {"plural": plural, "kind": kind},
                "versions": [{
                    "name": version, "served": true, "storage": true,
                    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
                }],
            },
        })]);
    }

    /// Serves the types of these `CustomResourceDefinition`s. Worlds on the real control plane share them: an
    /// existing one stays as it is.
    pub fn define(&self, definitions: &[Value]) {
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        for definition in definitions {
            let (status, answer) = self.admin("POST", path, Some(definition));
            let name = &definition["metadata"]["name"];
            assert!(matches!(status, 201 | 409), "{name} could not be defined: {answer}");
        }
        for definition in definitions {
            self.wait_until_served(&definition["spec"]);
        }
    }

    /// Waits for discovery, which lists a new resource a moment before or after it is served.
    fn wait_until_served(&self, spec: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (group, plural) = (text(&spec["group"]), text(&spec["names"]["plural"]));
        for version in spec["versions"].as_array().into_iter().flatten() {
            let name = text(&version["name"]);
            let base = format!("/apis/{group}/{name}");
            eventually("the version is listed", || {
                let (_, known) = self.admin("GET", &format!("/apis/{group}"), None);
                known["versions"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .any(|version| version["version"] == name.as_str())
            });
            eventually("the custom resource is served", || {
                let (_, known) = self.admin("GET", &base, None);
                let known = known["resources"].as_array().cloned().unwrap_or_default();
                known.iter().any(|resource| resource["name"] == plural.as_str())
                    && self.admin("GET", &format!("{base}/{plural}?limit=1"), None).0 == 200
            });
        }
    }
}
