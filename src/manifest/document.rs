//! One document: its text, its value, and its text after a change.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::edit::edited;
use super::node::{Content, Fault, NOT_YAML, Node, Tree};
use super::split::{Format, is_marker};
use super::value::{Meaning, is_merge};
use crate::render;

pub(super) struct Document<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) format: Format,
    /// Counted from 1. A document without content shares the number of the next that has some.
    pub(super) number: usize,
    /// The number of lines of the file before it.
    pub(super) lines_before: usize,
}

/// The effect of a change on the comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comments {
    Kept,
    Lost,
}

impl Document<'_> {
    /// Returns true if it holds anything but comments.
    pub(super) fn has_content(&self) -> Result<bool, Fault> {
        self.read(|root| Ok(root.is_some()))
    }

    /// Reads `apiVersion` and `kind` alone. None if the document is not an object.
    pub(super) fn kind(&self) -> Result<Option<(String, String)>, Fault> {
        let text = |root: &Node<'_>, name: &str| root.get(name)?.text().map(str::to_owned);
        self.read(|root| {
            let root = root.filter(|root| matches!(root.content, Content::Mapping(..)));
            let field = |name: &str| root.map(|root| text(root, name).unwrap_or_default());
            Ok(field("apiVersion").zip(field("kind")))
        })
    }

    pub(super) fn value(&self) -> Result<Value, Fault> {
        match self.read(|root| root.map_or(Ok(Value::Null), |root| Meaning::of(root).value(root))) {
            // JSON is not quite YAML: it may have longer keys, and characters beyond the basic plane.
            Err(Fault { why: NOT_YAML, .. }) if self.format == Format::Json => self.json_value(),
            value => value,
        }
    }

    fn json_value(&self) -> Result<Value, Fault> {
        serde_json::from_str(self.text.trim_start_matches('\u{feff}'))
            .map_err(|error| Fault { line: error.line(), why: "not valid JSON" })
    }

    fn read<T>(&self, take: impl FnOnce(Option<&Node<'_>>) -> Result<T, Fault>) -> Result<T, Fault> {
        take(Tree::parse(&self.text)?.root.as_ref())
    }

    /// Changes its value, with as few changes of its text as possible.
    pub(super) fn change(&mut self, wanted: &Value) -> Comments {
        let before = self.comments();
        let text = self.proposals(wanted).find(|text| self.means(text, wanted));
        // Only of JSON is it certain beforehand that it is read back as intended.
        let text = text.unwrap_or_else(|| wanted.to_string() + "\n");
        self.text = Cow::Owned(text);
        if self.comments() < before { Comments::Lost } else { Comments::Kept }
    }

    fn comments(&self) -> usize {
        Tree::parse(&self.text).map_or(0, |tree| tree.comments)
    }

    fn means(&self, text: &str, wanted: &Value) -> bool {
        let document = Document { text: Cow::Borrowed(text), ..*self };
        document.value().is_ok_and(|value| value == *wanted)
    }

    /// Returns possible texts, the best first.
    fn proposals<'t>(&'t self, wanted: &'t Value) -> impl Iterator<Item = String> + 't {
        let tree = || Tree::parse(&self.text).ok();
        let local = move || edited(&self.text, tree()?.root.as_ref()?, wanted);
        let anew = move || {
            let tree = tree();
            let root = tree.as_ref().and_then(|tree| tree.root.as_ref());
            Some(self.written_anew(root, wanted, self.format))
        };
        let as_json = move || Some(self.written_anew(None, wanted, Format::Json));
        let ways: [Box<dyn Fn() -> Option<String> + 't>; 3] =
            [Box::new(local), Box::new(anew), Box::new(as_json)];
        ways.into_iter().filter_map(|way| way())
    }

    /// Returns the whole object written again, between the text before and after it.
    fn written_anew(&self, root: Option<&Node<'_>>, wanted: &Value, format: Format) -> String {
        let line_starts = self.text.split_inclusive('\n').scan(0, |at, line| {
            *at += line.len();
            Some((*at - line.len(), line))
        });
        let mut head = 0;
        let mut tail = self.text.len();
        for (at, line) in line_starts {
            let is_head = is_marker(line, "---") || line.trim_start_matches('\u{feff}').starts_with('#');
            if is_head && head == at {
                head = at + line.len();
            }
            if is_marker(line, "...") {
                tail = at;
            }
        }
        let object = rendered(&Ordered { value: wanted, like: root }, format);
        format!("{}{object}{}", &self.text[..head], &self.text[tail..])
    }

    /// Returns the object in another format, its fields in their order.
    pub(super) fn converted(&self, format: Format) -> Result<String, Fault> {
        let value = self.value()?;
        let tree = Tree::parse(&self.text).ok();
        let root = tree.as_ref().and_then(|tree| tree.root.as_ref());
        Ok(rendered(&Ordered { value: &value, like: root }, format))
    }
}

fn rendered(object: &impl Serialize, format: Format) -> String {
    let bytes = match format {
        Format::Yaml => render::manifest(object),
        Format::Json => render::json(object),
    };
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A value with its fields in the order of a tree, and the tree's missing ones at the end.
struct Ordered<'v, 't, 'a> {
    value: &'v Value,
    like: Option<&'t Node<'a>>,
}

impl Serialize for Ordered<'_, '_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.value, self.like.map(|node| &node.content)) {
            (Value::Object(map), Some(Content::Mapping(_, entries))) => {
                let keys = entries.iter().filter(|(key, _)| !is_merge(key));
                let likes: BTreeMap<String, (usize, &Node<'_>)> = keys
                    .enumerate()
                    .filter_map(|(place, (key, value))| {
                        Some((Meaning::of(key).key(key).ok()?, (place, value)))
                    })
                    .collect();
                let mut fields: Vec<_> = map.iter().collect();
                fields.sort_by_key(|(name, _)| likes.get(*name).map_or(usize::MAX, |like| like.0));
                let mut written = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    let like = likes.get(name).map(|like| like.1);
                    written.serialize_entry(name, &Ordered { value, like })?;
                }
                written.end()
            }
            (Value::Array(list), Some(Content::Sequence(_, items))) => {
                let likes = items.iter().map(Some).chain(std::iter::repeat(None));
                serializer.collect_seq(list.iter().zip(likes).map(|(value, like)| Ordered { value, like }))
            }
            (value, _) => value.serialize(serializer),
        }
    }
}
