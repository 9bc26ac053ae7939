//! What becomes of a connection, found out from a chain of errors and said as kubectl says it.

use std::error::Error as StdError;
use std::io::ErrorKind;
use std::time::Duration;

use hyper_util::client::legacy;

use crate::error::Error;

const CHECK_ADDRESS: &str = "a login page or a proxy may have answered in its place; check the server's address: \
    kubectl config view --minify";

/// Why there was no answer, or no whole one.
pub(super) enum Trouble {
    ConnectionRefused,
    NoSuchHost,
    NoRoute(String),
    /// What is wrong, and what to do about it.
    Tls(String, &'static str),
    Dropped,
    TooSlow(Duration),
    /// There was no end to the answer after so many bytes.
    TooLarge(usize),
    /// The answer is not the one to the request.
    Wrong {
        instead: &'static str,
        wanted: String,
    },
}

/// Whether the API server may have got the request before the trouble came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    No,
    Perhaps,
}

pub(super) fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

/// Finds out what happened, and whether the request had been sent by then.
pub(super) fn of(error: &(dyn StdError + 'static)) -> (Trouble, Sent) {
    let never_sent = chain(error).any(|e| e.downcast_ref().is_some_and(legacy::Error::is_connect));
    let tls = chain(error).find_map(tls_error);
    // With TLS 1.3 the server's word on the client's certificate comes after the handshake, before it reads on.
    let turned_away = matches!(tls, Some(rustls::Error::AlertReceived(_)));
    let trouble = match tls {
        Some(tls) => tls_words(tls),
        None if never_sent => connect_trouble(error),
        None => Trouble::Dropped,
    };
    (trouble, if never_sent || turned_away { Sent::No } else { Sent::Perhaps })
}

/// The error of rustls that an I/O error may carry, in an I/O error of its own (hyper-rustls wraps it twice).
fn tls_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    match error.downcast_ref::<std::io::Error>() {
        Some(wrapper) => tls_error(wrapper.get_ref()?),
        None => error.downcast_ref(),
    }
}

fn tls_words(error: &rustls::Error) -> Trouble {
    use rustls::{AlertDescription as Alert, CertificateError as Bad};
    let check = "check certificate-authority in the kubeconfig, or --certificate-authority";
    let (what, hint) = match error {
        rustls::Error::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer => {
                ("failed to verify certificate: x509: certificate signed by unknown authority", check)
            }
            Bad::Expired | Bad::ExpiredContext { .. } => (
                "failed to verify certificate: x509: certificate has expired",
                "the API server's certificate must be renewed",
            ),
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => (
                "failed to verify certificate: x509: certificate is not valid for this name",
                "check the server's address, or name the one in its certificate with --tls-server-name",
            ),
            Bad::Other(_) if bad.to_string().contains("CaUsedAsEndEntity") => (
                "failed to verify certificate: x509: the server shows a certificate authority's own certificate",
                "kubectl accepts that, this program does not: have the server's certificate made anew",
            ),
            _ => ("failed to verify certificate: x509: certificate can't be used", check),
        },
        rustls::Error::AlertReceived(Alert::CertificateExpired) => (
            "the server says that your client certificate has expired",
            "log in again, or renew the certificate",
        ),
        rustls::Error::AlertReceived(
            Alert::CertificateRequired | Alert::BadCertificate | Alert::UnknownCA,
        ) => (
            "the server does not accept your client certificate",
            "check client-certificate in the kubeconfig",
        ),
        rustls::Error::InvalidMessage(_) => (
            "first record does not look like a TLS handshake",
            "is the server's address https where it should be http?",
        ),
        _ => ("the handshake failed", check),
    };
    Trouble::Tls(what.to_owned(), hint)
}

fn connect_trouble(error: &(dyn StdError + 'static)) -> Trouble {
    for error in chain(error) {
        // hyper-util's type for this is private; its text is not.
        if error.to_string().contains("dns error") {
            return Trouble::NoSuchHost;
        }
        match error.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
            Some(ErrorKind::ConnectionRefused) => return Trouble::ConnectionRefused,
            Some(ErrorKind::TimedOut) => return Trouble::NoRoute("i/o timeout".to_owned()),
            Some(ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
                return Trouble::NoRoute("connection reset by peer".to_owned());
            }
            Some(ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable) => {
                return Trouble::NoRoute("no route to host".to_owned());
            }
            _ => {}
        }
    }
    Trouble::NoRoute("the connection could not be made".to_owned())
}

impl Trouble {
    pub(super) fn in_words(&self, server: &str) -> Error {
        match self {
            Trouble::ConnectionRefused => Error::in_kubectls_words(format!(
                "The connection to the server {server} was refused - did you specify the right host or port?"
            ))
            .hint("see which cluster is meant: kubectl config current-context"),
            Trouble::NoSuchHost => Error::in_kubectls_words(format!(
                "Unable to connect to the server: dial tcp: lookup {server}: no such host"
            ))
            .hint("check the server's address: kubectl config view --minify"),
            Trouble::NoRoute(what) => Error::in_kubectls_words(format!(
                "Unable to connect to the server: dial tcp {server}: {what}"
            ))
            .hint("check the network, the VPN and the proxy (HTTPS_PROXY, NO_PROXY, proxy-url)"),
            Trouble::Tls(what, hint) => {
                Error::in_kubectls_words(format!("Unable to connect to the server: tls: {what}")).hint(hint)
            }
            Trouble::Dropped => {
                Error::failed(format!("{server} closed the connection before it had answered"))
                    .hint("try again; if it happens every time, look at what is between you and the server")
            }
            Trouble::TooSlow(limit) => {
                Error::failed(format!("{server} gave no answer within {} s", limit.as_secs_f64()))
                    .hint("try again, or give it more time with --request-timeout=2m")
            }
            Trouble::TooLarge(bytes) => {
                Error::failed(format!("{server} gave an answer without an end: {} MiB so far", bytes >> 20))
                    .hint(CHECK_ADDRESS)
            }
            Trouble::Wrong { instead, wanted } => Error::failed(format!(
                "{server} does not answer as a Kubernetes API server: it gave {instead} instead of {wanted}"
            ))
            .hint(CHECK_ADDRESS),
        }
    }
}
