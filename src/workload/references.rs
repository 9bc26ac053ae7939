//! References of objects to secrets, and the effect of a changed secret on them.
//!
//! More than the attachments of `attach` counts: the login of a storage driver, a debugging container, a
//! pod's list of registry logins, and objects that are no workloads: service accounts and ingresses.

mod forms;
mod reading;
mod renaming;
mod schema;

use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

pub(crate) use renaming::{Renamed, renamed};
pub(crate) use schema::may_refer_to_secrets;

use super::attachment::{Item, Need};

/// The keys that an ingress reads of a secret.
const TLS_KEYS: [&str; 2] = ["tls.crt", "tls.key"];

/// One use of a secret by an object. The secret is in the object's own namespace: references never cross namespaces.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Reference {
    /// Empty if the object names none where it must.
    pub(crate) secret: String,
    pub(crate) place: Place,
    pub(crate) way: Way,
    pub(crate) need: Need,
}

/// The user of the secret inside the object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    /// The whole pod, or an object without pods.
    Whole,
    /// A container. Two templates of one object, such as master and workers, may have containers of the same
    /// name.
    Container { template: usize, name: String },
}

/// The use of the secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Way {
    Variable {
        name: String,
        key: String,
    },
    /// A variable for each key, with `prefix` before its name. The container sets those in `named` itself,
    /// and they win.
    Variables {
        prefix: String,
        named: Named,
    },
    /// Files below `path`; of all keys if there are no items.
    Files {
        path: String,
        items: Vec<Item>,
        renewal: Renewal,
    },
    /// A volume that no container mounts.
    IdleVolume {
        volume: String,
    },
    ImagePull,
    /// The login of a volume's storage driver.
    Login {
        volume: String,
        driver: &'static str,
    },
    /// The certificate of an ingress.
    Certificate,
    /// A service account's list of secrets that its pods may use.
    Listed,
    /// A field that has the form of a reference.
    Probable {
        /// `spec.auth.secretRef`
        field: String,
        key: Option<String>,
    },
}

/// The variables that a container sets itself. All of its sources share them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named(Arc<HashSet<String>>);

/// Hashes their number alone: a container may have thousands, and as many sources.
impl Hash for Named {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.len().hash(state);
    }
}

impl Named {
    pub(crate) fn contains(&self, variable: &str) -> bool {
        self.0.contains(variable)
    }
}

/// The update of mounted files when the secret changes (Kubernetes documentation, "Mounted Secrets are
/// updated automatically").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Renewal {
    Live,
    /// A mount with `subPath` stays as it was when the container started.
    Never,
}

/// When a consumer sees a changed secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    AtStart,
    ByItself,
    /// It does not read values.
    Never,
    /// When its controller reads it; nobody else knows.
    Unknown,
}

impl Way {
    pub(crate) fn sight(&self) -> Sight {
        match self {
            Self::Variable { .. }
            | Self::Variables { .. }
            | Self::Login { .. }
            | Self::Files { renewal: Renewal::Never, .. } => Sight::AtStart,
            Self::Files { .. } | Self::ImagePull | Self::Certificate => Sight::ByItself,
            Self::IdleVolume { .. } | Self::Listed => Sight::Never,
            Self::Probable { .. } => Sight::Unknown,
        }
    }

    /// Returns true if it uses any of these keys.
    pub(crate) fn takes(&self, keys: &[&str]) -> bool {
        let own = self.keys();
        own.is_empty() || own.iter().any(|key| keys.contains(key))
    }

    /// Returns the keys it needs; none means any.
    pub(crate) fn keys(&self) -> Vec<&str> {
        match self {
            Self::Variable { key, .. } => vec![key],
            Self::Files { items, .. } => items.iter().map(|item| item.key.as_str()).collect(),
            Self::Certificate => TLS_KEYS.to_vec(),
            Self::Probable { key, .. } => key.as_deref().into_iter().collect(),
            Self::Variables { .. }
            | Self::IdleVolume { .. }
            | Self::ImagePull
            | Self::Login { .. }
            | Self::Listed => Vec::new(),
        }
    }

    /// Returns true if no server accepts it without the name of a secret.
    fn needs_a_name(&self) -> bool {
        match self {
            Self::Variable { .. }
            | Self::Variables { .. }
            | Self::Files { .. }
            | Self::IdleVolume { .. }
            | Self::Login { .. } => true,
            Self::ImagePull | Self::Certificate | Self::Listed | Self::Probable { .. } => false,
        }
    }

    /// Returns true if the reference is known by its form alone.
    pub(crate) fn is_probable(&self) -> bool {
        matches!(self, Self::Probable { .. })
    }

    /// Returns its stable name in reports.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Variable { .. } => "env",
            Self::Variables { .. } => "env-all",
            Self::Files { .. } => "files",
            Self::IdleVolume { .. } => "volume",
            Self::ImagePull => "image-pull",
            Self::Login { .. } => "login",
            Self::Certificate => "tls",
            Self::Listed => "listed",
            Self::Probable { .. } => "probable",
        }
    }
}

/// Prints `env HF_TOKEN`, `files in /etc/s3`.
impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable { name, .. } => write!(f, "env {name}"),
            Self::Variables { prefix, .. } => write!(f, "env {prefix}*"),
            Self::Files { path, .. } => write!(f, "files in {path}"),
            Self::IdleVolume { volume } => write!(f, "volume {volume}, not mounted"),
            Self::ImagePull => f.write_str("image pull"),
            Self::Login { volume, driver } => write!(f, "{driver} login of volume {volume}"),
            Self::Certificate => f.write_str("tls"),
            Self::Listed => f.write_str("listed"),
            Self::Probable { field, .. } => write!(f, "{field} (probable)"),
        }
    }
}

impl Reference {
    /// Returns true if a dependent of an object with this reference has the other one because of it. The
    /// dependent's container is another template's, and its maker may have set variables of its own.
    pub(super) fn accounts_for(&self, other: &Self) -> bool {
        if other.way.is_probable() {
            return self.secret == other.secret && (!self.way.is_probable() || self.way == other.way);
        }
        let same_way = match (&self.way, &other.way) {
            (Way::Variables { prefix, .. }, Way::Variables { prefix: others, .. }) => prefix == others,
            (way, others) => way == others,
        };
        let container = self.place.container();
        let same_place = container.is_none() || container == other.place.container();
        self.secret == other.secret && self.need == other.need && same_way && same_place
    }
}

impl Place {
    pub(crate) fn container(&self) -> Option<&str> {
        match self {
            Self::Whole => None,
            Self::Container { name, .. } => Some(name),
        }
    }
}
