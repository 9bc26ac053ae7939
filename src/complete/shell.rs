//! Completes the program under its own file name, in each shell's own way.
//!
//! The scripts for bash and zsh are this program's. clap's scripts (`clap_complete` 4.6) split words at `:` and
//! `=` in bash (clap#6280), and end a word in zsh that continues. The other three shells use clap's scripts.
//! All ask with `COMPLETE=<shell>` and pass the words after `--`.

use std::borrow::Cow;
use std::fmt::Write;
use std::path::Path;
use std::time::Instant;

use clap::{Command, ValueEnum};
use clap_complete::env::{Elvish, EnvCompleter, Fish, Powershell};

use super::candidate::Offer;
use super::files;
use super::offer::{REQUEST, offer, print};
use crate::flags::{BINARY, KREWS_NAME};

/// The placeholder in the scripts for the command to ask.
const COMPLETER: &str = "@COMPLETER@";

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
    Elvish,
}

/// Returns the script that makes a shell ask `completer`, a command, about the program.
pub(crate) fn registration(shell: Shell, completer: &str) -> String {
    match shell {
        Shell::Bash => with_completer(include_str!("bash.sh"), completer),
        Shell::Zsh => with_completer(include_str!("zsh.zsh"), completer),
        Shell::Fish => of_clap(&Fish, completer),
        Shell::Powershell => of_clap(&Powershell, completer),
        Shell::Elvish => of_clap(&Elvish, completer),
    }
}

fn with_completer(script: &str, completer: &str) -> String {
    script.replace(COMPLETER, &shell_words::quote(completer))
}

fn of_clap(shell: &dyn EnvCompleter, completer: &str) -> String {
    let mut script = Vec::new();
    // Named by its file: the usage lines' name has blanks, so the script would take over `kubectl`.
    let name = Path::new(completer).file_stem().and_then(|name| name.to_str());
    let name = name.filter(|name| *name == KREWS_NAME).unwrap_or(BINARY);
    let written = shell.write_registration(REQUEST, BINARY, name, completer, &mut script);
    written.expect("writing to memory does not fail");
    format!("{}\n", String::from_utf8_lossy(&script).trim())
}

impl Shell {
    /// Returns the shell of this name or at this path.
    pub(super) fn of_path(path: &Path) -> Option<Self> {
        match path.file_stem()?.to_str()? {
            "bash" => Some(Self::Bash),
            "zsh" => Some(Self::Zsh),
            "fish" => Some(Self::Fish),
            "pwsh" | "powershell" | "powershell_ise" => Some(Self::Powershell),
            "elvish" => Some(Self::Elvish),
            _ => None,
        }
    }

    /// Answers the script's question about the last of these words.
    pub(super) fn answer(self, program: &Command, words: &[String], started: Instant) {
        let words: Vec<String> = match self {
            // bash passes the line as it is, with quotation marks.
            Self::Bash => words.iter().map(|word| unquoted(word)).collect(),
            _ => words.to_vec(),
        };
        print(&self.in_protocol(offer(program, &words, started)));
    }

    fn in_protocol(self, mut offer: Offer) -> String {
        let lists_files_itself = matches!(self, Self::Bash | Self::Zsh);
        if let Some(wanted) = offer.files.as_ref().filter(|_| !lists_files_itself) {
            offer.candidates.extend(files::candidates(wanted, files::DotFiles::AfterADot));
        }
        let mut answer = String::new();
        for candidate in &offer.candidates {
            let (value, about) = (&candidate.value, &candidate.about);
            // Writing to a string can't fail.
            let _ = match self {
                Self::Bash => writeln!(answer, "{}", escaped(value)),
                Self::Elvish => writeln!(answer, "{value}"),
                Self::Powershell if about.is_empty() => writeln!(answer, "{}", for_powershell(value)),
                Self::Powershell => writeln!(answer, "{}\t{about}", for_powershell(value)),
                _ if about.is_empty() => writeln!(answer, "{value}"),
                Self::Zsh | Self::Fish => writeln!(answer, "{value}\t{about}"),
            };
        }
        if lists_files_itself {
            let no_space = if offer.goes_on() { 2 } else { 0 };
            let no_files = if offer.files.is_some() { 0 } else { 4 };
            let _ = write!(answer, ":{}", no_space + no_files);
        }
        answer
    }
}

/// Returns a word without its quotation marks; unchanged if they are not closed.
fn unquoted(word: &str) -> String {
    match shell_words::split(word).as_deref() {
        Ok([only]) => only.clone(),
        _ => word.to_owned(),
    }
}

/// Puts a backslash before characters that mean something to a shell.
fn escaped(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        if c.is_ascii() && !c.is_ascii_alphanumeric() && !"-_./:=,@+%".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Returns a word in quotation marks, if it has a character that means something to PowerShell, which takes a candidate as
/// it is.
fn for_powershell(value: &str) -> Cow<'_, str> {
    if value.contains([' ', '$', '`', '\'', '"', '(', ')', '{', '}', ';', '&', '|', '<', '>', '#']) {
        format!("'{}'", value.replace('\'', "''")).into()
    } else {
        value.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_is_one_word_in_bash() {
        assert_eq!(escaped("arn:aws:eks:1:cluster/a b"), "arn:aws:eks:1:cluster/a\\ b");
        assert_eq!(unquoted("a\\ b"), "a b");
        assert_eq!(unquoted("'a b'"), "a b");
        assert_eq!(unquoted("'a"), "'a");
        assert_eq!(unquoted(""), "");
    }

    #[test]
    fn a_name_with_blanks_is_one_word_in_powershell() {
        assert_eq!(for_powershell(r"--from-file=k=C:\w\plain.txt"), r"--from-file=k=C:\w\plain.txt");
        assert_eq!(for_powershell(r"k=C:\a b\it's.txt"), r"'k=C:\a b\it''s.txt'");
    }

    #[test]
    fn a_script_for_powershell_completes_the_name_that_asks_for_it() {
        for name in [BINARY, "kubectl-runai_secret"] {
            let script = registration(Shell::Powershell, name);
            assert!(script.contains(&format!("-CommandName {name} ")), "{script}");
            assert!(script.contains(&format!("& {name} -- ")), "{script}");
        }
        let script = registration(Shell::Powershell, "/opt/a b/kubectl-runai_secret");
        assert!(script.contains("-CommandName kubectl-runai_secret "), "{script}");
        assert!(registration(Shell::Powershell, "other").contains(&format!("-CommandName {BINARY} ")));
    }

    #[test]
    fn a_shell_is_known_by_its_name_and_by_its_path() {
        assert_eq!(Shell::of_path(Path::new("/usr/bin/zsh")), Some(Shell::Zsh));
        assert_eq!(Shell::of_path(Path::new("pwsh.exe")), Some(Shell::Powershell));
        for other in ["", "0", "tcsh"] {
            assert_eq!(Shell::of_path(Path::new(other)), None, "{other}");
        }
    }
}
