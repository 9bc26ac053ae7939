//! Explains that something was not found, and proposes the nearest existing name.
//!
//! The names are looked up only after the failure, and only as far as the user may look. Names that can't be
//! listed give no hint and no error. They come without their objects, so no value crosses the wire.

use std::collections::BTreeMap;

use crate::cluster::{Beside, Cluster, Failure, Row};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::metadata::Metadata;
use crate::project::PROJECT_LABEL;
use crate::secret;
use crate::session::Session;
use crate::wording::nearest;
use crate::workload::Target;

/// Explains that a secret could not be read. If it is missing, proposes the nearest name and how to list all.
pub(crate) async fn secret(failure: Failure, name: &str, namespace: &str, cluster: &Cluster) -> Error {
    let is_missing = failure.is_not_found();
    let error = Error::from(failure);
    if !is_missing {
        return error;
    }
    let error =
        error.hint(format!("to list the secrets: {}", CommandLine::plugin("list").namespace(namespace)));
    with_nearest_secret(error, name, namespace, cluster).await
}

/// Adds the nearest name of a secret to an error that says already that the secret is missing.
pub(crate) async fn with_nearest_secret(
    error: Error,
    name: &str,
    namespace: &str,
    cluster: &Cluster,
) -> Error {
    let (names, wrong) = tokio::join!(cluster.secret_names(namespace), no_namespace(namespace, cluster));
    likeliest(error, name, &names.unwrap_or_default(), wrong)
}

/// Explains that a workload could not be read. If it is missing, proposes the nearest name.
pub(crate) async fn workload(failure: Failure, target: &Target, namespace: &str, cluster: &Cluster) -> Error {
    let is_missing = failure.is_not_found();
    let error = Error::from(failure);
    if !is_missing {
        return error;
    }
    let kind = target.kind;
    let mut names = Vec::new();
    let found = |row: Row| names.push(row.cell("Name").to_owned());
    let rows = cluster.workload_rows(namespace, kind, Beside::Nothing, found);
    let (_, wrong) = tokio::join!(rows, no_namespace(namespace, cluster));
    let names: Vec<String> = names.iter().map(|name| format!("{}/{name}", kind.word())).collect();
    let error = error
        .hint(format!("to list them: {}", CommandLine::kubectl("get").arg(kind.in_kubectl()).then("-A")));
    likeliest(error, &format!("{}/{}", kind.word(), target.name), &names, wrong)
}

/// Explains that something could not be created. If its namespace is missing, proposes the nearest one.
pub(crate) async fn namespace(failure: Failure, namespace: &str, cluster: &Cluster) -> Error {
    let is_missing = failure.is_not_found();
    let error = Error::from(failure);
    if !is_missing {
        return error;
    }
    let error = error.hint("name a project with --project, or a namespace that exists with --namespace");
    likeliest(error, "", &[], no_namespace(namespace, cluster).await)
}

/// Checks, after an empty report, whether the namespace exists, which the server does not say. Returns the
/// namespace's labels if they can be read.
///
/// # Errors
/// The namespace does not exist, so nothing was looked at.
pub(crate) async fn refuse_no_namespace(
    namespace: &str,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<Option<Labels>> {
    match seen(namespace, cluster).await {
        Sight::There(labels) => Ok(labels),
        Sight::Missing(wrong) => Err(Error::failed(wrong)),
        Sight::Unknown => {
            session.ui.warning(&format!("you may not look up namespace {namespace}: it may not exist"));
            Ok(None)
        }
    }
}

/// Refuses Run:ai's namespace if it does not exist; asked only once a secret was not found there.
///
/// # Errors
/// It does not exist.
pub(crate) async fn refuse_no_runai_namespace(namespace: &str, cluster: &Cluster) -> Result<()> {
    match no_namespace(namespace, cluster).await {
        Some(wrong) => Err(Error::failed(wrong).hint("--runai-namespace says where Run:ai is installed")),
        None => Ok(()),
    }
}

/// Warns, after secrets were found to be missing, if their namespace is.
pub(crate) async fn warn_of_no_namespace(namespace: &str, cluster: &Cluster, session: &Session<'_>) {
    if let Some(wrong) = no_namespace(namespace, cluster).await {
        session.ui.warning(&wrong);
    }
}

/// Checks, after an empty report about a project, whether the namespace exists. Notes that it belongs to no
/// project, unless it was named.
///
/// # Errors
/// The namespace does not exist.
pub(crate) async fn refuse_wrong_place(
    namespace: &str,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<()> {
    let labels = refuse_no_namespace(namespace, cluster, session).await?;
    if !session.is_place_chosen() && labels.is_some_and(|labels| !labels.contains_key(PROJECT_LABEL)) {
        session.ui.note(&format!(
            "namespace {namespace} belongs to no project: name one with -p PROJECT, or look into all with -A"
        ));
    }
    Ok(())
}

fn likeliest(error: Error, name: &str, names: &[String], wrong_namespace: Option<String>) -> Error {
    match (wrong_namespace, nearest(name, names.iter().map(String::as_str))) {
        (Some(wrong), _) => error.first_hint(wrong),
        (None, Some(near)) => error.first_hint(format!("did you mean {near:?}?")),
        (None, None) => error,
    }
}

type Labels = BTreeMap<String, String>;

/// The knowledge of a namespace's existence.
enum Sight {
    /// It exists; with its labels if they could be read.
    There(Option<Labels>),
    /// It does not exist. The sentence says so, with the nearest name.
    Missing(String),
    Unknown,
}

/// Returns the sentence that the namespace does not exist, with the nearest name. None if it exists or can't
/// be looked up.
async fn no_namespace(namespace: &str, cluster: &Cluster) -> Option<String> {
    match seen(namespace, cluster).await {
        Sight::Missing(wrong) => Some(wrong),
        Sight::There(_) | Sight::Unknown => None,
    }
}

/// Looks a namespace up. Users who may not read one namespace may be allowed to list all.
async fn seen(namespace: &str, cluster: &Cluster) -> Sight {
    let is_missing = match cluster.namespace(namespace).await {
        Ok(found) => return Sight::There(Some(found.labels)),
        Err(failure) if failure.is_not_found() => true,
        Err(failure) if failure.is_forbidden() => false,
        Err(_) => return Sight::Unknown,
    };
    let mut all = Vec::new();
    match cluster.each_namespace(|one| all.push(one)).await {
        Ok(()) => no_such_namespace(namespace, &all).map_or(Sight::There(None), Sight::Missing),
        Err(_) if is_missing => {
            Sight::Missing(format!("there is no namespace {}", secret::quoted(namespace)))
        }
        Err(_) => Sight::Unknown,
    }
}

fn no_such_namespace(namespace: &str, all: &[Metadata]) -> Option<String> {
    if all.iter().any(|one| one.name == namespace) {
        return None;
    }
    let missing = format!("there is no namespace {}", secret::quoted(namespace));
    if all.iter().any(|one| one.labels.get(PROJECT_LABEL).is_some_and(|project| project == namespace)) {
        return Some(format!("{missing}, but a project of that name: -p {namespace}"));
    }
    Some(match nearest(namespace, all.iter().map(|one| one.name.as_str())) {
        Some(near) => format!("{missing}; did you mean {near:?}?"),
        None => format!("{missing}; to list them: {}", CommandLine::kubectl("get namespaces")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn namespace(name: &str, project: Option<&str>) -> Metadata {
        let labels = project.map(|project| (PROJECT_LABEL.to_owned(), project.to_owned()));
        Metadata { name: name.to_owned(), labels: labels.into_iter().collect(), ..Metadata::default() }
    }

    #[test]
    fn a_namespace_that_is_not_there_is_answered_with_what_may_have_been_meant() {
        let all = [namespace("default", None), namespace("runai-team-a", Some("team-a"))];
        let hint = |name| no_such_namespace(name, &all);
        assert_eq!(hint("default"), None);
        assert!(hint("runai-taem-a").unwrap().ends_with("did you mean \"runai-team-a\"?"));
        assert!(hint("team-a").unwrap().ends_with("a project of that name: -p team-a"));
        assert!(hint("zzz").unwrap().ends_with("to list them: kubectl get namespaces"));
    }
}
