//! Builds a command line from what was typed and from the answers.

use clap::{Arg, Command};

use crate::cli;
use crate::command_line::CommandLine;
use crate::command_line::reach::is_added;
use crate::flags::{Brings, Holds};
use crate::logins;
use crate::secret::{self, EnvEntry};
use crate::typed_line::Line;

pub(super) struct Draft {
    program: Command,
    words: Vec<String>,
    /// The words after `--`.
    rest: Option<Rest>,
}

/// The command of a job.
enum Rest {
    /// Typed on the command line. It may hold anything, so it is never shown.
    Typed(Vec<String>),
    Answered(Vec<String>),
}

impl Draft {
    /// Starts a draft from the words after the program's name.
    pub(super) fn new(mut words: Vec<String>) -> Self {
        let program = cli::program();
        let end = words.iter().position(|word| word == "--");
        let rest = end.map(|at| Rest::Typed(words.split_off(at).split_off(1)));
        Self { program, words, rest }
    }

    pub(super) fn program(&self) -> &Command {
        &self.program
    }

    /// Returns the line as far as it is known.
    pub(super) fn line(&self) -> Line<'_> {
        Line::read(&self.program, &self.followed_by(&[""])).0
    }

    /// Returns the words so far, followed by these.
    pub(super) fn followed_by(&self, words: &[&str]) -> Vec<String> {
        self.words.iter().cloned().chain(words.iter().map(|word| (*word).to_owned())).collect()
    }

    /// Returns another command with the same project and connection.
    pub(super) fn in_place(&self, words: &[&str]) -> Vec<String> {
        self.beside(words, &[])
    }

    /// Returns another command with the same connection, which names its projects itself.
    pub(super) fn in_cluster(&self, words: &[&str]) -> Vec<String> {
        self.beside(words, &["project", "namespace"])
    }

    fn beside(&self, words: &[&str], left_out: &[&str]) -> Vec<String> {
        let flags = self.line().flags.into_iter().filter(|(flag, _)| flag.is_global_set());
        let flags = flags.filter(|(flag, _)| flag.get_long().is_none_or(|name| !left_out.contains(&name)));
        let flags = flags.filter_map(|(flag, value)| {
            let name = flag.get_long()?;
            let is_alone = value.is_empty() && !needs_value(flag);
            Some(if is_alone { format!("--{name}") } else { format!("--{name}={value}") })
        });
        flags.chain(words.iter().map(|word| (*word).to_owned())).collect()
    }

    pub(super) fn push(&mut self, word: impl Into<String>) {
        self.words.push(word.into());
    }

    /// Inserts a word before all others that are neither commands nor flags.
    pub(super) fn push_first(&mut self, word: impl Into<String>) {
        let at = self.index_of(|line| !line.positionals.is_empty());
        self.words.insert(at.unwrap_or(self.words.len()), word.into());
    }

    /// Takes the first word off that is neither a command nor a flag.
    pub(super) fn take_first(&mut self) {
        if let Some(at) = self.index_of(|line| !line.positionals.is_empty()) {
            self.words.remove(at);
        }
    }

    /// Inserts the name of a command after those that are there: the flags that follow belong to it.
    pub(super) fn push_command(&mut self, name: impl Into<String>) {
        let names = self.line().path.len();
        let last = self.index_of(|line| line.path.len() == names);
        self.words.insert(if names == 0 { 0 } else { last.map_or(0, |at| at + 1) }, name.into());
    }

    /// Returns the index of the first word at which the line up to it satisfies `is_so`. Reads the line each
    /// time, since a flag's value may look like any word.
    fn index_of(&self, is_so: impl Fn(&Line<'_>) -> bool) -> Option<usize> {
        (0..self.words.len()).find(|at| {
            let begun = [&self.words[..=*at], &[String::new()]].concat();
            is_so(&Line::read(&self.program, &begun).0)
        })
    }

    /// Adds `--name=value`, or `--name` where there is no value.
    pub(super) fn flag(&mut self, name: &str, value: &str) {
        let value = if value.is_empty() { String::new() } else { format!("={value}") };
        self.words.push(format!("--{name}{value}"));
    }

    /// Returns the words of another command with the same names and flags; none if it does not take one of them.
    pub(super) fn as_command(&self, name: &str) -> Option<Vec<String>> {
        let line = self.line();
        let command = self.program.find_subcommand(name).filter(|_| !self.has_rest())?;
        let takes = |flag: &Arg| {
            flag.is_global_set() || command.get_arguments().any(|own| own.get_id() == flag.get_id())
        };
        if !line.flags.iter().all(|(flag, _)| takes(flag)) {
            return None;
        }
        let names = (1..=line.path.len()).filter_map(|count| self.index_of(|line| line.path.len() == count));
        let names: Vec<usize> = names.collect();
        let mut words = self.words.clone();
        // What `create SERVICE` leaves unsaid.
        let secret = self.name_of_secret();
        if let Some(service) = line.positionals.first().filter(|first| **first != secret) {
            words[self.index_of(|line| !line.positionals.is_empty())?] = secret;
            words.push(format!("--from-login={service}"));
        }
        name.clone_into(&mut words[*names.first()?]);
        for at in names.into_iter().skip(1).rev() {
            words.remove(at);
        }
        Some(words)
    }

    /// Returns the name of the secret that `create` makes by this line.
    pub(super) fn name_of_secret(&self) -> String {
        let line = self.line();
        let Some(name) = line.positionals.first() else { return String::new() };
        let has_source = line.flags.iter().any(|(flag, _)| flag.get::<Brings>().is_some());
        let service = logins::named(name).filter(|_| line.path.len() == 1 && !has_source);
        service.map_or_else(|| name.clone(), |service| service.secret.to_owned())
    }

    /// Reports whether the command only shows what it would do.
    pub(super) fn writes_nothing(&self) -> bool {
        let line = self.line();
        line.value("dry-run").is_some_and(|how| !matches!(how, "none" | "false"))
            || line.value("output") == Some("runai")
    }

    pub(super) fn has_rest(&self) -> bool {
        self.rest.is_some()
    }

    /// Reports whether the command counts the words after `--` among its arguments. This draft does not count
    /// them.
    pub(super) fn hides_words(&self) -> bool {
        self.has_rest() && !self.line().command.get_positionals().any(Arg::is_last_set)
    }

    pub(super) fn set_rest(&mut self, words: Vec<String>) {
        self.rest = Some(Rest::Answered(words));
    }

    /// Returns all words, to be parsed.
    pub(super) fn whole(&self) -> Vec<String> {
        let mut whole = self.words.clone();
        if let Some(Rest::Typed(words) | Rest::Answered(words)) = &self.rest {
            whole.push("--".to_owned());
            whole.extend_from_slice(words);
        }
        whole
    }

    /// Returns the command to type next time, quoted for a shell. Leaves out whatever may be a value of a
    /// secret.
    pub(super) fn shown(&self) -> String {
        let line = self.line();
        let mut words: Vec<String> = line.path.iter().map(|word| (*word).to_owned()).collect();
        words.extend(line.positionals.iter().cloned());
        let own = line.flags.iter().filter(|(flag, _)| !flag.get_long().is_some_and(is_added));
        words.extend(own.flat_map(|(flag, value)| shown(flag, value)));
        match &self.rest {
            Some(Rest::Answered(rest)) => {
                words.push("--".to_owned());
                words.extend(secret::without_secrets(rest));
            }
            Some(Rest::Typed(_)) => words.extend(["--".to_owned(), "…".to_owned()]),
            None => {}
        }
        CommandLine::of_plugin(words).to_string()
    }
}

/// Returns a flag as words of the command for next time; none if it held a value of a secret, which is asked for again.
fn shown(flag: &Arg, value: &str) -> Vec<String> {
    let long = flag.get_long().unwrap_or_default();
    let name = flag.get_short().map_or_else(|| format!("--{long}"), |short| format!("-{short}"));
    let key = value.split_once('=').map_or("", |(key, _)| key);
    match Holds::of(flag) {
        _ if !flag.get_action().takes_values() => vec![name],
        None | Some(Holds::Confidential) => Vec::new(),
        Some(Holds::KeyAndConfidential) => vec!["--prompt".to_owned(), key.to_owned()],
        Some(Holds::Reference) if !matches!(EnvEntry::parse(value), Ok(EnvEntry::Reference { .. })) => {
            vec![name, format!("{key}=…")]
        }
        _ if value.is_empty() && !needs_value(flag) => vec![name],
        _ if flag.is_require_equals_set() || value.starts_with('-') => vec![format!("--{long}={value}")],
        _ => vec![name, value.to_owned()],
    }
}

/// Reports whether a flag without a value takes the next word as its value.
fn needs_value(flag: &Arg) -> bool {
    flag.get_action().takes_values() && !flag.is_require_equals_set()
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
            ("create s --from-literal password=hunter2", "create s --prompt password"),
            ("create docker-registry s --docker-password hunter2", "create docker-registry s"),
            ("create password s --username jane", "create password s"),
            ("list --token hunter2== -s https://jane:hunter2@host", "list"),
            ("submit -i python -e P=hunter2 -- run --password hunter2", "submit -i python -e P=… -- …"),
            ("submit -i python -e T=SECRET:hf,token", "submit -i python -e T=SECRET:hf,token"),
        ] {
            assert_eq!(draft(line).shown(), format!("kubectl runai-secret {shown}"));
        }
    }

    #[test]
    fn a_word_goes_before_the_first_word_and_not_before_a_flags_value_that_looks_like_it() {
        let mut draft = draft("--as deploy/web attach -y deploy/web");
        draft.push_first("hf");
        assert_eq!(draft.whole(), ["--as", "deploy/web", "attach", "-y", "hf", "deploy/web"]);
    }

    #[test]
    fn the_name_of_a_command_goes_before_the_flags_that_are_its_own() {
        for (line, expected) in [
            ("create --replace -p create", vec!["create", "tls", "--replace", "-p", "create"]),
            ("-p create -y create --replace", vec!["-p", "create", "-y", "create", "tls", "--replace"]),
            ("-p team-a", vec!["tls", "-p", "team-a"]),
        ] {
            let mut draft = draft(line);
            draft.push_command("tls");
            assert_eq!(draft.whole(), expected);
        }
    }

    #[test]
    fn another_command_has_the_same_names_and_flags_if_it_takes_them() {
        for (line, expected) in [
            ("create s --prompt K -p team-a", Some("set s --prompt K -p team-a")),
            ("-p create create generic s --from-file=K=f -v", Some("-p create set s --from-file=K=f -v")),
            ("create docker -n ns", Some("set registry -n ns --from-login=docker")),
            ("create s --prompt K --label a=b", None),
            ("create tls web --cert c --key k", None),
            ("create s --prompt K -- more", None),
        ] {
            let words = draft(line).as_command("set").map(|words| words.join(" "));
            assert_eq!(words.as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn answers_that_follow_double_dashes_are_words_of_the_jobs_command() {
        let mut draft = draft("submit -i python");
        draft.set_rest(vec!["python".to_owned(), "-c".to_owned(), "print(1)".to_owned()]);
        assert_eq!(draft.whole(), ["submit", "-i", "python", "--", "python", "-c", "print(1)"]);
        assert!(draft.shown().ends_with("-- python -c 'print(1)'"), "{}", draft.shown());
        draft.set_rest(vec!["run".to_owned(), "--password=hunter2".to_owned()]);
        assert!(draft.shown().ends_with("-- run --password=…"), "{}", draft.shown());
    }
}
