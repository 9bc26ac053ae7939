//! A certificate and its private key: checks that they belong together, in Go's words, which are kubectl's.
//!
//! The API server does not look into a `kubernetes.io/tls` secret, so only the server that uses it would find
//! a mistake. Only the first certificate is compared, as Go does; the others are its chain.

use super::contents::{Contents, SIZE_LIMIT};
use super::input::Input;
use super::key_pair::{self, Match};
use super::origin::{Origin, Shown};
use super::pem::{Block, blocks};
use super::reading::check_standard_input;
use super::unseen;
use super::value::SecretValue;
use crate::error::{Error, Result};
use crate::moment::Moment;

pub(super) const CERTIFICATE: &str = "tls.crt";
pub(super) const KEY: &str = "tls.key";

/// A file's content, and its name for messages.
struct Named<'a> {
    shown: &'a Shown,
    value: &'a SecretValue,
}

/// Returns the contents of a `kubernetes.io/tls` secret.
///
/// # Errors
/// A file can't be read or is not PEM, or the certificate and the key do not belong together.
pub(crate) fn tls_contents(certificate: &Origin, key: &Origin, input: &mut dyn Input) -> Result<Contents> {
    check_standard_input([certificate, key].into_iter())?;
    let read = |origin: &Origin, input: &mut dyn Input| {
        let text = origin.read_text(SIZE_LIMIT, input)?;
        unseen::refuse_mark(&origin.shown(), text.expose(), "a TLS server")?;
        Ok::<_, Error>(text)
    };
    let (certificate_value, key_value) = (read(certificate, input)?, read(key, input)?);
    let (certificate, key) = (certificate.shown(), key.shown());
    let Judgement { warnings, unchecked } = check_pair(
        &Named { shown: &certificate, value: &certificate_value },
        &Named { shown: &key, value: &key_value },
        Moment::now(),
    )?;
    let notes = unchecked.into_iter().collect();
    let mut contents = Contents { notes, warnings, ..Contents::default() };
    contents.add(CERTIFICATE.to_owned(), certificate_value)?;
    contents.add(KEY.to_owned(), key_value)?;
    contents.check_size()?;
    Ok(contents)
}

/// Judges the two values of a secret, from wherever they come.
///
/// # Errors
/// No server could use them.
pub(super) fn check_values(certificate: &SecretValue, key: &SecretValue) -> Result<Vec<String>> {
    let (of_certificate, of_key) = (Shown::key(CERTIFICATE), Shown::key(KEY));
    let Judgement { warnings, unchecked } = check_pair(
        &Named { shown: &of_certificate, value: certificate },
        &Named { shown: &of_key, value: key },
        Moment::now(),
    )?;
    Ok(warnings.into_iter().chain(unchecked).collect())
}

/// What is said of a pair that a server could use.
struct Judgement {
    /// Of a later failure, a line each.
    warnings: Vec<String>,
    /// What can't be told.
    unchecked: Option<String>,
}

/// Refuses a pair that no server could use.
fn check_pair(certificate: &Named<'_>, key: &Named<'_>, now: Moment) -> Result<Judgement> {
    let chain = blocks(certificate.value.expose());
    let leaf = leaf(certificate, &chain)?;
    let keys = blocks(key.value.expose());
    let private_key = private_key(key, &keys)?;
    let facts = key_pair::certificate(&leaf.content)
        .map_err(|fault| Error::usage(format!("{}: {fault}", certificate.shown)))?;
    let warnings = validity_warning(certificate.shown, facts.from, facts.until, now);
    match key_pair::compare(&facts, private_key) {
        Ok(Match::Pair) => Ok(Judgement { warnings, unchecked: None }),
        Ok(Match::Unknown) => {
            let unchecked = format!(
                "could not check whether {} and {} belong together: keys of this kind are not supported",
                certificate.shown, key.shown
            );
            Ok(Judgement { warnings, unchecked: Some(unchecked) })
        }
        Ok(Match::Stranger(fault)) => {
            let error = Error::usage(fault);
            Err(if chain.len() > 1 {
                let shown = certificate.shown;
                error.hint(format!("the first certificate in {shown} must be the key's own, then its chain"))
            } else {
                error.hint(format!("do {} and {} belong together?", certificate.shown, key.shown))
            })
        }
        Err(fault) => Err(Error::usage(fault).hint(format!("{} can't be read", key.shown))),
    }
}

fn leaf<'a>(file: &Named<'_>, chain: &'a [Block<'a>]) -> Result<&'a Block<'a>> {
    let shown = file.shown;
    let Some(leaf) = chain.iter().find(|block| block.is_certificate()) else {
        return Err(match chain {
            [] if file.value.expose().starts_with(&[0x30, 0x82]) => {
                Error::usage("tls: failed to find any PEM data in certificate input").hint(format!(
                    "it seems to be DER: openssl x509 -inform der -in {} -out tls.crt",
                    shown.quoted()
                ))
            }
            [] => Error::usage("tls: failed to find any PEM data in certificate input")
                .hint(format!("{shown} must be a complete certificate in PEM, with no whitespace before its lines")),
            [only] if only.is_private_key() => Error::usage(
                "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM \
                 inputs may have been switched",
            )
            .hint("--cert is the certificate, --key the private key"),
            several => Error::usage(format!(
                "tls: failed to find \"CERTIFICATE\" PEM block in certificate input after skipping PEM blocks of the \
                 following types: [{}]",
                labels(several)
            ))
            .hint(format!("{shown} must hold a certificate")),
        });
    };
    if chain.iter().any(Block::is_private_key) {
        return Err(Error::usage(format!(
            "{shown} has a private key in it, which would become part of {CERTIFICATE}"
        ))
        .hint(format!(
            "{CERTIFICATE} is handed to every client; give the certificates in a file of their own: \
                 openssl crl2pkcs7 -nocrl -certfile {} | openssl pkcs7 -print_certs -out tls.crt",
            shown.quoted()
        )));
    }
    Ok(leaf)
}

fn private_key<'a>(file: &Named<'_>, keys: &'a [Block<'a>]) -> Result<&'a Block<'a>> {
    let shown = file.shown;
    let Some(key) = keys.iter().find(|block| block.is_private_key()) else {
        return Err(match keys {
            [] => Error::usage("tls: failed to find any PEM data in key input")
                .hint(format!("{shown} must be a complete private key in PEM, with no whitespace before its lines")),
            [only] if only.is_certificate() => {
                Error::usage("tls: found a certificate rather than a key in the PEM for the private key")
                    .hint("--cert is the certificate, --key the private key")
            }
            several => Error::usage(format!(
                "tls: failed to find PEM block with type ending in \"PRIVATE KEY\" in key input after skipping PEM \
                 blocks of the following types: [{}]",
                labels(several)
            ))
            .hint(format!("{shown} must hold a private key")),
        });
    };
    if key.is_encrypted() {
        return Err(Error::usage("tls: failed to parse private key: it is encrypted").hint(format!(
            "nothing in the cluster can ask for the passphrase; decrypt a copy: openssl pkey -in {} -out tls-plain.key",
            shown.quoted()
        )));
    }
    Ok(key)
}

/// Lists the labels, the words after BEGIN. They hold no content.
fn labels(blocks: &[Block<'_>]) -> String {
    blocks.iter().map(|block| block.label).collect::<Vec<_>>().join(" ")
}

fn validity_warning(shown: &Shown, from: Moment, until: Moment, now: Moment) -> Vec<String> {
    if until < now {
        vec![format!("the certificate in {shown} expired on {}", until.day())]
    } else if from > now {
        vec![format!("the certificate in {shown} is not valid before {}", from.day())]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests;
