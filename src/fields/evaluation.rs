//! Finds what a template asks for.

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::Number;
use zeroize::Zeroizing;

use super::path::{Item, Literal, Operator, Step};
use super::tree::Tree;
use crate::error::{Error, Result};
use crate::render;

/// How often each part of an object may be met for each step of a template. A template that descends again and again
/// meets the same parts without end.
const VISITS: usize = 50;

/// The visits that a small object may have besides.
const AT_LEAST: usize = 10_000;

/// What a path leads to.
#[derive(Clone, Copy)]
pub(super) enum Found<'a, 't> {
    Tree(&'a Tree<'t>),
    Literal(&'a Literal),
}

/// What was noticed of the object itself.
#[derive(Default)]
pub(super) struct Root<'a> {
    /// True if a path found something.
    pub(super) found: bool,
    /// The fields with which paths begin and that it does not have.
    pub(super) absent: BTreeSet<&'a str>,
}

/// Follows paths, within a number of visits and of bytes that grow with the object and the template alone.
pub(super) struct Evaluation<'a, 't> {
    tree: &'a Tree<'t>,
    visits: Cell<usize>,
    bytes: Cell<usize>,
}

impl<'a, 't> Evaluation<'a, 't> {
    /// Begins for a template of that many steps.
    pub(super) fn of(tree: &'a Tree<'t>, steps: usize) -> Self {
        let most = |size: usize| {
            Cell::new(size.saturating_mul(steps.saturating_add(VISITS)).saturating_add(AT_LEAST))
        };
        let (parts, bytes) = tree.size();
        Self { tree, visits: most(parts), bytes: most(bytes) }
    }

    /// Writes what a template makes of the object.
    pub(super) fn write(&self, items: &'a [Item], root: &mut Root<'a>, text: &mut Vec<u8>) -> Result<()> {
        for item in items {
            match item {
                Item::Text(literal) => text.extend_from_slice(literal.as_bytes()),
                Item::Path(steps) => self.write_all(&self.start(steps, root)?, text)?,
                Item::Range(steps, body) => {
                    for one in self.start(steps, root)? {
                        self.write_for(one, body, text)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes what the inside of a range makes of one of its objects.
    fn write_for(&self, one: Found<'a, 't>, items: &'a [Item], text: &mut Vec<u8>) -> Result<()> {
        for item in items {
            self.visit()?;
            match item {
                Item::Text(literal) => text.extend_from_slice(literal.as_bytes()),
                Item::Path(steps) => self.write_all(&self.follow(steps, vec![one])?, text)?,
                Item::Range(steps, body) => {
                    for inner in self.follow(steps, vec![one])? {
                        self.write_for(inner, body, text)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Follows a path from the object itself.
    pub(super) fn start(&self, steps: &'a [Step], root: &mut Root<'a>) -> Result<Vec<Found<'a, 't>>> {
        if let (Some(Step::Field(name)), Tree::Map(_)) = (steps.first(), self.tree)
            && self.tree.field(name).is_none()
        {
            root.absent.insert(name);
        }
        let found = self.follow(steps, vec![Found::Tree(self.tree)])?;
        root.found |= found.iter().any(|one| matches!(one, Found::Tree(_)));
        Ok(found)
    }

    fn follow(&self, steps: &'a [Step], from: Vec<Found<'a, 't>>) -> Result<Vec<Found<'a, 't>>> {
        steps.iter().try_fold(from, |from, step| self.step(step, &from))
    }

    fn step(&self, step: &'a Step, from: &[Found<'a, 't>]) -> Result<Vec<Found<'a, 't>>> {
        let mut found = Vec::new();
        match step {
            // A text stands for itself, wherever it comes in a path: kubectl's way.
            Step::Literal(literal) => found.push(Found::Literal(literal)),
            Step::Union(steps) => {
                for step in steps {
                    found.extend(self.step(step, from)?);
                }
            }
            _ => {
                for one in from {
                    self.visit()?;
                    if let Found::Tree(tree) = one {
                        self.step_from(step, tree, &mut found)?;
                    }
                }
            }
        }
        Ok(found)
    }

    fn step_from(&self, step: &'a Step, tree: &'a Tree<'t>, found: &mut Vec<Found<'a, 't>>) -> Result<()> {
        match step {
            Step::Field(name) => found.extend(tree.field(name).map(Found::Tree)),
            Step::Quoted { whole, parts } => {
                let by_parts = || parts.iter().try_fold(tree, |tree, part| tree.field(part));
                found.extend(tree.field(whole).or_else(by_parts).map(Found::Tree));
            }
            Step::Every => {
                for child in tree.children() {
                    self.visit()?;
                    found.push(Found::Tree(child));
                }
            }
            Step::Descend => self.descend(tree, found)?,
            Step::Index(index) => found.extend(entry(tree, *index)?.map(Found::Tree)),
            Step::Slice { start, end, step } => {
                for entry in slice(tree, *start, *end)?.iter().step_by(*step) {
                    self.visit()?;
                    found.push(Found::Tree(entry));
                }
            }
            Step::Filter { left, comparison } => {
                for entry in entries(tree)? {
                    if self.passes(entry, left, comparison.as_ref())? {
                        found.push(Found::Tree(entry));
                    }
                }
            }
            Step::Literal(_) | Step::Union(_) => {}
        }
        Ok(())
    }

    /// Finds whatever has something inside, and all inside of it. The depth of JSON has a limit of its own.
    fn descend(&self, tree: &'a Tree<'t>, found: &mut Vec<Found<'a, 't>>) -> Result<()> {
        self.visit()?;
        let is_text = matches!(tree, Tree::Text(text) if !text.is_empty());
        if is_text || tree.children().next().is_some() {
            found.push(Found::Tree(tree));
        }
        tree.children().try_for_each(|child| self.descend(child, found))
    }

    fn passes(
        &self,
        entry: &'a Tree<'t>,
        left: &'a [Step],
        comparison: Option<&'a (Operator, Vec<Step>)>,
    ) -> Result<bool> {
        self.visit()?;
        let left = self.follow(left, vec![Found::Tree(entry)])?;
        let Some((operator, right)) = comparison else { return Ok(!left.is_empty()) };
        let right = self.follow(right, vec![Found::Tree(entry)])?;
        match (left.as_slice(), right.as_slice()) {
            ([], _) | (_, []) => Ok(false),
            ([left], [right]) => Ok(operator.holds(left.scalar(), right.scalar())),
            _ => Err(failed("a filter compares one with one, and found several")),
        }
    }

    fn write_all(&self, found: &[Found<'_, '_>], text: &mut Vec<u8>) -> Result<()> {
        for (at, one) in found.iter().enumerate() {
            if at > 0 {
                text.push(b' ');
            }
            text.extend_from_slice(&self.text(one)?);
        }
        Ok(())
    }

    /// Returns it as kubectl prints it: bare, or as JSON if it has something inside.
    pub(super) fn text(&self, one: &Found<'_, '_>) -> Result<Zeroizing<Vec<u8>>> {
        let text = one.text();
        spend(text.len(), &self.bytes)?;
        Ok(text)
    }

    fn visit(&self) -> Result<()> {
        spend(1, &self.visits)
    }
}

/// # Errors
/// It is more than what is left.
fn spend(amount: usize, left: &Cell<usize>) -> Result<()> {
    let rest = left.get().checked_sub(amount);
    left.set(rest.ok_or_else(|| failed("the template meets the same parts too often"))?);
    Ok(())
}

fn failed(why: &str) -> Error {
    Error::failed(format!("-o: {why}"))
}

fn entries<'a, 't>(tree: &'a Tree<'t>) -> Result<&'a [Tree<'t>]> {
    match tree {
        Tree::List(entries) => Ok(entries),
        Tree::Null => Ok(&[]),
        Tree::Bool(_) | Tree::Number(_) | Tree::Text(_) | Tree::Map(_) => {
            Err(failed("an index, a slice or a filter is asked of what is no list"))
        }
    }
}

fn entry<'a, 't>(tree: &'a Tree<'t>, index: i64) -> Result<Option<&'a Tree<'t>>> {
    let list = entries(tree)?;
    if matches!(tree, Tree::Null) {
        return Ok(None);
    }
    let at = from_start(index, list);
    let entry = usize::try_from(at).ok().and_then(|at| list.get(at));
    entry.map(Some).ok_or_else(|| failed(&format!("index {index} is outside of a list of {}", list.len())))
}

/// Counts a negative index from the end.
fn from_start(index: i64, list: &[Tree<'_>]) -> i64 {
    let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
    if index < 0 { index.saturating_add(length) } else { index }
}

fn slice<'a, 't>(tree: &'a Tree<'t>, start: Option<i64>, end: Option<i64>) -> Result<&'a [Tree<'t>]> {
    let list = entries(tree)?;
    let start = start.map_or(Some(0), |start| usize::try_from(from_start(start, list)).ok());
    let end = end.map_or(Some(list.len()), |end| usize::try_from(from_start(end, list)).ok());
    if matches!(tree, Tree::Null) || start.is_some() && start == end {
        return Ok(&[]);
    }
    let part = start.zip(end).and_then(|(start, end)| list.get(start..end));
    part.ok_or_else(|| failed(&format!("a slice is outside of a list of {}", list.len())))
}

/// What can be compared.
enum Scalar<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Text(&'a str),
    Other,
}

impl Found<'_, '_> {
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Tree(Tree::Null))
    }

    fn text(&self) -> Zeroizing<Vec<u8>> {
        let text = match self {
            Self::Tree(Tree::Null) | Self::Literal(Literal::Null) => b"null".to_vec(),
            Self::Tree(Tree::Bool(value)) | Self::Literal(Literal::Bool(value)) => {
                value.to_string().into_bytes()
            }
            Self::Tree(Tree::Number(number)) => number.to_string().into_bytes(),
            Self::Literal(Literal::Number(written, _)) => written.clone().into_bytes(),
            Self::Tree(Tree::Text(text)) => text.as_bytes().to_vec(),
            Self::Literal(Literal::Text(text)) => text.as_bytes().to_vec(),
            Self::Tree(tree @ (Tree::List(_) | Tree::Map(_))) => return render::json_in_one_line(tree),
        };
        Zeroizing::new(text)
    }

    fn scalar(&self) -> Scalar<'_> {
        match self {
            Self::Tree(Tree::Null) | Self::Literal(Literal::Null) => Scalar::Null,
            Self::Tree(Tree::Bool(value)) | Self::Literal(Literal::Bool(value)) => Scalar::Bool(*value),
            Self::Tree(Tree::Number(number)) => number_of(number),
            Self::Literal(Literal::Number(_, number)) => Scalar::Number(*number),
            Self::Tree(Tree::Text(text)) => Scalar::Text(text),
            Self::Literal(Literal::Text(text)) => Scalar::Text(text),
            Self::Tree(Tree::List(_) | Tree::Map(_)) => Scalar::Other,
        }
    }
}

fn number_of(number: &Number) -> Scalar<'static> {
    number.as_f64().map_or(Scalar::Other, Scalar::Number)
}

impl Operator {
    /// Reports whether it holds between two things. Those of different kinds are different, and in no order.
    fn holds(self, left: Scalar<'_>, right: Scalar<'_>) -> bool {
        let order = match (left, right) {
            (Scalar::Text(left), Scalar::Text(right)) => Some(left.cmp(right)),
            (Scalar::Number(left), Scalar::Number(right)) => left.partial_cmp(&right),
            (Scalar::Bool(left), Scalar::Bool(right)) if left == right => Some(Ordering::Equal),
            (Scalar::Null, Scalar::Null) => Some(Ordering::Equal),
            _ => None,
        };
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => order.is_some_and(Ordering::is_le),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        }
    }
}
