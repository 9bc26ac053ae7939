//! Credentials in plain text in an object: everybody who may read the workload may read them, and so may its old
//! versions and the copy that `kubectl apply` keeps.

use std::fmt;

use serde_json::Value;

use super::attach::place_in_words;
use super::distinct::distinct;
use super::kind::{Kind, Part, Shape};
use super::pod_spec::containers;
use super::tree::{list, text};
use crate::metadata::LAST_APPLIED;
use crate::secret::{Suspicion, in_words, may_be_told, suspicion};

/// The fields of Run:ai's own workloads that are commands, each one text.
const COMMANDS: [&str; 2] = ["command", "arguments"];

/// One credential in plain text, told without its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Plaintext {
    pub(crate) spot: Spot,
    pub(crate) why: Suspicion,
    /// None in Run:ai's own workloads, which have no containers.
    container: Option<String>,
    /// The object's part, if there are several.
    part: Option<String>,
}

/// Where it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Spot {
    /// The value of a variable.
    Variable(String),
    /// A word of a command, after this flag or variable.
    Words { field: &'static str, name: Option<String> },
    /// A variable in what `kubectl apply` has kept; the object itself has it no more.
    Applied(String),
}

/// A place for variables and commands: a container, or one of Run:ai's own specs.
struct Site<'o> {
    container: Option<&'o str>,
    part: Option<String>,
    variables: Vec<(&'o str, &'o str)>,
    commands: Vec<(&'static str, Vec<&'o str>)>,
}

/// Returns every credential in plain text that an object shows, each once.
pub(crate) fn plaintext(object: &Value, kind: &Kind) -> Vec<Plaintext> {
    let mut found = in_object(object, kind);
    let applied = object["metadata"]["annotations"][LAST_APPLIED].as_str();
    let applied = applied.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let kept = applied.map(|applied| in_object(&applied, kind)).unwrap_or_default();
    for one in kept {
        if !found.contains(&one)
            && let Spot::Variable(variable) = one.spot
        {
            found.push(Plaintext { spot: Spot::Applied(variable), ..one });
        }
    }
    found
}

fn in_object(object: &Value, kind: &Kind) -> Vec<Plaintext> {
    let mut found = Vec::new();
    for Site { container, part, variables, commands } in sites(object, kind) {
        let mut note = |spot, why| {
            let container = container.map(str::to_owned);
            found.push(Plaintext { container, part: part.clone(), spot, why });
        };
        for (variable, value) in variables {
            if let Some(why) = suspicion(variable, value) {
                note(Spot::Variable(variable.to_owned()), why);
            }
        }
        for (field, words) in commands {
            for (name, why) in in_words(words) {
                note(Spot::Words { field, name: name.map(str::to_owned) }, why);
            }
        }
    }
    distinct(found)
}

fn sites<'o>(object: &'o Value, kind: &Kind) -> Vec<Site<'o>> {
    let mut sites = Vec::new();
    for Part { pointer, name } in kind.parts(object) {
        let Some(spec) = object.pointer(&pointer) else { continue };
        match kind.shape {
            Shape::PodSpecs(_) => sites.extend(containers(spec).map(|(_, _, container)| {
                Site {
                    container: Some(text(container, "name")),
                    part: name.clone(),
                    variables: list(container, "env")
                        .iter()
                        .map(|entry| (text(entry, "name"), text(entry, "value")))
                        .collect(),
                    commands: ["command", "args"].map(|field| (field, words(container, field))).into(),
                }
            })),
            Shape::Accounts(_) => {}
            Shape::Environments(_) => sites.push(Site {
                container: None,
                part: name,
                variables: items(spec),
                commands: COMMANDS.map(|field| (field, vec![text(&spec[field], "value")])).into(),
            }),
        }
    }
    sites
}

fn words<'o>(container: &'o Value, field: &str) -> Vec<&'o str> {
    list(container, field).iter().filter_map(Value::as_str).collect()
}

fn items(spec: &Value) -> Vec<(&str, &str)> {
    let items = spec["environment"]["items"].as_object().into_iter().flatten();
    items.map(|(variable, item)| (variable.as_str(), text(item, "value"))).collect()
}

impl Plaintext {
    /// Returns the variable that can be moved into a secret.
    pub(crate) fn variable(&self) -> Option<&str> {
        match &self.spot {
            Spot::Variable(variable) | Spot::Applied(variable) => {
                Some(variable).filter(|name| may_be_told(name)).map(String::as_str)
            }
            Spot::Words { .. } => None,
        }
    }
}

/// Prints `env HF_TOKEN in container main (Hugging Face token)`, without what it holds.
impl fmt::Display for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = place_in_words(self.container.as_deref(), self.part.as_deref());
        let variable = self.variable().unwrap_or("of a name that is not shown");
        match &self.spot {
            Spot::Variable(_) => write!(f, "env {variable}{place}")?,
            Spot::Words { field, name: None } => write!(f, "{field}{place}")?,
            Spot::Words { field, name: Some(name) } => write!(f, "{name} in {field}{place}")?,
            Spot::Applied(_) => write!(f, "env {variable}{place}, in what kubectl apply has kept")?,
        }
        self.why.kind().map_or(Ok(()), |kind| write!(f, " ({kind})"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TOKEN: &str = "hf_abcdefghijklmnopqrst";

    fn found(kind: &str, object: &Value) -> Vec<String> {
        plaintext(object, Kind::named(kind).unwrap()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_container_of_every_part_is_looked_at() {
        let container = |name: &str| json!({"name": name, "env": [{"name": "HF", "value": TOKEN}]});
        let spec = json!({"initContainers": [container("i")], "containers": [container("main")]});
        let job = json!({"spec": {"template": {"spec": spec}}});
        let said =
            ["env HF in container i (Hugging Face token)", "env HF in container main (Hugging Face token)"];
        assert_eq!(found("job", &job), said);
        let replica = |name: &str| json!({"template": {"spec": {"containers": [container(name)]}}});
        let replicas = json!({"Master": replica("pytorch"), "Worker": replica("pytorch")});
        assert_eq!(
            found("pytorchjob", &json!({"spec": {"pytorchReplicaSpecs": replicas}})),
            [
                "env HF in container pytorch of Master (Hugging Face token)",
                "env HF in container pytorch of Worker (Hugging Face token)"
            ]
        );
    }

    #[test]
    fn a_workload_of_run_ai_has_variables_and_commands_of_its_own_form() {
        let environment =
            json!({"items": {"DB_PASSWORD": {"value": "hunter2"}, "B": {"value": "SECRET:s,k"}}});
        let spec =
            json!({"environment": environment, "arguments": {"value": format!("run --token {TOKEN}")}});
        assert_eq!(
            found("trainingworkload", &json!({ "spec": spec })),
            ["env DB_PASSWORD", "--token in arguments (Hugging Face token)"]
        );
    }

    #[test]
    fn what_only_the_copy_of_kubectl_apply_has_is_found_there() {
        let of = |env: Value| json!({"spec": {"containers": [{"name": "main", "env": env}]}});
        let plain = || json!([{"name": "HF", "value": TOKEN}]);
        let applied = of(plain()).to_string();
        let with = |mut object: Value| {
            object["metadata"]["annotations"][LAST_APPLIED] = applied.as_str().into();
            found("pod", &object)
        };
        assert_eq!(with(of(plain())), ["env HF in container main (Hugging Face token)"]);
        assert_eq!(
            with(of(json!([]))),
            ["env HF in container main, in what kubectl apply has kept (Hugging Face token)"]
        );
    }

    #[test]
    fn a_name_that_is_a_value_is_not_told() {
        let object = json!({"spec": {"containers": [{"name": "main", "env": [
            {"name": format!("A={TOKEN}"), "value": TOKEN}]}]}});
        assert_eq!(
            found("pod", &object),
            ["env of a name that is not shown in container main (Hugging Face token)"]
        );
    }
}
