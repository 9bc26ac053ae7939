//! `restart --recreate`: makes jobs and pods again that nothing restarts, as `attach --recreate` does.

use futures::{StreamExt, stream};
use serde_json::Value;

use crate::change::recreate::uid;
use crate::change::recreate::workload::loss;
use crate::change::several::AT_ONCE;
use crate::change::workload::{Change, ChangeArgs, Changed, Company, Plan, Planned, Recreate, Way};
use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::flags::WriteArgs;
use crate::session::Session;
use crate::session::batch::{Objects, Several};
use crate::workload::{Consumer, Kind, OnChange, Renewal, State, Target};

/// A workload that is to be made again.
pub(super) struct Again {
    pub(super) namespace: String,
    target: Target,
    same: Same,
    object: Result<Value>,
}

impl Again {
    /// Reports whether a workload is of a kind that can be made again: one that nothing makes, and nothing changes.
    pub(super) fn is_possible(one: &Consumer) -> bool {
        one.renewal() == Renewal::SubmitAgain && one.kind.on_change == OnChange::Refused
    }

    /// Reads these workloads.
    pub(super) async fn read(all: Vec<Consumer>, cluster: &Cluster) -> Vec<Self> {
        let read = all.into_iter().map(async |one| {
            let target = Target { kind: one.kind, name: one.name.clone() };
            let object = cluster.workload(&one.namespace, &target).await.map_err(Error::from);
            let same = Same { uid: one.uid().to_owned() };
            Self { namespace: one.namespace, target, same, object }
        });
        stream::iter(read).buffered(AT_ONCE).collect().await
    }

    /// Says what becomes of it.
    pub(super) fn effect(&self) -> String {
        let Self { namespace, target, same, object } = self;
        let object = match object {
            Ok(object) => object,
            Err(error) => return format!("{namespace}: {target} stays as it is: {}", error.for_a_note()),
        };
        match same.why_not(object, target.kind) {
            Some(why) => format!("{namespace}: {target} stays as it is: {why}"),
            None => format!(
                "{namespace}: deletes {target} and creates it again, with a new place in the queue; {}",
                loss(target.kind, object)
            ),
        }
    }
}

/// Makes them again, one after the other: each must be let finish. What fails is named and does not stop the rest.
///
/// # Errors
/// One of them was not made again.
pub(super) async fn make_again(
    all: Vec<Again>,
    name: impl Fn(&str, &str) -> String,
    write: &WriteArgs,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<()> {
    let args = &ChangeArgs::beside(write, Recreate::Allowed);
    let mut several = Several::workloads(all.len(), session);
    let mut objects = Objects::asked(all.len(), write, session);
    let mut stopped = Ok(());
    for Again { namespace, target, same, object } in all {
        let name = name(&target.to_string(), &namespace);
        let (way, company) = (Some(Way::Recreate), Company::Several);
        let outcome = match object {
            Ok(object) => {
                let (target, namespace) = (&target, namespace.as_str());
                let change = Change { plan: same, target, way, company, args, session, cluster, namespace };
                change.carry_out(object).await
            }
            Err(error) => Err(error),
        };
        let told = several.one(&name, outcome).and_then(|done| match done {
            Some(done) => objects.tell(&name, done.verb, done.object),
            None => Ok(()),
        });
        if let Err(error) = told {
            stopped = Err(error);
            break;
        }
    }
    objects.print()?;
    stopped.and(several.verdict())
}

/// The plan to make a workload again as it is, if it is still the one that holds an old value.
struct Same {
    uid: String,
}

impl Same {
    fn why_not(&self, object: &Value, kind: &Kind) -> Option<&'static str> {
        if uid(object) != self.uid {
            return Some("it was made again already");
        }
        match State::of(kind, object) {
            State::Finished => Some("it has ended"),
            State::Suspended => Some("it is suspended, and reads the new value when it is resumed"),
            _ => None,
        }
    }
}

impl Plan for Same {
    fn change(&self, object: &Value, kind: &Kind, workload: &str) -> Result<Planned> {
        Ok(match self.why_not(object, kind) {
            Some(why) => Planned::Nothing { why: format!("{workload}: {why}"), warnings: Vec::new() },
            None => Planned::Changed(Changed {
                object: object.clone(),
                differences: Vec::new(),
                warnings: Vec::new(),
            }),
        })
    }

    fn on_owner(&self, owner: &str) -> String {
        format!("{owner} makes it anew")
    }
}
