//! The content of the cluster whose answers are bent.

use serde_json::{Value, json};
use support::Bare;

fn secret(namespace: &str, name: &str, more: &Value) -> (String, Value) {
    let mut secret =
        json!({"metadata": {"name": name}, "type": "Opaque", "stringData": {"A": "one", "B": "one"}});
    for (field, value) in more.as_object().into_iter().flatten() {
        match secret[field].as_object_mut() {
            Some(fields) => fields.extend(value.as_object().cloned().unwrap_or_default()),
            None => secret[field] = value.clone(),
        }
    }
    (format!("/api/v1/namespaces/{namespace}/secrets"), secret)
}

pub(crate) fn pod_spec() -> Value {
    json!({
        "serviceAccountName": "robot",
        "restartPolicy": "Never",
        "containers": [{
            "name": "main", "image": "x",
            "env": [{"name": "T", "valueFrom": {"secretKeyRef": {"name": "other", "key": "A"}}}, {"name": "U", "value": "$(T)"}],
            "envFrom": [{"secretRef": {"name": "gone"}}],
            "volumeMounts": [{"name": "v", "mountPath": "/v"}],
        }],
        "volumes": [{"name": "v", "secret": {"secretName": "db"}}],
        "imagePullSecrets": [{"name": "login"}],
    })
}

/// Two projects, Run:ai's namespace, and workloads of several kinds.
pub(crate) fn world() -> Bare {
    let bare = Bare::default();
    for (name, labels) in [
        ("runai", json!({})),
        ("runai-team-a", json!({"runai/queue": "team-a"})),
        ("runai-team-b", json!({"runai/queue": "team-b"})),
    ] {
        bare.create("/api/v1/namespaces", &json!({"metadata": {"name": name, "labels": labels}}));
    }
    let template = |labels: Value| json!({"metadata": {"labels": labels}, "spec": pod_spec()});
    let always = |labels: Value| {
        let mut template = template(labels);
        template["spec"]["restartPolicy"] = "Always".into();
        template
    };
    let labels = json!({"app": "x"});
    let selector = json!({"matchLabels": labels});
    let apps = "/apis/apps/v1/namespaces/runai-team-a";
    let batch = "/apis/batch/v1/namespaces/runai-team-a";
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let crd = |group: &str, plural: &str, kind: &str, version: &str| {
        json!({"metadata": {"name": format!("{plural}.{group}")}, "spec": {
            "group": group, "scope": "Namespaced", "names": {"plural": plural, "kind": kind},
            "versions": [{"name": version, "served": true, "storage": true, "schema": {"openAPIV3Schema":
                {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}],
        }})
    };
    let mut objects = vec![
        secret(
            "runai",
            "hf",
            &json!({"metadata": {"labels": {"runai/cluster-wide": "true"}}, "stringData": {"HF_TOKEN": "one"}}),
        ),
        secret("runai", "plain", &json!({})),
        secret("runai-team-a", "db", &json!({"metadata": {"labels": {"team": "ml"}}})),
        secret("runai-team-a", "other", &json!({})),
        secret("runai-team-a", "fixed", &json!({"immutable": true})),
        secret("runai-team-b", "db", &json!({})),
        secret("runai-team-b", "hf", &json!({})),
        (
            "/api/v1/namespaces/runai-team-a/serviceaccounts".into(),
            json!({"metadata": {"name": "robot"}, "imagePullSecrets": [{"name": "nvcr"}]}),
        ),
        (
            format!("{apps}/deployments"),
            json!({"metadata": {"name": "web"}, "spec": {"selector": selector, "template": always(labels.clone())}}),
        ),
        (
            format!("{apps}/statefulsets"),
            json!({"metadata": {"name": "base"}, "spec": {"serviceName": "s", "selector": selector, "template": always(labels.clone())}}),
        ),
        (
            format!("{batch}/jobs"),
            json!({"metadata": {"name": "train"}, "spec": {"template": template(json!({}))}}),
        ),
        (
            format!("{batch}/cronjobs"),
            json!({"metadata": {"name": "nightly"}, "spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": template(json!({}))}}}}),
        ),
        (
            "/api/v1/namespaces/runai-team-a/pods".into(),
            json!({"metadata": {"name": "lone"}, "spec": pod_spec()}),
        ),
        (
            "/api/v1/namespaces/runai-team-a/events".into(),
            json!({"metadata": {"name": "e"}, "reason": "FailedMount", "message": "m", "type": "Warning",
            "involvedObject": {"kind": "Pod", "name": "lone", "namespace": "runai-team-a"}}),
        ),
        (crds.to_owned(), crd("kubeflow.org", "pytorchjobs", "PyTorchJob", "v1")),
        (crds.to_owned(), crd("run.ai", "trainingworkloads", "TrainingWorkload", "v2alpha1")),
    ];
    let replica = json!({"template": {"spec": {"containers": [{"name": "pytorch", "image": "x"}]}}});
    objects.push(("/apis/kubeflow.org/v1/namespaces/runai-team-a/pytorchjobs".into(),
        json!({"apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob", "metadata": {"name": "torch"}, "spec": {"pytorchReplicaSpecs": {"Master": replica}}})));
    for (path, object) in objects {
        bare.create(&path, &object);
    }
    bare
}
