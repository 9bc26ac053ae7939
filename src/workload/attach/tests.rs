use serde_json::json;

use super::*;
use crate::workload::attachment::Mode;

fn deployment(pod_spec: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"template": {"spec": pod_spec}}
    })
}

fn kind() -> &'static Kind {
    Kind::named("deployment").unwrap()
}

fn env(flag: &str) -> Attachment {
    Attachment::env("my-secret", flag).unwrap()
}

fn files(flag: &str) -> Attachment {
    Attachment::files("my-secret", flag, None).unwrap()
}

/// Attaches to the pod spec, and returns the changed pod spec and the changes in words.
fn try_on(pod_spec: Value, attachments: &[Attachment], existing: Existing) -> Result<(Value, Vec<String>)> {
    let object = deployment(&pod_spec);
    match attach(&object, kind(), attachments, &ContainerChoice::Only, existing)? {
        Outcome::AsAsked => Ok((pod_spec, Vec::new())),
        Outcome::Changed { object, differences } => Ok((
            object["spec"]["template"]["spec"].clone(),
            differences.iter().map(ToString::to_string).collect(),
        )),
    }
}

fn on(pod_spec: Value, attachments: &[Attachment]) -> (Value, Vec<String>) {
    try_on(pod_spec, attachments, Existing::Keep).unwrap()
}

fn one_container() -> Value {
    json!({"containers": [{"name": "main", "image": "ubuntu"}]})
}

#[test]
fn a_variable_is_what_runai_submit_makes_of_it_and_nothing_more() {
    let (pod, changes) = on(one_container(), &[env("MYUSERNAME=username")]);
    assert_eq!(
        pod["containers"][0]["env"],
        json!([{"name": "MYUSERNAME", "valueFrom": {"secretKeyRef": {"name": "my-secret", "key": "username"}}}])
    );
    assert_eq!(changes, ["env MYUSERNAME ← SECRET:my-secret,username in container main"]);
}

#[test]
fn all_keys_an_image_pull_and_files_go_where_the_api_has_them() {
    let all = Attachment::env_all("my-secret", "S_").unwrap().optional();
    let pull = Attachment::image_pull("regcred").unwrap();
    let mount = Attachment::files("my-secret", "/etc/s:a=x", Some(Mode::parse("0400").unwrap())).unwrap();
    let (pod, changes) = on(one_container(), &[all, pull, mount]);
    let expected = json!({
        "containers": [{
            "name": "main", "image": "ubuntu",
            "envFrom": [{"prefix": "S_", "secretRef": {"name": "my-secret", "optional": true}}],
            "volumeMounts": [{"name": "secret-my-secret", "mountPath": "/etc/s", "readOnly": true}],
        }],
        "imagePullSecrets": [{"name": "regcred"}],
        "volumes": [{"name": "secret-my-secret", "secret": {
            "secretName": "my-secret", "defaultMode": 256, "items": [{"key": "a", "path": "x"}]}}],
    });
    assert_eq!(pod, expected);
    assert_eq!(changes.len(), 3);
    assert_eq!(changes[1], "image pull ← secret regcred");
}

#[test]
fn what_the_server_fills_in_is_not_another_entry() {
    let pod = json!({
        "containers": [{
            "name": "main",
            "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "my-secret", "key": "a", "optional": false}}}],
            "envFrom": [{"secretRef": {"name": "my-secret", "optional": false}}],
            "volumeMounts": [{"name": "mine", "mountPath": "/etc/s/"}],
        }],
        "imagePullSecrets": [{"name": "my-secret"}],
        "volumes": [{"name": "mine", "secret": {"secretName": "my-secret", "defaultMode": 420}}],
    });
    let all = Attachment::env_all("my-secret", "").unwrap();
    let pull = Attachment::image_pull("my-secret").unwrap();
    let (_, changes) = on(pod, &[env("A=a"), all, pull, files("/etc/s")]);
    assert_eq!(changes, Vec::<String>::new());
}

#[test]
fn a_variable_in_the_way_is_named_but_never_what_it_holds() {
    let pod = json!({"containers": [{"name": "main", "env": [{"name": "A", "value": "hunter2"}]}]});
    let error = try_on(pod, &[env("A=a")], Existing::Keep).unwrap_err().to_string();
    assert!(
        error.contains("env A ") && error.contains("\"main\"") && error.contains("--overwrite"),
        "{error}"
    );
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn overwriting_a_variable_keeps_its_position_and_drops_its_value() {
    let pod = json!({"containers": [{"name": "main", "env": [
        {"name": "A", "value": "x"}, {"name": "B", "value": "$(A)"}]}]});
    let (pod, changes) = try_on(pod, &[env("A=a")], Existing::Overwrite).unwrap();
    assert_eq!(
        pod["containers"][0]["env"],
        json!([
            {"name": "A", "valueFrom": {"secretKeyRef": {"name": "my-secret", "key": "a"}}},
            {"name": "B", "value": "$(A)"}
        ])
    );
    assert_eq!(changes, ["env A ← SECRET:my-secret,a in container main (replaces what was there)"]);
}

#[test]
fn of_a_variable_that_is_there_twice_the_last_one_counts() {
    let entry = json!({"name": "A", "valueFrom": {"secretKeyRef": {"name": "my-secret", "key": "a"}}});
    let other = json!({"name": "A", "value": "x"});
    let pod = |env: Value| json!({"containers": [{"name": "main", "env": env}]});
    assert_eq!(on(pod(json!([other, entry])), &[env("A=a")]).1.len(), 0);
    assert!(try_on(pod(json!([entry, other])), &[env("A=a")], Existing::Keep).is_err());
}

#[test]
fn optional_and_required_are_not_the_same() {
    let all = Attachment::env_all("my-secret", "").unwrap();
    for attachment in [env("A=a"), all, files("/etc/s")] {
        let (pod, _) = on(one_container(), std::slice::from_ref(&attachment));
        let optional = [attachment.optional()];
        assert!(try_on(pod.clone(), &optional, Existing::Keep).is_err(), "{}", optional[0]);
        assert_eq!(try_on(pod, &optional, Existing::Overwrite).unwrap().1.len(), 1, "{}", optional[0]);
    }
}

#[test]
fn a_path_where_something_else_is_mounted_is_refused() {
    let pod = json!({
        "containers": [{"name": "main", "volumeMounts": [{"name": "data", "mountPath": "/etc/s/"}]}],
        "volumes": [{"name": "data", "emptyDir": {}}],
    });
    let error = try_on(pod, &[files("/etc/s")], Existing::Keep).unwrap_err().to_string();
    assert!(error.contains("volume \"data\" mounted at /etc/s") && error.contains("--overwrite"), "{error}");
}

#[test]
fn overwriting_a_mount_leaves_no_secret_volume_behind_that_a_pod_would_wait_for() {
    let (pod, _) = on(one_container(), &[Attachment::files("old", "/etc/s", None).unwrap()]);
    let (pod, _) = try_on(pod, &[files("/etc/s")], Existing::Overwrite).unwrap();
    assert_eq!(pod, on(one_container(), &[files("/etc/s")]).0);
}

#[test]
fn a_mount_of_one_file_is_not_a_mount_of_the_secret() {
    let pod = json!({
        "containers": [{"name": "main", "volumeMounts": [{"name": "v", "mountPath": "/etc/s", "subPath": "a"}]}],
        "volumes": [{"name": "v", "secret": {"secretName": "my-secret"}}],
    });
    assert!(try_on(pod, &[files("/etc/s")], Existing::Keep).is_err());
}

#[test]
fn a_volume_that_no_mount_can_show_is_not_used_again() {
    let secret = json!({"secretName": "my-secret"});
    for volumes in
        [json!([{"secret": secret}]), json!([{"name": "v", "emptyDir": {}}, {"name": "v", "secret": secret}])]
    {
        let mut pod = one_container();
        pod["volumes"] = volumes;
        let (once, changes) = on(pod, &[files("/etc/s")]);
        assert_eq!(changes.len(), 1);
        assert_eq!(on(once.clone(), &[files("/etc/s")]), (once, Vec::new()));
    }
}

#[test]
fn several_secrets_in_one_path_are_one_projected_volume() {
    let mode = Some(Mode::parse("0400").unwrap());
    let one = Attachment::files("one", "/etc/s", mode).unwrap();
    let two = Attachment::files("two", "/etc/s/:k=f", mode).unwrap().optional();
    let both = [one.clone(), two.clone()];
    let (pod, changes) = on(one_container(), &both);
    assert_eq!(changes.len(), 2);
    let projected = json!({"defaultMode": 256, "sources": [
        {"secret": {"name": "one"}},
        {"secret": {"name": "two", "items": [{"key": "k", "path": "f"}], "optional": true}},
    ]});
    assert_eq!(pod["volumes"], json!([{"name": "secret-one-two", "projected": projected}]));
    assert_eq!(pod["containers"][0]["volumeMounts"].as_array().unwrap().len(), 1);
    for again in [&both[..], &both[..1], &both[1..]] {
        assert_eq!(on(pod.clone(), again).1, Vec::<String>::new());
    }
    // The mounted files are requested too, so nothing is overwritten.
    let (first, _) = on(one_container(), &both[..1]);
    let (second, changes) = on(first.clone(), &both);
    assert_eq!((second, changes.len()), (pod, 1));
    let error = try_on(first, &both[1..], Existing::Keep).unwrap_err().to_string();
    assert!(error.contains("--overwrite") && error.contains("all of them in one command"), "{error}");
}

#[test]
fn what_a_projected_volume_has_of_others_is_not_lost() {
    let sources = json!([{"secret": {"name": "my-secret"}}, {"configMap": {"name": "c"}}]);
    let pod = json!({
        "containers": [{"name": "main", "volumeMounts": [{"name": "v", "mountPath": "/etc/s"}]}],
        "volumes": [{"name": "v", "projected": {"sources": sources, "defaultMode": 420}}],
    });
    assert_eq!(on(pod.clone(), &[files("/etc/s")]).1, Vec::<String>::new());
    let both = [files("/etc/s"), Attachment::files("other", "/etc/s", None).unwrap()];
    assert!(try_on(pod.clone(), &both, Existing::Keep).is_err());
    let (changed, _) = try_on(pod.clone(), &both, Existing::Overwrite).unwrap();
    assert_eq!(changed["volumes"][0], pod["volumes"][0], "nothing is known of who else needs it");
}

#[test]
fn one_volume_serves_several_mounts_of_the_same_files() {
    let (pod, changes) = on(one_container(), &[files("/a"), files("/b"), files("/c:k"), files("/d:k")]);
    let names: Vec<_> =
        pod["volumes"].as_array().unwrap().iter().map(|volume| text(volume, "name")).collect();
    assert_eq!(names, ["secret-my-secret", "secret-my-secret-2"]);
    assert_eq!(changes.len(), 4);
}

#[test]
fn a_claim_of_a_stateful_set_keeps_its_name() {
    let pod = json!({"containers": [{"name": "main", "volumeMounts": [
        {"name": "secret-my-secret", "mountPath": "/data"}]}]});
    assert_eq!(on(pod, &[files("/etc/s")]).0["volumes"][0]["name"], "secret-my-secret-2");
}

#[test]
fn two_attachments_that_exclude_each_other_are_refused_and_repetitions_are_not() {
    let excluding = [
        [env("A=a"), env("A=b")],
        [env("lower"), env("LOWER")],
        [env("A=a"), env("A=a").optional()],
        [files("/a"), files("/a/:k")],
        [files("/a:k=f"), Attachment::files("other", "/a:l=f", None).unwrap()],
    ];
    for pair in excluding {
        let error = try_on(one_container(), &pair, Existing::Overwrite).unwrap_err();
        assert!(error.to_string().contains("exclude each other"), "{error}");
    }
    assert_eq!(on(one_container(), &[env("A=a"), env("A=a")]).1.len(), 1);
}

#[test]
fn of_several_containers_one_must_be_chosen() {
    let object = deployment(&json!({
        "initContainers": [{"name": "setup"}],
        "containers": [{"name": "main"}, {"name": "proxy"}],
    }));
    let changed = |choice: &[&str]| -> Result<Vec<Option<String>>> {
        let choice: Vec<_> = choice.iter().map(ToString::to_string).collect();
        let choice = ContainerChoice::from_flags(&choice);
        match attach(&object, kind(), &[env("A=a")], &choice, Existing::Keep)? {
            Outcome::AsAsked => Ok(Vec::new()),
            Outcome::Changed { differences, .. } => {
                Ok(differences.into_iter().map(|difference| difference.container).collect())
            }
        }
    };
    let names = |names: &[&str]| names.iter().map(|name| Some((*name).to_owned())).collect::<Vec<_>>();
    assert_eq!(changed(&["proxy"]).unwrap(), names(&["proxy"]));
    assert_eq!(changed(&["main", "setup"]).unwrap(), names(&["setup", "main"]));
    assert_eq!(changed(&["*"]).unwrap(), names(&["setup", "main", "proxy"]));
    let error = changed(&[]).unwrap_err().to_string();
    assert!(error.contains("main, proxy") && error.contains("-c CONTAINER"), "{error}");
    let error = changed(&["man"]).unwrap_err().to_string();
    assert!(error.contains("setup (init), main, proxy"), "{error}");
}

#[test]
fn an_ephemeral_container_is_told_apart() {
    let pod = json!({"spec": {"containers": [{"name": "main"}], "ephemeralContainers": [{"name": "debug"}]}});
    let debug = ContainerChoice::from_flags(&["debug".to_owned()]);
    let kind = Kind::named("pod").unwrap();
    let error = attach(&pod, kind, &[env("A=a")], &debug, Existing::Keep).unwrap_err().to_string();
    assert!(error.contains("\"debug\"") && error.contains("is ephemeral"), "{error}");
    assert!(error.contains("its containers are: main"), "{error}");
}

#[test]
fn of_several_templates_each_gets_it_and_is_named() {
    let template = |container: &str| json!({"template": {"spec": {"containers": [{"name": container}]}}});
    let object = json!({"metadata": {"name": "t"}, "spec": {"mpiReplicaSpecs": {
        "Launcher": template("launcher"), "Worker": template("worker")}}});
    let kind = Kind::named("mpijob").unwrap();
    let changes = |choice: &[&str]| -> Result<Vec<String>> {
        let choice: Vec<_> = choice.iter().map(ToString::to_string).collect();
        let choice = ContainerChoice::from_flags(&choice);
        match attach(&object, kind, &[env("A=a")], &choice, Existing::Keep)? {
            Outcome::AsAsked => Ok(Vec::new()),
            Outcome::Changed { differences, .. } => Ok(differences.iter().map(ToString::to_string).collect()),
        }
    };
    let launcher = "env A ← SECRET:my-secret,a in container launcher of Launcher";
    assert_eq!(changes(&["launcher"]).unwrap(), [launcher]);
    assert_eq!(changes(&[]).unwrap(), [launcher, "env A ← SECRET:my-secret,a in container worker of Worker"]);
    let error = changes(&["main"]).unwrap_err().to_string();
    assert!(error.contains("mpijob.kubeflow.org/t has no container \"main\""), "{error}");
    assert!(error.contains("its containers are: launcher, worker"), "{error}");
}

#[test]
fn an_image_pull_asks_for_no_container() {
    let pod = json!({"containers": [{"name": "a"}, {"name": "b"}]});
    let (pod, changes) = on(pod, &[Attachment::image_pull("regcred").unwrap()]);
    assert_eq!(pod["imagePullSecrets"], json!([{"name": "regcred"}]));
    assert_eq!(changes.len(), 1);
}

#[test]
fn a_malformed_manifest_is_an_error_and_never_a_panic() {
    let malformed = [
        json!({"containers": [{"name": "main", "env": "text"}]}),
        json!({"containers": ["main"]}),
        json!({"containers": {}}),
        json!([]),
        Value::Null,
    ];
    for pod in malformed {
        assert!(try_on(pod.clone(), &[env("A=a")], Existing::Overwrite).is_err(), "{pod}");
    }
    let text = json!({"containers": [{"name": "main"}], "volumes": "text"});
    assert!(try_on(text, &[files("/a")], Existing::Keep).is_err());
}

#[test]
fn every_kind_has_its_pod_spec_changed() {
    for kind in &crate::workload::kind::KINDS {
        let crate::workload::kind::Shape::PodSpecs(paths) = kind.shape else { continue };
        let path = paths[0].replace('*', "one");
        let steps: Vec<_> = path.split('/').skip(1).collect();
        let nest = |inner: Value, step: &&str| json!({ (*step).to_owned(): inner });
        let object = steps.iter().rev().fold(one_container(), nest);
        match attach(&object, kind, &[env("A=a")], &ContainerChoice::Only, Existing::Keep).unwrap() {
            Outcome::AsAsked => panic!("{} was not changed", kind.name),
            Outcome::Changed { object, .. } => {
                assert_eq!(object.pointer(&path).unwrap()["containers"][0]["env"][0]["name"], "A");
            }
        }
    }
}
