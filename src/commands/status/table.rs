//! Makes the tables of `status`.

use crate::flags::Report;
use crate::propagation::{Scope, State};
use crate::sharing::survey::Survey;
use serde::Serialize;

use crate::sharing::report::SecretReport;
use crate::ui::Table;

/// The states with a column of their own; with `-o wide` every state has one.
const USUAL: [State; 5] = [State::Copied, State::Pending, State::Stale, State::Conflict, State::Orphan];

/// Returns a table with a row for each secret.
pub(super) fn overview(surveys: &[Survey], form: &Report) -> Table {
    let wide = *form == Report::Wide;
    let states: &[State] = if wide { &State::ALL } else { &USUAL };
    let mut headers = vec!["NAME".to_owned(), "SHARED WITH".to_owned()];
    headers.extend(states.iter().map(|state| state.word().to_uppercase()));
    if !wide {
        headers.push("OTHER".to_owned());
    }
    let mut table = Table::new(headers);
    for survey in surveys {
        let counts = survey.counts();
        let count = |state: &State| counts.get(state).copied().unwrap_or_default();
        let mut cells = vec![survey.name.clone(), shared_with(survey)];
        cells.extend(states.iter().map(|state| count(state).to_string()));
        if !wide {
            let other = counts.iter().filter(|(state, _)| !USUAL.contains(state)).map(|(_, count)| count);
            cells.push(other.sum::<usize>().to_string());
        }
        table.row(cells);
    }
    table
}

fn shared_with(survey: &Survey) -> String {
    match survey.scope() {
        Some(Scope::EveryProject) => "every project".to_owned(),
        Some(Scope::Department(id)) => format!("department {id}"),
        Some(Scope::Nobody) => "nobody".to_owned(),
        None => "can't be seen".to_owned(),
    }
}

#[derive(Serialize)]
pub(super) struct OverviewReport<'a> {
    secrets: Vec<SecretReport<'a>>,
}

impl<'a> OverviewReport<'a> {
    pub(super) fn of(surveys: &'a [Survey]) -> Self {
        Self { secrets: surveys.iter().map(SecretReport::of).collect() }
    }
}
