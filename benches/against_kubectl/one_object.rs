//! Commands for one secret or one workload, on the real API server, and the requests that they need.

use serde_json::json;
use support::control_plane::{self, ControlPlane};
use support::{Recorded, Sandbox, World, direct};

use crate::NO_API_SERVER;
use crate::arena::{Arena, Pair, RUNS, WARM_UPS, arguments};
use crate::plugin::plugin;
use crate::row::{Row, Target, counted};

/// For the real API server.
const CREATE: Pair<'_> = Pair {
    what: "`create`, above TLS, the bare POST and a start",
    ours: "create ours-{run} --from-literal=TOKEN=s3cret",
    kubectls: "create secret generic kubectls-{run} --from-literal=TOKEN=s3cret",
    target: Target::Floor(1.25),
};

/// For the real API server; `{namespace}` is the one it is about.
const ON_API_SERVER: [Pair<'_>; 4] = [
    Pair {
        what: "`label`, beside `kubectl label secret`",
        ours: "label ours-{run} --runai-namespace {namespace} --yes",
        kubectls: "label secret kubectls-{run} runai/cluster-wide=true run.ai/cluster-wide=true",
        target: Target::None,
    },
    Pair {
        what: "`attach` two keys to a Deployment, beside `kubectl set env --from`",
        ours: "attach pair deployment/ours-{run} --env TOKEN --env USER",
        kubectls: "set env deployment/kubectls-{run} --from=secret/pair",
        target: Target::None,
    },
    Pair {
        what: "`submit` with a secret, beside `kubectl create job`",
        ours: "submit ours-{run} --image busybox -e TOKEN=SECRET:pair,TOKEN -- true",
        kubectls: "create job kubectls-{run} --image=busybox -- true",
        target: Target::None,
    },
    Pair {
        what: "`edit` of a key, in an editor that is a script",
        ours: "edit edited TOKEN",
        kubectls: "edit secret edited",
        target: Target::Fraction(1.0),
    },
];

/// Writes another text: in base64 for both, since kubectl opens the manifest, which has it so.
const EDITOR: &str = "#!/bin/sh
value=$(printf %09d $$ | base64)
if grep -q '^  TOKEN: ' \"$1\"; then sed -i \"s/^  TOKEN: .*/  TOKEN: $value/\" \"$1\"; else printf %s \"$value\" >\"$1\"; fi
";

const MEMORY: Pair<'_> = Pair {
    what: "memory of `create`, resident at its peak",
    ours: "create memory-of-ours-{run} --from-literal=TOKEN=s3cret",
    kubectls: "create secret generic memory-of-kubectls-{run} --from-literal=TOKEN=s3cret",
    target: Target::Megabytes(15.0),
};

/// Measures on the real API server, without anything in between.
pub(crate) fn on_api_server() -> Vec<Row> {
    if !control_plane::available() {
        let pairs = [&CREATE].into_iter().chain(&ON_API_SERVER).chain([&MEMORY]);
        return pairs.map(|pair| Row::not_run(pair.what, NO_API_SERVER, pair.target)).collect();
    }
    let world = World::real();
    let (arena, namespace) = prepared(&world);
    let time =
        |pair: &Pair<'_>| arena.time(&Pair { ours: &pair.ours.replace("{namespace}", &namespace), ..*pair });
    let bare = |run: usize| {
        let secret = json!({"metadata": {"name": format!("bare-{run}")}, "data": {"TOKEN": "czNjcmV0"}});
        let post = direct::post(vec![(format!("/api/v1/namespaces/{namespace}/secrets"), secret)], 1);
        post + arena.start()
    };
    let mut rows = vec![arena.time_above(&CREATE, &bare)];
    rows.extend(ON_API_SERVER.iter().map(time));
    rows.push(arena.memory(&MEMORY));
    world.delete(&format!("/api/v1/namespaces/{namespace}"));
    rows
}

/// Prepares a namespace for `label`, `attach` and `submit`; `label` finds the secrets that `create` made.
fn prepared(world: &World) -> (Arena, String) {
    let namespace = world.namespace("bench");
    for project in ["team-a", "team-b", "team-c"] {
        world.project(project);
    }
    world.create_secret(&namespace, "pair", &[("TOKEN", "s3cret"), ("USER", "ada")]);
    world.create_secret(&namespace, "edited", &[("TOKEN", "s3cret")]);
    for run in 0..WARM_UPS + RUNS {
        for name in ["ours", "kubectls"] {
            create_deployment(world, &namespace, &format!("{name}-{run}"));
        }
    }
    let sandbox = Sandbox::new();
    let editor = sandbox.program("editor", EDITOR);
    let kubeconfig = ControlPlane::shared().kubeconfig().namespace(&namespace);
    let file = sandbox.file("kubeconfig", kubeconfig.to_string());
    let sandbox = sandbox.with_env("KUBECONFIG", file).with_env("KUBE_EDITOR", editor);
    (Arena { sandbox, runs: RUNS }, namespace)
}

pub(crate) fn create_deployment(world: &World, namespace: &str, name: &str) {
    let labels = json!({"app": name});
    let container = json!({"name": "web", "image": "busybox"});
    let deployment = json!({
        "metadata": {"name": name},
        "spec": {
            // No pods: nothing else should run during the measurement.
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    });
    world.create(&format!("/apis/apps/v1/namespaces/{namespace}/deployments"), &deployment);
}

/// Counts the requests of each command, from the log of the in-process API server.
pub(crate) fn requests() -> Vec<Row> {
    let world = World::in_process();
    let namespace = world.namespace("bench");
    world.project("team-a");
    create_deployment(&world, &namespace, "web");
    let sandbox = Sandbox::new().kubeconfig(&world.kubeconfig().namespace(&namespace));
    let label = format!("label hf --runai-namespace {namespace} --yes");
    let mut discovery = 0;
    let mut rows = Vec::new();
    for (what, words, most) in [
        ("requests of `create`", "create hf --from-literal=TOKEN=s3cret", 1),
        ("requests of `view`", "view hf", 2),
        (
            "requests of `set --quiet`, which says nothing of who uses it",
            "set hf --quiet --from-literal=USER=ada",
            2,
        ),
        ("requests of `label`", label.as_str(), 3),
        ("requests of `attach`", "attach hf deployment/web --env TOKEN", 3),
        ("requests of `submit` with a secret", "submit train -i busybox -e TOKEN=SECRET:hf,TOKEN", 2),
    ] {
        world.clear_log();
        let _ = sandbox.with_run().program(plugin(), arguments(words, 0)).success();
        let requests = world.requests();
        discovery += requests.iter().filter(|request| is_discovery(request)).count();
        rows.push(counted(what, requests.len(), most));
    }
    rows.push(counted("requests of these for discovery", discovery, 0));
    rows
}

/// Returns true if it asks for the server's types, rather than for an object: `/api/v1`, `/apis/apps/v1`,
/// `/openapi/v3`.
fn is_discovery(request: &Recorded) -> bool {
    let segments: Vec<&str> = request.path.split('/').skip(1).collect();
    matches!(segments.as_slice(), ["api" | "apis"] | ["api" | "apis", _] | ["apis", _, _] | ["openapi", ..])
}
