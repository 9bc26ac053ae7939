//! `set`: sets some keys of a secret and leaves the others alone.

use std::time::Duration;

use serde_json::Value;

use crate::change::secret::{Plan, SecretChange};
use crate::cluster::{Failure, Namespaces, SecretWithValues};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{DryRun, Holds, Output, WriteArgs, parse_duration, parse_end};
use crate::moment::Moment;
use crate::propagation::Scope;
use crate::secret::{self, Difference, Nothing, SecretManifest, Source};
use crate::session::Session;
use crate::sources::{SourceArgs, ask_about_suspects, read_sources};
use crate::ui::Proposal;
use crate::uses::restarts::AffectedWorkloads;
use crate::uses::rotation::{Area, Rotation, Waiting, Whom, wait_for_copies};
use crate::uses::usual::{self, Said};
use crate::wording::{list, nearest};
use crate::{sharing, ui};

/// Set keys of a secret, and leave its other keys as they are
///
/// It asks for the value of each KEY without showing it; if standard input is not a terminal, it reads the
/// value of a single KEY from there. All sources of create work too. A secret that does not exist is created.
/// If two people change a secret at once, neither loses a key.
///
/// Then it names the workloads that use these keys: mounted files change by themselves, but a workload that
/// read a variable when it started must be restarted.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret set hf HF_TOKEN -p team-a < token.txt\n  \
    kubectl runai-secret set settings --from-dotenv=.env --restart\n  \
    kubectl runai-secret set hf HF_TOKEN -n runai --restart\n  \
    kubectl runai-secret set db --generate=password=48")]
pub(crate) struct SetArgs {
    /// The secret
    #[arg(value_name = "NAME", add = Holds::Secret)]
    name: String,

    /// A key whose value is asked for, or read from standard input
    #[arg(value_name = "KEY", add = Holds::Key)]
    keys: Vec<String>,

    #[command(flatten)]
    sources: SourceArgs,

    /// Restart what reads these keys when it starts, as restart does; of a shared secret when its copies are there
    #[arg(long)]
    restart: bool,

    /// With --restart of a shared secret: how long to wait for the copies, and then for the new pods
    #[arg(long, value_name = "DURATION", default_value = "5m", requires = "restart", hide_short_help = true,
          value_parser = parse_duration, add = Holds::Text)]
    timeout: Duration,

    /// When these values end, for `check` and `list`: a day, a time (RFC 3339), or from now on as 90d or 12w
    #[arg(long, value_name = "DATE", value_parser = parse_end, add = Holds::Text)]
    expires: Option<Moment>,

    #[command(flatten)]
    write: WriteArgs,
}

pub(super) async fn run(args: &SetArgs, session: &Session<'_>) -> Result<()> {
    secret::check_secret_name(&args.name)?;
    // If nobody is asked, the sources are read first: a credential plugin may take the terminal. A user who
    // types a value is told before typing if it can't be set.
    let read = if args.asks(session) { None } else { Some(args.read(session).await?) };
    let change = SecretChange::begin("set", &args.name, &args.write, session).await?;
    let found = args.look(&change).await?;
    let scope = found.as_ref().map_or(Scope::Nobody, |secret| sharing::scope(&secret.head.metadata, session));
    let manifest = if let Some(manifest) = read {
        manifest
    } else {
        if let Some(secret) = &found {
            change.check(&secret.head).await?;
        }
        args.read(session).await?
    };
    judge(&manifest, found.as_ref(), session)?;
    args.review(&manifest, found.as_ref(), &change).await?;
    let before = found.as_ref().map(|secret| Difference::of_set(&secret.values, &manifest.data));
    let keys = before.as_ref().map(Difference::touched).unwrap_or_default();
    if let Some(secret) = found.as_ref().filter(|_| !keys.is_empty()) {
        change.check(&secret.head).await?;
        args.agree_to_restart(&change, &keys, &scope).await?;
    }
    let existed = found.is_some();
    let is_searched = !keys.is_empty() && args.is_told(session) && !args.restart;
    let search = async {
        // One that fails does not end the write, and a write that fails ends the search.
        Ok(if is_searched { Some(args.audience(&change, &keys, &scope).await) } else { None })
    };
    let write = change.run(found, |secret| Ok(plan(&manifest, secret)));
    let (done, audience) = tokio::try_join!(write, search)?;
    change.report(&done)?;
    if !existed {
        let next = usual::command(&Said::by_manifest(&manifest));
        session.propose(&args.write, &session.in_this_place(next));
        return args.tell_that_it_is_new(&change).await;
    }
    let keys = done.difference.touched();
    if keys.is_empty() {
        args.tell_that_nothing_restarts(session);
        return Ok(());
    }
    change.tell_of_copies(&scope);
    match audience {
        _ if args.restart => args.restart_audience(&change, &keys, &scope).await,
        None => Ok(()),
        Some(audience) => {
            let audience = audience.map_err(not_found_out)?;
            match scope {
                Scope::Nobody => audience.tell(&change.namespace, session),
                Scope::EveryProject | Scope::Department(_) => audience.tell_of_copies(session),
            }
            Ok(())
        }
    }
}

fn plan(manifest: &SecretManifest, found: Option<&SecretWithValues>) -> Plan {
    let Some(secret) = found else {
        return Plan::create(manifest.to_request_body());
    };
    let difference = Difference::of_set(&secret.values, &manifest.data);
    let body = |metadata: &Value| secret::patch_of_values(metadata, &manifest.data);
    Plan::patch(&secret.head, difference, manifest.ends(), body)
}

/// Refuses values that nothing could use in a secret of this type. Half of a pair is judged with the half that
/// stays.
fn judge(manifest: &SecretManifest, found: Option<&SecretWithValues>, session: &Session<'_>) -> Result<()> {
    let Some(SecretWithValues { head, values }) = found else { return Ok(()) };
    let judged = secret::judged_keys(&head.secret_type);
    if !judged.iter().any(|key| manifest.data.contains_key(*key)) {
        return Ok(());
    }
    let value = |key: &str| manifest.data.get(key).or_else(|| values.get(key));
    for warning in secret::check_values(&head.secret_type, value)? {
        session.ui.warning(&warning);
    }
    Ok(())
}

impl SetArgs {
    /// Returns how workloads are renewed that read these keys at their start.
    fn rotation<'a>(
        &'a self,
        change: &'a SecretChange<'_>,
        keys: &'a [&'a str],
        scope: &Scope,
        whom: Whom,
    ) -> Rotation<'a> {
        let area = match scope {
            Scope::Nobody => Area::Namespaces(Namespaces::One(change.namespace.clone())),
            Scope::EveryProject | Scope::Department(_) => Area::OfSource,
        };
        let SecretChange { cluster, session, .. } = change;
        Rotation { secret: &self.name, keys: Some(keys), area, whom, write: &self.write, cluster, session }
    }

    /// Shows what is restarted in all projects, and asks before anything is written.
    async fn agree_to_restart(&self, change: &SecretChange<'_>, keys: &[&str], scope: &Scope) -> Result<()> {
        if !self.restart || *scope == Scope::Nobody {
            return Ok(());
        }
        let rotation = self.rotation(change, keys, scope, Whom::Everybody);
        let plan = rotation.look().await?;
        rotation.agree(&plan).await
    }

    /// Shows what will change, and warns of what may be a mistake.
    async fn review(
        &self,
        manifest: &SecretManifest,
        found: Option<&SecretWithValues>,
        change: &SecretChange<'_>,
    ) -> Result<()> {
        let (name, namespace, session) = (&self.name, &change.namespace, change.session);
        let keys = list(manifest.data.keys().collect::<Vec<_>>());
        let what = match found {
            Some(_) => format!("new values for {keys}; its other keys stay"),
            None => format!("a new secret with {keys}"),
        };
        let effect = format!("secret/{name} in {namespace}: {what}");
        session.confirm_if_guided(&self.write, &format!("Set {keys}?"), &[effect], Proposal::No).await?;
        if let Some(secret) = found {
            warn_of_slips(manifest, secret, session);
        }
        Ok(())
    }

    /// Notes that the secret is new, and names the nearest existing one: a typing mistake in the name creates
    /// a secret.
    async fn tell_that_it_is_new(&self, change: &SecretChange<'_>) -> Result<()> {
        let ui = change.session.ui;
        if ui.is_quiet() {
            return Ok(());
        }
        let (name, namespace) = (&self.name, &change.namespace);
        // Only for a hint: without the right to list there is none.
        let names = change.cluster.secret_names(namespace).await.unwrap_or_default();
        let others = names.iter().map(String::as_str).filter(|other| other != name);
        let near = nearest(name, others).map(|near| format!("; there is also {near}")).unwrap_or_default();
        ui.note(&format!("there was no secret {name} in {namespace}: it is new{near}"));
        Ok(())
    }

    /// Reports whether a value is typed by the user.
    fn asks(&self, session: &Session<'_>) -> bool {
        session.ui.somebody_is_there() && !(self.keys.is_empty() && self.sources.prompts.is_empty())
    }

    /// Reads all sources.
    async fn read(&self, session: &Session<'_>) -> Result<SecretManifest> {
        self.check_that_no_value_is_named(session)?;
        Source::check_keys("KEY", &self.keys)?;
        let given = self.given(session).await?;
        let mut contents = read_sources(&self.sources, given, Nothing::Refuse, session).await?;
        ask_about_suspects(&mut contents, session.ui).await?;
        contents.notes.iter().for_each(|note| session.ui.note(note));
        contents.warnings.iter().for_each(|warning| session.ui.warning(warning));
        if !self.sources.allow_empty_values {
            contents.check_no_file_is_empty()?;
        }
        if contents.data.is_empty() {
            return Err(Error::usage("no key to set").hint(format!(
                "name one: {}; or a source that has some, such as --from-dotenv=.env",
                session.in_this_place(CommandLine::plugin("set").arg(&self.name).then("KEY"))
            )));
        }
        let mut manifest = SecretManifest::new(&self.name, contents.data);
        manifest.note_ends(contents.ends, self.expires);
        Ok(manifest)
    }

    /// Refuses `NAME KEY VALUE` and `NAME KEY=VALUE`, which other programs take: the value would become the name
    /// of a key, which everybody may see.
    fn check_that_no_value_is_named(&self, session: &Session<'_>) -> Result<()> {
        let Some(at) = self.keys.iter().position(|word| secret::may_be_a_value(word)) else { return Ok(()) };
        let key = secret::key_of_pair(&self.keys[at]).unwrap_or("KEY");
        let key = if secret::looks_like_a_token(key) { "KEY" } else { key };
        let set = session.in_this_place(CommandLine::plugin("set").arg(&self.name).arg(key));
        Err(Error::usage("a value does not go on the command line, where others can see it")
            .hint(format!("to be asked for it: {set}"))
            .hint(format!("from a file: {set} < FILE")))
    }

    /// Returns the values of the keys that were named without a source.
    async fn given(&self, session: &Session<'_>) -> Result<Vec<Source>> {
        if session.ui.has_input()
            && let [key] = self.keys.as_slice()
        {
            return Ok(vec![Source::piped(key)]);
        }
        let mut sources = Vec::new();
        for key in &self.keys {
            let Some(value) = session.ui.ask_hidden(&format!("Value of {key}")).await? else {
                return Err(Error::usage(
                    "the values of these keys must be typed, but nobody can be asked",
                )
                .hint(
                    "give one KEY and its value on standard input, or another source: --from-file=KEY=PATH",
                ));
            };
            sources.push(Source::typed(key, value));
        }
        Ok(sources)
    }

    /// Reads the secret, and asks what the server serves if workloads will be searched.
    async fn look(&self, change: &SecretChange<'_>) -> Result<Option<SecretWithValues>> {
        if !self.is_told(change.session) {
            return change.read().await;
        }
        tokio::join!(change.read(), change.cluster.discover_ahead()).0
    }

    /// Finds the workloads that use these keys of the secret, or of its copies.
    async fn audience(
        &self,
        change: &SecretChange<'_>,
        keys: &[&str],
        scope: &Scope,
    ) -> Result<AffectedWorkloads, Failure> {
        let SecretChange { cluster, namespace, .. } = change;
        match scope {
            Scope::Nobody => AffectedWorkloads::of(&self.name, keys, namespace, cluster).await,
            Scope::EveryProject | Scope::Department(_) => {
                AffectedWorkloads::of_source(&self.name, keys, namespace, cluster).await
            }
        }
    }

    fn tell_that_nothing_restarts(&self, session: &Session<'_>) {
        if self.restart {
            session.ui.note("no value changed: nothing is restarted");
        }
    }

    /// Reports whether the user reads notes.
    fn is_told(&self, session: &Session<'_>) -> bool {
        let write = &self.write;
        write.output == Output::Human && write.dry_run == DryRun::None && !session.ui.is_quiet()
    }

    /// Restarts the workloads that need it; of a shared secret when its copies have arrived.
    async fn restart_audience(&self, change: &SecretChange<'_>, keys: &[&str], scope: &Scope) -> Result<()> {
        let SecretChange { session, cluster, .. } = change;
        let is_real = self.write.dry_run == DryRun::None;
        if is_real {
            let restart = CommandLine::plugin("restart").arg(&self.name).namespace(&change.namespace);
            ui::interrupt::leave_word(format!(
                "the secret has its new values; this restarts what is still old: {restart}"
            ));
        }
        let (late, waiting) = match scope {
            Scope::EveryProject | Scope::Department(_) if is_real => {
                let late = wait_for_copies(&self.name, &change.namespace, self.timeout, cluster, session);
                (late.await?, Waiting::AtMost(self.timeout))
            }
            _ => (Vec::new(), Waiting::No),
        };
        // Only now: what started while the secret was written may have the old value. A dry run changed nothing.
        let whom = if is_real { Whom::Stale } else { Whom::Everybody };
        let rotation = self.rotation(change, keys, scope, whom);
        let plan = rotation.look().await.map_err(not_found_out)?.without(late);
        rotation.carry_out(&plan, waiting).await
    }
}

fn not_found_out(failure: Failure) -> Error {
    Error::from(failure)
        .at("the secret has its new values, but the workloads that use it could not be listed")
}

/// Warns of a new key whose name is almost that of an existing one: it is often a typing mistake.
fn warn_of_slips(manifest: &SecretManifest, secret: &SecretWithValues, session: &Session<'_>) {
    for key in manifest.data.keys().filter(|key| !secret.head.has_key(key)) {
        if let Some(near) =
            nearest(key, secret.head.keys()).filter(|near| near.len().abs_diff(key.len()) <= 1)
        {
            session
                .ui
                .warning(&format!("{key} is a new key; the secret also has {near}, which stays as it is"));
        }
    }
}
