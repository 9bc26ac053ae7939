use std::time::Duration;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

/// Pairs of each kind, made with openssl.
const PAIRS: &str = include_str!("../../../tests/conformance/tls-pairs.json");

#[derive(Deserialize)]
struct Pair {
    name: String,
    certificate: String,
    key: String,
}

fn pairs() -> Vec<Pair> {
    serde_json::from_str(PAIRS).unwrap()
}

fn check(certificate: &str, key: &str, now: Moment) -> Result<Vec<String>> {
    let value = |text: &str| SecretValue::from_bytes(text.as_bytes().to_vec());
    let shown = |name: &str| Origin::of(name.as_ref()).shown();
    let judged = check_pair(
        &Named { shown: &shown("my crt"), value: &value(certificate) },
        &Named { shown: &shown("my key"), value: &value(key) },
        now,
    )?;
    Ok(judged.warnings.into_iter().chain(judged.unchecked).collect())
}

#[test]
fn a_pair_of_each_kind_belongs_together() {
    for pair in pairs() {
        let checked = check(&pair.certificate, &pair.key, Moment::now());
        assert_eq!(
            checked.unwrap_or_else(|error| panic!("{}: {error}", pair.name)),
            [""; 0],
            "{}",
            pair.name
        );
    }
}

#[test]
fn no_key_belongs_to_the_certificate_of_another() {
    let pairs = pairs();
    for certificate in &pairs {
        for key in pairs.iter().filter(|key| key.certificate != certificate.certificate) {
            let refusal = check(&certificate.certificate, &key.key, Moment::now()).unwrap_err().to_string();
            assert!(
                refusal.starts_with("error: tls: private key"),
                "{} and {}: {refusal}",
                certificate.name,
                key.name
            );
        }
    }
}

#[test]
fn a_certificate_out_of_its_time_is_taken_with_a_warning() {
    let pair = &pairs()[0];
    let warnings = |now| check(&pair.certificate, &pair.key, now).unwrap().concat();
    let day = Duration::from_hours(24);
    assert!(warnings(Moment::now().after(40_000 * day)).contains("the certificate in my crt expired on 21"));
    assert!(warnings(Moment::since_1970(day)).contains("is not valid before 20"));
}

#[test]
fn a_refusal_says_what_to_do() {
    let Pair { certificate, key, .. } = &pairs()[0];
    let old = key.replace("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: x\n\n");
    let new = key
        .replace("BEGIN PRIVATE", "BEGIN ENCRYPTED PRIVATE")
        .replace("END PRIVATE", "END ENCRYPTED PRIVATE");
    for (certificate, key, words) in [
        (certificate, &new, "openssl pkey -in 'my key' -out tls-plain.key"),
        (certificate, &old, "openssl pkey -in 'my key' -out tls-plain.key"),
        (key, certificate, "PEM inputs may have been switched"),
        (certificate, certificate, "found a certificate rather than a key"),
        (&format!("{certificate}{key}"), key, "has a private key in it"),
        (&String::new(), key, "failed to find any PEM data in certificate input"),
        (certificate, &String::new(), "failed to find any PEM data in key input"),
        (&certificate.replace("CERTIFICATE", "X"), key, "of the following types: [X]"),
        (certificate, &key.replace("PRIVATE", "PUBLIC"), "of the following types: [PUBLIC KEY]"),
        (
            &"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(),
            key,
            "x509: malformed certificate",
        ),
        (
            certificate,
            &"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_owned(),
            "failed to parse private key",
        ),
    ] {
        let refusal = check(certificate, key, Moment::now()).unwrap_err().to_string();
        assert!(refusal.contains(words), "{refusal}");
    }
}

proptest! {
    #[test]
    fn any_two_files_are_judged_without_a_panic(certificate in any::<String>(), key in any::<String>()) {
        let _ = check(&certificate, &key, Moment::now());
    }

    #[test]
    fn a_pair_with_damage_anywhere_is_judged_without_a_panic(
        which in 0..8_usize, at in 28..400_usize, letter in "[A-Za-z0-9+/]", in_key in any::<bool>(),
    ) {
        let Pair { mut certificate, mut key, .. } = pairs().swap_remove(which);
        let damaged = if in_key { &mut key } else { &mut certificate };
        if at < damaged.len() {
            damaged.replace_range(at..=at, &letter);
        }
        let _ = check(&certificate, &key, Moment::now());
    }
}
