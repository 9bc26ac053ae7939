//! The grammar of lists and numbers, for whoever talks.

pub(crate) use crate::wording::{list, plural};
