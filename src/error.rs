//! What can go wrong, in the words its reader needs.
//!
//! An error is made where it is understood, as a finished line for a person: what happened, to which object, key or
//! flag, and what to type next. It never holds a value of a secret or a line of an input file, so it may be printed
//! anywhere. There is one type for the whole program; a kind decides the exit code, nothing else.

use std::fmt;

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure, ready to be shown: one line and its hints.
#[derive(Debug, Clone)]
pub(crate) struct Error {
    kind: Kind,
    line: String,
    hints: Vec<String>,
}

/// How the program ended, as far as a script needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The command could not be carried out.
    Failed,
    /// The command line or an input file is wrong; nothing was sent.
    Usage,
    /// Some of it was done, and some was not.
    Partly,
    /// Ctrl-C, or Esc at a prompt.
    Interrupted,
    /// Another signal, of this number.
    Signal(i32),
}

impl Kind {
    /// The process's exit code; the README documents these.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Partly => 3,
            Kind::Interrupted => 130,
            Kind::Signal(number) => u8::try_from(128 + number).unwrap_or(u8::MAX),
        }
    }
}

impl Error {
    /// `error: <message>`, exit code 1.
    pub(crate) fn failed(message: impl fmt::Display) -> Self {
        Self::new(Kind::Failed, format!("error: {message}"))
    }

    /// `error: <message>`, exit code 2: the command line or an input file is wrong.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Kind::Usage, format!("error: {message}"))
    }

    /// `error: <message>`, exit code 3: some of it was done, and some was not.
    pub(crate) fn partly(message: impl fmt::Display) -> Self {
        Self::new(Kind::Partly, format!("error: {message}"))
    }

    /// A line in kubectl's own words, which has no `error: ` before it, such as `Error from server (NotFound): …`.
    pub(crate) fn in_kubectls_words(line: impl fmt::Display) -> Self {
        Self::new(Kind::Failed, line.to_string())
    }

    /// The user ended the program; exit code 130.
    pub(crate) fn interrupted() -> Self {
        Self::new(Kind::Interrupted, "error: interrupted".to_owned())
    }

    /// A signal ended the program; exit code 128 and its number, as shells have it.
    pub(crate) fn ended_by_signal(number: i32, name: &str) -> Self {
        Self::new(Kind::Signal(number), format!("error: ended by {name}"))
    }

    /// Adds what to do or to type next.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hints.push(hint.to_string());
        self
    }

    /// Adds a hint before all others: what is likeliest to be wrong.
    #[must_use]
    pub(crate) fn first_hint(mut self, hint: impl fmt::Display) -> Self {
        self.hints.insert(0, hint.to_string());
        self
    }

    /// Says where it happened, before the line.
    #[must_use]
    pub(crate) fn at(mut self, place: &str) -> Self {
        let rest = self.line.strip_prefix("error: ").unwrap_or(&self.line);
        self.line = format!("error: {place}: {rest}");
        self
    }

    /// Says what was done nevertheless, after the line; nothing where it is empty.
    #[must_use]
    pub(crate) fn although(mut self, done: &str) -> Self {
        if !done.is_empty() {
            self.line = format!("{}; {done}", self.line);
        }
        self
    }

    /// As a prompt says it that asks again: without `error: `.
    pub(crate) fn for_a_prompt(&self) -> String {
        let text = self.to_string();
        text.strip_prefix("error: ").unwrap_or(&text).to_owned()
    }

    /// What happened, without what to do about it.
    pub(crate) fn line(&self) -> &str {
        &self.line
    }

    pub(crate) fn hints(&self) -> &[String] {
        &self.hints
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    fn new(kind: Kind, line: String) -> Self {
        Self { kind, line, hints: Vec::new() }
    }
}

/// The line, then each hint on a line of its own.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)?;
        self.hints.iter().try_for_each(|hint| write!(f, "\nhint: {hint}"))
    }
}
