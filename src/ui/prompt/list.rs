//! Shows a list to pick from, narrowed by typing any part of a name.
//!
//! dialoguer's list (0.12) ranks descriptions like names, shows nothing if nothing fits, redraws everything
//! for each character of a paste, and ignores the end of input.

use std::collections::BTreeSet;
use std::io;

use console::{Key, Term, measure_text_width, style, truncate_str};
use dialoguer::theme::Theme;

use super::answer::{self, PromptError};
use super::ranking::{Row, completed, fitting};
use crate::ui::wrap::wrapped;

/// The most rows.
const MOST_ROWS: usize = 20;
/// Rows around the list: the question, the count of hidden choices, the word on Space, and the cursor's.
const OTHER_ROWS: usize = 4;
/// Rows for more about the choice at the cursor, and the least height of a terminal that has them.
const ROWS_OF_MORE: usize = 2;
const LEAST_ROWS_FOR_MORE: usize = 12;
/// The longest search: longer than any name, as a misplaced paste may be.
const LONGEST_SEARCH: usize = 300;

/// How many choices may be taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum HowMany {
    One,
    /// Space marks a choice. Without marks Enter takes the one at the cursor.
    Several,
}

struct List<'a> {
    terminal: Term,
    question: &'a str,
    choices: &'a [Row],
    theme: &'a dyn Theme,
    search: String,
    /// The indices of the choices that fit, the best first.
    fitting: Vec<usize>,
    /// The choice at the cursor, and the first that is shown: indices into `fitting`.
    at: usize,
    top: usize,
    how_many: HowMany,
    marked: BTreeSet<usize>,
    /// The number of rows on the screen.
    drawn: usize,
}

/// Returns the indices of what is picked, in the order of the choices; at least one.
pub(super) fn pick(
    question: &str,
    choices: &[Row],
    how_many: HowMany,
    theme: &dyn Theme,
) -> Result<Vec<usize>, PromptError> {
    let terminal = Term::stderr();
    let (search, fitting, marked) = (String::new(), (0..choices.len()).collect(), BTreeSet::new());
    let mut list = List {
        terminal,
        question,
        choices,
        theme,
        search,
        fitting,
        at: 0,
        top: 0,
        how_many,
        marked,
        drawn: 0,
    };
    let picked = list.run();
    list.clear()?;
    let mut row = String::new();
    let names = picked.iter().flatten().map(|at| choices[*at].name.as_str());
    let _ = theme.format_input_prompt_selection(&mut row, question, &names.collect::<Vec<_>>().join(", "));
    if picked.is_ok() {
        list.terminal.write_line(&truncate_str(&row, list.width(), "…"))?;
    }
    list.terminal.show_cursor()?;
    picked
}

impl List<'_> {
    fn run(&mut self) -> Result<Vec<usize>, PromptError> {
        loop {
            self.draw()?;
            loop {
                match answer::read_key()? {
                    Key::Char(answer::CTRL_D) if !self.search.is_empty() => {}
                    key @ (Key::Escape | Key::CtrlC | Key::Char(answer::CTRL_D)) => {
                        return Err(PromptError::by(&key));
                    }
                    Key::Enter if !self.marked.is_empty() => {
                        return Ok(self.marked.iter().copied().collect());
                    }
                    Key::Enter => {
                        if let Some(picked) = self.fitting.get(self.at) {
                            return Ok(vec![*picked]);
                        }
                    }
                    key if self.take(&key) => break,
                    _ => {}
                }
            }
        }
    }

    /// Handles a key. Returns whether something changed.
    fn take(&mut self, key: &Key) -> bool {
        match key {
            Key::Char(answer::CTRL_U) => self.search.clear(),
            Key::Char(answer::CTRL_W) => {
                let search: Vec<char> = self.search.chars().collect();
                self.search = search[..answer::start_of_word(&search)].iter().collect();
            }
            Key::Char(' ') if self.how_many == HowMany::Several => return self.mark(),
            Key::Tab => match completed(self.choices, &self.fitting, &self.search) {
                Some(search) => self.search = search,
                None => return false,
            },
            Key::Char(char) if !char.is_control() && self.search.len() < LONGEST_SEARCH => {
                self.search.push(*char);
            }
            Key::Backspace => drop(self.search.pop()),
            key => return self.move_by(key),
        }
        self.fitting = fitting(self.choices, &self.search);
        (self.at, self.top) = (0, 0);
        true
    }

    /// Marks the choice at the cursor, or takes its mark off, and shows all choices again.
    fn mark(&mut self) -> bool {
        let Some(choice) = self.fitting.get(self.at).copied() else { return false };
        if !self.marked.remove(&choice) {
            self.marked.insert(choice);
        }
        self.search.clear();
        self.fitting = (0..self.choices.len()).collect();
        (self.at, self.top) = (choice, self.top.clamp((choice + 1).saturating_sub(self.rows()), choice));
        true
    }

    fn move_by(&mut self, key: &Key) -> bool {
        let (count, rows) = (self.fitting.len(), self.rows());
        if count == 0 {
            return false;
        }
        let last = count - 1;
        self.at = match key {
            Key::ArrowDown => (self.at + 1) % count,
            Key::ArrowUp | Key::BackTab => self.at.checked_sub(1).unwrap_or(last),
            Key::PageDown => (self.at + rows).min(last),
            Key::PageUp => self.at.saturating_sub(rows),
            Key::Home => 0,
            Key::End => last,
            _ => return false,
        };
        self.top = self.top.clamp((self.at + 1).saturating_sub(rows), self.at);
        true
    }

    fn width(&self) -> usize {
        usize::from(self.terminal.size().1).saturating_sub(1).max(10)
    }

    fn rows(&self) -> usize {
        let height = usize::from(self.terminal.size().0);
        let others = if height < LEAST_ROWS_FOR_MORE { OTHER_ROWS } else { OTHER_ROWS + ROWS_OF_MORE };
        height.saturating_sub(others).clamp(1, MOST_ROWS)
    }

    fn draw(&mut self) -> io::Result<()> {
        self.clear()?;
        let mut lines = vec![self.prompt()];
        let shown = self.fitting.iter().enumerate().skip(self.top).take(self.rows());
        let column = self.column();
        for (at, choice) in shown {
            let Row { name, about, .. } = &self.choices[*choice];
            let row = if about.is_empty() { name.clone() } else { format!("{name:column$}  {about}") };
            let mut line = String::new();
            let _ = match self.how_many {
                HowMany::One => self.theme.format_select_prompt_item(&mut line, &row, at == self.at),
                HowMany::Several => {
                    let is_marked = self.marked.contains(choice);
                    self.theme.format_multi_select_prompt_item(&mut line, &row, is_marked, at == self.at)
                }
            };
            lines.push(line);
        }
        if self.fitting.is_empty() {
            lines.push("  nothing fits; Backspace widens the search".to_owned());
        }
        lines.extend(self.what_is_hidden());
        if self.how_many == HowMany::Several && self.choices.len() > 1 {
            lines.push("  Space marks several".to_owned());
        }
        lines.extend(self.more());
        let width = self.width();
        let lines: Vec<_> = lines.iter().map(|line| truncate_str(line, width, "…")).collect();
        // Without a last newline, which would scroll a full screen.
        crate::ui::terminal::draw(&self.terminal, &format!("{}{}", answer::HIDE_CURSOR, lines.join("\n")))?;
        self.drawn = lines.len();
        Ok(())
    }

    /// Says how many choices are not shown, and where they are.
    fn what_is_hidden(&self) -> Option<String> {
        let below = self.fitting.len().saturating_sub(self.top + self.rows());
        let counts = match (self.top, below) {
            (0, 0) => return None,
            (0, below) => format!("{below} more below"),
            (above, 0) => format!("{above} more above"),
            (above, below) => format!("{above} more above, {below} below"),
        };
        Some(format!("  {counts}; type a part of a name"))
    }

    /// Returns what there is more about the choice at the cursor, where there is room.
    fn more(&self) -> Vec<String> {
        if usize::from(self.terminal.size().0) < LEAST_ROWS_FOR_MORE {
            return Vec::new();
        }
        let Some(choice) = self.fitting.get(self.at) else { return Vec::new() };
        let more = wrapped(&self.choices[*choice].more, self.width().saturating_sub(2)).into_iter();
        more.take(ROWS_OF_MORE).map(|line| format!("  {}", style(line).for_stderr().dim())).collect()
    }

    /// Returns the question and the search text, of which the end is shown if it is long.
    fn prompt(&self) -> String {
        let mut prompt = String::new();
        let _ = self.theme.format_input_prompt(&mut prompt, self.question, None);
        let room = self.width().saturating_sub(measure_text_width(&prompt) + 2);
        let skipped = self.search.chars().count().saturating_sub(room);
        format!("{prompt} {}", self.search.chars().skip(skipped).collect::<String>())
    }

    /// Returns the width of the names' column.
    fn column(&self) -> usize {
        let described = self.choices.iter().filter(|choice| !choice.about.is_empty());
        let widest = described.map(|choice| choice.name.chars().count()).max().unwrap_or_default();
        widest.min(self.width() * 2 / 3)
    }

    fn clear(&mut self) -> io::Result<()> {
        let drawn = std::mem::take(&mut self.drawn);
        if drawn > 0 {
            self.terminal.move_cursor_up(drawn - 1)?;
            self.terminal.write_str("\r")?;
            self.terminal.clear_to_end_of_screen()?;
        }
        Ok(())
    }
}
