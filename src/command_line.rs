//! Commands to paste into a shell: each foreign word is quoted for it.
//!
//! Names of objects, keys, files and contexts come from anybody, and `x;id` is a name that a pod spec may
//! have.

mod quoting;
pub(crate) mod reach;

use std::fmt;

pub(crate) use self::quoting::{joined, quoted, split};
use self::reach::Program;

/// A command line. Its unquoted part is the program's own text. When it is shown, it gets the flags by which it
/// reaches the cluster that the user's command reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandLine {
    program: Program,
    line: String,
    /// The words after `--`, or after `|`.
    rest: String,
    /// True if it is to work in the place that was typed, and does not name it.
    is_in_typed_place: bool,
    /// Run:ai's namespace, if it is not that of the user's command.
    runai_namespace: Option<String>,
}

impl CommandLine {
    /// Begins `kubectl …` with words of the program's own.
    pub(crate) fn kubectl(words: &'static str) -> Self {
        let changes_a_file = words.starts_with("config ") && !words.starts_with("config view");
        Self::new(if changes_a_file { Program::KubectlConfig } else { Program::Kubectl }).then(words)
    }

    /// Begins `kubectl runai-secret …` with words of the program's own.
    pub(crate) fn plugin(words: &'static str) -> Self {
        Self::new(Program::Plugin).then("runai-secret").then(words)
    }

    /// Returns `kubectl runai-secret` with these words, each quoted on its own.
    pub(crate) fn of_plugin<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Self {
        Self::new(Program::Plugin).then("runai-secret").args(words)
    }

    fn new(program: Program) -> Self {
        let (line, rest) = ("kubectl".to_owned(), String::new());
        Self { program, line, rest, is_in_typed_place: false, runai_namespace: None }
    }

    /// Adds words of the program's own, such as flags and placeholders.
    #[must_use]
    pub(crate) fn then(self, words: &'static str) -> Self {
        let rest = [" -- ", " | "].iter().filter_map(|mark| words.find(mark)).min();
        match rest {
            Some(at) => self.with(&words[..at], &words[at + 1..]),
            None => self.with(words, ""),
        }
    }

    /// Adds one word, quoted where a shell would read it as something else.
    #[must_use]
    pub(crate) fn arg(self, word: impl AsRef<str>) -> Self {
        match word.as_ref() {
            "--" => self.with("", "--"),
            word => self.with(&quoted(word), ""),
        }
    }

    fn with(mut self, words: &str, rest: &str) -> Self {
        let place = if self.rest.is_empty() { &mut self.line } else { &mut self.rest };
        if !words.is_empty() {
            place.extend([" ", words]);
        }
        if !rest.is_empty() {
            self.rest.extend([" ", rest]);
        }
        self
    }

    /// Has it work in the project or namespace that was typed.
    #[must_use]
    pub(crate) fn in_typed_place(self) -> Self {
        Self { is_in_typed_place: true, ..self }
    }

    /// Adds words, each quoted on its own.
    #[must_use]
    pub(crate) fn args<W: AsRef<str>>(self, words: impl IntoIterator<Item = W>) -> Self {
        words.into_iter().fold(self, Self::arg)
    }

    /// Has it take this namespace for Run:ai's, whatever the user's command did.
    #[must_use]
    pub(crate) fn runai_namespace(self, namespace: &str) -> Self {
        Self { runai_namespace: Some(namespace.to_owned()), ..self }
    }

    /// Adds `-n` and a namespace.
    #[must_use]
    pub(crate) fn namespace(self, namespace: impl AsRef<str>) -> Self {
        self.then("-n").arg(namespace)
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { program, line, rest, is_in_typed_place, runai_namespace } = self;
        let place = if *is_in_typed_place { reach::shown_place() } else { String::new() };
        let flags = format!("{place}{}", reach::shown(*program, runai_namespace.as_deref()));
        // What follows a pipe reaches a cluster too.
        let last = if rest.starts_with(" | kubectl ") { &flags } else { "" };
        write!(f, "{line}{flags}{rest}{last}")
    }
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
}
