//! Fuzz targets: lines that are being typed, as shells and kubectl hand them over, and what a cluster knows
//! for them.

use super::names::CompletionContext;
use super::offer::showable;
use super::wanted::CompletionSlot;
use super::*;

use crate::cluster::Cluster;
use crate::flags::Connection;
use crate::fuzz::{Bend, Random, Run, Server, feed_random, world};
use crate::typed_line::Line;

const WORDS: [&str; 30] = [
    "",
    "-",
    "--",
    "--context=",
    "--env=A=hf,",
    "-n",
    "-p",
    "SECRET:",
    "A=SECRET:hf,",
    "deploy/",
    "deploy/web",
    "hf",
    "HF_TOKEN",
    "=",
    "==",
    ",",
    "path=/s,name=",
    "--secret-volume=path=/x,name=",
    "--env-secret=A=hf,key=",
    "/mnt:",
    "/mnt:k=",
    "a=b=c",
    "--x=é",
    "\u{1b}[31m",
    "\u{202e}",
    "\u{1f600}",
    "-é",
    "--é=",
    "-nx",
    "*",
];

fn word(names: &[String], random: &mut Random) -> String {
    let word = match random.below(4) {
        0 | 1 => random.pick(names).clone(),
        _ => (*random.pick(&WORDS)).to_owned(),
    };
    match random.below(5) {
        0 => format!("{word}={}", random.pick(&WORDS)),
        1 => word.chars().take(random.below(6)).collect(),
        _ => word,
    }
}

#[test]
fn lines_that_are_being_typed() {
    let program = crate::cli::program();
    let mut names = Vec::new();
    let mut open = vec![&program];
    while let Some(command) = open.pop() {
        open.extend(command.get_subcommands());
        names.push(command.get_name().to_owned());
        names.extend(
            command.get_arguments().filter_map(|flag| flag.get_long().map(|long| format!("--{long}"))),
        );
    }
    feed_random("lines_that_are_being_typed", 1, |random| {
        let words: Vec<String> = (0..=random.below(8)).map(|_| word(&names, random)).collect();
        let (line, word) = Line::read(&program, &words);
        let wanted = CompletionSlot::by(&line, &word);
        let found =
            ["hf", "a b", "x;touch y", "é", "my-secret"].map(|name| (name.to_owned(), "Opaque".to_owned()));
        let mut candidates = wanted.words;
        candidates.extend(wanted.live.iter().flat_map(|live| live.candidates(found.clone())));
        let count = candidates.len();
        let last = words.last().map_or("", String::as_str);
        let lines = kubectl::in_every_script(&candidates, last);
        assert!(!lines.contains('\u{1b}') || words.concat().contains('\u{1b}'), "{lines}");
        format!("{count} {}", lines.len())
    });
}

/// Lines whose last word is looked up.
const LINES: [&str; 11] = [
    "view -p team-a ",
    "view -p team-a db ",
    "list -n ",
    "list -p ",
    "attach -p team-a db deploy/",
    "attach -p team-a db job/",
    "attach -p team-a db deploy/web --env ",
    "attach -p team-a db deploy/web -c ",
    "detach -p team-a other deploy/web --env ",
    "detach -p team-a db deploy/web --mount ",
    "submit -p team-a x -e A=SECRET:db,",
];

/// Returns what is offered for a line, as kubectl's scripts get it. Errors are ignored.
fn offered(line: &str, server: &Server) -> String {
    let program = crate::cli::program();
    let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let (line, word) = Line::read(&program, &words);
    let lookup = CompletionSlot::by(&line, &word).live.unwrap_or_else(|| panic!("{words:?}"));
    let scene = CompletionContext::of(&line);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let found = runtime.block_on(async {
        let connection = Connection {
            server: Some(server.address()),
            kubeconfig: Some("/dev/null".into()),
            ..Connection::default()
        };
        let cluster = Cluster::connect_unattended(&connection).await.unwrap();
        let found = std::cell::RefCell::new(Vec::new());
        let _ = scene.ask(&lookup.what, &cluster, |name| found.borrow_mut().push(name)).await;
        found.into_inner()
    });
    assert!(!server.is_endless(), "it goes on asking");
    let lines = kubectl::in_every_script(&showable(lookup.candidates(found)), "");
    assert!(!lines.contains(|c: char| c.is_control() && c != '\n' && c != '\t'), "{lines:?}");
    lines
}

#[test]
fn answers_for_names_that_are_not_as_they_should_be() {
    let world = world();
    let mut campaign = Run::new("answers_for_names");
    let changes = (campaign.cases() / 300).max(1);
    for line in LINES {
        let right = Server::new(world.fork(), None);
        assert!(offered(line, &right).lines().count() > 3, "{line}");
        for request in right.requests() {
            for change in 0..changes {
                campaign.case_of_name(&format!("{line} #{} {change}", request.line), |random: Random| {
                    let bend =
                        Bend { request: request.clone(), lasting: change % 5 == 4, withheld: false, random };
                    offered(line, &Server::new(world.fork(), Some(bend)))
                });
            }
        }
    }
    campaign.report();
}
