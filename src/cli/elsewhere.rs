//! The words that other programs and people use for what commands do here: they answer a command that is not known,
//! and find commands in the list of somebody who is led.

use crate::logins::SERVICES;

/// What commands do, each with its line.
pub(super) type Lines = &'static [(&'static str, &'static str)];

/// Words, each with what it would do here and the command for it. None of these words is a value.
const ELSEWHERE: [(&[&str], Lines); 27] = [
    (&["history", "log", "logs", "blame"], &[("when values were written, and by what", "view NAME")]),
    (&["who", "uses", "users", "consumers"], &[("to see what uses a secret", "usage NAME")]),
    (&["verify", "validate", "lint", "doctor", "wrong", "test"], &[("to see what is wrong", "check")]),
    (
        &["prove", "arrived", "propagated", "copies", "where"],
        &[("to see where a shared secret arrived", "status NAME"), ("to see what is wrong", "check")],
    ),
    (
        &["generic", "docker-registry", "tls", "ssh", "password", "access-key", "secret"],
        &[("to make a secret", "create [TYPE] NAME")],
    ),
    (&["get", "ls"], &[("the secrets of a project", "list"), ("one of them", "view NAME")]),
    (&["describe", "show", "cat", "open"], &[("to see a secret", "view NAME")]),
    (&["reveal", "decode", "read"], &[("to see a value", "view NAME KEY --reveal")]),
    (
        &["add", "new", "make", "token", "credential", "key", "value"],
        &[("to make a secret", "create NAME"), ("to add a key to one", "set NAME KEY")],
    ),
    (
        &["update", "patch", "rotate", "change", "renew"],
        &[
            ("to change a key of a secret", "set NAME KEY"),
            ("and to restart what reads it", "set NAME KEY --restart"),
            ("to restart what holds an old value", "restart NAME"),
        ],
    ),
    (&["vi", "vim", "modify"], &[("to change values as text", "edit NAME")]),
    (
        &["rm", "remove", "del", "drop"],
        &[
            ("to delete a secret", "delete NAME"),
            ("to take a key out", "unset NAME KEY"),
            ("to take it off a workload", "detach NAME KIND/NAME"),
        ],
    ),
    (&["unused", "prune", "clean", "cleanup"], &[("what nothing uses", "delete --unused")]),
    (
        &["cp", "clone", "duplicate"],
        &[("to copy a secret", "copy NAME --to-project PROJECT"), ("to another name", "copy NAME NEW")],
    ),
    (&["share", "annotate", "publish"], &[("to share a secret with every project", "label NAME")]),
    (&["unshare"], &[("to stop sharing a secret", "label NAME --remove")]),
    (&["propagate", "replicate"], &[("to make the copies of a shared secret", "sync NAME")]),
    (
        &["mount", "env", "use", "give", "inject"],
        &[
            ("to give a workload a key as a variable", "attach NAME KIND/NAME --env KEY"),
            ("or all keys as files", "attach NAME KIND/NAME --mount PATH"),
        ],
    ),
    (
        &["job", "jobs", "workload", "workloads"],
        &[
            ("to give a job a secret", "attach NAME job/JOB"),
            ("to make a job with a secret", "submit JOB --image IMAGE --secret NAME"),
            ("to see what a job uses", "usage job/JOB"),
        ],
    ),
    (
        &["run", "start", "launch"],
        &[("to make a job with a secret", "submit JOB --image IMAGE --secret NAME")],
    ),
    (&["mv", "move"], &[("to give a secret another name", "rename OLD NEW")]),
    (
        &["import", "login", "upload"],
        &[
            ("from a login of this machine", "create NAME --from-login SERVICE"),
            ("from a file of variables", "create NAME --from-dotenv FILE"),
        ],
    ),
    (&["export", "dump", "backup"], &[("to print the values", "view NAME --reveal -o dotenv")]),
    (
        &["rollout"],
        &[
            ("to restart what holds an old value of a secret", "restart NAME"),
            ("to set a key and restart what reads it", "set NAME KEY --restart"),
        ],
    ),
    (&["compare"], &[("to see what differs", "diff NAME OTHER")]),
    (&["expired", "expiry", "expires"], &[("what has ended or ends soon", "check")]),
    (&["tab", "bash", "zsh", "fish"], &[("to have Tab complete words", "completion")]),
];

/// Returns what a word would do here; none if it is not known.
pub(super) fn lines_for(word: &str) -> Option<Lines> {
    ELSEWHERE.iter().find(|(words, _)| words.contains(&word)).map(|(_, lines)| *lines)
}

/// Returns the words by which people look for a command.
pub(crate) fn words_for(command: &str) -> Vec<&'static str> {
    let does = |lines: Lines| lines.iter().any(|(_, line)| line.split(' ').next() == Some(command));
    let words =
        ELSEWHERE.iter().filter(|(_, lines)| does(lines)).flat_map(|(words, _)| words.iter().copied());
    // `create SERVICE` takes its login.
    let services = SERVICES.iter().map(|service| service.name).filter(|_| command == "create");
    words.chain(services).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn each_word_is_in_one_row_and_is_no_command_and_each_line_is_one() {
        let program = Cli::command();
        let commands: BTreeSet<&str> = program.get_subcommands().map(clap::Command::get_name).collect();
        let words: Vec<&str> = ELSEWHERE.iter().flat_map(|(words, _)| words.iter().copied()).collect();
        assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), words.len());
        assert!(!words.iter().any(|word| commands.contains(word)));
        for (what, line) in ELSEWHERE.iter().flat_map(|(_, lines)| *lines) {
            assert!(commands.contains(line.split(' ').next().unwrap()), "{what}: {line}");
        }
    }
}
