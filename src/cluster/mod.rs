//! The only place that knows the network.
//!
//! The kubeconfig, logins and TLS are understood as client-go understands them; what goes over the connection is sent
//! one `Call` at a time, so that time limits, retries, warnings, `-v` and errors are the same for every command. Kinds are known beforehand
//! (`workload::kind`), so nothing is discovered but the version of those that are not built in.

mod across_namespaces;
mod address;
mod bounded;
mod call;
mod config;
mod connection;
mod crypto;
mod exec;
mod failure;
#[cfg(test)]
mod fuzz;
mod identity;
mod inspections;
mod kubeconfig;
mod login;
mod material;
mod namespaces;
mod pages;
mod place;
mod pods;
mod proof;
mod proxy;
mod quoting;
mod secret_changes;
mod secret_list;
mod secrets;
mod tables;
mod tls;
mod transport;
mod transport_error;
mod versions;
mod workloads;

pub(crate) use across_namespaces::{Namespaces, Seen, Unseen};
pub(crate) use config::check_kubeconfig;
pub(crate) use connection::Cluster;
pub(crate) use failure::Failure;
pub(crate) use kubeconfig::{Entries, entries};
pub(crate) use secret_changes::{SecretHead, SecretWithValues};
pub(crate) use secret_list::{Keys, Listed, Makers, Selection};
pub(crate) use secrets::{Answer, SecretFrame};
pub(crate) use tables::Row;

/// How a write is to be recorded and whether it is to be kept.
#[derive(Clone, Copy)]
pub(crate) struct Write<'a> {
    pub(crate) field_manager: &'a str,
    /// The API's `fieldValidation`.
    pub(crate) validation: &'static str,
    pub(crate) keep: Keep,
}

/// Whether somebody waits at the terminal for what a credential plugin may ask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attendance {
    Attended,
    /// Completion: nothing may be asked, and nothing may be said.
    Unattended,
}

/// Whether the server keeps what it is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    Yes,
    /// `dryRun=All`: it checks and answers as if, and keeps nothing.
    No,
}
