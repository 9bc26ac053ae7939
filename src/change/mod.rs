//! Writes safely: with the version that was read, checked first, tried again after a conflict, and undone or
//! resumed if a change has several steps.

pub(crate) mod declared;
pub(crate) mod manifest;
pub(crate) mod owner;
pub(crate) mod places;
pub(crate) mod recreate;
pub(crate) mod restart;
pub(crate) mod retry;
pub(crate) mod secret;
pub(crate) mod several;
pub(crate) mod workload;
