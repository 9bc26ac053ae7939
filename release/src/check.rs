//! Checks of a release for faults that `validate-krew-manifest` accepts and reviewers of Krew's index send
//! back: a program that is not executable, a name in capitals, a description that a table cuts.
//!
//! The rules for manifests: <https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/>.

use std::path::Path;

use crate::archive::{self, Entry};
use crate::manifest::{Download, Manifest};
use crate::platform::{PLATFORMS, Platform};

/// The platforms that a manifest must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platforms {
    /// All those of a release.
    All,
    /// Any of them, for a trial on this machine.
    Some,
}

/// Returns all faults of a manifest and its archives, one sentence each. `archive` returns the bytes of the
/// archive of this file name.
pub fn release(
    manifest: &Manifest,
    platforms: Platforms,
    archive: impl Fn(&str) -> Option<Vec<u8>>,
) -> Vec<String> {
    let mut wrong = words(manifest);
    if platforms == Platforms::All {
        let missing =
            |known: &&Platform| !manifest.spec.platforms.iter().any(|each| each.platform() == Some(**known));
        wrong.extend(PLATFORMS.iter().filter(missing).map(|known| format!("{}: is missing", known.name())));
    }
    for each in &manifest.spec.platforms {
        let Some(platform) = each.platform() else {
            wrong.push(format!("{:?}: is no platform of a release", each.selector.match_labels));
            continue;
        };
        let mut found = download(each, platform, &manifest.spec.version);
        match archive(&platform.archive(&manifest.spec.version)) {
            Some(bytes) => found.extend(content(each, platform, &bytes)),
            None => found.push("its archive is not there".to_owned()),
        }
        wrong.extend(found.into_iter().map(|what| format!("{}: {what}", platform.name())));
    }
    wrong
}

/// Returns the faults of its words.
fn words(manifest: &Manifest) -> Vec<String> {
    let (name, spec) = (&manifest.metadata.name, &manifest.spec);
    let short = spec.short_description.to_lowercase();
    let is_usage = |line: &str| line.trim_start().trim_start_matches("$ ").starts_with("kubectl ");
    let checks = [
        (!is_kebab(name), format!("the name {name:?} is not in lower case, with single dashes")),
        (!is_version(&spec.version), format!("the version {:?} is not like v1.2.3", spec.version)),
        (
            spec.short_description.chars().count() > 50,
            "the short description has over 50 characters, and krew search cuts it".to_owned(),
        ),
        (
            ["kubectl", "plugin"].iter().any(|word| short.contains(word)),
            "the short description says that it is a kubectl plugin, as all of them are".to_owned(),
        ),
        (spec.description.trim().is_empty(), "there is no description".to_owned()),
        (
            spec.description.lines().chain(spec.caveats.lines()).any(|line| line.chars().count() > 80),
            "a line of the description or the caveats has over 80 characters".to_owned(),
        ),
        (spec.description.lines().any(is_usage), "the description shows how it is used".to_owned()),
        (!spec.homepage.contains("://"), "the homepage is no address".to_owned()),
    ];
    checks.into_iter().filter(|(is_wrong, _)| *is_wrong).map(|(_, what)| what).collect()
}

/// Returns the faults of an archive's address, and of the files that Krew links.
fn download(download: &Download, platform: Platform, version: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let (bin, uri) = (&download.bin, &download.uri);
    if !stays_inside(bin) {
        wrong.push(format!("bin {bin:?} leads out of the archive"));
    }
    let is_exe = Path::new(bin).extension().is_some_and(|extension| extension == "exe");
    if is_exe != (platform.os == "windows") {
        wrong.push(format!("bin {bin:?} ends in .exe on another system than Windows, or does not there"));
    }
    if uri.rsplit('/').next() != Some(&platform.archive(version)) {
        wrong.push(format!("the uri does not end in {}", platform.archive(version)));
    }
    wrong
}

/// Returns the faults of an archive.
fn content(download: &Download, platform: Platform, bytes: &[u8]) -> Vec<String> {
    let mut wrong = Vec::new();
    if archive::sha256(bytes) != download.sha256 {
        wrong.push("the sum is not that of the archive".to_owned());
    }
    let entries = match archive::read(bytes) {
        Ok(entries) => entries,
        Err(error) => return [wrong, vec![error]].concat(),
    };
    for Entry { path, is_file, .. } in &entries {
        if !stays_inside(path) {
            wrong.push(format!("{path:?} leads out of the archive"));
        }
        if !is_file {
            wrong.push(format!("{path:?} is no file"));
        }
    }
    if !entries.iter().any(|entry| entry.path == "LICENSE") {
        wrong.push("there is no LICENSE in the archive".to_owned());
    }
    match entries.iter().find(|entry| entry.path == download.bin) {
        None => wrong.push(format!("bin {:?} is not in the archive", download.bin)),
        Some(program) => {
            if program.mode != 0o755 {
                wrong.push(format!("the mode of {:?} is {:04o}, not 0755", program.path, program.mode));
            }
            if !platform.runs(&program.content) {
                wrong.push(format!("{:?} is no program for the platform", program.path));
            }
        }
    }
    wrong
}

fn is_kebab(name: &str) -> bool {
    name.split('-').all(|word| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}

/// Accepts `v1.2.3`, and `v1.2.3-rc.1` too.
fn is_version(version: &str) -> bool {
    let numbers = version.strip_prefix('v').and_then(|rest| rest.split(['-', '+']).next());
    numbers.is_some_and(|numbers| {
        let numbers: Vec<_> = numbers.split('.').collect();
        numbers.len() == 3 && numbers.iter().all(|number| number.parse::<u64>().is_ok())
    })
}

fn stays_inside(path: &str) -> bool {
    !path.starts_with('/') && !path.contains('\\') && path.split('/').all(|part| part != "..")
}

#[cfg(test)]
mod tests;
