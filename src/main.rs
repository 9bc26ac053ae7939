//! `kubectl runai-secret`: parses, runs and reports. Everything else is in a room of its own: see
//! docs/architecture.md.

#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::print_stderr, clippy::print_stdout))]

mod age;
mod change;
mod cli;
mod cluster;
mod command_line;
mod commands;
mod complete;
mod error;
mod fields;
mod findings;
mod flags;
#[cfg(test)]
mod fuzz;
mod guide;
mod history;
mod logins;
mod manifest;
mod memory;
mod metadata;
mod moment;
mod printable;
mod private_files;
mod programs;
mod project;
mod propagation;
mod random;
mod render;
mod secret;
mod session;
mod sharing;
mod sources;
mod typed_line;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "this room touches the terminal"))]
mod ui;
mod uses;
mod wording;
mod workload;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::cli::parsing;
use crate::error::Kind;
use crate::ui::Ui;

fn main() -> ExitCode {
    memory::keep_to_itself();
    ui::hide_panics();
    // First of all: completion must come before anything writes to standard output, and before any thread.
    if complete::answered(cli::program) {
        return ExitCode::SUCCESS;
    }
    let typed: Vec<OsString> = std::env::args_os().collect();
    let parsed = parsing::parse(&typed);
    let ui = Ui::new(&parsing::talk(&parsed, &typed));
    match ui::interrupt::run(guide::run(&typed, parsed, &ui)) {
        Ok(()) => {
            ui.tell_next();
            ExitCode::SUCCESS
        }
        Err(error) => {
            if error.kind() != Kind::Different && !ui::interrupt::was_meant(&error) {
                ui.error(&error);
            }
            ExitCode::from(error.kind().exit_code())
        }
    }
}
