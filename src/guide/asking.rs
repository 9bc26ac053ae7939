//! Asks the questions of one line, each once: an answer that was given before a step back is given again.

use std::collections::BTreeMap;
use std::rc::Rc;

use clap::Arg;

use super::answers::Answers;
use super::draft::Draft;
use super::made::Made;
use crate::cli;
use crate::cluster::Cluster;
use crate::complete::{self, Choice, LookupError};
use crate::error::{Error, Result};
use crate::secret;
use crate::session::{self, Connected};
use crate::ui::{Legal, Row, Ui, Word};

pub(super) struct Guide<'a> {
    pub(super) draft: Draft,
    pub(super) ui: &'a Ui,
    /// Connected when first needed.
    pub(super) connected: &'a Connected,
    /// The choices that were read, by the line that they are for: several questions may need the same names.
    pub(super) known: BTreeMap<Vec<String>, Vec<Choice>>,
    pub(super) answers: Answers,
    /// What the answers so far lead to beside the line.
    pub(super) outcome: Outcome,
}

/// What answers lead to beside the line itself.
#[derive(Default)]
pub(super) struct Outcome {
    /// The secret that the line makes, if it is offered to a workload afterwards.
    pub(super) made: Option<Made>,
}

/// A question to which the cluster knows the answers.
pub(super) struct Question<'a> {
    pub(super) text: &'a str,
    /// The note for an empty list.
    pub(super) none: &'a str,
    /// The line up to the word that is asked for, and that word, empty or begun.
    pub(super) line: Vec<String>,
    /// Checks an answer that is typed.
    pub(super) check: fn(&str) -> Result<()>,
}

impl<'a> Guide<'a> {
    pub(super) fn new(words: Vec<String>, connected: &'a Connected, ui: &'a Ui) -> Self {
        Self {
            draft: Draft::new(words),
            ui,
            connected,
            known: BTreeMap::new(),
            answers: Answers::default(),
            outcome: Outcome::default(),
        }
    }

    /// Begins again with these words, without the last answer. Returns false if there was none.
    pub(super) fn step_back(&mut self, words: Vec<String>) -> bool {
        (self.draft, self.outcome) = (Draft::new(words), Outcome::default());
        self.answers.step_back()
    }

    pub(super) async fn ask_for_what_is_missing(&mut self) -> Result<()> {
        if self.command().is_empty() {
            return self.ask_what_there_is().await;
        }
        self.ask_for_rest().await
    }

    /// Asks for what the command lacks.
    pub(super) async fn ask_for_rest(&mut self) -> Result<()> {
        match self.command().as_str() {
            "create" => self.ask_for_create().await,
            "set" => self.ask_for_set().await,
            "unset" => self.ask_for_unset().await,
            "copy" => self.ask_for_copy().await,
            "delete" if self.has(&["unused"]) => Ok(()),
            "rename" => self.ask_for_rename().await,
            "edit" | "view" | "delete" | "sync" => self.ask_for_secret().await,
            "label" => self.ask_for_label().await,
            "attach" => self.ask_for_attach().await,
            "detach" => self.ask_for_detach().await,
            "submit" => self.ask_for_submit().await,
            "completion" if self.count() == 0 => {
                let what = self.pick_next("What do you want to set up?").await?;
                self.draft.push(what);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Returns the command's name; empty if there is none yet.
    pub(super) fn command(&self) -> String {
        self.draft.line().path.first().map(|name| (*name).to_owned()).unwrap_or_default()
    }

    /// Counts the words that are neither commands nor flags.
    pub(super) fn count(&self) -> usize {
        self.draft.line().positionals.len()
    }

    pub(super) fn has(&self, flags: &[&str]) -> bool {
        let line = self.draft.line();
        flags.iter().any(|flag| line.has(flag))
    }

    /// Reports whether the line has a flag of which this is true.
    pub(super) fn gives(&self, is_so: impl Fn(&Arg) -> bool) -> bool {
        self.draft.line().flags.iter().any(|(flag, _)| is_so(flag))
    }

    /// Returns the cluster that the line describes.
    pub(super) async fn cluster(&self) -> Result<Rc<Cluster>> {
        session::connect(self.connected, &complete::connection(&self.draft.line()), self.ui).await
    }

    /// Prints a note, unless it was printed when the same questions were asked before.
    pub(super) fn note(&self, note: &str) {
        if !self.answers.are_given_again() {
            self.ui.note(note);
        }
    }

    /// Asks for one of the words that may come next.
    pub(super) async fn pick_next(&mut self, question: &str) -> Result<String> {
        let line = self.draft.followed_by(&[""]);
        self.pick(question, complete::fixed_choices(self.draft.program(), &line)).await
    }

    pub(super) async fn pick(&mut self, question: &str, choices: Vec<Choice>) -> Result<String> {
        if let Some(mut answer) = self.answers.again() {
            return Ok(answer.pop().unwrap_or_default());
        }
        let picked = self.ui.pick(question, choices.iter().map(row)).await?;
        let value = choices[picked].value.clone();
        self.answers.add(vec![value.clone()]);
        Ok(value)
    }

    /// Asks for one or more of the choices.
    pub(super) async fn pick_several(&mut self, question: &str, choices: &[Choice]) -> Result<Vec<String>> {
        if let Some(answer) = self.answers.again() {
            return Ok(answer);
        }
        let picked = self.ui.pick_several(question, choices.iter().map(row)).await?;
        let values: Vec<String> = picked.into_iter().map(|at| choices[at].value.clone()).collect();
        self.answers.add(values.clone());
        Ok(values)
    }

    /// Asks for one of a few ways and returns its index.
    pub(super) async fn pick_way(&mut self, question: &str, ways: &[(&str, &str)]) -> Result<usize> {
        let choice = |(name, about): &(&str, &str)| Choice::new(*name, *about);
        let picked = self.pick(question, ways.iter().map(choice).collect()).await?;
        Ok(ways.iter().position(|(name, _)| *name == picked).unwrap_or_default())
    }

    /// Asks at once for a hidden value that the command will ask for by the same question.
    pub(super) async fn ask_hidden(&mut self, question: &str) -> Result<()> {
        if self.answers.again().is_some() {
            return Ok(());
        }
        self.ui.ask_hidden_ahead(question).await?;
        self.answers.add(Vec::new());
        Ok(())
    }

    /// Returns what the cluster offers for the last word of `line`.
    pub(super) async fn choices(&mut self, line: &[String]) -> Result<Vec<Choice>, LookupError> {
        if let Some(known) = self.known.get(line) {
            return Ok(known.clone());
        }
        let found = complete::choices(self.draft.program(), line, &*self.cluster().await?).await?;
        self.known.insert(line.to_vec(), found.clone());
        Ok(found)
    }

    /// Asks for a name from a list; if the list is empty or forbidden, for a typed one.
    pub(super) async fn pick_or_type(&mut self, question: Question<'_>) -> Result<String> {
        match self.offered(&question).await? {
            Some(choices) => self.pick(question.text, choices).await,
            None => self.type_word(question.text, "", question.check, Some(question.line)).await,
        }
    }

    /// Asks for one or more names from a list; if the list is empty or forbidden, for a typed one.
    pub(super) async fn pick_several_or_type(&mut self, question: Question<'_>) -> Result<Vec<String>> {
        if let Some(choices) = self.offered(&question).await? {
            return self.pick_several(question.text, &choices).await;
        }
        let word = self.type_word(question.text, "", question.check, Some(question.line)).await?;
        Ok(vec![word])
    }

    /// Returns the choices for a question; none, with a note, if the list is empty or forbidden.
    pub(super) async fn offered(&mut self, question: &Question<'_>) -> Result<Option<Vec<Choice>>> {
        match self.choices(&question.line).await {
            Ok(choices) if choices.is_empty() => self.note(question.none),
            Ok(choices) => return Ok(Some(choices)),
            // Users who may not list names may still know the name.
            Err(error) if error.is_forbidden() => {
                self.note(&format!("{}: you may not list these, so type the name", question.text));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(None)
    }

    /// Asks for a word. Tab completes it as the last word of `line`.
    pub(super) async fn type_word(
        &mut self,
        question: &str,
        proposal: &str,
        check: impl Fn(&str) -> Result<()> + Send + 'static,
        line: Option<Vec<String>>,
    ) -> Result<String> {
        let complete = move |typed: &str| match &line {
            Some(line) => completed(line, typed),
            None => Vec::new(),
        };
        let (check, complete) = (Box::new(check), Box::new(complete));
        self.ask(question, Word { legal: None, proposal: proposal.to_owned(), check, complete }).await
    }

    /// Asks for the name of something new. A legal one near what was typed is proposed.
    pub(super) async fn type_name(
        &mut self,
        question: &str,
        proposal: &str,
        legal: &'static Legal,
        check: impl Fn(&str) -> Result<()> + Send + 'static,
    ) -> Result<String> {
        let (check, complete) = (Box::new(check), Box::new(|_: &str| Vec::new()));
        self.ask(question, Word { legal: Some(legal), proposal: proposal.to_owned(), check, complete }).await
    }

    async fn ask(&mut self, question: &str, word: Word) -> Result<String> {
        if let Some(mut answer) = self.answers.again() {
            return Ok(answer.pop().unwrap_or_default());
        }
        let word = self.ui.ask_word(question, word).await?;
        self.answers.add(vec![word.clone()]);
        Ok(word)
    }
}

pub(super) const NAME: Legal =
    Legal { near: secret::legal_name_near, rule: "a name has lower-case letters, digits, - and ." };
pub(super) const KEY: Legal =
    Legal { near: secret::legal_key_near, rule: "the name of a key has letters, digits, -, _ and ." };
pub(super) const VARIABLE: Legal =
    Legal { near: secret::legal_variable_near, rule: "the name of a variable has letters, digits and _" };

/// Returns a choice as a row of a list.
fn row(Choice { value, about, more, words }: &Choice) -> Row {
    Row { name: value.clone(), about: about.clone(), more: more.clone(), words: words.join(" ") }
}

/// Returns the completions of a word that is typed as the end of a line.
fn completed(line: &[String], typed: &str) -> Vec<String> {
    let mut words = line.to_vec();
    let begun = words.pop().unwrap_or_default();
    words.push(format!("{begun}{typed}"));
    let names = complete::tab(&cli::program(), &words);
    names.into_iter().filter_map(|name| name.strip_prefix(&begun).map(ToOwned::to_owned)).collect()
}

pub(super) fn something(word: &str) -> Result<()> {
    if word.is_empty() { Err(Error::usage("type something, or Esc to stop")) } else { Ok(()) }
}
