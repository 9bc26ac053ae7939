//! Collects what is offered for the word at the cursor, in a form that every shell can show.

use std::time::Instant;

use clap::Command;

use super::candidate::{Candidate, Offer};
use super::live::{self, Need};
use super::wanted::CompletionSlot;
use crate::printable::{is_printable, printable};
use crate::typed_line::Line;
use crate::ui;

/// The variable that the shells' scripts set, and the user to get a script.
pub(super) const REQUEST: &str = "COMPLETE";

/// Returns what is offered for the last word. `program` must be built.
pub(super) fn offer(program: &Command, words: &[String], started: Instant) -> Offer {
    let (line, word) = Line::read(program, words);
    let wanted = CompletionSlot::by(&line, &word);
    let mut candidates = wanted.words;
    if let Some(names) = &wanted.live {
        let need = if candidates.is_empty() { Need::Sole } else { Need::More };
        let found = live::candidates(names, need, &line, started);
        let found = found.into_iter().filter(|candidate| !means_something_to_a_shell(&candidate.value));
        let found: Vec<_> = found.collect();
        candidates.extend(if found.is_empty() { wanted.otherwise } else { found });
    }
    Offer { candidates: showable(candidates), files: wanted.files }
}

/// Keeps the candidates that a shell can show.
pub(super) fn showable(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    // Each takes one line: a name with line ends, which a context may have, can't be offered, and neither can
    // one that looks like another.
    candidates.retain(|candidate| is_printable(&candidate.value));
    let showable = candidates.into_iter().map(|Candidate { value, about, then }| {
        let first = about.lines().next().unwrap_or_default();
        Candidate { value, about: printable(first).into_owned(), then }
    });
    showable.collect()
}

/// Reports whether a shell could take part of a name for something else. Contexts and users of a kubeconfig
/// may have any name, and kubectl's script for fish evaluates the line into which the first Tab has put them.
fn means_something_to_a_shell(name: &str) -> bool {
    name.contains(|c: char| ";&|<>$`\\\"'(){}[]*?!#~".contains(c))
}

/// Writes an answer. If nobody reads it, there is nobody to tell.
pub(super) fn print(text: &str) {
    let _ = ui::write_data(text.as_bytes());
}
