//! How far long work has got: a bar on a terminal, a plain line every few seconds elsewhere.
//!
//! A screen reader reads every redraw aloud, so a dumb terminal gets the plain lines too.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Chatter, Ui};

/// How often a plain line is written.
const PERIOD: Duration = Duration::from_secs(5);

/// Work of a known number of steps. What was drawn goes with it.
pub(crate) struct Progress {
    ui: Ui,
    what: String,
    total: usize,
    form: Form,
}

enum Form {
    Bar(ProgressBar),
    /// When the last line was written.
    Lines(Instant),
    Silent,
}

impl Ui {
    /// Begins to show progress: `what` is its object, as `copies of hf`.
    pub(crate) fn progress(&self, what: &str, total: usize) -> Progress {
        let terminal = console::Term::stderr();
        let redraws = terminal.is_term() && std::env::var_os("TERM").is_none_or(|kind| kind != "dumb");
        let form = match (&self.0.chatter, redraws) {
            (Chatter::Quiet | Chatter::Silent, _) => Form::Silent,
            (Chatter::Normal, true) => Form::Bar(bar(what, total)),
            (Chatter::Normal, false) => Form::Lines(Instant::now()),
        };
        Progress { ui: self.clone(), what: what.to_owned(), total, form }
    }
}

fn bar(what: &str, total: usize) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg} {bar:30} {pos}/{len}").expect("a template that is tested");
    ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr())
        .with_style(style.progress_chars("=> "))
        .with_message(super::printable(what).into_owned())
}

impl Progress {
    /// So many steps are done.
    pub(crate) fn at(&mut self, done: usize) {
        match &mut self.form {
            Form::Bar(bar) => bar.set_position(done as u64),
            Form::Lines(last) if last.elapsed() >= PERIOD => {
                *last = Instant::now();
                self.ui.note(&format!("{}: {done} of {}", self.what, self.total));
            }
            Form::Lines(_) | Form::Silent => {}
        }
    }
}

impl Progress {
    /// Prints something beside it, which the next redraw must not overwrite.
    pub(crate) fn beside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.form {
            Form::Bar(bar) => bar.suspend(print),
            Form::Lines(_) | Form::Silent => print(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Form::Bar(bar) = &self.form {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_bar_can_be_drawn() {
        assert_eq!(super::bar("copies", 3).length(), Some(3));
    }
}
