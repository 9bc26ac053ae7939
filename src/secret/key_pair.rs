//! Certificates and private keys, parsed to compare their public halves.
//!
//! ring derives the public half of a P-256, P-384 or Ed25519 key. An RSA key contains its public half, and so
//! do most keys on other curves.

use pkcs8::der::asn1::ObjectIdentifier;
use pkcs8::der::{Decode, Encode};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair,
};
use x509_cert::Certificate;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;
use zeroize::Zeroizing;

use super::pem::Block;
use crate::moment::Moment;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const P224: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.33");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

const NO_MATCH: &str = "tls: private key does not match public key";
const OTHER_TYPE: &str = "tls: private key type does not match public key type";
const UNREADABLE: &str = "tls: failed to parse private key";
const OTHER_CURVE: &str = "x509: unsupported elliptic curve";

/// The result of a comparison.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Match {
    Pair,
    /// The key belongs to another certificate; in Go's words.
    Stranger(&'static str),
    /// Unknown: the public half of this kind of key can't be derived.
    Unknown,
}

/// The facts about a certificate.
pub(crate) struct CertificateFacts {
    /// The start and the end of its validity.
    pub(crate) from: Moment,
    pub(crate) until: Moment,
    pub(super) subject: Name,
    pub(super) issuer: Name,
    /// The names for which it is valid; none where they can't be read.
    pub(super) names: Vec<GeneralName>,
    public: Public,
}

/// A public key.
enum Public {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    Ec { curve: ObjectIdentifier, point: Vec<u8> },
    Ed25519(Vec<u8>),
    Other,
}

/// Reads a certificate.
///
/// # Errors
/// The certificate is malformed. Says why, in Go's words.
pub(crate) fn certificate(der: &[u8]) -> Result<CertificateFacts, &'static str> {
    const MALFORMED: &str = "x509: malformed certificate";
    let certificate = Certificate::from_der(der).map_err(|_| MALFORMED)?;
    let certificate = certificate.tbs_certificate();
    if certificate.serial_number().as_bytes().first().is_some_and(|first| first & 0x80 != 0) {
        return Err("x509: negative serial number");
    }
    let key = certificate.subject_public_key_info();
    let bytes = key.subject_public_key.as_bytes().ok_or(MALFORMED)?;
    let public = match key.algorithm.oid {
        RSA => {
            let key = pkcs1::RsaPublicKeyRef::try_from(bytes).map_err(|_| MALFORMED)?;
            Public::Rsa {
                modulus: key.modulus.as_bytes().to_vec(),
                exponent: key.public_exponent.as_bytes().to_vec(),
            }
        }
        EC => {
            let curve = key.algorithm.parameters.as_ref().ok_or(OTHER_CURVE)?;
            let curve = curve.decode_as::<ObjectIdentifier>().map_err(|_| OTHER_CURVE)?;
            Public::Ec { curve: known(curve)?, point: bytes.to_vec() }
        }
        ED25519 => Public::Ed25519(bytes.to_vec()),
        _ => Public::Other,
    };
    let validity = certificate.validity();
    let [from, until] =
        [validity.not_before, validity.not_after].map(|time| Moment::since_1970(time.to_unix_duration()));
    let (subject, issuer) = (certificate.subject().clone(), certificate.issuer().clone());
    let names = certificate.get_extension::<SubjectAltName>().ok().flatten();
    let names = names.map(|(_, names)| names.0).unwrap_or_default();
    Ok(CertificateFacts { from, until, subject, issuer, names, public })
}

/// Compares the key with the certificate. An error says why the key can't be read, in Go's words.
pub(crate) fn compare(certificate: &CertificateFacts, key: &Block<'_>) -> Result<Match, &'static str> {
    let der = key.content.as_slice();
    if let Ok(key) = pkcs1::RsaPrivateKeyRef::try_from(der) {
        return Ok(rsa(&certificate.public, &key));
    }
    if let Ok(key) = sec1::EcPrivateKey::from_der(der) {
        let curve = key.parameters.and_then(sec1::EcParameters::named_curve).ok_or(UNREADABLE)?;
        return ec(&certificate.public, curve, &key);
    }
    let key = pkcs8::PrivateKeyInfoRef::try_from(der).map_err(|_| UNREADABLE)?;
    let content = key.private_key.as_bytes();
    match key.algorithm.oid {
        RSA => {
            Ok(rsa(&certificate.public, &pkcs1::RsaPrivateKeyRef::try_from(content).map_err(|_| UNREADABLE)?))
        }
        EC => {
            let curve = key.algorithm.parameters_oid().map_err(|_| UNREADABLE)?;
            ec(&certificate.public, curve, &sec1::EcPrivateKey::from_der(content).map_err(|_| UNREADABLE)?)
        }
        ED25519 => ed25519(&certificate.public, content),
        _ => Err(UNREADABLE),
    }
}

/// The encoding of a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyForm {
    Pkcs1,
    Sec1,
    Pkcs8,
}

/// Returns the encoding of a key that belongs to the certificate, whatever its label says. An EC key gets its
/// public half and its leading zeros, which ring 0.17 requires and Go does not.
pub(crate) fn key_form(certificate: &CertificateFacts, key: &Block<'_>) -> (KeyForm, Zeroizing<Vec<u8>>) {
    let der = key.content.as_slice();
    if pkcs1::RsaPrivateKeyRef::try_from(der).is_ok() {
        return (KeyForm::Pkcs1, key.content.clone());
    }
    let whole = sec1::EcPrivateKey::from_der(der).ok().or_else(|| {
        let key = pkcs8::PrivateKeyInfoRef::try_from(der).ok()?;
        sec1::EcPrivateKey::from_der(key.private_key.as_bytes()).ok()
    });
    let made = whole.and_then(|key| completed(&certificate.public, &key));
    made.map_or_else(|| (KeyForm::Pkcs8, key.content.clone()), |made| (KeyForm::Sec1, made))
}

fn completed(public: &Public, key: &sec1::EcPrivateKey<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let Public::Ec { curve, point } = public else { return None };
    // A point is a byte and two coordinates.
    let scalar = padded(key.private_key, point.len().checked_sub(1)? / 2);
    let parameters = Some(sec1::EcParameters::NamedCurve(*curve));
    let whole = sec1::EcPrivateKey { private_key: &scalar, parameters, public_key: Some(point) };
    whole.to_der().ok().map(Zeroizing::new)
}

/// Adds the leading zeros that some programs leave out.
fn padded(scalar: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let scalar = &scalar[scalar.len().saturating_sub(length)..];
    let mut padded = Zeroizing::new(vec![0; length]);
    padded[length - scalar.len()..].copy_from_slice(scalar);
    padded
}

fn rsa(public: &Public, key: &pkcs1::RsaPrivateKeyRef<'_>) -> Match {
    let Public::Rsa { modulus, exponent } = public else { return Match::Stranger(OTHER_TYPE) };
    pair_if(modulus == key.modulus.as_bytes() && exponent == key.public_exponent.as_bytes())
}

fn ec(public: &Public, curve: ObjectIdentifier, key: &sec1::EcPrivateKey<'_>) -> Result<Match, &'static str> {
    let curve = known(curve)?;
    let Public::Ec { curve: expected, point } = public else { return Ok(Match::Stranger(OTHER_TYPE)) };
    if curve != *expected {
        return Ok(Match::Stranger(NO_MATCH));
    }
    match (curve, key.public_key) {
        (P256, _) => Ok(pair_if(is_ec_pair(&ECDSA_P256_SHA256_ASN1_SIGNING, 32, key.private_key, point))),
        (P384, _) => Ok(pair_if(is_ec_pair(&ECDSA_P384_SHA384_ASN1_SIGNING, 48, key.private_key, point))),
        (_, Some(own)) => Ok(pair_if(own == point)),
        (_, None) => Ok(Match::Unknown),
    }
}

fn is_ec_pair(algorithm: &'static EcdsaSigningAlgorithm, length: usize, scalar: &[u8], point: &[u8]) -> bool {
    let padded = padded(scalar, length);
    let random = ring::rand::SystemRandom::new();
    EcdsaKeyPair::from_private_key_and_public_key(algorithm, &padded, point, &random).is_ok()
}

fn ed25519(public: &Public, content: &[u8]) -> Result<Match, &'static str> {
    let Public::Ed25519(public) = public else { return Ok(Match::Stranger(OTHER_TYPE)) };
    // An OCTET STRING of 32 bytes in the other one (RFC 8410, section 7).
    let [0x04, 0x20, seed @ ..] = content else { return Err(UNREADABLE) };
    Ok(pair_if(Ed25519KeyPair::from_seed_and_public_key(seed, public).is_ok()))
}

fn known(curve: ObjectIdentifier) -> Result<ObjectIdentifier, &'static str> {
    if [P224, P256, P384, P521].contains(&curve) { Ok(curve) } else { Err(OTHER_CURVE) }
}

fn pair_if(same: bool) -> Match {
    if same { Match::Pair } else { Match::Stranger(NO_MATCH) }
}

/// Returns the public half of a private key in the form in which SSH sends it (RFC 4253, section 6.6); none if it
/// can't be told.
pub(super) fn ssh_blob(key: &Block<'_>) -> Option<Vec<u8>> {
    let der = key.content.as_slice();
    if let Ok(key) = pkcs1::RsaPrivateKeyRef::try_from(der) {
        return Some(rsa_blob(&key));
    }
    if let Ok(key) = sec1::EcPrivateKey::from_der(der) {
        return ec_blob(key.parameters.and_then(sec1::EcParameters::named_curve)?, key.public_key?);
    }
    let key = pkcs8::PrivateKeyInfoRef::try_from(der).ok()?;
    let content = key.private_key.as_bytes();
    match key.algorithm.oid {
        RSA => pkcs1::RsaPrivateKeyRef::try_from(content).ok().map(|key| rsa_blob(&key)),
        EC => {
            let inner = sec1::EcPrivateKey::from_der(content).ok()?;
            ec_blob(key.algorithm.parameters_oid().ok()?, inner.public_key?)
        }
        ED25519 => {
            let [0x04, 0x20, seed @ ..] = content else { return None };
            let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
            Some([string(b"ssh-ed25519"), string(pair.public_key().as_ref())].concat())
        }
        _ => None,
    }
}

fn rsa_blob(key: &pkcs1::RsaPrivateKeyRef<'_>) -> Vec<u8> {
    // A number whose first bit is set would be negative.
    let number = |bytes: &[u8]| {
        let zero: &[u8] = if bytes.first().is_some_and(|first| first & 0x80 != 0) { &[0] } else { &[] };
        string(&[zero, bytes].concat())
    };
    let (exponent, modulus) = (key.public_exponent.as_bytes(), key.modulus.as_bytes());
    [string(b"ssh-rsa"), number(exponent), number(modulus)].concat()
}

fn ec_blob(curve: ObjectIdentifier, point: &[u8]) -> Option<Vec<u8>> {
    let curve: &[u8] = match curve {
        P256 => b"nistp256",
        P384 => b"nistp384",
        P521 => b"nistp521",
        _ => return None,
    };
    Some([string(&[b"ecdsa-sha2-", curve].concat()), string(curve), string(point)].concat())
}

fn string(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap_or_default().to_be_bytes(), bytes].concat()
}
