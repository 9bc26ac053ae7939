//! A client's certificate and its key, read as Go's `tls.X509KeyPair` reads them.

use std::sync::Arc;

use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};
use rustls::sign::CertifiedKey;

use super::crypto;
use super::kubeconfig::{Confidential, User};
use super::material::Field;
use crate::error::{Error, Result};
use crate::secret::{self, KeyForm, Match, PemBlock};
use crate::ui::Ui;

/// Returns the user's certificate from the kubeconfig or the flags, if there is one.
///
/// # Errors
/// It or its key can't be read, or they don't belong together.
pub(super) fn of_user(user: &User, name: &str, ui: &Ui) -> Result<Option<Arc<CertifiedKey>>> {
    let certificate = Field { name: "client-certificate", file: "client-cert", of: "user", entry: name };
    let key = Field { name: "client-key", file: "client-key", of: "user", entry: name };
    let data = |data: &Option<Confidential>| data.as_ref().map(Confidential::expose).map(str::to_owned);
    let chain_pem = certificate
        .content(data(&user.client_certificate_data).as_deref(), user.client_certificate.as_deref())?;
    let key_pem =
        key.content(user.client_key_data.as_ref().map(Confidential::expose), user.client_key.as_deref())?;
    let (Some(chain_pem), Some(key_pem)) = (chain_pem, key_pem) else { return Ok(None) };
    ui.never_quote(&key_pem);
    of_pem(&chain_pem, &key_pem, &certificate.shown(), &key.shown()).map(Some)
}

/// Reads the certificate and its key from PEM. `certificate` and `key` name them in errors.
pub(super) fn of_pem(
    chain_pem: &[u8],
    key_pem: &[u8],
    certificate: &str,
    key: &str,
) -> Result<Arc<CertifiedKey>> {
    let wrong = |origin: &str, why: &str| Error::failed(format!("the {origin} can't be used: {why}"));
    let chain = secret::pem_blocks(chain_pem);
    let chain: Vec<&PemBlock<'_>> = chain.iter().filter(|block| block.is_certificate()).collect();
    let found_none = |pem: &[u8], input: &str| match secret::foreign_encoding(pem) {
        Some(fault) => format!("it {fault}"),
        None => format!("tls: failed to find any PEM data in {input} input"),
    };
    let Some(leaf) = chain.first() else {
        return Err(wrong(certificate, &found_none(chain_pem, "certificate"))
            .hint("it must be a certificate in PEM, from its first line to its last"));
    };
    let facts = secret::certificate_facts(&leaf.content)
        .map_err(|why| wrong(certificate, why).hint("is it complete? log in again, or request a new one"))?;
    let keys = secret::pem_blocks(key_pem);
    let Some(block) = keys.iter().find(|block| block.is_private_key()) else {
        return Err(wrong(key, &found_none(key_pem, "key"))
            .hint("it must be a private key in PEM, from its first line to its last"));
    };
    if block.is_encrypted() {
        return Err(wrong(key, "it is encrypted, and nothing here asks for its passphrase").hint(
            "kubectl can't use it either; decrypt a copy, and name that one: openssl pkey -in KEY -out key-plain.pem",
        ));
    }
    match secret::compare_key(&facts, block)
        .map_err(|why| wrong(key, why).hint("is it complete, and in PEM?"))?
    {
        Match::Pair | Match::Unknown => {}
        Match::Stranger(why) => {
            return Err(wrong(key, why).hint("the key belongs to another certificate: check both"));
        }
    }
    let signer = crypto::provider().key_provider.load_private_key(typed(&facts, block)).map_err(|_| {
        wrong(key, "keys of this kind are not supported here").hint(
            "RSA from 2048 bits, P-256, P-384, P-521 and Ed25519 are supported: request a new certificate",
        )
    })?;
    let chain = chain.into_iter().map(|block| CertificateDer::from(block.content.to_vec())).collect();
    Ok(Arc::new(CertifiedKey::new(chain, signer)))
}

/// Tells the kind of key by its content and not by its label, as Go does.
fn typed(facts: &secret::CertificateFacts, block: &PemBlock<'_>) -> PrivateKeyDer<'static> {
    let (form, der) = secret::key_form(facts, block);
    let der = der.to_vec();
    match form {
        KeyForm::Pkcs1 => PrivatePkcs1KeyDer::from(der).into(),
        KeyForm::Sec1 => PrivateSec1KeyDer::from(der).into(),
        KeyForm::Pkcs8 => PrivatePkcs8KeyDer::from(der).into(),
    }
}
