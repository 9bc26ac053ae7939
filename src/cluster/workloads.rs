//! Workloads on the server, as whole JSON trees: no field is lost that this program does not know.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use super::call::{Call, Dependents};
use super::{Cluster, Failure, Keep, Write};
use crate::workload::{Kind, Target, Version};

impl Cluster {
    /// # Errors
    /// There is none of this name; or the server does not have the kind.
    pub(crate) async fn workload(&self, namespace: &str, target: &Target) -> Result<Value, Failure> {
        let Target { kind, name } = target;
        let get = |version: String| Call::get(kind.object_path(&version, namespace, name));
        match self.json(&get(self.version_of(kind).await?)).await {
            Err(failure) if failure.is_unknown_type() && matches!(kind.version, Version::Known(_)) => {
                self.json(&get(self.look_up_version_of(kind).await?)).await
            }
            outcome => outcome,
        }
    }

    async fn path_of(&self, namespace: &str, target: &Target) -> Result<String, Failure> {
        let version = self.version_of(target.kind).await?;
        Ok(target.kind.object_path(&version, namespace, &target.name))
    }

    /// Replaces a workload that still has the `resourceVersion` of `object`.
    ///
    /// # Errors
    /// A conflict where somebody changed it since.
    pub(crate) async fn replace_workload(
        &self,
        namespace: &str,
        target: &Target,
        object: &Value,
        write: Write<'_>,
    ) -> Result<Value, Failure> {
        let path = self.path_of(namespace, target).await?;
        self.json(&Call::replace(path, body(object), write)).await
    }

    pub(crate) async fn create_workload(
        &self,
        namespace: &str,
        kind: &Kind,
        object: &Value,
        write: Write<'_>,
    ) -> Result<Value, Failure> {
        let version = self.version_of(kind).await?;
        self.json(&Call::create(kind.collection_path(&version, namespace), body(object), write)).await
    }

    /// Asks the server to delete the object with this UID if it still has this version, and to keep it until its
    /// pods are gone: two generations of a job must not hold the same GPU and the same volume.
    ///
    /// # Errors
    /// A conflict where it was changed since, or the name belongs to another object.
    pub(crate) async fn delete_workload(
        &self,
        namespace: &str,
        target: &Target,
        uid: &str,
        version: &str,
    ) -> Result<(), Failure> {
        let path = self.path_of(namespace, target).await?;
        let call = Call::delete(path, uid, version, Dependents::GoFirst, Keep::Yes);
        self.send(&call).await.map(drop)
    }
}

impl Cluster {
    /// The server's major and minor version, such as 1 and 34.
    pub(crate) async fn version(&self) -> Result<(u32, u32), Failure> {
        #[derive(Deserialize)]
        struct Version {
            major: String,
            minor: String,
        }
        let Version { major, minor } = self.json(&Call::get("/version".to_owned())).await?;
        // Some distributions write `34+`.
        let number = |text: &str| text.trim_end_matches('+').parse().unwrap_or_default();
        Ok((number(&major), number(&minor)))
    }
}

fn body(object: &Value) -> Bytes {
    Bytes::from(object.to_string())
}
