//! Reads a value that is typed and not shown.
//!
//! It is read byte by byte, not as a line of the terminal: a terminal silently cuts lines at 4,095 characters
//! (Linux's `N_TTY`), and a pasted key of several lines would give its second line to the next question and the
//! rest to the shell.
//!
//! A terminal marks what is pasted, if it is asked to. What it marks is the whole value, so it is asked for once. What it
//! does not mark counts as typed, and is asked for twice. The console of Windows marks nothing.

mod typed;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use console::Term;
use dialoguer::theme::Theme;

use self::typed::{Entered, Hand};
#[cfg(unix)]
use self::unix::read as read_value;
#[cfg(windows)]
use self::windows::read as read_value;
use super::PromptStyle;
use super::answer::PromptError;
use crate::secret::{self, SecretValue};

pub(super) fn read(
    question: &str,
    manner: PromptStyle,
    theme: &dyn Theme,
) -> Result<SecretValue, PromptError> {
    let terminal = Term::stderr();
    #[cfg(unix)]
    if manner == PromptStyle::Drawn {
        crate::ui::terminal::mark_pastes()?;
    }
    loop {
        let Entered { value, from } = read_once(&terminal, question, manner, theme)?;
        if value.len() == 0 {
            terminal.write_line("Nothing was typed. Esc ends this.")?;
            continue;
        }
        say(&terminal, question, &secret::size(&value), manner, theme)?;
        let is_sure = from == Hand::Pasted || {
            let again = read_once(&terminal, "Once more", manner, theme)?;
            again.value.expose() == value.expose()
        };
        if is_sure {
            return Ok(value);
        }
        terminal.write_line("These two differ: try again.")?;
    }
}

fn read_once(
    terminal: &Term,
    question: &str,
    manner: PromptStyle,
    theme: &dyn Theme,
) -> Result<Entered, PromptError> {
    let mut prompt = String::new();
    let _ = theme.format_input_prompt(&mut prompt, question, None);
    let entered = read_value(|| crate::ui::terminal::draw(terminal, &format!("{prompt} ")));
    if manner == PromptStyle::Drawn && entered.is_ok() {
        terminal.clear_line()?;
    } else {
        terminal.write_line("")?;
    }
    entered
}

/// Says how long the value is, so that somebody sees whether a paste arrived whole.
fn say(
    terminal: &Term,
    question: &str,
    length: &str,
    manner: PromptStyle,
    theme: &dyn Theme,
) -> Result<(), PromptError> {
    let mut row = String::new();
    match manner {
        PromptStyle::Sequential => length.clone_into(&mut row),
        PromptStyle::Drawn => {
            let _ = theme.format_input_prompt_selection(&mut row, question, length);
        }
    }
    Ok(terminal.write_line(&row)?)
}
