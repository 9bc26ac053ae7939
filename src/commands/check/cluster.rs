//! Reads what `check` looks at in a cluster: the consumers of secrets, and the secrets that they refer to.

use crate::cluster::{self, Cluster, Namespaces, Unseen};
use crate::error::Result;
use crate::findings::{EnvNames, Extent, Makers, View, referred};
use crate::history::History;
use crate::secret::Inspection;
use crate::workload::{Consumer, Kind, Target, Way};
use crate::{propagation, session, uses};
use futures::stream::{self, StreamExt};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How many secrets are read at a time.
const AT_ONCE: usize = 64;

/// How many missing secrets are looked for in other namespaces; each takes one request.
const SOUGHT: usize = 10;

pub(super) type Logins = BTreeMap<(String, String), Vec<String>>;

/// The namespaces that have a secret which is missing, by its name.
pub(super) type Elsewhere = BTreeMap<String, Vec<String>>;

pub(super) type Secrets = BTreeMap<(String, String), Option<Inspection>>;

/// What was read of consumers and secrets.
pub(super) struct Seen {
    pub(super) consumers: Vec<Consumer>,
    pub(super) secrets: Secrets,
    pub(super) logins: Logins,
    pub(super) env_names: EnvNames,
    pub(super) extent: Extent,
    pub(super) unseen: Vec<Unseen>,
}

impl Seen {
    /// Completes the view with the namespaces that have what is missing.
    pub(super) fn view(self, elsewhere: Elsewhere) -> (View, Vec<Unseen>) {
        let Self { consumers, secrets, logins: account_logins, env_names, extent, unseen } = self;
        let made = Makers::default();
        let files = BTreeMap::new();
        (View { consumers, secrets, elsewhere, account_logins, made, env_names, files, extent }, unseen)
    }
}

/// Reads everything in one namespace, or in all.
pub(super) async fn consumers_in(
    scope: &Namespaces,
    runai_namespace: &str,
    cluster: &Cluster,
) -> Result<Seen> {
    let consumers = uses::consumers::find_with(consumer, scope, cluster);
    let (consumers, secrets, env_names) =
        tokio::join!(consumers, cluster.inspect_secrets(scope), env_names(cluster));
    let (consumers, secrets) = (consumers?, secrets?);
    let extent = if consumers.unseen.is_empty() { Extent::Whole } else { Extent::Part };
    let cluster::Seen { found: consumers, unseen: consumers_unseen, .. } = consumers;
    let listed = |namespace: &str| {
        !secrets.unseen.iter().any(|one| one.namespace.as_deref().is_none_or(|at| at == namespace))
    };
    let (known, to_read): (Vec<_>, Vec<_>) =
        referred(&consumers).into_iter().partition(|(namespace, _)| listed(namespace));
    let mut all: BTreeMap<_, _> = known.into_iter().map(|place| (place, None)).collect();
    let (read, refused) = read(to_read, cluster).await?;
    all.extend(read);
    all.extend(secrets.found.into_iter().map(by_place));
    copies_learn(&mut all, runai_namespace);
    // A user who may not list secrets may read those that are used one by one, if it is known which are used.
    let all_were_read = refused.is_empty() && extent == Extent::Whole;
    let unseen = [consumers_unseen, if all_were_read { Vec::new() } else { secrets.unseen }].concat();
    let logins = logins_in(&consumers);
    Ok(Seen { consumers, secrets: all, logins, env_names, extent, unseen })
}

/// Adds to the history of each copy what is known of its source.
fn copies_learn(secrets: &mut Secrets, runai_namespace: &str) {
    let sources = secrets.values().flatten().filter(|secret| secret.namespace == runai_namespace);
    let sources: BTreeMap<String, History> =
        sources.map(|source| (source.name.clone(), source.history.clone())).collect();
    for secret in secrets.values_mut().flatten().filter(|secret| propagation::may_be_copy(&secret.labels)) {
        if secret.namespace != runai_namespace
            && let Some(source) = sources.get(&secret.name)
        {
            secret.history.learn_from(source);
        }
    }
}

/// Reads one workload and what it made, such as pods that are stuck.
pub(super) async fn consumer_named(
    target: &Target,
    namespace: &str,
    cluster: &Cluster,
) -> Result<(View, Vec<Unseen>)> {
    let children = ["ReplicaSet", "Job", "Pod"];
    let kinds = Kind::referring().filter(|kind| children.contains(&kind.name) && *kind != target.kind);
    let scope = Namespaces::One(namespace.to_owned());
    let made = cluster.objects(kinds, &scope, |kind, object| Consumer::of(kind, object, |_| true));
    let (object, made, env_names) =
        tokio::join!(cluster.workload(namespace, target), made, env_names(cluster));
    let cluster::Seen { found, unseen, .. } = made?;
    let object = match object {
        Ok(object) => object,
        Err(failure) => {
            return Err(Box::pin(session::not_found::workload(failure, target, namespace, cluster)).await);
        }
    };
    let own = consumer(target.kind, &object);
    let consumers = own.with_what_it_made(found);
    let (secrets, logins) = tokio::join!(
        read(referred(&consumers).into_iter().collect(), cluster),
        read_logins(&consumers, cluster)
    );
    let ((secrets, refused), (logins, unread)) = (secrets?, logins?);
    let unseen = [unseen, refused, unread].concat();
    let elsewhere = elsewhere(&secrets, cluster).await;
    Ok(Seen { consumers, secrets, logins, env_names, extent: Extent::Part, unseen }.view(elsewhere))
}

/// Reads the references and doubts of an object.
pub(super) fn consumer(kind: &'static Kind, object: &Value) -> Consumer {
    Consumer::of(kind, object, |_| true).with_doubts(object)
}

/// Returns the registry logins of the service accounts among these consumers.
pub(super) fn logins_in(consumers: &[Consumer]) -> Logins {
    let accounts = consumers.iter().filter(|one| one.kind == Kind::service_account());
    let logins = |account: &Consumer| {
        let pulls = account.references.iter().filter(|reference| reference.way == Way::ImagePull);
        pulls.map(|reference| reference.secret.clone()).collect()
    };
    accounts.map(|one| ((one.namespace.clone(), one.name.clone()), logins(one))).collect()
}

/// Reads, one by one, the registry logins of the service accounts that workloads with a login of their own do
/// not use.
pub(super) async fn read_logins(consumers: &[Consumer], cluster: &Cluster) -> Result<(Logins, Vec<Unseen>)> {
    let (mut logins, mut refused) = (logins_in(consumers), BTreeSet::new());
    let own = consumers.iter().flat_map(|one| {
        one.own_logins.iter().map(|own| (one.namespace.clone(), own.account.clone())).collect::<Vec<_>>()
    });
    let wanted: BTreeSet<_> = own.filter(|place| !logins.contains_key(place)).collect();
    let reads = wanted.into_iter().map(async |(namespace, account)| {
        let read = uses::account_logins::read(BTreeSet::from([account]), &namespace, cluster).await;
        (read, namespace)
    });
    for (read, namespace) in futures::future::join_all(reads).await {
        for (account, found) in read? {
            match found {
                Some(found) => drop(logins.insert((namespace.clone(), account), found)),
                None => {
                    refused.insert(Unseen::of_known(Some(namespace.clone()), "serviceaccounts"));
                }
            }
        }
    }
    Ok((logins, refused.into_iter().collect()))
}

pub(super) fn by_place(secret: Inspection) -> ((String, String), Option<Inspection>) {
    ((secret.namespace.clone(), secret.name.clone()), Some(secret))
}

/// Reads secrets one by one: a user who may not list them may be allowed to read some.
pub(super) async fn read(places: Vec<(String, String)>, cluster: &Cluster) -> Result<(Secrets, Vec<Unseen>)> {
    let reads = places.into_iter().map(async |(namespace, name)| {
        let secret = cluster.inspect_secret(&namespace, &name).await;
        (secret, (namespace, name))
    });
    let mut reads = stream::iter(reads).buffer_unordered(AT_ONCE);
    let (mut secrets, mut refused) = (Secrets::new(), BTreeSet::new());
    while let Some((secret, place)) = reads.next().await {
        match secret {
            Ok(secret) => drop(secrets.insert(place, Some(secret))),
            Err(failure) if failure.is_not_found() => drop(secrets.insert(place, None)),
            Err(failure) if failure.is_forbidden() => {
                refused.insert(Unseen::of_known(Some(place.0), "secrets"));
            }
            Err(failure) => return Err(failure.into()),
        }
    }
    Ok((secrets, refused.into_iter().collect()))
}

/// Looks for missing secrets in other namespaces.
pub(super) async fn elsewhere(secrets: &Secrets, cluster: &Cluster) -> Elsewhere {
    let missing = secrets.iter().filter(|(_, secret)| secret.is_none()).map(|((_, name), _)| name);
    let missing: BTreeSet<&String> = missing.take(SOUGHT).collect();
    let searches = missing.into_iter().map(async |name| {
        // Only for a hint: without the right to list there is none.
        let found = cluster.secrets_named(name).await.unwrap_or_default();
        (name.clone(), found.into_iter().map(|secret| secret.namespace).collect())
    });
    futures::future::join_all(searches).await.into_iter().collect()
}

/// Returns the cluster's rule for names of variables. Without the right to ask for the version it is the rule
/// that every cluster follows.
pub(super) async fn env_names(cluster: &Cluster) -> EnvNames {
    let version = cluster.version().await.unwrap_or((1, 0));
    EnvNames::of_version(version.0, version.1)
}
