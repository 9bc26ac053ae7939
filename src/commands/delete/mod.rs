//! `delete`: deletes a secret of a project, with `--cluster-wide` a shared one and every copy of it, and with `--unused`
//! what nobody uses.

mod args;
mod cluster_wide;
mod deleted;
mod unused;

pub(crate) use self::args::DeleteArgs;
use self::deleted::{Deleted, delete};
use crate::change::recreate::secret::Remains;
use crate::cluster::{Cluster, Failure, Namespaces};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::DryRun;
use crate::propagation::Scope;
use crate::session::Session;
use crate::session::batch::{Objects, Several, each_once};
use crate::sharing::Standing;
use crate::uses::who_needs::{Consumers, Deed, Force, Plan};
use crate::{secret, session, sharing};

/// What an owner may do after a deletion.
const MADE_AGAIN: &str = "make it again";

pub(super) async fn run(args: &DeleteArgs, session: &Session<'_>) -> Result<()> {
    args.names.iter().try_for_each(|name| secret::check_secret_name(name))?;
    if args.cluster_wide {
        session.runai_namespace("delete --cluster-wide")?;
    }
    if args.all_projects && !args.unused {
        return Err(Error::usage("--all-projects goes with --unused").hint("-p team-a,team-b names projects"));
    }
    let cluster = session.connect().await?;
    if args.unused {
        return unused::run(args, &cluster, session).await;
    }
    let places = if args.cluster_wide {
        vec![(session.runai_namespace("delete --cluster-wide")?.to_owned(), None)]
    } else {
        session.namespaces(&cluster).await?
    };
    let names = each_once(&args.names);
    let count = names.len() * places.len();
    let objects = Objects::asked(count, &args.write, session);
    let (mut several, mut deleted) = (Several::secrets(count, session), Deleted { args, session, objects });
    let mut stopped = Ok(());
    for (namespace, project) in &places {
        stopped = in_one(&names, (namespace, project.as_deref()), &cluster, &mut several, &mut deleted).await;
        if stopped.is_err() {
            break;
        }
    }
    deleted.objects.print()?;
    let check = CommandLine::plugin("check");
    let check = if args.cluster_wide { check.then("-A") } else { session.in_this_place(check) };
    session.propose(&args.write, &check);
    stopped.and(several.verdict())
}

/// Deletes the secrets in one namespace; the project is named if there are several.
async fn in_one(
    names: &[String],
    (namespace, project): (&str, Option<&str>),
    cluster: &Cluster,
    several: &mut Several<'_>,
    deleted: &mut Deleted<'_>,
) -> Result<()> {
    let (args, session) = (deleted.args, deleted.session);
    let scope = if args.cluster_wide { Namespaces::AllAtOnce } else { Namespaces::One(namespace.to_owned()) };
    let (force, dry_run) = (Force::given(args.force), args.write.dry_run);
    let plan = Plan { deed: Deed::Delete, force, names, dry_run };
    let mut consumers = Consumers::new(scope, plan, cluster, session);
    for name in names {
        let outcome = if args.cluster_wide {
            cluster_wide::Removal { name, namespace, args, cluster, session }
                .run(&mut consumers, deleted)
                .await
        } else {
            one(name, (namespace, project), &mut consumers, cluster, deleted).await
        };
        let title = project.map_or_else(|| name.clone(), |project| format!("{name} in {project}"));
        several.one(&title, outcome)?;
    }
    Ok(())
}

/// Deletes a secret that is neither shared nor a copy, if it has not changed since it was read.
async fn one(
    name: &str,
    (namespace, project): (&str, Option<&str>),
    consumers: &mut Consumers<'_>,
    cluster: &Cluster,
    deleted: &mut Deleted<'_>,
) -> Result<()> {
    let (args, session) = (deleted.args, deleted.session);
    let (secret, ()) = tokio::join!(cluster.secret_metadata(namespace, name), cluster.discover_ahead());
    let secret = match secret {
        Ok(secret) => secret,
        Err(failure) => {
            forget(name, namespace, &failure, cluster, args, session);
            return Err(session::not_found::secret(failure, name, namespace, cluster).await);
        }
    };
    if sharing::scope(&secret, session) != Scope::Nobody {
        return Err(sharing::goes_with_its_copies(&secret));
    }
    let mut effects = vec![format!(
        "secret {name} in namespace {namespace} is deleted; jobs that use it won't start again"
    )];
    match sharing::standing(&secret, cluster, session).await? {
        Standing::Own => {}
        Standing::Left(origin) => sharing::note_left(&origin, &secret, session),
        Standing::PerhapsASource => {
            return Err(sharing::perhaps_a_source(&secret, cluster_wide_command(name)));
        }
        Standing::Copy(_) => return Err(is_a_copy(name, namespace)),
        Standing::PerhapsACopy(origin) => effects.push(format!(
            "it may be Run:ai's copy of {} ({}): if it is, Run:ai makes it again",
            origin.identity, origin.evidence
        )),
    }
    sharing::warn_of_owner(&secret, MADE_AGAIN, session);
    consumers.tell(name, &effects, |_| true).await?;
    if args.write.dry_run == DryRun::None {
        let place = project.map(|project| format!(" in {project}")).unwrap_or_default();
        session.ui.confirm(&format!("Delete {name}{place}?")).await?;
    }
    delete(&secret, args, cluster).await?;
    deleted.tell(name, namespace, project)
}

/// Gives up what an interrupted `create --replace` kept of a secret that is gone: the user wants it gone.
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

fn cluster_wide_command(name: &str) -> CommandLine {
    CommandLine::plugin("delete").arg(name).then("--cluster-wide")
}

fn is_a_copy(name: &str, namespace: &str) -> Error {
    Error::failed(format!("secret {name:?} in namespace {namespace:?} is a copy of a shared secret"))
        .hint("it would be made again: delete its source instead")
        .hint(format!("to delete the shared secret and every copy: {}", cluster_wide_command(name)))
}
