//! Secrets as files: a volume of the pod, and its mount in a container.
//!
//! A volume for the same secret, keys and mode is used again, whatever its name. A new one is named after the
//! secret, so that the same command makes the same manifest everywhere.

use serde_json::{Value, json};

use super::{Effect, Place, Pod};
use crate::error::Result;
use crate::workload::attachment::{Item, Mode, Need, normal_path};
use crate::workload::pod_spec::{containers, is_true, list, put, remove_if_empty, text};

/// The server's `defaultMode` for secret volumes, 0644.
const DEFAULT_MODE: u64 = 0o644;

/// The longest name of a volume: a DNS label.
const LONGEST: usize = 63;

/// The `secret` field of a volume, with nothing in it that is the default.
pub(super) fn source(secret: &str, items: &[Item], mode: Option<Mode>, need: Need) -> Value {
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

impl Pod<'_> {
    pub(super) fn mount(
        &mut self,
        place: &Place,
        secret: &str,
        path: &str,
        source: &Value,
    ) -> Result<Option<Effect>> {
        let mounts = list(self.container(place)?, "volumeMounts");
        let at = mounts.iter().position(|mount| normal_path(text(mount, "mountPath")) == normal_path(path));
        let old = at.map(|at| mounts[at].clone());
        if old.as_ref().is_some_and(|old| self.shows(old, source)) {
            return Ok(None);
        }
        let effect = match &old {
            Some(old) => self.replace(place, &format!("volume {:?} mounted at {path}", text(old, "name")))?,
            None => Effect::Added,
        };
        let name = self.volume(secret, source)?;
        let mount = json!({ "name": name, "mountPath": path, "readOnly": true });
        put(self.container(place)?, "volumeMounts", at, mount)?;
        if let Some(old) = &old {
            self.drop_if_unused(text(old, "name"));
        }
        Ok(Some(effect))
    }

    /// Whether the mount already shows all files of the source.
    fn shows(&self, mount: &Value, source: &Value) -> bool {
        let whole = text(mount, "subPath").is_empty() && text(mount, "subPathExpr").is_empty();
        let volumes = list(self.spec, "volumes");
        whole && volumes.iter().any(|volume| volume["name"] == mount["name"] && is_of(volume, source))
    }

    /// The name of the volume with this source; a new volume if there is none.
    fn volume(&mut self, secret: &str, source: &Value) -> Result<String> {
        let volumes = list(self.spec, "volumes");
        if let Some(volume) = volumes.iter().find(|volume| is_of(volume, source)) {
            return Ok(text(volume, "name").to_owned());
        }
        let name = free_name(self.spec, secret);
        put(self.spec, "volumes", None, json!({ "name": name, "secret": source }))?;
        Ok(name)
    }

    /// A pod waits for the secrets of all its volumes, mounted or not: one that was overwritten must not stay
    /// behind.
    fn drop_if_unused(&mut self, name: &str) {
        if mounted_names(self.spec).any(|mounted| mounted == name) {
            return;
        }
        if let Some(volumes) = self.spec["volumes"].as_array_mut() {
            volumes.retain(|volume| text(volume, "name") != name || !volume["secret"].is_object());
        }
        remove_if_empty(self.spec, "volumes");
    }
}

/// Whether the volume is what `source` asks for. The order of the files does not matter.
fn is_of(volume: &Value, source: &Value) -> bool {
    let have = &volume["secret"];
    let mode = |source: &Value| source["defaultMode"].as_u64().unwrap_or(DEFAULT_MODE);
    let items = |source: &Value| {
        let mut items = list(source, "items").to_vec();
        items.sort_by_key(|item| text(item, "path").to_owned());
        items
    };
    have.is_object()
        && have["secretName"] == source["secretName"]
        && mode(have) == mode(source)
        && is_true(have, "optional") == is_true(source, "optional")
        && items(have) == items(source)
}

/// `secret-<name>`, with a number if a volume has that name.
fn free_name(pod_spec: &Value, secret: &str) -> String {
    let base = volume_name(secret);
    // A StatefulSet's claim templates are volumes that show up only in the mounts.
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

/// The name as a DNS label; what is too long is shortened and told apart by a hash of the whole.
fn volume_name(secret: &str) -> String {
    let name = format!("secret-{}", secret.replace('.', "-"));
    if name.len() <= LONGEST {
        return name;
    }
    let kept: String = name.chars().take(LONGEST - 9).collect();
    format!("{}-{:08x}", kept.trim_end_matches('-'), fnv1a(secret))
}

/// FNV-1a, 32 bits: the standard library's hashes may change from release to release, a name in a manifest
/// may not.
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
        // A cut just after a dot leaves no two hyphens, and never one at the end.
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
