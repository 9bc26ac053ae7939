//! Makes the secrets of a file that says which there are, for `apply`, and compares them, for `diff`.
//!
//! Each secret in each place is a change of its own, and holds only for what was read. A run that was cut short
//! leaves secrets that are as the file says, and others as they were: the next run does the rest.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::Path;
use std::rc::Rc;

use futures::{StreamExt, stream};
use serde_json::Value;

use crate::change;
use crate::change::secret::{Plan, SecretChange, Step};
use crate::cluster::{Cluster, SecretHead, SecretWithValues, if_there};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{DryRun, WriteArgs};
use crate::metadata::{Ends, Metadata};
use crate::propagation::{self, Scope};
use crate::secret::{
    self, Declared, DeclaredPlaces, DeclaredSecret, Difference, FILE_LABEL, FILE_OF, Handling, LOGIN_LABEL,
    Nothing, Origin, ProcessInput, SecretManifest, SecretValue,
};
use crate::session::Session;
use crate::session::projects::ProjectSelection;
use crate::sources::manifest_files::ManifestFile;
use crate::sources::read_logins;
use crate::{logins, sharing};

/// How many secrets are read and written at a time.
const AT_ONCE: usize = 16;

/// A file of secrets that was read.
pub(crate) struct DeclaredFile {
    pub(crate) shown: String,
    declared: Declared,
}

/// Tells whether a secret that is there already may become one of the file's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Adopt {
    Yes,
    No,
}

/// A secret of the file, with the values that could be read.
struct Wanted {
    declared: DeclaredSecret,
    data: BTreeMap<String, SecretValue>,
    /// Values that somebody typed, because they were missing somewhere.
    typed: BTreeMap<String, SecretValue>,
    secret_type: String,
    labels: BTreeMap<String, String>,
    /// When values end, as far as where they come from says it.
    ends: Ends,
    /// What was warned of before any secret was read.
    warned: Vec<String>,
}

/// A place of a secret, and the name by which the user knows it.
#[derive(Clone)]
pub(crate) struct Spot {
    pub(crate) namespace: String,
    pub(crate) title: String,
}

/// What became of a secret in one place.
pub(crate) struct Made {
    pub(crate) name: String,
    pub(crate) spot: Spot,
    pub(crate) verb: &'static str,
    pub(crate) difference: Difference,
    /// Keys that it has and the file does not name.
    pub(crate) others: Vec<String>,
    /// Warnings of its values together with those that were there, a line each.
    warnings: Vec<String>,
}

impl Made {
    /// Warns of values that something may not be able to use.
    pub(crate) fn warn(&self, session: &Session<'_>) {
        for warning in &self.warnings {
            session.ui.warning(&format!("{} in {}: {warning}", self.name, self.spot.title));
        }
    }
}

/// All that is to be made.
pub(crate) struct Applying<'a> {
    file: &'a DeclaredFile,
    all: Vec<(Wanted, Vec<Spot>)>,
    adopt: Adopt,
    write: &'a WriteArgs,
    cluster: Rc<Cluster>,
    session: &'a Session<'a>,
}

impl DeclaredFile {
    /// # Errors
    /// It can't be read, is a manifest, or is not as its schema says.
    pub(crate) fn read(path: &OsStr) -> Result<Self> {
        let file = ManifestFile::read(&Origin::of(path))?;
        let shown = file.name().to_owned();
        let objects = file.manifest()?.objects(|_, _| true)?;
        if objects.iter().any(|object| is_manifest(&object.value)) {
            return Err(Error::usage(format!(
                "{shown} is a manifest of Kubernetes; apply takes a file that says where values come from"
            ))
            .hint(format!(
                "to apply the manifest: {}",
                CommandLine::kubectl("apply -f").arg(path.to_string_lossy())
            ))
            .hint("kubectl runai-secret apply --help shows what such a file looks like"));
        }
        let [only] = objects.as_slice() else {
            return Err(Error::usage(format!(
                "{shown}: one document is needed, and there are {}",
                objects.len()
            )));
        };
        let folder = file.path().and_then(Path::parent).unwrap_or(Path::new(""));
        let declared = Declared::read(&only.value, folder).map_err(|error| error.at(&shown))?;
        Ok(Self { shown, declared })
    }

    /// Returns the name under which it knows its secrets.
    pub(crate) fn name(&self) -> &str {
        &self.declared.name
    }
}

fn is_manifest(value: &Value) -> bool {
    value.get("kind").is_some() || value.get("apiVersion").is_some()
}

/// Returns true if a secret carries the mark of the file of this name, and is itself what was marked.
pub(crate) fn is_marked(metadata: &Metadata, file: &str) -> bool {
    let itself = propagation::identity(&metadata.namespace, &metadata.name);
    metadata.labels.get(FILE_LABEL).is_some_and(|name| name == file)
        && metadata.annotations.file_of.as_ref() == Some(&itself)
}

impl Wanted {
    /// Reads all values but those that are typed or made up.
    fn read(declared: DeclaredSecret, file: &str, session: &Session<'_>) -> Result<Self> {
        let logins = read_logins(&declared.logins())?;
        let mut sources = declared.sources(&ProcessInput)?;
        sources.extend(logins.sources);
        let handling = Handling { trimming: declared.trimming, nothing: Nothing::NoteLines };
        let contents = secret::read(sources, handling, &mut ProcessInput)?;
        let name = &declared.name;
        for note in contents.notes.iter().chain(&logins.notes) {
            session.ui.note(&format!("{name}: {note}"));
        }
        for warning in contents.warnings.iter().chain(&logins.warnings) {
            session.ui.warning(&format!("{name}: {warning}"));
        }
        let mut keys: BTreeSet<&str> = contents.data.keys().map(String::as_str).collect();
        let others = declared.prompts().chain(declared.generated().map(|(key, _)| key));
        for key in others {
            if !keys.insert(key) {
                return Err(Error::usage(format!("key {key} has two sources")).hint("leave out one of them"));
            }
        }
        let mut labels = BTreeMap::from([(FILE_LABEL.to_owned(), file.to_owned())]);
        let mut secret_type = declared.secret_type.clone();
        if let Some(word) = declared.only_login() {
            let (service, _) = logins::parse(word)?;
            labels.insert(LOGIN_LABEL.to_owned(), service.name.to_owned());
            if secret_type.is_empty() {
                service.secret_type.clone_into(&mut secret_type);
            }
        }
        if declared.places == DeclaredPlaces::EveryProject {
            let shares = propagation::Key::Both.labels().into_iter();
            labels.extend(shares.map(|(label, value)| (label.to_owned(), value.to_owned())));
        }
        let warned = secret::check_values(&secret_type, |key| contents.data.get(key))?;
        for warning in &warned {
            session.ui.warning(&format!("{name}: {warning}"));
        }
        let (data, ends) = (contents.data, contents.ends.and(logins.ends));
        Ok(Self { declared, data, typed: BTreeMap::new(), secret_type, labels, ends, warned })
    }

    fn name(&self) -> &str {
        &self.declared.name
    }

    /// Returns the values of keys that are typed or made up, and that the secret lacks.
    fn missing(
        &self,
        old: &BTreeMap<String, SecretValue>,
        dry_run: DryRun,
    ) -> Result<BTreeMap<String, SecretValue>> {
        let mut missing = BTreeMap::new();
        for (key, length) in self.declared.generated().filter(|(key, _)| !old.contains_key(*key)) {
            missing.insert(key.to_owned(), secret::made_up(length)?);
        }
        for key in self.declared.prompts().filter(|key| !old.contains_key(*key)) {
            let value = match (self.typed.get(key), dry_run) {
                (Some(typed), _) => copy(typed),
                // It is compared with nothing, and never sent.
                (None, DryRun::Client) => SecretValue::from_bytes(Vec::new()),
                (None, _) => {
                    return Err(Error::failed(format!("key {key} has gone meanwhile"))
                        .hint("run the command again: it asks for the value"));
                }
            };
            missing.insert(key.to_owned(), value);
        }
        Ok(missing)
    }

    /// Plans the change of a secret that is there: its values, and the marks of the file.
    fn patch(
        &self,
        found: &SecretHead,
        difference: &Difference,
        changes: &BTreeMap<&str, Option<&SecretValue>>,
    ) -> Plan {
        let Metadata { namespace, name, labels, annotations, .. } = &found.metadata;
        let itself = propagation::identity(namespace, name);
        let is_marked = self.labels.iter().all(|(label, value)| labels.get(label) == Some(value))
            && annotations.file_of.as_ref() == Some(&itself);
        let body = |metadata: &Value| {
            let mut metadata = metadata.clone();
            metadata["labels"] = serde_json::json!(self.labels);
            metadata["annotations"][FILE_OF] = Value::from(itself.as_str());
            secret::patch_of_changes(&metadata, changes)
        };
        let plan = Plan::patch(found, difference.clone(), self.ends.clone(), body);
        if is_marked || !matches!(plan.step, Step::Nothing) {
            return plan;
        }
        let metadata = change::secret::patch_metadata(&found.metadata, &plan.difference, &annotations.ends);
        Plan { step: Step::Patch(body(&metadata)), ..plan }
    }

    /// Reports whether the value of a key is typed.
    fn asks_for(&self, key: &str) -> bool {
        self.declared.prompts().any(|one| one == key)
    }

    /// Judges a secret by its type, as it will be: half of a pair with the half that stays. Returns warnings that were
    /// not given yet.
    ///
    /// # Errors
    /// Nothing could use it.
    fn judge<'v>(
        &self,
        secret_type: &str,
        difference: &Difference,
        value: impl Fn(&str) -> Option<&'v SecretValue>,
    ) -> Result<Vec<String>> {
        let touched = difference.touched();
        if !secret::judged_keys(secret_type).iter().any(|key| touched.contains(key)) {
            return Ok(Vec::new());
        }
        let judged = secret::check_values(secret_type, value).map_err(without_flags);
        let mut warnings = judged.map_err(|error| match secret::judged_keys(secret_type) {
            [one, other] => error.hint(format!(
                "give both at once: from: [{{file: PATH, key: {one}}}, {{file: PATH, key: {other}}}]"
            )),
            _ => error,
        })?;
        warnings.retain(|warning| !self.warned.contains(warning));
        Ok(warnings)
    }

    /// Returns the keys that a secret has and the file does not name.
    fn others(&self, head: &SecretHead) -> Vec<String> {
        let named: BTreeSet<&str> = self
            .data
            .keys()
            .map(String::as_str)
            .chain(self.declared.prompts())
            .chain(self.declared.generated().map(|(key, _)| key))
            .collect();
        head.keys().filter(|key| !named.contains(key)).map(str::to_owned).collect()
    }
}

/// Leaves out hints with flags of the commands that read the same sources: a file has none.
fn without_flags(error: Error) -> Error {
    error.keep_hints(|hint| !["--from-", "--trim", "--allow-empty"].iter().any(|flag| hint.contains(flag)))
}

/// Doubles a value on purpose: a new secret holds its own.
fn copy(value: &SecretValue) -> SecretValue {
    SecretValue::from_bytes(value.expose().to_vec())
}

impl<'a> Applying<'a> {
    /// Reads all values, then finds the places.
    ///
    /// # Errors
    /// A source can't be read, or there is no such project.
    pub(crate) async fn prepare(
        file: &'a mut DeclaredFile,
        adopt: Adopt,
        write: &'a WriteArgs,
        session: &'a Session<'a>,
    ) -> Result<Self> {
        let name = file.declared.name.clone();
        let mut wanted = Vec::new();
        for declared in std::mem::take(&mut file.declared.secrets) {
            let at = format!("{}: secret {}", file.shown, declared.name);
            let read = Wanted::read(declared, &name, session);
            wanted.push(read.map_err(|error| without_flags(error).at(&at))?);
        }
        check_that_the_place_counts(&wanted, session)?;
        // The sources have been read: a credential plugin may take the terminal.
        let cluster = session.connect().await?;
        let by_project = projects(&wanted, &cluster, session).await?;
        let mut all = Vec::new();
        for one in wanted {
            let spots = match &one.declared.places {
                DeclaredPlaces::Projects(projects) => {
                    let spot =
                        |title: &String| Spot { namespace: by_project[title].clone(), title: title.clone() };
                    projects.iter().map(spot).collect()
                }
                DeclaredPlaces::EveryProject => {
                    let namespace = session.globals.place.runai_namespace.clone();
                    secret::check_namespace(&namespace)?;
                    vec![Spot { title: namespace.clone(), namespace }]
                }
                DeclaredPlaces::CommandLine => {
                    let namespace = session.namespace(&cluster).await?;
                    vec![Spot { title: namespace.clone(), namespace }]
                }
            };
            all.push((one, spots));
        }
        Ok(Self { file, all, adopt, write, cluster, session })
    }

    pub(crate) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Returns how many secrets there are, each place counted.
    pub(crate) fn count(&self) -> usize {
        self.all.iter().map(|(_, spots)| spots.len()).sum()
    }

    /// Returns true if the file has this secret in this place. One whose place the command line says, or
    /// `--runai-namespace`, may have been meant to be in any.
    pub(crate) fn still_names(&self, secret: &Metadata) -> bool {
        let is_meant = |(wanted, spots): &(Wanted, Vec<Spot>)| match wanted.declared.places {
            DeclaredPlaces::CommandLine => true,
            DeclaredPlaces::EveryProject if Scope::of(&secret.labels) != Scope::Nobody => true,
            _ => spots.iter().any(|spot| spot.namespace == secret.namespace),
        };
        self.all.iter().any(|one| one.0.name() == secret.name && is_meant(one))
    }

    /// Asks what must be asked before anything is written: values that are missing, and whether to share.
    ///
    /// # Errors
    /// Nobody can be asked, or the answer is no.
    pub(crate) async fn ask(&mut self) -> Result<()> {
        if self.write.dry_run != DryRun::None {
            return self.give_nothing();
        }
        let Self { all, cluster, session, .. } = self;
        for (wanted, spots) in all {
            for key in missing_prompts(wanted, spots, cluster).await? {
                let question = format!("Value of {key} for secret {}", wanted.name());
                let Some(value) = session.ui.ask_hidden(&question).await? else {
                    let why = session.ui.why_nobody_is_asked();
                    return Err(Error::usage(format!(
                        "secret {}: the value of {key} needs somebody to ask, but {why}",
                        wanted.name()
                    ))
                    .hint("run it once on a terminal: a value that is there is not asked for again"));
                };
                wanted.typed.insert(key, value);
            }
            if wanted.declared.places == DeclaredPlaces::EveryProject {
                agree_to_share(wanted.name(), &spots[0].namespace, cluster, session).await?;
            }
        }
        Ok(())
    }

    /// Stands in for what is not asked in a trial that the server sees.
    fn give_nothing(&mut self) -> Result<()> {
        for (wanted, _) in self.all.iter_mut().filter(|_| self.write.dry_run == DryRun::Server) {
            let keys: Vec<String> = wanted.declared.prompts().map(str::to_owned).collect();
            for key in keys {
                wanted.typed.insert(key, secret::made_up(MADE_UP)?);
            }
        }
        Ok(())
    }

    /// Makes all of them as the file says, and passes on what became of each, in the order of the file.
    ///
    /// # Errors
    /// `tell` returns one.
    pub(crate) async fn run(&self, mut tell: impl FnMut(&str, Result<Made>) -> Result<()>) -> Result<()> {
        let tasks = self.all.iter().flat_map(|(wanted, spots)| spots.iter().map(move |spot| (wanted, spot)));
        let mut made = stream::iter(tasks)
            .map(async |(wanted, spot)| {
                let title = format!("{} in {}", wanted.name(), spot.title);
                (title, self.one(wanted, spot).await)
            })
            .buffered(AT_ONCE);
        while let Some((title, made)) = made.next().await {
            tell(&title, made)?;
        }
        Ok(())
    }

    async fn one(&self, wanted: &Wanted, spot: &Spot) -> Result<Made> {
        let (cluster, namespace) = (Rc::clone(&self.cluster), spot.namespace.clone());
        // Hints name the command that changes one secret.
        let change =
            SecretChange::in_namespace("set", wanted.name(), namespace, self.write, cluster, self.session);
        let found = change.read::<SecretWithValues>().await?;
        let others = found.as_ref().map(|secret| wanted.others(&secret.head)).unwrap_or_default();
        let warnings = RefCell::default();
        let done = change.run(found, |secret| self.plan(wanted, spot, secret, &warnings)).await?;
        let (name, spot, warnings) = (wanted.name().to_owned(), spot.clone(), warnings.take());
        Ok(Made { name, spot, verb: done.verb, difference: done.difference, others, warnings })
    }

    /// Plans the change of one secret, and leaves what is to be warned of.
    fn plan(
        &self,
        wanted: &Wanted,
        spot: &Spot,
        found: Option<&SecretWithValues>,
        warnings: &RefCell<Vec<String>>,
    ) -> Result<Plan> {
        let nothing = BTreeMap::new();
        let old = found.map_or(&nothing, |secret| &secret.values);
        if let Some(secret) = found {
            self.check_is_the_files(wanted, spot, &secret.head)?;
        }
        let missing = wanted.missing(old, self.write.dry_run)?;
        let all = || wanted.data.iter().chain(&missing);
        let difference = Difference::of(old, all().map(|(key, value)| (key.as_str(), Some(value))));
        let secret_type = found.map_or(&wanted.secret_type, |secret| &secret.head.secret_type);
        // What is typed has a stand-in in a trial.
        let is_a_trial = self.write.dry_run != DryRun::None;
        let stands_in = |key: &str| is_a_trial && missing.contains_key(key) && wanted.asks_for(key);
        let value = |key: &str| wanted.data.get(key).or_else(|| missing.get(key)).or_else(|| old.get(key));
        let known = |key: &str| value(key).filter(|_| !stands_in(key));
        warnings.replace(wanted.judge(secret_type, &difference, known)?);
        let Some(secret) = found else {
            let data = all().map(|(key, value)| (key.clone(), copy(value))).collect();
            let mut manifest = SecretManifest::new(wanted.name(), data);
            manifest.secret_type.clone_from(&wanted.secret_type);
            manifest.labels.clone_from(&wanted.labels);
            let itself = propagation::identity(&spot.namespace, wanted.name());
            manifest.annotations.insert(FILE_OF.to_owned(), itself);
            manifest.note_ends(wanted.ends.clone(), None);
            return Ok(Plan { difference, ..Plan::create(manifest.to_request_body()) });
        };
        let touched = difference.touched();
        let changes = all().map(|(key, value)| (key.as_str(), Some(value)));
        let changes = changes.filter(|(key, _)| touched.contains(key)).collect();
        Ok(wanted.patch(&secret.head, &difference, &changes))
    }

    /// # Errors
    /// Somebody else made the secret, or it is of another type.
    fn check_is_the_files(&self, wanted: &Wanted, spot: &Spot, head: &SecretHead) -> Result<()> {
        let (name, Spot { title, .. }) = (wanted.name(), spot);
        if self.adopt == Adopt::No && !is_marked(&head.metadata, self.file.name()) {
            let of = head.metadata.labels.get(FILE_LABEL).filter(|other| *other != self.file.name());
            let whose = of.map_or_else(
                || "was not made by this file".to_owned(),
                |other| format!("is of the file {other:?}"),
            );
            return Err(Error::failed(format!("secret {name} is there already in {title}, and {whose}"))
                .hint("--adopt makes it one of this file; its other keys stay"));
        }
        let wanted_type = if wanted.secret_type.is_empty() { &head.secret_type } else { &wanted.secret_type };
        if head.secret_type != *wanted_type {
            return Err(Error::failed(format!(
                "secret {name} in {title} is of type {}, and the file says {wanted_type}: a type can't be changed",
                head.secret_type
            ))
            .hint(format!(
                "to make it anew: {}, then apply again",
                CommandLine::plugin("delete").arg(name).namespace(&spot.namespace)
            )));
        }
        Ok(())
    }
}

/// The length of what stands in for a typed value in a trial.
const MADE_UP: usize = 32;

/// Refuses a place on the command line that no secret of the file needs.
fn check_that_the_place_counts(wanted: &[Wanted], session: &Session<'_>) -> Result<()> {
    let is_used = wanted.iter().any(|one| one.declared.places == DeclaredPlaces::CommandLine);
    if is_used || !session.is_place_chosen() {
        return Ok(());
    }
    Err(Error::usage("--project and --namespace have no effect: the file says of each secret where it goes")
        .hint("leave them out"))
}

/// Returns the namespaces of all projects that the file names, after one request.
async fn projects(
    wanted: &[Wanted],
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<BTreeMap<String, String>> {
    let named = wanted.iter().flat_map(|one| match &one.declared.places {
        DeclaredPlaces::Projects(projects) => projects.as_slice(),
        _ => &[],
    });
    let named: Vec<String> = named.cloned().collect::<BTreeSet<_>>().into_iter().collect();
    if named.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = ProjectSelection::find(&named, cluster, session).await?;
    Ok(found.projects.into_iter().map(|project| (project.name, project.namespace)).collect())
}

/// Returns the keys that are to be typed, and that the secret lacks in one of its places.
async fn missing_prompts(wanted: &Wanted, spots: &[Spot], cluster: &Cluster) -> Result<Vec<String>> {
    let keys: Vec<&str> = wanted.declared.prompts().collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let reads = spots.iter().map(|spot| cluster.secret_head::<Metadata>(&spot.namespace, wanted.name()));
    let mut heads = Vec::new();
    for head in stream::iter(reads).buffered(AT_ONCE).collect::<Vec<_>>().await {
        heads.push(if_there(head)?);
    }
    let is_missing =
        |key: &&str| heads.iter().any(|head| head.as_ref().is_none_or(|head| !head.has_key(key)));
    Ok(keys.into_iter().filter(is_missing).map(str::to_owned).collect())
}

/// Asks for confirmation before a secret is shared that was not, if its name is taken in a project.
async fn agree_to_share(name: &str, runai: &str, cluster: &Cluster, session: &Session<'_>) -> Result<()> {
    let source = if_there(cluster.secret_metadata(runai, name).await)?;
    match source.map(|source| Scope::of(&source.labels)) {
        Some(Scope::EveryProject) => Ok(()),
        _ => sharing::look_and_agree(name, runai, cluster, session).await,
    }
}
