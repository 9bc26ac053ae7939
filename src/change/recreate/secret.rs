//! Deletes a secret that can't be changed in place, and creates it anew.
//!
//! In between the cluster has neither. Everything of the old secret except its values (labels, annotations,
//! owners, finalizers, type) is on the disk before it is deleted, and the next run of the same command gives
//! that to the new one. Values are never written to disk: while the program lives, the old ones are in its
//! memory and are put back if the new secret is refused.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::change::recreate::saved_manifest::SavedManifest;
use crate::change::recreate::{DeleteAndCreate, Deleted, PATIENCE, PATIENCE_TO_PUT_BACK, uid};
use crate::cluster::{Answer, Cluster, Failure, Write, if_there};
use crate::error::{Error, Result};
use crate::propagation::ExistingSecret;
use crate::random::random;
use crate::session::Session;
use crate::ui::Ui;
use crate::wording::list;
use crate::workload::generated_suffix;
use crate::{metadata, ui};

/// How long the secret's finalizers may take.
const GONE_LIMIT: Duration = Duration::from_secs(10);

/// Annotations in which other programs keep a copy of the whole object, perhaps compressed, so that values
/// are not recognised.
const COPIES_OF_THE_OBJECT: [&str; 4] = [
    metadata::LAST_APPLIED,
    "objectset.rio.cattle.io/applied",
    "kapp.k14s.io/original",
    "banzaicloud.com/last-applied",
];

/// The longest annotation that is kept, in bytes: a longer one may be such a copy too.
const LONGEST_ANNOTATION: usize = 4096;

/// A secret that is deleted and created anew.
pub(crate) struct SecretRecreation<'a> {
    pub(crate) name: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) write: Write<'a>,
    pub(crate) answer: Answer,
    pub(crate) cluster: &'a Cluster,
    pub(crate) session: &'a Session<'a>,
}

/// The bodies to send: the new secret, and the old one if it can be put back.
pub(crate) struct Bodies {
    pub(crate) new: Bytes,
    pub(crate) old: Option<Bytes>,
    /// Keys whose values are lost if the new secret is never created.
    pub(crate) lost_keys: Vec<String>,
    /// The command that continues.
    pub(crate) again: String,
}

impl SecretRecreation<'_> {
    /// Deletes `old`, as it was read, and creates the new secret. An interrupt lets these steps finish; each
    /// has a time limit.
    ///
    /// # Errors
    /// A step failed. The hints say what is left of the old secret, and how to go on.
    pub(crate) async fn run(&self, old: &Value, bodies: &Bodies, kept: &SavedManifest) -> Result<Value> {
        ui::interrupt::finishing(self.replace(old, bodies, kept)).await
    }

    /// Carries out the steps. Their order alone keeps the promise of this module.
    async fn replace(&self, old: &Value, bodies: &Bodies, kept: &SavedManifest) -> Result<Value> {
        match self.delete(old).await {
            Deleted::Going => {}
            Deleted::Untouched(error) => {
                kept.remove();
                return Err(error.hint(format!("{} is there as before; nothing was changed", self.subject())));
            }
            Deleted::Unclear(error) => {
                let unclear = format!("it is not known whether {} was deleted", self.subject());
                return Err(going_on(error.hint(unclear), bodies, kept));
            }
        }
        let uid = uid(old);
        if let Err(error) = self.wait_until_gone(uid, GONE_LIMIT).await {
            return Err(going_on(error, bodies, kept));
        }
        let failure = match self.create(&bodies.new, uid, PATIENCE).await {
            Ok(object) => {
                kept.remove();
                Remains::forget(self.cluster, self.namespace, self.name, uid);
                return Ok(object);
            }
            Err(failure) => failure,
        };
        let is_taken = failure.is_already_exists();
        let refusal = Error::from(failure);
        if is_taken {
            let theirs = "somebody else made another one meanwhile, which was not touched";
            return Err(going_on(refusal.hint(theirs), bodies, kept));
        }
        if let Some(back) = &bodies.old
            && self.create(back, uid, PATIENCE_TO_PUT_BACK).await.is_ok()
        {
            kept.remove();
            return Err(refusal.hint("the old secret was put back as it was"));
        }
        let gone = refusal.hint("the old secret is gone, and the new one is not there");
        Err(going_on(gone, bodies, kept))
    }

    /// Saves everything of the old secret except its values.
    ///
    /// # Errors
    /// There is no folder for it. The secret must not be deleted then.
    pub(crate) fn keep(&self, old: &Value) -> Result<SavedManifest> {
        let mut metadata = metadata::of_a_new_object(&old["metadata"]);
        for field in ["labels", "annotations"] {
            if let Some(entries) = metadata[field].as_object_mut() {
                entries.retain(|key, value| may_be_kept(key, value, self.session.ui));
            }
        }
        metadata["uid"] = old["metadata"]["uid"].clone();
        let manifest =
            json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": old["type"] });
        let own = generated_suffix(random()?);
        let name: String = self.name.chars().take(60).collect();
        let mark = mark(self.cluster, self.namespace, self.name);
        SavedManifest::save(&manifest, &format!("secret-{}-{name}{mark}{own}.json", self.namespace))
    }
}

/// Reports whether a label or an annotation may be kept. It may quote a value: what is not shown on a terminal is
/// not written elsewhere either.
pub(crate) fn may_be_kept(key: &str, value: &Value, ui: &Ui) -> bool {
    let text = value.as_str().unwrap_or_default();
    !COPIES_OF_THE_OBJECT.contains(&key) && text.len() <= LONGEST_ANNOTATION && !ui.repeats_a_value(text)
}

/// Adds to an error how to continue, and which values are lost.
fn going_on(error: Error, bodies: &Bodies, kept: &SavedManifest) -> Error {
    let error = error.hint(format!(
        "run the same command again: it gives the new secret what is kept of the old one in {}; or: {}",
        kept.path().display(),
        bodies.again
    ));
    if bodies.lost_keys.is_empty() {
        return error;
    }
    error.hint(format!(
        "the old values of {} are lost: the new secret does not have these keys",
        list(&bodies.lost_keys)
    ))
}

/// Returns the part of a file's name that stands for one secret of one cluster.
fn mark(cluster: &Cluster, namespace: &str, name: &str) -> String {
    let place = format!("{}\n{namespace}\n{name}", cluster.address());
    let digest = ring::digest::digest(&ring::digest::SHA256, place.as_bytes());
    let short = digest.as_ref().iter().take(8).fold(0_u64, |short, byte| (short << 8) | u64::from(*byte));
    format!("_{short:016x}_")
}

/// The data that an interrupted run kept of a secret that it deleted.
pub(crate) struct Remains {
    files: Vec<SavedManifest>,
    metadata: Value,
    uid: String,
}

impl Remains {
    pub(crate) fn of(cluster: &Cluster, namespace: &str, name: &str) -> Option<Self> {
        let saved = SavedManifest::named(&mark(cluster, namespace, name));
        let newest = saved.first().map(|(_, manifest)| &manifest["metadata"])?;
        let (metadata, uid) = (metadata::of_a_new_object(newest), newest["uid"].as_str()?.to_owned());
        Some(Self { metadata, uid, files: saved.into_iter().map(|(file, _)| file).collect() })
    }

    /// Removes what earlier runs kept of the secret with this UID: it was deleted for good, or has a
    /// successor.
    pub(crate) fn forget(cluster: &Cluster, namespace: &str, name: &str, uid: &str) {
        let saved = SavedManifest::named(&mark(cluster, namespace, name));
        let theirs = saved.iter().filter(|(_, manifest)| manifest["metadata"]["uid"] == uid);
        theirs.for_each(|(file, _)| file.remove());
    }

    /// Returns the metadata that the new secret gets in addition to its own.
    pub(crate) fn metadata(&self) -> &Value {
        &self.metadata
    }

    /// Describes what the new secret gets: `labels team and tier, annotation note`.
    pub(crate) fn in_words(&self) -> String {
        let names = |field: &str, noun: &str| {
            let entries: Vec<&String> =
                self.metadata[field].as_object().into_iter().flat_map(Map::keys).collect();
            let plural = if entries.len() == 1 { "" } else { "s" };
            (!entries.is_empty()).then(|| format!("{noun}{plural} {}", list(entries)))
        };
        let some = |field: &str| self.metadata[field].as_array().is_some_and(|all| !all.is_empty());
        let others = ["ownerReferences", "finalizers"].into_iter().filter(|field| some(field));
        let others =
            others.map(|field| if field == "finalizers" { "finalizers" } else { "owners" }.to_owned());
        let parts: Vec<String> = names("labels", "label")
            .into_iter()
            .chain(names("annotations", "annotation"))
            .chain(others)
            .collect();
        if parts.is_empty() { "no labels".to_owned() } else { parts.join(", ") }
    }

    pub(crate) fn place(&self) -> String {
        self.files.iter().map(|file| file.path().display().to_string()).collect::<Vec<_>>().join(", ")
    }

    /// Reports whether an existing secret makes the saved data useless: it is the old one, or has all of it.
    pub(crate) fn are_in(&self, there: &Value) -> bool {
        let has = |field: &str| {
            let entries = self.metadata[field].as_object().into_iter().flatten();
            entries.into_iter().all(|(key, value)| there[field].get(key) == Some(value))
        };
        there["uid"] == self.uid.as_str() || (has("labels") && has("annotations"))
    }

    pub(crate) fn remove(&self) {
        self.files.iter().for_each(SavedManifest::remove);
    }
}

impl DeleteAndCreate for SecretRecreation<'_> {
    type Body = Bytes;

    fn subject(&self) -> String {
        format!("secret {}", self.name)
    }

    fn session(&self) -> &Session<'_> {
        self.session
    }

    fn read_limit(&self) -> Duration {
        PATIENCE
    }

    /// Returns false: a secret has no status, so every write changes it.
    fn is_still(&self, _: &Value) -> bool {
        false
    }

    async fn read(&self) -> Result<Option<Value>, Failure> {
        if_there(self.cluster.secret(self.namespace, self.name, Answer::Metadata).await)
    }

    async fn delete_once(&self, uid: &str, version: &str) -> Result<(), Failure> {
        self.cluster.delete_secret(self.namespace, self.name, uid, version, self.write.keep).await.map(drop)
    }

    async fn create_once(&self, body: &Bytes) -> Result<Value, Failure> {
        self.cluster.create_secret(self.namespace, body.clone(), self.answer, self.write).await
    }

    /// Recognises the secret by its content.
    async fn made(&self, body: &Bytes, uid_before: &str) -> Result<Option<Value>, Failure> {
        let Some(now) = if_there(self.cluster.namesake(self.namespace, self.name).await)? else {
            return Ok(None);
        };
        let sent: Option<ExistingSecret> = serde_json::from_slice(body).ok();
        let is_ours = sent.is_some_and(|sent| sent.content.data == now.content.data);
        if now.metadata.uid == uid_before || !is_ours {
            return Ok(None);
        }
        self.cluster.secret(self.namespace, self.name, self.answer).await.map(Some)
    }
}

/// # Errors
/// The secret is being deleted: what is written to it is lost with it.
pub(crate) fn refuse_going(metadata: &Value, name: &str, namespace: &str) -> Result<()> {
    if metadata["deletionTimestamp"].is_string() {
        return Err(Error::failed(format!("secret {name} in {namespace} is being deleted"))
            .hint("run the command again when it is gone"));
    }
    Ok(())
}
