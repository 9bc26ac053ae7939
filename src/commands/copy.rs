//! `copy`: copies a secret of one project to others, once; copies are not kept up to date.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::change::recreate::secret::refuse_going;
use crate::change::retry::Tries;
use crate::cluster::{Answer, Cluster, Failure, SecretHead, SecretWithValues, if_there};
use crate::command_line::CommandLine;
use crate::command_line::reach::There;
use crate::error::{Error, Result};
use crate::flags::{DryRun, Holds, WriteArgs};
use crate::history;
use crate::metadata::{EXPIRES, Metadata};
use crate::propagation::{self, ExistingSecret};
use crate::secret::{self, CREDENTIAL_LABEL, Difference, SecretManifest};
use crate::session::Session;
use crate::session::batch::{Objects, Several};
use crate::sharing::CopyCheck;
use crate::ui::Proposal;
use crate::uses::losing_keys::LostKeys;
use crate::uses::usual::Said;
use crate::wording::list;
use crate::{change, session, sharing, uses};

/// The annotation of a copy that says what it was copied from. It is not the mark of `sync`, which would
/// update or remove the copy.
const COPIED_FROM: &str = "kubectl-runai-secret/copied-from";

/// The type of a service account's token, which no other namespace can use.
const SERVICE_ACCOUNT_TOKEN: &str = "kubernetes.io/service-account-token";

/// Copy a secret to other projects
///
/// The copy gets the type, the keys and values, their noted ends, and the label that makes the secret a credential of
/// Run:ai.
/// It does not get the owner, nor the labels that share the secret; --label and --annotation add others. A
/// copy is not kept up to date: to share a secret with every project, see label. If a project already has a
/// secret of that name, the copy is refused unless --replace is given.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret copy hf --from-project=team-a --to-project=team-b\n  \
    kubectl runai-secret copy hf -p team-a --to-project=team-b --to-project=vision --replace")]
pub(crate) struct CopyArgs {
    /// The secret
    #[arg(value_name = "NAME", add = Holds::Secret)]
    name: String,

    /// The project that gets it; may be repeated, also as a,b
    #[arg(long = "to-project", value_name = "PROJECT", required = true, value_delimiter = ',', add = Holds::ProjectThere)]
    to: Vec<String>,

    /// The project that has it; the same as --project
    #[arg(long, value_name = "PROJECT", add = Holds::Project)]
    from_project: Option<String>,

    /// The kubeconfig's context of the cluster that gets it
    #[arg(long, value_name = "CONTEXT", add = Holds::Context)]
    to_context: Option<String>,

    /// Overwrite type and values of a secret of that name; its labels and annotations stay
    #[arg(long)]
    replace: bool,

    /// A label for the copy
    #[arg(long = "label", value_name = "KEY=VALUE", add = Holds::Text)]
    labels: Vec<String>,

    /// An annotation for the copy
    #[arg(long = "annotation", value_name = "KEY=VALUE", add = Holds::Text)]
    annotations: Vec<String>,

    #[command(flatten)]
    write: WriteArgs,
}

/// A copy that is being made.
struct Copying<'a> {
    manifest: SecretManifest,
    /// The UID of the secret that is copied.
    uid: String,
    args: &'a CopyArgs,
    /// The cluster that gets the copy.
    cluster: &'a Cluster,
    session: &'a Session<'a>,
}

pub(super) async fn run(args: &CopyArgs, session: &Session<'_>) -> Result<()> {
    secret::check_secret_name(&args.name)?;
    let labels = session::given_labels::of_copies(&args.labels)?;
    let annotations = session::given_labels::annotations(&args.annotations)?;
    let cluster = session.connect().await?;
    let from = args.source(&cluster, session).await?;
    let there = || args.to_context.as_deref().map(There::of);
    let meant_there = there();
    let other = match &args.to_context {
        Some(context) => {
            let connection = session.globals.connection.to_other_context(context);
            Some(Cluster::connect(&connection, session.ui).await?)
        }
        None => None,
    };
    let target = other.as_ref().unwrap_or(&cluster);
    let destinations = args.destinations(target, session).await?;
    drop(meant_there);
    if other.is_none() && destinations.iter().any(|(namespace, _)| *namespace == from) {
        return Err(Error::usage(format!("secret {} can't be copied to itself, in {from}", args.name)));
    }
    let found = match cluster.namesake(&from, &args.name).await {
        Ok(found) => found,
        Err(failure) => return Err(session::not_found::secret(failure, &args.name, &from, &cluster).await),
    };
    if found.content.secret_type == SERVICE_ACCOUNT_TOKEN {
        return Err(Error::failed(format!(
            "secret {} is the token of a service account of {from}, and of no use elsewhere",
            args.name
        )));
    }
    if found.immutable {
        session.ui.note(&format!("{} is immutable; its copies are not", args.name));
    }
    let mut manifest = manifest(&found);
    for doubt in secret::doubts(&manifest.secret_type, |key| manifest.data.get(key)) {
        session.ui.warning(&doubt);
    }
    manifest.labels.extend(labels);
    manifest.annotations.extend(annotations);
    let copying = Copying { manifest, uid: found.metadata.uid, args, cluster: target, session };
    let effect = |(namespace, project): &(String, String)| {
        format!("secret/{} in project {project}, namespace {namespace}", args.name)
    };
    let effects: Vec<String> = destinations.iter().map(effect).collect();
    session
        .confirm_if_guided(&args.write, &format!("Copy {} of {from}?", args.name), &effects, Proposal::Yes)
        .await?;
    let _meant_there = there();
    copying.to_all(&destinations).await
}

impl CopyArgs {
    async fn source(&self, cluster: &Cluster, session: &Session<'_>) -> Result<String> {
        let place = &session.globals.place;
        match &self.from_project {
            Some(_) if place.namespace.is_some() || !place.projects.is_empty() => {
                Err(Error::usage("--from-project excludes --project and --namespace")
                    .hint("leave out --project and --namespace, or --from-project"))
            }
            Some(project) => session.namespace_of(cluster, project).await,
            None => session.namespace(cluster).await,
        }
    }

    /// Returns the namespaces of the projects that get the copy, each once, with the projects' names.
    async fn destinations(&self, cluster: &Cluster, session: &Session<'_>) -> Result<Vec<(String, String)>> {
        let mut seen = BTreeSet::new();
        let mut destinations = Vec::new();
        for project in self.to.iter().filter(|project| seen.insert(*project)) {
            destinations.push((session.namespace_of(cluster, project).await?, project.clone()));
        }
        Ok(destinations)
    }
}

fn manifest(found: &ExistingSecret) -> SecretManifest {
    let Metadata { name, namespace, labels, .. } = &found.metadata;
    let mut manifest = SecretManifest::new(name, found.content.values());
    manifest.secret_type.clone_from(&found.content.secret_type);
    let origin = propagation::identity(namespace, name);
    manifest.annotations = BTreeMap::from([(COPIED_FROM.to_owned(), origin)]);
    let ends = found.metadata.annotations.ends.annotation();
    manifest.annotations.extend(ends.map(|ends| (EXPIRES.to_owned(), ends)));
    let credential = labels.get_key_value(CREDENTIAL_LABEL);
    manifest.labels.extend(credential.map(|(label, value)| (label.clone(), value.clone())));
    manifest
}

impl Copying<'_> {
    /// Writes all copies. If one project refuses, the others still get theirs.
    async fn to_all(&self, destinations: &[(String, String)]) -> Result<()> {
        let (session, write) = (self.session, &self.args.write);
        let mut several = Several::projects(destinations.len(), session);
        let mut objects = Objects::asked(destinations.len(), write, session);
        for (namespace, project) in destinations {
            if let Some((verb, difference)) = several.one(project, self.to_one(namespace).await)? {
                let (name, verb) = (self.manifest.to_name(), format!("{verb} in {project}"));
                objects.tell(&name, &verb, self.without_values(namespace))?;
                change::secret::tell_keys(&difference, Some(project), session);
            }
        }
        objects.print()?;
        several.verdict()?;
        if let ([(_, project), ..], None) = (destinations, &self.args.to_context) {
            let next = uses::usual::command(&Said::by_manifest(&self.manifest)).then("-p").arg(project);
            session.propose(write, &next);
        }
        session.ui.note("copies are not kept up to date: after a change copy it again, with --replace");
        Ok(())
    }

    /// Returns the object for `-o`, without values.
    fn without_values(&self, namespace: &str) -> Value {
        let SecretManifest { name, labels, annotations, secret_type, .. } = &self.manifest;
        let metadata =
            json!({ "name": name, "namespace": namespace, "labels": labels, "annotations": annotations });
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": secret_type })
    }

    /// Returns the verb, and what became of each key of a secret that was there.
    async fn to_one(&self, namespace: &str) -> Result<(&'static str, Difference)> {
        let dry = self.args.write.dry_run == DryRun::Client;
        let check = CopyCheck::default();
        let mut tries = Tries::default();
        loop {
            let old = if self.args.replace || dry { self.read(namespace).await? } else { None };
            let failure = match &old {
                Some(_) if !self.args.replace => return Err(self.exists(namespace)),
                Some((old, difference)) => {
                    self.check_is_another(old, namespace)?;
                    refuse_going(&old.metadata, &self.args.name, namespace)?;
                    if change::secret::is_as_wanted(old, &self.manifest, difference) {
                        return Ok(("unchanged", difference.clone()));
                    }
                    self.agree(old, namespace, &check).await?;
                    if dry {
                        return Ok(("replaced", difference.clone()));
                    }
                    match self.replace(&old.metadata, difference, namespace).await {
                        Ok(_) => return Ok(("replaced", difference.clone())),
                        Err(failure) => failure,
                    }
                }
                None if dry => return Ok(("created", Difference::default())),
                None => match self.create(namespace).await {
                    Ok(_) => return Ok(("created", Difference::default())),
                    Err(failure) if failure.is_already_exists() && !self.args.replace => {
                        return Err(self.exists(namespace));
                    }
                    Err(failure) => failure,
                },
            };
            let beaten = |failure: &Failure| {
                self.args.replace && (failure.is_beaten() || (old.is_some() && failure.is_not_found()))
            };
            tries.again(failure, beaten).await.map_err(|failure| self.refused(failure, namespace))?;
        }
    }

    /// Refuses a copy of a secret onto itself.
    fn check_is_another(&self, old: &SecretHead<Value>, namespace: &str) -> Result<()> {
        if old.metadata["uid"] != self.uid.as_str() {
            return Ok(());
        }
        let name = &self.args.name;
        Err(Error::usage(format!("secret {name} can't be copied to itself, in {namespace}")))
    }

    /// Asks about keys that are lost.
    async fn agree(&self, old: &SecretHead<Value>, namespace: &str, check: &CopyCheck) -> Result<()> {
        let (name, session, write) = (self.args.name.as_str(), self.session, &self.args.write);
        let metadata: Metadata = serde_json::from_value(old.metadata.clone()).unwrap_or_default();
        check.agree(&metadata, "set", write, self.cluster, session).await?;
        let lost = old.keys().filter(|key| !self.manifest.data.contains_key(*key));
        let lost: Vec<String> = lost.map(str::to_owned).collect();
        if lost.is_empty() {
            return Ok(());
        }
        let going = uses::losing_keys::in_words(&lost, name, namespace);
        session.ui.note(&format!("{going}: the source does not have it"));
        let deed = format!("Replace {name} in {namespace}, without {},", list(&lost));
        let scope = sharing::scope(&metadata, session);
        let (keys, cluster) = (lost.as_slice(), self.cluster);
        LostKeys { name, namespace, keys, scope: &scope, deed, cluster, write, session }.agree().await
    }

    /// Reads the old secret, and compares its values, which are not kept.
    async fn read(&self, namespace: &str) -> Result<Option<(SecretHead<Value>, Difference)>> {
        let old = if_there(self.cluster.secret_as(namespace, &self.args.name).await)?;
        Ok(old.map(|old: SecretWithValues<Value>| {
            let difference = Difference::of_whole(&old.values, &self.manifest.data);
            (old.head, difference)
        }))
    }

    async fn create(&self, namespace: &str) -> Result<Value, Failure> {
        let body = self.manifest.to_request_body();
        self.cluster.create_secret(namespace, body, Answer::Metadata, self.args.write.write()).await
    }

    /// Replaces type and values. Labels and annotations stay, except the one in which kubectl apply left a
    /// copy of the old values.
    async fn replace(&self, old: &Value, difference: &Difference, namespace: &str) -> Result<Value, Failure> {
        let before = serde_json::from_value(old.clone()).unwrap_or_default();
        let new = history::with_record(
            self.manifest.metadata_over(old, difference),
            &before,
            &difference.touched(),
        );
        let body = self.manifest.to_replacement_body(&new);
        let (name, write) = (&self.args.name, self.args.write.write());
        self.cluster.replace_secret(namespace, name, body, Answer::Metadata, write).await
    }

    fn exists(&self, namespace: &str) -> Error {
        let name = &self.args.name;
        Error::in_kubectls_words(format!(
            "Error from server (AlreadyExists): secrets \"{name}\" already exists in {namespace}"
        ))
        .hint(change::secret::how_to_set(&self.manifest, namespace))
        .hint("nothing was changed there; --replace overwrites it and removes its other keys")
        .hint(format!("to see it: {}", CommandLine::plugin("view").arg(name).namespace(namespace)))
    }

    fn refused(&self, failure: Failure, namespace: &str) -> Error {
        if failure.unchangeable_fields().is_empty() {
            return failure.into();
        }
        let name = &self.args.name;
        Error::failed(format!(
            "secret {name} in {namespace} is immutable or of another type, and can't be replaced"
        ))
        .hint(format!("{}, then copy it again", CommandLine::plugin("delete").arg(name).namespace(namespace)))
    }
}
