use proptest::prelude::*;

use super::*;

fn kind(name: &str) -> &'static Kind {
    Kind::named(name).unwrap()
}

/// A Job as a server of version 1.27 or later returns it.
fn job() -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {
            "name": "train", "namespace": "ns", "uid": "u1", "resourceVersion": "7", "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z", "managedFields": [{}], "selfLink": "/x",
            "deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 1, "finalizers": ["orphan"],
            "ownerReferences": [{"kind": "CronJob", "name": "c"}],
            "labels": {"app": "x", "controller-uid": "u1", "job-name": "train", "batch.kubernetes.io/job-name": "train"},
            "annotations": {"batch.kubernetes.io/job-tracking": "", "note": "mine",
                            "kubectl.kubernetes.io/last-applied-configuration": "{}"},
        },
        "spec": {
            "backoffLimit": 6, "unknown": {"kept": 1},
            "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "u1"}},
            "template": {
                "metadata": {"labels": {"controller-uid": "u1", "job-name": "train",
                    "batch.kubernetes.io/controller-uid": "u1", "batch.kubernetes.io/job-name": "train"}},
                "spec": {"containers": [{"name": "main"}], "restartPolicy": "Never"}},
        },
        "status": {"active": 1},
    })
}

#[test]
fn a_job_keeps_what_a_person_wrote_and_nothing_of_its_past() {
    let expected = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {
            "name": "train", "namespace": "ns", "labels": {"app": "x"},
            "annotations": {"note": "mine", "kubectl.kubernetes.io/last-applied-configuration": "{}"},
        },
        "spec": {
            "backoffLimit": 6, "unknown": {"kept": 1},
            "template": {"metadata": {}, "spec": {"containers": [{"name": "main"}], "restartPolicy": "Never"}},
        },
    });
    assert_eq!(clean_copy(&job(), kind("job"), None), expected);
    assert_eq!(clean_copy(&job(), kind("job"), Some("train")), expected);
}

#[test]
fn a_copy_under_another_name_does_not_claim_to_have_been_applied() {
    let copy = clean_copy(&job(), kind("job"), Some("train-2"));
    assert_eq!(copy["metadata"]["name"], "train-2");
    assert_eq!(copy["metadata"]["annotations"], json!({"note": "mine"}));
}

#[test]
fn a_job_with_its_own_selector_keeps_it() {
    let mut object = job();
    object["spec"]["manualSelector"] = Value::Bool(true);
    let copy = clean_copy(&object, kind("job"), None);
    assert_eq!(copy["spec"], object["spec"]);
    assert_eq!(copy["metadata"]["labels"], object["metadata"]["labels"]);
}

#[test]
fn a_pod_loses_its_node_and_the_token_the_server_mounted() {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "annotations": {"pod-group-name": "g"}},
        "spec": {
            "nodeName": "n1", "priority": 0, "preemptionPolicy": "PreemptLowerPriority", "serviceAccountName": "default",
            "ephemeralContainers": [{"name": "debug"}],
            "initContainers": [{"name": "i", "volumeMounts": [{"name": "kube-api-access-x", "mountPath": "/t"}]}],
            "containers": [{"name": "m", "volumeMounts": [
                {"name": "data", "mountPath": "/d"}, {"name": "kube-api-access-x", "mountPath": "/t"}]}],
            "volumes": [{"name": "data", "emptyDir": {}}, {"name": "kube-api-access-x", "projected": {}}],
        },
        "status": {"phase": "Running"},
    });
    let expected = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
        "spec": {
            "serviceAccountName": "default",
            "initContainers": [{"name": "i"}],
            "containers": [{"name": "m", "volumeMounts": [{"name": "data", "mountPath": "/d"}]}],
            "volumes": [{"name": "data", "emptyDir": {}}],
        },
    });
    assert_eq!(clean_copy(&pod, kind("pod"), None), expected);
}

#[test]
fn an_empty_map_that_a_person_wrote_stays() {
    let manifest =
        json!({"kind": "Job", "metadata": {"generateName": "j-", "labels": {}}, "spec": {"template": {}}});
    assert_eq!(clean_copy(&manifest, kind("job"), None), manifest);
}

#[test]
fn nothing_is_added_to_an_object_that_has_little() {
    for name in ["job", "pod", "deployment"] {
        let object = json!({"metadata": {"name": "x"}});
        assert_eq!(clean_copy(&object, kind(name), None), object);
    }
}

#[test]
fn what_stands_beside_the_spec_is_kept_and_the_status_is_not() {
    let manifest = json!({
        "apiVersion": "run.ai/v2alpha1", "kind": "DistributedWorkload", "metadata": {"name": "d"},
        "spec": {"image": {"value": "i"}}, "masterSpec": {"image": {"value": "m"}},
    });
    let mut object = manifest.clone();
    object["status"] = json!({"phase": "Running"});
    assert_eq!(clean_copy(&object, kind("distributedworkload"), None), manifest);
}

#[test]
fn only_a_controller_is_an_owner() {
    let owned = |controller: bool| {
        let owner =
            json!({"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly", "controller": controller});
        json!({"metadata": {"ownerReferences": [{"kind": "Other", "name": "o"}, owner]}})
    };
    let cronjob = Owner { api_version: "batch/v1".into(), kind: "CronJob".into(), name: "nightly".into() };
    assert_eq!(owner(&owned(true)), Some(cronjob));
    assert_eq!(owner(&owned(false)), None);
    assert_eq!(owner(&json!({})), None);
}

#[test]
fn a_job_tells_what_would_stop() {
    let condition = |name: &str| json!({"status": {"conditions": [{"type": name, "status": "True"}]}});
    let cases = [
        (condition("Complete"), JobState::Completed),
        (condition("Failed"), JobState::Failed),
        (json!({"spec": {"suspend": true}}), JobState::Suspended),
        (json!({"status": {"active": 3}}), JobState::Running { pods: 3 }),
        (
            json!({"status": {"conditions": [{"type": "Complete", "status": "False"}]}}),
            JobState::Running { pods: 0 },
        ),
        (json!({}), JobState::Running { pods: 0 }),
    ];
    for (object, state) in cases {
        assert_eq!(job_state(&object), state, "{object}");
    }
}

fn tree() -> impl Strategy<Value = Value> {
    let leaf =
        prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), "[a-c]".prop_map(Value::from)];
    let names = [
        "name",
        "labels",
        "annotations",
        "controller-uid",
        "selector",
        "template",
        "manualSelector",
        "volumes",
        "x",
        "containers",
        "volumeMounts",
        "metadata",
        "spec",
        "kubectl.kubernetes.io/last-applied-configuration",
    ];
    leaf.prop_recursive(5, 40, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(names.to_vec()), inner, 0..4)
                .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn a_clean_copy_of_a_clean_copy_is_the_same(
        metadata in tree(), spec in tree(), kind in prop::sample::select(vec!["job", "pod", "cronjob"]),
        name in prop::option::of("[a-c]"),
    ) {
        let kind = Kind::named(kind).unwrap();
        let object = json!({"kind": kind.name, "metadata": metadata, "spec": spec, "status": {}});
        let once = clean_copy(&object, kind, name.as_deref());
        prop_assert_eq!(clean_copy(&once, kind, name.as_deref()), once);
    }
}
