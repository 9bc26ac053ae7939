//! Properties of every workload and every set of attachments.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{ContainerChoice, Existing, Outcome, attach};
use crate::workload::attachment::{Attachment, Mode};
use crate::workload::kind::Kind;

fn secret() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b.c", "b-c"]).prop_map(str::to_owned)
}

fn attachment() -> impl Strategy<Value = Attachment> {
    let mode = prop::option::of(Just(Mode::parse("0400").expect("a legal mode")));
    prop_oneof![
        (secret(), "[AB]=[kl]").prop_map(|(s, flag)| Attachment::env(&s, &flag).unwrap()),
        (secret(), "P?").prop_map(|(s, prefix)| Attachment::env_all(&s, &prefix).unwrap()),
        (secret(), "/[xy](:[kl])?", mode)
            .prop_map(|(s, flag, mode)| Attachment::files(&s, &flag, mode).unwrap()),
        secret().prop_map(|s| Attachment::image_pull(&s).unwrap()),
    ]
}

fn container() -> impl Strategy<Value = Value> {
    let variable = prop_oneof![
        "[ABC]".prop_map(|name| json!({"name": name, "value": "x"})),
        "[ABC]"
            .prop_map(|name| json!({"name": name, "valueFrom": {"secretKeyRef": {"name": "a", "key": "k"}}})),
    ];
    let mount = "/[xyz]".prop_map(|path| json!({"name": "data", "mountPath": path, "unknown": {"kept": 1}}));
    let fields = (prop::option::of(vec(variable, 0..3)), prop::option::of(vec(mount, 0..2)));
    fields.prop_map(|(env, mounts)| {
        let mut container = json!({"image": "i", "unknown": [1, {"kept": null}]});
        if let Some(env) = env {
            container["env"] = env.into();
        }
        if let Some(mounts) = mounts {
            container["volumeMounts"] = mounts.into();
        }
        container
    })
}

fn object() -> impl Strategy<Value = Value> {
    vec(container(), 1..3).prop_map(|mut containers| {
        for (index, container) in containers.iter_mut().enumerate() {
            container["name"] = format!("c{index}").into();
        }
        let volumes =
            json!([{"name": "data", "emptyDir": {}}, {"name": "secret-a", "configMap": {"name": "x"}}]);
        json!({
            "kind": "Deployment", "metadata": {"name": "web", "x": 1},
            "spec": {"replicas": 2, "template": {"metadata": {}, "spec": {
                "containers": containers, "volumes": volumes, "unknown": {"kept": true}}}},
        })
    })
}

/// Returns the object without the lists that attachments may change.
fn without_attachments(mut object: Value) -> Value {
    let pod = &mut object["spec"]["template"]["spec"];
    for field in ["volumes", "imagePullSecrets"] {
        pod.as_object_mut().unwrap().remove(field);
    }
    for container in pod["containers"].as_array_mut().unwrap() {
        for field in ["env", "envFrom", "volumeMounts"] {
            container.as_object_mut().unwrap().remove(field);
        }
    }
    object
}

/// Returns the entries of all lists that attachments may change.
fn entries(object: &Value) -> Vec<Value> {
    let pod = &object["spec"]["template"]["spec"];
    let containers = pod["containers"].as_array().unwrap();
    let lists = containers.iter().flat_map(|c| [&c["env"], &c["envFrom"], &c["volumeMounts"]]);
    lists
        .chain([&pod["volumes"], &pod["imagePullSecrets"]])
        .filter_map(Value::as_array)
        .flatten()
        .cloned()
        .collect()
}

proptest! {
    #[test]
    fn attaching_twice_is_attaching_once(object in object(), asked in vec(attachment(), 0..5)) {
        let kind = Kind::named("deployment").unwrap();
        let again = |object: &Value, existing| attach(object, kind, &asked, &ContainerChoice::All, existing);
        if let Ok(Outcome::Changed { object, .. }) = again(&object, Existing::Overwrite) {
            prop_assert_eq!(again(&object, Existing::Overwrite).unwrap(), Outcome::AsAsked);
            prop_assert_eq!(again(&object, Existing::Keep).unwrap(), Outcome::AsAsked);
        }
    }

    #[test]
    fn attaching_leaves_everything_else_equal(object in object(), asked in vec(attachment(), 0..5)) {
        let kind = Kind::named("deployment").unwrap();
        let outcome = attach(&object, kind, &asked, &ContainerChoice::All, Existing::Keep);
        if let Ok(Outcome::Changed { object: changed, .. }) = outcome {
            let after = entries(&changed);
            for entry in entries(&object) {
                prop_assert!(after.contains(&entry), "lost {}", entry);
            }
            prop_assert_eq!(without_attachments(changed), without_attachments(object));
        }
    }
}
