//! Failures, in words for the user.
//!
//! An error is made where it is understood, as a finished line: what happened, to which object, key or flag,
//! and what to type next. It never holds a value of a secret or a line of an input file, so it may be printed
//! anywhere. There is one type for the whole program; its kind decides only the exit code.

use std::fmt;

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure, ready to be shown: one line and its hints.
#[derive(Debug, Clone)]
pub(crate) struct Error {
    kind: Kind,
    line: String,
    hints: Vec<String>,
}

/// The outcome of the program, for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The command could not be carried out.
    Failed,
    /// The command line or an input file is wrong; nothing was sent.
    Usage,
    /// A part was done, and a part was not.
    Partly,
    /// Ctrl-C, or Esc at a prompt.
    Interrupted,
    /// Another signal, of this number.
    Signal(i32),
}

impl Kind {
    /// Returns the process's exit code. docs/reference/exit-codes.md lists them.
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
    /// Builds `error: <message>`, exit code 1.
    pub(crate) fn failed(message: impl fmt::Display) -> Self {
        Self::new(Kind::Failed, format!("error: {message}"))
    }

    /// Builds `error: <message>`, exit code 2: the command line or an input file is wrong.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Kind::Usage, format!("error: {message}"))
    }

    /// Builds `error: <message>`, exit code 3: a part was done, and a part was not.
    pub(crate) fn partly(message: impl fmt::Display) -> Self {
        Self::new(Kind::Partly, format!("error: {message}"))
    }

    /// Builds a line in kubectl's own words, without `error: `, such as `Error from server (NotFound): …`.
    pub(crate) fn in_kubectls_words(line: impl fmt::Display) -> Self {
        Self::new(Kind::Failed, line.to_string())
    }

    /// Builds the error for a user who ended the program; exit code 130.
    pub(crate) fn interrupted() -> Self {
        Self::new(Kind::Interrupted, "error: interrupted".to_owned())
    }

    /// Builds the error for a program that a signal ended; exit code 128 plus its number, as in shells.
    pub(crate) fn ended_by_signal(number: i32, name: &str) -> Self {
        Self::new(Kind::Signal(number), format!("error: terminated by {name}"))
    }

    /// Adds a hint: what to do or to type next.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hints.push(hint.to_string());
        self
    }

    /// Adds a hint before all others: the most likely cause.
    #[must_use]
    pub(crate) fn first_hint(mut self, hint: impl fmt::Display) -> Self {
        self.hints.insert(0, hint.to_string());
        self
    }

    /// Adds the place before the line.
    #[must_use]
    pub(crate) fn at(mut self, place: &str) -> Self {
        let rest = self.line.strip_prefix("error: ").unwrap_or(&self.line);
        self.line = format!("error: {place}: {rest}");
        self
    }

    /// Adds what was done nevertheless, after the line; nothing if it is empty.
    #[must_use]
    pub(crate) fn although(mut self, done: &str) -> Self {
        if !done.is_empty() {
            self.line = format!("{}; {done}", self.line);
        }
        self
    }

    /// Adds the larger part, which is done. The exit code becomes that of work that is partly done, unless the
    /// user ended the program.
    #[must_use]
    pub(crate) fn after(mut self, done: &str) -> Self {
        if matches!(self.kind, Kind::Failed | Kind::Usage) {
            self.kind = Kind::Partly;
        }
        self.although(done)
    }

    /// Returns the line without `error: `, for a prompt that asks again.
    pub(crate) fn for_a_prompt(&self) -> String {
        let text = self.to_string();
        text.strip_prefix("error: ").unwrap_or(&text).to_owned()
    }

    /// Returns the line without hints.
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

/// Prints the line, then each hint on a line of its own.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)?;
        self.hints.iter().try_for_each(|hint| write!(f, "\nhint: {hint}"))
    }
}
