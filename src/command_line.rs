//! Commands to paste into a shell: each foreign word is quoted for it.
//!
//! Names of objects, keys, files and contexts come from anybody, and `x;id` is a name that a pod spec may
//! have.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use crate::printable::is_printable;

/// A command line. Its unquoted part is the program's own text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandLine(String);

impl CommandLine {
    /// Begins `kubectl …` with words of the program's own.
    pub(crate) fn kubectl(words: &'static str) -> Self {
        Self(format!("kubectl {words}"))
    }

    /// Begins `kubectl runai-secret …` with words of the program's own.
    pub(crate) fn plugin(words: &'static str) -> Self {
        Self(format!("kubectl runai-secret {words}"))
    }

    /// Returns `kubectl runai-secret` with these words, each quoted on its own.
    pub(crate) fn of_plugin<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Self {
        Self::kubectl("runai-secret").args(words)
    }

    /// Adds words of the program's own, such as flags and placeholders.
    #[must_use]
    pub(crate) fn then(mut self, words: &'static str) -> Self {
        self.0.push(' ');
        self.0.push_str(words);
        self
    }

    /// Adds one word, quoted where a shell would read it as something else.
    #[must_use]
    pub(crate) fn arg(mut self, word: impl AsRef<str>) -> Self {
        self.0.push(' ');
        self.0.push_str(&quoted(word.as_ref()));
        self
    }

    /// Adds words, each quoted on its own.
    #[must_use]
    pub(crate) fn args<W: AsRef<str>>(self, words: impl IntoIterator<Item = W>) -> Self {
        words.into_iter().fold(self, Self::arg)
    }

    /// Adds `-n` and a namespace.
    #[must_use]
    pub(crate) fn namespace(self, namespace: impl AsRef<str>) -> Self {
        self.then("-n").arg(namespace)
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Joins words to a command line, each quoted on its own.
pub(crate) fn joined<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| quoted(word.as_ref()).into_owned()).collect();
    words.join(" ")
}

/// Quotes a word so that a POSIX shell reads it back. A word with a character that is unsafe to show is
/// written as `$'…'` (POSIX.1-2024, 2.2.4): an escape in plain quotation marks would be another word.
pub(crate) fn quoted(word: &str) -> Cow<'_, str> {
    // `shell_words` quotes more than is needed.
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "_@%+=:,./-…".contains(char);
    // zsh takes `=word` for the path of a program.
    if !word.is_empty() && !word.starts_with('=') && word.chars().all(is_plain) {
        return word.into();
    }
    if is_printable(word) {
        return shell_words::quote(word);
    }
    let mut text = "$'".to_owned();
    for char in word.chars() {
        match char {
            '\'' | '\\' => text.extend(['\\', char]),
            ' '..='~' => text.push(char),
            _ => char.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| {
                // A String accepts every text.
                let _ = write!(text, "\\{byte:03o}");
            }),
        }
    }
    text.push('\'');
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_shell_would_run_is_one_word() {
        let command = CommandLine::plugin("create")
            .arg("x;id>/x;echo${IFS}")
            .then("--from-file=KEY=PATH")
            .namespace("a b");
        let shown = "kubectl runai-secret create 'x;id>/x;echo${IFS}' --from-file=KEY=PATH -n 'a b'";
        assert_eq!(command.to_string(), shown);
        assert_eq!(
            CommandLine::kubectl("get").args(["secret", "", "it's"]).to_string(),
            "kubectl get secret '' 'it'\\''s'"
        );
    }

    #[test]
    fn a_name_that_cannot_be_shown_stays_the_same_word() {
        assert_eq!(quoted("a\tb"), "$'a\\011b'");
        assert_eq!(quoted("a\u{1b}'\\\n"), "$'a\\033\\'\\\\\\012'");
        assert_eq!(quoted("a\u{202e}9"), "$'a\\342\\200\\2569'");
        assert!(["\u{7f}", "\u{9b}", "\u{200b}", "\u{2028}"].iter().all(|text| quoted(text).is_ascii()));
    }
}
