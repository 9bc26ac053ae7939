//! What `-o json` prints is what `docs/reference/schemas/` promises to programs, and nothing besides.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use support::{Outcome, Sandbox, World};

use crate::check::prepare;
use crate::status::{Shared, create, our_copy, runais_copy};
use crate::usage::create_consumers;
use crate::view_identity::known_values;

const SCHEMAS: [&str; 9] =
    ["list", "view", "diff", "diff-file", "status", "status-all", "sync", "usage", "check"];

/// The schema of what `apply` reads.
const INPUT: &str = "secrets";

fn reference(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference").join(file)).unwrap()
}

fn schema(name: &str) -> Value {
    serde_json::from_str(&reference(&format!("schemas/{name}.schema.json"))).unwrap()
}

/// What of a value is not as the schema says, a line each. A field that the schema does not name is a mistake too: a
/// program may meet more than it knows, but nothing here may go undocumented.
///
/// Knows the words that these schemas use, and fails at any other. A crate that knows all of them brings 34 more, and
/// builds the program under test with other features than the one that is shipped.
fn mistakes(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (word, rule) in schema.as_object().unwrap_or_else(|| panic!("no schema at {at}: {schema}")) {
        if !holds(word, rule, value) {
            found.push(format!("{at}: {value} breaks {word} {rule}"));
        }
        for (name, schema, part) in parts(root, word, rule, value) {
            match schema {
                Some(schema) => found.extend(mistakes(root, schema, &part, &format!("{at}/{name}"))),
                None => found.push(format!("{at}/{name} is not documented")),
            }
        }
    }
    found
}

/// Whether the value itself is as a word of the schema says.
fn holds(word: &str, rule: &Value, value: &Value) -> bool {
    match word {
        "type" => {
            rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]).contains(&json!(type_of(value)))
        }
        "enum" => rule.as_array().unwrap().contains(value),
        "minimum" => value.as_i64().is_none_or(|number| number >= rule.as_i64().unwrap()),
        "required" => value.as_object().is_none_or(|object| {
            rule.as_array().unwrap().iter().all(|name| object.contains_key(name.as_str().unwrap()))
        }),
        // The last four are about parts of the value, which are looked at one by one.
        "$schema"
        | "$defs"
        | "$ref"
        | "title"
        | "description"
        | "properties"
        | "propertyNames"
        | "additionalProperties"
        | "items" => true,
        _ => panic!("the word {word} is not known here"),
    }
}

/// The parts of the value that a word of the schema is about, each with its name and its own schema.
fn parts<'a>(
    root: &'a Value,
    word: &str,
    rule: &'a Value,
    value: &Value,
) -> Vec<(String, Option<&'a Value>, Value)> {
    let fields = value.as_object().into_iter().flatten();
    let items = value.as_array().into_iter().flatten().enumerate();
    match word {
        "$ref" => {
            let place = rule.as_str().unwrap().strip_prefix('#').unwrap();
            vec![("$ref".to_owned(), root.pointer(place), value.clone())]
        }
        "properties" => fields.map(|(name, field)| (name.clone(), rule.get(name), field.clone())).collect(),
        "propertyNames" => fields.map(|(name, _)| (name.clone(), Some(rule), json!(name))).collect(),
        // What is not among the properties is a mistake here anyway.
        "additionalProperties" if *rule == json!(false) => Vec::new(),
        "additionalProperties" => {
            fields.map(|(name, field)| (name.clone(), Some(rule), field.clone())).collect()
        }
        "items" => items.map(|(index, item)| (index.to_string(), Some(rule), item.clone())).collect(),
        _ => Vec::new(),
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Asserts that the output is as the schema says.
#[track_caller]
fn assert_valid(name: &str, outcome: &Outcome) {
    let (schema, report) = (schema(name), outcome.json());
    let found = mistakes(&schema, &schema, &report, "");
    assert!(found.is_empty(), "{name}: {found:#?}\n{report:#}");
}

#[test]
fn a_schema_refuses_what_is_no_report() {
    for name in SCHEMAS.into_iter().chain([INPUT]) {
        let schema = schema(name);
        for other in [json!({}), json!([]), json!({"secrets": [{}]}), json!({"findings": 1, "more": null})] {
            assert!(!mistakes(&schema, &schema, &other, "").is_empty(), "{name} takes {other}");
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/schemas");
    assert_eq!(fs::read_dir(folder).unwrap().count(), SCHEMAS.len() + 1, "a schema that is not tested");
}

#[test]
fn the_files_of_secrets_in_the_documentation_are_as_their_schema_says_and_apply_reads_them() {
    let page = reference("../how-to/declare-secrets.md");
    let examples: Vec<&str> =
        page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() > 1, "{page}");
    let sandbox = Sandbox::new().with_env("KUBECONFIG", "none");
    for example in examples {
        let (schema, file) = (schema(INPUT), serde_saphyr::from_str::<Value>(example).unwrap());
        let found = mistakes(&schema, &schema, &file, "");
        assert!(found.is_empty(), "{found:#?}\n{example}");
        sandbox.file("secrets.yaml", example);
        let refused = sandbox.run(["apply", "-f", "secrets.yaml"]);
        let stopped =
            ["to log in: ", "error reading", "no environment variable", "kubeconfig", "no such file"];
        assert!(
            stopped.iter().any(|why| refused.stderr.contains(why)),
            "only what this sandbox lacks: {refused}"
        );
    }
}

/// What holds secrets of each form, and something for each finding and each way to use a secret.
fn filled(world: &World) -> String {
    let namespace = world.project("team-a").namespace;
    prepare(world, &namespace);
    let values = [("empty", ""), ("json", "{\"a\": 1}"), ("lines", "a\nb\n"), ("binary", "\u{0}\u{1}")];
    world.create_secret(&namespace, "forms", &values);
    create_consumers(world, &world.project("team-b").namespace);
    namespace
}

#[test]
fn lists_views_usages_and_findings_are_as_their_schemas_say() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let namespace = filled(&world);
    let user = world.user("reader");
    let rules = json!([{"apiGroups": [""], "resources": ["secrets", "pods"], "verbs": ["get", "list"]}]);
    world.grant(&user, Some(&namespace), &rules);
    let run = |line: &str| sandbox.run(line.split(' ').chain(["-o", "json"]));
    for place in
        ["-A".to_owned(), format!("-n {namespace}"), format!("-n {namespace} --token {}", user.token)]
    {
        assert_valid("list", &run(&format!("list {place}")));
        assert_valid("list", &run(&format!("list --keys --consumers {place}")));
        assert_valid("usage", &run(&format!("usage {place}")));
        assert_valid("usage", &run(&format!("usage hf {place}")));
        assert_valid("check", &run(&format!("check {place}")));
    }
    assert_valid("usage", &run(&format!("usage deploy/web -n {namespace}")));
    let other = world.project("team-c");
    world.create_secret(&other.namespace, "forms", &[("json", "{}"), ("more", "x")]);
    assert_valid("diff", &run(&format!("diff -n {namespace} --to-project {}", other.name)));
    assert_valid("diff", &run(&format!("diff forms --from-literal=k=v -n {namespace}")));
    let secret = |name: &str| json!({"name": name, "from": [{"generate": "more"}]});
    let file = json!({"name": "team", "secrets": [secret("new"), secret("forms")]});
    sandbox.file("secrets.yaml", file.to_string());
    assert_valid("diff-file", &run(&format!("diff -f secrets.yaml -n {namespace}")));
    let known = known_values();
    let known: Vec<(&str, &[u8])> = known.iter().map(|(key, value)| (*key, value.as_bytes())).collect();
    crate::view::create(&world, &namespace, "known", &known);
    for name in ["forms", "old", "hf", "known"] {
        assert_valid("view", &run(&format!("view {name} -n {namespace}")));
    }
}

#[test]
fn states_and_what_sync_does_are_as_their_schemas_say() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let shared = Shared::new(&world);
    let [stale, ours, conflict, same, _] =
        ["stale", "ours", "conflict", "same", "pending"].map(|name| world.project(name));
    runais_copy(&world, &stale, "another value");
    our_copy(&world, &shared, &ours.namespace, "another value");
    our_copy(&world, &shared, &world.namespace("former"), "another value");
    create(&world, &conflict.namespace, &json!({}), &json!({}), "of the project itself");
    create(&world, &same.namespace, &json!({}), &json!({}), "shared-value-of-the-source");
    let run =
        |line: &str| sandbox.run(shared.run(&line.split(' ').chain(["-o", "json"]).collect::<Vec<_>>()));
    assert_valid("status", &run("status hf"));
    assert_valid("status-all", &run("status"));
    assert_valid("sync", &run("sync hf --dry-run=client"));
    assert_valid("sync", &run("sync hf --yes"));
    assert_valid("sync", &run("sync hf --adopt --yes"));
    shared.unshare(&world);
    assert_valid("sync", &run("sync hf --prune --yes"));
    assert_valid("status", &run("status hf"));
}

/// The fields of a schema, as the page writes them: `secrets[].name`.
fn fields(schema: &Value, before: &str) -> BTreeSet<String> {
    let Some(properties) = schema["properties"].as_object() else { return BTreeSet::new() };
    let field = |(name, schema): (&String, &Value)| {
        let name = format!("{before}{name}");
        let mut found = fields(&schema["items"], &format!("{name}[]."));
        found.extend(fields(schema, &format!("{name}.")));
        found.insert(name);
        found
    };
    properties.iter().flat_map(field).collect()
}

#[test]
fn the_page_on_json_explains_every_field_and_no_other() {
    let page = reference("json.md");
    for name in SCHEMAS {
        let (_, section) = page.split_once(&format!("(schemas/{name}.schema.json)")).unwrap();
        let section = section.split("\n## ").next().unwrap();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
        let explained: BTreeSet<String> = rows.map(|(field, _)| field.to_owned()).collect();
        // What it lists is explained where there is one of it.
        let known = if name == "status-all" { BTreeSet::new() } else { fields(&schema(name), "") };
        assert_eq!(explained, known, "left what the page explains, right the schema of {name}");
    }
}
