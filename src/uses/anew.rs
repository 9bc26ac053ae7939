//! Says how what nothing restarts comes to hold the new value.

use std::collections::BTreeSet;

use crate::command_line::CommandLine;
use crate::wording::plural;
use crate::workload::{Consumer, Maker, ReaderPod, Renewal};

/// How many pods are named in a command.
const NAMED: usize = 8;

/// Returns what makes the pods of a workload anew, with the command where there is one that loses no data. `pods` are
/// those that hold the old value, as far as they could be seen.
pub(super) fn what_makes_it_anew(one: &Consumer, pods: &[&ReaderPod]) -> String {
    let delete = |what: &str| CommandLine::kubectl("delete").arg(what).namespace(&one.namespace);
    match one.renewal() {
        Renewal::SubmitAgain => format!("submit it again after {}", delete(&one.display_name())),
        Renewal::NextRun => {
            let jobs: BTreeSet<&str> = pods.iter().filter_map(|pod| pod.job()).collect();
            let read = "its next run reads the new value";
            match jobs.first() {
                Some(job) if jobs.len() == 1 => {
                    format!("{read}; to end the one at work: {}", delete(&format!("job.batch/{job}")))
                }
                _ => read.to_owned(),
            }
        }
        // Its operator makes the pods again.
        Renewal::DeletedPods if one.kind.name == "RayCluster" => {
            let label = format!("ray.io/cluster={}", one.name);
            let pods = CommandLine::kubectl("delete pods").then("-l").arg(label);
            pods.namespace(&one.namespace).to_string()
        }
        Renewal::DeletedPods if pods.is_empty() => {
            format!("delete its pods, and it makes others: {}", delete("pod/NAME"))
        }
        _ => by_its_controller(one, pods),
    }
}

/// Names the pods that a controller of Kubernetes makes anew; what an operator does about its own is not known.
fn by_its_controller(one: &Consumer, pods: &[&ReaderPod]) -> String {
    let again: BTreeSet<&str> =
        pods.iter().filter(|pod| pod.maker == Maker::MakesOthers).map(|pod| pod.name.as_str()).collect();
    if again.is_empty() {
        return "its controller has to restart it".to_owned();
    }
    let named: Vec<String> = again.iter().take(NAMED).map(|name| format!("pod/{name}")).collect();
    let delete = CommandLine::kubectl("delete").args(&named).namespace(&one.namespace);
    let more = match again.len() - named.len() {
        0 => String::new(),
        more => format!(" (and {})", plural(more, "more pod")),
    };
    format!("its controller has to restart it, or makes its pods anew one by one after {delete}{more}")
}
