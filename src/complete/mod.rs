//! Completes command lines, in a shell and inside kubectl.
//!
//! A request is answered before anything else happens, in four steps: `typed_line` reads the line, `wanted`
//! finds out what the word at the cursor stands for, `live` and `files` look names up, and `kubectl` or
//! `shell` prints them for the caller. Nothing here prints messages or prompts: the line under the cursor
//! belongs to the shell. `choices` gives the same answers to the questions of a guided command.

mod candidate;
mod choices;
mod files;
#[cfg(test)]
mod fuzz;
mod kubectl;
mod live;
mod names;
mod offer;
mod shell;
mod wanted;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Instant;

use clap::Command;

use self::offer::{REQUEST, print};

pub(crate) use self::choices::{
    Choice, choices, fixed_choices, namespace, secrets_of, tab, workloads, workloads_that_use,
};
pub(crate) use self::files::on_disk;
pub(crate) use self::live::connection;
pub(crate) use self::names::LookupError;
pub(crate) use self::shell::{Shell, registration};

/// The prefix of the file that kubectl runs to complete a plugin's arguments; `-` and the plugin's name
/// follow.
const KUBECTLS_PREFIX: &str = "kubectl_complete";

/// Answers a request for completion, if this run of the program is one. `program` builds its definition.
pub(crate) fn answered(program: fn() -> Command) -> bool {
    let started = Instant::now();
    let mut words = std::env::args_os();
    let name = words.next().unwrap_or_default();
    let file = Path::new(&name).file_name().unwrap_or_default();
    if file.to_string_lossy().starts_with(KUBECTLS_PREFIX) {
        be_silent();
        kubectl::answer(&program(), &in_text(words), started);
        return true;
    }
    let Some(shell) = std::env::var_os(REQUEST).and_then(|name| Shell::of_path(Path::new(&name))) else {
        return false;
    };
    // The shell's words come after `--`, the program's name first. Without them the shell asks for its
    // script.
    let typed: Vec<String> = in_text(words.skip_while(|word| word != "--").skip(1));
    match typed.split_first() {
        Some((_, typed)) => {
            be_silent();
            shell.answer(&program(), typed, started);
        }
        None => print(&registration(shell, &from_anywhere(&name))),
    }
    true
}

/// Returns the command that started this program, usable in any folder.
pub(crate) fn from_anywhere(name: &OsStr) -> String {
    let path = Path::new(name);
    let path = if path.components().count() > 1 { std::path::absolute(path).ok() } else { None };
    path.as_deref().map_or(name, Path::as_os_str).to_string_lossy().into_owned()
}

/// Silences panics: they too must not write into the line under the cursor.
fn be_silent() {
    std::panic::set_hook(Box::new(|_| {}));
}

fn in_text(words: impl Iterator<Item = OsString>) -> Vec<String> {
    words.map(|word| word.to_string_lossy().into_owned()).collect()
}
