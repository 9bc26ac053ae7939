//! Sorts what refers to a secret that gets another name: what is changed, what can't be, and what goes by itself.

use crate::change::workload::Recreate;
use crate::cluster::Seen;
use crate::command_line::CommandLine;
use crate::workload::{Consumer, Holder, OnChange, Target};

/// What refers to the old name.
pub(super) struct Users {
    old: String,
    /// What is pointed to the new secret.
    pub(super) due: Vec<Target>,
    /// What can't be changed, or refers to it by the form of a field alone.
    stay: Vec<Consumer>,
    /// What does not refer to it itself, while something that it made still does.
    made: Vec<Consumer>,
    /// What has ended, or is an earlier revision.
    pub(super) ended: Vec<String>,
    extent: Extent,
}

/// Whether everything was seen that may refer to it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    Part,
}

impl Users {
    pub(super) fn of(seen: Seen<Consumer>, old: &str, recreate: Recreate) -> Self {
        let extent = if seen.unseen.is_empty() { Extent::Whole } else { Extent::Part };
        let mut users = Self {
            old: old.to_owned(),
            due: Vec::new(),
            stay: Vec::new(),
            made: Vec::new(),
            ended: Vec::new(),
            extent,
        };
        for one in seen.found {
            users.add(one, recreate);
        }
        users.ended.dedup();
        users.due.dedup();
        users
    }

    fn add(&mut self, one: Consumer, recreate: Recreate) {
        if !one.state.is_live() {
            self.ended.push(one.display_name());
        } else if one.holder == Holder::WhatItMade {
            self.made.push(one);
        } else {
            let is_certain = one.uses_of(&self.old).any(|reference| !reference.way.is_probable());
            let is_fixed = one.kind.on_change == OnChange::Refused && recreate == Recreate::No;
            if is_certain && !is_fixed {
                self.due.push(Target { kind: one.kind, name: one.name.clone() });
            }
            if is_fixed || one.uses_of(&self.old).any(|reference| reference.way.is_probable()) {
                self.stay.push(one);
            }
        }
    }

    pub(super) fn is_seen_whole(&self) -> bool {
        self.extent == Extent::Whole
    }

    /// Reports whether anything refers to it, now or by what it made.
    pub(super) fn is_nothing(&self) -> bool {
        self.due.is_empty() && self.stay.is_empty() && self.made.is_empty()
    }

    /// Reports whether something will refer to it when everything is changed that can be.
    pub(super) fn stays(&self) -> bool {
        !self.stay.is_empty()
    }

    /// Returns the names of all that refers to it, each once.
    pub(super) fn names(&self) -> Vec<String> {
        let due = self.due.iter().map(ToString::to_string);
        let mut names: Vec<String> =
            due.chain(self.stay.iter().chain(&self.made).map(Consumer::display_name)).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Says of what is not changed why, and what to do; `again` is the command that renames.
    pub(super) fn staying(&self, again: &CommandLine, namespace: &str) -> Vec<String> {
        let stay = self.stay.iter().map(|one| self.of_one(one, again, namespace));
        let made = self.made.iter().map(|one| self.of_what_is_made(one, namespace));
        let mut lines: Vec<String> = stay.chain(made).collect();
        lines.dedup();
        lines
    }

    fn of_what_is_made(&self, one: &Consumer, namespace: &str) -> String {
        let (name, old) = (one.display_name(), &self.old);
        if is_replaced(one) {
            return format!("{name} has old pods, which refer to {old} until they are replaced");
        }
        let pods = CommandLine::kubectl("get pods").namespace(namespace);
        format!("{name} made something that refers to {old} until it ends or is made anew ({pods})")
    }

    fn of_one(&self, one: &Consumer, again: &CommandLine, namespace: &str) -> String {
        let (name, old) = (one.display_name(), &self.old);
        let probable = one.uses_of(old).find(|reference| reference.way.is_probable());
        if let Some(reference) = probable {
            let edit = CommandLine::kubectl("edit").arg(&name).namespace(namespace);
            return format!("{name} stays as it is: {} may name {old}; to change it: {edit}", reference.way);
        }
        let (part, state) = (one.kind.changed_part(), one.state);
        let state = if state.to_string().is_empty() { String::new() } else { format!(" ({state})") };
        let recreate = again.clone().then("--recreate");
        format!("{name}{state} stays as it is: its {part} is immutable; when its work allows: {recreate}")
    }
}

/// Reports whether its controller replaces the pods of what it was before.
fn is_replaced(one: &Consumer) -> bool {
    one.holder == Holder::WhatItMade
        && matches!(one.kind.on_change, OnChange::RollsOut | OnChange::NewRevision)
}

fn live(found: &[Consumer]) -> impl Iterator<Item = &Consumer> {
    found.iter().filter(|one| one.state.is_live())
}

/// Reports whether all that still refers to the secret are pods that are being replaced.
pub(super) fn go_by_themselves(found: &[Consumer]) -> bool {
    live(found).next().is_some() && live(found).all(is_replaced)
}

/// Returns the names of what refers to it and has not ended, each once.
pub(super) fn names(found: &[Consumer]) -> Vec<String> {
    let mut names: Vec<String> = live(found).map(Consumer::display_name).collect();
    names.dedup();
    names
}
