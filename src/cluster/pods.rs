//! What became of a new Job: its pods, and what was reported of it and of them.

use serde_json::Value;

use super::call::Call;
use super::{Cluster, Failure};

/// More pods, and more events, tell nothing more.
const MOST: &str = "100";

impl Cluster {
    /// The pods that a Job made.
    pub(crate) async fn pods_of_job(&self, namespace: &str, job: &str) -> Result<Vec<Value>, Failure> {
        let path = format!("/api/v1/namespaces/{namespace}/pods");
        // The label without a prefix: servers before 1.27 know no other.
        self.some(Call::get(path).query("labelSelector", format!("job-name={job}"))).await
    }

    /// What was reported of an object lately.
    pub(crate) async fn events_of(
        &self,
        namespace: &str,
        kind: &str,
        name: &str,
    ) -> Result<Vec<Value>, Failure> {
        let path = format!("/api/v1/namespaces/{namespace}/events");
        let of_object = format!("involvedObject.kind={kind},involvedObject.name={name}");
        self.some(Call::get(path).query("fieldSelector", of_object)).await
    }

    async fn some(&self, call: Call) -> Result<Vec<Value>, Failure> {
        let mut list: Value = self.json(&call.query("limit", MOST)).await?;
        Ok(list.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default())
    }
}
