//! Fuzz target: files of manifests, to which a secret is attached and from which it is detached.

use serde_json::Value;

use super::*;
use crate::fuzz::{CANARY, assert_linear, feed, feed_bombs};
use crate::workload::{self, Attachment, ContainerChoice, Existing, Kind, Outcome, Selection};

const YAML_CASES: &str = include_str!("../../tests/conformance/yaml.json");

const SEEDS: [&str; 9] = [
    "# what it is for\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web # the name\nspec:\n  replicas: 0x2\n  template:\n    spec:\n      containers:\n      # the first\n      - name: main\n        image: \"a:1\" # pinned\n        env:\n          - name: A\n            value: |\n              CA+NARY/\n\n              lines\n      - {name: side, image: b}\n\n      # the end\n# after all\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: hf}\nstringData:\n  A: CA+NARY/\n---\n# job\napiVersion: batch/v1\nkind: Job\nmetadata:\n  name: train\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n      imagePullSecrets: []\n      containers:\n        - name: m\n          image: x\n          envFrom:\n            - secretRef: {name: s}\n          volumeMounts:\n            - {name: v, mountPath: /s}\n      volumes:\n        - name: v\n          secret:\n            secretName: s\n...\n---\nkind: ConfigMap\napiVersion: v1\ndata: {a: \"b\"}\n",
    "kind: List\napiVersion: v1\nitems:\n- &a\n  kind: Pod\n  apiVersion: v1\n  metadata: &m {name: p, labels: {<<: {a: b}}}\n  spec:\n    containers: [{name: c, image: i, env: [{name: B, value: \"1\"}]}]\n- kind: Pod\n  apiVersion: v1\n  metadata: *m\n  spec: {containers: [{name: c, image: i}]}\n",
    "{\n    \"apiVersion\": \"batch/v1\",\n    \"kind\": \"CronJob\",\n    \"metadata\": {\"name\": \"c\"},\n    \"spec\": {\"jobTemplate\": {\"spec\": {\"template\": {\"spec\": {\"containers\": [\n        {\"name\": \"m\", \"image\": \"x\"}\n    ]}}}}}\n}\n",
    "{\"apiVersion\":\"apps/v1\",\"kind\":\"StatefulSet\",\"metadata\":{\"name\":\"d\"},\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"m\",\"image\":\"x\",\"env\":[{\"name\":\"K\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"s\",\"key\":\"k\"}}}]}]}}}}{\"kind\":\"X\"}",
    "apiVersion: run.ai/v2alpha1\nkind: TrainingWorkload\nmetadata:\n  name: t\nspec:\n  environment:\n    items:\n      A:\n        value: SECRET:s,k\n  image:\n    value: x\n",
    "apiVersion: kubeflow.org/v1\nkind: PyTorchJob\nmetadata: {name: p}\nspec:\n  pytorchReplicaSpecs:\n    Master:\n      template:\n        spec:\n          containers:\n          - name: pytorch\n            image: x\n            args:\n              - >-\n                a\n                b\n    Worker:\n      template: {spec: {containers: [{name: pytorch, image: x}]}}\n",
    "\u{feff}---\r\napiVersion: apps/v1\r\nkind: DaemonSet\r\nmetadata:\r\n  name: d\r\nspec:\r\n  template:\r\n    spec:\r\n      containers:\r\n      - name: m\r\n        image: x\r\n        command: [\r\n          a,\r\n          b\r\n        ]\r\n",
    "kind: Pod\napiVersion: v1\nmetadata:\n  ? name\n  : p\n  annotations:\n    a: &x !!str 1\n    b: *x\n    \"c\": 'it''s'\nspec:\n  containers:\n  -\n    name: m\n    image:\tx\n    args:\n    - |2-\n        CA+NARY/\n    - \"a\\\n      b\"\n    workingDir: /a\n      b",
];

const WORDS: [&str; 20] = [
    "apiVersion: v1\n",
    "kind: Pod\n",
    "kind: Job\n",
    "kind: Secret\n",
    "items:\n",
    "containers:\n",
    "- name: m\n",
    "env: ",
    "volumes:\n",
    "  ",
    "\n    ",
    "&a ",
    "*a",
    "<<: *a",
    "? ",
    "!!map ",
    "{a: b}",
    "[a, b]",
    "| # c\n",
    "\"kind\":",
];

fn is_known(api_version: &str, kind: &str) -> bool {
    Kind::of_manifest(api_version, kind).is_some()
}

fn attachments() -> Vec<Attachment> {
    vec![
        Attachment::env("s", "k").unwrap(),
        Attachment::env_all("s", "P_").unwrap(),
        Attachment::files("s", "/s", None).unwrap(),
        Attachment::image_pull("s").unwrap(),
    ]
}

/// Returns the object after `attach -f` and after `detach -f`, where it can be changed.
fn changes(object: &Value) -> Vec<Value> {
    let Some(kind) = Kind::of_manifest(text(object, "apiVersion"), text(object, "kind")) else {
        return Vec::new();
    };
    let mut changed = Vec::new();
    let ways = [attachments(), vec![Attachment::env("s", "k").unwrap()]];
    for attachments in ways {
        let attach = |object: &Value| {
            workload::attach(object, kind, &attachments, &ContainerChoice::All, Existing::Overwrite)
        };
        if let Ok(Outcome::Changed { object, .. }) = attach(object) {
            assert!(matches!(attach(&object), Ok(Outcome::AsAsked)), "attaching twice is attaching once");
            changed.push(object);
        }
    }
    if let Ok(detached) = workload::detach(object, kind, &Selection::every_use("s")) {
        changed.push(detached.object);
    }
    changed
}

#[test]
fn manifests() {
    let tree: Value = serde_json::from_str(YAML_CASES).unwrap();
    let cases = tree["cases"].as_array().unwrap().iter().filter_map(|case| case["yaml"].as_str());
    let seeds: Vec<&str> = SEEDS.into_iter().chain(cases).collect();
    feed("manifests", &seeds, &WORDS, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return "not UTF-8".to_owned() };
        changed_and_read_again(text).unwrap_or_else(|error| {
            assert!(!error.to_string().contains(CANARY), "{error}");
            error.to_string()
        })
    });
}

/// Makes every change to every workload of the text, and checks that nothing else changes.
fn changed_and_read_again(input: &str) -> Result<String> {
    let manifest = Manifest::parse("f", input)?;
    assert_eq!(manifest.text(), input);
    let secrets = manifest.objects(|_, kind| kind == "Secret").map(|secrets| secrets.len());
    let objects = manifest.objects(is_known)?;
    let mut outcomes = vec![format!("{:?} {:?}", manifest.format, secrets.ok())];
    for object in &objects {
        for wanted in changes(&object.value) {
            outcomes.push(check_change(input, object, wanted));
        }
    }
    for format in [Format::Yaml, Format::Json] {
        let Ok(converted) = manifest.text_as(format) else { continue };
        let again = Manifest::parse("f", &converted)?.objects(is_known)?;
        let values =
            |objects: &[Object]| objects.iter().map(|object| object.value.clone()).collect::<Vec<_>>();
        assert_eq!(values(&again), values(&objects), "converted to {format:?} it means something else");
    }
    Ok(outcomes.join("\n"))
}

#[track_caller]
fn check_change(input: &str, object: &Object, wanted: Value) -> String {
    let mut manifest = Manifest::parse("f", input).unwrap();
    let mut expected = manifest.objects(is_known).unwrap();
    let changed = object.clone().with(wanted);
    let at = expected.iter().position(|one| one == object).unwrap();
    expected[at] = changed.clone();
    let before: Vec<String> = manifest.documents.iter().map(|document| document.text.to_string()).collect();
    let lossy = manifest.replace(&[changed]).unwrap();
    for (index, document) in manifest.documents.iter().enumerate() {
        assert!(index == object.document || document.text == before[index], "another document is changed");
    }
    let result = manifest.text();
    let again = Manifest::parse("f", &result).and_then(|manifest| manifest.objects(is_known));
    let again = again.unwrap_or_else(|error| panic!("what was written can't be read: {error}"));
    assert!(again == expected, "what was written means something else: {result}");
    format!("{} {}", lossy.len(), result.len() > input.len())
}

#[test]
fn manifests_that_are_larger_than_they_look() {
    feed_bombs("manifests_that_are_larger_than_they_look", |bytes| {
        let text = std::str::from_utf8(bytes).unwrap();
        changed_and_read_again(text).unwrap_or_else(|error| error.to_string())
    });
}

#[test]
fn pods_that_are_larger_than_they_look() {
    feed_bombs("pods_that_are_larger_than_they_look", |bytes| {
        let text = std::str::from_utf8(bytes).unwrap();
        let pod = format!("apiVersion: v1\nkind: Pod\nspec: {{containers: [{{name: m, image: x}}]}}\n{text}");
        changed_and_read_again(&pod).unwrap_or_else(|error| error.to_string())
    });
}

const POD: &str =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: m\n    image: x\n";

/// The growing part, and a manifest with that many of it.
type Growing = (&'static str, fn(usize) -> String);

/// Manifests with a pod of which a part grows, one for each way.
fn growing() -> Vec<Growing> {
    fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
        (0..count).map(line).collect()
    }
    vec![
        ("keys", |count| format!("{POD}more:\n{}", lines(count, |at| format!("  k{at}: v\n")))),
        ("anchors", |count| format!("{POD}more:\n{}", lines(count, |at| format!("  k{at}: &a{at} v\n")))),
        ("aliases", |count| {
            format!("{POD}more:\n  k: &a v\n{}", lines(count, |at| format!("  k{at}: *a\n")))
        }),
        ("items", |count| format!("{POD}    args:\n{}", lines(count, |at| format!("    - a{at}\n")))),
        ("items on a line", |count| format!("{POD}    args: [{}]\n", lines(count, |at| format!("a{at}, ")))),
        ("comments", |count| format!("{POD}{}", lines(count * 2, |_| "# c\n".to_owned()))),
        ("comments between", |count| {
            POD.replace("  containers", &format!("{}  containers", lines(count, |_| "  # c\n".to_owned())))
        }),
        ("empty lines", |count| format!("{POD}{}", "\n".repeat(count * 8))),
        ("documents", |count| lines(count / 8, |_| format!("{POD}---\n"))),
        ("small documents", |count| format!("{POD}{}", lines(count, |_| "---\na: 1\n".to_owned()))),
        ("a list of pods", |count| {
            let pod = POD.replace('\n', "\n  ");
            format!(
                "apiVersion: v1\nkind: List\nitems:\n{}",
                lines(count / 8, |_| format!("- {}\n", pod.trim_end()))
            )
        }),
        ("a line of pods", |count| {
            let pod = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"m"}]}}"#;
            let pods = vec![pod; count / 8].join(",");
            format!(r#"{{"apiVersion":"v1","kind":"List","items":[{pods}]}}"#)
        }),
        ("a text", |count| {
            format!("{POD}    args:\n    - |\n{}", lines(count * 4, |_| "      line\n".to_owned()))
        }),
        ("a line", |count| format!("{POD}    args: [\"{}\"]\n", "x".repeat(count * 40))),
    ]
}

#[test]
fn the_time_to_change_a_manifest_grows_with_its_length_alone() {
    for (what, text) in growing() {
        assert_linear(what, text, |text| {
            let mut manifest = Manifest::parse("f", text).unwrap();
            let objects = manifest.objects(is_known).unwrap();
            assert!(!objects.is_empty(), "{what}");
            let changed: Vec<Object> = objects
                .into_iter()
                .map(|object| {
                    let wanted = changes(&object.value).remove(0);
                    object.with(wanted)
                })
                .collect();
            manifest.replace(&changed).unwrap();
            assert!(manifest.text().len() > text.len());
        });
    }
}
