//! Asks for what a command line lacks, in the order in which a person would say it.
//!
//! The answers become words of the command line, which is then parsed and run as if it had been typed. So a
//! guided command can do nothing that a typed one can't, and the same line can be shown for next time. The
//! choices are those that Tab offers at that place of the line.

mod attach;
mod create;
mod draft;
mod places;
mod submit;
mod values;

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::Arg;
use tokio::sync::OnceCell;

use self::draft::Draft;
use crate::cli::parsing::{self, NoCommand};
use crate::cli::{self, Cli};
use crate::cluster::Cluster;
use crate::commands::Command;
use crate::complete::{self, Choice, LookupError};
use crate::error::{Error, Kind, Result};
use crate::ui::{Ui, Word};

/// A whole command.
pub(crate) struct GuidedCommand {
    pub(crate) cli: Cli,
    /// The connection that the choices were read with. The command uses it again: a second one would run a
    /// credential plugin twice, which may ask twice.
    pub(crate) cluster: Option<Cluster>,
    /// The command for next time, if questions were asked.
    pub(crate) next_time: Option<String>,
}

/// Completes the command that was `typed` (the program's name included), which came to `parsed` by itself.
///
/// If nothing is missing, or nobody can be asked, returns the command as it was typed. Then a missing
/// argument is an error.
///
/// # Errors
/// Esc or Ctrl-C; the choices can't be read.
pub(crate) async fn lead(
    typed: &[OsString],
    parsed: Result<Cli, NoCommand>,
    ui: &Ui,
) -> Result<GuidedCommand> {
    let words: Option<Vec<String>> =
        typed.iter().skip(1).map(|word| word.to_str().map(ToOwned::to_owned)).collect();
    let mut guide = match words {
        Some(words) if ui.somebody_is_there() && may_lack_something(&parsed) => Guide::new(words, ui),
        _ => return GuidedCommand::as_typed(parsed),
    };
    if !guide.draft.hides_words() {
        guide.ask_for_what_is_missing().await?;
    }
    if !guide.has_asked {
        return GuidedCommand::as_typed(parsed);
    }
    ui.review_writes();
    let program = typed.first().cloned();
    let words: Vec<OsString> =
        program.into_iter().chain(guide.draft.whole().into_iter().map(OsString::from)).collect();
    let cli = parsing::parse(&words).map_err(NoCommand::refusal)?;
    // The parser has the last word on what the flags mean.
    let is_same = complete::connection(&guide.draft.line()) == cli.globals.connection;
    let cluster = guide.cluster.into_inner().filter(|_| is_same);
    Ok(GuidedCommand { cli, cluster, next_time: Some(guide.draft.shown()) })
}

impl GuidedCommand {
    /// Returns the command as typed, without a question.
    fn as_typed(parsed: Result<Cli, NoCommand>) -> Result<Self> {
        Ok(Self { cli: parsed.map_err(NoCommand::refusal)?, cluster: None, next_time: None })
    }
}

/// Tells the command for next time, with what was chosen while it ran. After a failure it tells the command
/// that failed: all answers would be lost otherwise.
pub(crate) fn tell_of_next_time(next_time: Option<String>, outcome: &Result<()>, ui: &Ui) {
    let kind = outcome.as_ref().err().map(Error::kind);
    let chosen = ui.chosen_flags().join(" ");
    match (next_time, kind) {
        (_, Some(Kind::Interrupted)) => {}
        (Some(command), Some(Kind::Failed | Kind::Usage)) => {
            ui.note(format!("the command was: {command} {chosen}").trim_end());
        }
        (Some(command), _) => ui.note(format!("next time you can type: {command} {chosen}").trim_end()),
        (None, None | Some(Kind::Partly)) if !chosen.is_empty() => {
            ui.note(&format!("next time add {chosen}"));
        }
        (None, _) => {}
    }
}

/// Reports whether the guide may have to ask. The parser knows what most commands require; these three
/// require one of several flags.
fn may_lack_something(parsed: &Result<Cli, NoCommand>) -> bool {
    match parsed {
        Ok(cli) => matches!(cli.command, Command::Create(_) | Command::Set(_) | Command::Attach(_)),
        Err(NoCommand::Incomplete(_)) => true,
        Err(NoCommand::Wrong(_)) => false,
    }
}

struct Guide<'a> {
    draft: Draft,
    ui: &'a Ui,
    /// Connected when first needed.
    cluster: OnceCell<Cluster>,
    /// The choices that were read, by the line that they are for: several questions may need the same names.
    known: BTreeMap<Vec<String>, Vec<Choice>>,
    has_asked: bool,
}

/// A question to which the cluster knows the answers.
struct Question<'a> {
    text: &'a str,
    /// The note for an empty list.
    none: &'a str,
    /// The line up to the word that is asked for, and that word, empty or begun.
    line: Vec<String>,
    /// Checks an answer that is typed.
    check: fn(&str) -> Result<()>,
}

impl<'a> Guide<'a> {
    fn new(words: Vec<String>, ui: &'a Ui) -> Self {
        Self {
            draft: Draft::new(words),
            ui,
            cluster: OnceCell::new(),
            known: BTreeMap::new(),
            has_asked: false,
        }
    }

    async fn ask_for_what_is_missing(&mut self) -> Result<()> {
        if self.command().is_empty() {
            let command = self.pick_next("What do you want to do?").await?;
            if matches!(command.as_str(), "list" | "usage" | "check") {
                self.ask_for_project().await?;
            }
            self.draft.push_command(command);
        }
        match self.command().as_str() {
            "create" => self.ask_for_create().await,
            "set" => self.ask_for_set().await,
            "unset" => self.ask_for_unset().await,
            "copy" => self.ask_for_copy().await,
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
    fn command(&self) -> String {
        self.draft.line().path.first().map(|name| (*name).to_owned()).unwrap_or_default()
    }

    /// Counts the words that are neither commands nor flags.
    fn count(&self) -> usize {
        self.draft.line().positionals.len()
    }

    fn has(&self, flags: &[&str]) -> bool {
        let line = self.draft.line();
        flags.iter().any(|flag| line.has(flag))
    }

    /// Reports whether the line has a flag of which this is true.
    fn gives(&self, is_so: impl Fn(&Arg) -> bool) -> bool {
        self.draft.line().flags.iter().any(|(flag, _)| is_so(flag))
    }

    /// Returns the cluster that the line describes.
    async fn cluster(&self) -> Result<&Cluster> {
        let connect = async || {
            let connection = complete::connection(&self.draft.line());
            Cluster::connect(&connection, self.ui).await
        };
        self.cluster.get_or_try_init(connect).await
    }

    /// Asks for one of the words that may come next.
    async fn pick_next(&mut self, question: &str) -> Result<String> {
        let line = self.draft.followed_by(&[""]);
        self.pick(question, complete::fixed_choices(self.draft.program(), &line)).await
    }

    async fn pick(&mut self, question: &str, mut choices: Vec<Choice>) -> Result<String> {
        self.has_asked = true;
        let rows = choices.iter().map(|choice| (choice.value.as_str(), choice.about.as_str()));
        let picked = self.ui.pick(question, rows).await?;
        Ok(choices.swap_remove(picked).value)
    }

    /// Asks for one of a few ways and returns its index.
    async fn pick_way(&mut self, question: &str, ways: &[(&str, &str)]) -> Result<usize> {
        self.has_asked = true;
        self.ui.pick(question, ways.iter().copied()).await
    }

    /// Returns what the cluster offers for the last word of `line`.
    async fn choices(&mut self, line: &[String]) -> Result<Vec<Choice>, LookupError> {
        if let Some(known) = self.known.get(line) {
            return Ok(known.clone());
        }
        let found = complete::choices(self.draft.program(), line, self.cluster().await?).await?;
        self.known.insert(line.to_vec(), found.clone());
        Ok(found)
    }

    /// Asks for a name from a list; if the list is empty or forbidden, for a typed one.
    async fn pick_or_type(&mut self, question: Question<'_>) -> Result<String> {
        match self.choices(&question.line).await {
            Ok(choices) if choices.is_empty() => self.ui.note(question.none),
            Ok(choices) => return self.pick(question.text, choices).await,
            // Users who may not list names may still know the name.
            Err(error) if error.is_forbidden() => {
                self.ui.note(&format!("{}: you may not list these, so type the name", question.text));
            }
            Err(error) => return Err(error.into()),
        }
        self.type_word(question.text, "", question.check, Some(question.line)).await
    }

    /// Asks for a word. Tab completes it as the last word of `line`.
    async fn type_word(
        &mut self,
        question: &str,
        proposal: &str,
        check: impl Fn(&str) -> Result<()> + Send + 'static,
        line: Option<Vec<String>>,
    ) -> Result<String> {
        self.has_asked = true;
        let complete = move |typed: &str| match &line {
            Some(line) => completed(line, typed),
            None => Vec::new(),
        };
        let word =
            Word { proposal: proposal.to_owned(), check: Box::new(check), complete: Box::new(complete) };
        self.ui.ask_word(question, word).await
    }
}

/// Returns the completions of a word that is typed as the end of a line.
fn completed(line: &[String], typed: &str) -> Vec<String> {
    let mut words = line.to_vec();
    let begun = words.pop().unwrap_or_default();
    words.push(format!("{begun}{typed}"));
    let names = complete::tab(&cli::program(), &words);
    names.into_iter().filter_map(|name| name.strip_prefix(&begun).map(ToOwned::to_owned)).collect()
}

fn something(word: &str) -> Result<()> {
    if word.is_empty() { Err(Error::usage("type something, or Esc to stop")) } else { Ok(()) }
}
