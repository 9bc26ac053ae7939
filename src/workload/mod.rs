//! What uses a secret: the workloads, and the places in them where a secret's keys can go.
//!
//! A workload is a JSON tree, never a typed object, so that no field is lost that this program does not know.
//! What differs from kind to kind is one row in [`kind`]; all else here works on pod specs. Nothing here asks
//! a cluster or a person: the commands do, with the answers these modules give.

mod attach;
mod attachment;
mod checks;
mod clean_copy;
mod detach;
mod immutable;
mod job;
mod kind;
mod name;
mod nearest;
mod pod_spec;
mod references;
mod target;

pub(crate) use attach::{Change, ContainerChoice, Effect, Existing, Outcome, attach, containers};
pub(crate) use attachment::{Attachment, EnvNames, Item, Mode};
pub(crate) use checks::{illegal_env_names, missing_keys};
pub(crate) use clean_copy::{JobState, Owner, clean_copy, job_state, owner};
pub(crate) use detach::{Detached, detach};
pub(crate) use immutable::is_template_immutable;
pub(crate) use job::{Access, Gpu, NewJob, Purpose, Scheduler, Volume, generated_name, generated_suffix};
pub(crate) use kind::{KINDS, Kind, OnChange, Shape};
pub(crate) use nearest::nearest;
pub(crate) use pod_spec::{ContainerName, Role};
pub(crate) use references::{How, Mount, Reference, references};
pub(crate) use target::Target;
