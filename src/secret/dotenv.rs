//! `.env` files as frameworks write them: quotes, `export`, comments, escapes, values of several lines.
//!
//! There is no standard. Where a shell, python-dotenv and Node's dotenv agree, this agrees with them;
//! docs/reference/dotenv.md lists the cases where they differ. An ambiguous line is an error, since a wrong
//! value is found much later. `$` is never expanded, because passwords contain it. An error names the file
//! and the line, never their text.

use zeroize::Zeroizing;

use super::handling::Lines;
use super::name::{env_name_faults, key_faults};
use super::unseen::BYTE_ORDER_MARK;
use super::value::SecretValue;
use crate::error::{Error, Result};

/// A mistake and its line, counted from 1.
struct Fault {
    line: usize,
    what: String,
}

/// One `KEY=value`, and the line it starts in.
struct Entry {
    line: usize,
    key: String,
    value: SecretValue,
}

/// Adds the entries in `bytes`, the content of the file.
pub(super) fn add_all(to: &mut Lines<'_>, bytes: &[u8]) -> Result<()> {
    let file = to.file.clone();
    let refusal = |fault: Fault| {
        Error::usage(format!("{file}, line {}: {}", fault.line, fault.what))
            .hint("a line is KEY=value, KEY='value' or KEY=\"value\"; --from-env-file reads kubectl's form, without quotes")
    };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        refusal(Fault { line, what: "invalid utf8 bytes".to_owned() })
    })?;
    let mut reader = Reader { rest: text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text), line: 1 };
    while let Some(Entry { line, key, value }) = reader.entry().map_err(refusal)? {
        if to.has(&key) {
            let what = "cannot add this key, another key by that name already exists".to_owned();
            return Err(refusal(Fault { line, what }));
        }
        to.add(line, key, value)?;
    }
    Ok(())
}

/// The rest of the file, and the line it starts in.
struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    fn entry(&mut self) -> Result<Option<Entry>, Fault> {
        loop {
            self.skip_blanks();
            match self.rest.chars().next() {
                None => return Ok(None),
                Some('\n' | '\r') => self.end_line(),
                Some('#') => {
                    self.rest_of_line();
                }
                Some(_) => break,
            }
        }
        let line = self.line;
        let key = self.key()?;
        let at_equals = self.rest;
        self.skip_blanks();
        let value = match self.rest.chars().next() {
            // Right after the `=` it is part of the value, as in a shell.
            Some('#') if self.rest.len() < at_equals.len() => {
                self.rest_of_line();
                SecretValue::from_bytes(Vec::new())
            }
            Some(quote @ ('\'' | '"')) => self.quoted(quote)?,
            Some('`') => return Err(self.fault("a value may not start with a backtick: put it in quotes")),
            _ => self.unquoted(),
        };
        Ok(Some(Entry { line, key, value }))
    }

    fn fault(&self, what: impl Into<String>) -> Fault {
        Fault { line: self.line, what: what.into() }
    }

    /// Reads `KEY =` or `export KEY=`.
    fn key(&mut self) -> Result<String, Fault> {
        let line = self.rest.split(['\n', '\r']).next().unwrap_or_default();
        let Some((before, _)) = line.split_once('=') else {
            return Err(self.fault("no '=' after the key"));
        };
        self.rest = &self.rest[before.len() + 1..];
        let key = before.strip_prefix("export").filter(|key| key.starts_with(is_blank)).unwrap_or(before);
        let key = key.trim_matches(is_blank);
        let mut faults = env_name_faults(key);
        if faults.is_empty() {
            faults = key_faults(key);
        }
        if !faults.is_empty() {
            return Err(self.fault(format!("no valid key name before the '=': {}", faults.join(";"))));
        }
        Ok(key.to_owned())
    }

    /// Reads up to the line's end, or to a `#` after a blank.
    fn unquoted(&mut self) -> SecretValue {
        let line = self.rest_of_line();
        let mut before = '=';
        let comment = line.char_indices().find(|(_, c)| {
            let starts = *c == '#' && before.is_whitespace();
            before = *c;
            starts
        });
        let value = comment.map_or(line, |(at, _)| &line[..at]).trim_end();
        SecretValue::from_bytes(value.as_bytes().to_vec())
    }

    /// Reads up to the next quote of the same kind, across lines. Only a comment may follow.
    fn quoted(&mut self, quote: char) -> Result<SecretValue, Fault> {
        let unclosed = self.fault(format!("the quote {quote} is never closed"));
        let mut value = Zeroizing::new(String::with_capacity(length_of_quoted(&self.rest[1..], quote)));
        self.rest = &self.rest[1..];
        loop {
            let Some(c) = self.rest.chars().next() else { return Err(unclosed) };
            if c == quote {
                break;
            }
            if matches!(c, '\n' | '\r') {
                self.end_line();
                value.push('\n');
                continue;
            }
            self.rest = &self.rest[c.len_utf8()..];
            match (c, quote) {
                ('\\', '"') => self.escape(&mut value),
                _ => value.push(c),
            }
        }
        self.rest = &self.rest[1..];
        self.skip_blanks();
        match self.rest.chars().next() {
            None | Some('\n' | '\r') => {}
            Some('#') => {
                self.rest_of_line();
            }
            Some(_) => return Err(self.fault(format!("there is text after the closing {quote}"))),
        }
        Ok(SecretValue::from_bytes(value.as_bytes().to_vec()))
    }

    /// Reads an escape between double quotes, after the backslash. Unknown escapes stay as they are, as in a
    /// shell.
    fn escape(&mut self, value: &mut String) {
        let escaped = match self.rest.chars().next() {
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some(c @ ('"' | '\'' | '\\' | '$' | '`')) => c,
            _ => return value.push('\\'),
        };
        self.rest = &self.rest[1..];
        value.push(escaped);
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(is_blank);
    }

    /// Takes the rest of the line, without its end.
    fn rest_of_line(&mut self) -> &'a str {
        let (line, rest) = self.rest.split_at(self.rest.find(['\n', '\r']).unwrap_or(self.rest.len()));
        self.rest = rest;
        line
    }

    /// Takes `\n`, `\r\n` or `\r`.
    fn end_line(&mut self) {
        let rest = self.rest.strip_prefix('\r').unwrap_or(self.rest);
        self.rest = rest.strip_prefix('\n').unwrap_or(rest);
        self.line += 1;
    }
}

/// Returns true for white space other than line ends.
fn is_blank(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\n' | '\r')
}

/// Returns enough room for a quoted value, so that it never moves in memory.
fn length_of_quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    let end = rest.find(|c| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    end.unwrap_or(rest.len())
}

#[cfg(test)]
mod tests;
