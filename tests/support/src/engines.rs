//! What runs pods: kube-scheduler and a kubelet, beside the real control plane of this process. Operators make pods of
//! their own kinds.
//!
//! They come from the folders that `ENGINES` names. Neither scheduler nor kubelet listens. The scheduler serves the names
//! `default-scheduler` and `runai-scheduler`. The kubelet is the real one down to where containers are started: it
//! resolves references, writes mounted files and renews them, reports states and events. Containers, images and GPUs
//! are played: `true` and `false` end at once, all else runs for ever, and an image of a host under `.invalid` can't be
//! pulled.

mod operators;

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::backend::{Backend, ask};
use crate::control_plane::{ADMIN_TOKEN, ControlPlane};
use crate::forward::Forwarder;
use crate::runtime::wait_for;

pub use operators::Operators;

/// The environment variable that names the folders of the programs.
pub const ENGINES: &str = "ENGINES";

/// How many GPUs the node has.
pub const GPUS: u32 = 8;

const HOW_TO_BUILD: &str = r#"export ENGINES="$(tests/engines/build)""#;

const NODE: &str = "node-1";

const START_LIMIT: Duration = Duration::from_mins(2);

/// A running node.
pub(crate) struct Node {
    /// The kubelet's own.
    folder: PathBuf,
}

/// What a container got from the kubelet when it started.
pub struct Started(pub(crate) Value);

impl Node {
    /// Returns the node of this process, started at the first call. Panics with the reason if it can't be.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Node> = OnceLock::new();
        SHARED.get_or_init(|| {
            Self::start(ControlPlane::shared()).unwrap_or_else(|why| panic!("the node: {why}"))
        })
    }

    pub(crate) fn started(&self, namespace: &str, pod: &str, container: &str) -> Option<Started> {
        let file = self.folder.join("started").join(namespace).join(pod).join(format!("{container}.json"));
        serde_json::from_slice(&fs::read(file).ok()?).ok().map(Started)
    }

    fn start(control_plane: &ControlPlane) -> Result<Self, String> {
        let programs = control_plane.programs();
        let kubeconfig = control_plane.kubeconfig_file().display().to_string();
        let folder = programs.folder().join("kubelet");
        let scheduler = programs.folder().join("kube-scheduler.json");
        fs::create_dir(&folder)
            .and_then(|()| fs::write(&scheduler, scheduling(&kubeconfig).to_string()))
            .map_err(|error| format!("its files: {error}"))?;
        let forwarder = Forwarder::new(control_plane.tls(), control_plane.server(), ADMIN_TOKEN, "");
        let admin = Backend::Real(Arc::new(forwarder));
        // A kubelet that has to make its own node first needs two minutes more: it looks for the node before, waits, and
        // starts again.
        let node = json!({"kind": "Node", "apiVersion": "v1", "metadata": {"name": NODE}}).to_string();
        let json = [("content-type", "application/json")];
        let (status, answer) = wait_for(ask(&admin, ADMIN_TOKEN, "POST", "/api/v1/nodes", &json, &node));
        if status != 201 {
            return Err(answer.to_string());
        }
        let kubelet = [
            format!("--kubeconfig={kubeconfig}"),
            format!("--name={NODE}"),
            format!("--folder={}", folder.display()),
            format!("--gpus={GPUS}"),
        ];
        let scheduler = [format!("--config={}", scheduler.display()), "--secure-port=0".into()];
        for (program, arguments) in [("hollow-kubelet", &kubelet[..]), ("kube-scheduler", &scheduler)] {
            programs.start(&engine(program), arguments).map_err(|error| error.to_string())?;
        }
        let start = Instant::now();
        while !is_ready(&admin) {
            if start.elapsed() > START_LIMIT {
                return Err(format!("not ready after {START_LIMIT:?}\n{}", programs.last_words()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Self { folder })
    }
}

/// Returns where this program is. Panics with the command that builds it if it is in none of the folders.
fn engine(program: &str) -> PathBuf {
    let folders = std::env::var_os(ENGINES).unwrap_or_default();
    let mut places = std::env::split_paths(&folders).map(|folder| folder.join(program));
    places.find(|place| place.is_file()).unwrap_or_else(|| {
        panic!("{ENGINES} names no folder with {program}; build it and name it with: {HOW_TO_BUILD}")
    })
}

/// Returns the scheduler's configuration.
fn scheduling(kubeconfig: &str) -> Value {
    json!({
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {"kubeconfig": kubeconfig},
        "leaderElection": {"leaderElect": false},
        "profiles": [{"schedulerName": "default-scheduler"}, {"schedulerName": "runai-scheduler"}],
    })
}

/// Returns true if the node takes pods.
fn is_ready(admin: &Backend) -> bool {
    let path = format!("/api/v1/nodes/{NODE}");
    let (_, node) = wait_for(ask(admin, ADMIN_TOKEN, "GET", &path, &[], ""));
    let conditions = node["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let ready = conditions.iter().any(|it| it["type"] == "Ready" && it["status"] == "True");
    ready && node["spec"]["taints"].is_null()
}
