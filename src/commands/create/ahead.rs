//! Looks whether a secret can be created, before somebody types a value for it or another program is asked for a login.
//!
//! Where nobody is asked, the write itself tells.

use std::collections::BTreeMap;

use futures::future::{join, join_all, try_join_all};

use super::args::NewSecretArgs;
use super::attaching::Attaching;
use super::destination::{self, Destination};
use super::typed::Type;
use super::written::of_taken_name;
use crate::cluster::{Answer, Cluster};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::DryRun;
use crate::secret::{SecretManifest, SecretValue};
use crate::session::Session;
use crate::wording::list;
use crate::{secret, session};

/// Refuses a secret that can't be created.
///
/// # Errors
/// Its name is taken in every namespace, one of these is not there, or a workload is not that is to get it.
pub(super) async fn look(
    name: &str,
    typed: &Type<'_>,
    args: &NewSecretArgs,
    session: &Session<'_>,
) -> Result<()> {
    if args.write.dry_run == DryRun::Client || !typed.asks(name, session)? {
        return Ok(());
    }
    let cluster = session.connect().await?;
    let destinations = destination::all(args, &cluster, session).await?;
    let name = typed.login_of_name(name).map_or(name, |service| service.secret);
    let taken = async {
        // With a hash of the values the name is not known yet.
        if args.replace || args.append_hash == Some(true) {
            return Vec::new();
        }
        let looks = join_all(destinations.iter().map(|to| is_taken(name, &to.namespace, &cluster))).await;
        destinations.iter().zip(looks).filter(|(_, is_taken)| *is_taken).map(|(to, _)| to).collect()
    };
    let missing =
        destinations.iter().map(|to| session::not_found::refuse_missing_namespace(&to.namespace, &cluster));
    let (taken, there) = join(taken, try_join_all(missing)).await;
    refuse_taken(name, &taken, &destinations, typed, session)?;
    there?;
    match destinations.as_slice() {
        [only] => look_at_workloads(name, typed, args, &only.namespace, &cluster, session).await,
        _ => Ok(()),
    }
}

/// Reports whether there is a secret of this name; not where it can't be told.
async fn is_taken(name: &str, namespace: &str, cluster: &Cluster) -> bool {
    cluster.secret(namespace, name, Answer::Metadata).await.is_ok()
}

fn refuse_taken(
    name: &str,
    taken: &[&Destination],
    all: &[Destination],
    typed: &Type<'_>,
    session: &Session<'_>,
) -> Result<()> {
    let [first, ..] = taken else { return Ok(()) };
    let places = list(taken.iter().map(|to| &to.project));
    if taken.len() < all.len() {
        session.ui.warning(&format!("secret {name} already exists in {places}: it stays as it is there"));
        return Ok(());
    }
    let set = CommandLine::plugin("set").arg(name);
    let set = match typed.asked_keys() {
        [] => set.then("KEY"),
        keys => set.args(keys),
    };
    let (error, set) = if all.len() == 1 {
        let line =
            format!("Error from server (AlreadyExists): secrets {} already exists", secret::quoted(name));
        (Error::in_kubectls_words(line), set.namespace(&first.namespace))
    } else {
        (Error::failed(format!("secret {name} already exists in {places}")), session.in_this_place(set))
    };
    Err(of_taken_name(error, format!("to add or change a key: {set}"), name, &first.namespace))
}

/// Refuses workloads that are not there, or can't have a secret with the keys whose values are asked for.
async fn look_at_workloads(
    name: &str,
    typed: &Type<'_>,
    args: &NewSecretArgs,
    namespace: &str,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<()> {
    let no_value = |key: &String| (key.clone(), SecretValue::from_bytes(Vec::new()));
    let keys: BTreeMap<String, SecretValue> = typed.asked_keys().iter().map(no_value).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let manifest = SecretManifest::new(name, keys);
    match Attaching::of(&args.attaching, &args.write, &manifest, session)? {
        Some(attaching) => attaching.find(namespace, cluster, session).await.map(drop),
        None => Ok(()),
    }
}
