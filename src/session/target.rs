//! Finds the workload that was typed if its kind is one that only the cluster knows, or was left out.

use crate::cluster::{Cluster, Kartas, KindOf, Others};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
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
        TypedTarget::OfAnyKind { name } => only_one(&name, namespace, cluster, session).await,
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
    Err(Error::failed(format!("{what} in namespace {namespace} has the name {name:?}"))
        .hint(format!("name its kind: KIND/{name}, for example job/{name}")))
}
