//! Handles signals: they end the program at once anywhere, except during the few steps that must not be left
//! half done.
//!
//! Once tokio listens for a signal, its default action is gone for the whole process, so every command runs
//! under `run`, not only the prompts. A thread of its own listens: a command that waits for a file or a full
//! pipe can't be asked to end.

mod signals;

use std::cell::RefCell;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use self::signals::{FINISHING, IS_ENDING, Signal};
use super::line;
use crate::error::{Error, Kind, Result};

/// The number of running programs that own the keyboard.
static AT_THE_KEYBOARD: AtomicUsize = AtomicUsize::new(0);

/// Set while Ctrl-C is the only end of the command.
static ENDS_BY_CTRL_C: AtomicBool = AtomicBool::new(false);

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

/// Runs what only Ctrl-C ends, which then needs no word.
pub(crate) async fn until_ctrl_c<T>(endless: impl Future<Output = T>) -> T {
    ENDS_BY_CTRL_C.store(true, Ordering::SeqCst);
    let outcome = endless.await;
    ENDS_BY_CTRL_C.store(false, Ordering::SeqCst);
    outcome
}

/// Reports whether a command ended as it had to.
pub(crate) fn was_meant(error: &Error) -> bool {
    error.kind() == Kind::Interrupted && ENDS_BY_CTRL_C.load(Ordering::SeqCst)
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
