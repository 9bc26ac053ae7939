//! `-o runai`: prints the flags with which the `runai` CLI does the same, and does nothing else.

use std::collections::BTreeMap;

use clap::{ArgMatches, Command, FromArgMatches};

use crate::command_line;
use crate::error::{Error, Result};
use crate::flags::{Output, parse_output};
use crate::session::Session;
use crate::workload::{self, Attachment};

const RUNAI: &str = "runai";

/// Tells whether `-o runai` was given. Only commands that use secrets have this format, so it is not an
/// [`Output`]. It must be read before `-o` is, so it stands before it among the arguments.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunaiFlags {
    Wanted,
    NotWanted,
}

impl FromArgMatches for RunaiFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = matches.get_raw("output").into_iter().flatten();
        let is_wanted = given.any(|word| word.eq_ignore_ascii_case(RUNAI));
        Ok(if is_wanted { Self::Wanted } else { Self::NotWanted })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for RunaiFlags {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}

/// Adds this format to `-o`.
pub(crate) fn with_runai(output: clap::Arg) -> clap::Arg {
    let parse = |word: &str| match word.to_lowercase().as_str() {
        RUNAI => Ok(Output::Human),
        // A template's own complaint lists no forms.
        _ => parse_output(word).map_err(|text| text.replace("name,yaml", "name,runai,yaml")),
    };
    output.value_name("json|yaml|name|runai|jsonpath=…|custom-columns=…").value_parser(parse).help(
        "Print the object instead of a sentence, or fields of it; runai: only print the runai CLI's flags",
    )
}

/// Returns the error for a flag that has no effect with `-o runai`.
pub(crate) fn only_prints(flag: &str) -> Error {
    Error::usage(format!("-o runai only prints flags: {flag} has no effect")).hint("leave out one of the two")
}

/// Prints the flags, quoted for a shell. `keys` holds the keys of each secret, as far as they are known.
///
/// # Errors
/// The `runai` CLI has no flag for an attachment.
pub(crate) fn print(
    attachments: &[Attachment],
    keys: &BTreeMap<String, Vec<String>>,
    session: &Session<'_>,
) -> Result<()> {
    let words = workload::runai_flags(attachments, keys)?;
    if words.is_empty() {
        session.ui.note("no secret is used: there is no flag to print");
        return Ok(());
    }
    session.ui.data(format!("{}\n", command_line::joined(words)).as_bytes())
}
