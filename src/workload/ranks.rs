//! Variables of an MPI job's containers that its processes do not see.
//!
//! Open MPI starts its processes through sshd, which gives each session a fresh environment, and passes on
//! only the variables named by `-x` (Open MPI's manual, mpirun). Intel MPI and MPICH pass on all of the
//! launcher's variables.

use serde_json::Value;

use super::attachment::Attachment;
use super::kind::Kind;
use super::pod_spec::containers;
use super::tree::{list, text};
use crate::wording::list as in_words;

/// Warns of variables that MPI's processes do not see; none if all are passed on.
pub(crate) fn unseen_by_ranks(object: &Value, kind: &Kind, attachments: &[Attachment]) -> Option<String> {
    let implementation = text(&object["spec"], "mpiImplementation");
    if kind.name != "MPIJob" || !matches!(implementation, "" | "OpenMPI") {
        return None;
    }
    let passed = passed_on(object, kind);
    let unseen = attachments.iter().filter_map(|one| match one {
        Attachment::Env { variable, .. } | Attachment::PathOf { variable, .. } => Some(variable.clone()),
        Attachment::EnvAll { prefix, .. } => Some(format!("{prefix}*")),
        Attachment::Files { .. } | Attachment::ImagePull { .. } => None,
    });
    let unseen: Vec<String> = unseen.filter(|variable| !passed.contains(variable)).collect();
    let flags: Vec<_> = unseen.iter().map(|name| format!("-x {}", name.replace('*', "NAME"))).collect();
    (!unseen.is_empty()).then(|| {
        format!(
            "the processes that mpirun starts do not see {}: pass it on with mpirun {}",
            in_words(&unseen),
            flags.join(" ")
        )
    })
}

/// Returns the variables that a command line passes on with `-x NAME` or `-x NAME=VALUE`, or by Open MPI's
/// own variable for that.
fn passed_on(object: &Value, kind: &Kind) -> Vec<String> {
    let specs = kind.pod_specs(object).into_iter().filter_map(|pointer| object.pointer(&pointer));
    let containers: Vec<&Value> = specs.flat_map(containers).map(|(.., container)| container).collect();
    let words =
        containers.iter().flat_map(|container| ["command", "args"].map(|field| list(container, field)));
    let words: Vec<&str> =
        words.flatten().filter_map(Value::as_str).flat_map(str::split_whitespace).collect();
    let name =
        |word: &str| word.split('=').next().unwrap_or_default().trim_matches(['"', '\'', ';']).to_owned();
    let flags = words.windows(2).filter(|pair| pair[0] == "-x").map(|pair| name(pair[1]));
    let env = containers.iter().flat_map(|container| list(container, "env"));
    let lists = env.filter(|entry| text(entry, "name") == "OMPI_MCA_mca_base_env_list");
    flags.chain(lists.flat_map(|entry| text(entry, "value").split([';', ',']).map(name))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn unseen(launcher: &Value, more: &Value) -> Option<String> {
        let replica = |container: &Value| json!({"template": {"spec": {"containers": [container]}}});
        let mut job = json!({"spec": {"mpiReplicaSpecs": {
            "Launcher": replica(launcher), "Worker": replica(&json!({"name": "w"}))}}});
        job["spec"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let asked =
            [Attachment::env("hf", "HF_TOKEN").unwrap(), Attachment::files("hf", "/x", None).unwrap()];
        unseen_by_ranks(&job, Kind::named("mpijob").unwrap(), &asked)
    }

    #[test]
    fn a_variable_that_mpirun_does_not_pass_on_is_named_with_its_flag() {
        let plain = json!({"name": "l", "command": ["mpirun", "-np", "2", "python"]});
        assert!(unseen(&plain, &json!({})).unwrap().ends_with("mpirun -x HF_TOKEN"));
        assert!(unseen(&plain, &json!({"mpiImplementation": "OpenMPI"})).is_some());
        assert_eq!(unseen(&plain, &json!({"mpiImplementation": "Intel"})), None);
        for passed in [
            json!({"name": "l", "command": ["mpirun", "-x", "HF_TOKEN", "python"]}),
            json!({"name": "l", "command": ["sh", "-c"], "args": ["mpirun -x HF_TOKEN=1 python"]}),
            json!({"name": "l", "env": [{"name": "OMPI_MCA_mca_base_env_list", "value": "A;HF_TOKEN"}]}),
        ] {
            assert_eq!(unseen(&passed, &json!({})), None, "{passed}");
        }
        assert!(
            unseen(&json!({"name": "l", "command": ["mpirun", "-x", "HF_TOKENS"]}), &json!({})).is_some()
        );
    }

    #[test]
    fn other_kinds_start_no_ranks() {
        let asked = [Attachment::env("hf", "HF_TOKEN").unwrap()];
        assert_eq!(unseen_by_ranks(&json!({}), Kind::named("job").unwrap(), &asked), None);
        assert!(unseen_by_ranks(&json!({"spec": 1}), Kind::named("mpijob").unwrap(), &asked).is_some());
    }
}
