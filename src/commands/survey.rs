//! Where a shared secret got to: its source, the projects, and what each of them has under its name.
//!
//! `status` shows it, `sync` starts from it, `label --wait` and `delete --cluster-wide` follow it. Who may list neither
//! namespaces nor secrets of the whole cluster still gets what can be read one by one.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};

use super::Session;
use crate::cluster::{Cluster, Failure};
use crate::error::{Error, Result};
use crate::project::{self, Project};
use crate::propagation::{self, Evidence, Found, Namesake, Row, Scope, Source, State};

/// How many requests are under way at once.
pub(super) const IN_FLIGHT: usize = 16;

/// So many projects are read one by one sooner than the secrets of the whole cluster are listed.
const FEW: usize = 4;

/// About how many bytes one page of secrets may have.
const PAGE_BYTES: usize = 4 << 20;
/// What a secret takes beside its content: names, labels, the record of who wrote which field.
const BESIDE_CONTENT: usize = 2000;

/// The projects that are meant.
pub(super) struct Area {
    pub(super) projects: Vec<Project>,
    pub(super) reach: Reach,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    EveryProject,
    /// Those that `--project` names.
    Chosen,
}

/// A shared secret and its copies.
pub(super) struct Survey {
    pub(super) name: String,
    /// Run:ai's namespace.
    pub(super) namespace: String,
    pub(super) source: Source,
    /// In the order of the projects' names; copies that belong to no project come last.
    pub(super) rows: Vec<Row>,
}

impl Area {
    /// The projects that were named, or all.
    ///
    /// # Errors
    /// A name is unknown; or namespaces can't be listed and no project was named.
    pub(super) async fn find(named: &[String], cluster: &Cluster, session: &Session<'_>) -> Result<Self> {
        for name in named {
            project::check_name(name)?;
        }
        let all = match cluster.projects().await {
            Ok(all) => all,
            Err(failure) if failure.is_forbidden() && !named.is_empty() => {
                return Ok(Self { projects: usual(named, session), reach: Reach::Chosen });
            }
            Err(failure) if failure.is_forbidden() => {
                return Err(Error::from(failure).hint(
                    "you may not list namespaces, so the projects are not known: name them with --project",
                ));
            }
            Err(failure) => return Err(failure.into()),
        };
        if named.is_empty() {
            return Ok(Self { projects: sorted(all), reach: Reach::EveryProject });
        }
        for name in named {
            if all.iter().all(|project| project.name != *name) {
                return Err(project::unknown(name, &all));
            }
        }
        let chosen = all.into_iter().filter(|project| named.contains(&project.name)).collect();
        Ok(Self { projects: sorted(chosen), reach: Reach::Chosen })
    }

    /// Without these projects.
    ///
    /// # Errors
    /// One of them is not there: a slip of the fingers would include it.
    pub(super) fn leave_out(&mut self, names: &[String]) -> Result<()> {
        for name in names {
            if self.projects.iter().all(|project| project.name != *name) {
                return Err(project::unknown(name, &self.projects));
            }
        }
        self.projects.retain(|project| !names.contains(&project.name));
        Ok(())
    }
}

/// The usual namespaces of projects whose own can't be looked up.
fn usual(names: &[String], session: &Session<'_>) -> Vec<Project> {
    session.ui.note("you may not list namespaces: taking runai-PROJECT, the usual one, for each project");
    let project = |name: &String| Project {
        name: name.clone(),
        namespace: format!("runai-{name}"),
        terminating: false,
    };
    let mut projects: Vec<Project> = names.iter().map(project).collect();
    projects.dedup_by(|a, b| a.name == b.name);
    sorted(projects)
}

fn sorted(mut projects: Vec<Project>) -> Vec<Project> {
    projects.sort_by(|a, b| (&a.name, &a.namespace).cmp(&(&b.name, &b.namespace)));
    projects
}

/// The secret in Run:ai's namespace, as far as there is one and it may be read.
pub(super) async fn read_source(cluster: &Cluster, namespace: &str, name: &str) -> Result<Source, Failure> {
    match cluster.namesake(namespace, name).await {
        Ok(secret) => Ok(Source::of(secret)),
        Err(failure) if failure.is_not_found() => Ok(Source::Missing),
        Err(failure) if failure.is_forbidden() => Ok(Source::Unseen),
        Err(failure) => Err(failure),
    }
}

impl Survey {
    /// Looks for the source and for what the projects have; three requests, and more pages.
    pub(super) async fn take(
        name: &str,
        namespace: &str,
        area: &Area,
        cluster: &Cluster,
    ) -> Result<Self, Failure> {
        let source = read_source(cluster, namespace, name).await?;
        Self::of(name, namespace, source, area, cluster).await
    }

    /// Looks for what the projects have of a source that was read.
    pub(super) async fn of(
        name: &str,
        namespace: &str,
        source: Source,
        area: &Area,
        cluster: &Cluster,
    ) -> Result<Self, Failure> {
        // Should somebody call Run:ai's own namespace a project: what is there is the source.
        let projects = area.projects.iter().filter(|project| project.namespace != namespace).collect();
        let looking = Looking { name, namespace, source: &source, projects, reach: area.reach, cluster };
        let mut rows = looking.rows().await?;
        rows.sort_by(|a, b| place(a).cmp(&place(b)));
        Ok(Self { name: name.to_owned(), namespace: namespace.to_owned(), source, rows })
    }

    /// How many projects there are in each state.
    pub(super) fn counts(&self) -> BTreeMap<State, usize> {
        self.rows.iter().fold(BTreeMap::new(), |mut counts, row| {
            *counts.entry(row.state).or_default() += 1;
            counts
        })
    }

    pub(super) fn in_state(&self, state: State) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.state == state)
    }

    /// Is there a trace of it: the secret itself, or a copy?
    pub(super) fn is_known(&self) -> bool {
        !matches!(self.source, Source::Missing) || self.rows.iter().any(|row| row.evidence.is_some())
    }

    pub(super) fn scope(&self) -> Option<Scope> {
        self.source.scope()
    }
}

/// What a row is called: its project, or its namespace.
pub(super) fn title(row: &Row) -> &str {
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
    reach: Reach,
    cluster: &'a Cluster,
}

impl Looking<'_> {
    async fn rows(&self) -> Result<Vec<Row>, Failure> {
        if self.reach == Reach::Chosen && self.projects.len() <= FEW {
            return self.one_by_one().await;
        }
        match self.all_at_once().await {
            Err(failure) if failure.is_forbidden() => self.one_by_one().await,
            listed => listed,
        }
    }

    /// Each secret is compared as its page comes, and dropped: a thousand copies may be a gigabyte.
    async fn all_at_once(&self) -> Result<Vec<Row>, Failure> {
        let identity = propagation::identity(self.namespace, self.name);
        let projects: BTreeMap<&str, &Project> =
            self.projects.iter().map(|project| (project.namespace.as_str(), *project)).collect();
        let keep = |secret: Namesake| {
            if let Some(project) = projects.get(secret.metadata.namespace.as_str()) {
                return Some(propagation::row(
                    self.source,
                    &identity,
                    project,
                    &Found::Secret(Box::new(secret)),
                ));
            }
            let stray = self.reach == Reach::EveryProject
                && secret.metadata.namespace != self.namespace
                && secret.evidence(&identity) == Some(Evidence::OurMark);
            stray.then(|| propagation::stray(self.source, &identity, &secret))
        };
        let mut rows = self.cluster.namesakes(self.name, self.page(), keep).await?;
        let seen: BTreeSet<&str> = rows.iter().map(|row| row.namespace.as_str()).collect();
        let without = self.projects.iter().filter(|project| !seen.contains(project.namespace.as_str()));
        let without: Vec<Row> = without
            .map(|project| propagation::row(self.source, &identity, project, &Found::Nothing))
            .collect();
        rows.extend(without);
        Ok(rows)
    }

    async fn one_by_one(&self) -> Result<Vec<Row>, Failure> {
        let identity = &propagation::identity(self.namespace, self.name);
        stream::iter(&self.projects)
            .map(|project| async move {
                let found = match self.cluster.namesake(&project.namespace, self.name).await {
                    Ok(secret) => Found::Secret(Box::new(secret)),
                    Err(failure) if failure.is_not_found() => Found::Nothing,
                    Err(failure) if failure.is_forbidden() => Found::Forbidden,
                    Err(failure) => return Err(failure),
                };
                Ok(propagation::row(self.source, identity, project, &found))
            })
            .buffer_unordered(IN_FLIGHT)
            .try_collect()
            .await
    }

    /// So many secrets to a page that it stays small whatever they hold.
    fn page(&self) -> u32 {
        let weight = self.source.content().map_or(20_000, propagation::Content::weight) + BESIDE_CONTENT;
        u32::try_from((PAGE_BYTES / weight).clamp(1, 500)).expect("at most 500")
    }
}
