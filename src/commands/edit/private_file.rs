//! A file for an editor: in memory where there is such a place, for its owner alone, and wiped when it goes.
//!
//! What the editor leaves beside it, backups and swap files, goes with the folder. It goes whatever ends the command, an
//! error or a signal, as the command is dropped then, and this with it. What was saved and is not written yet is somebody's
//! work: it stays, and the error says where.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::private_files;
use crate::private_files::{make_folder, write_new};
use crate::random::random;
use crate::secret::SecretValue;
use crate::ui::interrupt;

/// On Linux always in memory.
const SHARED_MEMORY: &str = "/dev/shm";
/// Far more than fits into a secret, whatever way it is written down.
const MOST: u64 = 8 << 20;

pub(super) struct PrivateFile {
    folder: PathBuf,
    pub(super) path: PathBuf,
    /// What was put into it last.
    given: SecretValue,
    worth: Worth,
    /// How to go on with what it holds, where the command does not.
    resume: String,
}

/// What the file is worth.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Worth {
    /// As much as what is saved in it differs from what was given.
    WhatIsSaved,
    /// It holds changes that are nowhere else.
    Work,
    Nothing,
}

impl PrivateFile {
    /// Writes a text into a file of this name, in a new folder.
    pub(super) fn new(name: &str, text: SecretValue) -> Result<Self> {
        interrupt::listen();
        let suffix: String = random()?.iter().map(|byte| char::from(b'a' + byte % 26)).collect();
        let base = bases().next().ok_or_else(|| {
            Error::failed("there is no folder for a file that nobody else can change")
                .hint("set XDG_RUNTIME_DIR to a folder of your own")
        })?;
        let folder = base.join(format!("{}{}-{suffix}", prefix(), std::process::id()));
        let (path, resume) = (folder.join(name), String::new());
        let file = Self { path, folder, given: text, worth: Worth::WhatIsSaved, resume };
        let refusal = |error: io::Error| {
            Error::failed(format!("can't write {}: {}", file.path.display(), error.kind()))
                .hint("XDG_RUNTIME_DIR says where such a file goes")
        };
        make_folder(&file.folder)
            .and_then(|()| write_new(&file.path, file.given.expose()))
            .map_err(refusal)?;
        Ok(file)
    }

    /// From here on this command goes on with it.
    pub(super) fn resume_by(&mut self, command: String) {
        self.resume = command;
    }

    /// What it holds now.
    ///
    /// # Errors
    /// An editor has put something else in its place, such as a pipe, or something without an end.
    pub(super) fn read(&self) -> Result<SecretValue> {
        read(&self.path).map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::InvalidInput => "it is no longer an ordinary file".to_owned(),
                io::ErrorKind::FileTooLarge => format!("it is larger than {} MiB", MOST >> 20),
                kind => kind.to_string(),
            };
            Error::failed(format!("can't read {}: {why}", self.path.display()))
                .hint("nothing was written, and the file is wiped; KUBE_EDITOR says which editor to start")
        })
    }

    /// Whether it holds what was put into it last.
    pub(super) fn is_as_given(&self, saved: &SecretValue) -> bool {
        saved.expose() == self.given.expose()
    }

    /// It holds changes now that must not get lost.
    pub(super) fn holds_work(&mut self) {
        self.worth = Worth::Work;
    }

    /// Puts another text into it.
    pub(super) fn replace(&mut self, text: SecretValue) -> Result<()> {
        // What an editor left in its place may be another file, of another mode.
        let replaced = remove(&self.path).and_then(|()| write_new(&self.path, text.expose()));
        self.given = text;
        replaced
            .map(drop)
            .map_err(|error| Error::failed(format!("can't write {}: {}", self.path.display(), error.kind())))
    }

    /// Wipes it: it is no longer needed.
    pub(super) fn wipe(&mut self) {
        self.worth = Worth::Nothing;
        self.clear();
    }

    fn is_worth_keeping(&self) -> bool {
        match self.worth {
            Worth::Nothing => false,
            Worth::Work => read(&self.path).is_ok(),
            // An editor that crashes may leave an empty file.
            Worth::WhatIsSaved => {
                read(&self.path).is_ok_and(|saved| saved.len() > 0 && !self.is_as_given(&saved))
            }
        }
    }

    /// Removes all but the text that is worth keeping.
    fn clear(&self) -> bool {
        let is_kept = self.is_worth_keeping();
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if !is_kept || entry.path() != self.path {
                let _ = remove(&entry.path());
            }
        }
        if is_kept {
            #[cfg(unix)]
            let _ = fs::set_permissions(&self.path, std::os::unix::fs::PermissionsExt::from_mode(0o600));
        } else {
            let _ = fs::remove_dir_all(&self.folder);
        }
        is_kept
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        if !self.clear() {
            return;
        }
        let path = self.path.display();
        interrupt::leave_word(format!("your text is kept, delete it when you are done: {path}"));
        if cfg!(unix) && !self.resume.is_empty() {
            let editor = shell_words::join(["cp", &path.to_string()]);
            let editor = shell_words::quote(&editor);
            interrupt::leave_word(format!("to write it as it is: KUBE_EDITOR={editor} {}", self.resume));
        }
    }
}

/// What an earlier run had to leave behind: it was killed, or kept a text that could not be written.
pub(super) struct Leftover {
    pub(super) folder: PathBuf,
    /// Unknown where the clock has gone back.
    pub(super) age: Option<std::time::Duration>,
}

/// The folders of runs that have ended.
pub(super) fn leftovers() -> Vec<Leftover> {
    let entries = bases().flat_map(|base| fs::read_dir(base).into_iter().flatten().flatten());
    let mut found: Vec<Leftover> = entries
        .filter(|entry| {
            let name = entry.file_name();
            let rest = name.to_str().and_then(|name| name.strip_prefix(&prefix()));
            rest.is_some_and(|rest| !is_running(rest))
        })
        .filter_map(|entry| {
            // Not of a link's target.
            let metadata = entry
                .metadata()
                .ok()
                .filter(|metadata| metadata.is_dir() && private_files::is_ours(metadata))?;
            let age = metadata.modified().ok().and_then(|time| time.elapsed().ok());
            Some(Leftover { folder: entry.path(), age })
        })
        .collect();
    found.sort_unstable_by(|a, b| a.folder.cmp(&b.folder));
    found.dedup_by(|a, b| a.folder == b.folder);
    found
}

fn prefix() -> String {
    format!("{}-", crate::flags::BINARY)
}

/// Whether the process is there whose number a folder's name has.
#[cfg(unix)]
fn is_running(rest: &str) -> bool {
    let number = rest.split_once('-').and_then(|(number, _)| number.parse().ok());
    number.and_then(rustix::process::Pid::from_raw).is_some_and(|process| {
        // Somebody else's process has taken the number.
        rustix::process::test_kill_process(process).is_ok()
    })
}

#[cfg(not(unix))]
fn is_running(_: &str) -> bool {
    false
}

/// Where such a file may go: the user's own folder in memory, or everybody's; a folder on a disk where there is neither.
fn bases() -> impl Iterator<Item = PathBuf> {
    let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    [own, Some(PathBuf::from(SHARED_MEMORY)), Some(std::env::temp_dir())]
        .into_iter()
        .flatten()
        // The specification of XDG_RUNTIME_DIR has relative paths ignored.
        .filter(|base| base.is_absolute() && private_files::keeps_what_is_ours(base))
}

/// Reads an ordinary file of an ordinary size: an editor may have left a pipe, on which nobody writes, or a device, which
/// has no end.
fn read(path: &Path) -> io::Result<SecretValue> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut options = fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, without_waiting());
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    if metadata.len() > MOST {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    SecretValue::read(file.take(MOST), usize::try_from(metadata.len()).unwrap_or_default())
}

/// What it was a moment ago, something else may be now.
#[cfg(unix)]
fn without_waiting() -> i32 {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW;
    i32::try_from(flags.bits()).unwrap_or_default()
}

/// Removes whatever is there; an ordinary file is written over first.
fn remove(path: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.is_dir() {
        for entry in fs::read_dir(path)?.flatten() {
            let _ = remove(&entry.path());
        }
        return fs::remove_dir_all(path);
    }
    if metadata.is_file() {
        // It may have a length that no disk holds, and nothing in it.
        let mut zeros = io::repeat(0).take(metadata.len().min(MOST));
        let _ = fs::OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut file| io::copy(&mut zeros, &mut file).and_then(|_| file.sync_all()));
    }
    fs::remove_file(path)
}
