//! The rotation of a shared secret: one command, beside the script that does the same with kubectl.

use std::fmt::Write as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::json;
use support::sandbox::kubectl;
use support::{Sandbox, World};

use crate::arena::{Arena, Pair, arguments};
use crate::plugin::plugin;
use crate::row::{Row, Samples, Target, compared};

const PROJECTS: usize = 200;
const WORKLOADS_OF_A_PROJECT: usize = 2;

const ROTATION: Pair<'_> = Pair {
    what: "`set hf -n runai --restart` with 200 projects and 400 workloads, beside a script of `kubectl patch`, `get` \
           until all copies are there, and `rollout restart`, which does not wait for pods",
    ours: "set hf --from-literal=TOKEN=rotated -n {namespace} --restart --yes --runai-namespace {namespace}",
    kubectls: "",
    target: Target::Fraction(10.0),
};

/// Measures on the in-process API server, with a stand-in for Run:ai's controller. No pods run: the status of each
/// workload says from the start that its rollout is done, to both.
pub(crate) fn rows() -> Vec<Row> {
    let world = World::in_process();
    let runai = world.runai_namespace();
    let namespaces: Vec<String> =
        (0..PROJECTS).map(|number| world.project(&format!("p{number}")).namespace).collect();
    let labels = json!({"runai/cluster-wide": "true", "run.ai/cluster-wide": "true"});
    let source = json!({"metadata": {"name": "hf", "labels": labels}, "stringData": {"TOKEN": "first"}});
    world.create(&format!("/api/v1/namespaces/{runai}/secrets"), &source);
    for namespace in &namespaces {
        for index in 0..WORKLOADS_OF_A_PROJECT {
            create_workload(&world, namespace, index);
        }
    }
    let _controller = world.start_propagation();
    let sandbox = Sandbox::new();
    let file = sandbox.file("kubeconfig", world.kubeconfig().to_string());
    let script = sandbox.file("rotate.sh", script(&runai, &namespaces));
    let arena = Arena { sandbox: sandbox.with_env("KUBECONFIG", file), runs: 1 };
    let took = |program: &Path, words: &[String]| arena.took(program, words).as_secs_f64();
    let ours = took(plugin(), &arguments(&ROTATION.ours.replace("{namespace}", &runai), 0));
    // kubectl refuses a second restart within a second of the mark.
    thread::sleep(Duration::from_secs(2));
    let kubectls = kubectl().map(|_| took(Path::new("/bin/sh"), &[script.display().to_string()]));
    let in_words = |[_, median, _]: [f64; 3]| format!("{median:.1} s");
    let kubectls = kubectls.into_iter().collect();
    vec![compared(&ROTATION, Samples { ours: vec![ours], kubectls, ..Samples::default() }, in_words)]
}

fn create_workload(world: &World, namespace: &str, index: usize) {
    let env = json!([{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "hf", "key": "TOKEN"}}}]);
    let labels = json!({"app": format!("w{index}")});
    let spec = json!({"containers": [{"name": "main", "image": "busybox", "env": env}]});
    let template = json!({"metadata": {"labels": labels}, "spec": spec});
    let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
    let spec = json!({"replicas": 1, "selector": {"matchLabels": labels}, "template": template});
    world.create(&path, &json!({"metadata": {"name": format!("w{index}")}, "spec": spec}));
    let status = json!({"observedGeneration": 1_000, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1,
        "availableReplicas": 1});
    world.patch(&format!("{path}/w{index}/status"), &json!({"status": status}));
}

/// Writes what one types today: it knows the workloads already.
fn script(runai: &str, namespaces: &[String]) -> String {
    let kubectl = kubectl().map(|path| path.display().to_string()).unwrap_or_default();
    let mut script = format!(
        "set -e\n{kubectl} patch secret hf -n {runai} --type=merge -p '{{\"stringData\":{{\"TOKEN\":\"by-script\"}}}}'\n\
         until [ \"$({kubectl} get secrets -A --field-selector=metadata.name=hf \
         -o 'jsonpath={{range .items[*]}}{{.data.TOKEN}}{{\"\\n\"}}{{end}}' | sort -u | wc -l)\" = 1 ]; do sleep 1; done\n"
    );
    for namespace in namespaces {
        let _ = writeln!(script, "{kubectl} rollout restart deployment -n {namespace}");
    }
    script
}
