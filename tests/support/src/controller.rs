//! A stand-in for Run:ai's controller: it copies cluster-wide Secrets into every project, and updates and
//! removes copies.
//!
//! Its whole state is in the cluster, so that it can be killed anywhere and started again. How Run:ai's
//! controller recognizes its copies is not documented; this one uses a label, and leaves alone a secret of
//! the name without it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::backend::{Backend, ask};
use crate::certificates::client_trusting;
use crate::forward::Forwarder;
use crate::kubeconfig::Kubeconfig;
use crate::runtime::runtime;

/// The pause between two looks: as a task, and as a process, where each look costs three servers some
/// milliseconds.
pub(crate) const PERIOD: Duration = Duration::from_millis(50);
const PERIOD_OF_THE_PROCESS: Duration = Duration::from_millis(200);

/// The labels that mark a source: the documented one and its successor.
const SOURCE_LABELS: [&str; 2] = ["runai/cluster-wide", "run.ai/cluster-wide"];

/// The label that marks its copies.
const COPY_LABEL: &str = "run.ai/cluster-wide";

/// Its user on the real control plane, and the user's token.
pub(crate) const USER: (&str, &str) = ("runai-controller", "support-runai-controller-token");

/// Returns its RBAC rules.
pub(crate) fn rules() -> Value {
    json!([
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list", "create", "update", "delete"]},
    ])
}

/// A controller at work in one world.
pub(crate) struct Controller {
    pub(crate) backend: Backend,
    pub(crate) token: String,
    pub(crate) runai_namespace: String,
    pub(crate) world: String,
}

/// A Secret's namespace and name.
type Place = (String, String);

/// Runs the program: a controller for one world, until stdin ends.
///
/// The process that starts it holds the other end of that pipe. However that ends, SIGKILL included, the pipe
/// closes.
///
/// # Errors
/// The kubeconfig can't be read.
pub fn run(kubeconfig: &Path, runai_namespace: &str, world: &str) -> io::Result<()> {
    let kubeconfig = Kubeconfig::read(kubeconfig)?;
    let forwarder =
        Forwarder::new(client_trusting(&kubeconfig.ca_pem()), &kubeconfig.server_address(), "", "");
    let controller = Controller {
        backend: Backend::Real(Arc::new(forwarder)),
        token: kubeconfig.bearer(),
        runai_namespace: runai_namespace.to_owned(),
        world: world.to_owned(),
    };
    runtime().spawn(controller.work(PERIOD_OF_THE_PROCESS));
    io::copy(&mut io::stdin(), &mut io::sink()).map(drop)
}

impl Controller {
    pub(crate) async fn work(self, period: Duration) {
        loop {
            // A list that fails now may succeed in a moment.
            let _ = self.reconcile().await;
            tokio::time::sleep(period).await;
        }
    }

    /// Returns `None` if it could not see all it needs.
    async fn reconcile(&self) -> Option<()> {
        let projects =
            format!("/api/v1/namespaces?labelSelector=runai%2Fqueue,support%2Fworld%3D{}", self.world);
        let projects: BTreeSet<String> = self.list(&projects).await?.iter().map(name_of).collect();
        let secrets = self.list(&format!("/api/v1/namespaces/{}/secrets", self.runai_namespace)).await?;
        let is_source =
            |secret: &&Value| SOURCE_LABELS.iter().any(|label| secret["metadata"]["labels"][label] == "true");
        let sources: Vec<&Value> = secrets.iter().filter(is_source).collect();
        let mut copies = self.copies(&projects).await?;
        for project in &projects {
            for source in &sources {
                let there = copies.remove(&(project.clone(), name_of(source)));
                self.copy(project, source, there).await;
            }
        }
        for (place, orphan) in copies {
            self.remove(&place, &orphan).await;
        }
        Some(())
    }

    async fn copies(&self, projects: &BTreeSet<String>) -> Option<BTreeMap<Place, Value>> {
        let copies = self.list(&format!("/api/v1/secrets?labelSelector={COPY_LABEL}=true")).await?;
        let place = |copy: &Value| (namespace_of(copy), name_of(copy));
        let in_projects = copies.into_iter().filter(|copy| projects.contains(&namespace_of(copy)));
        Some(in_projects.map(|copy| (place(&copy), copy)).collect())
    }

    /// Copies a secret. The creation fails if another secret has the name; it then leaves that one alone.
    async fn copy(&self, namespace: &str, source: &Value, there: Option<Value>) {
        let name = name_of(source);
        let mut labels = source["metadata"]["labels"].as_object().cloned().unwrap_or_else(Map::new);
        labels.insert(COPY_LABEL.into(), "true".into());
        let mut copy = json!({"metadata": {"name": name, "labels": labels}, "type": source["type"], "data": source["data"]});
        let collection = format!("/api/v1/namespaces/{namespace}/secrets");
        let Some(there) = there else {
            self.ask("POST", &collection, Some(&copy)).await;
            return;
        };
        if there["data"] != copy["data"] || there["metadata"]["labels"] != copy["metadata"]["labels"] {
            copy["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"].clone();
            self.ask("PUT", &format!("{collection}/{name}"), Some(&copy)).await;
        }
    }

    async fn remove(&self, (namespace, name): &Place, orphan: &Value) {
        let metadata = &orphan["metadata"];
        let as_seen = json!({"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]});
        let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": as_seen});
        self.ask("DELETE", &format!("/api/v1/namespaces/{namespace}/secrets/{name}"), Some(&options)).await;
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

fn namespace_of(object: &Value) -> String {
    object["metadata"]["namespace"].as_str().unwrap_or_default().to_owned()
}
