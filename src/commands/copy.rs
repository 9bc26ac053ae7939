//! `copy`: copies a secret to other projects, clusters or names, once; copies are not kept up to date.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;
use serde_json::{Value, json};

use crate::change::recreate::secret::refuse_going;
use crate::change::retry::Tries;
use crate::cluster::{Answer, Cluster, Failure, SecretHead, SecretWithValues, if_there};
use crate::command_line::CommandLine;
use crate::command_line::reach::There;
use crate::error::{Error, Result};
use crate::flags::{self, DryRun, Holds, WriteArgs};
use crate::history;
use crate::metadata::{EXPIRES, Metadata};
use crate::propagation::{self, ExistingSecret, Scope};
use crate::secret::{self, CREDENTIAL_LABEL, Difference, LOGIN_LABEL, SERVICE_ACCOUNT_TOKEN, SecretManifest};
use crate::session::Session;
use crate::session::batch::{self, Objects, Several};
use crate::sharing::CopyCheck;
use crate::ui::Proposal;
use crate::uses::losing_keys::LostKeys;
use crate::uses::usual::Said;
use crate::wording::list;
use crate::{change, session, sharing, uses};

/// The annotation of a copy that says what it was copied from, and from which cluster if that is another. It is not the mark of `sync`, which would
/// update or remove the copy.
const COPIED_FROM: &str = "kubectl-runai-secret/copied-from";

/// Copy a secret to other projects, clusters or names
///
/// The copy gets the type, the keys and values, their noted ends, and the label that makes the secret a credential of
/// Run:ai.
/// It does not get the owner, nor the labels that share the secret; --label and --annotation add others. A
/// copy is not kept up to date: to share a secret with every project, see label. If there is a secret of the copy's
/// name already, the copy is refused unless --replace is given.
///
/// With NEW alone the copy is in the same project. With --cluster-wide it is in Run:ai's namespace, of another cluster
/// with --to-context, and has the labels by which Run:ai copies it to every project there.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret copy hf --from-project=team-a --to-project=team-b\n  \
    kubectl runai-secret copy hf -p team-a --to-project=team-b --to-project=vision --replace\n  \
    kubectl runai-secret copy hf hf-old -p team-a\n  \
    kubectl runai-secret copy hf -n runai --to-context=prod --cluster-wide")]
pub(crate) struct CopyArgs {
    /// The secret
    #[arg(value_name = "NAME", value_parser = flags::parse_secret, add = Holds::Secret)]
    name: String,

    /// The name of the copy; alone it makes a copy in the same project
    #[arg(value_name = "NEW", value_parser = flags::parse_secret, conflicts_with = "to_name", add = Holds::Text)]
    new: Option<String>,

    /// The project that gets it; may be repeated, also as a,b
    #[arg(long = "to-project", value_name = "PROJECT", value_delimiter = ',', add = Holds::ProjectThere)]
    to: Vec<String>,

    /// The namespace that gets it; may be repeated, also as a,b
    #[arg(long = "to-namespace", value_name = "NAMESPACE", value_delimiter = ',', add = Holds::NamespaceThere)]
    to_namespaces: Vec<String>,

    /// The name of the copy, as NEW
    #[arg(long, value_name = "NAME", value_parser = flags::parse_secret, add = Holds::Text)]
    to_name: Option<String>,

    /// The project that has it; the same as --project
    #[arg(long, value_name = "PROJECT", add = Holds::Project)]
    from_project: Option<String>,

    /// The kubeconfig's context of the cluster that gets it
    #[arg(long, value_name = "CONTEXT", add = Holds::Context)]
    to_context: Option<String>,

    /// Into Run:ai's namespace, with the labels by which Run:ai copies it to every project
    #[arg(long, conflicts_with_all = ["to", "to_namespaces"])]
    cluster_wide: bool,

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

/// Answers flags that one may guess for the name of the copy. `--as` is kubectl's: who asks the server.
pub(super) fn answer(flag: &str) -> Option<Error> {
    let guesses = ["--to-as", "--as-name", "--new-name", "--name", "--rename"];
    let flag = guesses.into_iter().find(|guess| *guess == flag)?;
    Some(Error::usage(format!("unknown flag {flag}")).hint("--to-name NAME gives the copy another name"))
}

/// A copy that is being made.
struct Copying<'a> {
    /// The copy; its name may be another than that of its source.
    manifest: SecretManifest,
    /// The UID of the secret that is copied.
    uid: String,
    args: &'a CopyArgs,
    /// The cluster that gets the copy.
    cluster: &'a Cluster,
    session: &'a Session<'a>,
}

/// A place that gets a copy.
struct Destination {
    namespace: String,
    /// None for a namespace that was named.
    project: Option<String>,
}

/// What was done in one place.
struct Copied {
    verb: &'static str,
    /// What became of each key of a secret that was there.
    difference: Difference,
    /// With whom the copy is shared.
    scope: Scope,
    /// The keys whose noted ends went with their old values.
    lost_ends: Vec<String>,
}

pub(super) async fn run(args: &CopyArgs, session: &Session<'_>) -> Result<()> {
    args.check()?;
    let (labels, annotations) = args.given()?;
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
    let destinations = args.destinations(&from, target, session).await?;
    drop(meant_there);
    let is_itself = |to: &Destination| to.namespace == from && args.new_name() == args.name;
    if other.is_none() && destinations.iter().any(is_itself) {
        return Err(Error::usage(format!("secret {} can't be copied to itself, in {from}", args.name))
            .hint("a copy in the same project needs another name: NEW, or --to-name"));
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
    let origin_cluster = other.is_some().then(|| cluster.address());
    let mut manifest = manifest(&found, args.new_name(), origin_cluster);
    for doubt in secret::doubts(&manifest.secret_type, |key| manifest.data.get(key)) {
        session.ui.warning(&doubt);
    }
    manifest.labels.extend(labels);
    manifest.annotations.extend(annotations);
    let copying = Copying { manifest, uid: found.metadata.uid, args, cluster: target, session };
    let effects: Vec<String> = destinations.iter().map(|to| copying.effect(to)).collect();
    session
        .confirm_if_guided(&args.write, &format!("Copy {} of {from}?", args.name), &effects, Proposal::Yes)
        .await?;
    let _meant_there = there();
    copying.agree_to_share(&destinations).await?;
    copying.to_all(&destinations).await
}

impl CopyArgs {
    /// Checks what was typed.
    fn check(&self) -> Result<()> {
        secret::check_secret_name(&self.name)?;
        secret::check_secret_name(self.new_name())?;
        self.to_namespaces.iter().try_for_each(|namespace| secret::check_namespace(namespace))?;
        let is_placed = self.cluster_wide || !(self.to.is_empty() && self.to_namespaces.is_empty());
        if is_placed || (self.new_name() != self.name && self.to_context.is_none()) {
            return Ok(());
        }
        Err(match self.to_context {
            Some(_) => Error::usage("--to-context says which cluster gets the copy, but not where in it")
                .hint("name a project with --to-project, or a namespace with --to-namespace"),
            None => Error::usage("copy needs a place for the copy, or another name")
                .hint("name a project with --to-project, a namespace with --to-namespace, or a NEW name"),
        })
    }

    /// Returns the name of the copy.
    fn new_name(&self) -> &str {
        self.new.as_ref().or(self.to_name.as_ref()).unwrap_or(&self.name)
    }

    /// Returns the labels and annotations of the copy that were asked for.
    fn given(&self) -> Result<(BTreeMap<String, String>, BTreeMap<String, String>)> {
        let mut labels = session::given_labels::of_copies(&self.labels)?;
        if self.cluster_wide {
            let marks = propagation::Key::Both.labels().into_iter();
            labels.extend(marks.map(|(label, value)| (label.to_owned(), value.to_owned())));
        }
        Ok((labels, session::given_labels::annotations(&self.annotations)?))
    }

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

    /// Returns the places that get the copy, each once.
    async fn destinations(
        &self,
        from: &str,
        cluster: &Cluster,
        session: &Session<'_>,
    ) -> Result<Vec<Destination>> {
        let place = &session.globals.place;
        if self.cluster_wide {
            secret::check_namespace(&place.runai_namespace)?;
            return Ok(vec![Destination { namespace: place.runai_namespace.clone(), project: None }]);
        }
        let projects = batch::each_once(&self.to);
        let of_project = async |project: &String| {
            let namespace = session.namespace_of(cluster, project).await?;
            Ok::<_, Error>(Destination { namespace, project: Some(project.clone()) })
        };
        let mut found = try_join_all(projects.iter().map(of_project)).await?;
        let named = |namespace: &String| Destination { namespace: namespace.clone(), project: None };
        found.extend(self.to_namespaces.iter().map(named));
        if found.is_empty() {
            let project = self.from_project.as_ref().or(place.projects.first());
            let project = project.filter(|_| place.namespace.is_none()).cloned();
            found.push(Destination { namespace: from.to_owned(), project });
        }
        let mut seen = BTreeSet::new();
        found.retain(|to| seen.insert(to.namespace.clone()));
        Ok(found)
    }
}

impl Destination {
    /// Returns the project's name, or that of the namespace.
    fn title(&self) -> &str {
        self.project.as_ref().unwrap_or(&self.namespace)
    }
}

/// Returns the copy. `cluster` is the address of the cluster of its source, if the copy is made on another.
fn manifest(found: &ExistingSecret, new_name: &str, cluster: Option<&str>) -> SecretManifest {
    let Metadata { name, namespace, labels, .. } = &found.metadata;
    let mut manifest = SecretManifest::new(new_name, found.content.values());
    manifest.secret_type.clone_from(&found.content.secret_type);
    let origin = propagation::identity(namespace, name);
    let origin = match cluster {
        Some(address) => format!("{origin} in {}", address.trim_end_matches('/')),
        None => origin,
    };
    manifest.annotations = BTreeMap::from([(COPIED_FROM.to_owned(), origin)]);
    let ends = found.metadata.annotations.ends.annotation();
    manifest.annotations.extend(ends.map(|ends| (EXPIRES.to_owned(), ends)));
    // What it is for is true of the copy as well.
    let uses = [CREDENTIAL_LABEL, LOGIN_LABEL].into_iter().filter_map(|label| labels.get_key_value(label));
    manifest.labels.extend(uses.map(|(label, value)| (label.clone(), value.clone())));
    manifest
}

impl Copying<'_> {
    fn effect(&self, to: &Destination) -> String {
        let (name, namespace) = (&self.manifest.name, &to.namespace);
        match &to.project {
            Some(project) => format!("secret/{name} in project {project}, namespace {namespace}"),
            None => format!("secret/{name} in namespace {namespace}"),
        }
    }

    /// Asks before the copy is shared, if its name is taken in projects.
    async fn agree_to_share(&self, destinations: &[Destination]) -> Result<()> {
        let ([only], true, DryRun::None) = (destinations, self.args.cluster_wide, self.args.write.dry_run)
        else {
            return Ok(());
        };
        sharing::look_and_agree(&self.manifest.name, &only.namespace, self.cluster, self.session).await
    }

    /// Writes all copies. If one project refuses, the others still get theirs.
    async fn to_all(&self, destinations: &[Destination]) -> Result<()> {
        let (session, write) = (self.session, &self.args.write);
        let mut several = if destinations.iter().all(|to| to.project.is_some()) {
            Several::projects(destinations.len(), session)
        } else {
            Several::namespaces(destinations.len(), session)
        };
        let mut objects = Objects::asked(destinations.len(), write, session);
        for to in destinations {
            if let Some(Copied { verb, difference, scope, lost_ends }) =
                several.one(to.title(), self.to_one(&to.namespace).await)?
            {
                let (name, verb) = (self.manifest.to_name(), format!("{verb} in {}", to.title()));
                objects.tell(&name, &verb, self.without_values(&to.namespace))?;
                change::secret::tell_keys(&difference, Some(to.title()), session);
                let place = format!(" in {}", to.title());
                change::secret::tell_lost_ends(&lost_ends, &place, "set --expires", session);
                self.tell_of_sharing(&to.namespace, &scope);
            }
        }
        objects.print()?;
        several.verdict()?;
        if let ([Destination { namespace, project }, ..], None) = (destinations, &self.args.to_context) {
            let next = uses::usual::command(&Said::by_manifest(&self.manifest));
            let next = match project {
                Some(project) => next.then("-p").arg(project),
                None => next.namespace(namespace),
            };
            session.propose(write, &next);
        }
        session.ui.note("copies are not kept up to date: after a change copy it again, with --replace");
        Ok(())
    }

    /// Says whether a copy in Run:ai's namespace is shared: nobody saw yet whether it gets to projects.
    fn tell_of_sharing(&self, namespace: &str, scope: &Scope) {
        let (name, session) = (&self.manifest.name, self.session);
        let runai = &session.globals.place.runai_namespace;
        if namespace != runai || self.args.write.dry_run != DryRun::None {
            return;
        }
        session.ui.note(&match scope {
            Scope::Nobody => {
                let label = CommandLine::plugin("label").arg(name);
                format!("{name} in {runai} is not shared; to share it with every project: {label}")
            }
            Scope::EveryProject | Scope::Department(_) => {
                let status = CommandLine::plugin("status").arg(name);
                format!("{name} in {runai} has a label that shares it; to see in which projects it arrived: {status}")
            }
        });
    }

    /// Returns the object for `-o`, without values.
    fn without_values(&self, namespace: &str) -> Value {
        let SecretManifest { name, labels, annotations, secret_type, .. } = &self.manifest;
        let metadata =
            json!({ "name": name, "namespace": namespace, "labels": labels, "annotations": annotations });
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": secret_type })
    }

    /// Makes one copy.
    async fn to_one(&self, namespace: &str) -> Result<Copied> {
        let dry = self.args.write.dry_run == DryRun::Client;
        let check = CopyCheck::default();
        let mut tries = Tries::default();
        loop {
            let old = if self.args.replace || dry { self.read(namespace).await? } else { None };
            let done = |verb, difference: Difference| {
                let old = old.as_ref().map(|(old, _)| old);
                let lost = |old: &SecretHead<Value>| {
                    change::secret::lost_ends(&self.manifest, &old.metadata, &difference)
                };
                let lost_ends = old.map(lost).unwrap_or_default();
                Ok(Copied { verb, difference, scope: self.scope(old), lost_ends })
            };
            let failure = match &old {
                Some(_) if !self.args.replace => return Err(self.exists(namespace)),
                Some((old, difference)) => {
                    self.check_is_another(old, namespace)?;
                    refuse_going(&old.metadata, &self.manifest.name, namespace)?;
                    if change::secret::is_as_wanted(old, &self.manifest, difference) {
                        return done("unchanged", difference.clone());
                    }
                    self.agree(old, namespace, &check).await?;
                    if dry {
                        return done("replaced", difference.clone());
                    }
                    match self.replace(&old.metadata, difference, namespace).await {
                        Ok(_) => return done("replaced", difference.clone()),
                        Err(failure) => failure,
                    }
                }
                None if dry => return done("created", Difference::default()),
                None => match self.create(namespace).await {
                    Ok(_) => return done("created", Difference::default()),
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

    /// Returns with whom the copy is shared: by its own labels, or by those of the secret that it replaces.
    fn scope(&self, old: Option<&SecretHead<Value>>) -> Scope {
        let old: Metadata =
            old.and_then(|old| serde_json::from_value(old.metadata.clone()).ok()).unwrap_or_default();
        let mut labels = old.labels;
        labels.extend(self.manifest.labels.clone());
        Scope::of(&labels)
    }

    /// Refuses a copy of a secret onto itself.
    fn check_is_another(&self, old: &SecretHead<Value>, namespace: &str) -> Result<()> {
        if old.metadata["uid"] != self.uid.as_str() {
            return Ok(());
        }
        let name = &self.manifest.name;
        Err(Error::usage(format!("secret {name} can't be copied to itself, in {namespace}")))
    }

    /// Asks about keys that are lost.
    async fn agree(&self, old: &SecretHead<Value>, namespace: &str, check: &CopyCheck) -> Result<()> {
        let (name, session, write) = (self.manifest.name.as_str(), self.session, &self.args.write);
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
        let old = if_there(self.cluster.secret_as(namespace, &self.manifest.name).await)?;
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
        let (name, write) = (&self.manifest.name, self.args.write.write());
        self.cluster.replace_secret(namespace, name, body, Answer::Metadata, write).await
    }

    fn exists(&self, namespace: &str) -> Error {
        let name = &self.manifest.name;
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
        let name = &self.manifest.name;
        Error::failed(format!(
            "secret {name} in {namespace} is immutable or of another type, and can't be replaced"
        ))
        .hint(format!("{}, then copy it again", CommandLine::plugin("delete").arg(name).namespace(namespace)))
    }
}
