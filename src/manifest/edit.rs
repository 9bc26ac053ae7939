//! Changes the text of a document where its value changes, and keeps every other byte.
//!
//! The result is a proposal: the caller reads it again and compares its value. So this may give up on odd
//! layouts, and need not understand them.

use std::collections::HashSet;
use std::ops::Range;

use serde_json::{Map, Value};

use super::layout::{Layout, json, yaml};
use super::node::{Content, Node, Style};
use super::value::{Meaning, is_merge};

/// Returns the text with the value `wanted`, or none if local changes are not enough.
pub(super) fn edited(text: &str, root: &Node<'_>, wanted: &Value) -> Option<String> {
    let mut editor = Editor { layout: Layout::of(text), meaning: Meaning::of(root), edits: Vec::new() };
    match (&root.content, wanted) {
        (Content::Mapping(style, entries), Value::Object(map)) => editor.mapping(*style, entries, map)?,
        _ => return None,
    }
    applied(text, editor.edits)
}

/// A range of the text, and its replacement.
type Edit = (Range<usize>, String);

fn applied(text: &str, mut edits: Vec<Edit>) -> Option<String> {
    // Stable: of two edits at one place, the inner one was found first.
    edits.sort_by_key(|(range, _)| range.start);
    let mut result = String::with_capacity(text.len() + 256);
    let mut at = 0;
    for (range, replacement) in edits {
        // None where two of them overlap.
        result.push_str(text.get(at..range.start)?);
        result.push_str(&replacement);
        at = range.end;
    }
    result.push_str(text.get(at..)?);
    Some(result)
}

type Entry<'a> = (Node<'a>, Node<'a>);

struct Editor<'t, 'a> {
    layout: Layout<'t>,
    meaning: Meaning<'t, 'a>,
    edits: Vec<Edit>,
}

impl<'t, 'a> Editor<'t, 'a> {
    fn mapping(&mut self, style: Style, entries: &'t [Entry<'a>], wanted: &Map<String, Value>) -> Option<()> {
        let mut said = HashSet::new();
        let mut gone = Vec::new();
        let mut merged = Map::new();
        for (index, (key, value)) in entries.iter().enumerate() {
            if is_merge(key) {
                if let Value::Object(map) = self.meaning.value(value).ok()? {
                    merged.extend(map);
                }
                continue;
            }
            let name = self.meaning.key(key).ok()?;
            match wanted.get(&name) {
                Some(wanted) => self.entry(style, &entries[index], &name, wanted)?,
                None => gone.push(index),
            }
            said.insert(name);
        }
        let new =
            wanted.iter().filter(|(name, value)| !said.contains(*name) && merged.get(*name) != Some(value));
        let mut new: Vec<(&String, &Value)> = new.collect();
        // New entries take the places of removed ones.
        let exchanged = gone.len().min(new.len());
        for (index, (name, value)) in gone.drain(..exchanged).zip(new.drain(..exchanged)) {
            self.replace_entry(style, &entries[index], name, value);
        }
        for (name, value) in new {
            self.add_entry(style, entries, name, value)?;
        }
        let parts: Vec<_> =
            entries.iter().map(|entry| entry.0.at.start..self.layout.end_of_entry(entry)).collect();
        self.remove(style, &parts, &gone)
    }

    fn entry(&mut self, style: Style, entry: &'t Entry<'a>, name: &str, wanted: &Value) -> Option<()> {
        if self.meaning.value(&entry.1).ok()? == *wanted {
            return Some(());
        }
        if self.inside(&entry.1, entry.0.at.end, wanted)? == Inside::No {
            self.replace_entry(style, entry, name, wanted);
        }
        Some(())
    }

    /// Changes a collection from the inside, if it and `wanted` are of one kind and have content. `after` is
    /// the end of its key or its dash.
    fn inside(&mut self, node: &'t Node<'a>, after: usize, wanted: &Value) -> Option<Inside> {
        match (&node.content, wanted) {
            (Content::Mapping(style, entries), Value::Object(map))
                if !entries.is_empty() && !map.is_empty() =>
            {
                self.mapping(*style, entries, map)?;
            }
            (Content::Sequence(style, items), Value::Array(list))
                if !items.is_empty() && !list.is_empty() =>
            {
                self.sequence(*style, after, items, list)?;
            }
            _ => return Some(Inside::No),
        }
        Some(Inside::Yes)
    }

    fn replace_entry(&mut self, style: Style, entry: &Entry<'_>, name: &str, wanted: &Value) {
        let start = entry.0.at.start;
        let text = match style {
            Style::Block => self.layout.block(&yaml(&[(name, wanted)]), self.layout.column(start)),
            Style::Flow => self.layout.flow_entry(name, wanted, start),
        };
        self.edits.push((start..self.layout.end_of_entry(entry), text));
    }

    fn add_entry(&mut self, style: Style, entries: &[Entry<'_>], name: &str, value: &Value) -> Option<()> {
        let (first, last) = (entries.first()?.0.at.start, self.layout.end_of_entry(entries.last()?));
        let edit = match style {
            Style::Block => {
                let column = self.layout.column(first);
                self.layout.line_after(last, column, &self.layout.block(&yaml(&[(name, value)]), column))
            }
            Style::Flow => {
                self.layout.after_in_flow(first, last, &self.layout.flow_entry(name, value, first))
            }
        };
        self.edits.push(edit);
        Some(())
    }

    fn sequence(
        &mut self,
        style: Style,
        after: usize,
        items: &'t [Node<'a>],
        wanted: &[Value],
    ) -> Option<()> {
        let dashes = match style {
            Style::Block => self.layout.dashes(after, items)?,
            Style::Flow => items.iter().map(|item| item.at.start).collect(),
        };
        if wanted.len() < items.len() {
            let parts: Vec<_> =
                dashes.iter().zip(items).map(|(dash, item)| *dash..self.layout.end_of(item)).collect();
            let gone = self.left_out(items, wanted)?;
            return self.remove(style, &parts, &gone);
        }
        if let Some(added) = self.added(items, wanted) {
            for (index, value) in added {
                match dashes.get(index) {
                    Some(dash) => self.insert_item(style, *dash, value),
                    None => self.add_item(style, *dashes.first()?, self.layout.end_of(items.last()?), value),
                }
            }
            return Some(());
        }
        for (index, item) in items.iter().enumerate() {
            if self.meaning.value(item).ok()? != wanted[index]
                && self.inside(item, dashes[index] + 1, &wanted[index])? == Inside::No
            {
                let text = match style {
                    Style::Block => {
                        self.layout.block(&yaml(&wanted[index]), self.layout.column(item.at.start))
                    }
                    Style::Flow => json(&wanted[index]),
                };
                self.edits.push((item.at.start..self.layout.end_of(item), text));
            }
        }
        let (first, last) = (*dashes.first()?, self.layout.end_of(items.last()?));
        for value in &wanted[items.len()..] {
            self.add_item(style, first, last, value);
        }
        Some(())
    }

    fn add_item(&mut self, style: Style, first: usize, last: usize, value: &Value) {
        let edit = match style {
            Style::Block => {
                let column = self.layout.column(first);
                let item = format!("- {}", self.layout.block(&yaml(value), column + 2));
                self.layout.line_after(last, column, &item)
            }
            Style::Flow => self.layout.after_in_flow(first, last, &self.layout.flow_value(value, first)),
        };
        self.edits.push(edit);
    }

    /// Inserts an item before the one at `next`, and before the comments above that.
    fn insert_item(&mut self, style: Style, next: usize, value: &Value) {
        let edit = match style {
            Style::Block => {
                let column = self.layout.column(next);
                let item = format!("- {}", self.layout.block(&yaml(value), column + 2));
                self.layout.line_before(next, column, &item)
            }
            Style::Flow => self.layout.before_in_flow(next, &self.layout.flow_value(value, next)),
        };
        self.edits.push(edit);
    }

    /// Returns the new items, each with the index of the old one that follows it, if all old ones stay
    /// unchanged and in order.
    fn added<'w>(&mut self, items: &'t [Node<'a>], wanted: &'w [Value]) -> Option<Vec<(usize, &'w Value)>> {
        let mut old = Vec::with_capacity(items.len());
        for item in items {
            old.push(self.meaning.value(item).ok()?);
        }
        let mut added = Vec::new();
        let mut next = 0;
        for value in wanted {
            if old.get(next) == Some(value) {
                next += 1;
            } else {
                added.push((next, value));
            }
        }
        (next == items.len()).then_some(added)
    }

    /// Returns the items that are no longer wanted, if the others stay unchanged.
    fn left_out(&mut self, items: &'t [Node<'a>], wanted: &[Value]) -> Option<Vec<usize>> {
        let mut rest = wanted.iter().peekable();
        let mut gone = Vec::new();
        for (index, item) in items.iter().enumerate() {
            if rest.next_if_eq(&&self.meaning.value(item).ok()?).is_none() {
                gone.push(index);
            }
        }
        rest.next().is_none().then_some(gone)
    }

    fn remove(&mut self, style: Style, parts: &[Range<usize>], gone: &[usize]) -> Option<()> {
        if gone.is_empty() {
            return Some(());
        }
        if gone.len() == parts.len() {
            return None;
        }
        for run in gone.chunk_by(|one, next| one + 1 == *next) {
            let (first, last) = (*run.first()?, *run.last()?);
            let start = parts[first].start;
            if style == Style::Block && self.layout.begins_line(start) {
                // Each separately: the text between them may belong to the next item.
                let lines = parts[first..=last].iter().map(|part| (self.layout.lines(part), String::new()));
                self.edits.extend(lines);
                continue;
            }
            let range = match (parts.get(last + 1), style) {
                (Some(next), _) => start..next.start,
                (None, Style::Flow) => parts.get(first.checked_sub(1)?)?.end..parts[last].end,
                (None, Style::Block) => return None,
            };
            self.edits.push((range, String::new()));
        }
        Some(())
    }
}

#[derive(PartialEq, Eq)]
enum Inside {
    Yes,
    No,
}
