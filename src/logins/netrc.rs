//! `.netrc`: logins to hosts, of curl, Git, W&B and others.

use std::path::PathBuf;

use super::machine::{Machine, Text};
use crate::error::{Error, Result};
use crate::printable::printable;

/// A login to a host.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry<'t> {
    pub(super) host: &'t str,
    pub(super) login: &'t str,
    pub(super) password: &'t str,
}

impl Entry<'_> {
    /// Returns true if programs read the entry in different ways: Python undoes backslashes and quotes inside of a
    /// word, curl does in quotes alone.
    pub(super) fn is_ambiguous(&self) -> bool {
        [self.host, self.login, self.password].iter().any(|word| word.contains(['"', '\\']))
    }
}

/// Returns the file, by the name that is there: Windows has another usual one.
pub(super) fn netrc_file(machine: &Machine<'_>) -> PathBuf {
    let names = [".netrc", "_netrc"].map(|name| machine.home(name));
    let usual = || {
        let there = names.iter().find(|path| path.is_file());
        there.unwrap_or(&names[usize::from(cfg!(windows))]).clone()
    };
    machine.path_in("NETRC").unwrap_or_else(usual)
}

/// Refuses an entry that programs read in different ways.
pub(super) fn check_entry(file: &Text, entry: &Entry<'_>) -> Result<()> {
    if !entry.is_ambiguous() {
        return Ok(());
    }
    let place = format!("{}, machine {}", file.shown(), printable(entry.host));
    Err(Error::failed(format!(
        "{place}: a word has quotes or backslashes, which programs read in different ways"
    )))
}

/// Builds the error that `.netrc` has no login to a host.
pub(super) fn no_host(file: &Text, host: &str) -> Error {
    Error::failed(format!("{} has no login to {}", file.shown(), printable(host)))
}

/// Returns the entries that name a host, in their order.
///
/// The words are those of GNU's inetutils: `machine HOST`, `default`, `login`, `password`, `account`, and
/// `macdef`, which ends at an empty line. A word may stand in quotes.
pub(super) fn entries(text: &str) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut words = Words(text);
    let mut is_of_a_host = false;
    while let Some(word) = words.keyword() {
        match word {
            "machine" => {
                is_of_a_host = true;
                entries.push(Entry { host: words.next().unwrap_or_default(), login: "", password: "" });
            }
            "default" => is_of_a_host = false,
            "macdef" => words.skip_macro(),
            "login" | "password" | "account" => {
                let Some(said) = words.next() else { break };
                match entries.last_mut().filter(|_| is_of_a_host) {
                    Some(entry) if word == "login" => entry.login = said,
                    Some(entry) if word == "password" => entry.password = said,
                    _ => {}
                }
            }
            _ => {}
        }
    }
    entries
}

/// The words that are left.
struct Words<'t>(&'t str);

impl<'t> Iterator for Words<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        self.0 = self.0.trim_start();
        if let Some((word, rest)) = self.0.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
            self.0 = rest;
            return Some(word);
        }
        let end = self.0.find(char::is_whitespace).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest;
        (!word.is_empty()).then_some(word)
    }
}

impl<'t> Words<'t> {
    /// Returns the next word where one of the format's own is expected. Only there does `#` begin a comment: a
    /// password may begin with it.
    fn keyword(&mut self) -> Option<&'t str> {
        loop {
            self.0 = self.0.trim_start();
            if !self.0.starts_with('#') {
                return self.next();
            }
            self.0 = self.0.split_once('\n').map_or("", |(_, rest)| rest);
        }
    }

    fn skip_macro(&mut self) {
        let end = self.0.find("\n\n").unwrap_or(self.0.len());
        self.0 = &self.0[end..];
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_host_has_its_login() {
        let text = "# machine no\nmachine a.example login me password #p # x\nmachine b.example\n\tpassword \"with blank\"\n\
                    macdef init\nmachine inside login x\n\ndefault login anonymous password user@site\nmachine c\n";
        let entry = |host, login, password| Entry { host, login, password };
        assert_eq!(
            entries(text),
            [entry("a.example", "me", "#p"), entry("b.example", "", "with blank"), entry("c", "", "")]
        );
    }

    proptest! {
        #[test]
        fn any_text_has_an_end(text in "(machine|default|login|password|macdef| |\n|\"|#|x|é){0,40}") {
            let _ = entries(&text);
        }
    }
}
