//! A stand-in for Run:ai's controller, which copies cluster-wide Secrets into every project.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::task::AbortHandle;

use crate::backend::{Backend, ask};
use crate::runtime::runtime;

/// How often it looks.
const PERIOD: Duration = Duration::from_millis(50);

/// The labels by which it knows a source: the documented one and its successor.
const SOURCE_LABELS: [&str; 2] = ["runai/cluster-wide", "run.ai/cluster-wide"];

/// A controller at work; stops when dropped.
#[derive(Debug)]
pub struct Propagation {
    working: AbortHandle,
}

impl Drop for Propagation {
    fn drop(&mut self) {
        self.working.abort();
    }
}

struct Controller {
    backend: Backend,
    token: String,
    runai_namespace: String,
    world: String,
    /// Its copies, by namespace and name: nothing else is ever touched.
    copies: BTreeSet<(String, String)>,
}

impl Propagation {
    pub(crate) fn start(backend: Backend, token: String, runai_namespace: String, world: String) -> Self {
        let mut controller = Controller { backend, token, runai_namespace, world, copies: BTreeSet::new() };
        let work = async move {
            loop {
                controller.reconcile().await;
                tokio::time::sleep(PERIOD).await;
            }
        };
        Self { working: runtime().spawn(work).abort_handle() }
    }
}

impl Controller {
    async fn reconcile(&mut self) {
        let path = format!("/api/v1/namespaces/{}/secrets", self.runai_namespace);
        let Some(secrets) = self.list(&path).await else { return };
        let is_source =
            |secret: &&Value| SOURCE_LABELS.iter().any(|label| secret["metadata"]["labels"][label] == "true");
        let sources: Vec<&Value> = secrets.iter().filter(is_source).collect();
        let path = format!("/api/v1/namespaces?labelSelector=runai%2Fqueue,support%2Fworld%3D{}", self.world);
        let Some(projects) = self.list(&path).await else { return };
        let mut wanted = BTreeSet::new();
        for project in &projects {
            let namespace = name_of(project);
            for source in &sources {
                wanted.insert((namespace.clone(), name_of(source)));
                self.copy(&namespace, source).await;
            }
        }
        for (namespace, name) in self.copies.clone().difference(&wanted) {
            self.ask("DELETE", &format!("/api/v1/namespaces/{namespace}/secrets/{name}"), None).await;
            self.copies.remove(&(namespace.clone(), name.clone()));
        }
    }

    async fn copy(&mut self, namespace: &str, source: &Value) {
        let name = name_of(source);
        let mut labels = source["metadata"]["labels"].as_object().cloned().unwrap_or_else(Map::new);
        labels.insert("run.ai/cluster-wide".into(), "true".into());
        let mut copy = json!({"metadata": {"name": name, "labels": labels}, "type": source["type"], "data": source["data"]});
        let collection = format!("/api/v1/namespaces/{namespace}/secrets");
        let place = (namespace.to_owned(), name.clone());
        let (status, there) = self.ask("GET", &format!("{collection}/{name}"), None).await;
        if status == 404 {
            if self.ask("POST", &collection, Some(&copy)).await.0 == 201 {
                self.copies.insert(place);
            }
            return;
        }
        let differs =
            there["data"] != source["data"] || there["metadata"]["labels"] != copy["metadata"]["labels"];
        if status == 200 && self.copies.contains(&place) && differs {
            copy["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"].clone();
            self.ask("PUT", &format!("{collection}/{name}"), Some(&copy)).await;
        }
    }

    async fn list(&self, path: &str) -> Option<Vec<Value>> {
        let (status, mut list) = self.ask("GET", path, None).await;
        if status != 200 {
            return None;
        }
        match list["items"].take() {
            Value::Array(items) => Some(items),
            _ => Some(Vec::new()),
        }
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let body = body.map(Value::to_string).unwrap_or_default();
        ask(&self.backend, &self.token, method, path, &[("content-type", "application/json")], &body).await
    }
}

fn name_of(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}
