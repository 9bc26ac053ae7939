//! Reports on one namespace or on all, and says which of them could not be listed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::cluster::{Cluster, KindOf, Namespaces, Unseen};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{Report, ReportArgs};
use crate::printable::printable;
use crate::session::Session;
use crate::wording::{few, list, plural};
use crate::workload::Consumer;

/// How many namespaces a warning names before it counts the rest.
const NAMED: usize = 3;

#[derive(clap::Args)]
pub(crate) struct ScopeArgs {
    /// All namespaces; if you may not list those, the namespaces of the projects
    #[arg(short = 'A', long)]
    all_namespaces: bool,
}

impl ScopeArgs {
    /// Returns the namespaces that the flags choose.
    ///
    /// # Errors
    /// Flags contradict each other, or the namespace can't be found out.
    pub(crate) async fn resolve(&self, cluster: &Cluster, session: &Session<'_>) -> Result<Namespaces> {
        if self.is_all(session)? {
            Ok(Namespaces::All)
        } else {
            session.namespace(cluster).await.map(Namespaces::One)
        }
    }

    /// # Errors
    /// Another flag names a namespace or a project.
    pub(crate) fn is_all(&self, session: &Session<'_>) -> Result<bool> {
        if self.all_namespaces && session.is_place_chosen() {
            return Err(Error::usage("--all-namespaces excludes --project and --namespace")
                .hint("leave out --all-namespaces, or --project and --namespace"));
        }
        Ok(self.all_namespaces)
    }
}

/// Returns `namespace runai-team-a` or `any namespace`, for sentences that say that nothing was found.
pub(crate) fn in_words(scope: &Namespaces) -> String {
    match scope {
        Namespaces::One(namespace) => format!("namespace {namespace}"),
        Namespaces::All | Namespaces::AllAtOnce => "any namespace".to_owned(),
    }
}

/// Returns the columns of a table, with one for the namespace if there are several.
pub(crate) fn columns(scope: &Namespaces, rest: &[&'static str]) -> Vec<&'static str> {
    let namespace = (*scope == Namespaces::All).then_some("NAMESPACE");
    namespace.into_iter().chain(rest.iter().copied()).collect()
}

/// Returns the cells of a row, for [`columns`].
pub(crate) fn cells(
    scope: &Namespaces,
    namespace: &str,
    rest: impl IntoIterator<Item = String>,
) -> Vec<String> {
    let namespace = (*scope == Namespaces::All).then(|| namespace.to_owned());
    namespace.into_iter().chain(rest).collect()
}

/// Returns a name for `-o name`: with its namespace before it if there are several, `runai-team-a/secret/hf`.
pub(crate) fn name_in(scope: &Namespaces, namespace: &str, name: &str) -> String {
    match scope {
        Namespaces::One(_) => name.to_owned(),
        Namespaces::All | Namespaces::AllAtOnce => format!("{namespace}/{name}"),
    }
}

/// Warns of every list that the user may not have, and of the consequence.
pub(crate) fn warn_unseen(unseen: &[Unseen], consequence: &str, session: &Session<'_>) {
    let mut by_place: BTreeMap<Vec<Option<&str>>, Vec<&str>> = BTreeMap::new();
    let mut places: BTreeMap<&str, Vec<Option<&str>>> = BTreeMap::new();
    for one in unseen.iter().filter(|one| one.kind == KindOf::Ours) {
        places.entry(&one.resource).or_default().push(one.namespace.as_deref());
    }
    for (resource, at) in places {
        by_place.entry(at).or_default().push(resource);
    }
    for (at, resources) in by_place {
        let named: Vec<&str> = at.iter().flatten().take(NAMED).copied().collect();
        let place = match at.len() - named.len() {
            _ if named.is_empty() => "in all namespaces, nor list projects".to_owned(),
            0 => format!("in {}", list(named)),
            more => format!("in {} and {}", named.join(", "), plural(more, "more namespace")),
        };
        session.ui.warning(&format!("you may not list {} {place}: {consequence}", list(resources)));
    }
    warn_unread(unseen, consequence, session);
}

/// Warns of kinds that the cluster adds. There may be dozens: a few are named, and all are counted.
fn warn_unread(unseen: &[Unseen], consequence: &str, session: &Session<'_>) {
    let unread: BTreeSet<&str> =
        unseen.iter().filter(|one| one.kind == KindOf::Cluster).map(|one| one.resource.as_str()).collect();
    if unread.is_empty() {
        return;
    }
    let warning = if unread.contains("*") {
        format!("the server does not say which kinds this cluster adds: {consequence}")
    } else {
        let (count, names) = (plural(unread.len(), "kind"), few(&unread.into_iter().collect::<Vec<_>>()));
        format!("{count} that this cluster adds could not be read ({names}): {consequence}")
    };
    session.ui.warning(&warning);
}

/// Warns of consumers of a secret that could not be listed: it is not known whether they need `what`.
pub(crate) fn warn_unseen_consumers(
    scope: &Namespaces,
    unseen: &[Unseen],
    secret: &str,
    what: &str,
    session: &Session<'_>,
) {
    if *scope != Namespaces::AllAtOnce {
        warn_unseen(unseen, &format!("some of them may need {what}"), session);
        return;
    }
    let known: Vec<&str> =
        unseen.iter().filter(|one| one.kind == KindOf::Ours).map(|one| one.resource.as_str()).collect();
    if !known.is_empty() {
        session.ui.warning(&format!(
            "you may not list {} in all namespaces: some of them may need {what} \
             ({} looks into each project)",
            list(known),
            CommandLine::plugin("usage").arg(secret).then("-A")
        ));
    }
    warn_unread(unseen, &format!("some of them may need {what}"), session);
}

/// Returns a consumer's name, with its namespace if there are several.
pub(crate) fn consumer_name(scope: &Namespaces, one: &Consumer) -> String {
    match scope {
        Namespaces::One(_) => one.display_name(),
        Namespaces::All | Namespaces::AllAtOnce => format!("{} in {}", one.display_name(), one.namespace),
    }
}

/// Warns that only the projects' namespaces were listed, since not all may be.
pub(crate) fn warn_only_projects(consequence: &str, session: &Session<'_>) {
    session.ui.warning(&format!(
        "you may not list every kind in all namespaces: outside of projects {consequence}"
    ));
}

/// Prints a report in the chosen format. `lines` makes the table or the names; an empty table prints nothing.
pub(crate) fn print(
    args: &ReportArgs,
    report: &impl Serialize,
    session: &Session<'_>,
    lines: impl FnOnce() -> String,
) -> Result<()> {
    match &args.output {
        Report::Data(form) => session.ui.object(report, form, args.head.head()),
        Report::Table | Report::Wide | Report::Name => session.ui.data(lines().as_bytes()),
    }
}

/// Returns names, a line each. They come from the server, so they are made printable.
pub(crate) fn lines<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    names.into_iter().fold(String::new(), |text, name| text + &printable(name.as_ref()) + "\n")
}
