//! Reads a line that is typed and shown, with Tab.
//!
//! The line is drawn in one row whatever its length: it scrolls to the left. So a long paste, or a window
//! that changes its width, leaves no pieces behind.

use std::io;

use console::{Key, Term, measure_text_width};
use dialoguer::theme::Theme;

use super::answer::{self, PromptError};
use crate::error::Result;

/// The least room for an answer, in columns; with less the question gets a row of its own.
const LEAST_ROOM: usize = 24;
/// The most names that Tab lists.
const MOST_NAMES: usize = 40;

type Check = Box<dyn Fn(&str) -> Result<()> + Send>;
type Complete = Box<dyn Fn(&str) -> Vec<String> + Send>;

/// A legal name near a text, and what is legal.
pub(crate) struct Legal {
    pub(crate) near: fn(&str) -> Option<String>,
    /// The rule in a few words: `a name has lower-case letters, digits, - and .`
    pub(crate) rule: &'static str,
}

/// How to ask for a word.
pub(crate) struct Word {
    /// For the name of something.
    pub(crate) legal: Option<&'static Legal>,
    /// The answer of Enter alone; may be empty.
    pub(crate) proposal: String,
    /// Checks an answer.
    pub(crate) check: Check,
    /// Returns the completions of the line, for Tab. Called on another thread.
    pub(crate) complete: Complete,
}

struct Line<'a> {
    terminal: Term,
    question: String,
    theme: &'a dyn Theme,
    text: Vec<char>,
    /// The number of characters before the cursor.
    at: usize,
}

pub(super) fn read(question: &str, word: &Word, theme: &dyn Theme) -> Result<String, PromptError> {
    let question = answer::with_proposal(question, &word.proposal);
    let mut line = Line { terminal: Term::stderr(), question, theme, text: Vec::new(), at: 0 };
    line.begin()?;
    loop {
        line.draw()?;
        match answer::read_key()? {
            Key::Char(answer::CTRL_D) if !line.text.is_empty() => {}
            key @ (Key::Escape | Key::CtrlC | Key::Char(answer::CTRL_D)) => {
                line.terminal.write_line("")?;
                return Err(PromptError::by(&key));
            }
            Key::Enter => {
                let typed = line.text();
                let text = if typed.is_empty() { word.proposal.clone() } else { typed };
                match word.judged(&text) {
                    Ok(()) => return line.end(text),
                    Err((why, legal)) => {
                        line.say(&why)?;
                        line.fill(legal);
                    }
                }
            }
            Key::Tab => line.complete(&(word.complete)(&line.text()))?,
            key => line.edit(&key),
        }
    }
}

impl Word {
    /// Checks an answer.
    ///
    /// # Errors
    /// It is refused: why, and the name that may have been meant.
    pub(super) fn judged(&self, text: &str) -> Result<(), (String, Option<String>)> {
        let Err(why) = (self.check)(text) else { return Ok(()) };
        let legal = self.legal.and_then(|legal| Some((legal.rule, (legal.near)(text)?)));
        match legal.filter(|(_, near)| near != text && (self.check)(near).is_ok()) {
            Some((rule, near)) => Err((format!("{rule}; Enter takes {near}"), Some(near))),
            None => Err((why.for_a_prompt(), None)),
        }
    }
}

impl Line<'_> {
    /// Puts a text in the place of what was typed.
    fn fill(&mut self, text: Option<String>) {
        if let Some(text) = text {
            self.text = text.chars().collect();
            self.at = self.text.len();
        }
    }

    fn text(&self) -> String {
        self.text.iter().collect()
    }

    fn width(&self) -> usize {
        usize::from(self.terminal.size().1).max(2)
    }

    fn prompt(&self) -> String {
        let mut prompt = String::new();
        let _ = self.theme.format_input_prompt(&mut prompt, &self.question, None);
        prompt.push(' ');
        prompt
    }

    /// Puts a long question into a row of its own.
    fn begin(&mut self) -> io::Result<()> {
        if measure_text_width(&self.prompt()) + LEAST_ROOM > self.width() {
            self.terminal.write_line(&self.question)?;
            self.question = String::from(">");
        }
        Ok(())
    }

    fn draw(&self) -> io::Result<()> {
        let prompt = self.prompt();
        // The last column stays free: a terminal that wraps there would begin a second row.
        let room = self.width().saturating_sub(measure_text_width(&prompt) + 1).max(1);
        let (before, after) = in_a_window(&self.text, self.at, room);
        let terminal = &self.terminal;
        terminal.clear_line()?;
        let back = match measure_text_width(&after) {
            0 => String::new(),
            columns => format!("\u{1b}[{columns}D"),
        };
        crate::ui::terminal::draw(terminal, &format!("{prompt}{before}{after}{back}"))
    }

    fn edit(&mut self, key: &Key) {
        match key {
            Key::Char(answer::CTRL_U) => drop(self.text.drain(..std::mem::take(&mut self.at))),
            Key::Char(answer::CTRL_W) => {
                let start = answer::start_of_word(&self.text[..self.at]);
                self.text.drain(start..self.at);
                self.at = start;
            }
            Key::Char(char) if !char.is_control() => {
                self.text.insert(self.at, *char);
                self.at += 1;
            }
            Key::Backspace if self.at > 0 => {
                self.at -= 1;
                self.text.remove(self.at);
            }
            Key::Del if self.at < self.text.len() => drop(self.text.remove(self.at)),
            Key::ArrowLeft => self.at = self.at.saturating_sub(1),
            Key::ArrowRight => self.at = (self.at + 1).min(self.text.len()),
            Key::Home => self.at = 0,
            Key::End => self.at = self.text.len(),
            _ => {}
        }
    }

    /// Completes the line as far as all names agree. If that adds nothing, lists them.
    fn complete(&mut self, names: &[String]) -> io::Result<()> {
        let Some(common) = names.iter().map(String::as_str).reduce(common_start) else { return Ok(()) };
        if common.chars().count() > self.text.len() {
            self.text = common.chars().collect();
            self.at = self.text.len();
        } else if names.len() > 1 {
            let more = if names.len() > MOST_NAMES { "  …" } else { "" };
            let listed: Vec<&str> = names.iter().take(MOST_NAMES).map(String::as_str).collect();
            self.say(&format!("{}{more}", listed.join("  ")))?;
        }
        Ok(())
    }

    fn say(&self, text: &str) -> io::Result<()> {
        self.terminal.clear_line()?;
        self.terminal.write_line(text)
    }

    fn end(&self, text: String) -> Result<String, PromptError> {
        let mut row = String::new();
        let _ = self.theme.format_input_prompt_selection(&mut row, &self.question, &text);
        self.say(&console::truncate_str(&row, self.width() - 1, "…"))?;
        Ok(text)
    }
}

/// Returns the visible text before and after the cursor, within `room` columns.
fn in_a_window(text: &[char], at: usize, room: usize) -> (String, String) {
    let width = |chars: &[char]| measure_text_width(&chars.iter().collect::<String>());
    let mut start = at.saturating_sub(room);
    while start < at && width(&text[start..at]) > room {
        start += 1;
    }
    let left = room - width(&text[start..at]);
    let mut end = (at + left).min(text.len());
    while end > at && width(&text[at..end]) > left {
        end -= 1;
    }
    (text[start..at].iter().collect(), text[at..end].iter().collect())
}

pub(super) fn common_start<'a>(one: &'a str, other: &str) -> &'a str {
    let differs = one.char_indices().zip(other.chars()).find(|((_, a), b)| a != b);
    let end = differs.map_or(one.len().min(other.len()), |((at, _), _)| at);
    &one[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_does_not_fit_scrolls_so_that_the_cursor_is_seen() {
        let text: Vec<char> = "abcdefghij".chars().collect();
        let seen = |at, room| in_a_window(&text, at, room);
        assert_eq!(seen(10, 20), ("abcdefghij".to_owned(), String::new()));
        assert_eq!(seen(10, 4), ("ghij".to_owned(), String::new()));
        assert_eq!(seen(2, 4), ("ab".to_owned(), "cd".to_owned()));
        assert_eq!(seen(0, 4), (String::new(), "abcd".to_owned()));
        let wide: Vec<char> = "日本語".chars().collect();
        assert_eq!(in_a_window(&wide, 3, 5), ("本語".to_owned(), String::new()));
    }

    #[test]
    fn names_agree_as_far_as_they_begin_alike() {
        for (one, other, expected) in
            [("hf-token", "hf-text", "hf-t"), ("a", "ab", "a"), ("ä", "ö", ""), ("x", "x", "x")]
        {
            assert_eq!(common_start(one, other), expected);
        }
    }
}
