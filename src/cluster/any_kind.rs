//! Lists the objects of every kind that a cluster has, known or not: any kind may refer to secrets.
//!
//! Discovery is sent together with the lists of built-in kinds. Then each unknown kind is one list of few
//! objects: a cluster has dozens of kinds, a namespace hardly any of their objects. If there are more, the
//! kind's schema says whether it can refer to a secret at all, and only then all of them are listed.

use serde_json::Value;
use tokio::sync::OnceCell;

use super::across_namespaces::Refusals;
use super::call::Call;
use super::discovery::ServedOthers;
use super::pages::PAGE;
use super::place::Place;
use super::{Cluster, Failure, Namespaces, Seen, Unseen};
use crate::workload::{Kind, Version, may_refer_to_secrets};

/// The number of objects of a kind that are read before its schema is.
const FIRST: u32 = 50;

/// The number of lists that are sent project by project if not all namespaces may be listed: dozens of kinds in
/// hundreds of projects would be thousands.
const MOST_LISTS: usize = 1_000;

impl Cluster {
    /// Lists the objects of the kinds that may refer to secrets: the known ones, and all that the cluster adds.
    ///
    /// # Errors
    /// Any failure but a forbidden list, or, of what the cluster adds, a refused one: that is part of the answer.
    pub(crate) async fn objects_of_every_kind<T>(
        &self,
        namespaces: &Namespaces,
        read: impl Fn(&'static Kind, &Value) -> T,
    ) -> Result<Seen<T>, Failure> {
        // Locked while the server is asked: known kinds that are not built in wait for the answer.
        let discovered = self.versions.discovered.lock().await;
        let others = async {
            let others = self.served_others(discovered).await?;
            self.objects_of_others(others, namespaces, &read).await
        };
        let (others, known) = tokio::join!(others, self.objects(Kind::referring(), namespaces, &read));
        let mut seen = known?;
        seen.add(others?);
        Ok(seen)
    }

    async fn objects_of_others<T>(
        &self,
        ServedOthers { names, missed, has_kartas }: ServedOthers,
        namespaces: &Namespaces,
        read: &impl Fn(&'static Kind, &Value) -> T,
    ) -> Result<Seen<T>, Failure> {
        let kinds: Vec<&'static Kind> = names.iter().map(|names| Kind::served(names, &[])).collect();
        let rows = OnceCell::new();
        // Asked once, together with the lists: what the Kartas say is needed only where there are objects.
        let described = async |kind: &'static Kind| {
            if !has_kartas {
                return Ok(kind);
            }
            let rows = rows.get_or_try_init(|| self.as_described(&names)).await?;
            let same = |row: &&&'static Kind| (row.group, row.plural) == (kind.group, kind.plural);
            Ok::<_, Failure>(rows.iter().find(same).copied().unwrap_or(kind))
        };
        let list = async |kind: &'static Kind, namespace: Option<String>| match self
            .objects_of_other(kind, namespace.as_deref(), &described, read)
            .await
        {
            Err(failure) if failure.is_unknown_type() => Ok(Vec::new()),
            answer => answer,
        };
        // A webhook that is down must not keep everything else from being seen.
        let unseen = |kind: &Kind, namespace| Unseen::of_added(namespace, kind.in_kubectl());
        let refusals = Refusals { is_one: Failure::is_refusal, unseen, most_lists: MOST_LISTS };
        let mut seen = self.everywhere_but(kinds, namespaces, refusals, list).await?;
        let namespace = namespaces.only().map(str::to_owned);
        seen.unseen.extend(missed.into_iter().map(|resource| Unseen::of_added(namespace.clone(), resource)));
        Ok(seen)
    }

    /// Lists the objects of a kind. The first ones are kept until it is known how the kind is described, which is
    /// asked meanwhile.
    async fn objects_of_other<T>(
        &self,
        kind: &'static Kind,
        namespace: Option<&str>,
        described: &impl AsyncFn(&'static Kind) -> Result<&'static Kind, Failure>,
        read: &impl Fn(&'static Kind, &Value) -> T,
    ) -> Result<Vec<T>, Failure> {
        let call = |version| Call::get(Place::workloads(kind, version, namespace));
        let Version::Served(preferred) = kind.version else { return Ok(Vec::new()) };
        let first = self.first_trees(call(preferred), FIRST, Value::clone);
        let (first, row) = tokio::join!(first, described(kind));
        let ((mut first, mut more), row) = (first?, row?);
        let Version::Served(version) = row.version else { return Ok(Vec::new()) };
        if version != preferred && !first.is_empty() {
            // Described in another version, in which fields may have other places.
            (first, more) = self.first_trees(call(version), FIRST, Value::clone).await?;
        }
        if !more || !self.may_refer(row, version).await? {
            return Ok(first.iter().map(|object| read(row, object)).collect());
        }
        self.list_trees(call(version), PAGE, |object| read(row, object)).await
    }

    /// Returns true if objects of a kind may refer to secrets, and if the server does not say what they hold.
    async fn may_refer(&self, kind: &Kind, version: &str) -> Result<bool, Failure> {
        match self.object::<Value>(&Call::get(Place::schemas(kind.group, version))).await {
            Ok(document) => Ok(may_refer_to_secrets(&document, kind)),
            Err(failure) if failure.is_refusal() || failure.is_unknown_type() || failure.is_too_large() => {
                Ok(true)
            }
            Err(failure) => Err(failure),
        }
    }
}
