//! The system's randomness.

use crate::error::{Error, Result};

/// Five bytes of the system's randomness, for a name.
pub(crate) fn random() -> Result<[u8; 5]> {
    let mut bytes = [0; 5];
    getrandom::fill(&mut bytes).map_err(|_| Error::failed("the system has no random numbers"))?;
    Ok(bytes)
}
