//! `-o custom-columns=HEADER:PATH,…`: a table of fields.

use std::collections::BTreeSet;

use super::chosen::{Chosen, Content, absence};
use super::evaluation::{Evaluation, Found, Root};
use super::parsing;
use super::path::{Step, of_steps};
use super::tree::Tree;
use crate::error::Result;

/// kubectl's text for a cell without anything.
const NOTHING: &str = "<none>";

/// A column: what is above it, and what is in it.
#[derive(PartialEq)]
pub(crate) struct Column {
    pub(super) header: String,
    pub(super) steps: Vec<Step>,
}

/// Reads columns. As for kubectl, a comma always begins the next one.
///
/// # Errors
/// They are malformed. Says how they are written.
pub(super) fn parsed(text: &str) -> Result<Vec<Column>, String> {
    let column = |part: &str| {
        let wrong =
            || format!("{part:?} is no column: columns are HEADER:PATH,…, such as NAME:.name,TYPE:.type");
        let (header, path) = part.split_once(':').ok_or_else(wrong)?;
        if path.is_empty() {
            return Err(wrong());
        }
        Ok(Column { header: header.to_owned(), steps: parsing::path(path)? })
    };
    text.split(',').map(column).collect()
}

/// Returns a row for each object.
pub(super) fn of(columns: &[Column], trees: &[Tree<'_>]) -> Result<Chosen> {
    let work = columns.iter().map(|column| 1 + of_steps(&column.steps)).sum();
    let rows: Vec<&Tree<'_>> = trees.iter().flat_map(rows).collect();
    let mut cells = vec![Vec::with_capacity(columns.len()); rows.len()];
    let mut absent = None;
    for column in columns {
        let mut root = Root::default();
        let mut missing = 0;
        for (row, cells) in rows.iter().zip(&mut cells) {
            let evaluation = Evaluation::of(row, work);
            let found = evaluation.start(&column.steps, &mut root)?;
            missing += usize::from(found.is_empty());
            cells.push(cell(&found, &evaluation)?);
        }
        if let Some(first) = rows.first().filter(|_| missing == rows.len()) {
            absent = absent.or_else(|| absence(&everywhere(&root.absent, &rows), first));
        }
    }
    Ok(Chosen { content: Content::Rows(cells), absent })
}

/// Returns the names that no row has.
fn everywhere<'n>(absent: &BTreeSet<&'n str>, rows: &[&Tree<'_>]) -> BTreeSet<&'n str> {
    absent.iter().copied().filter(|name| rows.iter().all(|row| row.field(name).is_none())).collect()
}

fn cell(found: &[Found<'_, '_>], evaluation: &Evaluation<'_, '_>) -> Result<String> {
    if found.is_empty() {
        return Ok(NOTHING.to_owned());
    }
    let text = |one: &Found<'_, '_>| {
        if one.is_null() {
            return Ok(NOTHING.to_owned());
        }
        Ok(String::from_utf8_lossy(&evaluation.text(one)?).into_owned())
    };
    Ok(found.iter().map(text).collect::<Result<Vec<_>>>()?.join(","))
}

/// Returns the objects that a table has rows for: of a list of Kubernetes its items, of another report the entries of
/// its first list, or else the whole.
fn rows<'a, 't>(tree: &'a Tree<'t>) -> Vec<&'a Tree<'t>> {
    let list = match (tree.field("items"), tree.field("kind")) {
        (items, Some(_)) => items,
        (_, None) => tree.children().find(|child| matches!(child, Tree::List(_))),
    };
    match list {
        Some(Tree::List(entries)) => entries.iter().collect(),
        _ => vec![tree],
    }
}
