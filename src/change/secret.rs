//! The safe way to change keys of a secret that exists, the same for `set`, `unset` and `edit`.
//!
//! It is read, looked at and patched with the version that was read; where somebody else wrote in between it starts
//! again, which loses nothing, as only the keys that were named are touched.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::change::retry::{TRIES, pause_after_conflict};
use crate::cluster::{Answer, Cluster, Failure, SecretHead};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{DryRun, WriteArgs};
use crate::metadata::{LAST_APPLIED, Metadata};
use crate::propagation::Scope;
use crate::secret::SecretManifest;
use crate::session::Session;
use crate::sharing;
use crate::sharing::CopyCheck;

/// A change that is under way.
pub(crate) struct SecretChange<'a> {
    /// The command, for hints.
    pub(crate) command: &'static str,
    pub(crate) name: &'a str,
    pub(crate) namespace: String,
    pub(crate) write: &'a WriteArgs,
    pub(crate) cluster: Cluster,
    pub(crate) session: &'a Session<'a>,
    copy: CopyCheck,
}

/// What is to be sent.
pub(crate) enum Step {
    /// There is no secret of the name yet.
    Create(Bytes),
    Patch(Bytes),
}

/// What was done; the object without values.
pub(crate) struct Done {
    pub(crate) verb: &'static str,
    pub(crate) object: Value,
    /// Whether `kubectl apply` had left values in an annotation, which is gone.
    pub(crate) cleaned: bool,
}

impl<'a> SecretChange<'a> {
    /// Connects, and finds out in which namespace a secret of a legal name is meant. The secret is not looked at yet.
    pub(crate) async fn begin(
        command: &'static str,
        name: &'a str,
        write: &'a WriteArgs,
        session: &'a Session<'a>,
    ) -> Result<Self> {
        let cluster = session.connect().await?;
        let namespace = session.namespace(&cluster).await?;
        Ok(Self { command, name, namespace, write, cluster, session, copy: CopyCheck::default() })
    }

    /// The secret without its values; none where there is none.
    pub(crate) async fn read(&self) -> Result<Option<SecretHead>> {
        match self.cluster.secret_outside(&self.namespace, self.name).await {
            Ok(found) => Ok(Some(found)),
            Err(failure) if failure.is_not_found() => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Carries out what `plan` makes of the secret as it is, which was `found` to be so a moment ago.
    pub(crate) async fn run(
        &self,
        mut found: Option<SecretHead>,
        plan: impl Fn(Option<&SecretHead>) -> Result<Step>,
    ) -> Result<Done> {
        for attempt in 1.. {
            if let Some(secret) = &found {
                self.check(secret).await?;
            }
            let step = plan(found.as_ref())?;
            let was_there = matches!(step, Step::Patch(_));
            let cleaned = found.as_ref().is_some_and(|secret| secret.was_applied);
            let failure = match self.send(step).await {
                Ok((verb, object)) => return Ok(Done { verb, object, cleaned }),
                Err(failure) => failure,
            };
            // Somebody else changed, deleted or made it in this moment: look again.
            let beaten = failure.is_beaten() || (was_there && failure.is_not_found());
            if !beaten || attempt == TRIES {
                return Err(self.refused(failure));
            }
            pause_after_conflict(attempt).await;
            found = self.read().await?;
        }
        unreachable!("the loop above has no end but its returns")
    }

    async fn send(&self, step: Step) -> Result<(&'static str, Value), Failure> {
        let dry = self.write.dry_run == DryRun::Client;
        let (name, namespace, write) = (self.name, &self.namespace, self.write.write());
        match step {
            Step::Create(_) if dry => Ok(("created", self.unwritten())),
            Step::Patch(_) if dry => Ok(("updated", self.unwritten())),
            Step::Create(body) => {
                let created = self.cluster.create_secret(namespace, body, Answer::Metadata, write).await;
                created.map(|_| ("created", self.unwritten()))
            }
            Step::Patch(patch) => self
                .cluster
                .change_secret(namespace, name, patch, write)
                .await
                .map(|object| ("updated", object)),
        }
    }

    /// What `-o` prints where the server has sent nothing: values are never printed here.
    pub(crate) fn unwritten(&self) -> Value {
        let metadata = json!({ "name": self.name, "namespace": self.namespace });
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata })
    }

    /// Says what was done.
    pub(crate) fn report(&self, done: &Done) -> Result<()> {
        self.session.report(self.write, &format!("secret/{}", self.name), done.verb, &done.object)?;
        if done.cleaned && self.write.dry_run == DryRun::None {
            self.session.ui.note("the copy of values that kubectl apply had left in an annotation is gone");
        }
        Ok(())
    }

    /// Says that the copies follow, now that the source is changed.
    pub(crate) fn tell_of_copies(&self, scope: &Scope) {
        if self.write.dry_run == DryRun::None {
            sharing::tell_of_copies(self.name, scope, self.session);
        }
    }

    /// Refuses what nobody can change, and what others would undo; asks where they may.
    pub(crate) async fn check(&self, secret: &SecretHead) -> Result<()> {
        let Self { name, namespace, command, .. } = self;
        if secret.metadata.terminating.is_some() {
            return Err(Error::failed(format!("secret {name} in {namespace} is being deleted")));
        }
        self.copy.agree(&secret.metadata, command, self.write, &self.cluster, self.session).await?;
        if secret.immutable {
            return Err(Error::failed(format!(
                "secret {name} in {namespace} is immutable: nobody can change it"
            ))
            .hint(format!(
                "{} offers to delete it and to create it again, with all its keys",
                CommandLine::plugin("create").arg(name).then("--replace …")
            )));
        }
        if let Some(owner) = secret.metadata.owner_references.first() {
            self.session.ui.warning(&format!(
                "secret {name} is owned by a {} ({}), which may undo the change",
                owner.kind, owner.api_version
            ));
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

/// What to type to change keys of a secret that is there, and leave its others alone.
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

/// The metadata of a patch that holds for the secret as it was read, and takes off what kubectl apply left there.
pub(crate) fn patch_metadata(secret: &SecretHead) -> Value {
    let Metadata { uid, resource_version, .. } = &secret.metadata;
    let mut metadata = json!({ "uid": uid, "resourceVersion": resource_version });
    if secret.was_applied {
        metadata["annotations"] = json!({ LAST_APPLIED: null });
    }
    metadata
}
