//! Selects projects: those that were named, or all.

use crate::cluster::{Cluster, Failure};
use crate::error::{Error, Result};
use crate::project::{self, Project};
use crate::session::Session;

/// The selected projects.
pub(crate) struct ProjectSelection {
    /// Sorted by name.
    pub(crate) projects: Vec<Project>,
    /// Namespaces of projects that were left out by name.
    pub(crate) left_out: Vec<String>,
    pub(crate) reach: Reach,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    EveryProject,
    /// Only the projects that were named.
    Chosen,
}

impl ProjectSelection {
    pub(crate) async fn every(cluster: &Cluster) -> Result<Self, Failure> {
        let projects = sorted(cluster.projects().await?);
        Ok(Self { projects, left_out: Vec::new(), reach: Reach::EveryProject })
    }

    /// Selects the projects that were named with `--project` or a similar flag, or all.
    ///
    /// # Errors
    /// A name is unknown, or no project was named and namespaces can't be listed.
    pub(crate) async fn find(named: &[String], cluster: &Cluster, session: &Session<'_>) -> Result<Self> {
        named.iter().try_for_each(|name| project::check_name(name))?;
        let all = match Self::every(cluster).await {
            Ok(all) => all,
            Err(failure) if failure.is_forbidden() && !named.is_empty() => {
                return Ok(Self {
                    projects: usual(named, session),
                    left_out: Vec::new(),
                    reach: Reach::Chosen,
                });
            }
            Err(failure) if failure.is_forbidden() => {
                return Err(Error::from(failure).hint(
                    "you may not list namespaces, so the projects are not known: name them with --project",
                ));
            }
            Err(failure) => return Err(failure.into()),
        };
        if named.is_empty() { Ok(all) } else { all.only(named) }
    }

    fn only(mut self, named: &[String]) -> Result<Self> {
        self.check_known(named)?;
        self.projects.retain(|project| named.contains(&project.name));
        Ok(Self { reach: Reach::Chosen, ..self })
    }

    /// Leaves these projects out.
    ///
    /// # Errors
    /// One of them does not exist: a typing mistake would otherwise include the project.
    pub(crate) fn leave_out(&mut self, names: &[String]) -> Result<()> {
        self.check_known(names)?;
        let left_out = self.projects.extract_if(.., |project| names.contains(&project.name));
        self.left_out.extend(left_out.map(|project| project.namespace));
        Ok(())
    }

    fn check_known(&self, names: &[String]) -> Result<()> {
        let is_unknown = |name: &&String| self.projects.iter().all(|project| project.name != **name);
        let unknown = names.iter().find(is_unknown);
        unknown.map_or(Ok(()), |name| Err(project::unknown(name, &self.projects)))
    }
}

/// Returns the projects with their usual namespaces, for users who may not look those up.
fn usual(names: &[String], session: &Session<'_>) -> Vec<Project> {
    session.ui.note("you may not list namespaces: using runai-PROJECT, the usual one, for each project");
    let project = |name: &String| Project {
        name: name.clone(),
        namespace: project::usual_namespace(name),
        terminating: false,
    };
    let mut projects = sorted(names.iter().map(project).collect());
    projects.dedup_by(|a, b| a.name == b.name);
    projects
}

fn sorted(mut projects: Vec<Project>) -> Vec<Project> {
    projects.sort_unstable_by(|a, b| (&a.name, &a.namespace).cmp(&(&b.name, &b.namespace)));
    projects
}
