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
use crate::change::secret::{Done, Plan, SecretChange, Step};
use crate::cluster::{Cluster, SecretHead, SecretWithValues, if_there};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{DryRun, WriteArgs};
use crate::metadata::{Ends, Metadata};
use crate::propagation::{self, Scope};
use crate::secret::{
    self, Declared, DeclaredPlaces, DeclaredSecret, Difference, FILE_ADOPTED, FILE_LABEL, FILE_OF, Handling,
    LOGIN_LABEL, Nothing, Origin, ProcessInput, SecretManifest, SecretValue, Source,
};
use crate::session::Session;
use crate::session::projects::ProjectSelection;
use crate::sources::manifest_files::ManifestFile;
use crate::sources::{ask_about_suspects, read_logins};
use crate::{logins, sharing, sources};

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
    pub(crate) done: Done,
    /// Keys that it has and the file does not name.
    pub(crate) others: Vec<String>,
    /// Whether somebody else had made it.
    pub(crate) adopted: Adopt,
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
        let read = ManifestFile::read(&Origin::of(path));
        let file = read.map_err(|error| error.keep_hints(|hint| !hint.contains("--in-place")))?;
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
        contents.check_no_file_is_empty().map_err(|error| {
            error.hint("fill it, or leave it out of the file: a secret without keys is hardly meant")
        })?;
        let name = &declared.name;
        for note in contents.notes.iter().chain(&logins.notes) {
            session.ui.note(&format!("{name}: {}", in_words_of_the_file(note)));
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
        if keys.is_empty() {
            return Err(Error::usage("it would have no keys").hint("its sources bring none: fill them"));
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

    /// Asks for a value, and treats it as one from a file.
    async fn ask(&mut self, key: String, session: &Session<'_>) -> Result<()> {
        let name = &self.declared.name;
        let typed = session.ui.ask_hidden(&format!("Value of {key} for secret {name}")).await;
        let Some(value) = typed.map_err(without_flags)? else {
            let why = session.ui.why_nobody_is_asked();
            return Err(Error::usage(format!(
                "secret {name}: the value of {key} needs somebody to ask, but {why}"
            ))
            .hint("run it once on a terminal: a value that is there is not asked for again"));
        };
        let handling = Handling { trimming: self.declared.trimming, nothing: Nothing::Refuse };
        let read = secret::read(vec![Source::typed(&key, value)], handling, &mut ProcessInput);
        let mut contents = read.map_err(|error| without_flags(error).at(&format!("secret {name}")))?;
        ask_about_suspects(&mut contents, sources::Ends::Never, session.ui).await?;
        contents.notes.iter().for_each(|note| session.ui.note(&in_words_of_the_file(note)));
        contents.warnings.iter().for_each(|warning| session.ui.warning(warning));
        self.typed.append(&mut contents.data);
        Ok(())
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
        let is_ours = is_marked(&found.metadata, &self.labels[FILE_LABEL]);
        // It says what the old values were.
        let is_unlike = is_ours && labels.contains_key(LOGIN_LABEL) && !self.labels.contains_key(LOGIN_LABEL);
        let is_marked = is_ours
            && !is_unlike
            && self.labels.iter().all(|(label, value)| labels.get(label) == Some(value));
        let body = |metadata: &Value| {
            let mut metadata = metadata.clone();
            metadata["labels"] = serde_json::json!(self.labels);
            if is_unlike {
                metadata["labels"][LOGIN_LABEL] = Value::Null;
            }
            metadata["annotations"][FILE_OF] = Value::from(itself.as_str());
            if !is_ours {
                metadata["annotations"][FILE_ADOPTED] = Value::from("true");
            }
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
    let error = error.in_words(|text| text.replace("--from-login ", "login: "));
    error.keep_hints(|hint| !["--from-", "--trim", "--allow-empty"].iter().any(|flag| hint.contains(flag)))
}

/// Says of a value what the file can say.
fn in_words_of_the_file(note: &str) -> String {
    note.replace("(--trim removes", "(trim: true removes")
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
        check_that_each_is_once(&all).map_err(|error| error.at(&file.shown))?;
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
            self.show_taken_names().await?;
            return self.give_nothing();
        }
        let mut missing = Vec::new();
        for (wanted, spots) in &self.all {
            missing.push(self.missing_prompts(wanted, spots).await?);
        }
        let Self { all, cluster, session, .. } = self;
        for ((wanted, spots), missing) in all.iter_mut().zip(missing) {
            for key in missing {
                wanted.ask(key, session).await?;
            }
            if wanted.declared.places == DeclaredPlaces::EveryProject {
                let (name, runai) = (wanted.name(), &spots[0].namespace);
                if !is_shared(name, runai, cluster).await? {
                    sharing::look_and_agree(name, runai, cluster, session).await?;
                }
            }
        }
        Ok(())
    }

    /// Shows in a trial what would be asked about.
    async fn show_taken_names(&self) -> Result<()> {
        let shared = self.all.iter().filter(|(one, _)| one.declared.places == DeclaredPlaces::EveryProject);
        for (wanted, spots) in shared {
            let (name, runai) = (wanted.name(), &spots[0].namespace);
            if is_shared(name, runai, &self.cluster).await? {
                continue;
            }
            let taken = sharing::look(name, runai, &self.cluster, self.session).await?;
            taken
                .iter()
                .filter(|_| !self.session.ui.is_quiet())
                .for_each(|line| self.session.ui.effect_always(line));
        }
        Ok(())
    }

    /// Returns the keys that are to be typed, and that the secret lacks in one of its places.
    async fn missing_prompts(&self, wanted: &Wanted, spots: &[Spot]) -> Result<Vec<String>> {
        let keys: Vec<&str> = wanted.declared.prompts().collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let read = |spot: &Spot| {
            let namespace = spot.namespace.clone();
            async move { self.cluster.secret_head::<Metadata>(&namespace, wanted.name()).await }
        };
        let mut heads = Vec::new();
        let found = stream::iter(spots.iter().map(read)).buffered(AT_ONCE).collect::<Vec<_>>().await;
        for (spot, head) in spots.iter().zip(found) {
            match if_there(head)? {
                // It will be refused, with a reason: nobody is asked for a value that is written nowhere.
                Some(head) if self.check_is_the_files(wanted, spot, &head).is_err() => {}
                head => heads.push(head),
            }
        }
        let is_missing =
            |key: &&str| heads.iter().any(|head| head.as_ref().is_none_or(|head| !head.has_key(key)));
        Ok(keys.into_iter().filter(is_missing).map(str::to_owned).collect())
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
        let head = found.as_ref().map(|secret| &secret.head);
        let others = head.map(|head| wanted.others(head)).unwrap_or_default();
        let is_foreign = head.is_some_and(|head| !is_marked(&head.metadata, self.file.name()));
        let adopted = if is_foreign { Adopt::Yes } else { Adopt::No };
        let is_shared = head.is_some_and(|head| Scope::of(&head.metadata.labels) == Scope::EveryProject);
        let warnings = RefCell::default();
        let done = change.run(found, |secret| self.plan(wanted, spot, secret, &warnings)).await?;
        let (name, spot, mut warnings) = (wanted.name().to_owned(), spot.clone(), warnings.take());
        if is_shared && wanted.declared.places != DeclaredPlaces::EveryProject {
            let unshare = CommandLine::plugin("label").arg(&name).then("--remove");
            warnings.push(format!(
                "it is shared with every project, and the file does not say so; to stop that: {}",
                unshare.runai_namespace(&spot.namespace)
            ));
        }
        Ok(Made { name, spot, done, others, adopted, warnings })
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
        self.refuse_emptying(wanted, spot, old)?;
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

    /// Refuses nothing in the place of a value that is there: its source is more likely broken than meant.
    fn refuse_emptying(
        &self,
        wanted: &Wanted,
        spot: &Spot,
        old: &BTreeMap<String, SecretValue>,
    ) -> Result<()> {
        let is_emptied = |(key, value): &(&String, &SecretValue)| {
            secret::is_blank(value) && old.get(*key).is_some_and(|old| !secret::is_blank(old))
        };
        let Some((key, _)) = wanted.data.iter().find(is_emptied) else { return Ok(()) };
        let (name, Spot { title, namespace }) = (wanted.name(), spot);
        let set = CommandLine::plugin("set").arg(name).arg(format!("--from-literal={key}="));
        Err(Error::failed(format!(
            "key {key} of secret {name} in {title} has a value, and its source in {} has none",
            self.file.shown
        ))
        .hint(format!(
            "if it is meant to be empty: {}, then apply again",
            set.then("--allow-empty-values").namespace(namespace)
        )))
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

/// Refuses two secrets of one name in one place: they would undo each other.
fn check_that_each_is_once(all: &[(Wanted, Vec<Spot>)]) -> Result<()> {
    let mut seen = BTreeSet::new();
    for (wanted, spots) in all {
        if let Some(spot) = spots.iter().find(|spot| !seen.insert((wanted.name(), &spot.namespace))) {
            let (name, namespace) = (wanted.name(), &spot.namespace);
            return Err(Error::usage(format!("secret {name} is there twice for namespace {namespace}"))
                .hint("put all of its sources below one from, or name another place on the command line"));
        }
    }
    Ok(())
}

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

/// Reports whether a secret is shared with every project already.
async fn is_shared(name: &str, runai: &str, cluster: &Cluster) -> Result<bool> {
    let source = if_there(cluster.secret_metadata(runai, name).await)?;
    Ok(source.is_some_and(|source| Scope::of(&source.labels) == Scope::EveryProject))
}
