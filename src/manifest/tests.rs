use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::workload::{self, Attachment, ContainerChoice, Existing, Kind, Outcome, Selection};

const CASES: &str = include_str!("../../tests/conformance/yaml.json");

fn any_kind(_: &str, _: &str) -> bool {
    true
}

/// Returns the text after `change` was made to its first object.
#[track_caller]
fn changed(text: &str, change: impl Fn(&mut Value)) -> String {
    let mut manifest = Manifest::parse("f", text).unwrap();
    let mut object = manifest.objects(any_kind).unwrap().remove(0);
    change(&mut object.value);
    let wanted = object.value.clone();
    let lossy = manifest.replace(&[object]).unwrap();
    let result = manifest.text();
    let again = Manifest::parse("f", &result).unwrap().objects(any_kind).unwrap().remove(0);
    assert_eq!(again.value, wanted, "{result}");
    assert!(lossy.is_empty(), "{lossy:?}: {result}");
    result
}

fn same(ours: &Value, kubectls: &Value) -> bool {
    match (ours, kubectls) {
        // serde_json's floats are off by a bit if the digits are many.
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= b.abs() * 1e-15
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

#[test]
fn yaml_means_what_it_means_to_kubectl() {
    let cases: Value = serde_json::from_str(CASES).unwrap();
    for case in cases["cases"].as_array().unwrap() {
        let text = case["yaml"].as_str().unwrap();
        let read = Manifest::parse("f", text).and_then(|manifest| manifest.objects(any_kind));
        match (read, &case["value"]) {
            (Err(_), Value::Null) => {}
            (Ok(objects), kubectls @ Value::Object(_)) => {
                let mut ours = objects[0].value.clone();
                for field in ["apiVersion", "kind", "metadata"] {
                    ours.as_object_mut().unwrap().remove(field);
                }
                assert!(same(&ours, kubectls), "{text}\nours: {ours}\nkubectl's: {kubectls}");
            }
            (Ok(objects), _) => panic!("kubectl refuses this, and it is read as {objects:?}:\n{text}"),
            // granit-parser 2.2.0 requires blanks at the start of a line, also between braces.
            (Err(_), _) if text.contains("{\n\t") => {}
            (Err(error), _) => panic!("kubectl reads this: {error}\n{text}"),
        }
    }
}

const DEPLOYMENT: &str = "\
# what it is for
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web # the name
spec:
  replicas: 0x2
  template:
    spec:
      containers:
      # the first
      - name: main
        image: \"a:1\" # pinned
        env:
          - name: A
            value: |
              several

              lines
      - {name: side, image: b}

      # the end
# after all
";

#[test]
fn a_field_and_an_item_are_added_where_they_belong() {
    let text = changed(DEPLOYMENT, |object| {
        let spec = &mut object["spec"]["template"]["spec"];
        spec["containers"][0]["env"].as_array_mut().unwrap().push(json!({"name": "B", "value": "yes"}));
        spec["containers"][1]["env"] = json!([{"name": "C"}]);
        spec["volumes"] = json!([{"name": "v", "emptyDir": {}}]);
    });
    let expected = DEPLOYMENT
        .replace(
            "              lines\n",
            "              lines\n          - name: B\n            value: \"yes\"\n",
        )
        .replace(
            "image: b}\n",
            "image: b, \"env\": [{\"name\":\"C\"}]}\n      volumes:\n      - emptyDir: {}\n        name: v\n",
        );
    assert_eq!(text, expected);
}

#[test]
fn what_is_removed_takes_no_other_line_with_it() {
    let text = changed(DEPLOYMENT, |object| {
        object["spec"]["template"]["spec"]["containers"].as_array_mut().unwrap().remove(1);
    });
    assert!(text.contains("              lines\n\n      # the end\n# after all\n"), "{text}");
    let text = changed(DEPLOYMENT, |object| {
        object["spec"]["template"]["spec"]["containers"][0].as_object_mut().unwrap().remove("env");
    });
    assert!(
        text.contains(
            "image: \"a:1\" # pinned\n      - {name: side, image: b}\n\n      # the end\n# after all\n"
        ),
        "{text}"
    );
    let text = changed(DEPLOYMENT, |object| {
        object["spec"]["template"]["spec"]["containers"][0].as_object_mut().unwrap().remove("name");
    });
    assert!(text.contains("      - image: \"a:1\" # pinned\n"), "{text}");
}

#[test]
fn a_changed_value_stands_where_the_old_one_stood() {
    for (before, value, after) in [
        ("a: 1 # one\nb: 2\n", json!(3), "a: 3 # one\nb: 2\n"),
        ("a: # none\nb: 2\n", json!("x"), "a: x # none\nb: 2\n"),
        ("a: []\nb: 2\n", json!([1]), "a:\n- 1\nb: 2\n"),
        ("a: {x: [1,2]}\nb: 2\n", json!({"x": [1, 2, 3]}), "a: {x: [1,2, 3]}\nb: 2\n"),
        ("a:\n- 1\n- 2\nb: 2", json!([1, 2, 3]), "a:\n- 1\n- 2\n- 3\nb: 2"),
        ("b: 2\na:\n- 1\n- 2", json!([1]), "b: 2\na:\n- 1"),
        ("b: 2\r\na:\r\n- 1\r\n- 2", json!([1]), "b: 2\r\na:\r\n- 1"),
        ("a: 1\nb: |\n  x", json!(2), "a: 2\nb: |\n  x"),
        ("a: |+\n  x\n\n", json!(2), "a: 2\n"),
        ("b: |+\n\n\na: [1]", json!([2]), "b: |+\n\n\na: [2]"),
        (
            "a:\r\n  - 1\r\nb: 2\r\n",
            json!([1, {"x": [2], "z": 3}]),
            "a:\r\n  - 1\r\n  - x:\r\n    - 2\r\n    z: 3\r\nb: 2\r\n",
        ),
        (
            "a:\n# one\n- 1\n  # of two\n# two\n- 2\n",
            json!([1, 3, 2]),
            "a:\n# one\n- 1\n  # of two\n- 3\n# two\n- 2\n",
        ),
        ("a:\n  # one\n  - 1\nb: 1", json!([{"x": 0}, 1, 2]), "a:\n  - x: 0\n  # one\n  - 1\n  - 2\nb: 1"),
        ("a: [1, 2]\n", json!([1, 3, 2, 4]), "a: [1, 3, 2, 4]\n"),
        ("a: [\n  1,\n  2\n]\n", json!([3, 1, 2]), "a: [\n  3,\n  1,\n  2\n]\n"),
        ("a:\n- - 1\n  - 2\n", json!([[0, 1, 2]]), "a:\n- - 0\n  - 1\n  - 2\n"),
        ("a: {x: 1}\n...\n", json!({"y": 1}), "a: {\"y\": 1}\n...\n"),
    ] {
        assert_eq!(changed(before, |object| object["a"] = value.clone()), after, "{before}");
    }
}

#[test]
fn json_keeps_its_layout() {
    let pretty = "{\n  \"a\": [\n    \"x\"\n  ],\n  \"b\": {}\n}\n";
    let more = changed(pretty, |object| {
        object["a"].as_array_mut().unwrap().push(json!({"y": 1}));
        object["c"] = json!([1]);
    });
    let expected = "{\n  \"a\": [\n    \"x\",\n    {\n      \"y\": 1\n    }\n  ],\n  \"b\": {},\n  \"c\": [\n    1\n  ]\n}\n";
    assert_eq!(more, expected);
    let compact = "{\"a\":1.50,\"b\":\"\\/\\ud83d\\ude00\"}{\"c\":2}";
    assert_eq!(
        changed(compact, |object| object["d"] = json!(1)),
        "{\"a\":1.50,\"b\":\"\\/\\ud83d\\ude00\", \"d\": 1}{\"c\":2}"
    );
}

#[test]
fn a_block_of_text_that_ends_with_the_file_ends_its_line() {
    for (end, value) in [
        ("|\n  x", "x\n"),
        ("|-\n  x", "x"),
        ("|+\n  x\n\n", "x\n\n"),
        (">\n  x\n  y", "x y\n"),
        ("|+\n\n\n", "\n\n"),
        ("|\n  x\n   \n", "x\n \n"),
        ("|+", ""),
        ("|", ""),
    ] {
        let text = format!("a: 1\nb: {end}");
        let manifest = Manifest::parse("f", &text).unwrap();
        assert_eq!(manifest.objects(any_kind).unwrap()[0].value["b"], value, "{text}");
        assert_eq!(manifest.text(), text);
        let more = changed(&text, |object| object["c"] = json!(2));
        let added = if text.ends_with('\n') { "c: 2\n" } else { "\nc: 2" };
        assert_eq!(more, format!("{text}{added}"), "{text}");
    }
}

#[test]
fn an_alias_is_written_out_where_only_its_place_changes() {
    let text = "x: &env [1]\na: *env\n";
    assert_eq!(changed(text, |object| object["a"] = json!([1, 2])), "x: &env [1]\na:\n- 1\n- 2\n");
    let text = "base: &base {x: 1}\na:\n  <<: *base\n  y: 2\n";
    let text = changed(text, |object| object["a"]["x"] = json!(3));
    assert_eq!(text, "base: &base {x: 1}\na:\n  <<: *base\n  \"y\": 2\n  x: 3\n".replace("\"y\": 2", "y: 2"));
}

#[test]
fn what_cannot_be_changed_in_place_is_written_anew_and_lost_comments_are_said() {
    let text = "# head\nz: &z\n- 1 # one\nb: *z\n---\nother: 1 # two\n";
    let mut manifest = Manifest::parse("f", text).unwrap();
    let mut object = manifest.objects(any_kind).unwrap().remove(0);
    object.value["z"] = json!([1, 2]);
    assert_eq!(manifest.replace(&[object]).unwrap(), ["f, document 1"]);
    assert_eq!(manifest.text(), "# head\nz:\n- 1\n- 2\nb:\n- 1\n---\nother: 1 # two\n");
}

/// Content below `containers:` of a Job's pod, indented by six.
const LAYOUTS: [&str; 25] = [
    "      - name: main\n        image: x",
    "      - # the main one - of one\n        name: main\n        image: x # pinned\n      # the end\n    # of all\n",
    "      -\n        name: main\n      volumes:\n      - name: v\n        emptyDir: {}\n",
    "        - args: [\n            \"a\",\n            \"b\"\n          ]\n          name: main\n          env: [\n            {name: A, value: b}, # c\n          ]\n",
    "        [{name: main, image: x}] # one line\n",
    "        - name: main\n          args:\n          - >-\n            several\n            lines\n\n# tail\n",
    "        - name: main\t# a tab\n          image:\tx\n",
    "        - \"name\": main\n          'image':    x    \n\n\n",
    "        - name: main\n          workingDir: /a\n            b\n          # trailing\n",
    "        - !!map\n          name: !!str main\n          image: x\n",
    "        - name: main\n          env:\n            - &a {name: A, value: b}\n            - *a\n",
    "        - name: main\n...\n# after\n---\nkind: Secret\ndata:   {a:   b}\n",
    // Blocks of text at the end of the file.
    "        - name: main\n          args:\n          - |\n            a\n            b\n",
    "        - name: main\n          args: # of the script\n          - |-\n            a\n",
    "        - name: main\n          args:\n          - |+\n            a\n\n\n",
    "        - name: main\n          args:\n          - |+ # kept\n            a\n\n# tail\n",
    "        - name: main\n          args:\n          - >2+\n              a\n\n            b\n\n...\n",
    "        - args:\n          - |\n            a\n            # no comment\n          name: main\n          command:\n          - |\n            c\n          # one\n\n",
    "        - name: main\n          args:\n          - |\n            a\n---\n",
    "        - name: main\n          args: [\"a\n\n            b\"]\n---\n\n---\n# nothing\n---\nkind: Secret\n",
    "        - name: main\n          args:\n          - 'a\n            b'\n... # end\n",
    "        - name: main\n          args: &a\n          - !!str |\n            a\t\n            \tb  \n",
    "        - name: main\n          args:\n          - |\n\n            a\n      restartPolicy: Never   \n#\n",
    "        - name: main\n          args:\n          - |\n            a\n              \n\n# tail\n",
    "        - name: main\n          image: >-\n            a\n      restartPolicy: |-\n\n        Never\n",
];

#[test]
fn usual_layouts_are_changed_in_place_and_come_back_to_the_byte() {
    let head = "--- # one\n# head\napiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec:\n  template:\n    spec:\n";
    for layout in LAYOUTS {
        let unix = format!("{head}      containers:\n{layout}");
        let windows = unix.replace('\n', "\r\n");
        let open = [&unix, &windows].map(|text| text.trim_end_matches(['\r', '\n']).to_owned());
        for text in [unix.clone(), windows, format!("\u{feff}{unix}")].into_iter().chain(open) {
            let with = change(&text, |job| attached(job, &every_way()));
            let lines_kept = text.lines().filter(|line| with.contains(line)).count();
            assert!(
                lines_kept + 2 > text.lines().count(),
                "{lines_kept} lines are kept of {text}\nin {with}"
            );
            assert_eq!(change(&with, detached), text, "{with}");
        }
    }
}

#[test]
fn lists_are_opened_as_kubectl_opens_them() {
    let text = "kind: List\napiVersion: v1\nitems:\n- kind: Job\n  apiVersion: batch/v1\n  # c\n- kind: JobList\n  apiVersion: batch/v1\n  items: [{kind: Job, apiVersion: batch/v1}]\n";
    let mut manifest = Manifest::parse("f", text).unwrap();
    let mut jobs = manifest.objects(|api_version, kind| (api_version, kind) == ("batch/v1", "Job")).unwrap();
    assert_eq!(jobs.len(), 2);
    for job in &mut jobs {
        job.value["spec"] = json!({"x": 1});
    }
    manifest.replace(&jobs).unwrap();
    let expected = text
        .replace("batch/v1\n  # c", "batch/v1\n  spec:\n    x: 1\n  # c")
        .replace("batch/v1}]", "batch/v1, \"spec\": {\"x\":1}}]");
    assert_eq!(manifest.text(), expected);
}

#[test]
fn a_mistake_is_named_by_its_place_and_never_shown() {
    for (text, place) in [
        ("a: 1\n---\nb: CANARY: CANARY\n", "f, document 2, line 3: not valid YAML"),
        ("# c\n---\na: 1\n---\nb: 1\n\tb: CANARY\n", "f, document 2, line 5: not valid YAML"),
        (
            "kind: Job\nCANARY: 1\nCANARY: 2\napiVersion: batch/v1\n",
            "f, document 1, line 3: a key is given twice",
        ),
        ("{\"kind\": \"Job\",\n\"a\": CANARY CANARY: }", "f, document 1, line 2: not valid YAML"),
        ("kind: Job\napiVersion: batch/v1\na: *CANARY\n", "f, document 1, line 3: not valid YAML"),
        (
            "kind: Job\napiVersion: batch/v1\na: !!int CANARY\n",
            "f, document 1, line 3: a value does not fit its tag",
        ),
    ] {
        let read = Manifest::parse("f", text).and_then(|manifest| manifest.objects(any_kind));
        let refusal = read.unwrap_err().to_string();
        assert!(refusal.starts_with(&format!("error: {place}")), "{refusal}");
        assert!(!refusal.contains("CANARY"), "{refusal}");
    }
}

#[test]
fn aliases_of_aliases_fill_no_memory() {
    let mut text = "kind: Job\napiVersion: batch/v1\na0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..12 {
        let alias = format!("*a{}", level - 1);
        text.extend([format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 10].join(","))]);
    }
    let refusal = Manifest::parse("f", &text).unwrap().objects(any_kind).unwrap_err().to_string();
    assert!(refusal.contains("aliases make it too large"), "{refusal}");
}

#[test]
fn an_alias_of_a_long_text_fills_no_memory() {
    let text =
        format!("kind: Job\napiVersion: batch/v1\na: &a {}\nb: [{}]\n", "x".repeat(1000), "*a,".repeat(5000));
    let refusal = Manifest::parse("f", &text).unwrap().objects(any_kind).unwrap_err().to_string();
    assert!(refusal.contains("aliases make it too large"), "{refusal}");
}

#[test]
fn a_long_chain_of_aliases_is_refused() {
    let mut text = "kind: Job\napiVersion: batch/v1\na0: &a0 x\n".to_owned();
    for level in 1..20_000 {
        text.extend([format!("a{level}: &a{level} [*a{}]\n", level - 1)]);
    }
    let refusal = Manifest::parse("f", &text).unwrap().objects(any_kind).unwrap_err().to_string();
    assert!(refusal.contains("it is nested too deeply"), "{refusal}");
}

#[test]
fn a_document_of_more_values_than_any_object_has_is_refused() {
    let text = format!("kind: Job\napiVersion: batch/v1\na: [{}]\n", "1,".repeat(1_000_000));
    let refusal = Manifest::parse("f", &text).err().unwrap().to_string();
    assert!(refusal.contains("line 3: too many values and keys for one document"), "{refusal}");
}

#[test]
fn any_number_of_lines_of_comments_may_follow_each_other() {
    let comments = "        # c\n".repeat(1000);
    let head = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec:\n";
    for rest in [
        format!("{comments}  template:\n    spec:\n      containers:\n      - name: main\n"),
        format!("  template:\n    spec:\n      containers:\n{comments}      - name: main\n"),
        format!(
            "  template:\n    spec:\n      containers:\n      - name: main\n{comments}        image: x\n"
        ),
        format!("  template:\n    spec:\n      containers:\n      -\n{comments}        name: main\n"),
    ] {
        let text = head.to_owned() + &rest;
        let with = change(&text, |job| attached(job, &every_way()));
        assert!(with.contains(&comments), "{rest}");
        assert_eq!(change(&with, detached), text);
    }
}

#[test]
fn another_format_keeps_the_order_of_the_fields() {
    let text = "z: 1\na: {y: yes, b: 2}\n---\n# nothing\n---\nc: d\n";
    let manifest = Manifest::parse("f", text).unwrap();
    let json = manifest.text_as(Format::Json).unwrap();
    assert_eq!(
        json,
        "{\n    \"z\": 1,\n    \"a\": {\n        \"true\": true,\n        \"b\": 2\n    }\n}\n{\n    \"c\": \"d\"\n}\n"
    );
    let manifest = Manifest::parse("f", &json).unwrap();
    assert_eq!(manifest.text_as(Format::Yaml).unwrap(), "z: 1\na:\n  \"true\": true\n  b: 2\n---\nc: d\n");
}

/// Values as manifests have them.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z0-9~:# '\"\\-{}\\[\\],&*!|>%@`\n\t.é]{0,8}".prop_map(Value::from),
        prop_oneof![
            "yes",
            "0777",
            "1e3",
            "null",
            "---",
            "<<",
            "2001-01-01",
            "0o7",
            "y",
            "1_0",
            "\\.inf",
            "="
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-d]|yes|1|<<|a b|#", inner, 0..4)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn every_way() -> [Attachment; 4] {
    [
        Attachment::env("s", "k").unwrap(),
        Attachment::env_all("s", "P_").unwrap(),
        Attachment::files("s", "/s", None).unwrap(),
        Attachment::image_pull("s").unwrap(),
    ]
}

fn attached(job: &Value, attachments: &[Attachment]) -> Value {
    let kind = Kind::of_manifest("batch/v1", "Job").unwrap();
    match workload::attach(job, kind, attachments, &ContainerChoice::Only, Existing::Keep).unwrap() {
        Outcome::Changed { object, .. } => object,
        Outcome::AsAsked => panic!("nothing was attached"),
    }
}

fn detached(job: &Value) -> Value {
    let kind = Kind::of_manifest("batch/v1", "Job").unwrap();
    workload::detach(job, kind, &Selection::every_use("s")).unwrap().object
}

/// Returns the text after its Job was changed.
fn change(text: &str, change: impl Fn(&Value) -> Value) -> String {
    let mut manifest = Manifest::parse("f", text).unwrap();
    let job = manifest.objects(|_, kind| kind == "Job").unwrap().remove(0);
    let wanted = change(&job.value);
    manifest.replace(&[job.with(wanted)]).unwrap();
    manifest.text()
}

fn objects() -> impl Strategy<Value = Value> {
    proptest::collection::btree_map("[a-f]", values(), 1..5).prop_map(|map| map.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_change_comes_out_as_it_was_meant(before in objects(), after in objects(), form in 0..3) {
        let text = match form {
            0 => crate::render::manifest(&before).to_vec(),
            1 => crate::render::json(&before).to_vec(),
            _ => before.to_string().into_bytes(),
        };
        let text = String::from_utf8(text).unwrap();
        let mut manifest = Manifest::parse("f", &text).unwrap();
        let mut object = manifest.objects(any_kind).unwrap().remove(0);
        prop_assert_eq!(&object.value, &before);
        object.value = after.clone();
        manifest.replace(&[object]).unwrap();
        let result = manifest.text();
        let again = Manifest::parse("f", &result).unwrap().objects(any_kind).unwrap();
        prop_assert_eq!(again.len(), 1);
        prop_assert_eq!(&again[0].value, &after, "{}", result);
    }

    #[test]
    fn what_is_attached_and_detached_again_means_what_it_meant(other in objects(), more in objects(), form in 0..3) {
        let mut container = other.clone();
        container["name"] = json!("main");
        container["volumeMounts"] = json!([{"name": "data", "mountPath": "/data"}]);
        let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "other": more,
            "spec": {"template": {"spec": {"containers": [container]}}}});
        let text = match form {
            0 => format!("--- # one\n{}---\n# two\na: &x b\nc: *x\n", String::from_utf8_lossy(&crate::render::manifest(&job))),
            1 => String::from_utf8_lossy(&crate::render::json(&job)).into_owned(),
            _ => format!("# none\n---\n{job}\n...\n"),
        };
        let with = change(&text, |job| attached(job, &every_way()));
        let without = change(&with, detached);
        prop_assert_eq!(&change(&without, |object| { assert_eq!(object, &job); object.clone() }), &without);
    }

    #[test]
    fn any_text_is_kept_to_the_byte_or_refused(text in "(---|\\.\\.\\.|\n|\r\n|\r|  |- |a: |b|1|#c|\\{|\\}|\\[|\\]|,|\\||>|&x |\\*x|'|\"|!!int |\u{feff}|\t|\\?|%){0,24}") {
        if let Ok(manifest) = Manifest::parse("f", &text) {
            let _ = manifest.objects(any_kind);
            let _ = manifest.text_as(Format::Json);
            prop_assert_eq!(manifest.text(), text);
        }
    }
}
