//! Writes values to a file that only its owner can read; on Windows a file has the readers of its folder. The file is written whole or not at all, and
//! replaces another one only if that was asked for.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use crate::error::{Error, Result};
use crate::random::random;

/// Tells who can read the file.
pub(super) const READERS: &str =
    if cfg!(unix) { "only you can read" } else { "everybody can read who can read its folder" };

/// The treatment of an existing file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    Keep,
    Replace,
}

pub(super) fn write(path: &Path, bytes: &[u8], existing: Existing) -> Result<()> {
    let written = match existing {
        Existing::Keep => write_new(path, bytes),
        Existing::Replace => replace(path, bytes)?,
    };
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Error::failed(format!("{} already exists", path.display()))
            .hint("it was not touched; choose another path, or add --overwrite"),
        kind => Error::failed(format!("can't write {}: {kind}", path.display())),
    })
}

/// Writes a new file beside the old one and renames it. So the file is always whole, and its permissions do
/// not depend on those of the old one.
fn replace(path: &Path, bytes: &[u8]) -> Result<io::Result<()>> {
    let suffix: String = random()?.iter().map(|byte| char::from(b'a' + byte % 26)).collect();
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{suffix}"));
    let unfinished = path.with_file_name(name);
    let written = write_new(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, path));
    if written.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    Ok(written)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}
