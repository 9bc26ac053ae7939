//! Words for people: lists, counts, and the word that was probably meant.

/// The Jaro-Winkler similarity above which a name is suggested; below it, a guess would mislead.
const LIKELY: f64 = 0.8;

/// Returns `1 key`, `2 keys`.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Returns `1 copy`, `2 copies`.
pub(crate) fn copies(count: usize) -> String {
    if count == 1 { "1 copy".to_owned() } else { format!("{count} copies") }
}

/// Returns `a`, `a and b`, `a, b and c`.
pub(crate) fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<T> = items.into_iter().collect();
    match items.as_slice() {
        [] => "none".to_owned(),
        [only] => only.as_ref().to_owned(),
        [most @ .., last] => {
            let most: Vec<&str> = most.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", most.join(", "), last.as_ref())
        }
    }
}

/// The length of the longest name that an object may have.
const LONGEST: usize = 253;

/// Returns the candidate closest to `word`, whatever its case, for "did you mean"; none if nothing is close.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The time grows with the product of both lengths, and names may come from anybody.
    let is_short = |text: &&str| text.len() <= LONGEST;
    let word = Some(word).filter(is_short)?.to_lowercase();
    candidates
        .into_iter()
        .filter(is_short)
        .map(|candidate| (strsim::jaro_winkler(&word, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= LIKELY)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// Reports whether two words differ by slips of the fingers: at most one in four characters.
pub(crate) fn is_near(a: &str, b: &str) -> bool {
    let longest = a.len().max(b.len());
    longest <= LONGEST && strsim::damerau_levenshtein(a, b) <= (longest / 4).max(1)
}

/// Returns at most so many characters of a text, and says where the rest is missing.
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some((end, _)) => format!("{} …", &text[..end]),
    }
}

/// Lists at most five names.
pub(crate) fn few(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    if names.len() <= SHOWN {
        list(names)
    } else {
        format!("{} and {} more", names[..SHOWN].join(", "), names.len() - SHOWN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_longer_than_any_name_is_near_none() {
        let long = "x".repeat(1_000_000);
        assert_eq!(nearest(&long, ["x"]), None);
        assert_eq!(nearest("HF_TOKE", [long.as_str(), "HF_TOKEN"]), Some("HF_TOKEN"));
    }

    #[test]
    fn a_slip_is_near_and_another_word_is_not() {
        for (a, b) in [("--otput", "--output"), ("--al", "--all"), ("--from-litral", "--from-literal")] {
            assert!(is_near(a, b), "{a}");
        }
        for (a, b) in [
            ("--cpu-memory-reqest", "--gpu-memory"),
            ("--run-as-id", "--as-uid"),
            ("--toleration", "--completions"),
            ("--host-path", "--output"),
            (&"x".repeat(1_000_000), "--output"),
        ] {
            assert!(!is_near(a, b), "{b}");
        }
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(list(["a"]), "a");
        assert_eq!(list(["a", "b", "c"]), "a, b and c");
        assert_eq!(plural(1, "key"), "1 key");
        assert_eq!(plural(0, "key"), "0 keys");
    }

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
