//! The plugin as its user meets it: every test starts the binary.
//!
//! One test binary for all commands, so that one real control plane serves all of them. A `scenario!` runs on the
//! in-process API server and on the real one; a difference is a bug in the former.

mod attach;
mod attach_checks;
mod bystanders;
mod canary;
mod check;
mod completion;
mod conformance;
mod connection;
mod copy;
mod create;
mod create_on_server;
mod create_replace;
mod create_size;
mod create_sources;
mod create_types;
mod definitions;
mod delete;
mod delete_in_use;
mod detach;
mod edit;
mod edit_all_keys;
mod edit_conflicts;
mod faults;
mod foreign;
mod guide;
mod guide_lines;
mod help;
mod kinds;
mod kubeconfig;
mod label;
mod list;
mod lost_keys;
mod main_job;
mod manifests;
mod memory;
mod not_found;
mod project;
mod prompts;
mod propagation;
mod rbac;
mod readme;
mod recreate;
mod replace_anew;
mod set;
mod signals;
mod status;
mod submit;
mod submit_wait;
mod sync;
mod terminal;
mod usage;
mod view;
mod workloads;
