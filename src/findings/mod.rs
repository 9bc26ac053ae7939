//! Faults of secrets and of their consumers, found before a pod is scheduled and fails.
//!
//! A finding has a stable code, so that a pipeline can exclude it, and a remedy. The rules do not know the
//! cluster: they get what was read from it, and conclude nothing from what could not be read.

mod contents;
mod copies;
mod doubts;
mod ends;
mod plaintext;
mod stale;
mod uses;
mod variables;

use std::collections::{BTreeMap, BTreeSet, HashMap};

pub(crate) use copies::of_copy;
pub(crate) use ends::Horizon;
use serde::Serialize;
pub(crate) use variables::EnvNames;

use crate::secret::{Inspection, Made};
use crate::workload::{Consumer, Place, Reference};

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Something does not start, or does not work.
    Error,
    /// Something works otherwise than its author meant, or a value is in the wrong place.
    Warning,
    Info,
}

impl Severity {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// The kind of a finding. Names are stable: pipelines refer to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Code {
    MissingSecret,
    MissingKey,
    StuckPod,
    EnvName,
    EnvCollision,
    CopyMissing,
    CopyStale,
    CopyForeign,
    CopyOrphan,
    TrailingNewline,
    DoubtfulValue,
    LastApplied,
    PlaintextCredential,
    ExpiredCertificate,
    Expired,
    ExpiresSoon,
    UnusableLogin,
    CredentialKeys,
    LateVariable,
    UnknownVariable,
    FileMode,
    HiddenLogin,
    MadeByOperator,
    Malformed,
    StaleValue,
    UnusedSecret,
}

impl Code {
    pub(crate) const ALL: [Self; 26] = [
        Self::MissingSecret,
        Self::MissingKey,
        Self::StuckPod,
        Self::EnvName,
        Self::EnvCollision,
        Self::CopyMissing,
        Self::CopyStale,
        Self::CopyForeign,
        Self::CopyOrphan,
        Self::TrailingNewline,
        Self::DoubtfulValue,
        Self::LastApplied,
        Self::PlaintextCredential,
        Self::ExpiredCertificate,
        Self::Expired,
        Self::ExpiresSoon,
        Self::UnusableLogin,
        Self::CredentialKeys,
        Self::LateVariable,
        Self::UnknownVariable,
        Self::FileMode,
        Self::HiddenLogin,
        Self::MadeByOperator,
        Self::Malformed,
        Self::StaleValue,
        Self::UnusedSecret,
    ];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::MissingSecret => "missing-secret",
            Self::MissingKey => "missing-key",
            Self::StuckPod => "stuck-pod",
            Self::EnvName => "env-name",
            Self::EnvCollision => "env-collision",
            Self::CopyMissing => "copy-missing",
            Self::CopyStale => "copy-stale",
            Self::CopyForeign => "copy-foreign",
            Self::CopyOrphan => "copy-orphan",
            Self::TrailingNewline => "trailing-newline",
            Self::DoubtfulValue => "doubtful-value",
            Self::LastApplied => "last-applied",
            Self::PlaintextCredential => "plaintext-credential",
            Self::ExpiredCertificate => "expired-certificate",
            Self::Expired => "expired",
            Self::ExpiresSoon => "expires-soon",
            Self::UnusableLogin => "unusable-login",
            Self::CredentialKeys => "credential-keys",
            Self::LateVariable => "late-variable",
            Self::UnknownVariable => "unknown-variable",
            Self::FileMode => "file-mode",
            Self::HiddenLogin => "hidden-login",
            Self::MadeByOperator => "made-by-operator",
            Self::Malformed => "malformed",
            Self::StaleValue => "stale-value",
            Self::UnusedSecret => "unused-secret",
        }
    }
}

/// A fault and its remedy. It is printed for programs in this form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) code: Code,
    pub(crate) namespace: String,
    /// `deployment.apps/web`, `secret/hf`
    pub(crate) object: String,
    pub(crate) message: String,
    pub(crate) remedy: String,
}

/// The objects that were read from the cluster.
pub(crate) struct View {
    /// In the form of [`folded`](crate::workload::folded).
    pub(crate) consumers: Vec<Consumer>,
    /// By namespace and name; none if there is no such secret.
    pub(crate) secrets: BTreeMap<(String, String), Option<Inspection>>,
    /// The namespaces that have a secret, for each name that is missing somewhere.
    pub(crate) elsewhere: BTreeMap<String, Vec<String>>,
    /// The registry logins of service accounts, by namespace and name, of accounts that were read.
    pub(crate) account_logins: BTreeMap<(String, String), Vec<String>>,
    /// Secrets that other objects make; their future content is unknown.
    pub(crate) made: Makers,
    pub(crate) env_names: EnvNames,
    /// The file of each consumer that was read from one, by namespace and name.
    pub(crate) files: BTreeMap<(String, String), String>,
    pub(crate) extent: Extent,
}

impl View {
    /// Reports whether anything was found there.
    pub(crate) fn has_objects(&self) -> bool {
        !self.consumers.is_empty() || self.secrets.values().any(Option::is_some)
    }
}

/// The secrets that other objects make, by name.
#[derive(Default)]
pub(crate) struct Makers(BTreeMap<String, Vec<Made>>);

impl Makers {
    pub(crate) fn add(&mut self, made: Vec<Made>) {
        for one in made {
            self.0.entry(one.name.clone()).or_default().push(one);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the object that makes a secret of this name in a namespace.
    pub(crate) fn of(&self, namespace: &str, name: &str) -> Option<&str> {
        let is_there = |made: &&Made| made.namespace.as_deref().is_none_or(|at| at == namespace);
        self.0.get(name)?.iter().find(is_there).map(|made| made.maker.as_str())
    }
}

/// How much was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Everything in a namespace, or in all: a secret without a visible consumer has none.
    Whole,
    /// One workload, or a part of the objects: secrets may have other consumers.
    Part,
}

/// The result of looking up a secret.
enum Lookup<'a> {
    There(&'a Inspection),
    Missing,
    /// The user may not look.
    Unknown,
}

impl View {
    /// Returns all findings, the worst first.
    pub(crate) fn findings(&self, horizon: Horizon) -> Vec<Finding> {
        let mut findings = Vec::new();
        for consumer in self.live() {
            findings.extend(uses::findings(self, consumer));
            findings.extend(variables::findings(self, consumer));
            findings.extend(doubts::findings(self, consumer));
            findings.extend(stale::findings(self, consumer));
        }
        findings.extend(uses::stuck(self, &findings));
        // Who has ended can still be read.
        findings.extend(self.consumers.iter().flat_map(|consumer| plaintext::findings(self, consumer)));
        let users = Users::of(&self.consumers);
        for secret in self.secrets.values().flatten() {
            findings.extend(contents::findings(self.extent, &users, secret));
            findings.extend(ends::findings(horizon, &users, secret));
        }
        findings.sort_unstable();
        findings.dedup();
        findings
    }

    /// Returns the consumers that have not ended. Ended ones start nothing again, so nothing of them can
    /// fail.
    fn live(&self) -> impl Iterator<Item = &Consumer> {
        self.consumers.iter().filter(|consumer| consumer.state.is_live())
    }

    /// Returns the maker of a secret that a consumer refers to.
    fn maker(&self, consumer: &Consumer, secret: &str) -> Option<&str> {
        self.made.of(&consumer.namespace, secret)
    }

    /// Tells whether a secret of a consumer's namespace has a key, if that is known.
    fn has_key(&self, consumer: &Consumer, secret: &str, key: &str) -> Option<bool> {
        match self.secrets.get(&(consumer.namespace.clone(), secret.to_owned()))? {
            Some(secret) => Some(secret.keys.contains_key(key)),
            None => self.maker(consumer, secret).is_none().then_some(false),
        }
    }

    fn look_up(&self, consumer: &Consumer, reference: &Reference) -> Lookup<'_> {
        self.look_up_secret(consumer, &reference.secret)
    }

    fn look_up_secret(&self, consumer: &Consumer, secret: &str) -> Lookup<'_> {
        match self.secrets.get(&(consumer.namespace.clone(), secret.to_owned())) {
            Some(Some(secret)) => Lookup::There(secret),
            Some(None) => Lookup::Missing,
            None => Lookup::Unknown,
        }
    }
}

/// A use of a secret.
type User<'a> = (&'a Consumer, &'a Reference);

/// The uses of each secret by namespace and name, found without a look at every consumer for every secret.
struct Users<'a>(HashMap<&'a str, HashMap<&'a str, Vec<User<'a>>>>);

impl<'a> Users<'a> {
    fn of(consumers: &'a [Consumer]) -> Self {
        let mut users: HashMap<_, HashMap<_, Vec<_>>> = HashMap::new();
        for consumer in consumers {
            for reference in &consumer.references {
                let of_namespace = users.entry(consumer.namespace.as_str()).or_default();
                of_namespace.entry(reference.secret.as_str()).or_default().push((consumer, reference));
            }
        }
        Self(users)
    }

    fn all(&self, secret: &Inspection) -> &[User<'a>] {
        let of_namespace = self.0.get(secret.namespace.as_str());
        of_namespace.and_then(|users| users.get(secret.name.as_str())).map_or(&[], Vec::as_slice)
    }

    /// Returns the uses of a secret by consumers that run or will run.
    fn live(&self, secret: &Inspection) -> impl Iterator<Item = User<'a>> {
        self.all(secret).iter().copied().filter(|(consumer, _)| consumer.state.is_live())
    }
}

/// Returns each secret that the consumers refer to, by namespace and name. A reference that is known by its
/// form alone is left out: it may be no name at all, but a value.
pub(crate) fn referred(consumers: &[Consumer]) -> BTreeSet<(String, String)> {
    let live = consumers.iter().filter(|consumer| consumer.state.is_live());
    let of = |consumer: &Consumer| {
        let namespace = consumer.namespace.clone();
        consumer
            .references
            .iter()
            .filter(|reference| !reference.way.is_probable() && !reference.secret.is_empty())
            .map(move |reference| (namespace.clone(), reference.secret.clone()))
            .collect::<Vec<_>>()
    };
    live.flat_map(of).collect()
}

/// Reports a part of a manifest that has not the form of its kind: nobody sees what it refers to.
pub(crate) fn malformed(consumer: &Consumer, fault: &str) -> Finding {
    let message = format!("{fault}, so that secrets in it are not seen");
    let remedy = "write it as the kind's definition has it; attach refuses it too".to_owned();
    of_consumer(consumer, Severity::Error, Code::Malformed, message, remedy)
}

/// Reports a part of a manifest that no server takes for an object, so that nobody sees what it refers to.
/// `place` names it, such as `job.yaml, document 2`.
pub(crate) fn no_object(place: &str, namespace: &str, fault: String, remedy: String) -> Finding {
    let (namespace, object) = (namespace.to_owned(), place.to_owned());
    let (severity, code) = (Severity::Error, Code::Malformed);
    Finding { severity, code, namespace, object, message: fault, remedy }
}

fn of_consumer(
    consumer: &Consumer,
    severity: Severity,
    code: Code,
    message: String,
    remedy: String,
) -> Finding {
    let (namespace, object) = (consumer.namespace.clone(), consumer.display_name());
    Finding { severity, code, namespace, object, message, remedy }
}

#[cfg(test)]
mod tests;
