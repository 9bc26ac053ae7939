//! Sharing in a large cluster: `sync` beside `kubectl apply`, and `status`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::control_plane::{self, ControlPlane};
use support::{Sandbox, World};

use crate::NO_API_SERVER;
use crate::arena::{Arena, Pair, RUNS_OF_LARGE, arguments};
use crate::plugin::plugin;
use crate::row::{Row, Target, counted};

/// How many projects a large cluster has.
const PROJECTS: usize = 1000;

const SYNC: Pair<'_> = Pair {
    what: "`sync` to 1,000 projects, beside `kubectl apply` of the same secrets",
    ours: "sync timed --runai-namespace {namespace}",
    kubectls: "apply -f timed.json",
    target: Target::Fraction(10.0),
};

const SYNC_MEMORY: Pair<'_> = Pair {
    what: "its memory, resident at its peak",
    ours: "sync weighed --runai-namespace {namespace}",
    kubectls: "apply -f weighed.json",
    target: Target::Megabytes(40.0),
};

const STATUS: Pair<'_> = Pair {
    what: "`status` over 1,000 projects, beside `kubectl get secrets -A` of that name",
    ours: "status timed --runai-namespace {namespace}",
    kubectls: "get secrets -A --field-selector=metadata.name=timed",
    target: Target::None,
};

/// Sharing in a large cluster. What changes it is run once: 1,000 writes are a sample of their own.
pub(crate) fn on_api_server() -> Vec<Row> {
    if !control_plane::available() {
        return [SYNC, SYNC_MEMORY, STATUS]
            .iter()
            .map(|pair| Row::not_run(pair.what, NO_API_SERVER, pair.target))
            .collect();
    }
    let world = World::real();
    let (namespace, namespaces) = with_projects(&world);
    // The controller manager gives each new namespace a service account, which takes it a while.
    let accounts = || world.list("/api/v1/serviceaccounts?fieldSelector=metadata.name%3Ddefault").len();
    let started = Instant::now();
    while accounts() < namespaces.len() && started.elapsed() < Duration::from_mins(5) {
        std::thread::sleep(Duration::from_secs(1));
    }
    let sandbox = Sandbox::new();
    let file =
        sandbox.file("kubeconfig", ControlPlane::shared().kubeconfig().namespace(&namespace).to_string());
    for name in ["timed", "weighed"] {
        let secret = |namespace: &String| {
            json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": {"name": format!("kubectls-{name}"), "namespace": namespace},
                "data": {"TOKEN": "czNjcmV0"},
            })
        };
        let items: Vec<Value> = namespaces.iter().map(secret).collect();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        sandbox.file(format!("{name}.json"), list.to_string());
    }
    let arena = Arena { sandbox: sandbox.with_env("KUBECONFIG", file), runs: RUNS_OF_LARGE };
    let ours = |pair: &Pair<'_>| pair.ours.replace("{namespace}", &namespace);
    let rows = vec![
        arena.once(&Pair { ours: &ours(&SYNC), ..SYNC }),
        arena.memory_once(&Pair { ours: &ours(&SYNC_MEMORY), ..SYNC_MEMORY }),
        arena.time(&Pair { ours: &ours(&STATUS), ..STATUS }),
    ];
    for namespace in namespaces.iter().chain([&namespace]) {
        world.delete(&format!("/api/v1/namespaces/{namespace}"));
    }
    rows
}

/// Two shared secrets, and the namespaces of the projects.
fn with_projects(world: &World) -> (String, Vec<String>) {
    eprintln!("making {PROJECTS} projects");
    let runai = world.runai_namespace();
    let namespaces = (0..PROJECTS).map(|number| world.project(&format!("p{number}")).namespace).collect();
    for name in ["timed", "weighed"] {
        let labels = json!({"runai/cluster-wide": "true", "run.ai/cluster-wide": "true"});
        let secret = json!({"metadata": {"name": name, "labels": labels}, "data": {"TOKEN": "czNjcmV0"}});
        world.create(&format!("/api/v1/namespaces/{runai}/secrets"), &secret);
    }
    (runai, namespaces)
}

/// What `status` and `sync` send, from the log of the in-process API server.
pub(crate) fn requests() -> Vec<Row> {
    let world = World::in_process();
    let (namespace, _) = with_projects(&world);
    let sandbox = Sandbox::new().kubeconfig(&world.kubeconfig());
    let run = |words: &str| {
        world.clear_log();
        let words = format!("{words} --runai-namespace {namespace}");
        let _ = sandbox.with_run().program(plugin(), arguments(&words, 0)).success();
        world.requests()
    };
    let sync = run("sync timed");
    let most = sync.iter().map(|request| request.in_flight).max().unwrap_or_default();
    let again = run("sync timed");
    let status = run("status timed");
    vec![
        counted("requests of `sync` that are under way at once", most, 16),
        counted("writes of a second `sync`", again.iter().filter(|request| request.is_write()).count(), 0),
        counted("requests of `status` over 1,000 projects, 3 of them for further pages", status.len(), 6),
    ]
}
