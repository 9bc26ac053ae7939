//! Finds references to secrets in objects of any kind, by the forms that operators use.
//!
//! Kinds that are not in the table still say `secretKeyRef`, `secretName` or `authSecret`: their authors copied
//! the API's own types. That it is a reference is likely, not certain: a `clientSecret` may as well be the
//! secret itself. So a reference from here counts only if a secret of that name is known to exist, or was
//! asked for; otherwise its name is neither shown nor looked up.

use serde_json::{Map, Value};

use super::{Place, Reference, Way};
use crate::secret::{is_key, is_subdomain};
use crate::workload::attachment::Need;
use crate::workload::tree::text;

/// The ends of names of fields that hold a secret's name, a map with it, or a list of either, as [`plain`]
/// writes them.
const ENDS: [&str; 8] = [
    "secret",
    "secretname",
    "secretref",
    "secretrefname",
    "secretkeyref",
    "secretreference",
    "secretkeyselector",
    "secretselector",
];

/// The fields of an object that do not say what its author wants.
pub(super) const SKIPPED: [&str; 4] = ["apiVersion", "kind", "metadata", "status"];

/// The longest place that is written out; of a longer one only the beginning is.
const LONGEST: usize = 200;

/// Returns every likely reference in an object, in order, without the parts that were `read` already.
pub(super) fn references(object: &Value, read: &[&Value]) -> Vec<Reference> {
    let namespace = text(&object["metadata"], "namespace");
    let mut search = Search { namespace, read, found: Vec::new() };
    let fields = object.as_object().into_iter().flatten();
    for (name, value) in fields.filter(|(name, _)| !SKIPPED.contains(&name.as_str())) {
        search.field(name, value, name);
    }
    search.found
}

/// Returns every likely reference in the annotations of an ingress, by which controllers take what its spec has no field
/// for: `nginx.ingress.kubernetes.io/auth-secret: NAME`, or `NAMESPACE/NAME`; some hold JSON.
pub(super) fn in_annotations(object: &Value) -> Vec<Reference> {
    let metadata = &object["metadata"];
    let mut search = Search { namespace: text(metadata, "namespace"), read: &[], found: Vec::new() };
    for (key, value) in metadata["annotations"].as_object().into_iter().flatten() {
        let (name, word) = (key.rsplit('/').next().unwrap_or(key), value.as_str().unwrap_or_default());
        let at = below("metadata.annotations", &format!("[{key}]"));
        match serde_json::from_str::<Value>(word) {
            Ok(fields @ Value::Object(_)) => search.field(name, &fields, &at),
            _ => match word.split_once('/') {
                Some((namespace, word)) if namespace == search.namespace => search.word(name, word, &at),
                Some(_) => {}
                None => search.word(name, word, &at),
            },
        }
    }
    search.found
}

struct Search<'a> {
    namespace: &'a str,
    read: &'a [&'a Value],
    found: Vec<Reference>,
}

impl Search<'_> {
    /// Looks at what stands in a field, or at one item of the list that does.
    fn field(&mut self, name: &str, value: &Value, at: &str) {
        if self.read.iter().any(|part| std::ptr::eq(*part, value)) {
            return;
        }
        match value {
            Value::String(text) => self.word(name, text, at),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.field(name, item, &below(at, &format!("[{index}]")));
                }
            }
            Value::Object(fields) => {
                self.map(name, fields, at);
                for (field, value) in fields {
                    self.field(field, value, &below(at, &format!(".{field}")));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Takes a text for a name in a field that is for one, and Run:ai's own form for a reference anywhere.
    fn word(&mut self, name: &str, word: &str, at: &str) {
        if let Some((secret, key)) = word.strip_prefix("SECRET:").and_then(|rest| rest.split_once(',')) {
            self.add(secret, Some(key), Need::Required, at);
        } else if is_for_secrets(name) {
            self.add(word, None, Need::Required, at);
        }
    }

    fn map(&mut self, name: &str, fields: &Map<String, Value>, at: &str) {
        let word = |field: &str| fields.get(field).and_then(Value::as_str).unwrap_or_default();
        let is_selector = is_selector(fields);
        let is_elsewhere = !word("namespace").is_empty() && word("namespace") != self.namespace;
        let is_reference =
            is_for_secrets(name) || is_a_secret(fields) || is_selector && !plain(name).contains("configmap");
        if is_elsewhere || !is_reference {
            return;
        }
        let is_optional = fields.get("optional") == Some(&Value::Bool(true));
        let need = if is_optional { Need::Optional } else { Need::Required };
        let key = Some(word("key")).filter(|_| is_selector);
        self.add(word("name"), key, need, at);
    }

    fn add(&mut self, secret: &str, key: Option<&str>, need: Need, at: &str) {
        if !is_subdomain(secret) || key.is_some_and(|key| !is_key(key)) {
            return;
        }
        let way = Way::Probable { field: at.to_owned(), key: key.map(str::to_owned) };
        self.found.push(Reference { secret: secret.to_owned(), place: Place::Whole, way, need });
    }
}

fn below(at: &str, step: &str) -> String {
    if at.len() + step.len() > LONGEST { at.to_owned() } else { format!("{at}{step}") }
}

/// Returns the same word for `imagePullSecrets` and `image_pull_secrets`.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_')).map(|c| c.to_ascii_lowercase()).collect()
}

pub(super) fn is_for_secrets(name: &str) -> bool {
    let name = plain(name);
    let name = name.strip_suffix('s').unwrap_or(&name);
    ENDS.iter().any(|end| name.ends_with(end))
}

/// Returns true for a reference that names the kind of its object.
fn is_a_secret(fields: &Map<String, Value>) -> bool {
    let word = |field: &str| fields.get(field).and_then(Value::as_str).unwrap_or_default();
    word("kind") == "Secret" && word("group").is_empty() && matches!(word("apiVersion"), "" | "v1")
}

/// The fields of the API's `SecretKeySelector`.
const SELECTOR: [&str; 4] = ["name", "key", "optional", "namespace"];

/// Returns true if an object, or its schema, has those fields and no others.
pub(super) fn has_fields_of_selector(fields: &Map<String, Value>) -> bool {
    fields.contains_key("name")
        && fields.contains_key("key")
        && fields.keys().all(|field| SELECTOR.contains(&field.as_str()))
}

/// Returns true for the API's `SecretKeySelector`, whatever its field is called.
fn is_selector(fields: &Map<String, Value>) -> bool {
    let has = |field: &str| fields.get(field).is_some_and(Value::is_string);
    has("name") && has("key") && has_fields_of_selector(fields)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn found(spec: &Value) -> Vec<String> {
        let object = json!({"metadata": {"namespace": "ns", "annotations": {"secretName": "x"}}, "spec": spec,
            "status": {"secretRef": {"name": "x"}}});
        let shown = |reference: &Reference| {
            let optional = if reference.need == Need::Optional { " optional" } else { "" };
            format!("{} {}{}{optional}", reference.way, reference.secret, reference.way.keys().concat())
        };
        references(&object, &[]).iter().map(shown).collect()
    }

    #[test]
    fn the_forms_that_operators_use_are_known() {
        let selector = json!({"name": "s", "key": "k"});
        for (spec, field, key) in [
            (json!({"foo": {"bar": {"secretKeyRef": selector}}}), "foo.bar.secretKeyRef", "k"),
            (json!({"auth": {"secretRef": {"name": "s"}}}), "auth.secretRef", ""),
            (json!({"envFrom": [{"secretRef": {"name": "s"}}]}), "envFrom[0].secretRef", ""),
            (json!({"tokenSecretRef": selector}), "tokenSecretRef", "k"),
            (json!({"authSecret": "s"}), "authSecret", ""),
            (json!({"envFromSecret": "s"}), "envFromSecret", ""),
            (json!({"image": {"pullSecrets": ["s"]}}), "image.pullSecrets[0]", ""),
            (json!({"imagePullSecrets": [{"name": "s"}]}), "imagePullSecrets[0]", ""),
            (json!({"pullSecret": "s"}), "pullSecret", ""),
            (json!({"tls": {"secretName": "s"}}), "tls.secretName", ""),
            (json!({"volumes": [{"secret": {"secretName": "s"}}]}), "volumes[0].secret.secretName", ""),
            (json!({"sources": [{"secret": {"name": "s", "items": []}}]}), "sources[0].secret", ""),
            (json!({"secret": "s"}), "secret", ""),
            (json!({"values": {"existing_secret": "s", "a": 1}}), "values.existing_secret", ""),
            (json!({"password": {"secretName": "s", "password": "k"}}), "password.secretName", ""),
            (json!({"basicAuth": {"username": selector}}), "basicAuth.username", "k"),
            (json!({"slurmKeyRef": selector}), "slurmKeyRef", "k"),
            (
                json!({"certificateRefs": [{"kind": "Secret", "group": "", "name": "s"}]}),
                "certificateRefs[0]",
                "",
            ),
            (json!({"valuesFrom": [{"kind": "Secret", "name": "s"}]}), "valuesFrom[0]", ""),
            (json!({"envSecretRefName": "s"}), "envSecretRefName", ""),
            (
                json!({"environment": {"items": {"A": {"value": "SECRET:s,k"}}}}),
                "environment.items.A.value",
                "k",
            ),
            (json!({"secretRef": {"name": "s", "namespace": "ns"}}), "secretRef", ""),
        ] {
            assert_eq!(found(&spec), [format!("spec.{field} (probable) s{key}")], "{spec}");
        }
        assert_eq!(
            found(&json!({"tokenSecretRef": {"name": "s", "key": "k", "optional": true}})),
            ["spec.tokenSecretRef (probable) sk optional"]
        );
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        let selector = json!({"name": "s", "key": "k"});
        for spec in [
            json!({"configMapKeyRef": selector, "configMap": selector, "config_map": selector}),
            json!({"secretStoreRef": {"name": "s", "kind": "SecretStore"}, "secretKey": "s"}),
            json!({"name": "s", "kind": "Secret", "group": "example.com"}),
            json!({"valuesFrom": [{"kind": "ConfigMap", "name": "s"}]}),
            json!({"tolerations": [{"key": "k", "operator": "Exists"}], "ports": [{"name": "s", "port": 1}]}),
            json!({"clientSecret": "Hunter 2", "secretName": 1, "secretRef": {"key": "k"}, "secrets": [null, []]}),
            json!({"secretRef": {"name": "s", "namespace": "other"}}),
            json!({"value": "SECRET:s", "other": "SECRET:S,k"}),
        ] {
            assert_eq!(found(&spec), Vec::<String>::new(), "{spec}");
        }
    }

    #[test]
    fn an_ingress_refers_to_secrets_in_annotations_of_its_controller() {
        let found = |key: &str, value: &str| {
            let object = json!({"metadata": {"namespace": "ns", "annotations": {"a": "b", (key): value}}});
            in_annotations(&object)
                .into_iter()
                .map(|one| (one.way.to_string(), one.secret))
                .collect::<Vec<_>>()
        };
        for (key, value) in [
            ("nginx.ingress.kubernetes.io/auth-secret", "s"),
            ("nginx.ingress.kubernetes.io/auth-tls-secret", "ns/s"),
            ("nginx.ingress.kubernetes.io/proxy-ssl-secret", "ns/s"),
            ("nginx.org/basic-auth-secret", "s"),
            ("haproxy.org/auth-secret", "ns/s"),
        ] {
            let way = format!("metadata.annotations[{key}] (probable)");
            assert_eq!(found(key, value), [(way, "s".to_owned())], "{key}");
        }
        let oidc = found("alb.ingress.kubernetes.io/auth-idp-oidc", r#"{"issuer":"x","secretName":"s"}"#);
        assert_eq!(oidc.len(), 1, "{oidc:?}");
        for (key, value) in [
            ("nginx.ingress.kubernetes.io/auth-tls-secret", "other/s"),
            ("nginx.ingress.kubernetes.io/auth-secret-type", "auth-file"),
            ("nginx.ingress.kubernetes.io/auth-realm", "s"),
            ("nginx.ingress.kubernetes.io/auth-secret", "Hunter 2"),
            ("nginx.ingress.kubernetes.io/auth-secret", ""),
        ] {
            assert_eq!(found(key, value), [], "{key}: {value}");
        }
    }

    #[test]
    fn what_was_read_already_is_not_read_again() {
        let object = json!({"spec": {"template": {"secretName": "a"}, "other": {"secretName": "b"}}});
        let found = references(&object, &[&object["spec"]["template"]]);
        assert_eq!(found.iter().map(|one| one.secret.as_str()).collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn however_deep_it_stands_its_place_is_short() {
        let mut spec = json!({"secretName": "s"});
        for _ in 0..100 {
            spec = json!({ "abcdefghi": spec });
        }
        let found = found(&spec);
        assert!(found.len() == 1 && found[0].len() < LONGEST + 20, "{found:?}");
    }

    fn tree() -> impl Strategy<Value = Value> {
        let word = "(secret|SECRET:|s,k|name|Secret|\\PC){0,3}";
        let leaf =
            prop_oneof![Just(Value::Null), word.prop_map(Value::from), any::<i64>().prop_map(Value::from)];
        let field = prop_oneof![
            Just("secretRef"),
            Just("name"),
            Just("key"),
            Just("kind"),
            Just("namespace"),
            Just("secrets"),
            Just("é_")
        ];
        leaf.prop_recursive(6, 40, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((field.clone(), inner), 0..4).prop_map(|fields| fields
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_tree_is_searched_without_a_panic_and_gives_names_of_secrets_alone(tree in tree()) {
            let object = json!({"metadata": tree, "spec": tree});
            for object in [&tree, &object] {
                prop_assert!(references(object, &[]).iter().all(|one| is_subdomain(&one.secret)));
            }
        }
    }
}
