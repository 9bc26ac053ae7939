//! Reads the edited text, strictly: text that YAML would silently read as something else is a mistake. A
//! mistake has a line and never its text.

use std::collections::{BTreeMap, BTreeSet};

use granit_parser::{BorrowedInput, Event, Parser, Placement, ScalarStyle, Span, Tag};

use crate::secret::name::key_faults;
use crate::secret::value::SecretValue;

const NOT_YAML: &str = "not valid YAML";
const IN_QUOTES: &str = "put the value in quotes, or in indented lines below KEY: |-";

/// A mistake to correct, and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Counted from 1.
    pub(crate) line: usize,
    /// Holds nothing of the text.
    pub(crate) what: String,
}

/// Returns the keys and values of a text. `is_left_out` returns true for a key that is in the secret but not
/// in the text.
///
/// # Errors
/// Lists everything to correct, in the order of the lines.
pub(crate) fn read(
    bytes: &[u8],
    is_left_out: impl Fn(&str) -> bool,
) -> Result<BTreeMap<String, SecretValue>, Vec<Mistake>> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        vec![mistake(line, "the text is not UTF-8")]
    })?;
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        entries: BTreeMap::new(),
        plain_lines: Vec::new(),
        comment_lines: BTreeSet::new(),
        mistakes: Vec::new(),
    };
    if let Err(last) = reader.document(&is_left_out) {
        reader.mistakes.push(last);
    }
    reader.find_comments_in_values();
    let Reader { entries, mut mistakes, .. } = reader;
    for mistake in mistakes.iter_mut().filter(|mistake| mistake.what.starts_with(NOT_YAML)) {
        // The parser may notice it only in the line after.
        let lines = [mistake.line, mistake.line.saturating_sub(1)];
        if let Some(line) = lines.into_iter().find(|line| is_of_dotenv(text, *line)) {
            *mistake = self::mistake(line, "'=' stands where ':' is expected: write KEY: VALUE");
        }
    }
    mistakes.sort_by_key(|mistake| mistake.line);
    if mistakes.is_empty() {
        Ok(entries.into_iter().map(|(key, (_, value))| (key, value)).collect())
    } else {
        Err(mistakes)
    }
}

/// Recognizes a line such as `KEY=VALUE` of a `.env` file. Lines are counted from 1.
fn is_of_dotenv(text: &str, line: usize) -> bool {
    let line = line.checked_sub(1).and_then(|at| text.lines().nth(at));
    line.and_then(|line| line.split_once('=')).is_some_and(|(key, _)| key_faults(key.trim()).is_empty())
}

fn mistake(line: usize, what: impl Into<String>) -> Mistake {
    Mistake { line, what: what.into() }
}

fn at(span: Span, what: impl Into<String>) -> Mistake {
    mistake(span.start.line(), what)
}

struct Reader<'a, T: BorrowedInput<'a>> {
    parser: Parser<'a, T>,
    /// The line and the value of each key.
    entries: BTreeMap<String, (usize, SecretValue)>,
    /// The lines that hold a value without quotes.
    plain_lines: Vec<usize>,
    /// The lines with a comment after something else.
    comment_lines: BTreeSet<usize>,
    mistakes: Vec<Mistake>,
}

impl<'a, T: BorrowedInput<'a>> Reader<'a, T> {
    /// Returns the next event that is not a comment.
    fn next(&mut self) -> Result<(Event<'a>, Span), Mistake> {
        loop {
            match self.parser.next_event() {
                Some(Ok((Event::Comment(_, Placement::Right), span))) => {
                    self.comment_lines.insert(span.start.line());
                }
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok(event)) => return Ok(event),
                // Its own words may quote the text.
                Some(Err(error)) => {
                    return Err(mistake(error.marker().line(), format!("{NOT_YAML}: {IN_QUOTES}")));
                }
                None => return Ok((Event::StreamEnd, Span::default())),
            }
        }
    }

    fn document(&mut self, is_left_out: &impl Fn(&str) -> bool) -> Result<(), Mistake> {
        let mut was_there = false;
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentEnd, _) => {}
                (Event::DocumentStart(..), span) if was_there => {
                    return Err(at(span, "a second document begins"));
                }
                (Event::DocumentStart(..), _) => {
                    was_there = true;
                    match self.next()? {
                        (Event::MappingStart(..), _) => while self.entry(is_left_out)? {},
                        (Event::Scalar(_, ScalarStyle::Plain, ..), span) if span.is_empty() => {}
                        (_, span) => return Err(at(span, "expected KEY: VALUE")),
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    /// Reads one key with its value; returns false if there are no more.
    fn entry(&mut self, is_left_out: &impl Fn(&str) -> bool) -> Result<bool, Mistake> {
        let (key, line) = match self.next()? {
            (Event::MappingEnd, _) => return Ok(false),
            (Event::Scalar(key, _, anchor, tag), span) => {
                self.refuse_properties(anchor, tag.as_deref(), span);
                (key.into_owned(), span.start.line())
            }
            (_, span) => return Err(at(span, "expected KEY: VALUE")),
        };
        let value = self.value(line)?;
        let faults = key_faults(&key);
        if !faults.is_empty() {
            self.mistakes.push(mistake(line, faults.join("; ")));
        } else if let Some((first, _)) = self.entries.get(&key) {
            self.mistakes.push(mistake(line, format!("this key is already in line {first}")));
        } else if is_left_out(&key) {
            let what = "the secret has a key of this name that is not in this text and stays as it is: choose another name";
            self.mistakes.push(mistake(line, what));
        } else {
            self.entries.insert(key, (line, value));
        }
        Ok(true)
    }

    fn value(&mut self, key_line: usize) -> Result<SecretValue, Mistake> {
        match self.next()? {
            (Event::Scalar(text, style, anchor, tag), span) => {
                self.refuse_properties(anchor, tag.as_deref(), span);
                // The parser returns `~` for an empty value.
                let is_nothing = style == ScalarStyle::Plain && span.is_empty();
                if is_nothing {
                    self.plain_lines.push(key_line);
                    return Ok(SecretValue::from_bytes(Vec::new()));
                }
                if style == ScalarStyle::Plain {
                    self.plain_lines.push(span.start.line());
                    if span.end.line() > span.start.line() {
                        self.mistakes
                            .push(at(span, format!("the value continues in the next line: {IN_QUOTES}")));
                    }
                }
                Ok(SecretValue::from_bytes(text.into_owned().into_bytes()))
            }
            (Event::Alias(..), span) => Err(at(span, format!("a value may not begin with '*': {IN_QUOTES}"))),
            (Event::MappingStart(..) | Event::SequenceStart(..), span) => {
                self.mistakes
                    .push(at(span, format!("a value must be a text, not a list or a map: {IN_QUOTES}")));
                self.skip_collection()?;
                Ok(SecretValue::from_bytes(Vec::new()))
            }
            (_, span) => Err(at(span, "expected a value")),
        }
    }

    /// Refuses `&` and `!` in front of a value: they are not part of it.
    fn refuse_properties(&mut self, anchor: usize, tag: Option<&Tag>, span: Span) {
        if anchor != 0 || tag.is_some() {
            self.mistakes.push(at(span, format!("a value may not begin with '&' or '!': {IN_QUOTES}")));
        }
    }

    fn skip_collection(&mut self) -> Result<(), Mistake> {
        let mut depth = 1;
        while depth > 0 {
            match self.next()?.0 {
                Event::MappingStart(..) | Event::SequenceStart(..) => depth += 1,
                Event::MappingEnd | Event::SequenceEnd => depth -= 1,
                Event::StreamEnd => break,
                _ => {}
            }
        }
        Ok(())
    }

    /// Refuses a `#` after a blank in a value without quotes: it starts a comment, and most people mean it as
    /// part of the value.
    fn find_comments_in_values(&mut self) {
        for line in &self.plain_lines {
            if self.comment_lines.contains(line) {
                let what =
                    format!("a '#' after a space begins a comment; if it is part of the value, {IN_QUOTES}");
                self.mistakes.push(mistake(*line, what));
            }
        }
    }
}
