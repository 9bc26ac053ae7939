//! What makes an object that has a controller: a change to the object itself would be undone, so it belongs there.

use serde_json::Value;

use crate::cluster::Cluster;
use crate::error::Error;
use crate::workload::{Kind, Target, owner};

/// Controllers of controllers: a Pod of a Job of a `CronJob` of something else.
const MOST_STEPS: usize = 5;

/// The topmost controller of an object.
pub(crate) struct Controller {
    /// As a target where it can be one, `kind/name` otherwise.
    name: String,
    state: State,
}

enum State {
    /// Attachments can go there.
    Target,
    /// Its kind is none that is known here.
    UnknownKind,
    /// It is gone, and what it made will follow.
    Gone,
}

impl Controller {
    /// Follows the controllers up to where a person made something; none for an object without one.
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
                // Whatever it is, it can't be seen.
                Err(_) => return Some(maker.unwrap_or(Self { name, state: State::Target })),
            }
        }
        maker
    }

    /// Why `target` is left alone. `instead` says what to do with a workload of this name.
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
