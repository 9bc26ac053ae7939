//! Completion, in a shell of its own and inside kubectl's.

use std::os::unix::fs::symlink;
use std::process::Command;

use support::Sandbox;
use support::sandbox::{kubectl, plugin};

/// Runs the plugin under the name by which kubectl asks for candidates.
fn ask_as_kubectl(words: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("kubectl_complete-runai_secret");
    symlink(plugin(), &link).unwrap();
    let output = Command::new(link).args(words).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn kubectls_protocol_is_answered_under_kubectls_name() {
    let answer = ask_as_kubectl(&[""]);
    assert!(answer.lines().any(|line| line.starts_with("create\t")), "{answer}");
    assert!(answer.lines().all(|line| !line.starts_with('-')), "flags only when asked for: {answer}");
    assert_eq!(answer.lines().last(), Some(":4"));
    let flags = ask_as_kubectl(&["create", "s", "--from-"]);
    assert!(flags.lines().any(|line| line.starts_with("--from-literal\t")), "{flags}");
}

#[test]
fn kubectl_itself_finds_the_candidates() {
    if kubectl().is_none() {
        return;
    }
    let answer = Sandbox::new().kubectl(["__complete", "runai-secret", "la"]).success();
    assert!(answer.stdout.contains("label\t"), "{answer}");
}

/// With a name that has blanks clap would register itself for `kubectl`, and take over kubectl's own completion.
#[test]
fn the_registration_is_for_the_plugin_and_not_for_kubectl() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = Sandbox::new().env("COMPLETE", shell).run::<&str>([]).success().stdout;
        assert!(script.contains("kubectl-runai-secret"), "{shell}: {script}");
        for line in script.lines().filter(|line| !line.trim_start().starts_with('#')) {
            assert!(!line.contains("kubectl runai"), "{shell}: {line}");
        }
    }
}
