//! What `status` shows a person.

use crate::cli::Report;
use crate::commands::survey::Survey;
use crate::propagation::{Scope, State};
use crate::ui::Table;

/// A row for each project.
pub(super) fn table(survey: &Survey, form: Report) -> Table {
    let wide = form == Report::Wide;
    let columns = if wide { 4 } else { 3 };
    let mut table = Table::new(["PROJECT", "NAMESPACE", "STATE", "A COPY BECAUSE"].into_iter().take(columns));
    for row in &survey.rows {
        let evidence = row.evidence.as_ref().map(ToString::to_string).unwrap_or_default();
        let cells =
            [row.project.clone().unwrap_or_default(), row.namespace.clone(), row.state.to_string(), evidence];
        table.row(cells.into_iter().take(columns));
    }
    table
}

/// What a table of all secrets has a column for; `wide` has one for each state.
const USUAL: [State; 5] = [State::Copied, State::Pending, State::Stale, State::Conflict, State::Orphan];

/// A row for each secret.
pub(super) fn overview(surveys: &[Survey], form: Report) -> Table {
    let wide = form == Report::Wide;
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
