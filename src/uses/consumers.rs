//! What refers to secrets in a namespace, or in all of them.
//!
//! One search behind `usage`, `check`, `delete` and `list --consumers`, and behind what `set`, `unset` and `edit` tell.

use serde_json::Value;

use crate::cluster::{Cluster, Failure, Namespaces, Seen};
use crate::workload::{Consumer, Kind, Reference, folded};

/// Lists every kind that refers to secrets once. Of each object the references that are `wanted` are kept; owners stand
/// for what they made.
///
/// # Errors
/// Anything but a list that is not allowed, which is part of the answer.
pub(crate) async fn find(
    wanted: impl Fn(&Reference) -> bool,
    scope: &Namespaces,
    cluster: &Cluster,
) -> Result<Seen<Consumer>, Failure> {
    find_with(|kind, object| Consumer::of(kind, object, &wanted), scope, cluster).await
}

/// The same, with what `read` makes of each object.
///
/// # Errors
/// As [`look`].
pub(crate) async fn find_with(
    read: impl Fn(&'static Kind, &Value) -> Consumer,
    scope: &Namespaces,
    cluster: &Cluster,
) -> Result<Seen<Consumer>, Failure> {
    let seen = cluster.objects(Kind::referring(), scope, read).await?;
    Ok(Seen { found: folded(seen.found), ..seen })
}
