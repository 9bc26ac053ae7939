//! Holds what all questions share: how keys are read, and why there may be no answer.

use std::io;

use console::Key;

use crate::error::Error;

#[cfg(unix)]
pub(super) use super::keys::read as read_key;
#[cfg(windows)]
pub(super) use super::windows_keys::read as read_key;

/// Hides the cursor, for lists and yes-or-no questions. The answer shows it again.
pub(super) const HIDE_CURSOR: &str = "\u{1b}[?25l";

/// The end of input on a terminal that edits no lines.
pub(super) const CTRL_D: char = '\u{4}';
/// Takes back what was typed.
pub(super) const CTRL_U: char = '\u{15}';
/// Takes back the last word.
pub(super) const CTRL_W: char = '\u{17}';

/// Returns where the last word of a text begins.
pub(super) fn start_of_word(text: &[char]) -> usize {
    let end = text.iter().rposition(|char| !char.is_whitespace()).map_or(0, |at| at + 1);
    text[..end].iter().rposition(|char| char.is_whitespace()).map_or(0, |at| at + 1)
}

/// The reason why there is no answer.
pub(super) enum PromptError {
    /// Esc.
    Back,
    /// Ctrl-C, or the end of input.
    Cancelled,
    Io(io::Error),
    Refused(Error),
}

impl PromptError {
    /// Returns what a key means that leaves the question.
    pub(super) fn by(key: &Key) -> Self {
        if *key == Key::Escape { Self::Back } else { Self::Cancelled }
    }
}

impl From<io::Error> for PromptError {
    fn from(error: io::Error) -> Self {
        /// EIO on Linux and macOS, which a closed terminal gives to reads and writes.
        const GONE: i32 = 5;
        let is_gone = cfg!(unix) && error.raw_os_error() == Some(GONE);
        match error.kind() {
            io::ErrorKind::Interrupted | io::ErrorKind::UnexpectedEof => Self::Cancelled,
            _ if is_gone => Self::Cancelled,
            _ => Self::Io(error),
        }
    }
}

/// Returns the question with what Enter alone answers.
pub(super) fn with_proposal(question: &str, proposal: &str) -> String {
    match proposal {
        "" => question.to_owned(),
        proposal => format!("{question} (Enter for {proposal})"),
    }
}

#[cfg(test)]
mod tests {
    use super::start_of_word;

    #[test]
    fn the_last_word_begins_after_the_blank_before_it() {
        for (text, start) in [("", 0), ("one", 0), ("one two", 4), ("one two  ", 4), ("  ", 0)] {
            assert_eq!(start_of_word(&text.chars().collect::<Vec<_>>()), start, "{text:?}");
        }
    }
}
