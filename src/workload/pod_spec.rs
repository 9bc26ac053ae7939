//! The parts of a pod spec that can use secrets, read and changed without trust in their shape.
//!
//! A manifest from a file may hold anything anywhere, so reads treat malformed fields as empty, and changes
//! report them.

use serde_json::Value;

use super::distinct::distinct;
use super::kind::Kind;
use super::tree::{list, text};

/// The list of a pod spec that holds a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Init,
    Regular,
    /// Added to a running pod; it has env and mounts but can't be changed.
    Ephemeral,
}

impl Role {
    pub(super) const ALL: [Self; 3] = [Self::Init, Self::Regular, Self::Ephemeral];

    /// Returns the field of the pod spec.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Init => "initContainers",
            Self::Regular => "containers",
            Self::Ephemeral => "ephemeralContainers",
        }
    }
}

/// Returns every container of a pod spec, in the order in which pods start them.
pub(super) fn containers(pod_spec: &Value) -> impl Iterator<Item = (Role, usize, &Value)> {
    Role::ALL.into_iter().flat_map(move |role| {
        list(pod_spec, role.field())
            .iter()
            .enumerate()
            .map(move |(index, container)| (role, index, container))
    })
}

/// Returns the names of the containers of an object that can be changed, each once.
pub(crate) fn container_names(object: &Value, kind: &Kind) -> Vec<String> {
    let specs = kind.pod_specs(object);
    let specs = specs.iter().filter_map(|pointer| object.pointer(pointer));
    let changeable = specs.flat_map(containers).filter(|(role, ..)| *role != Role::Ephemeral);
    distinct(changeable.map(|(_, _, container)| text(container, "name").to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::workload::tree::put;

    #[test]
    fn a_missing_list_is_made_and_a_malformed_one_is_an_error() {
        let mut container = json!({"env": null, "envFrom": "text"});
        put(&mut container, "env", None, json!(1)).unwrap();
        put(&mut container, "volumeMounts", None, json!(2)).unwrap();
        assert!(put(&mut container, "envFrom", None, json!(3)).is_err());
        assert!(put(&mut json!("text"), "env", None, json!(1)).is_err());
        assert_eq!(container, json!({"env": [1], "volumeMounts": [2], "envFrom": "text"}));
    }

    #[test]
    fn reading_takes_what_is_malformed_for_empty() {
        for malformed in [json!(null), json!("x"), json!([1]), json!({"containers": {}})] {
            assert_eq!(containers(&malformed).count(), 0);
            assert_eq!(text(&malformed, "name"), "");
        }
    }
}
