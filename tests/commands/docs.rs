//! What the documentation shows is what the program does, and what it links to is there.

mod links;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use support::{Sandbox, World};

use crate::help::COMMANDS;
use crate::workloads::create_deployment;

#[path = "../../examples/playground/picture.rs"]
mod picture;
#[path = "../../examples/playground/tour.rs"]
#[expect(dead_code, reason = "the playground itself uses the rest")]
mod tour;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn page(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_tutorial_and_the_picture_show_the_tour_as_it_is() {
    let mut shown = String::new();
    tour::Playground::start().tour(|piece| shown.push_str(piece)).unwrap_or_else(|error| panic!("{error}"));
    let hint = "cargo run --example playground -- --update-docs";
    for (path, make) in tour::SHOWN_IN {
        let kept = page(path);
        let current = make(&kept, &shown).unwrap_or_else(|| panic!("{path} has no place for the tour"));
        assert!(kept == current, "{path} shows another tour than this; to update it: {hint}\n\n{shown}");
    }
}

#[test]
fn the_tutorial_shows_a_command_that_is_led_as_it_is() {
    let world = World::with_plain_names();
    let project = world.project("team-a");
    world.create_secret(&project.namespace, "hf", &[("HF_TOKEN", "hf_canary"), ("HF_USER", "jane")]);
    create_deployment(&world, &project.namespace, "web");
    let sandbox = Sandbox::new().with(&world);
    let mut session = sandbox.env("TERM", "dumb").in_terminal(["attach"]);
    for (question, answer) in [
        ("Project (number or name): ", "1"),
        ("Secret (number or name): ", "hf"),
        ("How should the workload get it? (number or name): ", "1"),
        ("Key (numbers or names, with commas between them): ", "HF_TOKEN"),
        ("Name of the variable (Enter for HF_TOKEN): ", ""),
        ("Anything else? (number or name): ", "1"),
        ("Workload (number or name): ", "web"),
        ("(yes or no, Enter for yes): ", "yes"),
    ] {
        session.expect(question);
        session.send_line(answer);
    }
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    // The session gives bytes as characters; ages depend on how quick the machine is.
    let shown = String::from_utf8(shown.chars().map(|byte| byte as u8).collect()).unwrap().replace('\r', "");
    let shown = (1..120).fold(shown, |shown, age| shown.replace(&format!(", {age}s"), ", 0s"));
    let example = format!("```console\n$ kubectl runai-secret attach\n{shown}```\n");
    assert!(
        page("docs/tutorial.md").contains(&example),
        "the tutorial shows another example than this:\n\n{example}"
    );
}

#[test]
fn the_readme_names_every_command_and_stays_short() {
    let readme = page("README.md");
    for command in COMMANDS {
        let link = format!("](docs/reference/cli.md#{command})");
        assert!(readme.contains(&link), "{command}");
    }
    assert!(readme.lines().count() <= 250, "what is longer belongs into docs/");
}

/// The words at the beginning of the rows of a page's tables.
fn rows(page: &str) -> BTreeSet<String> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.map(|(word, _)| word.to_owned()).collect()
}

/// The values that the help says are possible.
fn possible_values(help: &str) -> BTreeSet<String> {
    let (_, values) = help.split_once("[possible values: ").unwrap();
    let values = values.split_once(']').unwrap().0.replace('\n', " ");
    values.split(',').map(|value| value.trim().to_owned()).collect()
}

#[test]
fn the_page_on_findings_explains_every_code_and_no_other() {
    let explained = rows(&page("docs/reference/findings.md"));
    let known = possible_values(&Sandbox::new().run(["check", "--help"]).success().stdout);
    assert_eq!(explained, known, "left what the page explains, right what check knows");
}

#[test]
fn the_page_on_states_explains_every_state_and_no_other() {
    let schema: serde_json::Value =
        serde_json::from_str(&page("docs/reference/schemas/status.schema.json")).unwrap();
    let known = schema["properties"]["counts"]["propertyNames"]["enum"].as_array().unwrap();
    let known: BTreeSet<String> = known.iter().map(|state| state.as_str().unwrap().to_owned()).collect();
    assert_eq!(rows(&page("docs/reference/states.md")), known);
}
