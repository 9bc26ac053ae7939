//! When a value ends by itself: a certificate, or a token that says so.

use std::time::Duration;

use super::signed;
use super::text::LONGEST_LINE;
use crate::moment::Moment;
use crate::secret::key_pair::{self, CertificateFacts};
use crate::secret::pem::{Block, blocks, is_pem};

/// The most certificates that lead from one to its authority.
const LONGEST_CHAIN: usize = 16;

/// The end of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) of: Ending,
    pub(crate) at: Moment,
    /// How long it is valid in all.
    pub(crate) lifetime: Option<Duration>,
}

/// The part of a value that ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Certificate,
    /// One of those that lead from the certificate to its authority.
    Chain,
    /// The last of several that do not depend on each other, such as authorities.
    Authorities,
    Token,
}

impl End {
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        if is_pem(bytes) {
            return of_certificates(&blocks(bytes));
        }
        let text = bytes.starts_with(b"eyJ") && bytes.len() <= LONGEST_LINE;
        let text = text.then(|| std::str::from_utf8(bytes).ok()).flatten()?;
        let (at, lifetime) = signed::end(text.trim())?;
        Some(Self { of: Ending::Token, at, lifetime })
    }

    pub(crate) fn is_over(self) -> bool {
        self.at < Moment::now()
    }

    fn of_certificate(of: Ending, certificate: &CertificateFacts) -> Self {
        let lifetime = certificate.until.since(certificate.from);
        Self { of, at: certificate.until, lifetime: Some(lifetime) }
    }
}

/// Returns the end of a file: the first of a chain, and of certificates that are no chain the last. Bundles of
/// authorities always have some that have ended.
fn of_certificates(file: &[Block<'_>]) -> Option<End> {
    let certificates = file.iter().filter(|block| block.is_certificate());
    let all: Vec<CertificateFacts> =
        certificates.filter_map(|block| key_pair::certificate(&block.content).ok()).collect();
    let (own, others) = all.split_first()?;
    let mut end = End::of_certificate(Ending::Certificate, own);
    let mut chain = vec![own];
    while let Some(next) =
        chain.last().filter(|_| chain.len() < LONGEST_CHAIN).and_then(|last| issuer(last, others))
    {
        if chain.iter().any(|one| std::ptr::eq(*one, next)) {
            break;
        }
        if next.until < end.at {
            end = End::of_certificate(Ending::Chain, next);
        }
        chain.push(next);
    }
    let has_key = file.iter().any(Block::is_private_key);
    if chain.len() == 1 && !others.is_empty() && !has_key {
        let last = all.iter().max_by_key(|one| one.until)?;
        return Some(End::of_certificate(Ending::Authorities, last));
    }
    Some(end)
}

/// Returns the certificate that vouches for another, unless that vouches for itself.
fn issuer<'a>(of: &CertificateFacts, among: &'a [CertificateFacts]) -> Option<&'a CertificateFacts> {
    among.iter().filter(|_| of.issuer != of.subject).find(|one| one.subject == of.issuer)
}
