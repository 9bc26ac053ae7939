//! Asks questions, and restores the terminal after them.
//!
//! A terminal is read on a thread that can't be stopped. So each question runs beside the program's own wait
//! for signals, and a guard restores the terminal whichever way it ends. Questions look like dialoguer's, but
//! are read here, since dialoguer 0.12 ignores Esc in its input, silently stops a password at a terminal's
//! 4,095 characters a line and a list at a paste, and ends every prompt with an interrupt when a stopped
//! program continues.

mod answer;
mod hidden;
#[cfg(unix)]
mod keys;
mod line;
mod list;
#[cfg(any(windows, test))]
mod press;
mod ranking;
mod sequential;
#[cfg(windows)]
mod windows_keys;

use console::{Key, Term};
use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};

use self::answer::{CTRL_D, HIDE_CURSOR, PromptError, read_key};
pub(crate) use self::line::{Legal, Word};
use self::list::HowMany;
pub(crate) use self::ranking::Row;
use super::interrupt;
use super::terminal::{self, Echo, TerminalGuard};
use crate::error::{Error, Result};
use crate::secret::SecretValue;

/// How questions are drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum PromptStyle {
    /// With lists and a cursor that moves.
    Drawn,
    /// One line after the other, for screen readers and simple terminals.
    Sequential,
}

/// The answer that Enter alone gives to a question for yes or no.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proposal {
    /// Where nothing is lost.
    Yes,
    No,
}

pub(super) async fn confirm(question: String, proposal: Proposal, manner: PromptStyle) -> Result<bool> {
    match manner {
        PromptStyle::Sequential => {
            ask(Echo::Terminal, move |_| sequential::confirm(&question, proposal)).await
        }
        PromptStyle::Drawn => {
            ask(Echo::Off, move |theme| yes_or_no(&Term::stderr(), &question, proposal, theme)).await
        }
    }
}

fn yes_or_no(
    terminal: &Term,
    question: &str,
    proposal: Proposal,
    theme: &dyn Theme,
) -> Result<bool, PromptError> {
    let mut row = String::new();
    let _ = theme.format_confirm_prompt(&mut row, question, Some(proposal == Proposal::Yes));
    terminal::draw(terminal, &format!("{HIDE_CURSOR}{row}"))?;
    let answer = loop {
        match read_key()? {
            Key::Char('y' | 'Y') => break Ok(true),
            Key::Char('n' | 'N') => break Ok(false),
            Key::Enter => break Ok(proposal == Proposal::Yes),
            key @ (Key::Escape | Key::CtrlC | Key::Char('q' | CTRL_D)) => break Err(PromptError::by(&key)),
            _ => {}
        }
    };
    terminal.clear_line()?;
    let mut row = String::new();
    let _ = theme.format_confirm_prompt_selection(&mut row, question, answer.as_ref().ok().copied());
    terminal.write_line(&row)?;
    terminal.show_cursor()?;
    answer
}

/// Asks for one of several choices and returns its index.
pub(super) async fn pick(question: String, choices: Vec<Row>, manner: PromptStyle) -> Result<usize> {
    if manner == PromptStyle::Sequential {
        return ask(Echo::Terminal, move |_| sequential::pick(&question, &choices)).await;
    }
    let picked = ask(Echo::Off, move |theme| list::pick(&question, &choices, HowMany::One, theme)).await?;
    Ok(picked.first().copied().unwrap_or_default())
}

/// Asks for one or more of several choices and returns their indices, of which there is at least one.
pub(super) async fn pick_several(
    question: String,
    choices: Vec<Row>,
    manner: PromptStyle,
) -> Result<Vec<usize>> {
    if manner == PromptStyle::Sequential {
        return ask(Echo::Terminal, move |_| sequential::pick_several(&question, &choices)).await;
    }
    ask(Echo::Off, move |theme| list::pick(&question, &choices, HowMany::Several, theme)).await
}

pub(super) async fn word(question: String, word: Word, manner: PromptStyle) -> Result<String> {
    match manner {
        PromptStyle::Sequential => ask(Echo::Terminal, move |_| sequential::word(&question, &word)).await,
        PromptStyle::Drawn => ask(Echo::Off, move |theme| line::read(&question, &word, theme)).await,
    }
}

/// Asks for a hidden value: once if it is pasted, twice if it is typed, since nobody sees what was typed.
pub(super) async fn hidden(question: String, manner: PromptStyle) -> Result<SecretValue> {
    ask(Echo::Off, move |theme| hidden::read(&question, manner, theme)).await
}

/// Asks on a thread of its own, so that a signal can end the wait.
async fn ask<T: Send + 'static>(
    echo: Echo,
    question: impl FnOnce(&dyn Theme) -> Result<T, PromptError> + Send + 'static,
) -> Result<T> {
    interrupt::listen();
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
        PromptError::Back => Error::stepped_back(),
        PromptError::Cancelled => Error::interrupted(),
        PromptError::Refused(error) => error,
        PromptError::Io(error) => Error::failed(format!("can't ask: {error}")),
    })
}
