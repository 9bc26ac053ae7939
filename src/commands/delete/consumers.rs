//! Who would miss a secret: said before it is deleted, and a reason not to.

use std::collections::BTreeSet;

use super::DeleteArgs;
use crate::cluster::{Cluster, Namespaces, Seen, Unseen};
use crate::commands::status::few;
use crate::commands::{Session, consumers, scope};
use crate::error::{Error, Result};
use crate::wording::plural;
use crate::workload::{Consumer, Holder, KINDS, Reference};

/// So many consumers of a secret are told one by one.
const TOLD: usize = 10;

/// Where what refers to the secrets that are to go is looked for.
pub(super) struct Consumers<'a> {
    scope: Namespaces,
    args: &'a DeleteArgs,
    cluster: &'a Cluster,
    session: &'a Session<'a>,
    /// Of all of the secrets; none before the first of them is about to go.
    seen: Option<Seen<Consumer>>,
}

impl<'a> Consumers<'a> {
    pub(super) fn new(
        scope: Namespaces,
        args: &'a DeleteArgs,
        cluster: &'a Cluster,
        session: &'a Session<'a>,
    ) -> Self {
        Self { scope, args, cluster, session, seen: None }
    }

    /// Lists those of one secret, as far as they are in a namespace that loses it, and how they use it; before them the
    /// effects of deleting it, unless that is refused.
    ///
    /// # Errors
    /// One of them needs it, or who uses it can't be found out, for another reason than that a list is not allowed; not
    /// with `--force`.
    pub(super) async fn tell(
        &mut self,
        secret: &str,
        effects: &[String],
        loses: impl Fn(&str) -> bool,
    ) -> Result<()> {
        let seen = match self.seen.take() {
            Some(seen) => seen,
            None => self.look().await?,
        };
        let told = self.tell_seen(&seen, secret, effects, loses);
        self.seen = Some(seen);
        told
    }

    /// Lists every kind that refers to secrets once, for all of the secrets.
    async fn look(&self) -> Result<Seen<Consumer>> {
        let names: BTreeSet<&str> = self.args.names.iter().map(String::as_str).collect();
        let wanted = |reference: &Reference| names.contains(reference.secret.as_str());
        let failure = match consumers::look(wanted, &self.scope, self.cluster).await {
            Ok(seen) => return Ok(seen),
            Err(failure) => Error::from(failure),
        };
        if !self.args.force {
            return Err(failure
                .at("who uses it could not be found out")
                .hint("nothing was deleted; --force goes on all the same"));
        }
        let why = failure.to_string();
        let why = why.lines().next().unwrap_or_default();
        self.session.ui.warning(&format!("who uses it could not be found out, and --force goes on: {why}"));
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
        if needing.is_empty() || self.args.force {
            for effect in effects {
                self.session.ui.effect(effect);
            }
        }
        let lines = needing.iter().map(|one| self.line(one, secret, "needs it"));
        let lines = lines.chain(others.iter().map(|one| self.line(one, secret, "refers to it")));
        self.tell_lines(secret, lines.collect());
        self.warn_unseen(&seen.unseen, secret);
        let Some(first) = needing.first() else { return Ok(()) };
        let names: BTreeSet<String> = needing.iter().map(|one| self.name_of(one)).collect();
        let names = few(&names.iter().map(String::as_str).collect::<Vec<_>>());
        if self.args.force {
            let note = format!("--force: secret {secret} is deleted although it is needed by {names}");
            self.session.ui.note(&note);
            return Ok(());
        }
        Err(refusal(secret, &names, first))
    }

    fn tell_lines(&self, secret: &str, lines: Vec<String>) {
        let ui = self.session.ui;
        if lines.is_empty() {
            ui.effect("no use of it was found");
        }
        let more = lines.len().saturating_sub(TOLD);
        lines.into_iter().take(TOLD).for_each(|line| ui.effect(&line));
        if more > 0 {
            let place = match &self.scope {
                Namespaces::One(namespace) => format!("-n {namespace}"),
                Namespaces::All | Namespaces::AllAtOnce => "-A".to_owned(),
            };
            let more = plural(more, "more consumer");
            ui.effect(&format!("{more}: kubectl runai-secret usage {secret} {place}"));
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
        scope::consumer_name(&self.scope, one)
    }

    /// What could not be looked at, with what follows from it.
    fn warn_unseen(&self, unseen: &[Unseen], secret: &str) {
        let what = if self.scope == Namespaces::AllAtOnce { "a copy" } else { "the secret" };
        scope::warn_unseen_consumers(&self.scope, unseen, secret, what, self.session);
    }
}

fn refusal(secret: &str, names: &str, first: &Consumer) -> Error {
    let error = Error::failed(format!("secret {secret:?} is needed by {names}; it was not deleted"));
    let (workload, namespace) = (first.display_name(), &first.namespace);
    let error = match first.holder {
        Holder::Itself if KINDS.contains(first.kind) => error
            .hint(format!("to take it off: kubectl runai-secret detach {secret} {workload} -n {namespace}")),
        Holder::Itself => error,
        Holder::WhatItMade => error.hint(format!(
            "{workload} does not have it itself, but what it made does: when that is replaced or has ended, delete \
             it again (kubectl get pods -n {namespace})"
        )),
    };
    error.hint("--force deletes it all the same: what needs it won't start again")
}
