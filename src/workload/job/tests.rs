use super::*;
use crate::workload::attach::{Outcome, attach};
use crate::workload::attachment::Attachment;
use crate::workload::kind::Kind;
use crate::workload::{ContainerChoice, Existing};

fn job() -> NewJob {
    NewJob { name: "train".into(), namespace: "runai-a".into(), image: "ubuntu".into(), ..NewJob::default() }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_job_is_no_more_than_what_was_asked_for() {
    let expected = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "train", "namespace": "runai-a"},
        "spec": {"backoffLimit": 6, "template": {"metadata": {}, "spec": {
            "schedulerName": "runai-scheduler", "restartPolicy": "Never",
            "containers": [{"name": "train", "image": "ubuntu"}]}}},
    });
    assert_eq!(job().manifest().unwrap(), expected);
}

#[test]
fn a_secret_on_a_new_job_is_what_runai_submit_makes_of_it() {
    let secret = Attachment::env_from_key("MYUSERNAME", "my-secret", "username").unwrap();
    let manifest = job().manifest().unwrap();
    let kind = Kind::named("job").unwrap();
    let outcome = attach(&manifest, kind, &[secret], &ContainerChoice::Only, Existing::Keep).unwrap();
    let Outcome::Changed { object, .. } = outcome else { panic!("nothing was attached") };
    assert_eq!(
        object["spec"]["template"]["spec"]["containers"][0]["env"],
        json!([{"name": "MYUSERNAME", "valueFrom": {"secretKeyRef": {"name": "my-secret", "key": "username"}}}])
    );
}

#[test]
fn every_field_goes_where_the_api_has_it() {
    let manifest = NewJob {
        command: vec!["python".into()],
        args: vec!["train.py".into(), "--lr=1".into()],
        env: pairs(&[("B", "2"), ("A", "1=1")]),
        gpu: Some(Gpu::Whole(2)),
        labels: pairs(&[("team", "x")]),
        annotations: pairs(&[("note", "y")]),
        requests: pairs(&[("cpu", "2")]),
        limits: pairs(&[("memory", "4Gi")]),
        parallelism: Some(2),
        completions: Some(4),
        ttl_seconds_after_finished: Some(60),
        working_dir: Some("/work".into()),
        node_type: Some("a100".into()),
        node_pools: vec!["default".into()],
        tolerations: vec![Toleration::parse("operator=Exists,key=gpu").unwrap()],
        user: User { uid: Some(1000), gid: Some(2000), groups: vec![3000, 4000] },
        restart_policy: Some("OnFailure".into()),
        service_account: Some("sa".into()),
        image_pull_policy: Some("Always".into()),
        ..job()
    }
    .manifest()
    .unwrap();
    let common = json!({"labels": {"team": "x", "runai/node-pool": "default"}, "annotations": {"note": "y"}});
    let container = json!({
        "name": "train", "image": "ubuntu", "imagePullPolicy": "Always", "command": ["python"],
        "args": ["train.py", "--lr=1"], "workingDir": "/work",
        "env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1=1"}],
        "resources": {"limits": {"memory": "4Gi", "nvidia.com/gpu": "2"}, "requests": {"cpu": "2"}},
    });
    assert_eq!(manifest["metadata"]["labels"], common["labels"]);
    assert_eq!(manifest["metadata"]["annotations"], common["annotations"]);
    let template = json!({"metadata": common, "spec": {
        "schedulerName": "runai-scheduler", "restartPolicy": "OnFailure", "serviceAccountName": "sa",
        "securityContext": {"runAsUser": 1000, "runAsGroup": 2000, "supplementalGroups": [3000, 4000]},
        "tolerations": [{"operator": "Exists", "key": "gpu"}],
        "nodeSelector": {"run.ai/type": "a100"}, "containers": [container]}});
    let spec = json!({"backoffLimit": 6, "parallelism": 2, "completions": 4, "ttlSecondsAfterFinished": 60,
                      "template": template});
    assert_eq!(manifest["spec"], spec);
}

#[test]
fn an_interactive_job_has_the_priority_of_one_and_no_retries() {
    let manifest = NewJob { purpose: Purpose::Interactive, ..job() }.manifest().unwrap();
    assert_eq!(manifest["metadata"]["labels"]["priorityClassName"], "build");
    assert_eq!(manifest["spec"]["template"]["metadata"]["labels"]["priorityClassName"], "build");
    assert_eq!(manifest["spec"]["backoffLimit"], 0);
    let asked = NewJob { purpose: Purpose::Interactive, backoff_limit: Some(3), ..job() }.manifest().unwrap();
    assert_eq!(asked["spec"]["backoffLimit"], 3);
}

#[test]
fn a_job_that_may_be_stopped_says_so_in_the_words_of_its_scheduler() {
    let labels = |purpose, preemption, scheduler: &Scheduler| {
        let job = NewJob { purpose, preemption: Some(preemption), scheduler: scheduler.clone(), ..job() };
        let manifest = job.manifest().unwrap();
        let labels = manifest["metadata"]["labels"].clone();
        assert_eq!(labels, manifest["spec"]["template"]["metadata"]["labels"]);
        (labels["priorityClassName"].clone(), labels["kai.scheduler/preemptibility"].clone())
    };
    let kai = Scheduler::Kai { queue: "q".into() };
    for (purpose, preemption, scheduler, class, word) in [
        (
            Purpose::Interactive,
            Preemption::Preemptible,
            &Scheduler::Runai,
            json!("interactive-preemptible"),
            "preemptible",
        ),
        (Purpose::Interactive, Preemption::Preemptible, &kai, json!("build-preemptible"), "preemptible"),
        (Purpose::Interactive, Preemption::NonPreemptible, &kai, json!("build"), "non-preemptible"),
        (Purpose::Training, Preemption::NonPreemptible, &kai, Value::Null, "non-preemptible"),
    ] {
        assert_eq!(labels(purpose, preemption, scheduler), (class, json!(word)));
    }
}

#[test]
fn node_pools_are_named_as_the_scheduler_reads_them() {
    let pools = |pools: &[&str]| NewJob {
        scheduler: Scheduler::Kai { queue: "q".into() },
        node_pools: pools.iter().map(|pool| (*pool).to_owned()).collect(),
        ..job()
    };
    let one = pools(&["a"]).manifest().unwrap();
    assert_eq!(one["spec"]["template"]["metadata"]["labels"]["kai.scheduler/node-pool"], "a");
    let two = pools(&["a", "b"]).manifest().unwrap();
    assert_eq!(two["spec"]["template"]["metadata"]["annotations"]["kai.scheduler/node-pools"], "a b");
    assert!(two["spec"]["template"]["metadata"]["labels"].get("kai.scheduler/node-pool").is_none());
}

#[test]
fn kai_gets_its_queue_on_the_job_and_its_pods() {
    let manifest = NewJob { scheduler: Scheduler::Kai { queue: "q".into() }, ..job() }.manifest().unwrap();
    assert_eq!(manifest["metadata"]["labels"]["kai.scheduler/queue"], "q");
    assert_eq!(manifest["spec"]["template"]["metadata"]["labels"]["kai.scheduler/queue"], "q");
    assert_eq!(manifest["spec"]["template"]["spec"]["schedulerName"], "kai-scheduler");
}

#[test]
fn a_part_of_a_gpu_is_an_annotation_of_the_pods() {
    for (gpu, annotation, value) in [
        (Gpu::Fraction("0.5".into()), "gpu-fraction", "0.5"),
        (Gpu::Fractions { part: "0.5".into(), gpus: 2 }, "gpu-fraction-num-devices", "2"),
        (Gpu::MemoryMib(2000), "gpu-memory", "2000"),
    ] {
        let manifest = NewJob { gpu: Some(gpu), ..job() }.manifest().unwrap();
        assert_eq!(manifest["spec"]["template"]["metadata"]["annotations"][annotation], value);
        assert!(manifest["metadata"].get("annotations").is_none());
        assert!(manifest["spec"]["template"]["spec"]["containers"][0].get("resources").is_none());
    }
}

#[test]
fn what_a_server_would_refuse_is_refused_before() {
    let refused = [
        NewJob { name: "1train".into(), ..job() },
        NewJob { image: String::new(), ..job() },
        NewJob { env: pairs(&[("A\n", "secret-text")]), ..job() },
        NewJob { env: pairs(&[("A", "secret-text"), ("A", "secret-text")]), ..job() },
        NewJob { volumes: vec![Volume::SharedMemory, Volume::parse_claim("c:/dev/shm").unwrap()], ..job() },
    ];
    for job in refused {
        let error = job.manifest().unwrap_err().to_string();
        assert!(!error.contains("secret-text"), "{error}");
    }
}

#[test]
fn a_generated_name_is_a_legal_one() {
    for bytes in [[0; 5], [255; 5], [1, 26, 27, 28, 200]] {
        let name = generated_name("job", bytes);
        assert!(check_job_name(&name).is_ok() && name.len() == 9, "{name}");
    }
}

#[test]
fn volumes_are_mounted_where_they_are_asked_for() {
    let volumes = vec![Volume::SharedMemory, Volume::parse_claim("datasets:/data/:ro").unwrap()];
    let manifest = NewJob { volumes, ..job() }.manifest().unwrap();
    let pod = &manifest["spec"]["template"]["spec"];
    let expected = json!([
        {"name": "volume-0", "emptyDir": {"medium": "Memory"}},
        {"name": "volume-1", "persistentVolumeClaim": {"claimName": "datasets", "readOnly": true}}]);
    assert_eq!(pod["volumes"], expected);
    let expected = json!([
        {"name": "volume-0", "mountPath": "/dev/shm"},
        {"name": "volume-1", "mountPath": "/data", "readOnly": true}]);
    assert_eq!(pod["containers"][0]["volumeMounts"], expected);
}
