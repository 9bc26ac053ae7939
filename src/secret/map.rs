//! A map of strings, as JSON or YAML: `--from-json`.
//!
//! Only strings are accepted: readers differ on the text of `0777`, `1e3` or `on`, so these must be quoted.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::handling::Lines;
use super::name::{is_key, key_faults};
use super::value::SecretValue;
use crate::error::{Error, Result};

/// Adds the entries in `bytes`, the content of the file.
pub(super) fn add_all(to: &mut Lines<'_>, bytes: &[u8]) -> Result<()> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let file = to.file.clone();
    for (position, (key, value)) in (1..).zip(parse(bytes).map_err(|place| refusal(&file, place))?) {
        // Not shown: in a file of another form it may be anything.
        if !is_key(&key) {
            let faults = key_faults(&key).join(";");
            return Err(Error::usage(format!(
                "{file}, entry {position}: its key is not valid for a Secret: {faults}"
            )));
        }
        to.add(position, key, value)?;
    }
    Ok(())
}

/// The place where a file stops being a map of strings.
struct Place {
    line: usize,
    column: usize,
}

fn refusal(file: &str, place: Option<Place>) -> Error {
    let at = place.map(|place| format!(", line {}, column {}", place.line, place.column)).unwrap_or_default();
    Error::usage(format!("{file}{at}: not a map of strings")).hint(
        "for example: {\"KEY\": \"VALUE\"}; quote numbers, true, false and null, and give every key once",
    )
}

fn parse(bytes: &[u8]) -> Result<Entries, Option<Place>> {
    // Its errors quote the text, so only their place is used.
    if bytes.trim_ascii_start().starts_with(b"{")
        && let Ok(entries) = serde_json::from_slice::<Strings>(bytes)
    {
        return Ok(entries.0);
    }
    let options = serde_saphyr::options! { no_schema: true };
    serde_saphyr::from_slice_with_options::<Strings>(bytes, options).map(|strings| strings.0).map_err(
        |error| {
            let place = error.location()?;
            Some(Place {
                line: usize::try_from(place.line()).ok()?,
                column: usize::try_from(place.column()).ok()?,
            })
        },
    )
}

type Entries = Vec<(String, SecretValue)>;

struct Strings(Entries);

impl<'de> Deserialize<'de> for Strings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor).map(Self)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, String>()? {
            entries.push((key, SecretValue::from_bytes(value.into_bytes())));
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::secret::contents::Contents;

    fn read(bytes: &[u8]) -> Result<Contents> {
        let mut contents = Contents::default();
        add_all(&mut Lines::in_a_test(&mut contents, "m.json"), bytes).map(|()| contents)
    }

    #[track_caller]
    fn assert_reads(file: &str, expected: &[(&str, &str)]) {
        let contents = read(file.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        let found: Vec<_> = contents
            .data
            .iter()
            .map(|(key, value)| (key.as_str(), std::str::from_utf8(value.expose()).unwrap()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn json_and_yaml_maps_are_read() {
        assert_reads(r#"{"a": "1", "b": "\ud83d\ude00\n\u0000"}"#, &[("a", "1"), ("b", "\u{1f600}\n\0")]);
        assert_reads(
            "a: \"1\"\nb: |\n  x\n  y\nc: plain text\n",
            &[("a", "1"), ("b", "x\ny\n"), ("c", "plain text")],
        );
        assert_reads("\u{feff}{}", &[]);
        assert_reads("---\n# c\nurl: \"postgres://u:p@h/db?x=$y\"\n", &[("url", "postgres://u:p@h/db?x=$y")]);
    }

    #[test]
    fn what_is_no_map_of_strings_is_refused_without_any_of_its_text() {
        for bad in [
            "[\"CANARY\"]",
            "CANARY",
            "{\"a\": {\"CANARY\": \"CANARY\"}}",
            "{\"a\": [\"CANARY\"]}",
            "{\"a\": 1, \"b\": \"CANARY\"}",
            "{\"a\": \"CANARY\"",
            "{\"a\": null, \"b\": \"CANARY\"}",
            "{\"CANARY CANARY\": \"x\"}",
            "a: 0777\nb: CANARY\n",
            "a: yes\nb: CANARY\n",
            "a: CANARY\na: CANARY\n",
            "{\"a\": \"CANARY\", \"a\": \"CANARY\"}",
            "a: *CANARY\n",
            "a: CANARY: CANARY\n",
            "a: x\n---\nb: CANARY\n",
        ] {
            let refusal =
                read(bad.as_bytes()).err().unwrap_or_else(|| panic!("{bad} is refused")).to_string();
            assert!(!refusal.contains("CANARY"), "{refusal}");
        }
        assert!(read(b"{\n\"a\": 1}").err().unwrap().to_string().starts_with("error: m.json, line 2"));
        assert!(read(b"a: \xff").is_err());
    }

    proptest! {
        #[test]
        fn any_file_is_read_or_refused_without_a_panic(bytes in any::<Vec<u8>>(), text in any::<String>()) {
            let _ = (read(&bytes), read(text.as_bytes()));
        }

        #[test]
        fn any_value_survives_as_json(value in any::<String>(), more in any::<String>()) {
            let contents = read(serde_json::json!({ "a": value, "b": more }).to_string().as_bytes()).ok().unwrap();
            prop_assert_eq!(contents.data["a"].expose(), value.as_bytes());
            prop_assert_eq!(contents.data["b"].expose(), more.as_bytes());
        }
    }
}
