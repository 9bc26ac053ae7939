//! Certificates and keys that the kubeconfig holds as base64 or names as a file.

use std::path::Path;

use zeroize::Zeroizing;

use super::bounded;
use crate::error::{Error, Result};
use crate::secret;

/// A field of the kubeconfig in its two forms, with words for errors.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) name: &'static str,
    /// kubectl's word for it where the file can't be read.
    pub(super) file: &'static str,
    /// `cluster` or `user`.
    pub(super) of: &'static str,
    pub(super) entry: &'a str,
}

impl Field<'_> {
    /// Returns the content, if there is one. `…-data` takes precedence over the file, as in kubectl.
    ///
    /// # Errors
    /// The data is not base64, or the file can't be read.
    pub(super) fn content(
        self,
        data: Option<&str>,
        path: Option<&str>,
    ) -> Result<Option<Zeroizing<Vec<u8>>>> {
        if let Some(data) = data {
            return self.decoded(data).map(Some);
        }
        let Some(path) = path else { return Ok(None) };
        let read = bounded::read(Path::new(path)).map_err(|error| {
            let Self { file, entry, .. } = self;
            let reason = bounded::reason(&error);
            let of = if entry.is_empty() { String::new() } else { format!(" for {entry}") };
            Error::failed(format!("unable to read {file} {path}{of} due to open {path}: {reason}"))
                .hint(format!("it is named by {} in the kubeconfig, or by --{}", self.name, self.name))
        })?;
        Ok(Some(read))
    }

    /// Returns the data's bytes. YAML folds line ends into blanks, and `!!binary` gives PEM that is not
    /// encoded at all.
    fn decoded(self, data: &str) -> Result<Zeroizing<Vec<u8>>> {
        if data.contains("-----BEGIN ") {
            return Ok(Zeroizing::new(data.as_bytes().to_vec()));
        }
        let packed: Zeroizing<String> =
            Zeroizing::new(data.chars().filter(|letter| !letter.is_ascii_whitespace()).collect());
        secret::decoded_base64(&packed).ok_or_else(|| {
            let Self { name, of, entry, .. } = self;
            Error::failed(format!("{name}-data of the {of} \"{entry}\" in the kubeconfig is not base64"))
                .hint("it is the file's base64: kubectl config set-cluster and set-credentials write it with --embed-certs")
        })
    }

    /// Returns its name for errors.
    pub(super) fn shown(self) -> String {
        let Self { name, of, entry, .. } = self;
        if entry.is_empty() { name.to_owned() } else { format!("{name} of the {of} \"{entry}\"") }
    }
}
