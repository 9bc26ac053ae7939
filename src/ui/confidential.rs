//! The values that are on their way, so that no line shows one by way of the server.
//!
//! An admission webhook may quote what it was sent in its refusal or in a warning: whole or in part, as it is, in base64
//! or escaped. Nothing of ours does, but its words are shown.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use crate::secret::SecretValue;

/// What is shorter is part of ordinary words; hiding it would only make lines unreadable.
const SHORTEST: usize = 4;
/// So many bytes in common with a value are no accident.
const PIECE: usize = 8;
/// Pieces of what API servers say of their own accord. A value that is a kubeconfig or a manifest has them too, and
/// they give nothing away.
const ORDINARY: &str = "AlreadyExists Forbidden NotFound Conflict Invalid TooManyRequests InternalError \
    ServiceUnavailable secrets \"\" is forbidden: User \"\" cannot create resource \"secrets\" in API group \"\" in the \
    namespace \"\": namespaces \"\" not found, already exists. Internal error occurred: failed calling webhook \
    admission webhook \"\" denied the request: the server could not find the requested resource";

#[derive(Default)]
pub(super) struct Confidential(RefCell<Vec<Hidden>>);

struct Hidden {
    key: String,
    value: Zeroizing<Vec<u8>>,
}

impl Confidential {
    /// From now on these values are replaced by the names of their keys.
    pub(super) fn add(&self, data: &BTreeMap<String, SecretValue>) {
        let mut all = self.0.borrow_mut();
        for (key, value) in data {
            if value.expose().trim_ascii().len() >= SHORTEST {
                all.push(Hidden { key: key.clone(), value: Zeroizing::new(value.expose().to_vec()) });
            }
        }
        // The longest first: it may begin with another one.
        all.sort_by_key(|hidden| Reverse(hidden.value.len()));
    }

    /// The text without any of the values.
    pub(super) fn remove_from(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for hidden in self.0.borrow().iter() {
            // No form is shorter than this one.
            if hidden.value.trim_ascii().len() > text.len() {
                continue;
            }
            for form in hidden.forms() {
                text = text.replace(form.as_str(), &format!("[value of {}]", hidden.key));
            }
        }
        text
    }

    /// A text that somebody else wrote: without the values, or a sentence in its place where a piece of one is in it.
    pub(super) fn quotable(&self, text: &str) -> String {
        let pieces = |text: &'static str| text.as_bytes().windows(PIECE).collect::<HashSet<_>>();
        let ordinary = pieces(ORDINARY);
        let telling: HashSet<&[u8]> =
            text.as_bytes().windows(PIECE).filter(|piece| !ordinary.contains(piece)).collect();
        let tells = |form: &[u8]| form.windows(PIECE).any(|piece| telling.contains(piece));
        let repeats = |hidden: &Hidden| {
            tells(&hidden.value) || hidden.forms().iter().any(|form| tells(form.as_bytes()))
        };
        if !telling.is_empty() && self.0.borrow().iter().any(repeats) {
            "[not shown: it repeats a value]".to_owned()
        } else {
            self.remove_from(text)
        }
    }
}

impl Hidden {
    /// The value as it may be quoted: as it is, escaped as by JSON, Go's JSON or Go's `%q`, and in base64.
    /// White space at its ends, such as the last line's end, is often lost on the way.
    fn forms(&self) -> Vec<Zeroizing<String>> {
        let trimmed = self.value.trim_ascii();
        let mut forms = vec![BASE64_STANDARD.encode(&*self.value), trimmed.escape_ascii().to_string()];
        if let Ok(text) = std::str::from_utf8(trimmed) {
            let json = serde_json::Value::from(text).to_string();
            let json = json[1..json.len() - 1].to_owned();
            let gos = json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
            forms.extend([text.to_owned(), json, gos]);
        }
        forms.into_iter().map(Zeroizing::new).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confidential(values: &[(&str, &str)]) -> Confidential {
        let confidential = Confidential::default();
        let value = |text: &str| SecretValue::from_bytes(text.as_bytes().to_vec());
        confidential.add(&values.iter().map(|(key, text)| ((*key).to_owned(), value(text))).collect());
        confidential
    }

    #[test]
    fn a_quoted_value_is_replaced_by_the_name_of_its_key() {
        let confidential = confidential(&[("token", "hunter2\n"), ("n", "1")]);
        assert_eq!(confidential.remove_from("denied: hunter2, 1"), "denied: [value of token], 1");
        assert_eq!(confidential.remove_from("denied: aHVudGVyMgo="), "denied: [value of token]");
        assert_eq!(confidential.quotable("denied: hunter2, 1"), "denied: [value of token], 1");
    }

    #[test]
    fn a_text_with_a_piece_of_a_value_is_not_quoted_at_all() {
        let confidential = confidential(&[("token", "a\"<&>\"b\\c\nhunter2-s3cret-hunter2")]);
        for text in ["hunter2-s…", "…s3cret-hun", "a\\\"\\u003c\\u0026", "a\\\"<&>\\\"b\\\\c", "YSI8Jj4iYlxj"]
        {
            assert_eq!(confidential.quotable(text), "[not shown: it repeats a value]", "{text}");
        }
        assert_eq!(confidential.quotable("hunter"), "hunter");
    }

    #[test]
    fn a_server_may_say_what_every_server_says() {
        let confidential =
            confidential(&[("kubeconfig", "contexts: [{context: {namespace: a, resource: b}}]")]);
        let text = "secrets \"s\" is forbidden: User \"jane\" cannot create resource \"secrets\" in API group \"\" in the \
            namespace \"d\"";
        assert_eq!(confidential.quotable(text), text);
    }

    #[test]
    fn the_longer_of_two_values_that_begin_alike_goes_whole() {
        let confidential = confidential(&[("a", "hunter"), ("b", "hunter-22")]);
        assert_eq!(confidential.remove_from("no hunter-22"), "no [value of b]");
    }
}
