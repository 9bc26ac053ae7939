//! References to missing secrets and keys. A pod would wait for them, hours later, with a GPU already
//! allocated.

use std::collections::{BTreeMap, BTreeSet};

use super::{Code, Finding, Lookup, Severity, View, of_consumer};
use crate::command_line::CommandLine;
use crate::secret::{Inspection, is_secret_name};
use crate::wording::{list, nearest};
use crate::workload::{Consumer, Need, Reference, Way};

/// The most keys of a secret that are named.
const NAMED_KEYS: usize = 12;

/// Returns the findings about one consumer's references.
pub(super) fn findings(view: &View, consumer: &Consumer) -> Vec<Finding> {
    let mut missing: BTreeMap<&str, Vec<&Reference>> = BTreeMap::new();
    let mut made: BTreeMap<&str, Vec<&Reference>> = BTreeMap::new();
    let mut found = Vec::new();
    for reference in &consumer.references {
        if reference.secret.is_empty() || reference.way.keys().contains(&"") {
            found.push(incomplete(consumer, reference));
            continue;
        }
        match view.look_up(consumer, reference) {
            Lookup::Unknown => {}
            Lookup::Missing if view.maker(consumer, &reference.secret).is_some() => {
                made.entry(&reference.secret).or_default().push(reference);
            }
            Lookup::Missing => missing.entry(&reference.secret).or_default().push(reference),
            Lookup::There(secret) => found.extend(missing_keys(consumer, reference, secret)),
        }
    }
    let missing = missing.into_iter().filter_map(|(name, uses)| missing_secret(view, consumer, name, &uses));
    let made = made.into_iter().filter_map(|(name, uses)| made_secret(view, consumer, name, &uses));
    missing.chain(found).chain(made).collect()
}

/// Reports a reference that names no secret or no key, which no server accepts, optional or not.
fn incomplete(consumer: &Consumer, reference: &Reference) -> Finding {
    let (code, message, what) = if reference.secret.is_empty() {
        (Code::MissingSecret, "names no secret".to_owned(), "a secret")
    } else {
        (Code::MissingKey, format!("names no key of secret {}", reference.secret), "a key")
    };
    let message = format!("{message}: {}", in_words(reference));
    let field = match (&reference.way, code) {
        (Way::Files { .. } | Way::IdleVolume { .. }, Code::MissingSecret) => {
            "; the field is secretName in a volume, and name in a projected one"
        }
        _ => "",
    };
    let remedy = format!("write the name of {what} there{field}");
    of_consumer(consumer, Severity::Error, code, message, remedy)
}

/// Reports a secret that need not exist yet, because an operator makes it.
fn made_secret(view: &View, consumer: &Consumer, name: &str, uses: &[&Reference]) -> Option<Finding> {
    let maker = view.maker(consumer, name)?;
    let keys: BTreeSet<&str> = uses.iter().flat_map(|reference| reference.way.keys()).collect();
    let message = if keys.is_empty() {
        format!("needs secret {name}, which is made by {maker}")
    } else {
        format!(
            "needs secret {name}, which is made by {maker}: whether it has {} was not checked",
            list(keys)
        )
    };
    let remedy = format!("once {maker} has made it, check again without -f");
    Some(of_consumer(consumer, Severity::Info, Code::MadeByOperator, message, remedy))
}

/// Returns the severity of a missing secret for the pods; none if the reference is optional.
fn severity(reference: &Reference) -> Option<Severity> {
    match (&reference.way, reference.need) {
        // The images may be public, the volume may be unused, and an ingress answers with another
        // certificate.
        (Way::ImagePull | Way::IdleVolume { .. } | Way::Certificate, _) => Some(Severity::Warning),
        (Way::Listed, _) => Some(Severity::Info),
        // Whether it is a reference is not certain.
        (Way::Probable { .. }, _) | (_, Need::Optional) => None,
        (_, Need::Required) => Some(Severity::Error),
    }
}

fn missing_secret(view: &View, consumer: &Consumer, name: &str, uses: &[&Reference]) -> Option<Finding> {
    let severity = uses.iter().filter_map(|reference| severity(reference)).min()?;
    let ways: BTreeSet<String> =
        uses.iter().filter(|one| self::severity(one).is_some()).map(|one| in_words(one)).collect();
    if !is_secret_name(name) {
        let message = format!("needs secret {name:?}, and no secret can have that name: {}", list(ways));
        let remedy = "write the name of a secret: lower case letters, digits, '-' and '.'".to_owned();
        return Some(of_consumer(consumer, severity, Code::MissingSecret, message, remedy));
    }
    let message = format!("needs secret {name}, which does not exist: {}", list(ways));
    let namespace = &consumer.namespace;
    let others = view.elsewhere.get(name).into_iter().flatten().filter(|other| *other != namespace);
    let others: Vec<&String> = others.collect();
    let remedy = match others.as_slice() {
        [] => format!("create it: {}", creation(name, uses).namespace(namespace)),
        others => format!(
            "a workload can only use secrets of its own namespace, and the secret is in {}: create it in {namespace} too",
            list(others.iter().take(3))
        ),
    };
    Some(of_consumer(consumer, severity, Code::MissingSecret, message, remedy))
}

/// Returns the command that creates a secret for these uses.
fn creation(name: &str, uses: &[&Reference]) -> CommandLine {
    let is_for = |way: &Way| uses.iter().any(|reference| reference.way == *way);
    if is_for(&Way::ImagePull) {
        let create = CommandLine::plugin("create docker-registry").arg(name);
        return create.then("--docker-server=SERVER --docker-username=USER");
    }
    if is_for(&Way::Certificate) {
        return CommandLine::plugin("create tls").arg(name).then("--cert=PATH --key=PATH");
    }
    let keys: BTreeSet<&str> = uses.iter().flat_map(|reference| reference.way.keys()).collect();
    let keys = if keys.is_empty() { BTreeSet::from(["KEY"]) } else { keys };
    let sources = keys.iter().map(|key| format!("--from-file={key}=PATH"));
    CommandLine::plugin("create").arg(name).args(sources)
}

fn missing_keys(consumer: &Consumer, reference: &Reference, secret: &Inspection) -> Vec<Finding> {
    let Some(severity) = severity(reference) else { return Vec::new() };
    let keys: Vec<&str> = secret.keys.keys().map(String::as_str).collect();
    let missing = reference.way.keys().into_iter().filter(|key| !keys.contains(key));
    let finding = |key: &str| {
        let message = format!(
            "needs key {key} of secret {}, which has no such key: {}",
            secret.name,
            in_words(reference)
        );
        let shown = list(keys.iter().take(NAMED_KEYS));
        let all = format!("the keys of {} are: {shown}", secret.name);
        let remedy = match nearest(key, keys.iter().copied()) {
            Some(near) => format!("did you mean {near}? {all}"),
            None => all,
        };
        of_consumer(consumer, severity, Code::MissingKey, message, remedy)
    };
    missing.map(finding).collect()
}

/// Returns `env A in container main`.
fn in_words(reference: &Reference) -> String {
    match reference.place.container() {
        Some(container) => format!("{} in container {container}", reference.way),
        None => reference.way.to_string(),
    }
}

/// Finds pods that can't start. `known` are the findings that may be the reason.
pub(super) fn stuck(view: &View, known: &[Finding]) -> Vec<Finding> {
    let finding = |consumer: &Consumer| {
        let container = consumer.stuck.as_deref()?;
        let object = consumer.display_name();
        let is_reason = |one: &&Finding| {
            one.severity == Severity::Error && one.namespace == consumer.namespace && one.object == object
        };
        let refers = |one: &&Consumer| one.namespace == consumer.namespace && one.display_name() == object;
        let uses_secrets = view.consumers.iter().filter(refers).any(|one| !one.references.is_empty());
        let message = format!("container {container} can't be started: CreateContainerConfigError");
        let (severity, remedy) = match known.iter().find(is_reason) {
            Some(reason) => (Severity::Error, reason.remedy.clone()),
            None if uses_secrets => (
                Severity::Warning,
                format!(
                    "{} says what it waits for",
                    CommandLine::kubectl("describe pods").namespace(&consumer.namespace)
                ),
            ),
            None => return None,
        };
        Some(of_consumer(consumer, severity, Code::StuckPod, message, remedy))
    };
    view.live().filter_map(finding).collect()
}
