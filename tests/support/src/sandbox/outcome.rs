//! The end of a run.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use serde_json::Value;

/// The output of a program, and its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub stdout: String,
    pub stderr: String,
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    pub(super) command: String,
}

#[expect(
    clippy::return_self_not_must_use,
    reason = "a check of how it ended is often all a test wants of it"
)]
impl Outcome {
    /// Asserts that it ended with 0.
    #[track_caller]
    pub fn success(self) -> Self {
        self.ends_with(0)
    }

    /// Asserts that it ended with this exit code.
    #[track_caller]
    pub fn fails_with(self, code: i32) -> Self {
        self.ends_with(code)
    }

    #[track_caller]
    fn ends_with(self, code: i32) -> Self {
        assert!(self.code == Some(code), "exit code {code} was expected of:\n{self}");
        self
    }

    /// Returns stdout as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is no JSON ({error}) of:\n{self}"))
    }

    /// Asserts that neither stdout nor stderr shows these bytes, plainly or in base64.
    #[track_caller]
    pub fn never_shows(&self, canary: &[u8]) {
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            assert!(!holds(text.as_bytes(), canary), "{name} shows what it must not, of:\n{self}");
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { stdout, stderr, code, signal, command } = self;
        write!(
            f,
            "$ {command}\nexit code {code:?}, signal {signal:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n---"
        )
    }
}

/// Returns true if these bytes are in it, plainly or in base64 at any of its three alignments.
pub(crate) fn holds(content: &[u8], canary: &[u8]) -> bool {
    let within =
        |needle: &[u8]| !needle.is_empty() && content.windows(needle.len()).any(|window| window == needle);
    if within(canary) || within(BASE64_STANDARD.encode(canary).as_bytes()) {
        return true;
    }
    // Inside a longer text, only some characters of the encoding depend on the canary alone.
    (0..3).any(|shift| {
        let encoded = BASE64_STANDARD_NO_PAD.encode([&[0_u8; 2][..shift.min(2)], canary].concat());
        let first = (shift * 8).div_ceil(6);
        let last = (shift + canary.len()) * 8 / 6;
        last.saturating_sub(first) >= 8 && within(&encoded.as_bytes()[first..last])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_found_in_base64_wherever_it_starts() {
        for before in ["", "a", "ab", "abc", "abcd"] {
            let encoded = BASE64_STANDARD.encode(format!("{before}c4nary-value!and more"));
            assert!(holds(encoded.as_bytes(), b"c4nary-value!"), "after {before:?}");
        }
        assert!(!holds(b"nothing to see", b"c4nary-value!"));
    }
}
