//! Certificates of the cluster and of its clients.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::SystemTime;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

/// The validity of a client's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    Valid,
    Expired,
}

/// A server's certificate with something odd about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Odd {
    /// Signed by itself, and no authority.
    SelfSigned,
    /// Signed by itself, and an authority.
    SelfSignedAuthority,
    /// Signed by the cluster's authority, and an authority too.
    AuthorityOfAuthority,
    /// Signed by itself, years ago.
    Expired,
    /// Signed by itself, for years to come.
    NotYetValid,
    /// Signed by itself, for another name.
    ForAnotherName,
    /// Signed by itself, to be shown by clients.
    ForClients,
    /// Signed by a certificate that is not an authority, but is named as the one to trust.
    OfNoAuthority,
    /// Signed by a certificate that is not an authority, and an authority by its own account.
    AuthorityOfNoAuthority,
}

/// The kind of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    P256,
    P384,
    Ed25519,
}

/// A certificate with its key.
pub(crate) struct Pair {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) certificate_pem: String,
    pub(crate) key_pem: String,
    key: PrivateKeyDer<'static>,
}

/// A certificate authority of its own.
pub(crate) struct Authority {
    certificate: CertificateDer<'static>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages =
            vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        let key = new_key();
        let certificate = params.self_signed(&key).expect("a certificate signs itself");
        let (der, pem) = (certificate.der().clone(), certificate.pem());
        Self { certificate: der, pem, issuer: Issuer::new(params, key) }
    }

    /// Returns the authority's certificate, for a kubeconfig.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// Returns a server's certificate for 127.0.0.1, localhost and `kubernetes.default.svc`.
    pub(crate) fn server(&self) -> Pair {
        let mut params = params("support");
        params.subject_alt_names = vec![
            SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            SanType::DnsName("localhost".try_into().expect("a DNS name")),
            SanType::DnsName("kubernetes.default.svc".try_into().expect("a DNS name")),
        ];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(&params)
    }

    /// Returns a server's certificate for the machine itself, with something odd about it.
    pub(crate) fn odd_server(&self, odd: Odd) -> Pair {
        let name = if odd == Odd::ForAnotherName { "api.example.com" } else { "localhost" };
        let mut params = params("support");
        params.subject_alt_names = vec![SanType::DnsName(name.try_into().expect("a DNS name"))];
        if odd != Odd::ForAnotherName {
            params.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        }
        match odd {
            Odd::SelfSignedAuthority | Odd::AuthorityOfAuthority | Odd::AuthorityOfNoAuthority => {
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            }
            Odd::Expired => {
                params.not_before = date_time_ymd(2001, 1, 1);
                params.not_after = date_time_ymd(2002, 1, 1);
            }
            Odd::NotYetValid => {
                params.not_before = date_time_ymd(2201, 1, 1);
                params.not_after = date_time_ymd(2202, 1, 1);
            }
            Odd::ForClients => params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
            Odd::SelfSigned | Odd::ForAnotherName | Odd::OfNoAuthority => {}
        }
        match odd {
            Odd::AuthorityOfAuthority => return self.sign(&params),
            Odd::OfNoAuthority | Odd::AuthorityOfNoAuthority => return signed_by_no_authority(&params),
            _ => {}
        }
        let key = new_key();
        let certificate = params.self_signed(&key).expect("a certificate signs itself");
        pair(&certificate, &key)
    }

    /// Returns a user's certificate with a key of this kind.
    pub(crate) fn client_with(&self, user: &str, kind: KeyKind) -> Pair {
        let algorithm = match kind {
            KeyKind::P256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            KeyKind::P384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            KeyKind::Ed25519 => &rcgen::PKCS_ED25519,
        };
        let key = KeyPair::generate_for(algorithm).expect("a key pair");
        let certificate = params(user).signed_by(&key, &self.issuer).expect("an authority signs");
        pair(&certificate, &key)
    }

    /// Returns a user's certificate.
    pub(crate) fn client(&self, user: &str, validity: Validity) -> Pair {
        let mut params = params(user);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if validity == Validity::Expired {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        }
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Pair {
        let key = new_key();
        let certificate = params.signed_by(&key, &self.issuer).expect("an authority signs");
        pair(&certificate, &key)
    }

    fn roots(&self) -> Arc<RootCertStore> {
        roots(self.certificate.clone())
    }

    /// Returns TLS for a server of this authority, which accepts its clients' certificates but does not ask
    /// for them.
    pub(crate) fn server_config(&self, pair: &Pair) -> ServerConfig {
        let verifier = WebPkiClientVerifier::builder_with_provider(self.roots(), provider())
            .allow_unauthenticated()
            .build()
            .expect("a verifier of clients");
        ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("TLS versions")
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![pair.certificate.clone()], pair.key.clone_key())
            .expect("a certificate that fits its key")
    }

    /// Returns TLS for a client that trusts this authority.
    pub(crate) fn client_config(&self) -> ClientConfig {
        client_config(self.roots())
    }
}

/// Returns TLS for a client that trusts the authority with this certificate.
pub(crate) fn client_trusting(ca_pem: &str) -> ClientConfig {
    let certificate = CertificateDer::from_pem_slice(ca_pem.as_bytes()).expect("a certificate as PEM");
    client_config(roots(certificate))
}

fn client_config(roots: Arc<RootCertStore>) -> ClientConfig {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn roots(authority: CertificateDer<'static>) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(authority).expect("an authority's certificate");
    Arc::new(roots)
}

/// A server's certificate and its authority's, as PEM.
pub struct Chain {
    /// Of `CN=web`, for `web.example.test` and 10.0.0.1.
    pub certificate: String,
    pub key: String,
    /// Of `CN=maker`.
    pub authority: String,
}

impl Chain {
    /// Makes a certificate that ends at one time, and an authority that ends at another.
    #[must_use]
    pub fn ending(certificate: SystemTime, authority: SystemTime) -> Self {
        let mut maker = params("maker");
        maker.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        maker.not_after = authority.into();
        let key = new_key();
        let signed = maker.self_signed(&key).expect("a certificate signs itself");
        let issuer = Issuer::new(maker, key);
        let mut own = params("web");
        own.not_after = certificate.into();
        own.subject_alt_names = vec![
            SanType::DnsName("web.example.test".try_into().expect("a DNS name")),
            SanType::IpAddress(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1))),
        ];
        let key = new_key();
        let certificate = own.signed_by(&key, &issuer).expect("an authority signs");
        Self { certificate: certificate.pem(), key: key.serialize_pem(), authority: signed.pem() }
    }
}

/// Returns a key for signing, as PEM: private, public.
pub(crate) fn signing_key() -> (String, String) {
    let key = new_key();
    (key.serialize_pem(), key.public_key_pem())
}

/// Returns a certificate with its signer's as PEM.
fn signed_by_no_authority(params: &CertificateParams) -> Pair {
    let (of_signer, key_of_signer) = (self::params("no-authority"), new_key());
    let signer = of_signer.self_signed(&key_of_signer).expect("a certificate signs itself");
    let key = new_key();
    let issuer = Issuer::new(of_signer, key_of_signer);
    let certificate = params.signed_by(&key, &issuer).expect("any key signs");
    Pair { certificate_pem: signer.pem(), ..pair(&certificate, &key) }
}

fn pair(certificate: &rcgen::Certificate, key: &KeyPair) -> Pair {
    Pair {
        certificate: certificate.der().clone(),
        certificate_pem: certificate.pem(),
        key_pem: key.serialize_pem(),
        key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("a key pair")
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
