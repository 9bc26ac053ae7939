//! `--in-place`: puts changed manifests where the ones are that were read, each whole or not at all.
//!
//! The new file is written beside the old one, reaches the disk, and takes its place by a rename: who reads
//! meanwhile, and who finds the machine after a crash, sees the old file or the new one.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::private_files::write_new;
use crate::random::random;
use crate::session::Session;
use crate::sources::manifest_files::ManifestFile;
use crate::ui::interrupt;

const NOTHING_WRITTEN: &str = "nothing was written";

/// The places of some files. A file that was named twice has one.
pub(super) struct Places<'a>(Vec<Place<'a>>);

/// The place of a file that was read.
struct Place<'a> {
    file: &'a ManifestFile,
    /// The file itself, behind all links.
    path: PathBuf,
    metadata: Metadata,
}

/// A new file beside the old one. It is removed unless it has taken the old one's place.
struct Fresh<'a> {
    place: &'a Place<'a>,
    path: PathBuf,
}

impl<'a> Places<'a> {
    /// Finds the places, before anything is changed.
    ///
    /// # Errors
    /// One of them is no file that can be replaced by another one.
    pub(super) fn of(files: &'a [ManifestFile]) -> Result<Self> {
        let mut seen = BTreeSet::new();
        let mut places = Vec::new();
        for file in files {
            let place = Place::of(file)?;
            if seen.insert(place.path.clone()) {
                places.push(place);
            }
        }
        Ok(Self(places))
    }

    /// Writes the manifests of the files, in the same order. No file is touched before all of the new ones are
    /// on the disk; a manifest that is as it was is not written.
    ///
    /// # Errors
    /// A file can't be written, or somebody else has changed it since it was read.
    pub(super) fn write(
        &self,
        files: &[ManifestFile],
        manifests: &[Manifest<'_>],
        session: &Session<'_>,
    ) -> Result<()> {
        // A signal ends the command when the new files have their places, or are gone.
        interrupt::listen();
        let mut all = Vec::new();
        for place in &self.0 {
            let at = files.iter().position(|file| std::ptr::eq(file, place.file));
            let text = at.map(|at| manifests[at].text()).unwrap_or_default();
            let is_changed = text.as_bytes() != place.file.bytes();
            all.push((place, if is_changed { Some(place.write_beside(&text)?) } else { None }));
        }
        let mut written = Vec::new();
        for (place, fresh) in all {
            let name = place.file.name();
            let verb = match fresh {
                Some(fresh) => {
                    fresh.take_place().map_err(|error| although(error, &written))?;
                    written.push(name);
                    "updated"
                }
                None => "unchanged",
            };
            session.ui.done(&format!("{name} {verb}"))?;
        }
        Ok(())
    }
}

fn although(error: Error, written: &[&str]) -> Error {
    match written {
        [] => error.hint(NOTHING_WRITTEN),
        written => error.after(&format!("{} is written", written.join(", "))),
    }
}

impl<'a> Place<'a> {
    fn of(file: &'a ManifestFile) -> Result<Self> {
        let Some(path) = file.path() else {
            return Err(Error::usage("--in-place needs files, and -f - is standard input")
                .hint("leave out --in-place: what is changed is printed"));
        };
        let name = file.name();
        let refused = |error: io::Error| Error::failed(format!("can't write {name}: {}", error.kind()));
        let path = fs::canonicalize(path).map_err(refused)?;
        let metadata = fs::metadata(&path).map_err(refused)?;
        if !metadata.is_file() {
            return Err(Error::usage(format!("--in-place needs files, and {name} is none"))
                .hint("leave out --in-place: what is changed is printed"));
        }
        if has_other_names(&metadata) {
            return Err(Error::failed(format!(
                "{name} is a hard link: a new file in its place would leave its other names with the old text"
            ))
            .hint("leave out --in-place: what is changed is printed"));
        }
        // A rename asks the folder alone; a file that is protected stays as it is.
        File::options().write(true).open(&path).map_err(refused)?;
        Ok(Self { file, path, metadata })
    }

    fn write_beside(&self, text: &str) -> Result<Fresh<'_>> {
        let suffix: String = random()?.iter().map(|byte| char::from(b'a' + byte % 26)).collect();
        let path = self.path.with_file_name(format!(".kubectl-runai-secret-{suffix}"));
        let fresh = Fresh { place: self, path };
        fresh.write(text).map_err(|error| {
            Error::failed(format!("can't write a new {}: {}", self.file.name(), error.kind()))
                .hint(NOTHING_WRITTEN)
        })?;
        Ok(fresh)
    }
}

impl Fresh<'_> {
    fn write(&self, text: &str) -> io::Result<()> {
        let file = write_new(&self.path, text.as_bytes())?;
        keep_owner(&file, &self.place.metadata)?;
        file.set_permissions(self.place.metadata.permissions())?;
        file.sync_all()
    }

    /// # Errors
    /// The file is not the one that was read, or the rename fails.
    fn take_place(self) -> Result<()> {
        let Place { file, path, .. } = self.place;
        if !file.is_as_read()? {
            return Err(Error::failed(format!("{} was changed by something else meanwhile", file.name()))
                .hint("run it again"));
        }
        fs::rename(&self.path, path)
            .map_err(|error| Error::failed(format!("can't write {}: {}", file.name(), error.kind())))?;
        // The file is in its place; whether the folder says so after a crash is for the system to say.
        #[cfg(unix)]
        if let Some(folder) = path.parent().and_then(|folder| File::open(folder).ok()) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

impl Drop for Fresh<'_> {
    fn drop(&mut self) {
        // After the rename there is none of this name.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(unix)]
fn has_other_names(metadata: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(metadata) > 1
}

/// Gives the new file the owner and the group of the old one.
#[cfg(unix)]
fn keep_owner(file: &File, old: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};

    let new = file.metadata()?;
    let differing = |new: u32, old: u32| (new != old).then_some(old);
    match (differing(new.uid(), old.uid()), differing(new.gid(), old.gid())) {
        (None, None) => Ok(()),
        (owner, group) => fchown(file, owner, group),
    }
}

#[cfg(not(unix))]
fn has_other_names(_: &Metadata) -> bool {
    false
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "its other form can fail")]
fn keep_owner(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}
