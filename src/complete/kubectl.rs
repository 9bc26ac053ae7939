//! Completes inside kubectl, which runs `kubectl_complete-runai_secret` with the words after the plugin's
//! name.
//!
//! The answer has a line for each candidate, with its description after a tab, and a last line of `:` and a
//! sum of the directives below (kubectl's `plugin_completion.go`). kubectl's scripts for the shells put the
//! candidates into the line, each in its own way if a word contains `=`.

use std::path::Path;
use std::time::Instant;

use clap::Command;

use super::candidate::Offer;
use super::files;
use super::offer::{offer, print};

/// No space after the candidate.
const NO_SPACE: u8 = 2;
/// No file names.
const NO_FILES: u8 = 4;

pub(super) fn answer(program: &Command, words: &[String], started: Instant) {
    print(&in_protocol(
        offer(program, words, started),
        words.last().map_or("", String::as_str),
        Script::of_caller(),
    ));
}

/// The script of kubectl that puts a candidate into the line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    /// Replaces what follows the first `=` of a flag.
    Bash,
    /// Replaces what follows the last `=` after a dash, wherever that stands in the word.
    Zsh,
    /// Replaces what follows the last `=` after a dash, as zsh's does. It fails if a flag is to get no space
    /// (`string split` takes it for one of its own flags). It need not be told: fish adds no space after `=`,
    /// `:`, `/` and `,`.
    Fish,
}

impl Script {
    /// Guesses the script, which kubectl does not tell: its script for fish sets a variable, and most people
    /// use their login shell.
    fn of_caller() -> Self {
        if std::env::var_os("KUBECTL_ACTIVE_HELP").is_some_and(|value| value == "0") {
            return Self::Fish;
        }
        let login_shell = std::env::var_os("SHELL").unwrap_or_default();
        if Path::new(&login_shell).file_name().is_some_and(|name| name == "zsh") {
            Self::Zsh
        } else {
            Self::Bash
        }
    }
}

fn in_protocol(mut offer: Offer, word: &str, script: Script) -> String {
    let mut directive = if offer.files.is_some() { 0 } else { NO_FILES };
    if let Some(wanted) =
        offer.files.as_ref().filter(|wanted| !wanted.before.is_empty() && !word.starts_with('-'))
    {
        // `KEY=PATH`: not every shell completes a file name after `=`.
        offer.candidates.extend(files::candidates(wanted, files::DotFiles::AfterADot));
    }
    if offer.goes_on() && !(script == Script::Fish && word.starts_with('-')) {
        directive |= NO_SPACE;
    }
    let mut lines: Vec<String> = Vec::new();
    for from in starts(word, script) {
        let ends =
            offer.candidates.iter().filter_map(|one| Some((one.value.get(from..)?, one.about.as_str())));
        lines.extend(ends.filter(|(end, _)| !end.is_empty()).map(|(end, about)| {
            if about.is_empty() || is_escaped(word, script) {
                end.to_owned()
            } else {
                format!("{end}\t{about}")
            }
        }));
    }
    if offer.candidates.len() == 1 && is_escaped(word, script) {
        lines.extend_from_within(..);
    }
    lines.push(format!(":{directive}\n"));
    lines.join("\n")
}

/// Reports whether the script for bash escapes the candidates. It looks for the typed word in candidates with
/// a backslash before each comma, unless no candidate has a description. A single candidate keeps the
/// backslash, so the typed word is not removed from it. So a single candidate is sent twice: then neither is
/// the only one, and bash shows them as one.
fn is_escaped(word: &str, script: Script) -> bool {
    script == Script::Bash && word.contains(',')
}

/// Returns the indices at which the part begins that the script replaces: one, or two if either script may
/// ask. A candidate for the other script does not fit the typed word, and is not shown.
fn starts(word: &str, script: Script) -> Vec<usize> {
    let after = |at: usize| at + 1;
    let last = word.rfind('=').map_or(0, after);
    if !word.starts_with('-') {
        let is_garbled = word[..last].contains('-') && script != Script::Bash;
        return if is_garbled { Vec::new() } else { vec![0] };
    }
    let first = word.find('=').map_or(0, after);
    match script {
        _ if first == last => vec![first],
        // With nothing typed after it, every candidate fits.
        Script::Zsh | Script::Fish if last == word.len() => vec![last],
        _ => vec![first, last],
    }
}

/// Returns the answers for all scripts.
#[cfg(test)]
pub(super) fn in_every_script(candidates: &[super::candidate::Candidate], word: &str) -> String {
    let scripts = [Script::Bash, Script::Zsh, Script::Fish];
    let offer = || Offer { candidates: candidates.to_vec(), files: None };
    scripts.map(|script| in_protocol(offer(), word, script)).concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::complete::candidate::Candidate;
    use crate::complete::candidate::Files;

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
        assert_eq!(answer("--context=d", &["--context=dev"], Script::Fish), "dev\n:4\n");
        assert_eq!(answer("-n", &["-n"], Script::Bash), "-n\n:4\n");
    }

    #[test]
    fn a_comma_that_is_typed_is_not_lost_on_the_script_for_bash() {
        let offer = || Offer { candidates: vec![Candidate::new("path=/x,name=hf", "Opaque")], files: None };
        let twice = "path=/x,name=hf\npath=/x,name=hf\n:4\n";
        assert_eq!(in_protocol(offer(), "path=/x,name=", Script::Bash), twice);
        assert_eq!(in_protocol(offer(), "path=/x,name=", Script::Zsh), "path=/x,name=hf\tOpaque\n:4\n");
    }

    #[test]
    fn a_second_equals_sign_is_cut_where_the_script_of_the_shell_cuts_it() {
        let values = ["--env-secret=A=hf,key=K"];
        assert_eq!(answer("--env-secret=A=hf,key=", &values, Script::Zsh), "K\n:4\n");
        assert_eq!(
            answer("--env-secret=A=hf,key=", &values, Script::Bash),
            "A=hf,key=K\nK\nA=hf,key=K\nK\n:4\n"
        );
        assert_eq!(answer("A=hf,key=", &["A=hf,key=K"], Script::Zsh), "A=hf,key=K\n:4\n");
        // The script would take `-face,key=` for a flag, and repeat it.
        assert_eq!(answer("A=hugging-face,key=", &["A=hugging-face,key=K"], Script::Zsh), ":4\n");
    }
}
