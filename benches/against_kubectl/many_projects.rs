//! Sharing in a large cluster: `sync` beside `kubectl apply`, and `status`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::control_plane::{self, ControlPlane};
use support::{Sandbox, World, direct};

use crate::NO_API_SERVER;
use crate::arena::{Arena, Pair, RUNS_OF_LARGE, arguments};
use crate::distance::{Distance, road};
use crate::plugin::plugin;
use crate::row::{Row, Target, counted};

/// The number of projects of a large cluster.
const PROJECTS: usize = 1000;

/// A round trip to another machine of the same region.
const WITHIN_A_REGION: Duration = Duration::from_millis(5);

/// As many writes as `sync` has under way.
const AT_ONCE: usize = 16;

/// How often 1,000 copies are made, each time of another secret: the time varies by a third.
const SYNCS: usize = 3;

const SYNC: Pair<'_> = Pair {
    what: "`sync` to 1,000 projects, above the bare POSTs, so many at once, and beside `kubectl apply`",
    ours: "sync timed-{run} --runai-namespace {namespace}",
    kubectls: "apply -f timed-{run}.json",
    target: Target::Floor(1.15),
};

const SYNC_AT_A_DISTANCE: Pair<'_> = Pair {
    what: "the same through a network whose round trip takes 5 ms",
    ours: "sync distant --runai-namespace {namespace}",
    kubectls: "apply -f distant.json",
    target: Target::Fraction(10.0),
};

const ROTATED: Pair<'_> = Pair {
    what: "`sync` of a value that was rotated to the 1,000 that have it, beside `kubectl apply` of the same",
    ours: "sync timed-0 --runai-namespace {namespace}",
    kubectls: "apply -f rotated.json",
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
    ours: "status timed-0 --runai-namespace {namespace}",
    kubectls: "get secrets -A --field-selector=metadata.name=timed-0",
    target: Target::None,
};

/// Measures sharing in a large cluster.
pub(crate) fn on_api_server() -> Vec<Row> {
    if !control_plane::available() {
        return [SYNC, SYNC_AT_A_DISTANCE, ROTATED, SYNC_MEMORY, STATUS]
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
    for name in names() {
        sandbox.file(format!("{name}.json"), kubectls_copies(&name, &namespaces, "czNjcmV0"));
    }
    sandbox.file("rotated.json", kubectls_copies("timed-0", &namespaces, "cm90YXRlZA=="));
    let kubeconfig = ControlPlane::shared().kubeconfig().namespace(&namespace);
    let file = sandbox.file("kubeconfig", kubeconfig.to_string());
    let arena = Arena { sandbox: sandbox.with_env("KUBECONFIG", file), runs: RUNS_OF_LARGE };
    arena.connect(&kubeconfig);
    let ours = |pair: &Pair<'_>| pair.ours.replace("{namespace}", &namespace);
    let bare = |run| direct::post(bare_copies(&format!("bare-{run}"), &namespaces), AT_ONCE);
    let made = arena.in_turn(&Pair { ours: &ours(&SYNC), ..SYNC }, SYNCS, Some(&bare));
    arena.connect(&kubeconfig.clone().server(&far(&kubeconfig.server_address())));
    let made_far_away = arena.once(&Pair { ours: &ours(&SYNC_AT_A_DISTANCE), ..SYNC_AT_A_DISTANCE });
    arena.connect(&kubeconfig);
    let rotate = json!({"data": {"TOKEN": "cm90YXRlZA=="}});
    world.patch(&format!("/api/v1/namespaces/{namespace}/secrets/timed-0"), &rotate);
    // The projects stay until the control plane ends: deleting them would take minutes, during other
    // measurements.
    vec![
        made,
        made_far_away,
        arena.once(&Pair { ours: &ours(&ROTATED), ..ROTATED }),
        arena.memory_once(&Pair { ours: &ours(&SYNC_MEMORY), ..SYNC_MEMORY }),
        arena.time(&Pair { ours: &ours(&STATUS), ..STATUS }),
    ]
}

/// Returns the address of a server at a distance.
fn far(server: &str) -> String {
    let address = server.trim_start_matches("https://").parse().expect("an IP address and a port");
    format!("https://{}", road(address, Distance::of(WITHIN_A_REGION)).address)
}

/// Returns the names of the shared secrets.
fn names() -> impl Iterator<Item = String> {
    (0..SYNCS).map(|run| format!("timed-{run}")).chain(["distant", "weighed"].map(str::to_owned))
}

/// Returns the equivalent input of `kubectl apply`: a list of secrets, of a name of their own.
fn kubectls_copies(name: &str, namespaces: &[String], value: &str) -> String {
    let copy = |namespace: &String| {
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": format!("kubectls-{name}"), "namespace": namespace},
            "data": {"TOKEN": value},
        })
    };
    let items: Vec<Value> = namespaces.iter().map(copy).collect();
    json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
}

/// Returns the same secrets, with the path of each.
fn bare_copies(name: &str, namespaces: &[String]) -> Vec<(String, Value)> {
    let secret = json!({"metadata": {"name": name}, "data": {"TOKEN": "czNjcmV0"}});
    let path = |namespace: &String| format!("/api/v1/namespaces/{namespace}/secrets");
    namespaces.iter().map(|namespace| (path(namespace), secret.clone())).collect()
}

/// Makes shared secrets, and returns the namespaces of the projects.
fn with_projects(world: &World) -> (String, Vec<String>) {
    eprintln!("making {PROJECTS} projects");
    let runai = world.runai_namespace();
    let namespaces = (0..PROJECTS).map(|number| world.project(&format!("p{number}")).namespace).collect();
    for name in names() {
        let labels = json!({"runai/cluster-wide": "true", "run.ai/cluster-wide": "true"});
        let secret = json!({"metadata": {"name": name, "labels": labels}, "data": {"TOKEN": "czNjcmV0"}});
        world.create(&format!("/api/v1/namespaces/{runai}/secrets"), &secret);
    }
    (runai, namespaces)
}

/// Counts the requests of `status` and `sync`, from the log of the in-process API server.
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
    let sync = run("sync timed-0");
    let most = sync.iter().map(|request| request.in_flight).max().unwrap_or_default();
    let again = run("sync timed-0");
    let status = run("status timed-0");
    vec![
        counted("requests of `sync` that are under way at once", most, AT_ONCE),
        counted("writes of a second `sync`", again.iter().filter(|request| request.is_write()).count(), 0),
        counted("requests of `status` over 1,000 projects, 3 of them for further pages", status.len(), 6),
    ]
}
