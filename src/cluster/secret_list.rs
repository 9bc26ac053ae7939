//! Lists of secrets with their types and number of keys. The server's own table, as `kubectl get` uses it,
//! holds no value. The names of keys come only with the values.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::call::{Beside, Call};
use super::pages::PAGE;
use super::place::Place;
use super::secrets::{SecretHead, made_by_people};
use super::{Cluster, Failure, Namespaces, Seen};
use crate::metadata::Metadata;
use crate::propagation::{Content, ExistingSecret};

/// The page size, smaller than for tables: a secret may have a mebibyte.
const PAGE_WITH_VALUES: u32 = 100;

/// The secrets to list.
pub(crate) struct Selection<'a> {
    /// A label selector as the API has it; empty for all.
    pub(crate) labels: &'a str,
    pub(crate) makers: Makers,
    pub(crate) keys: Keys,
}

/// The makers of the secrets to list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Makers {
    /// People: no Helm releases, no tokens of service accounts.
    People,
    All,
}

/// How much to ask about the keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// Their number; no value crosses the wire.
    Count,
    /// Their names; values cross the wire, and are skipped while the answer is read.
    Names,
}

/// A secret without its values.
pub(crate) struct Listed {
    pub(crate) metadata: Metadata,
    pub(crate) secret_type: String,
    pub(crate) keys: usize,
    /// None if they were not asked for.
    pub(crate) key_names: Option<Vec<String>>,
}

/// A row of the server's table of secrets, whose columns are name, type, number of keys and age.
#[derive(Deserialize)]
struct Row {
    cells: (IgnoredAny, String, usize, IgnoredAny),
    object: RowObject,
}

#[derive(Deserialize)]
struct RowObject {
    metadata: Metadata,
}

impl From<Row> for Listed {
    fn from(row: Row) -> Self {
        let (_, secret_type, keys, _) = row.cells;
        Self { metadata: row.object.metadata, secret_type, keys, key_names: None }
    }
}

impl From<SecretHead> for Listed {
    fn from(secret: SecretHead) -> Self {
        let names: Vec<String> = secret.keys().map(str::to_owned).collect();
        let SecretHead { metadata, secret_type, .. } = secret;
        Self { metadata, secret_type, keys: names.len(), key_names: Some(names) }
    }
}

impl Cluster {
    /// Returns what is in each secret of a namespace that somebody made, for comparing, by the secret's name.
    pub(crate) async fn contents_in(&self, namespace: &str) -> Result<BTreeMap<String, Content>, Failure> {
        let keep = |secret: ExistingSecret| Some((secret.metadata.name, secret.content));
        let contents = self.list(made_by_people(Some(namespace)), PAGE_WITH_VALUES, keep).await?;
        Ok(contents.into_iter().collect())
    }

    /// Returns the results of `keep` for each secret of a selection, in pages.
    pub(crate) async fn list_secrets<R>(
        &self,
        namespaces: &Namespaces,
        selection: &Selection<'_>,
        keep: impl Fn(Listed) -> R,
    ) -> Result<Seen<R>, Failure> {
        let list = async |namespace: Option<&str>| {
            let mut call = match selection.makers {
                Makers::People => made_by_people(namespace),
                Makers::All => Call::get(Place::secrets(namespace)),
            };
            if !selection.labels.is_empty() {
                call = call.query("labelSelector", selection.labels);
            }
            match selection.keys {
                Keys::Count => {
                    self.list(call.table(Beside::Metadata), PAGE, |row: Row| Some(keep(row.into()))).await
                }
                Keys::Names => {
                    self.list(call, PAGE_WITH_VALUES, |secret: SecretHead| Some(keep(secret.into()))).await
                }
            }
        };
        self.secrets_of(namespaces, list).await
    }
}
