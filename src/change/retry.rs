//! Tries again after somebody else changed the object at the same moment.

use std::time::Duration;

use crate::cluster::Failure;
use crate::random::random;

/// How often a write is tried if somebody else changes the object at the same moment. A controller, for
/// example, writes the status several times after each change.
const MOST: u32 = 10;

/// The longest pause before another try.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The pause before a write with an unknown effect is repeated; multiplied by the number of tries.
const PAUSE_IN_DOUBT: Duration = Duration::from_millis(100);

/// The tries of a write that holds only for the object as it was read: how many failed so far.
#[derive(Default)]
pub(crate) struct Tries(u32);

impl Tries {
    pub(crate) fn is_first(&self) -> bool {
        self.0 == 0
    }

    /// Waits after a write that failed because somebody else was quicker, as `beaten` says. The caller reads
    /// the object again.
    ///
    /// # Errors
    /// Returns the failure if it is another, or if this was the last try.
    pub(crate) async fn again(
        &mut self,
        failure: Failure,
        beaten: impl Fn(&Failure) -> bool,
    ) -> Result<(), Failure> {
        self.0 += 1;
        if self.0 == MOST || !beaten(&failure) {
            return Err(failure);
        }
        // Random, since two writers that wait equally long collide again.
        let chance = u32::from(random().map_or(128, |bytes| bytes[0]));
        let longest = (Duration::from_millis(10) * 2_u32.saturating_pow(self.0)).min(LONGEST_PAUSE);
        let in_doubt = failure.has_unknown_effect();
        let pause = if in_doubt { PAUSE_IN_DOUBT * self.0 } else { longest * chance / 256 };
        // Fuzz targets make thousands of conflicts.
        if cfg!(not(test)) {
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }
}
