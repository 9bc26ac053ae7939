//! Trust in a server's certificate, decided as Go decides it, so that this connects wherever kubectl
//! connects.
//!
//! rustls 0.23 is stricter than Go in two ways: Go trusts a certificate that the kubeconfig names whether or
//! not it is an authority (kube-rs/kube#1767), and a server's certificate that calls itself an authority
//! (rustls/webpki#205). In a third way it is more lenient: it lets any named certificate vouch for another
//! one, Go only an authority.

mod verifier;

use std::sync::Arc;
use std::time::SystemTime;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};

use super::crypto;
use super::kubeconfig::Cluster;
use super::material::Field;
use crate::error::{Error, Result};
use crate::secret;

/// The certificates that may vouch for the server.
pub(super) enum Trust {
    /// The certificates that this machine trusts.
    Machine,
    /// The certificates that the kubeconfig names.
    Named(Vec<CertificateDer<'static>>),
    /// None is needed: insecure.
    Anything,
}

impl Trust {
    /// Reads the kubeconfig's choice of trust.
    ///
    /// # Errors
    /// The authority's certificates can't be read, or the kubeconfig asks both to check by them and not to
    /// check.
    pub(super) fn of(cluster: &Cluster, name: &str) -> Result<Self> {
        let names_one =
            cluster.certificate_authority.is_some() || cluster.certificate_authority_data.is_some();
        match (cluster.insecure_skip_tls_verify, names_one) {
            (true, true) => return Err(checked_and_not(name)),
            (true, false) => return Ok(Self::Anything),
            (false, _) => {}
        }
        let field = Field {
            name: "certificate-authority",
            file: "certificate-authority",
            of: "cluster",
            entry: name,
        };
        let data = cluster.certificate_authority_data.as_deref();
        let Some(bundle) = field.content(data, cluster.certificate_authority.as_deref())? else {
            return Ok(Self::Machine);
        };
        let blocks = secret::pem_blocks(&bundle);
        let certificates = blocks.iter().filter(|block| block.is_certificate() && !block.has_headers());
        // As with Go, one that can't be read does not spoil the others.
        let named: Vec<_> = certificates
            .filter(|block| secret::certificate_facts(&block.content).is_ok())
            .map(|block| CertificateDer::from(block.content.to_vec()))
            .collect();
        if named.is_empty() {
            let why = match secret::foreign_encoding(&bundle) {
                Some(fault) => format!("{} {fault}", field.shown()),
                None if blocks.is_empty() => "unable to parse bytes as PEM block".to_owned(),
                None => "no valid certificate authority data seen".to_owned(),
            };
            return Err(Error::failed(format!("unable to load root certificates: {why}"))
                .hint(format!("{} must be certificates in PEM", field.shown())));
        }
        Ok(Self::Named(named))
    }
}

fn checked_and_not(cluster: &str) -> Error {
    Error::failed("specifying a root certificates file with the insecure flag is not allowed").hint(format!(
        "the cluster \"{cluster}\" in the kubeconfig has a certificate-authority and insecure-skip-tls-verify: remove one \
         of them, or say which is meant: --insecure-skip-tls-verify=false"
    ))
}

/// Returns TLS settings for a client that shows this certificate, or none.
///
/// # Errors
/// The machine's own authorities can't be used.
pub(super) fn client_config(trust: &Trust, identity: Option<Arc<CertifiedKey>>) -> Result<ClientConfig> {
    let provider = crypto::provider();
    let builder = ClientConfig::builder_with_details(Arc::clone(&provider), Arc::new(Clock))
        .with_safe_default_protocol_versions()
        .map_err(|_| machine_trusts_nobody())?
        .dangerous()
        .with_custom_certificate_verifier(verifier(trust, &provider)?);
    Ok(match identity {
        Some(identity) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity))),
        None => builder.with_no_client_auth(),
    })
}

fn verifier(trust: &Trust, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>> {
    Ok(match trust {
        Trust::Anything => Arc::new(verifier::Anything),
        Trust::Machine => Arc::new(
            rustls_platform_verifier::Verifier::new(Arc::clone(provider))
                .map_err(|_| machine_trusts_nobody())?,
        ),
        Trust::Named(named) => {
            let mut roots = RootCertStore::empty();
            let may_sign = named.iter().filter(|named| verifier::is_authority(named));
            roots.add_parsable_certificates(may_sign.cloned());
            let authorities =
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
                    .build()
                    .ok();
            let algorithms = provider.signature_verification_algorithms;
            Arc::new(verifier::Named { certificates: named.clone(), authorities, algorithms })
        }
    })
}

fn machine_trusts_nobody() -> Error {
    Error::failed("this machine knows no certificate authority, and the kubeconfig names none").hint(
        "name the cluster's own: --certificate-authority=FILE, or certificate-authority in the kubeconfig",
    )
}

/// The machine's clock. The one of rustls-pki-types 1.16 panics if it shows a time before 1970.
#[derive(Debug)]
struct Clock;

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Some(UnixTime::since_unix_epoch(since_1970))
    }
}
