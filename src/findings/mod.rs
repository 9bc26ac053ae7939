//! What is wrong with secrets and with what uses them, found before a pod is scheduled and fails.
//!
//! A finding has a stable code, so that a pipeline can leave it out, and says what to do. The rules know no cluster:
//! they get what was seen of it, and where something was not seen they say nothing.

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

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Something does not start, or does not work.
    Error,
    /// Something works otherwise than its author meant, or puts a value where it does not belong.
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

/// What was found. Names are stable: pipelines refer to them.
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
    UnusedSecret,
}

impl Code {
    pub(crate) const ALL: [Self; 19] = [
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
            Self::UnusedSecret => "unused-secret",
        }
    }
}

/// Something that is wrong, and what to do about it. It prints for a program as it is.
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

/// What was seen of the cluster.
pub(crate) struct View {
    /// As [`folded`](crate::workload::folded) gives them.
    pub(crate) consumers: Vec<Consumer>,
    /// By namespace and name; none where there is no such secret.
    pub(crate) secrets: BTreeMap<(String, String), Option<Inspection>>,
    /// Where secrets of a name are, of names that are missing somewhere.
    pub(crate) elsewhere: BTreeMap<String, Vec<String>>,
    /// The registry logins of service accounts, by namespace and name; those that were not looked at are not in it.
    pub(crate) account_logins: BTreeMap<(String, String), Vec<String>>,
    /// Secrets that objects beside the consumers make: what will be in them is not known.
    pub(crate) made: Vec<Made>,
    pub(crate) env_names: EnvNames,
    pub(crate) extent: Extent,
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Everything in a namespace, or in all: who is not seen to use a secret does not.
    Whole,
    /// One workload, or not all that there is: secrets may have other consumers.
    Part,
}

/// What a secret that is referred to was found to be.
enum Lookup<'a> {
    There(&'a Inspection),
    Missing,
    /// The user may not look.
    Unknown,
}

impl View {
    /// All findings, the worst first.
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

    /// What ended starts nothing again, so nothing of it can fail.
    fn live(&self) -> impl Iterator<Item = &Consumer> {
        self.consumers.iter().filter(|consumer| consumer.state.is_live())
    }

    /// What makes a secret that a consumer refers to.
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

    /// The uses that are made of a secret by what runs or will run.
    fn uses_of<'a>(&'a self, secret: &'a Inspection) -> impl Iterator<Item = (&'a Consumer, &'a Reference)> {
        let consumers = self.live().filter(|consumer| consumer.namespace == secret.namespace);
        consumers.flat_map(|consumer| {
            let references = consumer.references.iter().filter(|reference| reference.secret == secret.name);
            references.map(move |reference| (consumer, reference))
        })
    }
}

/// Each secret that the consumers refer to, by namespace and name.
pub(crate) fn referred(consumers: &[Consumer]) -> BTreeSet<(String, String)> {
    let live = consumers.iter().filter(|consumer| consumer.state.is_live());
    let of = |consumer: &Consumer| {
        let namespace = consumer.namespace.clone();
        consumer
            .references
            .iter()
            .map(move |reference| (namespace.clone(), reference.secret.clone()))
            .collect::<Vec<_>>()
    };
    live.flat_map(of).collect()
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
