//! Sets the terminal's modes while a question is open or another program uses it, and restores them.

use std::ffi::OsStr;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use console::Term;
#[cfg(unix)]
use nix::sys::termios::{LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr};

#[cfg(windows)]
use super::keyboard;

/// The open question. It is global because a panic ends the program without dropping a guard.
#[cfg(unix)]
static OPEN: Mutex<Option<Open>> = Mutex::new(None);

/// Set while the terminal marks what is pasted.
static MARKS_PASTES: AtomicBool = AtomicBool::new(false);

/// The console's modes before the open question.
#[cfg(windows)]
static OPEN: Mutex<Option<u32>> = Mutex::new(None);

#[cfg(unix)]
struct Open {
    /// The terminal's modes before the question.
    before: Termios,
    /// Its modes during the question, for a stopped program that continues.
    during: Termios,
    /// The question's text on the screen, which a shell may overwrite while the program is stopped.
    drawn: String,
}

/// Switches the marks around a paste on, and off.
#[cfg(unix)]
const MARKS: &str = "\u{1b}[?2004h";
const NO_MARKS: &str = "\u{1b}[?2004l";

/// Reports whether the terminal can't move its cursor, as far as it says.
pub(super) fn is_simple() -> bool {
    let term = std::env::var_os("TERM");
    // Asking it switches on what it needs for colours and for a cursor that moves.
    cannot_draw(term.as_deref(), cfg!(windows).then(|| Term::stderr().features().colors_supported()))
}

/// Returns true for a terminal that can't draw, by its `TERM`, and on Windows, where that is usually unset, by what its
/// console says.
fn cannot_draw(term: Option<&OsStr>, console: Option<bool>) -> bool {
    match (term, console) {
        (Some(term), _) => term == "dumb",
        (None, draws) => draws != Some(true),
    }
}

/// Restores echo, line mode and cursor when dropped.
pub(super) struct TerminalGuard {
    echo: Echo,
    cursor: Cursor,
}

/// The cursor's position.
#[derive(PartialEq, Eq)]
enum Cursor {
    /// After a question.
    InALine,
    /// At the start of a line of its own.
    Free,
}

/// Tells who shows what is typed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Echo {
    /// The terminal itself, which edits the line too.
    Terminal,
    /// The prompt, or nobody: the terminal would also show what is typed or pasted between two keys.
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
            let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &during);
        }
        #[cfg(windows)]
        if echo == Echo::Off
            && let Ok(before) = keyboard::for_keys()
        {
            *OPEN.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        }
        Self { echo, cursor: Cursor::InALine }
    }

    /// Marks the question as answered or left; its line has ended.
    pub(super) fn question_is_over(&mut self) {
        self.cursor = Cursor::Free;
    }
}

/// Returns modes in which Ctrl-Z and Ctrl-\ do nothing: a shell continues a stopped program with the echo on,
/// which would show what is typed. Without echo, Ctrl-C is a key like the others, which ends the question; a
/// shell script that runs this program does not get it.
#[cfg(unix)]
fn prepared(mut modes: Termios, echo: Echo) -> Termios {
    // Linux and macOS have different values for "no character".
    const DISABLED: u8 = if cfg!(target_os = "linux") { 0 } else { 0xff };
    for key in [SpecialCharacterIndices::VSUSP, SpecialCharacterIndices::VQUIT] {
        modes.control_chars[key as usize] = DISABLED;
    }
    if echo == Echo::Off {
        // On macOS, the extensions have a second key that stops a program: Ctrl-Y.
        modes.control_chars[SpecialCharacterIndices::VINTR as usize] = DISABLED;
        modes.local_flags.remove(LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::IEXTEN);
        modes.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
        modes.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
    }
    modes
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        restore_modes();
        // A terminal that edits the line itself never hid its cursor, and may not know the code.
        if self.echo == Echo::Off {
            show_cursor();
        }
        if self.cursor == Cursor::InALine {
            // A signal came in between: the next message begins a line.
            let _ = Term::stderr().write_line("");
        }
    }
}

/// Restores everything, if there is a terminal.
pub(super) fn restore() {
    restore_modes();
    show_cursor();
}

pub(super) fn restore_modes() {
    if MARKS_PASTES.swap(false, Ordering::SeqCst) {
        let _ = Term::stderr().write_str(NO_MARKS);
    }
    // Not `lock`: a panicking thread may hold it.
    #[cfg(unix)]
    if let Some(open) = OPEN.try_lock().ok().and_then(|mut open| open.take()) {
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &open.before);
    }
    #[cfg(windows)]
    if let Some(before) = OPEN.try_lock().ok().and_then(|mut open| open.take()) {
        let _ = keyboard::set_modes(before);
    }
}

/// Has the terminal mark what is pasted, until the question is over. One that can't ignores it.
#[cfg(unix)]
pub(super) fn mark_pastes() -> io::Result<()> {
    MARKS_PASTES.store(true, Ordering::SeqCst);
    Term::stderr().write_str(MARKS)
}

/// Writes the open question's text to the screen and remembers it.
pub(super) fn draw(terminal: &Term, text: &str) -> io::Result<()> {
    remember(text);
    terminal.write_str(text)
}

/// Remembers the open question's text on the screen.
pub(super) fn remember(text: &str) {
    #[cfg(unix)]
    if let Some(open) = &mut *OPEN.lock().unwrap_or_else(PoisonError::into_inner) {
        text.clone_into(&mut open.drawn);
    }
    #[cfg(not(unix))]
    let _ = text;
}

/// Leaves the terminal to the shell while the program is stopped.
#[cfg(unix)]
pub(super) fn step_back() {
    let Some(open) = &mut *OPEN.lock().unwrap_or_else(PoisonError::into_inner) else { return };
    if let Ok(during) = tcgetattr(io::stdin()) {
        open.during = during;
    }
    let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &open.before);
    if MARKS_PASTES.load(Ordering::SeqCst) {
        let _ = Term::stderr().write_str(NO_MARKS);
    }
    let _ = Term::stderr().write_line("");
    show_cursor();
}

/// Takes the terminal back and redraws the open question.
#[cfg(unix)]
pub(super) fn come_back() {
    let Some(open) = &mut *OPEN.lock().unwrap_or_else(PoisonError::into_inner) else { return };
    // In the background this stops the program again, until the shell gives it the terminal.
    let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &open.during);
    let marks = if MARKS_PASTES.load(Ordering::SeqCst) { MARKS } else { "" };
    let _ = Term::stderr().write_str(&format!("{marks}\r{}", open.drawn));
}

fn show_cursor() {
    let terminal = Term::stderr();
    if terminal.is_term() {
        let _ = terminal.show_cursor();
    }
}

/// Restores the terminal's modes when dropped, if there is a terminal: a program that is ended from outside
/// may leave it in the modes that it draws with.
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
            let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, modes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_of_windows_needs_no_variable_to_draw_lists() {
        assert!(cannot_draw(None, None));
        assert!(cannot_draw(Some(OsStr::new("dumb")), Some(true)));
        assert!(cannot_draw(None, Some(false)));
        assert!(!cannot_draw(None, Some(true)));
        assert!(!cannot_draw(Some(OsStr::new("xterm")), None));
    }
}
