//! Lists in one namespace or in all; where a cluster-wide list is forbidden, it lists each project's
//! namespace.

use futures::stream::{self, StreamExt};
use serde::Serialize;
use serde_json::Value;

use super::call::Call;
use super::pages::PAGE;
use super::place::Place;
use super::{Cluster, Failure};
use crate::workload::{Kind, Version};

/// The number of lists begun at once: more than there are known kinds, some of which wait until it is known in
/// which version they are served.
const AT_ONCE: usize = 64;

/// The namespaces to look in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Namespaces {
    One(String),
    All,
    /// All by one list of each kind. A kind that is forbidden cluster-wide is skipped: a list for each
    /// project and kind would be too many requests.
    AllAtOnce,
}

impl Namespaces {
    /// Returns the one namespace, or all at once if there are several.
    pub(crate) fn around<'a>(mut namespaces: impl Iterator<Item = &'a String>) -> Self {
        match (namespaces.next(), namespaces.next()) {
            (Some(only), None) => Self::One(only.clone()),
            _ => Self::AllAtOnce,
        }
    }

    pub(super) fn only(&self) -> Option<&str> {
        match self {
            Self::One(namespace) => Some(namespace),
            Self::All | Self::AllAtOnce => None,
        }
    }
}

/// A list that the user may not have: the plural of the kind, and the namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Unseen {
    /// Whose kind it is; the known kinds come first.
    #[serde(skip)]
    pub(crate) kind: KindOf,
    /// None for all namespaces, when those of the projects are unknown too.
    pub(crate) namespace: Option<String>,
    pub(crate) resource: String,
}

/// Whose kind it is that was not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum KindOf {
    /// One that is known, or built in.
    Ours,
    /// One that this cluster adds, as `frobs.example.com`; `*` where it could not be told which there are.
    Cluster,
}

impl Unseen {
    pub(crate) fn of_known(namespace: Option<String>, resource: &str) -> Self {
        Self { kind: KindOf::Ours, namespace, resource: resource.to_owned() }
    }

    pub(super) fn of_added(namespace: Option<String>, resource: String) -> Self {
        Self { kind: KindOf::Cluster, namespace, resource }
    }
}

/// The objects found, and the lists that were forbidden.
pub(crate) struct Seen<T> {
    pub(crate) found: Vec<T>,
    pub(crate) unseen: Vec<Unseen>,
    /// The namespaces of the projects, where some lists cover only those: the user may not list all at once.
    pub(crate) only_in: Option<Vec<String>>,
}

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self { found: Vec::new(), unseen: Vec::new(), only_in: None }
    }
}

impl<T> Seen<T> {
    /// Adds what was seen of other kinds.
    pub(crate) fn add(&mut self, others: Self) {
        self.found.extend(others.found);
        self.unseen.extend(others.unseen);
        self.only_in = self.only_in.take().or(others.only_in);
    }

    /// Reports whether some lists cover the namespaces of the projects only.
    pub(crate) fn is_of_projects(&self) -> bool {
        self.only_in.is_some()
    }

    /// Reports whether all was seen that is in a namespace.
    pub(crate) fn covers(&self, namespace: &str) -> bool {
        let is_refused = |one: &Unseen| one.namespace.as_deref().is_none_or(|refused| refused == namespace);
        self.only_in.as_ref().is_none_or(|all| all.iter().any(|one| one == namespace))
            && !self.unseen.iter().any(is_refused)
    }
}

/// The treatment of lists that are refused.
pub(super) struct Refusals<U> {
    /// Returns true if a failure of a list is part of the answer.
    pub(super) is_one: fn(&Failure) -> bool,
    /// Returns the entry for a refused list.
    pub(super) unseen: U,
    /// The number of lists that may be asked for project by project.
    pub(super) most_lists: usize,
}

/// A list to fetch: the objects, and their namespace, or none for all.
type Wanted<W> = (W, Option<String>);

impl Cluster {
    /// Lists the objects of several kinds, and keeps of each object the result of `read`. A kind that the
    /// cluster does not serve has no objects.
    ///
    /// # Errors
    /// Any failure but a forbidden list, which is part of the answer.
    pub(crate) async fn objects<T>(
        &self,
        kinds: impl IntoIterator<Item = &'static Kind>,
        namespaces: &Namespaces,
        read: impl Fn(&'static Kind, &Value) -> T,
    ) -> Result<Seen<T>, Failure> {
        let list = async |kind: &'static Kind, namespace: Option<String>| match self
            .objects_of(kind, namespace.as_deref(), |object| read(kind, object))
            .await
        {
            Err(failure) if failure.is_not_served() => Ok(Vec::new()),
            answer => answer,
        };
        self.everywhere(kinds.into_iter().collect(), namespaces, |kind| kind.plural, list).await
    }

    pub(super) async fn objects_of<T>(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        read: impl Fn(&Value) -> T,
    ) -> Result<Vec<T>, Failure> {
        let list = |version: String| {
            self.list_trees(Call::get(Place::workloads(kind, &version, namespace)), PAGE, &read)
        };
        match list(self.version_of(kind).await?).await {
            Err(failure) if failure.is_unknown_type() && matches!(kind.version, Version::Known(_)) => {
                list(self.look_up_version_of(kind).await?).await
            }
            answer => answer,
        }
    }

    /// Carries out `list` for each of `what` in these namespaces, some at once.
    ///
    /// Asks the projects' namespaces one by one where the user may not list all namespaces at once.
    pub(super) async fn everywhere<W: Copy, T>(
        &self,
        what: Vec<W>,
        namespaces: &Namespaces,
        resource: impl Fn(W) -> &'static str,
        list: impl AsyncFn(W, Option<String>) -> Result<Vec<T>, Failure>,
    ) -> Result<Seen<T>, Failure> {
        let unseen = |one, namespace| Unseen::of_known(namespace, resource(one));
        let refusals = Refusals { is_one: Failure::is_forbidden, unseen, most_lists: usize::MAX };
        self.everywhere_but(what, namespaces, refusals, list).await
    }

    /// Does the same with another rule for refused lists.
    pub(super) async fn everywhere_but<W: Copy, T>(
        &self,
        what: Vec<W>,
        namespaces: &Namespaces,
        Refusals { is_one, unseen, most_lists }: Refusals<impl Fn(W, Option<String>) -> Unseen>,
        list: impl AsyncFn(W, Option<String>) -> Result<Vec<T>, Failure>,
    ) -> Result<Seen<T>, Failure> {
        let mut seen = Seen::default();
        let at = namespaces.only().map(str::to_owned);
        let wanted = what.into_iter().map(|one| (one, at.clone())).collect();
        let mut refused = all(wanted, &list, is_one, &mut seen).await?;
        if *namespaces == Namespaces::All && !refused.is_empty() {
            let namespaces = self.project_namespaces().await?;
            if !namespaces.is_empty() && refused.len().saturating_mul(namespaces.len()) <= most_lists {
                let one_by_one =
                    |(one, _): Wanted<W>| namespaces.iter().map(move |at| (one, Some(at.clone())));
                let wanted = refused.into_iter().flat_map(one_by_one).collect();
                refused = all(wanted, &list, is_one, &mut seen).await?;
            }
            seen.only_in = Some(namespaces);
        }
        seen.unseen = refused.into_iter().map(|(one, namespace)| unseen(one, namespace)).collect();
        seen.unseen.sort_unstable();
        Ok(seen)
    }

    /// Returns none where the user may not list namespaces.
    async fn project_namespaces(&self) -> Result<Vec<String>, Failure> {
        match self.projects().await {
            Ok(projects) => Ok(projects.into_iter().map(|project| project.namespace).collect()),
            Err(failure) if failure.is_forbidden() => Ok(Vec::new()),
            Err(failure) => Err(failure),
        }
    }
}

/// Carries out several lists, some at once. Returns those that are forbidden.
async fn all<W: Copy, T>(
    wanted: Vec<Wanted<W>>,
    list: &impl AsyncFn(W, Option<String>) -> Result<Vec<T>, Failure>,
    is_refusal: fn(&Failure) -> bool,
    seen: &mut Seen<T>,
) -> Result<Vec<Wanted<W>>, Failure> {
    let lists =
        wanted.into_iter().map(|(what, at)| async move { (list(what, at.clone()).await, (what, at)) });
    let mut lists = stream::iter(lists).buffer_unordered(AT_ONCE);
    let mut refused = Vec::new();
    while let Some((found, wanted)) = lists.next().await {
        match found {
            Ok(found) => seen.found.extend(found),
            Err(failure) if is_refusal(&failure) => refused.push(wanted),
            Err(failure) => return Err(failure),
        }
    }
    Ok(refused)
}
