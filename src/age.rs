//! The age of an object, in kubectl's short form.

use std::time::Duration;

use crate::moment::Moment;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;

/// Returns the age of an object made at a time such as `2026-01-31T12:00:00Z`; kubectl's `<unknown>` if that
/// is not a time.
pub(crate) fn age(created: &str) -> String {
    // The clocks of this machine and of the server differ by some seconds: none is younger than 0s.
    let age = Moment::parse(created).map(|created| in_words(Moment::now().since(created)));
    age.unwrap_or_else(|| "<unknown>".to_owned())
}

/// Formats one unit, or two if the larger one is small, by kubectl's steps.
pub(crate) fn in_words(age: Duration) -> String {
    let seconds = age.as_secs();
    let two = |large: u64, first: &str, small: u64, second: &str| match seconds % large / small {
        0 => format!("{}{first}", seconds / large),
        rest => format!("{}{first}{rest}{second}", seconds / large),
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => two(MINUTE, "m", 1, "s"),
        600..10_800 => format!("{}m", seconds / MINUTE),
        10_800..28_800 => two(HOUR, "h", MINUTE, "m"),
        28_800..172_800 => format!("{}h", seconds / HOUR),
        172_800..691_200 => two(DAY, "d", HOUR, "h"),
        _ if seconds < 2 * YEAR => format!("{}d", seconds / DAY),
        _ if seconds < 8 * YEAR => two(YEAR, "y", DAY, "d"),
        _ => format!("{}y", seconds / YEAR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_rounded_as_kubectls() {
        for (seconds, words) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (150, "2m30s"),
            (600, "10m"),
            (3 * HOUR, "3h"),
            (3 * HOUR + 5 * MINUTE, "3h5m"),
            (9 * HOUR + 5 * MINUTE, "9h"),
            (2 * DAY, "2d"),
            (2 * DAY + HOUR, "2d1h"),
            (30 * DAY + HOUR, "30d"),
            (3 * YEAR + DAY, "3y1d"),
            (9 * YEAR + DAY, "9y"),
        ] {
            assert_eq!(in_words(Duration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn a_time_is_read_as_the_server_writes_it() {
        assert_eq!(age("not a time"), "<unknown>");
        assert_eq!(age("2999-01-01T00:00:00Z"), "0s", "a clock that is ahead");
        assert!(age("2020-01-31T12:00:00Z").contains('y'));
    }
}
