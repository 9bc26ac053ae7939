//! Rules for the names of workloads and of the objects they use. They build on `secret::name`.

use crate::error::{Error, Result};
use crate::secret::{is_label, is_subdomain, quoted};

/// Checks the name of an object: RFC 1123 subdomain, at most 253 characters.
pub(crate) fn check_object_name(what: &str, name: &str) -> Result<()> {
    if is_subdomain(name) {
        return Ok(());
    }
    Err(Error::usage(format!(
        "{what} {} is not a legal name: lower case letters, digits, '-' and '.' only, a letter or a digit \
         at both ends, at most 253 characters",
        quoted(name)
    )))
}

/// Checks the name of a new job: RFC 1035 label, at most 63 characters, because the name is also a label's
/// value and, in Run:ai, the name of a Service.
pub(super) fn check_job_name(name: &str) -> Result<()> {
    if is_label(name) && name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Ok(());
    }
    Err(Error::usage(format!(
        "{} is not a legal name of a job: job names must consist of lower case alphanumeric characters \
         or '-', start with an alphabetic character, end with an alphanumeric one and have at most 63 characters",
        quoted(name)
    )))
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
}
