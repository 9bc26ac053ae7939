//! The plugin on a cluster whose pods run: a scheduler, a kubelet, and operators do what other tests play.
//!
//! One test binary, so that one control plane and one node serve all of them. See CONTRIBUTING.md for how to build them.

mod definitions;
mod files;
mod operators;
mod pods;
mod states;
mod submit_wait;
