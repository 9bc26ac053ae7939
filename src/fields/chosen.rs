//! What was found of an object, and what was not.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use super::tree::Tree;
use crate::wording::{few, list, shortened};

/// How many fields are named where one is not there; a row of a report has fewer.
const NAMED: usize = 20;

/// How much is repeated of a name that was typed, in characters.
const LONGEST_NAME: usize = 60;

/// What was found.
pub(crate) struct Chosen {
    pub(crate) content: Content,
    /// Set if nothing was found because a field is not there: says so, with the names that are.
    pub(crate) absent: Option<String>,
}

pub(crate) enum Content {
    Text(Zeroizing<Vec<u8>>),
    Rows(Vec<Vec<String>>),
}

/// Returns the sentence that a field is not there.
pub(super) fn absence(absent: &BTreeSet<&str>, tree: &Tree<'_>) -> Option<String> {
    let name = absent.first()?;
    let names = tree.names();
    let there = match names.as_slice() {
        [] => "it has none".to_owned(),
        [only] => format!("its only one is {only}"),
        several if several.len() <= NAMED => format!("its fields are: {}", list(several)),
        several => format!("its fields are: {}", few(several)),
    };
    Some(format!("the JSON has no field {:?}; {there}", shortened(name, LONGEST_NAME)))
}
