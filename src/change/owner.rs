//! Finds the controller that makes an object. It would undo a change to the object, so the change belongs to
//! the controller.

use serde_json::Value;

use crate::cluster::Cluster;
use crate::error::Error;
use crate::workload::{Kind, Target, owner};

/// The most steps from a controller to its own: a Pod of a Job of a `CronJob` of something else.
const MOST_STEPS: usize = 5;

/// The topmost controller of an object.
pub(crate) struct Controller {
    /// The name as a target if it can be one, otherwise `kind/name`.
    name: String,
    state: State,
}

enum State {
    /// It can get the attachment.
    Target,
    /// Its kind is unknown.
    UnknownKind,
    /// It is gone, and what it made will be deleted too.
    Gone,
}

impl Controller {
    /// Follows the controllers up to the topmost one; none for an object without a controller.
    pub(crate) async fn of(object: &Value, namespace: &str, cluster: &Cluster) -> Option<Self> {
        let mut maker = None;
        let mut owner = owner(object);
        for _ in 0..MOST_STEPS {
            let Some(next) = owner else { break };
            let Some(kind) = Kind::of_manifest(&next.api_version, &next.kind) else {
                let name = format!("{}/{}", next.kind.to_lowercase(), next.name);
                return Some(Self { name, state: State::UnknownKind });
            };
            let target = Target { kind, name: next.name };
            let name = target.to_string();
            match cluster.workload(namespace, &target).await {
                Ok(object) => {
                    owner = self::owner(&object);
                    maker = Some(Self { name, state: State::Target });
                }
                Err(failure) if failure.is_not_found() && maker.is_none() => {
                    return Some(Self { name, state: State::Gone });
                }
                // It exists but can't be read.
                Err(_) => return Some(maker.unwrap_or(Self { name, state: State::Target })),
            }
        }
        maker
    }

    /// Returns the error that `target` is left alone. `instead` says what to do with a workload of the given
    /// name.
    pub(crate) fn refusal(&self, target: &Target, instead: impl Fn(&str) -> String) -> Error {
        let Self { name, state } = self;
        let refused = Error::failed(format!("{target} is made by {name}, which would undo the change"));
        match state {
            State::Target => refused.hint(instead(name)),
            State::UnknownKind => {
                refused.hint(format!("change {name} itself; this command does not know its kind"))
            }
            State::Gone => Error::failed(format!(
                "{target} was made by {name}, which is gone: Kubernetes deletes it soon"
            ))
            .hint("submit makes a new job"),
        }
    }
}
