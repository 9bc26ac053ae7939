//! The choice of containers for an attachment.

use std::collections::HashSet;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::wording::nearest;
use crate::workload::kind::{Kind, Part, Shape};
use crate::workload::pod_spec::{self, Role};
use crate::workload::tree::text;

/// The containers that get env variables and files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ContainerChoice {
    /// The only regular container. If there are several, the error names them.
    Only,
    /// These, which may be init containers.
    Named(Vec<String>),
    /// All, init containers too, as with `kubectl set env -c '*'`.
    All,
}

/// The position of a container in a pod spec.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    role: Role,
    index: usize,
    pub(crate) name: String,
}

impl Place {
    pub(crate) fn container_of<'a>(&self, spec: &'a mut Value) -> Option<&'a mut Value> {
        spec.get_mut(self.role.field())?.get_mut(self.index)
    }
}

impl ContainerChoice {
    /// Interprets the values of `-c`: none is [`Self::Only`], a `*` among them is [`Self::All`].
    pub(crate) fn from_flags(names: &[String]) -> Self {
        match names {
            [] => Self::Only,
            names if names.iter().any(|name| name == "*") => Self::All,
            names => Self::Named(names.to_vec()),
        }
    }
}

/// Returns the chosen containers of a pod spec, init containers first. Named ones that it lacks are left out.
///
/// # Errors
/// There is no container, or there are several and none was chosen.
pub(crate) fn choose(spec: &Value, workload: &str, choice: &ContainerChoice) -> Result<Vec<Place>> {
    let all: Vec<_> = changeable(spec).collect();
    let regular: Vec<_> = all.iter().filter(|place| place.role == Role::Regular).cloned().collect();
    match choice {
        ContainerChoice::All => Ok(all),
        ContainerChoice::Only if regular.len() == 1 => Ok(regular),
        ContainerChoice::Only if regular.is_empty() => {
            Err(Error::failed(format!("{workload} has no container")))
        }
        ContainerChoice::Only => {
            Err(Error::usage(format!("{workload} has more than one container: {}", names(&regular)))
                .hint("choose with -c CONTAINER, or -c '*' for all of them"))
        }
        ContainerChoice::Named(wanted) => {
            Ok(all.into_iter().filter(|place| wanted.contains(&place.name)).collect())
        }
    }
}

/// Checks the named containers.
///
/// # Errors
/// A named container is in none of the object's parts, or can't be changed.
pub(crate) fn check_named(
    object: &Value,
    parts: &[Part],
    workload: &str,
    choice: &ContainerChoice,
) -> Result<()> {
    let ContainerChoice::Named(wanted) = choice else { return Ok(()) };
    let specs: Vec<&Value> = parts.iter().filter_map(|part| object.pointer(&part.pointer)).collect();
    let mut names_seen = HashSet::new();
    let mut all: Vec<Place> = specs.iter().flat_map(|spec| changeable(spec)).collect();
    all.retain(|place| names_seen.insert(place.name.clone()));
    let Some(missing) = wanted.iter().find(|name| !names_seen.contains(*name)) else {
        return Ok(());
    };
    let mut every = specs.iter().flat_map(|spec| pod_spec::containers(spec));
    let error = if every.any(|(_, _, container)| text(container, "name") == missing) {
        let why = "it was added to a running pod and can't be changed";
        Error::failed(format!("container {missing:?} of {workload} is ephemeral: {why}"))
    } else {
        Error::failed(format!("{workload} has no container {missing:?}"))
    };
    let error = match nearest(missing, all.iter().map(|place| place.name.as_str())) {
        Some(near) => error.hint(format!("did you mean {near:?}?")),
        None => error,
    };
    Err(error.hint(format!("its containers are: {}", names(&all))))
}

/// Checks that a choice of all containers finds one.
///
/// # Errors
/// The object has no container.
pub(super) fn check_any(object: &Value, kind: &Kind, workload: &str, choice: &ContainerChoice) -> Result<()> {
    let has_pods = matches!(kind.shape, Shape::PodSpecs(_));
    if *choice == ContainerChoice::All && has_pods && pod_spec::container_names(object, kind).is_empty() {
        return Err(Error::failed(format!("{workload} has no container")));
    }
    Ok(())
}

/// Returns the containers that can be changed. Ephemeral containers can't be once they exist.
fn changeable(pod_spec: &Value) -> impl Iterator<Item = Place> {
    pod_spec::containers(pod_spec)
        .filter(|(role, ..)| *role != Role::Ephemeral)
        .map(|(role, index, container)| Place { role, index, name: text(container, "name").to_owned() })
}

fn names(places: &[Place]) -> String {
    let name = |place: &Place| match place.role {
        Role::Init => format!("{} (init)", place.name),
        Role::Regular | Role::Ephemeral => place.name.clone(),
    };
    places.iter().map(name).collect::<Vec<_>>().join(", ")
}
