//! `kubectl runai-secret`: parse, run, report. All else has its own room; see the README's section on the layout.

mod age;
mod cli;
mod cluster;
mod commands;
mod complete;
mod error;
mod findings;
mod manifest;
mod metadata;
mod printable;
mod project;
mod propagation;
mod render;
mod secret;
mod ui;
mod wording;
mod workload;

use std::process::ExitCode;

use crate::ui::Ui;

fn main() -> ExitCode {
    ui::hide_panics();
    // Before the rest: completion must come before anything writes to standard output, and before any thread.
    if complete::answered() {
        return ExitCode::SUCCESS;
    }
    let cli = cli::parse(std::env::args_os());
    let ui = Ui::new(&cli.globals.talk);
    match ui::interrupt::run(commands::run(cli, &ui)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            ui.error(&error);
            ExitCode::from(error.kind().exit_code())
        }
    }
}
