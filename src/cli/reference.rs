//! The reference of all commands, as a page and as man pages, made of the same definitions as the help.
//!
//! The files are in the tree, so that they can be read there. Tests compare them; with `UPDATE_DOCS=1` they
//! write them:
//!
//!     UPDATE_DOCS=1 cargo test --bin kubectl-runai-secret reference

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command};
use clap_mangen::Man;

use super::parsing::{NoCommand, SHARED_FLAGS};
use super::program;

const WRITES: [&str; 4] = ["dry_run", "output", "validate", "field_manager"];

fn in_tree(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Asserts that the file has this text; with `UPDATE_DOCS` writes it first.
fn assert_current(path: &str, text: &str) {
    let file = in_tree(path);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == text,
        "{path} is of other definitions: UPDATE_DOCS=1 cargo test --bin kubectl-runai-secret reference"
    );
}

fn plain(text: Option<&StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

/// Escapes a text for Markdown, except between backticks.
fn escaped(text: &str) -> String {
    let part = |(index, part): (usize, &str)| match index % 2 {
        0 => part.replace('<', "\\<").replace('*', "\\*"),
        _ => format!("`{part}`"),
    };
    text.split('`').enumerate().map(part).collect::<String>().replace('|', "\\|")
}

/// `-o, --output json|yaml|name`
fn signature(arg: &Arg) -> String {
    let mut words = String::new();
    if let Some(short) = arg.get_short() {
        let _ = write!(words, "-{short}, ");
    }
    let _ = write!(words, "--{}", arg.get_long().unwrap_or_default());
    let values = arg.get_value_names().unwrap_or_default().join(" ");
    let takes_value = arg.get_action().takes_values() && !values.is_empty();
    let may_be_left_out = arg.get_num_args().is_some_and(|number| number.min_values() == 0);
    match (takes_value, may_be_left_out) {
        (false, _) => {}
        (true, true) => drop(write!(words, "[={values}]")),
        (true, false) => drop(write!(words, " {values}")),
    }
    words
}

/// Returns the help of a flag, with its values and its default.
fn meaning(arg: &Arg) -> String {
    let text = plain(arg.get_long_help().or_else(|| arg.get_help())).replace("\n\n", " ").replace('\n', " ");
    let mut text = escaped(&text);
    let values = arg.get_possible_values();
    if arg.get_action().takes_values() && !values.is_empty() && !arg.is_hide_possible_values_set() {
        let visible = values.iter().filter(|value| !value.is_hide_set());
        let names: Vec<String> = visible.map(|value| format!("`{}`", value.get_name())).collect();
        let _ = write!(text, " ({})", names.join(", "));
    }
    if matches!(arg.get_action(), ArgAction::Append | ArgAction::Count) && !text.contains("may be repeated") {
        text.push_str("; may be repeated");
    }
    let default = arg.get_default_values().join(std::ffi::OsStr::new(" "));
    if !arg.is_hide_default_value_set() && arg.get_action().takes_values() && !default.is_empty() {
        let _ = write!(text, " [default: `{}`]", default.display());
    }
    text
}

fn row(arg: &Arg) -> String {
    format!("| `{}` | {} |\n", signature(arg).replace('|', "\\|"), meaning(arg))
}

/// Returns whether the command lists the flags of every command.
fn shows_shared_flags(command: &Command) -> bool {
    command.get_name() == "options"
}

fn writes(command: &Command) -> bool {
    command.get_arguments().any(|arg| arg.get_id() == "field_manager")
}

/// Returns the flags of one command alone: not those of every command, unless it lists them, nor those of every
/// one that writes.
fn own_flags(command: &Command) -> Vec<&Arg> {
    let is_own = |arg: &&Arg| {
        let is_of_writes = writes(command) && WRITES.contains(&arg.get_id().as_str());
        let is_shared = arg.is_global_set() && !shows_shared_flags(command);
        !arg.is_positional() && !arg.is_hide_set() && arg.get_id() != "help" && !is_shared && !is_of_writes
    };
    command.get_arguments().filter(is_own).collect()
}

/// Lists a command's flags in the groups of its help. A flag that its parent has too is only named.
fn flags(command: &Command, parent: Option<&Command>) -> String {
    let of_parent: BTreeSet<String> =
        parent.map(own_flags).unwrap_or_default().into_iter().map(row).collect();
    let (mut groups, mut named): (Vec<(&str, String)>, Vec<String>) = (Vec::new(), Vec::new());
    for arg in own_flags(command) {
        let (heading, row) = (arg.get_help_heading().unwrap_or("Flag"), row(arg));
        if of_parent.contains(&row) {
            named.push(format!("`--{}`", arg.get_long().unwrap_or_default()));
        } else if let Some((_, rows)) = groups.iter_mut().find(|(name, _)| *name == heading) {
            rows.push_str(&row);
        } else {
            groups.push((heading, row));
        }
    }
    let table = |(heading, rows): (&str, String)| format!("| {heading} | |\n|---|---|\n{rows}\n");
    let mut text: String = groups.into_iter().map(table).collect();
    if let (false, Some(parent)) = (named.is_empty(), parent) {
        let name = parent.get_name();
        let _ = write!(text, "As for [{name}](#{name}): {}.\n\n", named.join(", "));
    }
    text
}

/// Returns the examples of the help, as lines to copy.
fn examples(command: &Command) -> String {
    let text = plain(command.get_after_long_help().or_else(|| command.get_after_help()));
    let lines: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    let language = if lines.iter().all(|line| line.starts_with("kubectl ")) { "sh" } else { "text" };
    if lines.is_empty() { String::new() } else { format!("```{language}\n{}\n```\n\n", lines.join("\n")) }
}

fn usage(command: &Command) -> String {
    let text = command.clone().render_usage().to_string();
    let text = text.strip_prefix("Usage: ").unwrap_or(&text);
    let lines: Vec<String> = text.lines().map(|line| format!("    {}\n", line.trim())).collect();
    lines.concat() + "\n"
}

/// Lists the positional arguments that the help describes.
fn arguments(command: &Command) -> String {
    let named = command.get_positionals().filter(|arg| !arg.is_hide_set() && arg.get_help().is_some());
    let row = |arg: &Arg| {
        let name = arg.get_value_names().unwrap_or_default().join(" ");
        format!("| `{}` | {} |\n", name.replace('|', "\\|"), meaning(arg).replace("; may be repeated", ""))
    };
    let rows: String = named.map(row).collect();
    if rows.is_empty() { rows } else { format!("| Argument | |\n|---|---|\n{rows}\n") }
}

fn section(title: &str, command: &Command, parent: Option<&Command>) -> String {
    let level = if parent.is_some() { "###" } else { "##" };
    let about = plain(command.get_long_about().or_else(|| command.get_about()));
    let mut text = format!("{level} {title}\n\n{}\n\n{}", escaped(about.trim()), usage(command));
    text.push_str(&examples(command));
    text.push_str(&arguments(command));
    text.push_str(&flags(command, parent));
    text.push_str(match (writes(command), shows_shared_flags(command)) {
        (true, _) => {
            "Also the flags of [every command that writes](#flags-of-every-command-that-writes), and of \
             [every command](#options).\n\n"
        }
        (false, false) => "Also the flags of [every command](#options).\n\n",
        (false, true) => "",
    });
    for child in visible(command) {
        text.push_str(&section(&format!("{title} {}", child.get_name()), child, Some(command)));
    }
    text
}

fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|child| !child.is_hide_set() && child.get_name() != "help")
}

/// Returns the whole page.
fn page(program: &Command) -> String {
    let mut text = "<!-- Made of src/cli.rs and src/commands/: UPDATE_DOCS=1 cargo test --bin kubectl-runai-secret reference -->\n\
        # Commands and flags\n\nAs `--help` says them, which every command has; `--version` says which plugin it is.\n\n"
        .to_owned();
    for command in visible(program) {
        let name = command.get_name();
        let _ = writeln!(text, "* [`{name}`](#{name}): {}", escaped(&plain(command.get_about())));
    }
    text.push('\n');
    for command in visible(program) {
        text.push_str(&section(command.get_name(), command, None));
    }
    let writing = visible(program).find(|command| writes(command)).unwrap();
    text.push_str("## Flags of every command that writes\n\n| Flag | |\n|---|---|\n");
    for name in WRITES {
        text.push_str(&row(writing.get_arguments().find(|arg| arg.get_id() == name).unwrap()));
    }
    text.truncate(text.trim_end().len());
    text + "\n"
}

/// Adds the man page of each command under the name of its file.
fn man_pages(command: &Command, name: &str, pages: &mut BTreeMap<String, String>) {
    let usage = usage(command).lines().map(str::trim).collect::<Vec<_>>().join("\n").trim().to_owned();
    let end = if shows_shared_flags(command) { "" } else { SHARED_FLAGS };
    let end =
        format!("{}\n\n{end}", plain(command.get_after_long_help().or_else(|| command.get_after_help())));
    let named = command.clone().display_name(name.to_owned()).override_usage(usage).after_help(end);
    let named = named.mut_args(|arg| {
        let is_hidden = arg.is_hide_set() || arg.is_hide_long_help_set();
        arg.hide(is_hidden)
    });
    let mut text = Vec::new();
    let title = name.to_uppercase();
    Man::new(named).title(title).source("kubectl-runai-secret").render(&mut text).unwrap();
    pages.insert(format!("{name}.1"), String::from_utf8(text).unwrap());
    for child in visible(command) {
        man_pages(child, &format!("{name}-{}", child.get_name()), pages);
    }
}

#[test]
fn the_page_of_commands_is_of_these_definitions() {
    assert_current("docs/reference/cli.md", &page(&program()));
}

#[test]
fn the_man_pages_are_of_these_definitions() {
    let mut pages = BTreeMap::new();
    man_pages(&program(), super::BINARY, &mut pages);
    for (name, text) in &pages {
        assert_current(&format!("man/{name}"), text);
    }
    let files = fs::read_dir(in_tree("man")).unwrap();
    let files: BTreeSet<String> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(files, pages.into_keys().collect(), "a page of a command that is gone");
}

/// Lists the Markdown files of the tree's root and of docs/.
fn documents() -> Vec<PathBuf> {
    let (mut files, mut folders) = (vec![in_tree("README.md")], vec![in_tree("docs")]);
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                files.push(path);
            }
        }
    }
    files
}

/// Returns the commands that a page shows in its `sh` blocks, without pipes and redirections.
fn shown_commands(page: &str) -> Vec<String> {
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let commands = blocks.flat_map(str::lines).filter_map(|line| line.split_once("kubectl runai-secret "));
    let ends = [" | ", " < ", " > ", "  #", ")\""];
    let cut = |command: &str, end: &str| command.split(end).next().unwrap_or_default().to_owned();
    commands
        .map(|(_, command)| ends.iter().fold(command.to_owned(), |command, end| cut(&command, end)))
        .collect()
}

#[test]
fn every_command_in_the_documentation_is_one() {
    let mut tried = 0;
    for file in documents() {
        for command in shown_commands(&fs::read_to_string(&file).unwrap()) {
            let words = shell_words::split(&format!("kubectl-runai-secret {command}")).unwrap();
            let words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
            let place = format!("{}: {command}", file.display());
            match super::parsing::parse(&words) {
                Ok(_) => tried += 1,
                Err(NoCommand::Wrong(error)) => panic!("{place}\n{error}"),
                Err(NoCommand::Incomplete(error)) => panic!("{place}\n{error}"),
            }
        }
    }
    assert!(tried > 50, "the commands were not found: {tried}");
}
