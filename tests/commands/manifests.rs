//! `attach` and `detach` with `-f`: manifests are changed, and no cluster is asked.

use serde_json::{Value, json};
use support::{Outcome, Sandbox, World, scenario};

use crate::definitions::define;

/// A stream as people keep it: comments, a Secret, several kinds, one that nobody knows.
const STREAM: &str = "\
# All of it belongs to team a.
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData:
  token:   c4nary-value # odd blanks
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      # the only one
      - name: main
        image: busybox # small
        env:
        - {name: A, value: \"1\"}
---
apiVersion: example.com/v1
kind: Unknown
metadata: {name: x}
spec: {template: {spec: {containers: [{name: main}]}}}
---
apiVersion: batch/v1
kind: Job
metadata:
  generateName: train-
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: main
          image: busybox
...
";

/// The stream with the key `token` attached to both of its workloads.
fn attached_stream() -> String {
    let reference = |indent: &str| {
        ["- name: TOKEN", "  valueFrom:", "    secretKeyRef:", "      key: token", "      name: s"]
            .map(|line| format!("{indent}{line}\n"))
            .concat()
    };
    STREAM.replace("value: \"1\"}\n", &format!("value: \"1\"}}\n{}", reference("        "))).replace(
        "          image: busybox\n",
        &format!("          image: busybox\n          env:\n{}", reference("          ")),
    )
}

fn without_cluster() -> Sandbox {
    let sandbox = Sandbox::new().with_env("KUBECONFIG", "broken");
    sandbox.file("broken", "{");
    sandbox
}

#[track_caller]
fn attached(manifest: &str, more: &[&str]) -> Outcome {
    let words = ["attach", "s", "-f", "-", "--env", "TOKEN=token"];
    without_cluster().stdin(manifest).run(words.iter().chain(more)).success()
}

#[test]
fn every_workload_of_a_manifest_is_changed_and_all_else_kept_to_the_byte() {
    let sandbox = without_cluster();
    sandbox.file("all.yaml", STREAM);
    let changed = sandbox.run(["attach", "s", "-f", "all.yaml", "--env", "TOKEN=token"]).success();
    assert_eq!(changed.stdout, attached_stream());
    assert_eq!(
        changed.stderr,
        "note: deployment.apps/web: env TOKEN ← SECRET:s,token in container main\n\
         note: job.batch/train-: env TOKEN ← SECRET:s,token in container main\n"
    );
    let again = attached(&changed.stdout, &[]);
    assert_eq!(again.stdout, changed.stdout);
    assert!(again.stderr.contains("note: deployment.apps/web has all of this already\n"), "{again}");
    let words = ["detach", "s", "-f", "-"];
    let detached = sandbox.stdin(changed.stdout).run(words).success();
    assert_eq!(detached.stdout, STREAM);
}

#[test]
fn a_file_that_ends_with_a_script_and_no_newline_keeps_all_of_it() {
    // The shape of JobSet's and Knative's examples.
    let manifest = "\
# what it shows
apiVersion: jobset.x-k8s.io/v1alpha2
kind: JobSet
metadata: {name: failing}
spec:
  replicatedJobs:
  - name: workers # two of them
    template:
      spec:
        template:
          spec:
            containers:
            - name: main
              image: bash:latest
              command: [bash, -c]
              args:
              - |
                # it fails once
                exit 1";
    let changed = attached(manifest, &[]);
    let entry = ["- name: TOKEN", "  valueFrom:", "    secretKeyRef:", "      key: token", "      name: s"];
    let entry = entry.map(|line| format!("\n              {line}")).concat();
    assert_eq!(changed.stdout, format!("{manifest}\n              env:{entry}"));
    assert!(!changed.stderr.contains("Warning"), "{changed}");
    let detached = without_cluster().stdin(changed.stdout).run(["detach", "s", "-f", "-"]).success();
    assert_eq!(detached.stdout, manifest);
    let json = attached(manifest, &["-o", "json"]).stdout;
    assert!(json.contains("exit 1\\n\""), "{json}");
}

#[test]
fn a_target_chooses_one_workload() {
    let one = attached(STREAM, &["deploy/web"]);
    assert_eq!(one.stdout.matches("TOKEN").count(), 1);
    let sandbox = without_cluster();
    let words = ["attach", "deploy/wbe", "-f", "-", "-e", "TOKEN=SECRET:s,token"];
    let refused = sandbox.stdin(STREAM).run(words).fails_with(1);
    assert!(refused.stderr.starts_with("error: standard input has no deployment.apps/wbe\nhint: the workloads in it are: deployment.apps/web, job.batch/train-\n"), "{refused}");
    let references = ["attach", "-f", "-", "-e", "TOKEN=SECRET:s,token"];
    assert_eq!(sandbox.stdin(STREAM).run(references).success().stdout, attached_stream());
}

#[test]
fn the_output_is_in_the_form_that_is_asked_for() {
    assert_eq!(attached(STREAM, &["-o", "yaml"]).stdout, attached_stream());
    assert_eq!(attached(STREAM, &["-o", "name"]).stdout, "deployment.apps/web\njob.batch/train-\n");
    let json = attached(STREAM, &["-o", "json"]).stdout;
    let objects: Vec<Value> =
        serde_json::Deserializer::from_str(&json).into_iter().map(Result::unwrap).collect();
    assert_eq!(objects.len(), 4);
    assert_eq!(objects[3]["spec"]["template"]["spec"]["containers"][0]["env"][0]["name"], "TOKEN");
    let same = attached(&json, &[]);
    assert_eq!(same.stdout, json);
    assert!(
        attached(&json, &["-o", "yaml"])
            .stdout
            .contains("\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n")
    );
}

#[test]
fn what_is_wrong_names_the_place_and_shows_no_line() {
    let sandbox = without_cluster();
    let line = ["attach", "s", "-f", "-", "--env", "TOKEN=token"];
    let taken = STREAM.replace("name: A", "name: TOKEN");
    for (manifest, code, part) in [
        ("a: b\n---\nc: c4nary-value: d\n", 2, "error: standard input, document 2, line 3: not valid YAML\n"),
        ("a: b\n", 1, "error: standard input has no workload"),
        ("", 2, "error: standard input is empty: no manifest to read"),
        (
            &taken,
            1,
            "error: standard input, document 2: container \"main\" of deployment.apps/web already has",
        ),
        (
            "kind: Job\napiVersion: batch/v1\nspec: c4nary-value\n",
            1,
            "error: standard input, document 1: job.batch/ has no pod template",
        ),
    ] {
        let refused = sandbox.stdin(manifest).run(line).fails_with(code);
        assert!(refused.stderr.starts_with(part), "{part:?} is missing in {refused}");
        assert_eq!(refused.stdout, "");
        refused.never_shows(b"c4nary-value");
    }
    let refused = sandbox.stdin(b"a: \xff".to_vec()).run(line).fails_with(2);
    assert!(refused.stderr.contains("not UTF-8"), "{refused}");
    let missing = sandbox.run(["attach", "s", "-f", "none.yaml", "--env", "K"]).fails_with(1);
    assert!(missing.stderr.contains("error reading none.yaml: no such file or directory"), "{missing}");
}

#[test]
fn flags_that_are_for_a_cluster_are_refused() {
    let sandbox = without_cluster();
    for flags in [
        &["--dry-run"][..],
        &["--recreate"],
        &["--copy-as=x"],
        &["--field-manager=x"],
        &["-n", "a"],
        &["-p", "a"],
    ] {
        let words = ["attach", "s", "-f", "-", "--env", "TOKEN=token"];
        sandbox.stdin(STREAM).run(words.iter().chain(flags)).fails_with(2);
        sandbox.stdin(STREAM).run(["detach", "s", "-f", "-"].iter().chain(flags)).fails_with(2);
    }
}

fn manifests(namespace: &str) -> Vec<String> {
    let template = "restartPolicy: Never\n      containers:\n      - name: main\n        image: busybox\n";
    let head = |kind: &str, name: &str| {
        format!("kind: {kind}\nmetadata:\n  name: {name}\n  namespace: {namespace}\n")
    };
    let job = format!(
        "apiVersion: batch/v1\n{}spec:\n  template:\n    spec:\n      {template}",
        head("Job", "train")
    );
    let deployment = format!(
        "apiVersion: apps/v1\n{}spec:\n  selector: {{matchLabels: {{a: b}}}}\n  template:\n    metadata: {{labels: {{a: b}}}}\n    spec:\n      containers: [{{name: main, image: busybox}}]\n",
        head("Deployment", "web")
    );
    let cronjob = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly", "namespace": namespace},
        "spec": {"schedule": "0 0 * * *", "jobTemplate": {"spec": {"template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox"}]}}}}},
    });
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [cronjob]});
    vec![format!("{job}---\n{deployment}"), format!("{list:#}"), format!("{cronjob}\n{cronjob:#}")]
}

#[scenario(real)]
fn kubectl_takes_what_comes_out(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    for manifest in manifests(&namespace) {
        let changed = attached(&manifest, &["--mount", "/etc/s", "--mode", "0400"]).stdout;
        let words = ["apply", "--dry-run=server", "-o", "json", "-f", "-"];
        let applied = sandbox.stdin(changed).kubectl(words).success().json();
        let objects = applied["items"].as_array().cloned().unwrap_or_else(|| vec![applied.clone()]);
        assert!(!objects.is_empty());
        for object in objects {
            let text = object["spec"].to_string();
            assert!(text.contains("\"secretKeyRef\":{\"key\":\"token\",\"name\":\"s\"}"), "{text}");
            assert!(text.contains("\"defaultMode\":256,\"secretName\":\"s\""), "{text}");
        }
    }
}

#[scenario(real)]
fn manifests_of_operators_go_through_to_kubectl(world: &World, sandbox: &Sandbox) {
    define(world, &["run.ai", "kubeflow.org", "ray.io"]);
    let namespace = world.namespace("a");
    let sandbox = &sandbox;
    for (manifest, references) in [(TRAINING, 1), (RUNAI_JOB, 1), (PYTORCH_JOB, 2), (RAY_JOB, 2)] {
        let changed = attached(manifest, &["-c", "*"][..if manifest == TRAINING { 0 } else { 2 }]);
        let kept: Vec<&str> = manifest.lines().filter(|line| !changed.stdout.contains(line)).collect();
        assert!(kept.is_empty(), "{kept:?} are lost in\n{}", changed.stdout);
        let words = ["apply", "--dry-run=server", "-o", "json", "-n", &namespace, "-f", "-"];
        let applied = sandbox.stdin(changed.stdout).kubectl(words).success();
        let text = applied.json()["spec"].to_string();
        let reference = "\"secretKeyRef\":{\"key\":\"token\",\"name\":\"s\"}";
        let found = text.matches(reference).count() + text.matches("\"SECRET:s,token\"").count();
        assert_eq!(found, references, "{applied}");
    }
}

/// The shape that Run:ai's documentation of submitting by YAML has.
const TRAINING: &str = "\
apiVersion: run.ai/v2alpha1
kind: TrainingWorkload # a training
metadata:
  name: job-1
spec:
  gpu:
    value: \"1\"
  image:
    value: ubuntu
  environment:
    items:
      EPOCHS:
        value: \"10\"
  name:
    value: job-1
";

const RUNAI_JOB: &str = "\
apiVersion: run.ai/v1
kind: RunaiJob
metadata:
  name: job-2
  labels:
    priorityClassName: \"build\" # Interactive
spec:
  template:
    spec:
      schedulerName: runai-scheduler
      restartPolicy: Never
      containers:
      - name: main
        image: ubuntu
        resources:
          limits:
            nvidia.com/gpu: 1
";

const PYTORCH_JOB: &str = "\
apiVersion: \"kubeflow.org/v1\"
kind: PyTorchJob
metadata:
  name: mnist
spec:
  pytorchReplicaSpecs:
    Master:
      replicas: 1
      restartPolicy: OnFailure
      template:
        spec:
          containers:
            - name: pytorch
              image: example.com/mnist:v1
              args: [\"--backend\", \"nccl\"]
              resources:
                limits:
                  nvidia.com/gpu: 1
    Worker:
      replicas: 2
      template:
        spec:
          containers:
            - name: pytorch
              image: example.com/mnist:v1
";

const RAY_JOB: &str = "\
---
apiVersion: ray.io/v1
kind: RayJob
metadata:
  name: counter
spec:
  entrypoint: python /home/ray/counter.py
  # a block of text that holds YAML
  runtimeEnvYAML: |
    pip:
      - requests==2.26.0
    env_vars: {counter: \"1\"}
  rayClusterSpec:
    rayVersion: '2.46.0'
    headGroupSpec:
      rayStartParams: {}
      template:
        spec:
          containers:
            - name: ray-head
              image: rayproject/ray:2.46.0
              ports: [{containerPort: 6379, name: gcs-server}]
    workerGroupSpecs:
      - replicas: 1
        groupName: small-group
        rayStartParams: {}
        template:
          spec:
            containers:
              - name: ray-worker
                image: rayproject/ray:2.46.0
";
