//! `check`: what is wrong with secrets and with what uses them.

mod copies;
mod manifest;

use std::collections::{BTreeMap, BTreeSet};

use clap::ValueEnum;
use clap::builder::PossibleValue;
use futures::stream::{self, StreamExt};
use serde::Serialize;
use serde_json::Value;

use super::manifest_files::ManifestArgs;
use super::scope::{self, ScopeArgs};
use super::{Session, account_logins, consumers, not_found};
use crate::cli::{Report, ReportArgs};
use crate::cluster::{Cluster, Namespaces, Seen, Unseen};
use crate::error::{Error, Result};
use crate::findings::{Code, EnvNames, Extent, Finding, Severity, View, referred};
use crate::secret::Inspection;
use crate::ui::Table;
use crate::wording::plural;
use crate::workload::{Consumer, Kind, Target, Way};

/// How many secrets are read one by one at once.
const AT_ONCE: usize = 8;

/// How many missing secrets are looked for in other namespaces.
const SOUGHT: usize = 10;

/// Check secrets and what uses them: what is missing, misspelt, lost or expired
///
/// Without TARGET it checks all that the namespace holds. Values are read, looked at and never shown. Ends with exit
/// code 3 where something is found whose severity is error.
#[derive(clap::Args)]
#[command(
    mut_arg("filename", |flag| flag.conflicts_with("all_namespaces")),
    after_help = "Examples:\n  \
    kubectl runai-secret check -p team-a\n  \
    kubectl runai-secret check job/train -p team-a\n  \
    kubectl runai-secret check -f job.yaml -p team-a\n  \
    kubectl runai-secret check -A --ignore unused-secret,trailing-newline -o json"
)]
pub(crate) struct CheckArgs {
    /// A workload as kind/name; all that there is without it
    #[arg(value_name = "TARGET")]
    target: Option<String>,

    #[command(flatten)]
    manifest: ManifestArgs,

    /// Leave out findings with these codes
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    ignore: Vec<Code>,

    #[command(flatten)]
    scope: ScopeArgs,

    #[command(flatten)]
    report: ReportArgs,
}

impl ValueEnum for Code {
    fn value_variants<'a>() -> &'a [Self] {
        &Code::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}

/// What `-o json` prints. The README documents the fields.
#[derive(Serialize)]
struct FindingsReport<'a> {
    findings: &'a [Finding],
    unseen: &'a [Unseen],
}

pub(super) async fn run(args: &CheckArgs, session: &Session<'_>) -> Result<()> {
    let target = args.target.as_deref().map(Target::parse).transpose()?;
    // Read before a credential plugin may take the terminal.
    let files = args.manifest.files()?.map(|files| files.read()).transpose()?;
    let cluster = session.connect().await?;
    let scope = args.scope.resolve(&cluster, session).await?;
    let (view, mut unseen) = match (&files, &target, &scope) {
        (Some(files), target, Namespaces::One(namespace)) => {
            manifest::look(files, target.as_ref(), namespace, &cluster, session).await?
        }
        (None, Some(target), Namespaces::One(namespace)) => look_at(target, namespace, &cluster).await?,
        (None, None, scope) => look(scope, &cluster).await?,
        (_, _, Namespaces::All | Namespaces::AllAtOnce) => {
            return Err(Error::usage("a TARGET is in one namespace, and --all-namespaces means every one")
                .hint("say which: --project or --namespace"));
        }
    };
    let mut findings = view.findings();
    if target.is_none() && files.is_none() {
        let (of_copies, more) = copies::findings(&view, &scope, &cluster, session).await?;
        findings.extend(of_copies);
        findings.sort_unstable();
        unseen.extend(more);
    }
    findings.retain(|finding| !args.ignore.contains(&finding.code));
    scope::warn_unseen(&unseen, "what depends on them was not checked", session);
    let form = args.report.output;
    if findings.is_empty()
        && let Namespaces::One(namespace) = &scope
    {
        // Before anything says that all is well.
        not_found::refuse_wrong_place(namespace, &cluster, session).await?;
    }
    let report = FindingsReport { findings: &findings, unseen: &unseen };
    scope::print(form, &report, session, || match form {
        Report::Table | Report::Wide if findings.is_empty() => String::new(),
        Report::Name => names(&findings),
        _ => table(&findings, &scope, form),
    })?;
    if findings.is_empty() {
        let seen = if unseen.is_empty() { "in" } else { "in what could be seen of" };
        session.ui.note(&format!("nothing found {seen} {}", scope::in_words(&scope)));
    }
    conclude(&findings, form, session)
}

/// Everything in a namespace, or in all.
async fn look(scope: &Namespaces, cluster: &Cluster) -> Result<(View, Vec<Unseen>)> {
    let consumers = consumers::look_with(consumer, scope, cluster);
    let (consumers, secrets, env_names) =
        tokio::join!(consumers, cluster.inspect_secrets(scope), env_names(cluster));
    let (consumers, secrets) = (consumers?, secrets?);
    let extent = if consumers.unseen.is_empty() { Extent::Whole } else { Extent::Part };
    let Seen { found: consumers, unseen: consumers_unseen, .. } = consumers;
    let listed = |namespace: &str| {
        !secrets.unseen.iter().any(|one| one.namespace.as_deref().is_none_or(|at| at == namespace))
    };
    let (known, to_read): (Vec<_>, Vec<_>) =
        referred(&consumers).into_iter().partition(|(namespace, _)| listed(namespace));
    let mut all: BTreeMap<_, _> = known.into_iter().map(|place| (place, None)).collect();
    let (read, refused) = read(to_read, cluster).await?;
    all.extend(read);
    all.extend(secrets.found.into_iter().map(by_place));
    // Who may not list secrets is served by reading one by one those that are used, as long as it is seen which are.
    let all_were_read = refused.is_empty() && extent == Extent::Whole;
    let unseen = [consumers_unseen, if all_were_read { Vec::new() } else { secrets.unseen }].concat();
    let logins = logins_in(&consumers);
    Ok((view(consumers, all, logins, env_names, extent, cluster).await, unseen))
}

/// All that is of interest about an object.
fn consumer(kind: &'static Kind, object: &Value) -> Consumer {
    Consumer::of(kind, object, |_| true).with_doubts(object)
}

type Logins = BTreeMap<(String, String), Vec<String>>;

/// The registry logins of the service accounts among these.
fn logins_in(consumers: &[Consumer]) -> Logins {
    let accounts = consumers.iter().filter(|one| one.kind == Kind::service_account());
    let logins = |account: &Consumer| {
        let pulls = account.references.iter().filter(|reference| reference.way == Way::ImagePull);
        pulls.map(|reference| reference.secret.clone()).collect()
    };
    accounts.map(|one| ((one.namespace.clone(), one.name.clone()), logins(one))).collect()
}

/// Those of the service accounts whose logins do not count, read one by one.
async fn read_logins(consumers: &[Consumer], cluster: &Cluster) -> Result<(Logins, Vec<Unseen>)> {
    let (mut logins, mut refused) = (logins_in(consumers), BTreeSet::new());
    let own = consumers.iter().flat_map(|one| {
        one.own_logins.iter().map(|own| (one.namespace.clone(), own.account.clone())).collect::<Vec<_>>()
    });
    let wanted: BTreeSet<_> = own.filter(|place| !logins.contains_key(place)).collect();
    for (namespace, account) in wanted {
        let read = account_logins::read(BTreeSet::from([account]), &namespace, cluster).await?;
        for (account, found) in read {
            match found {
                Some(found) => drop(logins.insert((namespace.clone(), account), found)),
                None => {
                    refused
                        .insert(Unseen { namespace: Some(namespace.clone()), resource: "serviceaccounts" });
                }
            }
        }
    }
    Ok((logins, refused.into_iter().collect()))
}

/// One workload, and the pods of it that are stuck.
async fn look_at(target: &Target, namespace: &str, cluster: &Cluster) -> Result<(View, Vec<Unseen>)> {
    let children = ["ReplicaSet", "Job", "Pod"];
    let kinds = Kind::referring().filter(|kind| children.contains(&kind.name) && *kind != target.kind);
    let scope = Namespaces::One(namespace.to_owned());
    let made = cluster.objects(kinds, &scope, |kind, object| Consumer::of(kind, object, |_| true));
    let (object, made, env_names) =
        tokio::join!(cluster.workload(namespace, target), made, env_names(cluster));
    let Seen { found, unseen, .. } = made?;
    let object = match object {
        Ok(object) => object,
        Err(failure) => return Err(not_found::workload(failure, target, namespace, cluster).await),
    };
    let own = consumer(target.kind, &object);
    let consumers = own.with_what_it_made(found);
    let (secrets, refused) = read(referred(&consumers).into_iter().collect(), cluster).await?;
    let (logins, unread) = read_logins(&consumers, cluster).await?;
    let unseen = [unseen, refused, unread].concat();
    Ok((view(consumers, secrets, logins, env_names, Extent::Part, cluster).await, unseen))
}

type Secrets = BTreeMap<(String, String), Option<Inspection>>;

fn by_place(secret: Inspection) -> ((String, String), Option<Inspection>) {
    ((secret.namespace.clone(), secret.name.clone()), Some(secret))
}

/// Reads secrets one by one: whoever may not list them may be allowed some.
async fn read(places: Vec<(String, String)>, cluster: &Cluster) -> Result<(Secrets, Vec<Unseen>)> {
    let reads = places.into_iter().map(async |(namespace, name)| {
        let secret = cluster.inspect_secret(&namespace, &name).await;
        (secret, (namespace, name))
    });
    let mut reads = stream::iter(reads).buffer_unordered(AT_ONCE);
    let (mut secrets, mut refused) = (Secrets::new(), BTreeSet::new());
    while let Some((secret, place)) = reads.next().await {
        match secret {
            Ok(secret) => drop(secrets.insert(place, Some(secret))),
            Err(failure) if failure.is_not_found() => drop(secrets.insert(place, None)),
            Err(failure) if failure.is_forbidden() => {
                refused.insert(Unseen { namespace: Some(place.0), resource: "secrets" });
            }
            Err(failure) => return Err(failure.into()),
        }
    }
    Ok((secrets, refused.into_iter().collect()))
}

async fn view(
    consumers: Vec<Consumer>,
    secrets: Secrets,
    account_logins: Logins,
    env_names: EnvNames,
    extent: Extent,
    cluster: &Cluster,
) -> View {
    let missing = secrets.iter().filter(|(_, secret)| secret.is_none()).map(|((_, name), _)| name);
    let missing: BTreeSet<&String> = missing.take(SOUGHT).collect();
    let searches = missing.into_iter().map(async |name| {
        // It is only for a hint: where it is not allowed, there is none.
        let found = cluster.secrets_named(name).await.unwrap_or_default();
        (name.clone(), found.into_iter().map(|secret| secret.namespace).collect())
    });
    let elsewhere = futures::future::join_all(searches).await.into_iter().collect();
    View { consumers, secrets, elsewhere, account_logins, made: Vec::new(), env_names, extent }
}

/// Whoever may not ask for the version gets the rule that every cluster follows.
async fn env_names(cluster: &Cluster) -> EnvNames {
    let version = cluster.version().await.unwrap_or((1, 0));
    EnvNames::of_version(version.0, version.1)
}

fn names(findings: &[Finding]) -> String {
    let names: BTreeSet<&str> = findings.iter().map(|finding| finding.object.as_str()).collect();
    scope::lines(names)
}

fn table(findings: &[Finding], scope: &Namespaces, form: Report) -> String {
    let headers: &[&str] = match form {
        Report::Wide => &["SEVERITY", "CODE", "OBJECT", "FINDING", "WHAT TO DO"],
        _ => &["SEVERITY", "CODE", "OBJECT", "FINDING"],
    };
    let mut table = Table::new(scope::columns(scope, headers));
    for finding in findings {
        let Finding { severity, code, namespace, object, message, remedy } = finding;
        let row = [severity.word(), code.word(), object, message, remedy];
        let row = row.into_iter().take(headers.len()).map(str::to_owned);
        table.row(scope::cells(scope, namespace, row));
    }
    table.to_string()
}

/// Says what to do about each kind of finding, and whether there are errors.
fn conclude(findings: &[Finding], form: Report, session: &Session<'_>) -> Result<()> {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    if form == Report::Table {
        let mut said = BTreeSet::new();
        for finding in findings.iter().filter(|finding| said.insert(finding.code)) {
            session.ui.note(&format!("{}, {}: {}", finding.code.word(), finding.object, finding.remedy));
        }
        if findings.len() > said.len() {
            session.ui.note("-o wide says what to do about each");
        }
    }
    if errors == 0 {
        return Ok(());
    }
    let of = if errors == findings.len() {
        String::new()
    } else {
        format!(" of {}", plural(findings.len(), "finding"))
    };
    Err(Error::partly(format!("{}{of}", plural(errors, "error"))))
}
