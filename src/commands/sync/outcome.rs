//! Reports what `sync` did, to a person or a program.

use std::collections::BTreeMap;

use serde::Serialize;

use super::plan::Task;
use crate::error::{Error, Result};
use crate::flags::{Head, Output, WriteArgs};
use crate::propagation::{Reason, State, Step};
use crate::session::Session;
use crate::sharing;
use crate::wording::{few, list, plural};

/// The result of a task, with the last step that was done.
pub(super) struct TaskResult {
    pub(super) task: Task,
    /// The state in which the project was found.
    pub(super) found: State,
    pub(super) error: Option<Error>,
}

/// Tells whether the source changed while its copies were written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SourceNow {
    AsItWas,
    /// The copies have the old content.
    Changed,
}

/// One secret, and the result in each project.
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) results: Vec<TaskResult>,
    pub(super) source: SourceNow,
}

/// Reports a change in one project on a line of its own.
pub(super) fn tell_change(
    name: &str,
    result: &TaskResult,
    write: &WriteArgs,
    session: &Session<'_>,
) -> Result<()> {
    let (verb, place) = (result.task.step.done(), sharing::survey::title(&result.task.row));
    let told = match write.output {
        _ if !result.is_change() => Ok(()),
        Output::Name => session.ui.data(format!("secret/{name}\n").as_bytes()),
        Output::Human => {
            session.ui.done(&format!("secret/{name} {verb} in {place}{}", write.dry_run.suffix()))
        }
        Output::Data(_) => Ok(()),
    };
    told.map_err(|error| {
        error.although(&format!("secret/{name} is {verb} in {place}{}", write.dry_run.suffix()))
    })
}

/// Prints the report for programs, and says what was not done.
pub(super) fn report(outcomes: &[Outcome], write: &WriteArgs, session: &Session<'_>) -> Result<()> {
    let printed = match &write.output {
        Output::Human | Output::Name => Ok(()),
        Output::Data(form) => session.ui.object(&SyncReport::of(outcomes), form, Head::Shown),
    };
    printed.map_err(|error| error.although(&format!("the copies are made{}", write.dry_run.suffix())))?;
    for outcome in outcomes {
        outcome.tell(session);
    }
    Ok(())
}

impl Outcome {
    fn tell(&self, session: &Session<'_>) {
        for result in &self.results {
            let place = sharing::survey::title(&result.task.row);
            if let Some(error) = &result.error {
                session.ui.error(&error.clone().at(place));
            } else if let Step::Skip(reason) = result.task.step {
                session.ui.note(&format!("{place}: {} is left alone: {reason}", self.name));
            }
        }
        self.tell_keys(session);
        let same: Vec<&str> = self
            .results
            .iter()
            .filter(|result| result.found == State::Same && result.task.step == Step::Nothing)
            .map(|result| sharing::survey::title(&result.task.row))
            .collect();
        if !same.is_empty() {
            session.ui.note(&format!(
                "{}: the project's own secret has the same content, and is not kept up to date",
                few(&same)
            ));
        }
        let copied = self.results.iter().filter(|result| result.found == State::Copied).count();
        if copied > 0 {
            session.ui.note(&format!("{} had {} already", plural(copied, "project"), self.name));
        }
    }

    /// Notes what became of each key, in one line for all projects where it is the same.
    fn tell_keys(&self, session: &Session<'_>) {
        let mut places: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for result in self.results.iter().filter(|result| result.is_change()) {
            if let Some(difference) = result.task.difference() {
                places
                    .entry(difference.in_words())
                    .or_default()
                    .push(sharing::survey::title(&result.task.row));
            }
        }
        for (keys, places) in places.iter().filter(|(keys, _)| !keys.is_empty()) {
            session.ui.note(&format!("{}: {keys}, in {}", self.name, few(places)));
        }
    }

    /// Returns the projects in which the secret was not copied.
    fn refused(&self) -> Vec<&str> {
        let refused = self.results.iter().filter(|result| result.is_refused());
        refused.map(|result| sharing::survey::title(&result.task.row)).collect()
    }
}

impl TaskResult {
    fn is_change(&self) -> bool {
        self.error.is_none() && self.task.step.writes()
    }

    fn is_refused(&self) -> bool {
        self.error.is_some() || matches!(self.task.step, Step::Skip(reason) if is_refusal(reason))
    }
}

/// # Errors
/// A copy failed or was refused in some project.
pub(super) fn verdict(outcomes: &[Outcome]) -> Result<()> {
    let refused: Vec<String> = outcomes
        .iter()
        .filter(|outcome| !outcome.refused().is_empty())
        .map(|outcome| format!("{} in {}", outcome.name, few(&outcome.refused())))
        .collect();
    let changed = outcomes.iter().filter(|outcome| outcome.source == SourceNow::Changed);
    let changed: Vec<&str> = changed.map(|outcome| outcome.name.as_str()).collect();
    if refused.is_empty() && changed.is_empty() {
        return Ok(());
    }
    if !changed.is_empty() {
        let names = list(&changed);
        return Err(Error::partly(format!(
            "somebody changed {names} while its copies were written: the copies have the old content"
        ))
        .hint("run it again: finished projects are not written twice"));
    }
    let error = Error::partly(format!("failed: {}", list(&refused)));
    let failed = outcomes.iter().flat_map(|outcome| &outcome.results).any(|result| result.error.is_some());
    Err(if failed { error.hint("run it again: finished projects are not written twice") } else { error })
}

// What programs read.

#[derive(Serialize)]
struct SyncReport<'a> {
    secrets: Vec<SecretOutcome<'a>>,
}

#[derive(Serialize)]
struct SecretOutcome<'a> {
    secret: &'a str,
    namespace: &'a str,
    projects: Vec<ProjectOutcome<'a>>,
}

#[derive(Serialize)]
struct ProjectOutcome<'a> {
    /// None if the copy's namespace belongs to no project.
    project: Option<&'a str>,
    namespace: &'a str,
    /// The state that was found, in the words of `status`.
    state: State,
    /// `created`, `updated`, `replaced`, `adopted`, `deleted`, `unchanged`, `left alone` or `failed`.
    result: &'static str,
    /// The reason why it was left alone or failed.
    reason: Option<String>,
}

impl<'a> SyncReport<'a> {
    fn of(outcomes: &'a [Outcome]) -> Self {
        let secret = |outcome: &'a Outcome| SecretOutcome {
            secret: &outcome.name,
            namespace: &outcome.namespace,
            projects: outcome.results.iter().map(ProjectOutcome::of).collect(),
        };
        Self { secrets: outcomes.iter().map(secret).collect() }
    }
}

impl<'a> ProjectOutcome<'a> {
    fn of(result: &'a TaskResult) -> Self {
        let (row, step) = (&result.task.row, result.task.step);
        let left = match step {
            Step::Skip(reason) => Some(reason.to_string()),
            _ => None,
        };
        Self {
            project: row.project.as_deref(),
            namespace: &row.namespace,
            state: result.found,
            result: if result.error.is_some() { "failed" } else { step.done() },
            reason: result.error.as_ref().map(ToString::to_string).or(left),
        }
    }
}

/// Reports whether the reason makes the command fail.
fn is_refusal(reason: Reason) -> bool {
    match reason {
        Reason::NotACopy
        | Reason::PerhapsACopy
        | Reason::Forbidden
        | Reason::Unknown
        | Reason::SourceUnseen
        | Reason::Changed => true,
        Reason::Terminating | Reason::Orphan | Reason::OrphanOfRunai => false,
    }
}
