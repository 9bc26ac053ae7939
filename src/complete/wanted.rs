//! What a word at the cursor stands for.
//!
//! The help names each value: `PATH`, `KIND/NAME`, `json|yaml|name`. Completion goes by these names, so a new flag
//! completes as its help says; only where a name says too little (`NAME`) the flag is looked at too.

use clap::{Arg, Command};

use super::candidate::{Candidate, Files, Then};
use crate::cluster::Entries;
use crate::secret::TYPES;
use crate::typed_line::{Line, Word};
use crate::workload::{KINDS, Kind, Target};

/// What to offer, as far as the line tells.
#[derive(Default)]
pub(super) struct CompletionSlot {
    pub(super) words: Vec<Candidate>,
    pub(super) live: Option<Live>,
    /// Where no name is found.
    pub(super) otherwise: Vec<Candidate>,
    pub(super) files: Option<Files>,
}

/// Names to be looked up, each between what is typed already and what follows it.
pub(super) struct Live {
    pub(super) what: Lookup,
    pub(super) before: String,
    /// How the names begin.
    pub(super) text: String,
    pub(super) after: &'static str,
    pub(super) then: Then,
    /// Names that are on the line already.
    pub(super) except: Vec<String>,
    /// Where they are looked up, if not in the line's own context.
    pub(super) context: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lookup {
    Entries(Entries),
    Namespaces,
    Projects,
    Secrets,
    KeysOf(String),
    Workloads(&'static Kind),
    ContainersOf(Target),
    /// Where a workload uses a secret: names of variables, or paths of mounts.
    VariablesOf {
        secret: String,
        target: Target,
    },
    MountsOf {
        secret: String,
        target: Target,
    },
}

impl Live {
    /// Those of the names that fit, each as a whole word.
    pub(super) fn candidates(&self, names: impl IntoIterator<Item = (String, String)>) -> Vec<Candidate> {
        let fits = |(name, _): &(String, String)| name.starts_with(&self.text) && !self.except.contains(name);
        let candidate = |(name, about): (String, String)| {
            let value = format!("{}{name}{}", self.before, self.after);
            Candidate { then: self.then, ..Candidate::new(value, about) }
        };
        names.into_iter().filter(fits).map(candidate).collect()
    }
}

impl CompletionSlot {
    pub(super) fn by(line: &Line<'_>, word: &Word<'_>) -> Self {
        match word {
            Word::NotOurs => Self::default(),
            Word::Flag(text) => Self::words(flags(line, text)),
            Word::Plain(text) => {
                let mut wanted = positional(line, text);
                if line.positionals.is_empty() {
                    wanted.words.extend(commands(line.command, text));
                }
                wanted
            }
            Word::Value { flag, before, text } => value_of(flag, text, line).after(before),
        }
    }

    fn words(words: Vec<Candidate>) -> Self {
        Self { words, ..Self::default() }
    }

    fn live(what: Lookup, text: &str) -> Self {
        Self::part(what, "", text, "", Then::Space)
    }

    /// A name that is a part of the word.
    fn part(what: Lookup, before: &str, text: &str, after: &'static str, then: Then) -> Self {
        let (before, text) = (before.to_owned(), text.to_owned());
        let live = Live { what, before, text, after, then, except: Vec::new(), context: None };
        Self { live: Some(live), ..Self::default() }
    }

    fn files(before: &str, text: &str) -> Self {
        Self { files: Some(Files { before: before.to_owned(), text: text.to_owned() }), ..Self::default() }
    }

    fn except(mut self, names: &[String]) -> Self {
        if let Some(live) = &mut self.live {
            live.except = names.to_vec();
        }
        self
    }

    fn in_context(mut self, context: Option<&str>) -> Self {
        if let Some(live) = &mut self.live {
            live.context = context.map(ToOwned::to_owned);
        }
        self
    }

    fn after(mut self, before: &str) -> Self {
        self.words = self.words.into_iter().map(|word| word.after(before)).collect();
        for typed in [
            self.live.as_mut().map(|live| &mut live.before),
            self.files.as_mut().map(|files| &mut files.before),
        ]
        .into_iter()
        .flatten()
        {
            typed.insert_str(0, before);
        }
        self
    }
}

fn commands(parent: &Command, text: &str) -> Vec<Candidate> {
    let known = parent.get_subcommands().filter(|command| !command.is_hide_set());
    known
        .filter(|command| command.get_name().starts_with(text))
        .map(|command| {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            Candidate::new(command.get_name(), about)
        })
        .collect()
}

fn flags(line: &Line<'_>, text: &str) -> Vec<Candidate> {
    let known = line.command.get_arguments().filter(|flag| !flag.is_hide_set() && !line.is_done_with(flag));
    let candidate = |flag: &Arg| {
        let letter = flag.get_short().map(|letter| format!("-{letter}")).filter(|letter| letter == text);
        let name = letter.or_else(|| flag.get_long().map(|long| format!("--{long}")))?;
        let about = flag.get_help().map(ToString::to_string).unwrap_or_default();
        name.starts_with(text).then(|| Candidate::new(name, about))
    };
    known.filter_map(candidate).collect()
}

/// The last positional argument takes all words that are left.
fn positional(line: &Line<'_>, text: &str) -> CompletionSlot {
    let arguments: Vec<&Arg> =
        line.command.get_positionals().filter(|argument| !argument.is_last_set()).collect();
    let index = line.positionals.len();
    let several = |argument: &&&Arg| argument.get_num_args().is_some_and(|count| count.max_values() > 1);
    let is_append = |argument: &&&Arg| matches!(argument.get_action(), clap::ArgAction::Append);
    let argument = arguments
        .get(index)
        .or_else(|| arguments.last().filter(|argument| several(argument) || is_append(argument)));
    let Some(argument) = argument else { return CompletionSlot::default() };
    match value_name(argument).as_str() {
        "SECRET" => CompletionSlot::live(Lookup::Secrets, text),
        "KIND/NAME" | "TARGET" => target(text),
        "[SECRET] KIND/NAME" => secret_or_target(line, text),
        // The name of something new.
        "NAME" if matches!(line.path.first(), Some(&("create" | "submit"))) => CompletionSlot::default(),
        "NAME" => CompletionSlot::live(Lookup::Secrets, text).except(&line.positionals),
        "KEY" => match line.positionals.first() {
            Some(secret) => keys(secret, "", text).except(&line.positionals[1..]),
            None => CompletionSlot::default(),
        },
        _ => value_of(argument, text, line),
    }
}

fn secret_or_target(line: &Line<'_>, text: &str) -> CompletionSlot {
    let names_secrets_itself =
        ["environment", "env-secret", "secret-volume"].iter().any(|flag| line.has(flag));
    match line.positionals.len() {
        0 if names_secrets_itself || text.contains('/') => target(text),
        0 => {
            // A secret is what most lines go on with.
            CompletionSlot { otherwise: kinds(text), ..CompletionSlot::live(Lookup::Secrets, text) }
        }
        1 if !line.positionals[0].contains('/') => target(text),
        _ => CompletionSlot::default(),
    }
}

fn target(text: &str) -> CompletionSlot {
    match text.split_once('/') {
        None => CompletionSlot::words(kinds(text)),
        Some((kind, name)) => match Kind::named(kind) {
            Ok(found) => {
                CompletionSlot::part(Lookup::Workloads(found), &format!("{kind}/"), name, "", Then::Space)
            }
            Err(_) => CompletionSlot::default(),
        },
    }
}

/// Kinds by their singular names; by their others only where these alone fit.
fn kinds(text: &str) -> Vec<Candidate> {
    let text = text.to_lowercase();
    let named = |names: fn(&'static Kind) -> Vec<&'static str>| -> Vec<Candidate> {
        let all = KINDS.iter().flat_map(|kind| names(kind).into_iter().map(move |name| (kind, name)));
        let fits = all.filter(|(_, name)| name.starts_with(&text));
        fits.map(|(kind, name)| Candidate::continued(format!("{name}/"), kind.name)).collect()
    };
    match named(|kind| vec![kind.singular]) {
        none if none.is_empty() => named(|kind| kind.names().collect()),
        some => some,
    }
}

fn value_of(argument: &Arg, text: &str, line: &Line<'_>) -> CompletionSlot {
    let name = value_name(argument);
    match (argument.get_long().unwrap_or_default(), name.as_str()) {
        ("context", _) | (_, "CONTEXT") => CompletionSlot::live(Lookup::Entries(Entries::Contexts), text),
        ("cluster", _) => CompletionSlot::live(Lookup::Entries(Entries::Clusters), text),
        ("user", _) => CompletionSlot::live(Lookup::Entries(Entries::Users), text),
        ("to-project", _) => {
            CompletionSlot::live(Lookup::Projects, text).in_context(line.value("to-context"))
        }
        (_, "PROJECT") => CompletionSlot::live(Lookup::Projects, text),
        (_, "NAMESPACE") => CompletionSlot::live(Lookup::Namespaces, text),
        (_, "SECRET") | ("image-pull-secret", "NAME") | ("env-all", "NAME[=PREFIX]") => {
            CompletionSlot::live(Lookup::Secrets, text)
        }
        ("container", _) => containers(line, text),
        ("environment", _) => reference(text),
        ("env-secret", _) => env_secret(text),
        ("secret-volume", _) => secret_volume(text),
        ("env", "[VAR=]KEY") => {
            let (before, key) = after_first(text, '=');
            attached(line).map(|secret| keys(secret, before, key)).unwrap_or_default()
        }
        ("mount", "PATH[:KEY[=FILE],…]") => {
            attached(line).map(|secret| mount(secret, text)).unwrap_or_default()
        }
        ("env", "VAR") => used(line, text, |secret, target| Lookup::VariablesOf { secret, target }),
        ("mount", "PATH") => used(line, text, |secret, target| Lookup::MountsOf { secret, target }),
        ("type", _) => fixed(TYPES.iter().map(|name| Candidate::new(*name, "")), text),
        // A path in a container.
        ("working-dir", _) => CompletionSlot::default(),
        (_, "PATH" | "FILE") => CompletionSlot::files("", text),
        (_, "[KEY=]PATH") => {
            let (before, path) = after_first(text, '=');
            CompletionSlot::files(before, path)
        }
        (_, "VARIABLE") => variables("", text),
        (_, "[KEY=]VARIABLE") => {
            let (before, variable) = after_first(text, '=');
            variables(before, variable)
        }
        _ => enumerated(argument, &name, text),
    }
}

/// Values that are one of a few: clap knows them, or the help lists them.
fn enumerated(argument: &Arg, name: &str, text: &str) -> CompletionSlot {
    let known = argument.get_possible_values();
    if !known.is_empty() {
        let visible = known.iter().filter(|value| !value.is_hide_set());
        let candidate = |value: &clap::builder::PossibleValue| {
            Candidate::new(value.get_name(), value.get_help().map(ToString::to_string).unwrap_or_default())
        };
        return fixed(visible.map(candidate), text);
    }
    if name.contains('|') {
        fixed(name.split('|').map(|word| Candidate::new(word, "")), text)
    } else {
        CompletionSlot::default()
    }
}

fn fixed(words: impl Iterator<Item = Candidate>, text: &str) -> CompletionSlot {
    CompletionSlot::words(words.filter(|word| word.value.starts_with(text)).collect())
}

/// Names of environment variables; never what they hold.
fn variables(before: &str, text: &str) -> CompletionSlot {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut wanted = fixed(names.map(|name| Candidate::new(name, "")), text).after(before);
    wanted.words.sort_unstable();
    wanted
}

fn keys(secret: &str, before: &str, text: &str) -> CompletionSlot {
    CompletionSlot::part(Lookup::KeysOf(secret.to_owned()), before, text, "", Then::Space)
}

/// The secret that stands before the workload.
fn attached<'a>(line: &'a Line<'_>) -> Option<&'a str> {
    line.positionals.first().map(String::as_str).filter(|word| !word.contains('/'))
}

/// The workload, wherever it stands.
fn named_target(line: &Line<'_>) -> Option<Target> {
    line.positionals.iter().find_map(|word| Target::parse(word).ok())
}

/// What a workload uses of a secret, for taking it off.
fn used(line: &Line<'_>, text: &str, lookup: fn(String, Target) -> Lookup) -> CompletionSlot {
    match (attached(line), named_target(line)) {
        (Some(secret), Some(target)) => CompletionSlot::live(lookup(secret.to_owned(), target), text),
        _ => CompletionSlot::default(),
    }
}

fn containers(line: &Line<'_>, text: &str) -> CompletionSlot {
    let target = named_target(line);
    let typed: Vec<String> = line.values("container").map(ToOwned::to_owned).collect();
    target
        .map(|target| CompletionSlot::live(Lookup::ContainersOf(target), text).except(&typed))
        .unwrap_or_default()
}

/// `VAR=SECRET:name,key`, part by part.
fn reference(text: &str) -> CompletionSlot {
    const PREFIX: &str = "SECRET:";
    let (variable, value) = after_first(text, '=');
    if variable.is_empty() {
        return CompletionSlot::default();
    }
    let Some(rest) = value.strip_prefix(PREFIX) else {
        let goes_on = Candidate::continued(PREFIX, "a key of a secret");
        return fixed([goes_on].into_iter(), value).after(variable);
    };
    let before = format!("{variable}{PREFIX}");
    match rest.split_once(',') {
        None => CompletionSlot::part(Lookup::Secrets, &before, rest, ",", Then::More),
        Some((secret, key)) => keys(secret, &format!("{before}{secret},"), key),
    }
}

/// `VAR=name,key=KEY`, part by part.
fn env_secret(text: &str) -> CompletionSlot {
    let (variable, value) = after_first(text, '=');
    if variable.is_empty() {
        return CompletionSlot::default();
    }
    let Some((secret, rest)) = value.split_once(',') else {
        return CompletionSlot::part(Lookup::Secrets, variable, value, ",key=", Then::More);
    };
    let before = format!("{variable}{secret},");
    match rest.strip_prefix("key=") {
        Some(key) => keys(secret, &format!("{before}key="), key),
        None => fixed([Candidate::continued("key=", "")].into_iter(), rest).after(&before),
    }
}

/// `path=P,name=NAME`, in either order.
fn secret_volume(text: &str) -> CompletionSlot {
    let (before, part) = after_last(text, ',');
    if let Some(name) = part.strip_prefix("name=") {
        return CompletionSlot::part(Lookup::Secrets, &format!("{before}name="), name, "", Then::Space);
    }
    let parts = ["path=", "name="].into_iter().filter(|name| !before.contains(name));
    fixed(parts.map(|name| Candidate::continued(name, "")), part).after(before)
}

/// `PATH:KEY[=FILE],…`, its keys.
fn mount(secret: &str, text: &str) -> CompletionSlot {
    let (path, list) = after_first(text, ':');
    if path.is_empty() {
        return CompletionSlot::default();
    }
    let (given, key) = after_last(list, ',');
    if key.contains('=') {
        return CompletionSlot::default();
    }
    let given_keys: Vec<String> =
        given.split(',').map(|item| item.split('=').next().unwrap_or_default().to_owned()).collect();
    keys(secret, &format!("{path}{given}"), key).except(&given_keys)
}

/// The text up to the first separator, that included, and the rest; all is rest where there is none.
fn after_first(text: &str, separator: char) -> (&str, &str) {
    text.find(separator).map_or(("", text), |at| text.split_at(at + separator.len_utf8()))
}

fn after_last(text: &str, separator: char) -> (&str, &str) {
    text.rfind(separator).map_or(("", text), |at| text.split_at(at + separator.len_utf8()))
}

fn value_name(argument: &Arg) -> String {
    let name = argument.get_value_names().and_then(|names| names.first());
    let name = name.map(ToString::to_string).unwrap_or_default();
    // `PATH|-` is a file, or standard input.
    name.strip_suffix("|-").map(ToOwned::to_owned).unwrap_or(name)
}
