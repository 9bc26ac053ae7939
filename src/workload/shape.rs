//! Finds what in a manifest has not the form of its kind. Reading takes it for empty and sees no reference in
//! it.

use serde_json::Value;

use super::distinct::distinct;
use super::kind::{Kind, Shape, Version};
use super::pod_spec::Role;
use super::tree::{list, text};

/// Returns what is malformed where secrets can be used, each in a few words that repeat no content.
pub(crate) fn malformed(object: &Value, kind: &Kind) -> Vec<String> {
    let parts = kind.parts(object);
    if parts.is_empty() {
        return vec![format!("it has no {}", kind.changed_part())];
    }
    let faults =
        parts.iter().filter_map(|part| object.pointer(&part.pointer)).flat_map(|spec| match kind.shape {
            Shape::PodSpecs(_) => of_pod_spec(spec, kind),
            Shape::Environments(_) => of_environment(spec),
            Shape::Accounts(_) => no_lists(spec, ["imagePullSecrets"]),
        });
    distinct(faults.collect())
}

fn of_environment(spec: &Value) -> Vec<String> {
    let environment = &spec["environment"];
    let places = [("environment", environment), ("environment.items", &environment["items"])];
    let fault = places.into_iter().find(|(_, value)| !(value.is_object() || value.is_null()));
    if let Some((name, _)) = fault {
        return vec![format!("{name} is not a map")];
    }
    let items = environment["items"].as_object().into_iter().flatten();
    let wrong = items.filter(|(_, item)| !item.is_object());
    wrong.map(|(variable, _)| format!("environment.items.{variable} is not a map")).collect()
}

fn of_pod_spec(spec: &Value, kind: &Kind) -> Vec<String> {
    let own = Role::ALL.map(Role::field).into_iter().chain(["volumes", "imagePullSecrets"]);
    let mut faults = no_lists(spec, own);
    let regular = &spec[Role::Regular.field()];
    // An operator may add the container itself where none is written.
    let is_left_out =
        spec.get(Role::Regular.field()).is_none() && !matches!(kind.version, Version::BuiltIn(_));
    if (regular.is_null() && !is_left_out) || regular.as_array().is_some_and(Vec::is_empty) {
        faults.push("it has no container".to_owned());
    }
    for role in Role::ALL {
        for container in list(spec, role.field()) {
            if !container.is_object() {
                faults.push(format!("an item of {} is not a map", role.field()));
            }
            let fields = no_lists(container, ["env", "envFrom", "volumeMounts"]);
            let name = text(container, "name");
            faults.extend(fields.into_iter().map(|fault| format!("in container {name:?} {fault}")));
        }
    }
    faults
}

fn no_lists(parent: &Value, fields: impl IntoIterator<Item = &'static str>) -> Vec<String> {
    let is_wrong = |field: &&str| !(parent[*field].is_array() || parent[*field].is_null());
    fields.into_iter().filter(is_wrong).map(|field| format!("{field} is not a list")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::workload::{Attachment, ContainerChoice, Existing, attach};

    #[test]
    fn what_attach_refuses_as_malformed_is_found() {
        let attachment = [Attachment::env("s", "A=k").unwrap()];
        let containers = |container: Value| json!({"template": {"spec": {"containers": [container]}}});
        for (kind, spec, fault) in [
            ("trainingworkload", json!({"environment": {"items": []}}), "environment.items is not a map"),
            ("trainingworkload", json!({"environment": []}), "environment is not a map"),
            ("job", json!({}), "it has no pod template"),
            (
                "job",
                containers(json!({"name": "main", "env": {"A": 1}})),
                "in container \"main\" env is not a list",
            ),
        ] {
            let kind = Kind::named(kind).unwrap();
            let object = json!({"metadata": {"name": "w"}, "spec": spec});
            assert_eq!(malformed(&object, kind), [fault]);
            let refused = attach(&object, kind, &attachment, &ContainerChoice::Only, Existing::Keep);
            assert!(refused.is_err(), "{object}");
        }
    }

    #[test]
    fn a_workload_without_a_container_is_found_unless_its_operator_may_add_one() {
        let of = |kind: &str, spec: Value| {
            let kind = Kind::named(kind).unwrap();
            let object = match kind.name {
                "Pod" => json!({ "spec": spec }),
                _ => json!({"spec": {"template": {"spec": spec}}}),
            };
            malformed(&object, kind)
        };
        for spec in [
            json!({}),
            json!({"containers": []}),
            json!({"containers": null}),
            json!({"initContainers": [{"name": "i"}]}),
        ] {
            assert_eq!(of("pod", spec.clone()), ["it has no container"], "{spec}");
            assert_eq!(of("job", spec.clone()), ["it has no container"], "{spec}");
        }
        assert!(of("notebook", json!({})).is_empty());
        assert_eq!(of("notebook", json!({"containers": []})), ["it has no container"]);
    }

    #[test]
    fn what_is_well_formed_has_no_fault() {
        let job =
            json!({"spec": {"template": {"spec": {"containers": [{"name": "main"}], "volumes": null}}}});
        assert!(malformed(&job, Kind::named("job").unwrap()).is_empty());
        let items = json!({"spec": {"environment": {"items": {"A": {"value": "x"}}}}});
        assert!(malformed(&items, Kind::named("trainingworkload").unwrap()).is_empty());
        assert!(malformed(&json!({"spec": {}}), Kind::named("trainingworkload").unwrap()).is_empty());
        for value in
            [json!({"spec": {"containers": 1}}), json!({"spec": {"containers": [1], "imagePullSecrets": {}}})]
        {
            assert!(!malformed(&value, Kind::named("pod").unwrap()).is_empty(), "{value}");
        }
    }
}
