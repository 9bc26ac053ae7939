//! A labelled line on standard error.

use std::io::{self, Write};

use console::Style;

use crate::printable::printable;

/// Writes a labelled line to standard error. There is nobody left to tell if that fails.
pub(super) fn say(style: &Style, label: &str, message: &str) {
    // At once: `writeln!` would write it in pieces, and others write to the same terminal.
    let _ = io::stderr().write_all(line(style, label, message).as_bytes());
}

/// A line with its label, as it goes to standard error.
pub(super) fn line(style: &Style, label: &str, message: &str) -> String {
    let label = style.clone().for_stderr().apply_to(label);
    let space = if label.to_string().is_empty() { "" } else { " " };
    format!("{label}{space}{}\n", printable(message))
}
