//! `list`: lists secrets without their values.

mod consumers;
mod row;

use std::collections::BTreeMap;
use std::mem::take;

use clap::ValueEnum;
use serde::Serialize;

use self::consumers::Counts;
use self::row::{Count, Row, Sharing};
use crate::age::age;
use crate::cluster::{Cluster, Keys, Listed, Makers, Namespaces, Selection, Unseen};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{Head, Holds, Report, ReportArgs};
use crate::moment::Moment;
use crate::propagation::{self, Evidence, Scope};
use crate::secret::CREDENTIAL_LABEL;
use crate::session::Session;
use crate::session::projects::ProjectSelection;
use crate::session::scope::ScopeArgs;
use crate::ui::Table;
use crate::{session, sharing};

/// List the secrets of a project, without their values
///
/// It lists one project, several (-p a -p b), or all namespaces. Helm's releases and tokens of service
/// accounts are left out. -o wide also says when values were last written, by which program, and the
/// first end that was noted with --expires. No value is read: the server says how many keys a secret has. --keys also
/// shows the names of the keys, and has to read the secrets for that.
///
/// --consumers counts what refers to each secret in its namespace, as usage does: one request for each kind
/// of workload, and more if there are many of them. If you may not list a kind, "?" stands for 0, and "2+"
/// for at least 2.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret list -p team-a\n  \
    kubectl runai-secret list -A --sort-by=age\n  \
    kubectl runai-secret list -p team-a --consumers\n  \
    kubectl runai-secret list -p team-a --keys -o json")]
pub(crate) struct ListArgs {
    #[command(flatten)]
    scope: ScopeArgs,

    /// Also list Helm's releases and tokens of service accounts
    #[arg(long)]
    all: bool,

    /// Only secrets with these labels, such as team=nlp or 'app in (a, b)'
    #[arg(short = 'l', long, value_name = "LABELS", default_value = "", hide_default_value = true,
          add = Holds::Text)]
    selector: String,

    /// Show the names of the keys; this reads every secret and drops its values
    #[arg(long)]
    keys: bool,

    /// Show how many workloads use each secret; this lists all workloads
    #[arg(long)]
    consumers: bool,

    /// Sort by name, by age (the youngest first) or by type
    #[arg(
        long,
        value_name = "name|age|type",
        default_value = "name",
        hide_default_value = true,
        hide_possible_values = true
    )]
    sort_by: SortBy,

    #[command(flatten)]
    report: ReportArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum SortBy {
    Name,
    Age,
    Type,
}

/// The report of `-o json`. docs/reference/json.md documents the fields.
#[derive(Serialize)]
struct ListReport<'a> {
    secrets: &'a [Box<Row>],
    unseen: &'a [Unseen],
}

impl Sharing {
    fn in_words(self) -> &'static str {
        match self {
            Self::ClusterWide => "cluster-wide",
            Self::Department => "department",
            Self::Copy => "copy",
        }
    }
}

/// The namespaces to list.
struct Places {
    namespaces: Vec<Namespaces>,
    /// The project of each namespace that belongs to one.
    projects: BTreeMap<String, String>,
}

pub(super) async fn run(args: &ListArgs, session: &Session<'_>) -> Result<()> {
    args.check_every_flag_is_used()?;
    let cluster = session.connect().await?;
    let places = args.places(&cluster, session).await?;
    let selection = Selection {
        labels: &args.selector,
        makers: if args.all { Makers::All } else { Makers::People },
        keys: if args.keys { Keys::Names } else { Keys::Count },
    };
    let runai = session.globals.place.runai_namespace.as_str();
    let (mut rows, mut unseen) = (Vec::new(), Vec::new());
    let mut counts = Counts::default();
    for namespaces in &places.namespaces {
        // Boxed: the lists that they go through are grown and joined, and there may be many.
        let keep = |listed| Box::new(Row::of(listed, runai, &places.projects));
        let secrets = cluster.list_secrets(namespaces, &selection, keep);
        let counting = async { if args.consumers { counts.add(namespaces, &cluster).await } else { Ok(()) } };
        let (seen, counted) = tokio::join!(secrets, counting);
        let seen = seen?;
        counted?;
        rows.extend(seen.found);
        unseen.extend(seen.unseen);
    }
    session::scope::warn_unseen(&unseen, "secrets there are not listed", session);
    if rows.is_empty() && !unseen.is_empty() {
        // An empty list would look as if there were no secrets.
        return Err(Error::failed("you have no right to list secrets here; there may be some")
            .hint("to see what you may do: kubectl auth can-i --list -n NAMESPACE"));
    }
    if args.consumers {
        for row in &mut rows {
            row.consumers = counts.of(row);
        }
        unseen.extend(counts.tell_unseen(session));
    }
    args.sort(&mut rows);
    if rows.is_empty() {
        if let [Namespaces::One(namespace)] = places.namespaces.as_slice() {
            session::not_found::refuse_wrong_place(namespace, &cluster, session).await?;
        }
        session.ui.note(&args.nothing(&places));
    }
    if let Some(first) = rows.first().filter(|_| matches!(args.report.output, Report::Table | Report::Wide)) {
        let view = CommandLine::plugin("view").arg(&first.name).namespace(&first.namespace);
        session.ui.propose(view.to_string());
    }
    match &args.report.output {
        Report::Table | Report::Wide => {
            session.ui.data(table(rows, &places.columns(args), args.report.head.head()).as_bytes())
        }
        _ => session::scope::print(
            &args.report,
            &ListReport { secrets: &rows, unseen: &unseen },
            session,
            || session::scope::lines(rows.iter().map(|row| format!("secret/{}", row.name))),
        ),
    }
}

impl ListArgs {
    /// Refuses a flag that has no effect with `-o name`.
    fn check_every_flag_is_used(&self) -> Result<()> {
        let flag = match (self.keys, self.consumers) {
            (true, _) => "--keys",
            (false, true) => "--consumers",
            (false, false) => return Ok(()),
        };
        if self.report.output != Report::Name {
            return Ok(());
        }
        Err(Error::usage(format!("-o name prints only names, but {flag} asks for more"))
            .hint("leave out one of the two, or use -o json"))
    }

    async fn places(&self, cluster: &Cluster, session: &Session<'_>) -> Result<Places> {
        if !self.scope.is_all(session)? {
            return Places::named(cluster, session).await;
        }
        let projects = sharing::unless_forbidden(cluster.projects().await)?.unwrap_or_default();
        let projects = projects.into_iter().map(|project| (project.namespace, project.name)).collect();
        Ok(Places { namespaces: vec![Namespaces::All], projects })
    }

    /// Sorts the rows: lists of several namespaces arrive one after the other, or in any order.
    fn sort(&self, rows: &mut [Box<Row>]) {
        match self.sort_by {
            SortBy::Name => rows.sort_by(|a, b| a.place().cmp(&b.place())),
            SortBy::Age => rows.sort_by(|a, b| b.created.cmp(&a.created).then(a.place().cmp(&b.place()))),
            SortBy::Type => {
                rows.sort_by(|a, b| a.secret_type.cmp(&b.secret_type).then(a.place().cmp(&b.place())));
            }
        }
    }

    fn nothing(&self, places: &Places) -> String {
        let places = match places.namespaces.as_slice() {
            [only] => session::scope::in_words(only),
            _ => "any of these projects".to_owned(),
        };
        let left_out = if self.all { "" } else { "; --all also lists Helm's releases and tokens" };
        let labels = if self.selector.is_empty() { "" } else { " with these labels" };
        format!("no secrets{labels} in {places}{left_out}")
    }
}

impl Places {
    /// Returns the projects that were named, or the one namespace of a command without any.
    async fn named(cluster: &Cluster, session: &Session<'_>) -> Result<Self> {
        let place = &session.globals.place;
        if place.namespace.is_none() && place.projects.len() > 1 {
            let area = ProjectSelection::find(&place.projects, cluster, session).await?;
            let namespaces =
                area.projects.iter().map(|project| Namespaces::One(project.namespace.clone())).collect();
            let projects = area.projects.into_iter().map(|project| (project.namespace, project.name));
            return Ok(Self { namespaces, projects: projects.collect() });
        }
        let namespace = session.namespace(cluster).await?;
        let project = place.projects.first().filter(|_| place.namespace.is_none());
        let projects = project.map(|project| (namespace.clone(), project.clone())).into_iter().collect();
        Ok(Self { namespaces: vec![Namespaces::One(namespace)], projects })
    }

    fn columns(&self, args: &ListArgs) -> Vec<Column> {
        let several = self.namespaces.len() > 1 || self.namespaces.contains(&Namespaces::All);
        let wide = args.report.output == Report::Wide;
        let keys = if args.keys { Column::KeyNames } else { Column::Keys };
        let mut columns = if several { vec![Column::Namespace] } else { Vec::new() };
        columns.extend([Column::Name, Column::Type, keys, Column::Shared]);
        if args.consumers {
            columns.push(Column::Consumers);
        }
        columns.push(Column::Age);
        if wide {
            columns.extend([
                Column::Changed,
                Column::By,
                Column::Expires,
                Column::Project,
                Column::Credential,
                Column::Evidence,
            ]);
        }
        columns
    }
}

impl Row {
    fn of(listed: Listed, runai: &str, projects: &BTreeMap<String, String>) -> Self {
        let Listed { mut metadata, secret_type, keys, key_names } = listed;
        let (changed, changed_by) = metadata.writes.last().map(|last| (last.time, last.manager)).unzip();
        let evidence = (metadata.namespace != runai)
            .then(|| Evidence::of(&metadata, &propagation::identity(runai, &metadata.name)))
            .flatten();
        let shared = match Scope::of(&metadata.labels) {
            _ if evidence.is_some() => Some(Sharing::Copy),
            Scope::EveryProject => Some(Sharing::ClusterWide),
            Scope::Department(_) => Some(Sharing::Department),
            Scope::Nobody => None,
        };
        Self {
            project: projects.get(&metadata.namespace).cloned(),
            credential: metadata.labels.remove(CREDENTIAL_LABEL),
            namespace: metadata.namespace,
            name: metadata.name,
            created: metadata.created,
            changed,
            changed_by,
            expires: metadata.annotations.ends.first().as_ref().map(Moment::to_string),
            secret_type,
            keys,
            key_names,
            shared,
            consumers: Count::NotAsked,
            evidence,
        }
    }

    fn place(&self) -> (&str, &str) {
        (&self.namespace, &self.name)
    }
}

#[derive(Clone, Copy)]
enum Column {
    Namespace,
    Name,
    Type,
    Keys,
    KeyNames,
    Shared,
    Consumers,
    Age,
    Changed,
    By,
    Expires,
    Project,
    Credential,
    Evidence,
}

impl Column {
    fn header(self) -> &'static str {
        match self {
            Self::Namespace => "NAMESPACE",
            Self::Name => "NAME",
            Self::Type => "TYPE",
            Self::Keys | Self::KeyNames => "KEYS",
            Self::Shared => "SHARED",
            Self::Consumers => "CONSUMERS",
            Self::Age => "AGE",
            Self::Changed => "CHANGED",
            Self::By => "BY",
            Self::Expires => "EXPIRES",
            Self::Project => "PROJECT",
            Self::Credential => "CREDENTIAL",
            Self::Evidence => "EVIDENCE",
        }
    }

    /// Moves the text out of the row: copies would double the memory for many rows.
    fn cell(self, row: &mut Row) -> String {
        match self {
            Self::Namespace => take(&mut row.namespace),
            Self::Name => take(&mut row.name),
            Self::Type => take(&mut row.secret_type),
            Self::Keys => row.keys.to_string(),
            Self::KeyNames => take(&mut row.key_names).unwrap_or_default().join(","),
            Self::Shared => row.shared.map(Sharing::in_words).unwrap_or_default().to_owned(),
            Self::Consumers => row.consumers.to_string(),
            Self::Age => age(&row.created),
            Self::Changed => row.changed.as_deref().map(age).unwrap_or_default(),
            Self::By => take(&mut row.changed_by).unwrap_or_default(),
            Self::Expires => {
                row.expires.as_deref().and_then(|end| end.split('T').next()).unwrap_or_default().to_owned()
            }
            Self::Project => take(&mut row.project).unwrap_or_default(),
            Self::Credential => take(&mut row.credential).unwrap_or_default(),
            Self::Evidence => row.evidence.as_ref().map(ToString::to_string).unwrap_or_default(),
        }
    }
}

#[expect(clippy::vec_box, reason = "what the lists that they came through were made of")]
fn table(rows: Vec<Box<Row>>, columns: &[Column], head: Head) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let headers: Vec<&str> = columns.iter().map(|column| column.header()).collect();
    let mut table = Table::new(headers).with(head);
    for mut row in rows {
        table.row(columns.iter().map(|column| column.cell(&mut row)));
    }
    table.to_string()
}
