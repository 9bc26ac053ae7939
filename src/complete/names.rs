//! Looks up the names to choose from in the cluster, each with a description.
//!
//! Serves both a shell's Tab and the questions of a guided command.

use serde_json::Value;

use super::wanted::{Lookup, names_of_kinds};
use crate::cluster::{Beside, Cluster, Failure, Row, SecretHead};
use crate::error::Error;
use crate::metadata::Metadata;
use crate::project::PROJECT_LABEL;
use crate::propagation::{MARK, Scope};
use crate::secret;
use crate::typed_line::Line;
use crate::wording::{list, plural};
use crate::workload::{self, Kind, Removed, Selection, Target, TypedTarget, Use};

/// The reason why names can't be looked up.
pub(crate) enum LookupError {
    /// The server did not send them.
    Cluster(Failure),
    /// The line, or a name in it, is wrong.
    Other(Error),
}

type Result<T, E = LookupError> = std::result::Result<T, E>;

impl LookupError {
    pub(crate) fn is_forbidden(&self) -> bool {
        matches!(self, Self::Cluster(failure) if failure.is_forbidden())
    }

    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Cluster(failure) if failure.is_not_found())
    }
}

impl From<Failure> for LookupError {
    fn from(failure: Failure) -> Self {
        Self::Cluster(failure)
    }
}

impl From<Error> for LookupError {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<LookupError> for Error {
    fn from(untold: LookupError) -> Self {
        match untold {
            LookupError::Cluster(failure) => failure.into(),
            LookupError::Other(error) => error,
        }
    }
}

/// The namespace that the line is about.
pub(super) struct CompletionContext(Place);

#[derive(Debug, PartialEq, Eq)]
enum Place {
    Context,
    Namespace(String),
    /// Run:ai's own namespace, from which secrets are shared.
    Source(String),
    Project(String),
}

/// A name, and a description.
pub(super) type Found = (String, String);

impl CompletionContext {
    pub(super) fn of(line: &Line<'_>) -> Self {
        Self(Place::of(line))
    }

    pub(super) async fn ask(&self, what: &Lookup, cluster: &Cluster, found: impl Fn(Found)) -> Result<()> {
        match what {
            // Needs no cluster.
            Lookup::Entries(_) => {}
            Lookup::Namespaces => {
                cluster.each_namespace(|namespace| found(about_namespace(namespace))).await?;
            }
            Lookup::Projects => {
                let project = |namespace| about_project(&namespace).into_iter().for_each(&found);
                cluster.each_project(project).await?;
            }
            Lookup::Secrets => self.secrets(cluster, |secret, _| found(secret)).await?,
            Lookup::KeysOf(name) => {
                secret::check_secret_name(name)?;
                let namespace = self.namespace(cluster).await?;
                let secret: SecretHead = cluster.secret_head(&namespace, name).await?;
                secret.keys().for_each(|key| found((key.to_owned(), String::new())));
            }
            Lookup::Kinds(text) => {
                let kinds = cluster.others_if_described().await;
                let described = kinds.iter().filter(|kind| kind.has_place_for_attachments());
                names_of_kinds(described.copied(), &kinds, text).into_iter().for_each(found);
            }
            Lookup::Workloads(word) => {
                let (namespace, kind) = tokio::try_join!(self.namespace(cluster), kind_of(word, cluster))?;
                let workload = |row| found(about_workload(&row));
                cluster.workload_rows(&namespace, kind, Beside::Nothing, workload).await?;
            }
            Lookup::VariablesOf { secret, target } | Lookup::MountsOf { secret, target } => {
                let (kind, object) = self.workload(cluster, target).await?;
                for (name, container) in uses(&object, secret, kind, what)? {
                    found((name, container));
                }
            }
            Lookup::PlainVariablesOf(target) => {
                let (kind, object) = self.workload(cluster, target).await?;
                for name in workload::plain_variables(&object, kind) {
                    found((name, String::new()));
                }
            }
            Lookup::ContainersOf(target) => {
                let (kind, object) = self.workload(cluster, target).await?;
                let names = workload::container_names(&object, kind);
                for name in names {
                    found((name, String::new()));
                }
            }
        }
        Ok(())
    }

    /// Passes on the secrets of the namespace, each with what was read of it.
    pub(super) async fn secrets(&self, cluster: &Cluster, mut found: impl FnMut(Found, &Row)) -> Result<()> {
        let shares = matches!(self.0, Place::Source(_));
        let namespace = self.namespace(cluster).await?;
        Ok(cluster.secret_rows(&namespace, |row| found(about_secret(&row, shares), &row)).await?)
    }

    /// Reads a workload whose kind is typed.
    pub(super) async fn workload(
        &self,
        cluster: &Cluster,
        typed: &TypedTarget,
    ) -> Result<(&'static Kind, Value)> {
        let target = async {
            match typed {
                TypedTarget::OfOtherKind { kind, name } => {
                    Ok(Target { kind: kind_of(kind, cluster).await?, name: name.clone() })
                }
                other => Ok(other.clone().known()?),
            }
        };
        let (namespace, target) = tokio::try_join!(self.namespace(cluster), target)?;
        Ok((target.kind, cluster.workload(&namespace, &target).await?))
    }

    /// Returns the checked namespace, which becomes part of a path.
    pub(super) async fn namespace(&self, cluster: &Cluster) -> Result<String> {
        let namespace = match &self.0 {
            Place::Context => cluster.default_namespace().to_owned(),
            Place::Namespace(name) | Place::Source(name) => name.clone(),
            Place::Project(name) => cluster.namespace_of(name, |_| ()).await?,
        };
        secret::check_namespace(&namespace)?;
        Ok(namespace)
    }
}

/// Returns the only kind with places for attachments that has this name: a known one, or one that the cluster describes.
async fn kind_of(word: &str, cluster: &Cluster) -> Result<&'static Kind> {
    let unknown = match Kind::named(word) {
        Ok(kind) => return Ok(kind),
        Err(unknown) => unknown,
    };
    let kinds = cluster.others_if_described().await;
    let mut named = kinds.into_iter().filter(|kind| kind.answers_to(word));
    match (named.next(), named.next()) {
        (Some(kind), None) if kind.has_place_for_attachments() => Ok(kind),
        _ => Err(unknown.into()),
    }
}

impl Place {
    /// Returns where the command would look, by the rules of `Session::namespace` and of the commands that
    /// share.
    fn of(line: &Line<'_>) -> Self {
        let name = |flag| line.value(flag).filter(|name| !name.is_empty()).map(ToOwned::to_owned);
        let shares = match line.path.first() {
            Some(&("label" | "status" | "sync")) => true,
            // Its copy is there, not what is copied.
            Some(&"copy") => false,
            _ => line.has("cluster-wide"),
        };
        if let Some(project) = name("from-project") {
            return Self::Project(project);
        }
        if shares {
            return Self::Source(line.value_or_default("runai-namespace"));
        }
        match (name("namespace"), name("project")) {
            (Some(namespace), _) if namespace == line.value_or_default("runai-namespace") => {
                Self::Source(namespace)
            }
            (Some(namespace), _) => Self::Namespace(namespace),
            (None, Some(project)) => Self::Project(project),
            (None, None) => Self::Context,
        }
    }
}

/// Returns what detaching would remove from the workload, of the kind that is looked up.
fn uses(object: &Value, secret: &str, kind: &Kind, what: &Lookup) -> Result<Vec<Found>> {
    let selection = Selection::every_use(secret);
    let removed = workload::detach(object, kind, &selection)?.removed;
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

/// Describes a secret: `Opaque, 2 keys, 5d`, and whether it is shared or a copy. `shares` if the namespace
/// holds the sources.
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

/// Describes a workload: `1/1 ready, 5d`.
pub(super) fn about_workload(row: &Row) -> Found {
    let ready = row.cell("Ready");
    let ready = if ready.is_empty() { String::new() } else { format!("{ready} ready") };
    (row.cell("Name").to_owned(), in_a_row([&ready, row.cell("Status"), row.cell("Age")]))
}

/// Names the keys of a secret, as far as the list has them.
pub(super) fn more_about_secret(row: &Row) -> String {
    let (keys, count) = (&row.keys, row.cell("Data").parse().unwrap_or_default());
    let named = list(keys);
    match (keys.len(), usize::saturating_sub(count, keys.len())) {
        (0, _) => String::new(),
        (1, 0) => format!("key {named}"),
        (_, 0) => format!("keys {named}"),
        (_, more) => format!("keys {}, and {more} more", keys.join(", ")),
    }
}

/// Names the containers of a workload and their images, as far as the list has them.
pub(super) fn more_about_workload(row: &Row) -> String {
    let cell = |column| row.cell(column).replace(',', ", ");
    let (containers, images) = (cell("Containers"), cell("Images"));
    match (containers.is_empty(), containers.contains(',')) {
        (true, _) => String::new(),
        (false, false) => format!("container {containers} of image {images}"),
        (false, true) => format!("containers {containers} of images {images}"),
    }
}

fn in_a_row<const N: usize>(parts: [&str; N]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}
