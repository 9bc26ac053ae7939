//! The cryptography of connections: ring's, and the curve P-521, which Go supports and ring 0.17 does not
//! (briansmith/ring#824).

use std::sync::{Arc, LazyLock};

use p521::ecdsa::signature::Signer as _;
use p521::ecdsa::signature::hazmat::PrehashVerifier;
use p521::ecdsa::{Signature, SigningKey, VerifyingKey};
use pkcs8::der::Decode;
use pkcs8::der::asn1::ObjectIdentifier;
use ring::digest::{self, SHA256, SHA384, SHA512};
use rustls::crypto::{CryptoProvider, KeyProvider, WebPkiSupportedAlgorithms, ring as rustls_ring};
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, PrivateKeyDer, SignatureVerificationAlgorithm, alg_id,
};
use rustls::sign;
use rustls::{Error, SignatureAlgorithm, SignatureScheme};

const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
/// The bytes of a number on the curve.
const WIDTH: usize = 66;

/// Returns the one provider of the process.
pub(super) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(with_p521()));
    Arc::clone(&PROVIDER)
}

fn with_p521() -> CryptoProvider {
    let ring = rustls_ring::default_provider();
    let known = ring.signature_verification_algorithms;
    let all = known.all.iter().chain(&P521_ALGORITHMS).copied().collect::<Vec<_>>();
    let scheme = (SignatureScheme::ECDSA_NISTP521_SHA512, &P521_ALGORITHMS[..1]);
    let mapping = known.mapping.iter().copied().chain([scheme]).collect::<Vec<_>>();
    CryptoProvider {
        signature_verification_algorithms: WebPkiSupportedAlgorithms {
            all: Vec::leak(all),
            mapping: Vec::leak(mapping),
        },
        key_provider: &Keys,
        ..ring
    }
}

/// The first is for handshakes. The others occur in certificates, for which openssl uses SHA-256.
static P521_ALGORITHMS: [&dyn SignatureVerificationAlgorithm; 3] = [
    &Hashed { hash: &SHA512, signature: alg_id::ECDSA_SHA512 },
    &Hashed { hash: &SHA384, signature: alg_id::ECDSA_SHA384 },
    &Hashed { hash: &SHA256, signature: alg_id::ECDSA_SHA256 },
];

/// Checks P-521 signatures of one hash.
#[derive(Debug)]
struct Hashed {
    hash: &'static digest::Algorithm,
    signature: AlgorithmIdentifier,
}

impl SignatureVerificationAlgorithm for Hashed {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let key = VerifyingKey::from_sec1_bytes(public_key).map_err(|_| InvalidSignature)?;
        let signature = Signature::from_der(signature).map_err(|_| InvalidSignature)?;
        let hash = digest::digest(self.hash, message);
        // Leading zeros do not change a number. The crate refuses a SHA-256 hash without them.
        let mut number = [0; WIDTH];
        number[WIDTH - hash.as_ref().len()..].copy_from_slice(hash.as_ref());
        key.verify_prehash(&number, &signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P521
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

/// Reads ring's keys, and those on P-521.
#[derive(Debug)]
struct Keys;

impl KeyProvider for Keys {
    fn load_private_key(&self, der: PrivateKeyDer<'static>) -> Result<Arc<dyn sign::SigningKey>, Error> {
        match on_p521(&der) {
            Some(key) => Ok(Arc::new(Key(Arc::new(key)))),
            None => rustls_ring::default_provider().key_provider.load_private_key(der),
        }
    }
}

/// Returns the key if it is on P-521. Keys on curves are in SEC 1 here, with the name of the curve.
fn on_p521(der: &PrivateKeyDer<'_>) -> Option<SigningKey> {
    let PrivateKeyDer::Sec1(der) = der else { return None };
    let key = sec1::EcPrivateKey::from_der(der.secret_sec1_der()).ok()?;
    let curve = key.parameters?.named_curve()?;
    (curve == P521).then(|| SigningKey::from_slice(key.private_key).ok()).flatten()
}

/// A key on P-521. `Debug` does not show its number.
struct Key(Arc<SigningKey>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl sign::SigningKey for Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn sign::Signer>> {
        let known = offered.contains(&SignatureScheme::ECDSA_NISTP521_SHA512);
        known.then(|| Box::new(Self(Arc::clone(&self.0))) as Box<dyn sign::Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl sign::Signer for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature: Signature =
            self.0.try_sign(message).map_err(|_| Error::General("signing failed".to_owned()))?;
        Ok(signature.to_der().as_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP521_SHA512
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use rustls::pki_types::PrivateSec1KeyDer;

    use super::*;

    /// Made by openssl for this test, and used nowhere else.
    const KEY: &str = concat!(
        "MIHcAgEBBEIBBCrUjEBVpEkYy8J3shd7vh19WRp32o06xcFlvWX4f0QRvAVbX5uDHc8dbPpPaTCC2H7vkWJGRPJ9",
        "rChDJHlewxagBwYFK4EEACOhgYkDgYYABACTPRGM/QUQs8qCnIYsuGo2tIcBsy5J1IREZORro1d2JOy5+YJ2+3sg",
        "NAXFaNhSxapq9aTYEbWmDVK4cfsrwrZlAQD3I4xmRihzrWviOdABZWcl36CPbWTjv2qC8dUGgYmQEpSEYnGkwiBu",
        "mkERAym4lRFLf0Im/nuY14XsHr6XDAbpuw==",
    );

    fn key() -> Vec<u8> {
        BASE64_STANDARD.decode(KEY).unwrap()
    }

    fn point() -> Vec<u8> {
        sec1::EcPrivateKey::from_der(&key()).unwrap().public_key.unwrap().to_vec()
    }

    #[test]
    fn what_openssl_has_signed_on_p521_is_verified_with_each_of_its_hashes() {
        let signatures = [
            concat!(
                "MIGHAkEOCAjeC/zT9mOMUNm+om94Fk759N3IzX1Jt23Ov0/4I6jIx1UAZCMDsyvpwySsQ4qSFZDc12/jKy0THi8S",
                "lOWatAJCAKP/KyOTfB0fjymZygK8aVvrC374K3TnE3Yi91xdhUp9fWM1UYtAgS9536sI82ap4qnOqlvOjJ0EH+9o",
                "ku5PqODR",
            ),
            concat!(
                "MIGIAkIAlU35EYkJQ1tA1TBoY+eJTk+bIukJmxrgGhp6z9DW5pOsXYU1RthusXOBbuzsR6bpqYkcjyiBSyK2yzdr",
                "JqWvmwoCQgDBUDBxRSGZwIY8l5tTywJs+NRfYqqno1BMU7NFzHTkDDcFwzxO/D7FTuNWqIF3huCz67HU7X1t6Sst",
                "Wp4mMRRm4g==",
            ),
            concat!(
                "MIGIAkIAhRWOBDt1MQkGcyQafI6asiMMEH6j0p0sOMSpTfLmeb/DkQTeGmaN3sPW0BOiDzRpVwAwIA+cm+ulN8CE",
                "Usgz9W4CQgE6bQ26uRNpQjlTKwTFGPTIb5Ac5Gefdcmg5j96R094RvVWNADBAFcqrQtUT3qHd+rM+xb7LqjWVOa4",
                "L+6OZYgVIQ==",
            ),
        ];
        for (algorithm, signature) in P521_ALGORITHMS.iter().zip(signatures) {
            let signature = BASE64_STANDARD.decode(signature).unwrap();
            assert!(algorithm.verify_signature(&point(), b"message", &signature).is_ok());
            assert!(algorithm.verify_signature(&point(), b"another message", &signature).is_err());
            assert!(algorithm.verify_signature(&point(), b"message", &signature[1..]).is_err());
            assert!(algorithm.verify_signature(b"no point", b"message", &signature).is_err());
        }
    }

    #[test]
    fn a_key_on_p521_signs_what_its_public_half_verifies() {
        let loaded = provider().key_provider.load_private_key(PrivateSec1KeyDer::from(key()).into()).unwrap();
        assert!(loaded.choose_scheme(&[SignatureScheme::ECDSA_NISTP256_SHA256]).is_none());
        let signer = loaded.choose_scheme(&[SignatureScheme::ECDSA_NISTP521_SHA512]).unwrap();
        let signature = signer.sign(b"message").unwrap();
        assert!(P521_ALGORITHMS[0].verify_signature(&point(), b"message", &signature).is_ok());
        assert_eq!(format!("{loaded:?}"), "Key");
    }
}
