//! Failures of a connection, read from a chain of errors and told in kubectl's words.

use std::error::Error as StdError;
use std::fmt;
use std::io::ErrorKind;
use std::time::Duration;

use hyper_util::client::legacy;
use tower::BoxError;

use super::size::Limit;
use crate::command_line::CommandLine;
use crate::error::Error;

/// Returns the hint for an answer that no API server gives.
fn check_address() -> String {
    format!(
        "a login page or a proxy may have answered in its place; check the server's address: {}",
        CommandLine::kubectl("config view --minify")
    )
}

/// The reason why there was no answer, or only part of one.
pub(super) enum TransportError {
    ConnectionRefused,
    NoSuchHost,
    NoRoute(String),
    /// The failure of a proxy.
    Proxy(&'static str),
    /// The fault, and the hint for it.
    Tls(String, &'static str),
    Dropped,
    /// The stream, or the connection, ended before the server looked at the request.
    TurnedAway,
    TooSlow(Duration),
    /// Interim answers came, and no answer.
    Interim,
    /// The answer goes beyond this limit.
    TooLarge(Limit),
    /// The answer belongs to another request.
    Wrong {
        instead: &'static str,
        wanted: String,
    },
}

/// What broke a connection on this side of hyper.
#[derive(Debug)]
pub(super) enum Broken {
    /// Interim answers came, one after the other.
    Interim,
    /// The proxy that passes on requests can't be reached.
    Proxy(BoxError),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interim => "too many interim answers",
            Self::Proxy(_) => "the proxy can't be reached",
        })
    }
}

impl StdError for Broken {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Interim => None,
            Self::Proxy(error) => Some(error.as_ref()),
        }
    }
}

/// Tells whether the API server may have got the request before the failure.
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

/// Finds the failure, and whether the request had been sent by then.
pub(super) fn of(error: &(dyn StdError + 'static)) -> (TransportError, Sent) {
    let never_sent = chain(error).any(|e| e.downcast_ref().is_some_and(legacy::Error::is_connect));
    let tls = chain(error).find_map(tls_error);
    let turned_away =
        matches!(tls, Some(rustls::Error::AlertReceived(alert)) if is_about_a_certificate(*alert));
    let trouble = match tls {
        _ if let Some(Broken::Interim) = chain(error).find_map(<dyn StdError>::downcast_ref) => {
            TransportError::Interim
        }
        // Before all others, which would blame the server.
        _ if never_sent && let Some(what) = chain(error).find_map(of_a_proxy) => TransportError::Proxy(what),
        Some(tls) => tls_words(tls),
        None if never_sent => connect_trouble(error),
        None if chain(error).any(is_untouched) => TransportError::TurnedAway,
        None => TransportError::Dropped,
    };
    let is_unread = never_sent || turned_away || matches!(trouble, TransportError::TurnedAway);
    (trouble, if is_unread { Sent::No } else { Sent::Perhaps })
}

/// Recognizes that nothing was done with a request. Either the connection ended before it was sent, or a server
/// of HTTP/2 says so (RFC 9113, section 8.7): it refuses the stream, or goes away and names an earlier stream as
/// the last one.
fn is_untouched(error: &(dyn StdError + 'static)) -> bool {
    if error.downcast_ref().is_some_and(hyper::Error::is_canceled) {
        return true;
    }
    let Some(error) = error.downcast_ref::<h2::Error>().filter(|error| error.is_remote()) else {
        return false;
    };
    // h2 0.4 gives this error to the streams after the last one only.
    error.is_go_away() || (error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM))
}

/// Returns the error of rustls inside an I/O error. hyper-rustls 0.27 wraps it twice.
pub(super) fn tls_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    match error.downcast_ref::<std::io::Error>() {
        Some(wrapper) => tls_error(wrapper.get_ref()?),
        None => error.downcast_ref(),
    }
}

/// Recognizes alerts about the client's certificate. With TLS 1.3 these come after the handshake, before the
/// server reads on. Any other alert after the handshake may come after it has read the request.
fn is_about_a_certificate(alert: rustls::AlertDescription) -> bool {
    use rustls::AlertDescription as Alert;
    matches!(
        alert,
        Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::CertificateRequired
            | Alert::UnknownCA
            | Alert::AccessDenied
            // The signature by which a client proves that it has the key.
            | Alert::DecryptError
    )
}

fn tls_words(error: &rustls::Error) -> TransportError {
    use rustls::AlertDescription as Alert;
    let check = "check certificate-authority in the kubeconfig, or --certificate-authority";
    let (what, hint) = match error {
        rustls::Error::InvalidCertificate(bad) => return certificate_trouble(bad, check),
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
        rustls::Error::AlertReceived(Alert::ProtocolVersion) | rustls::Error::PeerIncompatible(_) => (
            "the server offers no TLS version or cipher that is safe enough",
            "kubectl too needs TLS 1.2 or 1.3: ask the cluster's administrator",
        ),
        rustls::Error::InvalidMessage(_) => (
            "first record does not look like a TLS handshake",
            "is the server's address https where it should be http?",
        ),
        _ => ("the handshake failed", check),
    };
    TransportError::Tls(what.to_owned(), hint)
}

/// Describes the fault of the server's certificate.
fn certificate_trouble(bad: &rustls::CertificateError, check: &'static str) -> TransportError {
    use rustls::CertificateError as Bad;
    let (what, hint) = match bad {
        Bad::UnknownIssuer => ("certificate signed by unknown authority", check),
        Bad::Expired | Bad::NotValidYet | Bad::ExpiredContext { .. } | Bad::NotValidYetContext { .. } => {
            return out_of_time(bad);
        }
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => (
            "certificate is not valid for this name",
            "check the server's address, or name the one in its certificate with --tls-server-name",
        ),
        Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. } => (
            "certificate specifies an incompatible key usage",
            "it is not a server's certificate: the API server needs a new one",
        ),
        Bad::BadEncoding => (
            "malformed certificate",
            "the API server's certificate can't be read: ask the cluster's administrator",
        ),
        Bad::UnhandledCriticalExtension => (
            "unhandled critical extension",
            "kubectl can't use it either: the API server needs a new certificate",
        ),
        Bad::BadSignature => (
            "certificate signed by unknown authority",
            "an authority of that name is known, but with another key: get certificate-authority from the cluster again",
        ),
        Bad::UnsupportedSignatureAlgorithmContext { .. }
        | Bad::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => (
            "its key or signature is of a kind that is not supported here",
            "RSA from 2048 bits, P-256, P-384, P-521 and Ed25519 are supported, with SHA-256 or stronger",
        ),
        Bad::Other(_) if bad.to_string().contains("CaUsedAsEndEntity") => (
            "the server shows a certificate authority's own certificate",
            "name that certificate itself as certificate-authority, or give the server a certificate of its own",
        ),
        _ => ("certificate can't be used", check),
    };
    TransportError::Tls(format!("failed to verify certificate: x509: {what}"), hint)
}

/// Returns Go's words for a certificate that has expired or is not yet valid.
fn out_of_time(bad: &rustls::CertificateError) -> TransportError {
    use rustls::CertificateError as Bad;
    let when = match bad {
        Bad::ExpiredContext { time, not_after } => {
            format!(": current time {} is after {}", in_words(*time), in_words(*not_after))
        }
        Bad::NotValidYetContext { time, not_before } => {
            format!(": current time {} is before {}", in_words(*time), in_words(*not_before))
        }
        _ => String::new(),
    };
    TransportError::Tls(
        format!("failed to verify certificate: x509: certificate has expired or is not yet valid{when}"),
        "either this machine's clock is wrong, or the API server needs a new certificate",
    )
}

fn in_words(time: rustls::pki_types::UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| "another age".to_owned(), |time| time.to_string())
}

/// Recognizes a proxy's failure by its text: hyper-util 0.1's types for it are private.
fn of_a_proxy(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    if let Some(Broken::Proxy(_)) = error.downcast_ref() {
        return Some("can't be reached");
    }
    let text = error.to_string();
    let known = [
        ("tunnel error: failed to create underlying connection", "can't be reached"),
        ("tunnel error: proxy authorization required", "refused the user and password"),
        ("tunnel error: unexpected end of file", "closed the connection"),
        ("tunnel error: ", "did not make the connection"),
        ("SOCKS error: failed to create underlying connection", "can't be reached"),
        ("SOCKS error: credentials not accepted", "refused the user and password"),
        ("SOCKS error: server does not support user/pass", "does not accept a user and password"),
        ("SOCKS error: server implements authentication incorrectly", "requires a user and a password"),
        ("SOCKS error: ", "did not make the connection"),
    ];
    known.into_iter().find(|(start, _)| text.starts_with(start)).map(|(_, what)| what)
}

fn connect_trouble(error: &(dyn StdError + 'static)) -> TransportError {
    for error in chain(error) {
        // hyper-util 0.1's type for this is private, so its text has to do.
        if error.to_string().contains("dns error") {
            return TransportError::NoSuchHost;
        }
        match error.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
            Some(ErrorKind::ConnectionRefused) => return TransportError::ConnectionRefused,
            Some(ErrorKind::TimedOut) => return TransportError::NoRoute("i/o timeout".to_owned()),
            Some(ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
                return TransportError::NoRoute("connection reset by peer".to_owned());
            }
            Some(ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable) => {
                return TransportError::NoRoute("no route to host".to_owned());
            }
            _ => {}
        }
    }
    TransportError::NoRoute("the connection could not be made".to_owned())
}

impl TransportError {
    pub(super) fn in_words(&self, server: &str) -> Error {
        match self {
            TransportError::ConnectionRefused => Error::in_kubectls_words(format!(
                "The connection to the server {server} was refused - did you specify the right host or port?"
            ))
            .hint(format!("see which cluster is meant: {}", CommandLine::kubectl("config view --minify"))),
            TransportError::NoSuchHost => Error::in_kubectls_words(format!(
                "Unable to connect to the server: dial tcp: lookup {server}: no such host"
            ))
            .hint(format!("check the server's address: {}", CommandLine::kubectl("config view --minify"))),
            TransportError::NoRoute(what) => Error::in_kubectls_words(format!(
                "Unable to connect to the server: dial tcp {server}: {what}"
            ))
            .hint("check the network, the VPN and the proxy (HTTPS_PROXY, NO_PROXY, proxy-url)"),
            TransportError::Proxy(what) => Error::in_kubectls_words(format!(
                "Unable to connect to the server: the proxy between here and {server} {what}"
            ))
            .hint("check the proxy's address, and the user and password in it: proxy-url in the kubeconfig, or HTTPS_PROXY"),
            TransportError::Tls(what, hint) => {
                Error::in_kubectls_words(format!("Unable to connect to the server: tls: {what}")).hint(hint)
            }
            TransportError::Dropped => {
                Error::failed(format!("{server} closed the connection before it answered"))
                    .hint("try again; if it happens every time, check the proxies between you and the server")
            }
            TransportError::TurnedAway => {
                Error::failed(format!("{server} turned the request away before it read it, each time")).hint("try again")
            }
            TransportError::TooSlow(limit) => {
                Error::failed(format!("{server} did not answer within {} s", limit.as_secs_f64()))
                    .hint("try again, or give it more time with --request-timeout=2m")
            }
            TransportError::Interim => {
                Error::failed(format!("{server} sends interim answers (HTTP 1xx) and no answer")).hint(check_address())
            }
            TransportError::TooLarge(limit) => {
                Error::failed(format!("{server} sends an answer that is too long: {}", limit.in_words()))
                    .hint(check_address())
            }
            TransportError::Wrong { instead, wanted } => Error::failed(format!(
                "{server} does not answer as a Kubernetes API server: it gave {instead} instead of {wanted}"
            ))
            .hint(check_address()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rustls::AlertDescription as Alert;

    use super::*;

    #[test]
    fn only_a_word_on_the_clients_certificate_means_that_the_request_was_not_read() {
        let sent = |alert| of(&std::io::Error::other(rustls::Error::AlertReceived(alert))).1;
        for alert in [Alert::CertificateRequired, Alert::CertificateExpired, Alert::UnknownCA] {
            assert!(sent(alert) == Sent::No, "{alert:?}");
        }
        for alert in [Alert::InternalError, Alert::BadRecordMac, Alert::UserCanceled, Alert::Unknown(200)] {
            assert!(sent(alert) == Sent::Perhaps, "{alert:?}");
        }
    }
}
