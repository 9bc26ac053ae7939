//! Surveys a shared secret: its source, the projects, and what each of them has under its name.
//!
//! `status` shows the survey, `sync` starts from it, `label --wait` and `delete --cluster-wide` repeat it.
//! For a user who may not list the secrets of the whole cluster it reads them one by one.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};

use crate::cluster::{Beginning, Cluster, Failure};
use crate::error::Error;
use crate::project::Project;
use crate::propagation::{self, ExistingSecret, Found, Row, Scope, Source, State};
use crate::session::projects::{ProjectSelection, Reach};

/// How many projects are handled at a time. The cluster module limits the requests that are open.
pub(crate) const AT_ONCE: usize = 64;

/// Up to this many projects, one GET each is cheaper than a cluster-wide list.
const FEW: usize = 4;

/// The number of secrets that are read before it is known how large they are, each of a mebibyte at most.
const FIRST: u32 = 8;

/// The approximate limit of a page of secrets, in bytes.
const PAGE_BYTES: usize = 4 << 20;
/// The approximate size of a secret without its content, in bytes: names, labels, the record of who wrote
/// which field.
const BESIDE_CONTENT: usize = 2000;

/// A shared secret and its copies.
pub(crate) struct Survey {
    pub(crate) name: String,
    /// Run:ai's namespace.
    pub(crate) namespace: String,
    pub(crate) source: Source,
    /// Sorted by the projects' names; copies that belong to no project come last.
    pub(crate) rows: Vec<Row>,
    /// The rows that are not shown, by their states.
    left_out: BTreeMap<State, usize>,
    /// The errors of projects that could not be read.
    pub(crate) troubles: Vec<(String, Error)>,
    pub(crate) strays: Strays,
}

/// Copies in namespaces that belong to no project any more.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strays {
    /// All of them are among the rows, or they were not looked for.
    Seen,
    /// The user may not list all secrets.
    Unseen,
}

/// Reads the secret in Run:ai's namespace, if it exists and may be read.
pub(crate) async fn read_source(cluster: &Cluster, namespace: &str, name: &str) -> Result<Source, Failure> {
    match cluster.namesake(namespace, name).await {
        Ok(secret) => Ok(Source::of(secret)),
        Err(failure) if failure.is_not_found() => Ok(Source::Missing),
        Err(failure) if failure.is_forbidden() => Ok(Source::Unseen),
        Err(failure) => Err(failure),
    }
}

/// Reads the secret of this name in one namespace.
pub(crate) async fn read_secret(cluster: &Cluster, namespace: &str, name: &str) -> Result<Found, Failure> {
    match cluster.namesake(namespace, name).await {
        Ok(secret) => Ok(Found::Secret(Box::new(secret))),
        Err(failure) if failure.is_not_found() => Ok(Found::Nothing),
        Err(failure) if failure.is_forbidden() => Ok(Found::Forbidden),
        Err(failure) => Err(failure),
    }
}

/// Returns the error that Run:ai's namespace has no secret of this name.
pub(crate) fn not_found(name: &str, namespace: &str) -> Error {
    Error::in_kubectls_words(format!(
        "Error from server (NotFound): secrets \"{name}\" not found in namespace \"{namespace}\""
    ))
}

/// What was read of the copies together with their source.
pub(crate) enum Begun {
    /// What each project has.
    Each(Vec<Result<Found, Failure>>),
    /// The first secrets of the name.
    First(Result<Beginning<ExistingSecret>, Failure>),
}

impl Begun {
    /// Reads the copies of a few projects, or the first of all secrets of the name.
    async fn of(name: &str, namespace: &str, area: &ProjectSelection, cluster: &Cluster) -> Self {
        let projects = projects(area, namespace);
        if area.reach == Reach::Chosen && projects.len() <= FEW {
            Self::Each(read_each(name, &projects, cluster).await)
        } else {
            Self::everywhere(name, cluster).await
        }
    }

    /// Reads the first of all secrets of the name.
    pub(crate) async fn everywhere(name: &str, cluster: &Cluster) -> Self {
        Self::First(cluster.first_namesakes(name, FIRST).await)
    }
}

/// Returns the projects that may have copies. If somebody labels Run:ai's own namespace as a project, the secret
/// there is still the source.
fn projects<'a>(area: &'a ProjectSelection, namespace: &str) -> Vec<&'a Project> {
    area.projects.iter().filter(|project| project.namespace != namespace).collect()
}

/// Reads the secret of this name in each project.
async fn read_each(name: &str, projects: &[&Project], cluster: &Cluster) -> Vec<Result<Found, Failure>> {
    let read = |project: &&Project| {
        let namespace = project.namespace.clone();
        async move { read_secret(cluster, &namespace, name).await }
    };
    stream::iter(projects.iter().map(read)).buffered(AT_ONCE).collect().await
}

impl Survey {
    /// Looks for the source and the copies at once, with more requests for further pages.
    pub(crate) async fn take(
        name: &str,
        namespace: &str,
        area: &ProjectSelection,
        cluster: &Cluster,
    ) -> Result<Self, Failure> {
        let (source, begun) =
            tokio::join!(read_source(cluster, namespace, name), Begun::of(name, namespace, area, cluster));
        Self::of(name, namespace, (source?, begun), area, cluster).await
    }

    /// Looks for the copies of a source that was read, and goes on with those that have begun.
    pub(crate) async fn of(
        name: &str,
        namespace: &str,
        (source, begun): (Source, Begun),
        area: &ProjectSelection,
        cluster: &Cluster,
    ) -> Result<Self, Failure> {
        let projects = projects(area, namespace);
        let looking = Looking { name, namespace, source: &source, projects, area, cluster };
        let Seen { mut rows, troubles, strays } = looking.see(begun).await?;
        rows.sort_unstable_by(|a, b| place(a).cmp(&place(b)));
        Ok(Self {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            source,
            rows,
            left_out: BTreeMap::new(),
            troubles,
            strays,
        })
    }

    /// Counts the projects in each state, with those that were left out.
    pub(crate) fn counts(&self) -> BTreeMap<State, usize> {
        self.rows.iter().fold(self.left_out.clone(), |mut counts, row| {
            *counts.entry(row.state).or_default() += 1;
            counts
        })
    }

    /// Leaves out the rows that are in none of these states. They still count.
    #[must_use]
    pub(crate) fn only(mut self, states: &[State]) -> Self {
        for row in self.rows.extract_if(.., |row| !states.contains(&row.state)) {
            *self.left_out.entry(row.state).or_default() += 1;
        }
        self
    }

    pub(crate) fn in_state(&self, state: State) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.state == state)
    }

    /// Reports whether the secret or a copy was found, or may be where one could not look.
    pub(crate) fn is_known(&self) -> bool {
        let unseen = |row: &Row| matches!(row.state, State::Forbidden | State::Unknown);
        !matches!(self.source, Source::Missing)
            || self.rows.iter().any(|row| row.evidence.is_some() || unseen(row))
    }

    pub(crate) fn scope(&self) -> Option<Scope> {
        self.source.scope()
    }
}

/// Returns the name of a row: its project, or its namespace.
pub(crate) fn title(row: &Row) -> &str {
    row.project.as_deref().unwrap_or(&row.namespace)
}

fn place(row: &Row) -> (bool, &str, &str) {
    (row.project.is_none(), title(row), &row.namespace)
}

/// A survey in progress.
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
    async fn see(&self, begun: Begun) -> Result<Seen, Failure> {
        let rows = match begun {
            Begun::Each(found) => return Ok(self.one_by_one(found, Strays::Seen)),
            Begun::First(Ok(first)) => self.all_at_once(first).await,
            Begun::First(Err(failure)) => Err(failure),
        };
        match rows {
            Ok(rows) => Ok(Seen { rows, troubles: Vec::new(), strays: Strays::Seen }),
            Err(failure) if failure.is_forbidden() => {
                let every = self.area.reach == Reach::EveryProject;
                let found = read_each(self.name, &self.projects, self.cluster).await;
                Ok(self.one_by_one(found, if every { Strays::Unseen } else { Strays::Seen }))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Reads all secrets of the name in the cluster. Compares each one as its page arrives and drops it: a
    /// thousand copies may be a gigabyte.
    async fn all_at_once(&self, first: Beginning<ExistingSecret>) -> Result<Vec<Row>, Failure> {
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
            Some(content) => self.cluster.namesakes(self.name, first, page_of(content), keep).await?,
            // Without a source there is nothing to compare: the metadata is enough.
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

    /// Reports whether a secret is a copy that `sync` made in a namespace that no longer belongs to a
    /// project.
    fn is_stray(&self, secret: &ExistingSecret) -> bool {
        let namespace = &secret.metadata.namespace;
        self.area.reach == Reach::EveryProject
            && namespace != self.namespace
            && !self.area.left_out.contains(namespace)
            && secret.evidence(&self.identity()).is_some_and(|evidence| evidence.is_proof())
    }

    /// Tells what each project has.
    fn one_by_one(&self, found: Vec<Result<Found, Failure>>, strays: Strays) -> Seen {
        let identity = &self.identity();
        let (mut rows, mut troubles) = (Vec::new(), Vec::new());
        for (project, found) in self.projects.iter().zip(found) {
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

/// Returns the number of secrets on a page, so that it stays small whatever they hold.
fn page_of(content: &propagation::Content) -> u32 {
    let weight = content.weight() + BESIDE_CONTENT;
    u32::try_from((PAGE_BYTES / weight).clamp(1, 500)).expect("at most 500")
}
