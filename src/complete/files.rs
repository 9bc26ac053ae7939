//! Lists file names, for words that only end in one: a shell looks at whole words.

use std::fs;
use std::path::{Path, PathBuf};

use super::candidate::Candidate;
use super::candidate::Files;

/// What separates folders in a path.
const SEPARATORS: &[char] = if cfg!(windows) { &['/', '\\'] } else { &['/'] };

/// The most names: a folder may have millions.
const MOST: usize = 1000;

/// When files are offered whose names begin with a dot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum DotFiles {
    /// As in shells, after a dot.
    AfterADot,
    /// At a question for a file of values, which is often one of them.
    Always,
}

pub(super) fn candidates(files: &Files, dot_files: DotFiles) -> Vec<Candidate> {
    let (folder, name) = parts(&files.text, SEPARATORS);
    let mut found: Vec<Candidate> = fs::read_dir(on_disk(folder))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let its_name = entry.file_name().into_string().ok()?;
            let is_shown = name.starts_with('.') || dot_files == DotFiles::Always;
            let hidden = its_name.starts_with('.') && !is_shown;
            if hidden || !its_name.starts_with(name) || its_name.contains(char::is_control) {
                return None;
            }
            let word = format!("{folder}{its_name}");
            // Asked of the path: the entry itself may be a link to a folder.
            let is_folder = entry.path().is_dir();
            Some(if is_folder {
                let separator = folder.chars().next_back().unwrap_or(std::path::MAIN_SEPARATOR);
                Candidate::continued(format!("{word}{separator}"), "")
            } else {
                Candidate::new(word, "")
            })
        })
        .take(MOST)
        .collect();
    found.sort_unstable();
    found.into_iter().map(|candidate| candidate.after(&files.before)).collect()
}

/// Splits a path behind its last separator.
fn parts<'a>(path: &'a str, separators: &[char]) -> (&'a str, &'a str) {
    path.rfind(separators).map_or(("", path), |at| path.split_at(at + 1))
}

/// Returns the path that was typed, with `~/` expanded as in a shell.
pub(crate) fn on_disk(typed: &str) -> PathBuf {
    let of_home = typed.strip_prefix('~').and_then(|rest| rest.strip_prefix(SEPARATORS));
    match (of_home, std::env::home_dir()) {
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
        let offered_with = |text: &str, dot_files| -> Vec<String> {
            let files =
                Files { before: "KEY=".to_owned(), text: format!("{}/{text}", folder.path().display()) };
            let start = format!("KEY={}/", folder.path().display());
            candidates(&files, dot_files)
                .into_iter()
                .map(|one| one.value.strip_prefix(&start).unwrap().to_owned())
                .collect()
        };
        let offered = |text: &str| offered_with(text, DotFiles::AfterADot);
        assert_eq!(offered_with("", DotFiles::Always), [".kube", "keys/", "kind.txt", "other"]);
        assert_eq!(offered("k"), ["keys/", "kind.txt"]);
        assert_eq!(offered(""), ["keys/", "kind.txt", "other"]);
        assert_eq!(offered("."), [".kube"]);
        assert_eq!(offered("none/"), Vec::<String>::new());
    }

    #[test]
    fn a_path_of_windows_has_two_separators() {
        assert_eq!(parts("C:\\w\\pl", &['/', '\\']), ("C:\\w\\", "pl"));
        assert_eq!(parts("C:\\w/pl", &['/', '\\']), ("C:\\w/", "pl"));
        assert_eq!(parts("a\\b/c\\d", &['/']), ("a\\b/", "c\\d"));
        assert_eq!(parts("pl", &['/']), ("", "pl"));
    }
}
