//! Fuzz targets: words that tell how a secret is attached, and workloads of any shape.

use serde_json::{Value, json};

use super::kind::Shape;
use super::*;
use crate::fuzz::{assert_linear, feed, feed_random, mutated_tree};

const WORDS: [&str; 20] = [
    "HF_TOKEN",
    "VAR=KEY",
    "/etc/s",
    "/etc/s:key=file",
    "/etc/s:a=b,c",
    "P_",
    "0400",
    "0o777",
    "HF=hf,key=token",
    "path=/s,name=s",
    "name=s,path=/s",
    "datasets:/data:ro",
    "0.5",
    "2000",
    "500m",
    "1Gi",
    "deploy/web",
    "job.batch/train",
    "pod/",
    "SECRET:hf,k",
];

#[test]
fn words_of_attachments_and_jobs() {
    feed("words_of_attachments_and_jobs", &WORDS, &["/", ":", "=", ",", "..", "SECRET:", ".v1."], |bytes| {
        let Ok(word) = std::str::from_utf8(bytes) else { return "not UTF-8".to_owned() };
        let said =
            |error: Option<crate::error::Error>| error.map(|error| error.to_string()).unwrap_or_default();
        let outcomes = [
            said(Attachment::env("s", word).err()),
            said(Attachment::env(word, "k").err()),
            said(Attachment::env_all("s", word).err()),
            said(Attachment::files("s", word, None).err()),
            said(Attachment::env_secret(word).err()),
            said(Attachment::secret_volume(word, None).err()),
            said(Attachment::image_pull(word).err()),
            said(Mode::parse(word).err()),
            said(Volume::parse_claim(word).err()),
            said(Volume::parse_existing_claim(word).err()),
            said(Volume::parse_volume(word).err()),
            said(Toleration::parse(word).err()),
            said(Gpu::parse_portion(word, None).err()),
            said(Gpu::parse(word).err()),
            said(Gpu::parse_memory("--gpu-memory", word).err()),
            said(Target::parse(word).err()),
            said(Kind::named(word).err()),
        ];
        outcomes.join("\n")
    });
}

fn pod() -> Value {
    json!({
        "serviceAccountName": "default",
        "imagePullSecrets": [{"name": "s"}, {"name": "other"}],
        "initContainers": [{"name": "i", "image": "x", "restartPolicy": "Always"}],
        "containers": [{
            "name": "main", "image": "x", "command": ["sh", "-c"], "args": ["echo $(A)"],
            "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": true}}}, {"name": "B", "value": "$(A)"}],
            "envFrom": [{"prefix": "P_", "secretRef": {"name": "s"}}, {"configMapRef": {"name": "c"}}],
            "volumeMounts": [{"name": "v", "mountPath": "/s", "subPath": "k"}, {"name": "w", "mountPath": "/w"}],
            "securityContext": {"runAsUser": 1000},
        }],
        "ephemeralContainers": [{"name": "e", "image": "x"}],
        "volumes": [
            {"name": "v", "secret": {"secretName": "s", "defaultMode": 256, "items": [{"key": "k", "path": "f"}]}},
            {"name": "w", "projected": {"sources": [{"secret": {"name": "s", "items": [{"key": "k", "path": "f"}]}}]}},
            {"name": "x", "csi": {"driver": "d", "nodePublishSecretRef": {"name": "s"}}},
        ],
        "securityContext": {"fsGroup": 1},
    })
}

fn metadata() -> Value {
    json!({
        "name": "x", "namespace": "n", "uid": "u", "resourceVersion": "1", "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": {"a": "b", "batch.kubernetes.io/job-name": "x"}, "annotations": {"run.ai/x": "{}"},
        "ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": "o", "uid": "v", "controller": true}],
    })
}

/// One object of each kind, with every field that is read.
fn objects() -> Vec<(&'static Kind, Value)> {
    let status = json!({
        "phase": "Running", "active": 1, "succeeded": 1, "startTime": "2026-01-01T00:00:00Z",
        "conditions": [{"type": "Complete", "status": "True", "reason": "r", "message": "m"}],
        "containerStatuses": [{"name": "main", "state": {"waiting": {"reason": "CreateContainerConfigError", "message": "m"}}}],
    });
    let of = |kind: &'static Kind| {
        let mut object = json!({
            "apiVersion": format!("{}/v1", kind.group), "kind": kind.name, "metadata": metadata(), "status": status,
            "spec": {"suspend": false, "paused": true, "completions": 1, "selector": {"matchLabels": {"a": "b"}}},
        });
        for pointer in kind.shape.patterns() {
            let content = match kind.shape {
                Shape::PodSpecs(_) => pod(),
                Shape::Environments(_) => json!({"environment": {"items": {"A": {"value": "SECRET:s,k"}}}}),
                Shape::Accounts(_) => {
                    object["imagePullSecrets"] = json!([{"name": "s"}]);
                    continue;
                }
            };
            put(&mut object, &pointer.split('/').skip(1).collect::<Vec<_>>(), content);
        }
        (kind, object)
    };
    Kind::attachable().map(of).collect()
}

/// Puts a value at the end of the steps; a `*` becomes a map with one entry, or a list.
fn put(object: &mut Value, steps: &[&str], value: Value) {
    match steps {
        [] => *object = value,
        ["*", rest @ ..] if object.is_array() => put(&mut object[0], rest, value),
        [step, next, rest @ ..] if *next == "*" && step.ends_with('s') && !step.ends_with("Specs") => {
            if object[*step].is_null() {
                object[*step] = json!([{}]);
            }
            put(&mut object[*step][0], rest, value);
        }
        ["*", rest @ ..] => put(&mut object["Worker"], rest, value),
        [step, rest @ ..] => put(&mut object[*step], rest, value),
    }
}

#[test]
fn workloads_of_any_shape() {
    let objects = objects();
    assert!(
        objects.iter().all(|(kind, object)| !Consumer::of(kind, object, |_| true).display_name().is_empty())
    );
    feed_random("workloads_of_any_shape", 1, |random| {
        let (kind, object) = random.pick(&objects);
        let object = mutated_tree(object, random);
        let attachments = [
            Attachment::env("t", "A=k").unwrap(),
            Attachment::files("t", "/t", None).unwrap(),
            Attachment::image_pull("t").unwrap(),
        ];
        let attached =
            attach::attach(&object, kind, &attachments[..1], &ContainerChoice::All, Existing::Overwrite);
        let more = attach::attach(&object, kind, &attachments, &ContainerChoice::Only, Existing::Keep);
        let detached = detach::detach(&object, kind, &Selection::every_use("s"));
        let consumer = Consumer::of(kind, &object, |_| true);
        let copy = clean_copy(&object, kind, Some("copy"));
        let state = job_state(&object) == job_state(&copy);
        let over = renamed(&object, kind, "s", "t");
        assert!(kind.references(&over.object).iter().all(|one| one.secret != "s"), "{object}");
        let owner = owner(&object).is_some();
        format!(
            "{} {} {} {} {state} {owner} {:?}",
            attached.is_ok(),
            more.is_ok(),
            detached.is_ok(),
            consumer.display_name().len(),
            kind.on_change_of(&object)
        )
    });
}

/// Makes a pod spec with so many parts.
type MakeSpec = fn(usize) -> Value;

/// Pods that are small to write, and in which each part could be looked up once for each other part.
fn growing() -> Vec<(&'static str, MakeSpec)> {
    fn each(count: usize, one: impl Fn(usize) -> Value) -> Value {
        (0..count).map(one).collect()
    }
    fn one_container(fields: &Value) -> Value {
        let mut container = json!({"name": "m"});
        container.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!({ "containers": [container] })
    }
    vec![
        ("variables that refer to each other", |count| {
            let value = |at: usize| format!("$(A{})$(A{})", at + 1, (at * 7) % (at + 2));
            one_container(
                &json!({"env": each(count, |at| json!({"name": format!("A{at}"), "value": value(at)}))}),
            )
        }),
        ("dollars", |count| {
            let value = format!("{}{}", "$a$(".repeat(count * 8), "$a".repeat(count * 8));
            one_container(&json!({"env": [{"name": "A", "value": value}]}))
        }),
        ("sources", |count| {
            let source =
                |at: usize| json!({"prefix": format!("P{at}"), "secretRef": {"name": format!("s{at}")}});
            let env = each(count, |at| json!({"name": format!("A{at}"), "value": "$(B)"}));
            one_container(&json!({"env": env, "envFrom": each(count, source)}))
        }),
        ("volumes with mounts", |count| {
            let mount = |at: usize| json!({"name": format!("v{at}"), "mountPath": format!("/v{at}")});
            let volume =
                |at: usize| json!({"name": format!("v{at}"), "secret": {"secretName": format!("s{at}")}});
            let mut spec = one_container(&json!({"volumeMounts": each(count, mount)}));
            spec["volumes"] = each(count, volume);
            spec
        }),
        ("containers", |count| {
            // Half as many: each becomes several objects, whose allocation is what would be measured.
            json!({"containers": each(count / 2, |at| json!({"name": format!("c{at}")}))})
        }),
        ("volumes of one name", |count| {
            let mut spec = one_container(
                &json!({"volumeMounts": each(count, |_| json!({"name": "v", "mountPath": "/v"}))}),
            );
            spec["volumes"] = each(count, |_| json!({"name": "v", "secret": {"secretName": "s"}}));
            spec
        }),
    ]
}

#[test]
fn the_time_to_look_at_a_workload_and_to_change_it_grows_with_its_size_alone() {
    let kind = Kind::named("pod").unwrap();
    let attachments = [Attachment::env("t", "A0=k").unwrap(), Attachment::files("t", "/t", None).unwrap()];
    for (what, spec) in growing() {
        let text = |count: usize| json!({"metadata": {"name": "p"}, "spec": spec(count)}).to_string();
        assert_linear(what, text, |text| {
            let pod: Value = serde_json::from_str(text).unwrap();
            let seen = Consumer::of(kind, &pod, |_| true).with_doubts(&pod);
            assert!(seen.references.len() + seen.doubts.len() + malformed(&pod, kind).len() < text.len());
            let attached = attach(&pod, kind, &attachments, &ContainerChoice::All, Existing::Overwrite);
            let Ok(Outcome::Changed { object, .. }) = attached else { panic!("{what} is not attached to") };
            let detached = detach(&object, kind, &Selection::every_use("t")).unwrap();
            drop(left_behind(&detached.object, kind, &detached.removed));
        });
    }
}
