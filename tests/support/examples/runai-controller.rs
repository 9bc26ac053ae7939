//! The stand-in for Run:ai's controller as a process of its own; the tests start one beside the real control plane.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kubeconfig, runai_namespace, world] = arguments.as_slice() else {
        return Err(std::io::Error::other("usage: runai-controller KUBECONFIG RUNAI-NAMESPACE WORLD"));
    };
    support::controller::run(Path::new(kubeconfig), runai_namespace, world)
}
