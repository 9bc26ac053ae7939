//! Help, version and usage errors: what needs no cluster must not look for one.

use std::path::Path;

use support::Sandbox;
use support::sandbox::{kubectl, plugin};

pub(crate) const COMMANDS: [&str; 22] = [
    "apply",
    "create",
    "delete",
    "label",
    "list",
    "status",
    "sync",
    "attach",
    "detach",
    "submit",
    "restart",
    "usage",
    "diff",
    "check",
    "view",
    "set",
    "unset",
    "copy",
    "rename",
    "edit",
    "completion",
    "options",
];
const TYPES_OF_SECRETS: [&str; 5] = ["docker-registry", "tls", "ssh", "password", "access-key"];

/// A sandbox in which any look at a kubeconfig fails.
fn without_cluster() -> Sandbox {
    let sandbox = Sandbox::new().with_env("KUBECONFIG", "broken");
    sandbox.file("broken", "{");
    sandbox
}

#[test]
fn help_says_how_the_user_starts_it_and_lists_every_command_in_its_group() {
    for flag in ["-h", "--help"] {
        let help = without_cluster().run([flag]).success().stdout;
        assert!(help.contains("Usage: kubectl runai-secret COMMAND [FLAGS]"), "{help}");
        let at = |text: &str| help.find(text).unwrap_or_else(|| panic!("{text:?} is missing in {help}"));
        let groups =
            ["\nMake:\n", "\nSee:\n", "\nShare:\n", "\nUse:\n", "\nShell and help:\n", "\nOptions:\n"]
                .map(at);
        assert!(groups.is_sorted(), "{help}");
        for (command, group) in [("create", 0), ("usage", 1), ("label", 2), ("submit", 3), ("options", 4)] {
            let line = at(&format!("\n  {command} "));
            assert!((groups[group]..groups[group + 1]).contains(&line), "{command}: {help}");
        }
        for command in COMMANDS {
            at(&format!("\n  {command} "));
        }
        assert!(!help.contains("Commands:"), "no command is listed twice: {help}");
    }
}

#[test]
fn the_short_help_leaves_out_what_is_rarely_needed() {
    for command in COMMANDS {
        let [short, long] =
            ["-h", "--help"].map(|flag| without_cluster().run([command, flag]).success().stdout);
        assert!(short.lines().count() < long.lines().count(), "{command}");
        assert!(command == "options" || !long.contains("--kubeconfig"), "{command}");
    }
}

#[test]
fn the_flags_that_every_command_has_are_shown_by_one_and_the_others_say_which() {
    let options = without_cluster().run(["options"]).success().stdout;
    for flag in ["--project", "--runai-namespace", "--yes", "--verbose", "--kubeconfig", "--token"] {
        assert!(options.contains(flag), "{options}");
    }
    let types = TYPES_OF_SECRETS.map(|secret_type| format!("create {secret_type}"));
    for command in COMMANDS.map(str::to_owned).into_iter().chain(types).chain([String::new()]) {
        for flag in ["-h", "--help"] {
            let words = command.split(' ').filter(|word| !word.is_empty()).chain([flag]);
            let help = without_cluster().run(words).success().stdout;
            assert!(help.contains("--namespace"), "{help}");
            let last = help.lines().last().unwrap();
            let tells = last.starts_with("kubectl runai-secret options lists the flags");
            assert!(tells != (command == "options"), "{help}");
        }
    }
    let version = without_cluster().run(["--version"]).success().stdout;
    assert_eq!(version.lines().count(), 1, "{version}");
}

#[test]
fn what_is_required_or_usual_comes_first_in_the_help() {
    for (command, first) in [
        ("submit", "--image"),
        ("create", "--prompt"),
        ("attach", "--env"),
        ("detach", "--env"),
        ("copy", "--to-project"),
        ("label", "--from-project"),
    ] {
        let help = without_cluster().run([command, "-h"]).success().stdout;
        let (_, flags) = help.split_once("\nOptions:\n").unwrap();
        assert!(flags.lines().next().unwrap().contains(first), "{command}: {help}");
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
        assert!((2..=4).contains(&examples.len()), "{help}");
        for example in examples {
            let line = example.split(" < ").next().unwrap();
            // Understood, and stopped only by what this sandbox lacks: a kubeconfig, a file, a login, a terminal.
            let words = line.split_whitespace().map(|word| word.trim_matches('\''));
            // Not carried out: it would put links beside the program that is tested.
            let only_read = (command == "completion").then_some("--help");
            let outcome = without_cluster().stdin("x").run(words.chain(only_read));
            let understood = outcome.code == Some(0)
                || outcome.stderr.contains("error loading config file")
                || outcome.stderr.contains("error reading")
                || outcome.stderr.contains("hint: to log in: ")
                || outcome.stderr.contains("needs somebody to ask")
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
    for (line, near, hidden) in [
        (&["atach"][..], "attach", "atach"),
        (&["lst"], "list", "lst"),
        (&["create", "s", "--from-litral=k=hunter2-hunter2"], "--from-literal", "hunter2"),
        (&["list", "--al"], "--all", "--al\n"),
        (&["attach", "s", "deploy/web", "--envall"], "--env-all", "--envall"),
        (&["completion", "bsh"], "bash", "COMMANDS"),
    ] {
        let wrong = without_cluster().run(line).fails_with(2);
        assert_eq!(wrong.stdout, "");
        assert!(wrong.stderr.starts_with("error: "), "{wrong}");
        assert!(wrong.stderr.contains(&format!("\nhint: did you mean {near}?\n")), "{wrong}");
        assert!(!wrong.stderr.contains(hidden), "{wrong}");
    }
}

#[test]
fn a_command_of_another_program_is_answered_with_ours() {
    for (word, ours) in [
        ("get", "the secrets of a project: kubectl runai-secret list"),
        ("rm", "to delete a secret: kubectl runai-secret delete NAME"),
        ("run", "to make a job with a secret: kubectl runai-secret submit JOB --image IMAGE --secret NAME"),
        ("mv", "to give a secret another name: kubectl runai-secret rename OLD NEW"),
        ("export", "to print the values: kubectl runai-secret view NAME --reveal -o dotenv"),
        ("import", "from a login of this machine: kubectl runai-secret create NAME --from-login SERVICE"),
    ] {
        let wrong = without_cluster().run([word, "x"]).fails_with(2);
        assert!(
            wrong.stderr.starts_with(&format!("error: unknown command \"{word}\"\nhint: {ours}\n")),
            "{wrong}"
        );
    }
}

#[test]
fn a_flag_of_another_command_is_answered_with_the_way_here() {
    for (line, way) in [
        (&["set", "hf", "K", "--cluster-wide"][..], "a shared secret is in Run:ai's namespace: -n runai"),
        (
            &["status", "hf", "--wait"],
            "to wait until the copies are there: kubectl runai-secret label NAME --wait",
        ),
        (
            &["create", "x", "--cluster-wide", "--wait"],
            "to wait until the copies are there: kubectl runai-secret label NAME --wait",
        ),
        (&["view", "hf", "--decode"], "to see the values: --reveal"),
        (&["check", "--expires-within", "30d"], "for what ends soon: --within 30d"),
        (&["copy", "hf", "--to", "vision"], "for the projects that get it: --to-project PROJECT"),
        (&["copy", "hf", "--from", "vision"], "for the project that has it: --from-project PROJECT"),
    ] {
        let wrong = without_cluster().run(line).fails_with(2);
        assert!(wrong.stderr.contains(&format!("\nhint: {way}\n")), "{wrong}");
        assert!(!wrong.stderr.contains("did you mean"), "{wrong}");
    }
}

#[test]
fn words_that_are_typed_to_create_are_answered_with_the_line_that_was_meant() {
    for (words, line) in [
        (
            &["hf", "HF_TOKEN"][..],
            "to be asked for the value: kubectl runai-secret create hf --prompt=HF_TOKEN",
        ),
        (
            &["registry", "x"],
            "the type is called docker-registry: kubectl runai-secret create docker-registry x",
        ),
        (
            &["docker-registri", "x"],
            "the type is called docker-registry: kubectl runai-secret create docker-registry x",
        ),
        (
            &["hf", "hf_AbCdEfGhIjKlMnOpQrStUvWxYz012345"],
            "kubectl runai-secret create NAME --from-file=KEY=PATH",
        ),
    ] {
        let wrong = without_cluster().run(["create"].iter().chain(words)).fails_with(2);
        assert!(wrong.stderr.contains(&format!("\nhint: {line}\n")), "{wrong}");
    }
    let wrong = without_cluster().run(["generic", "create", "hf"]).fails_with(2);
    assert!(
        wrong.stderr.contains("hint: to make a secret: kubectl runai-secret create [TYPE] NAME\n"),
        "{wrong}"
    );
}

#[test]
fn a_key_or_a_label_in_the_place_of_a_name_is_answered_with_the_right_form() {
    let view = without_cluster().run(["view", "hf/HF_TOKEN"]).fails_with(1);
    assert!(view.stderr.contains("\nhint: a key is a word of its own: hf HF_TOKEN\n"), "{view}");
    let label = without_cluster().run(["label", "hf", "runai/cluster-wide=true"]).fails_with(2);
    assert!(label.stderr.contains("sets the labels for sharing by itself\n"), "{label}");
    assert!(
        label.stderr.contains("\nhint: leave the label out: kubectl runai-secret label NAME\n"),
        "{label}"
    );
    let in_project = without_cluster().run(["label", "hf", "-p", "team-a"]).fails_with(2);
    let way =
        "\nhint: to share a secret of a project: kubectl runai-secret label NAME --from-project team-a\n";
    assert!(in_project.stderr.contains(way), "{in_project}");
}

#[test]
fn a_reference_with_another_mark_is_shown_corrected_and_a_variable_alone_gets_a_way() {
    for form in ["SECRET:hf:HF_TOKEN", "SECRET:hf/HF_TOKEN"] {
        let wrong =
            without_cluster().run(["submit", "j", "-i", "x", "-e", &format!("A={form}")]).fails_with(2);
        assert!(wrong.stderr.contains("\nhint: write A=SECRET:hf,HF_TOKEN\n"), "{wrong}");
    }
    let token = "hf_AbCdEfGhIjKlMnOpQrStUvWxYz012345";
    let hidden = without_cluster()
        .run(["submit", "j", "-i", "x", "-e", &format!("A=SECRET:hf:{token}")])
        .fails_with(2);
    assert!(!hidden.stderr.contains(token), "{hidden}");
    let alone = without_cluster().run(["submit", "j", "-i", "x", "-e", "HF_TOKEN"]).fails_with(2);
    let way = "to make a secret of it: kubectl runai-secret create NAME --from-env VARIABLE\n";
    assert!(alone.stderr.contains(way), "{alone}");
}

#[test]
fn the_words_help_and_version_do_what_the_flags_do() {
    for (words, flags) in [
        (&["help"][..], &["--help"][..]),
        (&["help", "create"], &["create", "--help"]),
        (&["help", "create", "tls"], &["create", "tls", "--help"]),
        (&["version"], &["--version"]),
    ] {
        let said = without_cluster().run(words).success();
        assert_eq!(said.stdout, without_cluster().run(flags).success().stdout, "{words:?}");
    }
    let wrong = without_cluster().run(["help", "atach"]).fails_with(2);
    assert!(wrong.stderr.contains("hint: did you mean attach?"), "{wrong}");
}

#[test]
fn a_line_that_is_not_understood_is_answered_with_what_to_type() {
    let forms: [(&[&str], &str, &str); 6] = [
        (
            &["list", "hf"],
            "error: unexpected argument (not shown: ",
            "hint: usage: kubectl runai-secret list ",
        ),
        (
            &["status", "a", "b"],
            "error: unexpected argument (not shown: ",
            "hint: see kubectl runai-secret status --help",
        ),
        (&["label"], "error: NAME is required", "hint: usage: kubectl runai-secret label <NAME>"),
        (
            &["submit", "x"],
            "error: --image IMAGE is required",
            "hint: usage: kubectl runai-secret submit [NAME]",
        ),
        (
            &["label", "s", "--remove", "--department=d"],
            "error: the argument '--remove' cannot be used",
            "hint: see",
        ),
        (&["check", "--ignore=stuck"], "error: invalid value 'stuck' for", "hint: did you mean stuck-pod?"),
    ];
    for (line, error, hint) in forms {
        let wrong = without_cluster().run(line).fails_with(2);
        assert!(wrong.stderr.starts_with(error) && wrong.stderr.contains(&format!("\n{hint}")), "{wrong}");
        let is_ours = |line: &str| line.starts_with("error: ") || line.starts_with("hint: ");
        assert!(wrong.stderr.lines().all(is_ours), "{wrong}");
    }
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

#[test]
fn what_takes_one_secret_says_so() {
    for line in ["copy a b c --to-project x", "rename a b c"] {
        let refused = without_cluster().run(line.split(' ')).fails_with(2);
        let command = line.split(' ').next().unwrap();
        let sentence =
            format!("{command} takes one secret; run it once for each: kubectl runai-secret {command} NAME");
        assert!(refused.stderr.contains(&sentence), "{refused}");
    }
}
