//! What completion asks, and whoever guesses what was meant: names and a few words about each, never a whole object where the server can give less.
//!
//! A table without its objects is the smallest answer that the server gives: a secret is some 60 bytes of it, its type
//! and age included. Each name is handed on as soon as its page is read, since whoever waits may stop waiting.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::call::Call;
use super::list::PAGE;
use super::secrets::{MADE_BY_PEOPLE, MetadataOnly, collection};
use super::{Cluster, Failure};
use crate::metadata::{Metadata, Owner};
use crate::project::PROJECT_LABEL;
use crate::workload::Kind;

/// How many secrets come with their labels: most namespaces have fewer, and for the others this would be too much.
const PAGE_WITH_LABELS: u32 = 50;

/// One object, as the server describes it to people.
#[derive(Default)]
pub(crate) struct Row {
    cells: BTreeMap<String, String>,
    /// Empty where they were not asked for.
    pub(crate) labels: BTreeMap<String, String>,
    /// The same.
    pub(crate) owners: Vec<Owner>,
}

impl Row {
    /// What stands in a column; empty where the server's table has none of that name.
    pub(crate) fn cell(&self, column: &str) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }
}

/// Whether rows come with the metadata of their objects.
#[derive(Clone, Copy)]
enum Objects {
    None,
    Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Table {
    #[serde(default)]
    metadata: TableMetadata,
    #[serde(default)]
    column_definitions: Vec<Column>,
    rows: Option<Vec<TableRow>>,
}

#[derive(Deserialize, Default)]
struct TableMetadata {
    #[serde(rename = "continue", default)]
    next: String,
}

#[derive(Deserialize)]
struct Column {
    name: String,
}

#[derive(Deserialize)]
struct TableRow {
    cells: Vec<Value>,
    object: Option<MetadataOnly>,
}

impl Cluster {
    /// The secrets of a namespace that somebody made; the first of them with their labels.
    pub(crate) async fn secret_rows(
        &self,
        namespace: &str,
        mut found: impl FnMut(Row),
    ) -> Result<(), Failure> {
        let call = Call::get(collection(namespace)).query("fieldSelector", MADE_BY_PEOPLE);
        let next = self.page(&call, PAGE_WITH_LABELS, Objects::Metadata, String::new(), &mut found).await?;
        self.rows(&call, next, found).await
    }

    /// The names of those secrets, and nothing else of them.
    pub(crate) async fn secret_names(&self, namespace: &str) -> Result<Vec<String>, Failure> {
        let call = Call::get(collection(namespace)).query("fieldSelector", MADE_BY_PEOPLE);
        let mut names = Vec::new();
        let mut found = |row: Row| names.push(row.cell("Name").to_owned());
        let next = self.page(&call, PAGE, Objects::None, String::new(), &mut found).await?;
        self.rows(&call, next, found).await.map(|()| names)
    }

    /// The workloads of a kind.
    pub(crate) async fn workload_rows(
        &self,
        namespace: &str,
        kind: &Kind,
        found: impl FnMut(Row),
    ) -> Result<(), Failure> {
        self.workloads_of(namespace, kind, Objects::None, found).await
    }

    /// The same, each with what made it.
    pub(crate) async fn workload_rows_with_owners(
        &self,
        namespace: &str,
        kind: &Kind,
        found: impl FnMut(Row),
    ) -> Result<(), Failure> {
        self.workloads_of(namespace, kind, Objects::Metadata, found).await
    }

    async fn workloads_of(
        &self,
        namespace: &str,
        kind: &Kind,
        objects: Objects,
        mut found: impl FnMut(Row),
    ) -> Result<(), Failure> {
        let call = Call::get(kind.collection_path(&self.version_of(kind).await?, namespace));
        let mut next = String::new();
        loop {
            next = self.page(&call, PAGE, objects, next, &mut found).await?;
            if next.is_empty() {
                return Ok(());
            }
        }
    }

    /// Every namespace with its labels.
    pub(crate) async fn each_namespace(&self, found: impl FnMut(Metadata)) -> Result<(), Failure> {
        self.namespaces_of(Call::get("/api/v1/namespaces".to_owned()), found).await
    }

    /// Every namespace that belongs to a project, with its labels.
    pub(crate) async fn each_project(&self, found: impl FnMut(Metadata)) -> Result<(), Failure> {
        let call = Call::get("/api/v1/namespaces".to_owned()).query("labelSelector", PROJECT_LABEL);
        self.namespaces_of(call, found).await
    }

    async fn namespaces_of(&self, call: Call, mut found: impl FnMut(Metadata)) -> Result<(), Failure> {
        let hand_on = |only: MetadataOnly| -> Option<()> {
            found(only.metadata);
            None
        };
        self.list(call.metadata_list(), PAGE, hand_on).await.map(drop)
    }

    /// What follows after a first page.
    async fn rows(&self, call: &Call, mut next: String, mut found: impl FnMut(Row)) -> Result<(), Failure> {
        while !next.is_empty() {
            next = self.page(call, PAGE, Objects::None, next, &mut found).await?;
        }
        Ok(())
    }

    /// One page; where the next one begins, or an empty text where there is none.
    async fn page(
        &self,
        call: &Call,
        limit: u32,
        objects: Objects,
        from: String,
        found: &mut impl FnMut(Row),
    ) -> Result<String, Failure> {
        let objects = match objects {
            Objects::None => "None",
            Objects::Metadata => "Metadata",
        };
        let call = call.clone().table().query("includeObject", objects).query("limit", limit.to_string());
        let call = if from.is_empty() { call } else { call.query("continue", from) };
        let Table { metadata, column_definitions, rows } = self.json(&call).await?;
        for TableRow { cells, object } in rows.into_iter().flatten() {
            let names = column_definitions.iter().map(|column| column.name.clone());
            let Metadata { labels, owner_references: owners, .. } =
                object.map(|object| object.metadata).unwrap_or_default();
            found(Row { cells: names.zip(cells.iter().map(in_words)).collect(), labels, owners });
        }
        Ok(metadata.next)
    }
}

fn in_words(cell: &Value) -> String {
    match cell {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
