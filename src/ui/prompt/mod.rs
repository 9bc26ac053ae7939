//! Questions, guarded against what a prompt leaves behind.
//!
//! A terminal is read on a thread that can't be stopped, and dialoguer leaves Ctrl-C to its caller (dialoguer#77): the
//! cursor stays hidden and the echo off. So each question runs beside the program's own wait for signals, and a guard
//! puts the terminal back whichever way it ends. The look of all questions is dialoguer's, and so is yes-or-no. Lines,
//! values and lists are read here: its input knows no Esc, its password stops without a word at a terminal's 4,095
//! characters a line, and its list at a paste.

mod hidden;
mod line;
mod list;
mod sequential;
mod terminal;

use std::io;

use dialoguer::Confirm;
use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};
use zeroize::Zeroizing;

pub(crate) use self::line::Word;
pub(super) use self::list::Choice;
use self::terminal::{Echo, TerminalGuard};
use crate::error::{Error, Result};

/// How questions appear.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Lists that move under the cursor.
    Drawn,
    /// One line after the other, which a screen reader can follow and any terminal can show.
    Sequential,
}

/// Why there is no answer.
enum Trouble {
    /// Esc, or the end of input.
    Cancelled,
    Io(io::Error),
    #[cfg_attr(not(unix), expect(dead_code, reason = "there, a hidden line is the console's"))]
    Refused(Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // What is left of a terminal that was closed.
            io::ErrorKind::Interrupted | io::ErrorKind::UnexpectedEof => Self::Cancelled,
            _ => Self::Io(error),
        }
    }
}

impl From<dialoguer::Error> for Trouble {
    fn from(dialoguer::Error::IO(error): dialoguer::Error) -> Self {
        error.into()
    }
}

pub(super) async fn confirm(question: String, manner: Manner) -> Result<bool> {
    match manner {
        Manner::Sequential => ask(Echo::Terminal, move |_| sequential::confirm(&question)).await,
        Manner::Drawn => {
            ask(Echo::Off, move |theme| {
                let answer = Confirm::with_theme(theme).with_prompt(question).default(false);
                answer.interact_opt()?.ok_or(Trouble::Cancelled)
            })
            .await
        }
    }
}

/// Lets one of several be picked; gives its place among them.
pub(super) async fn pick(question: String, choices: Vec<Choice>, manner: Manner) -> Result<usize> {
    if manner == Manner::Sequential {
        return ask(Echo::Terminal, move |_| sequential::pick(&question, &choices)).await;
    }
    ask(Echo::Off, move |theme| list::pick(&question, &choices, theme)).await
}

pub(super) async fn word(question: String, word: Word, manner: Manner) -> Result<String> {
    match manner {
        Manner::Sequential => ask(Echo::Terminal, move |_| sequential::word(&question, &word)).await,
        Manner::Drawn => ask(Echo::Off, move |theme| line::read(&question, &word, theme)).await,
    }
}

/// Asks for a value that is not shown, twice, since nobody sees what was typed.
pub(super) async fn hidden(question: String) -> Result<Zeroizing<Vec<u8>>> {
    ask(Echo::Off, move |theme| hidden::read_twice(&question, theme)).await
}

/// The question, and what Enter alone answers.
fn with_proposal(question: &str, proposal: &str) -> String {
    match proposal {
        "" => question.to_owned(),
        proposal => format!("{question} (Enter for {proposal})"),
    }
}

/// Asks on a thread of its own, so that a signal can end the wait.
async fn ask<T: Send + 'static>(
    echo: Echo,
    question: impl FnOnce(&dyn Theme) -> Result<T, Trouble> + Send + 'static,
) -> Result<T> {
    let mut guard = TerminalGuard::new(echo);
    let asked = tokio::task::spawn_blocking(move || {
        if console::colors_enabled_stderr() {
            question(&ColorfulTheme::default())
        } else {
            question(&SimpleTheme)
        }
    });
    let answer = asked.await.expect("the question's thread does not panic");
    guard.question_is_over();
    answer.map_err(|trouble| match trouble {
        Trouble::Cancelled => Error::interrupted(),
        Trouble::Refused(error) => error,
        Trouble::Io(error) => Error::failed(format!("can't ask: {error}")),
    })
}

/// Puts echo, line mode and cursor back, where there is a terminal.
pub(super) fn restore_terminal() {
    terminal::restore();
}
