//! Quotes words for the shells of this system, and takes a command apart.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::printable::is_printable;

/// Joins words to a command line, each quoted on its own.
pub(crate) fn joined<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| quoted(word.as_ref()).into_owned()).collect();
    words.join(" ")
}

/// Splits a command that a user has set for this system's shell; none if a quotation mark is missing.
pub(crate) fn split(command: &str) -> Option<Vec<String>> {
    if cfg!(windows) { split_for_windows(command) } else { shell_words::split(command).ok() }
}

/// Splits at blanks outside of `"`. A backslash is one: it stands in every path.
fn split_for_windows(command: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut is_quoted = false;
    for char in command.chars() {
        match char {
            '"' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            char if char.is_whitespace() && !is_quoted => words.extend(word.take()),
            char => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    (!is_quoted).then_some(words)
}

/// Quotes a word so that this system's shell reads it back.
pub(crate) fn quoted(word: &str) -> Cow<'_, str> {
    if cfg!(windows) { quoted_for_windows(word) } else { quoted_for_posix(word) }
}

/// Quotes a word so that cmd.exe, PowerShell and a POSIX shell on Windows read it back, as far as all of them can. What
/// PowerShell would put in place of `$`, it leaves in `'`, which to cmd.exe are part of a harmless word. What cmd.exe would
/// run or replace becomes `?`: there is no way to write it that is safe in both.
fn quoted_for_windows(word: &str) -> Cow<'_, str> {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "_@+=:./-…".contains(char);
    if !word.is_empty() && !word.starts_with(['=', '@']) && word.chars().all(is_plain) {
        return word.into();
    }
    let is_unsafe = |char: char| "\"%".contains(char) || !is_printable(char.encode_utf8(&mut [0; 4]));
    let safe: String = word.chars().map(|char| if is_unsafe(char) { '?' } else { char }).collect();
    if !safe.contains(['$', '`', '!']) {
        // A backslash at the end would take the quotation mark into the word.
        let end = if safe.ends_with('\\') { "\\" } else { "" };
        return format!("\"{safe}{end}\"").into();
    }
    let safe = safe.replace(['\'', '&', '|', '<', '>', '^', '(', ')'], "?");
    format!("'{safe}'").into()
}

/// Quotes a word so that a POSIX shell reads it back. A word with a character that is unsafe to show is
/// written as `$'…'` (POSIX.1-2024, 2.2.4): an escape in plain quotation marks would be another word.
fn quoted_for_posix(word: &str) -> Cow<'_, str> {
    // `shell_words` quotes more than is needed.
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "_@%+=:,./-…".contains(char);
    // zsh takes `=word` for the path of a program.
    if !word.is_empty() && !word.starts_with('=') && word.chars().all(is_plain) {
        return word.into();
    }
    if is_printable(word) {
        return shell_words::quote(word);
    }
    let mut text = "$'".to_owned();
    for char in word.chars() {
        match char {
            '\'' | '\\' => text.extend(['\\', char]),
            ' '..='~' => text.push(char),
            _ => char.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| {
                // A String accepts every text.
                let _ = write!(text, "\\{byte:03o}");
            }),
        }
    }
    text.push('\'');
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_cannot_be_shown_stays_the_same_word() {
        assert_eq!(quoted_for_posix("a\tb"), "$'a\\011b'");
        assert_eq!(quoted_for_posix("a\u{1b}'\\\n"), "$'a\\033\\'\\\\\\012'");
        assert_eq!(quoted_for_posix("a\u{202e}9"), "$'a\\342\\200\\2569'");
        assert!(
            ["\u{7f}", "\u{9b}", "\u{200b}", "\u{2028}"].iter().all(|text| quoted_for_posix(text).is_ascii())
        );
    }

    #[test]
    fn a_word_on_windows_is_quoted_for_each_of_its_shells() {
        for (word, shown) in [
            ("team-a", "team-a"),
            ("--context=a", "--context=a"),
            (r"C:\Users\a b\x.json", r#""C:\Users\a b\x.json""#),
            (r"C:\x\", r#""C:\x\\""#),
            ("", r#""""#),
            ("a,b", r#""a,b""#),
            ("@a", r#""@a""#),
            ("a;b&c", r#""a;b&c""#),
            ("a$b", "'a$b'"),
            ("it's", r#""it's""#),
        ] {
            assert_eq!(quoted_for_windows(word), shown);
        }
    }

    #[test]
    fn a_name_that_a_shell_on_windows_would_run_is_not_shown_as_it_is() {
        for (word, shown) in [
            (r#"x"&calc&""#, r#""x?&calc&?""#),
            ("x'$(calc)'", "'x?$?calc??'"),
            ("`calc&calc`", "'`calc?calc`'"),
            ("%PATH%", r#""?PATH?""#),
            ("a\nb", r#""a?b""#),
        ] {
            assert_eq!(quoted_for_windows(word), shown);
        }
    }

    #[test]
    fn an_editor_on_windows_keeps_its_backslashes() {
        let split = |command| split_for_windows(command).map(|words| words.join("|"));
        assert_eq!(split(r"C:\w\ed.exe").as_deref(), Some(r"C:\w\ed.exe"));
        assert_eq!(
            split(r#""C:\Program Files\ed.exe" --wait  -n"#).as_deref(),
            Some(r"C:\Program Files\ed.exe|--wait|-n")
        );
        assert_eq!(split(r#"ed "" x"#).as_deref(), Some("ed||x"));
        assert_eq!(split("  ").as_deref(), Some(""));
        assert_eq!(split(r#"ed "x"#), None);
    }
}
