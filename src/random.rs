//! The system's randomness.

use crate::error::{Error, Result};

/// Returns five random bytes of the system, for a name.
///
/// # Errors
/// The system has no random numbers.
pub(crate) fn random() -> Result<[u8; 5]> {
    let mut bytes = [0; 5];
    getrandom::fill(&mut bytes).map_err(|_| Error::failed("the system has no random numbers"))?;
    Ok(bytes)
}
