//! Reads a hidden value from a terminal.

use std::io;

use nix::sys::termios::{FlushArg, SetArg, tcflush, tcgetattr, tcsetattr};

use super::super::answer::PromptError;
use super::super::keys::{MOMENT, next_byte, wait_at_most};
use super::typed::{Entered, Next, Typed, several_lines};

/// Reads up to Enter. Drops what was typed before the question, since the terminal has shown it.
pub(super) fn read(ask: impl FnOnce() -> io::Result<()>) -> Result<Entered, PromptError> {
    let modes = tcgetattr(io::stdin()).map_err(io::Error::from)?;
    tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &modes).map_err(io::Error::from)?;
    ask()?;
    let mut typed = Typed::default();
    loop {
        let Some(byte) = next_byte()? else {
            // Esc alone (an arrow key would have sent more bytes), or the terminal is gone.
            let is_alone = typed.is_after_escape();
            wait_at_most(0)?;
            return Err(if is_alone { PromptError::Back } else { PromptError::Cancelled });
        };
        let after_escape = typed.is_after_escape();
        match typed.take(byte) {
            Next::More if typed.is_after_escape() => wait_at_most(MOMENT)?,
            Next::More if after_escape => wait_at_most(0)?,
            Next::More => {}
            Next::Cancelled => {
                // Drops the rest of a paste: it must not reach the shell.
                let _ = tcflush(io::stdin(), FlushArg::TCIFLUSH);
                return Err(PromptError::Cancelled);
            }
            Next::Refused => return refuse_lines(),
            Next::Enter => break,
        }
    }
    wait_at_most(MOMENT)?;
    if next_byte()?.is_none() {
        wait_at_most(0)?;
        return Ok(typed.entered());
    }
    refuse_lines()
}

/// Drops what is left of a paste.
fn refuse_lines() -> Result<Entered, PromptError> {
    wait_at_most(MOMENT)?;
    while next_byte()?.is_some() {}
    wait_at_most(0)?;
    Err(PromptError::Refused(several_lines()))
}
