//! The effect of a deleted secret on its consumers.
//!
//! Running pods keep their variables, so nothing seems wrong until one starts again: a node fails, a rollout
//! begins, the next run of a cron job is due.

use super::attachment::Need;
use super::consumer::Consumer;
use super::references::{Reference, Way};
use super::state::State;

impl Consumer {
    /// Returns true if it runs or is still to start, and would not start without the secret.
    pub(crate) fn needs(&self, secret: &str) -> bool {
        self.state.goes_on() && self.uses_of(secret).any(Reference::is_missed)
    }

    /// Returns its references to one secret.
    pub(crate) fn uses_of(&self, secret: &str) -> impl Iterator<Item = &Reference> {
        self.references.iter().filter(move |reference| reference.secret == secret)
    }
}

impl State {
    /// Returns true if it runs, or starts without a change by anybody. A suspended job often waits in a
    /// queue, which resumes it when its turn comes.
    fn goes_on(self) -> bool {
        match self {
            Self::Running
            | Self::Starting
            | Self::Queued
            | Self::Suspended
            | Self::BetweenRuns
            | Self::Lasting => true,
            Self::ScaledToZero | Self::Finished | Self::EarlierRevision => false,
        }
    }
}

impl Reference {
    /// Returns true if something fails without the secret. A pod starts without its registry login, but its
    /// image pull may fail.
    fn is_missed(&self) -> bool {
        match self.way {
            Way::ImagePull => true,
            Way::IdleVolume { .. } | Way::Listed => false,
            Way::Variable { .. }
            | Way::Variables { .. }
            | Way::Files { .. }
            | Way::Login { .. }
            | Way::Certificate
            | Way::Probable { .. } => self.need == Need::Required,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::workload::Kind;

    fn consumer(kind: &str, object: &Value) -> Consumer {
        let kind = Kind::referring().find(|one| one.name == kind).unwrap();
        Consumer::of(kind, object, |_| true)
    }

    /// A spec with a pod template that has a variable from the secret `s`.
    fn spec(optional: bool, more: &Value) -> Value {
        let source = json!({"secretKeyRef": {"name": "s", "key": "k", "optional": optional}});
        let container = json!({"name": "main", "env": [{"name": "V", "valueFrom": source}]});
        let mut spec = json!({"template": {"spec": {"containers": [container]}}});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        spec
    }

    #[test]
    fn what_runs_or_is_still_to_start_needs_its_secret_and_what_ended_or_is_scaled_to_0_does_not() {
        let complete = json!({"conditions": [{"type": "Complete", "status": "True"}]});
        for (kind, more, status, needs) in [
            ("Deployment", json!({"replicas": 1}), json!({"readyReplicas": 1}), true),
            ("Deployment", json!({"replicas": 1}), json!({}), true),
            ("Deployment", json!({"replicas": 0}), json!({}), false),
            ("Job", json!({}), json!({}), true),
            ("Job", json!({"suspend": true}), json!({}), true),
            ("Job", json!({}), complete, false),
            ("DaemonSet", json!({}), json!({}), true),
        ] {
            let object = json!({"metadata": {"name": "w"}, "spec": spec(false, &more), "status": status});
            assert_eq!(consumer(kind, &object).needs("s"), needs, "{kind} {object}");
        }
        let cron = json!({"spec": {"jobTemplate": {"spec": spec(false, &json!({}))}}});
        assert!(consumer("CronJob", &cron).needs("s"));
    }

    #[test]
    fn what_starts_without_a_secret_or_needs_another_one_does_not_need_it() {
        let web = |optional| consumer("Deployment", &json!({"spec": spec(optional, &json!({}))}));
        assert!(web(false).needs("s"));
        assert!(!web(false).needs("other"));
        assert!(!web(true).needs("s"));
        assert_eq!(web(true).uses_of("s").count(), 1);
    }

    #[test]
    fn an_image_pull_and_a_certificate_are_needed_and_what_is_only_listed_is_not() {
        let account = |field: &str| consumer("ServiceAccount", &json!({field: [{"name": "s"}]}));
        assert!(account("imagePullSecrets").needs("s"));
        assert!(!account("secrets").needs("s"));
        assert!(consumer("Ingress", &json!({"spec": {"tls": [{"secretName": "s"}]}})).needs("s"));
    }
}
