//! Gives a workload secrets: looks at all that an attachment touches, then changes the workload.

use std::collections::BTreeMap;

use futures::{StreamExt, stream};
use serde_json::Value;

use crate::change;
use crate::change::several::{AT_ONCE, Planning, SeveralChanges};
use crate::change::workload::{Change, ChangeArgs, Changed, Company, Plan, Planned, Way};
use crate::cluster::Cluster;
use crate::error::Result;
use crate::session::Session;
use crate::uses;
use crate::uses::references::Heads;
use crate::workload::{
    self, AccountLogins, Attachment, ContainerChoice, Existing, Expanded, Kind, Outcome, Target,
};

/// A workload of a namespace that is to get attachments, or several.
pub(crate) struct Attach<'a, To> {
    pub(crate) to: To,
    pub(crate) containers: ContainerChoice,
    pub(crate) existing: Existing,
    pub(crate) args: &'a ChangeArgs,
    pub(crate) cluster: &'a Cluster,
    pub(crate) namespace: &'a str,
    pub(crate) session: &'a Session<'a>,
}

/// What was read before it was known what to attach.
#[derive(Default)]
pub(crate) struct Ahead {
    pub(crate) heads: Heads,
    /// The workload, if it was asked for.
    pub(crate) object: Option<Result<Value>>,
}

impl Attach<'_, &Target> {
    /// Makes the attachments, after their secrets and keys, the containers and their variables were looked at, as far
    /// as that was not done `ahead`.
    ///
    /// # Errors
    /// A secret, a key or the workload is missing, something is in the way, or the change is refused.
    pub(crate) async fn run(
        self,
        attachments: Vec<Attachment>,
        way: Option<Way>,
        ahead: Ahead,
    ) -> Result<()> {
        let Self { to: target, containers, existing, args, cluster, namespace, session } = self;
        let object = async {
            match ahead.object {
                Some(object) => object,
                None => change::workload::read(cluster, namespace, target).await,
            }
        };
        let (checked, object) = tokio::join!(
            uses::references::check(&attachments, ahead.heads, namespace, cluster, session),
            object
        );
        let object = object?;
        let keys = checked?;
        let expanded = workload::expanded(target.kind, attachments, &keys)?;
        let attachments = expanded.attachments;
        let hidden = workload::hidden_variables(&object, target.kind, &attachments, &containers, &keys);
        for warning in expanded.warnings.iter().chain(&hidden) {
            session.ui.warning(warning);
        }
        let at_stake = workload::accounts_at_stake(&object, target.kind, &attachments);
        let accounts = uses::account_logins::read(at_stake, namespace, cluster).await?;
        let plan = Attaching { attachments, containers, existing, accounts, keys };
        let company = Company::Alone;
        Change { plan, target, way, company, args, session, cluster, namespace }.run(object).await
    }
}

impl Attach<'_, Vec<Target>> {
    /// Makes the attachments in all of them, after everything that they touch was looked at.
    ///
    /// # Errors
    /// A secret or a key is missing, the answer is no, or at least one workload was not changed.
    pub(crate) async fn run(self, attachments: Vec<Attachment>, heads: Heads) -> Result<()> {
        let Self { to: targets, containers, existing, args, cluster, namespace, session } = self;
        let read = async |target: Target| {
            let object = change::workload::read(cluster, namespace, &target).await;
            (target, object)
        };
        let objects = stream::iter(targets).map(read).buffered(AT_ONCE).collect::<Vec<_>>();
        let (keys, objects) =
            tokio::join!(uses::references::check(&attachments, heads, namespace, cluster, session), objects);
        let keys = keys?;
        let at_stake =
            objects.iter().filter_map(|(target, object)| Some((target.kind, object.as_ref().ok()?)));
        let at_stake =
            at_stake.flat_map(|(kind, object)| workload::accounts_at_stake(object, kind, &attachments));
        let accounts = uses::account_logins::read(at_stake.collect(), namespace, cluster).await?;
        let plan = |target: &Target, object: &Result<Value>| {
            workload::check_expressible(target.kind, &attachments, &containers)?;
            let Expanded { attachments, warnings } =
                workload::expanded(target.kind, attachments.clone(), &keys)?;
            let hidden = object.iter().flat_map(|object| {
                workload::hidden_variables(object, target.kind, &attachments, &containers, &keys)
            });
            for warning in hidden.chain(warnings) {
                session.ui.warning(&format!("{target}: {warning}"));
            }
            let (containers, accounts, keys) = (containers.clone(), accounts.clone(), keys.clone());
            Ok(Attaching { attachments, containers, existing, accounts, keys })
        };
        let all = objects.into_iter().map(|(target, object)| {
            let plan = plan(&target, &object);
            Planning { target, object, plan }
        });
        SeveralChanges { args, cluster, namespace, session }.run(all.collect()).await
    }
}

/// Attachments, and how they are made.
pub(crate) struct Attaching {
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) containers: ContainerChoice,
    pub(crate) existing: Existing,
    pub(crate) accounts: AccountLogins,
    /// The keys of the secrets, as far as they are known.
    pub(crate) keys: BTreeMap<String, Vec<String>>,
}

impl Attaching {
    /// Returns warnings about attachments that may not do what the user expects.
    fn doubts(&self, object: &Value, kind: &Kind) -> Vec<String> {
        let doubts = workload::doubts(object, kind).into_iter();
        let concerning = doubts.filter(|doubt| doubt.concerns(&self.attachments));
        let doubts = concerning.filter_map(|doubt| doubt.in_full(&self.keys));
        let own = workload::doubtful_uses(&self.attachments, &self.keys).into_iter();
        own.chain(uses::references::below_own_home(&self.attachments)).chain(doubts).collect()
    }
}

impl Plan for Attaching {
    fn change(&self, object: &Value, kind: &Kind, workload: &str) -> Result<Planned> {
        let Self { attachments, containers, existing, accounts, .. } = self;
        let with = workload::with_account_logins(object, kind, attachments, accounts)?;
        Ok(match workload::attach(&with.object, kind, attachments, containers, *existing)? {
            Outcome::AsAsked => {
                let why = format!("{workload} has all of this already");
                Planned::Nothing { why, warnings: self.doubts(object, kind) }
            }
            Outcome::Changed { object, differences } => {
                let differences =
                    with.differences.iter().chain(&differences).map(ToString::to_string).collect();
                let unseen = workload::unseen_by_ranks(&object, kind, attachments);
                let warnings =
                    [with.warnings, self.doubts(&object, kind), unseen.into_iter().collect()].concat();
                Planned::Changed(Changed { object, differences, warnings })
            }
        })
    }

    fn on_owner(&self, owner: &str) -> String {
        format!("attach to {owner} instead")
    }
}
