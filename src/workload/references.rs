//! Where a workload uses secrets: every place of a pod spec that names one.

use serde_json::Value;

use super::kind::Kind;
use super::pod_spec::{containers, is_true, list, text};

/// One use of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) secret: String,
    /// None where all keys are used.
    pub(crate) key: Option<String>,
    pub(crate) how: How,
    /// Whether the pod starts without the secret or the key.
    pub(crate) optional: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum How {
    Env {
        container: String,
        variable: String,
    },
    EnvAll {
        container: String,
        prefix: String,
    },
    /// Files of a secret's volume, or of one source of a projected volume. `file` is None where all keys are
    /// files.
    Files {
        volume: String,
        file: Option<String>,
        mounts: Vec<Mount>,
    },
    /// The login of a storage driver; nothing of it is seen in the container.
    Storage {
        volume: String,
    },
    ImagePull,
}

/// Where a volume is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    pub(crate) container: String,
    pub(crate) path: String,
}

/// All references of an object, container by container, then volumes, then image pulls.
pub(crate) fn references(object: &Value, kind: &Kind) -> Vec<Reference> {
    let pointers = kind.pod_specs(object);
    pointers.iter().filter_map(|pointer| object.pointer(pointer)).flat_map(of_pod_spec).collect()
}

fn of_pod_spec(pod_spec: &Value) -> Vec<Reference> {
    let mut found = Vec::new();
    for (_, _, container) in containers(pod_spec) {
        let name = text(container, "name");
        found.extend(list(container, "env").iter().filter_map(|entry| of_variable(name, entry)));
        found.extend(list(container, "envFrom").iter().filter_map(|entry| of_source(name, entry)));
    }
    found.extend(list(pod_spec, "volumes").iter().flat_map(|volume| of_volume(pod_spec, volume)));
    found.extend(list(pod_spec, "imagePullSecrets").iter().filter_map(of_image_pull));
    found
}

/// The reference in an `env` entry.
pub(super) fn of_variable(container: &str, entry: &Value) -> Option<Reference> {
    let selector = &entry["valueFrom"]["secretKeyRef"];
    Some(Reference {
        secret: selector["name"].as_str()?.to_owned(),
        key: Some(text(selector, "key").to_owned()),
        how: How::Env { container: container.to_owned(), variable: text(entry, "name").to_owned() },
        optional: is_true(selector, "optional"),
    })
}

/// The reference in an `envFrom` entry.
pub(super) fn of_source(container: &str, entry: &Value) -> Option<Reference> {
    let source = &entry["secretRef"];
    Some(Reference {
        secret: source["name"].as_str()?.to_owned(),
        key: None,
        how: How::EnvAll { container: container.to_owned(), prefix: text(entry, "prefix").to_owned() },
        optional: is_true(source, "optional"),
    })
}

/// The reference in an `imagePullSecrets` entry. A pod starts without the secret if the image can be pulled
/// without.
pub(super) fn of_image_pull(entry: &Value) -> Option<Reference> {
    let secret = entry["name"].as_str()?.to_owned();
    Some(Reference { secret, key: None, how: How::ImagePull, optional: false })
}

fn of_volume(pod_spec: &Value, volume: &Value) -> Vec<Reference> {
    let name = text(volume, "name");
    let mounts = mounts(pod_spec, name);
    let mut found = of_files(name, &mounts, &volume["secret"], "secretName");
    for source in list(&volume["projected"], "sources") {
        found.extend(of_files(name, &mounts, &source["secret"], "name"));
    }
    found.extend(storage_secrets(volume).map(|secret| Reference {
        secret: secret.to_owned(),
        key: None,
        how: How::Storage { volume: name.to_owned() },
        optional: false,
    }));
    found
}

/// The references of a source of files: one for each item, or one for all keys.
pub(super) fn of_files(volume: &str, mounts: &[Mount], source: &Value, name_field: &str) -> Vec<Reference> {
    let Some(secret) = source[name_field].as_str() else { return Vec::new() };
    let reference = |key: Option<&str>, file: Option<&str>| Reference {
        secret: secret.to_owned(),
        key: key.map(str::to_owned),
        how: How::Files { volume: volume.to_owned(), file: file.map(str::to_owned), mounts: mounts.to_vec() },
        optional: is_true(source, "optional"),
    };
    match list(source, "items") {
        [] => vec![reference(None, None)],
        items => {
            items.iter().map(|item| reference(Some(text(item, "key")), Some(text(item, "path")))).collect()
        }
    }
}

pub(super) fn mounts(pod_spec: &Value, volume: &str) -> Vec<Mount> {
    let mounts_of = |container| list(container, "volumeMounts").iter().map(move |mount| (container, mount));
    containers(pod_spec)
        .flat_map(|(_, _, container)| mounts_of(container))
        .filter(|(_, mount)| text(mount, "name") == volume)
        .map(|(container, mount)| Mount {
            container: text(container, "name").to_owned(),
            path: text(mount, "mountPath").to_owned(),
        })
        .collect()
}

/// The drivers name their secret in one of three ways: `secretRef` (flexVolume, cephfs, rbd, iscsi, scaleIO,
/// storageos), `nodePublishSecretRef` (csi), and `secretName` (azureFile).
fn storage_secrets(volume: &Value) -> impl Iterator<Item = &str> {
    let drivers = volume.as_object().into_iter().flatten().filter(|(field, _)| *field != "secret");
    drivers.filter_map(|(_, driver)| {
        let by_reference =
            driver["secretRef"]["name"].as_str().or(driver["nodePublishSecretRef"]["name"].as_str());
        by_reference.or(driver["secretName"].as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(object: &Value, kind: &str) -> Vec<String> {
        let show = |reference: Reference| {
            let how = match reference.how {
                How::Env { container, variable } => format!("env {variable} in {container}"),
                How::EnvAll { container, prefix } => format!("env {prefix}* in {container}"),
                How::Files { volume, file, mounts } => {
                    let mounts: Vec<_> =
                        mounts.into_iter().map(|mount| mount.container + ":" + &mount.path).collect();
                    format!("file {} of {volume} at {}", file.unwrap_or("*".into()), mounts.join(" "))
                }
                How::Storage { volume } => format!("storage {volume}"),
                How::ImagePull => "pull".to_owned(),
            };
            let optional = if reference.optional { " optional" } else { "" };
            format!("{},{} {how}{optional}", reference.secret, reference.key.as_deref().unwrap_or("*"))
        };
        references(object, Kind::named(kind).unwrap()).into_iter().map(show).collect()
    }

    #[test]
    fn every_place_that_names_a_secret_is_found() {
        let pod = json!({"spec": {
            "initContainers": [{"name": "i", "envFrom": [
                {"prefix": "P_", "secretRef": {"name": "s1", "optional": true}}, {"configMapRef": {"name": "c"}}]}],
            "containers": [{"name": "m",
                "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s2", "key": "k"}}},
                        {"name": "B", "value": "x"}, {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}],
                "volumeMounts": [{"name": "v", "mountPath": "/v"}, {"name": "w", "mountPath": "/w"}]}],
            "ephemeralContainers": [{"name": "e",
                "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s3", "key": "k", "optional": true}}}]}],
            "volumes": [
                {"name": "v", "secret": {"secretName": "s4"}},
                {"name": "w", "projected": {"sources": [{"configMap": {"name": "c"}},
                    {"secret": {"name": "s5", "items": [{"key": "k", "path": "f"}, {"key": "l", "path": "g"}]}}]}},
                {"name": "x", "csi": {"driver": "d", "nodePublishSecretRef": {"name": "s6"}}},
                {"name": "y", "azureFile": {"secretName": "s7", "shareName": "n"}},
                {"name": "z", "cephfs": {"secretRef": {"name": "s8"}}},
                {"name": "e", "emptyDir": {}}],
            "imagePullSecrets": [{"name": "s9"}, {}],
        }});
        let expected = [
            "s1,* env P_* in i optional",
            "s2,k env A in m",
            "s3,k env A in e optional",
            "s4,* file * of v at m:/v",
            "s5,k file f of w at m:/w",
            "s5,l file g of w at m:/w",
            "s6,* storage x",
            "s7,* storage y",
            "s8,* storage z",
            "s9,* pull",
        ];
        assert_eq!(shown(&pod, "pod"), expected);
    }

    #[test]
    fn a_workload_without_secrets_or_without_a_template_has_none() {
        assert!(
            shown(&json!({"spec": {"template": {"spec": {"containers": [{"name": "m"}]}}}}), "job")
                .is_empty()
        );
        assert!(shown(&json!({}), "cronjob").is_empty());
    }
}
