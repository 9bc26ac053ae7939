//! Checks of a server's certificate.

use std::sync::Arc;

use pkcs8::der::{Decode, Encode, Reader, SliceReader};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
use x509_cert::{Certificate, Version};

/// Trusts the certificates that the kubeconfig names, and those that they have signed.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) certificates: Vec<CertificateDer<'static>>,
    /// None if none of them can be an authority.
    pub(super) authorities: Option<Arc<WebPkiServerVerifier>>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Named {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.certificates.iter().any(|named| named == end_entity) {
            return check_all_but_signature(end_entity, server_name, now);
        }
        let unknown = Err(Error::InvalidCertificate(CertificateError::UnknownIssuer));
        let Some(authorities) = &self.authorities else { return unknown };
        let verdict =
            authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verdict {
            Err(error) if is_authority_itself(&error) && self.is_signed_by_named(end_entity) => {
                check_all_but_signature(end_entity, server_name, now)
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl Named {
    /// Returns true if one of the named certificates has signed this one.
    fn is_signed_by_named(&self, certificate: &CertificateDer<'_>) -> bool {
        let Some(signed) = Signed::read(certificate) else { return false };
        let Ok(facts) = Certificate::from_der(certificate) else { return false };
        let authorities = self.certificates.iter().filter(|named| is_authority(named));
        authorities.filter_map(|named| Certificate::from_der(named).ok()).any(|authority| {
            let authority = authority.tbs_certificate();
            let key = authority.subject_public_key_info();
            let (Some(bytes), Ok(algorithm)) = (key.subject_public_key.as_bytes(), key.algorithm.to_der())
            else {
                return false;
            };
            authority.subject() == facts.tbs_certificate().issuer()
                && self.algorithms.all.iter().any(|supported| {
                    is_inside(supported.public_key_alg_id().as_ref(), &algorithm)
                        && is_inside(supported.signature_alg_id().as_ref(), &signed.algorithm)
                        && supported.verify_signature(bytes, &signed.message, &signed.signature).is_ok()
                })
        })
    }
}

/// Returns true if a certificate may vouch for others. One of version 1 can't say; rustls judges those that
/// can't be read.
pub(super) fn is_authority(certificate: &CertificateDer<'_>) -> bool {
    let Ok(certificate) = Certificate::from_der(certificate) else { return true };
    let facts = certificate.tbs_certificate();
    let is_one = match facts.get_extension::<BasicConstraints>() {
        Ok(Some((_, constraints))) => constraints.ca,
        Ok(None) => facts.version() != Version::V3,
        Err(_) => false,
    };
    let signs = match facts.get_extension::<KeyUsage>() {
        Ok(usage) => usage.is_none_or(|(_, usage)| usage.key_cert_sign()),
        Err(_) => false,
    };
    is_one && signs
}

/// Recognizes `CaUsedAsEndEntity`, for which rustls 0.23 has no variant, by its text.
fn is_authority_itself(error: &Error) -> bool {
    matches!(error, Error::InvalidCertificate(CertificateError::Other(_)))
        && error.to_string().contains("CaUsedAsEndEntity")
}

/// Checks what Go checks of a certificate that needs no issuer: time, use, and name.
fn check_all_but_signature(
    certificate: &CertificateDer<'_>,
    server_name: &ServerName<'_>,
    now: UnixTime,
) -> Result<ServerCertVerified, Error> {
    let encoding = || Error::InvalidCertificate(CertificateError::BadEncoding);
    let facts = Certificate::from_der(certificate).map_err(|_| encoding())?;
    let facts = facts.tbs_certificate();
    let at = |time: x509_cert::time::Time| UnixTime::since_unix_epoch(time.to_unix_duration());
    let (not_before, not_after) = (at(facts.validity().not_before), at(facts.validity().not_after));
    if now.as_secs() < not_before.as_secs() {
        let early = CertificateError::NotValidYetContext { time: now, not_before };
        return Err(Error::InvalidCertificate(early));
    }
    if now.as_secs() > not_after.as_secs() {
        let late = CertificateError::ExpiredContext { time: now, not_after };
        return Err(Error::InvalidCertificate(late));
    }
    let uses = facts.get_extension::<ExtendedKeyUsage>().map_err(|_| encoding())?;
    if uses.is_some_and(|(_, uses)| !uses.0.iter().any(|purpose| is_for_servers(&purpose.to_string()))) {
        return Err(Error::InvalidCertificate(CertificateError::InvalidPurpose));
    }
    verify_server_name(&ParsedCertificate::try_from(certificate)?, server_name)?;
    Ok(ServerCertVerified::assertion())
}

/// Returns true for `serverAuth`, or any purpose.
fn is_for_servers(purpose: &str) -> bool {
    ["1.3.6.1.5.5.7.3.1", "2.5.29.37.0"].contains(&purpose)
}

/// The three parts of a certificate: the signed part, the algorithm, and the signature.
struct Signed {
    message: Vec<u8>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
}

impl Signed {
    fn read(certificate: &CertificateDer<'_>) -> Option<Self> {
        let outer = pkcs8::der::asn1::AnyRef::from_der(certificate).ok()?;
        let mut reader = SliceReader::new(outer.value()).ok()?;
        let message = reader.tlv_bytes().ok()?.to_vec();
        let algorithm = reader.tlv_bytes().ok()?.to_vec();
        let signature = pkcs8::der::asn1::BitStringRef::decode(&mut reader).ok()?.as_bytes()?.to_vec();
        Some(Self { message, algorithm, signature })
    }
}

/// Compares identifiers of algorithms. webpki's are those of DER without the SEQUENCE around them.
fn is_inside(identifier: &[u8], sequence: &[u8]) -> bool {
    pkcs8::der::asn1::AnyRef::from_der(sequence).is_ok_and(|sequence| sequence.value() == identifier)
}

/// Trusts every certificate: `--insecure-skip-tls-verify`.
#[derive(Debug)]
pub(super) struct Anything;

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ECDSA_NISTP384_SHA384,
            SignatureScheme::ECDSA_NISTP521_SHA512,
            SignatureScheme::ED25519,
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::RSA_PSS_SHA384,
            SignatureScheme::RSA_PSS_SHA512,
            SignatureScheme::RSA_PKCS1_SHA256,
            SignatureScheme::RSA_PKCS1_SHA384,
            SignatureScheme::RSA_PKCS1_SHA512,
        ]
    }
}
