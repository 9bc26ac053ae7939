//! Deletes one secret and reports it.

use serde_json::json;

use super::args::DeleteArgs;
use crate::change::recreate::secret::Remains;
use crate::cluster::Cluster;
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::DryRun;
use crate::metadata::Metadata;
use crate::session::Session;
use crate::session::batch::Objects;
use crate::wording::list;

/// The report of deleted secrets.
pub(super) struct Deleted<'a> {
    pub(super) args: &'a DeleteArgs,
    pub(super) session: &'a Session<'a>,
    pub(super) objects: Objects<'a>,
}

impl Deleted<'_> {
    /// Reports one deletion. `place` is named if it is not the one that was asked about.
    pub(super) fn tell(&mut self, name: &str, namespace: &str, place: Option<&str>) -> Result<()> {
        let verb = place.map_or_else(|| "deleted".to_owned(), |place| format!("deleted in {place}"));
        let metadata = json!({ "name": name, "namespace": namespace });
        let object = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata });
        self.objects.tell(&format!("secret/{name}"), &verb, object)
    }
}

pub(super) async fn delete(secret: &Metadata, args: &DeleteArgs, cluster: &Cluster) -> Result<()> {
    if args.write.dry_run == DryRun::Client {
        return Ok(());
    }
    let keep = args.write.write().keep;
    let Metadata { namespace, name, uid, resource_version, .. } = secret;
    let finalizers = cluster.delete_secret(namespace, name, uid, resource_version, keep).await?;
    if args.write.dry_run == DryRun::None {
        Remains::forget(cluster, namespace, name, uid);
    }
    if args.write.dry_run == DryRun::None && !finalizers.is_empty() {
        return Err(Error::partly(format!(
            "secret {name:?} in namespace {namespace:?} is being deleted, and stays until {} is removed from its \
             finalizers",
            list(&finalizers)
        ))
        .hint(format!("to see it: {}", CommandLine::plugin("view").arg(name).namespace(namespace))));
    }
    Ok(())
}
