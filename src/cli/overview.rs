//! Lays out the first page of the help: the commands in groups, since nobody reads so many in one list.
//!
//! clap groups flags, but not commands. So clap leaves the commands out, and this file lists them.

use std::fmt::Write as _;

use clap::Command;
use clap::builder::styling::Style;

/// Every command, in the order in which a newcomer needs them.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Make", &["create", "set", "unset", "edit", "copy", "rename", "apply", "delete"]),
    ("See", &["list", "view", "usage", "diff"]),
    ("Share", &["label", "status", "sync"]),
    ("Use", &["attach", "detach", "submit", "restart", "check"]),
    ("Shell and help", &["completion", "options"]),
];

/// Every command, the one that is wanted most often first: for somebody who picks one.
pub(crate) const BY_FREQUENCY: [&str; 22] = [
    "create",
    "attach",
    "submit",
    "list",
    "view",
    "set",
    "usage",
    "check",
    "copy",
    "delete",
    "restart",
    "detach",
    "unset",
    "edit",
    "rename",
    "label",
    "status",
    "sync",
    "diff",
    "apply",
    "completion",
    "options",
];

/// Returns the program with its commands grouped in the help and hidden from clap: it can no longer complete
/// them.
pub(super) fn with_groups(program: Command) -> Command {
    let styles = program.get_styles();
    let commands = commands(&program, *styles.get_header(), *styles.get_literal());
    program.mut_subcommands(|command| command.hide(true)).help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{commands}{{all-args}}{{after-help}}"
    ))
}

fn commands(program: &Command, header: Style, literal: Style) -> String {
    let names = GROUPS.iter().flat_map(|(_, names)| *names);
    let width = names.map(|name| name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (group, names) in GROUPS {
        let _ = writeln!(text, "{header}{group}:{header:#}");
        for name in names {
            let about = program.find_subcommand(name).and_then(Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(text, "  {literal}{name:<width$}{literal:#}  {about}");
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_command_is_in_one_group() {
        let program = Cli::command();
        let known: BTreeSet<&str> = program.get_subcommands().map(Command::get_name).collect();
        let listed: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), known);
        assert_eq!(listed.len(), known.len(), "a command is in two groups");
        assert_eq!(BY_FREQUENCY.into_iter().collect::<BTreeSet<_>>(), known);
    }

    #[test]
    fn every_command_has_its_line_and_no_line_is_wider_than_a_terminal() {
        let program = Cli::command();
        let text = commands(&program, Style::new(), Style::new());
        for command in program.get_subcommands() {
            let about = command.get_about().unwrap().to_string();
            let line = text.lines().find(|line| line.starts_with(&format!("  {} ", command.get_name())));
            assert!(line.unwrap().ends_with(&about), "{line:?}");
        }
        let wide: Vec<&str> = text.lines().filter(|line| line.len() > 80).collect();
        assert!(wide.is_empty(), "{wide:#?}");
    }
}
