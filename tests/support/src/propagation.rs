//! A controller at work in a world.
//!
//! With the in-process server it is a task. With the real control plane it is a process, with a user, rights
//! and a kubeconfig of its own, which talks to the API server as any controller does.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use tokio::task::JoinHandle;

use crate::control_plane::ControlPlane;
use crate::controller::{Controller, PERIOD};
use crate::runtime::{runtime, wait_for};
use crate::sandbox::build;

/// A controller at work. Dropping it kills it anywhere in its work; later changes by the test then stay.
#[derive(Debug)]
pub struct Propagation(Work);

#[derive(Debug)]
enum Work {
    Task(JoinHandle<()>),
    /// Its stdin is the pipe that keeps it alive.
    Process(Child),
}

impl Propagation {
    pub(crate) fn task(controller: Controller) -> Self {
        Self(Work::Task(runtime().spawn(controller.work(PERIOD))))
    }

    pub(crate) fn process(control_plane: &ControlPlane, runai_namespace: &str, world: &str) -> Self {
        Self(Work::Process(start(&control_plane.controllers_kubeconfig(), runai_namespace, world)))
    }

    /// Returns the number of its process, if it has one of its own.
    pub fn id(&self) -> Option<u32> {
        match &self.0 {
            Work::Task(_) => None,
            Work::Process(process) => Some(process.id()),
        }
    }
}

fn start(kubeconfig: &Path, runai_namespace: &str, world: &str) -> Child {
    let mut command = Command::new(program());
    command
        .arg(kubeconfig)
        .args([runai_namespace, world])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        // Ctrl-C in a terminal is for the tests.
        .process_group(0);
    command.spawn().expect("a program that was built starts")
}

/// Returns the controller's program, an example of this crate, built at the first call, which takes a second
/// or two.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| build(&["--package", env!("CARGO_PKG_NAME"), "--example", "runai-controller"]))
}

impl Drop for Propagation {
    fn drop(&mut self) {
        match &mut self.0 {
            Work::Task(task) => {
                task.abort();
                // A task that is told to end still finishes its work until it next waits. An error means that
                // it was aborted.
                drop(wait_for(task));
            }
            Work::Process(process) => {
                // SIGKILL. An error means that it is gone already.
                drop(process.kill());
                drop(process.wait());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificates::Authority;
    use crate::kubeconfig::Kubeconfig;

    #[test]
    fn the_process_ends_with_the_pipe_that_a_killed_test_leaves_behind() {
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        // Nobody answers there, so it goes on asking.
        let nowhere = Kubeconfig::new("https://127.0.0.1:9", Authority::new("nobody").pem(), "token");
        std::fs::write(&kubeconfig, nowhere.to_string()).unwrap();
        let mut process = start(&kubeconfig, "runai", "t1");
        assert!(process.try_wait().unwrap().is_none());
        drop(process.stdin.take());
        assert!(process.wait().unwrap().success());
    }
}
