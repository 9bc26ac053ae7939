//! Adds attachments to a copy of a workload, and reports the differences.
//!
//! An attachment that is there already is left alone, so attaching twice is the same as attaching once. A
//! conflicting entry is replaced only if asked for, and stays in its place.

mod env;
mod files;
#[cfg(test)]
mod properties;

use std::fmt;

use serde_json::{Value, json};

use super::attachment::{Attachment, Effect, Existing, Item, Need, normal_path};
use super::containers::{ContainerChoice, Place, check_any, check_named, choose};
use super::environment;
use super::kind::{Kind, Part, Shape};
use super::tree::text;
use crate::error::{Error, Result};

#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// Nothing has to change.
    AsAsked,
    Changed {
        object: Value,
        differences: Vec<Difference>,
    },
}

/// One difference between the object and its changed copy. It prints as `env MYUSERNAME ←
/// SECRET:my-secret,username in container main`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) attachment: Attachment,
    /// None for an entry of the whole pod.
    pub(crate) container: Option<String>,
    /// The object's part, if there are several.
    pub(crate) part: Option<String>,
    pub(crate) effect: Effect,
}

/// Adds the attachments to a copy of the object.
///
/// # Errors
/// A variable, path or container is in the way or missing. The error names it, and never its content.
pub(crate) fn attach(
    object: &Value,
    kind: &Kind,
    attachments: &[Attachment],
    containers: &ContainerChoice,
    existing: Existing,
) -> Result<Outcome> {
    let asked = distinct(attachments)?;
    environment::check_expressible(kind, attachments, containers)?;
    let workload = display_name(object, kind);
    let parts = parts(object, kind)?;
    if asked.iter().any(|one| !matches!(one, Attachment::ImagePull { .. })) {
        check_named(object, &parts, &workload, containers)?;
        check_any(object, kind, &workload, containers)?;
    }
    let mut copy = object.clone();
    let mut differences = Vec::new();
    for part in parts {
        let Some(spec) = copy.pointer_mut(&part.pointer) else { continue };
        let workload = part.of(&workload);
        let mut changes = match kind.shape {
            Shape::PodSpecs(_) => Pod { spec, workload: &workload, existing }.put(&asked, containers)?,
            Shape::Environments(_) => put_references(spec, kind, &workload, &asked, existing)?,
            Shape::Accounts(_) => put_logins(spec, &asked)?,
        };
        for change in &mut changes {
            change.part.clone_from(&part.name);
        }
        differences.extend(changes);
    }
    Ok(if differences.is_empty() { Outcome::AsAsked } else { Outcome::Changed { object: copy, differences } })
}

fn put_references(
    spec: &mut Value,
    kind: &Kind,
    workload: &str,
    asked: &[&Attachment],
    existing: Existing,
) -> Result<Vec<Difference>> {
    let mut differences = Vec::new();
    for &attachment in asked {
        let effect = match attachment {
            Attachment::Env { variable, secret, key, .. } => {
                environment::put(spec, workload, (variable, secret, key), existing)?
            }
            other => return Err(environment::unknown_keys(kind, other.secret())),
        };
        differences.extend(of_the_whole(attachment, effect));
    }
    Ok(differences)
}

/// Returns the difference of a change that is made in no container; none if nothing changed.
fn of_the_whole(attachment: &Attachment, effect: Option<Effect>) -> Option<Difference> {
    let attachment = attachment.clone();
    effect.map(|effect| Difference { attachment, container: None, part: None, effect })
}

/// Adds registry logins to a service account.
fn put_logins(account: &mut Value, asked: &[&Attachment]) -> Result<Vec<Difference>> {
    let mut differences = Vec::new();
    for &attachment in asked {
        let effect = env::pull_images(account, attachment.secret())?;
        differences.extend(of_the_whole(attachment, effect));
    }
    Ok(differences)
}

impl Part {
    /// Returns the workload's name for messages about this part of it.
    pub(super) fn of(&self, workload: &str) -> String {
        self.name.as_ref().map_or_else(|| workload.to_owned(), |name| format!("{workload} ({name})"))
    }
}

/// Has the entry of a variable refer to a key of a secret, in the form of the kind.
pub(super) fn refer(entry: &mut Value, kind: &Kind, (variable, secret, key): (&str, &str, &str)) {
    match kind.shape {
        Shape::PodSpecs(_) => *entry = env::variable(variable, secret, key, Need::Required),
        Shape::Environments(_) => entry["value"] = environment::reference(secret, key).into(),
        // It has no variables.
        Shape::Accounts(_) => {}
    }
}

/// Returns ` in container main of Worker`, or less if there is less to say.
pub(super) fn place_in_words(container: Option<&str>, part: Option<&str>) -> String {
    match (container, part) {
        (Some(container), Some(part)) => format!(" in container {container} of {part}"),
        (Some(container), None) => format!(" in container {container}"),
        (None, Some(part)) => format!(" in {part}"),
        (None, None) => String::new(),
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.attachment, place_in_words(self.container.as_deref(), self.part.as_deref()))?;
        match self.effect {
            Effect::Added => Ok(()),
            Effect::Replaced => f.write_str(" (replaces what was there)"),
            Effect::KeptOfAccount => {
                f.write_str(" (of the service account, whose logins are not used any more)")
            }
        }
    }
}

/// A pod spec that is being changed.
struct Pod<'a> {
    spec: &'a mut Value,
    workload: &'a str,
    existing: Existing,
}

impl Pod<'_> {
    fn put(&mut self, asked: &[&Attachment], choice: &ContainerChoice) -> Result<Vec<Difference>> {
        let for_containers = asked.iter().any(|one| !matches!(one, Attachment::ImagePull { .. }));
        let places = if for_containers { choose(self.spec, self.workload, choice)? } else { Vec::new() };
        let mut differences = Vec::new();
        for group in together(asked) {
            let mut note = |container: Option<&Place>, effects: Vec<Option<Effect>>| {
                let made = group.iter().zip(effects).filter_map(|(&attachment, effect)| {
                    let container = container.map(|place| place.name.clone());
                    Some(Difference {
                        attachment: attachment.clone(),
                        container,
                        part: None,
                        effect: effect?,
                    })
                });
                differences.extend(made);
            };
            if let [Attachment::ImagePull { secret }] = group[..] {
                note(None, vec![env::pull_images(self.spec, secret)?]);
                continue;
            }
            for place in &places {
                note(Some(place), self.put_in(place, &group)?);
            }
        }
        Ok(differences)
    }

    /// Makes the changes of a group in a container. A group of several is the files of one path.
    fn put_in(&mut self, place: &Place, group: &[&Attachment]) -> Result<Vec<Option<Effect>>> {
        let effect = match group {
            [Attachment::Env { variable, secret, key, need }] => {
                let entry = env::variable(variable, secret, key, *need);
                self.set_variable(place, variable, entry)?
            }
            [Attachment::EnvAll { secret, prefix, need }] => {
                let entry = env::all_keys(secret, prefix, *need);
                self.set_source(place, secret, prefix, entry)?
            }
            [Attachment::PathOf { variable, path, .. }] => {
                self.set_variable(place, variable, json!({ "name": variable, "value": path }))?
            }
            files => return self.mount(place, &files::Asked::of(files)),
        };
        Ok(vec![effect])
    }

    fn container(&mut self, place: &Place) -> Result<&mut Value> {
        place
            .container_of(self.spec)
            .ok_or_else(|| Error::failed(format!("{} has no container {:?}", self.workload, place.name)))
    }

    /// Allows or refuses to replace a conflicting entry, described by `what`.
    fn replace(&self, place: &Place, what: &str) -> Result<Effect> {
        let workload = self.workload;
        self.existing
            .replace(|| Error::failed(format!("container {:?} of {workload} already has {what}", place.name)))
    }
}

/// Groups the attachments: files in the same path together, at the place of the first, and all others alone.
fn together<'a>(asked: &[&'a Attachment]) -> Vec<Vec<&'a Attachment>> {
    let mut groups: Vec<Vec<&Attachment>> = Vec::new();
    for &attachment in asked {
        let path = mounted_at(attachment);
        match groups.iter_mut().find(|group| path.is_some() && mounted_at(group[0]) == path) {
            Some(group) => group.push(attachment),
            None => groups.push(vec![attachment]),
        }
    }
    groups
}

fn mounted_at(attachment: &Attachment) -> Option<String> {
    match attachment {
        Attachment::Files { path, .. } => Some(normal_path(path)),
        _ => None,
    }
}

/// Returns the object's name for messages.
pub(super) fn display_name(object: &Value, kind: &Kind) -> String {
    let metadata = &object["metadata"];
    let name = if metadata["name"].is_string() { "name" } else { "generateName" };
    kind.display_name(text(metadata, name))
}

/// Returns the parts of the object that can have attachments, at least one.
pub(super) fn parts(object: &Value, kind: &Kind) -> Result<Vec<Part>> {
    match kind.parts(object) {
        none if none.is_empty() => {
            Err(Error::failed(format!("{} has no {}", display_name(object, kind), kind.changed_part())))
        }
        found => Ok(found),
    }
}

/// Returns the attachments without repetitions. Two that need the same place are a usage error.
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
    use Attachment::{EnvAll, Files};
    match (one, other) {
        _ if one.variable().is_some() => one.variable() == other.variable(),
        // Files of several secrets can share a path, unless they include the same file or differ in mode.
        (
            Files { path: a, secret, items, mode, .. },
            Files { path: b, secret: other_secret, items: other_items, mode: other_mode, .. },
        ) => {
            let is_there = |item: &Item| other_items.iter().any(|other| other.file == item.file);
            a == b && (secret == other_secret || mode != other_mode || items.iter().any(is_there))
        }
        (EnvAll { secret: a, prefix: p, .. }, EnvAll { secret: b, prefix: q, .. }) => a == b && p == q,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
