//! Is the only place that touches the terminal.
//!
//! Standard output is data, standard error is talk. Text that comes from the cluster or from a file's name
//! loses its control characters on the way, so that no object's name can move the cursor or change the
//! window's title.

pub(crate) mod interrupt;
#[cfg(windows)]
mod keyboard;
mod line;
mod objects;
mod progress;
mod prompt;
mod redaction;
mod table;
mod terminal;
mod wrap;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::io;
use std::io::IsTerminal;
use std::rc::Rc;

use console::Style;

use self::line::{line, say};
pub(crate) use self::line::{write_data, write_error};
use self::prompt::PromptStyle;
use crate::error::{Error, Result};
use crate::flags::{Color, OutputFlags};
use crate::printable::printable;
use crate::secret::{self, SecretValue};
use crate::ui::redaction::Redaction;

pub(crate) use prompt::{Legal, Proposal, Row, Word};
pub(crate) use redaction::{Topic, Values};
pub(crate) use table::Table;
pub(crate) use terminal::SavedTerminal;

/// The user's terminal: what may be printed and asked. Clones are cheap and share their state.
#[derive(Clone)]
pub(crate) struct Ui(Rc<Settings>);

struct Settings {
    chatter: Verbosity,
    asking: Asking,
    presence: Presence,
    manner: PromptStyle,
    review: Cell<Review>,
    /// The flags that stand for the user's choices during the command.
    chosen: RefCell<Vec<String>>,
    verbosity: u8,
    next: RefCell<Option<String>>,
    /// Hidden values that were asked for before the command began, by their questions.
    ahead: RefCell<Vec<(String, SecretValue)>>,
    /// Warnings already shown: a server repeats them with every request.
    warned: RefCell<BTreeSet<String>>,
    redaction: Redaction,
    /// The output, if a test reads it instead of a terminal.
    #[cfg(test)]
    heard: Option<RefCell<Heard>>,
}

/// The text of standard output, and of standard error.
#[cfg(test)]
#[derive(Default, Clone)]
pub(crate) struct Heard {
    pub(crate) data: Vec<u8>,
    pub(crate) talk: String,
}

#[derive(PartialEq, Eq)]
enum Verbosity {
    Normal,
    Quiet,
    /// Not even errors.
    Silent,
}

/// How a question is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asking {
    /// Ask the user.
    Ask,
    /// `--yes`: go on without asking.
    Agree,
    /// No terminal, or `--no-input`: refuse and name the flag.
    Refuse,
}

/// Tells whether the user can be asked for what `--yes` does not answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    There,
    Away,
}

/// Tells whether to show a write and ask for confirmation although it needs none.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Review {
    /// The whole command was typed.
    None,
    /// The command was put together from answers.
    Wanted,
}

impl Ui {
    pub(crate) fn new(talk: &OutputFlags) -> Self {
        if talk.color() != Color::Auto {
            console::set_colors_enabled(talk.color() == Color::Always);
            console::set_colors_enabled_stderr(talk.color() == Color::Always);
        }
        // A prompt needs both: it is drawn on stderr and answered on stdin. If stderr goes to a file, the
        // program would wait for a key that nobody knows to press.
        let somebody_there = io::stdin().is_terminal() && io::stderr().is_terminal();
        let asking = match (talk.yes, talk.no_input || !somebody_there) {
            (true, _) => Asking::Agree,
            (false, true) => Asking::Refuse,
            (false, false) => Asking::Ask,
        };
        let presence = if talk.no_input || !somebody_there { Presence::Away } else { Presence::There };
        let chatter = if talk.quiet { Verbosity::Quiet } else { Verbosity::Normal };
        let manner = if terminal::is_simple() || talk.color() == Color::Never {
            PromptStyle::Sequential
        } else {
            PromptStyle::Drawn
        };
        Self(Rc::new(Settings {
            chatter,
            asking,
            presence,
            manner,
            review: Cell::new(Review::None),
            chosen: RefCell::default(),
            verbosity: talk.verbosity,
            next: RefCell::default(),
            ahead: RefCell::default(),
            warned: RefCell::default(),
            redaction: Redaction::default(),
            #[cfg(test)]
            heard: None,
        }))
    }

    /// Returns one that prints and asks nothing, for completion: the line under the cursor belongs to the
    /// shell.
    pub(crate) fn silent() -> Self {
        Self(Rc::new(Settings {
            chatter: Verbosity::Silent,
            asking: Asking::Refuse,
            presence: Presence::Away,
            manner: PromptStyle::Sequential,
            review: Cell::new(Review::None),
            chosen: RefCell::default(),
            verbosity: 0,
            next: RefCell::default(),
            ahead: RefCell::default(),
            warned: RefCell::default(),
            redaction: Redaction::default(),
            #[cfg(test)]
            heard: None,
        }))
    }

    /// Returns one for a test: it confirms everything, asks nothing, and keeps the output.
    #[cfg(test)]
    pub(crate) fn heard_by_a_test() -> Self {
        let silent = Rc::into_inner(Self::silent().0).expect("it is the only one");
        Self(Rc::new(Settings {
            chatter: Verbosity::Normal,
            asking: Asking::Agree,
            heard: Some(RefCell::default()),
            ..silent
        }))
    }

    #[cfg(test)]
    pub(crate) fn heard(&self) -> Heard {
        self.0.heard.as_ref().map(RefCell::take).unwrap_or_default()
    }

    /// Hides every text of others that repeats a piece of this value, from now on.
    pub(crate) fn never_quote(&self, value: &[u8]) {
        // Without output nothing is quoted.
        if self.0.chatter != Verbosity::Silent {
            self.0.redaction.learn(value);
        }
    }

    /// Hides texts that repeat a piece of a secret's values; `json` is an answer or a request.
    pub(crate) fn never_quote_secret(&self, json: &[u8]) {
        if self.0.chatter != Verbosity::Silent {
            self.0.redaction.learn_secret(json);
        }
    }

    /// Hides texts that repeat a piece of the values on a page of a list.
    pub(crate) fn never_quote_list(&self, json: &[u8]) {
        if self.0.chatter != Verbosity::Silent {
            self.0.redaction.learn_list(json);
        }
    }

    /// Returns a text of the server or of others as it may be shown: replaced if it repeats a value, or may
    /// do so.
    pub(crate) fn quotable(&self, text: &str, topic: &Topic) -> String {
        self.0.redaction.quotable(text, topic)
    }

    /// Reports whether a text of others repeats a piece of a value.
    pub(crate) fn repeats_a_value(&self, text: &str) -> bool {
        self.0.redaction.repeats(text, &Topic::default())
    }

    fn say(&self, style: &Style, label: &str, message: &str) {
        if self.0.chatter != Verbosity::Silent {
            self.write(style, label, message);
        }
    }

    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "a test's terminal is its own"))]
    fn write(&self, style: &Style, label: &str, message: &str) {
        #[cfg(test)]
        if let Some(heard) = &self.0.heard {
            return heard.borrow_mut().talk.push_str(&line(style, label, message));
        }
        say(style, label, message);
    }

    /// Writes a part of an error. It may quote a server, so lines after the first are indented: they can't be
    /// mistaken for a hint of this program.
    fn show_part(&self, style: &Style, label: &str, text: &str) {
        let mut lines = text.lines();
        self.write(style, label, lines.next().unwrap_or_default());
        lines.for_each(|line| self.write(style, "", &format!("  {line}")));
    }

    /// Prints a line that says what was done, such as `secret/x created`. It goes to standard output, as
    /// kubectl's lines do.
    pub(crate) fn done(&self, line: &str) -> Result<()> {
        if self.0.chatter == Verbosity::Normal {
            self.data(format!("{}\n", printable(line)).as_bytes())
        } else {
            Ok(())
        }
    }

    /// Writes data for `-o`, byte for byte, as [`write_data`] does.
    ///
    /// # Errors
    /// Standard output can't be written to, except for a reader that has gone away.
    #[cfg_attr(
        not(test),
        expect(
            clippy::unused_self,
            reason = "whoever may write has a Ui, whether or not a setting has a say in it"
        )
    )]
    pub(crate) fn data(&self, bytes: &[u8]) -> Result<()> {
        #[cfg(test)]
        if let Some(heard) = &self.0.heard {
            heard.borrow_mut().data.extend_from_slice(bytes);
            return Ok(());
        }
        write_data(bytes)
    }

    /// Reports whether standard input is not a terminal.
    #[expect(clippy::unused_self, reason = "as for `data`")]
    pub(crate) fn has_input(&self) -> bool {
        !io::stdin().is_terminal()
    }

    /// Reports whether notes are hidden, so that what only they tell need not be looked up.
    pub(crate) fn is_quiet(&self) -> bool {
        self.0.chatter == Verbosity::Quiet
    }

    /// Returns the reason why nobody is asked.
    #[expect(clippy::unused_self, reason = "as for `data`")]
    pub(crate) fn why_nobody_is_asked(&self) -> &'static str {
        match (io::stdin().is_terminal(), io::stderr().is_terminal()) {
            (true, true) => "--no-input forbids prompts",
            (false, _) => "standard input is not a terminal",
            (true, false) => "standard error, where prompts appear, is not a terminal",
        }
    }

    /// Reports whether standard output is a terminal.
    #[expect(clippy::unused_self, reason = "as for `data`")]
    pub(crate) fn data_is_seen(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Prints a note: something worth knowing that needs no action.
    pub(crate) fn note(&self, note: &str) {
        if self.0.chatter == Verbosity::Normal {
            self.say(&Style::new().dim(), "note:", note);
        }
    }

    /// Prints a note that only `-v` asks for.
    pub(crate) fn detail(&self, note: &str) {
        if self.0.verbosity > 0 {
            self.note(note);
        }
    }

    /// Prints a warning: something that may surprise later. Each one is shown once.
    pub(crate) fn warning(&self, warning: &str) {
        if self.0.warned.borrow_mut().insert(warning.to_owned()) {
            self.say(&Style::new().yellow(), "Warning:", warning);
        }
    }

    /// Prints one effect of the step about to be confirmed. Hidden by `--quiet` if `--yes` has answered.
    pub(crate) fn effect(&self, effect: &str) {
        if self.0.chatter == Verbosity::Normal || self.0.asking != Asking::Agree {
            self.effect_always(effect);
        }
    }

    /// Prints one effect of the step about to be confirmed, even with `--quiet`.
    pub(crate) fn effect_always(&self, line: &str) {
        self.say(&Style::new(), "  *", line);
    }

    /// Prints one request, for `-v`. Never includes a body.
    pub(crate) fn trace(&self, line: &str) {
        if self.0.verbosity > 0 {
            self.say(&Style::new().dim(), "request:", line);
        }
    }

    pub(crate) fn error(&self, error: &Error) {
        if self.0.chatter == Verbosity::Silent {
            return;
        }
        let line = error.line();
        // kubectl's words for what a server said have no `error: `.
        let end = ["error: ", "Error from server"].iter().find(|start| line.starts_with(**start));
        let end = end.and_then(|_| line.find(": ")).map_or(0, |at| at + 1);
        let (label, rest) = (&line[..end], line[end..].trim_start());
        self.show_part(&Style::new().red().bold(), label, rest);
        for hint in error.hints() {
            self.show_part(&Style::new().cyan(), "hint:", hint);
        }
    }

    /// Asks for confirmation. `--yes` gives it.
    ///
    /// # Errors
    /// The answer is no; nobody can be asked (a usage error that names `--yes`); Ctrl-C.
    pub(crate) async fn confirm(&self, question: &str) -> Result<()> {
        self.check_confirmable(question)?;
        if self.0.asking != Asking::Ask {
            return Ok(());
        }
        self.ask_yes_or_no(question, Proposal::No).await.map_err(Error::for_good)
    }

    /// Refuses a command that will need a confirmation which nobody can give, before its first step.
    ///
    /// # Errors
    /// Nobody can be asked, and `--yes` was not given.
    pub(crate) fn check_confirmable(&self, question: &str) -> Result<()> {
        if self.0.asking != Asking::Refuse {
            return Ok(());
        }
        let why = self.why_nobody_is_asked();
        Err(Error::usage(format!("confirmation is required, but {why}: {question}"))
            .hint("add --yes to confirm; nothing was changed"))
    }

    /// Has every write shown and confirmed from now on: the command is guided.
    pub(crate) fn review_writes(&self) {
        self.0.review.set(Review::Wanted);
    }

    /// Remembers a choice that a flag could have made.
    pub(crate) fn note_chosen(&self, flag: String) {
        self.0.chosen.borrow_mut().push(flag);
    }

    pub(crate) fn chosen_flags(&self) -> Vec<String> {
        self.0.chosen.borrow().clone()
    }

    /// Shows what is about to be written and asks for confirmation, if the command is guided. Nothing may have been
    /// written before: Esc leads back to the question before.
    ///
    /// # Errors
    /// The answer is no; Esc, Ctrl-C.
    pub(crate) async fn confirm_if_guided(
        &self,
        question: &str,
        effects: &[String],
        proposal: Proposal,
    ) -> Result<()> {
        if self.0.review.get() == Review::None || self.0.asking != Asking::Ask {
            return Ok(());
        }
        for effect in effects {
            self.effect(effect);
        }
        self.ask_yes_or_no(question, proposal).await
    }

    async fn ask_yes_or_no(&self, question: &str, proposal: Proposal) -> Result<()> {
        if prompt::confirm(printable(question).into_owned(), proposal, self.0.manner).await? {
            // One confirmation is enough.
            self.0.review.set(Review::None);
            Ok(())
        } else {
            Err(Error::failed("cancelled: you answered no"))
        }
    }

    /// Reports whether the user can be asked more than yes or no.
    pub(crate) fn somebody_is_there(&self) -> bool {
        self.0.presence == Presence::There
    }

    /// Reports whether the user can choose between ways to go on, which `--yes` does not.
    pub(crate) fn may_choose(&self) -> bool {
        self.0.asking == Asking::Ask
    }

    /// Asks the user to decide. Must not be called if nobody can be asked.
    ///
    /// # Errors
    /// Esc, Ctrl-C.
    pub(crate) async fn decide(&self, question: &str, proposal: Proposal) -> Result<bool> {
        let question = printable(question).into_owned();
        prompt::confirm(question, proposal, self.0.manner).await.map_err(Error::for_good)
    }

    /// Keeps the command that usually comes next, until all is done.
    pub(crate) fn propose(&self, next: String) {
        self.0.next.replace(Some(next));
    }

    /// Tells the command that usually comes next to somebody at a terminal.
    pub(crate) fn tell_next(&self) {
        let next = self.0.next.take().filter(|_| self.data_is_seen() && io::stderr().is_terminal());
        if let Some(next) = next.filter(|_| self.0.chatter == Verbosity::Normal) {
            self.say(&Style::new().dim(), "next:", &next);
        }
    }

    /// Asks the user for one of several ways to go on, each with a description; none if nobody can be asked.
    ///
    /// # Errors
    /// Esc, Ctrl-C.
    pub(crate) async fn choose(&self, question: &str, ways: &[(&str, &str)]) -> Result<Option<usize>> {
        if !self.may_choose() {
            return Ok(None);
        }
        self.pick(question, ways.iter().copied()).await.map(Some).map_err(Error::for_good)
    }

    /// Asks the user for one of several rows. Returns its index. Must not be
    /// called if nobody can be asked.
    ///
    /// # Errors
    /// Esc, Ctrl-C.
    pub(crate) async fn pick(
        &self,
        question: &str,
        rows: impl IntoIterator<Item = impl Into<Row>>,
    ) -> Result<usize> {
        prompt::pick(printable(question).into_owned(), shown(rows), self.0.manner).await
    }

    /// Asks the user for one or more of several choices. Returns their indices. Must not be called if nobody can be
    /// asked.
    ///
    /// # Errors
    /// Esc, Ctrl-C.
    pub(crate) async fn pick_several(
        &self,
        question: &str,
        rows: impl IntoIterator<Item = impl Into<Row>>,
    ) -> Result<Vec<usize>> {
        prompt::pick_several(printable(question).into_owned(), shown(rows), self.0.manner).await
    }

    /// Asks for a hidden value, unless it was asked for ahead; none if nobody can be asked.
    ///
    /// # Errors
    /// Esc, Ctrl-C, a value of several lines.
    pub(crate) async fn ask_hidden(&self, question: &str) -> Result<Option<SecretValue>> {
        if self.0.presence == Presence::Away {
            return Ok(None);
        }
        let ahead = self.0.ahead.borrow_mut().extract_if(.., |(asked, _)| asked == question).next();
        match ahead {
            Some((_, value)) => Ok(Some(value)),
            None => self.read_hidden(question).await.map(Some).map_err(Error::for_good),
        }
    }

    /// Asks for a hidden value that a command will ask for by the same question, and keeps it until then. Must not be
    /// called if nobody can be asked.
    ///
    /// # Errors
    /// Esc, Ctrl-C, a value of several lines.
    pub(crate) async fn ask_hidden_ahead(&self, question: &str) -> Result<()> {
        let value = self.read_hidden(question).await?;
        let mut ahead = self.0.ahead.borrow_mut();
        ahead.retain(|(asked, _)| asked != question);
        ahead.push((question.to_owned(), value));
        Ok(())
    }

    /// Describes a value that was asked for ahead.
    pub(crate) fn describe_ahead(&self, question: &str) -> Option<String> {
        let ahead = self.0.ahead.borrow();
        ahead.iter().find(|(asked, _)| asked == question).map(|(_, value)| secret::size(value))
    }

    async fn read_hidden(&self, question: &str) -> Result<SecretValue> {
        prompt::hidden(printable(question).into_owned(), self.0.manner).await
    }

    /// Asks for a word; none if nobody can be asked.
    ///
    /// # Errors
    /// Esc, Ctrl-C.
    pub(crate) async fn ask(&self, question: &str, proposal: &str) -> Result<Option<String>> {
        if self.0.asking != Asking::Ask {
            return Ok(None);
        }
        let word = Word {
            legal: None,
            proposal: proposal.to_owned(),
            check: Box::new(|_| Ok(())),
            complete: Box::new(|_| Vec::new()),
        };
        self.ask_word(question, word).await.map(Some).map_err(Error::for_good)
    }

    /// Asks for a word until it is right. Must not be called if nobody can be asked.
    ///
    /// # Errors
    /// Esc, Ctrl-C.
    pub(crate) async fn ask_word(&self, question: &str, word: Word) -> Result<String> {
        prompt::word(printable(question).into_owned(), word, self.0.manner).await
    }
}

/// Returns rows as they may be shown.
fn shown(rows: impl IntoIterator<Item = impl Into<Row>>) -> Vec<Row> {
    let text = |text: String| printable(&text).into_owned();
    let row = |Row { name, about, more, words }: Row| Row {
        name: text(name),
        about: text(about),
        more: text(more),
        words,
    };
    rows.into_iter().map(Into::into).map(row).collect()
}

/// Replaces the text of a panic, which may contain anything, by its location.
pub(crate) fn hide_panics() {
    std::panic::set_hook(Box::new(|panic| {
        terminal::restore();
        let place = panic.location().map(|place| format!(" at {}:{}", place.file(), place.line()));
        say(
            &Style::new().red().bold(),
            "error:",
            &format!("a bug in this program{}", place.unwrap_or_default()),
        );
        say(
            &Style::new().cyan(),
            "hint:",
            "please report it with the command, without any value of a secret",
        );
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_a_server_does_not_begin_a_line_as_a_hint_does() {
        let ui = Ui::heard_by_a_test();
        ui.error(&Error::failed("it says: a\nhint: b\u{1b}[2J").hint("c\nerror: d"));
        let heard = console::strip_ansi_codes(&ui.heard().talk).into_owned();
        assert_eq!(heard, "error: it says: a\n  hint: b\\u{1b}[2J\nhint: c\n  error: d\n");
    }
}
