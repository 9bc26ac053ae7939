//! The consumers of a secret, in a large cluster.

use serde_json::{Value, json};
use support::{Sandbox, World};

use crate::arena::{Arena, Pair, RUNS_OF_LARGE, arguments};
use crate::plugin::plugin;
use crate::row::{Row, Target, counted};

/// Projects with workloads in them.
const BUSY_PROJECTS: usize = 500;
const WORKLOADS_OF_A_PROJECT: usize = 10;

const OVER_ALL_PROJECTS: Pair<'_> = Pair {
    what: "`usage hf -A` over 500 projects with 5,000 workloads, beside `kubectl get` of them as JSON",
    ours: "usage hf -A -o json",
    kubectls: "get deployments,jobs,cronjobs,secrets -A -o json",
    target: Target::None,
};

const CHECKED: Pair<'_> = Pair {
    what: "memory of `check -A` over the same, which also says who holds an old value",
    ours: "check -A -o json",
    kubectls: "get pods,deployments,jobs,cronjobs,secrets -A -o json",
    target: Target::Megabytes(60.0),
};

/// Kinds that the cluster adds, of which any may refer to secrets.
const KINDS: usize = 40;

/// Measures on the in-process API server, which takes most of the time: its share is the same for both.
pub(crate) fn rows() -> Vec<Row> {
    let world = World::in_process();
    for project in 0..BUSY_PROJECTS {
        let namespace = world.project(&format!("p{project}")).namespace;
        world.create_secret(&namespace, "hf", &[("TOKEN", "s3cret")]);
        for index in 0..WORKLOADS_OF_A_PROJECT {
            create_consumer(&world, &namespace, index);
        }
    }
    let sandbox = Sandbox::new();
    let file = sandbox.file("kubeconfig", world.kubeconfig().to_string());
    let arena = Arena { sandbox: sandbox.with_env("KUBECONFIG", file), runs: RUNS_OF_LARGE };
    let memory = Pair {
        what: "memory of that, resident at its peak",
        target: Target::Megabytes(60.0),
        ..OVER_ALL_PROJECTS
    };
    let mut rows = vec![arena.time(&OVER_ALL_PROJECTS), arena.memory(&memory), arena.memory(&CHECKED)];
    let pods = BUSY_PROJECTS * WORKLOADS_OF_A_PROJECT.div_ceil(3);
    let pages = (BUSY_PROJECTS * WORKLOADS_OF_A_PROJECT + pods) / 500;
    // The secret, nine kinds that are built in, and what the cluster adds.
    rows.push(counted("requests of that", requests(&world, &arena), 11 + pages));
    for number in 0..KINDS {
        let group = format!("group{number}.example.com");
        world.custom_resource(&group, "v1", &format!("things{number}"), &format!("Thing{number}"));
    }
    let with_kinds =
        Pair { what: "`usage hf -A` where the cluster adds 40 kinds", kubectls: "", ..OVER_ALL_PROJECTS };
    rows.push(arena.time(&with_kinds));
    rows.push(arena.memory(&Pair { kubectls: "", ..memory }));
    // A schema and a list for each.
    rows.push(counted("requests of that", requests(&world, &arena), 11 + pages + 2 * KINDS));
    rows
}

/// Counts the requests of a run.
fn requests(world: &World, arena: &Arena) -> usize {
    world.clear_log();
    let _ = arena.sandbox.with_run().program(plugin(), arguments(OVER_ALL_PROJECTS.ours, 0)).success();
    world.requests().len()
}

/// Creates a Deployment, a suspended Job, or a `CronJob`, with the record of field owners that real ones
/// have.
fn create_consumer(world: &World, namespace: &str, index: usize) {
    let env = json!([{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "hf", "key": "TOKEN"}}}]);
    let container =
        json!({"name": "main", "image": "busybox", "env": env, "envFrom": [{"secretRef": {"name": "hf"}}]});
    let labels = json!({"app": format!("w{index}")});
    let spec = json!({"restartPolicy": "Never", "containers": [container]});
    let template = json!({"metadata": {"labels": labels}, "spec": spec});
    let (group, plural, spec) = match index % 3 {
        0 => {
            let mut template = template;
            template["spec"]["restartPolicy"] = "Always".into();
            ("apps", "deployments", json!({"selector": {"matchLabels": labels}, "template": template}))
        }
        1 => ("batch", "jobs", json!({"suspend": true, "template": template})),
        _ => (
            "batch",
            "cronjobs",
            json!({"schedule": "0 2 * * *", "jobTemplate": {"spec": {"template": template}}}),
        ),
    };
    // The server keeps the record of field owners beside the object, and the copy that apply left.
    let annotations = json!({"kubectl.kubernetes.io/last-applied-configuration": "x".repeat(2000)});
    let metadata = json!({"name": format!("w{index}"), "annotations": annotations});
    let path = format!("/apis/{group}/v1/namespaces/{namespace}/{plural}");
    let pod = (plural == "deployments").then(|| spec["template"]["spec"].clone());
    let owner = world.create(&path, &json!({"metadata": metadata, "spec": spec}));
    if let Some(spec) = pod {
        run_pod(world, namespace, &owner, &spec);
    }
}

/// Creates a pod of a deployment that read the secret when it started.
pub(crate) fn run_pod(world: &World, namespace: &str, owner: &Value, spec: &Value) {
    let (name, uid) = (&owner["metadata"]["name"], &owner["metadata"]["uid"]);
    let pod = format!("{}-1", name.as_str().unwrap_or_default());
    let owners = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": uid, "controller": true}]);
    let metadata = json!({"name": pod, "ownerReferences": owners});
    world.create(
        &format!("/api/v1/namespaces/{namespace}/pods"),
        &json!({"metadata": metadata, "spec": spec}),
    );
    world.run_pod(namespace, &pod, "Running", &json!({"running": {"startedAt": "2020-01-01T00:00:00Z"}}));
}
