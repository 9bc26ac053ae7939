//! The only place that knows the network.
//!
//! The kubeconfig, logins and TLS are understood as client-go understands them. Requests are sent one `Call`
//! at a time, so that time limits, retries, warnings, `-v` and errors are the same for every command. Kinds
//! are known beforehand (`workload::kind`); only the version of those that are not built in is discovered,
//! and, for who looks for everything that refers to secrets, which other kinds there are.
//!
//! A method that returns [`Failure`] fails if its request does; `# Errors` names only what is beyond that.

mod across_namespaces;
mod address;
mod any_kind;
mod bounded;
mod call;
mod config;
mod connection;
mod crypto;
mod discovery;
mod exec;
mod failure;
#[cfg(test)]
mod fuzz;
mod identity;
mod inspections;
mod kubeconfig;
mod login;
mod lookup;
mod material;
mod namespaces;
mod pages;
mod place;
mod pods;
mod proof;
mod proxy;
mod quoting;
mod secret_list;
mod secrets;
mod size;
mod slots;
mod stream;
mod tables;
mod tls;
mod transport;
mod transport_error;
mod versions;
mod workloads;

pub(crate) use across_namespaces::{KindOf, Namespaces, Seen, Unseen};
pub(crate) use call::Beside;
pub(crate) use config::check_kubeconfig;
pub(crate) use connection::Cluster;
pub(crate) use discovery::{Kartas, Others};
pub(crate) use failure::Failure;
pub(crate) use kubeconfig::{Entries, entries};
pub(crate) use pages::Beginning;
pub(crate) use secret_list::{Keys, Listed, Makers, Selection};
pub(crate) use secrets::{Answer, SecretHead, SecretWithValues};
pub(crate) use tables::Row;

/// Returns none if there is no such object.
pub(crate) fn if_there<T>(answer: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match answer {
        Ok(object) => Ok(Some(object)),
        Err(failure) if failure.is_not_found() => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// The options of a write: how it is recorded and whether it is kept.
#[derive(Clone, Copy)]
pub(crate) struct Write<'a> {
    pub(crate) field_manager: &'a str,
    /// The API's `fieldValidation`.
    pub(crate) validation: &'static str,
    pub(crate) keep: Keep,
}

/// The presence of a user at the terminal, for questions of a credential plugin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attendance {
    Attended,
    /// Completion: nothing may be asked, and nothing printed.
    Unattended,
}

/// The server keeps the write, or only tries it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    Yes,
    /// `dryRun=All`: the server checks the request, answers, and keeps nothing.
    No,
}
