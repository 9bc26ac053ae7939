//! Puts attachments on a workload: a changed copy of it, and what a person should know about the change.
//!
//! What is already as asked is left alone, so attaching twice is attaching once. What stands in the way is
//! replaced only when asked to, and then where it stands.

mod env;
mod files;
#[cfg(test)]
mod properties;

use std::fmt;

use serde_json::Value;

use super::attachment::Attachment;
use super::kind::Kind;
use super::pod_spec::{self, Role, text};
use crate::error::{Error, Result};

/// Which containers get env variables and files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ContainerChoice {
    /// The one regular container; an error naming them if there are several.
    Only,
    /// These, init containers among them if named.
    Named(Vec<String>),
    /// All, init containers too, as `kubectl set env -c '*'` has it.
    All,
}

/// What to do where something else stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    Keep,
    Overwrite,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// There is nothing to do.
    AsAsked,
    Changed {
        object: Value,
        differences: Vec<Difference>,
    },
}

/// One thing that differs between the object and its changed copy. It prints as
/// `env MYUSERNAME ← SECRET:my-secret,username in container main`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) attachment: Attachment,
    /// None for what belongs to the whole pod.
    pub(crate) container: Option<String>,
    pub(crate) effect: Effect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Added,
    /// Something else was there.
    Replaced,
}

/// Puts the attachments on a copy of the object.
///
/// Errors name the variable, path or container that is in the way or missing, never what it holds.
pub(crate) fn attach(
    object: &Value,
    kind: &Kind,
    attachments: &[Attachment],
    containers: &ContainerChoice,
    existing: Existing,
) -> Result<Outcome> {
    let asked = distinct(attachments)?;
    let workload = display_name(object, kind);
    let mut copy = object.clone();
    let mut differences = Vec::new();
    for pointer in pod_specs(object, kind)? {
        if let Some(spec) = copy.pointer_mut(&pointer) {
            differences.extend(Pod { spec, workload: &workload, existing }.put(&asked, containers)?);
        }
    }
    Ok(if differences.is_empty() { Outcome::AsAsked } else { Outcome::Changed { object: copy, differences } })
}

impl ContainerChoice {
    /// What the values of `-c` mean: none is [`Self::Only`], a `*` among them is [`Self::All`].
    pub(crate) fn from_flags(names: &[String]) -> Self {
        match names {
            [] => Self::Only,
            names if names.iter().any(|name| name == "*") => Self::All,
            names => Self::Named(names.to_vec()),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.attachment)?;
        if let Some(container) = &self.container {
            write!(f, " in container {container}")?;
        }
        match self.effect {
            Effect::Added => Ok(()),
            Effect::Replaced => f.write_str(" (replaces what was there)"),
        }
    }
}

/// A pod spec that is being changed.
struct Pod<'a> {
    spec: &'a mut Value,
    workload: &'a str,
    existing: Existing,
}

/// Where a container stands in a pod spec.
#[derive(Debug, Clone)]
pub(super) struct Place {
    role: Role,
    index: usize,
    pub(super) name: String,
}

impl Place {
    pub(super) fn container_of<'a>(&self, spec: &'a mut Value) -> Option<&'a mut Value> {
        spec.get_mut(self.role.field())?.get_mut(self.index)
    }
}

impl Pod<'_> {
    fn put(&mut self, asked: &[&Attachment], choice: &ContainerChoice) -> Result<Vec<Difference>> {
        let for_containers = asked.iter().any(|one| !matches!(one, Attachment::ImagePull { .. }));
        let places = if for_containers { choose(self.spec, self.workload, choice)? } else { Vec::new() };
        let mut differences = Vec::new();
        for &attachment in asked {
            let mut note = |container: Option<&Place>, effect: Option<Effect>| {
                let container = container.map(|place| place.name.clone());
                differences.extend(effect.map(|effect| Difference {
                    attachment: attachment.clone(),
                    container,
                    effect,
                }));
            };
            if let Attachment::ImagePull { secret } = attachment {
                note(None, env::pull_images(self.spec, secret)?);
                continue;
            }
            for place in &places {
                note(Some(place), self.put_in(place, attachment)?);
            }
        }
        Ok(differences)
    }

    fn put_in(&mut self, place: &Place, attachment: &Attachment) -> Result<Option<Effect>> {
        match attachment {
            Attachment::Env { variable, secret, key, need } => {
                let entry = env::variable(variable, secret, key, *need);
                self.set_variable(place, variable, entry)
            }
            Attachment::EnvAll { secret, prefix, need } => {
                let entry = env::all_keys(secret, prefix, *need);
                self.set_source(place, secret, prefix, entry)
            }
            Attachment::Files { secret, path, items, mode, need } => {
                let source = files::source(secret, items, *mode, *need);
                self.mount(place, secret, path, &source)
            }
            Attachment::ImagePull { .. } => Ok(None),
        }
    }

    fn container(&mut self, place: &Place) -> Result<&mut Value> {
        place
            .container_of(self.spec)
            .ok_or_else(|| Error::failed(format!("{} has no container {:?}", self.workload, place.name)))
    }

    /// Whether what is in the way, described by `what`, may be replaced.
    fn replace(&self, place: &Place, what: &str) -> Result<Effect> {
        match self.existing {
            Existing::Overwrite => Ok(Effect::Replaced),
            Existing::Keep => {
                let workload = self.workload;
                Err(Error::failed(format!("container {:?} of {workload} already has {what}", place.name))
                    .hint("--overwrite replaces it"))
            }
        }
    }
}

/// The containers of a pod spec that are meant, init containers first.
pub(super) fn choose(spec: &Value, workload: &str, choice: &ContainerChoice) -> Result<Vec<Place>> {
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
            let missing = wanted.iter().find(|name| !all.iter().any(|place| place.name == **name));
            match missing {
                Some(name) => Err(Error::failed(format!("{workload} has no container {name:?}"))
                    .hint(format!("its containers are: {}", names(&all)))),
                None => Ok(all.into_iter().filter(|place| wanted.contains(&place.name)).collect()),
            }
        }
    }
}

/// What to call the object in messages.
pub(super) fn display_name(object: &Value, kind: &Kind) -> String {
    let metadata = &object["metadata"];
    let name = if metadata["name"].is_string() { "name" } else { "generateName" };
    kind.display_name(text(metadata, name))
}

/// The pod specs of the object, at least one.
pub(super) fn pod_specs(object: &Value, kind: &Kind) -> Result<Vec<String>> {
    match kind.pod_specs(object) {
        none if none.is_empty() => {
            Err(Error::failed(format!("{} has no pod template", display_name(object, kind))))
        }
        found => Ok(found),
    }
}

/// Ephemeral containers cannot be changed once they are there, so nothing is attached to them.
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

/// The attachments without repetitions; two of them that want the same place are a usage error.
fn distinct(attachments: &[Attachment]) -> Result<Vec<&Attachment>> {
    let mut kept: Vec<&Attachment> = Vec::new();
    for attachment in attachments {
        if kept.contains(&attachment) {
            continue;
        }
        if let Some(other) = kept.iter().find(|other| want_same_place(other, attachment)) {
            return Err(Error::usage(format!("these two exclude each other: {other}; and: {attachment}")));
        }
        kept.push(attachment);
    }
    Ok(kept)
}

fn want_same_place(one: &Attachment, other: &Attachment) -> bool {
    use Attachment::{Env, EnvAll, Files};
    match (one, other) {
        (Env { variable: a, .. }, Env { variable: b, .. })
        | (Files { path: a, .. }, Files { path: b, .. }) => a == b,
        (EnvAll { secret: a, prefix: p, .. }, EnvAll { secret: b, prefix: q, .. }) => a == b && p == q,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
