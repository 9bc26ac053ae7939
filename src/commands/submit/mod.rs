//! `submit`: creates a job with secrets attached, with the flags of `runai submit`.

mod args;
mod not_taken;
mod wait;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::wait::NewlySubmitted;
use crate::cluster::{Cluster, Failure};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::DryRun;
use crate::session::Session;
use crate::ui::Proposal;
use crate::uses::references::Heads;
use crate::uses::runai_flags::RunaiFlags;
use crate::wording::list;
use crate::workload::{self, AccountLogins, Attachment, ContainerChoice, Existing, Kind, NewJob, Outcome};
use crate::{secret, session, uses};

pub(crate) use self::args::SubmitArgs;
pub(super) use self::not_taken::answer;

pub(super) async fn run(args: &SubmitArgs, session: &Session<'_>) -> Result<()> {
    if args.runai == RunaiFlags::Wanted && args.course.wait.is_some() {
        return Err(uses::runai_flags::only_prints("--wait"));
    }
    let uses = args.references.resolve()?;
    args.more_references.check_literals(&uses.literals)?;
    let mut attachments = uses.attachments;
    attachments.extend(args.more_references.resolve()?);
    let as_usual = args.more_references.as_usual()?;
    if as_usual.is_empty() {
        args.references.check_mode_is_used(&attachments)?;
    }
    let kind = args.kind()?;
    let mut job = args.new_job(uses.literals, uses.order)?;
    check_before_anything_is_looked_up(&job, kind, &attachments)?;

    let cluster = session.connect().await?;
    job.namespace = session.namespace(&cluster).await?;
    let (usual, heads) = usual_attachments(&as_usual, args, &job.namespace, &cluster, session).await?;
    // Plain variables may refer to these, and only to earlier ones.
    job.order.splice(0..0, usual.iter().filter_map(Attachment::variable).map(str::to_owned));
    let uses_told: Vec<String> = usual.iter().map(ToString::to_string).collect();
    attachments.extend(usual);
    let version = async {
        let is_needed = args.runai != RunaiFlags::Wanted;
        if is_needed { cluster.version_of(kind).await } else { Ok(String::new()) }
    };
    let (keys, accounts, version) = tokio::join!(
        uses::references::check(&attachments, heads, &job.namespace, &cluster, session),
        accounts(&job, kind, &attachments, &cluster),
        version
    );
    let (keys, accounts) = (keys?, accounts?);
    let doubtful: Vec<_> =
        job.env.iter().filter(|(variable, _)| !args.more_references.is_literal(variable)).collect();
    uses::references::refuse_wrong_references(&doubtful, &job.namespace, &cluster).await?;
    note_empty_variables(&doubtful, session);
    if args.runai == RunaiFlags::Wanted {
        return uses::runai_flags::print(&attachments, &keys, session);
    }
    let expanded = workload::expanded(kind, attachments, &keys)?;
    for warning in &expanded.warnings {
        session.ui.warning(warning);
    }
    let version = version?;
    let Submission { manifest, differences, warnings } =
        with_attachments(&job, kind, &version, &expanded.attachments, (&accounts, &keys))?;
    for warning in &warnings {
        session.ui.warning(warning);
    }
    let name = kind.display_name(&job.name);
    warn_of_secrets_in_sight(&job, &name, session);
    for usual in &uses_told {
        session.ui.note(usual);
    }
    let effects = [effects(&job, &name), differences].concat();
    session.confirm_if_guided(&args.write, &format!("Submit {name}?"), &effects, Proposal::Yes).await?;
    let object = match args.write.dry_run {
        DryRun::Client => manifest,
        _ => match cluster.create_workload(&job.namespace, kind, &manifest, args.write.write()).await {
            Ok(object) => object,
            Err(failure) => return Err(refused(failure, kind, &job, &cluster).await),
        },
    };
    session.report(&args.write, &kind.display_name(&job.name), "created", &object)?;
    session.note_unchosen_namespace(&job.namespace);
    session.propose(&args.write, &next(kind, &job));
    session.note_no_wait(&args.write, args.course.wait);
    match args.course.wait {
        Some(limit) if args.write.dry_run == DryRun::None => {
            let (cluster, namespace, name) = (&cluster, &job.namespace, &job.name);
            NewlySubmitted { session, cluster, namespace, kind, name }.wait(limit).await
        }
        _ => Ok(()),
    }
}

/// Returns what the secrets of `--secret` say of their use, and the secrets.
async fn usual_attachments(
    secrets: &BTreeSet<&str>,
    args: &SubmitArgs,
    namespace: &str,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<(Vec<Attachment>, Heads)> {
    let read = secrets.iter().map(|name| uses::usual::of_secret(name, namespace, cluster, session));
    let mode = args.references.mode()?;
    let (mut all, mut heads) = (Vec::new(), Heads::new());
    for (name, usual) in secrets.iter().zip(futures::future::try_join_all(read).await?) {
        let (usual, head) = usual.ok_or_else(|| which_use(name))?;
        heads.insert((*name).to_owned(), head);
        all.extend(usual.into_iter().map(|one| match mode {
            Some(mode) => one.with_mode(mode),
            None => one,
        }));
    }
    if !secrets.is_empty() {
        let given = args.references.resolve()?.attachments;
        args.references.check_mode_is_used(&[given.as_slice(), &all].concat())?;
    }
    Ok((all, heads))
}

fn which_use(secret: &str) -> Error {
    Error::usage(format!("secret {secret} does not say what it holds, so how the job uses it must be said"))
        .hint(format!("instead of --secret {secret}: --env-all {secret}, -e VAR=SECRET:{secret},KEY or --secret-volume path=PATH,name={secret}"))
}

/// Returns the command that shows what became of the job.
fn next(kind: &Kind, job: &NewJob) -> CommandLine {
    let target = format!("{}/{}", kind.word(), job.name);
    if kind.word() == "job" {
        return CommandLine::kubectl("logs --follow").arg(target).namespace(&job.namespace);
    }
    CommandLine::plugin("check").arg(target).namespace(&job.namespace)
}

/// A job that is ready to be created.
struct Submission {
    manifest: Value,
    /// The secrets that it uses, a line each.
    differences: Vec<String>,
    warnings: Vec<String>,
}

/// Reads the registry logins that the pods would have from their service account.
async fn accounts(
    job: &NewJob,
    kind: &Kind,
    attachments: &[Attachment],
    cluster: &Cluster,
) -> Result<AccountLogins> {
    let version = kind.known_versions().first().copied().unwrap_or_default();
    let accounts = workload::accounts_at_stake(&job.manifest_of(kind, version)?, kind, attachments);
    uses::account_logins::read(accounts, &job.namespace, cluster).await
}

/// Describes the job without its secrets.
fn effects(job: &NewJob, name: &str) -> Vec<String> {
    let gpus = match &job.gpu {
        Some(gpu) => format!("GPU: {gpu}"),
        None => "no GPU".to_owned(),
    };
    let words = secret::without_secrets(&[job.command.as_slice(), &job.args].concat());
    let runs = if words.is_empty() { "the image's own command".to_owned() } else { words.join(" ") };
    vec![format!("{name} in {}, of image {}; {gpus}", job.namespace, job.image), format!("runs: {runs}")]
}

/// Notes variables without a value: the shell's variable may be unset.
fn note_empty_variables(env: &[&(String, String)], session: &Session<'_>) {
    let empty: Vec<&String> =
        env.iter().filter(|(_, value)| value.is_empty()).map(|(name, _)| name).collect();
    if let [first, ..] = empty[..] {
        let flag = format!("--literal {first}");
        session.ui.note(&format!("env without a value: {}; {flag} says that this is meant", list(empty)));
    }
}

/// Warns of secrets in the command and in plain variables, which everybody who may see the workload can read.
fn warn_of_secrets_in_sight(job: &NewJob, name: &str, session: &Session<'_>) {
    let holds_one = |words: &[String]| secret::without_secrets(words) != words;
    let image = [("--image".to_owned(), &job.image)];
    let plain = job.env.iter().map(|(variable, value)| (format!("-e {variable}"), value));
    for unseen in image.into_iter().chain(plain).filter_map(|(flag, text)| secret::unseen_in(&flag, text)) {
        session.ui.warning(&unseen);
    }
    let words = [job.command.as_slice(), &job.args].concat();
    let command = holds_one(&words).then(|| "the command".to_owned());
    let variables = job.env.iter().filter(|(variable, value)| holds_one(&[format!("{variable}={value}")]));
    let places: Vec<String> =
        command.into_iter().chain(variables.map(|(name, _)| format!("env {name}"))).collect();
    if !places.is_empty() {
        let seem = if places.len() == 1 { "seems" } else { "seem" };
        session.ui.warning(&format!(
            "{} of {name} {seem} to hold a secret, and everybody who may see the workload can read it; \
             better: {}, then submit -e KEY=SECRET:NAME,KEY",
            list(places),
            CommandLine::plugin("create NAME --prompt KEY")
        ));
    }
}

/// Checks the flags before any request. Uses of all keys are left out: some kinds need the keys' names for
/// them.
fn check_before_anything_is_looked_up(job: &NewJob, kind: &Kind, attachments: &[Attachment]) -> Result<()> {
    workload::check_expressible(kind, attachments, &ContainerChoice::Only)?;
    let named = attachments.iter().filter(|one| !matches!(one, Attachment::EnvAll { .. })).cloned();
    let version = kind.known_versions().first().copied().unwrap_or_default();
    let nothing_is_known = (&AccountLogins::new(), &BTreeMap::new());
    with_attachments(job, kind, version, &named.collect::<Vec<_>>(), nothing_is_known).map(drop)
}

fn with_attachments(
    job: &NewJob,
    kind: &Kind,
    version: &str,
    attachments: &[Attachment],
    (accounts, keys): (&AccountLogins, &BTreeMap<String, Vec<String>>),
) -> Result<Submission> {
    let manifest = job.manifest_of(kind, version)?;
    let with = workload::with_account_logins(&manifest, kind, attachments, accounts)?;
    let (mut manifest, of_secrets) = match workload::attach(
        &with.object,
        kind,
        attachments,
        &ContainerChoice::Only,
        Existing::OfThisCommand,
    )? {
        Outcome::AsAsked => (with.object, Vec::new()),
        Outcome::Changed { object, differences } => (object, differences),
    };
    job.put_in_order(&mut manifest);
    let differences = with.differences.iter().chain(&of_secrets).map(ToString::to_string).collect();
    let doubts = workload::doubts(&manifest, kind).into_iter().filter_map(|doubt| doubt.in_full(keys));
    let own = workload::doubtful_uses(attachments, keys).into_iter();
    let doubts = own.chain(uses::references::below_own_home(attachments)).chain(doubts);
    let warnings = with.warnings.into_iter().chain(doubts).collect();
    Ok(Submission { manifest, differences, warnings })
}

async fn refused(failure: Failure, kind: &Kind, job: &NewJob, cluster: &Cluster) -> Error {
    let exists = failure.is_already_exists();
    let unknown = failure.has_unknown_effect();
    let error = session::not_found::namespace(failure, &job.namespace, cluster).await;
    let look = CommandLine::kubectl("get").arg(kind.word()).arg(&job.name).namespace(&job.namespace);
    if exists {
        error.hint(format!(
            "choose another name, or leave it out to have one generated; to see that job: {look}"
        ))
    } else if unknown {
        error.hint(look)
    } else {
        error
    }
}
