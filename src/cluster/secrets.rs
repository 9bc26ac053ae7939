//! Secrets on the server. Values go there; what comes back is names, labels and keys wherever the server can be asked
//! for less.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::call::{Call, Dependents};
use super::{Cluster, Failure, Write};

/// How many objects a page of a list holds, as kubectl's.
const PAGE: &str = "500";

/// What tells one object from another, without its content.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) namespace: String,
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) resource_version: String,
    #[serde(rename = "deletionTimestamp")]
    pub(crate) terminating: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct MetadataOnly {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct MetadataList {
    #[serde(default)]
    metadata: ListMetadata,
    /// `null` where there are none.
    items: Option<Vec<MetadataOnly>>,
}

#[derive(Deserialize, Default)]
struct ListMetadata {
    #[serde(rename = "continue", default)]
    next: String,
}

/// A secret without its values. They cross the wire, because no other form of the object has the keys, and are
/// skipped while the answer is read.
#[derive(Deserialize)]
#[expect(clippy::zero_sized_map_values, reason = "the answer has a map, whose values are to be skipped")]
pub(crate) struct SecretOutline {
    #[serde(default)]
    data: BTreeMap<String, IgnoredAny>,
}

impl SecretOutline {
    pub(crate) fn keys(&self) -> Vec<String> {
        self.data.keys().cloned().collect()
    }
}

/// How much of a secret comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// No value crosses the wire.
    Metadata,
    Whole,
}

impl Answer {
    fn of(self, call: Call) -> Call {
        match self {
            Self::Metadata => call.metadata_only(),
            Self::Whole => call,
        }
    }
}

fn collection(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/secrets")
}

impl Cluster {
    /// Creates a secret.
    pub(crate) async fn create_secret(
        &self,
        namespace: &str,
        body: Bytes,
        answer: Answer,
        write: Write<'_>,
    ) -> Result<Value, Failure> {
        self.written(Call::create(collection(namespace), body, write), answer).await
    }

    /// Replaces a secret that is still as the body's metadata says.
    ///
    /// # Errors
    /// A conflict where somebody changed it since.
    pub(crate) async fn replace_secret(
        &self,
        namespace: &str,
        name: &str,
        body: Bytes,
        answer: Answer,
        write: Write<'_>,
    ) -> Result<Value, Failure> {
        let path = format!("{}/{name}", collection(namespace));
        self.written(Call::replace(path, body, write), answer).await
    }

    /// What the server made of a secret; null where nobody asks for it.
    async fn written(&self, call: Call, answer: Answer) -> Result<Value, Failure> {
        match answer {
            Answer::Metadata => self.send(&answer.of(call)).await.map(|_| Value::Null),
            Answer::Whole => self.json(&call).await,
        }
    }

    /// Deletes the secret with this UID if it still has this version.
    ///
    /// # Errors
    /// A conflict where it was changed since, or the name belongs to another one.
    pub(crate) async fn delete_secret(
        &self,
        namespace: &str,
        name: &str,
        uid: &str,
        version: &str,
    ) -> Result<(), Failure> {
        let path = format!("{}/{name}", collection(namespace));
        let call = Call::delete(path, uid, version, Dependents::None);
        self.send(&call.metadata_only()).await.map(drop)
    }

    /// A secret as it is, or its metadata alone, as a tree in which no field is lost.
    pub(crate) async fn secret(&self, namespace: &str, name: &str, answer: Answer) -> Result<Value, Failure> {
        self.json(&answer.of(Call::get(format!("{}/{name}", collection(namespace))))).await
    }

    /// The keys of a secret.
    pub(crate) async fn secret_outline(&self, namespace: &str, name: &str) -> Result<SecretOutline, Failure> {
        self.json(&Call::get(format!("{}/{name}", collection(namespace)))).await
    }

    pub(crate) async fn secret_metadata(&self, namespace: &str, name: &str) -> Result<Metadata, Failure> {
        let call = Call::get(format!("{}/{name}", collection(namespace))).metadata_only();
        self.json::<MetadataOnly>(&call).await.map(|only| only.metadata)
    }

    /// The secrets of this name in all namespaces.
    pub(crate) async fn secrets_named(&self, name: &str) -> Result<Vec<Metadata>, Failure> {
        let call =
            Call::get("/api/v1/secrets".to_owned()).query("fieldSelector", format!("metadata.name={name}"));
        self.list_metadata(call).await
    }

    /// Sets labels (`Some`) and removes labels (`None`) of a secret that is still as it was read, and changes nothing
    /// else.
    ///
    /// # Errors
    /// A conflict where somebody changed it since.
    pub(crate) async fn patch_secret_labels(
        &self,
        secret: &Metadata,
        labels: &BTreeMap<&str, Option<&str>>,
        write: Write<'_>,
    ) -> Result<Value, Failure> {
        let change = json!({ "metadata": { "resourceVersion": secret.resource_version, "labels": labels } });
        let path = format!("{}/{}", collection(&secret.namespace), secret.name);
        let body = Bytes::from(change.to_string());
        self.json(&Call::merge_patch(path, body, write).metadata_only()).await
    }

    /// Metadata of a whole list, page by page.
    pub(super) async fn list_metadata(&self, call: Call) -> Result<Vec<Metadata>, Failure> {
        let call = call.query("limit", PAGE).metadata_list();
        let mut found = Vec::new();
        let mut next = String::new();
        loop {
            let page = if next.is_empty() { call.clone() } else { call.clone().query("continue", next) };
            let list: MetadataList = self.json(&page).await?;
            found.extend(list.items.into_iter().flatten().map(|item| item.metadata));
            next = list.metadata.next;
            if next.is_empty() {
                return Ok(found);
            }
        }
    }
}
