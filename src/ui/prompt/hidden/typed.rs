//! A hidden value as it is typed, byte by byte.

use zeroize::Zeroizing;

use crate::error::Error;
use crate::secret::SecretValue;

/// The initial capacity, in bytes: what a terminal buffers. Most values are shorter.
const ROOM: usize = 4096;

const CTRL_C: u8 = 0x03;

/// What stands before and after what is pasted.
const PASTE_BEGINS: &[u8] = b"200~";
const PASTE_ENDS: &[u8] = b"201~";

/// A value, and how it came.
pub(super) struct Entered {
    pub(super) value: SecretValue,
    pub(super) from: Hand,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hand {
    Typed,
    Pasted,
}

/// The bytes typed so far, and the state within a key of several bytes.
pub(super) struct Typed {
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

pub(super) enum Next {
    More,
    Enter,
    Cancelled,
    /// A paste has several lines.
    Refused,
}

/// Builds the refusal of a value of several lines.
pub(super) fn several_lines() -> Error {
    Error::failed("this value has several lines, and a hidden prompt takes one")
        .hint("keep it in a file that only you can read, and use --from-file KEY=PATH")
}

impl Default for Typed {
    fn default() -> Self {
        Self::new(ROOM)
    }
}

impl Typed {
    fn new(room: usize) -> Self {
        let value = Zeroizing::new(Vec::with_capacity(room));
        Self { value, key: Key::Whole, sequence: Vec::new(), paste: None, from: Hand::Pasted }
    }

    /// Returns the value, which has ended.
    pub(super) fn entered(mut self) -> Entered {
        Entered { value: SecretValue::from_bytes(std::mem::take(&mut *self.value)), from: self.from }
    }

    /// Returns true after a byte that is Esc, or begins a key of several bytes.
    #[cfg(unix)]
    pub(super) fn is_after_escape(&self) -> bool {
        self.key == Key::Escape
    }

    pub(super) fn take(&mut self, byte: u8) -> Next {
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
