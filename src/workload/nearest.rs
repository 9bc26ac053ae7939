//! "Did you mean": the one of several names that a mistyped one was most likely meant to be.

/// Jaro-Winkler above which two names count as a slip of the fingers; below it, a guess would mislead.
const LIKELY: f64 = 0.8;

/// The candidate closest to `word`, whatever its case; none if nothing is close.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= LIKELY)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_fingers_finds_the_name_that_was_meant() {
        assert_eq!(nearest("usrname", ["password", "username"]), Some("username"));
        assert_eq!(nearest("PASSWORD", ["password", "username"]), Some("password"));
    }

    #[test]
    fn nothing_is_guessed_when_nothing_is_close() {
        assert_eq!(nearest("zzz", ["password", "username"]), None);
        assert_eq!(nearest("key", []), None);
    }
}
