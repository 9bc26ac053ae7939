//! `delete`: a secret of a project; or, with `--cluster-wide`, a shared one and every copy of it.

mod cluster_wide;

use std::time::Duration;

use serde_json::{Value, json};

use super::Session;
use crate::cli::{DryRun, WriteArgs, parse_duration};
use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::metadata::Metadata;
use crate::propagation::{self, Scope};
use crate::secret;
use crate::wording::plural;

/// Delete a secret, or a shared one with every copy of it
///
/// A secret that is shared, or a copy of one, is refused, with what to type instead. --cluster-wide takes the mark off,
/// waits until Run:ai has removed its copies, removes those that sync made, and then the secret itself. Stopped at any
/// point, the same command does the rest.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret delete old-token -p team-a\n  \
    kubectl runai-secret delete hf --cluster-wide")]
pub(crate) struct DeleteArgs {
    /// The secrets
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,

    /// A shared secret of the Run:ai namespace, and all its copies
    #[arg(long)]
    cluster_wide: bool,

    /// How long --cluster-wide waits until Run:ai has removed its copies
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = parse_duration, hide_short_help = true)]
    timeout: Duration,

    #[command(flatten)]
    write: WriteArgs,
}

pub(super) async fn run(args: &DeleteArgs, session: &Session<'_>) -> Result<()> {
    args.names.iter().try_for_each(|name| secret::check_secret_name(name))?;
    if args.cluster_wide {
        session.runai_namespace("delete --cluster-wide")?;
    }
    let cluster = session.connect().await?;
    let namespace = if args.cluster_wide {
        session.runai_namespace("delete --cluster-wide")?.to_owned()
    } else {
        session.namespace(&cluster).await?
    };
    let mut done = 0;
    for name in &args.names {
        let outcome = if args.cluster_wide {
            cluster_wide::Removal { name, namespace: &namespace, args, cluster: &cluster, session }
                .run()
                .await
        } else {
            one(name, &namespace, args, &cluster, session).await
        };
        match outcome {
            Ok(()) => done += 1,
            Err(error) if args.names.len() == 1 => return Err(error),
            Err(error) => session.ui.error(&error.at(&format!("secret {name}"))),
        }
    }
    let all = args.names.len();
    match done {
        done if done == all => Ok(()),
        0 => Err(Error::failed(format!("deleted none of {}", plural(all, "secret")))),
        done => Err(Error::partly(format!("deleted {done} of {}", plural(all, "secret")))),
    }
}

/// Deletes a secret that is neither shared nor a copy, if it is still as it was read.
async fn one(
    name: &str,
    namespace: &str,
    args: &DeleteArgs,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<()> {
    let secret = cluster.secret_metadata(namespace, name).await?;
    let is_runais = namespace == session.globals.place.runai_namespace;
    match Scope::of(&secret.labels) {
        Scope::Nobody => {}
        Scope::EveryProject | Scope::Department(_) if is_runais => {
            return Err(Error::failed(format!(
                "secret {name:?} in namespace {namespace:?} is shared with projects"
            ))
            .hint(format!(
                "to delete it and its copies: kubectl runai-secret delete {name} --cluster-wide"
            )));
        }
        Scope::EveryProject | Scope::Department(_) => return Err(is_a_copy(name, namespace)),
    }
    if secret.labels.contains_key(propagation::MARK) {
        return Err(is_a_copy(name, namespace));
    }
    if args.write.dry_run == DryRun::None {
        session.ui.effect(&format!(
            "secret {name} in namespace {namespace} is deleted; jobs that use it won't start again"
        ));
        session.ui.confirm(&format!("Delete {name}?")).await?;
    }
    delete(&secret, args, cluster).await?;
    report(&secret, "deleted", args, session)
}

fn is_a_copy(name: &str, namespace: &str) -> Error {
    Error::failed(format!("secret {name:?} in namespace {namespace:?} is a copy of a shared secret"))
        .hint("it would be made again: delete it where it comes from")
        .hint(format!(
            "to delete the shared secret and every copy: kubectl runai-secret delete {name} --cluster-wide"
        ))
}

async fn delete(secret: &Metadata, args: &DeleteArgs, cluster: &Cluster) -> Result<()> {
    if args.write.dry_run == DryRun::Client {
        return Ok(());
    }
    let keep = args.write.write().keep;
    let Metadata { namespace, name, uid, resource_version, .. } = secret;
    cluster.delete_secret(namespace, name, uid, resource_version, keep).await.map_err(Error::from)
}

fn report(secret: &Metadata, verb: &str, args: &DeleteArgs, session: &Session<'_>) -> Result<()> {
    let object: Value = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": secret.name, "namespace": secret.namespace, "labels": secret.labels },
    });
    session.report(&args.write, &format!("secret/{}", secret.name), verb, &object)
}
