//! The workflows of GitHub: what they run is named exactly, and the platforms are those of a release.

use std::fs;
use std::path::PathBuf;

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

fn workflows() -> Vec<(String, String)> {
    let files = fs::read_dir(root().join(".github/workflows")).unwrap();
    let read = |path: PathBuf| (path.display().to_string(), fs::read_to_string(&path).unwrap());
    let found: Vec<_> = files.map(|file| read(file.unwrap().path())).collect();
    assert!(found.len() > 1, "{found:?}");
    found
}

/// What follows `key:` in each line that has it, without a comment and quotes.
fn values<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let of_line = |line: &'a str| {
        let (_, value) =
            line.trim_start().trim_start_matches("- ").split_once(':').filter(|(name, _)| *name == key)?;
        Some(value.split(" #").next().unwrap_or_default().trim().trim_matches('"'))
    };
    text.lines().filter_map(of_line).collect()
}

#[test]
fn every_action_is_pinned_by_its_commit() {
    let mut seen = 0;
    for (file, text) in workflows() {
        for action in values(&text, "uses").into_iter().filter(|action| !action.starts_with("./")) {
            let (_, commit) = action.split_once('@').unwrap_or_default();
            let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_commit, "{file}: {action} may become another program at any time");
            seen += 1;
        }
        let checkouts = text.matches("uses: actions/checkout@").count();
        let forgotten = text.matches("persist-credentials: false").count();
        assert_eq!(checkouts, forgotten, "{file}: a checkout leaves credentials behind");
        assert!(text.contains("\npermissions:\n  contents: read\n"), "{file} may do more than read");
    }
    assert!(seen > 5);
}

#[test]
fn the_compiler_is_the_oldest_that_is_promised_to_work() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = "));
    let version = version.unwrap().trim_matches('"');
    for (file, text) in workflows() {
        let pinned = values(&text, "RUSTUP_TOOLCHAIN");
        let is_it = |pinned: &&str| *pinned == version || *pinned == format!("{version}.0");
        assert!(pinned.len() == 1 && pinned.iter().all(is_it), "{file}: {pinned:?} is not {version}");
    }
}

#[test]
fn a_release_is_built_for_each_of_its_platforms_and_for_no_other() {
    let platforms = fs::read_to_string(root().join("release/src/platform.rs")).unwrap();
    let table = platforms.split("PLATFORMS: [Platform").nth(1).unwrap().split("];").next().unwrap();
    let mut known: Vec<&str> =
        table.split("target: \"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let release = fs::read_to_string(root().join(".github/workflows/release.yml")).unwrap();
    let mut built: Vec<&str> = release
        .lines()
        .filter(|line| line.contains("runner:") && line.contains("target:"))
        .map(|line| line.split("target:").nth(1).unwrap().trim_matches([' ', '}']))
        .collect();
    known.sort_unstable();
    built.sort_unstable();
    assert!(!known.is_empty());
    assert_eq!(built, known);
}
