//! The terminal's modes while a question is open, and how they come back.

#[cfg(unix)]
use std::sync::Mutex;

use console::Term;
#[cfg(unix)]
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

/// The modes before the question that is open. A panic ends the program where it is, and no guard is dropped then.
#[cfg(unix)]
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// Puts echo, line mode and cursor back when it goes.
pub(super) struct TerminalGuard {
    echo: Echo,
    cursor: Cursor,
}

/// Where the cursor stands.
#[derive(PartialEq, Eq)]
enum Cursor {
    /// Behind a question.
    InALine,
    /// At the start of a line of its own.
    Free,
}

/// Who shows what is typed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Echo {
    /// The terminal itself, which edits the line too.
    Terminal,
    /// The prompt, or nobody: between two keys the terminal would show what is typed or pasted meanwhile.
    Off,
}

impl TerminalGuard {
    pub(super) fn new(echo: Echo) -> Self {
        #[cfg(unix)]
        if let Ok(modes) = tcgetattr(std::io::stdin()) {
            if let Ok(mut before) = BEFORE.lock() {
                *before = Some(modes.clone());
            }
            prepare(modes, echo);
        }
        Self { echo, cursor: Cursor::InALine }
    }

    /// The question is answered or left, and has ended its line.
    pub(super) fn question_is_over(&mut self) {
        self.cursor = Cursor::Free;
    }
}

/// Has Ctrl-Z do nothing: a shell brings a stopped program back with the echo on, and what is typed then is seen. Ctrl-\
/// neither: it would leave the terminal as it is, and a core file with all that was typed.
#[cfg(unix)]
fn prepare(mut modes: Termios, echo: Echo) {
    // Linux and macOS have different values for "no character".
    const DISABLED: u8 = if cfg!(target_os = "linux") { 0 } else { 0xff };
    for key in [SpecialCodeIndex::VSUSP, SpecialCodeIndex::VQUIT] {
        modes.special_codes[key] = DISABLED;
    }
    if echo == Echo::Off {
        // macOS has a second key that stops a program, Ctrl-Y, with the extensions.
        modes.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::IEXTEN);
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
    }
    let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &modes);
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        restore_modes();
        // A terminal that edits the line itself had its cursor all the time, and may know no such code.
        if self.echo == Echo::Off {
            show_cursor();
        }
        if self.cursor == Cursor::InALine {
            // A signal came between: what is said next begins a line.
            let _ = Term::stderr().write_line("");
        }
    }
}

/// Puts all back, where there is a terminal.
pub(super) fn restore() {
    restore_modes();
    show_cursor();
}

fn restore_modes() {
    // Not `lock`: whoever panics may hold it.
    #[cfg(unix)]
    if let Some(modes) = BEFORE.try_lock().ok().and_then(|mut before| before.take()) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &modes);
    }
}

fn show_cursor() {
    let terminal = Term::stderr();
    if terminal.is_term() {
        let _ = terminal.show_cursor();
    }
}
