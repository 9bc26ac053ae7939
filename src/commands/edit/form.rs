//! Writes and reads the editor's text: the value of one key as it is, or all keys whose values are text,
//! below a head of comments.
//!
//! Later comments of this program, about mistakes and about changes by others, stand at the top. They begin
//! with a mark of their own, so that new ones replace them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::error::Error;
use crate::secret::string_data::{self, Mistake, is_editable};
use crate::secret::{self, Changes, SecretValue};
use crate::wording::plural;

const MARK: &str = "# >> ";
/// How many mistakes are shown at a time, and how many of the omitted keys are named.
const LISTED: usize = 10;

pub(super) type Values = BTreeMap<String, SecretValue>;

pub(super) enum Form {
    /// The value of this key alone, byte for byte.
    OneKey(String),
    /// All keys except these.
    AllBut(BTreeSet<String>),
}

impl Form {
    /// Shows all keys that can be edited as text.
    pub(super) fn all(values: &Values) -> Self {
        let left_out = values.iter().filter(|(_, value)| !is_editable(value));
        Self::AllBut(left_out.map(|(key, _)| key.clone()).collect())
    }

    /// Returns the form for editing changes again, in which there is room for comments.
    pub(super) fn with_comments(&self, changes: &Changes, now: &Values) -> Self {
        let mut left_out: BTreeSet<String> = match self {
            Self::OneKey(only) => now.keys().filter(|key| *key != only).cloned().collect(),
            Self::AllBut(_) => {
                let binary = now.iter().filter(|(_, value)| !is_editable(value));
                binary.map(|(key, _)| key.clone()).collect()
            }
        };
        left_out.retain(|key| !changes.entries().contains_key(key.as_str()));
        Self::AllBut(left_out)
    }

    pub(super) fn file_name(&self) -> &str {
        match self {
            Self::OneKey(key) => key,
            // Editors highlight YAML by this extension. The secret's own name may be too long for a file
            // name.
            Self::AllBut(_) => "secret.yaml",
        }
    }

    /// Returns the keys that the text shows.
    pub(super) fn shown(&self, values: &Values) -> BTreeSet<String> {
        match self {
            Self::OneKey(key) => BTreeSet::from([key.clone()]),
            Self::AllBut(left_out) => values.keys().filter(|key| !left_out.contains(*key)).cloned().collect(),
        }
    }

    /// Returns the text of a secret, which `place` names in a sentence.
    pub(super) fn text(&self, place: &str, values: &Values) -> SecretValue {
        match self {
            Self::OneKey(key) => {
                string_data::joined(&[values.get(key).map(SecretValue::expose).unwrap_or_default()])
            }
            Self::AllBut(left_out) => {
                let shown = values.iter().filter(|(key, _)| !left_out.contains(*key));
                let shown = shown.map(|(key, value)| (key.as_str(), value)).collect();
                with_head(&head(place, left_out), &shown)
            }
        }
    }

    /// Returns the text of changes that conflict with changes of others, with theirs in comments.
    pub(super) fn disputed_text(&self, place: &str, dispute: &Dispute<'_>) -> SecretValue {
        let Self::AllBut(left_out) = self else { return self.text(place, dispute.now) };
        let shown = dispute.now.iter().filter(|(key, _)| !left_out.contains(*key));
        let mut shown: BTreeMap<&str, &SecretValue> =
            shown.map(|(key, value)| (key.as_str(), value)).collect();
        for (key, value) in dispute.changes.entries() {
            match value {
                Some(value) => drop(shown.insert(key, value)),
                None => drop(shown.remove(key)),
            }
        }
        let text = with_head(&head(place, left_out), &shown);
        string_data::joined(&[dispute.comments().expose(), text.expose()])
    }

    /// Reads the values of an edited text.
    pub(super) fn read(&self, text: &SecretValue) -> Result<Values, Vec<Mistake>> {
        match self {
            Self::OneKey(key) => Ok(BTreeMap::from([(key.clone(), string_data::joined(&[text.expose()]))])),
            Self::AllBut(left_out) => string_data::read(text.expose(), |key| left_out.contains(key)),
        }
    }

    /// Reports whether the text is empty but for comments, which cancels an edit, as with kubectl.
    pub(super) fn is_given_up(&self, text: &SecretValue) -> bool {
        let says_nothing = |line: &[u8]| matches!(line.trim_ascii_start().first(), None | Some(b'#'));
        matches!(self, Self::AllBut(_)) && text.expose().split(|byte| *byte == b'\n').all(says_nothing)
    }

    /// Returns the key whose value the text would leave without a visible character; none if it had none.
    pub(super) fn emptied_key(&self, text: &SecretValue, before: &Values) -> Option<&str> {
        let Self::OneKey(key) = self else { return None };
        let had_one = before.get(key).is_some_and(|value| !secret::is_blank(value));
        (had_one && secret::is_blank(text)).then_some(key)
    }
}

/// Changes of which some are to keys that somebody else changed too.
pub(super) struct Dispute<'a> {
    pub(super) changes: &'a Changes,
    pub(super) disputed: &'a [String],
    /// The current values.
    pub(super) now: &'a Values,
}

impl Dispute<'_> {
    fn comments(&self) -> SecretValue {
        let mine = self.changes.entries();
        let mut comments = string_data::joined(&[]);
        for key in self.disputed {
            let yours = match mine.get(key.as_str()) {
                Some(Some(_)) => "below is your value",
                _ => "you took it out",
            };
            let theirs = self.now.get(key);
            let editable = theirs.filter(|value| is_editable(value)).map(|value| (key.as_str(), value));
            let what = match (theirs, editable) {
                (None, _) => "somebody else took it out",
                (_, None) => "somebody else's is not text",
                _ => "somebody else's is",
            };
            let line = format!("{MARK}{key}: {yours}, {what}\n");
            let theirs = string_data::text(&format!("{MARK}  "), &editable.into_iter().collect());
            comments = string_data::joined(&[comments.expose(), line.as_bytes(), theirs.expose()]);
        }
        comments
    }
}

fn with_head(head: &str, entries: &BTreeMap<&str, &SecretValue>) -> SecretValue {
    string_data::joined(&[head.as_bytes(), string_data::text("", entries).expose()])
}

fn head(place: &str, left_out: &BTreeSet<String>) -> String {
    let mut head = format!(
        "# {place}: KEY: VALUE, decoded. Change, add, rename and remove keys; save and quit to write them.\n\
         # To give up, quit without a change, or delete everything. Lines that begin with '#' are ignored.\n\
         # A value is a text, whatever it looks like: in one line, in quotes, or in indented lines below '|' (it ends\n\
         # in a newline) or '|-' (it does not).\n"
    );
    if !left_out.is_empty() {
        let some: Vec<&str> = left_out.iter().take(LISTED).map(String::as_str).collect();
        let more = if left_out.len() > LISTED { ", …" } else { "" };
        let keys = plural(left_out.len(), "key");
        let _ = writeln!(head, "# Not shown here, and kept as they are, {keys}: {}{more}", some.join(", "));
    }
    head + "#\n"
}

/// Returns the text with the mistakes at the top.
pub(super) fn marked(text: &SecretValue, mistakes: &[Mistake]) -> SecretValue {
    let mut rest = text.expose();
    let mut old = 0;
    while rest.starts_with(MARK.as_bytes()) {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
        rest = &rest[end..];
        old += 1;
    }
    let listed = &mistakes[..mistakes.len().min(LISTED)];
    let new = 1 + listed.len();
    let mut marks =
        format!("{MARK}Nothing was written yet. Correct this, or delete everything to give up:\n");
    for Mistake { line, what } in listed {
        let _ = writeln!(marks, "{MARK}line {}: {what}", (line + new).saturating_sub(old));
    }
    string_data::joined(&[marks.as_bytes(), rest])
}

/// Returns the error for a text that was not corrected.
pub(super) fn refusal(mistakes: &[Mistake]) -> Error {
    let Some(Mistake { line, what }) = mistakes.first() else {
        return Error::failed("Edit cancelled, no valid changes were saved.");
    };
    let more = match mistakes.len() {
        1 => String::new(),
        several => format!(" (and {} more)", plural(several - 1, "mistake")),
    };
    Error::failed(format!("the text can't be written: line {line}: {what}{more}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> SecretValue {
        SecretValue::from_bytes(text.as_bytes().to_vec())
    }

    fn shown(value: &SecretValue) -> &str {
        std::str::from_utf8(value.expose()).unwrap()
    }

    #[test]
    fn the_line_of_a_mistake_is_that_of_the_text_in_which_it_is_told() {
        let mistake = |line| Mistake { line, what: "wrong".to_owned() };
        let first = marked(&text("# head\na: b\nc\n"), &[mistake(3)]);
        let lines: Vec<&str> = shown(&first).lines().collect();
        assert_eq!(lines[1..], ["# >> line 5: wrong", "# head", "a: b", "c"]);
        let second = marked(&first, &[mistake(4), mistake(5)]);
        let lines: Vec<&str> = shown(&second).lines().collect();
        assert_eq!(lines[1..], ["# >> line 5: wrong", "# >> line 6: wrong", "# head", "a: b", "c"]);
    }

    #[test]
    fn a_text_of_comments_and_blank_lines_is_given_up() {
        let form = Form::all(&Values::new());
        assert!(form.is_given_up(&text("")) && form.is_given_up(&text("# a\r\n\n  # b")));
        assert!(!form.is_given_up(&text("# a\n{}\n")));
        assert!(!Form::OneKey("k".to_owned()).is_given_up(&text("")));
    }

    #[test]
    fn the_comments_on_a_dispute_show_both_sides_and_are_no_part_of_the_text() {
        let values = |entries: &[(&str, &str)]| -> Values {
            entries.iter().map(|(key, value)| ((*key).to_owned(), text(value))).collect()
        };
        let seen = values(&[("a", "1"), ("b", "x"), ("c", "x"), ("only", "x")]);
        let after = values(&[("a", "m\nine"), ("c", "mine"), ("only", "x")]);
        let now = values(&[("a", "th\neirs"), ("b", "theirs"), ("new", "theirs"), ("only", "x")]);
        let changes = Changes::between(&seen, after, &seen.keys().cloned().collect());
        let disputed = changes.disputed(&seen, &now);
        let form = Form::all(&seen).with_comments(&changes, &now);
        let dispute = Dispute { changes: &changes, disputed: &disputed, now: &now };
        let text = form.disputed_text("secret s", &dispute);
        let expected = "# >> a: below is your value, somebody else's is\n# >>   a: |-\n# >>     th\n# >>     eirs\n\
                        # >> b: you took it out, somebody else's is\n# >>   b: theirs\n\
                        # >> c: below is your value, somebody else took it out\n# secret s";
        assert!(shown(&text).starts_with(expected), "{}", shown(&text));
        let read = form.read(&text).unwrap_or_default();
        assert_eq!(read.keys().collect::<Vec<_>>(), ["a", "c", "new", "only"]);
        assert!(read["a"].expose() == b"m\nine" && read["new"].expose() == b"theirs");
    }
}
