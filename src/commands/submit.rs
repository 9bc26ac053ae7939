//! `submit`: a new job with secrets attached, in the words of `runai submit`.

use serde_json::Value;

use super::secrets_used::{self, ReferenceArgs};
use super::{Session, random};
use crate::cli::{DryRun, WriteArgs};
use crate::cluster::Failure;
use crate::error::{Error, Result};
use crate::workload::{self, ContainerChoice, Existing, Gpu, Kind, NewJob, Outcome};

/// Submit a new job with secrets attached
///
/// The flags are those of runai submit. The job is a Kubernetes Job for Run:ai's scheduler. Before it is created the
/// secrets and keys it refers to are looked up, so that a misspelt key is found now and not when the GPU is free.
#[derive(clap::Args)]
#[command(
    override_usage = "kubectl runai-secret submit [NAME] --image IMAGE [-e VAR=SECRET:NAME,KEY]… [-g GPUS] [-- ARGS…]",
    after_help = "Examples:\n  \
        kubectl runai-secret submit train -i python:3.13 -p team-a -g 1 -e HF_TOKEN=SECRET:hf,HF_TOKEN -- train.py\n  \
        kubectl runai-secret submit -i ubuntu -e MYUSERNAME=SECRET:my-secret,username --command -- sleep 600"
)]
pub(crate) struct SubmitArgs {
    /// Name of the job; generated when left out
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// The container's image
    #[arg(short, long, value_name = "IMAGE", required = true)]
    image: String,

    /// GPUs for each pod: a whole number, or a part of one as 0.5
    #[arg(short, long, value_name = "NUMBER")]
    gpu: Option<String>,

    /// An env variable from every key of a secret
    #[arg(long, value_name = "NAME")]
    env_all: Vec<String>,

    #[command(flatten)]
    references: ReferenceArgs,

    /// What follows -- is the command, not its arguments
    #[arg(long)]
    command: bool,

    #[command(flatten)]
    write: WriteArgs,

    /// Arguments of the image's entry point, or with --command the command
    #[arg(last = true, value_name = "ARGS")]
    words: Vec<String>,
}

pub(super) async fn run(args: &SubmitArgs, session: &Session<'_>) -> Result<()> {
    let uses = args.references.resolve()?;
    let mut attachments = uses.attachments;
    for name in &args.env_all {
        attachments.push(workload::Attachment::env_all(name, "", workload::EnvNames::default())?);
    }
    let mut job = args.new_job(uses.literals)?;
    // Built once before anything is looked up, so that what is wrong with the flags is said first.
    let kind = Kind::named("job")?;
    with_attachments(&job, kind, &attachments)?;

    let cluster = session.connect().await?;
    job.namespace = session.namespace(&cluster).await?;
    secrets_used::check(&attachments, &job.namespace, &cluster, session).await?;
    let manifest = with_attachments(&job, kind, &attachments)?;
    let object = match args.write.dry_run {
        DryRun::Client => manifest,
        _ => cluster
            .create_workload(&job.namespace, kind, &manifest, args.write.write())
            .await
            .map_err(|failure| refused(failure, &job))?,
    };
    session.report(&args.write, &kind.display_name(&job.name), "created", &object)
}

fn with_attachments(job: &NewJob, kind: &Kind, attachments: &[workload::Attachment]) -> Result<Value> {
    let manifest = job.manifest()?;
    match workload::attach(&manifest, kind, attachments, &ContainerChoice::Only, Existing::Keep)? {
        Outcome::AsAsked => Ok(manifest),
        Outcome::Changed { object, .. } => Ok(object),
    }
}

fn refused(failure: Failure, job: &NewJob) -> Error {
    let exists = failure.is_already_exists();
    let unknown = failure.has_unknown_effect();
    let error = Error::from(failure);
    let look = format!("kubectl get job {} -n {}", job.name, job.namespace);
    if exists {
        error.hint(format!("choose another name, or leave it out to have one made; {look}"))
    } else if unknown {
        error.hint(look)
    } else {
        error
    }
}

impl SubmitArgs {
    fn new_job(&self, literals: Vec<(String, String)>) -> Result<NewJob> {
        let name = match self.names.as_slice() {
            [] => workload::generated_name(random()?),
            [name] => name.clone(),
            names => {
                return Err(Error::usage(format!("at most one NAME is wanted, got {}", names.len()))
                    .hint("what the container is to run comes after --"));
            }
        };
        if self.command && self.words.is_empty() {
            return Err(Error::usage("--command needs a command").hint("put it after --: --command -- sleep 600"));
        }
        let (command, args) =
            if self.command { (self.words.clone(), Vec::new()) } else { (Vec::new(), self.words.clone()) };
        let gpu = self.gpu.as_deref().map(Gpu::parse).transpose()?;
        Ok(NewJob { name, image: self.image.clone(), command, args, env: literals, gpu, ..NewJob::default() })
    }
}
