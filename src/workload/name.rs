//! The server's rules on names, checked before anything is sent.
//!
//! A name is repeated in the error; a key is not, because what stands where a key belongs may be a value.

use crate::error::{Error, Result};

/// Names of objects: RFC 1123 subdomain, at most 253 characters.
pub(super) fn check_object_name(what: &str, name: &str) -> Result<()> {
    let legal = name.len() <= 253 && name.split('.').all(is_label);
    if legal {
        return Ok(());
    }
    Err(Error::usage(format!(
        "{what} {name:?} is not a legal name: lower case letters, digits, '-' and '.' only, a letter or a digit \
         at both ends, at most 253 characters"
    )))
}

/// Names of new jobs: RFC 1035 label, at most 63 characters, because the name is also a label's value and, in
/// Run:ai, the name of a Service.
pub(super) fn check_job_name(name: &str) -> Result<()> {
    let legal = name.len() <= 63 && is_label(name) && name.starts_with(|c: char| c.is_ascii_lowercase());
    if legal {
        return Ok(());
    }
    Err(Error::usage(format!(
        "{name:?} is not a legal name of a job: job names must consist of lower case alphanumeric characters \
         or '-', start with an alphabetic character, end with an alphanumeric one and have at most 63 characters"
    )))
}

/// Keys of a secret: letters, digits, `-`, `_` and `.`, at most 253, and nothing that is a parent directory.
pub(super) fn is_key(key: &str) -> bool {
    let in_set = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=253).contains(&key.len()) && key.chars().all(in_set) && key != "." && !key.starts_with("..")
}

fn is_label(label: &str) -> bool {
    let in_set = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !label.is_empty() && label.chars().all(in_set) && !label.starts_with('-') && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_names_are_rfc_1123_subdomains() {
        for name in ["a", "web", "my.secret-1", "0", &"a".repeat(253)] {
            assert!(check_object_name("secret", name).is_ok(), "{name}");
        }
        for name in ["", "Web", "-a", "a-", "a..b", "a_b", "a/b", ".a", &"a".repeat(254)] {
            assert!(check_object_name("secret", name).is_err(), "{name}");
        }
    }

    #[test]
    fn job_names_are_rfc_1035_labels() {
        for name in ["a", "train-1", &"a".repeat(63)] {
            assert!(check_job_name(name).is_ok(), "{name}");
        }
        for name in ["", "1train", "a.b", "A", "a-", &"a".repeat(64)] {
            assert!(check_job_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_key_may_not_start_with_two_dots() {
        for key in ["a", "A_b.c-1", ".hidden", "-", "1"] {
            assert!(is_key(key), "{key}");
        }
        for key in ["", ".", "..", "..a", "a b", "a/b", "a=b", "ä", &"a".repeat(254)] {
            assert!(!is_key(key), "{key}");
        }
    }
}
