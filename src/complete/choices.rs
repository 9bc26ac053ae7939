//! Finds the possible answers to a question about the next word of a command line: those that Tab would offer
//! there.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use clap::Command;
use futures::future::join_all;
use serde_json::Value;

use super::candidate::Candidate;
use super::files::{self, DotFiles};
use super::names::{
    CompletionContext, Found, LookupError, about_workload, more_about_secret, more_about_workload,
};
use super::offer::offer;
use super::wanted::{CompletionSlot, Lookup};
use crate::cluster::{Beside, Cluster, Namespaces, Row, Seen};
use crate::metadata::{Metadata, Owner};
use crate::typed_line::Line;
use crate::workload::{self, KINDS, Kind, Selection, TypedTarget};

/// A possible answer, and a description.
#[derive(Clone, Default)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) about: String,
    /// More about it, for while it is marked; may be empty.
    pub(crate) more: String,
    /// Other words by which it is found.
    pub(crate) words: Vec<&'static str>,
}

impl Choice {
    pub(crate) fn new(value: impl Into<String>, about: impl Into<String>) -> Self {
        Self { value: value.into(), about: about.into(), ..Self::default() }
    }
}

impl From<Candidate> for Choice {
    fn from(Candidate { value, about, .. }: Candidate) -> Self {
        Self::new(value, about)
    }
}

/// Returns the answers for the last word, which is empty or begun. `program` must be built.
///
/// # Errors
/// The names can't be read.
pub(crate) async fn choices(
    program: &Command,
    words: &[String],
    cluster: &Cluster,
) -> Result<Vec<Choice>, LookupError> {
    let (line, word) = Line::read(program, words);
    let wanted = CompletionSlot::by(&line, &word);
    let mut candidates = wanted.words;
    let mut more = BTreeMap::new();
    if let Some(live) = &wanted.live {
        let found = RefCell::new(BTreeSet::<Found>::new());
        let note = |name| {
            found.borrow_mut().insert(name);
        };
        let context = CompletionContext::of(&line);
        match &live.what {
            Lookup::Secrets => {
                let secret = |secret: Found, row: &Row| {
                    more.insert(secret.0.clone(), more_about_secret(row));
                    note(secret);
                };
                context.secrets(cluster, secret).await?;
            }
            what => context.ask(what, cluster, note).await?,
        }
        candidates.extend(live.candidates(found.into_inner()));
    }
    let choice = |candidate: Candidate| {
        let more = more.remove(&candidate.value).unwrap_or_default();
        Choice { more, ..candidate.into() }
    };
    Ok(candidates.into_iter().map(choice).collect())
}

/// Returns the answers that need no cluster.
pub(crate) fn fixed_choices(program: &Command, words: &[String]) -> Vec<Choice> {
    let (line, word) = Line::read(program, words);
    CompletionSlot::by(&line, &word).words.into_iter().map(Choice::from).collect()
}

/// Lists the workloads of every kind, each with what made it. Skips kinds that the user may not list, or the
/// server does not have.
///
/// # Errors
/// The namespace can't be found out.
pub(crate) async fn workloads(
    program: &Command,
    words: &[String],
    cluster: &Cluster,
) -> Result<Vec<Choice>, LookupError> {
    let namespace = namespace(program, words, cluster).await?;
    let of_known =
        join_all(KINDS.iter().map(|kind| of_kind(kind, kind.word_among(&[]), &namespace, cluster)));
    let of_described = async |kinds: Vec<&'static Kind>| {
        let of_kinds = kinds.iter().map(|kind| of_kind(kind, kind.word_among(&kinds), &namespace, cluster));
        join_all(of_kinds).await
    };
    let (known, described) = cluster.beside_described(of_known, of_described).await;
    Ok(known.into_iter().chain(described).flatten().collect())
}

async fn of_kind(kind: &'static Kind, word: String, namespace: &str, cluster: &Cluster) -> Vec<Choice> {
    let mut found = Vec::new();
    let _ = cluster
        .workload_rows(namespace, kind, Beside::Metadata, |row| {
            if is_made_by_a_workload(&row.owners) {
                return;
            }
            let (name, about) = about_workload(&row);
            let more = more_about_workload(&row);
            let about = match row.owners.first() {
                Some(owner) => format!("{about}, made by a {}", owner.kind),
                None => about,
            };
            found.push(Choice { more, ..Choice::new(format!("{word}/{name}"), about) });
        })
        .await;
    found.sort_by(|one, other| one.value.cmp(&other.value));
    found
}

/// Reports whether an object is made by a workload, which would undo a change to it, and which is in the list
/// itself.
fn is_made_by_a_workload(owners: &[Owner]) -> bool {
    owners.iter().any(|owner| Kind::of_manifest(&owner.api_version, &owner.kind).is_some())
}

/// Returns the workloads that a secret can be detached from, each with its uses, and what could not be
/// listed. Without a secret, those that use any.
///
/// # Errors
/// The namespace can't be found out; a list fails for another reason than a missing right.
pub(crate) async fn workloads_that_use(
    secret: Option<&str>,
    program: &Command,
    words: &[String],
    cluster: &Cluster,
) -> Result<Seen<Choice>, LookupError> {
    let namespace = namespace(program, words, cluster).await?;
    let place = Namespaces::One(namespace);
    let of_known = cluster.objects(&KINDS, &place, |kind, object| user(kind, &[], object, secret));
    let of_described = async |kinds: Vec<&'static Kind>| {
        let read = |kind: &'static Kind, object: &Value| user(kind, &kinds, object, secret);
        cluster.objects(kinds.iter().copied(), &place, read).await
    };
    let (known, described) = cluster.beside_described(of_known, of_described).await;
    let mut seen = known?;
    seen.add(described?);
    let mut found: Vec<Choice> = seen.found.into_iter().flatten().collect();
    found.sort_by(|one, other| one.value.cmp(&other.value));
    Ok(Seen { found, unseen: seen.unseen, only_in: seen.only_in })
}

/// Returns the object if it uses the secret. Its kind is named as it can be typed among these.
fn user(
    kind: &'static Kind,
    among: &[&'static Kind],
    object: &Value,
    secret: Option<&str>,
) -> Option<Choice> {
    let Metadata { name, owner_references, .. } =
        serde_json::from_value(object["metadata"].clone()).unwrap_or_default();
    if is_made_by_a_workload(&owner_references) {
        return None;
    }
    let mut uses = uses_by_secret(kind, object);
    uses.retain(|used, _| secret.is_none_or(|secret| secret == used));
    let about: Vec<String> = uses.into_iter().map(|(secret, uses)| format!("{secret}: {uses}")).collect();
    (!about.is_empty()).then(|| Choice::new(format!("{}/{name}", kind.word_among(among)), about.join("; ")))
}

/// Returns what detaching would remove, by secret. Other references can't be detached.
fn uses_by_secret(kind: &Kind, object: &Value) -> BTreeMap<String, String> {
    let secrets: BTreeSet<String> = kind.references(object).into_iter().map(|one| one.secret).collect();
    let secrets = secrets.into_iter().filter(|secret| !secret.is_empty());
    let uses = |secret: String| {
        let removed = workload::detach(object, kind, &Selection::every_use(&secret)).ok()?.removed;
        let uses: Vec<String> = removed.iter().map(ToString::to_string).collect();
        (!uses.is_empty()).then(|| (secret, uses.join(", ")))
    };
    secrets.filter_map(uses).collect()
}

/// Returns the secrets that a workload uses, each with its uses.
///
/// # Errors
/// The workload can't be read.
pub(crate) async fn secrets_of(
    target: &TypedTarget,
    program: &Command,
    words: &[String],
    cluster: &Cluster,
) -> Result<Vec<Choice>, LookupError> {
    let (kind, object) =
        CompletionContext::of(&Line::read(program, words).0).workload(cluster, target).await?;
    let uses = uses_by_secret(kind, &object);
    Ok(uses.into_iter().map(|(value, about)| Choice::new(value, about)).collect())
}

/// The namespace that the line is about.
///
/// # Errors
/// It can't be told.
pub(crate) async fn namespace(
    program: &Command,
    words: &[String],
    cluster: &Cluster,
) -> Result<String, LookupError> {
    CompletionContext::of(&Line::read(program, words).0).namespace(cluster).await
}

/// Completes the last word while a prompt is open. Returns what was found within the time limit. `program`
/// must be built.
pub(crate) fn tab(program: &Command, words: &[String]) -> Vec<String> {
    let offer = offer(program, words, Instant::now());
    let files = offer.files.iter().flat_map(|files| files::candidates(files, DotFiles::Always));
    offer.candidates.into_iter().chain(files).map(|candidate| candidate.value).collect()
}
