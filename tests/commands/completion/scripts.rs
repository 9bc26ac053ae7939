//! The scripts that shells read: those of `completion SHELL`, and the same ones in `completions/`, for packages.

use std::fs;
use std::path::Path;

use support::Sandbox;

const SCRIPTS: [(&str, &str); 5] = [
    ("bash", "kubectl-runai-secret.bash"),
    ("zsh", "_kubectl-runai-secret"),
    ("fish", "kubectl-runai-secret.fish"),
    ("powershell", "kubectl-runai-secret.ps1"),
    ("elvish", "kubectl-runai-secret.elv"),
];

#[test]
fn the_scripts_in_the_repository_are_those_that_are_printed() {
    for (shell, file) in SCRIPTS {
        let printed = Sandbox::new().run(["completion", shell]).success().stdout;
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(file);
        let kept = fs::read_to_string(path).unwrap_or_default();
        let renew = format!("cargo run -- completion {shell} > completions/{file}");
        assert!(kept == printed, "completions/{file} is stale; to renew it: {renew}");
    }
}

/// With a name that has blanks it would be for `kubectl`, and take over kubectl's own completion.
#[test]
fn a_script_is_for_the_plugin_and_not_for_kubectl() {
    for (shell, _) in SCRIPTS {
        let printed = Sandbox::new().run(["completion", shell]).success().stdout;
        assert!(printed.contains("kubectl-runai-secret"), "{shell}: {printed}");
        for line in printed.lines().filter(|line| !line.trim_start().starts_with('#')) {
            assert!(!line.contains("kubectl runai") && !line.contains("@COMPLETER@"), "{shell}: {line}");
        }
        // The same, for the program that was started and no other.
        let registration = Sandbox::new().env("COMPLETE", shell).run::<&str>([]).success().stdout;
        let program = support::sandbox::plugin().to_str().unwrap();
        assert!(registration.contains(program), "{shell}: {registration}");
    }
}

#[test]
fn another_meaning_of_the_variable_is_none_of_ours() {
    for value in ["", "0", "1", "tcsh"] {
        let help = Sandbox::new().env("COMPLETE", value).run(["--help"]).success();
        assert!(help.stdout.contains("Usage: kubectl runai-secret"), "{value}: {help}");
    }
}
