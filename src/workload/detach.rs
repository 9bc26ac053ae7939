//! Takes references to secrets off a workload: the entry, or the volume with all its mounts, and nothing
//! else.

use serde_json::Value;

use super::attach::pod_specs;
use super::kind::Kind;
use super::pod_spec::{Role, list, remove_if_empty, text};
use super::references::{How, Mount, Reference, mounts, of_files, of_image_pull, of_source, of_variable};
use crate::error::Result;

/// A changed copy of the object, and what was taken off; `removed` is empty when there was nothing to do.
#[derive(Debug, PartialEq)]
pub(crate) struct Detached {
    pub(crate) object: Value,
    pub(crate) removed: Vec<Reference>,
}

/// Takes off every reference that `chosen` answers with true.
///
/// A storage driver's login stays whatever `chosen` says, and so does what ephemeral containers use: neither
/// is an attachment. An error if the object has no pod template.
pub(crate) fn detach(object: &Value, kind: &Kind, chosen: impl Fn(&Reference) -> bool) -> Result<Detached> {
    let mut changed = object.clone();
    let mut removed = Vec::new();
    for pointer in pod_specs(object, kind)? {
        if let Some(spec) = changed.pointer_mut(&pointer) {
            removed.extend(from_pod_spec(spec, &chosen));
        }
    }
    Ok(Detached { object: changed, removed })
}

fn from_pod_spec(spec: &mut Value, chosen: &impl Fn(&Reference) -> bool) -> Vec<Reference> {
    let mut removed = Vec::new();
    for_containers(spec, |container| {
        let name = text(container, "name").to_owned();
        removed.extend(take(container, "env", |entry| of_variable(&name, entry).filter(chosen)));
        removed.extend(take(container, "envFrom", |entry| of_source(&name, entry).filter(chosen)));
    });
    for volume in list(spec, "volumes").to_vec() {
        let name = text(&volume, "name");
        let mounts = mounts(spec, name);
        let (rest, gone) = without_files(&volume, &mounts, chosen);
        if !gone.is_empty() {
            replace_volume(spec, name, rest.as_ref());
            removed.extend(gone);
        }
    }
    removed.extend(take(spec, "imagePullSecrets", |entry| of_image_pull(entry).filter(chosen)));
    removed
}

/// The volume without the chosen files, none if no file is left; and the references that are gone.
fn without_files(
    volume: &Value,
    mounts: &[Mount],
    chosen: &impl Fn(&Reference) -> bool,
) -> (Option<Value>, Vec<Reference>) {
    let name = text(volume, "name");
    let mut volume = volume.clone();
    let secret = of_files(name, mounts, &volume["secret"], "secretName");
    if !secret.is_empty() {
        let (gone, kept): (Vec<_>, Vec<_>) = secret.into_iter().partition(chosen);
        keep_items(&mut volume["secret"], &kept);
        return ((!kept.is_empty()).then_some(volume), gone);
    }
    let mut gone = Vec::new();
    if let Some(sources) = volume.pointer_mut("/projected/sources").and_then(Value::as_array_mut) {
        sources.retain_mut(|source| {
            let all = of_files(name, mounts, &source["secret"], "name");
            let is_secret = !all.is_empty();
            let (off, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(chosen);
            gone.extend(off);
            if is_secret {
                keep_items(&mut source["secret"], &kept);
            }
            !is_secret || !kept.is_empty()
        });
    }
    let is_left = !list(&volume["projected"], "sources").is_empty();
    (is_left.then_some(volume), gone)
}

fn keep_items(source: &mut Value, kept: &[Reference]) {
    let is_kept = |item: &Value| {
        kept.iter().any(|reference| match &reference.how {
            How::Files { file, .. } => file.as_deref() == item["path"].as_str(),
            _ => false,
        })
    };
    if let Some(items) = source.get_mut("items").and_then(Value::as_array_mut) {
        items.retain(is_kept);
    }
}

/// Puts the rest of a volume in its place, or takes it off together with its mounts.
fn replace_volume(spec: &mut Value, name: &str, rest: Option<&Value>) {
    if let Some(volumes) = spec["volumes"].as_array_mut() {
        match rest {
            Some(rest) => {
                volumes
                    .iter_mut()
                    .filter(|volume| text(volume, "name") == name)
                    .for_each(|v| *v = rest.clone());
                return;
            }
            None => volumes.retain(|volume| text(volume, "name") != name),
        }
    }
    remove_if_empty(spec, "volumes");
    for_containers(spec, |container| {
        take(container, "volumeMounts", |mount| (text(mount, "name") == name).then_some(()));
    });
}

fn for_containers(spec: &mut Value, mut visit: impl FnMut(&mut Value)) {
    for role in [Role::Init, Role::Regular] {
        if let Some(containers) = spec.get_mut(role.field()).and_then(Value::as_array_mut) {
            containers.iter_mut().for_each(&mut visit);
        }
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
    use super::*;
    use crate::workload::attach::{ContainerChoice, Existing, Outcome, attach};
    use crate::workload::attachment::{Attachment, EnvNames};
    use serde_json::json;

    fn job() -> Value {
        json!({"metadata": {"name": "j"}, "spec": {"template": {"spec": {
            "containers": [{"name": "main", "env": [{"name": "OTHER", "value": "x"}]}],
            "initContainers": [{"name": "init"}]}}}})
    }

    fn kind() -> &'static Kind {
        Kind::named("job").unwrap()
    }

    #[test]
    fn detaching_undoes_attaching() {
        let attachments = [
            Attachment::env("s", "A=k", EnvNames::Classic).unwrap(),
            Attachment::env_all("s", "", EnvNames::Classic).unwrap(),
            Attachment::files("s", "/a", None).unwrap(),
            Attachment::files("s", "/b:k,l", None).unwrap(),
            Attachment::image_pull("s").unwrap(),
        ];
        let outcome = attach(&job(), kind(), &attachments, &ContainerChoice::All, Existing::Keep).unwrap();
        let Outcome::Changed { object, .. } = outcome else { panic!("nothing was attached") };
        let other = detach(&object, kind(), |reference| reference.secret == "other").unwrap();
        assert_eq!(other, Detached { object: object.clone(), removed: Vec::new() });
        let detached = detach(&object, kind(), |reference| reference.secret == "s").unwrap();
        assert_eq!(detached.object, job());
        assert_eq!(detached.removed.len(), 8);
    }

    #[test]
    fn one_file_of_several_can_go() {
        let files = [Attachment::files("s", "/b:k,l", None).unwrap()];
        let outcome = attach(&job(), kind(), &files, &ContainerChoice::Only, Existing::Keep).unwrap();
        let Outcome::Changed { object, .. } = outcome else { panic!("nothing was attached") };
        let object =
            detach(&object, kind(), |reference| reference.key.as_deref() == Some("k")).unwrap().object;
        let volume = &object["spec"]["template"]["spec"]["volumes"][0];
        assert_eq!(volume["secret"]["items"], json!([{"key": "l", "path": "l"}]));
    }

    #[test]
    fn of_a_projected_volume_the_other_sources_stay() {
        let config = json!({"configMap": {"name": "c"}});
        let pod = |sources: Value| {
            json!({"spec": {
                "containers": [{"name": "m", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}],
                "volumes": [{"name": "v", "projected": {"sources": sources}}]}})
        };
        let gone =
            |sources: Value| detach(&pod(sources), Kind::named("pod").unwrap(), |_| true).unwrap().object;
        assert_eq!(gone(json!([{"secret": {"name": "s"}}, config])), pod(json!([config])));
        assert_eq!(
            gone(json!([{"secret": {"name": "s"}}])),
            json!({"spec": {"containers": [{"name": "m"}]}})
        );
    }

    #[test]
    fn the_login_of_a_storage_driver_stays() {
        let pod = json!({"spec": {"containers": [], "volumes": [
            {"name": "v", "csi": {"driver": "d", "nodePublishSecretRef": {"name": "s"}}}]}});
        let detached = detach(&pod, Kind::named("pod").unwrap(), |_| true).unwrap();
        assert_eq!(detached, Detached { object: pod, removed: Vec::new() });
    }
}
