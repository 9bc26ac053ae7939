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
fn sums_and_manifest_come_from_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    for platform in PLATFORMS {
        pack(folder.path(), platform);
    }
    let packages = ["kubectl-runai-secret-1.2.3.crate", "kubectl-runai-secret_1.2.3_amd64.deb"];
    for name in packages.into_iter().chain(["kubectl-runai-secret_1.2.2_amd64.deb", "notes.txt"]) {
        fs::write(folder.path().join("dist").join(name), name).unwrap();
    }
    let made = release(folder.path(), &["manifest", "--repository", REPOSITORY, "--all-platforms"]);
    assert!(made.status.success(), "{made:?}");

    let read = |name: &str| fs::read(folder.path().join("dist").join(name)).unwrap();
    let sums = String::from_utf8(read("SHA256SUMS")).unwrap();
    let listed: Vec<_> = sums.lines().map(|line| line.split_once("  ").unwrap()).collect();
    let manifests = ["runai-secret.yaml", "kubectl-runai-secret.rb", "kubectl-runai-secret.json"];
    assert_eq!(listed.len(), PLATFORMS.len() + manifests.len() + packages.len());
    for name in manifests.into_iter().chain(packages) {
        assert!(listed.iter().any(|(_, each)| *each == name), "{name}: {listed:?}");
    }
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
fn an_archive_has_the_man_page_of_every_command_and_the_completion_of_every_shell() {
    let folder = tempfile::tempdir().unwrap();
    pack(folder.path(), PLATFORMS[0]);
    let packed = fs::read(folder.path().join("dist").join(PLATFORMS[0].archive("v1.2.3"))).unwrap();
    let packed = archive::read(&packed).unwrap();
    let beside: Vec<_> = packed.iter().filter(|entry| entry.path.contains('/')).collect();
    let paths: Vec<&str> = beside.iter().map(|entry| entry.path.as_str()).collect();
    assert!(paths.is_sorted(), "{paths:?}");
    for command in ["", "-create", "-create-tls", "-attach", "-completion"] {
        let page = format!("man/kubectl-runai-secret{command}.1");
        assert!(paths.contains(&page.as_str()), "{page} {paths:?}");
    }
    for shell in ["kubectl-runai-secret.bash", "_kubectl-runai-secret", "kubectl-runai-secret.fish"] {
        assert!(paths.contains(&format!("completions/{shell}").as_str()), "{shell} {paths:?}");
    }
    assert!(beside.iter().all(|entry| entry.mode == 0o644));
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

#[test]
fn cargo_binstall_is_led_to_the_archive_of_each_target() {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Place {
        pkg_url: String,
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let words = ["metadata", "--no-deps", "--offline", "--format-version=1"];
    let asked = Command::new(env!("CARGO")).current_dir(root).args(words).output().unwrap();
    let crates: serde_json::Value = serde_json::from_slice(&asked.stdout).unwrap();
    let crates = crates["packages"].as_array().unwrap();
    let own = crates.iter().find(|each| each["name"] == "kubectl-runai-secret").unwrap();
    let binstall = &own["metadata"]["binstall"];
    let places = serde_json::from_value::<std::collections::BTreeMap<String, Place>>;
    let places = places(binstall["overrides"].clone()).unwrap();
    for (target, place) in &places {
        let platform = Platform::named(target).unwrap();
        let url = place.pkg_url.replace("{ repo }", REPOSITORY).replace("{ version }", "1.2.3");
        let archive = platform.archive("v1.2.3");
        assert_eq!(url, format!("{REPOSITORY}/releases/download/v1.2.3/{archive}"), "{target}");
        let inside = binstall["bin-dir"].as_str().unwrap();
        let ending = if platform.os == "windows" { ".exe" } else { "" };
        assert_eq!(inside.replace("{ binary-ext }", ending), platform.program(), "{target}");
    }
    for platform in PLATFORMS {
        assert!(places.contains_key(platform.target), "{}", platform.target);
    }
}
