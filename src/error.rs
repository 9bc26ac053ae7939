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
    line: Box<str>,
    hints: Vec<String>,
    /// Apart, since few errors have them, and every result has room for an error.
    remedies: Option<Box<Remedies>>,
}

#[derive(Debug, Clone, Default)]
struct Remedies(Vec<Remedy>);

/// A way to go on, for somebody who can be asked.
#[derive(Debug, Clone)]
pub(crate) struct Remedy {
    /// What it does, as a choice, and a description.
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) deed: Deed,
}

/// What a remedy runs.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    /// A command that makes what was lacking, by its words after the program's name, without the connection. Then the
    /// line is run again.
    First(Vec<String>),
    /// A command that takes the place of the line's, with the same names and flags.
    Instead(&'static str),
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
    /// What was compared is not the same. The report says so: it is no error that is told.
    Different,
    /// It could not be compared, where exit code 1 means a difference.
    Incomparable,
    /// Ctrl-C, or the end of input.
    Interrupted,
    /// Esc at a prompt, before anything was written: one step back, if there is one.
    SteppedBack,
    /// Another signal, of this number.
    Signal(i32),
}

impl Kind {
    /// Returns the process's exit code. docs/reference/exit-codes.md lists them.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Kind::Failed | Kind::Different => 1,
            Kind::Usage | Kind::Incomparable => 2,
            Kind::Partly => 3,
            Kind::Interrupted | Kind::SteppedBack => 130,
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

    /// Builds the end of a comparison that found a difference; exit code 1, and nothing is told of it.
    pub(crate) fn different() -> Self {
        Self::new(Kind::Different, String::new())
    }

    /// Makes a failure one of a comparison: its exit code is not that of a difference.
    #[must_use]
    pub(crate) fn of_a_comparison(mut self) -> Self {
        if self.kind == Kind::Failed {
            self.kind = Kind::Incomparable;
        }
        self
    }

    /// Builds a line in kubectl's own words, without `error: `, such as `Error from server (NotFound): …`.
    pub(crate) fn in_kubectls_words(line: impl fmt::Display) -> Self {
        Self::new(Kind::Failed, line.to_string())
    }

    /// Builds the error for a user who ended the program; exit code 130.
    pub(crate) fn interrupted() -> Self {
        Self::new(Kind::Interrupted, "error: interrupted".to_owned())
    }

    /// Builds the error for a user who steps back; where there is no step before, it ends the program.
    pub(crate) fn stepped_back() -> Self {
        Self::new(Kind::SteppedBack, Self::interrupted().line)
    }

    /// Takes the way back off: the question belongs to a step that can't be asked again.
    #[must_use]
    pub(crate) fn for_good(mut self) -> Self {
        if self.kind == Kind::SteppedBack {
            self.kind = Kind::Interrupted;
        }
        self
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

    /// Leaves out the hints that can't be followed where it is told.
    #[must_use]
    pub(crate) fn keep_hints(mut self, can_be_followed: impl Fn(&str) -> bool) -> Self {
        self.hints.retain(|hint| can_be_followed(hint));
        self
    }

    /// Says it in other words, its line and its hints.
    #[must_use]
    pub(crate) fn in_words(mut self, words: impl Fn(&str) -> String) -> Self {
        self.line = words(&self.line).into();
        self.hints = self.hints.iter().map(|hint| words(hint)).collect();
        self
    }

    /// Adds a command that would mend it.
    #[must_use]
    pub(crate) fn remedy(mut self, remedy: Remedy) -> Self {
        self.remedies.get_or_insert_default().0.push(remedy);
        self
    }

    pub(crate) fn remedies(&self) -> &[Remedy] {
        self.remedies.as_ref().map_or(&[], |remedies| &remedies.0)
    }

    /// Adds a hint before all others: the most likely cause.
    #[must_use]
    pub(crate) fn first_hint(mut self, hint: impl fmt::Display) -> Self {
        self.hints.insert(0, hint.to_string());
        self
    }

    /// Takes all hints away for one that makes them needless.
    #[must_use]
    pub(crate) fn only_hint(mut self, hint: impl fmt::Display) -> Self {
        self.hints.clear();
        self.hint(hint)
    }

    /// Adds the place before the line.
    #[must_use]
    pub(crate) fn at(mut self, place: &str) -> Self {
        let rest = self.line.strip_prefix("error: ").unwrap_or(&self.line);
        self.line = format!("error: {place}: {rest}").into();
        self
    }

    /// Adds what was done nevertheless, after the line; nothing if it is empty.
    #[must_use]
    pub(crate) fn although(mut self, done: &str) -> Self {
        if done.is_empty() {
            return self;
        }
        self.line = format!("{}; {done}", self.line).into();
        self.for_good()
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

    /// Returns the line without `error: ` and without hints.
    pub(crate) fn for_a_note(&self) -> &str {
        self.line.strip_prefix("error: ").unwrap_or(&self.line)
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

    fn new(kind: Kind, line: impl Into<Box<str>>) -> Self {
        Self { kind, line: line.into(), hints: Vec::new(), remedies: None }
    }
}

/// Prints the line, then each hint on a line of its own.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)?;
        self.hints.iter().try_for_each(|hint| write!(f, "\nhint: {hint}"))
    }
}
