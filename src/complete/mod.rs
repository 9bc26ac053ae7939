//! Completion, in a shell of its own and inside kubectl's.
//!
//! Both are answered before anything else happens. The dynamic engine of clap must be told the program's file name:
//! from the name in the usage lines, which has spaces, it would register itself for `kubectl` as a whole.

use std::ffi::OsString;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::CompleteEnv;

use crate::cli::{BINARY, Cli};

/// kubectl runs a file of this name, followed by `-` and the plugin's, to complete a plugin's arguments.
const KUBECTLS_PREFIX: &str = "kubectl_complete";

/// Set by the shells' registrations, and by whoever asks for one.
const REQUEST: &str = "COMPLETE";

/// Answers a request for completion, if this start of the program is one.
pub(crate) fn answered() -> bool {
    let mut words = std::env::args_os();
    let name = words.next().unwrap_or_default();
    let file = Path::new(&name).file_name().unwrap_or_default();
    if file.to_string_lossy().starts_with(KUBECTLS_PREFIX) {
        answer_kubectl(words.collect());
        return true;
    }
    if std::env::var_os(REQUEST).is_some() {
        CompleteEnv::with_factory(Cli::command).bin(BINARY).complete();
    }
    false
}

/// kubectl's protocol: the words so far, the last one unfinished; a candidate a line, with its help after a tab; at
/// the end what the shell may add of its own (4: no file names).
fn answer_kubectl(typed: Vec<OsString>) {
    let mut words = vec![OsString::from(BINARY)];
    words.extend(typed);
    let last = words.len() - 1;
    let flags_wanted = words[last].to_string_lossy().starts_with('-');
    let folder = std::env::current_dir().ok();
    let candidates = clap_complete::engine::complete(&mut Cli::command(), words, last, folder.as_deref())
        .unwrap_or_default();
    for candidate in candidates {
        let value = candidate.get_value().to_string_lossy();
        if candidate.is_hide_set() || value.starts_with('-') != flags_wanted {
            continue;
        }
        let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
        match help.lines().next() {
            Some(line) => println!("{value}\t{line}"),
            None => println!("{value}"),
        }
    }
    println!(":4");
}
