//! When the content of a secret was last written, and by which program: the server's own record, `managedFields`.
//!
//! The record has one time for all fields of a program, that of its last write. So a key has the latest time
//! that it can have: the same program may have left it alone then.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::record::CHANGED;
use crate::moment::Moment;

/// The programs that wrote values which are still there, or our record of them.
#[derive(Clone, Default)]
pub(crate) struct Writes(Vec<Write>);

/// What a program wrote that is still there.
#[derive(Clone)]
pub(crate) struct Write {
    pub(crate) manager: String,
    pub(crate) time: Moment,
    pub(crate) keys: Vec<String>,
    /// It wrote a key and nothing else, so that the time is that of the key.
    pub(crate) has_one_field: bool,
    /// It wrote our record.
    pub(crate) has_record: bool,
}

/// The last write of a key, or of any.
#[derive(Clone)]
pub(crate) struct LastWrite {
    /// For example `2026-01-31T12:00:00Z`.
    pub(crate) time: String,
    /// The name by which the program called itself, such as `kubectl-edit`.
    pub(crate) manager: String,
}

impl Writes {
    /// Returns the last write of any value; none if the server does not say.
    pub(crate) fn last(&self) -> Option<LastWrite> {
        self.latest(|_| true)
    }

    /// Returns the last write of a key.
    pub(crate) fn last_of(&self, key: &str) -> Option<LastWrite> {
        self.latest(|write| write.keys.iter().any(|one| one == key))
    }

    fn latest(&self, is_meant: impl Fn(&Write) -> bool) -> Option<LastWrite> {
        let of_values = self.all().filter(|write| !write.keys.is_empty());
        let latest = of_values.filter(|write| is_meant(write)).max_by_key(|write| write.time)?;
        Some(LastWrite { time: latest.time.to_string(), manager: latest.manager.clone() })
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Write> {
        self.0.iter()
    }
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    manager: String,
    #[serde(default)]
    time: Option<String>,
    #[serde(default, rename = "fieldsV1")]
    fields: Option<Fields>,
}

#[derive(Deserialize)]
struct Fields {
    /// `f:<key>` for each key, and `.` for the map itself.
    #[serde(default, rename = "f:data")]
    #[expect(clippy::zero_sized_map_values, reason = "only the names are needed")]
    data: Option<BTreeMap<String, IgnoredAny>>,
    #[serde(default, rename = "f:metadata")]
    metadata: Option<OfMetadata>,
}

#[derive(Deserialize)]
struct OfMetadata {
    #[serde(default, rename = "f:annotations")]
    #[expect(clippy::zero_sized_map_values, reason = "only the names are needed")]
    annotations: Option<BTreeMap<String, IgnoredAny>>,
}

impl OfMetadata {
    fn has_record(&self) -> bool {
        let name = format!("f:{CHANGED}");
        self.annotations.as_ref().is_some_and(|names| names.contains_key(&name))
    }
}

impl<'de> Deserialize<'de> for Writes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries: Option<Vec<Entry>> = Deserialize::deserialize(deserializer)?;
        let write = |Entry { manager, time, fields }: Entry| {
            let Fields { data, metadata } = fields?;
            let names = data.into_iter().flat_map(BTreeMap::into_keys);
            let keys: Vec<String> =
                names.filter_map(|key| Some(key.strip_prefix("f:")?.to_owned())).collect();
            let has_one_field = keys.len() == 1 && metadata.is_none();
            let has_record = metadata.is_some_and(|metadata| metadata.has_record());
            let is_of_use = has_record || !keys.is_empty();
            is_of_use.then_some(Write {
                manager,
                time: Moment::parse(&time?)?,
                keys,
                has_one_field,
                has_record,
            })
        };
        Ok(Self(entries.into_iter().flatten().filter_map(write).collect()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_has_the_last_write_of_those_who_wrote_it_and_labels_are_no_content() {
        let writes: Writes = serde_json::from_value(json!([
            {"manager": "first", "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:data": {".": {}, "f:a": {}, "f:b": {}}}},
            {"manager": "second", "time": "2026-01-02T00:00:00Z", "fieldsV1": {"f:data": {"f:b": {}}}},
            {"manager": "labels", "time": "2026-01-03T00:00:00Z", "fieldsV1": {"f:metadata": {"f:labels": {}}}},
            {"manager": "no time", "fieldsV1": {"f:data": {"f:a": {}}}},
            {},
        ]))
        .unwrap();
        let said =
            |write: Option<LastWrite>| write.map(|write| format!("{} {}", &write.time[8..10], write.manager));
        assert_eq!(said(writes.last_of("a")).as_deref(), Some("01 first"));
        assert_eq!(said(writes.last_of("b")).as_deref(), Some("02 second"));
        assert_eq!(said(writes.last()).as_deref(), Some("02 second"));
        assert_eq!(said(writes.last_of("c")), None);
        assert!(serde_json::from_value::<Writes>(json!(null)).unwrap().last().is_none());
    }
}
