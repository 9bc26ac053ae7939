//! Looks whether a secret can be created, before somebody types a value for it or another program is asked for a login.
//!
//! Where nobody is asked, the write itself tells.

use futures::future::{join, join_all, try_join_all};

use super::args::NewSecretArgs;
use super::destination::{self, Destination};
use super::typed::Type;
use super::written::of_taken_name;
use crate::cluster::{Answer, Cluster};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::DryRun;
use crate::session::Session;
use crate::wording::list;
use crate::workload::TypedTarget;
use crate::{change, secret, session};

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
        [only] => look_at_workloads(args, &only.namespace, &cluster).await,
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

/// Refuses a workload that is not there. One whose kind was left out is looked for later.
async fn look_at_workloads(args: &NewSecretArgs, namespace: &str, cluster: &Cluster) -> Result<()> {
    let typed = args.attaching.attach.iter().map(|word| TypedTarget::parse(word));
    let typed: Vec<TypedTarget> = typed.collect::<Result<_>>()?;
    let known = typed.iter().filter_map(|one| match one {
        TypedTarget::Known(target) => Some(target),
        _ => None,
    });
    try_join_all(known.map(|target| change::workload::read(cluster, namespace, target))).await.map(drop)
}
