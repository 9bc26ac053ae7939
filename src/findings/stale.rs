//! Containers that hold an old value: they read it when they started, and it changed since.

use std::collections::{BTreeMap, BTreeSet};

use super::{Code, Finding, Lookup, Severity, View, of_consumer};
use crate::command_line::CommandLine;
use crate::history::Freshness;
use crate::moment::Moment;
use crate::secret::Inspection;
use crate::wording::list;
use crate::workload::{Consumer, Reader, Renewal};

/// What a workload holds of one secret.
struct Stale<'a> {
    freshness: Freshness,
    keys: BTreeSet<&'a str>,
    read: Moment,
    changed: Moment,
}

/// Returns a finding for each secret of which a consumer holds old values.
pub(super) fn findings(view: &View, consumer: &Consumer) -> Vec<Finding> {
    let mut by_secret: BTreeMap<&str, Stale<'_>> = BTreeMap::new();
    for reader in &consumer.readers {
        let Lookup::There(secret) = view.look_up_secret(consumer, reader.secret()) else { continue };
        let Some(stale) = Stale::of(reader, secret) else { continue };
        match by_secret.get_mut(reader.secret()) {
            Some(one) if one.freshness == stale.freshness => one.add(stale),
            Some(one) if one.freshness > stale.freshness => {}
            _ => drop(by_secret.insert(reader.secret(), stale)),
        }
    }
    by_secret.into_iter().map(|(secret, stale)| stale.finding(consumer, secret)).collect()
}

impl<'a> Stale<'a> {
    fn of(reader: &'a Reader, secret: &Inspection) -> Option<Self> {
        let change = secret.history.change_of(reader.keys())?;
        let freshness = change.held_since(reader.started());
        let keys = reader.keys().iter().map(String::as_str).collect();
        let (read, changed) = (reader.started(), change.until());
        (freshness != Freshness::Current).then_some(Self { freshness, keys, read, changed })
    }

    /// Adds what another container holds; no keys stand for all.
    fn add(&mut self, other: Self) {
        if self.keys.is_empty() || other.keys.is_empty() {
            self.keys.clear();
        } else {
            self.keys.extend(other.keys);
        }
        self.read = self.read.min(other.read);
        self.changed = self.changed.max(other.changed);
    }

    fn finding(self, consumer: &Consumer, secret: &str) -> Finding {
        let Self { freshness, keys, read, changed } = self;
        let what = if keys.is_empty() {
            format!("of secret {secret}")
        } else {
            format!("of {} of secret {secret}", list(keys))
        };
        let (severity, message) = match freshness {
            Freshness::Old => {
                (Severity::Warning, format!("holds an old value {what}: read {read}, changed {changed}"))
            }
            _ => (
                Severity::Info,
                format!("may hold an old value {what}: read {read}, and written {changed} for the last time"),
            ),
        };
        let restart = CommandLine::plugin("restart").arg(secret).namespace(&consumer.namespace);
        let remedy = match consumer.renewal() {
            Renewal::Restart => format!("to restart it: {restart}"),
            Renewal::SubmitAgain => {
                format!("create it again when its work allows: {restart} --dry-run says how")
            }
            _ => format!("nothing restarts it from here: {restart} --dry-run says what does"),
        };
        of_consumer(consumer, severity, Code::StaleValue, message, remedy)
    }
}
