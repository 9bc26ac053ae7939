//! Parses `--label` and `--annotation` of a new secret or a copy.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::propagation::{self, MARK};
use crate::secret;

/// Kubernetes' limit for all annotations of an object together, keys included, in bytes (apimachinery's
/// `TotalAnnotationSizeLimitB`).
const ANNOTATIONS_LIMIT: usize = 256 * 1024;

/// Parses the labels of a new secret.
///
/// # Errors
/// A label has no `=`, is illegal, or has two values.
pub(crate) fn labels(given: &[String]) -> Result<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    for label in given {
        let (key, value) = pair("--label", label)?;
        secret::check_label_key(key)?;
        secret::check_label_value(value)?;
        insert_once(&mut labels, "--label", key, value)?;
    }
    Ok(labels)
}

/// Parses the labels of a copy.
///
/// # Errors
/// A label is one by which copies and shared secrets are known.
pub(crate) fn of_copies(given: &[String]) -> Result<BTreeMap<String, String>> {
    let labels = labels(given)?;
    let is_reserved = |label: &&String| *label == MARK || propagation::is_mark(label);
    match labels.keys().find(is_reserved) {
        None => Ok(labels),
        Some(label) => Err(Error::usage(format!(
            "label {label} can't be set on a copy: it is what copies and shared secrets are known by"
        ))),
    }
}

/// Parses the annotations of a new secret or a copy.
///
/// # Errors
/// An annotation has no `=`, has an illegal key or two values, or all of them are too long together.
pub(crate) fn annotations(given: &[String]) -> Result<BTreeMap<String, String>> {
    let mut annotations = BTreeMap::new();
    for annotation in given {
        let (key, value) = pair("--annotation", annotation)?;
        secret::check_annotation_key(key)?;
        insert_once(&mut annotations, "--annotation", key, value)?;
    }
    let size: usize = annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
    if size > ANNOTATIONS_LIMIT {
        let line = format!(
            "metadata.annotations: Too long: must have at most {ANNOTATIONS_LIMIT} bytes, and this is {size}"
        );
        return Err(
            Error::usage(line).hint("an annotation is for a few words; data goes into the secret itself")
        );
    }
    Ok(annotations)
}

/// # Errors
/// The key is there with another value, which would be lost.
pub(crate) fn insert_once(
    into: &mut BTreeMap<String, String>,
    flag: &str,
    key: &str,
    value: &str,
) -> Result<()> {
    match into.insert(key.to_owned(), value.to_owned()) {
        Some(before) if before != value => Err(Error::usage(format!("{flag} gives two values for {key}"))
            .hint("keep only the one that you mean")),
        _ => Ok(()),
    }
}

/// Splits `KEY=VALUE`. The error does not repeat a word without `=`: it may be a value in the wrong place.
fn pair<'a>(flag: &str, given: &'a str) -> Result<(&'a str, &'a str)> {
    given.split_once('=').ok_or_else(|| Error::usage(format!("{flag} takes KEY=VALUE, and there is no '='")))
}
