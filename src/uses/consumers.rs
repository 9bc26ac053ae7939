//! Finds what refers to secrets in one namespace, or in all.
//!
//! `usage`, `check`, `delete` and `list --consumers` use this search, and so do the notes of `set`, `unset`
//! and `edit`.

use serde_json::Value;

use crate::cluster::{Cluster, Failure, Namespaces, Seen};
use crate::workload::{Consumer, Kind, Reference, folded};

/// Lists each kind that refers to secrets once, and each that may, and keeps the references that are
/// `wanted`. Owners stand for what they made.
///
/// # Errors
/// A list failed, for another reason than a missing right, which is part of the answer.
pub(crate) async fn find(
    wanted: impl Fn(&Reference) -> bool,
    scope: &Namespaces,
    cluster: &Cluster,
) -> Result<Seen<Consumer>, Failure> {
    find_with(|kind, object| Consumer::of(kind, object, &wanted), scope, cluster).await
}

/// Lists each kind that refers to secrets once, and keeps what `read` makes of each object.
///
/// # Errors
/// A list failed, for another reason than a missing right, which is part of the answer.
pub(crate) async fn find_with(
    read: impl Fn(&'static Kind, &Value) -> Consumer,
    scope: &Namespaces,
    cluster: &Cluster,
) -> Result<Seen<Consumer>, Failure> {
    let seen = cluster.objects_of_every_kind(scope, read).await?;
    Ok(Seen { found: folded(seen.found), ..seen })
}
