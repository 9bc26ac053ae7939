//! The writes of `sync`: many at once, each of them guarded, one failure not in the way of the rest.

use std::rc::Rc;
use std::time::Duration;

use futures::{StreamExt, stream};

use super::{SyncArgs, Task};
use crate::cli::DryRun;
use crate::cluster::{Answer, Cluster, Failure};
use crate::commands::survey::IN_FLIGHT;
use crate::commands::{Session, TRIES};
use crate::error::Error;
use crate::project::Project;
use crate::propagation::{self, Found, Permissions, Row, Scope, Source, State, Step};
use crate::ui;

/// How long to wait before a write is repeated whose effect is not known; twice as long before the next.
const PAUSE: Duration = Duration::from_millis(100);

/// One secret on its way to the projects.
pub(super) struct Copying<'a> {
    pub(super) name: &'a str,
    /// The source's.
    pub(super) namespace: &'a str,
    pub(super) source: &'a Source,
    pub(super) scope: &'a Scope,
    pub(super) permissions: Permissions,
    pub(super) cluster: &'a Cluster,
    pub(super) args: &'a SyncArgs,
}

/// What became of a task; its step is the one that was done last.
pub(super) struct TaskResult {
    pub(super) task: Task,
    pub(super) error: Option<Error>,
}

impl Copying<'_> {
    /// Does all tasks and gives their results in the same order.
    pub(super) async fn run(&self, tasks: Vec<Task>, session: &Session<'_>) -> Vec<TaskResult> {
        if let Some(content) = self.source.content() {
            session.ui.keep_confidential(Rc::new(content.values()));
        }
        let writes = tasks.iter().filter(|task| task.step.writes()).count();
        let mut progress = session.ui.progress(&format!("copies of {}", self.name), writes);
        let mut results = Vec::with_capacity(tasks.len());
        let mut doing = stream::iter(tasks).map(|task| self.complete(task)).buffered(IN_FLIGHT);
        let mut done = 0;
        while let Some(result) = doing.next().await {
            done += usize::from(result.task.step.writes());
            progress.at(done);
            results.push(result);
        }
        results
    }

    /// Does one task; where somebody else was quicker, or it is not known whether it was done, looks again and does
    /// what is right then. No write can do harm twice: it holds for what was read, or for nothing being there.
    async fn complete(&self, mut task: Task) -> TaskResult {
        if self.args.write.dry_run == DryRun::Client {
            return TaskResult { task, error: None };
        }
        let mut attempt = 1;
        loop {
            let failure = match self.write(&task).await {
                Ok(()) => return TaskResult { task, error: None },
                Err(failure) => failure,
            };
            let unknown = failure.has_unknown_effect();
            if !(unknown || failure.is_beaten() || failure.is_not_found()) || attempt == TRIES {
                return TaskResult { task, error: Some(failure.into()) };
            }
            if unknown {
                tokio::time::sleep(PAUSE * attempt).await;
            }
            attempt += 1;
            let tried = task.step;
            task = match self.look_again(task.row).await {
                Ok(task) if unknown && task.step == Step::Nothing => Task { step: tried, ..task },
                Ok(task) => task,
                Err((row, failure)) => {
                    return TaskResult { task: Task { row, step: tried }, error: Some(failure.into()) };
                }
            };
            if task.row.state == State::Copied {
                return TaskResult { task, error: None };
            }
        }
    }

    async fn look_again(&self, row: Row) -> Result<Task, (Row, Failure)> {
        let found = match self.cluster.namesake(&row.namespace, self.name).await {
            Ok(secret) => Found::Secret(Box::new(secret)),
            Err(failure) if failure.is_not_found() => Found::Nothing,
            Err(failure) if failure.is_forbidden() => Found::Forbidden,
            Err(failure) => return Err((row, failure)),
        };
        let identity = self.identity();
        let row = match (&row.project, &found) {
            (Some(name), _) => {
                let project =
                    Project { name: name.clone(), namespace: row.namespace.clone(), terminating: false };
                propagation::row(self.source, &identity, &project, &found)
            }
            (None, Found::Secret(secret)) => propagation::stray(self.source, &identity, secret),
            (None, _) => Row { held: None, evidence: None, state: State::Absent, ..row },
        };
        Ok(Task { step: propagation::step(&row, self.scope, self.permissions), row })
    }

    async fn write(&self, task: &Task) -> Result<(), Failure> {
        let Task { row, step } = task;
        match (step, &row.held) {
            (Step::Create, _) => self.create(&row.namespace).await,
            (Step::Mend | Step::Adopt, Some(held)) => {
                let Some(content) = self.source.content() else { return Ok(()) };
                let body = propagation::mend_body(&self.identity(), content, held, *step);
                let write = self.args.write.write();
                self.cluster.patch_secret(&row.namespace, self.name, body, write).await
            }
            (Step::MakeAnew | Step::AdoptAnew, Some(_)) => {
                ui::interrupt::finishing(self.make_anew(row)).await
            }
            (Step::Remove, Some(_)) => self.delete(row).await,
            (Step::Mend | Step::Adopt | Step::MakeAnew | Step::AdoptAnew | Step::Remove, None)
            | (Step::Nothing | Step::Leave(_), _) => Ok(()),
        }
    }

    async fn create(&self, namespace: &str) -> Result<(), Failure> {
        let Some(content) = self.source.content() else { return Ok(()) };
        let body = propagation::copy_body(self.name, &self.identity(), content);
        let write = self.args.write.write();
        self.cluster.create_secret(namespace, body, Answer::Metadata, write).await.map(drop)
    }

    /// If the creation fails the next run makes it: then nothing is there, which is what it looks for.
    async fn make_anew(&self, row: &Row) -> Result<(), Failure> {
        self.delete(row).await?;
        if self.args.write.dry_run == DryRun::Server {
            return Ok(());
        }
        self.create(&row.namespace).await
    }

    async fn delete(&self, row: &Row) -> Result<(), Failure> {
        let Some(held) = &row.held else { return Ok(()) };
        let keep = self.args.write.write().keep;
        self.cluster.delete_secret(&row.namespace, self.name, &held.uid, &held.version, keep).await
    }

    fn identity(&self) -> String {
        propagation::identity(self.namespace, self.name)
    }
}
