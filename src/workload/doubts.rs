//! Entries of a pod spec that have another effect than their author meant, without an error anywhere.
//!
//! Only facts that are certain from the object itself are reported. The caller decides where another object
//! matters.

use std::fmt;

use serde_json::Value;

use super::attachment::{Attachment, Mode, normal_path};
use super::expansion::{may_come_of_a_source, referred};
use super::kind::{Kind, Version};
use super::pod_spec::{Role, containers};
use super::tree::{list, text};

/// The server's `defaultMode` for volumes of secrets.
const DEFAULT_MODE: u32 = 0o644;

/// One such entry in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Doubt {
    pub(crate) container: String,
    pub(crate) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
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
        for (role, _, container) in containers(spec) {
            let mut all = of_variables(container, kind);
            if role != Role::Ephemeral {
                all.extend(of_files(container, spec));
            }
            let name = text(container, "name");
            found.extend(all.into_iter().map(|what| Doubt { container: name.to_owned(), what }));
        }
    }
    let mut distinct: Vec<Doubt> = Vec::with_capacity(found.len());
    for doubt in found {
        if !distinct.contains(&doubt) {
            distinct.push(doubt);
        }
    }
    distinct
}

/// Finds variables that are used too early: only later ones see a variable (kubelet,
/// `makeEnvironmentVariables`).
fn of_variables(container: &Value, kind: &Kind) -> Vec<What> {
    let env = list(container, "env");
    let mut found = Vec::new();
    for (at, entry) in env.iter().enumerate() {
        for name in referred(text(entry, "value")) {
            let is_it = |other: &Value| text(other, "name") == name;
            if env[..at].iter().any(is_it) || may_come_of_a_source(container, name) {
                continue;
            }
            let (user, name) = (text(entry, "name").to_owned(), name.to_owned());
            if env[at + 1..].iter().any(|other| text(other, "name") == name) {
                found.push(What::LateVariable { user, name });
            } else if looks_meant(&name) && matches!(kind.version, Version::BuiltIn(_)) {
                found.push(What::NoVariable { user, name });
            }
        }
    }
    found
}

/// Returns true if it is probably the name of a variable: not a shell's `$(command)`, and not one that
/// Kubernetes makes for services.
fn looks_meant(name: &str) -> bool {
    let is_of_a_service = name.ends_with("_HOST") || name.contains("_PORT");
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        && !is_of_a_service
}

/// Finds files with surprising modes. Files of a secret belong to root, and with `fsGroup` to that group, for
/// which the kubelet adds read permission (k8s.io/kubernetes, `pkg/volume/volume_linux.go`).
fn of_files(container: &Value, spec: &Value) -> Vec<What> {
    let mut found = Vec::new();
    let group = spec["securityContext"]["fsGroup"].as_u64();
    for mount in list(container, "volumeMounts") {
        let volume = list(spec, "volumes").iter().find(|volume| text(volume, "name") == text(mount, "name"));
        let strictest = volume.map(modes).unwrap_or_default().into_iter().find(|mode| mode & 0o044 == 0);
        let Some(mode) = strictest.and_then(Mode::of) else { continue };
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

    /// Returns the doubt and the remedy.
    pub(crate) fn in_full(&self) -> String {
        format!("{self}; {}", self.remedy())
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
        let Self { container, what } = self;
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
