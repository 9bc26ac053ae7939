//! `submit`: a new job with secrets attached, in the words of `runai submit`.

mod args;

use std::collections::BTreeSet;

use serde_json::Value;

pub(crate) use self::args::SubmitArgs;
use super::runai_flags::{self, RunaiFlags};
use super::wait_for_start::NewlySubmitted;
use super::{Session, not_found, secrets_used};
use crate::cli::DryRun;
use crate::cluster::{Cluster, Failure};
use crate::error::{Error, Result};
use crate::wording::list;
use crate::workload::{self, Attachment, ContainerChoice, Existing, Kind, NewJob, Outcome};

pub(super) async fn run(args: &SubmitArgs, session: &Session<'_>) -> Result<()> {
    let uses = args.references.resolve()?;
    let mut attachments = uses.attachments;
    attachments.extend(args.more_references.resolve()?);
    args.references.check_mode_is_used(&attachments)?;
    let kind = args.kind()?;
    let mut job = args.new_job(uses.literals)?;
    check_before_anything_is_looked_up(&job, kind, &attachments)?;

    let cluster = session.connect().await?;
    job.namespace = session.namespace(&cluster).await?;
    let keys = secrets_used::check(&attachments, &job.namespace, &cluster, session).await?;
    secrets_used::warn_of_lost_prefix(&job.env, &job.namespace, &cluster, session).await;
    if args.runai == RunaiFlags::Wanted {
        return runai_flags::print(&attachments, &keys, session);
    }
    let expanded = workload::expanded(kind, attachments, &keys)?;
    for warning in &expanded.warnings {
        session.ui.warning(warning);
    }
    let version = cluster.version_of(kind).await?;
    let manifest = with_attachments(&job, kind, &version, &expanded.attachments)?;
    let name = kind.display_name(&job.name);
    let effect =
        format!("{name} in {}, of image {}, {}", job.namespace, job.image, secrets_of(&expanded.attachments));
    session.review(&args.write, &format!("Submit {name}?"), &[effect]).await?;
    let object = match args.write.dry_run {
        DryRun::Client => manifest,
        _ => match cluster.create_workload(&job.namespace, kind, &manifest, args.write.write()).await {
            Ok(object) => object,
            Err(failure) => return Err(refused(failure, kind, &job, &cluster).await),
        },
    };
    session.report(&args.write, &kind.display_name(&job.name), "created", &object)?;
    session.note_unchosen_namespace(&job.namespace);
    match args.course.wait {
        Some(limit) if args.write.dry_run == DryRun::None => {
            let (cluster, namespace, name) = (&cluster, &job.namespace, &job.name);
            NewlySubmitted { session, cluster, namespace, kind, name }.wait(limit).await
        }
        _ => Ok(()),
    }
}

fn secrets_of(attachments: &[Attachment]) -> String {
    let secrets: BTreeSet<&str> = attachments.iter().map(Attachment::secret).collect();
    if secrets.is_empty() {
        "without secrets".to_owned()
    } else {
        format!("with {}", list(Vec::from_iter(secrets)))
    }
}

/// What is wrong with the flags is said first. All keys of a secret are left out: a kind may need their names.
fn check_before_anything_is_looked_up(job: &NewJob, kind: &Kind, attachments: &[Attachment]) -> Result<()> {
    workload::check_expressible(kind, attachments, &ContainerChoice::Only)?;
    let named = attachments.iter().filter(|one| !matches!(one, Attachment::EnvAll { .. })).cloned();
    let version = kind.known_versions().first().copied().unwrap_or_default();
    with_attachments(job, kind, version, &named.collect::<Vec<_>>()).map(drop)
}

fn with_attachments(job: &NewJob, kind: &Kind, version: &str, attachments: &[Attachment]) -> Result<Value> {
    let manifest = job.manifest_of(kind, version)?;
    match workload::attach(&manifest, kind, attachments, &ContainerChoice::Only, Existing::Keep)? {
        Outcome::AsAsked => Ok(manifest),
        Outcome::Changed { object, .. } => Ok(object),
    }
}

async fn refused(failure: Failure, kind: &Kind, job: &NewJob, cluster: &Cluster) -> Error {
    let exists = failure.is_already_exists();
    let unknown = failure.has_unknown_effect();
    let error = not_found::namespace(failure, &job.namespace, cluster).await;
    let look = format!("kubectl get {} {} -n {}", kind.word(), job.name, job.namespace);
    if exists {
        error.hint(format!("choose another name, or leave it out to have one made; {look}"))
    } else if unknown {
        error.hint(look)
    } else {
        error
    }
}
