//! How quick and how small: the plugin beside kubectl, as the table of docs/performance.md.
//!
//!     cargo bench
//!     KUBEBUILDER_ASSETS="$(tests/control-plane/build)" cargo bench    # with the rows on a real API server
//!     cargo bench -- round-trips                                       # the second table alone
//!
//! The plugin is built as it is shipped. The two commands of a row take turns, since a machine's speed drifts, and a row shows medians with their quartiles.
//! No timing fails it; it fails only where a command that it measures does.

mod arena;
mod distance;
mod many_projects;
mod many_secrets;
mod many_workloads;
mod one_object;
mod plugin;
mod rotation;
mod round_trips;
mod row;
mod tab;
mod without_cluster;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use support::Sandbox;
use support::sandbox::kubectl;

use crate::arena::{PEAK_MEMORY, RUNS, RUNS_OF_LARGE, print_peak_memory};
use crate::plugin::plugin;
use crate::row::Row;

const MEGABYTE: f64 = 1e6;

/// As an argument it chooses the table of round trips.
const ROUND_TRIPS: &str = "round-trips";

const NO_KUBECTL: &str = "not run: no kubectl";
const NO_API_SERVER: &str = "not run: `KUBEBUILDER_ASSETS` is not set";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    if let [mode, program, arguments @ ..] = arguments.as_slice()
        && mode == PEAK_MEMORY
    {
        return print_peak_memory(program, arguments);
    }
    if arguments.iter().any(|argument| argument == ROUND_TRIPS) {
        round_trips::print();
        return ExitCode::SUCCESS;
    }
    if cfg!(debug_assertions) {
        eprintln!("note: not run: this is a debug build, `cargo bench` makes the one that counts");
        return ExitCode::SUCCESS;
    }
    let mut rows = without_cluster::starts();
    rows.extend(without_cluster::large_secrets());
    rows.extend(one_object::on_api_server());
    rows.extend(tab::rows());
    rows.extend(many_projects::on_api_server());
    rows.extend(many_workloads::rows());
    rows.extend(rotation::rows());
    rows.extend(many_secrets::rows());
    rows.push(plugin::size());
    rows.extend(one_object::requests());
    rows.extend(many_projects::requests());
    print_machine();
    println!("| what | ours | kubectl | ratio | floor | target | met |\n|---|---|---|---|---|---|---|");
    rows.iter().for_each(Row::print);
    println!();
    round_trips::print();
    ExitCode::SUCCESS
}

fn print_machine() {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let version = kubectl().and_then(|kubectl| {
        let answer =
            Sandbox::new().with_run().program(kubectl, ["version", "--client", "-o", "json"]).success();
        answer.json()["clientVersion"]["gitVersion"].as_str().map(ToOwned::to_owned)
    });
    println!("plugin: {} (release profile)", plugin().display());
    println!("kubectl: {}", version.as_deref().unwrap_or("none"));
    println!(
        "{RUNS} runs each ({RUNS_OF_LARGE} of what is large), median (quartiles), {cores} cores, {}\n",
        env::consts::ARCH
    );
}
