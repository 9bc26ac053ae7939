//! `restart`: restarts the workloads that hold an old value of a secret.

use std::time::Duration;

use crate::cluster::{Cluster, Namespaces, if_there};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{self, DryRun, Holds, WriteArgs, parse_duration};
use crate::project::PROJECT_LABEL;
use crate::propagation::{Evidence, Scope};
use crate::session::Session;
use crate::session::scope::ScopeArgs;
use crate::sharing::wait::Among;
use crate::uses::rotation::{Area, Plan, Rotation, Waiting, Whom, wait_for_copies};
use crate::workload::{Kind, Renewal, Target};
use crate::{secret, session, sharing};

/// Restart the workloads that still hold an old value of a secret
///
/// A variable, a file mounted with subPath and the login of a storage driver are read once, when a container starts.
/// Restarted is what started before the keys that it reads changed: deployments, stateful sets and daemon sets as by
/// kubectl rollout restart, services of Knative and of Ray by a new revision. What nothing restarts, such as a job, is
/// named with the command for it; --recreate deletes jobs and pods and creates them again, as attach --recreate does.
///
/// For a shared secret in Run:ai's namespace it waits until the copies are current, and restarts what uses them in all
/// projects. It shows what it restarts and asks. Then it waits until the new pods are ready. A run that was cut short
/// is taken up by the next one, which restarts only what is still old.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret restart hf -p team-a\n  \
    kubectl runai-secret restart hf -n runai --yes\n  \
    kubectl runai-secret restart hf -p team-a --recreate\n  \
    kubectl runai-secret restart hf -A --dry-run")]
pub(crate) struct RestartArgs {
    /// The secret
    #[arg(value_name = "NAME", value_parser = flags::parse_secret, add = Holds::Secret)]
    name: String,

    /// Restart everything that reads it at its start, not only what holds an old value
    #[arg(long)]
    all: bool,

    /// Also delete jobs and pods that hold an old value, and create them again: their work so far is lost
    #[arg(long)]
    recreate: bool,

    /// Do not wait until the copies of a shared secret are current, nor until the new pods are ready
    #[arg(long)]
    no_wait: bool,

    /// How long to wait for the copies, and then for the new pods
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = parse_duration, add = Holds::Text)]
    timeout: Duration,

    #[command(flatten)]
    scope: ScopeArgs,

    #[command(flatten)]
    write: WriteArgs,
}

pub(super) async fn run(args: &RestartArgs, session: &Session<'_>) -> Result<()> {
    refuse_workload(&args.name, session)?;
    secret::check_secret_name(&args.name)?;
    let cluster = session.connect().await?;
    let area = args.area(&cluster, session).await?;
    let rotation = Rotation {
        secret: &args.name,
        keys: None,
        area,
        whom: if args.all { Whom::Everybody } else { Whom::Stale },
        write: &args.write,
        cluster: &cluster,
        session,
    };
    let plan = args.plan(&rotation).await?;
    if !plan.is_of_a_secret()
        && let Area::Namespaces(namespaces) = &rotation.area
    {
        return Err(args.not_found(namespaces, &cluster).await);
    }
    let plan = if args.recreate { rotation.with_recreation(plan).await } else { plan };
    rotation.agree(&plan).await?;
    let waiting = if args.no_wait { Waiting::No } else { Waiting::AtMost(args.timeout) };
    let next = CommandLine::plugin("usage").arg(&args.name);
    session.propose(&args.write, &session.in_this_place(next));
    rotation.carry_out(plan, waiting).await
}

/// Answers `restart job/train`, as one types it after `kubectl rollout`.
fn refuse_workload(name: &str, session: &Session<'_>) -> Result<()> {
    if !name.contains('/') {
        return Ok(());
    }
    let by_secret = session.in_this_place(CommandLine::plugin("restart").then("NAME"));
    let of_secret = format!("to restart what holds an old value of a secret: {by_secret}");
    let error = Error::usage("restart takes the name of a secret, and was given a workload");
    let Ok(target) = Target::parse(name) else { return Err(error.hint(of_secret)) };
    let name = target.kind.name;
    Err(match Renewal::of(target.kind) {
        // kubectl knows no other kinds here.
        Renewal::Restart if target.kind.group == "apps" => {
            let restart = CommandLine::kubectl("rollout restart").arg(target.to_string());
            error.hint(format!("to restart that workload alone: {}", session.in_this_place(restart)))
        }
        Renewal::Restart => error,
        Renewal::SubmitAgain => error.hint(format!("nothing restarts a {name}: submit it again")),
        Renewal::NextRun => {
            error.hint(format!("nothing restarts a {name}: its next run reads the new value"))
        }
        Renewal::DeletedPods => {
            error.hint(format!("nothing restarts a {name}: delete its pods, and it makes others"))
        }
        Renewal::Controller if target.kind == Kind::service_account() => {
            error.hint("a service account has no pods of its own to restart")
        }
        Renewal::Controller => error.hint(format!("a {name} is restarted by its controller")),
    }
    .hint(of_secret))
}

impl RestartArgs {
    /// Finds out where to look. A secret that is shared from Run:ai's namespace is used by its copies.
    async fn area(&self, cluster: &Cluster, session: &Session<'_>) -> Result<Area> {
        let namespaces = self.scope.resolve(cluster, session).await?;
        let runai = &session.globals.place.runai_namespace;
        // Only there is a secret shared.
        match &namespaces {
            Namespaces::One(namespace) if namespace == runai => {}
            _ => return Ok(Area::Namespaces(namespaces)),
        }
        let Some(found) = if_there(cluster.secret_metadata(runai, &self.name).await)? else {
            return Err(self.not_found(&namespaces, cluster).await);
        };
        Ok(match sharing::scope(&found, session) {
            Scope::Nobody => Area::Namespaces(namespaces),
            Scope::EveryProject | Scope::Department(_) => Area::OfSource,
        })
    }

    async fn not_found(&self, namespaces: &Namespaces, cluster: &Cluster) -> Error {
        let Namespaces::One(namespace) = namespaces else {
            let place = session::scope::in_words(namespaces);
            return Error::in_kubectls_words(format!(
                "Error from server (NotFound): secrets {:?} not found in {place}",
                self.name
            ));
        };
        let error = sharing::survey::not_found(&self.name, namespace);
        session::not_found::with_nearest_secret(error, &self.name, namespace, cluster).await
    }

    /// Looks for what is to be restarted: of a shared secret and of its copies, once those are current.
    async fn plan(&self, rotation: &Rotation<'_>) -> Result<Plan> {
        let Rotation { cluster, session, .. } = rotation;
        let limit =
            if self.no_wait || self.write.dry_run != DryRun::None { Duration::ZERO } else { self.timeout };
        let runai = &session.globals.place.runai_namespace;
        let namespaces = match &rotation.area {
            Area::Namespaces(namespaces) => namespaces,
            Area::OfSource => {
                let among = Among::EveryProject;
                let copies = wait_for_copies(&self.name, runai, among, limit, cluster, session).await?;
                return Ok(rotation.look().await?.with_copies(Some(copies), runai));
            }
        };
        let plan = rotation.look().await?;
        let Some(sign) = plan.sign_of_copies() else { return Ok(plan) };
        let among = match namespaces {
            Namespaces::One(namespace) => {
                if self.is_of_no_project(namespace, sign, cluster, session).await {
                    return Ok(plan);
                }
                Among::Namespace(namespace)
            }
            Namespaces::All | Namespaces::AllAtOnce => Among::EveryProject,
        };
        rotation.look_after_copies(among, limit).await
    }

    /// Warns of a secret that has a label of shared ones in a namespace that is no project's: Run:ai may be there.
    async fn is_of_no_project(
        &self,
        namespace: &str,
        sign: &Evidence,
        cluster: &Cluster,
        session: &Session<'_>,
    ) -> bool {
        let is_label = matches!(sign, Evidence::Label(_));
        let labels = if is_label { cluster.namespace(namespace).await.ok() } else { None };
        if labels.is_none_or(|namespace| namespace.labels.contains_key(PROJECT_LABEL)) {
            return false;
        }
        let restart = CommandLine::plugin("restart").arg(&self.name).namespace(namespace);
        session.ui.warning(&format!(
            "secret {} in {namespace} has Run:ai's {sign}, and {namespace} belongs to no project: what uses copies of it \
             is left alone; if Run:ai is installed there: {}",
            self.name,
            restart.then("--runai-namespace").arg(namespace)
        ));
        true
    }
}
