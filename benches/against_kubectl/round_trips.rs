//! How often a command waits for a distant server: its round trips, connections, requests and bytes.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use support::control_plane;
use support::sandbox::kubectl;
use support::{Sandbox, World};

use crate::arena::{Arena, arguments};
use crate::distance::{Distance, Road, road};
use crate::many_workloads::run_pod;
use crate::one_object::create_deployment;
use crate::plugin::plugin;
use crate::row::{megabytes, quartiles};
use crate::{MEGABYTE, NO_KUBECTL};

const ROUND_TRIP: Duration = Duration::from_millis(100);

/// A link of 1 Mbit/s to the same server.
const SLOW: Distance = Distance { round_trip: ROUND_TRIP, byte: Duration::from_micros(8) };

/// Runs of each command over the slow link, which is as quick in each.
const RUNS_WHEN_SLOW: usize = 2;

/// Runs of each command over each road.
const RUNS: usize = 5;
/// Runs before those: kubectl fills its discovery cache.
const WARM_UPS: usize = 2;

/// The number of the run whose memory is measured, after those of both roads.
const MEMORY_RUN: usize = 2 * (WARM_UPS + RUNS);

/// The number of the first run over the slow link.
const SLOW_RUN: usize = MEMORY_RUN + 1;

/// The part of a round trip by which a measurement may miss: a busy machine takes a few milliseconds more or
/// less.
const NOISE: f64 = 0.3;

/// The most memory of a command about one object, resident at its peak.
const MEMORY: f64 = 12.0 * MEGABYTE;

/// A command, beside that of kubectl which comes nearest. Words in braces stand for what was prepared.
struct Trip {
    what: &'static str,
    ours: &'static str,
    kubectls: &'static str,
    /// TCP, TLS, and the requests that have to wait for others.
    floor: u8,
}

const fn trip(what: &'static str, ours: &'static str, kubectls: &'static str, floor: u8) -> Trip {
    Trip { what, ours, kubectls, floor }
}

const TRIPS: [Trip; 17] = [
    trip(
        "`create -n`",
        "create ours-{run} --from-literal=K=v -n {namespace}",
        "create secret generic kubectls-{run} --from-literal=K=v -n {namespace}",
        3,
    ),
    trip("`create -p`", "create of-project-{run} --from-literal=K=v -p {project}", "", 4),
    trip(
        "`label`",
        "label ours-{run} --runai-namespace {namespace} --yes",
        "label secret kubectls-{run} runai/cluster-wide=true run.ai/cluster-wide=true -n {namespace}",
        4,
    ),
    trip(
        "`attach -n`, `kubectl set env`",
        "attach pair deployment/ours-{run} --env TOKEN --env USER -n {namespace}",
        "set env deployment/kubectls-{run} --from=secret/pair -n {namespace}",
        4,
    ),
    trip("`attach -p`", "attach pair deployment/p-{run} --env TOKEN --env USER -p {project}", "", 5),
    trip(
        "`submit -n`, `kubectl create job`",
        "submit ours-{run} --image busybox -e TOKEN=SECRET:pair,TOKEN -n {namespace} -- true",
        "create job kubectls-{run} --image=busybox -n {namespace} -- true",
        4,
    ),
    trip(
        "`submit -p`",
        "submit p-{run} --image busybox -e TOKEN=SECRET:pair,TOKEN -p {project} -- true",
        "",
        5,
    ),
    trip("`view`", "view pair -n {namespace}", "get secret pair -n {namespace} -o json", 3),
    trip("`list`", "list -n {namespace}", "get secrets -n {namespace}", 3),
    trip("Tab on a secret's name", "delete -n {namespace} p", "__complete get secret -n {namespace} p", 3),
    trip(
        "`set`, `kubectl patch`",
        "set used --from-literal=TOKEN={run} -n {clean}",
        "patch secret used -n {clean} --type=merge -p {\"stringData\":{\"TOKEN\":\"{run}\"}}",
        4,
    ),
    trip(
        "`restart --all --no-wait`, `kubectl rollout restart`",
        "restart again-{run} --all --no-wait --yes -n {again}",
        "rollout restart deployment/kubectls-{run} -n {namespace}",
        5,
    ),
    trip("`set -q`", "set used --from-literal=TOKEN={run} -n {clean} -q", "", 4),
    trip(
        "`status`, `kubectl get secrets -A`",
        "status shared --runai-namespace {runai}",
        "get secrets -A --field-selector=metadata.name=shared",
        3,
    ),
    trip(
        "`usage`, `kubectl get`",
        "usage used -n {clean}",
        "get pods,deployments,statefulsets,daemonsets,jobs,cronjobs,serviceaccounts -n {clean} -o json",
        3,
    ),
    trip(
        "`check`, `kubectl get`",
        "check -n {clean}",
        "get pods,deployments,statefulsets,daemonsets,jobs,cronjobs,serviceaccounts,secrets -n {clean} -o json",
        4,
    ),
    trip("`check` of a workload", "check deployment/used -n {clean}", "", 4),
];

/// With a kind that is not built in: the version has to be looked up first.
const WITH_ANOTHER_KIND: Trip = trip("`usage` where another kind is served", "usage used -n {clean}", "", 4);

/// What was measured of one command.
struct Measured {
    round_trips: f64,
    connections: usize,
    requests: usize,
    bytes: usize,
    memory: f64,
    /// The whole time over the slow link, in seconds.
    slow: f64,
}

impl Measured {
    fn cells(&self) -> String {
        let Self { round_trips, connections, requests, bytes, memory, slow } = self;
        #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
        let kilobytes = *bytes as f64 / 1e3;
        let memory = megabytes(*memory);
        format!("{round_trips:.1} | {connections} | {requests} | {kilobytes:.1} kB | {slow:.2} s | {memory}")
    }
}

/// The same server twice, near and far.
struct Globe {
    world: World,
    roads: [(Arena, Road); 2],
    slow: Arena,
    completer: PathBuf,
    places: Vec<(&'static str, String)>,
}

/// Measures every command, and prints the table.
pub(crate) fn print() {
    let globe = prepared();
    println!(
        "At a round trip of {} ms, where one is the TCP handshake and one is TLS:\n\n\
         | what | round trips | connections | requests | bytes | at 1 Mbit/s | memory | kubectl's round trips \
         | connections | requests | bytes | at 1 Mbit/s | memory | floor | met |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
        ROUND_TRIP.as_millis()
    );
    for trip in &TRIPS {
        globe.print(trip);
    }
    globe.world.custom_resource("far.example.com", "v1", "gadgets", "Gadget");
    globe.print(&WITH_ANOTHER_KIND);
}

impl Globe {
    fn print(&self, trip: &Trip) {
        let ours = self.measure(self.program(trip), trip.ours);
        let kubectls = match kubectl() {
            _ if trip.kubectls.is_empty() => " |  |  |  |  | ".to_owned(),
            None => format!("{NO_KUBECTL} |  |  |  |  | "),
            Some(kubectl) => self.measure(kubectl, trip.kubectls).cells(),
        };
        let is_met = ours.round_trips <= f64::from(trip.floor) + NOISE && ours.memory <= MEMORY;
        let met = if is_met { "yes" } else { "**no**" };
        println!("| {} | {} | {kubectls} | {} | {met} |", trip.what, ours.cells(), trip.floor);
    }

    fn program(&self, trip: &Trip) -> &Path {
        if trip.what.starts_with("Tab") { &self.completer } else { plugin() }
    }

    fn measure(&self, program: &Path, words: &str) -> Measured {
        eprintln!("measuring {words}");
        let words =
            self.places.iter().fold(words.to_owned(), |words, (name, place)| words.replace(name, place));
        let mut times = [Vec::new(), Vec::new()];
        let near = &self.roads[0].0;
        let memory = near.peak_memory(program, &arguments(&words, MEMORY_RUN));
        let slow = |run| self.slow.took(program, &arguments(&words, SLOW_RUN + run)).as_secs_f64();
        let slow = (0..RUNS_WHEN_SLOW).map(slow).fold(f64::INFINITY, f64::min);
        let mut measured = Measured { round_trips: 0.0, connections: 0, requests: 0, bytes: 0, memory, slow };
        for turn in 0..WARM_UPS + RUNS {
            for (index, (arena, road)) in self.roads.iter().enumerate() {
                self.world.clear_log();
                road.traffic();
                let took = arena.took(program, &arguments(&words, 2 * turn + index));
                if turn >= WARM_UPS {
                    times[index].push(took.as_secs_f64());
                }
                (measured.connections, measured.bytes) = road.traffic();
                measured.requests = self.world.requests().len();
            }
        }
        let [near, far] = times.map(|times| quartiles(times)[1]);
        Measured { round_trips: (far - near) / ROUND_TRIP.as_secs_f64(), ..measured }
    }
}

/// Prepares what the commands are about, on the real API server if there is one.
fn prepared() -> Globe {
    let world = if control_plane::available() { World::real() } else { World::in_process() };
    let project = world.project("far");
    let [namespace, clean, again] = ["far", "clean", "again"].map(|name| world.namespace(name));
    let runai = world.runai_namespace();
    for at in [&project.namespace, &namespace] {
        world.create_secret(at, "pair", &[("TOKEN", "s3cret"), ("USER", "ada")]);
    }
    for run in 0..SLOW_RUN + RUNS_WHEN_SLOW {
        for name in ["ours", "kubectls"] {
            create_deployment(&world, &namespace, &format!("{name}-{run}"));
        }
        create_deployment(&world, &project.namespace, &format!("p-{run}"));
    }
    for at in [&namespace, &clean] {
        create_consumer(&world, at, "used");
    }
    // One for each run: a second restart within a second would wait, and kubectl's is refused.
    for run in 0..SLOW_RUN + RUNS_WHEN_SLOW {
        create_consumer(&world, &again, &format!("again-{run}"));
    }
    let shared = json!({"metadata": {"name": "shared", "labels": {"runai/cluster-wide": "true", "run.ai/cluster-wide": "true"}},
        "data": {"TOKEN": "czNjcmV0"}});
    world.create(&format!("/api/v1/namespaces/{runai}/secrets"), &shared);
    let connected = |distance| {
        let road = road(world.address(), distance);
        let arena = Arena { sandbox: Sandbox::new(), runs: RUNS };
        arena.connect(&world.kubeconfig().server(&format!("https://{}", road.address)));
        (arena, road)
    };
    let roads = [Duration::ZERO, ROUND_TRIP].map(|round_trip| connected(Distance::of(round_trip)));
    let (slow, _) = connected(SLOW);
    let near = &roads[0].0;
    near.took(plugin(), &arguments(&format!("sync shared --runai-namespace {runai}"), 0));
    let completer = near.sandbox.bin().join("kubectl_complete-runai_secret");
    symlink(plugin(), &completer).expect("a link in the sandbox");
    let places = vec![
        ("{namespace}", namespace),
        ("{clean}", clean),
        ("{again}", again),
        ("{project}", project.name),
        ("{runai}", runai),
    ];
    Globe { world, roads, slow, completer, places }
}

/// Creates a secret, a Deployment of the same name that reads it, and its pod: `restart` leaves alone what holds
/// nothing.
fn create_consumer(world: &World, namespace: &str, name: &str) {
    world.create_secret(namespace, name, &[("TOKEN", "s3cret")]);
    create_deployment(world, namespace, name);
    let env = json!([{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": name, "key": "TOKEN"}}}]);
    let spec = json!({"containers": [{"name": "web", "image": "busybox", "env": env}]});
    let changes = json!({"spec": {"replicas": 1, "template": {"spec": spec}}});
    let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/{name}");
    run_pod(world, namespace, &world.patch(&path, &changes), &spec);
}
