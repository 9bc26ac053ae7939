//! Keeps a file for an editor: in memory if possible, readable by its owner alone, and wiped at the end.
//!
//! Backups and swap files of the editor are removed with the folder. That happens whatever ends the command,
//! an error or a signal, since the command is dropped then, and this file with it. A text that was saved but
//! not written yet is somebody's work: it stays, and the error says where.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::command_line;
use crate::error::{Error, Result};
use crate::private_files;
use crate::private_files::{make_folder, write_new};
use crate::random::random;
use crate::secret::SecretValue;
use crate::ui::interrupt;

/// A folder in memory, which Linux always has.
const SHARED_MEMORY: &str = "/dev/shm";
/// The most bytes of the file: far more than a secret can hold, however it is written.
const MOST: u64 = 8 << 20;

pub(super) struct PrivateFile {
    folder: PathBuf,
    pub(super) path: PathBuf,
    /// The text that was put into it last.
    given: SecretValue,
    worth: Worth,
    /// The command that continues with the text if this one ends.
    resume: String,
}

/// Decides whether the file is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Worth {
    /// It is kept if it differs from what was put into it.
    WhatIsSaved,
    /// It holds changes that exist nowhere else.
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

    /// Sets the command that continues with the text.
    pub(super) fn resume_by(&mut self, command: String) {
        self.resume = command;
    }

    /// Reads the file.
    ///
    /// # Errors
    /// The editor has put something else in its place, such as a pipe or something without an end.
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

    /// Reports whether the text is the one that was put into it last.
    pub(super) fn is_as_given(&self, saved: &SecretValue) -> bool {
        saved.expose() == self.given.expose()
    }

    /// Marks the file as holding changes that must not get lost.
    pub(super) fn holds_work(&mut self) {
        self.worth = Worth::Work;
    }

    /// Puts another text into the file.
    pub(super) fn replace(&mut self, text: SecretValue) -> Result<()> {
        // An editor may have replaced the file with another one, of another mode.
        let replaced = remove(&self.path).and_then(|()| write_new(&self.path, text.expose()));
        self.given = text;
        replaced
            .map(drop)
            .map_err(|error| Error::failed(format!("can't write {}: {}", self.path.display(), error.kind())))
    }

    /// Wipes the file when it is no longer needed.
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

    /// Removes everything except a text that is worth keeping. Returns whether one was kept.
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
            let editor = command_line::joined(["cp", &path.to_string()]);
            let editor = command_line::quoted(&editor);
            interrupt::leave_word(format!("to write it as it is: KUBE_EDITOR={editor} {}", self.resume));
        }
    }
}

/// A folder that an earlier run left behind: it was killed, or kept a text that could not be written.
pub(super) struct Leftover {
    pub(super) folder: PathBuf,
    /// None if the clock has gone back.
    pub(super) age: Option<std::time::Duration>,
}

/// Lists the folders of runs that have ended.
pub(super) fn leftovers() -> Vec<Leftover> {
    let entries = bases().flat_map(|base| fs::read_dir(base).into_iter().flatten().flatten());
    let mut found: Vec<Leftover> = entries
        .filter(|entry| {
            let name = entry.file_name();
            let rest = name.to_str().and_then(|name| name.strip_prefix(&prefix()));
            rest.is_some_and(|rest| !is_running(rest))
        })
        .filter_map(|entry| {
            // The metadata of the entry itself, not of a link's target.
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

/// Reports whether the process still runs whose number is in the folder's name.
#[cfg(unix)]
fn is_running(rest: &str) -> bool {
    let number = rest.split_once('-').and_then(|(number, _)| number.parse().ok());
    number.and_then(rustix::process::Pid::from_raw).is_some_and(|process| {
        // An error means that the number now belongs to somebody else's process.
        rustix::process::test_kill_process(process).is_ok()
    })
}

#[cfg(not(unix))]
fn is_running(_: &str) -> bool {
    false
}

/// Lists the folders for such a file: the user's own in memory, the shared one in memory, and a folder on a
/// disk if there is neither.
fn bases() -> impl Iterator<Item = PathBuf> {
    let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let shared = cfg!(target_os = "linux").then(|| PathBuf::from(SHARED_MEMORY));
    [own, shared, Some(std::env::temp_dir())]
        .into_iter()
        .flatten()
        // The specification of XDG_RUNTIME_DIR says to ignore relative paths.
        .filter(|base| base.is_absolute() && private_files::keeps_what_is_ours(base))
}

/// Reads an ordinary file of a limited size: an editor may have left a pipe on which nobody writes, or a
/// device without an end.
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

/// Opens without waiting and without following links: since the check the file may have been replaced.
#[cfg(unix)]
fn without_waiting() -> i32 {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW;
    i32::try_from(flags.bits()).unwrap_or_default()
}

/// Removes a path, whatever it is. An ordinary file is overwritten first.
fn remove(path: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.is_dir() {
        for entry in fs::read_dir(path)?.flatten() {
            let _ = remove(&entry.path());
        }
        return fs::remove_dir_all(path);
    }
    if metadata.is_file() {
        // A sparse file may claim a length that no disk holds.
        let mut zeros = io::repeat(0).take(metadata.len().min(MOST));
        let _ = fs::OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut file| io::copy(&mut zeros, &mut file).and_then(|_| file.sync_all()));
    }
    fs::remove_file(path)
}
