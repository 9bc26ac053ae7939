//! The plugin as Krew installs it: the real Krew, and the archives and the manifest that a release has.
//!
//! `KREW` names the folder of `krew` and `validate-krew-manifest`, which `tests/krew/build` makes. kubectl is needed too.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use release::archive::{self, Entry};
use release::check::{self, Platforms};
use release::manifest;
use release::platform::{PLATFORMS, Platform};
use support::sandbox::kubectl;
use support::{Outcome, Sandbox};

#[path = "krew/downloads.rs"]
mod downloads;

use downloads::Downloads;

/// The programs of Krew, once looked for.
struct Programs {
    krew: PathBuf,
    validate: PathBuf,
}

/// # Panics
/// There is no Krew.
fn programs() -> &'static Programs {
    static FOUND: OnceLock<Programs> = OnceLock::new();
    FOUND.get_or_init(|| {
        let folder = std::env::var_os("KREW").filter(|folder| !folder.is_empty()).map(PathBuf::from);
        let folder = folder.expect("KREW names the folder that tests/krew/build prints");
        Programs { krew: folder.join("krew"), validate: folder.join("validate-krew-manifest") }
    })
}

/// A user with Krew and kubectl, and a place to download releases from.
struct User {
    sandbox: Sandbox,
    downloads: Downloads,
    krew_root: PathBuf,
}

impl User {
    fn new(programs: &Programs) -> Self {
        let sandbox = Sandbox::new();
        let krew_root = sandbox.home().join(".krew");
        symlink(kubectl().unwrap(), sandbox.bin().join("kubectl")).unwrap();
        symlink(&programs.krew, sandbox.bin().join("kubectl-krew")).unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = [krew_root.join("bin"), sandbox.bin()].into_iter().chain(std::env::split_paths(&path));
        let path = std::env::join_paths(folders).unwrap();
        let sandbox = sandbox
            .with_env("PATH", path)
            // It would ask the internet for a newer Krew.
            .with_env("KREW_NO_UPGRADE_CHECK", "1");
        Self { sandbox, downloads: Downloads::new(), krew_root }
    }

    fn kubectl(&self, arguments: &[&str]) -> Outcome {
        self.sandbox.with_run().program(kubectl().unwrap(), arguments)
    }

    fn git(&self, folder: &Path, arguments: &[&str]) {
        let identity = ["-c", "user.name=index", "-c", "user.email=index@example.org", "-C"];
        let folder = folder.to_str().unwrap();
        let arguments = identity.into_iter().chain([folder]).chain(arguments.iter().copied());
        self.sandbox.with_run().program(Path::new("git"), arguments).success();
    }

    /// Publishes a release of these platforms, and gives its manifest.
    fn publish(&self, version: &str, platforms: &[Platform]) -> String {
        let sums = platforms.iter().map(|platform| {
            let bytes = if *platform == here() { archive_for_here() } else { stand_in(*platform) };
            let sum = archive::sha256(&bytes);
            self.downloads.put(&platform.archive(version), bytes);
            (*platform, sum)
        });
        let sums: Vec<_> = sums.collect();
        manifest::render(manifest::TEMPLATE, version, &self.downloads.url(), &sums).unwrap()
    }

    /// Makes this the manifest in an index of its own.
    fn index(&self, manifest: &str) -> String {
        let index = self.sandbox.path().join("index");
        if !index.exists() {
            fs::create_dir(&index).unwrap();
            self.git(&index, &["init", "--quiet", "--initial-branch=main"]);
        }
        self.sandbox.file("index/plugins/runai-secret.yaml", manifest);
        self.git(&index, &["add", "--all"]);
        self.git(&index, &["commit", "--quiet", "--message=release"]);
        format!("file://{}", index.display())
    }

    /// Where the link that Krew made leads to.
    fn linked(&self) -> PathBuf {
        fs::read_link(self.krew_root.join("bin/kubectl-runai_secret")).unwrap()
    }

    fn validate(&self, programs: &Programs, name: &str, manifest: &str) -> Outcome {
        let file = self.sandbox.file(format!("{name}.yaml"), manifest);
        self.sandbox.with_run().program(&programs.validate, [Path::new("-manifest"), &file])
    }

    /// What our own checks say about a published release.
    fn checked(&self, text: &str) -> Vec<String> {
        check::release(&manifest::parse(text).unwrap(), Platforms::Some, |name| self.downloads.get(name))
    }
}

/// The platform that this test was built for.
fn here() -> Platform {
    let os = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    Platform::named(&format!("{os}-{arch}")).unwrap()
}

/// The archive of the plugin itself; packed once, as a program for development is large.
fn archive_for_here() -> Vec<u8> {
    static PACKED: OnceLock<Vec<u8>> = OnceLock::new();
    let pack = || {
        let program = fs::read(env!("CARGO_BIN_EXE_kubectl-runai-secret")).unwrap();
        archive::write(&archive::entries(here(), &program, b"the licence"))
    };
    PACKED.get_or_init(pack).clone()
}

fn stand_in(platform: Platform) -> Vec<u8> {
    archive::write(&archive::entries(platform, &platform.stand_in(), b"the licence"))
}

#[test]
#[ignore = "needs the real Krew: tests/krew/build"]
fn krew_installs_upgrades_and_removes_it_from_an_index() {
    let programs = programs();
    let user = User::new(programs);
    let index = user.index(&user.publish("v1.2.3", &[here()]));
    user.kubectl(&["krew", "index", "add", "runai", &index]).success();
    let installed = user.kubectl(&["krew", "install", "runai/runai-secret"]).success();
    assert!(installed.stderr.contains("completion install"), "the caveats are shown: {installed}");
    assert!(user.linked().ends_with("v1.2.3/kubectl-runai_secret"), "{:?}", user.linked());
    let found = user.kubectl(&["krew", "search", "runai"]).success();
    assert!(found.stdout.contains("Create, share and attach secrets for Run:ai"), "not cut: {found}");
    it_runs(&user);

    user.index(&user.publish("v1.3.0", &[here()]));
    user.kubectl(&["krew", "upgrade", "runai-secret"]).success();
    assert!(user.linked().ends_with("v1.3.0/kubectl-runai_secret"), "{:?}", user.linked());
    assert!(!user.krew_root.join("store/runai-secret/v1.2.3").exists());
    it_runs(&user);

    user.kubectl(&["krew", "uninstall", "runai-secret"]).success();
    assert!(!user.krew_root.join("store/runai-secret").join("v1.3.0").exists());
    let gone = user.kubectl(&["runai-secret", "--version"]).fails_with(1);
    assert!(gone.stderr.contains("unknown command"), "{gone}");
}

/// By each spelling that kubectl has for it, and for kubectl's completion. The links beside Krew's own are relative and
/// to its link, so that they are as good after an upgrade.
fn it_runs(user: &User) {
    let bin = user.krew_root.join("bin");
    for name in ["kubectl-runai-secret", "kubectl_complete-runai_secret"] {
        if !bin.join(name).is_symlink() {
            symlink("kubectl-runai_secret", bin.join(name)).unwrap();
        }
    }
    for spelling in [&["runai-secret"][..], &["runai_secret"], &["runai", "secret"]] {
        let version = user.kubectl(&[spelling, &["--version"]].concat()).success();
        assert!(version.stdout.starts_with("kubectl runai-secret "), "{version}");
        let made = ["create", "s", "--from-literal=k=v", "--dry-run=client", "-o", "name"];
        let made = user.kubectl(&[spelling, &made].concat()).success();
        assert_eq!(made.stdout, "secret/s\n");
    }
    let candidates = user.kubectl(&["__complete", "runai-secret", "att"]).success();
    assert!(candidates.stdout.contains("attach\t"), "{candidates}");
}

#[test]
#[ignore = "needs the real Krew: tests/krew/build"]
fn krew_installs_it_from_a_manifest_and_an_archive_on_this_machine() {
    let programs = programs();
    let user = User::new(programs);
    let manifest = user.publish("v1.2.3", &[here()]);
    let manifest = user.sandbox.file("runai-secret.yaml", manifest);
    let archive = user.sandbox.file(here().archive("v1.2.3"), archive_for_here());
    let install = |archive: &Path| {
        let (manifest, archive) = (format!("--manifest={}", manifest.display()), archive.display());
        user.kubectl(&["krew", "install", &manifest, &format!("--archive={archive}")])
    };
    let another = user.sandbox.file("another.tar.gz", stand_in(here()));
    assert!(install(&another).fails_with(1).stderr.contains("checksum"), "the sum is that of the archive");
    install(&archive).success();
    it_runs(&user);
    let program = fs::metadata(user.linked()).unwrap().permissions().mode();
    assert_eq!(program & 0o777, 0o755);
}

#[test]
#[ignore = "needs the real Krew: tests/krew/build"]
fn krew_installs_it_from_the_files_of_a_release_alone() {
    let programs = programs();
    let user = User::new(programs);
    let manifest = user.publish("v1.2.3", &[here()]);
    // Krew fetches its index first, though this takes nothing from there.
    let index = user.index(&manifest);
    user.downloads.put("runai-secret.yaml", manifest.into_bytes());
    let url = format!("--manifest-url={}/releases/latest/download/runai-secret.yaml", user.downloads.url());
    let install = user.sandbox.env("KREW_DEFAULT_INDEX_URI", index);
    install.program(kubectl().unwrap(), ["krew", "install", &url]).success();
    user.kubectl(&["runai-secret", "--version"]).success();
}

#[test]
#[ignore = "needs the real Krew: tests/krew/build"]
fn krews_own_validation_takes_the_manifest_of_a_release() {
    let programs = programs();
    let user = User::new(programs);
    let manifest = user.publish("v1.2.3", &PLATFORMS);
    let outcome = user.validate(programs, "runai-secret", &manifest).success();
    for platform in PLATFORMS {
        assert!(user.downloads.asked_for(&platform.archive("v1.2.3")), "{}: {outcome}", platform.name());
    }
    assert_eq!(user.checked(&manifest), [""; 0]);
}

/// Krew's own validation takes what this publishes, as the manifest of this name; our checks say what is wrong with it.
#[track_caller]
fn only_our_checks_find(words: &str, name: &str, publish: impl FnOnce(&User) -> String) {
    let programs = programs();
    let user = User::new(programs);
    let manifest = publish(&user);
    user.validate(programs, name, &manifest).success();
    let wrong = user.checked(&manifest);
    assert!(wrong.iter().any(|wrong| wrong.contains(words)), "{wrong:?}");
}

#[test]
#[ignore = "needs the real Krew: tests/krew/build"]
fn a_program_that_is_not_executable_is_found() {
    only_our_checks_find("is 0644, not 0755", "runai-secret", |user| {
        user.publish_changed(|program| program.mode = 0o644)
    });
}

#[test]
#[ignore = "needs the real Krew: tests/krew/build"]
fn a_program_for_another_platform_is_found() {
    only_our_checks_find("no program for the platform", "runai-secret", |user| {
        user.publish_changed(|program| program.content = b"#!/bin/sh\n".to_vec())
    });
}

#[test]
#[ignore = "needs the real Krew: tests/krew/build"]
fn an_exe_that_should_be_none_is_found() {
    only_our_checks_find("ends in .exe on another system", "runai-secret", |user| {
        user.publish_changed(|program| program.path.push_str(".exe"))
    });
}

#[test]
#[ignore = "needs the real Krew: tests/krew/build"]
fn a_program_outside_of_the_archive_is_found() {
    only_our_checks_find("leads out of the archive", "runai-secret", |user| {
        user.publish_changed(|_| ()).replace("bin: ", "bin: ../")
    });
}

#[test]
#[ignore = "needs the real Krew: tests/krew/build"]
fn a_name_in_capitals_is_found() {
    only_our_checks_find("not in lower case", "Runai-Secret", |user| {
        user.publish_changed(|_| ()).replace("name: runai-secret", "name: Runai-Secret")
    });
}

#[test]
#[ignore = "needs the real Krew: tests/krew/build"]
fn a_description_that_search_would_cut_is_found() {
    only_our_checks_find("over 50 characters", "runai-secret", |user| {
        let manifest = user.publish_changed(|_| ());
        manifest.replace("for Run:ai\n", &format!("for Run:ai {}\n", "x".repeat(80)))
    });
}

#[test]
#[ignore = "needs the real Krew: tests/krew/build"]
fn a_sum_of_another_archive_is_found_by_krew_and_by_us() {
    let programs = programs();
    let user = User::new(programs);
    let manifest = user.publish_changed(|_| ());
    user.publish_changed(|program| program.content.push(0));
    let refused = user.validate(programs, "runai-secret", &manifest);
    assert!(refused.code != Some(0) && refused.stderr.contains("checksum"), "{refused}");
    assert!(user.checked(&manifest)[0].contains("the sum is not that of the archive"));
}

impl User {
    /// Publishes a release for Linux whose program is otherwise than it should be; `bin` follows its name.
    fn publish_changed(&self, change: impl Fn(&mut Entry)) -> String {
        let platform = Platform::named("linux-amd64").unwrap();
        let mut entries = archive::entries(platform, &platform.stand_in(), b"the licence");
        change(&mut entries[1]);
        let bytes = archive::write(&entries);
        let sums = [(platform, archive::sha256(&bytes))];
        self.downloads.put(&platform.archive("v1.2.3"), bytes);
        let manifest = manifest::render(manifest::TEMPLATE, "v1.2.3", &self.downloads.url(), &sums).unwrap();
        manifest.replace("bin: kubectl-runai_secret", &format!("bin: {}", entries[1].path))
    }
}
