//! The logins of registries: where, and as whom.

use std::fmt;

use serde::Serialize;

use super::text::{MOST, address, cleaned};
use crate::secret::docker_config::{self, Form};

/// A login without what one logs in with.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LoginIdentity {
    pub(crate) registry: String,
    /// None if the user is, or may be, what one logs in with.
    pub(crate) user: Option<String>,
}

/// Prints `nvcr.io as $oauthtoken`.
impl fmt::Display for LoginIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.user {
            Some(user) => write!(f, "{} as {user}", self.registry),
            None => f.write_str(&self.registry),
        }
    }
}

/// Recognizes a file with logins, which need not be under the key that kubelets read.
pub(super) fn logins(key: &str, file: &[u8]) -> Option<Vec<LoginIdentity>> {
    let has_auths = || file.windows(7).any(|at| at == b"\"auths\"");
    let form = Form::of_key(key).or_else(|| has_auths().then_some(Form::Config))?;
    let logins = docker_config::users(file, form)?;
    let logins: Vec<_> = logins
        .into_iter()
        .take(MOST)
        .map(|(registry, user)| LoginIdentity {
            registry: cleaned(address(&registry)),
            user: user.map(|user| cleaned(&user)),
        })
        .collect();
    (!logins.is_empty()).then_some(logins)
}
