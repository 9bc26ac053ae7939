//! `check -f`: checks workloads before they are submitted. Secrets of the same files count as existing, and
//! so do those that objects in the files make.

use std::collections::BTreeMap;

use serde_json::Value;

use super::cluster::{Secrets, by_place, consumer, elsewhere, env_names, logins_in, read, read_logins};
use super::look::{Look, Unchecked};
use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::findings::{self, EnvNames, Extent, Finding, Horizon, Makers, View, referred};
use crate::manifest::Object;
use crate::secret::{self, Inspection};
use crate::session::Session;
use crate::sources::manifest_files::ManifestFile;
use crate::wording::list;
use crate::workload::{self, Consumer, Kind, OfKubernetes, Target};

/// What is checked: the files, or one workload of them.
pub(super) struct Manifests<'a> {
    pub(super) files: &'a [ManifestFile],
    pub(super) target: Option<&'a Target>,
    /// The namespace of objects that name none.
    pub(super) namespace: &'a str,
    pub(super) horizon: Horizon,
}

/// The content of the files.
#[derive(Default)]
struct Content {
    consumers: Vec<Consumer>,
    secrets: Secrets,
    made: Makers,
    /// The file of each consumer, as `-f` takes it.
    files: BTreeMap<(String, String), String>,
    malformed: Vec<Finding>,
    /// The number of objects of other kinds, by group and kind.
    unchecked: BTreeMap<(String, String), usize>,
}

/// Checks the workloads and secrets of manifests, and those secrets of the cluster that the workloads refer
/// to.
pub(super) async fn look(from: &Manifests<'_>, cluster: &Cluster, session: &Session<'_>) -> Result<Look> {
    let others = described(from.files, cluster).await?;
    let Content { consumers, mut secrets, made, files, malformed, unchecked } =
        Content::of(from, &others, session)?;
    let wanted = referred(&consumers).into_iter().filter(|place| !secrets.contains_key(place));
    // If the files make a secret, the one in the cluster is what it was made of until now.
    let is_made = |(namespace, name): &(String, String)| made.of(namespace, name).is_some();
    let (to_make, to_read): (Vec<_>, Vec<_>) = wanted.partition(is_made);
    let (found, env_names, logins) =
        tokio::join!(read(to_read, cluster), env_names(cluster), read_logins(&consumers, cluster));
    let ((found, refused), (logins, unread)) = (found?, logins?);
    secrets.extend(found.into_iter().chain(to_make.into_iter().map(|place| (place, None))));
    let elsewhere = elsewhere(&secrets, cluster).await;
    let (account_logins, extent) = (logins, Extent::Part);
    let view = View { consumers, secrets, elsewhere, account_logins, made, env_names, files, extent };
    Ok(Look {
        findings: [view.findings(from.horizon), malformed].concat(),
        view,
        unseen: [refused, unread].concat(),
        unchecked: unchecked_kinds(unchecked),
    })
}

/// Checks the same without a cluster: a secret that is not in the files is not looked up.
pub(super) fn look_offline(from: &Manifests<'_>, session: &Session<'_>) -> Result<Look> {
    let Content { consumers, mut secrets, made, files, malformed, unchecked } =
        Content::of(from, &[], session)?;
    let not_there = referred(&consumers).into_iter().filter(|place| !secrets.contains_key(place));
    let is_made = |(namespace, name): &(String, String)| made.of(namespace, name).is_some();
    let (to_make, unknown): (Vec<_>, Vec<_>) = not_there.partition(is_made);
    if !unknown.is_empty() {
        let names = list(unknown.iter().map(|(_, name)| name));
        session.ui.note(&format!("not in the files, and not looked up: {names}"));
    }
    secrets.extend(to_make.into_iter().map(|place| (place, None)));
    let account_logins = logins_in(&consumers);
    let (env_names, extent) = (EnvNames::Classic, Extent::Part);
    let view = View {
        consumers,
        secrets,
        elsewhere: BTreeMap::new(),
        account_logins,
        made,
        env_names,
        files,
        extent,
    };
    Ok(Look {
        findings: [view.findings(from.horizon), malformed].concat(),
        view,
        unseen: Vec::new(),
        unchecked: unchecked_kinds(unchecked),
    })
}

/// Returns the kinds that Kartas of the cluster describe, if the files have an object of a kind that is not known.
async fn described(files: &[ManifestFile], cluster: &Cluster) -> Result<Vec<&'static Kind>> {
    let is_other = |api_version: &str, kind: &str| {
        Kind::referring_in_manifest(api_version, kind).is_none()
            && !secret::may_make_secrets(api_version, kind)
            && !kind.ends_with("List")
            && Kind::of_kubernetes(api_version, kind) == OfKubernetes::NotItsGroup
    };
    for file in files {
        if !file.manifest()?.objects(is_other)?.is_empty() {
            let mut kinds = cluster.other_kinds().await?.kinds;
            kinds.retain(|kind| kind.has_place_for_attachments());
            return Ok(kinds);
        }
    }
    Ok(Vec::new())
}

/// Returns the kind of an object, of those that are known or described.
fn kind_of(api_version: &str, kind: &str, others: &[&'static Kind]) -> Option<&'static Kind> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let is_it = |other: &&&'static Kind| {
        (other.group, other.name) == (group, kind) && other.known_versions().contains(&version)
    };
    Kind::referring_in_manifest(api_version, kind).or_else(|| others.iter().find(is_it).copied())
}

fn unchecked_kinds(counts: BTreeMap<(String, String), usize>) -> Vec<Unchecked> {
    counts.into_iter().map(|((group, kind), count)| Unchecked { group, kind, count }).collect()
}

impl Content {
    fn of(from: &Manifests<'_>, others: &[&'static Kind], session: &Session<'_>) -> Result<Self> {
        let Manifests { files, target, namespace, .. } = *from;
        let mut content = Self::default();
        for file in files {
            let objects = file.manifest()?.objects(|api_version, kind| {
                is_secret(api_version, kind)
                    || secret::may_make_secrets(api_version, kind)
                    || Kind::referring_in_manifest(api_version, kind).is_some()
                    || Kind::of_kubernetes(api_version, kind) != OfKubernetes::Kind
                    || kind.ends_with("List")
            })?;
            if objects.is_empty() {
                session.ui.note(&format!("{} has no Secret and no workload of a known kind", file.name()));
            }
            for object in objects {
                let Object { place, value, .. } = object;
                let value =
                    if is_kustomization(file.name(), &value) { as_kustomization(value) } else { value };
                if let Some((fault, remedy)) = fault(&value) {
                    content.malformed.push(findings::no_object(&place, namespace, fault, remedy));
                } else {
                    let seen = content.consumers.len();
                    content.add(&value, namespace, others).map_err(|error| error.at(&place))?;
                    content.note_file(seen, file);
                }
            }
        }
        if let Some(target) = target {
            content.narrow_to(target, files)?;
        }
        Ok(content)
    }

    /// Notes the file of the consumers after the first `seen`.
    fn note_file(&mut self, seen: usize, file: &ManifestFile) {
        let word = file.path().map_or_else(|| "-".into(), |path| path.to_string_lossy().into_owned());
        let place = |one: &Consumer| (one.namespace.clone(), one.display_name());
        self.files.extend(self.consumers[seen..].iter().map(|one| (place(one), word.clone())));
    }

    fn add(&mut self, object: &Value, namespace: &str, others: &[&'static Kind]) -> Result<()> {
        let made = secret::made_by(object, namespace);
        let word = |field: &str| object[field].as_str().unwrap_or_default();
        let (api_version, kind) = (word("apiVersion"), word("kind"));
        if is_secret(api_version, kind) {
            self.secrets.extend([by_place(Inspection::of_manifest(object, namespace)?)]);
        } else if let Some(kind) = kind_of(api_version, kind, others) {
            let consumer = consumer(kind, &placed(object, namespace));
            let has_parts = kind.has_place_for_attachments();
            let faults = if has_parts { workload::malformed(object, kind) } else { Vec::new() };
            self.malformed.extend(faults.into_iter().map(|fault| findings::malformed(&consumer, &fault)));
            self.consumers.push(consumer);
        } else if made.is_empty() && !secret::may_make_secrets(api_version, kind) && !kind.ends_with("List") {
            let group = api_version.split_once('/').map_or("", |(group, _)| group);
            *self.unchecked.entry((group.to_owned(), kind.to_owned())).or_default() += 1;
        }
        self.made.add(made);
        Ok(())
    }

    /// Keeps one workload, and the secrets.
    fn narrow_to(&mut self, target: &Target, files: &[ManifestFile]) -> Result<()> {
        self.consumers.retain(|one| one.kind == target.kind && one.name == target.name);
        self.malformed.retain(|one| one.object == target.to_string());
        self.unchecked.clear();
        if self.consumers.is_empty() {
            let place = match files {
                [only] => format!("{} has no", only.name()),
                several => format!("none of the {} files has", several.len()),
            };
            return Err(Error::failed(format!("{place} {target}")));
        }
        Ok(())
    }
}

fn is_secret(api_version: &str, kind: &str) -> bool {
    (api_version, kind) == ("v1", "Secret")
}

/// Returns true for a document of Kustomize's own, which may leave out what says so.
fn is_kustomization(file: &str, object: &Value) -> bool {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let says_nothing = object["apiVersion"].is_null() && object["kind"].is_null();
    matches!(name, "kustomization.yaml" | "kustomization.yml" | "Kustomization")
        && object.is_object()
        && says_nothing
}

fn as_kustomization(mut object: Value) -> Value {
    object["kind"] = "Kustomization".into();
    object
}

/// Returns what keeps every server from taking this for an object, and what to do about it.
fn fault(object: &Value) -> Option<(String, String)> {
    let write = |what: &str| format!("write {what}, or leave the document out");
    if !object.is_object() {
        return Some(("is no object: it has no fields".to_owned(), write("apiVersion and kind")));
    }
    let word = |field: &str| object[field].as_str().unwrap_or_default();
    let (api_version, kind) = (word("apiVersion"), word("kind"));
    let lacks: Vec<&str> =
        ["apiVersion", "kind"].into_iter().filter(|field| word(field).is_empty()).collect();
    let items = &object["items"];
    if kind == "Kustomization" {
        return None;
    }
    if !lacks.is_empty() {
        let lacks = list(lacks);
        return Some((format!("has no {lacks}, so that nobody sees what it is"), write(&lacks)));
    }
    if kind.ends_with("List") && !(items.is_array() || items.is_null()) {
        return Some((format!("is a {kind}, and its items are not a list"), write("items as a list")));
    }
    match Kind::of_kubernetes(api_version, kind) {
        OfKubernetes::No { meant } if Kind::referring_in_manifest(api_version, kind).is_none() => {
            let fault = format!("is a {kind:?} of {api_version:?}, which Kubernetes does not have");
            Some((fault, format!("did you mean {meant}?")))
        }
        _ => None,
    }
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
