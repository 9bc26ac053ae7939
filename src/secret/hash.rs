//! `--append-hash`: a suffix that changes with the content.
//!
//! It is equal to kubectl's, because kustomize and scripts compute the same name on their own (kubernetes
//! `pkg/util/hash/hash.go`).

use std::io;

use ring::digest::{Context, SHA256};
use serde::Serialize;

use super::go_json;
use super::manifest::{EncodedData, SecretManifest};

/// The hashed fields, in the order in which Go sorts them.
#[derive(Serialize)]
struct Hashed<'a> {
    data: EncodedData<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    immutable: Option<bool>,
    kind: &'static str,
    name: &'a str,
    #[serde(rename = "type")]
    secret_type: &'a str,
}

/// Returns the manifest's name with the hash of its content appended.
pub(crate) fn name_with_hash(manifest: &SecretManifest) -> String {
    let mut digest = Digest(Context::new(&SHA256));
    let hashed = Hashed {
        data: manifest.encoded_data(),
        immutable: manifest.immutable,
        kind: "Secret",
        name: &manifest.name,
        secret_type: &manifest.secret_type,
    };
    go_json::write(&mut digest, &hashed).expect("a digest takes any bytes");
    let suffix: String =
        digest.0.finish().as_ref()[..5].iter().flat_map(|byte| [byte >> 4, byte & 0xf]).map(letter).collect();
    format!("{}-{suffix}", manifest.name)
}

/// Returns a hexadecimal digit, with those replaced that could spell a word.
fn letter(digit: u8) -> char {
    match digit {
        0 => 'g',
        1 => 'h',
        3 => 'k',
        0xa => 'm',
        0xe => 't',
        other => char::from_digit(u32::from(other), 16).expect("half a byte"),
    }
}

struct Digest(Context);

impl io::Write for Digest {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::SecretValue;
    use super::*;

    fn secret(secret_type: &str, data: &[(&str, &str)]) -> SecretManifest {
        let data = data
            .iter()
            .map(|(key, value)| ((*key).to_owned(), SecretValue::from_bytes(value.as_bytes().to_vec())));
        let mut manifest = SecretManifest::new("s", data.collect());
        secret_type.clone_into(&mut manifest.secret_type);
        manifest
    }

    #[test]
    fn the_name_is_the_one_kubectl_gives() {
        assert_eq!(name_with_hash(&secret("", &[("k", "v")])), "s-c54ghmfcdb");
        assert_eq!(name_with_hash(&secret("", &[("b", "2"), ("a", "1")])), "s-mmg922cb59");
    }

    #[test]
    fn the_type_is_hashed_in_gos_escapes() {
        assert_eq!(name_with_hash(&secret("<&>", &[("k", "<&>")])), "s-h72dcg2tm2");
    }

    #[test]
    fn an_immutable_secret_has_another_name() {
        let mut manifest = secret("", &[("k", "v")]);
        manifest.immutable = Some(true);
        assert_ne!(name_with_hash(&manifest), "s-c54ghmfcdb");
    }
}
