//! What a release of `kubectl-runai-secret` consists of: an archive for each platform, their sums, and the manifest by
//! which [Krew](https://krew.sigs.k8s.io) installs the plugin.
//!
//! The same program gives the same archive, byte for byte, wherever it is packed. Sums and version get into the
//! manifest from the archives, never by hand, and what was made is read back and checked for what Krew's own
//! `validate-krew-manifest` lets through.

#![expect(clippy::missing_errors_doc, reason = "an error here is the sentence for whoever makes the release")]

pub mod archive;
pub mod check;
pub mod manifest;
pub mod platform;

/// A failure is a sentence for whoever makes the release.
pub type Result<T> = std::result::Result<T, String>;
