//! Workloads on the server, as whole JSON trees, so that no unknown field is lost.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use super::call::{Call, Dependents};
use super::place::Place;
use super::proof::Wrong;
use super::{Cluster, Failure, Keep, Write};
use crate::metadata::Metadata;
use crate::workload::{Kind, Target, Version};

impl Cluster {
    /// Returns a workload.
    ///
    /// # Errors
    /// There is none of this name, or the server does not have the kind.
    pub(crate) async fn workload(&self, namespace: &str, target: &Target) -> Result<Value, Failure> {
        let Target { kind, name } = target;
        let get = |version: String| Call::get(Place::workload(kind, &version, namespace, name));
        match self.object(&get(self.version_of(kind).await?)).await {
            Err(failure) if failure.is_unknown_type() && matches!(kind.version, Version::Known(_)) => {
                self.object(&get(self.look_up_version_of(kind).await?)).await
            }
            outcome => outcome,
        }
    }

    /// Returns the workloads of a kind whose labels a selector matches.
    ///
    /// # Errors
    /// The selector is malformed, or the server does not have the kind.
    pub(crate) async fn workloads_selected(
        &self,
        namespace: &str,
        kind: &'static Kind,
        selector: &str,
    ) -> Result<Vec<Target>, Failure> {
        let version = self.version_of(kind).await?;
        let place = Place::workloads(kind, &version, Some(namespace));
        let found = self.list_metadata(Call::get(place).query("labelSelector", selector)).await?;
        Ok(found.into_iter().map(|metadata| Target { kind, name: metadata.name }).collect())
    }

    /// Lists the workloads of this kind and name in all namespaces.
    pub(crate) async fn workloads_everywhere(
        &self,
        kind: &Kind,
        name: &str,
    ) -> Result<Vec<Metadata>, Failure> {
        let version = self.version_of(kind).await?;
        let place = Place::workloads(kind, &version, None);
        self.list_metadata(Call::get(place).query("fieldSelector", format!("metadata.name={name}"))).await
    }

    async fn place_of(&self, namespace: &str, target: &Target) -> Result<Place, Failure> {
        let version = self.version_of(target.kind).await?;
        Ok(Place::workload(target.kind, &version, namespace, &target.name))
    }

    /// Replaces a workload that still has the `resourceVersion` of `object`.
    ///
    /// # Errors
    /// A conflict if somebody changed it since.
    pub(crate) async fn replace_workload(
        &self,
        namespace: &str,
        target: &Target,
        object: &Value,
        write: Write<'_>,
    ) -> Result<Value, Failure> {
        let place = self.place_of(namespace, target).await?;
        self.object(&Call::replace(place, body(object), write)).await
    }

    /// Does the same for a workload that uses a secret, whose values are not read: a webhook may quote them.
    pub(crate) async fn replace_user_of(
        &self,
        secret: &str,
        namespace: &str,
        target: &Target,
        object: &Value,
        write: Write<'_>,
    ) -> Result<Value, Failure> {
        let place = self.place_of(namespace, target).await?;
        let call = Call::replace(place, body(object), write).beside_secret(Place::secret(namespace, secret));
        self.object(&call).await
    }

    pub(crate) async fn create_workload(
        &self,
        namespace: &str,
        kind: &Kind,
        object: &Value,
        write: Write<'_>,
    ) -> Result<Value, Failure> {
        let version = self.version_of(kind).await?;
        let place = Place::workloads(kind, &version, Some(namespace));
        self.object(&Call::create(place, body(object), write)).await
    }

    /// Asks the server to delete the object with this UID if it still has this version, and to keep it until
    /// its pods are gone: two generations of a job must not hold the same GPU and the same volume.
    ///
    /// # Errors
    /// A conflict if it was changed since, or if another object has the name now.
    pub(crate) async fn delete_workload(
        &self,
        namespace: &str,
        target: &Target,
        uid: &str,
        version: &str,
    ) -> Result<(), Failure> {
        let place = self.place_of(namespace, target).await?;
        let call = Call::delete(place, uid, version, Dependents::GoFirst, Keep::Yes);
        self.done(&call).await
    }
}

impl Cluster {
    /// Returns the server's major and minor version, such as 1 and 34.
    ///
    /// # Errors
    /// The request failed, or the answer has no version.
    pub(crate) async fn version(&self) -> Result<(u32, u32), Failure> {
        #[derive(Deserialize)]
        struct Version {
            major: String,
            minor: String,
        }
        let call = Call::get(Place::version());
        let Version { major, minor } = self.object(&call).await?;
        // Some distributions write `34+`.
        let number = |text: &str| text.trim_end_matches('+').parse().ok();
        let numbers = number(&major).zip(number(&minor));
        numbers.ok_or_else(|| self.wrong(&call, Wrong::Instead("a version that is not a number")))
    }
}

fn body(object: &Value) -> Bytes {
    Bytes::from(object.to_string())
}
