//! Completion within kubectl's: it runs `kubectl_complete-runai_secret` with the words after the plugin's name.
//!
//! The answer is a candidate a line, its description after a tab, and a last line of `:` and a sum of the directives
//! below (kubectl's `plugin_completion.go`). kubectl's scripts for the shells put the candidates into the line, each in
//! its own way where a word has `=` in it.

use std::fmt::Write;
use std::path::Path;
use std::time::Instant;

use super::candidate::{Candidate, Offer};
use super::{files, offer, print};

/// The shell puts no space after the candidate.
const NO_SPACE: u8 = 2;
/// The shell offers no names of files.
const NO_FILES: u8 = 4;

pub(super) fn answer(words: &[String], started: Instant) {
    print(&in_protocol(offer(words, started), words.last().map_or("", String::as_str), Script::of_caller()));
}

/// Which of kubectl's scripts puts a candidate into the line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    /// Replaces what follows the first `=` of a flag.
    Bash,
    /// Replaces what follows the last `=` after a dash, wherever that stands in the word.
    ZshOrFish,
}

impl Script {
    /// A guess: kubectl does not tell, but its script for fish sets a variable, and most people use their login shell.
    fn of_caller() -> Self {
        let is_fish = std::env::var_os("KUBECTL_ACTIVE_HELP").is_some_and(|value| value == "0");
        let login_shell = std::env::var_os("SHELL").unwrap_or_default();
        let name = Path::new(&login_shell).file_name().unwrap_or_default();
        if is_fish || name == "zsh" || name == "fish" { Self::ZshOrFish } else { Self::Bash }
    }
}

fn in_protocol(mut offer: Offer, word: &str, script: Script) -> String {
    let mut directive = if offer.files.is_some() { 0 } else { NO_FILES };
    if let Some(wanted) =
        offer.files.as_ref().filter(|wanted| !wanted.before.is_empty() && !word.starts_with('-'))
    {
        // `KEY=PATH`: not every shell looks behind the `=`.
        offer.candidates.extend(files::candidates(wanted));
    }
    if offer.goes_on() {
        directive |= NO_SPACE;
    }
    let mut answer = String::new();
    for from in starts(word, script) {
        for Candidate { value, about, .. } in &offer.candidates {
            // Nothing can go wrong when writing to a text.
            let _ = match (value.get(from..).unwrap_or_default(), about.as_str()) {
                ("", _) => Ok(()),
                (end, "") => writeln!(answer, "{end}"),
                (end, about) => writeln!(answer, "{end}\t{about}"),
            };
        }
    }
    let _ = writeln!(answer, ":{directive}");
    answer
}

/// Where in the word the part begins that the script replaces: one place, or two where either script may ask. What is
/// meant for the other one does not fit what is typed, and is not shown.
fn starts(word: &str, script: Script) -> Vec<usize> {
    let after = |at: usize| at + 1;
    let last = word.rfind('=').map_or(0, after);
    if !word.starts_with('-') {
        let is_garbled = word[..last].contains('-') && script == Script::ZshOrFish;
        return if is_garbled { Vec::new() } else { vec![0] };
    }
    let first = word.find('=').map_or(0, after);
    match script {
        _ if first == last => vec![first],
        // With nothing typed behind it everything fits.
        Script::ZshOrFish if last == word.len() => vec![last],
        _ => vec![first, last],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::complete::wanted::Files;

    fn answer(word: &str, values: &[&str], script: Script) -> String {
        let candidates = values.iter().map(|value| Candidate::new(*value, "")).collect();
        in_protocol(Offer { candidates, files: None }, word, script)
    }

    #[test]
    fn candidates_come_with_what_is_said_about_them_and_with_a_directive() {
        let offer = Offer {
            candidates: vec![Candidate::continued("job/", "Job"), Candidate::continued("pod/", "")],
            files: None,
        };
        assert_eq!(in_protocol(offer, "", Script::Bash), "job/\tJob\npod/\n:6\n");
        let files = Offer {
            candidates: Vec::new(),
            files: Some(Files { before: String::new(), text: String::new() }),
        };
        assert_eq!(in_protocol(files, "", Script::Bash), ":0\n");
        assert_eq!(in_protocol(Offer::default(), "", Script::Bash), ":4\n");
    }

    #[test]
    fn a_flag_and_its_equals_sign_are_kubectls_to_put_before_the_value() {
        assert_eq!(answer("--context=d", &["--context=dev"], Script::Bash), "dev\n:4\n");
        assert_eq!(answer("--context=d", &["--context=dev"], Script::ZshOrFish), "dev\n:4\n");
        assert_eq!(answer("-n", &["-n"], Script::Bash), "-n\n:4\n");
    }

    #[test]
    fn a_second_equals_sign_is_cut_where_the_script_of_the_shell_cuts_it() {
        let values = ["--env-secret=A=hf,key=K"];
        assert_eq!(answer("--env-secret=A=hf,key=", &values, Script::ZshOrFish), "K\n:4\n");
        assert_eq!(answer("--env-secret=A=hf,key=", &values, Script::Bash), "A=hf,key=K\nK\n:4\n");
        assert_eq!(answer("A=hf,key=", &["A=hf,key=K"], Script::ZshOrFish), "A=hf,key=K\n:4\n");
        // The script would take `-face,key=` for a flag, and repeat it.
        assert_eq!(answer("A=hugging-face,key=", &["A=hugging-face,key=K"], Script::ZshOrFish), ":4\n");
    }
}
