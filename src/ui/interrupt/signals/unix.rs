//! The signals of Unix, and what they stand for.

use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

use crate::ui::terminal;

pub(super) const CTRL_C: i32 = 2;

/// The signals that end a program by default and can be caught. The others (ILL, TRAP, BUS, FPE, SEGV)
/// stand for a fault of the program, which would repeat for ever if their handler returned.
const ENDING: [Number; 14] = [
    Number::HUP,
    Number::INT,
    Number::QUIT,
    Number::ABORT,
    Number::USR1,
    Number::USR2,
    Number::ALARM,
    Number::TERM,
    Number::XCPU,
    Number::XFSZ,
    Number::VTALARM,
    Number::PROF,
    Number::IO,
    Number::SYS,
];
#[cfg(target_os = "linux")]
const ENDING_ON_LINUX: [Number; 2] = [Number::POWER, Number::STKFLT];
/// The realtime signals. The C library keeps those below for itself.
#[cfg(target_os = "linux")]
const REALTIME: std::ops::RangeInclusive<i32> = if cfg!(target_env = "musl") { 35..=64 } else { 34..=64 };

/// One of the signals.
pub(super) struct Source {
    number: i32,
    stream: Stream,
}

/// Starts to listen for all of them.
pub(super) fn sources() -> Vec<Source> {
    let source = |number| Some(Source { number, stream: signal(SignalKind::from_raw(number)).ok()? });
    numbers().filter_map(source).collect()
}

impl Source {
    /// Waits for the signal and returns its number, if it ends a program. One that stops or continues it does so.
    pub(super) async fn next(&mut self) -> Option<i32> {
        while self.stream.recv().await.is_some() {
            match Number::from_named_raw(self.number) {
                Some(Number::TSTP) => stop(),
                Some(Number::CONT) => terminal::come_back(),
                _ => return Some(self.number),
            }
        }
        None
    }
}

/// Returns a signal's name.
pub(super) fn name(number: i32) -> String {
    match number {
        1 => "SIGHUP".to_owned(),
        3 => "SIGQUIT".to_owned(),
        15 => "SIGTERM".to_owned(),
        number => format!("signal {number}"),
    }
}

fn numbers() -> impl Iterator<Item = i32> {
    let ending = ENDING.into_iter();
    #[cfg(target_os = "linux")]
    let ending = ending.chain(ENDING_ON_LINUX);
    let numbers = ending.chain([Number::TSTP, Number::CONT]).map(Number::as_raw);
    #[cfg(target_os = "linux")]
    let numbers = numbers.chain(REALTIME);
    numbers.filter(|number| *number != Number::HUP.as_raw() || !outlives_its_terminal())
}

/// Reports whether the program was started by `nohup`, which ignores SIGHUP beforehand.
fn outlives_its_terminal() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    ignored & 1 == 1
}

/// Stops the program as SIGTSTP would by default, with the terminal as it was before. Uses SIGTTIN, which
/// still has that default action; it does nothing without a shell that could continue the program.
fn stop() {
    terminal::step_back();
    let _ = rustix::process::kill_process(rustix::process::getpid(), Number::TTIN);
}
