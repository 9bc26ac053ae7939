//! Runs one command for several objects: a failure of one does not stop the rest, and is not lost.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::error::{Error, Kind, Result};
use crate::flags::{Output, WriteArgs};
use crate::session::Session;
use crate::wording::plural;

/// Returns the names in their order, each once: what is done the second time is not what the first time is.
pub(crate) fn each_once(names: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names.iter().filter(|name| seen.insert(*name)).cloned().collect()
}

/// Counts the outcomes, for the exit code.
pub(crate) struct Several<'a> {
    session: &'a Session<'a>,
    /// The noun that is counted: `secret`, `project`.
    noun: &'static str,
    /// `for` with secrets, `in` with projects.
    preposition: &'static str,
    all: usize,
    done: Vec<String>,
    failed: Vec<(String, Kind)>,
}

impl<'a> Several<'a> {
    /// Starts with the number of secrets that were named.
    pub(crate) fn secrets(all: usize, session: &'a Session<'a>) -> Self {
        Self { session, noun: "secret", preposition: "for", all, done: Vec::new(), failed: Vec::new() }
    }

    /// Starts with the number of projects that were named.
    pub(crate) fn projects(all: usize, session: &'a Session<'a>) -> Self {
        Self { noun: "project", preposition: "in", ..Self::secrets(all, session) }
    }

    /// Starts with the number of namespaces that were named.
    pub(crate) fn namespaces(all: usize, session: &'a Session<'a>) -> Self {
        Self { noun: "namespace", ..Self::projects(all, session) }
    }

    /// Starts with the number of workloads that were named or selected.
    pub(crate) fn workloads(all: usize, session: &'a Session<'a>) -> Self {
        Self { noun: "workload", ..Self::secrets(all, session) }
    }

    /// Records the outcome of one object and returns its result. Reports a failure at once.
    ///
    /// # Errors
    /// The only object failed, or the user ended the program.
    pub(crate) fn one<T>(&mut self, name: &str, outcome: Result<T>) -> Result<Option<T>> {
        match outcome {
            Ok(outcome) => {
                self.done.push(name.to_owned());
                Ok(Some(outcome))
            }
            Err(error) if self.all == 1 => Err(error),
            Err(error) if matches!(error.kind(), Kind::Interrupted | Kind::SteppedBack) => {
                Err(error.for_good())
            }
            Err(error) => {
                self.failed.push((name.to_owned(), error.kind()));
                self.session.ui.error(&error.at(&format!("{} {name}", self.noun)));
                Ok(None)
            }
        }
    }

    /// Ends the command.
    ///
    /// # Errors
    /// One of them failed.
    pub(crate) fn verdict(&self) -> Result<()> {
        let all = plural(self.all, self.noun);
        let failed = match self.done.len() {
            0 => format!("failed {} all {all}", self.preposition),
            _ => format!("failed {} {} of {all}", self.preposition, self.failed.len()),
        };
        let is = |kind: Kind| move |(_, one): &(String, Kind)| *one == kind;
        match (self.failed.as_slice(), self.done.len()) {
            ([], _) => Ok(()),
            (failures, 0) if failures.iter().all(is(Kind::Usage)) => Err(Error::usage(failed)),
            (failures, 0) if !failures.iter().any(is(Kind::Partly)) => Err(Error::failed(failed)),
            _ => Err(Error::partly(failed)),
        }
    }

    /// Ends what comes before the first write: where one of them is refused, none is written.
    ///
    /// # Errors
    /// One of them failed.
    pub(crate) fn unanimous(&self) -> Result<()> {
        if self.failed.is_empty() {
            return Ok(());
        }
        let (failed, all) = (self.failed.len(), plural(self.all, self.noun));
        let refused = format!("nothing was changed: refused {} {failed} of {all}", self.preposition);
        let usage = self.failed.iter().all(|(_, kind)| *kind == Kind::Usage);
        Err(if usage { Error::usage(refused) } else { Error::failed(refused) })
    }

    /// Returns the names of those that are done.
    pub(crate) fn done(&self) -> &[String] {
        &self.done
    }

    /// Returns the names of those that failed.
    pub(crate) fn failed(&self) -> Vec<String> {
        self.failed.iter().map(|(name, _)| name.clone()).collect()
    }
}

/// Reports the objects that were written: each at once to a person, all at the end to a program.
///
/// A command for one object prints that object; a command for several prints a `List`, as kubectl does,
/// whatever became of them.
pub(crate) struct Objects<'a> {
    write: &'a WriteArgs,
    session: &'a Session<'a>,
    asked: usize,
    /// For each its name, the verb and the object.
    written: Vec<(String, String, Value)>,
}

impl<'a> Objects<'a> {
    pub(crate) fn asked(asked: usize, write: &'a WriteArgs, session: &'a Session<'a>) -> Self {
        Self { write, session, asked, written: Vec::new() }
    }

    /// Reports one object: its name and the verb, or `object` for `-o json|yaml`.
    pub(crate) fn tell(&mut self, name: &str, verb: &str, object: Value) -> Result<()> {
        match self.write.output {
            Output::Human | Output::Name => self.session.report(self.write, name, verb, &Value::Null),
            Output::Data(_) => {
                self.written.push((name.to_owned(), verb.to_owned(), object));
                Ok(())
            }
        }
    }

    pub(crate) fn print(self) -> Result<()> {
        match self.written.as_slice() {
            [] => Ok(()),
            [(name, verb, only)] if self.asked == 1 => self.session.report(self.write, name, verb, only),
            several => {
                let items: Vec<&Value> = several.iter().map(|(_, _, object)| object).collect();
                let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
                self.session.report(self.write, "", "", &list)
            }
        }
    }
}
