//! `create`: creates a secret in one request; in several projects, with one request each.

mod ahead;
mod args;
mod attaching;
mod destination;
mod manifest;
mod replace;
mod typed;
mod written;

use serde_json::Value;

use self::args::NewSecretArgs;
use self::attaching::Attaching;
use self::destination::Destination;
use crate::change;
use crate::change::recreate::secret::Remains;
use crate::cluster::{self, Answer, Cluster};
use crate::command_line::CommandLine;
use crate::error::Result;
use crate::flags::{DataForm, DryRun, Head, Output};
use crate::secret::{Difference, SecretManifest};
use crate::session::Session;
use crate::session::batch::{Objects, Several};
use crate::ui::Proposal;
use crate::uses;
use crate::uses::usual::Said;
use crate::wording::list;

pub(crate) use self::args::CreateArgs;
use self::written::{Written, refused};

pub(super) async fn run(args: &CreateArgs, session: &Session<'_>) -> Result<()> {
    let (typed, args) = args.chosen();
    destination::check(args, session)?;
    let manifest = manifest::resolve(&typed, args, session).await?;
    let attaching = Attaching::of(&args.attaching, &args.write, &manifest, session)?;
    if args.write.dry_run == DryRun::Client {
        dry_run(&manifest, args, session).await?;
        if let Some(attaching) = attaching {
            attaching.tell(session);
        }
        return Ok(());
    }
    // The sources have been read: a credential plugin may take the terminal.
    let cluster = session.connect().await?;
    let destinations = destination::all(args, &cluster, session).await?;
    if args.cluster_wide {
        destination::agree_to_share(&manifest.name, args, &cluster, session).await?;
    }
    let found = match (attaching, destinations.as_slice()) {
        (Some(attaching), [only]) => Some(attaching.find(&only.namespace, &cluster, session).await?),
        _ => None,
    };
    review(&manifest, &destinations, args, session).await?;
    if let [only] = destinations.as_slice() {
        let written = write(&manifest, &only.namespace, args, &cluster, session).await?;
        session.report(&args.write, &manifest.to_name(), written.verb, &written.object)?;
        change::secret::tell_keys(&written.difference, None, session);
        session.note_unchosen_namespace(&only.namespace);
        propose(&manifest, args, session);
        if args.cluster_wide && args.write.dry_run == DryRun::None {
            session.ui.note("Run:ai copies it to every project, usually within a minute");
        }
        return match found {
            Some(found) => found.attach(&manifest.name, &only.namespace, &cluster, session).await,
            None => Ok(()),
        };
    }
    in_each(&manifest, &destinations, args, &cluster, session).await
}

/// Proposes what usually comes next: to see the copies, or to give the secret to a workload.
fn propose(manifest: &SecretManifest, args: &NewSecretArgs, session: &Session<'_>) {
    let next = if args.cluster_wide {
        CommandLine::plugin("status").arg(&manifest.name)
    } else {
        session.in_this_place(uses::usual::command(&Said::by_manifest(manifest)))
    };
    session.propose(&args.write, &next);
}

async fn review(
    manifest: &SecretManifest,
    destinations: &[Destination],
    args: &NewSecretArgs,
    session: &Session<'_>,
) -> Result<()> {
    let keys: Vec<&str> = manifest.data.keys().map(String::as_str).collect();
    let keys = if keys.is_empty() {
        "no keys".to_owned()
    } else {
        format!("{} {}", if keys.len() == 1 { "the key" } else { "the keys" }, list(&keys))
    };
    let name = manifest.to_name();
    let secret_type = if manifest.secret_type.is_empty() { "Opaque" } else { &manifest.secret_type };
    let effect = |to: &Destination| format!("{name} of type {secret_type} in {}: {keys}", to.namespace);
    let effects: Vec<String> = destinations.iter().map(effect).collect();
    session.confirm_if_guided(&args.write, &format!("Create {name}?"), &effects, Proposal::Yes).await
}

/// Writes to all destinations. If one refuses, the others still get the secret.
async fn in_each(
    manifest: &SecretManifest,
    destinations: &[Destination],
    args: &NewSecretArgs,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<()> {
    let mut several = Several::projects(destinations.len(), session);
    let mut objects = Objects::asked(destinations.len(), &args.write, session);
    let mut stopped = Ok(());
    for Destination { namespace, project } in destinations {
        let outcome = write(manifest, namespace, args, cluster, session).await;
        match several.one(project, outcome) {
            Ok(Some(Written { verb, object, difference })) => {
                objects.tell(&manifest.to_name(), &format!("{verb} in {project}"), object)?;
                change::secret::tell_keys(&difference, Some(project), session);
            }
            Ok(None) => {}
            Err(error) => {
                stopped = Err(error);
                break;
            }
        }
    }
    objects.print()?;
    stopped.and(several.verdict())
}

async fn write(
    manifest: &SecretManifest,
    namespace: &str,
    args: &NewSecretArgs,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<Written> {
    if args.replace {
        return replace::Replacement { manifest, namespace, args, cluster, session }.run().await;
    }
    if let Some(remains) = Remains::of(cluster, namespace, &manifest.name) {
        session.ui.warning(&format!(
            "an earlier create --replace of secret {} was cut short; the old secret had {}, which --replace gives to the \
             new one",
            manifest.name,
            remains.in_words()
        ));
    }
    let body = manifest.to_request_body();
    match cluster.create_secret(namespace, body, args.answer(), args.write.write()).await {
        Ok(object) => Ok(Written { verb: "created", object, difference: Difference::default() }),
        Err(failure) => Err(refused(failure, manifest, namespace, cluster).await),
    }
}

/// Shows what would be done, and writes nothing. Reads the cluster to look up a project, and to say whether a
/// secret would be replaced; `-o` prints the same either way.
async fn dry_run(manifest: &SecretManifest, args: &NewSecretArgs, session: &Session<'_>) -> Result<()> {
    let place = &session.globals.place;
    let looks_for_old = args.replace && args.write.output == Output::Human;
    let looks_up_project = place.namespace.is_none() && !place.projects.is_empty();
    if !looks_for_old && !looks_up_project {
        cluster::check_kubeconfig(&session.globals.connection)?;
        let runai = args.cluster_wide.then_some(&place.runai_namespace);
        let namespaces: Vec<_> = runai.or(place.namespace.as_ref()).into_iter().cloned().collect();
        return print(manifest, &namespaces, args, session);
    }
    let cluster = session.connect().await?;
    let destinations = destination::all(args, &cluster, session).await?;
    if args.write.output != Output::Human {
        let namespaces: Vec<_> = destinations.into_iter().map(|to| to.namespace).collect();
        return print(manifest, &namespaces, args, session);
    }
    for Destination { namespace, project } in &destinations {
        let (mut verb, mut difference) = ("created", Difference::default());
        if args.replace {
            let replacement = replace::Replacement { manifest, namespace, args, cluster: &cluster, session };
            (verb, difference) = replacement.preview().await?;
        }
        let project = Some(project.as_str()).filter(|_| destinations.len() > 1);
        let verb = project.map_or_else(|| verb.to_owned(), |project| format!("{verb} in {project}"));
        session.report(&args.write, &manifest.to_name(), &verb, &Value::Null)?;
        change::secret::tell_keys(&difference, project, session);
    }
    Ok(())
}

/// Prints the manifest once for each of these namespaces. With none it has no namespace, as with kubectl.
fn print(
    manifest: &SecretManifest,
    namespaces: &[String],
    args: &NewSecretArgs,
    session: &Session<'_>,
) -> Result<()> {
    match &args.write.output {
        Output::Data(DataForm::Json) => session.ui.data(&manifest.to_json(namespaces)),
        Output::Data(DataForm::Yaml) => session.ui.data(&manifest.to_yaml(namespaces)),
        Output::Data(DataForm::Fields(fields)) => {
            session.ui.fields(&manifest.to_json(namespaces), fields, Head::Shown)
        }
        Output::Human | Output::Name => (0..namespaces.len().max(1))
            .try_for_each(|_| session.report(&args.write, &manifest.to_name(), "created", &Value::Null)),
    }
}

impl NewSecretArgs {
    /// Returns what the server sends back: no values, unless they are printed.
    fn answer(&self) -> Answer {
        match self.write.output {
            Output::Data(_) => Answer::Whole,
            Output::Human | Output::Name => Answer::Metadata,
        }
    }
}
