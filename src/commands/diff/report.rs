//! What `diff` found, to a person or a program.

use std::collections::BTreeMap;

use serde::Serialize;

use super::places::{Place, Places};
use crate::error::{Error, Result};
use crate::flags::{Head, Report, ReportArgs};
use crate::propagation::Content;
use crate::secret::{Difference, Fate};
use crate::session::{self, Session};
use crate::ui::Table;
use crate::wording::plural;

/// How what is here and what is there compare.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    OnlyHere,
    OnlyThere,
    Differs,
    Same,
}

impl State {
    fn of(fate: Fate) -> Self {
        match fate {
            Fate::Added => Self::OnlyThere,
            Fate::Changed => Self::Differs,
            Fate::Same => Self::Same,
            Fate::Gone => Self::OnlyHere,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::OnlyHere => "only-here",
            Self::OnlyThere => "only-there",
            Self::Differs => "differs",
            Self::Same => "same",
        }
    }
}

/// One secret, and what it is compared with.
#[derive(Serialize)]
pub(super) struct Compared {
    name: String,
    /// The name there; null for a source of values.
    other: Option<String>,
    state: State,
    /// Null unless there is a secret on both sides.
    #[serde(rename = "type")]
    secret_type: Option<State>,
    keys: Vec<Key>,
}

#[derive(Serialize)]
struct Key {
    key: String,
    state: State,
}

impl Compared {
    /// Compares two secrets of which one may be missing.
    pub(super) fn of(
        name: &str,
        other: Option<&str>,
        here: Option<&Content>,
        there: Option<&Content>,
    ) -> Self {
        let none = BTreeMap::new();
        let difference = Difference::of_whole(
            here.map_or(&none, |content| &content.data),
            there.map_or(&none, |content| &content.data),
        );
        let secret_type = here.zip(there).map(|(here, there)| {
            if here.secret_type == there.secret_type { State::Same } else { State::Differs }
        });
        let state = match (here, there) {
            (Some(_), None) => State::OnlyHere,
            (None, _) => State::OnlyThere,
            _ if difference.is_nothing() && secret_type == Some(State::Same) => State::Same,
            _ => State::Differs,
        };
        Self {
            name: name.to_owned(),
            other: other.map(str::to_owned),
            state,
            secret_type,
            keys: keys(&difference),
        }
    }

    pub(super) fn with_source(name: &str, difference: &Difference) -> Self {
        let state = if difference.is_nothing() { State::Same } else { State::Differs };
        Self { name: name.to_owned(), other: None, state, secret_type: None, keys: keys(difference) }
    }

    /// Returns the rows of a table: the key and the state.
    fn rows(&self) -> Vec<(&str, State)> {
        let other_type = self.secret_type.filter(|state| *state == State::Differs);
        let keys = self.keys.iter().map(|key| (key.key.as_str(), key.state));
        let rows: Vec<_> = other_type.map(|state| ("(type)", state)).into_iter().chain(keys).collect();
        if rows.is_empty() { vec![("(no keys)", self.state)] } else { rows }
    }
}

fn keys(difference: &Difference) -> Vec<Key> {
    difference.fates().map(|(key, fate)| Key { key: key.to_owned(), state: State::of(fate) }).collect()
}

/// The report of `-o json`. docs/reference/json.md documents the fields.
#[derive(Serialize)]
pub(super) struct DiffReport<'a> {
    here: Side<'a>,
    there: Side<'a>,
    secrets: &'a [Compared],
}

#[derive(Serialize)]
struct Side<'a> {
    context: Option<&'a str>,
    /// Null for a source of values.
    namespace: Option<&'a str>,
}

impl<'a> DiffReport<'a> {
    pub(super) fn of(places: &'a Places, secrets: &'a [Compared]) -> Self {
        let side = |place: &'a Place| Side {
            context: place.context.as_deref(),
            namespace: Some(place.namespace.as_str()),
        };
        let source = Side { context: None, namespace: None };
        let there = if places.is_source { source } else { side(&places.there) };
        Self { here: side(&places.here), there, secrets }
    }
}

impl Side<'_> {
    fn in_words(&self) -> String {
        let namespace = self.namespace.map_or_else(|| "the sources that are named".to_owned(), str::to_owned);
        self.context.map_or_else(|| namespace.clone(), |context| format!("{namespace} of context {context}"))
    }
}

/// Prints the report.
///
/// # Errors
/// Something differs, which is no failure but has an exit code of its own.
pub(super) fn tell(report: &DiffReport<'_>, args: &ReportArgs, session: &Session<'_>) -> Result<()> {
    let form = &args.output;
    session.ui.note(&format!("here: {}; there: {}", report.here.in_words(), report.there.in_words()));
    session::scope::print(args, report, session, || match form {
        Report::Name => {
            let different = report.secrets.iter().filter(|one| one.state != State::Same);
            session::scope::lines(different.map(|one| format!("secret/{}", one.name)))
        }
        _ => table(report.secrets, args.head.head()),
    })?;
    let different = report.secrets.iter().filter(|one| one.state != State::Same).count();
    if different == 0 {
        return Ok(());
    }
    let verb = if different == 1 { "differs" } else { "differ" };
    session.ui.note(&format!("{different} of {} {verb}", plural(report.secrets.len(), "secret")));
    Err(Error::different())
}

fn table(secrets: &[Compared], head: Head) -> String {
    if secrets.is_empty() {
        return String::new();
    }
    let mut table = Table::new(["SECRET", "KEY", "STATE"]).with(head);
    for one in secrets {
        let other = one.other.as_ref().filter(|other| **other != one.name);
        let name = other.map_or_else(|| one.name.clone(), |other| format!("{} ↔ {other}", one.name));
        for (key, state) in one.rows() {
            table.row([name.as_str(), key, state.word()]);
        }
    }
    table.to_string()
}
