//! Describes the result of writing a new secret.

use serde_json::Value;

use crate::cluster::{Cluster, Failure};
use crate::command_line::CommandLine;
use crate::error::Error;
use crate::secret::{Difference, SecretManifest};
use crate::{change, session};

/// The verb for what was done, and the object to print.
pub(super) struct Written {
    pub(super) verb: &'static str,
    pub(super) object: Value,
    /// What became of each key of a secret that was there; nothing for a new one.
    pub(super) difference: Difference,
}

pub(super) async fn refused(
    failure: Failure,
    manifest: &SecretManifest,
    namespace: &str,
    cluster: &Cluster,
) -> Error {
    let name = &manifest.name;
    if failure.is_already_exists() {
        return Error::from(failure)
            .hint(change::secret::how_to_set(manifest, namespace))
            .hint("nothing was changed; --replace overwrites it and removes its other keys")
            .hint(format!("to see it: {}", CommandLine::plugin("view").arg(name).namespace(namespace)));
    }
    session::not_found::namespace(failure, namespace, cluster).await
}
