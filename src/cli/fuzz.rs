//! Fuzz targets: whole command lines, and single words.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::parsing::{NoCommand, parse, talk};
use super::*;
use crate::fuzz::{CANARY, Random, feed_random};

/// Words of every sort that people type, rightly and wrongly.
const VALUES: [&str; 44] = [
    "",
    " ",
    "-",
    "--",
    "---",
    "=",
    "a",
    "hf",
    "my-secret",
    "secret/hf",
    "a b",
    "..",
    "/",
    "deploy/web",
    "job/train",
    "x/y",
    "KEY",
    "KEY=VALUE",
    "=x",
    "KEY=",
    "HF_TOKEN=SECRET:hf,HF_TOKEN",
    "SECRET:hf",
    "/mnt/s:k=f",
    "team-a",
    "*",
    "0",
    "-1",
    "5s",
    "99999999999h",
    "1e9",
    "1.5h",
    "18446744073709551616",
    "0400",
    "json",
    "yaml",
    "wide",
    "client",
    "true",
    "auto",
    "\u{202e}x",
    "\u{1b}[31m",
    "é",
    "\u{feff}x",
    "key=a,b",
];

/// Flags whose value may be secret, as it is typed: in one word, in two, and torn apart.
const SECRETS: [&[&str]; 8] = [
    &["--from-literal=password=CA+NARY/"],
    &["--from-literal", "password=CA+NARY/"],
    &["--from-literal=password=", "CA+NARY/"],
    &["--docker-password", "CA+NARY/"],
    &["--token=CA+NARY/"],
    &["-e", "PASSWORD=CA+NARY/"],
    &["--pasword=CA+NARY/"],
    &["--CA+NARY/"],
];

/// Every name of a command and every flag, as the help has them.
fn vocabulary() -> (Vec<String>, Vec<String>) {
    let program = super::program();
    let (mut commands, mut flags) = (Vec::new(), Vec::new());
    let mut open = vec![&program];
    while let Some(command) = open.pop() {
        open.extend(command.get_subcommands());
        commands.push(command.get_name().to_owned());
        for flag in command.get_arguments() {
            flags.extend(flag.get_long().map(|long| format!("--{long}")));
            flags.extend(flag.get_short().map(|short| format!("-{short}")));
        }
    }
    flags.sort();
    flags.dedup();
    (commands, flags)
}

/// Reports whether clap would print its help and end the process.
fn asks_for_help(word: &OsString) -> bool {
    let word = word.to_string_lossy();
    matches!(word.as_ref(), "--help" | "--version" | "help")
        || word.starts_with('-') && !word.starts_with("--") && word.contains(['h', 'V'])
}

fn line(commands: &[String], flags: &[String], random: &mut Random) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec![BINARY.into()];
    if !random.one_in(30) {
        words.push(random.pick(commands).into());
    }
    for _ in 0..random.below(9) {
        let value = |random: &mut Random| {
            if random.one_in(20) {
                OsString::from_vec(vec![b'a', 0xff])
            } else {
                (*random.pick(&VALUES)).into()
            }
        };
        match random.below(8) {
            0 => words.extend(random.pick(&SECRETS).iter().map(OsString::from)),
            1 => words.push(random.pick(commands).into()),
            2 | 3 => words.push(value(random)),
            4 => words.push(random.pick(flags).into()),
            5 => words.extend([random.pick(flags).into(), value(random)]),
            _ => {
                let mut word = OsString::from(random.pick(flags));
                word.push("=");
                word.push(value(random));
                words.push(word);
            }
        }
    }
    words.retain(|word| !asks_for_help(word));
    words
}

#[test]
fn command_lines() {
    let (commands, flags) = vocabulary();
    assert!(commands.len() > 15 && flags.len() > 60);
    feed_random("command_lines", 5, |random| {
        let words = line(&commands, &flags, random);
        let parsed = parse(&words);
        let talk = talk(&parsed, &words);
        let what = match parsed {
            Ok(cli) => format!("{}", cli.globals.place.projects.len()),
            Err(NoCommand::Incomplete(_)) => "incomplete".to_owned(),
            Err(NoCommand::Wrong(error)) => {
                let error = error.to_string();
                assert!(!error.contains(CANARY), "{words:?}: {error}");
                error
            }
        };
        format!("{what} {}", talk.verbosity)
    });
}
