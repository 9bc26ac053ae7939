//! Failures of requests, in kubectl's words.
//!
//! The server's own text about an invalid object quotes the object, its environment included (3 KB of Go for
//! a Job's template), so only the fields and the reasons of it are kept.

use std::error::Error as StdError;
use std::time::Duration;

use http::StatusCode;
use kube::core::Status;

use super::call::{Call, Effect};
use super::place::Impossible;
use super::proof::Wrong;
use super::transport_error::{self, Sent, TransportError};
use crate::command_line::CommandLine;
use crate::error::Error;
use crate::wording;
use crate::workload::Kind;

/// The longest text of a server that is repeated, in characters. Anything longer is a page of HTML or a dump.
const LONGEST_TEXT: usize = 400;

/// The most reasons of one refusal that are repeated.
const MOST_REASONS: usize = 20;

const NOT_KNOWN: &str = "it is not known whether the server did it";
const NOT_TAKEN: &str = "the server did not take it; nothing was changed";

/// A request that failed.
pub(crate) struct Failure {
    cause: Cause,
    /// The possible effect of the request.
    effect: Effect,
    /// The command that shows the state of the object.
    look: Option<String>,
    server: String,
}

enum Cause {
    /// The server answered with an error.
    Refused {
        status: Box<Status>,
        /// The server's words, as they may be shown.
        said: Box<Status>,
        code: u16,
        retry_after: Option<Duration>,
        /// A reason that is known on this side.
        because: Option<String>,
        about: About,
    },
    /// There was no credential to send, so nothing was sent.
    NoCredential(Error),
    /// There was no answer, or only part of one.
    Lost(TransportError),
    /// The server has no objects of this kind at all.
    NotServed { kind: &'static str, group: &'static str, missing: Missing },
    /// The server knows no such path.
    NoPath,
    /// No object can have this name, so nothing was asked.
    NoName(Impossible),
    /// The request would be longer than any server accepts.
    TooLong,
}

impl Cause {
    fn answered(status: Box<Status>, code: StatusCode, retry_after: Option<Duration>, call: &Call) -> Self {
        let mut said = status.clone();
        for (number, cause) in said.details.iter_mut().flat_map(|details| &mut details.causes).enumerate() {
            if number < MOST_REASONS {
                cause.message = reason_only(&cause.message);
            } else {
                // Further reasons are counted, and not shown.
                (cause.field, cause.message) = Default::default();
            }
        }
        let about = about(&status, call);
        Self::Refused { status, said, code: code.as_u16(), retry_after, because: None, about }
    }
}

/// The object that a refusal is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    ThisObject,
    /// Another object, of something in between.
    Another,
}

/// The part that the server lacks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Group,
    Kind,
}

impl Failure {
    pub(super) fn refused(
        server: &str,
        code: StatusCode,
        body: &[u8],
        header: Option<Duration>,
        call: &Call,
    ) -> Self {
        if code == StatusCode::NOT_FOUND && is_no_path(body) {
            return Self::new(server, Cause::NoPath);
        }
        let status = serde_json::from_slice::<Status>(body).ok().filter(|status| !status.message.is_empty());
        let status = Box::new(status.unwrap_or_else(|| not_a_status(code)));
        let detail = status.details.as_ref().map(|details| u64::from(details.retry_after_seconds));
        let retry_after = header.or(detail.filter(|seconds| *seconds > 0).map(Duration::from_secs));
        let failure = Self::new(server, Cause::answered(status, code, retry_after, call));
        // A proxy that gives up (504), or a server that fails afterwards (500), may have passed the request
        // on before.
        if code.is_server_error() { failure.after(call) } else { failure }
    }

    /// Returns every text of the server.
    pub(super) fn texts(&self) -> Vec<&str> {
        let Cause::Refused { said, code, .. } = &self.cause else { return Vec::new() };
        if says_nothing(said, *code) {
            return Vec::new();
        }
        let details = said.details.as_ref();
        let causes = details.iter().flat_map(|details| &details.causes);
        let texts = causes.flat_map(|cause| [&cause.field, &cause.message]);
        let named = details.iter().flat_map(|details| [&details.name, &details.kind]);
        texts.chain(named).chain([&said.message, &said.reason]).map(String::as_str).collect()
    }

    /// Passes every text of the server through `quotable`, before anything is cut off.
    pub(super) fn in_words_of(mut self, quotable: impl Fn(&str) -> String) -> Self {
        if let Cause::Refused { said, code, .. } = &mut self.cause
            && !says_nothing(said, *code)
        {
            let Status { message, reason, details, .. } = &mut **said;
            let mut texts = vec![message, reason];
            if let Some(details) = details {
                texts.extend([&mut details.name, &mut details.kind]);
                texts.extend(
                    details.causes.iter_mut().flat_map(|cause| [&mut cause.field, &mut cause.message]),
                );
            }
            for text in texts {
                *text = quotable(text);
            }
        }
        self
    }

    /// Builds the failure for a success code whose answer is not the one to this request.
    pub(super) fn wrong(server: &str, call: &Call, wrong: Wrong) -> Self {
        let cause = match wrong {
            Wrong::Refused(status) => Cause::answered(status, StatusCode::OK, None, call),
            Wrong::Instead(instead) => Cause::Lost(TransportError::Wrong { instead, wanted: call.wanted() }),
        };
        Self::new(server, cause).after(call)
    }

    /// Adds a reason that is known on this side.
    pub(super) fn because(mut self, known: String) -> Self {
        if let Cause::Refused { because, .. } = &mut self.cause {
            *because = Some(known);
        }
        self
    }

    /// Builds the failure for a request that had no credential.
    pub(super) fn without_credential(server: &str, error: Error) -> Self {
        Self::new(server, Cause::NoCredential(error))
    }

    /// Reads from a chain of errors how the connection failed.
    pub(super) fn lost(server: &str, error: &(dyn StdError + 'static), call: &Call) -> Self {
        let (trouble, sent) = transport_error::of(error);
        let failure = Self::new(server, Cause::Lost(trouble));
        if sent == Sent::No { failure } else { failure.after(call) }
    }

    pub(super) fn without_answer(server: &str, call: &Call, trouble: TransportError) -> Self {
        Self::new(server, Cause::Lost(trouble)).after(call)
    }

    pub(super) fn not_served(server: &str, kind: &Kind, missing: Missing) -> Self {
        Self::new(server, Cause::NotServed { kind: kind.name, group: kind.group, missing })
    }

    pub(super) fn impossible(server: &str, name: Impossible) -> Self {
        Self::new(server, Cause::NoName(name))
    }

    pub(super) fn too_long(server: &str) -> Self {
        Self::new(server, Cause::TooLong)
    }

    /// Builds the failure of a request that did nothing.
    fn new(server: &str, cause: Cause) -> Self {
        Self { cause, effect: Effect::None, look: None, server: server.to_owned() }
    }

    /// Marks the failure of a request that may have done something.
    fn after(self, call: &Call) -> Self {
        Self { effect: call.effect(), look: call.look(), ..self }
    }

    /// Returns how long to wait before sending it again, or none if that is useless or could do it twice.
    ///
    /// 429 says that nothing was done, as a stream of HTTP/2 that is refused does, so any request may be
    /// repeated. After other failures only reads are.
    pub(super) fn pause_before_repeat(&self, effect: Effect, attempt: u32) -> Option<Duration> {
        let only_reads = effect != Effect::Unknown;
        let growing = Duration::from_millis(100 << attempt.min(6));
        match &self.cause {
            Cause::Refused { code: 429, retry_after, .. } => Some(retry_after.unwrap_or(growing)),
            Cause::Refused { code: 502..=504, retry_after, .. } if only_reads && attempt < 3 => {
                Some(retry_after.unwrap_or(growing))
            }
            // A connection that was idle has ended; the next one may hold.
            Cause::Lost(TransportError::TurnedAway) if attempt == 1 => Some(Duration::ZERO),
            Cause::Lost(TransportError::TurnedAway) => Some(growing),
            Cause::Lost(TransportError::Dropped) if only_reads && attempt < 3 => Some(growing),
            _ => None,
        }
    }

    /// Returns true if the path is no collection of objects: the server does not have that type in that
    /// version.
    pub(super) fn is_unknown_type(&self) -> bool {
        match &self.cause {
            Cause::Refused { status, .. } => {
                let names_an_object = status.details.as_ref().is_some_and(|details| !details.name.is_empty());
                self.is_not_found() && !names_an_object
            }
            Cause::NoPath => true,
            _ => false,
        }
    }

    /// Returns true if the cluster has no objects of this kind at all.
    pub(super) fn is_not_served(&self) -> bool {
        matches!(self.cause, Cause::NotServed { .. })
    }

    /// Returns true if the server says that there is no such object, or that there can be none. A 404 page is
    /// not the server's word, and a 404 for another object does not count.
    pub(crate) fn is_not_found(&self) -> bool {
        match self.cause {
            Cause::Refused { about: About::Another, .. } => false,
            Cause::NoName(_) => true,
            _ => self.is_refused_as(404, "NotFound"),
        }
    }

    /// Returns true if a precondition did not hold: somebody else wrote in between.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(&self.cause, Cause::Refused { status, code: 409, .. } if status.reason != "AlreadyExists")
    }

    pub(crate) fn is_already_exists(&self) -> bool {
        self.is_refused_as(409, "AlreadyExists")
    }

    /// Returns true if somebody else wrote, deleted or made the object between the read and the write.
    pub(crate) fn is_beaten(&self) -> bool {
        self.is_conflict() || self.is_already_exists()
    }

    /// Returns the fields of a 422 that can never be changed.
    pub(crate) fn unchangeable_fields(&self) -> Vec<String> {
        let fields = self.invalid_fields().into_iter();
        fields.filter(|(_, reason)| reason.contains("field is immutable")).map(|(field, _)| field).collect()
    }

    /// Returns true if the server no longer has the version of the cluster that a list began on.
    pub(super) fn is_expired(&self) -> bool {
        matches!(self.cause, Cause::Refused { code: 410, .. })
    }

    pub(crate) fn is_forbidden(&self) -> bool {
        self.is_refused_as(403, "Forbidden")
    }

    /// Returns true if the server said no, for whatever reason.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self.cause, Cause::Refused { .. })
    }

    /// Returns true if the server saw no user.
    pub(super) fn is_of_nobody(&self) -> bool {
        let Cause::Refused { status, code: 403, .. } = &self.cause else { return false };
        status.message.contains("User \"system:anonymous\"")
    }

    /// Returns true if the request may have been carried out although there was no answer.
    pub(crate) fn has_unknown_effect(&self) -> bool {
        self.effect == Effect::Unknown
    }

    /// Returns true if the server may be able to do it in a moment: it is overloaded, starting or stopping.
    pub(crate) fn may_pass(&self) -> bool {
        match self.cause {
            Cause::Refused { code, .. } => matches!(code, 429 | 500 | 502..=504),
            Cause::Lost(_) => true,
            _ => false,
        }
    }

    /// Returns true if the answer is longer than any that an API server gives.
    pub(super) fn is_too_large(&self) -> bool {
        matches!(self.cause, Cause::Lost(TransportError::TooLarge(_)))
    }

    /// Returns the server's answer as JSON; null if there was none. For decisions only: it may quote a value.
    pub(crate) fn status(&self) -> serde_json::Value {
        match &self.cause {
            Cause::Refused { status, .. } => serde_json::to_value(status).unwrap_or_default(),
            _ => serde_json::Value::Null,
        }
    }

    /// Returns the fields that the server calls invalid, each with its reason, for a 422.
    fn invalid_fields(&self) -> Vec<(String, String)> {
        let Cause::Refused { said, code: 422, .. } = &self.cause else { return Vec::new() };
        let causes = said.details.iter().flat_map(|details| &details.causes);
        causes.map(|cause| (cause.field.clone(), shortened(&cause.message))).collect()
    }

    fn is_refused_as(&self, wanted: u16, reason: &str) -> bool {
        matches!(&self.cause, Cause::Refused { status, code, .. } if *code == wanted && status.reason == reason)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let error = match &failure.cause {
            Cause::Refused { said, code, because, .. } => {
                let error = refusal(&failure, said, *code);
                because.iter().fold(error, Error::first_hint)
            }
            Cause::Lost(trouble) => trouble.in_words(&failure.server),
            Cause::NoCredential(error) => error.clone(),
            Cause::NotServed { kind, group, missing } => not_served(kind, group, *missing),
            Cause::NoPath => {
                Error::failed(format!("{} does not know that path: 404", failure.server)).hint(format!(
                    "is it the API server of a Kubernetes cluster? check its address: {}",
                    CommandLine::kubectl("config view --minify")
                ))
            }
            Cause::NoName(name) => impossible(name),
            Cause::TooLong => Error::failed("the request would be too long for any server")
                .hint("give a shorter selector, or fewer names at once"),
        };
        match (failure.effect, &failure.look) {
            (Effect::None, _) => error,
            (Effect::Tried, _) => error.hint("that request was a dry run, which changes nothing"),
            (Effect::Unknown, None) => error.hint(format!("{NOT_KNOWN}: look before you repeat the command")),
            (Effect::Unknown, Some(look)) => {
                error.hint(format!("{NOT_KNOWN}: look before you repeat the command: {look}"))
            }
        }
    }
}

fn not_served(kind: &str, group: &'static str, missing: Missing) -> Error {
    let why = match missing {
        Missing::Group => format!("it does not serve the API group {group}"),
        Missing::Kind => format!("its API group {group} does not serve that kind"),
    };
    let look = CommandLine::kubectl("api-resources").arg(format!("--api-group={group}"));
    Error::failed(format!("the cluster has no {kind}: {why}"))
        .hint(format!("is this the right cluster? {look}"))
}

fn impossible(Impossible { what, name }: &Impossible) -> Error {
    let rule = match *what {
        "namespace" => "lower case letters, digits and '-', at most 63 characters",
        _ => "lower case letters, digits, '-' and '.', at most 253 characters",
    };
    Error::failed(format!("no {what} can have the name {:?}", shortened(name)))
        .hint(format!("a name has {rule}, and begins and ends with a letter or a digit"))
}

/// Tells whether a 404 is about the requested object: an API server names it.
fn about(status: &Status, call: &Call) -> About {
    let wanted = call.place.object().and_then(|objects| objects.name.as_ref());
    let named = status.details.as_ref().map(|details| &details.name).filter(|name| !name.is_empty());
    match wanted.zip(named) {
        Some((wanted, named)) if wanted != named => About::Another,
        _ => About::ThisObject,
    }
}

/// Recognizes how Go's HTTP servers say that they have no such path. An API server reports missing objects in
/// JSON.
fn is_no_path(body: &[u8]) -> bool {
    let text = body.trim_ascii();
    text.eq_ignore_ascii_case(b"404 page not found") || text.eq_ignore_ascii_case(b"404: page not found")
}

fn refusal(failure: &Failure, status: &Status, code: u16) -> Error {
    let text = shortened(&status.message);
    match (code, status.reason.as_str()) {
        (401, _) => Error::in_kubectls_words("error: You must be logged in to the server (Unauthorized)")
            .hint(format!(
                "log in again, or check the user of the kubeconfig's context: {}",
                CommandLine::kubectl("config view --minify")
            )),
        (422, _) => invalid(failure, status, &text),
        (_, "AlreadyExists") => {
            Error::in_kubectls_words(format!("Error from server (AlreadyExists): {text}"))
        }
        (403, _) => Error::in_kubectls_words(format!("Error from server (Forbidden): {text}"))
            .hint(what_forbids(&status.message)),
        (404, "NotFound") => Error::in_kubectls_words(format!("Error from server (NotFound): {text}"))
            .hint("check the name, and the namespace: --project, --namespace, or else the context's"),
        (409, _) => Error::in_kubectls_words(format!("Error from server (Conflict): {text}")).hint(
            "somebody else changed it at the same moment; nothing was overwritten: run the command again",
        ),
        (429, _) => Error::in_kubectls_words(format!("Error from server (TooManyRequests): {text}"))
            .hint("the API server is overloaded; it did nothing: try again in a minute"),
        (413 | 500.., _) if text.contains("too large") => {
            Error::in_kubectls_words(format!("Error from server ({}): {text}", reason(status, code)))
                .hint("the server's store takes no object of this size: spread it over several")
        }
        (500.., _) => {
            Error::in_kubectls_words(format!("Error from server ({}): {text}", reason(status, code)))
                .hint("the API server failed: try again, then ask its administrator")
        }
        _ => Error::in_kubectls_words(format!("Error from server ({}): {text}", reason(status, code)))
            .hint("the server did not understand or allow the request; -v shows which one it was"),
    }
}

/// Returns the hint for a 403, which stands for more than a missing right.
fn what_forbids(message: &str) -> &'static str {
    if message.contains("exceeded quota") {
        "a quota of the namespace is used up: kubectl describe quota -n NAMESPACE"
    } else if message.contains("being terminated") {
        "the namespace is being deleted: nothing can be created in it any more"
    } else if message.contains("admission webhook") || message.contains("denied the request") {
        "a policy of the cluster does not allow it: ask its administrator"
    } else {
        "ask the cluster's administrator for that right; docs/rights.md lists what each command needs"
    }
}

/// Writes kubectl's form: `The Job "x" is invalid: spec.template: field is immutable`.
fn invalid(failure: &Failure, status: &Status, text: &str) -> Error {
    let Some(details) = status.details.as_ref().filter(|details| !details.causes.is_empty()) else {
        return Error::in_kubectls_words(format!("Error from server (Invalid): {text}")).hint(NOT_TAKEN);
    };
    let all = failure.invalid_fields();
    let in_words = |(field, reason): &(String, String)| format!("{}: {reason}", shortened(field));
    let mut fields: Vec<String> = all.iter().take(MOST_REASONS).map(in_words).collect();
    if all.len() > MOST_REASONS {
        fields.push(format!("and {} more", all.len() - MOST_REASONS));
    }
    let fields = match fields.as_slice() {
        [only] => only.clone(),
        several => format!("\n* {}", several.join("\n* ")),
    };
    let [kind, name] = [&details.kind, &details.name].map(|text| shortened(text));
    Error::in_kubectls_words(format!("The {kind} \"{name}\" is invalid: {fields}")).hint(NOT_TAKEN)
}

/// Drops the value from `Invalid value: <value>: <reason>`; it may be a whole pod template.
fn reason_only(message: &str) -> String {
    if message.starts_with("Duplicate value: ") {
        return "is there twice".to_owned();
    }
    if let Some(rest) = message.strip_prefix("Forbidden: ") {
        return rest.to_owned();
    }
    let value =
        ["Invalid value: ", "Unsupported value: "].iter().find_map(|start| message.strip_prefix(start));
    let Some(value) = value else { return message.to_owned() };
    // A text is quoted as by Go's `%q`; a struct ends in a brace.
    let reason = match value.strip_prefix('"') {
        Some(text) => after_quotes(text).and_then(|rest| rest.strip_prefix(": ")),
        None => value.rsplit_once("}: ").or_else(|| value.split_once(": ")).map(|(_, reason)| reason),
    };
    reason.unwrap_or("is not accepted").to_owned()
}

/// Returns the text after the end of a quoted text.
fn after_quotes(text: &str) -> Option<&str> {
    let mut escaped = false;
    let end = text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    text.get(end + 1..)
}

/// Builds a status for an answer that is not a Kubernetes status, such as a proxy's page.
fn not_a_status(code: StatusCode) -> Status {
    let what = code.canonical_reason().unwrap_or("an error");
    Status::failure(&format!("the server answered {} ({what}) without saying why", code.as_u16()), "")
}

/// Returns true if its words are this program's, and not a server's.
fn says_nothing(status: &Status, code: u16) -> bool {
    StatusCode::from_u16(code).is_ok_and(|code| status.message == not_a_status(code).message)
}

fn reason(status: &Status, code: u16) -> String {
    match (status.reason.as_str(), code) {
        ("", 413) => "RequestEntityTooLarge".to_owned(),
        ("", 500) => "InternalError".to_owned(),
        ("", 503) => "ServiceUnavailable".to_owned(),
        ("", code) => code.to_string(),
        (reason, _) => reason.to_owned(),
    }
}

pub(super) fn shortened(text: &str) -> String {
    wording::shortened(text, LONGEST_TEXT)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::place::Place;
    use super::*;

    #[test]
    fn of_an_invalid_field_the_reason_is_kept_and_never_the_value() {
        for (message, reason) in [
            ("Invalid value: \"CANARY\": must be lower case", "must be lower case"),
            ("Invalid value: \"CANARY: CANARY\"", "is not accepted"),
            ("Invalid value: \"CANARY\\\": CANARY\": has a quote", "has a quote"),
            (
                "Invalid value: core.PodTemplateSpec{A:\"CANARY: x\"}: field is immutable",
                "field is immutable",
            ),
            ("Invalid value: 7: must be 1: or 2", "must be 1: or 2"),
            (
                "Unsupported value: \"CANARY\": supported values: \"A\", \"B\"",
                "supported values: \"A\", \"B\"",
            ),
            ("Duplicate value: \"CANARY\"", "is there twice"),
            ("Forbidden: may not change fields", "may not change fields"),
            ("Required value: must be there", "Required value: must be there"),
        ] {
            assert_eq!(reason_only(message), reason, "{message}");
        }
    }

    #[test]
    fn of_a_refusal_with_a_thousand_reasons_some_are_said() {
        let cause = |number: usize| json!({ "field": format!("spec[{number}]{}", "x".repeat(5_000)), "message": "Required value" });
        let causes: Vec<Value> = (0..1_000).map(cause).collect();
        let details = json!({ "kind": "Secret".repeat(1_000), "name": "s", "causes": causes });
        let body =
            json!({ "kind": "Status", "message": "m", "reason": "Invalid", "details": details }).to_string();
        let call = Call::get(Place::secret("ns", "s"));
        let failure = Failure::refused("api", StatusCode::UNPROCESSABLE_ENTITY, body.as_bytes(), None, &call);
        let said = Error::from(failure).to_string();
        assert!(said.len() < 20_000, "{}", said.len());
        assert!(said.contains("\n* spec[0]x") && said.contains("and 980 more"), "{said}");
    }
}
