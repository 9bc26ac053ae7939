//! `check`: finds what is wrong with secrets and with what uses them.

mod cluster;
mod copies;
mod look;
mod manifest;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use serde::Serialize;

use self::cluster::{consumer_named, consumers_in, elsewhere};
use self::copies::Around;
use self::look::{Look, Unchecked};
use self::manifest::Manifests;
use crate::cluster::{Cluster, Namespaces, Unseen};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::findings::{Code, Finding, Horizon, Severity};
use crate::flags::{Holds, Report, ReportArgs, parse_span};
use crate::session;
use crate::session::Session;
use crate::session::scope::ScopeArgs;
use crate::sources::manifest_files::ManifestArgs;
use crate::ui::Table;
use crate::wording::{list, plural};
use crate::workload::{KINDS, Kind, Target, TypedTarget};

/// Check secrets and what uses them: what is missing, misspelt, lost or expired
///
/// Without TARGET it checks the whole namespace. Values are read and never shown. The exit code is 3 if the
/// severity of a finding is error, or what --fail-on says, and if nothing that -f names could be checked.
#[derive(clap::Args)]
#[command(
    mut_arg("filename", |flag| flag.conflicts_with("all_namespaces")),
    after_help = "Examples:\n  \
    kubectl runai-secret check -p team-a\n  \
    kubectl runai-secret check -f job.yaml -p team-a\n  \
    kubectl runai-secret check -A --within=30d --only=expired,expired-certificate,expires-soon --fail-on=warning\n  \
    kubectl runai-secret check -A --ignore unused-secret,trailing-newline -o json"
)]
pub(crate) struct CheckArgs {
    /// A workload as KIND/NAME, or as NAME if only one has it; without it the whole namespace
    #[arg(value_name = "TARGET", add = Holds::Workload)]
    target: Option<String>,

    #[command(flatten)]
    manifest: ManifestArgs,

    /// Ask no cluster: check the files of -f against each other
    #[arg(long, requires = "filename")]
    offline: bool,

    /// Also report what ends within this time: certificates, tokens, and what --expires noted [default: 14d, or the
    /// last quarter of a shorter life]
    #[arg(long, value_name = "SPAN", value_parser = parse_span, add = Holds::Text)]
    within: Option<Duration>,

    /// Report only findings with these codes
    #[arg(long, value_name = "CODE", value_delimiter = ',', conflicts_with = "ignore")]
    only: Vec<Code>,

    /// The least severity with which a finding makes the exit code 3
    #[arg(
        long,
        value_name = "error|warning|info",
        default_value = "error",
        hide_default_value = true,
        hide_possible_values = true
    )]
    fail_on: Severity,

    /// Leave out findings with these codes
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    ignore: Vec<Code>,

    #[command(flatten)]
    scope: ScopeArgs,

    #[command(flatten)]
    report: ReportArgs,
}

/// The most unused secrets of a namespace that have a row each.
const MOST_UNUSED: usize = 2;

impl ValueEnum for Code {
    fn value_variants<'a>() -> &'a [Self] {
        &Code::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}

impl ValueEnum for Severity {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Error, Self::Warning, Self::Info]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}

/// The report of `-o json`. docs/reference/json.md documents the fields.
#[derive(Serialize)]
struct FindingsReport<'a> {
    findings: &'a [Finding],
    unseen: &'a [Unseen],
    unchecked: &'a [Unchecked],
}

pub(super) async fn run(args: &CheckArgs, session: &Session<'_>) -> Result<()> {
    let typed = args.target.as_deref().map(TypedTarget::parse).transpose()?;
    // Read first: a credential plugin may take the terminal.
    let files = args.manifest.files()?.map(|files| files.read()).transpose()?;
    let in_files = in_files(typed.as_ref().filter(|_| files.is_some()), args)?;
    let horizon = Horizon::new(args.within);
    let target = in_files.as_ref();
    if let Some(files) = files.as_ref().filter(|_| args.offline) {
        let namespace = session.usual_namespace()?;
        let from = Manifests { files, target, namespace: &namespace, horizon };
        let look = manifest::look_offline(&from, session)?;
        return report(args, look, &Namespaces::One(namespace), session);
    }
    let cluster = session.connect().await?;
    let scope = args.scope.resolve(&cluster, session).await?;
    let look = match (&files, typed, &scope) {
        (Some(files), typed, Namespaces::One(namespace)) => {
            let found = match (target, typed) {
                (None, Some(typed)) => {
                    Some(session::target::find(typed, namespace, &cluster, session).await?)
                }
                _ => None,
            };
            let target = target.or(found.as_ref());
            manifest::look(&Manifests { files, target, namespace, horizon }, &cluster, session).await?
        }
        (None, Some(target), Namespaces::One(namespace)) => {
            let target = session::target::find(target, namespace, &cluster, session).await?;
            Look::of_cluster(consumer_named(&target, namespace, &cluster).await?, horizon)
        }
        (None, None, scope) => whole(scope, horizon, &cluster, session).await?,
        (_, _, Namespaces::All | Namespaces::AllAtOnce) => {
            return Err(Error::usage(
                "TARGET and --all-namespaces exclude each other: a workload is in one namespace",
            )
            .hint("name its namespace with --project or --namespace"));
        }
    };
    let lacks_secrets = look.findings.iter().any(|finding| finding.code == Code::MissingSecret);
    if files.is_some()
        && lacks_secrets
        && let Namespaces::One(namespace) = &scope
    {
        session::not_found::warn_of_no_namespace(namespace, &cluster, session).await;
    }
    // What has something in it exists.
    let is_certain = files.is_none() && look.view.has_objects() && session.is_place_chosen();
    if !look.findings.iter().any(|finding| args.wants(finding.code))
        && let Namespaces::One(namespace) = &scope
        && !is_certain
    {
        // Checked before a note says that nothing was found.
        session::not_found::refuse_wrong_place(namespace, &cluster, session).await?;
    }
    report(args, look, &scope, session)
}

/// Returns the workload of the files that was named; none if its kind is one that only the cluster knows.
fn in_files(typed: Option<&TypedTarget>, args: &CheckArgs) -> Result<Option<Target>> {
    let is_known = |typed: &&TypedTarget| args.offline || !matches!(typed, TypedTarget::OfOtherKind { .. });
    typed.filter(is_known).cloned().map(TypedTarget::known).transpose()
}

/// Looks at one namespace or at all, and at the copies of shared secrets there.
async fn whole(
    scope: &Namespaces,
    horizon: Horizon,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<Look> {
    let runai = &session.globals.place.runai_namespace;
    let (seen, around) =
        tokio::join!(consumers_in(scope, runai, cluster), Around::read(scope, cluster, session));
    let (seen, around) = (seen?, around?);
    let (of_copies, elsewhere) =
        tokio::join!(around.findings(&seen.secrets, cluster, session), elsewhere(&seen.secrets, cluster));
    let (of_copies, more) = of_copies?;
    let mut look = Look::of_cluster(seen.view(elsewhere), horizon);
    look.findings.extend(of_copies);
    look.unseen.extend(more);
    Ok(look)
}

fn report(args: &CheckArgs, look: Look, scope: &Namespaces, session: &Session<'_>) -> Result<()> {
    let is_in_vain = look.is_in_vain();
    let Look { mut findings, mut unseen, unchecked, .. } = look;
    findings.retain(|finding| args.wants(finding.code));
    findings.sort_unstable();
    unseen.sort_unstable();
    session::scope::warn_unseen(&unseen, "what depends on them was not checked", session);
    warn_unchecked(&unchecked, session);
    let form = &args.report.output;
    let is_folded = *form == Report::Table && args.only.is_empty();
    let shown = if is_folded { folded(&findings) } else { findings.clone() };
    let report = FindingsReport { findings: &findings, unseen: &unseen, unchecked: &unchecked };
    session::scope::print(&args.report, &report, session, || match form {
        Report::Table | Report::Wide if findings.is_empty() => String::new(),
        Report::Name => names(&findings, scope),
        _ => table(&shown, scope, &args.report),
    })?;
    if is_in_vain {
        return Err(Error::partly("nothing was checked: the files hold no kind that can be read")
            .hint(format!("the kinds are: {}", list(KINDS.iter().map(Kind::word)))));
    }
    if findings.is_empty() {
        let what = if args.offline { "the files".to_owned() } else { session::scope::in_words(scope) };
        let seen = if unseen.is_empty() { "in" } else { "in what could be seen of" };
        session.ui.note(&format!("nothing found {seen} {what}"));
    }
    conclude(&findings, &shown, args, session)
}

/// Returns the findings with those of unused secrets in one for each namespace, where there are many.
fn folded(findings: &[Finding]) -> Vec<Finding> {
    let mut unused: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.code == Code::UnusedSecret) {
        unused.entry(&finding.namespace).or_default().push(finding);
    }
    unused.retain(|_, findings| findings.len() > MOST_UNUSED);
    let is_folded =
        |one: &Finding| one.code == Code::UnusedSecret && unused.contains_key(one.namespace.as_str());
    let mut shown: Vec<Finding> = findings.iter().filter(|one| !is_folded(one)).cloned().collect();
    shown.extend(unused.into_iter().map(|(namespace, unused)| Finding {
        object: plural(unused.len(), "secret"),
        message: "no workload uses them".to_owned(),
        remedy: format!(
            "to see them: {}",
            CommandLine::plugin("usage").then("--unused").namespace(namespace)
        ),
        ..unused[0].clone()
    }));
    shown.sort_unstable();
    shown
}

impl CheckArgs {
    fn wants(&self, code: Code) -> bool {
        (self.only.is_empty() || self.only.contains(&code)) && !self.ignore.contains(&code)
    }
}

/// Names the kinds whose objects were not checked, with how many there are.
fn warn_unchecked(unchecked: &[Unchecked], session: &Session<'_>) {
    let name = |one: &Unchecked| match one.count {
        1 => one.kind.clone(),
        count => format!("{} ({count})", one.kind),
    };
    let names: Vec<String> = unchecked.iter().map(name).collect();
    if !names.is_empty() {
        session.ui.warning(&format!("not checked, because the kind is not known: {}", list(names)));
    }
}

fn names(findings: &[Finding], scope: &Namespaces) -> String {
    let name = |one: &Finding| session::scope::name_in(scope, &one.namespace, &one.object);
    let names: BTreeSet<String> = findings.iter().map(name).collect();
    session::scope::lines(names)
}

fn table(findings: &[Finding], scope: &Namespaces, report: &ReportArgs) -> String {
    let headers: &[&str] = match report.output {
        Report::Wide => &["SEVERITY", "CODE", "OBJECT", "FINDING", "WHAT TO DO"],
        _ => &["SEVERITY", "CODE", "OBJECT", "FINDING"],
    };
    let mut table = Table::new(session::scope::columns(scope, headers)).with(report.head.head());
    for finding in findings {
        let Finding { severity, code, namespace, object, message, remedy } = finding;
        let row = [severity.word(), code.word(), object, message, remedy];
        let row = row.into_iter().take(headers.len()).map(str::to_owned);
        table.row(session::scope::cells(scope, namespace, row));
    }
    table.to_string()
}

/// Tells what to do about each kind of finding that is shown.
fn conclude(findings: &[Finding], shown: &[Finding], args: &CheckArgs, session: &Session<'_>) -> Result<()> {
    let form = &args.report.output;
    let errors = findings.iter().filter(|finding| finding.severity <= args.fail_on).count();
    if *form == Report::Table {
        let mut said = BTreeSet::new();
        for finding in shown.iter().filter(|finding| said.insert(finding.code)) {
            session.ui.note(&format!("{}, {}: {}", finding.code.word(), finding.object, finding.remedy));
        }
        if shown.len() > said.len() {
            session.ui.note("-o wide shows what to do about each");
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
    let what = match args.fail_on {
        Severity::Error => plural(errors, "error"),
        Severity::Warning | Severity::Info if errors == findings.len() => plural(errors, "finding"),
        Severity::Warning | Severity::Info => plural(errors, "error or warning"),
    };
    Err(Error::partly(format!("{what}{of}")))
}
