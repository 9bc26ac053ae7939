//! Reads what a Karta says of a kind. Run:ai describes to itself with such objects where in a custom resource the
//! pods are (`kartas.run.ai`, v1alpha1).
//!
//! Its paths are expressions of jq. Those that only walk down are understood: fields, and all items of a list or
//! a map. An expression that selects or computes is not.

use serde_json::Value;

use super::kind::{Kind, OnChange, Shape, Version};
use super::tree::{list, text};

/// The kind of the descriptions themselves.
pub(crate) static KARTA: Kind = Kind {
    group: "run.ai",
    version: Version::Known(&["v1alpha1"]),
    name: "Karta",
    plural: "kartas",
    singular: "karta",
    short_names: &["krt"],
    shape: Shape::PodSpecs(&[]),
    on_change: OnChange::UpToController,
};

/// The description of one version of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Karta {
    group: String,
    version: String,
    kind: String,
    /// Where its pod specs are, as patterns of [`Shape::PodSpecs`]; none if some of them can't be told.
    pod_specs: Vec<String>,
}

impl Karta {
    /// Reads a Karta; none if it names no kind.
    pub(crate) fn of(object: &Value) -> Option<Self> {
        let structure = &object["spec"]["structureDefinition"];
        let root = &structure["rootComponent"];
        let kind = &root["kind"];
        let [group, version, kind] = ["group", "version", "kind"].map(|field| text(kind, field).to_owned());
        if version.is_empty() || kind.is_empty() {
            return None;
        }
        let components = std::iter::once(root).chain(list(structure, "childComponents"));
        let definitions = components.map(|component| &component["specDefinition"]);
        let definitions =
            definitions.filter(|definition| definition.as_object().is_some_and(|one| !one.is_empty()));
        // Changing some pods and not others would be a surprise.
        let pod_specs: Option<Vec<String>> = definitions.map(pod_spec).collect();
        let mut pod_specs = pod_specs.unwrap_or_default();
        pod_specs.sort_unstable();
        pod_specs.dedup();
        Some(Self { group, version, kind, pod_specs })
    }

    /// Returns true if it tells where the pods of this version of a kind are.
    pub(crate) fn describes(&self, group: &str, version: &str, kind: &str) -> bool {
        !self.pod_specs.is_empty() && [&*self.group, &*self.version, &*self.kind] == [group, version, kind]
    }

    pub(crate) fn pod_specs(&self) -> &[String] {
        &self.pod_specs
    }
}

/// Returns where a component has its pod spec. Of a spec in pieces the list of containers tells it, if that is
/// named as in a pod spec.
fn pod_spec(definition: &Value) -> Option<String> {
    let path = |field: &str| definition[field].as_str();
    let found = if let Some(template) = path("podTemplateSpecPath") {
        format!("{}/spec", pattern(template)?)
    } else if let Some(spec) = path("podSpecPath") {
        pattern(spec)?
    } else {
        let containers = text(&definition["fragmentedPodSpecDefinition"], "containersPath");
        pattern(containers)?.strip_suffix("/containers")?.to_owned()
    };
    Some(found).filter(|pattern| !pattern.is_empty())
}

/// Returns a jq path as a pattern: `.spec.groups[]?.template` as `/spec/groups/*/template`.
fn pattern(path: &str) -> Option<String> {
    let mut pattern = String::new();
    for step in path.split('|') {
        let mut rest = step.trim();
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let (field, after) = step_down(rest)?;
            if let Some(field) = field {
                pattern.push('/');
                pattern.push_str(field);
            }
            rest = after.strip_prefix('?').unwrap_or(after);
        }
    }
    Some(pattern)
}

/// Splits off the first step of a path: a field, `*` for all items, or none for the dot that stands alone.
fn step_down(path: &str) -> Option<(Option<&str>, &str)> {
    let (has_dot, rest) = path.strip_prefix('.').map_or((false, path), |rest| (true, rest));
    if let Some(rest) = rest.strip_prefix("[]") {
        return Some((Some("*"), rest));
    }
    if let Some(rest) = rest.strip_prefix("[\"") {
        let (field, rest) = rest.split_once("\"]")?;
        return is_plain(field).then_some((Some(field), rest));
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let (field, rest) = rest.split_at(end);
    match (has_dot, field) {
        (true, "") if rest.is_empty() => Some((None, rest)),
        (true, field) if is_plain(field) => Some((Some(field), rest)),
        _ => None,
    }
}

/// Returns true for a name that is one step of a pattern.
fn is_plain(field: &str) -> bool {
    !field.is_empty() && !field.contains(['/', '~', '*', '"', '\\'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn karta(root: &Value, children: &Value) -> Option<Karta> {
        let kind = json!({"group": "example.com", "version": "v1", "kind": "Frob"});
        let root = json!({"name": "frob", "kind": kind, "specDefinition": root});
        Karta::of(
            &json!({"spec": {"structureDefinition": {"rootComponent": root, "childComponents": children}}}),
        )
    }

    #[test]
    fn paths_that_walk_down_become_patterns() {
        for (path, expected) in [
            (".spec.template", "/spec/template"),
            (
                ".spec.rayClusterConfig.workerGroupSpecs[]?.template",
                "/spec/rayClusterConfig/workerGroupSpecs/*/template",
            ),
            (".spec.services | .[] | .extraPodSpec", "/spec/services/*/extraPodSpec"),
            (".spec.components[] | .podTemplate.spec", "/spec/components/*/podTemplate/spec"),
            (".spec[\"a-b\"].c?", "/spec/a-b/c"),
            (".", ""),
        ] {
            assert_eq!(pattern(path).as_deref(), Some(expected), "{path}");
        }
        for path in [
            "",
            "1",
            "spec.template",
            ".spec.a // .spec.b",
            ".spec.list[0].template",
            ".spec.containers[] | select(.name == \"main\")",
            "{requests: .spec.resources}",
            ".spec.template as $t | $t.cliques[]",
            ".spec | ",
            ".spec..template",
            ".spec[\"a/b\"]",
        ] {
            assert_eq!(pattern(path), None, "{path}");
        }
    }

    #[test]
    fn pod_specs_are_those_of_all_components() {
        let children = json!([
            {"name": "a", "specDefinition": {"podTemplateSpecPath": ".spec.a.template"}},
            {"name": "b", "specDefinition": {"podSpecPath": ".spec.b[]"}},
            {"name": "c", "specDefinition": {"fragmentedPodSpecDefinition": {"containersPath": ".spec.c.containers", "labelsPath": ".x"}}},
            {"name": "made", "kind": {"kind": "Pod"}},
        ]);
        let found = karta(&Value::Null, &children).unwrap();
        assert_eq!(found.pod_specs(), ["/spec/a/template/spec", "/spec/b/*", "/spec/c"]);
        assert!(
            found.describes("example.com", "v1", "Frob") && !found.describes("example.com", "v2", "Frob")
        );
    }

    #[test]
    fn a_kind_of_which_some_pods_are_not_to_be_found_is_not_described() {
        let template = json!({"podTemplateSpecPath": ".spec.template"});
        for other in [
            json!({"podTemplateSpecPath": ".spec.list[] | select(.x)"}),
            json!({"fragmentedPodSpecDefinition": {"resourcesPath": ".spec.resources"}}),
            json!({"fragmentedPodSpecDefinition": {"containersPath": ".spec.runners"}}),
            json!({"podSpecPath": "."}),
        ] {
            let found = karta(&template, &json!([{"name": "b", "specDefinition": other}])).unwrap();
            assert!(!found.describes("example.com", "v1", "Frob"), "{other}");
        }
        assert!(karta(&template, &Value::Null).unwrap().describes("example.com", "v1", "Frob"));
        assert_eq!(
            Karta::of(&json!({"spec": {"structureDefinition": {"rootComponent": {"kind": "Frob"}}}})),
            None
        );
    }

    proptest! {
        #[test]
        fn any_path_is_read_without_a_panic(path in "[.a\\[\\]\"?| */~$é]{0,20}") {
            if let Some(pattern) = pattern(&path) {
                prop_assert!(pattern.is_empty() || pattern.starts_with('/'), "{}", pattern);
            }
        }
    }
}
