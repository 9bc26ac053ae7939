//! The id-token of a login by OIDC (`auth-provider: oidc`), used while it lasts.
//!
//! It is not refreshed here: a refresh token is good for one use, and who spends it without writing the next one into
//! the kubeconfig logs out kubectl too. kubectl refreshes, and writes.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::HeaderValue;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{bearer, in_words};
use crate::cluster::kubeconfig::{AuthProviderConfig, Confidential};
use crate::error::{Error, Result};
use crate::flags::Connection;

/// So long before its end client-go takes no id-token any more.
const LEEWAY: Duration = Duration::from_secs(10);

pub(super) struct IdToken {
    token: Confidential,
    ends: SystemTime,
    user: String,
    /// What refreshes it.
    command: String,
}

#[derive(Deserialize)]
struct Claims {
    exp: f64,
}

impl IdToken {
    /// # Errors
    /// There is none, or it is none.
    pub(super) fn new(config: &AuthProviderConfig, user: &str, flags: &Connection) -> Result<Self> {
        let command = kubectl(flags);
        let refresh =
            format!("{command} gets a new one and writes it into the kubeconfig; then run this again");
        let token = config.id_token.clone().ok_or_else(|| {
            Error::failed(format!("the user \"{user}\" of the kubeconfig has no id-token")).hint(&refresh)
        })?;
        let ends = end_of(token.expose()).ok_or_else(|| {
            Error::failed(format!("the id-token of the user \"{user}\" in the kubeconfig is not a valid JWT"))
                .hint("log in anew by what made the kubeconfig")
        })?;
        Ok(Self { token, ends, user: user.to_owned(), command })
    }

    /// # Errors
    /// It has ended, or can't stand in a header.
    pub(super) fn header(&self) -> Result<HeaderValue> {
        let origin = format!("the id-token of the user \"{}\" in the kubeconfig", self.user);
        if self.last_use() <= SystemTime::now() {
            let Self { ends, command, .. } = self;
            return Err(Error::failed(format!("{origin} ended at {}", in_words(*ends))).hint(format!(
                "{command} gets a new one and writes it into the kubeconfig; then run this again"
            )));
        }
        bearer(self.token.expose(), &origin)?.ok_or_else(|| Error::failed(format!("{origin} is empty")))
    }

    /// When it is used no more.
    pub(super) fn last_use(&self) -> SystemTime {
        self.ends.checked_sub(LEEWAY).unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

/// When a token that is a JWT ends, by its own account.
pub(super) fn end_of(token: &str) -> Option<SystemTime> {
    let parts: Vec<&str> = token.trim().split('.').collect();
    let [_, claims, _] = parts[..] else { return None };
    let claims = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?);
    let Claims { exp } = serde_json::from_slice(&claims).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(exp).ok()?)
}

/// The simplest command of kubectl's that logs in as the same user.
fn kubectl(flags: &Connection) -> String {
    let mut words = vec!["kubectl".to_owned(), "get".to_owned(), "ns".to_owned()];
    let path = flags.kubeconfig.as_ref().map(|path| path.display().to_string());
    for (name, value) in [
        ("kubeconfig", &path),
        ("context", &flags.context),
        ("cluster", &flags.cluster),
        ("user", &flags.user),
    ] {
        if let Some(value) = value {
            words.extend([format!("--{name}"), value.clone()]);
        }
    }
    shell_words::join(words)
}
