//! Deletes one secret and reports it.

use serde_json::json;

use super::args::DeleteArgs;
use crate::change;
use crate::cluster::Cluster;
use crate::error::Result;
use crate::metadata::Metadata;
use crate::session::Session;
use crate::session::batch::Objects;

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
    let finalizers = change::secret::delete(secret, &args.write, cluster).await?;
    change::secret::refuse_held(secret, &finalizers, &args.write)
}
