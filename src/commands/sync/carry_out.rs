//! Carries out the writes of `sync`: many at a time, each guarded, and no failure stops the others.

use bytes::Bytes;
use futures::{StreamExt, stream};
use serde_json::Value;

use super::args::SyncArgs;
use super::outcome::{self, SourceNow, TaskResult};
use super::plan::{Plan, Task};
use crate::change::recreate::secret::{Bodies, Remains, SecretRecreation};
use crate::change::retry::Tries;
use crate::cluster::{Answer, Cluster, Failure, Keep, Write};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::DryRun;
use crate::project::Project;
use crate::propagation::{self, Content, Found, Given, Reason, Row, Scope, Source, State, Step, Wishes};
use crate::session::Session;
use crate::sharing::survey::AT_ONCE;
use crate::{secret, sharing};

/// A secret that is being copied to the projects.
pub(super) struct Copying<'a> {
    name: &'a str,
    /// The source's identity, `namespace/name`.
    identity: String,
    source: &'a Source,
    scope: &'a Scope,
    wishes: Wishes<'a>,
    cluster: &'a Cluster,
    args: &'a SyncArgs,
    session: &'a Session<'a>,
    /// The body that creates a copy, the same in every project; empty without a source.
    body: Bytes,
}

/// The reason why a write failed.
enum WriteError {
    Refused(Failure),
    /// A step outside of the request failed.
    Other(Error),
}

impl From<Failure> for WriteError {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure)
    }
}

impl<'a> Copying<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        namespace: &str,
        wishes: Wishes<'a>,
        cluster: &'a Cluster,
        args: &'a SyncArgs,
        session: &'a Session<'a>,
    ) -> Self {
        let Plan { name, source, scope, .. } = plan;
        let identity = propagation::identity(namespace, name);
        let (labels, ends) = (wishes.labels, source.ends());
        let copy =
            |content| propagation::copy_body(name, &Given { identity: &identity, labels, content, ends });
        let body = source.content().map(copy).unwrap_or_default();
        Self { name, identity, source, scope, wishes, cluster, args, session, body }
    }

    /// Does all tasks, reports each when it is done, and returns the results in the same order.
    pub(super) async fn run(&self, tasks: Vec<Task>) -> Result<Vec<TaskResult>> {
        let session = self.session;
        let writes = tasks.iter().filter(|task| task.step.writes()).count();
        let mut progress = session.ui.progress(&format!("copies of {}", self.name), writes);
        let mut results = Vec::with_capacity(tasks.len());
        let mut doing = stream::iter(tasks).map(|task| self.complete(task)).buffered(AT_ONCE);
        let mut done = 0;
        while let Some(result) = doing.next().await {
            done += usize::from(result.task.step.writes());
            progress.at(done);
            progress.beside(|| outcome::tell_change(self.name, &result, &self.args.write, session))?;
            results.push(result);
        }
        Ok(results)
    }

    async fn complete(&self, task: Task) -> TaskResult {
        let found = task.row.state;
        if self.args.write.dry_run == DryRun::Client {
            return TaskResult { task, found, error: None };
        }
        let (task, error) = self.do_until_done(task).await;
        TaskResult { task, found, error }
    }

    /// Checks, after copies were written, whether the source still holds what was copied. Somebody who
    /// rotates it at that moment must hear of it.
    pub(super) async fn source_now(&self, results: &[TaskResult]) -> SourceNow {
        let wrote = results.iter().any(|result| result.error.is_none() && result.task.step.writes());
        let Some(content) =
            self.source.content().filter(|_| wrote && self.args.write.dry_run == DryRun::None)
        else {
            return SourceNow::AsItWas;
        };
        let Some((namespace, name)) = self.identity.split_once('/') else { return SourceNow::AsItWas };
        match self.cluster.namesake(namespace, name).await {
            Ok(now) if now.content == *content => SourceNow::AsItWas,
            Ok(_) => SourceNow::Changed,
            Err(failure) if failure.is_not_found() => SourceNow::Changed,
            // The copies are written. A change of the source is unknown then, like any later change.
            Err(_) => SourceNow::AsItWas,
        }
    }

    /// Does one task. If somebody else was quicker, or the effect of the write is unknown, reads again and
    /// does what is right then. Repeating a write is safe: it holds only for the version that was read, or
    /// only if nothing is there.
    async fn do_until_done(&self, mut task: Task) -> (Task, Option<Error>) {
        let mut tries = Tries::default();
        loop {
            let failure = match self.write(&task).await {
                Ok(()) => return (task, None),
                Err(WriteError::Refused(failure)) => failure,
                Err(WriteError::Other(error)) => return (task, Some(error)),
            };
            let unknown = failure.has_unknown_effect();
            let beaten = |failure: &Failure| unknown || failure.is_beaten() || failure.is_not_found();
            if let Err(failure) = tries.again(failure, beaten).await {
                return (task, Some(failure.into()));
            }
            let now = match self.read_again(&task.row).await {
                Ok(row) => row,
                Err(failure) => return (task, Some(failure.into())),
            };
            let step = propagation::step(&now, self.scope, self.wishes);
            if unknown && step == Step::Nothing {
                // The write was done; only its answer was lost.
                return (task, None);
            }
            task = agreed(&task, now, step);
        }
    }

    async fn read_again(&self, row: &Row) -> Result<Row, Failure> {
        let found = sharing::survey::read_secret(self.cluster, &row.namespace, self.name).await?;
        Ok(match (&row.project, &found) {
            (Some(name), _) => {
                let namespace = row.namespace.clone();
                let project = Project { name: name.clone(), namespace, terminating: false };
                propagation::row(self.source, &self.identity, &project, &found)
            }
            (None, Found::Secret(secret)) => propagation::stray(self.source, &self.identity, secret),
            (None, _) => Row {
                project: None,
                namespace: row.namespace.clone(),
                state: State::Absent,
                evidence: None,
                held: None,
            },
        })
    }

    async fn write(&self, task: &Task) -> Result<(), WriteError> {
        let Task { row, step } = task;
        match (step, &row.held, self.source.content()) {
            (Step::Create, _, Some(content)) => self.create(&row.namespace, content).await?,
            (Step::Update | Step::Adopt, Some(held), Some(content)) => {
                let body = propagation::mend_body(&self.given(content), held, *step);
                self.cluster.patch_secret(&row.namespace, self.name, body, self.args.write.write()).await?;
            }
            (Step::Recreate | Step::AdoptByRecreate, Some(_), Some(content)) => {
                self.make_anew(row, content).await?;
            }
            (Step::Remove, Some(_), _) => self.delete(row).await?,
            // An updated copy has been read, and so has its source: nothing else is to be written.
            _ => {}
        }
        Ok(())
    }

    /// Creates a copy. If an earlier run deleted it and was cut short, the copy gets what was kept of it.
    async fn create(&self, namespace: &str, content: &Content) -> Result<(), Failure> {
        let write = self.args.write.write();
        let remains = Remains::of(self.cluster, namespace, self.name);
        let body = match &remains {
            Some(remains) => propagation::anew_body(&self.named(remains.metadata()), &self.given(content)),
            None => self.body.clone(),
        };
        self.cluster.create_secret(namespace, body, Answer::Metadata, write).await?;
        if let Some(remains) = remains.filter(|_| write.keep == Keep::Yes) {
            remains.remove();
        }
        Ok(())
    }

    /// Deletes a copy and creates it anew with all its labels.
    async fn make_anew(&self, row: &Row, content: &Content) -> Result<(), WriteError> {
        let namespace = row.namespace.as_str();
        self.check_with_server(row).await?;
        if self.args.write.dry_run == DryRun::Server {
            return Ok(self.delete(row).await?);
        }
        let old = self.cluster.secret(namespace, self.name, Answer::Whole).await?;
        let as_planned = row.held.as_ref().is_some_and(|held| {
            old["metadata"]["uid"] == held.uid.as_str()
                && old["metadata"]["resourceVersion"] == held.version.as_str()
        });
        if !as_planned {
            return Err(WriteError::Other(
                Error::failed("somebody changed it meanwhile").hint("run the command again"),
            ));
        }
        let new = propagation::anew_body(&self.named(&old["metadata"]), &self.given(content));
        let again = CommandLine::plugin("sync").arg(self.name).to_string();
        let bodies = Bodies { new, old: None, lost_keys: Vec::new(), again };
        let anew = SecretRecreation {
            name: self.name,
            namespace,
            write: self.args.write.write(),
            answer: Answer::Metadata,
            cluster: self.cluster,
            session: self.session,
        };
        let kept = anew.keep(&old).map_err(WriteError::Other)?;
        anew.run(&old, &bodies, &kept).await.map(drop).map_err(WriteError::Other)
    }

    /// Returns what a copy gets of its source.
    fn given<'c>(&'c self, content: &'c Content) -> Given<'c> {
        Given { identity: &self.identity, labels: self.wishes.labels, content, ends: self.source.ends() }
    }

    /// Returns the metadata with the name of the copy.
    fn named(&self, metadata: &Value) -> Value {
        let mut metadata = metadata.clone();
        metadata["name"] = self.name.into();
        metadata
    }

    /// Has the server check the new copy before the old one is deleted. The name is made of a UID, so nobody
    /// has it.
    async fn check_with_server(&self, row: &Row) -> Result<(), Failure> {
        let (Some(held), Some(content)) = (&row.held, self.source.content()) else { return Ok(()) };
        let trial = secret::with_suffix(self.name, &held.uid);
        let body = propagation::copy_body(&trial, &self.given(content));
        let write = Write { keep: Keep::No, ..self.args.write.write() };
        self.cluster.create_secret(&row.namespace, body, Answer::Metadata, write).await.map(drop)
    }

    async fn delete(&self, row: &Row) -> Result<(), Failure> {
        let Some(held) = &row.held else { return Ok(()) };
        let keep = self.args.write.write().keep;
        self.cluster.delete_secret(&row.namespace, self.name, &held.uid, &held.version, keep).await.map(drop)
    }
}

/// Returns the task for what was read again. A step that loses something is skipped unless the user confirmed
/// exactly that.
fn agreed(before: &Task, row: Row, step: Step) -> Task {
    let uid = |row: &Row| row.held.as_ref().map(|held| held.uid.clone());
    let asked = step == before.step && uid(&before.row) == uid(&row);
    let now = Task { row, step };
    let expected = before.lost_keys();
    let takes_more = now.lost_keys().iter().any(|key| !expected.contains(key));
    if takes_more || (step.risk().is_some() && !asked) {
        return Task { step: Step::Skip(Reason::Changed), ..now };
    }
    now
}
