//! The text of a field of JSON or YAML that may be a value.

use std::ops::Deref;

use serde::Deserialize;
use zeroize::Zeroizing;

/// The text of a field; empty for null, as in Go. It is wiped when dropped, and has no `Debug` and no
/// `Display`.
#[derive(Default)]
pub(crate) struct FieldText(Zeroizing<String>);

impl<'de> Deserialize<'de> for FieldText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        Ok(Self(Zeroizing::new(text.unwrap_or_default())))
    }
}

impl From<&str> for FieldText {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

impl Deref for FieldText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}
