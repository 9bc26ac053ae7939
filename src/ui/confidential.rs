//! The values that are on their way, so that no line shows one by way of the server.
//!
//! An admission webhook may quote what it was sent in its refusal or in a warning. Nothing of ours does, but its words
//! are shown.

use std::cell::RefCell;
use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use crate::secret::SecretValue;

/// What is shorter is part of ordinary words; hiding it would only make lines unreadable.
const SHORTEST: usize = 4;
/// What is longer does not fit into a line that is shown: the server's text is cut before that.
const LONGEST: usize = 400;

#[derive(Default)]
pub(super) struct Confidential(RefCell<Vec<Hidden>>);

/// A value in one of the forms in which it may be quoted.
struct Hidden {
    text: Zeroizing<String>,
    shown_as: String,
}

impl Confidential {
    /// From now on these values are replaced by the names of their keys.
    pub(super) fn add(&self, data: &BTreeMap<String, SecretValue>) {
        for (key, value) in data {
            let bytes = value.expose();
            if !(SHORTEST..=LONGEST).contains(&bytes.len()) {
                continue;
            }
            let encoded = Zeroizing::new(BASE64_STANDARD.encode(bytes));
            let plain = std::str::from_utf8(bytes).ok().map(|text| Zeroizing::new(text.to_owned()));
            for text in plain.into_iter().chain([encoded]) {
                self.0.borrow_mut().push(Hidden { text, shown_as: format!("[value of {key}]") });
            }
        }
    }

    /// The line without any of the values.
    pub(super) fn remove_from(&self, line: &str) -> String {
        let hidden = self.0.borrow();
        hidden
            .iter()
            .fold(line.to_owned(), |line, hidden| line.replace(hidden.text.as_str(), &hidden.shown_as))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_value_is_replaced_by_the_name_of_its_key() {
        let confidential = Confidential::default();
        let value = |text: &str| SecretValue::from_bytes(text.as_bytes().to_vec());
        confidential
            .add(&BTreeMap::from([("token".to_owned(), value("hunter2")), ("n".to_owned(), value("1"))]));
        assert_eq!(confidential.remove_from("denied: hunter2, 1"), "denied: [value of token], 1");
        assert_eq!(confidential.remove_from("denied: aHVudGVyMg=="), "denied: [value of token]");
    }
}
