//! Lists file names, for words that only end in one: a shell looks at whole words.

use std::fs;
use std::path::{Path, PathBuf};

use super::candidate::Candidate;
use super::candidate::Files;

/// The most names: a folder may have millions.
const MOST: usize = 1000;

pub(super) fn candidates(files: &Files) -> Vec<Candidate> {
    let (folder, name) = match files.text.rfind('/') {
        Some(at) => files.text.split_at(at + 1),
        None => ("", files.text.as_str()),
    };
    let mut found: Vec<Candidate> = fs::read_dir(on_disk(folder))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let its_name = entry.file_name().into_string().ok()?;
            // As in shells, hidden files are offered only after a dot.
            let hidden = its_name.starts_with('.') && !name.starts_with('.');
            if hidden || !its_name.starts_with(name) || its_name.contains(char::is_control) {
                return None;
            }
            let word = format!("{folder}{its_name}");
            // Asked of the path: the entry itself may be a link to a folder.
            let is_folder = entry.path().is_dir();
            Some(if is_folder {
                Candidate::continued(format!("{word}/"), "")
            } else {
                Candidate::new(word, "")
            })
        })
        .take(MOST)
        .collect();
    found.sort_unstable();
    found.into_iter().map(|candidate| candidate.after(&files.before)).collect()
}

/// Returns the path that was typed, with `~/` expanded as in a shell.
pub(crate) fn on_disk(typed: &str) -> PathBuf {
    match (typed.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ if typed.is_empty() => PathBuf::from("."),
        _ => Path::new(typed).to_path_buf(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_on_and_a_file_ends_and_hidden_ones_are_for_who_asks() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("keys")).unwrap();
        for name in ["kind.txt", ".kube", "other"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let offered = |text: &str| -> Vec<String> {
            let files =
                Files { before: "KEY=".to_owned(), text: format!("{}/{text}", folder.path().display()) };
            let start = format!("KEY={}/", folder.path().display());
            candidates(&files)
                .into_iter()
                .map(|one| one.value.strip_prefix(&start).unwrap().to_owned())
                .collect()
        };
        assert_eq!(offered("k"), ["keys/", "kind.txt"]);
        assert_eq!(offered(""), ["keys/", "kind.txt", "other"]);
        assert_eq!(offered("."), [".kube"]);
        assert_eq!(offered("none/"), Vec::<String>::new());
    }
}
