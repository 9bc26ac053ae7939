//! Secrets as files: a volume of the pod, and its mount in a container.
//!
//! A volume for the same secret, keys and mode is reused, whatever its name. A new one is named after the
//! secret, so that the same command makes the same manifest everywhere. Several secrets in one path are one
//! projected volume: two volumes can't be mounted in the same place.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{Effect, Place, Pod};
use crate::error::{Error, Result};
use crate::workload::attachment::{Attachment, Item, Mode, Need, normal_path};
use crate::workload::pod_spec::containers;
use crate::workload::tree::{is_true, list, put, remove_if_empty, text};

/// The server's `defaultMode` for secret volumes, 0644.
const DEFAULT_MODE: u64 = 0o644;

/// The longest name of a volume: a DNS label.
const LONGEST: usize = 63;

/// The requested files in one path.
pub(super) struct Asked<'a> {
    path: &'a str,
    /// One `secret` field of a volume for each, without defaults.
    sources: Vec<Value>,
}

impl<'a> Asked<'a> {
    /// Collects the attachments with the same path and mode. Ignores attachments that are not files.
    pub(super) fn of(group: &[&'a Attachment]) -> Self {
        let mut asked = Self { path: "", sources: Vec::new() };
        for attachment in group {
            if let Attachment::Files { secret, path, items, mode, need } = attachment {
                asked.path = path;
                asked.sources.push(source(secret, items, *mode, *need));
            }
        }
        asked
    }

    /// Returns the volume without its name.
    fn volume(&self) -> Value {
        let [first, _, ..] = &self.sources[..] else { return json!({ "secret": self.sources[0] }) };
        let mut volume = json!({ "projected": { "sources": [] } });
        let projected = self.sources.iter().map(|source| {
            let mut secret = json!({ "name": source["secretName"] });
            for field in ["items", "optional"] {
                if let Some(value) = source.get(field) {
                    secret[field] = value.clone();
                }
            }
            json!({ "secret": secret })
        });
        volume["projected"]["sources"] = projected.collect();
        if let Some(mode) = first.get("defaultMode") {
            volume["projected"]["defaultMode"] = mode.clone();
        }
        volume
    }

    fn name(&self) -> String {
        let names: Vec<_> = self.sources.iter().map(|source| text(source, "secretName")).collect();
        names.join("-")
    }
}

fn source(secret: &str, items: &[Item], mode: Option<Mode>, need: Need) -> Value {
    let mut source = json!({ "secretName": secret });
    if !items.is_empty() {
        source["items"] = items.iter().map(|item| json!({ "key": item.key, "path": item.file })).collect();
    }
    if let Some(mode) = mode {
        source["defaultMode"] = Value::from(mode.bits());
    }
    if need == Need::Optional {
        source["optional"] = Value::Bool(true);
    }
    source
}

/// The content of a mounted volume.
#[derive(Default)]
struct Shown {
    /// The secrets, as the `secret` field of a volume.
    sources: Vec<Value>,
    /// The volume holds something besides secrets.
    others: bool,
}

impl Shown {
    fn in_volume(volume: &Value) -> Self {
        if volume["secret"].is_object() {
            return Self { sources: vec![volume["secret"].clone()], others: false };
        }
        let projected = list(&volume["projected"], "sources");
        let of_secrets: Vec<_> = projected.iter().filter(|source| source["secret"].is_object()).collect();
        let others = projected.is_empty() || of_secrets.len() < projected.len();
        let as_volume = |source: &&Value| {
            let mut secret = source["secret"].clone();
            secret["secretName"] = secret["name"].clone();
            secret["defaultMode"] = volume["projected"]["defaultMode"].clone();
            secret
        };
        Self { sources: of_secrets.iter().map(as_volume).collect(), others }
    }

    fn has(&self, source: &Value) -> bool {
        self.sources.iter().any(|shown| is_same(shown, source))
    }

    /// Returns true if all of it is requested too, so that replacing it loses nothing.
    fn is_part_of(&self, asked: &Asked<'_>) -> bool {
        let is_asked = |shown: &Value| asked.sources.iter().any(|source| is_same(shown, source));
        !self.others && !self.sources.is_empty() && self.sources.iter().all(is_asked)
    }

    fn is_exactly(&self, asked: &Asked<'_>) -> bool {
        self.is_part_of(asked) && asked.sources.len() == self.sources.len()
    }
}

impl Pod<'_> {
    /// Mounts the files, and returns the effect for each of their sources.
    pub(super) fn mount(&mut self, place: &Place, asked: &Asked<'_>) -> Result<Vec<Option<Effect>>> {
        let mounts = list(self.container(place)?, "volumeMounts");
        let is_there = |mount: &Value| normal_path(text(mount, "mountPath")) == normal_path(asked.path);
        let at = mounts.iter().position(is_there);
        let old = at.map(|at| mounts[at].clone());
        let shown = old.as_ref().map_or_else(Shown::default, |old| self.shown(old));
        if asked.sources.iter().all(|source| shown.has(source)) {
            return Ok(vec![None; asked.sources.len()]);
        }
        let effects = match &old {
            Some(old) if !shown.is_part_of(asked) => {
                let effect = self.replace_mount(place, asked.path, old, &shown)?;
                vec![Some(effect); asked.sources.len()]
            }
            _ => asked.sources.iter().map(|source| (!shown.has(source)).then_some(Effect::Added)).collect(),
        };
        let name = self.volume(asked)?;
        let mount = json!({ "name": name, "mountPath": asked.path, "readOnly": true });
        put(self.container(place)?, "volumeMounts", at, mount)?;
        if let Some(old) = &old {
            self.drop_if_unused(text(old, "name"));
        }
        Ok(effects)
    }

    fn replace_mount(&self, place: &Place, path: &str, old: &Value, shown: &Shown) -> Result<Effect> {
        let volume = text(old, "name");
        let by = if is_of_one_file(old) { " by subPath" } else { "" };
        self.replace(place, &format!("volume {volume:?} mounted at {path}{by}")).map_err(|error: Error| {
            if is_of_one_file(old) {
                error.hint("a mount by subPath never gets a secret's new value")
            } else if shown.sources.is_empty() || shown.others {
                error
            } else {
                error.hint("to mount files of several secrets there, name all of them in one command")
            }
        })
    }

    /// Returns the secrets that the mount shows; none if it shows a single file.
    fn shown(&self, mount: &Value) -> Shown {
        let volume = list(self.spec, "volumes").iter().find(|volume| volume["name"] == mount["name"]);
        match volume {
            Some(volume) if !is_of_one_file(mount) => Shown::in_volume(volume),
            _ => Shown::default(),
        }
    }

    /// Returns the name of the volume with these sources. Adds a volume if there is none.
    fn volume(&mut self, asked: &Asked<'_>) -> Result<String> {
        let mut volume = asked.volume();
        let is_kind = |other: &Value| other["secret"].is_object() == volume["secret"].is_object();
        // A mount shows the first of two volumes of one name, which no server accepts, and nothing of one
        // without a name.
        let mut names = HashSet::new();
        let firsts = list(self.spec, "volumes").iter().filter(|other| names.insert(text(other, "name")));
        let is_fitting = |other: &&Value| {
            is_kind(other) && !text(other, "name").is_empty() && Shown::in_volume(other).is_exactly(asked)
        };
        if let Some(volume) = firsts.into_iter().find(is_fitting) {
            return Ok(text(volume, "name").to_owned());
        }
        let name = free_name(self.spec, &asked.name());
        volume["name"] = Value::from(name.as_str());
        put(self.spec, "volumes", None, volume)?;
        Ok(name)
    }

    /// Removes a volume that nothing mounts: a pod waits for the secrets of all its volumes, mounted or not.
    fn drop_if_unused(&mut self, name: &str) {
        if mounted_names(self.spec).any(|mounted| mounted == name) {
            return;
        }
        if let Some(volumes) = self.spec["volumes"].as_array_mut() {
            volumes.retain(|volume| text(volume, "name") != name || Shown::in_volume(volume).others);
        }
        remove_if_empty(self.spec, "volumes");
    }
}

fn is_of_one_file(mount: &Value) -> bool {
    !text(mount, "subPath").is_empty() || !text(mount, "subPathExpr").is_empty()
}

/// Compares two `secret` fields of volumes, whatever the order of their files.
fn is_same(have: &Value, source: &Value) -> bool {
    let mode = |source: &Value| source["defaultMode"].as_u64().unwrap_or(DEFAULT_MODE);
    let items = |source: &Value| {
        let mut items = list(source, "items").to_vec();
        items.sort_by_key(|item| text(item, "path").to_owned());
        items
    };
    have["secretName"] == source["secretName"]
        && mode(have) == mode(source)
        && is_true(have, "optional") == is_true(source, "optional")
        && items(have) == items(source)
}

/// Returns `secret-<name>`, with a number if a volume has that name.
fn free_name(pod_spec: &Value, secret: &str) -> String {
    let base = volume_name(secret);
    // A StatefulSet's claim templates are volumes that appear only in the mounts.
    let is_free = |name: &String| {
        !list(pod_spec, "volumes").iter().any(|volume| text(volume, "name") == name)
            && !mounted_names(pod_spec).any(|mounted| mounted == name)
    };
    let numbered = (2_u32..).map(|number| {
        let end = format!("-{number}");
        let room = base.len().min(LONGEST - end.len());
        format!("{}{end}", base[..room].trim_end_matches('-'))
    });
    std::iter::once(base.clone())
        .chain(numbered)
        .find(is_free)
        .expect("a pod has fewer volumes than there are numbers")
}

/// Returns the name as a DNS label. A name that is too long is shortened and gets a hash of the whole.
fn volume_name(secret: &str) -> String {
    let name = format!("secret-{}", secret.replace('.', "-"));
    if name.len() <= LONGEST {
        return name;
    }
    let kept: String = name.chars().take(LONGEST - 9).collect();
    format!("{}-{:08x}", kept.trim_end_matches('-'), fnv1a(secret))
}

/// Returns the 32-bit FNV-1a hash. The standard library's hashes may change from release to release; a name
/// in a manifest must not.
fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn mounted_names(pod_spec: &Value) -> impl Iterator<Item = &str> {
    containers(pod_spec)
        .flat_map(|(_, _, container)| list(container, "volumeMounts"))
        .map(|mount| text(mount, "name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_named_after_its_secret() {
        assert_eq!(volume_name("my-secret"), "secret-my-secret");
        assert_eq!(volume_name("my.secret"), "secret-my-secret");
    }

    #[test]
    fn a_long_name_is_shortened_and_stays_apart_from_its_like() {
        let (one, other) = (volume_name(&"a".repeat(200)), volume_name(&"a".repeat(201)));
        assert_eq!((one.len(), other.len()), (63, 63));
        assert_ne!(one, other);
        assert_eq!(volume_name(&"a".repeat(56)), format!("secret-{}", "a".repeat(56)));
        // A cut just after a dot leaves no double hyphen, and no hyphen at the end.
        let dotted = volume_name(&format!("{}.{}", "a".repeat(46), "b".repeat(100)));
        assert!(!dotted.contains("--") && dotted.len() <= 63, "{dotted}");
    }

    #[test]
    fn the_hash_of_a_name_is_the_same_in_every_release() {
        assert_eq!(fnv1a("a"), 0xe40c_292c);
    }

    #[test]
    fn a_taken_name_gets_a_number_and_still_fits() {
        let base = volume_name(&"a".repeat(100));
        let taken = |names: &[&str]| {
            let volumes: Value = names.iter().map(|name| json!({"name": name, "emptyDir": {}})).collect();
            free_name(&json!({ "volumes": volumes }), &"a".repeat(100))
        };
        assert_eq!(taken(&[]), base);
        let second = taken(&[&base]);
        assert!(second.ends_with("-2") && second.len() <= 63);
        assert!(taken(&[&base, &second]).ends_with("-3"));
    }
}
