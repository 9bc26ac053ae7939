//! Reads the two secrets of a rename, refuses what can't get another name, and makes the new one of the old one.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::change::recreate::secret::{may_be_kept, refuse_going};
use crate::cluster::{Cluster, SecretHead, SecretWithValues, if_there};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::metadata::{CHANGED, Metadata, Owner};
use crate::propagation::{self, DELETING, MARK, ORIGIN, Origin, Scope};
use crate::secret::{Difference, FILE_LABEL, FILE_OF, SERVICE_ACCOUNT_TOKEN, SecretManifest};
use crate::session::Session;
use crate::sharing::{self, Standing};
use crate::uses::who_needs::Force;
use crate::wording::{list, plural};
use crate::{session, workload};

/// The annotation of a secret that was made by a rename: `NAME/UID` of the one that had the old name.
const RENAMED: &str = "kubectl-runai-secret/renamed-from";

/// Labels and annotations of ours that hold for the secret that has them, and for no other.
const OURS: [&str; 7] = [RENAMED, CHANGED, MARK, ORIGIN, DELETING, FILE_LABEL, FILE_OF];

/// The names and the place of a rename.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) old: &'a str,
    pub(super) new: &'a str,
    pub(super) force: Force,
    pub(super) namespace: &'a str,
    pub(super) cluster: &'a Cluster,
    pub(super) session: &'a Session<'a>,
}

/// The two secrets.
pub(super) struct Secrets {
    /// None if it is gone: an earlier run has deleted it.
    pub(super) old: Option<Metadata>,
    /// None if it is there: an earlier run has made it.
    pub(super) new: Option<New>,
}

/// The secret that is to be made.
pub(super) struct New {
    pub(super) body: Bytes,
    /// It, without its values.
    pub(super) object: Value,
    keys: usize,
    secret_type: String,
    left_out: BTreeSet<String>,
}

type Found = SecretWithValues<Value>;

impl New {
    /// Says what is made.
    pub(super) fn effects(&self, old: &str, namespace: &str) -> Vec<String> {
        let name = self.object["metadata"]["name"].as_str().unwrap_or_default();
        let keys = plural(self.keys, "key");
        let mut effects = vec![format!(
            "secret {name} is created in namespace {namespace} with what {old} has: type {}, {keys}, labels, noted ends",
            self.secret_type
        )];
        if !self.left_out.is_empty() {
            effects.push(format!("{name} does not get {}: they are about {old}", list(&self.left_out)));
        }
        effects
    }
}

/// Returns a secret for `-o`, without values.
pub(super) fn without_values(name: &str, namespace: &str) -> Value {
    let metadata = json!({ "name": name, "namespace": namespace });
    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata })
}

impl Reading<'_> {
    /// Reads both secrets.
    ///
    /// # Errors
    /// There is no such secret, the new name is taken, or the old secret must not be renamed here.
    pub(super) async fn read(self) -> Result<Secrets> {
        let Self { old, new, namespace, cluster, .. } = self;
        let (found, there) = tokio::join!(
            cluster.secret_as::<Found>(namespace, old),
            cluster.secret_as::<Found>(namespace, new)
        );
        let there = if_there(there)?;
        if let Some(there) = &there {
            refuse_going(&there.head.metadata, new, namespace)?;
        }
        let made_of = there.as_ref().and_then(|there| there.head.metadata["annotations"][RENAMED].as_str());
        let found = match found {
            Ok(found) => found,
            Err(failure) if failure.is_not_found() && made_of.is_some_and(|of| is_of(of, old)) => {
                return Ok(Secrets { old: None, new: None });
            }
            Err(failure) => return Err(session::not_found::secret(failure, old, namespace, cluster).await),
        };
        let metadata = metadata_of(&found.head);
        let mark = format!("{old}/{}", metadata.uid);
        let is_half = made_of == Some(mark.as_str());
        if there.is_some() && !is_half {
            return Err(self.is_taken());
        }
        self.check(&found, &metadata).await?;
        match there {
            Some(there) if !is_same(&found, &there) => Err(self.differs()),
            Some(_) => Ok(Secrets { old: Some(metadata), new: None }),
            None => Ok(Secrets { old: Some(metadata), new: Some(self.made_of(found, mark)) }),
        }
    }

    fn is_taken(&self) -> Error {
        let Self { new, namespace, .. } = self;
        Error::in_kubectls_words(format!(
            "Error from server (AlreadyExists): secrets \"{new}\" already exists in {namespace}"
        ))
        .hint("choose another name; nothing was changed")
        .hint(format!("to see it: {}", CommandLine::plugin("view").arg(new).namespace(namespace)))
    }

    fn differs(&self) -> Error {
        let Self { old, new, namespace, .. } = self;
        let delete = |name: &str| CommandLine::plugin("delete").arg(name).namespace(namespace);
        Error::failed(format!(
            "secret {new} was made by an earlier rename of {old}, and they do not hold the same any more"
        ))
        .hint(format!(
            "to see what differs: {}",
            CommandLine::plugin("diff").arg(old).arg(new).namespace(namespace)
        ))
        .hint(format!("if {old} is right: {}, and rename it again", delete(new)))
        .hint(format!("if {new} is right: {}, and rename it again", delete(old)))
    }

    /// Refuses what can't be renamed here.
    async fn check(&self, found: &Found, metadata: &Metadata) -> Result<()> {
        let Self { old, namespace, cluster, session, .. } = self;
        refuse_going(&found.head.metadata, old, namespace)?;
        if found.head.secret_type == SERVICE_ACCOUNT_TOKEN {
            return Err(Error::failed(format!(
                "secret {old} is the token of a service account, which is bound to its name"
            ))
            .hint("kubectl create token makes another one"));
        }
        if sharing::scope(metadata, session) != Scope::Nobody {
            return Err(self.is_shared());
        }
        match sharing::standing(metadata, cluster, session).await? {
            Standing::Left(origin) => sharing::note_left(&origin, metadata, session),
            Standing::PerhapsASource => {
                let copy = CommandLine::plugin("copy").arg(old).arg(self.new).namespace(namespace);
                return Err(sharing::perhaps_a_source(metadata, copy));
            }
            Standing::Copy(origin) => return Err(self.is_a_copy(&origin)),
            Standing::PerhapsACopy(origin) if self.force == Force::No => {
                return Err(self.is_a_copy(&origin).hint("if it is none: --force"));
            }
            Standing::Own | Standing::PerhapsACopy(_) => {}
        }
        self.refuse_managed(found, metadata)
    }

    /// The copies in all projects have its name, and what refers to them is there.
    fn is_shared(&self) -> Error {
        let Self { old, new, .. } = self;
        Error::failed(format!(
            "secret {old} is shared with projects, where everything refers to copies of its name"
        ))
        .hint(format!(
            "to share it under the new name: {}",
            CommandLine::plugin("copy").arg(old).arg(new).then("--cluster-wide").namespace(self.namespace)
        ))
        .hint(format!("to see when its copies are there: {}", CommandLine::plugin("status").arg(new)))
        .hint(format!("to see what to attach it to: {}", CommandLine::plugin("usage").arg(old).then("-A")))
        .hint(format!("then: {}", CommandLine::plugin("delete").arg(old).then("--cluster-wide")))
    }

    fn is_a_copy(&self, origin: &Origin) -> Error {
        let Self { old, namespace, .. } = self;
        Error::failed(format!(
            "secret {old} in {namespace} is a copy of {}, and would be made again",
            origin.identity
        ))
        .hint("a shared secret gets another name where it is shared from")
    }

    /// Refuses a secret that something would make again.
    fn refuse_managed(&self, found: &Found, metadata: &Metadata) -> Result<()> {
        let Self { old, namespace, session, .. } = self;
        let owners = metadata.owner_references.iter().map(Owner::to_string);
        let marks = deployment_marks(&found.head.metadata).into_iter();
        let marks = marks.map(|mark| format!("what set {mark}"));
        let identity = propagation::identity(namespace, old);
        let is_of_a_file = metadata.annotations.file_of.as_ref() == Some(&identity);
        let file = metadata.labels.get(FILE_LABEL).filter(|_| is_of_a_file);
        let file = file.map(|file| format!("the file {file:?} of apply"));
        let managers: Vec<String> = owners.chain(marks).chain(file).collect();
        if managers.is_empty() {
            return Ok(());
        }
        let managed = format!("secret {old} is managed by {}, which may make it again", list(managers));
        if self.force == Force::Yes {
            session.ui.warning(&managed);
            return Ok(());
        }
        Err(Error::failed(managed).hint("give it the new name there; --force renames it here anyway"))
    }

    fn made_of(&self, found: Found, mark: String) -> New {
        let SecretWithValues { head, values } = found;
        let mut manifest = SecretManifest::new(self.new, values);
        manifest.secret_type.clone_from(&head.secret_type);
        manifest.immutable = head.immutable.then_some(true);
        let marks = deployment_marks(&head.metadata);
        let mut left_out = marks.clone();
        let mut kept = |field: &str| {
            let entries = head.metadata[field].as_object().into_iter().flatten();
            let entries = entries.filter(|(key, value)| {
                let is_kept = may_be_kept(key, value, self.session.ui) && !marks.contains(*key);
                let is_about_it = OURS.contains(&key.as_str()) || propagation::is_mark(key);
                if !is_kept {
                    left_out.insert((*key).clone());
                }
                is_kept && !is_about_it
            });
            let texts = entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
            texts.collect::<BTreeMap<String, String>>()
        };
        manifest.labels = kept("labels");
        manifest.annotations = kept("annotations");
        manifest.annotations.insert(RENAMED.to_owned(), mark);
        let metadata = json!({ "name": self.new, "namespace": self.namespace, "labels": manifest.labels,
            "annotations": manifest.annotations });
        let secret_type = head.secret_type;
        let object =
            json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": secret_type });
        New { body: manifest.to_request_body(), object, keys: manifest.data.len(), secret_type, left_out }
    }
}

fn metadata_of(head: &SecretHead<Value>) -> Metadata {
    serde_json::from_value(head.metadata.clone()).unwrap_or_default()
}

/// Reports whether a mark is that of a secret of this name.
fn is_of(mark: &str, old: &str) -> bool {
    mark.split_once('/').is_some_and(|(name, _)| name == old)
}

fn is_same(one: &Found, other: &Found) -> bool {
    one.head.secret_type == other.head.secret_type
        && Difference::of_whole(&one.values, &other.values).is_nothing()
}

/// Returns the labels and annotations by which a tool marks what it has deployed.
fn deployment_marks(metadata: &Value) -> BTreeSet<String> {
    workload::take_marks(&mut json!({ "metadata": metadata }))
}
