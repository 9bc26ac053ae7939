//! Describes the result of writing a new secret.

use serde_json::Value;

use crate::cluster::{Cluster, Failure};
use crate::command_line::CommandLine;
use crate::error::{Deed, Error, Remedy};
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
    if failure.is_already_exists() {
        let set = change::secret::how_to_set(manifest, namespace);
        return of_taken_name(failure.into(), set, &manifest.name, namespace);
    }
    session::not_found::namespace(failure, namespace, cluster).await
}

/// Adds what can be done about a name that is taken.
pub(super) fn of_taken_name(error: Error, set: String, name: &str, namespace: &str) -> Error {
    let instead = Remedy {
        name: "change it instead".to_owned(),
        about: "set these keys, and leave its other keys as they are".to_owned(),
        deed: Deed::Instead("set"),
    };
    error
        .hint(set)
        .hint("nothing was changed; --replace overwrites it and removes its other keys")
        .hint(format!("to see it: {}", CommandLine::plugin("view").arg(name).namespace(namespace)))
        .remedy(instead)
}
