//! Lists for completion and for "did you mean": names and a few words about each, never a whole object if the
//! server can send less.
//!
//! A table without its objects is the smallest answer of the server: some 60 bytes for a secret, type and age
//! included. Each name is handed on as soon as its page is read, because the caller may stop waiting.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::call::{Beside, Call};
use super::pages::{Column, PAGE, Progress};
use super::place::Place;
use super::secrets::{MetadataOnly, made_by_people};
use super::{Cluster, Failure};
use crate::metadata::{Metadata, Owner};
use crate::project::PROJECT_LABEL;
use crate::workload::Kind;

/// How many secrets come with their labels. Most namespaces have fewer; for the others the labels would be
/// too much.
const PAGE_WITH_LABELS: u32 = 50;

/// One object, as the server describes it to people.
#[derive(Default)]
pub(crate) struct Row {
    cells: BTreeMap<String, String>,
    /// Empty if not asked for.
    pub(crate) labels: BTreeMap<String, String>,
    /// Empty if not asked for.
    pub(crate) owners: Vec<Owner>,
    /// The keys of a secret, sorted: those whose last writer the server has noted. Empty if not asked for.
    pub(crate) keys: Vec<String>,
}

impl Row {
    fn of(columns: &[Column], TableRow { cells, object }: TableRow) -> Self {
        let names = columns.iter().map(|column| column.name.clone());
        let Metadata { labels, owner_references: owners, writes, .. } =
            object.map(|only| only.metadata).unwrap_or_default();
        let keys: BTreeSet<&String> = writes.all().flat_map(|write| &write.keys).collect();
        let keys = keys.into_iter().cloned().collect();
        Self { cells: names.zip(cells.iter().map(in_words)).collect(), labels, owners, keys }
    }

    /// Returns the text in a column; empty if the server's table has no such column.
    pub(crate) fn cell(&self, column: &str) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }
}

#[derive(Deserialize)]
struct TableRow {
    cells: Vec<Value>,
    object: Option<MetadataOnly>,
}

impl Cluster {
    /// Lists the secrets of a namespace that somebody made; the first of them with their labels.
    pub(crate) async fn secret_rows(&self, namespace: &str, found: impl FnMut(Row)) -> Result<(), Failure> {
        let call = made_by_people(Some(namespace));
        let page = |progress: &Progress| {
            let (limit, beside) = if progress.is_at_start() {
                (PAGE_WITH_LABELS, Beside::Metadata)
            } else {
                (PAGE, Beside::Nothing)
            };
            progress.page(&call, limit).table(beside)
        };
        self.rows(page, found).await
    }

    /// Lists only the names of those secrets.
    pub(crate) async fn secret_names(&self, namespace: &str) -> Result<Vec<String>, Failure> {
        let call = made_by_people(Some(namespace)).table(Beside::Nothing);
        let mut names = Vec::new();
        let found = |row: Row| names.push(row.cell("Name").to_owned());
        self.rows(|progress| progress.page(&call, PAGE), found).await?;
        Ok(names)
    }

    /// Lists the workloads of a kind.
    pub(crate) async fn workload_rows(
        &self,
        namespace: &str,
        kind: &Kind,
        beside: Beside,
        found: impl FnMut(Row),
    ) -> Result<(), Failure> {
        let version = self.version_of(kind).await?;
        let call = Call::get(Place::workloads(kind, &version, Some(namespace))).table(beside);
        self.rows(|progress| progress.page(&call, PAGE), found).await
    }

    /// Passes on every namespace with its labels.
    pub(crate) async fn each_namespace(&self, found: impl FnMut(Metadata)) -> Result<(), Failure> {
        self.namespaces_of(Call::get(Place::namespaces()), found).await
    }

    /// Passes on every namespace that belongs to a project, with its labels.
    pub(crate) async fn each_project(&self, found: impl FnMut(Metadata)) -> Result<(), Failure> {
        let call = Call::get(Place::namespaces()).query("labelSelector", PROJECT_LABEL);
        self.namespaces_of(call, found).await
    }

    async fn namespaces_of(&self, call: Call, found: impl FnMut(Metadata)) -> Result<(), Failure> {
        let call = call.metadata_list();
        let page = |progress: &Progress| progress.page(&call, PAGE);
        self.each(page, |_, only: MetadataOnly| only.metadata, |one| &one.name, found).await
    }

    async fn rows(&self, page: impl Fn(&Progress) -> Call, found: impl FnMut(Row)) -> Result<(), Failure> {
        self.each(page, Row::of, |row| row.cell("Name"), found).await
    }
}

fn in_words(cell: &Value) -> String {
    match cell {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
