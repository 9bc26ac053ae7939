//! Defines the command line. Its doc comments are the help that users read.
//!
//! This file decides nothing: each command turns its arguments into a request of its own (`commands/`) and
//! works on that alone.

pub(crate) mod elsewhere;
#[cfg(test)]
mod fuzz;
mod mistake;
pub(crate) mod overview;
pub(crate) mod parsing;
#[cfg(test)]
mod reference;
mod repeated;

use clap::{CommandFactory as _, Parser};

use crate::commands::Command;
use crate::flags::{self, BINARY, Globals};

/// Secrets for Run:ai: create them, share them with every project, attach them to jobs.
///
/// No value of a secret is shown, logged or handed to another program unless you ask for it: `view --reveal`
/// prints values, and `create -o json` or `-o yaml` prints a manifest that contains them.
#[derive(Parser)]
#[command(
    // No blanks: completion scripts make function names of it.
    name = BINARY,
    display_name = "kubectl runai-secret",
    bin_name = "kubectl runai-secret",
    version,
    max_term_width = 110,
    // `repeated` reports what this overrides.
    args_override_self = true,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    mut_args(flags::left_to_options),
    override_usage = "kubectl runai-secret COMMAND [FLAGS]",
    after_help = "Start here:\n  \
        kubectl runai-secret create hf --from-file=HF_TOKEN=token.txt -p team-a\n  \
        kubectl runai-secret attach hf deploy/web --env HF_TOKEN -p team-a\n  \
        kubectl runai-secret submit train -i python -e HF_TOKEN=SECRET:hf,HF_TOKEN -- python train.py"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    #[command(flatten)]
    pub(crate) globals: Globals,

    /// Notes about the line itself.
    #[arg(skip)]
    pub(crate) notes: Vec<String>,
}

/// Returns the built program, with all its commands and flags.
pub(crate) fn program() -> clap::Command {
    let mut program = Cli::command();
    program.build();
    program
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::Holds;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_argument_with_a_value_says_what_it_holds() {
        let program = program();
        let mut open = vec![&program];
        while let Some(command) = open.pop() {
            open.extend(command.get_subcommands());
            // What follows `--` is no value of an argument, and is shown by rules of its own.
            let with_values = |arg: &&clap::Arg| arg.get_action().takes_values() && !arg.is_last_set();
            for arg in command.get_arguments().filter(with_values) {
                assert!(Holds::of(arg).is_some(), "{} {arg}: add = Holds::…", command.get_name());
            }
        }
    }
}
