//! Asks about values that can hardly be what is meant.

use crate::error::{Error, Result};
use crate::secret::{Contents, Cure, Suspect};
use crate::ui::{Proposal, Ui};

/// How a command takes off what is invisible at the ends of a value, if nobody can be asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// By `--trim`.
    ByFlag,
    Never,
}

/// Asks whether what is around values is to be taken off, and whether others are to be used as they are. Where nobody can
/// be asked, notes and warnings say it.
///
/// # Errors
/// A value is not to be used as it is; Esc, Ctrl-C.
pub(crate) async fn ask_about_suspects(contents: &mut Contents, ends: Ends, ui: &Ui) -> Result<()> {
    if !ui.may_choose() {
        return Ok(());
    }
    let suspects = std::mem::take(&mut contents.suspects);
    for cure in [None, Some(Cure::Quotes), Some(Cure::Ends)] {
        // What was cured by the first of two questions is not asked about again.
        let own: Vec<&Suspect> =
            suspects.iter().filter(|one| one.cure == cure && said_of(contents, &one.said)).collect();
        if own.is_empty() {
            continue;
        }
        for one in &own {
            take_back(contents, &one.said);
            ui.warning(&one.said);
        }
        let Some(question) = cure.map(question) else {
            let question = if own.len() == 1 { "Use it anyway?" } else { "Use them anyway?" };
            if ui.decide(question, Proposal::No).await? {
                continue;
            }
            return Err(Error::failed("cancelled: you answered no"));
        };
        if !ui.decide(question, Proposal::Yes).await? {
            continue;
        }
        for one in own {
            contents.cure(one);
            suspects
                .iter()
                .filter(|other| other.is_about_same(one))
                .for_each(|other| take_back(contents, &other.said));
        }
        if (cure, ends) == (Some(Cure::Ends), Ends::ByFlag) {
            ui.note_chosen("--trim".to_owned());
        }
    }
    Ok(())
}

fn question(cure: Cure) -> &'static str {
    match cure {
        Cure::Quotes => "Take the quotes off?",
        Cure::Ends => "Take off what is invisible at the ends?",
    }
}

fn said_of(contents: &Contents, said: &str) -> bool {
    contents.notes.iter().chain(&contents.warnings).any(|line| line == said)
}

fn take_back(contents: &mut Contents, said: &str) {
    contents.notes.retain(|line| line != said);
    contents.warnings.retain(|line| line != said);
}
