//! Points in time: seconds since 1970, as the API writes them and as people type them.

use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::Date;
use pkcs8::der::DateTime;
use serde::{Serialize, Serializer};

/// Prints `2026-01-31T12:00:00Z` as the API does; nothing for a year after 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Moment(u64);

impl Moment {
    /// Reads a day, which begins at midnight of UTC, or a time with any offset (RFC 3339); none for other texts, and
    /// before 1970.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // First as the API writes it: certificates without an end have 9999-12-31T23:59:59Z (RFC 5280), and jiff's
        // time ends a day before.
        if let Ok(time) = text.parse::<DateTime>() {
            return Some(Self::since_1970(time.unix_duration()));
        }
        let time = match text.parse::<Date>() {
            Ok(day) if text.len() == "2026-01-31".len() => {
                day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp()
            }
            _ => text.parse::<Timestamp>().ok()?,
        };
        u64::try_from(time.as_second()).ok().map(Self)
    }

    /// Returns this machine's time.
    pub(crate) fn now() -> Self {
        Self::since_1970(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
    }

    /// Leaves out parts of a second.
    pub(crate) fn since_1970(time: Duration) -> Self {
        Self(time.as_secs())
    }

    /// Returns the time that has passed since another moment: none if that is later.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }

    /// Returns a later moment; the last of all if there is none so late.
    pub(crate) fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time.as_secs()))
    }

    /// Formats the day as `2026-01-31`; empty for a year after 9999.
    pub(crate) fn day(self) -> String {
        self.to_string().split('T').next().unwrap_or_default().to_owned()
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_unix_duration(Duration::from_secs(self.0)) {
            Ok(time) => write!(f, "{time}"),
            Err(_) => Ok(()),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
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
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ] {
            let moment = Moment::parse(text).unwrap();
            assert_eq!(moment.to_string(), written);
            assert_eq!(moment.day(), &written[..10]);
        }
        for text in ["", "2027", "2027-13-01", "31.1.2027", "tomorrow", "1960-01-01", "2027-01-31T12:30:00"] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
        assert_eq!(Moment::since_1970(Duration::MAX).day(), "");
    }
}
