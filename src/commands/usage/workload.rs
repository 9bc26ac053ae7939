//! `usage KIND/NAME`: which secrets a workload uses, how, and whether each of them is there.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use super::{SecretUsage, UsageArgs, UsageReport, Use, View, all_keys, usages};
use crate::cluster::{Cluster, SecretHead, Seen, Unseen};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{Report, ReportArgs};
use crate::metadata::Metadata;
use crate::session::Session;
use crate::ui::Table;
use crate::wording::list;
use crate::workload::{Consumer, TypedTarget};
use crate::{change, secret, session};

/// The secrets of a workload, as far as they could be read; none for one that does not exist.
type Read = BTreeMap<String, Option<SecretHead>>;

pub(super) async fn run(word: &str, args: &UsageArgs, session: &Session<'_>) -> Result<()> {
    let typed = TypedTarget::parse(word)?;
    if args.unused || args.stale || args.scope.is_all(session)? {
        return Err(Error::usage("a workload is in one namespace, and uses what is there").hint(
            "name its namespace with --project or --namespace, and leave out --all-namespaces, --unused and --stale",
        ));
    }
    let cluster = session.connect().await?;
    let namespace = session.namespace(&cluster).await?;
    let target = session::target::find(typed, &namespace, &cluster, session).await?;
    let object = change::workload::read(&cluster, &namespace, &target).await?;
    let mut consumer = Consumer::of(target.kind, &object, |reference| !reference.secret.is_empty());
    consumer.namespace.clone_from(&namespace);
    leave_out_what_may_be_a_value(&mut consumer, &namespace, &cluster).await;
    let (read, unseen) = read(&consumer, &namespace, &cluster).await?;
    let secrets: Vec<Metadata> = read.values().flatten().map(|head| head.metadata.clone()).collect();
    let secrets = Seen { found: secrets, unseen: unseen.clone(), ..Seen::default() };
    let view = View { named: None, secrets, consumers: vec![consumer], unseen, only_projects: false };
    let mut usages = usages(&view, &session.globals.place.runai_namespace);
    mark(&mut usages, &read);
    session::scope::warn_unseen(&view.unseen, "whether they are there is not known", session);
    let line = CommandLine::plugin("check").arg(target.to_string()).namespace(&namespace);
    match usages.iter().any(SecretUsage::lacks_something) {
        true => session.ui.note(&format!("some of it is missing: {line} says what to do")),
        false if usages.is_empty() => session.ui.note(&format!("{target} uses no secret")),
        false => {}
    }
    if matches!(args.report.output, Report::Table | Report::Wide) {
        session.ui.propose(line.to_string());
    }
    let report = UsageReport { secrets: &usages, unseen: &view.unseen };
    session::scope::print(&args.report, &report, session, || match args.report.output {
        Report::Name => session::scope::lines(usages.iter().map(|usage| format!("secret/{}", usage.name))),
        _ => table(&usages, &args.report),
    })
}

/// Leaves out what has only the form of a reference, unless there is a secret of that name: it may be a value.
async fn leave_out_what_may_be_a_value(consumer: &mut Consumer, namespace: &str, cluster: &Cluster) {
    if consumer.references.iter().all(|reference| !reference.way.is_probable()) {
        return;
    }
    let names: BTreeSet<String> =
        cluster.secret_names(namespace).await.unwrap_or_default().into_iter().collect();
    consumer.references.retain(|reference| !reference.way.is_probable() || names.contains(&reference.secret));
}

/// Reads the secrets, one by one: who may not list them may read some. What can't be a name is not asked for.
async fn read(consumer: &Consumer, namespace: &str, cluster: &Cluster) -> Result<(Read, Vec<Unseen>)> {
    let names: BTreeSet<&str> = consumer.references.iter().map(|one| one.secret.as_str()).collect();
    let reads = names.into_iter().map(async |name| {
        let head = if secret::is_subdomain(name) {
            Some(cluster.secret_head::<Metadata>(namespace, name).await)
        } else {
            None
        };
        (name.to_owned(), head)
    });
    let (mut read, mut unseen) = (Read::new(), Vec::new());
    for (name, head) in join_all(reads).await {
        match head {
            Some(Ok(head)) => drop(read.insert(name, Some(head))),
            Some(Err(failure)) if failure.is_forbidden() => {
                unseen = vec![Unseen::of_known(Some(namespace.to_owned()), "secrets")];
            }
            Some(Err(failure)) if !failure.is_not_found() => return Err(failure.into()),
            Some(Err(_)) | None => drop(read.insert(name, None)),
        }
    }
    Ok((read, unseen))
}

/// Marks the secrets that are missing, and in each use the keys that are.
fn mark(usages: &mut [SecretUsage<'_>], read: &Read) {
    for usage in usages {
        let head = read.get(usage.name);
        usage.exists = head.map(Option::is_some);
        for one in usage.consumers.iter_mut().flat_map(|consumer| &mut consumer.uses) {
            let lacks =
                |key: &&&str| head.is_some_and(|head| head.as_ref().is_none_or(|it| !it.has_key(key)));
            let keys = one.keys.iter().flatten();
            one.missing = head.map(|_| keys.filter(lacks).copied().collect());
        }
    }
}

impl SecretUsage<'_> {
    fn uses(&self) -> impl Iterator<Item = &Use<'_>> {
        self.consumers.iter().flat_map(|consumer| &consumer.uses)
    }

    fn lacks_something(&self) -> bool {
        self.exists == Some(false)
            || self.uses().any(|one| one.missing.as_ref().is_some_and(|keys| !keys.is_empty()))
    }

    /// Says whether what a use needs is there.
    fn standing(&self, one: &Use<'_>) -> String {
        let missing = match (self.exists, one.missing.as_deref()) {
            (None, _) => return "unknown".to_owned(),
            (Some(true), None | Some([])) => return "yes".to_owned(),
            (Some(false), _) => "no such secret".to_owned(),
            (Some(true), Some([_])) => "no such key".to_owned(),
            (Some(true), Some(keys)) => format!("lacks {}", list(keys)),
        };
        if one.optional { format!("{missing}, optional") } else { missing }
    }
}

fn table(usages: &[SecretUsage<'_>], report: &ReportArgs) -> String {
    let form = &report.output;
    let headers: &[&str] = match form {
        Report::Wide => &["SECRET", "KEY", "CONTAINER", "USE", "OPTIONAL", "THERE"],
        _ => &["SECRET", "KEY", "CONTAINER", "USE", "THERE"],
    };
    if usages.is_empty() {
        return String::new();
    }
    let mut table = Table::new(headers.to_vec()).with(report.head.head());
    for (usage, one) in usages.iter().flat_map(|usage| usage.uses().map(move |one| (usage, one))) {
        let keys = one.keys.as_ref().map_or_else(|| all_keys(one.way), |keys| keys.join(","));
        let container = one.container.unwrap_or_default().to_owned();
        let mut row = vec![usage.name.to_owned(), keys, container, one.way.to_string()];
        if *form == Report::Wide {
            row.push(one.optional.to_string());
        }
        row.push(usage.standing(one));
        table.row(row);
    }
    table.to_string()
}
