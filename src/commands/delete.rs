//! `delete`: a secret of a project; or, with `--cluster-wide`, a shared one and every copy of it.

mod cluster_wide;

use std::time::Duration;

use serde_json::json;

use super::secret_anew::Remains;
use super::several::{Objects, Several};
use super::sharing::Standing;
use super::who_needs::{Consumers, Deed, Force, Plan};
use super::{Session, not_found, sharing};
use crate::cli::{self, DryRun, WriteArgs, parse_duration};
use crate::cluster::{Cluster, Failure, Namespaces};
use crate::command::CommandLine;
use crate::error::{Error, Result};
use crate::metadata::Metadata;
use crate::propagation::Scope;
use crate::secret;

/// Delete a secret, or a shared one with every copy of it
///
/// A secret that is shared, or a copy of one that sync made, is refused, with what to type instead. --cluster-wide takes
/// the mark off, waits until Run:ai has removed its copies, removes those that sync made, and then the secret itself. A
/// secret with a label of Run:ai whose content is not the shared one's is left alone, and named. Stopped at any point, the
/// same command does the rest.
///
/// First the workloads are listed that use it, and how. Where one that runs, waits in a queue, is suspended or is a cron
/// job between two runs could not start without it, nothing is deleted unless --force says so; for service accounts that
/// pull images with it and for ingresses that is the same. Workloads that ended, are scaled to 0, or call it optional
/// are only mentioned. What you may not list is named, and does not stop it.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret delete old-token -p team-a\n  \
    kubectl runai-secret delete old-token -p team-a --dry-run=server\n  \
    kubectl runai-secret delete hf --cluster-wide")]
pub(crate) struct DeleteArgs {
    /// The secrets
    #[arg(value_name = "NAME", required = true, value_parser = cli::parse_secret)]
    names: Vec<String>,

    /// A shared secret of the Run:ai namespace, and all its copies
    #[arg(long)]
    cluster_wide: bool,

    /// Delete it although workloads need it; whether you agree is still asked
    #[arg(long)]
    force: bool,

    /// How long --cluster-wide waits until Run:ai has removed its copies
    #[arg(long, value_name = "DURATION", default_value = "60s", requires = "cluster_wide", value_parser = parse_duration, hide_short_help = true)]
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
    let (namespace, scope) = if args.cluster_wide {
        (session.runai_namespace("delete --cluster-wide")?.to_owned(), Namespaces::AllAtOnce)
    } else {
        let namespace = session.namespace(&cluster).await?;
        (namespace.clone(), Namespaces::One(namespace))
    };
    let (force, dry_run) = (Force::given(args.force), args.write.dry_run);
    let plan = Plan { deed: Deed::Delete, force, names: &args.names, dry_run };
    let mut consumers = Consumers::new(scope, plan, &cluster, session);
    let mut several = Several::secrets(args.names.len(), session);
    let objects = Objects::asked(args.names.len(), &args.write, session);
    let mut deleted = Deleted { args, session, objects };
    let mut stopped = Ok(());
    for name in &args.names {
        let outcome = if args.cluster_wide {
            cluster_wide::Removal { name, namespace: &namespace, args, cluster: &cluster, session }
                .run(&mut consumers, &mut deleted)
                .await
        } else {
            one(name, &namespace, &mut consumers, &cluster, &mut deleted).await
        };
        if let Err(error) = several.one(name, outcome) {
            stopped = Err(error);
            break;
        }
    }
    deleted.objects.print()?;
    stopped.and(several.verdict())
}

/// What was deleted.
struct Deleted<'a> {
    args: &'a DeleteArgs,
    session: &'a Session<'a>,
    objects: Objects<'a>,
}

impl Deleted<'_> {
    /// `place` is said where it is not the one that was asked about.
    fn tell(&mut self, name: &str, namespace: &str, place: Option<&str>) -> Result<()> {
        let verb = place.map_or_else(|| "deleted".to_owned(), |place| format!("deleted in {place}"));
        let metadata = json!({ "name": name, "namespace": namespace });
        let object = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata });
        self.objects.tell(&format!("secret/{name}"), &verb, object)
    }
}

/// Deletes a secret that is neither shared nor a copy, if it is still as it was read.
async fn one(
    name: &str,
    namespace: &str,
    consumers: &mut Consumers<'_>,
    cluster: &Cluster,
    deleted: &mut Deleted<'_>,
) -> Result<()> {
    let (args, session) = (deleted.args, deleted.session);
    let secret = match cluster.secret_metadata(namespace, name).await {
        Ok(secret) => secret,
        Err(failure) => {
            forget(name, namespace, &failure, cluster, args, session);
            return Err(not_found::secret(failure, name, namespace, cluster).await);
        }
    };
    if sharing::scope(&secret, session) != Scope::Nobody {
        return Err(Error::failed(format!(
            "secret {name:?} in namespace {namespace:?} is shared with projects"
        ))
        .hint(format!("to delete it and its copies: {}", cluster_wide_command(name, session))));
    }
    let mut effects = vec![format!(
        "secret {name} in namespace {namespace} is deleted; jobs that use it won't start again"
    )];
    match sharing::standing(&secret, cluster, session).await? {
        Standing::Own => {}
        Standing::Left(origin) => sharing::note_left(&origin, &secret, session),
        Standing::Copy(_) => return Err(is_a_copy(name, namespace, session)),
        Standing::PerhapsACopy(origin) => effects.push(format!(
            "it may be Run:ai's copy of {} ({}): if it is, it is made again",
            origin.identity, origin.evidence
        )),
    }
    consumers.tell(name, &effects, |_| true).await?;
    if args.write.dry_run == DryRun::None {
        session.ui.confirm(&format!("Delete {name}?")).await?;
    }
    delete(&secret, args, cluster).await?;
    deleted.tell(name, namespace, None)
}

/// Of a secret that is gone since a `create --replace` was cut short, nothing is to be brought back any more.
fn forget(
    name: &str,
    namespace: &str,
    failure: &Failure,
    cluster: &Cluster,
    args: &DeleteArgs,
    session: &Session<'_>,
) {
    if !failure.is_not_found() || args.write.dry_run != DryRun::None {
        return;
    }
    if let Some(remains) = Remains::of(cluster, namespace, name) {
        remains.remove();
        session.ui.note(&format!(
            "an earlier create --replace had deleted {name}; what was kept of it, {}, is given up now",
            remains.in_words()
        ));
    }
}

fn cluster_wide_command(name: &str, session: &Session<'_>) -> CommandLine {
    session.here(CommandLine::plugin("delete").arg(name).then("--cluster-wide"))
}

fn is_a_copy(name: &str, namespace: &str, session: &Session<'_>) -> Error {
    Error::failed(format!("secret {name:?} in namespace {namespace:?} is a copy of a shared secret"))
        .hint("it would be made again: delete it where it comes from")
        .hint(format!("to delete the shared secret and every copy: {}", cluster_wide_command(name, session)))
}

async fn delete(secret: &Metadata, args: &DeleteArgs, cluster: &Cluster) -> Result<()> {
    if args.write.dry_run == DryRun::Client {
        return Ok(());
    }
    let keep = args.write.write().keep;
    let Metadata { namespace, name, uid, resource_version, .. } = secret;
    cluster.delete_secret(namespace, name, uid, resource_version, keep).await.map_err(Error::from)?;
    if args.write.dry_run == DryRun::None {
        Remains::forget(cluster, namespace, name, uid);
    }
    Ok(())
}
