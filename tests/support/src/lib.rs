//! Shared parts of the tests, the playground and the benchmarks of `kubectl-runai-secret`.
//!
//! A test gets a [`World`], a Kubernetes cluster of its own as far as it can see, and a [`Sandbox`], in which it
//! runs the plugin without touching the machine it runs on. [`macro@scenario`] makes a function two tests, one for each
//! cluster there is: the in-process API server, and a real control plane when `KUBEBUILDER_ASSETS` says where its
//! programs are.
//!
//! ```no_run
//! use support::{Fault, Hold, Sandbox, World, scenario};
//!
//! #[scenario]
//! fn a_secret_is_created(world: &World, sandbox: &Sandbox) {
//!     let project = world.project("team-a");
//!     let outcome = sandbox.run(["create", "hf", "--from-literal=HF_TOKEN=s3cret", "-p", &project.name]);
//!     outcome.never_shows(b"s3cret");
//!     assert_eq!(outcome.success().stdout, "secret/hf created\n");
//!     assert_eq!(world.secret(&project.namespace, "hf").unwrap()["type"], "Opaque");
//!     assert_eq!(world.writes()[0].call(), format!("POST /api/v1/namespaces/{}/secrets", project.namespace));
//! }
//!
//! #[scenario]
//! fn a_busy_server_is_asked_again(world: &World, sandbox: &Sandbox) {
//!     world.fail(Fault::on("GET", "/secrets").times(2).answer_after(429, 1));
//!     assert_eq!(sandbox.run(["list"]).success().stderr, "");
//! }
//!
//! #[scenario]
//! fn killed_before_the_deletion_it_has_changed_nothing(world: &World, sandbox: &Sandbox) {
//!     let gate = world.hold(Fault::on("DELETE", "/jobs/"), Hold::BeforeForwarding);
//!     let child = sandbox.spawn(["detach", "hf", "job/train", "--recreate", "-y"]);
//!     assert!(gate.wait_reached(std::time::Duration::from_secs(10)));
//!     let _ = child.kill();
//!     gate.release();
//! }
//! # fn main() {}
//! ```

#![expect(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a test's support panics to fail the test, and its return values are looked at or not as the test pleases"
)]

mod api;
mod backend;
mod bare;
mod certificates;
pub mod control_plane;
pub mod controller;
pub mod direct;
pub mod engines;
mod faults;
mod forward;
mod front_door;
mod gate;
mod http2;
mod kubeconfig;
mod log;
mod programs;
mod propagation;
pub mod proxy;
mod runtime;
pub mod sandbox;
mod terminal;
mod world;

pub use bare::{Bare, Listening, listen};
pub use certificates::{Chain, KeyKind, Odd, Validity};
pub use faults::{End, Fault, Flood, On};
pub use front_door::Protocols;
pub use gate::{Gate, Hold};
pub use kubeconfig::Kubeconfig;
pub use log::Recorded;
pub use propagation::Propagation;
pub use sandbox::{Outcome, Run, Running, Sandbox, send_signal};
pub use scenario::scenario;
pub use terminal::Session;
pub use world::{Project, User, World};
