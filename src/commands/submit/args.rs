//! Defines the flags of `submit`, and makes a job of them.
//!
//! They are those of the `runai` CLI, of its older and its present versions. A word of one version that only
//! repeats a word of the other is a hidden alias of it. `not_taken` answers the words that are left.

mod pods;
mod resources;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::value_parser;

use self::pods::{MOST, PodArgs};
use self::resources::ResourceArgs;
use crate::error::{Error, Result};
use crate::flags::{Holds, WriteArgs};
use crate::random::random;
use crate::session::given_labels::insert_once;
use crate::uses::references::ReferenceArgs;
use crate::uses::runai_flags::RunaiFlags;
use crate::workload::{self, Attachment, Kind, NewJob, Purpose};
use crate::{command_line, flags, secret, uses};

/// What a generated name begins with.
const PREFIX: &str = "job";

/// The kinds that can be submitted; the first is the default.
const KINDS: [&str; 4] = ["job", "runaijob", "trainingworkload", "interactiveworkload"];

/// Submit a new job with secrets attached
///
/// The flags are those of the runai CLI, old and new. The job is a Kubernetes Job for Run:ai's scheduler, unless --kind
/// says otherwise. Before it is created, the secrets and keys that it refers to are looked up, so that a
/// misspelt key is found now and not when the GPU is free. --dry-run=client looks them up too, and writes
/// nothing.
#[derive(clap::Args)]
#[command(
    mut_arg("output", uses::runai_flags::with_runai),
    override_usage = "kubectl runai-secret submit [NAME] --image IMAGE [--secret NAME]… [-e VAR=SECRET:NAME,KEY]… [-g GPUS] \
                      [-- ARGS…]",
    after_help = "Examples:\n  \
        kubectl runai-secret submit train -i python -g 1 --secret hf -- python train.py\n  \
        kubectl runai-secret submit train -i python -g 1 -e HF_TOKEN=SECRET:hf,HF_TOKEN -- python train.py\n  \
        kubectl runai-secret submit -i ubuntu -e USERNAME=SECRET:my-secret,username --command -- sleep 9"
)]
pub(crate) struct SubmitArgs {
    #[command(flatten)]
    pub(super) program: ProgramArgs,

    #[command(flatten)]
    names: NameArgs,

    /// Arguments of the image's entry point, or with --command the command
    #[arg(last = true, value_name = "ARGS")]
    words: Vec<String>,

    /// The kind of workload: a Kubernetes Job, or one of Run:ai's own kinds
    #[arg(long, default_value = "job", hide_default_value = true, value_name = "KIND",
          value_parser = PossibleValuesParser::new(KINDS))]
    kind: String,

    #[command(flatten, next_help_heading = "Secrets")]
    pub(super) references: ReferenceArgs,

    #[command(flatten, next_help_heading = "Secrets")]
    pub(super) more_references: MoreReferenceArgs,

    #[command(flatten, next_help_heading = "Resources")]
    resources: ResourceArgs,

    #[command(flatten, next_help_heading = "Pods")]
    pods: PodArgs,

    #[command(flatten, next_help_heading = "Waiting, retries and cleaning up")]
    pub(super) course: CourseArgs,

    #[command(flatten)]
    pub(super) runai: RunaiFlags,

    #[command(flatten, next_help_heading = "Writing")]
    pub(super) write: WriteArgs,
}

#[derive(clap::Args)]
struct NameArgs {
    /// Name of the job; generated when left out
    #[arg(value_name = "NAME", add = Holds::Text)]
    names: Vec<String>,

    /// Name of the job
    #[arg(id = "job_name", long = "name", value_name = "NAME", hide = true, add = Holds::Text)]
    flag: Option<String>,

    /// Generate the job's name, with this before it
    #[arg(id = "name_prefix", long = "name-prefix", alias = "job-name-prefix", value_name = "PREFIX",
          hide_short_help = true, conflicts_with_all = ["names", "job_name"], add = Holds::Text)]
    prefix: Option<String>,
}

#[derive(clap::Args)]
pub(super) struct MoreReferenceArgs {
    /// A secret, used as usual for what it holds: a login's variables or file, a registry login, an SSH key
    #[arg(long = "secret", value_name = "NAME", value_parser = flags::parse_secret, add = Holds::Secret)]
    as_usual: Vec<String>,

    /// An env variable from every key of a secret, with a prefix before each name
    #[arg(long, value_name = "NAME[=PREFIX]", add = Holds::Secret)]
    env_all: Vec<String>,

    /// Pull the image with this registry login
    #[arg(long, value_name = "NAME", value_parser = flags::parse_secret, add = Holds::Secret)]
    image_pull_secret: Vec<String>,

    /// Take the value of this variable as it stands, even if it reads like a key of a secret
    #[arg(long = "literal", value_name = "VAR", hide_short_help = true, add = Holds::Text)]
    literals: Vec<String>,
}

#[derive(clap::Args)]
pub(super) struct ProgramArgs {
    /// The container's image
    #[arg(short, long, value_name = "IMAGE", required = true, add = Holds::Text)]
    image: String,

    /// Take what follows -- as the command, not as its arguments
    #[arg(short, long)]
    command: bool,

    /// For interactive work: a higher priority, and no retries
    #[arg(long)]
    interactive: bool,

    /// The folder in the container that the command starts in
    #[arg(long, value_name = "PATH", add = Holds::Text)]
    working_dir: Option<String>,

    /// A label of the job and its pods; may be repeated
    #[arg(short, long = "label", value_name = "KEY=VALUE", add = Holds::Text)]
    labels: Vec<String>,

    /// An annotation of the job and its pods; may be repeated
    #[arg(short, long = "annotation", value_name = "KEY=VALUE", add = Holds::Text)]
    annotations: Vec<String>,

    /// When the image is pulled
    #[arg(long, value_name = "WHEN", hide_short_help = true,
          value_parser = PossibleValuesParser::new(["Always", "IfNotPresent", "Never"]))]
    image_pull_policy: Option<String>,
}

#[derive(clap::Args)]
pub(super) struct CourseArgs {
    /// How many pods run at the same time
    #[arg(long, value_name = "NUMBER", value_parser = value_parser!(u32).range(0..=MOST), hide_short_help = true,
          add = Holds::Text)]
    parallelism: Option<u32>,

    /// How many pods must succeed
    #[arg(long, alias = "runs", value_name = "NUMBER", value_parser = value_parser!(u32).range(0..=MOST), hide_short_help = true,
          add = Holds::Text)]
    completions: Option<u32>,

    /// How often a failed pod is replaced [default: 6, with --interactive 0]
    #[arg(long, alias = "backoffLimit", value_name = "NUMBER", value_parser = value_parser!(u32).range(0..=MOST), add = Holds::Text)]
    backoff_limit: Option<u32>,

    /// Wait until the container runs, at most this long, and say what holds it up; 10m without a duration
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_missing_value = "10m",
          value_parser = flags::parse_duration, add = Holds::Text)]
    pub(super) wait: Option<Duration>,

    /// How long to keep the finished job, in seconds or such as 24h [default: for ever]
    #[arg(long, alias = "auto-deletion-time-after-completion", value_name = "DURATION",
          value_parser = flags::parse_duration, add = Holds::Text)]
    ttl_after_finish: Option<Duration>,
}

impl SubmitArgs {
    /// # Errors
    /// `--wait` is given, but the kind's pods can't be found.
    pub(super) fn kind(&self) -> Result<&'static Kind> {
        if self.kind != KINDS[0] && self.course.wait.is_some() {
            return Err(Error::usage(format!(
                "--wait works only for a Job: how a {} marks its pods is not documented",
                self.kind
            ))
            .hint("leave it out, or leave out --kind"));
        }
        Kind::named(&self.kind)
    }

    /// Returns the job that the flags describe, with every value checked. `order` names all variables in the
    /// order of the command line.
    pub(super) fn new_job(&self, env: Vec<(String, String)>, order: Vec<String>) -> Result<NewJob> {
        let name = self.names.name()?;
        let job = self.program.add_to(&self.words, NewJob { name, env, order, ..NewJob::default() })?;
        let job = self.resources.add_to(job)?;
        let job = self.pods.add_to(job)?;
        self.course.add_to(job)
    }
}

impl NameArgs {
    fn name(&self) -> Result<String> {
        if let Some(volume) = self.names.iter().find(|name| name.starts_with('/') && name.contains(":/")) {
            return Err(Error::usage(format!("{volume:?} is no name of a job, and here -v is --verbose"))
                .hint(format!(
                    "to mount a folder of the node: --volume {}",
                    command_line::joined([volume])
                )));
        }
        match (self.names.as_slice(), &self.flag, &self.prefix) {
            ([], None, prefix) => {
                Ok(workload::generated_name(prefix.as_deref().unwrap_or(PREFIX), random()?))
            }
            ([], Some(name), _) | ([name], None, _) => Ok(name.clone()),
            ([name], Some(flag), _) if name == flag => Ok(name.clone()),
            (names, flag, _) => {
                let count = names.len() + usize::from(flag.is_some());
                Err(Error::usage(format!("at most one NAME is allowed, got {count}"))
                    .hint("put the container's arguments after --, and with --command its command"))
            }
        }
    }
}

impl MoreReferenceArgs {
    /// Returns the secrets that are used as they themselves say, each once.
    ///
    /// # Errors
    /// A name is illegal.
    pub(super) fn as_usual(&self) -> Result<BTreeSet<&str>> {
        self.as_usual.iter().map(|name| secret::check_secret_name(name).map(|()| name.as_str())).collect()
    }

    /// Returns true if the value of a variable is meant as it stands.
    pub(super) fn is_literal(&self, variable: &str) -> bool {
        self.literals.iter().any(|one| one == variable)
    }

    /// Refuses `--literal` for a variable that is not among the plain ones.
    ///
    /// # Errors
    /// It has no effect.
    pub(super) fn check_literals(&self, plain: &[(String, String)]) -> Result<()> {
        let Some(idle) = self.literals.iter().find(|one| !plain.iter().any(|(name, _)| name == *one)) else {
            return Ok(());
        };
        Err(Error::usage(format!("--literal {idle} has no effect: no -e gives {idle} a plain value"))
            .hint("leave it out, or name the variable as -e does"))
    }

    pub(super) fn resolve(&self) -> Result<Vec<Attachment>> {
        let all = self.env_all.iter().map(|flag| {
            let (name, prefix) = flag.split_once('=').unwrap_or((flag, ""));
            Attachment::env_all(name, prefix).map_err(|error| {
                error.hint("here --env-all names the secret: --env-all NAME, or --env-all NAME=PREFIX")
            })
        });
        all.chain(self.image_pull_secret.iter().map(|name| Attachment::image_pull(name))).collect()
    }
}

impl ProgramArgs {
    fn add_to(&self, words: &[String], job: NewJob) -> Result<NewJob> {
        if self.command && words.is_empty() {
            return Err(
                Error::usage("--command needs a command").hint("put it after --: --command -- sleep 600")
            );
        }
        let (command, args) =
            if self.command { (words.to_vec(), Vec::new()) } else { (Vec::new(), words.to_vec()) };
        if let Some(path) = self.working_dir.as_ref().filter(|path| !path.starts_with('/')) {
            return Err(Error::usage(format!(
                "--working-dir {path:?} must be absolute: it must begin with '/'"
            )));
        }
        let labels = pairs("--label", &self.labels, |key, value| {
            secret::check_label_key(key).and_then(|()| secret::check_label_value(value))
        })?;
        let annotations =
            pairs("--annotation", &self.annotations, |key, _| secret::check_annotation_key(key))?;
        Ok(NewJob {
            image: self.image.clone(),
            command,
            args,
            purpose: if self.interactive { Purpose::Interactive } else { Purpose::Training },
            working_dir: self.working_dir.clone(),
            labels,
            annotations,
            image_pull_policy: self.image_pull_policy.clone(),
            ..job
        })
    }
}

/// Splits and checks `KEY=VALUE` words.
fn pairs(
    flag: &str,
    words: &[String],
    check: impl Fn(&str, &str) -> Result<()>,
) -> Result<Vec<(String, String)>> {
    let mut pairs = BTreeMap::new();
    for word in words {
        let (key, value) = word.split_once('=').ok_or_else(|| {
            Error::usage(format!("{flag} takes KEY=VALUE")).hint(format!("for example: {flag} team=vision"))
        })?;
        check(key, value)?;
        insert_once(&mut pairs, flag, key, value)?;
    }
    Ok(pairs.into_iter().collect())
}

impl CourseArgs {
    fn add_to(&self, job: NewJob) -> Result<NewJob> {
        if self.parallelism.is_some_and(|pods| pods > 1) && self.completions.is_none() {
            return Err(Error::usage("--parallelism needs --completions: how many pods must succeed"));
        }
        Ok(NewJob {
            parallelism: self.parallelism,
            completions: self.completions,
            backoff_limit: self.backoff_limit,
            ttl_seconds_after_finished: self.ttl_after_finish.map(seconds).transpose()?,
            ..job
        })
    }
}

/// Returns whole seconds, rounded up: no job is deleted earlier than asked for.
fn seconds(duration: Duration) -> Result<u32> {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    u32::try_from(seconds)
        .ok()
        .filter(|seconds| i64::from(*seconds) <= MOST)
        .ok_or_else(|| Error::usage("--ttl-after-finish is longer than the API allows: at most 68 years"))
}
