//! Fuzz target: words of flags that stand for something else.

use super::words::*;
use crate::fuzz::feed;

#[test]
fn words_of_flags() {
    let seeds = [
        "30s",
        "1m30s",
        "1.5h",
        "0",
        "json",
        "jsonpath={.a}",
        "client",
        "secret/hf",
        "strict",
        "9223372036854775807h",
        "0.000001ms",
        "1h.5m",
    ];
    feed("words_of_flags", &seeds, &["h", "m", "s", "ms", ".", "secrets/"], |bytes| {
        let Ok(word) = std::str::from_utf8(bytes) else { return "not UTF-8".to_owned() };
        format!(
            "{:?} {} {} {} {} {}",
            parse_duration(word).map(|_| ()),
            parse_output(word).is_ok(),
            parse_dry_run(word).is_ok(),
            parse_report(word).is_ok(),
            parse_validation(word).is_ok(),
            parse_secret(word).is_ok()
        )
    });
}
