//! Takes a secret off a workload: entries, mounts, and the volumes that nothing mounts then, and nothing else.
//!
//! The login of a storage driver stays, and so does what ephemeral containers use: neither is an attachment.

use std::fmt;

use serde_json::Value;

use super::attach::{ContainerChoice, Place, choose, display_name, pod_specs};
use super::attachment::normal_path;
use super::kind::Kind;
use super::pod_spec::{containers, list, remove_if_empty, text};
use crate::error::{Error, Result};
use crate::wording::list as in_words;

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

/// A changed copy of the object, and what was taken off. Nothing where there was nothing to do.
#[derive(Debug, PartialEq)]
pub(crate) struct Detached {
    pub(crate) object: Value,
    pub(crate) removed: Vec<Removed>,
}

/// One use that is gone. It prints as `env A in container main`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Removed {
    pub(crate) what: Use,
    /// None for what belongs to the whole pod.
    pub(crate) container: Option<String>,
}

/// How a secret was used.
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

/// Takes off a secret where the selection says so.
///
/// # Errors
/// The object has no pod template, or no container of that name; something that the selection names does not use the
/// secret; or some mounts of a volume are to go, and it holds files of others too.
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

/// What a person who named a use that is not there may have meant.
fn what_uses_it(object: &Value, kind: &Kind, secret: &str) -> Result<String> {
    let selection = Selection {
        secret: secret.to_owned(),
        variables: Vec::new(),
        paths: Vec::new(),
        containers: ContainerChoice::All,
    };
    let uses: Vec<_> = detach(object, kind, &selection)?.removed.iter().map(ToString::to_string).collect();
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
        self.container.iter().try_for_each(|container| write!(f, " in container {container}"))
    }
}

impl Selection {
    /// What was named and has no part in what goes.
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
        let containers = match &self.containers {
            ContainerChoice::Named(names) => names.as_slice(),
            ContainerChoice::Only | ContainerChoice::All => &[],
        };
        let containers = containers.iter().filter(|name| none(&|one| one.container.as_ref() == Some(*name)));
        variables
            .map(|name| format!("as env {name}"))
            .chain(paths.map(|path| format!("as files in {path}")))
            .chain(containers.map(|name| format!("in container {name}")))
            .collect()
    }

    fn are_all_of(&self, what: &[String], one: &str) -> bool {
        self.variables.is_empty() && self.paths.is_empty() || what.iter().any(|named| named == one)
    }

    fn are_whole_pod(&self) -> bool {
        self.are_all_of(&[], "") && !matches!(self.containers, ContainerChoice::Named(_))
    }

    fn take_off(&self, spec: &mut Value, places: &[Place]) -> Result<Vec<Removed>> {
        let mut removed = Vec::new();
        for place in places {
            let Some(container) = place.container_of(spec) else { continue };
            let mut gone = take(container, "env", |entry| self.variable(entry));
            gone.extend(take(container, "envFrom", |entry| self.all_keys(entry)));
            removed
                .extend(gone.into_iter().map(|what| Removed { what, container: Some(place.name.clone()) }));
        }
        for volume in list(spec, "volumes").to_vec() {
            if without_secret(&volume, &self.secret) != Some(volume.clone()) {
                removed.extend(self.take_files(spec, places, &volume)?);
            }
        }
        if self.are_whole_pod() {
            removed.extend(take(spec, "imagePullSecrets", |entry| {
                (text(entry, "name") == self.secret)
                    .then_some(Removed { what: Use::ImagePull, container: None })
            }));
        }
        Ok(removed)
    }

    fn variable(&self, entry: &Value) -> Option<Use> {
        let name = text(entry, "name");
        let is_meant = text(&entry["valueFrom"]["secretKeyRef"], "name") == self.secret;
        (is_meant && self.are_all_of(&self.variables, name)).then(|| Use::Variable(name.to_owned()))
    }

    fn all_keys(&self, entry: &Value) -> Option<Use> {
        let is_meant = text(&entry["secretRef"], "name") == self.secret;
        (is_meant && self.are_all_of(&[], "")).then(|| Use::Variables(text(entry, "prefix").to_owned()))
    }

    /// Whether this mount of the volume is to go.
    fn is_meant(&self, mount: &Value, volume: &str) -> bool {
        text(mount, "name") == volume && self.are_all_of(&self.paths, &normal_path(text(mount, "mountPath")))
    }

    fn take_files(&self, spec: &mut Value, places: &[Place], volume: &Value) -> Result<Vec<Removed>> {
        let name = text(volume, "name");
        let mut meant = Vec::new();
        for place in places {
            let container = place.container_of(spec).map_or(Value::Null, |container| container.clone());
            let mounts = list(&container, "volumeMounts").iter().filter(|mount| self.is_meant(mount, name));
            meant.extend(mounts.map(|mount| Removed {
                what: Use::Files(text(mount, "mountPath").to_owned()),
                container: Some(place.name.clone()),
            }));
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
        if meant.is_empty() {
            meant.push(Removed { what: Use::Volume(name.to_owned()), container: None });
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

    fn shown(detached: &Detached) -> Vec<String> {
        detached.removed.iter().map(ToString::to_string).collect()
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
            shown(&detached),
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
    fn what_is_named_and_not_used_is_an_error_that_names_all_of_it() {
        let object = with(&[Attachment::env("s", "A=k").unwrap()]);
        let selection = Selection { variables: words(&["A", "TYPO"]), paths: words(&["/x"]), ..all_of("s") };
        let error = detach(&object, kind(), &selection).unwrap_err().to_string();
        assert_eq!(
            error,
            "error: job.batch/j does not use secret s as env TYPO and as files in /x\n\
             hint: what uses it: env A in container init, env A in container main"
        );
        // A variable of that name, from elsewhere.
        let selection = Selection { variables: words(&["OTHER"]), ..all_of("s") };
        assert!(detach(&object, kind(), &selection).unwrap_err().to_string().contains("as env OTHER\n"));
        let main = ContainerChoice::Named(words(&["main"]));
        let selection = Selection { containers: main, ..all_of("other") };
        let error = detach(&object, kind(), &selection).unwrap_err().to_string();
        assert!(error.contains("secret other in container main\nhint: it does not use it at all"), "{error}");
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
        assert_eq!(shown(&detached), ["volume v"]);
    }

    #[test]
    fn the_login_of_a_storage_driver_stays() {
        let pod = json!({"spec": {"containers": [], "volumes": [
            {"name": "v", "csi": {"driver": "d", "nodePublishSecretRef": {"name": "s"}}}]}});
        let detached = detach(&pod, Kind::named("pod").unwrap(), &all_of("s")).unwrap();
        assert_eq!(detached, Detached { object: pod, removed: Vec::new() });
    }
}
