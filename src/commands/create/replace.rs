//! `create --replace`: a secret gets new values and keeps all else that it has.
//!
//! Kubernetes lets nobody change the type of a secret, nor anything of an immutable one. There the way is to delete it
//! and create it anew, which is offered, never done unasked: a pod that starts in between does not find it.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::Written;
use super::args::NewSecretArgs;
use crate::cli::DryRun;
use crate::cluster::{Answer, Cluster, Failure, Keep, Write};
use crate::commands::{Session, TRIES, pause_after_conflict, random, sharing};
use crate::error::{Error, Result};
use crate::metadata::{LAST_APPLIED, Metadata};
use crate::secret::{self, SecretManifest};
use crate::{render, ui};

/// How often the creation that follows a deletion is tried.
const CREATE_TRIES: u32 = 5;

pub(super) struct Replacement<'a> {
    pub(super) manifest: &'a SecretManifest,
    pub(super) namespace: &'a str,
    pub(super) args: &'a NewSecretArgs,
    pub(super) cluster: &'a Cluster,
    pub(super) session: &'a Session<'a>,
}

impl Replacement<'_> {
    pub(super) async fn run(&self) -> Result<Written> {
        for attempt in 1.. {
            let (written, was_there) = match self.look(Answer::Metadata).await {
                Ok(old) => {
                    sharing::refuse_copy(&metadata(&old), "set", self.session)?;
                    (self.replace(&old).await, true)
                }
                Err(failure) if failure.is_not_found() => (self.create().await, false),
                Err(failure) => (Err(failure), false),
            };
            let failure = match written {
                Ok(written) => return Ok(written),
                Err(failure) => failure,
            };
            // Somebody else changed, deleted or made it in this moment: look again.
            let beaten = failure.is_beaten() || (was_there && failure.is_not_found());
            if !beaten || attempt == TRIES {
                return self.refused(failure).await;
            }
            pause_after_conflict(attempt).await;
        }
        unreachable!("the loop above has no end but its returns")
    }

    async fn create(&self) -> Result<Written, Failure> {
        let body = self.manifest.to_request_body();
        let write = self.args.write.write();
        let object = self.cluster.create_secret(self.namespace, body, self.args.answer(), write).await?;
        Ok(Written { verb: "created", object })
    }

    async fn replace(&self, old: &Value) -> Result<Written, Failure> {
        let before = &old["metadata"];
        let body = self.manifest.to_replacement_body(&self.manifest.metadata_over(before));
        let write = self.args.write.write();
        let answer = self.args.answer();
        let object = self.cluster.replace_secret(self.namespace, self.name(), body, answer, write).await?;
        if before["annotations"].get(LAST_APPLIED).is_some() {
            self.session
                .ui
                .note("the copy of the old values that kubectl apply had left in an annotation is gone");
        }
        self.tell_of_copies(old);
        Ok(Written { verb: "replaced", object })
    }

    /// Says that the copies follow; `--cluster-wide` says so itself.
    fn tell_of_copies(&self, old: &Value) {
        if self.args.write.dry_run == DryRun::None && !self.args.cluster_wide {
            let scope = sharing::scope(&metadata(old), self.session);
            sharing::tell_of_copies(self.name(), &scope, self.session);
        }
    }

    /// Explains what Kubernetes does not change, and offers the way round it.
    async fn refused(&self, failure: Failure) -> Result<Written> {
        let fixed = failure.unchangeable_fields();
        let why = if fixed.iter().any(|field| field == "type") {
            "it has another type, and the type of a secret can't be changed"
        } else if !fixed.is_empty() {
            "it is immutable: nobody can change it"
        } else {
            return Err(super::refused(failure, self.name(), self.namespace, self.cluster).await);
        };
        let name = self.name();
        let ui = self.session.ui;
        if self.args.write.dry_run != DryRun::None {
            return Err(Error::from(failure)
                .hint(format!("secret {name} can't be replaced: {why}"))
                .hint("without --dry-run you are asked whether to delete it and create it anew"));
        }
        ui.effect(&format!("secret {name} in namespace {} can't be replaced: {why}", self.namespace));
        ui.effect("it can be deleted and created anew; a pod that starts in between waits for it");
        ui.effect("running pods go on with the values they have");
        ui.confirm(&format!("Delete {name} and create it anew?")).await?;
        let old = self.look(Answer::Whole).await?;
        self.check_with_server(&old["metadata"]).await?;
        ui::interrupt::finishing(self.delete_and_create(&old)).await
    }

    /// Has the server check the new secret, under a name that is free: once the old one is gone it is too late.
    async fn check_with_server(&self, old: &Value) -> Result<()> {
        let mut trial = self.fresh(old);
        let suffix: String = random()?.iter().map(|byte| char::from(b'a' + byte % 26)).collect();
        trial["name"] = Value::from(secret::with_suffix(self.name(), &suffix));
        let body = self.manifest.to_replacement_body(&trial);
        let write = Write { keep: Keep::No, ..self.args.write.write() };
        let checked = self.cluster.create_secret(self.namespace, body, Answer::Metadata, write).await;
        checked.map(drop).map_err(|failure| Error::from(failure).hint("the old secret was not touched"))
    }

    /// The metadata of a new object instead of the old one.
    fn fresh(&self, old: &Value) -> Value {
        let mut metadata = self.manifest.metadata_over(old);
        if let Some(fields) = metadata.as_object_mut() {
            for field in ["uid", "resourceVersion", "creationTimestamp", "generation", "selfLink"] {
                fields.remove(field);
            }
        }
        metadata
    }

    async fn delete_and_create(&self, old: &Value) -> Result<Written> {
        let metadata = &old["metadata"];
        let text = |field: &str| metadata[field].as_str().unwrap_or_default();
        let deleted = self
            .cluster
            .delete_secret(self.namespace, self.name(), text("uid"), text("resourceVersion"), Keep::Yes)
            .await;
        match deleted {
            Ok(()) => {}
            // If it is still there, the new one is refused, and nothing is lost.
            Err(failure) if failure.is_not_found() || failure.has_unknown_effect() => {}
            Err(failure) => return Err(failure.into()),
        }
        let body = self.manifest.to_replacement_body(&self.fresh(metadata));
        let failure = match self.create_again(body).await {
            Ok(object) => {
                self.tell_of_copies(old);
                return Ok(Written { verb: "replaced", object });
            }
            Err(failure) if failure.is_already_exists() => {
                return Err(Error::from(failure)
                    .hint("it is still there, held back by a finalizer, or somebody made another one")
                    .hint(format!("see which: kubectl get secret {} -n {}", self.name(), self.namespace)));
            }
            Err(failure) => failure,
        };
        let mut back = old.clone();
        back["metadata"] = self.fresh(metadata);
        let back = Bytes::from_owner(render::json(&back));
        Err(match self.create_again(back).await {
            Ok(_) => Error::from(failure).hint("the old secret was put back as it was"),
            Err(_) => Error::from(failure)
                .hint("the old secret is gone, and the new one is not there: run the command again"),
        })
    }

    /// Creates it, again while it is not clear whether it worked.
    async fn create_again(&self, body: Bytes) -> Result<Value, Failure> {
        let write = self.args.write.write();
        let mut may_exist = false;
        for attempt in 1..=CREATE_TRIES {
            let answer = self.args.answer();
            let created = self.cluster.create_secret(self.namespace, body.clone(), answer, write).await;
            let failure = match created {
                Err(failure) if failure.is_already_exists() && may_exist => {
                    return self.look(answer).await;
                }
                Err(failure) => failure,
                done => return done,
            };
            may_exist |= failure.has_unknown_effect();
            if !failure.may_pass() || attempt == CREATE_TRIES {
                return Err(failure);
            }
            tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
        }
        unreachable!("the loop above has no end but its returns")
    }

    async fn look(&self, answer: Answer) -> Result<Value, Failure> {
        self.cluster.secret(self.namespace, self.name(), answer).await
    }

    fn name(&self) -> &str {
        &self.manifest.name
    }
}

fn metadata(secret: &Value) -> Metadata {
    serde_json::from_value(secret["metadata"].clone()).unwrap_or_default()
}
