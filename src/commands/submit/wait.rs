//! `submit --wait`: follows a new Job until its container runs, or until it clearly can't start without help.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cluster::{Cluster, Failure};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::ui;
use crate::ui::Topic;
use crate::workload::{Kind, Object, Start, Stuck, Target, start, stuck_by_events};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How often the reason for waiting is repeated while it stays the same.
const REMINDER: Duration = Duration::from_secs(15);
/// The most characters of the cluster's text that are shown.
const LONGEST_TEXT: usize = 300;

/// A Job to follow.
pub(super) struct NewlySubmitted<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) cluster: &'a Cluster,
    pub(super) namespace: &'a str,
    pub(super) kind: &'static Kind,
    pub(super) name: &'a str,
}

impl NewlySubmitted<'_> {
    /// Returns when the Job's container runs or has finished.
    ///
    /// # Errors
    /// The Job failed, can't start without help, was deleted, or has not started in time. It is left as it
    /// is.
    pub(super) async fn wait(&self, limit: Duration) -> Result<()> {
        let (job, name, namespace) = (self.kind.display_name(self.name), self.name, self.namespace);
        let hints = vec![
            format!(
                "{job} was created, and goes on; to see it: {}",
                CommandLine::kubectl("get job").arg(name).namespace(namespace)
            ),
            self.how_to_remove(),
        ];
        ui::interrupt::watching(hints, self.follow(limit)).await
    }

    async fn follow(&self, limit: Duration) -> Result<()> {
        let ui = self.session.ui;
        let job = self.kind.display_name(self.name);
        let (started, mut pause) = (Instant::now(), FIRST_PAUSE);
        let (mut said, mut said_at) = (String::new(), started);
        loop {
            let why = match self.read().await? {
                Start::Running { pod } => {
                    ui.note(&format!("{job} runs, in pod/{pod}"));
                    return Ok(());
                }
                Start::Completed => {
                    ui.note(&format!("{job} has done its work"));
                    return Ok(());
                }
                Start::Failed { why } => {
                    return Err(Error::failed(format!("{job} failed: {}", self.quoted(&why))).hint(format!(
                        "to see its log: {}",
                        CommandLine::kubectl("logs")
                            .arg(format!("job/{}", self.name))
                            .namespace(self.namespace)
                    )));
                }
                Start::Stuck(stuck) => return Err(self.explained(&stuck)),
                Start::Waiting { why, .. } => self.quoted(&why),
            };
            if why != said || said_at.elapsed() > REMINDER {
                ui.note(&format!("{job} has not started: {why}"));
                (said, said_at) = (why, Instant::now());
            }
            let Some(left) = limit.checked_sub(started.elapsed()) else {
                let line = format!("{job} has not started after {} s: {said}", limit.as_secs());
                return Err(self.still_there(Error::partly(line)));
            };
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn read(&self) -> Result<Start> {
        let target = Target { kind: self.kind, name: self.name.to_owned() };
        let (job, pods, events) = tokio::join!(
            self.cluster.workload(self.namespace, &target),
            self.cluster.pods_of_job(self.namespace, self.name),
            self.events_of("Job", self.name)
        );
        let (job, pods) = match (job, pods) {
            (Ok(job), Ok(pods)) => (job, pods),
            (Err(failure), _) if failure.is_not_found() => {
                return Err(Error::failed(format!("{} was deleted", self.kind.display_name(self.name))));
            }
            (Err(failure), _) | (_, Err(failure)) => return self.missed(failure),
        };
        match start(&job, &pods) {
            Start::Waiting { why, of } => {
                let events = if of.kind == "Job" { events } else { self.events_of(of.kind, &of.name).await };
                Ok(stuck_by_events(&events).map_or(Start::Waiting { why, of }, Start::Stuck))
            }
            start => Ok(start),
        }
    }

    /// Lists the events of an object; none if they can't be read, which only makes the reason less precise.
    async fn events_of(&self, kind: &str, name: &str) -> Vec<Value> {
        match self.cluster.events_of(self.namespace, kind, name).await {
            Ok(events) => events,
            Err(failure) => {
                if failure.is_forbidden() {
                    self.session.ui.warning(&format!(
                        "you may not list events in namespace {}: a full quota, or a missing secret that is mounted, is not reported",
                        self.namespace
                    ));
                }
                Vec::new()
            }
        }
    }

    /// Handles a failed read: waits for the next one if the server may only be away for a moment.
    fn missed(&self, failure: Failure) -> Result<Start> {
        if failure.may_pass() {
            let of = Object { kind: "Job", name: self.name.to_owned() };
            return Ok(Start::Waiting { why: "the API server does not answer".to_owned(), of });
        }
        let error = Error::from(failure);
        Err(error.hint(format!(
            "{} was created, and goes on without being watched",
            self.kind.display_name(self.name)
        )))
    }

    fn explained(&self, stuck: &Stuck) -> Error {
        let (namespace, job) = (self.namespace, self.kind.display_name(self.name));
        let error = |why: &str| Error::partly(format!("{job} can't start: {}", self.quoted(why)));
        self.still_there(match stuck {
            Stuck::MissingSecret { secret } => {
                error(&format!("secret {secret:?} does not exist in namespace {namespace}")).hint(format!(
                    "create it, and the job starts: {}",
                    CommandLine::plugin("create").arg(secret).namespace(namespace).then("--from-file=KEY=PATH")
                ))
            }
            Stuck::MissingKey { secret, key } => error(&format!("secret {secret:?} has no key {key:?}"))
                .hint(format!(
                    "to see its keys: {}",
                    CommandLine::kubectl("describe secret").arg(secret).namespace(namespace)
                )),
            Stuck::Image { image, why } => error(&format!("image {image:?} can't be pulled: {why}"))
                .hint("check the image's name and tag")
                .hint("a private registry needs a login: create docker-registry NAME, then submit --image-pull-secret NAME"),
            Stuck::NoPod { why } if why.contains("exceeded quota") => error(why).hint(format!(
                "a quota is used up; the job starts when there is room: {}",
                CommandLine::kubectl("describe quota").namespace(namespace)
            )),
            Stuck::NoPod { why } | Stuck::Other { why } => error(why)
                .hint(CommandLine::kubectl("describe job").arg(self.name).namespace(namespace)),
        })
    }

    /// The cluster's words as they may be shown.
    fn quoted(&self, text: &str) -> String {
        let topic = Topic { names: format!("{} {}", self.namespace, self.name), ..Topic::default() };
        shortened(&self.session.ui.quotable(text, &topic))
    }

    fn still_there(&self, error: Error) -> Error {
        error.hint(format!("the job was left as it is; {}", self.how_to_remove()))
    }

    fn how_to_remove(&self) -> String {
        format!(
            "to remove it: {}",
            CommandLine::kubectl("delete job").arg(self.name).namespace(self.namespace)
        )
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        None => text.to_owned(),
        Some((end, _)) => format!("{} …", &text[..end]),
    }
}
