//! Parses values of flags as kubectl parses them.

use std::convert::Infallible;
use std::time::Duration;

/// How much of a write is carried out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum DryRun {
    /// Writes.
    None,
    /// Writes nothing; may read the cluster.
    Client,
    /// The server checks the write and does not keep it.
    Server,
}

impl DryRun {
    /// Returns the suffix that kubectl adds to its success lines.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            DryRun::None => "",
            DryRun::Client => " (dry run)",
            DryRun::Server => " (server dry run)",
        }
    }
}

/// The output format of a command that writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// A sentence for a person.
    Human,
    Json,
    Yaml,
    Name,
}

/// The output format of a report.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    /// A table for a person.
    Table,
    /// A table with more columns.
    Wide,
    Json,
    Yaml,
    /// `kind/name`, a line each.
    Name,
}

/// Parses kubectl's words for `--dry-run`.
///
/// # Errors
/// It is another word. The text is kubectl's.
pub(crate) fn parse_dry_run(word: &str) -> Result<DryRun, String> {
    match word {
        "none" | "false" => Ok(DryRun::None),
        "client" | "true" => Ok(DryRun::Client),
        "server" => Ok(DryRun::Server),
        _ => Err(format!("Invalid dry-run value ({word}). Must be \"none\", \"server\", or \"client\".")),
    }
}

/// Parses kubectl's words for `fieldValidation`.
///
/// # Errors
/// It is another word. The text is kubectl's.
pub(crate) fn parse_validation(word: &str) -> Result<&'static str, String> {
    match word {
        "strict" | "true" => Ok("Strict"),
        "warn" => Ok("Warn"),
        "ignore" | "false" => Ok("Ignore"),
        _ => Err(format!(
            "invalid - validate option \"{word}\"; must be one of: strict (or true), warn, ignore (or false)"
        )),
    }
}

/// Parses the output format of a command that writes.
///
/// # Errors
/// It is another word. The text is kubectl's.
pub(crate) fn parse_output(word: &str) -> Result<Output, String> {
    match word.to_lowercase().as_str() {
        "" => Ok(Output::Human),
        "json" => Ok(Output::Json),
        "yaml" => Ok(Output::Yaml),
        "name" => Ok(Output::Name),
        _ => Err(format!(
            "unable to match a printer suitable for the output format \"{word}\", \
             allowed formats are: json,name,yaml"
        )),
    }
}

/// Parses the output format of a report.
///
/// # Errors
/// It is another word. The text is kubectl's.
pub(crate) fn parse_report(word: &str) -> Result<Report, String> {
    match word.to_lowercase().as_str() {
        "" => Ok(Report::Table),
        "wide" => Ok(Report::Wide),
        "json" => Ok(Report::Json),
        "yaml" => Ok(Report::Yaml),
        "name" => Ok(Report::Name),
        _ => Err(format!(
            "unable to match a printer suitable for the output format \"{word}\", \
             allowed formats are: json,name,wide,yaml"
        )),
    }
}

/// Parses the name of a secret, with or without the `secret/` that reports and kubectl print before it.
#[expect(clippy::unnecessary_wraps, reason = "clap's parsers of values are fallible")]
pub(crate) fn parse_secret(word: &str) -> Result<String, Infallible> {
    let name = word.strip_prefix("secret/").or_else(|| word.strip_prefix("secrets/")).unwrap_or(word);
    Ok(name.to_owned())
}

/// Parses a duration as kubectl's `--request-timeout` takes it: a number of seconds, or Go's `1m30s`. Zero
/// means no limit.
///
/// # Errors
/// It is not a duration, or longer than a `Duration` can be.
pub(crate) fn parse_duration(word: &str) -> Result<Duration, String> {
    let wrong = || format!("\"{word}\" is not a duration such as 30s, 2m or 1h30m");
    if let Ok(seconds) = word.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let mut rest = word;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        let (factor, unit) = [("ms", 0.001), ("h", 3600.0), ("m", 60.0), ("s", 1.0)]
            .iter()
            .find_map(|(unit, factor)| rest[digits..].starts_with(unit).then_some((*factor, *unit)))
            .ok_or_else(wrong)?;
        seconds += number * factor;
        rest = &rest[digits + unit.len()..];
    }
    if word.is_empty() { Err(wrong()) } else { Duration::try_from_secs_f64(seconds).map_err(|_| wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_gos() {
        for (word, milliseconds) in
            [("0", 0), ("5", 5000), ("1s", 1000), ("1m30s", 90_000), ("1.5h", 5_400_000)]
        {
            assert_eq!(parse_duration(word), Ok(Duration::from_millis(milliseconds)), "{word}");
        }
        for word in ["", "s", "5x", "1s2", "-1s"] {
            assert!(parse_duration(word).is_err(), "{word}");
        }
    }
}
