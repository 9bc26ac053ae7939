//! Reads templates, in kubectl's dialect of `JSONPath` (kubernetes.io/docs/reference/kubectl/jsonpath).

use std::mem::take;
use std::str::CharIndices;

use super::path::{Item, Literal, Operator, Step};

/// How many ranges may be inside one another.
const RANGES: usize = 16;

/// Reads a template: text, with actions in braces. One without a brace is a path, as kubectl takes it elsewhere.
///
/// # Errors
/// It is malformed. Says what is wrong, as all functions here do.
pub(super) fn template(text: &str) -> Result<Vec<Item>, String> {
    if !text.contains('{') {
        return Ok(vec![Item::Path(path(text)?)]);
    }
    let mut outer: Vec<(Vec<Step>, Vec<Item>)> = Vec::new();
    let mut items = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        if !before.is_empty() {
            items.push(Item::Text(before.to_owned()));
        }
        let mut reader = Reader { rest: after, place: Place::Braces };
        match reader.action()? {
            Action::Path(steps) => items.push(literal_or_path(steps)),
            Action::Range(_) if outer.len() == RANGES => {
                return Err(format!("at most {RANGES} ranges can be one inside another"));
            }
            Action::Range(steps) => outer.push((steps, take(&mut items))),
            Action::End => {
                let (steps, around) = outer.pop().ok_or("there is an {end} without {range …} before it")?;
                let body = std::mem::replace(&mut items, around);
                items.push(Item::Range(steps, body));
            }
        }
        rest = reader.rest;
    }
    if !rest.is_empty() {
        items.push(Item::Text(rest.to_owned()));
    }
    if outer.is_empty() { Ok(items) } else { Err("a {range …} has no {end}".to_owned()) }
}

/// Reads one path, with or without braces and the first dot.
pub(super) fn path(text: &str) -> Result<Vec<Step>, String> {
    let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
    let begins = inner.starts_with(['.', '$', '@', '[', ' ']);
    let dotted = if begins { format!("{inner}}}") } else { format!(".{inner}}}") };
    let mut reader = Reader { rest: &dotted, place: Place::Braces };
    let action = reader.action()?;
    if !reader.rest.is_empty() {
        return Err("there is a } too many".to_owned());
    }
    match action {
        Action::Path(steps) => Ok(steps),
        Action::Range(_) | Action::End => Err("a range is written in braces".to_owned()),
    }
}

fn literal_or_path(mut steps: Vec<Step>) -> Item {
    match steps.as_mut_slice() {
        [Step::Literal(Literal::Text(text))] => Item::Text(take(text)),
        _ => Item::Path(steps),
    }
}

/// What is between two braces.
enum Action {
    Path(Vec<Step>),
    Range(Vec<Step>),
    End,
}

/// What the reader is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Braces,
    Filter,
}

struct Reader<'a> {
    rest: &'a str,
    place: Place,
}

impl<'a> Reader<'a> {
    /// Reads up to the closing brace.
    fn action(&mut self) -> Result<Action, String> {
        self.skip_blanks();
        if let Some(rest) = self.after_word("end") {
            self.rest = rest;
            self.skip_blanks();
            return if self.takes("}") { Ok(Action::End) } else { Err("{end} stands alone".to_owned()) };
        }
        let is_range = self.after_word("range").map(|rest| self.rest = rest).is_some();
        let steps = self.steps()?;
        if !self.takes("}") {
            return Err(unclosed('}'));
        }
        Ok(if is_range { Action::Range(steps) } else { Action::Path(steps) })
    }

    /// Returns what follows a word of the language.
    fn after_word(&self, word: &str) -> Option<&'a str> {
        let rest = self.rest.strip_prefix(word)?;
        rest.starts_with(|c: char| c.is_whitespace() || "{}.[@$".contains(c)).then_some(rest)
    }

    /// Reads the steps of a path, up to what can't be one.
    fn steps(&mut self) -> Result<Vec<Step>, String> {
        let mut steps = Vec::new();
        loop {
            self.skip_blanks();
            let Some(next) = self.rest.chars().next() else { return Ok(steps) };
            match next {
                '}' => return Ok(steps),
                ')' | '=' | '!' | '<' | '>' if self.place == Place::Filter => return Ok(steps),
                '@' | '$' => self.rest = &self.rest[1..],
                '.' => self.dots(&mut steps)?,
                '[' => steps.push(self.bracket()?),
                '"' | '\'' => steps.push(Step::Literal(Literal::Text(self.quoted()?))),
                '+' | '-' | '0'..='9' => steps.push(Step::Literal(self.number()?)),
                c if is_of_word(c) => steps.push(Step::Literal(self.word()?)),
                '&' | '|' if self.place == Place::Filter => {
                    return Err("a filter has one comparison; as in kubectl there is no && or ||".to_owned());
                }
                c => return Err(format!("{c:?} has no meaning in braces")),
            }
        }
    }

    /// Reads `.name`, `.*`, `..` or `..name`.
    fn dots(&mut self, steps: &mut Vec<Step>) -> Result<(), String> {
        let descends = self.takes("..");
        if descends {
            if steps.last() == Some(&Step::Descend) {
                return Err("there are two .. one after the other".to_owned());
            }
            steps.push(Step::Descend);
        }
        if descends && !self.rest.starts_with(|c: char| is_of_word(c) || c == '*' || c == '\\') {
            return Ok(());
        }
        if !descends {
            self.rest = &self.rest[1..];
        }
        match self.name() {
            (name, "") if name.is_empty() => {}
            (_, "*") => steps.push(Step::Every),
            (name, _) => steps.push(Step::Field(name)),
        }
        Ok(())
    }

    /// Reads a name up to a character that ends it and has no backslash before it. Returns it as it is meant and as it
    /// is written.
    fn name(&mut self) -> (String, &'a str) {
        let mut name = String::new();
        let mut chars = self.rest.char_indices();
        let mut end = self.rest.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => name.extend(chars.next().map(|(_, c)| c)),
                c if self.ends_name(c) => {
                    end = at;
                    break;
                }
                c => name.push(c),
            }
        }
        let (written, rest) = self.rest.split_at(end);
        self.rest = rest;
        (name, written)
    }

    fn ends_name(&self, c: char) -> bool {
        let of_filter = self.place == Place::Filter && "=!<>)".contains(c);
        matches!(c, ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}') || of_filter
    }

    /// Reads what is in brackets.
    fn bracket(&mut self) -> Result<Step, String> {
        if self.takes("[?(") {
            return self.filter();
        }
        if self.rest.starts_with("[?") {
            return Err("a filter is written [?(…)], as in [?(@.name==\"x\")]".to_owned());
        }
        self.rest = &self.rest[1..];
        let mut steps = Vec::new();
        loop {
            self.skip_blanks();
            steps.push(self.entry()?);
            self.skip_blanks();
            if self.takes("]") {
                break;
            }
            if !self.takes(",") {
                return Err(unclosed(']'));
            }
        }
        Ok(if steps.len() == 1 { steps.remove(0) } else { Step::Union(steps) })
    }

    /// Reads one of the things in brackets.
    fn entry(&mut self) -> Result<Step, String> {
        if self.rest.starts_with(['"', '\'']) {
            return self.key();
        }
        let end = self.rest.find([',', ']', '}']).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        if !rest.starts_with([',', ']']) {
            return Err(unclosed(']'));
        }
        self.rest = rest;
        let text = text.trim();
        index(text).ok_or_else(|| {
            format!(
                "{text:?} is no index, slice or key: an index is a number, a slice START:END or START:END:STEP with a \
                 step above 0, and a key stands in quotes"
            )
        })
    }

    /// Reads a key in quotes. Its backslashes, which kubectl needs before dots, are left out.
    fn key(&mut self) -> Result<Step, String> {
        let quote = if self.rest.starts_with('"') { '"' } else { '\'' };
        let (key, rest) = self.rest[1..].split_once(quote).ok_or_else(|| unclosed(quote))?;
        self.rest = rest;
        let mut parts = vec![String::new()];
        let mut chars = key.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => parts.last_mut().expect("there is one").extend(chars.next()),
                '.' => parts.push(String::new()),
                c => parts.last_mut().expect("there is one").push(c),
            }
        }
        let whole = parts.join(".");
        Ok(if parts.len() == 1 { Step::Field(whole) } else { Step::Quoted { whole, parts } })
    }

    /// Reads the rest of `[?(…)]`.
    fn filter(&mut self) -> Result<Step, String> {
        if self.place == Place::Filter {
            return Err("there is a filter inside a filter".to_owned());
        }
        let mut inner = Reader { rest: self.rest, place: Place::Filter };
        let left = inner.steps()?;
        let comparison = match inner.operator()? {
            Some(operator) => Some((operator, inner.steps()?)),
            None => None,
        };
        let is_closed = inner.takes(")");
        self.rest = inner.rest;
        if !is_closed {
            return Err(unclosed(')'));
        }
        if self.takes("]") { Ok(Step::Filter { left, comparison }) } else { Err(unclosed(']')) }
    }

    fn operator(&mut self) -> Result<Option<Operator>, String> {
        let end = self.rest.find(|c| !"=!<>~".contains(c)).unwrap_or(self.rest.len());
        let (written, rest) = self.rest.split_at(end);
        if written.is_empty() {
            return Ok(None);
        }
        let known = Operator::ALL.iter().find(|(word, _)| *word == written);
        let (_, operator) = known.ok_or("a filter compares by one of == != < <= > >=")?;
        self.rest = rest;
        Ok(Some(*operator))
    }

    /// Reads a text in quotes, with Go's escapes.
    fn quoted(&mut self) -> Result<String, String> {
        let quote = self.rest.chars().next().unwrap_or_default();
        let mut text = Vec::new();
        let mut chars = self.rest[1..].char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.rest = &self.rest[1 + at + 1..];
                    return Ok(String::from_utf8_lossy(&text).into_owned());
                }
                '\\' => escape(&mut chars, &mut text)?,
                c => text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        Err(unclosed(quote))
    }

    fn number(&mut self) -> Result<Literal, String> {
        let is_of_number = |(at, c): (usize, char)| c.is_ascii_digit() || c == '.' || at == 0;
        let end =
            self.rest.char_indices().find(|at| !is_of_number(*at)).map_or(self.rest.len(), |(at, _)| at);
        let (written, rest) = self.rest.split_at(end);
        let number = written.parse::<f64>().map_err(|_| format!("{written:?} is no number"))?;
        self.rest = rest;
        Ok(Literal::Number(written.trim_start_matches('+').to_owned(), number))
    }

    /// Reads a word that stands alone: only a few mean something.
    fn word(&mut self) -> Result<Literal, String> {
        match self.name() {
            (_, "true") => Ok(Literal::Bool(true)),
            (_, "false") => Ok(Literal::Bool(false)),
            (_, "null") if self.place == Place::Filter => Ok(Literal::Null),
            (_, written) => Err(format!(
                "{written:?} is no path, which begins with a dot, as in {{.{written}}}; a text stands in quotes"
            )),
        }
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn takes(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

/// Returns the complaint that something is missing.
fn unclosed(closing: char) -> String {
    let opening = match closing {
        '}' => '{',
        ']' => '[',
        ')' => '(',
        quote => quote,
    };
    format!("a {opening} has no closing {closing}")
}

fn is_of_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Reads `*`, an index or a slice.
fn index(text: &str) -> Option<Step> {
    let number = |text: &str| match text {
        "" => Some(None),
        text => text.parse::<i64>().ok().map(Some),
    };
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        ["*"] => Some(Step::Every),
        [index] => number(index)?.map(Step::Index),
        [start, end] => Some(Step::Slice { start: number(start)?, end: number(end)?, step: 1 }),
        [start, end, step] => {
            let step = number(step)?.unwrap_or(1);
            let step = usize::try_from(step).ok().filter(|step| *step > 0)?;
            Some(Step::Slice { start: number(start)?, end: number(end)?, step })
        }
        _ => None,
    }
}

/// Reads an escape after its backslash.
fn escape(chars: &mut CharIndices<'_>, text: &mut Vec<u8>) -> Result<(), String> {
    let unknown = || {
        "a backslash in quotes has one of abfnrtv\\'\" after it, xHH, uHHHH or three octal digits".to_owned()
    };
    let (_, kind) = chars.next().ok_or_else(unknown)?;
    let mut number = |first: Option<char>, count: usize, radix: u32| {
        let digits = first.into_iter().chain(chars.by_ref().map(|(_, c)| c));
        let digits: String = digits.take(count).collect();
        u32::from_str_radix(&digits, radix).ok()
    };
    let code = match kind {
        'a' => Some(7),
        'b' => Some(8),
        'f' => Some(12),
        'n' => Some(10),
        'r' => Some(13),
        't' => Some(9),
        'v' => Some(11),
        '\\' | '\'' | '"' => Some(u32::from(kind)),
        'x' => number(None, 2, 16),
        'u' => number(None, 4, 16),
        'U' => number(None, 8, 16),
        '0'..='7' => number(Some(kind), 3, 8),
        _ => None,
    };
    // As in Go, these two are bytes, not characters.
    if matches!(kind, 'x' | '0'..='7') {
        text.push(code.and_then(|code| u8::try_from(code).ok()).ok_or_else(unknown)?);
    } else {
        let c = code.and_then(char::from_u32).ok_or_else(unknown)?;
        text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Ok(())
}
