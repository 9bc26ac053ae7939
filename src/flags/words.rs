//! Parses values of flags as kubectl parses them.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use crate::fields::Fields;
use crate::moment::Moment;

const HOUR: f64 = 3600.0;

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

/// A form in which an object is printed, for a program.
#[derive(Clone, PartialEq)]
pub(crate) enum DataForm {
    Json,
    Yaml,
    /// Parts of the JSON.
    Fields(Arc<Fields>),
}

/// The output format of a command that writes.
#[derive(Clone, PartialEq)]
pub(crate) enum Output {
    /// A sentence for a person.
    Human,
    Name,
    Data(DataForm),
}

/// The output format of a report.
#[derive(Clone, PartialEq)]
pub(crate) enum Report {
    /// A table for a person.
    Table,
    /// A table with more columns.
    Wide,
    /// `kind/name`, a line each.
    Name,
    Data(DataForm),
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
/// It is another word, in kubectl's words, or a malformed template.
pub(crate) fn parse_output(word: &str) -> Result<Output, String> {
    match word.to_lowercase().as_str() {
        "" => Ok(Output::Human),
        "name" => Ok(Output::Name),
        _ => parse_data_form(word, "name,").map(Output::Data),
    }
}

/// Parses the output format of a report.
///
/// # Errors
/// It is another word, in kubectl's words, or a malformed template.
pub(crate) fn parse_report(word: &str) -> Result<Report, String> {
    match word.to_lowercase().as_str() {
        "" => Ok(Report::Table),
        "wide" => Ok(Report::Wide),
        "name" => Ok(Report::Name),
        _ => parse_data_form(word, "name,wide,").map(Report::Data),
    }
}

/// Parses a form for programs. `others` are the forms that the command has besides, each with a comma.
///
/// # Errors
/// It is another word, in kubectl's words, or a malformed template.
pub(crate) fn parse_data_form(word: &str, others: &str) -> Result<DataForm, String> {
    match word.to_lowercase().as_str() {
        "json" => Ok(DataForm::Json),
        "yaml" => Ok(DataForm::Yaml),
        _ => match Fields::of(word) {
            Some(fields) => fields.map(|fields| DataForm::Fields(Arc::new(fields))),
            None => Err(format!(
                "unable to match a printer suitable for the output format \"{word}\", \
                 allowed formats are: custom-columns,json,jsonpath,{others}yaml"
            )),
        },
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
    in_units(word, &[("ms", 0.001), ("h", HOUR), ("m", 60.0), ("s", 1.0)]).ok_or_else(wrong)
}

/// Reads a time span of days: `30d`, `2w`, `12h`.
///
/// # Errors
/// It is none, or longer than a `Duration` can be.
pub(crate) fn parse_span(word: &str) -> Result<Duration, String> {
    let wrong = || format!("\"{word}\" is not a time span such as 30d, 2w or 12h");
    in_units(word, &[("h", HOUR), ("d", 24.0 * HOUR), ("w", 7.0 * 24.0 * HOUR)]).ok_or_else(wrong)
}

/// Reads when something ends: a day, a time, or a span from now on.
///
/// # Errors
/// It is none, or has passed already.
pub(crate) fn parse_end(word: &str) -> Result<Moment, String> {
    let now = Moment::now();
    let end = match parse_span(word) {
        Ok(span) => Some(now.after(span)).filter(|end| !end.day().is_empty()),
        Err(_) => Moment::parse(word),
    };
    let wrong = || {
        format!(
            "\"{word}\" is not a day such as 2027-01-31, a time as in RFC 3339, or a time span such as 90d"
        )
    };
    let end = end.ok_or_else(wrong)?;
    if end < now { Err(format!("{} is over", end.day())) } else { Ok(end) }
}

fn in_units(word: &str, units: &[(&str, f64)]) -> Option<Duration> {
    let mut rest = word;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let (unit, factor) = units.iter().find(|(unit, _)| rest[digits..].starts_with(unit))?;
        seconds += number * factor;
        rest = &rest[digits + unit.len()..];
    }
    Duration::try_from_secs_f64(seconds).ok().filter(|_| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_of_hours_days_and_weeks() {
        for (word, hours) in [("12h", 12), ("1d", 24), ("2w", 336), ("1d12h", 36), ("0d", 0)] {
            assert_eq!(parse_span(word), Ok(Duration::from_hours(hours)), "{word}");
        }
        for word in ["", "30", "d", "30m", "-1d", "1e9w", "99999999999999999999999w"] {
            assert!(parse_span(word).is_err(), "{word}");
        }
    }

    #[test]
    fn an_end_is_a_day_a_time_or_a_span_from_now_on_and_never_over() {
        assert_eq!(parse_end("2999-01-31"), Moment::parse("2999-01-31").ok_or_else(String::new));
        assert_eq!(
            parse_end("2999-01-31T12:00:00+01:00"),
            Moment::parse("2999-01-31T11:00:00Z").ok_or_else(String::new)
        );
        assert!(parse_end("90d").unwrap() > Moment::now());
        assert_eq!(parse_end("2001-01-31").unwrap_err(), "2001-01-31 is over");
        for word in ["", "soon", "99999999w", "2027-1-1", "1"] {
            assert!(parse_end(word).unwrap_err().contains("is not a day such as"), "{word}");
        }
    }

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
