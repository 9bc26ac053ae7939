//! Writes to standard output and standard error, each time in one write.

use std::io::{self, Write};

use console::Style;

use crate::error::{Error, Result};
use crate::printable::printable;

/// Writes to standard output, byte for byte. A reader that has gone away (`| head`) is not an error.
///
/// # Errors
/// Standard output can't be written to, for another reason.
pub(crate) fn write_data(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::failed(format!("can't write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes to standard error. If that fails, there is nowhere left to report it.
pub(crate) fn write_error(text: &str) {
    // In one write: `writeln!` would make several, and others write to the same terminal.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Writes a labelled line to standard error. If that fails, there is nowhere left to report it.
pub(super) fn say(style: &Style, label: &str, message: &str) {
    write_error(&line(style, label, message));
}

/// Returns a line with its label, as it is written to standard error.
pub(super) fn line(style: &Style, label: &str, message: &str) -> String {
    if label.is_empty() {
        return format!("{}\n", printable(message));
    }
    // A label may be a server's word too, as in `Error from server (REASON):`.
    format!("{} {}\n", style.clone().for_stderr().apply_to(printable(label)), printable(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_of_a_servers_can_not_disturb_the_terminal() {
        let said = line(&Style::new(), "Error from server (a\u{1b}[31m\t\0\u{202e}b):", "x\u{1b}y");
        assert!(!said.contains(['\u{1b}', '\t', '\0', '\u{202e}']), "{said:?}");
        assert!(said.starts_with("Error from server (a") && said.ends_with("y\n"), "{said:?}");
    }
}
