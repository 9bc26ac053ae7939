//! Foreign texts, made short and safe to show.

use crate::printable::printable;

/// The most logins, certificates and names of each that are told.
pub(super) const MOST: usize = 20;

/// The longest text, in characters.
pub(super) const LONGEST: usize = 200;

/// The longest value that is looked at as a line of text, in bytes: tokens are shorter.
pub(super) const LONGEST_LINE: usize = 64 << 10;

/// Makes a foreign text short, and safe to show.
pub(super) fn cleaned(text: &str) -> String {
    let short: String = text.chars().take(LONGEST).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{}{more}", printable(&short))
}

/// Returns an address without user and password.
pub(super) fn without_user(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, rest)| rest)
}
