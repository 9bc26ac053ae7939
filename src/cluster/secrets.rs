//! Secrets on the server. Values are sent to it; names, labels and keys come back wherever the server can be
//! asked for less.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::call::{Call, Dependents};
use super::pages::{Beginning, PAGE};
use super::place::Place;
use super::{Cluster, Failure, Keep, Namespaces, Seen, Write, if_there};
use crate::history;
use crate::metadata::Metadata;
use crate::propagation::{Encoded, ExistingSecret};
use crate::secret::SecretValue;

#[derive(Deserialize)]
pub(super) struct MetadataOnly {
    pub(super) metadata: Metadata,
}

/// A secret without its values. They cross the wire, because no other form of the object has the keys, and
/// are skipped while the answer is read.
#[derive(Deserialize)]
pub(crate) struct SecretHead<M = Metadata> {
    /// A tree for a replacement, which gives all of the metadata back.
    pub(crate) metadata: M,
    #[serde(rename = "type", default)]
    pub(crate) secret_type: String,
    #[serde(default)]
    pub(crate) immutable: bool,
    #[serde(rename = "data", default, deserialize_with = "names")]
    keys: BTreeSet<String>,
}

impl<M> SecretHead<M> {
    pub(crate) fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }

    pub(crate) fn has_key(&self, key: &str) -> bool {
        self.keys.contains(key)
    }
}

#[expect(clippy::zero_sized_map_values, reason = "the answer has a map, whose values are to be skipped")]
fn names<'de, D: Deserializer<'de>>(data: D) -> Result<BTreeSet<String>, D::Error> {
    let data: Option<BTreeMap<String, IgnoredAny>> = Deserialize::deserialize(data)?;
    Ok(data.into_iter().flatten().map(|(key, _)| key).collect())
}

/// A secret with its values, and the version they were read in: a write compares them with the new ones.
#[derive(Deserialize)]
#[serde(from = "Whole<M>", bound = "M: DeserializeOwned")]
pub(crate) struct SecretWithValues<M = Metadata> {
    pub(crate) head: SecretHead<M>,
    pub(crate) values: BTreeMap<String, SecretValue>,
}

impl AsRef<Self> for SecretHead {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl AsRef<SecretHead> for SecretWithValues {
    fn as_ref(&self) -> &SecretHead {
        &self.head
    }
}

/// A secret as the API has it.
#[derive(Deserialize)]
struct Whole<M> {
    metadata: M,
    #[serde(rename = "type", default)]
    secret_type: String,
    #[serde(default)]
    immutable: bool,
    /// `null` if there are no keys.
    data: Option<BTreeMap<String, Encoded>>,
}

impl<M> From<Whole<M>> for SecretWithValues<M> {
    fn from(Whole { metadata, secret_type, immutable, data }: Whole<M>) -> Self {
        let values: BTreeMap<_, _> =
            data.into_iter().flatten().map(|(key, value)| (key, value.decode())).collect();
        let keys = values.keys().cloned().collect();
        Self { head: SecretHead { metadata, secret_type, immutable, keys }, values }
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

/// Helm keeps whole releases in secrets, of tens of kilobytes each.
const MADE_BY_PEOPLE: &str = "type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token";

/// The secrets of a namespace, or of all, that somebody made.
pub(super) fn made_by_people(namespace: Option<&str>) -> Call {
    Call::get(Place::secrets(namespace)).query("fieldSelector", MADE_BY_PEOPLE)
}

/// Builds the list of the secrets of a name in all namespaces.
fn named(name: &str) -> Call {
    let place = Place::secrets(None).with_name_in_query("secret", name);
    Call::get(place).query("fieldSelector", format!("metadata.name={name}"))
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
        self.written(Call::create(Place::secrets(Some(namespace)), body, write), answer).await
    }

    /// Replaces a secret that still has the version in the body's metadata.
    ///
    /// # Errors
    /// A conflict if somebody changed it since.
    pub(crate) async fn replace_secret(
        &self,
        namespace: &str,
        name: &str,
        body: Bytes,
        answer: Answer,
        write: Write<'_>,
    ) -> Result<Value, Failure> {
        self.written(Call::replace(Place::secret(namespace, name), body, write), answer).await
    }

    /// Sends a write, and returns the server's version of the secret; null if nobody asks for it.
    async fn written(&self, call: Call, answer: Answer) -> Result<Value, Failure> {
        match answer {
            Answer::Metadata => self.done(&answer.of(call)).await.map(|()| Value::Null),
            Answer::Whole => self.object(&call).await,
        }
    }

    /// Deletes the secret with this UID if it still has this version. Returns the finalizers that it waits for; none
    /// where it is gone.
    ///
    /// # Errors
    /// A conflict if it was changed since, or if another secret has the name now.
    pub(crate) async fn delete_secret(
        &self,
        namespace: &str,
        name: &str,
        uid: &str,
        version: &str,
        keep: Keep,
    ) -> Result<Vec<String>, Failure> {
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Terminating {
            metadata: Finalizers,
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Finalizers {
            finalizers: Vec<String>,
        }
        let call = Call::delete(Place::secret(namespace, name), uid, version, Dependents::None, keep);
        let left: Terminating = self.object(&call.metadata_only()).await?;
        Ok(left.metadata.finalizers)
    }

    /// Returns a secret, or its metadata alone, as a tree in which no field is lost.
    pub(crate) async fn secret(&self, namespace: &str, name: &str, answer: Answer) -> Result<Value, Failure> {
        self.object(&answer.of(Call::get(Place::secret(namespace, name)))).await
    }

    /// Returns the metadata, the type and the keys of a secret.
    pub(crate) async fn secret_head<M: DeserializeOwned>(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<SecretHead<M>, Failure> {
        self.object(&Call::get(Place::secret(namespace, name))).await
    }

    /// Returns as much of a secret as `S` keeps: [`SecretHead`] or [`SecretWithValues`].
    pub(crate) async fn secret_as<S: DeserializeOwned>(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<S, Failure> {
        self.object(&Call::get(Place::secret(namespace, name))).await
    }

    pub(crate) async fn secret_metadata(&self, namespace: &str, name: &str) -> Result<Metadata, Failure> {
        let call = Call::get(Place::secret(namespace, name)).metadata_only();
        self.object::<MetadataOnly>(&call).await.map(|only| only.metadata)
    }

    /// Lists the secrets of this name in all namespaces.
    pub(crate) async fn secrets_named(&self, name: &str) -> Result<Vec<Metadata>, Failure> {
        self.list_metadata(named(name)).await
    }

    /// Reads the secrets of this name in one namespace or in all; one by one in the projects where the user may not
    /// list all.
    pub(crate) async fn secrets_named_in(
        &self,
        name: &str,
        namespaces: &Namespaces,
    ) -> Result<Seen<Metadata>, Failure> {
        let read = async |namespace: Option<&str>| match namespace {
            None => self.secrets_named(name).await,
            Some(namespace) => {
                let found = if_there(self.secret_metadata(namespace, name).await)?;
                Ok(found.into_iter().collect())
            }
        };
        self.secrets_of(namespaces, read).await
    }

    /// Lists the secrets of a namespace that somebody made: no Helm releases, no tokens of service accounts.
    pub(crate) async fn secrets_in(&self, namespace: &str) -> Result<Vec<Metadata>, Failure> {
        self.list_metadata(made_by_people(Some(namespace))).await
    }

    /// Lists the secrets that somebody made in one namespace or in all.
    pub(crate) async fn secrets(&self, namespaces: &Namespaces) -> Result<Seen<Metadata>, Failure> {
        self.secrets_of(namespaces, async |namespace| self.list_metadata(made_by_people(namespace)).await)
            .await
    }

    /// Lists secrets in one namespace or in all.
    pub(super) async fn secrets_of<T>(
        &self,
        namespaces: &Namespaces,
        list: impl AsyncFn(Option<&str>) -> Result<Vec<T>, Failure>,
    ) -> Result<Seen<T>, Failure> {
        let list = async |(), namespace: Option<String>| list(namespace.as_deref()).await;
        self.everywhere(vec![()], namespaces, |()| "secrets", list).await
    }

    /// Lists the secrets in all namespaces whose label has this value.
    pub(crate) async fn secrets_labelled(&self, label: &str, value: &str) -> Result<Vec<Metadata>, Failure> {
        let call = Call::get(Place::secrets(None)).query("labelSelector", format!("{label}={value}"));
        self.list_metadata(call).await
    }

    /// Returns a secret with its content, for comparing and copying.
    pub(crate) async fn namesake(&self, namespace: &str, name: &str) -> Result<ExistingSecret, Failure> {
        self.object(&Call::get(Place::secret(namespace, name))).await
    }

    /// Returns the first secrets of this name in all namespaces, at most `limit`.
    pub(crate) async fn first_namesakes(
        &self,
        name: &str,
        limit: u32,
    ) -> Result<Beginning<ExistingSecret>, Failure> {
        self.beginning(&named(name), limit).await
    }

    /// Returns the results of `keep` for each secret of this name, in all namespaces, of which the first were
    /// read. A page holds at most `limit` of them.
    pub(crate) async fn namesakes<R>(
        &self,
        name: &str,
        first: Beginning<ExistingSecret>,
        limit: u32,
        keep: impl FnMut(ExistingSecret) -> Option<R>,
    ) -> Result<Vec<R>, Failure> {
        self.list_after(first, &named(name), limit, keep).await
    }

    /// Lists the secrets of this name by their metadata alone: they seem to be empty.
    pub(crate) async fn namesakes_without_content<R>(
        &self,
        name: &str,
        mut keep: impl FnMut(ExistingSecret) -> Option<R>,
    ) -> Result<Vec<R>, Failure> {
        let keep = |only: MetadataOnly| keep(ExistingSecret::without_content(only.metadata));
        self.list(named(name).metadata_list(), PAGE, keep).await
    }

    /// Changes a secret that still has the UID and the version in the body's metadata. Returns it without
    /// values.
    ///
    /// # Errors
    /// A conflict if it was changed since, or if another secret has the name now.
    pub(crate) async fn patch_secret(
        &self,
        namespace: &str,
        name: &str,
        body: Bytes,
        write: Write<'_>,
    ) -> Result<Value, Failure> {
        self.object(&Call::merge_patch(Place::secret(namespace, name), body, write).metadata_only()).await
    }

    /// Patches labels and annotations of a secret that is unchanged since it was read, and changes nothing
    /// else: `null` removes one.
    ///
    /// # Errors
    /// A conflict if somebody changed it since.
    pub(crate) async fn patch_metadata(
        &self,
        secret: &Metadata,
        mut metadata: Value,
        write: Write<'_>,
    ) -> Result<Value, Failure> {
        metadata["resourceVersion"] = secret.resource_version.as_str().into();
        for (name, value) in history::annotations_kept(secret, write.field_manager) {
            metadata["annotations"][name] = value;
        }
        let change = json!({ "metadata": metadata });
        let place = Place::secret(&secret.namespace, &secret.name);
        let body = Bytes::from(change.to_string());
        self.object(&Call::merge_patch(place, body, write).of_uid(&secret.uid).metadata_only()).await
    }

    /// Returns the metadata of a whole list.
    pub(super) async fn list_metadata(&self, call: Call) -> Result<Vec<Metadata>, Failure> {
        self.list(call.metadata_list(), PAGE, |only: MetadataOnly| Some(only.metadata)).await
    }
}
