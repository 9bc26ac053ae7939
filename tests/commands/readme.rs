//! What the README shows is what the program does.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use support::{Sandbox, World};

use crate::help::COMMANDS;
use crate::workloads::create_deployment;

#[path = "../../examples/playground/tour.rs"]
#[expect(dead_code, reason = "the playground itself uses the rest")]
mod tour;

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

#[test]
fn the_readme_shows_the_tour_as_it_is() {
    let mut shown = String::new();
    tour::Playground::start().tour(|piece| shown.push_str(piece)).unwrap_or_else(|error| panic!("{error}"));
    let (readme, hint) = (readme(), "cargo run --example playground -- --update-readme");
    let updated = tour::put_into(&readme, &shown).expect("the README has a place for the tour");
    assert!(readme == updated, "the README shows another tour than this; to update it: {hint}\n\n{shown}");
}

#[test]
fn the_readme_shows_a_command_that_is_led_as_it_is() {
    let world = World::with_plain_names();
    let project = world.project("team-a");
    world.create_secret(&project.namespace, "hf", &[("HF_TOKEN", "hf_canary"), ("HF_USER", "jane")]);
    create_deployment(&world, &project.namespace, "web");
    let sandbox = Sandbox::new().with(&world);
    let mut session = sandbox.env("TERM", "dumb").in_terminal(["attach"]);
    for (question, answer) in [
        ("Project (number or name): ", "1"),
        ("Secret (number or name): ", "hf"),
        ("How is it to be used? (number or name): ", "1"),
        ("Key (number or name): ", "HF_TOKEN"),
        ("Name of the variable (Enter for HF_TOKEN): ", ""),
        ("How else? (number or name): ", "1"),
        ("Workload (number or name): ", "web"),
        ("(yes or no): ", "yes"),
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
    assert!(readme().contains(&example), "the README shows another example than this:\n\n{example}");
}

/// The flags of a text: `--from-file`, without what follows.
fn flags(text: &str) -> BTreeSet<String> {
    let starts = text.match_indices("--").filter(|(at, _)| !text[..*at].ends_with(['-', '_']));
    let name = |(at, _): (usize, &str)| -> String {
        text[at + 2..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect()
    };
    starts.map(name).filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase())).collect()
}

/// What stands below a heading, up to the next one.
fn section<'a>(readme: &'a str, heading: &str) -> &'a str {
    let start = format!("\n### {heading}\n");
    let (_, rest) = readme.split_once(&start).unwrap_or_else(|| panic!("no section {heading}"));
    rest.split("\n##").next().unwrap()
}

#[test]
fn the_readme_names_every_flag_and_no_other() {
    let readme = readme();
    let of_all = flags(section(&readme, "Flags of every command"));
    let of_writes = flags(section(&readme, "Flags of every command that writes"));
    for command in COMMANDS {
        let tables = section(&readme, command).lines().filter(|line| line.starts_with('|'));
        let mut named: BTreeSet<String> = tables.flat_map(flags).chain(of_all.clone()).collect();
        let mut known = flags(&Sandbox::new().run([command, "--help"]).success().stdout);
        known.remove("help");
        if known.contains("field-manager") {
            named.extend(of_writes.clone());
        }
        assert_eq!(named, known, "left what the README names, right the flags of {command}");
    }
}

#[test]
fn the_readme_explains_every_code_and_no_other() {
    let readme = readme();
    let rows = section(&readme, "check").lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let explained: BTreeSet<&str> =
        rows.map(|(word, _)| word).filter(|word| !word.starts_with('-')).collect();
    let help = Sandbox::new().run(["check", "--help"]).success().stdout;
    let (_, codes) = help.split_once("[possible values: ").unwrap();
    let codes = codes.split_once(']').unwrap().0.replace('\n', " ");
    let known: BTreeSet<&str> = codes.split(',').map(str::trim).collect();
    assert_eq!(explained, known, "left what the README explains, right what check knows");
}
