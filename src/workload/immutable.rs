//! Recognizes a server's refusal to change an immutable field, whatever the kind.
//!
//! The server decides, not the table of kinds: a custom kind may become immutable with an update, by a rule
//! of its definition or by a webhook.

use serde_json::Value;

use super::kind::Kind;
use super::tree::{list, text};

/// Returns true if a server's `Status` says that a kind's place for attachments is immutable.
pub(crate) fn is_immutable(status: &Value, kind: &Kind) -> bool {
    let message = text(status, "message");
    if ["denied the request", "denied request"].iter().any(|words| message.contains(words)) {
        // A webhook or an admission policy refuses in its own words, which may name the field. It was asked
        // only about this change.
        let names_no_field = !message.contains("spec.");
        return says_immutable(message)
            && (names_no_field || message.split(' ').any(|word| is_way_to(word, kind)));
    }
    let is_refused = status["code"] == 422 || text(status, "reason") == "Invalid";
    let causes = list(&status["details"], "causes");
    let says_so = if causes.is_empty() {
        says_immutable(message) && message.split(' ').any(|word| is_way_to(word, kind))
    } else {
        let of_place = |cause: &&Value| is_way_to(text(cause, "field"), kind);
        causes.iter().filter(of_place).any(|cause| says_immutable(text(cause, "message")))
    };
    is_refused && says_so
}

/// Recognizes "field is immutable" of the API server, and "Value is immutable", the usual words of a custom
/// resource, or its rule if it has no words. A Pod has its own words, with the field `spec`.
fn says_immutable(message: &str) -> bool {
    ["is immutable", "self == oldSelf", "pod updates may not change fields"]
        .iter()
        .any(|words| message.contains(words))
}

/// Returns true if a field, such as `spec.pytorchReplicaSpecs[Master].template`, holds a place for
/// attachments, or is inside one.
fn is_way_to(field: &str, kind: &Kind) -> bool {
    let steps: Vec<&str> =
        field.trim_end_matches(':').split(['.', '[', ']']).filter(|step| !step.is_empty()).collect();
    !steps.is_empty()
        && kind.shape.patterns().iter().any(|pattern| {
            let wanted = pattern.split('/').skip(1);
            wanted.zip(&steps).all(|(wanted, step)| wanted == "*" || wanted == *step)
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind(word: &str) -> &'static Kind {
        Kind::named(word).unwrap()
    }

    fn invalid(field: &str, message: &str) -> Value {
        let causes = json!([{"reason": "FieldValueInvalid", "field": field, "message": message}]);
        json!({"kind": "Status", "code": 422, "reason": "Invalid", "message": "…", "details": {"causes": causes}})
    }

    #[test]
    fn an_immutable_template_is_recognised_for_any_kind() {
        let refusals = [
            ("job", "spec.template", "Invalid value: core.PodTemplateSpec{…}: field is immutable"),
            ("cronjob", "spec.jobTemplate.spec.template", "field is immutable"),
            ("pytorchjob", "spec.pytorchReplicaSpecs[Master].template", "Value is immutable"),
            ("pytorchjob", "spec.pytorchReplicaSpecs.Master.template", "Value is immutable"),
            ("jobset", "spec.replicatedJobs[0].template.spec", "Value is immutable"),
            ("runaijob", "spec", "Invalid value: \"object\": failed rule: self == oldSelf"),
            ("trainingworkload", "spec.environment.items", "Value is immutable"),
            (
                "pod",
                "spec",
                "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,…",
            ),
        ];
        for (word, field, message) in refusals {
            assert!(is_immutable(&invalid(field, message), kind(word)), "{field}: {message}");
        }
        let message = "Job \"x\" is invalid: spec.template: Invalid value: …: field is immutable";
        assert!(is_immutable(&json!({"code": 422, "message": message}), kind("job")));
    }

    #[test]
    fn a_webhook_says_it_in_a_refusal_of_another_kind() {
        let denied = |why: &str| {
            let message = format!("admission webhook \"vjobset.kb.io\" denied the request: {why}");
            json!({"code": 403, "reason": "Forbidden", "message": message})
        };
        assert!(is_immutable(
            &denied("spec.replicatedJobs: Invalid value: …: field is immutable"),
            kind("jobset")
        ));
        assert!(is_immutable(&denied("a JobSet is immutable"), kind("jobset")));
        assert!(!is_immutable(&denied("spec.network: Invalid value: …: field is immutable"), kind("jobset")));
        assert!(!is_immutable(&denied("images must come from our registry"), kind("jobset")));
    }

    #[test]
    fn another_refusal_is_not_taken_for_it() {
        let others = [
            invalid("spec.selector", "field is immutable"),
            invalid(
                "spec.template.spec.containers[0].env[0].name",
                "Invalid value: \"1\": a valid environment…",
            ),
            json!({"code": 409, "reason": "Conflict", "message": "spec.template field is immutable"}),
            json!({}),
        ];
        for status in others {
            assert!(!is_immutable(&status, kind("job")), "{status}");
        }
    }
}
