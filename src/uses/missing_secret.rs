//! Explains that a workload's namespace lacks a secret: where else it is, and how it gets there.
//!
//! The other places are looked up only after that, and only as far as the user may look.

use crate::cluster::{Cluster, Failure};
use crate::command_line::CommandLine;
use crate::error::{Deed, Error, Remedy};
use crate::logins::{Machine, SERVICES, Service};
use crate::metadata::Metadata;
use crate::project::Project;
use crate::propagation::Scope;
use crate::secret::ProcessInput;
use crate::session;
use crate::session::Session;
use crate::wording::list;
use crate::workload::Attachment;

/// How many places are named at most.
const MOST: usize = 5;

/// The type of `create` that pulls images.
const LOGIN: &str = "docker-registry";

/// Returns the error that the secret of these attachments is missing, with what to do about it.
pub(crate) async fn explain(
    failure: Failure,
    name: &str,
    attachments: &[Attachment],
    namespace: &str,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Error {
    let error = Error::from(failure);
    let (named, projects, mut error) = tokio::join!(
        cluster.secrets_named(name),
        cluster.projects(),
        session::not_found::with_nearest_secret(error, name, namespace, cluster)
    );
    let named = named.unwrap_or_default();
    let projects = projects.ok();
    let runai = &session.globals.place.runai_namespace;
    let source = named.iter().find(|secret| secret.namespace == *runai);
    let others: Vec<_> = named.iter().filter(|secret| secret.namespace != *runai).collect();
    if let Some(source) = source {
        error = error.hint(of_source(source, namespace, projects.as_deref()));
    } else if !others.is_empty() {
        error = error.hint(of_others(name, &others, projects.as_deref().unwrap_or_default()));
    }
    let copies = copies(name, namespace, &others, projects.as_deref().unwrap_or_default());
    if let Some(copy) = copies.first() {
        error = error.hint(format!("to copy it: {}", command(copy)));
    }
    let logins = logins(name, namespace);
    let create = match logins.first() {
        Some(login) => format!("or {}: {}", login.name, command(login)),
        None => format!("or create it: {}", creation(name, attachments, namespace)),
    };
    error = error.hint(create);
    let (about, create) = if pulls_images(name, attachments) {
        ("type the registry, the user and the password", vec!["create", LOGIN, name])
    } else {
        ("type or paste its value, or take it from a file", vec!["create", name])
    };
    let own = Remedy {
        name: "create it".to_owned(),
        about: about.to_owned(),
        deed: Deed::First(words(create, namespace)),
    };
    copies.into_iter().chain(logins).chain([own]).fold(error, Error::remedy)
}

/// Returns the command that creates it, in the type that its use needs.
fn creation(name: &str, attachments: &[Attachment], namespace: &str) -> CommandLine {
    let create = CommandLine::plugin("create");
    if pulls_images(name, attachments) {
        let create = create.arg(LOGIN).arg(name).namespace(namespace);
        return create.then("--docker-server=HOST --docker-username=USER");
    }
    create.arg(name).namespace(namespace).then("--from-file=KEY=PATH")
}

fn pulls_images(name: &str, attachments: &[Attachment]) -> bool {
    attachments.iter().any(|one| matches!(one, Attachment::ImagePull { secret } if secret == name))
}

/// Returns the command of a remedy, to be typed.
fn command(remedy: &Remedy) -> CommandLine {
    match &remedy.deed {
        Deed::First(words) => CommandLine::of_plugin(words),
        Deed::Instead(command) => CommandLine::plugin(command),
    }
}

fn words<'a>(words: impl IntoIterator<Item = &'a str>, namespace: &'a str) -> Vec<String> {
    words.into_iter().chain(["-n", namespace]).map(ToOwned::to_owned).collect()
}

/// Returns the commands that copy it from another project.
fn copies(name: &str, namespace: &str, others: &[&Metadata], projects: &[Project]) -> Vec<Remedy> {
    let project_of = |namespace: &str| projects.iter().find(|project| project.namespace == namespace);
    let Some(here) = project_of(namespace) else { return Vec::new() };
    let from = others.iter().filter_map(|secret| project_of(&secret.namespace));
    let copy = |from: &Project| Remedy {
        name: format!("copy it from project {}", from.name),
        about: "once: the copy is not kept up to date".to_owned(),
        deed: Deed::First(
            ["copy", name, "--from-project", &from.name, "--to-project", &here.name]
                .map(ToOwned::to_owned)
                .to_vec(),
        ),
    };
    from.take(MOST).map(copy).collect()
}

/// Returns the commands that create it of a login on this machine that usually has its name.
fn logins(name: &str, namespace: &str) -> Vec<Remedy> {
    let machine = Machine::new(&ProcessInput);
    let services = SERVICES.iter().filter(|service| service.secret == name);
    let of_service = |service: &'static Service| {
        let logins = service.logins(&machine).into_iter();
        logins.map(move |login| {
            let from = format!("--from-login={login}");
            let words = if login == service.name && service.has_short_form() {
                words(["create", &login], namespace)
            } else {
                words(["create", "generic", name, &from], namespace)
            };
            let name = format!("create it of {} on this machine", service.title);
            Remedy { name, about: login, deed: Deed::First(words) }
        })
    };
    services.flat_map(of_service).take(MOST).collect()
}

/// Returns the hint for a secret that Run:ai's namespace has.
fn of_source(source: &Metadata, namespace: &str, projects: Option<&[Project]>) -> String {
    let Metadata { name, namespace: runai, labels, .. } = source;
    if Scope::of(labels) != Scope::EveryProject {
        return format!(
            "the one in namespace {runai} is not shared with the projects; to share it: {}",
            CommandLine::plugin("label").arg(name)
        );
    }
    let is_project = |projects: &[Project]| projects.iter().any(|project| project.namespace == namespace);
    if projects.is_some_and(|projects| !is_project(projects)) {
        return format!(
            "{name} is shared with every project, but namespace {namespace} belongs to none: choose one with --project"
        );
    }
    format!(
        "{name} is shared with every project, and its copy has not arrived here yet: try again in a minute"
    )
}

/// Returns the hint for a secret that other projects and namespaces have.
fn of_others(name: &str, others: &[&Metadata], projects: &[Project]) -> String {
    let places = list(session::not_found::places(others, projects));
    format!("{places} has a secret {name}, but a workload can only use secrets of its own namespace")
}
