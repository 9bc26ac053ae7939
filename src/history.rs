//! When each key of a secret last changed, as far as that can be told, and with it who still holds an old value.
//!
//! The server's record of writes, `managedFields`, has one time for all fields of a program, so it can't tell single
//! keys. Our writes therefore leave a record of their own in an annotation. Its times are the server's too, whatever
//! this machine's clock says: the keys of the last write have none there, since theirs is the time that the server
//! gave the write of the annotation itself. The next write reads that time, and writes it down.
//!
//! A copy may have the annotation of its source. The record names its secret, and holds for that one alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::metadata::{CHANGED, LONGEST_RECORD, LastWrite, Metadata, Record, Write, Writes};
use crate::moment::Moment;

/// When a value last changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// It certainly changed at this time or later; none where that is not known.
    since: Option<Moment>,
    /// It has not changed after this time.
    until: Moment,
}

/// What somebody holds who read a value once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Freshness {
    Current,
    /// It may have changed since; the server's record does not tell.
    PerhapsOld,
    Old,
}

impl Freshness {
    /// Returns its stable name in reports.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::PerhapsOld => "perhaps-old",
            Self::Old => "old",
        }
    }
}

impl Change {
    fn at(time: Moment) -> Self {
        Self { since: Some(time), until: time }
    }

    /// Returns the time after which it has not changed.
    pub(crate) fn until(self) -> Moment {
        self.until
    }

    /// Judges what somebody holds who read it at some time. In the very second of a change either may have been
    /// first.
    pub(crate) fn held_since(self, read: Moment) -> Freshness {
        if read > self.until {
            Freshness::Current
        } else if self.since.is_some_and(|since| read < since) {
            Freshness::Old
        } else {
            Freshness::PerhapsOld
        }
    }

    /// Returns the change of the whole of both.
    fn later(self, other: Self) -> Self {
        Self { since: self.since.max(other.since), until: self.until.max(other.until) }
    }

    /// Returns what is known of either, not telling which.
    fn either(self, other: Self) -> Self {
        Self { since: self.since.min(other.since), until: self.until.max(other.until) }
    }

    /// Writes a time, `FROM/TO`, or `../TO`, as ISO 8601 has intervals.
    fn text(self) -> String {
        match self.since {
            Some(since) if since == self.until => since.to_string(),
            Some(since) => format!("{since}/{}", self.until),
            None => format!("../{}", self.until),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text.split_once('/') {
            None => Moment::parse(text).map(Self::at),
            Some(("..", until)) => Some(Self { since: None, until: Moment::parse(until)? }),
            Some((since, until)) => {
                Some(Self { since: Some(Moment::parse(since)?), until: Moment::parse(until)? })
            }
        }
    }
}

impl Record {
    fn keys(&self) -> impl Iterator<Item = &str> {
        self.last.iter().chain(self.at.values().flatten()).map(String::as_str)
    }

    /// Returns what it says of each key that it names. `written` is when the server took it.
    fn changes(&self, written: Moment) -> BTreeMap<&str, Change> {
        let dated = self.at.iter().filter_map(|(time, keys)| Some((keys, Change::parse(time)?)));
        let dated = dated.flat_map(|(keys, change)| keys.iter().map(move |key| (key.as_str(), change)));
        dated.chain(self.last.iter().map(|key| (key.as_str(), Change::at(written)))).collect()
    }
}

/// When each key last changed; keys that are gone are among them, if our record has them.
#[derive(Clone, Default)]
pub(crate) struct History(BTreeMap<String, Change>);

impl History {
    /// Reads it from the metadata alone.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let mut owners: BTreeMap<&str, Vec<&Write>> = BTreeMap::new();
        for write in metadata.writes.all() {
            for key in &write.keys {
                owners.entry(key).or_default().push(write);
            }
        }
        let created = Moment::parse(&metadata.created);
        let record = valid_record(metadata).zip(metadata.writes.of_record());
        let recorded = record.map(|(record, author)| (record.changes(author.time), record, author));
        let named = recorded.iter().flat_map(|(_, record, _)| record.keys());
        let keys: BTreeSet<&str> = owners.keys().copied().chain(named).collect();
        // Who writes the record without the keys of its last write has it from elsewhere.
        let is_borrowed = recorded.as_ref().is_some_and(|(_, record, author)| {
            let mut last = record.last.iter().filter_map(|key| owners.get(key.as_str())).peekable();
            last.peek().is_some() && last.all(|owners| owners.iter().all(|one| one.manager != author.manager))
        });
        let change = |key: &str| {
            let owners = owners.get(key).map(Vec::as_slice).unwrap_or_default();
            let Some((changes, record, author)) = &recorded else { return by_writes(owners.iter(), created) };
            let rest = || Change::parse(record.rest.as_deref()?);
            let own = if is_borrowed && record.last.iter().any(|one| one == key) {
                None
            } else {
                changes.get(key).copied().or_else(rest)
            };
            let others = owners.iter().filter(|write| write.manager != author.manager);
            match (own, by_writes(others, created)) {
                (Some(own), Some(others)) if others.until > own.until => {
                    Some(Change { since: others.since.or(own.since), ..others })
                }
                (own, others) => own.or(others),
            }
        };
        Self(keys.into_iter().filter_map(|key| Some((key.to_owned(), change(key)?))).collect())
    }

    /// Reports whether the server says nothing at all of who wrote what.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the last change of any of these keys, or of any key at all if there are none.
    pub(crate) fn change_of<K: AsRef<str>>(&self, keys: &[K]) -> Option<Change> {
        if keys.is_empty() {
            return self.0.values().copied().reduce(Change::later);
        }
        keys.iter().filter_map(|key| self.0.get(key.as_ref()).copied()).reduce(Change::later)
    }

    /// Adds to a copy what is known of its source: the copy changed after that did.
    pub(crate) fn learn_from(&mut self, source: &Self) {
        for (key, change) in &mut self.0 {
            let since = source.0.get(key).and_then(|source| source.since);
            if change.since.is_none() {
                change.since = since.filter(|since| *since <= change.until);
            }
        }
    }
}

impl Metadata {
    /// Returns the last write of a key, with its own time where our record has it.
    pub(crate) fn last_change_of(&self, key: &str) -> Option<LastWrite> {
        let write = self.writes.last_of(key)?;
        let time = History::of(self).change_of(&[key]).map(|change| change.until().to_string());
        Some(LastWrite { time: time.unwrap_or(write.time), ..write })
    }
}

/// Returns the record, if it is that of this secret.
fn valid_record(metadata: &Metadata) -> Option<&Record> {
    metadata.annotations.changed.as_ref().filter(|record| record.of == identity(metadata))
}

fn identity(metadata: &Metadata) -> String {
    format!("{}/{} {}", metadata.namespace, metadata.name, metadata.uid)
}

/// Returns the change of a key by the server's record alone. It is exact for a program that wrote nothing else.
/// What was there before the secret was created is not known.
fn by_writes<'a>(owners: impl Iterator<Item = &'a &'a Write>, created: Option<Moment>) -> Option<Change> {
    let last = owners.max_by_key(|write| write.time)?;
    let is_exact = last.has_one_field && Some(last.time) != created;
    Some(Change { since: is_exact.then_some(last.time), until: last.time })
}

/// Returns the record to write with a change of these keys; none if nothing is known, or the names take too much
/// room: then only the server's record tells.
fn record(metadata: &Metadata, touched: &[&str]) -> Option<String> {
    let before = History::of(metadata);
    let mut groups: Vec<(Change, Vec<String>)> = Vec::new();
    for (key, change) in before.0.into_iter().filter(|(key, _)| !touched.contains(&key.as_str())) {
        match groups.iter_mut().find(|(one, _)| *one == change) {
            Some((_, keys)) => keys.push(key),
            None => groups.push((change, vec![key])),
        }
    }
    groups.sort_by_key(|(change, keys)| (keys.len(), std::cmp::Reverse(change.until)));
    let mut rest = groups.pop().map(|(change, _)| change);
    groups.sort_by_key(|(change, _)| std::cmp::Reverse(change.until));
    loop {
        let last = touched.iter().map(|key| (*key).to_owned()).collect();
        let at = groups.iter().map(|(change, keys)| (change.text(), keys.clone())).collect();
        let record = Record { of: identity(metadata), last, at, rest: rest.map(Change::text) };
        let text = serde_json::to_string(&record).ok()?;
        if text.len() <= LONGEST_RECORD {
            return Some(text);
        }
        let (oldest, _) = groups.pop()?;
        rest = Some(rest.map_or(oldest, |rest| rest.either(oldest)));
    }
}

/// Returns the annotations of a merge patch that changes these keys, to which others may be added.
pub(crate) fn annotations(metadata: &Metadata, touched: &[&str]) -> Map<String, Value> {
    let record = record(metadata, touched);
    let entry = (record.is_some() || metadata.annotations.changed.is_some()).then(|| record.into());
    entry.map(|record: Value| (CHANGED.to_owned(), record)).into_iter().collect()
}

/// Returns the annotations of a merge patch by this program that changes no value: it would move the time of all that
/// the program wrote before. They are empty where it does not.
pub(crate) fn annotations_kept(metadata: &Metadata, manager: &str) -> Map<String, Value> {
    let moves = match valid_record(metadata) {
        Some(record) => !record.last.is_empty(),
        None => metadata.writes.all().any(|write| write.manager == manager && !write.keys.is_empty()),
    };
    if moves { annotations(metadata, &[]) } else { Map::new() }
}

/// Returns the metadata of a replacement for a secret, of which these keys change.
pub(crate) fn with_record(mut replacement: Value, before: &Metadata, touched: &[&str]) -> Value {
    let Some(fields) = replacement.as_object_mut() else { return replacement };
    let record = annotations(before, touched);
    let annotations = fields.entry("annotations").or_insert_with(|| Value::Object(Map::new()));
    if !annotations.is_object() {
        *annotations = Value::Object(Map::new());
    }
    if let Some(annotations) = annotations.as_object_mut() {
        annotations.extend(record);
        annotations.retain(|_, value| !value.is_null());
    }
    replacement
}

impl Writes {
    /// Returns the program that wrote our record, with the time of its last write.
    fn of_record(&self) -> Option<&Write> {
        self.all().find(|write| write.has_record)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const US: &str = "kubectl-runai-secret";

    fn day(day: u32) -> String {
        format!("2026-01-{day:02}T00:00:00Z")
    }

    /// Plays the server: `manager` writes these keys on a day, and with them our record, if there is one.
    struct Server(Value);

    impl Server {
        fn create(manager: &str, on: u32, keys: &[&str]) -> Self {
            let mut server = Self(json!({
                "name": "hf", "namespace": "a", "uid": "first", "creationTimestamp": day(on), "managedFields": [], "annotations": {}
            }));
            server.write(manager, on, keys, None);
            server
        }

        fn write(&mut self, manager: &str, on: u32, keys: &[&str], record: Option<String>) {
            let entries = self.0["managedFields"].as_array_mut().unwrap();
            for entry in entries.iter_mut() {
                if let Some(data) = entry["fieldsV1"]["f:data"].as_object_mut() {
                    data.retain(|key, _| !keys.iter().any(|written| key == &format!("f:{written}")));
                }
            }
            if !entries.iter().any(|entry| entry["manager"] == manager) {
                entries.push(json!({"manager": manager, "fieldsV1": {"f:data": {}}}));
            }
            let own = entries.iter_mut().find(|entry| entry["manager"] == manager).unwrap();
            own["time"] = day(on).into();
            for key in keys {
                own["fieldsV1"]["f:data"][format!("f:{key}")] = json!({});
            }
            if let Some(record) = record {
                own["fieldsV1"]["f:metadata"] = json!({"f:annotations": {format!("f:{CHANGED}"): {}}});
                self.0["annotations"][CHANGED] = record.into();
            }
        }

        fn set(&mut self, on: u32, keys: &[&str]) {
            let record = record(&self.metadata(), keys);
            self.write(US, on, keys, record);
        }

        fn metadata(&self) -> Metadata {
            serde_json::from_value(self.0.clone()).unwrap()
        }

        fn said(&self, key: &str) -> String {
            let change = History::of(&self.metadata()).change_of(&[key]);
            change
                .map(|change| change.text().replace("2026-01-", "").replace("T00:00:00Z", ""))
                .unwrap_or_default()
        }
    }

    #[test]
    fn each_key_keeps_the_servers_time_of_its_own_last_change() {
        let mut server = Server::create(US, 1, &["a", "b", "c"]);
        assert_eq!(server.said("a"), "../01");
        server.set(3, &["a"]);
        server.set(5, &["b"]);
        server.set(6, &["b"]);
        assert_eq!(["a", "b", "c"].map(|key| server.said(key)), ["03", "06", "../01"]);
        server.set(7, &["gone"]);
        server.set(8, &[]);
        assert_eq!(["a", "b", "c", "gone"].map(|key| server.said(key)), ["03", "06", "../01", "07"]);
    }

    #[test]
    fn what_others_write_later_counts_for_the_keys_that_are_theirs() {
        let mut server = Server::create("kubectl-create", 1, &["a", "b", "c"]);
        server.set(2, &["a", "b"]);
        server.write("kubectl-patch", 4, &["a"], None);
        assert_eq!(["a", "b", "c"].map(|key| server.said(key)), ["04", "02", "../01"]);
        server.write("kubectl-patch", 6, &["c"], None);
        assert_eq!(["a", "b", "c"].map(|key| server.said(key)), ["02/06", "02", "../06"]);
        server.set(8, &["a"]);
        assert_eq!(["a", "b", "c"].map(|key| server.said(key)), ["08", "02", "../06"]);
    }

    #[test]
    fn the_record_holds_for_the_secret_that_was_written_and_not_for_one_made_of_its_text() {
        let mut server = Server::create("kubectl-create", 1, &["a", "b"]);
        server.set(3, &["a"]);
        server.set(4, &["b"]);
        let record = server.0["annotations"][CHANGED].as_str().unwrap().to_owned();
        let mut anew = Server::create("kubectl-replace", 6, &["a", "b"]);
        anew.0["uid"] = "second".into();
        anew.write("kubectl-replace", 6, &[], Some(record.clone()));
        assert_eq!(["a", "b"].map(|key| anew.said(key)), ["../06", "../06"]);
        // Put back by somebody who changes no value.
        server.set(5, &["a"]);
        let entries = server.0["managedFields"].as_array_mut().unwrap();
        for entry in entries {
            entry["fieldsV1"]["f:metadata"].take();
        }
        server.write("kubectl-apply", 8, &[], Some(record));
        assert_eq!(server.said("b"), "../05", "b did not change on the 8th");
    }

    #[test]
    fn the_record_of_another_secret_is_none_and_what_is_known_of_a_source_narrows_its_copy() {
        let mut source = Server::create(US, 1, &["a", "b"]);
        source.set(4, &["a"]);
        let mut copy = Server::create("runai", 2, &["a", "b"]);
        copy.write("runai", 5, &["a"], source.0["annotations"][CHANGED].as_str().map(str::to_owned));
        copy.0["namespace"] = "b".into();
        assert_eq!(["a", "b"].map(|key| copy.said(key)), ["../05", "../05"]);
        let mut history = History::of(&copy.metadata());
        history.learn_from(&History::of(&source.metadata()));
        let day = |on| Moment::parse(&day(on)).unwrap();
        let held = |key: &str, on| history.change_of(&[key]).unwrap().held_since(day(on));
        assert_eq!([3, 4, 5, 6].map(|on| held("a", on)), {
            [Freshness::Old, Freshness::PerhapsOld, Freshness::PerhapsOld, Freshness::Current]
        });
        assert_eq!([1, 6].map(|on| held("b", on)), [Freshness::PerhapsOld, Freshness::Current]);
    }

    #[test]
    fn the_record_stays_small_however_many_keys_and_times_there_are() {
        let names: Vec<String> =
            (0..3_000).map(|number| format!("a-key-with-a-long-name-{number:05}")).collect();
        let all: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut server = Server::create(US, 1, &all);
        for (at, some) in all.chunks(500).enumerate() {
            server.set(u32::try_from(at).unwrap() + 2, some);
        }
        server.set(20, &all[..1]);
        let record = server.0["annotations"][CHANGED].as_str().unwrap();
        assert!(record.len() <= LONGEST_RECORD, "{}", record.len());
        assert_eq!(server.said(all[0]), "20");
        let until = |key: &str| History::of(&server.metadata()).change_of(&[key]).unwrap().until();
        for (at, key) in [(2, all[499]), (4, all[1_000]), (7, all[2_999])] {
            assert!(until(key) >= Moment::parse(&day(at)).unwrap(), "never said to be older than it is");
        }
        assert!(record_of(&server, &all).is_none(), "more names than there is room for");
    }

    fn record_of(server: &Server, touched: &[&str]) -> Option<String> {
        record(&server.metadata(), touched)
    }

    #[test]
    fn a_write_that_changes_no_value_moves_no_time() {
        let mut server = Server::create(US, 1, &["a", "b"]);
        let kept = annotations_kept(&server.metadata(), US);
        server.write(US, 3, &[], kept[CHANGED].as_str().map(str::to_owned));
        assert_eq!(server.said("a"), "../01");
        server.set(4, &["a"]);
        let kept = annotations_kept(&server.metadata(), US);
        server.write(US, 6, &[], kept[CHANGED].as_str().map(str::to_owned));
        assert_eq!(["a", "b"].map(|key| server.said(key)), ["04", "../01"]);
        let foreign = Server::create("kubectl-create", 1, &["a"]);
        assert!(annotations_kept(&foreign.metadata(), US).is_empty());
    }

    #[test]
    fn an_annotation_of_another_form_says_nothing() {
        for text in ["", "{}", "no json", r#"{"of":"a/hf","at":{"yesterday":["a"]},"rest":"x/y"}"#] {
            let mut server = Server::create("kubectl-create", 1, &["a"]);
            server.write(US, 2, &[], Some(text.to_owned()));
            assert_eq!(server.said("a"), "../01", "{text}");
        }
    }
}
