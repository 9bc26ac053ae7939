//! Finds the workload that was typed if its kind is one that only the cluster knows, or was left out.

use std::collections::BTreeSet;

use futures::future::try_join_all;

use crate::cluster::{Cluster, Kartas, KindOf, Others};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::metadata::Metadata;
use crate::session::Session;
use crate::session::not_found;
use crate::session::scope::warn_unseen;
use crate::wording::list;
use crate::workload::{Kind, Target, TypedTarget};

/// Finds the workload of a command.
///
/// # Errors
/// There is no such kind or workload, or there are several.
pub(crate) async fn find(
    typed: TypedTarget,
    namespace: &str,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<Target> {
    match typed {
        TypedTarget::Known(target) => Ok(target),
        TypedTarget::OfOtherKind { kind, name } => {
            Ok(Target { kind: other_kind(&kind, cluster).await?, name })
        }
        TypedTarget::OfAnyKind { name } => Box::pin(only_one(&name, namespace, cluster, session)).await,
    }
}

/// Finds the workloads of a command: those that are named, or those of the named kinds that a selector
/// matches. Each is one, however often it is named.
///
/// # Errors
/// One of them can't be found, or nothing is selected.
pub(crate) async fn find_all(
    typed: Vec<TypedTarget>,
    selection: Option<&Selection>,
    namespace: &str,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<Vec<Target>> {
    let mut found: Vec<Target> = match selection {
        Some(selection) => selection.find(namespace, cluster, session).await?,
        None => try_join_all(typed.into_iter().map(|one| find(one, namespace, cluster, session))).await?,
    };
    let mut seen = BTreeSet::new();
    found.retain(|target| seen.insert(target.to_string()));
    Ok(found)
}

/// Kinds, and what the labels of their workloads must match.
pub(crate) struct Selection {
    kinds: Vec<String>,
    selector: String,
}

impl Selection {
    /// Reads what was typed beside `--selector`: kinds, also several in one word.
    ///
    /// # Errors
    /// There is no kind, or a workload is named.
    pub(crate) fn parse(words: &[String], selector: &str) -> Result<Self> {
        if selector.trim().is_empty() {
            return Err(Error::usage("--selector is empty: it would select every workload")
                .hint("write -l KEY=VALUE; an unset variable leaves nothing"));
        }
        if words.is_empty() {
            return Err(Error::usage("--selector needs a kind: the workloads of which kind?")
                .hint("name it, for example: deployments -l app=web"));
        }
        if words.iter().any(|word| word.contains('/')) {
            return Err(Error::usage("--selector selects by labels, and a workload is named too")
                .hint("name the kind alone, for example: deployments -l app=web; or leave out --selector"));
        }
        let kinds = words.iter().flat_map(|word| word.split(',')).map(str::to_owned).collect();
        Ok(Self { kinds, selector: selector.to_owned() })
    }

    async fn find(&self, namespace: &str, cluster: &Cluster, session: &Session<'_>) -> Result<Vec<Target>> {
        let of_kind = async |word: &String| {
            let kind = match Kind::named(word) {
                Ok(kind) => kind,
                Err(_) => other_kind(word, cluster).await?,
            };
            Ok::<_, Error>(cluster.workloads_selected(namespace, kind, &self.selector).await?)
        };
        let found = try_join_all(self.kinds.iter().map(of_kind)).await?.concat();
        if found.is_empty() {
            not_found::refuse_no_namespace(namespace, cluster, session).await?;
            let (kinds, selector) = (list(&self.kinds), &self.selector);
            let labels = CommandLine::kubectl("get").arg(self.kinds.join(",")).then("--show-labels");
            return Err(Error::failed(format!("no {kinds} in namespace {namespace} has labels {selector}"))
                .hint(format!("to see their labels: {}", labels.namespace(namespace))));
        }
        Ok(found)
    }
}

/// Returns the kind that this cluster adds under a name.
async fn other_kind(word: &str, cluster: &Cluster) -> Result<&'static Kind> {
    let Others { kinds, kartas, .. } = cluster.other_kinds().await?;
    let found: Vec<&'static Kind> = kinds.into_iter().filter(|kind| kind.answers_to(word)).collect();
    match found.as_slice() {
        [] => Kind::named(word),
        [kind] if kind.has_place_for_attachments() => Ok(kind),
        [kind] => Err(undescribed(kind, kartas)),
        several => {
            let names = list(several.iter().map(|kind| kind.in_kubectl()));
            Err(Error::usage(format!("{word:?} is the name of several kinds: {names}"))
                .hint("write the kind with its group"))
        }
    }
}

/// Builds the error for a kind of which nothing says where its pods are.
fn undescribed(kind: &Kind, kartas: Kartas) -> Error {
    let error = Error::failed(format!("where {} have their pods is not known", kind.in_kubectl()));
    match kartas {
        Kartas::Unread => error.hint(
            "you may not list kartas.run.ai, which tell where the kinds of this cluster have their pods",
        ),
        Kartas::Read | Kartas::NotServed => error
            .hint("a Karta (kartas.run.ai) tells Run:ai and this command where; none of this cluster does")
            .hint(format!(
                "to change one by hand: {}",
                CommandLine::kubectl("edit").arg(kind.in_kubectl()).then("NAME")
            )),
    }
}

/// Returns the only workload of a name.
async fn only_one(name: &str, namespace: &str, cluster: &Cluster, session: &Session<'_>) -> Result<Target> {
    let mut seen = cluster.workloads_named(namespace, name).await?;
    warn_unseen(&seen.unseen, &format!("there may be another {name}"), session);
    if seen.found.len() > 1 {
        return Err(Error::usage(format!(
            "{name:?} is the name of {}",
            list(seen.found.iter().map(ToString::to_string))
        ))
        .hint(format!("put the kind in front, for example {}", seen.found[0])));
    }
    if let Some(target) = seen.found.pop() {
        session.ui.note(&format!("{name} is {target}"));
        return Ok(target);
    }
    not_found::refuse_no_namespace(namespace, cluster, session).await?;
    let is_whole = seen.unseen.iter().all(|one| one.kind == KindOf::Cluster && one.resource == "*");
    let what = if is_whole { "no workload" } else { "no workload that you may see" };
    let error = Error::failed(format!("{what} in namespace {namespace} has the name {name:?}"));
    let (near, secret) = tokio::join!(
        not_found::nearest_workload(name, namespace, cluster),
        cluster.secret_head::<Metadata>(namespace, name)
    );
    let error = error.hint(format!("name its kind: KIND/{name}, for example job/{name}"));
    if secret.is_ok() {
        let about = |command| CommandLine::plugin(command).arg(name).namespace(namespace);
        return Err(error
            .first_hint(format!("to see what uses it: {}", about("usage")))
            .first_hint(format!("it is the name of a secret; to see it: {}", about("view"))));
    }
    Err(match near {
        Some(near) => error.first_hint(format!("did you mean {near:?}?")),
        None => error,
    })
}
