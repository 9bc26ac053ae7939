//! What `status` tells a program: names and states, never content. The README documents the fields.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::commands::survey::Survey;
use crate::propagation::{Row, Scope, Source, State};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SecretReport<'a> {
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
    /// None for a copy in a namespace that belongs to no project.
    project: Option<&'a str>,
    namespace: &'a str,
    state: State,
    /// By what the secret there is known to be a copy.
    evidence: Option<String>,
}

#[derive(Serialize)]
pub(super) struct OverviewReport<'a> {
    secrets: Vec<SecretReport<'a>>,
}

impl<'a> SecretReport<'a> {
    pub(super) fn of(survey: &'a Survey) -> Self {
        let (shared_with, department) = match &survey.source {
            Source::There(Scope::EveryProject, _) => ("everyProject", None),
            Source::There(Scope::Department(id), _) => ("department", Some(id.clone())),
            Source::There(Scope::Nobody, _) => ("nobody", None),
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

impl<'a> OverviewReport<'a> {
    pub(super) fn of(surveys: &'a [Survey]) -> Self {
        Self { secrets: surveys.iter().map(SecretReport::of).collect() }
    }
}
