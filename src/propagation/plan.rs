//! The steps of `sync` in each project, and the bodies of its writes.
//!
//! A write is a creation, which fails if somebody else was first, or a patch that holds only for the version
//! that was read. Server-side apply is neither: it would take over a secret that appeared in between, and
//! keep the keys that somebody else added to a copy.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Value, json};

use super::copy::{Content, Encoded, MARK, ORIGIN};
use super::scope::Scope;
use super::state::{Change, Held, Row, State};
use crate::metadata::{self, EXPIRES, Ends};
use crate::secret::Fate;

/// The user's choices beyond making and updating copies.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wishes<'a> {
    /// Secrets of somebody else become copies.
    pub(crate) adopt: Allowed,
    /// Our own orphans are removed.
    pub(crate) prune: Allowed,
    /// Labels of the copies, beside the mark.
    pub(crate) labels: Option<&'a BTreeMap<String, String>>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Allowed {
    Yes,
    #[default]
    No,
}

/// The step in one project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Create,
    /// Changes the content of an existing copy.
    Update,
    /// Deletes a copy that can't be changed, and creates it again.
    Recreate,
    /// Changes content and mark of somebody else's secret.
    Adopt,
    /// Deletes somebody else's secret that can't be changed, and creates a copy.
    AdoptByRecreate,
    /// Deletes an orphan of `sync`.
    Remove,
    /// There is nothing to do.
    Nothing,
    /// It must not be touched, or can't be.
    Skip(Reason),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It was made by somebody else.
    NotACopy,
    /// It has other content than the source, and may be somebody else's: its only evidence is a label or an
    /// owner of Run:ai.
    PerhapsACopy,
    /// An orphan of `sync`, and `--prune` was not given.
    Orphan,
    /// An orphan that Run:ai made, and that Run:ai should remove.
    OrphanOfRunai,
    Terminating,
    Forbidden,
    /// It could not be read.
    Unknown,
    SourceUnseen,
    /// Somebody changed it meanwhile, and the step needed now was not confirmed.
    Changed,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotACopy => "a secret of that name was made by somebody else; --adopt takes it over",
            Self::PerhapsACopy => {
                "it has other content, and only Run:ai's label or owner says that it is a copy; \
                 --adopt overwrites it"
            }
            Self::Orphan => "its source is not shared any more; --prune removes it",
            Self::OrphanOfRunai => "its source is not shared any more; Run:ai made it and should remove it",
            Self::Terminating => "it is being deleted",
            Self::Forbidden => "you may not look there",
            Self::Unknown => "it could not be read",
            Self::Changed => "somebody changed it at the same moment; run the command again",
            Self::SourceUnseen => "you may not read the source",
        })
    }
}

/// Returns the step for a chosen project. `scope` is the source's; for a department the user chose the
/// projects.
pub(crate) fn step(row: &Row, scope: &Scope, wishes: Wishes<'_>) -> Step {
    match row.state {
        State::Pending => Step::Create,
        State::Absent if matches!(scope, Scope::Department(_)) => Step::Create,
        State::Stale if row.is_perhaps_a_copy() => of_somebody_else(row, scope, wishes.adopt),
        State::Stale if needs_anew(row) => Step::Recreate,
        State::Stale => Step::Update,
        State::Copied if row.is_ours() && (lacks(row, wishes.labels) || has_other_ends(row)) => Step::Update,
        State::Conflict | State::Same | State::Foreign => of_somebody_else(row, scope, wishes.adopt),
        State::Orphan if !row.is_ours() => Step::Skip(Reason::OrphanOfRunai),
        State::Orphan if wishes.prune == Allowed::Yes => Step::Remove,
        State::Orphan => Step::Skip(Reason::Orphan),
        State::Terminating => Step::Skip(Reason::Terminating),
        State::Forbidden => Step::Skip(Reason::Forbidden),
        State::Unknown => Step::Skip(Reason::Unknown),
        State::Unverified => Step::Skip(Reason::SourceUnseen),
        State::Copied | State::Absent => Step::Nothing,
    }
}

fn of_somebody_else(row: &Row, scope: &Scope, adopt: Allowed) -> Step {
    match (adopt, row.state) {
        _ if *scope == Scope::Nobody => Step::Nothing,
        (Allowed::Yes, State::Same) => Step::Adopt,
        (Allowed::Yes, _) if needs_anew(row) => Step::AdoptByRecreate,
        (Allowed::Yes, _) => Step::Adopt,
        // The project has what it needs, whoever made it.
        (Allowed::No, State::Same) => Step::Nothing,
        (Allowed::No, State::Stale) => Step::Skip(Reason::PerhapsACopy),
        (Allowed::No, _) => Step::Skip(Reason::NotACopy),
    }
}

/// Returns true if other ends are noted for the values of the existing secret than for those of its source.
fn has_other_ends(row: &Row) -> bool {
    row.held.as_ref().is_some_and(|held| held.record.contains_key(EXPIRES))
}

/// Returns true if the existing secret lacks some of these labels.
fn lacks(row: &Row, labels: Option<&BTreeMap<String, String>>) -> bool {
    let has = |(label, value): (&String, &String)| {
        row.held.as_ref().is_some_and(|held| held.labels.get(label) == Some(value))
    };
    labels.is_some_and(|labels| !labels.iter().all(has))
}

fn needs_anew(row: &Row) -> bool {
    row.held.as_ref().is_some_and(|held| held.change == Change::OnlyAnew)
}

impl Step {
    /// Returns true if the step writes.
    pub(crate) fn writes(self) -> bool {
        !matches!(self, Self::Nothing | Self::Skip(_))
    }

    /// Returns the loss that the step causes, if somebody must confirm it.
    pub(crate) fn risk(self) -> Option<&'static str> {
        match self {
            Self::Recreate => Some(
                "can't be changed in place: it is deleted and created again; a pod that starts in between waits",
            ),
            Self::Adopt => Some("was made by somebody else: it becomes a copy, and what it holds is lost"),
            Self::AdoptByRecreate => Some(
                "was made by somebody else and can't be changed in place: it is deleted, and what it holds is lost",
            ),
            Self::Remove => Some("is deleted; jobs there that use it won't start again"),
            Self::Create | Self::Update | Self::Nothing | Self::Skip(_) => None,
        }
    }

    /// Returns the line that is printed after the step.
    pub(crate) fn done(self) -> &'static str {
        match self {
            Self::Create => "created",
            Self::Update => "updated",
            Self::Recreate => "replaced",
            Self::Adopt | Self::AdoptByRecreate => "adopted",
            Self::Remove => "deleted",
            Self::Nothing => "unchanged",
            Self::Skip(_) => "left alone",
        }
    }
}

/// What a copy gets of its source, and the labels that were wished for.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    pub(crate) identity: &'a str,
    pub(crate) labels: Option<&'a BTreeMap<String, String>>,
    pub(crate) content: &'a Content,
    /// When its values end.
    pub(crate) ends: Option<&'a Ends>,
}

/// Builds the body that creates a copy, the same in every project.
pub(crate) fn copy_body(name: &str, given: &Given<'_>) -> Bytes {
    anew_body(&json!({ "name": name }), given)
}

/// Builds the body that creates a copy in place of a secret with this metadata; its other labels stay.
pub(crate) fn anew_body(old: &Value, given: &Given<'_>) -> Bytes {
    let Given { identity, labels, content, ends } = given;
    let mut old = metadata::of_a_new_object(old);
    // They hold for the values that were there.
    if let Some(annotations) = old.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove(EXPIRES);
    }
    let ends = ends.and_then(Ends::annotation).map(|ends| (EXPIRES.to_owned(), ends));
    let annotations = [(ORIGIN.to_owned(), (*identity).to_owned())].into_iter().chain(ends).collect();
    new_body(metadata::with(old, &copy_labels(*labels), &annotations), content)
}

fn copy_labels(labels: Option<&BTreeMap<String, String>>) -> BTreeMap<String, String> {
    let mut all = labels.cloned().unwrap_or_default();
    all.insert(MARK.to_owned(), "true".to_owned());
    all
}

/// Builds the body that creates a source in Run:ai's namespace, with these labels and the noted ends of its values.
pub(crate) fn source_body(
    name: &str,
    labels: &BTreeMap<&str, &str>,
    content: &Content,
    ends: &Ends,
) -> Bytes {
    let mut metadata = json!({ "name": name, "labels": labels });
    if let Some(ends) = ends.annotation() {
        metadata["annotations"] = json!({ EXPIRES: ends });
    }
    new_body(metadata, content)
}

fn new_body(metadata: Value, content: &Content) -> Bytes {
    #[derive(Serialize)]
    struct New<'a> {
        #[serde(rename = "apiVersion")]
        api_version: &'static str,
        kind: &'static str,
        metadata: Value,
        r#type: &'a str,
        data: Data<'a>,
    }
    let data = Data { content, surplus: &[] };
    let secret_type = content.secret_type.as_str();
    body(&New { api_version: "v1", kind: "Secret", metadata, r#type: secret_type, data }, content.weight())
}

/// Builds the merge patch that gives a secret the source's content if it is unchanged since it was read, and
/// the mark if it becomes a copy of `sync`.
pub(crate) fn mend_body(given: &Given<'_>, held: &Held, step: Step) -> Bytes {
    #[derive(Serialize)]
    struct Patch<'a> {
        metadata: Value,
        data: Data<'a>,
    }
    let Given { identity, labels, content, .. } = *given;
    let mut metadata =
        json!({ "uid": held.uid, "resourceVersion": held.version, "annotations": held.record });
    if step == Step::Adopt {
        metadata["labels"] = json!(copy_labels(labels));
        metadata["annotations"][ORIGIN] = identity.into();
    } else if let Some(labels) = labels {
        metadata["labels"] = json!(labels);
    }
    let surplus = &held.difference.keys(Fate::Gone);
    body(&Patch { metadata, data: Data { content, surplus } }, content.weight())
}

/// The keys of the source with their values, and the removed ones with null.
struct Data<'a> {
    content: &'a Content,
    surplus: &'a [String],
}

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.content.data.len() + self.surplus.len()))?;
        for (key, value) in &self.content.data {
            map.serialize_entry(key, Encoded::expose(value))?;
        }
        for key in self.surplus {
            map.serialize_entry(key, &())?;
        }
        map.end()
    }
}

/// Reserves room for everything, so that no part of a value stays behind in freed memory.
fn body(object: &impl Serialize, weight: usize) -> Bytes {
    let mut text = Vec::with_capacity(weight + weight / 8 + 4096);
    serde_json::to_writer(&mut text, object).expect("objects are trees of strings");
    Bytes::from_owner(zeroize::Zeroizing::new(text))
}

#[cfg(test)]
mod tests {
    use super::super::scope::{CURRENT_LABEL, DEPARTMENT_LABEL, LEGACY_LABEL};
    use super::super::state::tests::{project, secret, source};
    use super::super::state::{Found, Source, row};
    use super::*;
    use crate::metadata::{CHANGED, LAST_APPLIED};

    fn planned(scope: &Scope, found: &Found, wishes: Wishes<'_>) -> Step {
        step(&row(&source(scope.clone()), "runai/hf", &project(), found), scope, wishes)
    }

    const ALL: Wishes<'_> = Wishes { adopt: Allowed::Yes, prune: Allowed::Yes, labels: None };

    #[test]
    fn nothing_without_our_mark_is_touched_unless_it_is_adopted() {
        let theirs = secret(&json!({}), &json!({"k": "eA=="}));
        let none = Wishes::default();
        assert_eq!(planned(&Scope::EveryProject, &theirs, none), Step::Skip(Reason::NotACopy));
        assert_eq!(planned(&Scope::EveryProject, &theirs, ALL), Step::Adopt);
        let owner = json!([{"apiVersion": "run.ai/v2", "kind": "Project"}]);
        for signs in [
            json!({"labels": {CURRENT_LABEL: "true"}}),
            json!({"labels": {LEGACY_LABEL: "true"}}),
            json!({"labels": {DEPARTMENT_LABEL: "7"}}),
            json!({"ownerReferences": owner}),
        ] {
            let perhaps = secret(&signs, &json!({"k": "eA=="}));
            let left = Step::Skip(Reason::PerhapsACopy);
            assert_eq!(planned(&Scope::EveryProject, &perhaps, none), left, "{signs}");
            assert_eq!(planned(&Scope::EveryProject, &perhaps, ALL), Step::Adopt, "{signs}");
            let equal = secret(&signs, &json!({"k": "dg=="}));
            assert_eq!(planned(&Scope::EveryProject, &equal, ALL), Step::Nothing, "{signs}");
        }
        assert_eq!(planned(&Scope::Nobody, &theirs, ALL), Step::Nothing, "there is nothing to share");
    }

    #[test]
    fn copies_are_made_and_mended() {
        let none = Wishes::default();
        assert_eq!(planned(&Scope::EveryProject, &Found::Nothing, none), Step::Create);
        let ours = json!({"labels": {MARK: "true"}, "annotations": {ORIGIN: "runai/hf"}});
        assert_eq!(planned(&Scope::EveryProject, &secret(&ours, &json!({})), none), Step::Update);
        let equal = secret(&ours, &json!({"k": "dg=="}));
        assert_eq!(planned(&Scope::EveryProject, &equal, none), Step::Nothing);
    }

    #[test]
    fn a_copy_of_ours_gets_the_labels_that_it_lacks() {
        let labels = BTreeMap::from([("team".to_owned(), "ml".to_owned())]);
        let wishes = Wishes { labels: Some(&labels), ..Wishes::default() };
        let copy = |labels: Value| {
            let metadata = json!({"labels": labels, "annotations": {ORIGIN: "runai/hf"}});
            secret(&metadata, &json!({"k": "dg=="}))
        };
        let step = |labels: Value| planned(&Scope::EveryProject, &copy(labels), wishes);
        assert_eq!(step(json!({MARK: "true"})), Step::Update);
        assert_eq!(step(json!({MARK: "true", "team": "other"})), Step::Update);
        assert_eq!(step(json!({MARK: "true", "team": "ml", "more": "x"})), Step::Nothing);
        assert_eq!(step(json!({CURRENT_LABEL: "true"})), Step::Nothing, "Run:ai's are left as they are");
    }

    fn given(source: &Source) -> Given<'_> {
        Given { identity: "runai/hf", labels: None, content: source.content().unwrap(), ends: source.ends() }
    }

    #[test]
    fn a_copy_has_the_noted_ends_of_its_source_and_no_others() {
        let end = Ends::of(r#"{"k":"2099-01-01T00:00:00Z"}"#);
        let noted = end.annotation().unwrap();
        let mut source = source(Scope::EveryProject);
        let copy = |ends: Value| {
            let metadata = json!({"uid": "u", "labels": {MARK: "true"}, "annotations": {ORIGIN: "runai/hf", EXPIRES: ends}});
            secret(&metadata, &json!({"k": "dg=="}))
        };
        let step_of = |source: &Source, ends: &str| {
            step(
                &row(source, "runai/hf", &project(), &copy(json!(ends))),
                &Scope::EveryProject,
                Wishes::default(),
            )
        };
        assert_eq!((step_of(&source, "{}"), step_of(&source, &noted)), (Step::Nothing, Step::Update));
        let old = row(&source, "runai/hf", &project(), &copy(json!(noted)));
        assert_eq!(old.held.unwrap().record[EXPIRES], Value::Null, "the source has none");
        if let Source::There(_, _, ends) = &mut source {
            *ends = end;
        }
        assert_eq!((step_of(&source, "{}"), step_of(&source, &noted)), (Step::Update, Step::Nothing));
        let annotations = |body: Bytes| {
            let body: Value = serde_json::from_slice(&body).unwrap();
            body["metadata"]["annotations"].clone()
        };
        let new = annotations(copy_body("hf", &given(&source)));
        assert_eq!(new, json!({ORIGIN: "runai/hf", EXPIRES: noted}));
        let old = json!({"name": "hf", "annotations": {EXPIRES: "{}"}});
        assert_eq!(annotations(anew_body(&old, &given(&source))), new);
    }

    #[test]
    fn a_copy_that_is_made_anew_keeps_what_the_old_one_was_labelled_with() {
        let old = json!({
            "name": "hf", "uid": "u", "resourceVersion": "7", "creationTimestamp": "x", "managedFields": [],
            "labels": {"team": "ml"}, "annotations": {"note": "x", LAST_APPLIED: "{}"}, "finalizers": ["f"],
        });
        let source = source(Scope::EveryProject);
        let body = anew_body(&old, &given(&source));
        let metadata = serde_json::from_slice::<Value>(&body).unwrap()["metadata"].clone();
        let expected = json!({
            "name": "hf", "labels": {"team": "ml", MARK: "true"},
            "annotations": {"note": "x", ORIGIN: "runai/hf"}, "finalizers": ["f"],
        });
        assert_eq!(metadata, expected);
    }

    #[test]
    fn only_our_own_orphans_are_removed_and_only_when_asked_for() {
        let ours = json!({"labels": {MARK: "true"}, "annotations": {ORIGIN: "runai/hf"}});
        let runais = json!({"labels": {CURRENT_LABEL: "true"}});
        let (ours, runais) = (secret(&ours, &json!({})), secret(&runais, &json!({})));
        assert_eq!(planned(&Scope::Nobody, &ours, ALL), Step::Remove);
        assert_eq!(planned(&Scope::Nobody, &ours, Wishes::default()), Step::Skip(Reason::Orphan));
        assert_eq!(planned(&Scope::Nobody, &runais, ALL), Step::Skip(Reason::OrphanOfRunai));
    }

    #[test]
    fn a_copy_has_the_content_and_our_mark_and_no_label_that_run_ai_knows() {
        let source = source(Scope::EveryProject);
        let body = copy_body("hf", &given(&source));
        let expected = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": {"k": "dg=="},
            "metadata": {
                "name": "hf", "labels": {"kubectl-runai-secret/copy": "true"},
                "annotations": {"kubectl-runai-secret/copy-of": "runai/hf"},
            },
        });
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expected);
    }

    #[test]
    fn mending_takes_away_the_keys_that_the_source_has_not() {
        let metadata = json!({"uid": "u", "resourceVersion": "7", "labels": {CURRENT_LABEL: "true"}});
        let found = secret(&metadata, &json!({"k": "eA==", "more": "eQ=="}));
        let source = source(Scope::EveryProject);
        let row = row(&source, "runai/hf", &project(), &found);
        let held = row.held.as_ref().unwrap();
        let body = mend_body(&given(&source), held, Step::Update);
        let expected = json!({
            "metadata": {"uid": "u", "resourceVersion": "7", "annotations": held.record},
            "data": {"k": "dg==", "more": null},
        });
        assert_eq!(held.record[CHANGED], r#"{"of":"/hf u","last":["k","more"]}"#);
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expected);
    }
}
