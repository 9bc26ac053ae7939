//! The state of a shared secret in each project.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::copy::{Content, Evidence, ExistingSecret};
use super::scope::Scope;
use crate::history;
use crate::metadata::{EXPIRES, Ends};
use crate::project::Project;
use crate::secret::Difference;

/// The secret in Run:ai's namespace, as far as the user may see it.
pub(crate) enum Source {
    /// Its scope, its content, and when its values end.
    There(Scope, Content, Ends),
    Missing,
    /// The user may not read it.
    Unseen,
}

impl Source {
    pub(crate) fn of(secret: ExistingSecret) -> Self {
        Self::There(Scope::of(&secret.metadata.labels), secret.content, secret.metadata.annotations.ends)
    }

    /// Returns the scope of the secret: nobody if it does not exist, none if that is unknown.
    pub(crate) fn scope(&self) -> Option<Scope> {
        match self {
            Self::There(scope, ..) => Some(scope.clone()),
            Self::Missing => Some(Scope::Nobody),
            Self::Unseen => None,
        }
    }

    pub(crate) fn content(&self) -> Option<&Content> {
        match self {
            Self::There(_, content, _) => Some(content),
            Self::Missing | Self::Unseen => None,
        }
    }

    /// Returns the noted ends of its values, as far as the user may see it.
    pub(crate) fn ends(&self) -> Option<&Ends> {
        match self {
            Self::There(_, _, ends) => Some(ends),
            Self::Missing | Self::Unseen => None,
        }
    }
}

/// The result of a read of the name in one namespace.
pub(crate) enum Found {
    Nothing,
    Secret(Box<ExistingSecret>),
    /// The user may not look.
    Forbidden,
    /// It could not be read, for another reason.
    Unknown,
}

/// The state of the secret in one project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// A copy, equal to the source.
    Copied,
    /// Nothing there yet.
    Pending,
    /// A copy with other content than the source.
    Stale,
    /// Somebody else's secret has the name, and other content.
    Conflict,
    /// Somebody else's secret has the name, and the same content.
    Same,
    /// Somebody else's secret of the same name; the source is not shared with this project.
    Foreign,
    /// A copy although its source is not shared any more, or gone.
    Orphan,
    /// The namespace, or the secret in it, is being deleted.
    Terminating,
    /// A copy; whether it is equal is unknown, since the source can't be read.
    Unverified,
    /// The user may not look.
    Forbidden,
    /// It could not be read.
    Unknown,
    /// Nothing there, as it should be.
    Absent,
}

impl State {
    /// All states, in the order in which they are shown.
    pub(crate) const ALL: [Self; 12] = [
        Self::Copied,
        Self::Pending,
        Self::Stale,
        Self::Conflict,
        Self::Same,
        Self::Foreign,
        Self::Orphan,
        Self::Terminating,
        Self::Unverified,
        Self::Forbidden,
        Self::Unknown,
        Self::Absent,
    ];

    /// Returns the state of a word.
    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Returns true if somebody has to act, or to wait.
    pub(crate) fn is_finding(self) -> bool {
        matches!(self, Self::Pending | Self::Stale | Self::Conflict | Self::Orphan | Self::Unknown)
    }

    /// Returns one stable word, which scripts read.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Copied => "copied",
            Self::Pending => "pending",
            Self::Stale => "stale",
            Self::Conflict => "conflict",
            Self::Same => "same",
            Self::Foreign => "foreign",
            Self::Orphan => "orphan",
            Self::Terminating => "terminating",
            Self::Unverified => "unverified",
            Self::Forbidden => "forbidden",
            Self::Unknown => "unknown",
            Self::Absent => "absent",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// One namespace in the report.
pub(crate) struct Row {
    /// None for a copy in a namespace that no longer belongs to a project.
    pub(crate) project: Option<String>,
    pub(crate) namespace: String,
    pub(crate) state: State,
    pub(crate) evidence: Option<Evidence>,
    /// None if there is no secret, or none that the user may see.
    pub(crate) held: Option<Held>,
}

impl Row {
    /// Returns true for a secret whose only evidence is a label or an owner of Run:ai: it may be somebody's
    /// own.
    pub(crate) fn is_perhaps_a_copy(&self) -> bool {
        self.evidence.as_ref().is_some_and(|evidence| !evidence.is_proof())
    }

    /// Returns true if this program made the existing copy.
    pub(crate) fn is_ours(&self) -> bool {
        self.evidence.as_ref().is_some_and(Evidence::is_proof)
    }

    pub(crate) fn likeness(&self) -> Likeness {
        self.held.as_ref().map_or(Likeness::Unknown, |held| held.likeness)
    }
}

/// The facts needed to change the existing secret, without its content.
pub(crate) struct Held {
    pub(crate) uid: String,
    pub(crate) version: String,
    /// What becomes of its keys when it gets the content of its source.
    pub(crate) difference: Difference,
    /// How its content can be made equal to the source's.
    pub(crate) change: Change,
    pub(crate) likeness: Likeness,
    pub(crate) labels: BTreeMap<String, String>,
    /// The annotations that a write changes: the record of its keys, and their noted ends.
    pub(crate) record: Map<String, Value>,
}

/// The comparison of a secret with its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Likeness {
    Equal,
    Different,
    /// There is no source, or none that the user may see.
    Unknown,
}

impl Likeness {
    fn of(source: &Source, secret: &ExistingSecret) -> Self {
        match source.content() {
            None => Self::Unknown,
            Some(content) if *content == secret.content => Self::Equal,
            Some(_) => Self::Different,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    InPlace,
    /// It must be deleted and created again: Kubernetes changes neither a secret's type nor an immutable
    /// secret.
    OnlyAnew,
}

/// Reports on one project. `identity` is the source's.
pub(crate) fn row(source: &Source, identity: &str, project: &Project, found: &Found) -> Row {
    let secret = match found {
        Found::Secret(secret) => Some(secret),
        Found::Nothing | Found::Forbidden | Found::Unknown => None,
    };
    Row {
        project: Some(project.name.clone()),
        namespace: project.namespace.clone(),
        state: if project.terminating { State::Terminating } else { state(source, identity, found) },
        evidence: secret.and_then(|secret| secret.evidence(identity)),
        held: secret.map(|secret| held(source, secret)),
    }
}

/// Reports on a copy in a namespace that no longer belongs to a project.
pub(crate) fn stray(source: &Source, identity: &str, secret: &ExistingSecret) -> Row {
    let going = secret.metadata.terminating.is_some();
    Row {
        project: None,
        namespace: secret.metadata.namespace.clone(),
        state: if going { State::Terminating } else { State::Orphan },
        evidence: secret.evidence(identity),
        held: Some(held(source, secret)),
    }
}

fn state(source: &Source, identity: &str, found: &Found) -> State {
    let scope = source.scope();
    let secret = match found {
        Found::Forbidden => return State::Forbidden,
        Found::Unknown => return State::Unknown,
        // Only Run:ai knows which projects belong to a department.
        Found::Nothing if scope == Some(Scope::EveryProject) => return State::Pending,
        Found::Nothing => return State::Absent,
        Found::Secret(secret) if secret.metadata.terminating.is_some() => return State::Terminating,
        Found::Secret(secret) => secret,
    };
    match (secret.evidence(identity).is_some(), scope, Likeness::of(source, secret)) {
        (true, Some(Scope::Nobody), _) => State::Orphan,
        (true, _, Likeness::Equal) => State::Copied,
        (true, _, Likeness::Different) => State::Stale,
        (true, _, Likeness::Unknown) => State::Unverified,
        (false, _, Likeness::Equal) => State::Same,
        (false, Some(Scope::EveryProject), _) => State::Conflict,
        (false, _, _) => State::Foreign,
    }
}

fn held(source: &Source, secret: &ExistingSecret) -> Held {
    let content = source.content();
    let other_type = content.is_some_and(|content| content.secret_type != secret.content.secret_type);
    let difference =
        content.map(|content| Difference::of_whole(&secret.content.data, &content.data)).unwrap_or_default();
    let mut record = history::annotations(&secret.metadata, &difference.touched());
    let ends = source.ends().filter(|ends| **ends != secret.metadata.annotations.ends);
    record.extend(ends.map(|ends| (EXPIRES.to_owned(), json!(ends.annotation()))));
    Held {
        uid: secret.metadata.uid.clone(),
        version: secret.metadata.resource_version.clone(),
        record,
        difference,
        change: if other_type || secret.immutable { Change::OnlyAnew } else { Change::InPlace },
        likeness: Likeness::of(source, secret),
        labels: secret.metadata.labels.clone(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::copy::tests::namesake;
    use super::super::copy::{MARK, ORIGIN};
    use super::super::scope::CURRENT_LABEL;
    use super::*;

    pub(crate) fn source(scope: Scope) -> Source {
        let object = json!({"metadata": {}, "type": "Opaque", "data": {"k": "dg=="}});
        Source::There(scope, namesake(object).content, Ends::default())
    }

    pub(crate) fn project() -> Project {
        Project { name: "a".to_owned(), namespace: "runai-a".to_owned(), terminating: false }
    }

    pub(crate) fn secret(metadata: &Value, data: &Value) -> Found {
        let object = json!({"metadata": metadata, "type": "Opaque", "data": data});
        Found::Secret(Box::new(namesake(object)))
    }

    fn state_of(source: &Source, found: &Found) -> State {
        row(source, "runai/hf", &project(), found).state
    }

    #[test]
    fn each_state_is_told_from_who_made_the_secret_and_what_it_holds() {
        let (equal, other) = (json!({"k": "dg=="}), json!({"k": "eA=="}));
        let theirs = json!({});
        let runais = json!({"labels": {CURRENT_LABEL: "true"}});
        let ours = json!({"labels": {MARK: "true"}, "annotations": {ORIGIN: "runai/hf"}});
        let department = || Scope::Department("7".to_owned());
        let cases = [
            (source(Scope::EveryProject), Found::Nothing, State::Pending),
            (source(department()), Found::Nothing, State::Absent),
            (source(Scope::Nobody), Found::Nothing, State::Absent),
            (Source::Missing, Found::Nothing, State::Absent),
            (source(Scope::EveryProject), Found::Forbidden, State::Forbidden),
            (source(Scope::EveryProject), secret(&runais, &equal), State::Copied),
            (source(Scope::EveryProject), secret(&ours, &equal), State::Copied),
            (source(Scope::EveryProject), secret(&ours, &other), State::Stale),
            (source(department()), secret(&runais, &equal), State::Copied),
            (source(Scope::EveryProject), secret(&theirs, &other), State::Conflict),
            (source(Scope::EveryProject), secret(&theirs, &equal), State::Same),
            (source(department()), secret(&theirs, &other), State::Foreign),
            (source(Scope::Nobody), secret(&theirs, &other), State::Foreign),
            (source(Scope::Nobody), secret(&runais, &equal), State::Orphan),
            (Source::Missing, secret(&ours, &other), State::Orphan),
            (Source::Missing, secret(&theirs, &other), State::Foreign),
            (Source::Unseen, secret(&runais, &equal), State::Unverified),
            (Source::Unseen, secret(&theirs, &equal), State::Foreign),
        ];
        for (number, (source, found, expected)) in cases.iter().enumerate() {
            assert_eq!(state_of(source, found), *expected, "case {number}");
        }
    }

    #[test]
    fn what_is_being_deleted_is_neither_a_copy_nor_in_the_way() {
        let going = json!({"deletionTimestamp": "2026-01-01T00:00:00Z"});
        let source = source(Scope::EveryProject);
        assert_eq!(state_of(&source, &secret(&going, &json!({}))), State::Terminating);
        let project = Project { terminating: true, ..project() };
        assert_eq!(row(&source, "runai/hf", &project, &Found::Nothing).state, State::Terminating);
    }

    #[test]
    fn what_can_not_be_changed_in_place_is_known_beforehand() {
        let source = source(Scope::EveryProject);
        let change = |object: Value| {
            let found = Found::Secret(Box::new(namesake(object)));
            row(&source, "runai/hf", &project(), &found).held.unwrap().change
        };
        assert_eq!(change(json!({"metadata": {}, "type": "Opaque"})), Change::InPlace);
        assert_eq!(change(json!({"metadata": {}, "type": "other"})), Change::OnlyAnew);
        assert_eq!(change(json!({"metadata": {}, "type": "Opaque", "immutable": true})), Change::OnlyAnew);
    }
}
