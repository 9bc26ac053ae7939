//! Handles signals: they end the program at once anywhere, except during the few steps that must not be left
//! half done.
//!
//! Once tokio listens for a signal, its default action is gone for the whole process, so every command runs
//! under `run`, not only the prompts. A thread of its own listens: a command that waits for a file or a full
//! pipe can't be asked to end.

use std::cell::RefCell;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::line;
use crate::error::{Error, Result};

/// The number of running steps that an interrupt must let finish.
static FINISHING: AtomicUsize = AtomicUsize::new(0);

/// The number of running programs that own the keyboard.
static AT_THE_KEYBOARD: AtomicUsize = AtomicUsize::new(0);

/// Set when a signal ends the command.
static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// How long after such a program has ended a Ctrl-C may arrive that was meant for it.
const LATE: Duration = Duration::from_millis(50);

thread_local! {
    /// Hints about what an unsuccessful command leaves behind, for its error. Every command runs on one
    /// thread.
    static GOES_ON: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// The turns of other work between two looks at clock and signals; 61 of tokio's own choice may take seconds while
/// somebody sends without a pause.
const TURNS: u32 = 8;

/// Runs a command to its end or to the first interrupt.
///
/// # Errors
/// The command failed, or a signal ended it.
pub(crate) fn run(command: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .event_interval(TURNS)
        .build()
        .map_err(|error| Error::failed(format!("can't start: {error}")))?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            biased;
            outcome = command => outcome,
            signal = interrupted() => Err(signal.error()),
        }
    });
    let outcome = outcome.map_err(|error| GOES_ON.take().iter().fold(error, Error::hint));
    // A prompt's thread may still be reading: waiting for it would wait for a key.
    runtime.shutdown_background();
    outcome
}

/// Starts to listen for signals, unless that has been done. Must come before the terminal is changed, or
/// before a file is created that must not stay.
pub(crate) fn listen() {
    signals::listen();
}

/// Waits for something that continues when the user stops watching; `hints` say so then.
pub(crate) async fn watching<T>(hints: Vec<String>, wait: impl Future<Output = T>) -> T {
    GOES_ON.set(hints);
    let outcome = wait.await;
    GOES_ON.take();
    outcome
}

/// Adds a hint to the command's error about what was left behind.
pub(crate) fn leave_word(hint: String) {
    GOES_ON.with_borrow_mut(|hints| hints.push(hint));
}

/// Runs a step to its end whatever signals come. The step must have a time limit of its own.
pub(crate) async fn finishing<T>(step: impl Future<Output = T>) -> T {
    counted(&FINISHING, step).await
}

/// Waits for a program that owns the keyboard. A terminal sends Ctrl-C to everything that runs in it, but
/// means that program: to Emacs it is `C-g`, to vim the end of a `:!` command.
pub(crate) async fn leaving_keyboard_to<T>(program: impl Future<Output = T>) -> T {
    counted(&AT_THE_KEYBOARD, async {
        let outcome = program.await;
        tokio::time::sleep(LATE).await;
        outcome
    })
    .await
}

async fn counted<T>(count: &'static AtomicUsize, step: impl Future<Output = T>) -> T {
    struct Mark(&'static AtomicUsize);
    impl Drop for Mark {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    count.fetch_add(1, Ordering::SeqCst);
    let _mark = Mark(count);
    step.await
}

/// Waits for a signal that may end the program.
async fn interrupted() -> Signal {
    let mut signals = signals::all();
    loop {
        let signal = signals.next().await;
        if signal.is_ctrl_c() && AT_THE_KEYBOARD.load(Ordering::SeqCst) > 0 {
            continue;
        }
        if FINISHING.load(Ordering::SeqCst) == 0 {
            IS_ENDING.store(true, Ordering::SeqCst);
            return signal;
        }
        line::say(
            &console::Style::new().dim(),
            "note:",
            "finishing first: stopping now would leave half a change",
        );
    }
}

/// A signal that ends the program, by its number.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Signal(i32);

impl Signal {
    const CTRL_C: Self = Self(2);

    fn is_ctrl_c(self) -> bool {
        self == Self::CTRL_C
    }

    fn error(self) -> Error {
        if self.is_ctrl_c() { Error::interrupted() } else { Error::ended_by_signal(self.0, &self.name()) }
    }

    fn name(self) -> String {
        match self.0 {
            1 => "SIGHUP".to_owned(),
            3 => "SIGQUIT".to_owned(),
            15 => "SIGTERM".to_owned(),
            number => format!("signal {number}"),
        }
    }
}

#[cfg(unix)]
mod signals {
    use std::process::exit;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Mutex, OnceLock, PoisonError};
    use std::time::Duration;

    use rustix::process::Signal as Number;
    use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
    use tokio::sync::mpsc;

    use crate::error::Kind;
    use crate::ui::interrupt::{FINISHING, IS_ENDING, Signal};
    use crate::ui::terminal;

    /// How long the command may take to notice a signal. If it does not, it waits for something without end,
    /// such as the reader of a pipe.
    const TO_NOTICE: Duration = Duration::from_secs(2);
    /// How long the command may take to end after that; `edit` asks its editor to end, too.
    const TO_END: Duration = Duration::from_secs(10);

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

    /// The number of signals that came, and of those that the command has noticed.
    static CAME: AtomicUsize = AtomicUsize::new(0);
    static NOTICED: AtomicUsize = AtomicUsize::new(0);

    type Queue = mpsc::UnboundedReceiver<Signal>;

    /// The signals that came. Only the first caller gets the queue.
    pub(super) struct Signals(Option<Queue>);

    impl Signals {
        /// Returns the next signal. Never returns if signals can't be listened for: their default action then
        /// ends the process.
        pub(super) async fn next(&mut self) -> Signal {
            let next = match &mut self.0 {
                Some(queue) => queue.recv().await,
                None => None,
            };
            let Some(signal) = next else { return std::future::pending().await };
            NOTICED.fetch_add(1, Ordering::SeqCst);
            signal
        }
    }

    pub(super) fn all() -> Signals {
        Signals(listening().lock().unwrap_or_else(PoisonError::into_inner).take())
    }

    pub(super) fn listen() {
        let _ = listening();
    }

    fn listening() -> &'static Mutex<Option<Queue>> {
        static LISTENING: OnceLock<Mutex<Option<Queue>>> = OnceLock::new();
        LISTENING.get_or_init(|| Mutex::new(start()))
    }

    /// Starts the thread. The handlers are in place when this returns.
    fn start() -> Option<Queue> {
        let (sender, queue) = mpsc::unbounded_channel();
        let streams: Vec<(i32, Stream)> = numbers()
            .filter_map(|number| Some((number, signal(SignalKind::from_raw(number)).ok()?)))
            .collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        let listen = move || {
            runtime.block_on(async {
                for (number, stream) in streams {
                    tokio::spawn(each(number, stream, sender.clone()));
                }
                std::future::pending::<()>().await;
            });
        };
        std::thread::Builder::new().name("signals".to_owned()).spawn(listen).ok()?;
        Some(queue)
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

    async fn each(number: i32, mut stream: Stream, queue: mpsc::UnboundedSender<Signal>) {
        while stream.recv().await.is_some() {
            match Number::from_named_raw(number) {
                Some(Number::TSTP) => stop(),
                Some(Number::CONT) => terminal::come_back(),
                _ => {
                    let count = CAME.fetch_add(1, Ordering::SeqCst) + 1;
                    let _ = queue.send(Signal(number));
                    tokio::spawn(end_anyway(number, count));
                }
            }
        }
    }

    /// Stops the program as SIGTSTP would by default, with the terminal as it was before. Uses SIGTTIN, which
    /// still has that default action; it does nothing without a shell that could continue the program.
    fn stop() {
        terminal::step_back();
        let _ = rustix::process::kill_process(rustix::process::getpid(), Number::TTIN);
    }

    /// Ends the program if the command does not.
    async fn end_anyway(number: i32, count: usize) {
        tokio::time::sleep(TO_NOTICE).await;
        let is_noticed = NOTICED.load(Ordering::SeqCst) >= count;
        if is_noticed && !IS_ENDING.load(Ordering::SeqCst) {
            return;
        }
        if is_noticed {
            tokio::time::sleep(TO_END).await;
        }
        if FINISHING.load(Ordering::SeqCst) == 0 {
            terminal::restore_modes();
            exit(Kind::Signal(number).exit_code().into());
        }
    }
}

#[cfg(not(unix))]
mod signals {
    use crate::ui::interrupt::Signal;

    pub(super) struct Signals;

    pub(super) fn all() -> Signals {
        Signals
    }

    pub(super) fn listen() {}

    impl Signals {
        pub(super) async fn next(&mut self) -> Signal {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
            Signal::CTRL_C
        }
    }
}
