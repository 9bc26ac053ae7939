//! The terminal's modes while a question is open, and how they come back.

use console::Term;
#[cfg(unix)]
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

/// Puts echo, line mode and cursor back when it goes.
pub(super) struct TerminalGuard {
    echo: Echo,
    #[cfg(unix)]
    modes: Option<Termios>,
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
        {
            let modes = tcgetattr(std::io::stdin()).ok();
            if let Some(modes) = &modes {
                prepare(modes.clone(), echo);
            }
            Self { echo, modes }
        }
        #[cfg(not(unix))]
        Self { echo }
    }
}

/// Has Ctrl-Z do nothing: a shell brings a stopped program back with the echo on, and what is typed then is seen.
#[cfg(unix)]
fn prepare(mut modes: Termios, echo: Echo) {
    // Linux and macOS have different values for "no character".
    const DISABLED: u8 = if cfg!(target_os = "linux") { 0 } else { 0xff };
    modes.special_codes[SpecialCodeIndex::VSUSP] = DISABLED;
    if echo == Echo::Off {
        modes.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON);
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
    }
    let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &modes);
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(modes) = &self.modes {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, modes);
        }
        // A terminal that edits the line itself had its cursor all the time, and may know no such code.
        if self.echo == Echo::Off {
            restore();
        }
    }
}

/// Shows the cursor again, where there is a terminal.
pub(super) fn restore() {
    let terminal = Term::stderr();
    if terminal.is_term() {
        let _ = terminal.show_cursor();
    }
}
