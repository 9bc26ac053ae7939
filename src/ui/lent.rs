//! The terminal while another program has it: one that is ended from outside may leave it as it was drawing in it.

#[cfg(unix)]
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// Puts the terminal's modes back when it goes, where there is a terminal.
pub(crate) struct LentTerminal {
    #[cfg(unix)]
    before: Option<Termios>,
}

impl LentTerminal {
    pub(crate) fn new() -> Self {
        Self {
            #[cfg(unix)]
            before: tcgetattr(std::io::stdin()).ok(),
        }
    }
}

#[cfg(unix)]
impl Drop for LentTerminal {
    fn drop(&mut self) {
        if let Some(modes) = &self.before {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, modes);
        }
    }
}
