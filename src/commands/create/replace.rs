//! `create --replace`: gives a secret new values and keeps everything else.
//!
//! Kubernetes refuses to change the type of a secret, or anything of an immutable one. Then the secret must
//! be deleted and created anew. That is offered and never done without confirmation: a pod that starts in
//! between does not find the secret.

use std::cell::RefCell;
use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::Value;

use super::args::NewSecretArgs;
use super::written::{Written, refused};
use crate::change::recreate::secret::{Bodies, Remains, SecretRecreation, refuse_going};
use crate::change::retry::Tries;
use crate::cluster::{Answer, Cluster, Failure, Keep, SecretHead, SecretWithValues, Write};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::DryRun;
use crate::history;
use crate::metadata::{self, LAST_APPLIED, Metadata};
use crate::random::random;
use crate::secret::{self, Difference, SecretManifest};
use crate::session::Session;
use crate::sharing::CopyCheck;
use crate::uses::losing_keys::LostKeys;
use crate::wording::list;
use crate::{change, render, sharing, uses};

/// The most keys for which the command to go on with asks one by one.
const ASKED_FOR: usize = 4;

pub(super) struct Replacement<'a> {
    pub(super) manifest: &'a SecretManifest,
    pub(super) namespace: &'a str,
    pub(super) args: &'a NewSecretArgs,
    pub(super) cluster: &'a Cluster,
    pub(super) session: &'a Session<'a>,
}

impl Replacement<'_> {
    pub(super) async fn run(&self) -> Result<Written> {
        let agreement = Agreement::default();
        let mut tries = Tries::default();
        loop {
            let (written, was_there) = match self.read().await {
                Ok((old, difference)) => {
                    refuse_going(&old.metadata, self.name(), self.namespace)?;
                    if change::secret::is_as_wanted(&old, self.manifest, &difference) {
                        return self.unchanged(&old.metadata, difference).await;
                    }
                    *agreement.difference.borrow_mut() = difference;
                    self.agree(&old, &agreement).await?;
                    (self.replace(&old, &agreement).await, true)
                }
                Err(failure) if failure.is_not_found() => (self.create().await, false),
                Err(failure) => (Err(failure), false),
            };
            let failure = match written {
                Ok(written) => return Ok(written),
                Err(failure) => failure,
            };
            let beaten = |failure: &Failure| failure.is_beaten() || (was_there && failure.is_not_found());
            if let Err(failure) = tries.again(failure, beaten).await {
                return self.refused(failure, &agreement).await;
            }
        }
    }

    /// Returns the verb for `--dry-run=client`, and what would become of each key. Asks all that would be asked.
    pub(super) async fn preview(&self) -> Result<(&'static str, Difference)> {
        match self.read().await {
            Ok((old, difference)) => {
                refuse_going(&old.metadata, self.name(), self.namespace)?;
                if change::secret::is_as_wanted(&old, self.manifest, &difference) {
                    return Ok(("unchanged", difference));
                }
                self.agree(&old, &Agreement::default()).await?;
                self.tell_of_lost_ends(&old.metadata, &difference);
                Ok(("replaced", difference))
            }
            Err(failure) if failure.is_not_found() => Ok(("created", Difference::default())),
            Err(failure) => Err(Error::from(failure).hint(
                "the secret to replace could not be looked up; -o yaml prints the manifest without looking",
            )),
        }
    }

    /// Names the keys that are lost, and asks for confirmation if workloads need them. Does not ask again
    /// about what was confirmed.
    async fn agree(&self, old: &SecretHead<Value>, agreement: &Agreement) -> Result<()> {
        let (name, session, write) = (self.name(), self.session, &self.args.write);
        let metadata = metadata(&old.metadata);
        agreement.copy.agree(&metadata, "set", write, self.cluster, session).await?;
        let lost = self.lost_keys(old.keys());
        if lost.is_empty() || lost.iter().all(|key| agreement.lost.borrow().contains(key)) {
            return Ok(());
        }
        session.ui.note(&format!(
            "{}: --replace makes the new keys the whole content; to keep the others: {}",
            uses::losing_keys::in_words(&lost, name, self.namespace),
            CommandLine::plugin("set").arg(name).then("…").namespace(self.namespace)
        ));
        let scope = sharing::scope(&metadata, session);
        LostKeys {
            name,
            namespace: self.namespace,
            keys: &lost,
            scope: &scope,
            deed: format!("Replace {name}, without {},", list(&lost)),
            cluster: self.cluster,
            write,
            session,
        }
        .agree()
        .await?;
        agreement.lost.borrow_mut().extend(lost);
        Ok(())
    }

    /// Returns the keys of the old secret that the new one does not have.
    fn lost_keys<'k>(&self, old: impl Iterator<Item = &'k str>) -> Vec<String> {
        old.filter(|key| !self.manifest.data.contains_key(*key)).map(str::to_owned).collect()
    }

    /// Creates the secret. If an earlier run deleted the old one and was cut short, the new one gets what was
    /// kept of it.
    async fn create(&self) -> Result<Written, Failure> {
        let write = self.args.write.write();
        let remains = Remains::of(self.cluster, self.namespace, self.name());
        let body = match &remains {
            Some(remains) => {
                let unknown = Difference::default();
                self.manifest.to_replacement_body(&self.manifest.metadata_over(remains.metadata(), &unknown))
            }
            None => self.manifest.to_request_body(),
        };
        let object = self.cluster.create_secret(self.namespace, body, self.args.answer(), write).await?;
        if let Some(remains) = remains.filter(|_| write.keep == Keep::Yes) {
            self.session.ui.warning(&format!(
                "an earlier --replace of secret {} was cut short; the new one has what was kept of the old one: {}",
                self.name(),
                remains.in_words()
            ));
            remains.remove();
        }
        Ok(Written { verb: "created", object, difference: Difference::default() })
    }

    /// Reports a secret that is as it should be. `-o` prints it as it is.
    async fn unchanged(&self, metadata: &Value, difference: Difference) -> Result<Written> {
        self.tell_of_remains(metadata);
        let object = match self.args.answer() {
            Answer::Whole => self.cluster.secret(self.namespace, self.name(), Answer::Whole).await?,
            Answer::Metadata => Value::Null,
        };
        Ok(Written { verb: "unchanged", object, difference })
    }

    async fn replace(&self, old: &SecretHead<Value>, agreement: &Agreement) -> Result<Written, Failure> {
        let before = &old.metadata;
        let body = {
            let difference = agreement.difference.borrow();
            let new = self.manifest.metadata_over(before, &difference);
            let new = history::with_record(new, &metadata(before), &difference.touched());
            self.manifest.to_replacement_body(&new)
        };
        let write = self.args.write.write();
        let answer = self.args.answer();
        let object = self.cluster.replace_secret(self.namespace, self.name(), body, answer, write).await?;
        if before["annotations"].get(LAST_APPLIED).is_some() {
            self.session
                .ui
                .note("the copy of the old values that kubectl apply had left in an annotation is gone");
        }
        self.tell_of_remains(before);
        self.tell_of_copies(before);
        let difference = agreement.difference.take();
        self.tell_of_lost_ends(before, &difference);
        Ok(Written { verb: "replaced", object, difference })
    }

    /// Warns that this secret lacks some of what an earlier run left behind. Somebody else made this one, so
    /// the program does not decide what it should have.
    fn tell_of_remains(&self, before: &Value) {
        let Some(remains) = Remains::of(self.cluster, self.namespace, self.name()) else { return };
        if self.args.write.dry_run != DryRun::None {
            return;
        }
        if remains.are_in(before) {
            remains.remove();
            return;
        }
        self.session.ui.warning(&format!(
            "an earlier --replace of secret {} was cut short, and somebody made another one since; the old one had {}, \
             which is kept in {} until you remove it",
            self.name(),
            remains.in_words(),
            remains.place()
        ));
    }

    /// Says which noted ends go with the values that they were noted for.
    fn tell_of_lost_ends(&self, before: &Value, difference: &Difference) {
        let lost = change::secret::lost_ends(self.manifest, before, difference);
        change::secret::tell_lost_ends(&lost, "", "--expires", self.session);
    }

    /// Notes that the copies follow; `--cluster-wide` says so itself.
    fn tell_of_copies(&self, before: &Value) {
        if self.args.write.dry_run == DryRun::None && !self.args.cluster_wide {
            let scope = sharing::scope(&metadata(before), self.session);
            sharing::tell_of_copies(self.name(), &scope, self.session);
        }
    }

    /// Explains why Kubernetes refuses, and offers to delete the secret and create it anew.
    async fn refused(&self, failure: Failure, agreement: &Agreement) -> Result<Written> {
        let fixed = failure.unchangeable_fields();
        let why = if fixed.iter().any(|field| field == "type") {
            "it has another type, and the type of a secret can't be changed"
        } else if !fixed.is_empty() {
            "it is immutable: nobody can change it"
        } else {
            return Err(refused(failure, self.manifest, self.namespace, self.cluster).await);
        };
        let name = self.name();
        let ui = self.session.ui;
        if self.args.write.dry_run != DryRun::None {
            return Err(Error::from(failure)
                .hint(format!("secret {name} can't be replaced: {why}"))
                .hint("without --dry-run you are asked whether to delete it and create it again"));
        }
        let old = self.cluster.secret(self.namespace, name, Answer::Whole).await?;
        let keys = || old["data"].as_object().into_iter().flat_map(|data| data.keys()).map(String::as_str);
        // Somebody may have added a key since.
        if let Some(new) = self.lost_keys(keys()).iter().find(|key| !agreement.lost.borrow().contains(*key)) {
            return Err(Error::failed(format!("somebody added {new} to secret {name} meanwhile"))
                .hint("nothing was changed: run the command again"));
        }
        ui.effect(&format!("secret {name} in namespace {} can't be replaced: {why}", self.namespace));
        ui.effect("it can be deleted and created again; a pod that starts in between waits for it");
        ui.effect("running pods keep the values that they have");
        if old["metadata"]["finalizers"].as_array().is_some_and(|all| !all.is_empty()) {
            ui.effect("it has finalizers: it goes only when the controllers that set them remove them");
        }
        ui.confirm(&format!("Delete {name} and create it again?")).await?;
        let difference = agreement.difference.take();
        self.check_with_server(&old["metadata"], &difference).await?;
        self.delete_and_create(&old, self.lost_keys(keys()), difference).await
    }

    /// Has the server check the new secret under a free name, before the old one is deleted.
    async fn check_with_server(&self, old: &Value, difference: &Difference) -> Result<()> {
        let mut trial = self.fresh(old, difference);
        let suffix: String = random()?.iter().map(|byte| char::from(b'a' + byte % 26)).collect();
        trial["name"] = Value::from(secret::with_suffix(self.name(), &suffix));
        let body = self.manifest.to_replacement_body(&trial);
        let write = Write { keep: Keep::No, ..self.args.write.write() };
        let checked = self.cluster.create_secret(self.namespace, body, Answer::Metadata, write).await;
        checked.map(drop).map_err(|failure| Error::from(failure).hint("the old secret was not touched"))
    }

    /// Returns the metadata of an object that takes the old one's place.
    fn fresh(&self, old: &Value, difference: &Difference) -> Value {
        self.manifest.metadata_over(&metadata::of_a_new_object(old), difference)
    }

    async fn delete_and_create(
        &self,
        old: &Value,
        lost_keys: Vec<String>,
        difference: Difference,
    ) -> Result<Written> {
        let before = &old["metadata"];
        let mut back = old.clone();
        back["metadata"] = metadata::of_a_new_object(before);
        let bodies = Bodies {
            new: self.manifest.to_replacement_body(&history::with_record(
                self.fresh(before, &difference),
                &metadata(before),
                &difference.touched(),
            )),
            old: Some(Bytes::from_owner(render::json(&back))),
            lost_keys,
            again: self.again(),
        };
        let anew = SecretRecreation {
            name: self.name(),
            namespace: self.namespace,
            write: self.args.write.write(),
            answer: self.args.answer(),
            cluster: self.cluster,
            session: self.session,
        };
        let kept = anew.keep(old)?;
        self.session.ui.effect_always(&format!(
            "if this is cut short, run the same command again, or: {}; the old secret without its values is kept in {}",
            bodies.again,
            kept.path().display()
        ));
        let object = anew.run(old, &bodies, &kept).await?;
        self.tell_of_copies(before);
        self.tell_of_lost_ends(before, &difference);
        Ok(Written { verb: "replaced", object, difference })
    }

    /// Returns the command to go on with if this one is cut short. It asks for the values, which are not
    /// repeated.
    fn again(&self) -> String {
        let mut words: Vec<String> = vec!["--replace".to_owned()];
        let SecretManifest { secret_type, immutable, data, .. } = self.manifest;
        if !secret_type.is_empty() {
            words.extend(["--type".to_owned(), secret_type.clone()]);
        }
        words.extend(immutable.map(|_| "--immutable".to_owned()));
        if data.len() <= ASKED_FOR {
            words.extend(data.keys().flat_map(|key| ["--prompt".to_owned(), key.clone()]));
        } else {
            words.extend(["--from-dotenv".to_owned(), "PATH".to_owned()]);
        }
        CommandLine::plugin("create").arg(self.name()).args(words).namespace(self.namespace).to_string()
    }

    /// Reads the old secret, and compares its values, which are not kept.
    async fn read(&self) -> Result<(SecretHead<Value>, Difference), Failure> {
        let old: SecretWithValues<Value> = self.cluster.secret_as(self.namespace, self.name()).await?;
        let difference = Difference::of_whole(&old.values, &self.manifest.data);
        Ok((old.head, difference))
    }

    fn name(&self) -> &str {
        &self.manifest.name
    }
}

/// The effects that the user has confirmed.
#[derive(Default)]
struct Agreement {
    copy: CopyCheck,
    /// Keys that are lost.
    lost: RefCell<BTreeSet<String>>,
    /// What becomes of each key.
    difference: RefCell<Difference>,
}

fn metadata(metadata: &Value) -> Metadata {
    serde_json::from_value(metadata.clone()).unwrap_or_default()
}
