//! Runs of the plugin and of kubectl, in turn, with the same files and the same environment.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use support::sandbox::kubectl;
use support::{Kubeconfig, Sandbox};

use crate::plugin::plugin;
use crate::row::{Row, Samples, Target, compared, megabytes};

/// Timed runs of each command of a row.
pub(crate) const RUNS: usize = 50;
/// Timed runs of a command that takes kubectl a second or two.
pub(crate) const RUNS_OF_LARGE: usize = 10;
/// Runs before those: kubectl fills its discovery cache, the system its file cache.
pub(crate) const WARM_UPS: usize = 3;
/// Runs for a peak of memory, which hardly varies.
const MEMORY_RUNS: usize = 5;

/// As the first argument it makes this program the helper of [`Arena::peak_memory`].
pub(crate) const PEAK_MEMORY: &str = "--peak-memory-of";

/// Two commands to compare, as words separated by blanks; `{run}` is the number of the run.
pub(crate) struct Pair<'a> {
    pub(crate) what: &'a str,
    pub(crate) ours: &'a str,
    pub(crate) kubectls: &'a str,
    pub(crate) target: Target,
}

/// Does in this process what a run of a command can't do without, and returns how long that took.
pub(crate) type Floor<'a> = &'a dyn Fn(usize) -> Duration;

/// The programs and files for running a pair.
pub(crate) struct Arena {
    pub(crate) sandbox: Sandbox,
    /// Timed runs of each command.
    pub(crate) runs: usize,
}

impl Arena {
    /// Connects both to another address. kubectl asks an unknown server for its types, and keeps the answer.
    pub(crate) fn connect(&self, kubeconfig: &Kubeconfig) {
        self.sandbox.file("kubeconfig", kubeconfig.to_string());
        if let Some(kubectl) = kubectl() {
            self.took(kubectl, &arguments("get namespaces default", 0));
        }
    }

    pub(crate) fn time(&self, pair: &Pair<'_>) -> Row {
        self.timed(plugin(), pair, None)
    }

    /// Times a pair, with the plugin under a name of its own.
    pub(crate) fn time_of(&self, plugin: &Path, pair: &Pair<'_>) -> Row {
        self.timed(plugin, pair, None)
    }

    /// Times a pair, and its floor between them.
    pub(crate) fn time_above(&self, pair: &Pair<'_>, floor: Floor<'_>) -> Row {
        self.timed(plugin(), pair, Some(floor))
    }

    fn timed(&self, plugin: &Path, pair: &Pair<'_>, floor: Option<Floor<'_>>) -> Row {
        let Samples { mut ours, mut kubectls, floor: mut floors } = Samples::default();
        eprintln!("measuring {}", pair.what);
        for run in 0..WARM_UPS + self.runs {
            for (program, words, samples) in
                [(Some(plugin), pair.ours, &mut ours), (kubectl(), pair.kubectls, &mut kubectls)]
            {
                let Some(program) = program.filter(|_| !words.is_empty()) else { continue };
                let arguments = arguments(words, run);
                if run < WARM_UPS {
                    // Its output is caught, to be shown if it fails.
                    let _ = self.sandbox.with_run().program(program, arguments).success();
                } else {
                    // The other program has just run. Without an idle start first, a short run would be timed
                    // while it fills the processor's caches again. A series of runs, as hyperfine's, does the
                    // same.
                    self.took(program, &idle(program));
                    samples.push(self.took(program, &arguments).as_secs_f64() * 1e3);
                }
            }
            if let Some(took) = floor.map(|floor| floor(run)).filter(|_| run >= WARM_UPS) {
                floors.push(took.as_secs_f64() * 1e3);
            }
        }
        let in_words = |[first, median, third]: [f64; 3]| format!("{median:.1} ms ({first:.1}–{third:.1})");
        compared(pair, Samples { ours, kubectls, floor: floors }, in_words)
    }

    /// Returns the time in which the system starts a program that does nothing.
    pub(crate) fn start(&self) -> Duration {
        let program = Path::new("/bin/true");
        // As before a run of the others.
        self.took(program, &[]);
        self.took(program, &[])
    }

    pub(crate) fn memory(&self, pair: &Pair<'_>) -> Row {
        let peaks = |program, words| {
            (0..MEMORY_RUNS).map(|run| self.peak_memory(program, &arguments(words, run))).collect()
        };
        let there = kubectl().filter(|_| !pair.kubectls.is_empty());
        let kubectls = there.map(|kubectl| peaks(kubectl, pair.kubectls)).unwrap_or_default();
        let in_words = |[_, median, _]: [f64; 3]| megabytes(median);
        let ours = peaks(plugin(), pair.ours);
        compared(pair, Samples { ours, kubectls, ..Samples::default() }, in_words)
    }

    /// Runs each once, for commands that can't be repeated.
    pub(crate) fn once(&self, pair: &Pair<'_>) -> Row {
        self.in_turn(pair, 1, None)
    }

    /// Runs commands that take seconds each, without warm-up.
    pub(crate) fn in_turn(&self, pair: &Pair<'_>, runs: usize, floor: Option<Floor<'_>>) -> Row {
        eprintln!("measuring {}", pair.what);
        let took = |program: &Path, words, run| self.took(program, &arguments(words, run)).as_secs_f64();
        let mut samples = Samples::default();
        for run in 0..runs {
            samples.kubectls.extend(kubectl().map(|kubectl| took(kubectl, pair.kubectls, run)));
            samples.floor.extend(floor.map(|floor| floor(run).as_secs_f64()));
            samples.ours.push(took(plugin(), pair.ours, run));
        }
        compared(pair, samples, |[_, median, _]| format!("{median:.2} s"))
    }

    pub(crate) fn memory_once(&self, pair: &Pair<'_>) -> Row {
        let peak = |program: &Path, words| vec![self.peak_memory(program, &arguments(words, 0))];
        let kubectls = kubectl().map(|kubectl| peak(kubectl, pair.kubectls)).unwrap_or_default();
        let samples = Samples { ours: peak(plugin(), pair.ours), kubectls, ..Samples::default() };
        compared(pair, samples, |[_, median, _]| megabytes(median))
    }

    /// Returns the time of one run, from its start to its end.
    pub(crate) fn took(&self, program: &Path, arguments: &[String]) -> Duration {
        let mut command = self.command(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let start = Instant::now();
        let Output { status, stderr, .. } =
            command.output().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let took = start.elapsed();
        let said = String::from_utf8_lossy(&stderr);
        assert!(status.success(), "{} {}: {status}: {said}", program.display(), arguments.join(" "));
        took
    }

    /// Returns the peak of resident memory of one run, in bytes.
    ///
    /// The system counts the parent's resident memory at the start into a child's peak, and this process
    /// holds a whole API server. So a fresh start of this program, of some 3 MB, is the parent.
    pub(crate) fn peak_memory(&self, program: &Path, arguments: &[String]) -> f64 {
        let this = env::current_exe().expect("a program that runs");
        let answer = self.command(&this).arg(PEAK_MEMORY).arg(program).args(arguments).output();
        let answer = answer.expect("this program starts once more");
        let printed = String::from_utf8_lossy(&answer.stdout).trim().parse();
        printed.unwrap_or_else(|_| panic!("{} {}: failed", program.display(), arguments.join(" ")))
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.sandbox.path())
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.sandbox.home())
            .env("KUBE_EDITOR", self.sandbox.bin().join("editor"))
            .env("KUBECONFIG", self.sandbox.path().join("kubeconfig"));
        command
    }
}

/// Returns words with which a program starts and does nothing.
fn idle(program: &Path) -> Vec<String> {
    arguments(if Some(program) == kubectl() { "version --client" } else { "--version" }, 0)
}

pub(crate) fn arguments(words: &str, run: usize) -> Vec<String> {
    words.replace("{run}", &run.to_string()).split_whitespace().map(ToOwned::to_owned).collect()
}

/// Runs a command and prints its peak in bytes, or nothing if it fails: the helper of [`Arena::peak_memory`].
pub(crate) fn print_peak_memory(program: &OsStr, arguments: &[OsString]) -> ExitCode {
    let status = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).status();
    if !status.is_ok_and(|status| status.success()) {
        return ExitCode::FAILURE;
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the usage of a child that was waited for");
    // Kilobytes, except on macOS.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    println!("{}", usage.max_rss() * unit);
    ExitCode::SUCCESS
}
