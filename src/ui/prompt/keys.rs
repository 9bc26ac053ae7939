//! Reads keys byte by byte from the terminal of an open question.
//!
//! console's own reader (0.16) takes any signal that interrupts its poll for Ctrl-C (console-rs/console#212),
//! and waits for ever for a closed terminal.

use std::io;

use console::Key;
use nix::sys::termios::{FlushArg, SetArg, SpecialCharacterIndices, tcflush, tcgetattr, tcsetattr};
use rustix::io::Errno;

/// How long the rest of a key of several bytes, or of a paste, may take to follow: in tenths of a second.
pub(super) const MOMENT: u8 = 1;

const ESCAPE: u8 = 0x1b;
const CTRL_C: u8 = 0x03;

/// Reads the next key.
///
/// # Errors
/// `UnexpectedEof` if the terminal is gone.
pub(super) fn read() -> io::Result<Key> {
    let byte = next_byte()?.ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(match byte {
        ESCAPE => return after_escape(),
        b'\r' | b'\n' => Key::Enter,
        b'\t' => Key::Tab,
        0x08 | 0x7f => Key::Backspace,
        // Ctrl-A and Ctrl-E.
        0x01 => Key::Home,
        0x05 => Key::End,
        CTRL_C => {
            // Drops the rest of a paste: it must not reach the shell.
            tcflush(io::stdin(), FlushArg::TCIFLUSH)?;
            Key::CtrlC
        }
        first => character(first)?,
    })
}

/// Reads the next byte; none if it did not come in time, or the terminal is gone.
pub(super) fn next_byte() -> io::Result<Option<u8>> {
    let mut byte = [0];
    match rustix::io::retry_on_intr(|| rustix::io::read(io::stdin(), &mut byte)) {
        // Linux's answer for a closed terminal.
        Ok(0) | Err(Errno::IO) => Ok(None),
        Ok(_) => Ok(Some(byte[0])),
        Err(error) => Err(error.into()),
    }
}

/// Sets how long the next byte is waited for, in tenths of a second; 0 for no limit.
pub(super) fn wait_at_most(tenths: u8) -> io::Result<()> {
    let mut modes = tcgetattr(io::stdin())?;
    modes.control_chars[SpecialCharacterIndices::VMIN as usize] = u8::from(tenths == 0);
    modes.control_chars[SpecialCharacterIndices::VTIME as usize] = tenths;
    Ok(tcsetattr(io::stdin(), SetArg::TCSANOW, &modes)?)
}

/// Reads the rest of a key that begins with Esc, or Esc alone.
fn after_escape() -> io::Result<Key> {
    wait_at_most(MOMENT)?;
    let mut rest = Vec::new();
    let key = loop {
        match next_byte()? {
            None | Some(ESCAPE) => break Key::Escape,
            Some(byte) => rest.push(byte),
        }
        if let Some(key) = sequence(&rest) {
            break key;
        }
    };
    wait_at_most(0)?;
    Ok(key)
}

/// Returns the key of these bytes after an Esc; none if more bytes must follow.
fn sequence(bytes: &[u8]) -> Option<Key> {
    let [b'[' | b'O', rest @ ..] = bytes else { return Some(Key::Unknown) };
    let [parameters @ .., last @ 0x40..=0x7e] = rest else { return None };
    Some(match (parameters, last) {
        (_, b'A') => Key::ArrowUp,
        (_, b'B') => Key::ArrowDown,
        (_, b'C') => Key::ArrowRight,
        (_, b'D') => Key::ArrowLeft,
        (_, b'H') | (b"1" | b"7", b'~') => Key::Home,
        (_, b'F') | (b"4" | b"8", b'~') => Key::End,
        (_, b'Z') => Key::BackTab,
        (b"3", b'~') => Key::Del,
        (b"5", b'~') => Key::PageUp,
        (b"6", b'~') => Key::PageDown,
        _ => Key::Unknown,
    })
}

/// Reads the character that begins with this byte.
fn character(first: u8) -> io::Result<Key> {
    let length = match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    let mut bytes = vec![first];
    while bytes.len() < length {
        bytes.push(next_byte()?.ok_or(io::ErrorKind::UnexpectedEof)?);
    }
    let text = std::str::from_utf8(&bytes).ok();
    Ok(text.and_then(|text| text.chars().next()).map_or(Key::Unknown, Key::Char))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_several_bytes_is_one_key() {
        for (bytes, key) in [
            (&b"[A"[..], Some(Key::ArrowUp)),
            (b"OB", Some(Key::ArrowDown)),
            (b"[1;5C", Some(Key::ArrowRight)),
            (b"[3~", Some(Key::Del)),
            (b"[200~", Some(Key::Unknown)),
            (b"b", Some(Key::Unknown)),
            (b"[", None),
            (b"O", None),
            (b"[3", None),
        ] {
            assert_eq!(sequence(bytes), key, "{bytes:?}");
        }
    }
}
