//! Secrets whose content is not what their users expect.

use std::collections::BTreeSet;

use super::{Code, Extent, Finding, Severity, Users};
use crate::command_line::CommandLine;
use crate::metadata::LAST_APPLIED;
use crate::propagation::reaches_projects;
use crate::secret::{CREDENTIAL_LABEL, Inspection};
use crate::wording::list;
use crate::workload::Way;

/// The most consumers that are named.
const NAMED: usize = 3;

pub(super) fn findings(extent: Extent, users: &Users<'_>, secret: &Inspection) -> Vec<Finding> {
    let unused = if extent == Extent::Whole { unused(users, secret) } else { None };
    let found = [last_applied(secret), unusable_login(users, secret), credential(secret), unused];
    found.into_iter().flatten().chain(line_ends(users, secret)).chain(doubtful(secret)).collect()
}

pub(super) fn of_secret(
    secret: &Inspection,
    severity: Severity,
    code: Code,
    message: String,
    remedy: String,
) -> Finding {
    let (namespace, object) = (secret.namespace.clone(), format!("secret/{}", secret.name));
    Finding { severity, code, namespace, object, message, remedy }
}

/// Returns the remedy of a value that is wrong: where another object writes the secret, it is mended there.
pub(super) fn at_the_source(secret: &Inspection, by_hand: impl FnOnce() -> String) -> String {
    match &secret.controller {
        Some(owner) => format!("{owner} writes this secret: mend the value where that gets it from"),
        None => by_hand(),
    }
}

/// Finds values that end in a newline: it becomes part of a password, and no login accepts it.
fn line_ends(users: &Users<'_>, secret: &Inspection) -> Vec<Finding> {
    let ended = secret.keys.iter().filter(|(_, value)| value.line_end).map(|(key, _)| key);
    let finding = |key: &String| {
        let as_variable = users.live(secret).filter(|(_, reference)| match &reference.way {
            Way::Variable { key: used, .. } => used == key,
            Way::Variables { .. } => true,
            _ => false,
        });
        let users: BTreeSet<String> = as_variable.map(|(consumer, _)| consumer.display_name()).collect();
        let remedy = at_the_source(secret, || {
            let set = CommandLine::plugin("set").arg(&secret.name).then("--trim");
            let set = set.arg(format!("--from-file={key}=PATH")).namespace(&secret.namespace);
            format!("write it again without the newline: {set}")
        });
        let (severity, message) = if users.is_empty() {
            (Severity::Info, format!("the value of {key} ends with a newline"))
        } else {
            let users = list(users.iter().take(NAMED));
            (
                Severity::Warning,
                format!("the value of {key} ends with a newline, and is an env variable of {users}"),
            )
        };
        of_secret(secret, severity, Code::TrailingNewline, message, remedy)
    };
    // Who made it knows whether the newline belongs there, as long as nobody else gets the value.
    let is_news = |one: &Finding| secret.controller.is_none() || one.severity == Severity::Warning;
    let ended = ended.map(|key| (is_of_lines(key), finding(key)));
    let ended = ended.filter(|(is_of_lines, one)| !is_of_lines || one.severity == Severity::Warning);
    ended.map(|(_, one)| one).filter(is_news).collect()
}

/// Recognizes the files of OpenSSH that are read line by line, and end in a newline.
fn is_of_lines(key: &str) -> bool {
    matches!(key, "ssh-publickey" | "known_hosts" | "authorized_keys") || key.strip_suffix(".pub").is_some()
}

/// Finds values that can hardly be what is meant. Who made the secret knows what belongs there.
fn doubtful(secret: &Inspection) -> impl Iterator<Item = Finding> {
    let doubted = secret.keys.iter().filter_map(|(key, value)| Some((key, value.doubt?)));
    doubted.filter(|_| secret.controller.is_none()).map(|(key, doubt)| {
        let set = CommandLine::plugin("set").arg(&secret.name).arg(key).namespace(&secret.namespace);
        let message = format!("the value of {key} {doubt}");
        of_secret(
            secret,
            Severity::Warning,
            Code::DoubtfulValue,
            message,
            format!("write the right one: {set}"),
        )
    })
}

fn last_applied(secret: &Inspection) -> Option<Finding> {
    secret.applied_values.then(|| {
        let message = "kubectl apply left its values in an annotation, which more people may read";
        let annotate = CommandLine::kubectl("annotate secret").arg(&secret.name).namespace(&secret.namespace);
        let remedy = format!("{}; then give it new values", annotate.arg(format!("{LAST_APPLIED}-")));
        of_secret(secret, Severity::Warning, Code::LastApplied, message.to_owned(), remedy)
    })
}

/// Finds registry logins that the kubelet can't read: images are then pulled without one.
fn unusable_login(users: &Users<'_>, secret: &Inspection) -> Option<Finding> {
    let message = secret.unusable_login()?.to_owned();
    let pulls = users.live(secret).any(|(_, reference)| reference.way == Way::ImagePull);
    let severity = if pulls { Severity::Error } else { Severity::Warning };
    let create = CommandLine::plugin("create docker-registry").arg(&secret.name).namespace(&secret.namespace);
    let flags = "--replace --docker-server=SERVER --docker-username=USER --docker-password-stdin";
    let remedy = at_the_source(secret, || format!("write it again: {}", create.then(flags)));
    Some(of_secret(secret, severity, Code::UnusableLogin, message, remedy))
}

fn credential(secret: &Inspection) -> Option<Finding> {
    let message = secret.credential()?.warning(&secret.secret_type, |key| secret.keys.contains_key(key))?;
    let remedy =
        format!("create it again with the keys that Run:ai reads, or remove the label {CREDENTIAL_LABEL}");
    Some(of_secret(secret, Severity::Warning, Code::CredentialKeys, message, remedy))
}

/// Finds unused secrets, if everything was seen. Credentials and shared secrets are kept for workloads to
/// come.
fn unused(users: &Users<'_>, secret: &Inspection) -> Option<Finding> {
    let waits = reaches_projects(&secret.labels) || secret.labels.contains_key(CREDENTIAL_LABEL);
    let is_used = !users.all(secret).is_empty();
    if waits || secret.controller.is_some() || secret.is_the_servers() || is_used {
        return None;
    }
    let delete = CommandLine::plugin("delete").arg(&secret.name).namespace(&secret.namespace);
    let remedy = format!("if nothing else uses it: {delete}");
    Some(of_secret(secret, Severity::Info, Code::UnusedSecret, "no workload uses it".to_owned(), remedy))
}
