//! Foreign text, made safe to show: names of files, keys and objects, answers of a server.

use std::borrow::Cow;

/// Escapes every character that could move the cursor, end the line or reorder it.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if is_printable(text) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if disturbs(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// Returns true if the text can be shown as it is.
pub(crate) fn is_printable(text: &str) -> bool {
    !text.chars().any(disturbs)
}

/// Returns true for a character with an effect beyond its place: control characters, line ends, characters
/// without width, and those that reorder text (Unicode UAX #9, section 2).
pub(crate) fn disturbs(c: char) -> bool {
    let unseen = matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}');
    c.is_control() || unseen
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn a_name_cannot_write_to_the_clipboard_reverse_the_line_or_begin_another() {
        assert_eq!(printable("a\u{1b}]52;c;eA==\u{7}b"), "a\\u{1b}]52;c;eA==\\u{7}b");
        assert_eq!(printable("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(printable("a\nhint: b"), "a\\nhint: b");
        assert_eq!(printable("dir/my file's \"é\".txt"), "dir/my file's \"é\".txt");
    }
}
