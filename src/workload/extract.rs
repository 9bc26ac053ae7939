//! Moves plain values of variables into secrets: takes them out of an object, and puts references in their place.
//!
//! The value leaves the object as a [`SecretValue`]; nothing here repeats it.

use std::fmt::Write;

use serde_json::Value;

use super::attach::{Difference, display_name, parts, place_in_words, refer};
use super::attachment::{Attachment, Effect};
use super::containers::{ContainerChoice, check_named};
use super::environment::check_no_container;
use super::expansion::{referred, unescaped};
use super::kind::{Kind, OnChange, Shape, Version};
use super::pod_spec::Role;
use super::tree::{list, text};
use crate::error::{Error, Result};
use crate::metadata::LAST_APPLIED;
use crate::printable::printable;
use crate::secret::{SecretValue, may_be_told};
use crate::wording::{few, nearest};

/// The least length of a value that is looked for elsewhere in an object: a shorter one may be there by chance.
const LEAST_SOUGHT: usize = 8;

/// How Run:ai's own workloads refer to a key of a secret.
const REFERENCE: &str = "SECRET:";

/// The revisions that a `StatefulSet` and a `DaemonSet` keep of themselves.
static CONTROLLER_REVISION: Kind = Kind {
    group: "apps",
    version: Version::BuiltIn("v1"),
    name: "ControllerRevision",
    plural: "controllerrevisions",
    singular: "controllerrevision",
    short_names: &[],
    shape: Shape::PodSpecs(&["/data/spec/template/spec"]),
    on_change: OnChange::UpToController,
};

/// A variable, and the key that is to hold its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) variable: String,
    pub(crate) secret: String,
    pub(crate) key: String,
}

/// What a variable holds.
pub(crate) enum Held {
    Value(SecretValue),
    /// A key of a secret already.
    Reference {
        secret: String,
        key: String,
    },
}

/// A changed copy of an object; equal to the object if there was nothing to change.
pub(crate) struct Moved {
    pub(crate) object: Value,
    /// A line each.
    pub(crate) differences: Vec<String>,
}

/// An entry of a variable in a container, or in one of Run:ai's own specs.
struct Entry<'o> {
    /// A JSON pointer to it.
    pointer: String,
    variable: &'o str,
    content: &'o Value,
    container: Option<&'o str>,
    part: Option<String>,
}

/// Returns what a variable holds in the chosen containers, or in all that have it. A container that refers to a secret
/// counts only if none holds a value. None if no chosen container has it.
///
/// # Errors
/// It is set from elsewhere, it refers to other variables, or it has several values.
pub(crate) fn held(
    object: &Value,
    kind: &Kind,
    choice: &ContainerChoice,
    variable: &str,
) -> Result<Option<Held>> {
    let workload = display_name(object, kind);
    let parts = parts(object, kind)?;
    check_no_container(kind, choice)?;
    check_named(object, &parts, &workload, choice)?;
    let all = entries(object, kind, choice);
    let meant: Vec<_> = all.iter().filter(|one| one.variable == variable).collect();
    if meant.is_empty() {
        return Ok(None);
    }
    let plain: Vec<_> = meant.iter().filter(|one| one.is_plain()).collect();
    let Some(first) = plain.first() else {
        let reference = meant.iter().rev().find_map(|one| one.reference());
        return reference.map(|(secret, key)| Some(Held::Reference { secret, key })).ok_or_else(|| {
            Error::failed(format!("env {variable} of {workload} has no value of its own to move"))
        });
    };
    if let Some(other) = plain.iter().find(|other| other.value() != first.value()) {
        let place = |one: &Entry<'_>| place_in_words(one.container, one.part.as_deref());
        let (one, other) = (place(first), place(other));
        return Err(Error::failed(format!(
            "env {variable} of {workload} has different values:{one}, and{other}"
        ))
        .hint("choose with -c CONTAINER, and move each into a key of its own: --extract VAR=SECRET,KEY"));
    }
    let users = referred(first.value());
    if !users.is_empty() {
        return Err(Error::failed(format!(
            "env {variable} of {workload} refers to other variables, and the value of a secret can't"
        ))
        .hint("move those that it refers to, and leave it as it is"));
    }
    Ok(Some(Held::Value(SecretValue::from_bytes(unescaped(first.value())))))
}

/// Puts references in the place of values, also in what `kubectl apply` has kept of the object.
///
/// # Errors
/// The object is malformed.
pub(crate) fn moved(object: &Value, kind: &Kind, choice: &ContainerChoice, moves: &[Move]) -> Result<Moved> {
    let mut copy = object.clone();
    let mut differences = Vec::new();
    for one in moves {
        for (container, part) in put(&mut copy, kind, choice, one) {
            let Move { variable, secret, key } = one;
            let attachment = Attachment::env_from_key(variable, secret, key)?;
            differences
                .push(Difference { attachment, container, part, effect: Effect::Replaced }.to_string());
        }
    }
    if let Some(variables) = mend_applied(&mut copy, kind, choice, moves) {
        differences
            .push(format!("what was kept of it when it was applied refers to the secret too: {variables}"));
    }
    Ok(Moved { object: copy, differences })
}

/// Replaces the values of a variable, and returns the containers and parts in which that was done.
fn put(
    object: &mut Value,
    kind: &Kind,
    choice: &ContainerChoice,
    one: &Move,
) -> Vec<(Option<String>, Option<String>)> {
    let Move { variable, secret, key } = one;
    let all = entries(object, kind, choice).into_iter();
    let meant = all.filter(|entry| entry.variable == variable && entry.is_plain());
    let places: Vec<_> =
        meant.map(|entry| (entry.pointer, entry.container.map(str::to_owned), entry.part)).collect();
    let mut done = Vec::new();
    for (pointer, container, part) in places {
        if let Some(entry) = object.pointer_mut(&pointer) {
            refer(entry, kind, (variable, secret, key));
            done.push((container, part));
        }
    }
    done
}

/// Replaces the values in the annotation of `kubectl apply`, and names the variables; none if nothing was to do.
fn mend_applied(object: &mut Value, kind: &Kind, choice: &ContainerChoice, moves: &[Move]) -> Option<String> {
    let kept = object.pointer_mut("/metadata/annotations")?.get_mut(LAST_APPLIED)?;
    let text = kept.as_str()?;
    let mut applied = serde_json::from_str::<Value>(text).ok()?;
    let mut mended = |one: &&Move| !put(&mut applied, kind, choice, one).is_empty();
    let variables: Vec<&str> = moves.iter().filter(&mut mended).map(|one| one.variable.as_str()).collect();
    if variables.is_empty() {
        return None;
    }
    // kubectl ends it with a newline.
    *kept = format!("{applied}{}", if text.ends_with('\n') { "\n" } else { "" }).into();
    Some(few(&variables))
}

/// Returns where else in an object a value stands, as paths of fields.
pub(crate) fn still_in(object: &Value, value: &SecretValue) -> Vec<String> {
    let Ok(sought) = std::str::from_utf8(value.expose()) else { return Vec::new() };
    let mut found = Vec::new();
    if sought.len() >= LEAST_SOUGHT {
        look_for(sought, object, &mut String::new(), &mut found);
    }
    found
}

fn look_for(sought: &str, tree: &Value, path: &mut String, found: &mut Vec<String>) {
    let length = path.len();
    match tree {
        Value::String(text) if text.contains(sought) && !path.contains(sought) => {
            found.push(printable(path.trim_start_matches('.')).into_owned());
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let _ = write!(path, "[{index}]");
                look_for(sought, item, path, found);
                path.truncate(length);
            }
        }
        Value::Object(map) => {
            for (field, item) in map {
                path.push('.');
                path.push_str(field);
                look_for(sought, item, path, found);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

/// Returns the kind of the earlier revisions that a workload keeps of itself.
pub(crate) fn kind_of_revisions(kind: &Kind) -> Option<&'static Kind> {
    match (kind.group, kind.name) {
        ("apps", "Deployment") => Kind::named("replicaset").ok(),
        ("apps", "StatefulSet" | "DaemonSet") => Some(&CONTROLLER_REVISION),
        _ => None,
    }
}

/// Returns the program that deployed an object, and would deploy it again as it was.
pub(crate) fn deployed_by(object: &Value) -> Option<&'static str> {
    let metadata = &object["metadata"];
    let maps = ["labels", "annotations"].map(|field| metadata[field].as_object());
    let mut keys = maps.into_iter().flatten().flat_map(|map| map.keys());
    if text(&metadata["labels"], "app.kubernetes.io/managed-by") == "Helm" {
        return Some("Helm");
    }
    keys.find_map(|key| match key.split_once('/')?.0 {
        "argocd.argoproj.io" => Some("Argo CD"),
        "meta.helm.sh" => Some("Helm"),
        domain if domain == "fluxcd.io" || domain.ends_with(".fluxcd.io") => Some("Flux"),
        _ => None,
    })
}

/// Returns the names of variables that hold values of their own, each once.
pub(crate) fn plain_variables(object: &Value, kind: &Kind) -> Vec<String> {
    let all = entries(object, kind, &ContainerChoice::All).into_iter();
    let plain = all.filter(|entry| entry.is_plain() && may_be_told(entry.variable));
    super::distinct::distinct(plain.map(|entry| entry.variable.to_owned()).collect())
}

/// Builds the error that no chosen container has a variable. It names those that could be meant.
pub(crate) fn no_variable(object: &Value, kind: &Kind, choice: &ContainerChoice, variable: &str) -> Error {
    let all = entries(object, kind, choice);
    let error = Error::failed(format!("{} has no env {variable}", display_name(object, kind)));
    let names =
        all.iter().filter(|one| one.is_plain()).map(|one| one.variable).filter(|name| may_be_told(name));
    let names = super::distinct::distinct(names.collect());
    let error = match nearest(variable, names.iter().copied()) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error,
    };
    if names.is_empty() { error } else { error.hint(format!("it has values for {}", few(&names))) }
}

/// Returns the variables in the chosen containers, or in all.
fn entries<'o>(object: &'o Value, kind: &Kind, choice: &ContainerChoice) -> Vec<Entry<'o>> {
    let mut found = Vec::new();
    for super::kind::Part { pointer, name: part } in kind.parts(object) {
        let Some(spec) = object.pointer(&pointer) else { continue };
        match kind.shape {
            Shape::Accounts(_) => {}
            Shape::Environments(_) => {
                let items = spec["environment"]["items"].as_object().into_iter().flatten();
                found.extend(items.map(|(variable, entry)| {
                    let step = variable.replace('~', "~0").replace('/', "~1");
                    let pointer = format!("{pointer}/environment/items/{step}");
                    Entry { pointer, variable, content: entry, container: None, part: part.clone() }
                }));
            }
            Shape::PodSpecs(_) => {
                for role in [Role::Init, Role::Regular] {
                    for (at, container) in list(spec, role.field()).iter().enumerate() {
                        let name = text(container, "name");
                        if matches!(choice, ContainerChoice::Named(names) if !names.iter().any(|one| one == name))
                        {
                            continue;
                        }
                        found.extend(list(container, "env").iter().enumerate().map(|(index, entry)| Entry {
                            pointer: format!("{pointer}/{}/{at}/env/{index}", role.field()),
                            variable: text(entry, "name"),
                            content: entry,
                            container: Some(name),
                            part: part.clone(),
                        }));
                    }
                }
            }
        }
    }
    found
}

impl<'o> Entry<'o> {
    fn value(&self) -> &'o str {
        text(self.content, "value")
    }

    fn is_plain(&self) -> bool {
        let is_reference = self.container.is_none() && self.value().starts_with(REFERENCE);
        !self.value().is_empty() && !is_reference
    }

    /// Returns the secret and the key that it refers to.
    fn reference(&self) -> Option<(String, String)> {
        let selector = &self.content["valueFrom"]["secretKeyRef"];
        let (secret, key) = match self.value().strip_prefix(REFERENCE) {
            Some(rest) if self.container.is_none() => rest.split_once(',')?,
            _ => (text(selector, "name"), text(selector, "key")),
        };
        (!secret.is_empty() && !key.is_empty()).then(|| (secret.to_owned(), key.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(containers: &Value) -> Value {
        json!({"metadata": {"name": "w"}, "spec": {"template": {"spec": {"containers": containers}}}})
    }

    fn job() -> &'static Kind {
        Kind::named("job").unwrap()
    }

    fn value(object: &Value, kind: &Kind, choice: &ContainerChoice, variable: &str) -> Result<String> {
        held(object, kind, choice, variable)?.map_or_else(
            || Err(no_variable(object, kind, choice, variable)),
            |held| match held {
                Held::Value(value) => Ok(String::from_utf8(value.expose().to_vec()).unwrap()),
                Held::Reference { secret, key } => Ok(format!("SECRET:{secret},{key}")),
            },
        )
    }

    fn plain(variable: &str, value: &str) -> Value {
        json!({"name": variable, "value": value})
    }

    fn to_hf() -> Vec<Move> {
        vec![Move { variable: "A".into(), secret: "hf".into(), key: "A".into() }]
    }

    #[test]
    fn equal_values_are_one_and_different_ones_are_not() {
        let of = |a: &str, b: &str| {
            pod(&json!([{"name": "one", "env": [plain("A", a)]}, {"name": "two", "env": [plain("A", b)]},
                {"name": "three"}]))
        };
        let all = ContainerChoice::Only;
        assert_eq!(value(&of("x", "x"), job(), &all, "A").unwrap(), "x");
        let refused = value(&of("x-value", "y-value"), job(), &all, "A").unwrap_err().to_string();
        assert!(refused.contains("different values: in container one, and in container two"), "{refused}");
        assert!(refused.contains("-c CONTAINER") && !refused.contains("-value"), "{refused}");
        let two = ContainerChoice::Named(vec!["two".to_owned()]);
        assert_eq!(value(&of("x", "y"), job(), &two, "A").unwrap(), "y");
    }

    #[test]
    fn the_value_is_what_the_container_saw() {
        for (written, seen) in
            [("a$$b", "a$b"), ("$$(A)", "$(A)"), ("a$b$", "a$b$"), ("$$$$", "$$"), ("$(x", "$(x")]
        {
            let object = pod(&json!([{"name": "main", "env": [plain("A", written)]}]));
            assert_eq!(value(&object, job(), &ContainerChoice::Only, "A").unwrap(), seen, "{written}");
        }
        let object = pod(&json!([{"name": "main", "env": [plain("A", "u:$(PW)@db")]}]));
        let refused = value(&object, job(), &ContainerChoice::Only, "A").unwrap_err().to_string();
        assert!(refused.contains("refers to other variables") && !refused.contains("u:"), "{refused}");
    }

    #[test]
    fn what_has_no_value_is_said_to_have_none() {
        let object = pod(&json!([{"name": "main", "env": [plain("HF_TOKEN", "x-value"),
            {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "s", "key": "k"}}}]}]));
        let of = |variable: &str| value(&object, job(), &ContainerChoice::Only, variable);
        assert_eq!(of("B").unwrap(), "SECRET:s,k");
        assert!(of("C").unwrap_err().to_string().contains("no value of its own"));
        let missing = of("HF_TOKNE").unwrap_err().to_string();
        assert!(
            missing.contains("has no env HF_TOKNE") && missing.contains("did you mean HF_TOKEN?"),
            "{missing}"
        );
        assert!(!missing.contains("x-value"));
    }

    #[test]
    fn only_the_containers_that_hold_the_value_get_the_reference() {
        let kind = Kind::named("pytorchjob").unwrap();
        let replica =
            |env: Value| json!({"template": {"spec": {"containers": [{"name": "pytorch", "env": env}]}}});
        let replicas = json!({"Master": replica(json!([plain("A", "x"), plain("B", "y")])), "Worker": replica(json!([]))});
        let object = json!({"metadata": {"name": "w"}, "spec": {"pytorchReplicaSpecs": replicas}});
        let Moved { object, differences } = moved(&object, kind, &ContainerChoice::Only, &to_hf()).unwrap();
        assert_eq!(
            differences,
            ["env A ← SECRET:hf,A in container pytorch of Master (replaces what was there)"]
        );
        let reference = json!({"name": "A", "valueFrom": {"secretKeyRef": {"name": "hf", "key": "A"}}});
        let replicas = &object["spec"]["pytorchReplicaSpecs"];
        let env = |replica: &str| replicas[replica]["template"]["spec"]["containers"][0]["env"].clone();
        assert_eq!((env("Master"), env("Worker")), (json!([reference, plain("B", "y")]), json!([])));
    }

    #[test]
    fn a_workload_of_run_ai_gets_its_own_form() {
        let kind = Kind::named("trainingworkload").unwrap();
        let items = json!({"A": {"value": "x"}, "B": {"value": "SECRET:s,k"}});
        let object = json!({"metadata": {"name": "w"}, "spec": {"environment": {"items": items}}});
        assert_eq!(value(&object, kind, &ContainerChoice::Only, "A").unwrap(), "x");
        assert_eq!(value(&object, kind, &ContainerChoice::Only, "B").unwrap(), "SECRET:s,k");
        let object = moved(&object, kind, &ContainerChoice::Only, &to_hf()).unwrap().object;
        assert_eq!(object["spec"]["environment"]["items"]["A"], json!({"value": "SECRET:hf,A"}));
    }

    #[test]
    fn what_kubectl_apply_has_kept_is_mended_whatever_the_object_has() {
        let kept = pod(&json!([{"name": "main", "env": [plain("A", "older")]}]));
        for env in [json!([plain("A", "x")]), json!([])] {
            let mut object = pod(&json!([{"name": "main", "env": env}]));
            object["metadata"]["annotations"] = json!({LAST_APPLIED: format!("{kept}\n")});
            let moved = moved(&object, job(), &ContainerChoice::Only, &to_hf()).unwrap();
            let text = moved.object["metadata"]["annotations"][LAST_APPLIED].as_str().unwrap();
            assert!(
                text.ends_with("}\n") && !text.contains("older") && text.contains("secretKeyRef"),
                "{text}"
            );
            let last = moved.differences.last().unwrap();
            assert_eq!(last, "what was kept of it when it was applied refers to the secret too: A");
        }
    }

    #[test]
    fn other_places_of_a_value_are_named() {
        let object = json!({"metadata": {"annotations": {"runai-cli-command": "submit -e A=long-value"}},
            "spec": {"args": ["--a", "--b=long-value"], "name": "short"}});
        let of = |value: &str| still_in(&object, &SecretValue::from_bytes(value.as_bytes().to_vec()));
        assert_eq!(of("long-value"), ["metadata.annotations.runai-cli-command", "spec.args[1]"]);
        assert_eq!(of("short"), [""; 0]);
    }

    #[test]
    fn who_deployed_an_object_is_told_by_its_marks() {
        let of =
            |field: &str, key: &str, value: &str| deployed_by(&json!({"metadata": {field: {key: value}}}));
        assert_eq!(of("labels", "app.kubernetes.io/managed-by", "Helm"), Some("Helm"));
        assert_eq!(of("annotations", "argocd.argoproj.io/tracking-id", "x"), Some("Argo CD"));
        assert_eq!(of("labels", "kustomize.toolkit.fluxcd.io/name", "x"), Some("Flux"));
        assert_eq!(of("labels", "app", "x"), None);
    }
}
