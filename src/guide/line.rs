//! A line that is led: its questions, the command that they come to, and what may follow it.

use std::ffi::OsString;

use super::asking::Guide;
use super::draft::Draft;
use super::made::Made;
use crate::cli::Cli;
use crate::cli::parsing::{self, NoCommand};
use crate::error::{Deed, Error, Kind, Remedy, Result};
use crate::flags::BINARY;
use crate::session::Connected;
use crate::ui::Ui;
use crate::{commands, complete};

const STOP: &str = "stop here";

/// A line, as it was typed or put together.
pub(super) struct Line<'a> {
    words: Vec<String>,
    connected: &'a Connected,
    ui: &'a Ui,
    telling: Telling,
}

/// Tells whether the command for next time is said.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    Said,
    /// It is a part of another one, so only the one that failed is told.
    Failures,
}

/// What was done about a line that failed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mended {
    /// What it lacked is there now.
    First,
    /// Another command was run in its place.
    Instead,
}

/// What came of a line.
pub(super) struct Done {
    /// The line with all answers.
    pub(super) draft: Draft,
    /// The secret that it made, if it is to be offered to a workload.
    made: Option<Made>,
}

/// Runs a whole command.
async fn run(cli: &Cli, connected: &Connected, ui: &Ui) -> Result<()> {
    for note in &cli.notes {
        ui.note(note);
    }
    Box::pin(commands::run(&cli.command, &cli.globals, connected, ui)).await
}

impl<'a> Line<'a> {
    pub(super) fn typed(words: Vec<String>, connected: &'a Connected, ui: &'a Ui) -> Self {
        Self { words, connected, ui, telling: Telling::Said }
    }

    /// Has the change shown and confirmed, although nothing is asked.
    pub(super) fn reviewed(self) -> Self {
        self.ui.review_writes();
        self
    }

    pub(super) fn telling(self, telling: Telling) -> Self {
        Self { telling, ..self }
    }

    /// Asks for what the line lacks, and runs it; then offers the secret that it made to a workload. Esc takes the last
    /// answer back.
    ///
    /// # Errors
    /// Esc at the first question or Ctrl-C; the choices can't be read; the command failed.
    pub(super) async fn led(self) -> Result<()> {
        let (connected, ui) = (self.connected, self.ui);
        let Done { draft, made } = self.answered().await?;
        match made {
            Some(made) => made.offer(draft, connected, ui).await,
            None => Ok(()),
        }
    }

    /// Asks for what the line lacks, and runs it.
    ///
    /// # Errors
    /// As those of [`Self::led`].
    pub(super) async fn answered(self) -> Result<Done> {
        let mut guide = Guide::new(self.words.clone(), self.connected, self.ui);
        loop {
            match self.once(&mut guide).await {
                Err(error) if error.kind() == Kind::SteppedBack && guide.step_back(self.words.clone()) => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(Done { draft: guide.draft, made: guide.outcome.made }),
            }
        }
    }

    async fn once(&self, guide: &mut Guide<'_>) -> Result<()> {
        if !guide.draft.hides_words() {
            guide.ask_for_what_is_missing().await?;
        }
        if guide.answers.is_empty() {
            return self.as_typed(&parsed(&self.words)?).await;
        }
        if guide.outcome.made.is_none() {
            self.ui.review_writes();
        }
        let cli = parsed(&guide.draft.whole())?;
        // The parser has the last word on what the flags mean.
        let is_same = complete::connection(&guide.draft.line()) == cli.globals.connection;
        let own = Connected::default();
        let line = Line {
            connected: if is_same { self.connected } else { &own },
            words: guide.draft.whole(),
            ..*self
        };
        let outcome = line.carry_out(&cli).await;
        // The command for next time is that of the secret and of the workload that gets it.
        let is_told_later = guide.outcome.made.is_some() || self.telling == Telling::Failures;
        if outcome.is_err() || !is_told_later {
            tell_of_next_time(Some(guide.draft.shown()), &outcome, self.ui);
        }
        outcome
    }

    /// Runs the whole line, about which nothing was asked.
    ///
    /// # Errors
    /// The command failed.
    pub(super) async fn as_typed(&self, cli: &Cli) -> Result<()> {
        let outcome = self.carry_out(cli).await;
        tell_of_next_time(None, &outcome, self.ui);
        outcome
    }

    /// Runs the whole line. If it lacks something that could be made now, offers that, and runs the line again.
    ///
    /// # Errors
    /// The command failed, and nothing else was wanted.
    async fn carry_out(&self, cli: &Cli) -> Result<()> {
        loop {
            match run(cli, self.connected, self.ui).await {
                // Without its words another line would not reach the same cluster.
                Err(error)
                    if self.ui.may_choose() && !self.words.is_empty() && !error.remedies().is_empty() =>
                {
                    if self.mend(error).await? == Mended::Instead {
                        return Ok(());
                    }
                }
                outcome => return outcome,
            }
        }
    }

    /// Offers to make what a command lacked, or another command.
    ///
    /// # Errors
    /// Nothing of that was wanted, or can be done: the same error. Or it failed.
    async fn mend(&self, error: Error) -> Result<Mended> {
        let line = Draft::new(self.words.clone());
        let words = |remedy: &Remedy| match &remedy.deed {
            Deed::First(words) => {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                Some((Mended::First, line.in_cluster(&words)))
            }
            Deed::Instead(command) => line.as_command(command).map(|words| (Mended::Instead, words)),
        };
        let remedies = error.remedies().to_vec();
        let ways = remedies.iter().filter_map(|remedy| Some((remedy, words(remedy)?)));
        let mut ways: Vec<_> = ways.collect();
        if ways.is_empty() || line.writes_nothing() {
            return Err(error);
        }
        self.ui.note(error.for_a_note());
        let stop = (STOP, "");
        let rows = ways.iter().map(|(remedy, _)| (remedy.name.as_str(), remedy.about.as_str())).chain([stop]);
        let picked = match self.ui.pick("What now?", rows).await {
            Ok(picked) if picked < ways.len() => picked,
            Err(left) if left.kind() != Kind::SteppedBack => return Err(left),
            _ => return Err(error),
        };
        let (mended, words) = ways.swap_remove(picked).1;
        let telling = if mended == Mended::First { Telling::Failures } else { self.telling };
        let done = Box::pin(Line { words, ..*self }.telling(telling).answered()).await;
        done.map(|_| mended).map_err(Error::for_good)
    }
}

fn parsed(words: &[String]) -> Result<Cli> {
    let words: Vec<OsString> =
        [BINARY].into_iter().chain(words.iter().map(String::as_str)).map(Into::into).collect();
    parsing::parse(&words).map_err(NoCommand::refusal)
}

/// Tells the command for next time, with what was chosen while it ran. After a failure it tells the command
/// that failed: all answers would be lost otherwise.
pub(super) fn tell_of_next_time(next_time: Option<String>, outcome: &Result<()>, ui: &Ui) {
    let kind = outcome.as_ref().err().map(Error::kind);
    let chosen = ui.chosen_flags().join(" ");
    match (next_time, kind) {
        (_, Some(Kind::Interrupted | Kind::SteppedBack)) => {}
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
