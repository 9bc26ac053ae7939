//! Words of the command line that stand for something else, read as kubectl reads them.

use std::convert::Infallible;
use std::time::Duration;

/// How far a write goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum DryRun {
    /// It is written.
    None,
    /// Nothing is written; the cluster may be read.
    Client,
    /// The server does all but keep it.
    Server,
}

impl DryRun {
    /// What kubectl adds to its success lines.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            DryRun::None => "",
            DryRun::Client => " (dry run)",
            DryRun::Server => " (server dry run)",
        }
    }
}

/// The form of what goes to standard output.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// A sentence for a person.
    Human,
    Json,
    Yaml,
    Name,
}

/// The form of a report on standard output.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    /// A table for a person.
    Table,
    /// The same with more columns.
    Wide,
    Json,
    Yaml,
    /// `kind/name`, a line each.
    Name,
}

pub(crate) fn parse_dry_run(word: &str) -> Result<DryRun, String> {
    match word {
        "none" | "false" => Ok(DryRun::None),
        "client" | "true" => Ok(DryRun::Client),
        "server" => Ok(DryRun::Server),
        _ => Err(format!("Invalid dry-run value ({word}). Must be \"none\", \"server\", or \"client\".")),
    }
}

/// kubectl's words for `fieldValidation`.
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

/// Reads the name of a secret; `secret/NAME`, as reports and kubectl print it, is the same.
#[expect(clippy::unnecessary_wraps, reason = "clap's parsers of values are fallible")]
pub(crate) fn parse_secret(word: &str) -> Result<String, Infallible> {
    let name = word.strip_prefix("secret/").or_else(|| word.strip_prefix("secrets/")).unwrap_or(word);
    Ok(name.to_owned())
}

/// Reads what kubectl takes for `--request-timeout`: a number of seconds, or Go's `1m30s`. Zero is "no limit".
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
