//! Recognises texts of others that quote a value, so that no line shows one by way of the server.
//!
//! An admission webhook may quote what it was sent, or what is stored, in its refusal or in a warning: whole
//! or in part, plain or encoded. This program never quotes a value itself, but shows the server's words. No
//! value is kept for this: only hashes of its pieces, made when it is read or sent.

mod decoding;
mod recogniser;
mod secrets;

use std::cell::RefCell;

use self::recogniser::Recogniser;

const REPEATS: &str = "[not shown: it repeats a value]";
const MAY_REPEAT: &str = "[not shown: it may repeat a value]";

/// The longest part of a text that is checked and shown, in bytes: most of it is cut off anyway.
const LONGEST: usize = 2048;

/// Text that API servers write of their own accord, and common beginnings. A value that is a kubeconfig, a
/// manifest or a certificate shares pieces with it, and they reveal nothing.
const ORDINARY: &str = "AlreadyExists Forbidden NotFound Conflict Invalid TooManyRequests InternalError BadRequest \
    ServiceUnavailable Unauthorized Timeout secrets \"\" is forbidden: User \"\" cannot create resource \"secrets\" in API \
    group \"\" in the namespace \"\": namespaces \"\" not found, already exists. at the cluster scope get list watch update \
    patch delete Internal error occurred: failed calling webhook admission webhook \"\" denied the request: the server \
    could not find the requested resource Operation cannot be fulfilled on secrets \"\": the object has been modified; \
    please apply your changes to the latest version and try again Too many requests, please try again later. is invalid: \
    field is immutable when `immutable` is set Precondition failed: UID in precondition: UID in object meta: etcdserver: \
    request timed out leader changed rpc error: code = Unavailable desc = error reading from server: EOF context deadline \
    exceeded connection refused Timeout: request did not complete within the requested timeout the server is currently \
    unable to handle the request the server has received too many requests and has asked us to try again later the server was \
    unable to return a response in the time allotted, but may still be processing the request The provided continue \
    parameter is too old to display a consistent list result. You can start a new list without the continue parameter. \
    -----BEGIN CERTIFICATE----- -----END RSA PRIVATE KEY----- https:// .svc.cluster.local \
    kubernetes.io/ true false null default";

/// The subject of a text.
#[derive(Default)]
pub(crate) struct Topic {
    /// The request's path and query, and the object's name, which reveal nothing.
    pub(crate) names: String,
    pub(crate) values: Values,
}

/// Tells whether the values that a text may quote are known.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Values {
    #[default]
    Known,
    Unknown,
}

#[derive(Default)]
pub(super) struct Redaction(RefCell<Recogniser>);

impl Redaction {
    /// Hides every text that repeats a piece of this value, from now on.
    pub(super) fn learn(&self, value: &[u8]) {
        self.0.borrow_mut().learn(value);
    }

    /// Hides texts that repeat a piece of a secret's values; `json` is an answer or a request.
    pub(super) fn learn_secret(&self, json: &[u8]) {
        secrets::each_value(json, |value| self.learn(value));
    }

    /// Hides texts that repeat a piece of the values on a page of a list. Of thousands it learns only as many
    /// as there is room for.
    pub(super) fn learn_list(&self, json: &[u8]) {
        if self.0.borrow().has_room() {
            secrets::each_value(json, |value| self.0.borrow_mut().learn_if_there_is_room(value));
        }
    }

    /// Returns somebody else's text, or a sentence in its place if it repeats a value, or may do so.
    pub(super) fn quotable(&self, text: &str, topic: &Topic) -> String {
        let text = beginning(text);
        if topic.is_ordinary(text) {
            return text.to_owned();
        }
        let (webhook, words) = apart(text);
        let is_unsure = topic.values == Values::Unknown || !self.0.borrow().has_room();
        let instead = match () {
            () if self.repeats(webhook, topic) => return REPEATS.to_owned(),
            () if self.repeats(words, topic) => REPEATS,
            () if is_unsure => MAY_REPEAT,
            () => words,
        };
        format!("{webhook}{instead}")
    }

    /// Reports whether a text contains a piece of a value.
    pub(super) fn repeats(&self, text: &str, topic: &Topic) -> bool {
        self.0.borrow().finds_in(text.as_bytes(), &[ORDINARY, &topic.names])
    }
}

impl Topic {
    /// Reports whether a text has only words that API servers use of their own accord, names of the request,
    /// and the user's name.
    pub(crate) fn is_ordinary(&self, text: &str) -> bool {
        let bare = |word: &str| word.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned();
        let is_name = |word: &str| self.names.split(['/', '?', '&', '=', ' ']).any(|name| name == word);
        let is_known = |word: &str| {
            !word.is_empty()
                && (is_name(word) || ORDINARY.split_whitespace().any(|known| bare(known) == word))
        };
        let text = beginning(text);
        let before = std::iter::once("").chain(text.split_whitespace());
        before.zip(text.split_whitespace()).all(|(before, word)| {
            let (bare, is_mark) = (bare(word), word.len() < 4);
            before == "User" && word.starts_with('"')
                || bare.is_empty() && is_mark
                || is_known(&bare)
                || bare.split('.').all(is_known)
        })
    }
}

/// Returns the part of a text that is checked.
fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

/// Splits a refusal into the API server's words, which name the webhook, and the webhook's own.
fn apart(text: &str) -> (&str, &str) {
    let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    let end = text.strip_prefix("admission webhook \"").and_then(|rest| {
        let (name, words) = rest.split_once("\" denied the request: ")?;
        is_name(name).then_some(text.len() - words.len())
    });
    text.split_at(end.unwrap_or_default())
}

#[cfg(test)]
mod tests;
