//! How a secret of Run:ai's namespace gets to the projects, and how far it got.
//!
//! Run:ai's controller reports nothing, so what became of a secret is read off the copies themselves: who made them, and
//! whether they are still equal to their source. Nothing here asks a cluster or a person.

mod copy;
mod existing;
mod plan;
mod scope;
mod state;

pub(crate) use copy::{Content, DELETING, Encoded, Evidence, ExistingSecret, MARK, Origin, identity, origin};
pub(crate) use existing::Existing;
pub(crate) use plan::{Allowed, Reason, Step, Wishes, anew_body, copy_body, mend_body, source_body, step};
pub(crate) use scope::{
    CURRENT_LABEL, DEPARTMENT_LABEL, Key, LEGACY_LABEL, Scope, is_mark, marking, unmarking,
};
pub(crate) use state::{Found, Likeness, Row, Source, State, row, stray};
