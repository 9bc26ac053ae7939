//! Where a shared secret got to: its source, the projects, and what each of them has under its name.
//!
//! `status` shows it, `sync` starts from it, `label --wait` and `delete --cluster-wide` follow it. Who may not list the
//! secrets of the whole cluster still gets what can be read one by one.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};

use crate::cluster::{Cluster, Failure};
use crate::error::Error;
use crate::project::Project;
use crate::propagation::{self, ExistingSecret, Found, Row, Scope, Source, State};
use crate::session::projects::{ProjectSelection, Reach};

/// How many projects are worked on at once. Of their requests fewer are under way: the cluster sees to that.
pub(crate) const AT_ONCE: usize = 64;

/// So many projects are read one by one sooner than the secrets of the whole cluster are listed.
const FEW: usize = 4;

/// About how many bytes one page of secrets may have.
const PAGE_BYTES: usize = 4 << 20;
/// What a secret takes beside its content: names, labels, the record of who wrote which field.
const BESIDE_CONTENT: usize = 2000;

/// A shared secret and its copies.
pub(crate) struct Survey {
    pub(crate) name: String,
    /// Run:ai's namespace.
    pub(crate) namespace: String,
    pub(crate) source: Source,
    /// In the order of the projects' names; copies that belong to no project come last.
    pub(crate) rows: Vec<Row>,
    /// What could not be read, with the project.
    pub(crate) troubles: Vec<(String, Error)>,
    pub(crate) strays: Strays,
}

/// Copies in namespaces that belong to no project any more.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strays {
    /// Those that there are, are among the rows; or they were not asked for.
    Seen,
    /// The user may not list all secrets.
    Unseen,
}

/// The secret in Run:ai's namespace, as far as there is one and it may be read.
pub(crate) async fn read_source(cluster: &Cluster, namespace: &str, name: &str) -> Result<Source, Failure> {
    match cluster.namesake(namespace, name).await {
        Ok(secret) => Ok(Source::of(secret)),
        Err(failure) if failure.is_not_found() => Ok(Source::Missing),
        Err(failure) if failure.is_forbidden() => Ok(Source::Unseen),
        Err(failure) => Err(failure),
    }
}

/// What is in one namespace under the name.
pub(crate) async fn read_secret(cluster: &Cluster, namespace: &str, name: &str) -> Result<Found, Failure> {
    match cluster.namesake(namespace, name).await {
        Ok(secret) => Ok(Found::Secret(Box::new(secret))),
        Err(failure) if failure.is_not_found() => Ok(Found::Nothing),
        Err(failure) if failure.is_forbidden() => Ok(Found::Forbidden),
        Err(failure) => Err(failure),
    }
}

/// Nothing of that name is in Run:ai's namespace.
pub(crate) fn not_found(name: &str, namespace: &str) -> Error {
    Error::in_kubectls_words(format!(
        "Error from server (NotFound): secrets \"{name}\" not found in namespace \"{namespace}\""
    ))
}

impl Survey {
    /// Looks for the source and for what the projects have; three requests, and more pages.
    pub(crate) async fn take(
        name: &str,
        namespace: &str,
        area: &ProjectSelection,
        cluster: &Cluster,
    ) -> Result<Self, Failure> {
        let source = read_source(cluster, namespace, name).await?;
        Self::of(name, namespace, source, area, cluster).await
    }

    /// Looks for what the projects have of a source that was read.
    pub(crate) async fn of(
        name: &str,
        namespace: &str,
        source: Source,
        area: &ProjectSelection,
        cluster: &Cluster,
    ) -> Result<Self, Failure> {
        // Should somebody call Run:ai's own namespace a project: what is there is the source.
        let projects = area.projects.iter().filter(|project| project.namespace != namespace).collect();
        let looking = Looking { name, namespace, source: &source, projects, area, cluster };
        let Seen { mut rows, troubles, strays } = looking.see().await?;
        rows.sort_unstable_by(|a, b| place(a).cmp(&place(b)));
        Ok(Self { name: name.to_owned(), namespace: namespace.to_owned(), source, rows, troubles, strays })
    }

    /// How many projects there are in each state.
    pub(crate) fn counts(&self) -> BTreeMap<State, usize> {
        self.rows.iter().fold(BTreeMap::new(), |mut counts, row| {
            *counts.entry(row.state).or_default() += 1;
            counts
        })
    }

    pub(crate) fn in_state(&self, state: State) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.state == state)
    }

    /// Is there a trace of it, or a place where one could not be looked for?
    pub(crate) fn is_known(&self) -> bool {
        let unseen = |row: &Row| matches!(row.state, State::Forbidden | State::Unknown);
        !matches!(self.source, Source::Missing)
            || self.rows.iter().any(|row| row.evidence.is_some() || unseen(row))
    }

    pub(crate) fn scope(&self) -> Option<Scope> {
        self.source.scope()
    }
}

/// What a row is called: its project, or its namespace.
pub(crate) fn title(row: &Row) -> &str {
    row.project.as_deref().unwrap_or(&row.namespace)
}

fn place(row: &Row) -> (bool, &str, &str) {
    (row.project.is_none(), title(row), &row.namespace)
}

/// What is looked for, and where.
struct Looking<'a> {
    name: &'a str,
    namespace: &'a str,
    source: &'a Source,
    projects: Vec<&'a Project>,
    area: &'a ProjectSelection,
    cluster: &'a Cluster,
}

struct Seen {
    rows: Vec<Row>,
    troubles: Vec<(String, Error)>,
    strays: Strays,
}

impl Looking<'_> {
    async fn see(&self) -> Result<Seen, Failure> {
        if self.area.reach == Reach::Chosen && self.projects.len() <= FEW {
            return Ok(self.one_by_one(Strays::Seen).await);
        }
        match self.all_at_once().await {
            Ok(rows) => Ok(Seen { rows, troubles: Vec::new(), strays: Strays::Seen }),
            Err(failure) if failure.is_forbidden() => {
                let every = self.area.reach == Reach::EveryProject;
                Ok(self.one_by_one(if every { Strays::Unseen } else { Strays::Seen }).await)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Each secret is compared as its page comes, and dropped: a thousand copies may be a gigabyte.
    async fn all_at_once(&self) -> Result<Vec<Row>, Failure> {
        let projects: BTreeMap<&str, &Project> =
            self.projects.iter().map(|project| (project.namespace.as_str(), *project)).collect();
        let identity = self.identity();
        let keep = |secret: ExistingSecret| match projects.get(secret.metadata.namespace.as_str()) {
            Some(project) => {
                Some(propagation::row(self.source, &identity, project, &Found::Secret(Box::new(secret))))
            }
            None => self.is_stray(&secret).then(|| propagation::stray(self.source, &identity, &secret)),
        };
        let mut rows = match self.source.content() {
            Some(content) => self.cluster.namesakes(self.name, page_of(content), keep).await?,
            // There is nothing to compare them with: their metadata is enough.
            None => self.cluster.namesakes_without_content(self.name, keep).await?,
        };
        let seen: BTreeSet<&str> = rows.iter().map(|row| row.namespace.as_str()).collect();
        let without = self.projects.iter().filter(|project| !seen.contains(project.namespace.as_str()));
        let without: Vec<Row> = without
            .map(|project| propagation::row(self.source, &identity, project, &Found::Nothing))
            .collect();
        rows.extend(without);
        Ok(rows)
    }

    /// A copy of ours in a namespace that belongs to no project any more.
    fn is_stray(&self, secret: &ExistingSecret) -> bool {
        let namespace = &secret.metadata.namespace;
        self.area.reach == Reach::EveryProject
            && namespace != self.namespace
            && !self.area.left_out.contains(namespace)
            && secret.evidence(&self.identity()).is_some_and(|evidence| evidence.is_proof())
    }

    async fn one_by_one(&self, strays: Strays) -> Seen {
        let identity = &self.identity();
        let looks = stream::iter(&self.projects)
            .map(|project| async {
                (*project, read_secret(self.cluster, &project.namespace, self.name).await)
            })
            .buffered(AT_ONCE);
        let (mut rows, mut troubles) = (Vec::new(), Vec::new());
        for (project, found) in looks.collect::<Vec<_>>().await {
            let found = found.unwrap_or_else(|failure| {
                troubles.push((project.name.clone(), failure.into()));
                Found::Unknown
            });
            rows.push(propagation::row(self.source, identity, project, &found));
        }
        Seen { rows, troubles, strays }
    }

    fn identity(&self) -> String {
        propagation::identity(self.namespace, self.name)
    }
}

/// So many secrets to a page that it stays small whatever they hold.
fn page_of(content: &propagation::Content) -> u32 {
    let weight = content.weight() + BESIDE_CONTENT;
    u32::try_from((PAGE_BYTES / weight).clamp(1, 500)).expect("at most 500")
}
