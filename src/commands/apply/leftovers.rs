//! Secrets that a file made and no longer names: they are reported, and with `--prune` deleted.

use std::collections::BTreeMap;

use serde_json::json;

use super::{ApplyArgs, object};
use crate::change::declared::{Applying, is_marked};
use crate::change::places::both;
use crate::cluster::{Failure, Namespaces};
use crate::command_line::CommandLine;
use crate::error::{Error, Kind, Result};
use crate::flags::DryRun;
use crate::metadata::Metadata;
use crate::propagation::Scope;
use crate::secret::{self, FILE_ADOPTED, FILE_LABEL, FILE_OF};
use crate::session::Session;
use crate::session::batch::{Objects, Several};
use crate::sharing;
use crate::uses::who_needs::{Consumers, Deed, Force, Plan};
use crate::wording::plural;

pub(super) struct Leftovers<'a> {
    /// The name of the file's secrets.
    pub(super) file: &'a str,
    pub(super) shown: &'a str,
    pub(super) applying: &'a Applying<'a>,
    pub(super) args: &'a ApplyArgs,
    pub(super) session: &'a Session<'a>,
}

impl Leftovers<'_> {
    /// # Errors
    /// They can't be listed although they are to be deleted; one of them is needed, or the answer is no.
    pub(super) async fn run(&self, objects: &mut Objects<'_>) -> Result<()> {
        let left = match self.applying.cluster().secrets_labelled(FILE_LABEL, self.file).await {
            Ok(left) => left,
            Err(failure) => return self.unseen(failure),
        };
        let left: Vec<Metadata> = left.into_iter().filter(|one| self.is_left(one)).collect();
        let (adopted, made): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|one| one.annotations.file_adopted.is_some());
        if self.args.prune {
            let released = self.release(adopted, objects).await;
            if released.as_ref().is_err_and(|error| error.kind() == Kind::Interrupted) {
                return released;
            }
            return both(released, self.prune(made, objects).await, self.session);
        }
        let released = "it was there before, so --prune only takes the file's mark off";
        for one in &made {
            self.tell(one, "--prune deletes it");
        }
        for one in &adopted {
            self.tell(one, released);
        }
        Ok(())
    }

    fn tell(&self, Metadata { namespace, name, .. }: &Metadata, what: &str) {
        self.session.ui.note(&format!("{} no longer names secret {name} in {namespace}; {what}", self.shown));
    }

    fn is_left(&self, metadata: &Metadata) -> bool {
        is_marked(metadata, self.file)
            && metadata.terminating.is_none()
            && !self.applying.still_names(metadata)
    }

    fn unseen(&self, failure: Failure) -> Result<()> {
        if !failure.is_forbidden() || self.args.prune {
            return Err(Error::from(failure).at("what the file no longer names could not be listed"));
        }
        self.session
            .ui
            .note("you may not list secrets in all namespaces: what the file no longer names is not known");
        Ok(())
    }

    /// Takes the mark off secrets that were there before the file: with their other keys they are somebody else's.
    async fn release(&self, adopted: Vec<Metadata>, objects: &mut Objects<'_>) -> Result<()> {
        let mut several = Several::secrets(adopted.len(), self.session);
        for secret in adopted {
            let title = format!("{} in {}", secret.name, secret.namespace);
            if several.one(&title, self.unmark(&secret).await)?.is_some() {
                let (name, verb) =
                    (format!("secret/{}", secret.name), format!("released in {}", secret.namespace));
                objects.tell(&name, &verb, object(&secret.name, &secret.namespace))?;
            }
        }
        several.verdict()
    }

    async fn unmark(&self, secret: &Metadata) -> Result<()> {
        let write = &self.args.write;
        if write.dry_run == DryRun::Client {
            return Ok(());
        }
        let Metadata { namespace, name, uid, resource_version, .. } = secret;
        let metadata = json!({
            "uid": uid,
            "resourceVersion": resource_version,
            "labels": { FILE_LABEL: null },
            "annotations": { FILE_OF: null, FILE_ADOPTED: null },
        });
        let body = secret::patch_of_changes(&metadata, &BTreeMap::new());
        self.applying.cluster().patch_secret(namespace, name, body, write.write()).await?;
        Ok(())
    }

    /// Deletes them, each if it has not changed since it was read. What is needed stays, and the rest goes.
    async fn prune(&self, left: Vec<Metadata>, objects: &mut Objects<'_>) -> Result<()> {
        let (mut several, mut going) = (Several::secrets(left.len(), self.session), Vec::new());
        for secret in left {
            let title = format!("{} in {}", secret.name, secret.namespace);
            let checked = self.check(&secret).await;
            if several.one(&title, checked.map(|()| secret.clone()))?.is_some() {
                going.push(secret);
            }
        }
        if going.is_empty() {
            return several.verdict();
        }
        if self.args.write.dry_run == DryRun::None {
            let what = plural(going.len(), "secret");
            self.session.ui.confirm(&format!("Delete {what} that {} no longer names?", self.shown)).await?;
        }
        let mut deleted = Several::secrets(going.len(), self.session);
        for secret in going {
            let title = format!("{} in {}", secret.name, secret.namespace);
            if deleted.one(&title, self.delete(&secret).await)?.is_some() {
                let name = format!("secret/{}", secret.name);
                let verb = format!("deleted in {}", secret.namespace);
                objects.tell(&name, &verb, object(&secret.name, &secret.namespace))?;
            }
        }
        several.verdict().and(deleted.verdict())
    }

    /// # Errors
    /// The secret is shared, or a workload needs it.
    async fn check(&self, secret: &Metadata) -> Result<()> {
        let Metadata { name, namespace, .. } = secret;
        // It is no copy: of one the mark is not true. So it is a source, whatever Run:ai's namespace is said to be.
        if Scope::of(&secret.labels) != Scope::Nobody {
            return Err(sharing::goes_with_its_copies(secret));
        }
        let (names, dry_run) = ([name.clone()], self.args.write.dry_run);
        let plan = Plan { deed: Deed::Delete, force: Force::No, names: &names, dry_run };
        let scope = Namespaces::One(namespace.clone());
        let effect =
            format!("secret {name} in namespace {namespace} is deleted; jobs that use it won't start again");
        let told = Consumers::new(scope, plan, self.applying.cluster(), self.session)
            .tell(name, &[effect], |_| true)
            .await;
        // The flag is that of delete, which is the way to do it nevertheless.
        told.map_err(|error| {
            let delete = CommandLine::plugin("delete").arg(name).then("--force").namespace(namespace);
            error.keep_hints(|hint| !hint.contains("--force")).hint(format!("to delete it anyway: {delete}"))
        })
    }

    async fn delete(&self, secret: &Metadata) -> Result<()> {
        let write = &self.args.write;
        if write.dry_run == DryRun::Client {
            return Ok(());
        }
        let Metadata { namespace, name, uid, resource_version, .. } = secret;
        let cluster = self.applying.cluster();
        cluster.delete_secret(namespace, name, uid, resource_version, write.write().keep).await?;
        Ok(())
    }
}
