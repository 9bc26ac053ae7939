//! Finds out what the word at the cursor stands for.

use clap::builder::PossibleValue;
use clap::{Arg, Command};

use super::candidate::{Candidate, Files, Then};
use crate::cluster::Entries;
use crate::flags::Holds;
use crate::logins::{Machine, SERVICES, Service};
use crate::secret::{ProcessInput, TYPES, is_subdomain};
use crate::typed_line::{Line, Word};
use crate::workload::{Kind, TypedTarget};

/// The offer for a word, as far as the line tells.
#[derive(Default)]
pub(super) struct CompletionSlot {
    pub(super) words: Vec<Candidate>,
    pub(super) live: Option<Live>,
    /// Offered if no name is found.
    pub(super) otherwise: Vec<Candidate>,
    pub(super) files: Option<Files>,
}

/// Names to look up, each between what is typed already and what follows it.
pub(super) struct Live {
    pub(super) what: Lookup,
    pub(super) before: String,
    /// The beginning of the names.
    pub(super) text: String,
    pub(super) after: &'static str,
    pub(super) then: Then,
    /// Names that the line has already.
    pub(super) except: Vec<String>,
    /// The context to look them up in, if not the line's own.
    pub(super) context: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lookup {
    Entries(Entries),
    Namespaces,
    Projects,
    Secrets,
    KeysOf(String),
    /// The kinds that the cluster describes, of which a name begins so.
    Kinds(String),
    /// The workloads of the kind of this name.
    Workloads(String),
    ContainersOf(TypedTarget),
    /// The variables that a workload sets itself.
    PlainVariablesOf(TypedTarget),
    /// A workload's uses of a secret: names of variables, or paths of mounts.
    VariablesOf {
        secret: String,
        target: TypedTarget,
    },
    MountsOf {
        secret: String,
        target: TypedTarget,
    },
}

impl Live {
    /// Returns the names that fit, each as a whole word.
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
            Word::Value { flag, before, text } => {
                let given = line.flags.iter().filter(|(given, _)| given.get_id() == flag.get_id());
                value_of(flag, text, line).except(given.map(|(_, value)| value)).after(before)
            }
        }
    }

    fn words(words: Vec<Candidate>) -> Self {
        Self { words, ..Self::default() }
    }

    fn live(what: Lookup, text: &str) -> Self {
        Self::part(what, "", text, "", Then::Space)
    }

    /// Offers a name that is part of the word.
    fn part(what: Lookup, before: &str, text: &str, after: &'static str, then: Then) -> Self {
        let (before, text) = (before.to_owned(), text.to_owned());
        let live = Live { what, before, text, after, then, except: Vec::new(), context: None };
        Self { live: Some(live), ..Self::default() }
    }

    fn files(before: &str, text: &str) -> Self {
        Self { files: Some(Files { before: before.to_owned(), text: text.to_owned() }), ..Self::default() }
    }

    fn except<'a>(mut self, names: impl IntoIterator<Item = &'a String>) -> Self {
        if let Some(live) = &mut self.live {
            live.except.extend(names.into_iter().cloned());
        }
        self
    }

    fn or(self, otherwise: Vec<Candidate>) -> Self {
        Self { otherwise, ..self }
    }

    fn in_context(mut self, context: Option<&str>) -> Self {
        if let Some(live) = &mut self.live {
            live.context = context.map(ToOwned::to_owned);
        }
        self
    }

    fn after(mut self, before: &str) -> Self {
        self.words = self.words.into_iter().map(|word| word.after(before)).collect();
        if let Some(live) = &mut self.live {
            live.before.insert_str(0, before);
        }
        if let Some(files) = &mut self.files {
            files.before.insert_str(0, before);
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

/// Completes a positional argument. The last one takes all remaining words.
fn positional(line: &Line<'_>, text: &str) -> CompletionSlot {
    let arguments: Vec<&Arg> =
        line.command.get_positionals().filter(|argument| !argument.is_last_set()).collect();
    let goes_on = |argument: &&Arg| matches!(argument.get_action(), clap::ArgAction::Append);
    let next = line.positionals.len();
    let at = if next < arguments.len() || !arguments.last().is_some_and(goes_on) {
        next
    } else {
        arguments.len() - 1
    };
    match arguments.get(at) {
        Some(argument) => value_of(argument, text, line).except(&line.positionals[at..]),
        None => CompletionSlot::default(),
    }
}

fn secret_or_target(line: &Line<'_>, text: &str) -> CompletionSlot {
    let mut held = line.flags.iter().filter_map(|(flag, _)| Holds::of(flag));
    match line.positionals.len() {
        0 if held.any(Holds::names_a_secret) || text.contains('/') => target(text),
        0 => {
            // Most lines continue with a secret.
            CompletionSlot::live(Lookup::Secrets, text).or(kinds(text))
        }
        1 if !line.positionals[0].contains('/') => target(text),
        _ => CompletionSlot::default(),
    }
}

fn target(text: &str) -> CompletionSlot {
    match text.split_once('/') {
        None => {
            let text = text.to_lowercase();
            let described = CompletionSlot::part(Lookup::Kinds(text.clone()), "", &text, "/", Then::More);
            CompletionSlot { words: kinds(&text), ..described }
        }
        // Others than those of names have no kind, and are not asked for.
        Some((kind, _)) if !is_subdomain(&kind.to_lowercase()) => CompletionSlot::default(),
        Some((kind, name)) => {
            let workloads = Lookup::Workloads(kind.to_owned());
            CompletionSlot::part(workloads, &format!("{kind}/"), name, "", Then::Space)
        }
    }
}

/// Offers known kinds.
fn kinds(text: &str) -> Vec<Candidate> {
    let named = names_of_kinds(Kind::attachable(), &[], &text.to_lowercase());
    named.into_iter().map(|(name, about)| Candidate::continued(format!("{name}/"), about)).collect()
}

/// Returns names of kinds that begin so, and the kinds: their usual names, and others only if no usual one fits. Each is
/// one that can be typed among `all`.
pub(super) fn names_of_kinds(
    kinds: impl Iterator<Item = &'static Kind> + Clone,
    all: &[&'static Kind],
    text: &str,
) -> Vec<(String, String)> {
    let with = |kind: &'static Kind, name: String| {
        Some((name, kind.name.to_owned())).filter(|(name, _)| name.starts_with(text))
    };
    let usual: Vec<_> = kinds.clone().filter_map(|kind| with(kind, kind.word_among(all))).collect();
    if !usual.is_empty() {
        return usual;
    }
    let others = kinds.flat_map(|kind| kind.names().map(move |name| (kind, name.to_owned())));
    others.filter_map(|(kind, name)| with(kind, name)).collect()
}

/// Completes the value of an argument; of a list of values, the last one.
fn value_of(argument: &Arg, text: &str, line: &Line<'_>) -> CompletionSlot {
    let Some((before, rest)) = argument.get_value_delimiter().and_then(|comma| text.rsplit_once(comma))
    else {
        return one_value_of(argument, text, line);
    };
    let done: Vec<String> = before.split(',').map(str::to_owned).collect();
    let mut slot = one_value_of(argument, rest, line).except(&done);
    slot.words.retain(|word| !done.contains(&word.value));
    slot.after(&format!("{before},"))
}

fn one_value_of(argument: &Arg, text: &str, line: &Line<'_>) -> CompletionSlot {
    let names = |what| CompletionSlot::live(what, text);
    let Some(holds) = Holds::of(argument) else { return CompletionSlot::default() };
    // Of `KEY=VALUE` and its like.
    let (before, rest) = after_first(text, '=');
    match holds {
        Holds::Confidential | Holds::KeyAndConfidential | Holds::Text => CompletionSlot::default(),
        Holds::Listed => fixed(listed(argument).into_iter(), text),
        Holds::Login => logins(text),
        Holds::Cluster => names(Lookup::Entries(Entries::Clusters)),
        Holds::Context => names(Lookup::Entries(Entries::Contexts)),
        Holds::User => names(Lookup::Entries(Entries::Users)),
        Holds::Namespace => names(Lookup::Namespaces),
        Holds::NamespaceThere => names(Lookup::Namespaces).in_context(line.value("to-context")),
        Holds::Project => names(Lookup::Projects),
        Holds::ProjectThere => names(Lookup::Projects).in_context(line.value("to-context")),
        Holds::Secret => names(Lookup::Secrets),
        Holds::SecretType => fixed(TYPES.iter().map(|name| Candidate::new(*name, "")), text),
        Holds::Workload => target(text),
        Holds::SecretAndWorkload => secret_or_target(line, text),
        Holds::SecretOrWorkload if text.contains('/') => target(text),
        Holds::SecretOrWorkload => names(Lookup::Secrets).or(kinds(text)),
        Holds::Container => {
            named_target(line).map(|target| names(Lookup::ContainersOf(target))).unwrap_or_default()
        }
        Holds::PlainVariable if text.contains('=') => plain_variable(before, rest),
        Holds::PlainVariable => {
            named_target(line).map(|target| names(Lookup::PlainVariablesOf(target))).unwrap_or_default()
        }
        Holds::Reference => reference(text),
        Holds::EnvSecret => env_secret(text),
        Holds::SecretVolume => secret_volume(text),
        Holds::Key => keys_of_named(line, "", text),
        Holds::VariableAndKey => keys_of_named(line, before, rest),
        Holds::Mount => mount(line, text),
        Holds::UsedVariable => used(line, text, |secret, target| Lookup::VariablesOf { secret, target }),
        Holds::UsedPath => used(line, text, |secret, target| Lookup::MountsOf { secret, target }),
        Holds::File => CompletionSlot::files("", text),
        Holds::KeyAndFile => CompletionSlot::files(before, rest),
        Holds::Variable => variables("", text),
        Holds::KeyAndVariable => variables(before, rest),
    }
}

/// Offers the words that a value is one of: those that clap knows, or those that the help lists.
fn listed(argument: &Arg) -> Vec<Candidate> {
    let known = argument.get_possible_values();
    if known.is_empty() {
        let name =
            argument.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
        let candidate = |word: &str| match word.split_once('=') {
            Some((word, _)) => Candidate::continued(format!("{word}="), ""),
            None => Candidate::new(word, ""),
        };
        return name.split('|').map(candidate).collect();
    }
    let visible = known.iter().filter(|value| !value.is_hide_set());
    let about = |value: &PossibleValue| value.get_help().map(ToString::to_string).unwrap_or_default();
    visible.map(|value| Candidate::new(value.get_name(), about(value))).collect()
}

fn fixed(words: impl Iterator<Item = Candidate>, text: &str) -> CompletionSlot {
    CompletionSlot::words(words.filter(|word| word.value.starts_with(text)).collect())
}

/// Offers the logins on this machine, by service and profile.
fn logins(text: &str) -> CompletionSlot {
    let machine = Machine::new(&ProcessInput);
    let of_service = |service: &'static Service| {
        service.logins(&machine).into_iter().map(|word| Candidate::new(word, service.title))
    };
    fixed(SERVICES.iter().flat_map(of_service), text)
}

/// Offers the names of environment variables; never their values.
fn variables(before: &str, text: &str) -> CompletionSlot {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut wanted = fixed(names.map(|name| Candidate::new(name, "")), text).after(before);
    wanted.words.sort_unstable();
    wanted
}

fn keys(secret: &str, before: &str, text: &str) -> CompletionSlot {
    CompletionSlot::part(Lookup::KeysOf(secret.to_owned()), before, text, "", Then::Space)
}

/// Offers keys of the secret that comes first on the line.
fn keys_of_named(line: &Line<'_>, before: &str, text: &str) -> CompletionSlot {
    named_secret(line).map(|secret| keys(secret, before, text)).unwrap_or_default()
}

fn named_secret<'a>(line: &'a Line<'_>) -> Option<&'a str> {
    line.positionals.first().map(String::as_str).filter(|word| !word.contains('/'))
}

/// Returns the workload, wherever it is on the line.
fn named_target(line: &Line<'_>) -> Option<TypedTarget> {
    line.positionals.iter().filter(|word| word.contains('/')).find_map(|word| TypedTarget::parse(word).ok())
}

/// Offers a workload's uses of a secret, to detach them.
fn used(line: &Line<'_>, text: &str, lookup: fn(String, TypedTarget) -> Lookup) -> CompletionSlot {
    match (named_secret(line), named_target(line)) {
        (Some(secret), Some(target)) => CompletionSlot::live(lookup(secret.to_owned(), target), text),
        _ => CompletionSlot::default(),
    }
}

/// Completes `VAR=SECRET,KEY`, part by part.
fn plain_variable(before: &str, text: &str) -> CompletionSlot {
    match text.split_once(',') {
        None => CompletionSlot::part(Lookup::Secrets, before, text, "", Then::More),
        Some((secret, key)) => keys(secret, &format!("{before}{secret},"), key),
    }
}

/// Completes `VAR=SECRET:name,key`, part by part.
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

/// Completes `VAR=name,key=KEY`, part by part.
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

/// Completes `path=P,name=NAME`, in either order.
fn secret_volume(text: &str) -> CompletionSlot {
    let (before, part) = after_last(text, ',');
    if let Some(name) = part.strip_prefix("name=") {
        return CompletionSlot::part(Lookup::Secrets, &format!("{before}name="), name, "", Then::Space);
    }
    let parts = ["path=", "name="].into_iter().filter(|name| !before.contains(name));
    fixed(parts.map(|name| Candidate::continued(name, "")), part).after(before)
}

/// Completes the keys of `PATH:KEY[=FILE],…`.
fn mount(line: &Line<'_>, text: &str) -> CompletionSlot {
    let (path, list) = after_first(text, ':');
    let (given, key) = after_last(list, ',');
    if path.is_empty() || key.contains('=') {
        return CompletionSlot::default();
    }
    let given_keys: Vec<String> =
        given.split(',').map(|item| item.split('=').next().unwrap_or_default().to_owned()).collect();
    keys_of_named(line, &format!("{path}{given}"), key).except(&given_keys)
}

/// Splits a text after the first separator. Without one, everything is the rest.
fn after_first(text: &str, separator: char) -> (&str, &str) {
    text.find(separator).map_or(("", text), |at| text.split_at(at + separator.len_utf8()))
}

fn after_last(text: &str, separator: char) -> (&str, &str) {
    text.rfind(separator).map_or(("", text), |at| text.split_at(at + separator.len_utf8()))
}
