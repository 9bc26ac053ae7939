//! The terminal's modes while a question is open or another program has it, and how they come back.

use std::io;
#[cfg(unix)]
use std::sync::{Mutex, PoisonError};

use console::Term;
#[cfg(unix)]
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

/// The question that is open. A panic ends the program where it is, and no guard is dropped then.
#[cfg(unix)]
static OPEN: Mutex<Option<Open>> = Mutex::new(None);

#[cfg(unix)]
struct Open {
    /// The terminal's modes before it.
    before: Termios,
    /// Its modes while it is open, for when a stopped program goes on.
    during: Termios,
    /// What is on the screen of it, for a shell that writes over it while the program is stopped.
    drawn: String,
}

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
        if let Ok(before) = tcgetattr(io::stdin()) {
            let during = prepared(before.clone(), echo);
            let drawn = String::new();
            *OPEN.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(Open { before, during: during.clone(), drawn });
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &during);
        }
        Self { echo, cursor: Cursor::InALine }
    }

    /// The question is answered or left, and has ended its line.
    pub(super) fn question_is_over(&mut self) {
        self.cursor = Cursor::Free;
    }
}

/// Modes in which Ctrl-Z does nothing: a shell brings a stopped program back with the echo on, and what is typed then is
/// seen. Ctrl-\ neither. Without echo Ctrl-C is a key like the others, which the question ends by; a shell script that runs
/// this program does not get it.
#[cfg(unix)]
fn prepared(mut modes: Termios, echo: Echo) -> Termios {
    // Linux and macOS have different values for "no character".
    const DISABLED: u8 = if cfg!(target_os = "linux") { 0 } else { 0xff };
    for key in [SpecialCodeIndex::VSUSP, SpecialCodeIndex::VQUIT] {
        modes.special_codes[key] = DISABLED;
    }
    if echo == Echo::Off {
        // macOS has a second key that stops a program, Ctrl-Y, with the extensions.
        modes.special_codes[SpecialCodeIndex::VINTR] = DISABLED;
        modes.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::IEXTEN);
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
    }
    modes
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

pub(super) fn restore_modes() {
    // Not `lock`: whoever panics may hold it.
    #[cfg(unix)]
    if let Some(open) = OPEN.try_lock().ok().and_then(|mut open| open.take()) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &open.before);
    }
}

/// Writes what is on the screen of the open question from now on.
pub(super) fn draw(terminal: &Term, text: &str) -> io::Result<()> {
    remember(text);
    terminal.write_str(text)
}

/// This is on the screen of the open question.
pub(super) fn remember(text: &str) {
    #[cfg(unix)]
    if let Some(open) = &mut *OPEN.lock().unwrap_or_else(PoisonError::into_inner) {
        text.clone_into(&mut open.drawn);
    }
    #[cfg(not(unix))]
    let _ = text;
}

/// Leaves the terminal to the shell for as long as the program is stopped.
#[cfg(unix)]
pub(super) fn step_back() {
    let Some(open) = &mut *OPEN.lock().unwrap_or_else(PoisonError::into_inner) else { return };
    if let Ok(during) = tcgetattr(io::stdin()) {
        open.during = during;
    }
    let _ = tcsetattr(io::stdin(), OptionalActions::Now, &open.before);
    let _ = Term::stderr().write_line("");
    show_cursor();
}

/// Takes the terminal again, with the question that is open.
#[cfg(unix)]
pub(super) fn come_back() {
    let Some(open) = &mut *OPEN.lock().unwrap_or_else(PoisonError::into_inner) else { return };
    // In the background this stops the program again, until the shell hands it the terminal.
    let _ = tcsetattr(io::stdin(), OptionalActions::Now, &open.during);
    let _ = Term::stderr().write_str(&format!("\r{}", open.drawn));
}

fn show_cursor() {
    let terminal = Term::stderr();
    if terminal.is_term() {
        let _ = terminal.show_cursor();
    }
}

/// Puts the terminal's modes back when it goes, where there is a terminal.
/// One that is ended from outside may leave it as it was drawing in it.
pub(crate) struct SavedTerminal {
    #[cfg(unix)]
    before: Option<Termios>,
}

impl SavedTerminal {
    pub(crate) fn new() -> Self {
        Self {
            #[cfg(unix)]
            before: tcgetattr(io::stdin()).ok(),
        }
    }
}

#[cfg(unix)]
impl Drop for SavedTerminal {
    fn drop(&mut self) {
        if let Some(modes) = &self.before {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, modes);
        }
    }
}
