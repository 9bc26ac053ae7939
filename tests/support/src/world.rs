//! A cluster as a test sees it, in process or real.

mod definitions;
mod node;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::api::ApiServer;
use crate::backend::{Backend, ask};
use crate::certificates::{KeyKind, Odd, Validity};
use crate::control_plane::{ADMIN_TOKEN, ControlPlane};
use crate::controller::Controller;
use crate::faults::{Fault, On};
use crate::forward::Forwarder;
use crate::front_door::{FrontDoor, Protocols};
use crate::gate::{Gate, Hold};
use crate::kubeconfig::Kubeconfig;
use crate::log::Recorded;
use crate::propagation::Propagation;
use crate::runtime::wait_for;

/// The label on every namespace of a world; its value is the world's id.
const WORLD_LABEL: &str = "support/world";

/// A Run:ai project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    pub name: String,
    pub namespace: String,
}

/// A user without rights; [`World::grant`] gives some.
#[derive(Debug, Clone)]
pub struct User {
    pub name: String,
    pub token: String,
}

/// One cluster with an HTTPS front door. Worlds on the real control plane share it; all names are the world's
/// own.
pub struct World {
    front_door: FrontDoor,
    backend: Backend,
    admin_token: String,
    /// `t7`: marks the world's own namespaces.
    id: String,
    /// `t7-`: begins every name. Empty if the world has a cluster to itself and plain names.
    prefix: String,
    roles: AtomicUsize,
}

impl World {
    /// Makes a cluster in this process, empty but for its system namespaces.
    pub fn in_process() -> Self {
        let id = next_id();
        Self::new(in_process_backend(), &id, &format!("{id}-"))
    }

    /// Makes a cluster in this process with plain names, as a user sees them: project `team-a` in namespace
    /// `runai-team-a`, and Run:ai in `runai`.
    pub fn with_plain_names() -> Self {
        Self::new(in_process_backend(), &next_id(), "")
    }

    /// Returns a share of the real control plane, which starts at the first call.
    ///
    /// Panics if there is none, with the command that builds it: its tests are ignored by default.
    pub fn real() -> Self {
        let control_plane = ControlPlane::shared();
        let id = next_id();
        let own_namespaces = format!("support%2Fworld%3D{id}");
        let forwarder =
            Forwarder::new(control_plane.tls(), control_plane.server(), ADMIN_TOKEN, &own_namespaces);
        Self::new(Backend::Real(Arc::new(forwarder)), &id, &format!("{id}-"))
    }

    fn new(backend: Backend, id: &str, prefix: &str) -> Self {
        Self {
            front_door: FrontDoor::open(backend.clone()),
            backend,
            admin_token: ADMIN_TOKEN.to_owned(),
            id: id.to_owned(),
            prefix: prefix.to_owned(),
            roles: AtomicUsize::new(0),
        }
    }

    /// Returns true on the real API server.
    pub fn is_real(&self) -> bool {
        matches!(self.backend, Backend::Real(_))
    }

    /// Returns the address of the front door.
    pub fn address(&self) -> SocketAddr {
        self.front_door.address
    }

    /// Returns `https://127.0.0.1:<port>`.
    pub fn server(&self) -> String {
        format!("https://{}", self.address())
    }

    /// Returns the CA of the front door's certificate.
    pub fn ca_pem(&self) -> &str {
        self.front_door.authority.pem()
    }

    // Requests and faults.

    /// Returns every request that came through the front door, in the order of arrival.
    pub fn requests(&self) -> Vec<Recorded> {
        self.front_door.door.log.requests()
    }

    /// Returns the requests that change something, dry runs included.
    pub fn writes(&self) -> Vec<Recorded> {
        self.requests().into_iter().filter(Recorded::is_write).collect()
    }

    /// Returns every request as `POST /api/v1/namespaces/x/secrets?fieldManager=y`.
    pub fn lines(&self) -> Vec<String> {
        self.requests().iter().map(Recorded::line).collect()
    }

    /// Returns every request as `POST /api/v1/namespaces/x/secrets`.
    pub fn calls(&self) -> Vec<String> {
        self.requests().iter().map(Recorded::call).collect()
    }

    /// Forgets the requests so far.
    pub fn clear_log(&self) {
        self.front_door.door.log.clear();
    }

    /// Returns the number of connections that were made so far.
    pub fn connections(&self) -> usize {
        self.front_door.door.connections()
    }

    /// Chooses what the front door speaks on connections to come.
    pub fn speak(&self, protocols: Protocols) {
        self.front_door.door.speak(protocols);
    }

    /// Orders a fault.
    pub fn fail(&self, fault: Fault) {
        self.front_door.door.faults.add(fault);
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.front_door.door.faults.clear();
    }

    /// Stops requests at a point.
    pub fn hold(&self, on: On, point: Hold) -> Gate {
        self.front_door.door.gates.add(on, point)
    }

    // Users.

    /// Returns the administrator's kubeconfig; its builder makes the others.
    pub fn kubeconfig(&self) -> Kubeconfig {
        Kubeconfig::new(&self.server(), self.ca_pem(), &self.admin_token)
    }

    /// Returns the administrator's token.
    pub fn admin_token(&self) -> &str {
        &self.admin_token
    }

    /// Makes tokens that begin with `short-lived-` stand for the administrator's for this long, from their
    /// first request on.
    pub fn short_lived_tokens(&self, life: Duration) {
        self.front_door.door.short_lived_tokens(&self.admin_token, life);
    }

    /// Opens another front door of the same cluster with an odd certificate. Returns its address,
    /// `https://localhost:<port>`, and the certificate as PEM. It closes with the test process.
    pub fn odd_door(&self, odd: Odd) -> (String, String) {
        let pair = self.front_door.authority.odd_server(odd);
        let address = self.front_door.second(&pair);
        (format!("https://localhost:{}", address.port()), pair.certificate_pem)
    }

    /// Returns the pair of [`World::client_certificate`], with a key of this kind.
    pub fn client_certificate_with(&self, user: &str, kind: KeyKind) -> (String, String) {
        let pair = self.front_door.authority.client_with(user, kind);
        self.front_door.knows(user, &pair.certificate);
        (pair.certificate_pem, pair.key_pem)
    }

    /// Makes a new user, known by a token. On the real control plane the user's name is one of its spare
    /// ones.
    pub fn user(&self, name: &str) -> User {
        match &self.backend {
            Backend::Real(_) => ControlPlane::shared().spare_user(),
            Backend::InProcess(server) => {
                let user = User {
                    name: format!("{}{name}", self.prefix),
                    token: format!("support-token-of-{name}"),
                };
                server.add_user(&user.token, &user.name);
                user
            }
        }
    }

    /// Gives a user RBAC rules (a list, as in a Role) in a namespace, or cluster-wide.
    pub fn grant(&self, user: &User, namespace: Option<&str>, rules: &Value) {
        let name = format!("{}role-{}", self.prefix, self.roles.fetch_add(1, Ordering::Relaxed));
        let mut rules_of_role = rules.as_array().into_iter().flatten();
        let new = rules_of_role.find(|rule| !self.is_granted(user, namespace, rule));
        let (base, kind) = match namespace {
            Some(namespace) => {
                (format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/"), "Role")
            }
            None => ("/apis/rbac.authorization.k8s.io/v1/cluster".to_owned(), "ClusterRole"),
        };
        self.create(&format!("{base}roles"), &json!({"metadata": {"name": name}, "rules": rules}));
        self.create(
            &format!("{base}rolebindings"),
            &json!({
                "metadata": {"name": name},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user.name}],
            }),
        );
        // The real server sees a new role a moment later, and then all of it.
        if let Some(rule) = new {
            eventually("the rules hold", || self.is_granted(user, namespace, rule));
        }
    }

    /// Returns true if the user has the first right of a rule.
    fn is_granted(&self, user: &User, namespace: Option<&str>, rule: &Value) -> bool {
        let attributes = json!({
            "namespace": namespace, "verb": rule["verbs"][0], "group": rule["apiGroups"][0],
            "resource": rule["resources"][0], "name": rule["resourceNames"][0],
        });
        let review = json!({
            "kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
            "spec": {"resourceAttributes": attributes},
        });
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let json = [("content-type", "application/json")];
        let (_, answer) = self.ask(&user.token, "POST", path, &json, &review.to_string());
        answer["status"]["allowed"] == true
    }

    /// Returns a client certificate and its key (PEM) for a user of this name, without rights but those
    /// granted.
    pub fn client_certificate(&self, user: &str, validity: Validity) -> (String, String) {
        self.front_door.client_certificate(user, validity)
    }

    // The content of the cluster. These go to the cluster directly: no log, no faults.

    /// Returns the world's namespace of this name, made at the first call.
    pub fn namespace(&self, name: &str) -> String {
        self.labelled_namespace(name, &json!({}))
    }

    /// Makes a Run:ai project with a namespace of its own.
    pub fn project(&self, name: &str) -> Project {
        let project = format!("{}{name}", self.prefix);
        let namespace = self.labelled_namespace(&format!("runai-{name}"), &json!({"runai/queue": project}));
        Project { name: project, namespace }
    }

    /// Returns the world's Run:ai namespace, for `--runai-namespace`.
    pub fn runai_namespace(&self) -> String {
        self.namespace("runai")
    }

    fn labelled_namespace(&self, name: &str, labels: &Value) -> String {
        let full = format!("{}{name}", self.prefix);
        let mut labels = labels.clone();
        labels[WORLD_LABEL] = self.id.as_str().into();
        let namespace = json!({"metadata": {"name": full, "labels": labels}});
        let (status, answer) = self.admin("POST", "/api/v1/namespaces", Some(&namespace));
        assert!(matches!(status, 201 | 409), "the namespace {full} could not be made: {answer}");
        full
    }

    /// Returns the world's projects.
    pub fn projects(&self) -> Vec<Project> {
        let path = format!("/api/v1/namespaces?labelSelector=runai/queue,{WORLD_LABEL}={}", self.id);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.list(&path)
            .iter()
            .map(|item| Project {
                name: text(&item["metadata"]["labels"]["runai/queue"]),
                namespace: text(&item["metadata"]["name"]),
            })
            .collect()
    }

    /// Sends any request as the administrator. Returns the status, and the body; `null` if that is not JSON.
    /// A PATCH is a merge patch.
    pub fn admin(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let body = body.map(Value::to_string).unwrap_or_default();
        self.ask(&self.admin_token, method, path, &[("content-type", kind)], &body)
    }

    /// Sends any request with any token; it bypasses the front door, as [`World::admin`] does.
    pub fn ask(
        &self,
        token: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (u16, Value) {
        wait_for(ask(&self.backend, token, method, path, headers, body))
    }

    /// Returns the object at a path; `None` if there is none.
    pub fn get(&self, path: &str) -> Option<Value> {
        let (status, object) = self.admin("GET", path, None);
        (status == 200).then_some(object)
    }

    /// Returns the items at a path.
    #[track_caller]
    pub fn list(&self, path: &str) -> Vec<Value> {
        let (status, list) = self.admin("GET", path, None);
        assert_eq!(status, 200, "GET {path}: {list}");
        list["items"].as_array().cloned().unwrap_or_default()
    }

    /// Creates an object; the path is the collection's.
    #[track_caller]
    pub fn create(&self, path: &str, object: &Value) -> Value {
        let (status, answer) = self.admin("POST", path, Some(object));
        assert_eq!(status, 201, "POST {path}: {answer}");
        answer
    }

    /// Merges a patch into an object.
    #[track_caller]
    pub fn patch(&self, path: &str, changes: &Value) -> Value {
        let (status, answer) = self.admin("PATCH", path, Some(changes));
        assert_eq!(status, 200, "PATCH {path}: {answer}");
        answer
    }

    /// Merges a patch into an object that its controller may take away at any moment. Returns false where it is gone.
    #[track_caller]
    pub fn patch_if_there(&self, path: &str, changes: &Value) -> bool {
        let (status, answer) = self.admin("PATCH", path, Some(changes));
        assert!(matches!(status, 200 | 404), "PATCH {path}: {answer}");
        status == 200
    }

    /// Deletes an object.
    #[track_caller]
    pub fn delete(&self, path: &str) {
        let (status, answer) = self.admin("DELETE", path, None);
        assert!(matches!(status, 200 | 202), "DELETE {path}: {answer}");
    }

    /// Returns a Secret; `None` if there is none.
    pub fn secret(&self, namespace: &str, name: &str) -> Option<Value> {
        self.get(&format!("/api/v1/namespaces/{namespace}/secrets/{name}"))
    }

    /// Returns the decoded value of a key; `None` if the Secret or the key is missing.
    pub fn secret_value(&self, namespace: &str, name: &str, key: &str) -> Option<Vec<u8>> {
        let secret = self.secret(namespace, name)?;
        BASE64_STANDARD.decode(secret["data"].get(key)?.as_str()?).ok()
    }

    /// Creates an `Opaque` Secret.
    #[track_caller]
    pub fn create_secret(&self, namespace: &str, name: &str, data: &[(&str, &str)]) -> Value {
        let data: Value = data.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect();
        let secret = json!({"metadata": {"name": name}, "type": "Opaque", "stringData": data});
        self.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &secret)
    }

    /// Plays a scheduler and a kubelet: binds a pod to a missing node, and writes the status of its first
    /// container, such as `{"running": {}}` or `{"waiting": {"reason": "CreateContainerConfigError"}}`.
    pub fn run_pod(&self, namespace: &str, pod: &str, phase: &str, container_state: &Value) {
        let is_there = self.run_pod_if_there(namespace, pod, phase, container_state);
        assert!(is_there, "there is no pod {pod} in {namespace}");
    }

    /// The same for a pod that its controller may take away at any moment. Returns false where it is gone.
    #[track_caller]
    pub fn run_pod_if_there(&self, namespace: &str, pod: &str, phase: &str, container_state: &Value) -> bool {
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}");
        let node = json!({"kind": "Node", "apiVersion": "v1", "name": "test-node"});
        let binding =
            json!({"kind": "Binding", "apiVersion": "v1", "metadata": {"name": pod}, "target": node});
        self.admin("POST", &format!("{path}/binding"), Some(&binding));
        let spec = self.get(&path).unwrap_or_default();
        let running = container_state.get("running").is_some();
        let container = json!({
            "name": spec["spec"]["containers"][0]["name"], "image": spec["spec"]["containers"][0]["image"],
            "imageID": "", "ready": running, "restartCount": 0, "state": container_state,
        });
        let status = json!({"status": {"phase": phase, "containerStatuses": [container]}});
        self.patch_if_there(&format!("{path}/status"), &status)
    }

    /// Plays Run:ai's controller, which copies cluster-wide Secrets into every project, until dropped.
    pub fn start_propagation(&self) -> Propagation {
        let (runai_namespace, world) = (self.runai_namespace(), self.id.clone());
        match &self.backend {
            Backend::Real(_) => Propagation::process(ControlPlane::shared(), &runai_namespace, &world),
            Backend::InProcess(_) => {
                let (backend, token) = (self.backend.clone(), self.admin_token.clone());
                Propagation::task(Controller { backend, token, runai_namespace, world })
            }
        }
    }
}

fn in_process_backend() -> Backend {
    Backend::InProcess(Arc::new(ApiServer::new(ADMIN_TOKEN)))
}

fn next_id() -> String {
    static WORLDS: AtomicUsize = AtomicUsize::new(1);
    format!("t{}", WORLDS.fetch_add(1, Ordering::Relaxed))
}

/// Asks repeatedly, for a minute at most.
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_mins(1), "{what}: not after a minute");
        std::thread::sleep(Duration::from_millis(20));
    }
}
