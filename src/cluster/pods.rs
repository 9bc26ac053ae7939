//! What became of a new Job: its pods, and what was reported of it and of them.

use serde_json::Value;

use super::call::Call;
use super::place::Place;
use super::{Cluster, Failure};

/// More pods, and more events, tell nothing more.
const MOST: u32 = 100;

impl Cluster {
    /// The pods that a Job made.
    pub(crate) async fn pods_of_job(&self, namespace: &str, job: &str) -> Result<Vec<Value>, Failure> {
        // The label without a prefix: servers before 1.27 know no other.
        let place = Place::pods(namespace).with_name_in_query("job", job);
        self.some(Call::get(place).query("labelSelector", format!("job-name={job}")), MOST).await
    }

    /// What was reported of an object lately.
    pub(crate) async fn events_of(
        &self,
        namespace: &str,
        kind: &str,
        name: &str,
    ) -> Result<Vec<Value>, Failure> {
        let place = Place::events(namespace).with_name_in_query("object", name);
        let of_object = format!("involvedObject.kind={kind},involvedObject.name={name}");
        self.some(Call::get(place).query("fieldSelector", of_object), MOST).await
    }
}
