//! The values that are on their way, so that no line shows one by way of the server.
//!
//! An admission webhook may quote what it was sent in its refusal or in a warning: whole or in part, as it is, in base64
//! or escaped. Nothing of ours does, but its words are shown.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

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
pub(super) struct Confidential(RefCell<Vec<Rc<BTreeMap<String, SecretValue>>>>);

struct Hidden<'a> {
    key: &'a str,
    value: &'a [u8],
}

impl Confidential {
    /// From now on these values are replaced by the names of their keys.
    pub(super) fn add(&self, data: Rc<BTreeMap<String, SecretValue>>) {
        self.0.borrow_mut().push(data);
    }

    /// The text without any of the values.
    pub(super) fn remove_from(&self, text: &str) -> String {
        let all = self.0.borrow();
        let starts: HashSet<&[u8]> = text.as_bytes().windows(SHORTEST).collect();
        let mut likely: Vec<_> = hidden(&all).filter(|hidden| hidden.may_start_with(&starts)).collect();
        // The longest first: it may begin with another one.
        likely.sort_unstable_by_key(|hidden| Reverse(hidden.value.len()));
        let mut text = text.to_owned();
        for hidden in likely {
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
        let repeats = |hidden: Hidden<'_>| {
            tells(hidden.value) || hidden.forms().iter().any(|form| tells(form.as_bytes()))
        };
        if !telling.is_empty() && hidden(&self.0.borrow()).any(repeats) {
            "[not shown: it repeats a value]".to_owned()
        } else {
            self.remove_from(text)
        }
    }
}

/// The values that are long enough to tell something.
fn hidden(all: &[Rc<BTreeMap<String, SecretValue>>]) -> impl Iterator<Item = Hidden<'_>> {
    all.iter()
        .flat_map(|data| data.iter())
        .map(|(key, value)| Hidden { key, value: value.expose() })
        .filter(|hidden| hidden.value.trim_ascii().len() >= SHORTEST)
}

impl Hidden<'_> {
    /// The value as it may be quoted: as it is, escaped as by JSON, Go's JSON or Go's `%q`, and in base64.
    /// White space at its ends, such as the last line's end, is often lost on the way.
    fn forms(&self) -> Vec<Zeroizing<String>> {
        let trimmed = self.value.trim_ascii();
        let mut forms = vec![BASE64_STANDARD.encode(self.value), trimmed.escape_ascii().to_string()];
        if let (Ok(text), false) = (std::str::from_utf8(trimmed), is_plain(trimmed)) {
            let json = serde_json::Value::from(text).to_string();
            let json = json[1..json.len() - 1].to_owned();
            let gos = json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
            forms.extend([text.to_owned(), json, gos]);
        }
        forms.into_iter().map(Zeroizing::new).collect()
    }

    /// Whether one of its forms may start with one of these: there may be 100,000 values, and most are in no line.
    fn may_start_with(&self, starts: &HashSet<&[u8]>) -> bool {
        let start = &self.value.trim_ascii()[..SHORTEST];
        let mut base64 = [0; 4];
        let encoded = BASE64_STANDARD.encode_slice(&self.value[..3], &mut base64);
        !is_plain(start) || starts.contains(start) || encoded.is_err() || starts.contains(&base64[..])
    }
}

/// Whether nobody escapes any of these bytes.
fn is_plain(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b' '..=b'~') && !b"\"'\\<>&".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confidential(values: &[(&str, &str)]) -> Confidential {
        let confidential = Confidential::default();
        let value = |text: &str| SecretValue::from_bytes(text.as_bytes().to_vec());
        let data = values.iter().map(|(key, text)| ((*key).to_owned(), value(text)));
        confidential.add(Rc::new(data.collect()));
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
