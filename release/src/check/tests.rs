//! A correct release, and each rule's complaint about one fault.

use std::collections::BTreeMap;

use super::*;
use crate::{archive, manifest};

const VERSION: &str = "v1.2.3";

/// A manifest and its archives.
struct Release {
    manifest: Manifest,
    archives: BTreeMap<String, Vec<u8>>,
}

impl Release {
    fn new() -> Self {
        let mut archives = BTreeMap::new();
        let sums = PLATFORMS.map(|platform| {
            let bytes = archive::write(&archive::entries(platform, &platform.stand_in(), b"the licence"));
            let sum = archive::sha256(&bytes);
            archives.insert(platform.archive(VERSION), bytes);
            (platform, sum)
        });
        let text = manifest::render(manifest::TEMPLATE, VERSION, "https://example.org/o/r", &sums).unwrap();
        Self { manifest: manifest::parse(&text).unwrap(), archives }
    }

    fn wrong(&self) -> Vec<String> {
        release(&self.manifest, Platforms::All, |name| self.archives.get(name).cloned())
    }

    /// Returns the download of linux-amd64.
    fn linux(&mut self) -> &mut Download {
        &mut self.manifest.spec.platforms[2]
    }

    /// Changes the entries in the archive of linux-amd64, and corrects the sum.
    fn repack(&mut self, change: impl Fn(&mut Vec<Entry>)) {
        let bytes = self.archives.get_mut(&PLATFORMS[2].archive(VERSION)).unwrap();
        let mut entries = archive::read(bytes).unwrap();
        change(&mut entries);
        *bytes = archive::write(&entries);
        let sum = archive::sha256(bytes);
        self.linux().sha256 = sum;
    }
}

type Change = fn(&mut Release);

/// Asserts that each change gives one complaint, with these words.
#[track_caller]
fn all_are_found(changes: &[(&str, Change)]) {
    for (words, change) in changes {
        let mut release = Release::new();
        change(&mut release);
        let wrong = release.wrong();
        assert!(wrong.len() == 1 && wrong[0].contains(words), "{words}: {wrong:#?}");
    }
}

#[test]
fn a_release_as_it_is_made_has_nothing_wrong() {
    assert_eq!(Release::new().wrong(), [""; 0]);
}

#[test]
fn what_reviewers_send_back_is_found() {
    all_are_found(&[
        ("not in lower case", |it| it.manifest.metadata.name = "Runai-secret".to_owned()),
        ("not in lower case", |it| it.manifest.metadata.name = "runai_secret".to_owned()),
        ("not like v1.2.3", |it| {
            it.archives = it.archives.iter().map(|(k, v)| (k.replace('v', ""), v.clone())).collect();
            it.manifest.spec.version = "1.2.3".to_owned();
            for each in &mut it.manifest.spec.platforms {
                each.uri = each.uri.replace('v', "");
            }
        }),
        ("over 50 characters", |it| it.manifest.spec.short_description = "x".repeat(51)),
        ("kubectl plugin", |it| it.manifest.spec.short_description = "A Kubectl command".to_owned()),
        ("no description", |it| it.manifest.spec.description = "\n".to_owned()),
        ("over 80 characters", |it| it.manifest.spec.caveats = "x".repeat(81)),
        ("shows how it is used", |it| it.manifest.spec.description = "Use:\n  $ kubectl x".to_owned()),
        ("homepage", |it| it.manifest.spec.homepage = "example.org".to_owned()),
    ]);
}

#[test]
fn a_wrong_address_name_or_platform_is_found() {
    all_are_found(&[
        ("linux-amd64: is missing", |it| drop(it.manifest.spec.platforms.remove(2))),
        ("is no platform", |it| {
            let mut another = it.manifest.spec.platforms[2].clone();
            another.selector.match_labels.arch = "s390x".to_owned();
            it.manifest.spec.platforms.push(another);
        }),
        ("uri does not end in", |it| it.linux().uri += "x"),
        ("is not in the archive", |it| it.linux().bin = "kubectl-runai-secret".to_owned()),
        ("darwin-arm64: its archive is not there", |it| {
            it.archives.remove(&PLATFORMS[1].archive(VERSION));
        }),
    ]);
    // One change, with two complaints.
    let mut release = Release::new();
    release.linux().bin = "../kubectl-runai_secret".to_owned();
    assert!(release.wrong()[0].contains("leads out of the archive"), "{:?}", release.wrong());
    let mut release = Release::new();
    release.manifest.spec.platforms[4].bin = "kubectl-runai_secret".to_owned();
    assert!(release.wrong()[0].contains("windows-amd64: bin \"kubectl-runai_secret\" ends in .exe"));
}

#[test]
fn a_wrong_archive_is_found() {
    all_are_found(&[
        ("mode of \"kubectl-runai_secret\" is 0644, not 0755", |it| {
            it.repack(|entries| entries[1].mode = 0o644);
        }),
        ("is 4755", |it| it.repack(|entries| entries[1].mode = 0o4755)),
        ("no program for the platform", |it| {
            it.repack(|entries| entries[1].content = PLATFORMS[3].stand_in());
        }),
        ("no LICENSE", |it| it.repack(|entries| drop(entries.remove(0)))),
        ("leads out", |it| it.repack(|entries| entries.push(Entry::file("a/../../b", 0o644, "")))),
        ("leads out", |it| it.repack(|entries| entries.push(Entry::file("/etc/b", 0o644, "")))),
        ("is no file", |it| {
            it.repack(|entries| entries.push(Entry { is_file: false, ..Entry::file("link", 0o777, "") }));
        }),
        ("not that of the archive", |it| it.linux().sha256 = it.linux().sha256.to_uppercase()),
        ("not that of the archive", |it| it.linux().sha256 = "0".repeat(64)),
    ]);
    let mut release = Release::new();
    release.archives.insert(PLATFORMS[2].archive(VERSION), b"PK\x03\x04".to_vec());
    assert!(release.wrong().iter().any(|wrong| wrong.contains("no .tar.gz")), "{:?}", release.wrong());
}
