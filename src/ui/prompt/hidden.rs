//! Reads a value that is typed and not shown.
//!
//! It is read byte by byte, not as a line of the terminal: a terminal silently cuts lines at 4,095 characters
//! (Linux's `N_TTY`), and a pasted key of several lines would give its second line to the next question and the
//! rest to the shell.

use console::Term;
use dialoguer::theme::Theme;
use zeroize::Zeroizing;

use super::answer::{self, PromptError};

pub(super) fn read_twice(question: &str, theme: &dyn Theme) -> Result<Zeroizing<Vec<u8>>, PromptError> {
    let terminal = Term::stderr();
    loop {
        let value = read(&terminal, question, theme)?;
        if value.is_empty() {
            terminal.write_line("Nothing was typed. Esc ends this.")?;
            continue;
        }
        if *read(&terminal, "Once more", theme)? == *value {
            return Ok(value);
        }
        terminal.write_line("These two differ: try again.")?;
    }
}

fn read(terminal: &Term, question: &str, theme: &dyn Theme) -> Result<Zeroizing<Vec<u8>>, PromptError> {
    let mut prompt = String::new();
    let _ = theme.format_input_prompt(&mut prompt, question, None);
    let value = value::read(|| crate::ui::terminal::draw(terminal, &format!("{prompt} ")));
    terminal.write_line("")?;
    value
}

#[cfg(unix)]
mod value {
    use std::io;

    use rustix::termios::{OptionalActions, QueueSelector, tcflush, tcgetattr, tcsetattr};
    use zeroize::Zeroizing;

    use super::super::keys::{CTRL_C, MOMENT, next_byte, wait_at_most};
    use super::answer::PromptError;
    use crate::error::Error;

    /// The initial capacity, in bytes: what a terminal buffers. Most values are shorter.
    const ROOM: usize = 4096;

    /// The bytes typed so far, and the state within a key of several bytes.
    struct Typed {
        value: Zeroizing<Vec<u8>>,
        key: Key,
    }

    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Key {
        Whole,
        Escape,
        Sequence,
    }

    enum Next {
        More,
        Enter,
        Cancelled,
    }

    /// Reads up to Enter. Drops what was typed before the question, since the terminal has shown it.
    pub(super) fn read(ask: impl FnOnce() -> io::Result<()>) -> Result<Zeroizing<Vec<u8>>, PromptError> {
        let modes = tcgetattr(io::stdin()).map_err(io::Error::from)?;
        tcsetattr(io::stdin(), OptionalActions::Flush, &modes).map_err(io::Error::from)?;
        ask()?;
        let mut typed = Typed { value: Zeroizing::new(Vec::with_capacity(ROOM)), key: Key::Whole };
        loop {
            // Esc alone (an arrow key would have sent more bytes), or the terminal is gone.
            let Some(byte) = next_byte()? else { return Err(PromptError::Cancelled) };
            let after_escape = typed.key == Key::Escape;
            match typed.take(byte) {
                Next::More if typed.key == Key::Escape => wait_at_most(MOMENT)?,
                Next::More if after_escape => wait_at_most(0)?,
                Next::More => {}
                Next::Cancelled => {
                    // Drops the rest of a paste: it must not reach the shell.
                    let _ = tcflush(io::stdin(), QueueSelector::IFlush);
                    return Err(PromptError::Cancelled);
                }
                Next::Enter => break,
            }
        }
        wait_at_most(MOMENT)?;
        if next_byte()?.is_none() {
            wait_at_most(0)?;
            return Ok(typed.value);
        }
        while next_byte()?.is_some() {}
        Err(PromptError::Refused(several_lines()))
    }

    fn several_lines() -> Error {
        Error::failed("this value has several lines, and a hidden prompt takes one")
            .hint("keep it in a file that only you can read, and use --from-file KEY=PATH")
    }

    impl Typed {
        fn take(&mut self, byte: u8) -> Next {
            let key = std::mem::replace(&mut self.key, Key::Whole);
            match (key, byte) {
                (Key::Escape, b'[' | b'O') => self.key = Key::Sequence,
                (Key::Escape, _) | (Key::Sequence, 0x40..=0x7e) => {}
                (Key::Sequence, _) => self.key = Key::Sequence,
                (Key::Whole, b'\r' | b'\n') => return Next::Enter,
                (Key::Whole, 0x1b) => self.key = Key::Escape,
                (Key::Whole, CTRL_C) => return Next::Cancelled,
                // Ctrl-D.
                (Key::Whole, 0x04) if self.value.is_empty() => return Next::Cancelled,
                // Ctrl-U.
                (Key::Whole, 0x15) => self.value.clear(),
                (Key::Whole, 0x08 | 0x7f) => self.remove_last(),
                (Key::Whole, 0..0x20) if byte != b'\t' => {}
                (Key::Whole, _) => self.push(byte),
            }
            Next::More
        }

        /// Removes the last character, which may have several bytes.
        fn remove_last(&mut self) {
            while self.value.pop().is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000) {}
        }

        /// Appends a byte. Grows by a copy, so that the old place is wiped.
        fn push(&mut self, byte: u8) {
            if self.value.len() == self.value.capacity() {
                let mut larger = Zeroizing::new(Vec::with_capacity(self.value.capacity() * 2));
                larger.extend_from_slice(&self.value);
                self.value = larger;
            }
            self.value.push(byte);
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn typed(bytes: &[u8]) -> Vec<u8> {
            let mut typed = Typed { value: Zeroizing::default(), key: Key::Whole };
            for byte in bytes {
                if matches!(typed.take(*byte), Next::Enter) {
                    break;
                }
            }
            typed.value.to_vec()
        }

        #[test]
        fn keys_that_edit_are_no_part_of_the_value() {
            for (bytes, expected) in [
                ("hunter2\r", "hunter2"),
                ("huntr\x7fer2\n", "hunter2"),
                ("ää\x7f\r", "ä"),
                ("wrong\x15hunter2\r", "hunter2"),
                ("hun\x1b[Dter\x1b[3~2\x1bOH\r", "hunter2"),
                // What a terminal may put around a paste.
                ("\x1b[200~hunter2\x1b[201~\r", "hunter2"),
                ("a\tb\x01\r", "a\tb"),
            ] {
                assert_eq!(typed(bytes.as_bytes()), expected.as_bytes(), "{bytes:?}");
            }
        }

        #[test]
        fn a_long_value_is_kept_whole() {
            let long = "x".repeat(100_000);
            assert_eq!(typed(long.as_bytes()), long.as_bytes());
        }
    }
}

/// Reads with the console of Windows, which has no such limit.
#[cfg(not(unix))]
mod value {
    use std::io;

    use console::Term;
    use zeroize::Zeroizing;

    use super::answer::{self, PromptError};

    pub(super) fn read(ask: impl FnOnce() -> io::Result<()>) -> Result<Zeroizing<Vec<u8>>, PromptError> {
        ask()?;
        Ok(Zeroizing::new(Term::stderr().read_secure_line()?.into_bytes()))
    }
}
