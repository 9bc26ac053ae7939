//! The project that was picked last in each cluster, in a file: it comes first in the next list.
//!
//! A file that can't be read or written costs the order of a list, so nothing is said of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::flags::BINARY;
use crate::private_files::{own_folder, state_folder, write_new};
use crate::render;

const FILE: &str = "last-projects.json";

/// The size in bytes that such a file never reaches by itself.
const LIMIT: u64 = 1 << 20;

/// Returns the project that was picked last in the cluster of this address.
pub(super) fn of(address: &str) -> Option<String> {
    read(&file()?).remove(address)
}

pub(super) fn remember(address: &str, project: &str) {
    let Some(path) = file() else { return };
    let mut known = read(&path);
    if known.get(address).is_some_and(|last| last == project) {
        return;
    }
    known.insert(address.to_owned(), project.to_owned());
    let Some(folder) = path.parent() else { return };
    let unfinished = path.with_extension("unfinished");
    // What a program left here that was cut short.
    let _ = fs::remove_file(&unfinished);
    let written = own_folder(folder).and_then(|()| write_new(&unfinished, &render::json(&known)));
    let _ = written.and_then(|_| fs::rename(&unfinished, &path));
}

fn file() -> Option<PathBuf> {
    state_folder(BINARY).map(|folder| folder.join(FILE))
}

fn read(path: &Path) -> BTreeMap<String, String> {
    let is_ours = fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() < LIMIT);
    let text = is_ours.then(|| fs::read(path).ok()).flatten().unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}
