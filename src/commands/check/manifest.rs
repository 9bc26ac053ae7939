//! `-f`: what is wrong with workloads before they are submitted. Secrets of the same file count as there.

use serde_json::Value;

use super::{Secrets, by_place, env_names, read, view};
use crate::cluster::{Cluster, Unseen};
use crate::commands::Session;
use crate::commands::manifest_files::ManifestFile;
use crate::error::{Error, Result};
use crate::findings::{Extent, View, referred};
use crate::secret::Inspection;
use crate::workload::{Consumer, Kind, Target};

/// Reads the workloads and the secrets of manifests, and those secrets of the cluster that the workloads refer to.
/// `namespace` is for objects that name none.
pub(super) async fn look(
    files: &[ManifestFile],
    target: Option<&Target>,
    namespace: &str,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<(View, Vec<Unseen>)> {
    let mut consumers = Vec::new();
    let mut secrets = Secrets::new();
    for file in files {
        let objects = file.manifest()?.objects(|api_version, kind| {
            is_secret(api_version, kind) || Kind::referring_in_manifest(api_version, kind).is_some()
        })?;
        if objects.is_empty() {
            session
                .ui
                .note(&format!("{} has no workload of a kind that is known, and no Secret", file.name()));
        }
        for object in &objects {
            let word = |field: &str| object.value[field].as_str().unwrap_or_default();
            if is_secret(word("apiVersion"), word("kind")) {
                let secret = Inspection::of_manifest(&object.value, namespace)
                    .map_err(|error| error.at(&object.place))?;
                secrets.extend([by_place(secret)]);
            } else if let Some(kind) = Kind::referring_in_manifest(word("apiVersion"), word("kind")) {
                consumers.push(Consumer::of(kind, &placed(&object.value, namespace), |_| true));
            }
        }
    }
    if let Some(target) = target {
        consumers.retain(|one| one.kind == target.kind && one.name == target.name);
        if consumers.is_empty() {
            let place = match files {
                [only] => format!("{} has no", only.name()),
                several => format!("none of the {} files has", several.len()),
            };
            return Err(Error::failed(format!("{place} {target}")));
        }
    }
    let wanted = referred(&consumers).into_iter().filter(|place| !secrets.contains_key(place)).collect();
    let (found, refused) = read(wanted, cluster).await?;
    secrets.extend(found);
    let env_names = env_names(cluster).await;
    Ok((view(consumers, secrets, env_names, Extent::Part, cluster).await, refused))
}

fn is_secret(api_version: &str, kind: &str) -> bool {
    (api_version, kind) == ("v1", "Secret")
}

/// The object in its namespace, and under the beginning of its name where that is to be generated.
fn placed(object: &Value, namespace: &str) -> Value {
    let mut placed = object.clone();
    let metadata = &object["metadata"];
    if !(metadata.is_object() || metadata.is_null()) {
        return placed;
    }
    if metadata["namespace"].as_str().is_none_or(str::is_empty) {
        placed["metadata"]["namespace"] = namespace.into();
    }
    if metadata["name"].is_null() {
        placed["metadata"]["name"] = metadata["generateName"].clone();
    }
    placed
}
