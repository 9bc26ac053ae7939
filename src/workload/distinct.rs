//! Removes repetitions from a list.

use std::collections::HashSet;
use std::hash::Hash;

/// Returns the items in their order, each once, in a time that grows with their number alone.
pub(super) fn distinct<T: Hash + Eq>(all: Vec<T>) -> Vec<T> {
    let mut seen = HashSet::with_capacity(all.len());
    let is_first: Vec<bool> = all.iter().map(|one| seen.insert(one)).collect();
    all.into_iter().zip(is_first).filter(|(_, is_first)| *is_first).map(|(one, _)| one).collect()
}
