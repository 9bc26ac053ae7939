//! Faults of secrets and of their consumers, found before a pod is scheduled and fails.
//!
//! A finding has a stable code, so that a pipeline can exclude it, and a remedy. The rules do not know the
//! cluster: they get what was read from it, and conclude nothing from what could not be read.

mod contents;
mod copies;
mod doubts;
mod uses;
mod variables;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use copies::of_copy;
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
    LastApplied,
    ExpiredCertificate,
    CredentialKeys,
    LateVariable,
    UnknownVariable,
    FileMode,
    HiddenLogin,
    MadeByOperator,
    Malformed,
    UnusedSecret,
}

impl Code {
    pub(crate) const ALL: [Self; 20] = [
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
        Self::LastApplied,
        Self::ExpiredCertificate,
        Self::CredentialKeys,
        Self::LateVariable,
        Self::UnknownVariable,
        Self::FileMode,
        Self::HiddenLogin,
        Self::MadeByOperator,
        Self::Malformed,
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
            Self::LastApplied => "last-applied",
            Self::ExpiredCertificate => "expired-certificate",
            Self::CredentialKeys => "credential-keys",
            Self::LateVariable => "late-variable",
            Self::UnknownVariable => "unknown-variable",
            Self::FileMode => "file-mode",
            Self::HiddenLogin => "hidden-login",
            Self::MadeByOperator => "made-by-operator",
            Self::Malformed => "malformed",
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
    pub(crate) made: Vec<Made>,
    pub(crate) env_names: EnvNames,
    pub(crate) extent: Extent,
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
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for consumer in self.live() {
            findings.extend(uses::findings(self, consumer));
            findings.extend(variables::findings(self, consumer));
            findings.extend(doubts::findings(self, consumer));
        }
        findings.extend(uses::stuck(self, &findings));
        for secret in self.secrets.values().flatten() {
            findings.extend(contents::findings(self, secret));
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
        let is_there = |made: &&Made| made.namespace.as_ref().is_none_or(|at| *at == consumer.namespace);
        self.made.iter().filter(is_there).find(|made| made.name == secret).map(|made| made.maker.as_str())
    }

    fn look_up(&self, consumer: &Consumer, reference: &Reference) -> Lookup<'_> {
        match self.secrets.get(&(consumer.namespace.clone(), reference.secret.clone())) {
            Some(Some(secret)) => Lookup::There(secret),
            Some(None) => Lookup::Missing,
            None => Lookup::Unknown,
        }
    }

    /// Returns the uses of a secret by consumers that run or will run.
    fn uses_of<'a>(&'a self, secret: &'a Inspection) -> impl Iterator<Item = (&'a Consumer, &'a Reference)> {
        let consumers = self.live().filter(|consumer| consumer.namespace == secret.namespace);
        consumers.flat_map(|consumer| {
            let references = consumer.references.iter().filter(|reference| reference.secret == secret.name);
            references.map(move |reference| (consumer, reference))
        })
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
            .filter(|reference| !reference.way.is_probable())
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
