//! Workloads, and the places in them for a secret's keys.
//!
//! A workload is a JSON tree, never a typed object, so that no unknown field is lost. The differences between
//! kinds are in one row each in [`kind`]; everything else here works on pod specs, or on their equivalent in
//! Run:ai's own workloads ([`environment`]). Nothing here asks a cluster or a user: the commands do.

mod account_logins;
mod attach;
mod attachment;
mod checks;
mod clean_copy;
mod consumer;
mod containers;
mod detach;
mod distinct;
mod doubts;
mod environment;
mod expansion;
mod extract;
#[cfg(test)]
mod fuzz;
mod immutable;
mod job;
mod karta;
mod kind;
mod loss;
mod name;
mod named_copy;
mod plaintext;
mod pod_spec;
mod quantity;
mod ranks;
mod readers;
mod references;
mod renewal;
mod rollout;
mod runai_flags;
mod shape;
mod start;
mod state;
mod target;
mod tree;

pub(crate) use account_logins::{
    AccountLogins, OwnLogins, accounts_at_stake, logins_of, with_account_logins,
};
pub(crate) use attach::{Outcome, attach};
pub(crate) use attachment::{Attachment, Existing, Mode, Need, mount_path};
pub(crate) use checks::{
    below_own_home, check_image_pull, clashes, doubtful_env_names, doubtful_uses, hidden_variables,
    missing_keys,
};
pub(crate) use clean_copy::{JobState, clean_copy, job_state, owner};
pub(crate) use consumer::{Consumer, Holder, folded};
pub(crate) use containers::ContainerChoice;
pub(crate) use detach::{Nameless, Removed, Selection, Use, detach, left_behind};
pub(crate) use doubts::{What, doubts};
pub(crate) use environment::{Expanded, check_expressible, expanded};
pub(crate) use expansion::Given;
pub(crate) use extract::{
    Held, Move, Moved, deployed_by, held, kind_of_revisions, moved, no_variable, plain_variables, still_in,
};
pub(crate) use immutable::is_immutable;
pub(crate) use job::{
    Gpu, NewJob, Preemption, Purpose, Scheduler, Toleration, User, Volume, generated_name, generated_suffix,
};
pub(crate) use karta::{KARTA, Karta};
pub(crate) use kind::{KINDS, Kind, OfKubernetes, OnChange, ServedKind, Version};
pub(crate) use name::check_object_name;
pub(crate) use named_copy::{NamedCopy, SELECTING, Selector, named_copy, take_marks};
pub(crate) use plaintext::Plaintext;
pub(crate) use pod_spec::container_names;
pub(crate) use quantity::check_quantity;
pub(crate) use ranks::unseen_by_ranks;
pub(crate) use readers::{Maker, Reader, ReaderPod};
pub(crate) use references::{Place, Reference, Renamed, Sight, Way, may_refer_to_secrets, renamed};
pub(crate) use renewal::Renewal;
pub(crate) use rollout::{Rollout, is_marked_at, is_restartable, mark_restarted, restarted, rollout};
pub(crate) use runai_flags::runai_flags;
pub(crate) use shape::malformed;
pub(crate) use start::{Object, Start, Stuck, newest_warning, start, stuck_by_events};
pub(crate) use state::State;
pub(crate) use target::{Target, TypedTarget};
