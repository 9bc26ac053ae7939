//! Shows the progress of long work: a bar on a terminal, a plain line every few seconds elsewhere.
//!
//! A screen reader reads every redraw aloud, so a dumb terminal gets the plain lines too.

use std::time::{Duration, Instant};

use console::Term;

use super::prompt::PromptStyle;
use super::{Ui, Verbosity};

/// The time between two plain lines.
const PERIOD: Duration = Duration::from_secs(5);
/// The least time between two redraws of the bar.
const REDRAW: Duration = Duration::from_millis(50);
const BAR_WIDTH: usize = 30;

/// Work of a known number of steps. The bar is erased when this is dropped.
pub(crate) struct Progress {
    ui: Ui,
    what: String,
    total: usize,
    done: usize,
    form: Form,
}

enum Form {
    Bar(Bar),
    Lines(Lines),
    Silent,
}

/// The last line, and the time until the next one: longer where nothing has changed.
struct Lines {
    said: Instant,
    done: usize,
    period: Duration,
}

/// The terminal, and the time of the last redraw; none if nothing is on the screen.
struct Bar {
    terminal: Term,
    drawn: Option<Instant>,
}

impl Ui {
    /// Starts to show progress. `what` is the object of the work, such as `copies of hf`.
    pub(crate) fn progress(&self, what: &str, total: usize) -> Progress {
        let terminal = Term::stderr();
        let redraws = terminal.is_term() && self.0.manner == PromptStyle::Drawn;
        let form = match (&self.0.chatter, redraws) {
            (Verbosity::Quiet | Verbosity::Silent, _) => Form::Silent,
            (Verbosity::Normal, true) => Form::Bar(Bar { terminal, drawn: None }),
            (Verbosity::Normal, false) => {
                Form::Lines(Lines { said: Instant::now(), done: 0, period: PERIOD })
            }
        };
        let what = super::printable(what).into_owned();
        Progress { ui: self.clone(), what, total, done: 0, form }
    }
}

impl Lines {
    /// Reports whether the next line is due, and begins to wait for the one after it.
    fn is_due(&mut self, done: usize) -> bool {
        if self.done != done {
            self.period = PERIOD;
        }
        if self.said.elapsed() < self.period {
            return false;
        }
        let period = if self.done == done { self.period * 2 } else { PERIOD };
        *self = Self { said: Instant::now(), done, period };
        true
    }
}

impl Bar {
    /// Draws one line. What does not fit is cut off: the next redraw would leave it behind.
    fn draw(&mut self, line: &str) {
        self.clear();
        let width = usize::from(self.terminal.size().1);
        // A broken terminal is no reason to stop the work.
        let _ = self.terminal.write_str(&console::truncate_str(line, width.saturating_sub(1), ""));
        self.drawn = Some(Instant::now());
    }

    fn clear(&mut self) {
        if self.drawn.take().is_some() {
            let _ = self.terminal.clear_line();
        }
    }
}

fn line(what: &str, done: usize, total: usize) -> String {
    let filled = (BAR_WIDTH * done).checked_div(total).unwrap_or(BAR_WIDTH).min(BAR_WIDTH);
    let tip = if filled < BAR_WIDTH { ">" } else { "" };
    format!("{what} {:BAR_WIDTH$} {done}/{total}", "=".repeat(filled) + tip)
}

impl Progress {
    /// Sets the number of finished steps.
    pub(crate) fn at(&mut self, done: usize) {
        self.done = done;
        match &mut self.form {
            Form::Bar(bar) if bar.drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW) => {
                bar.draw(&line(&self.what, done, self.total));
            }
            Form::Lines(last) => {
                if last.is_due(done) {
                    self.ui.note(&format!("{}: {done} of {}", self.what, self.total));
                }
            }
            Form::Bar(_) | Form::Silent => {}
        }
    }

    /// Prints something while the bar is shown, so that the next redraw does not overwrite it.
    pub(crate) fn beside<T>(&mut self, print: impl FnOnce() -> T) -> T {
        let Form::Bar(bar) = &mut self.form else { return print() };
        bar.clear();
        let printed = print();
        bar.draw(&line(&self.what, self.done, self.total));
        printed
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Form::Bar(bar) = &mut self.form {
            bar.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_bar_fills_up_and_never_grows() {
        assert_eq!(line("copies", 0, 3), "copies >                              0/3");
        assert_eq!(line("copies", 1, 3), "copies ==========>                    1/3");
        assert_eq!(line("copies", 3, 3), "copies ============================== 3/3");
        assert_eq!(line("copies", 0, 0), "copies ============================== 0/0");
    }
}
