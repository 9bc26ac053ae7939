//! The bytes of one key of a secret, protected against accidental output.
//!
//! A value has no `Debug`, no `Display`, no `Clone` and no `Serialize`, so printing one is a compile error,
//! not a review comment. Its memory is wiped when dropped. It becomes text in one place only: the body of a
//! manifest (`manifest.rs`).

use std::io;
use std::io::Read;

use zeroize::Zeroizing;

/// The byte order mark of UTF-8, which Notepad writes.
pub(super) const MARK: &[u8] = b"\xef\xbb\xbf";

/// One value of a secret, from the first byte read to the request's body.
#[derive(PartialEq, Eq)]
pub(crate) struct SecretValue(Zeroizing<Vec<u8>>);

impl SecretValue {
    /// Takes over bytes that are already in memory.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads to the end. `expected` is the number of bytes, if known beforehand; more and fewer are fine.
    ///
    /// `read_to_end` on a plain vector would grow it by reallocation and leave a copy of the value in freed
    /// memory each time; here the smaller buffer is wiped before it is dropped.
    pub(crate) fn read(mut from: impl Read, expected: usize) -> io::Result<Self> {
        let mut buffer = Zeroizing::new(vec![0; expected.max(1024) + 1]);
        let mut filled = 0;
        loop {
            match from.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if filled == buffer.len() {
                let mut larger = Zeroizing::new(vec![0; buffer.len() * 2]);
                larger[..filled].copy_from_slice(&buffer);
                buffer = larger;
            }
        }
        buffer.truncate(filled);
        Ok(Self(buffer))
    }

    /// Returns the bytes themselves. Each caller is a place where a value leaves this type: keep them few.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Removes one `\n` or `\r\n` from the end.
    pub(crate) fn without_line_end(mut self) -> Self {
        let bytes = self.expose();
        let kept = bytes.strip_suffix(b"\n").map_or(bytes, |rest| rest.strip_suffix(b"\r").unwrap_or(rest));
        let length = kept.len();
        self.0.truncate(length);
        self
    }

    /// Returns true if it begins with the byte order mark of UTF-8.
    pub(crate) fn has_mark(&self) -> bool {
        self.expose().starts_with(MARK)
    }

    /// Removes the byte order mark of UTF-8 from the start.
    pub(crate) fn without_mark(self) -> Self {
        let length = self.len();
        if self.has_mark() { self.within(MARK.len()..length) } else { self }
    }

    /// Keeps only that part of it.
    pub(crate) fn within(mut self, part: std::ops::Range<usize>) -> Self {
        self.0.truncate(part.end);
        self.0.drain(..part.start.min(part.end));
        self
    }

    /// Returns the size in bytes, which may be shown.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static_assertions::assert_not_impl_any!(SecretValue: std::fmt::Debug, std::fmt::Display, Clone, serde::Serialize);

    #[test]
    fn any_number_of_bytes_is_read_whole() {
        for length in [0, 1, 1023, 1024, 1025, 2050, 100_000] {
            let bytes: Vec<u8> = (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect();
            for expected in [0, 10, length] {
                let value = SecretValue::read(bytes.as_slice(), expected).unwrap();
                assert!(value.expose() == bytes.as_slice(), "{length} bytes with {expected} expected");
            }
        }
    }
}
