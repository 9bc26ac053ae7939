//! All keys of a secret as env variables: keys that get lost, without an error on the pod.

use std::collections::BTreeMap;

use super::{Code, Finding, Lookup, Severity, View, of_consumer};
use crate::command_line::CommandLine;
use crate::secret::is_env_name;
use crate::wording::list;
use crate::workload::{Consumer, Reference, Way};

/// The names of variables that the cluster accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EnvNames {
    /// Letters, digits, `_`, `-` and `.`, no digit first.
    Classic,
    /// Any printable ASCII without `=`, from Kubernetes 1.34 on (KEP-4369).
    Relaxed,
}

impl EnvNames {
    /// Tells the rule by the version of the server, such as 1 and 34.
    pub(crate) fn of_version(major: u32, minor: u32) -> Self {
        if (major, minor) >= (1, 34) { Self::Relaxed } else { Self::Classic }
    }
}

pub(super) fn findings(view: &View, consumer: &Consumer) -> Vec<Finding> {
    let mut found = Vec::new();
    // In the order of the container, in which a later one wins.
    let mut taken: BTreeMap<(&super::Place, String), &str> = BTreeMap::new();
    for reference in &consumer.references {
        let Way::Variables { prefix, named } = &reference.way else { continue };
        let Lookup::There(secret) = view.look_up(consumer, reference) else { continue };
        let variables: Vec<String> = secret.keys.keys().map(|key| format!("{prefix}{key}")).collect();
        found.extend(illegal(view.env_names, consumer, reference, &variables));
        let hidden: Vec<&String> =
            variables.iter().filter(|variable| named.contains(variable.as_str())).collect();
        if !hidden.is_empty() {
            let (container, secret) = (container(reference), &reference.secret);
            let message =
                format!("env of container {container} overrides {} of secret {secret}", list(hidden));
            let remedy = "if this is not intended, remove the variable from env, or give envFrom a prefix";
            found.push(of_consumer(consumer, Severity::Info, Code::EnvCollision, message, remedy.to_owned()));
        }
        let mut lost: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for variable in variables {
            let before = taken.insert((&reference.place, variable.clone()), &reference.secret);
            if let Some(other) = before.filter(|other| *other != reference.secret) {
                lost.entry(other).or_default().push(variable);
            }
        }
        found.extend(lost.into_iter().map(|(other, lost)| overwritten(consumer, reference, other, &lost)));
    }
    found
}

fn container(reference: &Reference) -> &str {
    reference.place.container().unwrap_or_default()
}

fn overwritten(consumer: &Consumer, reference: &Reference, other: &str, lost: &[String]) -> Finding {
    let (secret, container) = (&reference.secret, container(reference));
    let message =
        format!("secret {secret} overwrites {} of secret {other} in container {container}", list(lost));
    let remedy = "give one of the two a prefix: envFrom[].prefix, or attach with --env-all=PREFIX".to_owned();
    of_consumer(consumer, Severity::Warning, Code::EnvCollision, message, remedy)
}

fn illegal(
    names: EnvNames,
    consumer: &Consumer,
    reference: &Reference,
    variables: &[String],
) -> Option<Finding> {
    let (secret, container) = (&reference.secret, container(reference));
    let attach = CommandLine::plugin("attach").arg(secret).arg(consumer.display_name());
    let attach = attach.then("--env VAR=KEY").namespace(&consumer.namespace);
    let remedy = format!("give it a name of its own: {attach}");
    let lost: Vec<&String> = variables.iter().filter(|variable| !is_env_name(variable)).collect();
    if names == EnvNames::Classic && !lost.is_empty() {
        let message = format!(
            "container {container} does not get {} of secret {secret}: no legal env name",
            list(lost)
        );
        return Some(of_consumer(consumer, Severity::Warning, Code::EnvName, message, remedy));
    }
    let unreadable: Vec<&String> = variables.iter().filter(|variable| !a_shell_can_read(variable)).collect();
    (!unreadable.is_empty()).then(|| {
        let message =
            format!("no shell can read {} of secret {secret} in container {container}", list(unreadable));
        of_consumer(consumer, Severity::Info, Code::EnvName, message, remedy)
    })
}

/// Checks for a name by POSIX, Base Definitions, 3.216 Name.
fn a_shell_can_read(variable: &str) -> bool {
    !variable.starts_with(|first: char| first.is_ascii_digit())
        && variable.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
