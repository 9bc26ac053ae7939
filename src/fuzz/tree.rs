//! Changes of a tree of JSON: an answer or an object with one fault.

use serde_json::{Map, Value, json};

use super::mutation::Random;

/// Texts in place of a name, a time, a number or nothing.
const TEXTS: &[&str] = &[
    "",
    " ",
    "a b",
    "a/b",
    "..",
    ".",
    "../../../version",
    "hf?watch=true",
    "hf#x",
    "a%2fb",
    "x;id>x",
    "$(id)",
    "`id`",
    "a\u{1b}[31mb",
    "\u{1b}]52;c;eA==\u{7}",
    "a\u{202e}b",
    "a\u{200b}b",
    "a\u{9b}31mb",
    "a\nhint: b",
    "a\r",
    "a\tb",
    "\0",
    "\u{feff}",
    "*",
    "-x",
    "--yes",
    "null",
    "0",
    "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "-0001-01-01T00:00:00Z",
    "2026-13-45T99:99:99Z",
    "18446744073709551616",
    "SECRET:hf,HF_TOKEN",
    "==",
    "AA==",
    "CA+NARY/",
    "é\u{1f600}",
    "UPPER",
    "Failure",
    "Success",
    "Status",
    "Secret",
    "v1",
    "True",
    "False",
    "Unknown",
];

/// Returns the tree with a few changes, mostly one.
pub(crate) fn mutated_tree(tree: &Value, random: &mut Random) -> Value {
    let mut tree = tree.clone();
    let changes = if random.one_in(4) { 3 } else { 1 };
    for _ in 0..changes {
        let count = nodes(&tree);
        let (at, other) = (random.below(count), random.below(count));
        let copy = nth(&mut tree, &mut { other }).map(|node| node.clone()).unwrap_or_default();
        if let Some(node) = nth(&mut tree, &mut { at }) {
            change(node, copy, random);
        }
    }
    tree
}

fn nodes(tree: &Value) -> usize {
    1 + match tree {
        Value::Array(items) => items.iter().map(nodes).sum(),
        Value::Object(fields) => fields.values().map(nodes).sum(),
        _ => 0,
    }
}

/// Returns the node of this number, counted from the root down.
fn nth<'t>(tree: &'t mut Value, number: &mut usize) -> Option<&'t mut Value> {
    if *number == 0 {
        return Some(tree);
    }
    *number -= 1;
    match tree {
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, number)),
        Value::Object(fields) => fields.values_mut().find_map(|field| nth(field, number)),
        _ => None,
    }
}

fn change(node: &mut Value, other: Value, random: &mut Random) {
    match random.below(12) {
        0 => *node = Value::Null,
        1 => *node = json!([]),
        2 => *node = json!({}),
        3 => *node = other,
        4 => *node = number(random),
        5 => *node = json!(random.one_in(2)),
        6 => *node = json!([node.take()]),
        7 => *node = json!({ "a": node.take() }),
        8 | 9 => change_inside(node, other, random),
        10 if random.one_in(10) => *node = "x".repeat(70_000).into(),
        _ => *node = (*random.pick(TEXTS)).into(),
    }
}

fn number(random: &mut Random) -> Value {
    let numbers = [
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(4_000_000_000_u32),
    ];
    random.pick(&numbers).clone()
}

fn change_inside(node: &mut Value, other: Value, random: &mut Random) {
    match node {
        Value::Array(items) => match random.below(3) {
            0 if !items.is_empty() => drop(items.remove(random.below(items.len()))),
            1 => items.extend(items.clone()),
            _ => items.push(other),
        },
        Value::Object(fields) => change_fields(fields, other, random),
        Value::String(text) => match random.below(3) {
            0 => *text += *random.pick(TEXTS),
            1 => *text = text.to_uppercase(),
            _ => *text = text.chars().rev().collect(),
        },
        _ => *node = other,
    }
}

fn change_fields(fields: &mut Map<String, Value>, other: Value, random: &mut Random) {
    let names: Vec<String> = fields.keys().cloned().collect();
    let name = if names.is_empty() { String::new() } else { random.pick(&names).clone() };
    match random.below(3) {
        0 => drop(fields.remove(&name)),
        1 => {
            let value = fields.remove(&name).unwrap_or(other);
            fields.insert((*random.pick(TEXTS)).to_owned(), value);
        }
        _ => drop(fields.insert((*random.pick(TEXTS)).to_owned(), other)),
    }
}
