//! Help, version and usage errors: what needs no cluster must not look for one.

use std::path::Path;

use support::Sandbox;
use support::sandbox::{kubectl, plugin};

// Not completion: its examples would be carried out.
const COMMANDS: [&str; 16] = [
    "create", "delete", "label", "list", "status", "sync", "attach", "detach", "submit", "usage", "check",
    "view", "set", "unset", "copy", "edit",
];
const TYPES_OF_SECRETS: [&str; 5] = ["docker-registry", "tls", "ssh", "password", "access-key"];

/// A sandbox in which any look at a kubeconfig fails.
fn without_cluster() -> Sandbox {
    let sandbox = Sandbox::new().with_env("KUBECONFIG", "broken");
    sandbox.file("broken", "{");
    sandbox
}

#[test]
fn help_says_how_the_user_starts_it_and_lists_every_command() {
    let help = without_cluster().run(["--help"]).success();
    assert!(help.stdout.contains("Usage: kubectl runai-secret"), "{help}");
    for command in COMMANDS.into_iter().chain(["completion"]) {
        assert!(help.stdout.contains(&format!("\n  {command} ")), "{command} is missing in {help}");
    }
}

#[test]
fn every_command_has_help_with_examples_that_can_be_parsed() {
    let types = TYPES_OF_SECRETS.map(|secret_type| format!("create {secret_type}"));
    for command in COMMANDS.map(str::to_owned).into_iter().chain(types) {
        let help = without_cluster().run(command.split(' ').chain(["--help"])).success();
        assert!(help.stdout.contains(&format!("Usage: kubectl runai-secret {command}")), "{help}");
        let examples: Vec<&str> =
            help.stdout.lines().filter_map(|line| line.strip_prefix("  kubectl runai-secret ")).collect();
        assert!(!examples.is_empty(), "{help}");
        for example in examples {
            let line = example.split(" < ").next().unwrap();
            // Understood, and stopped only by what this sandbox lacks: a kubeconfig, a file, a terminal.
            let words = line.split_whitespace().map(|word| word.trim_matches('\''));
            let outcome = without_cluster().stdin("x").run(words);
            let understood = outcome.code == Some(0)
                || outcome.stderr.contains("error loading config file")
                || outcome.stderr.contains("error reading")
                || outcome.stderr.contains("needs a terminal")
                || outcome.stderr.contains("-stdin, ");
            assert!(understood, "{outcome}");
        }
    }
}

#[test]
fn kubectl_finds_it_by_both_spellings() {
    if kubectl().is_none() {
        return;
    }
    for spelling in [&["runai-secret"][..], &["runai", "secret"]] {
        let version = without_cluster().kubectl(spelling.iter().chain(&["--version"])).success();
        assert!(version.stdout.starts_with("kubectl runai-secret "), "{version}");
    }
}

#[test]
fn a_mistyped_command_or_flag_is_a_usage_error_with_the_nearest() {
    let wrong = without_cluster().run(["create", "s", "--from-litral=k=hunter2-hunter2"]).fails_with(2);
    assert!(wrong.stderr.contains("--from-literal"), "{wrong}");
    wrong.never_shows(b"hunter2-hunter2");
    let wrong = without_cluster().run(["atach"]).fails_with(2);
    assert_eq!(wrong.stdout, "");
    assert!(wrong.stderr.contains("'attach'") && !wrong.stderr.contains("atach"), "{wrong}");
}

#[test]
fn a_word_too_many_is_not_repeated_since_it_may_be_a_value() {
    let lines: [&[&str]; 9] = [
        &["hunter2"],
        &["create", "s", "--yes=hunter2"],
        &["create", "s", "--quiet=hunter2"],
        &["attach", "s", "deploy/web", "--overwrite=hunter2"],
        &["submit", "x", "-i", "ubuntu", "--command=hunter2", "--", "true"],
        &["create", "s", "--from-literal", "p=", "hunter2"],
        &["status", "s", "hunter2"],
        &["create", "s", "--from-literal", "p=", "--hunter2"],
        &["create", "s", "--from-literal", "p=", "-nd", "-zhunter2"],
    ];
    for line in lines {
        let wrong = without_cluster().run(line).fails_with(2);
        wrong.never_shows(b"hunter2");
    }
    for (flag, echoed) in
        [("--dry-run=maybe", "maybe"), ("--color=pink", "pink"), ("--otput=json", "--output")]
    {
        let wrong = without_cluster().run(["create", "s", flag]).fails_with(2);
        assert!(wrong.stderr.contains(echoed), "{wrong}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let line = "($PLUGIN create s --from-literal=k=v --dry-run=client -o yaml; echo $? >&2) | true";
    let sandbox = without_cluster();
    let outcome = sandbox.env("PLUGIN", plugin()).program(Path::new("/bin/sh"), ["-c", line]);
    assert_eq!(outcome.success().stderr, "0\n");
}
