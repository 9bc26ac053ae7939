//! `completion`: prints a shell's script, or puts the names beside the plugin by which kubectl finds it.
//!
//! kubectl asks another file than the plugin's for completion, and neither cargo nor Krew installs a second
//! one. The names are relative links to the plugin's own file: they hold when the folder moves, and when Krew
//! points its own link to a new version.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::complete::{self, Shell};
use crate::error::{Error, Result};
use crate::flags::{BINARY, KREWS_NAME};
use crate::session::Session;

/// The names of the links beside the plugin, and the purpose of each.
const NAMES: [(&str, &str); 3] = [
    (KREWS_NAME, "kubectl runai-secret"),
    ("kubectl_complete-runai_secret", "Tab after kubectl runai-secret"),
    ("kubectl_complete-runai-secret", "Tab after kubectl runai secret"),
];

/// Set up Tab: print a shell's script, or have kubectl complete this plugin
///
/// install puts links to the plugin beside it, under the names by which kubectl finds it and asks it for
/// completion; kubectl's own completion must be set up in the shell. uninstall removes these links and
/// nothing else. With a shell's name the script is printed that completes kubectl-runai-secret, called by its
/// file name.
#[derive(clap::Args)]
#[command(
    override_usage = "kubectl runai-secret completion install|uninstall\n       \
                      kubectl runai-secret completion bash|zsh|fish|powershell|elvish",
    after_help = "Examples:\n  \
        kubectl runai-secret completion install\n  \
        kubectl runai-secret completion bash\n\n\
        In a shell's start-up file:\n  \
        bash, zsh: source <(kubectl-runai-secret completion bash)\n  \
        fish: kubectl-runai-secret completion fish | source"
)]
pub(crate) struct CompletionArgs {
    /// What to set up
    #[arg(value_name = "WHAT")]
    what: What,
}

#[derive(ValueEnum, Clone, Copy)]
enum What {
    /// Link the plugin for kubectl and for kubectl's completion
    Install,
    /// Remove these links
    Uninstall,
    /// Print the script for bash
    Bash,
    /// Print the script for zsh
    Zsh,
    /// Print the script for fish
    Fish,
    /// Print the script for PowerShell
    Powershell,
    /// Print the script for elvish
    Elvish,
}

pub(super) fn run(args: &CompletionArgs, session: &Session<'_>) -> Result<()> {
    let shell = match args.what {
        What::Install => return install(session),
        What::Uninstall => return uninstall(session),
        What::Bash => Shell::Bash,
        What::Zsh => Shell::Zsh,
        What::Fish => Shell::Fish,
        What::Powershell => Shell::Powershell,
        What::Elvish => Shell::Elvish,
    };
    // Krew makes no second name, and on Windows nobody else does.
    let name = if shell == Shell::Powershell { own_name() } else { BINARY };
    session.ui.data(complete::registration(shell, name).as_bytes())
}

/// Returns the name by which this program was started, of the two that it has.
fn own_name() -> &'static str {
    let started = std::env::args_os().next().map(PathBuf::from);
    let is_krews = started.is_some_and(|file| file.file_stem() == Some(OsStr::new(KREWS_NAME)));
    if is_krews { KREWS_NAME } else { BINARY }
}

/// The folder in which the plugin is found, and the name of its own file there.
struct Plugin {
    folder: PathBuf,
    file: String,
}

/// The file under one of the names.
enum Found {
    Nothing,
    /// A link that this plugin made, to this file beside it.
    Ours(String),
    /// Another program, or somebody else's link.
    Foreign,
}

fn install(session: &Session<'_>) -> Result<()> {
    let plugin = Plugin::find()?;
    let mut in_the_way = 0;
    for (name, purpose) in plugin.names() {
        let path = plugin.folder.join(name);
        match found(&path)? {
            Found::Ours(file) if file == plugin.file => {
                session.ui.done(&format!("{} is linked already", path.display()))?;
                continue;
            }
            Found::Ours(_) => remove(&path)?,
            Found::Nothing => {}
            Found::Foreign => {
                in_the_way += 1;
                session.ui.error(&Error::failed(format!(
                    "{} was not made by this plugin, and was left as it is",
                    path.display()
                )));
                continue;
            }
        }
        link(&plugin.file, &path).map_err(|error| not_written(&path, &error))?;
        session.ui.done(&format!("{} -> {} linked, for {purpose}", path.display(), plugin.file))?;
    }
    plugin.say_what_is_missing(session);
    finished(in_the_way)
}

fn uninstall(session: &Session<'_>) -> Result<()> {
    let plugin = Plugin::find()?;
    for (name, _) in plugin.names() {
        let path = plugin.folder.join(name);
        if matches!(found(&path)?, Found::Ours(_)) {
            remove(&path)?;
            session.ui.done(&format!("{} removed", path.display()))?;
        }
    }
    Ok(())
}

fn finished(in_the_way: usize) -> Result<()> {
    if in_the_way == 0 {
        return Ok(());
    }
    Err(Error::partly("not every name could be linked")
        .hint("if you don't need the files in the way, move them and run this again"))
}

impl Plugin {
    /// Finds the plugin by the path that it was started with, not by that of its file: Krew keeps the file in
    /// the folder of a version, which is removed with the next one.
    fn find() -> Result<Self> {
        let lost = || Error::failed("this program's own file was not found").hint("start it by its path");
        let path = started_as().ok_or_else(lost)?;
        let path = link_of_krew(&path).unwrap_or(path);
        let folder = path.parent().ok_or_else(lost)?.to_owned();
        let file = path.file_name().and_then(OsStr::to_str).ok_or_else(lost)?.to_owned();
        Ok(match found(&path)? {
            Found::Ours(file) => Self { folder, file },
            _ => Self { folder, file },
        })
    }

    fn names(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        NAMES.into_iter().filter(|(name, _)| *name != self.file)
    }

    /// Warns if the folder is not on PATH, where alone kubectl looks for plugins and for their completion.
    fn say_what_is_missing(&self, session: &Session<'_>) {
        let path = std::env::var_os("PATH").unwrap_or_default();
        if !std::env::split_paths(&path).any(|folder| is_same(&folder, &self.folder)) {
            let folder = self.folder.display();
            session.ui.warning(&format!("{folder} is not on PATH, where kubectl looks for plugins"));
        }
    }
}

/// Returns the path in the first argument; if that is a bare name, its path on PATH.
fn started_as() -> Option<PathBuf> {
    let name = PathBuf::from(std::env::args_os().next()?);
    if name.components().count() > 1 {
        return std::path::absolute(name).ok();
    }
    let path = std::env::var_os("PATH")?;
    let on_path = std::env::split_paths(&path).map(|folder| folder.join(&name)).find(|file| file.is_file());
    std::path::absolute(on_path?).ok()
}

/// Returns Krew's link to the plugin, if `file` is the one that it points to.
fn link_of_krew(file: &Path) -> Option<PathBuf> {
    let root = std::env::var_os("KREW_ROOT")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".krew")))?;
    let is_in_store =
        file.starts_with(root.join("store")) || file.starts_with(fs::canonicalize(&root).ok()?.join("store"));
    let link = root.join("bin").join(KREWS_NAME);
    (is_in_store && is_same(&link, file)).then_some(link)
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}

/// # Errors
/// The path can't be read.
fn found(path: &Path) -> Result<Found> {
    let look = match fs::symlink_metadata(path) {
        Ok(file) if file.is_symlink() => fs::read_link(path),
        Ok(_) => return Ok(Found::Foreign),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => Err(error),
    };
    let target = look.map_err(|error| Error::failed(format!("can't look at {}: {error}", path.display())))?;
    // Nobody else links these names to a plain file name: Krew's links have a path.
    Ok(match target.to_str() {
        Some(file) if [BINARY, KREWS_NAME].contains(&file) => Found::Ours(file.to_owned()),
        _ => Found::Foreign,
    })
}

fn remove(path: &Path) -> Result<()> {
    fs::remove_file(path).map_err(|error| not_written(path, &error))
}

#[cfg(unix)]
fn link(file: &str, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(file, path)
}

/// Refuses to link on Windows: kubectl (1.37) takes `.exe` for a part of a plugin's name there, and so finds no file that
/// would complete `runai-secret`.
#[cfg(not(unix))]
fn link(_: &str, _: &Path) -> io::Result<()> {
    Err(io::Error::new(ErrorKind::Unsupported, "kubectl asks no plugin for completion on Windows"))
}

fn not_written(path: &Path, error: &io::Error) -> Error {
    let failed = Error::failed(format!("can't change {}: {error}", path.display()));
    match error.kind() {
        ErrorKind::PermissionDenied => failed
            .hint("run this as a user who may write there, or install the plugin in a folder of your own"),
        ErrorKind::Unsupported => {
            let name = own_name();
            failed.hint(format!(
                "PowerShell completes {name} itself, with this line in its profile: \
                 {name} completion powershell | Out-String | Invoke-Expression"
            ))
        }
        _ => failed,
    }
}
