//! A release from programs to manifest, by the command that `release/build` runs.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use release::platform::{PLATFORMS, Platform};
use release::{archive, manifest};

const REPOSITORY: &str = "https://example.org/o/r";

fn release(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_release"));
    command.current_dir(folder).args(arguments).args(["--version", "v1.2.3"]).output().unwrap()
}

fn pack(folder: &Path, platform: Platform) {
    fs::write(folder.join("program"), platform.stand_in()).unwrap();
    let packed = release(folder, &["archive", "--platform", platform.target, "--program", "program"]);
    assert!(packed.status.success(), "{packed:?}");
}

#[test]
fn sums_and_manifest_come_from_the_archives() {
    let folder = tempfile::tempdir().unwrap();
    for platform in PLATFORMS {
        pack(folder.path(), platform);
    }
    let made = release(folder.path(), &["manifest", "--repository", REPOSITORY, "--all-platforms"]);
    assert!(made.status.success(), "{made:?}");

    let read = |name: &str| fs::read(folder.path().join("dist").join(name)).unwrap();
    let sums = String::from_utf8(read("SHA256SUMS")).unwrap();
    let listed: Vec<_> = sums.lines().map(|line| line.split_once("  ").unwrap()).collect();
    assert_eq!(listed.len(), PLATFORMS.len() + 1);
    for (sum, name) in listed {
        assert_eq!(sum, archive::sha256(&read(name)), "{name}");
    }
    let text = String::from_utf8(read("runai-secret.yaml")).unwrap();
    for download in manifest::parse(&text).unwrap().spec.platforms {
        let name = download.uri.rsplit('/').next().unwrap();
        assert_eq!(download.sha256, archive::sha256(&read(name)), "{name}");
    }
}

#[test]
fn an_archive_has_the_man_page_of_every_command() {
    let folder = tempfile::tempdir().unwrap();
    pack(folder.path(), PLATFORMS[0]);
    let packed = fs::read(folder.path().join("dist").join(PLATFORMS[0].archive("v1.2.3"))).unwrap();
    let packed = archive::read(&packed).unwrap();
    let pages: Vec<&str> = packed.iter().filter_map(|entry| entry.path.strip_prefix("man/")).collect();
    assert!(pages.is_sorted(), "{pages:?}");
    for command in ["", "-create", "-create-tls", "-attach", "-completion"] {
        assert!(pages.contains(&format!("kubectl-runai-secret{command}.1").as_str()), "{command} {pages:?}");
    }
    assert!(packed.iter().filter(|entry| entry.path.starts_with("man/")).all(|page| page.mode == 0o644));
}

#[test]
fn a_release_without_one_of_its_platforms_is_refused_and_a_build_for_this_machine_is_not() {
    let folder = tempfile::tempdir().unwrap();
    pack(folder.path(), PLATFORMS[0]);
    let refused = release(folder.path(), &["manifest", "--repository", REPOSITORY, "--all-platforms"]);
    let words = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && words.contains("windows-amd64: is missing"), "{words}");
    assert!(!folder.path().join("dist/runai-secret.yaml").exists(), "nothing is written that is wrong");
    assert!(release(folder.path(), &["manifest", "--repository", REPOSITORY]).status.success());
}

#[test]
fn a_program_for_another_platform_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("program"), "#!/bin/sh\n").unwrap();
    release(folder.path(), &["archive", "--platform", "linux-amd64", "--program", "program"]);
    let refused = release(folder.path(), &["manifest", "--repository", REPOSITORY]);
    let words = String::from_utf8(refused.stderr).unwrap();
    assert!(
        words.contains("linux-amd64: \"kubectl-runai_secret\" is no program for the platform"),
        "{words}"
    );
}
