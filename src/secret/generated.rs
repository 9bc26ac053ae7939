//! Random values: `--generate`.

use std::ops::RangeInclusive;

use zeroize::Zeroizing;

use super::value::SecretValue;
use crate::error::{Error, Result};

/// The default length in characters: 192 bits of randomness.
pub(super) const LENGTH: usize = 32;

/// The legal lengths in characters.
pub(super) const LENGTHS: RangeInclusive<usize> = 8..=4096;

/// Characters that are legal in URLs, file names and shells without quotes. There are 64, so six bits choose
/// one evenly.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Returns a random value of that many characters.
pub(crate) fn value(length: usize) -> Result<SecretValue> {
    let mut bytes = Zeroizing::new(vec![0; length]);
    getrandom::fill(&mut bytes).map_err(|_| Error::failed("the system has no random numbers"))?;
    Ok(SecretValue::from_bytes(bytes.iter().map(|byte| ALPHABET[usize::from(byte & 63)]).collect()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn values_differ_and_use_the_whole_alphabet() {
        let values: BTreeSet<_> =
            (0..50).map(|_| value(LENGTH).unwrap_or_else(|e| panic!("{e}")).expose().to_vec()).collect();
        assert_eq!(values.len(), 50);
        let letters: BTreeSet<u8> = value(4096).ok().unwrap().expose().iter().copied().collect();
        assert_eq!(letters, ALPHABET.iter().copied().collect());
    }
}
