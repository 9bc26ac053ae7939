//! What is offered for the word at the cursor, in a form that every shell can show.

use std::time::Instant;

use clap::Command;

use super::candidate::{Candidate, Offer};
use super::live;
use super::wanted::CompletionSlot;
use crate::printable::{is_printable, printable};
use crate::typed_line::Line;
use crate::ui;

/// Set by the shells' registrations, and by whoever asks for one.
pub(super) const REQUEST: &str = "COMPLETE";

/// What is offered for the last word. `program` must be built.
pub(super) fn offer(program: &Command, words: &[String], started: Instant) -> Offer {
    let (line, word) = Line::read(program, words);
    let wanted = CompletionSlot::by(&line, &word);
    let mut candidates = wanted.words;
    if let Some(names) = &wanted.live {
        let found = live::candidates(names, &line, started);
        let found = found.into_iter().filter(|candidate| !means_something_to_a_shell(&candidate.value));
        let found: Vec<_> = found.collect();
        candidates.extend(if found.is_empty() { wanted.otherwise } else { found });
    }
    Offer { candidates: showable(candidates), files: wanted.files }
}

/// Those that a shell can show.
pub(super) fn showable(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    // A line each: a name that has more, as a context's may, can't be offered, nor can one that looks like another.
    candidates.retain(|candidate| is_printable(&candidate.value));
    let showable = candidates.into_iter().map(|Candidate { value, about, then }| {
        let first = about.lines().next().unwrap_or_default();
        Candidate { value, about: printable(first).into_owned(), then }
    });
    showable.collect()
}

/// Whether a shell could take a part of a name for something else than a name. Contexts and users of a kubeconfig may be
/// called anything, and kubectl's script for fish evaluates the line that a first Tab has put them into.
fn means_something_to_a_shell(name: &str) -> bool {
    name.contains(|c: char| ";&|<>$`\\\"'(){}[]*?!#~".contains(c))
}

/// Writes an answer. Where nobody reads it, there is nobody to tell.
pub(super) fn print(text: &str) {
    let _ = ui::write_data(text.as_bytes());
}
