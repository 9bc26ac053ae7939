//! Authentication and authorization: tokens, certificates, impersonation, and the cluster's own RBAC objects.

use hyper::HeaderMap;
use serde_json::{Value, json};

use super::call::{Call, Target, User, text_of};
use super::failure::Failure;
use super::store::{State, text};

const RBAC: &str = "rbac.authorization.k8s.io";

/// An action that somebody attempts.
pub(crate) struct Attempt<'a> {
    pub(crate) verb: &'a str,
    pub(crate) group: &'a str,
    /// Plural, with `/subresource`.
    pub(crate) resource: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

impl State {
    /// Returns the user of a token or a certificate, or `system:anonymous`.
    pub(crate) fn authenticate(
        &self,
        headers: &HeaderMap,
        certificate: Option<&str>,
    ) -> Result<User, Failure> {
        let authorization = text_of(headers, "authorization");
        if let Some(name) = certificate.filter(|_| authorization.is_empty()) {
            return Ok(User { name: name.to_owned(), groups: vec!["system:authenticated".into()] });
        }
        match authorization.strip_prefix("Bearer ") {
            Some(token) => self.users.get(token.trim()).cloned().ok_or_else(Failure::unauthorized),
            None if authorization.is_empty() => {
                Ok(User { name: "system:anonymous".into(), groups: vec!["system:unauthenticated".into()] })
            }
            None => Err(Failure::unauthorized()),
        }
    }

    /// Refuses calls that RBAC does not allow; replaces the user by the impersonated one.
    pub(crate) fn authorise(&self, call: &mut Call, headers: &HeaderMap) -> Result<(), Failure> {
        let verb = call.verb();
        let target = named_by_selector(call);
        let impersonated = text_of(headers, "impersonate-user");
        if !impersonated.is_empty() {
            let attempt = Attempt {
                verb: "impersonate",
                group: "",
                resource: "users",
                namespace: "",
                name: &impersonated,
            };
            if !self.allows(&call.user, &attempt) {
                let verb = format!("impersonate-on:user-info:{verb}");
                return Err(Failure::forbidden(&call.user.name, &verb, &target));
            }
            let groups = headers.get_all("impersonate-group").iter();
            let groups = groups.filter_map(|group| group.to_str().ok()).chain(["system:authenticated"]);
            call.user = User { name: impersonated, groups: groups.map(str::to_owned).collect() };
        }
        let attempt = Attempt {
            verb,
            group: &target.group,
            resource: &target.plural_and_subresource(),
            namespace: &target.namespace,
            name: &target.name,
        };
        if self.allows(&call.user, &attempt) {
            return Ok(());
        }
        let target = if call.verb() == "create" { Target { name: String::new(), ..target } } else { target };
        Err(Failure::forbidden(&call.user.name, verb, &target))
    }

    pub(crate) fn allows(&self, user: &User, attempt: &Attempt<'_>) -> bool {
        if user.groups.iter().any(|group| group == "system:masters") {
            return true;
        }
        // Like the role system:basic-user of every cluster.
        let about_oneself =
            matches!(attempt.resource, "selfsubjectaccessreviews" | "selfsubjectrulesreviews");
        if about_oneself && attempt.verb == "create" {
            return user.name != "system:anonymous";
        }
        self.rules(user, attempt.namespace).iter().any(|rule| allows(rule, attempt))
    }

    /// Returns every rule for a user in a namespace, cluster-wide ones included.
    pub(crate) fn rules(&self, user: &User, namespace: &str) -> Vec<Value> {
        let of_plural = |plural: &str| format!("{plural}.{RBAC}");
        let mut rules = Vec::new();
        for ((plural, bound_in, _), binding) in &self.objects {
            let cluster_wide = *plural == of_plural("clusterrolebindings");
            let local =
                *plural == of_plural("rolebindings") && bound_in == namespace && !namespace.is_empty();
            if !(cluster_wide || local) || !binds(binding, user) {
                continue;
            }
            let role = text(binding, "/roleRef/name").to_owned();
            let key = match text(binding, "/roleRef/kind") {
                "ClusterRole" => (of_plural("clusterroles"), String::new(), role),
                _ => (of_plural("roles"), bound_in.clone(), role),
            };
            let role = self.objects.get(&key);
            rules.extend(role.and_then(|role| role["rules"].as_array()).into_iter().flatten().cloned());
        }
        rules
    }
}

/// Treats a list of the one object that a field selector names as naming it.
fn named_by_selector(call: &Call) -> Target {
    let mut target = call.target.clone();
    if target.name.is_empty() && matches!(call.verb(), "list" | "watch") {
        let named =
            call.option("fieldSelector").split(',').find_map(|part| part.strip_prefix("metadata.name="));
        named.unwrap_or_default().trim_start_matches('=').clone_into(&mut target.name);
    }
    target
}

fn binds(binding: &Value, user: &User) -> bool {
    binding["subjects"].as_array().into_iter().flatten().any(|subject| match text(subject, "/kind") {
        "User" => text(subject, "/name") == user.name,
        "Group" => user.groups.iter().any(|group| group == text(subject, "/name")),
        _ => false,
    })
}

fn allows(rule: &Value, attempt: &Attempt<'_>) -> bool {
    let lists = |field: &str, wanted: &str| {
        rule[field].as_array().into_iter().flatten().any(|item| item == "*" || item == wanted)
    };
    let named = match rule["resourceNames"].as_array() {
        Some(names) if !names.is_empty() => names.contains(&json!(attempt.name)),
        _ => true,
    };
    named
        && lists("verbs", attempt.verb)
        && lists("apiGroups", attempt.group)
        && lists("resources", attempt.resource)
}
