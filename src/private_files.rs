//! Files and folders that only their owner may read or change.

use std::env;
use std::fs::{self, Metadata};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Returns where a program keeps what it wants to find again; none if the user has no home.
pub(crate) fn state_folder(program: &str) -> Option<PathBuf> {
    // The specification of XDG_STATE_HOME says to ignore relative paths.
    let state = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || env::home_dir().filter(|home| home.is_absolute());
    let state = state.or_else(|| Some(home()?.join(".local").join("state")))?;
    Some(state.join(program))
}

/// Makes a folder for its owner alone. It must not exist yet.
///
/// # Errors
/// It exists already, or can't be made.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    for_the_owner().create(folder)
}

/// Makes a folder for its owner alone, and its parents. An existing one must be such a folder.
///
/// # Errors
/// It can't be made, is a link, belongs to somebody else or can be written to by others (`InvalidInput`):
/// they could replace one of our files.
pub(crate) fn own_folder(folder: &Path) -> io::Result<()> {
    for_the_owner().recursive(true).create(folder)?;
    let metadata = fs::symlink_metadata(folder)?;
    if metadata.is_dir() && is_ours(&metadata) && !others_may_write(&metadata) {
        Ok(())
    } else {
        Err(io::ErrorKind::InvalidInput.into())
    }
}

/// Writes a file for its owner alone. It must not exist yet.
///
/// # Errors
/// It exists already, or can't be written.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    Ok(file)
}

/// Returns true if nobody else can replace a folder that is made in this one.
#[cfg(unix)]
pub(crate) fn keeps_what_is_ours(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    const STICKY: u32 = 0o1000;
    fs::metadata(folder).is_ok_and(|folder| {
        let is_trusted = is_ours(&folder) || folder.uid() == 0;
        folder.is_dir() && is_trusted && (!others_may_write(&folder) || folder.mode() & STICKY != 0)
    })
}

#[cfg(unix)]
pub(crate) fn is_ours(metadata: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(metadata) == rustix::process::geteuid().as_raw()
}

#[cfg(unix)]
fn others_may_write(metadata: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::mode(metadata) & 0o022 != 0
}

fn for_the_owner() -> fs::DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there are no modes to set"))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Returns true: on Windows everything below a user's own folder is theirs.
#[cfg(not(unix))]
pub(crate) fn keeps_what_is_ours(folder: &Path) -> bool {
    folder.is_dir()
}

#[cfg(not(unix))]
pub(crate) fn is_ours(_: &Metadata) -> bool {
    true
}

#[cfg(not(unix))]
fn others_may_write(_: &Metadata) -> bool {
    false
}
