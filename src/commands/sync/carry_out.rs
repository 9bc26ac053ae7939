//! The writes of `sync`: many at once, each of them guarded, one failure not in the way of the rest.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, stream};

use super::{SyncArgs, Task, outcome};
use crate::cli::DryRun;
use crate::cluster::{Answer, Cluster, Failure, Keep, Write};
use crate::commands::survey::{self, AT_ONCE};
use crate::commands::{Session, TRIES, pause_after_conflict};
use crate::error::{Error, Result};
use crate::project::Project;
use crate::propagation::{self, Found, Permissions, Reason, Row, Scope, Source, State, Step};
use crate::{secret, ui};

/// How long to wait before a write is repeated whose effect is not known; twice as long before the next.
const PAUSE: Duration = Duration::from_millis(100);

/// One secret on its way to the projects.
pub(super) struct Copying<'a> {
    name: &'a str,
    /// The source's.
    identity: String,
    source: &'a Source,
    scope: &'a Scope,
    permissions: Permissions,
    cluster: &'a Cluster,
    args: &'a SyncArgs,
    /// What creates a copy, the same in every project; nothing where there is no source.
    body: Bytes,
}

/// What became of a task; its step is the one that was done last.
pub(super) struct TaskResult {
    pub(super) task: Task,
    /// How the project was found.
    pub(super) found: State,
    pub(super) error: Option<Error>,
}

impl<'a> Copying<'a> {
    pub(super) fn new(
        name: &'a str,
        namespace: &str,
        source: &'a Source,
        scope: &'a Scope,
        permissions: Permissions,
        cluster: &'a Cluster,
        args: &'a SyncArgs,
    ) -> Self {
        let identity = propagation::identity(namespace, name);
        let content = source.content();
        let body =
            content.map(|content| propagation::copy_body(name, &identity, content)).unwrap_or_default();
        Self { name, identity, source, scope, permissions, cluster, args, body }
    }

    /// Does all tasks, tells what is done as it is done, and gives the results in the same order.
    pub(super) async fn run(&self, tasks: Vec<Task>, session: &Session<'_>) -> Result<Vec<TaskResult>> {
        if let Some(content) = self.source.content() {
            session.ui.keep_confidential(Rc::new(content.values()));
        }
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
        let (task, failure) = self.do_until_done(task).await;
        TaskResult { task, found, error: failure.map(Error::from) }
    }

    /// Does one task; where somebody else was quicker, or it is not known whether it was done, looks again and does
    /// what is right then. No write can do harm twice: it holds for what was read, or for nothing being there.
    async fn do_until_done(&self, mut task: Task) -> (Task, Option<Failure>) {
        let mut attempt = 1;
        loop {
            let Err(failure) = self.write(&task).await else { return (task, None) };
            let unknown = failure.has_unknown_effect();
            if !(unknown || failure.is_beaten() || failure.is_not_found()) || attempt == TRIES {
                return (task, Some(failure));
            }
            if unknown {
                tokio::time::sleep(PAUSE * attempt).await;
            } else {
                pause_after_conflict(attempt).await;
            }
            attempt += 1;
            let now = match self.look_again(&task.row).await {
                Ok(row) => row,
                Err(failure) => return (task, Some(failure)),
            };
            let step = propagation::step(&now, self.scope, self.permissions);
            if unknown && step == Step::Nothing {
                // It was done, and the answer was lost.
                return (task, None);
            }
            task = agreed(&task, now, step);
        }
    }

    async fn look_again(&self, row: &Row) -> Result<Row, Failure> {
        let found = survey::look(self.cluster, &row.namespace, self.name).await?;
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

    async fn write(&self, task: &Task) -> Result<(), Failure> {
        let Task { row, step } = task;
        match (step, &row.held, self.source.content()) {
            (Step::Create, _, _) => self.create(&row.namespace).await,
            (Step::Mend | Step::Adopt, Some(held), Some(content)) => {
                let body = propagation::mend_body(&self.identity, content, held, *step);
                self.cluster.patch_secret(&row.namespace, self.name, body, self.args.write.write()).await
            }
            (Step::MakeAnew | Step::AdoptAnew, Some(_), _) => {
                ui::interrupt::finishing(self.make_anew(row)).await
            }
            (Step::Remove, Some(_), _) => self.delete(row).await,
            // What is mended was seen, and its source was read: the rest has nothing to write.
            _ => Ok(()),
        }
    }

    async fn create(&self, namespace: &str) -> Result<(), Failure> {
        let write = self.args.write.write();
        self.cluster.create_secret(namespace, self.body.clone(), Answer::Metadata, write).await.map(drop)
    }

    /// If the creation fails although the server had checked it, the next run makes it: then nothing is there, which is
    /// what it looks for.
    async fn make_anew(&self, row: &Row) -> Result<(), Failure> {
        self.check_with_server(row).await?;
        self.delete(row).await?;
        if self.args.write.dry_run == DryRun::Server {
            return Ok(());
        }
        self.create(&row.namespace).await
    }

    /// Has the server check the new copy before the old one goes, under a name that nobody has: it is made of a UID.
    async fn check_with_server(&self, row: &Row) -> Result<(), Failure> {
        let (Some(held), Some(content)) = (&row.held, self.source.content()) else { return Ok(()) };
        let trial = secret::with_suffix(self.name, &held.uid);
        let body = propagation::copy_body(&trial, &self.identity, content);
        let write = Write { keep: Keep::No, ..self.args.write.write() };
        self.cluster.create_secret(&row.namespace, body, Answer::Metadata, write).await.map(drop)
    }

    async fn delete(&self, row: &Row) -> Result<(), Failure> {
        let Some(held) = &row.held else { return Ok(()) };
        let keep = self.args.write.write().keep;
        self.cluster.delete_secret(&row.namespace, self.name, &held.uid, &held.version, keep).await
    }
}

/// What is to be done now: nothing by which something is lost that nobody was asked about.
fn agreed(before: &Task, row: Row, step: Step) -> Task {
    let uid = |row: &Row| row.held.as_ref().map(|held| held.uid.clone());
    let asked = step == before.step && uid(&before.row) == uid(&row);
    let step = if step.risk().is_some() && !asked { Step::Leave(Reason::Changed) } else { step };
    Task { row, step }
}
