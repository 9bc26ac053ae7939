//! Finds the namespaces of a new secret: one, those of several projects, or Run:ai's own.

use super::args::NewSecretArgs;
use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::flags::DryRun;
use crate::session::Session;
use crate::{secret, sharing};

/// A namespace, and the name by which the user knows it.
pub(super) struct Destination {
    pub(super) namespace: String,
    pub(super) project: String,
}

/// Checks the flags before anything is read.
pub(super) fn check(args: &NewSecretArgs, session: &Session<'_>) -> Result<()> {
    if args.cluster_wide {
        return session.runai_namespace("create --cluster-wide").map(drop);
    }
    let place = &session.globals.place;
    if let Some(namespace) = &place.namespace {
        secret::check_namespace(namespace)?;
        if place.projects.len() > 1 {
            return Err(Error::usage("--namespace names one place, but --project names several")
                .hint("leave out one of the two"));
        }
    }
    Ok(())
}

/// Returns all destinations, each once.
pub(super) async fn all(
    args: &NewSecretArgs,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<Vec<Destination>> {
    if args.cluster_wide {
        let namespace = session.runai_namespace("create --cluster-wide")?.to_owned();
        return Ok(vec![Destination { project: namespace.clone(), namespace }]);
    }
    let found = session.namespaces(cluster).await?.into_iter();
    let of = |(namespace, project): (String, Option<String>)| {
        let project = project.unwrap_or_else(|| namespace.clone());
        Destination { namespace, project }
    };
    Ok(found.map(of).collect())
}

/// Asks for confirmation before a secret is shared with every project, if the name is taken in some of them.
/// `label` does the same.
pub(super) async fn agree_to_share(
    name: &str,
    args: &NewSecretArgs,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<()> {
    if args.write.dry_run != DryRun::None {
        return Ok(());
    }
    let runai = &session.globals.place.runai_namespace;
    sharing::look_and_agree(name, runai, cluster, session).await
}
