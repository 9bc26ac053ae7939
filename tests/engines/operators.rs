//! Kinds of operators, with the real operators: what the plugin says of their pods, and what becomes of them.

use serde_json::{Value, json};
use support::{Sandbox, World, scenario};

use crate::definitions::with_operators;
use crate::pods::{create_secret, is_running, name, pods, running_pod, started, wait_for};
use crate::states::state;

fn template() -> Value {
    json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "ubuntu"}]}})
}

/// Creates `train`, waits for its pod, and for `usage` to know it.
#[track_caller]
fn create(world: &World, namespace: &str, collection: &str, spec: &Value) -> String {
    let (group_version, kind) = collection.split_once(' ').expect("a group, a version and a kind");
    let (api_version, plural) = group_version.rsplit_once('/').expect("a plural");
    let object =
        json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "train"}, "spec": spec});
    world.create(&format!("/apis/{api_version}/namespaces/{namespace}/{plural}"), &object);
    running_pod(world, namespace)
}

#[scenario(node)]
fn a_job_set_refuses_the_change_and_is_recreated_with_it(world: &World, sandbox: &Sandbox) {
    with_operators(world);
    let namespace = world.namespace("a");
    create_secret(sandbox, &namespace, "hf", "token", "s3cr3t-value");
    let job = json!({"name": "main", "replicas": 1, "template": {"spec": {"template": template()}}});
    let spec = json!({"replicatedJobs": [job]});
    let before = create(world, &namespace, "jobset.x-k8s.io/v1alpha2/jobsets JobSet", &spec);

    let attach = ["attach", "hf", "jobset/train", "--env", "TOKEN=token", "-n", &namespace];
    let refused = sandbox.run(attach).fails_with(2);
    assert!(refused.stderr.contains("error: jobset.jobset.x-k8s.io/train can't be changed"), "{refused}");
    assert!(refused.stderr.contains("hint: --recreate"), "{refused}");
    assert_eq!(running_pod(world, &namespace), before);

    sandbox.run(attach.iter().chain(&["--recreate", "--yes"])).success();
    let after = wait_for("a new pod", || Some(running_pod(world, &namespace)).filter(|pod| *pod != before));
    assert_eq!(started(world, &namespace, &after).variable("TOKEN"), Some("s3cr3t-value"));
    wait_for("running", || (state(sandbox, &namespace, "train") == "running").then_some(()));
}

/// Attaches the secret to `train`, and checks that the plugin says this of its pods. They do stay as they are.
#[track_caller]
fn attach(world: &World, sandbox: &Sandbox, namespace: &str, kind: &str, said: &str) {
    let before = pods(world, namespace);
    let workload = format!("{kind}/train");
    let line = ["attach", "hf", &workload, "--env", "TOKEN=token", "-n", namespace];
    let outcome = sandbox.run(line).success();
    assert!(outcome.stderr.contains(said), "{outcome}");
    wait_for("running", || (state(sandbox, namespace, "train") == "running").then_some(()));
    assert_eq!(
        pods(world, namespace).iter().map(uid).collect::<Vec<_>>(),
        before.iter().map(uid).collect::<Vec<_>>()
    );
}

fn uid(pod: &Value) -> String {
    pod["metadata"]["uid"].as_str().unwrap_or_default().to_owned()
}

/// Deletes the pod, waits for the one that its operator makes for it, and returns that one's `TOKEN`.
#[track_caller]
fn token_after(world: &World, namespace: &str, old: &Value) -> Option<String> {
    let known: Vec<String> = pods(world, namespace).iter().map(uid).collect();
    assert_eq!(started(world, namespace, &name(old)).variable("TOKEN"), None);
    world.delete(&format!("/api/v1/namespaces/{namespace}/pods/{}", name(old)));
    let new = wait_for("a new pod that runs", || {
        pods(world, namespace).into_iter().find(|pod| !known.contains(&uid(pod)) && is_running(pod))
    });
    started(world, namespace, &name(&new)).variable("TOKEN").map(str::to_owned)
}

/// The plugin says that the pods stay as they are, and that new ones get the change. Both is so.
#[track_caller]
fn keeps_its_pods(world: &World, sandbox: &Sandbox, kind: &str, collection: &str, spec: &Value) {
    with_operators(world);
    let namespace = world.namespace("a");
    create_secret(sandbox, &namespace, "hf", "token", "s3cr3t-value");
    create(world, &namespace, collection, spec);
    attach(world, sandbox, &namespace, kind, "keeps its pods as they are: only new pods get the change");
    let old = pods(world, &namespace).remove(0);
    assert_eq!(token_after(world, &namespace, &old).as_deref(), Some("s3cr3t-value"));
}

#[scenario(node)]
fn a_pytorch_job_keeps_its_pods_and_new_ones_get_the_variable(world: &World, sandbox: &Sandbox) {
    let mut template = template();
    template["spec"]["containers"][0]["name"] = json!("pytorch");
    let master = json!({"replicas": 1, "restartPolicy": "OnFailure", "template": template});
    let spec = json!({"pytorchReplicaSpecs": {"Master": master}});
    keeps_its_pods(world, sandbox, "pytorchjob", "kubeflow.org/v1/pytorchjobs PyTorchJob", &spec);
}

#[scenario(node)]
fn a_ray_cluster_keeps_its_pods_and_new_ones_get_the_variable(world: &World, sandbox: &Sandbox) {
    let mut template = template();
    template["spec"]["restartPolicy"] = json!("Always");
    let spec = json!({"headGroupSpec": {"rayStartParams": {}, "template": template}});
    keeps_its_pods(world, sandbox, "raycluster", "ray.io/v1/rayclusters RayCluster", &spec);
}

#[scenario(node)]
fn an_mpi_job_gives_the_variable_to_new_workers_and_not_to_its_launcher(world: &World, sandbox: &Sandbox) {
    with_operators(world);
    let namespace = world.namespace("a");
    create_secret(sandbox, &namespace, "hf", "token", "s3cr3t-value");
    let replicas = |count| json!({"replicas": count, "restartPolicy": "Never", "template": template()});
    let spec = json!({"mpiReplicaSpecs": {"Launcher": replicas(1), "Worker": replicas(1)}});
    let job = json!({"apiVersion": "kubeflow.org/v2beta1", "kind": "MPIJob", "metadata": {"name": "train"}, "spec": spec});
    world.create(&format!("/apis/kubeflow.org/v2beta1/namespaces/{namespace}/mpijobs"), &job);
    let role = |pod: &Value, role: &str| pod["metadata"]["labels"]["training.kubeflow.org/job-role"] == role;
    let of =
        |role_of: &str| pods(world, &namespace).into_iter().find(|pod| role(pod, role_of) && is_running(pod));
    let (launcher, worker) = wait_for("both pods", || Some((of("launcher")?, of("worker")?)));
    let said = "keeps its pods as they are: new workers get the change, its launcher does not";
    attach(world, sandbox, &namespace, "mpijob", said);
    assert_eq!(token_after(world, &namespace, &worker).as_deref(), Some("s3cr3t-value"));
    assert_eq!(token_after(world, &namespace, &launcher), None);
}

#[scenario(node)]
fn a_ray_job_gives_the_variable_to_its_next_cluster_alone(world: &World, sandbox: &Sandbox) {
    with_operators(world);
    let namespace = world.namespace("a");
    create_secret(sandbox, &namespace, "hf", "token", "s3cr3t-value");
    let mut template = template();
    template["spec"]["restartPolicy"] = json!("Always");
    let cluster =
        json!({"rayVersion": "2.46.0", "headGroupSpec": {"rayStartParams": {}, "template": template}});
    let spec = json!({"entrypoint": "sleep 1", "shutdownAfterJobFinishes": true, "rayClusterSpec": cluster});
    create(world, &namespace, "ray.io/v1/rayjobs RayJob", &spec);
    let head = || {
        let is_head =
            |pod: &Value| pod["metadata"]["labels"]["ray.io/node-type"] == "head" && is_running(pod);
        wait_for("a head that runs", || pods(world, &namespace).into_iter().find(is_head))
    };
    let said = "keeps its Ray cluster as it is: the next one, of a retry or after suspend and resume, gets the change";
    let line = ["attach", "hf", "rayjob/train", "--env", "TOKEN=token", "-n", &namespace];
    let outcome = sandbox.run(line).success();
    assert!(outcome.stderr.contains(said), "{outcome}");
    assert_eq!(token_after(world, &namespace, &head()), None);

    let suspend = |is_suspended: bool| {
        let path = format!("/apis/ray.io/v1/namespaces/{namespace}/rayjobs/train");
        world.patch(&path, &json!({"spec": {"suspend": is_suspended}}));
    };
    suspend(true);
    wait_for("no pods", || pods(world, &namespace).is_empty().then_some(()));
    suspend(false);
    assert_eq!(started(world, &namespace, &name(&head())).variable("TOKEN"), Some("s3cr3t-value"));
}
