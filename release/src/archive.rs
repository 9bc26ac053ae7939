//! The archive of one platform: the program, its man pages, the shells' completion and the licence, and no trace of the
//! machine that packed them.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};

use crate::Result;
use crate::platform::Platform;

/// 1980-01-01: tar warns of the epoch itself as implausibly old, and zip's times begin then.
const MODIFIED: u64 = 315_532_800;

/// An entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub path: String,
    pub mode: u32,
    pub is_file: bool,
    pub content: Vec<u8>,
}

impl Entry {
    /// Builds the entry of a file.
    pub fn file(path: impl Into<String>, mode: u32, content: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), mode, is_file: true, content: content.into() }
    }
}

/// Returns the entries of a release's archive. Krew sets no modes, so the program must be executable here.
#[must_use]
pub fn entries(platform: Platform, program: &[u8], licence: &[u8]) -> [Entry; 2] {
    [Entry::file("LICENSE", 0o644, licence), Entry::file(platform.program(), 0o755, program)]
}

/// Returns the entries of a folder's files, such as the man pages, under `name`, sorted: a folder's own order differs
/// between machines.
///
/// # Errors
/// The folder or a file can't be read.
pub fn folder(folder: &Path, name: &str) -> Result<Vec<Entry>> {
    let unread = |error: std::io::Error| format!("can't read the files in {}: {error}", folder.display());
    let mut entries = Vec::new();
    for file in fs::read_dir(folder).map_err(unread)? {
        let file = file.map_err(unread)?;
        let content = fs::read(file.path()).map_err(unread)?;
        entries.push(Entry::file(format!("{name}/{}", file.file_name().to_string_lossy()), 0o644, content));
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

/// Packs a `.tar.gz` of these entries. The same entries give the same bytes.
///
/// # Panics
/// A path is longer than the 100 bytes of a header's field.
#[must_use]
pub fn write(entries: &[Entry]) -> Vec<u8> {
    // gzip would record the time and the packing system.
    let gzip = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::best());
    let mut archive = tar::Builder::new(gzip);
    for entry in entries {
        let mut header = tar::Header::new_ustar();
        // Set directly, since `set_path` refuses names that tests of the checks need.
        header.as_old_mut().name[..entry.path.len()].copy_from_slice(entry.path.as_bytes());
        header.set_size(entry.content.len() as u64);
        header.set_mode(entry.mode);
        header.set_mtime(MODIFIED);
        header.set_entry_type(if entry.is_file { tar::EntryType::Regular } else { tar::EntryType::Symlink });
        header.set_cksum();
        archive.append(&header, entry.content.as_slice()).expect("memory takes every byte");
    }
    archive.into_inner().and_then(flate2::write::GzEncoder::finish).expect("memory takes every byte")
}

/// Reads the entries of a `.tar.gz`.
pub fn read(archive: &[u8]) -> Result<Vec<Entry>> {
    let broken = |error: std::io::Error| format!("it is no .tar.gz: {error}");
    let mut archive = tar::Archive::new(GzDecoder::new(archive));
    let mut entries = Vec::new();
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(broken)?;
        entries.push(Entry {
            path: String::from_utf8_lossy(&entry.path_bytes()).into_owned(),
            mode: entry.header().mode().map_err(broken)?,
            is_file: entry.header().entry_type().is_file(),
            content,
        });
    }
    Ok(entries)
}

/// Returns the SHA-256 sum in lower case, as Krew requires.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes every character");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::PLATFORMS;

    #[test]
    fn what_is_packed_is_read_back() {
        for platform in PLATFORMS {
            let packed = entries(platform, &platform.stand_in(), b"the licence");
            assert_eq!(read(&write(&packed)).unwrap(), packed);
        }
        assert!(read(b"PK\x03\x04 a zip").unwrap_err().starts_with("it is no .tar.gz"));
    }

    /// A new sum means that every release would publish other bytes: the format or a library changed.
    #[test]
    fn the_same_program_gives_the_same_archive_on_every_machine() {
        let archive = || write(&entries(PLATFORMS[2], b"\x7fELF and so on", b"the licence"));
        assert_eq!(archive(), archive());
        assert_eq!(sha256(&archive()), "4338b734ab3412cd37521d5cce5b4e27822c2bc12529d3de5927744b1755d2d9");
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
