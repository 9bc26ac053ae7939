//! Limits of one case: processor time and memory, and an end to a case that has none.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike as _};

/// The time after which an endless case ends the whole process: a test can't end another thread.
const PATIENCE: Duration = Duration::from_mins(2);

struct Running {
    target: String,
    input: Vec<u8>,
    since: Instant,
}

static RUNNING: LazyLock<Mutex<HashMap<ThreadId, Running>>> = LazyLock::new(|| {
    thread::spawn(|| {
        loop {
            thread::sleep(Duration::from_secs(1));
            end_what_hangs();
        }
    });
    Mutex::default()
});

fn end_what_hangs() {
    let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(case) = running.values().find(|case| case.since.elapsed() > PATIENCE) {
        let input = BASE64_STANDARD.encode(&case.input);
        let line = format!("{} does not come to an end; FUZZ_INPUT='{input}'\n", case.target);
        // Not `eprintln!`, which a test's harness keeps until the end.
        let _ = std::io::stderr().write_all(line.as_bytes());
        std::process::abort();
    }
}

/// A case that is under way.
pub(super) struct Watched;

impl Watched {
    pub(super) fn begin(target: &str, input: &[u8]) -> Self {
        let case = Running { target: target.to_owned(), input: input.to_vec(), since: Instant::now() };
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).insert(thread::current().id(), case);
        Self
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).remove(&thread::current().id());
    }
}

/// The use of time and memory by a case. Other tests run beside it, so the time is its thread's, and the
/// memory is the growth of the peak.
pub(super) struct Measure {
    time: Duration,
    peak: u64,
}

impl Measure {
    pub(super) fn begin() -> Self {
        Self { time: processor_time(), peak: peak() }
    }

    /// Returns processor time, and bytes.
    pub(super) fn end(self) -> (Duration, u64) {
        (processor_time().saturating_sub(self.time), peak().saturating_sub(self.peak))
    }
}

/// Returns the processor time of this thread; of the process if the system does not tell.
pub(crate) fn processor_time() -> Duration {
    #[cfg(target_os = "linux")]
    const WHOSE: UsageWho = UsageWho::RUSAGE_THREAD;
    #[cfg(not(target_os = "linux"))]
    const WHOSE: UsageWho = UsageWho::RUSAGE_SELF;
    let Ok(usage) = getrusage(WHOSE) else { return Duration::ZERO };
    let of = |time: TimeVal| Duration::from_micros(u64::try_from(time.num_microseconds()).unwrap_or(0));
    of(usage.user_time()) + of(usage.system_time())
}

/// Returns the most memory that the process has had, in bytes.
pub(super) fn peak() -> u64 {
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    let usage = getrusage(UsageWho::RUSAGE_SELF).map_or(0, |usage| usage.max_rss());
    u64::try_from(usage).unwrap_or(0) * unit
}
