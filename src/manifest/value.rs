//! The value of a tree: follows aliases and merges, and turns keys into texts, as kubectl does.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::node::{Content, Fault, Node};
use super::scalar;

/// The limit in bytes for the text that aliases stand for: a few lines of aliases to aliases would otherwise
/// fill any memory.
const MOST_BY_ALIASES: usize = 4 << 20;

/// The size of a node beside its text, in bytes.
const NODE: usize = 32;

/// The deepest nesting of values. An alias in an alias may be as deep as the whole text, and each level needs
/// stack.
const DEEPEST: usize = 500;

/// Reads values of one tree.
pub(super) struct Meaning<'t, 'a> {
    anchors: HashMap<usize, &'t Node<'a>>,
    /// The aliases that are being followed.
    open: Vec<usize>,
    /// The bytes that the aliases of one value stand for.
    by_aliases: usize,
    depth: usize,
}

impl<'t, 'a> Meaning<'t, 'a> {
    pub(super) fn of(root: &'t Node<'a>) -> Self {
        let mut anchors = HashMap::new();
        collect(root, &mut anchors);
        Self { anchors, open: Vec::new(), by_aliases: 0, depth: 0 }
    }

    pub(super) fn value(&mut self, node: &'t Node<'a>) -> Result<Value, Fault> {
        (self.by_aliases, self.depth) = (0, 0);
        self.read(node)
    }

    fn read(&mut self, node: &'t Node<'a>) -> Result<Value, Fault> {
        if !self.open.is_empty() {
            self.by_aliases += NODE + node.text().map_or(0, str::len);
            if self.by_aliases > MOST_BY_ALIASES {
                return Err(node.fault("aliases make it too large"));
            }
        }
        self.depth += 1;
        let value = if self.depth > DEEPEST {
            Err(node.fault("it is nested too deeply"))
        } else {
            self.content(node)
        };
        self.depth -= 1;
        value
    }

    fn content(&mut self, node: &'t Node<'a>) -> Result<Value, Fault> {
        match &node.content {
            Content::Scalar(scalar) => scalar::value(scalar).map_err(|why| node.fault(why)),
            Content::Sequence(_, items) => items.iter().map(|item| self.read(item)).collect(),
            Content::Mapping(_, entries) => self.mapping(entries).map(Value::Object),
            Content::Alias(anchor) => self.followed(node, *anchor),
        }
    }

    fn followed(&mut self, alias: &Node<'_>, anchor: usize) -> Result<Value, Fault> {
        let Some(node) = self.anchors.get(&anchor).copied() else {
            return Err(alias.fault("an alias without an anchor"));
        };
        if self.open.contains(&anchor) {
            return Err(alias.fault("an alias contains itself"));
        }
        self.open.push(anchor);
        let value = self.read(node);
        self.open.pop();
        value
    }

    /// Reads a mapping. A merge takes effect at its place: it replaces earlier entries, as for kubectl.
    fn mapping(&mut self, entries: &'t [(Node<'a>, Node<'a>)]) -> Result<Map<String, Value>, Fault> {
        let mut map = Map::new();
        let mut said = HashSet::with_capacity(entries.len());
        for (key, value) in entries {
            if is_merge(key) {
                for merged in self.merged(value)? {
                    map.extend(merged);
                }
                continue;
            }
            let name = self.key(key)?;
            if !said.insert(name.clone()) {
                return Err(key.fault("a key is given twice"));
            }
            map.insert(name, self.read(value)?);
        }
        Ok(map)
    }

    /// Returns the maps of `<<`, the weakest first.
    fn merged(&mut self, node: &'t Node<'a>) -> Result<Vec<Map<String, Value>>, Fault> {
        let maps = match self.read(node)? {
            Value::Object(map) => vec![Value::Object(map)],
            Value::Array(maps) => maps,
            _ => vec![Value::Null],
        };
        let map = |value| match value {
            Value::Object(map) => Ok(map),
            _ => Err(node.fault("a merged value is not a map")),
        };
        maps.into_iter().rev().map(map).collect()
    }

    /// Returns a key as JSON has it.
    pub(super) fn key(&mut self, key: &'t Node<'a>) -> Result<String, Fault> {
        match self.read(key)? {
            Value::String(text) => Ok(text),
            Value::Bool(value) => Ok(value.to_string()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                Err(key.fault("a key must be a text or a number"))
            }
        }
    }
}

/// Returns true for the key `<<`, unless it is in quotes.
pub(super) fn is_merge(key: &Node<'_>) -> bool {
    matches!(&key.content, Content::Scalar(scalar) if scalar.plain && scalar.tag.is_none() && scalar.text == "<<")
}

fn collect<'t, 'a>(node: &'t Node<'a>, anchors: &mut HashMap<usize, &'t Node<'a>>) {
    if node.anchor != 0 {
        anchors.insert(node.anchor, node);
    }
    match &node.content {
        Content::Scalar(_) | Content::Alias(_) => {}
        Content::Sequence(_, items) => items.iter().for_each(|item| collect(item, anchors)),
        Content::Mapping(_, entries) => entries.iter().for_each(|(key, value)| {
            collect(key, anchors);
            collect(value, anchors);
        }),
    }
}
