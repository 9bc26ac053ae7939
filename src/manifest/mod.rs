//! Manifests in files: several documents, with comments, in YAML or JSON.
//!
//! The unchanged part stays as it is, to the byte. A change is made in place; if the layout of a document
//! does not allow that, the document is written again. Either way the new text is read back before it counts.
//! A file may hold Secrets: errors name the file, the document and the line, never their text.

mod document;
mod edit;
#[cfg(test)]
mod fuzz;
mod layout;
mod node;
mod scalar;
mod split;
#[cfg(test)]
mod tests;
mod value;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

pub(crate) use self::document::Comments;
use self::document::Document;
use self::node::Fault;
pub(crate) use self::split::Format;
use crate::error::{Error, Result};

/// A file of documents.
pub(crate) struct Manifest<'a> {
    /// The file's name in messages.
    file: &'a str,
    format: Format,
    documents: Vec<Document<'a>>,
    /// The line end that the last line lacked, and that the last document was given.
    added_end: &'static str,
}

/// An object of a file: the document, or one item of a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Object {
    /// `file, document 2`, for messages.
    pub(crate) place: String,
    pub(crate) value: Value,
    document: usize,
    /// Its place in the document, as a JSON pointer.
    pointer: String,
}

impl Object {
    /// Replaces the content, at the same place.
    pub(crate) fn with(self, value: Value) -> Self {
        Self { value, ..self }
    }
}

impl<'a> Manifest<'a> {
    /// Splits a text into documents. `file` is a name that may be printed.
    ///
    /// # Errors
    /// The text is neither YAML nor JSON.
    pub(crate) fn parse(file: &'a str, text: &'a str) -> Result<Self> {
        let (format, pieces) = split::pieces(text);
        let added_end = missing_end(text, format);
        let mut manifest = Self { file, format, documents: Vec::new(), added_end };
        let (mut number, mut lines_before) = (1, 0);
        for piece in pieces {
            let is_last = piece.end == text.len();
            let text = &text[piece];
            let content = match added_end {
                end if is_last && !end.is_empty() => Cow::Owned(format!("{text}{end}")),
                _ => Cow::Borrowed(text),
            };
            let document = Document { text: content, format, number, lines_before };
            // Each document is read, so that a mistake is found before anything is done.
            match document.has_content() {
                Ok(has_content) => number += usize::from(has_content),
                Err(_) if format == Format::Json => number += 1,
                Err(fault) => return Err(manifest.refusal(&document, fault)),
            }
            lines_before += text.matches('\n').count();
            manifest.documents.push(document);
        }
        Ok(manifest)
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Returns the objects of the wanted kinds; lists are opened. What is no object, or does not say its kind,
    /// has empty words for it.
    ///
    /// # Errors
    /// A document with one of them gives a key twice, or holds a value that JSON can't express.
    pub(crate) fn objects(&self, wanted: impl Fn(&str, &str) -> bool) -> Result<Vec<Object>> {
        let mut objects = Vec::new();
        for (index, document) in self.documents.iter().enumerate() {
            let kind = document.kind().ok().flatten();
            if let Some((api_version, kind)) = &kind
                && !kind.ends_with("List")
                && !wanted(api_version, kind)
            {
                continue;
            }
            if kind.is_none() && self.format == Format::Yaml && !wanted("", "") {
                continue;
            }
            let value = document.value().map_err(|fault| self.refusal(document, fault))?;
            if value.is_null() {
                continue;
            }
            let place = self.place(document);
            open(value, String::new(), &mut |pointer, value| {
                if wanted(text(&value, "apiVersion"), text(&value, "kind")) {
                    objects.push(Object { place: place.clone(), value, document: index, pointer });
                }
            });
        }
        Ok(objects)
    }

    /// Replaces the objects from [`Self::objects`] by changed ones. Returns a message for each document that
    /// loses comments.
    ///
    /// # Errors
    /// A document can't be read.
    pub(crate) fn replace(&mut self, changed: &[Object]) -> Result<Vec<String>> {
        let mut lossy = Vec::new();
        let mut by_document: BTreeMap<usize, Vec<&Object>> = BTreeMap::new();
        for object in changed {
            by_document.entry(object.document).or_default().push(object);
        }
        for (index, objects) in by_document {
            let document = &self.documents[index];
            let mut value = document.value().map_err(|fault| self.refusal(document, fault))?;
            let before = value.clone();
            for object in objects {
                if let Some(place) = value.pointer_mut(&object.pointer) {
                    place.clone_from(&object.value);
                }
            }
            if value != before && self.documents[index].change(&value) == Comments::Lost {
                lossy.push(self.place(&self.documents[index]));
            }
        }
        Ok(lossy)
    }

    /// Returns the file with the changes, and otherwise as it was read.
    pub(crate) fn text(&self) -> String {
        let mut text: String = self.documents.iter().map(|document| document.text.as_ref()).collect();
        if !self.added_end.is_empty() {
            let end = if text.ends_with(self.added_end) { self.added_end } else { "\n" };
            text.truncate(text.strip_suffix(end).unwrap_or(&text).len());
        }
        text
    }

    /// Returns all documents in a format; unchanged if it is the file's own.
    ///
    /// # Errors
    /// A document holds a value that JSON can't express.
    pub(crate) fn text_as(&self, format: Format) -> Result<String> {
        if format == self.format {
            return Ok(self.text());
        }
        let mut text = String::new();
        for document in &self.documents {
            let read = |fault| self.refusal(document, fault);
            if document.has_content() == Ok(false) {
                continue;
            }
            if format == Format::Yaml && !text.is_empty() {
                text.push_str("---\n");
            }
            text.push_str(&document.converted(format).map_err(read)?);
        }
        Ok(text)
    }

    fn place(&self, document: &Document<'_>) -> String {
        format!("{}, document {}", self.file, document.number)
    }

    fn refusal(&self, document: &Document<'_>, fault: Fault) -> Error {
        let line = document.lines_before + fault.line;
        Error::usage(format!("{}, line {line}: {}", self.place(document), fault.why))
            .hint("the line is not shown, since it may hold a value of a secret")
    }
}

/// Returns the line end that the last line lacks. kubectl reads line by line and ends each of them
/// (`LineReader` of k8s.io/apimachinery), so it adds a line end to a block of text at the end of the file.
fn missing_end(text: &str, format: Format) -> &'static str {
    if format == Format::Json || text.is_empty() || text.ends_with('\n') {
        ""
    } else if text.contains("\r\n") {
        "\r\n"
    } else {
        "\n"
    }
}

/// Passes on every object; a list is split into its items, as by kubectl.
fn open(mut object: Value, pointer: String, found: &mut impl FnMut(String, Value)) {
    let is_list = text(&object, "kind").ends_with("List");
    match object.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) if is_list => {
            for (index, item) in items.into_iter().enumerate() {
                open(item, format!("{pointer}/items/{index}"), found);
            }
        }
        Some(items) => {
            object["items"] = items;
            found(pointer, object);
        }
        None => found(pointer, object),
    }
}

fn text<'v>(object: &'v Value, field: &str) -> &'v str {
    object[field].as_str().unwrap_or_default()
}
