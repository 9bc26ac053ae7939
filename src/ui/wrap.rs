//! Breaks text into lines between words.

use console::measure_text_width;

/// Breaks a text into lines that are at most `width` columns wide, except for a longer word.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if measure_text_width(line) + 1 + measure_text_width(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_between_words() {
        assert_eq!(wrapped("keys A, B and C", 9), ["keys A, B", "and C"]);
        assert_eq!(wrapped("a-word-that-is-longer so", 5), ["a-word-that-is-longer", "so"]);
        assert!(wrapped("", 9).is_empty());
    }
}
