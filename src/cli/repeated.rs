//! Checks flags that are given more than once, before the command's name or after it.
//!
//! Every value that was typed is used or refused. clap would take the last one silently.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command};

use crate::error::{Error, Result};
use crate::flags::Holds;
use crate::typed_line::Line;

/// Flags whose last value counts, as with kubectl: an alias or a wrapper names a place first, and its caller
/// may name another. Any other flag refuses a second value.
const LAST_COUNTS: [&str; 8] =
    ["kubeconfig", "context", "cluster", "user", "server", "namespace", "runai-namespace", "request-timeout"];

/// Checks the words of a line that `program` has parsed as a command. Returns the notes about it, a line
/// each.
///
/// # Errors
/// A flag that takes one value has two different ones, or a word asks for a terminal. No value is repeated
/// that may be a secret.
pub(super) fn check(program: &Command, words: &[OsString]) -> Result<Vec<String>> {
    let cursor = std::iter::once(String::new());
    let words = words.iter().skip(1).map(|word| word.to_string_lossy().into_owned());
    let words: Vec<String> = words.chain(cursor).collect();
    let (line, _) = Line::read(program, &words);
    if line.path == ["submit"] {
        refuse_a_terminal(&words)?;
        refuse_a_service(&line)?;
    }
    let is_own = |flag: &Arg| line.command.get_arguments().any(|own| std::ptr::eq(own, flag));
    if line.flags.iter().any(|(flag, _)| !flag.is_global_set() && !is_own(flag)) {
        return Err(Error::usage("the type comes first, then its flags")
            .hint("for example: kubectl runai-secret create generic NAME --from-file=PATH"));
    }
    let mut notes = Vec::new();
    for flag in line.command.get_arguments().filter(|flag| takes_one_value(flag)) {
        let given = line.flags.iter().filter(|(given, _)| given.get_id() == flag.get_id());
        let values: Vec<&str> = given.map(|(_, value)| value.as_str()).collect();
        if values.iter().all(|value| *value == values[0]) {
            continue;
        }
        let (name, times) = (flag.get_long().unwrap_or_default(), times(values.len()));
        if !LAST_COUNTS.contains(&name) {
            let refusal = format!("--{name} takes one value, and is given {times} with different ones");
            return Err(Error::usage(refusal).hint("keep only the one that you mean"));
        }
        let may_be_shown = Holds::of(flag).is_some_and(|holds| holds != Holds::Confidential);
        let last = values.last().filter(|_| may_be_shown).map_or(String::new(), |last| format!(": {last}"));
        notes.push(format!("--{name} is given {times}; the last one counts{last}"));
    }
    Ok(notes)
}

fn takes_one_value(flag: &Arg) -> bool {
    matches!(flag.get_action(), ArgAction::Set)
        && flag.get_num_args().is_some_and(|count| count.takes_values())
}

/// Refuses `-it`, docker's and kubectl's flags for a terminal, also in a word with other flags, such as `-yit`: this
/// parser reads it as an image of the name `t`.
fn refuse_a_terminal(words: &[String]) -> Result<()> {
    let is_for_a_terminal = |word: &String| {
        let letters = word.strip_prefix('-').unwrap_or_default();
        // Before the image stand flags that take no value; `i` twice is none of an image.
        let Some((before, after)) = letters.split_once('i') else { return false };
        let after = after.trim_start_matches('i');
        before.chars().all(|letter| "yqvhtd".contains(letter))
            && (!after.is_empty() || letters.ends_with("ii"))
            && after.chars().all(|letter| matches!(letter, 't' | 'd'))
    };
    match words.iter().take_while(|word| *word != "--").find(|word| is_for_a_terminal(word)) {
        Some(word) => {
            Err(Error::usage(format!("a job has no terminal, but {word} asks for one")).hint(format!(
                "leave out {word}; -i IMAGE is the image, and --interactive gives the job a higher priority"
            )))
        }
        None => Ok(()),
    }
}

/// Refuses `-s nodeport`, the older runai CLI's flag for a service: here `-s` is kubectl's, the server.
fn refuse_a_service(line: &Line<'_>) -> Result<()> {
    let is_service = |value: &str| ["ingress", "loadbalancer", "nodeport", "portforward"].contains(&value);
    match line.values("server").find(|value| is_service(value)) {
        Some(value) => {
            Err(Error::usage(format!("submit makes no service for the job, and here -s {value} is --server"))
                .hint("leave it out; once the job runs: kubectl port-forward job/NAME LOCAL:PORT"))
        }
        None => Ok(()),
    }
}

fn times(count: usize) -> String {
    if count == 2 { "twice".to_owned() } else { format!("{count} times") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::program;

    fn checked(line: &str) -> Result<Vec<String>> {
        let words: Vec<OsString> =
            ["program"].into_iter().chain(line.split(' ')).map(OsString::from).collect();
        check(&program(), &words)
    }

    #[test]
    fn two_values_for_one_are_refused_and_not_shown() {
        for line in [
            "submit --image secret-a --image secret-b",
            "--token secret-a list --token=secret-b",
            "submit -i secret-a -isecret-b",
            "create tls s --cert secret-a --key k --cert secret-b",
            "create docker-registry s --docker-password secret-a --docker-password secret-b",
            "list -o json -o yaml",
            "create s --dry-run=none --dry-run=server",
            "submit --cpu secret-a --cpu-core-request secret-b",
        ] {
            let refusal = checked(line).unwrap_err().to_string();
            assert!(
                refusal.contains("takes one value, and is given twice with different ones"),
                "{line}: {refusal}"
            );
            assert!(!refusal.contains("secret-"), "{refusal}");
        }
    }

    #[test]
    fn the_same_value_again_and_flags_for_several_are_fine() {
        for line in [
            "-y submit -i a -i a -y -vv -v",
            "create s --from-literal a=b --from-literal c=d --label x=y --label z=y -p a -p b",
            "submit -i a -- -i b -it",
            "attach s x/y --env -A --mount a --mount b",
        ] {
            assert_eq!(checked(line).unwrap(), [""; 0], "{line}");
        }
    }

    #[test]
    fn of_a_place_the_last_counts_and_a_note_says_which() {
        let notes = checked("--context a -n x create s -n y --context=b").unwrap();
        let namespace = "--namespace is given twice; the last one counts: y";
        assert_eq!(notes, [namespace, "--context is given twice; the last one counts: b"]);
        assert!(!checked("-s https://u:p@h list -s b").unwrap()[0].contains("u:p"));
    }

    #[test]
    fn a_job_has_no_service() {
        let refusal = checked("submit x -i img -s nodeport").unwrap_err().to_string();
        assert!(refusal.starts_with("error: submit makes no service"), "{refusal}");
        assert!(checked("submit x -i img -s https://nodeport").is_ok());
    }

    #[test]
    fn a_job_has_no_terminal() {
        for line in ["submit x -i img -it", "submit -it img", "submit -i img -itd"] {
            assert!(
                checked(line).unwrap_err().to_string().starts_with("error: a job has no terminal"),
                "{line}"
            );
        }
    }
}
