//! `attach`: give a workload that exists a secret, by reference.

use std::time::Duration;

use serde_json::Value;

use super::Session;
use super::recreate::Recreation;
use super::secrets_used::{self, ReferenceArgs};
use crate::cli::{self, DryRun, WriteArgs};
use crate::cluster::{Cluster, Failure, Keep, Write};
use crate::error::{Error, Result};
use crate::workload::{self, Attachment, ContainerChoice, EnvNames, Existing, OnChange, Outcome, Target};

/// How often a write is tried when somebody else changes the workload at the same moment.
const TRIES: u32 = 5;

/// Attach a secret to a workload: as env variables, as files, or for pulling images
///
/// The workload gets a reference to the secret, never a value. Before anything is written the secret, its keys and
/// the containers are looked up, and the server checks the change. A Job's template can't be changed: --recreate
/// replaces the Job by one of the same name, --copy-as makes another.
#[derive(clap::Args)]
#[command(
    override_usage = "kubectl runai-secret attach SECRET KIND/NAME [--env [VAR=]KEY]… [--env-all[=PREFIX]] \
                      [--mount PATH[:KEY[=FILE],…]]…\n       \
                      kubectl runai-secret attach KIND/NAME [-e VAR=SECRET:NAME,KEY]…",
    after_help = "Examples:\n  \
        kubectl runai-secret attach hf deployment/web --env HF_TOKEN\n  \
        kubectl runai-secret attach ssh-key cronjob/sync --mount /etc/ssh-key --mode 0400\n  \
        kubectl runai-secret attach job/train -e MYUSERNAME=SECRET:my-secret,username --recreate"
)]
pub(crate) struct AttachArgs {
    /// The secret (not with -e), then the workload as KIND/NAME
    #[arg(value_name = "[SECRET] KIND/NAME", required = true)]
    words: Vec<String>,

    /// One key as an env variable; without VAR it is named like the key, in capitals
    #[arg(long, value_name = "[VAR=]KEY")]
    env: Vec<String>,

    /// Every key as an env variable, with a prefix before its name
    #[arg(long, value_name = "PREFIX", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    env_all: Option<String>,

    /// Keys as files in a folder; without KEY all of them
    #[arg(long, value_name = "PATH[:KEY[=FILE],…]")]
    mount: Vec<String>,

    /// Pull the workload's images with this registry login
    #[arg(long)]
    image_pull: bool,

    #[command(flatten)]
    references: ReferenceArgs,

    /// The container; '*' for all. Needed where there are several
    #[arg(short, long, value_name = "NAME")]
    container: Vec<String>,

    /// Replace what is in the way: variables of the same name, mounts at the same path
    #[arg(long)]
    overwrite: bool,

    /// Let the workload start although the secret or the key is missing
    #[arg(long)]
    optional: bool,

    /// Delete the workload and create it anew under its name, where it can't be changed
    #[arg(long, conflicts_with = "copy_as")]
    recreate: bool,

    /// Create a changed copy under another name, and leave the workload as it is
    #[arg(long, value_name = "NAME")]
    copy_as: Option<String>,

    /// How long --recreate waits until the old one is gone
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = cli::parse_duration, hide_short_help = true)]
    timeout: Duration,

    #[command(flatten)]
    write: WriteArgs,
}

/// What is to be done, with every word checked.
struct Request {
    target: Target,
    attachments: Vec<Attachment>,
    containers: ContainerChoice,
    existing: Existing,
    way: Option<Way>,
}

/// What to do with a workload that can't be changed.
enum Way {
    Recreate,
    CopyAs(String),
}

pub(super) async fn run(args: &AttachArgs, session: &Session<'_>) -> Result<()> {
    let request = args.resolve()?;
    let cluster = session.connect().await?;
    let namespace = session.namespace(&cluster).await?;
    let (checked, object) = tokio::join!(
        secrets_used::check(&request.attachments, &namespace, &cluster, session),
        cluster.workload(&namespace, &request.target)
    );
    let object = object.map_err(|failure| no_workload(failure, &request.target))?;
    checked?;
    Attaching { args, request, session, cluster, namespace }.run(object).await
}

/// An attachment that is under way, with all that does not change while it is tried.
struct Attaching<'a> {
    args: &'a AttachArgs,
    request: Request,
    session: &'a Session<'a>,
    cluster: Cluster,
    namespace: String,
}

/// What became of a write.
enum Written {
    Done,
    /// Somebody else wrote first; it must be read again.
    Conflict(Failure),
}

impl Attaching<'_> {
    async fn run(&self, mut object: Value) -> Result<()> {
        let target = &self.request.target;
        for attempt in 1.. {
            let Some(changed) = self.plan(&object)? else { return self.report(&target.to_string(), "unchanged", &object) };
            match self.write(&object, &changed).await? {
                Written::Done => return Ok(()),
                Written::Conflict(failure) if attempt == TRIES => return Err(failure.into()),
                Written::Conflict(_) => object = self.cluster.workload(&self.namespace, target).await?,
            }
        }
        unreachable!("the loop above has no end but its returns")
    }

    /// The changed object, or nothing where it is as asked for already.
    fn plan(&self, object: &Value) -> Result<Option<Value>> {
        let Request { target, attachments, containers, existing, .. } = &self.request;
        if let Some(owner) = workload::owner(object) {
            let owner = format!("{}/{}", owner.kind.to_lowercase(), owner.name);
            return Err(Error::failed(format!("{target} is made by {owner}, which would undo the change"))
                .hint(format!("attach to {owner} instead")));
        }
        match workload::attach(object, target.kind, attachments, containers, *existing)? {
            Outcome::AsAsked => {
                self.session.ui.note(&format!("{target} has all of this already: nothing was written"));
                Ok(None)
            }
            Outcome::Changed { object, changes } => {
                changes.iter().for_each(|change| self.session.ui.note(&change.to_string()));
                Ok(Some(object))
            }
        }
    }

    async fn write(&self, object: &Value, changed: &Value) -> Result<Written> {
        let target = &self.request.target;
        if let Some(Way::CopyAs(name)) = &self.request.way {
            return self.copy(name, changed).await;
        }
        if target.kind.on_change_of(object) == OnChange::Refused {
            return self.another(object, changed).await;
        }
        let mut answer = changed.clone();
        let steps: &[Keep] = match self.args.write.dry_run {
            DryRun::None => &[Keep::No, Keep::Yes],
            DryRun::Server => &[Keep::No],
            DryRun::Client => &[],
        };
        for keep in steps {
            let write = Write { keep: *keep, ..self.args.write.write() };
            answer = match self.cluster.replace_workload(&self.namespace, target, changed, write).await {
                Ok(answer) => answer,
                Err(failure) if failure.is_conflict() => return Ok(Written::Conflict(failure)),
                Err(failure) if workload::is_template_immutable(&failure.status()) => {
                    return self.another(object, changed).await;
                }
                Err(failure) => return Err(failure.into()),
            };
        }
        self.report(&target.to_string(), "updated", &answer)?;
        if self.args.write.dry_run == DryRun::None {
            self.session.ui.note(&format!("{target} {}", target.kind.on_change_of(object).in_words()));
        }
        Ok(Written::Done)
    }

    /// The workload can't be changed: replace it or make a copy, as chosen by flag or on the terminal.
    async fn another(&self, object: &Value, changed: &Value) -> Result<Written> {
        let Self { session, cluster, namespace, request: Request { target, .. }, .. } = self;
        let chosen;
        let way = match &self.request.way {
            Some(way) => way,
            None => {
                chosen = self.choose_way().await?;
                &chosen
            }
        };
        match way {
            Way::CopyAs(name) => self.copy(name, changed).await,
            Way::Recreate => {
                let (write, limit) = (&self.args.write, self.args.timeout);
                let recreation = Recreation { session, cluster, namespace, target, write, limit };
                let created = recreation.run(object, changed).await?;
                self.report(&target.to_string(), "recreated", &created)?;
                Ok(Written::Done)
            }
        }
    }

    async fn choose_way(&self) -> Result<Way> {
        let target = &self.request.target;
        let why = format!("{target} can't be changed: its pod template is immutable");
        let ways = ["create a changed copy under another name", "delete it and create it anew under its name"];
        let ui = self.session.ui;
        match ui.choose(&format!("{why}. What now?"), &ways).await? {
            Some(0) => {
                let proposal = format!("{}-2", target.name);
                let name = ui.ask("Name of the copy", &proposal).await?.unwrap_or(proposal);
                checked_copy_name(target, &name).map(Way::CopyAs)
            }
            Some(_) => Ok(Way::Recreate),
            None => Err(Error::usage(why)
                .hint("--recreate deletes it and creates it anew under the same name")
                .hint("--copy-as NAME creates a changed copy and leaves it as it is")),
        }
    }

    async fn copy(&self, name: &str, changed: &Value) -> Result<Written> {
        let kind = self.request.target.kind;
        let copy = workload::clean_copy(changed, kind, Some(name));
        let write = &self.args.write;
        let answer = match write.dry_run {
            DryRun::Client => copy,
            _ => self.cluster.create_workload(&self.namespace, kind, &copy, write.write()).await?,
        };
        self.report(&kind.display_name(name), "created", &answer)?;
        Ok(Written::Done)
    }

    fn report(&self, name: &str, verb: &str, object: &Value) -> Result<()> {
        self.session.report(&self.args.write, name, verb, object)
    }
}

fn checked_copy_name(target: &Target, name: &str) -> Result<String> {
    if name == target.name {
        return Err(Error::usage("a copy needs another name")
            .hint("--recreate replaces the workload under its own name"));
    }
    Target::parse(&format!("{}/{name}", target.kind.singular)).map(|copy| copy.name)
}

fn no_workload(failure: Failure, target: &Target) -> Error {
    let missing = failure.is_not_found();
    let error = Error::from(failure);
    if missing {
        error.hint(format!("is this the right project? kubectl get {} -A", target.kind.plural))
    } else {
        error
    }
}

impl AttachArgs {
    fn resolve(&self) -> Result<Request> {
        let (secret, target) = self.secret_and_target()?;
        let mut attachments = match secret {
            Some(secret) => self.of_one_secret(secret)?,
            None => Vec::new(),
        };
        let uses = self.references.resolve()?;
        if let Some((variable, _)) = uses.literals.first() {
            return Err(Error::usage(format!("-e {variable}=… is not a reference to a secret"))
                .hint(format!("write -e {variable}=SECRET:NAME,KEY"))
                .hint("for a plain value there is kubectl set env"));
        }
        attachments.extend(uses.attachments);
        if attachments.is_empty() {
            return Err(Error::usage("nothing says how the workload is to use the secret")
                .hint("add --env KEY, --env-all, --mount PATH or --image-pull"));
        }
        if self.optional {
            attachments = attachments.into_iter().map(Attachment::optional).collect();
        }
        let way = match &self.copy_as {
            Some(name) => Some(Way::CopyAs(checked_copy_name(&target, name)?)),
            None => self.recreate.then_some(Way::Recreate),
        };
        let existing = if self.overwrite { Existing::Overwrite } else { Existing::Keep };
        Ok(Request { target, attachments, containers: ContainerChoice::from_flags(&self.container), existing, way })
    }

    fn secret_and_target(&self) -> Result<(Option<&str>, Target)> {
        let names_keys =
            !self.env.is_empty() || self.env_all.is_some() || !self.mount.is_empty() || self.image_pull;
        match self.words.as_slice() {
            [target] if !names_keys => Ok((None, Target::parse(target)?)),
            [_] => Err(Error::usage("which secret, and to which workload?")
                .hint("kubectl runai-secret attach SECRET KIND/NAME --env KEY")),
            [secret, target] if names_keys || self.references.is_empty() => Ok((Some(secret), Target::parse(target)?)),
            [_, _] => Err(Error::usage("-e and its like name the secret themselves")
                .hint("kubectl runai-secret attach KIND/NAME -e VAR=SECRET:NAME,KEY")),
            words => Err(Error::usage(format!("a secret and a workload are wanted, and there are {} words", words.len()))
                .hint("kubectl runai-secret attach SECRET KIND/NAME --env KEY")),
        }
    }

    fn of_one_secret(&self, secret: &str) -> Result<Vec<Attachment>> {
        let names = EnvNames::default();
        let mode = self.references.mode()?;
        let mut attachments = Vec::new();
        for flag in &self.env {
            attachments.push(Attachment::env(secret, flag, names)?);
        }
        for prefix in &self.env_all {
            attachments.push(Attachment::env_all(secret, prefix, names)?);
        }
        for flag in &self.mount {
            attachments.push(Attachment::files(secret, flag, mode)?);
        }
        if self.image_pull {
            attachments.push(Attachment::image_pull(secret)?);
        }
        Ok(attachments)
    }

}
