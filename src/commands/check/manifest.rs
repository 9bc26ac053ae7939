//! `check -f`: checks workloads before they are submitted. Secrets of the same files count as existing, and
//! so do those that objects in the files make.

use serde_json::Value;

use super::cluster::{Secrets, by_place, consumer, env_names, read, read_logins, view};
use crate::cluster::{Cluster, Unseen};
use crate::error::{Error, Result};
use crate::findings::{Extent, View, referred};
use crate::secret::{self, Inspection, Made};
use crate::session::Session;
use crate::sources::manifest_files::ManifestFile;
use crate::workload::{Kind, Target};

/// Reads the workloads and secrets of manifests, and those secrets of the cluster that the workloads refer
/// to. Objects that name no namespace are taken to be in `namespace`.
pub(super) async fn read_files(
    files: &[ManifestFile],
    target: Option<&Target>,
    namespace: &str,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<(View, Vec<Unseen>)> {
    let mut consumers = Vec::new();
    let (mut secrets, mut made) = (Secrets::new(), Vec::new());
    for file in files {
        let objects = file.manifest()?.objects(|api_version, kind| {
            is_secret(api_version, kind)
                || secret::may_make_secrets(api_version, kind)
                || Kind::referring_in_manifest(api_version, kind).is_some()
        })?;
        if objects.is_empty() {
            session.ui.note(&format!("{} has no Secret and no workload of a known kind", file.name()));
        }
        for object in &objects {
            made.extend(secret::made_by(&object.value, namespace));
            let word = |field: &str| object.value[field].as_str().unwrap_or_default();
            if is_secret(word("apiVersion"), word("kind")) {
                let secret = Inspection::of_manifest(&object.value, namespace)
                    .map_err(|error| error.at(&object.place))?;
                secrets.extend([by_place(secret)]);
            } else if let Some(kind) = Kind::referring_in_manifest(word("apiVersion"), word("kind")) {
                consumers.push(consumer(kind, &placed(&object.value, namespace)));
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
    let wanted = referred(&consumers).into_iter().filter(|place| !secrets.contains_key(place));
    // If the files make a secret, the one in the cluster is what it was made of until now.
    let is_made = |(namespace, name): &(String, String)| {
        made.iter()
            .any(|one: &Made| one.name == *name && one.namespace.as_ref().is_none_or(|at| at == namespace))
    };
    let (to_make, to_read): (Vec<_>, Vec<_>) = wanted.partition(is_made);
    let (found, refused) = read(to_read, cluster).await?;
    secrets.extend(found.into_iter().chain(to_make.into_iter().map(|place| (place, None))));
    let env_names = env_names(cluster).await;
    let (logins, unread) = read_logins(&consumers, cluster).await?;
    let unseen = [refused, unread].concat();
    let view = view(consumers, secrets, logins, env_names, Extent::Part, cluster).await;
    Ok((View { made, ..view }, unseen))
}

fn is_secret(api_version: &str, kind: &str) -> bool {
    (api_version, kind) == ("v1", "Secret")
}

/// Returns the object with its namespace filled in, and with `generateName` as its name if it has none.
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
