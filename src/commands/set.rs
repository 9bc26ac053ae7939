//! `set`: sets some keys of a secret and leaves the others alone.

use std::rc::Rc;
use std::time::Duration;

use futures::future::join_all;

use crate::change::places::{Place, Places, Written, both};
use crate::change::secret::{Plan, SecretChange};
use crate::cluster::{Failure, Namespaces, SecretWithValues};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{self, DryRun, Holds, Output, WriteArgs, parse_duration, parse_end};
use crate::moment::Moment;
use crate::propagation::Scope;
use crate::secret::{self, Difference, Nothing, SecretManifest, Source};
use crate::session::Session;
use crate::session::batch::Several;
use crate::session::not_found;
use crate::sharing::wait::Among;
use crate::sources::{Ends, SourceArgs, ask_about_suspects, read_sources};
use crate::ui::Proposal;
use crate::uses::restarts::AffectedWorkloads;
use crate::uses::rotation::{self, Area, Rotation, Waiting, Whom, wait_for_copies};
use crate::uses::usual::{self, Said};
use crate::wording::{list, nearest};
use crate::{sharing, ui};

/// Set keys of a secret, and leave its other keys as they are
///
/// It asks for the value of each KEY without showing it; if standard input is not a terminal, it reads the
/// value of a single KEY from there. All sources of create work too. A secret that does not exist is created.
/// If two people change a secret at once, neither loses a key.
///
/// With several projects the values are read once. All secrets are read and judged before the first is written:
/// if one is refused, none is changed.
///
/// Then it names the workloads that use these keys: mounted files change by themselves, but a workload that
/// read a variable when it started must be restarted.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret set hf HF_TOKEN -p team-a,team-b < token.txt\n  \
    kubectl runai-secret set settings --from-dotenv=.env --restart\n  \
    kubectl runai-secret set hf HF_TOKEN -n runai --restart\n  \
    kubectl runai-secret set db --generate=password=48")]
pub(crate) struct SetArgs {
    /// The secret
    #[arg(value_name = "NAME", value_parser = flags::parse_secret, add = Holds::Secret)]
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

/// The secrets of a command, with values.
type Secrets<'a> = Places<'a, SecretWithValues>;

/// What is known of a secret before it is written.
struct Before {
    is_there: bool,
    /// With whom it is shared.
    scope: Scope,
    /// The keys that will have another value.
    keys: Vec<String>,
}

/// A secret that was there, and is written.
struct Changed<'p> {
    place: &'p Place<'p, SecretWithValues>,
    scope: Scope,
    /// The keys that have another value.
    keys: Vec<String>,
    /// The workloads that use them, if they are told.
    searched: Option<Result<AffectedWorkloads, Failure>>,
}

pub(super) async fn run(args: &SetArgs, session: &Session<'_>) -> Result<()> {
    secret::check_secret_name(&args.name)?;
    // If nobody is asked, the sources are read first: a credential plugin may take the terminal. A user who
    // types a value is told before typing if it can't be set.
    let read = if args.asks(session) { None } else { Some(args.read(session).await?) };
    let mut places = Secrets::begin("set", &args.name, args.again(), &args.write, session).await?;
    args.look(&mut places).await?;
    let manifest = if let Some(manifest) = read {
        manifest
    } else {
        places.judge(async |place| check_before_asking(place).await).await?;
        args.read(session).await?
    };
    places.judge(async |place| judge(&manifest, place).await).await?;
    args.review(&manifest, &places).await?;
    let before: Vec<Before> = places.all.iter().map(|place| Before::of(place, &manifest)).collect();
    args.agree_to_restart(&places, &before).await?;
    let found = places.take();
    let search = async {
        // One that fails does not end the write, and a write that fails ends the search.
        Ok(args.search(&places, &before).await)
    };
    let write = places.write(found, |_, secret| Ok(Plan::set(&manifest, secret)));
    let (Written { done, verdict }, searched) = tokio::try_join!(write, search)?;
    let verdict = verdict.map_err(|error| args.with_word_of_random_values(error));
    let all = places.all.iter().zip(before).zip(done).zip(searched);
    let mut changed = Vec::new();
    for (((place, before), done), searched) in all {
        let Some(done) = done else { continue };
        if before.is_there {
            let keys = done.difference.touched().into_iter().map(str::to_owned).collect();
            changed.push(Changed { place, keys, scope: before.scope, searched });
            continue;
        }
        if place.project.is_none() {
            let next = usual::command(&Said::by_manifest(&manifest));
            session.propose(&args.write, &session.in_this_place(next));
        }
        args.tell_that_it_is_new(&place.change).await?;
    }
    both(args.follow(changed, session).await, verdict, session)
}

/// Refuses a secret that nobody can change, and a new one where there is no namespace.
async fn check_before_asking(place: &Place<'_, SecretWithValues>) -> Result<()> {
    let SecretChange { namespace, cluster, .. } = &place.change;
    match place.found {
        Some(_) => place.check().await,
        None => not_found::refuse_missing_namespace(namespace, cluster).await,
    }
}

/// Refuses a secret that nobody can change, and values that nothing could use in a secret of this type. Half of a
/// pair is judged with the half that stays.
async fn judge(manifest: &SecretManifest, place: &Place<'_, SecretWithValues>) -> Result<()> {
    let Some(secret) = &place.found else { return Ok(()) };
    let SecretWithValues { head, values } = secret;
    let judged = secret::judged_keys(&head.secret_type);
    if judged.iter().any(|key| manifest.data.contains_key(*key)) {
        let value = |key: &str| manifest.data.get(key).or_else(|| values.get(key));
        for warning in secret::check_values(&head.secret_type, value)? {
            place.change.session.ui.warning(&format!("{warning}{}", place.suffix()));
        }
    }
    if Difference::of_set(values, &manifest.data).is_nothing() {
        return Ok(());
    }
    place.check().await
}

impl Before {
    fn of(place: &Place<'_, SecretWithValues>, manifest: &SecretManifest) -> Self {
        let Some(secret) = &place.found else {
            return Self { is_there: false, scope: Scope::Nobody, keys: Vec::new() };
        };
        let difference = Difference::of_set(&secret.values, &manifest.data);
        let keys = difference.touched().into_iter().map(str::to_owned).collect();
        let scope = sharing::scope(&secret.head.metadata, place.change.session);
        Self { is_there: true, scope, keys }
    }
}

impl SetArgs {
    /// Returns the command without a place. Sources are left out: a literal is a value.
    fn again(&self) -> CommandLine {
        let set = CommandLine::plugin("set").arg(&self.name).args(&self.keys);
        if self.sources.is_empty() { set } else { set.then("…") }
    }

    /// Says of random values that a second run makes others.
    fn with_word_of_random_values(&self, error: Error) -> Error {
        if !self.sources.are_random() {
            return error;
        }
        error.hint(
            "another run makes other random values: to have the same in all projects, name all of them again",
        )
    }

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
    async fn agree_to_restart(&self, places: &Secrets<'_>, before: &[Before]) -> Result<()> {
        for (place, Before { keys, scope, .. }) in places.all.iter().zip(before) {
            if !self.restart || *scope == Scope::Nobody || keys.is_empty() {
                continue;
            }
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let rotation = self.rotation(&place.change, &keys, scope, Whom::Everybody);
            let plan = rotation.look().await?;
            rotation.agree(&plan).await?;
        }
        Ok(())
    }

    /// Shows what will change, and warns of what may be a mistake.
    async fn review(&self, manifest: &SecretManifest, places: &Secrets<'_>) -> Result<()> {
        let keys = list(manifest.data.keys().collect::<Vec<_>>());
        let effect = |place: &Place<'_, SecretWithValues>| {
            let what = match place.found {
                Some(_) => format!("new values for {keys}; its other keys stay"),
                None => format!("a new secret with {keys}"),
            };
            format!("secret/{} in {}: {what}", self.name, place.change.namespace)
        };
        let effects: Vec<String> = places.all.iter().map(effect).collect();
        let (question, session) = (format!("Set {keys}?"), places.session);
        session.confirm_if_guided(&self.write, &question, &effects, Proposal::No).await?;
        places.all.iter().for_each(|place| warn_of_slips(manifest, place));
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
        ask_about_suspects(&mut contents, Ends::ByFlag, session.ui).await?;
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

    /// Reads the secrets, and asks what the server serves if workloads will be searched.
    async fn look(&self, places: &mut Secrets<'_>) -> Result<()> {
        if !self.is_told(places.session) {
            return places.read().await;
        }
        let cluster = Rc::clone(&places.cluster);
        tokio::join!(places.read(), cluster.discover_ahead()).0
    }

    /// Finds the workloads that use the keys that change, for each place; none where they are not told.
    async fn search(
        &self,
        places: &Secrets<'_>,
        before: &[Before],
    ) -> Vec<Option<Result<AffectedWorkloads, Failure>>> {
        let is_told = self.is_told(places.session) && !self.restart;
        let searches = places.all.iter().zip(before).map(async |(place, Before { keys, scope, .. })| {
            if !is_told || keys.is_empty() {
                return None;
            }
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let SecretChange { namespace, cluster, .. } = &place.change;
            Some(AffectedWorkloads::of_scope(scope, &self.name, &keys, namespace, cluster).await)
        });
        join_all(searches).await
    }

    /// Tells or restarts the workloads that use what has changed.
    async fn follow(&self, mut all: Vec<Changed<'_>>, session: &Session<'_>) -> Result<()> {
        let was_there = !all.is_empty();
        all.retain(|one| !one.keys.is_empty());
        if all.is_empty() && was_there && self.restart {
            session.ui.note("no value changed: nothing is restarted");
        }
        for one in &all {
            one.place.change.tell_of_copies(&one.scope);
        }
        if self.restart {
            return self.restart_audience(&all, session).await;
        }
        tell(all, session)
    }

    /// Reports whether the user reads notes.
    fn is_told(&self, session: &Session<'_>) -> bool {
        let write = &self.write;
        write.output == Output::Human && write.dry_run == DryRun::None && !session.ui.is_quiet()
    }

    /// Restarts the workloads that need it; of a shared secret when its copies have arrived.
    async fn restart_audience(&self, all: &[Changed<'_>], session: &Session<'_>) -> Result<()> {
        let is_real = self.write.dry_run == DryRun::None;
        if is_real && !all.is_empty() {
            let restart = |one: &Changed<'_>| {
                CommandLine::plugin("restart")
                    .arg(&self.name)
                    .namespace(&one.place.change.namespace)
                    .to_string()
            };
            let restarts: Vec<String> = all.iter().map(restart).collect();
            ui::interrupt::leave_word(format!(
                "the secret has its new values; this restarts what is still old: {}",
                restarts.join("; ")
            ));
        }
        let looks = join_all(all.iter().map(|one| self.look_for_old(one))).await;
        let mut several = Several::projects(all.len(), session);
        let mut plans = Vec::new();
        for (one, plan) in all.iter().zip(looks) {
            plans.extend(several.one(one.place.title(), plan)?);
        }
        let (Some(plan), [first, ..]) = (rotation::Plan::together(plans), all) else {
            return several.verdict();
        };
        let is_shared = all.iter().any(|one| one.scope != Scope::Nobody);
        let waiting = if is_shared && is_real { Waiting::AtMost(self.timeout) } else { Waiting::No };
        let rotation = self.rotation(&first.place.change, &[], &first.scope, Whom::Stale);
        both(several.verdict(), rotation.carry_out(plan, waiting).await, session)
    }

    /// Finds what is to be restarted in one place.
    async fn look_for_old(&self, one: &Changed<'_>) -> Result<rotation::Plan> {
        let SecretChange { session, cluster, namespace, .. } = &one.place.change;
        let is_real = self.write.dry_run == DryRun::None;
        let copies = match one.scope {
            Scope::EveryProject | Scope::Department(_) if is_real => Some(
                wait_for_copies(&self.name, namespace, Among::EveryProject, self.timeout, cluster, session)
                    .await?,
            ),
            _ => None,
        };
        // Only now: what started while the secret was written may have the old value. A dry run changed nothing.
        let whom = if is_real { Whom::Stale } else { Whom::Everybody };
        let keys: Vec<&str> = one.keys.iter().map(String::as_str).collect();
        let rotation = self.rotation(&one.place.change, &keys, &one.scope, whom);
        let plan = rotation.look().await.map_err(not_found_out)?.with_copies(copies, namespace);
        // Of a shared secret it was told before somebody agreed.
        if one.scope == Scope::Nobody {
            rotation.tell_unseen(&plan);
        }
        Ok(plan)
    }
}

/// Tells who uses what has changed.
fn tell(all: Vec<Changed<'_>>, session: &Session<'_>) -> Result<()> {
    let (mut own, mut namespaces) = (Vec::new(), Vec::new());
    for Changed { place, scope, searched, .. } in all {
        let Some(audience) = searched.transpose().map_err(not_found_out)? else { continue };
        match scope {
            Scope::Nobody => {
                own.push(audience);
                namespaces.push(place.change.namespace.as_str());
            }
            Scope::EveryProject | Scope::Department(_) => audience.tell_of_copies(session),
        }
    }
    if !own.is_empty() {
        AffectedWorkloads::together(own).tell(&list(&namespaces), session);
    }
    Ok(())
}

fn not_found_out(failure: Failure) -> Error {
    Error::from(failure)
        .at("the secret has its new values, but the workloads that use it could not be listed")
}

/// Warns of a new key whose name is almost that of an existing one: it is often a typing mistake.
fn warn_of_slips(manifest: &SecretManifest, place: &Place<'_, SecretWithValues>) {
    let Some(secret) = &place.found else { return };
    for key in manifest.data.keys().filter(|key| !secret.head.has_key(key)) {
        if let Some(near) =
            nearest(key, secret.head.keys()).filter(|near| near.len().abs_diff(key.len()) <= 1)
        {
            place.change.session.ui.warning(&format!(
                "{key} is a new key; the secret{} also has {near}, which stays as it is",
                place.suffix()
            ));
        }
    }
}
