//! Credentials in plain text in workloads, which everybody reads who may read the workload.

use super::{Code, Finding, Severity, View, of_consumer};
use crate::command_line::CommandLine;
use crate::workload::{Consumer, Plaintext, State};

pub(super) fn findings<'a>(view: &'a View, consumer: &'a Consumer) -> impl Iterator<Item = Finding> + 'a {
    consumer.plaintext.iter().map(|one| {
        let what = if one.why.kind().is_some() { "a credential" } else { "what looks like a credential" };
        let message = format!("holds {what} in plain text: {one}");
        let remedy = remedy(view, consumer, one);
        of_consumer(consumer, Severity::Warning, Code::PlaintextCredential, message, remedy)
    })
}

fn remedy(view: &View, consumer: &Consumer, one: &Plaintext) -> String {
    let (name, namespace) = (consumer.display_name(), &consumer.namespace);
    let attach = CommandLine::plugin("attach");
    let file = view.files.get(&(namespace.clone(), name.clone()));
    if consumer.state == State::Finished && file.is_none() {
        let delete = CommandLine::kubectl("delete").arg(&name).namespace(namespace);
        return format!("it has ended: {delete}; then change the credential where it was issued");
    }
    let Some(variable) = one.variable() else {
        let attach = attach.then("SECRET").arg(&name).then("--env VAR=KEY").namespace(namespace);
        return format!("give it a variable instead, and write $(VAR) in its place: {attach}");
    };
    let attach = match file {
        Some(file) => attach.then("-f").arg(file).arg(&name),
        None => attach.arg(&name),
    };
    let attach = attach.then("--extract").arg(variable).namespace(namespace);
    format!("move it into a secret, and change it where it was issued: {attach}")
}
