//! "May I?": the access reviews, which are answered and never stored.

use serde_json::{Value, json};

use super::Answer;
use super::call::Call;
use super::failure::Failure;
use super::rbac::Attempt;
use super::store::{State, text};

impl State {
    /// Answers a `SelfSubjectAccessReview` or `SelfSubjectRulesReview`; `None` for any other call.
    pub(crate) fn review(&self, call: &Call) -> Result<Option<Answer>, Failure> {
        if call.target.group != "authorization.k8s.io" || call.method != hyper::Method::POST {
            return Ok(None);
        }
        match call.target.plural.as_str() {
            "selfsubjectaccessreviews" => {
                let mut review = call.json("SelfSubjectAccessReview")?;
                review["kind"] = "SelfSubjectAccessReview".into();
                review["apiVersion"] = "authorization.k8s.io/v1".into();
                review["metadata"] = json!({});
                review["status"] = json!({"allowed": self.may(call, &review["spec"]["resourceAttributes"])});
                Ok(Some(Answer::created(review)))
            }
            "selfsubjectrulesreviews" => {
                let review = call.json("SelfSubjectRulesReview")?;
                let rules = self.rules(&call.user, text(&review, "/spec/namespace"));
                let all = json!([{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]);
                let administrator = call.user.groups.iter().any(|group| group == "system:masters");
                Ok(Some(Answer::created(json!({
                    "kind": "SelfSubjectRulesReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {}, "spec": {},
                    "status": {
                        "resourceRules": if administrator { all } else { Value::Array(rules) },
                        "nonResourceRules": [], "incomplete": false,
                    },
                }))))
            }
            _ => Ok(None),
        }
    }

    fn may(&self, call: &Call, attributes: &Value) -> bool {
        let (plural, subresource) = (text(attributes, "/resource"), text(attributes, "/subresource"));
        let resource =
            if subresource.is_empty() { plural.to_owned() } else { format!("{plural}/{subresource}") };
        let attempt = Attempt {
            verb: text(attributes, "/verb"),
            group: text(attributes, "/group"),
            resource: &resource,
            namespace: text(attributes, "/namespace"),
            name: text(attributes, "/name"),
        };
        self.allows(&call.user, &attempt)
    }
}
