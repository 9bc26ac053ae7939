//! A list to pick from, narrowed by typing any part of a name.

use std::collections::BTreeSet;

use console::Term;
use dialoguer::FuzzySelect;
use dialoguer::theme::Theme;

use super::Trouble;

/// More would push the question off small terminals.
const MOST_ROWS: usize = 12;
/// What the theme draws before each.
const MARGIN: usize = 4;

/// One of several.
pub(in crate::ui) struct Choice {
    pub(in crate::ui) name: String,
    /// A few words about it, or nothing.
    pub(in crate::ui) about: String,
}

/// Whether a list can show them apart: a row that is wider than the terminal must be cut, or it breaks the redraw.
pub(super) fn can_be_drawn(choices: &[Choice]) -> bool {
    let rows = rows(choices);
    rows.iter().collect::<BTreeSet<_>>().len() == rows.len()
}

pub(super) fn pick(question: &str, choices: &[Choice], theme: &dyn Theme) -> Result<usize, Trouble> {
    let rows = rows(choices);
    // Also for a few: in dialoguer's other list the letter q, with which a name may begin, means Esc.
    let list = FuzzySelect::with_theme(theme).with_prompt(question).items(&rows).default(0);
    list.highlight_matches(false).max_length(MOST_ROWS).interact_opt()?.ok_or(Trouble::Cancelled)
}

/// Names in a column, and beside each what there is to say about it.
fn rows(choices: &[Choice]) -> Vec<String> {
    let width = usize::from(Term::stderr().size().1).saturating_sub(MARGIN).max(20);
    let described = choices.iter().filter(|choice| !choice.about.is_empty());
    let column = described.map(|choice| choice.name.chars().count()).max().unwrap_or_default().min(width / 2);
    let row = |Choice { name, about }: &Choice| {
        let row = if about.is_empty() { name.clone() } else { format!("{name:column$}  {about}") };
        console::truncate_str(&row, width, "…").into_owned()
    };
    choices.iter().map(row).collect()
}
