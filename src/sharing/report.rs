//! Reports how far a shared secret got, to a person or a program: names and states, never content.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{Head, Report};
use crate::propagation::{Row, Scope, Source, State};
use crate::session::Session;
use crate::sharing;
use crate::sharing::survey::{Strays, Survey};
use crate::ui::Table;
use crate::wording::{few, list, plural};

/// Prints the projects, and what to do about those that have no good copy.
pub(crate) fn show(survey: &Survey, form: &Report, head: Head, session: &Session<'_>) -> Result<()> {
    let ui = session.ui;
    match form {
        Report::Table | Report::Wide => {
            ui.note(&headline(survey));
            ui.data(table(survey, form).with(head).to_string().as_bytes())?;
            advise(survey, session);
            tell_troubles(survey, session);
            Ok(())
        }
        Report::Name => ui.data(format!("secret/{}\n", survey.name).as_bytes()),
        Report::Data(form) => ui.object(&SecretReport::of(survey), form, head),
    }
}

fn headline(survey: &Survey) -> String {
    let Survey { name, namespace, .. } = survey;
    match survey.source {
        Source::There(Scope::EveryProject, ..) => {
            format!("secret {name} in {namespace} is shared with every project")
        }
        Source::There(Scope::Department(ref id), ..) => format!(
            "secret {name} in {namespace} is shared with department {id}; the cluster does not say which projects that has"
        ),
        Source::There(Scope::Nobody, ..) => format!("secret {name} in {namespace} is not shared"),
        Source::Missing => format!("there is no secret {name} in {namespace}"),
        Source::Unseen => {
            format!("you may not read secret {name} in {namespace}: contents can't be compared")
        }
    }
}

/// Tells what to type about each state that occurs.
fn advise(survey: &Survey, session: &Session<'_>) {
    let name = &survey.name;
    let perhaps = |row: &&Row| row.state == State::Stale && row.is_perhaps_a_copy();
    let perhaps: Vec<&str> = survey.rows.iter().filter(perhaps).map(sharing::survey::title).collect();
    if !perhaps.is_empty() {
        session.ui.note(&format!(
            "in {} only Run:ai's label or owner says that it is a copy (-o wide shows which): if Run:ai does not update it \
             within about a minute, it may be the project's own; to overwrite it: {}",
            few(&perhaps),
            CommandLine::plugin("sync").arg(name).then("--adopt")
        ));
    }
    for state in State::ALL {
        let titles: Vec<&str> = survey.in_state(state).map(sharing::survey::title).collect();
        if titles.is_empty() {
            continue;
        }
        let advice = match state {
            State::Pending | State::Stale => sharing::how_copies_follow(name),
            State::Conflict => {
                let adopt = CommandLine::plugin("sync").arg(name).then("--adopt");
                format!("the project's own secret is in the way; to take it over: {adopt}")
            }
            State::Orphan => {
                let prune = CommandLine::plugin("sync").arg(name).then("--prune");
                format!("Run:ai removes its own; those made by sync: {prune}")
            }
            State::Forbidden => "you may not read this secret there".to_owned(),
            State::Terminating => "being deleted: no copy is needed".to_owned(),
            State::Copied
            | State::Same
            | State::Foreign
            | State::Unverified
            | State::Unknown
            | State::Absent => continue,
        };
        session.ui.note(&format!("{state} in {}: {advice}", few(&titles)));
    }
}

/// Reports what could not be read.
pub(crate) fn tell_troubles(survey: &Survey, session: &Session<'_>) {
    for (project, error) in &survey.troubles {
        session.ui.error(&error.clone().at(project));
    }
    if survey.strays == Strays::Unseen {
        session.ui.note(
            "you may not list all secrets: copies in namespaces that belong to no project any more can't be found",
        );
    }
}

/// Checks the states.
///
/// # Errors
/// A copy is not as it should be.
pub(crate) fn verdict(survey: &Survey) -> Result<()> {
    let found: Vec<String> = survey
        .counts()
        .iter()
        .filter(|(state, _)| state.is_finding())
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    if found.is_empty() {
        return Ok(());
    }
    let all = plural(survey.counts().values().sum(), "project");
    Err(Error::partly(format!("secret {}: {}, of {all}", survey.name, list(&found))))
}

/// Returns a table with a row for each project.
pub(crate) fn table(survey: &Survey, form: &Report) -> Table {
    let wide = *form == Report::Wide;
    let columns = if wide { 4 } else { 3 };
    let mut table = Table::new(["PROJECT", "NAMESPACE", "STATE", "EVIDENCE"].into_iter().take(columns));
    for row in &survey.rows {
        let evidence = row.evidence.as_ref().map(ToString::to_string).unwrap_or_default();
        let cells =
            [row.project.clone().unwrap_or_default(), row.namespace.clone(), row.state.to_string(), evidence];
        table.row(cells.into_iter().take(columns));
    }
    table
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecretReport<'a> {
    secret: &'a str,
    namespace: &'a str,
    /// `everyProject`, `department`, `nobody`, `missing` or `unseen`.
    shared_with: &'static str,
    /// The department's id.
    department: Option<String>,
    counts: BTreeMap<&'static str, usize>,
    projects: Vec<ProjectReport<'a>>,
}

#[derive(Serialize)]
struct ProjectReport<'a> {
    /// None if the copy's namespace belongs to no project.
    project: Option<&'a str>,
    namespace: &'a str,
    state: State,
    /// The reason why the secret counts as a copy.
    evidence: Option<String>,
}

impl<'a> SecretReport<'a> {
    pub(crate) fn of(survey: &'a Survey) -> Self {
        let (shared_with, department) = match &survey.source {
            Source::There(Scope::EveryProject, ..) => ("everyProject", None),
            Source::There(Scope::Department(id), ..) => ("department", Some(id.clone())),
            Source::There(Scope::Nobody, ..) => ("nobody", None),
            Source::Missing => ("missing", None),
            Source::Unseen => ("unseen", None),
        };
        let project = |row: &'a Row| ProjectReport {
            project: row.project.as_deref(),
            namespace: &row.namespace,
            state: row.state,
            evidence: row.evidence.as_ref().map(ToString::to_string),
        };
        Self {
            secret: &survey.name,
            namespace: &survey.namespace,
            shared_with,
            department,
            counts: survey.counts().into_iter().map(|(state, count)| (state.word(), count)).collect(),
            projects: survey.rows.iter().map(project).collect(),
        }
    }
}
