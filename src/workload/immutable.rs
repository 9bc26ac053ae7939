//! Recognises that a server refused a change because the template cannot change, whatever the kind.
//!
//! The server has the last word on this, not the table of kinds: a custom kind may become immutable with an
//! update.

use serde_json::Value;

use super::pod_spec::{list, text};

/// Whether the `Status` that a server answered with says that a pod template, or a Pod, is immutable.
pub(crate) fn is_template_immutable(status: &Value) -> bool {
    let is_refused = status["code"] == 422 || text(status, "reason") == "Invalid";
    let causes = list(&status["details"], "causes");
    let says_so = if causes.is_empty() {
        says_immutable(text(status, "message"), text(status, "message"))
    } else {
        causes.iter().any(|cause| says_immutable(text(cause, "field"), text(cause, "message")))
    };
    is_refused && says_so
}

/// `field` is a path such as `spec.template` or `spec.template.spec.containers[0].env`.
fn says_immutable(field: &str, message: &str) -> bool {
    // A Pod's words, with the field `spec`: "pod updates may not change fields other than …".
    let of_pod = message.contains("pod updates may not change fields");
    // "field is immutable" is the API server's, "Value is immutable" the usual rule of a custom resource.
    let of_template = field.to_lowercase().contains("template") && message.contains("is immutable");
    of_pod || of_template
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn invalid(field: &str, message: &str) -> Value {
        let causes = json!([{"reason": "FieldValueInvalid", "field": field, "message": message}]);
        json!({"kind": "Status", "code": 422, "reason": "Invalid", "message": "…", "details": {"causes": causes}})
    }

    #[test]
    fn an_immutable_template_is_recognised_for_any_kind() {
        let refusals = [
            ("spec.template", "Invalid value: core.PodTemplateSpec{…}: field is immutable"),
            ("spec.jobTemplate.spec.template", "field is immutable"),
            ("spec.pytorchReplicaSpecs[Master].template", "Value is immutable"),
            ("spec", "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,…"),
        ];
        for (field, message) in refusals {
            assert!(is_template_immutable(&invalid(field, message)), "{field}: {message}");
        }
        let message = "Job \"x\" is invalid: spec.template: Invalid value: …: field is immutable";
        let bare = json!({"code": 422, "message": message});
        assert!(is_template_immutable(&bare));
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
            assert!(!is_template_immutable(&status), "{status}");
        }
    }
}
