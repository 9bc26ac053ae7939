//! Asks for what a command line lacks, in the order in which a person would say it.
//!
//! The answers become words of the command line, which is then parsed and run as if it had been typed. So a
//! guided command can do nothing that a typed one can't, and the same line can be shown for next time. The
//! choices are those that Tab offers at that place of the line.

mod answers;
mod asking;
mod attach;
mod create;
mod draft;
mod have;
mod last_project;
mod line;
mod made;
mod offer;
mod places;
mod submit;
mod values;

use std::ffi::OsString;

use self::line::Line;
use crate::cli::Cli;
use crate::cli::parsing::NoCommand;
use crate::commands::Command;
use crate::error::Result;
use crate::session::Connected;
use crate::ui::Ui;

/// Runs the command that was `typed` (the program's name included), which came to `parsed` by itself, after asking for
/// what is missing.
///
/// If nothing is missing, or nobody can be asked, runs the command as it was typed. Then a missing argument is an
/// error.
///
/// # Errors
/// Esc at the first question or Ctrl-C; the choices can't be read; the command failed.
pub(crate) async fn run(typed: &[OsString], parsed: Result<Cli, NoCommand>, ui: &Ui) -> Result<()> {
    let connected = Connected::default();
    let words: Option<Vec<String>> =
        typed.iter().skip(1).map(|word| word.to_str().map(ToOwned::to_owned)).collect();
    match words.filter(|_| ui.somebody_is_there()) {
        Some(words) if may_lack_something(&parsed) => Line::typed(words, &connected, ui).led().await,
        words => {
            let line = Line::typed(words.unwrap_or_default(), &connected, ui);
            line.as_typed(&parsed.map_err(NoCommand::refusal)?).await
        }
    }
}

/// Reports whether the guide may have to ask. The parser knows what most commands require; these four
/// require one of several flags.
fn may_lack_something(parsed: &Result<Cli, NoCommand>) -> bool {
    match parsed {
        Ok(cli) => matches!(
            cli.command,
            Command::Create(_) | Command::Set(_) | Command::Attach(_) | Command::Copy(_)
        ),
        Err(NoCommand::Incomplete(_)) => true,
        Err(NoCommand::Wrong(_)) => false,
    }
}
