//! What a value is, told by those of its parts that are public by nature: the names in a certificate, the
//! fingerprint of a key, the users of logins.
//!
//! Nothing of a value is told whose form is not known, and nothing by which anybody could log in. Every text is
//! cleaned and short: whoever made the value may have meant to harm a terminal.

mod certificate;
mod end;
mod registry;
mod signed;
mod ssh_key;
mod text;

use std::collections::BTreeMap;

use serde::Serialize;

pub(crate) use self::certificate::CertificateIdentity;
pub(crate) use self::end::{End, Ending};
pub(crate) use self::registry::LoginIdentity;
pub(crate) use self::signed::{GoogleAccount, SignedToken};
pub(crate) use self::ssh_key::SshKey;
use self::text::{LONGEST_LINE, MOST};
use super::key_pair;
use super::pem::{Block, blocks, is_pem};
use super::token_scan::{JSON_WEB_TOKEN, kind_of_token};
use super::value::SecretValue;
use crate::wording::plural;

/// What a value is. It is printed for programs in this form.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub(crate) enum Identity {
    Certificate {
        /// Those that are in the value, in its order: the first is its own.
        certificates: Vec<CertificateIdentity>,
        key: Option<KeyBeside>,
    },
    SshKey(SshKey),
    RegistryLogins {
        logins: Vec<LoginIdentity>,
    },
    GcpServiceAccount(GoogleAccount),
    Jwt(SignedToken),
    Token {
        #[serde(rename = "of")]
        name: &'static str,
    },
}

/// The private key that is beside a certificate.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct KeyBeside {
    name: String,
    fits: bool,
}

impl Identity {
    /// Recognizes the value of a key. `beside` are all values of the secret.
    pub(crate) fn of(key: &str, value: &SecretValue, beside: &BTreeMap<String, SecretValue>) -> Option<Self> {
        let bytes = value.expose();
        let file = if is_pem(bytes) { blocks(bytes) } else { Vec::new() };
        if file.iter().any(Block::is_certificate) {
            return Self::of_certificates(key, &file, beside);
        }
        if let Some(ssh) = SshKey::of(key, bytes, &file) {
            return Some(Self::SshKey(ssh));
        }
        if bytes.trim_ascii_start().starts_with(b"{") {
            let logins = registry::logins(key, bytes).map(|logins| Self::RegistryLogins { logins });
            return logins.or_else(|| signed::service_account(bytes).map(Self::GcpServiceAccount));
        }
        let line = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= LONGEST_LINE)?.trim();
        signed::token(line)
            .map(Self::Jwt)
            .or_else(|| kind_of_token(key, line).filter(is_opaque).map(|name| Self::Token { name }))
    }

    fn of_certificates(
        key: &str,
        file: &[Block<'_>],
        beside: &BTreeMap<String, SecretValue>,
    ) -> Option<Self> {
        let mut facts = file.iter().filter(|block| block.is_certificate());
        let mut facts =
            facts.by_ref().filter_map(|block| key_pair::certificate(&block.content).ok()).peekable();
        let private = facts.peek().and_then(|leaf| certificate::key_beside(key, file, leaf, beside));
        let certificates: Vec<_> = facts.take(MOST).map(|facts| CertificateIdentity::of(&facts)).collect();
        let key = private.map(|(name, fits)| KeyBeside { name, fits });
        (!certificates.is_empty()).then_some(Self::Certificate { certificates, key })
    }

    /// Returns what is known, each fact with its name.
    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        let fact = |name: &'static str, text: &Option<String>| Some((name, text.clone()?));
        match self {
            Self::Certificate { certificates, key } => {
                let key = key.as_ref().map(|key| ("key", key.in_words()));
                let (own, chain) =
                    certificates.split_first().map_or((None, &[][..]), |(own, rest)| (Some(own), rest));
                let own = own.map(CertificateIdentity::facts).into_iter().flatten();
                own.chain(key).chain(chain.iter().map(|one| ("chain", one.in_short()))).collect()
            }
            Self::SshKey(key) => vec![
                ("ssh key", format!("{}, {}", key.algorithm, plural(key.bits, "bit"))),
                ("fingerprint", key.fingerprint.clone()),
            ],
            Self::RegistryLogins { logins } => {
                logins.iter().map(|login| ("login", login.to_string())).collect()
            }
            Self::GcpServiceAccount(GoogleAccount { email, project }) => [
                Some(("account", email.clone().unwrap_or_else(|| "of Google Cloud".to_owned()))),
                fact("project", project),
            ]
            .into_iter()
            .flatten()
            .collect(),
            Self::Jwt(SignedToken { issuer, account, expires }) => {
                let token = ("token", "JSON Web Token".to_owned());
                let more = [fact("issuer", issuer), fact("account", account), fact("expires", expires)];
                [Some(token)].into_iter().chain(more).flatten().collect()
            }
            Self::Token { name } => vec![("token", (*name).to_owned())],
        }
    }
}

/// Signed JSON that can't be read is nothing that is known.
fn is_opaque(kind: &&str) -> bool {
    *kind != JSON_WEB_TOKEN
}

impl KeyBeside {
    fn in_words(&self) -> String {
        format!("{} {}", self.name, if self.fits { "fits" } else { "belongs to another certificate" })
    }
}

#[cfg(test)]
mod tests;
