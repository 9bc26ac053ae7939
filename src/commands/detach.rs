//! `detach`: takes a secret off an existing workload.

use futures::{StreamExt, stream};
use serde_json::Value;

use crate::change::manifest::{ManifestChange, ManifestChangeArgs};
use crate::change::several::{AT_ONCE, Planning, SeveralChanges};
use crate::change::workload::{Change, ChangeArgs, Changed, Company, Plan, Planned};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{self, Holds};
use crate::session::Session;
use crate::session::target::Selection as Selected;
use crate::wording::{list, nearest};
use crate::workload::{self, ContainerChoice, Kind, Nameless, Selection, Target, TypedTarget};
use crate::{change, session};

/// Detach a secret from a workload: the reverse of attach
///
/// Without --env, --env-all, --mount and --image-pull every use is removed. To name a use that is not there
/// is an error. The secret itself is not touched. A Job's template can't be changed: --recreate replaces the
/// Job with one of the same name, --copy-as creates another one. --dry-run=client reads the workload, and
/// writes nothing.
///
/// With -f it changes the workloads of a manifest and prints the whole manifest, without asking a cluster;
/// --in-place writes it back into its file.
#[derive(clap::Args)]
#[command(
    mut_arg("filename", change::manifest::without_cluster),
    override_usage = "kubectl runai-secret detach SECRET KIND/NAME… [--env VAR]… [--env-all] [--mount PATH]… [--image-pull] [-c NAME]…\n       \
                      kubectl runai-secret detach SECRET KIND -l SELECTOR …\n       \
                      kubectl runai-secret detach SECRET -f FILE|- …",
    after_help = "Examples:\n  \
    kubectl runai-secret detach hf deployment/web\n  \
    kubectl runai-secret detach hf deployments -l app=web --env HF_TOKEN\n  \
    kubectl runai-secret detach ssh-key job/train --mount /etc/ssh-key --recreate\n  \
    kubectl runai-secret detach hf -f train.yaml"
)]
pub(crate) struct DetachArgs {
    /// The secret; it may be gone already
    #[arg(value_name = "SECRET", value_parser = flags::parse_secret, add = Holds::Secret)]
    secret: String,

    /// The workloads, or the NAME of one if only one has it; with -l their KIND; with -f it may be left out
    #[arg(value_name = "KIND/NAME", required_unless_present = "filename", add = Holds::Workload)]
    targets: Vec<String>,

    /// Only this env variable; may be repeated
    #[arg(long, value_name = "VAR", add = Holds::UsedVariable)]
    env: Vec<String>,

    /// Only the files mounted there; may be repeated
    #[arg(long, value_name = "PATH", add = Holds::UsedPath)]
    mount: Vec<String>,

    /// Only the env variables that --env-all makes, of all keys
    #[arg(long)]
    env_all: bool,

    /// Only its use for pulling images
    #[arg(long, conflicts_with = "container")]
    image_pull: bool,

    /// The workloads of the KIND whose labels match, such as app=web,tier!=db
    #[arg(short = 'l', long, value_name = "SELECTOR", conflicts_with = "filename", add = Holds::Text)]
    selector: Option<String>,

    /// Only this container; may be repeated
    #[arg(short, long, value_name = "NAME", value_delimiter = ',', add = Holds::Container)]
    container: Vec<String>,

    #[command(flatten)]
    manifest: ManifestChangeArgs,

    #[command(flatten)]
    change: ChangeArgs,
}

pub(super) async fn run(args: &DetachArgs, session: &Session<'_>) -> Result<()> {
    if let Some(second) = args.targets.first().filter(|second| Target::are_swapped(&args.secret, second)) {
        let right = CommandLine::plugin("detach").arg(second).arg(&args.secret).then("…");
        return Err(Target::swapped(&session.in_this_place(right)));
    }
    let selected =
        args.selector.as_deref().map(|selector| Selected::parse(&args.targets, selector)).transpose()?;
    let typed = match &selected {
        Some(_) => Vec::new(),
        None => args.targets.iter().map(|word| TypedTarget::parse(word)).collect::<Result<Vec<_>>>()?,
    };
    let plan = Detaching { selection: args.selection()? };
    if let Some(files) = args.manifest.files()? {
        let targets = typed.into_iter().map(TypedTarget::known).collect::<Result<Vec<_>>>()?;
        let (targets, write) = (targets.as_slice(), &args.change.write);
        return ManifestChange { plan, targets, args: &args.manifest, write, session }.run(&files).await;
    }
    for target in typed.iter().filter_map(TypedTarget::as_known) {
        args.change.way(target)?;
    }
    let is_one = selected.is_none() && typed.len() == 1;
    if !is_one {
        change::several::check_flags(&args.change)?;
    }
    let cluster = session.connect().await?;
    let namespace = session.namespace(&cluster).await?;
    let targets = session::target::find_all(typed, selected.as_ref(), &namespace, &cluster, session).await?;
    let (args, cluster, namespace) = (&args.change, &cluster, &namespace);
    if let ([target], true) = (targets.as_slice(), is_one) {
        let way = args.way(target)?;
        let object = change::workload::read(cluster, namespace, target).await?;
        let company = Company::Alone;
        return Change { plan, target, way, company, args, session, cluster, namespace }.run(object).await;
    }
    let read = async |target: Target| {
        let object = change::workload::read(cluster, namespace, &target).await;
        Planning { target, object, plan: Ok(plan.clone()) }
    };
    let all = stream::iter(targets).map(read).buffered(AT_ONCE).collect().await;
    SeveralChanges { args, cluster, namespace, session }.run(all).await
}

impl DetachArgs {
    fn selection(&self) -> Result<Selection> {
        workload::check_object_name("secret", &self.secret)?;
        let paths = self.mount.iter().map(|path| workload::mount_path(path)).collect::<Result<_>>()?;
        let containers = match self.container.as_slice() {
            [] => ContainerChoice::All,
            names => ContainerChoice::from_flags(names),
        };
        let nameless = [(self.env_all, Nameless::EnvAll), (self.image_pull, Nameless::ImagePull)];
        let nameless = nameless.into_iter().filter_map(|(is_wanted, one)| is_wanted.then_some(one)).collect();
        let variables = self.env.clone();
        Ok(Selection { variables, paths, nameless, containers, ..Selection::every_use(&self.secret) })
    }
}

#[derive(Clone)]
struct Detaching {
    selection: Selection,
}

impl Plan for Detaching {
    fn change(&self, object: &Value, kind: &Kind, workload: &str) -> Result<Planned> {
        let Self { selection } = self;
        let detached = workload::detach(object, kind, selection)?;
        if detached.removed.is_empty() {
            let why = not_used(object, kind, workload, &selection.secret)?;
            return Ok(Planned::Nothing { why, warnings: Vec::new() });
        }
        let differences = detached.removed.iter().map(|what| format!("removes {what}")).collect();
        let warnings = workload::left_behind(&detached.object, kind, &detached.removed);
        Ok(Planned::Changed(Changed { object: detached.object, differences, warnings }))
    }

    fn on_owner(&self, owner: &str) -> String {
        format!("detach from {owner} instead")
    }
}

/// Returns the sentence that the workload does not use the secret, with the nearest name that it uses.
///
/// # Errors
/// The workload uses the secret in a way that is not an attachment.
fn not_used(object: &Value, kind: &Kind, workload: &str, secret: &str) -> Result<String> {
    let used = kind.references(object);
    let others: Vec<_> =
        used.iter().filter(|one| one.secret == secret).map(|one| one.way.to_string()).collect();
    if !others.is_empty() {
        let others = list(others);
        return Err(Error::failed(format!("{workload} uses secret {secret} in a way that can't be detached: {others}"))
            .hint("a storage driver's login, or an ephemeral container's use, can only be changed in the workload itself"));
    }
    let line = format!("{workload} does not use secret {secret}");
    Ok(match nearest(secret, used.iter().map(|reference| reference.secret.as_str())) {
        Some(near) => format!("{line}, but {near}"),
        None => line,
    })
}
