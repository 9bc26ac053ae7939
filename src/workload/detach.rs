//! Removes a secret from a workload: entries, mounts, and the volumes that nothing mounts any more, and
//! nothing else.
//!
//! The login of a storage driver stays, and so do the entries of ephemeral containers: neither is an
//! attachment.

use std::collections::HashMap;
use std::fmt;

use serde_json::Value;

use super::attach::{display_name, parts, place_in_words};
use super::attachment::normal_path;
use super::containers::{ContainerChoice, Place, check_named, choose};
use super::environment;
use super::expansion::{may_come_of_a_source, users_of};
use super::kind::{Kind, Shape};
use super::pod_spec::containers;
use super::tree::{list, remove_if_empty, text};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::wording::list as in_words;

/// The chosen uses of a secret: the named ones, or all if none is named.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(crate) secret: String,
    pub(crate) variables: Vec<String>,
    /// In the form of [`mount_path`](super::mount_path).
    pub(crate) paths: Vec<String>,
    pub(crate) nameless: Vec<Nameless>,
    /// With [`ContainerChoice::Named`], entries of the whole pod stay.
    pub(crate) containers: ContainerChoice,
}

/// A use without a name that would tell it from others of its sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nameless {
    /// All keys as variables, with any prefix.
    EnvAll,
    ImagePull,
}

/// A changed copy of the object, and the removed uses. Equal to the object if there was nothing to do.
#[derive(Debug, PartialEq)]
pub(crate) struct Detached {
    pub(crate) object: Value,
    pub(crate) removed: Vec<Removed>,
}

/// One removed use. It prints as `env A in container main`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Removed {
    pub(crate) what: Use,
    /// None for an entry of the whole pod.
    pub(crate) container: Option<String>,
    /// The object's part, if there are several.
    pub(crate) part: Option<String>,
}

/// The use of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Use {
    Variable(String),
    /// All keys, with a prefix.
    Variables(String),
    /// The path of a mount.
    Files(String),
    /// The name of a volume that nothing mounted.
    Volume(String),
    ImagePull,
}

/// Removes the chosen uses of a secret.
///
/// # Errors
/// The object has no pod template, or no container of that name; a named use does not use the secret; or some
/// mounts of a volume would go, and it holds files of others too.
pub(crate) fn detach(object: &Value, kind: &Kind, selection: &Selection) -> Result<Detached> {
    let workload = display_name(object, kind);
    environment::check_no_container(kind, &selection.containers)?;
    let parts = parts(object, kind)?;
    check_named(object, &parts, &workload, &selection.containers)?;
    let mut changed = object.clone();
    let mut removed = Vec::new();
    for part in parts {
        let Some(spec) = changed.pointer_mut(&part.pointer) else { continue };
        let mut gone = match kind.shape {
            Shape::PodSpecs(_) => {
                let places = choose(spec, &part.of(&workload), &selection.containers)?;
                selection.take_off(spec, &places)?
            }
            Shape::Environments(_) => selection.take_off_environment(spec),
            Shape::Accounts(_) => selection.take_off_logins(spec),
        };
        for one in &mut gone {
            one.part.clone_from(&part.name);
        }
        removed.extend(gone);
    }
    match selection.unused(&removed).as_slice() {
        [] => Ok(Detached { object: changed, removed }),
        unused => {
            let Selection { secret, .. } = selection;
            let error =
                Error::failed(format!("{workload} does not use secret {secret} {}", in_words(unused)));
            Err(error.hint(what_uses_it(object, kind, secret)?))
        }
    }
}

/// Warns of removed variables that something in their container still refers to, and of variables that name
/// removed files.
pub(crate) fn left_behind(object: &Value, kind: &Kind, removed: &[Removed]) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut by_place: HashMap<(Option<&str>, Option<&str>), Vec<&Removed>> = HashMap::new();
    for one in removed {
        by_place.entry((one.container.as_deref(), one.part.as_deref())).or_default().push(one);
    }
    for part in kind.parts(object) {
        let spec = object.pointer(&part.pointer).unwrap_or(&Value::Null);
        for (_, _, container) in containers(spec) {
            let place = (Some(text(container, "name")), part.name.as_deref());
            let here = by_place.get(&place).map_or(&[][..], Vec::as_slice);
            let place = place_in_words(Some(text(container, "name")), part.name.as_deref());
            warnings.extend(here.iter().flat_map(|one| names_of_paths(container, &one.what)).map(
                |(name, path)| {
                    let unset = CommandLine::kubectl("set env …").arg(format!("{name}-"));
                    format!("env {name}{place} still names {path}, which is gone ({unset})")
                },
            ));
            let gone = here.iter().filter_map(|one| match &one.what {
                Use::Variable(name) => Some(name),
                _ => None,
            });
            for name in gone {
                let is_left = list(container, "env").iter().any(|entry| text(entry, "name") == name);
                if is_left || may_come_of_a_source(container, name) {
                    continue;
                }
                warnings.extend(users_of(container, name).into_iter().map(|user| {
                    format!(
                        "{user}{place} still refers to $({name}), which is gone: the text is not replaced"
                    )
                }));
            }
        }
    }
    warnings
}

/// Returns the variables whose plain text is a path at or below removed files, with that path.
fn names_of_paths(container: &Value, gone: &Use) -> Vec<(String, String)> {
    let Use::Files(folder) = gone else { return Vec::new() };
    let folder = normal_path(folder);
    let is_below = |path: &str| {
        path.starts_with('/')
            && normal_path(path)
                .strip_prefix(&folder)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let env = list(container, "env").iter().filter(|entry| is_below(text(entry, "value")));
    env.map(|entry| (text(entry, "name").to_owned(), text(entry, "value").to_owned())).collect()
}

/// Suggests uses to a user who named one that does not exist.
fn what_uses_it(object: &Value, kind: &Kind, secret: &str) -> Result<String> {
    let uses: Vec<_> = detach(object, kind, &Selection::every_use(secret))?
        .removed
        .iter()
        .map(ToString::to_string)
        .collect();
    Ok(if uses.is_empty() {
        "it does not use it at all".to_owned()
    } else {
        format!("what uses it: {}", uses.join(", "))
    })
}

impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            Use::Variable(name) => write!(f, "env {name}")?,
            Use::Variables(prefix) => write!(f, "env {prefix}*")?,
            Use::Files(path) => write!(f, "files in {path}")?,
            Use::Volume(name) => write!(f, "volume {name}")?,
            Use::ImagePull => f.write_str("its use for pulling images")?,
        }
        f.write_str(&place_in_words(self.container.as_deref(), self.part.as_deref()))
    }
}

impl Removed {
    fn in_container(what: Use, place: &Place) -> Self {
        Self { what, container: Some(place.name.clone()), part: None }
    }

    fn of_the_whole(what: Use) -> Self {
        Self { what, container: None, part: None }
    }
}

impl Selection {
    /// Chooses every use of a secret.
    pub(crate) fn every_use(secret: &str) -> Self {
        Self {
            secret: secret.to_owned(),
            variables: Vec::new(),
            paths: Vec::new(),
            nameless: Vec::new(),
            containers: ContainerChoice::All,
        }
    }

    /// Returns the named uses that are not among the removed ones.
    fn unused(&self, removed: &[Removed]) -> Vec<String> {
        let none = |fits: &dyn Fn(&Removed) -> bool| !removed.iter().any(fits);
        let variables = self
            .variables
            .iter()
            .filter(|name| none(&|one| matches!(&one.what, Use::Variable(variable) if variable == *name)));
        let paths = self
            .paths
            .iter()
            .filter(|path| none(&|one| matches!(&one.what, Use::Files(at) if normal_path(at) == **path)));
        let nameless = self.nameless.iter().filter(|wanted| {
            none(&|one| match wanted {
                Nameless::EnvAll => matches!(one.what, Use::Variables(_)),
                Nameless::ImagePull => one.what == Use::ImagePull,
            })
        });
        let nameless = nameless.map(|wanted| match wanted {
            Nameless::EnvAll => "as env of all its keys".to_owned(),
            Nameless::ImagePull => "for pulling images".to_owned(),
        });
        let containers = match &self.containers {
            ContainerChoice::Named(names) => names.as_slice(),
            ContainerChoice::Only | ContainerChoice::All => &[],
        };
        let containers = containers.iter().filter(|name| none(&|one| one.container.as_ref() == Some(*name)));
        variables
            .map(|name| format!("as env {name}"))
            .chain(paths.map(|path| format!("as files in {path}")))
            .chain(nameless)
            .chain(containers.map(|name| format!("in container {name}")))
            .collect()
    }

    fn names_no_use(&self) -> bool {
        self.variables.is_empty() && self.paths.is_empty() && self.nameless.is_empty()
    }

    fn are_all_of(&self, what: &[String], one: &str) -> bool {
        self.names_no_use() || what.iter().any(|named| named == one)
    }

    fn are_all(&self, of: Nameless) -> bool {
        self.names_no_use() || self.nameless.contains(&of)
    }

    fn are_whole_pod(&self) -> bool {
        self.names_no_use() && !matches!(self.containers, ContainerChoice::Named(_))
    }

    fn take_off_environment(&self, spec: &mut Value) -> Vec<Removed> {
        let is_meant = |variable: &str| self.are_all_of(&self.variables, variable);
        let taken = environment::take(spec, &self.secret, is_meant);
        taken.into_iter().map(|name| Removed::of_the_whole(Use::Variable(name))).collect()
    }

    fn take_off(&self, spec: &mut Value, places: &[Place]) -> Result<Vec<Removed>> {
        let mut removed = Vec::new();
        for place in places {
            let Some(container) = place.container_of(spec) else { continue };
            let mut gone = take(container, "env", |entry| self.variable(entry));
            gone.extend(take(container, "envFrom", |entry| self.all_keys(entry)));
            removed.extend(gone.into_iter().map(|what| Removed::in_container(what, place)));
        }
        for volume in list(spec, "volumes").to_vec() {
            if without_secret(&volume, &self.secret) != Some(volume.clone()) {
                removed.extend(self.take_files(spec, places, &volume)?);
            }
        }
        removed.extend(self.take_off_logins(spec));
        Ok(removed)
    }

    /// An image pull belongs to the whole pod, so it stays if containers are named.
    fn take_off_logins(&self, spec: &mut Value) -> Vec<Removed> {
        if !self.are_all(Nameless::ImagePull) || matches!(self.containers, ContainerChoice::Named(_)) {
            return Vec::new();
        }
        take(spec, "imagePullSecrets", |entry| {
            (text(entry, "name") == self.secret).then(|| Removed::of_the_whole(Use::ImagePull))
        })
    }

    fn variable(&self, entry: &Value) -> Option<Use> {
        let name = text(entry, "name");
        let is_meant = text(&entry["valueFrom"]["secretKeyRef"], "name") == self.secret;
        (is_meant && self.are_all_of(&self.variables, name)).then(|| Use::Variable(name.to_owned()))
    }

    fn all_keys(&self, entry: &Value) -> Option<Use> {
        let is_meant = text(&entry["secretRef"], "name") == self.secret;
        (is_meant && self.are_all(Nameless::EnvAll)).then(|| Use::Variables(text(entry, "prefix").to_owned()))
    }

    /// Returns true if this mount of the volume is chosen.
    fn is_meant(&self, mount: &Value, volume: &str) -> bool {
        text(mount, "name") == volume && self.are_all_of(&self.paths, &normal_path(text(mount, "mountPath")))
    }

    fn take_files(&self, spec: &mut Value, places: &[Place], volume: &Value) -> Result<Vec<Removed>> {
        let name = text(volume, "name");
        let mut meant = Vec::new();
        for place in places {
            let container = place.container_of(spec).map_or(Value::Null, |container| container.clone());
            let mounts = list(&container, "volumeMounts").iter().filter(|mount| self.is_meant(mount, name));
            let files = |mount| Use::Files(text(mount, "mountPath").to_owned());
            meant.extend(mounts.map(|mount| Removed::in_container(files(mount), place)));
        }
        let all = containers(spec)
            .flat_map(|(_, _, container)| list(container, "volumeMounts"))
            .filter(|mount| text(mount, "name") == name)
            .count();
        if meant.is_empty() && !self.are_whole_pod() {
            return Ok(meant);
        }
        let rest = without_secret(volume, &self.secret);
        if meant.len() < all && !self.are_whole_pod() {
            if rest.is_some() {
                return Err(Error::failed(format!(
                    "volume {name:?} also holds files of others and has other mounts"
                ))
                .hint("detach the secret from all its mounts: leave out --mount and -c"));
            }
            self.take_mounts(spec, places, name);
            return Ok(meant);
        }
        if rest.is_none() {
            self.take_mounts(spec, places, name);
        }
        replace_volume(spec, name, rest.as_ref());
        if meant.is_empty() {
            meant.push(Removed::of_the_whole(Use::Volume(name.to_owned())));
        }
        Ok(meant)
    }

    fn take_mounts(&self, spec: &mut Value, places: &[Place], volume: &str) {
        for place in places {
            if let Some(container) = place.container_of(spec) {
                take(container, "volumeMounts", |mount| self.is_meant(mount, volume).then_some(()));
            }
        }
    }
}

/// Returns the volume without the secret's files; none if nothing is left of it.
fn without_secret(volume: &Value, secret: &str) -> Option<Value> {
    if text(&volume["secret"], "secretName") == secret {
        return None;
    }
    let mut volume = volume.clone();
    let Some(sources) = volume.pointer_mut("/projected/sources").and_then(Value::as_array_mut) else {
        return Some(volume);
    };
    let before = sources.len();
    sources.retain(|source| text(&source["secret"], "name") != secret);
    let is_left = !sources.is_empty() || before == 0;
    is_left.then_some(volume)
}

fn replace_volume(spec: &mut Value, name: &str, rest: Option<&Value>) {
    let Some(volumes) = spec.get_mut("volumes").and_then(Value::as_array_mut) else { return };
    let Some(at) = volumes.iter().position(|volume| text(volume, "name") == name) else { return };
    if let Some(rest) = rest {
        rest.clone_into(&mut volumes[at]);
    } else {
        volumes.remove(at);
        remove_if_empty(spec, "volumes");
    }
}

/// Removes the entries of a list for which `gone` returns something, and returns those results.
fn take<T>(parent: &mut Value, field: &str, gone: impl Fn(&Value) -> Option<T>) -> Vec<T> {
    let mut taken = Vec::new();
    let Some(entries) = parent.get_mut(field).and_then(Value::as_array_mut) else { return taken };
    entries.retain(|entry| match gone(entry) {
        Some(one) => {
            taken.push(one);
            false
        }
        None => true,
    });
    if !taken.is_empty() {
        remove_if_empty(parent, field);
    }
    taken
}

#[cfg(test)]
mod tests;
