//! Ctrl-C, SIGTERM and SIGHUP: anywhere they end the program at once, but for the few steps that must not be left half done.
//!
//! Once tokio listens for a signal its default action is gone for the whole process, so every command runs under
//! `run`, not only the prompts.

use std::cell::RefCell;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, Result};

/// How many steps run that an interrupt must let finish.
static FINISHING: AtomicUsize = AtomicUsize::new(0);

/// How many programs run that have the keyboard for themselves.
static AT_THE_KEYBOARD: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// What an interrupt leaves behind, for its error. Every command runs on one thread.
    static GOES_ON: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Runs a command to its end or to the first interrupt.
pub(crate) fn run(command: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::failed(format!("can't start: {error}")))?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            biased;
            outcome = command => outcome,
            () = interrupted() => {
                let hints = GOES_ON.with_borrow(Clone::clone);
                Err(hints.iter().fold(Error::interrupted(), Error::hint))
            }
        }
    });
    // A prompt's thread may still be reading; waiting for it would wait for a key.
    runtime.shutdown_background();
    outcome
}

/// Waits for something that goes on when the user has seen enough: what `hints` say then.
pub(crate) async fn watching<T>(hints: Vec<String>, wait: impl Future<Output = T>) -> T {
    GOES_ON.set(hints);
    let outcome = wait.await;
    GOES_ON.take();
    outcome
}

/// Does a step to its end whatever signals come. What it does inside must have a time limit of its own.
pub(crate) async fn finishing<T>(step: impl Future<Output = T>) -> T {
    counted(&FINISHING, step).await
}

/// Waits for a program that has the keyboard for itself. A terminal sends Ctrl-C to all that runs in it, and means that
/// program: to Emacs it is `C-g`, to vim the end of a `:!` command.
pub(crate) async fn leaving_keyboard_to<T>(program: impl Future<Output = T>) -> T {
    counted(&AT_THE_KEYBOARD, async {
        let outcome = program.await;
        // A Ctrl-C that came just before its end may not have been noticed: once for it to be noticed, once for it to be
        // passed over.
        for _ in 0..2 {
            tokio::task::yield_now().await;
        }
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

/// Waits for an interrupt that may end the program.
async fn interrupted() {
    loop {
        if signal().await == Signal::CtrlC && AT_THE_KEYBOARD.load(Ordering::SeqCst) > 0 {
            continue;
        }
        if FINISHING.load(Ordering::SeqCst) == 0 {
            return;
        }
        super::say(
            &console::Style::new().dim(),
            "note:",
            "finishing first: stopping now would leave half a change",
        );
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Signal {
    CtrlC,
    #[cfg(unix)]
    Other,
}

#[cfg(unix)]
async fn signal() -> Signal {
    use tokio::signal::unix::SignalKind;
    let listen = |kind| tokio::signal::unix::signal(kind);
    // A hangup is a laptop that was closed or a connection that broke: the likeliest of the three in a long wait.
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) =
        (listen(SignalKind::interrupt()), listen(SignalKind::terminate()), listen(SignalKind::hangup()))
    else {
        // Without a handler the default action ends the process, which is all that is wanted.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => Signal::CtrlC,
        _ = terminate.recv() => Signal::Other,
        _ = hangup.recv() => Signal::Other,
    }
}

#[cfg(not(unix))]
async fn signal() -> Signal {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
    Signal::CtrlC
}
