//! A release of `kubectl-runai-secret`: an archive for each platform, their sums, and the manifest by which
//! [Krew](https://krew.sigs.k8s.io) installs the plugin.
//!
//! Every machine packs a program into the same archive, byte for byte. Sums and version get into the
//! manifest from the archives, never by hand, and the result is read back and checked for faults that Krew's
//! own `validate-krew-manifest` accepts.

#![expect(clippy::missing_errors_doc, reason = "an error here is the sentence for whoever makes the release")]

pub mod archive;
pub mod channels;
pub mod check;
pub mod manifest;
pub mod platform;

/// A failure is a sentence for the person who makes the release.
pub type Result<T> = std::result::Result<T, String>;
