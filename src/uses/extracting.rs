//! Moves plain values of variables into secrets, and has workloads refer to them.
//!
//! The secrets are written first, then the workload. Cut off in between, the same command does the rest: a key that has
//! the value already is left alone.

use std::cell::{Cell, RefCell};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::Value;

use crate::change::secret::{self as secret_change, SecretChange};
use crate::change::workload::{Changed, Plan, Planned, Preparation};
use crate::cluster::{Cluster, Namespaces, SecretWithValues};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{DryRun, Output, WriteArgs};
use crate::secret::{self, SecretManifest, SecretValue};
use crate::session::Session;
use crate::wording::list;
use crate::workload::{self, Attachment, ContainerChoice, Held, Kind, Move, Target};

/// How many free names of keys are tried for a proposal.
const MOST_KEYS: u32 = 100;

/// `VAR[=SECRET[,KEY]]`: a variable whose value is to move.
pub(crate) struct Wanted {
    pub(crate) variable: String,
    secret: Option<String>,
    key: Option<String>,
}

/// The values that were taken out of workloads, and where each goes.
#[derive(Default)]
pub(crate) struct Taken {
    moves: Vec<Move>,
    /// By secret and key.
    values: BTreeMap<String, BTreeMap<String, SecretValue>>,
}

/// Where the secrets are written.
pub(crate) struct Destination {
    pub(crate) cluster: Rc<Cluster>,
    pub(crate) namespace: String,
}

/// Where the workload is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Cluster,
    /// Standard output belongs to the manifest.
    Manifest,
}

/// The plan for a workload: references in the place of values, after the secrets have the values.
pub(crate) struct Extracting<'a> {
    moves: Vec<Move>,
    containers: ContainerChoice,
    origin: Origin,
    secrets: Vec<Filled<'a>>,
    /// None in a dry run that sends nothing.
    destination: Option<&'a Destination>,
    write: &'a WriteArgs,
    session: &'a Session<'a>,
    is_prepared: Cell<bool>,
    /// What was written: `secret/hf is created`.
    written: RefCell<Vec<String>>,
}

/// A secret that is to have some values, and what was found of it.
struct Filled<'a> {
    manifest: SecretManifest,
    found: RefCell<Option<SecretWithValues>>,
    change: Option<SecretChange<'a>>,
}

impl Wanted {
    /// Parses the flag. `secret` is the one that is named beside it.
    ///
    /// # Errors
    /// A name is illegal, or a value stands in its place. Nothing of it is repeated that may be a value.
    pub(crate) fn parse(flag: &str, secret: Option<&str>) -> Result<Self> {
        let (variable, rest) =
            flag.split_once('=').map_or((flag, None), |(variable, rest)| (variable, Some(rest)));
        let rest = rest.map(|rest| rest.strip_prefix("SECRET:").unwrap_or(rest));
        let (named, key) = match rest.map(|rest| rest.split_once(',').unwrap_or((rest, ""))) {
            Some((named, key)) => (Some(named), Some(key).filter(|key| !key.is_empty())),
            None => (None, None),
        };
        let words = [Some(variable), named, key];
        if words.into_iter().flatten().any(secret::looks_like_a_token) {
            return Err(value_in_flag());
        }
        let secret = named.or(secret).map(str::to_owned);
        let checked = secret.as_deref().unwrap_or("secret");
        Attachment::env_from_key(variable, checked, key.unwrap_or(variable))
            .map_err(|error| error.hint("--extract takes VAR, VAR=SECRET or VAR=SECRET,KEY"))?;
        Ok(Self { variable: variable.to_owned(), secret, key: key.map(str::to_owned) })
    }
}

fn value_in_flag() -> Error {
    Error::usage("--extract takes names, and the value of a variable stands where a name belongs (not shown)")
        .hint("the value is read from the workload: --extract VAR")
}

impl Taken {
    /// Takes the value of a variable out of an object. Several objects may have it, with the same value.
    ///
    /// # Errors
    /// It has no single value, or that has no name or another place.
    pub(crate) fn take(
        &mut self,
        wanted: &Wanted,
        object: &Value,
        kind: &Kind,
        containers: &ContainerChoice,
        session: &Session<'_>,
    ) -> Result<Found> {
        let Some(held) = workload::held(object, kind, containers, &wanted.variable)? else {
            return Ok(Found::Nothing);
        };
        // What another workload has of the variable goes to the same place.
        let known = self.moves.iter().find(|one| one.variable == wanted.variable).cloned();
        let is_known = known.is_some();
        let to = match held {
            Held::Reference { .. } if is_known => return Ok(Found::Variable),
            Held::Reference { secret, key } => wanted.as_referred(secret, key)?,
            Held::Value(value) => {
                session.ui.never_quote(value.expose());
                let usual = wanted.place_of(&value)?;
                let to = known.unwrap_or(usual);
                self.add(&to, value)?;
                to
            }
        };
        if !is_known {
            self.moves.push(to);
        }
        Ok(Found::Variable)
    }

    fn add(&mut self, to: &Move, value: SecretValue) -> Result<()> {
        let Move { variable, secret, key } = to;
        match self.values.entry(secret.clone()).or_default().entry(key.clone()) {
            Entry::Vacant(free) => drop(free.insert(value)),
            Entry::Occupied(other) if *other.get() == value => {}
            Entry::Occupied(_) => {
                return Err(Error::usage(format!(
                    "env {variable} has another value than what key {key} of secret {secret} is to have"
                ))
                .hint("move each into a key of its own: --extract VAR=SECRET,KEY; of several workloads choose one"));
            }
        }
        Ok(())
    }

    /// Returns the names of the secrets that get values.
    pub(crate) fn secrets(&self) -> Vec<String> {
        self.values.keys().cloned().collect()
    }
}

/// Tells whether an object has a variable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    Variable,
}

impl Wanted {
    /// Returns the reference that is there already.
    fn as_referred(&self, secret: String, key: String) -> Result<Move> {
        let is_another =
            |wanted: &Option<String>, there: &str| wanted.as_deref().is_some_and(|one| one != there);
        let variable = self.variable.clone();
        if is_another(&self.secret, &secret) || is_another(&self.key, &key) {
            return Err(Error::failed(format!(
                "env {variable} refers to key {key} of secret {secret} already"
            )));
        }
        Ok(Move { variable, secret, key })
    }

    /// Returns the key that is to have a value.
    fn place_of(&self, value: &SecretValue) -> Result<Move> {
        let words = [self.secret.as_deref(), self.key.as_deref()];
        if words.into_iter().flatten().any(|word| word.as_bytes() == value.expose()) {
            return Err(value_in_flag());
        }
        let variable = &self.variable;
        let usual = || secret::usual_name(variable, std::str::from_utf8(value.expose()).unwrap_or_default());
        let secret = self.secret.clone().unwrap_or_else(usual);
        if !secret::is_secret_name(&secret) {
            return Err(Error::usage(format!("env {variable} gives no name for a secret"))
                .hint(format!("name one: --extract {variable}=SECRET")));
        }
        let key = self.key.clone().unwrap_or_else(|| variable.clone());
        Ok(Move { variable: variable.clone(), secret, key })
    }
}

impl<'a> Filled<'a> {
    /// Reads the secret.
    ///
    /// # Errors
    /// It can't be read or changed, or has another value under a key.
    async fn look(
        manifest: SecretManifest,
        moves: &[Move],
        change: Option<SecretChange<'a>>,
    ) -> Result<Self> {
        let found: Option<SecretWithValues> = match &change {
            Some(change) => change.read().await?,
            None => None,
        };
        if let (Some(secret), Some(change)) = (&found, &change) {
            refuse_other_values(&manifest, moves, secret, &change.namespace)?;
            if manifest.data.keys().any(|key| !secret.values.contains_key(key)) {
                change.check(&secret.head).await?;
            }
        }
        Ok(Self { manifest, found: RefCell::new(found), change })
    }
}

impl<'a> Extracting<'a> {
    /// Looks at the secrets of these names, which are those of the values, before anything is written.
    ///
    /// # Errors
    /// One can't be read or changed, or has another value under a key.
    pub(crate) async fn plan(
        (taken, names): (Taken, &'a [String]),
        containers: ContainerChoice,
        origin: Origin,
        destination: Option<&'a Destination>,
        (write, session): (&'a WriteArgs, &'a Session<'a>),
    ) -> Result<Self> {
        let Taken { moves, mut values } = taken;
        let mut secrets = Vec::new();
        for name in names {
            let manifest = SecretManifest::new(name, values.remove(name).unwrap_or_default());
            let change = destination.map(|Destination { cluster, namespace }| {
                SecretChange::in_namespace("set", name, namespace.clone(), write, cluster.clone(), session)
            });
            secrets.push(Filled::look(manifest, &moves, change));
        }
        let secrets = futures::future::try_join_all(secrets).await?;
        let (is_prepared, written) = (Cell::new(false), RefCell::default());
        Ok(Self { moves, containers, origin, secrets, destination, write, session, is_prepared, written })
    }

    /// Adds to an error what was written before it.
    pub(crate) fn although(&self, error: Error) -> Error {
        match self.written.borrow().as_slice() {
            [] => error,
            written => error.after(&list(written)).hint("the same command again does the rest"),
        }
    }

    /// Returns the variables whose values move, with the places of these.
    fn moved(&self) -> impl Iterator<Item = (&Move, &SecretValue)> {
        self.moves.iter().filter_map(|one| Some((one, self.value(one)?)))
    }

    fn value(&self, one: &Move) -> Option<&SecretValue> {
        let filled = self.secrets.iter().find(|filled| filled.manifest.name == one.secret)?;
        filled.manifest.data.get(&one.key)
    }

    fn report(&self, name: &str, done: &secret_change::Done) -> Result<()> {
        let line = format!("secret/{name} {}{}", done.verb, self.write.dry_run.suffix());
        if self.origin == Origin::Cluster && self.write.output == Output::Human {
            self.session.ui.done(&line)?;
        } else {
            self.session.ui.note(&line);
        }
        secret_change::tell_keys(&done.difference, None, self.session);
        Ok(())
    }
}

/// Refuses to replace a value that somebody else may use.
fn refuse_other_values(
    manifest: &SecretManifest,
    moves: &[Move],
    found: &SecretWithValues,
    namespace: &str,
) -> Result<()> {
    let is_other =
        |(key, value): &(&String, &SecretValue)| found.values.get(*key).is_some_and(|old| old != *value);
    let Some((key, _)) = manifest.data.iter().find(is_other) else { return Ok(()) };
    let name = &manifest.name;
    let of_key = moves.iter().find(|one| one.secret == *name && one.key == *key);
    let variable = of_key.map_or("VAR", |one| one.variable.as_str());
    let numbered = (2..MOST_KEYS).map(|number| format!("{key}_{number}"));
    let free = numbered.into_iter().find(|key| !found.values.contains_key(key));
    let free = free.unwrap_or_else(|| "KEY".to_owned());
    let another = format!(
        "take another key: --extract {variable}={name},{free}; or another secret: --extract {variable}=NAME"
    );
    let attach = CommandLine::plugin("attach").arg(name).then("KIND/NAME --env");
    let attach = attach.arg(format!("{variable}={key}")).then("--overwrite").namespace(namespace);
    Err(Error::failed(format!("key {key} of secret {name} in {namespace} has another value"))
        .hint(another)
        .hint(format!("if the value that is there is the right one: {attach}")))
}

impl Plan for Extracting<'_> {
    fn change(&self, object: &Value, kind: &Kind, workload: &str) -> Result<Planned> {
        for one in &self.moves {
            let held = workload::held(object, kind, &self.containers, &one.variable)?;
            if let Some(Held::Value(value)) = held
                && self.value(one).is_none_or(|taken| *taken != value)
            {
                return Err(Error::failed(format!(
                    "env {} of {workload} was changed by somebody else meanwhile",
                    one.variable
                ))
                .hint("run the command again"));
            }
        }
        let workload::Moved { object, differences } =
            workload::moved(object, kind, &self.containers, &self.moves)?;
        if differences.is_empty() {
            let variables = list(self.moves.iter().map(|one| &one.variable));
            let why = match self.origin {
                Origin::Cluster => format!("{workload} refers to a secret for {variables} already"),
                Origin::Manifest => format!("{workload} has no value for {variables}"),
            };
            return Ok(Planned::Nothing { why, warnings: Vec::new() });
        }
        Ok(Planned::Changed(Changed { object, differences, warnings: Vec::new() }))
    }

    fn on_owner(&self, owner: &str) -> String {
        let variables: BTreeSet<&str> = self.moves.iter().map(|one| one.variable.as_str()).collect();
        let flags = variables.into_iter().flat_map(|variable| ["--extract", variable]);
        CommandLine::plugin("attach").arg(owner).args(flags).in_typed_place().to_string()
    }

    fn preparation(&self) -> Preparation {
        if self.secrets.is_empty() { Preparation::None } else { Preparation::Secrets }
    }

    async fn prepare(&self) -> Result<()> {
        if self.is_prepared.get() {
            return Ok(());
        }
        for Filled { manifest, found, change } in &self.secrets {
            let name = &manifest.name;
            let Some(change) = change else {
                self.session.ui.note(&format!("secret/{name} is not written: this is a dry run"));
                continue;
            };
            let plan = |found: Option<&SecretWithValues>| {
                found.map_or(Ok(()), |found| {
                    refuse_other_values(manifest, &self.moves, found, &change.namespace)
                })?;
                Ok(secret_change::Plan::set(manifest, found))
            };
            let found = found.take();
            let done = change.run(found, plan).await.map_err(|error| self.although(error))?;
            self.report(name, &done)?;
            if self.write.dry_run == DryRun::None && done.verb != "unchanged" {
                self.written.borrow_mut().push(format!("secret/{name} is {}", done.verb));
            }
        }
        self.is_prepared.set(true);
        Ok(())
    }
}

impl Extracting<'_> {
    /// Tells who could read the values, and what still holds them after the workload was changed.
    pub(crate) async fn tell_what_is_left(&self, target: &Target, object: &Value, way: Left) {
        let ui = self.session.ui;
        let Some(destination) = self.destination.filter(|_| self.write.dry_run == DryRun::None) else {
            return;
        };
        if self.moved().next().is_none() {
            return;
        }
        let variables = list(self.moved().map(|(one, _)| &one.variable));
        if way == Left::Original {
            ui.warning(&format!("{target} itself is as it was: it still holds {variables}"));
        } else {
            self.tell_of_revisions(target, object, destination).await;
            self.tell_of_other_places(target, object);
        }
        self.tell_to_rotate(&target.to_string(), &destination.namespace);
    }

    /// Says that the values were readable.
    pub(crate) fn tell_to_rotate(&self, what: &str, namespace: &str) {
        let set = |(one, _): (&Move, &SecretValue)| {
            CommandLine::plugin("set").arg(&one.secret).arg(&one.key).namespace(namespace).to_string()
        };
        let sets: BTreeSet<String> = self.moved().map(set).collect();
        let variables: BTreeSet<&str> = self.moved().map(|(one, _)| one.variable.as_str()).collect();
        if !sets.is_empty() {
            self.session.ui.warning(&format!(
                "everybody who may read {what} could read {}: change it where it was issued, then: {}",
                list(variables),
                sets.into_iter().collect::<Vec<_>>().join("; ")
            ));
        }
    }

    /// Names the earlier revisions that have the values.
    async fn tell_of_revisions(&self, target: &Target, object: &Value, at: &Destination) {
        let Some(kind) = workload::kind_of_revisions(target.kind) else { return };
        let owner = &object["metadata"]["uid"];
        let read = |kind: &'static Kind, revision: &Value| {
            let owners = revision["metadata"]["ownerReferences"].as_array();
            let is_own = owners.into_iter().flatten().any(|one| one["uid"] == *owner);
            let plain = workload::plain_variables(revision, kind);
            let holds = self.moved().any(|(one, _)| plain.contains(&one.variable));
            (is_own && holds).then(|| revision["metadata"]["name"].as_str().unwrap_or_default().to_owned())
        };
        let scope = Namespaces::One(at.namespace.clone());
        let revisions = kind.in_kubectl();
        match at.cluster.objects([kind], &scope, read).await {
            Ok(seen) if seen.unseen.is_empty() => {
                let names: Vec<String> = seen.found.into_iter().flatten().collect();
                if !names.is_empty() {
                    let delete =
                        CommandLine::kubectl("delete").arg(&revisions).args(&names).namespace(&at.namespace);
                    self.session.ui.warning(&format!(
                        "earlier revisions still hold it ({}); when the new pods run: {delete}",
                        list(names)
                    ));
                }
            }
            Ok(_) => self.session.ui.warning(&format!(
                "you may not list {revisions} in namespace {}: earlier revisions of {target} may still hold it",
                at.namespace
            )),
            Err(failure) => {
                let failure = Error::from(failure);
                self.session.ui.warning(&format!(
                    "earlier revisions of {target} may still hold it, and {revisions} could not be listed: {}",
                    failure.for_a_note()
                ));
            }
        }
    }

    /// Names what else in the workload has a value, and who would bring it back.
    fn tell_of_other_places(&self, target: &Target, object: &Value) {
        let ui = self.session.ui;
        let Ok(changed) = workload::moved(object, target.kind, &self.containers, &self.moves) else { return };
        for (one, value) in self.moved() {
            let places = workload::still_in(&changed.object, value);
            if !places.is_empty() {
                let variable = &one.variable;
                ui.warning(&format!("the value of {variable} is still in {target}: {}", list(places)));
            }
        }
        let flags =
            self.moved().map(|(one, _)| format!("--extract={}={},{}", one.variable, one.secret, one.key));
        let in_file = CommandLine::plugin("attach").then("-f FILE").arg(target.to_string()).args(flags);
        if let Some(program) = workload::deployed_by(object) {
            ui.warning(&format!(
                "{target} was deployed by {program}, which may put the value back: change its source too: {in_file}"
            ));
        } else if object["metadata"]["annotations"].get(crate::metadata::LAST_APPLIED).is_some() {
            ui.note(&format!("the manifest that was applied still has it: {in_file}"));
        }
    }
}

/// What became of the workload that held the values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    Changed,
    /// A copy of it refers to the secrets.
    Original,
}
