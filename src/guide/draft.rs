//! A command line that is being put together: what was typed, and what the answers add.

use std::borrow::Cow;

use clap::Command;

use crate::cli::Cli;
use crate::complete::Line;
use crate::secret::EnvEntry;

/// Flags whose values may be values of secrets; that a user's name is one, too, holds for the secrets of the type.
const CONFIDENTIAL: [&str; 5] = ["from-literal", "docker-password", "token", "username", "access-key-id"];

pub(super) struct Draft {
    program: Command,
    words: Vec<String>,
    /// What stands after `--`.
    rest: Option<Rest>,
}

/// The command of a job.
struct Rest {
    words: Vec<String>,
    source: Source,
}

#[derive(PartialEq, Eq)]
enum Source {
    /// It came with the command line, and whoever typed it knows it; it may hold anything.
    CommandLine,
    Answer,
}

impl Draft {
    /// `words` are those after the program's name.
    pub(super) fn new(mut words: Vec<String>) -> Self {
        let mut program = <Cli as clap::CommandFactory>::command();
        program.build();
        let rest = words.iter().position(|word| word == "--").map(|at| {
            let rest = words.split_off(at).split_off(1);
            Rest { words: rest, source: Source::CommandLine }
        });
        Self { program, words, rest }
    }

    pub(super) fn program(&self) -> &Command {
        &self.program
    }

    /// What is known so far.
    pub(super) fn line(&self) -> Line<'_> {
        Line::read(&self.program, &self.followed_by(&[""])).0
    }

    /// The words so far, and these.
    pub(super) fn followed_by(&self, words: &[&str]) -> Vec<String> {
        self.words.iter().cloned().chain(words.iter().map(|word| (*word).to_owned())).collect()
    }

    /// Another command in the same place and with the same connection, for what it would be offered there.
    pub(super) fn in_place(&self, words: &[&str]) -> Vec<String> {
        let flags = self.line().flags.into_iter().filter(|(flag, _)| flag.is_global_set());
        let flags = flags.filter_map(|(flag, value)| match (flag.get_long()?, value.as_str()) {
            (name, "") => Some(format!("--{name}")),
            (name, value) => Some(format!("--{name}={value}")),
        });
        flags.chain(words.iter().map(|word| (*word).to_owned())).collect()
    }

    pub(super) fn push(&mut self, word: impl Into<String>) {
        self.words.push(word.into());
    }

    /// Puts a word before all others that are neither commands nor flags.
    pub(super) fn push_first(&mut self, word: impl Into<String>) {
        let first = self.line().positionals.first().cloned();
        let at = first.and_then(|first| self.words.iter().position(|word| *word == first));
        self.words.insert(at.unwrap_or(self.words.len()), word.into());
    }

    /// Adds `--name=value`, or `--name` where there is no value.
    pub(super) fn flag(&mut self, name: &str, value: &str) {
        let value = if value.is_empty() { String::new() } else { format!("={value}") };
        self.words.push(format!("--{name}{value}"));
    }

    pub(super) fn has_rest(&self) -> bool {
        self.rest.is_some()
    }

    pub(super) fn set_rest(&mut self, words: Vec<String>) {
        self.rest = Some(Rest { words, source: Source::Answer });
    }

    /// All words, to be parsed.
    pub(super) fn whole(&self) -> Vec<String> {
        let rest = self
            .rest
            .iter()
            .flat_map(|rest| ["--"].into_iter().map(ToOwned::to_owned).chain(rest.words.clone()));
        self.words.iter().cloned().chain(rest).collect()
    }

    /// The command to type next time, quoted for a shell. What may be a value of a secret is left out.
    pub(super) fn shown(&self) -> String {
        let line = self.line();
        let mut words: Vec<String> = vec!["kubectl".to_owned(), "runai-secret".to_owned()];
        words.extend(line.path.iter().map(|word| (*word).to_owned()));
        words.extend(line.positionals.iter().cloned());
        for (flag, value) in &line.flags {
            let long = flag.get_long().unwrap_or_default();
            let value = if is_confidential(long, value) { hidden(value) } else { value.clone() };
            let name = flag.get_short().map_or_else(|| format!("--{long}"), |short| format!("-{short}"));
            if value.is_empty() {
                words.push(name);
            } else if flag.is_require_equals_set() || value.starts_with('-') {
                words.push(format!("--{long}={value}"));
            } else {
                words.extend([name, value]);
            }
        }
        match &self.rest {
            Some(rest) if rest.source == Source::Answer => {
                words.push("--".to_owned());
                words.extend(rest.words.iter().cloned());
            }
            Some(_) => words.extend(["--".to_owned(), "…".to_owned()]),
            None => {}
        }
        words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }
}

/// As a shell reads it back. `shell_words` quotes more than anybody would.
fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "_@%+=:,./-…".contains(char);
    if !word.is_empty() && word.chars().all(is_plain) { word.into() } else { shell_words::quote(word) }
}

fn is_confidential(flag: &str, value: &str) -> bool {
    CONFIDENTIAL.contains(&flag)
        || (flag == "environment" && !matches!(EnvEntry::parse(value), Ok(EnvEntry::Reference { .. })))
}

/// `KEY=…`, or `…` where there is no key.
fn hidden(value: &str) -> String {
    value.split_once('=').map_or("…".to_owned(), |(key, _)| format!("{key}=…"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(line: &str) -> Draft {
        Draft::new(line.split_whitespace().map(ToOwned::to_owned).collect())
    }

    #[test]
    fn the_command_for_next_time_has_all_that_was_typed_and_answered() {
        let mut draft = draft("-p team-a attach deploy/web -v");
        draft.push_first("hf");
        draft.flag("env", "HF_TOKEN");
        draft.flag("env-all", "");
        assert_eq!(
            draft.whole(),
            ["-p", "team-a", "attach", "hf", "deploy/web", "-v", "--env=HF_TOKEN", "--env-all"]
        );
        assert_eq!(
            draft.shown(),
            "kubectl runai-secret attach hf deploy/web -p team-a -v --env HF_TOKEN --env-all"
        );
    }

    #[test]
    fn the_command_for_next_time_has_no_values() {
        for (line, shown) in [
            ("create s --from-literal password=hunter2", "create s --from-literal password=…"),
            (
                "create docker-registry s --docker-password hunter2",
                "create docker-registry s --docker-password …",
            ),
            ("list --token hunter2", "list --token …"),
            ("submit -i python -e P=hunter2 -- run --password hunter2", "submit -i python -e P=… -- …"),
            ("submit -i python -e T=SECRET:hf,token", "submit -i python -e T=SECRET:hf,token"),
        ] {
            assert_eq!(draft(line).shown(), format!("kubectl runai-secret {shown}"));
        }
    }

    #[test]
    fn answers_that_follow_double_dashes_are_words_of_the_jobs_command() {
        let mut draft = draft("submit -i python");
        draft.set_rest(vec!["python".to_owned(), "-c".to_owned(), "print(1)".to_owned()]);
        assert_eq!(draft.whole(), ["submit", "-i", "python", "--", "python", "-c", "print(1)"]);
        assert!(draft.shown().ends_with("-- python -c 'print(1)'"), "{}", draft.shown());
    }
}
