//! The values of secrets in JSON, one at a time: each is wiped before the next one is decoded.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::secret;

/// A secret, or a list of secrets, with its values where they stand.
#[derive(Deserialize)]
struct Secrets<'a> {
    #[serde(borrow, default)]
    data: Option<BTreeMap<String, &'a RawValue>>,
    #[serde(borrow, default)]
    items: Option<Vec<Secrets<'a>>>,
}

/// Hands on each value. What is no secret has none.
pub(super) fn each_value(json: &[u8], mut found: impl FnMut(&[u8])) {
    let Ok(Secrets { data, items }) = serde_json::from_slice(json) else { return };
    let data = items.into_iter().flatten().filter_map(|item| item.data).chain(data);
    for value in data.flat_map(BTreeMap::into_values) {
        let base64 = serde_json::from_str::<String>(value.get()).map(Zeroizing::new);
        if let Some(value) = base64.ok().and_then(|base64| secret::decoded_base64(&base64)) {
            found(&value);
        }
    }
}
