//! Values that can hardly be what is meant: what was copied with more around it, or in the place of a value.
//!
//! A doubt is said, and never changes a value: a program may want just this one.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::name::is_env_name;

/// The least length of a text that is found in base64. A shorter one may be there by chance.
const LEAST_TEXT: usize = 12;

/// In bytes. What is longer was made by a program.
const LONGEST_PLACEHOLDER: usize = 64;

/// The words in the place of a value, in lower case and without `-` and `_`.
const PLACEHOLDERS: [&str; 14] = [
    "replaceme",
    "changeme",
    "todo",
    "tbd",
    "xxx",
    "yourtoken",
    "yourapikey",
    "yourkey",
    "yourpassword",
    "yoursecret",
    "mytoken",
    "myapikey",
    "inserttokenhere",
    "redacted",
];

/// What programs print where there is nothing, such as `jq -r .token` and the command line of AWS.
const WORDS_FOR_NOTHING: [&str; 3] = ["null", "undefined", "None"];

/// The reason for a doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// `"hf_…"`: programs other than shells and readers of dotenv files keep the quotes.
    Quoted,
    /// `<your-token>`, `REPLACE_ME`, `$HF_TOKEN`, `null`.
    Placeholder,
    /// Base64 of a text: someone encoded it as a manifest wants it, and it is encoded once more.
    Encoded,
    /// Some lines `VAR=value`.
    Variables,
}

impl Doubt {
    /// Returns the first reason to doubt a value. Line ends and blanks around it do not count.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?.trim();
        if text.contains('\n') {
            return is_file_of_variables(text).then_some(Self::Variables);
        }
        [
            (Self::Quoted, is_quoted(text)),
            (Self::Placeholder, is_placeholder(text)),
            (Self::Encoded, is_encoded(text)),
        ]
        .into_iter()
        .find_map(|(doubt, is_so)| is_so.then_some(doubt))
    }
}

/// Completes `the value of KEY …`.
impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quoted => "is in quotes, which are part of it",
            Self::Placeholder => "is a placeholder, and no value",
            Self::Encoded => {
                "is base64 of a text: nobody decodes it, since Kubernetes encodes values by itself"
            }
            Self::Variables => "is a whole file of variables; --from-dotenv makes a key of each",
        })
    }
}

fn is_quoted(text: &str) -> bool {
    ['"', '\''].iter().any(|quote| {
        let inner = text.strip_prefix(*quote).and_then(|text| text.strip_suffix(*quote));
        inner.is_some_and(|inner| !inner.is_empty() && !inner.contains(*quote))
    })
}

fn is_placeholder(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.chars().all(|char| char.is_ascii_alphanumeric() || " _-".contains(char))
    };
    let within = |start, end| text.strip_prefix(start).and_then(|text: &str| text.strip_suffix(end));
    if within("<", ">").is_some_and(is_word) || within("${", "}").is_some_and(is_env_name) {
        return true;
    }
    if text.strip_prefix('$').is_some_and(is_name_in_capitals) {
        return true;
    }
    if text.len() > LONGEST_PLACEHOLDER {
        return false;
    }
    let plain = text.to_lowercase().replace(['-', '_'], "");
    PLACEHOLDERS.contains(&plain.as_str())
        || WORDS_FOR_NOTHING.contains(&text)
        || (plain.len() > 2 && plain.chars().all(|char| matches!(char, 'x' | '*' | '.' | '…')))
}

/// Recognizes `HF_TOKEN`. A password may begin with a dollar sign, and has small letters or no underscore.
fn is_name_in_capitals(text: &str) -> bool {
    text.contains('_')
        && text.chars().all(|char| char.is_ascii_uppercase() || char.is_ascii_digit() || char == '_')
}

fn is_encoded(text: &str) -> bool {
    // All hexadecimal digits are base64 too, and no text.
    let Ok(decoded) = BASE64_STANDARD.decode(text).map(Zeroizing::new) else { return false };
    decoded.len() >= LEAST_TEXT && decoded.trim_ascii_end().iter().all(u8::is_ascii_graphic)
}

fn is_file_of_variables(text: &str) -> bool {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut count = 0;
    for line in lines {
        let line = line.strip_prefix("export ").unwrap_or(line);
        if !line.split_once('=').is_some_and(|(name, _)| is_env_name(name)) {
            return false;
        }
        count += 1;
    }
    count > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_place_of_a_value_is_recognized() {
        for (value, doubt) in [
            ("\"hf_abc\"", Doubt::Quoted),
            ("'hf_abc'\n", Doubt::Quoted),
            ("<your-token>", Doubt::Placeholder),
            ("<TOKEN>", Doubt::Placeholder),
            ("REPLACE_ME", Doubt::Placeholder),
            ("change-me", Doubt::Placeholder),
            ("xxxxxxxx", Doubt::Placeholder),
            ("***", Doubt::Placeholder),
            ("null\n", Doubt::Placeholder),
            ("<no value>", Doubt::Placeholder),
            ("${HF_TOKEN}", Doubt::Placeholder),
            ("$HF_TOKEN", Doubt::Placeholder),
            ("aGZfYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo=", Doubt::Encoded),
            ("aGZfYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoK\n", Doubt::Encoded),
            ("A=1\nexport B=2\n\n# a remark\nC=3\n", Doubt::Variables),
        ] {
            assert_eq!(Doubt::of(value.as_bytes()), Some(doubt), "{value}");
        }
    }

    #[test]
    fn what_may_well_be_a_value_is_not_doubted() {
        for value in [
            "",
            "hf_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3z",
            "\"a\" and \"b\"",
            "\"",
            "none",
            "x",
            "xx",
            "$ecret",
            "$2b$12$abcdefghijklmnopqrstuv",
            "$UPPER",
            "<a href=\"x\">",
            "0123456789abcdef0123456789abcdef01234567",
            "deadbeefdeadbeefdeadbeefdeadbeef",
            "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY",
            "dGVzdA==",
            "A=1",
            "A=1\nnot a variable\n",
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
            "{\"a\": \"b\"}",
        ] {
            assert_eq!(Doubt::of(value.as_bytes()), None, "{value}");
        }
        assert_eq!(Doubt::of(b"\xff\xfe\"\0"), None);
    }
}
