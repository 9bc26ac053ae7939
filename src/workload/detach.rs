//! Takes a secret off a workload: entries, mounts, and the volumes that nothing mounts then, and nothing else.
//!
//! The login of a storage driver stays, and so does what ephemeral containers use: neither is an attachment.

use serde_json::Value;

use super::attach::{ContainerChoice, Place, choose, display_name, pod_specs};
use super::attachment::normal_path;
use super::kind::Kind;
use super::pod_spec::{containers, list, remove_if_empty, text};
use crate::error::{Error, Result};

/// Which uses of a secret are meant: those of these variables and mount paths, or all where both are empty.
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) secret: String,
    pub(crate) variables: Vec<String>,
    /// As [`mount_path`](super::mount_path) gives them.
    pub(crate) paths: Vec<String>,
    /// With [`ContainerChoice::Named`], what belongs to the whole pod stays.
    pub(crate) containers: ContainerChoice,
}

/// A changed copy of the object, and what was taken off, as `env A in container main`. Nothing where there was nothing
/// to do.
#[derive(Debug, PartialEq)]
pub(crate) struct Detached {
    pub(crate) object: Value,
    pub(crate) removed: Vec<String>,
}

/// Takes off a secret where the selection says so.
///
/// # Errors
/// The object has no pod template, or no container of that name; or some mounts of a volume are to go, and it holds
/// files of others too.
pub(crate) fn detach(object: &Value, kind: &Kind, selection: &Selection) -> Result<Detached> {
    let workload = display_name(object, kind);
    let mut changed = object.clone();
    let mut removed = Vec::new();
    for pointer in pod_specs(object, kind)? {
        if let Some(spec) = changed.pointer_mut(&pointer) {
            let places = choose(spec, &workload, &selection.containers)?;
            removed.extend(selection.take_off(spec, &places)?);
        }
    }
    Ok(Detached { object: changed, removed })
}

impl Selection {
    fn are_all_of(&self, what: &[String], one: &str) -> bool {
        self.variables.is_empty() && self.paths.is_empty() || what.iter().any(|named| named == one)
    }

    fn are_whole_pod(&self) -> bool {
        self.are_all_of(&[], "") && !matches!(self.containers, ContainerChoice::Named(_))
    }

    fn take_off(&self, spec: &mut Value, places: &[Place]) -> Result<Vec<String>> {
        let mut removed = Vec::new();
        for place in places {
            let Some(container) = place.container_of(spec) else { continue };
            let mut gone = take(container, "env", |entry| self.variable(entry));
            gone.extend(take(container, "envFrom", |entry| self.all_keys(entry)));
            removed.extend(gone.into_iter().map(|what| format!("{what} in container {}", place.name)));
        }
        for volume in list(spec, "volumes").to_vec() {
            if without_secret(&volume, &self.secret) != Some(volume.clone()) {
                removed.extend(self.take_files(spec, places, &volume)?);
            }
        }
        if self.are_whole_pod() {
            removed.extend(take(spec, "imagePullSecrets", |entry| {
                (text(entry, "name") == self.secret).then(|| "its use for pulling images".to_owned())
            }));
        }
        Ok(removed)
    }

    fn variable(&self, entry: &Value) -> Option<String> {
        let name = text(entry, "name");
        let is_meant = text(&entry["valueFrom"]["secretKeyRef"], "name") == self.secret;
        (is_meant && self.are_all_of(&self.variables, name)).then(|| format!("env {name}"))
    }

    fn all_keys(&self, entry: &Value) -> Option<String> {
        let is_meant = text(&entry["secretRef"], "name") == self.secret;
        (is_meant && self.are_all_of(&[], "")).then(|| format!("env {}*", text(entry, "prefix")))
    }

    /// Whether this mount of the volume is to go.
    fn is_meant(&self, mount: &Value, volume: &str) -> bool {
        text(mount, "name") == volume && self.are_all_of(&self.paths, &normal_path(text(mount, "mountPath")))
    }

    fn take_files(&self, spec: &mut Value, places: &[Place], volume: &Value) -> Result<Vec<String>> {
        let name = text(volume, "name");
        let mut meant = Vec::new();
        for place in places {
            let container = place.container_of(spec).map_or(Value::Null, |container| container.clone());
            let mounts = list(&container, "volumeMounts").iter().filter(|mount| self.is_meant(mount, name));
            meant.extend(
                mounts.map(|mount| {
                    format!("files in {} in container {}", text(mount, "mountPath"), place.name)
                }),
            );
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
                    "volume {name:?} has files of others, and more mounts than these"
                ))
                .hint("take the secret off all its mounts: without --mount and -c"));
            }
            self.take_mounts(spec, places, name);
            return Ok(meant);
        }
        if rest.is_none() {
            self.take_mounts(spec, places, name);
        }
        replace_volume(spec, name, rest.as_ref());
        Ok(if meant.is_empty() { vec![format!("volume {name}")] } else { meant })
    }

    fn take_mounts(&self, spec: &mut Value, places: &[Place], volume: &str) {
        for place in places {
            if let Some(container) = place.container_of(spec) {
                take(container, "volumeMounts", |mount| self.is_meant(mount, volume).then_some(()));
            }
        }
    }
}

/// The volume without the secret's files; none if nothing is left of it.
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

/// Takes off the entries of a list that `gone` has something to say about, and gives what it says.
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
mod tests {
    use serde_json::json;

    use super::*;
    use crate::workload::attach::{Existing, Outcome, attach};
    use crate::workload::attachment::Attachment;

    fn job() -> Value {
        json!({"metadata": {"name": "j"}, "spec": {"template": {"spec": {
            "containers": [{"name": "main", "env": [{"name": "OTHER", "value": "x"}]}],
            "initContainers": [{"name": "init"}]}}}})
    }

    fn kind() -> &'static Kind {
        Kind::named("job").unwrap()
    }

    fn all_of(secret: &str) -> Selection {
        Selection {
            secret: secret.to_owned(),
            variables: vec![],
            paths: vec![],
            containers: ContainerChoice::All,
        }
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    /// The Job with these attached to both of its containers.
    fn with(attachments: &[Attachment]) -> Value {
        match attach(&job(), kind(), attachments, &ContainerChoice::All, Existing::Keep).unwrap() {
            Outcome::Changed { object, .. } => object,
            Outcome::AsAsked => panic!("nothing was attached"),
        }
    }

    fn every_way() -> [Attachment; 5] {
        [
            Attachment::env("s", "A=k").unwrap(),
            Attachment::env_all("s", "").unwrap(),
            Attachment::files("s", "/a", None).unwrap(),
            Attachment::files("s", "/b:k,l", None).unwrap(),
            Attachment::image_pull("s").unwrap(),
        ]
    }

    #[test]
    fn detaching_undoes_attaching() {
        let object = with(&every_way());
        let other = detach(&object, kind(), &all_of("other")).unwrap();
        assert_eq!(other, Detached { object: object.clone(), removed: Vec::new() });
        let detached = detach(&object, kind(), &all_of("s")).unwrap();
        assert_eq!(detached.object, job());
        assert_eq!(detached.removed.len(), 9, "{:?}", detached.removed);
    }

    #[test]
    fn only_what_is_named_goes() {
        let object = with(&every_way());
        let selection = Selection { variables: words(&["A"]), paths: words(&["/a"]), ..all_of("s") };
        let detached = detach(&object, kind(), &selection).unwrap();
        assert_eq!(
            detached.removed,
            [
                "env A in container init",
                "env A in container main",
                "files in /a in container init",
                "files in /a in container main"
            ]
        );
        let left = &every_way()[1..];
        let left: Vec<_> = left.iter().filter(|way| !way.to_string().contains("/a ")).cloned().collect();
        let mut expected = with(&left);
        // The first volume had the plain name.
        expected["spec"]["template"]["spec"]["volumes"][0]["name"] = json!("secret-s-2");
        for list in ["containers", "initContainers"] {
            expected["spec"]["template"]["spec"][list][0]["volumeMounts"][0]["name"] = json!("secret-s-2");
        }
        assert_eq!(detached.object, expected);
    }

    #[test]
    fn what_one_container_loses_the_others_keep() {
        let object = with(&every_way());
        let selection = Selection { containers: ContainerChoice::Named(words(&["main"])), ..all_of("s") };
        let pod = &detach(&object, kind(), &selection).unwrap().object["spec"]["template"]["spec"];
        let before = &object["spec"]["template"]["spec"];
        assert_eq!(pod["containers"], job()["spec"]["template"]["spec"]["containers"]);
        for field in ["initContainers", "volumes", "imagePullSecrets"] {
            assert_eq!(pod[field], before[field], "{field}");
        }
        let selection = Selection { containers: ContainerChoice::Named(words(&["mian"])), ..all_of("s") };
        assert!(
            detach(&object, kind(), &selection)
                .unwrap_err()
                .to_string()
                .contains("has no container \"mian\"")
        );
    }

    fn pod(sources: &Value) -> Value {
        json!({"spec": {
            "containers": [{"name": "m", "volumeMounts": [
                {"name": "v", "mountPath": "/v"}, {"name": "v", "mountPath": "/w"}]}],
            "volumes": [{"name": "v", "projected": {"sources": sources}}]}})
    }

    #[test]
    fn of_a_projected_volume_the_other_sources_stay() {
        let config = json!({"configMap": {"name": "c"}});
        let kind = Kind::named("pod").unwrap();
        let mixed = pod(&json!([{"secret": {"name": "s"}}, config]));
        assert_eq!(detach(&mixed, kind, &all_of("s")).unwrap().object, pod(&json!([config])));
        let one = Selection { paths: words(&["/v"]), ..all_of("s") };
        assert!(detach(&mixed, kind, &one).unwrap_err().to_string().contains("files of others"));
        let alone = pod(&json!([{"secret": {"name": "s"}}]));
        let bare = json!({"spec": {"containers": [{"name": "m"}]}});
        assert_eq!(detach(&alone, kind, &all_of("s")).unwrap().object, bare);
    }

    #[test]
    fn a_volume_that_nothing_mounts_goes_too_since_a_pod_waits_for_its_secret() {
        let pod =
            json!({"spec": {"containers": [], "volumes": [{"name": "v", "secret": {"secretName": "s"}}]}});
        let detached = detach(&pod, Kind::named("pod").unwrap(), &all_of("s")).unwrap();
        assert_eq!(detached.object, json!({"spec": {"containers": []}}));
        assert_eq!(detached.removed, ["volume v"]);
    }

    #[test]
    fn the_login_of_a_storage_driver_stays() {
        let pod = json!({"spec": {"containers": [], "volumes": [
            {"name": "v", "csi": {"driver": "d", "nodePublishSecretRef": {"name": "s"}}}]}});
        let detached = detach(&pod, Kind::named("pod").unwrap(), &all_of("s")).unwrap();
        assert_eq!(detached, Detached { object: pod, removed: Vec::new() });
    }
}
