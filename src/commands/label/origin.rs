//! `label --from-project`: copies a secret of a project to Run:ai's namespace, shared from the start.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::view::{Surroundings, View};
use crate::cluster::{Answer, Cluster};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{DryRun, WriteArgs};
use crate::metadata::Metadata;
use crate::propagation;
use crate::session::Session;

/// The source and destination of a copy.
pub(super) struct Copying<'a> {
    pub(super) name: &'a str,
    pub(super) project: &'a str,
    /// Run:ai's namespace.
    pub(super) to: &'a str,
    pub(super) labels: &'a BTreeMap<&'a str, &'a str>,
    pub(super) write: &'a WriteArgs,
}

impl Copying<'_> {
    /// Creates the copy. An existing secret is left as it is.
    pub(super) async fn run(&self, cluster: &Cluster, session: &Session<'_>) -> Result<Value> {
        let Self { name, project, to, .. } = self;
        let from = session.namespace_of(cluster, project).await?;
        let secret = cluster.namesake(&from, name).await.map_err(Error::from)?;
        session.ui.note(&format!(
            "project {project} keeps its own secret {name}: it is not kept up to date with the one in {to}"
        ));
        for doubt in secret.content.doubts() {
            session.ui.warning(&doubt);
        }
        if self.write.dry_run == DryRun::Client {
            return Ok(json!({ "metadata": { "name": name, "namespace": to, "labels": self.labels } }));
        }
        let body =
            propagation::source_body(name, self.labels, &secret.content, &secret.metadata.annotations.ends);
        match cluster.create_secret(to, body, Answer::Metadata, self.write.write()).await {
            Ok(_) => Ok(json!({ "metadata": { "name": name, "namespace": to, "labels": self.labels } })),
            Err(failure) if failure.is_already_exists() => Err(Error::from(failure).hint(format!(
                "to share the one that is in {to}: {}",
                CommandLine::plugin("label").arg(name)
            ))),
            Err(failure) => Err(failure.into()),
        }
    }
}

/// Returns the secret as it will be, for the questions before.
pub(super) fn view(name: &str, namespace: &str, surroundings: Surroundings) -> View {
    View {
        source: Metadata { name: name.to_owned(), namespace: namespace.to_owned(), ..Metadata::default() },
        surroundings,
    }
}
