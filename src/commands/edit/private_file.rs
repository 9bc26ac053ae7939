//! A file for an editor: in memory where there is such a place, for its owner alone, and wiped when it goes.
//!
//! What the editor leaves beside it, backups and swap files, goes with the folder. It goes too when a signal ends the
//! program: the command is dropped then, and this with it; what is not written yet of somebody's work stays.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::commands::random;
use crate::error::{Error, Result};
use crate::secret::SecretValue;

/// On Linux always in memory.
const SHARED_MEMORY: &str = "/dev/shm";

pub(super) struct PrivateFile {
    folder: PathBuf,
    pub(super) path: PathBuf,
    kept: bool,
}

impl PrivateFile {
    /// Writes a text into a file of this name, in a new folder.
    pub(super) fn new(name: &str, value: &SecretValue) -> Result<Self> {
        let suffix: String = random()?.iter().map(|byte| char::from(b'a' + byte % 26)).collect();
        let folder = base().join(format!("{}-{suffix}", crate::cli::BINARY));
        let file = Self { path: folder.join(name), folder, kept: false };
        let refusal = |error: io::Error| {
            Error::failed(format!("can't write {}: {}", file.path.display(), error.kind()))
                .hint("XDG_RUNTIME_DIR says where such a file goes")
        };
        make_folder(&file.folder).and_then(|()| write_new(&file.path, value.expose())).map_err(refusal)?;
        Ok(file)
    }

    /// What it holds now.
    pub(super) fn read(&self) -> Result<SecretValue> {
        let read = fs::File::open(&self.path).and_then(|file| {
            let size = file.metadata().map(|metadata| metadata.len()).unwrap_or_default();
            SecretValue::read(file, usize::try_from(size).unwrap_or_default())
        });
        read.map_err(|error| Error::failed(format!("can't read {}: {}", self.path.display(), error.kind())))
    }

    /// Puts another text into it.
    pub(super) fn replace(&self, text: &SecretValue) -> Result<()> {
        // What an editor left in its place may be another file, of another mode.
        let replaced = wipe(&self.path)
            .and_then(|()| fs::remove_file(&self.path))
            .and_then(|()| write_new(&self.path, text.expose()));
        replaced
            .map_err(|error| Error::failed(format!("can't write {}: {}", self.path.display(), error.kind())))
    }

    /// Leaves it where it is when this goes, since it is all that there is of somebody's work; what to say of it.
    pub(super) fn keep(&mut self) -> String {
        self.kept = true;
        format!("your text is kept, delete it when you are done: {}", self.path.display())
    }

    /// It is no longer needed.
    pub(super) fn let_go(&mut self) {
        self.kept = false;
    }

    /// Leaves it where it is, and says so.
    pub(super) fn kept(&mut self, error: Error) -> Error {
        if self.kept { error } else { error.hint(self.keep()) }
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if self.kept && path == self.path {
                #[cfg(unix)]
                let _ = fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600));
                continue;
            }
            let _ = wipe(&path);
            let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        }
        if !self.kept {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// The user's own folder in memory, or everybody's; a folder on a disk where there is neither.
fn base() -> PathBuf {
    let own = std::env::var_os("XDG_RUNTIME_DIR").filter(|path| !path.is_empty()).map(PathBuf::from);
    let shared = || Some(PathBuf::from(SHARED_MEMORY)).filter(|path| path.is_dir());
    own.filter(|path| path.is_dir()).or_else(shared).unwrap_or_else(std::env::temp_dir)
}

fn make_folder(folder: &Path) -> io::Result<()> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there are no modes to set"))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}

fn wipe(path: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Ok(());
    }
    let mut file = fs::OpenOptions::new().write(true).open(path)?;
    let size = file.metadata()?.len();
    io::copy(&mut io::repeat(0).take(size), &mut file)?;
    file.sync_all()
}
