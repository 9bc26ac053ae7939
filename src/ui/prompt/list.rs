//! Shows a list to pick from, narrowed by typing any part of a name.
//!
//! dialoguer's list (0.12) ranks descriptions like names, shows nothing if nothing fits, redraws everything
//! for each character of a paste, and ignores the end of input.

use std::io;

use console::{Key, Term, measure_text_width, truncate_str};
use dialoguer::theme::Theme;

use super::answer::{self, PromptError};

/// The most rows.
const MOST_ROWS: usize = 20;
/// Rows around the list: the question, the count of hidden choices, and the cursor's.
const OTHER_ROWS: usize = 3;
/// The longest search: longer than any name, as a misplaced paste may be.
const LONGEST_SEARCH: usize = 300;

/// One choice.
pub(crate) struct Choice {
    pub(crate) name: String,
    /// A description, or nothing.
    pub(crate) about: String,
}

struct List<'a> {
    terminal: Term,
    question: &'a str,
    choices: &'a [Choice],
    theme: &'a dyn Theme,
    search: String,
    /// The indices of the choices that fit, the best first.
    fitting: Vec<usize>,
    /// The choice at the cursor, and the first that is shown: indices into `fitting`.
    at: usize,
    top: usize,
    /// The number of rows on the screen.
    drawn: usize,
}

pub(super) fn pick(question: &str, choices: &[Choice], theme: &dyn Theme) -> Result<usize, PromptError> {
    let terminal = Term::stderr();
    let fitting = (0..choices.len()).collect();
    let mut list =
        List { terminal, question, choices, theme, search: String::new(), fitting, at: 0, top: 0, drawn: 0 };
    let picked = list.run();
    list.clear()?;
    let mut row = String::new();
    let answer = picked.as_ref().map_or("", |at| &choices[*at].name);
    let _ = theme.format_input_prompt_selection(&mut row, question, answer);
    if picked.is_ok() {
        list.terminal.write_line(&truncate_str(&row, list.width(), "…"))?;
    }
    list.terminal.show_cursor()?;
    picked
}

impl List<'_> {
    fn run(&mut self) -> Result<usize, PromptError> {
        loop {
            self.draw()?;
            loop {
                match answer::read_key(&self.terminal)? {
                    Key::Escape | Key::CtrlC | Key::Char(answer::CTRL_D) => {
                        return Err(PromptError::Cancelled);
                    }
                    Key::Enter => {
                        if let Some(picked) = self.fitting.get(self.at) {
                            return Ok(*picked);
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
            Key::Char('\x15') => self.search.clear(),
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

    fn move_by(&mut self, key: &Key) -> bool {
        let (count, rows) = (self.fitting.len(), self.rows());
        if count == 0 {
            return false;
        }
        let last = count - 1;
        self.at = match key {
            Key::ArrowDown | Key::Tab => (self.at + 1) % count,
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
        usize::from(self.terminal.size().0).saturating_sub(OTHER_ROWS).clamp(1, MOST_ROWS)
    }

    fn draw(&mut self) -> io::Result<()> {
        self.clear()?;
        let mut lines = vec![self.prompt()];
        let shown = self.fitting.iter().enumerate().skip(self.top).take(self.rows());
        let column = self.column();
        for (at, choice) in shown {
            let Choice { name, about } = &self.choices[*choice];
            let row = if about.is_empty() { name.clone() } else { format!("{name:column$}  {about}") };
            let mut line = String::new();
            let _ = self.theme.format_select_prompt_item(&mut line, &row, at == self.at);
            lines.push(line);
        }
        let hidden = self.fitting.len().saturating_sub(self.rows());
        if self.fitting.is_empty() {
            lines.push("  nothing fits; Backspace widens the search".to_owned());
        } else if hidden > 0 {
            lines.push(format!("  {hidden} more; type a part of a name"));
        }
        let width = self.width();
        let lines: Vec<_> = lines.iter().map(|line| truncate_str(line, width, "…")).collect();
        // Without a last newline, which would scroll a full screen.
        crate::ui::terminal::draw(&self.terminal, &format!("{}{}", answer::HIDE_CURSOR, lines.join("\n")))?;
        self.drawn = lines.len();
        Ok(())
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

/// Returns the choices that fit a search, ranked by name first, then by description.
fn fitting(choices: &[Choice], search: &str) -> Vec<usize> {
    let search = search.trim().to_lowercase();
    let mut ranked: Vec<(u8, usize)> = choices
        .iter()
        .enumerate()
        .filter_map(|(at, choice)| rank(choice, &search).map(|rank| (rank, at)))
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, at)| at).collect()
}

fn rank(Choice { name, about }: &Choice, search: &str) -> Option<u8> {
    let (name, about) = (name.to_lowercase(), about.to_lowercase());
    let mut letters = name.chars();
    if name.starts_with(search) {
        Some(0)
    } else if name.contains(search) {
        Some(1)
    } else if about.starts_with(search)
        || about.split(|char: char| !char.is_alphanumeric()).any(|word| word == search)
    {
        Some(2)
    } else if format!("{name} {about}").contains(search) {
        Some(3)
    } else if search.chars().all(|wanted| letters.any(|letter| letter == wanted)) {
        // The letters occur in this order, such as `ftk` in `hf-token`.
        Some(4)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_before_what_is_said_about_them() {
        let choice = |name: &str, about: &str| Choice { name: name.to_owned(), about: about.to_owned() };
        let choices = [
            choice("delete", "Delete a shared secret"),
            choice("label", "Share a secret with every project"),
            choice("web-1", ""),
            choice("hf-token", "1 key"),
        ];
        for (search, expected) in [
            ("", vec![0, 1, 2, 3]),
            ("share", vec![1, 0]),
            ("1", vec![2, 3]),
            ("shar", vec![1, 0]),
            ("LAB", vec![1]),
            ("ftk", vec![3]),
            ("zzz", vec![]),
        ] {
            assert_eq!(fitting(&choices, search), expected, "{search}");
        }
    }
}
