//! A second of a clock, as the API writes it.

use std::fmt;
use std::time::{Duration, SystemTime};

use pkcs8::der::DateTime;
use serde::{Serialize, Serializer};

/// Prints `2026-01-31T12:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Moment(u64);

impl Moment {
    /// Reads `2026-01-31T12:00:00Z`; none if it is anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let time = text.parse::<DateTime>().ok()?;
        Some(Self(time.unix_duration().as_secs()))
    }

    /// Returns this machine's time.
    pub(crate) fn now() -> Self {
        Self(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs())
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
