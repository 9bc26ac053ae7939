//! Tries again after somebody else changed the object at the same moment.

use std::time::Duration;

use crate::random::random;

/// How often a write is tried if somebody else changes the object at the same moment. A controller, for
/// example, writes the status several times after each change.
pub(crate) const TRIES: u32 = 10;

/// The longest pause before another try.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Waits after the nth conflict. The pause is random, since two writers that wait equally long collide again.
pub(crate) async fn pause_after_conflict(attempt: u32) {
    let longest = (Duration::from_millis(10) * 2_u32.saturating_pow(attempt)).min(LONGEST_PAUSE);
    let chance = random().map_or(128, |bytes| bytes[0]);
    // Fuzz targets make thousands of conflicts.
    if cfg!(not(test)) {
        tokio::time::sleep(longest * u32::from(chance) / 256).await;
    }
}
