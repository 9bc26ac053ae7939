//! Bounds the requests that are under way at once.

use std::cell::Cell;

use http::{Method, Version};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::call::Call;

/// The number of requests under way at once, whatever the command, as long as each may take a connection of
/// its own; of writes always.
const MOST: usize = 16;

/// The number of requests under way at once that share a connection. API servers allow 100.
const MOST_SHARED: usize = 64;

/// The places of requests under way.
pub(super) struct Slots {
    all: Semaphore,
    writes: Semaphore,
    is_shared: Cell<bool>,
}

/// The place of one request, which it leaves when this is dropped.
pub(super) struct Slot<'a> {
    _all: SemaphorePermit<'a>,
    _write: Option<SemaphorePermit<'a>>,
}

impl Slots {
    pub(super) fn new() -> Self {
        Self { all: Semaphore::new(MOST), writes: Semaphore::new(MOST), is_shared: Cell::new(false) }
    }

    /// Waits for a place.
    pub(super) async fn slot(&self, call: &Call) -> Slot<'_> {
        let open = "nobody closes the semaphore";
        let write =
            if call.method == Method::GET { None } else { Some(self.writes.acquire().await.expect(open)) };
        Slot { _write: write, _all: self.all.acquire().await.expect(open) }
    }

    /// Learns from an answer whether requests share a connection.
    pub(super) fn answered_in(&self, version: Version) {
        if version == Version::HTTP_2 && !self.is_shared.replace(true) {
            self.all.add_permits(MOST_SHARED - MOST);
        }
    }
}
