//! What all questions share: how an answer is typed, and why there may be none.

use std::io;

use console::{Key, Term};

use crate::error::Error;

/// As a list and a yes-or-no have it; an answer shows it again.
pub(super) const HIDE_CURSOR: &str = "\u{1b}[?25l";

/// The end of input, at a terminal that edits no lines.
pub(super) const CTRL_D: char = '\u{4}';

/// Why there is no answer.
pub(super) enum PromptError {
    /// Esc, or the end of input.
    Cancelled,
    Io(io::Error),
    #[cfg_attr(not(unix), expect(dead_code, reason = "there, a hidden line is the console's"))]
    Refused(Error),
}

impl From<io::Error> for PromptError {
    fn from(error: io::Error) -> Self {
        /// Linux's and macOS's error of input and output, which reads and writes have of a terminal that was closed.
        const GONE: i32 = 5;
        let is_gone = cfg!(unix) && error.raw_os_error() == Some(GONE);
        match error.kind() {
            io::ErrorKind::Interrupted | io::ErrorKind::UnexpectedEof => Self::Cancelled,
            _ if is_gone => Self::Cancelled,
            _ => Self::Io(error),
        }
    }
}

#[cfg(unix)]
pub(super) fn read_key(_: &Term) -> io::Result<Key> {
    super::keys::read()
}

#[cfg(not(unix))]
pub(super) fn read_key(terminal: &Term) -> io::Result<Key> {
    terminal.read_key()
}

/// The question, and what Enter alone answers.
pub(super) fn with_proposal(question: &str, proposal: &str) -> String {
    match proposal {
        "" => question.to_owned(),
        proposal => format!("{question} (Enter for {proposal})"),
    }
}
