//! The id-token of a login by OIDC (`auth-provider: oidc`), used until it expires.
//!
//! It is not refreshed here: a refresh token is good for one use, and using it without writing the next one
//! into the kubeconfig would log out kubectl too. kubectl refreshes, and writes.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::HeaderValue;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{bearer, in_words};
use crate::cluster::kubeconfig::{AuthProviderConfig, Confidential};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};

/// How long before its expiry client-go stops using an id-token.
const LEEWAY: Duration = Duration::from_secs(10);

pub(super) struct IdToken {
    token: Confidential,
    ends: SystemTime,
    user: String,
    /// The command that refreshes it.
    command: String,
}

#[derive(Deserialize)]
struct Claims {
    exp: f64,
}

impl IdToken {
    /// Reads the id-token of the kubeconfig.
    ///
    /// # Errors
    /// There is none, or it is not a JWT.
    pub(super) fn new(config: &AuthProviderConfig, user: &str) -> Result<Self> {
        let command = CommandLine::kubectl("get ns").to_string();
        let refresh =
            format!("{command} gets a new one and writes it into the kubeconfig; then run this again");
        let token = config.id_token.clone().ok_or_else(|| {
            Error::failed(format!("the user \"{user}\" of the kubeconfig has no id-token")).hint(&refresh)
        })?;
        let ends = end_of(token.expose()).ok_or_else(|| {
            Error::failed(format!("the id-token of the user \"{user}\" in the kubeconfig is not a valid JWT"))
                .hint("log in again with the tool that wrote the kubeconfig")
        })?;
        Ok(Self { token, ends, user: user.to_owned(), command })
    }

    /// Returns the header that carries the id-token.
    ///
    /// # Errors
    /// It has expired, or can't be put into a header.
    pub(super) fn header(&self) -> Result<HeaderValue> {
        let origin = format!("the id-token of the user \"{}\" in the kubeconfig", self.user);
        if self.last_use() <= SystemTime::now() {
            let Self { ends, command, .. } = self;
            return Err(Error::failed(format!("{origin} expired at {}", in_words(*ends))).hint(format!(
                "{command} gets a new one and writes it into the kubeconfig; then run this again"
            )));
        }
        bearer(self.token.expose(), &origin)?.ok_or_else(|| Error::failed(format!("{origin} is empty")))
    }

    /// Returns the time of its last use.
    pub(super) fn last_use(&self) -> SystemTime {
        self.ends.checked_sub(LEEWAY).unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

/// Returns the expiry that a JWT states itself.
pub(super) fn end_of(token: &str) -> Option<SystemTime> {
    let parts: Vec<&str> = token.trim().split('.').collect();
    let [_, claims, _] = parts[..] else { return None };
    let claims = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?);
    let Claims { exp } = serde_json::from_slice(&claims).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(exp).ok()?)
}
