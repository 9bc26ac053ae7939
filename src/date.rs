//! Points in time, as people type them and as the API writes them. All are durations since 1970.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::Date;
use pkcs8::der::DateTime;

/// Returns the time on this machine's clock.
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Formats a day as `2026-01-31`; empty for a year after 9999.
pub(crate) fn day(moment: Duration) -> String {
    time(moment).split('T').next().unwrap_or_default().to_owned()
}

/// Formats a time as the API does: `2026-01-31T12:00:00Z`; empty for a year after 9999.
pub(crate) fn time(moment: Duration) -> String {
    DateTime::from_unix_duration(moment).map(|time| time.to_string()).unwrap_or_default()
}

/// Reads a day, which begins at midnight of UTC, or a time with any offset (RFC 3339); none for other texts, and
/// before 1970.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let time = match text.parse::<Date>() {
        Ok(day) if text.len() == "2026-01-31".len() => {
            day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp()
        }
        _ => text.parse::<Timestamp>().ok()?,
    };
    u64::try_from(time.as_second()).ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_and_a_time_are_read_and_written() {
        for (text, written) in [
            ("2027-01-31", "2027-01-31T00:00:00Z"),
            ("2027-01-31T12:30:00Z", "2027-01-31T12:30:00Z"),
            ("2027-01-31T12:30:00.9+02:00", "2027-01-31T10:30:00Z"),
        ] {
            assert_eq!(time(parse(text).unwrap()), written);
            assert_eq!(day(parse(text).unwrap()), "2027-01-31");
        }
        for text in ["", "2027", "2027-13-01", "31.1.2027", "tomorrow", "1960-01-01", "2027-01-31T12:30:00"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(day(Duration::MAX), "");
    }
}
