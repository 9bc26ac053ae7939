//! Checks the copies of shared secrets in the namespaces that `check` looks at.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};

use super::cluster::Secrets;
use crate::cluster::{Cluster, Failure, Namespaces, Unseen};
use crate::error::Result;
use crate::findings::{Finding, of_copy};
use crate::metadata::Metadata;
use crate::propagation::{self, Scope};
use crate::session::Session;
use crate::session::projects::{ProjectSelection, Reach};
use crate::sharing::report;
use crate::sharing::survey::Survey;

/// How many secrets are surveyed at a time.
const AT_ONCE: usize = 4;

/// What tells which secrets have copies, and where.
pub(super) struct Around {
    /// None if there are no projects, or none can be listed. Namespaces that belong to no project have no copies.
    area: Option<ProjectSelection>,
    /// The secrets of Run:ai's namespace.
    of_runai: Result<Vec<Metadata>, Failure>,
}

impl Around {
    pub(super) async fn read(
        namespaces: &Namespaces,
        cluster: &Cluster,
        session: &Session<'_>,
    ) -> Result<Self> {
        let runai = &session.globals.place.runai_namespace;
        let (area, of_runai) = tokio::join!(area(namespaces, cluster, session), cluster.secrets_in(runai));
        Ok(Self { area: area?, of_runai })
    }

    /// Returns the findings about copies, and what could not be listed. `secrets` are those of the namespaces.
    pub(super) async fn findings(
        self,
        secrets: &Secrets,
        cluster: &Cluster,
        session: &Session<'_>,
    ) -> Result<(Vec<Finding>, Vec<Unseen>)> {
        let runai = &session.globals.place.runai_namespace;
        let Some(area) = self.area else { return Ok((Vec::new(), Vec::new())) };
        let shared = match self.of_runai {
            Ok(secrets) => secrets,
            Err(failure) if failure.is_forbidden() => {
                let unseen = Unseen::of_known(Some(runai.clone()), "secrets");
                return Ok((Vec::new(), vec![unseen]));
            }
            Err(failure) => return Err(failure.into()),
        };
        let sources = shared.iter().filter(|secret| Scope::of(&secret.labels) != Scope::Nobody);
        let left_behind =
            secrets.values().flatten().filter(|secret| propagation::may_be_copy(&secret.labels));
        let names: BTreeSet<&str> = sources
            .map(|secret| secret.name.as_str())
            .chain(left_behind.map(|copy| copy.name.as_str()))
            .collect();
        let surveys: Vec<Survey> = stream::iter(names)
            .map(|name| Survey::take(name, runai, &area, cluster))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        for survey in &surveys {
            report::tell_troubles(survey, session);
        }
        let of_survey = |survey: &Survey| {
            survey.rows.iter().filter_map(|row| of_copy(&survey.name, runai, row)).collect::<Vec<_>>()
        };
        Ok((surveys.iter().flat_map(of_survey).collect(), Vec::new()))
    }
}

/// Returns the projects whose namespaces are checked; none if there are none, or none can be listed.
async fn area(
    namespaces: &Namespaces,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<Option<ProjectSelection>> {
    let mut area = match ProjectSelection::every(cluster).await {
        Ok(area) => area,
        Err(failure) if failure.is_forbidden() => {
            session.ui.note("you may not list namespaces: copies of shared secrets were not checked");
            return Ok(None);
        }
        Err(failure) => return Err(failure.into()),
    };
    if let Namespaces::One(namespace) = namespaces {
        area.projects.retain(|project| project.namespace == *namespace);
        area.reach = Reach::Chosen;
    }
    Ok((!area.projects.is_empty()).then_some(area))
}
