//! `completion install` puts the names beside the plugin by which kubectl finds it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use support::sandbox::{kubectl, plugin};
use support::{Outcome, Sandbox};

const KREWS: &str = "kubectl-runai_secret";
const COMPLETIONS: [&str; 2] = ["kubectl_complete-runai_secret", "kubectl_complete-runai-secret"];

/// Puts the program there. Not as a copy: a process that another test starts at the moment would keep it open for
/// writing, and it could not be run.
fn put_plugin(path: &Path) {
    fs::hard_link(plugin(), path).or_else(|_| symlink(plugin(), path)).unwrap();
}

/// As `cargo install` leaves it: the program, in a folder on PATH.
fn installed_by_cargo() -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    let program = sandbox.bin().join("kubectl-runai-secret");
    put_plugin(&program);
    (sandbox, program)
}

/// As Krew leaves it: the program in a folder of its version, and a link to it in a folder on PATH.
fn installed_by_krew(sandbox: &Sandbox, version: &str) -> PathBuf {
    let store = sandbox.home().join(".krew/store/runai-secret").join(version);
    let bin = sandbox.home().join(".krew/bin");
    fs::create_dir_all(&store).unwrap();
    fs::create_dir_all(&bin).unwrap();
    put_plugin(&store.join("kubectl-runai-secret"));
    let link = bin.join(KREWS);
    drop(fs::remove_file(&link));
    symlink(store.join("kubectl-runai-secret"), &link).unwrap();
    link
}

fn completion(sandbox: &Sandbox, program: &Path, what: &str) -> Outcome {
    sandbox.with_run().program(program, ["completion", what])
}

fn points_to(link: &Path) -> Option<String> {
    fs::read_link(link).ok().map(|target| target.to_str().unwrap().to_owned())
}

#[test]
fn after_cargo_install_kubectl_finds_it_by_both_spellings_and_completes_both() {
    let (sandbox, program) = installed_by_cargo();
    let done = completion(&sandbox, &program, "install").success();
    for name in [KREWS, COMPLETIONS[0], COMPLETIONS[1]] {
        assert_eq!(points_to(&sandbox.bin().join(name)).as_deref(), Some("kubectl-runai-secret"));
        assert!(done.stdout.contains(&format!("{name} -> kubectl-runai-secret linked")), "{done}");
    }
    assert_eq!(done.stderr, "");
    if let Some(kubectl) = kubectl() {
        for spelling in [&["runai-secret"][..], &["runai", "secret"]] {
            let run = |words: &[&str]| {
                sandbox.with_run().program(kubectl, spelling.iter().chain(words)).success().stdout
            };
            assert!(run(&["--version"]).starts_with("kubectl runai-secret "));
            let words = ["__complete"].iter().chain(spelling).chain(&["att"]);
            let offered = sandbox.with_run().program(kubectl, words).success();
            assert!(offered.stdout.starts_with("attach\t"), "{offered}");
        }
    }
    let again = completion(&sandbox, &sandbox.bin().join(KREWS), "install").success();
    assert_eq!(again.stdout.matches("is linked already").count(), 3, "{again}");
}

#[test]
fn uninstall_removes_the_links_and_nothing_else() {
    let (sandbox, program) = installed_by_cargo();
    completion(&sandbox, &program, "install").success();
    fs::remove_file(sandbox.bin().join(COMPLETIONS[0])).unwrap();
    sandbox.program(COMPLETIONS[0], "#!/bin/sh\n");
    let done = completion(&sandbox, &program, "uninstall").success();
    assert_eq!(done.stdout.lines().count(), 2, "{done}");
    let mut left: Vec<_> =
        fs::read_dir(sandbox.bin()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["kubectl-runai-secret", COMPLETIONS[0]]);
    assert_eq!(completion(&sandbox, &program, "uninstall").success().stdout, "");
}

#[test]
fn what_is_not_ours_is_left_and_said_and_the_rest_is_done() {
    let (sandbox, program) = installed_by_cargo();
    let script = sandbox.program(COMPLETIONS[0], "#!/bin/sh\n");
    let elsewhere = sandbox.bin().join(COMPLETIONS[1]);
    symlink("/usr/bin/true", &elsewhere).unwrap();
    let done = completion(&sandbox, &program, "install").fails_with(3);
    for path in [&script, &elsewhere] {
        assert!(done.stderr.contains(&format!("{} was not made by this plugin", path.display())), "{done}");
    }
    assert_eq!(fs::read(&script).unwrap(), b"#!/bin/sh\n");
    assert_eq!(points_to(&elsewhere).as_deref(), Some("/usr/bin/true"));
    assert!(sandbox.bin().join(KREWS).is_symlink());
}

#[test]
fn beside_krews_link_it_survives_an_upgrade() {
    let sandbox = Sandbox::new();
    let link = installed_by_krew(&sandbox, "v0.1.0");
    let bin = link.parent().unwrap().to_owned();
    let done = completion(&sandbox, &link, "install").success();
    assert!(done.stderr.contains("is not on PATH"), "{done}");
    for name in COMPLETIONS {
        assert_eq!(points_to(&bin.join(name)).as_deref(), Some(KREWS));
    }
    let upgraded = installed_by_krew(&sandbox, "v0.2.0");
    fs::remove_dir_all(sandbox.home().join(".krew/store/runai-secret/v0.1.0")).unwrap();
    let offered = sandbox.with_run().program(&bin.join(COMPLETIONS[0]), ["att"]).success();
    assert!(offered.stdout.starts_with("attach\t"), "{offered}");
    // Started by the file that Krew keeps, too, it is Krew's bin folder that is meant.
    let in_store = fs::read_link(&upgraded).unwrap();
    let again = completion(&sandbox, &in_store, "install").success();
    assert_eq!(again.stdout.matches("is linked already").count(), 2, "{again}");
    completion(&sandbox, &upgraded, "uninstall").success();
    assert!(upgraded.is_symlink(), "Krew's own link is Krew's");
    assert_eq!(fs::read_dir(&bin).unwrap().count(), 1);
}

#[test]
fn a_root_of_krew_elsewhere_is_found_by_its_variable() {
    let sandbox = Sandbox::new();
    installed_by_krew(&sandbox, "v0.1.0");
    let root = sandbox.path().join("krew");
    fs::rename(sandbox.home().join(".krew"), &root).unwrap();
    let in_store = root.join("store/runai-secret/v0.1.0/kubectl-runai-secret");
    let link = root.join("bin").join(KREWS);
    fs::remove_file(&link).unwrap();
    symlink(&in_store, &link).unwrap();
    sandbox.env("KREW_ROOT", &root).program(&in_store, ["completion", "install"]).success();
    assert_eq!(points_to(&root.join("bin").join(COMPLETIONS[0])).as_deref(), Some(KREWS));
}

/// Not by running the examples: they would be carried out where the program was built.
#[test]
fn its_help_has_examples() {
    let help = Sandbox::new().run(["completion", "--help"]).success();
    assert!(help.stdout.contains("\n  kubectl runai-secret completion install\n"), "{help}");
}

#[test]
fn a_link_that_was_made_for_another_installation_is_made_anew() {
    let (sandbox, program) = installed_by_cargo();
    let link = sandbox.bin().join(COMPLETIONS[0]);
    symlink(KREWS, &link).unwrap();
    completion(&sandbox, &program, "install").success();
    assert_eq!(points_to(&link).as_deref(), Some("kubectl-runai-secret"));
}

#[test]
fn a_folder_that_is_not_ours_to_write_is_an_error_with_a_way_out() {
    let (sandbox, program) = installed_by_cargo();
    let read_only = "chmod 555 ../bin; if touch ../bin/x 2>/dev/null; then rm -f ../bin/x; echo root; fi";
    let is_root = sandbox.with_run().program(Path::new("/bin/sh"), ["-c", read_only]).success().stdout;
    let outcome = completion(&sandbox, &program, "install");
    sandbox.with_run().program(Path::new("/bin/sh"), ["-c", "chmod 755 ../bin"]).success();
    if is_root.is_empty() {
        let outcome = outcome.fails_with(1);
        assert!(outcome.stderr.contains("hint: run this as a user who may write there"), "{outcome}");
    }
}
