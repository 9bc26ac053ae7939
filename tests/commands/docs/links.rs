//! Every relative link of the documentation leads to a file that is there, and to a heading in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::root;

/// The Markdown files of the tree's root and of docs/.
fn pages() -> Vec<PathBuf> {
    let (mut pages, mut folders) = (Vec::new(), vec![root().join("docs")]);
    let is_page = |path: &Path| path.extension().is_some_and(|extension| extension == "md");
    let entries = |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    pages.extend(entries(&root()).filter(|path| is_page(path)));
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            if path.is_dir() {
                folders.push(path);
            } else if is_page(&path) {
                pages.push(path);
            }
        }
    }
    pages
}

/// A page without what stands between fences, where nothing is a link or a heading.
fn without_code(text: &str) -> String {
    let outside = |(index, part): (usize, &str)| (index % 2 == 0).then(|| part.to_owned());
    text.split("\n```").enumerate().filter_map(outside).collect::<Vec<_>>().join("\n")
}

/// The targets of `[text](target)`.
fn links(text: &str) -> Vec<String> {
    let text = without_code(text);
    let targets = text.match_indices("](").map(|(at, _)| &text[at + 2..]);
    targets.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target.to_owned()).collect()
}

/// The name by which GitHub finds a heading: letters, digits, `-` and `_`, blanks as dashes.
fn anchor(heading: &str) -> String {
    let heading = heading.trim().to_lowercase().replace(' ', "-");
    heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    let text = without_code(text);
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#'))).collect()
}

/// What is wrong with a link, if anything.
fn mistake(page: &Path, link: &str) -> Option<String> {
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let target = if file.is_empty() { page.to_owned() } else { page.parent().unwrap().join(file) };
    if !target.exists() {
        return Some(format!("{}: there is no {file}", page.display()));
    }
    let is_there = heading.is_empty() || anchors(&fs::read_to_string(&target).unwrap()).contains(heading);
    (!is_there).then(|| format!("{}: {link} has no such heading", page.display()))
}

#[test]
fn every_link_within_the_tree_leads_somewhere() {
    let mut followed = 0;
    let mut mistakes = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text).into_iter().filter(|link| !link.contains("://")) {
            followed += 1;
            mistakes.extend(mistake(&page, &link));
        }
    }
    assert!(mistakes.is_empty(), "{mistakes:#?}");
    assert!(followed > 50, "the links were not found: {followed}");
}

#[test]
fn every_page_of_the_documentation_is_linked_to() {
    let linked = |page: &PathBuf| {
        let text = fs::read_to_string(page).unwrap();
        let files = links(&text).into_iter().map(|link| link.split('#').next().unwrap().to_owned());
        let paths = files.filter_map(|file| page.parent().unwrap().join(file).canonicalize().ok());
        paths.collect::<Vec<_>>()
    };
    let reached: BTreeSet<PathBuf> = pages().iter().flat_map(linked).collect();
    let is_lonely = |page: &PathBuf| {
        page.starts_with(root().join("docs")) && !reached.contains(&page.canonicalize().unwrap())
    };
    let lonely: Vec<PathBuf> = pages().into_iter().filter(is_lonely).collect();
    assert!(lonely.is_empty(), "{lonely:#?}");
}
