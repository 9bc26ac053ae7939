//! Run:ai projects and their namespaces.
//!
//! A project's namespace has the label `runai/queue=<project>`. It is usually called `runai-<project>`, but
//! an administrator may have chosen any other name, so it is never guessed where the label can be read.

use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::secret;
use crate::wording::{list, nearest};

/// The label on a namespace that names its project.
pub(crate) const PROJECT_LABEL: &str = "runai/queue";

/// kubectl's namespace if none was chosen. It belongs to no project.
pub(crate) const UNCHOSEN_NAMESPACE: &str = "default";

#[derive(Clone)]
pub(crate) struct Project {
    pub(crate) name: String,
    pub(crate) namespace: String,
    /// Its namespace is being deleted.
    pub(crate) terminating: bool,
}

/// Checks a typed name by Run:ai's rule: it starts with a letter; lower-case letters, digits and `-` follow.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let legal = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 63
        && !name.ends_with('-')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if legal {
        return Ok(());
    }
    Err(Error::usage(format!("project {}: no project can have that name", secret::quoted(name)))
        .hint("a project's name starts with a letter and has lower-case letters, digits and '-'"))
}

/// Returns the usual name of a project's namespace; an administrator may have chosen another.
pub(crate) fn usual_namespace(name: &str) -> String {
    format!("runai-{name}")
}

/// Returns the only namespace of a project, out of those with its label.
///
/// # Errors
/// Two or more namespaces carry the project's label.
pub(crate) fn only_namespace(name: &str, found: Vec<Project>) -> Result<Option<Project>> {
    if found.len() > 1 {
        let namespaces: Vec<String> = found.into_iter().map(|project| project.namespace).collect();
        return Err(Error::failed(format!(
            "project \"{name}\" has {} namespaces: {}",
            namespaces.len(),
            list(&namespaces)
        ))
        .hint(format!("choose one with --namespace, or remove the label {PROJECT_LABEL} from the others")));
    }
    Ok(found.into_iter().next())
}

/// Builds the error for an unknown project; its hint names the nearest known one.
pub(crate) fn unknown(name: &str, projects: &[Project]) -> Error {
    let error = Error::failed(format!("project {} was not found", secret::quoted(name)));
    let names = || projects.iter().map(|project| project.name.as_str());
    let error = match projects.iter().find(|project| project.namespace == name) {
        Some(Project { name: project, .. }) => {
            error.hint(format!("that is the namespace of project {project:?}: -p {project}, or -n {name}"))
        }
        None => match nearest(name, names()) {
            Some(near) => error.hint(format!("did you mean {near:?}?")),
            None => error,
        },
    };
    match projects.len() {
        0 => error.hint(format!("no namespace has the label {PROJECT_LABEL}: is this the right cluster?")),
        1..=20 => error.hint(format!("the projects are: {}", list(names()))),
        count => error.hint(format!(
            "there are {count}: {}",
            CommandLine::kubectl("get namespaces -L").arg(PROJECT_LABEL)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(name: &str, namespace: &str) -> Project {
        Project { name: name.to_owned(), namespace: namespace.to_owned(), terminating: false }
    }

    #[test]
    fn a_mistyped_project_is_answered_with_the_nearest() {
        let projects = [project("team-a", "runai-team-a"), project("vision", "vision-ns")];
        let error = unknown("taem-a", &projects).to_string();
        assert!(error.contains("did you mean \"team-a\"?"), "{error}");
        assert!(error.contains("team-a and vision"), "{error}");
    }

    #[test]
    fn a_namespace_in_the_place_of_a_project_is_answered_with_the_project() {
        let error = unknown("runai-team-a", &[project("team-a", "runai-team-a")]).to_string();
        assert!(error.contains("of project \"team-a\": -p team-a, or -n runai-team-a"), "{error}");
    }

    #[test]
    fn a_project_with_two_namespaces_is_an_error_that_lists_them() {
        let error = only_namespace("a", vec![project("a", "one"), project("a", "two")]).err().unwrap();
        assert!(error.to_string().contains("has 2 namespaces: one and two"), "{error}");
    }

    #[test]
    fn names_of_projects_follow_run_ais_rule() {
        for name in ["a", "team-a", "x1"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "1a", "A", "a_b", "a-", "a/b", "a,b"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
