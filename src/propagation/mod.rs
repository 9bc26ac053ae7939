//! The way of a secret from Run:ai's namespace to the projects, and its progress.
//!
//! Run:ai's controller reports nothing, so the progress is read from the copies themselves: their makers, and
//! whether they still equal their source. Nothing here asks a cluster or a user.

mod copy;
mod existing;
mod plan;
mod scope;
mod state;

pub(crate) use copy::{
    Content, DELETING, Encoded, Evidence, ExistingSecret, MARK, ORIGIN, Origin, identity, may_be_copy,
    origin, reaches_projects,
};
pub(crate) use existing::Existing;
pub(crate) use plan::{
    Allowed, Given, Reason, Step, Wishes, anew_body, copy_body, mend_body, source_body, step,
};
pub(crate) use scope::{
    CURRENT_LABEL, DEPARTMENT_LABEL, Key, LEGACY_LABEL, Scope, is_mark, marking, unmarking,
};
pub(crate) use state::{Found, Likeness, Row, Source, State, row, stray};
