//! Certificates: whom they name, who vouches, and whether the key beside fits.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;

use super::text::{MOST, address, cleaned};
use crate::secret::key_pair::{self, CertificateFacts, Match};
use crate::secret::pem::{Block, blocks, is_pem};
use crate::secret::value::SecretValue;
use crate::wording::few;

/// One certificate.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CertificateIdentity {
    pub(super) subject: String,
    pub(super) names: Vec<String>,
    pub(super) issuer: String,
    /// For example `2026-01-31T12:00:00Z`.
    pub(super) not_before: String,
    pub(super) not_after: String,
}

impl CertificateIdentity {
    pub(super) fn of(facts: &CertificateFacts) -> Self {
        Self {
            subject: in_words(&facts.subject),
            names: facts.names.iter().filter_map(name).take(MOST).collect(),
            issuer: in_words(&facts.issuer),
            not_before: facts.from.to_string(),
            not_after: facts.until.to_string(),
        }
    }

    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let names = (!names.is_empty()).then(|| ("names", few(&names)));
        let subject = ("subject", self.subject.clone());
        let rest = [("issuer", self.issuer.clone()), ("valid", self.validity())];
        [subject].into_iter().chain(names).chain(rest).collect()
    }

    pub(super) fn in_short(&self) -> String {
        format!("{}, {}", self.subject, self.validity())
    }

    fn validity(&self) -> String {
        format!("{} to {}", day(&self.not_before), day(&self.not_after))
    }
}

/// Returns the name of the key whose value is the private key of a certificate, and whether it fits; none if there is
/// no key, or nobody can tell.
pub(super) fn key_beside(
    key: &str,
    file: &[Block<'_>],
    leaf: &CertificateFacts,
    beside: &BTreeMap<String, SecretValue>,
) -> Option<(String, bool)> {
    let fits = |block: &Block<'_>| match key_pair::compare(leaf, block) {
        Ok(Match::Pair) => Some(true),
        Ok(Match::Stranger(_)) => Some(false),
        Ok(Match::Unknown) | Err(_) => None,
    };
    let readable = |block: &&Block<'_>| block.is_private_key() && !block.is_encrypted();
    if let Some(own) = file.iter().find(readable) {
        return Some((cleaned(key), fits(own)?));
    }
    let stem = key.rsplit_once('.').map_or(key, |(stem, _)| stem);
    let names = [format!("{stem}.key"), format!("{stem}-key.pem"), key.replace("cert", "key")];
    let (name, value) =
        names.iter().filter(|name| *name != key).find_map(|name| beside.get_key_value(name))?;
    let bytes = value.expose();
    let file = if is_pem(bytes) { blocks(bytes) } else { Vec::new() };
    Some((cleaned(name), fits(file.iter().find(readable)?)?))
}

fn in_words(name: &Name) -> String {
    if name.is_empty() { "(none)".to_owned() } else { cleaned(&name.to_string()) }
}

/// Returns a name for which a certificate is valid; none for kinds that only programs of one maker know.
fn name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(text) | GeneralName::Rfc822Name(text) => Some(cleaned(text.as_str())),
        GeneralName::UniformResourceIdentifier(text) => Some(cleaned(address(text.as_str()))),
        GeneralName::DirectoryName(name) => Some(in_words(name)),
        GeneralName::IpAddress(bytes) => {
            let bytes = bytes.as_bytes();
            let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
            four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
                .ok()
                .map(|address| address.to_string())
        }
        _ => None,
    }
}

fn day(time: &str) -> &str {
    time.split('T').next().unwrap_or_default()
}
