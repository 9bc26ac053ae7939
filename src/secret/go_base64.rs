//! Base64 as Go reads it (`encoding/base64`): line ends are ignored anywhere, and the unused bits of the last
//! character may be anything.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

const TOLERANT: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
/// Go's `StdEncoding`.
const PADDED: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, TOLERANT);
/// Go's `RawStdEncoding`.
const UNPADDED: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    TOLERANT.with_decode_padding_mode(DecodePaddingMode::RequireNone),
);
/// What signed tokens use (RFC 7515, section 2).
const URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    TOLERANT.with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Decodes the part of a signed token.
pub(super) fn decoded_url(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    by(&URL, text)
}

/// Decodes base64 with padding, as in the data of a Secret.
pub(crate) fn decoded(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    by(&PADDED, text)
}

/// Decodes base64 with or without padding, as the kubelet reads the `auth` of a registry's login.
pub(crate) fn decoded_auth(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    by(if text.trim().ends_with('=') { &PADDED } else { &UNPADDED }, text)
}

fn by(engine: &GeneralPurpose, text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut characters = Zeroizing::new(Vec::with_capacity(text.len()));
    characters.extend(text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')));
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(characters.len())]);
    let length = engine.decode_slice(&*characters, &mut bytes).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_bits_left_over_do_no_harm() {
        for text in ["aGVsbG8=", "aGVs\nbG8=\n", "\r\naG\r\nVsbG8=", "aGVsbG9=", "aGVsbG8\n="] {
            assert_eq!(decoded(text).as_deref().map(Vec::as_slice), Some(&b"hello"[..]), "{text:?}");
        }
        for text in ["aGVsbG8", "aGVs bG8=", "aGVsbG8=x", "a", "aGVs_-8="] {
            assert!(decoded(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn an_auth_may_lack_its_padding() {
        for text in ["aGVsbG8=", "aGVsbG8", "aGVs\nbG8"] {
            assert_eq!(decoded_auth(text).as_deref().map(Vec::as_slice), Some(&b"hello"[..]), "{text:?}");
        }
        assert!(decoded_auth("aGVsbG8 ").is_none() && decoded_auth("hello").is_none());
    }
}
