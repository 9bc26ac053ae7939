//! How quick and how small: the plugin beside kubectl, as the table of docs/performance.md.
//!
//!     cargo bench
//!     KUBEBUILDER_ASSETS="$(tests/control-plane/build)" cargo bench    # with the rows on a real API server
//!     cargo bench -- rotation size                                     # some groups of rows alone
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

/// A part of the first table, which its name chooses as an argument.
type Group = (&'static str, fn() -> Vec<Row>);

/// The first table in its order. The groups of one name have the same subject.
const GROUPS: [Group; 11] = [
    ("start", without_cluster::starts),
    ("large", without_cluster::large_secrets),
    ("one-object", one_object::on_api_server),
    ("tab", tab::rows),
    ("many-projects", many_projects::on_api_server),
    ("many-workloads", many_workloads::rows),
    ("rotation", rotation::rows),
    ("many-secrets", many_secrets::rows),
    ("size", plugin::sizes),
    ("one-object", one_object::requests),
    ("many-projects", many_projects::requests),
];

const NO_KUBECTL: &str = "not run: no kubectl";
const NO_API_SERVER: &str = "not run: `KUBEBUILDER_ASSETS` is not set";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    if let [mode, program, arguments @ ..] = arguments.as_slice()
        && mode == PEAK_MEMORY
    {
        return print_peak_memory(program, arguments);
    }
    if cfg!(debug_assertions) {
        eprintln!("note: not run: this is a debug build, `cargo bench` makes the one that counts");
        return ExitCode::SUCCESS;
    }
    let is_named = |name: &str| arguments.iter().any(|argument| argument == name);
    let is_all = !GROUPS.iter().any(|(name, _)| is_named(name)) && !is_named(ROUND_TRIPS);
    let wanted = |name: &str| is_all || is_named(name);
    let groups: Vec<_> = GROUPS.into_iter().filter(|(name, _)| wanted(name)).collect();
    if !groups.is_empty() {
        print_machine();
        println!("| what | ours | kubectl | ratio | floor | target | met |\n|---|---|---|---|---|---|---|");
        groups.into_iter().flat_map(|(_, rows)| rows()).for_each(|row| row.print());
        println!();
    }
    if wanted(ROUND_TRIPS) {
        round_trips::print();
    }
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
