//! Makes one change to several workloads of a namespace: one plan, one question, and each write safe by itself.
//!
//! What fails is named and does not stop the rest. The same command again does what is left: a workload that is
//! as it should be is `unchanged`.

use futures::{StreamExt, stream};
use serde_json::Value;

use crate::change::workload::{Change, ChangeArgs, Company, Plan, Planned, Way};
use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::session::batch::{Objects, Several};
use crate::wording::plural;
use crate::workload::{OnChange, Target};

/// How many objects are read or written at a time.
pub(crate) const AT_ONCE: usize = 16;

/// A workload as it was read, and what is planned for it.
pub(crate) struct Planning<P> {
    pub(crate) target: Target,
    pub(crate) object: Result<Value>,
    pub(crate) plan: Result<P>,
}

/// What would happen to one of them.
pub(crate) enum Effect {
    /// A line for each part that changes.
    Changes(Vec<String>),
    /// Not what was asked for, and why.
    Stays(String),
    /// It is as it should be, or an error says later what is wrong.
    Nothing,
}

/// A change of several workloads.
pub(crate) struct SeveralChanges<'a> {
    pub(crate) args: &'a ChangeArgs,
    pub(crate) cluster: &'a Cluster,
    pub(crate) namespace: &'a str,
    pub(crate) session: &'a Session<'a>,
}

impl SeveralChanges<'_> {
    /// Shows what is planned for all of them, asks once, and does it.
    ///
    /// # Errors
    /// The answer is no, or at least one of them was not changed.
    pub(crate) async fn run<P: Plan>(&self, all: Vec<Planning<P>>) -> Result<()> {
        self.agree(&all).await?;
        let mut objects = Objects::asked(all.len(), &self.args.write, self.session);
        let outcome = self.carry_out(all, &mut objects).await;
        objects.print()?;
        outcome
    }

    /// Does what was shown and agreed to, and reports it.
    ///
    /// # Errors
    /// At least one of them was not changed.
    pub(crate) async fn carry_out<P: Plan>(
        &self,
        all: Vec<Planning<P>>,
        objects: &mut Objects<'_>,
    ) -> Result<()> {
        let recreates = matches!(self.way(), Some(Way::Recreate));
        let mut several = Several::workloads(all.len(), self.session);
        // A recreation waits until the old workload is gone, and must be let finish: one after the other.
        let at_once = if recreates { 1 } else { AT_ONCE };
        let mut changes = stream::iter(all)
            .map(async |one| (one.target.to_string(), self.change(one).await))
            .buffered(at_once);
        let mut stopped = Ok(());
        while let Some((name, outcome)) = changes.next().await {
            let told = several.one(&name, outcome).and_then(|done| match done {
                Some(done) => objects.tell(&done.name, done.verb, done.object),
                None => Ok(()),
            });
            if let Err(error) = told {
                stopped = Err(error);
                break;
            }
        }
        stopped.and(several.verdict())
    }

    /// Shows the effects, and asks if there are any.
    async fn agree<P: Plan>(&self, all: &[Planning<P>]) -> Result<()> {
        let effects: Vec<Effect> = all.iter().map(|one| self.effect(one)).collect();
        let changed = effects.iter().filter(|effect| matches!(effect, Effect::Changes(_))).count();
        if changed == 0 {
            return Ok(());
        }
        let lines = effects.into_iter().flat_map(|effect| match effect {
            Effect::Changes(lines) => lines,
            Effect::Stays(why) => vec![why],
            Effect::Nothing => Vec::new(),
        });
        let question = format!("Change {}?", plural(changed, "workload"));
        self.session.confirm_effects(&self.args.write, &lines.collect::<Vec<_>>(), &question).await
    }

    fn way(&self) -> Option<Way> {
        (self.args.flag_of_way() == Some("--recreate")).then_some(Way::Recreate)
    }

    /// Says what would happen to one of them.
    pub(crate) fn effect<P: Plan>(&self, one: &Planning<P>) -> Effect {
        let Planning { target, object, plan } = one;
        let object = match object {
            Ok(object) => object,
            Err(error) => return Effect::Stays(format!("{target} stays as it is: {}", error.for_a_note())),
        };
        let Ok(Ok(Planned::Changed(changed))) =
            plan.as_ref().map(|plan| plan.change(object, target.kind, &target.to_string()))
        else {
            return Effect::Nothing;
        };
        let part = target.kind.changed_part();
        let is_immutable = target.kind.on_change_of(object) == OnChange::Refused;
        if is_immutable && self.way().is_none() {
            let why = format!("its {part} is immutable (--recreate makes it anew)");
            return Effect::Stays(format!("{target} stays as it is: {why}"));
        }
        let anew =
            is_immutable.then(|| format!("{target} is deleted and created again: its {part} is immutable"));
        let differences = changed.differences.iter().map(|difference| format!("{target}: {difference}"));
        Effect::Changes(differences.chain(anew).collect())
    }

    async fn change<P: Plan>(&self, one: Planning<P>) -> Result<crate::change::workload::Done> {
        let Self { args, cluster, namespace, session } = self;
        let (target, way, company) = (&one.target, self.way(), Company::Several);
        Change { plan: one.plan?, target, way, company, args, session, cluster, namespace }
            .carry_out(one.object?)
            .await
    }
}

/// Refuses flags that are about one workload.
///
/// # Errors
/// One is given.
pub(crate) fn check_flags(args: &ChangeArgs) -> Result<()> {
    match args.flag_of_way() {
        Some("--copy-as") => Err(Error::usage("--copy-as names one copy, but several workloads are named")
            .hint("copy them one after the other")),
        _ => Ok(()),
    }
}
