//! `attach --extract`: moves the value of a plain variable into a secret.

use std::collections::BTreeSet;

use super::AttachArgs;
use crate::change;
use crate::change::manifest::{ManifestChange, Workload, meant};
use crate::change::workload::{Change, Company};
use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::flags::DryRun;
use crate::secret;
use crate::session;
use crate::session::Session;
use crate::sources::manifest_files::{ManifestFile, ManifestFiles};
use crate::uses::extracting::{Destination, Extracting, Found, Left, Origin, Taken, Wanted};
use crate::uses::runai_flags::RunaiFlags;
use crate::workload::{self, ContainerChoice, Target, TypedTarget};

pub(super) async fn run(args: &AttachArgs, session: &Session<'_>) -> Result<()> {
    if args.runai == RunaiFlags::Wanted {
        return Err(Error::usage("-o runai prints flags, and --extract changes what is there")
            .hint("leave out one of them"));
    }
    let files = args.manifest.files()?;
    let (secret, words) = match args.words.as_slice() {
        [secret, words @ ..] if !secret.contains('/') && (files.is_some() || !words.is_empty()) => {
            (Some(secret.as_str()), words)
        }
        words => (None, words),
    };
    let wanted: Vec<Wanted> =
        args.extract.iter().map(|flag| Wanted::parse(flag, secret)).collect::<Result<_>>()?;
    let distinct: BTreeSet<&str> = wanted.iter().map(|one| one.variable.as_str()).collect();
    if distinct.len() < wanted.len() {
        return Err(Error::usage("--extract names a variable twice").hint("name each once"));
    }
    let targets = words.iter().map(|word| TypedTarget::parse(word)).collect::<Result<Vec<_>>>()?;
    match (files, targets) {
        (Some(files), targets) => in_files(&files, targets, &wanted, args, session).await,
        (None, mut targets) if targets.len() == 1 => to_one(targets.remove(0), &wanted, args, session).await,
        (None, _) => Err(Error::usage("--extract moves values out of one workload, and several are named")
            .hint("run it once for each")),
    }
}

async fn to_one(
    typed: TypedTarget,
    wanted: &[Wanted],
    args: &AttachArgs,
    session: &Session<'_>,
) -> Result<()> {
    if let Some(target) = typed.as_known() {
        args.change.way(target)?;
    }
    let cluster = session.connect().await?;
    let namespace = session.namespace(&cluster).await?;
    let target = session::target::find(typed, &namespace, &cluster, session).await?;
    let way = args.change.way(&target)?;
    let object = change::workload::read(&cluster, &namespace, &target).await?;
    let containers = ContainerChoice::from_flags(&args.container);
    let mut taken = Taken::default();
    for one in wanted {
        if taken.take(one, &object, target.kind, &containers, session)? == Found::Nothing {
            return Err(workload::no_variable(&object, target.kind, &containers, &one.variable));
        }
    }
    let write = &args.change.write;
    let destination = Destination { cluster: cluster.clone(), namespace: namespace.clone() };
    let (origin, names) = (Origin::Cluster, taken.secrets());
    let to = Some(&destination);
    let plan = Extracting::plan((taken, &names), containers, origin, to, (write, session)).await?;
    let company = Company::Alone;
    let (target, cluster, namespace) = (&target, &*cluster, namespace.as_str());
    let change = Change { plan, target, way, company, args: &args.change, session, cluster, namespace };
    let done = change.carry_out(object.clone()).await.map_err(|error| change.plan.although(error))?;
    done.report(write, session)?;
    let left = if done.name == target.to_string() { Left::Changed } else { Left::Original };
    change.plan.tell_what_is_left(target, &object, left).await;
    Ok(())
}

async fn in_files(
    files: &ManifestFiles,
    targets: Vec<TypedTarget>,
    wanted: &[Wanted],
    args: &AttachArgs,
    session: &Session<'_>,
) -> Result<()> {
    let write = &args.change.write;
    if write.dry_run == DryRun::Server {
        return Err(Error::usage(
            "--dry-run=server has the server check the secret alone, and -f changes a file",
        )
        .hint("--dry-run=client sends nothing and prints the manifest"));
    }
    let targets = targets.into_iter().map(TypedTarget::known).collect::<Result<Vec<_>>>()?;
    let files = files.read()?;
    let containers = ContainerChoice::from_flags(&args.container);
    let (taken, namespaces) = take_from(&files, &targets, wanted, &containers, session)?;
    let destination = match write.dry_run {
        DryRun::Client => None,
        DryRun::None | DryRun::Server => {
            let cluster = session.connect().await?;
            let namespace = namespace_of(&namespaces, &cluster, session).await?;
            Some(Destination { cluster, namespace })
        }
    };
    let (origin, names, to) = (Origin::Manifest, taken.secrets(), destination.as_ref());
    let plan = Extracting::plan((taken, &names), containers, origin, to, (write, session)).await?;
    let change = ManifestChange { plan, targets: &targets, args: &args.manifest, write, session };
    change.run_on(&files).await.map_err(|error| change.plan.although(error))?;
    if let Some(destination) = &destination {
        change.plan.tell_to_rotate("the manifest", &destination.namespace);
    }
    Ok(())
}

/// Takes the values out of all workloads that are meant, and returns the namespaces that these name.
fn take_from(
    files: &[ManifestFile],
    targets: &[Target],
    wanted: &[Wanted],
    containers: &ContainerChoice,
    session: &Session<'_>,
) -> Result<(Taken, BTreeSet<String>)> {
    let manifests = files.iter().map(ManifestFile::manifest).collect::<Result<Vec<_>>>()?;
    let workloads: Vec<Workload> = meant(files, &manifests, targets)?.into_iter().flatten().collect();
    let (mut taken, mut namespaces) = (Taken::default(), BTreeSet::new());
    for one in wanted {
        let mut has_it = false;
        for Workload { kind, object, .. } in &workloads {
            let found = taken.take(one, &object.value, kind, containers, session);
            if found.map_err(|error| error.at(&object.place))? == Found::Variable {
                has_it = true;
                namespaces.extend(object.value["metadata"]["namespace"].as_str().map(str::to_owned));
            }
        }
        if !has_it {
            return Err(nothing_of(one, &workloads, containers));
        }
    }
    Ok((taken, namespaces))
}

fn nothing_of(wanted: &Wanted, workloads: &[Workload], containers: &ContainerChoice) -> Error {
    match workloads {
        [Workload { kind, object, .. }] => {
            workload::no_variable(&object.value, kind, containers, &wanted.variable).at(&object.place)
        }
        _ => {
            Error::failed(format!("none of the {} workloads has an env {}", workloads.len(), wanted.variable))
        }
    }
}

/// Returns the namespace of the secrets: that of the workloads, which they may leave to the command line.
async fn namespace_of(named: &BTreeSet<String>, cluster: &Cluster, session: &Session<'_>) -> Result<String> {
    let named: Vec<&str> = named.iter().map(String::as_str).collect();
    if named.len() > 1 {
        return Err(Error::usage(format!("the workloads are in several namespaces: {}", named.join(", ")))
            .hint("choose one workload: KIND/NAME beside -f"));
    }
    let Some(own) = named.first() else { return session.namespace(cluster).await };
    if session.is_place_chosen() {
        let chosen = session.namespace(cluster).await?;
        if chosen != *own {
            return Err(Error::usage(format!(
                "the manifest says namespace {own}, and the command line says {chosen}: a secret is used in its own"
            ))
            .hint("leave out --namespace and --project"));
        }
    }
    secret::check_namespace(own)?;
    Ok((*own).to_owned())
}
