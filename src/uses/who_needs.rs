//! Finds what needs a secret before it is deleted or unshared. A hit refuses that unless `--force` is given.

use std::collections::BTreeSet;

use crate::cluster::{Cluster, Namespaces, Seen, Unseen};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::DryRun;
use crate::session::Session;
use crate::wording::{few, plural};
use crate::workload::{Consumer, Holder, Reference};
use crate::{session, uses};

/// How many consumers of a secret are listed one by one.
const TOLD: usize = 10;

/// The action on the secrets.
#[derive(Clone, Copy)]
pub(crate) enum Deed {
    Delete,
    /// Projects lose their copies.
    Unshare,
}

/// The planned action, and how to carry it out.
pub(crate) struct Plan<'a> {
    pub(crate) deed: Deed,
    pub(crate) force: Force,
    pub(crate) names: &'a [String],
    pub(crate) dry_run: DryRun,
}

/// Tells whether to go on although workloads need the secrets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Force {
    Yes,
    No,
}

impl Force {
    pub(crate) fn given(flag: bool) -> Self {
        if flag { Self::Yes } else { Self::No }
    }
}

/// The search for what refers to the secrets.
pub(crate) struct Consumers<'a> {
    scope: Namespaces,
    plan: Plan<'a>,
    cluster: &'a Cluster,
    session: &'a Session<'a>,
    /// The consumers of all of the secrets; none until the first of them is about to go.
    seen: Option<Seen<Consumer>>,
}

impl<'a> Consumers<'a> {
    pub(crate) fn new(
        scope: Namespaces,
        plan: Plan<'a>,
        cluster: &'a Cluster,
        session: &'a Session<'a>,
    ) -> Self {
        Self { scope, plan, cluster, session, seen: None }
    }

    /// Lists the consumers of one secret in the namespaces that lose it, and how they use it. Before them it
    /// lists the effects of the action, unless that is refused.
    ///
    /// # Errors
    /// A workload needs it, or the consumers can't be listed for another reason than a missing right; neither
    /// with `--force`.
    pub(crate) async fn tell(
        &mut self,
        secret: &str,
        effects: &[String],
        loses: impl Fn(&str) -> bool,
    ) -> Result<()> {
        let seen = match self.seen.take() {
            Some(seen) => seen,
            None => self.read().await?,
        };
        let told = self.tell_seen(&seen, secret, effects, loses);
        self.seen = Some(seen);
        told
    }

    /// Lists each kind that refers to secrets once, for all of the secrets.
    async fn read(&self) -> Result<Seen<Consumer>> {
        let names: BTreeSet<&str> = self.plan.names.iter().map(String::as_str).collect();
        let wanted = |reference: &Reference| names.contains(reference.secret.as_str());
        let failure = match uses::consumers::find(wanted, &self.scope, self.cluster).await {
            Ok(seen) => return Ok(seen),
            Err(failure) => Error::from(failure),
        };
        if self.plan.force == Force::No {
            return Err(failure
                .at("the workloads that use it could not be listed")
                .hint(format!("nothing was {}; --force goes on anyway", self.plan.deed.participle())));
        }
        let why = failure.to_string();
        let why = why.lines().next().unwrap_or_default();
        self.session
            .ui
            .warning(&format!("the workloads that use it could not be listed, and --force goes on: {why}"));
        Ok(Seen::default())
    }

    fn tell_seen(
        &self,
        seen: &Seen<Consumer>,
        secret: &str,
        effects: &[String],
        loses: impl Fn(&str) -> bool,
    ) -> Result<()> {
        let uses_it = |one: &&Consumer| loses(&one.namespace) && one.uses_of(secret).next().is_some();
        let (needing, others): (Vec<_>, Vec<_>) =
            seen.found.iter().filter(uses_it).partition(|one| one.needs(secret));
        if needing.is_empty() || self.plan.force == Force::Yes {
            for effect in effects {
                self.show(effect);
            }
        }
        let lines = needing.iter().map(|one| self.line(one, secret, "needs it"));
        let lines = lines.chain(others.iter().map(|one| self.line(one, secret, "refers to it")));
        self.tell_lines(secret, lines.collect());
        self.warn_unseen(&seen.unseen, secret);
        let itself = needing.iter().find(|one| one.holder == Holder::Itself);
        let Some(first) = itself.or(needing.first()) else { return Ok(()) };
        let names: BTreeSet<String> = needing.iter().map(|one| self.name_of(one)).collect();
        let names = few(&names.iter().map(String::as_str).collect::<Vec<_>>());
        if self.plan.force == Force::Yes {
            let done = self.plan.deed.participle();
            let note = format!("--force: secret {secret} is {done} although it is needed by {names}");
            self.session.ui.note(&note);
            return Ok(());
        }
        Err(self.refusal(secret, &names, first))
    }

    fn tell_lines(&self, secret: &str, lines: Vec<String>) {
        if lines.is_empty() {
            self.show("no use of it was found");
        }
        let more = lines.len().saturating_sub(TOLD);
        lines.into_iter().take(TOLD).for_each(|line| self.show(&line));
        if more > 0 {
            let usage = CommandLine::plugin("usage").arg(secret);
            let usage = match &self.scope {
                Namespaces::One(namespace) => usage.namespace(namespace),
                Namespaces::All | Namespaces::AllAtOnce => usage.then("-A"),
            };
            let more = plural(more, "more consumer");
            self.show(&format!("{more}: {usage}"));
        }
    }

    /// Shows a line, except in a quiet dry run, which asks nothing.
    fn show(&self, line: &str) {
        let ui = self.session.ui;
        if self.plan.dry_run == DryRun::None || !ui.is_quiet() {
            ui.effect(line);
        }
    }

    fn line(&self, one: &Consumer, secret: &str, verb: &str) -> String {
        let ways: BTreeSet<String> = one.uses_of(secret).map(|reference| reference.way.to_string()).collect();
        let ways = few(&ways.iter().map(String::as_str).collect::<Vec<_>>());
        let state = one.state.to_string();
        let state = if state.is_empty() { state } else { format!(" ({state})") };
        format!("{}{state} {verb}: {ways}", self.name_of(one))
    }

    fn name_of(&self, one: &Consumer) -> String {
        session::scope::consumer_name(&self.scope, one)
    }

    /// Warns of kinds that could not be listed, and of the consequence.
    fn warn_unseen(&self, unseen: &[Unseen], secret: &str) {
        let what = if self.scope == Namespaces::AllAtOnce { "a copy" } else { "the secret" };
        session::scope::warn_unseen_consumers(&self.scope, unseen, secret, what, self.session);
    }

    fn refusal(&self, secret: &str, names: &str, first: &Consumer) -> Error {
        let (done, again) = (self.plan.deed.participle(), self.plan.deed.verb());
        let error = Error::failed(format!("secret {secret:?} is needed by {names}; it was not {done}"));
        let (workload, namespace) = (first.display_name(), &first.namespace);
        let error = match first.holder {
            Holder::Itself if can_be_detached(first, secret) => error.hint(format!(
                "to take it off: {}",
                CommandLine::plugin("detach").arg(secret).arg(&workload).namespace(namespace)
            )),
            Holder::Itself => error,
            Holder::WhatItMade => error.hint(format!(
                "{workload} itself does not use it, but what it made does: when that is replaced or has ended, {again} it \
                 again ({})",
                CommandLine::kubectl("get pods").namespace(namespace)
            )),
        };
        error.hint(match self.plan.deed {
            Deed::Delete => "--force deletes it anyway: what needs it won't start again",
            Deed::Unshare => "--force does it anyway: what needs its copy won't start again",
        })
    }
}

fn can_be_detached(one: &Consumer, secret: &str) -> bool {
    one.kind.has_place_for_attachments() && one.uses_of(secret).any(|reference| !reference.way.is_probable())
}

impl Deed {
    fn participle(self) -> &'static str {
        match self {
            Self::Delete => "deleted",
            Self::Unshare => "unlabeled",
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Unshare => "unlabel",
        }
    }
}
