//! Foreign texts, made short and safe to show.

use crate::printable::printable;
use crate::secret::looks_like_a_token;

/// The most logins, certificates and names of each that are told.
pub(super) const MOST: usize = 20;

/// The longest text, in characters.
pub(super) const LONGEST: usize = 200;

/// The longest value that is looked at as a line of text, in bytes: tokens are shorter.
pub(super) const LONGEST_LINE: usize = 64 << 10;

/// Makes a foreign text short, and safe to show: what looks like a token in it is `…`.
pub(super) fn cleaned(text: &str) -> String {
    let text = without_tokens(text);
    let short: String = text.chars().take(LONGEST).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{}{more}", printable(&short))
}

fn without_tokens(text: &str) -> String {
    let is_end = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let shown = |part: &str| {
        let word = part.trim_end_matches(is_end);
        // Signed JSON has dots inside, and a host has names between them.
        let hides = looks_like_a_token(word) || word.split('.').any(looks_like_a_token);
        if hides { format!("…{}", &part[word.len()..]) } else { part.to_owned() }
    };
    text.split_inclusive(is_end).map(shown).collect()
}

/// Returns an address without user, password and query.
pub(super) fn address(text: &str) -> &str {
    match (text.find(['?', '#']), text.rfind('@')) {
        // A password may have a '?' inside, and a query an '@': nobody can tell them apart.
        (Some(query), Some(at)) if at > query => "…",
        (query, at) => &text[at.map_or(0, |at| at + 1)..query.unwrap_or(text.len())],
    }
}
