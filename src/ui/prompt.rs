//! Questions, asked with dialoguer and guarded against what it leaves behind.
//!
//! dialoguer reads the terminal on a thread that can't be stopped, and leaves Ctrl-C to its caller (dialoguer#77): the
//! cursor stays hidden and the echo off. So each question runs beside the program's own wait for signals, and a guard
//! puts the terminal back whichever way it ends.

use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};
use dialoguer::{Confirm, Input, Password, Select};

use crate::error::{Error, Result};

pub(super) async fn confirm(question: String) -> Result<bool> {
    let answer =
        ask(move |theme| Confirm::with_theme(theme).with_prompt(question).default(false).interact_opt())
            .await?;
    answer.ok_or_else(Error::interrupted)
}

pub(super) async fn choose(question: String, ways: Vec<String>) -> Result<usize> {
    let answer = ask(move |theme| {
        Select::with_theme(theme).with_prompt(question).items(&ways).default(0).interact_opt()
    })
    .await?;
    answer.ok_or_else(Error::interrupted)
}

pub(super) async fn word(question: String, proposal: String) -> Result<String> {
    ask(move |theme| {
        Input::with_theme(theme).with_prompt(question).with_initial_text(proposal).interact_text()
    })
    .await
}

/// Asks for a value that is not shown, twice, since nobody sees what was typed.
pub(super) async fn hidden(question: String) -> Result<String> {
    ask(move |theme| {
        Password::with_theme(theme)
            .with_prompt(question)
            .with_confirmation("Once more", "These two differ: try again")
            .interact()
    })
    .await
}

/// Asks on a thread of its own, so that a signal can end the wait.
async fn ask<T: Send + 'static>(
    question: impl FnOnce(&dyn Theme) -> dialoguer::Result<T> + Send + 'static,
) -> Result<T> {
    let _guard = TerminalGuard::new();
    let asked = tokio::task::spawn_blocking(move || {
        if console::colors_enabled_stderr() {
            question(&ColorfulTheme::default())
        } else {
            question(&SimpleTheme)
        }
    });
    match asked.await.expect("the question's thread does not panic") {
        Ok(answer) => Ok(answer),
        Err(dialoguer::Error::IO(error)) if error.kind() == std::io::ErrorKind::Interrupted => {
            Err(Error::interrupted())
        }
        Err(dialoguer::Error::IO(error)) => Err(Error::failed(format!("can't ask: {error}"))),
    }
}

/// Puts echo, line mode and cursor back when it goes.
struct TerminalGuard {
    #[cfg(unix)]
    modes: Option<rustix::termios::Termios>,
}

impl TerminalGuard {
    fn new() -> Self {
        let guard = Self {
            #[cfg(unix)]
            modes: rustix::termios::tcgetattr(std::io::stdin()).ok(),
        };
        #[cfg(unix)]
        guard.without_suspending();
        guard
    }

    /// Has Ctrl-Z do nothing: a shell brings a stopped program back with the echo on, and what is typed then is seen.
    #[cfg(unix)]
    fn without_suspending(&self) {
        use rustix::termios::{OptionalActions, SpecialCodeIndex, tcsetattr};
        // Linux and macOS have different values for "no character".
        const DISABLED: u8 = if cfg!(target_os = "linux") { 0 } else { 0xff };
        if let Some(mut modes) = self.modes.clone() {
            modes.special_codes[SpecialCodeIndex::VSUSP] = DISABLED;
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &modes);
        }
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(modes) = &self.modes {
            let _ =
                rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Now, modes);
        }
        restore_terminal();
    }
}

/// Shows the cursor again, where there is a terminal.
pub(super) fn restore_terminal() {
    let terminal = console::Term::stderr();
    if terminal.is_term() {
        let _ = terminal.show_cursor();
    }
}
