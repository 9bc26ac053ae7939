//! Entries of a pod spec that have another effect than their author meant, without an error anywhere.
//!
//! Only facts that are certain from the object itself are reported. The caller decides where another object
//! matters.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde_json::Value;

use super::attachment::{Attachment, Mode, normal_path};
use super::distinct::distinct;
use super::expansion::{Given, Sources, referred};
use super::kind::{Kind, Version};
use super::pod_spec::{Role, containers};
use super::tree::{list, text};

/// The server's `defaultMode` for volumes of secrets.
const DEFAULT_MODE: u32 = 0o644;

/// One such entry in a container.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Doubt {
    pub(crate) container: String,
    pub(crate) what: What,
    /// What may give the variable after all; see [`Doubt::given`].
    sources: Sources,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum What {
    /// The value of `user` refers to a variable that comes after it.
    LateVariable { user: String, name: String },
    /// The value of `user` refers to a variable that does not exist.
    NoVariable { user: String, name: String },
    /// Files that only root can read, in a container that runs as another user.
    UnreadableFiles { path: String, mode: Mode, user: String },
    /// Files whose mode the kubelet changes for the pod's group.
    WidenedFiles { path: String, mode: Mode, widened: Mode, group: u64 },
}

/// Returns every doubt about an object, in the order of their causes.
pub(crate) fn doubts(object: &Value, kind: &Kind) -> Vec<Doubt> {
    let mut found = Vec::new();
    for pointer in kind.pod_specs(object) {
        let Some(spec) = object.pointer(&pointer) else { continue };
        let strictest = strictest_modes(spec);
        for (role, _, container) in containers(spec) {
            let mut all = of_variables(container, kind);
            if role != Role::Ephemeral {
                all.extend(of_files(container, spec, &strictest));
            }
            if all.is_empty() {
                continue;
            }
            let (name, sources) = (text(container, "name"), Sources::of(container));
            let doubt = |what| Doubt { container: name.to_owned(), what, sources: sources.clone() };
            found.extend(all.into_iter().map(doubt));
        }
    }
    distinct(found)
}

/// Finds variables that are used too early: only later ones see a variable (kubelet,
/// `makeEnvironmentVariables`). Whether `envFrom` gives them is for [`Doubt::given`] to say.
fn of_variables(container: &Value, kind: &Kind) -> Vec<What> {
    let env = list(container, "env");
    let mut places: HashMap<&str, (usize, usize)> = HashMap::with_capacity(env.len());
    for (at, entry) in env.iter().enumerate() {
        places.entry(text(entry, "name")).and_modify(|(_, last)| *last = at).or_insert((at, at));
    }
    let mut found = Vec::new();
    for (at, entry) in env.iter().enumerate() {
        for name in referred(text(entry, "value")) {
            let (user, place) = (text(entry, "name"), places.get(name));
            let (user, name) = (user.to_owned(), name.to_owned());
            match place {
                Some((first, _)) if *first < at => {}
                Some((_, last)) if *last > at => found.push(What::LateVariable { user, name }),
                _ if looks_meant(&name) && matches!(kind.version, Version::BuiltIn(_)) => {
                    found.push(What::NoVariable { user, name });
                }
                _ => {}
            }
        }
    }
    distinct(found)
}

/// Returns true if it is probably the name of a variable: not a shell's `$(command)`, and not one that
/// Kubernetes makes for services.
fn looks_meant(name: &str) -> bool {
    let is_of_a_service = name.ends_with("_HOST") || name.contains("_PORT");
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        && !is_of_a_service
}

/// Returns the mode of each volume that nobody but the owner can read, if it has files of secrets with such a mode.
fn strictest_modes(spec: &Value) -> HashMap<&str, Option<Mode>> {
    let mut strictest = HashMap::new();
    for volume in list(spec, "volumes") {
        strictest
            .entry(text(volume, "name"))
            .or_insert_with(|| modes(volume).into_iter().find(|mode| mode & 0o044 == 0).and_then(Mode::of));
    }
    strictest
}

/// Finds files with surprising modes. Files of a secret belong to root, and with `fsGroup` to that group, for
/// which the kubelet adds read permission (k8s.io/kubernetes, `pkg/volume/volume_linux.go`).
fn of_files(container: &Value, spec: &Value, strictest: &HashMap<&str, Option<Mode>>) -> Vec<What> {
    let mut found = Vec::new();
    let group = spec["securityContext"]["fsGroup"].as_u64();
    for mount in list(container, "volumeMounts") {
        let Some(mode) = strictest.get(text(mount, "name")).copied().flatten() else { continue };
        let path = text(mount, "mountPath").to_owned();
        match (group, not_root(container, spec)) {
            (Some(group), _) => {
                let widened = Mode::of(mode.bits() | 0o440).unwrap_or(mode);
                found.push(What::WidenedFiles { path, mode, widened, group });
            }
            (None, Some(user)) => found.push(What::UnreadableFiles { path, mode, user }),
            (None, None) => {}
        }
    }
    found
}

/// Returns the modes of a volume's files of secrets.
fn modes(volume: &Value) -> Vec<u32> {
    let of = |source: &Value, default: &Value| -> Vec<u32> {
        let mode = |mode: &Value| mode.as_u64().and_then(|mode| u32::try_from(mode).ok());
        let default = mode(default).unwrap_or(DEFAULT_MODE);
        match list(source, "items") {
            [] => vec![default],
            items => items.iter().map(|item| mode(&item["mode"]).unwrap_or(default)).collect(),
        }
    };
    if volume["secret"].is_object() {
        return of(&volume["secret"], &volume["secret"]["defaultMode"]);
    }
    let sources = list(&volume["projected"], "sources").iter().filter(|source| source["secret"].is_object());
    sources.flat_map(|source| of(&source["secret"], &volume["projected"]["defaultMode"])).collect()
}

/// Returns the user that a container runs as, if known not to be root.
fn not_root(container: &Value, spec: &Value) -> Option<String> {
    let field = |name: &str| {
        let own = &container["securityContext"][name];
        if own.is_null() { &spec["securityContext"][name] } else { own }
    };
    match field("runAsUser").as_u64() {
        Some(0) => None,
        Some(user) => Some(format!("user {user}")),
        None => {
            (field("runAsNonRoot") == &Value::Bool(true)).then(|| "its user, who is not root,".to_owned())
        }
    }
}

impl Doubt {
    /// Returns true if it is about one of these attachments.
    pub(crate) fn concerns(&self, attachments: &[Attachment]) -> bool {
        attachments.iter().any(|one| match (&self.what, one) {
            (What::LateVariable { name, .. }, Attachment::Env { variable, .. }) => name == variable,
            (
                What::UnreadableFiles { path, .. } | What::WidenedFiles { path, .. },
                Attachment::Files { path: asked, .. },
            ) => normal_path(path) == normal_path(asked),
            _ => false,
        })
    }

    /// Tells whether `envFrom` gives the variable that a value refers to, so that all is well. `has_key` knows
    /// whether a secret has a key, or does not.
    pub(crate) fn given(&self, has_key: impl Fn(&str, &str) -> Option<bool>) -> Given {
        match &self.what {
            What::LateVariable { name, .. } | What::NoVariable { name, .. } => {
                self.sources.give(name, has_key)
            }
            What::UnreadableFiles { .. } | What::WidenedFiles { .. } => Given::No,
        }
    }

    /// Returns the doubt and the remedy; none if `envFrom` gives the variable. `keys` are those of the secrets
    /// that are known.
    pub(crate) fn in_full(&self, keys: &BTreeMap<String, Vec<String>>) -> Option<String> {
        let has_key = |secret: &str, key: &str| Some(keys.get(secret)?.iter().any(|one| one == key));
        let remedy = self.remedy();
        match self.given(has_key) {
            Given::No => Some(format!("{self}; {remedy}")),
            Given::Perhaps => Some(format!("{self}{}; {remedy}", self.unless_given()?)),
            Given::Yes => None,
        }
    }

    /// Returns what to add to the doubt if `envFrom` may give the variable; none if it is no doubt then.
    pub(crate) fn unless_given(&self) -> Option<String> {
        match &self.what {
            What::LateVariable { name, .. } => Some(format!(", unless envFrom has a {name}")),
            What::NoVariable { .. } | What::UnreadableFiles { .. } | What::WidenedFiles { .. } => None,
        }
    }

    /// Returns the remedy.
    pub(crate) fn remedy(&self) -> String {
        match &self.what {
            What::LateVariable { user, name } => {
                format!("put {name} before {user}: variables are read from first to last")
            }
            What::NoVariable { name, .. } => {
                format!("attach {name}, or write $$({name}) where the text itself is meant")
            }
            What::UnreadableFiles { .. } => {
                "give the pod a group that may read them, as securityContext.fsGroup, or the \
                                             files a mode that others may read: --mode 0444"
                    .to_owned()
            }
            What::WidenedFiles { .. } => {
                "a program that wants a file only its owner can read, like ssh run as root, needs a \
                                          copy of it, or a pod without fsGroup"
                    .to_owned()
            }
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { container, what, .. } = self;
        match what {
            What::LateVariable { user, name } => write!(
                f,
                "env {user} in container {container} refers to $({name}), which comes after it: it gets the text \
                 $({name}) as it stands"
            ),
            What::NoVariable { user, name } => write!(
                f,
                "env {user} in container {container} refers to $({name}), and no variable before it has that name: it \
                 gets the text $({name}) as it stands"
            ),
            What::UnreadableFiles { path, mode, user } => write!(
                f,
                "files in {path} in container {container} belong to root and have mode {mode}: {user} can't read them"
            ),
            What::WidenedFiles { path, mode, widened, group } => write!(
                f,
                "files in {path} in container {container} get mode {widened} instead of {mode}, since the pod has \
                 fsGroup {group}"
            ),
        }
    }
}
