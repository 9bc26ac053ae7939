//! Arguments as they were typed: bytes rather than text, and kubectl's lists of paths.
//!
//! An argument need not be Unicode, and a value must arrive byte for byte. Lists are CSV records, since
//! kubectl's flag library reads them with Go's `encoding/csv`.

use std::ffi::OsString;

use crate::error::{Error, Result};

/// Returns the entries of all arguments of a flag whose arguments are CSV records, read as by Go's
/// `encoding/csv`.
///
/// # Errors
/// An argument is not valid CSV, has more than one line, or has an empty entry.
pub(crate) fn entries(flag: &str, arguments: impl IntoIterator<Item = OsString>) -> Result<Vec<OsString>> {
    let mut entries = Vec::new();
    for argument in arguments {
        let fields = csv_fields(&bytes_of(argument)).map_err(|fault| {
            Error::usage(format!("invalid argument for \"{flag}\" flag: {fault}")).hint(format!(
                "commas separate paths; to have a comma in one, quote the whole entry: {flag} '\"KEY=a,b.txt\"'"
            ))
        })?;
        for field in fields {
            if field.is_empty() {
                return Err(Error::usage(format!(
                    "invalid argument for \"{flag}\" flag: an entry of the list is empty"
                ))
                .hint("remove the comma at its start or end"));
            }
            entries.push(os_string_of(field)?);
        }
    }
    Ok(entries)
}

/// Reads one CSV record: commas separate, a field that starts with `"` ends at the next single one, `""`
/// stands for `"`. An empty record has no fields. Go drops all lines but the first; here more than one line
/// is refused.
fn csv_fields(record: &[u8]) -> Result<Vec<Vec<u8>>, &'static str> {
    let mut fields = Vec::new();
    let mut rest = record;
    while !rest.is_empty() {
        let (field, after) = match rest {
            [b'"', quoted @ ..] => quoted_field(quoted)?,
            _ => bare_field(rest)?,
        };
        fields.push(field);
        rest = match after {
            [b',', next @ ..] => next,
            _ => break,
        };
        if rest.is_empty() {
            fields.push(Vec::new());
        }
    }
    Ok(fields)
}

fn bare_field(rest: &[u8]) -> Result<(Vec<u8>, &[u8]), &'static str> {
    let (field, after) = rest.split_at(rest.iter().position(|byte| *byte == b',').unwrap_or(rest.len()));
    match field {
        _ if field.contains(&b'"') => Err("bare \" in non-quoted field"),
        _ if field.contains(&b'\n') => Err("more than one line"),
        _ => Ok((field.to_vec(), after)),
    }
}

fn quoted_field(quoted: &[u8]) -> Result<(Vec<u8>, &[u8]), &'static str> {
    let mut field = Vec::new();
    let mut rest = quoted;
    loop {
        match rest {
            [b'"', b'"', after @ ..] => {
                field.push(b'"');
                rest = after;
            }
            [b'"'] | [b'"', b',', ..] => return Ok((field, &rest[1..])),
            [b'"', ..] | [] => return Err("extraneous or missing \" in quoted-field"),
            [byte, after @ ..] => {
                field.push(*byte);
                rest = after;
            }
        }
    }
}

/// Returns the bytes of an argument or a variable; on Unix exactly as given.
#[cfg(unix)]
pub(super) fn bytes_of(text: OsString) -> Vec<u8> {
    std::os::unix::ffi::OsStringExt::into_vec(text)
}

#[cfg(not(unix))]
pub(super) fn bytes_of(text: OsString) -> Vec<u8> {
    text.into_encoded_bytes()
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "only on Unix is every sequence of bytes a path")]
pub(super) fn os_string_of(bytes: Vec<u8>) -> Result<OsString> {
    Ok(std::os::unix::ffi::OsStringExt::from_vec(bytes))
}

#[cfg(not(unix))]
pub(super) fn os_string_of(bytes: Vec<u8>) -> Result<OsString> {
    String::from_utf8(bytes).map(OsString::from).map_err(|_| Error::usage("a path is not valid Unicode"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_around_an_entry_protect_its_commas() {
        let fields = |record: &str| {
            let text = |field| String::from_utf8(field).unwrap();
            csv_fields(record.as_bytes()).map(|fields| fields.into_iter().map(text).collect::<Vec<_>>())
        };
        assert_eq!(fields(""), Ok(vec![]));
        assert_eq!(fields("a,b"), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(fields("a,"), Ok(vec!["a".to_owned(), String::new()]));
        assert_eq!(fields(","), Ok(vec![String::new(), String::new()]));
        assert_eq!(fields("\"k=a,b\",c"), Ok(vec!["k=a,b".to_owned(), "c".to_owned()]));
        assert_eq!(fields("\"a\"\"b\""), Ok(vec!["a\"b".to_owned()]));
        assert_eq!(fields("\"\","), Ok(vec![String::new(), String::new()]));
        for bad in ["a\"b", "\"a", "\"a\"b", "\"", "a\nb"] {
            assert!(fields(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_empty_entry_is_refused_and_an_empty_list_is_none() {
        assert!(entries("--from-file", ["a,".into()]).is_err());
        assert_eq!(entries("--from-file", ["".into(), "a".into()]).ok(), Some(vec!["a".into()]));
    }

    proptest! {
        #[test]
        fn a_quoted_entry_is_read_as_it_was_meant(field in any::<Vec<u8>>()) {
            let doubled = field.iter().flat_map(|byte| vec![*byte; 1 + usize::from(*byte == b'"')]);
            let record: Vec<u8> = std::iter::once(b'"').chain(doubled).chain([b'"']).collect();
            prop_assert_eq!(csv_fields(&record), Ok(vec![field]));
        }

        #[test]
        fn any_record_is_read_without_a_panic(record in any::<Vec<u8>>()) {
            let _ = csv_fields(&record);
        }
    }
}
