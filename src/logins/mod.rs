//! Logins that other programs keep on this machine: where they are, and the keys that a secret gets of them.
//!
//! [`SERVICES`] has a row for each service, and a row is all that a new one needs. Files are read, and
//! Docker's helpers are started; no login is taken from a variable or written anywhere.

mod aws;
mod docker;
mod files;
mod found;
mod helper;
mod ini;
mod machine;
mod netrc;
mod service;
mod table;
mod tokens;
mod wandb;

pub(crate) use self::found::Found;
pub(crate) use self::machine::Machine;
pub(crate) use self::service::{Service, Usual};
pub(crate) use self::table::{OPENSSH, SERVICES, named, parse};
