//! `create --attach`: gives the new secret to workloads, which are looked at before anything is written.

use crate::change::workload::{ChangeArgs, Recreate};
use crate::cluster::Cluster;
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{DryRun, Holds, Output, WriteArgs};
use crate::secret::SecretManifest;
use crate::session::Session;
use crate::uses::attaching::{Ahead, Attach};
use crate::uses::usual::{Said, attachments, variables};
use crate::wording::list;
use crate::workload::{self, Attachment, ContainerChoice, Existing, Target, TypedTarget};
use crate::{change, session};

/// The flags for workloads that are to get the new secret.
#[derive(clap::Args)]
pub(super) struct AttachingArgs {
    /// Then attach it to this workload: as usual for what it holds, or else each key as a variable
    #[arg(long, value_name = "KIND/NAME", conflicts_with = "cluster_wide", add = Holds::Workload)]
    attach: Vec<String>,

    /// With --attach: delete a workload that can't be changed, and create it again under its name
    #[arg(long, requires = "attach")]
    recreate: bool,
}

/// The workloads that are to get the secret, as they were typed.
pub(super) struct Attaching {
    words: Vec<String>,
    typed: Vec<TypedTarget>,
    how: How,
}

/// The workloads that are to get the secret, each of which is there.
pub(super) struct Found {
    targets: Vec<Target>,
    how: How,
}

/// How they get it.
struct How {
    attachments: Vec<Attachment>,
    /// The secret does not say how it is used, so `attach` must be told.
    needs_flags: bool,
    change: ChangeArgs,
}

impl Attaching {
    /// Returns what the flags ask for; none if no workload is named.
    ///
    /// # Errors
    /// A workload's name is illegal, or another flag has no meaning beside it.
    pub(super) fn of(
        args: &AttachingArgs,
        write: &WriteArgs,
        manifest: &SecretManifest,
        session: &Session<'_>,
    ) -> Result<Option<Self>> {
        if args.attach.is_empty() {
            return Ok(None);
        }
        if session.globals.place.projects.len() > 1 {
            return Err(Error::usage("--attach is about one project, and several are named")
                .hint("leave out --attach, and attach it in each"));
        }
        if write.output != Output::Human {
            return Err(Error::usage("-o prints one object, and --attach changes others")
                .hint("leave out one of them"));
        }
        if args.recreate && write.dry_run == DryRun::None {
            session.ui.check_confirmable(&format!("Recreate {}?", list(&args.attach)))?;
        }
        let typed = args.attach.iter().map(|word| TypedTarget::parse(word)).collect::<Result<_>>()?;
        let said = Said::by_manifest(manifest);
        let usual = attachments(&said)?;
        let needs_flags = usual.is_none();
        let attachments = match usual {
            Some(usual) => usual,
            None => variables(&said)?,
        };
        let recreate = if args.recreate { Recreate::Allowed } else { Recreate::No };
        let how = How { attachments, needs_flags, change: ChangeArgs::beside(write, recreate) };
        Ok(Some(Self { words: args.attach.clone(), typed, how }))
    }

    /// Says what would be done: without the secret nothing can be attached.
    pub(super) fn tell(&self, session: &Session<'_>) {
        self.how.tell(&self.words, session);
    }

    /// Looks at the workloads before the secret is created.
    ///
    /// # Errors
    /// One does not exist, can't be read, or can't have such a secret.
    pub(super) async fn find(
        self,
        namespace: &str,
        cluster: &Cluster,
        session: &Session<'_>,
    ) -> Result<Found> {
        let find = |typed| session::target::find(typed, namespace, cluster, session);
        let targets = futures::future::try_join_all(self.typed.into_iter().map(find)).await?;
        for target in &targets {
            workload::check_expressible(target.kind, &self.how.attachments, &ContainerChoice::Only)?;
        }
        let reads = targets.iter().map(|target| change::workload::read(cluster, namespace, target));
        futures::future::try_join_all(reads).await?;
        Ok(Found { targets, how: self.how })
    }
}

impl Found {
    /// Attaches the secret, which is there now.
    ///
    /// # Errors
    /// A workload was not changed; the error says that the secret is created, and how to go on.
    pub(super) async fn attach(
        self,
        name: &str,
        namespace: &str,
        cluster: &Cluster,
        session: &Session<'_>,
    ) -> Result<()> {
        let Self { targets, how } = self;
        if how.change.write.dry_run != DryRun::None {
            how.tell(targets.iter().map(ToString::to_string), session);
            return Ok(());
        }
        let flags = how.flags();
        for (at, target) in targets.iter().enumerate() {
            let way = how.change.way(target)?;
            let (containers, existing, args) = (ContainerChoice::Only, Existing::Keep, &how.change);
            let attach = Attach { to: target, containers, existing, args, cluster, namespace, session };
            let attached = Box::pin(attach.run(how.attachments.clone(), way, Ahead::default())).await;
            attached.map_err(|error| {
                let error = error.after(&format!("secret/{name} is created"));
                targets[at..].iter().fold(error, |error, left| {
                    let again = CommandLine::plugin("attach").arg(name).arg(left.to_string()).args(&flags);
                    let again = again.namespace(namespace);
                    error.hint(format!("to attach it: {again}"))
                })
            })?;
        }
        Ok(())
    }
}

impl How {
    /// Returns the flags by which `attach` does the same.
    fn flags(&self) -> Vec<String> {
        let variable = |one: &Attachment| match one {
            Attachment::Env { variable, key, .. } if self.needs_flags => {
                Some(format!("--env={variable}={key}"))
            }
            _ => None,
        };
        let recreate = self.change.flag_of_way().map(ToOwned::to_owned);
        self.attachments.iter().filter_map(variable).chain(recreate).collect()
    }

    fn tell<T: AsRef<str>>(&self, workloads: impl IntoIterator<Item = T>, session: &Session<'_>) {
        let attachments = list(self.attachments.iter().map(ToString::to_string));
        session.ui.note(&format!("it would then be attached to {}: {attachments}", list(workloads)));
    }
}
