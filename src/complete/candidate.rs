//! What is offered for the word at the cursor.

/// One way in which the word may go on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    /// The whole word.
    pub(super) value: String,
    /// A few words beside it, where the shell shows them; empty for none.
    pub(super) about: String,
    pub(super) then: Then,
}

/// What comes after a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Then {
    /// The word ends.
    Space,
    /// The word goes on: `SECRET:`, `deployment/`.
    More,
}

/// Everything that is offered, in the order in which it is to be shown.
#[derive(Default)]
pub(super) struct Offer {
    pub(super) candidates: Vec<Candidate>,
    /// Names of files fit too. A shell that can offers them itself: it knows `~`, variables and quotation marks.
    pub(super) files: Option<Files>,
}

impl Candidate {
    pub(super) fn new(value: impl Into<String>, about: impl Into<String>) -> Self {
        Self { value: value.into(), about: about.into(), then: Then::Space }
    }

    pub(super) fn continued(value: impl Into<String>, about: impl Into<String>) -> Self {
        Self { then: Then::More, ..Self::new(value, about) }
    }

    /// The same as the end of a longer word.
    pub(super) fn after(self, before: &str) -> Self {
        Self { value: format!("{before}{}", self.value), ..self }
    }
}

impl Offer {
    /// Whether the word goes on whichever candidate is taken.
    pub(super) fn goes_on(&self) -> bool {
        !self.candidates.is_empty() && self.candidates.iter().all(|one| one.then == Then::More)
    }
}

/// Names of files that begin with `text`, after `before`.
pub(super) struct Files {
    pub(super) before: String,
    pub(super) text: String,
}
