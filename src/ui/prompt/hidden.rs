//! Reads a value that is typed and not shown.
//!
//! It is read byte by byte, not as a line of the terminal: a terminal silently cuts lines at 4,095 characters
//! (Linux's `N_TTY`), and a pasted key of several lines would give its second line to the next question and the
//! rest to the shell.
//!
//! A terminal marks what is pasted, if it is asked to. What it marks is the whole value, so it is asked for once. What it
//! does not mark counts as typed, and is asked for twice.

use console::Term;
use dialoguer::theme::Theme;

use super::PromptStyle;
use super::answer::{self, PromptError};
use crate::secret::{self, SecretValue};

/// A value, and how it came.
struct Entered {
    value: SecretValue,
    from: Hand,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hand {
    Typed,
    #[cfg_attr(not(unix), expect(dead_code, reason = "there, a hidden line is the console's"))]
    Pasted,
}

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
    let entered = value::read(|| crate::ui::terminal::draw(terminal, &format!("{prompt} ")));
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

#[cfg(unix)]
mod value {
    use std::io;

    use rustix::termios::{OptionalActions, QueueSelector, tcflush, tcgetattr, tcsetattr};
    use zeroize::Zeroizing;

    use super::super::keys::{CTRL_C, MOMENT, next_byte, wait_at_most};
    use super::answer::PromptError;
    use super::{Entered, Hand};
    use crate::error::Error;
    use crate::secret::SecretValue;

    /// The initial capacity, in bytes: what a terminal buffers. Most values are shorter.
    const ROOM: usize = 4096;

    /// What stands before and after what is pasted.
    const PASTE_BEGINS: &[u8] = b"200~";
    const PASTE_ENDS: &[u8] = b"201~";

    /// The bytes typed so far, and the state within a key of several bytes.
    struct Typed {
        value: Zeroizing<Vec<u8>>,
        key: Key,
        /// The bytes of a key after `Esc [`.
        sequence: Vec<u8>,
        /// The start of the paste that has not ended.
        paste: Option<usize>,
        from: Hand,
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
        /// A paste has several lines.
        Refused,
    }

    /// Reads up to Enter. Drops what was typed before the question, since the terminal has shown it.
    pub(super) fn read(ask: impl FnOnce() -> io::Result<()>) -> Result<Entered, PromptError> {
        let modes = tcgetattr(io::stdin()).map_err(io::Error::from)?;
        tcsetattr(io::stdin(), OptionalActions::Flush, &modes).map_err(io::Error::from)?;
        ask()?;
        let mut typed = Typed::new(ROOM);
        loop {
            let Some(byte) = next_byte()? else {
                // Esc alone (an arrow key would have sent more bytes), or the terminal is gone.
                let is_alone = typed.key == Key::Escape;
                wait_at_most(0)?;
                return Err(if is_alone { PromptError::Back } else { PromptError::Cancelled });
            };
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
                Next::Refused => return refuse_lines(),
                Next::Enter => break,
            }
        }
        wait_at_most(MOMENT)?;
        if next_byte()?.is_none() {
            wait_at_most(0)?;
            let value = SecretValue::from_bytes(std::mem::take(&mut *typed.value));
            return Ok(Entered { value, from: typed.from });
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

    fn several_lines() -> Error {
        Error::failed("this value has several lines, and a hidden prompt takes one")
            .hint("keep it in a file that only you can read, and use --from-file KEY=PATH")
    }

    impl Typed {
        fn new(room: usize) -> Self {
            let value = Zeroizing::new(Vec::with_capacity(room));
            Self { value, key: Key::Whole, sequence: Vec::new(), paste: None, from: Hand::Pasted }
        }

        fn take(&mut self, byte: u8) -> Next {
            let key = std::mem::replace(&mut self.key, Key::Whole);
            match (key, byte) {
                (Key::Escape, b'[' | b'O') => {
                    self.sequence.clear();
                    self.key = Key::Sequence;
                }
                (Key::Escape, _) => {}
                (Key::Sequence, _) => return self.take_of_sequence(byte),
                (Key::Whole, b'\r' | b'\n') if self.paste.is_some() => self.push(b'\n'),
                (Key::Whole, b'\r' | b'\n') => return Next::Enter,
                (Key::Whole, 0x1b) => self.key = Key::Escape,
                (Key::Whole, CTRL_C) => return Next::Cancelled,
                // Ctrl-D.
                (Key::Whole, 0x04) if self.value.is_empty() => return Next::Cancelled,
                // Ctrl-U.
                (Key::Whole, 0x15) => {
                    self.value.clear();
                    self.paste = self.paste.map(|_| 0);
                    self.from = Hand::Pasted;
                }
                (Key::Whole, 0x08 | 0x7f) => self.remove_last(),
                (Key::Whole, 0..0x20) if byte != b'\t' => {}
                (Key::Whole, _) => {
                    if self.paste.is_none() {
                        self.from = Hand::Typed;
                    }
                    self.push(byte);
                }
            }
            Next::More
        }

        /// Takes a byte of a key after `Esc [`, such as an arrow, or of a mark around a paste.
        fn take_of_sequence(&mut self, byte: u8) -> Next {
            // Longer than any that matters.
            if self.sequence.len() < PASTE_ENDS.len() {
                self.sequence.push(byte);
            }
            match (self.sequence.as_slice(), byte) {
                (PASTE_BEGINS, _) => self.paste = Some(self.value.len()),
                (PASTE_ENDS, _) => return self.end_paste(),
                (_, 0x40..=0x7e) => {}
                _ => self.key = Key::Sequence,
            }
            Next::More
        }

        /// Takes newlines off the end of what was pasted.
        fn end_paste(&mut self) -> Next {
            let start = self.paste.take().unwrap_or_default();
            while self.value.len() > start && self.value.ends_with(b"\n") {
                self.value.pop();
            }
            let has_lines = self.value.get(start..).is_some_and(|pasted| pasted.contains(&b'\n'));
            if has_lines { Next::Refused } else { Next::More }
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

        fn entered(bytes: &[u8]) -> (Vec<u8>, Hand) {
            let mut typed = Typed::new(0);
            for byte in bytes {
                if matches!(typed.take(*byte), Next::Enter) {
                    break;
                }
            }
            (typed.value.to_vec(), typed.from)
        }

        fn typed(bytes: &[u8]) -> Vec<u8> {
            entered(bytes).0
        }

        #[test]
        fn what_the_terminal_marks_is_pasted_and_has_no_newline_at_its_end() {
            for (bytes, value, hand) in [
                ("\x1b[200~hunter2\x1b[201~\r", "hunter2", Hand::Pasted),
                ("\x1b[200~hunter2\r\n\x1b[201~\r", "hunter2", Hand::Pasted),
                ("x\x15\x1b[200~hunter2\x1b[201~\r", "hunter2", Hand::Pasted),
                ("\x1b[200~hunter\x1b[201~2\r", "hunter2", Hand::Typed),
                ("hunter2\r", "hunter2", Hand::Typed),
            ] {
                let (was, from) = entered(bytes.as_bytes());
                assert_eq!(was, value.as_bytes(), "{bytes:?}");
                assert!(from == hand, "{bytes:?}");
            }
            let mut typed = Typed::new(0);
            let last = b"\x1b[200~a\rb\x1b[201~".iter().map(|byte| typed.take(*byte)).last();
            assert!(matches!(last, Some(Next::Refused)));
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

    use super::answer::PromptError;
    use super::{Entered, Hand};
    use crate::secret::SecretValue;

    pub(super) fn read(ask: impl FnOnce() -> io::Result<()>) -> Result<Entered, PromptError> {
        ask()?;
        let value = SecretValue::from_bytes(Term::stderr().read_secure_line()?.into_bytes());
        Ok(Entered { value, from: Hand::Typed })
    }
}
