//! Entries of workloads that have another effect than their author meant, without an error on the pod.

use super::{Code, Finding, Severity, View, of_consumer};
use crate::command_line::CommandLine;
use crate::wording::list;
use crate::workload::{Consumer, Given, What};

pub(super) fn findings(view: &View, consumer: &Consumer) -> Vec<Finding> {
    let has_key = |secret: &str, key: &str| view.has_key(consumer, secret, key);
    let of_doubts = consumer.doubts.iter().filter_map(|doubt| {
        let (severity, code) = match doubt.what {
            What::LateVariable { .. } => (Severity::Warning, Code::LateVariable),
            What::NoVariable { .. } => (Severity::Info, Code::UnknownVariable),
            What::UnreadableFiles { .. } => (Severity::Warning, Code::FileMode),
            What::WidenedFiles { .. } => (Severity::Info, Code::FileMode),
        };
        let (severity, message) = match doubt.given(has_key) {
            Given::No => (severity, doubt.to_string()),
            Given::Perhaps => (Severity::Info, format!("{doubt}{}", doubt.unless_given()?)),
            Given::Yes => return None,
        };
        Some(of_consumer(consumer, severity, code, message, doubt.remedy()))
    });
    of_doubts.chain(hidden_logins(view, consumer)).collect()
}

/// Finds logins of a service account that a pod's own logins displace.
fn hidden_logins(view: &View, consumer: &Consumer) -> Vec<Finding> {
    let finding = |own: &crate::workload::OwnLogins| {
        let place = (consumer.namespace.clone(), own.account.clone());
        let of_account = view.account_logins.get(&place).into_iter().flatten();
        let hidden: Vec<&String> = of_account.filter(|login| !own.logins.contains(login)).collect();
        let first = hidden.first()?;
        let account = &own.account;
        let message = format!(
            "has registry logins of its own, so those of service account {account} are not used: {}",
            list(&hidden)
        );
        let attach = CommandLine::plugin("attach")
            .arg(first)
            .arg(consumer.display_name())
            .then("--image-pull")
            .namespace(&consumer.namespace);
        let remedy = format!("if its images need them: {attach}");
        Some(of_consumer(consumer, Severity::Info, Code::HiddenLogin, message, remedy))
    };
    consumer.own_logins.iter().filter_map(finding).collect()
}
