//! The pods of a new Job, and the events about it and them.

use serde_json::Value;

use super::call::Call;
use super::place::Place;
use super::{Cluster, Failure};

/// The limit for pods and for events: more of them tell nothing new.
const MOST: u32 = 100;

impl Cluster {
    /// Lists the pods that a Job made.
    pub(crate) async fn pods_of_job(&self, namespace: &str, job: &str) -> Result<Vec<Value>, Failure> {
        // The label has no prefix: servers before 1.27 know only this form.
        let place = Place::pods(namespace).with_name_in_query("job", job);
        self.some(Call::get(place).query("labelSelector", format!("job-name={job}")), MOST).await
    }

    /// Lists the recent events of an object.
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
