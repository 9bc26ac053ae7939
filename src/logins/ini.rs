//! INI files of the AWS command line, NGC, `PyPI` and Hugging Face.
//!
//! Python's `configparser` reads these, and takes all that follows `=` as the value: a `#` or a quote in it is
//! part of it. Libraries for INI files take those off.

/// One section.
pub(super) struct Section<'t>(Vec<(&'t str, &'t str)>);

impl<'t> Section<'t> {
    /// Returns the value of a key. Keys are compared as Python does, in lower case.
    pub(super) fn get(&self, key: &str) -> Option<&'t str> {
        let mut same = self.0.iter().rev().filter(|(name, _)| name.eq_ignore_ascii_case(key));
        same.next().map(|(_, value)| *value).filter(|value| !value.is_empty())
    }
}

/// Returns the names of all sections, in their order.
pub(super) fn sections(text: &str) -> Vec<&str> {
    text.lines().filter_map(header).collect()
}

/// Returns the names of the sections that have a setting, in one pass.
pub(super) fn sections_with<'t>(text: &'t str, key: &str) -> Vec<&'t str> {
    let mut found: Vec<&str> = Vec::new();
    let mut current = None;
    for line in text.lines() {
        if let Some(name) = header(line) {
            current = Some(name);
        } else if line.split_once(['=', ':']).is_some_and(|(name, _)| name.trim().eq_ignore_ascii_case(key)) {
            found.extend(current.take());
        }
    }
    found
}

/// Returns the section of this name, if it is there.
pub(super) fn section<'t>(text: &'t str, name: &str) -> Option<Section<'t>> {
    let mut lines = text.lines().skip_while(|line| header(line) != Some(name));
    lines.next()?;
    let own = lines.take_while(|line| header(line).is_none());
    let own = own.filter(|line| !line.trim_start().is_empty() && !line.trim_start().starts_with(['#', ';']));
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut entries: Vec<(&str, &str)> = Vec::new();
    let mut last = None;
    for line in own {
        // A line that is indented deeper belongs to the setting above it, as `max_concurrent_requests` to `s3 =`.
        if last.is_some_and(|last| indent(line) > last) {
            continue;
        }
        last = Some(indent(line));
        entries.extend(line.split_once(['=', ':']).map(|(key, value)| (key.trim(), value.trim())));
    }
    Some(Section(entries))
}

fn header(line: &str) -> Option<&str> {
    let name = line.trim_end().strip_prefix('[')?;
    name.split_once(']').map(|(name, _)| name.trim())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_is_all_that_follows_the_sign() {
        let text = "; comment\n[default]\nKey = a#b\"c=d \r\ns3 =\n  key = inner\n#key = x\n\n[ other ]\nkey=\n[default]\n";
        assert_eq!(sections(text), ["default", "other", "default"]);
        let default = section(text, "default").unwrap();
        assert_eq!((default.get("key"), default.get("s3")), (Some("a#b\"c=d"), None));
        assert_eq!(section(text, "other").unwrap().get("key"), None);
        assert!(section(text, "none").is_none());
        let indented = section("[a]\n  key: x=y\n  other = z\n", "a").unwrap();
        assert_eq!((indented.get("key"), indented.get("other")), (Some("x=y"), Some("z")));
    }

    proptest! {
        #[test]
        fn any_text_has_an_end(text in any::<String>(), name in any::<String>()) {
            let _ = sections(&text);
            let _ = section(&text, &name).map(|section| section.get(&name).map(str::len));
        }
    }
}
