//! The secrets of the same name that the projects already have, by their metadata.

use std::collections::BTreeMap;

use super::copy::Evidence;
use crate::metadata::Metadata;
use crate::project::Project;

/// The projects with a secret of the name, by its maker.
#[derive(Default)]
pub(crate) struct Existing<'a> {
    /// Made by somebody else. What Run:ai does with it when the source is shared is not documented.
    pub(crate) taken: Vec<&'a Project>,
    /// Made by Run:ai's controller.
    pub(crate) runais: Vec<&'a Project>,
    /// Made by `sync`.
    pub(crate) ours: Vec<&'a Project>,
}

impl<'a> Existing<'a> {
    /// Sorts the projects. `identity` is the source's.
    pub(crate) fn of(projects: &'a [Project], namesakes: &[Metadata], identity: &str) -> Self {
        let there: BTreeMap<&str, &Metadata> =
            namesakes.iter().map(|secret| (secret.namespace.as_str(), secret)).collect();
        let mut neighbours = Self::default();
        for project in projects {
            let Some(secret) = there.get(project.namespace.as_str()) else { continue };
            match Evidence::of(secret, identity) {
                None => neighbours.taken.push(project),
                Some(Evidence::OurMark) => neighbours.ours.push(project),
                Some(Evidence::Label(_) | Evidence::Owner(_)) => neighbours.runais.push(project),
            }
        }
        neighbours
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::copy::{MARK, ORIGIN};
    use super::super::scope::CURRENT_LABEL;
    use super::*;

    #[test]
    fn a_secret_of_the_name_is_in_the_way_unless_it_is_a_copy() {
        let project = |name: &str| Project {
            name: name.into(),
            namespace: format!("runai-{name}"),
            terminating: false,
        };
        let projects = ["a", "b", "c", "d"].map(project);
        let secret = |namespace: &str, labels: Value| -> Metadata {
            let annotations = json!({ ORIGIN: "runai/hf" });
            serde_json::from_value(
                json!({"name": "hf", "namespace": namespace, "labels": labels, "annotations": annotations}),
            )
            .unwrap()
        };
        let namesakes = [
            secret("runai-a", json!({ CURRENT_LABEL: "true" })),
            secret("runai-b", json!({"app": "x"})),
            secret("runai-c", json!({ MARK: "true" })),
            secret("elsewhere", json!({})),
        ];
        let found = Existing::of(&projects, &namesakes, "runai/hf");
        let names =
            |projects: &[&Project]| projects.iter().map(|project| project.name.clone()).collect::<Vec<_>>();
        assert_eq!(
            (names(&found.runais), names(&found.taken), names(&found.ours)),
            (vec!["a".into()], vec!["b".into()], vec!["c".into()])
        );
    }
}
