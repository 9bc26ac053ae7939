//! Defines what is offered for the word at the cursor.

/// A possible continuation of the word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    /// The whole word.
    pub(super) value: String,
    /// A description beside it, for shells that show one; empty for none.
    pub(super) about: String,
    pub(super) then: Then,
}

/// The continuation after a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Then {
    /// The word is complete: a space.
    Space,
    /// More of the word: `SECRET:`, `deployment/`.
    More,
}

/// Everything that is offered, in the order to show.
#[derive(Default)]
pub(super) struct Offer {
    pub(super) candidates: Vec<Candidate>,
    /// File names fit too. A shell that can offers them itself, since it knows `~`, variables and quotation
    /// marks.
    pub(super) files: Option<Files>,
}

impl Candidate {
    pub(super) fn new(value: impl Into<String>, about: impl Into<String>) -> Self {
        Self { value: value.into(), about: about.into(), then: Then::Space }
    }

    pub(super) fn continued(value: impl Into<String>, about: impl Into<String>) -> Self {
        Self { then: Then::More, ..Self::new(value, about) }
    }

    /// Puts a text in front, so that the candidate ends a longer word.
    pub(super) fn after(self, before: &str) -> Self {
        Self { value: format!("{before}{}", self.value), ..self }
    }
}

impl Offer {
    /// Reports whether the word continues, whichever candidate is taken.
    pub(super) fn goes_on(&self) -> bool {
        !self.candidates.is_empty() && self.candidates.iter().all(|one| one.then == Then::More)
    }
}

/// File names that begin with `text`, after `before`.
pub(super) struct Files {
    pub(super) before: String,
    pub(super) text: String,
}
