//! Finds the user's editor, starts it and waits for it.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{env, io};

#[cfg(unix)]
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::command_line;
use crate::error::{Error, Result};
use crate::programs;
use crate::session::Session;
use crate::ui::{self, SavedTerminal};

/// The editor that is started if none is set.
const USUAL: &str = if cfg!(windows) { "notepad" } else { "vi" };

/// Arguments that keep values out of vim's registers, undo history and swap files.
const VIM: [&str; 5] = ["-n", "-i", "NONE", "-c", "silent! set noundofile nobackup nowritebackup"];

/// How long an editor may take to end after a signal has ended this program.
const PATIENCE: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The editor's program and its first arguments.
pub(super) struct Editor(Vec<String>);

impl Editor {
    pub(super) fn of(session: &Session<'_>) -> Result<Self> {
        let set = |name: &str| env::var(name).ok().filter(|editor| !editor.trim().is_empty());
        let editor = ["KUBE_EDITOR", "VISUAL", "EDITOR"].into_iter().find_map(set);
        let Some(editor) = editor.or_else(|| session.ui.data_is_seen().then(|| USUAL.to_owned())) else {
            return Err(Error::usage("there is no terminal to edit in, and no other editor is set")
                .hint("set KUBE_EDITOR to the editor to start; the command set changes a key without one"));
        };
        let words = command_line::split(&editor).unwrap_or_default();
        if words.is_empty() {
            return Err(Error::usage("the editor's command can't be understood").hint("set KUBE_EDITOR=vim"));
        }
        Ok(Self(words))
    }

    /// Starts the editor on a file and waits for it. The editor gets the file's name; no value is in its
    /// arguments.
    pub(super) async fn open(&self, path: &Path, session: &Session<'_>) -> Result<()> {
        let (program, arguments) = self.0.split_first().expect("an editor has a name");
        let mut command = Command::new(programs::to_start(program));
        command.args(arguments).kill_on_drop(true);
        // The editor draws the values: if standard output is not a terminal, its output is dropped.
        if !session.ui.data_is_seen() {
            command.stdout(Stdio::null());
        }
        if is_vim(program) {
            command.args(VIM);
        }
        let terminal = SavedTerminal::new();
        // Started inside the wait: before it, a Ctrl-C would end this program.
        let status = async {
            match command.arg(path).spawn() {
                Ok(process) => Running { process, _terminal: terminal }.end().await,
                Err(error) => Err(error),
            }
        };
        let ended = if session.ui.has_input() {
            status.await
        } else {
            ui::interrupt::leaving_keyboard_to(status).await
        };
        let ended = ended.map_err(|error| {
            let why = if error.kind() == io::ErrorKind::NotFound {
                "there is no such program".to_owned()
            } else {
                error.to_string()
            };
            Error::failed(format!("can't start the editor {program}: {why}"))
                .hint("KUBE_EDITOR, VISUAL or EDITOR says which one to start")
        })?;
        if ended.success() {
            return Ok(());
        }
        if is_ctrl_c(ended) {
            return Err(Error::interrupted());
        }
        Err(Error::failed(format!("the editor {program} failed ({ended}); nothing was changed")))
    }
}

/// A running editor. It ends with this program, and the terminal is restored whichever ends first.
struct Running {
    process: Child,
    _terminal: SavedTerminal,
}

impl Running {
    async fn end(mut self) -> io::Result<ExitStatus> {
        self.process.wait().await
    }

    fn is_running(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }
}

impl Drop for Running {
    /// Asks the editor to end too if a signal ends the program, so that it restores the screen. One that does
    /// not is killed. Blocking is fine here: nothing else is running.
    fn drop(&mut self) {
        if !self.is_running() {
            return;
        }
        ask_to_end(&self.process);
        let started = Instant::now();
        while self.is_running() && started.elapsed() < PATIENCE {
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}

#[cfg(unix)]
fn ask_to_end(process: &Child) {
    let id = process.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(id) = id {
        let _ = kill_process(id, Signal::TERM);
    }
}

/// Windows has no such signal.
#[cfg(not(unix))]
fn ask_to_end(_: &Child) {}

/// Reports whether Ctrl-C ended the editor.
#[cfg(unix)]
fn is_ctrl_c(ended: ExitStatus) -> bool {
    const INTERRUPT: i32 = 2;
    std::os::unix::process::ExitStatusExt::signal(&ended) == Some(INTERRUPT)
}

#[cfg(not(unix))]
fn is_ctrl_c(ended: ExitStatus) -> bool {
    /// `STATUS_CONTROL_C_EXIT`.
    const INTERRUPT: u32 = 0xc000_013a;
    ended.code().map(i32::cast_unsigned) == Some(INTERRUPT)
}

/// Reports whether the editor is vim, by this name or another: `vi` is a link to it almost everywhere.
fn is_vim(program: &str) -> bool {
    let given = Path::new(program);
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = || env::split_paths(&path).map(|folder| folder.join(given)).find(|file| file.is_file());
    let file = if given.components().count() > 1 { Some(given.to_owned()) } else { on_path() };
    let linked = file.and_then(|file| file.canonicalize().ok());
    let both = [Some(given), linked.as_deref()].into_iter().flatten();
    let mut names = both.filter_map(Path::file_name).filter_map(OsStr::to_str);
    names.any(is_name_of_vim)
}

/// Returns true for `vim`, `nvim.exe`, `vim.basic` and the like.
fn is_name_of_vim(file: &str) -> bool {
    let file = file.to_ascii_lowercase();
    let name = file.strip_suffix(".exe").unwrap_or(&file);
    name.starts_with("vim") || matches!(name, "nvim" | "gvim")
}

#[cfg(test)]
mod tests {
    use super::is_name_of_vim;

    #[test]
    fn vim_is_known_by_each_of_its_names() {
        for name in ["vim", "vim.basic", "vimx", "nvim", "gvim", "Vim.exe", "nvim.exe", "gvim.exe"] {
            assert!(is_name_of_vim(name), "{name}");
        }
        for name in ["vi", "nano", "code.exe", "nvim-qt"] {
            assert!(!is_name_of_vim(name), "{name}");
        }
    }
}
