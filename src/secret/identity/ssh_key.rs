//! The fingerprint of an SSH key, as `ssh-keygen -l` prints it: SHA-256 of the public half (RFC 4253, 6.6).

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::digest::{SHA256, digest};
use serde::Serialize;

use super::text::LONGEST_LINE;
use crate::secret::pem::Block;
use crate::secret::{go_base64, key_pair, ssh};

/// The public half of an SSH key, without itself.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct SshKey {
    /// In `ssh-keygen`'s words, such as `ED25519`.
    pub(crate) algorithm: &'static str,
    pub(crate) bits: usize,
    pub(crate) fingerprint: String,
}

impl SshKey {
    /// Recognizes a private key in OpenSSH's format, a private key of another under a name that says SSH, or a
    /// public key in a line.
    pub(super) fn of(key: &str, bytes: &[u8], file: &[Block<'_>]) -> Option<Self> {
        let private = file.iter().find(|block| block.is_private_key());
        if let Some(block) = private {
            if let Some(blob) = ssh::public_half(&block.content) {
                return Self::of_blob(blob);
            }
            let is_of_ssh = key.to_lowercase().contains("ssh") || key.starts_with("id_");
            return Self::of_blob(&key_pair::ssh_blob(block).filter(|_| is_of_ssh)?);
        }
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= LONGEST_LINE)?.trim();
        let mut words = text.split(' ');
        let (name, blob) = (words.next()?, words.next()?);
        if text.contains('\n') || algorithm(name.as_bytes()).is_none() {
            return None;
        }
        let blob = go_base64::decoded(blob)?;
        (ssh::first_string(&blob)?.0 == name.as_bytes()).then(|| Self::of_blob(&blob))?
    }

    /// Reads the public half in the form in which it goes over the wire.
    fn of_blob(blob: &[u8]) -> Option<Self> {
        let (name, mut rest) = ssh::first_string(blob)?;
        let algorithm = algorithm(name)?;
        let bits = match algorithm {
            "RSA" => {
                let (_exponent, after) = ssh::first_string(rest)?;
                rest = after;
                length_in_bits(ssh::first_string(rest)?.0)
            }
            "DSA" => length_in_bits(ssh::first_string(rest)?.0),
            "ECDSA" | "ECDSA-SK" => match ssh::first_string(rest)?.0 {
                b"nistp256" => 256,
                b"nistp384" => 384,
                b"nistp521" => 521,
                _ => return None,
            },
            _ => 256,
        };
        let hash = STANDARD_NO_PAD.encode(digest(&SHA256, blob));
        Some(Self { algorithm, bits, fingerprint: format!("SHA256:{hash}") })
    }
}

fn algorithm(name: &[u8]) -> Option<&'static str> {
    Some(match name {
        b"ssh-ed25519" => "ED25519",
        b"ssh-rsa" => "RSA",
        b"ssh-dss" => "DSA",
        b"ecdsa-sha2-nistp256" | b"ecdsa-sha2-nistp384" | b"ecdsa-sha2-nistp521" => "ECDSA",
        b"sk-ssh-ed25519@openssh.com" => "ED25519-SK",
        b"sk-ecdsa-sha2-nistp256@openssh.com" => "ECDSA-SK",
        _ => return None,
    })
}

fn length_in_bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let rest = &number[zeros..];
    rest.first().map_or(0, |top| rest.len() * 8 - top.leading_zeros() as usize)
}
