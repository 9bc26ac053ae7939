//! The one async runtime of a test process: tests are synchronous, the servers behind them are not.

use std::future::Future;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

/// Returns the runtime, started at its first use and kept for the life of the process.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Builder::new_multi_thread().enable_all().build().expect("an async runtime starts"))
}

/// Waits for a future from a thread of a test.
pub(crate) fn wait_for<F: Future>(future: F) -> F::Output {
    runtime().block_on(future)
}
