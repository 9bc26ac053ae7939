use serde_json::json;

use super::*;
use crate::workload::attach::{Outcome, attach};
use crate::workload::attachment::Attachment;
use crate::workload::{ContainerChoice, Existing};

fn job() -> Value {
    json!({"metadata": {"name": "j"}, "spec": {"template": {"spec": {
        "containers": [{"name": "main", "env": [{"name": "OTHER", "value": "x"}]}],
        "initContainers": [{"name": "init"}]}}}})
}

fn kind() -> &'static Kind {
    Kind::named("job").unwrap()
}

fn all_of(secret: &str) -> Selection {
    Selection::every_use(secret)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

fn shown(detached: &Detached) -> Vec<String> {
    detached.removed.iter().map(ToString::to_string).collect()
}

/// The Job with these attached to both of its containers.
fn with(attachments: &[Attachment]) -> Value {
    match attach(&job(), kind(), attachments, &ContainerChoice::All, Existing::Keep).unwrap() {
        Outcome::Changed { object, .. } => object,
        Outcome::AsAsked => panic!("nothing was attached"),
    }
}

fn every_way() -> [Attachment; 5] {
    [
        Attachment::env("s", "A=k").unwrap(),
        Attachment::env_all("s", "").unwrap(),
        Attachment::files("s", "/a", None).unwrap(),
        Attachment::files("s", "/b:k,l", None).unwrap(),
        Attachment::image_pull("s").unwrap(),
    ]
}

#[test]
fn what_has_no_name_is_taken_off_alone() {
    let object = with(&every_way());
    for (nameless, taken) in [
        (Nameless::EnvAll, &["env * in container init", "env * in container main"][..]),
        (Nameless::ImagePull, &["its use for pulling images"]),
    ] {
        let selection = Selection { nameless: vec![nameless], ..all_of("s") };
        let detached = detach(&object, kind(), &selection).unwrap();
        assert_eq!(shown(&detached), taken);
        let again = detach(&detached.object, kind(), &selection).unwrap_err().to_string();
        assert!(again.contains("does not use secret s "), "{again}");
    }
}

#[test]
fn detaching_undoes_attaching() {
    let object = with(&every_way());
    let other = detach(&object, kind(), &all_of("other")).unwrap();
    assert_eq!(other, Detached { object: object.clone(), removed: Vec::new() });
    let detached = detach(&object, kind(), &all_of("s")).unwrap();
    assert_eq!(detached.object, job());
    assert_eq!(detached.removed.len(), 9, "{:?}", detached.removed);
}

#[test]
fn only_what_is_named_goes() {
    let object = with(&every_way());
    let selection = Selection { variables: words(&["A"]), paths: words(&["/a"]), ..all_of("s") };
    let detached = detach(&object, kind(), &selection).unwrap();
    assert_eq!(
        shown(&detached),
        [
            "env A in container init",
            "env A in container main",
            "files in /a in container init",
            "files in /a in container main"
        ]
    );
    let left = &every_way()[1..];
    let left: Vec<_> = left.iter().filter(|way| !way.to_string().contains("/a ")).cloned().collect();
    let mut expected = with(&left);
    // The first volume had the plain name.
    expected["spec"]["template"]["spec"]["volumes"][0]["name"] = json!("secret-s-2");
    for list in ["containers", "initContainers"] {
        expected["spec"]["template"]["spec"][list][0]["volumeMounts"][0]["name"] = json!("secret-s-2");
    }
    assert_eq!(detached.object, expected);
}

#[test]
fn what_is_named_and_not_used_is_an_error_that_names_all_of_it() {
    let object = with(&[Attachment::env("s", "A=k").unwrap()]);
    let selection = Selection { variables: words(&["A", "TYPO"]), paths: words(&["/x"]), ..all_of("s") };
    let error = detach(&object, kind(), &selection).unwrap_err().to_string();
    assert_eq!(
        error,
        "error: job.batch/j does not use secret s as env TYPO and as files in /x\n\
         hint: what uses it: env A in container init, env A in container main"
    );
    // A variable of that name that does not come from the secret.
    let selection = Selection { variables: words(&["OTHER"]), ..all_of("s") };
    assert!(detach(&object, kind(), &selection).unwrap_err().to_string().contains("as env OTHER\n"));
    let main = ContainerChoice::Named(words(&["main"]));
    let selection = Selection { containers: main, ..all_of("other") };
    let error = detach(&object, kind(), &selection).unwrap_err().to_string();
    assert!(error.contains("secret other in container main\nhint: it does not use it at all"), "{error}");
}

#[test]
fn what_one_container_loses_the_others_keep() {
    let object = with(&every_way());
    let selection = Selection { containers: ContainerChoice::Named(words(&["main"])), ..all_of("s") };
    let pod = &detach(&object, kind(), &selection).unwrap().object["spec"]["template"]["spec"];
    let before = &object["spec"]["template"]["spec"];
    assert_eq!(pod["containers"], job()["spec"]["template"]["spec"]["containers"]);
    for field in ["initContainers", "volumes", "imagePullSecrets"] {
        assert_eq!(pod[field], before[field], "{field}");
    }
    let selection = Selection { containers: ContainerChoice::Named(words(&["mian"])), ..all_of("s") };
    assert!(
        detach(&object, kind(), &selection).unwrap_err().to_string().contains("has no container \"mian\"")
    );
}

fn pod(sources: &Value) -> Value {
    json!({"spec": {
        "containers": [{"name": "m", "volumeMounts": [
            {"name": "v", "mountPath": "/v"}, {"name": "v", "mountPath": "/w"}]}],
        "volumes": [{"name": "v", "projected": {"sources": sources}}]}})
}

#[test]
fn of_a_projected_volume_the_other_sources_stay() {
    let config = json!({"configMap": {"name": "c"}});
    let kind = Kind::named("pod").unwrap();
    let mixed = pod(&json!([{"secret": {"name": "s"}}, config]));
    assert_eq!(detach(&mixed, kind, &all_of("s")).unwrap().object, pod(&json!([config])));
    let one = Selection { paths: words(&["/v"]), ..all_of("s") };
    assert!(detach(&mixed, kind, &one).unwrap_err().to_string().contains("files of others"));
    let alone = pod(&json!([{"secret": {"name": "s"}}]));
    let bare = json!({"spec": {"containers": [{"name": "m"}]}});
    assert_eq!(detach(&alone, kind, &all_of("s")).unwrap().object, bare);
}

#[test]
fn a_volume_that_nothing_mounts_goes_too_since_a_pod_waits_for_its_secret() {
    let pod = json!({"spec": {"containers": [], "volumes": [{"name": "v", "secret": {"secretName": "s"}}]}});
    let detached = detach(&pod, Kind::named("pod").unwrap(), &all_of("s")).unwrap();
    assert_eq!(detached.object, json!({"spec": {"containers": []}}));
    assert_eq!(shown(&detached), ["volume v"]);
}

#[test]
fn the_login_of_a_storage_driver_stays() {
    let pod = json!({"spec": {"containers": [], "volumes": [
        {"name": "v", "csi": {"driver": "d", "nodePublishSecretRef": {"name": "s"}}}]}});
    let detached = detach(&pod, Kind::named("pod").unwrap(), &all_of("s")).unwrap();
    assert_eq!(detached, Detached { object: pod, removed: Vec::new() });
}
