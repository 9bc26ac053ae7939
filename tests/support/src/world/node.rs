//! Worlds whose pods run.

use std::path::PathBuf;

use super::World;
use crate::engines::{Node, Started};

impl World {
    /// Returns a share of the real control plane, with a node that runs pods. Both start at the first call.
    ///
    /// Panics if there is none, with the command that builds it: its tests are ignored by default.
    pub fn with_node() -> Self {
        Node::shared();
        Self::real()
    }

    /// Returns what a container of a pod got from the kubelet when it last started; `None` if it has not started.
    pub fn started(&self, namespace: &str, pod: &str, container: &str) -> Option<Started> {
        Node::shared().started(namespace, pod, container)
    }
}

impl Started {
    /// Returns the value of an environment variable.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.0["variables"][name].as_str()
    }

    /// Returns where on this machine the file is that a program in the container sees at this path.
    pub fn file(&self, path: &str) -> Option<PathBuf> {
        let mounts = self.0["mounts"].as_object()?;
        mounts.iter().find_map(|(folder, here)| {
            let below = path.strip_prefix(folder.as_str())?.strip_prefix('/')?;
            Some(PathBuf::from(here.as_str()?).join(below))
        })
    }
}
