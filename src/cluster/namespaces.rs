//! Namespaces that belong to Run:ai projects.

use super::call::Call;
use super::place::Place;
use super::secrets::MetadataOnly;
use super::{Cluster, Failure};
use crate::error;
use crate::metadata::Metadata;
use crate::project::{self, PROJECT_LABEL, Project};

impl Cluster {
    /// Returns the projects with this name: one, unless something is wrong. Asks for them once in a run.
    async fn projects_named(&self, name: &str) -> Result<Vec<Project>, Failure> {
        if let Some(projects) = self.named_projects.borrow().get(name) {
            return Ok(projects.clone());
        }
        let projects = self.projects_selected(&format!("{PROJECT_LABEL}={name}")).await?;
        self.named_projects.borrow_mut().insert(name.to_owned(), projects.clone());
        Ok(projects)
    }

    /// Looks up the namespace of a project. If the user may not list namespaces, passes the usual one to `note`, once,
    /// and returns it.
    ///
    /// # Errors
    /// The project does not exist, or several namespaces claim it.
    pub(crate) async fn namespace_of(&self, project: &str, note: impl Fn(&str)) -> error::Result<String> {
        project::check_name(project)?;
        if let Some(usual) = self.guessed_projects.borrow().get(project) {
            return Ok(usual.clone());
        }
        let found = match self.projects_named(project).await {
            Err(failure) if failure.is_forbidden() => {
                let usual = project::usual_namespace(project);
                note(&usual);
                self.guessed_projects.borrow_mut().insert(project.to_owned(), usual.clone());
                return Ok(usual);
            }
            found => project::only_namespace(project, found?)?,
        };
        match found {
            Some(project) => Ok(project.namespace),
            None => Err(project::unknown(project, &self.projects().await?)),
        }
    }

    /// Returns the project of a namespace that was taken for its usual one, because it can't be looked up.
    pub(crate) fn guessed_project(&self, is_meant: impl Fn(&str) -> bool) -> Option<String> {
        let guessed = self.guessed_projects.borrow();
        guessed.iter().find(|(_, namespace)| is_meant(namespace)).map(|(project, _)| project.clone())
    }

    pub(crate) async fn projects(&self) -> Result<Vec<Project>, Failure> {
        self.projects_selected(PROJECT_LABEL).await
    }

    pub(crate) async fn namespace(&self, name: &str) -> Result<Metadata, Failure> {
        let call = Call::get(Place::namespace(name)).metadata_only();
        self.object::<MetadataOnly>(&call).await.map(|only| only.metadata)
    }

    /// Returns true if a namespace belongs to a project.
    pub(crate) async fn is_of_a_project(&self, namespace: &str) -> Result<bool, Failure> {
        let call = Call::get(Place::namespaces()).query("labelSelector", PROJECT_LABEL);
        let call = call.query("fieldSelector", format!("metadata.name={namespace}"));
        Ok(!self.list_metadata(call).await?.is_empty())
    }

    async fn projects_selected(&self, selector: &str) -> Result<Vec<Project>, Failure> {
        let call = Call::get(Place::namespaces()).query("labelSelector", selector);
        let namespaces = self.list_metadata(call).await?;
        let project = |Metadata { name, mut labels, terminating, .. }: Metadata| {
            let project = labels.remove(PROJECT_LABEL)?;
            Some(Project { name: project, namespace: name, terminating: terminating.is_some() })
        };
        Ok(namespaces.into_iter().filter_map(project).collect())
    }
}
