//! Finds the workloads that refer to a secret, and what a change of it does to them.

pub(crate) mod account_logins;
mod again;
mod anew;
pub(crate) mod attaching;
pub(crate) mod consumers;
pub(crate) mod extracting;
pub(crate) mod histories;
pub(crate) mod losing_keys;
pub(crate) mod missing_secret;
pub(crate) mod references;
pub(crate) mod restarts;
pub(crate) mod rotation;
pub(crate) mod runai_flags;
pub(crate) mod usual;
pub(crate) mod who_needs;
