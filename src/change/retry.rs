//! Another try where somebody else changed the object at the same moment.

use std::time::Duration;

use crate::random::random;

/// How often a write is tried when somebody else changes the object at the same moment. A controller that writes its
/// status is such a somebody, and writes several times after each change.
pub(crate) const TRIES: u32 = 10;

/// The longest pause before another try.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Waits after the nth conflict. By chance, since two that wait equally long meet again.
pub(crate) async fn pause_after_conflict(attempt: u32) {
    let longest = (Duration::from_millis(10) * 2_u32.saturating_pow(attempt)).min(LONGEST_PAUSE);
    let chance = random().map_or(128, |bytes| bytes[0]);
    // A fuzz target sees thousands of these.
    if cfg!(not(test)) {
        tokio::time::sleep(longest * u32::from(chance) / 256).await;
    }
}
