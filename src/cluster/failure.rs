//! Why a request did not succeed, and how kubectl would say it.
//!
//! The server's own text of an invalid object quotes the object, environment and all (3 KB of Go for a Job's
//! template), so of that only the fields and the reasons are kept.

use std::error::Error as StdError;
use std::io::ErrorKind;
use std::time::Duration;

use http::StatusCode;
use hyper_util::client::legacy;
use kube::core::Status;

use crate::error::Error;

/// The longest text of a server that is repeated: beyond it is a page of HTML or a dump.
const LONGEST_TEXT: usize = 400;

const NOT_TAKEN: &str = "the server did not take it; nothing was changed";

/// A request without success.
pub(crate) struct Failure {
    cause: Cause,
    server: String,
}

enum Cause {
    /// The server answered with an error.
    Refused { status: Box<Status>, code: u16, retry_after: Option<Duration> },
    /// There was no answer, or no whole one.
    Lost { trouble: Trouble, effect: Effect },
}

/// What a request may have changed that has no answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing: it only reads, or never arrived.
    None,
    Unknown,
}

enum Trouble {
    ConnectionRefused,
    NoSuchHost,
    NoRoute(String),
    Tls(String, &'static str),
    Dropped,
    TooSlow(Duration),
    Unreadable,
}

impl Failure {
    pub(super) fn refused(server: &str, code: StatusCode, body: &[u8], header: Option<Duration>) -> Self {
        let status = serde_json::from_slice::<Status>(body).ok().filter(|status| !status.message.is_empty());
        let status = Box::new(status.unwrap_or_else(|| not_a_status(code)));
        let detail = status.details.as_ref().map(|details| u64::from(details.retry_after_seconds));
        let retry_after = header.or(detail.filter(|seconds| *seconds > 0).map(Duration::from_secs));
        let cause = Cause::Refused { status, code: code.as_u16(), retry_after };
        Self { cause, server: server.to_owned() }
    }

    pub(super) fn too_slow(server: &str, limit: Duration, effect: Effect) -> Self {
        Self::without_answer(server, Trouble::TooSlow(limit), effect)
    }

    pub(super) fn unreadable(server: &str) -> Self {
        Self::without_answer(server, Trouble::Unreadable, Effect::None)
    }

    /// Finds out from a chain of errors what became of the connection.
    pub(super) fn lost(server: &str, error: &(dyn StdError + 'static), effect: Effect) -> Self {
        let never_sent = chain(error).any(|e| e.downcast_ref().is_some_and(legacy::Error::is_connect));
        let trouble =
            chain(error).find_map(tls_trouble).or_else(|| never_sent.then(|| connect_trouble(error)));
        let untouched = never_sent || matches!(trouble, Some(Trouble::Tls(..)));
        let effect = if untouched { Effect::None } else { effect };
        Self::without_answer(server, trouble.unwrap_or(Trouble::Dropped), effect)
    }

    fn without_answer(server: &str, trouble: Trouble, effect: Effect) -> Self {
        Self { cause: Cause::Lost { trouble, effect }, server: server.to_owned() }
    }

    /// How long to wait before sending it again, or nothing where that is no use or could do it twice.
    ///
    /// 429 says that nothing was done, so it may be repeated whatever it was. Anything else only repeats a read.
    pub(super) fn pause_before_repeat(&self, effect: Effect, attempt: u32) -> Option<Duration> {
        let only_reads = effect == Effect::None;
        let growing = Duration::from_millis(100 << attempt.min(6));
        match &self.cause {
            Cause::Refused { code: 429, retry_after, .. } => Some(retry_after.unwrap_or(growing)),
            Cause::Refused { code: 502..=504, retry_after, .. } if only_reads => {
                Some(retry_after.unwrap_or(growing))
            }
            Cause::Lost { trouble: Trouble::Dropped, .. } if only_reads && attempt < 3 => Some(growing),
            _ => None,
        }
    }

    pub(crate) fn is_not_found(&self) -> bool {
        self.has_code(404)
    }

    /// A precondition did not hold: somebody else wrote in between.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(&self.cause, Cause::Refused { status, code: 409, .. } if status.reason != "AlreadyExists")
    }

    pub(crate) fn is_already_exists(&self) -> bool {
        matches!(&self.cause, Cause::Refused { status, .. } if status.reason == "AlreadyExists")
    }

    pub(crate) fn is_forbidden(&self) -> bool {
        self.has_code(403)
    }

    /// The request may have been carried out although there was no answer.
    pub(crate) fn has_unknown_effect(&self) -> bool {
        matches!(self.cause, Cause::Lost { effect: Effect::Unknown, .. })
    }

    /// The server may be able to do it in a moment: it is overloaded, starting or stopping.
    pub(crate) fn may_pass(&self) -> bool {
        match self.cause {
            Cause::Refused { code, .. } => matches!(code, 429 | 500 | 502..=504),
            Cause::Lost { .. } => true,
        }
    }

    /// The same, once a look has shown that nothing was done.
    pub(crate) fn without_effect(mut self) -> Self {
        if let Cause::Lost { effect, .. } = &mut self.cause {
            *effect = Effect::None;
        }
        self
    }

    /// What the server answered, as JSON; null where there was no answer.
    pub(crate) fn status(&self) -> serde_json::Value {
        match &self.cause {
            Cause::Refused { status, .. } => serde_json::to_value(status).unwrap_or_default(),
            Cause::Lost { .. } => serde_json::Value::Null,
        }
    }

    /// The fields that the server calls invalid, each with its reason, for a 422.
    fn invalid_fields(&self) -> Vec<(String, String)> {
        let Cause::Refused { status, code: 422, .. } = &self.cause else { return Vec::new() };
        let causes = status.details.iter().flat_map(|details| &details.causes);
        causes.map(|cause| (cause.field.clone(), reason_only(&cause.message))).collect()
    }

    fn has_code(&self, wanted: u16) -> bool {
        matches!(self.cause, Cause::Refused { code, .. } if code == wanted)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let error = match &failure.cause {
            Cause::Refused { status, code, .. } => refusal(&failure, status, *code),
            Cause::Lost { trouble, .. } => trouble.in_words(&failure.server),
        };
        if failure.has_unknown_effect() {
            error.hint("it is not known whether the server did it: look before you repeat the command")
        } else {
            error
        }
    }
}

fn refusal(failure: &Failure, status: &Status, code: u16) -> Error {
    let text = shortened(&status.message);
    match (code, status.reason.as_str()) {
        (401, _) => Error::in_kubectls_words("error: You must be logged in to the server (Unauthorized)")
            .hint(
                "log in again, or check the user of the kubeconfig's context: kubectl config view --minify",
            ),
        (422, _) => invalid(failure, status, &text),
        (_, "AlreadyExists") => {
            Error::in_kubectls_words(format!("Error from server (AlreadyExists): {text}"))
        }
        (403, _) => Error::in_kubectls_words(format!("Error from server (Forbidden): {text}"))
            .hint("ask whoever runs the cluster for that right; the README lists what each command needs"),
        (404, _) => Error::in_kubectls_words(format!("Error from server (NotFound): {text}"))
            .hint("check the name, and the namespace: --project, --namespace, or else the context's"),
        (409, _) => Error::in_kubectls_words(format!("Error from server (Conflict): {text}")).hint(
            "somebody else changed it at the same moment; nothing was overwritten: run the command again",
        ),
        (429, _) => Error::in_kubectls_words(format!("Error from server (TooManyRequests): {text}"))
            .hint("the API server is overloaded; it did nothing: try again in a minute"),
        (500.., _) => {
            Error::in_kubectls_words(format!("Error from server ({}): {text}", reason(status, code)))
                .hint("the API server has a problem of its own: try again, then ask whoever runs it")
        }
        _ => Error::in_kubectls_words(format!("Error from server ({}): {text}", reason(status, code))),
    }
}

/// kubectl's form: `The Job "x" is invalid: spec.template: field is immutable`.
fn invalid(failure: &Failure, status: &Status, text: &str) -> Error {
    let Some(details) = status.details.as_ref().filter(|details| !details.causes.is_empty()) else {
        return Error::in_kubectls_words(format!("Error from server (Invalid): {text}")).hint(NOT_TAKEN);
    };
    let fields: Vec<String> =
        failure.invalid_fields().into_iter().map(|(field, reason)| format!("{field}: {reason}")).collect();
    let fields = match fields.as_slice() {
        [only] => only.clone(),
        several => format!("\n* {}", several.join("\n* ")),
    };
    Error::in_kubectls_words(format!("The {} \"{}\" is invalid: {fields}", details.kind, details.name))
        .hint(NOT_TAKEN)
}

/// Drops the value from `Invalid value: <value>: <reason>`, which may be a whole pod template.
fn reason_only(message: &str) -> String {
    for start in ["Invalid value: ", "Unsupported value: ", "Duplicate value: ", "Forbidden: "] {
        let Some(rest) = message.strip_prefix(start) else { continue };
        return match (
            start,
            rest.rsplit_once("\": ").or_else(|| rest.rsplit_once("}: ")).or(rest.rsplit_once(": ")),
        ) {
            ("Duplicate value: ", _) => "is there twice".to_owned(),
            ("Forbidden: ", _) | (_, None) => shortened(rest),
            (_, Some((_, reason))) => shortened(reason),
        };
    }
    shortened(message)
}

/// An answer that is no Kubernetes status, as a proxy's page.
fn not_a_status(code: StatusCode) -> Status {
    let what = code.canonical_reason().unwrap_or("an error");
    Status::failure(&format!("the server answered {} ({what}) without saying why", code.as_u16()), "")
}

fn reason(status: &Status, code: u16) -> String {
    match (status.reason.as_str(), code) {
        ("", 500) => "InternalError".to_owned(),
        ("", 503) => "ServiceUnavailable".to_owned(),
        ("", code) => code.to_string(),
        (reason, _) => reason.to_owned(),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        None => text.to_owned(),
        Some((end, _)) => format!("{} …", &text[..end]),
    }
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

/// The error of rustls that an I/O error may carry, in an I/O error of its own (hyper-rustls wraps it twice).
fn tls_trouble(error: &(dyn StdError + 'static)) -> Option<Trouble> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(tls_words(tls));
    }
    tls_trouble(error.downcast_ref::<std::io::Error>()?.get_ref()?)
}

fn tls_words(error: &rustls::Error) -> Trouble {
    use rustls::{AlertDescription as Alert, CertificateError as Bad};
    let check = "check certificate-authority in the kubeconfig, or --certificate-authority";
    let (what, hint) = match error {
        rustls::Error::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer => ("x509: certificate signed by unknown authority", check),
            Bad::Expired | Bad::ExpiredContext { .. } => {
                ("x509: certificate has expired", "the API server's certificate must be renewed")
            }
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => (
                "x509: certificate is not valid for this name",
                "check the server's address, or name the one in its certificate with --tls-server-name",
            ),
            Bad::Other(_) if bad.to_string().contains("CaUsedAsEndEntity") => (
                "x509: the server shows a certificate authority's own certificate",
                "kubectl accepts that, this program does not: have the server's certificate made anew",
            ),
            _ => ("x509: certificate can't be used", check),
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
    fn in_words(&self, server: &str) -> Error {
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
            Trouble::Tls(what, hint) => Error::in_kubectls_words(format!(
                "Unable to connect to the server: tls: failed to verify certificate: {what}"
            ))
            .hint(hint),
            Trouble::Dropped => {
                Error::failed(format!("{server} closed the connection before it had answered"))
                    .hint("try again; if it happens every time, look at what is between you and the server")
            }
            Trouble::TooSlow(limit) => {
                Error::failed(format!("{server} gave no answer within {} s", limit.as_secs_f64()))
                    .hint("try again, or give it more time with --request-timeout=2m")
            }
            Trouble::Unreadable => {
                Error::failed(format!("{server} answered something that is not Kubernetes"))
                    .hint("check the server's address: kubectl config view --minify")
            }
        }
    }
}
