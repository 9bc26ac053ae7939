//! When values were last written, and by which program.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use support::{Outcome, Sandbox, World, scenario};

/// The record has whole seconds.
const NEXT_SECOND: Duration = Duration::from_millis(1_100);

/// The program that wrote a key last, and when.
fn write_of(view: &Value, key: &str) -> (String, String) {
    let keys = view["keys"].as_array().unwrap();
    let found = keys.iter().find(|one| one["key"] == key).unwrap();
    (found["changedBy"].as_str().unwrap().to_owned(), found["changed"].as_str().unwrap().to_owned())
}

#[scenario]
fn each_key_says_when_it_was_written_and_by_which_program(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let run = |words: &[&str]| -> Outcome {
        sandbox.run(words.iter().chain(&["-n", namespace.as_str()])).success()
    };
    let view = || run(&["view", "s", "-o", "json"]).json();
    run(&["create", "s", "--from-literal=a=1", "--from-literal=b=1", "--field-manager=first"]);
    let before = view();
    assert_eq!(write_of(&before, "a").0, "first");
    sleep(NEXT_SECOND);
    run(&["set", "s", "--from-literal=b=2", "--field-manager=second"]);
    let after = view();
    assert_eq!(write_of(&after, "a"), write_of(&before, "a"), "somebody else wrote another key");
    let (by, at) = write_of(&after, "b");
    assert!(by == "second" && at > write_of(&before, "b").1, "{after}");
    assert_eq!((&after["changedBy"], &after["changed"]), (&json!("second"), &json!(at)));
    sleep(NEXT_SECOND);
    run(&["set", "s", "--from-literal=b=3", "--field-manager=second"]);
    let again = view();
    assert!(write_of(&again, "b").1 > at, "a new value of the same key by the same program: {again}");
    world.patch(
        &format!("/api/v1/namespaces/{namespace}/secrets/s"),
        &json!({"metadata": {"labels": {"team": "a"}}}),
    );
    assert_eq!(view()["changed"], again["changed"], "a label is no value");
    let wide = run(&["list", "-o", "wide"]).stdout;
    assert!(wide.contains(" second "), "{wide}");
    assert_eq!(run(&["list", "-o", "json"]).json()["secrets"][0]["changed"], again["changed"]);
    assert!(run(&["view", "s"]).stdout.contains("first"), "{wide}");
}
