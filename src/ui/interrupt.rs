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
    struct Mark;
    impl Drop for Mark {
        fn drop(&mut self) {
            FINISHING.fetch_sub(1, Ordering::SeqCst);
        }
    }
    FINISHING.fetch_add(1, Ordering::SeqCst);
    let _mark = Mark;
    step.await
}

/// Waits for an interrupt that may end the program.
async fn interrupted() {
    loop {
        signal().await;
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

#[cfg(unix)]
async fn signal() {
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
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
