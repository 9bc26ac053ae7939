//! Explains that something was not found, and proposes the nearest existing name.
//!
//! The names are looked up only after the failure, and only as far as the user may look. Names that can't be
//! listed give no hint and no error. They come without their objects, so no value crosses the wire.

use std::collections::BTreeMap;

use futures::future::join_all;

use crate::cluster::{Beside, Cluster, Failure, Row};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::metadata::Metadata;
use crate::project::{PROJECT_LABEL, Project, UNCHOSEN_NAMESPACE};
use crate::secret;
use crate::session::Session;
use crate::wording::{list, nearest};
use crate::workload::{KINDS, Kind, Target, Version};

/// How many places are named at most.
const MOST: usize = 5;

/// Explains that a secret could not be read. If it is missing, proposes the nearest name, says where else there is one of
/// this name, and how to list all.
pub(crate) async fn secret(failure: Failure, name: &str, namespace: &str, cluster: &Cluster) -> Error {
    let is_missing = failure.is_not_found();
    let error = Error::from(failure);
    if !is_missing {
        return error;
    }
    let list = CommandLine::plugin("list").namespace(namespace);
    let error = error.only_hint(format!("to list the secrets: {list}"));
    with_nearest_or_other_secret(error, name, namespace, cluster).await
}

/// Adds the nearest name of a secret, or else where there is one of this name, to an error that says already that the
/// secret is missing.
pub(crate) async fn with_nearest_or_other_secret(
    error: Error,
    name: &str,
    namespace: &str,
    cluster: &Cluster,
) -> Error {
    let (named, projects, error) = tokio::join!(
        cluster.secrets_named(name),
        cluster.projects(),
        with_nearest_secret(error, name, namespace, cluster)
    );
    with_places(error, &format!("a secret {name}"), &named.unwrap_or_default(), namespace, projects.ok())
}

/// Adds the nearest name of a secret to an error that says already that the secret is missing.
pub(crate) async fn with_nearest_secret(
    error: Error,
    name: &str,
    namespace: &str,
    cluster: &Cluster,
) -> Error {
    let (names, sight) = tokio::join!(cluster.secret_names(namespace), seen(namespace, cluster));
    likeliest(error, name, &names.unwrap_or_default(), namespace, &sight)
}

/// Explains that a workload could not be read. If it is missing, proposes one of this name and another kind, or the nearest
/// name of its kind, or says where else there is one.
pub(crate) async fn workload(failure: Failure, target: &Target, namespace: &str, cluster: &Cluster) -> Error {
    let is_missing = failure.is_not_found();
    let error = Error::from(failure);
    if !is_missing {
        return error;
    }
    let Target { kind, name } = target;
    let (names, others, sight, elsewhere, projects) = tokio::join!(
        words_of(kind, namespace, cluster),
        built_in_workloads(namespace, cluster),
        seen(namespace, cluster),
        cluster.workloads_everywhere(kind, name),
        cluster.projects()
    );
    let list_them = CommandLine::kubectl("get").arg(kind.in_kubectl()).namespace(namespace);
    let error = error.only_hint(format!("to list them: {list_them}"));
    let error = likeliest(error, &format!("{}/{name}", kind.word()), &names, namespace, &sight);
    let of_name = |word: &&String| word.rsplit_once('/').is_some_and(|(_, own)| own == name);
    if let Some(other) = others.iter().find(of_name) {
        return error.first_hint(format!("did you mean {other:?}?"));
    }
    with_places(
        error,
        &format!("a {}", kind.display_name(name)),
        &elsewhere.unwrap_or_default(),
        namespace,
        projects.ok(),
    )
}

/// Returns the nearest of the built-in workloads, as it can be typed; none if no name is near.
pub(crate) async fn nearest_workload(name: &str, namespace: &str, cluster: &Cluster) -> Option<String> {
    let words = built_in_workloads(namespace, cluster).await;
    let names = words.iter().filter_map(|word| word.rsplit_once('/')).map(|(_, own)| own);
    let near = nearest(name, names)?.to_owned();
    words.into_iter().find(|word| word.rsplit_once('/').is_some_and(|(_, own)| own == near))
}

/// Lists the workloads of built-in kinds, as they can be typed: `job/train`. Those that others made stand last.
async fn built_in_workloads(namespace: &str, cluster: &Cluster) -> Vec<String> {
    let kinds = KINDS.iter().filter(|kind| matches!(kind.version, Version::BuiltIn(_)));
    join_all(kinds.map(|kind| words_of(kind, namespace, cluster))).await.concat()
}

/// Lists the workloads of a kind, as they can be typed; none that the user may not see.
async fn words_of(kind: &'static Kind, namespace: &str, cluster: &Cluster) -> Vec<String> {
    let mut words = Vec::new();
    let found = |row: Row| words.push(format!("{}/{}", kind.word(), row.cell("Name")));
    let _ = cluster.workload_rows(namespace, kind, Beside::Nothing, found).await;
    words
}

/// Adds where else there is one of this name.
fn with_places(
    error: Error,
    what: &str,
    named: &[Metadata],
    namespace: &str,
    projects: Option<Vec<Project>>,
) -> Error {
    let projects = projects.unwrap_or_default();
    let others: Vec<&Metadata> = named.iter().filter(|one| one.namespace != namespace).collect();
    let places = places(&others, &projects);
    match others.as_slice() {
        [] => error,
        [only] => {
            let project = projects.iter().find(|project| project.namespace == only.namespace);
            let flag = project
                .map_or_else(|| format!("-n {}", only.namespace), |project| format!("-p {}", project.name));
            error.first_hint(format!("{} has {what}: {flag}", list(places)))
        }
        _ => error.first_hint(format!("{} have {what}: name one with -p or -n", list(places))),
    }
}

/// Returns the projects and namespaces of some objects in words, and how many more there are.
pub(crate) fn places(of: &[&Metadata], projects: &[Project]) -> Vec<String> {
    let place = |object: &&Metadata| {
        let project = projects.iter().find(|project| project.namespace == object.namespace);
        project.map_or_else(
            || format!("namespace {}", object.namespace),
            |project| format!("project {}", project.name),
        )
    };
    let mut places: Vec<String> = of.iter().take(MOST).map(place).collect();
    if of.len() > MOST {
        places.push(format!("{} more", of.len() - MOST));
    }
    places
}

/// Explains that something could not be created. If its namespace is missing, proposes the nearest one.
pub(crate) async fn namespace(failure: Failure, namespace: &str, cluster: &Cluster) -> Error {
    let is_missing = failure.is_not_found();
    let error = Error::from(failure);
    if !is_missing {
        return error;
    }
    let error = error.hint("name a project with --project, or a namespace that exists with --namespace");
    match no_namespace(namespace, cluster).await {
        Some(wrong) => error.first_hint(wrong),
        None => error,
    }
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

/// Refuses a namespace that does not exist; asked only once nothing was found there.
///
/// # Errors
/// It does not exist.
pub(crate) async fn refuse_missing_namespace(namespace: &str, cluster: &Cluster) -> Result<()> {
    no_namespace(namespace, cluster).await.map_or(Ok(()), |wrong| Err(Error::failed(wrong)))
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
            "namespace {namespace} belongs to no project: name one with -p PROJECT, or look into all with -A; {}",
            how_to_keep()
        ));
    }
    Ok(())
}

/// Adds the likeliest cause: the namespace, or a name that was mistyped.
fn likeliest(error: Error, name: &str, names: &[String], namespace: &str, sight: &Sight) -> Error {
    if let Sight::Missing(wrong) = sight {
        return error.only_hint(wrong);
    }
    let is_no_projects = |labels: &Labels| !labels.contains_key(PROJECT_LABEL);
    let is_unchosen = namespace == UNCHOSEN_NAMESPACE
        && matches!(sight, Sight::There(Some(labels)) if is_no_projects(labels));
    match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => error.first_hint(format!("did you mean {near:?}?")),
        None if is_unchosen => error.only_hint(format!(
            "namespace {namespace} belongs to no project: name one with -p PROJECT, or a namespace with -n; {}",
            how_to_keep()
        )),
        None => error,
    }
}

/// Says how a project's namespace is kept, so that no flag need name it.
fn how_to_keep() -> String {
    let keep = CommandLine::kubectl("config set-context --current --namespace=NAMESPACE");
    format!("to keep one for all commands: {keep}")
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
