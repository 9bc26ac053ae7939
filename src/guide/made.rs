//! A secret that was made by answers.

/// A secret that was made, and how a workload gets it.
pub(super) struct Made {
    pub(super) name: String,
    /// The keys that become variables; none where the secret itself says how it is used.
    pub(super) variables: Vec<String>,
    pub(super) verb: Verb,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Create,
    /// The keys of a secret that is there.
    Set,
}
