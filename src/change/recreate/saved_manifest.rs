//! Keeps a copy of an object in a file while the cluster has none.
//!
//! It keeps only metadata and type of a secret: no value is ever written to disk.
//!
//! The file is flushed to disk before the object is deleted. Only its owner can read it, since a manifest may
//! hold plain variables. `kubectl create` brings a workload back from it without this program.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::Value;

use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::private_files::{own_folder, state_folder, write_new};
use crate::render;

pub(crate) struct SavedManifest {
    path: PathBuf,
}

impl SavedManifest {
    /// Saves a manifest under a name that says what it is.
    ///
    /// # Errors
    /// There is no folder for it, or it can't be written. The object must not be deleted then.
    pub(crate) fn save(manifest: &Value, name: &str) -> Result<Self> {
        let folder = folder().ok_or_else(|| {
            Error::failed("there is no folder to keep the old manifest in")
                .hint("set XDG_STATE_HOME or HOME to a path that begins with /")
        })?;
        let path = folder.join(name);
        write(&folder, &path, &render::json(manifest)).map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::InvalidInput => format!("{} is not yours alone", folder.display()),
                kind => kind.to_string(),
            };
            Error::failed(format!("can't save the old manifest as {}: {why}", path.display()))
                .hint("nothing was changed in the cluster; XDG_STATE_HOME says where such files go")
        })?;
        Ok(Self { path })
    }

    /// Returns the saved manifests with this mark in their name, the newest first, with their content.
    /// Unreadable ones are skipped: they only serve for hints.
    pub(crate) fn named(mark: &str) -> Vec<(Self, Value)> {
        let Some(files) = folder().and_then(|folder| fs::read_dir(folder).ok()) else { return Vec::new() };
        let is_meant = |path: &PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy());
            name.is_some_and(|name| name.contains(mark) && name.ends_with(".json"))
        };
        let mut paths: Vec<PathBuf> = files.flatten().map(|file| file.path()).filter(is_meant).collect();
        let written = |path: &PathBuf| fs::metadata(path).and_then(|about| about.modified()).ok();
        paths.sort_by_cached_key(|path| std::cmp::Reverse(written(path)));
        let read = |path: PathBuf| {
            let manifest = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
            Some((Self { path }, manifest))
        };
        paths.into_iter().filter_map(read).collect()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the command that brings the object back.
    pub(crate) fn restore_command(&self) -> String {
        CommandLine::kubectl("create -f").arg(self.path.display().to_string()).to_string()
    }

    /// Removes the file, once the cluster has the object or its successor.
    pub(crate) fn remove(&self) {
        // A leftover file does no harm.
        let _ = fs::remove_file(&self.path);
    }
}

fn folder() -> Option<PathBuf> {
    state_folder(crate::flags::BINARY)
}

/// Writes a new file beside the old one and renames it, so that the file is always whole.
fn write(folder: &Path, path: &Path, manifest: &[u8]) -> io::Result<()> {
    own_folder(folder)?;
    let unfinished = path.with_extension("unfinished");
    let written = write_new(&unfinished, manifest)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&unfinished, path));
    if written.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    // The name must reach the disk too. Not every system lets a folder be opened.
    if let Ok(folder) = fs::File::open(folder) {
        let _ = folder.sync_all();
    }
    written
}
