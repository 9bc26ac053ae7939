//! Places on the server: one object, or all objects of a kind. Only here do names become part of a path.
//!
//! Names come from flags, from manifests, from pod specs that anybody wrote, and from the server. No object
//! can have a name that breaks the API's rules, so such a name is refused here and never sent: as part of a
//! path it would make another path.

use crate::secret;
use crate::workload::{Kind, Version};

/// A path, and the object or list at it.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) subject: Subject,
    pub(super) path: Result<String, Impossible>,
}

/// The subject that an answer from a place must have.
#[derive(Clone)]
pub(super) enum Subject {
    /// One object, or all of a namespace or of the cluster.
    Objects(Objects),
    /// `/version`.
    Version,
    /// All API groups.
    Groups,
    /// The schemas of a version of an API group.
    Schemas,
    /// An API group.
    Group(&'static str),
    /// The resources in a version of an API group.
    Resources { group_version: String },
}

#[derive(Clone)]
pub(super) struct Objects {
    pub(super) kind: &'static str,
    pub(super) api_version: String,
    /// The name in API paths, such as `secrets`.
    plural: &'static str,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    pub(super) defined: Defined,
}

/// The source of a kind's name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Defined {
    BuiltIn,
    /// A custom resource, whose list kind can have any name.
    Custom,
}

/// A name that no object can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Impossible {
    /// The thing that should have the name, such as `secret`.
    pub(super) what: &'static str,
    pub(super) name: String,
}

impl Place {
    /// Returns the place of the secrets of a namespace, or of all.
    pub(super) fn secrets(namespace: Option<&str>) -> Self {
        Self::core("Secret", "secrets", "secret", namespace, None)
    }

    pub(super) fn secret(namespace: &str, name: &str) -> Self {
        Self::core("Secret", "secrets", "secret", Some(namespace), Some(name))
    }

    pub(super) fn namespaces() -> Self {
        Self::core("Namespace", "namespaces", "namespace", None, None)
    }

    pub(super) fn namespace(name: &str) -> Self {
        Self::core("Namespace", "namespaces", "namespace", None, Some(name))
    }

    pub(super) fn pods(namespace: &str) -> Self {
        Self::core("Pod", "pods", "pod", Some(namespace), None)
    }

    pub(super) fn events(namespace: &str) -> Self {
        Self::core("Event", "events", "event", Some(namespace), None)
    }

    /// Returns the place of the workloads of a kind, in a version that the server has.
    pub(super) fn workloads(kind: &Kind, version: &str, namespace: Option<&str>) -> Self {
        Self::of_kind(kind, version, namespace, None)
    }

    pub(super) fn workload(kind: &Kind, version: &str, namespace: &str, name: &str) -> Self {
        Self::of_kind(kind, version, Some(namespace), Some(name))
    }

    pub(super) fn version() -> Self {
        Self { subject: Subject::Version, path: Ok("/version".to_owned()) }
    }

    pub(super) fn groups() -> Self {
        Self { subject: Subject::Groups, path: Ok("/apis".to_owned()) }
    }

    pub(super) fn schemas(group: &str, version: &str) -> Self {
        let path =
            label("version of an API", version).map(|version| format!("/openapi/v3/apis/{group}/{version}"));
        Self { subject: Subject::Schemas, path }
    }

    pub(super) fn group(group: &'static str) -> Self {
        Self { subject: Subject::Group(group), path: Ok(format!("/apis/{group}")) }
    }

    pub(super) fn resources(group: &'static str, version: &str) -> Self {
        let group_version = format!("{group}/{version}");
        let path = label("version of an API", version).map(|version| format!("/apis/{group}/{version}"));
        Self { subject: Subject::Resources { group_version }, path }
    }

    /// Returns the same place, if an object can have this name, which goes into the query.
    pub(super) fn with_name_in_query(self, what: &'static str, name: &str) -> Self {
        let path = self.path.and_then(|path| possible(what, name).map(|_| path));
        Self { path, ..self }
    }

    /// Returns the objects at this place; none if it holds none.
    pub(super) fn object(&self) -> Option<&Objects> {
        match &self.subject {
            Subject::Objects(objects) => Some(objects),
            Subject::Version
            | Subject::Groups
            | Subject::Schemas
            | Subject::Group(_)
            | Subject::Resources { .. } => None,
        }
    }

    fn core(
        kind: &'static str,
        plural: &'static str,
        singular: &'static str,
        namespace: Option<&str>,
        name: Option<&str>,
    ) -> Self {
        let path = path("/api/v1", plural, singular, namespace, name);
        let api_version = "v1".to_owned();
        let [namespace, name] = [namespace, name].map(|text| text.map(str::to_owned));
        let defined = Defined::BuiltIn;
        Self {
            subject: Subject::Objects(Objects { kind, api_version, plural, namespace, name, defined }),
            path,
        }
    }

    fn of_kind(kind: &Kind, version: &str, namespace: Option<&str>, name: Option<&str>) -> Self {
        let Kind { group, plural, singular, .. } = *kind;
        let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        let root = if group.is_empty() { "/api" } else { "/apis" };
        let path = label("version of an API", version)
            .and_then(|_| path(&format!("{root}/{api_version}"), plural, singular, namespace, name));
        let [namespace, name] = [namespace, name].map(|text| text.map(str::to_owned));
        let defined = match kind.version {
            Version::BuiltIn(_) => Defined::BuiltIn,
            Version::Known(_) | Version::Served(_) => Defined::Custom,
        };
        let kind = kind.name;
        Self {
            subject: Subject::Objects(Objects { kind, api_version, plural, namespace, name, defined }),
            path,
        }
    }
}

impl Objects {
    /// Returns `secret "x"`, or `a list of secrets`.
    pub(super) fn in_words(&self, name: Option<&str>) -> String {
        match name {
            Some(name) => format!("{} {name:?}", self.kind.to_lowercase()),
            None => format!("a list of {}", self.plural),
        }
    }

    /// Returns the unambiguous name for kubectl: `secrets`, `mpijobs.kubeflow.org`.
    pub(super) fn in_kubectl(&self) -> String {
        match self.api_version.split_once('/') {
            Some((group, _)) => format!("{}.{group}", self.plural),
            None => self.plural.to_owned(),
        }
    }
}

fn path(
    root: &str,
    plural: &str,
    singular: &'static str,
    namespace: Option<&str>,
    name: Option<&str>,
) -> Result<String, Impossible> {
    let mut path = root.to_owned();
    if let Some(namespace) = namespace {
        path = format!("{path}/namespaces/{}", label("namespace", namespace)?);
    }
    path = format!("{path}/{plural}");
    if let Some(name) = name {
        path = format!("{path}/{}", possible(singular, name)?);
    }
    Ok(path)
}

/// Returns the name if an object can have it. Names of namespaces are RFC 1123 labels; those of every other
/// kind in use are subdomains.
fn possible<'a>(what: &'static str, name: &'a str) -> Result<&'a str, Impossible> {
    match what {
        "namespace" => label(what, name),
        _ if secret::is_subdomain(name) => Ok(name),
        _ => Err(Impossible { what, name: name.to_owned() }),
    }
}

fn label<'a>(what: &'static str, name: &'a str) -> Result<&'a str, Impossible> {
    if secret::is_label(name) { Ok(name) } else { Err(Impossible { what, name: name.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(word: &str) -> &'static Kind {
        Kind::named(word).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn paths_have_group_version_namespace_and_name() {
        for (place, path) in [
            (Place::secrets(None), "/api/v1/secrets"),
            (Place::secret("ns", "a.b"), "/api/v1/namespaces/ns/secrets/a.b"),
            (Place::namespace("ns"), "/api/v1/namespaces/ns"),
            (
                Place::workloads(kind("deployment"), "v1", Some("ns")),
                "/apis/apps/v1/namespaces/ns/deployments",
            ),
            (Place::workloads(kind("job"), "v1", None), "/apis/batch/v1/jobs"),
            (Place::workload(kind("pod"), "v1", "ns", "x"), "/api/v1/namespaces/ns/pods/x"),
        ] {
            assert_eq!(place.path.as_deref(), Ok(path));
        }
    }

    #[test]
    fn a_name_that_no_object_can_have_is_no_path() {
        let long = "a".repeat(70_000);
        for name in
            ["", ".", "..", "../x", "a/b", "a b", "a?watch=true", "a#b", "a%2fb", "<x>", "A", "a\n", &long]
        {
            let expected = Impossible { what: "secret", name: name.to_owned() };
            assert_eq!(Place::secret("ns", name).path, Err(expected));
            assert!(Place::secrets(Some(name)).path.is_err(), "{name:?} as a namespace");
            assert!(Place::workload(kind("job"), "v1", "ns", name).path.is_err(), "{name:?} of a job");
            assert!(Place::workloads(kind("mpijob"), name, None).path.is_err(), "{name:?} as a version");
        }
        assert!(Place::secrets(Some("a.b")).path.is_err(), "a namespace is a label");
    }
}
