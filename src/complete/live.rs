//! Names from the kubeconfig and from the cluster, as many as come before the time is up.
//!
//! Whoever presses Tab waits with their hands on the keys. So the looking is done by a thread of its own, which hands on
//! each name as it learns it, and is left alone where it hangs: a name server that does not answer can't be interrupted.

use std::collections::BTreeSet;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::candidate::Candidate;
use super::files;
use super::line::Line;
use super::wanted::{Live, Lookup};
use crate::cli::Connection;
use crate::cluster::{Cluster, Row, entries};
use crate::error::{Error, Result};
use crate::metadata::Metadata;
use crate::project::{self, PROJECT_LABEL};
use crate::propagation::{MARK, Scope};
use crate::secret;
use crate::wording::plural;
use crate::workload::{self, ContainerChoice, Removed, Selection, Target, Use};

/// After this long nobody waits any more. With the start of the program and kubectl's it stays below 1.5 s.
const LIMIT: Duration = Duration::from_millis(1350);
/// The looking ends a little earlier by itself, and takes a credential plugin that hangs with it.
const LIMIT_OF_LOOKING: Duration = Duration::from_millis(1250);

/// Whom to ask, and about which namespace.
struct Scene {
    connection: Connection,
    place: Place,
}

#[derive(Debug, PartialEq, Eq)]
enum Place {
    Context,
    Namespace(String),
    /// Run:ai's own, from which secrets are shared.
    Source(String),
    Project(String),
}

/// A name, and a few words about it.
type Found = (String, String);

/// The names that are wanted, in alphabetical order. Never an error: what can't be looked up is not offered.
pub(super) fn candidates(wanted: &Live, line: &Line<'_>, started: Instant) -> Vec<Candidate> {
    let (what, scene) = (wanted.what.clone(), Scene::of(line));
    let (sender, names) = channel();
    std::thread::spawn(move || look(&what, &scene, &sender, started));
    let mut found = BTreeSet::new();
    while let Ok(name) = names.recv_timeout(LIMIT.saturating_sub(started.elapsed())) {
        found.insert(name);
    }
    let fits = |(name, _): &Found| name.starts_with(&wanted.text) && !wanted.except.contains(name);
    let candidate = |(name, about): Found| {
        let value = format!("{}{name}{}", wanted.before, wanted.after);
        Candidate { then: wanted.then, ..Candidate::new(value, about) }
    };
    found.into_iter().filter(fits).map(candidate).collect()
}

fn look(what: &Lookup, scene: &Scene, found: &Sender<Found>, started: Instant) {
    // Nobody listens any more: the time is up.
    let hand_on = |name| drop(found.send(name));
    if let Lookup::Entries(which) = what {
        entries(*which, &scene.connection).into_iter().flatten().for_each(hand_on);
        return;
    }
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    let limit = LIMIT_OF_LOOKING.saturating_sub(started.elapsed());
    let _ = runtime.block_on(async { tokio::time::timeout(limit, scene.ask(what, hand_on)).await });
    // A name server that does not answer would be waited for.
    runtime.shutdown_background();
}

impl Scene {
    fn of(line: &Line<'_>) -> Self {
        let text = |flag| line.value(flag).map(ToOwned::to_owned);
        let path = |flag| line.value(flag).map(files::on_disk);
        let connection = Connection {
            kubeconfig: path("kubeconfig"),
            context: text("context"),
            cluster: text("cluster"),
            user: text("user"),
            server: text("server"),
            token: text("token"),
            impersonate: text("as"),
            impersonate_groups: line.values("as-group").map(ToOwned::to_owned).collect(),
            impersonate_uid: text("as-uid"),
            certificate_authority: path("certificate-authority"),
            client_certificate: path("client-certificate"),
            client_key: path("client-key"),
            insecure_skip_tls_verify: line.value("insecure-skip-tls-verify").map(|word| word != "false"),
            tls_server_name: text("tls-server-name"),
            request_timeout: None,
        };
        Self { connection, place: Place::of(line) }
    }

    async fn ask(&self, what: &Lookup, found: impl Fn(Found)) -> Result<()> {
        let cluster = Cluster::connect_unattended(&self.connection).await?;
        match what {
            // Without a cluster.
            Lookup::Entries(_) => {}
            Lookup::Namespaces => {
                cluster.each_namespace(|namespace| found(about_namespace(namespace))).await?;
            }
            Lookup::Projects => {
                let project = |namespace| about_project(&namespace).into_iter().for_each(&found);
                cluster.each_project(project).await?;
            }
            Lookup::Secrets => {
                let shares = matches!(self.place, Place::Source(_));
                let namespace = self.namespace(&cluster).await?;
                cluster.secret_rows(&namespace, |row| found(about_secret(&row, shares))).await?;
            }
            Lookup::KeysOf(name) => {
                secret::check_secret_name(name)?;
                let namespace = self.namespace(&cluster).await?;
                let outline = cluster.secret_outline(&namespace, name).await?;
                for key in outline.keys() {
                    found((key, String::new()));
                }
            }
            Lookup::Workloads(kind) => {
                let namespace = self.namespace(&cluster).await?;
                cluster.workload_rows(&namespace, kind, |row| found(about_workload(&row))).await?;
            }
            Lookup::VariablesOf { secret, target } | Lookup::MountsOf { secret, target } => {
                let object = self.workload(&cluster, target).await?;
                for (name, container) in uses(&object, secret, target, what)? {
                    found((name, container));
                }
            }
            Lookup::ContainersOf(target) => {
                let object = self.workload(&cluster, target).await?;
                let names = workload::container_names(&object, target.kind);
                for name in names {
                    found((name, String::new()));
                }
            }
        }
        Ok(())
    }

    async fn workload(&self, cluster: &Cluster, target: &Target) -> Result<Value> {
        let namespace = self.namespace(cluster).await?;
        Ok(cluster.workload(&namespace, target).await?)
    }

    /// The namespace that is meant, checked: it becomes part of a path.
    async fn namespace(&self, cluster: &Cluster) -> Result<String> {
        let namespace = match &self.place {
            Place::Context => cluster.default_namespace().to_owned(),
            Place::Namespace(name) | Place::Source(name) => name.clone(),
            Place::Project(name) => {
                project::check_name(name)?;
                match cluster.projects_named(name).await {
                    Ok(found) => project::only_namespace(name, found)?
                        .map(|project| project.namespace)
                        .ok_or_else(|| Error::failed("there is no such project"))?,
                    Err(failure) if failure.is_forbidden() => format!("runai-{name}"),
                    Err(failure) => return Err(failure.into()),
                }
            }
        };
        secret::check_namespace(&namespace)?;
        Ok(namespace)
    }
}

impl Place {
    /// Where the command would look, by the rules of `Session::namespace` and of the commands that share.
    fn of(line: &Line<'_>) -> Self {
        let name = |flag| line.value(flag).filter(|name| !name.is_empty()).map(ToOwned::to_owned);
        let shares =
            matches!(line.path.first(), Some(&("label" | "status" | "sync"))) || line.has("cluster-wide");
        if let Some(project) = name("from-project") {
            return Self::Project(project);
        }
        if shares {
            return Self::Source(line.value_or_default("runai-namespace"));
        }
        match (name("namespace"), name("project")) {
            (Some(namespace), _) => Self::Namespace(namespace),
            (None, Some(project)) => Self::Project(project),
            (None, None) => Self::Context,
        }
    }
}

/// What would be taken off the workload, as far as it is of the kind that is looked for.
fn uses(object: &Value, secret: &str, target: &Target, what: &Lookup) -> Result<Vec<Found>> {
    let selection = Selection {
        secret: secret.to_owned(),
        variables: Vec::new(),
        paths: Vec::new(),
        containers: ContainerChoice::All,
    };
    let removed = workload::detach(object, target.kind, &selection)?.removed;
    let name = |one: &Removed| match (&one.what, what) {
        (Use::Variable(name), Lookup::VariablesOf { .. }) => Some(name.clone()),
        (Use::Files(path), Lookup::MountsOf { .. }) => Some(path.clone()),
        _ => None,
    };
    let about =
        |one: &Removed| one.container.as_ref().map(|name| format!("container {name}")).unwrap_or_default();
    Ok(removed.iter().filter_map(|one| Some((name(one)?, about(one)))).collect())
}

fn about_namespace(namespace: Metadata) -> Found {
    let about = namespace.labels.get(PROJECT_LABEL).map(|project| format!("project {project}"));
    (namespace.name, about.unwrap_or_default())
}

fn about_project(namespace: &Metadata) -> Option<Found> {
    let project = namespace.labels.get(PROJECT_LABEL)?.clone();
    Some((project, format!("namespace {}", namespace.name)))
}

/// `Opaque, 2 keys, 5d`, and what sharing has to do with it. `shares` where the namespace is that of the originals.
fn about_secret(row: &Row, shares: bool) -> Found {
    let is_marked = Scope::of(&row.labels) == Scope::EveryProject || row.labels.contains_key(MARK);
    let sharing = match (is_marked, shares) {
        (true, true) => "shared with every project",
        (true, false) => "copy of a shared secret",
        (false, _) => "",
    };
    let keys = row.cell("Data").parse().map(|count| plural(count, "key")).unwrap_or_default();
    (row.cell("Name").to_owned(), in_a_row([sharing, row.cell("Type"), &keys, row.cell("Age")]))
}

/// `Ready 1/1, 5d`.
fn about_workload(row: &Row) -> Found {
    let ready = row.cell("Ready");
    let ready = if ready.is_empty() { String::new() } else { format!("{ready} ready") };
    (row.cell("Name").to_owned(), in_a_row([&ready, row.cell("Status"), row.cell("Age")]))
}

fn in_a_row<const N: usize>(parts: [&str; N]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}
