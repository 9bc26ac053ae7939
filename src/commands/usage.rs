//! `usage`: shows which workloads use a secret, which secrets a workload uses, and which nobody uses.

mod workload;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::age::age;
use crate::cluster::{Cluster, KindOf, Namespaces, Seen, Unseen};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{Holds, Report, ReportArgs};
use crate::history::Freshness;
use crate::metadata::Metadata;
use crate::moment::Moment;
use crate::session::Session;
use crate::session::scope::ScopeArgs;
use crate::ui::Table;
use crate::uses::histories::{Histories, LastChange};
use crate::workload::{Consumer, Need, Reader, Reference, Way};
use crate::{flags, propagation, secret, session, uses};

/// Show which workloads use a secret, and how
///
/// Without NAME it lists every secret with the number of its consumers. A job that waits in a queue, a
/// suspended one and a cron job between two runs are consumers too. A pod is listed under the workload that
/// made it. Values are not read. In kinds that attach does not know, a reference is recognised
/// by its form, such as secretKeyRef or secretName, and called probable.
///
/// With KIND/NAME it lists what that workload uses: each secret and key, and whether they are there.
///
/// A container that read a variable when it started holds that value until it is restarted. VALUE says `old` if the
/// key changed since, and `perhaps old` where the server's record does not tell single keys. Mounted files are
/// renewed, and have no such column. A start is compared with the server's time of the change.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret usage hf -p team-a\n  \
    kubectl runai-secret usage job/train -p team-a\n  \
    kubectl runai-secret usage hf -A --stale\n  \
    kubectl runai-secret usage --unused -p team-a")]
pub(crate) struct UsageArgs {
    /// The secret, or a workload as KIND/NAME; without it all secrets of the namespace
    #[arg(value_name = "NAME", value_parser = flags::parse_secret, add = Holds::SecretOrWorkload)]
    name: Option<String>,

    /// Only secrets that nobody uses; those shared with every project are left out
    #[arg(long, conflicts_with = "name")]
    unused: bool,

    /// Only what still holds an old value, or may hold one, because it read the secret before that changed
    #[arg(long, conflicts_with = "unused")]
    stale: bool,

    #[command(flatten)]
    scope: ScopeArgs,

    #[command(flatten)]
    report: ReportArgs,
}

/// The report of `-o json`. docs/reference/json.md documents the fields.
#[derive(Serialize)]
struct UsageReport<'a> {
    secrets: &'a [SecretUsage<'a>],
    unseen: &'a [Unseen],
}

/// A secret and its consumers.
#[derive(Serialize)]
struct SecretUsage<'a> {
    namespace: &'a str,
    name: &'a str,
    /// Null if the user may not look.
    exists: Option<bool>,
    created: Option<&'a str>,
    consumers: Vec<ConsumerUses<'a>>,
}

/// One consumer's uses of the secret.
#[derive(Serialize)]
struct ConsumerUses<'a> {
    group: &'a str,
    kind: &'a str,
    name: &'a str,
    /// Null if the kind has no pods.
    state: Option<&'a str>,
    uses: Vec<Use<'a>>,
    #[serde(skip)]
    consumer: &'a Consumer,
}

#[derive(Serialize)]
struct Use<'a> {
    container: Option<&'a str>,
    how: &'a str,
    /// The variable, or the prefix of the variables.
    variable: Option<&'a str>,
    path: Option<&'a str>,
    volume: Option<&'a str>,
    /// Null for all keys.
    keys: Option<Vec<&'a str>>,
    optional: bool,
    /// The keys that the secret does not have; null where that was not looked at.
    missing: Option<Vec<&'a str>>,
    /// The field that has the form of a reference; null for what is certain.
    field: Option<&'a str>,
    /// What its containers hold; null for what does not run, or does not read at its start.
    value: Option<&'static str>,
    /// When the first of its containers read it.
    read: Option<Moment>,
    /// When the keys changed for the last time.
    changed: Option<Moment>,
    #[serde(skip)]
    freshness: Option<Freshness>,
    #[serde(skip)]
    way: &'a Way,
}

/// The secrets and consumers that were read from the cluster.
struct View {
    /// The one secret that was asked for.
    named: Option<String>,
    secrets: Seen<Metadata>,
    consumers: Vec<Consumer>,
    unseen: Vec<Unseen>,
    /// True if only the projects' namespaces were searched for consumers.
    only_projects: bool,
}

pub(super) async fn run(args: &UsageArgs, session: &Session<'_>) -> Result<()> {
    if let Some(word) = args.name.as_deref().filter(|name| name.contains('/')) {
        return workload::run(word, args, session).await;
    }
    args.name.as_deref().map_or(Ok(()), secret::check_secret_name)?;
    let cluster = session.connect().await?;
    let scope = args.scope.resolve(&cluster, session).await?;
    let view = args.read(&scope, &cluster).await?;
    let mut usages = usages(&view, &session.globals.place.runai_namespace);
    match &args.name {
        Some(name) => {
            if let Err(error) = check_is_there(name, &usages, &view, &scope, session) {
                let Namespaces::One(namespace) = &scope else { return Err(error) };
                return Err(session::not_found::with_nearest_or_other_secret(
                    error, name, namespace, &cluster,
                )
                .await);
            }
        }
        // `check` says which of them are missing, and which are only of a type that is not listed.
        None => usages.retain(|usage| usage.exists != Some(false)),
    }
    if args.stale {
        retain_stale(&mut usages, args.name.as_deref());
    }
    if args.unused {
        let shared = shared(&view);
        usages.retain(|usage| usage.consumers.is_empty() && !shared.contains(&(usage.namespace, usage.name)));
    }
    let consequence = match (args.unused, args.stale) {
        (true, _) => "what seems unused may be used there",
        (_, true) => "what holds an old value there is not known",
        _ => "uses there are not shown",
    };
    session::scope::warn_unseen(&view.unseen, consequence, session);
    if view.only_projects && view.unseen.iter().all(|one| one.kind == KindOf::Cluster) {
        session::scope::warn_only_projects(consequence, session);
    }
    if args.name.is_none() && usages.is_empty() && view.unseen.is_empty() && !args.stale {
        let what = if args.unused { "unused secrets" } else { "secrets" };
        if let Namespaces::One(namespace) = &scope {
            session::not_found::refuse_wrong_place(namespace, &cluster, session).await?;
        }
        session.ui.note(&format!("no {what} in {}", session::scope::in_words(&scope)));
    }
    let form = &args.report.output;
    if matches!(form, Report::Table | Report::Wide) {
        let check = CommandLine::plugin("check");
        let is_one = matches!(scope, Namespaces::One(_));
        let check = if is_one { session.in_this_place(check) } else { check.then("-A") };
        session.ui.propose(check.to_string());
    }
    let report = UsageReport { secrets: &usages, unseen: &view.unseen };
    if args.stale && usages.iter().all(|usage| usage.consumers.is_empty()) {
        let is_seen = view.unseen.is_empty() && !view.only_projects;
        let seen = if is_seen { "nothing" } else { "nothing that could be seen" };
        session.ui.note(&format!("{seen} holds an old value in {}", session::scope::in_words(&scope)));
    }
    session::scope::print(&args.report, &report, session, || match (form, &args.name) {
        (Report::Name, Some(_)) => names_of_consumers(&usages, &scope),
        (Report::Name, None) => {
            let name = |usage: &SecretUsage<'_>| {
                session::scope::name_in(&scope, usage.namespace, &format!("secret/{}", usage.name))
            };
            session::scope::lines(usages.iter().map(name))
        }
        (_, Some(_)) => table_of_uses(&usages, &scope, &args.report),
        (_, None) => table_of_secrets(&usages, &scope, &args.report),
    })
}

impl UsageArgs {
    /// Lists the consumers, and the secrets without their values.
    async fn read(&self, scope: &Namespaces, cluster: &Cluster) -> Result<View> {
        let named = self.name.clone();
        let wanted = |reference: &Reference| {
            named.as_ref().map_or(!reference.secret.is_empty(), |name| reference.secret == *name)
        };
        let consumers = uses::consumers::find(wanted, scope, cluster);
        let secrets = async {
            match &named {
                Some(name) => cluster.secrets_named_in(name, scope).await,
                None => cluster.secrets(scope).await,
            }
        };
        let (consumers, secrets) = tokio::join!(consumers, secrets);
        let (consumers, secrets) = (consumers?, secrets?);
        let mut only_projects = consumers.is_of_projects();
        let mut unseen = consumers.unseen;
        // Who asks for the consumers of one secret need not see it; what they hold can't be told without it.
        if named.is_none() || self.stale {
            unseen.extend(secrets.unseen.iter().cloned());
            only_projects |= secrets.is_of_projects();
        }
        unseen.sort_unstable();
        Ok(View { named, secrets, consumers: consumers.found, unseen, only_projects })
    }
}

/// Returns every secret that exists, and every name that is referred to and was not found, sorted by
/// namespace and name.
fn usages<'a>(view: &'a View, runai_namespace: &str) -> Vec<SecretUsage<'a>> {
    let histories = Histories::of(&view.secrets, &view.consumers, runai_namespace);
    let mut by_secret: BTreeMap<(&str, &str), SecretUsage<'_>> = BTreeMap::new();
    for secret in &view.secrets.found {
        let (namespace, name) = (secret.namespace.as_str(), secret.name.as_str());
        let created = Some(secret.created.as_str());
        let usage = SecretUsage { namespace, name, exists: Some(true), created, consumers: Vec::new() };
        by_secret.insert((namespace, name), usage);
    }
    for consumer in &view.consumers {
        let mut uses: BTreeMap<&str, Vec<Use<'_>>> = BTreeMap::new();
        for reference in &consumer.references {
            uses.entry(&reference.secret).or_default().push(Use::of(consumer, reference, &histories));
        }
        for (name, uses) in uses {
            let namespace = consumer.namespace.as_str();
            let is_certain = uses.iter().any(|one| !one.way.is_probable());
            // What has the form of a name may be a value: it is not shown unless it is known to be a name.
            if !(is_certain || view.named.is_some() || by_secret.contains_key(&(namespace, name))) {
                continue;
            }
            let exists = view.secrets.covers(namespace).then_some(false);
            let unknown = || SecretUsage { namespace, name, exists, created: None, consumers: Vec::new() };
            let usage = by_secret.entry((namespace, name)).or_insert_with(unknown);
            usage.consumers.push(ConsumerUses::of(consumer, uses));
        }
    }
    by_secret.into_values().collect()
}

impl<'a> ConsumerUses<'a> {
    fn of(consumer: &'a Consumer, uses: Vec<Use<'a>>) -> Self {
        let Consumer { kind, name, state, .. } = consumer;
        Self { group: kind.group, kind: kind.name, name, state: state.code(), uses, consumer }
    }
}

impl ConsumerUses<'_> {
    fn is_stale(&self) -> bool {
        self.uses.iter().any(Use::is_stale)
    }
}

impl<'a> Use<'a> {
    fn of(consumer: &Consumer, reference: &'a Reference, histories: &Histories<'_>) -> Self {
        let judged = |reader: &Reader| {
            let change = histories.of_reader(consumer, reader);
            if matches!(change, LastChange::Unseen) {
                return None;
            }
            Some((change.held_since(reader.started())?, reader.started(), change.until()))
        };
        let worst =
            consumer.readers_by(reference).filter_map(judged).max_by_key(|(freshness, ..)| *freshness);
        let freshness = worst.map(|(freshness, ..)| freshness);
        let value = freshness.map(Freshness::word);
        let (read, changed) = (worst.map(|(_, read, _)| read), worst.and_then(|(.., changed)| changed));
        let way = &reference.way;
        let (mut variable, mut path, mut volume, mut field) = (None, None, None, None);
        match way {
            Way::Variable { name, .. } | Way::Variables { prefix: name, .. } => {
                variable = Some(name.as_str());
            }
            Way::Files { path: folder, .. } => path = Some(folder.as_str()),
            Way::IdleVolume { volume: name } | Way::Login { volume: name, .. } => {
                volume = Some(name.as_str());
            }
            Way::Probable { field: place, .. } => field = Some(place.as_str()),
            Way::ImagePull | Way::Certificate | Way::Listed => {}
        }
        let keys = Some(way.keys()).filter(|keys| !keys.is_empty());
        let (container, how) = (reference.place.container(), way.code());
        let optional = reference.need == Need::Optional;
        Self {
            container,
            how,
            variable,
            path,
            volume,
            keys,
            optional,
            missing: None,
            field,
            value,
            read,
            changed,
            freshness,
            way,
        }
    }
}

impl Use<'_> {
    fn is_stale(&self) -> bool {
        matches!(self.freshness, Some(Freshness::Old | Freshness::PerhapsOld))
    }
}

/// Keeps the uses by which somebody holds an old value, and the secrets that have some, unless one was named.
fn retain_stale(usages: &mut Vec<SecretUsage<'_>>, named: Option<&str>) {
    for usage in usages.iter_mut() {
        for one in &mut usage.consumers {
            one.uses.retain(Use::is_stale);
        }
        usage.consumers.retain(|one| !one.uses.is_empty());
    }
    usages.retain(|usage| named.is_some() || !usage.consumers.is_empty());
}

/// Warns of namespaces in which a secret is missing that is referred to.
///
/// # Errors
/// The secret exists nowhere, and nothing refers to it.
fn check_is_there(
    name: &str,
    usages: &[SecretUsage<'_>],
    view: &View,
    scope: &Namespaces,
    session: &Session<'_>,
) -> Result<()> {
    let is_seen = view.secrets.unseen.is_empty() && !view.secrets.is_of_projects();
    if usages.is_empty() && is_seen {
        let line = format!(
            "Error from server (NotFound): secrets {name:?} not found in {}",
            session::scope::in_words(scope)
        );
        let hint =
            "nothing refers to it there either; check the name and the namespace, or look in all with -A";
        return Err(Error::in_kubectls_words(line).hint(hint));
    }
    for usage in usages.iter().filter(|usage| usage.exists == Some(false)) {
        let namespace = usage.namespace;
        session.ui.warning(&format!(
            "secret {name} does not exist in namespace {namespace}, but workloads there refer to it"
        ));
    }
    if usages.iter().all(|usage| usage.consumers.is_empty()) {
        let seen = if view.unseen.is_empty() { "nothing" } else { "nothing that could be seen" };
        session.ui.note(&format!("{seen} uses secret {name} in {}", session::scope::in_words(scope)));
    }
    Ok(())
}

/// Returns the shared secrets and their copies: one namespace does not tell whether they are used.
fn shared(view: &View) -> BTreeSet<(&str, &str)> {
    let is_shared = |secret: &&Metadata| propagation::reaches_projects(&secret.labels);
    let shared = view.secrets.found.iter().filter(is_shared);
    shared.map(|secret| (secret.namespace.as_str(), secret.name.as_str())).collect()
}

fn names_of_consumers(usages: &[SecretUsage<'_>], scope: &Namespaces) -> String {
    let consumers = usages.iter().flat_map(|usage| &usage.consumers).map(|uses| uses.consumer);
    let name = |one: &Consumer| session::scope::name_in(scope, &one.namespace, &one.display_name());
    let mut names: Vec<String> = consumers.map(name).collect();
    names.dedup();
    session::scope::lines(names)
}

fn table_of_uses(usages: &[SecretUsage<'_>], scope: &Namespaces, report: &ReportArgs) -> String {
    let form = &report.output;
    let mut rows = Vec::new();
    for (usage, uses) in usages.iter().flat_map(|usage| usage.consumers.iter().map(move |uses| (usage, uses)))
    {
        for one in &uses.uses {
            let keys = one.keys.as_ref().map_or_else(|| all_keys(one.way), |keys| keys.join(","));
            let container = one.container.unwrap_or_default().to_owned();
            let mut row = vec![uses.consumer.display_name(), container, one.way.to_string(), keys];
            if *form == Report::Wide {
                row.push(one.optional.to_string());
            }
            row.push(uses.consumer.state.to_string());
            row.push(one.value.unwrap_or_default().replace('-', " "));
            rows.push(session::scope::cells(scope, usage.namespace, row));
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    rows.dedup();
    let headers: &[&str] = match form {
        Report::Wide => &["CONSUMER", "CONTAINER", "USE", "KEY", "OPTIONAL", "STATE", "VALUE"],
        _ => &["CONSUMER", "CONTAINER", "USE", "KEY", "STATE", "VALUE"],
    };
    let mut table = Table::new(session::scope::columns(scope, headers)).with(report.head.head());
    for row in rows {
        table.row(row);
    }
    table.to_string()
}

/// Returns the KEY column: `*` for a consumer of every key, empty for one that refers to the secret as a
/// whole.
fn all_keys(way: &Way) -> String {
    match way {
        Way::Variables { .. } | Way::Files { .. } => "*".to_owned(),
        _ => String::new(),
    }
}

fn table_of_secrets(usages: &[SecretUsage<'_>], scope: &Namespaces, report: &ReportArgs) -> String {
    let form = &report.output;
    let headers: &[&str] = match form {
        Report::Wide => &["NAME", "CONSUMERS", "OLD VALUE", "AGE", "USED BY"],
        _ => &["NAME", "CONSUMERS", "OLD VALUE", "AGE"],
    };
    if usages.is_empty() {
        return String::new();
    }
    let mut table = Table::new(session::scope::columns(scope, headers)).with(report.head.head());
    for usage in usages {
        let consumers: BTreeSet<String> =
            usage.consumers.iter().map(|one| one.consumer.display_name()).collect();
        let age = usage.created.map_or_else(|| "<unknown>".to_owned(), age);
        let stale = usage.consumers.iter().filter(|one| one.is_stale());
        let stale: BTreeSet<String> = stale.map(|one| one.consumer.display_name()).collect();
        let mut row = vec![usage.name.to_owned(), consumers.len().to_string(), stale.len().to_string(), age];
        if *form == Report::Wide {
            row.push(consumers.into_iter().collect::<Vec<_>>().join(","));
        }
        table.row(session::scope::cells(scope, usage.namespace, row));
    }
    table.to_string()
}
