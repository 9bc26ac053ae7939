//! Lists for completion and for "did you mean": names and a few words about each, never a whole object if the
//! server can send less.
//!
//! A table without its objects is the smallest answer of the server: some 60 bytes for a secret, type and age
//! included. Each name is handed on as soon as its page is read, because the caller may stop waiting.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::call::Call;
use super::pages::{Endless, PAGE, PageMetadata, Progress};
use super::place::Place;
use super::proof::Head;
use super::secrets::{MADE_BY_PEOPLE, MetadataOnly};
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
}

impl Row {
    /// Returns the text in a column; empty if the server's table has no such column.
    pub(crate) fn cell(&self, column: &str) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }
}

/// The metadata that rows come with.
#[derive(Clone, Copy)]
enum Objects {
    None,
    Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Table {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    metadata: PageMetadata,
    #[serde(default)]
    column_definitions: Vec<Column>,
    /// `null` if there are none.
    #[serde(deserialize_with = "Option::deserialize")]
    rows: Option<Vec<TableRow>>,
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
    /// Lists the secrets of a namespace that somebody made; the first of them with their labels.
    pub(crate) async fn secret_rows(
        &self,
        namespace: &str,
        mut found: impl FnMut(Row),
    ) -> Result<(), Failure> {
        let call = Call::get(Place::secrets(Some(namespace))).query("fieldSelector", MADE_BY_PEOPLE);
        let mut progress = Progress::default();
        let mut more =
            self.rows(&call, PAGE_WITH_LABELS, Objects::Metadata, &mut progress, &mut found).await?;
        while more {
            more = self.rows(&call, PAGE, Objects::None, &mut progress, &mut found).await?;
        }
        Ok(())
    }

    /// Lists only the names of those secrets.
    pub(crate) async fn secret_names(&self, namespace: &str) -> Result<Vec<String>, Failure> {
        let call = Call::get(Place::secrets(Some(namespace))).query("fieldSelector", MADE_BY_PEOPLE);
        let mut names = Vec::new();
        let mut found = |row: Row| names.push(row.cell("Name").to_owned());
        let mut progress = Progress::default();
        while self.rows(&call, PAGE, Objects::None, &mut progress, &mut found).await? {}
        Ok(names)
    }

    /// Lists the workloads of a kind.
    pub(crate) async fn workload_rows(
        &self,
        namespace: &str,
        kind: &Kind,
        found: impl FnMut(Row),
    ) -> Result<(), Failure> {
        self.workloads_of(namespace, kind, Objects::None, found).await
    }

    /// Lists the workloads of a kind, each with its owner.
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
        let version = self.version_of(kind).await?;
        let call = Call::get(Place::workloads(kind, &version, Some(namespace)));
        let mut progress = Progress::default();
        while self.rows(&call, PAGE, objects, &mut progress, &mut found).await? {}
        Ok(())
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

    async fn namespaces_of(&self, call: Call, mut found: impl FnMut(Metadata)) -> Result<(), Failure> {
        let hand_on = |only: MetadataOnly| -> Option<()> {
            found(only.metadata);
            None
        };
        self.list(call.metadata_list(), PAGE, hand_on).await.map(drop)
    }

    /// Reads the rows of one page. Returns true if another one follows.
    async fn rows(
        &self,
        call: &Call,
        limit: u32,
        objects: Objects,
        progress: &mut Progress,
        found: &mut impl FnMut(Row),
    ) -> Result<bool, Failure> {
        let objects = match objects {
            Objects::None => "None",
            Objects::Metadata => "Metadata",
        };
        let page = progress.page(call, limit).table().query("includeObject", objects);
        let read = |body: &[u8]| {
            let Table { kind, api_version, metadata, column_definitions, rows } =
                serde_json::from_slice(body)?;
            Ok(((metadata, column_definitions, rows), Head { kind, api_version }))
        };
        let (metadata, columns, rows) = self.page(&page, read).await?;
        for TableRow { cells, object } in rows.into_iter().flatten() {
            let names = columns.iter().map(|column| column.name.clone());
            let (labels, owners) = object
                .map(|MetadataOnly { metadata }| (metadata.labels, metadata.owner_references))
                .unwrap_or_default();
            found(Row { cells: names.zip(cells.iter().map(in_words)).collect(), labels, owners });
        }
        progress.after(metadata).map_err(|Endless| self.endless(call))
    }
}

fn in_words(cell: &Value) -> String {
    match cell {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
