//! Kinds that are defined by `CustomResourceDefinition`s: discovery, versions, rules.

use serde_json::{Value, json};
use support::World;

use crate::both::*;

fn define(world: &World, plural: &str, kind: &str, versions: &[&str], spec: &Value) {
    let version = |name: &&str| {
        let schema = json!({"type": "object", "properties": {"spec": spec}});
        json!({"name": name, "served": true, "storage": *name == versions[0], "schema": {"openAPIV3Schema": schema}})
    };
    let group = "definitions.example.com";
    world.define(&[json!({
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced", "versions": versions.iter().map(version).collect::<Value>(),
            "names": {"plural": plural, "singular": kind.to_lowercase(), "kind": kind, "listKind": format!("{kind}List")},
        },
    })]);
}

#[test]
#[ignore = "needs a real control plane: see CONTRIBUTING.md"]
fn a_group_prefers_its_stable_and_newest_version() {
    let any = || json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    on_both(|both| {
        for world in &both.worlds {
            define(world, "ones", "One", &["v1", "v1alpha1"], &any());
            define(world, "twos", "Two", &["v2beta1"], &any());
            define(world, "threes", "Three", &["v2", "v2alpha2", "v10beta3"], &any());
        }
        let group = both.get("/apis/definitions.example.com");
        assert_eq!(group["body"]["preferredVersion"]["version"], "v2");
        for path in [
            "v1/namespaces/@/twos/x",
            "v2/namespaces/@/twos",
            "v2beta1/namespaces/@/twos/x",
            "v9/namespaces/@/twos",
        ] {
            both.get(&format!("/apis/definitions.example.com/{path}"));
        }
        both.get("/apis/nothing.example.com");
    });
}

#[test]
#[ignore = "needs a real control plane: see CONTRIBUTING.md"]
fn what_a_rule_makes_immutable_is_refused_alike() {
    let any = || json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    on_both(|both| {
        let mut template = any();
        template["x-kubernetes-validations"] =
            json!([{"rule": "self == oldSelf", "message": "Value is immutable"}]);
        let mut items = json!({"type": "array", "maxItems": 5, "items": any()});
        items["x-kubernetes-validations"] = json!([{"rule": "self == oldSelf"}]);
        let mut spec = any();
        spec["properties"] = json!({"template": template, "items": items});
        for world in &both.worlds {
            define(world, "fixed", "Fixed", &["v1"], &spec);
        }
        let path = "/apis/definitions.example.com/v1/namespaces/@/fixed";
        let content = json!({"apiVersion": "definitions.example.com/v1", "kind": "Fixed", "spec": {"template": {"a": 1}, "items": [{"b": 1}], "other": 1}});
        both.post(path, &named("f", &content));
        for change in [
            json!({"spec": {"other": 2}}),
            json!({"spec": {"template": {"a": 2}}}),
            json!({"spec": {"items": [{"b": 1}, {"b": 2}]}}),
            json!({"metadata": {"labels": {"a": "b"}}}),
        ] {
            both.patch(MERGE, &format!("{path}/f"), &change);
        }
    });
}

#[test]
#[ignore = "needs a real control plane: see CONTRIBUTING.md"]
fn what_is_defined_is_discovered_with_everything_else_in_one_answer() {
    let any = || json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let [mine, theirs] = [World::in_process(), World::real()].map(|world| {
        define(&world, "alphas", "Alpha", &["v1", "v1alpha1"], &any());
        let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
        let (status, all) = world.ask(world.admin_token(), "GET", "/apis", &[("accept", accept)], "");
        assert_eq!(
            (status, all["kind"].as_str(), all["apiVersion"].as_str()),
            (200, Some("APIGroupDiscoveryList"), Some("apidiscovery.k8s.io/v2"))
        );
        let groups = all["items"].as_array().unwrap();
        let of = |name: &str| groups.iter().find(|group| group["metadata"]["name"] == name).unwrap().clone();
        assert_eq!(of("apps")["versions"][0]["freshness"], "Current");
        let mut group = of("definitions.example.com");
        // The real one writes null, or leaves it out, by the path on which it learnt of the group.
        let created = group["metadata"].as_object_mut().unwrap().remove("creationTimestamp");
        assert!(created.is_none_or(|created| created.is_null()), "no time is told");
        // Other tests define more on the real one.
        for version in group["versions"].as_array_mut().unwrap() {
            version["resources"].as_array_mut().unwrap().retain(|one| one["resource"] == "alphas");
        }
        group["versions"].as_array_mut().unwrap().retain(|one| one["resources"] != json!([]));
        group
    });
    assert_eq!(mine, theirs);
}
