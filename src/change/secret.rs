//! Changes keys of an existing secret safely, for `set`, `unset` and `edit`.
//!
//! The secret is read, checked and patched with the version that was read. If somebody else wrote meanwhile,
//! it starts again. That loses nothing, since only the named keys are touched.

use std::rc::Rc;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::change::recreate::secret::Remains;
use crate::change::retry::Tries;
use crate::cluster::{Answer, Cluster, Failure, SecretHead, SecretWithValues, if_there};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{DryRun, WriteArgs};
use crate::history;
use crate::metadata::{EXPIRES, Ends, LAST_APPLIED, Metadata};
use crate::propagation::Scope;
use crate::secret;
use crate::secret::{Difference, SecretManifest};
use crate::session::Session;
use crate::session::batch::Objects;
use crate::sharing;
use crate::sharing::CopyCheck;
use crate::wording::list;

/// A change that is under way.
pub(crate) struct SecretChange<'a> {
    /// The command, for hints.
    pub(crate) command: &'static str,
    pub(crate) name: &'a str,
    pub(crate) namespace: String,
    pub(crate) write: &'a WriteArgs,
    pub(crate) cluster: Rc<Cluster>,
    pub(crate) session: &'a Session<'a>,
    copy: CopyCheck,
}

/// What is to be done, and what it does to each key.
pub(crate) struct Plan {
    pub(crate) step: Step,
    pub(crate) difference: Difference,
    /// The keys whose noted ends go with their old values.
    pub(crate) lost_ends: Vec<String>,
}

/// The request to send.
pub(crate) enum Step {
    /// No secret has the name yet.
    Create(Bytes),
    Patch(Bytes),
    /// The secret is as it should be.
    Nothing,
}

/// The result of a change, with the object without values.
pub(crate) struct Done {
    pub(crate) verb: &'static str,
    pub(crate) object: Value,
    pub(crate) difference: Difference,
    /// True if an annotation was removed in which `kubectl apply` had left values.
    pub(crate) cleaned: bool,
    /// The keys whose noted ends went with their old values.
    pub(crate) lost_ends: Vec<String>,
}

impl Done {
    /// Notes the ends of values that are noted no more. `place` begins with a blank, or is empty.
    pub(crate) fn tell_lost_ends(&self, place: &str, session: &Session<'_>) {
        tell_lost_ends(&self.lost_ends, place, "set --expires", session);
    }

    /// Notes that what `kubectl apply` had left is gone.
    pub(crate) fn tell_cleaning(&self, place: &str, write: &WriteArgs, session: &Session<'_>) {
        if self.cleaned && self.verb != "unchanged" && write.dry_run == DryRun::None {
            let gone = "the copy of values that kubectl apply had left in an annotation is gone";
            session.ui.note(&format!("{gone}{place}"));
        }
    }
}

impl<'a> SecretChange<'a> {
    /// Connects and finds the namespace. Does not read the secret yet.
    ///
    /// # Errors
    /// The cluster can't be reached, or the namespace can't be found out.
    pub(crate) async fn begin(
        command: &'static str,
        name: &'a str,
        write: &'a WriteArgs,
        session: &'a Session<'a>,
    ) -> Result<Self> {
        let cluster = session.connect().await?;
        let namespace = session.namespace(&cluster).await?;
        Ok(Self::in_namespace(command, name, namespace, write, cluster, session))
    }

    /// Begins in a namespace that is known.
    pub(crate) fn in_namespace(
        command: &'static str,
        name: &'a str,
        namespace: String,
        write: &'a WriteArgs,
        cluster: Rc<Cluster>,
        session: &'a Session<'a>,
    ) -> Self {
        Self { command, name, namespace, write, cluster, session, copy: CopyCheck::default() }
    }

    /// Reads the secret; none if it does not exist.
    pub(crate) async fn read<S: DeserializeOwned>(&self) -> Result<Option<S>> {
        Ok(if_there(self.cluster.secret_as(&self.namespace, self.name).await)?)
    }

    /// Carries out what `plan` makes of the secret, which was `found` a moment ago.
    ///
    /// # Errors
    /// The secret can't be changed (see `check`), `plan` refuses, or the server does; others win every try.
    pub(crate) async fn run<S: DeserializeOwned + AsRef<SecretHead>>(
        &self,
        mut found: Option<S>,
        plan: impl Fn(Option<&S>) -> Result<Plan>,
    ) -> Result<Done> {
        let mut tries = Tries::default();
        loop {
            let head = found.as_ref().map(AsRef::as_ref);
            if let Some(secret) = head {
                self.refuse_going(secret)?;
            }
            let Plan { step, difference, lost_ends } = plan(found.as_ref())?;
            if let Some(secret) = head.filter(|_| !matches!(step, Step::Nothing)) {
                self.check(secret).await?;
            }
            let was_there = matches!(step, Step::Patch(_));
            let cleaned = head.is_some_and(|secret| secret.metadata.annotations.last_applied.is_some());
            // Its values are not kept while the server is waited for.
            drop(found.take());
            let failure = match self.send(step).await {
                Ok((verb, object)) => return Ok(Done { verb, object, difference, cleaned, lost_ends }),
                Err(failure) => failure,
            };
            let beaten = |failure: &Failure| failure.is_beaten() || (was_there && failure.is_not_found());
            tries.again(failure, beaten).await.map_err(|failure| self.refused(failure))?;
            found = self.read().await?;
        }
    }

    async fn send(&self, step: Step) -> Result<(&'static str, Value), Failure> {
        let dry = self.write.dry_run == DryRun::Client;
        let (name, namespace, write) = (self.name, &self.namespace, self.write.write());
        match step {
            Step::Nothing => Ok(("unchanged", self.unwritten())),
            Step::Create(_) if dry => Ok(("created", self.unwritten())),
            Step::Patch(_) if dry => Ok(("updated", self.unwritten())),
            Step::Create(body) => {
                let created = self.cluster.create_secret(namespace, body, Answer::Metadata, write).await;
                created.map(|_| ("created", self.unwritten()))
            }
            Step::Patch(patch) => self
                .cluster
                .patch_secret(namespace, name, patch, write)
                .await
                .map(|object| ("updated", object)),
        }
    }

    /// Returns the object for `-o` if the server has sent none. Values are never printed.
    pub(crate) fn unwritten(&self) -> Value {
        let metadata = json!({ "name": self.name, "namespace": self.namespace });
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata })
    }

    /// Reports what was done, and what became of each key; in which project, if there are several.
    pub(crate) fn report(&self, done: &Done, project: Option<&str>, objects: &mut Objects<'_>) -> Result<()> {
        let place = project.map(|project| format!(" in {project}")).unwrap_or_default();
        let verb = format!("{}{place}", done.verb);
        objects.tell(&format!("secret/{}", self.name), &verb, done.object.clone())?;
        tell_keys(&done.difference, project, self.session);
        done.tell_lost_ends(&place, self.session);
        let usage = CommandLine::plugin("usage").arg(self.name);
        let usage = if project.is_some() { usage.then("-A") } else { self.session.in_this_place(usage) };
        self.session.propose(self.write, &usage);
        done.tell_cleaning("", self.write, self.session);
        Ok(())
    }

    /// Notes that the copies follow the changed source.
    pub(crate) fn tell_of_copies(&self, scope: &Scope) {
        if self.write.dry_run == DryRun::None {
            sharing::tell_of_copies(self.name, scope, self.session);
        }
    }

    fn refuse_going(&self, secret: &SecretHead) -> Result<()> {
        if secret.metadata.terminating.is_none() {
            return Ok(());
        }
        Err(Error::failed(format!("secret {} in {} is being deleted", self.name, self.namespace)))
    }

    /// Refuses a secret that nobody can change, or whose change others would undo. Asks for confirmation if
    /// they may undo it.
    ///
    /// # Errors
    /// It is being deleted, immutable, or a copy that `sync` keeps; the answer is no.
    pub(crate) async fn check(&self, secret: &SecretHead) -> Result<()> {
        let Self { name, namespace, command, .. } = self;
        self.refuse_going(secret)?;
        self.copy.agree(&secret.metadata, command, self.write, &self.cluster, self.session).await?;
        if secret.immutable {
            return Err(Error::failed(format!(
                "secret {name} in {namespace} is immutable: nobody can change it"
            ))
            .hint(format!(
                "{} offers to delete it and to create it again, with all its keys",
                CommandLine::plugin("create").arg(name).then("--replace …").namespace(namespace)
            )));
        }
        Ok(())
    }

    pub(crate) fn refused(&self, failure: Failure) -> Error {
        if failure.has_unknown_effect() {
            let look = CommandLine::plugin("view").arg(self.name).namespace(&self.namespace);
            return Error::from(failure).hint(look);
        }
        failure.into()
    }
}

/// Deletes a secret that is as it was read. Returns the finalizers that it waits for.
///
/// # Errors
/// A conflict if it was changed since.
pub(crate) async fn delete(
    secret: &Metadata,
    write: &WriteArgs,
    cluster: &Cluster,
) -> Result<Vec<String>, Failure> {
    if write.dry_run == DryRun::Client {
        return Ok(Vec::new());
    }
    let Metadata { namespace, name, uid, resource_version, .. } = secret;
    let finalizers =
        cluster.delete_secret(namespace, name, uid, resource_version, write.write().keep).await?;
    if write.dry_run == DryRun::None {
        Remains::forget(cluster, namespace, name, uid);
    }
    Ok(finalizers)
}

/// # Errors
/// A deleted secret stays until others let it go.
pub(crate) fn refuse_held(secret: &Metadata, finalizers: &[String], write: &WriteArgs) -> Result<()> {
    if write.dry_run != DryRun::None || finalizers.is_empty() {
        return Ok(());
    }
    let Metadata { namespace, name, .. } = secret;
    Err(Error::partly(format!(
        "secret {name:?} in namespace {namespace:?} is being deleted, and stays until {} is removed from its finalizers",
        list(finalizers)
    ))
    .hint(format!("to see it: {}", CommandLine::plugin("view").arg(name).namespace(namespace))))
}

/// Notes what became of each key; in which project, if there are several.
pub(crate) fn tell_keys(difference: &Difference, project: Option<&str>, session: &Session<'_>) {
    let keys = difference.in_words();
    if !keys.is_empty() {
        session.ui.note(&project.map_or_else(|| keys.clone(), |project| format!("{keys}, in {project}")));
    }
}

/// Returns the keys that stay when a secret is replaced, and whose noted ends go with the values they were noted for.
pub(crate) fn lost_ends(manifest: &SecretManifest, before: &Value, difference: &Difference) -> Vec<String> {
    let ends = |metadata: Value| {
        let metadata: Metadata = serde_json::from_value(metadata).unwrap_or_default();
        metadata.annotations.ends
    };
    let mut lost = ends(before.clone()).lost_in(&ends(manifest.metadata_over(before, difference)));
    lost.retain(|key| !difference.loses(key));
    lost
}

/// Notes whose noted ends went with their old values, and what notes new ones. `place` is ` in team-a` if there are
/// several.
pub(crate) fn tell_lost_ends(keys: &[String], place: &str, again: &str, session: &Session<'_>) {
    if !keys.is_empty() {
        let keys = list(keys);
        session.ui.note(&format!(
            "the noted end of {keys} went with the old value{place}; {again} notes that of the new one"
        ));
    }
}

/// Returns true if a secret is as its replacement would make it: a write would change nothing.
pub(crate) fn is_as_wanted(
    old: &SecretHead<Value>,
    manifest: &SecretManifest,
    difference: &Difference,
) -> bool {
    let SecretHead { metadata, secret_type, immutable, .. } = old;
    let wanted_type = if manifest.secret_type.is_empty() { "Opaque" } else { &manifest.secret_type };
    difference.is_nothing()
        && secret_type == wanted_type
        && *immutable == manifest.immutable.unwrap_or_default()
        && manifest.keeps_metadata(metadata, difference)
}

impl Plan {
    /// Plans to create a secret.
    pub(crate) fn create(body: Bytes) -> Self {
        Self { step: Step::Create(body), difference: Difference::default(), lost_ends: Vec::new() }
    }

    /// Plans to set keys, and to leave all others as they are.
    pub(crate) fn set(manifest: &SecretManifest, found: Option<&SecretWithValues>) -> Self {
        let Some(secret) = found else {
            return Self::create(manifest.to_request_body());
        };
        let difference = Difference::of_set(&secret.values, &manifest.data);
        let body = |metadata: &Value| secret::patch_of_values(metadata, &manifest.data);
        Self::patch(&secret.head, difference, manifest.ends(), body)
    }

    /// Plans a patch of an existing secret: nothing if every key and its noted end is as it should be, and `kubectl
    /// apply` has left no copy of values that is to go. `body` gets the patch's metadata.
    pub(crate) fn patch(
        found: &SecretHead,
        difference: Difference,
        noted: Ends,
        body: impl FnOnce(&Value) -> Bytes,
    ) -> Self {
        let old = &found.metadata.annotations.ends;
        let ends = ends_after(&found.metadata, &difference, noted);
        let is_clean = found.metadata.annotations.last_applied.is_none();
        let lost_ends: Vec<String> =
            old.lost_in(&ends).into_iter().filter(|key| !difference.loses(key)).collect();
        let step = if difference.is_nothing() && is_clean && ends == *old {
            Step::Nothing
        } else {
            Step::Patch(body(&patch_metadata(&found.metadata, &difference, &ends)))
        };
        Self { step, difference, lost_ends }
    }
}

/// Returns the hint with the command that changes keys of an existing secret.
pub(crate) fn how_to_set(manifest: &SecretManifest, namespace: &str) -> String {
    let keys: Vec<&str> = manifest.data.keys().map(String::as_str).collect();
    let is_plain = matches!(manifest.secret_type.as_str(), "" | "Opaque");
    let set = CommandLine::plugin("set").arg(&manifest.name);
    let set = match keys.as_slice() {
        [key] if is_plain => set.arg(key),
        [key] => set.arg(format!("--from-file={key}=PATH")),
        _ => set.then("KEY"),
    };
    format!("to add or change a key: {}", set.namespace(namespace))
}

/// Returns the ends that are noted after a change: an old one holds only for the value that it was noted for.
pub(crate) fn ends_after(secret: &Metadata, difference: &Difference, noted: Ends) -> Ends {
    let touched = difference.touched();
    secret.annotations.ends.clone().kept(|key| !touched.contains(&key)).and(noted)
}

/// Returns the metadata of a patch that holds for the version that was read, records which keys change, notes these
/// ends, and removes what kubectl apply left there.
pub(crate) fn patch_metadata(secret: &Metadata, difference: &Difference, ends: &Ends) -> Value {
    let Metadata { uid, resource_version, annotations, .. } = secret;
    let mut written = history::annotations(secret, &difference.touched());
    if *ends != annotations.ends {
        written.insert(EXPIRES.to_owned(), json!(ends.annotation()));
    }
    if annotations.last_applied.is_some() {
        written.insert(LAST_APPLIED.to_owned(), Value::Null);
    }
    json!({ "uid": uid, "resourceVersion": resource_version, "annotations": written })
}
