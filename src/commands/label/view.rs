//! Reads what is around a secret that is to be shared, as far as the user may look.

use std::collections::BTreeMap;

use crate::cluster::{Cluster, if_there};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::metadata::Metadata;
use crate::project::Project;
use crate::sharing;
use crate::sharing::survey::not_found;
use crate::wording::list;

pub(super) struct View {
    pub(super) source: Metadata,
    pub(super) surroundings: Surroundings,
}

/// The projects, and the other secrets of this name.
pub(super) struct Surroundings {
    /// None if the user may not list namespaces.
    pub(super) projects: Option<Vec<Project>>,
    /// Projects whose namespace is being deleted: they get no copy.
    pub(super) going: Vec<Project>,
    /// None if the user may not list secrets.
    pub(super) namesakes: Option<Vec<Metadata>>,
}

impl Surroundings {
    /// Returns the projects and the other secrets of this name.
    ///
    /// # Errors
    /// The user may not list the returned resources.
    pub(super) fn seen(&self) -> Result<(&[Project], &[Metadata]), &'static str> {
        match (&self.projects, &self.namesakes) {
            (Some(projects), Some(namesakes)) => Ok((projects, namesakes)),
            (None, Some(_)) => Err("namespaces"),
            (Some(_), None) => Err("secrets"),
            (None, None) => Err("namespaces and secrets"),
        }
    }
}

/// The secret that was found under the name.
pub(super) enum Found {
    Source(Box<View>),
    /// Run:ai's namespace has none. Other namespaces that have one are known if they may be listed.
    Elsewhere(Surroundings),
}

/// Reads the secret, the others of its name and the projects, with two requests at a time if the user may
/// list them.
pub(super) async fn read(name: &str, namespace: &str, cluster: &Cluster) -> Result<Found> {
    let (named, projects) = tokio::join!(cluster.secrets_named(name), cluster.projects());
    let mut projects = sharing::unless_forbidden(projects)?;
    let going = projects.iter_mut().flat_map(|all| all.extract_if(.., |project| project.terminating));
    let going = going.collect();
    let mut namesakes = sharing::unless_forbidden(named)?;
    let source = match &mut namesakes {
        Some(named) => {
            let at = named.iter().position(|secret| secret.namespace == namespace);
            at.map(|at| named.swap_remove(at))
        }
        None => if_there(cluster.secret_metadata(namespace, name).await)?,
    };
    let surroundings = Surroundings { projects, going, namesakes };
    Ok(match source {
        Some(source) => Found::Source(Box::new(View { source, surroundings })),
        None => Found::Elsewhere(surroundings),
    })
}

/// Returns the projects that have a secret of this name.
pub(super) fn projects_with(surroundings: &Surroundings) -> Vec<&Project> {
    let Ok((projects, namesakes)) = surroundings.seen() else { return Vec::new() };
    let there: BTreeMap<&str, &Metadata> =
        namesakes.iter().map(|secret| (secret.namespace.as_str(), secret)).collect();
    projects.iter().filter(|project| there.contains_key(project.namespace.as_str())).collect()
}

pub(super) fn not_in_runai(name: &str, namespace: &str, surroundings: &Surroundings) -> Error {
    let error = not_found(name, namespace);
    let others = surroundings.namesakes.as_deref().unwrap_or_default();
    let error = match others {
        [] => error,
        others => {
            error.hint(format!("there is one in {}", list(others.iter().map(|secret| &secret.namespace))))
        }
    };
    match projects_with(surroundings).first() {
        Some(project) => error.hint(format!(
            "only a secret in Run:ai's namespace can be shared; to copy it there: {}",
            CommandLine::plugin("label").arg(name).then("--from-project").arg(&project.name)
        )),
        None => error.hint(how_to_make(name, namespace)),
    }
}

fn how_to_make(name: &str, namespace: &str) -> String {
    let create = CommandLine::plugin("create").arg(name).namespace(namespace).then("…");
    format!("only a secret in Run:ai's namespace can be shared: {create}")
}
